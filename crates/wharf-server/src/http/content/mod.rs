//! Files as bytes (RFC 9110): whole or in part, for browsers, curl and players, down and up.
//!
//! What people put on a drive is served from the origin of the API, so it must never run there as a page of it: every
//! answer forbids guessing its type and puts it into a sandbox without scripts.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `params` by more than they need"
)]

mod condition;
pub(super) mod media;

use std::ops::Range;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::{Content, ContentReader, Put};
use wharf_core::{Caller, Error};
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Expect, Node, OpResult};
use wharf_types::limit::{CHUNK_BYTES_MAX, FILE_BYTES_MAX};
use wharf_wire::range::{self, Wanted};

use super::Http;
use super::body::{self, json};
use super::error::{Answer, Refusal};
use super::extract::{AtQuery, By, FilePath, Query, Room};
use super::openapi::Binary;
use super::problems::{
    Any, CanBeInvalid, CanBeMissing, CanBeUnsatisfiable, CanConflict, CanFailCondition, HasBody,
    NeedsLogin,
};
use super::stream::{self, Feed};
use condition::{Required, Validators, Verdict};

/// Memory of one download: two chunks of the usual size, one being sent and one read.
const DOWNLOAD_MEMORY_BYTES: u64 = 2 * wharf_types::limit::CHUNK_BYTES_AVERAGE as u64;
/// Memory of one upload: what is being cut, and what is on its way to the store.
const UPLOAD_MEMORY_BYTES: u64 = 2 * CHUNK_BYTES_MAX as u64;
const NO_SCRIPTS: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox";

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(get_by_path, put))
        .routes(routes!(get_by_query))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RevisionQuery {
    /// The revision; the present one where it is missing.
    revision: Option<u64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PutQuery {
    /// The author's time of modification, in nanoseconds since the epoch.
    mtime_ns: Option<i64>,
    /// Whether it is a program.
    #[serde(default)]
    executable: bool,
}

/// A file's bytes
///
/// Takes `Range` (a single one), `If-Range`, `If-Match`, `If-None-Match` and the conditions on dates; HEAD works alike.
#[utoipa::path(get, path = "/rooms/{room}/content/{*path}", tag = "content", params(
    Room,
    FilePath, RevisionQuery),
    responses((status = 200, description = "All of it.", body = inline(Binary), content_type = "*/*"),
    (status = 206, description = "The range.", body = inline(Binary), content_type = "*/*"),
    (status = 304, description = "The client has it."),
    NeedsLogin, CanBeInvalid, CanBeMissing, CanFailCondition, CanBeUnsatisfiable, Any))]
async fn get_by_path(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    FilePath(path): FilePath,
    Query(query): Query<RevisionQuery>,
    request: Request,
) -> Answer<Response> {
    let content = http
        .wharf()
        .transfers()
        .content(&caller, room, At::Path(path), query.revision)
        .await?;
    serve(&http, content, request).await
}

/// A file's bytes, by its id
///
/// As by its path.
#[utoipa::path(get, path = "/rooms/{room}/content", tag = "content",
    params(Room, AtQuery, RevisionQuery),
    responses((status = 200, description = "All of it.", body = inline(Binary), content_type = "*/*"),
    (status = 206, description = "The range.", body = inline(Binary), content_type = "*/*"),
    (status = 304, description = "The client has it."),
    NeedsLogin, CanBeInvalid, CanBeMissing, CanFailCondition, CanBeUnsatisfiable, Any))]
async fn get_by_query(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(query): Query<RevisionQuery>,
    request: Request,
) -> Answer<Response> {
    let content = http
        .wharf()
        .transfers()
        .content(&caller, room, at.at()?, query.revision)
        .await?;
    serve(&http, content, request).await
}

/// Answers a GET or HEAD of `content`.
async fn serve(http: &Http, content: Content, request: Request) -> Answer<Response> {
    let validators = Validators::new(content.hash, content.changed_ms);
    let headers = request.headers();
    match validators.weigh(headers) {
        Verdict::Proceed => {}
        Verdict::NotModified => {
            return Ok(
                (StatusCode::NOT_MODIFIED, described(&content, &validators)?).into_response(),
            );
        }
        Verdict::Failed => return Err(condition_failed()),
    }
    let asked = headers
        .get(RANGE)
        .filter(|_| validators.range_holds(headers));
    let wanted = asked
        .and_then(|value| value.to_str().ok())
        .map_or(Wanted::Whole, |value| range::parse(value, content.bytes));
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..content.bytes),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Unsatisfiable => return Err(unsatisfiable(content.bytes)),
    };
    let mut described = described(&content, &validators)?;
    described.insert(CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let value = format!("bytes {}-{}/{}", range.start, range.end - 1, content.bytes);
        described.insert(CONTENT_RANGE, header(value)?);
    }
    if request.method() == Method::HEAD {
        return Ok((status, described).into_response());
    }
    let body = bytes_of(http, &content, range).await?;
    Ok((status, described, body).into_response())
}

/// The body with the bytes of `range`.
async fn bytes_of(http: &Http, content: &Content, range: Range<u64>) -> Answer<axum::body::Body> {
    let bytes = range.end - range.start;
    let memory = http
        .downloads()
        .admit(bytes.min(DOWNLOAD_MEMORY_BYTES))
        .await?;
    let mut reader = content.read(range);
    let first = reader.next().await?.unwrap_or_default();
    let is_all = first.len() as u64 == bytes;
    let (feed, body) = stream::fed(Some(bytes), vec![first], memory);
    if !is_all {
        http.work().spawn(send(reader, feed));
    }
    Ok(body)
}

/// Feeds an answer with the bytes of a file.
async fn send(mut reader: ContentReader, feed: Feed) {
    loop {
        match reader.next().await {
            Ok(None) => return,
            Ok(Some(bytes)) => {
                if !feed.send(vec![bytes]).await {
                    return;
                }
            }
            Err(error) => return feed.fail(error).await,
        }
    }
}

/// The headers that describe a content, whatever part of it is sent.
fn described(content: &Content, validators: &Validators) -> Answer<HeaderMap> {
    let media = media::of(&content.node.name);
    let disposition = media::disposition(&content.node.name, media);
    let entries: [(HeaderName, String); 6] = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_SECURITY_POLICY, NO_SCRIPTS.to_owned()),
        (ETAG, validators.tag.clone()),
        (LAST_MODIFIED, httpdate::fmt_http_date(validators.modified)),
        (CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    let mut headers = HeaderMap::with_capacity(entries.len() + 3);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    for (name, value) in entries {
        headers.insert(name, header(value)?);
    }
    Ok(headers)
}

fn header(value: String) -> Answer<HeaderValue> {
    HeaderValue::try_from(value).map_err(body::fault)
}

fn condition_failed() -> Refusal {
    Refusal::new(
        ErrorCode::Stale,
        "what is there is not what the request's conditions ask for",
    )
    .with_status(StatusCode::PRECONDITION_FAILED)
}

fn unsatisfiable(bytes: u64) -> Refusal {
    let refusal = Refusal::invalid(format!("the range is past the end of {bytes} bytes"))
        .with_status(StatusCode::RANGE_NOT_SATISFIABLE);
    match HeaderValue::try_from(format!("bytes */{bytes}")) {
        Ok(value) => refusal.with_header(CONTENT_RANGE, value),
        Err(_) => refusal,
    }
}

/// Puts a file from its bytes
///
/// For `curl -T` and other clients that do not cut content into chunks. Folders on the way are made; what was there stays
/// as a revision. `If-None-Match: *` puts only where nothing is, `If-Match: ETAG` only over that content. The file is
/// there when the answer comes, and not a part of it before: a connection that breaks leaves nothing.
#[utoipa::path(put, path = "/rooms/{room}/content/{*path}", tag = "content", params(
    Room,
    FilePath, PutQuery),
    request_body(content = inline(Binary), content_type = "application/octet-stream"),
    responses((status = 200, description = "Replaced.", body = OpResult), (status = 201, description = "Made.", body = OpResult),
    NeedsLogin, HasBody, CanBeMissing, CanConflict, CanFailCondition, Any))]
async fn put(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    FilePath(path): FilePath,
    Query(query): Query<PutQuery>,
    request: Request,
) -> Answer<Response> {
    let required = Required::of(request.headers())
        .ok_or_else(|| Refusal::invalid("If-None-Match may only be * here"))?;
    let body = request.into_body();
    if body.size_hint().lower() > FILE_BYTES_MAX {
        return Err(body::too_large(FILE_BYTES_MAX));
    }
    let there = node(&http, &caller, room, &path).await?;
    let expect = expected(&required, there.as_ref())?;
    let memory = body
        .size_hint()
        .upper()
        .unwrap_or(u64::MAX)
        .min(UPLOAD_MEMORY_BYTES);
    let memory = http.uploads().admit(memory).await?;
    let put = Put {
        path,
        expect,
        mtime_ns: query.mtime_ns,
        executable: query.executable,
    };
    let result = receive(&http, &caller, room, put, body).await;
    drop(memory);
    let result = result.map_err(|refusal| match (required, refusal.code()) {
        (Required::Nothing, _) => refusal,
        (_, ErrorCode::Stale | ErrorCode::Exists | ErrorCode::NotFound) => condition_failed(),
        _ => refusal,
    })?;
    json(
        if there.is_some() {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        },
        &result,
    )
}

/// What is at the path, if anything.
async fn node(http: &Http, caller: &Caller, room: RoomRef, path: &str) -> Answer<Option<Node>> {
    match http
        .wharf()
        .drive()
        .node(caller, room, At::Path(path.to_owned()))
        .await
    {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Turns the conditions of a PUT into what the commit expects; the commit compares again, with nothing in between.
fn expected(required: &Required, there: Option<&Node>) -> Answer<Expect> {
    let tag = || {
        there
            .and_then(|node| node.content)
            .map(|content| format!("\"{content}\""))
    };
    match (required, there) {
        (Required::Nothing, _) => Ok(Expect::Any),
        (Required::Absence, None) => Ok(Expect::Absent),
        (Required::Something, Some(node)) => Ok(Expect::Revision(node.revision)),
        (Required::OneOf(tags), Some(node)) if tag().is_some_and(|tag| tags.contains(&tag)) => {
            Ok(Expect::Revision(node.revision))
        }
        (Required::Absence | Required::Something | Required::OneOf(_), _) => {
            Err(condition_failed())
        }
    }
}

async fn receive(
    http: &Http,
    caller: &Caller,
    room: RoomRef,
    put: Put,
    mut body: axum::body::Body,
) -> Answer<OpResult> {
    let mut upload = http
        .wharf()
        .transfers()
        .open_upload(caller, room, put)
        .await?;
    let mut received_bytes = 0_u64;
    while let Some(piece) = body.frame().await {
        let Ok(bytes) = piece.map_err(|error| body::broken(&error))?.into_data() else {
            continue;
        };
        received_bytes += bytes.len() as u64;
        if received_bytes > FILE_BYTES_MAX {
            return Err(body::too_large(FILE_BYTES_MAX));
        }
        upload.push(bytes).await?;
    }
    // Past here the file is whole: the commit ends even when the client does not wait for it.
    let commit = http.work().spawn(async move { upload.commit().await });
    Ok(commit
        .await
        .map_err(|error| Error::internal("a commit failed").because(error))??)
}

#[cfg(test)]
mod tests {
    use wharf_types::api::drive::Expect;

    use super::condition::Required;
    use super::expected;

    #[test]
    fn a_put_that_requires_what_is_not_there_is_refused_before_it_is_read() {
        assert_eq!(expected(&Required::Nothing, None).unwrap(), Expect::Any);
        assert_eq!(expected(&Required::Absence, None).unwrap(), Expect::Absent);
        expected(&Required::Something, None).unwrap_err();
        expected(&Required::OneOf(vec!["\"x\"".to_owned()]), None).unwrap_err();
    }
}
