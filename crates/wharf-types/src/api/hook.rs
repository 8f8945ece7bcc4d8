//! Webhooks of a room: an address to post to it, and an address that its entries are posted to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::Entry;
use crate::{HookId, RoomId};

/// Which way a webhook goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookDirection {
    /// Others post messages into the room.
    Incoming,
    /// The room's entries are posted to others.
    Outgoing,
}

/// A webhook, as the room's owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hook {
    /// Its id.
    pub id: HookId,
    /// Which way it goes.
    pub direction: HookDirection,
    /// What it is called; an incoming one posts under this name.
    pub name: String,
    /// Where an outgoing one posts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The secret: part of an incoming one's address, the key of an outgoing one's signatures. Only in the answer that
    /// makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// An outgoing one has delivered up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    /// Why the last delivery failed, while the next one is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Whether deliveries were given up, after days of failures; change its address to start it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_stopped: bool,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
}

/// The webhooks of a room.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Hooks {
    /// The webhooks, oldest first.
    pub items: Vec<Hook>,
}

/// Makes a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHook {
    /// Which way it goes.
    pub direction: HookDirection,
    /// 1 to 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `http` or `https`; for an outgoing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub url: Option<String>,
}

/// Changes a webhook; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditHook {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Where an outgoing one posts to; deliveries start again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub url: Option<String>,
}

/// A message to an incoming webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookMessage {
    /// CommonMark, 1 byte to 64 KiB.
    pub text: String,
    /// Names the message, so that sending it again posts it once; 100 bytes at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub id: Option<String>,
}

/// What an outgoing webhook posts. The header `Wharf-Signature: t=MILLISECONDS,v1=HEX` has the HMAC-SHA256, with the text of
/// the hook's secret as its key, of `MILLISECONDS.` and the body; `Wharf-Delivery` names the delivery, the same at each attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HookDelivery {
    /// The webhook.
    pub hook: HookId,
    /// The room.
    pub room: RoomId,
    /// Entries of its log, in order, 1 to 100. Each comes as it is when it is posted, without what became of it since: edits and
    /// reactions are entries of their own.
    pub entries: Vec<Entry>,
}
