//! Lists the page's files for the program to carry: `OUT_DIR/page.rs` is an array of paths and contents.
//!
//! Development builds carry none. They read the folder when they are asked, so that an edit shows on reload.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let web = PathBuf::from(var("CARGO_MANIFEST_DIR")?).join("web");
    let mut listing = String::from("[\n");
    if var("PROFILE")? == "release" {
        println!("cargo::rerun-if-changed={}", web.display());
        let mut paths = Vec::new();
        list(&web, &mut paths)?;
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(&web).map_err(io::Error::other)?;
            let name = name.to_string_lossy().replace('\\', "/");
            let path = path.to_string_lossy();
            writeln!(listing, "({name:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
        }
    } else {
        println!("cargo::rerun-if-changed=build.rs");
    }
    listing.push_str("]\n");
    fs::write(PathBuf::from(var("OUT_DIR")?).join("page.rs"), listing)
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), paths)?;
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells build scripts in the environment alone"
)]
fn var(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}
