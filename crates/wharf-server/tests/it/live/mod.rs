//! The live socket over real connections.

mod crowd;
mod door;
mod neighbours;
mod show;
mod talk;

use serde_json::json;
use wharf_testkit::server::{Http, Live, TestServer};
use wharf_types::api::account::LoggedIn;
use wharf_types::api::live::{ClientFrame, Hello, Sending, ServerFrame, VERSION};
use wharf_types::api::log::{Body, Draft, Entry, Text};
use wharf_types::api::room::Room;
use wharf_types::{DeviceId, RoomId};

/// An id of a device.
fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number; 16])
}

/// A device that has nothing.
fn hello(number: u8) -> Hello {
    Hello {
        version: VERSION,
        device: Some(device(number)),
        entries: true,
        ..Hello::default()
    }
}

fn text(text: &str) -> Draft {
    Draft::Text(Text {
        text: text.to_owned(),
        ..Text::default()
    })
}

fn send(number: u64, room: RoomId, what: &str) -> ClientFrame {
    ClientFrame::Send(Sending {
        number,
        room,
        draft: text(what),
        client_ms: None,
    })
}

/// What an entry says, where it is a text.
fn said(entry: &Entry) -> Option<&str> {
    match &entry.body {
        Some(Body::Text(text)) => Some(&text.text),
        _ => None,
    }
}

/// A connection that has said hello, and what it was told.
async fn come(server: &TestServer, login: &LoggedIn, number: u8) -> (Live, Vec<ServerFrame>) {
    let mut live = server.live(&login.token).await;
    let told = live.hello(hello(number)).await;
    (live, told)
}

/// The next entry of a room.
async fn next_entry(live: &mut Live, of: RoomId) -> Entry {
    live.until(|frame| match frame {
        ServerFrame::Entry { room, entry } if room == of => Some(*entry),
        _ => None,
    })
    .await
}

/// A session of somebody, and a client of it.
type Somebody = (LoggedIn, Http);

/// A group of these people; the first one makes it.
async fn group(members: &[Somebody]) -> RoomId {
    let (_, owner) = &members[0];
    let room = owner.post("/api/v1/rooms", &json!({"name": "Team"})).await;
    let room: Room = serde_json::from_value(room.expect(200).json()).unwrap();
    let links = format!("/api/v1/rooms/{}/links", room.id);
    let link = owner.post(&links, &json!({})).await.expect(201).json();
    for (_, member) in &members[1..] {
        let code = json!({"code": link["code"]});
        member.post("/api/v1/join", &code).await.expect(200);
    }
    room.id
}
