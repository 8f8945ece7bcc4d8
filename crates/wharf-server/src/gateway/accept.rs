//! The places at which a gateway may listen.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::packet::{PacketListener, PacketStream};
use crate::listen;

/// Whoever comes over a socket of the file system is of this machine.
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// When a silent other end is asked whether it is there, how often, and how many times it may not answer.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_mins(1))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

/// Something that listens.
pub(crate) enum Listening {
    /// TCP.
    Tcp(TcpListener),
    /// A UNIX socket of streams.
    Unix(UnixListener),
    /// A UNIX socket of packets.
    Packet(PacketListener),
}

/// A connection.
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
    Packet(PacketStream),
}

impl Listening {
    /// Hands every connection to `take`, with its permit, until `cancel`.
    pub(crate) async fn accept_all(
        self,
        permits: &Arc<Semaphore>,
        cancel: &CancellationToken,
        mut take: impl FnMut(Accepted, IpAddr, OwnedSemaphorePermit),
    ) {
        match self {
            Self::Tcp(tcp) => {
                while let Some((stream, peer, permit)) = listen::next(&tcp, permits, cancel).await {
                    if let Err(error) = set_options(&stream) {
                        tracing::debug!(%peer, %error, "set options of a connection");
                    }
                    take(Accepted::Tcp(stream), peer.ip().to_canonical(), permit);
                }
            }
            Self::Unix(unix) => {
                let accept = || async { unix.accept().await.map(|(stream, _)| stream) };
                while let Some((stream, permit)) = next(accept, permits, cancel).await {
                    take(Accepted::Unix(stream), LOCAL, permit);
                }
            }
            Self::Packet(packet) => {
                let accept = || packet.accept();
                while let Some((stream, permit)) = next(accept, permits, cancel).await {
                    take(Accepted::Packet(stream), LOCAL, permit);
                }
            }
        }
    }
}

/// Answers go out at once, and an other end that vanished without a word is noticed though nothing is sent.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE)
}

/// The next connection of the file system and its permit; `None` once the listener is to stop.
async fn next<T, F: Future<Output = io::Result<T>>>(
    accept: impl Fn() -> F,
    permits: &Arc<Semaphore>,
    cancel: &CancellationToken,
) -> Option<(T, OwnedSemaphorePermit)> {
    let permit = cancel
        .run_until_cancelled(Arc::clone(permits).acquire_owned())
        .await?
        .ok()?;
    loop {
        match cancel.run_until_cancelled(accept()).await? {
            Ok(stream) => return Some((stream, permit)),
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                let pause = tokio::time::sleep(listen::ACCEPT_PAUSE);
                cancel.run_until_cancelled(pause).await?;
            }
        }
    }
}
