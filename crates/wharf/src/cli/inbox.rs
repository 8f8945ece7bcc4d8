//! `wharf inbox`: what waits to be read or answered.

use serde::Serialize;
use wharf_client::Room as Named;
use wharf_types::api::contact::{Contact, ContactState};
use wharf_types::api::log::Entry;
use wharf_types::api::room::{Room, RoomInvitation};

use super::room::unread;
use super::tail::is_unreachable;
use crate::context::Context;
use crate::conversation::Conversations;
use crate::directory::{Directory, Where};
use crate::entry::{Names, preview};
use crate::exit::Exit;
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::{About, Session};

/// Show what waits for you: unread rooms, requests of people, invitations into rooms
///
/// A room counts what was said past the place that you have read on any device; @ counts what mentions you. When the server
/// cannot be reached, what this device has is shown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf inbox\n  wharf tail Team --unread --read\n  wharf inbox --read Team\n  wharf inbox --read-all"
)]
pub(crate) struct Args {
    /// Mark this room as read; may be given several times
    #[arg(long, value_name = "WHERE")]
    read: Vec<Where>,
    /// Mark all rooms as read
    #[arg(long, conflicts_with = "read")]
    read_all: bool,
}

/// One thing that waits, for programs.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Item<'a> {
    Room { room: &'a Room, title: String },
    Request { contact: &'a Contact },
    Invitation { invitation: &'a RoomInvitation },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut conversations = Conversations::open(context).await?;
        if self.read_all || !self.read.is_empty() {
            return self.mark(context, &conversations.session).await;
        }
        let (directory, invitations) = match of_server(&conversations.session).await {
            Ok(found) => found,
            Err(error) if is_unreachable(&error) => {
                conversations.is_live().await?;
                context
                    .output
                    .warn("the server cannot be reached; this is what this device has");
                let directory = conversations.directory()?;
                (directory, conversations.chat.invitations()?)
            }
            Err(error) => return Err(error),
        };
        let waiting = conversations.chat.waiting_count()?;
        show(&directory, &invitations, &context.output)?;
        if waiting > 0 {
            let count = format::count(u64::from(waiting), "item waits", "items wait");
            context
                .output
                .note(format_args!("{count} in your outbox; see `wharf outbox`."));
        }
        Ok(Exit::Done)
    }

    async fn mark(&self, context: &Context, session: &Session) -> anyhow::Result<Exit> {
        let directory = session.directory().await?;
        let rooms: Vec<&Room> = if self.read_all {
            directory
                .rooms()
                .iter()
                .filter(|room| waits(room))
                .collect()
        } else {
            let named = self.read.iter().map(|meant| directory.find(meant));
            named.collect::<Result<_, _>>()?
        };
        for room in &rooms {
            let title = directory.written(room);
            session
                .api
                .mark_read(Named::Id(room.id), room.head)
                .await
                .about(&title)?;
            if room.preferences.is_marked {
                let edit = wharf_types::api::room::EditPreferences {
                    is_marked: Some(false),
                    ..Default::default()
                };
                session
                    .api
                    .edit_preferences(Named::Id(room.id), &edit)
                    .await
                    .about(&title)?;
            }
        }
        let count = format::count(rooms.len() as u64, "room", "rooms");
        context.output.note(format_args!("Marked {count} as read."));
        Ok(Exit::Done)
    }
}

async fn of_server(session: &Session) -> anyhow::Result<(Directory, Vec<RoomInvitation>)> {
    let invitations = session.api.room_invitations().await?;
    Ok((session.directory().await?.clone(), invitations))
}

fn waits(room: &Room) -> bool {
    room.unread > 0 || room.mentions > 0 || room.preferences.is_marked
}

fn show(
    directory: &Directory,
    invitations: &[RoomInvitation],
    output: &Output,
) -> anyhow::Result<()> {
    let rooms: Vec<&Room> = directory
        .rooms()
        .iter()
        .filter(|room| waits(room))
        .collect();
    let requests: Vec<&Contact> = directory
        .contacts()
        .iter()
        .filter(|contact| contact.state == ContactState::Asking && !contact.is_blocked)
        .collect();
    if output.is_json() {
        for room in rooms {
            let title = directory.title(room);
            output.object(&Item::Room { room, title })?;
        }
        for contact in requests {
            output.object(&Item::Request { contact })?;
        }
        return invitations
            .iter()
            .try_for_each(|invitation| output.object(&Item::Invitation { invitation }));
    }
    if rooms.is_empty() && requests.is_empty() && invitations.is_empty() {
        output.note("Nothing waits for you.");
        return Ok(());
    }
    if !rooms.is_empty() {
        table(&rooms, directory, output)?;
    }
    for contact in requests {
        let name = output.name(&contact.person.username);
        let word = if contact.word.is_empty() {
            String::new()
        } else {
            format!(" (\"{}\")", output.name(&contact.word))
        };
        output.line(format_args!(
            "{name} asks to be your contact{word}: wharf contacts accept {name}"
        ))?;
    }
    for invitation in invitations {
        let (by, name) = (
            output.name(&invitation.by.username),
            output.name(&invitation.name),
        );
        output.line(format_args!(
            "{by} invites you into {name}: wharf room accept {name}"
        ))?;
    }
    Ok(())
}

fn table(rooms: &[&Room], directory: &Directory, output: &Output) -> anyhow::Result<()> {
    let names = Names::new(directory.names());
    let mut table = Table::new(&[
        ("UNREAD", Align::Right),
        ("LAST", Align::Left),
        ("ROOM", Align::Left),
        ("", Align::Left),
    ]);
    for room in rooms {
        let paint = if room.mentions > 0 {
            Paint::Yellow
        } else {
            Paint::Plain
        };
        let at = room.last.as_ref().map(|last| format::time_ms(last.at_ms));
        let said = room.last.as_ref().map(|last| said(last, room, &names));
        table.painted_row([
            (paint, unread(room)),
            (Paint::Plain, at.unwrap_or_else(|| "-".to_owned())),
            (
                Paint::Bold,
                output.name(&directory.written(room)).into_owned(),
            ),
            (
                Paint::Plain,
                output.name(&said.unwrap_or_default()).into_owned(),
            ),
        ]);
    }
    table.write(output)
}

/// Who said what last; in a room of two it is clear who.
fn said(last: &Entry, room: &Room, names: &Names) -> String {
    if room.peer.is_some() {
        return preview(last);
    }
    match (last.account, &last.name) {
        (Some(account), _) if names.knows(account) => {
            format!("{}: {}", names.of(account), preview(last))
        }
        (None, Some(name)) => format!("{name}: {}", preview(last)),
        _ => preview(last),
    }
}
