//! Bits that flip, segments that are lost, a database that went back in time: nothing wrong is served, the message is clear.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use wharf_testkit::program::{Program, ServerProcess};

/// A server with one file in one segment and a second file in another.
struct Store {
    folder: tempfile::TempDir,
    program: Program,
    server: Option<ServerProcess>,
    listen: String,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.path().join("home"));
        let data = folder.path().join("data");
        let server = program.serve(&data, "127.0.0.1:0", [""; 0]).unwrap();
        program.make_operator(&server).unwrap();
        let listen = server.address().to_owned();
        Self {
            folder,
            program,
            server: Some(server),
            listen,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a local file that does not shrink and puts it.
    fn put(&self, name: &str, seed: u8) {
        let bytes: Vec<u8> = (0..50_000_u32)
            .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[1] ^ seed)
            .collect();
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        self.program
            .run(["put".as_ref(), path.as_os_str(), "/".as_ref()])
            .unwrap();
    }

    fn get(&self, name: &str, target: &str) -> Output {
        let source = format!("/{name}");
        self.program
            .output([
                "get".as_ref(),
                source.as_ref(),
                self.path(target).as_os_str(),
            ])
            .unwrap()
    }

    fn assert_comes_back(&self, name: &str) {
        let target = format!("{name}-back");
        let output = self.get(name, &target);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            fs::read(self.path(name)).unwrap(),
            fs::read(self.path(&target)).unwrap()
        );
        fs::remove_file(self.path(&target)).unwrap();
    }

    fn stop(&mut self) {
        self.server.take().unwrap().stop().unwrap();
    }

    fn start(&mut self) {
        let data = self.path("data");
        self.server = Some(self.program.serve(&data, &self.listen, [""; 0]).unwrap());
    }

    fn on_data(&self, arguments: &[&str]) -> Output {
        let mut command = self.program.command(arguments);
        command
            .arg("--data")
            .arg(self.path("data"))
            .output()
            .unwrap()
    }

    /// All segments, oldest first.
    fn segments(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.path("data"), &mut found);
        found.retain(|path| path.to_string_lossy().contains("/segment/"));
        found.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// The documented exit code of a check that found damage.
const DAMAGE_FOUND: i32 = 10;

#[test]
fn a_flipped_bit_is_reported_and_never_served() {
    let mut store = Store::new();
    store.put("hurt", 1);
    let segment = store.segments().pop().unwrap();
    store.put("whole", 2);
    store.stop();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&segment)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 1_000).unwrap();
    file.write_all_at(&[byte[0] ^ 4], 1_000).unwrap();

    let found = store.on_data(&["verify"]);
    assert_eq!(found.status.code(), Some(DAMAGE_FOUND), "{}", text(&found));
    store.start();
    let output = store.get("hurt", "back");
    assert!(!output.status.success());
    assert!(text(&output).contains("damaged"), "{}", text(&output));
    assert!(
        !store.path("back").try_exists().unwrap(),
        "wrong bytes were written"
    );
    store.assert_comes_back("whole");
    // Whoever still has the file mends it by putting it again.
    store
        .program
        .run([
            "put".as_ref(),
            "--checksum".as_ref(),
            store.path("hurt").as_os_str(),
            "/".as_ref(),
        ])
        .unwrap();
    store.stop();
}

#[test]
fn a_lost_segment_is_reported_and_the_rest_is_served() {
    let mut store = Store::new();
    store.put("lost", 3);
    let segment = store.segments().pop().unwrap();
    store.put("whole", 4);
    store.stop();
    fs::remove_file(segment).unwrap();
    let found = store.on_data(&["verify"]);
    assert_eq!(found.status.code(), Some(DAMAGE_FOUND), "{}", text(&found));
    store.start();
    let output = store.get("lost", "back");
    assert!(!output.status.success());
    assert!(!store.path("back").try_exists().unwrap());
    store.assert_comes_back("whole");
}

#[test]
fn yesterdays_database_beside_todays_segments_serves_yesterday_and_finds_today() {
    let mut store = Store::new();
    store.put("yesterday", 5);
    store.stop();
    let database = store.path("data").join("wharf.db");
    fs::copy(&database, store.path("saved.db")).unwrap();
    store.start();
    store.put("today", 6);
    store.stop();
    for suffix in ["-wal", "-shm"] {
        drop(fs::remove_file(
            store.path("data").join(format!("wharf.db{suffix}")),
        ));
    }
    fs::copy(store.path("saved.db"), &database).unwrap();

    store.start();
    store.assert_comes_back("yesterday");
    assert!(
        !store.get("today", "back").status.success(),
        "the database does not know it"
    );
    store.stop();
    let rebuilt = store.on_data(&["admin", "rebuild-index"]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt));
    store.start();
    store
        .program
        .run([
            "put".as_ref(),
            store.path("today").as_os_str(),
            "/".as_ref(),
        ])
        .unwrap();
    store.assert_comes_back("today");
    store.assert_comes_back("yesterday");
    store.stop();
    let verified = store.on_data(&["verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
}
