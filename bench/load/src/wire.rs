//! A connection with a buffer to parse from.

use anyhow::{Context, Result, ensure};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is read at once at most; small, since a thousand of these stand side by side.
const READ_BYTES: usize = 16 * 1024;
/// What is read at once of a large file.
const LARGE_READ_BYTES: usize = 256 * 1024;

/// A connection, TCP unless it is said otherwise.
pub struct Wire<S = TcpStream> {
    stream: S,
    /// What has come and was not taken yet.
    pub buffer: BytesMut,
}

impl Wire {
    /// Connects by TCP.
    pub async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S> Wire<S> {
    /// Over something that is connected.
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Says that nothing more comes from here.
    pub async fn end(&mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// Waits for more bytes.
    pub async fn fill(&mut self) -> Result<()> {
        self.fill_at_most(READ_BYTES).await
    }

    /// The same, where many bytes are on their way.
    pub async fn fill_large(&mut self) -> Result<()> {
        self.fill_at_most(LARGE_READ_BYTES).await
    }

    async fn fill_at_most(&mut self, bytes: usize) -> Result<()> {
        self.buffer.reserve(bytes);
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    /// Takes one line, without its end.
    pub async fn line(&mut self) -> Result<BytesMut> {
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
    pub async fn exactly(&mut self, count: usize) -> Result<BytesMut> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(count))
    }

    /// Takes everything up to and with `end`.
    pub async fn until(&mut self, end: &[u8]) -> Result<BytesMut> {
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
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
