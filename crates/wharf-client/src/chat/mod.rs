//! Conversations: a local copy of an account's rooms, logs and contacts, kept up to date over one live connection, and an
//! outbox that sends what is written once, however often the line, the process or the machine fails.
//!
//! [`Chat`] is what a terminal or any other face of it is built on: queries answer from the local copy at once, connected
//! or not; actions are on the disk when they return; [`Event`]s say what changed.
//!
//! Several processes may share one store. Each has a connection of its own; applying an entry that another one has applied
//! changes nothing, and one of them sends at a time.

#[cfg(test)]
mod cut;
mod driver;
mod engine;
mod error;
mod event;
mod forget;
mod handover;
mod shared;
#[cfg(test)]
mod sim;
mod store;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection as Sqlite;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::log::{Draft, Edit, Entry, Mentions, Pin, Reaction, Recall, Text};
use wharf_types::api::room::{Person, RoomInvitation, RoomMember};
use wharf_types::limit::{ENTRY_TEXT_BYTES_MAX, LIVE_WATCHED_MAX, REACTION_BYTES_MAX};
use wharf_types::{AccountId, DeviceId, RoomId};

use self::driver::Driver;
pub use self::error::ChatError;
pub use self::event::{Connection, Event, Events};
pub use self::forget::{Forgotten, Unsent, forget, unsent_count};
use self::handover::{Rests, Uploads};
use self::shared::Shared;
use self::store::{Meta, Store};
pub use self::view::{
    ContactView, ContactsView, CursorView, Handover, Me, RoomView, Timeline, TimelineItem, Waiting,
    WaitingKind, WaitingState, Window,
};
use crate::api::{Api, Range, Room};
use crate::clock::Clock;
use crate::database::Durability;

/// How often somebody who waits for an item looks whether another process has sent it.
const ANSWER_POLL: Duration = Duration::from_millis(200);
/// Entries that are fetched at once.
const PAGE_ENTRIES: u32 = 100;

/// Where a chat's copy is, and whose it is.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// The server, with the session's token. [`Api::lazily`] makes one that needs no server to begin with.
    pub api: Api,
    /// The file of the store, one for each login; made where it is not there. Its folder must be there.
    pub store: PathBuf,
    /// The time.
    pub clock: Clock,
}

/// An account's conversations. Clones share it; when the last one is dropped, the connection ends.
///
/// The queries and actions that are not `async` read or write the store, which takes well under a millisecond, or as long as
/// the disk needs for one sync.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    api: Api,
    clock: Clock,
    store: Mutex<Store>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Mutex<Option<JoinHandle<()>>>,
    uploads: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

impl Chat {
    /// Opens the local copy and begins to bring it up to date. What is there can be read at once.
    ///
    /// # Errors
    /// When the store cannot be used, or is of a later version; [`ChatError::Invalid`] outside of a runtime of Tokio.
    pub fn open(options: ChatOptions) -> Result<Self, ChatError> {
        let runtime = Handle::try_current()
            .map_err(|_| ChatError::Invalid("a chat needs a runtime".to_owned()))?;
        let ChatOptions { api, store, clock } = options;
        let path = store;
        let store = Store::open(&path, Durability::Now, new_device(&clock))?;
        let shared = Arc::new(Shared::new());
        let stop = CancellationToken::new();
        let driver = Driver {
            api: api.clone(),
            clock: clock.clone(),
            store: Store::open(&path, Durability::Soon, new_device(&clock))?,
            shared: Arc::clone(&shared),
            stop: stop.clone(),
            holder: new_device(&clock).to_string(),
        };
        let uploads = Uploads {
            api: api.clone(),
            clock: clock.clone(),
            store: Store::open(&path, Durability::Soon, new_device(&clock))?,
            shared: Arc::clone(&shared),
            stop: stop.clone(),
            holder: driver.holder.clone(),
            rests: Rests::default(),
        };
        let uploads = AbortOnDropHandle::new(runtime.spawn(uploads.run()));
        let thread = driver
            .start()
            .map_err(|source| ChatError::Io { path, source })?;
        Ok(Self(Arc::new(Inner {
            api,
            clock,
            store: Mutex::new(store),
            shared,
            stop,
            thread: Mutex::new(Some(thread)),
            uploads: Mutex::new(Some(uploads)),
        })))
    }

    /// Ends the connection and waits until nothing of the chat runs any more. What waits in the outbox stays there.
    pub async fn close(self) {
        self.0.stop.cancel();
        let thread = self.0.thread.lock().take();
        let uploads = self.0.uploads.lock().take();
        if let Some(uploads) = uploads {
            drop(uploads.await);
        }
        if let Some(thread) = thread {
            // A thread that panicked has said so; there is nothing to add.
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
    }

    /// The calls that are no part of the copy, such as asking a contact or making a room. What they change comes back as
    /// events.
    pub fn api(&self) -> &Api {
        &self.0.api
    }

    /// Tells what changes from now on.
    pub fn subscribe(&self) -> Events {
        self.0.shared.subscribe()
    }

    /// Whether the server can be spoken with.
    pub fn connection(&self) -> Connection {
        self.0.shared.connection()
    }

    /// Whether the last attempt to connect failed: refused, or no way there. One that is under way, or that the server is
    /// slow to answer, has not failed.
    pub fn is_unreachable(&self) -> bool {
        self.0.shared.is_unreachable()
    }

    /// The account; none before the first connection.
    pub fn me(&self) -> Result<Option<Me>, ChatError> {
        self.read(|tx| Ok(Meta::read(tx)?.me()))
    }

    // --- queries

    /// The rooms: pinned ones first, then by what was said last. Hidden ones are among them.
    pub fn rooms(&self) -> Result<Vec<RoomView>, ChatError> {
        self.read(store::query::rooms)
    }

    /// One room.
    pub fn room(&self, room: RoomId) -> Result<Option<RoomView>, ChatError> {
        self.read(|tx| store::query::room(tx, room))
    }

    /// The contacts with their groups, and the presence of those who are watched.
    pub fn contacts(&self) -> Result<ContactsView, ChatError> {
        let mut contacts = self.read(store::query::contacts)?;
        for view in &mut contacts.items {
            view.presence = self.0.shared.presence(view.contact.person.id);
        }
        Ok(contacts)
    }

    /// The presence of somebody who is watched.
    pub fn presence(&self, account: AccountId) -> Option<Presence> {
        self.0.shared.presence(account)
    }

    /// Invitations into rooms that wait for an answer, newest first.
    pub fn invitations(&self) -> Result<Vec<RoomInvitation>, ChatError> {
        self.read(store::query::invitations)
    }

    /// Somebody that this device has heard of: contacts, people of direct rooms, and members that were fetched.
    pub fn person(&self, account: AccountId) -> Result<Option<Person>, ChatError> {
        self.read(|tx| store::query::person(tx, account))
    }

    /// The name to show for somebody: the own remark, or else the nickname.
    pub fn name_of(&self, account: AccountId) -> Result<Option<String>, ChatError> {
        self.read(|tx| store::query::title_of(tx, account))
    }

    /// The people of a room as [`fetch_members`](Self::fetch_members) saw them last: members by name, then former ones.
    pub fn members(&self, room: RoomId) -> Result<Vec<RoomMember>, ChatError> {
        self.read(|tx| store::query::members(tx, room))
    }

    /// How far others have come in a room, as far as it was told; see [`fetch_cursors`](Self::fetch_cursors).
    pub fn cursors(&self, room: RoomId) -> Result<Vec<CursorView>, ChatError> {
        self.read(|tx| store::query::cursors(tx, room))
    }

    /// Who is typing in a room now.
    pub fn typing(&self, room: RoomId) -> Vec<AccountId> {
        self.0.shared.typing(room, self.0.clock.now_ms())
    }

    /// A part of a room's timeline, with at most `limit` entries.
    pub fn timeline(
        &self,
        room: RoomId,
        window: Window,
        limit: usize,
    ) -> Result<Timeline, ChatError> {
        self.read(|tx| store::query::timeline(tx, room, window, limit))
    }

    /// One entry that is stored, in its present state.
    pub fn entry(&self, room: RoomId, position: u64) -> Result<Option<Entry>, ChatError> {
        self.read(|tx| store::query::entry(tx, room, position))
    }

    /// The files that were handed over in a room, as far as its log is stored, newest first.
    pub fn files(
        &self,
        room: RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, ChatError> {
        self.read(|tx| store::query::files(tx, room, before, limit))
    }

    /// An own item of the outbox; none once it is long done.
    pub fn waiting(&self, id: i64) -> Result<Option<Waiting>, ChatError> {
        self.read(|tx| store::outbox::one(tx, id))
    }

    /// How many own items the server has not answered.
    pub fn waiting_count(&self) -> Result<u32, ChatError> {
        self.read(store::outbox::unanswered_count)
    }

    // --- actions that go through the outbox

    /// Writes a draft into the outbox, from where it is sent once, when the server can be reached, after what was written
    /// before it. Returns its number in the outbox.
    ///
    /// # Errors
    /// [`ChatError::Invalid`] for what no server takes.
    pub fn send(&self, room: RoomId, draft: &Draft) -> Result<i64, ChatError> {
        check(draft)?;
        let now_ms = self.0.clock.now_ms();
        let id = self.change(|tx| store::outbox::enqueue(tx, room, draft, now_ms))?;
        self.outbox_changed(id, room);
        Ok(id)
    }

    /// Says something.
    pub fn say(&self, room: RoomId, text: impl Into<String>) -> Result<i64, ChatError> {
        let text = Text {
            text: text.into(),
            ..Text::default()
        };
        self.send(room, &Draft::Text(text))
    }

    /// Changes what an own entry says.
    pub fn edit(
        &self,
        room: RoomId,
        target: u64,
        text: impl Into<String>,
        mentions: Mentions,
    ) -> Result<i64, ChatError> {
        let text = text.into();
        self.send(
            room,
            &Draft::Edit(Edit {
                target,
                text,
                mentions,
            }),
        )
    }

    /// Takes an entry back.
    pub fn recall(&self, room: RoomId, target: u64) -> Result<i64, ChatError> {
        self.send(room, &Draft::Recall(Recall { target }))
    }

    /// Sets or takes away an own reaction.
    pub fn react(
        &self,
        room: RoomId,
        target: u64,
        emoji: impl Into<String>,
        is_set: bool,
    ) -> Result<i64, ChatError> {
        let emoji = emoji.into();
        self.send(
            room,
            &Draft::Reaction(Reaction {
                target,
                emoji,
                is_set,
            }),
        )
    }

    /// Pins an entry or takes the pin away.
    pub fn pin(&self, room: RoomId, target: u64, is_set: bool) -> Result<i64, ChatError> {
        self.send(room, &Draft::Pin(Pin { target, is_set }))
    }

    /// Uploads a local file into the room's drive and hands it over there: once, whatever happens on the way. It goes on
    /// where it was after a restart, as long as the file is there. What is written after it does not wait for it.
    ///
    /// # Errors
    /// [`ChatError::Invalid`] for what is no file, or has a name that is no text.
    pub fn hand_over(
        &self,
        room: RoomId,
        source: &Path,
        text: impl Into<String>,
        reply_to: Option<u64>,
    ) -> Result<i64, ChatError> {
        let handover = handover(source, text.into(), reply_to)?;
        let now_ms = self.0.clock.now_ms();
        let device = new_device(&self.0.clock);
        let id =
            self.change(|tx| store::outbox::enqueue_handover(tx, room, &handover, device, now_ms))?;
        self.outbox_changed(id, room);
        Ok(id)
    }

    /// Takes back an item that was not tried yet, or discards a refused one.
    ///
    /// # Errors
    /// [`ChatError::TooLate`] when it may be on the server; then it can be recalled there.
    pub fn discard(&self, id: i64) -> Result<(), ChatError> {
        let now_ms = self.0.clock.now_ms();
        let room = self.change(|tx| store::outbox::withdraw(tx, id, now_ms))?;
        self.outbox_changed(id, room);
        Ok(())
    }

    /// Writes a refused item again; returns its new number in the outbox.
    ///
    /// # Errors
    /// [`ChatError::TooLate`] when it is not refused.
    pub fn retry(&self, id: i64) -> Result<i64, ChatError> {
        let now_ms = self.0.clock.now_ms();
        let device = new_device(&self.0.clock);
        let (new, room) = self.change(|tx| {
            let (room, what) = store::outbox::reclaim(tx, id)?;
            let new = match what {
                WaitingKind::Draft(draft) => store::outbox::enqueue(tx, room, &draft, now_ms)?,
                WaitingKind::Handover(handover) => {
                    store::outbox::enqueue_handover(tx, room, &handover, device, now_ms)?
                }
            };
            Ok((new, room))
        })?;
        self.outbox_changed(new, room);
        Ok(new)
    }

    /// Waits until the server has answered an item, and returns how it stands: sent or refused. Cancel safe.
    ///
    /// # Errors
    /// [`ChatError::Missing`] when there is no such item, or it was taken back.
    pub async fn settle(&self, id: i64) -> Result<Waiting, ChatError> {
        let mut events = self.subscribe();
        loop {
            let item = self.waiting(id)?.ok_or(ChatError::Missing(id))?;
            if item.state != WaitingState::Waiting {
                return Ok(item);
            }
            // Another process may be the one that sends, so the events are not all there is.
            let next = tokio::time::timeout(ANSWER_POLL, events.next()).await;
            if matches!(next, Ok(None)) {
                return Err(ChatError::Closed);
            }
        }
    }

    // --- actions that tell how things are

    /// The account has read up to a position. The server is told when it can be.
    pub fn mark_read(&self, room: RoomId, position: u64) -> Result<(), ChatError> {
        if self.change(|tx| store::reading::mark_read(tx, room, position))? {
            self.0.shared.tell(Event::Room(room));
            self.0.shared.poke();
        }
        Ok(())
    }

    /// The person is typing in a room, or stopped. Call it as often as keys are pressed.
    pub fn set_typing(&self, room: RoomId, is_typing: bool) {
        self.0.shared.want_typing(room, is_typing);
    }

    /// Whether the person is there, for as long as this process runs.
    pub fn set_status(&self, status: Status) {
        self.0.shared.want_status(status);
    }

    /// Whose presence is shown now, at most [`LIVE_WATCHED_MAX`]; replaces what was watched.
    pub fn watch(&self, accounts: impl IntoIterator<Item = AccountId>) {
        self.0
            .shared
            .want_watch(accounts.into_iter().take(LIVE_WATCHED_MAX).collect());
    }

    /// The rooms that are looked at now: what is missing of their logs is fetched first.
    pub fn show(&self, rooms: impl IntoIterator<Item = RoomId>) {
        self.0.shared.want_shown(rooms.into_iter().collect());
    }

    // --- fetching what is not stored

    /// Fetches the entries before the first one that is stored; says whether there are more before those. Cancel safe.
    pub async fn fetch_older(&self, room: RoomId) -> Result<bool, ChatError> {
        let me = self.me()?.ok_or_else(not_connected)?;
        let run = self
            .read(|tx| store::entry::Run::read(tx, room))?
            .ok_or_else(|| ChatError::Invalid("this device does not know the room".to_owned()))?;
        if !run.has_older() {
            return Ok(false);
        }
        let page = self
            .0
            .api
            .log(Room::Id(room), Range::Before(run.first), Some(PAGE_ENTRIES))
            .await?;
        let run = self.change(|tx| {
            store::entry::apply_page(tx, room, &page, run.first, me.account)?;
            store::entry::Run::read(tx, room)
        })?;
        self.0.shared.tell(Event::Timeline(room));
        Ok(run.is_some_and(|run| run.has_older()))
    }

    /// Fetches the people of a room.
    pub async fn fetch_members(&self, room: RoomId) -> Result<Vec<RoomMember>, ChatError> {
        let members = self.0.api.members(Room::Id(room)).await?;
        self.change(|tx| store::account::put_members(tx, room, &members.items))?;
        self.0.shared.tell(Event::Room(room));
        Ok(members.items)
    }

    /// Fetches how far the members of a room have come.
    pub async fn fetch_cursors(&self, room: RoomId) -> Result<Vec<CursorView>, ChatError> {
        let cursors = self.0.api.cursors(Room::Id(room)).await?;
        self.change(|tx| {
            for cursor in &cursors.items {
                let (read, delivered) = (Some(cursor.read), Some(cursor.delivered));
                store::account::put_cursor(tx, room, cursor.account, read, delivered)?;
            }
            Ok(())
        })?;
        self.0.shared.tell(Event::Cursors(room));
        self.cursors(room)
    }

    fn read<T>(&self, work: impl FnOnce(&Sqlite) -> Result<T, ChatError>) -> Result<T, ChatError> {
        self.0.store.lock().read(|tx| work(tx))
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, ChatError>,
    ) -> Result<T, ChatError> {
        self.0.store.lock().change(work)
    }

    fn outbox_changed(&self, id: i64, room: RoomId) {
        self.0.shared.tell(Event::Outbox { id });
        self.0.shared.tell(Event::Timeline(room));
        self.0.shared.tell(Event::Room(room));
        self.0.shared.poke();
    }
}

/// Refuses what no server takes before it is in the outbox.
fn check(draft: &Draft) -> Result<(), ChatError> {
    let refuse = |why: String| Err(ChatError::Invalid(why));
    let (text, may_be_empty) = match draft {
        Draft::Text(text) => (&text.text, false),
        Draft::Edit(edit) => (&edit.text, true),
        Draft::File(file) => (&file.text, true),
        Draft::Reaction(reaction) => {
            let length = reaction.emoji.len();
            if length == 0 || length > REACTION_BYTES_MAX {
                return refuse(format!("a reaction has 1 to {REACTION_BYTES_MAX} bytes"));
            }
            return Ok(());
        }
        Draft::Recall(_) | Draft::Pin(_) => return Ok(()),
    };
    if text.len() > ENTRY_TEXT_BYTES_MAX {
        return refuse(format!(
            "a text has at most {ENTRY_TEXT_BYTES_MAX} bytes; this one has {}",
            text.len()
        ));
    }
    if text.is_empty() && !may_be_empty {
        return refuse("there is nothing to say".to_owned());
    }
    Ok(())
}

/// A file that is there, as it will be handed over.
fn handover(source: &Path, text: String, reply_to: Option<u64>) -> Result<Handover, ChatError> {
    let unusable = |source_error| ChatError::Io {
        path: source.to_owned(),
        source: source_error,
    };
    let absolute = std::path::absolute(source).map_err(unusable)?;
    let stat = std::fs::metadata(&absolute).map_err(unusable)?;
    if !stat.is_file() {
        let why = format!(
            "{} is no file; put a folder into the room's drive",
            source.display()
        );
        return Err(ChatError::Invalid(why));
    }
    let name = absolute.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        ChatError::Invalid(format!("the name of {} is no text", source.display()))
    })?;
    Ok(Handover {
        target: name.to_owned(),
        source: absolute.clone(),
        text,
        reply_to,
        bytes: stat.len(),
        sent_bytes: 0,
    })
}

fn not_connected() -> ChatError {
    ChatError::Invalid("this device was never connected".to_owned())
}

/// A device that nobody else is.
fn new_device(clock: &Clock) -> DeviceId {
    let now_ms = u64::try_from(clock.now_ms()).unwrap_or_default();
    DeviceId::new(now_ms, &rand::random())
}
