//! `wharf cat`: a file's bytes on standard output.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};

use tokio::io::AsyncWrite;
use wharf_client::transfer::GetStream;
use wharf_client::{Error as ClientError, Progress};
use wharf_types::api::drive::At;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::Closed;
use crate::remote::RemotePath;
use crate::session::Session;

/// Write files to standard output
///
/// Every chunk is verified before it is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
    /// Only these bytes: FROM-TO, FROM- (to the end), both counted from 0 and inclusive
    #[arg(long, value_name = "FROM-TO", value_parser = byte_range)]
    range: Option<Range<u64>>,
}

fn byte_range(text: &str) -> Result<Range<u64>, String> {
    let invalid = || "expected FROM-TO or FROM-, such as 0-1023".to_owned();
    let (from, to) = text.split_once('-').ok_or_else(invalid)?;
    let from: u64 = from.parse().map_err(|_| invalid())?;
    let end = match to {
        "" => u64::MAX,
        to => to.parse::<u64>().map_err(|_| invalid())?.saturating_add(1),
    };
    if end <= from {
        Err("the range ends before it begins".to_owned())
    } else {
        Ok(from..end)
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if context.output.is_json() {
            return Err(Failure::usage("A file's bytes are not JSON")
                .hint("Leave --json out.")
                .into());
        }
        let session = Session::open(context).await?;
        let progress = Arc::new(Progress::default());
        for path in &self.paths {
            let stream = GetStream {
                api: session.api.clone(),
                room: session.drive_of(path).await?.room,
                source: At::Path(path.api()),
                revision: None,
                range: self.range.clone(),
            };
            let result = stream.run(Stdout::new(context), &progress).await;
            ended(result.map_err(|error| anyhow::Error::from(error).context(path.to_string())))?;
        }
        Ok(Exit::Done)
    }
}

/// Ends a command that wrote a stream to standard output: a reader that went away is no error.
pub(super) fn ended(result: anyhow::Result<u64>) -> anyhow::Result<Exit> {
    match result {
        Ok(_) => Ok(Exit::Done),
        Err(error) if is_closed_output(&error) => Err(Closed.into()),
        Err(error) => Err(error),
    }
}

/// Only a local write fails with a broken pipe here: the network's failures come as errors of the API.
fn is_closed_output(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| match cause.downcast_ref::<ClientError>() {
            Some(ClientError::Local { source, .. }) => source.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        })
}

/// Standard output as transfers write to it.
#[derive(Debug)]
pub(super) struct Stdout<'a> {
    context: &'a Context,
}

impl<'a> Stdout<'a> {
    /// The output of the command.
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context }
    }
}

// Writing to standard output blocks this thread, as is meant: nothing else is to be done faster than it takes bytes.
impl AsyncWrite for Stdout<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Poller<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(
            self.context
                .output
                .bytes(bytes)
                .map_err(to_io)
                .map(|()| bytes.len()),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.context.output.flush().map_err(to_io))
    }

    fn poll_shutdown(self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(poller)
    }
}

fn to_io(error: anyhow::Error) -> io::Error {
    if error.is::<Closed>() {
        return io::ErrorKind::BrokenPipe.into();
    }
    match error.downcast::<io::Error>() {
        Ok(error) => error,
        Err(error) => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::byte_range;

    #[test]
    fn ranges_are_inclusive_and_may_be_open() {
        assert_eq!(byte_range("0-0"), Ok(0..1));
        assert_eq!(byte_range("10-19"), Ok(10..20));
        assert_eq!(byte_range("10-"), Ok(10..u64::MAX));
        for text in ["", "5", "-5", "9-3", "a-b"] {
            assert!(byte_range(text).is_err(), "{text}");
        }
    }
}
