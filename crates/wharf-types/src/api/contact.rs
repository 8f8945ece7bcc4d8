//! Contacts: who knows whom, in the groups that each person made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::room::Person;
use crate::{AccountId, ContactGroupId, RoomId};

/// How two accounts stand, from the caller's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// The caller asked and has no answer yet. A declined request looks like this too.
    Asked,
    /// The other one asked; it is the caller's turn.
    Asking,
    /// They are contacts.
    Contact,
    /// Neither; the row is there because the caller blocked the other.
    Stranger,
}

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// At a device.
    Online,
    /// Connected, but nobody at the device.
    Away,
    /// Does not want to be disturbed.
    Busy,
    /// Not connected; or connected and invisible, which nobody else is told.
    #[default]
    Offline,
    /// Connected and shown to others as offline; only in what an account says of itself.
    Invisible,
}

/// Whether somebody is there, and since when not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Who.
    pub account: AccountId,
    /// How.
    pub status: Status,
    /// When they were last connected and visible, in milliseconds since the epoch; absent while they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_ms: Option<i64>,
}

/// Somebody in the caller's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Who.
    pub person: Person,
    /// How they stand.
    pub state: ContactState,
    /// Whether the caller blocked them: they can neither ask, write, nor see the caller's presence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_blocked: bool,
    /// The caller's own name for them; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// The caller's group that they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ContactGroupId>,
    /// The word of the request, while it waits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub word: String,
    /// Their direct room; stays when the contact ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// When the state began, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// A group of contacts, named and ordered by its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactGroup {
    /// Its id.
    pub id: ContactGroupId,
    /// Its name, unique in the list.
    pub name: String,
    /// Groups are listed by it, then by name.
    pub order: u32,
}

/// The caller's contacts, requests and blocks, and the groups.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Contacts {
    /// Everybody in the list, by remark or nickname.
    pub items: Vec<Contact>,
    /// The groups, in their order.
    pub groups: Vec<ContactGroup>,
}

/// Asks somebody to become a contact.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskContact {
    /// A six-digit number, a username or an e-mail address, exactly.
    pub who: String,
    /// What to say with it; at most 500 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 500)]
    pub word: String,
}

/// Changes what the caller notes of a contact; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditContact {
    /// The caller's own name for them; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub remark: Option<String>,
    /// The group to put them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ContactGroupId>,
    /// Takes them out of their group.
    #[serde(default)]
    pub ungroup: bool,
    /// Blocks them or lets them be again. Works for people who are no contacts, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_blocked: Option<bool>,
}

/// Makes or changes a group of contacts; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditContactGroup {
    /// 1 to 100 bytes; needed for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
}

/// Changes what others see of the caller; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditProfile {
    /// The name shown to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub nickname: Option<String>,
    /// What the caller says of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub status_text: Option<String>,
}
