//! Words of Wharf's domain: ids, names, hashes, limits, errors and the bodies of the HTTP API.
//!
//! No I/O, no async and no clock live here, so every other crate, the client's included, may depend on it.

pub mod api;
pub mod error;
pub mod fold;
pub mod hash;
pub mod id;
pub mod limit;
pub mod name;

pub use error::ErrorCode;
pub use hash::{ChunkHash, ContentHash, EntryHash};
pub use id::{
    AccountId, CommitId, ContactGroupId, DeviceId, HookId, ImportId, NodeId, PartialId, RoomId,
    SegmentId, SessionId,
};
pub use name::{DrivePath, Name};
