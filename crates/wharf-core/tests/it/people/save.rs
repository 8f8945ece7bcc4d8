//! Saving files of rooms in one's own drive.

use wharf_core::drive::RoomRef;
use wharf_core::transfer::Put;
use wharf_core::{Caller, Error};
use wharf_store::blob::Blob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{Invalid, NotFound, OverQuota};
use wharf_types::api::account::EditAccount;
use wharf_types::api::drive::{At, Expect, Node};
use wharf_types::api::room::{Role, SaveToDrive};
use wharf_types::{NodeId, RoomId};

use crate::support::{House, Visitor, code};

both_engines!(
    a_saved_file_is_there_for_ever_though_the_room_is_not,
    a_name_that_is_taken_gets_a_number_and_the_same_file_is_saved_once,
    an_older_revision_is_saved_and_one_that_never_was_is_not,
    a_file_is_saved_within_the_quota_and_from_rooms_of_one_s_own
);

/// Puts a file as the HTTP door does, and returns its node.
pub(crate) async fn put_file(
    house: &House,
    by: &Visitor,
    room: RoomRef,
    path: &str,
    bytes: &[u8],
) -> NodeId {
    try_put(house, &by.caller, room, path, bytes).await.unwrap()
}

pub(crate) async fn try_put(
    house: &House,
    by: &Caller,
    room: RoomRef,
    path: &str,
    bytes: &[u8],
) -> Result<NodeId, Error> {
    let put = Put {
        path: path.into(),
        expect: Expect::Any,
        mtime_ns: Some(9),
        executable: false,
    };
    let transfers = house.wharf.transfers();
    let mut upload = transfers.open_upload(by, room, put).await?;
    upload.push(bytes::Bytes::copy_from_slice(bytes)).await?;
    Ok(upload.commit().await?.id)
}

fn save(node: NodeId) -> SaveToDrive {
    SaveToDrive {
        node,
        revision: None,
        folder: String::new(),
        name: None,
    }
}

async fn read(house: &House, by: &Visitor, node: &Node) -> Vec<u8> {
    let transfers = house.wharf.transfers();
    let at = At::Id(node.id);
    let content = transfers.content(&by.caller, RoomRef::Home, at, None).await;
    let mut reader = content.unwrap().read(0..u64::MAX);
    let mut bytes = Vec::new();
    while let Some(part) = reader.next().await.unwrap() {
        bytes.extend_from_slice(&part);
    }
    bytes
}

/// A group of Ada's with Bob in it.
async fn two(house: &House) -> (Visitor, Visitor, RoomId) {
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.group(&ada, "Harbour").await;
    house.bring(&ada, room, &bob, Role::Reader).await;
    (ada, bob, room)
}

async fn a_saved_file_is_there_for_ever_though_the_room_is_not(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let there = RoomRef::Id(room);
    let node = put_file(&house, &ada, there, "charts/north.map", b"here be dragons").await;
    let request = SaveToDrive {
        folder: "/maps/old/".into(),
        ..save(node)
    };
    let rooms = house.wharf.rooms();
    let objects = house.blob.list("", None, 10).await.unwrap();
    let saved = rooms.save(&bob.caller, there, request).await.unwrap();
    assert_eq!(saved.path, "maps/old/north.map");
    assert_eq!((saved.bytes, saved.mtime_ns), (15, Some(9)));
    assert_ne!(saved.id, node);
    let objects_after = house.blob.list("", None, 10).await.unwrap();
    assert_eq!(objects_after.len(), objects.len(), "no bytes move");
    let account = house.wharf.accounts().account(&bob.caller).await.unwrap();
    assert_eq!(account.used_bytes, 15);
    rooms
        .remove_member(&ada.caller, there, bob.id())
        .await
        .unwrap();
    assert_eq!(read(&house, &bob, &saved).await, b"here be dragons");
    // Bob may put the bytes that he has elsewhere in his drive without sending them again.
    let again = house
        .wharf
        .transfers()
        .missing(
            &bob.caller,
            vec![wharf_types::ChunkHash::of(b"here be dragons")],
        )
        .await
        .unwrap();
    assert_eq!(again, []);
}

async fn a_name_that_is_taken_gets_a_number_and_the_same_file_is_saved_once(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let there = RoomRef::Id(room);
    let rooms = house.wharf.rooms();
    put_file(&house, &bob, RoomRef::Home, "a.txt", b"mine").await;
    let node = put_file(&house, &ada, there, "a.txt", b"yours").await;
    let saved = rooms.save(&bob.caller, there, save(node)).await.unwrap();
    assert_eq!(saved.path, "a (2).txt");
    let again = rooms.save(&bob.caller, there, save(node)).await.unwrap();
    assert_eq!(again, saved);
    put_file(&house, &ada, there, "a.txt", b"yours, newer").await;
    let newer = rooms.save(&bob.caller, there, save(node)).await.unwrap();
    assert_eq!(newer.path, "a (3).txt");
    let renamed = SaveToDrive {
        name: Some("b".into()),
        ..save(node)
    };
    assert_eq!(
        rooms.save(&bob.caller, there, renamed).await.unwrap().path,
        "b"
    );
    let drive = house.wharf.drive();
    let summary = drive.summary(&bob.caller, RoomRef::Home).await.unwrap();
    assert_eq!(summary.position, 4, "what is there already is no change");
    assert_eq!(drive.recount_usage().await.unwrap(), 0);
}

async fn an_older_revision_is_saved_and_one_that_never_was_is_not(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let there = RoomRef::Id(room);
    let rooms = house.wharf.rooms();
    let node = put_file(&house, &ada, there, "a.txt", b"first").await;
    put_file(&house, &ada, there, "a.txt", b"second").await;
    let first = SaveToDrive {
        revision: Some(1),
        ..save(node)
    };
    let saved = rooms.save(&bob.caller, there, first).await.unwrap();
    assert_eq!(read(&house, &bob, &saved).await, b"first");
    let never = SaveToDrive {
        revision: Some(9),
        ..save(node)
    };
    assert_eq!(
        code(rooms.save(&bob.caller, there, never).await),
        Some(NotFound)
    );
    for (folder, name) in [
        ("a.txt", None),
        ("..", None),
        ("", Some("a/b")),
        ("", Some("")),
    ] {
        let request = SaveToDrive {
            folder: folder.into(),
            name: name.map(str::to_owned),
            ..save(node)
        };
        assert_eq!(
            code(rooms.save(&bob.caller, there, request).await),
            Some(Invalid),
            "{folder:?} {name:?}"
        );
    }
}

async fn a_file_is_saved_within_the_quota_and_from_rooms_of_one_s_own(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let sam = house.member("sam").await;
    let there = RoomRef::Id(room);
    let rooms = house.wharf.rooms();
    let node = put_file(&house, &ada, there, "a.txt", b"first").await;
    assert_eq!(
        code(rooms.save(&sam.caller, there, save(node)).await),
        Some(NotFound)
    );
    // Another room's node is none of this one.
    assert_eq!(
        code(rooms.save(&bob.caller, RoomRef::Home, save(node)).await),
        Some(NotFound)
    );
    let quota = EditAccount {
        quota_bytes: Some(4),
        ..EditAccount::default()
    };
    let admin = house.wharf.accounts().admin(&ada.caller).unwrap();
    admin.edit(bob.id(), quota).await.unwrap();
    assert_eq!(
        code(rooms.save(&bob.caller, there, save(node)).await),
        Some(OverQuota)
    );
    let drive = house.wharf.drive();
    let summary = drive.summary(&bob.caller, RoomRef::Home).await.unwrap();
    assert_eq!((summary.position, summary.used_bytes), (0, 0));
}
