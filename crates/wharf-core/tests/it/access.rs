//! Who may enter a room, and what for: every kind of caller tries every kind of operation.

use wharf_core::drive::RoomRef;
use wharf_core::{Caller, Error, InternalRole, Scope};
use wharf_store::sql::{Lock, Result as SqlResult};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{self, Denied, NotFound, Unauthenticated};
use wharf_types::api::account::EditAccount;
use wharf_types::api::drive::{Commit, Committed, Expect, Op, Retention};
use wharf_types::{AccountId, CommitId, RoomId};

use crate::support::{House, code};

both_engines!(
    each_role_may_do_what_it_may_and_no_more,
    a_room_that_one_is_no_member_of_looks_like_none,
    who_was_let_in_is_out_when_the_session_ends_or_the_account_is_locked,
    a_caller_that_may_only_read_and_the_program_itself_write_nothing
);

/// What became of reading the room, of changing its drive, and of changing the room itself.
async fn try_all(house: &House, caller: &Caller, room: RoomRef) -> [Option<ErrorCode>; 3] {
    let retention = Retention {
        revision_days: 7,
        trash_days: 7,
    };
    [
        code(house.wharf.drive().summary(caller, room).await),
        code(make_folder(house, caller, room).await),
        code(
            house
                .wharf
                .drive()
                .set_retention(caller, room, retention)
                .await,
        ),
    ]
}

async fn make_folder(house: &House, caller: &Caller, room: RoomRef) -> Result<Committed, Error> {
    // Any id that was not used.
    house.clock.advance_ms(1);
    let now_ms = u64::try_from(house.clock.now_ms()).unwrap();
    let op = Op::MakeFolder {
        path: "found".into(),
        expect: Expect::Any,
    };
    let commit = Commit {
        id: CommitId::new(now_ms, &[7; 10]),
        ops: vec![op],
    };
    house.wharf.drive().commit(caller, room, commit).await
}

async fn add_member(house: &House, room: RoomId, account: AccountId, role: &'static str) {
    house
        .db
        .write(Lock::Room(room), move |tx| -> SqlResult<()> {
            tx.exec(
                "INSERT INTO member (room_id, account_id, role, joined_ms) VALUES (?1, ?2, ?3, 0)",
                &[room.into(), account.into(), role.into()],
            )?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn each_role_may_do_what_it_may_and_no_more(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let editor = house.member("edith").await;
    let reader = house.member("rita").await;
    let stranger = house.member("sam").await;
    let room = owner.logged_in.account.home;
    add_member(&house, room, editor.logged_in.account.id, "editor").await;
    add_member(&house, room, reader.logged_in.account.id, "reader").await;

    let room = RoomRef::Id(room);
    let expected = [
        (stranger.caller, [Some(NotFound); 3]),
        (reader.caller, [None, Some(Denied), Some(Denied)]),
        (editor.caller, [None, None, Some(Denied)]),
        (owner.caller, [None, None, None]),
    ];
    for (caller, outcomes) in expected {
        assert_eq!(try_all(&house, &caller, room).await, outcomes);
        assert_eq!(
            try_all(&house, &caller, RoomRef::Home).await,
            [None; 3],
            "at home"
        );
    }
}

async fn a_room_that_one_is_no_member_of_looks_like_none(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let stranger = house.member("sam").await;
    let there = RoomRef::Id(owner.logged_in.account.home);
    let nowhere = RoomRef::Id(RoomId::from_bytes([9; 16]));
    let mut refusals = Vec::new();
    for room in [there, nowhere] {
        let read = house
            .wharf
            .drive()
            .summary(&stranger.caller, room)
            .await
            .unwrap_err();
        let write = make_folder(&house, &stranger.caller, room)
            .await
            .unwrap_err();
        refusals.push([
            read.code().to_string(),
            read.to_string(),
            write.code().to_string(),
            write.to_string(),
        ]);
    }
    assert_eq!(refusals[0], refusals[1]);
    // Being the operator opens nobody's room.
    let home = RoomRef::Id(stranger.logged_in.account.home);
    assert_eq!(
        try_all(&house, &owner.caller, home).await,
        [Some(NotFound); 3]
    );
}

async fn who_was_let_in_is_out_when_the_session_ends_or_the_account_is_locked(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let bob = house.member("bob").await;
    house.wharf.accounts().logout(&ada.caller).await.unwrap();
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    admin.edit(bob.logged_in.account.id, lock).await.unwrap();
    for gone in [ada, bob] {
        let [_, edit, own] = try_all(&house, &gone.caller, RoomRef::Home).await;
        assert_eq!([edit, own], [Some(Unauthenticated); 2]);
    }
}

async fn a_caller_that_may_only_read_and_the_program_itself_write_nothing(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let narrowed = root.caller.narrowed(Scope::Read);
    assert_eq!(
        try_all(&house, &narrowed, RoomRef::Home).await,
        [None, Some(Denied), Some(Denied)]
    );
    let home = RoomRef::Id(root.logged_in.account.home);
    for role in [InternalRole::Console, InternalRole::Job] {
        let program = Caller::internal(role);
        assert_eq!(
            try_all(&house, &program, RoomRef::Home).await,
            [Some(Denied); 3]
        );
        assert_eq!(try_all(&house, &program, home).await, [Some(Denied); 3]);
    }
}
