//! The worker that posts notices to the push services of people's browsers.
//!
//! It has the house gather what was said, asks what is due, posts, a bounded number at once, and tells the house how it went.
//! It stands behind the commit of what was said and holds nothing that a message waits for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, Request, StatusCode};
use http_body_util::Full;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wharf_core::Outgoing;
use wharf_core::push::{NoticeId, Outcome, Posting};

use crate::http::Http;
use crate::outbound::{Poster, Reply, Target, Trust, UnderWay};

/// How often the house is asked what is due.
const POLL_PERIOD: Duration = Duration::from_secs(1);
/// How long what is said is gathered, so that a busy house is not asked for each word.
const GATHER: Duration = Duration::from_millis(250);

const TTL: HeaderName = HeaderName::from_static("ttl");
const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");

/// The worker.
pub(crate) struct Worker {
    http: Http,
    poster: Arc<Poster>,
    under_way: UnderWay<NoticeId>,
}

impl Worker {
    /// A worker for the house behind `http`, or none where nothing may be posted.
    pub(crate) fn new(http: Http, trust: Arc<Trust>) -> Option<Self> {
        let allowed = http.wharf().pushes().allowed();
        if allowed == Outgoing::Off {
            return None;
        }
        Some(Self {
            http,
            poster: Arc::new(Poster::new(allowed, trust)),
            under_way: UnderWay::new(),
        })
    }

    /// Posts until `stopping`, then lets what is under way end.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        while !stopping.is_cancelled() {
            if let Err(error) = self.http.wharf().pushes().gather().await {
                tracing::warn!(?error, "cannot look at whom to tell of what was said");
            }
            if let Err(error) = self.start_due().await {
                tracing::warn!(?error, "cannot read which notices are due");
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = sleep(POLL_PERIOD) => {}
                () = self.http.wharf().pushes().spoken() => sleep(GATHER).await,
                () = self.under_way.ended() => {}
            }
        }
        if !self.under_way.drain().await {
            tracing::info!("notices under way are cut off; they may be sent once more");
        }
    }

    /// Starts what is due, as far as there is room for it.
    async fn start_due(&mut self) -> wharf_core::Result<()> {
        if let Some(count_max) = self.under_way.wanted() {
            let due = self.http.wharf().pushes().due(count_max).await?;
            let (http, poster) = (&self.http, &self.poster);
            self.under_way
                .begin(due, |id| send(http.clone(), Arc::clone(poster), id));
        }
        Ok(())
    }
}

/// Sends a notice, if there is still something to tell.
async fn send(http: Http, poster: Arc<Poster>, id: NoticeId) -> wharf_core::Result<()> {
    let pushes = http.wharf().pushes();
    let Some(posting) = pushes.claim(id).await? else {
        return Ok(());
    };
    let outcome = post(&poster, &posting).await;
    http.count_notice(&outcome);
    pushes.told(&posting, outcome).await
}

async fn post(poster: &Poster, posting: &Posting) -> Outcome {
    let later = Outcome::Later {
        retry_after_seconds: None,
    };
    let Some(target) = Target::of(&posting.endpoint) else {
        return Outcome::Refused;
    };
    let request = match request(&target, posting) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(%error, "a notice cannot be put into words");
            return Outcome::Refused;
        }
    };
    match poster.post(&target, request).await {
        Ok(reply) => verdict(&reply),
        Err(reason) => {
            tracing::debug!(session = %posting.id.session, reason, "a notice was not taken");
            later
        }
    }
}

/// The request of RFC 8030, 5.
fn request(target: &Target, posting: &Posting) -> Result<Request<Full<Bytes>>, http::Error> {
    let urgency = if posting.is_urgent { "high" } else { "normal" };
    target
        .request()
        .header(AUTHORIZATION, &posting.authorization)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_ENCODING, "aes128gcm")
        .header(TTL, posting.ttl_seconds)
        .header(URGENCY, urgency)
        .header(TOPIC, &posting.topic)
        .body(Full::new(Bytes::from(posting.body.clone())))
}

/// What a push service's status means.
fn verdict(reply: &Reply) -> Outcome {
    let status = reply.status;
    if status.is_success() {
        return Outcome::Taken;
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Outcome::Gone;
    }
    let is_passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    if is_passing {
        return Outcome::Later {
            retry_after_seconds: reply.retry_after_seconds(),
        };
    }
    tracing::warn!(%status, "a push service refused a notice");
    Outcome::Refused
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use wharf_core::push::Outcome;

    use super::{Reply, verdict};

    #[test]
    fn what_is_gone_what_passes_and_what_is_refused() {
        let of = |status: u16, wait: Option<&'static str>| {
            let headers = wait.map(|wait| (RETRY_AFTER, HeaderValue::from_static(wait)));
            verdict(&Reply {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::from_iter(headers),
            })
        };
        let later = |retry_after_seconds| Outcome::Later {
            retry_after_seconds,
        };
        assert_eq!(
            [of(201, None), of(200, None)],
            [Outcome::Taken, Outcome::Taken]
        );
        assert_eq!(
            [of(404, None), of(410, Some("9"))],
            [Outcome::Gone, Outcome::Gone]
        );
        assert_eq!(of(429, Some("120")), later(Some(120)));
        assert_eq!(of(503, None), later(None));
        for status in [301, 400, 401, 403, 413] {
            assert_eq!(of(status, None), Outcome::Refused);
        }
    }
}
