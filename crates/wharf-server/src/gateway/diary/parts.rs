//! Entries of which some parts have come. Only parts with a valid tag get here.

use std::collections::{BTreeMap, HashMap};

use wharf_types::api::journal::JournalKeyId;
use wharf_wire::gateway::journal::Header;

/// Most bytes that wait under one key; its oldest entry makes room.
const KEY_BYTES_MAX: usize = 256 * 1024;
/// Most bytes that wait in all; past it nothing new is begun.
const TOTAL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// For how long an entry waits for its next part.
const WAIT_MS: i64 = 30_000;
/// What an entry takes beside its text.
const ENTRY_BYTES: usize = 256;

type Name = (JournalKeyId, [u8; 16]);

/// What a part made of its entry.
pub(super) enum Joined {
    /// All parts are here: the text.
    Whole(Vec<u8>),
    /// These are missing, the lowest bit for the first part; `is_news` unless this one was here already.
    Missing { bits: u64, is_news: bool },
    /// It does not go with the parts before it, or there is no room for it.
    Refused,
}

struct Entry {
    count: u8,
    client_ms: i64,
    parts: BTreeMap<u8, Vec<u8>>,
    bytes: usize,
    touched_ms: i64,
}

#[derive(Default)]
pub(super) struct Parts {
    entries: HashMap<Name, Entry>,
    of_key: HashMap<JournalKeyId, usize>,
    bytes: usize,
    swept_ms: i64,
}

impl Parts {
    /// Adds a part.
    pub(super) fn join(&mut self, header: &Header, piece: &[u8], now_ms: i64) -> Joined {
        if header.count == 1 {
            return Joined::Whole(piece.to_vec());
        }
        self.sweep(now_ms);
        let name = (header.key, header.entry);
        let is_other = self.entries.get(&name).is_some_and(|entry| {
            entry.count != header.count || entry.client_ms != header.client_ms
        });
        let bytes = piece.len() + ENTRY_BYTES;
        if is_other || !self.make_room(name, bytes) {
            return Joined::Refused;
        }
        let entry = self.entries.entry(name).or_insert_with(|| Entry {
            count: header.count,
            client_ms: header.client_ms,
            parts: BTreeMap::new(),
            bytes: 0,
            touched_ms: now_ms,
        });
        entry.touched_ms = now_ms;
        let is_news = !entry.parts.contains_key(&header.index);
        if is_news {
            entry.parts.insert(header.index, piece.to_vec());
            entry.bytes += bytes;
            self.bytes += bytes;
            *self.of_key.entry(header.key).or_default() += bytes;
        }
        let bits = missing(entry);
        if bits != 0 {
            return Joined::Missing { bits, is_news };
        }
        let parts = self.remove(&name).map(|entry| entry.parts);
        Joined::Whole(parts.unwrap_or_default().into_values().flatten().collect())
    }

    /// Makes room for more of an entry, at the cost of the others of its key. Returns whether there is.
    fn make_room(&mut self, name: Name, bytes: usize) -> bool {
        while self.of_key.get(&name.0).copied().unwrap_or(0) + bytes > KEY_BYTES_MAX {
            let of_key = self.entries.iter().filter(|(other, _)| other.0 == name.0);
            let others = of_key.filter(|(other, _)| **other != name);
            let oldest = others.min_by_key(|(_, entry)| entry.touched_ms);
            match oldest.map(|(oldest, _)| *oldest) {
                Some(oldest) => drop(self.remove(&oldest)),
                None => return false,
            }
        }
        self.bytes + bytes <= TOTAL_BYTES_MAX
    }

    fn remove(&mut self, name: &Name) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        self.bytes -= entry.bytes;
        if let Some(bytes) = self.of_key.get_mut(&name.0) {
            *bytes -= entry.bytes;
            if *bytes == 0 {
                self.of_key.remove(&name.0);
            }
        }
        Some(entry)
    }

    fn sweep(&mut self, now_ms: i64) {
        if now_ms < self.swept_ms + 1000 {
            return;
        }
        self.swept_ms = now_ms;
        let old: Vec<Name> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.touched_ms + WAIT_MS < now_ms)
            .map(|(name, _)| *name)
            .collect();
        for name in old {
            self.remove(&name);
        }
    }
}

fn missing(entry: &Entry) -> u64 {
    (0..entry.count)
        .filter(|index| !entry.parts.contains_key(index))
        .fold(0, |bits, index| bits | 1 << index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entry: u8, index: u8, count: u8) -> Header {
        Header {
            key: JournalKeyId::from_bytes([1; 8]),
            entry: [entry; 16],
            client_ms: 5,
            index,
            count,
        }
    }

    fn bits(joined: &Joined) -> Option<(u64, bool)> {
        match joined {
            Joined::Missing { bits, is_news } => Some((*bits, *is_news)),
            _ => None,
        }
    }

    #[test]
    fn parts_come_in_any_order_and_more_than_once() {
        let mut parts = Parts::default();
        assert_eq!(
            bits(&parts.join(&header(1, 2, 3), b"c", 0)),
            Some((0b011, true))
        );
        assert_eq!(
            bits(&parts.join(&header(1, 2, 3), b"c", 0)),
            Some((0b011, false))
        );
        assert_eq!(
            bits(&parts.join(&header(1, 0, 3), b"a", 0)),
            Some((0b010, true))
        );
        let other = Header {
            client_ms: 6,
            ..header(1, 1, 3)
        };
        assert!(matches!(parts.join(&other, b"x", 0), Joined::Refused));
        let Joined::Whole(text) = parts.join(&header(1, 1, 3), b"b", 0) else {
            panic!("it is whole");
        };
        assert_eq!(
            (text.as_slice(), parts.bytes, parts.entries.len()),
            (b"abc".as_slice(), 0, 0)
        );
    }

    #[test]
    fn what_waits_is_bounded_for_each_key_and_in_all_and_in_time() {
        let mut parts = Parts::default();
        let piece = [b'x'; 1144];
        for entry in 0..=255 {
            for index in 0..5 {
                parts.join(&header(entry, index, 64), &piece, i64::from(entry));
            }
        }
        assert!(parts.bytes <= KEY_BYTES_MAX);
        assert!(
            parts
                .entries
                .contains_key(&(JournalKeyId::from_bytes([1; 8]), [255; 16]))
        );
        for key in 0..=255 {
            for entry in 0..100 {
                let mut header = header(entry, 0, 64);
                header.key = JournalKeyId::from_bytes([key; 8]);
                parts.join(&header, &piece, 300);
            }
        }
        assert!(parts.bytes <= TOTAL_BYTES_MAX);
        parts.join(&header(9, 0, 2), b"a", 300 + WAIT_MS + 1_000);
        assert_eq!(parts.entries.len(), 1);
        assert_eq!(parts.bytes, 1 + ENTRY_BYTES);
        assert_eq!(parts.of_key.len(), 1);
    }
}
