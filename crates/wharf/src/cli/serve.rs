//! `wharf serve`: the server.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use tokio_util::task::AbortOnDropHandle;
use wharf_core::Wharf;
use wharf_server::Server;

use crate::config::server::{ServerArgs, ServerSettings};
use crate::context::Context;
use crate::data::{self, DataFolder, Unfinished};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_interrupt;
use crate::logging;
use crate::output::Paint;

/// How long jobs may take to end their unit of work after the last request has ended.
const JOBS_DEADLINE: Duration = Duration::from_secs(8);

/// Start a server
///
/// It keeps everything in its data folder, prints its address, and, until the operator's account is made, the one-time code
/// for it. SIGTERM and Ctrl-C let requests under way end; SIGHUP reads the TLS files again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
}

/// What `--json` says when the server listens.
#[derive(Serialize)]
struct Listening<'a> {
    event: &'static str,
    url: &'a str,
    data: &'a std::path::Path,
    /// The gateways that are open: name and address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    gateways: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_code: Option<&'a str>,
    pid: u32,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let settings = context.server_settings(&self.server)?;
        logging::begin(
            &settings.log,
            settings.log_format,
            context.output.colors_log(),
        )?;
        raise_open_files();
        let folder = DataFolder::take(&settings.data.data, Unfinished::Refuse)?;
        let wharf = data::open_house(&settings.data, settings.house.clone()).await?;
        let server = Server::bind(settings.http.clone(), wharf.clone())
            .await
            .map_err(|error| {
                let failure = Failure::new(Exit::Unavailable, error.to_string())
                    .hint("Choose another address with --listen, or stop what listens there.");
                anyhow::Error::from(failure)
            })?;
        let (stop, _signals) = stop_on_interrupt();
        let _hangups = ignore_hangups()?;
        announce(context, &settings, &server, &wharf, &folder);
        wharf.start_jobs();
        server.serve(stop).await;
        tracing::info!("draining is over, ending the jobs");
        for job in wharf.jobs().stop(JOBS_DEADLINE).await {
            tracing::warn!(job, "the job did not end in time");
        }
        let db = wharf.db().clone();
        drop(wharf);
        tokio::task::spawn_blocking(move || db.close()).await?;
        tracing::info!("stopped");
        Ok(Exit::Done)
    }
}

/// SIGHUP asks for the TLS files to be read again, which the server does; without TLS it must not end the program.
fn ignore_hangups() -> anyhow::Result<AbortOnDropHandle<()>> {
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    let task = tokio::spawn(async move { while hangups.recv().await.is_some() {} });
    Ok(AbortOnDropHandle::new(task))
}

/// Says where the server is and, until there is an operator, how to become it.
fn announce(
    context: &Context,
    settings: &ServerSettings,
    server: &Server,
    wharf: &Wharf,
    folder: &DataFolder,
) {
    let scheme = if server.is_tls() { "https" } else { "http" };
    let url = format!("{scheme}://{}", server.address());
    let code = wharf.accounts().setup_code();
    tracing::info!(
        %url,
        data = %folder.path().display(),
        database = %settings.data.database,
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    let output = &context.output;
    let said = if output.is_json() {
        output.object(&Listening {
            event: "listening",
            url: &url,
            data: folder.path(),
            gateways: server
                .gateways()
                .map(|(name, address)| (name.text(), address))
                .collect(),
            setup_code: code.as_deref(),
            pid: std::process::id(),
        })
    } else {
        output.line(words(context, &url, server, folder, code.as_deref()))
    };
    // The server runs whether or not somebody reads what it says.
    said.and_then(|()| output.flush()).unwrap_or_default();
}

fn words(
    context: &Context,
    url: &str,
    server: &Server,
    folder: &DataFolder,
    code: Option<&str>,
) -> String {
    let output = &context.output;
    let mut text = format!(
        "Wharf {} listens on {}\nIts data is in {}\n",
        env!("CARGO_PKG_VERSION"),
        output.paint(Paint::Bold, url),
        folder.path().display()
    );
    for (name, address) in server.gateways() {
        let address = output.paint(Paint::Bold, address);
        text.push_str("The gateway ");
        text.push_str(name.text());
        text.push_str(" listens on ");
        text.push_str(&address);
        text.push_str(": ");
        text.push_str(name.weakness());
        text.push('\n');
    }
    if let Some(code) = code {
        let program = program(std::env::args().next());
        let command = format!("{program} signup {url} --code {code} --username NAME");
        text.push_str("\nThere is no account yet. Make the operator's with this one-time code: in a browser at\n\n  ");
        text.push_str(&output.paint(Paint::Green, format!("{url}/setup/{code}")));
        text.push_str("\n\nor in another terminal:\n\n  ");
        text.push_str(&output.paint(Paint::Green, command));
        text.push('\n');
    }
    text
}

/// How the person called the program, so that the printed command can be run as it is.
fn program(called: Option<String>) -> String {
    match called {
        Some(path) if path.contains('/') && !path.contains([' ', '\'', '"']) => path,
        _ => "wharf".to_owned(),
    }
}

/// Takes as many open files as the system lets this process have: each connection is one, and the limit that a login shell
/// begins with is far below what a server holds.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_program_is_named_as_it_was_called() {
        assert_eq!(
            program(Some("target/release/wharf".to_owned())),
            "target/release/wharf"
        );
        assert_eq!(program(Some("wharf".to_owned())), "wharf");
        assert_eq!(program(Some("/a b/wharf".to_owned())), "wharf");
        assert_eq!(program(None), "wharf");
    }
}
