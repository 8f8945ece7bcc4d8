//! The gateway for clients of PyChat: contacts, direct rooms and their drives, as that program knows friends, chats and
//! files.
//!
//! A client logs in on one connection and then opens another for each thing that it wants, which carries nothing but a
//! number. So a number is believed from an address that has logged in as it, until it says `DOWN`, is silent for two
//! minutes without a connection that stays, or its session ends: that is a [`seat`], and the seats are at the [`desk`]. A seat
//! has one live connection to the house; what comes of it goes to the client's connections through [`mod@line`]s, in the order of the logs
//! ([`track`]). docs/protocol/pychat.md says what becomes of what.

mod desk;
mod file;
mod line;
mod map;
mod offline;
mod seat;
mod session;
mod state;
mod track;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::BytesMut;
use wharf_core::Wharf;
use wharf_wire::gateway::pychat::{InvalidRequest, Request, next_request};

use super::protocol::{Decode, Garbled, Protocol};
use super::{Bound, GatewayConfig, GatewayError, GatewayName};
use desk::Desk;
use session::Talk;

/// Takes the gateway's address.
pub(super) fn bind(config: &GatewayConfig, wharf: &Wharf) -> Result<Bound, GatewayError> {
    let desk = Arc::new(Desk::new(wharf.clone()));
    let closing = Arc::clone(&desk);
    let bound = Bound::tcp(GatewayName::PyChat, config, PyChat { desk })?;
    Ok(bound.and_then(async move { closing.close().await }))
}

/// The protocol.
struct PyChat {
    desk: Arc<Desk>,
}

/// Takes records off a connection.
struct Records;

impl Protocol for PyChat {
    type Frame = Result<Request, InvalidRequest>;
    type Decoder = Records;
    type Session = Talk;

    fn open(&self, peer: IpAddr) -> (Records, Talk) {
        (Records, Talk::new(Arc::clone(&self.desk), peer))
    }
}

impl Decode for Records {
    type Frame = Result<Request, InvalidRequest>;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Frame>, Garbled> {
        Ok(next_request(buffer))
    }
}
