//! Proving who one is.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::{ChangePassword, EditAccount, Signup};

use crate::support::{House, PASSWORD, code, signup};

both_engines!(
    a_person_logs_in_by_username_number_or_email,
    an_unknown_login_is_answered_like_a_wrong_password,
    an_unknown_login_costs_the_same_work_as_a_wrong_password,
    a_locked_account_is_named_only_to_who_knows_its_password,
    a_changed_password_ends_the_other_sessions,
    a_password_is_changed_only_by_who_knows_it
);

async fn a_person_logs_in_by_username_number_or_email(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let request = Signup {
        email: Some("ada@example.org".into()),
        password: "cafe\u{301} au lait".into(),
        ..signup("Ada")
    };
    let account = house.sign_up(request).await.unwrap().logged_in.account;
    let number = account.number.to_string();
    for login in ["Ada", "ADA", " ada ", "ADA@example.org", &number] {
        // Another keyboard composes the accent in another way.
        let visitor = house
            .log_in(login, "caf\u{e9} au lait", "192.0.2.5")
            .await
            .unwrap();
        assert_eq!(visitor.caller.account().unwrap(), account.id, "{login}");
        assert_eq!(visitor.caller.person().unwrap().home, account.home);
    }
}

async fn an_unknown_login_is_answered_like_a_wrong_password(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    house.member("ada").await;
    let wrong = house
        .log_in("ada", "wrong password", "192.0.2.5")
        .await
        .err()
        .unwrap();
    assert_eq!(wrong.code(), ErrorCode::Unauthenticated);
    for nobody in [
        "bob",
        "999999",
        "bob@example.org",
        "",
        "no login at all",
        &"x".repeat(10_000),
    ] {
        let unknown = house
            .log_in(nobody, "wrong password", "192.0.2.5")
            .await
            .err()
            .unwrap();
        assert_eq!(
            (unknown.code(), unknown.text()),
            (wrong.code(), wrong.text()),
            "{nobody:?}"
        );
    }
    let too_long = house.log_in("ada", &"x".repeat(1 << 20), "192.0.2.5").await;
    assert_eq!(code(too_long), Some(ErrorCode::Unauthenticated));
}

async fn an_unknown_login_costs_the_same_work_as_a_wrong_password(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    house.member("ada").await;
    // Hashing is nearly all of the time that an answer takes; measuring that time would measure the machine.
    let hashed = || house.wharf.accounts().passwords_hashed();
    for login in [
        "ada",
        "bob",
        "123456",
        "bob@example.org",
        "no login at all",
        "",
    ] {
        let before = hashed();
        let refused = house.log_in(login, "wrong password", "192.0.2.5").await;
        assert_eq!(code(refused), Some(ErrorCode::Unauthenticated));
        assert_eq!(hashed() - before, 1, "{login:?}");
    }
}

async fn a_locked_account_is_named_only_to_who_knows_its_password(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    admin.edit(ada.logged_in.account.id, lock).await.unwrap();
    let wrong = house.log_in("ada", "wrong password", "192.0.2.5").await;
    assert_eq!(code(wrong), Some(ErrorCode::Unauthenticated));
    let right = house.log_in("ada", PASSWORD, "192.0.2.5").await;
    assert_eq!(code(right), Some(ErrorCode::Denied));
}

async fn a_changed_password_ends_the_other_sessions(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let here = house.member("ada").await;
    let there = house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();
    let other = house.member("bob").await;
    let change = ChangePassword {
        current: PASSWORD.into(),
        new: "battery staple".into(),
    };
    house
        .wharf
        .accounts()
        .change_password(&here.caller, change)
        .await
        .unwrap();

    assert_eq!(
        code(house.caller(&here.logged_in).await),
        None,
        "the one that changed it stays"
    );
    assert_eq!(
        code(house.caller(&other.logged_in).await),
        None,
        "others' stay"
    );
    assert_eq!(
        code(house.caller(&there.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    let old = house.log_in("ada", PASSWORD, "192.0.2.5").await;
    assert_eq!(code(old), Some(ErrorCode::Unauthenticated));
    house
        .log_in("ada", "battery staple", "192.0.2.5")
        .await
        .unwrap();
}

async fn a_password_is_changed_only_by_who_knows_it(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let thief = house.member("ada").await;
    let owner = house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();
    let accounts = house.wharf.accounts();
    let change = |current: &str, new: &str| ChangePassword {
        current: current.into(),
        new: new.into(),
    };
    let short = accounts
        .change_password(&thief.caller, change(PASSWORD, "short"))
        .await;
    assert_eq!(code(short), Some(ErrorCode::Invalid));
    for _ in 0..10 {
        let wrong = accounts
            .change_password(&thief.caller, change("a wild guess", "battery staple"))
            .await;
        assert_eq!(code(wrong), Some(ErrorCode::Denied));
    }
    let limited = accounts
        .change_password(&thief.caller, change(PASSWORD, "battery staple"))
        .await;
    assert_eq!(code(limited), Some(ErrorCode::Limited));
    // Who guessed with a stolen session has not kept the owner from changing the password with another one.
    accounts
        .change_password(&owner.caller, change(PASSWORD, "battery staple"))
        .await
        .unwrap();
    assert_eq!(
        code(house.caller(&thief.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
}
