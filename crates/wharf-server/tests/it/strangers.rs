//! What holds for every route of the API, by its own description: none of them is forgotten here.

use http::Method;
use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Http, TestServer};
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE};

use crate::people::{Somebody, friends, group};

both_engines!(
    every_route_with_a_room_is_not_there_for_strangers_and_former_members,
    every_route_asks_who_it_is,
);

/// An id of nothing.
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A method and path of the description.
struct Route {
    method: Method,
    path: String,
    is_public: bool,
    has_body: bool,
}

fn routes() -> Vec<Route> {
    let document: Value = serde_json::from_str(&wharf_server::openapi_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    paths
        .into_iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().clone();
            operations
                .into_iter()
                .map(move |(method, operation)| Route {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    is_public: operation.get("security").is_some(),
                    has_body: operation.get("requestBody").is_some(),
                })
        })
        .collect()
}

impl Route {
    /// The path with its parameters filled in, and a query where one is needed.
    fn target(&self, room: &str) -> String {
        let path = self
            .path
            .replace("{room}", room)
            .replace("{id}", NOBODY)
            .replace("{position}", "1")
            .replace("{format}", "markdown")
            .replace("{path}", "a.txt")
            .replace("{secret}", "none")
            .replace("{address}", "192.0.2.9");
        assert!(!path.contains('{'), "an unknown parameter: {path}");
        let query = match self.path.as_str() {
            "/api/v1/people" => "?who=ada",
            "/api/v1/join" if self.method == Method::GET => "?code=abc",
            "/api/v1/search" => "?q=a",
            "/api/v1/rooms/{room}/diary/days" => "?from=2026-11-01&to=2026-11-30",
            "/api/v1/rooms/{room}/content" | "/api/v1/rooms/{room}/thumbnail" => "?path=a.txt",
            _ => "",
        };
        format!("{path}{query}")
    }

    /// A body that could be taken in a room.
    fn body(&self, room: &str) -> (&'static str, Vec<u8>) {
        let in_room = self.path.strip_prefix("/api/v1/rooms/{room}");
        let value = match (self.method.as_str(), in_room) {
            ("PATCH", Some("" | "/preferences" | "/hooks/{id}"))
            | ("POST", Some("/links" | "/diary-addresses")) => json!({}),
            ("POST", Some("/journal-keys")) => json!({ "kind": "token", "name": "a" }),
            ("POST", Some("/commit")) => {
                json!({ "id": NOBODY, "ops": [{ "op": "make_folder", "path": "a" }] })
            }
            ("PUT", Some("/content/{path}")) => {
                return ("application/octet-stream", b"a".to_vec());
            }
            ("PUT", Some("/delivered")) => json!({ "device": NOBODY, "position": 1 }),
            ("PUT", Some("/drive/retention")) => json!({ "revision_days": 1, "trash_days": 1 }),
            ("POST", Some("/hooks")) => json!({ "direction": "incoming", "name": "a" }),
            ("POST", Some("/invitations")) => json!({ "account": NOBODY }),
            ("POST", Some("/log")) => {
                json!({ "device": room, "number": 1, "draft": { "kind": "text", "text": "a" } })
            }
            ("PATCH", Some("/members/{id}")) => json!({ "role": "owner" }),
            ("PUT", Some("/read")) => json!({ "position": 1 }),
            ("POST", Some("/save")) => json!({ "node": NOBODY }),
            (method, Some(path)) => {
                assert!(!self.has_body, "no body for {method} {path}");
                Value::Null
            }
            (_, None) => Value::Null,
        };
        ("application/json", value.to_string().into_bytes())
    }
}

async fn every_route_with_a_room_is_not_there_for_strangers_and_former_members(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let room = group(&ada, &bob, "editor").await;
    bob.post(&format!("rooms/{room}/leave"), &Value::Null, 204)
        .await;
    let stranger = Somebody::new(&server, "eve").await;
    let before = ada.get(&format!("rooms/{room}")).await;
    let mut count = 0;
    for route in routes()
        .iter()
        .filter(|route| route.path.contains("{room}"))
    {
        for (who, http) in [("stranger", &stranger.http), ("former member", &bob.http)] {
            let send = async |room: &str| {
                let (kind, body) = route.body(room);
                let headers = [("content-type", kind)];
                http.send(route.method.clone(), &route.target(room), &headers, body)
                    .await
            };
            let (theirs, none) = (send(&room).await, send(NOBODY).await);
            assert_eq!(
                theirs.status, 404,
                "{who}: {} {}: {theirs:?}",
                route.method, route.path
            );
            // It says the same as for a room that there is not.
            let words = |body: &[u8]| -> Option<Value> {
                let mut problem: Value = serde_json::from_slice(body).ok()?;
                problem["request_id"] = Value::Null;
                Some(problem)
            };
            assert_eq!(
                (none.status, words(&none.body)),
                (theirs.status, words(&theirs.body)),
                "{who}: {} {}",
                route.method,
                route.path
            );
        }
        count += 1;
    }
    assert!(count > 40, "the description has {count} routes with a room");
    assert_eq!(ada.get(&format!("rooms/{room}")).await, before);
}

async fn every_route_asks_who_it_is(db: TestDb) {
    let server = TestServer::start(db).await;
    let nobody = Http::new(server.address());
    let somebody = Http::new(server.address()).with_token("wharf_none");
    for route in routes().iter().filter(|route| !route.is_public) {
        let kind = match route.path.as_str() {
            "/api/v1/chunks" => CHUNKS_TYPE,
            path if path.starts_with("/api/v1/chunks/") => HASHES_TYPE,
            _ => "application/json",
        };
        for http in [&nobody, &somebody] {
            let reply = http
                .send(
                    route.method.clone(),
                    &route.target("home"),
                    &[("content-type", kind)],
                    "{}",
                )
                .await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
        }
    }
}
