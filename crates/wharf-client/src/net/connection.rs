//! One connection: dialled, perhaps encrypted, and driven by a task that ends with it.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::payload::Sending;

/// How long dialling may take, the TLS handshake included.
const DIAL_DEADLINE: Duration = Duration::from_secs(10);
/// How long a request may stand still, and how long the server may take to begin its answer then. A commit of 10,000
/// files on a slow disk is what takes longest.
const ANSWER_DEADLINE: Duration = Duration::from_mins(2);

/// The server's address, taken apart once.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<(ServerName<'static>, TlsConnectorDebug)>,
}

/// A connector, which cannot show itself.
#[derive(Clone)]
pub(super) struct TlsConnectorDebug(pub(super) TlsConnector);

impl std::fmt::Debug for TlsConnectorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsConnector")
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Sending>,
    _driver: AbortOnDropHandle<()>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server never got the request.
    Unsent(io::Error),
    /// The server may have got it.
    Unanswered(io::Error),
}

impl Connection {
    pub(super) async fn dial(peer: &Peer) -> io::Result<Self> {
        timeout(DIAL_DEADLINE, Self::dial_patiently(peer))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?
    }

    async fn dial_patiently(peer: &Peer) -> io::Result<Self> {
        let tcp = TcpStream::connect((peer.host.as_str(), peer.port)).await?;
        tcp.set_nodelay(true)?;
        match &peer.tls {
            None => Self::start(tcp).await,
            Some((name, connector)) => {
                let tls = connector.0.connect(name.clone(), tcp).await?;
                Self::start(tls).await
            }
        }
    }

    async fn start(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> io::Result<Self> {
        let (sender, driver) = http1::Builder::new()
            .handshake(TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(Self {
            sender,
            _driver: AbortOnDropHandle::new(driver),
        })
    }

    /// Whether the server has closed it, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Sending>,
    ) -> Result<Response<Incoming>, Broken> {
        self.sender
            .ready()
            .await
            .map_err(|error| Broken::Unsent(io::Error::other(error)))?;
        let taken_count = request.body().taken_count();
        let mut seen_count = 0;
        let exchange = self.sender.try_send_request(request);
        tokio::pin!(exchange);
        loop {
            match timeout(ANSWER_DEADLINE, &mut exchange).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(failed)) => return Err(broken(failed)),
                // A slow line is not a dead one.
                Err(_) if taken_count.load(Ordering::Relaxed) > seen_count => {
                    seen_count = taken_count.load(Ordering::Relaxed);
                }
                Err(_) => {
                    let error = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
                    return Err(Broken::Unanswered(error));
                }
            }
        }
    }
}

fn broken(mut failed: TrySendError<Request<Sending>>) -> Broken {
    let is_unsent = failed.take_message().is_some();
    let error = io::Error::other(failed.into_error());
    if is_unsent {
        return Broken::Unsent(error);
    }
    Broken::Unanswered(error)
}
