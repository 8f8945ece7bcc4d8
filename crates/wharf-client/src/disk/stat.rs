//! What the operating system knows of a file.

use rustix::fs::FileType;

/// What a name on the disk stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A device, socket or pipe.
    Special,
}

/// What tells whether a file is still the one that was looked at: a file that was replaced has another inode, and one that
/// was written to has another time of change, which no program can set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    mtime_ns: i64,
    ctime_ns: i64,
}

/// A file's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    pub(crate) bytes: u64,
    /// Nanoseconds since the epoch.
    pub(crate) mtime_ns: i64,
    /// Whether it is a file that its owner may run.
    pub(crate) executable: bool,
    /// The permission bits.
    pub(crate) mode: u32,
    pub(crate) device: u64,
    pub(crate) identity: Identity,
}

impl Kind {
    /// `None` where the file system does not tell without a look at the file.
    pub(crate) fn of(kind: FileType) -> Option<Self> {
        match kind {
            FileType::RegularFile => Some(Self::File),
            FileType::Directory => Some(Self::Folder),
            FileType::Symlink => Some(Self::Link),
            FileType::Unknown => None,
            _ => Some(Self::Special),
        }
    }
}

impl Stat {
    #[allow(
        clippy::allow_attributes,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        clippy::cast_lossless,
        clippy::cast_possible_wrap,
        trivial_numeric_casts,
        reason = "the fields' types differ between systems"
    )]
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Self {
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        let mtime_ns = nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        let mode = stat.st_mode as u32;
        let kind = Kind::of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Special);
        Self {
            kind,
            bytes,
            mtime_ns,
            executable: kind == Kind::File && mode & 0o100 != 0,
            mode: mode & 0o7777,
            device: stat.st_dev as u64,
            identity: Identity {
                device: stat.st_dev as u64,
                inode: stat.st_ino as u64,
                bytes,
                mtime_ns,
                ctime_ns: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            },
        }
    }
}

impl Identity {
    /// When the file was last changed, in milliseconds since the epoch.
    pub(crate) fn ctime_ms(&self) -> i64 {
        self.ctime_ns.div_euclid(1_000_000)
    }

    /// Whether this is the same file with the same content as `other`, though it may have got another name meanwhile, which
    /// changes nothing but the time of change.
    pub(crate) fn is_same_but_for_name(&self, other: &Self) -> bool {
        Self {
            ctime_ns: other.ctime_ns,
            ..*self
        } == *other
    }
}

/// Times past the year 2262 read as its end, rather than as some other year.
fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}
