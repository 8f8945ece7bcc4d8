//! Commits: the one way a drive changes.
//!
//! [`mod@prepare`] does what needs no database. Then, in one transaction under the room's lock, [`work::Work`] takes the steps in
//! order, each seeing what the ones before it did, and gathers every refusal instead of stopping at the first; the
//! chunks are referenced, the quota charged, the stream appended, and the commit's id noted. Any refusal undoes it all.

mod names;
mod nodes;
mod place;
mod prepare;
mod put;
mod save;
mod trash;
mod work;

use wharf_store::chunk::{self, Scope};
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::drive::{Commit, Committed, FailedOp, Op, OpResult};
use wharf_types::{ChunkHash, CommitId, ErrorCode, RoomId};

pub(crate) use self::save::save;

use self::prepare::{Prepared, prepare};
use self::work::{Applied, Work};
use super::stream::Author;
use super::{Drives, RoomRef, reap, usage};
use crate::Ground;
use crate::access::{Entered, Right, enter};
use crate::caller::{Caller, Person};
use crate::error::{Error, Result};
use crate::live::Notices;

/// Commits up to this many operations are made ready in place: it takes less time than another thread's turn.
const PREPARE_IN_PLACE_OPS_MAX: usize = 32;
/// Nodes and revisions that a commit with purges frees itself; retention frees the rest.
const REAP_ITEMS_MAX: u32 = 1000;

impl Drives {
    /// Applies a commit, all of it or nothing.
    ///
    /// The same commit sent again is answered with `repeated` and without results.
    ///
    /// # Errors
    /// - Any code, with `failed` filled in: these operations could not be applied, and the error's code is that of the first.
    ///   A put that fails with `NotFound` has chunks that are not on the server: upload them and commit again.
    /// - `Invalid`: the id was used for another commit, or operations are malformed (`failed` says which).
    /// - `TooLarge`: too many operations.
    /// - `OverQuota`: the owner's quota has no room for it.
    /// - `NotFound`: there is no such room for the caller; `Denied`: the caller may only read there.
    pub async fn commit(&self, by: &Caller, room: RoomRef, commit: Commit) -> Result<Committed> {
        let by = *by;
        let room = room.id(&by)?;
        let is_small = commit.ops.len() <= PREPARE_IN_PLACE_OPS_MAX
            && commit.ops.iter().all(prepare::is_quick);
        let prepared = if is_small {
            prepare(&commit)?
        } else {
            tokio::task::spawn_blocking(move || prepare(&commit))
                .await
                .map_err(|error| {
                    Error::internal("a commit could not be made ready").because(error)
                })??
        };
        let ground = self.ground.clone();
        self.ground
            .act(Lock::Room(room), move |tx| {
                let person = *by.person()?;
                let room = enter(tx, &by, room, Right::Edit)?;
                let committed = match find_repeated(tx, &room, &person, &prepared)? {
                    Some(repeated) => repeated,
                    None => apply(tx, &ground, &person, &room, &prepared)?,
                };
                let mut notices = Notices::default();
                if !committed.repeated {
                    notices.drives.push((room.id, committed.position));
                }
                Ok((committed, notices))
            })
            .await
    }
}

impl Drives {
    /// Applies one operation, for doors whose protocols give what they ask for no id: asked for again, it is done again.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub async fn apply_once(&self, by: &Caller, room: RoomRef, op: Op) -> Result<OpResult> {
        let now_ms = self.ground.clock.now_ms();
        let commit = Commit {
            id: self.ground.random.id(CommitId::new, now_ms),
            ops: vec![op],
        };
        let committed = self.commit(by, room, commit).await?;
        let first = committed.results.into_iter().next();
        first.ok_or_else(|| Error::internal("a commit of one operation has no result"))
    }
}

/// Takes a commit's steps in a room whose lock the transaction holds.
fn apply(
    tx: &mut Tx<'_>,
    ground: &Ground,
    person: &Person,
    room: &Entered,
    prepared: &Prepared,
) -> Result<Committed> {
    let now_ms = ground.clock.now_ms();
    let author = Author {
        account: Some(person.account),
        session: Some(person.session),
    };
    let ids = work::NodeIds::new(&ground.random, now_ms);
    let applied = Work::new(tx, room, prepared, ids, (author, now_ms)).apply()?;
    settle(tx, room, person, prepared, applied, now_ms)
}

/// The answer to a commit whose id was applied before.
fn find_repeated(
    tx: &mut Tx<'_>,
    room: &Entered,
    person: &Person,
    prepared: &Prepared,
) -> Result<Option<Committed>> {
    let applied = tx.opt(
        "SELECT account_id, digest, position FROM applied_commit WHERE room_id = ?1 AND id = ?2",
        &[room.id.into(), prepared.id.into()],
        |row| {
            let is_same = row.id::<wharf_types::AccountId>(0)? == person.account
                && row.bytes(1)? == prepared.digest;
            Ok((is_same, row.uint(2)?))
        },
    )?;
    match applied {
        None => Ok(None),
        Some((false, _)) => Err(Error::invalid(
            "this commit's id was used for another commit: choose a new one",
        )),
        Some((true, position)) => Ok(Some(Committed {
            position,
            results: Vec::new(),
            repeated: true,
        })),
    }
}

/// References the chunks, frees what was purged, charges the quota and notes the commit.
fn settle(
    tx: &mut Tx<'_>,
    room: &Entered,
    person: &Person,
    prepared: &Prepared,
    mut applied: Applied<'_>,
    now_ms: i64,
) -> Result<Committed> {
    reference(tx, room, person, &mut applied)?;
    if let Some(first) = applied.failed.first() {
        let text = match applied.failed.len() {
            1 => first.detail.clone(),
            count => format!(
                "{count} operations could not be applied, the first one: {}",
                first.detail
            ),
        };
        return Err(Error::new(first.code, text).with_failed(applied.failed));
    }
    if applied.has_purged {
        let reaped = reap::reap(tx, room, REAP_ITEMS_MAX, now_ms)?;
        applied.freed_bytes += reaped.freed_bytes;
    }
    usage::charge(tx, room, applied.added_bytes, applied.freed_bytes)?;
    let position = applied.stream.finish(tx, room)?;
    tx.exec(
        "INSERT INTO applied_commit (room_id, id, account_id, digest, position, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            room.id.into(),
            prepared.id.into(),
            person.account.into(),
            (&prepared.digest).into(),
            position.into(),
            now_ms.into(),
        ],
    )?;
    Ok(Committed {
        position,
        results: applied.results,
        repeated: false,
    })
}

/// References the chunks of all new content, and adds the steps whose chunks are missing to the refusals.
fn reference(
    tx: &mut Tx<'_>,
    room: &Entered,
    person: &Person,
    applied: &mut Applied<'_>,
) -> Result<()> {
    if applied.mentions.is_empty() {
        return Ok(());
    }
    // In one order everywhere, so that two rooms that share chunks do not wait for each other in a circle.
    applied.mentions.sort_unstable();
    let chunks: Vec<(ChunkHash, u32)> = applied
        .mentions
        .iter()
        .map(|mention| (mention.hash, mention.bytes))
        .collect();
    let scopes = scopes_of(tx, person)?;
    let missing = chunk::reference(tx, &scopes, &chunks)?;
    let mut steps: Vec<usize> = missing
        .into_iter()
        .filter_map(|index| applied.mentions.get(index).map(|mention| mention.step))
        .collect();
    steps.sort_unstable();
    steps.dedup();
    applied
        .failed
        .extend(steps.into_iter().map(|step| {
            FailedOp {
                index: u32::try_from(step).unwrap_or(u32::MAX),
                code: ErrorCode::NotFound,
                detail: "chunks of this file are not on the server: upload them, then commit again"
                    .to_owned(),
                revision: None,
            }
        }));
    applied.failed.sort_by_key(|failed| failed.index);
    // Alone in its personal room, a member finds by its account whatever it could find to put there.
    let is_shared = room.id != person.home || scopes.len() > 2;
    if is_shared && applied.failed.is_empty() {
        let hashes: Vec<_> = chunks.iter().map(|(hash, _)| *hash).collect();
        chunk::grant(tx, room.id.into(), &hashes)?;
    }
    Ok(())
}

/// Where the chunks that an account may know of are known: to itself, and in the rooms that it is a member of.
pub(crate) fn scopes_of(tx: &mut Tx<'_>, person: &Person) -> sql::Result<Vec<Scope>> {
    let mut scopes = vec![Scope::from(person.account)];
    tx.each(
        "SELECT room_id FROM member WHERE account_id = ?1",
        &[person.account.into()],
        |row| {
            scopes.push(row.id::<RoomId>(0)?.into());
            Ok(())
        },
    )?;
    Ok(scopes)
}
