//! Cuts files into chunks where their content says so (FastCDC in its 2020 form).
//!
//! Where a cut falls depends only on the bytes around it, so a change inside a file moves only the cuts near it. Cut
//! points name content: any change to the table, the masks or the bounds would make every stored file look new, so
//! they are frozen by golden tests.

use wharf_types::limit::CHUNK_BYTES_MAX;

/// Returns the length of the first chunk of `bytes`, 0 when there are none.
///
/// `bytes` must reach either to the end of the file or at least [`CHUNK_BYTES_MAX`] far; a shorter view of a file
/// that goes on would be cut in the wrong place.
pub fn chunk_bytes(bytes: &[u8]) -> usize {
    bytes.len().min(CHUNK_BYTES_MAX)
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
