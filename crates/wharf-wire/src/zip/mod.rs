//! Archives in the ZIP format (APPNOTE 6.3.10), written from front to back and of a length that is known beforehand.
//!
//! Content is not compressed. It is put into stored blocks of DEFLATE, which end by themselves: so checksums may follow
//! the content, and readers that cannot look ahead (many of them refuse that for the method "stored") take it too.
//! Names are UTF-8 and made safe ([`Names`]); sizes and offsets of 64 bits are written only where 32 do not hold them.
//!
//! A writer keeps the archive's directory in memory: about 60 bytes and a path for each entry.

mod name;

use std::mem;

pub use name::{Names, stays_within};

/// Longest path of an entry, in bytes.
pub const PATH_BYTES_MAX: usize = u16::MAX as usize;

const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
const END64_SIGNATURE: u32 = 0x0606_4b50;
const LOCATOR64_SIGNATURE: u32 = 0x0706_4b50;
const END_SIGNATURE: u32 = 0x0605_4b50;

/// Made by: Unix, by the rules of version 4.5.
const MADE_BY: u16 = 0x032d;
/// The names are UTF-8.
const FLAG_UTF8: u16 = 1 << 11;
/// Checksum and sizes follow the content.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// What a field of 32 bits says where the number stands in a field of 64.
const ELSEWHERE: u32 = u32::MAX;
/// Most bytes of a stored block of DEFLATE.
const BLOCK_BYTES_MAX: u64 = 65_535;
/// What stands before each block: its kind, its length, and that in complement.
const BLOCK_HEADER_BYTES: u64 = 5;
/// What ends an archive, and what stands before it where numbers need 64 bits.
const END_BYTES: u64 = 22;
const END64_BYTES: u64 = 76;
/// The extended timestamp: a time of modification in seconds since the epoch.
const TIME_EXTRA_BYTES: u64 = 9;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A file that is a program.
    Program,
    /// A folder; its path ends with a slash.
    Folder,
    /// A symbolic link; its content is the target.
    Link,
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the top of the archive; at most [`PATH_BYTES_MAX`] bytes.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes of its content; none for a folder.
    pub bytes: u64,
    /// When it was modified, in seconds since the epoch.
    pub mtime_s: i64,
}

/// Counts how long an archive becomes, entry by entry in their order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Length {
    offset: u64,
    central_bytes: u64,
    count: u64,
}

/// A content had another length than its entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry's content has another length than announced")]
pub struct WrongLength;

/// Writes an archive: each entry by [`begin`](Writer::begin), its content by [`push`](Writer::push), and
/// [`end`](Writer::end); then the directory by [`finish`](Writer::finish).
#[derive(Debug, Default)]
pub struct Writer {
    offset: u64,
    central: Vec<u8>,
    count: u64,
    open: Option<Open>,
}

/// The entry that is being written.
#[derive(Debug)]
struct Open {
    entry: Entry,
    starts_at: u64,
    crc: crc32fast::Hasher,
    left_bytes: u64,
    block_left_bytes: u64,
}

impl Entry {
    /// Bytes of the content as the archive has it.
    const fn packed_bytes(&self) -> u64 {
        self.bytes + self.bytes.div_ceil(BLOCK_BYTES_MAX) * BLOCK_HEADER_BYTES
    }

    const fn is_long(&self) -> bool {
        self.packed_bytes() >= ELSEWHERE as u64
    }

    const fn flags(&self) -> u16 {
        if self.bytes == 0 {
            FLAG_UTF8
        } else {
            FLAG_UTF8 | FLAG_DESCRIPTOR
        }
    }

    /// 8 is DEFLATE; what has no content is stored.
    const fn method(&self) -> u16 {
        if self.bytes == 0 { 0 } else { 8 }
    }

    const fn mode(&self) -> u32 {
        match self.kind {
            Kind::File => 0o100_644,
            Kind::Program => 0o100_755,
            Kind::Folder => 0o040_755,
            Kind::Link => 0o120_777,
        }
    }

    fn name(&self) -> &[u8] {
        let bytes = self.path.as_bytes();
        bytes.get(..PATH_BYTES_MAX).unwrap_or(bytes)
    }

    /// Bytes of all that stands at the entry's own place.
    fn local_bytes(&self) -> u64 {
        let wide: u64 = if self.is_long() { 20 } else { 0 };
        let descriptor: u64 = match (self.bytes, self.is_long()) {
            (0, _) => 0,
            (_, false) => 16,
            (_, true) => 24,
        };
        30 + self.name().len() as u64 + TIME_EXTRA_BYTES + wide + self.packed_bytes() + descriptor
    }

    /// Bytes of its line in the directory, when it stands at `offset`.
    fn central_bytes(&self, offset: u64) -> u64 {
        let wide: u64 = if self.is_wide_at(offset) { 28 } else { 0 };
        46 + self.name().len() as u64 + TIME_EXTRA_BYTES + wide
    }

    const fn is_wide_at(&self, offset: u64) -> bool {
        self.is_long() || offset >= ELSEWHERE as u64
    }

    fn put_time(&self, out: &mut Vec<u8>) {
        put16(out, 0x5455);
        put16(out, 5);
        out.push(1);
        let seconds = i32::try_from(self.mtime_s).unwrap_or(if self.mtime_s < 0 {
            i32::MIN
        } else {
            i32::MAX
        });
        out.extend_from_slice(&seconds.to_le_bytes());
    }
}

impl Length {
    /// Counts one more entry.
    pub fn add(&mut self, entry: &Entry) {
        self.central_bytes += entry.central_bytes(self.offset);
        self.offset += entry.local_bytes();
        self.count += 1;
    }

    /// Bytes of the archive that a [`Writer`] makes of these entries.
    pub const fn total(&self) -> u64 {
        let wide = if is_wide(self.offset, self.central_bytes, self.count) {
            END64_BYTES
        } else {
            0
        };
        self.offset + self.central_bytes + wide + END_BYTES
    }
}

impl Writer {
    /// Begins an entry; returns what to write.
    pub fn begin(&mut self, entry: Entry) -> Vec<u8> {
        let mut out = Vec::with_capacity(60 + entry.name().len());
        put32(&mut out, LOCAL_SIGNATURE);
        put16(&mut out, if entry.is_long() { 45 } else { 20 });
        put16(&mut out, entry.flags());
        put16(&mut out, entry.method());
        put32(&mut out, dos_time(entry.mtime_s));
        put32(&mut out, 0);
        let size = if entry.is_long() { ELSEWHERE } else { 0 };
        put32(&mut out, size);
        put32(&mut out, size);
        put16(&mut out, short(entry.name().len() as u64));
        let extra: u64 = if entry.is_long() { 20 } else { 0 };
        put16(&mut out, short(TIME_EXTRA_BYTES + extra));
        out.extend_from_slice(entry.name());
        entry.put_time(&mut out);
        if entry.is_long() {
            put16(&mut out, 1);
            put16(&mut out, 16);
            out.extend_from_slice(&[0; 16]);
        }
        self.open = Some(Open {
            starts_at: self.offset,
            crc: crc32fast::Hasher::new(),
            left_bytes: entry.bytes,
            block_left_bytes: 0,
            entry,
        });
        self.offset += out.len() as u64;
        out
    }

    /// Adds to the content of the entry that was begun; appends to `out` what to write.
    ///
    /// # Errors
    /// [`WrongLength`]: it is longer than announced.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WrongLength> {
        let open = self.open.as_mut().ok_or(WrongLength)?;
        if bytes.len() as u64 > open.left_bytes {
            return Err(WrongLength);
        }
        open.crc.update(bytes);
        let before = out.len();
        while !bytes.is_empty() {
            if open.block_left_bytes == 0 {
                let block = open.left_bytes.min(BLOCK_BYTES_MAX);
                out.push(u8::from(block == open.left_bytes));
                put16(out, short(block));
                put16(out, !short(block));
                open.block_left_bytes = block;
            }
            let fits = usize::try_from(open.block_left_bytes).unwrap_or(usize::MAX);
            let (now, rest) = bytes.split_at(fits.min(bytes.len()));
            out.extend_from_slice(now);
            open.block_left_bytes -= now.len() as u64;
            open.left_bytes -= now.len() as u64;
            bytes = rest;
        }
        self.offset += (out.len() - before) as u64;
        Ok(())
    }

    /// Ends the entry that was begun; appends to `out` what to write.
    ///
    /// # Errors
    /// [`WrongLength`]: its content is shorter than announced.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), WrongLength> {
        let Some(open) = self.open.take() else {
            return Err(WrongLength);
        };
        if open.left_bytes > 0 {
            return Err(WrongLength);
        }
        let before = out.len();
        let crc = open.crc.finalize();
        let entry = open.entry;
        if entry.bytes > 0 {
            put32(out, DESCRIPTOR_SIGNATURE);
            put32(out, crc);
            if entry.is_long() {
                put64(out, entry.packed_bytes());
                put64(out, entry.bytes);
            } else {
                put32(out, narrow(entry.packed_bytes()));
                put32(out, narrow(entry.bytes));
            }
        }
        self.offset += (out.len() - before) as u64;
        self.note(&entry, open.starts_at, crc);
        Ok(())
    }

    /// Ends the archive; returns what to write.
    pub fn finish(mut self) -> Vec<u8> {
        let mut out = mem::take(&mut self.central);
        let central_bytes = out.len() as u64;
        let is_wide = is_wide(self.offset, central_bytes, self.count);
        if is_wide {
            put32(&mut out, END64_SIGNATURE);
            put64(&mut out, 44);
            put16(&mut out, MADE_BY);
            put16(&mut out, 45);
            put64(&mut out, 0);
            put64(&mut out, self.count);
            put64(&mut out, self.count);
            put64(&mut out, central_bytes);
            put64(&mut out, self.offset);
            put32(&mut out, LOCATOR64_SIGNATURE);
            put32(&mut out, 0);
            put64(&mut out, self.offset + central_bytes);
            put32(&mut out, 1);
        }
        put32(&mut out, END_SIGNATURE);
        put32(&mut out, 0);
        let (count, bytes, offset) = if is_wide {
            (u16::MAX, ELSEWHERE, ELSEWHERE)
        } else {
            (
                short(self.count),
                narrow(central_bytes),
                narrow(self.offset),
            )
        };
        put16(&mut out, count);
        put16(&mut out, count);
        put32(&mut out, bytes);
        put32(&mut out, offset);
        put16(&mut out, 0);
        out
    }

    /// Writes an entry's line into the directory.
    fn note(&mut self, entry: &Entry, starts_at: u64, crc: u32) {
        let is_wide = entry.is_wide_at(starts_at);
        let out = &mut self.central;
        put32(out, CENTRAL_SIGNATURE);
        put16(out, MADE_BY);
        put16(out, if is_wide { 45 } else { 20 });
        put16(out, entry.flags());
        put16(out, entry.method());
        put32(out, dos_time(entry.mtime_s));
        put32(out, crc);
        let (packed, bytes, offset) = if is_wide {
            (ELSEWHERE, ELSEWHERE, ELSEWHERE)
        } else {
            (
                narrow(entry.packed_bytes()),
                narrow(entry.bytes),
                narrow(starts_at),
            )
        };
        put32(out, packed);
        put32(out, bytes);
        put16(out, short(entry.name().len() as u64));
        let extra: u64 = if is_wide { 28 } else { 0 };
        put16(out, short(TIME_EXTRA_BYTES + extra));
        // No comment, disk 0, no internal attributes.
        out.extend_from_slice(&[0; 6]);
        let is_folder = u32::from(entry.kind == Kind::Folder);
        put32(out, entry.mode() << 16 | is_folder << 4);
        put32(out, offset);
        out.extend_from_slice(entry.name());
        entry.put_time(out);
        if is_wide {
            put16(out, 1);
            put16(out, 24);
            put64(out, entry.bytes);
            put64(out, entry.packed_bytes());
            put64(out, starts_at);
        }
        self.count += 1;
    }
}

/// Whether the end of the archive needs fields of 64 bits.
const fn is_wide(offset: u64, central_bytes: u64, count: u64) -> bool {
    offset >= ELSEWHERE as u64 || central_bytes >= ELSEWHERE as u64 || count >= u16::MAX as u64
}

fn put16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// A number that is known to fit.
fn short(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// A number that is known to fit.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A time as MS-DOS has it, in UTC: the date above, the time below; cut to the years it knows.
fn dos_time(seconds: i64) -> u32 {
    const FIRST: i64 = 315_532_800; // 1980-01-01
    const LAST: i64 = 4_354_819_198; // 2107-12-31 23:59:58
    let seconds = seconds.clamp(FIRST, LAST);
    let of_day = seconds % 86_400;
    let (year, month, day) = civil(seconds / 86_400);
    let date = (year - 1980) << 9 | month << 5 | day;
    let time = (of_day / 3600) << 11 | (of_day / 60 % 60) << 5 | (of_day % 60 / 2);
    u32::try_from(date << 16 | time).unwrap_or(0)
}

/// The year, month and day of a number of days since 1970, which must not be negative. From years that begin in March,
/// in which February's length matters to nothing after it.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests;
