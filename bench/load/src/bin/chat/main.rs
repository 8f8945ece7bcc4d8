//! Puts a chat server under load, Wharf or another one, and prints what it did as one JSON object, for bench/run.
//!
//! The clients are as small as they can be and alike: they parse just enough to count.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its result"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "measuring needs the machine's clock"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures that people read"
)]

mod fanout;
mod hold;
mod irc;
mod line;
mod nats;
mod people;
mod send;
mod wharf;
mod xmpp;
mod year;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use wharf_types::RoomId;

use crate::irc::Irc;
use crate::line::Line;
use crate::nats::Nats;
use crate::people::People;
use crate::wharf::Wharf;
use crate::xmpp::Xmpp;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Which system.
    #[arg(long, value_enum)]
    system: System,
    /// Where it listens, as HOST:PORT.
    #[arg(long)]
    address: String,
    /// For Wharf: the file that `prepare` wrote.
    #[arg(long)]
    people: Option<PathBuf>,
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum System {
    Wharf,
    Irc,
    Nats,
    Jetstream,
    Xmpp,
}

#[derive(Subcommand)]
enum Work {
    /// For Wharf: makes accounts and rooms, and writes what the other works need to the file of `--people`.
    Prepare(people::Prepare),
    /// Messages and their acknowledgements, each sender in a room of its own.
    Send(send::Options),
    /// Messages of one sender to a room of many.
    Fanout(fanout::Options),
    /// Connections that do nothing, until the standard input ends.
    Hold(hold::Hold),
    /// All connections lost and made again at once.
    Reconnect(hold::Reconnect),
    /// For Wharf: many rooms and entries, then a device that has none of them.
    Catchup(year::Catchup),
    /// For Wharf: searches in what `catchup` wrote.
    Search(year::SearchOptions),
}

/// How connections are made.
#[derive(Clone)]
struct Target {
    system: System,
    address: Arc<str>,
    people: Option<Arc<People>>,
}

/// Which room a connection is in.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// One for each number.
    Own(usize),
    /// The same for all.
    Common,
}

impl Target {
    /// Connects the client with this number, and waits until the server knows it in its room.
    async fn connect(&self, number: usize, place: Place) -> Result<Line> {
        let room = match place {
            Place::Own(number) => format!("r{number}"),
            Place::Common => "all".to_owned(),
        };
        Ok(match self.system {
            System::Irc => Line::Irc(Irc::connect(&self.address, number, &room).await?),
            System::Nats | System::Jetstream => {
                Line::Nats(Nats::connect(&self.address, number, &room).await?)
            }
            System::Xmpp => Line::Xmpp(Xmpp::connect(&self.address, number, &room).await?),
            System::Wharf => {
                let people = self.people.as_ref().context("--people is missing")?;
                let person = people.person(number)?;
                let room: RoomId = match place {
                    Place::Own(_) => person.home,
                    Place::Common => people.room,
                };
                Line::Wharf(Wharf::connect(&self.address, &person.token, room).await?)
            }
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // The first provider wins; a second one is no harm.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let arguments = Arguments::parse();
    let people = match (&arguments.work, &arguments.people) {
        (Work::Prepare(_), _) | (_, None) => None,
        (_, Some(path)) => Some(Arc::new(People::read(path)?)),
    };
    let target = Target {
        system: arguments.system,
        address: arguments.address.clone().into(),
        people,
    };
    if target.system == System::Jetstream {
        Nats::connect(&target.address, 0, "none")
            .await?
            .create_stream()
            .await?;
    }
    let result = match arguments.work {
        Work::Prepare(options) => {
            let path = arguments.people.context("--people is missing")?;
            people::prepare(&target.address, &path, &options).await?
        }
        Work::Send(options) => send::run(target, options).await?,
        Work::Fanout(options) => fanout::run(target, options).await?,
        Work::Hold(options) => hold::hold(target, options).await?,
        Work::Reconnect(options) => hold::reconnect(target, options).await?,
        Work::Catchup(options) => year::catch_up(&target, &options).await?,
        Work::Search(options) => year::search(&target, &options).await?,
    };
    println!("{result}");
    Ok(())
}
