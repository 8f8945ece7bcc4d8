//! The drivers of the diary's port: the diary's published client, and lines of the journal.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::json;
use wharf_core::Door;
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_types::api::account::AccountRole;

use super::{Driver, Outcome, World};
use crate::gateway::diary::{Datagrams, DiaryClient};
use crate::server::Setup;

const ENTRIES_ONLY: &str = "the diary has the entries of one log, and nothing else";
const WRITES_ONLY: &str = "a key of the journal writes, and does nothing else";

/// The published client of the diary, at an address that its person has claimed.
pub struct DiaryDriver {
    client: DiaryClient,
}

/// Lines with a token.
pub struct JournalDriver {
    datagrams: Datagrams,
    token: String,
}

fn prepare(setup: &mut Setup) {
    let mut config = GatewayConfig::of(GatewayName::Diary);
    config.address.set_port(0);
    setup.server.gateways.diary = Some(config);
}

fn port(world: &World<'_>) -> SocketAddr {
    let address = world.server.gateway(GatewayName::Diary);
    address.parse().expect("an address")
}

impl Driver for DiaryDriver {
    const NAME: &'static str = "diary";
    const DOOR: Door = Door::Diary;
    const NO_FILES: &'static str = ENTRIES_ONLY;
    const NO_TALK: &'static str = ENTRIES_ONLY;
    // Only operators may claim the addresses that a test has.
    const ROLE: AccountRole = AccountRole::Operator;

    fn prepare(setup: &mut Setup) {
        prepare(setup);
    }

    /// Claims an address of loopback that nobody else has: one for each account.
    async fn open(world: &World<'_>) -> Self {
        let [_, high, middle, low] = world.me.account.number.to_be_bytes();
        let address = IpAddr::V4(Ipv4Addr::new(127, high, middle, low));
        let claim = json!({ "address": address, "show": "all" });
        let claims = "/api/v1/rooms/home/diary-addresses";
        world.http.post(claims, &claim).await.expect(201);
        let (client, _) = DiaryClient::start_at(address, port(world)).await;
        Self { client }
    }

    fn signature(&self) -> Option<String> {
        Some(self.client.address().to_string())
    }

    /// The protocol answers nothing; that the next question is answered says that this is done.
    async fn write(&mut self, text: &str) -> Outcome {
        self.client.line(text).await;
        self.client.line("sync").await;
        Outcome::Done(())
    }

    async fn journal(&mut self) -> Outcome<Vec<String>> {
        let log = self.client.line("r").await.expect("an answer");
        let log = String::from_utf8(log).expect("a log of text");
        let text = |line: &str| {
            let (_, text) = line.split_once(":  ").expect("when and from where");
            text.to_owned()
        };
        Outcome::Done(log.lines().map(text).collect())
    }
}

impl Driver for JournalDriver {
    const NAME: &'static str = "journal over UDP";
    const DOOR: Door = Door::Journal;
    const NO_FILES: &'static str = WRITES_ONLY;
    const NO_TALK: &'static str = WRITES_ONLY;
    const NO_READING: &'static str = WRITES_ONLY;

    fn prepare(setup: &mut Setup) {
        prepare(setup);
    }

    async fn open(world: &World<'_>) -> Self {
        let create = json!({ "kind": "token", "name": "parity" });
        let keys = "/api/v1/rooms/home/journal-keys";
        let made = world.http.post(keys, &create).await.expect(201).json();
        Self {
            datagrams: Datagrams::new(port(world)).await,
            token: made["secret"].as_str().expect("a token").to_owned(),
        }
    }

    async fn write(&mut self, text: &str) -> Outcome {
        let line = format!("{} {text}", self.token);
        let answer = self.datagrams.ask_text(&line).await;
        if answer.starts_with("OK ") {
            return Outcome::Done(());
        }
        Outcome::Refused(None)
    }
}
