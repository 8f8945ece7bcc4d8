//! How far a client was shown the log of a direct room.
//!
//! What was shown moves the cursor of the client's device, but only in order: an entry is shown when everything before it
//! was. A push shows the beginning of a text, so what it did show is remembered beside the cursor until the rest
//! was shown, too. The cursor is written down a moment later ([`super::seat`]): what was shown in that moment before a crash
//! is shown again.

use std::collections::BTreeMap;

use wharf_types::api::log::Entry;
use wharf_types::{AccountId, RoomId};
use wharf_wire::gateway::pychat::{Number, Push};

use super::line::{Line, Mark, Shown};
use super::map::said;

/// Entries past the cursor of which something is remembered; past it, friends ring no more until they are heard.
const SHOWN_MAX: usize = 64;

/// All bytes of an entry.
pub(super) const WHOLE: usize = usize::MAX;

/// One direct room at one seat.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) room: RoomId,
    pub(super) friend: Number,
    /// Everything up to here was shown.
    pub(super) cursor: u64,
    /// Everything up to here was shown or is queued for the session's connection.
    pub(super) queued: u64,
    /// The last position that was heard of and handled.
    pub(super) told: u64,
    /// The cursor as it was written down.
    pub(super) saved: u64,
    /// What was shown past the cursor: so many bytes of an entry's text, or [`WHOLE`].
    shown: BTreeMap<u64, usize>,
    /// What is queued for the command connection, likewise.
    ringing: BTreeMap<u64, usize>,
    /// The person has said something, so what was shown was read: up to here.
    pub(super) read: u64,
    pub(super) read_saved: u64,
}

/// What became of an entry that is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// It is queued, or there is nothing in it to be shown.
    Done,
    /// The connection is behind: later.
    Full,
}

impl Track {
    pub(super) fn new(room: RoomId, friend: Number, after: u64, head: u64) -> Self {
        Self {
            room,
            friend,
            cursor: after,
            queued: after,
            told: head,
            saved: after,
            shown: BTreeMap::new(),
            ringing: BTreeMap::new(),
            read: 0,
            read_saved: 0,
        }
    }

    /// Shows an entry on a session's connection, after everything before it. `after`: what the client had before.
    pub(super) fn show_on_session(
        &mut self,
        line: &Line,
        entry: &Entry,
        me: AccountId,
        after: u64,
    ) -> Offered {
        let position = entry.position;
        if position <= self.queued {
            return Offered::Done;
        }
        let shown = self.shown_of(position);
        let is_news = shown != WHOLE && entry.account != Some(me);
        let said = is_news.then(|| said(entry, after)).flatten();
        let lines = match said {
            Some(said) => said.on_session(self.friend, shown),
            None => Vec::new(),
        };
        if !line.has_room(lines.len()) {
            return Offered::Full;
        }
        let last = lines.len();
        for (index, text) in lines.into_iter().enumerate() {
            let mark = Mark {
                room: self.room,
                position,
                shown: Shown::Through,
            };
            line.say(text, (index + 1 == last).then_some(mark));
        }
        let is_caught_up = self.cursor == self.queued;
        self.queued = position;
        self.told = self.told.max(position);
        if last == 0 && is_caught_up {
            self.go_to(position);
        }
        Offered::Done
    }

    /// Shows the beginning of an entry by a push on the command connection, where there is one.
    pub(super) fn show_on_command(&mut self, command: Option<&Line>, entry: &Entry, me: AccountId) {
        let position = entry.position;
        if position <= self.told {
            return;
        }
        self.told = position;
        let said = (entry.account != Some(me))
            .then(|| said(entry, position))
            .flatten();
        let Some(said) = said else {
            return self.show(position, WHOLE);
        };
        let Some(command) = command.filter(|_| self.shown.len() < SHOWN_MAX) else {
            return;
        };
        let (text, shown) = said.on_push(self.friend);
        let push = Push::NewSession {
            sender: self.friend,
            text: text.into_bytes(),
        };
        let mark = Mark {
            room: self.room,
            position,
            shown: shown.map_or(Shown::Whole, Shown::Part),
        };
        if command.push(&push, Some(mark)) {
            self.ringing.insert(position, shown.unwrap_or(WHOLE));
        }
    }

    /// Whether something is to be written down.
    pub(super) fn is_dirty(&self) -> bool {
        self.cursor > self.saved || self.read > self.read_saved
    }

    /// Where the log is read on for who is shown it.
    pub(super) fn reached(&self) -> u64 {
        self.cursor.max(self.queued)
    }

    /// Notes what was written.
    pub(super) fn written(&mut self, mark: Mark) {
        self.ringing.remove(&mark.position);
        match mark.shown {
            Shown::Through => self.go_to(mark.position),
            Shown::Whole => self.show(mark.position, WHOLE),
            Shown::Part(bytes) => self.show(mark.position, bytes),
        }
    }

    /// How much of an entry past the cursor was shown: so many bytes of its text, or [`WHOLE`].
    pub(super) fn shown_of(&self, position: u64) -> usize {
        let shown = self.shown.get(&position).or(self.ringing.get(&position));
        shown.copied().unwrap_or(0)
    }

    /// Notes that an entry was shown, or a part of it.
    pub(super) fn show(&mut self, position: u64, bytes: usize) {
        if position <= self.cursor || self.shown.len() > 2 * SHOWN_MAX {
            return;
        }
        self.shown.insert(position, bytes);
        self.go_to(self.cursor);
    }

    /// Everything up to `position` was shown.
    pub(super) fn go_to(&mut self, position: u64) {
        self.cursor = self.cursor.max(position);
        while self.shown.get(&(self.cursor + 1)) == Some(&WHOLE) {
            self.cursor += 1;
        }
        self.shown = self.shown.split_off(&(self.cursor + 1));
        self.queued = self.queued.max(self.cursor);
    }

    /// The command connection is gone, with what was queued for it.
    pub(super) fn stop_ringing(&mut self) {
        self.ringing.clear();
    }

    /// The session's connection is gone, with what was queued for it. Where it broke, what was written in the last
    /// moment may not have come through.
    pub(super) fn leave(&mut self, is_broken: bool) {
        if is_broken {
            self.cursor = self.saved;
        }
        self.queued = self.cursor;
    }
}
