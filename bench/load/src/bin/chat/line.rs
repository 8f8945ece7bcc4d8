//! One connection to one of the systems that are compared.

use anyhow::Result;

use crate::irc::Irc;
use crate::nats::Nats;
use crate::wharf::Wharf;
use crate::xmpp::Xmpp;

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// One of its own messages is taken; what that means is the system's own.
    Acknowledged,
    /// A message, with what its sender wrote into it.
    Message { number: u64, sent_ns: u64 },
    /// A message that none of ours wrote.
    Other,
}

/// A connection, in one room.
pub(crate) enum Line {
    Irc(Irc),
    Nats(Nats),
    Xmpp(Xmpp),
    Wharf(Wharf),
}

impl Event {
    /// Reads what [`body`] wrote.
    pub(crate) fn message(body: &[u8]) -> Self {
        let mut words = body.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
        match (number(), number()) {
            (Some(number), Some(sent_ns)) => Self::Message { number, sent_ns },
            _ => Self::Other,
        }
    }
}

/// A message of 200 bytes that carries its number and when it was sent.
pub(crate) fn body(number: u64, sent_ns: u64) -> String {
    format!("{number} {sent_ns} {:x<160}", "")
}

impl Line {
    /// Sends, and asks for an acknowledgement where the system gives it only when asked.
    pub(crate) async fn send(&mut self, body: &str, is_acknowledged: bool) -> Result<()> {
        match self {
            Self::Irc(line) => line.send(body, is_acknowledged).await,
            Self::Nats(line) => line.send(body, is_acknowledged).await,
            Self::Xmpp(line) => line.send(body, is_acknowledged).await,
            Self::Wharf(line) => line.send(body).await,
        }
    }

    /// Waits for what comes next. Dropping the future loses nothing but a half written answer to a ping.
    pub(crate) async fn next(&mut self) -> Result<Event> {
        match self {
            Self::Irc(line) => line.next().await,
            Self::Nats(line) => line.next().await,
            Self::Xmpp(line) => line.next().await,
            Self::Wharf(line) => line.next().await,
        }
    }
}
