//! Connections that are logged in, have asked once, and then do nothing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use load::wire::Wire;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinSet;
use wharf_types::api::account::CreateJwt;
use wharf_types::api::app_password::AppDoor;
use wharf_types::api::contact::AskContact;
use wharf_wire::gateway::pychat::Request;

use crate::account::Server;
use crate::filestored::Filestored;
use crate::netdisk::Netdisk;
use crate::pychat::Friend;

/// Connections that are made and closed before memory is looked at: what the first login costs is not theirs.
const FIRST: usize = 8;
/// Connections of one person: what a client of PyChat keeps open with two chats, and about what the others do.
const OF_ONE_PERSON: usize = 4;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Of which gateway.
    #[arg(value_enum)]
    kind: Kind,
    /// How many.
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// Who connects: written with `--prepare`, and read without.
    #[arg(long)]
    file: PathBuf,
    /// Only makes the people.
    #[arg(long)]
    prepare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Netdisk,
    Pychat,
    Filestored,
}

/// Somebody, by what the gateway wants to know.
#[derive(Clone, Serialize, Deserialize)]
enum Guest {
    Netdisk { username: String, password: String },
    Pychat(Friend),
    Filestored { token: String },
}

/// A connection that is held.
enum Held {
    Wire(Wire),
    Filestored(Box<Filestored>),
}

pub(crate) async fn run(server: &Server, gateway: &str, options: Options) -> Result<Value> {
    if options.prepare {
        let guests = guests(server, &options).await?;
        std::fs::write(&options.file, serde_json::to_vec(&guests)?)?;
        return Ok(json!({ "people": guests.len() }));
    }
    let guests: Vec<Guest> = serde_json::from_slice(&std::fs::read(&options.file)?)?;
    drop(connect(gateway, &guests, FIRST).await?);
    say(&json!({ "ready": true }));
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    input.next_line().await?.context("nobody asked for more")?;
    let held = connect(gateway, &guests, options.connections).await?;
    say(&json!({ "connected": held.len() }));
    let mut readers = JoinSet::new();
    for held in held {
        readers.spawn(held.until_lost());
    }
    while input.next_line().await?.is_some() {}
    let mut lost = 0;
    while readers.try_join_next().is_some() {
        lost += 1;
    }
    Ok(json!({ "lost": lost }))
}

fn say(value: &Value) {
    println!("{value}");
}

/// Makes the people, and friends of each two that follow each other, in a ring.
async fn guests(server: &Server, options: &Options) -> Result<Vec<Guest>> {
    let people = server
        .members(options.connections.div_ceil(OF_ONE_PERSON).max(3))
        .await?;
    let mut guests = Vec::new();
    for (index, person) in people.iter().enumerate() {
        guests.push(match options.kind {
            Kind::Netdisk => {
                let password = person.api.create_app_password(AppDoor::Netdisk).await?;
                Guest::Netdisk {
                    username: person.account.username.clone(),
                    password: password.password.context("no password")?,
                }
            }
            Kind::Filestored => {
                let token = person.api.create_jwt(&CreateJwt::default()).await?.token;
                Guest::Filestored { token }
            }
            Kind::Pychat => {
                let next = people.get((index + 1) % people.len());
                let next = next.context("nobody is next")?;
                let ask = AskContact {
                    who: next.account.number.to_string(),
                    word: String::new(),
                };
                person.api.ask_contact(&ask).await?;
                next.api.accept_contact(person.account.id).await?;
                Guest::Pychat(Friend::of(person).await?)
            }
        });
    }
    Ok(guests)
}

/// Makes connections, [`OF_ONE_PERSON`] for each.
async fn connect(gateway: &str, guests: &[Guest], count: usize) -> Result<Vec<Held>> {
    let mut held = Vec::with_capacity(count);
    for (index, guest) in guests.iter().enumerate() {
        match guest {
            Guest::Netdisk { username, password } => {
                let mut first = Netdisk::connect(gateway).await?;
                let session = first.log_in_by(username, password).await?;
                held.push(Held::Wire(first.into_wire()));
                for _ in 1..OF_ONE_PERSON {
                    let mut other = Netdisk::connect(gateway).await?;
                    other.ask(&session).await?;
                    held.push(Held::Wire(other.into_wire()));
                }
            }
            Guest::Filestored { token } => {
                for _ in 0..OF_ONE_PERSON {
                    let one = Filestored::log_in_at(gateway, token.clone()).await?;
                    held.push(Held::Filestored(Box::new(one)));
                }
            }
            Guest::Pychat(friend) => {
                let count = guests.len();
                let around = [(index + 1) % count, (index + count - 1) % count];
                let friends = around.into_iter().filter_map(|at| match guests.get(at)? {
                    Guest::Pychat(friend) => Some(friend),
                    Guest::Netdisk { .. } | Guest::Filestored { .. } => None,
                });
                friend.log_in(gateway).await?;
                held.push(Held::Wire(Wire::connect(gateway).await?));
                let mut command = Wire::connect(gateway).await?;
                let who = friend.number();
                let request = Request::CommandSocket { who };
                command.write(&request.encode()).await?;
                held.push(Held::Wire(command));
                for with in friends {
                    held.push(Held::Wire(friend.chat(gateway, with.number()).await?));
                }
            }
        }
        if held.len() >= count {
            break;
        }
    }
    Ok(held)
}

impl Held {
    /// Reads until the connection ends.
    async fn until_lost(self) {
        match self {
            Self::Wire(mut wire) => while wire.fill().await.is_ok() {},
            Self::Filestored(mut client) => while client.fill().await.is_ok() {},
        }
    }
}
