//! Writing without a session: keys of the journal over UDP, and the addresses of old diaries.
//!
//! A key appends entries to one room in the name of the account that made it, as long as that account may write there. What
//! it has written is remembered for ever by the id that the author gave it, so that a datagram that comes again, a second or
//! a year later, is answered as the first time.
//!
//! The old diary's clients prove nothing. Their entries have no account for their author but the address that they came
//! from, and they go where the operator, or whoever claimed the address from that address, wants them.

mod address;
mod diary;
mod keys;
mod limit;
mod recent;
mod rows;
mod save;

use std::net::IpAddr;
use std::sync::Arc;

use wharf_types::api::journal::{
    ClaimDiary, CreateJournalKey, DiaryAddress, DiaryAddresses, JournalKey, JournalKeyId,
    JournalKeys,
};

use crate::Ground;
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::Result;
use crate::log::Logs;

pub use diary::{DiaryClient, DiaryFilter, DiaryLine, DiaryLines, DiaryRoom, DiaryWrite, Fallback};
pub use keys::{KeyRecord, KeySecret};
pub(crate) use rows::{keys_called, positions_of};
pub use save::{Save, SaveId, SaveOutcome};

/// The operations on writing without a session. Clones are the same.
#[derive(Clone)]
pub struct Journal {
    ground: Ground,
    logs: Logs,
    limits: Arc<limit::KeyLimits>,
    recent: Arc<recent::Recent>,
}

impl Journal {
    pub(crate) fn new(ground: Ground, logs: Logs) -> Self {
        let limits = limit::KeyLimits::new(ground.config.journal, ground.clock.clone());
        Self {
            ground,
            logs,
            limits: Arc::new(limits),
            recent: Arc::default(),
        }
    }

    /// Makes a key that writes to a room in the caller's name. Its secret is in this answer only.
    ///
    /// # Errors
    /// - `Invalid`: the name is malformed.
    /// - `NotFound`, `Denied`: the caller may not write to this room.
    /// - `TooLarge`: the account has [`wharf_types::limit::JOURNAL_KEYS_MAX`] of them.
    pub async fn create_key(
        &self,
        by: &Caller,
        room: RoomRef,
        request: CreateJournalKey,
    ) -> Result<JournalKey> {
        keys::create(&self.ground, by, room, &request).await
    }

    /// The caller's keys, oldest first.
    pub async fn keys(&self, by: &Caller) -> Result<JournalKeys> {
        let account = by.account()?;
        self.ground
            .db
            .read(move |tx| {
                let items = rows::list(tx, account)?;
                Ok(JournalKeys { items, port: None })
            })
            .await
    }

    /// Removes one of the caller's keys. What it wrote stays.
    ///
    /// # Errors
    /// `NotFound`: the caller has no such key.
    pub async fn remove_key(&self, by: &Caller, id: JournalKeyId) -> Result<()> {
        keys::remove(&self.ground, by, id).await?;
        self.recent.forget(id);
        Ok(())
    }

    /// What the door verifies datagrams with: the keys of these ids that there are, in any order. It may be kept for a while:
    /// a key that was removed meanwhile writes nothing.
    pub async fn find_keys(&self, ids: Vec<JournalKeyId>) -> Result<Vec<KeyRecord>> {
        self.ground
            .db
            .read(move |tx| {
                let mut found = Vec::new();
                for id in &ids {
                    found.extend(rows::find(tx, *id)?);
                }
                Ok(found)
            })
            .await
    }

    /// Appends what keys have proved to be theirs, in order and in one transaction, and answers each: one outcome for each
    /// item, in their order. What was saved before is answered as it was then, even where there is too much.
    ///
    /// # Errors
    /// Whatever keeps the transaction from being durable. Then none of the items is.
    pub async fn save(&self, items: Vec<Save>) -> Result<Vec<SaveOutcome>> {
        save::save(self, items).await
    }

    /// Has the diary of an address written to a room. An account claims the address that it asks from, until 30 days after it
    /// did so last; an operator claims any.
    ///
    /// # Errors
    /// - `Denied`: it is another address than the caller's own, or loopback, which everybody on the server's machine and
    ///   behind a proxy on it shares, and the caller is no operator.
    /// - `Exists`: another account has claimed the address.
    /// - `NotFound`, `Denied`: the caller may not write to this room.
    /// - `TooLarge`: the account has claimed [`wharf_types::limit::DIARY_ADDRESSES_MAX`] addresses.
    pub async fn claim_address(
        &self,
        by: &Caller,
        room: RoomRef,
        request: ClaimDiary,
    ) -> Result<DiaryAddress> {
        address::claim(&self.ground, by, room, &request).await
    }

    /// The addresses that the caller has claimed.
    pub async fn addresses(&self, by: &Caller) -> Result<DiaryAddresses> {
        let account = by.account()?;
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .read(move |tx| {
                let items = address::list(tx, account, now_ms)?;
                Ok(DiaryAddresses { items })
            })
            .await
    }

    /// Gives an address up, as who claimed it or as an operator. What was written stays.
    ///
    /// # Errors
    /// `NotFound`: it was not claimed by the caller.
    pub async fn release_address(&self, by: &Caller, address: IpAddr) -> Result<()> {
        address::release(&self.ground, by, address).await
    }

    /// The room that the diary of an address goes to: the one that it was claimed for, or else `fallback`, the operator's
    /// choice. `None` when there is none.
    pub async fn diary_of(
        &self,
        address: IpAddr,
        fallback: Option<Fallback>,
    ) -> Result<Option<DiaryRoom>> {
        diary::room_of(&self.ground, address, fallback).await
    }

    /// Writes entries of diary clients to one room, in order and in one transaction. Returns how many were: what is too much
    /// for the bounds on sending is left out from the end.
    ///
    /// # Errors
    /// `Denied`: the room is archived, or its claim ended.
    pub async fn diary_write(&self, room: DiaryRoom, items: Vec<DiaryWrite>) -> Result<u64> {
        diary::write(self, room, items).await
    }

    /// Reads what a diary client is shown, at most 200 entries.
    pub async fn diary_read(&self, room: DiaryRoom, filter: DiaryFilter) -> Result<DiaryLines> {
        self.ground
            .db
            .read(move |tx| diary::read(tx, room, filter))
            .await
    }

    /// The diary clients that have written to a room, the last one first, at most 100.
    pub async fn diary_clients(&self, room: DiaryRoom) -> Result<Vec<DiaryClient>> {
        self.ground
            .db
            .read(move |tx| diary::clients(tx, room))
            .await
    }
}
