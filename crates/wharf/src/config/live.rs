//! The settings that are about live connections: how many there may be.

use std::num::NonZeroU32;

use wharf_core::HouseConfig;

use super::file;
use super::server::{Name, Resolver};
use crate::exit::Failure;

/// Flags of `serve` about live connections.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "a field is called as its flag is"
)]
pub(crate) struct LiveArgs {
    /// Live connections at once
    #[arg(long, env = "WHARF_LIVE_CONNECTIONS", value_name = "COUNT")]
    pub(crate) live_connections: Option<NonZeroU32>,
    /// Live connections of one account
    #[arg(long, env = "WHARF_LIVE_PER_ACCOUNT", value_name = "COUNT")]
    pub(crate) live_per_account: Option<NonZeroU32>,
    /// Live connections from one address
    #[arg(long, env = "WHARF_LIVE_PER_ADDRESS", value_name = "COUNT")]
    pub(crate) live_per_address: Option<NonZeroU32>,
}

mod name {
    use super::Name;

    pub(super) const CONNECTIONS: Name = Name::of("server.live.connections", "live_connections");
    pub(super) const PER_ACCOUNT: Name = Name::of("server.live.per_account", "live_per_account");
    pub(super) const PER_ADDRESS: Name = Name::of("server.live.per_address", "live_per_address");
}

impl Resolver<'_> {
    /// How many live connections there may be.
    pub(super) fn live(
        &mut self,
        house: &mut HouseConfig,
        args: &LiveArgs,
        file: &file::Live,
    ) -> Result<(), Failure> {
        let limits = &mut house.live;
        let bounds = [
            (
                name::CONNECTIONS,
                (args.live_connections, file.connections),
                &mut limits.connections_max,
            ),
            (
                name::PER_ACCOUNT,
                (args.live_per_account, file.per_account),
                &mut limits.per_account_max,
            ),
            (
                name::PER_ADDRESS,
                (args.live_per_address, file.per_address),
                &mut limits.per_address_max,
            ),
        ];
        for (name, (flag, file), bound) in bounds {
            let given = (flag.map(NonZeroU32::get), file.map(NonZeroU32::get));
            *bound = self.value(name, given, || Ok(*bound))?;
        }
        Ok(())
    }
}
