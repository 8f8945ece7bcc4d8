//! Every call reaches its route, and both ends mean the same by it.

use wharf_client::Room;
use wharf_client::api::{Find, Page};
use wharf_testkit::server::PASSWORD;
use wharf_types::CommitId;
use wharf_types::api::account::{
    AddAccount, ChangePassword, CreateInvitation, EditAccount, Login, RenameSession, Signup,
};
use wharf_types::api::drive::{At, Commit, Expect, OnExists, Op, Retention};

use crate::fixture::{Fixture, noise, run_put};

fn path(text: &str) -> At {
    At::Path(text.into())
}

fn commit(number: u8, op: Op) -> Commit {
    Commit {
        id: CommitId::new(u64::from(number), &[number; 10]),
        ops: vec![op],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_sessions_and_invitations() {
    let fixture = Fixture::new().await;
    let api = &fixture.api;
    assert!(!api.server().await.unwrap().needs_setup);
    let create = CreateInvitation {
        uses: 1,
        expires_seconds: Some(60),
    };
    let invitation = api.create_invitation(&create).await.unwrap();
    assert_eq!(api.invitations().await.unwrap().len(), 1);
    let signup = Signup {
        username: "ada".into(),
        password: PASSWORD.into(),
        email: None,
        nickname: None,
        code: invitation.code.clone(),
        device: Some("desk".into()),
    };
    let ada = api.signup(&signup).await.unwrap();
    let spare = api.create_invitation(&create).await.unwrap();
    api.end_invitation(&spare.id).await.unwrap();

    let ada_api = api.with_token(&ada.token).unwrap();
    assert_eq!(ada_api.account().await.unwrap().username, "ada");
    let login = Login {
        login: "ada".into(),
        password: PASSWORD.into(),
        device: Some("phone".into()),
    };
    let phone = api.login(&login).await.unwrap();
    let rename = RenameSession {
        device: "old phone".into(),
    };
    assert_eq!(
        ada_api
            .rename_session(phone.session.id, &rename)
            .await
            .unwrap()
            .device,
        "old phone"
    );
    assert_eq!(ada_api.sessions().await.unwrap().len(), 2);
    ada_api.end_session(phone.session.id).await.unwrap();
    let change = ChangePassword {
        current: PASSWORD.into(),
        new: "another password".into(),
    };
    ada_api.change_password(&change).await.unwrap();
    ada_api.logout().await.unwrap();
    assert!(ada_api.account().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_calls() {
    let fixture = Fixture::new().await;
    let api = &fixture.api;
    let add = AddAccount {
        username: "bob".into(),
        password: None,
        email: None,
        nickname: None,
        quota_bytes: Some(5),
        role: None,
    };
    let added = api.admin_add_account(&add).await.unwrap();
    assert!(added.password.is_some());
    assert_eq!(api.admin_account("bob").await.unwrap().id, added.account.id);
    let edit = EditAccount {
        locked: Some(true),
        ..EditAccount::default()
    };
    assert!(
        api.admin_edit_account(added.account.id, &edit)
            .await
            .unwrap()
            .account
            .locked
    );
    let page = api.admin_accounts(None, Some(1)).await.unwrap();
    let rest = api.admin_accounts(page.next, None).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drives_calls() {
    let fixture = Fixture::new().await;
    let (api, room) = (&fixture.api, Room::Home);
    fixture.write("up/a b&c/file +?.txt", noise(1, 2_000));
    run_put(&fixture.put("up", "up")).await.unwrap();
    let file = path("up/a b&c/file +?.txt");
    let node = api.node(room, &file).await.unwrap();
    assert_eq!(api.node(room, &At::Id(node.id)).await.unwrap(), node);
    let all = Page::default();
    assert_eq!(
        api.list(room, &path("up"), &all).await.unwrap().items.len(),
        1
    );
    assert_eq!(
        api.tree(room, &path(""), &all, true)
            .await
            .unwrap()
            .items
            .len(),
        3
    );
    assert_eq!(
        api.manifest(room, &file, Some(node.revision))
            .await
            .unwrap()
            .bytes,
        2_000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_every_kind_and_the_lists_that_show_them() {
    let fixture = Fixture::new().await;
    let (api, room, all) = (&fixture.api, Room::Home, Page::default());
    fixture.write("up/file.txt", "file");
    run_put(&fixture.put("up", "up")).await.unwrap();
    let file = path("up/file.txt");
    let node = api.node(room, &file).await.unwrap();
    let tag = Op::Tag {
        at: file.clone(),
        add: vec!["red".into()],
        remove: Vec::new(),
    };
    api.commit(room, &commit(1, tag)).await.unwrap();
    let find = Find {
        name: None,
        tag: Some("red".into()),
        page: Page::default(),
    };
    assert_eq!(api.find(room, &find).await.unwrap().items[0].id, node.id);
    let find = Find {
        name: Some("FILE".into()),
        ..Find::default()
    };
    assert_eq!(api.find(room, &find).await.unwrap().items.len(), 1);
    let moved = Op::Move {
        from: At::Id(node.id),
        to: "moved".into(),
        on_exists: OnExists::Refuse,
        expect: Expect::Any,
    };
    api.commit(room, &commit(2, moved)).await.unwrap();
    let removed = commit(
        3,
        Op::Remove {
            at: path("moved"),
            expect: Expect::Any,
        },
    );
    api.commit(room, &removed).await.unwrap();
    assert!(api.commit(room, &removed).await.unwrap().repeated);
    assert_eq!(api.trash(room, &all).await.unwrap().items[0].id, node.id);
    api.commit(
        room,
        &commit(
            4,
            Op::Restore {
                id: node.id,
                to: None,
            },
        ),
    )
    .await
    .unwrap();
    assert_eq!(
        api.revisions(room, &At::Id(node.id), None, None)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_and_the_stream_of_changes() {
    let fixture = Fixture::new().await;
    let (api, room) = (&fixture.api, Room::Home);
    fixture.write("up/file.txt", "file");
    run_put(&fixture.put("up", "up")).await.unwrap();
    let retention = Retention {
        revision_days: 3,
        trash_days: 4,
    };
    assert_eq!(
        api.set_retention(room, &retention).await.unwrap(),
        retention
    );
    let drive = api.drive(room).await.unwrap();
    let named = Room::Id(drive.room);
    let changes = api.changes(named, 0, Some(1_000)).await.unwrap();
    assert_eq!(
        (changes.head, changes.items.len() as u64),
        (drive.position, drive.position)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_by_plain_http() {
    let fixture = Fixture::new().await;
    let (api, room) = (&fixture.api, Room::Home);
    let bytes = noise(1, 700_000);
    let result = api
        .put_content(room, "new folder/pl%ain?", bytes.clone().into())
        .await
        .unwrap();
    let at = At::Id(result.id);
    for (range, part) in [(None, 0..bytes.len()), (Some(10..20), 10..20)] {
        let mut content = api
            .content(room, &at, Some(result.revision), range)
            .await
            .unwrap();
        assert_eq!(content.bytes_total(), 700_000);
        let mut got = Vec::new();
        while let Some(piece) = content.next().await.unwrap() {
            got.extend_from_slice(&piece);
        }
        assert!(got == bytes[part]);
    }
}
