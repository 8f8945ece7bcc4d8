//! Accepts connections and drives HTTP on them: a limit on their number, TLS, deadlines, and a drain at the end.
//!
//! A permit is taken before `accept`, so that what is over the limit waits in the kernel and costs no memory. Each
//! connection is one task. TLS handshakes happen in that task, so a slow client holds up nobody. Three clocks guard a
//! connection: hyper's for the head of a request (it also ends idle connections), and [`Activity`]'s for everything
//! else, because neither hyper's detection of the HTTP version nor a body in either direction has one of its own.
//!
//! A connection that is over while its client still sends ends in steps, see [`linger`], so that a refusal is seen.

mod activity;
mod linger;
mod stream;
pub(crate) mod tls;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(crate) use activity::Traffic;
pub(crate) use stream::Stream;

use activity::Activity;
use linger::Watched;
use tls::Tls;

/// Connections that wait in the kernel to be accepted; its own bound may be lower.
const CONNECTIONS_WAITING_MAX: u32 = 16 * 1024;
/// Read and write buffers of a connection. Also the most that the head of a request may take.
const BUFFER_BYTES_MAX: usize = 256 * 1024;
/// Flow control of HTTP/2: what one request, and one connection, may have sent ahead of being read.
const H2_STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const H2_CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const H2_FRAME_BYTES_MAX: u32 = 64 * 1024;
const H2_STREAMS_MAX: u32 = 128;
const H2_HEADERS_BYTES_MAX: u32 = 64 * 1024;
/// A pause after an `accept` that failed for want of file descriptors or memory, lest the loop spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address at the other end of the connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The clocks of a listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// See [`crate::Config::idle_timeout`].
    pub(crate) idle: Duration,
    /// See [`crate::Config::stall_timeout`].
    pub(crate) stall: Duration,
    /// See [`crate::Config::drain_timeout`].
    pub(crate) drain: Duration,
}

/// Everything that the connections of one listener share.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) app: Router,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) connections_max: usize,
    pub(crate) timeouts: Timeouts,
}

/// What one connection needs.
struct Shared {
    tls: Option<Tls>,
    app: Router,
    traffic: Arc<Traffic>,
    timeouts: Timeouts,
    http: auto::Builder<TokioExecutor>,
    /// Finish the requests under way, take no more.
    drain: CancellationToken,
    /// Stop now.
    abort: CancellationToken,
}

impl Listener {
    /// Accepts until `cancel`; then lets requests under way end, within the time to drain.
    pub(crate) async fn serve(self, cancel: CancellationToken) {
        let Self {
            tcp,
            tls,
            app,
            traffic,
            connections_max,
            timeouts,
        } = self;
        let abort = CancellationToken::new();
        let http = http_builder(timeouts.idle);
        let shared = Arc::new(Shared {
            tls,
            app,
            traffic,
            timeouts,
            http,
            drain: cancel.clone(),
            abort: abort.clone(),
        });
        let permits = Arc::new(Semaphore::new(connections_max));
        let connections = TaskTracker::new();
        while let Some((stream, peer, permit)) = next(&tcp, &permits, &cancel).await {
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                connection(stream, peer, shared).await;
                drop(permit);
            });
        }
        drop(tcp);
        connections.close();
        if !connections.is_empty() {
            tracing::info!(connections = connections.len(), "draining");
        }
        if tokio::time::timeout(timeouts.drain, connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = connections.len(),
                "ending connections that did not drain in time"
            );
            abort.cancel();
            connections.wait().await;
        }
    }
}

/// Takes the address. When a network comes back everybody connects at once; what does not fit into the kernel's queue is
/// tried again by the other end, after seconds.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTIONS_WAITING_MAX)
}

/// The next connection and its permit; `None` once the listener is to stop.
pub(crate) async fn next(
    tcp: &TcpListener,
    permits: &Arc<Semaphore>,
    cancel: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = cancel
        .run_until_cancelled(Arc::clone(permits).acquire_owned())
        .await?
        .ok()?;
    loop {
        match cancel.run_until_cancelled(tcp.accept()).await? {
            Ok((stream, peer)) => return Some((stream, peer, permit)),
            Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "accept"),
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                cancel
                    .run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE))
                    .await?;
            }
        }
    }
}

/// Whether a failed `accept` says something about a single connection, so that the next one may follow at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

fn http_builder(idle: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(H2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(H2_CONNECTION_WINDOW_BYTES)
        .max_frame_size(H2_FRAME_BYTES_MAX)
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(H2_HEADERS_BYTES_MAX)
        .keep_alive_interval(idle / 2);
    builder
}

/// Serves one connection to its end.
async fn connection(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let _open = shared.traffic.connection_opened();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "set TCP_NODELAY");
    }
    let activity = Activity::new(Arc::clone(&shared.traffic));
    let work = async {
        let stream = match &shared.tls {
            None => Stream::plain(stream, activity.clone()),
            Some(tls) => match tls.accept(stream, activity.clone()).await {
                Ok(stream) => stream,
                Err(error) => return tracing::debug!(%peer, %error, "TLS handshake"),
            },
        };
        requests(stream, peer, &shared).await;
    };
    tokio::select! {
        () = work => {}
        () = shared.abort.cancelled() => {}
        () = activity.stalled(shared.timeouts.idle, shared.timeouts.stall) => {
            tracing::debug!(%peer, "connection stalled");
        }
    }
}

/// Drives HTTP/1.1 or HTTP/2 on `stream`, and ends after the requests under way once the listener drains.
async fn requests(stream: Stream, peer: SocketAddr, shared: &Shared) {
    let unread = stream.unread();
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(|body| unread.watch(body));
        request.extensions_mut().insert(Peer(peer));
        answer(shared.app.clone(), request)
    });
    let mut connection = pin!(
        shared
            .http
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
    );
    let result = tokio::select! {
        result = &mut connection => result,
        () = shared.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

async fn answer(
    app: Router,
    request: Request<Watched<Incoming>>,
) -> Result<Response<Body>, Infallible> {
    app.oneshot(request).await
}
