//! A network that breaks at every byte of a short transfer, in both directions.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use wharf_client::Room;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::proxy::{After, Proxy, Way};
use wharf_testkit::server::TestServer;

use crate::writer::{NewFile, connect, put_through, read};

both_engines!(a_transfer_cut_at_any_byte_arrives_whole_and_once);

async fn a_transfer_cut_at_any_byte_arrives_whole_and_once(db: TestDb) {
    let server = TestServer::start(db).await;
    let proxy = Proxy::start(server.address()).await;
    let token = &server.operator().token;
    let api = connect(
        &format!("http://{}", proxy.address()),
        token,
        Duration::from_secs(20),
    )
    .await;
    let mut random = StdRng::seed_from_u64(11);

    // One put from a warm connection, to know how many bytes there are to be cut at.
    let first = NewFile::random("first".to_owned(), &mut random, 300);
    first.put(&api).await.unwrap();
    let before = [Way::Up, Way::Down].map(|way| proxy.passed_bytes(way));
    let second = NewFile::random("second".to_owned(), &mut random, 300);
    second.put(&api).await.unwrap();
    let after = [Way::Up, Way::Down].map(|way| proxy.passed_bytes(way));

    let mut put_count = 2;
    for (index, way) in [Way::Up, Way::Down].into_iter().enumerate() {
        let bytes = after[index] - before[index];
        for at in 0..=bytes {
            let path = format!("{way:?}-{at}");
            let file = NewFile::random(path.clone(), &mut random, 300);
            proxy.cut_after(way, at, After::Heal);
            put_through(&api, &file)
                .await
                .unwrap_or_else(|error| panic!("cut {way:?} at byte {at}: {error}"));
            put_count += 1;
            proxy.heal();
            assert_eq!(
                read(&api, &path).await.unwrap(),
                file.bytes,
                "cut {way:?} at byte {at}"
            );
        }
    }
    assert!(proxy.cut_count() > 1_000, "only {} cuts", proxy.cut_count());
    // Each put is one change: none was applied twice.
    let drive = api.drive(Room::Home).await.unwrap();
    assert_eq!(drive.position, put_count);
}
