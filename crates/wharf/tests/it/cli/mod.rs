//! The command line, as people and scripts use it.

mod accounts;
mod backups;
mod drive;
mod exits;
mod house;
mod newcomer;
mod operator;
mod people;
mod rooms;
mod talk;
mod texts;
mod tls;
mod transfers;
