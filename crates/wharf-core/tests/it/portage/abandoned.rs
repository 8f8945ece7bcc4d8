//! Imports that nobody goes on with.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::portage::{ImportedRoom, Record};
use wharf_types::{ErrorCode, RoomId};

use super::{OTHER, Place, SMALL, canonical, elsewhere, furnished, text};
use crate::support::code;
use wharf_core::drive::RoomRef;
use wharf_core::log::verify;

both_engines!(
    what_was_not_whole_goes_after_its_days_and_can_come_again,
    an_import_that_is_gone_on_with_in_time_is_kept,
    a_crash_between_leaves_the_rest_for_later,
    what_came_into_the_personal_room_stays,
    an_import_from_before_times_were_noted_has_its_days_yet,
    a_room_with_members_stays_whatever_is_noted,
);

const DAY_MS: u32 = 24 * 3_600_000;

/// An import of which the room with the most records is all there but for its end, and its archive.
struct Half {
    here: Place,
    archive: Vec<Record>,
    /// Where that room ends.
    end: usize,
    room: RoomId,
    /// The rooms before it, which are whole.
    whole_count: usize,
    used_before: u64,
}

async fn half(db: TestDb) -> Half {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    let records = archive.iter().enumerate();
    let ends: Vec<usize> = records
        .filter(|(_, record)| matches!(record, Record::RoomEnd(_)))
        .map(|(index, _)| index)
        .collect();
    let longest = ends.windows(2).max_by_key(|ends| ends[1] - ends[0]);
    let [before, end] = longest.unwrap() else {
        panic!("{ends:?}");
    };
    let first = &archive[..=*before];
    here.import(&here.me, 1, first).await.unwrap();
    let used_before = used_bytes(&here).await;
    let most = &archive[before + 1..*end];
    let progress = here.import(&here.me, 2, most).await.unwrap();
    let room = progress.rooms.iter().find(|room| !room.is_whole).unwrap();
    Half {
        room: room.to,
        whole_count: progress.rooms.len() - 1,
        end: *end,
        here,
        archive,
        used_before,
    }
}

impl Half {
    async fn progress(&self) -> (u64, Vec<ImportedRoom>) {
        let portage = self.here.house.wharf.portage();
        let import = wharf_types::ImportId::from_bytes([3; 16]);
        let progress = portage.progress(&self.here.me.caller, import).await;
        let progress = progress.unwrap();
        (progress.number, progress.rooms)
    }

    async fn clear(&self) {
        let portage = self.here.house.wharf.portage();
        portage.clear_abandoned().await.unwrap();
    }

    /// Brings the rest of the archive in, whose first batch is this one.
    async fn go_on(&self, number: u64) {
        let rest = &self.archive[self.end..];
        let progress = self.here.import(&self.here.me, number, rest).await;
        assert!(progress.unwrap().is_done);
        self.assert_whole().await;
    }

    async fn assert_whole(&self) {
        let again: Vec<Record> = self.here.export(&self.here.me).await.concat();
        assert_eq!(canonical(&again), canonical(&self.archive));
        self.assert_sound().await;
    }

    async fn assert_sound(&self) {
        let wharf = &self.here.house.wharf;
        assert_eq!(verify(wharf.db()).await.unwrap().faults, []);
        assert_eq!(wharf.drive().recount_usage().await.unwrap(), 0);
    }

    /// Rows of the room that was not whole, in all tables that have some.
    async fn rows(&self) -> u64 {
        let room = self.room;
        let count = self.here.house.db.read(move |tx| {
            let mut count = 0;
            for text in [
                "SELECT count(*) FROM room WHERE id = ?1",
                "SELECT count(*) FROM node WHERE room_id = ?1",
                "SELECT count(*) FROM tag WHERE room_id = ?1",
                "SELECT count(*) FROM change WHERE room_id = ?1",
                "SELECT count(*) FROM log WHERE room_id = ?1",
                "SELECT count(*) FROM log_hour WHERE room_id = ?1",
                "SELECT count(*) FROM entry WHERE room_id = ?1",
                "SELECT count(*) FROM reaction WHERE room_id = ?1",
                "SELECT count(*) FROM mention WHERE room_id = ?1",
                "SELECT count(*) FROM delivered WHERE room_id = ?1",
                "SELECT count(*) FROM stand_in WHERE room_id = ?1",
                "SELECT count(*) FROM search_room WHERE room_id = ?1",
                "SELECT count(*) FROM search_doc WHERE room_id = ?1",
                "SELECT count(*) FROM import_room WHERE to_id = ?1",
                "SELECT count(*) FROM abandoned_room WHERE room_id = ?1",
            ] {
                count += tx.one(text, &[room.into()], |row| row.uint(0))?;
            }
            Ok::<_, wharf_core::Error>(count)
        });
        count.await.unwrap()
    }
}

/// Lets days go by.
fn wait(place: &Place, days: u32) {
    for _ in 0..days {
        place.house.clock.advance_ms(DAY_MS);
    }
}

async fn used_bytes(place: &Place) -> u64 {
    let used = place.house.db.read(|tx| {
        let text = "SELECT CAST(sum(used_bytes) AS BIGINT) FROM account";
        Ok::<_, wharf_core::Error>(tx.one(text, &[], |row| row.uint(0))?)
    });
    used.await.unwrap()
}

/// Mentions of chunks, which those of kept manifests alone make up.
async fn mentions(place: &Place) -> u64 {
    let count = place.house.db.read(|tx| {
        let text = "SELECT CAST(COALESCE(sum(ref_count), 0) AS BIGINT) FROM chunk";
        Ok::<_, wharf_core::Error>(tx.one(text, &[], |row| row.uint(0))?)
    });
    count.await.unwrap()
}

async fn what_was_not_whole_goes_after_its_days_and_can_come_again(db: TestDb) {
    let half = half(db).await;
    let here = &half.here;
    here.house.wharf.search().catch_up().await.unwrap();
    let mentions_then = mentions(here).await;
    wait(here, 30);
    half.clear().await;
    assert_eq!(half.progress().await.0, 2, "the days are not over");
    assert!(half.rows().await > 10 && used_bytes(here).await > half.used_before);

    here.house.clock.advance_ms(1);
    half.clear().await;
    let (number, rooms) = half.progress().await;
    assert_eq!(
        (number, rooms.len()),
        (0, half.whole_count),
        "at its beginning, but for the room that was whole"
    );
    assert_eq!(half.rows().await, 0);
    assert_eq!(used_bytes(here).await, half.used_before);
    assert!(mentions(here).await < mentions_then);
    half.assert_sound().await;
    let list = here.house.wharf.rooms().list(&here.me.caller).await;
    assert_eq!(list.unwrap().items.len(), half.whole_count);
    half.clear().await;

    let late = here.import(&here.me, 3, &half.archive[half.end..]).await;
    assert_eq!(code(late), Some(ErrorCode::Stale));
    for (number, records) in (1..).zip(half.archive.chunks(7)) {
        here.import(&here.me, number, records).await.unwrap();
    }
    half.assert_whole().await;
    wait(here, 90);
    half.clear().await;
    half.assert_whole().await;
}

async fn an_import_that_is_gone_on_with_in_time_is_kept(db: TestDb) {
    let half = half(db).await;
    wait(&half.here, 30);
    let end = half.end;
    half.here
        .import(&half.here.me, 3, &half.archive[end..end])
        .await
        .unwrap();
    wait(&half.here, 30);
    half.clear().await;
    half.go_on(4).await;
}

async fn a_crash_between_leaves_the_rest_for_later(db: TestDb) {
    let half = half(db).await;
    let here = &half.here;
    wait(here, 30);
    here.house.clock.advance_ms(1);
    let mut part_count = 0;
    // Each part is the last thing that a process did.
    while here
        .house
        .second_process()
        .await
        .portage()
        .clear_abandoned_part()
        .await
        .unwrap()
    {
        part_count += 1;
        half.assert_sound().await;
        // It is gone on with while its old room is still on its way out.
        if part_count == 2 {
            assert!(half.rows().await > 0);
            let list = here.house.wharf.rooms().list(&here.me.caller).await;
            assert_eq!(list.unwrap().items.len(), half.whole_count);
            here.import(&here.me, 1, &half.archive).await.unwrap();
            half.assert_whole().await;
        }
    }
    assert!(part_count >= 4, "{part_count} parts");
    assert_eq!(half.rows().await, 0);
    half.assert_whole().await;
}

async fn what_came_into_the_personal_room_stays(db: TestDb) {
    let here = elsewhere(&db).await;
    let (there, _) = furnished(db).await;
    let archive: Vec<Record> = there.export(&there.me).await.concat();
    for bytes in [SMALL, OTHER] {
        here.upload(&here.me, bytes).await;
    }
    let is_end = |record: &Record| matches!(record, Record::RoomEnd(_));
    let end = archive.iter().position(is_end).unwrap();
    here.import(&here.me, 1, &archive[..end]).await.unwrap();
    let (wharf, home) = (&here.house.wharf, RoomRef::Home);
    let before = wharf.rooms().get(&here.me.caller, home).await.unwrap();
    wait(&here, 31);
    wharf.portage().clear_abandoned().await.unwrap();
    let after = wharf.rooms().get(&here.me.caller, home).await.unwrap();
    assert_eq!(
        (after.head, after.head_hash),
        (before.head, before.head_hash)
    );
    assert!(after.head > 0);
    here.say(&here.me, home, text("it goes on")).await;
    let progress = here.import(&here.me, 1, &archive).await.unwrap();
    assert!(progress.is_done);
    assert!(
        progress
            .rooms
            .iter()
            .all(|room| room.is_whole && room.to != before.id)
    );
    assert_eq!(verify(wharf.db()).await.unwrap().faults, []);
    assert_eq!(wharf.drive().recount_usage().await.unwrap(), 0);
}

async fn an_import_from_before_times_were_noted_has_its_days_yet(db: TestDb) {
    let half = half(db).await;
    let forget = half
        .here
        .house
        .db
        .write(wharf_store::sql::Lock::None, |tx| {
            tx.exec("UPDATE import SET touched_ms = NULL", &[])?;
            Ok::<_, wharf_core::Error>(())
        });
    forget.await.unwrap();
    wait(&half.here, 400);
    half.clear().await;
    wait(&half.here, 30);
    half.clear().await;
    half.go_on(3).await;
}

async fn a_room_with_members_stays_whatever_is_noted(db: TestDb) {
    let half = half(db).await;
    let (room, me) = (half.room, half.here.me.id());
    let enter = half
        .here
        .house
        .db
        .write(wharf_store::sql::Lock::None, move |tx| {
            tx.exec(
                "INSERT INTO abandoned_room (room_id) VALUES (?1)",
                &[room.into()],
            )?;
            tx.exec(
            "INSERT INTO member (room_id, account_id, role, joined_ms) VALUES (?1, ?2, 'owner', 0)",
            &[room.into(), me.into()],
        )?;
            Ok::<_, wharf_core::Error>(())
        });
    enter.await.unwrap();
    let rows = half.rows().await;
    wait(&half.here, 31);
    half.clear().await;
    // Its import is given up, and the two rows that noted it are gone.
    assert_eq!(half.rows().await, rows - 2);
    half.assert_sound().await;
}
