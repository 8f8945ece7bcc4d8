//! Turning an error into an exit code, one sentence and the next thing to do.

use wharf_client::chat::ChatError;
use wharf_client::portage::PortageError;
use wharf_client::task::TaskError;
use wharf_client::{ApiError, Error as ClientError};
use wharf_types::ErrorCode;
use wharf_types::api::problem::Problem;

use crate::exit::{Exit, Failure, Report};
use crate::output::{Output, Paint, printable, stderr};

impl Report {
    /// What to say of `error`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        // A failure may be the context of another error, where only this finds it.
        let failure = error.downcast_ref::<Failure>().map(of_failure);
        let known = failure.or_else(|| error.chain().find_map(known));
        let (status, hint, request_id) = known.unwrap_or((Exit::Failed, None, None));
        Self {
            exit: status as u8,
            code: status.word(),
            message: message(error),
            hint,
            request_id,
            status,
        }
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.status
    }

    /// Writes it to standard error: for people, or with `--json` as one object.
    pub(crate) fn write(&self, output: &Output) {
        if output.is_json() {
            let text = serde_json::json!({ "error": self });
            stderr(&text);
            return;
        }
        let word = output.paint_err(Paint::Red, "error:");
        stderr(&format_args!("{word} {}", printable_lines(&self.message)));
        if let Some(hint) = &self.hint {
            let word = output.paint_err(Paint::Cyan, "hint:");
            stderr(&format_args!("{word} {hint}"));
        }
        if let Some(id) = &self.request_id {
            stderr(&format_args!(
                "The server's log has more under request id {id}."
            ));
        }
    }
}

/// Whether the server refused with that code, somewhere in the chain.
pub(crate) fn is_refusal(error: &anyhow::Error, code: ErrorCode) -> bool {
    let is_failure = error
        .downcast_ref()
        .is_some_and(|failure: &Failure| failure.is(code));
    is_failure
        || error.chain().any(|cause| {
            let api = match cause.downcast_ref() {
                Some(ClientError::Api(api)) => Some(api),
                _ => cause.downcast_ref(),
            };
            api.is_some_and(|api: &ApiError| api.is(code))
        })
}

type Known = (Exit, Option<String>, Option<String>);

/// What is known of one error in a chain.
fn known(error: &(dyn std::error::Error + 'static)) -> Option<Known> {
    if let Some(error) = error.downcast_ref::<ApiError>() {
        return Some(of_api(error));
    }
    if let Some(error) = error.downcast_ref::<ClientError>() {
        return Some(of_client(error));
    }
    if let Some(error) = error.downcast_ref::<TaskError>() {
        return Some(of_task(error));
    }
    if let Some(error) = error.downcast_ref::<ChatError>() {
        return Some(of_chat(error));
    }
    if let Some(error) = error.downcast_ref::<PortageError>() {
        return Some(of_portage(error));
    }
    if let Some(error) = error.downcast_ref::<wharf_core::Error>() {
        return Some((Exit::of(error.code()), None, None));
    }
    None
}

fn of_failure(failure: &Failure) -> Known {
    let (exit, hint) = failure.parts();
    (exit, hint, None)
}

fn of_api(error: &ApiError) -> Known {
    match error {
        ApiError::Refused(problem) => (
            Exit::of(problem.code),
            hint_for(problem),
            logged_id(problem),
        ),
        ApiError::Unreachable { source, .. } if source.to_string().contains("certificate") => {
            let hint = "This device does not trust the server's certificate. For an authority of your own, set `ca` \
                        under [client] in the configuration file.";
            (Exit::Unavailable, Some(hint.to_owned()), None)
        }
        ApiError::Unreachable { .. } => {
            let hint = "Check that the server runs and that the address is right; \
                        `wharf doctor` looks closer. What was under way continues when you run it again.";
            (Exit::Unavailable, Some(hint.to_owned()), None)
        }
        ApiError::Answer { .. } => {
            let hint = "The server may be of another version, or something else may answer at that address.";
            (Exit::Failed, Some(hint.to_owned()), None)
        }
        ApiError::Setup(_) => (Exit::Usage, None, None),
    }
}

fn of_client(error: &ClientError) -> Known {
    match error {
        // Whatever else the client does itself, it does with files.
        ClientError::Api(ApiError::Refused(problem)) => (
            Exit::of(problem.code),
            hint_for_files(problem),
            logged_id(problem),
        ),
        ClientError::Api(error) => of_api(error),
        ClientError::Task(error) => of_task(error),
        ClientError::Local { .. } if error.is_disk_full() => {
            let hint = "The disk is full. Make room and run the same command again: it continues where it was.";
            (Exit::Failed, Some(hint.to_owned()), None)
        }
        ClientError::Local { source, .. } => {
            let exit = match source.kind() {
                std::io::ErrorKind::NotFound => Exit::NotFound,
                std::io::ErrorKind::PermissionDenied => Exit::Denied,
                _ => Exit::Failed,
            };
            (exit, None, None)
        }
        ClientError::Damaged => {
            let hint = "The stored data is damaged. Tell the operator, who can run `wharf verify`.";
            (Exit::Damaged, Some(hint.to_owned()), None)
        }
        ClientError::Invalid(_) => (Exit::Usage, None, None),
        ClientError::Stopped => {
            let hint = "Run the same command again: it continues where it was.";
            (Exit::Interrupted, Some(hint.to_owned()), None)
        }
    }
}

fn of_task(error: &TaskError) -> Known {
    match error {
        TaskError::Missing(_) => (
            Exit::NotFound,
            Some("See `wharf transfers` for their numbers.".to_owned()),
            None,
        ),
        TaskError::Busy { id, .. } => {
            let hint = format!("Wait for it, or stop it with `wharf transfers pause {id}`.");
            (Exit::Conflict, Some(hint), None)
        }
        TaskError::State { .. } => (Exit::Conflict, None, None),
        TaskError::Lost(_) => (Exit::Interrupted, None, None),
        TaskError::Sqlite(_) | TaskError::Io(_) | TaskError::Unknown(_) => {
            (Exit::Failed, None, None)
        }
    }
}

fn of_chat(error: &ChatError) -> Known {
    match error {
        ChatError::Api(error) => of_api(error),
        ChatError::OtherAccount { .. } => {
            let hint = "The name of this login was another person's before. Log in under another name: wharf login --name NAME.";
            (Exit::Conflict, Some(hint.to_owned()), None)
        }
        ChatError::Missing(_) => (
            Exit::NotFound,
            Some("See what waits with `wharf outbox`.".to_owned()),
            None,
        ),
        ChatError::TooLate => {
            let hint = "See where it is with `wharf tail`, and take it back there with `wharf entry recall`.";
            (Exit::Conflict, Some(hint.to_owned()), None)
        }
        ChatError::Invalid(_) => (Exit::Usage, None, None),
        ChatError::Closed => (Exit::Interrupted, None, None),
        _ => (Exit::Failed, None, None),
    }
}

fn of_portage(error: &PortageError) -> Known {
    match error {
        PortageError::Client(error) => of_client(error),
        PortageError::Missing { .. } => {
            let hint = "Name the folder that `wharf export` wrote.";
            (Exit::NotFound, Some(hint.to_owned()), None)
        }
        PortageError::NotWhole { .. } => (Exit::Conflict, None, None),
        PortageError::Damaged { .. } => {
            let hint = "Export it again, or use another copy of the archive.";
            (Exit::Damaged, Some(hint.to_owned()), None)
        }
        PortageError::Later { .. } => {
            let hint = "Use the version of wharf that wrote it, or a later one.";
            (Exit::Failed, Some(hint.to_owned()), None)
        }
    }
}

/// Where to look for a file that is not where it was thought to be.
pub(crate) const WHERE_FILES_ARE: &str =
    "See what is there with `wharf ls`; removed files are in `wharf trash`.";

/// What to do about a refusal that is about files of a drive.
pub(crate) fn hint_for_files(problem: &Problem) -> Option<String> {
    match problem.code {
        ErrorCode::NotFound => Some(WHERE_FILES_ARE.to_owned()),
        _ => hint_for(problem),
    }
}

/// What to do about a refusal.
fn hint_for(problem: &Problem) -> Option<String> {
    let hint = match problem.code {
        ErrorCode::Unauthenticated => "Log in again with `wharf login`.",
        ErrorCode::OverQuota => {
            "See `wharf df`. Old revisions and the trash count too: `wharf trash empty` frees what was removed."
        }
        ErrorCode::Stale => "Somebody changed it meanwhile. Look at it, and run the command again.",
        ErrorCode::Corrupt => {
            "The stored data is damaged. Tell the operator, who can run `wharf verify`."
        }
        ErrorCode::Limited | ErrorCode::Unavailable => {
            return Some(match problem.retry_after_seconds {
                Some(seconds) => format!("Try again in {seconds} seconds."),
                None => "Try again later.".to_owned(),
            });
        }
        ErrorCode::NotFound
        | ErrorCode::Exists
        | ErrorCode::NotEmpty
        | ErrorCode::Locked
        | ErrorCode::Invalid
        | ErrorCode::Denied
        | ErrorCode::TooLarge
        | ErrorCode::Unsupported
        | ErrorCode::Cancelled
        | ErrorCode::Internal => return None,
    };
    Some(hint.to_owned())
}

/// The request's id where the server's log says more than the answer.
fn logged_id(problem: &Problem) -> Option<String> {
    match problem.code {
        ErrorCode::Internal | ErrorCode::Corrupt | ErrorCode::Unavailable => {
            problem.request_id.clone()
        }
        _ => None,
    }
}

/// The chain of causes as one sentence.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let part = cause.to_string();
        // Some errors say their cause themselves.
        if part.is_empty() || text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&part);
    }
    sentence(&text)
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    // A path, a quoted word, a file's name, or a name that the rest is about, at the beginning stays as it is.
    let begins_with_word = text
        .split(' ')
        .next()
        .is_some_and(|word| word.chars().all(char::is_alphabetic));
    let mut whole: String = if begins_with_word {
        first.to_uppercase().chain(chars).collect()
    } else {
        text.to_owned()
    };
    let trimmed = whole.trim_end().len();
    whole.truncate(trimmed);
    if !whole.ends_with(['.', '!', '?']) && !whole.contains('\n') {
        whole.push('.');
    }
    whole
}

/// Escapes what could command the terminal, and keeps the lines.
fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use wharf_client::ApiError;
    use wharf_types::ErrorCode;
    use wharf_types::api::problem::Problem;

    use super::{Report, sentence};
    use crate::exit::{Exit, Failure};

    fn refused(code: ErrorCode, detail: &str) -> Problem {
        Problem {
            kind: "about:blank".to_owned(),
            title: "A title".to_owned(),
            status: 400,
            code,
            detail: Some(detail.to_owned()),
            request_id: Some("r-1".to_owned()),
            retry_after_seconds: None,
            failed: Vec::new(),
        }
    }

    #[test]
    fn a_refusal_gives_its_exit_code_and_the_next_thing_to_do() {
        let error = anyhow::Error::from(ApiError::Refused(Box::new(refused(
            ErrorCode::OverQuota,
            "the quota is used up",
        ))));
        let report = Report::of(&error.context("/docs/a.txt"));
        assert_eq!(report.exit(), Exit::OverQuota);
        assert_eq!(report.message, "/docs/a.txt: the quota is used up.");
        assert!(report.hint.unwrap().contains("wharf df"));
        assert_eq!(report.request_id, None);
    }

    #[test]
    fn a_failure_in_the_chain_decides_though_others_wrap_it() {
        let error = anyhow::Error::from(Failure::new(Exit::Damaged, "Bad").hint("Do this."))
            .context("Reading x");
        let report = Report::of(&error);
        assert_eq!((report.exit, report.code), (10, "damaged"));
        assert_eq!(report.message, "Reading x: Bad.");
        assert_eq!(report.hint.as_deref(), Some("Do this."));
    }

    #[test]
    fn a_failure_that_is_the_context_of_another_error_decides() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error =
            anyhow::Error::from(missing).context(Failure::new(Exit::NotFound, "Could not read x"));
        let report = Report::of(&error.context("/docs"));
        assert_eq!(report.exit(), Exit::NotFound);
        assert_eq!(report.message, "/docs: Could not read x: entity not found.");
    }

    #[test]
    fn sentences_begin_with_a_capital_and_end_with_a_stop() {
        assert_eq!(sentence("cannot reach it"), "Cannot reach it.");
        assert_eq!(sentence("/a: is gone"), "/a: is gone.");
        assert_eq!(sentence("a.txt: is gone"), "a.txt: is gone.");
        assert_eq!(sentence("ada: is gone"), "ada: is gone.");
        assert_eq!(sentence("room:Team/a: is gone"), "room:Team/a: is gone.");
        assert_eq!(sentence("Is it?"), "Is it?");
    }
}
