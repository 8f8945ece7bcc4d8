//! `wharf logout`: ends the session.

use wharf_types::ErrorCode;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;

/// Log out: end this device's session on the server and forget it here
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Forget the session here even if the server cannot be told
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
        }
        context
            .output
            .note(format_args!("Logged out of {}.", session.server));
        Ok(Exit::Done)
    }
}
