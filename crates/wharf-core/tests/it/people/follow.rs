//! A list and the changes of it: whoever has an old snapshot, and reads what changed since and what the logs say since, has
//! what a new snapshot says. Held against random histories of everything that people do to contacts and rooms.

mod replica;

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wharf_core::Error;
use wharf_core::drive::RoomRef;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::contact::{
    AskContact, ContactState, EditContact, EditContactGroup, EditProfile,
};
use wharf_types::api::log::{Body, Draft, Edit, Entry, Mentions, Pin, Reaction, Recall, Text};
use wharf_types::api::room::{
    CreateLink, CreateRoom, EditPreferences, EditRoom, History, InviteToRoom, JoinRoom, Notify,
    Role, RoomKind, SetRole,
};
use wharf_types::{AccountId, ContactGroupId, ErrorCode, RoomId};

use self::replica::Replica;
use super::unlimited;
use crate::operations::{Part, operations};
use crate::support::{House, Visitor};

both_engines!(a_snapshot_and_what_changed_since_are_the_new_snapshot);

/// Least steps of a history, which ends when everything was done once; more with `WHARF_PEOPLE_STEPS`.
const STEPS: usize = 150;

/// What people do: the operations of contacts and rooms that change something, and what is said in a log.
const ACTS: [&str; 28] = [
    "contact::ask",
    "contact::accept",
    "contact::decline",
    "contact::remove",
    "contact::edit",
    "contact::create_group",
    "contact::edit_group",
    "contact::remove_group",
    "contact::edit_profile",
    "room::create",
    "room::edit",
    "room::invite",
    "room::withdraw",
    "room::accept",
    "room::decline",
    "room::create_link",
    "room::remove_link",
    "room::join",
    "room::leave",
    "room::remove_member",
    "room::set_role",
    "room::edit_preferences",
    "say",
    "edit an entry",
    "recall",
    "react",
    "pin",
    "mark_read",
];

/// What the rest needs.
const OFTEN: [&str; 4] = ["contact::ask", "contact::accept", "room::invite", "say"];

/// The operations of contacts and rooms that change nobody's list.
const OTHERS: [&str; 10] = [
    "contact::find",
    "contact::list",
    "room::list",
    "room::get",
    "room::changes",
    "room::save",
    "room::members",
    "room::invitations",
    "room::links",
    "room::look",
];

struct Play {
    house: House,
    people: Vec<Visitor>,
    rooms: Vec<RoomId>,
    groups: Vec<(usize, ContactGroupId)>,
    codes: Vec<(RoomId, String, String)>,
    /// Invitations that were made, the last one that was looked at first.
    invited: Vec<(RoomId, AccountId)>,
    random: StdRng,
}

fn steps() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long to test is the tester's to say"
    )]
    let asked = std::env::var("WHARF_PEOPLE_STEPS");
    asked.map_or(STEPS, |text| text.parse().unwrap())
}

async fn a_snapshot_and_what_changed_since_are_the_new_snapshot(db: TestDb) {
    let known: BTreeSet<&str> = ACTS.iter().chain(&OTHERS).copied().collect();
    for operation in operations(&[Part::Contact, Part::Room]) {
        assert!(
            known.contains(operation.as_str()),
            "{operation} is new: give it a place in ACTS or OTHERS"
        );
    }
    let house = House::open_with(db, unlimited()).await;
    let mut people = vec![house.operator().await];
    for name in ["bob", "carol", "dave", "eve"] {
        people.push(house.member(name).await);
    }
    let mut replicas: Vec<_> = people
        .iter()
        .map(|one| Replica::new(one.caller, one.id()))
        .collect();
    let mut play = Play {
        house,
        people,
        rooms: Vec::new(),
        groups: Vec::new(),
        codes: Vec::new(),
        invited: Vec::new(),
        random: StdRng::seed_from_u64(11),
    };
    let mut done = BTreeSet::new();
    let steps = steps();
    for step in 0..10 * steps {
        if step >= steps && done.len() == ACTS.len() {
            break;
        }
        let left: Vec<&str> = ACTS.into_iter().filter(|act| !done.contains(act)).collect();
        let act = if play.chance(25) {
            OFTEN[play.below(OFTEN.len())]
        } else if play.chance(40) && !left.is_empty() {
            left[play.below(left.len())]
        } else {
            ACTS[play.below(ACTS.len())]
        };
        let outcome = play.act(act).await;
        match &outcome {
            Ok(()) => {
                done.insert(act);
            }
            Err(error) => assert_ne!(error.code(), ErrorCode::Internal, "{act}: {error:?}"),
        }
        for (index, replica) in replicas.iter_mut().enumerate() {
            // Some are away for a while.
            if (step + 1) % (3 * index + 1) == 0 {
                replica.follow(&play.house).await;
                replica
                    .compare(&play.house, &format!("step {step}, {act}: {outcome:?}"))
                    .await;
            }
        }
    }
    let all: BTreeSet<&str> = ACTS.into_iter().collect();
    assert_eq!(done, all, "each was done at least once");
}

impl Play {
    fn below(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound.max(1))
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn other(&mut self) -> AccountId {
        let index = self.below(self.people.len());
        self.people[index].id()
    }

    /// The first one from `me` on whom an invitation waits for.
    async fn who_is_invited(&self, me: usize) -> usize {
        for step in 0..self.people.len() {
            let index = (me + step) % self.people.len();
            let rooms = self.house.wharf.rooms();
            let waiting = rooms.invitations(&self.people[index].caller).await.unwrap();
            if !waiting.is_empty() {
                return index;
            }
        }
        me
    }

    async fn owner_of(&self, room: RoomId) -> Option<usize> {
        let rooms = self.house.wharf.rooms();
        for (index, person) in self.people.iter().enumerate() {
            let seen = rooms.get(&person.caller, RoomRef::Id(room)).await;
            if seen.is_ok_and(|seen| seen.role == Role::Owner) {
                return Some(index);
            }
        }
        None
    }

    /// A room to do something with: mostly one that lets this person, sometimes any.
    async fn room(&mut self, me: usize, act: &str) -> RoomId {
        if self.chance(10) && !self.rooms.is_empty() {
            let index = self.below(self.rooms.len());
            return self.rooms[index];
        }
        let owners = [
            "edit",
            "invite",
            "withdraw",
            "create_link",
            "remove_member",
            "set_role",
        ];
        let rooms = self.house.wharf.rooms();
        let list = rooms.list(&self.people[me].caller).await.unwrap().items;
        let fit: Vec<RoomId> = list
            .iter()
            .filter(|room| match act {
                "leave" => room.kind == RoomKind::Group && room.role != Role::Owner,
                "withdraw" => self
                    .invited
                    .first()
                    .is_some_and(|(invited, _)| *invited == room.id),
                act if owners.contains(&act) => {
                    room.kind == RoomKind::Group && room.role == Role::Owner
                }
                _ => true,
            })
            .map(|room| room.id)
            .collect();
        let index = self.below(fit.len());
        fit.get(index).copied().unwrap_or(self.people[me].home())
    }

    /// Whom to do something with in a room.
    async fn target(&mut self, me: usize, room: RoomId, act: &str) -> AccountId {
        let there = RoomRef::Id(room);
        let by = &self.people[me].caller;
        if act == "withdraw" {
            let invited = self.invited.iter().find(|(invited, _)| *invited == room);
            return invited.map_or(self.people[me].id(), |(_, account)| *account);
        }
        if act == "invite" {
            let list = self.house.wharf.contacts().list(by).await.unwrap().items;
            let mut contacts = list.into_iter().map(|contact| contact.person.id);
            let index = self.below(3);
            return contacts.nth(index).unwrap_or(self.people[me].id());
        }
        let members = match self.house.wharf.rooms().members(by, there).await {
            Ok(members) => members.items,
            Err(_) => Vec::new(),
        };
        let members: Vec<AccountId> = members
            .iter()
            .filter(|member| member.role.is_some() && member.role != Some(Role::Owner))
            .map(|member| member.person.id)
            .collect();
        let index = self.below(members.len());
        match members.get(index) {
            Some(member) => *member,
            None => self.other(),
        }
    }

    async fn act(&mut self, act: &str) -> Result<(), Error> {
        let mut me = self.below(self.people.len());
        if matches!(act, "room::accept" | "room::decline") {
            me = self.who_is_invited(me).await;
        }
        if act == "room::withdraw" {
            // Somebody whose invitation waits.
            let turn = self.invited.len().min(1);
            self.invited.rotate_left(turn);
            let owner = match self.invited.first() {
                Some((room, _)) => self.owner_of(*room).await,
                None => None,
            };
            me = owner.unwrap_or(me);
        }
        self.house.clock.advance_ms(7);
        match act.split_once("::") {
            Some(("contact", name)) => self.contact(me, name).await,
            Some(("room", name)) => self.room_act(me, name).await,
            _ => self.log_act(me, act).await,
        }
    }

    async fn contact(&mut self, me: usize, name: &str) -> Result<(), Error> {
        let mut other = self.other();
        let number = self.below(1_000);
        if matches!(name, "accept" | "decline") {
            let list = self.house.wharf.contacts().list(&self.people[me].caller);
            let asking = list.await.unwrap().items.into_iter();
            let mut asking = asking.filter(|contact| contact.state == ContactState::Asking);
            other = asking.next().map_or(other, |contact| contact.person.id);
        }
        let group = self.groups.get(number % 7).copied();
        let contacts = self.house.wharf.contacts();
        let by = &self.people[me].caller;
        match name {
            "ask" => {
                let who = self.people[number % self.people.len()]
                    .logged_in
                    .account
                    .number;
                let request = AskContact {
                    who: who.to_string(),
                    word: format!("it is {number}"),
                };
                let contact = contacts.ask(by, request).await?;
                self.rooms.extend(contact.room);
            }
            "accept" => {
                let contact = contacts.accept(by, other).await?;
                self.rooms.extend(contact.room);
            }
            "decline" => contacts.decline(by, other).await?,
            // Rarely, so that there are contacts.
            "remove" if number.is_multiple_of(3) => contacts.remove(by, other).await?,
            "remove" => {}
            "edit" => {
                let request = EditContact {
                    remark: (number.is_multiple_of(2)).then(|| format!("remark {number}")),
                    group: group
                        .map(|(_, group)| group)
                        .filter(|_| number.is_multiple_of(3)),
                    ungroup: number.is_multiple_of(5),
                    is_blocked: (!number.is_multiple_of(4)).then_some(number % 16 == 1),
                };
                contacts.edit(by, other, request).await?;
            }
            "create_group" => {
                let request = EditContactGroup {
                    name: Some(format!("group {}", number % 50)),
                    order: (number.is_multiple_of(2)).then_some(3),
                };
                let group = contacts.create_group(by, request).await?;
                self.groups.insert(0, (me, group.id));
            }
            "edit_group" | "remove_group" => {
                let Some((owner, group)) = group else {
                    return Err(Error::not_found("no group yet"));
                };
                let by = &self.people[owner].caller;
                if name == "remove_group" {
                    return contacts.remove_group(by, group).await;
                }
                let request = EditContactGroup {
                    name: Some(format!("group {}", number % 50)),
                    order: Some(1),
                };
                contacts.edit_group(by, group, request).await?;
            }
            "edit_profile" => {
                let request = EditProfile {
                    nickname: (number.is_multiple_of(2)).then(|| format!("nick {number}")),
                    status_text: Some(format!("at {number}")),
                };
                contacts.edit_profile(by, request).await?;
            }
            other => unreachable!("{other} is not played"),
        }
        Ok(())
    }

    async fn room_act(&mut self, me: usize, name: &str) -> Result<(), Error> {
        let id = self.room(me, name).await;
        let (other, number) = (self.target(me, id, name).await, self.below(1_000));
        let room = RoomRef::Id(id);
        let role = [Role::Reader, Role::Editor, Role::Owner][number % 3];
        let rooms = self.house.wharf.rooms();
        let by = &self.people[me].caller;
        match name {
            "create" => {
                let request = CreateRoom {
                    name: format!("room {number}"),
                    history: if number.is_multiple_of(2) {
                        History::All
                    } else {
                        History::Joined
                    },
                    invite: if number.is_multiple_of(3) {
                        vec![other]
                    } else {
                        Vec::new()
                    },
                    ..CreateRoom::default()
                };
                let made = rooms.create(by, request).await?;
                self.rooms.insert(0, made.id);
                self.rooms.truncate(12);
            }
            "edit" => {
                let request = EditRoom {
                    name: (number.is_multiple_of(2)).then(|| format!("room {number}")),
                    topic: (number.is_multiple_of(3)).then(|| format!("about {number}")),
                    history: (number.is_multiple_of(5)).then_some(History::All),
                    keep_days: (number.is_multiple_of(7)).then_some(3_000),
                    archived: (number % 11 < 4).then_some(number.is_multiple_of(11)),
                };
                rooms.edit(by, room, request).await?;
            }
            "invite" => {
                let request = InviteToRoom {
                    account: other,
                    role: Some(role.min(Role::Editor)),
                };
                rooms.invite(by, room, request).await?;
                self.invited.insert(0, (id, other));
            }
            "withdraw" => rooms.withdraw(by, room, other).await?,
            "accept" | "decline" => {
                let waiting = rooms.invitations(by).await?;
                let Some(invitation) = waiting.first() else {
                    return rooms.decline(by, id).await;
                };
                if name == "accept" {
                    rooms.accept(by, invitation.room).await?;
                } else {
                    rooms.decline(by, invitation.room).await?;
                }
            }
            "create_link" => {
                let request = CreateLink {
                    role: Some(role.min(Role::Editor)),
                    uses: (number.is_multiple_of(2)).then_some(1),
                    ..CreateLink::default()
                };
                let link = rooms.create_link(by, room, request).await?;
                self.codes.insert(0, (id, link.id, link.code.unwrap()));
            }
            "remove_link" | "join" => {
                let Some((room, link, code)) = self.codes.get(number % 3) else {
                    return Err(Error::not_found("no link yet"));
                };
                if name == "remove_link" {
                    return rooms.remove_link(by, RoomRef::Id(*room), link).await;
                }
                rooms.join(by, JoinRoom { code: code.clone() }).await?;
            }
            "leave" => rooms.leave(by, room).await?,
            "remove_member" => rooms.remove_member(by, room, other).await?,
            "set_role" => rooms.set_role(by, room, other, SetRole { role }).await?,
            "edit_preferences" => {
                let request = EditPreferences {
                    notify: Some(Notify::Mentions),
                    is_pinned: Some(number.is_multiple_of(2)),
                    is_marked: (number.is_multiple_of(3)).then_some(true),
                    is_hidden: None,
                    draft: Some(format!("draft {number}")),
                };
                rooms.edit_preferences(by, room, request).await?;
            }
            other => unreachable!("{other} is not played"),
        }
        Ok(())
    }

    async fn log_act(&mut self, me: usize, act: &str) -> Result<(), Error> {
        let id = self.room(me, act).await;
        let (number, other) = (self.below(1_000), self.other());
        let log = self.house.log(&self.people[me], id).await;
        let said = |entry: &&Entry| entry.body.as_ref().is_some_and(Body::is_countable);
        let said = log.iter().rev().filter(said);
        let mut targets: Vec<u64> = said.take(4).map(|entry| entry.position).collect();
        targets.push(log.len() as u64);
        let target = targets[number % targets.len()];
        let mentions = Mentions {
            accounts: if number.is_multiple_of(2) {
                vec![other]
            } else {
                Vec::new()
            },
            everybody: number.is_multiple_of(5),
        };
        let by = self.people[me].caller;
        let draft = match act {
            "say" => Draft::Text(Text {
                text: format!("say {number}"),
                reply_to: None,
                mentions,
            }),
            "edit an entry" => Draft::Edit(Edit {
                target,
                text: format!("rather {number}"),
                mentions,
            }),
            "recall" => Draft::Recall(Recall { target }),
            "react" => Draft::Reaction(Reaction {
                target,
                emoji: "+1".into(),
                is_set: number % 3 > 0,
            }),
            "pin" => Draft::Pin(Pin {
                target,
                is_set: number % 3 > 0,
            }),
            "mark_read" => {
                let logs = self.house.wharf.logs();
                return logs.mark_read(&by, RoomRef::Id(id), target).await;
            }
            other => unreachable!("{other} is not played"),
        };
        self.house.append(&by, id, draft).await.map(|_| ())
    }
}
