//! A server: the house behind its doors.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use wharf_core::Wharf;

use crate::Config;
use crate::http::{self, Http};
use crate::listen::tls::{Tls, TlsError};
use crate::listen::{Listener, Timeouts, Traffic};
use crate::webhook::{Trust, TrustError, Worker};

/// Connections that wait in the kernel to be accepted; its own bound may be lower.
const CONNECTIONS_WAITING_MAX: u32 = 16 * 1024;

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// Which one.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The certificate files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The certificate authorities for webhooks cannot be used.
    #[error(transparent)]
    Webhooks(#[from] TrustError),
}

/// A server that holds its address and answers once it is [`serve`](Server::serve)d.
pub struct Server {
    listener: Listener,
    http: Http,
    tls: Option<Tls>,
    webhooks: Option<Worker>,
    address: SocketAddr,
    stopping: CancellationToken,
}

impl Server {
    /// Reads the certificate and takes the address. Connections wait in the kernel until the server is served.
    ///
    /// # Errors
    /// [`BindError`]: the address is taken or not this machine's, or files of certificates cannot be used.
    #[expect(
        clippy::unused_async,
        reason = "taking an address needs a runtime, which a future has"
    )]
    pub async fn bind(config: Config, wharf: Wharf) -> Result<Self, BindError> {
        let tls = config.tls.clone().map(Tls::load).transpose()?;
        let trust = Trust::load(config.webhook_ca.as_deref())?;
        let unavailable = |source| BindError::Address {
            address: config.address,
            source,
        };
        let tcp = listen(config.address).map_err(unavailable)?;
        let address = tcp.local_addr().map_err(unavailable)?;
        let stopping = CancellationToken::new();
        let traffic = Arc::<Traffic>::default();
        let timeouts = Timeouts {
            idle: config.idle_timeout,
            stall: config.stall_timeout,
            drain: config.drain_timeout,
        };
        let connections_max = config.connections_max;
        let http = Http::new(wharf, config, Arc::clone(&traffic), stopping.clone());
        let webhooks = Worker::new(http.clone(), trust);
        let app = http::router(http.clone());
        let listener = Listener {
            tcp,
            tls: tls.clone(),
            app,
            traffic,
            connections_max,
            timeouts,
        };
        Ok(Self {
            listener,
            http,
            tls,
            webhooks,
            address,
            stopping,
        })
    }

    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether clients must speak TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until `cancel`. Then takes no more connections, lets requests under way end within the time to drain,
    /// and returns after the last write that was begun has finished.
    pub async fn serve(self, cancel: CancellationToken) {
        let Self {
            listener,
            http,
            tls,
            webhooks,
            stopping,
            ..
        } = self;
        let follow = async {
            if let Some(tls) = tls {
                tls.follow(cancel.clone()).await;
            }
        };
        let announce = async {
            cancel.cancelled().await;
            stopping.cancel();
            http.wharf().live().stop();
        };
        let deliver = async {
            if let Some(worker) = webhooks {
                worker.run(cancel.clone()).await;
            }
        };
        tokio::join!(listener.serve(cancel.clone()), follow, announce, deliver);
        http.live_connections().close();
        http.live_connections().wait().await;
        http.wharf().live().close().await;
        http.work().close();
        http.work().wait().await;
    }
}

/// Takes the address. When a network comes back everybody connects at once; what does not fit into the kernel's queue is
/// tried again by the other end, after seconds.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTIONS_WAITING_MAX)
}
