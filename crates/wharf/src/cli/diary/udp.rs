//! `wharf diary udp`: the journal over UDP, its keys, and the addresses of old diaries.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde::Serialize;
use wharf_client::udp::{Flushed, Patience, Refusal, Spool, UdpError, Way, flush};
use wharf_client::{Clock, Room as Named};
use wharf_types::api::journal::{
    ClaimDiary, CreateJournalKey, DiaryShow, JournalKey, JournalKeyKind,
};

use super::undo;
use crate::context::Context;
use crate::directory::Where;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::{About, Session};

/// How long writing waits for the server before the entry is left in the spool.
const WAIT: Duration = Duration::from_secs(4);

/// Write your journal from any box, by single datagrams
///
/// A key appends to one room and does nothing else: it reads nothing, and it is removed with one command. There are three
/// kinds: a token for nc, whose lines everybody on the way can read and send again; a key for openssl, whose lines can be read
/// but not forged; and a key for wharf itself, whose datagrams are sealed and sent until they are saved, once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf diary udp add --for nc\n  wharf diary udp add --for wharf\n  \
                        wharf diary --udp \"Rain all day.\"\n  wharf diary udp send\n  wharf diary udp list\n  wharf diary udp remove nc\n  \
                        wharf diary udp undo nc --since 2026-11-21"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, and print the commands that write with it
    Add {
        /// What will write with it
        #[arg(long = "for", value_name = "PROGRAM", default_value = "wharf")]
        program: ProgramWord,
        /// The room that it writes to: your journal, unless you say another
        #[arg(long, value_name = "WHERE", default_value = "me")]
        room: Where,
        /// What to call it
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The name or address by which boxes reach the server, if it is another one
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
    },
    /// List the keys
    List,
    /// Remove a key; it writes nothing more
    Remove {
        /// Its name or id
        #[arg(value_name = "KEY")]
        key: String,
    },
    Undo(undo::Args),
    /// Write from this device with a key that was made on another
    Use {
        /// What `wharf diary udp add` printed: wharf-udp://…
        #[arg(value_name = "WAY")]
        way: Way,
    },
    /// Send what waits on this device; for a timer
    Send,
    /// Have old diary clients at this device's address write to your journal
    ///
    /// Their protocol has no passwords: whoever uses the address writes there, and is shown what was written that way. The
    /// claim holds for 30 days.
    Claim {
        /// The room
        #[arg(long, value_name = "WHERE", default_value = "me")]
        room: Where,
        /// Show them every text of the room
        #[arg(long)]
        show_all: bool,
        /// Another address; for operators
        #[arg(long, value_name = "ADDRESS")]
        address: Option<IpAddr>,
    },
    /// List the addresses that you have claimed
    Claims,
    /// Give an address up
    Release {
        /// The address
        address: IpAddr,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ProgramWord {
    /// Lines with a token: any nc, readable on the way
    Nc,
    /// Lines with an HMAC: openssl and nc, readable but not to be forged
    Openssl,
    /// Sealed datagrams, sent until they are saved
    Wharf,
}

impl From<ProgramWord> for JournalKeyKind {
    fn from(word: ProgramWord) -> Self {
        match word {
            ProgramWord::Nc => Self::Token,
            ProgramWord::Openssl => Self::Signed,
            ProgramWord::Wharf => Self::Sealed,
        }
    }
}

/// What a new key is written with, for programs.
#[derive(Serialize)]
struct Made<'a> {
    key: &'a JournalKey,
    commands: Vec<String>,
}

/// What became of what was written, for programs.
#[derive(Serialize)]
struct Outcome {
    /// `saved` or `waiting`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    saved: u64,
    refused: u64,
    waiting: u64,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let output = &context.output;
        match self.action {
            Action::Add {
                program,
                room,
                name,
                host,
            } => add(context, program, &room, name, host).await?,
            Action::List => {
                let session = Session::open(context).await?;
                list(
                    &session.api.journal_keys().await.about("keys")?.items,
                    output,
                )?;
            }
            Action::Remove { key } => remove(context, &key).await?,
            Action::Undo(args) => return args.run(context).await,
            Action::Use { way } => {
                open_spool(context)?.put_way(&way)?;
                output.note("This device writes with that key now: wharf diary --udp \"TEXT\"");
            }
            Action::Send => return send(context).await,
            Action::Claim {
                room,
                show_all,
                address,
            } => {
                let session = Session::open(context).await?;
                let named = Named::Id(session.directory().await?.find(&room)?.id);
                let show = if show_all {
                    DiaryShow::All
                } else {
                    DiaryShow::Diary
                };
                let claim = ClaimDiary { show, address };
                let claimed = session.api.claim_diary(named, &claim).await.about(&room)?;
                output.result(&claimed, |claimed| {
                    let until = format::time_ms(claimed.expires_ms);
                    format!(
                        "The diary of {} goes to {room} until {until}.",
                        claimed.address
                    )
                })?;
            }
            Action::Claims => claims(context).await?,
            Action::Release { address } => {
                let session = Session::open(context).await?;
                session.api.release_diary(address).await.about(address)?;
                output.note(format_args!("Gave {address} up."));
            }
        }
        Ok(Exit::Done)
    }
}

/// Writes a text down on this device, and tries to send it.
pub(super) async fn write(context: &Context, text: String) -> anyhow::Result<Exit> {
    let mut spool = open_spool(context)?;
    let way = way_of(&spool)?;
    let now_ms = Clock::system().now_ms();
    spool.add(way.key, &[text], now_ms)?;
    let patience = Patience {
        deadline: WAIT,
        ..Patience::default()
    };
    let flushed = in_background(spool, vec![way], patience).await?;
    tell(context, &flushed)
}

/// Sends everything that waits, whatever rests.
async fn send(context: &Context) -> anyhow::Result<Exit> {
    let spool = open_spool(context)?;
    way_of(&spool)?;
    let ways = spool.ways()?;
    let patience = Patience {
        is_eager: true,
        ..Patience::default()
    };
    let flushed = in_background(spool, ways, patience).await?;
    tell(context, &flushed)
}

async fn in_background(
    mut spool: Spool,
    ways: Vec<Way>,
    patience: Patience,
) -> anyhow::Result<(Flushed, Vec<String>)> {
    let flushing = tokio::task::spawn_blocking(move || {
        let clock = Clock::system();
        let mut sum = Flushed::default();
        for way in ways {
            let flushed = match flush(&mut spool, &way, &patience, || clock.now_ms()) {
                // A name without an address is a network that is away.
                Err(UdpError::Host { .. } | UdpError::Socket(_)) => Flushed {
                    waiting_count: spool.waiting_count()?,
                    ..Flushed::default()
                },
                other => other?,
            };
            sum.saved_count += flushed.saved_count;
            sum.refused_count += flushed.refused_count;
            sum.last_position = flushed.last_position.or(sum.last_position);
            sum.waiting_count = flushed.waiting_count;
        }
        let refused = spool.refused()?;
        let why = |refusal| match refusal {
            Some(Refusal::Closed) => "the key writes nothing any more",
            Some(Refusal::Invalid) | None => "it is no text that could be an entry",
        };
        let refused = refused
            .iter()
            .map(|item| format!("{}: {}", why(item.refusal), item.text));
        Ok::<_, UdpError>((sum, refused.collect()))
    });
    Ok(flushing.await??)
}

fn tell(context: &Context, (flushed, refused): &(Flushed, Vec<String>)) -> anyhow::Result<Exit> {
    let output = &context.output;
    if output.is_json() {
        output.object(&Outcome {
            state: if flushed.waiting_count == 0 {
                "saved"
            } else {
                "waiting"
            },
            position: flushed.last_position,
            saved: flushed.saved_count,
            refused: flushed.refused_count,
            waiting: flushed.waiting_count,
        })?;
    } else if let Some(position) = flushed.last_position {
        output.note(format_args!("Written as {position}."));
    }
    if flushed.waiting_count > 0 {
        output.note(format_args!(
            "{} on this device; `wharf diary udp send` sends what waits.",
            format::count(flushed.waiting_count, "entry waits", "entries wait")
        ));
    }
    for entry in refused {
        output.warn(format_args!(
            "Refused, and kept here: {}",
            output.name(entry)
        ));
    }
    Ok(if flushed.refused_count > 0 {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn open_spool(context: &Context) -> anyhow::Result<Spool> {
    let folder: PathBuf = context.state_folder()?;
    std::fs::create_dir_all(&folder)?;
    Ok(Spool::open(&folder.join("udp.sqlite"))?)
}

fn way_of(spool: &Spool) -> anyhow::Result<Way> {
    spool.way()?.ok_or_else(|| {
        Failure::usage("This device has no key for the journal over UDP")
            .hint(
                "Make one with `wharf diary udp add`, or take one over with `wharf diary udp use`.",
            )
            .into()
    })
}

async fn add(
    context: &Context,
    program: ProgramWord,
    room: &Where,
    name: Option<String>,
    host: Option<String>,
) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let named = Named::Id(session.directory().await?.find(room)?.id);
    let create = CreateJournalKey {
        kind: program.into(),
        name: name.unwrap_or_else(|| format!("{program:?}").to_lowercase()),
    };
    let key = session
        .api
        .create_journal_key(named, &create)
        .await
        .about(room)?;
    let host = host
        .or_else(|| session.server.host_str().map(str::to_owned))
        .unwrap_or_default();
    let way = way_to(&key, &host);
    if let Some(way) = &way {
        open_spool(context)?.put_way(way)?;
    }
    let commands = commands(&key, &host, way.as_ref());
    let output = &context.output;
    if output.is_json() {
        return output.object(&Made {
            key: &key,
            commands,
        });
    }
    output.note(match program {
        ProgramWord::Nc => {
            "The token is shown this once. It and what is written cross the network readable:"
        }
        ProgramWord::Openssl => {
            "The key is shown this once. What is written crosses the network readable:"
        }
        ProgramWord::Wharf => {
            "This device writes with the key now. Another one takes it over with the second command:"
        }
    });
    commands.iter().try_for_each(|command| output.line(command))
}

fn way_to(key: &JournalKey, host: &str) -> Option<Way> {
    if key.kind != JournalKeyKind::Sealed {
        return None;
    }
    let secret = HEXLOWER.decode(key.secret.as_deref()?.as_bytes()).ok()?;
    Some(Way {
        key: key.id,
        secret: secret.try_into().ok()?,
        host: host.to_owned(),
        port: key.port?,
    })
}

/// The commands that write with a key, each to be run as it is.
fn commands(key: &JournalKey, host: &str, way: Option<&Way>) -> Vec<String> {
    let secret = key.secret.as_deref().unwrap_or_default();
    let port = key.port.unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    match key.kind {
        JournalKeyKind::Token => vec![
            format!("echo '{secret} TEXT' | nc -u -w1 {bare} {port}"),
            format!("{{ echo '{secret} TEXT'; sleep 1; }} | ncat -u {bare} {port}"),
            format!("echo '{secret} TEXT' | timeout 2 nc.traditional -u -w1 {bare} {port}"),
            format!("bash -c \"echo '{secret} TEXT' > /dev/udp/{bare}/{port}\""),
        ],
        JournalKeyKind::Signed => vec![format!(
            "t=$(date +%s) m='TEXT'; printf 'wh_{} %s %s %s\\n' \"$t\" \
             \"$(printf '%s %s' \"$t\" \"$m\" | openssl dgst -sha256 -hmac '{secret}' -r | cut -c1-64)\" \"$m\" \
             | nc -u -w1 {bare} {port}",
            key.id
        )],
        JournalKeyKind::Sealed => {
            let mut commands = vec!["wharf diary --udp 'TEXT'".to_owned()];
            commands.extend(way.map(|way| format!("wharf diary udp use '{way}'")));
            commands
        }
    }
}

async fn remove(context: &Context, meant: &str) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let mut found = session.api.journal_keys().await.about("keys")?.items;
    found.retain(|key| key.name == meant || key.id.to_string() == meant);
    let key = match (found.pop(), found.is_empty()) {
        (Some(one), true) => one,
        (None, _) => {
            let failure = Failure::new(Exit::NotFound, format!("There is no key {meant}"))
                .hint("See them with `wharf diary udp list`.");
            return Err(failure.into());
        }
        (Some(_), false) => {
            let failure = Failure::usage(format!("There are several keys {meant}"));
            return Err(failure.hint("Give the id.").into());
        }
    };
    session.api.remove_journal_key(key.id).await.about(meant)?;
    open_spool(context)?.remove_way(key.id)?;
    let name = context.output.name(&key.name).into_owned();
    context.output.note(format_args!("Removed the key {name}."));
    Ok(())
}

fn list(keys: &[JournalKey], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return keys.iter().try_for_each(|key| output.object(key));
    }
    if keys.is_empty() {
        output.note("There are no keys.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("FOR", Align::Left),
        ("MADE", Align::Left),
        ("USED", Align::Left),
        ("ENTRIES", Align::Right),
        ("NAME", Align::Left),
    ]);
    for key in keys {
        let program = match key.kind {
            JournalKeyKind::Token => "nc",
            JournalKeyKind::Signed => "openssl",
            JournalKeyKind::Sealed => "wharf",
        };
        table.painted_row([
            (Paint::Plain, key.id.to_string()),
            (Paint::Plain, program.to_owned()),
            (Paint::Plain, format::time_ms(key.created_ms)),
            (
                Paint::Plain,
                key.used_ms.map_or_else(String::new, format::time_ms),
            ),
            (Paint::Plain, key.entries_count.to_string()),
            (Paint::Bold, output.name(&key.name).into_owned()),
        ]);
    }
    table.write(output)
}

async fn claims(context: &Context) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let claims = session.api.diary_addresses().await.about("claims")?.items;
    let output = &context.output;
    if output.is_json() {
        return claims.iter().try_for_each(|claim| output.object(claim));
    }
    if claims.is_empty() {
        output.note("You have claimed no address.");
        return Ok(());
    }
    let directory = session.directory().await?;
    let mut table = Table::new(&[
        ("ADDRESS", Align::Left),
        ("UNTIL", Align::Left),
        ("SHOWS", Align::Left),
        ("ROOM", Align::Left),
    ]);
    for claim in &claims {
        let room = directory.room_of(claim.room);
        let room = room.map_or_else(|| claim.room.to_string(), |room| directory.title(room));
        let shows = match claim.show {
            DiaryShow::Diary => "the diary",
            DiaryShow::All => "every text",
        };
        table.row([
            claim.address.to_string(),
            format::time_ms(claim.expires_ms),
            shows.to_owned(),
            output.name(&room).into_owned(),
        ]);
    }
    table.write(output)
}
