//! Standard input and output.

use std::sync::Arc;

use wharf_client::transfer::{GetStream, OnDifferent, PutStream};
use wharf_client::{Error, Progress, Room};
use wharf_types::ErrorCode;
use wharf_types::api::drive::At;

use crate::fixture::{Fixture, noise, run_get};

fn put_stream(fixture: &Fixture, on_different: OnDifferent) -> PutStream {
    PutStream {
        api: fixture.api.clone(),
        room: Room::Home,
        target: "folder/stream".into(),
        on_different,
        executable: false,
    }
}

async fn put(fixture: &Fixture, on_different: OnDifferent, content: &[u8]) -> Result<u64, Error> {
    let put = put_stream(fixture, on_different);
    put.run(content, &Arc::new(Progress::default()))
        .await
        .map(|result| result.revision)
}

async fn cat(
    fixture: &Fixture,
    revision: Option<u64>,
    range: Option<std::ops::Range<u64>>,
) -> Vec<u8> {
    let get = GetStream {
        api: fixture.api.clone(),
        room: Room::Home,
        source: At::Path("folder/stream".into()),
        revision,
        range,
    };
    let mut out = Vec::new();
    let written = get
        .run(&mut out, &Arc::new(Progress::default()))
        .await
        .unwrap();
    assert_eq!(written, out.len() as u64);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_any_length_comes_back_whole_and_in_ranges() {
    let fixture = Fixture::new().await;
    for bytes in [0, 1, 70_000, 23_000_000_usize] {
        let content = noise(bytes as u64, bytes);
        put(&fixture, OnDifferent::Replace, &content).await.unwrap();
        assert!(cat(&fixture, None, None).await == content);
        let middle = bytes / 3..bytes / 2;
        let range = middle.start as u64..middle.end as u64;
        assert!(cat(&fixture, None, Some(range)).await == content[middle]);
        let end = bytes.saturating_sub(10)..bytes;
        let range = end.start as u64..u64::MAX;
        assert!(cat(&fixture, None, Some(range)).await == content[end]);
    }
    // The same bytes from a file are the same content: streams are cut where files are.
    run_get(&fixture.get("folder/stream", "file"))
        .await
        .unwrap();
    let put = fixture.put("file", "file");
    assert_eq!(crate::fixture::run_put(&put).await.unwrap().bytes_wire, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_replaces_or_keeps_what_is_there_and_old_revisions_stay() {
    let fixture = Fixture::new().await;
    let first = put(&fixture, OnDifferent::Keep, b"first").await.unwrap();
    let Err(Error::Api(error)) = put(&fixture, OnDifferent::Keep, b"second").await else {
        panic!("something is there");
    };
    assert!(error.is(ErrorCode::Exists), "{error}");
    put(&fixture, OnDifferent::Replace, b"second")
        .await
        .unwrap();
    assert_eq!(cat(&fixture, None, None).await, b"second");
    assert_eq!(cat(&fixture, Some(first), None).await, b"first");
}
