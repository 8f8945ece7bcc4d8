//! Logs: appending once, reading, cursors, retention and the chain.

mod append;
mod chain;
mod cursor;
mod files;
mod fold;
mod model;
mod order;
mod random;
mod retain;
pub(crate) mod room;
mod rules;
