//! A real server, spoken with through its sessions in place of sockets.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use wharf_core::{Caller, Origin};
use wharf_server::live::{Session, Sink};
use wharf_testkit::db::Engine;
use wharf_testkit::server::TestServer;
use wharf_types::api::contact::AskContact;
use wharf_types::api::live::{ClientFrame, ServerFrame};
use wharf_types::api::room::CreateRoom;
use wharf_types::{AccountId, RoomId};
use wharf_wire::websocket::CloseCode;

use super::{Random, Server, Truth};
use crate::api::{Api, Range, Room};
use crate::net::Options;

/// How long a session is given to do what it has to.
const TURN: Duration = Duration::from_millis(2);

/// The server, with its people.
pub(super) struct HouseServer {
    // Before the runtime, which it needs to end.
    conns: BTreeMap<u64, (Session, Frames)>,
    server: TestServer,
    apis: BTreeMap<AccountId, Api>,
    callers: BTreeMap<AccountId, Caller>,
    rooms: Vec<RoomId>,
    next_conn: u64,
    runtime: Runtime,
}

/// What a session gave.
#[derive(Default)]
struct Frames(Vec<ServerFrame>);

impl Sink for Frames {
    fn frame(&mut self, frame: &ServerFrame) {
        self.0.push(frame.clone());
    }

    fn told(&mut self, told: &Arc<wharf_core::live::Told>) {
        self.0.extend_from_slice(told.frames());
    }

    fn ping(&mut self) {}

    fn close(&mut self, _code: CloseCode) {}
}

impl HouseServer {
    pub(super) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(TestServer::on(Engine::Sqlite));
        Self {
            conns: BTreeMap::new(),
            server,
            apis: BTreeMap::new(),
            callers: BTreeMap::new(),
            rooms: Vec::new(),
            next_conn: 0,
            runtime,
        }
    }

    /// Lets a session do what it can.
    fn turn(&mut self, conn: u64) {
        let Some((session, frames)) = self.conns.get_mut(&conn) else {
            return;
        };
        let polling = poll_fn(|cx| session.poll(cx, frames));
        self.runtime.block_on(async {
            drop(tokio::time::timeout(TURN, polling).await);
        });
    }
}

impl Server for HouseServer {
    fn add(&mut self, accounts: u8, rooms: u8) -> (Vec<AccountId>, Vec<RoomId>) {
        let Self {
            server,
            apis,
            callers,
            runtime,
            ..
        } = self;
        let (accounts, rooms) = runtime.block_on(async {
            let mut people = Vec::new();
            for n in 0..accounts {
                let (person, _) = server.member(&format!("person{n}")).await;
                let mut options = Options::new(server.url().parse().unwrap());
                options.connections = 1;
                let api = Api::lazily(options)
                    .unwrap()
                    .with_token(&person.token)
                    .unwrap();
                let by = server
                    .wharf()
                    .accounts()
                    .authenticate(&person.token, Origin::internal())
                    .await
                    .unwrap();
                apis.insert(person.account.id, api);
                callers.insert(person.account.id, by);
                people.push(person);
            }
            let (owner, others) = people.split_first().unwrap();
            for other in others {
                let ask = AskContact {
                    who: other.account.username.clone(),
                    word: String::new(),
                };
                apis[&owner.account.id].ask_contact(&ask).await.unwrap();
                let other = &apis[&other.account.id];
                other.accept_contact(owner.account.id).await.unwrap();
            }
            let mut made = Vec::new();
            for n in 0..rooms {
                let create = CreateRoom {
                    name: format!("room {n}"),
                    invite: others.iter().map(|other| other.account.id).collect(),
                    ..CreateRoom::default()
                };
                let room = apis[&owner.account.id].create_room(&create).await.unwrap();
                for other in others {
                    let other = &apis[&other.account.id];
                    other.accept_room_invitation(room.id).await.unwrap();
                }
                made.push(room.id);
            }
            (
                people.iter().map(|person| person.account.id).collect(),
                made,
            )
        });
        self.rooms.clone_from(&rooms);
        (accounts, rooms)
    }

    fn connect(&mut self, account: AccountId) -> u64 {
        self.next_conn += 1;
        let by = self.callers[&account];
        let wharf = Arc::new(self.server.wharf().clone());
        let session = self
            .runtime
            .block_on(async { Session::new(wharf, by).unwrap() });
        self.conns
            .insert(self.next_conn, (session, Frames::default()));
        self.next_conn
    }

    fn disconnect(&mut self, conn: u64) {
        self.turn(conn);
        self.conns.remove(&conn);
    }

    fn receive(&mut self, conn: u64, frame: ClientFrame, _now_ms: i64, _random: &mut Random) {
        if let Some((session, frames)) = self.conns.get_mut(&conn) {
            session.receive(&serde_json::to_string(&frame).unwrap(), frames);
        }
        self.turn(conn);
    }

    fn take(&mut self, conn: u64) -> Vec<ServerFrame> {
        self.turn(conn);
        self.conns
            .get_mut(&conn)
            .map(|(_, frames)| std::mem::take(&mut frames.0))
            .unwrap_or_default()
    }

    fn truth(&mut self, account: AccountId) -> BTreeMap<RoomId, Truth> {
        let api = &self.apis[&account];
        let mut truths = BTreeMap::new();
        for room in &self.rooms {
            let named = Room::Id(*room);
            let (page, view) = self.runtime.block_on(async {
                let page = api.log(named, Range::After(0), Some(1000)).await.unwrap();
                (page, api.room(named).await.unwrap())
            });
            let truth = Truth {
                entries: page.items,
                read: view.read,
                unread: view.unread,
                mentions: view.mentions,
            };
            truths.insert(*room, truth);
        }
        truths
    }
}
