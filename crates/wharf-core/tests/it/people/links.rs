//! Links into groups: whom they let in, how many, until when.

use wharf_core::Error;
use wharf_core::drive::RoomRef;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{Denied, Invalid, NotFound, TooLarge};
use wharf_types::RoomId;
use wharf_types::api::room::{CreateLink, InviteToRoom, JoinRoom, Role, Room, RoomLink};
use wharf_types::limit::LINKS_PER_ROOM_MAX;

use crate::support::{House, Visitor, code};

both_engines!(
    a_link_lets_people_in_as_often_and_as_long_as_it_says,
    a_code_tells_what_it_leads_to,
    a_link_that_was_removed_lets_nobody_in,
    who_was_removed_comes_back_by_an_invitation_only,
    links_are_the_owner_s_and_bounded,
    of_several_who_hold_the_last_use_one_gets_in
);

async fn link(house: &House, owner: &Visitor, room: RoomId, request: CreateLink) -> RoomLink {
    let rooms = house.wharf.rooms();
    let made = rooms.create_link(&owner.caller, RoomRef::Id(room), request);
    made.await.unwrap()
}

async fn join(house: &House, who: &Visitor, code: &str) -> Result<Room, Error> {
    let request = JoinRoom { code: code.into() };
    house.wharf.rooms().join(&who.caller, request).await
}

async fn a_link_lets_people_in_as_often_and_as_long_as_it_says(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    let room = house.group(&ada, "Harbour").await;
    let twice = CreateLink {
        role: Some(Role::Reader),
        uses: Some(1),
        expires_seconds: Some(60),
    };
    let made = link(&house, &ada, room, twice).await;
    let secret = made.code.clone().unwrap();
    assert_eq!((made.role, made.uses_left), (Role::Reader, Some(1)));
    let joined = join(&house, &bob, &secret.to_uppercase()).await.unwrap();
    assert_eq!((joined.id, joined.role), (room, Role::Reader));
    // A second time it is only the way to the room.
    assert_eq!(join(&house, &bob, &secret).await.unwrap(), joined);
    assert_eq!(code(join(&house, &carol, &secret).await), Some(NotFound));

    let any = link(&house, &ada, room, CreateLink::default()).await;
    assert_eq!((any.role, any.uses_left), (Role::Editor, None));
    let secret = any.code.unwrap();
    house.clock.advance_ms(7 * 24 * 3_600_000 - 1);
    let joined = join(&house, &carol, &secret).await.unwrap();
    assert_eq!((joined.role, joined.member_count), (Role::Editor, 3));
    house.clock.advance_ms(1);
    assert_eq!(code(join(&house, &carol, &secret).await), Some(NotFound));
    let rooms = house.wharf.rooms();
    let held = rooms.links(&ada.caller, RoomRef::Id(room)).await.unwrap();
    assert_eq!(held.items, []);
}

async fn a_code_tells_what_it_leads_to(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.group(&ada, "Harbour").await;
    let made = link(&house, &ada, room, CreateLink::default()).await;
    let secret = made.code.unwrap();
    let rooms = house.wharf.rooms();
    let seen = rooms.look(&bob.caller, &secret).await.unwrap();
    assert_eq!(
        (seen.room, seen.name.as_str(), seen.member_count, seen.by.id),
        (room, "Harbour", 1, ada.id())
    );
    assert_eq!(
        code(rooms.get(&bob.caller, RoomRef::Id(room)).await),
        Some(NotFound),
        "looking is not entering"
    );
    for wrong in ["", "aaaa-bbbb", made.id.as_str(), &secret[1..]] {
        assert_eq!(code(rooms.look(&bob.caller, wrong).await), Some(NotFound));
        assert_eq!(code(join(&house, &bob, wrong).await), Some(NotFound));
    }
}

async fn a_link_that_was_removed_lets_nobody_in(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.group(&ada, "Harbour").await;
    let other = house.group(&ada, "Quay").await;
    let made = link(&house, &ada, room, CreateLink::default()).await;
    let rooms = house.wharf.rooms();
    let elsewhere = rooms.remove_link(&ada.caller, RoomRef::Id(other), &made.id);
    assert_eq!(code(elsewhere.await), Some(NotFound));
    let there = RoomRef::Id(room);
    rooms
        .remove_link(&ada.caller, there, &made.id)
        .await
        .unwrap();
    assert_eq!(
        code(join(&house, &bob, &made.code.unwrap()).await),
        Some(NotFound)
    );
    let again = rooms.remove_link(&ada.caller, there, &made.id).await;
    assert_eq!(code(again), Some(NotFound));
}

async fn who_was_removed_comes_back_by_an_invitation_only(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    house.befriend(&ada, &bob).await;
    let room = house.group(&ada, "Harbour").await;
    let secret = link(&house, &ada, room, CreateLink::default())
        .await
        .code
        .unwrap();
    let there = RoomRef::Id(room);
    let rooms = house.wharf.rooms();
    // Who went by themselves come back as they came.
    join(&house, &carol, &secret).await.unwrap();
    rooms.leave(&carol.caller, there).await.unwrap();
    join(&house, &carol, &secret).await.unwrap();

    join(&house, &bob, &secret).await.unwrap();
    rooms
        .remove_member(&ada.caller, there, bob.id())
        .await
        .unwrap();
    let wrong = rooms.look(&bob.caller, "aaaa").await.unwrap_err();
    let refused = join(&house, &bob, &secret).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.text()),
        (wrong.code(), wrong.text()),
        "the link looks to them like none"
    );
    let invitation = InviteToRoom {
        account: bob.id(),
        role: None,
    };
    rooms.invite(&ada.caller, there, invitation).await.unwrap();
    rooms.accept(&bob.caller, room).await.unwrap();
    rooms.leave(&bob.caller, there).await.unwrap();
    join(&house, &bob, &secret).await.unwrap();
}

async fn links_are_the_owner_s_and_bounded(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.group(&ada, "Harbour").await;
    house.bring(&ada, room, &bob, Role::Editor).await;
    let rooms = house.wharf.rooms();
    let there = RoomRef::Id(room);
    let plain = CreateLink::default();
    assert_eq!(
        code(rooms.create_link(&bob.caller, there, plain.clone()).await),
        Some(Denied)
    );
    assert_eq!(code(rooms.links(&bob.caller, there).await), Some(Denied));
    assert_eq!(
        code(
            rooms
                .create_link(&ada.caller, RoomRef::Home, plain.clone())
                .await
        ),
        Some(Denied),
        "nobody is let into a personal room"
    );
    let wrong = [
        CreateLink {
            role: Some(Role::Owner),
            ..CreateLink::default()
        },
        CreateLink {
            uses: Some(0),
            ..CreateLink::default()
        },
        CreateLink {
            uses: Some(10_001),
            ..CreateLink::default()
        },
        CreateLink {
            expires_seconds: Some(31_536_001),
            ..CreateLink::default()
        },
        CreateLink {
            expires_seconds: Some(0),
            ..CreateLink::default()
        },
    ];
    for request in wrong {
        let made = rooms.create_link(&ada.caller, there, request).await;
        assert_eq!(code(made), Some(Invalid));
    }
    for _ in 0..LINKS_PER_ROOM_MAX {
        link(&house, &ada, room, plain.clone()).await;
    }
    assert_eq!(
        code(rooms.create_link(&ada.caller, there, plain.clone()).await),
        Some(TooLarge)
    );
    let held = rooms.links(&ada.caller, there).await.unwrap().items;
    assert_eq!(held.len(), LINKS_PER_ROOM_MAX as usize);
    assert!(held.iter().all(|link| link.code.is_none()), "told once");
    house.clock.advance_ms(7 * 24 * 3_600_000);
    link(&house, &ada, room, plain).await;
}

async fn of_several_who_hold_the_last_use_one_gets_in(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let room = house.group(&ada, "Harbour").await;
    let once = CreateLink {
        uses: Some(1),
        ..CreateLink::default()
    };
    let secret = link(&house, &ada, room, once).await.code.unwrap();
    let mut people = Vec::new();
    for name in ["a", "b", "c", "d"] {
        people.push(house.member(name).await);
    }
    let tries = people.iter().map(|one| join(&house, one, &secret));
    let outcomes = futures_util::future::join_all(tries).await;
    let entered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(entered, 1);
    assert_eq!(house.view(&ada, room).await.member_count, 2);
}
