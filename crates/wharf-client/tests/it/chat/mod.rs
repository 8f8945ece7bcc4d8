//! Conversations over real sockets, against a real server.

mod cut;
mod talk;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use wharf_client::chat::{ChatOptions, Timeline, WaitingState, Window};
use wharf_client::net::Options;
use wharf_client::{Api, Chat, Clock};
use wharf_testkit::server::TestServer;
use wharf_types::RoomId;
use wharf_types::api::account::LoggedIn;
use wharf_types::api::contact::AskContact;
use wharf_types::api::log::Entry;
use wharf_types::fold::text_of;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Two people who are contacts, and their room.
pub(crate) struct Pair {
    pub(crate) ada: LoggedIn,
    pub(crate) bob: LoggedIn,
    pub(crate) room: RoomId,
}

impl Pair {
    pub(crate) async fn new(server: &TestServer, name: &str) -> Self {
        let (ada, _) = server.member(&format!("ada{name}")).await;
        let (bob, _) = server.member(&format!("bob{name}")).await;
        let ask = AskContact {
            who: bob.account.username.clone(),
            word: String::new(),
        };
        let [a, b] = [&ada, &bob].map(|who| api(server.address(), &who.token));
        a.ask_contact(&ask).await.unwrap();
        let contact = b.accept_contact(ada.account.id).await.unwrap();
        Self {
            room: contact.room.unwrap(),
            ada,
            bob,
        }
    }
}

pub(crate) fn api(server: SocketAddr, token: &str) -> Api {
    let mut options = Options::new(format!("http://{server}").parse().unwrap());
    options.connections = 1;
    Api::lazily(options).unwrap().with_token(token).unwrap()
}

pub(crate) fn chat(server: SocketAddr, token: &str, store: &Path) -> Chat {
    let options = ChatOptions {
        api: api(server, token),
        store: store.to_owned(),
        clock: Clock::system(),
    };
    Chat::open(options).unwrap()
}

/// Waits until something holds of a chat.
pub(crate) async fn until<T>(chat: &Chat, what: impl Fn(&Chat) -> Option<T>) -> T {
    let mut events = chat.subscribe();
    let waiting = async {
        loop {
            if let Some(found) = what(chat) {
                return found;
            }
            // Another process may be what is waited for.
            drop(tokio::time::timeout(Duration::from_millis(100), events.next()).await);
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap()
}

/// Waits until the room is known and everything is live.
pub(crate) async fn live(chat: &Chat, room: RoomId) {
    until(chat, |chat| {
        let is_live = chat.connection() == wharf_client::chat::Connection::Live;
        (is_live && chat.room(room).unwrap().is_some()).then_some(())
    })
    .await;
}

pub(crate) fn texts(timeline: &Timeline) -> Vec<&str> {
    timeline
        .items
        .iter()
        .filter_map(|item| text_of(&item.entry))
        .collect()
}

pub(crate) fn entries(timeline: Timeline) -> Vec<Entry> {
    timeline.items.into_iter().map(|item| item.entry).collect()
}

/// Waits until the end of a timeline says these.
pub(crate) async fn says(chat: &Chat, room: RoomId, expected: &[&str]) {
    until(chat, |chat| {
        let timeline = chat.timeline(room, Window::Last, expected.len()).unwrap();
        (texts(&timeline) == expected).then_some(())
    })
    .await;
}

/// Waits until the server has answered an item; returns its position.
pub(crate) async fn sent(chat: &Chat, id: i64) -> u64 {
    let answered = tokio::time::timeout(PATIENCE, chat.settle(id)).await;
    let state = answered.unwrap().unwrap().state;
    let position = match state {
        WaitingState::Sent { position } => Some(position),
        WaitingState::Waiting | WaitingState::Refused { .. } => None,
    };
    assert!(position.is_some(), "{state:?}");
    position.unwrap()
}
