//! The command line, as people and scripts use it.

mod accounts;
mod backups;
mod drive;
mod exits;
mod house;
mod newcomer;
mod operator;
mod texts;
mod tls;
mod transfers;
