//! One attempt at one delivery: what is posted, and what the answer means.

use std::sync::Arc;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::Full;
use wharf_core::hook::{Delivery, Failure};

use crate::outbound::{Poster, Reply, Target};

/// The header with the time and the signature.
const SIGNATURE: &str = "wharf-signature";
/// The header that names the delivery.
const DELIVERY: &str = "wharf-delivery";

/// Posts a delivery, signed at `now_ms`. What the receiver answers beside its status is not read.
///
/// # Errors
/// Why it was not taken.
pub(super) async fn post(
    poster: &Arc<Poster>,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<(), Failure> {
    let target = Target::of(&delivery.url).ok_or_else(|| passing("the url is malformed"))?;
    let request = request(&target, delivery, now_ms)
        .map_err(|error| passing(format!("the delivery cannot be put into words: {error}")))?;
    let reply = poster.post(&target, request).await.map_err(passing)?;
    verdict(&reply)
}

/// The request: the body as JSON, signed with the time.
fn request(
    target: &Target,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<Request<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let body = serde_json::to_vec(&delivery.body)?;
    let request = target
        .request()
        .header(CONTENT_TYPE, "application/json")
        .header(DELIVERY, delivery.name())
        .header(SIGNATURE, signature(&delivery.secret, now_ms, &body))
        .body(Full::new(Bytes::from(body)))?;
    Ok(request)
}

/// The value of the header that proves who posts and when.
fn signature(secret: &[u8], now_ms: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut signed = hmac::Context::with_key(&key);
    signed.update(format!("{now_ms}.").as_bytes());
    signed.update(body);
    let hex: String = signed
        .sign()
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    format!("t={now_ms},v1={hex}")
}

/// What a receiver's status means.
fn verdict(reply: &Reply) -> Result<(), Failure> {
    let status = reply.status;
    if status.is_success() {
        return Ok(());
    }
    let mut failure = passing(format!("the receiver answered {status}"));
    if status.is_redirection() {
        failure.reason = format!("the receiver answered {status}: give the address it leads to");
    }
    failure.is_final = status == StatusCode::GONE;
    failure.retry_after_seconds = reply.retry_after_seconds();
    Err(failure)
}

fn passing(reason: impl Into<String>) -> Failure {
    Failure {
        reason: reason.into(),
        retry_after_seconds: None,
        is_final: false,
    }
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::{Reply, signature, verdict};

    #[test]
    fn the_signature_is_what_other_libraries_compute() {
        // printf '1700000000000.{}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature(b"secret", 1_700_000_000_000, b"{}"),
            "t=1700000000000,v1=8399216d111287e3bb28e25c0f4f31dffdf831c68c9ee2b96c2f67c9b81d341b"
        );
    }

    #[test]
    fn success_alone_is_taken_and_gone_is_for_ever() {
        let reply = |status| Reply {
            status,
            headers: HeaderMap::new(),
        };
        verdict(&reply(StatusCode::NO_CONTENT)).unwrap();
        for status in [
            StatusCode::FOUND,
            StatusCode::NOT_FOUND,
            StatusCode::BAD_GATEWAY,
        ] {
            assert!(!verdict(&reply(status)).unwrap_err().is_final);
        }
        assert!(verdict(&reply(StatusCode::GONE)).unwrap_err().is_final);
        let mut wait = reply(StatusCode::SERVICE_UNAVAILABLE);
        wait.headers
            .insert(RETRY_AFTER, HeaderValue::from_static("120"));
        let failure = verdict(&wait).unwrap_err();
        assert_eq!(failure.retry_after_seconds, Some(120));
    }
}
