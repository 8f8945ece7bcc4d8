//! The live door's upgrade from HTTP/1.1 to WebSocket (RFC 6455, section 4). What is spoken there is [`crate::live`]'s.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::Caller;
use wharf_types::ErrorCode;

use super::Http;
use super::error::{Answer, Refusal};
use super::extract::{By, CameFrom};
use super::problems::{Any, CanBeInvalid, CanBeLimited, NeedsLogin};
use crate::listen::Stream;
use crate::live::{Session, converse};

/// What the standard has both ends add to the key.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The subprotocol that is spoken.
const PROTOCOL: &str = "wharf.v1";
/// What comes before a token that is given as a subprotocol, for browsers: they can set no header.
const TOKEN_PREFIX: &str = "wharf.token.";

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new().routes(routes!(go_live))
}

/// The live socket
///
/// A WebSocket of HTTP/1.1 on which a device is told what happens and says what its person does: docs/protocol/live.md.
/// Browsers, which can set no header, offer the subprotocols `wharf.v1` and `wharf.token.TOKEN`.
#[utoipa::path(get, path = "/live", tag = "live",
    responses(
        (status = 101, description = "The connection is a WebSocket from here on."),
        (status = 426, description = "It is not asked for as a WebSocket of version 13 over HTTP/1.1.",
            body = wharf_types::api::problem::Problem, content_type = "application/problem+json"),
        Any, NeedsLogin, CanBeInvalid, CanBeLimited))]
async fn go_live(State(http): State<Http>, request: Request) -> Answer<Response> {
    let (mut parts, _) = request.into_parts();
    let by = authenticate(&mut parts, &http).await?;
    let accept = accept(&parts.headers)?;
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return Err(not_a_websocket());
    };
    let session = Session::new(Arc::clone(http.shared_wharf()), by)?;
    let connections = http.live_connections().clone();
    drop(http.live_connections().spawn(async move {
        match upgrade.await {
            Ok(upgraded) => begin(upgraded, session, &connections),
            Err(error) => tracing::debug!(%error, "upgrade to a WebSocket"),
        }
    }));
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if offered(&parts.headers).any(|offer| offer == PROTOCOL) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    Ok(response)
}

/// Speaks on the bare connection, in a task of its own, so that nothing of HTTP stays in memory.
fn begin(upgraded: Upgraded, session: Session, connections: &TaskTracker) {
    match upgraded.downcast::<TokioIo<Stream>>() {
        Ok(parts) => {
            let stream = parts.io.into_inner();
            drop(connections.spawn(converse(stream, parts.read_buf, session)));
        }
        Err(upgraded) => {
            let stream = TokioIo::new(upgraded);
            drop(connections.spawn(converse(stream, Bytes::new(), session)));
        }
    }
}

/// Who asks: by the token in `Authorization`, or by one that is offered as a subprotocol.
async fn authenticate(parts: &mut Parts, http: &Http) -> Answer<Caller> {
    let token = offered(&parts.headers)
        .find_map(|offer| offer.strip_prefix(TOKEN_PREFIX))
        .map(str::to_owned);
    if let Some(token) = token {
        let CameFrom(origin) = CameFrom::from_request_parts(parts, http).await?;
        return Ok(http.wharf().accounts().authenticate(&token, origin).await?);
    }
    let By(by) = By::from_request_parts(parts, http).await?;
    Ok(by)
}

/// The answer to the key of a request that asks for a WebSocket.
fn accept(headers: &HeaderMap) -> Answer<HeaderValue> {
    let is_upgrade = lists(headers, CONNECTION, "upgrade") && lists(headers, UPGRADE, "websocket");
    let is_version_13 = headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_some_and(|version| version == "13");
    if !is_upgrade || !is_version_13 {
        return Err(not_a_websocket());
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .filter(|key| data_encoding::BASE64.decode_len(key.len()) == Ok(18) && key.len() == 24)
        .ok_or_else(|| Refusal::invalid("Sec-WebSocket-Key must be 16 bytes in base64"))?;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(KEY_SUFFIX);
    let accept = data_encoding::BASE64.encode(context.finish().as_ref());
    HeaderValue::from_str(&accept).map_err(|error| {
        wharf_core::Error::internal("base64 is no header")
            .because(error)
            .into()
    })
}

fn not_a_websocket() -> Refusal {
    Refusal::new(
        ErrorCode::Unsupported,
        "this is a WebSocket of version 13, over HTTP/1.1",
    )
    .with_status(StatusCode::UPGRADE_REQUIRED)
    .with_header(UPGRADE, HeaderValue::from_static("websocket"))
    .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
}

/// The subprotocols that the client offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    items(headers, SEC_WEBSOCKET_PROTOCOL)
}

fn lists(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    items(headers, name).any(|item| item.eq_ignore_ascii_case(wanted))
}

/// The items of a header that is a list.
fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
    use http::{HeaderMap, HeaderValue};

    use super::accept;

    fn request() -> HeaderMap {
        HeaderMap::from_iter([
            (CONNECTION, HeaderValue::from_static("keep-alive, Upgrade")),
            (UPGRADE, HeaderValue::from_static("WebSocket")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            (
                SEC_WEBSOCKET_KEY,
                HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="),
            ),
        ])
    }

    #[test]
    fn the_key_is_answered_as_in_the_standard_s_example() {
        assert_eq!(accept(&request()).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_upgrade_is_told_what_to_ask_for() {
        for missing in [CONNECTION, UPGRADE, SEC_WEBSOCKET_VERSION] {
            let mut headers = request();
            headers.remove(missing);
            assert_eq!(accept(&headers).unwrap_err().render("").status(), 426);
        }
        let mut headers = request();
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("short"));
        assert_eq!(accept(&headers).unwrap_err().render("").status(), 400);
    }
}
