//! Rooms as their members see them, and the account's own list of it all.

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
use wharf_types::api::drive::Node;
use wharf_types::api::room::{
    AccountChanges, CreateRoom, EditPreferences, EditRoom, Room, Rooms, SaveToDrive,
};

use super::Http;
use super::body::{json, json_large};
use super::error::Answer;
use super::extract::{self, By, Json, JsonUpTo, Query, TextJson};
use super::problems::{Any, CanBeInvalid, CanBeMissing, CanConflict, HasBody, NeedsLogin};

/// What a room's last entry and preferences take in JSON beside the rest of it, at most times.
const ROOM_BYTES: usize = 1024;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(account_changes))
        .routes(routes!(rooms, create_room))
        .routes(routes!(room, edit_room))
        .routes(routes!(edit_preferences))
        .routes(routes!(save_to_drive))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The version up to which the client has the list; 0, for all of it, where it is missing.
    #[serde(default)]
    after: u64,
}

/// What changed of the caller's own list past a version of it
///
/// Contacts, groups, rooms, invitations and read positions, each in the state it has now, so that applying one again changes
/// nothing. Where more has changed than goes into one answer, its version is that of the last item: ask again from there.
#[utoipa::path(get, path = "/list", tag = "rooms", params(ListQuery),
    responses((status = 200, body = AccountChanges), NeedsLogin, CanBeInvalid, CanConflict, Any))]
async fn account_changes(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<ListQuery>,
) -> Answer<Response> {
    let changes = http.wharf().rooms().changes(&caller, query.after).await?;
    let count = changes.items.len();
    json_large(count, count.saturating_mul(ROOM_BYTES), changes).await
}

/// The caller's rooms
///
/// Pinned ones first, then by their last entry, newest first.
#[utoipa::path(get, path = "/rooms", tag = "rooms",
    responses((status = 200, body = Rooms), NeedsLogin, Any))]
async fn rooms(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    let rooms = http.wharf().rooms().list(&caller).await?;
    let count = rooms.items.len();
    json_large(count, count.saturating_mul(ROOM_BYTES), rooms).await
}

/// Makes a group
///
/// With the caller as its owner. The same id again is answered with the room as it is.
#[utoipa::path(post, path = "/rooms", tag = "rooms", request_body = CreateRoom,
    responses((status = 200, body = Room), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn create_room(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<CreateRoom>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().create(&caller, request).await?,
    )
}

/// A room as the caller sees it
#[utoipa::path(get, path = "/rooms/{room}", tag = "rooms", params(extract::Room),
    responses((status = 200, body = Room), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn room(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().get(&caller, room).await?,
    )
}

/// Changes a room
///
/// As its owner. Only groups have a name, a topic, a history and an archive.
#[utoipa::path(patch, path = "/rooms/{room}", tag = "rooms", params(extract::Room), request_body = EditRoom,
    responses((status = 200, body = Room), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn edit_room(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Json(request): Json<EditRoom>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().edit(&caller, room, request).await?,
    )
}

/// Changes what the caller set for a room
///
/// Nobody else sees it; the caller's other devices do.
#[utoipa::path(patch, path = "/rooms/{room}/preferences", tag = "rooms", params(extract::Room),
    request_body = EditPreferences,
    responses((status = 200, body = Room), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn edit_preferences(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    JsonUpTo(request): TextJson<EditPreferences>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .rooms()
            .edit_preferences(&caller, room, request)
            .await?,
    )
}

/// Saves a file of a room in the caller's own drive
///
/// No bytes move; they count on the caller's quota. The same again changes nothing.
#[utoipa::path(post, path = "/rooms/{room}/save", tag = "rooms", params(extract::Room), request_body = SaveToDrive,
    responses((status = 200, body = Node), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn save_to_drive(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Json(request): Json<SaveToDrive>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().save(&caller, room, request).await?,
    )
}
