//! Uploads and downloads: pieces in any order, again, too many, on both sides of a restart.

use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{CHUNK_BYTES, Netdisk, md5_hex, switch_on};
use wharf_testkit::server::{Http, Setup, TestServer};

use super::{bound, of, server};
use crate::noise;

both_engines!(
    chunks_that_overlap_as_the_published_client_sends_them_make_the_file,
    chunks_come_in_any_order_and_progress_survives_a_restart,
    what_broke_off_is_kept_for_the_next_connection,
    two_connections_bring_one_file,
    known_content_is_taken_from_ones_own_drive_alone,
    the_body_of_a_refused_chunk_is_read,
    a_file_that_is_not_what_its_md5_says_is_not_kept,
    permanent_refusals_are_not_error_1,
    downloads_of_what_is_not_there_have_no_body,
);

fn url(path: &str) -> String {
    format!("/api/v1/rooms/home/content/{path}")
}

async fn stored(http: &Http, path: &str) -> Vec<u8> {
    http.get(&url(path)).await.expect(200).body.to_vec()
}

async fn chunks_that_overlap_as_the_published_client_sends_them_make_the_file(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let bytes = noise(1, 2 * CHUNK_BYTES + 100_000);
    client
        .upload_as_published(&session, "/sub/", "big.bin", &bytes)
        .await;
    assert_eq!(stored(&http, "netdisk-1/sub/big.bin").await, bytes);
    let answer = client.call("getdir", &[of(&session)]).await;
    let file = &answer["dir_list"][0];
    assert_eq!(
        (&file["path"], &file["filename"]),
        (&json!("/sub/"), &json!("big.bin"))
    );
    assert_eq!(file["md5"], md5_hex(&bytes));
    assert_eq!(
        client
            .download(&session, &md5_hex(&bytes), bytes.len())
            .await,
        bytes
    );
}

async fn chunks_come_in_any_order_and_progress_survives_a_restart(db: TestDb) {
    let mut server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let bytes = noise(2, 2 * CHUNK_BYTES + 5);
    let chunk = |id: usize| &bytes[id * CHUNK_BYTES..bytes.len().min((id + 1) * CHUNK_BYTES)];
    let announced = client.announce(&session, "//", "big.bin", &bytes).await;
    let vfile = announced["vfile_id"].clone();
    for id in [2, 0] {
        let answer = client
            .chunk(&session, &vfile, id, id * CHUNK_BYTES, chunk(id))
            .await;
        assert_eq!(answer["msg"], "upload success");
    }
    server.restart().await;
    let mut client = Netdisk::connect(&server).await;
    let again = client.announce(&session, "//", "big.bin", &bytes).await;
    assert_eq!((&again["error"], &again["vfile_id"]), (&json!(4), &vfile));
    let answer = client.chunk(&session, &vfile, 0, 0, chunk(0)).await;
    assert_eq!(answer["msg"], "this chunk has been uploaded");
    http.get(&url("netdisk-1/big.bin")).await.expect(404);
    let answer = client
        .chunk(&session, &vfile, 1, CHUNK_BYTES, chunk(1))
        .await;
    assert_eq!(answer["msg"], "upload success");
    assert_eq!(stored(&http, "netdisk-1/big.bin").await, bytes);
}

async fn what_broke_off_is_kept_for_the_next_connection(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let bytes = noise(3, 3_000_000);
    let fields = |offset: usize, length: usize| {
        vec![
            of(&session),
            ("filename", "big.bin".into()),
            ("offset", offset.into()),
            ("chunksize", length.into()),
            ("total", bytes.len().into()),
        ]
    };
    client.send_json("upload", &fields(0, bytes.len())).await;
    client.raw(&bytes[..2_000_000]).await;
    drop(client);
    let mut client = Netdisk::connect(&server).await;
    let done = async |client: &mut Netdisk| -> usize {
        client.send_json("upload", &fields(0, 0)).await;
        let chunks = client.answer().await.1["chunks"].clone();
        let done = chunks.as_array().unwrap().iter();
        let sizes = done
            .filter(|chunk| chunk["done"] == true)
            .map(|chunk| chunk["size"].as_u64().unwrap());
        usize::try_from(sizes.sum::<u64>()).unwrap()
    };
    // The server may still be reading what the connection before brought.
    let mut have = 0;
    for _ in 0..200 {
        have = done(&mut client).await;
        if have > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(have, 2_000_000);
    client
        .send_json("upload", &fields(have, bytes.len() - have))
        .await;
    client.raw(&bytes[have..]).await;
    assert_eq!(client.answer().await.1["error"], 0);
    assert_eq!(stored(&http, "netdisk-1/big.bin").await, bytes);
}

async fn two_connections_bring_one_file(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let bytes = noise(4, 4 * CHUNK_BYTES);
    let vfile = client.announce(&session, "//", "big.bin", &bytes).await["vfile_id"].clone();
    let mut other = Netdisk::connect(&server).await;
    let send = async |client: &mut Netdisk, ids: [usize; 2]| {
        for id in ids {
            let from = id * CHUNK_BYTES;
            let answer = client
                .chunk(&session, &vfile, id, from, &bytes[from..from + CHUNK_BYTES])
                .await;
            assert_eq!(answer["error"], 0, "{answer:?}");
        }
    };
    tokio::join!(send(&mut client, [0, 3]), send(&mut other, [2, 1]));
    assert_eq!(stored(&http, "netdisk-1/big.bin").await, bytes);
    let revisions = http
        .get("/api/v1/rooms/home/revisions?path=netdisk-1/big.bin")
        .await;
    assert_eq!(
        revisions.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

async fn known_content_is_taken_from_ones_own_drive_alone(db: TestDb) {
    let server = server(db).await;
    let (http, mut ada, of_ada) = bound(&server, "ada").await;
    let (_, mut ben, of_ben) = bound(&server, "ben").await;
    ada.upload_as_published(&of_ada, "//", "a.txt", b"what ada has")
        .await;
    let other = ben.announce(&of_ben, "//", "b.txt", b"what ada has").await;
    assert_eq!(other["error"], 4, "nobody learns what others have");
    let fields = [
        of(&of_ben),
        ("md5", md5_hex(b"what ada has").into()),
        ("queueid", 1.into()),
        ("offset", 0.into()),
        ("chunksize", 12.into()),
    ];
    assert_eq!(ben.call("downloadFile", &fields).await["error"], 5);
    let own = ada
        .announce(&of_ada, "/copy/", "b.txt", b"what ada has")
        .await;
    assert_eq!(
        (&own["error"], &own["msg"]),
        (&json!(0), &json!("lightning transfer success"))
    );
    assert_eq!(stored(&http, "netdisk-1/copy/b.txt").await, b"what ada has");
    // An upload of ada's is nothing to ben, either.
    let vfile = ada.announce(&of_ada, "//", "c.txt", b"another").await["vfile_id"].clone();
    assert_eq!(
        ben.chunk(&of_ben, &vfile, 0, 0, b"another").await["error"],
        5
    );
}

async fn the_body_of_a_refused_chunk_is_read(db: TestDb) {
    let server = server(db).await;
    let (_, mut client, session) = bound(&server, "ada").await;
    let vfile = json!(1);
    let nobody = "x".repeat(32);
    for (session, error) in [(nobody.as_str(), 2), (session.as_str(), 5)] {
        client
            .send_chunk(session, &vfile, 0, 0, &noise(5, 700_000))
            .await;
        client.send("getbindid", &[of(session)]).await;
        assert_eq!(client.answer().await.1["error"], error);
        assert_eq!(client.answer().await.0, "getbindidRes");
    }
    let vfile = client.announce(&session, "//", "a", b"abc").await["vfile_id"].clone();
    assert_eq!(
        client.chunk(&session, &vfile, 0, 2, b"abc").await["error"],
        5,
        "past the end"
    );
}

async fn a_file_that_is_not_what_its_md5_says_is_not_kept(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let vfile = client.announce(&session, "//", "a.txt", b"right").await["vfile_id"].clone();
    let answer = client.chunk(&session, &vfile, 0, 0, b"wrong").await;
    assert_eq!(answer["error"], 5, "{answer:?}");
    http.get(&url("netdisk-1/a.txt")).await.expect(404);
    client
        .upload_as_published(&session, "//", "a.txt", b"right")
        .await;
    assert_eq!(stored(&http, "netdisk-1/a.txt").await, b"right");
}

async fn permanent_refusals_are_not_error_1(db: TestDb) {
    let mut setup = Setup::default();
    switch_on(&mut setup);
    setup.house.quota_bytes_default = 1_000_000;
    let server = TestServer::start_with(db, setup).await;
    let (_, mut client, session) = bound(&server, "ada").await;
    let large = noise(6, 600_000);
    let first = client.announce(&session, "//", "first", &large).await;
    assert_eq!(first["error"], 4);
    let second = client.announce(&session, "//", "second", &large).await;
    assert_eq!(
        (&second["error"], &second["queueid"]),
        (&json!(5), &json!(1))
    );
    for (path, name) in [
        ("/../", "a"),
        ("//", ".."),
        ("//", "a/b"),
        ("//", "a\0"),
        ("//", ""),
    ] {
        let answer = client.announce(&session, path, name, b"abc").await;
        assert_eq!(answer["error"], 5, "{path:?} {name:?}");
    }
}

async fn downloads_of_what_is_not_there_have_no_body(db: TestDb) {
    let server = server(db).await;
    let (_, mut client, session) = bound(&server, "ada").await;
    client
        .upload_as_published(&session, "//", "a.txt", b"text")
        .await;
    let md5 = md5_hex(b"text");
    let ask = |md5: &str, offset: i64, length: i64| -> Vec<(&str, Value)> {
        vec![
            of(&session),
            ("md5", md5.into()),
            ("queueid", 1.into()),
            ("offset", offset.into()),
            ("chunksize", length.into()),
        ]
    };
    for (md5, offset, length) in [
        (&*md5_hex(b"x"), 0, 1),
        ("no md5", 0, 1),
        (&md5, 0, 5),
        (&md5, -1, 2),
        (&md5, 4, i64::MAX),
    ] {
        let answer = client.call("downloadFile", &ask(md5, offset, length)).await;
        assert_eq!(answer["error"], 5, "{md5} {offset} {length}");
    }
    assert_eq!(
        client.call("downloadFile", &ask(&md5, 1, 2)).await["error"],
        0
    );
    assert_eq!(client.bytes(3).await, b"ex\0");
}
