//! Finding the server that a command means, and talking to it as whoever is logged in there.

use std::fs::DirBuilder;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;
use wharf_client::api::Page;
use wharf_client::net::Options;
use wharf_client::{Api, ApiError, Clock, Room};
use wharf_types::api::drive::{At, Commit, Committed, FailedOp, Op};
use wharf_types::api::problem::Problem;
use wharf_types::{CommitId, ErrorCode, RoomId};

use crate::config::server::PORT_DEFAULT;
use crate::context::Context;
use crate::directory::{Directory, Where};
use crate::entry::Names;
use crate::exit::{Exit, Failure};
use crate::profile::Profile;
use crate::remote::{InvalidRemotePath, RemotePath};
use crate::report::{WHERE_FILES_ARE, hint_for_files};

/// Most failed operations of a commit that a message names.
const FAILED_OPS_SHOWN: usize = 5;

/// How long a command that somebody waits for goes on trying.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a transfer goes on trying: a server that is started again, a network that changes.
const PATIENCE_OF_TRANSFERS: Duration = Duration::from_mins(1);

/// A login that a command uses.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) api: Api,
    /// The server's address.
    pub(crate) server: Url,
    /// The name of the profile; none when the token came from the environment.
    pub(crate) profile: Option<String>,
    username: Option<String>,
    /// The rooms and contacts, once they were asked for.
    directory: OnceCell<Directory>,
}

/// Who is to be spoken with, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The server's address.
    pub(crate) server: Url,
    /// The name of the profile; none when the token came from the environment.
    pub(crate) name: Option<String>,
    profile: Profile,
}

impl Login {
    /// The login that the flags, the environment or the last login name.
    pub(crate) fn find(context: &Context) -> anyhow::Result<Self> {
        let config = context.config()?.file.client;
        let profiles = context.profiles()?;
        let meant = context
            .global
            .server
            .clone()
            .or_else(|| config.server.clone());
        let name = match &meant {
            Some(meant) => find_profile(context, meant)?,
            None => profiles.current()?,
        };
        let kept = match &name {
            Some(name) => profiles.get(name)?,
            None => None,
        };
        let token = context.environment.text("WHARF_TOKEN")?;
        let (name, profile) = match (token, kept) {
            (Some(token), kept) => {
                let url = kept.map(|kept| kept.url).or(meant).ok_or_else(|| {
                    Failure::usage("WHARF_TOKEN is set, but no server is named")
                        .hint("Name it with --server or WHARF_SERVER.")
                })?;
                let username = String::new();
                (
                    None,
                    Profile {
                        url,
                        username,
                        token,
                    },
                )
            }
            (None, Some(kept)) => (name, kept),
            (None, None) => return Err(not_logged_in(meant.as_deref(), &profiles.names()?).into()),
        };
        Ok(Self {
            server: parse_address(&profile.url)?,
            name,
            profile,
        })
    }

    /// The session, without asking for the server yet.
    pub(crate) fn open_lazily(self, context: &Context) -> anyhow::Result<Session> {
        let api = Api::lazily(options(context, self.server.clone(), PATIENCE)?)?;
        self.session(&api)
    }

    /// The file of the copy of conversations, which need not be there; none where only the server knows who is logged in.
    pub(crate) fn conversations_file(&self, context: &Context) -> anyhow::Result<Option<PathBuf>> {
        let username = &self.profile.username;
        if username.is_empty() {
            return Ok(None);
        }
        let folder = conversations_folder(context)?;
        Ok(Some(
            folder.join(conversations_name(&self.server, username)),
        ))
    }

    fn session(self, api: &Api) -> anyhow::Result<Session> {
        let username = self.profile.username;
        Ok(Session {
            api: api.with_token(&self.profile.token)?,
            server: self.server,
            profile: self.name,
            username: (!username.is_empty()).then_some(username),
            directory: OnceCell::new(),
        })
    }
}

/// The drive that a command works on.
#[derive(Debug, Clone)]
pub(crate) struct Drive {
    /// Its room.
    pub(crate) room: Room,
    /// What stands before its paths: nothing for one's own.
    prefix: String,
}

impl Drive {
    /// A path in it as people write it.
    pub(crate) fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.prefix)
    }

    /// A path in it, to go on with.
    pub(crate) fn path(&self, path: &str) -> Result<RemotePath, InvalidRemotePath> {
        self.shown(path).parse()
    }
}

impl Session {
    /// Opens the connections of the login that the flags, the environment or the last login name.
    pub(crate) async fn open(context: &Context) -> anyhow::Result<Self> {
        Self::open_for(context, PATIENCE).await
    }

    /// As [`Session::open`], for a transfer, which waits for a server that is away.
    pub(crate) async fn open_for_transfer(context: &Context) -> anyhow::Result<Self> {
        Self::open_for(context, PATIENCE_OF_TRANSFERS).await
    }

    /// As [`Session::open`], without asking for the server yet.
    pub(crate) fn open_lazily(context: &Context) -> anyhow::Result<Self> {
        Login::find(context)?.open_lazily(context)
    }

    async fn open_for(context: &Context, patience: Duration) -> anyhow::Result<Self> {
        let login = Login::find(context)?;
        let api = connect(context, login.server.clone(), patience).await?;
        login.session(&api)
    }

    /// The file of this login's copy of conversations; its folder is made.
    pub(crate) async fn conversations_file(&self, context: &Context) -> anyhow::Result<PathBuf> {
        let folder = conversations_folder(context)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("Could not make {}", folder.display()))?;
        Ok(folder.join(conversations_name(&self.server, &self.username().await?)))
    }

    /// The caller's rooms and contacts.
    pub(crate) async fn directory(&self) -> anyhow::Result<&Directory> {
        self.directory
            .get_or_try_init(|| async {
                let rooms = self.api.rooms().await?;
                let contacts = self.api.contacts().await?;
                Ok(Directory::new(rooms.items, contacts.items))
            })
            .await
    }

    /// The names of everybody who is or was in a room, added to those that are known.
    pub(crate) async fn names_of_members(
        &self,
        room: RoomId,
        mut names: Names,
    ) -> anyhow::Result<Names> {
        for member in self.api.members(Room::Id(room)).await?.items {
            let person = &member.person;
            names.add(person.id, self.directory().await?.name_of(person));
        }
        Ok(names)
    }

    /// The drive of a room; one's own where none is named.
    pub(crate) async fn drive(&self, room: Option<&Where>) -> anyhow::Result<Drive> {
        let Some(meant) = room else {
            return Ok(Drive {
                room: Room::Home,
                prefix: String::new(),
            });
        };
        let room = match meant {
            // These need no list.
            Where::Me => Room::Home,
            Where::Id(id) => Room::Id(*id),
            meant => Room::Id(self.directory().await?.find(meant)?.id),
        };
        Ok(Drive {
            room,
            prefix: meant.as_prefix(),
        })
    }

    /// The drive that a path is in.
    pub(crate) async fn drive_of(&self, path: &RemotePath) -> anyhow::Result<Drive> {
        self.drive(path.room()).await
    }

    /// The one drive that all these paths are in: what a command does to one drive, it does whole or not at all.
    pub(crate) async fn drive_of_all(
        &self,
        paths: impl IntoIterator<Item = &RemotePath>,
    ) -> anyhow::Result<Drive> {
        let mut paths = paths.into_iter();
        let first = paths
            .next()
            .ok_or_else(|| Failure::usage("No path is named"))?;
        let drive = self.drive_of(first).await?;
        for path in paths {
            if self.drive_of(path).await?.room != drive.room {
                let failure = Failure::usage(format!(
                    "{first} and {path} are in different drives, and one command changes one"
                ))
                .hint(
                    "Run the command once for each. To bring files of a room into your own drive use \
                     `wharf room save`; in the other direction get them and put them.",
                );
                return Err(failure.into());
            }
        }
        Ok(drive)
    }

    /// Who is logged in.
    pub(crate) async fn username(&self) -> anyhow::Result<String> {
        match &self.username {
            Some(username) => Ok(username.clone()),
            None => Ok(self.api.account().await?.username),
        }
    }

    /// Applies operations to a drive, together or not at all. A refusal names the paths that it is about.
    pub(crate) async fn commit(&self, drive: &Drive, ops: Vec<Op>) -> anyhow::Result<Committed> {
        let now_ms = u64::try_from(Clock::system().now_ms()).unwrap_or(0);
        let id = CommitId::new(now_ms, &rand::random());
        let commit = Commit { id, ops };
        match self.api.commit(drive.room, &commit).await {
            Ok(committed) => Ok(committed),
            Err(ApiError::Refused(problem)) => Err(refused_commit(&problem, &commit.ops, drive)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the copies of conversations are.
fn conversations_folder(context: &Context) -> anyhow::Result<PathBuf> {
    Ok(context.state_folder()?.join("conversations"))
}

fn conversations_name(server: &Url, username: &str) -> String {
    let username = username.to_lowercase();
    let name = format!("{}-{username}.db", profile_name(server));
    name.replace('/', "_")
}

fn refused_commit(problem: &Problem, ops: &[Op], drive: &Drive) -> anyhow::Error {
    let detail = || {
        problem
            .detail
            .clone()
            .unwrap_or_else(|| problem.title.clone())
    };
    let named = |failed: &FailedOp| {
        let index = usize::try_from(failed.index).unwrap_or(usize::MAX);
        match ops.get(index).and_then(|op| subject(op, drive)) {
            Some(path) => format!("{path}: {}", failed.detail),
            None => failed.detail.clone(),
        }
    };
    let mut lines: Vec<String> = problem
        .failed
        .iter()
        .take(FAILED_OPS_SHOWN)
        .map(named)
        .collect();
    if problem.failed.len() > FAILED_OPS_SHOWN {
        lines.push("and more".to_owned());
    }
    // One that the server does not single out is about the only one, or about all.
    if lines.is_empty() {
        lines.push(match ops {
            [only] => {
                subject(only, drive).map_or_else(detail, |path| format!("{path}: {}", detail()))
            }
            _ => detail(),
        });
    }
    let mut failure = Failure::refused(problem.code, lines.join("; "));
    if let Some(hint) = hint_for_files(problem) {
        failure = failure.hint(hint);
    }
    failure.into()
}

/// The path that an operation is about, as people write it.
fn subject(op: &Op, drive: &Drive) -> Option<String> {
    let of = |at: &At| match at {
        At::Path(path) => Some(drive.shown(path)),
        At::Id(_) => None,
    };
    match op {
        Op::Put { path, .. } | Op::MakeFolder { path, .. } => Some(drive.shown(path)),
        Op::Move { from, to, .. } => of(from).map(|from| format!("{from} to {}", drive.shown(to))),
        Op::Remove { at, .. } | Op::Revert { at, .. } | Op::Tag { at, .. } => of(at),
        Op::Restore { to, .. } => to.as_ref().map(|to| drive.shown(to)),
        Op::Purge { .. } => None,
    }
}

/// The page after `after`.
pub(crate) fn page(after: Option<String>) -> Page {
    Page { after, limit: None }
}

/// Opens connections as nobody yet.
pub(crate) async fn open_api(context: &Context, server: Url) -> anyhow::Result<Api> {
    connect(context, server, PATIENCE).await
}

async fn connect(context: &Context, server: Url, patience: Duration) -> anyhow::Result<Api> {
    Ok(Api::connect(options(context, server, patience)?).await?)
}

fn options(context: &Context, server: Url, patience: Duration) -> anyhow::Result<Options> {
    let config = context.config()?.file.client;
    let mut options = Options::new(server);
    options.ca_file = config.ca;
    options.patience = patience;
    if let Some(connections) = config.connections {
        options.connections = usize::from(connections.clamp(1, 16));
    }
    Ok(options)
}

/// The profile that a name or an address means.
pub(crate) fn find_profile(context: &Context, meant: &str) -> anyhow::Result<Option<String>> {
    let profiles = context.profiles()?;
    let names = profiles.names()?;
    if names.iter().any(|name| name == meant) {
        return Ok(Some(meant.to_owned()));
    }
    let Ok(url) = parse_address(meant) else {
        return Ok(None);
    };
    for name in names {
        if profiles
            .get(&name)?
            .is_some_and(|profile| profile.url == url.as_str())
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Reads a server's address. Without a scheme it is HTTPS, except on this machine.
pub(crate) fn parse_address(text: &str) -> Result<Url, Failure> {
    let invalid = || {
        Failure::usage(format!("'{text}' is not the address of a server")).hint(format!(
            "Write it as http://127.0.0.1:{PORT_DEFAULT} or https://wharf.example.org."
        ))
    };
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else if is_this_machine(text) {
        format!("http://{text}")
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&with_scheme).map_err(|_| invalid())?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare {
        Ok(url)
    } else {
        Err(invalid())
    }
}

fn is_this_machine(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The name under which a server is kept when no other is given.
pub(crate) fn profile_name(server: &Url) -> String {
    let host = server.host_str().unwrap_or("server");
    match server.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn not_logged_in(meant: Option<&str>, names: &[String]) -> Failure {
    let example = format!("http://127.0.0.1:{PORT_DEFAULT}");
    match (meant, names) {
        (Some(meant), _) => Failure::new(Exit::NotLoggedIn, format!("Not logged in to {meant}"))
            .hint(format!("Log in with `wharf login {meant}`.")),
        (None, []) => Failure::new(Exit::NotLoggedIn, "Not logged in to any server").hint(format!(
            "Log in with `wharf login {example}`, or make an account with `wharf signup`."
        )),
        (None, names) => Failure::new(
            Exit::NotLoggedIn,
            "There are several servers, and none is the current one",
        )
        .hint(format!("Name one with --server: {}.", names.join(", "))),
    }
}

/// Reads a node's id, where a command takes an id or a path.
pub(crate) fn node_id(text: &str) -> Option<wharf_types::NodeId> {
    Uuid::try_parse(text)
        .ok()
        .map(|id| wharf_types::NodeId::from_bytes(id.into_bytes()))
}

/// Adds the path that a refused call was about, since the server's words may not name it.
pub(crate) trait About<T> {
    /// The same with `subject` before it.
    fn about(self, subject: impl std::fmt::Display) -> anyhow::Result<T>;

    /// The same with a path of a drive before it, and where to look when nothing is there.
    fn about_path(self, path: &RemotePath) -> anyhow::Result<T>;
}

impl<T> About<T> for Result<T, ApiError> {
    fn about(self, subject: impl std::fmt::Display) -> anyhow::Result<T> {
        self.with_context(|| subject.to_string())
    }

    fn about_path(self, path: &RemotePath) -> anyhow::Result<T> {
        match self {
            Err(ApiError::Refused(problem)) if problem.code == ErrorCode::NotFound => {
                let text = problem
                    .detail
                    .clone()
                    .unwrap_or_else(|| problem.title.clone());
                let failure = Failure::refused(problem.code, text).hint(WHERE_FILES_ARE);
                Err(anyhow::Error::from(failure).context(path.to_string()))
            }
            other => other.about(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::ErrorCode;
    use wharf_types::api::drive::{Expect, FailedOp, Op};
    use wharf_types::api::problem::Problem;

    use wharf_client::Room;

    use super::{Drive, parse_address, profile_name, refused_commit};

    #[test]
    fn a_refused_commit_names_the_paths_that_failed() {
        let ops: Vec<Op> = (0..7)
            .map(|index| Op::MakeFolder {
                path: format!("docs/{index}"),
                expect: Expect::Absent,
            })
            .collect();
        let failed = |index| FailedOp {
            index,
            code: ErrorCode::Exists,
            detail: "something is there already".to_owned(),
            revision: None,
        };
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: "Exists".to_owned(),
            status: 409,
            code: ErrorCode::Exists,
            detail: None,
            request_id: None,
            retry_after_seconds: None,
            failed: (1..7).map(failed).collect(),
        };
        let drive = Drive {
            room: Room::Home,
            prefix: "room:Team".to_owned(),
        };
        let text = refused_commit(&problem, &ops, &drive).to_string();
        assert!(
            text.starts_with("room:Team/docs/1: something is there already; room:Team/docs/2: "),
            "{text}"
        );
        assert!(
            text.ends_with("room:Team/docs/5: something is there already; and more"),
            "{text}"
        );
    }

    #[test]
    fn an_address_without_a_scheme_is_encrypted_except_on_this_machine() {
        assert_eq!(
            parse_address("wharf.example.org").unwrap().as_str(),
            "https://wharf.example.org/"
        );
        assert_eq!(
            parse_address("127.0.0.1:7140").unwrap().as_str(),
            "http://127.0.0.1:7140/"
        );
        assert_eq!(
            parse_address("[::1]:7140").unwrap().as_str(),
            "http://[::1]:7140/"
        );
        assert_eq!(
            parse_address("localhost:1").unwrap().as_str(),
            "http://localhost:1/"
        );
        assert_eq!(
            parse_address("localhost.evil.org").unwrap().scheme(),
            "https"
        );
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for text in [
            "",
            "ftp://x",
            "http://",
            "https://user:secret@x",
            "https://x?token=y",
            "a b",
        ] {
            assert!(parse_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_profile_is_named_after_host_and_port() {
        assert_eq!(
            profile_name(&parse_address("https://wharf.example.org").unwrap()),
            "wharf.example.org"
        );
        assert_eq!(
            profile_name(&parse_address("http://127.0.0.1:7140").unwrap()),
            "127.0.0.1:7140"
        );
    }
}
