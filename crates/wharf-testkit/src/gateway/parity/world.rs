//! The people of a scenario, and what happens to them through the HTTP API.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use wharf_core::{Caller, Origin};
use wharf_types::api::account::{AccountRole, EditAccount, LoggedIn};
use wharf_types::{CommitId, DeviceId, NodeId, RoomId};
use wharf_wire::manifest::{Manifest, to_base64};

use crate::server::{Http, TestServer};

/// What the driver's account says without the driver.
pub(super) const ELSEWHERE: &str = "written elsewhere";

/// Somebody, a friend of theirs, and the room of the two.
pub struct World<'a> {
    /// The server.
    pub server: &'a TestServer,
    /// Who the driver is.
    pub me: LoggedIn,
    /// A client of theirs.
    pub http: Http,
    /// Their only contact.
    pub friend: LoggedIn,
    /// A client of the friend.
    pub friend_http: Http,
    /// The room of the two.
    pub direct: RoomId,
    /// The folder that the driver's files are in.
    pub(super) folder: &'static str,
    /// What the driver's entries are signed with, where its protocol proves no account.
    pub(super) signature: Option<String>,
}

/// A file that does not concern the driver's account.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Whose room's drive it is in.
    pub room: RoomId,
    /// Which node.
    pub node: NodeId,
    /// Its path there.
    pub path: String,
    /// Its owner's username.
    pub owner: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl<'a> World<'a> {
    /// Makes the two, with names that end in `name`.
    pub(super) async fn make(server: &'a TestServer, name: &str, role: AccountRole) -> Self {
        let (me, http) = server.account(&format!("ada-{name}"), role).await;
        let (friend, friend_http) = server.member(&format!("ben-{name}")).await;
        let ask = json!({ "who": friend.account.username });
        http.post("/api/v1/contacts", &ask).await.expect(200);
        let accept = format!("/api/v1/contacts/{}/accept", me.account.id);
        let contact = friend_http
            .post(&accept, &Value::Null)
            .await
            .expect(200)
            .json();
        let direct = serde_json::from_value(contact["room"].clone()).expect("a room");
        Self {
            server,
            me,
            http,
            friend,
            friend_http,
            direct,
            folder: "",
            signature: None,
        }
    }

    /// The driver's account, as a caller of the house.
    ///
    /// # Panics
    /// If its session has ended.
    pub async fn caller(&self) -> Caller {
        self.server
            .wharf()
            .accounts()
            .authenticate(&self.me.token, Origin::internal())
            .await
            .expect("a session")
    }

    /// The path of a file, from the root of the drive.
    pub(super) fn path(&self, path: &str) -> String {
        match self.folder {
            "" => path.to_owned(),
            folder => format!("{folder}/{path}"),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("/api/v1/rooms/home/content/{}", self.path(path))
    }

    pub(super) async fn put(&self, path: &str, bytes: &'static [u8]) {
        let url = self.url(path);
        let put = self.http.send(Method::PUT, &url, &[], bytes);
        put.await.expect(201);
    }

    pub(super) async fn get(&self, path: &str) -> Bytes {
        self.http.get(&self.url(path)).await.expect(200).body
    }

    pub(super) async fn has(&self, path: &str) -> bool {
        self.http.get(&self.url(path)).await.status.is_success()
    }

    /// Fills a folder with empty files.
    pub(super) async fn fill(&self, folder: &str, files: usize) {
        let manifest = to_base64(&Manifest::default().pack());
        let put = |number| {
            let path = self.path(&format!("{folder}/f{number:04}"));
            json!({ "op": "put", "path": path, "manifest": manifest })
        };
        let ops: Vec<Value> = (0..files).map(put).collect();
        let commit = json!({ "id": CommitId::from_bytes([7; 16]), "ops": ops });
        let commit = self.http.post("/api/v1/rooms/home/commit", &commit);
        commit.await.expect(200);
    }

    /// The friend says something.
    pub(super) async fn friend_says(&self, text: &str) {
        let device = DeviceId::from_bytes(*self.friend.account.id.as_bytes());
        append(&self.friend_http, self.direct, device, text).await;
    }

    /// The driver's account writes [`ELSEWHERE`] into its journal on another device, over HTTP.
    pub(super) async fn write_elsewhere(&self) {
        let device = DeviceId::from_bytes(*self.friend.account.id.as_bytes());
        append(&self.http, self.me.account.home, device, ELSEWHERE).await;
    }

    /// A file of the friend's own.
    pub(super) async fn secret(&self) -> Secret {
        let bytes = b"nobody else's business".to_vec();
        let path = "secret.txt".to_owned();
        let url = format!("/api/v1/rooms/home/content/{path}");
        let put = self.friend_http.send(Method::PUT, &url, &[], bytes.clone());
        put.await.expect(201);
        let node = format!("/api/v1/rooms/home/node?path={path}");
        let node = self.friend_http.get(&node).await.expect(200).json();
        Secret {
            room: self.friend.account.home,
            node: serde_json::from_value(node["id"].clone()).expect("a node"),
            path,
            owner: self.friend.account.username.clone(),
            bytes,
        }
    }

    pub(super) async fn set_quota(&self, bytes: u64) {
        let accounts = self.server.wharf().accounts();
        let operator = &self.server.operator().token;
        let by = accounts
            .authenticate(operator, Origin::internal())
            .await
            .expect("the operator's session");
        let edit = EditAccount {
            locked: None,
            quota_bytes: Some(bytes),
            reset_password: false,
        };
        let admin = accounts.admin(&by).expect("an operator");
        admin
            .edit(self.me.account.id, edit)
            .await
            .expect("an account");
    }
}

/// Appends a text with the next number of a device.
async fn append(http: &Http, room: RoomId, device: DeviceId, text: &str) {
    let sent = format!("/api/v1/devices/{device}/sent");
    let sent = http.get(&sent).await.expect(200).json();
    let number = sent["number"].as_u64().expect("a number") + 1;
    let append =
        json!({ "device": device, "number": number, "draft": { "kind": "text", "text": text } });
    let log = format!("/api/v1/rooms/{room}/log");
    http.post(&log, &append).await.expect(200);
}
