//! Random histories of a drive, held against the model after each commit.

use std::collections::HashMap;

use proptest::test_runner::{Config, TestRunner};
use wharf_core::drive::{Drives, Manifests, Page, RoomRef};
use wharf_core::{Caller, Clock, Wharf};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::EditAccount;
use wharf_types::api::drive::{At, Change, ChangeKind, Commit, Expect, NodeKind, Op, Retention};
use wharf_types::{CommitId, ContentHash, ErrorCode, NodeId};
use wharf_wire::manifest::from_base64;

use super::history::{Turn, history, names};
use super::model::{Act, Failure, Guess, Model, ROOT, Told, Which};
use crate::desk::{at, frames_of, manifest_of};
use crate::support::House;

both_engines!(a_drive_does_what_the_model_does);

const DAY_MS: u32 = 24 * 60 * 60 * 1000;
const QUOTA_BYTES: u64 = 50;
const RETENTION: Retention = Retention {
    revision_days: 2,
    trash_days: 3,
};
/// What files hold. The last one is never uploaded.
const CONTENTS: [&[u8]; 6] = [
    b"",
    b"1",
    b"four",
    b"sixteen bytes...",
    b"eight by",
    b"not there",
];

async fn a_drive_does_what_the_model_does(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let config = Config {
        cases: 12,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let count = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&history(), |history| {
            count.set(count.get() + 1);
            let username = format!("member{}", count.get());
            let run = async {
                let me = house.member(&username).await;
                let quota = EditAccount {
                    quota_bytes: Some(QUOTA_BYTES),
                    ..EditAccount::default()
                };
                admin.edit(me.logged_in.account.id, quota).await.unwrap();
                Trial::begin(&house.wharf, &house.clock, me.caller)
                    .await
                    .play(&history)
                    .await;
            };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(run));
            Ok(())
        })
        .unwrap();
    let plan = house.wharf.chunks().plan_recount().await.unwrap();
    assert_eq!(
        (plan.drifts, plan.lost),
        (Vec::new(), Vec::new()),
        "every mention of a chunk is counted (I13)"
    );
    assert_eq!(
        house.wharf.drive().recount_usage().await.unwrap(),
        0,
        "usage is what is kept (I14)"
    );
}

/// A drive and its model.
struct Trial<'h> {
    wharf: &'h Wharf,
    clock: &'h Clock,
    me: Caller,
    model: Model,
    /// The ids of the model's nodes.
    ids: Vec<NodeId>,
    changes: Vec<Change>,
    hashes: Vec<ContentHash>,
    commit_count: u64,
}

impl<'h> Trial<'h> {
    async fn begin(wharf: &'h Wharf, clock: &'h Clock, me: Caller) -> Self {
        let (missing, uploaded) = CONTENTS.split_last().unwrap();
        for content in uploaded {
            wharf
                .transfers()
                .upload(&me, frames_of(content))
                .await
                .unwrap();
        }
        wharf
            .drive()
            .set_retention(&me, RoomRef::Home, RETENTION)
            .await
            .unwrap();
        let root = wharf
            .drive()
            .summary(&me, RoomRef::Home)
            .await
            .unwrap()
            .root;
        let contents = CONTENTS
            .iter()
            .map(|content| (content.len() as u64, content != missing));
        let hash = |content: &&[u8]| ContentHash::of(&from_base64(&manifest_of(content)).unwrap());
        Self {
            wharf,
            clock,
            me,
            model: Model::new(contents.collect(), QUOTA_BYTES),
            ids: vec![root],
            changes: Vec::new(),
            hashes: CONTENTS.iter().map(hash).collect(),
            commit_count: 0,
        }
    }

    fn drives(&self) -> &Drives {
        self.wharf.drive()
    }

    async fn play(mut self, history: &[Turn]) {
        let first = ["a/b/c", "a/c", "A/a", "b"].map(|path| Act::Put {
            path: names(path),
            content: 1,
            mtime_ns: 0,
            expect: Guess::Absent,
        });
        self.commit(&first).await;
        for turn in history {
            self.clock.advance_ms(1 + turn.days * DAY_MS);
            if turn.days > 0 {
                let now_ms = self.clock.now_ms();
                let before_ms = |days: u32| now_ms - i64::from(days) * i64::from(DAY_MS);
                self.model.retain(
                    before_ms(RETENTION.trash_days),
                    before_ms(RETENTION.revision_days),
                );
                self.drives().retain_all().await.unwrap();
            }
            let acts = turn.acts(&self.model);
            self.commit(&acts).await;
            self.compare().await;
        }
        self.replay();
    }

    async fn commit(&mut self, acts: &[Act]) {
        self.commit_count += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.commit_count.to_be_bytes());
        let commit = Commit {
            id: CommitId::from_bytes(id),
            ops: acts.iter().map(|act| self.op(act)).collect(),
        };
        let done = self.drives().commit(&self.me, RoomRef::Home, commit).await;
        let wanted = self.model.commit(acts, self.clock.now_ms());
        self.read_changes().await;
        match (wanted, done) {
            (Ok(wanted), Ok(done)) => {
                assert_eq!(done.position, self.model.told.len() as u64);
                let wanted: Vec<_> = wanted
                    .into_iter()
                    .map(|(node, revision, conflicts)| (self.ids[node], revision, conflicts))
                    .collect();
                let done: Vec<_> = done
                    .results
                    .into_iter()
                    .map(|result| (result.id, result.revision, result.case_conflicts))
                    .collect();
                assert_eq!(done, wanted);
            }
            (Err(Failure::Refused(wanted)), Err(error)) => {
                let wanted: Vec<_> = wanted
                    .into_iter()
                    .map(|(index, refusal)| (index, refusal.code, refusal.revision))
                    .collect();
                let failed: Vec<_> = error
                    .failed()
                    .iter()
                    .map(|failed| (failed.index as usize, failed.code, failed.revision))
                    .collect();
                assert_eq!(failed, wanted);
            }
            (Err(Failure::OverQuota), Err(error)) => assert_eq!(error.code(), ErrorCode::OverQuota),
            (wanted, done) => assert_eq!(
                format!("{done:?}"),
                format!("{wanted:?}"),
                "one of them went through"
            ),
        }
    }

    /// Reads what is new in the stream, learns the ids of new nodes from it and holds it against what the model told.
    async fn read_changes(&mut self) {
        let after = self.changes.len() as u64;
        let read = self
            .drives()
            .changes(&self.me, RoomRef::Home, after, None)
            .await
            .unwrap();
        for change in read.items {
            assert_eq!(
                change.position,
                self.changes.len() as u64 + 1,
                "positions are dense"
            );
            let told = &self.model.told[self.changes.len()];
            if told.kind == ChangeKind::Created {
                assert_eq!(told.node, self.ids.len());
                self.ids.push(change.node);
            }
            let seen = Told {
                kind: change.kind,
                node: self.number_of(change.node),
                parent: change.parent.map(|parent| self.number_of(parent)),
                name: change.name.clone(),
                content: change
                    .content
                    .map(|hash| self.hashes.iter().position(|known| *known == hash).unwrap()),
            };
            assert_eq!(seen, *told);
            self.changes.push(change);
        }
        assert_eq!(
            (self.changes.len(), read.head),
            (self.model.told.len(), self.model.told.len() as u64)
        );
    }

    fn number_of(&self, id: NodeId) -> usize {
        self.ids.iter().position(|known| *known == id).unwrap()
    }

    async fn compare(&self) {
        let drives = self.drives();
        let page = Page {
            after: None,
            limit: Some(10_000),
        };
        let tree = drives
            .tree(
                &self.me,
                RoomRef::Home,
                at(""),
                page.clone(),
                Manifests::Include,
            )
            .await
            .unwrap();
        let wanted = self.model.tree();
        let paths: Vec<_> = tree.items.iter().map(|entry| entry.path.as_str()).collect();
        let wanted_paths: Vec<_> = wanted.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, wanted_paths);
        for (entry, (_, node)) in tree.items.iter().zip(&wanted) {
            let item = &self.model.items[*node];
            assert_eq!(
                (entry.id, entry.kind, entry.revision),
                (self.ids[*node], item.kind, item.revision)
            );
            assert_eq!(
                entry.manifest,
                item.content.map(|content| manifest_of(CONTENTS[content]))
            );
            assert_eq!(entry.mtime_ns, item.mtime_ns);
        }
        let trash = drives.trash(&self.me, RoomRef::Home, page).await.unwrap();
        let trash = trash
            .items
            .into_iter()
            .map(|node| (self.number_of(node.id), node.path))
            .collect();
        assert_eq!(self.model.trash(), trash);
        let drive = drives.summary(&self.me, RoomRef::Home).await.unwrap();
        assert_eq!(drive.used_bytes, self.model.used_bytes());
        assert_eq!(drive.owner_used_bytes, drive.used_bytes);
        if let Some((path, node)) = wanted
            .iter()
            .rfind(|(_, node)| self.model.items[*node].kind == NodeKind::File)
        {
            let node_now = drives
                .node(&self.me, RoomRef::Home, at(path))
                .await
                .unwrap();
            assert_eq!(node_now.tags, self.model.tags(*node));
            let kept = drives
                .revisions(&self.me, RoomRef::Home, at(path), None, None)
                .await
                .unwrap();
            let kept: Vec<_> = kept
                .items
                .iter()
                .map(|revision| revision.revision)
                .collect();
            assert_eq!(kept, self.model.revisions(*node));
        }
    }

    /// Builds the tree from the stream alone.
    fn replay(&self) {
        let mut places: HashMap<NodeId, (Option<NodeId>, String)> = HashMap::new();
        for change in &self.changes {
            match change.kind {
                ChangeKind::Created | ChangeKind::Moved | ChangeKind::Restored => {
                    places.insert(change.node, (change.parent, change.name.clone()));
                }
                ChangeKind::Removed => {
                    places.insert(change.node, (None, String::new()));
                }
                ChangeKind::Purged => {
                    places.remove(&change.node);
                }
                ChangeKind::Updated | ChangeKind::Tagged => {}
            }
        }
        let root = self.ids[ROOT];
        let path_of = |node: NodeId| {
            let mut path = Vec::new();
            let mut at = node;
            while at != root {
                let (parent, name) = places.get(&at)?;
                path.push(name.as_str());
                at = (*parent)?;
            }
            path.reverse();
            Some(path.join("/"))
        };
        let mut replayed: Vec<_> = places.keys().filter_map(|node| path_of(*node)).collect();
        let mut wanted: Vec<_> = self
            .model
            .tree()
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        replayed.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(replayed, wanted);
    }

    fn op(&self, act: &Act) -> Op {
        let which = |at: &Which| match at {
            Which::Path(path) => At::Path(path.join("/")),
            Which::Node(node) => At::Id(self.ids[*node]),
        };
        match act {
            Act::Put {
                path,
                content,
                mtime_ns,
                expect,
            } => Op::Put {
                path: path.join("/"),
                manifest: manifest_of(CONTENTS[*content]),
                mtime_ns: Some(*mtime_ns),
                executable: false,
                link: false,
                expect: expected(*expect),
            },
            Act::MakeFolder { path, expect } => Op::MakeFolder {
                path: path.join("/"),
                expect: expected(*expect),
            },
            Act::Move {
                from,
                to,
                on_exists,
                expect,
            } => Op::Move {
                from: which(from),
                to: to.join("/"),
                on_exists: *on_exists,
                expect: expected(*expect),
            },
            Act::Remove { at, expect } => Op::Remove {
                at: which(at),
                expect: expected(*expect),
            },
            Act::Restore { node, to } => Op::Restore {
                id: self.ids[*node],
                to: to.as_ref().map(|to| to.join("/")),
            },
            Act::Purge { node } => Op::Purge {
                id: self.ids[*node],
            },
            Act::Revert {
                at,
                revision,
                expect,
            } => Op::Revert {
                at: which(at),
                revision: *revision,
                expect: expected(*expect),
            },
            Act::Tag { at, add, remove } => Op::Tag {
                at: which(at),
                add: add.clone(),
                remove: remove.clone(),
            },
        }
    }
}

fn expected(guess: Guess) -> Expect {
    match guess {
        Guess::Any => Expect::Any,
        Guess::Absent => Expect::Absent,
        Guess::Revision(revision) => Expect::Revision(revision),
    }
}
