//! Gateways: doors for the clients of older systems, each with its protocol, its limits and its quirks.
//!
//! A gateway has a codec in [`wharf_wire::gateway`], a session that turns its frames into operations of the house and
//! does no I/O of its own, and a map between the house's words and the protocol's. What moves bytes is written once, in
//! [`serve`]. Every gateway is off until it is configured. Their protocols are weak by nature (plain text, MD5), so each
//! listens on loopback unless it is told otherwise, and says at its start how weak it is.

mod accept;
mod bound;
mod config;
mod counters;
mod diary;
mod filestored;
mod netdisk;
mod packet;
mod protocol;
mod pychat;
mod serve;

pub use bound::GatewayError;
pub(crate) use bound::{Bound, bind};
pub use config::{GatewayConfig, GatewayName, Gateways};
pub(crate) use counters::{Counted, Counters};
pub use diary::{DiaryOptions, Profile};
pub use filestored::FilestoredConfig;
