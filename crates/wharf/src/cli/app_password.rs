//! `wharf app-password`: passwords of gateways.

use clap::Subcommand;
use wharf_types::api::app_password::{AppDoor, AppPassword};

use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::{Align, Output, Table};
use crate::session::{About, Session};

/// Make and take back passwords for programs of older systems, which gateways let in
///
/// Such programs show their password to the network. This one opens your account to one gateway alone, and can be taken
/// back by itself.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf app-password add netdisk\n  wharf app-password remove netdisk"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a password; it is shown once, and replaces the one that there was
    Add {
        /// Which gateway: netdisk or pychat
        #[arg(value_name = "GATEWAY")]
        door: AppDoor,
    },
    /// List what there is, and when it was used last
    List,
    /// Take a password back, and log its programs out
    Remove {
        /// Which gateway: netdisk or pychat
        #[arg(value_name = "GATEWAY")]
        door: AppDoor,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let output = &context.output;
        match self.action {
            Action::Add { door } => {
                let made = session.api.create_app_password(door).await?;
                output.result(&made, |made| made.password.clone().unwrap_or_default())?;
                output.note(format_args!(
                    "This is the password for {door}; it is not shown again. The login is your username or number."
                ));
            }
            Action::List => list(&session.api.app_passwords().await?, output)?,
            Action::Remove { door } => {
                session.api.remove_app_password(door).await.about(door)?;
                output.note(format_args!(
                    "The password for {door} is worth nothing now."
                ));
            }
        }
        Ok(Exit::Done)
    }
}

fn list(passwords: &[AppPassword], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return passwords.iter().try_for_each(|one| output.object(one));
    }
    let mut table = Table::new(&[
        ("GATEWAY", Align::Left),
        ("MADE", Align::Left),
        ("LAST USED", Align::Left),
    ]);
    for one in passwords {
        let used = one
            .used_ms
            .map_or_else(|| "never".to_owned(), format::time_ms);
        table.row([one.door.to_string(), format::time_ms(one.created_ms), used]);
    }
    table.write(output)
}
