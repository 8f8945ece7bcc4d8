//! What a scenario leaves behind, read through the house.

use std::collections::BTreeMap;

use wharf_core::drive::{Manifests, Page, RoomRef};
use wharf_core::{Caller, Door};
use wharf_types::ChunkHash;
use wharf_types::api::drive::{At, NodeKind};
use wharf_types::api::log::Body;

use super::World;
use super::world::ELSEWHERE;

/// The files and entries of the driver's account and of the room with its friend.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// The files below the protocol's folder of the home drive, by path.
    pub home: BTreeMap<String, Stored>,
    /// The paths in the trash.
    pub trash: Vec<String>,
    /// The files of the direct room, by the last name of their path: where a door puts them is its own business.
    pub handed_over: BTreeMap<String, Stored>,
    /// What was said in the direct room.
    pub said: Vec<Said>,
    /// What was written into the journal.
    pub journal: Vec<Said>,
}

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes of its content.
    pub bytes: u64,
    /// The hash of its bytes; however a door cut them into chunks.
    pub content: Option<ChunkHash>,
    /// How many revisions it has.
    pub revisions: usize,
}

/// A text or file of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether the driver said it: its account did, or where its protocol proves none, it is signed as the driver signs.
    pub is_mine: bool,
    /// Whether it came through the door that it must have come through: the driver's, or HTTP for what others said, and what
    /// was said elsewhere.
    pub is_from_door: bool,
    /// The text, or the file's name.
    pub text: String,
}

impl State {
    pub(super) async fn read(world: &World<'_>, door: Door) -> Self {
        let by = world.caller().await;
        let drive = world.server.wharf().drive();
        let page = drive
            .trash(&by, RoomRef::Home, Page::default())
            .await
            .expect("the trash");
        let prefix = world.path("");
        let beneath = |path: &str| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        let direct = RoomRef::Id(world.direct);
        let handed_over = files(world, &by, direct).await;
        Self {
            home: files(world, &by, RoomRef::Home)
                .await
                .into_iter()
                .map(|(path, stored)| (beneath(&path), stored))
                .collect(),
            trash: page.items.iter().map(|node| beneath(&node.path)).collect(),
            handed_over: handed_over
                .into_iter()
                .map(|(path, stored)| {
                    (
                        path.rsplit('/').next().unwrap_or_default().to_owned(),
                        stored,
                    )
                })
                .collect(),
            said: said(world, &by, direct, door).await,
            journal: said(world, &by, RoomRef::Home, door).await,
        }
    }
}

async fn files(world: &World<'_>, by: &Caller, room: RoomRef) -> BTreeMap<String, Stored> {
    let drive = world.server.wharf().drive();
    let at = At::Path(String::new());
    let page = Page {
        after: None,
        limit: Some(10_000),
    };
    let tree = drive
        .tree(by, room, at, page, Manifests::Omit)
        .await
        .expect("a tree");
    let is_few = tree.items.len() < 100;
    let mut files = BTreeMap::new();
    for entry in tree.items {
        if entry.kind != NodeKind::File {
            continue;
        }
        let node = || At::Id(entry.id);
        // Thousands of files are those that the test made itself.
        let (content, revisions) = if is_few {
            let revisions = drive
                .revisions(by, room, node(), None, None)
                .await
                .expect("revisions");
            let content = content(world, by, room, node()).await;
            (Some(ChunkHash::of(&content)), revisions.items.len())
        } else {
            (None, 1)
        };
        let stored = Stored {
            bytes: entry.bytes,
            content,
            revisions,
        };
        files.insert(entry.path, stored);
    }
    files
}

async fn content(world: &World<'_>, by: &Caller, room: RoomRef, at: At) -> Vec<u8> {
    let transfers = world.server.wharf().transfers();
    let content = transfers.content(by, room, at, None).await;
    let mut reader = content.expect("content").read(0..u64::MAX);
    let mut bytes = Vec::new();
    while let Some(next) = reader.next().await.expect("whole chunks") {
        bytes.extend_from_slice(&next);
    }
    bytes
}

async fn said(world: &World<'_>, by: &Caller, room: RoomRef, door: Door) -> Vec<Said> {
    let logs = world.server.wharf().logs();
    let page = logs
        .page(by, room, wharf_core::log::Range::After(0), None)
        .await
        .expect("a log");
    let me = world.me.account.id;
    let said = |entry: wharf_types::api::log::Entry| {
        let text = match entry.body? {
            Body::Text(text) => text.text,
            Body::File(file) => file.name,
            _ => return None,
        };
        let is_mine = match &world.signature {
            Some(signature) if entry.account.is_none() => entry.name.as_ref() == Some(signature),
            _ => entry.account == Some(me),
        };
        let is_by_driver = is_mine && text != ELSEWHERE;
        let from = if is_by_driver { door } else { Door::Http };
        Some(Said {
            is_mine,
            is_from_door: entry.origin.door == from.text(),
            text,
        })
    };
    page.items.into_iter().filter_map(said).collect()
}
