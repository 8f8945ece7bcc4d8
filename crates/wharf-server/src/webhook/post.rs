//! One attempt at one delivery: look the receiver up, connect to an address that is allowed, post, read the status.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};
use wharf_core::OutgoingHooks;
use wharf_core::hook::{Delivery, Failure, is_public};

use super::Trust;

/// How long an attempt may take, from looking the name up to the status. The house's claims hold longer.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(15);
/// How long one address may take to answer the knock.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// The header with the time and the signature.
const SIGNATURE: &str = "wharf-signature";
/// The header that names the delivery.
const DELIVERY: &str = "wharf-delivery";

/// Posts deliveries.
pub(super) struct Poster {
    allowed: OutgoingHooks,
    trust: Trust,
}

/// Where a URL leads.
struct Target {
    host: Host<String>,
    port: u16,
    is_tls: bool,
    /// The value of `Host`.
    authority: String,
    /// The path and the query.
    path: String,
}

impl Poster {
    pub(super) const fn new(allowed: OutgoingHooks, trust: Trust) -> Self {
        Self { allowed, trust }
    }

    /// Posts a delivery, signed at `now_ms`. What the receiver answers beside its status is not read.
    ///
    /// # Errors
    /// Why it was not taken, in words that say nothing about addresses that are not the receiver's to know.
    pub(super) async fn post(&self, delivery: &Delivery, now_ms: i64) -> Result<(), Failure> {
        let attempt = self.attempt(delivery, now_ms);
        match timeout(ATTEMPT_DEADLINE, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(passing("the receiver did not answer in time")),
        }
    }

    async fn attempt(&self, delivery: &Delivery, now_ms: i64) -> Result<(), Failure> {
        let target = Target::of(&delivery.url).ok_or_else(|| passing("the url is malformed"))?;
        let request = request(&target, delivery, now_ms)
            .map_err(|error| passing(format!("the delivery cannot be put into words: {error}")))?;
        let tcp = self.connect(&target).await?;
        if !target.is_tls {
            return exchange(tcp, request).await;
        }
        let Some(connector) = self.trust.connector().await else {
            return Err(passing("this server trusts no certificate authority"));
        };
        let name = target.server_name()?;
        match connector.connect(name, tcp).await {
            Ok(tls) => exchange(tls, request).await,
            Err(error) => Err(passing(format!("no private connection: {error}"))),
        }
    }

    /// Connects to the first address that is allowed and answers. The address that was checked is the one that is
    /// connected to, so that a name cannot change its meaning in between.
    async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let addresses = target.addresses().await.map_err(|error| {
            tracing::debug!(%error, "a receiver's name was not found");
            passing("the receiver's name cannot be found")
        })?;
        let mut last = passing("the receiver's name stands for no address");
        let mut is_any_forbidden = false;
        let mut tried = 0;
        for address in addresses {
            if self.allowed != OutgoingHooks::Anywhere && !is_public(address.ip()) {
                is_any_forbidden = true;
                continue;
            }
            tried += 1;
            match timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => last = passing(format!("no connection: {}", error.kind())),
                Err(_) => last = passing("no connection in time"),
            }
            if tried == ADDRESSES_MAX {
                break;
            }
        }
        if tried == 0 && is_any_forbidden {
            return Err(passing(
                "the receiver's address is not public, and this server posts to no other ones",
            ));
        }
        Err(last)
    }
}

impl Target {
    fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host()?.to_owned();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Some(Self {
            host,
            port: url.port_or_known_default()?,
            is_tls: url.scheme() == "https",
            authority,
            path,
        })
    }

    async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(match &self.host {
            Host::Ipv4(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Ipv6(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Domain(name) => tokio::net::lookup_host((name.as_str(), self.port))
                .await?
                .collect(),
        })
    }

    fn server_name(&self) -> Result<ServerName<'static>, Failure> {
        match &self.host {
            Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(*address))),
            Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(*address))),
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|_| passing("the receiver's name can have no certificate")),
        }
    }
}

/// The request: the body as JSON, signed with the time.
fn request(
    target: &Target,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<Request<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let body = serde_json::to_vec(&delivery.body)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header(DELIVERY, delivery.name())
        .header(SIGNATURE, signature(&delivery.secret, now_ms, &body))
        .body(Full::new(Bytes::from(body)))?;
    Ok(request)
}

/// The value of the header that proves who posts and when.
fn signature(secret: &[u8], now_ms: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut signed = hmac::Context::with_key(&key);
    signed.update(format!("{now_ms}.").as_bytes());
    signed.update(body);
    let hex: String = signed
        .sign()
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    format!("t={now_ms},v1={hex}")
}

async fn exchange(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(), Failure> {
    let broken = |error: hyper::Error| passing(format!("the connection broke: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a receiver's connection ended");
        }
    });
    let _driver = AbortOnDropHandle::new(driver);
    let response = sender.send_request(request).await.map_err(broken)?;
    verdict(response.status(), response.headers())
}

/// What a receiver's status means. Redirections are not followed: they would lead past the checks of the address.
fn verdict(status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let mut failure = passing(format!("the receiver answered {status}"));
    if status.is_redirection() {
        failure.reason = format!("the receiver answered {status}: give the address it leads to");
    }
    failure.is_final = status == StatusCode::GONE;
    failure.retry_after_seconds = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    Err(failure)
}

fn passing(reason: impl Into<String>) -> Failure {
    Failure {
        reason: reason.into(),
        retry_after_seconds: None,
        is_final: false,
    }
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::{Target, signature, verdict};

    #[test]
    fn the_signature_is_what_other_libraries_compute() {
        // printf '1700000000000.{}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature(b"secret", 1_700_000_000_000, b"{}"),
            "t=1700000000000,v1=8399216d111287e3bb28e25c0f4f31dffdf831c68c9ee2b96c2f67c9b81d341b"
        );
    }

    #[test]
    fn a_target_is_what_its_url_says() {
        let of = |url| {
            let target = Target::of(url).unwrap();
            (target.authority, target.port, target.is_tls, target.path)
        };
        assert_eq!(
            of("https://example.org/a/b?c=d"),
            ("example.org".into(), 443, true, "/a/b?c=d".into())
        );
        assert_eq!(
            of("http://[::1]:8080"),
            ("[::1]:8080".into(), 8080, false, "/".into())
        );
    }

    #[test]
    fn success_alone_is_taken_and_gone_is_for_ever() {
        let none = HeaderMap::new();
        verdict(StatusCode::NO_CONTENT, &none).unwrap();
        for status in [
            StatusCode::FOUND,
            StatusCode::NOT_FOUND,
            StatusCode::BAD_GATEWAY,
        ] {
            assert!(!verdict(status, &none).unwrap_err().is_final);
        }
        assert!(verdict(StatusCode::GONE, &none).unwrap_err().is_final);
        let wait = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("120"))]);
        let failure = verdict(StatusCode::SERVICE_UNAVAILABLE, &wait).unwrap_err();
        assert_eq!(failure.retry_after_seconds, Some(120));
    }
}
