//! Passwords of gateways: for clients of older systems, whose protocols show the network what they are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A gateway whose clients log in with a password.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AppDoor {
    /// The network sync drive, whose clients send the password itself.
    Netdisk,
    /// `PyChat`, whose clients send the password's MD5.
    PyChat,
}

/// Makes a password for a gateway, in place of the one that there was.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAppPassword {
    /// Which gateway.
    pub door: AppDoor,
}

/// A password of the caller's for one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppPassword {
    /// Which gateway.
    pub door: AppDoor,
    /// The secret to type into the old client; only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When somebody logged in with it last, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<i64>,
}

/// A text that names no gateway with passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' has no passwords: netdisk and pychat have")]
pub struct NoAppDoor(String);

impl AppDoor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Netdisk, Self::PyChat];

    /// Its name, as in paths and configurations.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Netdisk => "netdisk",
            Self::PyChat => "pychat",
        }
    }
}

impl fmt::Display for AppDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for AppDoor {
    type Err = NoAppDoor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|door| door.text() == text);
        known.ok_or_else(|| NoAppDoor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::AppDoor;

    #[test]
    fn a_door_has_one_name() {
        for door in AppDoor::ALL {
            assert_eq!(door.text().parse(), Ok(door));
            assert_eq!(serde_json::to_value(door).unwrap(), door.text());
        }
        assert!("http".parse::<AppDoor>().is_err());
    }
}
