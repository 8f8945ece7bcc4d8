//! A raw client of the live socket: says exactly what a test tells it to, and gives back exactly what came. It is built on
//! another implementation of WebSocket than the server's.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::AUTHORIZATION;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use wharf_types::api::live::{ClientFrame, Hello, ServerFrame, VERSION};

/// How long a frame may be in coming.
const PATIENCE: Duration = Duration::from_secs(20);

/// A live connection.
#[derive(Debug)]
pub struct Live {
    socket: WebSocketStream<TcpStream>,
}

impl Live {
    /// Connects with a session's token.
    ///
    /// # Errors
    /// What the handshake met; a refusal is [`Error::Http`].
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn connect(address: SocketAddr, token: &str) -> Result<Self, Box<Error>> {
        let mut request = format!("ws://{address}/api/v1/live")
            .into_client_request()
            .expect("a request");
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert(AUTHORIZATION, value);
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket })
    }

    /// Says hello as a device that has nothing, and takes everything up to `ready`.
    ///
    /// # Panics
    /// If the server says anything else.
    pub async fn begin(&mut self) -> Vec<ServerFrame> {
        self.hello(Hello {
            version: VERSION,
            entries: true,
            ..Hello::default()
        })
        .await
    }

    /// Says hello, and takes everything up to `ready`.
    ///
    /// # Panics
    /// If the connection ends before.
    pub async fn hello(&mut self, hello: Hello) -> Vec<ServerFrame> {
        self.send(&ClientFrame::Hello(hello)).await;
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                ServerFrame::Ready => return frames,
                ServerFrame::Bye { code, detail } => panic!("{code}: {detail}"),
                frame => frames.push(frame),
            }
        }
    }

    /// Sends a frame.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("JSON");
        self.say(&text).await;
    }

    /// Sends a frame, and says whether the connection still took it.
    ///
    /// # Panics
    /// If the frame is none.
    pub async fn try_send(&mut self, frame: &ClientFrame) -> bool {
        let text = serde_json::to_string(frame).expect("JSON");
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// Sends a text.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn say(&mut self, text: &str) {
        self.socket
            .send(Message::text(text))
            .await
            .expect("a connection");
    }

    /// The next frame.
    ///
    /// # Panics
    /// If none comes.
    pub async fn next(&mut self) -> ServerFrame {
        self.try_next().await.expect("a frame before the end")
    }

    /// The next frame; `None` once the connection has ended, in order or not.
    ///
    /// # Panics
    /// If nothing comes, or nothing that is a frame.
    pub async fn try_next(&mut self) -> Option<ServerFrame> {
        timeout(PATIENCE, self.take())
            .await
            .expect("a frame in time")
    }

    async fn take(&mut self) -> Option<ServerFrame> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("a frame"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_) | Err(_)) | None => return None,
            }
        }
    }

    /// Takes frames until `pick` finds what it looks for.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.next().await;
            if let Some(found) = pick(frame) {
                return found;
            }
        }
    }

    /// What comes within `time`.
    ///
    /// # Panics
    /// If the connection ends meanwhile.
    pub async fn all_within(&mut self, time: Duration) -> Vec<ServerFrame> {
        let mut frames = Vec::new();
        let gather = async {
            loop {
                frames.push(self.next().await);
            }
        };
        timeout(time, gather).await.expect_err("it never ends");
        frames
    }

    /// The bare connection, for tests that say what no client would.
    pub fn into_inner(self) -> TcpStream {
        self.socket.into_inner()
    }
}
