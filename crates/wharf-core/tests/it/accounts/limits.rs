//! Bounds on guessing: what they stop, and whom they must not stop.

use futures_util::future::join_all;
use wharf_core::{AttemptLimits, HouseConfig};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::SignupPolicy;

use crate::support::{House, PASSWORD, code, credentials, from, signup};

both_engines!(
    guesses_at_one_login_from_one_address_are_bounded_and_the_window_ends,
    guesses_at_a_login_that_nobody_has_are_bounded_alike,
    guesses_sent_all_at_once_are_bounded_alike,
    many_devices_that_log_in_at_once_are_no_attack,
    a_success_forgets_the_login_s_failures,
    an_account_of_one_s_own_does_not_wash_an_address_clean,
    guesses_from_many_addresses_do_not_keep_the_owner_out,
    the_bounds_hold_across_processes_and_restarts,
    a_clock_that_goes_back_does_not_lengthen_a_window,
    sign_ups_from_one_address_are_bounded
);

const ATTACKER: &str = "203.0.113.66";
const OWNER: &str = "192.0.2.5";

async fn house_with(db: TestDb, attempts: AttemptLimits) -> House {
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        attempts,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    house.operator().await;
    house.member("ada").await;
    house
}

async fn strict(db: TestDb) -> House {
    let attempts = AttemptLimits {
        window_seconds: 60,
        per_login_and_address: 3,
        per_address: 5,
        per_login: 7,
        signups_per_address: 4,
        finds_per_account: 3,
    };
    house_with(db, attempts).await
}

async fn guess(house: &House, login: &str, address: &str) -> Option<ErrorCode> {
    code(house.log_in(login, "a wild guess", address).await)
}

async fn guesses_at_one_login_from_one_address_are_bounded_and_the_window_ends(db: TestDb) {
    let house = strict(db).await;
    for _ in 0..3 {
        assert_eq!(
            guess(&house, "ada", ATTACKER).await,
            Some(ErrorCode::Unauthenticated)
        );
        house.clock.advance_ms(10_000);
    }
    let limited = house.log_in("ada", PASSWORD, ATTACKER).await.err().unwrap();
    assert_eq!(
        limited.code(),
        ErrorCode::Limited,
        "the right password does not help either"
    );
    assert_eq!(limited.retry_after_seconds(), Some(30));
    // Knocking on does not lengthen the wait.
    house.clock.advance_ms(29_000);
    let limited = house.log_in("ada", PASSWORD, ATTACKER).await.err().unwrap();
    assert_eq!(limited.retry_after_seconds(), Some(1));
    house.log_in("ada", PASSWORD, OWNER).await.unwrap();
    house.clock.advance_ms(1_000);
    house.log_in("ada", PASSWORD, ATTACKER).await.unwrap();
}

async fn guesses_at_a_login_that_nobody_has_are_bounded_alike(db: TestDb) {
    let house = strict(db).await;
    for _ in 0..3 {
        assert_eq!(
            guess(&house, "nobody", ATTACKER).await,
            Some(ErrorCode::Unauthenticated)
        );
    }
    let limited = house
        .log_in("nobody", "a wild guess", ATTACKER)
        .await
        .err()
        .unwrap();
    assert_eq!(
        (limited.code(), limited.retry_after_seconds()),
        (ErrorCode::Limited, Some(60))
    );
}

async fn guesses_sent_all_at_once_are_bounded_alike(db: TestDb) {
    let house = strict(db).await;
    let outcomes = join_all((0..20).map(|_| guess(&house, "ada", ATTACKER))).await;
    let tried = outcomes
        .iter()
        .filter(|outcome| **outcome == Some(ErrorCode::Unauthenticated));
    assert_eq!(tried.count(), 3, "{outcomes:?}");
    let limited = outcomes
        .iter()
        .filter(|outcome| **outcome == Some(ErrorCode::Limited));
    assert_eq!(limited.count(), 17, "{outcomes:?}");
}

async fn many_devices_that_log_in_at_once_are_no_attack(db: TestDb) {
    let house = house_with(db, AttemptLimits::default()).await;
    let outcomes = join_all((0..40).map(|_| house.log_in("ada", PASSWORD, OWNER))).await;
    assert!(
        outcomes.iter().all(Result::is_ok),
        "{:?}",
        outcomes.into_iter().find_map(Result::err)
    );
}

async fn a_success_forgets_the_login_s_failures(db: TestDb) {
    let house = strict(db).await;
    for _ in 0..2 {
        for _ in 0..2 {
            assert_eq!(
                guess(&house, "ada", OWNER).await,
                Some(ErrorCode::Unauthenticated)
            );
        }
        house.log_in("ada", PASSWORD, OWNER).await.unwrap();
    }
}

async fn an_account_of_one_s_own_does_not_wash_an_address_clean(db: TestDb) {
    let house = strict(db).await;
    house.member("mallory").await;
    for victim in ["ada", "ada", "ada", "root"] {
        assert_eq!(
            guess(&house, victim, ATTACKER).await,
            Some(ErrorCode::Unauthenticated)
        );
    }
    house.log_in("mallory", PASSWORD, ATTACKER).await.unwrap();
    assert_eq!(
        guess(&house, "root", ATTACKER).await,
        Some(ErrorCode::Unauthenticated)
    );
    assert_eq!(
        guess(&house, "root", ATTACKER).await,
        Some(ErrorCode::Limited)
    );
    assert_eq!(
        guess(&house, "root", "203.0.113.67").await,
        Some(ErrorCode::Unauthenticated)
    );
}

async fn guesses_from_many_addresses_do_not_keep_the_owner_out(db: TestDb) {
    let house = strict(db).await;
    let at_home = house.log_in("ada", PASSWORD, OWNER).await.unwrap();
    let mut outcomes = Vec::new();
    for number in 0..8 {
        outcomes.push(guess(&house, "ada", &format!("203.0.113.{number}")).await);
    }
    assert!(
        outcomes[..7]
            .iter()
            .all(|outcome| *outcome == Some(ErrorCode::Unauthenticated))
    );
    assert_eq!(outcomes[7], Some(ErrorCode::Limited));
    // The right password from a strange place has to wait, from where a session vouches for it it does not; what is open
    // stays open.
    let strange = house.log_in("ada", PASSWORD, "198.51.100.1").await;
    assert_eq!(code(strange), Some(ErrorCode::Limited));
    assert_eq!(code(house.caller(&at_home.logged_in).await), None);
    house.log_in("ada", PASSWORD, OWNER).await.unwrap();
}

async fn the_bounds_hold_across_processes_and_restarts(db: TestDb) {
    let house = strict(db).await;
    for _ in 0..3 {
        assert_eq!(
            guess(&house, "ada", ATTACKER).await,
            Some(ErrorCode::Unauthenticated)
        );
    }
    let other = house.second_process().await;
    let refused = other
        .accounts()
        .login(credentials("ada", PASSWORD), from(ATTACKER))
        .await;
    assert_eq!(code(refused), Some(ErrorCode::Limited));
}

async fn a_clock_that_goes_back_does_not_lengthen_a_window(db: TestDb) {
    let house = strict(db).await;
    for _ in 0..3 {
        assert_eq!(
            guess(&house, "ada", ATTACKER).await,
            Some(ErrorCode::Unauthenticated)
        );
    }
    assert_eq!(
        guess(&house, "ada", ATTACKER).await,
        Some(ErrorCode::Limited)
    );
    house.clock.set_wall_ms(house.clock.now_ms() - 3_600_000);
    house.log_in("ada", PASSWORD, ATTACKER).await.unwrap();
}

async fn sign_ups_from_one_address_are_bounded(db: TestDb) {
    // Two accounts were made from this address already.
    let house = strict(db).await;
    house.member("bob").await;
    house.member("carol").await;
    assert_eq!(
        code(house.sign_up(signup("dave")).await),
        Some(ErrorCode::Limited)
    );
    let elsewhere = house
        .wharf
        .accounts()
        .signup(signup("dave"), from("2001:db8::1"))
        .await;
    assert_eq!(code(elsewhere), None);
}
