use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use wharf_types::api::drive::{Expect, NodeKind};
use wharf_types::{ContentHash, ErrorCode};

use super::{
    FoldGuard, GetStep, PutStep, Refusal, RemoteNode, after_refusal, get, is_wanted, put,
    put_folder,
};
use crate::disk::{Folder, Stat};
use crate::transfer::{Compare, Links, OnDifferent};

fn remote() -> RemoteNode {
    RemoteNode {
        kind: NodeKind::File,
        revision: 7,
        bytes: 3,
        mtime_ns: Some(5_000_000_000),
        executable: false,
        content: Some(ContentHash::of(b"content")),
    }
}

/// A local file that looks like [`remote`].
fn local() -> Stat {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("file"), "abc").unwrap();
    let mut stat = Folder::open(temp.path()).unwrap().stat("file").unwrap();
    stat.mtime_ns = 5_000_000_000;
    stat
}

#[test]
fn a_file_that_looks_the_same_is_skipped_both_ways() {
    let (local, remote) = (local(), remote());
    assert_eq!(
        put(&local, Some(&remote), Compare::Stat, OnDifferent::Keep),
        PutStep::Skip
    );
    assert_eq!(
        get(&remote, Some(&local), Compare::Stat, OnDifferent::Keep),
        GetStep::Skip
    );
}

#[test]
fn size_time_and_executable_bit_each_make_a_file_different() {
    let changes: [fn(&mut RemoteNode); 4] = [
        |node| node.bytes += 1,
        |node| node.mtime_ns = Some(5_000_000_001),
        |node| node.mtime_ns = None,
        |node| node.executable = true,
    ];
    for change in changes {
        let mut remote = remote();
        change(&mut remote);
        assert_eq!(
            put(&local(), Some(&remote), Compare::Stat, OnDifferent::Replace),
            PutStep::Send(Expect::Revision(7)),
        );
        assert!(matches!(
            get(&remote, Some(&local()), Compare::Stat, OnDifferent::Replace),
            GetStep::Fetch { planned: Some(_) },
        ));
    }
}

#[test]
fn a_new_path_is_expected_to_be_absent() {
    assert_eq!(
        put(&local(), None, Compare::Stat, OnDifferent::Replace),
        PutStep::Send(Expect::Absent)
    );
    assert_eq!(
        put(&local(), None, Compare::Stat, OnDifferent::Keep),
        PutStep::Send(Expect::Absent)
    );
    assert_eq!(
        put(&local(), None, Compare::Stat, OnDifferent::Overwrite),
        PutStep::Send(Expect::Any)
    );
    assert_eq!(
        get(&remote(), None, Compare::Stat, OnDifferent::Keep),
        GetStep::Fetch { planned: None }
    );
}

#[test]
fn comparing_by_content_reads_what_looks_the_same() {
    let (local, remote) = (local(), remote());
    assert_eq!(
        put(
            &local,
            Some(&remote),
            Compare::Content,
            OnDifferent::Replace
        ),
        PutStep::Compare {
            same: ContentHash::of(b"content"),
            otherwise: Some(Expect::Revision(7)),
        },
    );
    assert!(matches!(
        get(
            &remote,
            Some(&local),
            Compare::Content,
            OnDifferent::Replace
        ),
        GetStep::Compare { .. },
    ));
}

#[test]
fn folders_and_files_do_not_replace_each_other() {
    let folder = RemoteNode {
        kind: NodeKind::Folder,
        ..remote()
    };
    assert!(matches!(
        put(
            &local(),
            Some(&folder),
            Compare::Stat,
            OnDifferent::Overwrite
        ),
        PutStep::Conflict(_),
    ));
    assert!(put_folder(Some(&remote())).is_err());
    assert_eq!(put_folder(Some(&folder)), Ok(false));
    assert_eq!(put_folder(None), Ok(true));
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("folder")).unwrap();
    let there = Folder::open(temp.path()).unwrap().stat("folder").unwrap();
    assert!(matches!(
        get(
            &remote(),
            Some(&there),
            Compare::Stat,
            OnDifferent::Overwrite
        ),
        GetStep::Conflict(_),
    ));
}

#[test]
fn a_refused_commit_is_decided_by_what_the_place_holds_now() {
    let ours = ContentHash::of(b"ours");
    let local = local();
    let theirs = remote();
    let mut same = remote();
    same.content = Some(ours);
    let folder = RemoteNode {
        kind: NodeKind::Folder,
        ..remote()
    };
    let decide = |code, now, how| after_refusal(code, ours, &local, now, how);
    let replace = OnDifferent::Replace;
    assert_eq!(
        decide(ErrorCode::Stale, Some(&same), replace),
        Refusal::Settled
    );
    assert_eq!(
        decide(ErrorCode::Stale, None, replace),
        Refusal::Again(Expect::Absent)
    );
    assert!(matches!(
        decide(ErrorCode::Stale, Some(&theirs), replace),
        Refusal::Conflict(_)
    ));
    assert!(matches!(
        decide(ErrorCode::Exists, Some(&folder), replace),
        Refusal::Conflict(_)
    ));
    assert_eq!(
        decide(ErrorCode::Stale, Some(&theirs), OnDifferent::Overwrite),
        Refusal::Again(Expect::Any),
    );
    assert_eq!(decide(ErrorCode::NotFound, None, replace), Refusal::Upload);
    assert_eq!(decide(ErrorCode::Invalid, None, replace), Refusal::Refused);
}

#[test]
fn links_and_the_names_of_parts_are_left_out() {
    assert_eq!(is_wanted("a/b", NodeKind::File, Links::LeaveOut), Ok(()));
    assert!(is_wanted("a/b", NodeKind::Link, Links::LeaveOut).is_err());
    assert_eq!(is_wanted("a/b", NodeKind::Link, Links::Keep), Ok(()));
    assert!(is_wanted("a/.wharf-part-1", NodeKind::File, Links::Keep).is_err());
}

#[test]
fn names_that_fold_together_collide_with_all_below_the_second() {
    let mut guard = FoldGuard::default();
    assert_eq!(guard.collision("Docs"), None);
    assert_eq!(guard.collision("Docs/a"), None);
    assert_eq!(guard.collision("docs"), Some("Docs".into()));
    assert!(guard.collision("docs/b").is_some());
    assert_eq!(guard.collision("Docs/b"), None);
    assert_eq!(guard.collision("Docs"), None);
}

fn any_remote() -> impl Strategy<Value = Option<RemoteNode>> {
    let kinds = prop_oneof![
        Just(NodeKind::File),
        Just(NodeKind::Folder),
        Just(NodeKind::Link)
    ];
    proptest::option::of((kinds, 1..9_u64, 0..4_u64, any::<bool>()).prop_map(
        |(kind, revision, bytes, executable)| RemoteNode {
            kind,
            revision,
            bytes,
            executable,
            ..remote()
        },
    ))
}

proptest! {
    /// Whatever is there: without `Overwrite`, nothing is ever sent that would replace a revision that was not seen.
    #[test]
    fn nothing_unseen_is_replaced(remote in any_remote(), keep in any::<bool>(), content in any::<bool>()) {
        let how = if keep { OnDifferent::Keep } else { OnDifferent::Replace };
        let compare = if content { Compare::Content } else { Compare::Stat };
        let expect = match put(&local(), remote.as_ref(), compare, how) {
            PutStep::Send(expect) | PutStep::Compare { otherwise: Some(expect), .. } => expect,
            PutStep::Skip | PutStep::Conflict(_) | PutStep::Compare { otherwise: None, .. } => return Ok(()),
        };
        let seen = remote.map_or(Expect::Absent, |node| Expect::Revision(node.revision));
        assert_eq!(expect, seen);
    }
}
