//! What the server says.

use wharf_types::RoomId;
use wharf_types::api::live::{KnownHead, ServerFrame, Welcome};
use wharf_types::api::log::{Body, Entry};
use wharf_types::api::room::{AccountItem, Room};

use super::{Closed, Engine, Link, Output, Phase, said};
use crate::chat::error::ChatError;
use crate::chat::event::{Connection, Event};
use crate::chat::store::{self, Held, Store, Touched};

/// The longest gap that is closed by reading it; past it the list is asked for anew.
const LAG_MAX: u64 = 1000;

/// What a frame leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// Only a new connection brings what is missing.
    Redial,
}

impl Engine {
    /// A frame came over the connection.
    pub(in crate::chat) fn received(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        frame: ServerFrame,
    ) -> Result<(), ChatError> {
        self.heard(now_ms);
        let Phase::Open(link) = &mut self.phase else {
            return Ok(());
        };
        if let ServerFrame::Bye { code, detail } = frame {
            return self.hang_up(store, now_ms, Self::meaning(code, detail));
        }
        if !link.is_welcome {
            return match frame {
                ServerFrame::Welcome(welcome) => self.welcomed(store, now_ms, &welcome),
                _ => self.redial(store, now_ms),
            };
        }
        let mut touched = Touched::default();
        let me = self.me;
        let next = match frame {
            ServerFrame::Entry { room, entry } => {
                return self.entry(store, now_ms, room, *entry);
            }
            ServerFrame::Account { version, items } => {
                link.list(store, version, &items, &mut touched)?
            }
            ServerFrame::Rooms { items, diverged } => {
                link.rooms(store, &items, &diverged, &mut touched)?
            }
            ServerFrame::Ready => {
                store.change(|tx| store::account::forget_stale(tx, &mut touched))?;
                self.ready(store)?;
                Next::GoOn
            }
            ServerFrame::Skip { room, from, to } => {
                match store.change(|tx| store::entry::skip(tx, room, from, to))? {
                    Held::Gap => Next::Redial,
                    Held::Missed => {
                        link.fetching.want(room);
                        Next::GoOn
                    }
                    _ => Next::GoOn,
                }
            }
            ServerFrame::Lag { room, head, hash } => {
                let head = KnownHead {
                    position: head,
                    hash,
                };
                link.lag(store, room, head, &mut touched)?
            }
            ServerFrame::Page { id, room, page } => {
                if link.fetching.answered(store, id, room, &page, me)? {
                    touched.timelines.insert(room);
                    touched.rooms.insert(room);
                }
                countable(store, room)?
            }
            ServerFrame::PageRefused { id, .. } => {
                link.fetching.refused(id);
                Next::GoOn
            }
            other => {
                self.passing(store, now_ms, other, &mut touched)?;
                Next::GoOn
            }
        };
        match next {
            Next::GoOn => self.tell_all(touched),
            Next::Redial => self.redial(store, now_ms)?,
        }
        Ok(())
    }

    /// What needs no other frame.
    fn passing(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        frame: ServerFrame,
        touched: &mut Touched,
    ) -> Result<(), ChatError> {
        match frame {
            ServerFrame::Ack {
                number, position, ..
            } => {
                if let Phase::Open(link) = &mut self.phase {
                    let sender = &mut link.sender;
                    sender.acknowledged(store, now_ms, number, position, touched)?;
                }
            }
            ServerFrame::Nack { number, refused } => {
                if let Phase::Open(link) = &mut self.phase {
                    link.sender
                        .refused(store, now_ms, number, &refused, touched)?;
                }
            }
            ServerFrame::Cursor {
                room,
                account,
                read,
                delivered,
            } => {
                store
                    .change(|tx| store::account::put_cursor(tx, room, account, read, delivered))?;
                touched.cursors.insert(room);
            }
            ServerFrame::Presence { items } => self.out.push_back(Output::Presence(items)),
            ServerFrame::Typing(typing) => self.out.push_back(Output::Typing(typing)),
            ServerFrame::Drive { room, head } => {
                store.change(|tx| store::account::put_drive_head(tx, room, head))?;
                self.tell(Event::Drive { room, head });
            }
            // Answers to nothing that was asked, and what was heeded before.
            _ => {}
        }
        Ok(())
    }

    fn welcomed(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        welcome: &Welcome,
    ) -> Result<(), ChatError> {
        let is_other_epoch = match store.change(|tx| store::account::welcome(tx, welcome)) {
            Ok(is_other_epoch) => is_other_epoch,
            Err(error @ ChatError::OtherAccount { .. }) => {
                let detail = error.to_string();
                return self.hang_up(store, now_ms, Closed::Refused { detail });
            }
            Err(error) => return Err(error),
        };
        self.me = Some(welcome.account);
        if let Phase::Open(link) = &mut self.phase {
            link.is_welcome = true;
            link.is_other_epoch = is_other_epoch;
            if is_other_epoch {
                link.list_version = 0;
            }
            link.heartbeat_ms = i64::from(welcome.heartbeat_seconds.max(1)) * 1000;
            link.sender.welcomed(welcome.number);
        }
        Ok(())
    }

    fn ready(&mut self, store: &mut Store) -> Result<(), ChatError> {
        self.failed_count = 0;
        if let Phase::Open(link) = &mut self.phase {
            link.is_live = true;
            link.fetching.plan(store)?;
        }
        self.show(Connection::Live);
        Ok(())
    }

    fn entry(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        room: RoomId,
        entry: Entry,
    ) -> Result<(), ChatError> {
        let (Phase::Open(link), Some(me)) = (&mut self.phase, self.me) else {
            return Ok(());
        };
        let mut touched = Touched::default();
        let held = store.change(|tx| {
            let held = store::entry::apply_live(tx, room, &entry, me, &mut touched)?;
            if held != Held::Broken {
                return Ok(held);
            }
            // What is stored is not what the server has. The server's log is the log.
            tracing::warn!(%room, position = entry.position, "a log does not follow from what is stored; reading it anew");
            store::entry::begin_at(tx, room, entry.position - 1)?;
            store::entry::apply_live(tx, room, &entry, me, &mut touched)
        })?;
        match held {
            Held::Applied => {}
            // Another process that shares the store applied it, and told nobody in this one.
            Held::Known => touched.told(room),
            // Another process went on past it, and may be gone before it reads what is between.
            Held::Missed => {
                touched.told(room);
                link.fetching.want(room);
            }
            // It was left, or is told of in a moment.
            Held::NoRoom => return Ok(()),
            Held::Gap | Held::Broken => return self.redial(store, now_ms),
        }
        link.undelivered.insert(room);
        self.tell_all(touched);
        let told = self.said.entry(room).or_default();
        if entry.position > *told {
            *told = entry.position;
            let is_countable = entry.body.as_ref().is_some_and(Body::is_countable);
            if is_countable {
                self.tell(said(room, entry));
            }
        }
        Ok(())
    }
}

impl Link {
    fn list(
        &mut self,
        store: &mut Store,
        version: u64,
        items: &[AccountItem],
        touched: &mut Touched,
    ) -> Result<Next, ChatError> {
        let (stage, told) = (self.stage(), self.list_version);
        let now_told = store
            .change(|tx| store::account::apply_items(tx, told, version, items, stage, touched))?;
        let Some(now_told) = now_told else {
            return Ok(Next::Redial);
        };
        self.list_version = now_told;
        let rooms = items.iter().filter_map(|item| match item {
            AccountItem::Room(room) => Some(room.id),
            _ => None,
        });
        for room in rooms {
            self.undelivered.insert(room);
            self.fetching.told(room);
        }
        for item in items {
            if let AccountItem::Read { room, .. } = item
                && self.is_live
                && countable(store, *room)? == Next::Redial
            {
                return Ok(Next::Redial);
            }
        }
        Ok(Next::GoOn)
    }

    fn rooms(
        &mut self,
        store: &mut Store,
        rooms: &[Room],
        diverged: &[RoomId],
        touched: &mut Touched,
    ) -> Result<Next, ChatError> {
        let is_other_epoch = self.is_other_epoch;
        store.change(|tx| {
            store::account::apply_rooms(tx, rooms, diverged, is_other_epoch, touched)
        })?;
        self.undelivered.extend(rooms.iter().map(|room| room.id));
        Ok(Next::GoOn)
    }

    fn lag(
        &mut self,
        store: &mut Store,
        room: RoomId,
        head: KnownHead,
        touched: &mut Touched,
    ) -> Result<Next, ChatError> {
        store.change(|tx| store::entry::go_on_from(tx, room, head.position, head.hash, LAG_MAX))?;
        self.fetching.want(room);
        touched.timelines.insert(room);
        countable(store, room)
    }
}

/// Where what was let go was not counted either, only a new list says how much is unread.
fn countable(store: &mut Store, room: RoomId) -> Result<Next, ChatError> {
    let run = store.read(|tx| store::Run::read(tx, room))?;
    let is_countable = run.is_none_or(|run| run.is_countable());
    Ok(if is_countable {
        Next::GoOn
    } else {
        Next::Redial
    })
}
