//! Clients of the gateways' protocols, and the suite that holds the gateways against the HTTP API.

pub mod parity;
pub mod pychat;
