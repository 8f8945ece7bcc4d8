//! Accounts, sessions, invitations and the operator's view of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AccountId, RoomId, SessionId};

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignupPolicy {
    /// Only the operator makes accounts.
    Closed,
    /// Whoever has an invitation.
    Invitation,
    /// Anybody.
    Open,
}

/// What an account may do beyond its own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    /// Runs the server: may make, lock and reset accounts and set quotas.
    Operator,
    /// Uses it.
    Member,
}

/// What anybody may know of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerInfo {
    /// The program's version.
    pub version: String,
    /// Changes when the server's data went back in time, as by a restored backup. Hexadecimal.
    pub epoch: String,
    /// Who may make an account.
    pub signup: SignupPolicy,
    /// Whether the operator's account is still to be made, with the code that the server printed.
    pub needs_setup: bool,
    /// The server's time, in milliseconds since the epoch.
    pub time_ms: i64,
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Six digits, unique, for people to tell each other.
    pub number: u32,
    /// Unique; compared without regard to letter case.
    pub username: String,
    /// Unique where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name shown to others.
    pub nickname: String,
    /// What the person says of themselves; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_text: String,
    /// What it may do.
    pub role: AccountRole,
    /// Whether it is locked: it cannot log in, and its sessions are ended.
    pub locked: bool,
    /// Its personal room.
    pub home: RoomId,
    /// Most bytes in the drives it owns, revisions and trash included.
    pub quota_bytes: u64,
    /// Bytes in the drives it owns, revisions and trash included.
    pub used_bytes: u64,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
}

/// Makes an account. The first one needs the code that the server printed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signup {
    /// 1 to 32 characters: letters, digits, `.`, `_`, `-`, beginning with a letter.
    #[schema(min_length = 1, max_length = 32)]
    pub username: String,
    /// At least eight characters.
    #[schema(min_length = 8, max_length = 1024)]
    pub password: String,
    /// An address, if the person wants to give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// The name shown to others; the username where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub nickname: Option<String>,
    /// An invitation's code, or the server's one-time code for the first account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to call the device that is logged in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub device: Option<String>,
}

/// Opens a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Username, six-digit number or e-mail address.
    pub login: String,
    /// The password.
    pub password: String,
    /// What to call this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub device: Option<String>,
}

/// An opened session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoggedIn {
    /// The secret to send as `Authorization: Bearer …`. It is shown once.
    pub token: String,
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub account: Account,
}

/// An opened session of the page, whose token is in a cookie.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Entered {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub account: Account,
}

/// One device's login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What its owner calls the device.
    pub device: String,
    /// Where it logged in from.
    pub address: String,
    /// When it was opened, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When it was last used, to within a few minutes, in milliseconds since the epoch.
    pub seen_ms: i64,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Renames a session's device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameSession {
    /// 1 to 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub device: String,
}

/// Changes the caller's password and ends the account's other sessions.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one in force.
    pub current: String,
    /// The one to come.
    #[schema(min_length = 8, max_length = 1024)]
    pub new: String,
}

/// Invites people to make accounts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// How many accounts it makes, 1 to 1000.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000)]
    pub uses: u32,
    /// How long it holds, in seconds; seven days where it is missing, a year at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub expires_seconds: Option<u64>,
}

fn one() -> u32 {
    1
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Names it in lists; not the secret.
    pub id: String,
    /// The secret to hand over; only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many accounts it can still make.
    pub uses_left: u32,
    /// When it ends, in milliseconds since the epoch.
    pub expires_ms: i64,
    /// Who made it.
    pub created_by: AccountId,
}

/// Makes an account, as the operator.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAccount {
    /// As in a sign-up.
    #[schema(min_length = 1, max_length = 32)]
    pub username: String,
    /// Chosen by the server where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 8, max_length = 1024)]
    pub password: Option<String>,
    /// As in a sign-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// As in a sign-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub nickname: Option<String>,
    /// The server's default where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// A member where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AccountRole>,
}

/// An account, and the password where the server chose it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AddedAccount {
    /// The account.
    pub account: Account,
    /// The password that the server chose; shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Changes an account, as the operator; what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditAccount {
    /// Locks it and ends its sessions, or unlocks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Sets its quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// Chooses a new password, ends its sessions, and returns the password once.
    #[serde(default)]
    pub reset_password: bool,
}

/// A page of accounts, by number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accounts {
    /// The accounts.
    pub items: Vec<Account>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// Asks for a JSON Web Token, for programs whose protocol has nothing else.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJwt {
    /// What the session is called in the list of devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub device: Option<String>,
}

/// A JSON Web Token and its session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IssuedJwt {
    /// Shown once.
    pub token: String,
    /// Ending it ends the token.
    pub session: Session,
}
