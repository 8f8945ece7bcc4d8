//! A typed call for each route of the HTTP API.
//!
//! Every call may be repeated: commits carry an id, chunks are named by their content, and everything else either reads or
//! sets. So a call that meets a dead connection or a restarting server tries again until its patience ends.

mod account;
mod drive;
mod error;
mod transfer;

use std::fmt;

use wharf_types::RoomId;

pub use drive::Find;
pub use error::ApiError;
pub use transfer::{Content, Fetch, Upload};

use crate::net::{Connections, Options};

/// A room, as routes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Room {
    /// The caller's personal room.
    #[default]
    Home,
    /// Any room that the caller is a member of.
    Id(RoomId),
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("home"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A page of a list that is asked for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What the page before gave as `next`; none for the first.
    pub after: Option<String>,
    /// Most items; the server's default when none.
    pub limit: Option<u32>,
}

/// One server's API, as one session or nobody. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Api {
    connections: Connections,
    authorization: Option<http::HeaderValue>,
}

impl Api {
    /// Opens the connections. Without a token only `server`, `signup` and `login` are of use.
    ///
    /// # Errors
    /// [`ApiError::Setup`] for an unusable address or certificate file; [`ApiError::Unreachable`] after the patience.
    pub async fn connect(_options: Options) -> Result<Self, ApiError> {
        todo!()
    }

    /// The same connections with a session's token.
    ///
    /// # Errors
    /// [`ApiError::Setup`] when the token holds what no header can.
    pub fn with_token(&self, _token: &str) -> Result<Self, ApiError> {
        todo!()
    }

    /// The connections, to look at.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }
}
