//! Contacts, their groups, and what others see of a person.

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
use wharf_types::api::account::Account;
use wharf_types::api::contact::{
    AskContact, Contact, ContactGroup, Contacts, EditContact, EditContactGroup, EditProfile,
};
use wharf_types::api::room::Person;
use wharf_types::{AccountId, ContactGroupId};

use super::Http;
use super::body::{json, json_large};
use super::error::Answer;
use super::extract::{By, Id, Json, Query};
use super::problems::{
    Any, CanBeInvalid, CanBeLimited, CanBeMissing, CanBeTooMany, CanConflict, HasBody, NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(edit_profile))
        .routes(routes!(find_person))
        .routes(routes!(contacts, ask_contact))
        .routes(routes!(edit_contact, remove_contact))
        .routes(routes!(accept_contact))
        .routes(routes!(decline_contact))
        .routes(routes!(create_contact_group))
        .routes(routes!(edit_contact_group, remove_contact_group))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhoQuery {
    /// A six-digit number, a username or an e-mail address, exactly.
    #[param(max_length = 254)]
    who: String,
}

/// Changes what others see of the caller
#[utoipa::path(patch, path = "/account", tag = "account", request_body = EditProfile,
    responses((status = 200, body = Account), NeedsLogin, HasBody, Any))]
async fn edit_profile(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<EditProfile>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .contacts()
            .edit_profile(&caller, request)
            .await?,
    )
}

/// Finds somebody by number, username or e-mail address
///
/// Exactly: there is no list of everybody. Attempts are counted.
#[utoipa::path(get, path = "/people", tag = "contacts", params(WhoQuery),
    responses((status = 200, body = Person), NeedsLogin, CanBeInvalid, CanBeMissing, CanBeLimited, Any))]
async fn find_person(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<WhoQuery>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().contacts().find(&caller, &query.who).await?,
    )
}

/// The caller's contacts, requests and blocks, and the groups
#[utoipa::path(get, path = "/contacts", tag = "contacts",
    responses((status = 200, body = Contacts), NeedsLogin, Any))]
async fn contacts(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    let contacts = http.wharf().contacts().list(&caller).await?;
    json_large(contacts.items.len(), 0, contacts).await
}

/// Asks somebody to become a contact
///
/// Who has been asked by them before becomes a contact at once. A request that was declined looks like one that waits.
#[utoipa::path(post, path = "/contacts", tag = "contacts", request_body = AskContact,
    responses((status = 200, body = Contact), NeedsLogin, HasBody, CanBeMissing, CanConflict, CanBeLimited, Any))]
async fn ask_contact(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<AskContact>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().contacts().ask(&caller, request).await?,
    )
}

/// Accepts somebody's request
///
/// Their direct room is there from now on.
#[utoipa::path(post, path = "/contacts/{id}/accept", tag = "contacts", params(("id" = AccountId, Path)),
    responses((status = 200, body = Contact), NeedsLogin, CanBeInvalid, CanBeMissing, CanBeTooMany, Any))]
async fn accept_contact(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<AccountId>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().contacts().accept(&caller, id).await?,
    )
}

/// Declines somebody's request
///
/// They are not told.
#[utoipa::path(post, path = "/contacts/{id}/decline", tag = "contacts", params(("id" = AccountId, Path)),
    responses((status = 204, description = "Declined."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn decline_contact(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<AccountId>,
) -> Answer<StatusCode> {
    http.wharf().contacts().decline(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes what the caller notes of somebody, or blocks them
///
/// Whoever is blocked can neither ask, write, nor see the caller's presence; people who are no contacts can be blocked, too.
#[utoipa::path(patch, path = "/contacts/{id}", tag = "contacts", params(("id" = AccountId, Path)),
    request_body = EditContact,
    responses((status = 200, body = Contact), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn edit_contact(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<AccountId>,
    Json(request): Json<EditContact>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().contacts().edit(&caller, id, request).await?,
    )
}

/// Ends a contact, or takes a request back
///
/// Their direct room stays, to be read.
#[utoipa::path(delete, path = "/contacts/{id}", tag = "contacts", params(("id" = AccountId, Path)),
    responses((status = 204, description = "Ended."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_contact(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<AccountId>,
) -> Answer<StatusCode> {
    http.wharf().contacts().remove(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a group of contacts
#[utoipa::path(post, path = "/contact-groups", tag = "contacts", request_body = EditContactGroup,
    responses((status = 201, body = ContactGroup), NeedsLogin, HasBody, CanConflict, Any))]
async fn create_contact_group(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<EditContactGroup>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http
            .wharf()
            .contacts()
            .create_group(&caller, request)
            .await?,
    )
}

/// Renames a group of contacts, or moves it among the others
#[utoipa::path(patch, path = "/contact-groups/{id}", tag = "contacts", params(("id" = ContactGroupId, Path)),
    request_body = EditContactGroup,
    responses((status = 200, body = ContactGroup), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn edit_contact_group(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<ContactGroupId>,
    Json(request): Json<EditContactGroup>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .contacts()
            .edit_group(&caller, id, request)
            .await?,
    )
}

/// Removes a group of contacts
///
/// Who was in it stays a contact.
#[utoipa::path(delete, path = "/contact-groups/{id}", tag = "contacts", params(("id" = ContactGroupId, Path)),
    responses((status = 204, description = "Removed."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_contact_group(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<ContactGroupId>,
) -> Answer<StatusCode> {
    http.wharf().contacts().remove_group(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
