//! `wharf profile`: what others see of one's account.

use wharf_types::api::contact::EditProfile;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;

/// Show or change what others see of you
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name shown to others
    #[arg(long, value_name = "NAME")]
    nickname: Option<String>,
    /// What you say of yourself; the empty text takes it away
    #[arg(long, value_name = "TEXT")]
    status: Option<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let account = if self.nickname.is_none() && self.status.is_none() {
            session.api.account().await?
        } else {
            let edit = EditProfile {
                nickname: self.nickname,
                status_text: self.status,
            };
            session.api.edit_profile(&edit).await?
        };
        let output = &context.output;
        output.result(&account, |account| {
            let mut text = format!(
                "nickname  {}\nusername  {}\nnumber    {:06}",
                output.name(&account.nickname),
                output.name(&account.username),
                account.number
            );
            if !account.status_text.is_empty() {
                text.push_str("\nstatus    ");
                text.push_str(&output.name(&account.status_text));
            }
            text
        })?;
        Ok(Exit::Done)
    }
}
