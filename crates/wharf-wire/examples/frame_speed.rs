//! How fast chunks are sealed and opened here: `cargo run --release -p wharf-wire --example frame_speed`.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement for a person"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_wire::frame::{Frame, FrameDecoder, FrameWriter};

const TOTAL_BYTES: usize = 256 * 1024 * 1024;
/// What a connection gives at a time.
const PIECE_BYTES: usize = 128 * 1024;

fn main() {
    let mut noise = vec![0; TOTAL_BYTES];
    blake3::Hasher::new()
        .update(b"frame speed")
        .finalize_xof()
        .fill(&mut noise);
    let text: Vec<u8> = (0_u64..)
        .flat_map(|line| {
            format!(
                "{line:x} of the lines that a log or a table may hold, {}\n",
                line * 7919
            )
            .into_bytes()
        })
        .take(TOTAL_BYTES)
        .collect();
    for (kind, bytes) in [("noise", Bytes::from(noise)), ("text", Bytes::from(text))] {
        for chunk_bytes in [1024, 8 * 1024, 1024 * 1024] {
            measure(kind, &bytes, chunk_bytes);
        }
    }
}

fn measure(kind: &str, bytes: &Bytes, chunk_bytes: usize) {
    let rate = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e6;
    let chunks: Vec<_> = (0..bytes.len())
        .step_by(chunk_bytes)
        .map(|at| bytes.slice(at..(at + chunk_bytes).min(bytes.len())))
        .collect();
    let hashes: Vec<_> = chunks.iter().map(|chunk| ChunkHash::of(chunk)).collect();
    let start = Instant::now();
    let frames: Vec<_> = hashes
        .iter()
        .zip(&chunks)
        .map(|(hash, chunk)| Frame::seal(*hash, chunk.clone()))
        .collect();
    let seal = rate(start.elapsed());
    let mut writer = FrameWriter::default();
    let start = Instant::now();
    for frame in &frames {
        writer.push(frame);
    }
    let write = rate(start.elapsed());
    let stream = Bytes::from(writer.finish().concat());
    let mut decoder = FrameDecoder::default();
    let mut decoding = Duration::ZERO;
    let mut opened = 0;
    let receiving = Instant::now();
    for at in (0..stream.len()).step_by(PIECE_BYTES) {
        let start = Instant::now();
        decoder.push(stream.slice(at..(at + PIECE_BYTES).min(stream.len())));
        decoding += start.elapsed();
        loop {
            let start = Instant::now();
            let frame = decoder.next_frame().unwrap();
            decoding += start.elapsed();
            let Some(frame) = frame else { break };
            opened += frame.open().unwrap().len();
        }
    }
    let open = rate(receiving.elapsed().saturating_sub(decoding));
    let decode = rate(decoding);
    assert_eq!(opened, bytes.len());
    println!(
        "{kind} in chunks of {chunk_bytes}: seal {seal:.0}, write {write:.0}, decode {decode:.0}, open {open:.0} MB/s; stored {:.2}",
        stream.len() as f64 / bytes.len() as f64
    );
}
