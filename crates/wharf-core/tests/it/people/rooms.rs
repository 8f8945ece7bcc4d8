//! Making rooms, changing them, inviting, and what each member sees.

use wharf_core::drive::RoomRef;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{Denied, Exists, Invalid, NotFound};
use wharf_types::RoomId;
use wharf_types::api::log::{Body, MemberChange, Settings};
use wharf_types::api::room::{
    CreateRoom, EditPreferences, EditRoom, History, InviteToRoom, Notify, Preferences, Role,
    RoomKind,
};

use super::member_changes;
use crate::support::{House, START_MS, code};

both_engines!(
    a_group_is_made_once_for_one_id,
    a_room_is_never_called_like_an_account,
    an_invitation_is_accepted_declined_and_withdrawn,
    only_contacts_are_invited_and_a_block_takes_invitations_back,
    who_joins_sees_the_log_from_where_the_room_says,
    a_change_of_a_room_is_told_in_its_log,
    an_archived_room_is_read_and_not_written,
    preferences_are_the_member_s_own,
    rooms_are_listed_pinned_first_and_then_by_what_was_said_last,
    the_people_of_a_room_are_its_members_and_former_ones
);

async fn a_group_is_made_once_for_one_id(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = RoomId::new(1_767_225_600_000, &[5; 10]);
    let request = CreateRoom {
        id: Some(id),
        name: " Harbour ".into(),
        topic: "boats".into(),
        ..CreateRoom::default()
    };
    let made = rooms.create(&ada.caller, request.clone()).await.unwrap();
    assert_eq!(
        (made.id, made.kind, made.name.as_str(), made.topic.as_str()),
        (id, RoomKind::Group, "Harbour", "boats")
    );
    assert_eq!(
        (made.role, made.owner, made.member_count, made.created_ms),
        (Role::Owner, ada.id(), 1, START_MS)
    );
    assert_eq!((made.head, made.unread, made.can_write), (1, 0, true));
    let again = rooms.create(&ada.caller, request.clone()).await.unwrap();
    assert_eq!(again, made);
    assert_eq!(
        code(rooms.create(&bob.caller, request).await),
        Some(Invalid),
        "an id belongs to who took it"
    );
    for (name, topic) in [("", ""), ("a\nb", ""), ("x", "a\u{0}")] {
        let request = CreateRoom {
            name: name.into(),
            topic: topic.into(),
            ..CreateRoom::default()
        };
        assert_eq!(
            code(rooms.create(&ada.caller, request).await),
            Some(Invalid)
        );
    }
    let log = house.log(&ada, id).await;
    assert_eq!(
        member_changes(&log),
        [(ada.id(), MemberChange::Joined, Some(Role::Owner))]
    );
}

async fn a_room_is_never_called_like_an_account(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let mallory = house.member("mallory").await;
    // Chunks are reached by account or by room: a room of this id would reach everything of Ada's.
    for id in [*ada.id().as_bytes(), *ada.home().as_bytes(), [0; 16]] {
        let request = CreateRoom {
            id: Some(RoomId::from_bytes(id)),
            name: "x".into(),
            ..CreateRoom::default()
        };
        let made = house.wharf.rooms().create(&mallory.caller, request).await;
        assert_eq!(code(made), Some(Invalid));
    }
}

async fn an_invitation_is_accepted_declined_and_withdrawn(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    house.befriend(&ada, &bob).await;
    house.befriend(&ada, &carol).await;
    let rooms = house.wharf.rooms();
    let request = CreateRoom {
        name: "Harbour".into(),
        invite: vec![bob.id(), carol.id()],
        ..CreateRoom::default()
    };
    let id = rooms.create(&ada.caller, request).await.unwrap().id;
    let there = RoomRef::Id(id);
    let waiting = rooms.invitations(&bob.caller).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].room, waiting[0].by.id, waiting[0].role),
        (id, ada.id(), Role::Editor)
    );
    assert_eq!(
        code(rooms.get(&bob.caller, there).await),
        Some(NotFound),
        "an invitation is no membership"
    );
    let joined = rooms.accept(&bob.caller, id).await.unwrap();
    assert_eq!((joined.role, joined.member_count), (Role::Editor, 2));
    assert_eq!(rooms.accept(&bob.caller, id).await.unwrap(), joined);
    assert_eq!(rooms.invitations(&bob.caller).await.unwrap(), []);

    rooms.decline(&carol.caller, id).await.unwrap();
    assert_eq!(code(rooms.decline(&carol.caller, id).await), Some(NotFound));
    assert_eq!(code(rooms.accept(&carol.caller, id).await), Some(NotFound));

    let as_reader = InviteToRoom {
        account: carol.id(),
        role: Some(Role::Reader),
    };
    rooms.invite(&ada.caller, there, as_reader).await.unwrap();
    assert_eq!(
        code(rooms.withdraw(&bob.caller, there, carol.id()).await),
        Some(Denied)
    );
    rooms
        .withdraw(&ada.caller, there, carol.id())
        .await
        .unwrap();
    assert_eq!(code(rooms.accept(&carol.caller, id).await), Some(NotFound));
    assert_eq!(
        code(rooms.withdraw(&ada.caller, there, carol.id()).await),
        Some(NotFound)
    );
    rooms.invite(&ada.caller, there, as_reader).await.unwrap();
    let joined = rooms.accept(&carol.caller, id).await.unwrap();
    assert_eq!((joined.role, joined.can_write), (Role::Reader, false));
    assert_eq!(
        code(rooms.invite(&ada.caller, there, as_reader).await),
        Some(Exists)
    );
}

async fn only_contacts_are_invited_and_a_block_takes_invitations_back(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let invitation = InviteToRoom {
        account: bob.id(),
        role: None,
    };
    let there = RoomRef::Id(id);
    assert_eq!(
        code(rooms.invite(&ada.caller, there, invitation).await),
        Some(Denied)
    );
    let direct = house.befriend(&ada, &bob).await;
    assert_eq!(
        code(
            rooms
                .invite(&ada.caller, RoomRef::Id(direct), invitation)
                .await
        ),
        Some(Denied),
        "nobody is brought into a room of two"
    );
    rooms.invite(&ada.caller, there, invitation).await.unwrap();
    let block = wharf_types::api::contact::EditContact {
        is_blocked: Some(true),
        ..Default::default()
    };
    let contacts = house.wharf.contacts();
    contacts.edit(&bob.caller, ada.id(), block).await.unwrap();
    assert_eq!(rooms.invitations(&bob.caller).await.unwrap(), []);
    assert_eq!(
        code(rooms.invite(&ada.caller, there, invitation).await),
        Some(Denied)
    );
    let owner = InviteToRoom {
        account: bob.id(),
        role: Some(Role::Owner),
    };
    assert_eq!(
        code(rooms.invite(&ada.caller, there, owner).await),
        Some(Invalid)
    );
}

async fn who_joins_sees_the_log_from_where_the_room_says(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    house.say(&ada.caller, id, "before").await.unwrap();
    house.bring(&ada, id, &bob, Role::Editor).await;
    let seen = house.view(&bob, id).await;
    assert_eq!((seen.floor, seen.unread, seen.read), (0, 0, 2));
    assert_eq!(house.log(&bob, id).await.len(), 3);
    assert!(seen.last.is_some());

    let joined_only = EditRoom {
        history: Some(History::Joined),
        ..EditRoom::default()
    };
    let there = RoomRef::Id(id);
    rooms.edit(&ada.caller, there, joined_only).await.unwrap();
    house.bring(&ada, id, &carol, Role::Editor).await;
    let seen = house.view(&carol, id).await;
    assert_eq!((seen.floor, seen.unread), (4, 0));
    assert_eq!(
        seen.last, None,
        "what was said before is not shown in a preview either"
    );
    let log = house.log(&carol, id).await;
    assert_eq!(
        member_changes(&log),
        [(carol.id(), MemberChange::Joined, Some(Role::Editor))]
    );
    house.say(&ada.caller, id, "after").await.unwrap();
    assert_eq!(house.view(&carol, id).await.unread, 1);
}

async fn a_change_of_a_room_is_told_in_its_log(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    let request = EditRoom {
        name: Some("Harbour".into()),
        topic: Some("boats".into()),
        keep_days: Some(30),
        ..EditRoom::default()
    };
    let room = rooms
        .edit(&ada.caller, there, request.clone())
        .await
        .unwrap();
    assert_eq!(
        (room.topic.as_str(), room.keep_days, room.head),
        ("boats", 30, 2)
    );
    let again = rooms.edit(&ada.caller, there, request).await.unwrap();
    assert_eq!(again, room, "what is so already is no change");
    let log = house.log(&ada, id).await;
    let told = Settings {
        topic: Some("boats".into()),
        keep_days: Some(30),
        ..Settings::default()
    };
    assert_eq!(log[1].body, Some(Body::Settings(told)), "only what differs");
    house.bring(&ada, id, &bob, Role::Editor).await;
    let rename = EditRoom {
        name: Some("Quay".into()),
        ..EditRoom::default()
    };
    assert_eq!(
        code(rooms.edit(&bob.caller, there, rename.clone()).await),
        Some(Denied)
    );
    let too_long = EditRoom {
        keep_days: Some(36_501),
        ..EditRoom::default()
    };
    assert_eq!(
        code(rooms.edit(&ada.caller, there, too_long).await),
        Some(Invalid)
    );
    // The personal room has no name, but it has days.
    assert_eq!(
        code(rooms.edit(&ada.caller, RoomRef::Home, rename).await),
        Some(Denied)
    );
    let days = EditRoom {
        keep_days: Some(7),
        ..EditRoom::default()
    };
    let home = rooms.edit(&ada.caller, RoomRef::Home, days).await.unwrap();
    assert_eq!(home.keep_days, 7);
}

async fn an_archived_room_is_read_and_not_written(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    house.bring(&ada, id, &bob, Role::Editor).await;
    let archive = |archived| EditRoom {
        archived: Some(archived),
        ..EditRoom::default()
    };
    let there = RoomRef::Id(id);
    let room = rooms.edit(&ada.caller, there, archive(true)).await.unwrap();
    assert!(room.archived && !room.can_write);
    for one in [&ada, &bob] {
        assert_eq!(code(house.say(&one.caller, id, "?").await), Some(Denied));
        assert_eq!(house.log(one, id).await.len(), 3);
    }
    let room = rooms
        .edit(&ada.caller, there, archive(false))
        .await
        .unwrap();
    assert!(!room.archived && room.can_write);
    house.say(&bob.caller, id, "again").await.unwrap();
    let personal = rooms.edit(&ada.caller, RoomRef::Home, archive(true)).await;
    assert_eq!(code(personal), Some(Denied));
}

async fn preferences_are_the_member_s_own(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    house.bring(&ada, id, &bob, Role::Reader).await;
    let there = RoomRef::Id(id);
    let request = EditPreferences {
        notify: Some(Notify::Mentions),
        is_marked: Some(true),
        draft: Some(" to be\ncontinued".into()),
        ..EditPreferences::default()
    };
    let room = rooms
        .edit_preferences(&bob.caller, there, request)
        .await
        .unwrap();
    assert_eq!(room.preferences.notify, Notify::Mentions);
    assert_eq!(room.preferences.draft, " to be\ncontinued");
    assert!(room.preferences.is_marked && !room.preferences.is_hidden);
    let untouched = house.view(&ada, id).await.preferences;
    assert_eq!(untouched, Preferences::default());
    let empty = EditPreferences {
        draft: Some(String::new()),
        ..EditPreferences::default()
    };
    let room = rooms
        .edit_preferences(&bob.caller, there, empty)
        .await
        .unwrap();
    assert_eq!(
        (room.preferences.draft.as_str(), room.preferences.is_marked),
        ("", true)
    );
    let nul = EditPreferences {
        draft: Some("\0".into()),
        ..EditPreferences::default()
    };
    assert_eq!(
        code(rooms.edit_preferences(&bob.caller, there, nul).await),
        Some(Invalid)
    );
}

async fn rooms_are_listed_pinned_first_and_then_by_what_was_said_last(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let rooms = house.wharf.rooms();
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        house.clock.advance_ms(10);
        ids.push(house.group(&ada, name).await);
    }
    house.clock.advance_ms(10);
    house.say(&ada.caller, ids[0], "hello").await.unwrap();
    let pin = EditPreferences {
        is_pinned: Some(true),
        ..EditPreferences::default()
    };
    rooms
        .edit_preferences(&ada.caller, RoomRef::Home, pin)
        .await
        .unwrap();
    let list = rooms.list(&ada.caller).await.unwrap();
    let listed: Vec<_> = list.items.iter().map(|room| room.id).collect();
    assert_eq!(listed, [ada.home(), ids[0], ids[2], ids[1]]);
    for room in list.items {
        assert_eq!(room, house.view(&ada, room.id).await);
    }
}

async fn the_people_of_a_room_are_its_members_and_former_ones(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    let mut people = Vec::new();
    for name in ["zoe", "bob", "Alan"] {
        let one = house.member(name).await;
        house.bring(&ada, id, &one, Role::Editor).await;
        people.push(one);
    }
    rooms.leave(&people[1].caller, there).await.unwrap();
    let members = rooms.members(&ada.caller, there).await.unwrap();
    let shown: Vec<_> = members
        .items
        .iter()
        .map(|member| (member.person.username.as_str(), member.role))
        .collect();
    assert_eq!(
        shown,
        [
            ("Alan", Some(Role::Editor)),
            ("root", Some(Role::Owner)),
            ("zoe", Some(Role::Editor)),
            ("bob", None),
        ]
    );
    let invitation = InviteToRoom {
        account: people[1].id(),
        role: None,
    };
    rooms.invite(&ada.caller, there, invitation).await.unwrap();
    rooms.accept(&people[1].caller, id).await.unwrap();
    let members = rooms.members(&ada.caller, there).await.unwrap();
    assert_eq!(members.items.len(), 4, "who came back is there once");
    assert!(members.items.iter().all(|member| member.role.is_some()));
}
