#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths in tests are small"
)]

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use wharf_types::ChunkHash;
use wharf_types::limit::{CHUNK_BYTES_MAX, SEGMENT_BYTES_MAX};

use super::{
    INDEX_ENTRY_BYTES, IndexEntry, MAGIC_START, Segment, SegmentError, SegmentWriter,
    TRAILER_BYTES, Trailer, read_index, read_trailer, scan,
};
use crate::frame::{Codec, FRAME_HEADER_BYTES, Frame, FrameHeader, open};
use crate::testing::{noise, sealed, text};

fn segment(chunks: &[Vec<u8>]) -> (Segment, Vec<u8>) {
    let mut writer = SegmentWriter::default();
    for chunk in chunks {
        writer.add(&sealed(chunk)).unwrap();
    }
    let bytes = writer.bytes();
    let segment = writer.finish();
    let object = segment.parts.concat();
    assert_eq!(segment.bytes, bytes);
    assert_eq!(object.len() as u64, bytes);
    (segment, object)
}

fn index_of(object: &[u8]) -> Result<Vec<IndexEntry>, SegmentError> {
    let trailer = read_trailer(object.len() as u64, object)?;
    let index = trailer.index_range();
    read_index(&trailer, &object[index.start as usize..index.end as usize])
}

fn chunk_at(object: &[u8], entry: &IndexEntry) -> Option<Vec<u8>> {
    let stored = object.get(entry.offset as usize..entry.end() as usize)?;
    open(&entry.header(), stored).ok().map(Cow::into_owned)
}

/// A segment around the given index, with a trailer that vouches for it.
fn forged(frames: &[u8], entries: &[IndexEntry]) -> Vec<u8> {
    let mut index = Vec::new();
    for entry in entries {
        entry.encode_into(&mut index);
    }
    let trailer = Trailer {
        index_offset: frames.len() as u64,
        chunk_count: entries.len() as u32,
        index_hash: *blake3::hash(&index).as_bytes(),
    };
    [frames, &index, &trailer.encode()].concat()
}

fn three_chunks() -> [Vec<u8>; 3] {
    [b"first".to_vec(), text(500), noise(3, 200)]
}

#[test]
fn a_segment_looks_as_it_always_has() {
    let (_, object) = segment(&[b"one".to_vec(), b"three".to_vec()]);
    assert_eq!(
        HEXLOWER.encode(&object),
        "5748524653454731d33fb48ab5adff269ae172b29a6913ff04f6f266207a7a8e976f2ecd571d4492\
        0000000003000000030000006f6e65dbec0e689fb63bd729147727129d854e9d590ab620a18bbbcb\
        3317d268d6fd720000000005000000050000007468726565d33fb48ab5adff269ae172b29a6913ff\
        04f6f266207a7a8e976f2ecd571d44923400000000000000030000000300000000000000dbec0e68\
        9fb63bd729147727129d854e9d590ab620a18bbbcb3317d268d6fd72630000000000000005000000\
        050000000000000068000000000000000200000001000000fcb81e4b4d024fa102050fe7e766006e\
        0692f6473f68d6f938e16d0be5eae77057485246454e4431"
    );
    let (_, empty) = segment(&[]);
    assert_eq!(
        HEXLOWER.encode(&empty),
        "574852465345473108000000000000000000000001000000af1349b9f5f9a1a6a0404dea36dcc949\
         9bcb25c9adc112b7cc9a93cae41f326257485246454e4431"
    );
}

#[test]
fn a_full_segment_takes_no_more() {
    let frame = sealed(&noise(1, CHUNK_BYTES_MAX));
    let mut writer = SegmentWriter::default();
    let mut count = 0;
    while writer.add(&frame).is_ok() {
        count += 1;
    }
    assert_eq!(writer.chunk_count(), count);
    let before = writer.bytes();
    assert_eq!(writer.add(&frame), Err(SegmentError::Full));
    assert_eq!(writer.bytes(), before);
    let segment = writer.finish();
    assert!(segment.bytes <= SEGMENT_BYTES_MAX);
    assert!(segment.bytes + CHUNK_BYTES_MAX as u64 > SEGMENT_BYTES_MAX - 200);
    assert!(
        segment
            .parts
            .iter()
            .any(|part| part.as_ptr() == frame.stored.as_ptr())
    );
}

#[test]
fn a_segment_cut_at_any_byte_gives_back_what_is_whole() {
    let (segment, object) = segment(&three_chunks());
    for cut in 0..object.len() {
        let rest = &object[..cut];
        assert!(index_of(rest).is_err(), "cut at {cut}");
        let whole = segment
            .entries
            .iter()
            .filter(|entry| entry.end() <= cut as u64)
            .count();
        assert_eq!(scan(rest).entries, segment.entries[..whole], "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_is_noticed_where_it_matters() {
    let (segment, object) = segment(&three_chunks());
    let index_offset = read_trailer(object.len() as u64, &object)
        .unwrap()
        .index_offset as usize;
    let chunks = three_chunks();
    for bit in 0..object.len() * 8 {
        let mut flipped = object.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match index_of(&flipped) {
            Err(_) => assert!(bit / 8 >= index_offset),
            Ok(entries) => {
                assert!(
                    bit / 8 < index_offset,
                    "bit {bit} of index or trailer went unnoticed"
                );
                assert_eq!(entries, segment.entries);
            }
        }
        let mut lost = 0;
        for (entry, chunk) in segment.entries.iter().zip(&chunks) {
            match chunk_at(&flipped, entry) {
                Some(bytes) => assert_eq!(&bytes, chunk),
                None => lost += 1,
            }
        }
        assert!(lost <= 1);
        let found = scan(&flipped).entries;
        assert!(
            found.len() >= 2 && found.iter().all(|entry| segment.entries.contains(entry)),
            "bit {bit}"
        );
    }
}

#[test]
fn a_whole_segment_has_no_damage_and_a_torn_one_says_where() {
    let (segment, object) = segment(&three_chunks());
    let scanned = scan(&object);
    assert_eq!(scanned.entries, segment.entries);
    assert_eq!(scanned.damaged, []);

    let second = segment.entries[1];
    let mut torn = object.clone();
    let start = second.offset as usize - FRAME_HEADER_BYTES;
    torn[start..second.offset as usize + 10].fill(0);
    let scanned = scan(&torn);
    assert_eq!(scanned.entries, [segment.entries[0], segment.entries[2]]);
    assert_eq!(
        scanned.damaged,
        vec![Range {
            start: start as u64,
            end: second.end()
        }]
    );
}

#[test]
fn frames_are_found_without_either_end() {
    let (segment, object) = segment(&three_chunks());
    let first = segment.entries[0].end() as usize;
    let last = segment.entries[2].end() as usize;
    let middle = &object[first - 1..last + 7];
    let scanned = scan(middle);
    let moved = segment.entries[1..].iter().map(|entry| IndexEntry {
        offset: entry.offset - first as u64 + 1,
        ..*entry
    });
    assert_eq!(scanned.entries, moved.collect::<Vec<_>>());
    assert_eq!(
        scanned.damaged,
        [0..1, middle.len() as u64 - 7..middle.len() as u64]
    );
}

#[test]
fn a_scan_of_many_false_headers_ends() {
    // Each header claims a chunk of the greatest length: verifying all of them would hash 200 GB.
    let bytes = CHUNK_BYTES_MAX as u32;
    let header = FrameHeader {
        hash: ChunkHash::of(b""),
        codec: Codec::Raw,
        stored_bytes: bytes,
        bytes,
    };
    let hostile = header.encode().repeat(6 * 1024 * 1024 / FRAME_HEADER_BYTES);
    let scanned = scan(&hostile);
    assert_eq!(scanned.entries, []);
    assert_eq!(
        scanned.damaged,
        vec![Range {
            start: 0,
            end: hostile.len() as u64
        }]
    );
}

#[test]
fn highly_compressed_chunks_do_not_use_up_the_effort_of_a_scan() {
    let chunks: Vec<_> = (0..20).map(|byte| vec![byte; CHUNK_BYTES_MAX]).collect();
    let (segment, mut object) = segment(&chunks);
    assert!(object.len() < 100_000);
    object.pop();
    assert_eq!(scan(&object).entries, segment.entries);
}

#[test]
fn an_index_that_cannot_be_is_refused_though_its_hash_is_right() {
    let (segment, object) = segment(&three_chunks());
    let end = segment.entries[2].end() as usize;
    let frames = &object[..end];
    assert_eq!(
        index_of(&forged(frames, &segment.entries)),
        Ok(segment.entries.clone())
    );

    let mut gap = segment.entries.clone();
    gap.remove(1);
    assert_eq!(
        index_of(&forged(frames, &gap)),
        Err(SegmentError::Entry { index: 1 })
    );
    let mut short = segment.entries.clone();
    short.pop();
    assert_eq!(
        index_of(&forged(frames, &short)),
        Err(SegmentError::Entry { index: 2 })
    );
    let mut overlong = segment.entries.clone();
    overlong[2].bytes += 1;
    assert_eq!(
        index_of(&forged(frames, &overlong)),
        Err(SegmentError::Entry { index: 2 })
    );
    let mut outside = segment.entries.clone();
    outside[0].offset = u64::MAX;
    assert_eq!(
        index_of(&forged(frames, &outside)),
        Err(SegmentError::Entry { index: 0 })
    );
}

#[test]
fn each_part_of_the_trailer_is_checked() {
    let (_, object) = segment(&three_chunks());
    let length = object.len() as u64;
    let trailer_at = object.len() - TRAILER_BYTES;
    let changed = |at: usize| {
        let mut changed = object.clone();
        changed[at] ^= 1;
        index_of(&changed)
    };
    assert_eq!(
        changed(trailer_at),
        Err(SegmentError::Layout { bytes: length })
    );
    assert_eq!(
        changed(trailer_at + 8),
        Err(SegmentError::Layout { bytes: length })
    );
    assert_eq!(
        changed(trailer_at + 12),
        Err(SegmentError::Version { version: 0 })
    );
    assert_eq!(changed(trailer_at + 16), Err(SegmentError::IndexHash));
    assert_eq!(changed(object.len() - 1), Err(SegmentError::Magic));
    assert_eq!(
        read_trailer(length - 1, &object),
        Err(SegmentError::Layout { bytes: length - 1 })
    );
    assert_eq!(
        read_trailer(63, &object),
        Err(SegmentError::Truncated { bytes: 63 })
    );
    assert_eq!(
        read_trailer(length, &object[trailer_at + 1..]),
        Err(SegmentError::Truncated {
            bytes: TRAILER_BYTES as u64 - 1
        })
    );
    let trailer = read_trailer(length, &object[trailer_at..]).unwrap();
    assert_eq!(
        read_index(
            &trailer,
            &object[trailer_at - INDEX_ENTRY_BYTES..trailer_at]
        ),
        Err(SegmentError::Truncated {
            bytes: INDEX_ENTRY_BYTES as u64
        })
    );
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..100),
        (any::<u64>(), 1_usize..100_000).prop_map(|(seed, count)| noise(seed, count)),
        (1_usize..100_000).prop_map(text),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_segment_is_read_back(chunks in proptest::collection::vec(chunk(), 0..12)) {
        let (segment, object) = segment(&chunks);
        assert_eq!(index_of(&object).unwrap(), segment.entries);
        let read: Vec<_> = segment.entries.iter().map(|entry| chunk_at(&object, entry).unwrap()).collect();
        assert_eq!(read, chunks);
        for entry in &segment.entries {
            let start = entry.offset as usize - FRAME_HEADER_BYTES;
            assert_eq!(object[start..][..FRAME_HEADER_BYTES], entry.header().encode());
        }
    }

    #[test]
    fn a_scan_loses_only_what_the_damage_touches(
        chunks in proptest::collection::vec(chunk(), 1..8),
        from in any::<proptest::sample::Index>(),
        length in 1_usize..10_000,
    ) {
        let (segment, mut object) = segment(&chunks);
        let from = from.index(object.len());
        let to = (from + length).min(object.len());
        for byte in &mut object[from..to] {
            *byte = !*byte;
        }
        let found = scan(&object).entries;
        for entry in &segment.entries {
            let start = entry.offset as usize - FRAME_HEADER_BYTES;
            let is_touched = start < to && from < entry.end() as usize;
            assert!(is_touched || found.contains(entry));
        }
        assert!(found.iter().all(|entry| segment.entries.contains(entry)));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(mut object in proptest::collection::vec(any::<u8>(), 0..400)) {
        assert!(index_of(&object).is_err());
        assert_eq!(scan(&object).entries, []);
        object.splice(0..0, *MAGIC_START);
        assert_eq!(scan(&object).entries, []);
    }
}

#[test]
fn a_frame_comes_out_as_it_went_in() {
    let frame = sealed(&text(5000));
    let mut writer = SegmentWriter::default();
    writer.add(&frame).unwrap();
    let segment = writer.finish();
    let entry = segment.entries[0];
    let object = Bytes::from(segment.parts.concat());
    let stored = object.slice(entry.offset as usize..entry.end() as usize);
    assert_eq!(
        Frame {
            header: entry.header(),
            stored
        },
        frame
    );
}
