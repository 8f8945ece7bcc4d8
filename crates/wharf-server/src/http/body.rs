//! Reads request bodies within their bounds and writes large answers without holding up other requests.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wharf_core::Error;
use wharf_types::ErrorCode;

use super::error::{Answer, Refusal};

/// From here on JSON is read and written on a thread where it may take its time: about a millisecond's worth.
const LARGE_BYTES: usize = 256 * 1024;
/// About what one item of a list takes.
const ITEM_BYTES: usize = 256;

/// Reads a whole body.
///
/// # Errors
/// - `TooLarge`: it is over `limit_bytes`; said before reading where the client announces its length.
/// - `Cancelled`: it did not arrive within `deadline`, or broke off.
pub(super) async fn read(body: Body, limit_bytes: u64, deadline: Duration) -> Answer<Bytes> {
    match tokio::time::timeout(deadline, collect(body, limit_bytes)).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::new(
            ErrorCode::Cancelled,
            "the body did not arrive in time",
        )),
    }
}

async fn collect(mut body: Body, limit_bytes: u64) -> Answer<Bytes> {
    if body.size_hint().lower() > limit_bytes {
        return Err(too_large(limit_bytes));
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|error| broken(&error))?.into_data() else {
            continue;
        };
        let total = first.len() + whole.len() + bytes.len();
        if u64::try_from(total).unwrap_or(u64::MAX) > limit_bytes {
            return Err(too_large(limit_bytes));
        }
        if first.is_empty() && whole.is_empty() {
            first = bytes;
            continue;
        }
        if whole.is_empty() {
            // The length is only what the client says; what it has sent is what is believed.
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// What a body that ends before its end is answered with, if anybody is left to read it.
pub(super) fn broken(error: &axum::Error) -> Refusal {
    tracing::debug!(%error, "the body broke off");
    Refusal::new(ErrorCode::Cancelled, "the body broke off")
}

/// What a body over its bound is answered with.
pub(super) fn too_large(limit_bytes: u64) -> Refusal {
    Refusal::new(
        ErrorCode::TooLarge,
        format!("the body may have {limit_bytes} bytes at most"),
    )
}

/// Reads JSON.
///
/// # Errors
/// `Invalid`, with the place.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::invalid(format!("the body does not fit: {error}")))
}

/// Reads JSON that may be large.
///
/// # Errors
/// `Invalid`, with the place.
pub(super) async fn parse_large<T: DeserializeOwned + Send + 'static>(bytes: Bytes) -> Answer<T> {
    if bytes.len() < LARGE_BYTES {
        return parse(&bytes);
    }
    tokio::task::spawn_blocking(move || parse(&bytes))
        .await
        .map_err(fault)?
}

/// Answers with JSON.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer<Response> {
    let bytes = serde_json::to_vec(value).map_err(fault)?;
    Ok(json_bytes(status, bytes))
}

/// Answers with JSON that may be large: `items` items, with `bytes` bytes beside what an item usually has.
pub(super) async fn json_large<T: Serialize + Send + 'static>(
    items: usize,
    bytes: usize,
    value: T,
) -> Answer<Response> {
    let expected_bytes = items.saturating_mul(ITEM_BYTES).saturating_add(bytes);
    if expected_bytes < LARGE_BYTES {
        return json(StatusCode::OK, &value);
    }
    let write = move || {
        let mut text = Vec::with_capacity(expected_bytes);
        serde_json::to_writer(&mut text, &value).map(|()| text)
    };
    let text = tokio::task::spawn_blocking(write).await.map_err(fault)?;
    Ok(json_bytes(StatusCode::OK, text.map_err(fault)?))
}

fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, content_type, bytes).into_response()
}

/// A failure of the program's own.
pub(super) fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Refusal {
    Error::internal("rendering or running a request failed")
        .because(error)
        .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream;
    use wharf_types::ErrorCode;

    use super::read;

    const DEADLINE: Duration = Duration::from_secs(1);

    fn pieces(pieces: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(pieces.iter().map(|piece| {
            Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes()))
        })))
    }

    #[tokio::test]
    async fn pieces_are_joined_up_to_the_limit() {
        assert_eq!(
            read(pieces(&["ab", "", "cd", "e"]), 5, DEADLINE)
                .await
                .unwrap(),
            "abcde"
        );
        assert_eq!(read(Body::from("abc"), 3, DEADLINE).await.unwrap(), "abc");
        assert_eq!(read(Body::empty(), 0, DEADLINE).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused_announced_or_not() {
        assert_eq!(
            read(pieces(&["ab", "cd", "e"]), 4, DEADLINE)
                .await
                .unwrap_err()
                .code(),
            ErrorCode::TooLarge
        );
        assert_eq!(
            read(Body::from("abcde"), 4, DEADLINE)
                .await
                .unwrap_err()
                .code(),
            ErrorCode::TooLarge
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            read(endless, 4, DEADLINE).await.unwrap_err().code(),
            ErrorCode::Cancelled
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let broken = Body::from_stream(stream::iter([
            Ok(Bytes::from_static(b"a")),
            Err(std::io::Error::other("gone")),
        ]));
        assert_eq!(
            read(broken, 4, DEADLINE).await.unwrap_err().code(),
            ErrorCode::Cancelled
        );
    }
}
