//! Accounts, sessions, passwords of gateways, and what anybody may know of the server.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::SessionId;
use wharf_types::api::account::{
    Account, ChangePassword, CreateJwt, Entered, IssuedJwt, LoggedIn, Login, RenameSession,
    ServerInfo, Session, Signup,
};
use wharf_types::api::app_password::{AppDoor, AppPassword, CreateAppPassword};

use super::Http;
use super::body::json;
use super::cookie::{self, FromPage};
use super::error::Answer;
use super::extract::{By, CameFrom, Id, Json};
use super::problems::{
    Any, CanBeInvalid, CanBeLimited, CanBeMissing, CanConflict, HasBody, NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(server))
        .routes(routes!(signup))
        .routes(routes!(login))
        .routes(routes!(page_signup))
        .routes(routes!(page_login))
        .routes(routes!(logout))
        .routes(routes!(change_password))
        .routes(routes!(account))
        .routes(routes!(sessions))
        .routes(routes!(rename_session, end_session))
        .routes(routes!(app_passwords, create_app_password))
        .routes(routes!(remove_app_password))
        .routes(routes!(create_jwt))
}

/// What anybody may know of the server
#[utoipa::path(get, path = "/server", tag = "server", security(()),
    responses((status = 200, body = ServerInfo), Any))]
async fn server(State(http): State<Http>) -> Answer<Response> {
    json(StatusCode::OK, &http.wharf().accounts().info().await?)
}

/// Makes an account and logs in with it
///
/// The first account needs the code that the server printed; later ones what `signup` in `/server` says.
#[utoipa::path(post, path = "/signup", tag = "account", security(()), request_body = Signup,
    responses((status = 201, body = LoggedIn),
    (status = 403, description = "Sign-up is closed, or the code is missing, wrong or used up.",
        body = wharf_types::api::problem::Problem, content_type = "application/problem+json"),
    HasBody, CanConflict, CanBeLimited, Any))]
async fn signup(
    State(http): State<Http>,
    CameFrom(origin): CameFrom,
    Json(request): Json<Signup>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http.wharf().accounts().signup(request, origin).await?,
    )
}

/// Opens a session
///
/// The token in the answer is what every other request carries, as `Authorization: Bearer TOKEN`. It is shown once.
#[utoipa::path(post, path = "/login", tag = "account", security(()), request_body = Login,
    responses((status = 200, body = LoggedIn), NeedsLogin, HasBody, CanBeLimited, Any))]
async fn login(
    State(http): State<Http>,
    CameFrom(origin): CameFrom,
    Json(request): Json<Login>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().login(request, origin).await?,
    )
}

/// Makes an account and logs the page in with it
///
/// As `/signup`, for the server's own page: the token is set as a cookie.
#[utoipa::path(post, path = "/page/signup", tag = "account", security(()), request_body = Signup,
    responses((status = 201, body = Entered),
    (status = 403, description = "Sign-up is closed, the code is missing, wrong or used up, or another site asks.",
        body = wharf_types::api::problem::Problem, content_type = "application/problem+json"),
    HasBody, CanConflict, CanBeLimited, Any))]
async fn page_signup(
    State(http): State<Http>,
    FromPage(parts): FromPage,
    CameFrom(origin): CameFrom,
    Json(request): Json<Signup>,
) -> Answer<Response> {
    let logged_in = http.wharf().accounts().signup(request, origin).await?;
    enter(&http, &parts, StatusCode::CREATED, logged_in)
}

/// Opens a session of the page
///
/// As `/login`, for the server's own page: the token is set as a cookie, which serves only the page's requests.
#[utoipa::path(post, path = "/page/login", tag = "account", security(()), request_body = Login,
    responses((status = 200, body = Entered), NeedsLogin, HasBody, CanBeLimited, Any))]
async fn page_login(
    State(http): State<Http>,
    FromPage(parts): FromPage,
    CameFrom(origin): CameFrom,
    Json(request): Json<Login>,
) -> Answer<Response> {
    let logged_in = http.wharf().accounts().login(request, origin).await?;
    enter(&http, &parts, StatusCode::OK, logged_in)
}

/// The answer that gives a browser its cookie.
fn enter(http: &Http, parts: &Parts, status: StatusCode, logged_in: LoggedIn) -> Answer<Response> {
    let LoggedIn {
        token,
        session,
        account,
    } = logged_in;
    let (name, value) = cookie::set(parts, http, &token)?;
    let mut response = json(status, &Entered { session, account })?;
    response.headers_mut().insert(name, value);
    Ok(response)
}

/// Ends the session that asks
///
/// The page's cookie goes with it.
#[utoipa::path(post, path = "/logout", tag = "account",
    responses((status = 204, description = "Ended."), NeedsLogin, Any))]
async fn logout(State(http): State<Http>, By(caller): By, request: Request) -> Answer<Response> {
    let (parts, _) = request.into_parts();
    http.wharf().accounts().logout(&caller).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some((name, value)) = cookie::clear(&parts, &http)? {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Sets another password
///
/// Ends the account's other sessions, and removes its passwords of gateways.
#[utoipa::path(post, path = "/password", tag = "account", request_body = ChangePassword,
    responses((status = 204, description = "Set."), NeedsLogin, HasBody, CanBeLimited, Any))]
async fn change_password(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<ChangePassword>,
) -> Answer<StatusCode> {
    http.wharf()
        .accounts()
        .change_password(&caller, request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's account
#[utoipa::path(get, path = "/account", tag = "account",
    responses((status = 200, body = Account), NeedsLogin, Any))]
async fn account(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().account(&caller).await?,
    )
}

/// The sessions of the caller's account
///
/// The one that was used last comes first.
#[utoipa::path(get, path = "/sessions", tag = "account",
    responses((status = 200, body = Vec<Session>), NeedsLogin, Any))]
async fn sessions(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().sessions(&caller).await?,
    )
}

/// Renames the device of a session
#[utoipa::path(patch, path = "/sessions/{id}", tag = "account", params(("id" = SessionId, Path)),
    request_body = RenameSession,
    responses((status = 200, body = Session), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn rename_session(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<SessionId>,
    Json(request): Json<RenameSession>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .accounts()
            .rename_session(&caller, id, request)
            .await?,
    )
}

/// Ends a session
#[utoipa::path(delete, path = "/sessions/{id}", tag = "account", params(("id" = SessionId, Path)),
    responses((status = 204, description = "Ended."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn end_session(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<SessionId>,
) -> Answer<StatusCode> {
    http.wharf().accounts().end_session(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's passwords of gateways
///
/// Clients of older systems log in with one that holds for their gateway alone.
#[utoipa::path(get, path = "/account/app-passwords", tag = "account",
    responses((status = 200, body = Vec<AppPassword>), NeedsLogin, Any))]
async fn app_passwords(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().app_passwords(&caller).await?,
    )
}

/// Makes a password for a gateway
///
/// The server chooses it; it is shown once. The one that there was ends, with its session.
#[utoipa::path(post, path = "/account/app-passwords", tag = "account", request_body = CreateAppPassword,
    responses((status = 201, body = AppPassword), NeedsLogin, HasBody, CanBeLimited, Any))]
async fn create_app_password(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<CreateAppPassword>,
) -> Answer<Response> {
    json(
        StatusCode::CREATED,
        &http
            .wharf()
            .accounts()
            .create_app_password(&caller, request)
            .await?,
    )
}

/// Removes a password of a gateway
///
/// Ends its session, too.
#[utoipa::path(delete, path = "/account/app-passwords/{id}", tag = "account",
    params(("id" = AppDoor, Path, description = "The gateway.")),
    responses((status = 204, description = "Removed."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_app_password(
    State(http): State<Http>,
    By(caller): By,
    Id(door): Id<AppDoor>,
) -> Answer<StatusCode> {
    http.wharf()
        .accounts()
        .remove_app_password(&caller, door)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a JSON Web Token
///
/// For gateways whose protocol knows nothing else; it opens no other door. It stands for a session of its own, and ends with
/// that.
#[utoipa::path(post, path = "/account/jwt", tag = "account", request_body = CreateJwt,
    responses((status = 200, body = IssuedJwt), NeedsLogin, HasBody, Any))]
async fn create_jwt(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<CreateJwt>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().accounts().create_jwt(&caller, request).await?,
    )
}
