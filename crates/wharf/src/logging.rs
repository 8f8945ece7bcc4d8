//! The server's log: lines on standard error, for people or as JSON.

use std::io;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::file::LogFormat;
use crate::exit::Failure;

/// Begins the log. `filter` is a level, or levels by module.
pub(crate) fn begin(filter: &str, form: LogFormat, colors: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("'{filter}' is not a filter for the log: {error}"))
            .hint("Use error, warn, info or debug, or a filter such as `info,wharf_store=debug`.")
    })?;
    // A closed standard error must not end the server, so faults of the log itself are not told there either.
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false);
    let registry = tracing_subscriber::registry().with(filter);
    match form {
        LogFormat::Human => registry.with(lines.with_ansi(colors)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .context("Could not begin the log")
}
