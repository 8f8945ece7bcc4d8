//! Who is let in, who is whose friend, and who is there.

use std::time::Duration;

use http::Method;
use serde_json::json;
use wharf_server::gateway::GatewayName;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::pychat::{PyChat, md5_hex};
use wharf_testkit::server::{Setup, TestServer};
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::contact::{Contact, ContactState, Contacts};
use wharf_wire::gateway::pychat::{Number, Push, Request};

use crate::wait::until;

use super::{Somebody, befriend, config, friends, serve, text};

both_engines!(
    a_friend_is_asked_and_agrees_by_asking,
    an_old_client_is_told_who_asks,
    a_number_is_believed_from_where_it_logged_in,
    an_account_is_made_where_sign_up_is_open,
    only_contacts_are_told_who_is_there,
    somebody_blocked_is_no_friend,
);

fn add(who: &PyChat, friend: &PyChat) -> Request {
    Request::AddFriend {
        who: who.me,
        friend: friend.me,
    }
}

async fn contact(of: &Somebody, other: &Somebody) -> Option<Contact> {
    let all = of.http.get("/api/v1/contacts").await.expect(200).json();
    let all: Contacts = serde_json::from_value(all).unwrap();
    let id = other.login.account.id;
    all.items
        .into_iter()
        .find(|contact| contact.person.id == id)
}

async fn a_friend_is_asked_and_agrees_by_asking(db: TestDb) {
    let server = serve(db).await;
    let ada = Somebody::new(&server, "ada").await;
    let ben = Somebody::new(&server, "ben").await;
    let (mut command, _silent) = ada.chat.start().await;
    let asked = ada.chat.ask_text(&add(&ada.chat, &ben.chat)).await;
    assert_eq!(asked, format!("{}|ben|OFFLINE", ben.chat.me));
    let again = ada.chat.ask_text(&add(&ada.chat, &ben.chat)).await;
    assert_eq!(again, "你们已经是好友啦");
    assert_eq!(
        contact(&ada, &ben).await.unwrap().state,
        ContactState::Asked
    );
    let friends = ada
        .chat
        .ask_text(&Request::Friends { who: ada.chat.me })
        .await;
    let wanted = format!("OK|{}|ada|{}|ben", ada.chat.me, ben.chat.me);
    assert_eq!(friends, wanted);
    // No consent yet: nothing is sent, and it says so.
    let mut chat = ada.chat.chat(&ben.chat).await;
    chat.say(&ada.chat.message(&ben.chat, "too soon")).await;
    assert_eq!(chat.text().await, "对方还没有同意加你为好友,消息没有送出");
    let (_command, _silent) = ben.chat.start().await;
    let agreed = ben.chat.ask_text(&add(&ben.chat, &ada.chat)).await;
    assert!(
        agreed.starts_with(&format!("{}|ada|", ada.chat.me)),
        "{agreed}"
    );
    assert_eq!(
        contact(&ada, &ben).await.unwrap().state,
        ContactState::Contact
    );
    assert_eq!(command.push().await, Push::Up(ben.chat.me));
    chat.say(&ada.chat.message(&ben.chat, "now")).await;
    let room = contact(&ada, &ben).await.unwrap().room.unwrap();
    // Nothing answers a message that could be sent.
    until(|| async {
        let log = ben.http.get(&format!("/api/v1/rooms/{room}/log")).await;
        log.expect(200).json().to_string().contains("now")
    })
    .await;
}

async fn an_old_client_is_told_who_asks(db: TestDb) {
    let server = serve(db).await;
    let ada = Somebody::new(&server, "ada").await;
    let ben = Somebody::new(&server, "ben").await;
    let asks = Push::NewSession {
        sender: ada.chat.me,
        text: format!("{}请求加你为好友", ben.chat.me).into_bytes(),
    };
    let (mut command, _silent) = ada.chat.start().await;
    let ask = json!({ "who": "ada" });
    ben.http.post("/api/v1/contacts", &ask).await.expect(200);
    assert_eq!(command.push().await, asks);
    ada.chat.down().await;
    let (mut command, _silent) = ada.chat.start().await;
    assert_eq!(command.push().await, asks, "until it is answered");
    let agreed = ada.chat.ask_text(&add(&ada.chat, &ben.chat)).await;
    assert_eq!(agreed, format!("{}|ben|OFFLINE", ben.chat.me));
    assert_eq!(
        contact(&ada, &ben).await.unwrap().state,
        ContactState::Contact
    );
}

async fn a_number_is_believed_from_where_it_logged_in(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    ben.say(room, text("secret")).await;
    let mut wrong = ada.chat.clone();
    wrong.password_md5 = md5_hex("guess");
    assert_eq!(wrong.log_in().await, "LOGIN FAIL");
    let friends = Request::Friends { who: ada.chat.me };
    let none = ada.chat.ask_text(&friends).await;
    assert_eq!(none, "号码为空", "nobody logged in here");
    assert_eq!(ada.chat.left().await, "NONE");
    assert_eq!(
        ada.chat.ask_text(&Request::Online { who: None }).await,
        "OK|"
    );
    let mut chat = ada
        .chat
        .stay(&Request::NewSession {
            who: ada.chat.me,
            friend: ben.chat.me,
        })
        .await;
    chat.say(&ada.chat.message(&ben.chat, "forged")).await;
    assert!(chat.is_silent_for(Duration::from_millis(200)).await);
    assert_eq!(ada.chat.log_in().await, "ada");
    assert!(ada.chat.ask_text(&friends).await.starts_with("OK|"));
    ada.chat.down().await;
    assert_eq!(ada.chat.ask_text(&friends).await, "号码为空", "after DOWN");
    // The password is taken back: what stands with it ends.
    let (mut command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    assert_eq!(chat.text().await, "secret", "what waited goes there");
    let path = "/api/v1/account/app-passwords/pychat";
    ada.http
        .send(Method::DELETE, path, &[], "")
        .await
        .expect(204);
    assert_eq!(chat.read(1).await, b"");
    assert!(command.is_silent_for(Duration::from_millis(100)).await);
    assert_eq!(ada.chat.ask_text(&friends).await, "号码为空");
    assert_eq!(ada.chat.log_in().await, "LOGIN FAIL");
    let texts = ada.log(room).await;
    assert!(!format!("{texts:?}").contains("forged"));
}

async fn an_account_is_made_where_sign_up_is_open(db: TestDb) {
    let mut server = serve(db).await;
    let address = server.gateway(GatewayName::PyChat).parse().unwrap();
    let nobody = PyChat::new(address, 0, "");
    let sign_in = |email: &str| Request::SignIn {
        email: email.as_bytes().to_vec(),
        nickname: "鲍|勃".as_bytes().to_vec(),
        password_md5: md5_hex("chosen").into_bytes(),
    };
    let number = nobody.ask_text(&sign_in("bob@x.org")).await;
    assert_eq!(number.len(), 6, "{number}");
    let bob = PyChat::new(address, number.parse().unwrap(), &md5_hex("chosen"));
    assert_eq!(bob.log_in().await, "鲍｜勃");
    let find = Request::Find { who: bob.me };
    assert_eq!(bob.ask_text(&find).await, "[鲍｜勃]bob@x.org", "oneself");
    let ada = Somebody::new(&server, "ada").await;
    ada.chat.log_in().await;
    let found = ada.chat.ask_text(&find).await;
    assert!(
        found.starts_with("[鲍｜勃]bob") && !found.contains('@'),
        "{found}"
    );
    let find = Request::Find { who: Number(123) };
    assert_eq!(ada.chat.ask_text(&find).await, "号码为空");
    assert_eq!(nobody.ask_text(&sign_in("bob@x.org")).await, "邮箱已被注册");
    assert_eq!(
        nobody.ask_text(&sign_in("no address")).await,
        "邮箱、昵称或密码无效"
    );
    server.stop().await;
    let db = tokio::task::spawn_blocking(|| TestDb::open(wharf_testkit::db::Engine::Sqlite));
    let mut setup = Setup::default();
    setup.house.signup = SignupPolicy::Invitation;
    setup.server.gateways.pychat = Some(config());
    server = TestServer::start_with(db.await.unwrap(), setup).await;
    let address = server.gateway(GatewayName::PyChat).parse().unwrap();
    let nobody = PyChat::new(address, 0, "");
    assert_eq!(nobody.ask_text(&sign_in("bob@x.org")).await, "注册未开放");
}

async fn only_contacts_are_told_who_is_there(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, _) = friends(&server).await;
    let cleo = Somebody::new(&server, "cleo").await;
    let (mut command, _silent) = ada.chat.start().await;
    // A friend at another door is there like one at this one; a stranger is not.
    let (_strangers, _silent2) = cleo.chat.start().await;
    assert!(command.is_silent_for(Duration::from_millis(1_500)).await);
    let mut live = server.live(&ben.login.token).await;
    live.begin().await;
    assert_eq!(command.push().await, Push::Up(ben.chat.me));
    let who = Some(ada.chat.me);
    let online = ada.chat.ask_text(&Request::Online { who }).await;
    assert_eq!(online, format!("OK|{}|{}", ada.chat.me, ben.chat.me));
    drop(live);
    assert_eq!(command.push().await, Push::Down(ben.chat.me));
    // Logging in twice is being there once.
    let (mut bens, _silent) = ben.chat.start().await;
    assert_eq!(command.push().await, Push::Up(ben.chat.me));
    assert_eq!(ben.chat.log_in().await, "ben");
    ben.chat.down().await;
    assert_eq!(command.push().await, Push::Down(ben.chat.me));
    assert_eq!(bens.push().await, Push::Down(ben.chat.me));
}

async fn somebody_blocked_is_no_friend(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, _) = friends(&server).await;
    let cleo = Somebody::new(&server, "cleo").await;
    befriend(&ada, &cleo).await;
    let path = format!("/api/v1/contacts/{}", ben.login.account.id);
    let block = json!({ "is_blocked": true }).to_string();
    let headers = [("content-type", "application/json")];
    let block = ada.http.send(Method::PATCH, &path, &headers, block).await;
    block.expect(200);
    let (_command, _silent) = ada.chat.start().await;
    let friends = ada
        .chat
        .ask_text(&Request::Friends { who: ada.chat.me })
        .await;
    let wanted = format!("OK|{}|ada|{}|cleo", ada.chat.me, cleo.chat.me);
    assert_eq!(friends, wanted);
    let (_command, _silent) = ben.chat.start().await;
    let mut chat = ben.chat.chat(&ada.chat).await;
    chat.say(&ben.chat.message(&ada.chat, "hello?")).await;
    assert_eq!(chat.text().await, "消息没有送出: 没有权限");
}
