//! A journal over a network that loses, doubles and reorders, to a server that is killed: nothing is lost, nothing is twice.
//!
//! `WHARF_JOURNAL_ENTRIES` sets how many entries are written (some thousands in CI, 100,000 is the long form),
//! `WHARF_JOURNAL_KILLS` how often the server is killed, `WHARF_CRASH_SEED` the seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wharf_client::Clock;
use wharf_client::udp::{Patience, Spool, Way, flush};
use wharf_testkit::gateway::lossy::{LossyNetwork, Weather};

use super::Server;
use crate::send_crash::{nap, setting};

const ENTRIES_IN_CI: u64 = 3_000;
const KILLS_IN_CI: u64 = 6;
const WEATHER: Weather = Weather {
    lost: 30,
    doubled: 20,
    late: 20,
};

/// Short waits, since this network is as near as it is bad.
fn patience() -> Patience {
    Patience {
        waits: [40, 80, 160, 320, 640].map(Duration::from_millis).to_vec(),
        is_eager: true,
        ..Patience::default()
    }
}

/// The text of an entry; each two-hundredth one takes several datagrams.
fn text(number: u64) -> String {
    let long = if number.is_multiple_of(200) { 300 } else { 0 };
    format!("entry {number}\n{}", "and more of it ".repeat(long))
}

/// Sends until nothing waits.
fn drain(spool: &mut Spool, way: &Way) {
    while spool.waiting_count().unwrap() > 0 {
        let clock = Clock::system();
        let flushed = flush(spool, way, &patience(), || clock.now_ms()).unwrap();
        assert_eq!(flushed.refused_count, 0);
    }
}

#[test]
fn a_bad_network_and_a_server_that_is_killed_lose_and_double_nothing() {
    let seed = setting("WHARF_CRASH_SEED", 20_261_121);
    let entries = setting("WHARF_JOURNAL_ENTRIES", ENTRIES_IN_CI);
    let kills = setting("WHARF_JOURNAL_KILLS", KILLS_IN_CI);
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let network = LossyNetwork::start(server.udp, WEATHER, seed).unwrap();
    let mut way = server.way();
    way.port = network.address().port();
    let path = folder.path().join("spool.sqlite");
    let mut spool = Spool::open(&path).unwrap();
    let texts: Vec<String> = (0..entries).map(text).collect();
    spool.add(way.key, &texts, 5).unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let sender = std::thread::spawn({
        let (is_done, way) = (Arc::clone(&is_done), way.clone());
        move || {
            drain(&mut spool, &way);
            is_done.store(true, Ordering::SeqCst);
        }
    });
    let mut random = StdRng::seed_from_u64(seed);
    let mut killed = 0;
    while !is_done.load(Ordering::SeqCst) {
        nap(Duration::from_millis(random.random_range(100..600)));
        if killed < kills {
            server = server.kill_and_start();
            killed += 1;
        }
    }
    sender.join().unwrap();
    assert_eq!(
        killed, kills,
        "more entries, or fewer kills: it was over before them"
    );
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for text in server.texts() {
        *counts.entry(text).or_default() += 1;
    }
    for text in &texts {
        assert_eq!(
            counts.get(text),
            Some(&1),
            "seed {seed}: {}",
            text.lines().next().unwrap()
        );
    }
    assert_eq!(counts.len(), texts.len());
    assert!(
        network.lost_count() > entries / 4,
        "{}",
        network.lost_count()
    );
    server.verify();
}

#[test]
fn a_writer_that_is_killed_loses_and_doubles_nothing_that_it_wrote_down() {
    let seed = setting("WHARF_CRASH_SEED", 20_261_121);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let network = LossyNetwork::start(server.udp, WEATHER, seed).unwrap();
    let mut way = server.way();
    way.port = network.address().port();
    server
        .program
        .run(["diary", "udp", "use", &way.to_string()])
        .unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    for number in 0..12 {
        let text = format!("entry {number}");
        let mut writer = server
            .program
            .command(["diary", "--udp", &text])
            .spawn()
            .unwrap();
        nap(Duration::from_millis(random.random_range(0..150)));
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    // What the spool knows of is what was written down; all of it arrives, once.
    let state = folder.path().join("home/state/wharf/udp.sqlite");
    let waiting = Spool::open(&state).unwrap().waiting_count().unwrap();
    let saved = server.texts().len() as u64;
    server.program.run(["diary", "udp", "send"]).unwrap();
    let mut texts = server.texts();
    assert!(texts.len() as u64 >= saved.max(waiting), "{texts:?}");
    let count = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), count, "nothing is twice");
    assert_eq!(Spool::open(&state).unwrap().waiting_count().unwrap(), 0);
    server.verify();
}
