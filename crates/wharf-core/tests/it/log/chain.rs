//! The chain finds what somebody changed in the database.

use wharf_core::log::verify;
use wharf_store::sql::Lock;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::log::{Draft, Edit, Mentions, Recall};

use super::room::{Talk, text};

both_engines!(every_change_of_a_row_is_found);

/// What somebody could do to a row, and the position at which it is found.
const CHANGES: &[(&str, u64)] = &[
    (
        "UPDATE entry SET at_ms = at_ms + 1 WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET account_id = NULL WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET account_id = session_id, session_id = NULL WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET client_ms = NULL WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET door = 'mail' WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET author_name = 'x' WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET countable = 7 WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET kind = 6 WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET target = 1 WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET body = NULL WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET body = NULL, body_digest = hash WHERE room_id = ?1 AND position = 3",
        3,
    ),
    (
        "UPDATE entry SET body_digest = hash WHERE room_id = ?1 AND position = 1",
        1,
    ),
    (
        "UPDATE entry SET body = (SELECT e.body FROM entry e WHERE e.room_id = ?1 AND e.position = 5) \
         WHERE room_id = ?1 AND position = 3",
        3,
    ),
    ("DELETE FROM entry WHERE room_id = ?1 AND position = 2", 2),
    ("DELETE FROM entry WHERE room_id = ?1 AND position = 5", 5),
    ("UPDATE log SET hash = floor_hash WHERE room_id = ?1", 5),
    ("UPDATE log SET countable = 9 WHERE room_id = ?1", 5),
];

async fn every_change_of_a_row_is_found(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.say(&talk.owner, text("one")).await;
    let edit = Draft::Edit(Edit {
        target: 1,
        text: "two".to_owned(),
        mentions: Mentions::default(),
    });
    talk.say(&talk.owner, edit).await;
    talk.say(&talk.owner, text("three")).await;
    talk.say(&talk.owner, Draft::Recall(Recall { target: 1 }))
        .await;
    talk.say(&talk.editor, text("five")).await;
    let whole = verify(talk.house.wharf.db()).await.unwrap();
    assert_eq!((whole.rooms, whole.entries, whole.faults), (4, 5, vec![]));
    for (sql, position) in CHANGES {
        assert_eq!(
            faults_after(&talk, sql).await,
            [(talk.room, *position)],
            "{sql}"
        );
    }
    assert_eq!(verify(talk.house.wharf.db()).await.unwrap().faults, []);
}

/// Makes a change, verifies, and puts everything back.
async fn faults_after(talk: &Talk, sql: &'static str) -> Vec<(wharf_types::RoomId, u64)> {
    let room = talk.room;
    let run = |statements: &'static [&'static str]| {
        talk.house.db.write(Lock::Room(room), move |tx| {
            for statement in statements {
                tx.exec(statement, &[])?;
            }
            Ok::<_, wharf_store::sql::Error>(())
        })
    };
    run(&[
        "CREATE TABLE kept_entry AS SELECT * FROM entry",
        "CREATE TABLE kept_log AS SELECT * FROM log",
    ])
    .await
    .unwrap();
    talk.execute(sql).await;
    let verified = verify(talk.house.wharf.db()).await.unwrap();
    run(&[
        "DELETE FROM entry",
        "DELETE FROM log",
        "INSERT INTO entry SELECT * FROM kept_entry",
        "INSERT INTO log SELECT * FROM kept_log",
        "DROP TABLE kept_entry",
        "DROP TABLE kept_log",
    ])
    .await
    .unwrap();
    verified
        .faults
        .iter()
        .map(|fault| (fault.room, fault.position))
        .collect()
}
