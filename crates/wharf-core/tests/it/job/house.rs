//! The house's own jobs, at work on real rows and objects.

use std::time::Duration;

use bytes::Bytes;
use wharf_core::job::{JobState, JobStatus};
use wharf_core::{HouseConfig, Scope, Wharf};
use wharf_store::blob::Blob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::{CreateInvitation, SignupPolicy};
use wharf_types::api::job::EditJob;
use wharf_types::api::storage::ScrubRound;
use wharf_types::{AccountId, ChunkHash, ErrorCode};
use wharf_wire::frame::Frame;

use crate::support::{House, PASSWORD, code};

pub(super) const DAY_MS: u32 = 24 * 3_600_000;

both_engines!(
    all_jobs_end_a_round_in_a_new_house,
    expiry_deletes_what_counts_for_nothing_and_nothing_else,
    an_object_that_no_row_names_goes_after_a_grace_period,
    an_operator_paces_and_hurries_jobs,
    a_scrub_spreads_over_its_days,
    a_scrub_goes_on_after_a_restart_and_finds_rot
);

/// Has a job look for work, and waits until it waits again.
pub(super) async fn run(wharf: &Wharf, name: &str) -> JobStatus {
    let jobs = wharf.jobs();
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
        if now.units_count > before.units_count && now.state == JobState::Waiting {
            return now;
        }
    }
}

pub(crate) async fn count(house: &House, sql: &'static str) -> i64 {
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
        [
            "expiry",
            "retention",
            "log_retention",
            "imports",
            "compaction",
            "sweep",
            "search",
            "thumbnails",
            "scrub"
        ]
    );
    for name in names {
        let status = run(&house.wharf, name).await;
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
    house.log_in("root", PASSWORD, "192.0.2.5").await.unwrap();
    house
        .log_in("root", "a wild guess", "192.0.2.5")
        .await
        .err()
        .unwrap();
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
    run(&house.wharf, "expiry").await;
    assert_eq!(rows(&house).await, before);

    for _ in 0..2 {
        house.clock.advance_ms(6 * DAY_MS);
        house.caller(&root.logged_in).await.unwrap();
    }
    run(&house.wharf, "expiry").await;
    assert_eq!(rows(&house).await, [1, 1, 0]);
    house.caller(&root.logged_in).await.unwrap();
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
    run(&house.wharf, "sweep").await;
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
        run(&house.wharf, "sweep").await;
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

async fn an_operator_paces_and_hurries_jobs(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let member = house.member("ada").await;
    house.wharf.start_jobs();
    let pause = EditJob {
        pace_percent: Some(0),
        run_now: false,
    };
    for caller in [member.caller, root.caller.narrowed(Scope::Read)] {
        assert_eq!(
            code(house.wharf.operators_jobs(&caller).await),
            Some(ErrorCode::Denied)
        );
        let refused = house.wharf.edit_job(&caller, "scrub", pause.clone()).await;
        assert_eq!(code(refused), Some(ErrorCode::Denied));
    }
    let paused = house
        .wharf
        .edit_job(&root.caller, "scrub", pause.clone())
        .await
        .unwrap();
    assert_eq!((paused.name.as_str(), paused.pace_percent), ("scrub", 0));
    let listed = house.wharf.operators_jobs(&root.caller).await.unwrap();
    assert_eq!(listed.iter().filter(|job| job.pace_percent == 0).count(), 1);
    let nowhere = house.wharf.edit_job(&root.caller, "play", pause).await;
    assert_eq!(code(nowhere), Some(ErrorCode::NotFound));

    let hurry = EditJob {
        pace_percent: Some(100),
        run_now: true,
    };
    house
        .wharf
        .edit_job(&root.caller, "expiry", hurry)
        .await
        .unwrap();
    while house
        .wharf
        .jobs()
        .find_status("expiry")
        .unwrap()
        .units_count
        == 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
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

/// Stores a chunk in a segment of its own.
async fn store(house: &House, text: &'static [u8]) {
    let scope = AccountId::from_bytes([1; 16]);
    let frame = Frame::seal(ChunkHash::of(text), Bytes::from_static(text));
    let put = house
        .wharf
        .chunks()
        .put(scope, vec![frame], house.clock.now_ms())
        .await
        .unwrap();
    assert_eq!(put.stored_count, 1);
    // Segments sort by the time they were made.
    house.clock.advance_ms(1);
}

/// The keys of the segments, oldest first.
pub(super) async fn segments(house: &House) -> Vec<String> {
    let objects = house.blob.list("segment/", None, 10).await.unwrap();
    let mut keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
    keys.sort_by_key(|key| key.rsplit('/').next().map(str::to_owned));
    keys
}

/// Lets the scrub do what is due, and tells how far it is.
async fn scrub(wharf: &Wharf) -> String {
    let progress = run(wharf, "scrub").await.progress;
    progress.unwrap_or_else(|| "between two rounds".to_owned())
}

fn verified(done: u32, findings: u32) -> String {
    format!("{done} of 4 segments verified in this round, {findings} findings")
}

async fn house_with_four_segments(db: TestDb) -> House {
    let config = HouseConfig {
        scrub_days: 4,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    for text in [&b"one"[..], b"two", b"three", b"four"] {
        store(&house, text).await;
    }
    house
}

async fn a_scrub_spreads_over_its_days(db: TestDb) {
    let house = house_with_four_segments(db).await;
    let root = house.operator().await;
    let round = || async { house.wharf.storage(&root.caller).await.unwrap().scrub };
    assert_eq!(round().await, None);
    let begins_ms = house.clock.now_ms();
    house.wharf.start_jobs();
    // The first segment is due at once, each further one a day later.
    for done in 1..=3 {
        assert_eq!(scrub(&house.wharf).await, verified(done, 0));
        let shown = ScrubRound {
            begins_ms,
            days: 4,
            verified_count: done.into(),
            findings_count: 0,
        };
        assert_eq!(round().await, Some(shown));
        assert_eq!(scrub(&house.wharf).await, verified(done, 0), "no hurry");
        house.clock.advance_ms(DAY_MS);
    }
    assert_eq!(scrub(&house.wharf).await, "between two rounds");
    let next = round().await.unwrap();
    assert_eq!(
        (next.begins_ms, next.verified_count),
        (begins_ms + 4 * i64::from(DAY_MS), 0)
    );
    house.clock.advance_ms(DAY_MS);
    assert_eq!(scrub(&house.wharf).await, verified(1, 0));
    assert!(
        house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}

async fn a_scrub_goes_on_after_a_restart_and_finds_rot(db: TestDb) {
    let house = house_with_four_segments(db).await;
    house.wharf.start_jobs();
    assert_eq!(scrub(&house.wharf).await, verified(1, 0));
    assert!(
        house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );

    // What is verified already waits for the next round.
    for key in segments(&house).await.iter().take(2) {
        house.blob.flip(key, 60, 3);
    }
    house.clock.advance_ms(2 * DAY_MS);
    let restarted = house.second_process().await;
    restarted.start_jobs();
    assert_eq!(
        scrub(&restarted).await,
        verified(3, 1),
        "what was missed is caught up on"
    );
    house.clock.advance_ms(2 * DAY_MS);
    assert_eq!(scrub(&restarted).await, "between two rounds");
    assert_eq!(scrub(&restarted).await, verified(1, 1));
    assert!(
        restarted
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}
