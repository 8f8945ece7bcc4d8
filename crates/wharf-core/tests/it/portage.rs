//! Everything an account owns, out of one server and into another, and out again.

#![expect(
    clippy::cognitive_complexity,
    clippy::too_many_lines,
    reason = "a scenario is a list of steps"
)]

mod abandoned;

use std::collections::HashMap;

use parking_lot::Mutex;
use wharf_core::drive::{Manifests, Page, RoomRef};
use wharf_core::log::{Range, verify};
use wharf_core::{Error, HouseConfig};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::contact::{AskContact, EditContact, EditContactGroup};
use wharf_types::api::drive::{At, Commit, Op};
use wharf_types::api::log::{
    Append, Body, Draft, Edit, FileDraft, Mentions, Pin, Reaction, Recall, Text,
};
use wharf_types::api::portage::{ExportQuery, ImportBatch, ImportProgress, Record};
use wharf_types::api::room::{CreateRoom, EditPreferences, EditRoom, InviteToRoom, RoomKind};
use wharf_types::api::search::SearchQuery;
use wharf_types::{CommitId, DeviceId, ErrorCode, ImportId, RoomId};

use crate::desk::{frames_of, make_folder, move_to, put, remove};
use crate::log::room::unlimited;
use crate::support::{House, Visitor, code};

both_engines!(
    an_archive_goes_round,
    a_batch_that_is_sent_again_changes_nothing,
    an_archive_that_was_changed_is_refused,
    nobody_writes_in_anothers_name,
    a_room_is_seen_when_it_is_whole,
    chunks_and_quota_are_asked_for,
    a_journal_that_has_begun_is_not_mixed_with_another,
    what_a_drive_was_given_meanwhile_comes_along,
);

const SMALL: &[u8] = b"first words";
const OTHER: &[u8] = b"second words";

/// A server with an account that owns something.
struct Place {
    house: House,
    me: Visitor,
    numbers: Mutex<HashMap<DeviceId, u64>>,
}

fn text(text: &str) -> Draft {
    Draft::Text(Text {
        text: text.to_owned(),
        ..Text::default()
    })
}

impl Place {
    async fn open(db: TestDb) -> Self {
        Self::open_with(db, unlimited()).await
    }

    async fn open_with(db: TestDb, config: HouseConfig) -> Self {
        let house = House::open_with(db, config).await;
        let me = house.operator().await;
        house.clock.advance_ms(5);
        Self {
            house,
            me,
            numbers: Mutex::default(),
        }
    }

    async fn friend(&self, name: &str) -> Visitor {
        let friend = self.house.member(name).await;
        self.house.clock.advance_ms(5);
        let contacts = self.house.wharf.contacts();
        let ask = AskContact {
            who: name.to_owned(),
            word: "hello".to_owned(),
        };
        contacts.ask(&self.me.caller, ask).await.unwrap();
        contacts.accept(&friend.caller, self.me.id()).await.unwrap();
        self.house.clock.advance_ms(5);
        friend
    }

    async fn say(&self, who: &Visitor, room: RoomRef, draft: Draft) -> u64 {
        let device = DeviceId::from_bytes(*who.id().as_bytes());
        let number = {
            let mut numbers = self.numbers.lock();
            let number = numbers.entry(device).or_default();
            *number += 1;
            *number
        };
        let append = Append {
            device,
            number,
            draft,
            client_ms: Some(number.cast_signed()),
        };
        self.house.clock.advance_ms(1_000_000);
        let appended = self
            .house
            .wharf
            .logs()
            .append(&who.caller, room, append)
            .await;
        appended.unwrap().position
    }

    async fn commit(&self, who: &Visitor, room: RoomRef, ops: Vec<Op>) {
        self.house.clock.advance_ms(3);
        let mut id = [7; 16];
        id[..8].copy_from_slice(&self.house.clock.now_ms().to_be_bytes());
        let id = CommitId::from_bytes(id);
        let drive = self.house.wharf.drive();
        drive
            .commit(&who.caller, room, Commit { id, ops })
            .await
            .unwrap();
    }

    async fn upload(&self, who: &Visitor, bytes: &[u8]) {
        let transfers = self.house.wharf.transfers();
        transfers
            .upload(&who.caller, frames_of(bytes))
            .await
            .unwrap();
    }

    async fn export(&self, who: &Visitor) -> Vec<Vec<Record>> {
        let mut pages = Vec::new();
        let mut query = ExportQuery::default();
        loop {
            let portage = self.house.wharf.portage();
            let page = portage.export(&who.caller, query.clone()).await.unwrap();
            pages.push(page.records);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return pages,
            }
        }
    }

    async fn import(
        &self,
        who: &Visitor,
        number: u64,
        records: &[Record],
    ) -> Result<ImportProgress, Error> {
        let batch = ImportBatch {
            import: ImportId::from_bytes([3; 16]),
            number,
            records: records.to_vec(),
        };
        self.house.wharf.portage().import(&who.caller, batch).await
    }

    /// Brings a whole archive in, so many records at a time.
    async fn import_all(&self, who: &Visitor, records: &[Record], step: usize) -> ImportProgress {
        let mut progress = None;
        for (number, records) in (1..).zip(records.chunks(step)) {
            progress = Some(self.import(who, number, records).await.unwrap());
        }
        let progress = progress.unwrap();
        assert!(progress.is_done && progress.rooms.iter().all(|room| room.is_whole));
        progress
    }

    async fn find(&self, q: &str) -> usize {
        self.house.wharf.search().catch_up().await.unwrap();
        let query = SearchQuery {
            q: q.to_owned(),
            ..SearchQuery::default()
        };
        let found = self.house.wharf.search().find(&self.me.caller, query).await;
        found.unwrap().items.len()
    }
}

/// Another server, on a database of the same kind.
async fn elsewhere(db: &TestDb) -> Place {
    let engine = db.engine();
    let db = tokio::task::spawn_blocking(move || TestDb::open(engine))
        .await
        .unwrap();
    let place = Place::open(db).await;
    place.house.clock.advance_ms(60_000);
    place
}

/// An account with all there is: a journal, a group with people in it, a direct room; files with a history.
async fn furnished(db: TestDb) -> (Place, RoomId) {
    let place = Place::open(db).await;
    let (bee, cat) = (place.friend("bee").await, place.friend("cat").await);
    let (me, wharf) = (&place.me, &place.house.wharf);
    furnish_home(&place).await;
    let request = CreateRoom {
        name: "Team".to_owned(),
        topic: "what we do".to_owned(),
        ..CreateRoom::default()
    };
    let room = wharf.rooms().create(&me.caller, request).await.unwrap().id;
    let at = RoomRef::Id(room);
    for other in [&bee, &cat] {
        place.house.clock.advance_ms(5);
        let invite = InviteToRoom {
            account: other.id(),
            role: None,
        };
        wharf.rooms().invite(&me.caller, at, invite).await.unwrap();
        wharf.rooms().accept(&other.caller, room).await.unwrap();
    }
    let mentions = Mentions {
        accounts: vec![bee.id()],
        everybody: true,
    };
    let draft = Draft::Text(Text {
        text: "you and all".to_owned(),
        reply_to: None,
        mentions,
    });
    let first = place.say(me, at, draft).await;
    place
        .say(
            &bee,
            at,
            Draft::Reaction(Reaction {
                target: first,
                emoji: "👍".to_owned(),
                is_set: true,
            }),
        )
        .await;
    place.say(&cat, at, text("a guest's words #tagged")).await;
    place.upload(&bee, SMALL).await;
    place
        .commit(&bee, at, vec![put("shared/plan.txt", SMALL)])
        .await;
    let drive = wharf.drive();
    let node = drive
        .node(&me.caller, at, At::Path("shared/plan.txt".to_owned()))
        .await
        .unwrap();
    let file = Draft::File(FileDraft {
        node: node.id,
        revision: None,
        dimensions: Some((3, 4)),
        text: "the plan".to_owned(),
        reply_to: Some(first),
        mentions: Mentions::default(),
    });
    let handed = place.say(&bee, at, file).await;
    place.upload(me, OTHER).await;
    place
        .commit(me, at, vec![put("shared/plan.txt", OTHER)])
        .await;
    place
        .say(
            me,
            at,
            Draft::Pin(Pin {
                target: handed,
                is_set: true,
            }),
        )
        .await;
    wharf.rooms().leave(&cat.caller, at).await.unwrap();
    wharf.logs().mark_read(&bee.caller, at, 3).await.unwrap();
    wharf
        .logs()
        .mark_delivered(&me.caller, DeviceId::from_bytes([5; 16]), at, 6)
        .await
        .unwrap();
    let edit = EditRoom {
        topic: Some("what we did".to_owned()),
        archived: Some(true),
        ..EditRoom::default()
    };
    wharf.rooms().edit(&me.caller, at, edit).await.unwrap();
    furnish_contacts(&place, &bee).await;
    (place, room)
}

async fn furnish_home(place: &Place) {
    let (me, at) = (&place.me, RoomRef::Home);
    let first = place.say(me, at, text("dear diary")).await;
    let second = place.say(me, at, text("not this")).await;
    place
        .say(
            me,
            at,
            Draft::Edit(Edit {
                target: second,
                text: "nor this".to_owned(),
                mentions: Mentions::default(),
            }),
        )
        .await;
    place
        .say(me, at, Draft::Recall(Recall { target: second }))
        .await;
    place
        .say(
            me,
            at,
            Draft::Edit(Edit {
                target: first,
                text: "dearest diary".to_owned(),
                mentions: Mentions::default(),
            }),
        )
        .await;
    for bytes in [SMALL, OTHER] {
        place.upload(me, bytes).await;
    }
    let tag = Op::Tag {
        at: At::Path("a/one.txt".to_owned()),
        add: vec!["kept".to_owned(), "best".to_owned()],
        remove: Vec::new(),
    };
    place
        .commit(
            me,
            at,
            vec![
                put("a/one.txt", SMALL),
                put("a/two.txt", SMALL),
                make_folder("b/c"),
                tag,
            ],
        )
        .await;
    place
        .commit(me, at, vec![put("a/one.txt", OTHER), remove("a/two.txt")])
        .await;
    place
        .commit(
            me,
            at,
            vec![
                put("gone/x.txt", SMALL),
                move_to("a/one.txt", "b/c/one.txt"),
            ],
        )
        .await;
    // A name that was another's, a folder in the trash with a file in it, and one that is purged.
    place
        .commit(me, at, vec![make_folder("a/one.txt"), remove("gone")])
        .await;
    place
        .commit(me, at, vec![put("lost/y.txt", SMALL), remove("lost")])
        .await;
    let drive = place.house.wharf.drive();
    let trash = drive.trash(&me.caller, at, Page::default()).await.unwrap();
    let lost = trash.items.iter().find(|node| node.path == "lost").unwrap();
    place.commit(me, at, vec![Op::Purge { id: lost.id }]).await;
}

async fn furnish_contacts(place: &Place, bee: &Visitor) {
    let (me, wharf) = (&place.me, &place.house.wharf);
    let group = EditContactGroup {
        name: Some("Family".to_owned()),
        order: None,
    };
    let group = wharf
        .contacts()
        .create_group(&me.caller, group)
        .await
        .unwrap();
    let edit = EditContact {
        remark: Some("little bee".to_owned()),
        group: Some(group.id),
        ..EditContact::default()
    };
    wharf
        .contacts()
        .edit(&me.caller, bee.id(), edit)
        .await
        .unwrap();
    let rooms = wharf.rooms().list(&me.caller).await.unwrap().items;
    let direct = rooms
        .iter()
        .find(|room| {
            room.kind == RoomKind::Direct
                && room.peer.as_ref().is_some_and(|peer| peer.id == bee.id())
        })
        .unwrap();
    let at = RoomRef::Id(direct.id);
    place.say(bee, at, text("between us")).await;
    let preferences = EditPreferences {
        is_pinned: Some(true),
        draft: Some("half a sentence".to_owned()),
        ..EditPreferences::default()
    };
    wharf
        .rooms()
        .edit_preferences(&me.caller, at, preferences)
        .await
        .unwrap();
}

/// An archive without what differs between servers: the names of ids, the chains over them, who and when.
fn canonical(records: &[Record]) -> Vec<String> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut canonical = Vec::new();
    for record in records {
        let mut record = record.clone();
        match &mut record {
            Record::Archive(archive) => {
                archive.at_ms = 0;
                archive.account.number = 0;
            }
            Record::Entry(entry) => entry.hash = wharf_wire::entry::START,
            _ => {}
        }
        let json = serde_json::to_string(&record).unwrap();
        canonical.push(rename(&json, &mut names));
    }
    canonical
}

/// Every id by the place of its first appearance.
fn rename(json: &str, names: &mut HashMap<String, usize>) -> String {
    let is_id = |part: &str| {
        part.len() == 36
            && part.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    json.split('"')
        .map(|part| {
            if !is_id(part) {
                return part.to_owned();
            }
            let count = names.len();
            format!("id{}", names.entry(part.to_owned()).or_insert(count))
        })
        .collect::<Vec<_>>()
        .join("\"")
}

async fn an_archive_goes_round(db: TestDb) {
    for step in [1, 7, 10_000] {
        let engine = db.engine();
        let from = tokio::task::spawn_blocking(move || TestDb::open(engine))
            .await
            .unwrap();
        let (there, _) = furnished(from).await;
        let archive: Vec<Record> = there.export(&there.me).await.concat();
        let kinds =
            |kind: fn(&Record) -> bool| archive.iter().filter(|record| kind(record)).count();
        assert_eq!(kinds(|record| matches!(record, Record::Room(_))), 4);
        assert!(kinds(|record| matches!(record, Record::Entry(_))) > 15);
        assert!(kinds(|record| matches!(record, Record::Change(_))) > 15);
        let here = elsewhere(&db).await;
        for bytes in [SMALL, OTHER] {
            here.upload(&here.me, bytes).await;
        }
        here.import_all(&here.me, &archive, step).await;
        let again: Vec<Record> = here.export(&here.me).await.concat();
        let (before, after) = (canonical(&archive), canonical(&again));
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(after, before, "in batches of {step}");
        }
        assert_eq!(after.len(), before.len());
        assert_what_was_brought_in(&here).await;
    }
}

/// What is there is in order, and can be used like anything that was made here.
async fn assert_what_was_brought_in(here: &Place) {
    let (me, wharf) = (&here.me, &here.house.wharf);
    assert_eq!(verify(wharf.db()).await.unwrap().faults, []);
    assert_eq!(wharf.drive().recount_usage().await.unwrap(), 0);
    let rooms = wharf.rooms().list(&me.caller).await.unwrap().items;
    let by_kind = |kind| rooms.iter().filter(move |room| room.kind == kind).count();
    assert_eq!(
        (
            by_kind(RoomKind::Personal),
            by_kind(RoomKind::Group),
            by_kind(RoomKind::Direct)
        ),
        (1, 3, 0)
    );
    let team = rooms.iter().find(|room| room.name == "Team").unwrap();
    assert!(team.archived && !team.can_write && team.member_count == 1);
    let bee = rooms.iter().find(|room| room.name == "bee").unwrap();
    assert_eq!(
        (bee.unread, bee.preferences.draft.as_str()),
        (1, "half a sentence")
    );
    assert!(bee.can_write && bee.preferences.is_pinned);
    let people = wharf
        .rooms()
        .members(&me.caller, RoomRef::Id(team.id))
        .await
        .unwrap()
        .items;
    let names: Vec<_> = people
        .iter()
        .map(|member| (member.person.username.as_str(), member.role.is_some()))
        .collect();
    assert_eq!(names, [("root", true), ("bee", false), ("cat", false)]);
    // The log folds to the same: the recall holds, the edit is shown, the file is there at its first revision.
    let home = wharf
        .logs()
        .page(&me.caller, RoomRef::Home, Range::After(0), None)
        .await
        .unwrap()
        .items;
    assert_eq!(home[0].state.edited.as_ref().unwrap().text, "dearest diary");
    assert_eq!((home[1].state.recalled, &home[1].body), (Some(4), &None));
    assert_eq!(home[0].origin.address.as_deref(), Some("192.0.2.1"));
    let files = wharf
        .logs()
        .files(&me.caller, RoomRef::Id(team.id), None, None)
        .await
        .unwrap()
        .items;
    let Some(Body::File(file)) = &files[0].body else {
        unreachable!("a file");
    };
    let at = At::Id(file.node);
    let content = wharf
        .transfers()
        .content(&me.caller, RoomRef::Id(team.id), at, Some(file.revision))
        .await
        .unwrap();
    assert_eq!(
        content.read(0..u64::MAX).next().await.unwrap().unwrap(),
        SMALL
    );
    let root = At::Path(String::new());
    let tree = wharf
        .drive()
        .tree(
            &me.caller,
            RoomRef::Home,
            root,
            Page::default(),
            Manifests::Omit,
        )
        .await
        .unwrap();
    let paths: Vec<_> = tree.items.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a", "a/one.txt", "b", "b/c", "b/c/one.txt"]);
    assert_eq!(here.find("guest from:cat").await, 1);
    assert_eq!(here.find("\"not this\"").await, 0);
    // It goes on where it was.
    assert_eq!(here.say(me, RoomRef::Home, text("the next day")).await, 6);
    let op = Op::Restore {
        id: wharf
            .drive()
            .trash(&me.caller, RoomRef::Home, Page::default())
            .await
            .unwrap()
            .items[0]
            .id,
        to: None,
    };
    here.commit(me, RoomRef::Home, vec![op]).await;
    assert_eq!(wharf.drive().recount_usage().await.unwrap(), 0);
    assert_eq!(verify(wharf.db()).await.unwrap().faults, []);
}

async fn a_batch_that_is_sent_again_changes_nothing(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    let import = ImportId::from_bytes([3; 16]);
    let portage = here.house.wharf.portage();
    assert_eq!(
        portage
            .progress(&here.me.caller, import)
            .await
            .unwrap()
            .number,
        0
    );
    assert_eq!(
        code(here.import(&here.me, 2, &archive[..1]).await),
        Some(ErrorCode::Stale)
    );
    let batches: Vec<&[Record]> = archive.chunks(11).collect();
    for (number, records) in (1..).zip(&batches) {
        let first = here.import(&here.me, number, records).await.unwrap();
        let second = here.import(&here.me, number, records).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(
            portage.progress(&here.me.caller, import).await.unwrap(),
            first
        );
        assert_eq!(
            code(here.import(&here.me, number + 2, records).await),
            Some(ErrorCode::Stale)
        );
    }
    let more = here
        .import(&here.me, batches.len() as u64 + 1, &archive[..1])
        .await;
    assert_eq!(code(more), Some(ErrorCode::Stale), "the archive has ended");
    let again: Vec<Record> = here.export(&here.me).await.concat();
    assert_eq!(canonical(&again), canonical(&archive));
}

/// A change that somebody makes to an archive.
type Forge = fn(&mut Vec<Record>) -> bool;

/// Changes the first record that `change` takes.
fn change_one(records: &mut [Record], change: impl FnMut(&mut Record) -> bool) -> bool {
    records.iter_mut().any(change)
}

async fn an_archive_that_was_changed_is_refused(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    let forgeries: [(&str, Forge, ErrorCode); 12] = [
        (
            "a word",
            |records| {
                change_one(records, |record| match record {
                    Record::Entry(entry) => match &mut entry.body {
                        Some(Body::Text(text)) => {
                            text.text.push('!');
                            true
                        }
                        _ => false,
                    },
                    _ => false,
                })
            },
            ErrorCode::Corrupt,
        ),
        (
            "an author",
            |records| {
                change_one(records, |record| match record {
                    Record::Entry(entry) => {
                        entry.account = None;
                        true
                    }
                    _ => false,
                })
            },
            ErrorCode::Corrupt,
        ),
        (
            "a time",
            |records| {
                change_one(records, |record| match record {
                    Record::Entry(entry) => {
                        entry.at_ms += 1;
                        true
                    }
                    _ => false,
                })
            },
            ErrorCode::Corrupt,
        ),
        (
            "a gap in the log",
            |records| {
                let at = records
                    .iter()
                    .position(|record| matches!(record, Record::Entry(_)));
                at.map(|at| records.remove(at)).is_some()
            },
            ErrorCode::Invalid,
        ),
        (
            "a gap in the drive",
            |records| {
                let at = records
                    .iter()
                    .position(|record| matches!(record, Record::Change(_)));
                at.map(|at| records.remove(at)).is_some()
            },
            ErrorCode::Invalid,
        ),
        (
            "another content",
            |records| {
                change_one(records, |record| match record {
                    Record::Change(change) => match &mut change.content {
                        Some(content) if content.manifest.is_some() => {
                            content.bytes += 1;
                            true
                        }
                        _ => false,
                    },
                    _ => false,
                })
            },
            ErrorCode::Invalid,
        ),
        (
            "a folder within itself",
            |records| {
                change_one(records, |record| match record {
                    Record::Change(change) => match &mut change.state {
                        Some(state) => {
                            state.parent = Some(change.node);
                            true
                        }
                        None => false,
                    },
                    _ => false,
                })
            },
            ErrorCode::Invalid,
        ),
        (
            "a name with a slash",
            |records| {
                change_one(records, |record| match record {
                    Record::Change(change) => match &mut change.state {
                        Some(state) => {
                            "../up".clone_into(&mut state.name);
                            true
                        }
                        None => false,
                    },
                    _ => false,
                })
            },
            ErrorCode::Invalid,
        ),
        (
            "no end",
            |records| {
                let at = records
                    .iter()
                    .position(|record| matches!(record, Record::RoomEnd(_)));
                at.map(|at| records.remove(at)).is_some()
            },
            ErrorCode::Invalid,
        ),
        (
            "no beginning",
            |records| {
                records.remove(0);
                true
            },
            ErrorCode::Invalid,
        ),
        (
            "a shorter log",
            |records| {
                change_one(records, |record| match record {
                    Record::RoomEnd(end) => {
                        end.head += 1;
                        true
                    }
                    _ => false,
                })
            },
            ErrorCode::Invalid,
        ),
        (
            "a later version",
            |records| {
                change_one(records, |record| match record {
                    Record::Archive(archive) => {
                        archive.version += 1;
                        true
                    }
                    _ => false,
                })
            },
            ErrorCode::Unsupported,
        ),
    ];
    for (what, forge, refused) in forgeries {
        let mut forged = archive.clone();
        assert!(forge(&mut forged), "{what}");
        let outcome = here.import(&here.me, 1, &forged).await;
        assert_eq!(code(outcome), Some(refused), "{what}");
    }
    // Nothing of all that was kept: the true archive is still taken as the first batch.
    here.import_all(&here.me, &archive, 10_000).await;
}

async fn nobody_writes_in_anothers_name(db: TestDb) {
    // Into the server that it came from, by somebody who is in the archive too.
    let (place, room) = furnished(db).await;
    let archive: Vec<Record> = place.export(&place.me).await.concat();
    let thief = place
        .house
        .log_in("bee", crate::support::PASSWORD, "192.0.2.8")
        .await
        .unwrap();
    for bytes in [SMALL, OTHER] {
        place.upload(&thief, bytes).await;
    }
    let progress = place.import_all(&thief, &archive, 10_000).await;
    assert!(
        progress
            .rooms
            .iter()
            .all(|imported| imported.to != imported.from)
    );
    let to = progress
        .rooms
        .iter()
        .find(|imported| imported.from == room)
        .unwrap()
        .to;
    let logs = place.house.wharf.logs();
    let page = logs
        .page(&thief.caller, RoomRef::Id(to), Range::After(0), None)
        .await
        .unwrap();
    for entry in &page.items {
        assert_ne!(
            entry.account,
            Some(place.me.id()),
            "the first author's words are the importer's now"
        );
    }
    let original = logs
        .page(&place.me.caller, RoomRef::Id(room), Range::After(0), None)
        .await
        .unwrap();
    let is_bees = |entry: &wharf_types::api::log::Entry| entry.account == Some(thief.id());
    let before: Vec<bool> = original.items.iter().map(is_bees).collect();
    let after: Vec<bool> = page.items.iter().map(is_bees).collect();
    assert_ne!(
        before, after,
        "bee's own words are a stand-in's, for the archive is not bee's"
    );
    let trees = [(&place.me, room), (&thief, to)];
    let mut nodes = Vec::new();
    for (who, room) in trees {
        let root = At::Path(String::new());
        let drive = place.house.wharf.drive();
        let tree = drive
            .tree(
                &who.caller,
                RoomRef::Id(room),
                root,
                Page::default(),
                Manifests::Omit,
            )
            .await
            .unwrap();
        nodes.push(
            tree.items
                .into_iter()
                .map(|entry| entry.id)
                .collect::<Vec<_>>(),
        );
    }
    assert!(
        nodes[0].iter().all(|node| !nodes[1].contains(node)),
        "nodes have ids of their own"
    );
    assert_eq!(verify(place.house.wharf.db()).await.unwrap().faults, []);
}

async fn a_room_is_seen_when_it_is_whole(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    let team_ends = archive
        .iter()
        .enumerate()
        .filter(|(_, record)| matches!(record, Record::RoomEnd(_)));
    let ends: Vec<usize> = team_ends.map(|(index, _)| index).collect();
    let rooms = here.house.wharf.rooms();
    // The first room of the archive is the personal one, which is there anyway.
    here.import(&here.me, 1, &archive[..=ends[0]])
        .await
        .unwrap();
    let progress = here
        .import(&here.me, 2, &archive[ends[0] + 1..ends[1]])
        .await
        .unwrap();
    assert_eq!(rooms.list(&here.me.caller).await.unwrap().items.len(), 1);
    let half = progress.rooms.iter().find(|room| !room.is_whole).unwrap();
    let refused = rooms.get(&here.me.caller, RoomRef::Id(half.to)).await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    here.import(&here.me, 3, &archive[ends[1]..=ends[1]])
        .await
        .unwrap();
    assert_eq!(rooms.list(&here.me.caller).await.unwrap().items.len(), 2);
    rooms
        .get(&here.me.caller, RoomRef::Id(half.to))
        .await
        .unwrap();
}

async fn chunks_and_quota_are_asked_for(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    assert_eq!(
        code(here.import(&here.me, 1, &archive).await),
        Some(ErrorCode::NotFound)
    );
    // Somebody else's chunks are not within reach.
    let other = here.house.member("other").await;
    for bytes in [SMALL, OTHER] {
        here.upload(&other, bytes).await;
    }
    assert_eq!(
        code(here.import(&here.me, 1, &archive).await),
        Some(ErrorCode::NotFound)
    );
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    set_quota(&here, 30).await;
    assert_eq!(
        code(here.import(&here.me, 1, &archive).await),
        Some(ErrorCode::OverQuota)
    );
    set_quota(&here, 1_000_000).await;
    here.import_all(&here.me, &archive, 10_000).await;
}

async fn set_quota(place: &Place, bytes: u64) {
    let account = place.me.id();
    let set = move |tx: &mut wharf_store::sql::Tx<'_>| {
        tx.exec(
            "UPDATE account SET quota_bytes = ?2 WHERE id = ?1",
            &[account.into(), bytes.into()],
        )
    };
    place
        .house
        .db
        .write(wharf_store::sql::Lock::Global, set)
        .await
        .unwrap();
}

async fn a_journal_that_has_begun_is_not_mixed_with_another(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    here.say(&here.me, RoomRef::Home, text("my own beginning"))
        .await;
    let progress = here.import_all(&here.me, &archive, 10_000).await;
    let home = here.me.caller.person().unwrap().home;
    assert!(progress.rooms.iter().all(|room| room.to != home));
    let rooms = here
        .house
        .wharf
        .rooms()
        .list(&here.me.caller)
        .await
        .unwrap()
        .items;
    assert!(rooms.iter().any(|room| room.name == "Imported journal"));
    // And when it is begun while the other one comes.
    let late = elsewhere(&here.house.db).await;
    for bytes in [SMALL, OTHER] {
        late.upload(&late.me, bytes).await;
    }
    let second = archive
        .iter()
        .position(|record| matches!(record, Record::Entry(_)))
        .unwrap();
    late.import(&late.me, 1, &archive[..second]).await.unwrap();
    late.say(&late.me, RoomRef::Home, text("in between")).await;
    let refused = late.import(&late.me, 2, &archive[second..]).await;
    assert_eq!(code(refused), Some(ErrorCode::Stale));
}

async fn what_a_drive_was_given_meanwhile_comes_along(db: TestDb) {
    let here = elsewhere(&db).await;
    let there = Place::open(db).await;
    let (me, at) = (&there.me, RoomRef::Home);
    there.upload(me, SMALL).await;
    for folder in 0..60 {
        let ops = (0..40)
            .map(|file| put(&format!("{folder}/{file}"), SMALL))
            .collect();
        there.commit(me, at, ops).await;
    }
    let portage = there.house.wharf.portage();
    let first = portage
        .export(&me.caller, ExportQuery::default())
        .await
        .unwrap();
    let mut records = first.records;
    let mut after = first.next;
    assert!(after.is_some(), "it does not fit one page");
    // What came out already moves, and other nodes take the names.
    let ops = vec![
        move_to("0", "was 0"),
        move_to("1/1", "0"),
        remove("2"),
        move_to("was 0/3", "was 0/x"),
        move_to("was 0/4", "was 0/3"),
        move_to("was 0/x", "was 0/4"),
    ];
    there.commit(me, at, ops).await;
    while let Some(next) = after {
        let page = portage
            .export(&me.caller, ExportQuery { after: Some(next) })
            .await
            .unwrap();
        records.extend(page.records);
        after = page.next;
    }
    here.upload(&here.me, SMALL).await;
    here.import_all(&here.me, &records, 300).await;
    let mut trees = Vec::new();
    for place in [&there, &here] {
        let page = Page {
            after: None,
            limit: Some(10_000),
        };
        let root = At::Path(String::new());
        let drive = place.house.wharf.drive();
        let tree = drive
            .tree(&place.me.caller, at, root, page, Manifests::Omit)
            .await
            .unwrap();
        trees.push(
            tree.items
                .into_iter()
                .map(|entry| (entry.path, entry.revision))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(trees[0], trees[1]);
    assert_eq!(here.house.wharf.drive().recount_usage().await.unwrap(), 0);
}
