//! The gateway for clients of the network sync drive: three generations of its protocol on one port.
//!
//! What a client does with its session is done by [`account`], [`listing`], [`send`] and [`fetch`]; [`map`] puts the
//! house's answers into the protocol's words. docs/protocol/netdisk.md says what is served.

mod account;
mod fetch;
mod listing;
mod map;
mod plain;
mod send;
mod session;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::BytesMut;
use wharf_core::{Door, Origin, Wharf};
use wharf_wire::gateway::netdisk::{Decoder, Frame};

use super::bound::{Bound, GatewayError};
use super::protocol::{Decode, Garbled, Protocol};
use super::{GatewayConfig, GatewayName};
use session::NetdiskSession;

/// The protocol, over a house.
pub(super) struct Netdisk {
    wharf: Wharf,
    /// Whose drive requests without a login get.
    anonymous: Option<Arc<str>>,
}

/// Takes the gateway's address.
pub(super) fn bind(config: &GatewayConfig, wharf: &Wharf) -> Result<Bound, GatewayError> {
    let protocol = Netdisk {
        wharf: wharf.clone(),
        anonymous: config.anonymous.as_deref().map(Arc::from),
    };
    Bound::tcp(GatewayName::Netdisk, config, protocol)
}

impl Protocol for Netdisk {
    type Frame = Frame;
    type Decoder = Decoder;
    type Session = NetdiskSession;

    fn open(&self, peer: IpAddr) -> (Decoder, NetdiskSession) {
        let origin = Origin {
            door: Door::Netdisk,
            address: peer,
        };
        let session = NetdiskSession::new(self.wharf.clone(), origin, self.anonymous.clone());
        (Decoder::default(), session)
    }
}

impl Decode for Decoder {
    type Frame = Frame;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, Garbled> {
        Self::decode(self, buffer).map_err(|error| Garbled(error.to_string()))
    }
}
