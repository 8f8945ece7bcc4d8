//! The live socket: a connection of its own that becomes a WebSocket.

use std::io;
use std::time::Duration;

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use wharf_types::api::problem::Problem;

use super::Connections;
use crate::api::ApiError;

/// How long it may take until the socket is there.
const OPEN_DEADLINE: Duration = Duration::from_secs(20);
/// Largest message that is taken: a page of entries, escaped.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An encrypted connection, or a bare one.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A live socket.
pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

impl Connections {
    /// Opens the WebSocket at a path and query of the server.
    pub(crate) async fn open_socket(
        &self,
        target: &str,
        authorization: Option<&HeaderValue>,
    ) -> Result<Socket, ApiError> {
        let opening = self.open_socket_patiently(target, authorization);
        timeout(OPEN_DEADLINE, opening).await.unwrap_or_else(|_| {
            let late = io::Error::new(io::ErrorKind::TimedOut, "no live connection in time");
            Err(self.0.unreachable(late))
        })
    }

    async fn open_socket_patiently(
        &self,
        target: &str,
        authorization: Option<&HeaderValue>,
    ) -> Result<Socket, ApiError> {
        let unreachable = |error: io::Error| self.0.unreachable(error);
        let peer = &self.0.peer;
        let tcp = TcpStream::connect((peer.host.as_str(), peer.port))
            .await
            .map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let (scheme, stream): (_, Box<dyn Stream>) = match &peer.tls {
            None => ("ws", Box::new(tcp)),
            Some((name, connector)) => {
                let tls = connector.0.connect(name.clone(), tcp).await;
                ("wss", Box::new(tls.map_err(unreachable)?))
            }
        };
        let authority = self.0.host.to_str().unwrap_or_default();
        let mut request = format!("{scheme}://{authority}{target}")
            .into_client_request()
            .map_err(|error| ApiError::Setup(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("wharf/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(error) => Err(self.refused_socket(target, error)),
        }
    }

    fn refused_socket(&self, target: &str, error: Error) -> ApiError {
        let Error::Http(answer) = error else {
            return self.0.unreachable(as_io(error));
        };
        let problem = answer
            .body()
            .as_deref()
            .and_then(|body| serde_json::from_slice::<Problem>(body).ok());
        match problem {
            Some(problem) => ApiError::Refused(Box::new(problem)),
            // From a proxy before a server that is away.
            None if answer.status().is_server_error() => self
                .0
                .unreachable(io::Error::other(answer.status().to_string())),
            None => ApiError::Answer {
                call: format!("GET {target}"),
                detail: describe(answer.status()),
            },
        }
    }
}

fn describe(status: StatusCode) -> String {
    format!("status {status}")
}

fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
