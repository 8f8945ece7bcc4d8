//! `wharf passwd`: changes the password.

use wharf_types::api::account::ChangePassword;

use crate::context::Context;
use crate::exit::Exit;
use crate::prompt::{Asked, PasswordArgs};
use crate::session::Session;

/// Change your password, and end the sessions of your other devices
///
/// Your app passwords end, too: `wharf app-password add` makes others.
///
/// With --password-stdin, the first line is the present password and the second the new one. For scripts, the new one may
/// be in `WHARF_NEW_PASSWORD`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    password: PasswordArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let asked = Asked {
            prompt: "Present password",
            variable: "WHARF_PASSWORD",
            is_new: false,
        };
        let current = self.password.read(context, asked)?;
        let asked = Asked {
            prompt: "New password",
            variable: "WHARF_NEW_PASSWORD",
            is_new: true,
        };
        let new = self.password.read(context, asked)?;
        session
            .api
            .change_password(&ChangePassword { current, new })
            .await?;
        context
            .output
            .note("The password is changed. Your other devices have to log in again.");
        Ok(Exit::Done)
    }
}
