//! What handlers take from a request. Whatever does not fit is refused with a problem document.

use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use wharf_core::drive::{Page, RoomRef};
use wharf_core::{Caller, Origin};
use wharf_types::api::drive::At;
use wharf_types::limit::{ENTRY_BODY_BYTES_MAX, JSON_BODY_BYTES_MAX, PAGE_ITEMS_MAX};
use wharf_types::{ErrorCode, NodeId};

use super::error::{Answer, Refusal};
use super::{Http, body, cookie, origin};
use crate::listen::Peer;

/// The media type of most bodies.
pub(super) const JSON_TYPE: &str = "application/json";

/// How the request came.
pub(super) struct CameFrom(pub(super) Origin);

/// Who asks, by the token in `Authorization`, or in the page's cookie.
pub(super) struct By(pub(super) Caller);

/// The room named in the path: an id, or `home`.
pub(super) struct Room(pub(super) RoomRef);

/// The `{id}` of the path.
pub(super) struct Id<T>(pub(super) T);

/// The `{path}` at the end of the path: a path in a drive.
pub(super) struct FilePath(pub(super) String);

/// The query, as `T`.
pub(super) struct Query<T>(pub(super) T);

/// A small JSON body, as `T`.
pub(super) struct Json<T>(pub(super) T);

/// A JSON body of at most `BYTES_MAX` bytes, as `T`. It waits for memory as uploads do.
pub(super) struct JsonUpTo<T, const BYTES_MAX: u64>(pub(super) T);

/// A JSON body with a text as long as an entry may have, as `T`.
pub(super) type TextJson<T> = JsonUpTo<T, ENTRY_BODY_BYTES_MAX>;

/// The `{position}` of the path.
pub(super) struct Position(pub(super) u64);

/// Which node a request is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AtQuery {
    /// From the root of the drive. The root itself where neither this nor `id` is given.
    path: Option<String>,
    /// The node's id. Not together with `path`.
    id: Option<NodeId>,
}

/// Which part of a list to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// What the page before this one gave as `next`.
    after: Option<String>,
    /// Most items on the page; 1,000 where it is missing.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

impl IntoParams for Room {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(
            "^(home|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$",
        ));
        vec![path_parameter("room", "A room's id, or `home`.", schema)]
    }
}

impl IntoParams for FilePath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1));
        vec![path_parameter(
            "path",
            "From the root of the drive; its slashes stay slashes.",
            schema,
        )]
    }
}

fn path_parameter(name: &str, text: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(text))
        .schema(Some(schema))
        .build()
}

impl AtQuery {
    /// # Errors
    /// `Invalid` when both are given.
    pub(super) fn at(self) -> Answer<At> {
        match (self.path, self.id) {
            (Some(_), Some(_)) => Err(Refusal::invalid("give path or id, not both")),
            (None, Some(id)) => Ok(At::Id(id)),
            (path, None) => Ok(At::Path(path.unwrap_or_default())),
        }
    }
}

impl PageQuery {
    /// # Errors
    /// `Invalid` when the limit is out of bounds.
    pub(super) fn page(self) -> Answer<Page> {
        Ok(Page {
            after: self.after,
            limit: limit(self.limit)?,
        })
    }
}

/// Checks the limit of a page.
///
/// # Errors
/// `Invalid` when it is out of bounds.
pub(super) fn limit(limit: Option<u32>) -> Answer<Option<u32>> {
    if limit.is_some_and(|limit| limit == 0 || limit > PAGE_ITEMS_MAX) {
        return Err(Refusal::invalid("limit must be from 1 to 10000"));
    }
    Ok(limit)
}

impl FromRequestParts<Http> for CameFrom {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let address =
            origin::client_address(peer(parts)?, &parts.headers, &http.config().trusted_proxies);
        Ok(Self(Origin::http(address)))
    }
}

impl FromRequestParts<Http> for By {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let CameFrom(origin) = CameFrom::from_request_parts(parts, http).await?;
        let token = match bearer(&parts.headers) {
            Some(token) => Some(token),
            None => cookie::token(parts, http)?,
        };
        let token = token.ok_or_else(|| {
            Refusal::new(
                ErrorCode::Unauthenticated,
                "send a session's token as Authorization: Bearer",
            )
        })?;
        Ok(Self(
            http.wharf().accounts().authenticate(token, origin).await?,
        ))
    }
}

impl FromRequestParts<Http> for Room {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let room = path_param(parts, http, "room").await?;
        if room == "home" {
            return Ok(Self(RoomRef::Home));
        }
        let id = room
            .parse()
            .map_err(|_| Refusal::invalid("the room must be an id or 'home'"))?;
        Ok(Self(RoomRef::Id(id)))
    }
}

impl<T: FromStr> FromRequestParts<Http> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let id = path_param(parts, http, "id").await?;
        id.parse()
            .map(Self)
            .map_err(|_| Refusal::invalid("the id in the path is malformed"))
    }
}

impl FromRequestParts<Http> for FilePath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        path_param(parts, http, "path").await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequestParts<Http> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Http) -> Answer<Self> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Refusal::invalid(rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Http> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, http: &Http) -> Answer<Self> {
        must_be(request.headers(), &[JSON_TYPE])?;
        let bytes = body::read(
            request.into_body(),
            JSON_BODY_BYTES_MAX,
            http.config().admission_timeout,
        )
        .await?;
        body::parse(&bytes).map(Self)
    }
}

impl<T, const BYTES_MAX: u64> FromRequest<Http> for JsonUpTo<T, BYTES_MAX>
where
    T: DeserializeOwned + Send + 'static,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, http: &Http) -> Answer<Self> {
        must_be(request.headers(), &[JSON_TYPE])?;
        let request = request.into_body();
        let announced = request.size_hint().upper().unwrap_or(BYTES_MAX);
        // The body, and about as much again for what is read from it.
        let memory = http
            .uploads()
            .admit(announced.min(BYTES_MAX).saturating_mul(2))
            .await?;
        let bytes = body::read(request, BYTES_MAX, http.config().body_timeout).await?;
        let parsed = body::parse_large(bytes).await?;
        drop(memory);
        Ok(Self(parsed))
    }
}

impl FromRequestParts<Http> for Position {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let position = path_param(parts, http, "position").await?;
        position
            .parse()
            .map(Self)
            .map_err(|_| Refusal::invalid("the position must be a number"))
    }
}

/// A word of the path that stands for a value of `T`.
pub(super) async fn path_word<T: DeserializeOwned>(
    parts: &mut Parts,
    http: &Http,
    name: &str,
) -> Answer<T> {
    let word = path_param(parts, http, name).await?;
    let known: Result<T, serde::de::value::Error> = T::deserialize(word.into_deserializer());
    known.map_err(|error| Refusal::invalid(format!("the {name} in the path: {error}")))
}

/// The address at the other end of the connection.
pub(super) fn peer(parts: &Parts) -> Answer<IpAddr> {
    let peer = parts.extensions.get::<Peer>();
    peer.map(|Peer(address)| address.ip())
        .ok_or_else(|| wharf_core::Error::internal("the listener gave no peer address").into())
}

/// Passes a request whose body is of one of `media_types`, whatever its parameters.
///
/// # Errors
/// `Unsupported`, as 415.
pub(super) fn must_be(headers: &HeaderMap, media_types: &[&str]) -> Answer<()> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if media_types
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
    {
        return Ok(());
    }
    let text = format!("the body must be {}", media_types.join(" or "));
    Err(Refusal::new(ErrorCode::Unsupported, text).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// The token of a `Bearer` authorization; the scheme's letter case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) async fn path_param(parts: &mut Parts, http: &Http, name: &str) -> Answer<String> {
    let params = RawPathParams::from_request_parts(parts, http)
        .await
        .map_err(|_| Refusal::invalid("the path is not UTF-8"))?;
    let found = params
        .iter()
        .find_map(|(key, value)| (key == name).then(|| value.to_owned()));
    found.ok_or_else(|| wharf_core::Error::internal(format!("the route has no {{{name}}}")).into())
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, CONTENT_TYPE};
    use http::{HeaderMap, HeaderValue};

    use super::{AtQuery, JSON_TYPE, bearer, must_be};

    fn authorization(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_bearer_tokens_count() {
        assert_eq!(bearer(&authorization("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&authorization("bearer  abc ")), Some("abc"));
        assert_eq!(bearer(&authorization("Basic abc")), None);
        assert_eq!(bearer(&authorization("Bearer")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn parameters_of_a_media_type_do_not_matter() {
        let of = |value| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        must_be(&of("Application/JSON; charset=utf-8"), &[JSON_TYPE]).unwrap();
        must_be(&of("text/plain"), &[JSON_TYPE]).unwrap_err();
        must_be(&HeaderMap::new(), &[JSON_TYPE]).unwrap_err();
    }

    #[test]
    fn a_node_is_named_once() {
        let both = AtQuery {
            path: Some("a".to_owned()),
            id: Some(wharf_types::NodeId::from_bytes([1; 16])),
        };
        both.at().unwrap_err();
        AtQuery {
            path: None,
            id: None,
        }
        .at()
        .unwrap();
    }
}
