//! Accounts, sessions, invitations, and the operator's view of them.
//!
//! Secrets are stored as hashes only: passwords by argon2id, tokens and codes, which are random, by BLAKE3. What protects
//! them from guessing is in [`attempt`], what makes [`Accounts::authenticate`] cheap is in [`cache`].

mod admin;
mod app_password;
mod attempt;
mod cache;
mod credential;
mod door_note;
mod invitation;
mod jwt;
mod login;
mod make;
mod password;
mod rows;
mod session;
mod signup;
mod standing;
mod ticket;

use std::sync::Arc;

use parking_lot::Mutex;
use wharf_store::sql::{Lock, Tx};
use wharf_types::AccountId;
use wharf_types::api::account::{Account, ServerInfo};
use wharf_types::api::room::Person;

pub use admin::Admin;
pub use app_password::{AppLogin, DoorSignup};
pub(crate) use credential::{code_hash, new_code};
pub use jwt::SharedKey;
pub(crate) use rows::account;

use crate::access::session_ended;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::{Ground, contact, room, setting, transfer};
use cache::SessionCache;
use credential::LoginName;
use password::Passwords;
use ticket::Tickets;

/// The version that the server says it is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Accounts, sessions and invitations of a house. Clones share them.
#[derive(Clone)]
pub struct Accounts {
    ground: Ground,
    shared: Arc<Shared>,
}

struct Shared {
    passwords: Passwords,
    cache: SessionCache,
    tickets: Tickets,
    /// The one-time code that makes the operator's account, while there is none.
    setup_code: Mutex<Option<String>>,
}

impl Accounts {
    /// Makes what a first start needs: the epoch, and a one-time code while there is no operator.
    pub(crate) async fn open(ground: Ground) -> Result<Self> {
        let passwords =
            Passwords::new(ground.config.password_hashes_at_once, ground.random.clone())?;
        let epoch = new_epoch(&ground);
        let code = new_code(&ground.random);
        let hash = signup::hex(&code.hash);
        let fresh_key = ground.random.bytes();
        let prepare = move |tx: &mut Tx<'_>| -> Result<(bool, Tickets)> {
            if setting::get(tx, setting::EPOCH)?.is_none() {
                setting::put(tx, setting::EPOCH, &epoch)?;
            }
            let needs_setup = !rows::any_operator(tx)?;
            if needs_setup {
                setting::put(tx, setting::SETUP_CODE_HASH, &hash)?;
            }
            Ok((needs_setup, Tickets::open(tx, &fresh_key)?))
        };
        let (needs_setup, tickets) = ground.db.write(Lock::Global, prepare).await?;
        let shared = Shared {
            passwords,
            cache: SessionCache::default(),
            tickets,
            setup_code: Mutex::new(needs_setup.then_some(code.text)),
        };
        Ok(Self {
            ground,
            shared: Arc::new(shared),
        })
    }

    /// What anybody may know of the server.
    pub async fn info(&self) -> Result<ServerInfo> {
        let read = |tx: &mut Tx<'_>| -> Result<(Option<String>, bool)> {
            Ok((setting::get(tx, setting::EPOCH)?, !rows::any_operator(tx)?))
        };
        let (epoch, needs_setup) = self.ground.db.read(read).await?;
        Ok(ServerInfo {
            version: VERSION.to_owned(),
            epoch: epoch.unwrap_or_default(),
            signup: self.ground.config.signup,
            needs_setup,
            time_ms: self.ground.clock.now_ms(),
        })
    }

    /// The one-time code that makes the operator's account, until that is made.
    ///
    /// Only its hash is stored, so each start makes another one, and the one made last holds.
    pub fn setup_code(&self) -> Option<String> {
        self.shared.setup_code.lock().clone()
    }

    /// How many passwords were hashed since the start, to be stored or to be compared: the costliest thing that a
    /// stranger can ask for.
    pub fn passwords_hashed(&self) -> u64 {
        self.shared.passwords.done()
    }

    /// The caller's account.
    pub async fn account(&self, caller: &Caller) -> Result<Account> {
        let id = caller.account()?;
        let found = self.ground.db.read(move |tx| account(tx, id)).await?;
        found.ok_or_else(session_ended)
    }

    /// Gives the server another epoch, which tells every client that its data may have gone back in time. For whoever
    /// restores a backup, before the server runs on it.
    pub async fn renew_epoch(&self) -> Result<String> {
        let epoch = new_epoch(&self.ground);
        let write = move |tx: &mut Tx<'_>| -> Result<String> {
            setting::put(tx, setting::EPOCH, &epoch)?;
            Ok(epoch.clone())
        };
        self.ground.db.write(Lock::Global, write).await
    }

    /// Deletes sessions, counts, invitations, links and unfinished uploads whose time is over, `rows_max` of each at most. Returns the greatest
    /// of the numbers.
    pub(crate) async fn expire(&self, rows_max: u32) -> Result<u64> {
        let now_ms = self.ground.clock.now_ms();
        let limits = self.ground.config.attempts;
        let seen_since_ms = self.sessions_seen_since_ms(now_ms);
        let expire = move |tx: &mut Tx<'_>| {
            let sessions = rows::expire_sessions(tx, seen_since_ms, rows_max)?;
            let sessions_count = sessions.len() as u64;
            let attempts = attempt::expire(tx, &limits, now_ms, rows_max)?;
            let invitations = invitation::expire(tx, now_ms, rows_max)?;
            let links = room::expire_links(tx, now_ms, rows_max)?;
            let uploads = transfer::expire_assemblies(tx, now_ms, rows_max)?;
            let count = [sessions_count, attempts, invitations, links, uploads];
            let count = count.into_iter().max().unwrap_or(0);
            Ok((count, Notices::of_sessions(sessions)))
        };
        self.ground.act(Lock::None, expire).await
    }
}

fn new_epoch(ground: &Ground) -> String {
    data_encoding::HEXLOWER.encode(&ground.random.bytes::<16>())
}

/// Finds somebody by what a person types to say who is meant, for `account`, which is counted. The inner result is a
/// refusal that counts.
///
/// # Errors
/// - `NotFound`: nobody is called so.
/// - `Limited`: the account has looked for too many people lately.
pub(crate) fn find_by_login(
    tx: &mut Tx<'_>,
    ground: &Ground,
    account: AccountId,
    who: &str,
) -> Result<Result<Person>> {
    let limits = &ground.config.attempts;
    let bounds = attempt::at_find(limits, account);
    attempt::begin(tx, &bounds, limits, ground.clock.now_ms(), |_| Ok(false))?;
    let found = match LoginName::parse(who) {
        Some(login) => rows::account_by_login(tx, &login)?,
        None => None,
    };
    let Some(found) = found else {
        return Ok(Err(Error::not_found("there is nobody by this name")));
    };
    let person = contact::person(tx, found.account.id)?;
    Ok(person.ok_or_else(|| Error::not_found("there is nobody by this name")))
}
