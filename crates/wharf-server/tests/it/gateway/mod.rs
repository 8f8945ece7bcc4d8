//! The gateways over real sockets.

mod diary;
mod filestored;
mod limits;
mod netdisk;
mod parity;
mod pychat;
