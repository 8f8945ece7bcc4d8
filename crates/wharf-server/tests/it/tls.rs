//! TLS: certificates from files, renewed while the server runs, over HTTP/1.1 and HTTP/2.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, KeyPair};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wharf_server::TlsFiles;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Setup, TestServer};

use crate::wait::until;

fn issue(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey::<KeyPair> { cert, signing_key } =
        rcgen::generate_simple_self_signed(["wharf.example".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

async fn start(folder: &Path) -> TestServer {
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let mut setup = Setup::default();
    setup.server.tls = Some(TlsFiles {
        certificates: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    });
    TestServer::start_with(db, setup).await
}

/// Connects as a client that trusts `certificate` alone and speaks `protocol`.
async fn connect(
    server: &TestServer,
    certificate: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(server.address()).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("wharf.example").unwrap(), stream)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_spoken_under_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = issue(folder.path());
    let server = start(folder.path()).await;
    let request = || {
        Request::get("https://wharf.example/health/live")
            .body(Empty::<Bytes>::new())
            .unwrap()
    };

    let stream = connect(&server, &certificate, "http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let reply = sender.send_request(request()).await.unwrap();
    assert_eq!(
        reply.into_body().collect().await.unwrap().to_bytes(),
        "live\n"
    );
    drop(sender);
    connection.await.unwrap().unwrap();

    let stream = connect(&server, &certificate, "h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let reply = sender.send_request(request()).await.unwrap();
    assert_eq!(reply.version(), http::Version::HTTP_2);
    assert_eq!(
        reply.into_body().collect().await.unwrap().to_bytes(),
        "live\n"
    );
    drop(sender);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    unsafe_code,
    reason = "sends this process the signal that an administrator would"
)]
async fn a_renewed_certificate_is_taken_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let old = issue(folder.path());
    let server = start(folder.path()).await;
    connect(&server, &old, "http/1.1").await.unwrap();
    let new = issue(folder.path());
    connect(&server, &new, "http/1.1").await.unwrap_err();
    // SAFETY: raising a signal that the server handles has no preconditions.
    assert_eq!(unsafe { libc::raise(libc::SIGHUP) }, 0);
    until(|| async { connect(&server, &new, "http/1.1").await.is_ok() }).await;
    connect(&server, &old, "http/1.1").await.unwrap_err();
}
