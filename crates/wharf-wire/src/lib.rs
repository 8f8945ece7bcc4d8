//! Codecs without I/O: cutting files into chunks, manifests, chunk frames, segments, archives, and what doors parse.
//!
//! Everything here is a pure function of its input. Decoders take bytes from strangers and from damaged disks: they
//! bound what they allocate, never panic, and say what was wrong.

pub mod cut;
pub mod entry;
pub mod frame;
pub mod gateway;
pub mod manifest;
pub mod push;
pub mod range;
pub mod segment;
pub mod websocket;
pub mod zip;

#[cfg(test)]
mod testing;
