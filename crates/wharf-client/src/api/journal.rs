//! Keys of the journal over UDP, and the addresses of old diaries.

use std::net::IpAddr;

use http::Method;
use wharf_types::api::journal::{
    ClaimDiary, CreateJournalKey, DiaryAddress, DiaryAddresses, JournalKey, JournalKeyId,
    JournalKeys,
};

use super::{Api, ApiError, Room};

impl Api {
    /// Makes a key that writes to a room.
    pub async fn create_journal_key(
        &self,
        room: Room,
        create: &CreateJournalKey,
    ) -> Result<JournalKey, ApiError> {
        let path = ["rooms", &room.to_string(), "journal-keys"];
        self.json(
            self.request(Method::POST, &path, &[])
                .with_json(create)?
                .once(),
        )
        .await
    }

    /// The account's keys.
    pub async fn journal_keys(&self) -> Result<JournalKeys, ApiError> {
        self.get(&["journal-keys"], &[]).await
    }

    /// Removes a key.
    pub async fn remove_journal_key(&self, id: JournalKeyId) -> Result<(), ApiError> {
        self.done(self.request(Method::DELETE, &["journal-keys", &id.to_string()], &[]))
            .await
    }

    /// Has the old diary of an address written to a room.
    pub async fn claim_diary(
        &self,
        room: Room,
        claim: &ClaimDiary,
    ) -> Result<DiaryAddress, ApiError> {
        let path = ["rooms", &room.to_string(), "diary-addresses"];
        self.json(self.request(Method::POST, &path, &[]).with_json(claim)?)
            .await
    }

    /// The addresses that the account has claimed.
    pub async fn diary_addresses(&self) -> Result<DiaryAddresses, ApiError> {
        self.get(&["diary-addresses"], &[]).await
    }

    /// Gives an address up.
    pub async fn release_diary(&self, address: IpAddr) -> Result<(), ApiError> {
        let path = ["diary-addresses", &address.to_string()];
        self.done(self.request(Method::DELETE, &path, &[])).await
    }
}
