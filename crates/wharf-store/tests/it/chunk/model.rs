//! The chunk store against a model of a few lines, on random histories with crashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use tokio::runtime::Handle;
use wharf_store::blob::FolderBlob;
use wharf_store::chunk::{ChunkStore, Finding, ReadError};
use wharf_store::sql::{Db, Engine};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::disk::{Fault, SimDisk, Survival};
use wharf_wire::frame::Frame;

use super::{
    GRACE, HOUR, NOW, account, forget, frame, hashes, maintain, mention, release, scope, store,
};

both_engines!(random_histories_agree_with_the_model);

/// Chunks that histories are about. Their sizes differ, so that segments are more and less worth compacting.
const CHUNKS: u64 = 12;

#[derive(Debug, Clone)]
enum Op {
    /// An account puts some chunks.
    Put(u8, Vec<u64>),
    /// An account commits a file of some chunks.
    Commit(u8, Vec<u64>),
    /// The oldest commit but so many is let go.
    Release(usize),
    /// Time passes.
    Wait(i64),
    /// Compaction and sweep.
    Maintain,
    /// The power goes so many steps from now, at the latest after the next operation.
    Crash(u64, Survival),
    /// A step fails, so many from now.
    Error(u64),
}

#[derive(Debug, Default)]
struct Known {
    /// Acknowledged puts by account.
    owners: Vec<u8>,
    mentions: u32,
    touched_ms: i64,
}

struct World {
    db: Db,
    disk: SimDisk,
    store: ChunkStore,
    now_ms: i64,
    /// What was acknowledged.
    known: BTreeMap<u64, Known>,
    commits: Vec<Vec<u64>>,
    crash: Option<Survival>,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let chunks = || prop::collection::vec(0..CHUNKS, 1..6);
    let survival = prop_oneof![
        Just(Survival::Nothing),
        Just(Survival::Everything),
        (0..1_000_u64).prop_map(Survival::Any),
    ];
    let op = prop_oneof![
        4 => (0..2_u8, chunks()).prop_map(|(who, chunks)| Op::Put(who, chunks)),
        3 => (0..2_u8, chunks()).prop_map(|(who, chunks)| Op::Commit(who, chunks)),
        2 => (0..4_usize).prop_map(Op::Release),
        3 => (1..80_i64).prop_map(|hours| Op::Wait(hours * HOUR)),
        3 => Just(Op::Maintain),
        1 => (0..12_u64, survival).prop_map(|(steps, survival)| Op::Crash(steps, survival)),
        1 => (0..12_u64).prop_map(Op::Error),
    ];
    prop::collection::vec(op, 1..25)
}

fn chunk(seed: u64) -> Frame {
    frame(seed, 100 + usize::try_from(seed).unwrap() * 150)
}

fn chunks(seeds: &[u64]) -> Vec<Frame> {
    seeds.iter().map(|&seed| chunk(seed)).collect()
}

impl World {
    fn new(db: &Db) -> Self {
        let disk = SimDisk::new();
        let store = open(db, &disk);
        Self {
            db: db.clone(),
            disk,
            store,
            now_ms: NOW,
            known: BTreeMap::new(),
            commits: Vec::new(),
            crash: None,
        }
    }

    async fn apply(&mut self, op: &Op) {
        match op {
            Op::Put(who, seeds) => self.put(*who, seeds).await,
            Op::Commit(who, seeds) => self.commit(*who, seeds).await,
            Op::Release(index) => self.release(*index).await,
            Op::Wait(ms) => self.now_ms += ms,
            Op::Maintain => self.maintain().await,
            Op::Crash(steps, survival) => {
                self.disk.fail_at(self.disk.steps() + steps, Fault::Crash);
                self.crash = Some(*survival);
                return;
            }
            Op::Error(steps) => {
                let kind = std::io::ErrorKind::Other;
                self.disk
                    .fail_at(self.disk.steps() + steps, Fault::Error(kind));
                return;
            }
        }
        if let Some(survival) = self.crash.take() {
            self.disk = self.disk.crash(survival);
            self.store = open(&self.db, &self.disk);
        }
        self.check().await;
    }

    async fn put(&mut self, who: u8, seeds: &[u64]) {
        if self
            .store
            .put(account(who), chunks(seeds), self.now_ms)
            .await
            .is_ok()
        {
            for &seed in seeds {
                let known = self.known.entry(seed).or_default();
                known.touched_ms = self.now_ms;
                if !known.owners.contains(&who) {
                    known.owners.push(who);
                }
            }
        }
    }

    /// Commits as the house does: ask, and mention only if nothing is missing.
    async fn commit(&mut self, who: u8, seeds: &[u64]) {
        let frames = chunks(seeds);
        let missing = self
            .store
            .missing(&[scope(who)], hashes(&frames), self.now_ms)
            .await
            .unwrap();
        if !missing.is_empty() {
            for seed in seeds.iter().filter(|seed| self.must_know(who, **seed)) {
                assert!(
                    !missing.contains(&chunk(*seed).header.hash),
                    "chunk {seed} is missing"
                );
            }
            return;
        }
        assert_eq!(mention(&self.db, who, &frames).await, [0; 0]);
        for seed in seeds {
            let known = self.known.entry(*seed).or_default();
            known.mentions += 1;
        }
        self.commits.push(seeds.to_vec());
    }

    /// Whether an account must be told that a chunk is there.
    fn must_know(&self, who: u8, seed: u64) -> bool {
        self.known.get(&seed).is_some_and(|known| {
            let is_kept = known.mentions > 0 || self.now_ms - known.touched_ms <= GRACE / 2;
            known.owners.contains(&who) && is_kept
        })
    }

    async fn release(&mut self, index: usize) {
        if index < self.commits.len() {
            let seeds = self.commits.remove(index);
            release(&self.db, &chunks(&seeds), self.now_ms).await;
            for seed in seeds {
                let known = self.known.entry(seed).or_default();
                known.mentions -= 1;
                known.touched_ms = self.now_ms;
            }
        }
    }

    async fn maintain(&mut self) {
        // Errors leave the work for the next time.
        if let Ok(plan) = self.store.plan_compaction(self.now_ms).await {
            for unit in plan.units {
                drop(self.store.compact(&unit, self.now_ms).await);
            }
        }
        if let Ok(plan) = self.store.plan_sweep(self.now_ms).await {
            drop(self.store.adopt(&plan, self.now_ms).await);
            for id in plan.expired {
                drop(self.store.sweep(id, self.now_ms).await);
            }
        }
        // What is over its grace period may be gone now, and its first owner's knowledge with it.
        let (now_ms, before) = (self.now_ms, std::mem::take(&mut self.known));
        let is_kept = |known: &Known| known.mentions > 0 || now_ms - known.touched_ms <= GRACE;
        self.known = before
            .into_iter()
            .filter(|(_, known)| is_kept(known))
            .collect();
    }

    /// Everything that must be there is, and nothing else than the right bytes is served.
    async fn check(&self) {
        let all = chunks(&(0..CHUNKS).collect::<Vec<_>>());
        let read = self.store.read(&hashes(&all)).await.unwrap();
        for (seed, (want, got)) in (0..).zip(all.iter().zip(read)) {
            let known = self.known.get(&seed);
            let must_be_there = known
                .is_some_and(|known| known.mentions > 0 || self.now_ms - known.touched_ms <= GRACE);
            let is_absent = got == Err(ReadError::Missing) && !must_be_there;
            assert!(
                is_absent || got.as_ref() == Ok(want),
                "chunk {seed}: {got:?}, {known:?}"
            );
        }
    }

    /// After the last operation nothing is damaged, and in time all that nobody mentions goes.
    async fn end(mut self) {
        self.disk = self.disk.crash(Survival::Nothing);
        self.store = open(&self.db, &self.disk);
        self.check().await;
        for _ in 0..4 {
            self.now_ms += 2 * GRACE;
            maintain(&self.store, self.now_ms).await;
        }
        self.check().await;
        let plan = self.store.plan_verify().await.unwrap();
        assert_eq!(plan.findings, Vec::<Finding>::new());
        let mentioned = self
            .known
            .values()
            .filter(|known| known.mentions > 0)
            .count();
        let mut good = 0;
        for segment in &plan.segments {
            let verified = self.store.verify(segment).await.unwrap();
            assert_eq!(verified.findings, []);
            good += verified.chunks_good;
        }
        assert!(
            good >= mentioned as u64,
            "{good} chunks are left, {mentioned} are mentioned"
        );
    }
}

fn open(db: &Db, disk: &SimDisk) -> ChunkStore {
    store(db, Arc::new(FolderBlob::on(disk.clone()).unwrap()), GRACE)
}

async fn random_histories_agree_with_the_model(db: TestDb) {
    let cases = match db.engine() {
        Engine::Sqlite => 150,
        Engine::Postgres => 25,
    };
    let config = Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    };
    let handle = Handle::current();
    let run = move || {
        TestRunner::new(config).run(&ops(), |ops| {
            handle.block_on(async {
                let mut world = World::new(&db);
                for op in &ops {
                    world.apply(op).await;
                }
                world.end().await;
                forget(&db).await;
            });
            Ok(())
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}
