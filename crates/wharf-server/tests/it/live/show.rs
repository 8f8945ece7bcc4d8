//! Presence, typing and cursors: what is shown and by whom.

use std::time::Duration;

use http::Method;
use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Live, TestServer};
use wharf_types::AccountId;
use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::live::{ClientFrame, Reached, ServerFrame, Typing};

use super::{Somebody, come, group, next_entry, send};
use crate::wait::PATIENCE;

both_engines!(
    contacts_see_each_other_come_and_go,
    who_is_blocked_or_a_stranger_sees_nobody,
    who_types_is_told_to_the_others,
    who_has_read_is_told_to_the_room,
    a_drive_that_changes_is_told_to_the_room,
);

/// Makes two people contacts.
async fn befriend(one: &Somebody, other: &Somebody) {
    let who = json!({"who": other.0.account.username});
    one.1.post("/api/v1/contacts", &who).await.expect(200);
    let accept = format!("/api/v1/contacts/{}/accept", one.0.account.id);
    other.1.post(&accept, &json!({})).await.expect(200);
}

async fn next_presence(live: &mut Live) -> Vec<Presence> {
    live.until(|frame| match frame {
        ServerFrame::Presence { items } => Some(items),
        _ => None,
    })
    .await
}

async fn watch(live: &mut Live, accounts: &[AccountId]) -> Vec<Presence> {
    live.send(&ClientFrame::Watch {
        accounts: accounts.to_vec(),
    })
    .await;
    next_presence(live).await
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn contacts_see_each_other_come_and_go(db: TestDb) {
    let server = TestServer::start(db).await;
    let lin = server.member("lin").await;
    let mei = server.member("mei").await;
    befriend(&lin, &mei).await;
    let mei_id = mei.0.account.id;
    let (mut live, _) = come(&server, &lin.0, 1).await;
    let seen = watch(&mut live, &[mei_id]).await;
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].status, seen[0].seen_ms), (Status::Offline, None));

    let (mut mei_live, _) = come(&server, &mei.0, 2).await;
    let seen = next_presence(&mut live).await;
    assert_eq!((seen[0].account, seen[0].status), (mei_id, Status::Online));

    let busy = ClientFrame::Status {
        status: Status::Busy,
    };
    mei_live.send(&busy).await;
    assert_eq!(next_presence(&mut live).await[0].status, Status::Busy);

    let invisible = ClientFrame::Status {
        status: Status::Invisible,
    };
    mei_live.send(&invisible).await;
    let seen = next_presence(&mut live).await;
    assert_eq!(seen[0].status, Status::Offline);
    assert!(seen[0].seen_ms.is_some());
    let own = watch(&mut mei_live, &[mei_id]).await;
    assert_eq!(
        own[0].status,
        Status::Invisible,
        "an account sees itself as it is"
    );

    let online = ClientFrame::Status {
        status: Status::Online,
    };
    mei_live.send(&online).await;
    assert_eq!(next_presence(&mut live).await[0].status, Status::Online);
    drop(mei_live);
    let seen = next_presence(&mut live).await;
    assert_eq!(seen[0].status, Status::Offline);
    let seen_ms = seen[0].seen_ms.unwrap();

    // It is recorded, too.
    let (mut again, _) = come(&server, &lin.0, 3).await;
    let recorded = tokio::time::timeout(PATIENCE, async {
        loop {
            let seen = watch(&mut again, &[mei_id]).await;
            if seen[0]
                .seen_ms
                .is_some_and(|recorded| recorded >= seen_ms - 2_000)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    recorded.await.unwrap();
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn who_is_blocked_or_a_stranger_sees_nobody(db: TestDb) {
    let server = TestServer::start(db).await;
    let lin = server.member("lin").await;
    let mei = server.member("mei").await;
    let stranger = server.member("tao").await;
    befriend(&lin, &mei).await;
    let mei_id = mei.0.account.id;
    let (_mei_live, _) = come(&server, &mei.0, 1).await;
    let (mut strange, _) = come(&server, &stranger.0, 2).await;
    assert!(watch(&mut strange, &[mei_id]).await.is_empty());
    let (mut live, _) = come(&server, &lin.0, 3).await;
    assert_eq!(watch(&mut live, &[mei_id]).await[0].status, Status::Online);

    // A block takes away what was seen before, without a word of why.
    let contact = format!("/api/v1/contacts/{}", lin.0.account.id);
    let block = json!({"is_blocked": true});
    mei.1
        .json(Method::PATCH, &contact, &block)
        .await
        .expect(200);
    let seen = next_presence(&mut live).await;
    assert_eq!(
        seen,
        [Presence {
            account: mei_id,
            status: Status::Offline,
            seen_ms: None
        }]
    );
    assert!(watch(&mut live, &[mei_id]).await.is_empty());

    // A common group is enough to be seen, for who is not blocked.
    let people = [mei, stranger];
    group(&people).await;
    assert_eq!(
        watch(&mut strange, &[mei_id]).await[0].status,
        Status::Online
    );
}

async fn who_types_is_told_to_the_others(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [
        server.member("lin").await,
        server.member("mei").await,
        server.member("tao").await,
    ];
    let room = group(&people).await;
    let stranger = server.member("eve").await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let (mut mei, _) = come(&server, &people[1].0, 2).await;
    let (mut eve, _) = come(&server, &stranger.0, 3).await;
    let say = |stopped| {
        ClientFrame::Typing(Typing {
            room,
            account: None,
            stopped,
        })
    };
    // Strangers are not heard, and what comes too often is told once.
    eve.send(&say(false)).await;
    for stopped in [false, false, true, true] {
        lin.send(&say(stopped)).await;
    }
    lin.send(&send(1, room, "done")).await;
    let mut told = Vec::new();
    let entry = loop {
        match mei.next().await {
            ServerFrame::Typing(typing) => {
                assert_eq!(typing.account, Some(people[0].0.account.id));
                told.push(typing.stopped);
            }
            ServerFrame::Entry { entry, .. } => break entry,
            _ => {}
        }
    };
    assert_eq!(told, [false, true]);
    let own = lin
        .until(|frame| match frame {
            ServerFrame::Typing(typing) => panic!("told of itself: {typing:?}"),
            ServerFrame::Entry { entry, .. } => Some(entry.position),
            _ => None,
        })
        .await;
    assert_eq!(own, entry.position);
}

async fn who_has_read_is_told_to_the_room(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let (mut mei, _) = come(&server, &people[1].0, 2).await;
    lin.send(&send(1, room, "read this")).await;
    let position = next_entry(&mut mei, room).await.position;
    mei.send(&ClientFrame::Delivered(Reached { room, position }))
        .await;
    mei.send(&ClientFrame::Read(Reached { room, position }))
        .await;
    let (mut read, mut delivered) = (None, None);
    while read.is_none() || delivered.is_none() {
        let found = lin
            .until(|frame| match frame {
                ServerFrame::Cursor {
                    account,
                    read,
                    delivered,
                    ..
                } if account == people[1].0.account.id => Some((read, delivered)),
                _ => None,
            })
            .await;
        read = read.or(found.0);
        delivered = delivered.or(found.1);
    }
    assert_eq!((read, delivered), (Some(position), Some(position)));
}

async fn a_drive_that_changes_is_told_to_the_room(db: TestDb) {
    let server = TestServer::start(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let (mut mei, _) = come(&server, &people[1].0, 2).await;
    let commit =
        json!({"id": uuid::Uuid::now_v7(), "ops": [{"op": "make_folder", "path": "papers"}]});
    let commits = format!("/api/v1/rooms/{room}/commit");
    let reply = people[0].1.post(&commits, &commit).await;
    assert!(reply.status.is_success(), "{reply:?}");
    let head = mei
        .until(|frame| match frame {
            ServerFrame::Drive { room: of, head } if of == room => Some(head),
            _ => None,
        })
        .await;
    assert_eq!(head, 1);
}
