//! A fixed number of connections to one server, opened once and reused until the end.
//!
//! A call takes a connection, waiting for one where all are in use, and gives it back. A connection that broke is
//! opened again in its place: there are never more than at the start. A call whose connection breaks, or whose server is
//! starting or away, tries again with growing pauses until the patience ends, so a transfer lives through a restart of
//! the server without knowing of it.

mod call;
mod connection;
mod lease;
mod patience;
mod payload;
mod socket;
mod tls;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::HeaderValue;
use hyper::body::Incoming;
use parking_lot::Mutex;
use rustls_pki_types::ServerName;
use tokio::sync::Semaphore;

pub(crate) use self::call::{Call, Repeat};
use self::connection::{Connection, Peer, TlsConnectorDebug};
use self::lease::Lease;
use self::patience::Patience;
pub(crate) use self::payload::Payload;
pub(crate) use self::socket::Socket;
use crate::api::ApiError;

/// Most connections that may be asked for.
const CONNECTIONS_MAX: usize = 16;
/// Where the server is, and how to speak with it.
#[derive(Debug, Clone)]
pub struct Options {
    /// `http://host:port` or `https://host`, with a path before `/api/v1` where a proxy wants one.
    pub server: url::Url,
    /// How many connections there are, 1 to 16.
    pub connections: usize,
    /// Certificates to trust instead of the system's, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// How long a call goes on trying when the network or the server is away.
    pub patience: Duration,
}

impl Options {
    /// Four connections, the system's certificates, and half a minute of patience.
    pub fn new(server: url::Url) -> Self {
        Self {
            server,
            connections: 4,
            ca_file: None,
            patience: Duration::from_secs(30),
        }
    }
}

/// The connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: url::Url,
    host: HeaderValue,
    peer: Peer,
    patience: Duration,
    /// One permit a connection; `idle` holds what those not handed out left behind.
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    opened_count: AtomicU64,
}

/// An answer that is still arriving, and its connection.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) head: http::response::Parts,
    body: Incoming,
    lease: Lease,
}

impl Connections {
    /// Opens all connections.
    pub(crate) async fn open(options: Options) -> Result<Self, ApiError> {
        let connections = options.connections.clamp(1, CONNECTIONS_MAX);
        let opened = Self::lazily(options)?;
        // All are taken before the first is given back, so that each dials its own.
        let mut leases = Vec::new();
        for _ in 0..connections {
            leases.push(opened.lease().await?);
        }
        try_join_all(leases.into_iter().map(Lease::dial)).await?;
        Ok(opened)
    }

    /// The connections, each to be opened by the first call that needs it.
    pub(crate) fn lazily(options: Options) -> Result<Self, ApiError> {
        let connections = options.connections.clamp(1, CONNECTIONS_MAX);
        let opened = Self(Arc::new(Inner::new(options)?));
        opened.0.free.add_permits(connections);
        Ok(opened)
    }

    /// How many connections were opened since the start, reopened ones included.
    pub fn opened_count(&self) -> u64 {
        self.0.opened_count.load(Ordering::Relaxed)
    }

    /// The server's address.
    pub fn server(&self) -> &url::Url {
        &self.0.server
    }

    /// Makes a call and takes the whole answer.
    pub(crate) async fn call(&self, call: &Call) -> Result<Bytes, ApiError> {
        let mut lease = self.lease().await?;
        let mut patience = Patience::new(call.repeat, self.0.patience);
        loop {
            match lease.whole(call).await {
                Ok(body) => return Ok(body),
                Err(failure) => patience.pause(failure).await?,
            }
        }
    }

    /// Makes a call and takes the head of the answer. What follows breaks with its connection: the caller asks again for
    /// what it has not got.
    pub(crate) async fn stream(&self, call: &Call) -> Result<Arriving, ApiError> {
        let mut lease = self.lease().await?;
        let mut patience = Patience::new(call.repeat, self.0.patience);
        loop {
            match lease.head(call).await {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    return Ok(Arriving { head, body, lease });
                }
                Err(failure) => patience.pause(failure).await?,
            }
        }
    }

    async fn lease(&self) -> Result<Lease, ApiError> {
        let permit = Arc::clone(&self.0.free)
            .acquire_owned()
            .await
            .map_err(|error| ApiError::Setup(error.to_string()))?;
        let connection = self.0.idle.lock().pop();
        Ok(Lease::new(Arc::clone(&self.0), connection, permit))
    }
}

impl Arriving {
    /// The next bytes of the answer; none at its end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        self.lease.next_piece(&mut self.body).await
    }
}

impl Inner {
    fn new(options: Options) -> Result<Self, ApiError> {
        let refuse = |why: &str| {
            ApiError::Setup(format!(
                "{} is no address of a server: {why}",
                options.server
            ))
        };
        let host = options
            .server
            .host_str()
            .ok_or_else(|| refuse("it names no host"))?;
        let port = options
            .server
            .port_or_known_default()
            .ok_or_else(|| refuse("it has no port"))?;
        // An address of IPv6 stands in brackets in a URL, and nowhere else.
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = match options.server.scheme() {
            "http" => None,
            "https" => {
                let name = ServerName::try_from(bare.clone())
                    .map_err(|_| refuse("the host cannot have a certificate"))?;
                Some((
                    name,
                    TlsConnectorDebug(tls::connector(options.ca_file.as_deref())?),
                ))
            }
            _ => return Err(refuse("it begins neither with http:// nor with https://")),
        };
        let authority = match options.server.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self {
            host: HeaderValue::from_str(&authority)
                .map_err(|_| refuse("the host is no header value"))?,
            peer: Peer {
                host: bare,
                port,
                tls,
            },
            patience: options.patience,
            free: Arc::new(Semaphore::new(0)),
            idle: Mutex::new(Vec::new()),
            opened_count: AtomicU64::new(0),
            server: options.server,
        })
    }

    fn unreachable(&self, source: io::Error) -> ApiError {
        ApiError::Unreachable {
            server: self.server.to_string(),
            source,
        }
    }
}
