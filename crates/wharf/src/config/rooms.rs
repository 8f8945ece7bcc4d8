//! The settings that are about what is said in rooms: limits on sending, times for taking it back, webhooks, notices.

use std::num::NonZeroU32;
use std::path::PathBuf;

use wharf_core::HouseConfig;

use super::file::{self, Outgoing};
use super::server::{Name, Resolver};
use crate::exit::Failure;

/// Flags of `serve` about rooms.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RoomArgs {
    /// Messages that one account may send at once
    #[arg(long, env = "WHARF_ACCOUNT_BURST", value_name = "COUNT")]
    pub(crate) account_burst: Option<NonZeroU32>,
    /// Messages that one account may send a minute, once its burst is used up
    #[arg(long, env = "WHARF_ACCOUNT_PER_MINUTE", value_name = "COUNT")]
    pub(crate) account_per_minute: Option<NonZeroU32>,
    /// Messages that all accounts from one address may send at once
    #[arg(long, env = "WHARF_ADDRESS_BURST", value_name = "COUNT")]
    pub(crate) address_burst: Option<NonZeroU32>,
    /// Messages that all accounts from one address may send a minute, once their burst is used up
    #[arg(long, env = "WHARF_ADDRESS_PER_MINUTE", value_name = "COUNT")]
    pub(crate) address_per_minute: Option<NonZeroU32>,
    /// Minutes for which authors can take a message back; 0 for ever
    #[arg(long, env = "WHARF_RECALL_MINUTES", value_name = "MINUTES")]
    pub(crate) recall_minutes: Option<u32>,
    /// Minutes for which authors can edit a message; 0 for ever
    #[arg(long, env = "WHARF_EDIT_MINUTES", value_name = "MINUTES")]
    pub(crate) edit_minutes: Option<u32>,
    /// Where webhooks of rooms may post to
    #[arg(long, env = "WHARF_WEBHOOKS", value_name = "WHERE")]
    pub(crate) webhooks: Option<Outgoing>,
    /// Certificate authorities that receivers of webhooks and push services are known by, as PEM, in place of the system's
    #[arg(long, env = "WHARF_WEBHOOKS_CA", value_name = "FILE")]
    pub(crate) webhooks_ca: Option<PathBuf>,
    /// Where notices to people's browsers may be posted to
    #[arg(long, env = "WHARF_PUSH", value_name = "WHERE")]
    pub(crate) push: Option<Outgoing>,
    /// Where push services reach who runs this server: `mailto:ADDRESS` or `https://…`
    #[arg(long, env = "WHARF_PUSH_CONTACT", value_name = "ADDRESS", value_parser = file::push_contact)]
    pub(crate) push_contact: Option<String>,
}

mod name {
    use super::Name;

    pub(super) const ACCOUNT_BURST: Name =
        Name::of("server.messages.account_burst", "account_burst");
    pub(super) const ACCOUNT_PER_MINUTE: Name =
        Name::of("server.messages.account_per_minute", "account_per_minute");
    pub(super) const ADDRESS_BURST: Name =
        Name::of("server.messages.address_burst", "address_burst");
    pub(super) const ADDRESS_PER_MINUTE: Name =
        Name::of("server.messages.address_per_minute", "address_per_minute");
    pub(super) const RECALL_MINUTES: Name =
        Name::of("server.messages.recall_minutes", "recall_minutes");
    pub(super) const EDIT_MINUTES: Name = Name::of("server.messages.edit_minutes", "edit_minutes");
    pub(super) const WEBHOOKS: Name = Name::of("server.webhooks.outgoing", "webhooks");
    pub(super) const WEBHOOKS_CA: Name = Name::of("server.webhooks.ca", "webhooks_ca");
    pub(super) const PUSH: Name = Name::of("server.push.outgoing", "push");
    pub(super) const PUSH_CONTACT: Name = Name::of("server.push.contact", "push_contact");
}

impl Resolver<'_> {
    /// What the house goes by in rooms.
    pub(super) fn rooms(
        &mut self,
        house: &mut HouseConfig,
        args: &RoomArgs,
        file: &file::Server,
    ) -> Result<(), Failure> {
        let limits = &mut house.messages;
        let said = &file.messages;
        let bounds = [
            (
                name::ACCOUNT_BURST,
                (args.account_burst, said.account_burst),
                &mut limits.account_burst,
            ),
            (
                name::ACCOUNT_PER_MINUTE,
                (args.account_per_minute, said.account_per_minute),
                &mut limits.account_per_minute,
            ),
            (
                name::ADDRESS_BURST,
                (args.address_burst, said.address_burst),
                &mut limits.address_burst,
            ),
            (
                name::ADDRESS_PER_MINUTE,
                (args.address_per_minute, said.address_per_minute),
                &mut limits.address_per_minute,
            ),
        ];
        for (name, (flag, file), bound) in bounds {
            let given = (flag.map(NonZeroU32::get), file.map(NonZeroU32::get));
            *bound = self.value(name, given, || Ok(*bound))?;
        }
        let given = (args.recall_minutes, said.recall_minutes);
        house.recall_minutes =
            self.value(name::RECALL_MINUTES, given, || Ok(house.recall_minutes))?;
        let given = (args.edit_minutes, said.edit_minutes);
        house.edit_minutes = self.value(name::EDIT_MINUTES, given, || Ok(house.edit_minutes))?;
        let given = (args.webhooks, file.webhooks.outgoing);
        house.outgoing_hooks = self
            .value(name::WEBHOOKS, given, || Ok(Outgoing::default()))?
            .into();
        let given = (args.push, file.push.outgoing);
        house.push = self
            .value(name::PUSH, given, || Ok(Outgoing::default()))?
            .into();
        let (contact, from) = self.pick(
            name::PUSH_CONTACT,
            args.push_contact.clone(),
            file.push.contact.clone(),
        );
        if let Some(contact) = &contact {
            self.show(name::PUSH_CONTACT, contact, from);
        }
        house.push_contact = contact;
        Ok(())
    }

    /// Whom to trust when webhooks and notices are posted.
    pub(super) fn webhook_ca(&mut self, args: &RoomArgs, file: &file::Webhooks) -> Option<PathBuf> {
        let (ca, from) = self.pick(name::WEBHOOKS_CA, args.webhooks_ca.clone(), file.ca.clone());
        if let Some(path) = &ca {
            self.show(name::WEBHOOKS_CA, &path.display(), from);
        }
        ca
    }
}
