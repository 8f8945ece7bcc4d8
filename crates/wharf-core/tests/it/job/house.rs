//! The house's own jobs, at work on real rows and objects.

use std::time::Duration;

use bytes::Bytes;
use wharf_core::HouseConfig;
use wharf_core::job::JobStatus;
use wharf_store::blob::Blob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::{CreateInvitation, SignupPolicy};

use crate::support::{House, PASSWORD, code};

const DAY_MS: u32 = 24 * 3_600_000;

both_engines!(
    all_jobs_end_a_round_in_a_new_house,
    expiry_deletes_what_counts_for_nothing_and_nothing_else,
    an_object_that_no_row_names_goes_after_a_grace_period
);

/// Has a job look for work, and waits until it has done a unit.
async fn run(house: &House, name: &str) -> JobStatus {
    let jobs = house.wharf.jobs();
    let find = || {
        jobs.status()
            .into_iter()
            .find(|status| status.name == name)
            .unwrap()
    };
    let before = find();
    jobs.nudge(name).unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = find();
        assert_eq!(
            now.errors_count, before.errors_count,
            "{:?}",
            now.last_error
        );
        if now.units_count > before.units_count {
            return now;
        }
    }
}

async fn count(house: &House, sql: &'static str) -> i64 {
    house
        .db
        .read(move |tx| tx.one(sql, &[], |row| row.int(0)))
        .await
        .unwrap()
}

async fn all_jobs_end_a_round_in_a_new_house(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    house.wharf.start_jobs();
    let names: Vec<_> = house
        .wharf
        .jobs()
        .status()
        .iter()
        .map(|status| status.name)
        .collect();
    assert_eq!(
        names,
        ["expiry", "retention", "compaction", "sweep", "scrub"]
    );
    for name in names {
        let status = run(&house, name).await;
        assert!(status.last_unit_ms.is_some(), "{status:?}");
    }
    assert!(
        house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}

/// Rows of sessions, invitations and attempts.
async fn rows(house: &House) -> [i64; 3] {
    [
        count(house, "SELECT count(*) FROM session").await,
        count(house, "SELECT count(*) FROM invitation").await,
        count(house, "SELECT count(*) FROM attempt").await,
    ]
}

async fn expiry_deletes_what_counts_for_nothing_and_nothing_else(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        session_idle_days: 10,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let root = house.operator().await;
    let idle = house.log_in("root", PASSWORD, "192.0.2.5").await.unwrap();
    let wrong = house.log_in("root", "a wild guess", "192.0.2.5").await;
    assert_eq!(code(wrong), Some(ErrorCode::Unauthenticated));
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    for days in [1, 365] {
        let request = CreateInvitation {
            uses: 1,
            expires_seconds: Some(days * 24 * 3_600),
        };
        admin.create_invitation(request).await.unwrap();
    }
    house.wharf.start_jobs();
    let before = rows(&house).await;
    run(&house, "expiry").await;
    assert_eq!(rows(&house).await, before);

    for _ in 0..2 {
        house.clock.advance_ms(6 * DAY_MS);
        house.caller(&root.logged_in).await.unwrap();
    }
    run(&house, "expiry").await;
    assert_eq!(rows(&house).await, [1, 1, 0]);
    house.caller(&root.logged_in).await.unwrap();
    assert_eq!(
        code(house.caller(&idle.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    assert!(
        house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}

async fn an_object_that_no_row_names_goes_after_a_grace_period(db: TestDb) {
    let house = House::open(db).await;
    let key = "segment/57/01890a5d-ac96-774b-bcce-b302099a8057";
    house
        .blob
        .put(key, vec![Bytes::from_static(b"what a crash left behind")])
        .await
        .unwrap();
    house.wharf.start_jobs();
    run(&house, "sweep").await;
    assert_eq!(
        house.blob.list("segment/", None, 10).await.unwrap().len(),
        1,
        "adopted"
    );
    for _ in 0..3 {
        house.clock.advance_ms(DAY_MS);
    }
    // One unit plans, the next one deletes.
    while !house
        .blob
        .list("segment/", None, 10)
        .await
        .unwrap()
        .is_empty()
    {
        run(&house, "sweep").await;
    }
    assert_eq!(count(&house, "SELECT count(*) FROM segment").await, 0);
    assert!(
        house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}
