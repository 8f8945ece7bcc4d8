//! The page's door: its files, its policy, and sessions in cookies with whoever tries to use them from elsewhere.

use std::net::SocketAddr;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wharf_server::Config;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, PASSWORD, Reply, Setup, TestServer};

/// What a browser says of a request of the page itself.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

async fn enter(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    let body = json!({ "login": "operator", "password": PASSWORD }).to_string();
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    Http::new(server.address())
        .send(Method::POST, "/api/v1/page/login", &headers, body)
        .await
}

/// The `name=value` of the cookie that a log-in sets.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_of_the_page_sets_a_cookie_that_scripts_cannot_read() {
    let server = TestServer::on(Engine::Sqlite).await;
    let reply = enter(&server, &[OWN]).await.expect(200);
    let set = reply.header("set-cookie").unwrap();
    assert!(set.starts_with("wharf-"), "{set}");
    assert!(set.contains("; HttpOnly; SameSite=Strict"), "{set}");
    assert!(set.contains("; Path=/; Max-Age="), "{set}");
    assert!(!set.contains("Secure"), "{set}");
    let body = reply.json();
    assert!(body.get("token").is_none(), "{body}");
    assert_eq!(body["account"]["username"], "operator");

    let cookie = cookie(&reply);
    let stranger = Http::new(server.address());
    stranger
        .get_with("/api/v1/account", &[("cookie", &cookie)])
        .await
        .expect(200);
    let left = [("cookie", cookie.as_str()), OWN];
    let reply = stranger
        .send(Method::POST, "/api/v1/logout", &left, "")
        .await
        .expect(204);
    assert!(
        reply
            .header("set-cookie")
            .unwrap()
            .contains("=; Path=/; Max-Age=0;")
    );
    stranger
        .get_with("/api/v1/account", &[("cookie", &cookie)])
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_of_the_page_sets_a_cookie() {
    let server = TestServer::on(Engine::Sqlite).await;
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let headers = [OWN, ("content-type", "application/json")];
    let reply = Http::new(server.address())
        .send(Method::POST, "/api/v1/page/signup", &headers, body)
        .await
        .expect(201);
    assert!(reply.json().get("token").is_none());
    Http::new(server.address())
        .get_with("/api/v1/account", &[("cookie", &cookie(&reply))])
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_can_neither_log_in_nor_use_the_cookie() {
    let server = TestServer::on(Engine::Sqlite).await;
    let own_origin = format!("http://{}", server.address());
    let foreign: [&[(&str, &str)]; 6] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &own_origin)],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
    ];
    for headers in foreign {
        enter(&server, headers).await.expect(403);
    }
    let cookie = cookie(&enter(&server, &[("origin", &own_origin)]).await.expect(200));
    let stranger = Http::new(server.address());
    let room = json!({ "name": "Planted" }).to_string();
    let create = |extra: &[(&str, &str)]| {
        let mut headers = vec![
            ("cookie", cookie.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend_from_slice(extra);
        let headers: Vec<(String, String)> = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (stranger, room) = (stranger.clone(), room.clone());
        async move {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            stranger
                .send(Method::POST, "/api/v1/rooms", &headers, room)
                .await
        }
    };
    for headers in foreign {
        let problem = create(headers).await.expect(403).json();
        assert_eq!(problem["code"], "denied");
    }
    let rooms = server.http().get("/api/v1/rooms").await.expect(200).json();
    let planted = |rooms: &Value| {
        rooms["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|room| room["name"] == "Planted")
            .count()
    };
    assert_eq!(planted(&rooms), 0);
    create(&[OWN]).await.expect(200);
    create(&[("origin", &own_origin)]).await.expect(200);

    // A token in the header needs no such proof, and is the one that counts where both are there.
    let bearer = format!("Bearer {}", server.operator().token);
    create(&[
        ("authorization", &bearer),
        ("origin", "http://evil.example"),
    ])
    .await
    .expect(200);
    create(&[("authorization", "Bearer wrong"), OWN])
        .await
        .expect(401);
    let rooms = server.http().get("/api/v1/rooms").await.expect(200).json();
    assert_eq!(planted(&rooms), 3);
}

/// What a server answers to the upgrade to the live socket with these headers: the status.
async fn upgrade(address: SocketAddr, headers: &[(&str, &str)]) -> u16 {
    let mut request = format!(
        "GET /api/v1/live HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_go_live_with_the_cookie() {
    let server = TestServer::on(Engine::Sqlite).await;
    let address = server.address();
    let cookie = cookie(&enter(&server, &[OWN]).await.expect(200));
    let own_origin = format!("http://{address}");
    let with = |name, value| [("cookie", cookie.as_str()), (name, value)];
    assert_eq!(upgrade(address, &with("origin", &own_origin)).await, 101);
    assert_eq!(upgrade(address, &with(OWN.0, OWN.1)).await, 101);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(upgrade(address, &with("origin", origin)).await, 403);
    }
    assert_eq!(upgrade(address, &[("cookie", &cookie)]).await, 403);
    let site = with("sec-fetch-site", "cross-site");
    assert_eq!(upgrade(address, &site).await, 403);
    let token = format!("wharf.v1, wharf.token.{}", server.operator().token);
    let foreign = [
        ("sec-websocket-protocol", token.as_str()),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(upgrade(address, &foreign).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_with_tls_the_cookie_is_secure_and_bound_to_the_host() {
    let db = tokio::task::spawn_blocking(|| TestDb::open(Engine::Sqlite))
        .await
        .unwrap();
    let setup = Setup {
        server: Config {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            trusted_proxies: vec![[127, 0, 0, 1].into()],
            ..Config::default()
        },
        ..Setup::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let proxied = ("x-forwarded-proto", "https");
    let reply = enter(&server, &[OWN, proxied]).await.expect(200);
    let set = reply.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-wharf="), "{set}");
    assert!(set.ends_with("; Secure"), "{set}");
    // A cookie that was set without TLS is not believed there.
    let token = cookie(&reply);
    let planted = token.replace(
        "__Host-wharf",
        &format!("wharf-{}", server.address().port()),
    );
    let stranger = Http::new(server.address());
    for (cookie, status) in [(&token, 200), (&planted, 401)] {
        stranger
            .get_with("/api/v1/account", &[("cookie", cookie), proxied])
            .await
            .expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_page_is_its_shell_and_nothing_of_others_runs_there() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let browser = [("accept", "text/html,application/xhtml+xml")];
    let shell = stranger.get("/").await.expect(200);
    for path in ["/c/some-room", "/join/code", "/setup/code", "/drive"] {
        let reply = stranger.get_with(path, &browser).await.expect(200);
        assert_eq!(reply.body, shell.body, "{path}");
    }
    stranger.get("/c/some-room").await.expect(404);
    stranger
        .get_with("/api/v1/nothing", &browser)
        .await
        .expect(404);
    stranger
        .get_with("/a/0000/nothing.js", &browser)
        .await
        .expect(404);
    let policy = shell.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let script = std::str::from_utf8(&shell.body)
        .unwrap()
        .split('"')
        .find(|part| part.starts_with("/a/") && part.ends_with("/early.js"))
        .unwrap()
        .to_owned();
    let script = stranger.get(&script).await.expect(200);
    let policy = script.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"));
    assert!(!policy.contains("'unsafe"), "{policy}");
    assert_eq!(shell.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(shell.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        shell.header("cross-origin-opener-policy"),
        Some("same-origin")
    );
    assert_eq!(
        shell.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    let text = std::str::from_utf8(&shell.body).unwrap();
    assert!(!text.contains("<style") && !text.contains("{{"), "{text}");
    let scripts = text.matches("<script").count();
    assert_eq!(
        scripts,
        text.matches("<script src=").count() + text.matches("<script type=\"module\" src=").count()
    );
}

/// The text of the shell, and what the addresses of the page's files begin with.
async fn shell_and_base(stranger: &Http) -> (String, String) {
    let shell = stranger.get("/").await.expect(200);
    let text = String::from_utf8(shell.body.to_vec()).unwrap();
    let base = text
        .split("src=\"")
        .find_map(|part| {
            part.split("/early.js")
                .next()
                .filter(|base| base.starts_with("/a/") && base.len() == 19)
        })
        .unwrap()
        .to_owned();
    (text, base)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_s_files_are_kept_for_ever_under_an_address_that_changes_with_them() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let (text, base) = shell_and_base(&stranger).await;
    let main = format!("{base}/main.js");
    assert!(
        text.contains(&format!("<link rel=\"modulepreload\" href=\"{main}\">")),
        "{text}"
    );
    let plain = stranger.get(&main).await.expect(200);
    assert_eq!(
        plain.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(
        plain.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let packed = stranger
        .get_with(&main, &[("accept-encoding", "br, gzip")])
        .await
        .expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len());
    let refused = stranger
        .get_with(&main, &[("accept-encoding", "gzip;q=0")])
        .await
        .expect(200);
    assert_eq!(refused.body, plain.body);
    let tag = plain.header("etag").unwrap();
    stranger
        .get_with(&main, &[("if-none-match", tag)])
        .await
        .expect(304);
    let old = stranger
        .get("/a/0000000000000000/main.js")
        .await
        .expect(200);
    assert_eq!(old.header("cache-control"), Some("no-store"));
    // What is for people and tools is not served.
    for path in [
        "README.md",
        "types.d.ts",
        "vendor/SHA256SUMS",
        "../Cargo.toml",
        "index.html",
    ] {
        stranger.get(&format!("{base}/{path}")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_gets_the_view_of_the_address_together_with_the_start() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let (plain, base) = shell_and_base(&stranger).await;
    let cookie = cookie(&enter(&server, &[OWN]).await.expect(200));
    let preloads = |text: &str| -> Vec<String> {
        let links = text.split("<link rel=\"modulepreload\" href=\"").skip(1);
        links
            .map(|link| link.split('"').next().unwrap().replace(&base, ""))
            .collect()
    };
    let start = preloads(&plain);
    for (path, view) in [
        ("/", "conversations"),
        ("/c/some-room", "conversations"),
        ("/contacts", "contacts"),
        ("/drive/some-room/files/a/b", "drive"),
        ("/journal", "journal"),
        ("/settings/devices", "settings"),
        ("/administration", "administration"),
    ] {
        let with = [("accept", "text/html"), ("cookie", cookie.as_str())];
        let reply = stranger.get_with(path, &with).await.expect(200);
        let text = std::str::from_utf8(&reply.body).unwrap();
        let found = preloads(text);
        assert!(
            found.contains(&format!("/views/{view}/view.js")),
            "{path}: {found:?}"
        );
        assert!(start.iter().all(|module| found.contains(module)), "{path}");
        assert!(text.contains("as=\"fetch\" crossorigin href=\"/api/v1/account\""));
        for module in &found {
            let address = format!("{base}{module}");
            stranger.get(&address).await.expect(200);
        }
        let tag = reply.header("etag").unwrap();
        let again = [("if-none-match", tag), with[0], with[1]];
        stranger.get_with(path, &again).await.expect(304);
        assert_eq!(reply.header("vary"), Some("accept-encoding, cookie"));
    }
    for path in ["/join/code", "/no-view"] {
        let with = [("accept", "text/html"), ("cookie", cookie.as_str())];
        let reply = stranger.get_with(path, &with).await.expect(200);
        assert_eq!(&reply.body[..], plain.as_bytes(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn style_sheets_are_one_and_the_worker_knows_all_files() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let (_, base) = shell_and_base(&stranger).await;
    let main = format!("{base}/main.js");
    let sheet = stranger.get(&format!("{base}/all.css")).await.expect(200);
    assert_eq!(
        sheet.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let worker = stranger.get("/sw.js").await.expect(200);
    let worker = String::from_utf8(worker.body.to_vec()).unwrap();
    assert!(
        worker.starts_with("self.PAGE = {") && worker.contains(&main),
        "{worker}"
    );
    let manifest = stranger
        .get("/manifest.webmanifest")
        .await
        .expect(200)
        .json();
    let icon = manifest["icons"][0]["src"].as_str().unwrap();
    stranger.get(icon).await.expect(200);
}

#[test]
fn the_libraries_of_the_page_are_what_was_taken() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web/vendor");
    let sums = std::fs::read_to_string(format!("{folder}/SHA256SUMS")).unwrap();
    let listed: Vec<&str> = sums
        .lines()
        .map(|line| {
            let (want, name) = line.split_once("  ").unwrap();
            let bytes = std::fs::read(format!("{folder}/{name}")).unwrap();
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
            assert_eq!(
                data_encoding::HEXLOWER.encode(digest.as_ref()),
                want,
                "{name}"
            );
            name
        })
        .collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_ours = name.ends_with(".d.ts") || name == "README.md" || name == "SHA256SUMS";
        assert!(
            is_ours || listed.contains(&name.as_str()),
            "{name} has no sum"
        );
    }
}
