//! The real server on a disk that fills up, breaks, or stops the machine at a chosen call.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wharf_client::{Api, ApiError};
use wharf_testkit::interpose::{Calls, Effect, Interposer};
use wharf_testkit::program::{Program, ServerProcess};
use wharf_types::ErrorCode;

use crate::writer::{Acknowledged, connect, log_in};

/// No retries: every answer is looked at.
const NO_PATIENCE: Duration = Duration::ZERO;

/// A server whose disk is in the test's hands.
struct Bench {
    folder: tempfile::TempDir,
    disk: Interposer,
    program: Program,
    server: Option<ServerProcess>,
    listen: String,
    token: String,
    runtime: tokio::runtime::Runtime,
    acknowledged: Acknowledged,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Interposer::new(folder.path(), &folder.path().join("data")).unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.path().join("home"));
        let data = folder.path().join("data");
        let server = watched(&program, &disk)
            .serve(&data, "127.0.0.1:0", [""; 0])
            .unwrap();
        program.make_operator(&server).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self {
            listen: server.address().to_owned(),
            token: runtime.block_on(log_in(server.url())),
            folder,
            disk,
            program,
            server: Some(server),
            runtime,
            acknowledged: Acknowledged::new(7),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn api(&self) -> Api {
        let url = format!("http://{}", self.listen);
        self.runtime
            .block_on(connect(&url, &self.token, NO_PATIENCE))
    }

    /// Starts the server again with its disk whole, however it ended.
    fn restart(&mut self) {
        self.disk.disarm().unwrap();
        drop(self.server.take());
        let program = watched(&self.program, &self.disk);
        let data = self.data();
        self.server = Some(program.serve(&data, &self.listen, [""; 0]).unwrap());
    }

    /// How many such calls the put of one file makes.
    fn calls_of_one_put(&mut self, calls: Calls) -> u64 {
        self.disk.arm(calls, Effect::Count, 1, 0).unwrap();
        let file = self.acknowledged.next_file();
        self.runtime.block_on(file.put(&self.api())).unwrap();
        self.acknowledged.note(file);
        let seen = self.disk.seen().unwrap();
        assert!(seen > 0, "the server wrote nothing");
        seen
    }

    fn check(&self) {
        self.runtime.block_on(self.acknowledged.check(&self.api()));
    }

    /// The store has no damage, after everything that was done to it.
    fn verify(mut self) {
        self.disk.disarm().unwrap();
        self.server.take().unwrap().stop().unwrap();
        verify(&self.program, &self.data());
    }
}

fn watched(program: &Program, disk: &Interposer) -> Program {
    let mut watched = program.clone();
    for (name, value) in disk.environment() {
        watched = watched.with(name, value);
    }
    watched
}

fn verify(program: &Program, data: &Path) {
    program
        .run(["verify".as_ref(), "--data".as_ref(), data.as_os_str()])
        .unwrap();
}

#[test]
fn a_disk_that_is_full_at_any_write_refuses_clearly_and_serves_on_when_there_is_room() {
    let mut bench = Bench::new();
    let calls = bench.calls_of_one_put(Calls::GROWING);
    let api = bench.api();
    let mut refused = 0;
    for nth in 1..=calls {
        let file = bench.acknowledged.next_file();
        bench
            .disk
            .arm(Calls::GROWING, Effect::Full, nth, u64::MAX >> 1)
            .unwrap();
        if let Err(error) = bench.runtime.block_on(file.put(&api)) {
            assert_is_unavailable(&error, "full");
            refused += 1;
        }
        bench.check();
        bench.disk.disarm().unwrap();
        bench.runtime.block_on(file.put(&api)).unwrap();
        bench.acknowledged.note(file);
    }
    assert!(refused > 0, "none of {calls} full writes was noticed");
    bench.check();
    bench.verify();
}

#[test]
fn an_fsync_that_fails_ends_acknowledging_until_a_restart() {
    let mut bench = Bench::new();
    let calls = bench.calls_of_one_put(Calls::SYNCS);
    let mut refused = 0;
    for nth in 1..=calls {
        let api = bench.api();
        let file = bench.acknowledged.next_file();
        bench
            .disk
            .arm(Calls::SYNCS, Effect::Broken, nth, 1)
            .unwrap();
        let mut unfinished = Vec::new();
        match bench.runtime.block_on(file.put(&api)) {
            Ok(()) => bench.acknowledged.note(file),
            Err(error) => {
                assert_is_unavailable(&error, "restart");
                refused += 1;
                // The disk works again, but what it dropped is unknown: nothing may be acknowledged on top of it.
                let next = bench.acknowledged.next_file();
                let error = bench.runtime.block_on(next.put(&api)).unwrap_err();
                assert_is_unavailable(&error, "restart");
                unfinished = vec![file, next];
            }
        }
        bench.restart();
        bench.check();
        let api = bench.api();
        for file in unfinished {
            bench.runtime.block_on(file.put(&api)).unwrap();
            bench.acknowledged.note(file);
        }
    }
    // Some of the calls copy the database's log into its file, which no acknowledgement waits for.
    assert!(
        refused >= 3,
        "{refused} of {calls} failed syncs were noticed"
    );
    bench.check();
    bench.verify();
}

#[test]
fn a_server_killed_at_any_call_to_its_disk_loses_nothing_acknowledged() {
    let mut bench = Bench::new();
    let calls = bench.calls_of_one_put(Calls::ALL);
    let mut killed = 0;
    for nth in 1..=calls {
        let api = bench.api();
        let file = bench.acknowledged.next_file();
        bench.disk.arm(Calls::ALL, Effect::Kill, nth, 1).unwrap();
        if bench.runtime.block_on(file.put(&api)).is_err() {
            killed += 1;
        }
        bench.restart();
        // Sent again with its id, it is there once, whether or not the first attempt reached the disk.
        bench.runtime.block_on(file.put(&bench.api())).unwrap();
        bench.acknowledged.note(file);
        bench.check();
    }
    assert!(
        killed >= calls / 2,
        "{killed} of {calls} calls killed the server"
    );
    bench.verify();
}

/// A refusal that says in words what is wrong with the disk or what to do.
fn assert_is_unavailable(error: &ApiError, word: &str) {
    assert!(error.is(ErrorCode::Unavailable), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(word), "'{text}' does not say '{word}'");
}
