#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths in tests are small"
)]

use bytes::Bytes;
use data_encoding::HEXLOWER;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use wharf_types::ChunkHash;
use wharf_types::limit::CHUNK_BYTES_MAX;

use super::{
    Absence, Answer, Codec, FRAME_HEADER_BYTES, Frame, FrameDecoder, FrameError, FrameHeader,
    FrameWriter, open,
};
use crate::testing::{noise, sealed, text};

fn written(frames: &[Frame]) -> Vec<u8> {
    let mut writer = FrameWriter::default();
    for frame in frames {
        writer.push(frame);
    }
    let bytes = writer.bytes();
    let stream = writer.finish().concat();
    assert_eq!(stream.len() as u64, bytes);
    stream
}

fn decoded(stream: &[u8]) -> Result<Vec<Frame>, FrameError> {
    let mut decoder = FrameDecoder::default();
    decoder.push(Bytes::copy_from_slice(stream));
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame);
    }
    decoder.end()?;
    Ok(frames)
}

fn header(codec: Codec, stored_bytes: u32, bytes: u32) -> FrameHeader {
    FrameHeader {
        hash: ChunkHash::of(b""),
        codec,
        stored_bytes,
        bytes,
    }
}

#[test]
fn a_frame_looks_as_it_always_has() {
    assert_eq!(
        HEXLOWER.encode(&written(&[sealed(b"hello, wharf")])),
        "a379bf2d717ce6905640ebccdf325fbd5fe9db83a778f6832f3c61119482fbd9000000000c000000\
        0c00000068656c6c6f2c207768617266"
    );
}

#[test]
fn a_compressed_frame_of_the_first_release_is_still_read() {
    // The compressor may change with its library; what it once wrote must be read for ever.
    let stream = HEXLOWER
        .decode(
            b"1d82edd9f6e4b5bae687cd6a3a307c2390e8086188942dac99b0b6285d1951fc0100000089000000\
          9001000028b52ffd609000fd030012840b10b0351dcfd961ea586bb64999ba5a31c7548294b66ddb\
          96244992fcffff6ddbb60d420094f20d73a80419e650053120a093d20159f2cd2c4bbe9965c937b3\
          2cf9669625dfccb2e49b59967c33cb926f6659f2cd2c4bbe6536914552be88cc206579c8e728b386\
          2c8cf22de450901b6cc871830d396e3034040dff0b",
        )
        .unwrap();
    let frames = decoded(&stream).unwrap();
    assert_eq!(frames[0].header.codec, Codec::Zstd);
    assert_eq!(frames[0].open().unwrap(), text(400));
}

#[test]
fn an_absent_chunk_is_answered_by_a_header_alone() {
    let mut writer = FrameWriter::default();
    let hash = ChunkHash::of(b"lost");
    writer.push_absent(hash, Absence::Missing);
    writer.push_absent(hash, Absence::Corrupt);
    let stream = Bytes::from(writer.finish().concat());
    assert_eq!(stream.len(), 2 * FRAME_HEADER_BYTES);
    let mut decoder = FrameDecoder::default();
    decoder.push(stream.clone());
    for absence in [Absence::Missing, Absence::Corrupt] {
        assert_eq!(
            decoder.next_answer(),
            Ok(Some(Answer::Absent { hash, absence }))
        );
    }
    assert_eq!(decoder.next_answer(), Ok(None));
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(decoded(&stream), Err(FrameError::Codec { codec: 255 }));
}

#[test]
fn compression_is_kept_only_where_it_pays() {
    const MIB: usize = 1024 * 1024;
    let mixed = [noise(1, 500_000), text(MIB)].concat();
    assert_eq!(sealed(&text(MIB)).header.codec, Codec::Zstd);
    assert_eq!(sealed(&text(4096)).header.codec, Codec::Zstd);
    assert_eq!(sealed(&mixed).header.codec, Codec::Zstd);
    assert_eq!(sealed(&noise(1, MIB)).header.codec, Codec::Raw);
    assert_eq!(sealed(&noise(1, 4096)).header.codec, Codec::Raw);
    assert_eq!(sealed(b"short").header.codec, Codec::Raw);
}

#[test]
fn raw_chunks_are_shared_and_not_copied() {
    let chunk = Bytes::from(noise(2, 300_000));
    let frame = Frame::seal(ChunkHash::of(&chunk), chunk.clone());
    assert_eq!(frame.stored.as_ptr(), chunk.as_ptr());
    assert_eq!(frame.open().unwrap().as_ptr(), chunk.as_ptr());
    let mut writer = FrameWriter::default();
    writer.push(&frame);
    let parts = writer.finish();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1].as_ptr(), chunk.as_ptr());
    let piece = Bytes::from(parts.concat());
    let mut decoder = FrameDecoder::default();
    decoder.push(piece.clone());
    let decoded = decoder.next_frame().unwrap().unwrap();
    assert_eq!(
        decoded.stored.as_ptr(),
        piece[FRAME_HEADER_BYTES..].as_ptr()
    );
}

#[test]
fn small_frames_share_parts() {
    let mut writer = FrameWriter::default();
    for seed in 0..1000 {
        writer.push(&sealed(&noise(seed, 1000)));
    }
    assert_eq!(writer.finish().len(), 8);
}

#[test]
fn lengths_out_of_bounds_are_refused() {
    const MAX: u32 = CHUNK_BYTES_MAX as u32;
    for (header, fits) in [
        (header(Codec::Raw, 1, 1), true),
        (header(Codec::Raw, MAX, MAX), true),
        (header(Codec::Zstd, MAX - 1, MAX), true),
        (header(Codec::Raw, 0, 0), false),
        (header(Codec::Raw, 4, 5), false),
        (header(Codec::Raw, MAX + 1, MAX + 1), false),
        (header(Codec::Zstd, 0, 5), false),
        (header(Codec::Zstd, 5, 5), false),
        (header(Codec::Zstd, 5, MAX + 1), false),
    ] {
        let decoded = FrameHeader::decode(&header.encode());
        if fits {
            assert_eq!(decoded, Ok(header));
        } else {
            let FrameHeader {
                stored_bytes,
                bytes,
                ..
            } = header;
            assert_eq!(
                decoded,
                Err(FrameError::Lengths {
                    stored_bytes,
                    bytes
                })
            );
        }
    }
}

#[test]
fn unknown_codecs_and_reserved_bytes_are_refused() {
    let mut bytes = header(Codec::Raw, 5, 5).encode();
    bytes[32] = 2;
    assert_eq!(
        FrameHeader::decode(&bytes),
        Err(FrameError::Codec { codec: 2 })
    );
    bytes[32] = 0;
    bytes[35] = 1;
    assert_eq!(FrameHeader::decode(&bytes), Err(FrameError::Reserved));
}

#[test]
fn a_frame_that_unpacks_to_another_length_is_refused() {
    let chunk = vec![0; CHUNK_BYTES_MAX];
    let frame = sealed(&chunk);
    assert!(frame.stored.len() < 1000);
    for bytes in [1000, frame.header.bytes - 1] {
        let header = FrameHeader {
            bytes,
            ..frame.header
        };
        assert_eq!(
            open(&header, &frame.stored),
            Err(FrameError::Unpack { bytes })
        );
    }
    let longer = sealed(&chunk[1..]);
    let header = FrameHeader {
        bytes: longer.header.bytes + 1,
        ..longer.header
    };
    assert_eq!(
        open(&header, &longer.stored),
        Err(FrameError::Unpack {
            bytes: header.bytes
        })
    );
}

#[test]
fn a_chunk_under_another_name_is_refused() {
    let frame = sealed(b"one");
    let want = ChunkHash::of(b"two");
    let renamed = FrameHeader {
        hash: want,
        ..frame.header
    };
    assert_eq!(
        open(&renamed, &frame.stored),
        Err(FrameError::Mismatch { want })
    );
    let FrameHeader { bytes, .. } = frame.header;
    assert_eq!(
        open(&frame.header, b"on"),
        Err(FrameError::Lengths {
            stored_bytes: 2,
            bytes
        })
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let frames = [sealed(b"a raw chunk"), sealed(&text(300))];
    let stream = written(&frames);
    for bit in 0..stream.len() * 8 {
        let mut flipped = stream.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let opened = decoded(&flipped).and_then(|frames| {
            frames
                .iter()
                .map(Frame::open)
                .collect::<Result<Vec<_>, _>>()
        });
        // zstd leaves a few bits without meaning: then the chunk is still the right one.
        if let Ok(chunks) = opened {
            assert!(
                bit / 8 >= 2 * FRAME_HEADER_BYTES + 11,
                "bit {bit} went unnoticed"
            );
            assert_eq!(
                chunks,
                [Bytes::from_static(b"a raw chunk"), text(300).into()]
            );
        }
    }
}

#[test]
fn a_stream_cut_at_any_byte_gives_what_came_whole() {
    let frames = [
        sealed(b"a raw chunk"),
        sealed(&text(300)),
        sealed(b"another"),
    ];
    let stream = written(&frames);
    let ends: Vec<usize> = frames
        .iter()
        .scan(0, |end, frame| {
            *end += FRAME_HEADER_BYTES + frame.stored.len();
            Some(*end)
        })
        .collect();
    for cut in 0..stream.len() {
        let mut decoder = FrameDecoder::default();
        decoder.push(Bytes::copy_from_slice(&stream[..cut]));
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        for frame in &frames[..whole] {
            assert_eq!(decoder.next_frame().unwrap().as_ref(), Some(frame));
        }
        assert_eq!(decoder.next_frame(), Ok(None));
        let is_between_frames = cut == 0 || ends.contains(&cut);
        assert_eq!(decoder.end().is_ok(), is_between_frames, "cut at {cut}");
    }
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..200),
        (any::<u64>(), 1_usize..200_000).prop_map(|(seed, count)| noise(seed, count)),
        (1_usize..200_000).prop_map(text),
        (any::<u64>(), 1_usize..100_000, 1_usize..100_000).prop_map(|(seed, noisy, plain)| [
            noise(seed, noisy),
            text(plain)
        ]
        .concat()),
    ]
}

proptest! {
    #[test]
    fn a_chunk_is_opened_as_it_was_sealed(chunk in chunk()) {
        let frame = sealed(&chunk);
        let header = frame.header;
        assert_eq!((header.hash, header.bytes as usize), (ChunkHash::of(&chunk), chunk.len()));
        assert_eq!(FrameHeader::decode(&header.encode()), Ok(header));
        assert_eq!(frame.open().unwrap(), chunk);
        assert_eq!(open(&header, &frame.stored).unwrap(), chunk);
    }

    #[test]
    fn frames_are_read_back_from_any_pieces(
        chunks in proptest::collection::vec(chunk(), 0..8),
        piece_bytes in proptest::collection::vec(1_usize..70_000, 1..8),
    ) {
        let frames: Vec<_> = chunks.iter().map(|chunk| sealed(chunk)).collect();
        let stream = written(&frames);
        let mut decoder = FrameDecoder::default();
        let mut read = Vec::new();
        let mut rest = stream.as_slice();
        for length in piece_bytes.into_iter().cycle() {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            decoder.push(Bytes::copy_from_slice(piece));
            while let Some(frame) = decoder.next_frame().unwrap() {
                read.push(frame);
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        decoder.end().unwrap();
        assert_eq!(read, frames);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(stream in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(frames) = decoded(&stream) {
            assert_eq!(written(&frames), stream);
        }
    }

    #[test]
    fn arbitrary_stored_bytes_do_no_harm(
        stored in proptest::collection::vec(any::<u8>(), 1..300), bytes in any::<u32>(),
    ) {
        let header = FrameHeader {
            hash: ChunkHash::of(&stored),
            codec: Codec::Zstd,
            stored_bytes: stored.len() as u32,
            bytes,
        };
        assert!(open(&header, &stored).is_err());
    }
}
