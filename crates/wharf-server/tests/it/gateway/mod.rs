//! The gateways over real sockets.

mod diary;
mod netdisk;
mod parity;
mod pychat;
