//! A server: the house behind its doors.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use wharf_core::Wharf;

use crate::Config;
use crate::gateway::{self, Bound, GatewayError, GatewayName};
use crate::http::{self, Http};
use crate::listen::tls::{Tls, TlsError};
use crate::listen::{self, Listener, Timeouts, Traffic};
use crate::outbound::{Trust, TrustError};
use crate::{push, webhook};

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
    /// The certificate authorities for what is posted to others cannot be used.
    #[error(transparent)]
    Outbound(#[from] TrustError),
    /// A gateway's address cannot be had.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// A server that holds its address and answers once it is [`serve`](Server::serve)d.
pub struct Server {
    listener: Listener,
    http: Http,
    tls: Option<Tls>,
    webhooks: Option<webhook::Worker>,
    notices: Option<push::Worker>,
    gateways: Vec<Bound>,
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
    pub async fn bind(mut config: Config, wharf: Wharf) -> Result<Self, BindError> {
        let tls = config.tls.clone().map(Tls::load).transpose()?;
        let trust = Arc::new(Trust::load(config.webhook_ca.as_deref())?);
        let unavailable = |source| BindError::Address {
            address: config.address,
            source,
        };
        let tcp = listen::bind(config.address).map_err(unavailable)?;
        let address = tcp.local_addr().map_err(unavailable)?;
        let stopping = CancellationToken::new();
        let traffic = Arc::<Traffic>::default();
        let timeouts = Timeouts {
            idle: config.idle_timeout,
            stall: config.stall_timeout,
            drain: config.drain_timeout,
        };
        let connections_max = config.connections_max;
        let gateways = gateway::bind(&mut config.gateways, &wharf)?;
        let counters = gateways
            .iter()
            .map(|gateway| (gateway.name(), gateway.counters()))
            .collect();
        let http = Http::new(
            wharf,
            config,
            Arc::clone(&traffic),
            counters,
            stopping.clone(),
        );
        let webhooks = webhook::Worker::new(http.clone(), Arc::clone(&trust));
        let notices = push::Worker::new(http.clone(), trust);
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
            notices,
            gateways,
            address,
            stopping,
        })
    }

    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The gateways that are open, and where each listens: an address with the port that it got, or a path.
    pub fn gateways(&self) -> impl Iterator<Item = (GatewayName, &str)> {
        self.gateways
            .iter()
            .map(|gateway| (gateway.name(), gateway.address()))
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
            notices,
            gateways,
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
        let notify = async {
            if let Some(worker) = notices {
                worker.run(cancel.clone()).await;
            }
        };
        let gateways = join_all(
            gateways
                .into_iter()
                .map(|gateway| gateway.serve(cancel.clone())),
        );
        tokio::join!(
            listener.serve(cancel.clone()),
            follow,
            announce,
            deliver,
            notify,
            gateways
        );
        http.live_connections().close();
        http.live_connections().wait().await;
        http.wharf().live().close().await;
        http.work().close();
        http.work().wait().await;
    }
}
