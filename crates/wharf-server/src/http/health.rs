//! Whether the server lives, whether it can serve, and its figures.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::ErrorCode;

use super::error::{Answer, Refusal};
use super::extract::{self, By};
use super::problems::{Any, NeedsLogin};
use super::{Http, origin};

/// The media type of the text form of OpenMetrics.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// Whether the program runs
///
/// Restart it when this does not answer.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()),
    responses((status = 200, description = "It runs.", body = String, content_type = "text/plain"), Any))]
async fn live() -> Response {
    plain("live\n")
}

/// Whether it can serve requests
///
/// Send requests elsewhere while this is not 200: it is starting, stopping, or its database does not answer.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, description = "It can.", body = String, content_type = "text/plain"), Any))]
async fn ready(State(http): State<Http>) -> Answer<Response> {
    if http.is_stopping() {
        return Err(Refusal::new(
            ErrorCode::Unavailable,
            "the server is stopping",
        ));
    }
    if http.wharf().db().stats().is_failed {
        return Err(Refusal::new(
            ErrorCode::Unavailable,
            "the database's disk has failed",
        ));
    }
    http.wharf().accounts().info().await?;
    Ok(plain("ready\n"))
}

/// Figures for Prometheus
///
/// For programs on the server's own machine, and for operators' sessions from elsewhere.
#[utoipa::path(get, path = "/metrics", tag = "health", security((), ("session" = [])),
    responses((status = 200, description = "The figures.", body = String, content_type = "application/openmetrics-text"),
    NeedsLogin, Any))]
async fn metrics(State(http): State<Http>, _: MayWatch) -> Answer<Response> {
    let text = http.metrics().render(&http).map_err(super::body::fault)?;
    Ok(([(CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

/// Proof that the request may see the figures.
struct MayWatch;

impl FromRequestParts<Http> for MayWatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let peer: IpAddr = extract::peer(parts)?;
        if !origin::is_local(peer, &parts.headers) {
            let By(caller) = By::from_request_parts(parts, http).await?;
            http.wharf().accounts().admin(&caller)?;
        }
        Ok(Self)
    }
}

fn plain(text: &'static str) -> Response {
    (
        [
            (CONTENT_TYPE, "text/plain; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
        ],
        text,
    )
        .into_response()
}
