//! Clients of netdisk: one that does as it should, and what the published ones do.

use std::time::Duration;

use bytes::BytesMut;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wharf_core::Door;
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_types::ErrorCode;
use wharf_types::api::app_password::{AppDoor, CreateAppPassword};
use wharf_wire::gateway::netdisk::{Generation, Request, decode_answer};

use super::parity::{Driver, Outcome, Secret, World};
use crate::server::{Setup, TestServer};

/// Bytes of a client's chunk.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// How long published clients wait for a byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// An object of the protocol.
pub type Fields = Map<String, Value>;

/// One connection.
pub struct Netdisk {
    stream: TcpStream,
    buffer: BytesMut,
}

/// A file's content as the protocol names it.
pub fn md5_hex(bytes: &[u8]) -> String {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    format!("{:032x}", u128::from_be_bytes(digest))
}

/// Switches the gateway on, at a port of its own.
pub fn switch_on(setup: &mut Setup) {
    setup.server.gateways.netdisk = Some(GatewayConfig {
        address: ([127, 0, 0, 1], 0).into(),
        ..GatewayConfig::of(GatewayName::Netdisk)
    });
}

impl Netdisk {
    /// Connects.
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn connect(server: &TestServer) -> Self {
        Self::connect_to(server.gateway(GatewayName::Netdisk)).await
    }

    /// Connects to an address.
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn connect_to(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If the server does not take them.
    pub async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("bytes sent");
    }

    /// Sends a request of the finished protocol.
    pub async fn send(&mut self, kind: &str, fields: &[(&str, Value)]) {
        let request = Request::encode(Generation::Line, kind, fields);
        self.raw(&request).await;
    }

    /// Sends a request of the planned types.
    pub async fn send_json(&mut self, kind: &str, fields: &[(&str, Value)]) {
        let request = Request::encode(Generation::Json, kind, fields);
        self.raw(&request).await;
    }

    /// The next answer: its type line, and the object.
    ///
    /// # Panics
    /// If there is none, or it is late.
    pub async fn answer(&mut self) -> (String, Fields) {
        loop {
            let answer = decode_answer(&mut self.buffer).expect("an answer");
            if let Some(answer) = answer {
                return answer;
            }
            assert_ne!(self.read().await, 0, "the connection ended");
        }
    }

    /// Sends a request of the finished protocol and takes its answer.
    ///
    /// # Panics
    /// If the answer is of another type.
    pub async fn call(&mut self, kind: &str, fields: &[(&str, Value)]) -> Fields {
        self.send(kind, fields).await;
        let (answered, fields) = self.answer().await;
        assert_eq!(answered, format!("{kind}Res"));
        fields
    }

    /// Sends a request of the planned types and takes its answer.
    pub async fn call_json(&mut self, kind: &str, fields: &[(&str, Value)]) -> Fields {
        self.send_json(kind, fields).await;
        self.answer().await.1
    }

    /// The next `bytes` bytes, as they are.
    ///
    /// # Panics
    /// If the connection ends before that.
    pub async fn bytes(&mut self, bytes: usize) -> Vec<u8> {
        while self.buffer.len() < bytes {
            assert_ne!(self.read().await, 0, "the connection ended");
        }
        self.buffer.split_to(bytes).to_vec()
    }

    /// What one read gives, as the oldest client takes its answers.
    ///
    /// # Panics
    /// If nothing comes.
    pub async fn one_read(&mut self, bytes_max: usize) -> Vec<u8> {
        let mut bytes = vec![0; bytes_max];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
        let length = read.expect("something in time").expect("bytes");
        bytes.truncate(length);
        bytes
    }

    /// Passes once the server has closed, after what was not read yet.
    ///
    /// # Panics
    /// If it says more, or does not close.
    pub async fn closed(&mut self) {
        // A server that closes while bytes are on their way to it may reset the connection.
        let mut byte = [0];
        let read = timeout(PATIENCE, self.stream.read(&mut byte)).await;
        let read = read.expect("an end in time").unwrap_or(0);
        assert_eq!((read, self.buffer.len()), (0, 0), "the server says more");
    }

    async fn read(&mut self) -> usize {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        read.expect("an answer in time").expect("bytes")
    }

    /// Logs in, and returns the session.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn login(&mut self, username: &str, password: &str) -> String {
        let fields = [("username", username.into()), ("password", password.into())];
        let answer = self.call("login", &fields).await;
        assert_eq!(answer["error"], 0, "{answer:?}");
        answer["session"].as_str().expect("a session").to_owned()
    }

    /// Announces a file, as the published client does.
    pub async fn announce(
        &mut self,
        session: &str,
        path: &str,
        name: &str,
        bytes: &[u8],
    ) -> Fields {
        let fields = [
            ("session", session.into()),
            ("queueid", 1.into()),
            ("filename", name.into()),
            ("path", path.into()),
            ("md5", md5_hex(bytes).into()),
            ("size", bytes.len().into()),
            ("mtime", 1_795_195_963.into()),
        ];
        self.call("uploadFile", &fields).await
    }

    /// Sends a chunk, and takes its answer.
    pub async fn chunk(
        &mut self,
        session: &str,
        vfile: &Value,
        id: usize,
        offset: usize,
        bytes: &[u8],
    ) -> Fields {
        self.send_chunk(session, vfile, id, offset, bytes).await;
        self.answer().await.1
    }

    /// Sends a chunk.
    pub async fn send_chunk(
        &mut self,
        session: &str,
        vfile: &Value,
        id: usize,
        offset: usize,
        bytes: &[u8],
    ) {
        let fields = [
            ("session", session.into()),
            ("vfile_id", vfile.clone()),
            ("queueid", (10 + id).into()),
            ("chunkid", id.into()),
            ("offset", offset.into()),
            ("chunksize", bytes.len().into()),
        ];
        self.send("uploadChunk", &fields).await;
        self.raw(bytes).await;
        self.raw(b"\0").await;
    }

    /// Uploads a file as the published client does: each of its chunks is all that is left from there on.
    ///
    /// # Panics
    /// If something is refused.
    pub async fn upload_as_published(
        &mut self,
        session: &str,
        path: &str,
        name: &str,
        bytes: &[u8],
    ) {
        let answer = self.announce(session, path, name, bytes).await;
        if answer["error"] == 0 {
            return;
        }
        assert_eq!(answer["error"], 4, "{answer:?}");
        for (id, offset) in (0..bytes.len()).step_by(CHUNK_BYTES).enumerate() {
            let rest = &bytes[offset..];
            let answer = self
                .chunk(session, &answer["vfile_id"], id, offset, rest)
                .await;
            assert_eq!(answer["error"], 0, "{answer:?}");
        }
    }

    /// Downloads a file by its MD5, chunk by chunk.
    ///
    /// # Panics
    /// If something is refused.
    pub async fn download(&mut self, session: &str, md5: &str, size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < size {
            let length = CHUNK_BYTES.min(size - bytes.len());
            let fields = [
                ("session", session.into()),
                ("md5", md5.into()),
                ("queueid", 7.into()),
                ("offset", bytes.len().into()),
                ("chunksize", length.into()),
            ];
            let answer = self.call("downloadFile", &fields).await;
            assert_eq!(
                (&answer["error"], &answer["queueid"]),
                (&json!(0), &json!(7))
            );
            bytes.extend(self.bytes(length).await);
            assert_eq!(self.bytes(1).await, [0]);
        }
        bytes
    }
}

/// The parity suite's client.
pub struct NetdiskDriver {
    address: String,
    connection: Netdisk,
    session: String,
}

const FILES_ONLY: &str = "netdisk has files alone";

impl NetdiskDriver {
    /// Makes the driver of a world.
    async fn make(world: &World<'_>) -> Self {
        let accounts = world.server.wharf().accounts();
        let create = CreateAppPassword {
            door: AppDoor::Netdisk,
        };
        let caller = world.caller().await;
        let made = accounts.create_app_password(&caller, create);
        let password = made.await.expect("a password").password.expect("a secret");
        let mut connection = Netdisk::connect(world.server).await;
        let session = connection
            .login(&world.me.account.username, &password)
            .await;
        let bind = [("session", session.as_str().into()), ("bindid", 1.into())];
        assert_eq!(connection.call("setbind", &bind).await["error"], 0);
        Self {
            address: world.server.gateway(GatewayName::Netdisk).to_owned(),
            connection,
            session,
        }
    }

    async fn fetch(&mut self, path: &str, range: Option<(u64, u64)>) -> Outcome<Vec<u8>> {
        let (folder, name) = split(path);
        let mut fields = vec![
            ("session", self.session.as_str().into()),
            ("filename", name.into()),
            ("path", folder.into()),
        ];
        if let Some((offset, bytes)) = range {
            fields.extend([("offset", offset.into()), ("chunksize", bytes.into())]);
        }
        let answer = self.connection.call_json("download", &fields).await;
        if answer["error"] != 0 {
            return Outcome::Refused(kind(&answer));
        }
        let size = answer["size"]
            .as_u64()
            .and_then(|size| size.try_into().ok());
        Outcome::Done(self.connection.bytes(size.expect("a size")).await)
    }

    async fn part(&mut self, path: &str, offset: usize, bytes: &[u8], total: usize) -> Fields {
        let (folder, name) = split(path);
        let fields = [
            ("session", self.session.as_str().into()),
            ("filename", name.into()),
            ("path", folder.into()),
            ("offset", offset.into()),
            ("chunksize", bytes.len().into()),
            ("total", total.into()),
        ];
        self.connection.send_json("upload", &fields).await;
        self.connection.raw(bytes).await;
        self.connection.answer().await.1
    }
}

/// A path as the protocol has it: a directory, and a name in it.
fn split(path: &str) -> (String, &str) {
    match path.rsplit_once('/') {
        Some((folder, name)) => (format!("/{folder}/"), name),
        None => ("//".to_owned(), path),
    }
}

/// What kind of refusal an answer tells.
fn kind(answer: &Fields) -> Option<ErrorCode> {
    match answer["msg"].as_str().unwrap_or_default() {
        "server create file failed for short of space" => Some(ErrorCode::OverQuota),
        "file not found" | "no such content" => Some(ErrorCode::NotFound),
        _ => None,
    }
}

fn done(answer: &Fields) -> Outcome {
    if answer["error"] == 0 {
        Outcome::Done(())
    } else {
        Outcome::Refused(kind(answer))
    }
}

impl Driver for NetdiskDriver {
    const NAME: &'static str = "netdisk";
    const DOOR: Door = Door::Netdisk;
    const NO_TALK: &'static str = FILES_ONLY;
    const NO_WRITING: &'static str = FILES_ONLY;
    const NO_READING: &'static str = FILES_ONLY;

    fn prepare(setup: &mut Setup) {
        switch_on(setup);
    }

    async fn open(world: &World<'_>) -> Self {
        Self::make(world).await
    }

    fn folder(&self) -> &'static str {
        "netdisk-1"
    }

    async fn put(&mut self, path: &str, bytes: &[u8]) -> Outcome {
        let (folder, name) = split(path);
        let answer = self
            .connection
            .announce(&self.session, &folder, name, bytes)
            .await;
        if answer["error"] != 4 {
            return done(&answer);
        }
        let session = self.session.clone();
        let vfile = &answer["vfile_id"];
        done(&self.connection.chunk(&session, vfile, 0, 0, bytes).await)
    }

    async fn get(&mut self, path: &str) -> Outcome<Vec<u8>> {
        self.fetch(path, None).await
    }

    async fn get_range(&mut self, path: &str, offset: u64, bytes: u64) -> Outcome<Vec<u8>> {
        self.fetch(path, Some((offset, bytes))).await
    }

    async fn remove(&mut self, path: &str) -> Outcome {
        let (folder, name) = split(path);
        let fields = [
            ("session", self.session.as_str().into()),
            ("filename", name.into()),
            ("path", folder.into()),
            ("queueid", 3.into()),
        ];
        done(&self.connection.call("deleteFile", &fields).await)
    }

    async fn list(&mut self, path: &str) -> Outcome<Vec<String>> {
        let fields = [("session", self.session.as_str().into())];
        let answer = self.connection.call_json("dirinfo", &fields).await;
        let dirs = answer["dirs"].as_array().expect("directories");
        let dir = dirs
            .iter()
            .find(|dir| dir["dir_path"] == format!("/{path}/"));
        let number = dir.map(|dir| &dir["dir_id"]);
        let files = answer["files"].as_array().expect("files");
        let mut names: Vec<String> = files
            .iter()
            .filter(|file| Some(&file["vfile_dir_id"]) == number)
            .map(|file| file["vfile_name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort_unstable();
        Outcome::Done(names)
    }

    async fn get_secret(&mut self, secret: &Secret) -> Outcome<Vec<u8>> {
        let fields = [
            ("session", self.session.as_str().into()),
            ("md5", md5_hex(&secret.bytes).into()),
            ("queueid", 7.into()),
            ("offset", 0.into()),
            ("chunksize", secret.bytes.len().into()),
        ];
        let answer = self.connection.call("downloadFile", &fields).await;
        if answer["error"] != 0 {
            return Outcome::Refused(kind(&answer));
        }
        Outcome::Done(self.connection.bytes(secret.bytes.len()).await)
    }

    async fn put_half(&mut self, path: &str, bytes: &[u8]) -> Outcome {
        let half = &bytes[..bytes.len() / 2];
        let answer = self.part(path, 0, half, bytes.len()).await;
        self.connection = Netdisk::connect_to(&self.address).await;
        done(&answer)
    }

    async fn put_rest(&mut self, path: &str, bytes: &[u8]) -> Outcome<u64> {
        // A piece of no bytes asks what has come.
        let answer = self.part(path, 0, b"", bytes.len()).await;
        let chunks = answer["chunks"].as_array().cloned().unwrap_or_default();
        let mut sent = 0;
        for chunk in chunks.iter().filter(|chunk| chunk["done"] == false) {
            let number = |key: &str| -> usize {
                let number = chunk[key].as_u64().expect("a number");
                number.try_into().expect("a length")
            };
            let (offset, size) = (number("offset"), number("size"));
            let piece = &bytes[offset..offset + size];
            let answer = self.part(path, offset, piece, bytes.len()).await;
            if answer["error"] != 0 {
                return Outcome::Refused(kind(&answer));
            }
            sent += size as u64;
        }
        Outcome::Done(sent)
    }
}
