//! Tests of the real program: servers and clients in processes of their own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod cli;
mod client_disk;
mod crash_loop;
mod cut;
mod damage;
mod faulty_disk;
mod postgres_crash;
mod send_crash;
mod slow_readers;
mod two_servers;
mod udp;
mod writer;
