//! The command line, as people and scripts use it.

mod accounts;
mod backups;
mod chat;
mod demo;
mod diary;
mod drive;
mod exits;
mod gateways;
mod house;
mod newcomer;
mod operator;
mod people;
mod portage;
mod rooms;
mod talk;
mod texts;
mod tls;
mod transfers;
