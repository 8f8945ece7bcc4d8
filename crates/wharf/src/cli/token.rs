//! `wharf token`: makes a token for a program that cannot log in by itself.

use wharf_types::api::account::CreateJwt;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;

/// Make a token for a program of an older system
///
/// The token is printed once. It stands for a device of its own in `wharf devices`, and ends when that is logged out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A JSON Web Token, as clients of filestoraged show it
    #[arg(long, required = true)]
    jwt: bool,
    /// What to call the program in the list of devices
    #[arg(long, value_name = "NAME", default_value = "filestored")]
    device: String,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let device = Some(self.device);
        let issued = session.api.create_jwt(&CreateJwt { device }).await?;
        if context.output.is_json() {
            context.output.object(&issued)?;
            return Ok(Exit::Done);
        }
        context.output.line(format_args!("{}", issued.token))?;
        context.output.note(format_args!(
            "It is not shown again. `wharf devices revoke {}` ends it.",
            issued.session.id
        ));
        Ok(Exit::Done)
    }
}
