//! `wharf whoami`: which account, on which server.

use serde::Serialize;
use wharf_types::api::account::{Account, AccountRole};

use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;

/// Show which account is logged in, and where
#[derive(Debug, clap::Args)]
pub(crate) struct Args;

#[derive(Serialize)]
struct WhoAmI {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    account: Account,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let account = session.api.account().await?;
        let who = WhoAmI {
            server: session.server.to_string(),
            name: session.profile,
            account,
        };
        context.output.result(&who, |who| {
            let role = match who.account.role {
                AccountRole::Operator => "operator",
                AccountRole::Member => "member",
            };
            format!(
                "{} (number {:06}, {role}) on {}",
                who.account.username, who.account.number, who.server
            )
        })?;
        Ok(Exit::Done)
    }
}
