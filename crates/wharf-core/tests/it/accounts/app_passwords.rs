//! Passwords of gateways: each opens one door, and can be taken back by itself.

use wharf_core::accounts::{AppLogin, DoorSignup};
use wharf_core::{Door, Error, HouseConfig, Origin};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::{AccountRole, ChangePassword, EditAccount, SignupPolicy};
use wharf_types::api::app_password::{AppDoor, CreateAppPassword};

use crate::support::{House, PASSWORD, Visitor, code, from};

const CREATE: CreateAppPassword = CreateAppPassword {
    door: AppDoor::Netdisk,
};
/// The MD5 of "secret".
const MD5: &str = "5ebe2294ecd0e0f08eab7690d2a6ee69";

both_engines!(
    a_password_opens_its_door_and_no_other,
    logins_share_a_session_until_it_ends,
    a_ticket_is_no_token_and_holds_after_a_restart,
    another_password_ends_the_one_before,
    failures_count_as_at_any_login,
    a_gateway_that_sends_an_md5_is_content_with_it,
    a_locked_account_stays_out,
    a_change_of_password_ends_them_all,
    a_person_changes_it_from_within,
    accounts_are_made_where_anybody_may,
    an_account_without_a_password_of_its_own_gets_one_from_the_operator,
    secrets_are_nowhere_in_the_database,
    who_comes_without_a_login_at_once_shares_one_session,
);

fn at(door: AppDoor) -> Origin {
    Origin {
        door: Door::from(door),
        ..from("192.0.2.9")
    }
}

async fn password(house: &House, visitor: &Visitor) -> String {
    let accounts = house.wharf.accounts();
    let made = accounts.create_app_password(&visitor.caller, CREATE).await;
    made.unwrap().password.unwrap()
}

async fn login(house: &House, door: AppDoor, login: &str, proof: &str) -> Result<AppLogin, Error> {
    let accounts = house.wharf.accounts();
    accounts
        .login_by_app_password(door, login, proof, at(door))
        .await
}

async fn a_password_opens_its_door_and_no_other(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    assert_eq!(
        code(login(&house, AppDoor::Netdisk, "ada", PASSWORD).await),
        Some(ErrorCode::Unauthenticated),
        "a person's own password opens no gateway"
    );
    let password = password(&house, &ada).await;
    let number = ada.logged_in.account.number.to_string();
    for name in ["ada", "ADA", &number] {
        let inside = login(&house, AppDoor::Netdisk, name, &password)
            .await
            .unwrap();
        assert_eq!(inside.account.id, ada.logged_in.account.id);
        assert_eq!(inside.caller.origin().door, Door::Netdisk);
    }
    for (door, name) in [
        (AppDoor::PyChat, "ada"),
        (AppDoor::Netdisk, "root"),
        (AppDoor::Netdisk, "bob"),
    ] {
        let refused = login(&house, door, name, &password).await;
        assert_eq!(
            code(refused),
            Some(ErrorCode::Unauthenticated),
            "{door} {name}"
        );
    }
    let elsewhere = house.log_in("ada", &password, "192.0.2.1").await;
    assert_eq!(code(elsewhere), Some(ErrorCode::Unauthenticated));
    let listed = house
        .wharf
        .accounts()
        .app_passwords(&ada.caller)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].door, &listed[0].password),
        (AppDoor::Netdisk, &None)
    );
    assert!(listed[0].used_ms.is_some());
}

async fn logins_share_a_session_until_it_ends(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    let accounts = house.wharf.accounts();
    let first = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    let second = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    assert_eq!(first.ticket, second.ticket);
    let sessions = accounts.sessions(&ada.caller).await.unwrap();
    assert_eq!(
        sessions
            .iter()
            .filter(|one| one.device == "netdisk")
            .count(),
        1
    );

    accounts.logout(&second.caller).await.unwrap();
    let ended = accounts
        .authenticate_ticket(&first.ticket, AppDoor::Netdisk, at(AppDoor::Netdisk))
        .await;
    assert_eq!(code(ended), Some(ErrorCode::Unauthenticated));
    let third = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    assert_ne!(third.ticket, first.ticket);
}

async fn a_ticket_is_no_token_and_holds_after_a_restart(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    let inside = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    let again = house.second_process().await;
    let accounts = again.accounts();
    let caller = accounts
        .authenticate_ticket(&inside.ticket, AppDoor::Netdisk, at(AppDoor::Netdisk))
        .await
        .unwrap();
    assert_eq!(caller.account().unwrap(), ada.logged_in.account.id);
    let repeated = accounts
        .login_by_app_password(AppDoor::Netdisk, "ada", &password, at(AppDoor::Netdisk))
        .await
        .unwrap();
    assert_eq!(repeated.ticket, inside.ticket);

    let encoded = data_encoding::BASE64URL_NOPAD.encode(inside.ticket.as_bytes());
    for token in [inside.ticket.clone(), format!("wharf_{encoded}")] {
        let refused = accounts.authenticate(&token, from("192.0.2.1")).await;
        assert_eq!(code(refused), Some(ErrorCode::Unauthenticated), "{token}");
    }
    for (ticket, door) in [
        (inside.ticket.as_str(), AppDoor::PyChat),
        (&ada.logged_in.token, AppDoor::Netdisk),
    ] {
        let refused = accounts.authenticate_ticket(ticket, door, at(door)).await;
        assert_eq!(code(refused), Some(ErrorCode::Unauthenticated), "{door}");
    }
}

async fn another_password_ends_the_one_before(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let old = password(&house, &ada).await;
    let inside = login(&house, AppDoor::Netdisk, "ada", &old).await.unwrap();
    let new = password(&house, &ada).await;
    let accounts = house.wharf.accounts();
    let door = AppDoor::Netdisk;
    let ended = accounts
        .authenticate_ticket(&inside.ticket, door, at(door))
        .await;
    assert_eq!(code(ended), Some(ErrorCode::Unauthenticated));
    assert_eq!(
        code(login(&house, door, "ada", &old).await),
        Some(ErrorCode::Unauthenticated)
    );
    let inside = login(&house, door, "ada", &new).await.unwrap();
    accounts
        .remove_app_password(&ada.caller, door)
        .await
        .unwrap();
    assert_eq!(
        code(accounts.remove_app_password(&ada.caller, door).await),
        Some(ErrorCode::NotFound)
    );
    let ended = accounts
        .authenticate_ticket(&inside.ticket, door, at(door))
        .await;
    assert_eq!(code(ended), Some(ErrorCode::Unauthenticated));
    assert_eq!(
        code(login(&house, door, "ada", &new).await),
        Some(ErrorCode::Unauthenticated)
    );
}

async fn failures_count_as_at_any_login(db: TestDb) {
    let mut config = HouseConfig {
        signup: SignupPolicy::Open,
        ..HouseConfig::default()
    };
    config.attempts.per_login_and_address = 3;
    let house = House::open_with(db, config).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    for _ in 0..3 {
        let wrong = login(&house, AppDoor::Netdisk, "ada", "wrong").await;
        assert_eq!(code(wrong), Some(ErrorCode::Unauthenticated));
    }
    let limited = login(&house, AppDoor::Netdisk, "ada", &password).await;
    assert_eq!(code(limited), Some(ErrorCode::Limited));
}

async fn a_gateway_that_sends_an_md5_is_content_with_it(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let request = CreateAppPassword {
        door: AppDoor::PyChat,
    };
    let made = house
        .wharf
        .accounts()
        .create_app_password(&ada.caller, request)
        .await;
    let password = made.unwrap().password.unwrap();
    let digest = <md5::Md5 as md5::Digest>::digest(password.as_bytes());
    let proof = data_encoding::HEXLOWER.encode(&digest);
    login(&house, AppDoor::PyChat, "ada", &proof).await.unwrap();
    login(&house, AppDoor::PyChat, "ada", &proof.to_uppercase())
        .await
        .unwrap();
    let text = login(&house, AppDoor::PyChat, "ada", &password).await;
    assert_eq!(code(text), Some(ErrorCode::Unauthenticated));
}

async fn a_locked_account_stays_out(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    let inside = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    let accounts = house.wharf.accounts();
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    let admin = accounts.admin(&root.caller).unwrap();
    admin.edit(inside.account.id, lock).await.unwrap();
    let door = AppDoor::Netdisk;
    let ended = accounts
        .authenticate_ticket(&inside.ticket, door, at(door))
        .await;
    assert_eq!(code(ended), Some(ErrorCode::Unauthenticated));
    let denied = login(&house, AppDoor::Netdisk, "ada", &password).await;
    assert_eq!(code(denied), Some(ErrorCode::Denied));
}

async fn a_change_of_password_ends_them_all(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    let accounts = house.wharf.accounts();
    let change = ChangePassword {
        current: PASSWORD.into(),
        new: "another password".into(),
    };
    accounts.change_password(&ada.caller, change).await.unwrap();
    assert!(
        accounts
            .app_passwords(&ada.caller)
            .await
            .unwrap()
            .is_empty()
    );
    let refused = login(&house, AppDoor::Netdisk, "ada", &password).await;
    assert_eq!(code(refused), Some(ErrorCode::Unauthenticated));
}

async fn a_person_changes_it_from_within(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let old = password(&house, &ada).await;
    let door = AppDoor::Netdisk;
    let inside = login(&house, door, "ada", &old).await.unwrap();
    let accounts = house.wharf.accounts();
    let new = "Something else 1";
    for (given, want) in [("wrong", ErrorCode::Denied), (&old, ErrorCode::Invalid)] {
        let text = if want == ErrorCode::Invalid {
            "short"
        } else {
            new
        };
        let refused = accounts
            .change_app_password(&inside.caller, door, Some(given), text)
            .await;
        assert_eq!(code(refused), Some(want));
    }
    accounts
        .change_app_password(&inside.caller, door, Some(&old), new)
        .await
        .unwrap();
    let again = login(&house, door, "ada", new).await.unwrap();
    assert_eq!(again.ticket, inside.ticket, "the session stays");
    assert_eq!(
        code(login(&house, door, "ada", &old).await),
        Some(ErrorCode::Unauthenticated)
    );
    house.log_in("ada", PASSWORD, "192.0.2.1").await.unwrap();
}

fn somebody(username: Option<&str>, email: Option<&str>, proof: &str) -> DoorSignup {
    DoorSignup {
        username: username.map(str::to_owned),
        email: email.map(str::to_owned),
        nickname: None,
        proof: proof.to_owned(),
    }
}

async fn accounts_are_made_where_anybody_may(db: TestDb) {
    let house = House::open(db).await;
    let accounts = house.wharf.accounts();
    let door = AppDoor::Netdisk;
    let eve = || somebody(Some("eve"), None, "Password1");
    let early = accounts.signup_by_door(door, eve(), at(door)).await;
    assert_eq!(
        code(early),
        Some(ErrorCode::Denied),
        "the operator comes first"
    );
    house.operator().await;
    let made = accounts
        .signup_by_door(door, eve(), at(door))
        .await
        .unwrap();
    assert_eq!(
        (made.username.as_str(), made.role),
        ("eve", AccountRole::Member)
    );
    let taken = accounts.signup_by_door(door, eve(), at(door)).await;
    assert_eq!(code(taken), Some(ErrorCode::Exists));
    login(&house, door, "eve", "Password1").await.unwrap();
    house.log_in("eve", "Password1", "192.0.2.1").await.unwrap();

    let closed = HouseConfig {
        signup: SignupPolicy::Invitation,
        ..HouseConfig::default()
    };
    let house = House::open_with(house.db, closed).await;
    let accounts = house.wharf.accounts();
    let mallory = somebody(Some("mallory"), None, "Password1");
    let refused = accounts.signup_by_door(door, mallory, at(door)).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
}

async fn an_account_without_a_password_of_its_own_gets_one_from_the_operator(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let accounts = house.wharf.accounts();
    let door = AppDoor::PyChat;
    let bad = somebody(None, Some("ben@example.org"), "secret");
    let refused = accounts.signup_by_door(door, bad, at(door)).await;
    assert_eq!(code(refused), Some(ErrorCode::Invalid));
    let ben = somebody(None, Some("ben@example.org"), MD5);
    let made = accounts.signup_by_door(door, ben, at(door)).await.unwrap();
    assert!(made.username.starts_with("ben-"), "{}", made.username);
    login(&house, door, &made.number.to_string(), MD5)
        .await
        .unwrap();
    for guess in ["", "secret", MD5] {
        let refused = house.log_in(&made.username, guess, "192.0.2.1").await;
        assert_eq!(code(refused), Some(ErrorCode::Unauthenticated), "{guess:?}");
    }
    let reset = EditAccount {
        reset_password: true,
        ..EditAccount::default()
    };
    let admin = accounts.admin(&root.caller).unwrap();
    let own = admin
        .edit(made.id, reset.clone())
        .await
        .unwrap()
        .password
        .unwrap();
    house
        .log_in(&made.username, &own, "192.0.2.1")
        .await
        .unwrap();
    login(&house, door, &made.username, MD5).await.unwrap();
    admin.edit(made.id, reset).await.unwrap();
    let refused = login(&house, door, &made.username, MD5).await;
    assert_eq!(code(refused), Some(ErrorCode::Unauthenticated));
}

async fn secrets_are_nowhere_in_the_database(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let password = password(&house, &ada).await;
    let inside = login(&house, AppDoor::Netdisk, "ada", &password)
        .await
        .unwrap();
    let rows = house
        .wharf
        .db()
        .read(|tx| {
            tx.all(
                "SELECT verifier FROM app_password UNION ALL SELECT value FROM setting",
                &[],
                |row| Ok(row.text(0)?.to_owned()),
            )
        })
        .await
        .unwrap();
    assert!(rows.iter().any(|row| row.starts_with("$argon2id$")));
    for row in rows {
        assert!(
            !row.contains(&password) && !row.contains(&inside.ticket),
            "{row}"
        );
    }
}

async fn who_comes_without_a_login_at_once_shares_one_session(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let entering = (0..16).map(|_| {
        let accounts = house.wharf.accounts().clone();
        tokio::spawn(async move {
            accounts
                .enter_as_configured(AppDoor::Netdisk, "ada", at(AppDoor::Netdisk))
                .await
        })
    });
    let mut sessions = Vec::new();
    for entered in entering.collect::<Vec<_>>() {
        let caller = entered.await.unwrap().unwrap();
        sessions.push(caller.person().unwrap().session);
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
    let standing = house.wharf.accounts().sessions(&ada.caller).await;
    let standing = standing.unwrap();
    assert_eq!(
        standing.iter().filter(|one| one.id == sessions[0]).count(),
        1
    );
}
