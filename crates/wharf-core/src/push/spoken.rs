//! What was said and not looked at yet, in this process's memory: a stretch of positions for each room.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use wharf_types::RoomId;
use wharf_types::api::log::{Body, Entry};

/// Most rooms that wait. What is said in further ones meanwhile makes no notice.
const ROOMS_MAX: usize = 10_000;
/// Rooms that are looked at in one go.
const ROOMS_AT_ONCE: usize = 200;

/// Texts and files from `first` to `last`, and what stands between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// What was said and not looked at yet.
#[derive(Debug)]
pub(crate) struct Spoken {
    is_wanted: bool,
    rooms: Mutex<BTreeMap<RoomId, Stretch>>,
    ring: Notify,
}

impl Spoken {
    /// Nothing yet. Unless it `is_wanted`, it stays so.
    pub(crate) fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            rooms: Mutex::default(),
            ring: Notify::new(),
        }
    }

    /// Notes what is countable among new entries.
    pub(crate) fn add(&self, entries: &[(RoomId, Arc<Entry>)]) {
        let said = entries.iter().filter(|(_, entry)| is_said(entry));
        self.note(said.map(|(room, entry)| {
            let (first, last) = (entry.position, entry.position);
            (*room, Stretch { first, last })
        }));
    }

    pub(super) fn note(&self, said: impl Iterator<Item = (RoomId, Stretch)>) {
        let mut said = said.peekable();
        if !self.is_wanted || said.peek().is_none() {
            return;
        }
        let mut rooms = self.rooms.lock();
        for (room, new) in said {
            let is_full = rooms.len() >= ROOMS_MAX;
            match rooms.entry(room) {
                Place::Occupied(mut place) => {
                    let known = place.get_mut();
                    known.first = known.first.min(new.first);
                    known.last = known.last.max(new.last);
                }
                Place::Vacant(place) if !is_full => {
                    place.insert(new);
                }
                Place::Vacant(_) => {}
            }
        }
        drop(rooms);
        self.ring.notify_one();
    }

    /// Takes some of it, and rings again if there is more.
    pub(super) fn take(&self) -> Vec<(RoomId, Stretch)> {
        let mut rooms = self.rooms.lock();
        let mut taken = Vec::new();
        while taken.len() < ROOMS_AT_ONCE
            && let Some(one) = rooms.pop_first()
        {
            taken.push(one);
        }
        if !rooms.is_empty() {
            self.ring.notify_one();
        }
        taken
    }

    pub(super) async fn rung(&self) {
        self.ring.notified().await;
    }
}

fn is_said(entry: &Entry) -> bool {
    matches!(entry.body, Some(Body::Text(_) | Body::File(_)))
}

#[cfg(test)]
mod tests {
    use wharf_types::RoomId;

    use super::{ROOMS_AT_ONCE, ROOMS_MAX, Spoken, Stretch};

    fn room(number: usize) -> RoomId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
        RoomId::from_bytes(bytes)
    }

    fn at(position: u64) -> Stretch {
        Stretch {
            first: position,
            last: position,
        }
    }

    #[test]
    fn what_is_said_in_a_room_meanwhile_is_one_stretch() {
        let spoken = Spoken::new(true);
        spoken.note(
            [
                (room(1), at(7)),
                (room(2), at(1)),
                (room(1), at(5)),
                (room(1), at(9)),
            ]
            .into_iter(),
        );
        let stretch = Stretch { first: 5, last: 9 };
        assert_eq!(spoken.take(), [(room(1), stretch), (room(2), at(1))]);
        assert_eq!(spoken.take(), []);
    }

    #[test]
    fn it_is_bounded_and_taken_in_pieces() {
        let spoken = Spoken::new(true);
        spoken.note((0..ROOMS_MAX + 10).map(|number| (room(number), at(1))));
        spoken.note([(room(3), at(2))].into_iter());
        let first = spoken.take();
        assert_eq!(first.len(), ROOMS_AT_ONCE);
        assert_eq!(first[3].1, Stretch { first: 1, last: 2 });
        let mut rest = 0;
        loop {
            match spoken.take().len() {
                0 => break,
                count => rest += count,
            }
        }
        assert_eq!(rest, ROOMS_MAX - ROOMS_AT_ONCE);
    }

    #[test]
    fn a_server_without_notices_notes_nothing() {
        let spoken = Spoken::new(false);
        spoken.note([(room(1), at(7))].into_iter());
        assert_eq!(spoken.take(), []);
    }
}
