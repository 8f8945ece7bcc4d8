//! Search over messages and file names.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::api::search::{Found, SearchQuery};

use super::Http;
use super::body::json_large;
use super::error::Answer;
use super::extract::{By, Query};
use super::problems::{Any, CanBeInvalid, CanBeMissing, CanBeTooLong, NeedsLogin};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new().routes(routes!(search))
}

/// Finds messages and files
///
/// In all rooms of the caller, newest first. The index follows the logs and drives within moments.
#[utoipa::path(get, path = "/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = Found), NeedsLogin, CanBeInvalid, CanBeMissing, CanBeTooLong, Any))]
async fn search(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<SearchQuery>,
) -> Answer<Response> {
    let found = http.wharf().search().find(&caller, query).await?;
    json_large(found.items.len(), 0, found).await
}
