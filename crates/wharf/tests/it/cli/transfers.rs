//! Transfers that are interrupted, paused and given up.
//!
//! The network between the program and its server is a proxy that breaks in the middle of the file and stays broken until
//! it is healed, so each test acts on a transfer that is half done, however fast the machine is.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;
use wharf_client::transfer::PutOptions;
use wharf_client::{Clock, NewTask, Room, TaskKind, TaskStore};
use wharf_testkit::program::{OPERATOR, PASSWORD};
use wharf_testkit::proxy::{After, Proxy, Way};

use super::house::{House, NO_ARGUMENTS, start, text};

const FILE_BYTES: u64 = 80_000_000;
const CUT_AFTER_BYTES: u64 = 40_000_000;

/// A put of one file that got as far as the middle and waits for the network.
struct Stuck {
    house: House,
    /// The file, which becomes `/large`.
    file: String,
    put: Child,
    proxy: Proxy,
    // Drives the proxy.
    _runtime: Runtime,
}

impl Stuck {
    fn new() -> Self {
        let house = House::new();
        let runtime = Runtime::new().unwrap();
        let server = house.server.address().parse().unwrap();
        let proxy = runtime.block_on(Proxy::start(server));
        let login = house.program.clone().with("WHARF_PASSWORD", PASSWORD);
        let url = format!("http://{}", proxy.address());
        login.run(["login", &url, "-u", OPERATOR]).unwrap();
        let file = large(&house);
        proxy.cut_after(Way::Up, CUT_AFTER_BYTES, After::Refuse);
        let mut put = house.program.command(["put", &file, "/large"]);
        let put = put.stderr(Stdio::piped()).spawn().unwrap();
        while proxy.cut_count() == 0 {
            pause();
        }
        Self {
            house,
            file,
            put,
            proxy,
            _runtime: runtime,
        }
    }

    /// The state of the one transfer.
    fn state(&self) -> String {
        self.house.json(&["transfers"])[0]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Whether what the server has as `/large` is the file.
    fn is_whole(&self) -> bool {
        let back = text(&self.house.path("back"));
        self.house.run(&["get", "/large", &back]);
        Command::new("cmp")
            .args([&self.file, &back])
            .status()
            .unwrap()
            .success()
    }
}

/// A file that is not compressible.
fn large(house: &House) -> String {
    let path = house.path("large");
    let random = fs::File::open("/dev/urandom").unwrap();
    let mut random = std::io::Read::take(random, FILE_BYTES);
    std::io::copy(&mut random, &mut fs::File::create(&path).unwrap()).unwrap();
    text(&path)
}

#[expect(clippy::disallowed_methods, reason = "waits for another process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_put_whose_program_was_killed_continues_when_it_is_run_again() {
    let mut stuck = Stuck::new();
    stuck.put.kill().unwrap();
    stuck.put.wait().unwrap();
    assert_eq!(stuck.state(), "waiting");
    stuck.proxy.heal();
    let again = stuck.house.json(&["put", &stuck.file, "/large"]);
    assert_eq!(again[0]["transfer"], 1, "the same task goes on");
    let travelled = again[0]["report"]["bytes_wire"].as_u64().unwrap();
    let limit = FILE_BYTES - CUT_AFTER_BYTES / 2;
    assert!(
        travelled < limit,
        "what was there did not travel again: {travelled}"
    );
    assert!(stuck.is_whole());
    stuck.house.run(&["transfers", "clear"]);
    assert!(stuck.house.json(&["transfers"]).is_empty());
}

#[test]
fn a_put_outlives_its_server_which_is_killed_and_started_again() {
    let Stuck {
        house,
        file,
        put,
        proxy,
        _runtime,
    } = Stuck::new();
    let House {
        folder,
        program,
        server,
    } = house;
    server.kill().unwrap();
    let server = start(&program, &folder.path().join("data"));
    proxy.lead_to(server.address().parse().unwrap());
    proxy.heal();
    let ended = put.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let back = text(&folder.path().join("back"));
    program.run(["get", "/large", &back]).unwrap();
    assert!(
        Command::new("cmp")
            .args([&file, &back])
            .status()
            .unwrap()
            .success()
    );
    server.stop().unwrap();
}

#[test]
fn a_transfer_is_paused_from_another_program_resumed_and_over() {
    let mut stuck = Stuck::new();
    stuck.house.run(&["transfers", "pause", "1"]);
    let status = stuck.put.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let mut told = String::new();
    std::io::Read::read_to_string(stuck.put.stderr.as_mut().unwrap(), &mut told).unwrap();
    assert!(
        told.contains("paused") && told.contains("wharf transfers resume 1"),
        "{told}"
    );
    assert_eq!(stuck.state(), "paused");
    stuck.proxy.heal();
    stuck.house.run(&["transfers", "resume", "1"]);
    assert_eq!(stuck.state(), "done");
    assert!(stuck.is_whole());
    let over = stuck.house.end(&["transfers", "cancel", "1"]);
    assert_eq!(over.code, 6, "{over:?}");
}

#[test]
fn a_transfer_that_is_given_up_ends_and_is_not_resumed() {
    let mut stuck = Stuck::new();
    stuck.house.run(&["transfers", "cancel", "1"]);
    assert_eq!(stuck.put.wait().unwrap().code(), Some(130));
    assert_eq!(stuck.state(), "cancelled");
    stuck.proxy.heal();
    let resumed = stuck.house.end(&["transfers", "resume", "1"]);
    assert_eq!(resumed.code, 6, "{resumed:?}");
    assert_eq!(stuck.house.end(&["stat", "/large"]).code, 4);
}

#[test]
fn a_get_that_is_given_up_after_its_program_was_killed_leaves_nothing_aside() {
    let house = House::new();
    let file = large(&house);
    house.run(&["put", &file, "/large"]);
    let runtime = Runtime::new().unwrap();
    let server = house.server.address().parse().unwrap();
    let proxy = runtime.block_on(Proxy::start(server));
    let login = house.program.clone().with("WHARF_PASSWORD", PASSWORD);
    let url = format!("http://{}", proxy.address());
    login.run(["login", &url, "-u", OPERATOR]).unwrap();
    let target = house.path("got");
    fs::create_dir(&target).unwrap();
    proxy.cut_after(Way::Down, CUT_AFTER_BYTES, After::Refuse);
    let arguments = ["get", "/large", &text(&target.join("large"))];
    let mut get = house.program.command(arguments).spawn().unwrap();
    while proxy.cut_count() == 0 {
        pause();
    }
    get.kill().unwrap();
    get.wait().unwrap();
    let aside = || fs::read_dir(&target).unwrap().count();
    assert_eq!(aside(), 1, "what came is kept");
    let number = house.json(&["transfers"])[0]["transfer"].to_string();
    house.run(&["transfers", "cancel", &number]);
    assert_eq!(aside(), 0);
}

/// Puts into the list what a program left there that was killed before it began.
fn submit(house: &House, source: &str) -> i64 {
    let like = &house.json(&["transfers"])[0];
    let list = house.path("home/state/wharf/transfers.db");
    let store = TaskStore::open(&list, Clock::system()).unwrap();
    let task = store.submit(&NewTask {
        server: like["server"].as_str().unwrap().to_owned(),
        login: OPERATOR.to_owned(),
        room: Room::Home,
        kind: TaskKind::Put {
            source: house.path(source),
            target: source.to_owned(),
            options: PutOptions::default(),
        },
    });
    task.unwrap().id
}

#[test]
fn a_transfer_that_cannot_be_resumed_does_not_keep_the_others_from_it() {
    let house = House::new();
    let first = house.write("first", "1");
    house.run(&["put", &first, "/first"]);
    house.write("second", "2");
    house.write("third", "3");
    submit(&house, "gone");
    let second = submit(&house, "second");
    for _ in 0..2 {
        let resumed = house.end(&["transfers", "resume"]);
        assert_eq!(resumed.code, 4, "{resumed:?}");
        assert!(resumed.err.contains("gone"), "{resumed:?}");
    }
    assert_eq!(house.run(&["cat", "/second"]), "2");
    // Those that are over, and those that there never were, are told of besides.
    let third = submit(&house, "third");
    let [over, wanted] = [second, third].map(|id| id.to_string());
    let resumed = house.end(&["transfers", "resume", &over, "99", &wanted]);
    assert_eq!(resumed.code, 6, "{resumed:?}");
    assert!(resumed.err.contains("99"), "{resumed:?}");
    assert_eq!(house.run(&["cat", "/third"]), "3");
}

#[test]
fn a_transfer_of_another_login_is_left_as_it_is() {
    let house = House::new();
    let first = house.write("first", "1");
    house.run(&["put", &first, "/first"]);
    let paused = submit(&house, "second").to_string();
    house.run(&["transfers", "pause", &paused]);
    let added = house.json(&["admin", "user", "add", "ada"]);
    let password = added[0]["password"].as_str().unwrap();
    let ada = house.program.clone().with("WHARF_PASSWORD", password);
    let url = house.server.url();
    let login = ["login", url, "-u", "ada", "--name", "ada"];
    ada.run(login).unwrap();
    let refused = house.end(&["transfers", "resume", &paused, "-S", "ada"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(house.json(&["transfers"])[0]["state"], "paused");
}

#[test]
fn an_interrupt_stops_a_transfer_so_that_it_can_go_on() {
    let mut stuck = Stuck::new();
    let pid = stuck.put.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(stuck.put.wait().unwrap().code(), Some(130));
    assert_eq!(stuck.state(), "waiting");
    stuck.proxy.heal();
    stuck.house.run(&["transfers", "resume"]);
    assert_eq!(stuck.state(), "done");
    assert!(stuck.is_whole());
}

#[test]
fn places_mean_the_same_each_time() {
    let house = House::new();
    house.write("photos/a.jpg", "a");
    house.write("notes.txt", "n");
    let (photos, notes) = (text(&house.path("photos")), text(&house.path("notes.txt")));
    for _ in 0..2 {
        house.run(&["put", &photos, "/backup/2026"]);
        house.run(&["put", &photos, &notes, "/docs"]);
        house.run(&["put", &notes, "/docs/photos"]);
    }
    let paths: Vec<String> = house
        .json(&["ls", "-r"])
        .iter()
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "backup",
            "backup/2026",
            "backup/2026/a.jpg",
            "docs",
            "docs/notes.txt",
            "docs/photos",
            "docs/photos/a.jpg",
            "docs/photos/notes.txt",
        ]
    );
    let target = text(&house.path("got"));
    for _ in 0..2 {
        house.run(&["get", "/docs/photos", &target]);
        house.run(&[
            "get",
            "/docs/notes.txt",
            "/backup",
            &format!("{target}/both"),
        ]);
    }
    let listed = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(&target)
        .output()
        .unwrap();
    let mut listed: Vec<_> = std::str::from_utf8(&listed.stdout)
        .unwrap()
        .lines()
        .collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "./a.jpg",
            "./both/backup/2026/a.jpg",
            "./both/notes.txt",
            "./notes.txt"
        ]
    );
}

#[test]
fn a_wildcard_does_not_take_its_last_file_for_the_target() {
    let house = House::new();
    let files = ["a.jpg", "b.jpg"].map(|name| house.write(name, name));
    let mut command = house.program.command(["put", "a.jpg", "b.jpg"]);
    let ended = command.current_dir(house.folder.path()).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    house.run(&["put", &files[0], &files[1], "/"]);
    assert_eq!(house.run(&["ls", "-1"]), "a.jpg\nb.jpg\n");
}

#[test]
fn a_server_that_is_asked_to_end_ends_well_in_the_middle_of_a_put() {
    let house = House::new();
    let file = large(&house);
    let House {
        folder,
        program,
        server,
    } = house;
    let address = server.address().to_owned();
    let mut put = program.command(["put", &file, "/large"]);
    let put = put.stderr(Stdio::piped()).spawn().unwrap();
    server.stop().unwrap();
    let data = folder.path().join("data");
    let server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    let ended = put.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    server.stop().unwrap();
}
