//! Connections: patience, encryption, refusals.

use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::time::Instant;
use wharf_client::net::Options;
use wharf_client::{Api, ApiError};
use wharf_server::TlsFiles;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::proxy::{After, Proxy};
use wharf_testkit::server::{Setup, TestServer};
use wharf_types::ErrorCode;
use wharf_types::api::account::Login;

use crate::fixture::{Fixture, login};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_a_server_that_restarts() {
    let mut fixture = Fixture::new().await;
    fixture.server.restart().await;
    fixture.api.account().await.unwrap();
    let proxy = Proxy::start(fixture.server.address()).await;
    let api = login(proxy.address(), &fixture.server.operator().token).await;
    proxy.cut_now(After::Refuse);
    let heal = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        proxy.heal();
    };
    let (account, ()) = tokio::join!(api.account(), heal);
    account.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends_with_an_error_that_names_the_server() {
    let mut options = Options::new("http://127.0.0.1:1".parse().unwrap());
    options.patience = Duration::from_millis(300);
    let began = Instant::now();
    let error = Api::connect(options).await.unwrap_err();
    assert!(
        matches!(&error, ApiError::Unreachable { server, .. } if server.contains("127.0.0.1:1")),
        "{error}"
    );
    // Far less than the patience of a client that was told nothing.
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_once() {
    let fixture = Fixture::new().await;
    let wrong = Login {
        login: "operator".into(),
        password: "wrong".into(),
        device: None,
    };
    let error = fixture.api.login(&wrong).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Unauthenticated));
    let stranger = fixture.api.with_token("no token").unwrap();
    assert_eq!(
        stranger.account().await.unwrap_err().code(),
        Some(ErrorCode::Unauthenticated)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_server_is_trusted_by_its_certificate_only() {
    let temp = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificates, key) = (temp.path().join("cert.pem"), temp.path().join("key.pem"));
    std::fs::write(&certificates, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let mut setup = Setup::default();
    setup.server.tls = Some(TlsFiles {
        certificates: certificates.clone(),
        key,
    });
    let db = tokio::task::spawn_blocking(|| TestDb::open(Engine::Sqlite))
        .await
        .unwrap();
    let server = TestServer::start_with(db, setup).await;

    let url = format!("https://localhost:{}", server.address().port());
    let mut options = Options::new(url.parse().unwrap());
    options.patience = Duration::from_millis(200);
    options.ca_file = Some(certificates);
    let api = Api::connect(options.clone()).await.unwrap();
    let api = api.with_token(&server.operator().token).unwrap();
    assert_eq!(api.account().await.unwrap().username, "operator");

    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let stranger = temp.path().join("other.pem");
    std::fs::write(&stranger, other.cert.pem()).unwrap();
    options.ca_file = Some(stranger);
    assert!(matches!(
        Api::connect(options).await,
        Err(ApiError::Unreachable { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_files_that_cannot_be_used_are_refused_at_once() {
    for address in ["ftp://host", "unix:/socket"] {
        let error = Api::connect(Options::new(address.parse().unwrap()))
            .await
            .unwrap_err();
        assert!(matches!(error, ApiError::Setup(_)), "{address}: {error}");
    }
    let mut options = Options::new("https://localhost".parse().unwrap());
    options.ca_file = Some("/nowhere/ca.pem".into());
    assert!(matches!(
        Api::connect(options).await,
        Err(ApiError::Setup(_))
    ));
}
