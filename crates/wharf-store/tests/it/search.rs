//! The inverted index against sets of numbers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, prop, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wharf_store::search::{Changes, Edit, Edits, OPEN, Reads, clear, list};
use wharf_store::sql::{self, Lock, Tx};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::RoomId;

both_engines!(
    random_edits_agree_with_sets,
    a_long_list_is_walked_in_few_reads,
    reads_are_bounded,
);

const TERMS: [&str; 4] = ["alpha", "beta", "\u{1}all", "京都"];
const ENOUGH: Reads = Reads { left: 1_000_000 };

type Model = BTreeMap<(RoomId, &'static str), BTreeSet<u64>>;

fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}

/// Room, term, whether documents are added, and which.
type Change = (u8, usize, bool, Vec<u64>);

/// Rounds of runs of documents, near each other or far apart, to add to a term or to take out.
fn rounds() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let near = prop::collection::vec(0..2_000_u64, 1..40);
    let far = prop::collection::vec(0..OPEN, 1..10);
    let run = (0..500_u64, 100..600_u64).prop_map(|(begin, count)| {
        (0..count)
            .map(|number| (begin + number) * 1_000_003)
            .collect()
    });
    let docs = prop_oneof![near, far, run];
    let edit = (0..2_u8, 0..TERMS.len(), prop::bool::weighted(0.65), docs);
    prop::collection::vec(prop::collection::vec(edit, 1..6), 1..30)
}

fn walk(tx: &mut Tx<'_>, room: RoomId, term: &str, steps: &[u64]) -> sql::Result<Vec<u64>> {
    let mut walked = Vec::new();
    let mut list = list(tx, room, term)?;
    let (mut reads, mut at_most, mut steps) = (ENOUGH, u64::MAX, steps.iter().cycle());
    while let Some(doc) = list.seek(tx, at_most, &mut reads)? {
        walked.push(doc);
        let step = steps.next().copied().unwrap_or(1);
        let Some(next) = doc.checked_sub(step) else {
            break;
        };
        at_most = next;
    }
    Ok(walked)
}

fn walk_model(docs: &BTreeSet<u64>, steps: &[u64]) -> Vec<u64> {
    let mut walked = Vec::new();
    let (mut at_most, mut steps) = (u64::MAX, steps.iter().cycle());
    while let Some(doc) = docs.range(..=at_most).next_back() {
        walked.push(*doc);
        let step = steps.next().copied().unwrap_or(1);
        let Some(next) = doc.checked_sub(step) else {
            break;
        };
        at_most = next;
    }
    walked
}

/// Adds a change to the edits of a round, and to what should come of them. A document is not both added and removed.
fn note(model: &mut Model, edits: &mut Edits, (number, term, is_added, docs): Change) {
    let (room, term) = (room(number), TERMS[term]);
    let edit = edits
        .entry(room)
        .or_default()
        .entry(term.to_owned())
        .or_default();
    let known = model.entry((room, term)).or_default();
    for doc in docs {
        if is_added && !edit.removed.contains(&doc) {
            edit.added.push(doc);
            known.insert(doc);
        } else if !is_added && !edit.added.contains(&doc) {
            edit.removed.push(doc);
            known.remove(&doc);
        }
    }
}

async fn random_edits_agree_with_sets(db: TestDb) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let rounds = rounds().new_tree(&mut runner).unwrap().current();
        let mut model = Model::new();
        for round in rounds {
            let mut edits = Edits::new();
            for change in round {
                note(&mut model, &mut edits, change);
            }
            db.write(Lock::None, move |tx| Changes::plan(tx, &edits)?.write(tx))
                .await
                .unwrap();
        }
        for ((room, term), docs) in &model {
            for steps in [&[1][..], &[1, 700, 90_000_000_000], &[40]] {
                let (room, term, steps) = (*room, *term, steps);
                let walked = db
                    .read(move |tx| walk(tx, room, term, steps))
                    .await
                    .unwrap();
                assert_eq!(walked, walk_model(docs, steps), "{term} by {steps:?}");
            }
        }
        let has_blocks = model.values().any(|docs| !docs.is_empty());
        assert_eq!(
            block_count(&db).await > 0,
            has_blocks,
            "nothing is left of an empty term"
        );
        db.write(Lock::None, |tx| clear(tx, Some(room(0))))
            .await
            .unwrap();
        db.write(Lock::None, |tx| clear(tx, None)).await.unwrap();
        assert_eq!(block_count(&db).await, 0);
    }
}

async fn block_count(db: &TestDb) -> u64 {
    db.read(|tx| tx.one("SELECT count(*) FROM search_block", &[], |row| row.uint(0)))
        .await
        .unwrap()
}

async fn fill(db: &TestDb, count: u64) {
    for begin in (0..count).step_by(1_000) {
        let added = (begin..begin + 1_000).map(|doc| doc * 1_000).collect();
        let edit = Edit {
            added,
            removed: Vec::new(),
        };
        let edits = Edits::from([(room(0), BTreeMap::from([("alpha".to_owned(), edit)]))]);
        db.write(Lock::None, move |tx| Changes::plan(tx, &edits)?.write(tx))
            .await
            .unwrap();
    }
}

async fn a_long_list_is_walked_in_few_reads(db: TestDb) {
    fill(&db, 20_000).await;
    let (met, left) = db
        .read(|tx| {
            let mut list = list(tx, room(0), "alpha")?;
            let mut reads = Reads { left: 10 };
            let mut met = Vec::new();
            for at_most in [15_000_500, 15_000_499, 9_000_000, 999, 0] {
                met.push(list.seek(tx, at_most, &mut reads)?);
            }
            Ok::<_, sql::Error>((met, reads.left))
        })
        .await
        .unwrap();
    assert_eq!(
        met,
        [
            Some(15_000_000),
            Some(15_000_000),
            Some(9_000_000),
            Some(0),
            Some(0)
        ]
    );
    assert!(
        left >= 6,
        "each far jump read one block, {left} reads are left of 10"
    );
}

async fn reads_are_bounded(db: TestDb) {
    fill(&db, 20_000).await;
    let (met, left) = db
        .read(|tx| {
            let mut list = list(tx, room(0), "alpha")?;
            let mut reads = Reads { left: 3 };
            let (mut met, mut at_most) = (0, u64::MAX);
            while let Some(doc) = list.seek(tx, at_most, &mut reads)? {
                met += 1;
                at_most = doc - 1;
            }
            Ok::<_, sql::Error>((met, reads.left))
        })
        .await
        .unwrap();
    assert_eq!(left, 0);
    assert!((1..20_000).contains(&met), "it gave up after {met}");
}
