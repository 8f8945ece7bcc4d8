//! Puts a gateway under load, as its clients would, and prints what it did as one JSON object, for bench/run.
//!
//! What is sent and read goes through the codecs of wharf-wire. Whatever a server should not answer ends the run.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its result"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "measuring needs the machine's clock"
)]
#![expect(clippy::cast_precision_loss, reason = "figures that people read")]

mod account;
mod diary;
mod filestored;
mod hold;
mod http;
mod netdisk;
mod packet;
mod pychat;
mod transfer;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(flatten)]
    server: account::Server,
    /// Where the gateway listens: HOST:PORT, or the path of a socket.
    #[arg(long)]
    gateway: String,
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// One large file up, or down, through netdisk or by plain HTTP.
    Transfer(transfer::Options),
    /// For PyChat: makes people who are all friends, and writes who they are to a file.
    Befriend(pychat::Befriend),
    /// Messages between all pairs of those people, through their connections.
    Pychat(pychat::Options),
    /// Chunks of files, put or got.
    Filestored(filestored::Options),
    /// Entries of the journal, new or again, and datagrams that are refused.
    Diary(diary::Options),
    /// Connections that are logged in and do nothing, until the standard input ends.
    Hold(hold::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments {
        server,
        gateway,
        work,
    } = Arguments::parse();
    let result = match work {
        Work::Transfer(options) => transfer::run(&server, &gateway, options).await?,
        Work::Befriend(options) => pychat::befriend(&server, &options).await?,
        Work::Pychat(options) => pychat::run(&gateway, options).await?,
        Work::Filestored(options) => filestored::run(&server, &gateway, options).await?,
        Work::Diary(options) => diary::run(&server, &gateway, options).await?,
        Work::Hold(options) => hold::run(&server, &gateway, options).await?,
    };
    println!("{result}");
    Ok(())
}
