//! What a gateway over connections is made of: a decoder, and a session that does no I/O.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use wharf_core::transfer::ContentReader;

/// A protocol over connections.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What the other end sends, decoded.
    type Frame: Send;
    /// Takes the frames of one connection apart.
    type Decoder: Decode<Frame = Self::Frame>;
    /// The state of one connection.
    type Session: Session<Frame = Self::Frame>;

    /// Begins a connection.
    fn open(&self, peer: IpAddr) -> (Self::Decoder, Self::Session);
}

/// Takes frames off a stream of bytes.
pub(crate) trait Decode: Send {
    /// What it makes.
    type Frame;

    /// Takes the next frame off the front of `buffer`; nothing when more bytes are needed for it. Must hold back no more
    /// than one frame's bound in `buffer`: bodies are frames of the pieces that have come.
    ///
    /// # Errors
    /// [`Garbled`]: nothing after this can be understood, and the connection ends.
    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Garbled>;
}

/// Why bytes are no frame.
#[derive(Debug)]
pub(crate) struct Garbled(pub(crate) String);

/// The state of one connection. Dropped when the connection ends, however it ends.
pub(crate) trait Session: Send {
    /// What it understands.
    type Frame: Send;

    /// Does what a frame asks for, and says what to send. The next frame is not read before; so whoever sends faster than
    /// the house works is slowed down by the network.
    fn step(&mut self, frame: Self::Frame) -> impl Future<Output = Step> + Send;

    /// Whether a frame may be done together with others of its kind that came with it, by [`step_together`](Self::step_together).
    fn is_gathered(&self, _frame: &Self::Frame) -> bool {
        false
    }

    /// Does what frames ask for that [came together](Self::is_gathered), and says what to send, in their order. What each of
    /// them waits for, they wait for at once.
    fn step_together(&mut self, _frames: Vec<Self::Frame>) -> impl Future<Output = Step> + Send {
        std::future::ready(Step::none())
    }

    /// Waits for something to say that nobody asked for. It is dropped whenever a frame comes, and called again after:
    /// it must lose nothing by that. While a pause lasts it is not called.
    fn push(&mut self) -> impl Future<Output = Step> + Send {
        std::future::pending()
    }

    /// What [`push`](Self::push) returned last was written.
    fn pushed(&mut self) {}

    /// Whether the connection may say nothing for longer than its gateway allows: where silence is how its clients are.
    fn may_be_silent(&self) -> bool {
        false
    }

    /// The other end says nothing more, in order. What is returned is still sent. It is not called where the connection
    /// breaks.
    fn finish(&mut self) -> impl Future<Output = Step> + Send {
        std::future::ready(Step::close())
    }

    /// The other end said what nobody understands; the connection ends after what is returned was sent.
    fn garbled(&mut self, _fault: &Garbled) -> Step {
        Step::close()
    }
}

/// What to send, in order, and whether to close after that.
#[derive(Default)]
pub(crate) struct Step {
    /// What to send.
    pub(crate) out: Vec<Out>,
    /// Whether the connection ends then.
    pub(crate) is_last: bool,
}

/// Something to send.
pub(crate) enum Out {
    /// Bytes; several may go in one write.
    Bytes(Bytes),
    /// Bytes that a client takes for a message because they come in one read: written by themselves in one write, and
    /// nothing follows before `pause` is over.
    Alone {
        /// What to write.
        bytes: Bytes,
        /// How long nothing may follow.
        pause: Duration,
    },
    /// A file's content, read and verified as it goes out. A fault on the way ends the connection: what was announced
    /// cannot be taken back, and wrong bytes are never sent.
    Content(ContentReader),
}

impl Step {
    /// Nothing to send.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Nothing to send any more.
    pub(crate) fn close() -> Self {
        Self {
            out: Vec::new(),
            is_last: true,
        }
    }

    /// One answer.
    pub(crate) fn reply(bytes: impl Into<Bytes>) -> Self {
        Self {
            out: vec![Out::Bytes(bytes.into())],
            is_last: false,
        }
    }

    /// The same, and the connection ends after it.
    #[must_use]
    pub(crate) fn and_close(mut self) -> Self {
        self.is_last = true;
        self
    }
}

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
