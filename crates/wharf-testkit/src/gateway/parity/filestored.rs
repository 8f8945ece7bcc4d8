//! filestoraged's driver.

use std::net::SocketAddr;

use serde_json::json;
use wharf_core::Door;
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_types::ErrorCode;
use wharf_wire::gateway::filestored::CHUNK_BYTES;
use wharf_wire::gateway::filestored::message::FileInfo;

use super::{Driver, Outcome, Secret, World};
use crate::gateway::filestored::{Answered, Filestored, by_digest, by_name, sha256};
use crate::server::Setup;

const NO_REMOVAL: &str = "filestored has no message that removes a file";
const NO_LISTS: &str =
    "filestored has no message that lists files: they are asked for by digest, name or tags";
const NO_JOURNAL: &str = "filestored knows no journal";

/// A client of filestoraged that behaves well: it sends the chunks that the server lacks.
pub struct FilestoredDriver {
    address: SocketAddr,
    token: String,
    client: Filestored,
}

impl FilestoredDriver {
    async fn connect(address: SocketAddr, token: &str) -> Filestored {
        let mut client = Filestored::tcp(address).await;
        client.login(token).await;
        client
    }

    /// Finds a file by its name.
    async fn find(&mut self, path: &str) -> Outcome<FileInfo> {
        let answered = self.client.ask(by_name(path)).await;
        if answered.user_type != 30 {
            return refused(&answered);
        }
        let file = answered.body["file_info"].clone();
        Outcome::Done(serde_json::from_value(file).expect("a file"))
    }
}

impl Driver for FilestoredDriver {
    const NAME: &'static str = "filestored";
    const DOOR: Door = Door::Filestored;
    const NO_TALK: &'static str = "filestored knows no conversations";
    const NO_WRITING: &'static str = NO_JOURNAL;
    const NO_READING: &'static str = NO_JOURNAL;

    fn prepare(setup: &mut Setup) {
        let mut config = GatewayConfig::of(GatewayName::Filestored);
        config.address.set_port(0);
        setup.server.gateways.filestored = Some(config);
    }

    async fn open(world: &World<'_>) -> Self {
        let made = world.http.post("/api/v1/account/jwt", &json!({})).await;
        let token = made.expect(200).json()["token"].clone();
        let token = token.as_str().expect("a token").to_owned();
        let address = world.server.gateway(GatewayName::Filestored);
        let address = address.parse().expect("an address");
        let client = Self::connect(address, &token).await;
        Self {
            address,
            token,
            client,
        }
    }

    fn folder(&self) -> &'static str {
        "filestored"
    }

    async fn put(&mut self, path: &str, bytes: &[u8]) -> Outcome {
        let answered = self.client.put(path, bytes, &[]).await;
        if matches!(answered.user_type, 20 | 204 | 206) {
            return Outcome::Done(());
        }
        refused(&answered)
    }

    async fn get(&mut self, path: &str) -> Outcome<Vec<u8>> {
        match self.client.get(by_name(path)).await {
            Ok((_, bytes)) => Outcome::Done(bytes),
            Err(answered) => refused(&answered),
        }
    }

    async fn get_range(&mut self, path: &str, offset: u64, bytes: u64) -> Outcome<Vec<u8>> {
        let file = match self.find(path).await {
            Outcome::Done(file) => file,
            other => return other.map(|_| Vec::new()),
        };
        let chunk = CHUNK_BYTES as u64;
        assert!(offset.is_multiple_of(chunk) && bytes.is_multiple_of(chunk));
        let mut out = Vec::new();
        for n in offset / chunk..(offset + bytes) / chunk {
            out.extend(self.client.get_chunk(&file.digest, n).await);
        }
        Outcome::Done(out)
    }

    async fn remove(&mut self, _path: &str) -> Outcome {
        Outcome::Unsupported(NO_REMOVAL)
    }

    async fn list(&mut self, _path: &str) -> Outcome<Vec<String>> {
        Outcome::Unsupported(NO_LISTS)
    }

    async fn get_secret(&mut self, secret: &Secret) -> Outcome<Vec<u8>> {
        let by_content = self.client.ask(by_digest(&sha256(&secret.bytes))).await;
        assert_eq!(by_content.user_type, 200, "{by_content:?}");
        match self.client.get(by_name(&secret.path)).await {
            Ok((_, bytes)) => Outcome::Done(bytes),
            Err(answered) => refused(&answered),
        }
    }

    async fn put_half(&mut self, path: &str, bytes: &[u8]) -> Outcome {
        let answered = self.client.upload(path, bytes, &[]).await;
        assert_eq!(answered.user_type, 20, "{answered:?}");
        for n in 0..bytes.len() / CHUNK_BYTES / 2 {
            let answered = self.client.put_chunk(bytes, n).await;
            assert_eq!(answered.user_type, 40, "{answered:?}");
        }
        self.client = Self::connect(self.address, &self.token).await;
        Outcome::Done(())
    }

    async fn put_rest(&mut self, path: &str, bytes: &[u8]) -> Outcome<u64> {
        let answered = self.client.upload(path, bytes, &[]).await;
        assert_eq!(answered.user_type, 204, "{answered:?}");
        let next = answered.body["next_chunk"].as_u64().expect("a number");
        let next = usize::try_from(next).expect("a small number");
        for n in next..bytes.len().div_ceil(CHUNK_BYTES) {
            let answered = self.client.put_chunk(bytes, n).await;
            assert_eq!(answered.user_type, 40, "{answered:?}");
        }
        Outcome::Done((bytes.len() - next * CHUNK_BYTES) as u64)
    }
}

/// A refusal; 200 says in words alone what it is about.
fn refused<T>(answered: &Answered) -> Outcome<T> {
    Outcome::Refused(match answered.user_type {
        205 => Some(ErrorCode::NotFound),
        207 => Some(ErrorCode::OverQuota),
        _ => None,
    })
}
