//! Asking for secrets and for consent.
//!
//! A password comes from the first of: standard input with `--password-stdin`, `WHARF_PASSWORD`, the terminal without
//! echo. It is never taken from a flag: other users of the machine see those.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context as _;

use crate::context::Context;
use crate::exit::Failure;

/// The flag that every command with a password takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct PasswordArgs {
    /// Read the password from standard input, one line for each that is asked for
    #[arg(long)]
    password_stdin: bool,
}

/// A password that a command needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The words before the cursor.
    pub(crate) prompt: &'static str,
    /// The variable that answers for scripts.
    pub(crate) variable: &'static str,
    /// Whether a typing error would go unnoticed, so that it is asked for twice.
    pub(crate) is_new: bool,
}

impl PasswordArgs {
    /// Whether it comes from standard input.
    pub(crate) fn is_from_stdin(self) -> bool {
        self.password_stdin
    }

    /// Finds the password.
    pub(crate) fn read(self, context: &Context, asked: Asked) -> anyhow::Result<String> {
        if self.password_stdin {
            return line_of_stdin(asked.prompt);
        }
        if let Some(password) = context.environment.text(asked.variable)? {
            return Ok(password);
        }
        if !io::stdin().is_terminal() {
            let failure = Failure::usage(format!(
                "{} is needed, and there is no terminal to ask on",
                asked.prompt
            ))
            .hint(format!(
                "Give it with --password-stdin or in {}.",
                asked.variable
            ));
            return Err(failure.into());
        }
        let password = hidden(asked.prompt)?;
        if asked.is_new && hidden(&format!("{} again", asked.prompt))? != password {
            return Err(Failure::usage("The two passwords differ")
                .hint("Run the command again.")
                .into());
        }
        Ok(password)
    }
}

fn hidden(prompt: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(format!("{prompt}: "))
        .context("Could not read the password from the terminal")
}

fn line_of_stdin(what: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("Could not read standard input")?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        let failure = Failure::usage(format!(
            "{what} is needed, and standard input has no more lines"
        ));
        return Err(failure.into());
    }
    Ok(password.to_owned())
}

/// Asks for a line of text; none where there is no terminal.
pub(crate) fn text(prompt: &str) -> anyhow::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write!(io::stderr(), "{prompt}: ")?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let answer = line.trim();
    Ok((!answer.is_empty()).then(|| answer.to_owned()))
}

/// Asks whether to do what cannot be undone. `--yes` answers beforehand; without it and without a terminal the command
/// is refused.
pub(crate) fn consent(question: &str, is_given: bool) -> anyhow::Result<()> {
    if is_given {
        return Ok(());
    }
    let refused =
        || Failure::usage("Nothing was done").hint("Add --yes to do it without being asked.");
    match text(&format!("{question} [y/N]"))? {
        Some(answer) if matches!(answer.to_lowercase().as_str(), "y" | "yes") => Ok(()),
        _ => Err(refused().into()),
    }
}
