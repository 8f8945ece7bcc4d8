//! HTTP's driver: what the others are held against.

use std::fmt::Write;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use wharf_core::Door;
use wharf_types::api::live::ServerFrame;
use wharf_types::api::log::Body;
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE};
use wharf_types::{AccountId, ChunkHash, CommitId, DeviceId, ErrorCode, RoomId};
use wharf_wire::frame::{Frame, FrameWriter};
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use super::{Driver, Outcome, Secret, World};
use crate::server::{Http, Live, Reply, Setup};

/// The size of the pieces of a resumed upload.
const PIECE_BYTES: usize = 16 * 1024;

/// A client of the HTTP API and the live socket.
pub struct HttpDriver {
    http: Http,
    direct: RoomId,
    friend: AccountId,
    address: std::net::SocketAddr,
    token: String,
    device: DeviceId,
    number: u64,
    live: Option<Live>,
    heard: u64,
}

impl HttpDriver {
    fn url(path: &str) -> String {
        format!("/api/v1/rooms/home/content/{}", escaped(path))
    }

    async fn append(&mut self, room: &str, draft: Value) -> Outcome {
        self.number += 1;
        let append = json!({ "device": self.device, "number": self.number, "draft": draft });
        let path = format!("/api/v1/rooms/{room}/log");
        outcome(self.http.post(&path, &append).await).map(drop)
    }

    /// The texts of a log past a position, of the friend or of anybody.
    async fn texts(&self, room: &str, by: Option<AccountId>) -> Outcome<Vec<String>> {
        let path = format!("/api/v1/rooms/{room}/log?after={}", self.heard);
        let page = outcome(self.http.get(&path).await);
        page.map(|reply| {
            let page: wharf_types::api::log::LogPage =
                serde_json::from_value(reply.json()).expect("a page");
            let text = |entry: wharf_types::api::log::Entry| match entry.body {
                Some(Body::Text(text)) if by.is_none() || entry.account == by => Some(text.text),
                _ => None,
            };
            page.items.into_iter().filter_map(text).collect()
        })
    }

    async fn commit(&self, ops: &Value) -> Outcome {
        let id = CommitId::from_bytes(rand::random());
        let commit = json!({ "id": id, "ops": ops });
        let reply = self.http.post("/api/v1/rooms/home/commit", &commit).await;
        outcome(reply).map(drop)
    }

    async fn upload(&self, chunks: &[&[u8]]) {
        let mut writer = FrameWriter::default();
        for chunk in chunks {
            let bytes = Bytes::copy_from_slice(chunk);
            writer.push(&Frame::seal(ChunkHash::of(chunk), bytes));
        }
        let headers = [("content-type", CHUNKS_TYPE)];
        let body = writer.finish().concat();
        let upload = self
            .http
            .send(Method::POST, "/api/v1/chunks", &headers, body);
        upload.await.expect(200);
    }
}

impl Driver for HttpDriver {
    const NAME: &'static str = "HTTP";
    const DOOR: Door = Door::Http;

    fn prepare(_setup: &mut Setup) {}

    async fn open(world: &World<'_>) -> Self {
        Self {
            http: world.http.clone(),
            direct: world.direct,
            friend: world.friend.account.id,
            address: world.server.address(),
            token: world.me.token.clone(),
            device: DeviceId::from_bytes(*world.me.account.id.as_bytes()),
            number: 0,
            live: None,
            heard: 0,
        }
    }

    async fn put(&mut self, path: &str, bytes: &[u8]) -> Outcome {
        let url = Self::url(path);
        let put = self.http.send(Method::PUT, &url, &[], bytes.to_vec());
        outcome(put.await).map(drop)
    }

    async fn get(&mut self, path: &str) -> Outcome<Vec<u8>> {
        outcome(self.http.get(&Self::url(path)).await).map(|reply| reply.body.to_vec())
    }

    async fn get_range(&mut self, path: &str, offset: u64, bytes: u64) -> Outcome<Vec<u8>> {
        let (url, range) = (
            Self::url(path),
            format!("bytes={offset}-{}", offset + bytes - 1),
        );
        let headers = [("range", range.as_str())];
        outcome(self.http.get_with(&url, &headers).await).map(|reply| reply.body.to_vec())
    }

    async fn remove(&mut self, path: &str) -> Outcome {
        self.commit(&json!([{ "op": "remove", "at": { "path": path } }]))
            .await
    }

    async fn list(&mut self, path: &str) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let page = format!(
                "/api/v1/rooms/home/list?path={}&limit=1000{after}",
                escaped(path)
            );
            let page = match outcome(self.http.get(&page).await) {
                Outcome::Done(reply) => reply.json(),
                refused => return refused.map(|_| names),
            };
            let items = page["items"].as_array().expect("items");
            let name = |node: &Value| node["name"].as_str().expect("a name").to_owned();
            names.extend(items.iter().map(name));
            let Some(next) = page["next"].as_str() else {
                names.sort();
                return Outcome::Done(names);
            };
            after = format!("&after={}", escaped(next));
        }
    }

    async fn get_secret(&mut self, secret: &Secret) -> Outcome<Vec<u8>> {
        let path = format!("/api/v1/rooms/{}/content/{}", secret.room, secret.path);
        outcome(self.http.get(&path).await).map(|reply| reply.body.to_vec())
    }

    async fn put_half(&mut self, _path: &str, bytes: &[u8]) -> Outcome {
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE_BYTES).collect();
        let (first, _) = pieces.split_at(pieces.len() / 2);
        self.upload(first).await;
        Outcome::Done(())
    }

    async fn put_rest(&mut self, path: &str, bytes: &[u8]) -> Outcome<u64> {
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE_BYTES).collect();
        let hashes: Vec<ChunkHash> = pieces.iter().map(|piece| ChunkHash::of(piece)).collect();
        let asked: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let headers = [("content-type", HASHES_TYPE)];
        let missing = self
            .http
            .send(Method::POST, "/api/v1/chunks/missing", &headers, asked)
            .await
            .expect(200)
            .body;
        let is_missing =
            |hash: &ChunkHash| missing.chunks(32).any(|missing| missing == hash.as_bytes());
        let wanted: Vec<&[u8]> = pieces
            .iter()
            .zip(&hashes)
            .filter(|(_, hash)| is_missing(hash))
            .map(|(piece, _)| *piece)
            .collect();
        self.upload(&wanted).await;
        let chunks = hashes.iter().zip(&pieces).map(|(hash, piece)| {
            let bytes = u32::try_from(piece.len()).expect("a small piece");
            ManifestChunk { hash: *hash, bytes }
        });
        let manifest = Manifest {
            chunks: chunks.collect(),
        };
        let put = json!([{ "op": "put", "path": path, "manifest": to_base64(&manifest.pack()) }]);
        let sent = wanted.iter().map(|piece| piece.len() as u64).sum();
        self.commit(&put).await.map(|()| sent)
    }

    async fn say(&mut self, text: &str) -> Outcome {
        let room = self.direct.to_string();
        self.append(&room, json!({ "kind": "text", "text": text }))
            .await
    }

    async fn listen(&mut self) -> Outcome {
        let mut live = Live::connect(self.address, &self.token)
            .await
            .expect("a live connection");
        live.begin().await;
        self.live = Some(live);
        Outcome::Done(())
    }

    async fn hear(&mut self) -> Outcome<String> {
        let (direct, friend) = (self.direct, self.friend);
        let live = self.live.as_mut().expect("somebody who listens");
        let text = live.until(|frame| match frame {
            ServerFrame::Entry { room, entry }
                if room == direct && entry.account == Some(friend) =>
            {
                match entry.body {
                    Some(Body::Text(text)) => Some(text.text),
                    _ => None,
                }
            }
            _ => None,
        });
        Outcome::Done(text.await)
    }

    async fn leave(&mut self) -> Outcome {
        self.live = None;
        let path = format!("/api/v1/rooms/{}/log", self.direct);
        outcome(self.http.get(&path).await)
            .map(|reply| self.heard = reply.json()["head"].as_u64().expect("a head"))
    }

    async fn missed(&mut self) -> Outcome<Vec<String>> {
        let room = self.direct.to_string();
        self.texts(&room, Some(self.friend)).await
    }

    async fn hand_over(&mut self, name: &str, bytes: &[u8]) -> Outcome {
        let room = self.direct.to_string();
        let path = format!("/api/v1/rooms/{room}/content/{}", escaped(name));
        let put = self.http.send(Method::PUT, &path, &[], bytes.to_vec());
        put.await.expect(201);
        let node = format!("/api/v1/rooms/{room}/node?path={}", escaped(name));
        let node = self.http.get(&node).await.expect(200).json();
        self.append(&room, json!({ "kind": "file", "node": node["id"] }))
            .await
    }

    async fn write(&mut self, text: &str) -> Outcome {
        self.append("home", json!({ "kind": "text", "text": text }))
            .await
    }

    async fn journal(&mut self) -> Outcome<Vec<String>> {
        self.texts("home", None).await
    }
}

/// An answer as an outcome.
fn outcome(reply: Reply) -> Outcome<Reply> {
    if reply.status.is_success() {
        return Outcome::Done(reply);
    }
    let code = serde_json::from_value::<ErrorCode>(reply.json()["code"].clone());
    Outcome::Refused(Some(code.expect("the kind of refusal")))
}

/// A path as a URL has it.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("text");
        }
    }
    out
}
