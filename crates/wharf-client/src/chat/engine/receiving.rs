//! What the server says.

use wharf_types::RoomId;
use wharf_types::api::live::{ServerFrame, Welcome};
use wharf_types::api::log::Entry;
use wharf_types::api::room::AccountItem;

use super::{Closed, Engine, Output, Phase, said};
use crate::chat::error::ChatError;
use crate::chat::event::{Connection, Event};
use crate::chat::store::{self, Held, Store, Touched};

/// The longest gap that is closed by reading it; past it the list is asked for anew.
const LAG_MAX: u64 = 1000;

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
        match frame {
            ServerFrame::Account { version, items } => {
                let stage = link.stage();
                let told = link.list_version;
                let now_told = store.change(|tx| {
                    store::account::apply_items(tx, told, version, &items, stage, &mut touched)
                })?;
                let Some(now_told) = now_told else {
                    return self.redial(store, now_ms);
                };
                link.list_version = now_told;
                let rooms = items.iter().filter_map(|item| match item {
                    AccountItem::Room(room) => Some(room.id),
                    _ => None,
                });
                link.undelivered.extend(rooms);
            }
            ServerFrame::Rooms { items, diverged } => {
                let is_other_epoch = link.is_other_epoch;
                store.change(|tx| {
                    store::account::apply_rooms(tx, &items, &diverged, is_other_epoch, &mut touched)
                })?;
                link.undelivered.extend(items.iter().map(|room| room.id));
            }
            ServerFrame::Ready => {
                store.change(|tx| store::account::forget_stale(tx, &mut touched))?;
                self.ready(store)?;
            }
            ServerFrame::Entry { room, entry } => {
                return self.entry(store, now_ms, room, *entry);
            }
            ServerFrame::Skip { room, from, to } => {
                if store.change(|tx| store::entry::skip(tx, room, from, to))? == Held::Gap {
                    return self.redial(store, now_ms);
                }
            }
            ServerFrame::Lag { room, head, hash } => {
                let run = store.change(|tx| {
                    store::entry::go_on_from(tx, room, head, hash, LAG_MAX)?;
                    store::Run::read(tx, room)
                })?;
                // What was let go was not counted either: only a new list says how much is unread.
                if run.is_some_and(|run| !run.is_countable()) {
                    return self.redial(store, now_ms);
                }
                link.fetching.want(room);
                touched.timelines.insert(room);
            }
            ServerFrame::Ack {
                number, position, ..
            } => link
                .sender
                .acknowledged(store, now_ms, number, position, &mut touched)?,
            ServerFrame::Nack { number, refused } => {
                link.sender
                    .refused(store, now_ms, number, &refused, &mut touched)?;
            }
            ServerFrame::Page { id, room, page } => {
                let me = self.me;
                if link.fetching.answered(store, id, room, &page, me)? {
                    touched.timelines.insert(room);
                    touched.rooms.insert(room);
                }
                let run = store.read(|tx| store::Run::read(tx, room))?;
                if run.is_some_and(|run| !run.is_countable()) {
                    return self.redial(store, now_ms);
                }
            }
            ServerFrame::PageRefused { id, .. } => link.fetching.refused(id),
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
            ServerFrame::Welcome(_) | ServerFrame::Pong { .. } | ServerFrame::Bye { .. } => {}
        }
        self.tell_all(touched);
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
            Held::Applied | Held::Known => {}
            // It was left, or is told of in a moment.
            Held::NoRoom => return Ok(()),
            Held::Gap | Held::Broken => return self.redial(store, now_ms),
        }
        link.undelivered.insert(room);
        self.tell_all(touched);
        let told = self.said.entry(room).or_default();
        if entry.position > *told {
            *told = entry.position;
            let is_countable = entry.body.as_ref().is_some_and(|body| body.is_countable());
            if is_countable {
                self.tell(said(room, entry));
            }
        }
        Ok(())
    }
}
