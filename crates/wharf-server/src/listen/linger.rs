//! The end of a connection whose last request was answered before all of it was read, such as an upload that is refused.
//!
//! Closing a socket while something in it is unread resets the connection, and a client that is still sending then often
//! fails before it sees the answer. So the server ends its own direction first, and for a while reads and drops what still
//! comes (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long the other end has to stop sending.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much is read at a time.
const DROPPED_BYTES: usize = 16 * 1024;

/// How one connection ends.
#[derive(Debug, Default)]
pub(super) struct Linger {
    unread: Unread,
    until: Option<Pin<Box<Sleep>>>,
}

/// Whether the latest request of a connection was let go before its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

/// The body of a request, which notes whether it is let go before its end.
#[derive(Debug)]
pub(super) struct Watched<B: Body> {
    body: B,
    unread: Unread,
    has_ended: bool,
}

impl Linger {
    pub(super) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// Ends the direction of the server, and reads what still comes where something was left.
    pub(super) fn poll_end<S: AsyncRead + AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.until.is_none() {
            ready!(stream.as_mut().poll_shutdown(cx))?;
            if !self.unread.is_set() {
                return Poll::Ready(Ok(()));
            }
        }
        let until = self
            .until
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        let mut dropped = [0; DROPPED_BYTES];
        while until.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut dropped);
            let read = ready!(stream.as_mut().poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Unread {
    /// Watches the body of a request, which is the latest one from now on.
    pub(super) fn watch<B: Body>(&self, body: B) -> Watched<B> {
        self.0.store(false, Ordering::Relaxed);
        Watched {
            body,
            unread: self.clone(),
            has_ended: false,
        }
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.has_ended |= !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body> Drop for Watched<B> {
    fn drop(&mut self) {
        if !self.has_ended && !self.body.is_end_stream() {
            self.unread.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;

    async fn end(mut linger: Linger, mut stream: DuplexStream) -> Duration {
        let begin = Instant::now();
        poll_fn(|cx| linger.poll_end(Pin::new(&mut stream), cx))
            .await
            .unwrap();
        begin.elapsed()
    }

    fn body() -> Full<Bytes> {
        Full::new(Bytes::from_static(b"body"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_requests_were_read_ends_at_once() {
        let (server, _client) = duplex(100);
        let linger = Linger::default();
        linger.unread().watch(body()).collect().await.unwrap();
        drop(linger.unread().watch(Full::new(Bytes::new())));
        assert_eq!(end(linger, server).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_sent_is_taken_until_the_other_end_is_done() {
        let (server, mut client) = duplex(100);
        let linger = Linger::default();
        drop(linger.unread().watch(body()));
        let sending = async {
            // The answer is over before the request is.
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
            client.write_all(&[0; 10_000]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            client.write_all(&[0; 10_000]).await.unwrap();
            drop(client);
        };
        let (took, ()) = tokio::join!(end(linger, server), sending);
        assert_eq!(took, Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_stops_sending_is_left() {
        let (server, mut client) = duplex(100);
        let linger = Linger::default();
        drop(linger.unread().watch(body()));
        let sending = async {
            while client.write_all(&[0; 10]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        let (took, ()) = tokio::join!(end(linger, server), sending);
        assert_eq!(took, PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_was_left_does_not_count_once_another_is_read() {
        let (server, _client) = duplex(100);
        let linger = Linger::default();
        drop(linger.unread().watch(body()));
        linger.unread().watch(body()).collect().await.unwrap();
        assert_eq!(end(linger, server).await, Duration::ZERO);
    }
}
