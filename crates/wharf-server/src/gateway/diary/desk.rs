//! What a datagram is, whether it is let in, and who it is proved to be from. No I/O, no waiting.

use std::net::{IpAddr, SocketAddr};

use subtle::ConstantTimeEq;
use wharf_core::journal::{KeyRecord, Save, SaveId};
use wharf_types::api::journal::JournalKeyId;
use wharf_wire::gateway::diary::{self, Request};
use wharf_wire::gateway::journal::{
    Ack, AckStatus, Answer, Datagram, Header, SealedKey, SignedLine, TextLine, answer_bytes_max,
    check_text, key_of_token, parse, token_hash, verify_signed,
};

use super::networks::Networks;
use super::parts::{Joined, Parts};
use super::ring::{Found, Ready, Ring};
use super::{DiaryOptions, Profile, map};
use crate::gateway::Counters;

/// What a door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    Both,
    Diary,
    Journal,
}

/// What is to be done about a datagram.
pub(super) enum Wanted {
    /// Nothing.
    Nothing,
    /// This is to be answered.
    Reply(Vec<u8>),
    /// The house has to be asked for a key; then the datagram is tried again.
    Key(JournalKeyId),
    /// The house is to save this.
    Save(Box<Pending>),
    /// The old diary is asked this.
    Diary(Diary),
}

/// What a diary client asks.
pub(super) struct Diary {
    pub(super) from: SocketAddr,
    pub(super) what: Asked,
}

pub(super) enum Asked {
    Entry(String),
    Sync,
    Where(diary::Condition),
    List,
    WhoAmI,
}

/// An entry on its way to the house, and how its sender will be told.
pub(super) struct Pending {
    pub(super) save: Save,
    pub(super) from: SocketAddr,
    pub(super) tell: Tell,
}

pub(super) enum Tell {
    /// A line of at most so many bytes.
    Line { bytes_max: usize },
    /// An acknowledgement.
    Ack {
        key: Box<SealedKey>,
        entry: [u8; 16],
    },
}

/// The desk of one port.
pub(super) struct Desk {
    serves: Serves,
    profile: Profile,
    networks: Networks,
    ring: Ring,
    parts: Parts,
}

impl Desk {
    pub(super) fn new(serves: Serves, options: &DiaryOptions) -> Self {
        Self {
            serves,
            profile: options.profile,
            networks: Networks::new(options.network_per_second),
            ring: Ring::default(),
            parts: Parts::default(),
        }
    }

    /// Whether a datagram from this address is looked at. A network of the server's own is not counted: there the house's
    /// bounds on senders do.
    pub(super) fn admit(&mut self, from: SocketAddr, now_ms: i64) -> bool {
        is_near(from.ip()) || self.networks.admit(from.ip(), now_ms)
    }

    /// Takes what the house answered about keys; `None` when it could not.
    pub(super) fn learn(
        &mut self,
        asked: &[JournalKeyId],
        found: Option<Vec<KeyRecord>>,
        now_ms: i64,
    ) {
        match found {
            Some(found) => self.ring.learn(asked, found, now_ms),
            None => self.ring.keep(asked, now_ms),
        }
    }

    /// Says what is to be done about a datagram. Opens it in place.
    pub(super) fn take(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        now_ms: i64,
        counters: &Counters,
    ) -> Wanted {
        let bytes_max = answer_bytes_max(datagram.len());
        let claimed = match self.serves {
            Serves::Both | Serves::Journal => parse(datagram),
            Serves::Diary => None,
        };
        let wanted = match claimed {
            Some(Datagram::Text(line)) => self.text(from, line, bytes_max, now_ms),
            Some(Datagram::Signed(line)) => self.signed(from, &line, bytes_max, now_ms),
            Some(Datagram::Sealed(header)) => self.sealed(from, &header, datagram, now_ms),
            None => self.other(from, datagram, bytes_max),
        };
        match wanted {
            Wanted::Save(_) | Wanted::Diary(_) => counters.frame(),
            Wanted::Reply(_) | Wanted::Nothing => {}
            Wanted::Key(_) => return wanted,
        }
        wanted
    }

    fn text(
        &mut self,
        from: SocketAddr,
        line: TextLine<'_>,
        bytes_max: usize,
        now_ms: i64,
    ) -> Wanted {
        if self.profile == Profile::Lan && !is_near(from.ip()) {
            return Wanted::Nothing;
        }
        let hash = token_hash(line.token);
        let id = key_of_token(&hash);
        let is_right = match self.ring.find(id, now_ms) {
            Found::Key(Ready::Token(right)) => bool::from(right.ct_eq(&hash)),
            Found::Key(_) | Found::Absent => false,
            Found::Unknown => return Wanted::Key(id),
        };
        if !is_right {
            return self.stranger(from, bytes_max);
        }
        line_wanted(from, id, SaveId::Text, line.text, None, bytes_max)
    }

    fn signed(
        &mut self,
        from: SocketAddr,
        line: &SignedLine<'_>,
        bytes_max: usize,
        now_ms: i64,
    ) -> Wanted {
        let is_right = match self.ring.find(line.key, now_ms) {
            Found::Key(Ready::Signed(secret)) => verify_signed(secret, line),
            Found::Key(_) | Found::Absent => false,
            Found::Unknown => return Wanted::Key(line.key),
        };
        if !is_right {
            return self.stranger(from, bytes_max);
        }
        let mut id = [0; 16];
        for (to, byte) in id.iter_mut().zip(line.tag) {
            *to = byte;
        }
        let client_ms = line.time_s.checked_mul(1000);
        let id = SaveId::Entry(id);
        line_wanted(from, line.key, id, line.text, client_ms, bytes_max)
    }

    fn sealed(
        &mut self,
        from: SocketAddr,
        header: &Header,
        datagram: &mut [u8],
        now_ms: i64,
    ) -> Wanted {
        let key = match self.ring.find(header.key, now_ms) {
            Found::Key(Ready::Sealed(key)) => key.clone(),
            Found::Key(_) | Found::Absent => return Wanted::Nothing,
            Found::Unknown => return Wanted::Key(header.key),
        };
        let Some(piece) = key.open(header, datagram) else {
            return Wanted::Nothing;
        };
        let text = match self.parts.join(header, piece, now_ms) {
            Joined::Whole(text) => text,
            // Whoever sends the last part, or one again, wants to know what is missing.
            Joined::Missing { bits, is_news } if !is_news || header.index + 1 == header.count => {
                return Wanted::Reply(key.acknowledge(&Ack {
                    status: AckStatus::Partial,
                    missing: bits,
                    ..map::later(header.entry)
                }));
            }
            Joined::Missing { .. } | Joined::Refused => return Wanted::Nothing,
        };
        let Ok(text) = String::from_utf8(text) else {
            return Wanted::Reply(key.acknowledge(&Ack {
                status: AckStatus::Invalid,
                ..map::later(header.entry)
            }));
        };
        Wanted::Save(Box::new(Pending {
            save: Save {
                key: header.key,
                id: SaveId::Entry(header.entry),
                text,
                client_ms: Some(header.client_ms),
                from,
            },
            from,
            tell: Tell::Ack {
                key,
                entry: header.entry,
            },
        }))
    }

    /// What is nothing of the journal: the old diary's, if it is served to this sender.
    fn other(&self, from: SocketAddr, datagram: &[u8], bytes_max: usize) -> Wanted {
        if self.serves == Serves::Journal {
            return self.stranger(from, bytes_max);
        }
        if self.profile == Profile::Internet || !is_near(from.ip()) {
            return Wanted::Nothing;
        }
        let what = match diary::parse(datagram) {
            Request::Sync => Asked::Sync,
            Request::Entry(text) => Asked::Entry(String::from_utf8_lossy(text).into_owned()),
            Request::List => Asked::List,
            Request::Where(condition) => Asked::Where(condition),
            Request::WhoAmI => Asked::WhoAmI,
            Request::Nothing | Request::Unknown => return Wanted::Nothing,
        };
        Wanted::Diary(Diary { from, what })
    }

    /// What who proves nothing is told: on one's own network that it is so, elsewhere nothing.
    fn stranger(&self, from: SocketAddr, bytes_max: usize) -> Wanted {
        if self.profile == Profile::Internet || !is_near(from.ip()) {
            return Wanted::Nothing;
        }
        match Answer::Auth.render(bytes_max) {
            Some(line) => Wanted::Reply(line.into_bytes()),
            None => Wanted::Nothing,
        }
    }
}

fn line_wanted(
    from: SocketAddr,
    key: JournalKeyId,
    id: SaveId,
    text: &[u8],
    client_ms: Option<i64>,
    bytes_max: usize,
) -> Wanted {
    match check_text(text) {
        Ok(text) => Wanted::Save(Box::new(Pending {
            save: Save {
                key,
                id,
                text: text.to_owned(),
                client_ms,
                from,
            },
            from,
            tell: Tell::Line { bytes_max },
        })),
        Err(fault) => match Answer::Fault(fault).render(bytes_max) {
            Some(line) => Wanted::Reply(line.into_bytes()),
            None => Wanted::Nothing,
        },
    }
}

/// Whether an address is of a network that the Internet does not reach: loopback, private, link-local, or a provider's own.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests;
