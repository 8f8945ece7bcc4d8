//! Whatever goes up comes down as it was.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wharf_client::transfer::Links;

use crate::fixture::{Fixture, listing, noise, run_get, run_put};

#[derive(Debug, Clone)]
enum Thing {
    File {
        bytes: usize,
        seed: u64,
        is_program: bool,
        mtime: i64,
        nanoseconds: u32,
    },
    Folder,
    Link(String),
}

fn thing() -> impl Strategy<Value = Thing> {
    let size = prop_oneof![
        4 => 0..5_000_usize,
        2 => Just(0),
        1 => 200_000..400_000_usize,
        1 => 4_000_000..14_000_000_usize,
    ];
    let time = prop_oneof![
        Just(0),
        Just(-1),
        any::<u32>().prop_map(i64::from),
        Just(4_000_000_000)
    ];
    prop_oneof![
        6 => (size, 0..4_u64, any::<bool>(), time, 0..1_000_000_000_u32).prop_map(|(bytes, seed, is_program, mtime, nanoseconds)| {
            Thing::File { bytes, seed, is_program, mtime, nanoseconds }
        }),
        2 => Just(Thing::Folder),
        1 => "[a-z./]{1,20}".prop_map(Thing::Link),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[A-C]{1,2}",
        Just("caf\u{e9}".to_owned()),
        Just("cafe\u{301} 2".to_owned()),
        Just("\u{4f60}\u{597d}.txt".to_owned()),
        Just(" leading and trailing ".to_owned()),
        Just("back\\slash \"quote\" %41?#&+\n".to_owned()),
        Just("x".repeat(255)),
    ]
}

fn plant(root: &Path, things: &[(Vec<String>, Thing)]) {
    for (names, thing) in things {
        let path = root.join(names.join("/"));
        // What collides with an earlier thing is not there.
        if fs::create_dir_all(path.parent().unwrap()).is_err()
            || fs::symlink_metadata(&path).is_ok()
        {
            continue;
        }
        match thing {
            Thing::Folder => fs::create_dir(&path).unwrap(),
            Thing::Link(target) => symlink(target, &path).unwrap(),
            Thing::File {
                bytes,
                seed,
                is_program,
                mtime,
                nanoseconds,
            } => {
                fs::write(&path, noise(*seed, *bytes)).unwrap();
                let mode = if *is_program { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                let seconds = Duration::from_secs(mtime.unsigned_abs());
                let time = if *mtime < 0 {
                    UNIX_EPOCH - seconds
                } else {
                    UNIX_EPOCH + seconds
                };
                let file = fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(time + Duration::from_nanos(u64::from(*nanoseconds)))
                    .unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_trees_come_back_bit_for_bit() {
    let fixture = Fixture::new().await;
    let mut runner = TestRunner::deterministic();
    let trees = vec((vec(name(), 1..4), thing()), 0..40);
    for round in 0..12 {
        let things = trees.new_tree(&mut runner).unwrap().current();
        let (up, down) = (format!("up{round}"), format!("down{round}"));
        fs::create_dir(fixture.path(&up)).unwrap();
        plant(&fixture.path(&up), &things);
        let mut put = fixture.put(&up, &format!("trees/{round}"));
        put.options.links = Links::Keep;
        let report = run_put(&put).await.unwrap();
        assert_eq!(report.failed, 0, "{report:?}");
        let mut get = fixture.get(&format!("trees/{round}"), &down);
        get.options.links = Links::Keep;
        let report = run_get(&get).await.unwrap();
        assert_eq!(report.failed, 0, "{report:?}");
        let folders = listing(&fixture.path(&up));
        let folders = folders.iter().filter(|path| path.ends_with('/')).count();
        assert_eq!(report.folders_made, folders as u64, "{report:?}");
        assert_eq!(
            listing(&fixture.path(&down)),
            listing(&fixture.path(&up)),
            "{things:?}"
        );

        // Nothing has changed: nothing travels either way.
        let report = run_put(&put).await.unwrap();
        assert_eq!(
            (report.files_moved, report.bytes_wire, report.folders_made),
            (0, 0, 0),
            "{report:?}"
        );
        let report = run_get(&get).await.unwrap();
        assert_eq!(
            (report.files_moved, report.bytes_wire, report.folders_made),
            (0, 0, 0),
            "{report:?}"
        );
    }
}
