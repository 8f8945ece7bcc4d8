//! The frames of the older systems whose clients Wharf's gateways serve, one module for each protocol.
//!
//! These codecs know bytes and fields. What a request does, and which of a protocol's answers it gets, is the gateway's
//! session in wharf-server.

mod civil;
pub mod diary;
pub mod filestored;
pub mod journal;
pub mod netdisk;
pub mod pychat;
