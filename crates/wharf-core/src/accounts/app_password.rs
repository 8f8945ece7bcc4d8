//! Passwords of gateways: each is one account's for one door, and lets nobody in anywhere else.
//!
//! The old protocols show a password, or its MD5, to everybody on the way. So a gateway takes none of the passwords that
//! people log in with, but one that the server chose and that can be taken back by itself. What is kept of it is the
//! argon2id of what the protocol sends. All logins through one door share one session, as those protocols want it.

use md5::{Digest, Md5};
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::account::Account;
use wharf_types::api::app_password::{AppDoor, AppPassword, CreateAppPassword};
use wharf_types::{AccountId, SessionId};

use super::attempt::Bound;
use super::credential::{self, LoginName, new_code, new_password, typed_password};
use super::login::{locked, wrong_login};
use super::make::{self, Draft};
use super::rows::Credentialed;
use super::session::Opening;
use super::ticket::ticket_hash;
use super::{Accounts, attempt, rows};
use crate::access::{require_session, session_ended};
use crate::caller::{Caller, Origin, Person};
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::random::Random;

/// Letters of an e-mail address that a username is made from, so that a number fits behind them.
const NAME_CHARS_MAX: usize = 24;

/// Who logged in through a gateway.
#[derive(Debug, Clone)]
pub struct AppLogin {
    /// What the operations of the house ask for.
    pub caller: Caller,
    /// Whose login it is.
    pub account: Account,
    /// 32 letters and digits that stand for the session, the same for each login until it ends.
    pub ticket: String,
}

/// Somebody who makes an account through a gateway.
#[derive(Debug, Clone)]
pub struct DoorSignup {
    /// Made from the e-mail address where the protocol has none.
    pub username: Option<String>,
    /// An address, where the protocol has one.
    pub email: Option<String>,
    /// The name shown to others; the username where the protocol has none.
    pub nickname: Option<String>,
    /// What the protocol sends for a password.
    pub proof: String,
}

impl Accounts {
    /// Chooses a password for one gateway. The one that there was ends, with its session.
    ///
    /// # Errors
    /// `Limited`: too many wait to have a password hashed.
    pub async fn create_app_password(
        &self,
        caller: &Caller,
        request: CreateAppPassword,
    ) -> Result<AppPassword> {
        caller.may_write()?;
        let person = *caller.person()?;
        let door = request.door;
        let password = new_code(&self.ground.random).text;
        let place = self.shared.passwords.place().await?;
        let verifier = place.hash(proof_of(&password, door)).await?;
        drop(place);
        let now_ms = self.ground.clock.now_ms();
        self.revoke(person.account);
        let create = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            let ended = remove(tx, person.account, door)?;
            insert(tx, person.account, door, &verifier, now_ms)?;
            Ok(((), Notices::of_sessions(ended.unwrap_or_default())))
        };
        self.ground.act(Lock::None, create).await?;
        Ok(AppPassword {
            door,
            password: Some(password),
            created_ms: now_ms,
            used_ms: None,
        })
    }

    /// The caller's passwords of gateways, without the secrets.
    pub async fn app_passwords(&self, caller: &Caller) -> Result<Vec<AppPassword>> {
        let account = caller.account()?;
        let list = move |tx: &mut Tx<'_>| {
            tx.all(
                "SELECT door, created_ms, used_ms FROM app_password WHERE account_id = ?1 ORDER BY door",
                &[account.into()],
                |row| {
                    let door = row.text(0)?.parse();
                    Ok(AppPassword {
                        door: door.map_err(|_| sql::Error::corrupt("app_password.door"))?,
                        password: None,
                        created_ms: row.int(1)?,
                        used_ms: row.opt_int(2)?,
                    })
                },
            )
        };
        Ok(self.ground.db.read(list).await?)
    }

    /// Removes the caller's password for a gateway, with its session.
    ///
    /// # Errors
    /// `NotFound`: there is none.
    pub async fn remove_app_password(&self, caller: &Caller, door: AppDoor) -> Result<()> {
        caller.may_write()?;
        let person = *caller.person()?;
        self.revoke(person.account);
        let end = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            let ended = remove(tx, person.account, door)?
                .ok_or_else(|| Error::not_found("there is no password for this gateway"))?;
            Ok(((), Notices::of_sessions(ended)))
        };
        self.ground.act(Lock::None, end).await
    }

    /// Sets the password that the caller's own clients of this gateway log in with, at their wish. The session stays.
    ///
    /// # Errors
    /// - `Invalid`: it is outside its bounds.
    /// - `Denied`: `old` is given and wrong.
    /// - `Limited`: too many failures.
    /// - `Unauthenticated`: the session has ended.
    pub async fn change_app_password(
        &self,
        caller: &Caller,
        door: AppDoor,
        old: Option<&str>,
        new: &str,
    ) -> Result<()> {
        caller.may_write()?;
        let person = *caller.person()?;
        let new = new_password(new)?;
        let limits = self.ground.config.attempts;
        let bounds = attempt::at_password(&limits, person.session);
        let now_ms = self.ground.clock.now_ms();
        let place = self.shared.passwords.place().await?;
        let begun = bounds.clone();
        let begin = move |tx: &mut Tx<'_>| -> Result<String> {
            require_session(tx, person.session)?;
            attempt::begin(tx, &begun, &limits, now_ms, |_| Ok(false))?;
            verifier(tx, person.account, door)?.ok_or_else(session_ended)
        };
        let stored = self.ground.db.write(Lock::None, begin).await?;
        if let Some(old) = old {
            let old = normal_proof(old, door);
            if !place.verify(old, Some(stored.clone())).await? {
                return Err(Error::denied("the current password is wrong"));
            }
        }
        let hash = place.hash(normal_proof(&new, door)).await?;
        let finish = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            let replaced = tx.exec(
                "UPDATE app_password SET verifier = ?4, created_ms = ?5 \
                 WHERE account_id = ?1 AND door = ?2 AND verifier = ?3",
                &[
                    person.account.into(),
                    door.text().into(),
                    (&stored).into(),
                    (&hash).into(),
                    now_ms.into(),
                ],
            )?;
            if replaced == 0 {
                return Err(Error::denied("the password was changed meanwhile"));
            }
            Ok(attempt::succeed(tx, &bounds)?)
        };
        self.ground.db.write(Lock::None, finish).await
    }

    /// Lets somebody in through a gateway, by what its protocol sends for a password. Opens the session that the account
    /// has for this door, or takes it up again while it stands. Attempts count as at [`login`](Self::login), and an
    /// unknown login is answered as a wrong password.
    ///
    /// # Errors
    /// - `Unauthenticated`: the login is unknown, has no password for this door, or that is wrong.
    /// - `Denied`: the password is right and the account is locked.
    /// - `Limited`: too many failures; carries the seconds to wait.
    pub async fn login_by_app_password(
        &self,
        door: AppDoor,
        login: &str,
        proof: &str,
        origin: Origin,
    ) -> Result<AppLogin> {
        let name = LoginName::parse(login);
        let limits = self.ground.config.attempts;
        let bounds = attempt::at_login(&limits, name.as_ref(), login, origin.address);
        let place = self.shared.passwords.place().await?;
        let found = self
            .begin_login(name, bounds.clone(), origin, Some(door))
            .await?;
        let stored = found.as_ref().map(|found| found.password_hash.clone());
        let is_right = place.verify(normal_proof(proof, door), stored).await?;
        match found {
            Some(found) if is_right => self.finish_app_login(found, bounds, door, origin).await,
            Some(_) | None => Err(wrong_login()),
        }
    }

    /// Takes up or opens the session, unless the password was replaced while it was being checked.
    async fn finish_app_login(
        &self,
        found: Credentialed,
        bounds: Vec<Bound>,
        door: AppDoor,
        origin: Origin,
    ) -> Result<AppLogin> {
        let accounts = self.clone();
        let finish = move |tx: &mut Tx<'_>| {
            let now_ms = accounts.ground.clock.now_ms();
            let account = rows::account(tx, found.account.id)?.ok_or_else(wrong_login)?;
            // Holds the row until the session stands.
            let session: Option<Option<SessionId>> = tx.opt(
                "UPDATE app_password SET used_ms = ?4 WHERE account_id = ?1 AND door = ?2 AND verifier = ?3 \
                 RETURNING session_id",
                &[
                    account.id.into(),
                    door.text().into(),
                    (&found.password_hash).into(),
                    now_ms.into(),
                ],
                |row| row.opt_id(0),
            )?;
            let session = session.ok_or_else(wrong_login)?;
            if account.locked {
                return Err(locked());
            }
            attempt::succeed(tx, &bounds)?;
            accounts.take_up(tx, account, session, door, origin)
        };
        self.ground.act(Lock::None, finish).await
    }

    /// Takes `session` up again if it still stands, or opens another one.
    fn take_up(
        &self,
        tx: &mut Tx<'_>,
        account: Account,
        session: Option<SessionId>,
        door: AppDoor,
        origin: Origin,
    ) -> Result<(AppLogin, Notices)> {
        let now_ms = self.ground.clock.now_ms();
        let since_ms = self.sessions_seen_since_ms(now_ms);
        let address = origin.address.to_canonical().to_string();
        let standing = match session {
            Some(session) => tx.exec(
                "UPDATE session SET seen_ms = ?3, address = ?4 WHERE id = ?1 AND account_id = ?2 AND seen_ms >= ?5",
                &[
                    session.into(),
                    account.id.into(),
                    now_ms.into(),
                    (&address).into(),
                    since_ms.into(),
                ],
            )?,
            None => 0,
        };
        let (session, account, notices) = match session.filter(|_| standing > 0) {
            Some(session) => (session, account, Notices::default()),
            None => self.open_for(tx, account, door, origin, now_ms)?,
        };
        let person = Person {
            account: account.id,
            role: account.role,
            session,
            home: account.home,
        };
        let login = AppLogin {
            caller: Caller::person_at(person, origin),
            account,
            ticket: self.shared.tickets.of(session, door).text,
        };
        Ok((login, notices))
    }

    fn open_for(
        &self,
        tx: &mut Tx<'_>,
        account: Account,
        door: AppDoor,
        origin: Origin,
        now_ms: i64,
    ) -> Result<(SessionId, Account, Notices)> {
        let id = self.ground.random.id(SessionId::new, now_ms);
        let ticket = self.shared.tickets.of(id, door);
        let opening = Opening::new(Some(door.text()), origin)?;
        let (opened, notices) = opening.open_as(tx, account, id, ticket, now_ms)?;
        tx.exec(
            "UPDATE app_password SET session_id = ?3 WHERE account_id = ?1 AND door = ?2",
            &[opened.account.id.into(), door.text().into(), id.into()],
        )?;
        Ok((id, opened.account, notices))
    }

    /// Tells who holds a ticket of this door. As cheap as [`authenticate`](Self::authenticate).
    ///
    /// # Errors
    /// `Unauthenticated`: no such session, it has ended, or its account is locked.
    pub async fn authenticate_ticket(
        &self,
        ticket: &str,
        door: AppDoor,
        origin: Origin,
    ) -> Result<Caller> {
        let hash = ticket_hash(ticket, door).ok_or_else(session_ended)?;
        self.authenticate_hash(hash, origin).await
    }

    /// Makes an account through a gateway, where anybody may make one. What the person chose is their password for this
    /// door; where the protocol sends the password itself it is the account's own, too, and else the account has none of
    /// its own until the operator resets it.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Denied`: sign-up is not open.
    /// - `Exists`: the username or e-mail address is taken.
    /// - `Limited`: too many sign-ups from this address.
    pub async fn signup_by_door(
        &self,
        door: AppDoor,
        request: DoorSignup,
        origin: Origin,
    ) -> Result<Account> {
        let proof = match door {
            AppDoor::Netdisk => new_password(&request.proof)?,
            AppDoor::PyChat => md5_text(&request.proof)?,
        };
        let email = request.email.as_deref();
        let username = match (&request.username, email) {
            (Some(username), _) => username.clone(),
            (None, email) => name_from(email.unwrap_or_default(), &self.ground.random),
        };
        let nickname = request.nickname.as_deref();
        let mut draft = Draft::new(&self.ground, &username, email, nickname)?;
        let place = self.shared.passwords.place().await?;
        self.begin_signup(None, draft.clone(), origin).await??;
        let verifier = place.hash(proof).await?;
        if door == AppDoor::Netdisk {
            draft.password_hash.clone_from(&verifier);
        }
        let ground = self.ground.clone();
        let finish = move |tx: &mut Tx<'_>| {
            let now_ms = ground.clock.now_ms();
            let account = make::insert(tx, &ground, &draft, now_ms)?;
            insert(tx, account.id, door, &verifier, now_ms)?;
            Ok(account)
        };
        self.ground.db.write(Lock::Global, finish).await
    }
}

/// What a password's verifier is made from, in the form that is hashed.
fn proof_of(password: &str, door: AppDoor) -> String {
    match door {
        AppDoor::Netdisk => typed_password(password),
        AppDoor::PyChat => data_encoding::HEXLOWER.encode(&Md5::digest(password.as_bytes())),
    }
}

/// What a client sent, in the form that is hashed.
fn normal_proof(proof: &str, door: AppDoor) -> String {
    match door {
        AppDoor::Netdisk => typed_password(proof),
        AppDoor::PyChat => typed_password(proof).to_ascii_lowercase(),
    }
}

fn md5_text(proof: &str) -> Result<String> {
    if proof.len() != 32 || !proof.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Error::invalid(
            "a password comes as 32 hexadecimal digits here",
        ));
    }
    Ok(proof.to_ascii_lowercase())
}

/// A username that is likely free, for somebody who has an e-mail address only. The digits are as many as a number's, so
/// that it tells nothing of who else is here.
fn name_from(email: &str, random: &Random) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let letters: String = local
        .chars()
        .skip_while(|c| !c.is_alphabetic())
        .filter(|c| c.is_alphanumeric())
        .take(NAME_CHARS_MAX)
        .collect();
    let letters = if letters.is_empty() {
        "member"
    } else {
        &letters
    };
    let digits = credential::NUMBER_MIN + random.below(credential::NUMBERS);
    format!("{letters}-{digits}")
}

/// What the account's password for a door is checked against.
pub(super) fn verifier(
    tx: &mut Tx<'_>,
    account: AccountId,
    door: AppDoor,
) -> sql::Result<Option<String>> {
    tx.opt(
        "SELECT verifier FROM app_password WHERE account_id = ?1 AND door = ?2",
        &[account.into(), door.text().into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    door: AppDoor,
    verifier: &str,
    now_ms: i64,
) -> sql::Result<u64> {
    tx.exec(
        "INSERT INTO app_password (account_id, door, verifier, created_ms) VALUES (?1, ?2, ?3, ?4)",
        &[
            account.into(),
            door.text().into(),
            verifier.into(),
            now_ms.into(),
        ],
    )
}

/// Removes a password and ends its session, which is returned. Nothing when there was no password.
fn remove(
    tx: &mut Tx<'_>,
    account: AccountId,
    door: AppDoor,
) -> sql::Result<Option<Vec<SessionId>>> {
    let removed = tx.opt(
        "DELETE FROM app_password WHERE account_id = ?1 AND door = ?2 RETURNING session_id",
        &[account.into(), door.text().into()],
        |row| Ok(Vec::from_iter(row.opt_id::<SessionId>(0)?)),
    )?;
    for session in removed.iter().flatten() {
        rows::end_session(tx, account, *session)?;
    }
    Ok(removed)
}

/// Removes all of an account's. Their sessions are the caller's to end.
pub(super) fn remove_all(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM app_password WHERE account_id = ?1",
        &[account.into()],
    )
}
