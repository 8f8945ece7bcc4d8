//! The refusals of routes, for the OpenAPI description: each route lists the groups that can happen to it.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use wharf_types::api::problem::PROBLEM_TYPE;

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident { $($status:literal => $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(problem($status, $text)),+])
            }
        }
    )+};
}

groups! {
    /// What can happen to any request.
    Any {
        "500" => "A fault of the server, or stored content that is damaged and has no good copy.",
        "503" => "Not available now: starting, stopping, busy, or its disk is full or failed.",
    }
    /// The request must carry a session's token.
    NeedsLogin {
        "401" => "No session's token, or one that has ended.",
        "403" => "The caller may know of it but may not do this.",
    }
    /// Something in the request can be malformed.
    CanBeInvalid {
        "400" => "The request is malformed, or a value is outside its bounds.",
    }
    /// The request has a body of a certain type.
    HasBody {
        "400" => "The request is malformed, or a value is outside its bounds.",
        "408" => "The body did not arrive in time, or broke off.",
        "413" => "The body, or something in it, is too large, or the owner's quota is used up.",
        "415" => "The body is of another media type.",
    }
    /// It is about something that may not be there.
    CanBeMissing {
        "404" => "There is no such thing, or the caller may not know of it.",
    }
    /// It changes something that others change as well.
    CanConflict {
        "409" => "The name is taken, or what is there is not what was expected.",
        "423" => "Somebody holds a lock on it.",
    }
    /// Attempts at it are counted.
    CanBeLimited {
        "429" => "Too many attempts; `Retry-After` says when to try again.",
    }
    /// It adds to something that is bounded.
    CanBeTooMany {
        "413" => "There are as many of these as there may be.",
    }
    /// It can ask for more than one answer holds.
    CanBeTooLarge {
        "413" => "It asks for more than one answer holds.",
    }
    /// It has a text of bounded length outside of its body.
    CanBeTooLong {
        "413" => "A text in the query is too long.",
    }
    /// It can carry conditions.
    CanFailCondition {
        "412" => "What is there is not what the request's conditions ask for.",
    }
    /// It can ask for a range.
    CanBeUnsatisfiable {
        "416" => "The range is past the end; `Content-Range` says where that is.",
    }
    /// It can ask for what the server does not do.
    CanBeUnsupported {
        "422" => "The server does not do this.",
    }
}

fn problem(status: &str, text: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let mut response = ResponseBuilder::new()
        .description(text)
        .content(PROBLEM_TYPE, content);
    let header = match status {
        "401" => Some((
            "WWW-Authenticate",
            "The scheme to use: Bearer.",
            Type::String,
        )),
        "416" => Some(("Content-Range", "The length of the content.", Type::String)),
        "429" | "503" => Some((
            "Retry-After",
            "Seconds after which to try again, where they are known.",
            Type::Integer,
        )),
        _ => None,
    };
    if let Some((name, text, kind)) = header {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        response = response.header(
            name,
            HeaderBuilder::new()
                .schema(Some(schema))
                .description(Some(text))
                .build(),
        );
    }
    (status.to_owned(), RefOr::T(response.build()))
}
