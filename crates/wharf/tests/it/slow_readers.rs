//! Many connections follow a room in which much is said, and some of them do not read: the server's memory does not grow by what
//! they were not told, and once they read they have all of it, each entry once, in order.
//!
//! `WHARF_SLOW_CONNECTIONS` sets how many connections there are, of which one in five does not read, `WHARF_SLOW_LINES` how much
//! is said.

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wharf_testkit::program::{Program, ServerProcess};
use wharf_testkit::server::Live;
use wharf_types::api::live::{ClientFrame, Fetch, Sending, ServerFrame};
use wharf_types::api::log::{Body, Draft, Entry, Text};
use wharf_types::{DeviceId, RoomId};

use crate::send_crash::{PATIENCE, setting};
use crate::two_servers::come;
use crate::writer::log_in;

const CONNECTIONS_IN_CI: u64 = 30;
const LINES_IN_CI: u64 = 2_400;
/// What a line takes. All of them together are far more than the server may hold.
const LINE_BYTES: usize = 16 * 1024;
/// By how much the server may grow: what its database caches, and queues of 1 MiB for each connection that does not read, which
/// share what is in them.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// Lines without an acknowledgement, at most.
const WINDOW: u64 = 20;

#[test]
fn connections_that_do_not_read_cost_bounded_memory_and_have_all_in_the_end() {
    let connections = setting("WHARF_SLOW_CONNECTIONS", CONNECTIONS_IN_CI);
    let lines = setting("WHARF_SLOW_LINES", LINES_IN_CI);
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.path().join("home"));
    let unbounded = [
        "--account-burst",
        "--address-burst",
        "--live-connections",
        "--live-per-account",
        "--live-per-address",
    ];
    let unbounded = unbounded.iter().flat_map(|bound| [*bound, "1000000"]);
    let server = program
        .serve(&folder.path().join("data"), "127.0.0.1:0", unbounded)
        .unwrap();
    program.make_operator(&server).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let token = log_in(&format!("http://{}", server.address())).await;
        let device = Some(DeviceId::from_bytes([7; 16]));
        let (mut speaker, room) = come(server.address(), &token, device).await;
        let mut readers = JoinSet::new();
        let mut stalled = Vec::new();
        for number in 1..connections {
            let (live, _) = come(server.address(), &token, None).await;
            if number % 5 == 0 {
                stalled.push(live);
            } else {
                readers.spawn(discard(live));
            }
        }
        let warm = lines / 4;
        speak(&mut speaker, room, 1..=warm, &server).await;
        let before = resident_kib(&server);
        let peak = speak(&mut speaker, room, warm + 1..=lines, &server).await;
        let growth = peak.saturating_sub(before);
        let said_kib = (lines - warm) * LINE_BYTES as u64 / 1024;
        println!(
            "{connections} connections, {} of them stalled; {said_kib} KiB were said, the server grew by {growth} KiB \
             from {before} KiB",
            stalled.len()
        );
        assert!(growth < GROWTH_KIB_MAX, "{growth} KiB");
        let mut converging = JoinSet::new();
        for live in stalled {
            converging.spawn(timeout(10 * PATIENCE, converge(live, room, lines)));
        }
        for done in converging.join_all().await {
            assert!(done.unwrap() > 0, "nothing of it was slow");
        }
        readers.abort_all();
    });
    server.stop().unwrap();
}

/// Reads whatever comes.
async fn discard(live: Live) {
    let mut stream = live.into_inner();
    let mut buffer = vec![0; 64 * 1024];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Says lines, each as soon as there is room in the window; returns the most memory that the server had meanwhile.
async fn speak(
    live: &mut Live,
    room: RoomId,
    numbers: std::ops::RangeInclusive<u64>,
    server: &ServerProcess,
) -> u64 {
    let padding = "x".repeat(LINE_BYTES);
    let (last, mut acknowledged) = (*numbers.end(), *numbers.start() - 1);
    let mut peak = 0;
    for number in numbers {
        let draft = Draft::Text(Text {
            text: format!("{number} {padding}"),
            ..Text::default()
        });
        live.send(&ClientFrame::Send(Sending {
            number,
            room,
            draft,
            client_ms: None,
        }))
        .await;
        while acknowledged + WINDOW < number || (number == last && acknowledged < last) {
            match live.next().await {
                ServerFrame::Ack { number, .. } => acknowledged = number,
                ServerFrame::Nack { refused, .. } => panic!("{refused:?}"),
                _ => {}
            }
        }
        if number % 64 == 0 {
            peak = peak.max(resident_kib(server));
        }
    }
    peak
}

/// Reads what was told and fetches what was not, until all is there; returns how often it was told to fetch.
async fn converge(mut live: Live, room: RoomId, lines: u64) -> u64 {
    let (mut held, mut fetches, mut is_asking) = (0, 0, false);
    while held < lines {
        let is_behind = match live.next().await {
            ServerFrame::Entry { entry, .. } => !take(&entry, &mut held),
            ServerFrame::Lag { head, .. } => head > held,
            ServerFrame::Page { page, .. } => {
                is_asking = false;
                for entry in &page.items {
                    assert!(take(entry, &mut held), "a page has a hole");
                }
                page.head > held
            }
            _ => false,
        };
        if is_behind && !is_asking {
            is_asking = true;
            fetches += 1;
            let fetch = Fetch {
                id: fetches,
                room,
                after: Some(held),
                before: None,
                limit: Some(1_000),
            };
            live.send(&ClientFrame::Fetch(fetch)).await;
        }
    }
    fetches
}

/// Takes an entry that is next or known; says whether it was.
fn take(entry: &Entry, held: &mut u64) -> bool {
    if entry.position > *held + 1 {
        return false;
    }
    if entry.position == *held + 1 {
        let Some(Body::Text(text)) = &entry.body else {
            panic!("nobody said {entry:?}");
        };
        let number = text.text.split(' ').next().unwrap();
        assert_eq!(number.parse::<u64>().unwrap(), entry.position);
        *held += 1;
    }
    true
}

/// What the server's process holds.
fn resident_kib(server: &ServerProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
