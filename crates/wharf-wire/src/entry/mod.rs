//! Entries of a log: the one packed form of what an entry says, and the chain of hashes that holds a log together.
//!
//! The end of the chain at an entry is
//!
//! ```text
//! BLAKE3-256( hash before it (32) ‖ header ‖ digest (32) )        digest = BLAKE3-256( packed body )
//! ```
//!
//! and 32 zero bytes before the first. So a body can be erased and its digest kept, and the chain still verifies.
//! All numbers are little-endian. The header:
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 1 | version, 1 |
//! | 16 | room |
//! | 8 | position |
//! | 1 | kind: 0 text, 1 file, 2 edit, 3 recall, 4 reaction, 5 pin, 6 member, 7 settings |
//! | 8 | the server's time, signed |
//! | 8 | countable |
//! | 1 | what follows: 1 account, 2 session, 4 hook, 8 author's name, 16 sender's time, 32 target |
//! | 16, 16, 16 | account, session, hook |
//! | 2 + n | author's name: its length, then UTF-8 |
//! | 8 | sender's time, signed |
//! | 8 | target |
//! | 1 + n | door: its length, then UTF-8 |
//!
//! The address that an entry came from is not chained: only its author is told, so nobody else could check it, and it
//! may be forgotten sooner than what was said.
//!
//! A packed body is a version byte, 1, a kind byte as above, and then:
//!
//! | kind | bytes |
//! | --- | --- |
//! | text | flags: 1 reply, 2 everybody, 4 mentions; reply (8); mentions; text (4 + n) |
//! | file | flags as for a text, and 8 dimensions; reply; mentions; node (16); revision (8); bytes (8); content (32); width and height (4 + 4); name (4 + n); text (4 + n) |
//! | edit | flags 2 and 4; mentions; target (8); text (4 + n) |
//! | recall | target (8) |
//! | reaction | whether it is set (1); target (8); emoji (4 + n) |
//! | pin | whether it is set (1); target (8) |
//! | member | change (1): 0 joined, 1 left, 2 removed, 3 role; role (1): 0 none, 1 reader, 2 editor, 3 owner; account (16) |
//! | settings | flags: 1 name, 2 topic, 4 history, 8 days, 16 archived; name (4 + n); topic (4 + n); history (1): 0 joined, 1 all; days (4); archived (1) |
//!
//! Mentions are a count (1), 1 to 100, and that many account ids, ascending, each once. A body has one packed form:
//! what unpacks packs to the same bytes.

mod body;
mod chain;

pub use body::{InvalidBody, draft_digest, pack, unpack};
pub use chain::{Header, START, digest, kind_of, link};

#[cfg(test)]
mod tests;
