//! Measures the drive by itself: `cargo run --release -p wharf-core --example drive_speed [sqlite|postgres] [NODES]`.
//!
//! Commits of 10,000 files of one chunk each into new folders, into folders that are there, over files that are there;
//! then a drive of NODES nodes and what reading its changes, its tree and its names takes. Objects are kept in memory: the
//! figures are the database's and the house's.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement for people, which reads the time and stops at its first surprise"
)]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wharf_core::drive::{FindQuery, Manifests, Page, RoomRef};
use wharf_core::{Caller, Clock, HouseConfig, Origin, Random, Wharf};
use wharf_store::blob::MemoryBlob;
use wharf_testkit::db::{Engine, TestDb};
use wharf_types::api::account::Signup;
use wharf_types::api::drive::{At, Commit, Committed, Expect, Op};
use wharf_types::{ChunkHash, CommitId};
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

const OPS: u32 = 10_000;

struct Bench {
    wharf: Wharf,
    me: Caller,
    commits: u32,
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let engine = match args.next().as_deref() {
        Some("postgres") => Engine::Postgres,
        _ => Engine::Sqlite,
    };
    let nodes: u32 = args.next().map_or(200_000, |nodes| nodes.parse().unwrap());
    let db = tokio::task::spawn_blocking(move || TestDb::open(engine))
        .await
        .unwrap();
    let mut bench = Bench::open(&db).await;
    for round in 0..5 {
        bench.upload(round).await;
        let new = bench
            .timed(
                "10,000 puts into 100 new folders",
                Bench::puts(round, round, 100),
            )
            .await;
        assert_eq!(new.results.len(), OPS as usize);
        bench.upload(100 + round).await;
        bench
            .timed(
                "10,000 puts over files that are there",
                Bench::puts(round, 100 + round, 100),
            )
            .await;
        bench.upload(200 + round).await;
        let mut ops = Bench::puts(round, 200 + round, 100);
        for op in &mut ops {
            if let Op::Put { path, .. } = op {
                path.push_str(".new");
            }
        }
        bench
            .timed("10,000 puts into 100 folders that are there", ops)
            .await;
        bench
            .timed(
                "the same again, nothing changed",
                Bench::puts(round, 100 + round, 100),
            )
            .await;
    }
    bench.crowd().await;
    bench.grow(nodes).await;
    bench.reads().await;
}

impl Bench {
    async fn open(db: &TestDb) -> Self {
        let config = HouseConfig::default();
        let blob = Arc::new(MemoryBlob::default());
        let wharf = Wharf::open(
            config,
            (**db).clone(),
            blob,
            Clock::system(),
            Random::system(),
        )
        .await
        .unwrap();
        let signup = Signup {
            username: "root".into(),
            password: "correct horse".into(),
            email: None,
            nickname: None,
            code: wharf.accounts().setup_code(),
            device: None,
        };
        let origin = Origin::http([127, 0, 0, 1].into());
        let logged_in = wharf.accounts().signup(signup, origin).await.unwrap();
        let me = wharf
            .accounts()
            .authenticate(&logged_in.token, origin)
            .await
            .unwrap();
        Self {
            wharf,
            me,
            commits: 0,
        }
    }

    /// Uploads the contents of a round: one chunk for each file.
    async fn upload(&self, round: u32) {
        let begun = Instant::now();
        let frames = (0..OPS)
            .map(|number| {
                let content = Bytes::from(content(round, number));
                Frame::seal(ChunkHash::of(&content), content)
            })
            .collect();
        self.wharf
            .transfers()
            .upload(&self.me, frames)
            .await
            .unwrap();
        println!(
            "{:>9.1} ms  10,000 chunks up",
            begun.elapsed().as_secs_f64() * 1e3
        );
    }

    fn puts(folder: u32, content_round: u32, folders: u32) -> Vec<Op> {
        (0..OPS)
            .map(|number| {
                let bytes = content(content_round, number);
                let chunk = ManifestChunk {
                    hash: ChunkHash::of(&bytes),
                    bytes: u32::try_from(bytes.len()).unwrap(),
                };
                let files = OPS / folders;
                Op::Put {
                    path: format!(
                        "round {folder}/folder {:03}/file {:05}.txt",
                        number / files,
                        number % files
                    ),
                    manifest: to_base64(
                        &Manifest {
                            chunks: vec![chunk],
                        }
                        .pack(),
                    ),
                    mtime_ns: Some(1),
                    executable: false,
                    link: false,
                    expect: Expect::Any,
                }
            })
            .collect()
    }

    async fn timed(&mut self, what: &str, ops: Vec<Op>) -> Committed {
        self.commits += 1;
        let mut id = [0; 16];
        id[..4].copy_from_slice(&self.commits.to_be_bytes());
        let commit = Commit {
            id: CommitId::from_bytes(id),
            ops,
        };
        let begun = Instant::now();
        let committed = self
            .wharf
            .drive()
            .commit(&self.me, RoomRef::Home, commit)
            .await
            .unwrap();
        println!("{:>9.1} ms  {what}", begun.elapsed().as_secs_f64() * 1e3);
        committed
    }

    /// 64 clients that each upload and commit one small file after another.
    async fn crowd(&self) {
        const CLIENTS: u32 = 64;
        const FILES: u32 = 100;
        let begun = Instant::now();
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (wharf, me) = (self.wharf.clone(), self.me);
            clients.spawn(async move {
                for number in 0..FILES {
                    let bytes = Bytes::from(content(5_000 + client, number));
                    let chunk = ManifestChunk {
                        hash: ChunkHash::of(&bytes),
                        bytes: u32::try_from(bytes.len()).unwrap(),
                    };
                    let frame = Frame::seal(chunk.hash, bytes);
                    wharf.transfers().upload(&me, vec![frame]).await.unwrap();
                    let mut id = [7; 16];
                    id[..4].copy_from_slice(&client.to_be_bytes());
                    id[4..8].copy_from_slice(&number.to_be_bytes());
                    let put = Op::Put {
                        path: format!("crowd/{client}/{number}"),
                        manifest: to_base64(
                            &Manifest {
                                chunks: vec![chunk],
                            }
                            .pack(),
                        ),
                        mtime_ns: Some(1),
                        executable: false,
                        link: false,
                        expect: Expect::Absent,
                    };
                    let commit = Commit {
                        id: CommitId::from_bytes(id),
                        ops: vec![put],
                    };
                    wharf
                        .drive()
                        .commit(&me, RoomRef::Home, commit)
                        .await
                        .unwrap();
                }
            });
        }
        clients.join_all().await;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{:>9.0} /s  uploads and commits of one file each from 64 clients",
            f64::from(CLIENTS * FILES) / seconds
        );
    }

    async fn grow(&mut self, nodes: u32) {
        self.upload(1_000).await;
        let begun = Instant::now();
        for round in 0..nodes / OPS {
            self.timed("", Self::puts(1_000 + round, 1_000, 50)).await;
        }
        println!(
            "{:>9.1} ms  to {nodes} nodes more",
            begun.elapsed().as_secs_f64() * 1e3
        );
    }

    async fn reads(&self) {
        let drive = self.wharf.drive();
        let head = drive
            .summary(&self.me, RoomRef::Home)
            .await
            .unwrap()
            .position;
        for _ in 0..5 {
            let begun = Instant::now();
            let changes = drive
                .changes(&self.me, RoomRef::Home, head - 100, None)
                .await
                .unwrap();
            assert_eq!(changes.items.len(), 100);
            println!(
                "{:>9.3} ms  100 changes of {head}",
                begun.elapsed().as_secs_f64() * 1e3
            );
        }
        for (what, manifests) in [
            ("tree", Manifests::Omit),
            ("tree with manifests", Manifests::Include),
        ] {
            let mut page = Page {
                after: None,
                limit: Some(10_000),
            };
            let (begun, mut count) = (Instant::now(), 0);
            for _ in 0..10 {
                let at = At::Path(String::new());
                let tree = drive
                    .tree(&self.me, RoomRef::Home, at, page, manifests)
                    .await
                    .unwrap();
                count += tree.items.len();
                page = Page {
                    after: tree.next,
                    limit: Some(10_000),
                };
            }
            println!(
                "{:>9.1} ms  {count} nodes of the {what}, 10 pages",
                begun.elapsed().as_secs_f64() * 1e3
            );
        }
        let begun = Instant::now();
        let query = FindQuery {
            name: Some("no such name".into()),
            tag: None,
        };
        drive
            .find(&self.me, RoomRef::Home, query, Page::default())
            .await
            .unwrap();
        println!(
            "{:>9.1} ms  a search by name that finds nothing",
            begun.elapsed().as_secs_f64() * 1e3
        );
        let begun = Instant::now();
        assert_eq!(drive.recount_usage().await.unwrap(), 0);
        println!(
            "{:>9.1} ms  a recount of what is used",
            begun.elapsed().as_secs_f64() * 1e3
        );
    }
}

fn content(round: u32, number: u32) -> Vec<u8> {
    format!("content {number} of round {round}").into_bytes()
}
