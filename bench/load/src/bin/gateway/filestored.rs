//! Chunks of a thousand bytes, put or got by many connections at once.
//!
//! Files are random bytes, each connection's its own, and hashed before their clock starts. A put counts once it is
//! acknowledged, which is when it is on disk; a chunk that was got is decoded and compared.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use load::sum::{percentiles, round};
use load::wire::Wire;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use wharf_types::api::account::CreateJwt;
use wharf_wire::gateway::filestored::message::{Asked, ChunkInfo, FileInfo, Request};
use wharf_wire::gateway::filestored::{
    CHUNK_BYTES, Decoder, Frame, Generation, SERVICE, SERVICE_OK, decode_data, encode_data,
};

use crate::account::Server;
use crate::packet::PacketClient;

/// Longest answer that is taken.
const PAYLOAD_BYTES_MAX: u32 = 256 * 1024;

#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// What is asked for.
    #[arg(value_enum)]
    kind: Kind,
    /// How to connect.
    #[arg(long, value_enum, default_value = "tcp")]
    transport: Transport,
    /// Which frame.
    #[arg(long, value_enum, default_value = "new")]
    frame: FrameKind,
    /// Connections, each with files of its own.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Chunks that a connection has on the way. Published clients have one.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// Chunks of a file.
    #[arg(long, default_value_t = 1_000)]
    chunks: usize,
    /// How long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Chunks are put, and files begin and end as they come.
    Put,
    /// Chunks of a file that was put before.
    Get,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Transport {
    Tcp,
    /// A UNIX socket of streams.
    Stream,
    /// A UNIX socket of packets.
    Packet,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FrameKind {
    /// With a type of its own before the length.
    Old,
    New,
}

/// What all transports are.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// One connection.
pub(crate) struct Filestored {
    wire: Wire<Box<dyn Duplex>>,
    decoder: Decoder,
    generation: Generation,
    /// Whether each frame must be a write of its own.
    is_packet: bool,
    number: u64,
}

/// A file's content, with the digest that names it.
struct File {
    name: String,
    content: Bytes,
    digest: String,
}

pub(crate) async fn run(server: &Server, gateway: &str, options: Options) -> Result<Value> {
    // Somebody new: uploads that a run before broke off count against what one may have begun.
    let person = server.members(1).await?.pop().context("nobody")?;
    let api = person.api;
    let mut preparing = JoinSet::new();
    for number in 0..options.connections {
        let token = api.create_jwt(&CreateJwt::default()).await?.token;
        let gateway = gateway.to_owned();
        preparing.spawn(async move { Filestored::prepare(&gateway, token, number, options).await });
    }
    let mut clients = Vec::new();
    while let Some(prepared) = preparing.join_next().await {
        clients.push(prepared??);
    }
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let mut asking = JoinSet::new();
    for (number, (client, file)) in clients.into_iter().enumerate() {
        asking.spawn(client.work(number, file, options, end));
    }
    let (mut times, mut files) = (Vec::new(), 0);
    while let Some(asked) = asking.join_next().await {
        let (some, whole) = asked??;
        times.extend(some);
        files += whole;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({
        "chunks": times.len(),
        "files": files,
        "chunks_per_second": round(times.len() as f64 / seconds),
        "asked_to_answered": percentiles(times),
    }))
}

impl File {
    fn random(connection: usize, number: u64, chunks: usize) -> Self {
        let mut content = vec![0; chunks * CHUNK_BYTES];
        rand::rng().fill(content.as_mut_slice());
        Self {
            name: format!("load/{connection}/{number}-{:08x}", rand::random::<u32>()),
            digest: HEXLOWER.encode(digest(&SHA256, &content).as_ref()),
            content: content.into(),
        }
    }

    fn chunk(&self, n: usize) -> &[u8] {
        let from = n * CHUNK_BYTES;
        self.content
            .get(from..from + CHUNK_BYTES)
            .unwrap_or_default()
    }

    fn chunks(&self) -> usize {
        self.content.len() / CHUNK_BYTES
    }

    fn info(&self) -> FileInfo {
        FileInfo {
            name: self.name.clone(),
            size: self.content.len() as u64,
            nb_chunks: self.chunks() as u64,
            digest: self.digest.clone(),
            tags: Vec::new(),
        }
    }

    fn put(&self, n: usize) -> Request {
        let data = encode_data(self.chunk(n));
        Request::PutChunk {
            filedigest: self.digest.clone(),
            chunk: ChunkInfo {
                n: n as u64,
                on: self.chunks() as u64 - 1,
                digest: HEXLOWER.encode(digest(&SHA256, data.as_bytes()).as_ref()),
            },
            data,
        }
    }

    fn get(&self, n: usize) -> Request {
        Request::GetChunk {
            filedigest: self.digest.clone(),
            n: n as u64,
        }
    }
}

impl Filestored {
    async fn connect(gateway: &str, transport: Transport, frame: FrameKind) -> Result<Self> {
        let stream: Box<dyn Duplex> = match transport {
            Transport::Tcp => {
                let stream = TcpStream::connect(gateway).await.context("connecting")?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Transport::Stream => {
                let path = format!("{gateway}/filestorage");
                Box::new(UnixStream::connect(path).await.context("connecting")?)
            }
            Transport::Packet => Box::new(
                PacketClient::connect(&format!("{gateway}/filestorage-0-0"))
                    .context("connecting")?,
            ),
        };
        let mut client = Self {
            wire: Wire::over(stream),
            decoder: Decoder::new(PAYLOAD_BYTES_MAX),
            generation: match frame {
                FrameKind::Old => Generation::Old,
                FrameKind::New => Generation::New,
            },
            is_packet: matches!(transport, Transport::Packet),
            number: 0,
        };
        if matches!(transport, Transport::Tcp) {
            client.wire.write(SERVICE).await?;
            let answer = client.wire.exactly(SERVICE_OK.len()).await?;
            ensure!(&answer[..] == SERVICE_OK, "another service answers");
        }
        Ok(client)
    }

    /// Connects, and makes the first file; puts it where it is to be got.
    async fn prepare(
        gateway: &str,
        token: String,
        number: usize,
        options: Options,
    ) -> Result<(Self, File)> {
        let mut client = Self::connect(gateway, options.transport, options.frame).await?;
        client.log_in(token).await?;
        let file = File::random(number, 0, options.chunks);
        if options.kind == Kind::Get {
            client.put(&file, 64, None, &mut Vec::new()).await?;
        }
        Ok((client, file))
    }

    /// Connects by TCP in the newer frame, and logs in.
    pub(crate) async fn log_in_at(gateway: &str, token: String) -> Result<Self> {
        let mut client = Self::connect(gateway, Transport::Tcp, FrameKind::New).await?;
        client.log_in(token).await?;
        Ok(client)
    }

    /// Waits for bytes that nobody asked for, or the end.
    pub(crate) async fn fill(&mut self) -> Result<()> {
        self.wire.fill().await
    }

    async fn log_in(&mut self, token: String) -> Result<()> {
        self.write(vec![Request::Login { token }]).await?;
        self.answer(5).await?;
        Ok(())
    }

    /// Works until `end`. Returns how long each answer took, and how many files became whole.
    async fn work(
        mut self,
        number: usize,
        mut file: File,
        options: Options,
        end: Instant,
    ) -> Result<(Vec<u64>, u64)> {
        let (mut times, mut files) = (Vec::new(), 0);
        while Instant::now() < end {
            match options.kind {
                Kind::Put => {
                    let is_whole = self
                        .put(&file, options.window, Some(end), &mut times)
                        .await?;
                    if is_whole {
                        files += 1;
                        file = File::random(number, files, options.chunks);
                    }
                }
                Kind::Get => self.get(&file, options.window, end, &mut times).await?,
            }
        }
        Ok((times, files))
    }

    /// Puts a file, or as much of it as there is time for. Returns whether it is whole.
    async fn put(
        &mut self,
        file: &File,
        window: usize,
        end: Option<Instant>,
        times: &mut Vec<u64>,
    ) -> Result<bool> {
        let begin = Request::Upload { file: file.info() };
        self.write(vec![begin]).await?;
        self.answer(20).await?;
        let is_over = || end.is_some_and(|end| Instant::now() >= end);
        let mut on_the_way = VecDeque::new();
        let mut next = 0;
        loop {
            let mut requests = Vec::new();
            while on_the_way.len() < window && next < file.chunks() && !is_over() {
                requests.push(file.put(next));
                on_the_way.push_back(Instant::now());
                next += 1;
            }
            self.write(requests).await?;
            let Some(sent) = on_the_way.pop_front() else {
                return Ok(next == file.chunks());
            };
            self.answer(40).await?;
            times.push(u64::try_from(sent.elapsed().as_nanos())?);
            self.answered(window, &mut on_the_way, times)?;
        }
    }

    /// Gets a file once, or as much of it as there is time for.
    async fn get(
        &mut self,
        file: &File,
        window: usize,
        end: Instant,
        times: &mut Vec<u64>,
    ) -> Result<()> {
        let mut on_the_way = VecDeque::new();
        let (mut next, mut got) = (0, 0);
        loop {
            let mut requests = Vec::new();
            while on_the_way.len() < window && next < file.chunks() && Instant::now() < end {
                requests.push(file.get(next));
                on_the_way.push_back(Instant::now());
                next += 1;
            }
            self.write(requests).await?;
            if on_the_way.is_empty() {
                return Ok(());
            }
            let mut answer = Some(self.answer(41).await?);
            while let Some(payload) = answer {
                is_chunk(&payload, file.chunk(got))?;
                got += 1;
                let sent = on_the_way.pop_front().context("an answer too many")?;
                times.push(u64::try_from(sent.elapsed().as_nanos())?);
                answer = self.answer_here(41)?;
            }
        }
    }

    /// Takes the answers that have come with the one before, up to half of those on the way: then more are sent.
    fn answered(
        &mut self,
        window: usize,
        on_the_way: &mut VecDeque<Instant>,
        times: &mut Vec<u64>,
    ) -> Result<()> {
        while on_the_way.len() > window / 2 && self.answer_here(40)?.is_some() {
            let sent = on_the_way.pop_front().context("an answer too many")?;
            times.push(u64::try_from(sent.elapsed().as_nanos())?);
        }
        Ok(())
    }

    async fn write(&mut self, requests: Vec<Request>) -> Result<()> {
        let mut out = Vec::new();
        for request in requests {
            self.number += 1;
            let asked = Asked {
                mid: format!("00000000-0000-4000-8000-{:012x}", self.number),
                id: None,
                request,
            };
            let user_type = asked.user_type();
            let frame = Frame::data(user_type, asked.encode()?).encode(self.generation);
            if self.is_packet {
                self.wire.write(&frame).await?;
            } else {
                out.extend_from_slice(&frame);
            }
        }
        if out.is_empty() {
            return Ok(());
        }
        self.wire.write(&out).await
    }

    /// The payload of the next answer, which must be of this type.
    async fn answer(&mut self, user_type: u8) -> Result<Bytes> {
        loop {
            if let Some(payload) = self.answer_here(user_type)? {
                return Ok(payload);
            }
            self.wire.fill().await?;
        }
    }

    fn answer_here(&mut self, user_type: u8) -> Result<Option<Bytes>> {
        let Some(frame) = self.decoder.decode(&mut self.wire.buffer)? else {
            return Ok(None);
        };
        if frame.user_type != user_type {
            let text = String::from_utf8_lossy(&frame.payload).into_owned();
            bail!("answered by {}: {text}", frame.user_type);
        }
        Ok(Some(frame.payload))
    }
}

/// Checks that an answer brings these bytes.
fn is_chunk(payload: &[u8], expected: &[u8]) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Chunk {
        data: String,
    }
    let chunk: Chunk = serde_json::from_slice(payload)?;
    let bytes = decode_data(&chunk.data).context("no base64")?;
    ensure!(bytes == expected, "other bytes than were put");
    Ok(())
}
