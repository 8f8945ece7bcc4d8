//! A session on its socket.
//!
//! It is one future, written by hand so that a connection that waits holds nothing but its state: bytes are read into a
//! buffer on the stack, and what is to be written is there only while it is. What was told to many is written from the one
//! copy of it, several frames in one call.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wharf_core::live::Told;
use wharf_types::api::live::ServerFrame;
use wharf_types::limit::LIVE_FRAME_BYTES_MAX;
use wharf_wire::websocket::{CloseCode, Decoder, Message, Packer};

use super::session::{Session, Sink};

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;
/// Buffers that are written at once.
const WRITE_SLICES_MAX: usize = 64;
/// How long the last frames may take to be written.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// Runs a session on a socket whose handshake is done, to the end of either. `early` is what arrived together with the request.
pub async fn converse<S>(stream: S, early: Bytes, session: Session)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut socket = Socket {
        stream,
        session,
        decoder: Decoder::new(LIVE_FRAME_BYTES_MAX),
        out: Out::default(),
        is_closing: false,
    };
    socket.decoder.push(&early);
    let result = std::future::poll_fn(|cx| socket.poll_live(cx)).await;
    if let Err(error) = result {
        return tracing::debug!(%error, "live connection ended");
    }
    let farewell = std::future::poll_fn(|cx| socket.poll_farewell(cx));
    if let Ok(Err(error)) = tokio::time::timeout(FAREWELL_MAX, farewell).await {
        tracing::debug!(%error, "live connection ended");
    }
}

struct Socket<S> {
    stream: S,
    session: Session,
    decoder: Decoder,
    out: Out,
    /// The client has closed, or broke the protocol.
    is_closing: bool,
}

/// What is to be written.
#[derive(Default)]
struct Out {
    buffers: VecDeque<Bytes>,
    /// Frames of this connection alone, that come after `buffers`.
    own: Packer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Ends when the session is over or the client has closed: then what is left is to be written.
    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.receive();
            if self.is_closing {
                return Poll::Ready(Ok(()));
            }
            // What waits to be written holds back what is behind it: the hub's queue is bounded, this one would not be.
            if self.poll_write(cx)?.is_ready() {
                let is_over = self.session.poll(cx, &mut self.out).is_ready();
                if is_over {
                    return Poll::Ready(Ok(()));
                }
                if !self.out.is_empty() {
                    continue;
                }
            } else if self.session.poll_blocked(cx, &mut self.out).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if !self.session.wants_input() {
                return Poll::Pending;
            }
            let mut buffer = [MaybeUninit::<u8>::uninit(); READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.session.heard();
            self.decoder.push(buffer.filled());
        }
    }

    /// Hands over what has arrived, as far as the session takes it.
    fn receive(&mut self) {
        while !self.is_closing && self.session.wants_input() {
            match self.decoder.next_message() {
                Ok(Some(Message::Text(text))) => self.session.receive(&text, &mut self.out),
                Ok(Some(Message::Ping(payload))) => self.out.own.pong(&payload),
                Ok(Some(Message::Pong)) => {}
                Ok(Some(Message::Close)) => {
                    self.out.close(CloseCode::Normal);
                    self.is_closing = true;
                }
                Ok(None) => return,
                Err(error) => {
                    self.out.close(error.close_code());
                    self.is_closing = true;
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.settle();
        while !self.out.buffers.is_empty() {
            let stream = Pin::new(&mut self.stream);
            let written = if self.out.buffers.len() == 1 {
                let only = self.out.buffers.front().map_or(&[][..], Bytes::as_ref);
                ready!(stream.poll_write(cx, only))?
            } else {
                let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
                let mut count = 0;
                for (slice, buffer) in slices.iter_mut().zip(&self.out.buffers) {
                    *slice = IoSlice::new(buffer);
                    count += 1;
                }
                let slices = slices.get(..count).unwrap_or_default();
                ready!(stream.poll_write_vectored(cx, slices))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Writes what is left and closes.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Out {
    fn is_empty(&self) -> bool {
        self.buffers.is_empty() && self.own.is_empty()
    }

    /// Puts the own frames behind the others.
    fn settle(&mut self) {
        if !self.own.is_empty() {
            let own = std::mem::take(&mut self.own);
            self.buffers.push_back(own.finish());
        }
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.buffers.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.buffers.pop_front();
        }
        self.buffers = VecDeque::new();
    }
}

impl Sink for Out {
    fn frame(&mut self, frame: &ServerFrame) {
        pack(&mut self.own, frame);
    }

    fn told(&mut self, told: &Arc<Told>) {
        self.settle();
        let bytes = told.encoded(|frames| {
            let mut packer = Packer::default();
            for frame in frames {
                pack(&mut packer, frame);
            }
            packer.finish()
        });
        self.buffers.push_back(bytes.clone());
    }

    fn ping(&mut self) {
        self.own.ping();
    }

    fn close(&mut self, code: CloseCode) {
        self.own.close(code);
    }
}

fn pack(packer: &mut Packer, frame: &ServerFrame) {
    let packed = packer.text(|buffer| serde_json::to_writer(buffer, frame));
    if let Err(error) = packed {
        // Frames are made of what JSON can say.
        tracing::error!(%error, "a frame cannot be written");
    }
}
