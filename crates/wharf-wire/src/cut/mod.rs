//! Cuts files into chunks where their content says so (FastCDC in its 2020 form).
//!
//! A rolling hash runs over the file, and a chunk ends where the hash is small. The hash at a place depends on the
//! [`WINDOW_BYTES`] bytes before it and on nothing else, so a change inside a file moves only the cuts near it.
//! Two thresholds keep lengths close to the average: a strict one up to [`NORMAL_BYTES`], a lenient one after it. No cut
//! is looked for in the first [`CHUNK_BYTES_MIN`] of a chunk, and none is needed past [`CHUNK_BYTES_MAX`].
//!
//! One core cuts 4.5 GB/s where it hashes 5.5 GB/s with BLAKE3, so a file is cut by one thread while others hash.
//!
//! Cuts name content: any change to the table, the thresholds or the bounds would make every stored file look new.
//! Golden tests freeze them.

mod gear;

use wharf_types::limit::{CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MAX, CHUNK_BYTES_MIN};

use gear::GEAR;

/// How far back the hash sees. Each step shifts it by one bit, so after 64 steps a byte has left it.
const WINDOW_BYTES: usize = 64;
/// The length from which the lenient threshold holds. With it, chunks of random bytes are 1 MiB long on average.
const NORMAL_BYTES: usize = CHUNK_BYTES_AVERAGE / 16 * 13;
/// One hash in four times the average is below: a cut is rare before a chunk is long enough.
const STRICT: u64 = u64::MAX / (4 * CHUNK_BYTES_AVERAGE as u64) + 1;
/// One hash in a quarter of the average is below: a cut comes soon after that.
const LENIENT: u64 = u64::MAX / (CHUNK_BYTES_AVERAGE as u64 / 4) + 1;
/// What one of the three lanes of [`find`] does at a time: long against the window that each warms up on, short
/// against a chunk.
const LANE_BYTES: usize = 4096;
/// Bytes that a lane reads between two looks at how far it is; the fastest of what was measured.
const STEP_BYTES: usize = 4;

/// Returns the length of the first chunk of `bytes`, 0 when there are none.
///
/// In a view of a file that goes on, a length less than that of the view, or of [`CHUNK_BYTES_MAX`], is sure: what
/// follows cannot change it. One that takes all of a shorter view means that no cut was found there yet.
pub fn chunk_bytes(bytes: &[u8]) -> usize {
    let end = bytes.len().min(CHUNK_BYTES_MAX);
    find(bytes, CHUNK_BYTES_MIN, end.min(NORMAL_BYTES), STRICT)
        .or_else(|| find(bytes, NORMAL_BYTES, end, LENIENT))
        .unwrap_or(end)
}

/// The chunks of a whole file, in order. An empty file has none.
pub fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks { rest: bytes }
}

/// Iterator over the chunks of a file: see [`chunks`].
#[derive(Debug, Clone)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (chunk, rest) = self.rest.split_at_checked(chunk_bytes(self.rest))?;
        self.rest = rest;
        Some(chunk)
    }
}

/// The first length from `from` up to and without `to` at which the hash is below `threshold`.
///
/// The hash of a length needs the one of the length before it, which makes a plain loop wait for each step. Three
/// lanes, each on its own stretch of the file, keep the processor busy: 3.6 instead of 1.3 GB/s. A hit is rare, so
/// the stretch that has one is simply scanned again for the first.
fn find(bytes: &[u8], from: usize, to: usize, threshold: u64) -> Option<usize> {
    // The hash of a length ends with the byte before it.
    let warm = bytes.get(from.checked_sub(WINDOW_BYTES)?..from - 1)?;
    let mut rest = bytes.get(from - 1..to.checked_sub(1)?)?;
    let mut hash = roll_over(0, warm);
    let mut length = from;
    while let Some((block, after)) = rest.split_first_chunk::<{ 3 * LANE_BYTES }>() {
        match skip_block(hash, block, threshold) {
            Some(next) => hash = next,
            None => break,
        }
        length += block.len();
        rest = after;
    }
    for &byte in rest {
        hash = roll(hash, byte);
        if hash < threshold {
            return Some(length);
        }
        length += 1;
    }
    None
}

/// The hash after `block`, or `None` when it is below the threshold somewhere in it.
fn skip_block(hash: u64, block: &[u8; 3 * LANE_BYTES], threshold: u64) -> Option<u64> {
    let (first, rest) = block.split_at(LANE_BYTES);
    let (second, third) = rest.split_at(LANE_BYTES);
    let mut a = hash;
    let mut b = roll_over(0, &first[LANE_BYTES - WINDOW_BYTES..]);
    let mut c = roll_over(0, &second[LANE_BYTES - WINDOW_BYTES..]);
    let first = first.as_chunks::<STEP_BYTES>().0;
    let second = second.as_chunks::<STEP_BYTES>().0;
    let third = third.as_chunks::<STEP_BYTES>().0;
    for ((first, second), third) in first.iter().zip(second).zip(third) {
        for index in 0..STEP_BYTES {
            a = roll(a, first[index]);
            b = roll(b, second[index]);
            c = roll(c, third[index]);
            if a < threshold || b < threshold || c < threshold {
                return None;
            }
        }
    }
    Some(c)
}

fn roll_over(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| roll(hash, byte))
}

#[inline]
fn roll(hash: u64, byte: u8) -> u64 {
    (hash << 1).wrapping_add(GEAR[usize::from(byte)])
}

#[cfg(test)]
mod tests;
