//! The HTTP API: routes under `/api/v1`, and beside it the page, health and metrics.
//!
//! A route's handler takes apart the request with the extractors of [`extract`], calls one operation of the house, and
//! renders what comes back. Its `utoipa::path` attribute is both its place in the router and its part of the OpenAPI
//! description, so neither can be there without the other.
//!
//! Work that must finish once it began, such as storing chunks that have arrived, runs in a task of [`Http::work`] and
//! not in the handler, whose future is dropped when the connection breaks.

mod account;
mod admin;
mod admission;
mod archive;
mod body;
mod chunks;
mod contact;
mod content;
mod cookie;
mod diary;
mod drive;
pub(crate) mod error;
mod extract;
mod health;
mod hook;
mod journal;
mod live;
mod log;
mod member;
mod metrics;
mod observe;
pub(crate) mod openapi;
mod origin;
mod page;
mod portage;
mod problems;
mod push;
mod room;
mod search;
mod stream;
mod thumbnail;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use http::StatusCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::Wharf;
use wharf_core::push::Outcome;
use wharf_types::ErrorCode;
use wharf_types::api::PREFIX;

use crate::Config;
use crate::gateway::{Counters, GatewayName};
use crate::listen::Traffic;
use admission::Admission;
use error::{Answer, Refusal};
use metrics::Metrics;
use page::Page;

/// What every handler can reach. Clones share it.
#[derive(Clone)]
pub(crate) struct Http(Arc<Parts>);

struct Parts {
    wharf: Arc<Wharf>,
    config: Config,
    metrics: Metrics,
    /// The gateways that are open, and what they count.
    gateways: Vec<(GatewayName, Arc<Counters>)>,
    page: Page,
    /// Memory for bodies on their way in.
    uploads: Admission,
    /// Memory for bodies on their way out.
    downloads: Admission,
    work: TaskTracker,
    live_connections: TaskTracker,
    /// Set once the server is told to stop.
    stopping: CancellationToken,
}

impl Http {
    pub(crate) fn new(
        wharf: Wharf,
        config: Config,
        traffic: Arc<Traffic>,
        gateways: Vec<(GatewayName, Arc<Counters>)>,
        stopping: CancellationToken,
    ) -> Self {
        let uploads = Admission::new(config.upload_memory_bytes_max, config.admission_timeout);
        let downloads = Admission::new(config.download_memory_bytes_max, config.admission_timeout);
        Self(Arc::new(Parts {
            metrics: Metrics::new(traffic),
            gateways,
            page: Page::default(),
            wharf: Arc::new(wharf),
            config,
            uploads,
            downloads,
            work: TaskTracker::new(),
            live_connections: TaskTracker::new(),
            stopping,
        }))
    }

    pub(crate) fn wharf(&self) -> &Wharf {
        &self.0.wharf
    }

    fn shared_wharf(&self) -> &Arc<Wharf> {
        &self.0.wharf
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    fn gateways(&self) -> &[(GatewayName, Arc<Counters>)] {
        &self.0.gateways
    }

    fn page(&self) -> &Page {
        &self.0.page
    }

    fn uploads(&self) -> &Admission {
        &self.0.uploads
    }

    fn downloads(&self) -> &Admission {
        &self.0.downloads
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// Counts an attempt to post a webhook's delivery.
    pub(crate) fn count_delivery(&self, is_taken: bool) {
        self.metrics().count_delivery(is_taken);
    }

    /// Counts an attempt to post a notice.
    pub(crate) fn count_notice(&self, outcome: &Outcome) {
        self.metrics().count_notice(outcome);
    }

    /// The tasks of live connections; the server waits for their last frames before it ends.
    pub(crate) fn live_connections(&self) -> &TaskTracker {
        &self.0.live_connections
    }

    /// Tasks that outlive the request that began them; the server waits for them before it ends.
    pub(crate) fn work(&self) -> &TaskTracker {
        &self.0.work
    }
}

/// Every route, with its description.
fn routes() -> OpenApiRouter<Http> {
    let api = OpenApiRouter::new()
        .merge(account::routes())
        .merge(admin::routes())
        .merge(drive::routes())
        .merge(content::routes())
        .merge(archive::routes())
        .merge(thumbnail::routes())
        .merge(chunks::routes())
        .merge(contact::routes())
        .merge(room::routes())
        .merge(member::routes())
        .merge(log::routes())
        .merge(live::routes())
        .merge(search::routes())
        .merge(diary::routes())
        .merge(hook::routes())
        .merge(journal::routes())
        .merge(portage::routes())
        .merge(push::routes())
        .routes(routes!(openapi::describe));
    openapi::described(
        OpenApiRouter::new()
            .nest(PREFIX, api)
            .merge(health::routes()),
    )
}

/// The whole door: routes, answers for everything else, and what surrounds each request.
pub(crate) fn router(http: Http) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .merge(page::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(http.clone(), observe::observe))
        // Bodies are bounded one by one, where they are read.
        .layer(DefaultBodyLimit::disable())
        .with_state(http)
}

async fn no_route(State(http): State<Http>, request: Request) -> Answer<Response> {
    if page::answers(&request) {
        return page::shell(&http, &request.into_parts().0).await;
    }
    Err(Refusal::new(ErrorCode::NotFound, "there is no such route"))
}

async fn no_method() -> Refusal {
    Refusal::new(
        ErrorCode::Unsupported,
        "this route does not take this method",
    )
    .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
