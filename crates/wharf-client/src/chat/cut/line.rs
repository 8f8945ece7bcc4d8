//! A line in memory that is cut after any byte of any frame.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// Bytes of a frame that are kept, to tell its length and kind.
const KEPT_BYTES: usize = 48;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// Where a line is cut: after so many bytes of a frame, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) way: Way,
    pub(super) frame: usize,
    pub(super) byte: usize,
}

/// A frame that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// The `type` of its JSON.
    pub(super) kind: String,
    pub(super) bytes: usize,
}

/// What has passed since it was looked at last, and where the line is to be cut. Lines that follow each other share one.
#[derive(Debug, Default)]
pub(super) struct Passed {
    up: Lane,
    down: Lane,
    cut: Option<Cut>,
    is_cut: bool,
    /// The frames that had passed when it was cut.
    before_cut: Vec<Frame>,
}

/// One way of it.
#[derive(Debug, Default)]
struct Lane {
    frames: Vec<Frame>,
    /// The beginning of the frame that is passing, how much of it has passed, and its length once that is known.
    kept: Vec<u8>,
    at: usize,
    total: Option<usize>,
}

impl Passed {
    /// Counts anew, and cuts the line there once.
    pub(super) fn arm(&mut self, cut: Option<Cut>) {
        for lane in [&mut self.up, &mut self.down] {
            lane.frames.clear();
        }
        self.cut = cut;
        self.is_cut = false;
        self.before_cut.clear();
    }

    /// Forgets a cut to come.
    pub(super) fn disarm(&mut self) {
        self.cut = None;
    }

    /// Whether it was cut since.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The frames that had passed in the way of the cut when it was made.
    pub(super) fn before_cut(&self) -> &[Frame] {
        &self.before_cut
    }

    /// The frames that passed whole.
    pub(super) fn frames(&self, way: Way) -> &[Frame] {
        match way {
            Way::Up => &self.up.frames,
            Way::Down => &self.down.frames,
        }
    }

    /// A new line begins.
    fn begin(&mut self) {
        for lane in [&mut self.up, &mut self.down] {
            lane.begin_frame();
        }
    }

    /// Says how many of these bytes pass, and whether the line is cut behind them.
    fn pass(&mut self, way: Way, bytes: &[u8]) -> (usize, bool) {
        let cut = self.cut.filter(|cut| cut.way == way);
        let lane = match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        };
        let mut passed = 0;
        loop {
            let is_due = cut.is_some_and(|cut| lane.is_at(cut));
            if is_due {
                self.is_cut = true;
                self.cut = None;
                self.before_cut.clone_from(&lane.frames);
                return (passed, true);
            }
            if passed == bytes.len() {
                return (passed, false);
            }
            passed += lane.step(&bytes[passed..], cut);
        }
    }
}

impl Lane {
    fn begin_frame(&mut self) {
        self.kept.clear();
        self.at = 0;
        self.total = None;
    }

    /// Whether the cut is here: within its frame, or right behind it.
    fn is_at(&self, cut: Cut) -> bool {
        let index = self.frames.len();
        let is_behind = self.at == 0
            && cut.frame + 1 == index
            && self
                .frames
                .last()
                .is_some_and(|last| last.bytes == cut.byte);
        let is_within = self.kept.first().is_none_or(|first| is_text(*first));
        is_behind || (cut.frame == index && cut.byte == self.at && is_within)
    }

    /// Takes the next bytes, to the end of a frame or the cut at most; returns how many.
    fn step(&mut self, bytes: &[u8], cut: Option<Cut>) -> usize {
        let mut count = self.total.map_or(1, |total| total - self.at);
        if let Some(cut) = cut.filter(|cut| cut.frame == self.frames.len() && cut.byte > self.at) {
            count = count.min(cut.byte - self.at);
        }
        let bytes = &bytes[..count.min(bytes.len())];
        let kept = bytes.len().min(KEPT_BYTES - self.kept.len());
        self.kept.extend_from_slice(&bytes[..kept]);
        self.at += bytes.len();
        self.total = self.total.or_else(|| frame_bytes(&self.kept));
        if self.total == Some(self.at) {
            // The WebSocket's own pings come when they come.
            if is_text(self.kept[0]) {
                self.frames.push(Frame {
                    kind: kind(&self.kept),
                    bytes: self.at,
                });
            }
            self.begin_frame();
        }
        bytes.len()
    }
}

/// Where the mask or payload begins in a frame whose header is there.
fn header_bytes(kept: &[u8]) -> Option<usize> {
    let second = kept.get(1)?;
    let bytes = match second & 0x7F {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (kept.len() >= bytes).then_some(bytes)
}

/// The length of a frame with its header.
fn frame_bytes(kept: &[u8]) -> Option<usize> {
    let header = header_bytes(kept)?;
    let payload = match header {
        2 => usize::from(kept[1] & 0x7F),
        _ => kept[2..header]
            .iter()
            .fold(0, |length, byte| (length << 8) | usize::from(*byte)),
    };
    Some(header + mask_bytes(kept) + payload)
}

fn mask_bytes(kept: &[u8]) -> usize {
    if kept[1] & 0x80 == 0 { 0 } else { 4 }
}

fn is_text(first: u8) -> bool {
    first & 0x0F == 1
}

fn kind(kept: &[u8]) -> String {
    let begin = header_bytes(kept).unwrap();
    let (mask, payload) = kept[begin..].split_at(mask_bytes(kept));
    let payload: Vec<u8> = payload
        .iter()
        .enumerate()
        .map(|(index, byte)| byte ^ mask.get(index % 4).unwrap_or(&0))
        .collect();
    let text = String::from_utf8_lossy(&payload);
    let kind = text.strip_prefix("{\"type\":\"").unwrap();
    kind.split('"').next().unwrap().to_owned()
}

/// The client's end.
#[derive(Debug)]
pub(super) struct Line {
    /// Nothing after a cut.
    inner: Option<DuplexStream>,
    passed: Arc<Mutex<Passed>>,
}

impl Line {
    pub(super) fn new(inner: DuplexStream, passed: Arc<Mutex<Passed>>) -> Self {
        passed.lock().begin();
        Self {
            inner: Some(inner),
            passed,
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.inner.is_none()
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = self.inner.as_mut().ok_or_else(broken)?;
        let before = buffer.filled().len();
        ready!(Pin::new(inner).poll_read(cx, buffer))?;
        let read = &buffer.filled()[before..];
        let (passing, is_cut) = self.passed.lock().pass(Way::Down, read);
        buffer.set_filled(before + passing);
        if is_cut {
            self.inner = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let inner = this.inner.as_mut().ok_or_else(broken)?;
        let (passing, is_cut) = this.passed.lock().pass(Way::Up, bytes);
        let mut left = &bytes[..passing];
        while !left.is_empty() {
            match Pin::new(&mut *inner).poll_write(cx, left) {
                Poll::Ready(Ok(written)) => left = &left[written..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => panic!("the line holds all that a scene says"),
            }
        }
        if is_cut {
            self.inner = None;
        }
        // What is behind the cut is lost as in a network: nobody says so.
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner = None;
        Poll::Ready(Ok(()))
    }
}
