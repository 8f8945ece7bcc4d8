//! Sending while the server is killed: what was acknowledged is in the log, once, at the position that was told, in each
//! device's order; positions have no holes; what was once read never changes; and the chain verifies.
//!
//! `WHARF_SEND_CRASH_ROUNDS` sets the number of kills (few in CI, a thousand is the long form), `WHARF_CRASH_SEED` the seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wharf_client::api::Range;
use wharf_client::{Api, Room};
use wharf_testkit::db::Engine;
use wharf_testkit::postgres::PostgresServer;
use wharf_testkit::program::{Program, ServerProcess};
use wharf_types::api::log::{Append, Appended, Body, Draft, Entry, Text};
use wharf_types::{DeviceId, EntryHash};

use crate::writer::{connect, log_in};

pub(crate) const SENDERS: u8 = 4;
const ROUNDS_IN_CI: u64 = 20;
/// Long enough for a server to be killed and started again under load.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn sends_survive_kills_on_sqlite() {
    send_loop(
        Engine::Sqlite,
        setting("WHARF_SEND_CRASH_ROUNDS", ROUNDS_IN_CI),
    );
}

#[test]
fn sends_survive_kills_on_postgres() {
    send_loop(
        Engine::Postgres,
        setting("WHARF_SEND_CRASH_ROUNDS", ROUNDS_IN_CI) / 4,
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is set from outside"
)]
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What each device was told of each of its numbers.
pub(crate) type Acknowledged = Arc<Mutex<BTreeMap<(DeviceId, u64), Appended>>>;

/// A server that is killed and started again on the same data.
struct Target {
    program: Program,
    data: PathBuf,
    listen: String,
    arguments: Vec<String>,
    server: ServerProcess,
}

fn send_loop(engine: Engine, rounds: u64) {
    let seed = setting("WHARF_CRASH_SEED", 20_261_121);
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let postgres = (engine == Engine::Postgres).then(|| PostgresServer::private().unwrap());
    let mut target = Target::start(folder.path(), postgres.as_ref());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = runtime.block_on(log_in(&target.url()));
    let acknowledged = Acknowledged::default();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for sender in 0..SENDERS {
        let api = runtime.block_on(connect(&target.url(), &token, PATIENCE));
        let task = send_task(api, sender, seed, Arc::clone(&acknowledged), stop.clone());
        tasks.spawn_on(task, runtime.handle());
    }
    let api = runtime.block_on(connect(&target.url(), &token, PATIENCE));
    let reader = runtime.spawn(read_task(api, stop.clone()));
    for round in 0..rounds {
        nap(Duration::from_millis(random.random_range(5..250)));
        let told = acknowledged.lock().len();
        target = target.kill_and_start();
        assert_eq!(
            tasks.len(),
            usize::from(SENDERS),
            "a sender ended in round {round}, seed {seed}"
        );
        // Every life of the server sees some sends, so that no kill hits an idle one.
        wait_for(|| acknowledged.lock().len() > told);
    }
    stop.cancel();
    runtime.block_on(async {
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
    let seen = runtime.block_on(reader).unwrap();
    let api = runtime.block_on(connect(&target.url(), &token, PATIENCE));
    let log = runtime.block_on(read_all(&api));
    check(&log, &acknowledged.lock(), &seen, seed);
    target.verify();
}

impl Target {
    fn start(folder: &Path, postgres: Option<&PostgresServer>) -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.join("home"));
        let mut arguments: Vec<String> =
            ["--account-burst", "1000000", "--address-burst", "1000000"]
                .map(str::to_owned)
                .into();
        if let Some(postgres) = postgres {
            arguments.push("--database".to_owned());
            arguments.push(postgres.create_database("send").unwrap());
        }
        let data = folder.join("data");
        let server = program.serve(&data, "127.0.0.1:0", &arguments).unwrap();
        program.make_operator(&server).unwrap();
        Self {
            listen: server.address().to_owned(),
            program,
            data,
            arguments,
            server,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn kill_and_start(self) -> Self {
        self.server.kill().unwrap();
        let server = self
            .program
            .serve(&self.data, &self.listen, &self.arguments)
            .unwrap();
        Self { server, ..self }
    }

    /// Walks every chain, after the server has ended.
    fn verify(self) {
        self.server.stop().unwrap();
        let mut verify = self.program.command(["verify", "--data"]);
        verify.arg(&self.data);
        if let Some(at) = self
            .arguments
            .iter()
            .position(|argument| argument == "--database")
        {
            verify.args(&self.arguments[at..]);
        }
        let output = verify.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("in the logs"), "{text}");
    }
}

fn draft_of(device: DeviceId, number: u64) -> Draft {
    Draft::Text(Text {
        text: format!("{device}/{number}"),
        ..Text::default()
    })
}

/// Sends one text after another. Some are given up before their answer, as by a client that was killed, and sent again.
pub(crate) async fn send_task(
    api: Api,
    sender: u8,
    seed: u64,
    acknowledged: Acknowledged,
    stop: CancellationToken,
) {
    let mut random = StdRng::seed_from_u64(seed ^ u64::from(sender + 1));
    let device = DeviceId::from_bytes([sender + 1; 16]);
    for number in 1.. {
        if stop.is_cancelled() {
            return;
        }
        let append = Append {
            device,
            number,
            draft: draft_of(device, number),
            client_ms: Some(7),
        };
        if random.random_bool(0.1) {
            let patience = Duration::from_micros(random.random_range(0..3_000));
            // Whatever became of it is found out by sending it again.
            drop(timeout(patience, api.append(Room::Home, &append)).await);
        }
        let appended = api.append(Room::Home, &append).await.unwrap();
        acknowledged.lock().insert((device, number), appended);
    }
}

/// Follows the log from its beginning; what it has seen, by position.
pub(crate) async fn read_task(api: Api, stop: CancellationToken) -> Vec<EntryHash> {
    let mut seen = Vec::new();
    while !stop.is_cancelled() {
        let range = Range::After(seen.len() as u64);
        let page = api.log(Room::Home, range, Some(1_000)).await.unwrap();
        assert!(page.head >= seen.len() as u64, "the log went back");
        for entry in page.items {
            assert_eq!(entry.position, seen.len() as u64 + 1, "a hole in the log");
            seen.push(entry.hash);
        }
    }
    seen
}

pub(crate) async fn read_all(api: &Api) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let range = Range::After(log.len() as u64);
        let page = api.log(Room::Home, range, Some(1_000)).await.unwrap();
        if page.items.is_empty() {
            assert_eq!(page.head, log.len() as u64);
            return log;
        }
        log.extend(page.items);
    }
}

pub(crate) fn check(
    log: &[Entry],
    acknowledged: &BTreeMap<(DeviceId, u64), Appended>,
    seen: &[EntryHash],
    seed: u64,
) {
    let hashes: Vec<_> = log.iter().map(|entry| entry.hash).collect();
    assert_eq!(
        hashes.get(..seen.len()),
        Some(seen),
        "what was read has changed, seed {seed}"
    );
    let texts: Vec<_> = log
        .iter()
        .map(|entry| match &entry.body {
            Some(Body::Text(said)) => said.text.clone(),
            other => panic!("nobody sent {other:?}, seed {seed}"),
        })
        .collect();
    let mut sorted = texts.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(
        sorted.len(),
        texts.len(),
        "something is there twice, seed {seed}"
    );
    let mut last_positions = BTreeMap::new();
    for ((device, number), appended) in acknowledged {
        let index = usize::try_from(appended.position - 1).unwrap();
        let wanted = format!("{device}/{number}");
        assert_eq!(
            texts.get(index),
            Some(&wanted),
            "acknowledged and lost, seed {seed}"
        );
        assert_eq!(log[index].hash, appended.hash, "seed {seed}");
        let before = last_positions.insert(*device, appended.position);
        assert!(
            before < Some(appended.position),
            "{device} is out of order, seed {seed}"
        );
    }
    // The senders ended between two sends, so all that is there was acknowledged.
    assert_eq!(log.len(), acknowledged.len(), "seed {seed}");
    assert_eq!(
        last_positions.len(),
        usize::from(SENDERS),
        "a device sent nothing, seed {seed}"
    );
}

pub(crate) fn wait_for(mut is_so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        nap(Duration::from_millis(10));
    }
    panic!("nothing was sent for a minute");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of the kill is what the test chooses"
)]
pub(crate) fn nap(time: Duration) {
    std::thread::sleep(time);
}
