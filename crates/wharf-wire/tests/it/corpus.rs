//! Every input of the fuzz corpus, through the code of the fuzz targets, on the stable compiler.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::targets::TARGETS;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stems_in(folder: &str) -> Vec<String> {
    let files = files_in(&fuzz_folder().join(folder));
    files
        .iter()
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_input_of_the_corpus_is_handled() {
    for (name, target) in TARGETS {
        let inputs = files_in(&fuzz_folder().join("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            assert!(
                catch_unwind(|| target(&bytes)).is_ok(),
                "{} breaks {name}",
                input.display()
            );
        }
    }
}

#[test]
fn every_target_is_wired_up() {
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems_in("corpus"), names);
    assert_eq!(stems_in("fuzz_targets"), names);
}
