//! Appending what devices send: numbers, idempotency, refusals that are remembered.

use std::collections::HashMap;
use std::sync::Arc;

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::live::Sending;
use wharf_types::api::log::{AppendOutcome, Appended, Refused};
use wharf_types::limit::APPENDS_PER_BATCH_MAX;
use wharf_types::{AccountId, DeviceId, EntryHash, ErrorCode, RoomId};
use wharf_wire::entry::draft_digest;

use super::append::{Author, append_at};
use super::draft::{self, Context};
use super::limit::Limits;
use super::read::View;
use super::rows;
use crate::Ground;
use crate::access::{Entered, Right, enter_as, require_writer};
use crate::caller::{Caller, Person};
use crate::config::HouseConfig;
use crate::error::{Error, Result};
use crate::live::Notices;

/// An item of a batch, with what needs no database.
struct Prepared {
    sending: Sending,
    digest: [u8; 32],
    /// What is wrong with the draft by itself.
    checked: Result<(), Refused>,
}

/// Runs a batch.
pub(super) async fn append_batch(
    ground: &Ground,
    limits: &Limits,
    by: &Caller,
    device: DeviceId,
    items: Vec<Sending>,
) -> Vec<AppendOutcome> {
    let count = items.len();
    match try_append_batch(ground, limits, by, device, items).await {
        Ok(outcomes) => outcomes,
        Err(error) => vec![AppendOutcome::Refused(refused(&error)); count],
    }
}

async fn try_append_batch(
    ground: &Ground,
    limits: &Limits,
    by: &Caller,
    device: DeviceId,
    items: Vec<Sending>,
) -> Result<Vec<AppendOutcome>> {
    let by = *by;
    let account = by.account()?;
    by.may_write()?;
    if items.len() > APPENDS_PER_BATCH_MAX {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("a batch has {APPENDS_PER_BATCH_MAX} entries at most"),
        ));
    }
    let address = by.origin().address;
    let asked = items.len() as u64;
    let granted = limits.take(account, address, asked);
    let prepared: Vec<Prepared> = items.into_iter().map(prepare).collect();
    let mut rooms: Vec<RoomId> = prepared.iter().map(|item| item.sending.room).collect();
    rooms.push(device_lock(account, device));
    let (config, clock) = (Arc::clone(&ground.config), ground.clock.clone());
    let outcome = ground
        .act(Lock::Rooms(rooms), move |tx| {
            let mut batch = Batch::begin(tx, by, device, &config, clock.now_ms())?;
            let mut let_through = granted.count;
            for item in &prepared {
                batch.item(tx, item, &mut let_through, granted.retry_after_ms)?;
            }
            Ok((batch.outcomes, batch.notices))
        })
        .await;
    let appended = match &outcome {
        Ok(outcomes) => outcomes.iter().filter(|outcome| is_new(outcome)).count() as u64,
        Err(_) => 0,
    };
    limits.refund(account, address, granted.count.saturating_sub(appended));
    outcome
}

/// The greatest number that a device has used; 0 for none.
pub(crate) fn last_number(
    tx: &mut Tx<'_>,
    account: AccountId,
    device: DeviceId,
) -> sql::Result<u64> {
    let last = tx.opt(
        "SELECT number FROM sent WHERE account_id = ?1 AND device_id = ?2 ORDER BY number DESC LIMIT 1",
        &[account.into(), device.into()],
        |row| row.uint(0),
    )?;
    Ok(last.unwrap_or(0))
}

/// What guards a device's numbers beside the rooms that it writes to: on PostgreSQL two connections of one device might
/// otherwise use one number in two rooms at once. It is no room, and nobody else's lock but by a chance of 2⁻⁶³, when
/// two wait for each other that need not.
fn device_lock(account: AccountId, device: DeviceId) -> RoomId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(account.as_bytes());
    hasher.update(device.as_bytes());
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    // The half that names the lock is negative as a number, as a room's is.
    id[8] |= 0x80;
    RoomId::from_bytes(id)
}

/// The error of a refusal, for callers that append one entry.
pub(super) fn error_of(refused: Refused) -> Error {
    let error = Error::new(refused.code, refused.detail);
    match refused.retry_after_ms {
        Some(wait_ms) => error.retry_after(wait_ms.div_ceil(1000).max(1)),
        None => error,
    }
}

fn refused(error: &Error) -> Refused {
    Refused {
        code: error.code(),
        detail: error.text().to_owned(),
        expected: None,
        retry_after_ms: error.retry_after_seconds().map(|seconds| seconds * 1000),
    }
}

fn is_new(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Appended(appended) if !appended.repeated)
}

/// Whether a refusal of this kind leaves its number to be used again.
fn leaves_number(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Limited
        | ErrorCode::Unavailable
        | ErrorCode::Unauthenticated
        | ErrorCode::Internal => true,
        ErrorCode::Invalid
        | ErrorCode::Denied
        | ErrorCode::NotFound
        | ErrorCode::Exists
        | ErrorCode::NotEmpty
        | ErrorCode::Locked
        | ErrorCode::Stale
        | ErrorCode::TooLarge
        | ErrorCode::OverQuota
        | ErrorCode::Unsupported
        | ErrorCode::Corrupt
        | ErrorCode::Cancelled => false,
    }
}

fn prepare(mut sending: Sending) -> Prepared {
    draft::normalise(&mut sending.draft);
    Prepared {
        digest: draft_digest(sending.room, &sending.draft, sending.client_ms),
        checked: draft::check(&sending.draft).map_err(|error| refused(&error)),
        sending,
    }
}

/// A batch under way in its transaction.
struct Batch<'a> {
    person: Person,
    author: Author,
    account: AccountId,
    device: DeviceId,
    config: &'a HouseConfig,
    now_ms: i64,
    /// The last number that is used.
    last: u64,
    /// Rooms that were entered, or the refusal that was met at their door.
    rooms: HashMap<RoomId, Result<Entered, Refused>>,
    /// The refusal that ended the batch.
    ended: Option<Refused>,
    outcomes: Vec<AppendOutcome>,
    notices: Notices,
}

impl<'a> Batch<'a> {
    fn begin(
        tx: &mut Tx<'_>,
        by: Caller,
        device: DeviceId,
        config: &'a HouseConfig,
        now_ms: i64,
    ) -> Result<Self> {
        let person = require_writer(tx, &by)?;
        Ok(Self {
            author: Author::of(&by)?,
            person,
            account: person.account,
            device,
            config,
            now_ms,
            last: last_number(tx, person.account, device)?,
            rooms: HashMap::new(),
            ended: None,
            outcomes: Vec::new(),
            notices: Notices::default(),
        })
    }

    /// Takes one item and adds its outcome.
    fn item(
        &mut self,
        tx: &mut Tx<'_>,
        item: &Prepared,
        let_through: &mut u64,
        retry_after_ms: u64,
    ) -> Result<()> {
        let number = item.sending.number;
        let outcome = if number == 0 {
            AppendOutcome::Refused(refused(&Error::invalid("numbers begin with 1")))
        } else if number <= self.last {
            self.repeat(tx, item)?
        } else if let Some(ended) = &self.ended {
            AppendOutcome::Refused(ended.clone())
        } else if number > self.last + 1 {
            AppendOutcome::Refused(self.gap())
        } else if *let_through == 0 {
            let limited = Refused {
                code: ErrorCode::Limited,
                detail: "too many entries in too short a time".to_owned(),
                expected: None,
                retry_after_ms: Some(retry_after_ms),
            };
            self.ended = Some(limited.clone());
            AppendOutcome::Refused(limited)
        } else {
            *let_through -= 1;
            self.first_time(tx, item)?
        };
        self.outcomes.push(outcome);
        Ok(())
    }

    fn gap(&self) -> Refused {
        let expected = self.last + 1;
        Refused {
            code: ErrorCode::Stale,
            detail: format!("number {expected} is expected next from this device"),
            expected: Some(expected),
            retry_after_ms: None,
        }
    }

    /// Gives the first answer again.
    fn repeat(&self, tx: &mut Tx<'_>, item: &Prepared) -> Result<AppendOutcome> {
        let first = tx.opt(
            "SELECT room_id, digest, position, at_ms, hash, refusal FROM sent \
             WHERE account_id = ?1 AND device_id = ?2 AND number = ?3",
            &[
                self.account.into(),
                self.device.into(),
                item.sending.number.into(),
            ],
            |row| {
                let room = row.id::<RoomId>(0)?;
                let is_same = room == item.sending.room && row.bytes(1)? == item.digest;
                if !is_same {
                    return Ok(None);
                }
                let appended = match row.opt_uint(2)? {
                    Some(position) => Ok(Appended {
                        room,
                        position,
                        at_ms: row.int(3)?,
                        hash: row.id::<EntryHash>(4)?,
                        repeated: true,
                    }),
                    None => Err(row.text(5)?.to_owned()),
                };
                Ok(Some(appended))
            },
        )?;
        Ok(match first {
            Some(Some(Ok(appended))) => AppendOutcome::Appended(appended),
            Some(Some(Err(refusal))) => AppendOutcome::Refused(Refused {
                code: code_of(&refusal)?,
                detail: "this was refused when it came first".to_owned(),
                expected: None,
                retry_after_ms: None,
            }),
            Some(None) => AppendOutcome::Refused(Refused {
                code: ErrorCode::Stale,
                detail: "this number was used for something else: the device id is shared, take a new one"
                    .to_owned(),
                expected: None,
                retry_after_ms: None,
            }),
            None => return Err(Error::internal("a device's numbers have a gap")),
        })
    }

    /// Appends or refuses, and remembers which.
    fn first_time(&mut self, tx: &mut Tx<'_>, item: &Prepared) -> Result<AppendOutcome> {
        let outcome = match self.try_append(tx, item) {
            Ok(appended) => AppendOutcome::Appended(appended),
            Err(error) if error.is_fault() || leaves_number(error.code()) => return Err(error),
            Err(error) => AppendOutcome::Refused(refused(&error)),
        };
        let (appended, refusal) = match &outcome {
            AppendOutcome::Appended(appended) => (Some(appended), None),
            AppendOutcome::Refused(refused) => (None, Some(refused.code.as_str())),
        };
        tx.exec(
            "INSERT INTO sent (account_id, device_id, number, room_id, position, at_ms, hash, digest, refusal) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[
                self.account.into(),
                self.device.into(),
                item.sending.number.into(),
                item.sending.room.into(),
                appended.map(|appended| appended.position).into(),
                appended.map(|appended| appended.at_ms).into(),
                appended.map(|appended| &appended.hash).into(),
                (&item.digest).into(),
                refusal.into(),
            ],
        )?;
        self.last = item.sending.number;
        Ok(outcome)
    }

    fn try_append(&mut self, tx: &mut Tx<'_>, item: &Prepared) -> Result<Appended> {
        let room = item.sending.room;
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.rooms.entry(room) {
            let entered = match enter_as(tx, &self.person, room, Right::Edit) {
                Ok(entered) => Ok(entered),
                Err(error) if error.is_fault() || leaves_number(error.code()) => return Err(error),
                Err(error) => Err(refused(&error)),
            };
            vacant.insert(entered);
        }
        let entered = match self.rooms.get(&room) {
            Some(Ok(entered)) => entered,
            Some(Err(refused)) => return Err(error_of(refused.clone())),
            None => return Err(Error::internal("a room was not entered")),
        };
        item.checked.clone().map_err(error_of)?;
        let end = rows::end(tx, room)?;
        let view = View::of(entered, self.account, end);
        let context = Context {
            room: entered,
            view: &view,
            config: self.config,
            now_ms: self.now_ms,
        };
        let body = draft::body_of(tx, &context, &item.sending.draft)?;
        self.author.client_ms = item.sending.client_ms;
        let said = (&body, self.now_ms);
        let entry = append_at(tx, &mut self.notices, room, &end, &self.author, said)?;
        Ok(Appended {
            room,
            position: entry.position,
            at_ms: entry.at_ms,
            hash: entry.hash,
            repeated: false,
        })
    }
}

/// The kind of a refusal that was remembered.
fn code_of(text: &str) -> Result<ErrorCode> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|error| Error::internal("a remembered refusal has no kind").because(error))
}
