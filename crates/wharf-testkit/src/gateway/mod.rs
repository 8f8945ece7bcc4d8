//! Clients of the gateways' protocols, and the suite that holds the gateways against the HTTP API.

pub mod diary;
pub mod filestored;
pub mod lossy;
pub mod netdisk;
pub mod parity;
pub mod pychat;
