//! How the first person keeps a journal: at a laptop, on a phone, and by a box aboard that knows nothing but UDP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};
use wharf_core::drive::RoomRef;
use wharf_core::journal::{Save, SaveId, SaveOutcome};
use wharf_core::{Caller, Origin};
use wharf_types::RoomId;
use wharf_types::api::account::Login;
use wharf_types::api::journal::{CreateJournalKey, JournalKeyId, JournalKeyKind};
use wharf_types::api::log::{Draft, Text};

use super::{DAY_MS, Teller};
use crate::demo::story::{self, Desk};

/// After how long somebody logs in anew. A server forgets logins that nobody uses, and with them the names of devices.
const LOGIN_DAYS: i64 = 60;

/// What the journal was written with so far.
pub(super) struct Desks {
    password: String,
    /// The logins, and when they were.
    logins: BTreeMap<Desk, (Caller, i64)>,
    key: Option<JournalKeyId>,
}

impl Desks {
    pub(super) fn new(password: &str) -> Self {
        Self {
            password: password.to_owned(),
            logins: BTreeMap::new(),
            key: None,
        }
    }
}

/// What a device is called, and its address at home.
const fn device(desk: Desk) -> (&'static str, IpAddr) {
    let (name, last) = match desk {
        Desk::Laptop => ("Laptop", 20),
        Desk::Phone => ("Phone", 31),
        Desk::Boat => ("Petrel", 77),
    };
    (name, IpAddr::V4(Ipv4Addr::new(192, 168, 1, last)))
}

impl Teller<'_> {
    /// Writes into a journal.
    pub(super) async fn note(
        &mut self,
        who: usize,
        room: RoomId,
        desk: Desk,
        text: &str,
    ) -> anyhow::Result<()> {
        let position = if desk == Desk::Boat {
            self.note_by_datagram(who, room, text).await?
        } else {
            let by = self.at_desk(who, desk).await?;
            let draft = Draft::Text(Text {
                text: text.to_owned(),
                ..Text::default()
            });
            self.append_by(&by, who, room, draft).await?
        };
        self.said.entry(room).or_default().push(position);
        Ok(())
    }

    /// Who sits at a device.
    pub(super) async fn at_desk(&mut self, who: usize, desk: Desk) -> anyhow::Result<Caller> {
        let now_ms = self.clock.now_ms();
        if let Some((caller, at_ms)) = self.desks.logins.get(&desk)
            && now_ms - at_ms < LOGIN_DAYS * DAY_MS
        {
            return Ok(*caller);
        }
        let (name, address) = device(desk);
        let person = story::PEOPLE
            .get(who)
            .context("the story has nobody of this number")?;
        let login = Login {
            login: person.username.to_owned(),
            password: self.desks.password.clone(),
            device: Some(name.to_owned()),
        };
        let accounts = self.wharf.accounts();
        let logged_in = accounts.login(login, Origin::http(address)).await?;
        let caller = accounts
            .authenticate(&logged_in.token, Origin::http(address))
            .await?;
        self.desks.logins.insert(desk, (caller, now_ms));
        Ok(caller)
    }

    async fn note_by_datagram(
        &mut self,
        who: usize,
        room: RoomId,
        text: &str,
    ) -> anyhow::Result<u64> {
        let (name, address) = device(Desk::Boat);
        let journal = self.wharf.journal();
        let key = if let Some(key) = self.desks.key {
            key
        } else {
            let by = self.known(who)?.caller;
            let create = CreateJournalKey {
                kind: JournalKeyKind::Token,
                name: name.to_owned(),
            };
            let made = journal.create_key(&by, RoomRef::Id(room), create).await?;
            self.desks.key = Some(made.id);
            made.id
        };
        let save = Save {
            key,
            id: SaveId::Text,
            text: text.to_owned(),
            client_ms: None,
            from: SocketAddr::new(address, 40_000),
        };
        match journal.save(vec![save]).await?.first() {
            Some(SaveOutcome::Saved { position, .. }) => Ok(*position),
            other => bail!("an entry over UDP was not saved: {other:?}"),
        }
    }
}
