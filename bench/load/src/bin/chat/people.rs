//! Accounts and rooms of Wharf for the other works.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use wharf_types::RoomId;

/// What the works need to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct People {
    /// The room that everybody is in.
    pub(crate) room: RoomId,
    people: Vec<Person>,
}

/// Somebody who is logged in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) home: RoomId,
}

impl People {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The person with this number; past the last one they begin again, each with one more connection.
    pub(crate) fn person(&self, number: usize) -> Result<&Person> {
        self.people
            .get(number % self.people.len().max(1))
            .context("nobody was prepared")
    }
}
