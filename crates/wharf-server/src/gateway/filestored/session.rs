//! One connection of a filestoraged client.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::{Known, OpenPartial, Partial};
use wharf_core::{Caller, Error, Origin};
use wharf_types::PartialId;
use wharf_wire::gateway::filestored::batch::{AUTHENTICATION, TRANSFER};
use wharf_wire::gateway::filestored::message::{Answer, Asked, FileInfo, Request};
use wharf_wire::gateway::filestored::{CHUNK_BYTES, Frame, Generation, OLD_DATA, SERVICE_OK};

use super::batch::Batch;
use super::put::Put;
use super::{Heard, Shared, map};
use crate::gateway::protocol::{Session, Step};

/// Uploads whose ids a connection remembers; further ones are looked up.
const REMEMBERED_MAX: usize = 64;
/// How much of a file is read at once for the chunks that follow.
const WINDOW_BYTES: u64 = 64 * CHUNK_BYTES as u64;
/// The older frame's type for what a server does not do.
const OLD_ERROR: u8 = 1;
/// The message that brings a chunk.
const PUT_CHUNK: u8 = 40;

/// The state of a connection.
pub(super) struct Talk {
    pub(super) shared: Arc<Shared>,
    origin: Origin,
    /// Shown at the login; looked up at each message, so that a session that ends ends here too.
    token: Option<String>,
    pub(super) uploads: HashMap<[u8; 32], Upload>,
    window: Option<Window>,
    batch: Option<Batch>,
}

/// An upload that this connection adds to.
#[derive(Clone, Copy)]
pub(super) struct Upload {
    pub(super) id: PartialId,
    pub(super) bytes: u64,
}

/// A stretch of a file whose chunks are asked for one after another.
struct Window {
    sha256: [u8; 32],
    from: u64,
    bytes: Bytes,
    file_bytes: u64,
}

impl Session for Talk {
    type Frame = Heard;

    async fn step(&mut self, heard: Heard) -> Step {
        match heard {
            Heard::Service => Step::reply(SERVICE_OK),
            Heard::Frame(generation, frame) => self.frame(generation, frame).await,
        }
    }

    fn is_gathered(&self, heard: &Heard) -> bool {
        matches!(heard, Heard::Frame(_, frame) if frame.kind == OLD_DATA && frame.user_type == PUT_CHUNK)
    }

    async fn step_together(&mut self, frames: Vec<Heard>) -> Step {
        let frames = frames.into_iter().filter_map(|heard| match heard {
            Heard::Frame(generation, frame) => Some((generation, frame)),
            Heard::Service => None,
        });
        self.put_together(frames.collect()).await
    }
}

impl Talk {
    pub(super) fn new(shared: Arc<Shared>, origin: Origin) -> Self {
        Self {
            shared,
            origin,
            token: None,
            uploads: HashMap::new(),
            window: None,
            batch: None,
        }
    }

    async fn frame(&mut self, generation: Generation, frame: Frame) -> Step {
        if frame.kind != OLD_DATA {
            return match frame.kind {
                0 => Step::close(),
                // Errors of the other end, and what only a broker of services could answer.
                1 => Step::none(),
                _ => Step::reply(refuse_kind(frame).encode(generation)),
            };
        }
        let (user_type, payload) = match frame.user_type {
            AUTHENTICATION | TRANSFER => self.batch(&frame).await,
            _ => self.message(&frame).await,
        };
        Step::reply(Frame::data(user_type, payload).encode(generation))
    }

    /// Answers a message of the published protocol.
    async fn message(&mut self, frame: &Frame) -> (u8, Vec<u8>) {
        let (mid, id, answer) = match Asked::decode(frame.user_type, &frame.payload) {
            Err(fault) => (fault.mid, fault.id, map::error(fault.reason)),
            Ok(asked) => (asked.mid, asked.id, self.request(asked.request).await),
        };
        let user_type = answer.user_type();
        (user_type, answer.encode(mid, id).unwrap_or_default())
    }

    async fn batch(&mut self, frame: &Frame) -> (u8, Vec<u8>) {
        let mut batch = self.batch.take();
        let answer = Batch::answer(self, &mut batch, frame).await;
        self.batch = batch;
        answer
    }

    async fn request(&mut self, request: Request) -> Answer {
        if let Request::Login { token } = request {
            return self.login(token).await;
        }
        let by = match self.caller().await {
            Ok(Some(by)) => by,
            Ok(None) => return map::error("user not logged"),
            Err(error) => return map::refusal(&error, "", 0),
        };
        let (digest, outcome) = match request {
            Request::Login { .. } => return map::error("user not logged"),
            Request::PutChunk {
                filedigest,
                chunk,
                data,
            } => {
                let put = Put::new(filedigest, &chunk, &data);
                let mut answers = self.put_all(&[put]).await;
                return answers.pop().unwrap_or_else(|| map::error("no answer"));
            }
            Request::Upload { file } => {
                let digest = file.digest.clone();
                (digest, self.upload(&by, file).await)
            }
            Request::Download {
                filedigest,
                name,
                tags,
            } => {
                let digest = filedigest.clone().unwrap_or_default();
                let tags = tags.unwrap_or_default();
                let outcome = self.download(&by, filedigest, name.as_deref(), &tags).await;
                (digest, outcome)
            }
            Request::GetChunk { filedigest, n } => {
                let outcome = self.get_chunk(&by, &filedigest, n).await;
                (filedigest, outcome)
            }
        };
        match outcome {
            Ok(answer) => answer,
            Err(error) => self.refusal(&by, &error, &digest).await,
        }
    }

    /// A refusal with the limit that applies, for which the quota has to be asked.
    pub(super) async fn refusal(&self, by: &Caller, error: &Error, digest: &str) -> Answer {
        if error.is_fault() {
            tracing::warn!(error = ?error, "filestored");
        }
        let drive = self.shared.wharf.drive().summary(by, RoomRef::Home).await;
        let limit = drive.map_or(0, |drive| {
            let left = drive.quota_bytes.saturating_sub(drive.owner_used_bytes);
            left.min(self.shared.file_bytes_max)
        });
        map::refusal(error, digest, limit)
    }

    /// Logs in; again, and as somebody else, if that is what a client wants.
    async fn login(&mut self, token: String) -> Answer {
        match self.enter(token).await {
            Ok(_) => Answer::Login {},
            Err(error) => map::error(error.text()),
        }
    }

    /// Takes a token for this connection.
    pub(super) async fn enter(&mut self, token: String) -> Result<Caller, Error> {
        self.uploads.clear();
        self.window = None;
        self.batch = None;
        self.token = None;
        let by = self.authenticate(&token).await?;
        self.token = Some(token);
        Ok(by)
    }

    /// Who is logged in; `None` before the login.
    pub(super) async fn caller(&self) -> Result<Option<Caller>, Error> {
        match &self.token {
            None => Ok(None),
            Some(token) => self.authenticate(token).await.map(Some),
        }
    }

    async fn authenticate(&self, token: &str) -> Result<Caller, Error> {
        let accounts = self.shared.wharf.accounts();
        let key = self.shared.key.as_ref();
        accounts.authenticate_jwt(token, key, self.origin).await
    }

    async fn upload(&mut self, by: &Caller, file: FileInfo) -> Result<Answer, Error> {
        let Some(sha256) = map::digest(&file.digest) else {
            return Ok(map::error("a file's digest is the SHA-256 of its content"));
        };
        if file.size > self.shared.file_bytes_max {
            let (limit, reason) = (self.shared.file_bytes_max, "file too big".to_owned());
            return Ok(Answer::FileTooBig { limit, reason });
        }
        let shared = Arc::clone(&self.shared);
        let transfers = shared.wharf.transfers();
        let path = map::served_path(&file.digest);
        let at = map::path_of(&file.name);
        let known = transfers.put_known(by, sha256, &at, &file.tags).await?;
        if known.is_some() {
            let reason = "file already uploaded fully".to_owned();
            return Ok(Answer::FileFullyUploaded { path, reason });
        }
        let open = OpenPartial {
            key: file.digest.to_ascii_lowercase(),
            path: at,
            tags: file.tags,
            bytes: file.size,
            sha256: Some(sha256),
        };
        let partial = transfers.open_partial(by, RoomRef::Home, open).await?;
        self.remember(sha256, &partial);
        if partial.received_bytes == partial.bytes {
            // An empty file; or the server stopped between the last chunk and this.
            transfers.finish_partial(by, partial.id).await?;
            return Ok(Answer::Upload { path });
        }
        if partial.is_new {
            return Ok(Answer::Upload { path });
        }
        let next_chunk = map::chunk_at(partial.whole_bytes);
        let reason = "file already present".to_owned();
        Ok(Answer::FileExists {
            path,
            next_chunk,
            reason,
        })
    }

    async fn download(
        &self,
        by: &Caller,
        digest: Option<String>,
        name: Option<&str>,
        tags: &[String],
    ) -> Result<Answer, Error> {
        let transfers = self.shared.wharf.transfers();
        if let Some(digest) = digest {
            let known = match map::digest(&digest) {
                Some(sha256) => transfers.find_by_digest(by, sha256).await?,
                None => None,
            };
            return Ok(match known {
                Some(known) => found(&known),
                None => map::error(format!("Unknown file digest: {digest}")),
            });
        }
        let is_asked = name.is_some() || !tags.is_empty();
        let known = if is_asked {
            transfers.find_by_name(by, map::FOLDER, name, tags).await?
        } else {
            None
        };
        Ok(match known {
            Some(known) => found(&known),
            None => map::error("File not found with provided parameters."),
        })
    }

    async fn get_chunk(&mut self, by: &Caller, digest: &str, n: u64) -> Result<Answer, Error> {
        let missing = || Error::not_found("file does not exist");
        let sha256 = map::digest(digest).ok_or_else(missing)?;
        let in_window = self.window.take().and_then(|window| {
            let slice = window.slice(sha256, n);
            slice.map(|slice| (window, slice))
        });
        let (window, bytes) = if let Some(found) = in_window {
            found
        } else {
            let known = self.shared.wharf.transfers().find_by_digest(by, sha256);
            let window = Window::read(&known.await?.ok_or_else(missing)?, n).await?;
            // Past the end there is nothing; the original sent a chunk of zeros, which no file has.
            let Some(bytes) = window.slice(sha256, n) else {
                return Ok(map::error("the file has no such chunk"));
            };
            (window, bytes)
        };
        let count = map::chunk_count(window.file_bytes);
        // What was read to its end is not kept: a client that stays connected and does nothing takes no room.
        if window.slice(sha256, n + 1).is_some() {
            self.window = Some(window);
        }
        Ok(map::chunk(digest.to_owned(), n, count, &bytes))
    }

    /// The upload of a digest that has not ended.
    pub(super) async fn upload_of(
        &mut self,
        by: &Caller,
        sha256: [u8; 32],
        digest: &str,
    ) -> Result<Option<Upload>, Error> {
        if let Some(known) = self.uploads.get(&sha256) {
            return Ok(Some(*known));
        }
        let key = digest.to_ascii_lowercase();
        let partial = self.shared.wharf.transfers().partial(by, &key).await?;
        let open = partial.filter(|partial| !partial.has_ended);
        Ok(open.map(|partial| self.remember(sha256, &partial)))
    }

    fn remember(&mut self, sha256: [u8; 32], partial: &Partial) -> Upload {
        if self.uploads.len() >= REMEMBERED_MAX {
            self.uploads.clear();
        }
        let upload = Upload {
            id: partial.id,
            bytes: partial.bytes,
        };
        self.uploads.insert(sha256, upload);
        upload
    }
}

impl Window {
    /// Reads what follows from a chunk on.
    async fn read(known: &Known, n: u64) -> Result<Self, Error> {
        let file_bytes = known.content.bytes;
        let from = map::chunk_range(n, file_bytes).map_or(file_bytes, |(offset, _)| offset);
        let mut reader = known.content.read(from..from.saturating_add(WINDOW_BYTES));
        let mut bytes = Vec::new();
        while let Some(next) = reader.next().await? {
            bytes.extend_from_slice(&next);
        }
        Ok(Self {
            sha256: known.sha256,
            from,
            bytes: bytes.into(),
            file_bytes,
        })
    }

    /// A chunk, if all of it is here.
    fn slice(&self, sha256: [u8; 32], n: u64) -> Option<Bytes> {
        let (offset, length) = map::chunk_range(n, self.file_bytes)?;
        let begin = usize::try_from(offset.checked_sub(self.from)?).ok()?;
        let end = begin.checked_add(usize::try_from(length).ok()?)?;
        let is_here = self.sha256 == sha256 && end <= self.bytes.len();
        is_here.then(|| self.bytes.slice(begin..end))
    }
}

fn found(known: &Known) -> Answer {
    Answer::Download {
        file_info: map::file_info(known),
    }
}

/// Says in the older frame that this is nothing for a storage.
fn refuse_kind(mut frame: Frame) -> Frame {
    frame.kind = OLD_ERROR;
    frame.user_type = 0;
    frame.payload = Bytes::new();
    frame
}
