//! Faults of a disk for a real process.
//!
//! [`Interposer`] compiles a small library that the dynamic linker loads before libc. In the process that runs with
//! [`Interposer::environment`], calls on files below one folder are counted, and the chosen one fails with an error, falls
//! short as on a full disk, or kills the process. The test arms it while the process runs, through a mapped control file.
#![expect(
    clippy::host_endian_bytes,
    reason = "the control file is read by a process of the same machine as C integers"
)]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Bytes of the control file: armed u32, error i32, countdown i64, failures i64, seen u64, in the machine's order.
const CONTROL_BYTES: u64 = 32;

/// Kinds of call, to be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls(u32);

impl Calls {
    /// Writing bytes to a file.
    pub const WRITES: Self = Self(1);
    /// fsync, fdatasync, syncfs.
    pub const SYNCS: Self = Self(2);
    /// Making a file that was not there.
    pub const CREATES: Self = Self(4);
    /// Renaming.
    pub const RENAMES: Self = Self(8);
    /// Cutting or growing a file.
    pub const TRUNCATES: Self = Self(16);
    /// Everything that needs room on the disk.
    pub const GROWING: Self = Self(1 | 4 | 16);
    /// Everything.
    pub const ALL: Self = Self(31);
}

/// What the chosen call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: calls are only counted.
    Count,
    /// Fails with ENOSPC; half of the first refused write still arrives.
    Full,
    /// Fails with EIO.
    Broken,
    /// The process is killed before the call is made.
    Kill,
}

/// The library, its control file, and the folder that it watches.
#[derive(Debug)]
pub struct Interposer {
    library: PathBuf,
    control_path: PathBuf,
    control: File,
    folder: PathBuf,
}

impl Interposer {
    /// Compiles the library into `work` and prepares a disarmed control file, for files below `folder`.
    ///
    /// # Errors
    /// When there is no C compiler, which building Wharf needs too, or `work` cannot be written.
    pub fn new(work: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = fs::canonicalize(folder)?;
        let source = work.join("interpose.c");
        let library = work.join("interpose.so");
        fs::write(&source, include_str!("interpose.c"))?;
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .context("cc: a C compiler is needed")?;
        ensure!(
            output.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let control_path = work.join("control");
        let control = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&control_path)?;
        control.set_len(CONTROL_BYTES)?;
        Ok(Self {
            library,
            control_path,
            control,
            folder,
        })
    }

    /// The variables that a process must run with to be watched.
    pub fn environment(&self) -> [(&'static str, &Path); 3] {
        [
            ("LD_PRELOAD", &self.library),
            ("WHARF_FAULT_CONTROL", &self.control_path),
            ("WHARF_FAULT_FOLDER", &self.folder),
        ]
    }

    /// From now on the `nth` of these calls (from 1), and the ones that follow up to `failures`, have the effect.
    pub fn arm(&self, calls: Calls, effect: Effect, nth: u64, failures: u64) -> Result<()> {
        let error: i32 = match effect {
            Effect::Count => 0,
            Effect::Full => libc::ENOSPC,
            Effect::Broken => libc::EIO,
            Effect::Kill => -9,
        };
        // Disarmed first and armed last, so that the process never sees half of a new setting.
        self.disarm()?;
        self.control.write_all_at(&error.to_ne_bytes(), 4)?;
        self.control
            .write_all_at(&i64::try_from(nth)?.to_ne_bytes(), 8)?;
        self.control
            .write_all_at(&i64::try_from(failures)?.to_ne_bytes(), 16)?;
        self.control.write_all_at(&0_u64.to_ne_bytes(), 24)?;
        self.control.write_all_at(&calls.0.to_ne_bytes(), 0)?;
        Ok(())
    }

    /// From now on every call does what it says.
    pub fn disarm(&self) -> Result<()> {
        Ok(self.control.write_all_at(&0_u32.to_ne_bytes(), 0)?)
    }

    /// How many of the armed calls were made since [`Interposer::arm`].
    pub fn seen(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, 24)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Calls, Effect, Interposer};

    fn copies(interposer: &Interposer, bytes: usize, target: &std::path::Path) -> bool {
        Command::new("dd")
            .args(["if=/dev/zero", "bs=1000", "conv=fsync"])
            .arg(format!("count={}", bytes / 1000))
            .arg(format!("of={}", target.display()))
            .envs(interposer.environment())
            .output()
            .unwrap()
            .status
            .success()
    }

    #[test]
    fn the_armed_call_fails_and_others_do_not() {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("watched");
        let interposer = Interposer::new(work.path(), &folder).unwrap();
        interposer.arm(Calls::WRITES, Effect::Count, 1, 0).unwrap();
        assert!(copies(&interposer, 5000, &folder.join("a")));
        assert_eq!(interposer.seen().unwrap(), 5);

        interposer
            .arm(Calls::WRITES, Effect::Full, 3, u64::MAX >> 1)
            .unwrap();
        assert!(!copies(&interposer, 5000, &folder.join("b")));
        assert_eq!(std::fs::metadata(folder.join("b")).unwrap().len(), 2500);
        assert!(copies(&interposer, 5000, &work.path().join("elsewhere")));

        interposer.arm(Calls::SYNCS, Effect::Broken, 1, 1).unwrap();
        assert!(!copies(&interposer, 1000, &folder.join("c")));

        interposer.disarm().unwrap();
        assert!(copies(&interposer, 1000, &folder.join("c")));
    }
}
