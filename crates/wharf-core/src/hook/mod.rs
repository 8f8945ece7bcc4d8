//! Webhooks: an address to post into a room, and an address that a room's entries are posted to.
//!
//! The room's owner makes and ends them. Whoever has an incoming one's address can post; it says who they are by nothing
//! else. An outgoing one is a cursor on the log: what is past it is delivered in order, in [deliveries](Delivery) whose
//! bounds are fixed before the first attempt, so that each attempt is the same delivery. The house keeps the cursors; the
//! posting itself is the doors'.

mod incoming;
mod outgoing;
mod rows;
mod target;

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::hook::{CreateHook, EditHook, Hook, HookDirection, Hooks as HookList};
use wharf_types::api::room::RoomKind;
use wharf_types::limit::{HOOK_URL_BYTES_MAX, HOOKS_PER_ROOM_MAX, LABEL_BYTES_MAX};
use wharf_types::{AccountId, ErrorCode, HookId};

use crate::access::{Entered, Right, enter};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::log::Logs;
use crate::{Ground, Outgoing};

pub use outgoing::{Delivery, Failure};
pub(crate) use outgoing::{PAUSE_MS_MAX, pause_ms};
pub use target::is_public;

/// The operations on webhooks. Clones are the same.
#[derive(Clone)]
pub struct Hooks {
    ground: Ground,
    logs: Logs,
}

impl Hooks {
    pub(crate) const fn new(ground: Ground, logs: Logs) -> Self {
        Self { ground, logs }
    }

    /// Makes a webhook of a room, as its owner. Its secret is in this answer only. An outgoing one begins with the entries
    /// that come after it.
    ///
    /// # Errors
    /// - `Invalid`: the name or the URL is malformed, or one of them is for the other direction.
    /// - `Unsupported`: this server has no outgoing webhooks, or none to such an address; or the room is a direct one.
    /// - `TooLarge`: the room has [`HOOKS_PER_ROOM_MAX`] of them.
    pub async fn create(&self, by: &Caller, room: RoomRef, request: CreateHook) -> Result<Hook> {
        let name = check_name(&request.name)?;
        let url = match (request.direction, request.url) {
            (HookDirection::Incoming, None) => None,
            (HookDirection::Incoming, Some(_)) => {
                return Err(Error::invalid(
                    "an incoming webhook has an address of this server, and no url",
                ));
            }
            (HookDirection::Outgoing, Some(url)) => Some(self.check_url(&url)?),
            (HookDirection::Outgoing, None) => {
                return Err(Error::invalid("an outgoing webhook needs a url"));
            }
        };
        let now_ms = self.ground.clock.now_ms();
        let id = self.ground.random.id(HookId::new, now_ms);
        let secret = rows::Secret::new(&self.ground.random, request.direction);
        let direction = request.direction;
        self.own(by, room, move |tx, room, owner| {
            forbid_direct(room)?;
            if rows::count(tx, room.id)? >= u64::from(HOOKS_PER_ROOM_MAX) {
                return Err(Error::new(
                    ErrorCode::TooLarge,
                    format!("a room has {HOOKS_PER_ROOM_MAX} webhooks at most: remove one first"),
                ));
            }
            let hook = rows::NewHook {
                id,
                room: room.id,
                direction,
                name: &name,
                url: url.as_deref(),
                secret: &secret.stored,
                created_by: owner,
                now_ms,
            };
            rows::insert(tx, &hook)?;
            let mut made = rows::get(tx, room.id, id)?;
            made.secret = Some(secret.text.clone());
            Ok(made)
        })
        .await
    }

    /// The webhooks of a room, oldest first, for its owner.
    pub async fn list(&self, by: &Caller, room: RoomRef) -> Result<HookList> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .read(move |tx| {
                enter(tx, &by, room, Right::Own)?;
                let items = rows::list(tx, room)?;
                Ok(HookList { items })
            })
            .await
    }

    /// Changes a webhook, as the room's owner. An outgoing one that is given an address, be it the one it has, starts to
    /// deliver again where it had stopped.
    ///
    /// # Errors
    /// - `NotFound`: the room has no such webhook.
    /// - `Invalid`, `Unsupported`: as for [`Hooks::create`].
    pub async fn edit(
        &self,
        by: &Caller,
        room: RoomRef,
        id: HookId,
        request: EditHook,
    ) -> Result<Hook> {
        let name = request.name.as_deref().map(check_name).transpose()?;
        let url = request
            .url
            .as_deref()
            .map(|url| self.check_url(url))
            .transpose()?;
        self.own(by, room, move |tx, room, _| {
            let hook = rows::get(tx, room.id, id)?;
            if let Some(name) = &name {
                rows::rename(tx, id, name)?;
            }
            if let Some(url) = &url {
                if hook.direction == HookDirection::Incoming {
                    return Err(Error::invalid("an incoming webhook has no url"));
                }
                rows::redirect(tx, id, url)?;
            }
            rows::get(tx, room.id, id)
        })
        .await
    }

    /// Ends a webhook, as the room's owner. What it posted stays.
    ///
    /// # Errors
    /// `NotFound`: the room has no such webhook.
    pub async fn remove(&self, by: &Caller, room: RoomRef, id: HookId) -> Result<()> {
        self.own(by, room, move |tx, room, _| rows::delete(tx, room.id, id))
            .await
    }

    fn check_url(&self, url: &str) -> Result<String> {
        let allowed = self.ground.config.outgoing_hooks;
        if allowed == Outgoing::Off {
            return Err(Error::new(
                ErrorCode::Unsupported,
                "this server has no outgoing webhooks",
            ));
        }
        if url.len() > HOOK_URL_BYTES_MAX {
            return Err(Error::invalid(format!(
                "a webhook's url has {HOOK_URL_BYTES_MAX} bytes at most"
            )));
        }
        target::check(url, allowed)
    }

    /// Runs `work` in a write transaction, as the room's owner.
    async fn own<T: Send + 'static>(
        &self,
        by: &Caller,
        room: RoomRef,
        mut work: impl FnMut(&mut Tx<'_>, &Entered, AccountId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .write(Lock::Room(room), move |tx| {
                let entered = enter(tx, &by, room, Right::Own)?;
                work(tx, &entered, by.account()?)
            })
            .await
    }
}

/// A direct room belongs to two people alike, and neither brings a third one in.
fn forbid_direct(room: &Entered) -> Result<()> {
    match room.kind {
        RoomKind::Direct => Err(Error::new(
            ErrorCode::Unsupported,
            "a room of two people has no webhooks",
        )),
        RoomKind::Personal | RoomKind::Group => Ok(()),
    }
}

fn check_name(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LABEL_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "a webhook's name has 1 to {LABEL_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(text.to_owned())
}
