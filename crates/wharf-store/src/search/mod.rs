//! The inverted index of the search: for each room and term, the documents that have it.
//!
//! A document is a number, greater for what is newer; what it stands for is the house's matter. The documents of a term
//! ascend in blocks of bounded size: [`postings`] packs them, [`Changes`] change them, and a [`List`] walks them from the
//! newest to the oldest, jumping over blocks that nobody asks for. Every key begins with the room, so that a search reads
//! nothing of rooms that the asker is no member of, and takes no time for them either.
//!
//! The index is written behind the logs and drives, in transactions of its own, and can be made again from them.

pub mod postings;
mod read;
mod write;

pub use read::{List, Reads, docs, list};
pub use write::{Changes, Edit, Edits, clear};

/// The number of the open block of a term: the last one, which grows.
pub const OPEN: u64 = i64::MAX as u64;

/// Most bytes of a block. More would be kept outside of SQLite's leaves, at the price of another page for each.
pub const BLOCK_BYTES_MAX: usize = 900;
