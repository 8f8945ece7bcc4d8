//! The gateways over real sockets.

mod diary;
mod parity;
mod pychat;
