//! The logs of rooms: reading, appending, and how far everybody has come.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `params` by more than they need"
)]

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::log::Range;
use wharf_types::DeviceId;
use wharf_types::api::log::{
    Append, Appended, Body, Cursors, DeviceReach, EntryHistory, LogPage, Reach, SentUpTo,
};

use super::Http;
use super::body::{json, json_large};
use super::error::{Answer, Refusal};
use super::extract::{By, Id, Json, JsonUpTo, Position, Query, Room, TextJson};
use super::problems::{
    Any, CanBeInvalid, CanBeLimited, CanBeMissing, CanConflict, HasBody, NeedsLogin,
};

/// Most entries on a page of a log.
const ENTRIES_MAX: u32 = 1_000;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(log, append))
        .routes(routes!(log_entry))
        .routes(routes!(pins))
        .routes(routes!(files))
        .routes(routes!(mark_read))
        .routes(routes!(mark_delivered))
        .routes(routes!(cursors))
        .routes(routes!(sent_up_to))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// Those past this position, oldest first. One of `after`, `before` and `at_ms`; the last ones where there is none.
    after: Option<u64>,
    /// Those just before this position.
    before: Option<u64>,
    /// Those from the first one on that was recorded at this time or later, in milliseconds since the epoch.
    at_ms: Option<i64>,
    /// Most entries; 100 where it is missing.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FilesQuery {
    /// Those before this position.
    before: Option<u64>,
    /// Most entries; 100 where it is missing.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl PageQuery {
    fn range(&self) -> Answer<Range> {
        match (self.after, self.before, self.at_ms) {
            (None, None, None) => Ok(Range::Last),
            (Some(position), None, None) => Ok(Range::After(position)),
            (None, Some(position), None) => Ok(Range::Before(position)),
            (None, None, Some(at_ms)) => Ok(Range::AtTime(at_ms)),
            _ => Err(Refusal::invalid("give one of after, before and at_ms")),
        }
    }
}

fn limit(limit: Option<u32>) -> Answer<Option<u32>> {
    if limit.is_some_and(|limit| limit == 0 || limit > ENTRIES_MAX) {
        return Err(Refusal::invalid("limit must be from 1 to 1000"));
    }
    Ok(limit)
}

/// Answers with entries, written on a thread of its own where their texts are many.
async fn entries(page: LogPage) -> Answer<Response> {
    let texts = page.items.iter().map(|entry| match &entry.body {
        Some(Body::Text(text)) => text.text.len(),
        Some(Body::Edit(edit)) => edit.text.len(),
        Some(Body::File(file)) => file.text.len(),
        _ => 0,
    });
    json_large(page.items.len(), texts.sum(), page).await
}

/// A page of a room's log
///
/// By position, without gaps, each entry with what became of it as of `head`. A page ends after about 256 KiB, too, but
/// has at least one entry if there is one. `floor` says where what the caller can read begins.
#[utoipa::path(get, path = "/rooms/{room}/log", tag = "log", params(Room, PageQuery),
    responses((status = 200, body = LogPage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn log(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    let (range, limit) = (query.range()?, limit(query.limit)?);
    entries(
        http.wharf()
            .logs()
            .page(&caller, room, range, limit)
            .await?,
    )
    .await
}

/// Appends to a room's log
///
/// Once, for ever: the same device and number again, with the same room and draft, gets the first answer, with `repeated`
/// set. The answer comes when the entry is on disk.
#[utoipa::path(post, path = "/rooms/{room}/log", tag = "log", params(Room), request_body = Append,
    responses((status = 200, body = Appended), NeedsLogin, HasBody, CanBeMissing, CanConflict, CanBeLimited, Any))]
async fn append(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    JsonUpTo(append): TextJson<Append>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().logs().append(&caller, room, append).await?,
    )
}

/// An entry with its edits and its readers
#[utoipa::path(get, path = "/rooms/{room}/log/{position}", tag = "log",
    params(Room, ("position" = u64, Path, description = "Its position.")),
    responses((status = 200, body = EntryHistory), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn log_entry(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Position(position): Position,
) -> Answer<Response> {
    let history = http.wharf().logs().entry(&caller, room, position).await?;
    let texts = history.edits.iter().map(|edit| edit.text.len());
    json_large(history.read_by.len(), texts.sum(), history).await
}

/// The pinned entries of a room
///
/// The one that was pinned last comes first.
#[utoipa::path(get, path = "/rooms/{room}/pins", tag = "log", params(Room),
    responses((status = 200, body = LogPage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn pins(State(http): State<Http>, By(caller): By, Room(room): Room) -> Answer<Response> {
    entries(http.wharf().logs().pins(&caller, room).await?).await
}

/// The files that were handed over in a room
///
/// All that the log has, the last one first; what is in the drive beside them is in `/rooms/{room}/tree`.
#[utoipa::path(get, path = "/rooms/{room}/files", tag = "log", params(Room, FilesQuery),
    responses((status = 200, body = LogPage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn files(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<FilesQuery>,
) -> Answer<Response> {
    let limit = limit(query.limit)?;
    entries(
        http.wharf()
            .logs()
            .files(&caller, room, query.before, limit)
            .await?,
    )
    .await
}

/// Notes how far the caller has read
///
/// On any device; what lies before is read, too. Going back is ignored.
#[utoipa::path(put, path = "/rooms/{room}/read", tag = "log", params(Room), request_body = Reach,
    responses((status = 204, description = "Noted."), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn mark_read(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(reach): Json<Reach>,
) -> Answer<StatusCode> {
    http.wharf()
        .logs()
        .mark_read(&caller, room, reach.position)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes how far a device has stored a room's log
///
/// Going back is ignored.
#[utoipa::path(put, path = "/rooms/{room}/delivered", tag = "log", params(Room), request_body = DeviceReach,
    responses((status = 204, description = "Noted."), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn mark_delivered(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(reach): Json<DeviceReach>,
) -> Answer<StatusCode> {
    http.wharf()
        .logs()
        .mark_delivered(&caller, reach.device, room, reach.position)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far each member has read and received
#[utoipa::path(get, path = "/rooms/{room}/cursors", tag = "log", params(Room),
    responses((status = 200, body = Cursors), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn cursors(State(http): State<Http>, By(caller): By, Room(room): Room) -> Answer<Response> {
    let cursors = http.wharf().logs().cursors(&caller, room).await?;
    json_large(cursors.items.len(), 0, cursors).await
}

/// The greatest number that a device of the caller has used
///
/// For a client that was restored from a backup: what it numbered up to here has been sent.
#[utoipa::path(get, path = "/devices/{id}/sent", tag = "log", params(("id" = DeviceId, Path)),
    responses((status = 200, body = SentUpTo), NeedsLogin, CanBeInvalid, Any))]
async fn sent_up_to(
    State(http): State<Http>,
    By(caller): By,
    Id(device): Id<DeviceId>,
) -> Answer<Response> {
    let number = http.wharf().logs().last_number(&caller, device).await?;
    json(StatusCode::OK, &SentUpTo { number })
}
