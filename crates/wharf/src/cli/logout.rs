//! `wharf logout`: ends the session.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use wharf_client::Clock;
use wharf_client::chat::{Chat, ChatOptions};
use wharf_types::ErrorCode;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::session::Session;

/// Log out: end this device's session on the server and forget it here
///
/// The copy of your conversations on this device is removed, too. While something waits in the outbox, you are asked to send
/// or to discard it first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Forget the session here even if the server cannot be told, and what waits in the outbox with it
    #[arg(long)]
    force: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await;
        let session = match session {
            Err(error) if self.force => {
                let name = context
                    .global
                    .server
                    .clone()
                    .or(context.profiles()?.current()?);
                if let Some(name) = name {
                    context.profiles()?.remove(&name)?;
                }
                context
                    .output
                    .warn(format_args!("the server could not be told: {error:#}"));
                return Ok(Exit::Done);
            }
            session => session?,
        };
        let copy = session.conversations_file(context).await?;
        if !self.force {
            refuse_unsent(&session, &copy)?;
        }
        match session.api.logout().await {
            Ok(()) => {}
            // It has ended already: that is what was wanted.
            Err(error) if error.is(ErrorCode::Unauthenticated) => {}
            Err(error) if self.force => {
                context
                    .output
                    .warn(format_args!("the server could not be told: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(name) = &session.profile {
            context.profiles()?.remove(name)?;
            remove(&copy)?;
        }
        context
            .output
            .note(format_args!("Logged out of {}.", session.server));
        Ok(Exit::Done)
    }
}

/// What was written and not sent would be lost with the copy.
fn refuse_unsent(session: &Session, copy: &Path) -> anyhow::Result<()> {
    let is_there = copy.try_exists();
    if !is_there.with_context(|| format!("Could not look at {}", copy.display()))? {
        return Ok(());
    }
    let chat = Chat::open(ChatOptions {
        api: session.api.clone(),
        store: copy.to_owned(),
        clock: Clock::system(),
    })?;
    match chat.waiting_count()? {
        0 => Ok(()),
        count => {
            let count = format::count(u64::from(count), "item waits", "items wait");
            Err(
                Failure::new(Exit::Conflict, format!("In the outbox {count}"))
                    .hint("Send with `wharf outbox send`, or add --force to lose it.")
                    .into(),
            )
        }
    }
}

/// Removes the copy of the conversations and what SQLite keeps beside it.
fn remove(copy: &Path) -> anyhow::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = copy.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("Could not remove {}", copy.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
