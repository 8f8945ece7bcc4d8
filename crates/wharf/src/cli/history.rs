//! `wharf history`: the revisions of a file.

use std::sync::Arc;

use wharf_client::transfer::GetStream;
use wharf_client::{Progress, Room};
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Expect, Op, Revision};

use super::cat;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::remote::RemotePath;
use crate::report::is_refusal;
use crate::session::{About, Session};

/// List a file's revisions; read or restore one
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    #[arg(value_name = "PATH")]
    path: RemotePath,
    /// Write the content of this revision to standard output
    #[arg(long, value_name = "REVISION", conflicts_with = "restore")]
    read: Option<u64>,
    /// Give the file the content of this revision, as a new revision
    #[arg(long, value_name = "REVISION")]
    restore: Option<u64>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let drive = session.drive_of(&self.path).await?;
        let at = At::Path(self.path.api());
        if let Some(revision) = self.read {
            let stream = GetStream {
                api: session.api,
                room: drive.room,
                source: at,
                revision: Some(revision),
                range: None,
            };
            let result = stream
                .run(cat::Stdout::new(context), &Arc::new(Progress::default()))
                .await;
            return cat::ended(result.map_err(|error| self.explained(revision, error.into())));
        }
        if let Some(revision) = self.restore {
            let revert = Op::Revert {
                at,
                revision,
                expect: Expect::Any,
            };
            let result = session.commit(&drive, vec![revert]).await;
            let committed = result.map_err(|error| self.explained(revision, error))?;
            if context.output.is_json() {
                context.output.object(&committed)?;
            }
            let path = &self.path;
            context.output.note(format_args!(
                "{path} has the content of revision {revision} again."
            ));
            return Ok(Exit::Done);
        }
        self.list(&session, drive.room, &context.output).await?;
        Ok(Exit::Done)
    }

    /// Says what to do when there is no such revision.
    fn explained(&self, revision: u64, error: anyhow::Error) -> anyhow::Error {
        let is_missing = is_refusal(&error, ErrorCode::NotFound);
        if !is_missing {
            return error;
        }
        let failure = Failure::new(
            Exit::NotFound,
            format!("{} has no revision {revision}", self.path),
        );
        error.context(failure.hint(format!(
            "See which it has with `wharf history {}`.",
            self.path
        )))
    }

    async fn list(&self, session: &Session, room: Room, output: &Output) -> anyhow::Result<()> {
        let at = At::Path(self.path.api());
        let current = session
            .api
            .node(room, &at)
            .await
            .about_path(&self.path)?
            .revision;
        let mut revisions: Vec<Revision> = Vec::new();
        let mut before = None;
        loop {
            let page = session
                .api
                .revisions(room, &at, before, None)
                .await
                .about_path(&self.path)?;
            revisions.extend(page.items);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        if output.is_json() {
            return revisions
                .iter()
                .try_for_each(|revision| output.object(revision));
        }
        let mut table = Table::new(&[
            ("REVISION", Align::Right),
            ("STORED", Align::Left),
            ("SIZE", Align::Right),
            ("MODIFIED", Align::Left),
            ("", Align::Left),
        ]);
        for revision in &revisions {
            let is_current = revision.revision == current;
            table.painted_row([
                (Paint::Plain, revision.revision.to_string()),
                (Paint::Plain, format::time_ms(revision.at_ms)),
                (Paint::Plain, format::bytes(revision.bytes)),
                (
                    Paint::Plain,
                    revision
                        .mtime_ns
                        .map_or_else(|| "-".to_owned(), format::time_ns),
                ),
                (
                    Paint::Bold,
                    if is_current {
                        "current".to_owned()
                    } else {
                        String::new()
                    },
                ),
            ]);
        }
        table.write(output)
    }
}
