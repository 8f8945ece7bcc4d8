//! What people and operators do about gateways: their passwords and tokens, their settings, and what the doctor sees.

use std::net::UdpSocket;

use serde_json::{Value, json};
use wharf_core::accounts::SharedKey;
use wharf_testkit::gateway::filestored::{Filestored, describe};
use wharf_testkit::gateway::netdisk::Netdisk;
use wharf_testkit::program::{OPERATOR, PASSWORD, ServerProcess};
use wharf_wire::gateway::filestored::message::Request;

use super::house::{Ended, House, end, text};

/// What a netdisk client is answered that logs in as the operator.
async fn log_in(server: &ServerProcess, password: &str) -> Value {
    let mut client = Netdisk::connect_to(server.gateway("netdisk").unwrap()).await;
    let fields = [("username", json!(OPERATOR)), ("password", json!(password))];
    client.call("login", &fields).await["error"].clone()
}

/// A client of filestoraged, and the type of the answer to its login.
async fn show_token(server: &ServerProcess, token: &str) -> (Filestored, u8) {
    let address = server.gateway("filestored").unwrap();
    let mut client = Filestored::tcp(address.parse().unwrap()).await;
    let token = token.trim().to_owned();
    let answered = client.ask(Request::Login { token }).await.user_type;
    (client, answered)
}

#[tokio::test]
async fn an_app_password_opens_its_gateway_until_another_is_made_or_it_is_removed() {
    let house = House::with(&["--gateway", "netdisk=127.0.0.1:0"]);
    let made: Ended = house.end(&["app-password", "add", "netdisk"]);
    assert_eq!((made.code, made.out.lines().count()), (0, 1), "{made:?}");
    assert!(made.err.contains("not shown again"), "{made:?}");
    let first = made.out.trim();
    let listed = house.json(&["app-password", "list"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["door"], "netdisk");
    assert_eq!(listed[0].get("password"), None, "{listed:?}");
    assert!(house.run(&["app-password", "list"]).contains("never"));
    assert_eq!(
        log_in(&house.server, PASSWORD).await,
        1,
        "the account's own"
    );
    assert_eq!(log_in(&house.server, first).await, 0);
    assert!(!house.run(&["app-password", "list"]).contains("never"));

    let second = house.json(&["app-password", "add", "netdisk"]);
    let second = second[0]["password"].as_str().unwrap();
    assert_eq!(log_in(&house.server, first).await, 1, "it was replaced");
    assert_eq!(log_in(&house.server, second).await, 0);
    house.run(&["app-password", "remove", "netdisk"]);
    assert_eq!(log_in(&house.server, second).await, 1, "it was removed");
    assert_eq!(house.end(&["app-password", "remove", "netdisk"]).code, 4);
    assert_eq!(house.end(&["app-password", "add", "diary"]).code, 2);
}

#[tokio::test]
async fn a_token_is_a_device_that_is_let_in_by_its_gateway_alone_until_it_is_revoked() {
    let house = House::with(&["--gateway", "filestored=127.0.0.1:0"]);
    assert_eq!(
        house.end(&["token"]).code,
        2,
        "there is one kind, to be named"
    );
    let made = house.end(&["token", "--jwt", "--device", "backup of the lab"]);
    assert_eq!(
        (made.code, made.out.trim().split('.').count()),
        (0, 3),
        "{made:?}"
    );
    let devices = house.run(&["devices"]);
    assert!(devices.contains("backup of the lab"), "{devices}");
    let (mut client, answered) = show_token(&house.server, &made.out).await;
    assert_eq!(answered, 5);
    let script = house
        .device("script")
        .with("WHARF_TOKEN", made.out.trim())
        .with("WHARF_SERVER", house.server.url());
    let refused = end(&script, &["whoami"]);
    assert_eq!(refused.code, 3, "{refused:?}");

    let other = house.json(&["token", "--jwt"]);
    assert_eq!(other[0]["session"]["device"], "filestored");
    let id = other[0]["session"]["id"].as_str().unwrap();
    let token = other[0]["token"].as_str().unwrap();
    assert_eq!(show_token(&house.server, token).await.1, 5);
    house.run(&["devices", "revoke", id]);
    assert_eq!(show_token(&house.server, token).await.1, 200);
    assert_eq!(client.put("f", b"still let in", &[]).await.user_type, 20);
    assert!(house.run(&["ls", "/filestored"]).contains('f'));
}

#[tokio::test]
async fn filestored_goes_by_the_keys_of_its_table() {
    const KEY: &[u8] = b"thirty-two bytes that two services know";
    let folder = tempfile::tempdir().unwrap();
    let (key_file, run_dir) = (folder.path().join("authd.key"), folder.path().join("ipc"));
    std::fs::write(&key_file, [KEY, b"\n"].concat()).unwrap();
    std::fs::create_dir(&run_dir).unwrap();
    let settings = format!(
        "[gateway.filestored]\nlisten = \"127.0.0.1:0\"\nrun_dir = \"{}\"\nkey_file = \"{}\"\nfile_bytes = 1500\n",
        text(&run_dir),
        text(&key_file)
    );
    let config = folder.path().join("config.toml");
    std::fs::write(&config, settings).unwrap();
    let house = House::with(&["--config", &text(&config)]);
    let token = SharedKey::new(KEY).unwrap().sign(OPERATOR, 1).unwrap();
    let (mut client, answered) = show_token(&house.server, &token).await;
    assert_eq!(answered, 5, "whoever has the key is believed");
    let file = describe("large", &[1; 1501], &[]);
    let large = client.ask(Request::Upload { file }).await;
    assert_eq!((large.user_type, &large.body["limit"]), (207, &json!(1500)));
    assert_eq!(client.put("small", &[1; 1500], &[]).await.user_type, 20);
    for socket in ["filestorage", "filestorage-0-0"] {
        assert!(run_dir.join(socket).try_exists().unwrap(), "{socket}");
    }
    house.server.stop().unwrap();
    assert!(!run_dir.join("filestorage").try_exists().unwrap());

    std::fs::write(&key_file, "too short").unwrap();
    let data = text(&house.folder.path().join("data"));
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &data,
        "--config",
        &text(&config),
    ];
    let refused: Ended = house.program.output(serve).unwrap().into();
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(
        refused.err.contains("32 bytes at least") && refused.err.contains("authd.key"),
        "{refused:?}"
    );
}

/// The doctor's check of datagrams.
fn datagrams(house: &House, config: &str) -> Value {
    let device = house.device("operator's shell");
    let nowhere = text(&house.path("no data"));
    let said = end(
        &device,
        &["doctor", "--json", "--data", &nowhere, "--config", config],
    );
    let checks = super::house::objects(&said.out);
    let check = checks.iter().find(|check| check["name"] == "datagrams");
    check.cloned().unwrap_or_default()
}

#[test]
fn the_doctor_tells_how_many_datagrams_the_kernel_has_dropped() {
    let house = House::new();
    let none = house.write("none.toml", "");
    assert_eq!(
        datagrams(&house, &none),
        Value::Null,
        "there is no such gateway"
    );
    let port = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    let settings = format!("[gateway.diary]\nlisten = \"{address}\"\n");
    let config = house.write("config.toml", settings);
    let fresh = datagrams(&house, &config);
    assert_eq!(fresh["health"], "good", "{fresh}");
    assert_eq!(fresh["detail"], "the kernel has dropped 0");
    // Nobody reads them, and no buffer holds this much.
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..20_000 {
        sender.send_to(&[b'x'; 1_000], address).unwrap();
    }
    let full = datagrams(&house, &config);
    assert_eq!(full["health"], "warning", "{full}");
    assert!(full["hint"].is_string(), "{full}");
    let nobody = house.write("nobody.toml", "[gateway.diary]\nlisten = \"127.0.0.1:1\"\n");
    let gone = datagrams(&house, &nobody);
    assert_eq!(gone["health"], "skipped", "{gone}");
}
