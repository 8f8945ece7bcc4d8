//! Notices by Web Push: what a device's browser subscribes with, and what it is sent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RoomId;

/// Notices, as the caller's session has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Push {
    /// The server's public key, for `applicationServerKey`: base64url of 65 bytes. Missing where this server sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The session's subscription, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<PushSubscription>,
}

/// A session's subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushSubscription {
    /// The address at the push service.
    pub endpoint: String,
    /// Whether notices say neither who wrote, nor where, nor what.
    pub hides_content: bool,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
}

/// Subscribes the caller's session, in place of what it had.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribePush {
    /// The address that the browser got from its push service; `https`.
    #[schema(max_length = 2000)]
    pub endpoint: String,
    /// The browser's public key, as base64url: what notices are sealed for.
    pub p256dh: String,
    /// The browser's secret for this subscription, as base64url.
    pub auth: String,
    /// Whether notices are to say neither who wrote, nor where, nor what.
    #[serde(default)]
    pub hides_content: bool,
}

/// What a browser is sent, sealed for it: something was said that nobody has read. Later ones about a room replace the
/// earlier ones that are still on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushNotice {
    /// The room.
    pub room: RoomId,
    /// The position of the text or file in its log.
    pub position: u64,
    /// When it was said, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What is told of it; missing where the device hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<PushContent>,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushContent {
    /// Who wrote: the reader's own name for them, else the one they chose.
    pub from: String,
    /// The room's name; missing where two people talk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The beginning of the text, on one line; of a file its name.
    pub text: String,
    /// Whether it is a file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_file: bool,
}
