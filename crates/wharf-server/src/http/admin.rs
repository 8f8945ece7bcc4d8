//! What operators do: accounts, invitations and jobs.

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
use wharf_types::AccountId;
use wharf_types::api::account::{
    Account, Accounts, AddAccount, AddedAccount, CreateInvitation, EditAccount, Invitation,
};
use wharf_types::api::job::{EditJob, Job};
use wharf_types::api::storage::Storage;

use super::Http;
use super::body::json;
use super::error::Answer;
use super::extract::{self, By, Id, Json, Query};
use super::problems::{Any, CanBeInvalid, CanBeMissing, CanConflict, HasBody, NeedsLogin};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(list_accounts, add_account))
        .routes(routes!(find_account, edit_account))
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(end_invitation))
        .routes(routes!(list_jobs))
        .routes(routes!(storage))
        .routes(routes!(edit_job))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AccountsQuery {
    /// What the page before this one gave as `next`.
    after: Option<u32>,
    /// Most items on the page; 1,000 where it is missing.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

/// A page of all accounts
///
/// Ordered by number.
#[utoipa::path(get, path = "/admin/accounts", tag = "admin", params(AccountsQuery),
    responses((status = 200, body = Accounts), NeedsLogin, CanBeInvalid, Any))]
async fn list_accounts(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<AccountsQuery>,
) -> Answer<Response> {
    let limit = extract::limit(query.limit)?;
    json(
        StatusCode::OK,
        &http
            .wharf()
            .accounts()
            .admin(&caller)?
            .list(query.after, limit)
            .await?,
    )
}

/// Makes an account
///
/// Whatever the policy for sign-up. The password that the server chooses is shown once.
#[utoipa::path(post, path = "/admin/accounts", tag = "admin", request_body = AddAccount,
    responses((status = 201, body = AddedAccount), NeedsLogin, HasBody, CanConflict, Any))]
async fn add_account(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<AddAccount>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http.wharf().accounts().admin(&caller)?.add(request).await?,
    )
}

/// The account with a username, number or e-mail address
#[utoipa::path(get, path = "/admin/accounts/{id}", tag = "admin",
    params(("id" = String, Path, description = "Username, six-digit number or e-mail address.")),
    responses((status = 200, body = Account), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn find_account(
    State(http): State<Http>,
    By(caller): By,
    Id(login): Id<String>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().admin(&caller)?.find(&login).await?,
    )
}

/// Locks or unlocks an account, sets its quota, or resets its password
#[utoipa::path(patch, path = "/admin/accounts/{id}", tag = "admin", params(("id" = AccountId, Path)),
    request_body = EditAccount,
    responses((status = 200, body = AddedAccount), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn edit_account(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<AccountId>,
    Json(request): Json<EditAccount>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .accounts()
            .admin(&caller)?
            .edit(id, request)
            .await?,
    )
}

/// The invitations that still hold
#[utoipa::path(get, path = "/invitations", tag = "admin",
    responses((status = 200, body = Vec<Invitation>), NeedsLogin, Any))]
async fn list_invitations(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .accounts()
            .admin(&caller)?
            .invitations()
            .await?,
    )
}

/// Makes an invitation
///
/// Its code is shown once.
#[utoipa::path(post, path = "/invitations", tag = "admin", request_body = CreateInvitation,
    responses((status = 201, body = Invitation), NeedsLogin, HasBody, Any))]
async fn create_invitation(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<CreateInvitation>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http
            .wharf()
            .accounts()
            .admin(&caller)?
            .create_invitation(request)
            .await?,
    )
}

/// Ends an invitation
#[utoipa::path(delete, path = "/invitations/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204, description = "Ended."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn end_invitation(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<String>,
) -> Answer<StatusCode> {
    http.wharf()
        .accounts()
        .admin(&caller)?
        .end_invitation(&id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The background jobs of the server that answers
#[utoipa::path(get, path = "/admin/jobs", tag = "admin",
    responses((status = 200, body = Vec<Job>), NeedsLogin, Any))]
async fn list_jobs(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(StatusCode::OK, &http.wharf().operators_jobs(&caller).await?)
}

/// What the server holds, where, and how far it has verified it
#[utoipa::path(get, path = "/admin/storage", tag = "admin",
    responses((status = 200, body = Storage), NeedsLogin, Any))]
async fn storage(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(StatusCode::OK, &http.wharf().storage(&caller).await?)
}

/// Paces, pauses or hurries a background job
///
/// Of the server that answers, until it is started again.
#[utoipa::path(patch, path = "/admin/jobs/{id}", tag = "admin",
    params(("id" = String, Path, description = "The job's name.")), request_body = EditJob,
    responses((status = 200, body = Job), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn edit_job(
    State(http): State<Http>,
    By(caller): By,
    Id(name): Id<String>,
    Json(request): Json<EditJob>,
) -> Answer<Response> {
    let job = http.wharf().edit_job(&caller, &name, request).await?;
    json(StatusCode::OK, &job)
}
