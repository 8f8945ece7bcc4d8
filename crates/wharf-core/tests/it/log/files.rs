//! Files of the drive that are handed over.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{At, Commit, Expect, Op};
use wharf_types::api::log::{Body, Draft, FileDraft, Mentions};
use wharf_types::{CommitId, ErrorCode, NodeId};

use super::room::{Talk, device, recall, text};
use crate::desk::{frames_of, put};
use crate::support::{PASSWORD, Visitor, code};

both_engines!(
    a_file_of_the_drive_is_handed_over,
    what_is_handed_over_outlasts_the_days_of_revisions,
    only_files_of_the_room_are_handed_over
);

fn file(node: NodeId, revision: Option<u64>) -> Draft {
    Draft::File(FileDraft {
        node,
        revision,
        dimensions: Some((3, 4)),
        text: "look".to_owned(),
        reply_to: None,
        mentions: Mentions::default(),
    })
}

/// Puts a file into the room's drive.
async fn put_file(talk: &Talk, who: &Visitor, path: &str, bytes: &[u8]) -> (NodeId, u64) {
    let transfers = talk.house.wharf.transfers();
    transfers
        .upload(&who.caller, frames_of(bytes))
        .await
        .unwrap();
    let id = CommitId::new(
        talk.house.clock.now_ms().unsigned_abs(),
        bytes[..10].try_into().unwrap(),
    );
    let commit = Commit {
        id,
        ops: vec![put(path, bytes)],
    };
    let done = talk
        .house
        .wharf
        .drive()
        .commit(&who.caller, talk.at(), commit)
        .await
        .unwrap();
    (done.results[0].id, done.results[0].revision)
}

/// The files of the room: position, revision, length and name.
async fn files(talk: &Talk, who: &Visitor) -> Vec<(u64, u64, u64, String)> {
    let logs = talk.house.wharf.logs();
    let page = logs
        .files(&who.caller, talk.at(), None, None)
        .await
        .unwrap();
    let shown = page.items.iter().map(|entry| match &entry.body {
        Some(Body::File(file)) => (entry.position, file.revision, file.bytes, file.name.clone()),
        other => panic!("{other:?}"),
    });
    shown.collect()
}

async fn a_file_of_the_drive_is_handed_over(db: TestDb) {
    let talk = Talk::open(db).await;
    let (path, editor) = ("photos/a.png", &talk.editor);
    let (node, first) = put_file(&talk, editor, path, b"the first bytes").await;
    let handed = talk.say(editor, file(node, None)).await;
    let (_, second) = put_file(&talk, editor, path, b"the second ones, longer").await;
    talk.say(&talk.owner, text("between")).await;
    let again = talk.say(editor, file(node, None)).await;
    let old = talk.say(editor, file(node, Some(first))).await;
    let name = || "a.png".to_owned();
    assert_eq!(
        files(&talk, &talk.reader).await,
        [
            (old, first, 15, name()),
            (again, second, 23, name()),
            (handed, first, 15, name())
        ]
    );
    talk.say(editor, recall(old)).await;
    assert_eq!(files(&talk, &talk.reader).await.len(), 2);
}

async fn what_is_handed_over_outlasts_the_days_of_revisions(db: TestDb) {
    let talk = Talk::open(db).await;
    let (path, editor) = ("a.png", &talk.editor);
    let (node, first) = put_file(&talk, editor, path, b"the first bytes").await;
    let handed = talk.say(editor, file(node, None)).await;
    put_file(&talk, editor, path, b"the second ones, longer").await;
    // Its days are over; but somebody may only now come to fetch it.
    let year = std::iter::repeat_n(86_400_000, 400);
    year.for_each(|day_ms| talk.house.clock.advance_ms(day_ms));
    let owner = talk
        .house
        .log_in("root", PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    let drive = talk.house.wharf.drive();
    let manifest = || drive.manifest(&owner.caller, talk.at(), At::Id(node), Some(first));
    drive.retain_all().await.unwrap();
    assert_eq!(manifest().await.unwrap().bytes, 15);
    let taken_back = talk
        .append(&owner, talk.room, device(5), 1, recall(handed))
        .await;
    taken_back.unwrap();
    drive.retain_all().await.unwrap();
    assert_eq!(code(manifest().await), Some(ErrorCode::NotFound));
    let outcome = talk
        .append(&owner, talk.room, device(5), 2, file(node, Some(first)))
        .await;
    assert_eq!(code(outcome), Some(ErrorCode::NotFound));
}

async fn only_files_of_the_room_are_handed_over(db: TestDb) {
    let talk = Talk::open(db).await;
    let (node, _) = put_file(&talk, &talk.editor, "a.png", b"the first bytes").await;
    let drive = talk.house.wharf.drive();
    let root = drive
        .summary(&talk.owner.caller, talk.at())
        .await
        .unwrap()
        .root;
    let outcome = talk.try_say(&talk.editor, file(root, None)).await;
    assert_eq!(code(outcome), Some(ErrorCode::Invalid));
    // The editor's own room has no such file, though the editor may read it where it is.
    let home = talk.editor.caller.person().unwrap().home;
    let outcome = talk
        .append(&talk.editor, home, device(5), 1, file(node, None))
        .await;
    assert_eq!(code(outcome), Some(ErrorCode::NotFound));
    for revision in [0, 77, u64::MAX] {
        let outcome = talk.try_say(&talk.editor, file(node, Some(revision))).await;
        assert_eq!(code(outcome), Some(ErrorCode::NotFound), "{revision}");
    }
    let commit = Commit {
        id: CommitId::from_bytes([9; 16]),
        ops: vec![Op::Remove {
            at: At::Id(node),
            expect: Expect::Any,
        }],
    };
    drive
        .commit(&talk.editor.caller, talk.at(), commit)
        .await
        .unwrap();
    let outcome = talk.try_say(&talk.editor, file(node, None)).await;
    assert_eq!(code(outcome), Some(ErrorCode::NotFound));
}
