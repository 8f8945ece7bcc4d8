//! Names, moves and renames.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Expect, OnExists, Op};

use crate::desk::{Desk, at, make_folder, move_on_exists, move_to, put, put_expecting};
use crate::support::code;

both_engines!(
    names_in_two_spellings_of_unicode_are_one_node,
    names_in_two_letter_cases_are_two_nodes_and_told,
    a_name_that_a_commit_changes_often_is_told_once,
    a_case_only_rename_keeps_the_node,
    a_node_keeps_its_id_and_revisions_through_a_move,
    a_folder_cannot_go_into_itself,
    a_move_onto_something_is_refused_or_replaces_it,
    a_node_cannot_replace_the_folder_that_holds_it,
    a_move_needs_a_folder_to_go_to,
    two_names_are_swapped,
    a_moved_folder_is_one_change
);

async fn names_in_two_spellings_of_unicode_are_one_node(db: TestDb) {
    let desk = Desk::open(db).await;
    let composed = desk.write("caf\u{e9}/r\u{e9}sum\u{e9}", b"1").await;
    let decomposed = desk.write("cafe\u{301}/re\u{301}sume\u{301}", b"2").await;
    assert_eq!(composed.id, decomposed.id);
    assert_eq!(
        desk.paths().await,
        ["caf\u{e9}", "caf\u{e9}/r\u{e9}sum\u{e9}"]
    );
    assert_eq!(
        desk.read(at("cafe\u{301}/r\u{e9}sume\u{301}"), None)
            .await
            .unwrap(),
        b"2"
    );
}

async fn names_in_two_letter_cases_are_two_nodes_and_told(db: TestDb) {
    let desk = Desk::open(db).await;
    let lower = desk.write("dir/readme", b"1").await;
    let upper = desk.write("dir/README", b"2").await;
    let mixed = desk.write("dir/ReadMe", b"3").await;
    assert!(lower.case_conflicts.is_empty());
    assert_eq!(upper.case_conflicts, ["readme"]);
    assert_eq!(mixed.case_conflicts, ["README", "readme"]);
    assert_eq!(desk.read(at("dir/README"), None).await.unwrap(), b"2");
    assert_eq!(
        desk.paths().await,
        ["dir", "dir/README", "dir/ReadMe", "dir/readme"]
    );
    let folder = desk.act(make_folder("DIR")).await;
    assert_eq!(folder.case_conflicts, ["dir"]);
}

async fn a_name_that_a_commit_changes_often_is_told_once(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("dir/readme", b"1").await;
    // Enough names for the commit to look them up together.
    let paths = [
        "dir/README",
        "dir/README",
        "dir/other",
        "dir/third",
        "dir/README",
    ];
    let ops = paths.map(|path| put(path, b"1")).to_vec();
    let results = desk.commit(ops).await.results;
    assert_eq!(results[0].case_conflicts, ["readme"]);
    assert_eq!(results[4].case_conflicts, ["readme"]);
}

async fn a_case_only_rename_keeps_the_node(db: TestDb) {
    let desk = Desk::open(db).await;
    let node = desk.write("Notes/a", b"1").await;
    let folder = desk.id_of("Notes").await;
    let moved = desk.act(move_to("Notes", "notes")).await;
    assert_eq!((moved.id, moved.case_conflicts.len()), (folder, 0));
    assert_eq!(desk.paths().await, ["notes", "notes/a"]);
    assert_eq!(desk.id_of("notes/a").await, node.id);
    // Another spelling of the same name is a rename too.
    desk.write("e\u{301}", b"1").await;
    desk.act(move_to("\u{e9}", "\u{e9}")).await;
    assert_eq!(desk.paths().await, ["notes", "notes/a", "\u{e9}"]);
}

async fn a_node_keeps_its_id_and_revisions_through_a_move(db: TestDb) {
    let desk = Desk::open(db).await;
    let first = desk.write("a/x", b"1").await;
    desk.act(make_folder("b")).await;
    let moved = desk.act(move_to("a/x", "b/y")).await;
    assert_eq!((moved.id, moved.revision), (first.id, first.revision));
    desk.write("b/y", b"2").await;
    assert_eq!(
        desk.read(At::Id(first.id), Some(first.revision))
            .await
            .unwrap(),
        b"1"
    );
    assert_eq!(desk.read(At::Id(first.id), None).await.unwrap(), b"2");
    let by_id = Op::Move {
        from: At::Id(first.id),
        to: "z".into(),
        on_exists: OnExists::Refuse,
        expect: Expect::Revision(first.revision),
    };
    assert_eq!(
        code(desk.try_commit(vec![by_id]).await),
        Some(ErrorCode::Stale)
    );
}

async fn a_folder_cannot_go_into_itself(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.act(make_folder("a/b/c")).await;
    for to in ["a/x", "a/b/x", "a/b/c/a"] {
        assert_eq!(
            code(desk.try_commit(vec![move_to("a", to)]).await),
            Some(ErrorCode::Invalid)
        );
    }
    // Neither by two moves of one commit, each of which would be right alone.
    desk.act(make_folder("d/e")).await;
    let cycle = desk
        .try_commit(vec![move_to("a", "d/e/a"), move_to("d", "d/e/a/b/d")])
        .await;
    assert_eq!(code(cycle), Some(ErrorCode::Invalid));
    assert_eq!(
        code(desk.try_commit(vec![move_to("", "a/x")]).await),
        Some(ErrorCode::Invalid)
    );
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/c", "d", "d/e"]);
}

async fn a_move_onto_something_is_refused_or_replaces_it(db: TestDb) {
    let desk = Desk::open(db).await;
    let source = desk.write("new", b"2").await;
    let target = desk.write("old", b"1").await;
    let refused = desk
        .try_commit(vec![move_to("new", "old")])
        .await
        .unwrap_err();
    assert_eq!(refused.failed()[0].code, ErrorCode::Exists);
    assert_eq!(refused.failed()[0].revision, Some(target.revision));
    let moved = desk
        .act(move_on_exists("new", "old", OnExists::Replace))
        .await;
    assert_eq!(moved.id, source.id);
    assert_eq!(desk.read(at("old"), None).await.unwrap(), b"2");
    let trash = desk.trash().await;
    assert_eq!(
        (trash.len(), trash[0].id, trash[0].path.as_str()),
        (1, target.id, "old")
    );
}

async fn a_node_cannot_replace_the_folder_that_holds_it(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("a/b/c", b"1").await;
    let refused = desk
        .try_commit(vec![move_on_exists("a/b/c", "a", OnExists::Replace)])
        .await;
    assert_eq!(code(refused), Some(ErrorCode::Invalid));
    let refused = desk
        .try_commit(vec![move_on_exists("a/b", "a", OnExists::Replace)])
        .await;
    assert_eq!(code(refused), Some(ErrorCode::Invalid));
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/c"]);
}

async fn a_move_needs_a_folder_to_go_to(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("x", b"1").await;
    assert_eq!(
        code(desk.try_commit(vec![move_to("x", "no/x")]).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(
        code(desk.try_commit(vec![move_to("x", "x/y")]).await),
        Some(ErrorCode::NotFound)
    );
    let folder = desk
        .try_commit(vec![
            put_expecting("f/x", b"1", Expect::Absent),
            make_folder("x"),
        ])
        .await;
    assert_eq!(code(folder), Some(ErrorCode::Exists));
}

async fn two_names_are_swapped(db: TestDb) {
    let desk = Desk::open(db).await;
    let a = desk.write("a", b"a").await;
    let b = desk.write("b", b"b").await;
    desk.commit(vec![
        move_to("a", "c"),
        move_to("b", "a"),
        move_to("c", "b"),
    ])
    .await;
    assert_eq!((desk.id_of("a").await, desk.id_of("b").await), (b.id, a.id));
    assert_eq!(desk.paths().await, ["a", "b"]);
}

async fn a_moved_folder_is_one_change(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    let ops = (0..100)
        .map(|number| put(&format!("a/b/{number}"), b"1"))
        .collect();
    let before = desk.commit(ops).await.position;
    desk.act(make_folder("c")).await;
    let after = desk.commit(vec![move_to("a/b", "c/d")]).await.position;
    assert_eq!(after, before + 2);
    assert_eq!(desk.paths().await.len(), 103);
    assert_eq!(desk.read(at("c/d/42"), None).await.unwrap(), b"1");
}
