//! The doors: what speaks a protocol to the outside and calls the house.
//!
//! A door parses, authenticates, calls one operation of [`wharf_core`] and renders the answer; it holds no rules.
//! [`listen`] owns sockets, TLS, deadlines and draining, and knows no routes. [`http`] owns the routes and knows no
//! sockets. [`gateway`] has the doors of older systems' clients. [`webhook`] and [`push`] are
//! the other direction: they post what the house has for others, by way of [`outbound`]. [`Server`] puts them together.

mod config;
pub mod gateway;
mod http;
mod listen;
pub mod live;
mod outbound;
mod push;
mod server;
mod webhook;

pub use config::{Config, TlsFiles};
pub use http::openapi::openapi_json;
pub use outbound::TrustError;
pub use server::{BindError, Server};
