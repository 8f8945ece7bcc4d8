//! What surrounds every request: its id, its line in the log, its place in the metrics, its problem document, and
//! an answer even where a handler panicked.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;
use wharf_core::Error;

use super::Http;
use super::error::Refusal;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const REQUEST_ID_BYTES_MAX: usize = 64;
/// The route of a request that matched none. The path itself is no label: a stranger could make any number of them.
const NO_ROUTE: &str = "none";

/// What a part of a path is called that is nobody's to read.
const SECRET_PARAMETER: &str = "{secret}";

/// Runs the request in a span of its own and finishes its response.
pub(super) async fn observe(State(http): State<Http>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = loggable(route.as_ref(), request.uri().path());
    let span = tracing::info_span!("request", id, %method, path);
    let started = Instant::now();
    let work = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(span.clone());
    let response = work.await.unwrap_or_else(|_| {
        // The panic hook has written the message and the place.
        Refusal::from(Error::internal("a handler panicked")).into_response()
    });
    let _entered = span.entered();
    let response = finish(response, &id);
    let elapsed = started.elapsed();
    let status = response.status();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    http.metrics()
        .count_request(label(&method), route, status, elapsed);
    tracing::debug!(
        route,
        status = status.as_u16(),
        elapsed_us = u64::try_from(elapsed.as_micros()).ok(),
        "answered"
    );
    response
}

/// The path as it may stand in the log: where the route has a secret in it, the route.
fn loggable<'a>(route: Option<&'a MatchedPath>, path: &'a str) -> &'a str {
    match route.map(MatchedPath::as_str) {
        Some(route) if route.contains(SECRET_PARAMETER) => route,
        _ => path,
    }
}

/// Writes the document of a refusal, and the headers that every response has.
fn finish(mut response: Response, id: &str) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Arc<Refusal>>() {
        log(&refusal);
        let headers = std::mem::take(response.headers_mut());
        response = refusal.render(id);
        // Keeps what the router had added, such as the `Allow` of a 405.
        for (name, value) in headers
            .iter()
            .filter(|(name, _)| *name != http::header::CONTENT_LENGTH)
        {
            response
                .headers_mut()
                .entry(name)
                .or_insert_with(|| value.clone());
        }
    }
    let headers = response.headers_mut();
    headers
        .entry(X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    // Other sites cannot show or read what is answered here, in browsers that would send them the page's cookie.
    headers
        .entry(RESOURCE_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    response
}

fn log(refusal: &Refusal) {
    let code = refusal.code().as_str();
    if refusal.error().is_fault() {
        tracing::error!(code, error = ?refusal.error(), "request failed");
    } else {
        tracing::debug!(code, error = %refusal.error(), "request refused");
    }
}

/// The id that the client gave, where it may stand in a log and a header as it is; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_fit = |id: &&str| {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_plain)
    };
    let given = headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(is_fit);
    given.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}

/// The method as a label: one of a known few.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http::{HeaderMap, HeaderValue, Request};
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt;
    use wharf_core::{Clock, HouseConfig, Random, Wharf};
    use wharf_store::blob::MemoryBlob;
    use wharf_testkit::db::{Engine, TestDb};
    use wharf_types::api::problem::Problem;

    use super::{X_REQUEST_ID, observe, request_id};
    use crate::Config;
    use crate::http::Http;

    fn given(id: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(
            X_REQUEST_ID,
            HeaderValue::from_bytes(id.as_bytes()).unwrap(),
        );
        request_id(&headers)
    }

    #[test]
    fn a_plain_id_is_kept() {
        assert_eq!(given("abc-1_2.3"), "abc-1_2.3");
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        for id in ["", "a b", "a\u{e9}", &"x".repeat(65)] {
            let made = given(id);
            assert_ne!(made, id);
            assert_eq!(made.len(), 32);
        }
    }

    /// A router with one route, which falls over.
    async fn falling_over(db: &TestDb) -> Router {
        let blob = Arc::new(MemoryBlob::default());
        let wharf = Wharf::open(
            HouseConfig::default(),
            (**db).clone(),
            blob,
            Clock::system(),
            Random::system(),
        );
        let http = Http::new(
            wharf.await.unwrap(),
            Config::default(),
            Arc::default(),
            Vec::new(),
            CancellationToken::new(),
        );
        let fall: fn() -> std::future::Ready<()> = || panic!("a fault of the program");
        Router::new()
            .route("/fall", get(fall))
            .layer(from_fn_with_state(http, observe))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_handler_that_panics_is_answered_for() {
        let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
        let request = Request::get("/fall")
            .header("x-request-id", "here")
            .body(Body::empty())
            .unwrap();
        let response = falling_over(&db).await.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.request_id.as_deref(), Some("here"));
        assert!(!problem.detail.unwrap().contains("a fault of the program"));
    }
}
