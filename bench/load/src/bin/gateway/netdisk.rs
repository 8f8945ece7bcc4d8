//! A client of netdisk that does as it should: chunks of 4 MiB, pipelined, on one connection or several.

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use load::wire::Wire;
use md5::{Digest, Md5};
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use wharf_types::api::app_password::AppDoor;
use wharf_wire::gateway::netdisk::{Generation, Request, decode_answer};

use crate::account::Person;
use crate::transfer::Compared;

/// Bytes of a client's chunk.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Downloads that are asked for before their content has come.
const AHEAD: usize = 4;
const NAME: &str = "large.bin";

pub(crate) struct Client {
    gateway: String,
    session: String,
    file: Bytes,
    md5: String,
}

/// One connection.
pub(crate) struct Netdisk {
    wire: Wire,
}

impl Netdisk {
    pub(crate) async fn connect(gateway: &str) -> Result<Self> {
        let wire = Wire::connect(gateway).await?;
        Ok(Self { wire })
    }

    /// Logs in with a new password for the gateway, and chooses a directory.
    pub(crate) async fn log_in(&mut self, person: &Person) -> Result<String> {
        let password = person.api.create_app_password(AppDoor::Netdisk).await?;
        let password = password.password.context("no password")?;
        self.log_in_by(&person.account.username, &password).await
    }

    pub(crate) async fn log_in_by(&mut self, username: &str, password: &str) -> Result<String> {
        let login = [("username", username.into()), ("password", password.into())];
        let answer = self.call(Generation::Line, "login", &login).await?;
        let session = answer.get("session").and_then(Value::as_str);
        let session = session.context("no session")?.to_owned();
        let bind = [("session", session.as_str().into()), ("bindid", 1.into())];
        self.call(Generation::Line, "setbind", &bind).await?;
        Ok(session)
    }

    /// Asks for the directory that a session has chosen.
    pub(crate) async fn ask(&mut self, session: &str) -> Result<()> {
        let fields = [("session", session.into())];
        self.call(Generation::Line, "getbindid", &fields).await?;
        Ok(())
    }

    pub(crate) fn into_wire(self) -> Wire {
        self.wire
    }

    async fn call(
        &mut self,
        generation: Generation,
        kind: &str,
        fields: &[(&str, Value)],
    ) -> Result<Map<String, Value>> {
        let request = Request::encode(generation, kind, fields);
        self.wire.write(&request).await?;
        self.done().await
    }

    /// The next answer, of which the error number is 0.
    async fn done(&mut self) -> Result<Map<String, Value>> {
        let answer = self.answer().await?;
        let is_done = answer.get("error").and_then(Value::as_u64) == Some(0);
        ensure!(is_done, "{answer:?}");
        Ok(answer)
    }

    async fn answer(&mut self) -> Result<Map<String, Value>> {
        loop {
            if let Some((_, answer)) = decode_answer(&mut self.wire.buffer)? {
                return Ok(answer);
            }
            self.wire.fill().await?;
        }
    }

    /// Content, as long as what it is compared with.
    async fn content(&mut self, expected: &[u8]) -> Result<()> {
        let mut compared = Compared::new(expected);
        while compared.left() > 0 {
            if self.wire.buffer.is_empty() {
                self.wire.fill_large().await?;
            }
            let here = compared.left().min(self.wire.buffer.len());
            compared.take(&self.wire.buffer.split_to(here))?;
        }
        compared.end()
    }
}

impl Client {
    /// Logs in. The MD5 is made here, as published clients make it when they scan their folder.
    pub(crate) async fn log_in(person: &Person, gateway: &str, file: Bytes) -> Result<Self> {
        let session = Netdisk::connect(gateway).await?.log_in(person).await?;
        let md5: [u8; 16] = Md5::digest(&file).into();
        Ok(Self {
            gateway: gateway.to_owned(),
            session,
            md5: HEXLOWER.encode(&md5),
            file,
        })
    }

    fn of_session(&self) -> (&'static str, Value) {
        ("session", self.session.as_str().into())
    }

    pub(crate) async fn chunks_up(&self, connections: usize) -> Result<()> {
        let mut first = Netdisk::connect(&self.gateway).await?;
        let announce = [
            self.of_session(),
            ("queueid", 1.into()),
            ("filename", NAME.into()),
            ("path", "//".into()),
            ("md5", self.md5.as_str().into()),
            ("size", self.file.len().into()),
            ("mtime", 1_795_195_963.into()),
        ];
        let request = Request::encode(Generation::Line, "uploadFile", &announce);
        first.wire.write(&request).await?;
        let answer = first.answer().await?;
        let must_send = answer.get("error").and_then(Value::as_u64) == Some(4);
        ensure!(must_send, "{answer:?}");
        let number = answer.get("vfile_id").and_then(Value::as_u64);
        let number = number.context("an upload without a number")?;
        let mut sending = JoinSet::new();
        for index in 0..connections {
            let stream = TcpStream::connect(&self.gateway).await?;
            stream.set_nodelay(true)?;
            let (reading, writing) = stream.into_split();
            let chunks = self.requests(number, index, connections);
            let count = chunks.len();
            sending.spawn(send(writing, chunks));
            sending.spawn(confirm(reading, count));
        }
        while let Some(sent) = sending.join_next().await {
            sent??;
        }
        Ok(())
    }

    /// The requests of every `step`th chunk from `first` on, with the places of their bytes.
    fn requests(&self, number: u64, first: usize, step: usize) -> Vec<(Bytes, Bytes)> {
        let mut requests = Vec::new();
        for (index, chunk) in self.file.chunks(CHUNK_BYTES).enumerate() {
            if index % step != first {
                continue;
            }
            let fields = [
                self.of_session(),
                ("vfile_id", number.into()),
                ("queueid", (index + 2).into()),
                ("chunkid", index.into()),
                ("offset", (index * CHUNK_BYTES).into()),
                ("chunksize", chunk.len().into()),
            ];
            let request = Request::encode(Generation::Line, "uploadChunk", &fields);
            requests.push((request, self.file.slice_ref(chunk)));
        }
        requests
    }

    pub(crate) async fn chunks_down(&self, connections: usize) -> Result<()> {
        let mut reading = JoinSet::new();
        for first in 0..connections {
            let connection = Netdisk::connect(&self.gateway).await?;
            let mut requests = Vec::new();
            for (index, chunk) in self.file.chunks(CHUNK_BYTES).enumerate() {
                if index % connections == first {
                    let fields = [
                        self.of_session(),
                        ("md5", self.md5.as_str().into()),
                        ("queueid", index.into()),
                        ("offset", (index * CHUNK_BYTES).into()),
                        ("chunksize", chunk.len().into()),
                    ];
                    let request = Request::encode(Generation::Line, "downloadFile", &fields);
                    requests.push((request, self.file.slice_ref(chunk)));
                }
            }
            reading.spawn(fetch(connection, requests));
        }
        while let Some(read) = reading.join_next().await {
            read??;
        }
        Ok(())
    }

    pub(crate) async fn whole_up(&self) -> Result<()> {
        let mut connection = Netdisk::connect(&self.gateway).await?;
        let fields = [
            self.of_session(),
            ("filename", NAME.into()),
            ("size", self.file.len().into()),
            ("md5", self.md5.as_str().into()),
        ];
        let request = Request::encode(Generation::Json, "upload", &fields);
        connection.wire.write(&request).await?;
        connection.wire.write(&self.file).await?;
        connection.done().await?;
        Ok(())
    }

    pub(crate) async fn whole_down(&self) -> Result<()> {
        let mut connection = Netdisk::connect(&self.gateway).await?;
        let fields = [self.of_session(), ("filename", NAME.into())];
        connection
            .call(Generation::Json, "download", &fields)
            .await?;
        connection.content(&self.file).await
    }
}

/// Sends chunks one after another.
async fn send(mut writing: OwnedWriteHalf, chunks: Vec<(Bytes, Bytes)>) -> Result<()> {
    for (request, chunk) in chunks {
        writing.write_all(&request).await?;
        writing.write_all(&chunk).await?;
        writing.write_all(&[0]).await?;
    }
    Ok(())
}

/// Takes the answers to so many chunks.
async fn confirm(reading: OwnedReadHalf, count: usize) -> Result<()> {
    let mut buffer = BytesMut::new();
    let mut left = count;
    while left > 0 {
        if let Some((_, answer)) = decode_answer(&mut buffer)? {
            let is_done = answer.get("error").and_then(Value::as_u64) == Some(0);
            ensure!(is_done, "{answer:?}");
            left -= 1;
            continue;
        }
        reading.readable().await?;
        match reading.try_read_buf(&mut buffer) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Fetches chunks, a few asked for ahead.
async fn fetch(mut connection: Netdisk, requests: Vec<(Bytes, Bytes)>) -> Result<()> {
    let mut asked = 0;
    for (index, (_, expected)) in requests.iter().enumerate() {
        while asked < requests.len() && asked < index + AHEAD {
            if let Some((request, _)) = requests.get(asked) {
                connection.wire.write(request).await?;
            }
            asked += 1;
        }
        connection.done().await?;
        connection.content(expected).await?;
        let end = connection.wire.exactly(1).await?;
        ensure!(&end[..] == b"\0", "a chunk without its end");
    }
    Ok(())
}
