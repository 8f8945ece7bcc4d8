//! filestoraged: files in chunks of a thousand bytes, named by their digest, with tags.
//!
//! Served are its published protocol ([`session`]) and the one that its README described before ([`batch`]), over TCP and
//! UNIX sockets, in both of its frames. Files go into the folder `filestored` of the caller's own drive, under the name that
//! they come with; pieces rest in the house until a file is whole. The dialect of January 2020 is refused: who speaks it says
//! who he is without any proof.

mod batch;
mod map;
mod put;
mod session;
mod socket;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::BytesMut;
use wharf_core::accounts::SharedKey;
use wharf_core::{Door, Origin, Wharf};
use wharf_wire::gateway::filestored::{Decoder, Frame, Generation, SERVICE};

use super::accept::Listening;
use super::bound::GatewayError;
use super::protocol::{Decode, Garbled, Protocol};
use super::serve::TcpGateway;
use super::{Bound, Counters, GatewayConfig, GatewayName};
use crate::listen;
use session::Talk;
use socket::RunDir;

/// Largest frame. The largest message in use has a thousand bytes of data; a list of files may be long.
const PAYLOAD_BYTES_MAX: u32 = 256 * 1024;

/// What is the gateway's own beside what each has.
#[derive(Debug, Clone)]
pub struct FilestoredConfig {
    /// The folder that clients look for sockets in, where there are to be any.
    pub run_dir: Option<PathBuf>,
    /// A key that another service signs tokens with, in a file.
    pub key_file: Option<PathBuf>,
    /// Most bytes of a file.
    pub file_bytes_max: u64,
}

impl Default for FilestoredConfig {
    /// No sockets beside TCP, no shared key, and files of 1 GiB.
    fn default() -> Self {
        Self {
            run_dir: None,
            key_file: None,
            file_bytes_max: 1024 * 1024 * 1024,
        }
    }
}

/// The protocol.
struct Filestored {
    shared: Arc<Shared>,
}

/// What all connections need.
struct Shared {
    wharf: Wharf,
    key: Option<SharedKey>,
    file_bytes_max: u64,
}

/// Takes the gateway's addresses.
pub(super) fn bind(
    config: &GatewayConfig,
    own: &FilestoredConfig,
    wharf: &Wharf,
) -> Result<Bound, GatewayError> {
    let name = GatewayName::Filestored;
    let failed = |address: String| {
        move |source| GatewayError {
            name,
            address,
            source,
        }
    };
    let key = match &own.key_file {
        Some(path) => Some(read_key(path).map_err(failed(path.display().to_string()))?),
        None => None,
    };
    let tcp = listen::bind(config.address).map_err(failed(config.address.to_string()))?;
    let address = tcp
        .local_addr()
        .map_err(failed(config.address.to_string()))?;
    let mut listening = vec![Listening::Tcp(tcp)];
    let run_dir = match &own.run_dir {
        Some(path) => Some(RunDir::take(path).map_err(failed(path.display().to_string()))?),
        None => None,
    };
    if let Some(run_dir) = &run_dir {
        let failed = || failed(run_dir.path().display().to_string());
        listening.push(Listening::Unix(run_dir.stream().map_err(failed())?));
        listening.push(Listening::Packet(run_dir.packet().map_err(failed())?));
    }
    let protocol = Filestored {
        shared: Arc::new(Shared {
            wharf: wharf.clone(),
            key,
            file_bytes_max: own.file_bytes_max,
        }),
    };
    let counters = Arc::<Counters>::default();
    let gateway = TcpGateway::new(name, protocol, config.clone(), Arc::clone(&counters));
    Ok(Bound::new(name, address, counters, |cancel| async move {
        gateway.serve_all(listening, cancel).await;
        // The sockets go with the folder's lock, after the last connection.
        drop(run_dir);
    }))
}

/// A key from its file, without the line's end that editors leave.
fn read_key(path: &std::path::Path) -> std::io::Result<SharedKey> {
    let text = std::fs::read(path)?;
    SharedKey::new(text.trim_ascii_end()).map_err(std::io::Error::other)
}

/// What a client says.
enum Heard {
    /// The name of the service, in the TCP form.
    Service,
    /// A frame.
    Frame(Generation, Frame),
}

/// Takes the name of the service and frames off a stream.
struct Stream {
    decoder: Decoder,
    has_begun: bool,
}

impl Protocol for Filestored {
    type Frame = Heard;
    type Decoder = Stream;
    type Session = Talk;

    fn open(&self, peer: IpAddr) -> (Stream, Talk) {
        let decoder = Stream {
            decoder: Decoder::new(PAYLOAD_BYTES_MAX),
            has_begun: false,
        };
        let origin = Origin {
            door: Door::Filestored,
            address: peer,
        };
        (decoder, Talk::new(Arc::clone(&self.shared), origin))
    }
}

impl Decode for Stream {
    type Frame = Heard;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Heard>, Garbled> {
        if !self.has_begun && buffer.first() == SERVICE.first() {
            let (begun, _) = buffer.split_at(buffer.len().min(SERVICE.len()));
            if !SERVICE.starts_with(begun) {
                return Err(Garbled("another service is asked for".to_owned()));
            }
            if begun.len() < SERVICE.len() {
                return Ok(None);
            }
            drop(buffer.split_to(SERVICE.len()));
            self.has_begun = true;
            return Ok(Some(Heard::Service));
        }
        let frame = self.decoder.decode(buffer);
        let frame = frame.map_err(|fault| Garbled(fault.to_string()))?;
        self.has_begun |= frame.is_some();
        let heard = frame.zip(self.decoder.generation());
        Ok(heard.map(|(frame, generation)| Heard::Frame(generation, frame)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream {
            decoder: Decoder::new(PAYLOAD_BYTES_MAX),
            has_begun: false,
        }
    }

    #[test]
    fn the_service_may_come_byte_by_byte_and_once() {
        let mut stream = stream();
        let mut buffer = BytesMut::new();
        for byte in b"filestorag" {
            buffer.extend_from_slice(&[*byte]);
            assert!(matches!(stream.decode(&mut buffer), Ok(None)));
        }
        buffer.extend_from_slice(b"e");
        let heard = stream.decode(&mut buffer);
        assert!(matches!(heard, Ok(Some(Heard::Service))));
        buffer.extend_from_slice(SERVICE);
        assert!(stream.decode(&mut buffer).is_err());
    }

    #[test]
    fn another_service_is_refused_at_the_first_wrong_byte() {
        let mut buffer = BytesMut::from(&b"files!"[..]);
        assert!(stream().decode(&mut buffer).is_err());
    }
}
