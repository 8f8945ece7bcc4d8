//! A receiver of webhooks, on a socket of its own, that remembers what it was sent and answers as it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::wait::until;

/// One request that arrived.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What the receiver has been sent, and what it will answer.
#[derive(Default)]
struct Books {
    posted: Mutex<Vec<Posted>>,
    answers: Mutex<VecDeque<(StatusCode, HeaderMap)>>,
}

/// Listens until it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    books: Arc<Books>,
    _task: AbortOnDropHandle<()>,
}

impl Posted {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The positions of the entries in it.
    pub(super) fn positions(&self) -> Vec<u64> {
        let body = self.json();
        let entries = body["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["position"].as_u64().unwrap())
            .collect()
    }
}

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that speaks TLS with the certificate and the key in `folder`.
    pub(super) async fn start_with(folder: Option<&Path>) -> Self {
        let tls = folder.map(acceptor);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::<Books>::default();
        let task = tokio::spawn(listen(listener, tls, Arc::clone(&books)));
        Self {
            address,
            books,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook?room=1", self.address)
    }

    /// Answers the next requests so, one after another, and then with 204 again.
    pub(super) fn answer(&self, status: u16, headers: &[(&'static str, &str)]) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        self.books.answers.lock().push_back((status, map));
    }

    pub(super) fn posted(&self) -> Vec<Posted> {
        self.books.posted.lock().clone()
    }

    /// Waits until `count` requests have arrived, and gives them all.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Posted> {
        until(|| async { self.posted().len() >= count }).await;
        self.posted()
    }
}

fn acceptor(folder: &Path) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, books: Arc<Books>) {
    while let Ok((stream, _)) = listener.accept().await {
        let books = Arc::clone(&books);
        match &tls {
            None => drop(tokio::spawn(serve(stream, books))),
            Some(tls) => {
                let handshake = tls.accept(stream);
                tokio::spawn(async move {
                    if let Ok(stream) = handshake.await {
                        serve(stream, books).await;
                    }
                });
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, books: Arc<Books>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let books = Arc::clone(&books);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let next = books.answers.lock().pop_front();
            let (status, headers) = next.unwrap_or((StatusCode::NO_CONTENT, HeaderMap::new()));
            books.posted.lock().push(Posted {
                path: head.uri.to_string(),
                headers: head.headers,
                body,
            });
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok::<_, Infallible>(response)
        }
    });
    // A client that goes away without a word is no matter here.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}
