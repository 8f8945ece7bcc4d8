//! Two servers on one PostgreSQL that dies and comes back while people send: what was acknowledged is in the log, once, in each
//! device's order; the servers go on by themselves; and who follows the log, over either of them, has been told all of it.
//!
//! `WHARF_POSTGRES_CRASH_ROUNDS` sets the number of deaths (few in CI, a hundred is the long form), `WHARF_CRASH_SEED` the
//! seed. How long it takes from the first answer of PostgreSQL until every device has something acknowledged again is
//! printed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wharf_client::chat::{ChatOptions, Window};
use wharf_client::net::Options;
use wharf_client::{Api, Chat, Clock};
use wharf_testkit::postgres::PostgresServer;
use wharf_testkit::program::{Program, ServerProcess};
use wharf_types::api::log::Entry;
use wharf_types::api::room::RoomKind;

use crate::send_crash::{
    Acknowledged, PATIENCE, SENDERS, check, nap, read_all, read_task, send_task, setting, wait_for,
};
use crate::writer::{connect, log_in};

const ROUNDS_IN_CI: u64 = 4;

#[test]
fn sends_survive_the_death_of_postgres() {
    let seed = setting("WHARF_CRASH_SEED", 20_261_121);
    let rounds = setting("WHARF_POSTGRES_CRASH_ROUNDS", ROUNDS_IN_CI);
    let folder = tempfile::tempdir().unwrap();
    let postgres = PostgresServer::private().unwrap();
    let servers = start_two(folder.path(), &postgres);
    let urls = [0, 1].map(|index: usize| format!("http://{}", servers[index].address()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = runtime.block_on(log_in(&urls[0]));
    let acknowledged = Acknowledged::default();
    let stop = CancellationToken::new();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let url = &urls[usize::from(sender) % 2];
        let api = runtime.block_on(connect(url, &token, PATIENCE));
        let task = send_task(api, sender, seed, Arc::clone(&acknowledged), stop.clone());
        senders.spawn_on(task, runtime.handle());
    }
    let api = runtime.block_on(connect(&urls[1], &token, PATIENCE));
    let reader = runtime.spawn(read_task(api, stop.clone()));
    let entered = runtime.enter();
    let chats = [0, 1].map(|index: usize| {
        let store = folder.path().join(format!("chat {index}"));
        follow(&urls[index], &token, &store)
    });
    drop(entered);

    let mut recoveries = Vec::new();
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..rounds {
        nap(Duration::from_millis(random.random_range(50..800)));
        if random.random_bool(0.5) {
            postgres.crash().unwrap();
        } else {
            postgres.kill().unwrap();
        }
        nap(Duration::from_millis(random.random_range(0..500)));
        start_again(&postgres);
        recoveries.push(recovery(&acknowledged));
        assert_eq!(
            senders.len(),
            usize::from(SENDERS),
            "a sender ended in round {round}, seed {seed}"
        );
    }
    stop.cancel();
    runtime.block_on(async {
        while let Some(ended) = senders.join_next().await {
            ended.unwrap();
        }
    });
    let seen = runtime.block_on(reader).unwrap();
    let api = runtime.block_on(connect(&urls[0], &token, PATIENCE));
    let log = runtime.block_on(read_all(&api));
    check(&log, &acknowledged.lock(), &seen, seed);
    for chat in chats {
        runtime.block_on(has_all(chat, &log));
    }
    recoveries.sort_unstable();
    let at = |percent: usize| recoveries[(recoveries.len() - 1) * percent / 100];
    println!(
        "{rounds} deaths, {} entries; until all was well again: median {:?}, 99 % {:?}, at most {:?}",
        log.len(),
        at(50),
        at(99),
        at(100)
    );
    for server in servers {
        server.stop().unwrap();
    }
}

fn start_two(folder: &Path, postgres: &PostgresServer) -> [ServerProcess; 2] {
    let database = postgres.create_database("dies").unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.join("home"));
    let start = |name: &str| {
        let arguments = [
            "--database",
            &database,
            "--account-burst",
            "1000000",
            "--address-burst",
            "1000000",
        ];
        program
            .serve(&folder.join(name), "127.0.0.1:0", arguments)
            .unwrap()
    };
    let first = start("first");
    program.make_operator(&first).unwrap();
    [first, start("second")]
}

/// Starts PostgreSQL, once the last of its processes has found out that the first one was killed.
fn start_again(postgres: &PostgresServer) {
    let mut refused = None;
    for _ in 0..600 {
        match postgres.start() {
            Ok(()) => return,
            Err(error) => refused = Some(error),
        }
        nap(Duration::from_millis(100));
    }
    panic!("{refused:?}");
}

/// How long it takes until every device has something acknowledged that was not before.
#[expect(
    clippy::disallowed_methods,
    reason = "the time it takes is what is measured"
)]
fn recovery(acknowledged: &Acknowledged) -> Duration {
    let started = Instant::now();
    let last = |device: u8| {
        let device = wharf_types::DeviceId::from_bytes([device + 1; 16]);
        let acknowledged = acknowledged.lock();
        let of_device = acknowledged.range((device, 0)..=(device, u64::MAX));
        of_device.last().map_or(0, |((_, number), _)| *number)
    };
    // The number under way may have been taken before the death; the one after it was not.
    let before = [0, 1, 2, 3].map(last);
    wait_for(|| {
        [0, 1, 2, 3]
            .map(last)
            .iter()
            .zip(before)
            .all(|(now, before)| *now > before + 1)
    });
    started.elapsed()
}

fn follow(url: &str, token: &str, store: &Path) -> Chat {
    let options = Options::new(url.parse().unwrap());
    let api = Api::lazily(options).unwrap().with_token(token).unwrap();
    let options = ChatOptions {
        api,
        store: store.to_owned(),
        clock: Clock::system(),
    };
    Chat::open(options).unwrap()
}

/// Waits until a chat shows the whole log.
async fn has_all(chat: Chat, log: &[Entry]) {
    let head = log.len() as u64;
    let complete = async {
        loop {
            let rooms = chat.rooms().unwrap();
            let home = rooms
                .iter()
                .find(|view| view.room.kind == RoomKind::Personal);
            if let Some(home) = home.filter(|home| home.room.head >= head)
                && !chat.fetch_older(home.room.id).await.unwrap_or(true)
            {
                let timeline = chat.timeline(home.room.id, Window::After(0), log.len() + 1);
                let shown: Vec<_> = timeline.unwrap().items;
                if shown.len() >= log.len() {
                    return shown;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let shown = tokio::time::timeout(PATIENCE, complete).await.unwrap();
    let shown: Vec<_> = shown
        .iter()
        .map(|item| (item.entry.position, item.entry.hash))
        .collect();
    let real: Vec<_> = log
        .iter()
        .map(|entry| (entry.position, entry.hash))
        .collect();
    assert_eq!(shown, real);
    chat.close().await;
}
