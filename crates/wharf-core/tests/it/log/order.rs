//! Many senders and readers at once, through two server processes: what each saw is one order, and that of real time.
//!
//! The check is that of a list-append history: every read is the beginning of the final list; what was acknowledged
//! before a read was asked for is in it; of two appends of which one was acknowledged before the other was asked for, it
//! comes first; each acknowledged append is there once, at the position that it was told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_core::{Caller, Wharf};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::DeviceId;
use wharf_types::api::live::Sending;
use wharf_types::api::log::{AppendOutcome, Body};

use super::room::{Talk, device, text};
use crate::support::from;

both_engines!(appends_and_reads_at_once_have_one_order);

const SENDERS: u8 = 6;
const APPENDS: u64 = 40;
const READS: usize = 60;

/// What somebody did: asked at one moment, answered at a later one.
#[derive(Debug)]
struct Event {
    asked: u64,
    answered: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Appended, and was told the position.
    Append { value: String, position: u64 },
    /// Read the log from its beginning.
    Read { values: Vec<String> },
}

/// The moments, and what happened.
#[derive(Default)]
struct History {
    moment: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl History {
    fn now(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::SeqCst)
    }

    fn add(&self, asked: u64, what: What) {
        let answered = self.now();
        self.events.lock().push(Event {
            asked,
            answered,
            what,
        });
    }
}

async fn appends_and_reads_at_once_have_one_order(db: TestDb) {
    let talk = Talk::open(db).await;
    let history = Arc::new(History::default());
    let houses = [talk.house.wharf.clone(), talk.house.second_process().await];
    let mut tasks = Vec::new();
    for sender in 0..SENDERS {
        let wharf = houses[usize::from(sender % 2)].clone();
        let visitor = if sender % 3 == 0 {
            &talk.owner
        } else {
            &talk.editor
        };
        let token = &visitor.logged_in.token;
        let caller = wharf
            .accounts()
            .authenticate(token, from("192.0.2.1"))
            .await
            .unwrap();
        let task = send_task(
            wharf.clone(),
            caller,
            talk.at(),
            device(sender),
            Arc::clone(&history),
        );
        tasks.push(tokio::spawn(task));
        let task = read_task(wharf, caller, talk.at(), Arc::clone(&history));
        tasks.push(tokio::spawn(task));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let all = read_all(&talk.house.wharf, &talk.owner.caller, talk.at()).await;
    check(&all, &history.events.lock());
}

/// Sends texts, one or several at a time, some of them twice as after a lost answer.
async fn send_task(
    wharf: Wharf,
    caller: Caller,
    room: RoomRef,
    device: DeviceId,
    history: Arc<History>,
) {
    let RoomRef::Id(id) = room else {
        panic!("a room of several people has an id")
    };
    let mut number = 1;
    while number <= APPENDS {
        let count = number % 3 + 1;
        let items: Vec<_> = (number..number + count)
            .map(|number| Sending {
                number,
                room: id,
                draft: text(&format!("{device}/{number}")),
                client_ms: None,
            })
            .collect();
        let asked = history.now();
        if number % 5 == 0 {
            // The answer is lost, and the same is sent again at once, while the first may be under way.
            let (wharf, items) = (wharf.clone(), items.clone());
            drop(tokio::spawn(async move {
                wharf.logs().append_batch(&caller, device, items).await
            }));
        }
        let outcomes = wharf.logs().append_batch(&caller, device, items).await;
        for (number, outcome) in (number..).zip(outcomes) {
            let AppendOutcome::Appended(appended) = outcome else {
                panic!("{outcome:?}")
            };
            let value = format!("{device}/{number}");
            let position = appended.position;
            history.add(asked, What::Append { value, position });
        }
        number += count;
    }
}

async fn read_task(wharf: Wharf, caller: Caller, room: RoomRef, history: Arc<History>) {
    for _ in 0..READS {
        let asked = history.now();
        let values = read_all(&wharf, &caller, room).await;
        history.add(asked, What::Read { values });
    }
}

async fn read_all(wharf: &Wharf, caller: &Caller, room: RoomRef) -> Vec<String> {
    let page = wharf
        .logs()
        .page(caller, room, Range::After(0), Some(1_000))
        .await
        .unwrap();
    assert_eq!(page.items.len() as u64, page.head, "positions are dense");
    page.items
        .iter()
        .map(|entry| match &entry.body {
            Some(Body::Text(said)) => said.text.clone(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn check(all: &[String], events: &[Event]) {
    let positions: HashMap<&str, u64> = all.iter().map(String::as_str).zip(1..).collect();
    assert_eq!(positions.len(), all.len(), "an entry is there twice");
    let mut appended = 0;
    for event in events {
        match &event.what {
            What::Append { value, position } => {
                assert_eq!(positions.get(value.as_str()), Some(position), "{value}");
                appended += 1;
            }
            What::Read { values } => {
                assert_eq!(values, &all[..values.len()], "a read saw another order");
            }
        }
    }
    assert_eq!(
        appended,
        all.len(),
        "an entry is there that nobody was told of"
    );
    // How long the list was for sure at a moment: whatever was answered before it is in every later answer.
    let length = |event: &Event| match &event.what {
        What::Append { position, .. } => *position,
        What::Read { values } => values.len() as u64,
    };
    let mut by_answer: Vec<&Event> = events.iter().collect();
    by_answer.sort_by_key(|event| event.answered);
    let mut by_asking: Vec<&Event> = events.iter().collect();
    by_asking.sort_by_key(|event| event.asked);
    let (mut known, mut answered) = (0, by_answer.into_iter().peekable());
    for event in by_asking {
        while let Some(before) = answered.next_if(|before| before.answered < event.asked) {
            known = known.max(length(before));
        }
        match &event.what {
            What::Append { position, .. } => {
                assert!(*position > known, "{event:?} came before {known}");
            }
            What::Read { .. } => assert!(length(event) >= known, "{event:?} missed {known}"),
        }
    }
}
