//! XMPP as Prosody speaks it: anonymous logins in one multi-user chat; XEP-0198 answers tell that the server has taken what
//! was sent, which says nothing about a disk.

use anyhow::{Result, bail};

use crate::line::Event;
use load::wire::{Wire, find};

pub(crate) struct Xmpp {
    wire: Wire,
    room: String,
}

const HOST: &str = "localhost";

impl Xmpp {
    pub(crate) async fn connect(address: &str, number: usize, room: &str) -> Result<Self> {
        let mut wire = Wire::connect(address).await?;
        let open = format!(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{HOST}' version='1.0'>"
        );
        wire.write(open.as_bytes()).await?;
        wire.until(b"</stream:features>").await?;
        wire.write(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
            .await?;
        wire.until(b"<success").await?;
        wire.until(b">").await?;
        wire.write(open.as_bytes()).await?;
        wire.until(b"</stream:features>").await?;
        wire.write(b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            .await?;
        wire.until(b"</iq>").await?;
        wire.write(b"<enable xmlns='urn:xmpp:sm:3'/>").await?;
        wire.until(b"<enabled").await?;
        let room = format!("{room}@rooms.{HOST}");
        // A name that was never there: the server may hold the one of a connection that broke.
        let name = format!("n{number}x{:08x}", rand::random::<u32>());
        let join = format!(
            "<presence to='{room}/{name}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
        );
        wire.write(join.as_bytes()).await?;
        // Status 110: this presence is one's own, and the last of the joining.
        wire.until(b"code='110'").await?;
        wire.until(b"</presence>").await?;
        Ok(Self { wire, room })
    }

    pub(crate) async fn send(&mut self, body: &str, is_acknowledged: bool) -> Result<()> {
        let mut text = format!(
            "<message to='{}' type='groupchat'><body>{body}</body></message>",
            self.room
        );
        if is_acknowledged {
            text.push_str("<r xmlns='urn:xmpp:sm:3'/>");
        }
        self.wire.write(text.as_bytes()).await
    }

    pub(crate) async fn next(&mut self) -> Result<Event> {
        loop {
            let stanza = self.wire.until(b">").await?;
            if stanza.starts_with(b"<a ") {
                return Ok(Event::Acknowledged);
            }
            if stanza.starts_with(b"<r ") {
                self.wire.write(b"<a xmlns='urn:xmpp:sm:3' h='0'/>").await?;
            } else if stanza.starts_with(b"<message") {
                let rest = self.wire.until(b"</message>").await?;
                if let Some(at) = find(&rest, b"<body>") {
                    return Ok(Event::message(&rest[at + 6..]));
                }
            } else if stanza.starts_with(b"<stream:error") {
                bail!("the server ended the stream");
            }
        }
    }
}
