//! Keys of the journal over UDP, and the addresses of old diaries.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_types::ErrorCode;
use wharf_types::api::journal::{
    ClaimDiary, CreateJournalKey, DiaryAddress, DiaryAddresses, JournalKey, JournalKeyId,
    JournalKeys,
};

use super::Http;
use super::body::json;
use super::error::{Answer, Refusal};
use super::extract::{By, Id, Json, Room, path_param};
use super::problems::{
    Any, CanBeInvalid, CanBeMissing, CanBeUnsupported, CanConflict, HasBody, NeedsLogin,
};

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(create_journal_key))
        .routes(routes!(journal_keys))
        .routes(routes!(remove_journal_key))
        .routes(routes!(claim_diary))
        .routes(routes!(diary_addresses))
        .routes(routes!(release_diary))
}

/// The `{address}` of the path.
struct Address(IpAddr);

impl FromRequestParts<Http> for Address {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Answer<Self> {
        let text = path_param(parts, http, "address").await?;
        text.parse()
            .map(Self)
            .map_err(|_| Refusal::new(ErrorCode::Invalid, "this is no IP address"))
    }
}

/// The port that the journal listens on, where it does.
fn journal_port(http: &Http) -> Option<u16> {
    let gateways = &http.config().gateways;
    let address = gateways.diary.as_ref().and(gateways.diary_options.journal);
    address.map(|address| address.port())
}

/// Makes a key of the journal over UDP
///
/// It appends entries to this room in the caller's name. Its secret is in this answer only.
#[utoipa::path(post, path = "/rooms/{room}/journal-keys", tag = "diary", params(Room), request_body = CreateJournalKey,
    responses((status = 201, body = JournalKey), NeedsLogin, HasBody, CanBeMissing, CanBeUnsupported, Any))]
async fn create_journal_key(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(request): Json<CreateJournalKey>,
) -> Answer<Response> {
    // Who is not in the room learns nothing of it first, nor of the server.
    http.wharf().rooms().get(&caller, room).await?;
    let port = journal_port(&http).ok_or_else(|| {
        Refusal::new(
            ErrorCode::Unsupported,
            "this server has no journal over UDP: its operator switches it on with the gateway diary",
        )
    })?;
    let mut key = http
        .wharf()
        .journal()
        .create_key(&caller, room, request)
        .await?;
    key.port = Some(port);
    json(StatusCode::CREATED, &key)
}

/// The caller's keys of the journal over UDP
///
/// Oldest first.
#[utoipa::path(get, path = "/journal-keys", tag = "diary",
    responses((status = 200, body = JournalKeys), NeedsLogin, Any))]
async fn journal_keys(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    let mut keys = http.wharf().journal().keys(&caller).await?;
    keys.port = journal_port(&http);
    json(StatusCode::OK, &keys)
}

/// Removes a key of the journal over UDP
///
/// It writes nothing more. What it wrote stays.
#[utoipa::path(delete, path = "/journal-keys/{id}", tag = "diary", params(("id" = JournalKeyId, Path)),
    responses((status = 204, description = "Removed."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn remove_journal_key(
    State(http): State<Http>,
    By(caller): By,
    Id(id): Id<JournalKeyId>,
) -> Answer<StatusCode> {
    http.wharf().journal().remove_key(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has the old diary of an address written to a room
///
/// Of the address that the request comes from; operators may name another. The claim holds for 30 days.
#[utoipa::path(post, path = "/rooms/{room}/diary-addresses", tag = "diary", params(Room), request_body = ClaimDiary,
    responses((status = 201, body = DiaryAddress), NeedsLogin, HasBody, CanBeMissing, CanConflict, Any))]
async fn claim_diary(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Json(request): Json<ClaimDiary>,
) -> Answer<Response> {
    let claimed = http
        .wharf()
        .journal()
        .claim_address(&caller, room, request)
        .await?;
    json(StatusCode::CREATED, &claimed)
}

/// The addresses whose old diaries the caller has claimed
#[utoipa::path(get, path = "/diary-addresses", tag = "diary",
    responses((status = 200, body = DiaryAddresses), NeedsLogin, Any))]
async fn diary_addresses(State(http): State<Http>, By(caller): By) -> Answer<Response> {
    let addresses = http.wharf().journal().addresses(&caller).await?;
    json(StatusCode::OK, &addresses)
}

/// Gives an address up
///
/// What came from there stays.
#[utoipa::path(delete, path = "/diary-addresses/{address}", tag = "diary",
    params(("address" = String, Path, description = "An IP address.")),
    responses((status = 204, description = "Given up."), NeedsLogin, CanBeInvalid, CanBeMissing, Any))]
async fn release_diary(
    State(http): State<Http>,
    By(caller): By,
    Address(address): Address,
) -> Answer<StatusCode> {
    http.wharf()
        .journal()
        .release_address(&caller, address)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
