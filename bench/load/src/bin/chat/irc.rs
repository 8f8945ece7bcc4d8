//! IRC (RFC 2812), as ngIRCd speaks it. Nothing is stored; a `PONG` after a message tells that the server has handled it.

use anyhow::Result;

use crate::line::Event;
use load::wire::{Wire, find};

pub(crate) struct Irc {
    wire: Wire,
    room: String,
    pings: u64,
}

impl Irc {
    pub(crate) async fn connect(address: &str, number: usize, room: &str) -> Result<Self> {
        let mut wire = Wire::connect(address).await?;
        // A name that was never there: a server that has not seen the end of a connection yet holds its name.
        let name = format!("n{number}x{:08x}", rand::random::<u32>());
        wire.write(format!("NICK {name}\r\nUSER n 0 * :n\r\n").as_bytes())
            .await?;
        let mut irc = Self {
            wire,
            room: format!("#{room}"),
            pings: 0,
        };
        // The end of the greeting: the message of the day, or that there is none.
        irc.wait_for(&[b" 376 ", b" 422 "]).await?;
        let join = format!("JOIN {}\r\n", irc.room);
        irc.wire.write(join.as_bytes()).await?;
        irc.wait_for(&[b" 366 "]).await?;
        Ok(irc)
    }

    async fn wait_for(&mut self, marks: &[&[u8]]) -> Result<()> {
        loop {
            let line = self.wire.line().await?;
            if line.starts_with(b"PING") {
                self.pong(&line[4..]).await?;
            }
            if marks.iter().any(|mark| find(&line, mark).is_some()) {
                return Ok(());
            }
        }
    }

    async fn pong(&mut self, token: &[u8]) -> Result<()> {
        self.wire.write(&[b"PONG", token, b"\r\n"].concat()).await
    }

    pub(crate) async fn send(&mut self, body: &str, is_acknowledged: bool) -> Result<()> {
        let mut text = format!("PRIVMSG {} :{body}\r\n", self.room);
        if is_acknowledged {
            self.pings += 1;
            text = format!("{text}PING {}\r\n", self.pings);
        }
        self.wire.write(text.as_bytes()).await
    }

    pub(crate) async fn next(&mut self) -> Result<Event> {
        loop {
            let line = self.wire.line().await?;
            if line.starts_with(b"PING") {
                self.pong(&line[4..]).await?;
            } else if let Some(at) = find(&line, b" PRIVMSG #")
                && let Some(body) = find(&line[at..], b" :")
            {
                return Ok(Event::message(&line[at + body + 2..]));
            } else if find(&line, b" PONG ").is_some() {
                return Ok(Event::Acknowledged);
            }
        }
    }
}
