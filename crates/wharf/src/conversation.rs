//! Conversations as the commands use them: the local copy, which answers offline too, and the outbox.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wharf_client::chat::{
    Chat, ChatError, ChatOptions, Connection, Event, Events, Waiting, WaitingState,
};
use wharf_client::{Clock, Room as Named};
use wharf_types::RoomId;
use wharf_types::api::log::{Draft, Mentions};
use wharf_types::api::room::{Person, Room, RoomMember};

use crate::context::Context;
use crate::directory::{Directory, Where};
use crate::entry::Names;
use crate::exit::{Exit, Failure};
use crate::mention::mentions;
use crate::session::Session;

/// How long a command waits for the server before it goes on with what is here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits where the server cannot be reached at all: a few attempts, for one that is just being started anew.
const PATIENCE_UNREACHABLE: Duration = Duration::from_millis(700);
/// How often it looks whether that is so.
const LOOK: Duration = Duration::from_millis(50);

/// The local copy of a login's conversations, kept up to date while it is open.
#[derive(Debug)]
pub(crate) struct Conversations {
    pub(crate) session: Session,
    pub(crate) chat: Chat,
    events: Events,
    opened: Instant,
}

/// How far something that was written has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It is in the log, at this position.
    Sent(u64),
    /// It is in the outbox, and is sent once when the server can be reached.
    Waits,
}

impl Conversations {
    /// Opens the copy of the login that the flags, the environment or the last login name. Needs no server.
    pub(crate) async fn open(context: &Context) -> anyhow::Result<Self> {
        let session = Session::open_lazily(context)?;
        let store = session.conversations_file(context).await?;
        let chat = Chat::open(ChatOptions {
            api: session.api.clone(),
            store,
            clock: Clock::system(),
        })?;
        let events = chat.subscribe();
        Ok(Self {
            session,
            chat,
            events,
            opened: Instant::now(),
        })
    }

    /// Waits until the copy is up to date, for [`PATIENCE`] at most and less where the server cannot be reached, and says
    /// whether it is.
    ///
    /// # Errors
    /// `NotLoggedIn` when the session has ended, `Unavailable` when the server refuses this program.
    pub(crate) async fn is_live(&mut self) -> anyhow::Result<bool> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.chat.connection() {
                Connection::Live => return Ok(true),
                Connection::LoggedOut { detail } => {
                    return Err(Failure::new(Exit::NotLoggedIn, detail)
                        .hint("Log in again with `wharf login`.")
                        .into());
                }
                Connection::Refused { detail } => {
                    return Err(Failure::new(Exit::Unavailable, detail).into());
                }
                Connection::Offline | Connection::Connecting => {}
            }
            let look = until.min(Instant::now() + LOOK);
            match timeout_at(look, self.events.next()).await {
                Ok(None) => return Err(ChatError::Closed.into()),
                Err(_) if Instant::now() >= until || self.is_away() => return Ok(false),
                Ok(Some(_)) | Err(_) => {}
            }
        }
    }

    /// Whether there is no use in waiting: no connection could be made since this was opened, nor can it now.
    fn is_away(&self) -> bool {
        self.chat.is_unreachable() && self.opened.elapsed() >= PATIENCE_UNREACHABLE
    }

    /// Returns when there is no use in waiting.
    async fn away(&self) {
        while !self.is_away() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The next thing that happens.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Event> {
        let event = self.events.next().await;
        event.ok_or_else(|| ChatError::Closed.into())
    }

    /// The rooms and contacts as this device knows them.
    pub(crate) fn directory(&self) -> anyhow::Result<Directory> {
        let rooms = self.chat.rooms()?.into_iter().map(|view| view.room);
        let contacts = self.chat.contacts()?.items.into_iter();
        Ok(Directory::new(
            rooms.collect(),
            contacts.map(|view| view.contact).collect(),
        ))
    }

    /// The room that is meant: as this device knows it, or else as the server does.
    pub(crate) async fn find(&mut self, meant: &Where) -> anyhow::Result<Room> {
        // Known here it needs no server; that is how one writes offline.
        let known = self.directory()?.find(meant).cloned();
        let failure = match known {
            Ok(room) => return Ok(room),
            Err(failure) => failure,
        };
        if !self.is_live().await? {
            return Err(failure
                .hint("The server cannot be reached, and this device knows no such room yet.")
                .into());
        }
        Ok(self.directory()?.find(meant)?.clone())
    }

    /// Whom a text mentions, among the members of the room; offline, among those that this device knows.
    pub(crate) async fn mentions(&self, room: &Room, text: &str) -> anyhow::Result<Mentions> {
        if !text.contains('@') {
            return Ok(Mentions::default());
        }
        let members = self.people_of(room.id).await?;
        let present = members.iter().filter(|member| member.role.is_some());
        let people = present.map(|member| &member.person).chain(&room.peer);
        Ok(mentions(text, &people.collect::<Vec<_>>()))
    }

    /// The people of a room; offline, or without a right to see them any more, those that were seen before.
    async fn people_of(&self, room: RoomId) -> anyhow::Result<Vec<RoomMember>> {
        let fetched = tokio::select! {
            fetched = self.chat.fetch_members(room) => fetched.ok(),
            () = self.away() => None,
        };
        match fetched {
            Some(members) => Ok(members),
            None => Ok(self.chat.members(room)?),
        }
    }

    /// What the people of a room are called, as far as it is known.
    pub(crate) async fn names(&self, room: RoomId) -> anyhow::Result<Names> {
        let mut names = Names::new(self.directory()?.names());
        let members = self.people_of(room).await?;
        let directory = self.directory()?;
        for member in &members {
            names.add(member.person.id, directory.name_of(&member.person));
        }
        if let Some(me) = self.chat.me()?
            && let Some(person) = self.chat.person(me.account)?
        {
            names.add(me.account, called(&person));
        }
        Ok(names)
    }

    /// Writes a draft into the outbox and waits until it is sent, for [`PATIENCE`] at most.
    pub(crate) async fn send(&mut self, room: RoomId, draft: &Draft) -> anyhow::Result<Delivery> {
        let id = self.chat.send(room, draft)?;
        self.settle(id, PATIENCE).await
    }

    /// Waits until the server has answered an item, for as long as `patience` and less where it cannot be reached.
    ///
    /// # Errors
    /// The server's refusal; then the item is discarded, because whoever wrote it is told.
    pub(crate) async fn settle(&mut self, id: i64, patience: Duration) -> anyhow::Result<Delivery> {
        let until = Instant::now() + patience;
        let answered = tokio::select! {
            answered = timeout_at(until, self.chat.settle(id)) => answered.ok(),
            () = self.away() => None,
        };
        let Some(item) = answered else {
            self.is_logged_in()?;
            return Ok(Delivery::Waits);
        };
        let item: Waiting = item?;
        match item.state {
            WaitingState::Sent { position } => Ok(Delivery::Sent(position)),
            WaitingState::Waiting => Ok(Delivery::Waits),
            WaitingState::Refused { code, detail } => {
                self.chat.discard(id)?;
                Err(Failure::refused(code, detail).into())
            }
        }
    }

    fn is_logged_in(&self) -> anyhow::Result<()> {
        match self.chat.connection() {
            Connection::LoggedOut { detail } => Err(Failure::new(Exit::NotLoggedIn, detail)
                .hint("Log in again with `wharf login`; what waits is sent then.")
                .into()),
            _ => Ok(()),
        }
    }
}

/// What somebody without a remark is called.
fn called(person: &Person) -> &str {
    if person.nickname.is_empty() {
        &person.username
    } else {
        &person.nickname
    }
}

/// Says on standard error that something waits.
pub(crate) fn note_waiting(context: &Context) {
    context.output.warn(
        "the server cannot be reached; it waits on this device and is sent once, by the next command that reaches the \
         server (see `wharf outbox`)",
    );
}

/// A room for calls of the API.
pub(crate) const fn named(room: &Room) -> Named {
    Named::Id(room.id)
}
