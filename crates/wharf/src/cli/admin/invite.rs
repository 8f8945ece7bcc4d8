//! `wharf admin invite`: invitations to make accounts.

use clap::Subcommand;
use wharf_types::api::account::{CreateInvitation, Invitation};

use super::office::OfficeArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::{Align, Output, Table};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Invite people to make accounts
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an invitation; its code is shown once
    Create {
        /// How many accounts it makes
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        uses: u32,
        /// How many days it holds
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=365))]
        days: u64,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// List the invitations that still hold
    List {
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// End an invitation
    Revoke {
        /// Its id, as `wharf admin invite list` shows it
        id: String,
        #[command(flatten)]
        office: OfficeArgs,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let output = &context.output;
        match self.action {
            Action::Create { uses, days, office } => {
                let request = CreateInvitation {
                    uses,
                    expires_seconds: Some(days * DAY_SECONDS),
                };
                let made = office.open(context).await?.invite(request).await?;
                if output.is_json() {
                    output.object(&made)?;
                } else if let Some(code) = &made.code {
                    output.note(format_args!(
                        "It holds until {} for {}. They run: wharf signup SERVER --code CODE. Its code, shown this once:",
                        format::time_ms(made.expires_ms),
                        format::count(u64::from(made.uses_left), "account", "accounts"),
                    ));
                    output.line(code)?;
                }
            }
            Action::List { office } => {
                list(&office.open(context).await?.invitations().await?, output)?;
            }
            Action::Revoke { id, office } => {
                office.open(context).await?.end_invitation(&id).await?;
                output.note(format_args!("The invitation {id} is ended."));
            }
        }
        Ok(Exit::Done)
    }
}

fn list(invitations: &[Invitation], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return invitations
            .iter()
            .try_for_each(|invitation| output.object(invitation));
    }
    if invitations.is_empty() {
        output.note("There are no invitations.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("ACCOUNTS LEFT", Align::Right),
        ("UNTIL", Align::Left),
    ]);
    for invitation in invitations {
        table.row([
            invitation.id.clone(),
            invitation.uses_left.to_string(),
            format::time_ms(invitation.expires_ms),
        ]);
    }
    table.write(output)
}
