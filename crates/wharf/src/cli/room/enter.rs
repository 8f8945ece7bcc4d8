//! Ways into a group: invitations and the codes of links.

use clap::Subcommand;
use wharf_types::api::room::{JoinRoom, Room, RoomInvitation};

use super::list::role;
use crate::context::Context;
use crate::directory::fold;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Table};
use crate::session::{About, Session};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the invitations that wait for your word
    Invitations,
    /// Enter a group that you were invited into
    Accept {
        /// The group's name, or its id
        #[arg(value_name = "NAME")]
        room: String,
    },
    /// Decline an invitation
    Decline {
        /// The group's name, or its id
        #[arg(value_name = "NAME")]
        room: String,
    },
    /// Show where a link's code leads to, without entering
    Look {
        /// The code
        code: String,
    },
    /// Enter a group by a link's code
    Join {
        /// The code
        code: String,
    },
}

impl Action {
    pub(super) async fn run(self, context: &Context, session: &Session) -> anyhow::Result<()> {
        let output = &context.output;
        match self {
            Self::Invitations => list(&invitations(session).await?, output),
            Self::Accept { room } => {
                let found = find(session, &room).await?;
                let entered = session
                    .api
                    .accept_room_invitation(found.room)
                    .await
                    .about(&room)?;
                output.result(&entered, |entered| welcomed(entered, output))
            }
            Self::Decline { room } => {
                let found = find(session, &room).await?;
                session
                    .api
                    .decline_room_invitation(found.room)
                    .await
                    .about(&room)?;
                output.note(format_args!(
                    "Declined the invitation into {}.",
                    output.name(&found.name)
                ));
                Ok(())
            }
            Self::Look { code } => {
                let found = session.api.look_at_link(&code).await?;
                output.result(&found, |found| described(found, output))
            }
            Self::Join { code } => {
                let entered = session.api.join_room(&JoinRoom { code }).await?;
                output.result(&entered, |entered| welcomed(entered, output))
            }
        }
    }
}

fn welcomed(room: &Room, output: &Output) -> String {
    let name = output.name(&room.name);
    format!("You are in {name}. See what is said with `wharf tail room:{name}`.")
}

fn described(invitation: &RoomInvitation, output: &Output) -> String {
    let topic = if invitation.topic.is_empty() {
        String::new()
    } else {
        format!(" ({})", output.name(&invitation.topic))
    };
    format!(
        "{}{topic}: {}, as {}, from {}.",
        output.name(&invitation.name),
        format::count(u64::from(invitation.member_count), "member", "members"),
        role(invitation.role),
        output.name(&invitation.by.username),
    )
}

async fn invitations(session: &Session) -> anyhow::Result<Vec<RoomInvitation>> {
    Ok(session.api.room_invitations().await?)
}

async fn find(session: &Session, meant: &str) -> anyhow::Result<RoomInvitation> {
    let name = meant
        .strip_prefix(crate::directory::PREFIX)
        .unwrap_or(meant);
    let folded = fold(name);
    let mut found = invitations(session).await?;
    found.retain(|item| item.room.to_string() == name || fold(&item.name) == folded);
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Failure::new(
            Exit::NotFound,
            format!("No invitation into {meant} waits for you"),
        )
        .hint("See them with `wharf room invitations`.")
        .into()),
        (Some(_), false) => Err(Failure::usage(format!("Several groups {meant} invite you"))
            .hint("Give the id that `wharf room invitations` shows.")
            .into()),
    }
}

fn list(invitations: &[RoomInvitation], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return invitations.iter().try_for_each(|item| output.object(item));
    }
    if invitations.is_empty() {
        output.note("No invitation waits for you.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("SINCE", Align::Left),
        ("ROLE", Align::Left),
        ("FROM", Align::Left),
        ("GROUP", Align::Left),
    ]);
    for item in invitations {
        table.row([
            item.room.to_string(),
            format::time_ms(item.at_ms),
            role(item.role).to_owned(),
            output.name(&item.by.username).into_owned(),
            output.name(&item.name).into_owned(),
        ]);
    }
    table.write(output)
}
