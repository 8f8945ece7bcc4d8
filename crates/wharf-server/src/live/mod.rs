//! The live door: `GET /api/v1/live`, a WebSocket. docs/protocol/live.md is what it speaks.
//!
//! [`socket`] moves bytes, [`session`] is the connection without its bytes. Frames that are told to many are made into
//! bytes once and written from there to each.

mod budget;
mod session;
mod socket;

pub use session::{Session, Sink};
pub use socket::converse;
