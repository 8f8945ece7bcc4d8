//! Making one's own account, and the first one.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::ErrorCode;
use wharf_types::api::account::{AccountRole, LoggedIn, Signup, SignupPolicy};

use super::credential::{code_hash, new_password};
use super::make::{self, Draft};
use super::session::Opening;
use super::{Accounts, attempt, invitation, rows};
use crate::caller::Origin;
use crate::error::{Error, Result};
use crate::{Ground, setting};

/// What lets a person make an account.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pass {
    /// The one-time code of the first start.
    Setup([u8; 32]),
    /// An invitation.
    Invitation([u8; 32]),
    /// Nothing is needed.
    Open,
}

impl Accounts {
    /// Makes an account with its personal room, and opens its first session.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Denied`: sign-up is closed, or the code is missing, wrong, used up or past its time.
    /// - `Exists`: the username or e-mail address is taken.
    /// - `Limited`: too many sign-ups from this address.
    pub async fn signup(&self, request: Signup, origin: Origin) -> Result<LoggedIn> {
        let opening = Opening::new(request.device.as_deref(), origin)?;
        let password = new_password(&request.password)?;
        let mut draft = Draft::new(
            &self.ground,
            &request.username,
            request.email.as_deref(),
            request.nickname.as_deref(),
        )?;
        let place = self.shared.passwords.place().await?;
        let pass = self
            .begin_signup(request.code, draft.clone(), origin)
            .await??;
        draft.password_hash = place.hash(password).await?;
        if matches!(pass, Pass::Setup(_)) {
            draft.role = AccountRole::Operator;
        }

        let ground = self.ground.clone();
        let now_ms = ground.clock.now_ms();
        let finish = move |tx: &mut Tx<'_>| {
            spend(tx, pass, now_ms)?;
            let account = make::insert(tx, &ground, &draft, now_ms)?;
            opening.open(tx, &ground, account, now_ms)
        };
        let logged_in = self.ground.act(Lock::Global, finish).await?;
        if matches!(pass, Pass::Setup(_)) {
            *self.shared.setup_code.lock() = None;
        }
        Ok(logged_in)
    }

    /// Counts the sign-up, and refuses before the costly hashing what can be refused. The inner result is a refusal that
    /// counts; without a valid pass nobody learns which names are taken.
    pub(super) async fn begin_signup(
        &self,
        code: Option<String>,
        draft: Draft,
        origin: Origin,
    ) -> Result<Result<Pass>> {
        let ground = self.ground.clone();
        let now_ms = ground.clock.now_ms();
        let limits = ground.config.attempts;
        let bounds = attempt::at_signup(&limits, origin.address);
        let begin = move |tx: &mut Tx<'_>| -> Result<Result<Pass>> {
            attempt::begin(tx, &bounds, &limits, now_ms, |_| Ok(false))?;
            let pass = match pass_of(tx, &ground, code.as_deref(), now_ms)? {
                Ok(pass) => pass,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match make::require_free(tx, &draft) {
                Err(refusal) if refusal.code() == ErrorCode::Exists => Ok(Err(refusal)),
                free => free.map(|()| Ok(pass)),
            }
        };
        self.ground.db.write(Lock::None, begin).await
    }
}

/// Finds what lets this person in. While there is no operator that is the one-time code, whatever the policy says.
fn pass_of(
    tx: &mut Tx<'_>,
    ground: &Ground,
    code: Option<&str>,
    now_ms: i64,
) -> sql::Result<Result<Pass>> {
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    if !rows::any_operator(tx)? {
        let expected = setting::get(tx, setting::SETUP_CODE_HASH)?;
        let hash = code.and_then(code_hash);
        return Ok(match hash.filter(|hash| expected == Some(hex(hash))) {
            Some(hash) => Ok(Pass::Setup(hash)),
            None => Err(Error::denied(
                "the operator's account comes first: it needs the one-time code that the server printed at its start",
            )),
        });
    }
    Ok(match (ground.config.signup, code) {
        (SignupPolicy::Open, _) => Ok(Pass::Open),
        (SignupPolicy::Closed, _) => Err(Error::denied(
            "sign-up is closed: ask the server's operator for an account",
        )),
        (SignupPolicy::Invitation, None) => Err(Error::denied(
            "sign-up needs an invitation: ask the server's operator for a code",
        )),
        (SignupPolicy::Invitation, Some(code)) => match code_hash(code) {
            Some(hash) if invitation::holds(tx, &hash, now_ms)? => Ok(Pass::Invitation(hash)),
            Some(_) | None => Err(no_such_invitation()),
        },
    })
}

/// Uses the pass up, in the transaction that makes the account: of several who hold the last use, one gets in.
fn spend(tx: &mut Tx<'_>, pass: Pass, now_ms: i64) -> Result<()> {
    let spent = match pass {
        Pass::Open => true,
        Pass::Invitation(hash) => invitation::spend(tx, &hash, now_ms)?,
        Pass::Setup(hash) => setting::take(tx, setting::SETUP_CODE_HASH, &hex(&hash))?,
    };
    if spent {
        Ok(())
    } else {
        Err(no_such_invitation())
    }
}

fn no_such_invitation() -> Error {
    Error::denied("this code is wrong, used up or past its time")
}

/// A hash as settings keep it.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(hash)
}
