//! Random histories: what people and devices might do to a drive, most of it to what is there.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use wharf_types::api::drive::{NodeKind, OnExists};

use super::model::{Act, Guess, Model, Which};

/// A commit, with days passing before it.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) days: u32,
    acts: Vec<Rough>,
}

/// An act that still aims anywhere: it is brought to bear on what is there when its turn comes, most of the time.
#[derive(Debug, Clone)]
struct Rough {
    act: Act,
    /// Of ten: up to 7 names a node that is there by its path, 8 by its id, 9 leaves what was drawn.
    aim: u8,
    number: usize,
    other_number: usize,
}

fn path(least: usize) -> impl Strategy<Value = Vec<String>> {
    vec(
        select(vec!["a", "A", "b", "é", "c"]).prop_map(str::to_owned),
        least..4,
    )
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        6 => Just(Guess::Any),
        1 => Just(Guess::Absent),
        1 => any::<u64>().prop_map(Guess::Revision),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![12 => path(1).prop_map(Which::Path), 1 => Just(Which::Path(Vec::new()))]
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    vec(
        select(vec!["red", "blue", "x"]).prop_map(str::to_owned),
        0..3,
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (path(1), select(vec![0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5]), 0..3_i64, guess())
            .prop_map(|(path, content, mtime_ns, expect)| Act::Put { path, content, mtime_ns, expect }),
        2 => (path(0), guess()).prop_map(|(path, expect)| Act::MakeFolder { path, expect }),
        5 => (which(), path(1), any::<bool>(), guess()).prop_map(|(from, to, replace, expect)| Act::Move {
            from,
            to,
            on_exists: if replace { OnExists::Replace } else { OnExists::Refuse },
            expect,
        }),
        3 => (which(), guess()).prop_map(|(at, expect)| Act::Remove { at, expect }),
        2 => proptest::option::of(path(1)).prop_map(|to| Act::Restore { node: 0, to }),
        1 => Just(Act::Purge { node: 0 }),
        1 => (which(), any::<u64>(), guess())
            .prop_map(|(at, revision, expect)| Act::Revert { at, revision, expect }),
        1 => (which(), tags(), tags()).prop_map(|(at, add, remove)| Act::Tag { at, add, remove }),
    ]
}

pub(crate) fn history() -> impl Strategy<Value = Vec<Turn>> {
    let rough = || {
        (act(), 0..10_u8, any::<usize>(), any::<usize>()).prop_map(
            |(act, aim, number, other_number)| Rough {
                act,
                aim,
                number,
                other_number,
            },
        )
    };
    let days = prop_oneof![6 => Just(0), 1 => 1..3_u32];
    // Short commits go through more often, long ones meet themselves more often.
    let acts = prop_oneof![3 => vec(rough(), 1..3), 1 => vec(rough(), 3..12)];
    let turn = (days, acts).prop_map(|(days, acts)| Turn { days, acts });
    vec(turn, 1..60)
}

impl Turn {
    /// What is committed, aimed at what `model` holds.
    pub(crate) fn acts(&self, model: &Model) -> Vec<Act> {
        self.acts.iter().map(|rough| rough.aimed(model)).collect()
    }
}

impl Rough {
    /// The act, aimed at what `model` holds.
    fn aimed(&self, model: &Model) -> Act {
        let mut act = self.act.clone();
        let tree = model.tree();
        match &mut act {
            Act::Put { path, expect, .. } | Act::MakeFolder { path, expect } => {
                // Half of what is put goes over something that is there.
                if self.number.is_multiple_of(2)
                    && self.aim < 8
                    && let Some((there, _)) = pick(&tree, self.other_number)
                {
                    *path = names(there);
                }
                aim_guess(expect, model, &Which::Path(path.clone()));
            }
            Act::Move {
                from, to, expect, ..
            } => {
                self.aim_at(from, &tree);
                aim_guess(expect, model, from);
                let folders: Vec<_> = tree
                    .iter()
                    .filter(|(_, node)| model.items[*node].kind == NodeKind::Folder)
                    .collect();
                if self.aim < 7
                    && let Some((folder, _)) = pick(&folders, self.other_number)
                {
                    let name = to.pop();
                    *to = names(folder);
                    to.extend(name);
                }
            }
            Act::Remove { at, expect } => {
                self.aim_at(at, &tree);
                aim_guess(expect, model, at);
            }
            Act::Revert {
                at,
                revision,
                expect,
            } => {
                self.aim_at(at, &tree);
                aim_guess(expect, model, at);
                let node = model.find_live(at);
                let kept = node.map(|node| model.revisions(node)).unwrap_or_default();
                *revision = match pick(&kept, self.other_number) {
                    Some(kept) if self.aim < 9 => *kept,
                    Some(_) | None => *revision % (model.told.len() as u64 + 2),
                };
            }
            Act::Tag { at, .. } => self.aim_at(at, &tree),
            Act::Restore { node, .. } | Act::Purge { node } => {
                let trash: Vec<_> = model.trash().into_keys().collect();
                *node = match pick(&trash, self.number) {
                    Some(node) if self.aim < 8 => *node,
                    Some(_) | None => self.number % model.items.len(),
                };
            }
        }
        act
    }

    fn aim_at(&self, at: &mut Which, tree: &[(String, usize)]) {
        match pick(tree, self.number) {
            Some((path, _)) if self.aim < 8 => *at = Which::Path(names(path)),
            Some((_, node)) if self.aim < 9 => *at = Which::Node(*node),
            Some(_) | None => {}
        }
    }
}

/// Three guesses of four at a revision are right.
fn aim_guess(expect: &mut Guess, model: &Model, at: &Which) {
    if let Guess::Revision(revision) = expect {
        *revision = match model.find_live(at) {
            Some(node) if !revision.is_multiple_of(4) => model.items[node].revision,
            Some(_) | None => *revision % (model.told.len() as u64 + 2),
        };
    }
}

fn pick<T>(items: &[T], number: usize) -> Option<&T> {
    items.get(number.checked_rem(items.len())?)
}

pub(crate) fn names(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}
