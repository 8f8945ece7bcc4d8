//! Entries that were saved or looked up a moment ago: what is sent again at once, because an answer was lost or late, costs no
//! transaction.
//!
//! What is remembered was durable when it was noted, and is believed for [`BELIEVED_MS`]: so long, at most, is somebody told what was
//! saved before whose key was removed meanwhile, through another server process or while the entry was on its way.

use std::collections::HashMap;

use parking_lot::Mutex;
use wharf_types::api::journal::JournalKeyId;

use super::save::SaveOutcome;

/// How long what is remembered is believed.
const BELIEVED_MS: i64 = 5_000;
/// Most entries that are remembered; all are forgotten when there are more.
const ENTRIES_MAX: usize = 16 * 1024;

/// An entry's key and the id that its author gave it.
type Name = (JournalKeyId, [u8; 16]);

#[derive(Default)]
pub(super) struct Recent {
    entries: Mutex<HashMap<Name, Entry>>,
}

struct Entry {
    digest: [u8; 32],
    position: u64,
    at_ms: i64,
    until_ms: i64,
}

impl Recent {
    /// What a key's entry of this id and text is answered, if that is known.
    pub(super) fn find(
        &self,
        key: JournalKeyId,
        id: [u8; 16],
        digest: &[u8; 32],
        steady_ms: i64,
    ) -> Option<SaveOutcome> {
        let entries = self.entries.lock();
        let entry = entries.get(&(key, id))?;
        let is_it = steady_ms < entry.until_ms && entry.digest == *digest;
        is_it.then_some(SaveOutcome::Saved {
            position: entry.position,
            at_ms: entry.at_ms,
            is_repeated: true,
        })
    }

    /// Notes an entry that is durable.
    pub(super) fn note(
        &self,
        key: JournalKeyId,
        id: [u8; 16],
        digest: [u8; 32],
        outcome: &SaveOutcome,
        steady_ms: i64,
    ) {
        let SaveOutcome::Saved {
            position, at_ms, ..
        } = *outcome
        else {
            return;
        };
        let entry = Entry {
            digest,
            position,
            at_ms,
            until_ms: steady_ms + BELIEVED_MS,
        };
        let mut entries = self.entries.lock();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert((key, id), entry);
    }

    /// Forgets what a key has written: it is removed.
    pub(super) fn forget(&self, key: JournalKeyId) {
        self.entries.lock().retain(|(of, _), _| *of != key);
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::api::journal::JournalKeyId;

    use super::super::save::SaveOutcome;
    use super::{BELIEVED_MS, ENTRIES_MAX, Recent};

    const SAVED: SaveOutcome = SaveOutcome::Saved {
        position: 7,
        at_ms: 3,
        is_repeated: false,
    };
    const REPEATED: SaveOutcome = SaveOutcome::Saved {
        position: 7,
        at_ms: 3,
        is_repeated: true,
    };

    #[test]
    fn what_was_saved_is_known_for_a_while_by_its_key_id_and_text() {
        let recent = Recent::default();
        let [key, other] = [[1; 8], [2; 8]].map(JournalKeyId::from_bytes);
        recent.note(key, [1; 16], [5; 32], &SAVED, 100);
        recent.note(key, [2; 16], [5; 32], &SaveOutcome::Invalid, 100);
        let find = |key, id, digest, ms| recent.find(key, [id; 16], &[digest; 32], ms);
        assert_eq!(find(key, 1, 5, 99 + BELIEVED_MS), Some(REPEATED));
        assert_eq!(find(key, 1, 5, 100 + BELIEVED_MS), None);
        assert_eq!(find(key, 1, 6, 100), None);
        assert_eq!(find(key, 2, 5, 100), None);
        assert_eq!(find(other, 1, 5, 100), None);
        recent.forget(other);
        assert_eq!(find(key, 1, 5, 100), Some(REPEATED));
        recent.forget(key);
        assert_eq!(find(key, 1, 5, 100), None);
    }

    #[test]
    fn memory_is_bounded() {
        let recent = Recent::default();
        let key = JournalKeyId::from_bytes([1; 8]);
        for number in 0..2 * ENTRIES_MAX as u128 {
            recent.note(key, number.to_be_bytes(), [5; 32], &SAVED, 0);
        }
        assert!(recent.entries.lock().len() <= ENTRIES_MAX);
    }
}
