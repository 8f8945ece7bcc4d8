//! One connection: which request is under way, and what its body goes into.

use std::sync::Arc;

use bytes::Bytes;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::Content;
use wharf_core::{Caller, Error, Origin, Wharf};
use wharf_types::ErrorCode;
use wharf_types::api::app_password::AppDoor;
use wharf_wire::gateway::netdisk::{Frame, Generation, Request};

use super::map::{self, Answer, Refusal, text};
use super::plain::Plain;
use super::send::Piece;
use crate::gateway::protocol::{Session, Step};

/// The door of this gateway.
pub(super) const DOOR: AppDoor = AppDoor::Netdisk;
/// The drive that it serves: each person's own.
pub(super) const ROOM: RoomRef = RoomRef::Home;

/// The state of a connection.
pub(crate) struct NetdiskSession {
    pub(super) wharf: Wharf,
    pub(super) origin: Origin,
    pub(super) anonymous: Option<Arc<str>>,
    pub(super) body: Body,
    /// The content that was fetched from last: clients fetch one file's chunks after another.
    pub(super) opened: Option<Opened>,
}

/// A content, and who opened it by which MD5.
pub(super) struct Opened {
    pub(super) md5: [u8; 16],
    pub(super) caller: Caller,
    pub(super) content: Content,
}

/// What becomes of the body that is coming.
pub(super) enum Body {
    /// None is.
    None,
    /// It is read and dropped; then this is answered.
    Drop(Step),
    /// A piece of an upload.
    Piece(Box<Piece>),
    /// A file without a login.
    Plain(Box<Plain>),
}

impl Session for NetdiskSession {
    type Frame = Frame;

    async fn step(&mut self, frame: Frame) -> Step {
        match frame {
            Frame::Request(request) => Box::pin(self.request(request)).await,
            Frame::Body { bytes, is_last } => Box::pin(self.take(bytes, is_last)).await,
        }
    }

    /// What came of a piece stays, for the client that comes back.
    async fn finish(&mut self) -> Step {
        if let Body::Piece(piece) = std::mem::replace(&mut self.body, Body::None)
            && let Err(error) = Box::pin(piece.keep()).await
        {
            tracing::debug!(%error, "a piece that broke off was not kept");
        }
        Step::close()
    }
}

impl NetdiskSession {
    pub(super) fn new(wharf: Wharf, origin: Origin, anonymous: Option<Arc<str>>) -> Self {
        Self {
            wharf,
            origin,
            anonymous,
            body: Body::None,
            opened: None,
        }
    }

    async fn request(&mut self, request: Request) -> Step {
        let has_session = request.fields.contains_key("session");
        match (request.generation, request.kind.as_str()) {
            (Generation::Json, "upload") if !has_session => self.plain_upload(&request).await,
            (Generation::Json, "download") if !has_session => self.plain_download(&request).await,
            (Generation::Json, "upload") | (Generation::Line, "uploadChunk") => {
                self.begin_piece(request).await
            }
            (Generation::Json, "download") | (Generation::Line, "downloadFile") => {
                self.download(&request).await
            }
            (Generation::Line, "logout") => {
                // The protocol has no answer to it.
                drop(self.logout(&request).await);
                Step::close()
            }
            (Generation::Line, "getdir") => match self.getdir(&request).await {
                Some(answer) => reply(&request, answer),
                None => Step::close(),
            },
            (generation, kind) => match self.small(generation, kind, &request).await {
                Some(answer) => reply(&request, answer),
                None => unknown(&request),
            },
        }
    }

    /// Requests that are answered with one object.
    async fn small(&self, generation: Generation, kind: &str, request: &Request) -> Option<Answer> {
        Some(match (generation, kind) {
            (_, "signup") => self.signup(request).await,
            (_, "login") => self.login(request).await,
            (Generation::Json, "changepwd") => self.change_password(request).await,
            (Generation::Json, "logout") => self.logout(request).await,
            (Generation::Json, "dirinfo") => self.dirinfo(request).await,
            (Generation::Line, "getbindid") => self.getbindid(request).await,
            (Generation::Line, "setbind") => self.setbind(request).await,
            (Generation::Line, "disbind") => self.disbind(request).await,
            (Generation::Line, "uploadFile") => self.upload_file(request).await,
            (Generation::Line, "deleteFile") => self.delete_file(request).await,
            (Generation::Line, "createDir") => self.create_directory(request).await,
            (Generation::Line, "deleteDir") => self.delete_directory(request).await,
            _ => return None,
        })
    }

    /// Takes the next bytes of a body.
    async fn take(&mut self, bytes: Bytes, is_last: bool) -> Step {
        let body = std::mem::replace(&mut self.body, Body::None);
        match body {
            Body::None => Step::close(),
            Body::Drop(step) if is_last => step,
            Body::Drop(step) => {
                self.body = Body::Drop(step);
                Step::none()
            }
            Body::Piece(piece) => self.piece(piece, bytes, is_last).await,
            Body::Plain(plain) => {
                if let Some(plain) = plain.take(bytes, is_last).await {
                    self.body = Body::Plain(plain);
                }
                Step::none()
            }
        }
    }

    /// Who asks, by the session that the request names.
    pub(super) async fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let ticket = text(request, "session")?;
        let accounts = self.wharf.accounts();
        accounts
            .authenticate_ticket(ticket, DOOR, self.origin)
            .await
            .map_err(|error| Refusal::failed(&error))
    }
}

/// The finished protocol's server closes; the older one's client is told.
fn unknown(request: &Request) -> Step {
    match request.generation {
        Generation::Line => Step::close(),
        Generation::Json => {
            let refusal = Refusal::new(map::FAILED, "there is no such type");
            reply(request, Err(refusal)).and_close()
        }
    }
}

/// One answer, or the end of the connection where the protocol has none.
pub(super) fn reply(request: &Request, answer: Answer) -> Step {
    map::encode(request, answer).map_or_else(Step::close, Step::reply)
}

/// Whether a refusal means that something is not there.
pub(super) fn is_missing(error: &Error) -> bool {
    error.code() == ErrorCode::NotFound
}
