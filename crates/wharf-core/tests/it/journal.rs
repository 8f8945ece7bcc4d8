//! Writing without a session: keys, and the addresses of old diaries.

use std::net::SocketAddr;

use wharf_core::drive::RoomRef;
use wharf_core::journal::{DiaryFilter, DiaryWrite, Save, SaveId, SaveOutcome};
use wharf_core::{HouseConfig, JournalLimits, MessageLimits};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::diary::DiaryQuery;
use wharf_types::api::journal::{ClaimDiary, CreateJournalKey, JournalKey, JournalKeyKind};
use wharf_types::api::log::{Append, Draft, Recall};
use wharf_types::api::room::{Role, SetRole};
use wharf_types::{DeviceId, ErrorCode, RoomId};

use crate::support::{House, Visitor, code};

both_engines!(
    an_entry_is_saved_once_though_it_comes_from_two_processes_at_once,
    a_key_writes_only_as_its_owner_may,
    a_batch_of_many_rooms_is_one_commit,
    a_diary_ends_with_its_owner_s_right,
    what_is_too_much_is_left_out_and_told,
    what_a_key_wrote_is_found_by_it_and_by_its_owner_alone,
    what_a_diary_client_wrote_is_found_and_taken_back_in_ones_own_journal,
);

const FROM: &str = "192.0.2.9:700";

fn unlimited() -> HouseConfig {
    HouseConfig {
        signup: SignupPolicy::Open,
        messages: MessageLimits {
            account_burst: 1_000_000,
            account_per_minute: 1_000_000,
            address_burst: 1_000_000,
            address_per_minute: 1_000_000,
        },
        journal: JournalLimits {
            key_burst: 1_000_000,
            key_per_second: 1_000_000,
        },
        ..HouseConfig::default()
    }
}

async fn key(house: &House, by: &Visitor, room: RoomRef) -> JournalKey {
    let request = CreateJournalKey {
        kind: JournalKeyKind::Sealed,
        name: "phone".into(),
    };
    let journal = house.wharf.journal();
    journal.create_key(&by.caller, room, request).await.unwrap()
}

fn save(key: &JournalKey, entry: u8, text: &str) -> Save {
    Save {
        key: key.id,
        id: SaveId::Entry([entry; 16]),
        text: text.into(),
        client_ms: Some(7),
        from: FROM.parse().unwrap(),
    }
}

fn position(outcome: &SaveOutcome) -> Option<(u64, bool)> {
    match outcome {
        SaveOutcome::Saved {
            position,
            is_repeated,
            ..
        } => Some((*position, *is_repeated)),
        _ => None,
    }
}

async fn head(house: &House, room: RoomId) -> u64 {
    let read = house.db.read(move |tx| {
        tx.one(
            "SELECT head FROM log WHERE room_id = ?1",
            &[room.into()],
            |row| row.uint(0),
        )
    });
    read.await.unwrap()
}

async fn an_entry_is_saved_once_though_it_comes_from_two_processes_at_once(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let key = key(&house, &ada, RoomRef::Home).await;
    let other = house.second_process().await;
    let mut sends = tokio::task::JoinSet::new();
    for round in 0..20_u8 {
        for process in [&house.wharf, &other] {
            let items: Vec<Save> = (0..10)
                .map(|entry| save(&key, (round / 2) * 10 + entry, ""))
                .map(|item| Save {
                    text: format!("entry {:?}", item.id),
                    ..item
                })
                .collect();
            let process = process.clone();
            sends.spawn(async move { process.journal().save(items).await.unwrap() });
        }
    }
    let mut new = 0;
    while let Some(outcomes) = sends.join_next().await {
        for outcome in outcomes.unwrap() {
            let (_, is_repeated) = position(&outcome).unwrap();
            new += u32::from(!is_repeated);
        }
    }
    assert_eq!(new, 100);
    assert_eq!(head(&house, ada.logged_in.account.home).await, 100);
    let listed = house.wharf.journal().keys(&ada.caller).await.unwrap();
    assert_eq!(listed.items[0].entries_count, 100);
}

async fn a_key_writes_only_as_its_owner_may(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    let owner = house.operator().await;
    let ada = house.member("ada").await;
    let room = house.group(&owner, "Team").await;
    house.bring(&owner, room, &ada, Role::Editor).await;
    let before = head(&house, room).await;
    let key = key(&house, &ada, RoomRef::Id(room)).await;
    let journal = house.wharf.journal();
    let saved = journal.save(vec![save(&key, 1, "one")]).await.unwrap();
    assert_eq!(position(&saved[0]), Some((before + 1, false)));
    let set = |role| {
        let rooms = house.wharf.rooms();
        rooms.set_role(
            &owner.caller,
            RoomRef::Id(room),
            ada.logged_in.account.id,
            SetRole { role },
        )
    };
    set(Role::Reader).await.unwrap();
    let refused = journal.save(vec![save(&key, 2, "two")]).await.unwrap();
    assert_eq!(refused, [SaveOutcome::Closed]);
    set(Role::Editor).await.unwrap();
    let saved = journal.save(vec![save(&key, 2, "two")]).await.unwrap();
    assert!(position(&saved[0]).is_some());
    journal.remove_key(&ada.caller, key.id).await.unwrap();
    let refused = journal.save(vec![save(&key, 1, "one")]).await.unwrap();
    assert_eq!(
        refused,
        [SaveOutcome::Closed],
        "a removed key learns nothing"
    );
    assert!(journal.find_keys(vec![key.id]).await.unwrap().is_empty());
    let by_owner = journal.remove_key(&owner.caller, key.id).await;
    assert_eq!(code(by_owner), Some(ErrorCode::NotFound));
}

async fn a_batch_of_many_rooms_is_one_commit(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let mut keys = Vec::new();
    for number in 0..10 {
        let room = house.group(&ada, &format!("room {number}")).await;
        keys.push((key(&house, &ada, RoomRef::Id(room)).await, room));
    }
    let before = house.db.stats().commits;
    let items = keys.iter().map(|(key, _)| save(key, 1, "hello")).collect();
    let saved = house.wharf.journal().save(items).await.unwrap();
    assert!(saved.iter().all(|saved| position(saved).is_some()));
    assert_eq!(house.db.stats().commits - before, 1);
}

async fn a_diary_ends_with_its_owner_s_right(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    let owner = house.operator().await;
    let ada = house.member("ada").await;
    let room = house.group(&owner, "Team").await;
    house.bring(&owner, room, &ada, Role::Editor).await;
    let journal = house.wharf.journal();
    let claim = journal.claim_address(&ada.caller, RoomRef::Id(room), ClaimDiary::default());
    let claimed = claim.await.unwrap();
    let diary = journal
        .diary_of(claimed.address, None)
        .await
        .unwrap()
        .unwrap();
    let from: SocketAddr = "192.0.2.1:99".parse().unwrap();
    let write = |text: &str| {
        let items = vec![DiaryWrite {
            text: text.into(),
            from,
        }];
        journal.diary_write(diary, items)
    };
    assert_eq!(write("one").await.unwrap(), 1);
    let rooms = house.wharf.rooms();
    let reader = SetRole { role: Role::Reader };
    rooms
        .set_role(
            &owner.caller,
            RoomRef::Id(room),
            ada.logged_in.account.id,
            reader,
        )
        .await
        .unwrap();
    assert_eq!(code(write("two").await), Some(ErrorCode::Denied));
    rooms
        .remove_member(&owner.caller, RoomRef::Id(room), ada.logged_in.account.id)
        .await
        .unwrap();
    assert_eq!(code(write("three").await), Some(ErrorCode::NotFound));
    let read = journal.diary_read(diary, DiaryFilter::default()).await;
    assert_eq!(code(read), Some(ErrorCode::NotFound));
    assert_eq!(
        code(journal.diary_clients(diary).await),
        Some(ErrorCode::NotFound)
    );
}

async fn what_is_too_much_is_left_out_and_told(db: TestDb) {
    let mut config = unlimited();
    config.journal = JournalLimits {
        key_burst: 5,
        key_per_second: 1,
    };
    let house = House::open_with(db, config).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let key = key(&house, &ada, RoomRef::Home).await;
    let items = (0..8).map(|entry| save(&key, entry, "x")).collect();
    let outcomes = house.wharf.journal().save(items).await.unwrap();
    let saved = outcomes
        .iter()
        .filter(|outcome| position(outcome).is_some());
    assert_eq!(saved.count(), 5);
    assert!(matches!(outcomes[7], SaveOutcome::Slow { .. }));
    // What was saved before takes nothing from what may still be.
    house.clock.advance_ms(2_000);
    let items = (0..8).map(|entry| save(&key, entry, "x")).collect();
    let outcomes = house.wharf.journal().save(items).await.unwrap();
    let new = |(_, is_repeated): &(u64, bool)| !is_repeated;
    assert_eq!(outcomes.iter().filter_map(position).filter(new).count(), 2);
    assert!(matches!(outcomes[7], SaveOutcome::Slow { .. }));
}

/// The positions that a query finds in somebody's journal, page by page.
async fn found(house: &House, by: &Visitor, mut query: DiaryQuery) -> Vec<u64> {
    let mut positions = Vec::new();
    loop {
        let diaries = house.wharf.diaries();
        let page = diaries.page(&by.caller, RoomRef::Home, query.clone()).await;
        let page = page.unwrap();
        positions.extend(page.items.iter().map(|entry| entry.position));
        if page.next.is_none() {
            return positions;
        }
        query.after = page.next;
    }
}

async fn what_a_key_wrote_is_found_by_it_and_by_its_owner_alone(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    let owner = house.operator().await;
    let ada = house.member("ada").await;
    let [one, other] = [
        key(&house, &ada, RoomRef::Home).await,
        key(&house, &ada, RoomRef::Home).await,
    ];
    let journal = house.wharf.journal();
    for round in 0..250_u8 {
        let items = vec![
            save(&one, round, &format!("one {round} #even")),
            save(&other, round, &format!("other {round}")),
        ];
        journal.save(items).await.unwrap();
    }
    let by = |called: &str| DiaryQuery {
        key: Some(called.to_owned()),
        ..DiaryQuery::default()
    };
    let odd: Vec<u64> = (0..250).map(|round| 2 * round + 1).collect();
    assert_eq!(found(&house, &ada, by(&one.id.to_string())).await, odd);
    let newest = DiaryQuery {
        newest_first: true,
        limit: Some(3),
        ..by(&one.id.to_string())
    };
    let backwards: Vec<u64> = odd.iter().rev().copied().collect();
    assert_eq!(found(&house, &ada, newest).await, backwards);
    let all: Vec<u64> = (1..=500).collect();
    assert_eq!(
        found(&house, &ada, by("phone")).await,
        all,
        "both are called so"
    );
    let tagged = DiaryQuery {
        tag: Some("even".into()),
        ..by(&other.id.to_string())
    };
    assert!(found(&house, &ada, tagged).await.is_empty());
    journal.remove_key(&ada.caller, one.id).await.unwrap();
    assert_eq!(found(&house, &ada, by(&one.id.to_string())).await, odd);
    let diaries = house.wharf.diaries();
    for (visitor, called) in [(&owner, one.id.to_string()), (&ada, "nobody's".to_owned())] {
        let page = diaries.page(&visitor.caller, RoomRef::Home, by(&called));
        assert_eq!(code(page.await), Some(ErrorCode::NotFound));
    }
}

async fn what_a_diary_client_wrote_is_found_and_taken_back_in_ones_own_journal(db: TestDb) {
    let house = House::open_with(db, unlimited()).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let journal = house.wharf.journal();
    let claim = journal.claim_address(&ada.caller, RoomRef::Home, ClaimDiary::default());
    let address = claim.await.unwrap().address;
    let diary = journal.diary_of(address, None).await.unwrap().unwrap();
    let from: SocketAddr = "192.0.2.1:99".parse().unwrap();
    let items = ["one", "two"].map(|text| DiaryWrite {
        text: text.into(),
        from,
    });
    journal.diary_write(diary, items.to_vec()).await.unwrap();
    let from = |origin: &str| DiaryQuery {
        origin: Some(origin.to_owned()),
        ..DiaryQuery::default()
    };
    for origin in ["diary", "192.0.2.1", "192.0.2.1:99"] {
        assert_eq!(found(&house, &ada, from(origin)).await, [1, 2], "{origin}");
    }
    for origin in ["http", "192.0.2.2", "192.0.2.1:98"] {
        assert!(found(&house, &ada, from(origin)).await.is_empty());
    }
    let origins = house.wharf.diaries().origins(&ada.caller, RoomRef::Home);
    let origins = origins.await.unwrap().items;
    assert_eq!((origins[0].door.as_str(), origins[0].count), ("diary", 2));
    let recall = Append {
        device: DeviceId::from_bytes([1; 16]),
        number: 1,
        draft: Draft::Recall(Recall { target: 1 }),
        client_ms: None,
    };
    let logs = house.wharf.logs();
    logs.append(&ada.caller, RoomRef::Home, recall)
        .await
        .unwrap();
    assert_eq!(found(&house, &ada, from("diary")).await, [2]);
}
