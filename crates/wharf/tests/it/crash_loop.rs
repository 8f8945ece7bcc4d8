//! Servers and clients that are killed at random moments, and what must hold afterwards: what was acknowledged is there,
//! with the bytes that were sent; what was sent again is there once; nothing else is visible.
//!
//! `WHARF_CRASH_ROUNDS` sets the number of kills (50 in CI), `WHARF_CRASH_SEED` the seed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wharf_client::api::Page;
use wharf_client::{Api, Room};
use wharf_testkit::db::Engine;
use wharf_testkit::postgres::PostgresServer;
use wharf_testkit::program::{Program, ServerProcess};
use wharf_types::ContentHash;
use wharf_types::api::drive::{At, NodeKind};

use crate::writer::{NewFile, connect, log_in, put_through, read};

const WRITERS: usize = 3;
const ROUNDS_IN_CI: u64 = 50;
/// Long enough for a server to be killed and started again under load.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn crash_loop_on_sqlite() {
    crash_loop(Engine::Sqlite, setting("WHARF_CRASH_ROUNDS", ROUNDS_IN_CI));
}

#[test]
fn crash_loop_on_postgres() {
    crash_loop(
        Engine::Postgres,
        setting("WHARF_CRASH_ROUNDS", ROUNDS_IN_CI) / 5,
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is set from outside"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What is known of the files that the writers commit: path and content of every commit that was begun, and whether it
/// was acknowledged.
type History = Arc<Mutex<BTreeMap<String, (ContentHash, bool)>>>;

/// A server that is killed and started again, and a client that puts a folder again and again.
struct Arena {
    program: Program,
    folder: PathBuf,
    listen: String,
    arguments: Vec<String>,
    server: Option<ServerProcess>,
    client: Option<Child>,
    put_count: u64,
}

fn crash_loop(engine: Engine, rounds: u64) {
    let seed = setting("WHARF_CRASH_SEED", 20_261_120);
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    make_tree(&folder.path().join("tree"), &mut random);
    let postgres = (engine == Engine::Postgres).then(|| PostgresServer::private().unwrap());
    let mut arena = Arena::new(folder.path(), postgres.as_ref());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = runtime.block_on(log_in(&arena.url()));
    let history = History::default();
    let stop = CancellationToken::new();
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let api = runtime.block_on(connect(&arena.url(), &token, PATIENCE));
        let writer = write_until(api, number, seed, Arc::clone(&history), stop.clone());
        writers.spawn_on(writer, runtime.handle());
    }
    for round in 0..rounds {
        arena.put_tree_in_background();
        nap(Duration::from_millis(random.random_range(20..400)));
        if random.random_bool(0.7) {
            arena.restart_server();
        } else {
            arena.kill_client();
        }
        assert!(
            writers.len() == WRITERS,
            "a writer ended in round {round}, seed {seed}"
        );
    }
    stop.cancel();
    runtime.block_on(async {
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
    });
    arena.kill_client();
    arena.check_tree();
    let api = runtime.block_on(connect(&arena.url(), &token, PATIENCE));
    runtime.block_on(check_history(&api, &history.lock(), seed));
    runtime.block_on(check_stream(&api));
    arena.check_store();
}

impl Arena {
    fn new(folder: &Path, postgres: Option<&PostgresServer>) -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.join("home"));
        let arguments = postgres.map_or_else(Vec::new, |server| {
            vec![
                "--database".to_owned(),
                server.create_database("crash").unwrap(),
            ]
        });
        let server = program
            .serve(&folder.join("data"), "127.0.0.1:0", &arguments)
            .unwrap();
        program.make_operator(&server).unwrap();
        Self {
            listen: server.address().to_owned(),
            program,
            folder: folder.to_owned(),
            arguments,
            server: Some(server),
            client: None,
            put_count: 0,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn restart_server(&mut self) {
        self.server.take().unwrap().kill().unwrap();
        let data = self.folder.join("data");
        self.server = Some(
            self.program
                .serve(&data, &self.listen, &self.arguments)
                .unwrap(),
        );
    }

    /// Puts the tree to the place of this run; a run that was not killed makes room for the next one.
    fn put_tree_in_background(&mut self) {
        if let Some(client) = &mut self.client {
            let Some(status) = client.try_wait().unwrap() else {
                return;
            };
            assert!(status.success(), "the put of the tree ended with {status}");
            self.put_count += 1;
        }
        let target = format!("/tree-{}", self.put_count);
        let mut command = self.program.command(["--quiet", "put"]);
        command.arg(self.folder.join("tree")).arg(&target);
        command.stdout(Stdio::null());
        self.client = Some(command.spawn().unwrap());
    }

    fn kill_client(&mut self) {
        if let Some(mut client) = self.client.take() {
            client.kill().unwrap();
            client.wait().unwrap();
        }
    }

    /// Puts the tree once more where a killed client left off, and gets it back identical.
    fn check_tree(&self) {
        let tree = self.folder.join("tree");
        let target = format!("/tree-{}", self.put_count);
        let mut put = self.program.command(["--quiet", "put"]);
        assert!(put.arg(&tree).arg(&target).status().unwrap().success());
        let back = self.folder.join("back");
        let mut get = self.program.command(["--quiet", "get", &target]);
        assert!(get.arg(&back).status().unwrap().success());
        let diff = std::process::Command::new("diff")
            .arg("-r")
            .args([&tree, &back])
            .output()
            .unwrap();
        assert!(
            diff.status.success(),
            "{}",
            String::from_utf8_lossy(&diff.stdout)
        );
    }

    /// Every chunk on the server's disk is what its name says, and every reference is counted.
    fn check_store(mut self) {
        self.server.take().unwrap().stop().unwrap();
        let data = self.folder.join("data");
        let mut verify = self.program.command(["verify", "--data"]);
        let output = verify.arg(&data).args(&self.arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Commits one file after another. A call that meets a killed server tries again by itself, with the same commit id.
async fn write_until(
    api: Api,
    number: usize,
    seed: u64,
    history: History,
    stop: CancellationToken,
) {
    let mut random = StdRng::seed_from_u64(seed ^ (number as u64 + 1));
    for index in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let file = NewFile::random(format!("writer-{number}/{index}"), &mut random, 200_000);
        history
            .lock()
            .insert(file.path.clone(), (file.manifest().content(), false));
        put_through(&api, &file).await.unwrap();
        history.lock().get_mut(&file.path).unwrap().1 = true;
    }
}

/// Every acknowledged commit is there with its content, and nothing that nobody began.
async fn check_history(api: &Api, history: &BTreeMap<String, (ContentHash, bool)>, seed: u64) {
    let mut found = BTreeMap::new();
    for number in 0..WRITERS {
        let folder = At::Path(format!("writer-{number}"));
        let mut page = Page::default();
        loop {
            let nodes = api.list(Room::Home, &folder, &page).await.unwrap();
            for node in nodes
                .items
                .iter()
                .filter(|node| node.kind == NodeKind::File)
            {
                found.insert(node.path.clone(), node.content.unwrap());
            }
            page.after = nodes.next;
            if page.after.is_none() {
                break;
            }
        }
    }
    assert!(
        found.len() >= WRITERS,
        "the writers hardly wrote: {} files, seed {seed}",
        found.len()
    );
    let found_paths: Vec<_> = found.keys().cloned().collect();
    for (path, (content, is_acknowledged)) in history {
        match found.remove(path) {
            Some(there) => assert_eq!(there, *content, "{path} has other bytes, seed {seed}"),
            None => assert!(
                !is_acknowledged,
                "{path} was acknowledged and is lost, seed {seed}"
            ),
        }
    }
    assert!(found.is_empty(), "nobody wrote {found:?}, seed {seed}");
    for path in found_paths {
        read(api, &path).await.unwrap();
    }
}

/// The drive's stream has every position once.
async fn check_stream(api: &Api) {
    let mut position = 0;
    loop {
        let changes = api
            .changes(Room::Home, position, Some(10_000))
            .await
            .unwrap();
        for change in &changes.items {
            assert_eq!(
                change.position,
                position + 1,
                "a hole or a double in the stream"
            );
            position = change.position;
        }
        if position == changes.head {
            return;
        }
    }
}

/// Some folders of small files and a file of many chunks: about a second's work for the client.
fn make_tree(tree: &Path, random: &mut StdRng) {
    for folder in 0..10 {
        let place = tree.join(format!("folder {folder}"));
        fs::create_dir_all(&place).unwrap();
        for file in 0..50 {
            let mut bytes = vec![0; random.random_range(0..20_000)];
            random.fill_bytes(&mut bytes);
            fs::write(place.join(format!("{file}.bin")), bytes).unwrap();
        }
    }
    let mut bytes = vec![0; 24 * 1024 * 1024];
    random.fill_bytes(&mut bytes);
    fs::write(tree.join("large.bin"), bytes).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of the kill is what the test chooses"
)]
fn nap(time: Duration) {
    std::thread::sleep(time);
}
