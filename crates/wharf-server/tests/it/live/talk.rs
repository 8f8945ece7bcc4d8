//! Saying and being told.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::TestServer;
use wharf_types::ErrorCode;
use wharf_types::api::live::{ClientFrame, Fetch, KnownHead, ServerFrame};
use wharf_types::api::room::AccountItem;

use super::{come, group, hello, next_entry, said, send};

both_engines!(
    what_is_said_is_acknowledged_and_then_told_to_everybody_in_order,
    what_was_missed_is_told_by_position_and_fetched,
    who_joins_is_told_from_then_on_and_who_is_removed_no_more,
    a_device_whose_log_is_not_the_server_s_is_told,
);

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn what_is_said_is_acknowledged_and_then_told_to_everybody_in_order(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let (mut mei, _) = come(&server, &people[1].0, 2).await;
    for number in 1..=50 {
        lin.send(&send(number, room, &format!("line {number}")))
            .await;
    }
    let mut acknowledged = Vec::new();
    let mut told = Vec::new();
    while told.len() < 50 {
        match lin.next().await {
            ServerFrame::Ack {
                number, position, ..
            } => {
                assert!(
                    !told.contains(&position),
                    "an acknowledgement comes before its entry"
                );
                acknowledged.push((number, position));
            }
            ServerFrame::Entry { entry, .. } => {
                assert!(
                    acknowledged
                        .iter()
                        .any(|(_, position)| *position == entry.position)
                );
                told.push(entry.position);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(acknowledged.iter().map(|(number, _)| *number).eq(1..=50));
    for (number, position) in acknowledged {
        let entry = next_entry(&mut mei, room).await;
        assert_eq!(entry.position, position);
        assert_eq!(said(&entry), Some(format!("line {number}").as_str()));
        assert_eq!(entry.origin.address, None);
    }
    lin.send(&send(52, room, "too far")).await;
    let code = lin
        .until(|frame| match frame {
            ServerFrame::Nack {
                number: 52,
                refused,
            } => Some(refused.code),
            _ => None,
        })
        .await;
    assert_eq!(code, ErrorCode::Stale);
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn what_was_missed_is_told_by_position_and_fetched(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let (mei, told) = come(&server, &people[1].0, 2).await;
    let (version, head) = told
        .iter()
        .find_map(|frame| match frame {
            ServerFrame::Account { version, items } => items.iter().find_map(|item| match item {
                AccountItem::Room(found) if found.id == room => {
                    let known = KnownHead {
                        position: found.head,
                        hash: found.head_hash,
                    };
                    Some((*version, known))
                }
                _ => None,
            }),
            _ => None,
        })
        .unwrap();
    let ServerFrame::Welcome(welcome) = told[0].clone() else {
        panic!("{told:?}");
    };
    drop(mei);
    for number in 1..=5 {
        lin.send(&send(number, room, &format!("line {number}")))
            .await;
        next_entry(&mut lin, room).await;
    }
    let mut mei = server.live(&people[1].0.token).await;
    let mut back = hello(2);
    back.epoch = Some(welcome.epoch);
    back.account_version = version;
    back.rooms.insert(room, head);
    let told = mei.hello(back).await;
    let changed: Vec<_> = told
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::Rooms { items, diverged } => {
                assert!(diverged.is_empty());
                Some(items)
            }
            ServerFrame::Account { items, .. } => panic!("nothing changed there: {items:?}"),
            _ => None,
        })
        .flatten()
        .collect();
    let changed = changed.iter().find(|found| found.id == room).unwrap();
    assert_eq!((changed.head, changed.unread), (head.position + 5, 5));
    mei.send(&ClientFrame::Fetch(Fetch {
        id: 9,
        room,
        after: Some(head.position),
        before: None,
        limit: None,
    }))
    .await;
    let page = mei
        .until(|frame| match frame {
            ServerFrame::Page { id: 9, page, .. } => Some(page),
            _ => None,
        })
        .await;
    assert!(
        page.items
            .iter()
            .map(|entry| entry.position)
            .eq(head.position + 1..=changed.head)
    );
    lin.send(&send(6, room, "live again")).await;
    assert_eq!(next_entry(&mut mei, room).await.position, changed.head + 1);
}

async fn who_joins_is_told_from_then_on_and_who_is_removed_no_more(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let (mut mei, _) = come(&server, &people[1].0, 2).await;
    let room = group(&people).await;
    let head = mei
        .until(|frame| match frame {
            ServerFrame::Account { items, .. } => items.into_iter().find_map(|item| match item {
                AccountItem::Room(found) if found.id == room => Some(found.head),
                _ => None,
            }),
            _ => None,
        })
        .await;
    lin.send(&send(1, room, "welcome")).await;
    let entry = next_entry(&mut mei, room).await;
    assert_eq!(entry.position, head + 1);
    let member = format!("/api/v1/rooms/{room}/members/{}", people[1].0.account.id);
    people[0]
        .1
        .send(http::Method::DELETE, &member, &[], "")
        .await
        .expect(204);
    lin.send(&send(2, room, "among us")).await;
    lin.until(|frame| matches!(frame, ServerFrame::Ack { number: 2, .. }).then_some(()))
        .await;
    let after = mei
        .until(|frame| match frame {
            ServerFrame::Account { items, .. } => Some(items),
            ServerFrame::Entry { entry, .. } => panic!("told {entry:?}"),
            _ => None,
        })
        .await;
    assert_eq!(after, [AccountItem::RoomGone { room }]);
    mei.send(&ClientFrame::Ping { number: 1 }).await;
    mei.until(|frame| match frame {
        ServerFrame::Pong { .. } => Some(()),
        ServerFrame::Entry { entry, .. } => panic!("told {entry:?}"),
        _ => None,
    })
    .await;
}

async fn a_device_whose_log_is_not_the_server_s_is_told(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await];
    let room = group(&people).await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    lin.send(&send(1, room, "one")).await;
    let entry = next_entry(&mut lin, room).await;
    let home = people[0].0.account.home;
    for (position, wrong, is_diverged) in [
        (entry.position, false, false),
        (entry.position, true, true),
        (entry.position + 1, false, true),
        (0, true, false),
    ] {
        let hash = if wrong {
            wharf_types::EntryHash::from_bytes([9; 32])
        } else {
            entry.hash
        };
        let mut back = hello(1);
        back.rooms.insert(room, KnownHead { position, hash });
        let mut live = server.live(&people[0].0.token).await;
        let told = live.hello(back).await;
        let diverged: Vec<_> = told
            .into_iter()
            .filter_map(|frame| match frame {
                ServerFrame::Rooms { diverged, .. } => Some(diverged),
                _ => None,
            })
            .flatten()
            .collect();
        assert_eq!(diverged.contains(&room), is_diverged, "{position} {wrong}");
        assert!(!diverged.contains(&home));
    }
}
