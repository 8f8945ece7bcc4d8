//! The configuration file. Every key is optional, and a key that is not known is an error at its line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::journal::DiaryShow;

use super::database::DatabaseUrl;
use super::server::PORT_DEFAULT;
use crate::format::ByteSize;

/// The whole file.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// What `wharf serve`, and the commands that work on a server's data, go by.
    pub(crate) server: Server,
    /// What the commands that talk to a server go by.
    pub(crate) client: Client,
    /// Doors for the clients of older systems.
    pub(crate) gateway: Gateways,
}

/// `[gateway.…]`: one table for each gateway; one that is not there does not listen.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gateways {
    /// The network sync drive.
    pub(crate) netdisk: Option<NetdiskGateway>,
    /// The chat.
    pub(crate) pychat: Option<PyChatGateway>,
    /// The diary, and the journal over UDP.
    pub(crate) diary: Option<DiaryGateway>,
    /// The storage daemon.
    pub(crate) filestored: Option<FilestoredGateway>,
}

/// Makes the table of a gateway over connections: what every such gateway has, and what is its own.
///
/// Serde's `flatten` would let unknown keys pass, and its faults name no line.
macro_rules! gateway_table {
    ($(#[$about:meta])* $table:ident { $($(#[$about_own:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $table {
            /// Where to listen.
            #[serde(deserialize_with = "some_address")]
            listen: Option<SocketAddr>,
            /// Most connections at once.
            connections: Option<NonZeroU32>,
            /// Most connections from one address.
            per_address: Option<NonZeroU32>,
            /// Seconds that a connection may say nothing.
            idle_seconds: Option<NonZeroU32>,
            /// Frames a second that one connection may send.
            frames_per_second: Option<NonZeroU32>,
            $($(#[$about_own])* pub(crate) $own: $type,)*
        }

        impl $table {
            /// What it has like every other.
            pub(crate) const fn common(&self) -> Common {
                Common {
                    listen: self.listen,
                    connections: self.connections,
                    per_address: self.per_address,
                    idle_seconds: self.idle_seconds,
                    frames_per_second: self.frames_per_second,
                }
            }
        }
    };
}

/// What the tables of all gateways have. One that says nothing opens its gateway on loopback.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Common {
    /// Where to listen.
    pub(crate) listen: Option<SocketAddr>,
    /// Most connections at once.
    pub(crate) connections: Option<NonZeroU32>,
    /// Most connections from one address.
    pub(crate) per_address: Option<NonZeroU32>,
    /// Seconds that a connection may say nothing.
    pub(crate) idle_seconds: Option<NonZeroU32>,
    /// Frames a second that one connection may send.
    pub(crate) frames_per_second: Option<NonZeroU32>,
}

gateway_table! {
    /// `[gateway.netdisk]`.
    NetdiskGateway {
        /// Whose drive requests without a login get.
        anonymous: Option<String>,
    }
}

gateway_table! {
    /// `[gateway.pychat]`.
    PyChatGateway {}
}

gateway_table! {
    /// `[gateway.filestored]`.
    FilestoredGateway {
        /// The folder that clients look for its UNIX sockets in.
        run_dir: Option<PathBuf>,
        /// A file with a key that another service signs tokens with.
        key_file: Option<PathBuf>,
        /// Most bytes of a file.
        file_bytes: Option<u64>,
    }
}

/// `[gateway.diary]`: it has no connections.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DiaryGateway {
    /// Where to listen.
    #[serde(deserialize_with = "some_address")]
    listen: Option<SocketAddr>,
    /// Where the journal listens; with the diary, on its port, without.
    #[serde(deserialize_with = "some_address")]
    pub(crate) journal: Option<SocketAddr>,
    /// Where entries of the old diary go that come from an address that nobody has claimed: `ACCOUNT` or `ACCOUNT/ROOM`.
    pub(crate) room: Option<String>,
    /// What its clients are shown there.
    pub(crate) show: Option<DiaryShow>,
    /// Which network it is for.
    pub(crate) profile: Option<DiaryProfile>,
    /// Datagrams a second that one network of the Internet may send.
    pub(crate) network_per_second: Option<NonZeroU32>,
    /// Entries that one key may write at once.
    pub(crate) key_burst: Option<NonZeroU32>,
    /// Entries a second that one key may write after that.
    pub(crate) key_per_second: Option<NonZeroU32>,
}

impl DiaryGateway {
    /// What it has like every other.
    pub(crate) fn common(&self) -> Common {
        Common {
            listen: self.listen,
            ..Common::default()
        }
    }
}

/// Which network the diary's gateway is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiaryProfile {
    /// The operator's own.
    Lan,
    /// The Internet.
    Internet,
}

/// `[server]`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// The data folder.
    pub(crate) data: Option<PathBuf>,
    /// Where to listen.
    #[serde(deserialize_with = "some_address")]
    pub(crate) listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Option<Vec<IpAddr>>,
    /// `sqlite`, or `postgres://…`.
    pub(crate) database: Option<DatabaseUrl>,
    /// Connections to PostgreSQL.
    pub(crate) database_connections: Option<u16>,
    /// Who may make an account.
    pub(crate) signup: Option<SignupPolicy>,
    /// What a new account may use.
    pub(crate) quota: Option<ByteSize>,
    /// Days after which a login that was not used ends; 0 never.
    pub(crate) session_idle_days: Option<u32>,
    /// Days in which the scrub reads all stored data once; 0 turns it off.
    pub(crate) scrub_days: Option<u32>,
    /// Most connections at once.
    pub(crate) connections: Option<u32>,
    /// `[server.tls]`.
    pub(crate) tls: Tls,
    /// `[server.retention]`.
    pub(crate) retention: Retention,
    /// `[server.messages]`.
    pub(crate) messages: Messages,
    /// `[server.live]`.
    pub(crate) live: Live,
    /// `[server.webhooks]`.
    pub(crate) webhooks: Webhooks,
    /// `[server.push]`.
    pub(crate) push: Push,
    /// `[server.log]`.
    pub(crate) log: Log,
}

/// `[server.tls]`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// The certificate and its chain, as PEM.
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key, as PEM.
    pub(crate) key: Option<PathBuf>,
}

/// `[server.retention]`: what a new drive begins with.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Days that a replaced revision is kept; 0 keeps it for ever.
    pub(crate) revision_days: Option<u32>,
    /// Days that a removed node stays in the trash; 0 keeps it for ever.
    pub(crate) trash_days: Option<u32>,
}

/// `[server.messages]`: how fast people may write, and for how long they may take it back.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Messages {
    /// What one account may send at once.
    pub(crate) account_burst: Option<NonZeroU32>,
    /// What one account may send a minute after that.
    pub(crate) account_per_minute: Option<NonZeroU32>,
    /// What all accounts from one address may send at once.
    pub(crate) address_burst: Option<NonZeroU32>,
    /// What all accounts from one address may send a minute after that.
    pub(crate) address_per_minute: Option<NonZeroU32>,
    /// Minutes for which authors can take back what they said; 0 for ever.
    pub(crate) recall_minutes: Option<u32>,
    /// Minutes for which authors can change what they said; 0 for ever.
    pub(crate) edit_minutes: Option<u32>,
}

/// `[server.live]`: how many live connections there may be.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Live {
    /// In all.
    pub(crate) connections: Option<NonZeroU32>,
    /// Of one account.
    pub(crate) per_account: Option<NonZeroU32>,
    /// From one address.
    pub(crate) per_address: Option<NonZeroU32>,
}

/// `[server.webhooks]`: where rooms may post their entries to.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    /// To which addresses.
    pub(crate) outgoing: Option<Outgoing>,
    /// A file of certificate authorities to trust in place of the system's, as PEM.
    pub(crate) ca: Option<PathBuf>,
}

/// `[server.push]`: notices to people's browsers.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Push {
    /// To which addresses.
    pub(crate) outgoing: Option<Outgoing>,
    /// Where push services reach who runs this server.
    #[serde(deserialize_with = "some_contact")]
    pub(crate) contact: Option<String>,
}

/// `[server.log]`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// Which lines: `info`, or a filter such as `info,wharf_store=debug`.
    pub(crate) level: Option<String>,
    /// Their form.
    pub(crate) format: Option<LogFormat>,
}

/// `[client]`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Client {
    /// The server that commands mean when they name none: a name or an address.
    pub(crate) server: Option<String>,
    /// Connections that a transfer opens.
    pub(crate) connections: Option<u8>,
    /// A file of further certificate authorities, as PEM.
    pub(crate) ca: Option<PathBuf>,
    /// Keys of `wharf chat`, by what they do.
    pub(crate) keys: BTreeMap<String, Keys>,
}

/// One key, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Keys {
    /// `"Ctrl-P"`.
    One(String),
    /// `["Ctrl-P", "F9"]`; none where it is empty.
    Many(Vec<String>),
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Where the server may post to on somebody's behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outgoing {
    /// Nowhere.
    Off,
    /// Addresses of the public Internet alone.
    #[default]
    Public,
    /// Anywhere, the server's own network included.
    Anywhere,
}

impl From<Outgoing> for wharf_core::Outgoing {
    fn from(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Off => Self::Off,
            Outgoing::Public => Self::Public,
            Outgoing::Anywhere => Self::Anywhere,
        }
    }
}

impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Public => "public",
            Self::Anywhere => "anywhere",
        })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

impl File {
    /// Reads the text of a file. The error names the line and shows it.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// Reads an address and port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("'{text}' is not an address and port such as 127.0.0.1:{PORT_DEFAULT} or [::]:{PORT_DEFAULT}")
    })
}

fn some_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    address(&text).map(Some).map_err(de::Error::custom)
}

/// Reads where push services reach who runs a server.
pub(crate) fn push_contact(text: &str) -> Result<String, String> {
    let is_contact = ["mailto:", "https://"].into_iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    let is_one_word = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_contact && is_one_word {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "'{text}' is not an address such as mailto:admin@example.org or https://example.org"
        ))
    }
}

fn some_contact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    push_contact(&text).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::{File, push_contact};

    #[test]
    fn faults_name_their_line() {
        let files = [
            "[server]\nlisten = \"somewhere\"\n",
            "[server]\nquota = \"10 GiB\"\nquotta = 3\n",
            "[server]\nquota = \"plenty\"\n",
            "[server]\nsignup = \"everyone\"\n",
            "[server]\ndatabase = \"mysql://x\"\n",
            "[server]\nquota = \n",
        ];
        let faults = files.map(|text| File::parse(text).unwrap_err().to_string());
        insta::assert_snapshot!(faults.join("\n"));
    }

    #[test]
    fn faults_of_a_gateways_table_name_their_line() {
        for name in ["netdisk", "pychat", "diary", "filestored"] {
            let faults = [
                ("listen = \"127.0.0.1:1\"\nlisten_on = 1\n", 3, "listen_on"),
                ("\nlisten = \"somewhere\"\n", 3, "somewhere"),
                ("\n\nper_address = 0\n", 4, "per_address = 0"),
            ];
            for (table, line, what) in faults {
                let text = format!("[gateway.{name}]\n{table}");
                let fault = File::parse(&text).unwrap_err().to_string();
                let place = format!("line {line}, column");
                assert!(fault.contains(&place) && fault.contains(what), "{fault}");
            }
        }
    }

    #[test]
    fn a_contact_is_an_address_that_push_services_take() {
        for good in ["mailto:admin@example.org", "https://example.org/contact"] {
            assert_eq!(push_contact(good).unwrap(), good);
        }
        for bad in [
            "",
            "admin@example.org",
            "mailto:",
            "http://example.org",
            "mailto:a b",
        ] {
            push_contact(bad).unwrap_err();
        }
        let file = File::parse("[server.push]\noutgoing = \"off\"\ncontact = \"mailto:a@b.c\"\n");
        assert_eq!(
            file.unwrap().server.push.contact.as_deref(),
            Some("mailto:a@b.c")
        );
        File::parse("[server.push]\ncontact = \"a@b.c\"\n").unwrap_err();
    }
}
