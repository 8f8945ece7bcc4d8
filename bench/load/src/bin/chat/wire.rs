//! A TCP connection with a buffer to parse from.

use anyhow::{Context, Result, ensure};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is read at once at most; small, since a thousand of these stand side by side.
const READ_BYTES: usize = 16 * 1024;

pub(crate) struct Wire {
    stream: TcpStream,
    pub(crate) buffer: BytesMut,
}

impl Wire {
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
        })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Waits for more bytes.
    pub(crate) async fn fill(&mut self) -> Result<()> {
        self.buffer.reserve(READ_BYTES);
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    /// Takes one line, without its end.
    pub(crate) async fn line(&mut self) -> Result<BytesMut> {
        let mut looked = 0;
        loop {
            if let Some(at) = find(&self.buffer[looked..], b"\r\n") {
                let line = self.buffer.split_to(looked + at);
                self.buffer.advance(2);
                return Ok(line);
            }
            looked = self.buffer.len().saturating_sub(1);
            self.fill().await?;
        }
    }

    /// Takes exactly `count` bytes.
    pub(crate) async fn exactly(&mut self, count: usize) -> Result<BytesMut> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(count))
    }

    /// Takes everything up to and with `end`.
    pub(crate) async fn until(&mut self, end: &[u8]) -> Result<BytesMut> {
        let mut looked = 0;
        loop {
            if let Some(at) = find(&self.buffer[looked..], end) {
                return Ok(self.buffer.split_to(looked + at + end.len()));
            }
            looked = self.buffer.len().saturating_sub(end.len());
            self.fill().await?;
        }
    }
}

/// Where `needle` first is in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
