//! A fixed number of connections to one server, opened once and reused until the end.

use std::path::PathBuf;
use std::time::Duration;

/// Where the server is, and how to speak with it.
#[derive(Debug, Clone)]
pub struct Options {
    /// `http://host:port` or `https://host`, with a path before `/api/v1` where a proxy wants one.
    pub server: url::Url,
    /// How many connections there are, 1 to 16.
    pub connections: usize,
    /// Certificates to trust instead of the system's, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// How long a call goes on trying when the network or the server is away.
    pub patience: Duration,
}

impl Options {
    /// Four connections, the system's certificates, and half a minute of patience.
    pub fn new(server: url::Url) -> Self {
        Self {
            server,
            connections: 4,
            ca_file: None,
            patience: Duration::from_secs(30),
        }
    }
}

/// The connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections;

impl Connections {
    /// How many connections were opened since the start, reopened ones included.
    pub fn opened_count(&self) -> u64 {
        todo!()
    }
}
