//! The page: the shell that every address of it is answered with, its files under a hash that changes with them, and the
//! policy that keeps foreign scripts out. What the page does is in `web/`; docs/decisions/0014-page.md says why it is so.

mod files;
mod graph;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use wharf_core::Error;
use wharf_types::ErrorCode;

use super::Http;
use super::cookie;
use super::error::{Answer, Refusal};
use files::File;
pub(super) use files::Page;

/// What the page may load and whom it may talk to: this server alone. PDF files are shown from memory, in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src blob:; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// What a script may do that runs as a worker: it gets the policy that it came with, not the page's. The one that hashes uploads assembles
/// WebAssembly, and the service worker asks this server.
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    worker-src 'self'; connect-src 'self'";
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Kept, and asked about each time.
const ASK: &str = "no-cache";
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The page's own routes; its addresses are whatever [`answers`] says.
pub(super) fn routes() -> Router<Http> {
    Router::new()
        .route("/a/{hash}/{*path}", get(asset))
        .route("/sw.js", get(worker))
        .route("/manifest.webmanifest", get(manifest))
}

/// Whether an address that is no route is one of the page's: somebody looks at it with a browser.
pub(super) fn answers(request: &Request) -> bool {
    let path = request.uri().path();
    let is_elsewhere = ["/api/", "/a/", "/health/", "/metrics"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    let wants_a_page = request
        .headers()
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"));
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !is_elsewhere
        && (wants_a_page || path == "/")
}

/// The shell. To somebody with a session it also names the modules of the view that the address shows, so that they come together with
/// those of the start.
pub(super) async fn shell(http: &Http, asked: &Parts) -> Answer<Response> {
    let files = http.page().files().await.map_err(unreadable)?;
    // A cookie that may not be used here only means a plainer shell.
    let token = cookie::token(asked, http).ok().flatten();
    let route = token.map(|_| first_part(asked.uri.path()));
    let mut response = send(files.shell(route), &asked.headers, ASK);
    let said = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (OPENER_POLICY, "same-origin"),
        (VARY, "accept-encoding, cookie"),
    ];
    for (name, value) in said {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// What of an address says which view it shows.
fn first_part(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or("")
}

async fn asset(
    State(http): State<Http>,
    axum::extract::Path((hash, path)): axum::extract::Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let files = http.page().files().await.map_err(unreadable)?;
    let file = files.get(&path).ok_or_else(gone)?;
    // A page that was loaded before the server was replaced asks for what it had. It gets what there is, which it must not keep
    // under the old name.
    let keep = if hash == files.hash() {
        IMMUTABLE
    } else {
        "no-store"
    };
    Ok(send(file, &headers, keep))
}

async fn worker(State(http): State<Http>, headers: HeaderMap) -> Answer<Response> {
    let files = http.page().files().await.map_err(unreadable)?;
    Ok(send(files.worker(), &headers, ASK))
}

async fn manifest(State(http): State<Http>, headers: HeaderMap) -> Answer<Response> {
    let files = http.page().files().await.map_err(unreadable)?;
    Ok(send(files.manifest(), &headers, ASK))
}

/// A file, compressed where the client takes that, or the word that it has it.
fn send(file: &File, asked: &HeaderMap, keep: &'static str) -> Response {
    let has_it = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == file.tag);
    let takes_gzip = asked
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| matches!(coding.trim().split_once(';').unwrap_or((coding.trim(), "")), ("gzip", weight) if weight.trim() != "q=0"));
    let mut response = match (&file.gzip, takes_gzip) {
        _ if has_it => StatusCode::NOT_MODIFIED.into_response(),
        (Some(gzip), true) => {
            let mut response = Body::from(gzip.clone()).into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        _ => Body::from(file.bytes.clone()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if file.media.starts_with("text/javascript") {
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(WORKER_POLICY),
        );
    }
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn gone() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "the page has no such file")
}

fn unreadable(error: std::io::Error) -> Refusal {
    Error::internal("the page's files cannot be read")
        .because(error)
        .into()
}
