//! A client of filestoraged.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::BytesMut;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use wharf_wire::gateway::filestored::message::{Asked, ChunkInfo, FileInfo, Request};
use wharf_wire::gateway::filestored::{
    CHUNK_BYTES, Decoder, Frame, Generation, SERVICE, SERVICE_OK, decode_data, encode_data,
};

/// How long an answer may be in coming.
const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection.
pub struct Filestored {
    stream: Box<dyn Stream>,
    generation: Generation,
    decoder: Decoder,
    buffer: BytesMut,
    asked: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The message's type.
    pub user_type: u8,
    /// The message.
    pub body: Value,
}

impl Filestored {
    /// Connects over TCP, as a client behind `TCPd` does: it says the service's name and waits for two bytes.
    ///
    /// # Panics
    /// If nobody listens, or something else is answered.
    pub async fn tcp(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(SERVICE).await.expect("a connection");
        let mut ok = [0; 2];
        stream.read_exact(&mut ok).await.expect("an answer");
        assert_eq!(ok, SERVICE_OK);
        Self::over(stream, Generation::New)
    }

    /// Connects to the UNIX socket of streams.
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn unix(path: &Path, generation: Generation) -> Self {
        let stream = UnixStream::connect(path).await.expect("a connection");
        Self::over(stream, generation)
    }

    /// Speaks over a connection.
    pub fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        generation: Generation,
    ) -> Self {
        Self {
            stream: Box::new(stream),
            generation,
            decoder: Decoder::new(u32::MAX),
            buffer: BytesMut::new(),
            asked: 0,
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a connection");
    }

    /// The next answer; `None` at the end of the connection.
    ///
    /// # Panics
    /// If nothing comes, or nothing that is a frame of JSON.
    pub async fn next(&mut self) -> Option<Answered> {
        let frame = self.next_frame().await?;
        let body = serde_json::from_slice(&frame.payload).expect("JSON");
        Some(Answered {
            user_type: frame.user_type,
            body,
        })
    }

    /// The next frame; `None` at the end of the connection.
    ///
    /// # Panics
    /// If nothing comes, or nothing that is a frame.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let frame = self.decoder.decode(&mut self.buffer).expect("a frame");
            if frame.is_some() {
                return frame;
            }
            let read = self.stream.read_buf(&mut self.buffer);
            let read = timeout(PATIENCE, read).await.expect("an answer in time");
            if read.is_ok_and(|bytes| bytes > 0) {
                continue;
            }
            return None;
        }
    }

    /// Reads once, as the published client does, which takes one read for one frame.
    ///
    /// # Panics
    /// If what comes is not exactly one frame.
    pub async fn read_one(&mut self) -> Answered {
        let mut bytes = vec![0; 100_000];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
        let read = read.expect("an answer in time").expect("a connection");
        let mut buffer = BytesMut::from(bytes.get(..read).expect("what was read"));
        let frame = self.decoder.decode(&mut buffer).expect("a frame");
        assert!(buffer.is_empty(), "one read is one frame");
        let frame = frame.expect("one read is one frame");
        Answered {
            user_type: frame.user_type,
            body: serde_json::from_slice(&frame.payload).expect("JSON"),
        }
    }

    /// Sends a message of any type.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn say(&mut self, user_type: u8, payload: &[u8]) {
        let frame = Frame::data(user_type, payload.to_vec()).encode(self.generation);
        self.send(&frame).await;
    }

    /// Sends a message of any type, and takes the answer.
    ///
    /// # Panics
    /// If the connection ends.
    pub async fn ask_json(&mut self, user_type: u8, body: &Value) -> Answered {
        self.say(user_type, body.to_string().as_bytes()).await;
        self.next().await.expect("an answer")
    }

    /// Asks, and takes the answer, which must carry the request's id.
    ///
    /// # Panics
    /// If the connection ends, or the answer is to something else.
    pub async fn ask(&mut self, request: Request) -> Answered {
        self.asked += 1;
        let mid = format!("00000000-0000-4000-8000-{:012}", self.asked);
        let asked = Asked {
            mid: mid.clone(),
            id: None,
            request,
        };
        let user_type = asked.user_type();
        let payload = asked.encode().expect("JSON");
        self.say(user_type, &payload).await;
        let answered = self.next().await.expect("an answer");
        assert_eq!(answered.body["mid"], json!(mid), "{answered:?}");
        answered
    }

    /// Logs in.
    ///
    /// # Panics
    /// If the token is refused.
    pub async fn login(&mut self, token: &str) {
        let token = token.to_owned();
        let answered = self.ask(Request::Login { token }).await;
        assert_eq!(answered.user_type, 5, "{answered:?}");
    }

    /// Announces a file.
    pub async fn upload(&mut self, name: &str, bytes: &[u8], tags: &[&str]) -> Answered {
        self.ask(Request::Upload {
            file: describe(name, bytes, tags),
        })
        .await
    }

    /// Sends a chunk of a file.
    pub async fn put_chunk(&mut self, bytes: &[u8], n: usize) -> Answered {
        self.ask(chunk_of(bytes, n)).await
    }

    /// Puts a file as the published client does: every chunk from 0 on, unless the server has all or wants none.
    pub async fn put(&mut self, name: &str, bytes: &[u8], tags: &[&str]) -> Answered {
        let answered = self.upload(name, bytes, tags).await;
        if !matches!(answered.user_type, 20 | 204) {
            return answered;
        }
        for n in 0..bytes.len().div_ceil(CHUNK_BYTES) {
            let put = self.put_chunk(bytes, n).await;
            if !matches!(put.user_type, 40 | 202) {
                return put;
            }
        }
        answered
    }

    /// Asks for a file, and fetches its chunks one after another.
    ///
    /// # Panics
    /// If a chunk is refused.
    pub async fn get(&mut self, request: Request) -> Result<(FileInfo, Vec<u8>), Answered> {
        let answered = self.ask(request).await;
        if answered.user_type != 30 {
            return Err(answered);
        }
        let file = answered.body["file_info"].clone();
        let file: FileInfo = serde_json::from_value(file).expect("a file");
        let mut bytes = Vec::new();
        for n in 0..file.nb_chunks {
            bytes.extend(self.get_chunk(&file.digest, n).await);
        }
        Ok((file, bytes))
    }

    /// Fetches a chunk.
    ///
    /// # Panics
    /// If it is refused, or not what its digest says.
    pub async fn get_chunk(&mut self, filedigest: &str, n: u64) -> Vec<u8> {
        let filedigest = filedigest.to_owned();
        let answered = self.ask(Request::GetChunk { filedigest, n }).await;
        assert_eq!(answered.user_type, 41, "{answered:?}");
        let data = answered.body["data"].as_str().expect("data");
        let named = answered.body["chunk"]["digest"].as_str().expect("a digest");
        assert_eq!(named, sha256(data.as_bytes()));
        decode_data(data).expect("base64")
    }
}

/// Asks for a file by its name.
pub fn by_name(name: &str) -> Request {
    Request::Download {
        filedigest: None,
        name: Some(name.to_owned()),
        tags: None,
    }
}

/// Asks for a file by its digest.
pub fn by_digest(digest: &str) -> Request {
    Request::Download {
        filedigest: Some(digest.to_owned()),
        name: None,
        tags: None,
    }
}

/// Asks for a file by its tags.
pub fn by_tags(tags: &[&str]) -> Request {
    Request::Download {
        filedigest: None,
        name: None,
        tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
    }
}

/// A file as its uploader describes it.
pub fn describe(name: &str, bytes: &[u8], tags: &[&str]) -> FileInfo {
    FileInfo {
        name: name.to_owned(),
        size: bytes.len() as u64,
        nb_chunks: bytes.len().div_ceil(CHUNK_BYTES) as u64,
        digest: sha256(bytes),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

/// A chunk of a file, as a client sends it: its digest is that of its text.
///
/// # Panics
/// If the file has no such chunk.
pub fn chunk_of(bytes: &[u8], n: usize) -> Request {
    let count = bytes.len().div_ceil(CHUNK_BYTES);
    let chunk = bytes.chunks(CHUNK_BYTES).nth(n).expect("a chunk");
    let data = encode_data(chunk);
    Request::PutChunk {
        filedigest: sha256(bytes),
        chunk: ChunkInfo {
            n: n as u64,
            on: (count - 1) as u64,
            digest: sha256(data.as_bytes()),
        },
        data,
    }
}

/// A SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}
