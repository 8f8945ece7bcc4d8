//! UNIX sockets: of streams and of packets, in a folder that is locked.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType, recv, send, socket,
};
use serde_json::{Value, json};
use wharf_server::gateway::FilestoredConfig;
use wharf_server::{BindError, Server};
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::gateway::filestored::Filestored;
use wharf_testkit::server::{Setup, TestServer};
use wharf_wire::gateway::filestored::{Frame, Generation};

use super::{read, token};

fn setup(run_dir: &Path) -> Setup {
    let mut setup = super::setup();
    setup.server.gateways.filestored_own = FilestoredConfig {
        run_dir: Some(run_dir.to_owned()),
        ..FilestoredConfig::default()
    };
    setup
}

async fn started(run_dir: &Path) -> TestServer {
    TestServer::start_with(TestDb::open(Engine::Sqlite), setup(run_dir)).await
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A client of packets, as the ones of 2019 are: each message is one packet.
struct Packets(OwnedFd);

impl Packets {
    fn connect(path: &Path) -> Self {
        let fd = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        rustix::net::connect(&fd, &SocketAddrUnix::new(path).unwrap()).unwrap();
        Self(fd)
    }

    fn ask(&self, user_type: u8, body: &Value) -> (u8, Value) {
        let frame = Frame::data(user_type, body.to_string().into_bytes());
        send(&self.0, &frame.encode(Generation::Old), SendFlags::empty()).unwrap();
        let mut packet = vec![0; 100_000];
        let (length, _) = recv(&self.0, &mut packet[..], RecvFlags::empty()).unwrap();
        let payload = u32::from_be_bytes(packet[1..5].try_into().unwrap());
        assert_eq!(
            (packet[0], payload as usize + 6),
            (2, length),
            "one packet is one frame"
        );
        (
            packet[5],
            serde_json::from_slice(&packet[6..length]).unwrap(),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_sockets_are_served_in_both_frames() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let http = server.http();
    let (token, _) = token(&http).await;
    let stream = folder.path().join("filestorage");
    let packet = folder.path().join("filestorage-0-0");
    assert_eq!((mode(&stream), mode(&packet)), (0o660, 0o660));
    for (name, generation) in [("old", Generation::Old), ("new", Generation::New)] {
        let mut client = Filestored::unix(&stream, generation).await;
        client.login(&token).await;
        client.put(name, &[7; 2_500], &[]).await;
        assert_eq!(read(&http, name).await, [7; 2_500]);
    }
    let asked = tokio::task::spawn_blocking(move || {
        let client = Packets::connect(&packet);
        let login = client.ask(0, &json!({ "mid": "1", "token": token }));
        // Far longer than what is read at a time.
        let files: Vec<Value> = (0..500)
            .map(|n| json!({ "name": format!("packet-{n}"), "size": 0 }))
            .collect();
        let batch = json!({ "mid": "2", "token": token, "fid": "f", "files": files });
        (login, client.ask(1, &batch))
    });
    let (login, batch) = asked.await.unwrap();
    assert_eq!(login, (5, json!({ "mid": "1" })));
    assert_eq!(
        (batch.0, &batch.1["response"]),
        (2, &json!("Ok")),
        "{batch:?}"
    );
    assert_eq!(read(&http, "packet-499").await, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_socket_is_replaced_and_a_folder_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("filestorage");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let server = started(folder.path()).await;
    let second = Server::bind(setup(folder.path()).server, server.wharf().clone()).await;
    let Err(BindError::Gateway(error)) = second else {
        panic!("two servers in one folder");
    };
    assert!(error.to_string().contains("filestorage.lock"), "{error}");
    drop(Filestored::unix(&socket, Generation::New).await);
    server.stop().await;
    assert!(!socket.try_exists().unwrap());
    std::fs::write(&socket, "somebody's file").unwrap();
    let db = TestDb::open(Engine::Sqlite);
    let server = TestServer::start(db).await;
    let third = Server::bind(setup(folder.path()).server, server.wharf().clone()).await;
    assert!(third.is_err(), "what is no socket is left alone");
    assert_eq!(std::fs::read(&socket).unwrap(), b"somebody's file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_of_the_older_frame_ends_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let path = folder.path().join("filestorage");
    let mut client = Filestored::unix(&path, Generation::Old).await;
    let kind = |kind| {
        let mut frame = Frame::data(0, Vec::new());
        frame.kind = kind;
        frame.encode(Generation::Old)
    };
    client.send(&kind(3)).await;
    let error = tokio::time::timeout(Duration::from_secs(20), client.next_frame()).await;
    assert_eq!(error.unwrap().unwrap().kind, 1, "no broker of services");
    client.send(&kind(1)).await;
    client.send(&kind(0)).await;
    assert_eq!(client.next().await, None);
    server.stop().await;
}
