//! Accounts and sessions over HTTP.

use std::time::Duration;

use http::Method;
use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Http, PASSWORD, TestServer};

both_engines!(
    a_person_signs_up_logs_in_and_out,
    devices_are_listed_renamed_and_ended,
    a_new_password_ends_the_other_sessions,
    a_password_of_a_gateway_is_made_listed_and_removed,
    operators_invite_and_look_after_accounts,
    operators_see_and_pace_jobs,
    operators_see_what_is_held,
    too_many_failures_are_told_when_to_come_back,
);

async fn a_person_signs_up_logs_in_and_out(db: TestDb) {
    let server = TestServer::start(db).await;
    let stranger = Http::new(server.address());
    let info = stranger.get("/api/v1/server").await.expect(200).json();
    assert_eq!(
        (&info["signup"], &info["needs_setup"]),
        (&json!("open"), &json!(false))
    );

    let signup = json!({ "username": "ada", "password": PASSWORD, "email": "ada@example.org" });
    let made = stranger
        .post("/api/v1/signup", &signup)
        .await
        .expect(201)
        .json();
    assert_eq!(made["account"]["username"], "ada");
    let taken = stranger.post("/api/v1/signup", &signup).await.expect(409);
    assert_eq!(
        taken.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(taken.json()["code"], "exists");

    let login = json!({ "login": "ADA", "password": PASSWORD, "device": "laptop" });
    let session = stranger
        .post("/api/v1/login", &login)
        .await
        .expect(200)
        .json();
    let ada = Http::new(server.address()).with_token(session["token"].as_str().unwrap());
    assert_eq!(
        ada.get("/api/v1/account").await.expect(200).json(),
        made["account"]
    );
    ada.post("/api/v1/logout", &json!({})).await.expect(204);
    let refused = ada.get("/api/v1/account").await.expect(401);
    assert_eq!(
        refused.header("www-authenticate"),
        Some("Bearer realm=\"wharf\"")
    );
}

async fn devices_are_listed_renamed_and_ended(db: TestDb) {
    let server = TestServer::start(db).await;
    let (session, http) = server.member("ada").await;
    let (_, other) = server.member("bob").await;
    let path = format!("/api/v1/sessions/{}", session.session.id);

    let renamed = http
        .json(Method::PATCH, &path, &json!({ "device": "phone" }))
        .await
        .expect(200);
    assert_eq!(renamed.json()["device"], "phone");
    let list = http.get("/api/v1/sessions").await.expect(200).json();
    assert_eq!(
        (&list[0]["device"], &list[0]["current"]),
        (&json!("phone"), &json!(true))
    );
    other.send(Method::DELETE, &path, &[], "").await.expect(404);
    http.send(Method::DELETE, &path, &[], "").await.expect(204);
    http.get("/api/v1/sessions").await.expect(401);
}

async fn a_new_password_ends_the_other_sessions(db: TestDb) {
    let server = TestServer::start(db).await;
    let (_, here) = server.member("ada").await;
    let login = json!({ "login": "ada", "password": PASSWORD });
    let stranger = Http::new(server.address());
    let there = stranger
        .post("/api/v1/login", &login)
        .await
        .expect(200)
        .json();
    let there = Http::new(server.address()).with_token(there["token"].as_str().unwrap());

    let wrong = json!({ "current": "not the password", "new": "another password" });
    here.post("/api/v1/password", &wrong).await.expect(403);
    let right = json!({ "current": PASSWORD, "new": "another password" });
    here.post("/api/v1/password", &right).await.expect(204);
    here.get("/api/v1/account").await.expect(200);
    there.get("/api/v1/account").await.expect(401);
    stranger.post("/api/v1/login", &login).await.expect(401);
}

async fn operators_invite_and_look_after_accounts(db: TestDb) {
    let server = TestServer::start(db).await;
    let operator = server.http();
    let (session, member) = server.member("ada").await;
    let path = format!("/api/v1/admin/accounts/{}", session.account.id);

    member.get("/api/v1/admin/accounts").await.expect(403);
    let page = operator
        .get("/api/v1/admin/accounts?limit=1")
        .await
        .expect(200)
        .json();
    let next = &page["next"];
    let page = operator
        .get(&format!("/api/v1/admin/accounts?after={next}"))
        .await
        .expect(200)
        .json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    operator
        .get("/api/v1/admin/accounts?limit=0")
        .await
        .expect(400);
    assert_eq!(
        operator
            .get("/api/v1/admin/accounts/ada")
            .await
            .expect(200)
            .json()["username"],
        "ada"
    );
    operator
        .get("/api/v1/admin/accounts/nobody")
        .await
        .expect(404);

    let locked = operator
        .json(Method::PATCH, &path, &json!({ "locked": true }))
        .await
        .expect(200);
    assert_eq!(locked.json()["account"]["locked"], true);
    member.get("/api/v1/account").await.expect(401);

    let made = operator
        .post("/api/v1/invitations", &json!({ "uses": 2 }))
        .await
        .expect(201)
        .json();
    assert!(made["code"].is_string());
    let list = operator.get("/api/v1/invitations").await.expect(200).json();
    assert_eq!(
        (&list[0]["id"], &list[0]["code"]),
        (&made["id"], &json!(null))
    );
    let path = format!("/api/v1/invitations/{}", made["id"].as_str().unwrap());
    operator
        .send(Method::DELETE, &path, &[], "")
        .await
        .expect(204);
    operator
        .send(Method::DELETE, &path, &[], "")
        .await
        .expect(404);
}

async fn too_many_failures_are_told_when_to_come_back(db: TestDb) {
    let server = TestServer::start(db).await;
    let stranger = Http::new(server.address());
    let guess = json!({ "login": "operator", "password": "a wrong password" });
    let mut reply = stranger.post("/api/v1/login", &guess).await;
    for _ in 0..50 {
        if reply.status == 401 {
            reply = stranger.post("/api/v1/login", &guess).await;
        }
    }
    let reply = reply.expect(429);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(reply.json()["retry_after_seconds"], seconds);
}

async fn operators_see_and_pace_jobs(db: TestDb) {
    let server = TestServer::start(db).await;
    server.wharf().start_jobs();
    let operator = server.http();
    let (_, member) = server.member("ada").await;
    member.get("/api/v1/admin/jobs").await.expect(403);
    let jobs = operator.get("/api/v1/admin/jobs").await.expect(200).json();
    let path = format!("/api/v1/admin/jobs/{}", jobs[0]["name"].as_str().unwrap());
    let paced = operator
        .json(Method::PATCH, &path, &json!({ "pace_percent": 7 }))
        .await
        .expect(200);
    assert_eq!(paced.json()["pace_percent"], 7);
    operator
        .json(Method::PATCH, &path, &json!({ "pace_percent": 101 }))
        .await
        .expect(400);
    let nowhere = "/api/v1/admin/jobs/nothing";
    operator
        .json(Method::PATCH, nowhere, &json!({}))
        .await
        .expect(404);
    server.wharf().jobs().stop(Duration::from_secs(5)).await;
}

async fn operators_see_what_is_held(db: TestDb) {
    let server = TestServer::start(db).await;
    let operator = server.http();
    let (_, member) = server.member("ada").await;
    member.get("/api/v1/admin/storage").await.expect(403);
    let storage = || async {
        operator
            .get("/api/v1/admin/storage")
            .await
            .expect(200)
            .json()
    };
    let empty = storage().await;
    assert_eq!(empty["segments_count"], 0);
    assert_eq!(empty["used_bytes"], 0);
    assert!(empty.get("scrub").is_none(), "it has not begun");
    let text = "the same words ".repeat(1_000);
    for name in ["one.txt", "two.txt"] {
        let path = format!("/api/v1/rooms/home/content/{name}");
        member
            .send(Method::PUT, &path, &[], text.clone())
            .await
            .expect(201);
    }
    let held = storage().await;
    assert_eq!(held["used_bytes"], 2 * text.len());
    assert_eq!(held["chunks_count"], 1, "both are the same chunk");
    assert!(held["segments_bytes"].as_u64().unwrap() < text.len() as u64);
}

async fn a_password_of_a_gateway_is_made_listed_and_removed(db: TestDb) {
    let server = TestServer::start(db).await;
    let (_, ada) = server.member("ada").await;
    let path = "/api/v1/account/app-passwords";
    let made = ada
        .post(path, &json!({ "door": "netdisk" }))
        .await
        .expect(201)
        .json();
    assert!(made["password"].as_str().unwrap().len() > 20);
    let listed = ada.get(path).await.expect(200).json();
    assert_eq!(listed[0]["door"], "netdisk");
    assert_eq!(listed[0].get("password"), None);
    ada.post(path, &json!({ "door": "http" })).await.expect(400);
    let one = format!("{path}/netdisk");
    ada.send(Method::DELETE, &one, &[], "").await.expect(204);
    ada.send(Method::DELETE, &one, &[], "").await.expect(404);
    let none = format!("{path}/http");
    ada.send(Method::DELETE, &none, &[], "").await.expect(400);
}
