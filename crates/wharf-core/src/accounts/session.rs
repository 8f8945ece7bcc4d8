//! Sessions: one for each device that logged in.

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::account::{Account, LoggedIn, RenameSession, Session};
use wharf_types::limit::SESSIONS_PER_ACCOUNT_MAX;
use wharf_types::{AccountId, SessionId};

use super::credential::{self, Secret};
use super::{Accounts, rows};
use crate::access::{require_session, session_ended};
use crate::caller::{Caller, Origin};
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::text::label;

/// What a device is called that did not say.
const DEVICE_UNNAMED: &str = "unnamed device";
/// How stale a session's time of last use may become before it is written: not each request is worth a write.
const SEEN_LAG_MS: i64 = 5 * 60_000;
const DAY_MS: i64 = 24 * 3_600_000;

impl Accounts {
    /// Tells who holds `token`. Cheap: most calls touch memory only.
    ///
    /// # Errors
    /// `Unauthenticated`: no such session, it has ended, or its account is locked.
    pub async fn authenticate(&self, token: &str, origin: Origin) -> Result<Caller> {
        let token_hash = credential::token_hash(token).ok_or_else(session_ended)?;
        self.authenticate_hash(token_hash, origin).await
    }

    /// Tells whose session the database knows by `token_hash`.
    pub(super) async fn authenticate_hash(
        &self,
        token_hash: [u8; 32],
        origin: Origin,
    ) -> Result<Caller> {
        let steady_ms = self.ground.clock.steady_ms();
        if let Some(person) = self.shared.cache.get(&token_hash, steady_ms) {
            return Ok(Caller::person_at(person, origin));
        }
        let found = self
            .ground
            .db
            .read(move |tx| rows::session_by_token(tx, &token_hash))
            .await?;
        let opened = found.ok_or_else(session_ended)?;
        let now_ms = self.ground.clock.now_ms();
        if opened.seen_ms < self.sessions_seen_since_ms(now_ms) {
            return Err(session_ended());
        }
        if now_ms - opened.seen_ms >= SEEN_LAG_MS {
            self.touch(opened.person.session, now_ms).await;
        }
        self.shared.cache.keep(token_hash, opened.person, steady_ms);
        Ok(Caller::person_at(opened.person, origin))
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// `Denied` when the caller is no person.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        let person = *caller.person()?;
        self.revoke(person.account);
        let end = move |tx: &mut Tx<'_>| {
            rows::end_session(tx, person.account, person.session)?;
            Ok(((), Notices::of_sessions(vec![person.session])))
        };
        self.ground.act(Lock::None, end).await
    }

    /// The sessions of the caller's account, the one used last first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        let person = *caller.person()?;
        let list = move |tx: &mut Tx<'_>| rows::sessions(tx, person.account, Some(person.session));
        Ok(self.ground.db.read(list).await?)
    }

    /// Renames the device of one of the caller's sessions.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such session.
    /// - `Invalid`: the name is empty or too long.
    pub async fn rename_session(
        &self,
        caller: &Caller,
        session: SessionId,
        request: RenameSession,
    ) -> Result<Session> {
        caller.may_write()?;
        let person = *caller.person()?;
        let device = label("a device's name", &request.device)?;
        let rename = move |tx: &mut Tx<'_>| -> Result<Session> {
            require_session(tx, person.session)?;
            tx.exec(
                "UPDATE session SET device = ?3 WHERE id = ?1 AND account_id = ?2",
                &[session.into(), person.account.into(), (&device).into()],
            )?;
            let sessions = rows::sessions(tx, person.account, Some(person.session))?;
            sessions
                .into_iter()
                .find(|found| found.id == session)
                .ok_or_else(no_such_session)
        };
        self.ground.db.write(Lock::None, rename).await
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// `NotFound`: the caller has no such session.
    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        caller.may_write()?;
        let person = *caller.person()?;
        self.revoke(person.account);
        let end = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            if !rows::end_session(tx, person.account, session)? {
                return Err(no_such_session());
            }
            Ok(((), Notices::of_sessions(vec![session])))
        };
        self.ground.act(Lock::None, end).await
    }

    /// Forgets what this process remembers of an account's sessions. Before the write that ends any of them.
    pub(super) fn revoke(&self, account: AccountId) {
        self.shared
            .cache
            .revoke(account, self.ground.clock.steady_ms());
    }

    /// The time before which a session must not have been used last, or it has ended.
    pub(crate) fn sessions_seen_since_ms(&self, now_ms: i64) -> i64 {
        match self.ground.config.session_idle_days {
            0 => i64::MIN,
            days => now_ms - i64::from(days) * DAY_MS,
        }
    }

    async fn touch(&self, session: SessionId, now_ms: i64) {
        let touch = move |tx: &mut Tx<'_>| rows::touch_session(tx, session, now_ms);
        if let Err(error) = self.ground.db.write(Lock::None, touch).await {
            // Whoever may read may go on reading while the disk is full.
            tracing::warn!(%session, %error, "cannot record when a session was used");
        }
    }
}

/// A session about to be opened.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    device: String,
    origin: Origin,
}

impl Opening {
    /// Checks the name of the device.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) fn new(device: Option<&str>, origin: Origin) -> Result<Self> {
        let device = label("a device's name", device.unwrap_or(DEVICE_UNNAMED))?;
        Ok(Self { device, origin })
    }

    /// Opens the session. Ends those that were idle longest where the account has too many, and says which.
    pub(super) fn open(
        &self,
        tx: &mut Tx<'_>,
        ground: &crate::Ground,
        account: Account,
        now_ms: i64,
    ) -> Result<(LoggedIn, Notices)> {
        let token = credential::new_token(&ground.random);
        let id = ground.random.id(SessionId::new, now_ms);
        self.open_as(tx, account, id, token, now_ms)
    }

    /// Opens the session with the id and the secret that are given.
    pub(super) fn open_as(
        &self,
        tx: &mut Tx<'_>,
        account: Account,
        id: SessionId,
        token: Secret,
        now_ms: i64,
    ) -> Result<(LoggedIn, Notices)> {
        let session = Session {
            id,
            device: self.device.clone(),
            address: self.origin.address.to_canonical().to_string(),
            created_ms: now_ms,
            seen_ms: now_ms,
            current: true,
        };
        tx.exec(
            "INSERT INTO session (id, account_id, token_hash, device, address, created_ms, seen_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            &[
                session.id.into(),
                account.id.into(),
                (&token.hash).into(),
                (&session.device).into(),
                (&session.address).into(),
                now_ms.into(),
            ],
        )?;
        let sessions = rows::sessions(tx, account.id, None)?;
        let surplus = sessions
            .iter()
            .filter(|other| other.id != session.id)
            .skip(SESSIONS_PER_ACCOUNT_MAX as usize - 1);
        let mut ended = Vec::new();
        for idle in surplus {
            rows::end_session(tx, account.id, idle.id)?;
            ended.push(idle.id);
        }
        let logged_in = LoggedIn {
            token: token.text,
            session,
            account,
        };
        Ok((logged_in, Notices::of_sessions(ended)))
    }
}

fn no_such_session() -> Error {
    Error::not_found("there is no such session")
}
