//! Making one's own account.

use std::collections::BTreeSet;

use wharf_core::{Caller, HouseConfig, InternalRole};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::{AccountRole, AddAccount, CreateInvitation, Signup, SignupPolicy};

use crate::support::{House, code, from, signup};

both_engines!(
    the_first_account_needs_the_printed_code_and_is_the_operator_s,
    of_several_who_hold_the_printed_code_one_gets_in,
    each_start_prints_another_code_until_one_is_used,
    an_account_made_at_the_console_leaves_the_operator_s_to_be_made,
    an_account_has_a_number_a_quota_and_a_room_of_its_own,
    names_that_are_taken_are_refused_in_any_spelling,
    closed_sign_up_lets_nobody_in_and_tells_nothing,
    an_invitation_makes_as_many_accounts_as_it_says,
    an_invitation_ends_by_time_and_by_hand,
    numbers_are_six_digits_and_all_different,
    values_out_of_bounds_are_refused_before_anything_is_made,
    the_epoch_stays_until_it_is_renewed
);

async fn the_first_account_needs_the_printed_code_and_is_the_operator_s(db: TestDb) {
    let house = House::open(db).await;
    let accounts = house.wharf.accounts();
    assert!(accounts.info().await.unwrap().needs_setup);
    let wrong = Some("aaaa-aaaa-aaaa-aaaa-aaaa-aaaa".to_owned());
    for code_text in [None, Some(String::new()), Some("x".into()), wrong] {
        let refused = house
            .sign_up(Signup {
                code: code_text.clone(),
                ..signup("root")
            })
            .await;
        assert_eq!(code(refused), Some(ErrorCode::Denied), "{code_text:?}");
    }

    let printed = accounts.setup_code().unwrap();
    let typed = Some(printed.to_uppercase().replace('-', " "));
    let root = house
        .sign_up(Signup {
            code: typed,
            ..signup("root")
        })
        .await
        .unwrap();
    assert_eq!(root.logged_in.account.role, AccountRole::Operator);
    assert_eq!(accounts.setup_code(), None);
    assert!(!accounts.info().await.unwrap().needs_setup);

    // Sign-up is open now, and the spent code makes no second operator.
    let second = house
        .sign_up(Signup {
            code: Some(printed),
            ..signup("ada")
        })
        .await
        .unwrap();
    assert_eq!(second.logged_in.account.role, AccountRole::Member);
}

async fn of_several_who_hold_the_printed_code_one_gets_in(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Closed,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let printed = house.wharf.accounts().setup_code();
    let try_as = |name: &'static str| {
        house.sign_up(Signup {
            code: printed.clone(),
            ..signup(name)
        })
    };
    let (a, b, c) = tokio::join!(try_as("a"), try_as("b"), try_as("c"));
    let outcomes = [code(a), code(b), code(c)];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_none()).count(),
        1,
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Some(ErrorCode::Denied))
            .count(),
        2,
        "{outcomes:?}"
    );
}

async fn each_start_prints_another_code_until_one_is_used(db: TestDb) {
    let house = House::open(db).await;
    let first = house.wharf.accounts().setup_code();
    let restarted = house.second_process().await;
    let second = restarted.accounts().setup_code();
    assert_ne!(first, second);
    let stale = house
        .sign_up(Signup {
            code: first,
            ..signup("root")
        })
        .await;
    assert_eq!(code(stale), Some(ErrorCode::Denied));
    house
        .sign_up(Signup {
            code: second,
            ..signup("root")
        })
        .await
        .unwrap();
    assert_eq!(house.second_process().await.accounts().setup_code(), None);
}

async fn an_account_made_at_the_console_leaves_the_operator_s_to_be_made(db: TestDb) {
    let house = House::open(db).await;
    let accounts = house.wharf.accounts();
    let console = Caller::internal(InternalRole::Console);
    let request = AddAccount {
        username: "ada".into(),
        ..AddAccount::default()
    };
    accounts
        .admin(&console)
        .unwrap()
        .add(request)
        .await
        .unwrap();
    assert!(accounts.info().await.unwrap().needs_setup);
    assert_eq!(
        code(house.sign_up(signup("eve")).await),
        Some(ErrorCode::Denied)
    );
    let root = house.operator().await;
    assert_eq!(root.logged_in.account.role, AccountRole::Operator);
    assert!(!accounts.info().await.unwrap().needs_setup);
}

async fn an_account_has_a_number_a_quota_and_a_room_of_its_own(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        quota_bytes_default: 12_345,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    house.operator().await;
    let request = Signup {
        email: Some("Ada@Example.org".into()),
        nickname: Some("Ada L.".into()),
        device: Some("laptop".into()),
        ..signup("Ada")
    };
    let ada = house.sign_up(request).await.unwrap();
    let account = house.wharf.accounts().account(&ada.caller).await.unwrap();
    assert_eq!(account, ada.logged_in.account);
    assert_eq!(
        (account.username.as_str(), account.nickname.as_str()),
        ("Ada", "Ada L.")
    );
    assert_eq!(account.email.as_deref(), Some("Ada@Example.org"));
    assert_eq!(
        (account.quota_bytes, account.used_bytes, account.locked),
        (12_345, 0, false)
    );
    assert_eq!(ada.logged_in.session.device, "laptop");
    assert_eq!(ada.logged_in.session.address, "192.0.2.1");

    let home = account.home;
    let rows = house
        .db
        .read(move |tx| {
            tx.all(
                "SELECT r.owner_id, m.account_id, m.role, n.kind, n.name FROM room r \
                 JOIN member m ON m.room_id = r.id JOIN node n ON n.room_id = r.id AND n.id = r.root_id \
                 WHERE r.id = ?1",
                &[home.into()],
                |row| {
                    Ok((row.id(0)?, row.id(1)?, row.text(2)?.to_owned(), row.int(3)?, row.text(4)?.to_owned()))
                },
            )
        })
        .await
        .unwrap();
    assert_eq!(
        rows,
        [(account.id, account.id, "owner".to_owned(), 0, String::new())]
    );
}

async fn names_that_are_taken_are_refused_in_any_spelling(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let jose = Signup {
        email: Some("jose@example.org".into()),
        ..signup("Jos\u{e9}")
    };
    house.sign_up(jose).await.unwrap();
    for taken in ["Jos\u{e9}", "JOSE\u{301}", "root", "ROOT"] {
        assert_eq!(
            code(house.sign_up(signup(taken)).await),
            Some(ErrorCode::Exists),
            "{taken}"
        );
    }
    let same_email = Signup {
        email: Some("JOSE@Example.ORG".into()),
        ..signup("pepe")
    };
    assert_eq!(
        code(house.sign_up(same_email).await),
        Some(ErrorCode::Exists)
    );
    // Of several who want one name at once, one has it.
    let (a, b, c) = tokio::join!(
        house.sign_up(signup("eve")),
        house.sign_up(signup("Eve")),
        house.sign_up(signup("EVE"))
    );
    let mut outcomes = [code(a), code(b), code(c)];
    outcomes.sort_by_key(Option::is_some);
    assert_eq!(
        outcomes,
        [None, Some(ErrorCode::Exists), Some(ErrorCode::Exists)]
    );
}

async fn closed_sign_up_lets_nobody_in_and_tells_nothing(db: TestDb) {
    for policy in [SignupPolicy::Closed, SignupPolicy::Invitation] {
        let config = HouseConfig {
            signup: policy,
            ..HouseConfig::default()
        };
        let house = House::open_with(TestDb::open(db.engine()), config).await;
        house.operator().await;
        let free = house.sign_up(signup("ada")).await.err().unwrap();
        let taken = house.sign_up(signup("root")).await.err().unwrap();
        assert_eq!(free.code(), ErrorCode::Denied);
        assert_eq!(
            (free.code(), free.text()),
            (taken.code(), taken.text()),
            "{policy:?}"
        );
    }
}

async fn an_invitation_makes_as_many_accounts_as_it_says(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Invitation,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let request = CreateInvitation {
        uses: 2,
        expires_seconds: None,
    };
    let invitation = admin.create_invitation(request).await.unwrap();
    let listed = admin.invitations().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.clone(), listed[0].code.clone()),
        (invitation.id, None)
    );

    let invited = |name: &'static str| {
        house.sign_up(Signup {
            code: invitation.code.clone(),
            ..signup(name)
        })
    };
    // A name that is taken costs no use.
    assert_eq!(code(invited("root").await), Some(ErrorCode::Exists));
    let (a, b, c, d) = tokio::join!(invited("a"), invited("b"), invited("c"), invited("d"));
    let mut outcomes = [code(a), code(b), code(c), code(d)];
    outcomes.sort_by_key(Option::is_some);
    assert_eq!(
        outcomes,
        [None, None, Some(ErrorCode::Denied), Some(ErrorCode::Denied)]
    );
    assert!(admin.invitations().await.unwrap().is_empty());
}

async fn an_invitation_ends_by_time_and_by_hand(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Invitation,
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    for request in [
        CreateInvitation {
            uses: 0,
            expires_seconds: None,
        },
        CreateInvitation {
            uses: 1_001,
            expires_seconds: None,
        },
        CreateInvitation {
            uses: 1,
            expires_seconds: Some(0),
        },
        CreateInvitation {
            uses: 1,
            expires_seconds: Some(u64::MAX),
        },
    ] {
        assert_eq!(
            code(admin.create_invitation(request).await),
            Some(ErrorCode::Invalid)
        );
    }
    let request = CreateInvitation {
        uses: 5,
        expires_seconds: Some(60),
    };
    let brief = admin.create_invitation(request.clone()).await.unwrap();
    let ended = admin.create_invitation(request).await.unwrap();
    admin.end_invitation(&ended.id).await.unwrap();
    assert_eq!(
        code(admin.end_invitation(&ended.id).await),
        Some(ErrorCode::NotFound)
    );
    let with = |invitation_code: &Option<String>, name: &'static str| {
        house.sign_up(Signup {
            code: invitation_code.clone(),
            ..signup(name)
        })
    };
    assert_eq!(code(with(&ended.code, "a").await), Some(ErrorCode::Denied));
    house.clock.advance_ms(59_999);
    assert_eq!(code(with(&brief.code, "b").await), None);
    house.clock.advance_ms(1);
    assert_eq!(code(with(&brief.code, "c").await), Some(ErrorCode::Denied));
}

async fn numbers_are_six_digits_and_all_different(db: TestDb) {
    let house = House::open(db).await;
    let mut numbers = BTreeSet::from([house.operator().await.logged_in.account.number]);
    for name in ["a", "b", "c", "d", "e", "f"] {
        numbers.insert(house.member(name).await.logged_in.account.number);
    }
    assert_eq!(numbers.len(), 7);
    assert!(
        numbers
            .iter()
            .all(|number| (100_000..1_000_000).contains(number)),
        "{numbers:?}"
    );
    assert!(
        numbers
            .iter()
            .zip(numbers.iter().skip(1))
            .any(|(a, b)| b - a > 1),
        "not in a row"
    );
}

async fn values_out_of_bounds_are_refused_before_anything_is_made(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let bad = [
        Signup {
            username: "7up".into(),
            ..signup("x")
        },
        Signup {
            password: "short".into(),
            ..signup("x")
        },
        Signup {
            password: "x".repeat(1025),
            ..signup("x")
        },
        Signup {
            email: Some("nowhere".into()),
            ..signup("x")
        },
        Signup {
            nickname: Some("\u{7}".into()),
            ..signup("x")
        },
        Signup {
            device: Some(String::new()),
            ..signup("x")
        },
    ];
    for request in bad {
        let shown = format!("{request:?}");
        assert_eq!(
            code(house.sign_up(request).await),
            Some(ErrorCode::Invalid),
            "{shown}"
        );
    }
    house.member("x").await;
    let origin = from("::ffff:192.0.2.9");
    let logged_in = house
        .wharf
        .accounts()
        .signup(signup("y"), origin)
        .await
        .unwrap();
    assert_eq!(logged_in.session.address, "192.0.2.9");
}

async fn the_epoch_stays_until_it_is_renewed(db: TestDb) {
    let house = House::open(db).await;
    let epoch = house.wharf.accounts().info().await.unwrap().epoch;
    assert_eq!(epoch.len(), 32);
    let restarted = house.second_process().await;
    assert_eq!(restarted.accounts().info().await.unwrap().epoch, epoch);
    let renewed = restarted.accounts().renew_epoch().await.unwrap();
    assert_ne!(renewed, epoch);
    assert_eq!(house.wharf.accounts().info().await.unwrap().epoch, renewed);
}
