//! NATS: core subjects, and JetStream, whose acknowledgement says that the message is in the stream's file but not that the
//! file is synced (by default it is every two minutes).

use anyhow::{Context, Result, bail};

use crate::line::Event;
use load::wire::Wire;

pub(crate) struct Nats {
    wire: Wire,
    subject: String,
    inbox: String,
}

impl Nats {
    pub(crate) async fn connect(address: &str, number: usize, room: &str) -> Result<Self> {
        let mut wire = Wire::connect(address).await?;
        wire.line().await.context("INFO")?;
        let inbox = format!("_INBOX.c{number}");
        let subject = format!("room.{room}");
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"echo\":true,\"name\":\"c{number}\"}}\r\nSUB {subject} 1\r\nSUB {inbox} 2\r\nPING\r\n"
        );
        wire.write(hello.as_bytes()).await?;
        loop {
            let line = wire.line().await?;
            if line.starts_with(b"PONG") {
                break;
            }
            if line.starts_with(b"-ERR") {
                bail!("{}", String::from_utf8_lossy(&line));
            }
        }
        Ok(Self {
            wire,
            subject,
            inbox,
        })
    }

    /// Makes a stream on a file that takes all subjects of rooms.
    pub(crate) async fn create_stream(&mut self) -> Result<()> {
        let request =
            r#"{"name":"ROOMS","subjects":["room.>"],"storage":"file","retention":"limits"}"#;
        let text = format!(
            "PUB $JS.API.STREAM.CREATE.ROOMS {} {}\r\n{request}\r\n",
            self.inbox,
            request.len()
        );
        self.wire.write(text.as_bytes()).await?;
        self.next().await.map(drop)
    }

    pub(crate) async fn send(&mut self, body: &str, is_acknowledged: bool) -> Result<()> {
        let reply = if is_acknowledged { &self.inbox } else { "" };
        let text = format!("PUB {} {reply} {}\r\n{body}\r\n", self.subject, body.len());
        self.wire.write(text.as_bytes()).await
    }

    pub(crate) async fn next(&mut self) -> Result<Event> {
        loop {
            let line = self.wire.line().await?;
            if line.starts_with(b"PING") {
                self.wire.write(b"PONG\r\n").await?;
                continue;
            }
            if line.starts_with(b"-ERR") {
                bail!("{}", String::from_utf8_lossy(&line));
            }
            let Some(rest) = line.strip_prefix(b"MSG ") else {
                continue;
            };
            // MSG subject sid [reply] bytes
            let mut words = std::str::from_utf8(rest)?.split(' ');
            let sid = words.nth(1).context("MSG without a subscription")?;
            let bytes: usize = words.next_back().context("MSG without a length")?.parse()?;
            let is_inbox = sid == "2";
            let body = self.wire.exactly(bytes + 2).await?;
            if is_inbox {
                if body.windows(7).any(|part| part == b"\"error\"") {
                    bail!("JetStream: {}", String::from_utf8_lossy(&body));
                }
                return Ok(Event::Acknowledged);
            }
            return Ok(Event::message(&body[..bytes]));
        }
    }
}
