//! A typed call for each route of the HTTP API.
//!
//! Every call may be repeated: commits carry an id, chunks are named by their content, and everything else either reads or
//! sets. So a call that meets a dead connection or a restarting server tries again until its patience ends.

mod account;
mod drive;
mod error;
mod find;
mod hook;
mod journal;
mod log;
mod people;
mod room;
mod transfer;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use url::Position;
use wharf_types::RoomId;
use wharf_types::api::PREFIX;
use wharf_types::api::drive::At;
use wharf_types::id::InvalidId;

pub use drive::Find;
pub use error::ApiError;
pub use log::Range;
pub use transfer::{Content, Fetch};

use crate::net::{Call, Connections, Options, Payload, Repeat, Socket};

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

impl FromStr for Room {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "home" => Ok(Self::Home),
            id => id.parse().map(Self::Id),
        }
    }
}

impl Serialize for Room {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
    authorization: Option<HeaderValue>,
}

impl Api {
    /// Opens the connections. Without a token only `server`, `signup` and `login` are of use.
    ///
    /// # Errors
    /// [`ApiError::Setup`] for an unusable address or certificate file; [`ApiError::Unreachable`] after the patience.
    pub async fn connect(options: Options) -> Result<Self, ApiError> {
        Ok(Self {
            connections: Connections::open(options).await?,
            authorization: None,
        })
    }

    /// As [`Api::connect`], without opening the connections: each is opened by the first call that needs it.
    ///
    /// # Errors
    /// [`ApiError::Setup`] for an unusable address or certificate file.
    pub fn lazily(options: Options) -> Result<Self, ApiError> {
        Ok(Self {
            connections: Connections::lazily(options)?,
            authorization: None,
        })
    }

    /// The same connections with a session's token.
    ///
    /// # Errors
    /// [`ApiError::Setup`] when the token holds what no header can.
    pub fn with_token(&self, token: &str) -> Result<Self, ApiError> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ApiError::Setup("the token holds what no header can".into()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            connections: self.connections.clone(),
            authorization: Some(authorization),
        })
    }

    /// The connections, to look at.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Opens the live socket.
    pub(crate) async fn live(&self) -> Result<Socket, ApiError> {
        let call = self.request(Method::GET, &["live"], &[]);
        self.connections
            .open_socket(&call.target, call.authorization.as_ref())
            .await
    }

    /// A call to the route below `/api/v1` whose segments are `path`; they are escaped here.
    fn request(&self, method: Method, path: &[&str], query: &[(&str, Option<&str>)]) -> Call {
        let mut url = self.connections.server().clone();
        url.set_query(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(PREFIX.split('/').filter(|part| !part.is_empty()))
                .extend(path);
        }
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Call {
            method,
            target: url[Position::BeforePath..Position::AfterQuery].to_owned(),
            content_type: None,
            range: None,
            body: Payload::default(),
            repeat: Repeat::Freely,
            authorization: self.authorization.clone(),
        }
    }

    /// Makes a call whose answer is JSON.
    async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let body = self.connections.call(&call).await?;
        serde_json::from_slice(&body).map_err(|error| call.not_understood(error.to_string()))
    }

    /// Makes a call whose answer says no more than that it was done.
    async fn done(&self, call: Call) -> Result<(), ApiError> {
        self.connections.call(&call).await.map(|_| ())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<T, ApiError> {
        self.json(self.request(Method::GET, path, query)).await
    }
}

impl Call {
    /// The call with a body of JSON.
    fn with_json(mut self, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| ApiError::Setup(error.to_string()))?;
        self.content_type = Some("application/json");
        self.body = Bytes::from(body).into();
        Ok(self)
    }

    /// The call, not to be made twice.
    fn once(mut self) -> Self {
        self.repeat = Repeat::OnlyUnsent;
        self
    }
}

/// A place as the query of a route.
fn place(at: &At) -> (&'static str, String) {
    match at {
        At::Id(id) => ("id", id.to_string()),
        At::Path(path) => ("path", path.clone()),
    }
}

/// A number as a value of a query.
fn number(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}
