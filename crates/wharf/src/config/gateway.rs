//! The settings of the gateways: which ones listen, where, and what they allow.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use wharf_core::JournalLimits;
use wharf_server::gateway::{
    DiaryOptions, FilestoredConfig, GatewayConfig, GatewayName, Gateways, Profile,
};

use super::file;
use super::server::{Layer, Name, Resolver};

/// Flags of `serve` about gateways.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct GatewayArgs {
    /// A door for the clients of an older system: netdisk, pychat, diary, filestored, or all of them; may be given several
    /// times. It listens on loopback, at the port that these clients know, unless an address is given
    #[arg(
        long = "gateway",
        env = "WHARF_GATEWAYS",
        value_delimiter = ',',
        value_name = "NAME[=ADDRESS]"
    )]
    pub(crate) gateways: Option<Vec<Asked>>,
}

/// A gateway that is asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Every one, where it listens by itself.
    All,
    /// One, perhaps at another address.
    One(GatewayName, Option<SocketAddr>),
}

impl std::str::FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, address)) = text.split_once('=') else {
            return match text {
                "all" => Ok(Self::All),
                name => Ok(Self::One(name.parse()?, None)),
            };
        };
        Ok(Self::One(name.parse()?, Some(file::address(address)?)))
    }
}

impl Resolver<'_> {
    /// Which gateways listen: those that the file has a table for, and those that are asked for.
    pub(super) fn gateways(&mut self, args: &GatewayArgs, file: &file::Gateways) -> Gateways {
        let tables = GatewayName::ALL.map(|name| (name, common(file, name)));
        let asked = args.gateways.as_deref().unwrap_or_default();
        let asked_from = self.given_by("gateways");
        let mut gateways = Gateways {
            diary_options: file.diary.as_ref().map(options_of).unwrap_or_default(),
            filestored_own: own_of_filestored(file.filestored.as_ref()),
            ..Gateways::default()
        };
        for (name, table) in tables {
            let asks: Vec<Asked> = asked
                .iter()
                .copied()
                .filter(|ask| ask.is_for(name))
                .collect();
            if table.is_none() && asks.is_empty() {
                continue;
            }
            let mut config = GatewayConfig::of(name);
            let from = if asks.is_empty() {
                Layer::File
            } else {
                asked_from
            };
            if let Some(table) = table {
                apply(&mut config, table);
            }
            if let Some(address) = asks.iter().filter_map(|ask| ask.address()).next_back() {
                config.address = address;
            }
            self.show(place(name), &config.address, from);
            *gateways.get_mut(name) = Some(config);
        }
        if let (Some(config), Some(table)) = (&mut gateways.netdisk, &file.netdisk) {
            config.anonymous.clone_from(&table.anonymous);
        }
        gateways
    }
}

impl Asked {
    /// Whether it asks for this gateway.
    fn is_for(self, name: GatewayName) -> bool {
        match self {
            Self::All => true,
            Self::One(asked, _) => asked == name,
        }
    }

    /// Where it wants the gateway to listen.
    const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::All => None,
            Self::One(_, address) => address,
        }
    }
}

/// What the diary's gateway is told beside.
fn options_of(table: &file::DiaryGateway) -> DiaryOptions {
    let default = DiaryOptions::default();
    DiaryOptions {
        journal: table.journal,
        room: table.room.clone(),
        show: table.show.unwrap_or(default.show),
        profile: match table.profile {
            None => default.profile,
            Some(file::DiaryProfile::Lan) => Profile::Lan,
            Some(file::DiaryProfile::Internet) => Profile::Internet,
        },
        network_per_second: table
            .network_per_second
            .map_or(default.network_per_second, NonZeroU32::get),
    }
}

/// How fast a key of the journal may write.
pub(super) fn journal_limits(file: &file::Gateways) -> JournalLimits {
    let default = JournalLimits::default();
    let Some(diary) = &file.diary else {
        return default;
    };
    JournalLimits {
        key_burst: diary.key_burst.map_or(default.key_burst, NonZeroU32::get),
        key_per_second: diary
            .key_per_second
            .map_or(default.key_per_second, NonZeroU32::get),
    }
}

/// What a gateway's table says that every gateway's may say; nothing where it has no table.
fn common(file: &file::Gateways, name: GatewayName) -> Option<file::Common> {
    match name {
        GatewayName::Netdisk => file.netdisk.as_ref().map(file::NetdiskGateway::common),
        GatewayName::PyChat => file.pychat.as_ref().map(file::PyChatGateway::common),
        GatewayName::Diary => file.diary.as_ref().map(file::DiaryGateway::common),
        GatewayName::Filestored => file
            .filestored
            .as_ref()
            .map(file::FilestoredGateway::common),
    }
}

/// What the storage daemon's gateway has of its own.
fn own_of_filestored(table: Option<&file::FilestoredGateway>) -> FilestoredConfig {
    let default = FilestoredConfig::default();
    let Some(table) = table else {
        return default;
    };
    FilestoredConfig {
        run_dir: table.run_dir.clone(),
        key_file: table.key_file.clone(),
        file_bytes_max: table.file_bytes.unwrap_or(default.file_bytes_max),
    }
}

/// The key of a gateway's address.
const fn place(name: GatewayName) -> Name {
    let key = match name {
        GatewayName::Netdisk => "gateway.netdisk.listen",
        GatewayName::PyChat => "gateway.pychat.listen",
        GatewayName::Diary => "gateway.diary.listen",
        GatewayName::Filestored => "gateway.filestored.listen",
    };
    Name::of(key, "gateways")
}

fn apply(config: &mut GatewayConfig, table: file::Common) {
    if let Some(address) = table.listen {
        config.address = address;
    }
    let count = |count: NonZeroU32| usize::try_from(count.get()).unwrap_or(usize::MAX);
    if let Some(connections) = table.connections {
        config.connections_max = count(connections);
    }
    if let Some(connections) = table.per_address {
        config.per_address_max = count(connections);
    }
    if let Some(seconds) = table.idle_seconds {
        config.idle_timeout = Duration::from_secs(seconds.get().into());
    }
    if let Some(frames) = table.frames_per_second {
        config.frames_per_second = frames.get();
    }
}
