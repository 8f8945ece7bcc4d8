//! The gateways over real sockets.

mod parity;
mod pychat;
