//! Chunks that are put. Those that came together are written at once, so that they share a transaction.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::Value;
use std::time::Duration;
use wharf_core::transfer::PartWritten;
use wharf_core::{Caller, Error};
use wharf_types::PartialId;
use wharf_wire::gateway::filestored::message::{Answer, Asked, ChunkInfo, Request};
use wharf_wire::gateway::filestored::{Frame, Generation, decode_data};

use super::map;
use super::session::{Talk, Upload};
use crate::gateway::protocol::{Out, Step};

/// A chunk that is to be put.
pub(super) struct Put {
    filedigest: String,
    sha256: Option<[u8; 32]>,
    n: u64,
    /// Its bytes, or what is wrong with it.
    bytes: Result<Bytes, &'static str>,
}

/// What becomes of a chunk.
enum Begun {
    /// Nothing is to be written.
    Answered(Answer),
    /// It is to be written at this place.
    Write(Upload, u64, Bytes),
}

/// A chunk that was written.
struct Written {
    upload: PartialId,
    part: PartWritten,
}

impl Put {
    pub(super) fn new(filedigest: String, chunk: &ChunkInfo, data: &str) -> Self {
        let bytes = match decode_data(data) {
            None => Err("the data is no base64"),
            Some(bytes) if is_digest_of(&chunk.digest, data, &bytes) => Ok(bytes.into()),
            Some(_) => Err("the chunk is not what its digest says"),
        };
        Self {
            sha256: map::digest(&filedigest),
            filedigest,
            n: chunk.n,
            bytes,
        }
    }
}

impl Talk {
    /// Answers messages that came together, of which each brings a chunk. Each answer is a write of its own, as a client takes
    /// one read for one frame.
    pub(super) async fn put_together(&mut self, frames: Vec<(Generation, Frame)>) -> Step {
        let mut puts = Vec::with_capacity(frames.len());
        let mut asked: Vec<(Generation, String, Option<Value>, Option<Answer>)> = Vec::new();
        for (generation, frame) in frames {
            match Asked::decode(frame.user_type, &frame.payload) {
                Err(fault) => {
                    let answer = map::error(fault.reason);
                    asked.push((generation, fault.mid, fault.id, Some(answer)));
                }
                Ok(Asked { mid, id, request }) => {
                    let Request::PutChunk {
                        filedigest,
                        chunk,
                        data,
                    } = request
                    else {
                        let answer = map::error("the message brings no chunk");
                        asked.push((generation, mid, id, Some(answer)));
                        continue;
                    };
                    puts.push(Put::new(filedigest, &chunk, &data));
                    asked.push((generation, mid, id, None));
                }
            }
        }
        let mut answers = self.put_all(&puts).await.into_iter();
        let mut step = Step::none();
        for (generation, mid, id, answer) in asked {
            let Some(answer) = answer.or_else(|| answers.next()) else {
                return Step::close();
            };
            let user_type = answer.user_type();
            let payload = answer.encode(mid, id).unwrap_or_default();
            step.out.push(Out::Alone {
                bytes: Frame::data(user_type, payload).encode(generation),
                pause: Duration::ZERO,
            });
        }
        step
    }

    /// Puts chunks, and says what is answered to each.
    pub(super) async fn put_all(&mut self, puts: &[Put]) -> Vec<Answer> {
        let by = match self.caller().await {
            Ok(Some(by)) => by,
            Ok(None) => {
                let refused = puts.iter().map(|_| map::error("user not logged"));
                return refused.collect();
            }
            Err(error) => {
                let refused = puts.iter().map(|_| map::refusal(&error, "", 0));
                return refused.collect();
            }
        };
        let mut begun = Vec::with_capacity(puts.len());
        for put in puts {
            begun.push(self.begin(&by, put).await);
        }
        let transfers = self.shared.wharf.transfers();
        let writing = begun.into_iter().map(|begun| async {
            match begun? {
                Begun::Answered(answer) => Ok(Err(answer)),
                Begun::Write(upload, offset, bytes) => {
                    let place = map::place(offset);
                    let part = transfers.write_part(&by, upload.id, place, bytes).await?;
                    let upload = upload.id;
                    Ok(Ok(Written { upload, part }))
                }
            }
        });
        let written: Vec<Result<Result<Written, Answer>, Error>> = join_all(writing).await;
        self.settle(&by, puts, written).await
    }

    /// Where a chunk goes, unless it can be answered already.
    async fn begin(&mut self, by: &Caller, put: &Put) -> Result<Begun, Error> {
        let bytes = match &put.bytes {
            Ok(bytes) => bytes.clone(),
            Err(reason) => return Ok(Begun::Answered(map::error(*reason))),
        };
        let sha256 = put
            .sha256
            .ok_or_else(|| Error::not_found("file does not exist"))?;
        let Some(upload) = self.upload_of(by, sha256, &put.filedigest).await? else {
            let known = self.known_chunk(by, sha256, put).await?;
            return Ok(Begun::Answered(known));
        };
        let Some((offset, length)) = map::chunk_range(put.n, upload.bytes) else {
            let refused = map::error("the file has no such chunk");
            return Ok(Begun::Answered(refused));
        };
        if length != bytes.len() as u64 {
            let refused = map::error(format!("this chunk has {length} bytes"));
            return Ok(Begun::Answered(refused));
        }
        Ok(Begun::Write(upload, offset, bytes))
    }

    /// Puts the files of which all chunks have come, and says what is answered to each chunk. A file is put for the last of
    /// its chunks here, which is acknowledged after that.
    async fn settle(
        &mut self,
        by: &Caller,
        puts: &[Put],
        written: Vec<Result<Result<Written, Answer>, Error>>,
    ) -> Vec<Answer> {
        let mut last_of = HashMap::new();
        for (index, outcome) in written.iter().enumerate() {
            if let Ok(Ok(written)) = outcome {
                last_of.insert(written.upload, index);
            }
        }
        let mut answers = Vec::with_capacity(puts.len());
        for (index, (put, outcome)) in puts.iter().zip(written).enumerate() {
            let outcome = match outcome {
                Ok(Err(answer)) => Ok(answer),
                Ok(Ok(written)) => {
                    let is_last = last_of.get(&written.upload) == Some(&index);
                    self.finish(by, put, &written, is_last).await
                }
                Err(error) => {
                    self.forget(put);
                    Err(error)
                }
            };
            answers.push(match outcome {
                Ok(answer) => answer,
                Err(error) => self.refusal(by, &error, &put.filedigest).await,
            });
        }
        answers
    }

    async fn finish(
        &mut self,
        by: &Caller,
        put: &Put,
        written: &Written,
        is_last: bool,
    ) -> Result<Answer, Error> {
        let part = &written.part;
        if part.is_whole() {
            // It has come to an end, good or bad: what is known of it here may be wrong from now on.
            self.forget(put);
            if is_last && !part.has_ended {
                let transfers = self.shared.wharf.transfers();
                transfers.finish_partial(by, written.upload).await?;
            }
        }
        let filedigest = put.filedigest.clone();
        if part.is_new {
            let (file_digest, n) = (filedigest, put.n);
            return Ok(Answer::PutChunk { file_digest, n });
        }
        Ok(Answer::ChunkAlreadyUploaded {
            filedigest,
            next_chunk: map::chunk_at(part.whole_bytes),
            reason: "Chunk already present".to_owned(),
        })
    }

    fn forget(&mut self, put: &Put) {
        if let Some(sha256) = put.sha256 {
            self.uploads.remove(&sha256);
        }
    }

    /// The answer to a chunk of a file that is whole already.
    async fn known_chunk(&self, by: &Caller, sha256: [u8; 32], put: &Put) -> Result<Answer, Error> {
        let transfers = self.shared.wharf.transfers();
        let known = transfers.find_by_digest(by, sha256).await?;
        let known = known.ok_or_else(|| Error::not_found("file does not exist"))?;
        let next_chunk = map::chunk_count(known.content.bytes).max(put.n);
        Ok(Answer::ChunkAlreadyUploaded {
            filedigest: put.filedigest.clone(),
            next_chunk,
            reason: "Chunk already present".to_owned(),
        })
    }
}

/// Whether a chunk's digest is right: that of its text, as clients make it, or of its bytes, as one would think. One that
/// is left empty says nothing.
fn is_digest_of(claimed: &str, text: &str, bytes: &[u8]) -> bool {
    let is = |of: &[u8]| {
        let sha256 = digest(&SHA256, of);
        map::digest(claimed).is_some_and(|claimed| claimed == sha256.as_ref())
    };
    claimed.is_empty() || is(text.as_bytes()) || is(bytes)
}
