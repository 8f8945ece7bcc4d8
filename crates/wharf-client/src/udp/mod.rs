//! Writing a journal by sealed datagrams, from a spool on this device's disk.
//!
//! What is written is in the [`Spool`] before anything is sent, under an id that was drawn at random, and stays there until
//! the server has said that it is durable. So however often it is sent, by however many processes, before and after
//! whatever crash, it is one entry.

mod send;
mod spool;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use wharf_types::api::journal::JournalKeyId;

pub use send::{Flushed, Patience, flush};
pub use spool::{Item, Refusal, Spool};

/// A key and the server that it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Way {
    /// The key.
    pub key: JournalKeyId,
    /// What seals.
    pub secret: [u8; 32],
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Why nothing could be spooled or sent.
#[derive(Debug, thiserror::Error)]
pub enum UdpError {
    /// The spool cannot be read or written.
    #[error("the spool {path}: {source}")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The spool is damaged, or the disk is full.
    #[error("the spool: {0}")]
    Spool(#[from] rusqlite::Error),
    /// The server's name has no address.
    #[error("{host}: {source}")]
    Host {
        /// The name.
        host: String,
        /// Why not.
        source: io::Error,
    },
    /// There is no socket to be had.
    #[error("cannot open a socket: {0}")]
    Socket(io::Error),
    /// The text is empty or too long.
    #[error("a text has 1 to 65536 bytes")]
    Text,
}

/// A text that is no [`Way`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected wharf-udp://KEY:SECRET@HOST:PORT, as `wharf diary udp add` prints it")]
pub struct InvalidWay;

const SCHEME: &str = "wharf-udp://";

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = HEXLOWER_PERMISSIVE.encode(&self.secret);
        write!(
            f,
            "{SCHEME}{}:{secret}@{}:{}",
            self.key, self.host, self.port
        )
    }
}

impl FromStr for Way {
    type Err = InvalidWay;

    fn from_str(text: &str) -> Result<Self, InvalidWay> {
        let parse = || {
            let (key, place) = text.trim().strip_prefix(SCHEME)?.split_once('@')?;
            let (key, secret) = key.split_once(':')?;
            let (host, port) = place.rsplit_once(':')?;
            let secret = HEXLOWER_PERMISSIVE.decode(secret.as_bytes()).ok()?;
            (!host.is_empty()).then_some(())?;
            Some(Self {
                key: key.parse().ok()?,
                secret: secret.try_into().ok()?,
                host: host.to_owned(),
                port: port.parse().ok()?,
            })
        };
        parse().ok_or(InvalidWay)
    }
}

// The secret stays out of logs and panics.
impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Way({} at {}:{})", self.key, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::Way;

    #[test]
    fn a_way_is_shown_as_it_is_read_and_keeps_its_secret() {
        let way = Way {
            key: "0011223344556677".parse().unwrap(),
            secret: [7; 32],
            host: "[::1]".into(),
            port: 8250,
        };
        assert_eq!(way.to_string().parse::<Way>(), Ok(way.clone()));
        assert!(!format!("{way:?}").contains("0707"));
        for wrong in [
            "",
            "wharf-udp://",
            "http://0011223344556677:07@x:1",
            "wharf-udp://0011223344556677:07@x:1",
        ] {
            assert!(wrong.parse::<Way>().is_err(), "{wrong}");
        }
    }
}
