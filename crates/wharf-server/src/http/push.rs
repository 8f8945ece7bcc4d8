//! Notices by Web Push: the server's key, and the subscription of the caller's session.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::api::push::{Push, PushSubscription, SubscribePush};

use super::Http;
use super::body::json;
use super::error::Answer;
use super::extract::{By, Json};
use super::problems::{Any, CanBeUnsupported, HasBody, NeedsLogin};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(push))
        .routes(routes!(subscribe, unsubscribe))
}

/// The server's key and the own subscription
///
/// What a browser is sent is a `PushNotice`, sealed for it.
#[utoipa::path(get, path = "/push", tag = "push",
    responses((status = 200, body = Push), NeedsLogin, Any))]
async fn push(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    json(StatusCode::OK, &http.wharf().pushes().state(&caller).await?)
}

/// Subscribes the session
///
/// In place of what it had. It ends with the session, or when the push service says that it is no more.
#[utoipa::path(put, path = "/push/subscription", tag = "push", request_body = SubscribePush,
    responses((status = 200, body = PushSubscription), NeedsLogin, HasBody, CanBeUnsupported, Any))]
async fn subscribe(
    State(http): State<Http>,
    By(caller): By,
    Json(request): Json<SubscribePush>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().pushes().subscribe(&caller, request).await?,
    )
}

/// Ends the session's subscription
#[utoipa::path(delete, path = "/push/subscription", tag = "push",
    responses((status = 204, description = "There is none now."), NeedsLogin, Any))]
async fn unsubscribe(State(http): State<Http>, By(caller): By) -> Answer<StatusCode> {
    http.wharf().pushes().unsubscribe(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
