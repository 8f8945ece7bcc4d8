//! Everybody who tries more than they may.

use wharf_core::accounts::{Accounts, Admin};
use wharf_core::{Caller, Error, InternalRole, Scope};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::{
    AddAccount, ChangePassword, CreateInvitation, EditAccount, RenameSession,
};
use wharf_types::{AccountId, ErrorCode, SessionId};

use crate::support::{House, PASSWORD, code};

both_engines!(
    who_is_no_operator_has_no_hands,
    hands_that_were_taken_before_are_empty_after_the_session_ends,
    whose_session_ended_changes_nothing,
    who_may_only_read_changes_nothing,
    the_program_itself_is_nobody_s_account
);

/// Tries everything that changes the caller's own account.
async fn try_own(
    accounts: &Accounts,
    caller: &Caller,
    session: SessionId,
) -> Vec<Option<ErrorCode>> {
    let rename = RenameSession {
        device: "pwned".into(),
    };
    let change = ChangePassword {
        current: PASSWORD.into(),
        new: "battery staple".into(),
    };
    vec![
        code(accounts.rename_session(caller, session, rename).await),
        code(accounts.change_password(caller, change).await),
        code(accounts.end_session(caller, session).await),
    ]
}

/// Tries everything that operators do, with hands that were given.
async fn try_hands(admin: &Admin<'_>, victim: AccountId) -> Vec<Option<ErrorCode>> {
    let add = AddAccount {
        username: "eve".into(),
        password: Some(PASSWORD.into()),
        email: None,
        nickname: None,
        quota_bytes: None,
        role: None,
    };
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    vec![
        code(admin.add(add).await),
        code(admin.list(None, None).await),
        code(admin.find("root").await),
        code(admin.edit(victim, lock).await),
        code(
            admin
                .create_invitation(CreateInvitation {
                    uses: 1,
                    expires_seconds: None,
                })
                .await,
        ),
        code(admin.invitations().await),
        code(admin.end_invitation("0000000000").await),
    ]
}

fn refused<T>(outcome: Result<T, Error>) -> ErrorCode {
    code(outcome).unwrap()
}

async fn who_is_no_operator_has_no_hands(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let accounts = house.wharf.accounts();
    for caller in [
        ada.caller,
        root.caller.narrowed(Scope::Read),
        Caller::internal(InternalRole::Job),
    ] {
        assert_eq!(
            refused(accounts.admin(&caller)),
            ErrorCode::Denied,
            "{caller}"
        );
    }
}

async fn hands_that_were_taken_before_are_empty_after_the_session_ends(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let victim = ada.logged_in.account.id;
    let admin = house.wharf.accounts().admin(&root.caller).unwrap();
    house.wharf.accounts().logout(&root.caller).await.unwrap();
    for outcome in try_hands(&admin, victim).await {
        assert_eq!(outcome, Some(ErrorCode::Unauthenticated));
    }
    assert_eq!(
        code(house.caller(&ada.logged_in).await),
        None,
        "nobody was locked"
    );
    assert_eq!(
        code(house.log_in("eve", PASSWORD, "192.0.2.5").await),
        Some(ErrorCode::Unauthenticated)
    );
}

async fn whose_session_ended_changes_nothing(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let ada = house.member("ada").await;
    let other = house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();
    let accounts = house.wharf.accounts();
    let admin = accounts.admin(&root.caller).unwrap();
    accounts.logout(&ada.caller).await.unwrap();
    for outcome in try_own(accounts, &ada.caller, other.logged_in.session.id).await {
        assert_eq!(outcome, Some(ErrorCode::Unauthenticated));
    }
    // And so after the whole account is locked.
    let lock = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    admin.edit(ada.logged_in.account.id, lock).await.unwrap();
    for outcome in try_own(accounts, &other.caller, other.logged_in.session.id).await {
        assert_eq!(outcome, Some(ErrorCode::Unauthenticated));
    }
    let unlock = EditAccount {
        locked: Some(false),
        ..EditAccount::default()
    };
    admin.edit(ada.logged_in.account.id, unlock).await.unwrap();
    house.log_in("ada", PASSWORD, "192.0.2.5").await.unwrap();
}

async fn who_may_only_read_changes_nothing(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let reader = root.caller.narrowed(Scope::Read);
    assert_eq!(
        reader.narrowed(Scope::Full).scope(),
        Scope::Read,
        "narrow stays narrow"
    );
    let accounts = house.wharf.accounts();
    for outcome in try_own(accounts, &reader, root.logged_in.session.id).await {
        assert_eq!(outcome, Some(ErrorCode::Denied));
    }
    assert_eq!(accounts.sessions(&reader).await.unwrap().len(), 1);
    assert_eq!(
        accounts.account(&reader).await.unwrap(),
        root.logged_in.account
    );
}

async fn the_program_itself_is_nobody_s_account(db: TestDb) {
    let house = House::open(db).await;
    let root = house.operator().await;
    let accounts = house.wharf.accounts();
    for role in [InternalRole::Console, InternalRole::Job] {
        let caller = Caller::internal(role);
        assert_eq!(refused(accounts.account(&caller).await), ErrorCode::Denied);
        assert_eq!(refused(accounts.sessions(&caller).await), ErrorCode::Denied);
        assert_eq!(refused(accounts.logout(&caller).await), ErrorCode::Denied);
        for outcome in try_own(accounts, &caller, root.logged_in.session.id).await {
            assert_eq!(outcome, Some(ErrorCode::Denied));
        }
    }
    let admin = accounts
        .admin(&Caller::internal(InternalRole::Console))
        .unwrap();
    let invitation = CreateInvitation {
        uses: 1,
        expires_seconds: None,
    };
    assert_eq!(
        refused(admin.create_invitation(invitation).await),
        ErrorCode::Denied,
        "who would have made it?"
    );
}
