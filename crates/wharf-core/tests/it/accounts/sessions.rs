//! One session for each device: listed, named, ended; believed in memory, yet ended exactly.

use wharf_core::HouseConfig;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::{RenameSession, SignupPolicy};
use wharf_types::{ErrorCode, SessionId};

use crate::support::{House, PASSWORD, code, from};

const DAY_MS: u32 = 24 * 3_600_000;

both_engines!(
    sessions_are_listed_with_the_one_used_last_first,
    a_session_is_named_by_its_owner_only,
    a_session_is_ended_by_its_owner_only,
    a_logout_holds_at_once,
    an_end_on_another_process_holds_within_seconds_and_for_writes_at_once,
    a_session_that_is_not_used_ends,
    a_further_session_ends_the_one_that_was_idle_longest,
    a_token_is_nowhere_in_the_database,
    a_text_that_is_no_token_is_nobody
);

async fn sessions_are_listed_with_the_one_used_last_first(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    house.clock.advance_ms(1_000);
    house.log_in("ada", PASSWORD, "2001:db8::7").await.unwrap();
    let listed = house.wharf.accounts().sessions(&ada.caller).await.unwrap();
    let shown: Vec<_> = listed
        .iter()
        .map(|one| (one.device.as_str(), one.address.as_str(), one.current))
        .collect();
    assert_eq!(
        shown,
        [
            ("phone", "2001:db8::7", false),
            ("unnamed device", "192.0.2.1", true)
        ]
    );
}

async fn a_session_is_named_by_its_owner_only(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let bob = house.member("bob").await;
    let session = house
        .log_in("ada", PASSWORD, "192.0.2.5")
        .await
        .unwrap()
        .logged_in
        .session
        .id;
    let accounts = house.wharf.accounts();
    let rename = |device: &str| RenameSession {
        device: device.into(),
    };
    let renamed = accounts
        .rename_session(&ada.caller, session, rename(" old phone "))
        .await
        .unwrap();
    assert_eq!(
        (renamed.id, renamed.device.as_str(), renamed.current),
        (session, "old phone", false)
    );
    let empty = accounts
        .rename_session(&ada.caller, session, rename(""))
        .await;
    assert_eq!(code(empty), Some(ErrorCode::Invalid));
    let by_other = accounts
        .rename_session(&bob.caller, session, rename("mine"))
        .await;
    assert_eq!(code(by_other), Some(ErrorCode::NotFound));
    let listed = accounts.sessions(&ada.caller).await.unwrap();
    assert!(
        listed.iter().any(|one| one.device == "old phone"),
        "{listed:?}"
    );
}

async fn a_session_is_ended_by_its_owner_only(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let bob = house.member("bob").await;
    let phone = house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();
    let session = phone.logged_in.session.id;
    let accounts = house.wharf.accounts();
    assert_eq!(
        code(accounts.end_session(&bob.caller, session).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(code(house.caller(&phone.logged_in).await), None);
    accounts.end_session(&ada.caller, session).await.unwrap();
    assert_eq!(
        code(accounts.end_session(&ada.caller, session).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(
        code(house.caller(&phone.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    assert_eq!(accounts.sessions(&ada.caller).await.unwrap().len(), 1);
}

async fn a_logout_holds_at_once(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    // Seen a moment ago, so it is in memory.
    assert_eq!(code(house.caller(&root.logged_in).await), None);
    house.wharf.accounts().logout(&root.caller).await.unwrap();
    assert_eq!(
        code(house.caller(&root.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    assert_eq!(
        code(house.wharf.accounts().logout(&root.caller).await),
        None,
        "twice is no error"
    );
    house.log_in("root", PASSWORD, "192.0.2.1").await.unwrap();
}

async fn an_end_on_another_process_holds_within_seconds_and_for_writes_at_once(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let other = house.second_process().await;
    let token = &root.logged_in.token;
    let there = other
        .accounts()
        .authenticate(token, from("192.0.2.1"))
        .await
        .unwrap();
    house.wharf.accounts().logout(&root.caller).await.unwrap();

    let rename = RenameSession {
        device: "ghost".into(),
    };
    let written = other
        .accounts()
        .rename_session(&there, root.logged_in.session.id, rename)
        .await;
    assert_eq!(code(written), Some(ErrorCode::Unauthenticated));
    house.clock.advance_ms(5_000);
    let later = other
        .accounts()
        .authenticate(token, from("192.0.2.1"))
        .await;
    assert_eq!(code(later), Some(ErrorCode::Unauthenticated));
}

async fn a_session_that_is_not_used_ends(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        session_idle_days: 10,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let used = house.operator().await;
    let idle = house.log_in("root", PASSWORD, "192.0.2.1").await.unwrap();
    for _ in 0..3 {
        house.clock.advance_ms(4 * DAY_MS);
        assert_eq!(code(house.caller(&used.logged_in).await), None);
    }
    assert_eq!(
        code(house.caller(&idle.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    let listed = house.wharf.accounts().sessions(&used.caller).await.unwrap();
    assert_eq!(listed[0].id, used.logged_in.session.id);
    assert_eq!(
        listed[0].seen_ms,
        house.clock.now_ms(),
        "its use is recorded"
    );
}

async fn a_further_session_ends_the_one_that_was_idle_longest(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let account = root.logged_in.account.id;
    house
        .db
        .write(wharf_store::sql::Lock::None, move |tx| -> wharf_store::sql::Result<()> {
            for number in 0..99_u8 {
                let (id, hash) = ([number; 16], [number; 32]);
                // All idle for longer than the first one, number 0 for longest.
                let seen_ms = i64::from(number);
                tx.exec(
                    "INSERT INTO session (id, account_id, token_hash, device, address, created_ms, seen_ms) \
                     VALUES (?1, ?2, ?3, 'old', '192.0.2.1', 0, ?4)",
                    &[SessionId::from_bytes(id).into(), account.into(), (&hash).into(), seen_ms.into()],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    house.log_in("root", PASSWORD, "192.0.2.1").await.unwrap();
    let sessions = house.wharf.accounts().sessions(&root.caller).await.unwrap();
    assert_eq!(sessions.len(), 100);
    assert!(
        sessions
            .iter()
            .all(|session| session.id != SessionId::from_bytes([0; 16]))
    );
    assert!(
        sessions
            .iter()
            .any(|session| session.id == SessionId::from_bytes([1; 16]))
    );
}

async fn a_token_is_nowhere_in_the_database(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let secret = data_encoding::BASE64URL_NOPAD
        .decode(
            root.logged_in
                .token
                .strip_prefix("wharf_")
                .unwrap()
                .as_bytes(),
        )
        .unwrap();
    let stored = house
        .db
        .read(|tx| {
            tx.all("SELECT token_hash FROM session", &[], |row| {
                Ok(row.bytes(0)?.to_vec())
            })
        })
        .await
        .unwrap();
    assert_eq!(stored, [blake3::hash(&secret).as_bytes().to_vec()]);
}

async fn a_text_that_is_no_token_is_nobody(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let token = &root.logged_in.token;
    let flipped = format!("{}{}", &token[..20], token[20..].to_uppercase());
    for text in [
        "",
        "wharf_",
        "wharf_é",
        &token[6..],
        &token[..48],
        &flipped,
        &"A".repeat(1 << 16),
    ] {
        let nobody = house
            .wharf
            .accounts()
            .authenticate(text, from("192.0.2.1"))
            .await;
        assert_eq!(
            code(nobody),
            Some(ErrorCode::Unauthenticated),
            "{text:.60?}"
        );
    }
}
