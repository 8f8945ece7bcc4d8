//! Logs as journals.

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::api::diary::{
    DaysQuery, DiaryDays, DiaryFormat, DiaryOrigins, DiaryPage, DiaryQuery, DiaryTags, DiaryText,
};

use super::Http;
use super::body::{json, json_large};
use super::error::{Answer, Refusal};
use super::extract::{By, Query, Room, path_word};
use super::problems::{Any, CanBeInvalid, CanBeMissing, NeedsLogin};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(diary))
        .routes(routes!(diary_days))
        .routes(routes!(diary_tags))
        .routes(routes!(diary_origins))
        .routes(routes!(diary_text))
}

/// The `{format}` of the path.
struct Format(DiaryFormat);

impl FromRequestParts<Http> for Format {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        path_word(parts, http, "format").await.map(Self)
    }
}

/// Entries of a journal
///
/// Texts and files that were not recalled: of a span of days, of a day of every year, with a tag, or from an origin.
#[utoipa::path(get, path = "/rooms/{room}/diary", tag = "diary", params(Room, DiaryQuery),
    responses((status = 200, body = DiaryPage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn diary(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<DiaryQuery>,
) -> Answer<Response> {
    let page = http.wharf().diaries().page(&caller, room, query).await?;
    json_large(page.items.len(), 0, page).await
}

/// The days of a span that have entries
#[utoipa::path(get, path = "/rooms/{room}/diary/days", tag = "diary", params(Room, DaysQuery),
    responses((status = 200, body = DiaryDays), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn diary_days(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<DaysQuery>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().diaries().days(&caller, room, query).await?,
    )
}

/// The tags of a journal
///
/// The most used ones first.
#[utoipa::path(get, path = "/rooms/{room}/diary/tags", tag = "diary", params(Room),
    responses((status = 200, body = DiaryTags), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn diary_tags(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().diaries().tags(&caller, room).await?,
    )
}

/// The places that the caller's entries came from
///
/// The most used ones first.
#[utoipa::path(get, path = "/rooms/{room}/diary/origins", tag = "diary", params(Room),
    responses((status = 200, body = DiaryOrigins), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn diary_origins(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().diaries().origins(&caller, room).await?,
    )
}

/// A part of a journal, written out
///
/// The parts one after another are the document.
#[utoipa::path(get, path = "/rooms/{room}/diary/export/{format}", tag = "diary",
    params(Room, ("format" = inline(DiaryFormat), Path, description = "What to write it as."), DiaryQuery),
    responses((status = 200, body = DiaryText), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn diary_text(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Format(format): Format,
    Query(query): Query<DiaryQuery>,
) -> Answer<Response> {
    let text = http
        .wharf()
        .diaries()
        .export(&caller, room, query, format)
        .await?;
    json_large(0, text.text.len(), text).await
}
