//! Who is in a group, and with which role.

use clap::Subcommand;
use wharf_client::Room as Named;
use wharf_types::api::room::{InviteToRoom, Role, RoomMember, RoomMembers, SetRole};

use super::list::role;
use super::{find, group, printed};
use crate::context::Context;
use crate::directory::{Where, person};
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::prompt;
use crate::session::{About, Session};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the members of a room
    Members {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Also who was one
        #[arg(long, short)]
        all: bool,
    },
    /// Invite contacts into a group
    Invite {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
        /// What they may do
        #[arg(long, value_name = "ROLE", default_value = "editor")]
        role: EntryRole,
    },
    /// Take invitations back
    Withdraw {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Whose
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Give members another role
    Role {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// The role
        role: EntryRole,
        /// Whose
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Hand a group over to a member, who becomes its owner; its drive counts on their quota then
    Transfer {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// To whom
        who: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Remove members from a group
    Remove {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// The roles that can be given without handing the room over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum EntryRole {
    /// Reads the log and the drive
    Reader,
    /// Writes both
    Editor,
}

impl From<EntryRole> for Role {
    fn from(role: EntryRole) -> Self {
        match role {
            EntryRole::Reader => Self::Reader,
            EntryRole::Editor => Self::Editor,
        }
    }
}

impl Action {
    pub(super) async fn run(self, context: &Context, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Members { room, all } => {
                let id = find(session, &room).await?.id;
                let members = session.api.members(Named::Id(id)).await.about(&room)?;
                list(&members, all, &context.output)
            }
            Self::Invite { room, who, role } => invite(context, session, &room, &who, role).await,
            Self::Withdraw { room, who } => withdraw(context, session, &room, &who).await,
            Self::Role { room, role, who } => {
                set_role(context, session, &room, &who, role.into()).await
            }
            Self::Transfer { room, who, yes } => {
                let name = printed(group(session, &room).await?, session, &context.output).await?;
                prompt::consent(&format!("Hand {name} over to {who}?"), yes)?;
                set_role(context, session, &room, &[who], Role::Owner).await
            }
            Self::Remove { room, who, yes } => remove(context, session, &room, &who, yes).await,
        }
    }
}

fn list(members: &RoomMembers, all: bool, output: &Output) -> anyhow::Result<()> {
    let mut members = members
        .items
        .iter()
        .filter(|member| all || member.role.is_some());
    if output.is_json() {
        return members.try_for_each(|member| output.object(member));
    }
    let mut table = Table::new(&[
        ("ROLE", Align::Left),
        ("JOINED", Align::Left),
        ("USERNAME", Align::Left),
        ("NAME", Align::Left),
    ]);
    for member in members {
        let (paint, word) = match member.role {
            Some(given) => (Paint::Plain, role(given)),
            None => (Paint::Dim, "former"),
        };
        table.painted_row([
            (paint, word.to_owned()),
            (Paint::Plain, format::time_ms(member.joined_ms)),
            (
                Paint::Plain,
                output.name(&member.person.username).into_owned(),
            ),
            (
                Paint::Plain,
                output.name(&member.person.nickname).into_owned(),
            ),
        ]);
    }
    table.write(output)
}

async fn invite(
    context: &Context,
    session: &Session,
    room: &Where,
    who: &[String],
    role: EntryRole,
) -> anyhow::Result<()> {
    let id = group(session, room).await?.id;
    let directory = session.directory().await?;
    let mut accounts = Vec::with_capacity(who.len());
    for who in who {
        accounts.push(directory.contact(who)?.person.id);
    }
    for (account, who) in accounts.into_iter().zip(who) {
        let invite = InviteToRoom {
            account,
            role: Some(role.into()),
        };
        session
            .api
            .invite_to_room(Named::Id(id), &invite)
            .await
            .about(who)?;
        context.output.note(format_args!(
            "Invited {}. They enter with `wharf room accept`.",
            context.output.name(who)
        ));
    }
    Ok(())
}

async fn withdraw(
    context: &Context,
    session: &Session,
    room: &Where,
    who: &[String],
) -> anyhow::Result<()> {
    let id = group(session, room).await?.id;
    for who in who {
        let account = session.directory().await?.contact(who)?.person.id;
        session
            .api
            .withdraw_invitation(Named::Id(id), account)
            .await
            .about(who)?;
        context.output.note(format_args!(
            "Took the invitation of {} back.",
            context.output.name(who)
        ));
    }
    Ok(())
}

/// The members that are meant, among those of the room, who need not be contacts.
async fn members(
    session: &Session,
    room: &Where,
    who: &[String],
) -> anyhow::Result<(Named, Vec<RoomMember>)> {
    let room_named = Named::Id(group(session, room).await?.id);
    let members = session.api.members(room_named).await.about(room)?;
    let directory = session.directory().await?;
    let mut meant = Vec::with_capacity(who.len());
    for who in who {
        let present = members.items.iter().filter(|member| member.role.is_some());
        let people =
            present.map(|member| (&member.person, directory.remark(member.person.id), member));
        let member = person(who, people).map_err(|none| match none {
            Some(failure) => failure,
            None => Failure::new(
                Exit::NotFound,
                format!("There is no member {who} in {room}"),
            )
            .hint(format!("See who is with `wharf room members {room}`.")),
        })?;
        meant.push(member.clone());
    }
    Ok((room_named, meant))
}

async fn set_role(
    context: &Context,
    session: &Session,
    room: &Where,
    who: &[String],
    given: Role,
) -> anyhow::Result<()> {
    let (named, members) = members(session, room, who).await?;
    for member in members {
        let id = member.person.id;
        let set = SetRole { role: given };
        session
            .api
            .set_role(named, id, &set)
            .await
            .about(&member.person.username)?;
        let name = context.output.name(&member.person.username);
        context
            .output
            .note(format_args!("{name} is {} now.", with_article(given)));
    }
    Ok(())
}

fn with_article(given: Role) -> String {
    match given {
        Role::Owner => "the owner".to_owned(),
        Role::Editor => "an editor".to_owned(),
        Role::Reader => "a reader".to_owned(),
    }
}

async fn remove(
    context: &Context,
    session: &Session,
    room: &Where,
    who: &[String],
    yes: bool,
) -> anyhow::Result<()> {
    let (named, members) = members(session, room, who).await?;
    let count = format::count(members.len() as u64, "member", "members");
    prompt::consent(&format!("Remove {count} from {room}?"), yes)?;
    for member in members {
        session
            .api
            .remove_member(named, member.person.id)
            .await
            .about(&member.person.username)?;
        let name = context.output.name(&member.person.username);
        context.output.note(format_args!("Removed {name}."));
    }
    Ok(())
}
