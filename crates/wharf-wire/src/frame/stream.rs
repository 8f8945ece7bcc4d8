//! Frames one after another: what an upload's body, a download's answer and a segment's middle are.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use wharf_types::ChunkHash;

use super::{Absence, Answer, FRAME_HEADER_BYTES, Fields, Frame, FrameError, FrameHeader, encode};

/// Stored forms up to this length are gathered: copying them is cheaper than a part of its own.
const GATHERED_BYTES_MAX: usize = 32 * 1024;
/// Length at which gathered frames become a part.
const PART_BYTES: usize = 128 * 1024;

/// Collects frames into parts to be written or sent one after another.
///
/// Small frames are gathered in shared parts; large ones are passed on without copying.
#[derive(Debug, Default)]
pub struct FrameWriter {
    parts: Vec<Bytes>,
    gathered: BytesMut,
    bytes: u64,
}

impl FrameWriter {
    /// Adds a frame.
    pub fn push(&mut self, frame: &Frame) {
        self.push_bytes(&frame.header.encode());
        if frame.stored.len() <= GATHERED_BYTES_MAX {
            self.push_bytes(&frame.stored);
        } else {
            self.end_part();
            self.bytes += frame.stored.len() as u64;
            self.parts.push(frame.stored.clone());
        }
    }

    /// Adds the answer that a chunk is not there.
    pub fn push_absent(&mut self, hash: ChunkHash, absence: Absence) {
        self.push_bytes(&encode(hash, absence as u8, 0, 0));
    }

    /// Adds bytes that are no frame: what stands around the frames of a segment.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        if self.gathered.capacity() == 0 {
            // All that a part can become: growing step by step would leave half of it unused.
            self.gathered
                .reserve(PART_BYTES + GATHERED_BYTES_MAX + FRAME_HEADER_BYTES);
        }
        self.gathered.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.gathered.len() >= PART_BYTES {
            self.end_part();
        }
    }

    /// Bytes added so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The parts, in order.
    pub fn finish(mut self) -> Vec<Bytes> {
        self.end_part();
        self.parts
    }

    fn end_part(&mut self) {
        if self.gathered.len() >= PART_BYTES {
            self.parts.push(std::mem::take(&mut self.gathered).freeze());
        } else if !self.gathered.is_empty() {
            // A short part, such as the header of a long frame, must not hold the room of a long one.
            self.parts.push(Bytes::copy_from_slice(&self.gathered));
            self.gathered.clear();
        }
    }
}

/// Splits a stream of frames, given piece by piece.
///
/// A frame that lies within one piece is shared, not copied; one that spans pieces is copied once. At most one
/// unfinished frame and the pieces not yet asked for are held.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    pieces: VecDeque<Bytes>,
    /// The header of the frame that is not whole yet.
    header: Option<FrameHeader>,
    /// What has come of the header or the stored form that spans pieces.
    begun: BytesMut,
}

impl FrameDecoder {
    /// Takes the next piece of the stream.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// The next whole frame; `None` when more pieces are needed. The chunk is not verified yet: see [`Frame::open`].
    ///
    /// # Errors
    /// `Codec`, `Reserved` or `Lengths`; the stream is of no further use then.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        match self.next_answer()? {
            None => Ok(None),
            Some(Answer::Chunk(frame)) => Ok(Some(frame)),
            Some(Answer::Absent { absence, .. }) => Err(FrameError::Codec {
                codec: absence as u8,
            }),
        }
    }

    /// The next item of a download's answer; `None` when more pieces are needed.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    pub fn next_answer(&mut self) -> Result<Option<Answer>, FrameError> {
        let header = match self.header {
            Some(header) => header,
            None => match self.next_header()? {
                None => return Ok(None),
                Some(Item::Absent(hash, absence)) => {
                    return Ok(Some(Answer::Absent { hash, absence }));
                }
                Some(Item::Header(header)) => *self.header.insert(header),
            },
        };
        let Some(stored) = self.take(header.stored_bytes as usize) else {
            return Ok(None);
        };
        self.header = None;
        Ok(Some(Answer::Chunk(Frame { header, stored })))
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// `Truncated` when it ended within a frame, or frames are left that nobody asked for.
    pub fn end(&self) -> Result<(), FrameError> {
        let held: usize = self.begun.len() + self.pieces.iter().map(Bytes::len).sum::<usize>();
        let wanted = match self.header {
            Some(header) => header.stored_bytes as usize,
            None if held == 0 => 0,
            None => FRAME_HEADER_BYTES,
        };
        if wanted == 0 {
            Ok(())
        } else {
            Err(FrameError::Truncated {
                missing_bytes: wanted.saturating_sub(held),
            })
        }
    }

    fn next_header(&mut self) -> Result<Option<Item>, FrameError> {
        let Some(bytes) = self.take(FRAME_HEADER_BYTES) else {
            return Ok(None);
        };
        let Some(bytes) = bytes.first_chunk() else {
            return Ok(None);
        };
        let fields = Fields::of(bytes);
        Ok(Some(match fields.absence()? {
            Some(absence) => Item::Absent(fields.hash, absence),
            None => Item::Header(fields.header()?),
        }))
    }

    /// The next `length` bytes of the stream, at least one; `None` until they have come.
    fn take(&mut self, length: usize) -> Option<Bytes> {
        if self.begun.is_empty() {
            let piece = self.pieces.front_mut()?;
            if piece.len() > length {
                return Some(piece.split_to(length));
            }
            if piece.len() == length {
                return self.pieces.pop_front();
            }
            self.begun.reserve(length);
        }
        while self.begun.len() < length {
            let piece = self.pieces.front_mut()?;
            let part = piece.len().min(length - self.begun.len());
            self.begun.extend_from_slice(piece.get(..part)?);
            piece.advance(part);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        Some(self.begun.split().freeze())
    }
}

/// What a header announces.
enum Item {
    Header(FrameHeader),
    Absent(ChunkHash, Absence),
}
