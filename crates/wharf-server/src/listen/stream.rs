//! The two kinds of connection as one type, so that everything above is compiled once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::linger::{Linger, Unread};

/// A connection that counts what it moves, and that ends so that its last answer arrives.
pub(crate) struct Stream {
    inner: Inner,
    activity: Activity,
    linger: Linger,
}

enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn plain(stream: TcpStream, activity: Activity) -> Self {
        Self {
            inner: Inner::Plain(stream),
            activity,
            linger: Linger::default(),
        }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>, activity: Activity) -> Self {
        Self {
            inner: Inner::Tls(Box::new(stream)),
            activity,
            linger: Linger::default(),
        }
    }

    /// Where it is noted that a request was not read to its end.
    pub(super) fn unread(&self) -> Unread {
        self.linger.unread()
    }

    fn count_sent(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = result {
            self.activity.sent(bytes);
        }
        result
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.activity.received(bytes);
        }
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.count_sent(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Inner::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.count_sent(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Plain(stream) => stream.is_write_vectored(),
            Inner::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, linger, .. } = &mut *self;
        match inner {
            Inner::Plain(stream) => linger.poll_end(Pin::new(stream), cx),
            Inner::Tls(stream) => linger.poll_end(Pin::new(stream), cx),
        }
    }
}
