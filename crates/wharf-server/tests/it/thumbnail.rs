//! Thumbnails: made when asked for and by the job, made again when lost, none of what is no image.

use std::io::Cursor;
use std::time::Duration;

use http::Method;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, TestServer};

use crate::wait::until;

both_engines!(
    an_image_has_thumbnails_and_its_size_is_known,
    what_is_lost_is_made_again_and_what_is_purged_goes,
);

const ROOM: &str = "/api/v1/rooms/home";

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb([10, 120, 200]))
        .write_to(&mut out, format)
        .unwrap();
    out.into_inner()
}

async fn put(http: &Http, path: &str, body: Vec<u8>) -> Value {
    http.send(Method::PUT, &format!("{ROOM}/content/{path}"), &[], body)
        .await
        .expect(201)
        .json()
}

async fn node(http: &Http, path: &str) -> Value {
    http.get(&format!("{ROOM}/node?path={path}"))
        .await
        .expect(200)
        .json()
}

/// The names of the objects that are thumbnails.
async fn objects(server: &TestServer) -> Vec<String> {
    let found = server.blob().list("thumbnail/", None, 100).await.unwrap();
    found.into_iter().map(|info| info.key).collect()
}

async fn an_image_has_thumbnails_and_its_size_is_known(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let made = put(&http, "a.jpg", picture(1000, 500, ImageFormat::Jpeg)).await;
    assert!(node(&http, "a.jpg").await.get("image").is_none());

    let small = http
        .get(&format!("{ROOM}/thumbnail?path=a.jpg"))
        .await
        .expect(200);
    assert_eq!(small.header("content-type"), Some("image/jpeg"));
    assert_eq!(small.header("cache-control"), Some("private, no-cache"));
    let shown = image::load_from_memory(&small.body).unwrap();
    assert_eq!((shown.width(), shown.height()), (320, 160));
    let want = json!({ "width": 1000, "height": 500 });
    assert_eq!(node(&http, "a.jpg").await["image"], want);
    let list = http.get(&format!("{ROOM}/list")).await.expect(200).json();
    assert_eq!(list["items"][0]["image"], want);

    let at = format!(
        "id={}&revision={}",
        made["id"].as_str().unwrap(),
        made["revision"]
    );
    let large = format!("{ROOM}/thumbnail?{at}&size=800");
    let large_one = http.get(&large).await.expect(200);
    let shown = image::load_from_memory(&large_one.body).unwrap();
    assert_eq!((shown.width(), shown.height()), (1000, 500));
    assert!(
        large_one
            .header("cache-control")
            .unwrap()
            .contains("immutable")
    );
    let tag = large_one.header("etag").unwrap();
    http.get_with(&large, &[("if-none-match", tag)])
        .await
        .expect(304);

    let (session, ada) = server.member("ada").await;
    ada.get(&format!("{ROOM}/thumbnail?{at}")).await.expect(404);
    let others = format!(
        "/api/v1/rooms/{}/thumbnail?path=a.jpg",
        session.account.home
    );
    http.get(&others).await.expect(404);
}

async fn what_is_lost_is_made_again_and_what_is_purged_goes(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let made = put(&http, "deep/a.png", picture(640, 640, ImageFormat::Png)).await;
    put(&http, "b.webp", picture(64, 48, ImageFormat::WebP)).await;
    put(&http, "text.txt", b"no image".to_vec()).await;
    server.wharf().start_jobs();
    until(|| async { node(&http, "b.webp").await.get("image").is_some() }).await;
    assert_eq!(node(&http, "deep/a.png").await["image"]["width"], 640);
    let before = objects(&server).await;
    assert_eq!(before.len(), 4);

    for key in &before {
        server.blob().delete(key).await.unwrap();
    }
    http.get(&format!("{ROOM}/thumbnail?path=deep/a.png"))
        .await
        .expect(200);
    assert_eq!(objects(&server).await.len(), 2);

    let id = made["id"].as_str().unwrap();
    let ops = json!([{ "op": "remove", "at": { "id": id } }, { "op": "purge", "id": id }]);
    let commit = json!({ "id": uuid::Uuid::now_v7(), "ops": ops });
    http.post(&format!("{ROOM}/commit"), &commit)
        .await
        .expect(200);
    http.get(&format!("{ROOM}/thumbnail?id={id}"))
        .await
        .expect(404);
    let jobs = server.wharf().jobs().clone();
    assert!(jobs.stop(Duration::from_secs(8)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn thumbnails_of_purged_images_are_swept() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    let made = put(&http, "a.gif", picture(400, 300, ImageFormat::Gif)).await;
    http.get(&format!("{ROOM}/thumbnail?path=a.gif"))
        .await
        .expect(200);
    assert_eq!(objects(&server).await.len(), 2);
    let id = made["id"].as_str().unwrap();
    let ops = json!([{ "op": "remove", "at": { "id": id } }, { "op": "purge", "id": id }]);
    let commit = json!({ "id": uuid::Uuid::now_v7(), "ops": ops });
    http.post(&format!("{ROOM}/commit"), &commit)
        .await
        .expect(200);
    server.wharf().start_jobs();
    until(|| async { objects(&server).await.is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_is_looked_at_once() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    put(
        &http,
        "fake.png",
        b"\x89PNG\r\n\x1a\n and nothing else".to_vec(),
    )
    .await;
    put(&http, "notes.txt", picture(64, 64, ImageFormat::Png)).await;
    put(&http, "empty.jpg", Vec::new()).await;
    for path in ["fake.png", "notes.txt", "empty.jpg"] {
        let problem = http
            .get(&format!("{ROOM}/thumbnail?path={path}"))
            .await
            .expect(404);
        assert_eq!(problem.json()["code"], "not_found");
    }
    let rows = server
        .wharf()
        .db()
        .read(|tx| tx.all("SELECT width FROM image", &[], |row| row.int(0)))
        .await
        .unwrap();
    assert_eq!(
        rows,
        [0],
        "the one that looked like an image is remembered as none"
    );
    http.get(&format!("{ROOM}/thumbnail?path=nowhere.png"))
        .await
        .expect(404);
    http.get(&format!("{ROOM}/thumbnail")).await.expect(400);
}
