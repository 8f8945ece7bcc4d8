//! A response body that is fed by a task.
//!
//! The first batch is read before the answer begins, so that what fails at once is refused in words; what fails later
//! breaks the connection. Then the task reads ahead by one batch, so the disk and the network work at the same time and
//! memory stays bounded. When the client goes away the body is dropped, the next batch finds no taker, and the task ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;
use wharf_core::Error;

use super::admission::Admitted;

/// Batches that wait between the task and the connection.
const BATCHES_AHEAD: usize = 1;

/// The task's end of a body.
pub(super) struct Feed {
    sender: mpsc::Sender<Result<Vec<Bytes>, Error>>,
}

/// The connection's end of a body.
struct Fed {
    receiver: mpsc::Receiver<Result<Vec<Bytes>, Error>>,
    batch: vec::IntoIter<Bytes>,
    /// Bytes still to come, where the length is known.
    left_bytes: Option<u64>,
    _memory: Admitted,
}

/// The body failed. The connection breaks, so that the client cannot take what it has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off: {0}")]
struct BrokeOff(Error);

/// Makes a body that begins with `first`, and the end to feed the rest from.
///
/// It has `bytes` bytes, or any number. `memory` is held as long as the body.
pub(super) fn fed(bytes: Option<u64>, first: Vec<Bytes>, memory: Admitted) -> (Feed, Body) {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let fed = Fed {
        receiver,
        batch: first.into_iter(),
        left_bytes: bytes,
        _memory: memory,
    };
    (Feed { sender }, Body::new(fed))
}

impl Feed {
    /// Hands over the next parts; `false` when nobody wants them any more.
    pub(super) async fn send(&self, parts: Vec<Bytes>) -> bool {
        self.sender.send(Ok(parts)).await.is_ok()
    }

    /// Breaks the answer off.
    pub(super) async fn fail(self, error: Error) {
        tracing::error!(?error, "an answer broke off");
        // Nobody is left to be told if this fails.
        let _gone = self.sender.send(Err(error)).await;
    }
}

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        loop {
            if let Some(bytes) = self.batch.next() {
                if let Some(left) = &mut self.left_bytes {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match ready!(self.receiver.poll_recv(cx)) {
                None => return Poll::Ready(None),
                Some(Ok(parts)) => self.batch = parts.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(BrokeOff(error)))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left_bytes
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
