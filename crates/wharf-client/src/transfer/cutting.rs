//! From bytes to chunks and contents.

use std::os::fd::AsFd;

use rustix::io::Errno;
use wharf_types::limit::CHUNK_BYTES_MAX;
use wharf_types::{ChunkHash, ContentHash};
use wharf_wire::cut;
use wharf_wire::manifest::{Manifest, ManifestChunk};

/// How much of a file is held at a time where it is only looked at.
const LOOK_BYTES: usize = 2 * CHUNK_BYTES_MAX;

/// Adds the lengths of those chunks that what follows cannot change, and returns how far they reach.
pub(crate) fn push_sure_chunks(chunk_bytes: &mut Vec<u32>, bytes: &[u8], is_end: bool) -> usize {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = cut::chunk_bytes(rest);
        let is_sure = is_end || length < rest.len() || length == CHUNK_BYTES_MAX;
        if !is_sure {
            break;
        }
        chunk_bytes.push(u32::try_from(length).unwrap_or(u32::MAX));
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes.len() - rest.len()
}

/// Names the chunks whose lengths are `chunk_bytes` and which follow each other in `bytes`.
pub(crate) fn name_chunks(bytes: &[u8], chunk_bytes: &[u32]) -> Vec<ManifestChunk> {
    let mut rest = bytes;
    chunk_bytes
        .iter()
        .filter_map(|length| {
            let chunk;
            (chunk, rest) = rest.split_at_checked(*length as usize)?;
            Some(ManifestChunk {
                hash: ChunkHash::of(chunk),
                bytes: *length,
            })
        })
        .collect()
}

/// The content that `bytes` are.
pub(crate) fn content_of(bytes: &[u8]) -> ContentHash {
    let mut chunk_bytes = Vec::new();
    push_sure_chunks(&mut chunk_bytes, bytes, true);
    let chunks = name_chunks(bytes, &chunk_bytes);
    Manifest { chunks }.content()
}

/// The content of an open file, read from where it stands.
pub(crate) fn content_of_file(file: impl AsFd) -> Result<ContentHash, Errno> {
    let mut buffer = vec![0; LOOK_BYTES];
    let mut carried_bytes = 0;
    let mut chunks = Vec::new();
    loop {
        let room = buffer.get_mut(carried_bytes..).unwrap_or_default();
        let wanted = room.len();
        let read_bytes = read_full(&file, room)?;
        let is_end = read_bytes < wanted;
        let filled = buffer.get(..carried_bytes + read_bytes).unwrap_or_default();
        let mut chunk_bytes = Vec::new();
        let cut_bytes = push_sure_chunks(&mut chunk_bytes, filled, is_end);
        chunks.extend(name_chunks(filled, &chunk_bytes));
        if is_end {
            return Ok(Manifest { chunks }.content());
        }
        carried_bytes = filled.len() - cut_bytes;
        buffer.copy_within(cut_bytes.., 0);
    }
}

/// Reads until the room is full or the file ends.
pub(crate) fn read_full(file: impl AsFd, room: &mut [u8]) -> Result<usize, Errno> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(&file, rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use wharf_types::limit::CHUNK_BYTES_MAX;
    use wharf_wire::cut;

    use super::{LOOK_BYTES, content_of, content_of_file, push_sure_chunks};

    fn noise(bytes: usize) -> Vec<u8> {
        let mut noise = vec![0; bytes];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        noise
    }

    #[test]
    fn stretches_are_cut_where_the_whole_file_is() {
        let file = noise(5 * LOOK_BYTES / 2);
        let whole: Vec<u32> = cut::chunks(&file)
            .map(|chunk| chunk.len().try_into().unwrap())
            .collect();
        let mut stretches = Vec::new();
        let mut start = 0;
        for end in (0..file.len()).step_by(CHUNK_BYTES_MAX / 13) {
            let end = end.max(start);
            start += push_sure_chunks(&mut stretches, &file[start..end], false);
        }
        push_sure_chunks(&mut stretches, &file[start..], true);
        assert_eq!(stretches, whole);
    }

    #[test]
    fn a_file_has_the_content_of_its_bytes() {
        for bytes in [0, 1, 300_000, LOOK_BYTES, 2 * LOOK_BYTES + 17] {
            let temp = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(temp.path(), noise(bytes)).unwrap();
            let file = File::open(temp.path()).unwrap();
            assert_eq!(content_of_file(&file).unwrap(), content_of(&noise(bytes)));
        }
    }
}
