//! Gateways that hold their addresses, before they are served.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use wharf_core::Wharf;

use super::protocol::Protocol;
use super::pychat;
use super::serve::TcpGateway;
use super::{Counters, GatewayConfig, GatewayName, Gateways, diary, filestored, netdisk};
use crate::listen;

/// A gateway that holds its address and answers once it is [`serve`](Bound::serve)d.
pub(crate) struct Bound {
    name: GatewayName,
    address: String,
    counters: Arc<Counters>,
    run: Run,
}

type Run = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// Why a gateway cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("the gateway {name} cannot listen on {address}: {source}")]
pub struct GatewayError {
    /// Which one.
    pub name: GatewayName,
    /// Where.
    pub address: String,
    /// Why not.
    pub source: io::Error,
}

/// Takes the addresses of all gateways that are configured, and notes those that only the binding knows.
///
/// # Errors
/// [`GatewayError`], at the first that cannot be had.
pub(crate) fn bind(gateways: &mut Gateways, wharf: &Wharf) -> Result<Vec<Bound>, GatewayError> {
    let mut bound = Vec::new();
    if let Some(config) = &gateways.netdisk {
        bound.push(netdisk::bind(config, wharf)?);
    }
    if let Some(config) = &gateways.pychat {
        bound.push(pychat::bind(config, wharf)?);
    }
    if let Some(config) = &gateways.diary {
        let (diary, journal) = diary::bind(config, &gateways.diary_options, wharf)?;
        gateways.diary_options.journal = Some(journal);
        bound.push(diary);
    }
    if let Some(config) = &gateways.filestored {
        bound.push(filestored::bind(config, &gateways.filestored_own, wharf)?);
    }
    Ok(bound)
}

impl Bound {
    /// A gateway that `run` serves.
    pub(super) fn new<F>(
        name: GatewayName,
        address: impl Display,
        counters: Arc<Counters>,
        run: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            name,
            address: address.to_string(),
            counters,
            run: Box::new(|cancel| Box::pin(run(cancel))),
        }
    }

    /// A gateway over TCP.
    pub(super) fn tcp(
        name: GatewayName,
        config: &GatewayConfig,
        protocol: impl Protocol,
    ) -> Result<Self, GatewayError> {
        let failed = |source| GatewayError {
            name,
            address: config.address.to_string(),
            source,
        };
        let tcp = listen::bind(config.address).map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let counters = Arc::<Counters>::default();
        let gateway = TcpGateway::new(name, protocol, config.clone(), Arc::clone(&counters));
        Ok(Self::new(name, address, counters, |cancel| {
            gateway.serve(tcp, cancel)
        }))
    }

    /// Has `after` done once the gateway's connections have ended.
    #[must_use]
    pub(super) fn and_then(mut self, after: impl Future<Output = ()> + Send + 'static) -> Self {
        let run = self.run;
        self.run = Box::new(|cancel| {
            Box::pin(async move {
                run(cancel).await;
                after.await;
            })
        });
        self
    }

    pub(crate) const fn name(&self) -> GatewayName {
        self.name
    }

    /// Where it listens, with the port that it got; a path where it is a socket of the file system.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Serves until `cancel`, and says at the start how weak the protocol is.
    pub(crate) async fn serve(self, cancel: CancellationToken) {
        tracing::warn!(
            gateway = %self.name,
            address = self.address,
            weakness = self.name.weakness(),
            "gateway listening"
        );
        (self.run)(cancel).await;
    }
}
