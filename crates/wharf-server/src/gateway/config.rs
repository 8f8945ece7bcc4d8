//! Which gateways are open, and what each allows.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::{DiaryOptions, FilestoredConfig};

/// The systems whose clients are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GatewayName {
    /// The network sync drive.
    Netdisk,
    /// The chat.
    PyChat,
    /// The diary, and the journal over UDP.
    Diary,
    /// The chunked, tagged storage daemon.
    Filestored,
}

/// The gateways of a server. What is `None` does not listen.
#[derive(Debug, Clone, Default)]
pub struct Gateways {
    /// The network sync drive.
    pub netdisk: Option<GatewayConfig>,
    /// The chat.
    pub pychat: Option<GatewayConfig>,
    /// The diary, and the journal over UDP.
    pub diary: Option<GatewayConfig>,
    /// The storage daemon.
    pub filestored: Option<GatewayConfig>,
    /// What the diary's gateway is told beside.
    pub diary_options: DiaryOptions,
    /// What is the storage daemon's own.
    pub filestored_own: FilestoredConfig,
}

/// How one gateway listens, and what it allows.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Most connections at once. Further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Most connections from one address at once. Further ones are closed.
    pub per_address_max: usize,
    /// How long a connection may say nothing, and how long it may take nothing of what it is sent.
    pub idle_timeout: Duration,
    /// Most frames a second of one connection. What comes faster waits.
    pub frames_per_second: u32,
    /// Whose drive is served to requests that name nobody, where the protocol has such: netdisk's oldest. A username.
    pub anonymous: Option<String>,
}

impl GatewayName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Netdisk, Self::PyChat, Self::Diary, Self::Filestored];

    /// Its name in configurations, metrics and documents.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Netdisk => "netdisk",
            Self::PyChat => "pychat",
            Self::Diary => "diary",
            Self::Filestored => "filestored",
        }
    }

    /// The port that its clients try by themselves.
    pub const fn port(self) -> u16 {
        match self {
            Self::Netdisk => 4500,
            Self::PyChat => 6677,
            Self::Diary => 8250,
            Self::Filestored => 9000,
        }
    }

    /// What its protocol does not protect, in the words of the line that a server logs when it opens the gateway.
    pub const fn weakness(self) -> &'static str {
        match self {
            Self::Netdisk => "passwords and files cross the network readable",
            Self::PyChat => {
                "messages, files and a password's MD5 cross the network readable, and a number is believed from its address"
            }
            Self::Diary => {
                "entries cross the network readable, and the sender's address can be forged"
            }
            Self::Filestored => "files and tokens cross the network readable",
        }
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for GatewayName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|name| name.text() == text);
        known.ok_or_else(|| {
            format!("'{text}' is no gateway: there are netdisk, pychat, diary and filestored")
        })
    }
}

impl GatewayConfig {
    /// The defaults of a gateway: its usual port, on loopback.
    pub fn of(name: GatewayName) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, name.port())),
            connections_max: 2_048,
            per_address_max: 1_024,
            idle_timeout: Duration::from_mins(30),
            frames_per_second: 20_000,
            anonymous: None,
        }
    }
}

impl Gateways {
    /// The place of a gateway's configuration.
    pub fn get_mut(&mut self, name: GatewayName) -> &mut Option<GatewayConfig> {
        match name {
            GatewayName::Netdisk => &mut self.netdisk,
            GatewayName::PyChat => &mut self.pychat,
            GatewayName::Diary => &mut self.diary,
            GatewayName::Filestored => &mut self.filestored,
        }
    }
}
