#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths in tests are small"
)]

use data_encoding::HEXLOWER;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use wharf_types::ChunkHash;
use wharf_types::limit::{CHUNK_BYTES_MAX, FILE_BYTES_MAX, MANIFEST_CHUNKS_MAX};

use super::{
    InvalidManifest, Manifest, ManifestChunk, Span, content_of_packed, from_base64, to_base64,
};

fn chunk(bytes: u32) -> ManifestChunk {
    ManifestChunk {
        hash: ChunkHash::of(&bytes.to_le_bytes()),
        bytes,
    }
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let chunk =
        (any::<[u8; 32]>(), 1..=CHUNK_BYTES_MAX as u32).prop_map(|(hash, bytes)| ManifestChunk {
            hash: ChunkHash::from_bytes(hash),
            bytes,
        });
    proptest::collection::vec(chunk, 0..20).prop_map(|chunks| Manifest { chunks })
}

#[test]
fn the_packed_form_is_as_it_always_was() {
    let manifest = Manifest {
        chunks: vec![
            ManifestChunk {
                hash: ChunkHash::of(b"one"),
                bytes: 3,
            },
            ManifestChunk {
                hash: ChunkHash::of(b"three"),
                bytes: 5,
            },
        ],
    };
    assert_eq!(
        HEXLOWER.encode(&manifest.pack()),
        "0102000000d33fb48ab5adff269ae172b29a6913ff04f6f266207a7a8e976f2ecd571d4492030000\
        00dbec0e689fb63bd729147727129d854e9d590ab620a18bbbcb3317d268d6fd7205000000"
    );
    assert_eq!(
        manifest.content().to_string(),
        "9677d0e0b029cbccbed5cc8099ca2330dd570bfddc2604c8aae5a63307862682"
    );
    assert_eq!(HEXLOWER.encode(&Manifest::default().pack()), "0100000000");
    assert_eq!(
        Manifest::default().content().to_string(),
        "7784b17d1d8ff658cfe8f0e111316a964c95233a486ccbdfaf86539c9e3e3a30"
    );
}

#[test]
fn bounds_are_kept() {
    let unpack = |chunks: Vec<ManifestChunk>| Manifest::unpack(&Manifest { chunks }.pack());
    let max = CHUNK_BYTES_MAX as u32;
    assert!(unpack(vec![chunk(1), chunk(max)]).is_ok());
    for bytes in [0, max + 1, u32::MAX] {
        let error = InvalidManifest::ChunkBytes { index: 1, bytes };
        assert_eq!(unpack(vec![chunk(1), chunk(bytes)]), Err(error));
    }
    let largest = usize::try_from(FILE_BYTES_MAX).unwrap() / CHUNK_BYTES_MAX;
    assert!(unpack(vec![chunk(max); largest]).is_ok());
    assert_eq!(
        unpack(vec![chunk(max); largest + 1]),
        Err(InvalidManifest::FileTooLarge)
    );
    let longest = Manifest {
        chunks: vec![chunk(1); MANIFEST_CHUNKS_MAX],
    }
    .pack();
    assert!(Manifest::unpack(&longest).is_ok());
    let count = MANIFEST_CHUNKS_MAX as u64 + 1;
    assert_eq!(
        unpack(vec![chunk(1); MANIFEST_CHUNKS_MAX + 1]),
        Err(InvalidManifest::TooManyChunks { count })
    );
}

#[test]
fn a_claimed_count_allocates_nothing() {
    let claim = [1, 0, 0, 16, 0];
    assert_eq!(
        Manifest::unpack(&claim),
        Err(InvalidManifest::Truncated { bytes: 5 })
    );
}

#[test]
fn other_versions_are_refused() {
    assert_eq!(
        Manifest::unpack(&[2, 0, 0, 0, 0]),
        Err(InvalidManifest::Version { version: 2 })
    );
}

#[test]
fn base64_is_the_standard_one_with_padding() {
    assert_eq!(to_base64(&[0xfb, 0xff]), "+/8=");
    assert_eq!(from_base64("+/8="), Ok(vec![0xfb, 0xff]));
    for text in ["-_8=", "+/8", "+/8=\n", "+/9=", "+/8=+/8="] {
        assert!(
            matches!(from_base64(text), Err(InvalidManifest::Base64 { .. })),
            "{text:?}"
        );
    }
}

#[test]
fn a_span_covers_what_the_range_and_the_file_share() {
    let manifest = Manifest {
        chunks: vec![chunk(10), chunk(20), chunk(30)],
    };
    let spans = |range| manifest.spans(range);
    assert_eq!(
        spans(0..10),
        [Span {
            index: 0,
            offset_bytes: 0,
            bytes: 10
        }]
    );
    assert_eq!(
        spans(9..31),
        [
            Span {
                index: 0,
                offset_bytes: 9,
                bytes: 1
            },
            Span {
                index: 1,
                offset_bytes: 0,
                bytes: 20
            },
            Span {
                index: 2,
                offset_bytes: 0,
                bytes: 1
            },
        ]
    );
    assert_eq!(
        spans(59..u64::MAX),
        [Span {
            index: 2,
            offset_bytes: 29,
            bytes: 1
        }]
    );
    assert_eq!(spans(10..10), []);
    assert_eq!(spans(60..70), []);
}

proptest! {
    #[test]
    fn a_manifest_is_unpacked_as_it_was_packed(manifest in manifests()) {
        let packed = manifest.pack();
        prop_assert_eq!(Manifest::unpack(&packed), Ok(manifest.clone()));
        prop_assert_eq!(content_of_packed(&packed), manifest.content());
        prop_assert_eq!(from_base64(&to_base64(&packed)), Ok(packed));
    }

    #[test]
    fn a_packed_manifest_cut_short_or_made_longer_is_refused(manifest in manifests(), byte in any::<u8>()) {
        let mut packed = manifest.pack();
        for cut in 0..packed.len() {
            prop_assert_eq!(
                Manifest::unpack(&packed[..cut]),
                Err(InvalidManifest::Truncated { bytes: cut })
            );
        }
        let at = packed.len();
        packed.push(byte);
        prop_assert_eq!(Manifest::unpack(&packed), Err(InvalidManifest::TrailingBytes { at }));
    }

    #[test]
    fn there_is_one_packed_form(bytes in proptest::collection::vec(any::<u8>(), 0..100), count in 0..3_u8) {
        let packed = [&[1, count, 0, 0, 0], bytes.as_slice()].concat();
        if let Ok(manifest) = Manifest::unpack(&packed) {
            prop_assert_eq!(manifest.pack(), packed);
        }
    }

    #[test]
    fn spans_add_up_to_the_range(manifest in manifests(), from in 0..80_000_000_u64, length in 0..80_000_000_u64) {
        let spans = manifest.spans(from..from + length);
        let file_bytes = manifest.bytes();
        let expected = (from + length).min(file_bytes).saturating_sub(from);
        prop_assert_eq!(spans.iter().map(|span| u64::from(span.bytes)).sum::<u64>(), expected);
        let starts: Vec<u64> = manifest.chunks.iter().scan(0, |end, chunk| {
            let start = *end;
            *end += u64::from(chunk.bytes);
            Some(start)
        }).collect();
        let mut at = from;
        for span in spans {
            prop_assert_eq!(starts[span.index] + u64::from(span.offset_bytes), at);
            at += u64::from(span.bytes);
        }
    }
}
