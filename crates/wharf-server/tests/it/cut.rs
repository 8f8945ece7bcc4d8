//! A connection that is cut at every byte of a short exchange: what was acknowledged is there, and what is repeated
//! happens once.

use http::Method;
use serde_json::{Value, json};
use wharf_testkit::db::Engine;
use wharf_testkit::proxy::{After, Proxy, Way};
use wharf_testkit::server::{Http, Reply, TestServer};
use wharf_types::CommitId;
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE};

use crate::{framed, hashes, noise};

/// Sends a request through a proxy that is cut after `bytes` bytes, then once more through the mended one.
///
/// Returns what came of both, and whether there is nothing left to cut: the whole exchange passed.
async fn send_cut_and_repeat<F>(
    proxy: &Proxy,
    way: Way,
    bytes: u64,
    send: impl Fn() -> F,
) -> (Option<Reply>, Reply, bool)
where
    F: Future<Output = Result<Reply, hyper::Error>>,
{
    let cuts_before = proxy.cut_count();
    proxy.cut_after(way, bytes, After::Heal);
    let first = send().await.ok();
    let was_cut = proxy.cut_count() > cuts_before;
    proxy.heal();
    (first, send().await.unwrap(), !was_cut)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_cut_at_every_byte_is_whole_when_it_is_repeated() {
    let server = TestServer::on(Engine::Sqlite).await;
    let proxy = Proxy::start(server.address()).await;
    let http = Http::new(proxy.address()).with_token(&server.operator().token);
    let in_chunks = [("content-type", CHUNKS_TYPE)];
    let in_hashes = [("content-type", HASHES_TYPE)];
    for cut in 0.. {
        // Chunks of its own for every cut, or the server would have them from the one before.
        let (seed, longer) = (u8::try_from(cut % 251).unwrap(), cut / 251);
        let (first, second) = (noise(seed, 24 + longer), noise(seed, 40 + longer));
        let chunks: [&[u8]; 2] = [&first, &second];
        let upload = || http.try_send(Method::POST, "/api/v1/chunks", &in_chunks, framed(&chunks));
        let (before, after, is_whole) =
            send_cut_and_repeat(&proxy, Way::Up, cut as u64, upload).await;
        // The cut may still let through what the server says of half a request.
        if let Some(before) = before.filter(|reply| reply.status != 408) {
            before.expect(200);
        }
        assert_eq!(after.expect(200).json()["chunks_stored"], 2);
        let missing = http
            .send(
                Method::POST,
                "/api/v1/chunks/missing",
                &in_hashes,
                hashes(&chunks),
            )
            .await;
        assert!(missing.expect(200).body.is_empty());
        if is_whole {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_cut_at_every_byte_applies_once() {
    let server = TestServer::on(Engine::Sqlite).await;
    let proxy = Proxy::start(server.address()).await;
    let http = Http::new(proxy.address()).with_token(&server.operator().token);
    let in_json = [("content-type", "application/json")];
    let mut cut = 0_u16;
    loop {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&cut.to_le_bytes());
        let ops =
            json!([{ "op": "make_folder", "path": format!("folder {cut}"), "expect": "absent" }]);
        let commit = json!({ "id": CommitId::from_bytes(id), "ops": ops }).to_string();
        let send = || {
            http.try_send(
                Method::POST,
                "/api/v1/rooms/home/commit",
                &in_json,
                commit.clone(),
            )
        };
        let (_, after, is_whole) =
            send_cut_and_repeat(&proxy, Way::Down, u64::from(cut), send).await;
        let committed = after.expect(200).json();
        assert_eq!(
            committed["repeated"],
            Value::Bool(true),
            "the first one had arrived whole"
        );
        assert_eq!(
            committed["position"],
            cut + 1,
            "every commit before this one applied once"
        );
        if is_whole {
            break;
        }
        cut += 1;
    }
}
