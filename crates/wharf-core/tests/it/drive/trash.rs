//! Into the trash, out of it, and out of it for ever.

use wharf_core::drive::{Page, RoomRef};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{At, ChangeKind, Expect, Op};
use wharf_types::{ChunkHash, ErrorCode, NodeId};
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use crate::desk::{Desk, at, put, remove};
use crate::support::code;

both_engines!(
    a_removed_folder_comes_back_with_all_below_it,
    a_restore_makes_the_folders_that_are_gone,
    a_restore_onto_a_taken_place_is_refused_until_another_is_named,
    a_part_of_a_removed_folder_can_be_restored_alone,
    one_name_can_be_in_the_trash_many_times,
    what_is_in_the_trash_can_be_read_but_not_changed,
    a_purge_frees_what_it_deletes,
    a_purge_of_much_is_finished_by_retention,
    a_purge_of_long_files_is_bounded_by_their_chunks,
    the_root_stays
);

fn restore(id: NodeId, to: Option<&str>) -> Op {
    Op::Restore {
        id,
        to: to.map(str::to_owned),
    }
}

async fn a_removed_folder_comes_back_with_all_below_it(db: TestDb) {
    let desk = Desk::open(db).await;
    let file = desk.write("a/b/c", b"1").await;
    let folder = desk.id_of("a").await;
    desk.act(remove("a")).await;
    assert!(desk.paths().await.is_empty());
    assert_eq!(
        code(desk.node(at("a/b/c")).await),
        Some(ErrorCode::NotFound)
    );
    let below = desk.node(At::Id(file.id)).await.unwrap();
    assert_eq!(
        (below.path.as_str(), below.trashed_ms.is_some()),
        ("a/b/c", true)
    );
    desk.act(restore(folder, None)).await;
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/c"]);
    let kinds: Vec<_> = desk
        .changes()
        .await
        .iter()
        .map(|change| change.kind)
        .collect();
    assert_eq!(kinds[3..], [ChangeKind::Removed, ChangeKind::Restored]);
    assert_eq!(desk.node(At::Id(file.id)).await.unwrap().trashed_ms, None);
}

async fn a_restore_makes_the_folders_that_are_gone(db: TestDb) {
    let desk = Desk::open(db).await;
    let file = desk.write("a/b/c", b"1").await;
    desk.commit(vec![remove("a/b/c"), remove("a")]).await;
    desk.act(restore(file.id, None)).await;
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/c"]);
    assert_eq!(desk.id_of("a/b/c").await, file.id);
}

async fn a_restore_onto_a_taken_place_is_refused_until_another_is_named(db: TestDb) {
    let desk = Desk::open(db).await;
    let old = desk.write("a/x", b"old").await;
    desk.act(remove("a/x")).await;
    let new = desk.write("a/x", b"new").await;
    let refused = desk
        .try_commit(vec![restore(old.id, None)])
        .await
        .unwrap_err();
    assert_eq!(refused.failed()[0].code, ErrorCode::Exists);
    assert_eq!(refused.failed()[0].revision, Some(new.revision));
    desk.act(restore(old.id, Some("a/x (restored)"))).await;
    assert_eq!(desk.read(at("a/x (restored)"), None).await.unwrap(), b"old");
    assert_eq!(desk.read(at("a/x"), None).await.unwrap(), b"new");
    let again = desk.try_commit(vec![restore(old.id, None)]).await;
    assert_eq!(
        code(again),
        Some(ErrorCode::NotFound),
        "it is not in the trash any more"
    );
}

async fn a_part_of_a_removed_folder_can_be_restored_alone(db: TestDb) {
    let desk = Desk::open(db).await;
    let wanted = desk.write("a/b/wanted", b"1").await;
    desk.write("a/b/other", b"2").await;
    desk.act(remove("a")).await;
    desk.act(restore(wanted.id, None)).await;
    assert_eq!(desk.paths().await, ["a", "a/b", "a/b/wanted"]);
    assert_eq!(desk.trash().await.len(), 1);
}

async fn one_name_can_be_in_the_trash_many_times(db: TestDb) {
    let desk = Desk::open(db).await;
    for number in 0..5_u8 {
        desk.write("dir/x", &[number]).await;
        desk.act(remove("dir/x")).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            after,
            limit: Some(2),
        };
        let page = desk
            .drives()
            .trash(&desk.me.caller, RoomRef::Home, page)
            .await
            .unwrap();
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(
        seen.iter()
            .all(|node| node.path == "dir/x" && node.name == "x")
    );
    seen.dedup_by_key(|node| node.id);
    assert_eq!(seen.len(), 5);
}

async fn what_is_in_the_trash_can_be_read_but_not_changed(db: TestDb) {
    let desk = Desk::open(db).await;
    let file = desk.write("a/x", b"1").await;
    desk.act(remove("a")).await;
    assert_eq!(desk.read(At::Id(file.id), None).await.unwrap(), b"1");
    let by_id = At::Id(file.id);
    for op in [
        Op::Remove {
            at: by_id.clone(),
            expect: Expect::Any,
        },
        Op::Tag {
            at: by_id.clone(),
            add: vec!["t".into()],
            remove: Vec::new(),
        },
        Op::Revert {
            at: by_id,
            revision: file.revision,
            expect: Expect::Any,
        },
    ] {
        assert_eq!(
            code(desk.try_commit(vec![op]).await),
            Some(ErrorCode::NotFound)
        );
    }
    let live = desk.write("y", b"1").await;
    assert_eq!(
        code(desk.try_commit(vec![Op::Purge { id: live.id }]).await),
        Some(ErrorCode::NotFound)
    );
}

async fn a_purge_frees_what_it_deletes(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("kept", b"12345").await;
    let file = desk.write("a/x", b"123").await;
    desk.write("a/x", b"1234").await;
    let folder = desk.id_of("a").await;
    desk.commit(vec![remove("a"), Op::Purge { id: folder }])
        .await;
    assert_eq!(desk.used_bytes().await, 5);
    assert!(desk.trash().await.is_empty());
    assert_eq!(
        code(desk.node(At::Id(file.id)).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(
        code(desk.node(At::Id(folder)).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(
        desk.changes().await.last().unwrap().kind,
        ChangeKind::Purged
    );
    assert_eq!(desk.read(at("kept"), None).await.unwrap(), b"12345");
}

async fn a_purge_of_much_is_finished_by_retention(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    desk.commit(
        (0..2500)
            .map(|number| put(&format!("a/{}/{number}", number % 50), b"1"))
            .collect(),
    )
    .await;
    let folder = desk.id_of("a").await;
    desk.commit(vec![remove("a"), Op::Purge { id: folder }])
        .await;
    let left = desk.used_bytes().await;
    assert!(
        (1..2500).contains(&left),
        "a purge frees a bounded part itself, {left} left"
    );
    assert!(desk.trash().await.is_empty());
    desk.drives().retain_all().await.unwrap();
    assert_eq!(desk.used_bytes().await, 0);
    assert_eq!(desk.drives().recount_usage().await.unwrap(), 0);
}

async fn a_purge_of_long_files_is_bounded_by_their_chunks(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.upload(b"1").await;
    let chunk = ManifestChunk {
        hash: ChunkHash::of(b"1"),
        bytes: 1,
    };
    let long = |name: &str, chunk_count: usize| {
        let chunks = vec![chunk; chunk_count];
        let mut op = put(name, b"1");
        if let Op::Put { manifest, .. } = &mut op {
            *manifest = to_base64(&Manifest { chunks }.pack());
        }
        op
    };
    desk.commit(vec![
        long("a/1", 50_000),
        long("a/2", 50_001),
        long("a/3", 50_002),
    ])
    .await;
    let folder = desk.id_of("a").await;
    desk.commit(vec![remove("a"), Op::Purge { id: folder }])
        .await;
    assert_eq!(
        desk.used_bytes().await,
        50_002,
        "two of three are enough work for a commit"
    );
    desk.drives().retain_all().await.unwrap();
    assert_eq!(desk.used_bytes().await, 0);
    let plan = desk.house.wharf.chunks().plan_recount().await.unwrap();
    assert_eq!((plan.drifts, plan.lost), (Vec::new(), Vec::new()));
}

async fn the_root_stays(db: TestDb) {
    let desk = Desk::open(db).await;
    let root = desk.node(at("")).await.unwrap();
    for at in [at("/"), At::Id(root.id)] {
        let refused = desk
            .try_commit(vec![Op::Remove {
                at,
                expect: Expect::Any,
            }])
            .await;
        assert_eq!(code(refused), Some(ErrorCode::Invalid));
    }
    assert_eq!(
        (root.name.as_str(), root.path.as_str(), root.parent),
        ("", "", None)
    );
}
