//! Webhooks of rooms, and the addresses of the incoming ones.

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::HookId;
use wharf_types::api::hook::{CreateHook, EditHook, Hook, HookMessage, Hooks};
use wharf_types::api::log::Appended;
use wharf_types::api::problem::Problem;

use super::Http;
use super::body::json;
use super::error::{Answer, Refusal};
use super::extract::{By, CameFrom, Id, Json, JsonUpTo, Room, TextJson, path_param};
use super::problems::{
    Any, CanBeInvalid, CanBeLimited, CanBeMissing, CanBeUnsupported, CanConflict, HasBody,
    NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(hooks, create_hook))
        .routes(routes!(edit_hook, remove_hook))
        .routes(routes!(post_to_hook))
}

/// The `{secret}` of the path; the log shows the route in its place.
struct Secret(String);

impl FromRequestParts<Http> for Secret {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        path_param(parts, http, "secret").await.map(Self)
    }
}

/// The webhooks of a room
///
/// Oldest first; for its owner.
#[utoipa::path(get, path = "/rooms/{room}/hooks", tag = "hooks", params(Room),
    responses((status = 200, body = Hooks), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn hooks(State(http): State<Http>, By(caller): By, Room(room): Room) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().hooks().list(&caller, room).await?,
    )
}

/// Makes a webhook
///
/// Its secret is in this answer only. An incoming one is posted to at `/api/v1/hooks/{id}/{secret}`.
#[utoipa::path(post, path = "/rooms/{room}/hooks", tag = "hooks", params(Room), request_body = CreateHook,
    responses((status = 201, body = Hook), NeedsLogin, HasBody, CanBeMissing, CanBeUnsupported, Any))]
async fn create_hook(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(request): Json<CreateHook>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http.wharf().hooks().create(&caller, room, request).await?,
    )
}

/// Changes a webhook
///
/// An outgoing one that stopped starts again when it is given an address, be it the one it has.
#[utoipa::path(patch, path = "/rooms/{room}/hooks/{id}", tag = "hooks", params(Room, ("id" = HookId, Path)),
    request_body = EditHook,
    responses((status = 200, body = Hook), NeedsLogin, HasBody, CanBeMissing, CanBeUnsupported, Any))]
async fn edit_hook(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Id(id): Id<HookId>,
    Json(request): Json<EditHook>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .hooks()
            .edit(&caller, room, id, request)
            .await?,
    )
}

/// Ends a webhook
///
/// What it posted stays.
#[utoipa::path(delete, path = "/rooms/{room}/hooks/{id}", tag = "hooks", params(Room, ("id" = HookId, Path)),
    responses((status = 204, description = "Ended."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_hook(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Id(id): Id<HookId>,
) -> Answer<StatusCode> {
    http.wharf().hooks().remove(&caller, room, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Posts a message into the room of an incoming webhook
///
/// Needs no session: the address is the secret. A message with an id is posted once, however often it is sent.
#[utoipa::path(post, path = "/hooks/{id}/{secret}", tag = "hooks", security(()),
    params(("id" = HookId, Path), ("secret" = String, Path, description = "The webhook's secret.")),
    request_body = HookMessage,
    responses((status = 200, body = Appended),
    (status = 403, description = "The room is archived.", body = Problem, content_type = "application/problem+json"),
    HasBody, CanBeMissing, CanConflict, CanBeLimited, Any))]
async fn post_to_hook(
    State(http): State<Http>,
    CameFrom(origin): CameFrom,
    Id(id): Id<HookId>,
    Secret(secret): Secret,
    JsonUpTo(message): TextJson<HookMessage>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .hooks()
            .post(origin, id, &secret, message)
            .await?,
    )
}
