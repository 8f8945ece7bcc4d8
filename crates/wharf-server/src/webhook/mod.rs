//! The worker that posts the entries of rooms to their outgoing webhooks.
//!
//! The house says what is due and keeps each webhook's cursor; this worker posts, a bounded number of deliveries at once, and
//! tells the house how it went. It holds nothing that a crash could lose: a delivery whose outcome was not told is made
//! again, under the same name.

mod post;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wharf_core::{Outgoing, Wharf};
use wharf_types::HookId;

use crate::http::Http;
use crate::outbound::{Poster, Trust, UnderWay};

/// How often the house is asked what is due, whether it rang or not: for pauses that are over, and what other processes
/// write.
const POLL_PERIOD: Duration = Duration::from_secs(1);
/// How long what is said is gathered, so that a busy house is not asked for each word.
const GATHER: Duration = Duration::from_millis(50);
/// Deliveries to one receiver before it is another one's turn.
const DELIVERIES_IN_ROW: u32 = 10;

/// The worker.
pub(crate) struct Worker {
    http: Http,
    poster: Arc<Poster>,
    under_way: UnderWay<HookId>,
}

impl Worker {
    /// A worker for the house behind `http`, or none where nothing may be posted.
    pub(crate) fn new(http: Http, trust: Arc<Trust>) -> Option<Self> {
        let allowed = http.wharf().hooks().allowed();
        if allowed == Outgoing::Off {
            return None;
        }
        Some(Self {
            http,
            poster: Arc::new(Poster::new(allowed, trust)),
            under_way: UnderWay::new(),
        })
    }

    /// Delivers until `stopping`, then lets what is under way end.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        while !stopping.is_cancelled() {
            if let Err(error) = self.start_due().await {
                tracing::warn!(?error, "cannot read which webhooks are due");
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = sleep(POLL_PERIOD) => {}
                () = self.http.wharf().hooks().said() => sleep(GATHER).await,
                () = self.under_way.ended() => {}
            }
        }
        if !self.under_way.drain().await {
            tracing::info!("webhooks under way are cut off; they will be delivered again");
        }
    }

    /// Starts what is due, as far as there is room for it.
    async fn start_due(&mut self) -> wharf_core::Result<()> {
        if let Some(count_max) = self.under_way.wanted() {
            let due = self.http.wharf().hooks().due(count_max).await?;
            let (http, poster) = (&self.http, &self.poster);
            self.under_way
                .begin(due, |id| deliver(http.clone(), Arc::clone(poster), id));
        }
        Ok(())
    }
}

/// Makes a webhook's deliveries until it has no more, one fails, or it is another one's turn.
async fn deliver(http: Http, poster: Arc<Poster>, id: HookId) -> wharf_core::Result<()> {
    let wharf: &Wharf = http.wharf();
    for _ in 0..DELIVERIES_IN_ROW {
        let Some(delivery) = wharf.hooks().claim(id).await? else {
            return Ok(());
        };
        let posted = post::post(&poster, &delivery, wharf.clock().now_ms()).await;
        http.count_delivery(posted.is_ok());
        match posted {
            Ok(()) => wharf.hooks().delivered(&delivery).await?,
            Err(failure) => {
                tracing::debug!(hook = %id, reason = failure.reason, "a delivery was not taken");
                return wharf.hooks().failed(&delivery, failure).await;
            }
        }
    }
    Ok(())
}
