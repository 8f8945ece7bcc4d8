//! One live connection without its socket: it takes the client's texts and gives frames.
//!
//! It is a state machine. Whoever drives it hands it what arrives ([`Session::receive`]) and polls it ([`Session::poll`]); a
//! socket does so in production, a script in tests. Requests are worked off one after another, in their order; those that
//! append and stand next to each other share a transaction. While one is under way, nothing of the connection rests in it
//! but the future of the house's operation, and when none is, that is gone too.
//!
//! What the hub has for the connection is not passed on while an append is under way, so that an acknowledgement comes
//! before the entry that it is about.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use wharf_core::drive::RoomRef;
use wharf_core::live::{Connection, Greeting, ListChange, Taken, Told};
use wharf_core::log::Range;
use wharf_core::{Caller, Error, Result, Wharf};
use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::live::{ClientFrame, Fetch, Hello, Reached, Sending, ServerFrame};
use wharf_types::api::log::AppendOutcome;
use wharf_types::limit::APPENDS_PER_BATCH_MAX;
use wharf_types::{DeviceId, ErrorCode};
use wharf_wire::websocket::CloseCode;

use super::budget::Budget;

/// Most requests that wait; past it the client is read no further.
const WAITING_MAX: usize = APPENDS_PER_BATCH_MAX;
/// Heartbeats without a word after which the other end is taken for gone.
const SILENT_BEATS_MAX: u8 = 3;

/// Where a session's frames go.
pub trait Sink {
    /// A frame for this connection alone.
    fn frame(&mut self, frame: &ServerFrame);
    /// Frames that others are told too.
    fn told(&mut self, told: &Arc<Told>);
    /// The other end is to be asked whether it is there.
    fn ping(&mut self);
    /// The end. Nothing comes after it.
    fn close(&mut self, code: CloseCode);
}

/// A live connection without its socket.
pub struct Session {
    wharf: Arc<Wharf>,
    by: Caller,
    connection: Arc<Connection>,
    device: Option<DeviceId>,
    stage: Stage,
    /// The version of the account's list that the device was brought to, and the one that it is known to have.
    list_told: u64,
    list_known: u64,
    must_watch_again: bool,
    silent_beats: u8,
    blocked_beats: u8,
    budget: Budget,
    waiting: VecDeque<ClientFrame>,
    working: Option<Work>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before `hello`.
    New,
    /// `hello` is being answered.
    Greeting,
    Live,
    Over,
}

/// A request under way.
struct Work {
    appends: bool,
    future: Pin<Box<dyn Future<Output = Done> + Send>>,
}

/// What became of a request.
enum Done {
    Greeted(Result<Greeting>),
    Listed(Result<ListChange>),
    Watched(Result<Vec<Presence>>),
    Answered(Vec<ServerFrame>),
    /// A request without an answer.
    Noted(Result<()>),
}

impl Session {
    /// Begins a connection of the caller's. Needs a tokio runtime.
    ///
    /// # Errors
    /// `Limited`: the account, its address or the server has as many connections as may be.
    pub fn new(wharf: Arc<Wharf>, by: Caller) -> Result<Self> {
        let connection = Arc::new(wharf.live().connect(&by)?);
        let budget = Budget::new(wharf.clock().steady_ms());
        Ok(Self {
            wharf,
            by,
            connection,
            device: None,
            stage: Stage::New,
            list_told: 0,
            list_known: 0,
            must_watch_again: false,
            silent_beats: 0,
            blocked_beats: 0,
            budget,
            waiting: VecDeque::new(),
            working: None,
        })
    }

    /// Whether it takes another text now. Where not, poll it until it does.
    pub fn wants_input(&mut self) -> bool {
        if self.stage == Stage::Over || self.waiting.len() >= WAITING_MAX {
            return false;
        }
        let has_room = self.budget.has_room(self.wharf.clock().steady_ms());
        if !has_room {
            self.connection.wake_soon();
        }
        has_room
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Notes that the other end is there.
    pub fn heard(&mut self) {
        self.silent_beats = 0;
    }

    /// Takes a text of the client.
    pub fn receive(&mut self, text: &str, sink: &mut dyn Sink) {
        if self.stage == Stage::Over {
            return;
        }
        self.heard();
        let frame = match serde_json::from_str::<ClientFrame>(text) {
            Ok(frame) => frame,
            Err(error) => {
                let detail = format!("a frame was not understood: {error}");
                return self.end(ErrorCode::Invalid, &detail, sink);
            }
        };
        self.budget.take(&frame);
        let is_hello = matches!(frame, ClientFrame::Hello(_));
        let is_due = self.stage == Stage::New && self.waiting.is_empty();
        if is_hello != is_due {
            return self.end(
                ErrorCode::Invalid,
                "hello is the first frame, and comes once",
                sink,
            );
        }
        self.waiting.push_back(frame);
    }

    /// Does what can be done now and hands over its frames. Registers to be woken when there is more; returns `Ready` once
    /// it is over.
    pub fn poll(&mut self, cx: &mut Context<'_>, sink: &mut dyn Sink) -> Poll<()> {
        self.connection.register(cx.waker());
        self.blocked_beats = 0;
        loop {
            if self.stage == Stage::Over {
                return Poll::Ready(());
            }
            self.urgent(sink);
            if let Some(work) = &mut self.working
                && let Poll::Ready(done) = work.future.as_mut().poll(cx)
            {
                self.working = None;
                self.apply(done, sink);
                continue;
            }
            let appends = self.working.as_ref().is_some_and(|work| work.appends);
            if self.stage == Stage::Live && !appends {
                self.tell(self.connection.take(), sink);
            }
            if self.stage == Stage::Over || self.working.is_some() || !self.start(sink) {
                break;
            }
        }
        if self.is_over() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// As [`Session::poll`], while what it gave before cannot be written: it gives nothing more, and ends where that lasts.
    pub fn poll_blocked(&mut self, cx: &mut Context<'_>, sink: &mut dyn Sink) -> Poll<()> {
        self.connection.register(cx.waker());
        let (beat, end) = self.connection.take_urgent();
        if let Some(end) = end {
            self.end(end.code, end.detail, sink);
        } else if beat {
            self.blocked_beats += 1;
            if self.blocked_beats > SILENT_BEATS_MAX {
                self.end(ErrorCode::Unavailable, "the other end does not read", sink);
            }
        }
        if self.is_over() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Answers what does not wait its turn.
    fn urgent(&mut self, sink: &mut dyn Sink) {
        let (beat, end) = self.connection.take_urgent();
        if let Some(end) = end {
            return self.end(end.code, end.detail, sink);
        }
        if !beat {
            return;
        }
        self.silent_beats += 1;
        if self.silent_beats > SILENT_BEATS_MAX {
            self.end(ErrorCode::Unavailable, "the other end is silent", sink);
        } else if self.stage == Stage::New && self.silent_beats > 1 {
            self.end(ErrorCode::Invalid, "no hello came", sink);
        } else {
            sink.ping();
        }
    }

    fn tell(&mut self, taken: Taken, sink: &mut dyn Sink) {
        self.list_known = self.list_known.max(taken.account_version);
        self.must_watch_again |= taken.must_watch_again;
        for told in &taken.told {
            sink.told(told);
        }
        for frame in &taken.own {
            sink.frame(frame);
        }
        if !taken.presence.is_empty() {
            let items = taken.presence;
            sink.frame(&ServerFrame::Presence { items });
        }
    }

    /// Starts what is next, and returns whether there was anything.
    fn start(&mut self, sink: &mut dyn Sink) -> bool {
        if self.stage == Stage::Live {
            if self.list_known > self.list_told {
                self.list();
                return true;
            }
            if std::mem::take(&mut self.must_watch_again) {
                self.watch_again();
                return true;
            }
        }
        let Some(frame) = self.waiting.pop_front() else {
            if self.waiting.capacity() > 0 {
                self.waiting = VecDeque::new();
            }
            return false;
        };
        match frame {
            ClientFrame::Hello(hello) => self.greet(hello),
            ClientFrame::Send(sending) => return self.append(sending, sink),
            ClientFrame::Fetch(fetch) => self.fetch(fetch),
            ClientFrame::Read(reached) => self.read(reached),
            ClientFrame::Delivered(reached) => return self.delivered(reached, sink),
            ClientFrame::Typing(typing) => {
                let (connection, by) = self.shared();
                self.work(async move { Done::Noted(connection.typing(&by, typing).await) });
            }
            ClientFrame::Status {
                status: Status::Offline,
            } => {
                self.end(ErrorCode::Invalid, "offline is no status to set", sink);
            }
            ClientFrame::Status { status } => self.connection.set_status(status),
            ClientFrame::Watch { accounts } => {
                let (connection, by) = self.shared();
                self.work(async move { Done::Watched(connection.watch(&by, accounts).await) });
            }
            ClientFrame::Ping { number } => {
                let time_ms = self.wharf.clock().now_ms();
                sink.frame(&ServerFrame::Pong { number, time_ms });
            }
        }
        true
    }

    fn shared(&self) -> (Arc<Connection>, Caller) {
        (Arc::clone(&self.connection), self.by)
    }

    fn work(&mut self, future: impl Future<Output = Done> + Send + 'static) {
        self.working = Some(Work {
            appends: false,
            future: Box::pin(future),
        });
    }

    fn greet(&mut self, hello: Hello) {
        self.stage = Stage::Greeting;
        self.device = hello.device;
        let (connection, by) = self.shared();
        self.work(async move { Done::Greeted(connection.greet(&by, &hello).await) });
    }

    fn list(&mut self) {
        let (connection, by) = self.shared();
        let after = self.list_told;
        self.work(async move { Done::Listed(connection.list_changes(&by, after).await) });
    }

    fn watch_again(&mut self) {
        let (connection, by) = self.shared();
        self.work(async move { Done::Watched(connection.watch_again(&by).await) });
    }

    /// Appends a request's entry together with those of the requests right behind it.
    fn append(&mut self, first: Sending, sink: &mut dyn Sink) -> bool {
        let Some(device) = self.device else {
            self.end(ErrorCode::Invalid, "send needs a device in hello", sink);
            return true;
        };
        let mut items = vec![first];
        while items.len() < APPENDS_PER_BATCH_MAX
            && let Some(ClientFrame::Send(_)) = self.waiting.front()
            && let Some(ClientFrame::Send(next)) = self.waiting.pop_front()
        {
            items.push(next);
        }
        let (wharf, by) = (Arc::clone(&self.wharf), self.by);
        let future = async move {
            let asked: Vec<_> = items.iter().map(|item| (item.number, item.room)).collect();
            let outcomes = wharf.logs().append_batch(&by, device, items).await;
            let answers =
                asked
                    .into_iter()
                    .zip(outcomes)
                    .map(|((number, _), outcome)| match outcome {
                        AppendOutcome::Appended(appended) => ServerFrame::Ack {
                            number,
                            room: appended.room,
                            position: appended.position,
                            at_ms: appended.at_ms,
                            hash: appended.hash,
                        },
                        AppendOutcome::Refused(refused) => ServerFrame::Nack { number, refused },
                    });
            Done::Answered(answers.collect())
        };
        self.working = Some(Work {
            appends: true,
            future: Box::pin(future),
        });
        true
    }

    fn fetch(&mut self, fetch: Fetch) {
        let (wharf, by) = (Arc::clone(&self.wharf), self.by);
        self.work(async move {
            let Fetch { id, room, .. } = fetch;
            let page = match range(&fetch) {
                Ok(range) => {
                    let room = RoomRef::Id(room);
                    wharf.logs().page(&by, room, range, fetch.limit).await
                }
                Err(error) => Err(error),
            };
            Done::Answered(vec![match page {
                Ok(page) => ServerFrame::Page { id, room, page },
                Err(error) => {
                    log_fault(&error);
                    ServerFrame::PageRefused {
                        id,
                        code: error.code(),
                        detail: error.text().to_owned(),
                    }
                }
            }])
        });
    }

    fn read(&mut self, reached: Reached) {
        let (wharf, by) = (Arc::clone(&self.wharf), self.by);
        self.work(async move {
            let room = RoomRef::Id(reached.room);
            Done::Noted(wharf.logs().mark_read(&by, room, reached.position).await)
        });
    }

    fn delivered(&mut self, reached: Reached, sink: &mut dyn Sink) -> bool {
        let Some(device) = self.device else {
            self.end(
                ErrorCode::Invalid,
                "delivered needs a device in hello",
                sink,
            );
            return true;
        };
        let (wharf, by) = (Arc::clone(&self.wharf), self.by);
        self.work(async move {
            let room = RoomRef::Id(reached.room);
            let logs = wharf.logs();
            Done::Noted(
                logs.mark_delivered(&by, device, room, reached.position)
                    .await,
            )
        });
        true
    }

    fn apply(&mut self, done: Done, sink: &mut dyn Sink) {
        match done {
            Done::Greeted(Ok(greeting)) => {
                self.stage = Stage::Live;
                self.list_told = greeting.account_version;
                for frame in &greeting.frames {
                    sink.frame(frame);
                }
            }
            Done::Listed(Ok(change)) => {
                self.list_told = self.list_told.max(change.version);
                // What was heard of may be behind what was read, or of a version that was undone.
                self.list_known = self.list_told;
                for frame in &change.frames {
                    sink.frame(frame);
                }
            }
            Done::Watched(Ok(items)) => sink.frame(&ServerFrame::Presence { items }),
            Done::Answered(frames) => {
                for frame in &frames {
                    sink.frame(frame);
                    if is_logged_out(frame) {
                        return self.end(
                            ErrorCode::Unauthenticated,
                            "the session has ended: log in again",
                            sink,
                        );
                    }
                }
            }
            Done::Noted(Ok(())) => {}
            Done::Noted(Err(error))
                if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Denied) => {}
            Done::Greeted(Err(error))
            | Done::Listed(Err(error))
            | Done::Watched(Err(error))
            | Done::Noted(Err(error)) => self.fail(&error, sink),
        }
    }

    /// Ends the connection over a request that has no answer to refuse it with: the client comes back and asks again.
    fn fail(&mut self, error: &Error, sink: &mut dyn Sink) {
        log_fault(error);
        let code = match error.code() {
            code @ (ErrorCode::Unauthenticated
            | ErrorCode::Unsupported
            | ErrorCode::Limited
            | ErrorCode::TooLarge
            | ErrorCode::Denied
            | ErrorCode::Invalid) => code,
            _ => ErrorCode::Unavailable,
        };
        self.end(code, error.text(), sink);
    }

    fn end(&mut self, code: ErrorCode, detail: &str, sink: &mut dyn Sink) {
        if self.stage == Stage::Over {
            return;
        }
        self.stage = Stage::Over;
        self.working = None;
        self.waiting = VecDeque::new();
        sink.frame(&ServerFrame::Bye {
            code,
            detail: detail.to_owned(),
        });
        sink.close(match code {
            ErrorCode::Unavailable => CloseCode::GoingAway,
            ErrorCode::Internal | ErrorCode::Corrupt => CloseCode::Fault,
            _ => CloseCode::Policy,
        });
    }
}

fn range(fetch: &Fetch) -> Result<Range> {
    match (fetch.after, fetch.before) {
        (Some(_), Some(_)) => Err(Error::invalid("give after or before, not both")),
        (Some(after), None) => Ok(Range::After(after)),
        (None, Some(before)) => Ok(Range::Before(before)),
        (None, None) => Ok(Range::Last),
    }
}

fn is_logged_out(frame: &ServerFrame) -> bool {
    let code = match frame {
        ServerFrame::Nack { refused, .. } => refused.code,
        ServerFrame::PageRefused { code, .. } => *code,
        _ => return false,
    };
    code == ErrorCode::Unauthenticated
}

fn log_fault(error: &Error) {
    if error.is_fault() {
        tracing::error!(code = error.code().as_str(), ?error, "live request failed");
    }
}
