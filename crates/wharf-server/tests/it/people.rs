//! Contacts, rooms and members over HTTP.

use http::Method;
use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Http, TestServer};

both_engines!(
    two_people_become_contacts_and_have_a_room,
    requests_are_declined_contacts_are_kept_in_groups_and_blocked,
    a_group_is_made_changed_and_left,
    people_come_by_invitation_and_by_link,
    a_room_is_handed_over,
    the_account_s_list_is_a_stream,
    a_person_says_who_they_are,
    a_file_of_a_room_is_saved_in_one_s_own_drive,
);

/// A person of a test.
pub(crate) struct Somebody {
    pub(crate) id: Value,
    pub(crate) http: Http,
}

impl Somebody {
    pub(crate) async fn new(server: &TestServer, name: &str) -> Self {
        let (session, http) = server.member(name).await;
        Self {
            id: json!(session.account.id),
            http,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.http
            .get(&format!("/api/v1/{path}"))
            .await
            .expect(200)
            .json()
    }

    /// Sends JSON, and gives the answer of the expected status, if it has any.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        status: u16,
    ) -> Value {
        let reply = self
            .http
            .json(method, &format!("/api/v1/{path}"), body)
            .await
            .expect(status);
        if reply.body.is_empty() {
            Value::Null
        } else {
            reply.json()
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.send(Method::POST, path, body, status).await
    }

    pub(crate) async fn delete(&self, path: &str, status: u16) {
        self.send(Method::DELETE, path, &Value::Null, status).await;
    }

    /// The id as it stands in a path.
    pub(crate) fn id(&self) -> &str {
        self.id.as_str().unwrap()
    }
}

/// Two people who are contacts, and their direct room.
pub(crate) async fn friends(server: &TestServer) -> (Somebody, Somebody, String) {
    let ada = Somebody::new(server, "ada").await;
    let bob = Somebody::new(server, "bob").await;
    ada.post("contacts", &json!({ "who": "bob" }), 200).await;
    let accept = format!("contacts/{}/accept", ada.id());
    let contact = bob.post(&accept, &Value::Null, 200).await;
    let room = contact["room"].as_str().unwrap().to_owned();
    (ada, bob, room)
}

/// A group of these two.
pub(crate) async fn group(ada: &Somebody, bob: &Somebody, role: &str) -> String {
    let room = ada.post("rooms", &json!({ "name": "Team" }), 200).await;
    let room = room["id"].as_str().unwrap().to_owned();
    let invite = json!({ "account": bob.id, "role": role });
    ada.post(&format!("rooms/{room}/invitations"), &invite, 204)
        .await;
    bob.post(
        &format!("room-invitations/{room}/accept"),
        &Value::Null,
        200,
    )
    .await;
    room
}

async fn two_people_become_contacts_and_have_a_room(db: TestDb) {
    let server = TestServer::start(db).await;
    let ada = Somebody::new(&server, "ada").await;
    let bob = Somebody::new(&server, "bob").await;
    let found = ada.get("people?who=BOB").await;
    assert_eq!((&found["id"], &found["username"]), (&bob.id, &json!("bob")));
    ada.http.get("/api/v1/people?who=nobody").await.expect(404);
    ada.http.get("/api/v1/people").await.expect(400);

    let ask = json!({ "who": found["number"].to_string(), "word": "it is me" });
    let asked = ada.post("contacts", &ask, 200).await;
    assert_eq!(
        (&asked["state"], &asked["person"]["id"]),
        (&json!("asked"), &bob.id)
    );
    let waiting = &bob.get("contacts").await["items"][0];
    assert_eq!(
        (&waiting["state"], &waiting["word"]),
        (&json!("asking"), &json!("it is me"))
    );
    let accept = format!("contacts/{}/accept", ada.id());
    let contact = bob.post(&accept, &Value::Null, 200).await;
    assert_eq!(contact["state"], "contact");
    let room = format!("rooms/{}", contact["room"].as_str().unwrap());
    let (hers, his) = (ada.get(&room).await, bob.get(&room).await);
    assert_eq!(
        (&hers["kind"], &hers["can_write"]),
        (&json!("direct"), &json!(true))
    );
    assert_eq!(
        (&hers["peer"]["id"], &his["peer"]["id"]),
        (&bob.id, &ada.id)
    );
    let rooms = ada.get("rooms").await;
    assert_eq!(
        rooms["items"].as_array().unwrap().len(),
        2,
        "it and her own"
    );
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn requests_are_declined_contacts_are_kept_in_groups_and_blocked(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let cleo = Somebody::new(&server, "cleo").await;
    cleo.post("contacts", &json!({ "who": "ada" }), 200).await;
    ada.post(
        &format!("contacts/{}/decline", cleo.id()),
        &Value::Null,
        204,
    )
    .await;
    assert_eq!(
        cleo.get("contacts").await["items"][0]["state"],
        "asked",
        "who was declined is not told"
    );

    let family = ada
        .post(
            "contact-groups",
            &json!({ "name": "Family", "order": 2 }),
            201,
        )
        .await;
    ada.post("contact-groups", &json!({ "name": "family" }), 409)
        .await;
    let path = format!("contact-groups/{}", family["id"].as_str().unwrap());
    let renamed = ada
        .send(Method::PATCH, &path, &json!({ "name": "Friends" }), 200)
        .await;
    assert_eq!(
        (&renamed["name"], &renamed["order"]),
        (&json!("Friends"), &json!(2))
    );
    let contact = format!("contacts/{}", bob.id());
    let edit = json!({ "remark": "Bobby", "group": family["id"] });
    let edited = ada.send(Method::PATCH, &contact, &edit, 200).await;
    assert_eq!(
        (&edited["remark"], &edited["group"]),
        (&json!("Bobby"), &family["id"])
    );
    ada.delete(&path, 204).await;
    ada.delete(&path, 404).await;
    let contacts = ada.get("contacts").await;
    assert_eq!(contacts["items"][0].get("group"), None);
    assert_eq!(contacts["groups"], json!([]));

    let block = json!({ "is_blocked": true });
    ada.send(Method::PATCH, &contact, &block, 200).await;
    let room = format!("rooms/{room}");
    assert_eq!(bob.get(&room).await["can_write"], false);
    ada.delete(&contact, 204).await;
    bob.get(&room).await;
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_group_is_made_changed_and_left(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, direct) = friends(&server).await;
    let create = json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "Team", "topic": "work", "invite": [bob.id],
    });
    let room = ada.post("rooms", &create, 200).await;
    assert_eq!(
        (&room["kind"], &room["role"]),
        (&json!("group"), &json!("owner"))
    );
    let again = ada.post("rooms", &create, 200).await;
    assert_eq!(again["id"], room["id"]);
    ada.post("rooms", &json!({ "name": "" }), 400).await;

    let path = format!("rooms/{}", room["id"].as_str().unwrap());
    bob.post(
        &format!("room-invitations/{}/accept", room["id"].as_str().unwrap()),
        &Value::Null,
        200,
    )
    .await;
    let edit = json!({ "name": "The team", "keep_days": 30, "archived": true });
    let edited = ada.send(Method::PATCH, &path, &edit, 200).await;
    assert_eq!(
        (
            &edited["name"],
            &edited["keep_days"],
            &edited["archived"],
            &edited["can_write"]
        ),
        (&json!("The team"), &json!(30), &json!(true), &json!(false))
    );
    bob.send(Method::PATCH, &path, &json!({ "name": "Mine" }), 403)
        .await;
    ada.send(
        Method::PATCH,
        &format!("rooms/{direct}"),
        &json!({ "name": "Us" }),
        403,
    )
    .await;
    let prefer = json!({ "is_pinned": true, "notify": "mentions", "draft": "x".repeat(65_000) });
    let preferred = bob
        .send(Method::PATCH, &format!("{path}/preferences"), &prefer, 200)
        .await;
    assert_eq!(preferred["preferences"]["is_pinned"], true);
    assert_eq!(ada.get(&path).await["preferences"]["is_pinned"], false);

    ada.post(&format!("{path}/leave"), &Value::Null, 403).await;
    bob.post(&format!("{path}/leave"), &Value::Null, 204).await;
    bob.http.get(&format!("/api/v1/{path}")).await.expect(404);
    let people = ada.get(&format!("{path}/members")).await;
    assert_eq!(people["items"][1]["person"]["id"], bob.id);
    assert_eq!(people["items"][1].get("role"), None, "he was one");
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn people_come_by_invitation_and_by_link(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let cleo = Somebody::new(&server, "cleo").await;
    let room = ada.post("rooms", &json!({ "name": "Team" }), 200).await;
    let id = room["id"].as_str().unwrap();
    let path = format!("rooms/{id}");
    let invitations = format!("{path}/invitations");
    ada.post(&invitations, &json!({ "account": cleo.id }), 403)
        .await;
    ada.post(
        &invitations,
        &json!({ "account": bob.id, "role": "owner" }),
        400,
    )
    .await;
    ada.post(
        &invitations,
        &json!({ "account": bob.id, "role": "reader" }),
        204,
    )
    .await;
    let waiting = bob.get("room-invitations").await;
    assert_eq!(
        (
            &waiting[0]["room"],
            &waiting[0]["role"],
            &waiting[0]["by"]["id"]
        ),
        (&room["id"], &json!("reader"), &ada.id)
    );
    ada.delete(&format!("{invitations}/{}", bob.id()), 204)
        .await;
    assert_eq!(bob.get("room-invitations").await, json!([]));
    bob.post(&format!("room-invitations/{id}/accept"), &Value::Null, 404)
        .await;
    ada.post(&invitations, &json!({ "account": bob.id }), 204)
        .await;
    bob.post(&format!("room-invitations/{id}/decline"), &Value::Null, 204)
        .await;
    bob.http.get(&format!("/api/v1/{path}")).await.expect(404);

    let links = format!("{path}/links");
    let link = ada
        .post(&links, &json!({ "uses": 1, "role": "reader" }), 201)
        .await;
    let code = link["code"].as_str().unwrap();
    let listed = ada.get(&links).await;
    assert_eq!(listed["items"][0]["id"], link["id"]);
    assert_eq!(listed["items"][0].get("code"), None);
    let seen = cleo.get(&format!("join?code={code}")).await;
    assert_eq!(
        (&seen["name"], &seen["member_count"]),
        (&json!("Team"), &json!(1))
    );
    let joined = cleo.post("join", &json!({ "code": code }), 200).await;
    assert_eq!(
        (&joined["id"], &joined["role"]),
        (&room["id"], &json!("reader"))
    );
    bob.post("join", &json!({ "code": code }), 404).await;
    let link = ada.post(&links, &json!({}), 201).await;
    ada.delete(&format!("{links}/{}", link["id"].as_str().unwrap()), 204)
        .await;
    bob.post("join", &json!({ "code": link["code"] }), 404)
        .await;

    ada.delete(&format!("{path}/members/{}", cleo.id()), 204)
        .await;
    cleo.http.get(&format!("/api/v1/{path}")).await.expect(404);
}

async fn a_room_is_handed_over(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let room = group(&ada, &bob, "reader").await;
    let path = format!("rooms/{room}");
    let member = format!("{path}/members/{}", bob.id());
    bob.send(Method::PATCH, &member, &json!({ "role": "owner" }), 403)
        .await;
    ada.send(Method::PATCH, &member, &json!({ "role": "editor" }), 204)
        .await;
    assert_eq!(bob.get(&path).await["can_write"], true);
    ada.send(Method::PATCH, &member, &json!({ "role": "owner" }), 204)
        .await;
    let (hers, his) = (ada.get(&path).await, bob.get(&path).await);
    assert_eq!(
        (&hers["role"], &his["role"]),
        (&json!("editor"), &json!("owner"))
    );
    assert_eq!(hers["owner"], bob.id);
    ada.post(&format!("{path}/leave"), &Value::Null, 204).await;
}

async fn the_account_s_list_is_a_stream(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let whole = bob.get("list").await;
    let version = whole["version"].as_u64().unwrap();
    let kinds = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["item"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(kinds(&whole).contains(&"contact".to_owned()));
    let room = group(&ada, &bob, "editor").await;
    let changed = bob.get(&format!("list?after={version}")).await;
    assert!(changed["version"].as_u64().unwrap() > version);
    assert!(kinds(&changed).contains(&"room".to_owned()), "{changed}");
    ada.delete(&format!("rooms/{room}/members/{}", bob.id()), 204)
        .await;
    let after = changed["version"].as_u64().unwrap();
    let gone = bob.get(&format!("list?after={after}")).await;
    assert!(kinds(&gone).contains(&"room_gone".to_owned()), "{gone}");
    bob.http.get("/api/v1/list?after=1000000").await.expect(409);
}

async fn a_person_says_who_they_are(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let profile = json!({ "nickname": "Ada L.", "status_text": "at the engine" });
    let account = ada.send(Method::PATCH, "account", &profile, 200).await;
    assert_eq!(account["nickname"], "Ada L.");
    let seen = &bob.get("contacts").await["items"][0]["person"];
    assert_eq!(
        (&seen["nickname"], &seen["status_text"]),
        (&json!("Ada L."), &json!("at the engine"))
    );
    ada.send(Method::PATCH, "account", &json!({ "nickname": "" }), 400)
        .await;
    ada.send(Method::PATCH, "account", &json!({ "number": 1 }), 400)
        .await;
}

async fn a_file_of_a_room_is_saved_in_one_s_own_drive(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let room = group(&ada, &bob, "reader").await;
    let content = format!("/api/v1/rooms/{room}/content/plan.txt");
    ada.http
        .send(Method::PUT, &content, &[], "the plan")
        .await
        .expect(201);
    bob.http
        .send(Method::PUT, &content, &[], "mine")
        .await
        .expect(403);
    let node = bob.get(&format!("rooms/{room}/node?path=plan.txt")).await;
    let save = json!({ "node": node["id"], "folder": "from the team" });
    let path = format!("rooms/{room}/save");
    let saved = bob.post(&path, &save, 200).await;
    assert_eq!(saved["content"], node["content"]);
    let again = bob.post(&path, &save, 200).await;
    assert_eq!(again["id"], saved["id"]);
    let mine = bob
        .http
        .get("/api/v1/rooms/home/content/from%20the%20team/plan.txt")
        .await
        .expect(200);
    assert_eq!(mine.body, "the plan");
}
