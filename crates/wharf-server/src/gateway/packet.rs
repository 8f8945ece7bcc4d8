//! UNIX sockets of packets (`SOCK_SEQPACKET`), which tokio has no type for.
//!
//! To the loop of the gateways a connection of packets is a stream: what is written at once goes out as one packet, and a
//! packet that comes is read whole and handed out as it is asked for. A packet without bytes is the end.

use std::io;
use std::os::unix::net;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, listen,
    recv, send, socket_with,
};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{UnixListener, UnixStream};

/// Connections that wait in the kernel to be accepted.
const WAITING_MAX: i32 = 4_096;
/// Largest packet that is taken; the kernel's own bound is lower where nobody raised it.
const PACKET_BYTES_MAX: usize = 1024 * 1024;

/// A socket that listens. The kind of its packets is the kernel's business: accepting is as for streams.
pub(crate) struct PacketListener(UnixListener);

/// A connection.
pub(crate) struct PacketStream {
    socket: UnixStream,
    /// What is left of the packet that came last.
    rest: Bytes,
}

impl PacketListener {
    /// Makes the socket. Needs a runtime.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&fd, &SocketAddrUnix::new(path)?)?;
        listen(&fd, WAITING_MAX)?;
        UnixListener::from_std(net::UnixListener::from(fd)).map(Self)
    }

    /// The next connection. Dropping the future loses none.
    pub(crate) async fn accept(&self) -> io::Result<PacketStream> {
        let (socket, _) = self.0.accept().await?;
        Ok(PacketStream {
            socket,
            rest: Bytes::new(),
        })
    }
}

/// Reads a packet, however long it is.
fn receive(socket: &UnixStream) -> io::Result<Bytes> {
    let (_, length) = recv(socket, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::TRUNC)?;
    if length > PACKET_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut packet = vec![0; length.max(1)];
    let (read, _) = recv(socket, &mut packet[..], RecvFlags::empty())?;
    packet.truncate(read);
    Ok(packet.into())
}

/// What came of a try, unless it has to be waited for.
fn tried<T>(outcome: io::Result<T>) -> Option<io::Result<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        outcome => Some(outcome),
    }
}

impl AsyncRead for PacketStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            ready!(self.socket.poll_read_ready(context))?;
            let socket = &self.socket;
            let packet = tried(socket.try_io(Interest::READABLE, || receive(socket)));
            if let Some(packet) = packet {
                let packet = packet?;
                if packet.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                self.rest = packet;
            }
        }
        let count = self.rest.len().min(buffer.remaining());
        let (now, _) = self.rest.split_at(count);
        buffer.put_slice(now);
        self.rest.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PacketStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_write_ready(context))?;
            let send = || Ok(send(&self.socket, bytes, SendFlags::NOSIGNAL)?);
            if let Some(sent) = tried(self.socket.try_io(Interest::WRITABLE, send)) {
                return Poll::Ready(sent);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
