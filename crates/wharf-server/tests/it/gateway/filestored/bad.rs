//! What nobody should say, and what crashed the original.

use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::filestored::{
    Filestored, by_digest, by_name, chunk_of, describe, sha256,
};
use wharf_wire::gateway::filestored::message::Request;
use wharf_wire::gateway::filestored::{Frame, Generation, encode_data};

use super::{address, client, read, server, token};
use crate::noise;

both_engines!(
    what_cannot_be_understood_is_answered_and_the_connection_stays,
    two_frames_in_one_segment_and_one_in_many_are_all_answered,
    chunks_that_are_wrong_are_refused,
    content_that_is_not_what_its_digest_says_is_forgotten,
    a_stranger_s_files_and_uploads_are_unknown,
    names_that_no_path_may_have_are_refused,
);

async fn what_cannot_be_understood_is_answered_and_the_connection_stays(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut stranger = Filestored::tcp(address(&server)).await;
    let file = describe("f", b"x", &[]);
    let early = stranger.ask(Request::Upload { file }).await;
    assert_eq!(
        (early.user_type, &early.body["reason"]),
        (200, &json!("user not logged"))
    );
    let mut client = client(&server, &http).await;
    let unknown = client
        .ask_json(99, &json!({ "mid": "m", "id": { "a": 1 } }))
        .await;
    assert_eq!(
        unknown.body,
        json!({ "id": { "a": 1 }, "mid": "m", "reason": "no message has type 99" })
    );
    for (user_type, payload) in [
        (20, &b"{"[..]),
        (40, b"\xff\xfe"),
        (30, b"[]"),
        (20, br#"{"mid":"m"}"#),
        (41, br#"{"mid":"m","filedigest":7,"n":-1}"#),
    ] {
        client.say(user_type, payload).await;
        let answered = client.next().await.unwrap();
        assert_eq!(answered.user_type, 200, "{answered:?}");
    }
    let with_id = json!({ "id": 7, "mid": "m", "name": "nothing" });
    assert_eq!(client.ask_json(30, &with_id).await.body["id"], 7);
    client.put("after", b"still there", &[]).await;
    assert_eq!(read(&http, "after").await, b"still there");
}

async fn two_frames_in_one_segment_and_one_in_many_are_all_answered(db: TestDb) {
    let server = server(db).await;
    let (token, _) = token(&server.http()).await;
    for generation in [Generation::New, Generation::Old] {
        let stream = tokio::net::TcpStream::connect(address(&server))
            .await
            .unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Filestored::over(stream, generation);
        let login = json!({ "mid": "1", "token": token })
            .to_string()
            .into_bytes();
        let ask = json!({ "mid": "2", "name": "nothing" })
            .to_string()
            .into_bytes();
        let mut both = Frame::data(0, login).encode(generation).to_vec();
        both.extend_from_slice(&Frame::data(30, ask).encode(generation));
        client.send(&both).await;
        for mid in ["1", "2"] {
            assert_eq!(client.next().await.unwrap().body["mid"], mid);
        }
        for byte in &both {
            client.send(&[*byte]).await;
        }
        for mid in ["1", "2"] {
            assert_eq!(client.next().await.unwrap().body["mid"], mid);
        }
    }
    let mut long = Filestored::tcp(address(&server)).await;
    long.send(b"\x00\xff\xff\xff\x00").await;
    assert_eq!(long.next().await, None, "nobody waits for 16 MiB");
}

async fn chunks_that_are_wrong_are_refused(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut client = client(&server, &http).await;
    let file = noise(1, 2_500);
    client.upload("f", &file, &[]).await;
    let right = chunk_of(&file, 0);
    let Request::PutChunk {
        filedigest,
        chunk,
        data,
    } = right.clone()
    else {
        panic!("a chunk");
    };
    let put = |n, digest: &str, data: &str| {
        let mut chunk = chunk.clone();
        chunk.n = n;
        digest.clone_into(&mut chunk.digest);
        Request::PutChunk {
            filedigest: filedigest.clone(),
            chunk,
            data: data.to_owned(),
        }
    };
    for wrong in [
        put(0, "", "no base64!"),
        put(0, &sha256(b"other"), &data),
        put(2, "", &data),
        put(3, "", &data),
        put(u64::MAX, "", &data),
        put(0, "", &encode_data(&[0; 999])),
        put(0, "", ""),
    ] {
        assert_eq!(client.ask(wrong).await.user_type, 200);
    }
    let unknown = Request::PutChunk {
        filedigest: sha256(b"none"),
        chunk,
        data,
    };
    let unknown = client.ask(unknown).await;
    assert_eq!(
        (unknown.user_type, &unknown.body["filedigest"]),
        (205, &json!(sha256(b"none")))
    );
    client.put("f", &file, &[]).await;
    let past = client
        .ask(Request::GetChunk {
            filedigest: sha256(&file),
            n: 3,
        })
        .await;
    assert_eq!(past.user_type, 200, "no zeros that are in no file");
    let none = client
        .ask(Request::GetChunk {
            filedigest: sha256(b"none"),
            n: 0,
        })
        .await;
    assert_eq!(none.user_type, 205);
    assert!(read(&http, "f").await == file);
}

async fn content_that_is_not_what_its_digest_says_is_forgotten(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut client = client(&server, &http).await;
    let file = noise(2, 1_500);
    let mut info = describe("f", &file, &[]);
    info.digest = sha256(b"something else");
    client.ask(Request::Upload { file: info.clone() }).await;
    let with_digest = |n| match chunk_of(&file, n) {
        Request::PutChunk { chunk, data, .. } => Request::PutChunk {
            filedigest: sha256(b"something else"),
            chunk,
            data,
        },
        other => other,
    };
    assert_eq!(client.ask(with_digest(1)).await.user_type, 40);
    let last = client.ask(with_digest(0)).await;
    assert_eq!(last.user_type, 200, "{last:?}");
    http.get("/api/v1/rooms/home/node?path=filestored/f")
        .await
        .expect(404);
    let again = client.ask(Request::Upload { file: info }).await;
    assert_eq!(again.user_type, 20, "it begins anew");
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_stranger_s_files_and_uploads_are_unknown(db: TestDb) {
    let server = server(db).await;
    let (_, ada) = server.member("ada").await;
    let (_, mallory) = server.member("mallory").await;
    let mut hers = client(&server, &ada).await;
    let mut theirs = client(&server, &mallory).await;
    let (done, begun) = (noise(3, 1_500), noise(4, 2_500));
    hers.put("done", &done, &["secret"]).await;
    hers.upload("begun", &begun, &[]).await;
    hers.put_chunk(&begun, 0).await;
    for request in [by_digest(&sha256(&done)), by_name("done")] {
        assert_eq!(theirs.ask(request).await.user_type, 200);
    }
    let get = Request::GetChunk {
        filedigest: sha256(&done),
        n: 0,
    };
    assert_eq!(theirs.ask(get).await.user_type, 205);
    assert_eq!(theirs.put_chunk(&begun, 1).await.user_type, 205);
    let own = theirs.upload("begun", &begun, &[]).await;
    assert_eq!(own.user_type, 20, "an upload of one's own, not hers");
    assert_eq!(theirs.put("begun", &begun, &[]).await.user_type, 204);
    assert_eq!(hers.put_chunk(&begun, 1).await.user_type, 40);
}

async fn names_that_no_path_may_have_are_refused(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut client = client(&server, &http).await;
    for name in [
        "",
        "..",
        "../up",
        "a/../../up",
        "a\0b",
        &"n".repeat(300),
        "/",
    ] {
        let answered = client.upload(name, b"x", &[]).await;
        assert_eq!(answered.user_type, 200, "{name:?}: {answered:?}");
    }
    assert_eq!(client.put("名 前.txt", b"x", &[]).await.user_type, 20);
}
