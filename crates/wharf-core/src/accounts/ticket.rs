//! Tickets: what a gateway's client shows after its login, in place of a token.
//!
//! The old protocols have room for 32 letters and digits, and a second login of one person gets the same ones. So a ticket
//! is derived from its session's id with a key of the server, and can be told again after a restart although the database
//! has its hash alone. The hash depends on the gateway: a ticket is nothing at any other door.

use wharf_store::sql::{self, Tx};
use wharf_types::api::app_password::AppDoor;
use wharf_types::{AccountId, SessionId};

use super::credential::Secret;
use crate::setting;

/// Letters and digits of a ticket: 190 bits.
const TICKET_CHARS: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes tickets.
pub(super) struct Tickets {
    key: [u8; 32],
}

impl Tickets {
    /// Takes the server's key, which is `fresh_key` from now on if there was none.
    pub(super) fn open(tx: &mut Tx<'_>, fresh_key: &[u8; 32]) -> sql::Result<Self> {
        let Some(kept) = setting::get(tx, setting::TICKET_KEY)? else {
            let text = data_encoding::HEXLOWER.encode(fresh_key);
            setting::put(tx, setting::TICKET_KEY, &text)?;
            return Ok(Self { key: *fresh_key });
        };
        let key = data_encoding::HEXLOWER.decode(kept.as_bytes()).ok();
        match key.and_then(|key| key.try_into().ok()) {
            Some(key) => Ok(Self { key }),
            None => Err(sql::Error::corrupt("the key of tickets")),
        }
    }

    /// The ticket of a session, and what the database knows it by.
    pub(super) fn of(&self, session: SessionId, door: AppDoor) -> Secret {
        let mut stream = blake3::Hasher::new_keyed(&self.key)
            .update(session.as_bytes())
            .finalize_xof();
        let mut text = String::with_capacity(TICKET_CHARS);
        while text.len() < TICKET_CHARS {
            let mut byte = [0];
            stream.fill(&mut byte);
            // 248 is 4 × 62: above it letters would not be equally likely.
            let index = usize::from(byte[0]);
            if let Some(letter) = ALPHABET.get(index % ALPHABET.len()).filter(|_| index < 248) {
                text.push(char::from(*letter));
            }
        }
        let hash = hash(&text, door);
        Secret { text, hash }
    }

    /// The session of those who come through a door without a login, for the account that they are let in as.
    pub(super) fn standing(&self, account: AccountId, door: AppDoor) -> SessionId {
        let hash = blake3::Hasher::new_keyed(&self.key)
            .update(b"without a login ")
            .update(account.as_bytes())
            .update(door.text().as_bytes())
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(hash.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]));
        SessionId::from_bytes(id)
    }
}

/// What the database knows a ticket by, or nothing if the text is none.
pub(super) fn ticket_hash(text: &str, door: AppDoor) -> Option<[u8; 32]> {
    let is_ticket = text.len() == TICKET_CHARS && text.bytes().all(|c| c.is_ascii_alphanumeric());
    is_ticket.then(|| hash(text, door))
}

/// Never what a token of the API hashes to: those are 32 bytes without a name before them.
fn hash(ticket: &str, door: AppDoor) -> [u8; 32] {
    *blake3::Hasher::new_derive_key("wharf 2026 ticket of a gateway")
        .update(door.text().as_bytes())
        .update(&[0])
        .update(ticket.as_bytes())
        .finalize()
        .as_bytes()
}

#[cfg(test)]
mod tests {
    use wharf_types::SessionId;
    use wharf_types::api::app_password::AppDoor;

    use super::{Tickets, ticket_hash};

    #[test]
    fn a_ticket_is_the_same_each_time_and_another_for_each_session_key_and_door() {
        let tickets = Tickets { key: [1; 32] };
        let session = SessionId::from_bytes([7; 16]);
        let ticket = tickets.of(session, AppDoor::Netdisk);
        assert_eq!(ticket.text.len(), 32);
        assert!(ticket.text.bytes().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(tickets.of(session, AppDoor::Netdisk).text, ticket.text);
        assert_eq!(
            ticket_hash(&ticket.text, AppDoor::Netdisk),
            Some(ticket.hash)
        );
        assert_ne!(
            ticket_hash(&ticket.text, AppDoor::PyChat),
            Some(ticket.hash)
        );
        let other = SessionId::from_bytes([8; 16]);
        assert_ne!(tickets.of(other, AppDoor::Netdisk).text, ticket.text);
        let elsewhere = Tickets { key: [2; 32] };
        assert_ne!(elsewhere.of(session, AppDoor::Netdisk).text, ticket.text);
    }

    #[test]
    fn other_texts_are_no_tickets() {
        for bad in [
            "",
            &"a".repeat(31),
            &"a".repeat(33),
            &"-".repeat(32),
            &"é".repeat(16),
        ] {
            assert_eq!(ticket_hash(bad, AppDoor::Netdisk), None, "{bad:?}");
        }
    }
}
