//! A server with a certificate, and what clients make of it.

use std::fs;
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use wharf_testkit::program::{OPERATOR, Program};

use super::house::{WHARF, text};

#[test]
fn a_certificate_is_believed_only_where_its_authority_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let names = ["127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    fs::write(path("cert.pem"), cert.pem()).unwrap();
    fs::write(path("key.pem"), signing_key.serialize_pem()).unwrap();
    let program = Program::new(WHARF, folder.path().join("home"));
    let half = program
        .output(["config", "check", "--tls-key", &path("key.pem")])
        .unwrap();
    assert_eq!(half.status.code(), Some(2), "{half:?}");

    let files = [
        "--tls-certificate",
        &path("cert.pem"),
        "--tls-key",
        &path("key.pem"),
    ];
    let server = program
        .serve(&folder.path().join("data"), "127.0.0.1:0", files)
        .unwrap();
    assert!(server.url().starts_with("https://"));
    let refused = program
        .output(["login", server.url(), "-u", OPERATOR])
        .unwrap();
    assert_eq!(refused.status.code(), Some(8), "{refused:?}");
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("set `ca` under [client]")
    );

    fs::write(
        path("client.toml"),
        format!("[client]\nca = {:?}\n", path("cert.pem")),
    )
    .unwrap();
    let client = program.clone().with("WHARF_CONFIG", path("client.toml"));
    client.make_operator(&server).unwrap();
    client.run(["put", &path("key.pem")]).unwrap();
    assert_eq!(client.run(["ls", "-1"]).unwrap(), "key.pem\n");

    // SIGHUP reads the files again and ends nothing.
    let pid = server.pid().to_string();
    assert!(
        Command::new("kill")
            .args(["-HUP", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(client.run(["ls", "-1"]).unwrap(), "key.pem\n");
    server.stop().unwrap();
}
