//! `wharf admin`: the operator's commands.

mod data;
mod invite;
mod job;
mod office;
mod user;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Exit;

/// Run a server: accounts, invitations, jobs, its data
///
/// Commands about accounts and invitations go through the server, as the operator who is logged in. With --data they work
/// on a data folder directly, while no server runs on it: for an operator who is locked out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    User(user::Args),
    Invite(invite::Args),
    Job(job::Args),
    RebuildIndex(data::RebuildArgs),
    Recount(data::RecountArgs),
    Compact(data::CompactArgs),
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.action {
            Action::User(args) => args.run(context).await,
            Action::Invite(args) => args.run(context).await,
            Action::Job(args) => args.run(context).await,
            Action::RebuildIndex(args) => args.run(context).await,
            Action::Recount(args) => args.run(context).await,
            Action::Compact(args) => args.run(context).await,
        }
    }
}
