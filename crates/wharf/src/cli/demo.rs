//! `wharf demo`: a server to look at.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use wharf_core::{Clock, HouseConfig, Random, Wharf};
use wharf_server::{Config, Server};
use wharf_store::sql::Db;
use wharf_types::api::account::SignupPolicy;

use crate::config::database::DatabaseUrl;
use crate::config::file::{self, LogFormat};
use crate::config::server::DataSettings;
use crate::context::Context;
use crate::data::{self, DataFolder, Unfinished};
use crate::demo::{self, Filled};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_interrupt;
use crate::logging;
use crate::output::Paint;

/// How long jobs may take to end their unit of work after the last request has ended.
const JOBS_DEADLINE: Duration = Duration::from_secs(8);
/// Letters of the password that are not taken for one another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Start a server with a small group in it, to look around
///
/// Eight people, their conversations of a week, drives with files and their history, a journal, and an invitation. It
/// prints its address and with which name and password to log in. Everything is in a temporary folder, which is gone when
/// it ends.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = file::address, default_value = "127.0.0.1:7140")]
    listen: SocketAddr,
    /// Keep the data in this folder, which must not be there yet; `wharf serve --data DIR` goes on with it
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Which log lines: error, warn, info, debug, or a filter
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

/// What `--json` says when the server listens.
#[derive(Serialize)]
struct Listening<'a> {
    event: &'static str,
    url: &'a str,
    data: &'a Path,
    accounts: Vec<Login<'a>>,
    invitation: &'a str,
    pid: u32,
}

#[derive(Serialize)]
struct Login<'a> {
    username: &'a str,
    nickname: &'a str,
    password: &'a str,
}

/// The folder of the demonstration; a temporary one is removed when this is dropped.
enum Place {
    Kept(PathBuf),
    Temporary(PathBuf),
}

impl Place {
    fn make(keep: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = keep else {
            let name: [u8; 8] = Random::system().bytes();
            let name = format!("wharf-demo-{}", data_encoding::HEXLOWER.encode(&name));
            return Ok(Self::Temporary(std::env::temp_dir().join(name)));
        };
        if path.try_exists()? {
            let text = format!("{} is there already", path.display());
            let failure = Failure::new(Exit::Conflict, text).hint(
                "Name a folder that is not there yet, or start it with `wharf serve --data`.",
            );
            return Err(failure.into());
        }
        Ok(Self::Kept(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self
            && let Err(error) = std::fs::remove_dir_all(&*path)
        {
            tracing::warn!(path = %path.display(), %error, "the temporary folder stays");
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        logging::begin(&self.log, LogFormat::Human, context.output.colors_log())?;
        let place = Place::make(self.keep)?;
        let folder = DataFolder::take(place.path(), Unfinished::Refuse)?;
        let (stop, _signals) = stop_on_interrupt();
        let settings = DataSettings {
            data: folder.path().to_owned(),
            database: DatabaseUrl::Sqlite,
            database_connections: 8,
        };
        let password = password();
        let filled = fill(&settings, &password).await?;
        let wharf = data::open_house(&settings, HouseConfig::default()).await?;
        let config = Config {
            address: self.listen,
            ..Config::default()
        };
        let server = Server::bind(config, wharf.clone()).await.map_err(|error| {
            let failure = Failure::new(Exit::Unavailable, error.to_string())
                .hint("Choose another address with --listen, such as 127.0.0.1:0.");
            anyhow::Error::from(failure)
        })?;
        announce(context, &server, &place, &filled, &password);
        wharf.start_jobs();
        server.serve(stop).await;
        wharf.jobs().stop(JOBS_DEADLINE).await;
        close(wharf).await?;
        drop(folder);
        Ok(Exit::Done)
    }
}

/// Fills a new house and closes it again.
async fn fill(settings: &DataSettings, password: &str) -> anyhow::Result<Filled> {
    let now_ms = Clock::system().now_ms();
    let clock = Clock::manual(now_ms);
    let db = data::open_database_to_fill(settings).await?;
    let blob = data::open_blob(&settings.data).await?;
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        ..HouseConfig::default()
    };
    let wharf = Wharf::open(
        config,
        Db::clone(&db),
        blob,
        clock.clone(),
        Random::system(),
    )
    .await
    .context("Could not open the demonstration's data")?;
    let filled = demo::fill(&wharf, &clock, now_ms, password)
        .await
        .context("Could not fill the demonstration")?;
    close(wharf).await?;
    Ok(filled)
}

async fn close(wharf: Wharf) -> anyhow::Result<()> {
    let db = wharf.db().clone();
    drop(wharf);
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(())
}

/// A password that nobody knows beforehand: the server may listen where others reach it.
fn password() -> String {
    let random = Random::system();
    let letters = u32::try_from(LETTERS.len()).unwrap_or(1);
    let group = || -> String {
        (0..5)
            .filter_map(|_| LETTERS.get(random.below(letters) as usize).copied())
            .map(char::from)
            .collect()
    };
    format!("{}-{}", group(), group())
}

fn announce(context: &Context, server: &Server, place: &Place, filled: &Filled, password: &str) {
    let url = format!("http://{}", server.address());
    let output = &context.output;
    let said = if output.is_json() {
        let login = |(username, nickname): &(&'static str, &'static str)| Login {
            username,
            nickname,
            password,
        };
        output.object(&Listening {
            event: "listening",
            url: &url,
            data: place.path(),
            accounts: filled.people.iter().map(login).collect(),
            invitation: &filled.invitation,
            pid: std::process::id(),
        })
    } else {
        output.line(words(context, &url, place, filled, password))
    };
    // The server runs whether or not somebody reads what it says.
    said.and_then(|()| output.flush()).unwrap_or_default();
}

fn words(context: &Context, url: &str, place: &Place, filled: &Filled, password: &str) -> String {
    let output = &context.output;
    let names: Vec<_> = filled
        .people
        .iter()
        .map(|(username, _)| *username)
        .collect();
    let first = names.first().copied().unwrap_or_default();
    let end = match place {
        Place::Kept(path) => format!("Ctrl-C ends it. The data stays in {}.", path.display()),
        Place::Temporary(_) => "Ctrl-C ends it, and nothing stays.".to_owned(),
    };
    format!(
        "Wharf's demonstration listens on {}\n\n  \
         Log in as   {}, who runs the server\n  \
         or as       {}\n  \
         Password    {} for everybody\n  \
         Sign up     with the invitation {}\n\n\
         Look first at the room Boat club and at the history of Minutes/2026-10.md in its drive; then at Mara's journal.\n\
         Log in as somebody else in another window, and talk.\n\
         In a terminal: wharf login {url} --username {first}, then wharf chat.\n\n{end}\n",
        output.paint(Paint::Bold, url),
        output.paint(Paint::Bold, first),
        names.get(1..).unwrap_or_default().join(", "),
        output.paint(Paint::Green, password),
        filled.invitation,
    )
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, password};

    #[test]
    fn passwords_differ_and_can_be_typed() {
        let one = password();
        assert_ne!(one, password());
        assert_eq!(one.len(), 11);
        assert!(
            one.bytes()
                .all(|letter| letter == b'-' || LETTERS.contains(&letter))
        );
    }
}
