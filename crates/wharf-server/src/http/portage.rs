//! Export and import of everything that an account owns.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::ImportId;
use wharf_types::api::portage::{ExportPage, ExportQuery, ImportBatch, ImportProgress};
use wharf_types::limit::IMPORT_BODY_BYTES_MAX;

use super::Http;
use super::body::{json, json_large};
use super::error::Answer;
use super::extract::{By, Id, JsonUpTo, Query};
use super::problems::{Any, CanBeInvalid, CanBeMissing, CanConflict, HasBody, NeedsLogin};

/// About what a record takes in JSON.
const RECORD_BYTES: usize = 512;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(export_page))
        .routes(routes!(import_batch))
        .routes(routes!(import_progress))
}

/// Some records of the caller's archive
///
/// An archive is the records of all pages in order, and the chunks that manifests in them name, which are fetched as those of files
/// are.
#[utoipa::path(get, path = "/export", tag = "portage", params(ExportQuery),
    responses((status = 200, body = ExportPage), NeedsLogin, CanBeInvalid, Any))]
async fn export_page(
    State(http): State<Http>,
    By(caller): By,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    let page = http.wharf().portage().export(&caller, query).await?;
    let count = page.records.len();
    json_large(count, count.saturating_mul(RECORD_BYTES), page).await
}

/// Takes in a batch of an archive
///
/// All of it or nothing. Upload the chunks that its manifests name first. The last batch again changes nothing.
#[utoipa::path(post, path = "/import", tag = "portage", request_body = ImportBatch,
    responses((status = 200, body = ImportProgress), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn import_batch(
    State(http): State<Http>,
    By(caller): By,
    JsonUpTo(batch): JsonUpTo<ImportBatch, IMPORT_BODY_BYTES_MAX>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().portage().import(&caller, batch).await?,
    )
}

/// How far an import has come
///
/// One that has not begun is at number 0.
#[utoipa::path(get, path = "/import/{id}", tag = "portage", params(("id" = ImportId, Path)),
    responses((status = 200, body = ImportProgress), NeedsLogin, CanBeInvalid, Any))]
async fn import_progress(
    State(http): State<Http>,
    By(caller): By,
    Id(import): Id<ImportId>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().portage().progress(&caller, import).await?,
    )
}
