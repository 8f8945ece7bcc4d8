//! What a server is told when it is made. The binary reads it from flags, environment and file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::gateway::Gateways;

/// How a server listens, and what it allows at once.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS with these files; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Proxies whose `X-Forwarded-For` is believed. Limits on attempts go by the address that results.
    pub trusted_proxies: Vec<IpAddr>,
    /// Most connections at once. Further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Most memory for request bodies at once. Further uploads wait before they are read.
    pub upload_memory_bytes_max: u64,
    /// Most memory for content on its way out at once. Further downloads wait before they begin.
    pub download_memory_bytes_max: u64,
    /// How long requests under way may take to end after the server was told to stop.
    pub drain_timeout: Duration,
    /// How long a connection may stay without a request, and how long the head of a request may take.
    pub idle_timeout: Duration,
    /// How long a connection with a request may stay without a byte moving in either direction.
    pub stall_timeout: Duration,
    /// How long a request may wait for other bodies to leave memory, and how long a small body may take.
    pub admission_timeout: Duration,
    /// How long the body of a commit may take.
    pub body_timeout: Duration,
    /// Certificate authorities that receivers of webhooks, and push services, are known by, as PEM; the system's without.
    pub webhook_ca: Option<PathBuf>,
    /// Doors for the clients of older systems; none listens by itself.
    pub gateways: Gateways,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 7140)),
            tls: None,
            trusted_proxies: Vec::new(),
            connections_max: 1024,
            upload_memory_bytes_max: 64 * 1024 * 1024,
            download_memory_bytes_max: 64 * 1024 * 1024,
            drain_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_mins(2),
            admission_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_mins(5),
            webhook_ca: None,
            gateways: Gateways::default(),
        }
    }
}

/// A certificate chain and its key, in PEM. They are read again when they change, and on SIGHUP.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate first, then those between it and the root.
    pub certificates: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}
