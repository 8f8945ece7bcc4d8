//! The packed form of a block: the first document, then the distance of each from the one before, as LEB128.

use crate::sql::{Error, Result};

/// Packs documents, which ascend.
pub fn pack(docs: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(docs.len() * 4 + 8);
    let mut before = 0;
    for doc in docs {
        push(&mut bytes, doc.wrapping_sub(before));
        before = *doc;
    }
    bytes
}

/// Reads what [`pack`] made.
///
/// # Errors
/// `Corrupt` if it did not.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u64>> {
    let mut docs = Vec::with_capacity(bytes.len() / 4 + 1);
    let (mut doc, mut distance, mut shift) = (0_u64, 0_u64, 0_u32);
    for byte in bytes {
        let bits = u64::from(byte & 0x7f);
        if shift > 63 || (shift == 63 && bits > 1) {
            return Err(damaged());
        }
        distance |= bits << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let next = doc.checked_add(distance).ok_or_else(damaged)?;
            if next == doc && !docs.is_empty() {
                return Err(damaged());
            }
            docs.push(next);
            (doc, distance, shift) = (next, 0, 0);
        }
    }
    if shift != 0 {
        return Err(damaged());
    }
    Ok(docs)
}

/// How many bytes the packed distance takes.
pub(super) fn packed_bytes(distance: u64) -> usize {
    (64 - distance.leading_zeros()).max(1).div_ceil(7) as usize
}

fn push(bytes: &mut Vec<u8>, mut distance: u64) {
    while distance >= 0x80 {
        bytes.push((distance & 0x7f) as u8 | 0x80);
        distance >>= 7;
    }
    bytes.push((distance & 0x7f) as u8);
}

fn damaged() -> Error {
    Error::corrupt("a block of the search's index")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_unpacks(docs in prop::collection::btree_set(0..u64::MAX, 0..300)) {
            let docs: Vec<u64> = docs.into_iter().collect();
            let packed = pack(&docs);
            prop_assert_eq!(unpack(&packed).unwrap(), docs.clone());
            let mut before = 0;
            let mut bytes = 0;
            for doc in docs {
                bytes += packed_bytes(doc - before);
                before = doc;
            }
            prop_assert_eq!(bytes, packed.len());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(docs) = unpack(&bytes) {
                prop_assert!(docs.is_sorted_by(|before, after| before < after));
            }
        }
    }
}
