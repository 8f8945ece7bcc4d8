//! The right to one connection, and one attempt at a call over it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use wharf_types::ErrorCode;

use super::Inner;
use super::call::{Call, Failure, Repeat, Sent};
use super::connection::{Broken, Connection};
use super::patience::Patience;
use crate::api::ApiError;

/// How long the server may pause within an answer.
const PAUSE_DEADLINE: Duration = Duration::from_mins(1);
/// Largest answer that is taken as a whole: a page of a tree whose files have many chunks.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The right to one connection.
#[derive(Debug)]
pub(super) struct Lease {
    inner: Arc<Inner>,
    connection: Option<Connection>,
    /// Whether the connection is fit for the next request: a half-read answer must not become the next call's.
    is_between_answers: bool,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn new(
        inner: Arc<Inner>,
        connection: Option<Connection>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            inner,
            connection,
            is_between_answers: true,
            _permit: permit,
        }
    }

    pub(super) async fn dial(mut self) -> Result<(), ApiError> {
        let mut patience = Patience::new(Repeat::Freely, self.inner.patience);
        while let Err(error) = self.ensure_open().await {
            let failure = self.again(error, Sent::No);
            patience.pause(failure).await?;
        }
        Ok(())
    }

    async fn ensure_open(&mut self) -> io::Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(open) if !open.is_closed() => open,
            _ => {
                let dialled = Connection::dial(&self.inner.peer).await?;
                self.inner.opened_count.fetch_add(1, Ordering::Relaxed);
                dialled
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Makes one attempt and takes the whole answer.
    pub(super) async fn whole(&mut self, call: &Call) -> Result<Bytes, Failure> {
        let response = self.head(call).await?;
        self.collect(response.into_body()).await
    }

    /// Makes one attempt and takes the head of the answer, if it is a success.
    pub(super) async fn head(&mut self, call: &Call) -> Result<Response<Incoming>, Failure> {
        let request = call.request(&self.inner.host)?;
        let exchanged = match self.ensure_open().await {
            Ok(connection) => connection.exchange(request).await,
            Err(error) => Err(Broken::Unsent(error)),
        };
        let response = match exchanged {
            Ok(response) => response,
            Err(Broken::Unsent(error)) => return Err(self.again(error, Sent::No)),
            Err(Broken::Unanswered(error)) => return Err(self.again(error, Sent::Perhaps)),
        };
        self.is_between_answers = false;
        if response.status().is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = self.collect(body).await?;
        match call.refused(&head, &body) {
            // A proxy on the way ended the request for the server's side, and still passed on the answer to half a
            // request. It is a broken connection all the same.
            Failure::Final(error) if error.is(ErrorCode::Cancelled) => {
                Err(self.again(io::Error::other(error), Sent::Perhaps))
            }
            failure => Err(failure),
        }
    }

    async fn collect(&mut self, mut body: Incoming) -> Result<Bytes, Failure> {
        let mut whole = BytesMut::new();
        loop {
            match self.next_piece(&mut body).await {
                Ok(Some(piece)) if whole.len() + piece.len() > ANSWER_BYTES_MAX => {
                    let detail = format!("the answer is over {ANSWER_BYTES_MAX} bytes");
                    return Err(self.again(io::Error::other(detail), Sent::Perhaps));
                }
                Ok(Some(piece)) => whole.extend_from_slice(&piece),
                Ok(None) => return Ok(whole.freeze()),
                Err(error) => return Err(self.again(error, Sent::Perhaps)),
            }
        }
    }

    /// The next bytes of an answer; none at its end, after which the connection is fit for the next call.
    pub(super) async fn next_piece(&mut self, body: &mut Incoming) -> io::Result<Option<Bytes>> {
        loop {
            let frame = timeout(PAUSE_DEADLINE, body.frame()).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, "the answer stopped midway")
            })?;
            let Some(frame) = frame.transpose().map_err(io::Error::other)? else {
                self.is_between_answers = true;
                return Ok(None);
            };
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
    }

    /// Gives the connection up for broken.
    fn again(&mut self, error: io::Error, sent: Sent) -> Failure {
        self.connection = None;
        self.is_between_answers = true;
        Failure::Again {
            after: Duration::ZERO,
            error: self.inner.unreachable(error),
            sent,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.is_between_answers
        {
            self.inner.idle.lock().push(connection);
        }
    }
}
