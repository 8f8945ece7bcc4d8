//! Leaving, being removed, roles, and handing a room over with its drive.

use wharf_core::drive::RoomRef;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{Denied, NotFound, OverQuota};
use wharf_types::api::account::EditAccount;
use wharf_types::api::log::MemberChange;
use wharf_types::api::room::{InviteToRoom, Role, SetRole};

use super::member_changes;
use super::save::put_file;
use crate::support::{House, Visitor, code};

both_engines!(
    who_leaves_is_out_and_the_log_says_so,
    a_member_is_removed_by_the_owner_alone,
    a_role_is_given_by_the_owner_alone,
    a_room_is_handed_over_with_its_drive_and_what_that_uses,
    a_drive_that_does_not_fit_is_not_handed_over
);

fn role(role: Role) -> SetRole {
    SetRole { role }
}

async fn used_bytes(house: &House, who: &Visitor) -> u64 {
    let account = house.wharf.accounts().account(&who.caller).await.unwrap();
    account.used_bytes
}

async fn who_leaves_is_out_and_the_log_says_so(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    assert_eq!(
        code(rooms.leave(&ada.caller, there).await),
        Some(Denied),
        "a room has an owner"
    );
    let direct = {
        house.bring(&ada, id, &bob, Role::Editor).await;
        house
            .wharf
            .contacts()
            .list(&bob.caller)
            .await
            .unwrap()
            .items[0]
            .room
            .unwrap()
    };
    for stays in [RoomRef::Home, RoomRef::Id(direct)] {
        assert_eq!(code(rooms.leave(&bob.caller, stays).await), Some(Denied));
    }
    rooms.leave(&bob.caller, there).await.unwrap();
    assert_eq!(code(rooms.leave(&bob.caller, there).await), Some(NotFound));
    assert_eq!(code(rooms.get(&bob.caller, there).await), Some(NotFound));
    assert_eq!(code(house.say(&bob.caller, id, "?").await), Some(NotFound));
    let log = house.log(&ada, id).await;
    assert_eq!(
        member_changes(&log)[1..],
        [
            (bob.id(), MemberChange::Joined, Some(Role::Editor)),
            (bob.id(), MemberChange::Left, None)
        ]
    );
    assert_eq!(log.last().unwrap().account, Some(bob.id()));
    assert_eq!(house.view(&ada, id).await.member_count, 1);
}

async fn a_member_is_removed_by_the_owner_alone(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    house.bring(&ada, id, &bob, Role::Editor).await;
    house.bring(&ada, id, &carol, Role::Reader).await;
    for target in [ada.id(), carol.id()] {
        let removed = rooms.remove_member(&bob.caller, there, target).await;
        assert_eq!(code(removed), Some(Denied));
    }
    let oneself = rooms.remove_member(&ada.caller, there, ada.id()).await;
    assert_eq!(code(oneself), Some(Denied));
    rooms
        .remove_member(&ada.caller, there, carol.id())
        .await
        .unwrap();
    let again = rooms.remove_member(&ada.caller, there, carol.id()).await;
    assert_eq!(code(again), Some(NotFound));
    assert_eq!(code(rooms.get(&carol.caller, there).await), Some(NotFound));
    let log = house.log(&ada, id).await;
    assert_eq!(
        member_changes(&log).last(),
        Some(&(carol.id(), MemberChange::Removed, None))
    );
    assert_eq!(log.last().unwrap().account, Some(ada.id()));
}

async fn a_role_is_given_by_the_owner_alone(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    house.bring(&ada, id, &bob, Role::Reader).await;
    assert_eq!(code(house.say(&bob.caller, id, "?").await), Some(Denied));
    let oneself = rooms.set_role(&bob.caller, there, bob.id(), role(Role::Editor));
    assert_eq!(code(oneself.await), Some(Denied));
    rooms
        .set_role(&ada.caller, there, bob.id(), role(Role::Editor))
        .await
        .unwrap();
    house.say(&bob.caller, id, "thanks").await.unwrap();
    let head = house.view(&ada, id).await.head;
    rooms
        .set_role(&ada.caller, there, bob.id(), role(Role::Editor))
        .await
        .unwrap();
    assert_eq!(house.view(&ada, id).await.head, head, "nothing changed");
    let stranger = house.member("sam").await;
    let given = rooms.set_role(&ada.caller, there, stranger.id(), role(Role::Editor));
    assert_eq!(code(given.await), Some(NotFound));
    let down = rooms.set_role(&ada.caller, there, ada.id(), role(Role::Reader));
    assert_eq!(code(down.await), Some(Denied));
    let at_home = rooms.set_role(&ada.caller, RoomRef::Home, ada.id(), role(Role::Reader));
    assert_eq!(code(at_home.await), Some(Denied));
}

async fn a_room_is_handed_over_with_its_drive_and_what_that_uses(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    house.bring(&ada, id, &bob, Role::Editor).await;
    put_file(&house, &bob, there, "chart", &[7; 3000]).await;
    assert_eq!(used_bytes(&house, &ada).await, 3000);
    assert_eq!(used_bytes(&house, &bob).await, 0);
    rooms
        .set_role(&ada.caller, there, bob.id(), role(Role::Owner))
        .await
        .unwrap();
    assert_eq!(used_bytes(&house, &ada).await, 0);
    assert_eq!(used_bytes(&house, &bob).await, 3000);
    let (seen_by_ada, seen_by_bob) = (house.view(&ada, id).await, house.view(&bob, id).await);
    assert_eq!(
        (seen_by_ada.role, seen_by_ada.owner),
        (Role::Editor, bob.id())
    );
    assert_eq!(seen_by_bob.role, Role::Owner);
    let log = house.log(&ada, id).await;
    assert_eq!(
        member_changes(&log)[2..],
        [
            (ada.id(), MemberChange::Role, Some(Role::Editor)),
            (bob.id(), MemberChange::Role, Some(Role::Owner))
        ]
    );
    put_file(&house, &ada, there, "log", &[8; 500]).await;
    assert_eq!(used_bytes(&house, &bob).await, 3500);
    let invitation = InviteToRoom {
        account: ada.id(),
        role: None,
    };
    assert_eq!(
        code(rooms.invite(&ada.caller, there, invitation).await),
        Some(Denied)
    );
    rooms.leave(&ada.caller, there).await.unwrap();
    assert_eq!(house.wharf.drive().recount_usage().await.unwrap(), 0);
}

async fn a_drive_that_does_not_fit_is_not_handed_over(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let rooms = house.wharf.rooms();
    let id = house.group(&ada, "Harbour").await;
    let there = RoomRef::Id(id);
    house.bring(&ada, id, &bob, Role::Editor).await;
    put_file(&house, &ada, there, "chart", &[7; 3000]).await;
    let quota = |bytes| EditAccount {
        quota_bytes: Some(bytes),
        ..EditAccount::default()
    };
    let admin = house.wharf.accounts().admin(&ada.caller).unwrap();
    admin.edit(bob.id(), quota(2999)).await.unwrap();
    let head = house.view(&ada, id).await.head;
    let given = rooms.set_role(&ada.caller, there, bob.id(), role(Role::Owner));
    assert_eq!(code(given.await), Some(OverQuota));
    assert_eq!(house.view(&ada, id).await.head, head);
    assert_eq!(used_bytes(&house, &ada).await, 3000);
    admin.edit(bob.id(), quota(3000)).await.unwrap();
    rooms
        .set_role(&ada.caller, there, bob.id(), role(Role::Owner))
        .await
        .unwrap();
    assert_eq!(used_bytes(&house, &bob).await, 3000);
    assert_eq!(house.wharf.drive().recount_usage().await.unwrap(), 0);
}
