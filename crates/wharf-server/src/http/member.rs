//! Who is in a room, and the ways into it: invitations and links.

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
use wharf_types::api::room::{
    CreateLink, InviteToRoom, JoinRoom, Room, RoomInvitation, RoomLink, RoomLinks, RoomMembers,
    SetRole,
};
use wharf_types::{AccountId, RoomId};

use super::Http;
use super::body::{json, json_large};
use super::error::Answer;
use super::extract::{self, By, Id, Json, Query};
use super::problems::{
    Any, CanBeInvalid, CanBeMissing, CanBeTooMany, CanConflict, HasBody, NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(members))
        .routes(routes!(set_role, remove_member))
        .routes(routes!(leave_room))
        .routes(routes!(invite_to_room))
        .routes(routes!(withdraw_invitation))
        .routes(routes!(room_invitations))
        .routes(routes!(accept_room_invitation))
        .routes(routes!(decline_room_invitation))
        .routes(routes!(room_links, create_link))
        .routes(routes!(remove_link))
        .routes(routes!(look_at_link, join_room))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CodeQuery {
    /// The code of a link.
    code: String,
}

/// The people of a room
///
/// Members by name, then those who were members.
#[utoipa::path(get, path = "/rooms/{room}/members", tag = "rooms", params(extract::Room),
    responses((status = 200, body = RoomMembers), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn members(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
) -> Answer<Response> {
    let members = http.wharf().rooms().members(&caller, room).await?;
    json_large(members.items.len(), 0, members).await
}

/// Gives a member another role
///
/// As the owner. `owner` hands the room over, with its drive, which counts on the new owner's quota from then on.
#[utoipa::path(patch, path = "/rooms/{room}/members/{id}", tag = "rooms",
    params(extract::Room, ("id" = AccountId, Path)), request_body = SetRole,
    responses((status = 204, description = "Given."), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn set_role(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Id(id): Id<AccountId>,
    Json(request): Json<SetRole>,
) -> Answer<StatusCode> {
    http.wharf()
        .rooms()
        .set_role(&caller, room, id, request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a member
///
/// As the owner. What the member wrote stays.
#[utoipa::path(delete, path = "/rooms/{room}/members/{id}", tag = "rooms",
    params(extract::Room, ("id" = AccountId, Path)),
    responses((status = 204, description = "Removed."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_member(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Id(id): Id<AccountId>,
) -> Answer<StatusCode> {
    http.wharf()
        .rooms()
        .remove_member(&caller, room, id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves a group
///
/// An owner hands it over first.
#[utoipa::path(post, path = "/rooms/{room}/leave", tag = "rooms", params(extract::Room),
    responses((status = 204, description = "Left."), NeedsLogin, CanBeInvalid, CanBeMissing, CanConflict, Any))]
async fn leave_room(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
) -> Answer<StatusCode> {
    http.wharf().rooms().leave(&caller, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites a contact into a group
///
/// As its owner.
#[utoipa::path(post, path = "/rooms/{room}/invitations", tag = "rooms", params(extract::Room),
    request_body = InviteToRoom,
    responses((status = 204, description = "Invited."), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn invite_to_room(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Json(request): Json<InviteToRoom>,
) -> Answer<StatusCode> {
    http.wharf().rooms().invite(&caller, room, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an invitation back
#[utoipa::path(delete, path = "/rooms/{room}/invitations/{id}", tag = "rooms",
    params(extract::Room, ("id" = AccountId, Path)),
    responses((status = 204, description = "Taken back."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn withdraw_invitation(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Id(id): Id<AccountId>,
) -> Answer<StatusCode> {
    http.wharf().rooms().withdraw(&caller, room, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The invitations that wait for the caller's word
///
/// Oldest first.
#[utoipa::path(get, path = "/room-invitations", tag = "rooms",
    responses((status = 200, body = Vec<RoomInvitation>), NeedsLogin, Any))]
async fn room_invitations(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    let invitations = http.wharf().rooms().invitations(&caller).await?;
    json_large(invitations.len(), 0, invitations).await
}

/// Accepts an invitation into a room
#[utoipa::path(post, path = "/room-invitations/{id}/accept", tag = "rooms",
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Room), NeedsLogin, CanBeInvalid, CanBeMissing, CanBeTooMany, Any))]
async fn accept_room_invitation(
    State(http): State<Http>,
    By(caller): By,
    Id(room): Id<RoomId>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().accept(&caller, room).await?,
    )
}

/// Declines an invitation into a room
#[utoipa::path(post, path = "/room-invitations/{id}/decline", tag = "rooms",
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 204, description = "Declined."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn decline_room_invitation(
    State(http): State<Http>,
    By(caller): By,
    Id(room): Id<RoomId>,
) -> Answer<StatusCode> {
    http.wharf().rooms().decline(&caller, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The links into a group
///
/// For its owner, without their codes.
#[utoipa::path(get, path = "/rooms/{room}/links", tag = "rooms", params(extract::Room),
    responses((status = 200, body = RoomLinks), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn room_links(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().links(&caller, room).await?,
    )
}

/// Makes a link into a group
///
/// As its owner. Its code is in this answer only.
#[utoipa::path(post, path = "/rooms/{room}/links", tag = "rooms", params(extract::Room), request_body = CreateLink,
    responses((status = 201, body = RoomLink), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn create_link(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Json(request): Json<CreateLink>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http
            .wharf()
            .rooms()
            .create_link(&caller, room, request)
            .await?,
    )
}

/// Ends a link
#[utoipa::path(delete, path = "/rooms/{room}/links/{id}", tag = "rooms",
    params(extract::Room, ("id" = String, Path, description = "The link's id.")),
    responses((status = 204, description = "Ended."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_link(
    State(http): State<Http>,
    By(caller): By,
    extract::Room(room): extract::Room,
    Id(id): Id<String>,
) -> Answer<StatusCode> {
    http.wharf().rooms().remove_link(&caller, room, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a link's code leads to
#[utoipa::path(get, path = "/join", tag = "rooms", params(CodeQuery),
    responses((status = 200, body = RoomInvitation), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn look_at_link(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<CodeQuery>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().look(&caller, &query.code).await?,
    )
}

/// Enters a group by a link's code
#[utoipa::path(post, path = "/join", tag = "rooms", request_body = JoinRoom,
    responses((status = 200, body = Room), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn join_room(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<JoinRoom>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().rooms().join(&caller, request).await?,
    )
}
