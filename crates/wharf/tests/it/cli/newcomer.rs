//! What README promises to somebody who has just built the program.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wharf_testkit::program::Program;

use super::house::{House, WHARF, feed, text};

#[test]
fn the_printed_command_makes_the_operator_and_a_folder_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(WHARF, folder.path());
    // As a person starts it: nothing but the port is said, and the data goes where XDG says.
    let server = program
        .command(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = KilledWhenDropped(server);
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let printed = lines
        .map_while(Result::ok)
        .find(|line| line.contains("signup"))
        .unwrap();
    let mut words: Vec<&str> = printed.split_whitespace().collect();
    assert_eq!(
        (words[0], words[1], words.pop()),
        (WHARF, "signup", Some("NAME"))
    );
    words.extend(["ada", "--password-stdin"]);
    let ended = feed(&program, &words[1..], b"correct horse battery\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.starts_with("Welcome, ada. Your number is "),
        "{ended:?}"
    );
    assert!(folder.path().join("data/wharf/wharf.db").is_file());

    let (source, then) = pictures(folder.path());
    let put = program.output(["put", &text(&source), "/"]).unwrap();
    assert!(put.status.success());
    let told = String::from_utf8(put.stderr).unwrap();
    assert!(
        told.contains("3 files (2.9 MiB)") && told.contains("link"),
        "{told}"
    );
    let listed = program.run(["ls", "/pictures"]).unwrap();
    assert!(
        listed.contains("2026/") && listed.contains("run.sh*"),
        "{listed}"
    );
    let again = program.output(["put", &text(&source), "/"]).unwrap();
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(
        told.contains("3 unchanged") && told.contains("0 B travelled"),
        "{told}"
    );

    let back = folder.path().join("back");
    program.run(["get", "/pictures", &text(&back)]).unwrap();
    fs::remove_file(source.join("link")).unwrap();
    let same = Command::new("diff")
        .args(["-r", &text(&source), &text(&back)])
        .status()
        .unwrap();
    assert!(same.success());
    let metadata = fs::metadata(back.join("run.sh")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o111, 0o111);
    assert_eq!(metadata.modified().unwrap(), then);
    assert!(back.join("2026/empty").is_dir());
}

/// A server that does not outlive a test which fails.
struct KilledWhenDropped(Child);

impl Drop for KilledWhenDropped {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A folder with what folders have: an empty folder, an empty file, a program with a time, a link.
fn pictures(folder: &Path) -> (PathBuf, SystemTime) {
    let source = folder.join("pictures");
    fs::create_dir_all(source.join("2026/empty")).unwrap();
    fs::write(source.join("2026/a.jpg"), vec![7; 3_000_000]).unwrap();
    fs::write(source.join("nothing"), "").unwrap();
    fs::write(source.join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(source.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let then = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    fs::File::options()
        .write(true)
        .open(source.join("run.sh"))
        .unwrap()
        .set_modified(then)
        .unwrap();
    symlink("run.sh", source.join("link")).unwrap();
    (source, then)
}

#[test]
fn the_data_folder_is_its_owner_s_and_belongs_to_one_server() {
    let house = House::new();
    let mode = fs::metadata(house.data()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let data = text(&house.data());
    let second = house.end(&["serve", "--listen", "127.0.0.1:0", "--data", &data]);
    assert_eq!(second.code, 6, "{second:?}");
    assert!(
        second.err.contains(&format!(
            "in use by another wharf (process {})",
            house.server.pid()
        )),
        "{second:?}"
    );
    let other = text(&house.path("other"));
    let taken = house.end(&[
        "serve",
        "--listen",
        house.server.address(),
        "--data",
        &other,
    ]);
    assert_eq!(taken.code, 8, "{taken:?}");
    assert!(taken.err.contains("--listen"), "{taken:?}");
    house.server.stop().unwrap();
}
