//! What reads answer: pages, trees, searches, revisions.

use wharf_core::drive::{FindQuery, Manifests, Page, RoomRef};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{At, Expect, Node, NodePage, Op};
use wharf_types::{ChunkHash, ErrorCode, NodeId};
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use crate::desk::{Desk, at, make_folder, manifest_of, move_to, put, remove};
use crate::support::code;

both_engines!(
    a_list_comes_in_pages_without_regard_to_letter_case,
    a_tree_resumes_after_any_path_even_one_that_is_gone,
    a_tree_carries_manifests_when_asked,
    nodes_are_found_by_a_part_of_their_name,
    nodes_are_found_by_tag,
    tags_are_kept_sorted_and_bounded,
    revisions_come_newest_first_in_pages,
    a_revert_is_a_new_revision,
    changes_come_in_stretches,
    a_folder_is_no_file_and_a_file_no_folder
);

fn names(page: &NodePage) -> Vec<&str> {
    page.items.iter().map(|node| node.name.as_str()).collect()
}

async fn a_list_comes_in_pages_without_regard_to_letter_case(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    let given = ["b", "A", "a", "C", "_", "é", "E", "z", "Z1"];
    desk.commit(
        given
            .iter()
            .map(|name| put(&format!("dir/{name}"), b"1"))
            .collect(),
    )
    .await;
    let mut listed: Vec<Node> = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            after,
            limit: Some(2),
        };
        let page = desk
            .drives()
            .list(&desk.me.caller, RoomRef::Home, at("dir"), page)
            .await
            .unwrap();
        listed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let listed: Vec<_> = listed.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(
        listed,
        [
            "dir/_", "dir/A", "dir/a", "dir/b", "dir/C", "dir/E", "dir/z", "dir/Z1", "dir/é"
        ]
    );
}

async fn a_tree_resumes_after_any_path_even_one_that_is_gone(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    let paths = ["a/a/1", "a/a/2", "a/b", "a-b", "b/c/d/e", "b/x", "c"];
    desk.commit(paths.iter().map(|path| put(path, b"1")).collect())
        .await;
    let all = desk.paths().await;
    assert_eq!(
        all,
        [
            "a", "a/a", "a/a/1", "a/a/2", "a/b", "a-b", "b", "b/c", "b/c/d", "b/c/d/e", "b/x", "c"
        ]
    );
    for limit in 1..=all.len() {
        let limit = u32::try_from(limit).unwrap();
        let paged: Vec<_> = desk
            .tree(limit)
            .await
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        assert_eq!(paged, all, "in pages of {limit}");
    }
    let resumed = async |after: &str| {
        let page = Page {
            after: Some(after.into()),
            limit: None,
        };
        let tree = desk.drives().tree(
            &desk.me.caller,
            RoomRef::Home,
            at(""),
            page,
            Manifests::Omit,
        );
        let tree = tree.await.unwrap();
        tree.items
            .into_iter()
            .map(|entry| entry.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(resumed("a/a/1/gone/deeper").await, all[3..]);
    assert_eq!(resumed("a/aa").await, all[4..]);
    assert_eq!(resumed("b/c/d/e").await, all[10..]);
    assert_eq!(resumed("zz").await, Vec::<String>::new());
    let below = desk
        .drives()
        .tree(
            &desk.me.caller,
            RoomRef::Home,
            at("b/c"),
            Page::default(),
            Manifests::Omit,
        )
        .await
        .unwrap();
    let below: Vec<_> = below
        .items
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(below, ["d", "d/e"]);
}

async fn a_tree_carries_manifests_when_asked(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("a/x", b"content").await;
    let chunk = ManifestChunk {
        hash: ChunkHash::of(b"content"),
        bytes: 7,
    };
    let long = to_base64(
        &Manifest {
            chunks: vec![chunk; 5000],
        }
        .pack(),
    );
    let op = Op::Put {
        path: "long".into(),
        manifest: long.clone(),
        mtime_ns: None,
        executable: false,
        link: false,
        expect: Expect::Absent,
    };
    desk.act(op).await;
    let entries = desk.tree(10).await;
    assert_eq!(entries[0].manifest, None);
    assert_eq!(
        entries[1].manifest.as_deref(),
        Some(manifest_of(b"content").as_str())
    );
    assert_eq!(entries[2].manifest.as_deref(), Some(long.as_str()));
    assert_eq!(
        desk.read(at("long"), None).await.unwrap(),
        b"content".repeat(5000)
    );
}

async fn find(desk: &Desk, name: Option<&str>, tag: Option<&str>, page: Page) -> NodePage {
    let query = FindQuery {
        name: name.map(str::to_owned),
        tag: tag.map(str::to_owned),
    };
    desk.drives()
        .find(&desk.me.caller, RoomRef::Home, query, page)
        .await
        .unwrap()
}

async fn nodes_are_found_by_a_part_of_their_name(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    let given = [
        "Report 2025.pdf",
        "x/report_draft",
        "x/REPORT%",
        "x/other",
        "y/ÜBER report",
    ];
    desk.commit(given.iter().map(|path| put(path, b"1")).collect())
        .await;
    desk.act(remove("x/report_draft")).await;
    let all = find(&desk, Some("rEpOrT"), None, Page::default()).await;
    assert_eq!(names(&all), ["Report 2025.pdf", "REPORT%", "ÜBER report"]);
    assert_eq!(all.items[1].path, "x/REPORT%");
    let first = Page {
        after: None,
        limit: Some(1),
    };
    let first = find(&desk, Some("report"), None, first).await;
    let rest = Page {
        after: first.next.clone(),
        limit: None,
    };
    let rest = find(&desk, Some("report"), None, rest).await;
    assert_eq!(
        (names(&first), names(&rest)),
        (vec!["Report 2025.pdf"], vec!["REPORT%", "ÜBER report"])
    );
    assert_eq!(
        names(&find(&desk, Some("t%"), None, Page::default()).await),
        ["REPORT%"]
    );
    assert_eq!(
        names(&find(&desk, Some("über"), None, Page::default()).await),
        ["ÜBER report"]
    );
    assert_eq!(
        names(&find(&desk, Some("_"), None, Page::default()).await),
        Vec::<&str>::new()
    );
    // What is below a removed folder is not found either.
    desk.act(remove("y")).await;
    assert_eq!(
        names(&find(&desk, Some("über"), None, Page::default()).await),
        Vec::<&str>::new()
    );
}

fn tag(path: &str, add: &[&str], remove: &[&str]) -> Op {
    Op::Tag {
        at: at(path),
        add: add.iter().map(|&tag| tag.to_owned()).collect(),
        remove: remove.iter().map(|&tag| tag.to_owned()).collect(),
    }
}

async fn nodes_are_found_by_tag(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    desk.commit(vec![put("a", b"1"), put("b/c", b"1"), put("b/d", b"1")])
        .await;
    desk.commit(vec![
        tag("a", &["red"], &[]),
        tag("b", &["red"], &[]),
        tag("b/d", &["red", "x"], &[]),
    ])
    .await;
    let red = find(&desk, None, Some("red"), Page::default()).await;
    assert_eq!(names(&red), ["a", "b", "d"]);
    assert_eq!(
        names(&find(&desk, Some("D"), Some("red"), Page::default()).await),
        ["d"]
    );
    desk.act(tag("a", &[], &["red"])).await;
    desk.act(remove("b/d")).await;
    assert_eq!(
        names(&find(&desk, None, Some("red"), Page::default()).await),
        ["b"]
    );
}

async fn tags_are_kept_sorted_and_bounded(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("f/a", b"1").await;
    let before = desk.changes().await.len();
    desk.act(tag("f/a", &["z", "a", "z"], &[])).await;
    desk.act(tag("f/a", &["a"], &["missing"])).await;
    assert_eq!(
        desk.changes().await.len(),
        before + 1,
        "a tag that is there already is no change"
    );
    assert_eq!(desk.node(at("f/a")).await.unwrap().tags, ["a", "z"]);
    let page = desk
        .drives()
        .list(&desk.me.caller, RoomRef::Home, at("f"), Page::default())
        .await;
    assert_eq!(page.unwrap().items[0].tags, ["a", "z"]);
    let many: Vec<_> = (0..64).map(|number| format!("t{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(
        code(desk.try_commit(vec![tag("f/a", &many, &[])]).await),
        Some(ErrorCode::TooLarge)
    );
    for wrong in ["", "  ", "a\nb", "x".repeat(101).as_str()] {
        assert_eq!(
            code(desk.try_commit(vec![tag("f/a", &[wrong], &[])]).await),
            Some(ErrorCode::Invalid)
        );
    }
}

async fn revisions_come_newest_first_in_pages(db: TestDb) {
    let desk = Desk::open(db).await;
    for number in 0..5_u8 {
        desk.write("x", &[number]).await;
    }
    let revisions = async |before, limit| {
        desk.drives()
            .revisions(&desk.me.caller, RoomRef::Home, at("x"), before, limit)
            .await
            .unwrap()
    };
    let first = revisions(None, Some(3)).await;
    let rest = revisions(first.next, None).await;
    let seen: Vec<_> = first
        .items
        .iter()
        .chain(&rest.items)
        .map(|item| item.revision)
        .collect();
    assert_eq!((seen, rest.next), (vec![5, 4, 3, 2, 1], None));
    assert_eq!(desk.read(at("x"), Some(2)).await.unwrap(), [1]);
    let wrong = desk.read(at("x"), Some(99)).await;
    assert_eq!(code(wrong), Some(ErrorCode::NotFound));
}

async fn a_revert_is_a_new_revision(db: TestDb) {
    let desk = Desk::open(db).await;
    let first = desk.write("x", b"one").await;
    let second = desk.write("x", b"two").await;
    let revert = |revision, expect| Op::Revert {
        at: at("x"),
        revision,
        expect,
    };
    let stale = revert(first.revision, Expect::Revision(first.revision));
    assert_eq!(
        code(desk.try_commit(vec![stale]).await),
        Some(ErrorCode::Stale)
    );
    let reverted = desk
        .act(revert(first.revision, Expect::Revision(second.revision)))
        .await;
    assert_eq!((reverted.id, reverted.revision), (first.id, 3));
    assert_eq!(desk.read(at("x"), None).await.unwrap(), b"one");
    assert_eq!(
        desk.read(at("x"), Some(second.revision)).await.unwrap(),
        b"two"
    );
    assert_eq!(desk.used_bytes().await, 9);
    let gone = revert(50, Expect::Any);
    assert_eq!(
        code(desk.try_commit(vec![gone]).await),
        Some(ErrorCode::NotFound)
    );
}

async fn changes_come_in_stretches(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.commit(
        (0..250)
            .map(|number| make_folder(&format!("{number}")))
            .collect(),
    )
    .await;
    let stretch = async |after, limit| {
        desk.drives()
            .changes(&desk.me.caller, RoomRef::Home, after, limit)
            .await
            .unwrap()
    };
    let part = stretch(100, Some(7)).await;
    let positions: Vec<_> = part.items.iter().map(|change| change.position).collect();
    assert_eq!((positions, part.head), ((101..=107).collect(), 250));
    assert!(stretch(250, None).await.items.is_empty());
    assert!(stretch(u64::MAX, None).await.items.is_empty());
}

async fn a_folder_is_no_file_and_a_file_no_folder(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("f/x", b"1").await;
    let caller = &desk.me.caller;
    let list = desk
        .drives()
        .list(caller, RoomRef::Home, at("f/x"), Page::default())
        .await;
    assert_eq!(code(list), Some(ErrorCode::Invalid));
    assert_eq!(
        code(desk.read(at("f"), None).await),
        Some(ErrorCode::Invalid)
    );
    assert_eq!(
        code(desk.try_commit(vec![put("f", b"1")]).await),
        Some(ErrorCode::Exists)
    );
    let nobody = At::Id(NodeId::from_bytes([7; 16]));
    assert_eq!(code(desk.node(nobody).await), Some(ErrorCode::NotFound));
    assert_eq!(
        code(desk.try_commit(vec![move_to("", "y")]).await),
        Some(ErrorCode::Invalid)
    );
}
