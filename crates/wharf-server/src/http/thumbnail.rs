//! Thumbnails of images.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `params` by more than they need"
)]

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::thumbnail::{Size, Thumbnail};

use super::Http;
use super::body;
use super::error::Answer;
use super::extract::{AtQuery, By, Query, Room};
use super::openapi::Binary;
use super::problems::{Any, CanBeInvalid, CanBeMissing, NeedsLogin};

/// What a revision shows never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new().routes(routes!(thumbnail))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ThumbnailQuery {
    /// The revision; the present one where it is missing. With it, the answer may be kept for ever.
    revision: Option<u64>,
    /// The longest side that is shown, in pixels. There are thumbnails of 320 and of 1280; the smaller one that is large enough
    /// comes, or the larger one.
    #[param(minimum = 1)]
    size: Option<u32>,
}

/// A thumbnail of an image
///
/// JPEG, or PNG where it can be seen through; turned as the camera was. There are thumbnails of JPEG, PNG, GIF and WebP files of up to 64 MiB
/// and 64 million pixels, while the file is kept; 404 for everything else. A node's `image` tells the size of the original.
#[utoipa::path(get, path = "/rooms/{room}/thumbnail", tag = "content", params(Room, AtQuery, ThumbnailQuery),
    responses((status = 200, description = "The picture.", body = inline(Binary), content_type = "image/*"),
    (status = 304, description = "The client has it."),
    NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn thumbnail(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(at): Query<AtQuery>,
    Query(query): Query<ThumbnailQuery>,
    request: Request,
) -> Answer<Response> {
    let size = Size::for_pixels(query.size.unwrap_or(Size::Small.side()));
    let thumbnail = http
        .wharf()
        .thumbnails()
        .get(&caller, room, at.at()?, query.revision, size)
        .await?;
    let headers = described(&thumbnail, size, query.revision.is_some())?;
    let is_had = request
        .headers()
        .get(IF_NONE_MATCH)
        .is_some_and(|had| headers.get(ETAG) == Some(had));
    if is_had {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((StatusCode::OK, headers, thumbnail.bytes).into_response())
}

fn described(thumbnail: &Thumbnail, size: Size, is_fixed: bool) -> Answer<HeaderMap> {
    let tag = format!("\"{}-{}\"", thumbnail.revision, size.side());
    Ok(HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(thumbnail.media_type)),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
        (ETAG, HeaderValue::try_from(tag).map_err(body::fault)?),
        (CACHE_CONTROL, if is_fixed { FOR_EVER } else { ASK_AGAIN }),
    ]))
}
