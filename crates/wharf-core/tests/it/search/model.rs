//! Random logs and drives: what is found is what a look at everything would find.

use proptest::prelude::{Strategy, prop, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wharf_core::drive::{Manifests, Page};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{At, OnExists, Op};
use wharf_types::api::log::{Draft, Recall};
use wharf_types::fold::text_of;

use super::{Talk, edit};
use crate::desk::{make_folder, move_on_exists, remove};
use crate::log::room::text;

both_engines!(what_is_found_is_what_is_there);

const WORDS: [&str; 8] = ["ant", "bee", "cat", "dog", "éel", "狐狸", "狸", "go-on"];

#[derive(Debug, Clone)]
enum Act {
    Say(Vec<usize>),
    Edit(usize, Vec<usize>),
    Recall(usize),
    Make(usize, usize),
    Move(usize, usize),
    Remove(usize),
    Index,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let words = || prop::collection::vec(0..WORDS.len(), 1..5);
    let word = || 0..WORDS.len();
    let act = prop_oneof![
        6 => words().prop_map(Act::Say),
        2 => (0..40_usize, words()).prop_map(|(target, words)| Act::Edit(target, words)),
        1 => (0..40_usize).prop_map(Act::Recall),
        2 => (word(), word()).prop_map(|(one, other)| Act::Make(one, other)),
        1 => (word(), word()).prop_map(|(from, to)| Act::Move(from, to)),
        1 => word().prop_map(Act::Remove),
        2 => prop::bool::ANY.prop_map(|_| Act::Index),
    ];
    prop::collection::vec(act, 10..60)
}

fn sentence(words: &[usize]) -> String {
    let words: Vec<&str> = words.iter().map(|word| WORDS[*word]).collect();
    words.join(" ")
}

impl Talk {
    /// Does what can be done of an act; what cannot is refused, which is of no interest here.
    async fn act(&self, act: Act) {
        let me = &self.owner;
        match act {
            Act::Say(words) => drop(self.try_say(me, text(&sentence(&words))).await),
            Act::Edit(target, words) => {
                drop(
                    self.try_say(me, edit(target as u64, &sentence(&words)))
                        .await,
                );
            }
            Act::Recall(target) => {
                let target = target as u64;
                drop(self.try_say(me, Draft::Recall(Recall { target })).await);
            }
            Act::Make(one, other) => {
                self.try_commit(make_folder(&format!("{}/{}", WORDS[one], WORDS[other])))
                    .await;
            }
            Act::Move(from, to) => {
                self.try_commit(move_on_exists(WORDS[from], WORDS[to], OnExists::Replace))
                    .await;
            }
            Act::Remove(word) => self.try_commit(remove(WORDS[word])).await,
            Act::Index => self.index().await,
        }
        self.house.clock.advance_ms(7);
    }

    async fn try_commit(&self, op: Op) {
        let position = self
            .house
            .wharf
            .drive()
            .summary(&self.owner.caller, self.at())
            .await
            .unwrap()
            .position;
        let id = super::bytes_of(&format!("{position} {op:?} {}", self.house.clock.now_ms()));
        let commit = wharf_types::api::drive::Commit {
            id: wharf_types::CommitId::from_bytes(id),
            ops: vec![op],
        };
        drop(
            self.house
                .wharf
                .drive()
                .commit(&self.owner.caller, self.at(), commit)
                .await,
        );
    }

    /// What has all of these words, found by looking at everything.
    async fn looked_up(&self, words: &[&str]) -> Vec<String> {
        let has_all = |text: &str| {
            let parts: Vec<&str> = text.split([' ', '-']).collect();
            words.iter().all(|word| match *word {
                "狸" => text.contains('狸'),
                "go-on" => parts.windows(2).any(|pair| pair == ["go", "on"]),
                word => parts.contains(&word),
            })
        };
        let mut found = Vec::new();
        for entry in self.log(&self.owner).await {
            let is_said = entry.state.recalled.is_none()
                && entry
                    .body
                    .as_ref()
                    .is_some_and(wharf_types::api::log::Body::is_countable);
            if is_said && text_of(&entry).is_some_and(&has_all) {
                found.push(entry.position.to_string());
            }
        }
        let drive = self.house.wharf.drive();
        let page = Page {
            after: None,
            limit: Some(1_000),
        };
        let root = At::Path(String::new());
        let tree = drive
            .tree(&self.owner.caller, self.at(), root, page, Manifests::Omit)
            .await
            .unwrap();
        for entry in tree.items {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            if has_all(name) {
                found.push(entry.path);
            }
        }
        found.sort();
        found
    }
}

async fn what_is_found_is_what_is_there(db: TestDb) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the long form is asked for by whoever runs the test"
    )]
    let cases: u32 = std::env::var("WHARF_SEARCH_CASES").map_or(3, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::deterministic();
    let talk = Talk::open(db).await;
    for _ in 0..cases {
        // The log and the drive go on from case to case.
        for act in acts().new_tree(&mut runner).unwrap().current() {
            talk.act(act).await;
            // However far behind the index is, nothing is found that is not there.
            let found = talk.found(&talk.owner, "ant").await;
            let there = talk.looked_up(&["ant"]).await;
            assert!(
                found.iter().all(|hit| there.contains(hit)),
                "{found:?} of {there:?}"
            );
        }
        talk.index().await;
        for words in [
            &["ant"][..],
            &["bee", "cat"],
            &["éel"],
            &["狸"],
            &["狐狸", "dog"],
            &["go-on"],
        ] {
            let mut found = talk.found(&talk.owner, &words.join(" ")).await;
            found.sort();
            assert_eq!(found, talk.looked_up(words).await, "{words:?}");
        }
    }
}
