//! All or nothing, once, and in order.

use wharf_core::drive::RoomRef;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, ChangeKind, Commit, Expect, NodeKind, Op};
use wharf_types::limit::COMMIT_OPS_MAX;

use crate::desk::{Desk, at, make_folder, move_to, put, put_expecting, remove};
use crate::support::code;

both_engines!(
    a_put_is_read_back_and_makes_the_folders_on_its_way,
    a_commit_applies_all_or_nothing_and_names_every_refusal,
    a_commit_sent_again_is_applied_once,
    a_commit_id_used_for_something_else_is_refused,
    steps_see_what_the_steps_before_them_did,
    chunks_that_are_missing_are_told_by_operation,
    chunks_that_somebody_else_uploaded_are_missing,
    a_stranger_finds_no_room,
    commits_are_bounded,
    ten_thousand_files_are_one_commit,
    writing_the_same_again_changes_nothing,
    two_commits_at_once_on_one_path_let_one_through
);

async fn a_put_is_read_back_and_makes_the_folders_on_its_way(db: TestDb) {
    let desk = Desk::open(db).await;
    let result = desk.write("a/b/c.txt", b"hello").await;
    assert_eq!(desk.read(at("a/b/c.txt"), None).await.unwrap(), b"hello");
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/c.txt"]);
    let changes = desk.changes().await;
    let kinds: Vec<_> = changes
        .iter()
        .map(|change| (change.kind, change.node_kind))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChangeKind::Created, NodeKind::Folder),
            (ChangeKind::Created, NodeKind::Folder),
            (ChangeKind::Created, NodeKind::File)
        ]
    );
    assert_eq!(result.revision, 3);
    assert_eq!(changes[2].node, result.id);
    assert_eq!(changes[2].account, Some(desk.me.logged_in.account.id));
    assert_eq!(changes[2].bytes, Some(5));
    let node = desk.node(At::Id(result.id)).await.unwrap();
    assert_eq!(
        (node.path.as_str(), node.bytes, node.revision),
        ("a/b/c.txt", 5, 3)
    );
}

async fn a_commit_applies_all_or_nothing_and_names_every_refusal(db: TestDb) {
    let desk = Desk::open(db).await;
    let first = desk.write("kept", b"1").await;
    let before = (
        desk.paths().await,
        desk.changes().await,
        desk.used_bytes().await,
    );
    let error = desk
        .try_commit(vec![
            put("new", b"1"),
            put_expecting("kept", b"1", Expect::Absent),
            put_expecting("kept", b"1", Expect::Revision(77)),
            put_expecting("nothing", b"1", Expect::Revision(1)),
            remove("nowhere"),
            put("kept/below", b"1"),
            put("also-new", b"1"),
        ])
        .await
        .unwrap_err();
    let failed: Vec<_> = error
        .failed()
        .iter()
        .map(|failed| (failed.index, failed.code, failed.revision))
        .collect();
    let revision = Some(first.revision);
    assert_eq!(
        failed,
        [
            (1, ErrorCode::Exists, revision),
            (2, ErrorCode::Stale, revision),
            (3, ErrorCode::Stale, None),
            (4, ErrorCode::NotFound, None),
            (5, ErrorCode::Exists, revision),
        ]
    );
    assert_eq!(error.code(), ErrorCode::Exists);
    let after = (
        desk.paths().await,
        desk.changes().await,
        desk.used_bytes().await,
    );
    assert_eq!(before, after);
}

async fn a_commit_sent_again_is_applied_once(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"x").await;
    let commit = desk.commit_of(vec![put("x", b"x"), make_folder("f")]);
    let caller = &desk.me.caller;
    let first = desk
        .drives()
        .commit(caller, RoomRef::Home, commit.clone())
        .await
        .unwrap();
    let again = desk
        .drives()
        .commit(caller, RoomRef::Home, commit)
        .await
        .unwrap();
    assert_eq!((first.results.len(), first.repeated), (2, false));
    assert_eq!(
        (again.position, again.results.len(), again.repeated),
        (first.position, 0, true)
    );
    assert_eq!(desk.changes().await.len(), 2);
}

async fn a_commit_id_used_for_something_else_is_refused(db: TestDb) {
    let desk = Desk::open(db).await;
    let commit = desk.commit_of(vec![make_folder("f")]);
    let other = Commit {
        id: commit.id,
        ops: vec![make_folder("g")],
    };
    let caller = &desk.me.caller;
    desk.drives()
        .commit(caller, RoomRef::Home, commit)
        .await
        .unwrap();
    let refused = desk.drives().commit(caller, RoomRef::Home, other).await;
    assert_eq!(code(refused), Some(ErrorCode::Invalid));
    assert_eq!(desk.paths().await, ["f"]);
}

async fn steps_see_what_the_steps_before_them_did(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    desk.upload(b"2").await;
    desk.commit(vec![
        put("a/x", b"1"),
        put("a/x", b"2"),
        move_to("a", "b"),
        put("a/y", b"1"),
        move_to("b/x", "a/z"),
        remove("a/y"),
        put("a/y", b"2"),
        make_folder("b/c"),
        move_to("b", "d"),
        put("d/c/w", b"1"),
    ])
    .await;
    assert_eq!(desk.paths().await, ["a", "a/y", "a/z", "d", "d/c", "d/c/w"]);
    assert_eq!(desk.read(at("a/z"), None).await.unwrap(), b"2");
    assert_eq!(desk.read(at("a/y"), None).await.unwrap(), b"2");
    assert_eq!(desk.trash().await[0].path, "a/y");
    let z = desk.node(at("a/z")).await.unwrap();
    let revisions = desk
        .drives()
        .revisions(&desk.me.caller, RoomRef::Home, At::Id(z.id), None, None)
        .await
        .unwrap();
    assert_eq!(revisions.items.len(), 2);
}

async fn chunks_that_are_missing_are_told_by_operation(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"here").await;
    let error = desk
        .try_commit(vec![
            put("a", b"here"),
            put("b", b"not here"),
            put("c", b"nor here"),
        ])
        .await
        .unwrap_err();
    let failed: Vec<_> = error
        .failed()
        .iter()
        .map(|failed| (failed.index, failed.code))
        .collect();
    assert_eq!(failed, [(1, ErrorCode::NotFound), (2, ErrorCode::NotFound)]);
    assert!(desk.paths().await.is_empty());
}

async fn chunks_that_somebody_else_uploaded_are_missing(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("mine", b"a secret").await;
    let eve = desk.house.member("eve").await;
    let commit = desk.commit_of(vec![put("guess", b"a secret")]);
    let refused = desk
        .drives()
        .commit(&eve.caller, RoomRef::Home, commit)
        .await
        .unwrap_err();
    assert_eq!(refused.failed()[0].code, ErrorCode::NotFound);
}

async fn a_stranger_finds_no_room(db: TestDb) {
    let desk = Desk::open(db).await;
    let eve = desk.house.member("eve").await;
    let room = RoomRef::Id(desk.me.logged_in.account.home);
    let drives = desk.drives();
    let read = drives.summary(&eve.caller, room).await;
    assert_eq!(code(read), Some(ErrorCode::NotFound));
    let written = drives
        .commit(&eve.caller, room, desk.commit_of(vec![make_folder("f")]))
        .await;
    assert_eq!(code(written), Some(ErrorCode::NotFound));
    let changes = drives.changes(&eve.caller, room, 0, None).await;
    assert_eq!(code(changes), Some(ErrorCode::NotFound));
}

async fn commits_are_bounded(db: TestDb) {
    let desk = Desk::open(db).await;
    assert_eq!(
        code(desk.try_commit(Vec::new()).await),
        Some(ErrorCode::Invalid)
    );
    let many = vec![make_folder("f"); COMMIT_OPS_MAX + 1];
    assert_eq!(code(desk.try_commit(many).await), Some(ErrorCode::TooLarge));
    let malformed = desk
        .try_commit(vec![make_folder("a/../b"), make_folder("ok"), put("", b"")])
        .await
        .unwrap_err();
    assert_eq!(malformed.code(), ErrorCode::Invalid);
    let indexes: Vec<_> = malformed
        .failed()
        .iter()
        .map(|failed| failed.index)
        .collect();
    assert_eq!(indexes, [0, 2]);
}

async fn ten_thousand_files_are_one_commit(db: TestDb) {
    let desk = Desk::open(db).await;
    let contents: Vec<_> = (0..100).map(|number: u32| number.to_le_bytes()).collect();
    for content in &contents {
        desk.upload(content).await;
    }
    let ops: Vec<_> = (0..COMMIT_OPS_MAX)
        .map(|number| {
            put(
                &format!("{}/{number}", number % 150),
                &contents[number % 100],
            )
        })
        .collect();
    let committed = desk.commit(ops.clone()).await;
    assert_eq!(committed.position, 10_150);
    assert_eq!(desk.tree(3000).await.len(), 10_150);
    assert_eq!(desk.used_bytes().await, 40_000);
    // The same once more meets every name where it is, and changes nothing.
    let again = desk.commit(ops).await;
    assert_eq!(again.position, committed.position);
    assert_eq!(again.results, committed.results);
}

async fn writing_the_same_again_changes_nothing(db: TestDb) {
    let desk = Desk::open(db).await;
    let first = desk.write("x", b"1").await;
    let again = desk.write("x", b"1").await;
    assert_eq!(first, again);
    let touched = Op::Put {
        path: "x".into(),
        manifest: crate::desk::manifest_of(b"1"),
        mtime_ns: Some(7),
        executable: true,
        link: false,
        expect: Expect::Revision(first.revision),
    };
    let touched = desk.act(touched).await;
    assert_eq!((touched.id, touched.revision), (first.id, 2));
    let node = desk.node(at("x")).await.unwrap();
    assert_eq!((node.mtime_ns, node.executable), (Some(7), true));
    assert_eq!(desk.read(at("x"), None).await.unwrap(), b"1");
    assert_eq!(
        desk.used_bytes().await,
        1,
        "the same content is charged once"
    );
}

async fn two_commits_at_once_on_one_path_let_one_through(db: TestDb) {
    let desk = Desk::open(db).await;
    let base = desk.write("x", b"0").await;
    desk.upload(b"1").await;
    desk.upload(b"2").await;
    let expect = Expect::Revision(base.revision);
    let (one, two) = tokio::join!(
        desk.try_commit(vec![put_expecting("x", b"1", expect)]),
        desk.try_commit(vec![put_expecting("x", b"2", expect)])
    );
    assert_eq!(
        (one.is_ok(), two.is_ok()),
        (two.is_err(), one.is_err()),
        "exactly one goes through"
    );
    let content = if one.is_ok() { b"1" } else { b"2" };
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let (won, lost) = (won.unwrap(), lost.unwrap_err());
    assert_eq!(lost.code(), ErrorCode::Stale);
    assert_eq!(lost.failed()[0].revision, Some(won.position));
    assert_eq!(desk.read(at("x"), None).await.unwrap(), content);
}
