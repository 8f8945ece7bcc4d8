//! `wharf logout`: ends the session.

use std::path::Path;

use wharf_client::chat::{Forgotten, Unsent, forget, unsent_count};
use wharf_types::ErrorCode;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::session::{Login, Session, find_profile};

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
        let login = match Login::find(context) {
            Err(error) if self.force => return forget_unread(context, &error),
            login => login?,
        };
        let copy = login.conversations_file(context)?;
        match login.clone().open_lazily(context) {
            // Nothing can be said to the server from here, as with a certificate file that is gone.
            Err(error) if self.force => warn(context, &error),
            session => self.end(context, &session?).await?,
        }
        if let Some(name) = &login.name {
            context.profiles()?.remove(name)?;
            if let Some(copy) = &copy {
                self.forget(context, copy)?;
            }
        }
        context
            .output
            .note(format_args!("Logged out of {}.", login.server));
        Ok(Exit::Done)
    }

    /// Removes the copy of the conversations.
    fn forget(&self, context: &Context, copy: &Path) -> anyhow::Result<()> {
        let unsent = if self.force {
            Unsent::Lose
        } else {
            Unsent::Keep
        };
        if let Forgotten::Kept { waiting_count } = forget(copy, unsent)? {
            let count = format::count(u64::from(waiting_count), "item was", "items were");
            context.output.warn(format_args!(
                "{count} written meanwhile: what waits in the outbox is kept until you log in again"
            ));
        }
        Ok(())
    }

    /// Ends the session on the server.
    async fn end(&self, context: &Context, session: &Session) -> anyhow::Result<()> {
        if !self.force {
            refuse_unsent(&session.conversations_file(context).await?)?;
        }
        match session.api.logout().await {
            Ok(()) => Ok(()),
            // It has ended already: that is what was wanted.
            Err(error) if error.is(ErrorCode::Unauthenticated) => Ok(()),
            Err(error) if self.force => {
                warn(context, &error.into());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn warn(context: &Context, error: &anyhow::Error) {
    context
        .output
        .warn(format_args!("the server could not be told: {error:#}"));
}

/// Forgets a login that cannot be read. Whose conversations were copied is not known then, so the copy stays.
fn forget_unread(context: &Context, error: &anyhow::Error) -> anyhow::Result<Exit> {
    let profiles = context.profiles()?;
    let meant = match &context.global.server {
        Some(meant) => Some(meant.clone()),
        // The configuration may be what cannot be read.
        None => context
            .config()
            .ok()
            .and_then(|loaded| loaded.file.client.server),
    };
    let name = match meant {
        Some(meant) => find_profile(context, &meant)?,
        None => profiles.current()?,
    };
    if let Some(name) = name {
        profiles.remove(&name)?;
    }
    warn(context, error);
    Ok(Exit::Done)
}

/// What was written and not sent would be lost with the copy.
fn refuse_unsent(copy: &Path) -> anyhow::Result<()> {
    match unsent_count(copy)? {
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
