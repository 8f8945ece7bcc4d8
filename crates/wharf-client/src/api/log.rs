//! Logs: reading and appending entries, and cursors.

use http::Method;
use wharf_types::DeviceId;
use wharf_types::api::log::{
    Append, Appended, Cursors, DeviceReach, EntryHistory, LogPage, Reach, SentUpTo,
};

use super::{Api, ApiError, Room, number};

/// Which entries of a log are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// The last ones.
    #[default]
    Last,
    /// Those past a position, oldest first.
    After(u64),
    /// Those just before a position.
    Before(u64),
    /// Those from the first one on that was recorded at this time or later, in milliseconds since the epoch.
    AtTime(i64),
}

impl Api {
    /// A page of a room's log.
    pub async fn log(
        &self,
        room: Room,
        range: Range,
        limit: Option<u32>,
    ) -> Result<LogPage, ApiError> {
        let (after, before, at_time) = match range {
            Range::Last => (None, None, None),
            Range::After(position) => (Some(position), None, None),
            Range::Before(position) => (None, Some(position), None),
            Range::AtTime(at_ms) => (None, None, Some(at_ms)),
        };
        self.get(
            &["rooms", &room.to_string(), "log"],
            &[
                ("after", number(after).as_deref()),
                ("before", number(before).as_deref()),
                ("at_ms", number(at_time).as_deref()),
                ("limit", number(limit).as_deref()),
            ],
        )
        .await
    }

    /// Appends to a room's log. It may be repeated: the device and its number name it.
    pub async fn append(&self, room: Room, append: &Append) -> Result<Appended, ApiError> {
        self.json(
            self.request(Method::POST, &["rooms", &room.to_string(), "log"], &[])
                .with_json(append)?,
        )
        .await
    }

    /// One entry with its edits and its readers.
    pub async fn entry(&self, room: Room, position: u64) -> Result<EntryHistory, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "log", &position.to_string()],
            &[],
        )
        .await
    }

    /// The pinned entries, the last one first.
    pub async fn pins(&self, room: Room) -> Result<LogPage, ApiError> {
        self.get(&["rooms", &room.to_string(), "pins"], &[]).await
    }

    /// The files that were handed over, the last one first, before a position.
    pub async fn files(
        &self,
        room: Room,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<LogPage, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "files"],
            &[
                ("before", number(before).as_deref()),
                ("limit", number(limit).as_deref()),
            ],
        )
        .await
    }

    /// Says that the account has read up to a position.
    pub async fn mark_read(&self, room: Room, position: u64) -> Result<(), ApiError> {
        self.done(
            self.request(Method::PUT, &["rooms", &room.to_string(), "read"], &[])
                .with_json(&Reach { position })?,
        )
        .await
    }

    /// Says that a device has stored everything up to a position.
    pub async fn mark_delivered(
        &self,
        room: Room,
        device: DeviceId,
        position: u64,
    ) -> Result<(), ApiError> {
        self.done(
            self.request(Method::PUT, &["rooms", &room.to_string(), "delivered"], &[])
                .with_json(&DeviceReach { device, position })?,
        )
        .await
    }

    /// How far a device has numbered what it sent.
    pub async fn sent(&self, device: DeviceId) -> Result<SentUpTo, ApiError> {
        self.get(&["devices", &device.to_string(), "sent"], &[])
            .await
    }

    /// How far the members of a room have come.
    pub async fn cursors(&self, room: Room) -> Result<Cursors, ApiError> {
        self.get(&["rooms", &room.to_string(), "cursors"], &[])
            .await
    }
}
