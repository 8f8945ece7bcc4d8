//! Posting to others: look the receiver up, connect to an address that is allowed, post, read the status.
//!
//! Each address that a name stands for is checked when it is posted to, and the connection goes to the very address that was
//! checked. Redirections are not followed: they would lead past that check.

mod trust;
mod under_way;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, request};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};
use wharf_core::Outgoing;
use wharf_core::hook::is_public;

pub(crate) use trust::Trust;
pub use trust::TrustError;
pub(crate) use under_way::UnderWay;

/// How long an attempt may take, from looking the name up to the status. The house's claims hold longer.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(15);
/// How long one address may take to answer the knock.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Posts to where it is allowed.
pub(crate) struct Poster {
    allowed: Outgoing,
    trust: Arc<Trust>,
}

/// What a receiver answered; more than this is not read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

/// Where a URL leads.
pub(crate) struct Target {
    host: Host<String>,
    port: u16,
    is_tls: bool,
    /// The value of `Host`.
    authority: String,
    /// The path and the query.
    path: String,
}

impl Reply {
    /// Seconds that the receiver wants to be left alone.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        value.trim().parse().ok()
    }
}

impl Poster {
    pub(crate) const fn new(allowed: Outgoing, trust: Arc<Trust>) -> Self {
        Self { allowed, trust }
    }

    /// Posts a request that [`Target::request`] began.
    ///
    /// # Errors
    /// Why there was no answer, in words that say nothing about addresses that are not the receiver's to know.
    pub(crate) async fn post(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
    ) -> Result<Reply, String> {
        match timeout(ATTEMPT_DEADLINE, self.attempt(target, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err("the receiver did not answer in time".to_owned()),
        }
    }

    async fn attempt(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
    ) -> Result<Reply, String> {
        let tcp = self.connect(target).await?;
        if !target.is_tls {
            return exchange(tcp, request).await;
        }
        let Some(connector) = self.trust.connector().await else {
            return Err("this server trusts no certificate authority".to_owned());
        };
        let name = target.server_name()?;
        match connector.connect(name, tcp).await {
            Ok(tls) => exchange(tls, request).await,
            Err(error) => Err(format!("no private connection: {error}")),
        }
    }

    /// Connects to the first address that is allowed and answers.
    async fn connect(&self, target: &Target) -> Result<TcpStream, String> {
        let addresses = target.addresses().await.map_err(|error| {
            tracing::debug!(%error, "a receiver's name was not found");
            "the receiver's name cannot be found"
        })?;
        let mut last = "the receiver's name stands for no address".to_owned();
        let mut is_any_forbidden = false;
        let mut tried = 0;
        for address in addresses {
            if self.allowed != Outgoing::Anywhere && !is_public(address.ip()) {
                is_any_forbidden = true;
                continue;
            }
            tried += 1;
            match timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => last = format!("no connection: {}", error.kind()),
                Err(_) => "no connection in time".clone_into(&mut last),
            }
            if tried == ADDRESSES_MAX {
                break;
            }
        }
        if tried == 0 && is_any_forbidden {
            return Err(
                "the receiver's address is not public, and this server posts to no other ones"
                    .to_owned(),
            );
        }
        Err(last)
    }
}

impl Target {
    pub(crate) fn of(url: &str) -> Option<Self> {
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

    /// Begins a request to it.
    pub(crate) fn request(&self) -> request::Builder {
        Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("wharf/", env!("CARGO_PKG_VERSION")))
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

    fn server_name(&self) -> Result<ServerName<'static>, String> {
        match &self.host {
            Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(*address))),
            Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(*address))),
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|_| "the receiver's name can have no certificate".to_owned()),
        }
    }
}

async fn exchange(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Reply, String> {
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a receiver's connection ended");
        }
    });
    let _driver = AbortOnDropHandle::new(driver);
    let (head, _) = sender
        .send_request(request)
        .await
        .map_err(broken)?
        .into_parts();
    Ok(Reply {
        status: head.status,
        headers: head.headers,
    })
}

#[cfg(test)]
mod tests {
    use super::Target;

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
}
