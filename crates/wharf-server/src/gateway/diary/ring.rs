//! The keys that datagrams are verified with, as the house had them a few seconds ago.
//!
//! A key that was removed meanwhile still verifies, and then the house, which looks again, writes nothing.

use std::collections::HashMap;

use wharf_core::journal::{KeyRecord, KeySecret};
use wharf_types::api::journal::JournalKeyId;
use wharf_wire::gateway::journal::SealedKey;

/// For how long a key is not looked up again, and one that is none is not looked for.
const FRESH_MS: i64 = 10_000;
const ABSENT_MS: i64 = 2_000;
/// Most keys that are kept; all are forgotten when there are more.
const KEYS_MAX: usize = 100_000;
const ABSENT_MAX: usize = 4_096;
/// Most ids a second that are looked up for the first time: what strangers' inventions may cost the database.
const LOOKUPS_PER_SECOND: u32 = 500;

/// A key that is ready to verify with.
pub(super) enum Ready {
    Token([u8; 32]),
    Signed(String),
    Sealed(Box<SealedKey>),
}

/// What the ring has under an id.
pub(super) enum Found<'a> {
    Key(&'a Ready),
    /// There is none.
    Absent,
    /// The house has to be asked.
    Unknown,
}

#[derive(Default)]
pub(super) struct Ring {
    keys: HashMap<JournalKeyId, (Ready, i64)>,
    absent: HashMap<JournalKeyId, i64>,
    lookups: u32,
    /// The second that `lookups` counts.
    second: i64,
}

impl Ring {
    pub(super) fn find(&mut self, id: JournalKeyId, now_ms: i64) -> Found<'_> {
        let fresh_until_ms = self.keys.get(&id).map(|(_, until_ms)| *until_ms);
        match fresh_until_ms {
            Some(until_ms) if now_ms < until_ms => self
                .keys
                .get(&id)
                .map_or(Found::Absent, |(ready, _)| Found::Key(ready)),
            Some(_) => Found::Unknown,
            None => {
                let is_absent = self.absent.get(&id).is_some_and(|until| now_ms < *until);
                if is_absent || !self.may_look_up(now_ms) {
                    Found::Absent
                } else {
                    Found::Unknown
                }
            }
        }
    }

    fn may_look_up(&mut self, now_ms: i64) -> bool {
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            (self.second, self.lookups) = (second, 0);
        }
        self.lookups += 1;
        self.lookups <= LOOKUPS_PER_SECOND
    }

    /// Takes what the house answered about `asked`.
    pub(super) fn learn(&mut self, asked: &[JournalKeyId], found: Vec<KeyRecord>, now_ms: i64) {
        if self.keys.len() + found.len() > KEYS_MAX {
            self.keys.clear();
        }
        if self.absent.len() + asked.len() > ABSENT_MAX {
            self.absent.clear();
        }
        for id in asked {
            self.keys.remove(id);
            self.absent.insert(*id, now_ms + ABSENT_MS);
        }
        for record in found {
            self.absent.remove(&record.id);
            let ready = match record.secret {
                KeySecret::TokenHash(hash) => Ready::Token(hash),
                KeySecret::Hmac(secret) => Ready::Signed(secret),
                KeySecret::Sealed(secret) => {
                    Ready::Sealed(Box::new(SealedKey::new(record.id, &secret)))
                }
            };
            self.keys.insert(record.id, (ready, now_ms + FRESH_MS));
        }
    }

    /// Goes on with what it has where the house did not answer.
    pub(super) fn keep(&mut self, asked: &[JournalKeyId], now_ms: i64) {
        for id in asked {
            if let Some((_, fresh_until_ms)) = self.keys.get_mut(id) {
                *fresh_until_ms = now_ms + ABSENT_MS;
            }
        }
    }
}
