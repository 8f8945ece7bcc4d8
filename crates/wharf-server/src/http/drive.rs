//! Drives: nodes, lists, revisions, the stream of changes, and commits.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `params` by more than they need"
)]

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http_body::Body as _;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::drive::{FindQuery, Manifests};
use wharf_types::api::drive::{
    Changes, Commit, Committed, Drive, Manifest, Node, NodePage, Retention, Revisions, Tree,
};
use wharf_types::limit::COMMIT_BODY_BYTES_MAX;

use super::Http;
use super::body::{self, json, json_large};
use super::error::Answer;
use super::extract::{self, AtQuery, By, Json, PageQuery, Query, Room};
use super::problems::{
    Any, CanBeInvalid, CanBeMissing, CanBeUnsupported, CanConflict, HasBody, NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(summary))
        .routes(routes!(set_retention))
        .routes(routes!(node))
        .routes(routes!(list))
        .routes(routes!(tree))
        .routes(routes!(trash))
        .routes(routes!(find))
        .routes(routes!(changes))
        .routes(routes!(revisions))
        .routes(routes!(manifest))
        .routes(routes!(commit))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TreeQuery {
    /// Whether entries carry their packed manifests, so that a client can fetch content without asking again.
    #[serde(default)]
    manifests: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NameQuery {
    /// A part of the name, without regard to letter case.
    name: Option<String>,
    /// A tag, exactly.
    tag: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// The position up to which the client has the stream; 0 where it is missing.
    #[serde(default)]
    after: u64,
    /// Most items; 1,000 where it is missing.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RevisionsQuery {
    /// What the page before this one gave as `next`.
    before: Option<u64>,
    /// Most items on the page; 1,000 where it is missing.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RevisionQuery {
    /// The revision; the present one where it is missing.
    revision: Option<u64>,
}

/// A room's drive as a whole
#[utoipa::path(get, path = "/rooms/{room}/drive", tag = "drive", params(Room),
    responses((status = 200, body = Drive), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn summary(State(http): State<Http>, By(caller): By, Room(room): Room) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().drive().summary(&caller, room).await?,
    )
}

/// Sets how long a drive keeps what is no longer current
#[utoipa::path(put, path = "/rooms/{room}/drive/retention", tag = "drive", params(Room),
    request_body = Retention,
    responses((status = 200, body = Retention), NeedsLogin, HasBody, CanBeMissing, Any))]
async fn set_retention(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(retention): Json<Retention>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .drive()
            .set_retention(&caller, room, retention)
            .await?,
    )
}

/// One node
///
/// In the tree or, by its id, in the trash.
#[utoipa::path(get, path = "/rooms/{room}/node", tag = "drive", params(Room, AtQuery),
    responses((status = 200, body = Node), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn node(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http.wharf().drive().node(&caller, room, at.at()?).await?,
    )
}

/// A page of a folder's nodes
///
/// Ordered by name without regard to letter case, then by name.
#[utoipa::path(get, path = "/rooms/{room}/list", tag = "drive", params(Room, AtQuery, PageQuery),
    responses((status = 200, body = NodePage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn list(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(page): Query<PageQuery>,
) -> Answer<Response> {
    let page = http
        .wharf()
        .drive()
        .list(&caller, room, at.at()?, page.page()?)
        .await?;
    json_large(page.items.len(), 0, page).await
}

/// A page of everything below a folder
///
/// Depth first, parents before children.
#[utoipa::path(get, path = "/rooms/{room}/tree", tag = "drive",
    params(Room, AtQuery, PageQuery, TreeQuery),
    responses((status = 200, body = Tree), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn tree(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(page): Query<PageQuery>,
    Query(query): Query<TreeQuery>,
) -> Answer<Response> {
    let manifests = if query.manifests {
        Manifests::Include
    } else {
        Manifests::Omit
    };
    let tree = http
        .wharf()
        .drive()
        .tree(&caller, room, at.at()?, page.page()?, manifests)
        .await?;
    let manifests = tree
        .items
        .iter()
        .filter_map(|entry| entry.manifest.as_ref());
    json_large(tree.items.len(), manifests.map(String::len).sum(), tree).await
}

/// A page of the trash
///
/// The nodes that were removed, not what is below them.
#[utoipa::path(get, path = "/rooms/{room}/trash", tag = "drive", params(Room, PageQuery),
    responses((status = 200, body = NodePage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn trash(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(page): Query<PageQuery>,
) -> Answer<Response> {
    let page = http
        .wharf()
        .drive()
        .trash(&caller, room, page.page()?)
        .await?;
    json_large(page.items.len(), 0, page).await
}

/// A page of the nodes with such a name, such a tag, or both
#[utoipa::path(get, path = "/rooms/{room}/find", tag = "drive", params(Room, NameQuery, PageQuery),
    responses((status = 200, body = NodePage), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn find(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<NameQuery>,
    Query(page): Query<PageQuery>,
) -> Answer<Response> {
    let NameQuery { name, tag } = query;
    let page = http
        .wharf()
        .drive()
        .find(&caller, room, FindQuery { name, tag }, page.page()?)
        .await?;
    json_large(page.items.len(), 0, page).await
}

/// What changed after a position of the drive's stream
///
/// Costs as much as what changed. Positions have no gaps; `head` is the last one.
#[utoipa::path(get, path = "/rooms/{room}/changes", tag = "drive", params(Room, ChangesQuery),
    responses((status = 200, body = Changes), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn changes(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<ChangesQuery>,
) -> Answer<Response> {
    let limit = extract::limit(query.limit)?;
    let changes = http
        .wharf()
        .drive()
        .changes(&caller, room, query.after, limit)
        .await?;
    json_large(changes.items.len(), 0, changes).await
}

/// A page of a file's revisions
///
/// Newest first; only those whose content is kept.
#[utoipa::path(get, path = "/rooms/{room}/revisions", tag = "drive", params(Room, AtQuery, RevisionsQuery),
    responses((status = 200, body = Revisions), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn revisions(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(query): Query<RevisionsQuery>,
) -> Answer<Response> {
    let limit = extract::limit(query.limit)?;
    let revisions = http
        .wharf()
        .drive()
        .revisions(&caller, room, at.at()?, query.before, limit)
        .await?;
    json_large(revisions.items.len(), 0, revisions).await
}

/// A file's content, as chunks
#[utoipa::path(get, path = "/rooms/{room}/manifest", tag = "drive", params(Room, AtQuery, RevisionQuery),
    responses((status = 200, body = Manifest), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn manifest(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(query): Query<RevisionQuery>,
) -> Answer<Response> {
    json(
        StatusCode::OK,
        &http
            .wharf()
            .drive()
            .manifest(&caller, room, at.at()?, query.revision)
            .await?,
    )
}

/// Changes a drive
///
/// All operations apply, in order, or none does. A refusal that is about single operations names them in `failed`; its
/// code is the first one's. The same commit sent again, with its id, applies once.
#[utoipa::path(post, path = "/rooms/{room}/commit", tag = "drive", params(Room),
    request_body = Commit,
    responses((status = 200, body = Committed), NeedsLogin, HasBody, CanBeMissing, CanConflict, CanBeUnsupported, Any))]
async fn commit(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    request: Request,
) -> Answer<Response> {
    extract::must_be(request.headers(), &[extract::JSON_TYPE])?;
    let request = request.into_body();
    let announced = request.size_hint().upper().unwrap_or(COMMIT_BODY_BYTES_MAX);
    // The body, and about as much again for what is read from it.
    let memory = http
        .uploads()
        .admit(announced.min(COMMIT_BODY_BYTES_MAX).saturating_mul(2))
        .await?;
    let bytes = body::read(request, COMMIT_BODY_BYTES_MAX, http.config().body_timeout).await?;
    let commit: Commit = body::parse_large(bytes).await?;
    let committed = http.wharf().drive().commit(&caller, room, commit).await?;
    drop(memory);
    json_large(committed.results.len(), 0, committed).await
}
