//! Chunks up and down, and what a broken connection leaves.

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, Reply, TestServer};
use wharf_types::ChunkHash;
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE, Uploaded};
use wharf_wire::frame::{Absence, Answer, FrameDecoder};

use crate::wait::until;
use crate::{framed, hashes, noise};

const AS_CHUNKS: [(&str, &str); 1] = [("content-type", CHUNKS_TYPE)];
const AS_HASHES: [(&str, &str); 1] = [("content-type", HASHES_TYPE)];

both_engines!(
    what_is_missing_is_uploaded_and_comes_back,
    one_person_s_chunks_are_missing_for_another,
    chunks_that_arrived_whole_before_a_cut_are_kept,
);

async fn missing(http: &Http, chunks: &[&[u8]]) -> Bytes {
    let reply = http
        .send(
            Method::POST,
            "/api/v1/chunks/missing",
            &AS_HASHES,
            hashes(chunks),
        )
        .await;
    assert_eq!(reply.header("content-type"), Some(HASHES_TYPE));
    reply.expect(200).body
}

async fn upload(http: &Http, body: Vec<u8>) -> Reply {
    http.send(Method::POST, "/api/v1/chunks", &AS_CHUNKS, body)
        .await
}

async fn fetch(http: &Http, body: Vec<u8>) -> Vec<Answer> {
    let reply = http
        .send(Method::POST, "/api/v1/chunks/fetch", &AS_HASHES, body)
        .await
        .expect(200);
    let mut decoder = FrameDecoder::default();
    decoder.push(reply.body);
    let answers = std::iter::from_fn(|| decoder.next_answer().unwrap()).collect();
    decoder.end().unwrap();
    answers
}

fn absent(chunk: &[u8]) -> Answer {
    Answer::Absent {
        hash: ChunkHash::of(chunk),
        absence: Absence::Missing,
    }
}

async fn what_is_missing_is_uploaded_and_comes_back(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let (large, small, text) = (
        noise(1, 2_000_000),
        noise(2, 10),
        "a".repeat(100_000).into_bytes(),
    );
    let chunks: [&[u8]; 3] = [&large, &small, &text];
    assert_eq!(missing(&http, &chunks).await, hashes(&chunks));

    let uploaded: Uploaded =
        serde_json::from_slice(&upload(&http, framed(&chunks)).await.expect(200).body).unwrap();
    assert_eq!(
        uploaded,
        Uploaded {
            chunks_stored: 3,
            mismatched: Vec::new()
        }
    );
    assert!(missing(&http, &chunks).await.is_empty());

    // In the order asked, repeated, and with a chunk that is not there in between.
    let asked: [&[u8]; 5] = [&text, b"nowhere", &large, &small, &text];
    let answers = fetch(&http, hashes(&asked)).await;
    assert_eq!(answers.len(), asked.len());
    for (answer, want) in answers.iter().zip(asked) {
        match answer {
            Answer::Chunk(frame) => assert_eq!(frame.open().unwrap(), want),
            Answer::Absent { .. } => assert_eq!(*answer, absent(b"nowhere")),
        }
    }
}

async fn one_person_s_chunks_are_missing_for_another(db: TestDb) {
    let server = TestServer::start(db).await;
    let (_, ada) = server.member("ada").await;
    let (_, bob) = server.member("bob").await;
    upload(&ada, framed(&[b"ada's"])).await.expect(200);
    assert_eq!(missing(&bob, &[b"ada's"]).await, hashes(&[b"ada's"]));
    assert_eq!(fetch(&bob, hashes(&[b"ada's"])).await, [absent(b"ada's")]);
    upload(&bob, framed(&[b"ada's"])).await.expect(200);
    assert!(missing(&bob, &[b"ada's"]).await.is_empty());
}

async fn chunks_that_arrived_whole_before_a_cut_are_kept(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let (first, second, third) = (noise(1, 300_000), noise(2, 300_000), noise(3, 300_000));
    let chunks: [&[u8]; 3] = [&first, &second, &third];
    let body = framed(&chunks);

    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/chunks HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer {}\r\nContent-Type: {CHUNKS_TYPE}\r\nContent-Length: {}\r\n\r\n",
        server.operator().token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 1]).await.unwrap();
    drop(stream);

    // Nobody is told when the store has them; they are there shortly after.
    let want = hashes(&[&third]);
    until(|| async { missing(&http, &chunks).await == want }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_is_not_what_its_name_says_is_told_and_the_others_are_kept() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    let mut body = framed(&[b"first", b"second"]);
    *body.last_mut().unwrap() ^= 1;
    let uploaded: Uploaded =
        serde_json::from_slice(&upload(&http, body).await.expect(200).body).unwrap();
    assert_eq!(
        uploaded,
        Uploaded {
            chunks_stored: 1,
            mismatched: vec![ChunkHash::of(b"second")]
        }
    );
    assert_eq!(
        missing(&http, &[b"first", b"second"]).await,
        hashes(&[b"second"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_garbage_is_kept() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    let mut body = framed(&[b"whole"]);
    body.extend([0xff; 60]);
    let problem = upload(&http, body).await.expect(400).json();
    assert_eq!(problem["code"], "invalid");
    assert!(missing(&http, &[b"whole"]).await.is_empty());
    upload(&http, Vec::new()).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_about_chunks_are_bounded_and_of_their_type() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    let ask = "/api/v1/chunks/missing";
    http.send(Method::POST, ask, &AS_HASHES, vec![0; 33])
        .await
        .expect(400);
    http.send(Method::POST, ask, &AS_HASHES, vec![0; 32 * 16_385])
        .await
        .expect(413);
    http.send(Method::POST, ask, &AS_CHUNKS, vec![0; 32])
        .await
        .expect(415);
    http.send(Method::POST, "/api/v1/chunks", &AS_HASHES, "")
        .await
        .expect(415);
    Http::new(server.address())
        .send(Method::POST, ask, &AS_HASHES, "")
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_announces_too_much_is_refused_before_it_is_sent() {
    let server = TestServer::on(Engine::Sqlite).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/chunks HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer {}\r\nContent-Type: {CHUNKS_TYPE}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        server.operator().token,
        65 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
