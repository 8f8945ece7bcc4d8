use std::collections::HashSet;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use wharf_types::ChunkHash;
use wharf_types::limit::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN};

use super::{LENIENT, NORMAL_BYTES, STRICT, WINDOW_BYTES, chunk_bytes, chunks, roll};
use crate::testing::noise;

const MIB: usize = 1024 * 1024;

fn lengths(bytes: &[u8]) -> Vec<usize> {
    chunks(bytes).map(<[u8]>::len).collect()
}

/// What the module says, word for word and without haste: the hash of each length is made anew from its window.
fn chunk_bytes_by_definition(bytes: &[u8]) -> usize {
    let end = bytes.len().min(CHUNK_BYTES_MAX);
    (CHUNK_BYTES_MIN..end)
        .find(|&length| {
            let window = &bytes[length - WINDOW_BYTES..length];
            let hash = window.iter().fold(0, |hash, &byte| roll(hash, byte));
            hash < if length < NORMAL_BYTES {
                STRICT
            } else {
                LENIENT
            }
        })
        .unwrap_or(end)
}

#[test]
fn cuts_are_where_they_have_always_been() {
    // Frozen: a change here makes every stored file look new.
    assert_eq!(
        lengths(&noise(1, 12 * MIB)),
        [
            820_584, 1_200_986, 1_094_522, 616_834, 1_096_877, 915_379, 868_424, 981_905, 854_062,
            1_056_993, 1_074_184, 1_203_762, 798_400
        ]
    );
    assert_eq!(
        lengths(&noise(2, 12 * MIB)),
        [
            1_112_619, 948_562, 1_024_763, 1_381_544, 1_443_512, 1_067_611, 472_927, 1_320_456,
            1_185_336, 1_143_125, 876_858, 605_599
        ]
    );
    let text: Vec<u8> = (0_u32..900_000)
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect();
    assert_eq!(
        lengths(&text),
        [1_779_268, 1_252_348, 884_596, 930_195, 862_827, 479_656]
    );
}

#[test]
fn thresholds_are_powers_of_two() {
    assert_eq!(STRICT, 1 << (64 - 22));
    assert_eq!(LENIENT, 1 << (64 - 18));
}

#[test]
fn short_files_are_one_chunk_and_empty_ones_none() {
    assert_eq!(lengths(&[]), [0; 0]);
    assert_eq!(lengths(&[7]), [1]);
    assert_eq!(lengths(&noise(3, CHUNK_BYTES_MIN)), [CHUNK_BYTES_MIN]);
}

#[test]
fn bytes_that_never_change_are_cut_at_the_greatest_length() {
    for byte in [0, b' ', 0xff] {
        let bytes = vec![byte; 9 * MIB];
        assert_eq!(lengths(&bytes), [CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, MIB]);
    }
}

#[test]
fn random_bytes_are_cut_around_the_average() {
    let bytes = noise(4, 128 * MIB);
    let count = lengths(&bytes).len();
    assert!((112..=144).contains(&count), "{count} chunks in 128 MiB");
}

#[test]
fn every_window_length_gives_the_same_first_chunk_once_it_is_long_enough() {
    let bytes = noise(5, 6 * MIB);
    let whole = chunk_bytes(&bytes);
    assert!(whole < CHUNK_BYTES_MAX);
    for length in [whole + 1, whole + 2, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1] {
        assert_eq!(chunk_bytes(&bytes[..length]), whole);
    }
}

/// A file with stretches of noise, of repeated text and of zeros.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let stretch = prop_oneof![
        (any::<u64>(), 1..2 * MIB).prop_map(|(seed, count)| noise(seed, count)),
        (any::<u16>(), 1..MIB).prop_map(|(word, count)| {
            let word = format!("{word} ");
            word.bytes().cycle().take(count).collect()
        }),
        (1..MIB).prop_map(|count| vec![0; count]),
        Just(Vec::new()),
    ];
    proptest::collection::vec(stretch, 0..5).prop_map(|stretches| stretches.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_fast_scan_cuts_where_the_definition_does(bytes in file()) {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = chunk_bytes(rest);
            assert_eq!(length, chunk_bytes_by_definition(rest));
            rest = &rest[length..];
        }
    }

    #[test]
    fn a_cut_inside_a_shorter_view_stands(bytes in file(), view in any::<proptest::sample::Index>()) {
        let view = view.index(bytes.len() + 1);
        let length = chunk_bytes(&bytes[..view]);
        assert!(length == view || length == chunk_bytes(&bytes));
    }

    #[test]
    fn chunks_are_within_bounds_and_make_up_the_file(bytes in file()) {
        let lengths = lengths(&bytes);
        assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
        for (index, &length) in lengths.iter().enumerate() {
            assert!((1..=CHUNK_BYTES_MAX).contains(&length));
            assert!(length >= CHUNK_BYTES_MIN || index + 1 == lengths.len());
        }
    }

    #[test]
    fn a_small_change_moves_only_the_chunks_around_it(
        seed in any::<u64>(), at in 0..16 * MIB, removed in 0_usize..300, inserted in 0_usize..300,
    ) {
        let before = noise(seed, 16 * MIB);
        let mut after = before.clone();
        let end = (at + removed).min(after.len());
        after.splice(at..end, noise(seed ^ 1, inserted));
        let known: HashSet<_> = chunks(&before).map(ChunkHash::of).collect();
        let new: usize =
            chunks(&after).filter(|chunk| !known.contains(&ChunkHash::of(chunk))).map(<[u8]>::len).sum();
        assert!(new <= 8 * MIB, "{new} bytes to send again");
    }
}

#[test]
fn a_byte_inserted_at_the_front_moves_the_first_chunks_only() {
    for seed in 0..20 {
        let before = noise(seed, 16 * MIB);
        let after = [&[0], before.as_slice()].concat();
        let known: HashSet<_> = chunks(&before).map(ChunkHash::of).collect();
        let new: Vec<_> = chunks(&after)
            .map(|chunk| !known.contains(&ChunkHash::of(chunk)))
            .collect();
        let last_new = new.iter().rposition(|is_new| *is_new).unwrap();
        assert!(new[0] && last_new <= 6, "{new:?}");
    }
}
