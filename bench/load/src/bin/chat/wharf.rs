//! Wharf's live socket, by a WebSocket client as small as those of the other systems.

use anyhow::{Context, Result, bail, ensure};
use bytes::BytesMut;
use wharf_types::api::live::{ClientFrame, Hello, Sending, VERSION};
use wharf_types::api::log::{Draft, Text};
use wharf_types::{DeviceId, RoomId};

use crate::line::Event;
use load::wire::{Wire, find};

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(crate) struct Wharf {
    wire: Wire,
    room: RoomId,
    number: u64,
    /// Whether being told to fetch is a failure of the run.
    wants_entries: bool,
    /// Bytes of the frames up to `ready`.
    pub(crate) greeting_bytes: usize,
}

impl Wharf {
    /// Connects, says hello as a device that was never there, and waits until everything that it missed is told.
    pub(crate) async fn connect(address: &str, token: &str, room: RoomId) -> Result<Self> {
        Self::connect_with(address, token, room, &Self::hello()).await
    }

    /// The hello of a device that was never there.
    pub(crate) fn hello() -> Hello {
        Hello {
            version: VERSION,
            device: Some(DeviceId::from_bytes(rand::random())),
            entries: true,
            ..Hello::default()
        }
    }

    pub(crate) async fn connect_with(
        address: &str,
        token: &str,
        room: RoomId,
        hello: &Hello,
    ) -> Result<Self> {
        let mut wire = Wire::connect(address).await?;
        let upgrade = format!(
            "GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        wire.write(upgrade.as_bytes()).await?;
        let answer = wire.until(b"\r\n\r\n").await?;
        ensure!(
            answer.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let mut line = Self {
            wire,
            room,
            number: 0,
            wants_entries: hello.entries,
            greeting_bytes: 0,
        };
        line.write(&ClientFrame::Hello(hello.clone())).await?;
        loop {
            let frame = line.frame().await?;
            line.greeting_bytes += frame.len();
            if frame.starts_with(b"{\"type\":\"bye\"") {
                bail!("{}", String::from_utf8_lossy(&frame));
            }
            if frame.starts_with(b"{\"type\":\"ready\"") {
                return Ok(line);
            }
        }
    }

    pub(crate) async fn send(&mut self, body: &str) -> Result<()> {
        self.number += 1;
        let frame = ClientFrame::Send(Sending {
            number: self.number,
            room: self.room,
            draft: Draft::Text(Text {
                text: body.to_owned(),
                ..Text::default()
            }),
            client_ms: None,
        });
        self.write(&frame).await
    }

    pub(crate) async fn next(&mut self) -> Result<Event> {
        let frame = self.frame().await?;
        if frame.starts_with(b"{\"type\":\"ack\"") {
            return Ok(Event::Acknowledged);
        }
        if frame.starts_with(b"{\"type\":\"entry\"")
            && let Some(at) = find(&frame, b"\"text\":\"")
        {
            return Ok(Event::message(&frame[at + 8..]));
        }
        let is_refusal =
            frame.starts_with(b"{\"type\":\"nack\"") || frame.starts_with(b"{\"type\":\"bye\"");
        if is_refusal || self.wants_entries && frame.starts_with(b"{\"type\":\"lag\"") {
            bail!("{}", String::from_utf8_lossy(&frame));
        }
        Ok(Event::Other)
    }

    /// The next text message.
    async fn frame(&mut self) -> Result<BytesMut> {
        loop {
            while self.wire.buffer.len() < 2 {
                self.wire.fill().await?;
            }
            let (opcode, short) = (self.wire.buffer[0] & 0x0f, self.wire.buffer[1] & 0x7f);
            let header_bytes = match short {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            while self.wire.buffer.len() < header_bytes {
                self.wire.fill().await?;
            }
            let mut bytes = usize::from(short);
            if header_bytes > 2 {
                let long = &self.wire.buffer[2..header_bytes];
                bytes = long
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            }
            // Only then taken from the buffer, so that a dropped future leaves it whole.
            while self.wire.buffer.len() < header_bytes + bytes {
                self.wire.fill().await?;
            }
            let frame = self.wire.exactly(header_bytes + bytes).await?;
            let mut payload = frame;
            let payload = payload.split_off(header_bytes);
            match opcode {
                TEXT => return Ok(payload),
                PING => self.write_frame(PONG, &payload).await?,
                CLOSE => bail!("closed: {}", String::from_utf8_lossy(&payload)),
                _ => {}
            }
        }
    }

    async fn write(&mut self, frame: &ClientFrame) -> Result<()> {
        let text = serde_json::to_vec(frame).context("a frame")?;
        self.write_frame(TEXT, &text).await
    }

    /// Writes one frame under the mask of four zeros, which leaves the payload as it is.
    async fn write_frame(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()) {
            Ok(bytes @ 0..126) => frame.push(0x80 | u8::try_from(bytes)?),
            Ok(bytes) => {
                frame.push(0xfe);
                frame.extend_from_slice(&bytes.to_be_bytes());
            }
            Err(_) => {
                frame.push(0xff);
                frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.wire.write(&frame).await
    }
}
