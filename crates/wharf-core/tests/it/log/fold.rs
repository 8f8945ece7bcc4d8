//! For everything that can be done in a room: what a member knew before, and the entries since, are what the member is
//! told now. The kinds of entries are counted by matches without a rest, so a new kind that no act here makes does not
//! compile, or is missed at the end.

use std::collections::BTreeSet;

use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::Commit;
use wharf_types::api::log::{
    Body, Draft, Edit, Entry, EntryState, FileDraft, MemberChange, Mentions, Pin, Reaction, Recall,
    Settings, Text,
};
use wharf_types::api::room::{EditRoom, History, Role, SetRole};
use wharf_types::fold::{self, RoomState};
use wharf_types::{CommitId, NodeId, RoomId};

use crate::desk::{frames_of, put};
use crate::support::{House, Visitor};

both_engines!(an_old_state_and_the_entries_since_are_the_new_state);

/// What a member knows of a room.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    room: RoomState,
    log: Vec<Entry>,
}

struct Trial {
    house: House,
    room: RoomId,
    watcher: Visitor,
    known: Known,
    seen: BTreeSet<&'static str>,
}

/// Every kind of entry, and of what two of them can say.
const KINDS: [&str; 17] = [
    "edit",
    "file",
    "joined",
    "left",
    "pin",
    "pin taken away",
    "reaction",
    "reaction taken away",
    "recall",
    "removed",
    "role",
    "settings: archived",
    "settings: history",
    "settings: keep_days",
    "settings: name",
    "settings: topic",
    "text",
];

fn kinds(body: &Body) -> Vec<&'static str> {
    match body {
        Body::Text(_) => vec!["text"],
        Body::File(_) => vec!["file"],
        Body::Edit(_) => vec!["edit"],
        Body::Recall(_) => vec!["recall"],
        Body::Reaction(reaction) if reaction.is_set => vec!["reaction"],
        Body::Reaction(_) => vec!["reaction taken away"],
        Body::Pin(pin) if pin.is_set => vec!["pin"],
        Body::Pin(_) => vec!["pin taken away"],
        Body::Member(member) => vec![match member.change {
            MemberChange::Joined => "joined",
            MemberChange::Left => "left",
            MemberChange::Removed => "removed",
            MemberChange::Role => "role",
        }],
        Body::Settings(settings) => {
            let Settings {
                name,
                topic,
                history,
                keep_days,
                archived,
            } = settings;
            [
                name.is_some().then_some("settings: name"),
                topic.is_some().then_some("settings: topic"),
                history.is_some().then_some("settings: history"),
                keep_days.is_some().then_some("settings: keep_days"),
                archived.is_some().then_some("settings: archived"),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    }
}

async fn an_old_state_and_the_entries_since_are_the_new_state(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let watcher = house.member("watcher").await;
    let editor = house.member("editor").await;
    let guest = house.member("guest").await;
    let room = house.group(&owner, "Team").await;
    house.bring(&owner, room, &watcher, Role::Reader).await;
    let known = known(&house, &watcher, room).await;
    let mut trial = Trial {
        house,
        room,
        watcher,
        known,
        seen: BTreeSet::new(),
    };
    trial.said(&owner).await;
    trial.members(&owner, &editor, &guest).await;
    trial.settings(&editor).await;
    assert!(
        trial.seen.iter().eq(&KINDS),
        "not every kind was seen: {:?}",
        trial.seen
    );
}

impl Trial {
    async fn do_draft(&mut self, who: &Visitor, draft: Draft) -> u64 {
        let appended = self
            .house
            .append(&who.caller, self.room, draft)
            .await
            .unwrap();
        self.compare().await;
        appended.position
    }

    async fn said(&mut self, owner: &Visitor) {
        let text = |text: &str| {
            Draft::Text(Text {
                text: text.to_owned(),
                reply_to: None,
                mentions: Mentions {
                    accounts: Vec::new(),
                    everybody: true,
                },
            })
        };
        let edit = |target, text: &str| {
            Draft::Edit(Edit {
                target,
                text: text.to_owned(),
                mentions: Mentions::default(),
            })
        };
        let react = |target, is_set| {
            let emoji = "👍".to_owned();
            Draft::Reaction(Reaction {
                target,
                emoji,
                is_set,
            })
        };
        let pin = |target, is_set| Draft::Pin(Pin { target, is_set });
        let recall = |target| Draft::Recall(Recall { target });
        let said = self.do_draft(owner, text("one")).await;
        let node = self.put_file(owner).await;
        let file = Draft::File(FileDraft {
            node,
            revision: None,
            dimensions: Some((1, 2)),
            text: "look".to_owned(),
            reply_to: Some(said),
            mentions: Mentions::default(),
        });
        let file = self.do_draft(owner, file).await;
        for target in [said, file] {
            for draft in [
                edit(target, "two"),
                edit(target, "three"),
                react(target, true),
                react(target, true),
                react(target, false),
                react(target, false),
                react(target, true),
                pin(target, true),
                pin(target, true),
                pin(target, false),
                pin(target, true),
                recall(target),
            ] {
                self.do_draft(owner, draft).await;
            }
        }
    }

    async fn put_file(&self, who: &Visitor) -> NodeId {
        let bytes = b"the bytes of a file";
        let transfers = self.house.wharf.transfers();
        transfers
            .upload(&who.caller, frames_of(bytes))
            .await
            .unwrap();
        let commit = Commit {
            id: CommitId::from_bytes([7; 16]),
            ops: vec![put("a.txt", bytes)],
        };
        let drive = self.house.wharf.drive();
        let done = drive
            .commit(&who.caller, RoomRef::Id(self.room), commit)
            .await
            .unwrap();
        done.results[0].id
    }

    /// People come, change role and go; the room ends up `editor`'s.
    async fn members(&mut self, owner: &Visitor, editor: &Visitor, guest: &Visitor) {
        self.house
            .bring(owner, self.room, editor, Role::Editor)
            .await;
        self.compare().await;
        self.house
            .bring(owner, self.room, guest, Role::Reader)
            .await;
        self.compare().await;
        let (rooms, at) = (self.house.wharf.rooms().clone(), RoomRef::Id(self.room));
        for role in [Role::Editor, Role::Reader] {
            rooms
                .set_role(&owner.caller, at, guest.id(), SetRole { role })
                .await
                .unwrap();
            self.compare().await;
        }
        rooms
            .remove_member(&owner.caller, at, guest.id())
            .await
            .unwrap();
        self.compare().await;
        let role = Role::Owner;
        rooms
            .set_role(&owner.caller, at, editor.id(), SetRole { role })
            .await
            .unwrap();
        self.compare().await;
        rooms.leave(&owner.caller, at).await.unwrap();
        self.compare().await;
    }

    async fn settings(&mut self, owner: &Visitor) {
        let (rooms, at) = (self.house.wharf.rooms().clone(), RoomRef::Id(self.room));
        let edits = [
            EditRoom {
                name: Some("Crew".to_owned()),
                ..EditRoom::default()
            },
            EditRoom {
                topic: Some("ships".to_owned()),
                ..EditRoom::default()
            },
            EditRoom {
                history: Some(History::Joined),
                ..EditRoom::default()
            },
            EditRoom {
                keep_days: Some(30),
                ..EditRoom::default()
            },
            EditRoom {
                name: Some("Team".to_owned()),
                topic: Some(String::new()),
                archived: Some(true),
                ..EditRoom::default()
            },
        ];
        for edit in edits {
            rooms.edit(&owner.caller, at, edit).await.unwrap();
            self.compare().await;
        }
    }

    /// Carries forward what was known, and compares it with what is told now.
    async fn compare(&mut self) {
        let now = known(&self.house, &self.watcher, self.room).await;
        let new: Vec<Entry> = now.log.iter().skip(self.known.log.len()).cloned().collect();
        assert!(!new.is_empty(), "nothing was told");
        for mut entry in new {
            // As it was told when it was new.
            entry.state = EntryState::default();
            let body = entry.body.as_ref().unwrap();
            self.seen.extend(kinds(body));
            for earlier in &mut self.known.log {
                fold::apply(earlier, &entry);
            }
            self.known.room.apply(&entry);
            self.known.log.push(entry);
        }
        assert_eq!(self.known, now);
    }
}

/// What a member is told now.
async fn known(house: &House, who: &Visitor, room: RoomId) -> Known {
    let (at, by) = (RoomRef::Id(room), &who.caller);
    let view = house.wharf.rooms().get(by, at).await.unwrap();
    let members = house.wharf.rooms().members(by, at).await.unwrap();
    let range = Range::After(0);
    let page = house
        .wharf
        .logs()
        .page(by, at, range, Some(1_000))
        .await
        .unwrap();
    Known {
        room: RoomState {
            name: view.name,
            topic: view.topic,
            history: view.history,
            keep_days: view.keep_days,
            archived: view.archived,
            members: members
                .items
                .into_iter()
                .filter_map(|member| Some((member.person.id, member.role?)))
                .collect(),
        },
        log: page.items,
    }
}
