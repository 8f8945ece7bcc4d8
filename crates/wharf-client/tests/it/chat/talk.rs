//! What two people and their devices see of a conversation.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use wharf_client::Chat;
use wharf_client::chat::{Connection, Event, Events, WaitingState, Window};
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::proxy::{After, Proxy};
use wharf_testkit::server::TestServer;
use wharf_types::api::contact::Status;
use wharf_types::api::log::{Body, Draft, Mentions, Recall};
use wharf_types::{ErrorCode, RoomId};

use super::{PATIENCE, Pair, chat, live, says, sent, texts, until};

both_engines!(
    what_is_said_changed_and_read_reaches_the_other_side,
    what_is_written_offline_is_sent_once_when_the_server_is_back,
    two_processes_on_one_store_send_once_and_both_see_it,
    each_of_two_processes_on_one_store_is_told_of_every_message,
    a_file_is_handed_over_once,
    who_is_there_and_types_is_shown,
    a_copy_of_a_profile_loses_nothing_and_doubles_nothing,
);

async fn what_is_said_changed_and_read_reaches_the_other_side(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let ada = chat(server.address(), &pair.ada.token, &temp.path().join("ada"));
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    let room = pair.room;
    live(&ada, room).await;
    live(&bob, room).await;
    assert_eq!(
        ada.room(room).unwrap().unwrap().title,
        pair.bob.account.nickname
    );
    let first = sent(&ada, ada.say(room, "hello").unwrap()).await;
    ada.say(room, "how are you?").unwrap();
    says(&bob, room, &["hello", "how are you?"]).await;
    let view = bob.room(room).unwrap().unwrap();
    assert_eq!((view.room.unread, view.room.mentions), (2, 0));
    assert_eq!(ada.room(room).unwrap().unwrap().room.unread, 0);

    let mentions = Mentions {
        accounts: vec![pair.bob.account.id],
        everybody: false,
    };
    ada.edit(room, first, "hello Bob", mentions).unwrap();
    ada.pin(room, first, true).unwrap();
    bob.react(room, first, "👋", true).unwrap();
    says(&bob, room, &["hello Bob", "how are you?"]).await;
    until(&ada, |ada| {
        let entry = ada.entry(room, first).unwrap()?;
        (entry.state.reactions.len() == 1 && entry.state.pinned.is_some()).then_some(())
    })
    .await;
    until(&bob, |bob| {
        let view = bob.room(room).unwrap().unwrap();
        ((view.room.unread, view.room.mentions) == (2, 1)).then_some(())
    })
    .await;

    bob.mark_read(room, view.room.head).unwrap();
    assert_eq!(bob.room(room).unwrap().unwrap().room.unread, 0);
    until(&ada, |ada| {
        let cursors = ada.cursors(room).unwrap();
        let read = cursors
            .iter()
            .find(|cursor| cursor.account == pair.bob.account.id)?;
        (read.read >= view.room.head).then_some(())
    })
    .await;

    refuse_and_recall(&ada, &bob, room, first).await;
    ada.close().await;
    bob.close().await;
}

/// What the server refuses is kept and said; what is taken back is gone on the other side.
async fn refuse_and_recall(ada: &Chat, bob: &Chat, room: RoomId, first: u64) {
    let refused = bob
        .send(room, &Draft::Recall(Recall { target: first }))
        .unwrap();
    let state = bob.settle(refused).await.unwrap().state;
    assert!(
        matches!(
            &state,
            WaitingState::Refused {
                code: ErrorCode::Denied,
                ..
            }
        ),
        "{state:?}"
    );
    bob.discard(refused).unwrap();
    ada.recall(room, first).unwrap();
    until(bob, |bob| {
        let entry = bob.entry(room, first).unwrap()?;
        (entry.state.recalled.is_some() && entry.body.is_none()).then_some(())
    })
    .await;
}

async fn what_is_written_offline_is_sent_once_when_the_server_is_back(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let (path, room) = (temp.path().join("ada"), pair.room);
    let proxy = Proxy::start(server.address()).await;
    let ada = chat(proxy.address(), &pair.ada.token, &path);
    live(&ada, room).await;
    proxy.cut_now(After::Refuse);
    until(&ada, |ada| {
        (ada.connection() == Connection::Offline).then_some(())
    })
    .await;
    let ids: Vec<_> = (0..5)
        .map(|n| ada.say(room, format!("line {n}")).unwrap())
        .collect();
    ada.discard(ids[2]).unwrap();
    let timeline = ada.timeline(room, Window::Last, 10).unwrap();
    assert_eq!(timeline.waiting.len(), 4);
    assert_eq!(ada.waiting_count().unwrap(), 4);
    // The machine is switched off and on.
    ada.close().await;
    let ada = chat(proxy.address(), &pair.ada.token, &path);
    assert_eq!(
        ada.timeline(room, Window::Last, 10).unwrap().waiting.len(),
        4
    );
    proxy.heal();
    says(&ada, room, &["line 0", "line 1", "line 3", "line 4"]).await;
    until(&ada, |ada| {
        (ada.waiting_count().unwrap() == 0).then_some(())
    })
    .await;
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    says(&bob, room, &["line 0", "line 1", "line 3", "line 4"]).await;
    assert_eq!(bob.room(room).unwrap().unwrap().room.unread, 4);
}

async fn two_processes_on_one_store_send_once_and_both_see_it(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let (path, room) = (temp.path().join("ada"), pair.room);
    let one = chat(server.address(), &pair.ada.token, &path);
    let two = chat(server.address(), &pair.ada.token, &path);
    live(&one, room).await;
    live(&two, room).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let chat = [&one, &two][n % 2];
        ids.push(chat.say(room, format!("line {n}")).unwrap());
    }
    for id in ids {
        sent(&two, id).await;
    }
    let expected: Vec<_> = (0..20).map(|n| format!("line {n}")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    says(&one, room, &expected).await;
    says(&two, room, &expected).await;
    assert_eq!(
        texts(&one.timeline(room, Window::Last, 100).unwrap()).len(),
        20
    );
}

async fn each_of_two_processes_on_one_store_is_told_of_every_message(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let (path, room) = (temp.path().join("ada"), pair.room);
    let one = chat(server.address(), &pair.ada.token, &path);
    let two = chat(server.address(), &pair.ada.token, &path);
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    for chat in [&one, &two, &bob] {
        live(chat, room).await;
    }
    let mut screens = [Screen::of(&one, room), Screen::of(&two, room)];
    for n in 0..30 {
        let line = format!("line {n}");
        bob.say(room, &line).unwrap();
        for screen in &mut screens {
            screen.shows(&line).await;
        }
    }
}

/// What somebody sees who looks at a room when, and only when, its timeline is said to have changed.
struct Screen {
    chat: Chat,
    room: RoomId,
    events: Events,
    last: Option<String>,
}

impl Screen {
    fn of(chat: &Chat, room: RoomId) -> Self {
        Self {
            chat: chat.clone(),
            room,
            events: chat.subscribe(),
            last: None,
        }
    }

    async fn shows(&mut self, line: &str) {
        let shown = tokio::time::timeout(PATIENCE, async {
            while self.last.as_deref() != Some(line) {
                match self.events.next().await.unwrap() {
                    Event::Timeline(room) if room == self.room => {}
                    Event::Reload => {}
                    _ => continue,
                }
                let timeline = self.chat.timeline(self.room, Window::Last, 1).unwrap();
                self.last = texts(&timeline).first().map(|text| (*text).to_owned());
            }
        });
        assert!(shown.await.is_ok(), "nothing told of '{line}'");
    }
}

/// What Linux says about the machine has fewer bytes than the size that is told of it, so it seems to change for ever.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_keeps_changing_holds_up_no_other() {
    let server = TestServer::on(Engine::Sqlite).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let room = pair.room;
    let ada = chat(server.address(), &pair.ada.token, &temp.path().join("ada"));
    live(&ada, room).await;
    let online = Path::new("/sys/devices/system/cpu/online");
    let changing = ada.hand_over(room, online, "", None).unwrap();
    let source = temp.path().join("notes.txt");
    std::fs::write(&source, "what was decided").unwrap();
    sent(&ada, ada.hand_over(room, &source, "", None).unwrap()).await;
    let item = ada.waiting(changing).unwrap().unwrap();
    assert_eq!(item.state, WaitingState::Waiting);
    ada.discard(changing).unwrap();
    ada.close().await;
}

async fn a_file_is_handed_over_once(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let room = pair.room;
    let source = temp.path().join("notes.txt");
    std::fs::write(&source, "what was decided").unwrap();
    let ada = chat(server.address(), &pair.ada.token, &temp.path().join("ada"));
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    live(&ada, room).await;
    live(&bob, room).await;
    sent(
        &ada,
        ada.hand_over(room, &source, "read this", None).unwrap(),
    )
    .await;
    // Another file of the same name is another file.
    std::fs::write(&source, "what was decided since").unwrap();
    sent(&ada, ada.hand_over(room, &source, "", None).unwrap()).await;
    let files = until(&bob, |bob| {
        let files = bob.files(room, None, 10).unwrap();
        (files.len() == 2).then_some(files)
    })
    .await;
    let names: Vec<_> = files
        .iter()
        .filter_map(|entry| match &entry.body {
            Some(Body::File(file)) => Some((file.name.as_str(), file.bytes)),
            _ => None,
        })
        .collect();
    assert_eq!(names, [("notes (2).txt", 22), ("notes.txt", 16)]);
    let missing = ada.hand_over(room, &temp.path().join("missing"), "", None);
    assert!(missing.is_err());
}

async fn who_is_there_and_types_is_shown(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let room = pair.room;
    let ada = chat(server.address(), &pair.ada.token, &temp.path().join("ada"));
    live(&ada, room).await;
    ada.watch([pair.bob.account.id]);
    let is = |status: Status| {
        let bob = pair.bob.account.id;
        move |ada: &Chat| (ada.presence(bob)?.status == status).then_some(())
    };
    until(&ada, is(Status::Offline)).await;
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    until(&ada, is(Status::Online)).await;
    bob.set_status(Status::Busy);
    until(&ada, is(Status::Busy)).await;
    let mut events = ada.subscribe();
    live(&bob, room).await;
    bob.set_typing(room, true);
    until(&ada, |ada| {
        (ada.typing(room) == [pair.bob.account.id]).then_some(())
    })
    .await;
    bob.set_typing(room, false);
    until(&ada, |ada| ada.typing(room).is_empty().then_some(())).await;
    bob.say(room, "done").unwrap();
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        while let Some(event) = events.next().await {
            if let Event::Said { entry, .. } = event {
                return entry.account;
            }
        }
        None
    });
    assert_eq!(told.await.unwrap(), Some(pair.bob.account.id));
    bob.close().await;
    until(&ada, is(Status::Offline)).await;
}

async fn a_copy_of_a_profile_loses_nothing_and_doubles_nothing(db: TestDb) {
    let server = TestServer::start(db).await;
    let pair = Pair::new(&server, "").await;
    let temp = TempDir::new().unwrap();
    let (path, room) = (temp.path().join("ada"), pair.room);
    let proxy = Proxy::start(server.address()).await;
    let ada = chat(proxy.address(), &pair.ada.token, &path);
    live(&ada, room).await;
    sent(&ada, ada.say(room, "before").unwrap()).await;
    proxy.cut_now(After::Refuse);
    ada.say(room, "shared").unwrap();
    ada.close().await;
    let copy = temp.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    let ada = chat(proxy.address(), &pair.ada.token, &path);
    let copied = chat(proxy.address(), &pair.ada.token, &copy);
    ada.say(room, "same words").unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    copied.say(room, "same words").unwrap();
    copied.say(room, "after").unwrap();
    proxy.heal();
    for chat in [&ada, &copied] {
        until(chat, |chat| {
            (chat.waiting_count().unwrap() == 0).then_some(())
        })
        .await;
    }
    let bob = chat(server.address(), &pair.bob.token, &temp.path().join("bob"));
    let mut said = until(&bob, |bob| {
        let timeline = bob.timeline(room, Window::Last, 100).unwrap();
        let said: Vec<_> = texts(&timeline).into_iter().map(str::to_owned).collect();
        (said.len() >= 5).then_some(said)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        texts(&bob.timeline(room, Window::Last, 100).unwrap()).len(),
        5
    );
    said.sort();
    assert_eq!(
        said,
        ["after", "before", "same words", "same words", "shared"]
    );
}
