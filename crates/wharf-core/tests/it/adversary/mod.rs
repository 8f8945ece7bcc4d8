//! The adversary: a stranger, members who went and who were removed, a reader and a blocked contact try everything that
//! the house can be asked for. Nobody gets what they should not, and nobody learns that a thing exists.

mod attempts;

use std::collections::BTreeSet;

use wharf_core::drive::{Page, RoomRef};
use wharf_core::log::Range;
use wharf_core::{Caller, Error, InternalRole, Scope};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{self, Denied, NotFound, Unauthenticated};
use wharf_types::api::contact::{ContactState, EditContact, EditContactGroup};
use wharf_types::api::drive::{At, Commit, Expect};
use wharf_types::api::hook::{CreateHook, HookDirection, HookMessage};
use wharf_types::api::room::{CreateLink, EditRoom, InviteToRoom, Role};
use wharf_types::{AccountId, ChunkHash, CommitId, HookId, RoomId};

use self::attempts::{Attempt, Does, Needs, OPERATORS, WITHOUT_CALLER, World};
use crate::desk::put_expecting;
use crate::operations::{Part, operations};
use crate::people::save::put_file;
use crate::people::{fresh, unlimited};
use crate::support::{House, Visitor, code, from};

both_engines!(
    who_is_no_member_gets_nothing_and_learns_nothing,
    a_reader_reads_and_changes_nothing_of_the_room,
    a_blocked_contact_reads_what_was_said_and_says_nothing_more,
    a_login_that_may_only_read_and_one_that_has_ended_change_nothing,
    the_program_itself_is_in_no_room,
    an_archived_room_is_changed_by_its_owner_s_word_alone,
    bytes_are_out_of_reach_without_the_room,
    a_webhook_is_nobody_s_without_its_secret,
    whom_one_does_not_know_looks_like_nobody
);

/// What nobody outside may be told.
const SECRETS: [&str; 2] = ["swordfish", "Harbour"];
const FILE: &[u8] = b"the map of the swordfish";

/// A group with something of everything in it, and everybody who may want it.
struct Stage {
    world: World,
    room: RoomId,
    owner: Visitor,
    reader: Visitor,
    blocked: Visitor,
    /// The room of the owner and the blocked contact; the latter owns it, so that nothing but the block is in the way.
    direct: RoomId,
    /// Who are outside, by what they are.
    outside: Vec<(&'static str, Visitor)>,
}

fn all() -> Vec<Attempt> {
    let mut attempts = attempts::of_accounts();
    attempts.extend(attempts::of_rooms());
    attempts.extend(attempts::of_drives());
    attempts
}

#[test]
fn no_operation_is_forgotten() {
    let mut tried: BTreeSet<String> = WITHOUT_CALLER
        .iter()
        .map(|(name, _)| *name)
        .chain(OPERATORS)
        .map(str::to_owned)
        .collect();
    for attempt in all().into_iter().chain(attempts::of_membership()) {
        assert!(
            tried.insert(attempt.name.to_owned()),
            "{} twice",
            attempt.name
        );
    }
    let there = operations(&Part::ALL);
    let forgotten: Vec<_> = there.difference(&tried).collect();
    assert!(
        forgotten.is_empty(),
        "{forgotten:?}: say in adversary/attempts.rs what it takes to be answered"
    );
    let gone: Vec<_> = tried.difference(&there).collect();
    assert!(gone.is_empty(), "{gone:?} is not there any more");
}

impl Stage {
    async fn open(db: TestDb) -> Self {
        let house = House::open_with(db, unlimited()).await;
        let operator = house.operator().await;
        let owner = house.member("owner").await;
        let [reader, left, removed, blocked] = [
            house.member("reader").await,
            house.member("left").await,
            house.member("removed").await,
            house.member("blocked").await,
        ];
        let room = house.group(&owner, "Secret Harbour").await;
        let there = RoomRef::Id(room);
        let topic = EditRoom {
            topic: Some("swordfish".into()),
            ..EditRoom::default()
        };
        let rooms = house.wharf.rooms();
        rooms.edit(&owner.caller, there, topic).await.unwrap();
        house
            .say(&owner.caller, room, "the password is #swordfish")
            .await
            .unwrap();
        let node = put_file(&house, &owner, there, "swordfish.map", FILE).await;
        for (who, role) in [
            (&reader, Role::Reader),
            (&left, Role::Editor),
            (&removed, Role::Editor),
        ] {
            house.bring(&owner, room, who, role).await;
        }
        rooms.leave(&left.caller, there).await.unwrap();
        rooms
            .remove_member(&owner.caller, there, removed.id())
            .await
            .unwrap();
        let invited = house.member("invited").await;
        house.befriend(&owner, &invited).await;
        let invitation = InviteToRoom {
            account: invited.id(),
            role: None,
        };
        rooms
            .invite(&owner.caller, there, invitation)
            .await
            .unwrap();

        let direct = house.befriend(&blocked, &owner).await;
        house
            .say(&owner.caller, direct, "between us")
            .await
            .unwrap();
        put_file(&house, &blocked, RoomRef::Id(direct), "ours", b"ours").await;
        block(&house, &owner, blocked.id()).await;
        let world = World {
            owner: owner.id(),
            session: owner.logged_in.session.id,
            node,
            hook: hook(&house, &owner, room).await,
            link: spent_code(&house, &owner, room).await,
            chunk: ChunkHash::of(FILE),
            group: group(&house, &owner).await,
            house,
        };
        let stranger = world.house.member("stranger").await;
        let outside = vec![
            ("stranger", stranger),
            ("left", left),
            ("removed", removed),
            // Running the server opens nobody's room.
            ("operator", operator),
        ];
        world.house.wharf.search().catch_up().await.unwrap();
        Self {
            world,
            room,
            owner,
            reader,
            blocked,
            direct,
            outside,
        }
    }

    /// All that the owner sees of the room, but for how far people have read.
    async fn fingerprint(&self, room: RoomId) -> String {
        let wharf = &self.world.house.wharf;
        let (by, there) = (&self.owner.caller, RoomRef::Id(room));
        let seen = wharf.rooms().get(by, there).await.unwrap();
        let members = wharf.rooms().members(by, there).await.unwrap();
        let page = wharf.logs().page(by, there, Range::After(0), Some(1_000));
        let log = page.await.unwrap();
        let changes = wharf.drive().changes(by, there, 0, None).await.unwrap();
        let trash = wharf.drive().trash(by, there, Page::default()).await;
        let used_bytes = wharf.drive().summary(by, there).await.unwrap().used_bytes;
        let owned = (
            wharf.rooms().links(by, there).await.ok(),
            wharf.hooks().list(by, there).await.ok(),
        );
        format!("{seen:?} {members:?} {log:?} {changes:?} {trash:?} {used_bytes} {owned:?}")
    }
}

async fn block(house: &House, by: &Visitor, whom: AccountId) {
    let request = EditContact {
        is_blocked: Some(true),
        ..EditContact::default()
    };
    let contacts = house.wharf.contacts();
    contacts.edit(&by.caller, whom, request).await.unwrap();
}

async fn hook(house: &House, owner: &Visitor, room: RoomId) -> HookId {
    let request = CreateHook {
        direction: HookDirection::Incoming,
        name: "swordfish".into(),
        url: None,
    };
    let hooks = house.wharf.hooks();
    let made = hooks
        .create(&owner.caller, RoomRef::Id(room), request)
        .await;
    made.unwrap().id
}

/// The code of a link that holds.
async fn code_of_link(house: &House, owner: &Visitor, room: RoomId) -> String {
    let rooms = house.wharf.rooms();
    let made = rooms.create_link(&owner.caller, RoomRef::Id(room), CreateLink::default());
    made.await.unwrap().code.unwrap()
}

/// The code of a link that holds no more.
async fn spent_code(house: &House, owner: &Visitor, room: RoomId) -> String {
    let rooms = house.wharf.rooms();
    let there = RoomRef::Id(room);
    let made = rooms.create_link(&owner.caller, there, CreateLink::default());
    let link = made.await.unwrap();
    rooms
        .remove_link(&owner.caller, there, &link.id)
        .await
        .unwrap();
    link.code.unwrap()
}

async fn group(house: &House, owner: &Visitor) -> wharf_types::ContactGroupId {
    let request = EditContactGroup {
        name: Some("swordfish".into()),
        order: None,
    };
    let contacts = house.wharf.contacts();
    contacts
        .create_group(&owner.caller, request)
        .await
        .unwrap()
        .id
}

fn told(outcome: &Result<String, Error>) -> String {
    match outcome {
        Ok(answer) => answer.clone(),
        Err(error) => format!("{}: {}", error.code(), error.text()),
    }
}

fn is_secret(told: &str) -> bool {
    SECRETS.iter().any(|secret| told.contains(secret))
}

async fn who_is_no_member_gets_nothing_and_learns_nothing(db: TestDb) {
    let stage = Stage::open(db).await;
    let before = stage.fingerprint(stage.room).await;
    let nowhere = RoomId::from_bytes([9; 16]);
    for (who, visitor) in &stage.outside {
        for attempt in all() {
            let outcome = (attempt.run)(&stage.world, visitor.caller, stage.room).await;
            let answer = told(&outcome);
            assert!(!is_secret(&answer), "{who}, {}: {answer}", attempt.name);
            if attempt.needs == Needs::Account {
                continue;
            }
            assert_eq!(code(outcome), Some(NotFound), "{who}, {}", attempt.name);
            let none = (attempt.run)(&stage.world, visitor.caller, nowhere).await;
            assert_eq!(
                answer,
                told(&none),
                "{who}, {}: as if there were none",
                attempt.name
            );
        }
    }
    for (who, visitor) in &stage.outside {
        for attempt in attempts::of_membership() {
            let outcome = (attempt.run)(&stage.world, visitor.caller, stage.room).await;
            let answer = told(&outcome);
            assert!(!is_secret(&answer), "{who}, {}: {answer}", attempt.name);
            if attempt.name != "accounts::logout" {
                assert!(outcome.is_err(), "{who}, {}: {answer}", attempt.name);
            }
        }
    }
    assert_eq!(stage.fingerprint(stage.room).await, before);
}

async fn a_reader_reads_and_changes_nothing_of_the_room(db: TestDb) {
    let stage = Stage::open(db).await;
    let before = stage.fingerprint(stage.room).await;
    let by = stage.reader.caller;
    let mut seen = 0;
    for attempt in all() {
        let outcome = (attempt.run)(&stage.world, by, stage.room).await;
        seen += usize::from(is_secret(&told(&outcome)));
        let expected = match attempt.needs {
            Needs::Account => continue,
            Needs::Member => None,
            Needs::Editor | Needs::Owner => Some(Denied),
        };
        assert_eq!(code(outcome), expected, "{}", attempt.name);
    }
    assert_eq!(stage.fingerprint(stage.room).await, before);
    // What an outsider would be caught at is there to be told.
    assert!(seen > 12, "{seen} answers had a secret in them");
}

async fn a_blocked_contact_reads_what_was_said_and_says_nothing_more(db: TestDb) {
    let mut stage = Stage::open(db).await;
    let by = stage.blocked.caller;
    let house = &stage.world.house;
    let there = RoomRef::Id(stage.direct);
    let ours = At::Path("ours".into());
    let node = house.wharf.drive().node(&by, there, ours).await.unwrap();
    stage.world.node = node.id;
    let before = stage.fingerprint(stage.direct).await;
    for attempt in all() {
        let expected = match attempt.needs {
            Needs::Account => continue,
            Needs::Member => None,
            Needs::Editor | Needs::Owner => Some(Denied),
        };
        let outcome = (attempt.run)(&stage.world, by, stage.direct).await;
        assert_eq!(code(outcome), expected, "{}", attempt.name);
    }
    assert_eq!(stage.fingerprint(stage.direct).await, before);

    // Nothing that they do reaches the one who blocked them.
    let house = &stage.world.house;
    let rooms = house.wharf.rooms();
    let version = rooms.changes(&stage.owner.caller, 0).await.unwrap().version;
    let group = house.group(&stage.blocked, "come in").await;
    let invitation = InviteToRoom {
        account: stage.owner.id(),
        role: None,
    };
    let invited = rooms.invite(&by, RoomRef::Id(group), invitation).await;
    let stranger = InviteToRoom {
        account: stage.outside[0].1.id(),
        role: None,
    };
    let not_known = rooms.invite(&by, RoomRef::Id(group), stranger).await;
    assert_eq!(
        told(&invited.map(|()| String::new())),
        told(&not_known.map(|()| String::new()))
    );
    house
        .wharf
        .contacts()
        .remove(&stage.owner.caller, stage.blocked.id())
        .await
        .unwrap();
    let changes = rooms.changes(&stage.owner.caller, version).await.unwrap();
    let asked = house.ask(&stage.blocked, &stage.owner).await.unwrap();
    assert_eq!(
        (asked.state, asked.is_blocked),
        (ContactState::Asked, false)
    );
    let after = rooms.changes(&stage.owner.caller, changes.version).await;
    assert_eq!(after.unwrap().items, []);
}

async fn a_login_that_may_only_read_and_one_that_has_ended_change_nothing(db: TestDb) {
    let mut stage = Stage::open(db).await;
    // Whom the attempts are about: somebody other than the one who makes them.
    stage.world.owner = stage.reader.id();
    stage.world.link = code_of_link(&stage.world.house, &stage.owner, stage.room).await;
    let before = stage.fingerprint(stage.room).await;
    let narrowed = stage.owner.caller.narrowed(Scope::Read);
    for attempt in all() {
        let outcome = (attempt.run)(&stage.world, narrowed, stage.room).await;
        match attempt.does {
            // What is malformed may be refused for that.
            Does::Change if attempt.name == "portage::import" => assert!(outcome.is_err()),
            Does::Change => assert_eq!(code(outcome), Some(Denied), "{}", attempt.name),
            // What only owners see is for those who can use it.
            Does::Look if attempt.needs == Needs::Owner => {
                assert_eq!(code(outcome), Some(Denied), "{}", attempt.name);
            }
            Does::Look if attempt.needs == Needs::Member => {
                assert_eq!(code(outcome), None, "{}", attempt.name);
            }
            Does::Look => {}
        }
    }
    assert_eq!(stage.fingerprint(stage.room).await, before);

    let house = &stage.world.house;
    let second = house
        .log_in("owner", crate::support::PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    house.wharf.accounts().logout(&second.caller).await.unwrap();
    for attempt in all() {
        // What is uploaded is within nobody's reach but the uploader's, and goes after the grace period.
        let is_harmless =
            ["transfer::upload", "search::remake", "portage::import"].contains(&attempt.name);
        if attempt.does == Does::Change && !is_harmless {
            let outcome = (attempt.run)(&stage.world, second.caller, stage.room).await;
            assert_eq!(code(outcome), Some(Unauthenticated), "{}", attempt.name);
        }
    }
    assert_eq!(stage.fingerprint(stage.room).await, before);
}

async fn the_program_itself_is_in_no_room(db: TestDb) {
    let stage = Stage::open(db).await;
    for role in [InternalRole::Console, InternalRole::Job] {
        let by = Caller::internal(role);
        for attempt in all() {
            if attempt.name == "search::remake" && role == InternalRole::Console {
                continue;
            }
            let outcome = (attempt.run)(&stage.world, by, stage.room).await;
            assert_eq!(code(outcome), Some(Denied), "{role:?}, {}", attempt.name);
        }
    }
}

async fn an_archived_room_is_changed_by_its_owner_s_word_alone(db: TestDb) {
    let stage = Stage::open(db).await;
    let archive = EditRoom {
        archived: Some(true),
        ..EditRoom::default()
    };
    let rooms = stage.world.house.wharf.rooms();
    let there = RoomRef::Id(stage.room);
    rooms
        .edit(&stage.owner.caller, there, archive)
        .await
        .unwrap();
    for by in [stage.owner.caller, stage.reader.caller] {
        for attempt in all() {
            let expected = match attempt.needs {
                Needs::Account | Needs::Owner => continue,
                Needs::Member => None,
                Needs::Editor => Some(Denied),
            };
            let outcome = (attempt.run)(&stage.world, by, stage.room).await;
            assert_eq!(code(outcome), expected, "{}", attempt.name);
        }
    }
}

async fn bytes_are_out_of_reach_without_the_room(db: TestDb) {
    let stage = Stage::open(db).await;
    let house = &stage.world.house;
    let transfers = house.wharf.transfers();
    let reader = stage.reader.caller;
    let none: Vec<ChunkHash> = Vec::new();
    let chunk = stage.world.chunk;
    let missing = async |by: Caller| transfers.missing(&by, vec![chunk]).await;
    assert_eq!(
        missing(reader).await.unwrap(),
        none,
        "there are bytes to be had"
    );
    let tried = || Commit {
        id: CommitId::from_bytes(fresh()),
        ops: vec![put_expecting("mine", FILE, Expect::Any)],
    };
    let drive = house.wharf.drive();
    for (who, visitor) in &stage.outside {
        let by = visitor.caller;
        assert_eq!(missing(by).await.unwrap(), [stage.world.chunk], "{who}");
        let committed = drive.commit(&by, RoomRef::Home, tried()).await;
        assert_eq!(code(committed), Some(NotFound), "{who}");
        let own = house.group(visitor, "mine").await;
        let committed = drive.commit(&by, RoomRef::Id(own), tried()).await;
        assert_eq!(code(committed), Some(NotFound), "{who}");
    }
    drive.commit(&reader, RoomRef::Home, tried()).await.unwrap();
}

async fn a_webhook_is_nobody_s_without_its_secret(db: TestDb) {
    let stage = Stage::open(db).await;
    let hooks = stage.world.house.wharf.hooks();
    let before = stage.fingerprint(stage.room).await;
    let mut answers = BTreeSet::new();
    for hook in [stage.world.hook, HookId::from_bytes([7; 16])] {
        for secret in ["", "a guess", "0000-0000"] {
            let message = HookMessage {
                text: "let me in".into(),
                id: None,
            };
            let posted = hooks.post(from("192.0.2.9"), hook, secret, message).await;
            let posted = posted.map(|appended| format!("{appended:?}"));
            assert_eq!(posted.as_ref().err().map(Error::code), Some(NotFound));
            answers.insert(told(&posted));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(stage.fingerprint(stage.room).await, before);
}

async fn whom_one_does_not_know_looks_like_nobody(db: TestDb) {
    let mut stage = Stage::open(db).await;
    let (who, stranger) = stage.outside.swap_remove(0);
    assert_eq!(who, "stranger");
    let by_id = [
        "contact::accept",
        "contact::decline",
        "contact::remove",
        "contact::edit",
    ];
    let mut outcomes: [Vec<(ErrorCode, String)>; 2] = Default::default();
    let known = stage.world.owner;
    for (account, outcomes) in [known, AccountId::from_bytes([9; 16])]
        .into_iter()
        .zip(&mut outcomes)
    {
        stage.world.owner = account;
        for attempt in attempts::of_accounts() {
            if by_id.contains(&attempt.name) {
                let refused = (attempt.run)(&stage.world, stranger.caller, stage.room).await;
                let refused = refused.unwrap_err();
                outcomes.push((refused.code(), refused.text().to_owned()));
            }
        }
    }
    assert_eq!(outcomes[0].len(), by_id.len());
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(outcomes[0].iter().all(|(code, _)| *code == NotFound));
}
