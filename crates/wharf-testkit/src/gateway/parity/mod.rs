//! The parity suite: one table of scenarios, driven through every door.
//!
//! A [`Driver`] is a client of a door. [`run`] lets it and HTTP's driver play each scenario, each for people of its own on
//! the same server, and compares what they were answered and, through the house, what they left behind. What a protocol
//! has no words for, its driver says ([`Outcome::Unsupported`]), and [`table`] writes it down for the documents.

mod diary;
mod filestored;
mod http;
mod pychat;
mod scenario;
mod state;
mod world;

use std::fmt::Write;

use wharf_core::Door;
use wharf_types::ErrorCode;
use wharf_types::api::account::AccountRole;

use crate::db::TestDb;
use crate::server::{Setup, TestServer};

pub use diary::{DiaryDriver, JournalDriver};
pub use filestored::FilestoredDriver;
pub use http::HttpDriver;
pub use pychat::PyChatDriver;
pub use scenario::Scenario;
pub use state::{Said, State, Stored};
pub use world::{Secret, World};

use scenario::Steps;

/// What became of what a driver was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T = ()> {
    /// It was done.
    Done(T),
    /// The server would not; with the kind of refusal, where the protocol's answer tells it from others.
    Refused(Option<ErrorCode>),
    /// The protocol has no words for it; why, as a person reads it in the documents.
    Unsupported(&'static str),
}

/// A client of a door, logged in as [`World::me`]. Paths and names are given as the house would have them; the driver puts
/// them into its protocol's words without making them any better: a test may ask it for names that nobody should use.
///
/// A driver leaves out the methods about a subject that its protocol does not know, and says why in the subject's constant.
#[expect(
    async_fn_in_trait,
    reason = "tests wait for one driver at a time, on the thread that made it"
)]
pub trait Driver: Sized {
    /// The protocol's name, as the table has it.
    const NAME: &'static str;
    /// What the house calls its door.
    const DOOR: Door;
    /// Why it has no files of one's own, where it has none.
    const NO_FILES: &'static str = "";
    /// Why it has no conversations, where it has none.
    const NO_TALK: &'static str = "";
    /// Why it does not write into the journal, where it does not.
    const NO_WRITING: &'static str = "";
    /// Why it does not read the journal, where it does not.
    const NO_READING: &'static str = "";
    /// What [`World::me`] has to be for the protocol to be used in a test.
    const ROLE: AccountRole = AccountRole::Member;

    /// Switches its gateway on.
    fn prepare(setup: &mut Setup);

    /// Makes what the protocol needs before anybody connects (an app password, a token), and connects.
    async fn open(world: &World<'_>) -> Self;

    /// The folder of the home drive that the protocol's files are in; empty for the root.
    fn folder(&self) -> &'static str {
        ""
    }

    /// What its entries are signed with, where the protocol proves no account.
    fn signature(&self) -> Option<String> {
        None
    }

    /// Puts a file at a path below the folder, or replaces what is there.
    async fn put(&mut self, _path: &str, _bytes: &[u8]) -> Outcome {
        lacks(Self::NO_FILES)
    }

    /// Reads a file.
    async fn get(&mut self, _path: &str) -> Outcome<Vec<u8>> {
        lacks(Self::NO_FILES)
    }

    /// Reads `bytes` bytes of a file from `offset` on, and does not fetch the others.
    async fn get_range(&mut self, _path: &str, _offset: u64, _bytes: u64) -> Outcome<Vec<u8>> {
        lacks(Self::NO_FILES)
    }

    /// Removes a file.
    async fn remove(&mut self, _path: &str) -> Outcome {
        lacks(Self::NO_FILES)
    }

    /// The names in a folder, sorted by their bytes.
    async fn list(&mut self, _path: &str) -> Outcome<Vec<String>> {
        lacks(Self::NO_FILES)
    }

    /// Reads a file of somebody whom it does not concern, by whatever the protocol could name it with.
    async fn get_secret(&mut self, _secret: &Secret) -> Outcome<Vec<u8>> {
        lacks(Self::NO_FILES)
    }

    /// Begins to put a file, and breaks the connection when about half of it was acknowledged. Connects again.
    async fn put_half(&mut self, _path: &str, _bytes: &[u8]) -> Outcome {
        lacks(Self::NO_FILES)
    }

    /// Puts the same file in another connection, sending no more of it than the server lacks, and says how many bytes of
    /// its content were sent.
    async fn put_rest(&mut self, _path: &str, _bytes: &[u8]) -> Outcome<u64> {
        lacks(Self::NO_FILES)
    }

    /// Says something to the friend.
    async fn say(&mut self, _text: &str) -> Outcome {
        lacks(Self::NO_TALK)
    }

    /// Begins to listen.
    async fn listen(&mut self) -> Outcome {
        lacks(Self::NO_TALK)
    }

    /// The next thing that the friend says to who listens.
    async fn hear(&mut self) -> Outcome<String> {
        lacks(Self::NO_TALK)
    }

    /// Goes away, so that what the friend says meanwhile is missed.
    async fn leave(&mut self) -> Outcome {
        lacks(Self::NO_TALK)
    }

    /// Comes back, and takes what was missed, in order.
    async fn missed(&mut self) -> Outcome<Vec<String>> {
        lacks(Self::NO_TALK)
    }

    /// Hands a file over to the friend.
    async fn hand_over(&mut self, _name: &str, _bytes: &[u8]) -> Outcome {
        lacks(Self::NO_TALK)
    }

    /// Writes an entry into the journal, which is the log of the home.
    async fn write(&mut self, _text: &str) -> Outcome {
        lacks(Self::NO_WRITING)
    }

    /// The texts of the journal, the oldest first.
    async fn journal(&mut self) -> Outcome<Vec<String>> {
        lacks(Self::NO_READING)
    }
}

/// What a driver answers about what its protocol has no words for.
fn lacks<T>(reason: &'static str) -> Outcome<T> {
    assert!(!reason.is_empty(), "a driver says why it leaves this out");
    Outcome::Unsupported(reason)
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same as over HTTP.
    Same,
    /// The protocol has no words for it.
    Unsupported(&'static str),
}

/// What a protocol made of every scenario, in their order.
#[derive(Debug)]
pub struct Column {
    name: &'static str,
    verdicts: Vec<(Scenario, Verdict)>,
}

/// What one driver was answered, and left behind.
#[derive(Debug)]
struct Played {
    steps: Steps,
    state: State,
}

/// Plays every scenario with `D` and with HTTP's driver on one server.
///
/// # Panics
/// If `D` was answered anything else than HTTP's driver, or left anything else behind; says all the differences.
pub async fn run<D: Driver>(db: TestDb) -> Column {
    let mut setup = Setup::default();
    D::prepare(&mut setup);
    let server = TestServer::start_with(db, setup).await;
    let mut verdicts = Vec::new();
    let mut differences = String::new();
    for (index, scenario) in Scenario::ALL.into_iter().enumerate() {
        let verdict = match play::<D>(&server, scenario, index, "b").await {
            Err(reason) => Verdict::Unsupported(reason),
            Ok(played) => {
                let model = play::<HttpDriver>(&server, scenario, index, "a")
                    .await
                    .expect("HTTP can do everything");
                differences.push_str(&played.differences(&model, scenario));
                Verdict::Same
            }
        };
        verdicts.push((scenario, verdict));
    }
    assert!(differences.is_empty(), "{}:\n{differences}", D::NAME);
    Column {
        name: D::NAME,
        verdicts,
    }
}

/// What HTTP's driver is answered to every step, a line each: what the other doors are held against.
pub async fn model_answers(db: TestDb) -> String {
    let server = TestServer::start(db).await;
    let mut out = String::new();
    for (index, scenario) in Scenario::ALL.into_iter().enumerate() {
        let played = play::<HttpDriver>(&server, scenario, index, "a")
            .await
            .expect("HTTP can do everything");
        writeln!(out, "{scenario:?}: {}", played.steps).expect("text");
    }
    out
}

/// Plays one scenario for people whom nobody else knows.
async fn play<D: Driver>(
    server: &TestServer,
    scenario: Scenario,
    index: usize,
    side: &str,
) -> Result<Played, &'static str> {
    let mut world = World::make(server, &format!("{side}{index}"), D::ROLE).await;
    let mut driver = D::open(&world).await;
    world.folder = driver.folder();
    world.signature = driver.signature();
    let mut steps = Steps::default();
    scenario.play(&world, &mut driver, &mut steps).await?;
    drop(driver);
    let state = State::read(&world, D::DOOR).await;
    Ok(Played { steps, state })
}

impl Played {
    fn differences(&self, model: &Self, scenario: Scenario) -> String {
        let mut out = self.steps.differences(&model.steps);
        if self.state != model.state {
            writeln!(
                out,
                "  left behind {:#?}\n  where HTTP leaves {:#?}",
                self.state, model.state
            )
            .expect("text");
        }
        if out.is_empty() {
            return out;
        }
        format!("{}:\n{out}", scenario.text())
    }
}

impl<T> Outcome<T> {
    /// The same outcome about something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(done) => Outcome::Done(change(done)),
            Self::Refused(code) => Outcome::Refused(code),
            Self::Unsupported(reason) => Outcome::Unsupported(reason),
        }
    }
}

/// The table of the documents: a row for each scenario, a column for each protocol, and below it the reasons.
///
/// # Panics
/// If a column is not whole.
pub fn table(columns: &[Column]) -> String {
    let mut out = String::from("| | HTTP |");
    for column in columns {
        write!(out, " {} |", column.name).expect("text");
    }
    out.push_str("\n| --- | --- |");
    out.push_str(&" --- |".repeat(columns.len()));
    out.push('\n');
    let mut reasons: Vec<&str> = Vec::new();
    for (index, scenario) in Scenario::ALL.into_iter().enumerate() {
        write!(out, "| {} | yes |", scenario.text()).expect("text");
        for column in columns {
            let (found, verdict) = column.verdicts.get(index).expect("a verdict");
            assert_eq!(*found, scenario);
            match verdict {
                Verdict::Same => out.push_str(" yes |"),
                Verdict::Unsupported(reason) => {
                    let known = reasons.iter().position(|known| known == reason);
                    let number = known.unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    });
                    write!(out, " no ({}) |", number + 1).expect("text");
                }
            }
        }
        out.push('\n');
    }
    out.push('\n');
    for (index, reason) in reasons.iter().enumerate() {
        writeln!(out, "{}. {reason}", index + 1).expect("text");
    }
    out
}
