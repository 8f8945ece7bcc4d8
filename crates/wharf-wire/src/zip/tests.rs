//! The format byte for byte; that other programs read it is tested where the door is.

use super::{Entry, Kind, Length, Writer, dos_time};

fn entry(path: &str, kind: Kind, bytes: u64) -> Entry {
    Entry {
        path: path.to_owned(),
        kind,
        bytes,
        mtime_s: 1_790_000_000,
    }
}

fn length(entries: &[(Entry, Vec<u8>)]) -> u64 {
    let mut length = Length::default();
    for (entry, _) in entries {
        length.add(entry);
    }
    length.total()
}

fn archive(entries: &[(Entry, Vec<u8>)], piece_bytes: usize) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut out = Vec::new();
    for (entry, content) in entries {
        out.extend(writer.begin(entry.clone()));
        for piece in content.chunks(piece_bytes) {
            writer.push(piece, &mut out).unwrap();
        }
        writer.end(&mut out).unwrap();
    }
    out.extend(writer.finish());
    out
}

#[test]
fn the_length_is_known_beforehand_and_pieces_do_not_matter() {
    let sizes: [usize; 8] = [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 200_000];
    let entries: Vec<_> = sizes
        .iter()
        .map(|size| {
            let path = format!("dir/{size}.bin");
            (entry(&path, Kind::File, *size as u64), vec![7; *size])
        })
        .chain([(entry("dir/", Kind::Folder, 0), Vec::new())])
        .collect();
    let whole = archive(&entries, usize::MAX);
    assert_eq!(length(&entries), whole.len() as u64);
    assert!(archive(&entries, 1000) == whole);
    assert!(archive(&entries, 65_536) == whole);
}

#[test]
fn content_of_another_length_is_an_error() {
    let mut out = Vec::new();
    let mut writer = Writer::default();
    writer.begin(entry("a", Kind::File, 3));
    writer.push(b"ab", &mut out).unwrap();
    assert!(writer.push(b"cd", &mut out).is_err());
    assert!(writer.end(&mut out).is_err());
    assert!(writer.push(b"x", &mut out).is_err());
}

#[test]
fn many_entries_and_long_files_take_wide_fields() {
    let few: Vec<_> = (0..65_534)
        .map(|number| (entry(&number.to_string(), Kind::Folder, 0), Vec::new()))
        .collect();
    let narrow = archive(&few, 1);
    assert_eq!(length(&few), narrow.len() as u64);
    let many: Vec<_> = few
        .into_iter()
        .chain([(entry("one more", Kind::Folder, 0), Vec::new())])
        .collect();
    let wide = archive(&many, 1);
    assert_eq!(length(&many), wide.len() as u64);
    assert_eq!(
        wide.len() - narrow.len(),
        76 + 76 + 2 * "one more".len() + 2 * 9
    );
    let long = entry("long", Kind::File, 5 << 30);
    let after = entry("after", Kind::File, 1);
    let blocks = (5_u64 << 30).div_ceil(65_535);
    let packed = (5 << 30) + 5 * blocks;
    assert_eq!(
        length(&[(long, Vec::new()), (after, Vec::new())]),
        // Local parts, the directory's two wide lines, and the wide end.
        (30 + 4 + 9 + 20 + packed + 24)
            + (30 + 5 + 9 + 6 + 16)
            + (46 + 4 + 9 + 28)
            + (46 + 5 + 9 + 28)
            + 76
            + 22
    );
}

#[test]
fn times_of_other_centuries_are_cut_to_what_the_format_has() {
    assert_eq!(dos_time(0), 0x0021_0000);
    assert_eq!(dos_time(i64::MIN), dos_time(0));
    assert_eq!(dos_time(i64::MAX), dos_time(4_354_819_199));
    // 2024-02-29 23:59:58: 44 years, month 2, day 29; 23, 59, and 29 pairs of seconds.
    assert_eq!(dos_time(1_709_251_198), 0x585d_bf7d);
}
