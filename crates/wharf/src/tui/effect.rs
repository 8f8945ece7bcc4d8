//! What an update asks the world to do, and what the world tells the model.

use std::path::PathBuf;

use wharf_client::chat::{ContactsView, RoomView, Timeline, Window};
use wharf_types::api::contact::{EditContact, Presence, Status};
use wharf_types::api::log::{Draft, Entry, EntryHistory, File};
use wharf_types::api::room::{CreateRoom, EditPreferences, Person, RoomInvitation, RoomMember};
use wharf_types::{AccountId, NodeId, RoomId};

use super::model::{Finds, Link, Moving};

/// Something to do outside of the model. Its outcome, where there is one, comes back as a [`Feed`].
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// Ends the program.
    Quit,
    /// Draws the whole screen again.
    Redraw,
    /// Reads a part of a room's timeline.
    Load {
        room: RoomId,
        window: Window,
        count: usize,
    },
    /// Fetches what is before the oldest entry that this device has.
    FetchOlder(RoomId),
    /// Fetches what is before it until the entry at a position is here.
    FetchTo { room: RoomId, position: u64 },
    /// Asks which entry of a room is the first one that was recorded at a time or later.
    FindTime { room: RoomId, at_ms: i64 },
    /// Hands a file of a room over in another one, without moving its bytes.
    ForwardFile {
        from: RoomId,
        file: Box<File>,
        to: RoomId,
        text: String,
    },
    /// Reads the members of a room and how far they have read.
    Members(RoomId),
    /// Reads the list of a room's files.
    Files(RoomId),
    /// Puts something into the outbox.
    Send { room: RoomId, draft: Draft },
    /// Puts files into the outbox.
    HandOver {
        room: RoomId,
        paths: Vec<PathBuf>,
        text: String,
        reply_to: Option<u64>,
    },
    /// Sends what was refused again.
    Retry(i64),
    /// Takes something out of the outbox.
    Discard(i64),
    /// Says that everything up to here was read.
    Read { room: RoomId, position: u64 },
    /// Says that the person types, or stopped.
    Typing { room: RoomId, stopped: bool },
    /// Asks for the presence of these, and of nobody else.
    Watch(Vec<AccountId>),
    /// Sets the own presence.
    Status(Status),
    /// Changes what the person set for a room.
    Prefer(RoomId, EditPreferences),
    /// Searches messages and files on the server.
    Search { query: String },
    /// What became of an entry.
    History { room: RoomId, position: u64 },
    /// Fetches a file of a room's drive.
    Fetch {
        room: RoomId,
        file: File,
        to: PathBuf,
    },
    /// Stops a fetch.
    StopFetch(i64),
    /// Copies a file of a room's drive to the own drive.
    Save {
        room: RoomId,
        node: NodeId,
        revision: u64,
        name: String,
    },
    /// Asks somebody to be a contact.
    Ask { who: String, word: String },
    /// Accepts or declines somebody who asked.
    Answer(AccountId, bool),
    /// Changes what is noted of a contact.
    EditContact(AccountId, EditContact),
    /// Ends a contact, or takes a request back.
    RemoveContact(AccountId),
    /// Makes a group of contacts with somebody in it.
    MakeGroup { name: String, with: AccountId },
    /// Makes a room.
    MakeRoom(CreateRoom),
    /// Accepts or declines an invitation into a room.
    AnswerRoom(RoomId, bool),
    /// Invites a contact into a room.
    Invite { room: RoomId, account: AccountId },
    /// Leaves a room.
    Leave(RoomId),
    /// Puts a text on the terminal's clipboard.
    Copy(String),
    /// Says that something came, as the person wants to be told.
    Notify { title: String, text: String },
}

/// Something the model is told.
#[derive(Debug)]
pub(crate) enum Feed {
    /// The connection.
    Link(Link),
    /// All rooms, in the order of the list.
    Rooms(Vec<RoomView>),
    /// All contacts and groups.
    Contacts(ContactsView),
    /// All invitations.
    Invitations(Vec<RoomInvitation>),
    /// Who changed.
    Presence(Vec<Presence>),
    /// Who types in a room now.
    Typing(RoomId, Vec<AccountId>),
    /// A part of a room's timeline.
    Timeline(RoomId, Window, Timeline),
    /// What was before is here, or could not be fetched.
    Older(RoomId, Result<(), String>),
    /// The first entry of a room at a time or later; none where there is none.
    AtTime(RoomId, Option<u64>),
    /// The entry at a position is here, or could not be fetched.
    Reached(RoomId, u64, Result<(), String>),
    /// The people of a room.
    Members(RoomId, Vec<RoomMember>),
    /// Up to where the members of a room have read.
    Cursors(RoomId, Vec<(AccountId, u64)>),
    /// The files of a room, newest first.
    Files(RoomId, Vec<Entry>),
    /// People who are named somewhere.
    People(Vec<Person>),
    /// Something was said just now.
    Said(RoomId, Box<Entry>),
    /// What a search found.
    Found(Finds),
    /// What became of an entry.
    History(RoomId, Box<EntryHistory>),
    /// Files on their way.
    Moving(Vec<Moving>),
    /// A room that was made or joined.
    Joined(RoomId),
    /// Something was done.
    Done(String),
    /// Something could not be done.
    Failed(String),
    /// Something was done that is seen by itself.
    Nothing,
}
