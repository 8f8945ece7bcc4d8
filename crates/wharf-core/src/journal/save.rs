//! Appending what keys have proved to be theirs.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::journal::JournalKeyId;
use wharf_types::api::log::{Body, Draft, Text};
use wharf_types::{AccountId, ErrorCode, RoomId};

use super::{Journal, rows};
use crate::access::{Right, enter_account};
use crate::caller::Door;
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::log::{Author, Sender, append_in, check_draft};

/// For how long the same text with the same token is the same entry.
const SAME_TEXT_MS: i64 = 10 * 60 * 1000;

/// An entry that a key has proved to be its own.
#[derive(Debug, Clone)]
pub struct Save {
    /// The key.
    pub key: JournalKeyId,
    /// What makes it the same entry when it comes again.
    pub id: SaveId,
    /// What it says.
    pub text: String,
    /// When it was written by the author's clock, in milliseconds since the epoch.
    pub client_ms: Option<i64>,
    /// Where it came from.
    pub from: SocketAddr,
}

/// What makes an entry the same when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveId {
    /// An id that its author chose: for ever.
    Entry([u8; 16]),
    /// Its text: for ten minutes.
    Text,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveOutcome {
    /// It is durable.
    Saved {
        /// Its position in the room's log.
        position: u64,
        /// When it was recorded, in milliseconds since the epoch.
        at_ms: i64,
        /// Whether it had been saved before; then the rest is of the first time.
        is_repeated: bool,
    },
    /// It can never be saved: it is over a bound or empty, or another text was saved under its id.
    Invalid,
    /// The key writes nothing any more: it was removed, or its account may not write to the room.
    Closed,
    /// Too much in too short a time.
    Slow {
        /// After how many milliseconds it would be let through.
        retry_after_ms: u64,
    },
}

/// An item with what needs no database.
#[derive(Clone)]
struct Prepared {
    save: Save,
    body: Option<Body>,
    digest: [u8; 32],
    entry_id: [u8; 16],
}

/// What the limits let through of one key's items.
struct Granted {
    account: AccountId,
    address: IpAddr,
    count: u64,
    retry_after_ms: u64,
}

pub(super) async fn save(journal: &Journal, items: Vec<Save>) -> Result<Vec<SaveOutcome>> {
    let steady_ms = journal.ground.clock.steady_ms();
    let mut outcomes = Vec::with_capacity(items.len());
    let mut fresh = Vec::new();
    for save in items {
        let digest = *blake3::hash(save.text.as_bytes()).as_bytes();
        let known = match save.id {
            SaveId::Entry(id) => journal.recent.find(save.key, id, &digest, steady_ms),
            SaveId::Text => None,
        };
        if known.is_none() {
            fresh.push(Prepared::new(save, digest));
        }
        outcomes.push(known);
    }
    if fresh.is_empty() {
        return Ok(outcomes.into_iter().flatten().collect());
    }
    let names: Vec<_> = fresh
        .iter()
        .map(|item| (item.save.key, item.save.id, item.digest))
        .collect();
    let saved = append(journal, fresh).await?;
    for ((key, id, digest), outcome) in names.into_iter().zip(&saved) {
        if let SaveId::Entry(id) = id {
            journal.recent.note(key, id, digest, outcome, steady_ms);
        }
    }
    let mut saved = saved.into_iter();
    let outcomes = outcomes.into_iter();
    Ok(outcomes
        .filter_map(|known| known.or_else(|| saved.next()))
        .collect())
}

/// Appends what is not known to have been saved before.
async fn append(journal: &Journal, items: Vec<Prepared>) -> Result<Vec<SaveOutcome>> {
    let owners = owners(journal, &items).await?;
    let granted = admit(journal, &items, &owners);
    let mut rooms: Vec<RoomId> = owners.values().map(|owner| owner.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let budget: HashMap<JournalKeyId, (u64, u64)> = granted
        .iter()
        .map(|(key, granted)| (*key, (granted.count, granted.retry_after_ms)))
        .collect();
    let clock = journal.ground.clock.clone();
    let keys: Vec<JournalKeyId> = items.iter().map(|item| item.save.key).collect();
    let outcome = journal
        .ground
        .act(Lock::Rooms(rooms), move |tx| {
            let mut batch = Batch::new(budget.clone(), clock.now_ms());
            for item in &items {
                let outcome = batch.item(tx, item)?;
                batch.outcomes.push(outcome);
            }
            batch.count_keys(tx)?;
            Ok((batch.outcomes, batch.notices))
        })
        .await;
    refund(journal, granted, &keys, outcome.as_deref().unwrap_or(&[]));
    outcome
}

/// Whose a key is, and where it writes.
#[derive(Debug, Clone, Copy)]
struct Owner {
    account: AccountId,
    room: RoomId,
}

/// The owners of the keys, so that the transaction can begin with the locks that it needs.
async fn owners(journal: &Journal, items: &[Prepared]) -> Result<HashMap<JournalKeyId, Owner>> {
    let mut ids: Vec<JournalKeyId> = items.iter().map(|item| item.save.key).collect();
    ids.sort_unstable();
    ids.dedup();
    let read = move |tx: &mut Tx<'_>| -> Result<HashMap<JournalKeyId, Owner>> {
        let mut owners = HashMap::new();
        for id in &ids {
            if let Some(found) = rows::find(tx, *id)? {
                let owner = Owner {
                    account: found.account,
                    room: found.room,
                };
                owners.insert(*id, owner);
            }
        }
        Ok(owners)
    };
    journal.ground.db.read(read).await
}

/// Takes from the buckets of each key, its account and its address what its items need.
fn admit(
    journal: &Journal,
    items: &[Prepared],
    owners: &HashMap<JournalKeyId, Owner>,
) -> HashMap<JournalKeyId, Granted> {
    let mut wanted: HashMap<JournalKeyId, (u64, IpAddr)> = HashMap::new();
    for item in items {
        let (count, address) = wanted
            .entry(item.save.key)
            .or_insert((0, item.save.from.ip()));
        *count += 1;
        *address = item.save.from.ip();
    }
    let mut granted = HashMap::new();
    for (key, (count, address)) in wanted {
        let Some(owner) = owners.get(&key) else {
            continue;
        };
        let (by_key, key_wait_ms) = journal.limits.take(key, count);
        let sender = Sender::Account(owner.account);
        let (count, wait_ms) = journal.logs.admit(sender, address, by_key);
        journal.limits.refund(key, by_key - count);
        granted.insert(
            key,
            Granted {
                account: owner.account,
                address,
                count,
                retry_after_ms: if count < by_key { wait_ms } else { key_wait_ms },
            },
        );
    }
    granted
}

/// Gives back what was taken for items that appended nothing.
fn refund(
    journal: &Journal,
    granted: HashMap<JournalKeyId, Granted>,
    keys: &[JournalKeyId],
    outcomes: &[SaveOutcome],
) {
    for (key, granted) in granted {
        let appended = keys
            .iter()
            .zip(outcomes)
            .filter(|(of, outcome)| **of == key && outcome.is_new())
            .count() as u64;
        let unused = granted.count.saturating_sub(appended);
        journal.limits.refund(key, unused);
        let sender = Sender::Account(granted.account);
        journal.logs.refund(sender, granted.address, unused);
    }
}

impl SaveOutcome {
    const fn is_new(&self) -> bool {
        matches!(
            self,
            Self::Saved {
                is_repeated: false,
                ..
            }
        )
    }
}

impl Prepared {
    fn new(save: Save, digest: [u8; 32]) -> Self {
        let text = Text {
            text: save.text.clone(),
            ..Text::default()
        };
        let is_good = check_draft(&Draft::Text(text.clone())).is_ok();
        let entry_id = match save.id {
            SaveId::Entry(id) => id,
            SaveId::Text => [0; 16],
        };
        Self {
            body: is_good.then_some(Body::Text(text)),
            digest,
            entry_id,
            save,
        }
    }
}

/// A batch under way in its transaction.
struct Batch {
    /// How many more each key may append, and how long it waits after that.
    budget: HashMap<JournalKeyId, (u64, u64)>,
    /// Keys that were let in: the room and the author of their entries; `None` where they write nothing any more.
    entered: HashMap<JournalKeyId, Option<(RoomId, AccountId)>>,
    /// How many entries each key has appended.
    appended: HashMap<JournalKeyId, u64>,
    now_ms: i64,
    outcomes: Vec<SaveOutcome>,
    notices: Notices,
}

impl Batch {
    fn new(budget: HashMap<JournalKeyId, (u64, u64)>, now_ms: i64) -> Self {
        Self {
            budget,
            entered: HashMap::new(),
            appended: HashMap::new(),
            now_ms,
            outcomes: Vec::new(),
            notices: Notices::default(),
        }
    }

    fn item(&mut self, tx: &mut Tx<'_>, item: &Prepared) -> Result<SaveOutcome> {
        let key = item.save.key;
        let Some((room, account)) = self.enter(tx, key)? else {
            return Ok(SaveOutcome::Closed);
        };
        if let Some(before) = saved_before(tx, item, self.now_ms)? {
            return Ok(before);
        }
        let Some(body) = &item.body else {
            return Ok(SaveOutcome::Invalid);
        };
        let Some((left, retry_after_ms)) = self.budget.get_mut(&key) else {
            return Ok(SaveOutcome::Closed);
        };
        if *left == 0 {
            return Ok(SaveOutcome::Slow {
                retry_after_ms: *retry_after_ms,
            });
        }
        *left -= 1;
        let author = Author {
            account: Some(account),
            door: Door::Journal.text().to_owned(),
            address: Some(item.save.from.ip().to_canonical().to_string()),
            client_ms: item.save.client_ms,
            ..Author::default()
        };
        let entry = append_in(tx, &mut self.notices, room, &author, body, self.now_ms)?;
        remember(tx, item, room, entry.position, self.now_ms)?;
        *self.appended.entry(key).or_default() += 1;
        Ok(SaveOutcome::Saved {
            position: entry.position,
            at_ms: entry.at_ms,
            is_repeated: false,
        })
    }

    /// Where a key writes, and in whose name, checked once for each batch.
    fn enter(&mut self, tx: &mut Tx<'_>, key: JournalKeyId) -> Result<Option<(RoomId, AccountId)>> {
        if let Some(entered) = self.entered.get(&key) {
            return Ok(*entered);
        }
        let entered = enter_by_key(tx, key)?;
        self.entered.insert(key, entered);
        Ok(entered)
    }

    fn count_keys(&self, tx: &mut Tx<'_>) -> sql::Result<()> {
        for (key, count) in &self.appended {
            tx.exec(
                "UPDATE journal_key SET entries_count = entries_count + ?2, used_ms = ?3 WHERE id = ?1",
                &[
                    key.as_bytes().into(),
                    (*count).into(),
                    self.now_ms.into(),
                ],
            )?;
        }
        Ok(())
    }
}

fn enter_by_key(tx: &mut Tx<'_>, key: JournalKeyId) -> Result<Option<(RoomId, AccountId)>> {
    let found = tx.opt(
        "SELECT k.room_id, k.account_id FROM journal_key k JOIN account a ON a.id = k.account_id \
         WHERE k.id = ?1 AND k.removed_ms IS NULL AND a.locked = 0",
        &[key.as_bytes().into()],
        |row| Ok((row.id(0)?, row.id(1)?)),
    )?;
    let Some((room, account)) = found else {
        return Ok(None);
    };
    match enter_account(tx, account, room, Right::Edit) {
        Ok(_) => Ok(Some((room, account))),
        Err(error) if is_refusal(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::Denied | ErrorCode::NotFound)
}

/// The answer that an item had before.
fn saved_before(tx: &mut Tx<'_>, item: &Prepared, now_ms: i64) -> Result<Option<SaveOutcome>> {
    let key = item.save.key;
    let saved = |position, at_ms| SaveOutcome::Saved {
        position,
        at_ms,
        is_repeated: true,
    };
    match item.save.id {
        SaveId::Entry(id) => Ok(tx.opt(
            "SELECT position, at_ms, digest FROM journal_entry WHERE key_id = ?1 AND entry_id = ?2",
            &[key.as_bytes().into(), (&id).into()],
            |row| {
                Ok(if row.bytes(2)? == item.digest {
                    saved(row.uint(0)?, row.int(1)?)
                } else {
                    SaveOutcome::Invalid
                })
            },
        )?),
        SaveId::Text => Ok(tx.opt(
            "SELECT position, at_ms FROM journal_text WHERE key_id = ?1 AND digest = ?2 AND at_ms > ?3",
            &[
                key.as_bytes().into(),
                (&item.digest).into(),
                (now_ms - SAME_TEXT_MS).into(),
            ],
            |row| Ok(saved(row.uint(0)?, row.int(1)?)),
        )?),
    }
}

/// Remembers an entry for when it comes again.
fn remember(
    tx: &mut Tx<'_>,
    item: &Prepared,
    room: RoomId,
    position: u64,
    now_ms: i64,
) -> Result<()> {
    let key = item.save.key;
    let mut entry_id = item.entry_id;
    if item.save.id == SaveId::Text {
        // Such an entry has no id of its own, and its position is nobody else's.
        entry_id = u128::from(position).to_be_bytes();
        tx.exec(
            "DELETE FROM journal_text WHERE key_id = ?1 AND at_ms <= ?2",
            &[key.as_bytes().into(), (now_ms - SAME_TEXT_MS).into()],
        )?;
        tx.exec(
            "INSERT INTO journal_text (key_id, digest, position, at_ms) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (key_id, digest) DO UPDATE SET position = excluded.position, at_ms = excluded.at_ms",
            &[
                key.as_bytes().into(),
                (&item.digest).into(),
                position.into(),
                now_ms.into(),
            ],
        )?;
    }
    tx.exec(
        "INSERT INTO journal_entry (key_id, entry_id, room_id, position, at_ms, digest) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            key.as_bytes().into(),
            (&entry_id).into(),
            room.into(),
            position.into(),
            now_ms.into(),
            (&item.digest).into(),
        ],
    )?;
    Ok(())
}
