//! A session over real sockets is cut after some of its bytes, in both directions, and in the end everything is there once.
//!
//! The session is the same each time: a device says, changes, reacts and reads, another person says things meanwhile, and
//! about 200 frames travel. A run of the test cuts it after every so many bytes, `WHARF_CUT_STEP` (1499); with 1, after each.
//! Without sockets, `chat::cut` in the crate cuts after every byte.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinSet;
use wharf_client::api::Range;
use wharf_client::chat::Window;
use wharf_client::{Api, Room};
use wharf_testkit::db::Engine;
use wharf_testkit::proxy::{After, Proxy, Way};
use wharf_testkit::server::TestServer;
use wharf_types::DeviceId;
use wharf_types::api::log::{Append, Body, Draft, Entry, Mentions, Text};
use wharf_types::limit::PAGE_ITEMS_MAX;

use super::{Pair, api, chat, entries, live, sent, until};

/// Texts that each side says.
const SAID: usize = 30;
/// Sessions at a time.
const WORKERS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_over_sockets_that_is_cut_is_whole_in_the_end() {
    #[expect(clippy::disallowed_methods, reason = "the long form is asked for so")]
    let step = std::env::var("WHARF_CUT_STEP");
    let step: usize = step.map_or(1499, |step| step.parse().unwrap());
    let server = Arc::new(TestServer::on(Engine::Sqlite).await);
    let whole = Pair::new(&server, "whole").await;
    let proxy = Proxy::start(server.address()).await;
    session(&server, &whole, &proxy, "whole").await;
    let lengths = [Way::Up, Way::Down].map(|way| (way, proxy.passed_bytes(way)));
    let cuts: Vec<_> = lengths
        .into_iter()
        .flat_map(|(way, length)| (0..=length).step_by(step).map(move |at| (way, at)))
        .collect();
    println!("{} cuts of {lengths:?} bytes", cuts.len());
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let server = Arc::clone(&server);
        let mine: Vec<_> = cuts.iter().copied().skip(worker).step_by(WORKERS).collect();
        workers.spawn(async move {
            let pair = Pair::new(&server, &worker.to_string()).await;
            for (way, at) in mine {
                let proxy = Proxy::start(server.address()).await;
                proxy.cut_after(way, at, After::Heal);
                session(&server, &pair, &proxy, &format!("{way:?} {at}")).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
}

/// Runs the session on a new device, over `proxy`, and compares what it has with what the server has.
async fn session(server: &TestServer, pair: &Pair, proxy: &Proxy, name: &str) {
    let temp = TempDir::new().unwrap();
    let room = pair.room;
    let straight = api(server.address(), &pair.bob.token);
    let begin = straight
        .log(Room::Id(room), Range::Last, Some(1))
        .await
        .unwrap()
        .head;
    let ada = chat(proxy.address(), &pair.ada.token, &temp.path().join("ada"));
    live(&ada, room).await;
    let mut ids = Vec::new();
    for n in 0..SAID {
        ids.push(ada.say(room, format!("{name} ada {n}")).unwrap());
        say_straight(&straight, pair, format!("{name} bob {n}")).await;
    }
    let mut positions = Vec::new();
    for id in ids {
        positions.push(sent(&ada, id).await);
    }
    assert!(
        positions.is_sorted_by(|one, other| one < other),
        "{name}: {positions:?}"
    );
    for position in positions.iter().step_by(3) {
        ada.react(room, *position, "!", true).unwrap();
        ada.mark_read(room, *position).unwrap();
    }
    ada.edit(
        room,
        positions[0],
        format!("{name} edited"),
        Mentions::default(),
    )
    .unwrap();
    let last = ada.recall(room, positions[1]).unwrap();
    sent(&ada, last).await;
    let page = straight
        .log(
            Room::Id(room),
            Range::After(begin),
            Some(PAGE_ITEMS_MAX.min(1000)),
        )
        .await
        .unwrap();
    let real: Vec<Entry> = page
        .items
        .into_iter()
        .map(public)
        .filter(is_shown)
        .collect();
    let texts = real.iter().filter_map(|entry| match &entry.body {
        Some(Body::Text(text)) => Some(text.text.as_str()),
        _ => None,
    });
    assert_eq!(
        texts.count(),
        2 * SAID - 1,
        "{name}: one was recalled, the others are there once"
    );
    until(&ada, |ada| {
        let timeline = ada.timeline(room, Window::After(begin), 1000).unwrap();
        let stored: Vec<Entry> = entries(timeline).into_iter().map(public).collect();
        (stored == real).then_some(())
    })
    .await;
    assert_eq!(ada.waiting_count().unwrap(), 0);
    ada.close().await;
}

/// The author alone is told the address.
fn public(mut entry: Entry) -> Entry {
    entry.origin.address = None;
    entry
}

fn is_shown(entry: &Entry) -> bool {
    entry.state.recalled.is_some() || entry.body.as_ref().is_some_and(Body::is_countable)
}

async fn say_straight(api: &Api, pair: &Pair, text: String) {
    let append = Append {
        device: DeviceId::from_bytes(rand::random()),
        number: 1,
        draft: Draft::Text(Text {
            text,
            ..Text::default()
        }),
        client_ms: None,
    };
    api.append(Room::Id(pair.room), &append).await.unwrap();
}
