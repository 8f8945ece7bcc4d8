//! A log as a journal.

use std::collections::BTreeMap;

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::diary::{DaysQuery, DiaryFormat, DiaryQuery};
use wharf_types::api::log::{Draft, Edit, Entry, Mentions, Recall};

use crate::log::room::{Talk, device, text};
use crate::support::{Visitor, code};

both_engines!(
    days_are_counted_in_the_zone_that_was_asked_for,
    a_page_is_of_a_span_of_days,
    a_clock_that_was_set_back_loses_nothing,
    the_same_day_of_every_year_is_found,
    tags_are_counted_and_followed,
    entries_are_found_by_where_they_came_from,
    pages_go_through_everything_once_both_ways,
    a_journal_is_written_out_in_parts,
    a_journal_is_for_members_and_from_their_floor_on,
);

const HOUR_MS: u32 = 3_600_000;

impl Talk {
    fn wait_hours(&self, hours: u32) {
        for _ in 0..hours {
            self.house.clock.advance_ms(HOUR_MS);
        }
    }

    async fn diary(&self, who: &Visitor, query: &DiaryQuery) -> Vec<Entry> {
        let mut query = query.clone();
        let mut items = Vec::new();
        loop {
            let diaries = self.house.wharf.diaries();
            let page = diaries
                .page(&who.caller, self.at(), query.clone())
                .await
                .unwrap();
            items.extend(page.items);
            if page.next.is_none() {
                return items;
            }
            assert_ne!(page.next, query.after, "it gets on");
            query.after = page.next;
        }
    }

    async fn positions(&self, query: &DiaryQuery) -> Vec<u64> {
        let items = self.diary(&self.owner, query).await;
        items.iter().map(|entry| entry.position).collect()
    }

    async fn days(&self, from: &str, to: &str, zone: Option<&str>) -> BTreeMap<String, u32> {
        let query = DaysQuery {
            from: from.to_owned(),
            to: to.to_owned(),
            zone: zone.map(str::to_owned),
        };
        let diaries = self.house.wharf.diaries();
        let days = diaries
            .days(&self.owner.caller, self.at(), query)
            .await
            .unwrap();
        days.items
            .into_iter()
            .map(|day| (day.day, day.count))
            .collect()
    }

    async fn whole(&self, query: &DiaryQuery, format: DiaryFormat) -> String {
        let mut query = query.clone();
        let mut whole = String::new();
        loop {
            let diaries = self.house.wharf.diaries();
            let part = diaries
                .export(&self.owner.caller, self.at(), query.clone(), format)
                .await
                .unwrap();
            whole.push_str(&part.text);
            query.after = part.next;
            if query.after.is_none() {
                return whole;
            }
        }
    }
}

fn of_days(from: &str, to: &str) -> DiaryQuery {
    DiaryQuery {
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        ..DiaryQuery::default()
    }
}

fn days(days: &[(&str, u32)]) -> BTreeMap<String, u32> {
    days.iter()
        .map(|(day, count)| ((*day).to_owned(), *count))
        .collect()
}

fn edit(target: u64, text: &str) -> Draft {
    Draft::Edit(Edit {
        target,
        text: text.to_owned(),
        mentions: Mentions::default(),
    })
}

fn recall(target: u64) -> Draft {
    Draft::Recall(Recall { target })
}

async fn days_are_counted_in_the_zone_that_was_asked_for(db: TestDb) {
    let talk = Talk::open(db).await;
    // Every six hours from the first of January, 00:00 UTC, for three days.
    for number in 0..12 {
        talk.say(&talk.owner, text(&number.to_string())).await;
        talk.wait_hours(6);
    }
    talk.say(&talk.owner, recall(1)).await;
    talk.say(&talk.owner, edit(2, "edited")).await;
    let utc = [("2026-01-01", 3), ("2026-01-02", 4), ("2026-01-03", 4)];
    assert_eq!(
        talk.days("2026-01-01", "2026-01-31", None).await,
        days(&utc)
    );
    let east = [
        ("2026-01-01", 2),
        ("2026-01-02", 4),
        ("2026-01-03", 4),
        ("2026-01-04", 1),
    ];
    let zone = Some("Asia/Tokyo");
    assert_eq!(
        talk.days("2026-01-01", "2026-01-31", zone).await,
        days(&east)
    );
    assert_eq!(
        talk.days("2026-01-02", "2026-01-02", zone).await,
        days(&east[1..2])
    );
    assert_eq!(talk.days("2025-01-01", "2025-12-31", None).await, days(&[]));
    for (from, to) in [
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01", "2027-01-03"),
        ("x", "2026-01-01"),
    ] {
        let query = DaysQuery {
            from: from.to_owned(),
            to: to.to_owned(),
            zone: None,
        };
        let refused = talk
            .house
            .wharf
            .diaries()
            .days(&talk.owner.caller, talk.at(), query)
            .await;
        assert_eq!(code(refused), Some(ErrorCode::Invalid), "{from} to {to}");
    }
}

async fn a_page_is_of_a_span_of_days(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 0..10 {
        talk.say(&talk.owner, text(&number.to_string())).await;
        talk.wait_hours(12);
    }
    talk.say(&talk.owner, recall(4)).await;
    talk.say(&talk.owner, edit(3, "as it is now")).await;
    let span = of_days("2026-01-02", "2026-01-03");
    assert_eq!(talk.positions(&span).await, [3, 5, 6]);
    let newest_first = DiaryQuery {
        newest_first: true,
        ..span.clone()
    };
    assert_eq!(talk.positions(&newest_first).await, [6, 5, 3]);
    let items = talk.diary(&talk.owner, &span).await;
    let edited = items[0].state.edited.as_ref().unwrap();
    assert_eq!(edited.text, "as it is now");
    assert_eq!(
        talk.positions(&of_days("2027-01-01", "2027-01-02")).await,
        [0; 0]
    );
}

async fn a_clock_that_was_set_back_loses_nothing(db: TestDb) {
    let talk = Talk::open(db).await;
    let start_ms = talk.house.clock.now_ms();
    talk.say(&talk.owner, text("first")).await;
    talk.wait_hours(26);
    talk.say(&talk.owner, text("the day after")).await;
    talk.house.clock.set_wall_ms(start_ms + 3_600_000);
    talk.say(&talk.owner, text("the first day again")).await;
    assert_eq!(
        talk.positions(&of_days("2026-01-01", "2026-01-01")).await,
        [1, 3]
    );
    assert_eq!(
        talk.positions(&of_days("2026-01-02", "2026-01-02")).await,
        [2]
    );
    let counted = days(&[("2026-01-01", 2), ("2026-01-02", 1)]);
    assert_eq!(talk.days("2026-01-01", "2026-01-05", None).await, counted);
}

async fn the_same_day_of_every_year_is_found(db: TestDb) {
    let talk = Talk::open(db).await;
    let year_ms = 365 * 24 * 3_600_000_i64;
    let start_ms = talk.house.clock.now_ms();
    for year in 0..4 {
        for day in 0..3 {
            talk.house
                .clock
                .set_wall_ms(start_ms + year * year_ms + day * 86_400_000);
            talk.say(&talk.owner, text(&format!("{year} {day}"))).await;
        }
    }
    let on = |day: &str| DiaryQuery {
        day_of_year: Some(day.to_owned()),
        ..DiaryQuery::default()
    };
    // 2028 is a leap year, so that in 2029 the days are one off.
    assert_eq!(talk.positions(&on("01-02")).await, [2, 5, 8, 12]);
    let newest_first = DiaryQuery {
        newest_first: true,
        limit: Some(1),
        ..on("01-01")
    };
    assert_eq!(talk.positions(&newest_first).await, [11, 7, 4, 1]);
    assert_eq!(talk.positions(&on("02-29")).await, [0; 0]);
    for day in ["13-01", "1-2", "2026-01-01"] {
        let refused = talk
            .house
            .wharf
            .diaries()
            .page(&talk.owner.caller, talk.at(), on(day))
            .await;
        assert_eq!(code(refused), Some(ErrorCode::Invalid), "{day}");
    }
}

async fn tags_are_counted_and_followed(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in [
        "#Garden in spring",
        "no tag",
        "#garden and #work",
        "#旅行 abroad",
        "gone #work",
    ] {
        talk.say(&talk.owner, text(line)).await;
    }
    talk.say(&talk.owner, recall(5)).await;
    talk.say(&talk.owner, edit(2, "now a #garden")).await;
    let tags = talk
        .house
        .wharf
        .diaries()
        .tags(&talk.owner.caller, talk.at())
        .await
        .unwrap();
    let tags: Vec<(String, u32)> = tags
        .items
        .into_iter()
        .map(|tag| (tag.tag, tag.count))
        .collect();
    let expected = [("garden", 3), ("work", 1), ("旅行", 1)];
    assert_eq!(tags, expected.map(|(tag, count)| (tag.to_owned(), count)));
    let with = |tag: &str, limit, newest_first| DiaryQuery {
        tag: Some(tag.to_owned()),
        limit: Some(limit),
        newest_first,
        ..DiaryQuery::default()
    };
    assert_eq!(talk.positions(&with("GARDEN", 10, false)).await, [1, 2, 3]);
    assert_eq!(talk.positions(&with("garden", 1, false)).await, [1, 2, 3]);
    assert_eq!(talk.positions(&with("#garden", 1, true)).await, [3, 2, 1]);
    assert_eq!(talk.positions(&with("旅行", 10, false)).await, [4]);
    assert!(
        talk.positions(&with("gar\0den", 10, false))
            .await
            .is_empty()
    );
    assert_eq!(talk.positions(&with("nothing", 10, false)).await, [0; 0]);
}

async fn entries_are_found_by_where_they_came_from(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.say(&talk.owner, text("from here")).await;
    let phone = talk
        .house
        .log_in("root", crate::support::PASSWORD, "192.0.2.77")
        .await
        .unwrap();
    let origin = wharf_core::Origin::http("192.0.2.77".parse().unwrap());
    let token = &phone.logged_in.token;
    let caller = talk
        .house
        .wharf
        .accounts()
        .authenticate(token, origin)
        .await
        .unwrap();
    let phone = Visitor { caller, ..phone };
    for number in 1..=2 {
        talk.append(&phone, talk.room, device(7), number, text("from the phone"))
            .await
            .unwrap();
    }
    talk.say(&talk.editor, text("somebody else, from here"))
        .await;
    let origins = talk
        .house
        .wharf
        .diaries()
        .origins(&talk.owner.caller, talk.at())
        .await
        .unwrap();
    let counts: Vec<_> = origins
        .items
        .iter()
        .map(|origin| (origin.address.as_deref(), origin.count))
        .collect();
    assert_eq!(counts, [(Some("192.0.2.77"), 2), (Some("192.0.2.1"), 1)]);
    assert_eq!(origins.items[0].device.as_deref(), Some("phone"));
    let from = |origin: &str| DiaryQuery {
        origin: Some(origin.to_owned()),
        ..DiaryQuery::default()
    };
    assert_eq!(talk.positions(&from("192.0.2.77")).await, [2, 3]);
    assert_eq!(talk.positions(&from("Phone")).await, [2, 3]);
    assert_eq!(talk.positions(&from("http")).await, [1, 2, 3]);
    assert_eq!(talk.positions(&from("192.0.2.9")).await, [0; 0]);
}

async fn pages_go_through_everything_once_both_ways(db: TestDb) {
    let talk = Talk::open(db).await;
    for number in 1..=450_u64 {
        let draft = if number % 3 == 0 {
            edit(1, "again")
        } else {
            text("said")
        };
        talk.append(&talk.owner, talk.room, device(2), number, draft)
            .await
            .unwrap();
    }
    let said: Vec<u64> = (1..=450).filter(|number| number % 3 != 0).collect();
    for limit in [1, 199, 200, 1_000] {
        let mut query = DiaryQuery {
            limit: Some(limit),
            ..DiaryQuery::default()
        };
        if limit > 1 {
            assert_eq!(talk.positions(&query).await, said, "in pages of {limit}");
        }
        query.newest_first = true;
        query.after = Some(60);
        let mut before: Vec<u64> = said
            .iter()
            .copied()
            .filter(|position| *position < 60)
            .collect();
        before.reverse();
        assert_eq!(
            talk.positions(&query).await,
            before,
            "back in pages of {limit}"
        );
    }
}

async fn a_journal_is_written_out_in_parts(db: TestDb) {
    let talk = Talk::open(db).await;
    for line in ["woke up", "a *walk*", "slept", "next year"] {
        talk.say(&talk.owner, text(line)).await;
        talk.wait_hours(10);
    }
    talk.say(&talk.editor, text("a guest")).await;
    let query = DiaryQuery {
        zone: Some("+01:00".to_owned()),
        ..DiaryQuery::default()
    };
    let document = "# 2026-01-01, Thursday\n\n**01:00**\n\nwoke up\n\n**11:00**\n\na *walk*\n\n**21:00**\n\nslept\n\n\
        # 2026-01-02, Friday\n\n**07:00**\n\nnext year\n\n**17:00** editor\n\na guest\n\n";
    for limit in [1, 2, 3, 100] {
        let query = DiaryQuery {
            limit: Some(limit),
            ..query.clone()
        };
        assert_eq!(
            talk.whole(&query, DiaryFormat::Markdown).await,
            document,
            "in parts of {limit}"
        );
    }
    let lines = talk.whole(&query, DiaryFormat::JsonLines).await;
    let entries: Vec<Entry> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries, talk.diary(&talk.owner, &query).await);
    assert_eq!(entries.len(), 5);
}

async fn a_journal_is_for_members_and_from_their_floor_on(db: TestDb) {
    let talk = Talk::open(db).await;
    for _ in 0..4 {
        talk.say(&talk.owner, text("#day")).await;
    }
    let diaries = talk.house.wharf.diaries();
    let everything = DiaryQuery::default();
    let refused = diaries
        .page(&talk.stranger.caller, talk.at(), everything.clone())
        .await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    let refused = diaries.tags(&talk.stranger.caller, talk.at()).await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    let refused = diaries.origins(&talk.stranger.caller, talk.at()).await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    let format = DiaryFormat::Markdown;
    let refused = diaries
        .export(&talk.stranger.caller, talk.at(), everything.clone(), format)
        .await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    talk.admit(talk.stranger.id(), "reader", 3).await;
    let items = talk.diary(&talk.stranger, &everything).await;
    assert_eq!(
        items.iter().map(|entry| entry.position).collect::<Vec<_>>(),
        [4]
    );
    let tags = diaries
        .tags(&talk.stranger.caller, talk.at())
        .await
        .unwrap();
    assert_eq!(tags.items[0].count, 1);
    let tagged = DiaryQuery {
        tag: Some("day".to_owned()),
        ..everything
    };
    assert_eq!(talk.diary(&talk.stranger, &tagged).await.len(), 1);
}
