//! Makes pieces durable, many in one transaction: whatever waits while one is written goes into the next.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use wharf_store::sql::{Lock, Tx};
use wharf_types::{PartialId, SessionId};

use super::rows::{self, Standing};
use super::{PartWritten, Place};
use crate::Ground;
use crate::access::require_writer;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// Most pieces in one transaction.
const BATCH_PARTS_MAX: usize = 1_024;
/// Most bytes in one transaction, but for its first piece.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest piece.
const PART_BYTES_MAX: usize = 1024 * 1024;

/// The one writer of pieces of this process. Clones are the same.
#[derive(Clone)]
pub(crate) struct Writer {
    ground: Ground,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_running: bool,
}

/// A piece that waits to be written. Whoever sent it waits too, so there are few for each connection.
struct Waiting {
    part: Part,
    answer: oneshot::Sender<Result<PartWritten>>,
}

#[derive(Clone)]
struct Part {
    by: Caller,
    id: PartialId,
    place: Place,
    data: Bytes,
}

/// An upload in the middle of a batch.
struct Under {
    standing: Standing,
    added_bytes: u64,
}

impl Writer {
    pub(crate) fn new(ground: Ground) -> Self {
        Self {
            ground,
            queue: Arc::default(),
        }
    }

    pub(super) async fn write(
        &self,
        by: &Caller,
        id: PartialId,
        place: Place,
        data: Bytes,
    ) -> Result<PartWritten> {
        if data.is_empty() || data.len() > PART_BYTES_MAX {
            return Err(Error::invalid("a piece has 1 byte to 1 MiB"));
        }
        let part = Part {
            by: *by,
            id,
            place,
            data,
        };
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut queue = self.queue.lock();
            queue.waiting.push(Waiting { part, answer });
            !std::mem::replace(&mut queue.is_running, true)
        };
        if is_first {
            // Not in the caller's future, which may be dropped while others wait.
            tokio::spawn(self.clone().run());
        }
        answered
            .await
            .map_err(|_| Error::internal("the writing of a piece broke off"))?
    }

    /// Writes batches until nothing waits.
    async fn run(self) {
        while let Some(batch) = self.take() {
            let (parts, answers): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|waiting| (waiting.part, waiting.answer))
                .unzip();
            let now_ms = self.ground.clock.now_ms();
            let work = move |tx: &mut Tx<'_>| write_batch(tx, &parts, now_ms);
            match self.ground.db.write(Lock::None, work).await {
                Ok(outcomes) => {
                    for (answer, outcome) in answers.into_iter().zip(outcomes) {
                        // Whoever asked may have gone away; the piece is there all the same.
                        drop(answer.send(outcome));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, parts = answers.len(), "pieces were not written");
                    for answer in answers {
                        let text = error.text().to_owned();
                        drop(answer.send(Err(Error::new(error.code(), text))));
                    }
                }
            }
        }
    }

    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue.lock();
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.part.data.len();
            bytes <= BATCH_BYTES_MAX
        };
        let fitting = queue.waiting.iter().take(BATCH_PARTS_MAX).take_while(fits);
        let count = fitting.count();
        if count == 0 {
            queue.is_running = false;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }
}

fn write_batch(tx: &mut Tx<'_>, parts: &[Part], now_ms: i64) -> Result<Vec<Result<PartWritten>>> {
    let mut sessions: HashMap<SessionId, bool> = HashMap::new();
    let mut under: HashMap<PartialId, Under> = HashMap::new();
    let mut outcomes = Vec::with_capacity(parts.len());
    for part in parts {
        let is_let_in = is_let_in(tx, &mut sessions, &part.by)?;
        let outcome = match is_let_in {
            Ok(()) => write_one(tx, &mut under, part, now_ms)?,
            Err(refusal) => Err(refusal),
        };
        outcomes.push(outcome);
    }
    let mut received = HashMap::with_capacity(under.len());
    for (id, upload) in &mut under {
        fill_up(tx, *id, &mut upload.standing)?;
        let whole_bytes = upload.standing.whole_bytes;
        let total = rows::advance(tx, *id, upload.added_bytes, whole_bytes)?;
        received.insert(*id, (total, whole_bytes));
    }
    let tell = |(outcome, part): (Result<bool>, &Part)| {
        let is_new = outcome?;
        let upload = under.get(&part.id).ok_or_else(no_such_upload)?;
        let (received_bytes, whole_bytes) = received.get(&part.id).copied().unwrap_or_default();
        Ok(PartWritten {
            is_new,
            bytes: upload.standing.bytes,
            received_bytes,
            whole_bytes,
            has_ended: upload.standing.has_ended,
        })
    };
    Ok(outcomes.into_iter().zip(parts).map(tell).collect())
}

/// Whether the session may write, looked up once for all pieces that it has in a batch. A refusal is no fault of the others.
fn is_let_in(
    tx: &mut Tx<'_>,
    sessions: &mut HashMap<SessionId, bool>,
    by: &Caller,
) -> Result<Result<()>> {
    let person = match by.person() {
        Ok(person) => person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if sessions.contains_key(&person.session) {
        return Ok(Ok(()));
    }
    match require_writer(tx, by) {
        Ok(_) => {
            sessions.insert(person.session, true);
            Ok(Ok(()))
        }
        Err(error) if error.is_fault() => Err(error),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Writes one piece, and says whether it is new; the inner error is a refusal of this piece alone.
fn write_one(
    tx: &mut Tx<'_>,
    under: &mut HashMap<PartialId, Under>,
    part: &Part,
    now_ms: i64,
) -> Result<Result<bool>> {
    if let Place::Next { of, .. } = part.place
        && find(tx, under, of, &part.by, now_ms)?.is_none()
    {
        return Ok(Err(no_such_upload()));
    }
    let Some(upload) = find(tx, under, part.id, &part.by, now_ms)? else {
        return Ok(Err(no_such_upload()));
    };
    let standing = &mut upload.standing;
    if standing.has_ended {
        return Ok(Ok(false));
    }
    let length = part.data.len() as u64;
    let offset_bytes = match part.place {
        Place::At(offset_bytes) => offset_bytes,
        Place::Next { mark, of } => {
            if rows::has_mark(tx, of, mark)? {
                return Ok(Ok(false));
            }
            standing.received_bytes
        }
    };
    if offset_bytes
        .checked_add(length)
        .is_none_or(|end| end > standing.bytes)
    {
        return Ok(Err(Error::invalid("the piece reaches past the end")));
    }
    if let Place::Next { mark, of } = part.place {
        rows::insert_mark(tx, of, mark)?;
    }
    let is_new = rows::insert_part(tx, part.id, offset_bytes, &part.data)?;
    if is_new {
        upload.added_bytes += length;
        standing.received_bytes += length;
        if offset_bytes == standing.whole_bytes {
            standing.whole_bytes += length;
        }
    }
    Ok(Ok(is_new))
}

/// The caller's upload with this id.
fn find<'a>(
    tx: &mut Tx<'_>,
    under: &'a mut HashMap<PartialId, Under>,
    id: PartialId,
    by: &Caller,
    now_ms: i64,
) -> Result<Option<&'a mut Under>> {
    let account = by.account()?;
    if !under.contains_key(&id)
        && let Some(standing) = rows::take(tx, id, account, now_ms)?
    {
        let added_bytes = 0;
        let upload = Under {
            standing,
            added_bytes,
        };
        under.insert(id, upload);
    }
    let upload = under.get_mut(&id);
    Ok(upload.filter(|upload| upload.standing.account == account))
}

/// Finds pieces that came before those in front of them.
fn fill_up(tx: &mut Tx<'_>, id: PartialId, standing: &mut Standing) -> Result<()> {
    while standing.whole_bytes < standing.received_bytes {
        match rows::part_bytes(tx, id, standing.whole_bytes)? {
            Some(bytes) if bytes > 0 => standing.whole_bytes += bytes,
            Some(_) | None => break,
        }
    }
    Ok(())
}

pub(super) fn no_such_upload() -> Error {
    Error::not_found("there is no such upload")
}
