//! The operator's hands.

use wharf_core::{Caller, InternalRole};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::{AccountRole, AddAccount, EditAccount};
use wharf_types::{AccountId, ErrorCode};

use crate::support::{House, PASSWORD, code};

both_engines!(
    an_operator_adds_and_finds_accounts,
    accounts_are_listed_in_pages_by_number,
    a_locked_account_is_out_at_once_and_back_when_it_is_unlocked,
    a_reset_password_is_shown_once_and_ends_all_sessions,
    a_quota_is_set_within_bounds,
    the_console_stands_in_for_an_operator_who_is_locked_out
);

fn add(username: &str) -> AddAccount {
    AddAccount {
        username: username.into(),
        password: None,
        email: None,
        nickname: None,
        quota_bytes: None,
        role: None,
    }
}

async fn an_operator_adds_and_finds_accounts(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let request = AddAccount {
        email: Some("ada@example.org".into()),
        quota_bytes: Some(0),
        role: Some(AccountRole::Operator),
        ..add("Ada")
    };
    let added = admin.add(request).await.unwrap();
    assert_eq!(
        (added.account.role, added.account.quota_bytes),
        (AccountRole::Operator, 0)
    );
    let chosen = added.password.unwrap();
    let ada = house.log_in("ada", &chosen, "192.0.2.5").await.unwrap();
    let seconds_admin = house.wharf.accounts().admin(&ada.caller).unwrap();

    let given = AddAccount {
        password: Some(PASSWORD.into()),
        ..add("bob")
    };
    assert_eq!(seconds_admin.add(given).await.unwrap().password, None);
    house.log_in("bob", PASSWORD, "192.0.2.5").await.unwrap();
    assert_eq!(code(admin.add(add("BOB")).await), Some(ErrorCode::Exists));
    assert_eq!(code(admin.add(add("9")).await), Some(ErrorCode::Invalid));

    for login in ["ADA", "ada@example.org", &added.account.number.to_string()] {
        assert_eq!(admin.find(login).await.unwrap(), added.account, "{login}");
    }
    for nobody in ["carol", "100000", "a@b", "", "é é"] {
        assert_eq!(
            code(admin.find(nobody).await),
            Some(ErrorCode::NotFound),
            "{nobody}"
        );
    }
}

async fn accounts_are_listed_in_pages_by_number(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    for name in ["a", "b", "c", "d"] {
        admin
            .add(AddAccount {
                password: Some(PASSWORD.into()),
                ..add(name)
            })
            .await
            .unwrap();
    }
    let whole = admin.list(None, None).await.unwrap();
    assert_eq!((whole.items.len(), whole.next), (5, None));
    assert!(whole.items.is_sorted_by_key(|account| account.number));
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = admin.list(after, Some(2)).await.unwrap();
        assert!(page.items.len() <= 2);
        paged.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole.items);
    assert_eq!(
        admin.list(None, Some(0)).await.unwrap().items.len(),
        1,
        "a page has at least one"
    );
    assert_eq!(
        admin
            .list(Some(u32::MAX), Some(u32::MAX))
            .await
            .unwrap()
            .items
            .len(),
        0
    );
}

async fn a_locked_account_is_out_at_once_and_back_when_it_is_unlocked(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let id = ada.logged_in.account.id;
    let set = |locked: bool| EditAccount {
        locked: Some(locked),
        ..EditAccount::default()
    };
    assert!(admin.edit(id, set(true)).await.unwrap().account.locked);
    assert_eq!(
        code(house.caller(&ada.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    assert!(!admin.edit(id, set(false)).await.unwrap().account.locked);
    assert_eq!(
        code(house.caller(&ada.logged_in).await),
        Some(ErrorCode::Unauthenticated),
        "its sessions were ended"
    );
    house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();

    let oneself = admin.edit(root.logged_in.account.id, set(true)).await;
    assert_eq!(code(oneself), Some(ErrorCode::Denied));
    let nobody = admin.edit(AccountId::from_bytes([7; 16]), set(true)).await;
    assert_eq!(code(nobody), Some(ErrorCode::NotFound));
}

async fn a_reset_password_is_shown_once_and_ends_all_sessions(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let reset = EditAccount {
        reset_password: true,
        ..EditAccount::default()
    };
    let password = admin
        .edit(ada.logged_in.account.id, reset)
        .await
        .unwrap()
        .password
        .unwrap();
    assert_eq!(
        code(house.caller(&ada.logged_in).await),
        Some(ErrorCode::Unauthenticated)
    );
    let old = house.log_in("ada", PASSWORD, "192.0.2.5").await;
    assert_eq!(code(old), Some(ErrorCode::Unauthenticated));
    house.log_in("ada", &password, "192.0.2.5").await.unwrap();
}

async fn a_quota_is_set_within_bounds(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    let id = root.logged_in.account.id;
    let set = |bytes| EditAccount {
        quota_bytes: Some(bytes),
        ..EditAccount::default()
    };
    let largest = u64::MAX / 2;
    for bytes in [0, 1, largest] {
        let edited = admin.edit(id, set(bytes)).await.unwrap();
        assert_eq!((edited.account.quota_bytes, edited.password), (bytes, None));
    }
    assert_eq!(
        code(admin.edit(id, set(largest + 1)).await),
        Some(ErrorCode::Invalid)
    );
    assert_eq!(
        code(house.caller(&root.logged_in).await),
        None,
        "sessions stay"
    );
}

async fn the_console_stands_in_for_an_operator_who_is_locked_out(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let console = Caller::internal(InternalRole::Console);
    let admin = house.wharf.accounts().admin(&console).unwrap();
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    admin.edit(root.logged_in.account.id, lock).await.unwrap();
    let account = admin.find("root").await.unwrap();
    let mend = EditAccount {
        locked: Some(false),
        reset_password: true,
        ..EditAccount::default()
    };
    let password = admin
        .edit(account.id, mend)
        .await
        .unwrap()
        .password
        .unwrap();
    house.log_in("root", &password, "192.0.2.5").await.unwrap();
}
