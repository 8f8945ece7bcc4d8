//! The OpenAPI description, made from the same list as the router.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `schemas` by more than they need"
)]

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{OpenApi, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use wharf_types::api::problem::Problem;
use wharf_types::api::push::{PushContent, PushNotice};

use super::Http;
use super::problems::Any;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wharf",
        description = "A home for a group's files, conversations and journals. docs/protocol/http.md tells what a \
            description of routes cannot: how chunks are framed, manifests packed, and transfers resumed.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "server", description = "What anybody may know"),
        (name = "account", description = "Accounts and sessions"),
        (name = "admin", description = "What operators do"),
        (name = "drive", description = "Files, folders, revisions and the stream of changes"),
        (name = "content", description = "Files as bytes"),
        (name = "chunks", description = "Content as chunks, for clients that resume"),
        (name = "contacts", description = "People, and who knows whom"),
        (name = "rooms", description = "Rooms, their members, and the account's own list of it all"),
        (name = "log", description = "What is said, and how far everybody has read"),
        (name = "live", description = "What happens, as it happens"),
        (name = "diary", description = "A log as a journal"),
        (name = "search", description = "Search over messages and file names"),
        (name = "hooks", description = "Webhooks of rooms"),
        (name = "push", description = "Notices by Web Push"),
        (name = "portage", description = "Export and import"),
        (name = "health", description = "For those who run it"),
    ),
    components(schemas(Problem, PushNotice, PushContent)),
    security(("session" = [])),
)]
struct Description;

/// Adds to the routes' descriptions what belongs to no single route.
pub(super) fn described(router: OpenApiRouter<Http>) -> OpenApiRouter<Http> {
    let mut described = OpenApiRouter::with_openapi(Description::openapi()).merge(router);
    let openapi = described.get_openapi_mut();
    // A parameter that takes several segments has a `*` in the router, for which OpenAPI has no sign.
    let paths = std::mem::take(&mut openapi.paths.paths);
    openapi.paths.paths = paths
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item))
        .collect();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a session, from signup or login."))
        .build();
    openapi
        .components
        .get_or_insert_default()
        .add_security_scheme("session", SecurityScheme::Http(scheme));
    described
}

/// The OpenAPI description of the server, as JSON for people to read.
///
/// # Errors
/// Never in practice: the description is made of what JSON can say.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut text = super::routes().into_openapi().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// A body that is no text: for descriptions only.
pub(super) struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
            .build();
        RefOr::T(Schema::Object(schema))
    }
}

impl ToSchema for Binary {}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "server", security(()),
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = serde_json::Value), Any))]
pub(super) async fn describe() -> super::error::Answer<Response> {
    let text = openapi_json().map_err(super::body::fault)?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}
