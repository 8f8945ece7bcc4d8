//! A client whose disk is full or which is killed in the middle of a download, at every call to its disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wharf_testkit::interpose::{Calls, Effect, Interposer};
use wharf_testkit::program::{Program, ServerProcess};

/// A server with a small tree on its drive, and a client whose disk can be made to fail.
struct Fixture {
    temp: TempDir,
    _server: ServerProcess,
    client: Program,
    disk: Interposer,
}

impl Fixture {
    fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), temp.path().join("home"));
        let server = program
            .serve(&temp.path().join("data"), "127.0.0.1:0", [""; 0])
            .unwrap();
        program.make_operator(&server).unwrap();
        for index in 0..12_u8 {
            let folder = temp.path().join(format!("up/{}", index % 3));
            fs::create_dir_all(&folder).unwrap();
            fs::write(
                folder.join(index.to_string()),
                vec![index; usize::from(index) * 100],
            )
            .unwrap();
        }
        let big: Vec<u8> = (0..800_000_u64)
            .flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
            .collect();
        fs::write(temp.path().join("up/big"), big).unwrap();
        let up = temp.path().join("up");
        program
            .run(["put".as_ref(), up.as_os_str(), "/up".as_ref()])
            .unwrap();
        let work = temp.path().join("faults");
        fs::create_dir(&work).unwrap();
        let disk = Interposer::new(&work, &temp.path().join("down")).unwrap();
        let client = disk
            .environment()
            .into_iter()
            .fold(program, |program, (name, value)| program.with(name, value));
        Self {
            temp,
            _server: server,
            client,
            disk,
        }
    }

    fn down(&self) -> PathBuf {
        self.temp.path().join("down")
    }

    /// Gets the tree; what the program said where it failed.
    fn get(&self) -> Result<(), String> {
        let down = self.down();
        let arguments = ["get".as_ref(), "/up".as_ref(), down.as_os_str()];
        let output = self.client.output(arguments).unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// How many of these calls an undisturbed download makes.
    fn count(&self, calls: Calls) -> u64 {
        self.disk.arm(calls, Effect::Count, 1, 0).unwrap();
        self.get().unwrap();
        let count = self.disk.seen().unwrap();
        self.disk.disarm().unwrap();
        self.clear();
        count
    }

    fn clear(&self) {
        fs::remove_dir_all(self.down()).unwrap();
        fs::create_dir(self.down()).unwrap();
    }

    /// The download is run again on a disk that works, and everything is there, and nothing else.
    fn assert_continues(&self, what: &str) {
        self.disk.disarm().unwrap();
        self.get().unwrap_or_else(|error| panic!("{what}: {error}"));
        let up = contents(&self.temp.path().join("up"));
        assert!(contents(&self.down()) == up, "{what}");
        self.clear();
    }
}

/// The files below a folder and their bytes; parts included.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(folder).unwrap().to_owned();
                contents.insert(relative, fs::read(&path).unwrap());
            }
        }
    }
    contents
}

/// Whatever has its final name has its final bytes.
fn assert_nothing_partial(fixture: &Fixture, what: &str) {
    let up = contents(&fixture.temp.path().join("up"));
    for (path, bytes) in contents(&fixture.down()) {
        let is_part = path.to_str().unwrap().contains(".wharf-part-");
        assert!(is_part || up[&path] == bytes, "{what}: {}", path.display());
    }
}

#[test]
fn a_disk_that_is_full_at_any_write_says_so_and_the_download_goes_on_when_there_is_room() {
    let fixture = Fixture::new();
    let count = fixture.count(Calls::WRITES);
    assert!(count >= 12, "{count}");
    for nth in 1..=count {
        let what = format!("full at write {nth} of {count}");
        fixture
            .disk
            .arm(Calls::WRITES, Effect::Full, nth, 1_000_000)
            .unwrap();
        let error = fixture.get().unwrap_err();
        assert!(error.contains("No space left"), "{what}: {error}");
        assert_nothing_partial(&fixture, &what);
        fixture.assert_continues(&what);
    }
}

#[test]
fn a_client_killed_at_any_call_to_its_disk_continues_when_it_is_run_again() {
    let fixture = Fixture::new();
    let count = fixture.count(Calls::ALL);
    for nth in 1..=count {
        let what = format!("killed at call {nth} of {count}");
        fixture.disk.arm(Calls::ALL, Effect::Kill, nth, 1).unwrap();
        fixture.get().unwrap_err();
        assert_nothing_partial(&fixture, &what);
        fixture.assert_continues(&what);
    }
}
