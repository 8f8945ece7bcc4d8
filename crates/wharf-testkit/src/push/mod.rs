//! The other end of Web Push: a push service as RFC 8030 and 8292 have it, over TLS on this machine, and browsers that open
//! what they are sent as RFC 8291 has it. Nothing in it is made of the server's own code.

mod browser;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls_pki_types::PrivateKeyDer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;
use wharf_core::Clock;

pub use browser::Browser;

/// Longest body that services take (RFC 8030, 7.2).
const BODY_BYTES_MAX: usize = 4096;
/// Furthest end of a server's word (RFC 8292, 2), in seconds.
const WORD_SECONDS_MAX: i64 = 24 * 3_600;

/// A message that a push service took.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The browser's number.
    pub browser: usize,
    /// The headers.
    pub headers: HeaderMap,
    /// The sealed body.
    pub body: Bytes,
}

impl Posted {
    /// The value of a header.
    ///
    /// # Panics
    /// If there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("a header");
        value.to_str().expect("text")
    }
}

/// A push service, until it is dropped.
pub struct PushService {
    address: SocketAddr,
    books: Arc<Books>,
    folder: TempDir,
    _task: AbortOnDropHandle<()>,
}

/// What a service knows.
struct Books {
    clock: Clock,
    origin: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The key that each browser's subscription is bound to; none once the subscription is no more.
    bound: HashMap<usize, Option<String>>,
    answers: VecDeque<(StatusCode, Option<u64>)>,
    posted: Vec<Posted>,
    asked_count: usize,
    refused: Vec<String>,
}

impl PushService {
    /// Starts one whose time is `clock`'s.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn start(clock: Clock) -> Self {
        let made =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).expect("a file");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate of this key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let books = Arc::new(Books {
            clock,
            origin: format!("https://{address}"),
            state: Mutex::default(),
        });
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio::spawn(listen(listener, acceptor, Arc::clone(&books)));
        Self {
            address,
            books,
            folder,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// The authority that its certificate is to be known by, as PEM.
    pub fn ca(&self) -> PathBuf {
        Path::join(self.folder.path(), "ca.pem")
    }

    /// A browser subscribes, for messages of whoever has this key alone.
    pub fn subscribe(&self, server_key: &str) -> Browser {
        let mut state = self.books.state.lock();
        let number = state.bound.len();
        state.bound.insert(number, Some(server_key.to_owned()));
        Browser::new(number, format!("https://{}/push/{number}", self.address))
    }

    /// A browser's subscription is no more.
    pub fn forget(&self, browser: &Browser) {
        self.books.state.lock().bound.insert(browser.number(), None);
    }

    /// Answers the next message so, which is not taken, whoever it is for.
    pub fn answer(&self, status: u16, retry_after_seconds: Option<u64>) {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut state = self.books.state.lock();
        state.answers.push_back((status, retry_after_seconds));
    }

    /// How many messages came, whatever became of them.
    pub fn asked_count(&self) -> usize {
        self.books.state.lock().asked_count
    }

    /// The messages that were taken.
    pub fn posted(&self) -> Vec<Posted> {
        self.books.state.lock().posted.clone()
    }

    /// What was wrong with messages that were not taken.
    pub fn refused(&self) -> Vec<String> {
        self.books.state.lock().refused.clone()
    }

    /// What a browser was sent, opened and read.
    ///
    /// # Panics
    /// If it cannot be opened, or is no JSON.
    pub fn notices(&self, browser: &Browser) -> Vec<Value> {
        let posted = self.posted();
        let own = posted
            .iter()
            .filter(|posted| posted.browser == browser.number());
        own.map(|posted| {
            let opened = browser
                .open(&posted.body)
                .expect("what this browser can open");
            serde_json::from_slice(&opened).expect("JSON")
        })
        .collect()
    }
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, books: Arc<Books>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&books)));
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, books: Arc<Books>) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let books = Arc::clone(&books);
        async move {
            let (head, body) = request.into_parts();
            let (status, wait) = match body.collect().await {
                Ok(body) => books.take(head.uri.path(), head.headers, body.to_bytes()),
                Err(_) => (StatusCode::BAD_REQUEST, None),
            };
            let mut response = Response::builder().status(status);
            if let Some(seconds) = wait {
                response = response.header("retry-after", seconds);
            }
            Ok::<_, Infallible>(response.body(Empty::<Bytes>::new()).expect("an answer"))
        }
    });
    // A client that goes away without a word is no matter here.
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(served.await);
}

impl Books {
    /// Takes a message, or says why not.
    fn take(&self, path: &str, headers: HeaderMap, body: Bytes) -> (StatusCode, Option<u64>) {
        let mut state = self.state.lock();
        state.asked_count += 1;
        if let Some(answer) = state.answers.pop_front() {
            return answer;
        }
        let number = path
            .strip_prefix("/push/")
            .and_then(|number| number.parse().ok());
        let Some((browser, bound)) =
            number.and_then(|number| Some((number, state.bound.get(&number)?)))
        else {
            return (StatusCode::NOT_FOUND, None);
        };
        let Some(key) = bound else {
            return (StatusCode::GONE, None);
        };
        if let Err((status, why)) = self.check(key, &headers, &body) {
            state.refused.push(why);
            return (StatusCode::from_u16(status).expect("a status"), None);
        }
        state.posted.push(Posted {
            browser,
            headers,
            body,
        });
        (StatusCode::CREATED, None)
    }

    fn check(&self, key: &str, headers: &HeaderMap, body: &Bytes) -> Result<(), (u16, String)> {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or((400, format!("no {name}")))
        };
        self.check_word(header("authorization")?, key)
            .map_err(|why| (403, why))?;
        let ttl = header("ttl")?;
        if ttl.parse::<u32>().is_err() {
            return Err((400, format!("TTL {ttl}")));
        }
        let urgency = header("urgency")?;
        if !["very-low", "low", "normal", "high"].contains(&urgency) {
            return Err((400, format!("Urgency {urgency}")));
        }
        let topic = header("topic")?;
        let is_topic = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if topic.is_empty() || topic.len() > 32 || !topic.chars().all(is_topic) {
            return Err((400, format!("Topic {topic}")));
        }
        if header("content-encoding")? != "aes128gcm" {
            return Err((415, "another coding".to_owned()));
        }
        if body.len() > BODY_BYTES_MAX {
            return Err((413, format!("{} bytes", body.len())));
        }
        Ok(())
    }

    /// Checks a server's word for itself (RFC 8292, 4.2).
    fn check_word(&self, word: &str, bound: &str) -> Result<(), String> {
        let decode = |text: &str| {
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
            bytes.map_err(|error| format!("{text}: {error}"))
        };
        let parts = word
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="));
        let (token, key) = parts.ok_or_else(|| format!("no word: {word}"))?;
        if key != bound {
            return Err("another server's key".to_owned());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key)?)
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| "a wrong signature")?;
        let (header, claims) = signed.split_once('.').ok_or("no claims")?;
        let read = |text: &str| -> Result<Value, String> {
            serde_json::from_slice(&decode(text)?).map_err(|error| error.to_string())
        };
        let (header, claims) = (read(header)?, read(claims)?);
        if header["alg"] != "ES256" || claims["aud"] != self.origin.as_str() {
            return Err(format!("{header} {claims}"));
        }
        let now_s = self.clock.now_ms() / 1_000;
        let is_now = claims["exp"]
            .as_i64()
            .is_some_and(|exp| (now_s..=now_s + WORD_SECONDS_MAX).contains(&exp));
        is_now
            .then_some(())
            .ok_or_else(|| format!("not now: {claims}"))
    }
}
