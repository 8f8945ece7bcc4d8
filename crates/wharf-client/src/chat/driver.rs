//! The engine's hands: a thread with the connection, the clock and the store.
//!
//! A thread of its own, because the store blocks, if only for moments, and because a chat must not stand still when
//! whoever uses it is busy.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wharf_types::ErrorCode;
use wharf_types::api::live::{ClientFrame, ServerFrame};

use super::engine::{Closed, Engine, Output};
use super::error::ChatError;
use super::event::{Connection, Event};
use super::shared::Shared;
use super::store::{Store, outbox};
use crate::api::{Api, ApiError};
use crate::clock::Clock;
use crate::net::Socket;

/// How often the store is looked at for what other processes wrote.
const LOOK_MS: i64 = 200;
/// Most frames that wait to be written. The engine bounds what it has under way far below.
const FRAMES_MAX: usize = 1024;
/// How long the socket may take nothing.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// The pause after the store failed, as with a full disk.
const STORE_PAUSE: Duration = Duration::from_secs(2);

/// What the thread works with.
pub(super) struct Driver {
    pub(super) api: Api,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    /// Names this process among those that share the store.
    pub(super) holder: String,
}

/// The connection, as far as there is one.
enum Line {
    None,
    Dialling(AbortOnDropHandle<Result<Socket, ApiError>>),
    Open(Open),
}

struct Open {
    incoming: SplitStream<Socket>,
    outgoing: mpsc::Sender<Message>,
    _writer: AbortOnDropHandle<()>,
}

/// Something that happened.
enum Happening {
    Stop,
    Dialled(Result<Socket, Closed>),
    Message(Message),
    Broken,
    Due,
}

impl Driver {
    /// Starts the thread, which ends soon after `stop`.
    pub(super) fn start(self) -> io::Result<std::thread::JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("wharf-chat".to_owned())
            .spawn(move || runtime.block_on(self.run()))
    }

    async fn run(mut self) {
        while !self.stop.is_cancelled() {
            match self.run_engine().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "the local copy of the conversations failed");
                    let detail = error.to_string();
                    self.show(Connection::Refused { detail });
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(STORE_PAUSE) => {}
            }
        }
    }

    /// Runs an engine until the stop. One that fails is replaced: all that counts is in the store.
    async fn run_engine(&mut self) -> Result<(), ChatError> {
        let mut engine = Engine::new(self.holder.clone(), rand::random());
        let mut line = Line::None;
        let mut looked = self.store.data_version()?;
        let mut looked_ms = self.clock.now_ms();
        let mut was_open = false;
        loop {
            let now_ms = self.clock.now_ms();
            let version = self.store.data_version()?;
            if version != looked {
                looked = version;
                self.tell_of_others(looked_ms, was_open && engine.is_open())?;
                looked_ms = now_ms;
            }
            was_open = engine.is_open();
            engine.tick(&mut self.store, now_ms, self.shared.wanted())?;
            while let Some(output) = engine.output() {
                self.act(output, &mut line, now_ms);
            }
            let pause_ms = engine.next_ms().saturating_sub(now_ms).clamp(5, LOOK_MS);
            let pause = Duration::from_millis(pause_ms.unsigned_abs());
            match self.happening(&mut line, pause).await {
                Happening::Stop => {
                    let now_ms = self.clock.now_ms();
                    return engine.closed(&mut self.store, now_ms, Closed::Lost);
                }
                Happening::Due => {}
                happening => self.pass_on(&mut engine, &mut line, happening)?,
            }
        }
    }

    async fn happening(&self, line: &mut Line, pause: Duration) -> Happening {
        let on_line = async {
            match line {
                Line::None => std::future::pending().await,
                Line::Dialling(dialling) => Happening::Dialled(match dialling.await {
                    Ok(Ok(socket)) => Ok(socket),
                    Ok(Err(error)) => Err(why(&error)),
                    Err(_) => Err(Closed::Lost),
                }),
                Line::Open(open) => match open.incoming.next().await {
                    Some(Ok(message)) => Happening::Message(message),
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the live connection broke");
                        Happening::Broken
                    }
                    None => Happening::Broken,
                },
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Happening::Stop,
            happening = on_line => happening,
            () = self.shared.poked() => Happening::Due,
            () = tokio::time::sleep(pause) => Happening::Due,
        }
    }

    fn pass_on(
        &mut self,
        engine: &mut Engine,
        line: &mut Line,
        happening: Happening,
    ) -> Result<(), ChatError> {
        let now_ms = self.clock.now_ms();
        if let Happening::Dialled(outcome) = &happening {
            self.shared.set_unreachable(outcome.is_err());
        }
        match happening {
            Happening::Dialled(Ok(socket)) => {
                *line = Line::Open(Open::new(socket));
                engine.opened(&mut self.store, now_ms)
            }
            Happening::Dialled(Err(why)) => {
                *line = Line::None;
                engine.closed(&mut self.store, now_ms, why)
            }
            Happening::Broken => {
                *line = Line::None;
                engine.closed(&mut self.store, now_ms, Closed::Lost)
            }
            Happening::Message(Message::Text(text)) => {
                match serde_json::from_str::<ServerFrame>(&text) {
                    Ok(frame) => engine.received(&mut self.store, now_ms, frame),
                    // A frame of a later version that this one does not know says nothing that cannot be asked again.
                    Err(error) => {
                        tracing::warn!(%error, "a frame was not understood");
                        engine.heard(now_ms);
                        Ok(())
                    }
                }
            }
            Happening::Message(_) => {
                engine.heard(now_ms);
                Ok(())
            }
            Happening::Stop | Happening::Due => Ok(()),
        }
    }

    fn act(&self, output: Output, line: &mut Line, now_ms: i64) {
        match output {
            Output::Dial => {
                let api = self.api.clone();
                let dialling = tokio::spawn(async move { api.live().await });
                *line = Line::Dialling(AbortOnDropHandle::new(dialling));
            }
            Output::HangUp => *line = Line::None,
            Output::Send(frame) => {
                if let Line::Open(open) = line
                    && !open.say(&frame)
                {
                    // The reading side will see the end of it.
                    open.hang_up();
                }
            }
            Output::Tell(Event::Connection(connection)) => self.show(connection),
            Output::Tell(event) => self.shared.tell(event),
            Output::Presence(items) => {
                self.shared.set_presence(&items);
                self.shared.tell(Event::Presence(items));
            }
            Output::NoPresence => {
                self.shared.forget_presence();
                self.shared.tell(Event::Presence(Vec::new()));
            }
            Output::Typing(typing) => {
                self.shared.set_typing(&typing, now_ms);
                self.shared.tell(Event::Typing(typing.room));
            }
        }
    }

    fn show(&self, connection: Connection) {
        self.shared.set_connection(connection.clone());
        self.shared.tell(Event::Connection(connection));
    }

    /// Tells what other connections to the store have written. What they applied comes over this process's own connection,
    /// too, if it was open before they did.
    fn tell_of_others(&mut self, since_ms: i64, was_open: bool) -> Result<(), ChatError> {
        if !was_open {
            self.shared.tell(Event::Reload);
            return Ok(());
        }
        let since_ms = since_ms - LOOK_MS;
        for (id, room) in self.store.read(|tx| outbox::changed_since(tx, since_ms))? {
            self.shared.tell(Event::Outbox { id });
            self.shared.tell(Event::Timeline(room));
        }
        Ok(())
    }
}

impl Open {
    fn new(socket: Socket) -> Self {
        let (sink, incoming) = socket.split();
        let (outgoing, frames) = mpsc::channel(FRAMES_MAX);
        let writer = tokio::spawn(write(sink, frames));
        Self {
            incoming,
            outgoing,
            _writer: AbortOnDropHandle::new(writer),
        }
    }

    /// Hands a frame to the writer; says whether that worked.
    fn say(&self, frame: &ClientFrame) -> bool {
        match serde_json::to_string(frame) {
            Ok(text) => self.outgoing.try_send(Message::text(text)).is_ok(),
            Err(error) => {
                tracing::error!(%error, "a frame cannot be written");
                false
            }
        }
    }

    fn hang_up(&mut self) {
        let (closed, _) = mpsc::channel(1);
        self.outgoing = closed;
    }
}

/// Writes frames until there are no more, or the socket takes none; those that pile up go together.
async fn write(mut sink: SplitSink<Socket, Message>, mut frames: mpsc::Receiver<Message>) {
    while let Some(frame) = frames.recv().await {
        let write = async {
            sink.feed(frame).await?;
            while let Ok(frame) = frames.try_recv() {
                sink.feed(frame).await?;
            }
            sink.flush().await
        };
        match tokio::time::timeout(WRITE_DEADLINE, write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "the live connection takes nothing more");
                break;
            }
            Err(_) => break,
        }
    }
    // Whichever way it ends, the reading side is to end too.
    drop(tokio::time::timeout(WRITE_DEADLINE, sink.close()).await);
}

/// What a refused or broken attempt means.
fn why(error: &ApiError) -> Closed {
    let detail = error.to_string();
    match (error, error.code()) {
        (_, Some(ErrorCode::Unauthenticated)) => Closed::LoggedOut { detail },
        (_, Some(ErrorCode::Unavailable | ErrorCode::Limited | ErrorCode::Internal))
        | (ApiError::Unreachable { .. }, _) => Closed::Lost,
        _ => Closed::Refused { detail },
    }
}
