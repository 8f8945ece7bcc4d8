//! Entries of a log: the one packed form of what an entry says, and the chain of hashes that holds a log together.
//!
//! docs/protocol/log.md has the layout of both. A body has one packed form: what unpacks packs to the same bytes.

mod body;
mod chain;

pub use body::{InvalidBody, draft_digest, pack, unpack};
pub use chain::{Header, START, digest, kind_of, link};

#[cfg(test)]
mod tests;
