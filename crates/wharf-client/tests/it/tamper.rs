//! Bytes that change: on the way, and on the server's disk.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wharf_client::transfer::{GetStream, NoticeKind};
use wharf_client::{Progress, Room};
use wharf_store::blob::{Blob, MemoryBlob};
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::proxy::Way;
use wharf_testkit::server::{Setup, TestServer};
use wharf_types::api::drive::At;

use crate::fixture::{Fixture, login, noise, run_get, run_put};

const MIB: usize = 1024 * 1024;

/// Passes bytes on, and flips one bit of one of them.
async fn flip(listener: TcpListener, server: SocketAddr, way: Way, at_byte: i64) {
    let left = Arc::new(AtomicI64::new(at_byte));
    let untouched = Arc::new(AtomicI64::new(i64::MAX));
    let mut relays = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(server).await.unwrap();
        let (client_in, client_out) = client.into_split();
        let (server_in, server_out) = server.into_split();
        let (up, down) = match way {
            Way::Up => (&left, &untouched),
            Way::Down => (&untouched, &left),
        };
        relays.spawn(relay(client_in, server_out, Arc::clone(up)));
        relays.spawn(relay(server_in, client_out, Arc::clone(down)));
    }
}

async fn relay(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    left: Arc<AtomicI64>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let before = left.fetch_sub(i64::try_from(read).unwrap(), Ordering::Relaxed);
        if let Ok(index) = usize::try_from(before)
            && index < read
        {
            buffer[index] ^= 0x10;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// A client whose line flips one bit.
async fn tampered(
    fixture: &Fixture,
    way: Way,
    at_byte: i64,
    relays: &mut JoinSet<()>,
) -> wharf_client::Api {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    relays.spawn(flip(listener, fixture.server.address(), way, at_byte));
    login(address, &fixture.server.operator().token).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_changes_on_the_way_is_sent_or_fetched_again() {
    let fixture = Fixture::new().await;
    let content = noise(1, 3 * MIB);
    fixture.write("up/file", &content);
    let mut relays = JoinSet::new();
    let mut put = fixture.put("up", "up");
    put.api = tampered(&fixture, Way::Up, 700_000, &mut relays).await;
    let report = run_put(&put).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(
        report.bytes_wire > 3 * MIB as u64,
        "one chunk travels twice"
    );
    let mut get = fixture.get("up", "down");
    get.api = tampered(&fixture, Way::Down, 700_000, &mut relays).await;
    let report = run_get(&get).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(
        report.bytes_wire > 3 * MIB as u64,
        "one chunk travels twice"
    );
    assert!(fixture.read("down/file") == content);
}

/// A server whose segments can rot and whose disk can be full.
async fn faulty() -> (Fixture, Arc<FaultyBlob>) {
    let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
    let setup = Setup {
        blob: Arc::<FaultyBlob>::clone(&blob),
        ..Setup::default()
    };
    let db = tokio::task::spawn_blocking(|| TestDb::open(Engine::Sqlite))
        .await
        .unwrap();
    (
        Fixture::over(TestServer::start_with(db, setup).await).await,
        blob,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_on_the_server_is_reported_and_the_rest_arrives() {
    let (fixture, blob) = faulty().await;
    for (name, bytes) in [("up/small", 5_000), ("up/big", 9 * MIB), ("up/good", 5_001)] {
        fixture.write(name, noise(bytes as u64, bytes));
    }
    run_put(&fixture.put("up/small", "up/small")).await.unwrap();
    run_put(&fixture.put("up/big", "up/big")).await.unwrap();
    let rotten = blob.list("", None, 100).await.unwrap();
    run_put(&fixture.put("up/good", "up/good")).await.unwrap();
    for segment in &rotten {
        blob.flip(&segment.key, 100, 3);
    }
    let report = run_get(&fixture.get("up", "down")).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (1, 2), "{report:?}");
    assert!(
        report
            .notices
            .iter()
            .all(|notice| notice.kind == NoticeKind::Corrupt)
    );
    assert!(!fixture.path("down/small").try_exists().unwrap());
    assert!(!fixture.path("down/big").try_exists().unwrap());
    assert_eq!(fixture.read("down/good"), noise(5_001, 5_001));
    let get = GetStream {
        api: fixture.api.clone(),
        room: Room::Home,
        source: At::Path("up/big".into()),
        revision: None,
        range: None,
    };
    let error = get
        .run(tokio::io::sink(), &Arc::new(Progress::default()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_waits_while_the_servers_disk_is_full() {
    let (fixture, blob) = faulty().await;
    fixture.write("file", noise(1, 50_000));
    blob.set_room(Some(1_000));
    let room = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        blob.set_room(None);
    };
    let put = fixture.put("file", "file");
    let (report, ()) = tokio::join!(run_put(&put), room);
    assert!(report.unwrap().is_complete());
}
