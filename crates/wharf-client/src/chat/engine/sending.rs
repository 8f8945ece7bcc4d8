//! Sending what is in the outbox: in the order of its numbers, several under way, each again until it is answered.

use std::collections::VecDeque;

use wharf_types::api::live::{ClientFrame, Sending};
use wharf_types::api::log::Refused;
use wharf_types::{DeviceId, ErrorCode};

use crate::chat::error::ChatError;
use crate::chat::store::{self, Lost, Meta, Number, Scope, Store, Touched};

/// Most items under way.
const WINDOW: usize = 32;
/// How often the right to send is renewed.
const LEASE_MS: i64 = 5_000;
/// The pause after a failure of the server.
const FAILED_MS: i64 = 1_000;

/// The sending side of one connection.
#[derive(Debug)]
pub(super) struct Sender {
    /// The device that `hello` named.
    device: DeviceId,
    /// The greatest number that the server has used for it, as far as is known.
    used: u64,
    /// The last number that was sent on this connection.
    sent: u64,
    under_way: VecDeque<UnderWay>,
    /// What is under way will be answered, but nothing more is sent until it is: then it goes on from the first that is
    /// not answered.
    is_draining: bool,
    /// The server has forgotten what it had answered, from this number on.
    forgotten: Option<u64>,
    pause_ms: Option<i64>,
    lease_ms: Option<i64>,
}

/// An item that was sent on this connection and not answered on it.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    number: u64,
    /// The first number that was not answered when it was sent: the server had used all before it.
    floor: u64,
    /// Nothing was sent under it.
    is_void: bool,
}

impl Sender {
    pub(super) fn new(device: DeviceId) -> Self {
        Self {
            device,
            used: 0,
            sent: 0,
            under_way: VecDeque::new(),
            is_draining: false,
            forgotten: None,
            pause_ms: None,
            lease_ms: None,
        }
    }

    pub(super) fn welcomed(&mut self, used: u64) {
        self.used = used;
    }

    /// When there is something to do by itself.
    pub(super) fn next_ms(&self) -> i64 {
        let lease_ms = self.lease_ms.map(|taken_ms| taken_ms + LEASE_MS);
        let next_ms = [lease_ms, self.pause_ms].into_iter().flatten().min();
        next_ms.unwrap_or(i64::MAX)
    }

    /// Sends what can be sent. Says whether the connection speaks for a device that is none any more.
    pub(super) fn work(
        &mut self,
        store: &mut Store,
        holder: &str,
        now_ms: i64,
        frames: &mut Vec<ClientFrame>,
    ) -> Result<bool, ChatError> {
        if self.pause_ms.is_some_and(|pause_ms| pause_ms <= now_ms) {
            self.pause_ms = None;
        }
        let (device, used) = (self.device, self.used);
        let (meta, current, pending) = store.read(|tx| {
            let current = store::outbox::current_device(tx)?;
            let pending = store::outbox::pending(tx, device)?;
            Ok((Meta::read(tx)?, current, pending))
        })?;
        if current != device {
            return Ok(true);
        }
        let is_behind = meta.device == device && meta.number < used;
        if pending.is_none() && !is_behind {
            (self.is_draining, self.pause_ms, self.lease_ms) = (false, None, None);
            return Ok(false);
        }
        if !self.has_lease(store, holder, now_ms)? || self.pause_ms.is_some() {
            return Ok(false);
        }
        if self.under_way.is_empty() {
            if self.go_on_as_another(store, now_ms)? {
                return Ok(true);
            }
            if std::mem::take(&mut self.is_draining) {
                self.sent = 0;
            }
        }
        if !self.is_draining {
            self.send(store, frames)?;
        }
        Ok(false)
    }

    fn has_lease(
        &mut self,
        store: &mut Store,
        holder: &str,
        now_ms: i64,
    ) -> Result<bool, ChatError> {
        let is_fresh = self
            .lease_ms
            .is_some_and(|taken_ms| (now_ms - taken_ms).abs() < LEASE_MS);
        if is_fresh {
            return Ok(true);
        }
        let is_taken = store.change(|tx| store::lease::take(tx, "send", holder, now_ms))?;
        self.lease_ms = is_taken.then_some(now_ms);
        Ok(is_taken)
    }

    /// Moves the outbox to another device id, if this one is of no more use and nothing that was sent under it is without
    /// an answer.
    fn go_on_as_another(&mut self, store: &mut Store, now_ms: i64) -> Result<bool, ChatError> {
        let (device, used, forgotten) = (self.device, self.used, self.forgotten.take());
        store.change(|tx| {
            let meta = Meta::read(tx)?;
            let pending = store::outbox::pending(tx, device)?;
            let lost = match (forgotten, pending) {
                (Some(number), Some(_)) => Some(Lost::Forgotten(number)),
                (_, None) => {
                    let is_behind = meta.device == device && meta.number < used;
                    is_behind.then_some(Lost::Shared(used))
                }
                (None, Some(pending)) if pending.has_open => None,
                (None, Some(pending)) => pending.first_taken.map(Lost::Shared),
            };
            let Some(lost) = lost else {
                return Ok(false);
            };
            tracing::info!(%device, ?lost, "going on under another device id");
            store::outbox::move_device(tx, device, lost, now_ms)?;
            Ok(true)
        })
    }

    fn send(&mut self, store: &mut Store, frames: &mut Vec<ClientFrame>) -> Result<(), ChatError> {
        let room = WINDOW.saturating_sub(self.under_way.len());
        if room == 0 {
            return Ok(());
        }
        let (device, sent, used) = (self.device, self.sent, self.used);
        let (items, floor) = store.change(|tx| {
            let Some(pending) = store::outbox::pending(tx, device)? else {
                return Ok((Vec::new(), 0));
            };
            let scope = if pending.first_taken.is_some() {
                // All will go on under another id. Before, it is made sure of each that it is not here nor will be.
                Scope::Closed(used)
            } else if pending.first <= used {
                // The server may have these. One of them may turn out to be taken, and what follows must not overtake it.
                Scope::Asked(used)
            } else {
                Scope::All
            };
            let items = store::outbox::take(tx, device, sent, scope, room)?;
            Ok((items, pending.first))
        })?;
        for item in items {
            let number = item.number;
            self.sent = number;
            let is_void = item.is_void;
            self.under_way.push_back(UnderWay {
                number,
                floor,
                is_void,
            });
            frames.push(ClientFrame::Send(Sending {
                number,
                room: item.room,
                draft: item.draft,
                client_ms: Some(item.client_ms),
            }));
        }
        Ok(())
    }

    pub(super) fn acknowledged(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        number: u64,
        position: u64,
        touched: &mut Touched,
    ) -> Result<(), ChatError> {
        self.answered(number);
        self.used = self.used.max(number);
        let by = self.number(number);
        store.change(|tx| store::outbox::sent(tx, by, position, now_ms, touched))
    }

    pub(super) fn refused(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        number: u64,
        refused: &Refused,
        touched: &mut Touched,
    ) -> Result<(), ChatError> {
        let under_way = self.answered(number);
        let is_void = under_way.is_some_and(|under_way| under_way.is_void);
        let by = self.number(number);
        match refused.code {
            ErrorCode::Limited
            | ErrorCode::Unavailable
            | ErrorCode::Internal
            | ErrorCode::Unauthenticated => {
                let pause_ms = refused
                    .retry_after_ms
                    .and_then(|pause_ms| i64::try_from(pause_ms).ok());
                self.is_draining = true;
                self.pause_ms = Some(now_ms.saturating_add(pause_ms.unwrap_or(FAILED_MS).max(1)));
                Ok(())
            }
            ErrorCode::Stale => {
                let Some(expected) = refused.expected else {
                    self.used = self.used.max(number);
                    if is_void {
                        // Perhaps it stands for the very item: that is asked for next.
                        self.is_draining = true;
                        return Ok(());
                    }
                    return store.change(|tx| store::outbox::taken(tx, by));
                };
                // What was sent before it was refused for a while, or is under way from another process. But where the
                // server had answered that number already, it has forgotten it, and so all that came after.
                self.is_draining = true;
                if under_way.is_some_and(|under_way| expected < under_way.floor) {
                    self.forgotten = Some(expected.saturating_sub(1));
                }
                Ok(())
            }
            _ if is_void => {
                self.used = self.used.max(number);
                store.change(|tx| store::outbox::taken(tx, by))
            }
            code => {
                self.used = self.used.max(number);
                let detail = refused.detail.as_str();
                store.change(|tx| store::outbox::refused(tx, by, code, detail, now_ms, touched))
            }
        }
    }

    /// Takes what is answered out of what is under way; returns how it was sent.
    fn answered(&mut self, number: u64) -> Option<UnderWay> {
        let index = self
            .under_way
            .iter()
            .position(|under_way| under_way.number == number)?;
        self.under_way.remove(index)
    }

    fn number(&self, number: u64) -> Number {
        Number {
            device: self.device,
            number,
        }
    }
}
