//! The diary's gateway, and the journal over UDP: one port for both, or one for each.
//!
//! A datagram that begins with a token, a key or a sealed header is the journal's: no diary client sends one by chance. Any
//! other one is the old diary's, if that is served to its sender. `Desk` decides what a datagram is and verifies it; what
//! is verified goes to the house in batches, each durable in one transaction before anything in it is acknowledged.
//!
//! Nothing is answered with more bytes than it came with unless the sender has proved something, but for the old diary,
//! whose `r` asks for up to 4 KiB: it is served to addresses of the server's own network alone, and not at all under the
//! Internet's profile.

mod desk;
mod drops;
mod map;
mod networks;
mod parts;
mod ring;
mod socket;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;

use wharf_core::Wharf;
use wharf_types::api::journal::DiaryShow;

use super::{Bound, Counters, GatewayConfig, GatewayError, GatewayName};
use socket::Door;

/// What the diary's gateway is told beside what every gateway is.
#[derive(Debug, Clone)]
pub struct DiaryOptions {
    /// Where the journal listens; beside the diary, on its port, without.
    pub journal: Option<SocketAddr>,
    /// Where entries of the old diary go whose address nobody has claimed: `ACCOUNT` or `ACCOUNT/ROOM`.
    pub room: Option<String>,
    /// What its clients are shown there.
    pub show: DiaryShow,
    /// Which network it is for.
    pub profile: Profile,
    /// Most datagrams a second from one network of the Internet, a /24 or /48, before anything in them is looked at.
    pub network_per_second: u32,
}

/// Which network a door over UDP is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The operator's own: the old diary and lines with a token are taken from private addresses, and who has no key is told.
    Lan,
    /// The Internet: lines with a token are taken from everywhere, the old diary from nowhere, and who has no key hears nothing.
    Internet,
}

impl Default for DiaryOptions {
    fn default() -> Self {
        Self {
            journal: None,
            room: None,
            show: DiaryShow::Diary,
            profile: Profile::Lan,
            network_per_second: 2_000,
        }
    }
}

/// Takes the port, or both, and says where the journal listens.
pub(super) fn bind(
    config: &GatewayConfig,
    options: &DiaryOptions,
    wharf: &Wharf,
) -> Result<(Bound, SocketAddr), GatewayError> {
    let counters = Arc::<Counters>::default();
    let open = |address: SocketAddr| {
        socket::open(address).map_err(|source| GatewayError {
            name: GatewayName::Diary,
            address: address.to_string(),
            source,
        })
    };
    let (main, address) = open(config.address)?;
    let mut doors = Vec::new();
    let mut journal_address = address;
    if let Some(journal) = options.journal {
        let (journal, at) = open(journal)?;
        journal_address = at;
        doors.push((journal, desk::Serves::Journal));
        doors.push((main, desk::Serves::Diary));
    } else {
        doors.push((main, desk::Serves::Both));
    }
    let (wharf, options) = (wharf.clone(), options.clone());
    let shared = Arc::clone(&counters);
    let bound = Bound::new(GatewayName::Diary, address, counters, |cancel| async move {
        let doors = doors.into_iter().map(|(socket, serves)| {
            Door::new(socket, serves, wharf.clone(), &options, Arc::clone(&shared))
                .serve(cancel.clone())
        });
        futures_util::future::join_all(doors).await;
    });
    Ok((bound, journal_address))
}
