//! Logs: appending once, reading, cursors, retention and the chain.

mod append;
mod chain;
mod cursor;
mod retain;
mod room;
