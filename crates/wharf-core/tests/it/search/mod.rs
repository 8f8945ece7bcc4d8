//! Search: what is found, by whom, and how soon it is not found any more.

#![expect(clippy::cognitive_complexity, reason = "a scenario is a list of steps")]

mod model;

use wharf_core::drive::RoomRef;
use wharf_core::{Caller, Error, InternalRole};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{At, Commit, Op};
use wharf_types::api::log::{Draft, Edit, FileDraft, Mentions, Recall};
use wharf_types::api::room::CreateRoom;
use wharf_types::api::search::{Found, Hit, HitKind, SearchQuery};
use wharf_types::{CommitId, ErrorCode, RoomId};

use crate::desk::{frames_of, make_folder, move_to, put, remove};
use crate::log::room::{Talk, device, text};
use crate::support::{Visitor, code};

both_engines!(
    words_are_found_newest_first,
    parts_of_texts_without_spaces_are_found,
    a_phrase_is_found_in_its_order_alone,
    filters_narrow_what_is_found,
    days_are_days_of_the_zone,
    an_edit_is_found_as_it_is_now,
    what_was_taken_back_is_not_found_though_the_index_is_behind,
    a_member_finds_what_they_may_see_at_that_moment,
    who_joined_later_finds_what_was_said_since,
    files_are_found_by_name_and_tag_while_they_are_in_the_tree,
    what_the_log_keeps_no_longer_is_gone_from_the_index,
    pages_go_through_all_rooms_once,
    the_beginning_of_a_word_is_found,
    the_index_is_made_again_alike,
    a_search_is_bounded,
    the_job_follows_what_is_written,
    several_may_follow_at_once_while_it_is_written,
);

fn edit(target: u64, text: &str) -> Draft {
    Draft::Edit(Edit {
        target,
        text: text.to_owned(),
        mentions: Mentions::default(),
    })
}

fn ask(q: &str) -> SearchQuery {
    SearchQuery {
        q: q.to_owned(),
        ..SearchQuery::default()
    }
}

impl Talk {
    async fn index(&self) {
        self.house.wharf.search().catch_up().await.unwrap();
    }

    async fn search(&self, who: &Visitor, query: SearchQuery) -> Result<Found, Error> {
        self.house.wharf.search().find(&who.caller, query).await
    }

    /// All hits of a line, in pages of `limit`.
    async fn hits(&self, who: &Visitor, q: &str, limit: u32) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut query = SearchQuery {
            limit: Some(limit),
            ..ask(q)
        };
        loop {
            let found = self.search(who, query.clone()).await.unwrap();
            assert!(found.items.len() <= limit as usize);
            hits.extend(found.items);
            let Some(next) = found.next else {
                return hits;
            };
            query.after = Some(next);
        }
    }

    /// The positions and names of all hits of a line.
    async fn found(&self, who: &Visitor, q: &str) -> Vec<String> {
        self.hits(who, q, 20).await.iter().map(name_of).collect()
    }

    async fn commit(&self, who: &Visitor, ops: Vec<Op>) {
        let id = CommitId::from_bytes(bytes_of(&format!("{ops:?}")));
        let commit = Commit { id, ops };
        let drive = self.house.wharf.drive();
        drive.commit(&who.caller, self.at(), commit).await.unwrap();
    }

    async fn write(&self, who: &Visitor, path: &str, bytes: &[u8]) {
        let transfers = self.house.wharf.transfers();
        self.house.clock.advance_ms(1);
        transfers
            .upload(&who.caller, frames_of(bytes))
            .await
            .unwrap();
        self.commit(who, vec![put(path, bytes)]).await;
        self.house.clock.advance_ms(1);
    }
}

/// Sixteen bytes that stand for a text.
fn bytes_of(text: &str) -> [u8; 16] {
    let hash = wharf_types::ChunkHash::of(text.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    id
}

fn name_of(hit: &Hit) -> String {
    match &hit.what {
        HitKind::Entry(entry) => entry.position.to_string(),
        HitKind::Node(node) => node.path.clone(),
    }
}

fn marked(hit: &Hit) -> Vec<&str> {
    let mark = |(begin, end): &(u32, u32)| &hit.snippet[*begin as usize..*end as usize];
    hit.matches.iter().map(mark).collect()
}

async fn words_are_found_newest_first(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in [
        "the Quick brown fox",
        "a quick one",
        "slow",
        "Brown, and quick",
    ] {
        talk.say(&talk.owner, text(line)).await;
        talk.house.clock.advance_ms(1_000);
    }
    assert!(
        talk.found(&talk.editor, "quick").await.is_empty(),
        "the index comes later"
    );
    talk.index().await;
    assert_eq!(talk.found(&talk.editor, "quick").await, ["4", "2", "1"]);
    assert_eq!(talk.found(&talk.editor, "QUICK  brown").await, ["4", "1"]);
    assert_eq!(talk.found(&talk.editor, "quick -brown").await, ["2"]);
    assert_eq!(talk.found(&talk.editor, "brown slow").await, [""; 0]);
    let hits = talk.hits(&talk.editor, "quick brown", 10).await;
    assert_eq!(hits[0].room, talk.room);
    assert_eq!(marked(&hits[0]), ["Brown", "quick"]);
}

async fn parts_of_texts_without_spaces_are_found(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in [
        "我明天去北京大学开会",
        "東京タワーに行きました",
        "한국어를 배웁니다",
        "京",
    ] {
        talk.say(&talk.owner, text(line)).await;
    }
    talk.index().await;
    for (part, found) in [
        ("北京大", vec!["1"]),
        ("京大学", vec!["1"]),
        ("京", vec!["4", "2", "1"]),
        ("ﾀﾜｰ", vec!["2"]),
        ("국어", vec!["3"]),
        ("大京", vec![]),
        ("开会 北京", vec!["1"]),
    ] {
        assert_eq!(talk.found(&talk.reader, part).await, found, "{part}");
    }
    let hits = talk.hits(&talk.reader, "北京大", 10).await;
    assert_eq!(marked(&hits[0]), ["北京大"]);
}

async fn a_phrase_is_found_in_its_order_alone(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in [
        "save the date",
        "the date to save",
        "date the save, save-the date",
    ] {
        talk.say(&talk.owner, text(line)).await;
    }
    talk.index().await;
    assert_eq!(
        talk.found(&talk.owner, "\"save the date\"").await,
        ["3", "1"]
    );
    assert_eq!(talk.found(&talk.owner, "-\"the date\" save").await, [""; 0]);
    assert_eq!(talk.found(&talk.owner, "\"to save\"").await, ["2"]);
}

async fn filters_narrow_what_is_found(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.write(&talk.owner, "garden/Plan v2.png", b"plan").await;
    talk.say(
        &talk.owner,
        text("the plan #Garden is at https://example.org"),
    )
    .await;
    talk.say(&talk.editor, text("which plan?")).await;
    let drive = talk.house.wharf.drive();
    let at = At::Path("garden/Plan v2.png".to_owned());
    let node = drive.node(&talk.owner.caller, talk.at(), at).await.unwrap();
    let file = Draft::File(FileDraft {
        node: node.id,
        revision: None,
        dimensions: None,
        text: "here it is".to_owned(),
        reply_to: None,
        mentions: Mentions::default(),
    });
    talk.say(&talk.editor, file).await;
    talk.index().await;
    let me = &talk.owner;
    for (q, found) in [
        ("plan", vec!["3", "2", "1", "garden/Plan v2.png"]),
        ("plan from:me", vec!["1"]),
        ("plan from:editor", vec!["3", "2"]),
        ("from:editor from:me which", vec!["2"]),
        ("plan from:nobody", vec![]),
        ("has:link", vec!["1"]),
        ("has:image", vec!["3", "garden/Plan v2.png"]),
        ("has:file from:editor", vec!["3"]),
        ("#garden", vec!["1"]),
        ("has:tag plan", vec!["1"]),
        ("in:home plan from:me", vec!["1"]),
        ("from:000000", vec![]),
    ] {
        assert_eq!(talk.found(me, q).await, found, "{q}");
    }
    let number = format!("plan from:{:06}", talk.editor.logged_in.account.number);
    assert_eq!(talk.found(me, &number).await, ["3", "2"]);
    let unknown = talk.search(me, ask("plan in:Nowhere")).await;
    assert_eq!(code(unknown), Some(ErrorCode::NotFound));
    let other = SearchQuery {
        room: Some(talk.stranger.caller.person().unwrap().home),
        ..ask("plan")
    };
    assert_eq!(
        code(talk.search(me, other).await),
        Some(ErrorCode::NotFound)
    );
}

async fn days_are_days_of_the_zone(db: TestDb) {
    let talk = Talk::open(db).await;
    // 2026-01-01 00:30 UTC, and the same time on the two days after.
    talk.house.clock.advance_ms(30 * 60_000);
    for _ in 0..3 {
        talk.say(&talk.owner, text("day")).await;
        talk.house.clock.advance_ms(24 * 3_600_000);
    }
    talk.index().await;
    for (q, zone, found) in [
        ("on:2026-01-02", None, vec!["2"]),
        ("on:2026-01-02", Some("-01:00"), vec!["3"]),
        ("day before:2026-01-02", None, vec!["1"]),
        ("day after:2026-01-02", None, vec!["3", "2"]),
        (
            "after:2026-01-01 before:2026-01-02",
            Some("America/New_York"),
            vec!["2"],
        ),
    ] {
        let query = SearchQuery {
            zone: zone.map(str::to_owned),
            ..ask(q)
        };
        let hits = talk.search(&talk.owner, query).await.unwrap().items;
        let names: Vec<String> = hits.iter().map(name_of).collect();
        assert_eq!(names, found, "{q} in {zone:?}");
    }
}

async fn an_edit_is_found_as_it_is_now(db: TestDb) {
    let talk = Talk::open(db).await;
    let first = talk.say(&talk.owner, text("meet on Monday #old")).await;
    talk.index().await;
    talk.say(&talk.owner, edit(first, "meet on Tuesday #new"))
        .await;
    // Behind: the old word brings it up, and it says so no more.
    assert_eq!(talk.found(&talk.editor, "monday").await, [""; 0]);
    let hits = talk.hits(&talk.editor, "meet", 10).await;
    assert!(hits[0].snippet.contains("Tuesday"), "{}", hits[0].snippet);
    talk.index().await;
    assert_eq!(talk.found(&talk.editor, "tuesday").await, ["1"]);
    assert_eq!(talk.found(&talk.editor, "#new").await, ["1"]);
    assert_eq!(talk.found(&talk.editor, "#old").await, [""; 0]);
    assert_eq!(
        terms_like(&talk, "monday").await,
        0,
        "the index forgot it too"
    );
    // Edited before it was indexed at all.
    let second = talk.say(&talk.owner, text("Wednesday")).await;
    talk.say(&talk.owner, edit(second, "Thursday")).await;
    talk.index().await;
    assert_eq!(
        talk.found(&talk.editor, "thursday").await,
        [second.to_string()]
    );
    assert_eq!(talk.found(&talk.editor, "wednesday").await, [""; 0]);
}

async fn terms_like(talk: &Talk, term: &'static str) -> u64 {
    let count = move |tx: &mut wharf_store::sql::Tx<'_>| {
        tx.one(
            "SELECT CAST(coalesce(sum(doc_count), 0) AS BIGINT) FROM search_block WHERE term = ?1",
            &[term.into()],
            |row| row.uint(0),
        )
    };
    talk.house.db.read(count).await.unwrap()
}

async fn what_was_taken_back_is_not_found_though_the_index_is_behind(db: TestDb) {
    let talk = Talk::open(db).await;
    let first = talk.say(&talk.owner, text("a secret")).await;
    let second = talk.say(&talk.owner, text("another secret")).await;
    talk.index().await;
    talk.say(&talk.owner, Draft::Recall(Recall { target: first }))
        .await;
    assert_eq!(
        talk.found(&talk.owner, "secret").await,
        [second.to_string()]
    );
    talk.index().await;
    assert_eq!(
        talk.found(&talk.owner, "secret").await,
        [second.to_string()]
    );
    assert_eq!(
        terms_like(&talk, "secret").await,
        1,
        "the index forgot it too"
    );
    // Taken back before it was indexed at all.
    let third = talk.say(&talk.owner, text("third secret")).await;
    talk.say(&talk.owner, Draft::Recall(Recall { target: third }))
        .await;
    talk.index().await;
    assert_eq!(terms_like(&talk, "third").await, 0);
}

async fn a_member_finds_what_they_may_see_at_that_moment(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.write(&talk.owner, "members.txt", b"x").await;
    talk.say(&talk.owner, text("for members")).await;
    talk.index().await;
    assert_eq!(talk.found(&talk.stranger, "members").await, [""; 0]);
    assert_eq!(
        talk.found(&talk.reader, "members").await,
        ["1", "members.txt"]
    );
    let room = SearchQuery {
        room: Some(talk.room),
        ..ask("members")
    };
    let refused = talk.search(&talk.stranger, room.clone()).await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    talk.execute("DELETE FROM member WHERE room_id = ?1 AND role = 'reader'")
        .await;
    assert_eq!(talk.found(&talk.reader, "members").await, [""; 0]);
    assert_eq!(
        code(talk.search(&talk.reader, room).await),
        Some(ErrorCode::NotFound)
    );
    let console = Caller::internal(InternalRole::Console);
    let refused = talk
        .house
        .wharf
        .search()
        .find(&console, ask("members"))
        .await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
    let refused = talk.house.wharf.search().remake(&talk.owner.caller).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
}

async fn who_joined_later_finds_what_was_said_since(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 1..=6 {
        talk.say(&talk.owner, text(&format!("word {number}"))).await;
    }
    talk.index().await;
    talk.admit(talk.stranger.id(), "reader", 4).await;
    assert_eq!(talk.found(&talk.stranger, "word").await, ["6", "5"]);
    assert_eq!(talk.found(&talk.stranger, "word 4").await, [""; 0]);
    assert_eq!(talk.found(&talk.reader, "word 4").await, ["4"]);
}

async fn files_are_found_by_name_and_tag_while_they_are_in_the_tree(db: TestDb) {
    let talk = Talk::open(db).await;
    let me = &talk.owner;
    talk.write(me, "trip/Day 1/IMG_0042.JPG", b"one").await;
    let tag = Op::Tag {
        at: At::Path("trip/Day 1/IMG_0042.JPG".to_owned()),
        add: vec!["Best Of".to_owned()],
        remove: Vec::new(),
    };
    talk.commit(me, vec![tag, make_folder("notes")]).await;
    talk.index().await;
    assert_eq!(talk.found(me, "0042").await, ["trip/Day 1/IMG_0042.JPG"]);
    assert_eq!(talk.found(me, "day").await, ["trip/Day 1"]);
    assert_eq!(talk.found(me, "has:tag").await, ["trip/Day 1/IMG_0042.JPG"]);
    talk.commit(
        me,
        vec![move_to("trip/Day 1/IMG_0042.JPG", "notes/sunset.jpg")],
    )
    .await;
    assert_eq!(
        talk.found(me, "0042").await,
        [""; 0],
        "it has another name now"
    );
    talk.index().await;
    assert_eq!(talk.found(me, "sunset").await, ["notes/sunset.jpg"]);
    talk.commit(me, vec![move_to("notes", "papers")]).await;
    assert_eq!(
        talk.found(me, "sunset").await,
        ["papers/sunset.jpg"],
        "its folder moved with it"
    );
    talk.commit(me, vec![remove("papers")]).await;
    assert_eq!(
        talk.found(me, "sunset").await,
        [""; 0],
        "its folder is in the trash"
    );
    talk.index().await;
    assert_eq!(talk.found(me, "sunset").await, [""; 0]);
    let trash = talk
        .house
        .wharf
        .drive()
        .trash(&me.caller, talk.at(), wharf_core::drive::Page::default())
        .await;
    let id = trash.unwrap().items[0].id;
    talk.commit(me, vec![Op::Restore { id, to: None }]).await;
    talk.index().await;
    assert_eq!(talk.found(me, "sunset").await, ["papers/sunset.jpg"]);
    assert_eq!(talk.found(me, "papers").await, ["papers"]);
    talk.commit(
        me,
        vec![
            remove("papers/sunset.jpg"),
            Op::Purge {
                id: node_id(&talk, "papers/sunset.jpg").await,
            },
        ],
    )
    .await;
    talk.index().await;
    assert_eq!(
        terms_like(&talk, "sunset").await,
        0,
        "what was purged is forgotten"
    );
}

async fn node_id(talk: &Talk, path: &str) -> wharf_types::NodeId {
    let at = At::Path(path.to_owned());
    let drive = talk.house.wharf.drive();
    drive
        .node(&talk.owner.caller, talk.at(), at)
        .await
        .unwrap()
        .id
}

async fn what_the_log_keeps_no_longer_is_gone_from_the_index(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 0..48 {
        talk.say(&talk.owner, text(&format!("hourly {number}")))
            .await;
        talk.house.clock.advance_ms(3_600_000);
    }
    talk.index().await;
    talk.execute("UPDATE log SET keep_days = 1 WHERE room_id = ?1")
        .await;
    talk.house.wharf.logs().retain_all().await.unwrap();
    assert_eq!(talk.found(&talk.owner, "hourly").await.len(), 24);
    talk.index().await;
    assert_eq!(talk.found(&talk.owner, "hourly").await.len(), 24);
    assert_eq!(terms_like(&talk, "hourly").await, 24);
    let later = talk.say(&talk.owner, text("hourly again")).await;
    talk.index().await;
    assert_eq!(
        talk.found(&talk.owner, "hourly").await[0],
        later.to_string()
    );
}

async fn pages_go_through_all_rooms_once(db: TestDb) {
    let talk = Talk::open(db).await;
    let mut rooms: Vec<RoomId> = vec![talk.room];
    for number in 0..7 {
        let request = CreateRoom {
            name: format!("Room {number}"),
            ..CreateRoom::default()
        };
        let room = talk
            .house
            .wharf
            .rooms()
            .create(&talk.owner.caller, request)
            .await
            .unwrap();
        rooms.push(room.id);
    }
    let mut said = Vec::new();
    for number in 0..60_usize {
        // Several at one time.
        if number % 4 == 0 {
            talk.house.clock.advance_ms(1);
        }
        let room = rooms[number * 5 % rooms.len()];
        let (who, number) = (&talk.owner, number as u64 + 1);
        let said_at = talk
            .append(who, room, device(9), number, text("needle"))
            .await
            .unwrap();
        said.push((said_at.at_ms, room, said_at.position));
    }
    talk.index().await;
    for limit in [1, 7, 100] {
        let hits = talk.hits(&talk.owner, "needle", limit).await;
        let mut found: Vec<_> = hits
            .iter()
            .map(|hit| match &hit.what {
                HitKind::Entry(entry) => (entry.at_ms, hit.room, entry.position),
                HitKind::Node(_) => unreachable!("nothing is in the drives"),
            })
            .collect();
        assert!(found.is_sorted_by_key(|(at_ms, ..)| std::cmp::Reverse(*at_ms)));
        found.sort_unstable();
        let mut said = said.clone();
        said.sort_unstable();
        assert_eq!(found, said, "in pages of {limit}");
    }
    let named = talk.hits(&talk.owner, "needle in:\"room 3\"", 5).await;
    assert!(!named.is_empty() && named.iter().all(|hit| hit.room == rooms[4]));
}

async fn the_beginning_of_a_word_is_found(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in ["gardening", "the garden gate", "guard", "Gardens of stone"] {
        talk.say(&talk.owner, text(line)).await;
    }
    talk.index().await;
    assert_eq!(talk.found(&talk.owner, "gard*").await, ["4", "2", "1"]);
    assert_eq!(talk.found(&talk.owner, "gard* stone").await, ["4"]);
    assert_eq!(talk.found(&talk.owner, "the-gard*").await, ["2"]);
    assert_eq!(talk.found(&talk.owner, "gard").await, [""; 0]);
}

async fn the_index_is_made_again_alike(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 0..30 {
        talk.say(&talk.owner, text(&format!("word{} common", number % 5)))
            .await;
        talk.house.clock.advance_ms(10);
    }
    talk.write(&talk.owner, "word1.txt", b"x").await;
    talk.say(&talk.owner, edit(7, "common changed")).await;
    talk.index().await;
    let before = talk.found(&talk.owner, "common").await;
    let files = talk.found(&talk.owner, "word1").await;
    let console = Caller::internal(InternalRole::Console);
    talk.house.wharf.search().remake(&console).await.unwrap();
    assert_eq!(talk.found(&talk.owner, "common").await, before);
    assert_eq!(talk.found(&talk.owner, "word1").await, files);
    assert_eq!(
        talk.house.wharf.search().catch_up().await.unwrap(),
        0,
        "nothing is behind"
    );
}

async fn a_search_is_bounded(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 0..1_100_u64 {
        // Each word is common, and never is one where the other is: the lists are walked to their ends.
        let line = if number % 2 == 0 { "even" } else { "odd" };
        talk.append(&talk.owner, talk.room, device(3), number + 1, text(line))
            .await
            .unwrap();
    }
    talk.append(
        &talk.owner,
        talk.room,
        device(3),
        1_101,
        text("first even odd"),
    )
    .await
    .unwrap();
    talk.index().await;
    assert_eq!(talk.found(&talk.owner, "even odd").await, ["1101"]);
    // More than one search looks at: the page is empty, and the next ones go on.
    let query = ask("-even -odd");
    let first = talk.search(&talk.owner, query.clone()).await.unwrap();
    assert!(first.items.is_empty() && first.next.is_some());
    assert_eq!(talk.found(&talk.owner, "-even -odd").await, [""; 0]);
    let bad = SearchQuery {
        after: Some("nowhere".to_owned()),
        ..query
    };
    assert_eq!(
        code(talk.search(&talk.owner, bad).await),
        Some(ErrorCode::Invalid)
    );
}

async fn the_job_follows_what_is_written(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.say(&talk.owner, text("before")).await;
    talk.house.wharf.start_jobs();
    talk.say(&talk.owner, text("after")).await;
    for word in ["before", "after"] {
        let mut tries = 0;
        while talk.found(&talk.owner, word).await.is_empty() {
            tries += 1;
            assert!(tries < 200, "{word} is not found");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let late = talk
        .house
        .wharf
        .jobs()
        .stop(std::time::Duration::from_secs(5))
        .await;
    assert_eq!(late, [""; 0]);
    let room = RoomRef::Id(talk.room);
    assert_eq!(
        talk.house
            .wharf
            .logs()
            .pins(&talk.owner.caller, room)
            .await
            .unwrap()
            .head,
        2
    );
}

async fn several_may_follow_at_once_while_it_is_written(db: TestDb) {
    let talk = Talk::open(db).await;
    for _ in 0..120 {
        talk.say(&talk.owner, text("needle stale")).await;
    }
    let follow = || async { talk.house.wharf.search().catch_up().await.unwrap() };
    let write = async {
        for target in (1..=120).step_by(3) {
            talk.say(&talk.owner, edit(target, "needle fresh")).await;
        }
    };
    tokio::join!(follow(), write, follow(), follow());
    talk.index().await;
    // Each is listed once, under what it says now: a plan that was overtaken wrote nothing.
    for (term, count) in [("needle", 120), ("stale", 80), ("fresh", 40)] {
        assert_eq!(terms_like(&talk, term).await, count, "{term}");
    }
    assert_eq!(talk.found(&talk.editor, "fresh").await.len(), 40);
}
