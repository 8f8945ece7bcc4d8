//! Incoming webhooks: messages of whoever has the address.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::hook::HookMessage;
use wharf_types::api::log::{Appended, Body, Draft, Text};
use wharf_types::limit::HOOK_MESSAGE_NAME_BYTES_MAX;
use wharf_types::{ErrorCode, HookId, RoomId};

use super::{Hooks, rows};
use crate::caller::Origin;
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::log::{Author, append_in, check_draft};

/// A message, checked.
#[derive(Clone)]
struct Message {
    body: Body,
    /// What the sender calls it, and what it says: the same again is the same message.
    name: Option<String>,
    digest: [u8; 32],
}

impl Hooks {
    /// Posts a message into the room of an incoming webhook, under the webhook's name. One that names itself is posted once,
    /// however often it comes.
    ///
    /// # Errors
    /// - `NotFound`: there is no such webhook, or this is not its secret.
    /// - `Invalid`, `TooLarge`: the text is empty or over its bound, or the name is.
    /// - `Stale`: another message has come under this name.
    /// - `Limited`: too many in too short a time.
    /// - `Denied`: the room is archived.
    pub async fn post(
        &self,
        origin: Origin,
        id: HookId,
        secret: &str,
        message: HookMessage,
    ) -> Result<Appended> {
        let hash = rows::secret_hash(secret);
        let room = self
            .ground
            .db
            .read(move |tx| find(tx, id, &hash))
            .await?
            .map(|(room, _)| room)
            .ok_or_else(rows::no_such_hook)?;
        let message = Message::check(message)?;
        self.logs.admit_hook(id, origin.address)?;
        let ground = self.ground.clone();
        self.ground
            .act(Lock::Room(room), move |tx| {
                let mut notices = Notices::default();
                // It may have ended since it was looked up.
                let (room, name) = find(tx, id, &hash)?.ok_or_else(rows::no_such_hook)?;
                if let Some(posted) = posted_before(tx, room, id, &message)? {
                    return Ok((posted, notices));
                }
                forbid_archived(tx, room)?;
                let author = Author {
                    hook: Some(id),
                    name: Some(name),
                    door: origin.door.text().to_owned(),
                    address: Some(origin.address.to_canonical().to_string()),
                    ..Author::default()
                };
                let now_ms = ground.clock.now_ms();
                let entry = append_in(tx, &mut notices, room, &author, &message.body, now_ms)?;
                if let Some(name) = &message.name {
                    tx.exec(
                        "INSERT INTO hook_message (hook_id, name, digest, position, at_ms, hash) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        &[
                            id.into(),
                            name.into(),
                            (&message.digest).into(),
                            entry.position.into(),
                            entry.at_ms.into(),
                            (&entry.hash).into(),
                        ],
                    )?;
                }
                let appended = Appended {
                    room,
                    position: entry.position,
                    at_ms: entry.at_ms,
                    hash: entry.hash,
                    repeated: false,
                };
                Ok((appended, notices))
            })
            .await
    }
}

impl Message {
    fn check(message: HookMessage) -> Result<Self> {
        let HookMessage { text, id: name } = message;
        if name.as_ref().is_some_and(|name| {
            name.is_empty()
                || name.len() > HOOK_MESSAGE_NAME_BYTES_MAX
                || name.chars().any(char::is_control)
        }) {
            return Err(Error::invalid(format!(
                "a message's id has 1 to {HOOK_MESSAGE_NAME_BYTES_MAX} bytes and no control characters"
            )));
        }
        let text = Text {
            text,
            ..Text::default()
        };
        let draft = Draft::Text(text.clone());
        check_draft(&draft)?;
        Ok(Self {
            digest: *blake3::hash(text.text.as_bytes()).as_bytes(),
            body: Body::Text(text),
            name,
        })
    }
}

/// The room and the name of the incoming webhook with this secret.
fn find(tx: &mut Tx<'_>, id: HookId, hash: &[u8; 32]) -> sql::Result<Option<(RoomId, String)>> {
    tx.opt(
        "SELECT room_id, name FROM hook WHERE id = ?1 AND direction = 'incoming' AND secret = ?2",
        &[id.into(), hash.into()],
        |row| Ok((row.id(0)?, row.text(1)?.to_owned())),
    )
}

/// The answer that a message had before.
///
/// # Errors
/// `Stale`: it was another message.
fn posted_before(
    tx: &mut Tx<'_>,
    room: RoomId,
    id: HookId,
    message: &Message,
) -> Result<Option<Appended>> {
    let Some(name) = &message.name else {
        return Ok(None);
    };
    let found = tx.opt(
        "SELECT digest, position, at_ms, hash FROM hook_message WHERE hook_id = ?1 AND name = ?2",
        &[id.into(), name.into()],
        |row| {
            let appended = Appended {
                room,
                position: row.uint(1)?,
                at_ms: row.int(2)?,
                hash: row.id(3)?,
                repeated: true,
            };
            Ok((row.bytes(0)? == message.digest, appended))
        },
    )?;
    match found {
        Some((true, appended)) => Ok(Some(appended)),
        Some((false, _)) => Err(Error::new(
            ErrorCode::Stale,
            "another message has come under this id",
        )),
        None => Ok(None),
    }
}

fn forbid_archived(tx: &mut Tx<'_>, room: RoomId) -> Result<()> {
    let is_archived = tx.one(
        "SELECT archived FROM room WHERE id = ?1",
        &[room.into()],
        |row| row.flag(0),
    )?;
    if is_archived {
        return Err(Error::denied("this room is archived"));
    }
    Ok(())
}
