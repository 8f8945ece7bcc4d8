//! One connection: what it asks, and what it is answered.

mod people;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use wharf_core::drive::RoomRef;
use wharf_core::{Error, Result};
use wharf_types::api::log::{Draft, Text};
use wharf_wire::gateway::pychat::{
    FILE_END, IS_AWAY, InvalidRequest, LIST_BYTES_MAX, LOGIN_FAIL, NO_SUCH_NUMBER, NONE, Number,
    RECEIVE_NOTICE, RECEIVED, Request, UPLOADING, item, list, said,
};

use super::super::protocol::{Out, Session, Step};
use super::desk::Desk;
use super::file::{self, Pending, Reading};
use super::line::{Item, Mark};
use super::map;
use super::offline::{self, Offer};
use super::seat::Seat;

/// What clients take for one message is one read: nothing follows sooner.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the next question for messages that were left waits until it is known what became of the answer before.
const SETTLING: Duration = Duration::from_secs(1);

/// One connection.
pub(super) struct Talk {
    desk: Arc<Desk>,
    peer: IpAddr,
    stay: Stay,
    offer: Option<Offered>,
    upload: Option<(Arc<Seat>, Arc<Pending>)>,
    reading: Option<Reading>,
    /// The other end has closed in order.
    has_ended: bool,
}

/// What a connection stays open for.
enum Stay {
    /// It has said nothing yet. Clients open one beside the others and never say anything on it.
    Silent,
    /// A question and its answer.
    Asking,
    /// Texts of the seat go there.
    Line(Stays),
}

struct Stays {
    seat: Arc<Seat>,
    id: u64,
    /// With whom, where it is a chat; else it is for pushes.
    with: Option<Number>,
    queue: Receiver<Item>,
    /// What was shown when the text that is being written has been.
    writing: Option<Mark>,
}

/// Messages on their way to a client that had been left for it.
struct Offered {
    seat: Arc<Seat>,
    offer: Offer,
    _offering: Option<OwnedMutexGuard<()>>,
}

impl Session for Talk {
    type Frame = Result<Request, InvalidRequest>;

    async fn step(&mut self, frame: Self::Frame) -> Step {
        // Whoever asks on has read the answer before.
        self.settle().await;
        if matches!(self.stay, Stay::Silent) {
            self.stay = Stay::Asking;
        }
        match frame {
            Ok(request) => self.answer(request).await,
            Err(invalid) => refuse(&invalid),
        }
    }

    async fn push(&mut self) -> Step {
        let Stay::Line(line) = &mut self.stay else {
            return std::future::pending().await;
        };
        match line.queue.recv().await {
            Some(item) => {
                line.writing = item.mark;
                alone(item.bytes)
            }
            None if line.with.is_some() => Step::close(),
            None => {
                self.stay = Stay::Asking;
                Step::none()
            }
        }
    }

    fn pushed(&mut self) {
        if let Stay::Line(line) = &mut self.stay
            && let Some(mark) = line.writing.take()
        {
            line.seat.written(mark);
        }
    }

    fn may_be_silent(&self) -> bool {
        match &self.stay {
            Stay::Silent => self.desk.knows(self.peer),
            Stay::Asking => false,
            Stay::Line(_) => true,
        }
    }

    async fn finish(&mut self) -> Step {
        self.has_ended = true;
        self.settle().await;
        Step::close()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.leave_line(!self.has_ended);
    }
}

impl Talk {
    pub(super) const fn new(desk: Arc<Desk>, peer: IpAddr) -> Self {
        Self {
            desk,
            peer,
            stay: Stay::Silent,
            offer: None,
            upload: None,
            reading: None,
            has_ended: false,
        }
    }

    async fn answer(&mut self, request: Request) -> Step {
        match request {
            Request::SignIn {
                email,
                nickname,
                password_md5,
            } => self.sign_in(&email, &nickname, &password_md5).await,
            Request::Login { who, password_md5 } => {
                match self.desk.login(who, &said(&password_md5), self.peer).await {
                    Ok(seat) => {
                        seat.begins_again();
                        reply(item(&seat.nickname))
                    }
                    Err(error) => {
                        log(&error);
                        reply(LOGIN_FAIL)
                    }
                }
            }
            Request::Down { who } => {
                if let Some(seat) = self.seat(who) {
                    seat.leave(true);
                }
                Step::none()
            }
            Request::CommandSocket { who } => self.stay_for(who, None),
            Request::NewSession { who, friend } => self.stay_for(who, Some(friend)),
            Request::Friends { who } => match self.seat(who) {
                Some(seat) => {
                    let friends = seat.friends();
                    let items = friends.iter().map(|(who, name)| format!("|{who}|{name}"));
                    Step::reply(list("OK", items, LIST_BYTES_MAX).0)
                }
                None => reply(NO_SUCH_NUMBER),
            },
            Request::Online { who } => {
                let seat = who.and_then(|who| self.seat(who));
                let seat = seat.or_else(|| self.desk.last(self.peer));
                let Some(seat) = seat else {
                    return reply("OK|");
                };
                let items = seat.online().into_iter().map(|who| format!("|{who}"));
                Step::reply(list("OK", items, LIST_BYTES_MAX).0)
            }
            Request::Find { who } => self.find(who).await,
            Request::AddFriend { who, friend } => self.add(who, friend).await,
            Request::OfflineMessages { who } => self.left(who).await,
            Request::Message { who, friend, text } => self.message(who, friend, &text).await,
            Request::UploadBegin { who, friend, name } => self.begin(who, friend, &name).await,
            Request::UploadPiece { name, data } => self.piece(&name, data).await,
            Request::UploadEnd { who, friend, name } => self.end(who, friend, &name).await,
            Request::FileNames { who, friend } => self.names(who, friend).await,
            Request::Download { name, offset_bytes } => self.download(&name, offset_bytes).await,
        }
    }

    fn seat(&self, who: Number) -> Option<Arc<Seat>> {
        self.desk.seat(who, self.peer)
    }

    // --- connections that stay

    fn stay_for(&mut self, who: Number, with: Option<Number>) -> Step {
        let Some(seat) = self.seat(who) else {
            return Step::none();
        };
        self.leave_line(false);
        let (id, queue) = match with {
            None => seat.open_command(),
            Some(friend) => {
                self.desk.looks_at(&seat, friend);
                seat.open_session(friend)
            }
        };
        self.stay = Stay::Line(Stays {
            seat,
            id,
            with,
            queue,
            writing: None,
        });
        Step::none()
    }

    fn leave_line(&mut self, is_broken: bool) {
        if let Stay::Line(line) = std::mem::replace(&mut self.stay, Stay::Asking) {
            line.seat.close_line(line.id, line.with, is_broken);
        }
    }

    // --- messages

    async fn message(&self, who: Number, number: Number, text: &[u8]) -> Step {
        let Some(seat) = self.seat(who) else {
            return Step::none();
        };
        let friend = seat.friend(number);
        let room = friend.as_ref().and_then(|friend| friend.room);
        let (Some(friend), Some(room)) = (friend, room) else {
            seat.remark(number, map::NOT_FRIENDS);
            return Step::none();
        };
        let draft = Draft::Text(Text {
            text: said(text),
            ..Text::default()
        });
        let logs = self.desk.wharf.logs();
        let at = RoomRef::Id(room);
        match logs.append_once(&seat.by, at, draft).await {
            Ok(_) => {
                seat.has_answered(room);
                if !seat.is_online(&friend) {
                    seat.remark(number, format!("{number}{IS_AWAY}"));
                }
            }
            Err(error) => {
                log(&error);
                seat.remark(number, map::not_sent(&error));
            }
        }
        Step::none()
    }

    async fn left(&mut self, who: Number) -> Step {
        let Some(seat) = self.seat(who) else {
            return reply(NONE);
        };
        let offering = Arc::clone(&seat.offering).lock_owned();
        let offering = timeout(SETTLING, offering).await.ok();
        match offline::offer(&seat).await {
            Ok(Some(offer)) => {
                let text = offer.text.clone();
                self.offer = Some(Offered {
                    seat,
                    offer,
                    _offering: offering,
                });
                reply(text)
            }
            Ok(None) => reply(NONE),
            Err(error) => {
                log(&error);
                reply(NONE)
            }
        }
    }

    /// The answer with messages that were left has come.
    async fn settle(&mut self) {
        if let Some(offered) = self.offer.take() {
            offered.offer.received(&offered.seat).await;
        }
    }

    // --- files

    async fn begin(&mut self, who: Number, number: Number, name: &[u8]) -> Step {
        let Some(seat) = self.seat(who) else {
            return Step::close();
        };
        self.desk.looks_at(&seat, number);
        let Some(friend) = seat.friend(number) else {
            seat.remark(number, map::NOT_FRIENDS);
            return Step::close();
        };
        match file::begin(&seat, &friend, name).await {
            Ok(pending) => {
                seat.remark(number, UPLOADING);
                self.upload = Some((seat, pending));
                reply(RECEIVE_NOTICE)
            }
            Err(error) => not_taken(&seat, number, &error),
        }
    }

    async fn piece(&mut self, name: &[u8], data: Vec<u8>) -> Step {
        let here = self.upload.take();
        let found = here.filter(|(_, pending)| pending.is_called(name));
        let found = found.or_else(|| {
            let seats = self.desk.looked_at(self.peer);
            seats.into_iter().find_map(|(seat, _)| {
                let pending = seat.uploads.get(name)?;
                Some((seat, pending))
            })
        });
        let Some((seat, pending)) = found else {
            return Step::close();
        };
        let now_ms = self.desk.wharf.clock().steady_ms();
        match pending.push(data, now_ms).await {
            Ok(()) => {
                seat.heard();
                self.upload = Some((seat, pending));
                reply(RECEIVED)
            }
            Err(error) => not_taken(&seat, pending.friend(), &error),
        }
    }

    async fn end(&mut self, who: Number, friend: Number, name: &[u8]) -> Step {
        self.upload = None;
        let Some(seat) = self.seat(who) else {
            return Step::none();
        };
        match file::end(&seat, friend, name).await {
            Ok(()) => Step::none(),
            Err(error) => not_taken(&seat, friend, &error),
        }
    }

    async fn names(&self, who: Number, number: Number) -> Step {
        let Some(seat) = self.seat(who) else {
            return reply(NONE);
        };
        self.desk.looks_at(&seat, number);
        let names = match seat.friend(number) {
            Some(friend) => file::names(&seat, &friend).await,
            None => Ok(Vec::new()),
        };
        match names {
            Ok(names) if !names.is_empty() => {
                let items = names.iter().map(|name| format!("|{name}\n"));
                Step::reply(list("", items, LIST_BYTES_MAX).0)
            }
            Ok(_) => reply(NONE),
            Err(error) => {
                log(&error);
                reply(NONE)
            }
        }
    }

    async fn download(&mut self, name: &[u8], offset: u64) -> Step {
        if !matches!(&self.reading, Some(reading) if reading.is_called(name)) {
            self.reading = match Reading::open(&self.desk, self.peer, name).await {
                Ok(reading) => reading,
                Err(error) => {
                    log(&error);
                    None
                }
            };
        }
        let Some(reading) = &mut self.reading else {
            return Step::reply(FILE_END);
        };
        match reading.bytes_at(offset).await {
            Ok(Some(bytes)) => Step::reply(bytes),
            Ok(None) => Step::reply(FILE_END),
            // Wrong bytes are never sent, nor an end that is none.
            Err(error) => {
                log(&error);
                Step::close()
            }
        }
    }
}

fn reply(text: impl Into<String>) -> Step {
    Step::reply(text.into().into_bytes())
}

fn alone(bytes: Bytes) -> Step {
    Step {
        out: vec![Out::Alone {
            bytes,
            pause: PAUSE,
        }],
        is_last: false,
    }
}

/// What is answered where a number is none, or a request has no such name.
fn refuse(invalid: &InvalidRequest) -> Step {
    match invalid {
        InvalidRequest::Unknown { .. } => Step::none(),
        InvalidRequest::NotANumber { name, .. } => match *name {
            "LOGIN" => reply(LOGIN_FAIL),
            "GET_FRIENDS" | "FIND_FRIEND" | "ADD_FRIEND" => reply(NO_SUCH_NUMBER),
            "OFFLINE_MSG" | "DOWN_FILE_NAME" => reply(NONE),
            "DOWNLOAD" => Step::reply(FILE_END),
            "UPLOAD" => Step::close(),
            _ => Step::none(),
        },
    }
}

fn not_taken(seat: &Seat, friend: Number, error: &Error) -> Step {
    log(error);
    seat.remark(friend, map::not_taken(error));
    Step::close()
}

fn log(error: &Error) {
    if error.is_fault() {
        tracing::error!(
            code = error.code().as_str(),
            ?error,
            "pychat request failed"
        );
    } else {
        tracing::debug!(code = error.code().as_str(), %error, "pychat request refused");
    }
}
