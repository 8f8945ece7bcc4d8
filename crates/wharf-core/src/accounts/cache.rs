//! Sessions that this process has seen lately, so that most requests ask no database who they are from.
//!
//! What is remembered is believed for [`BELIEVED_MS`], which bounds how long a session that was ended through *another*
//! server process is still let in here. In this process an end is exact: [`SessionCache::revoke`] is called before the
//! database is told, and for a while after it nothing about that account is remembered at all, so that a look-up that
//! read the old state cannot bring it back.

use std::collections::HashMap;

use parking_lot::RwLock;
use wharf_types::AccountId;

use crate::caller::Person;

/// How long what is remembered is believed.
const BELIEVED_MS: i64 = 5_000;
/// How long after a revocation nothing about the account is remembered: longer than any write takes.
const DISTRUST_MS: i64 = 60_000;
/// Most sessions that are remembered.
const SESSIONS_MAX: usize = 16 * 1024;

/// Sessions by the hash of their token.
#[derive(Default)]
pub(super) struct SessionCache {
    memory: RwLock<Memory>,
}

#[derive(Default)]
struct Memory {
    seen: HashMap<[u8; 32], Seen>,
    /// Until when nothing is remembered about an account.
    distrusted_until: HashMap<AccountId, i64>,
}

struct Seen {
    person: Person,
    believed_until: i64,
}

impl SessionCache {
    /// Whose session it is, if that was seen lately.
    pub(super) fn get(&self, token_hash: &[u8; 32], steady_ms: i64) -> Option<Person> {
        let memory = self.memory.read();
        let seen = memory.seen.get(token_hash)?;
        (steady_ms < seen.believed_until).then_some(seen.person)
    }

    /// Remembers a session that was just read from the database.
    pub(super) fn keep(&self, token_hash: [u8; 32], person: Person, steady_ms: i64) {
        let mut memory = self.memory.write();
        if let Some(until) = memory.distrusted_until.get(&person.account) {
            if steady_ms < *until {
                return;
            }
            memory.distrusted_until.remove(&person.account);
        }
        if memory.seen.len() >= SESSIONS_MAX {
            memory
                .seen
                .retain(|_, seen| steady_ms < seen.believed_until);
        }
        if memory.seen.len() >= SESSIONS_MAX {
            // More sessions in five seconds than fit: begin again rather than grow.
            memory.seen.clear();
        }
        memory.seen.insert(
            token_hash,
            Seen {
                person,
                believed_until: steady_ms + BELIEVED_MS,
            },
        );
    }

    /// Forgets an account's sessions. Call it before the write that ends any of them.
    pub(super) fn revoke(&self, account: AccountId, steady_ms: i64) {
        let mut memory = self.memory.write();
        memory.seen.retain(|_, seen| seen.person.account != account);
        memory
            .distrusted_until
            .retain(|_, until| steady_ms < *until);
        memory
            .distrusted_until
            .insert(account, steady_ms + DISTRUST_MS);
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::api::account::AccountRole;
    use wharf_types::{AccountId, RoomId, SessionId};

    use super::{BELIEVED_MS, DISTRUST_MS, SESSIONS_MAX, SessionCache};
    use crate::caller::Person;

    fn person(account: u8) -> Person {
        Person {
            account: AccountId::from_bytes([account; 16]),
            role: AccountRole::Member,
            session: SessionId::from_bytes([9; 16]),
            home: RoomId::from_bytes([8; 16]),
        }
    }

    fn token(number: usize) -> [u8; 32] {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&number.to_le_bytes());
        token
    }

    #[test]
    fn what_was_seen_is_believed_for_a_while() {
        let cache = SessionCache::default();
        cache.keep(token(1), person(1), 100);
        assert_eq!(cache.get(&token(1), 100 + BELIEVED_MS - 1), Some(person(1)));
        assert_eq!(cache.get(&token(1), 100 + BELIEVED_MS), None);
        assert_eq!(cache.get(&token(2), 100), None);
    }

    #[test]
    fn a_revoked_account_is_not_brought_back_by_a_look_up_that_began_before() {
        let cache = SessionCache::default();
        cache.keep(token(1), person(1), 0);
        cache.keep(token(2), person(2), 0);
        cache.revoke(person(1).account, 1);
        assert_eq!(cache.get(&token(1), 1), None);
        assert_eq!(
            cache.get(&token(2), 1),
            Some(person(2)),
            "others are not concerned"
        );
        cache.keep(token(1), person(1), 2);
        assert_eq!(cache.get(&token(1), 2), None);
        cache.keep(token(1), person(1), 1 + DISTRUST_MS);
        assert_eq!(cache.get(&token(1), 1 + DISTRUST_MS), Some(person(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let cache = SessionCache::default();
        for number in 0..2 * SESSIONS_MAX {
            cache.keep(token(number), person(1), 0);
        }
        assert!(cache.memory.read().seen.len() <= SESSIONS_MAX);
        assert_eq!(cache.get(&token(2 * SESSIONS_MAX - 1), 0), Some(person(1)));
    }
}
