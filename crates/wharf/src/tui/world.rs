//! Doing what the model asks for, and telling it what came of it.
//!
//! What only reads or writes the local copy is done at once; what needs the server or the disk for long runs as a task of
//! its own and tells its outcome through the queue of [`Feed`]s.

mod call;
mod fetch;
mod forward;

use std::collections::HashSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wharf_client::chat::{Chat, ChatError, Connection, Event, Window};
use wharf_client::progress::Progress;
use wharf_types::api::log::File;
use wharf_types::{AccountId, RoomId};

use self::call::called;
use self::fetch::fetched;
use super::effect::{Effect, Feed};
use super::model::{Link, Moving};

/// Most outcomes that wait for the model.
const FEEDS_MAX: usize = 1024;
/// Files of a room that are listed.
const FILES_SHOWN: usize = 500;

/// The chat, the server and the disk.
pub(crate) struct World {
    chat: Chat,
    login: Login,
    feeds: mpsc::Sender<Feed>,
    tasks: JoinSet<()>,
    fetches: Arc<Mutex<Vec<Fetching>>>,
    /// Rooms whose people were asked for because a name was not known.
    asked: HashSet<RoomId>,
    stale: Stale,
}

/// Whose transfers are made, and where they are recorded.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) server: String,
    pub(crate) username: String,
    /// The list of transfers.
    pub(crate) transfers: PathBuf,
    /// The home folder, for paths that begin with `~`.
    pub(crate) home: Option<PathBuf>,
    /// The reader's time zone, by name where it has one.
    pub(crate) zone: Option<String>,
}

/// A file on its way here.
#[derive(Debug)]
struct Fetching {
    moving: Moving,
    progress: Arc<Progress>,
    stop: CancellationToken,
}

/// What has to be read again.
#[derive(Debug, Default)]
struct Stale {
    rooms: bool,
    contacts: bool,
    invitations: bool,
    timelines: HashSet<RoomId>,
    cursors: HashSet<RoomId>,
}

impl World {
    /// Begins with nothing told yet; the queue is where outcomes come from.
    pub(crate) fn new(chat: Chat, login: Login) -> (Self, mpsc::Receiver<Feed>) {
        let (feeds, queue) = mpsc::channel(FEEDS_MAX);
        let world = Self {
            chat,
            login,
            feeds,
            tasks: JoinSet::new(),
            fetches: Arc::default(),
            asked: HashSet::new(),
            stale: Stale {
                rooms: true,
                contacts: true,
                invitations: true,
                ..Stale::default()
            },
        };
        (world, queue)
    }

    /// Notes what an event is about; [`World::refresh`] reads it. What is no state is returned.
    pub(crate) fn heard(&mut self, event: Event) -> Option<Feed> {
        match event {
            Event::Connection(connection) => return Some(Feed::Link(link(connection))),
            Event::Said { room, entry } => {
                return Some(Feed::Said(room, Box::new(entry.as_ref().clone())));
            }
            Event::Presence(items) => return Some(Feed::Presence(items)),
            Event::Typing(room) => return Some(Feed::Typing(room, self.chat.typing(room))),
            Event::Room(_) | Event::RoomGone(_) => self.stale.rooms = true,
            Event::Timeline(room) => {
                self.stale.timelines.insert(room);
            }
            Event::Cursors(room) => {
                self.stale.cursors.insert(room);
            }
            Event::Contacts => {
                self.stale.contacts = true;
                // Rooms are called after their people.
                self.stale.rooms = true;
            }
            Event::Invitations => self.stale.invitations = true,
            Event::Drive { .. } | Event::Outbox { .. } => {}
            Event::Reload => {
                self.stale.rooms = true;
                self.stale.contacts = true;
                self.stale.invitations = true;
                let rooms = self.chat.rooms().unwrap_or_default();
                for view in rooms {
                    self.stale.timelines.insert(view.room.id);
                    self.stale.cursors.insert(view.room.id);
                }
            }
        }
        None
    }

    /// Whether there is something to read again.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = &self.stale;
        stale.rooms
            || stale.contacts
            || stale.invitations
            || !stale.timelines.is_empty()
            || !stale.cursors.is_empty()
    }

    /// Reads again what changed: lists always, the rest where it is of the open room. The timeline itself is loaded by the
    /// model, which knows what part of it is shown.
    pub(crate) fn refresh(&mut self, open: Option<RoomId>) -> Result<Refreshed, ChatError> {
        let stale = std::mem::take(&mut self.stale);
        let mut feeds = Vec::new();
        if stale.contacts {
            feeds.push(Feed::Contacts(self.chat.contacts()?));
        }
        if stale.rooms {
            let rooms = self.chat.rooms()?;
            let authors = rooms
                .iter()
                .filter_map(|view| Some((view.room.id, view.room.last.as_ref()?.account?)));
            let known = self.people(authors.collect())?;
            feeds.push(Feed::People(known));
            feeds.push(Feed::Rooms(rooms));
        }
        if stale.invitations {
            feeds.push(Feed::Invitations(self.chat.invitations()?));
        }
        let mut reloads = false;
        if let Some(room) = open {
            if stale.cursors.contains(&room) {
                feeds.push(self.cursors(room)?);
            }
            reloads = stale.timelines.contains(&room);
            if stale.rooms {
                let members = self.chat.members(room)?;
                if !members.is_empty() {
                    feeds.push(Feed::Members(room, members));
                }
            }
            if reloads {
                feeds.push(Feed::Files(room, self.chat.files(room, None, FILES_SHOWN)?));
            }
        }
        Ok(Refreshed { feeds, reloads })
    }

    fn cursors(&self, room: RoomId) -> Result<Feed, ChatError> {
        let cursors = self.chat.cursors(room)?;
        let read = cursors.iter().map(|cursor| (cursor.account, cursor.read));
        Ok(Feed::Cursors(room, read.collect()))
    }

    /// The people that this device knows among some; the people of a room where one is not known are fetched, once.
    fn people(
        &mut self,
        accounts: HashSet<(RoomId, AccountId)>,
    ) -> Result<Vec<wharf_types::api::room::Person>, ChatError> {
        let mut known = Vec::new();
        for (room, account) in accounts {
            match self.chat.person(account)? {
                Some(person) => known.push(person),
                None if self.asked.insert(room) => self.fetch_members(room),
                None => {}
            }
        }
        Ok(known)
    }

    /// How files on their way stand; none where there are none.
    pub(crate) fn moving(&self) -> Vec<Moving> {
        let mut fetches = self.fetches.lock();
        for fetching in fetches.iter_mut() {
            let now = fetching.progress.snapshot();
            fetching.moving.done_bytes = now.bytes_done;
            if now.bytes_total > 0 {
                fetching.moving.total_bytes = now.bytes_total;
            }
        }
        fetches
            .iter()
            .map(|fetching| fetching.moving.clone())
            .collect()
    }

    /// Tells which rooms are on the screen, so that they are brought up to date first.
    pub(crate) fn show(&self, open: Option<RoomId>) {
        self.chat.show(open);
    }

    /// Does what the model asks for, as far as it is not of the terminal.
    pub(crate) fn act(&mut self, effect: Effect) -> Vec<Feed> {
        while self.tasks.try_join_next().is_some() {}
        let result = match effect {
            Effect::Ask { .. }
            | Effect::Answer(..)
            | Effect::EditContact(..)
            | Effect::RemoveContact(_)
            | Effect::MakeGroup { .. }
            | Effect::MakeRoom(_)
            | Effect::AnswerRoom(..)
            | Effect::Invite { .. }
            | Effect::Leave(_)
            | Effect::Prefer(..)
            | Effect::Save { .. }
            | Effect::Search { .. }
            | Effect::FindTime { .. }
            | Effect::History { .. } => {
                self.call(effect);
                Ok(Vec::new())
            }
            Effect::FetchTo { .. } | Effect::ForwardFile { .. } => {
                self.bring(effect);
                Ok(Vec::new())
            }
            effect => self.at_once(effect),
        };
        result.unwrap_or_else(|error| vec![Feed::Failed(told(&error))])
    }

    /// What the local copy does.
    fn at_once(&mut self, effect: Effect) -> Result<Vec<Feed>, ChatError> {
        let chat = &self.chat;
        match effect {
            Effect::Load {
                room,
                window,
                count,
            } => return self.load(room, window, count),
            Effect::Files(room) => {
                return Ok(vec![Feed::Files(
                    room,
                    chat.files(room, None, FILES_SHOWN)?,
                )]);
            }
            Effect::Members(room) => {
                self.fetch_members(room);
                let members = self.chat.members(room)?;
                return Ok(vec![Feed::Members(room, members), self.cursors(room)?]);
            }
            Effect::FetchOlder(room) => {
                let chat = chat.clone();
                self.spawn(async move {
                    let result = chat.fetch_older(room).await;
                    Feed::Older(room, result.map(|_| ()).map_err(|error| told(&error)))
                });
            }
            Effect::Send { room, draft } => {
                chat.send(room, &draft)?;
            }
            Effect::HandOver {
                room,
                paths,
                text,
                reply_to,
            } => {
                for path in paths {
                    chat.hand_over(room, &self.absolute(&path), text.clone(), reply_to)?;
                }
            }
            Effect::Retry(id) => {
                chat.retry(id)?;
            }
            Effect::Discard(id) => chat.discard(id)?,
            Effect::Read { room, position } => chat.mark_read(room, position)?,
            Effect::Typing { room, stopped } => chat.set_typing(room, !stopped),
            Effect::Watch(accounts) => chat.watch(accounts),
            Effect::Status(status) => chat.set_status(status),
            Effect::Fetch { room, file, to } => self.fetch(room, &file, &to),
            Effect::StopFetch(id) => {
                for fetching in self.fetches.lock().iter() {
                    if fetching.moving.id == id {
                        fetching.stop.cancel();
                    }
                }
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Brings entries here, or a file from one room to another.
    fn bring(&mut self, effect: Effect) {
        let chat = self.chat.clone();
        match effect {
            Effect::FetchTo { room, position } => {
                self.spawn(async move {
                    let result = fetch_to(&chat, room, position).await;
                    Feed::Reached(room, position, result.map_err(|error| told(&error)))
                });
            }
            Effect::ForwardFile {
                from,
                file,
                to,
                text,
            } => {
                self.spawn(async move {
                    match forward::file(&chat, from, &file, (to, text)).await {
                        Ok(()) => Feed::Done(format!("Forwarded: {}", file.name)),
                        Err(error) => Feed::Failed(format!("{}: {error:#}", file.name)),
                    }
                });
            }
            _ => {}
        }
    }

    fn load(&mut self, room: RoomId, window: Window, count: usize) -> Result<Vec<Feed>, ChatError> {
        let timeline = self.chat.timeline(room, window, count)?;
        let authors = timeline
            .items
            .iter()
            .filter_map(|item| Some((room, item.entry.account?)));
        let people = self.people(authors.collect())?;
        Ok(vec![
            Feed::People(people),
            Feed::Timeline(room, window, timeline),
        ])
    }

    fn fetch_members(&mut self, room: RoomId) {
        let chat = self.chat.clone();
        let feeds = self.feeds.clone();
        self.tasks.spawn(async move {
            // Offline, those that are known are shown; who is asked for again is asked when the room is opened again.
            let Ok(members) = chat.fetch_members(room).await else {
                return;
            };
            drop(feeds.send(Feed::Members(room, members)).await);
            if let Ok(cursors) = chat.fetch_cursors(room).await {
                let read = cursors.iter().map(|cursor| (cursor.account, cursor.read));
                drop(feeds.send(Feed::Cursors(room, read.collect())).await);
            }
        });
    }

    // --- calls of the server

    fn call(&mut self, effect: Effect) {
        let api = self.chat.api().clone();
        let zone = self.login.zone.clone();
        self.spawn(async move {
            match called(&api, effect, zone).await {
                Ok(feed) => feed,
                Err(error) => Feed::Failed(error.to_string()),
            }
        });
    }

    fn spawn(&mut self, work: impl Future<Output = Feed> + Send + 'static) {
        let feeds = self.feeds.clone();
        self.tasks.spawn(async move {
            // Without a receiver the program is ending.
            drop(feeds.send(work.await).await);
        });
    }

    // --- files that come down

    fn fetch(&mut self, room: RoomId, file: &File, to: &Path) {
        let target = self.absolute(to);
        let (api, login) = (self.chat.api().clone(), self.login.clone());
        let (fetches, file) = (Arc::clone(&self.fetches), file.clone());
        self.spawn(async move {
            match fetched(&api, &login, &fetches, (room, &file), &target).await {
                Ok(place) => Feed::Done(format!("Fetched: {}", place.display())),
                Err(error) => Feed::Failed(format!("{}: {error:#}", file.name)),
            }
        });
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let below_home = path.strip_prefix("~").ok().zip(self.login.home.as_ref());
        let path = below_home.map_or_else(|| path.to_owned(), |(below, home)| home.join(below));
        // A path that cannot be made absolute is refused by whoever opens it.
        std::path::absolute(&path).unwrap_or(path)
    }
}

/// Fetches what is before it until an entry is here, or the beginning of what can be read.
async fn fetch_to(chat: &Chat, room: RoomId, position: u64) -> Result<(), ChatError> {
    while chat.entry(room, position)?.is_none() && chat.fetch_older(room).await? {}
    Ok(())
}

/// What was read again.
pub(crate) struct Refreshed {
    pub(crate) feeds: Vec<Feed>,
    /// Whether the timeline of the open room changed.
    pub(crate) reloads: bool,
}

/// The connection as the screen says it.
pub(crate) fn link(connection: Connection) -> Link {
    match connection {
        Connection::Offline => Link::Offline(String::new()),
        Connection::Connecting => Link::Connecting,
        Connection::Live => Link::Live,
        Connection::LoggedOut { detail } => Link::Ended(detail),
        Connection::Refused { detail } => Link::Offline(detail),
    }
}

fn told(error: &ChatError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
