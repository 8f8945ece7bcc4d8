//! Bodies of requests that can be sent again.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body of known length in parts. Cloning shares the parts and begins at the first, so that each attempt sends it all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload {
    parts: Arc<[Bytes]>,
    bytes_total: u64,
}

/// A [`Payload`] on its way.
#[derive(Debug)]
pub(super) struct Sending {
    payload: Payload,
    next_index: usize,
    bytes_left: u64,
    /// How many parts were taken by the connection.
    taken_count: Arc<AtomicUsize>,
}

impl Payload {
    pub(crate) fn new(parts: Vec<Bytes>) -> Self {
        let bytes_total = parts.iter().map(|part| part.len() as u64).sum();
        Self {
            parts: parts.into(),
            bytes_total,
        }
    }

    pub(super) fn send(&self) -> Sending {
        Sending {
            payload: self.clone(),
            next_index: 0,
            bytes_left: self.bytes_total,
            taken_count: Arc::default(),
        }
    }
}

impl Sending {
    /// Counts the parts that the connection has taken: whoever waits for the answer sees whether the request moves.
    pub(super) fn taken_count(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.taken_count)
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::new(vec![bytes])
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.payload.parts.get(self.next_index).cloned();
        self.next_index += 1;
        self.taken_count.store(self.next_index, Ordering::Relaxed);
        if let Some(part) = &part {
            self.bytes_left -= part.len() as u64;
        }
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes_left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes_left)
    }
}
