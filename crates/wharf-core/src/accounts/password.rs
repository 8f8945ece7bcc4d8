//! Hashing passwords: argon2id, a few at a time, away from the threads that answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_types::ErrorCode;

use crate::error::{Error, Result};
use crate::random::Random;

/// OWASP's second choice for argon2id: 19 MiB, two passes, one lane. About 25 ms of one core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// How many may wait for their turn before the next one is turned away: a few seconds' work.
const WAITING_MAX: usize = 256;

/// Hashes and verifies passwords.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    hasher: Arc<Argon2<'static>>,
    random: Random,
}

impl Passwords {
    /// Prepares to hash `at_once` passwords at the same time.
    pub(super) fn new(at_once: usize, random: Random) -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|error| Error::internal(format!("argon2 parameters: {error}")))?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            waiting: AtomicUsize::new(0),
            hasher: Arc::new(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)),
            random,
        })
    }

    /// Hashes a new password into the text that is stored.
    ///
    /// # Errors
    /// `Limited`: too many wait already.
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        let turn = self.turn().await?;
        let hasher = Arc::clone(&self.hasher);
        let salt: [u8; SALT_BYTES] = self.random.bytes();
        on_blocking_thread(turn, move || {
            hasher
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|error| Error::internal(format!("cannot hash a password: {error}")))
        })
        .await
    }

    /// Says whether `password` is the one that `stored` was made from. Where there is none to compare with it does the
    /// same work and says no, so that the time tells nobody which logins exist.
    ///
    /// # Errors
    /// `Limited`: too many wait already.
    pub(super) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        let turn = self.turn().await?;
        let hasher = Arc::clone(&self.hasher);
        on_blocking_thread(turn, move || {
            let Some(stored) = stored else {
                return hasher
                    .hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES])
                    .map(|_| false)
                    .map_err(|error| Error::internal(format!("cannot hash a password: {error}")));
            };
            let stored = PasswordHash::new(&stored).map_err(|error| {
                Error::internal(format!("a stored password hash is damaged: {error}"))
            })?;
            Ok(hasher.verify_password(password.as_bytes(), &stored).is_ok())
        })
        .await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map_err(|_| Error::internal("the turns of password hashing are closed"))
    }
}

/// A place in the queue, given back however the wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Result<Self> {
        let place = Self(count);
        if count.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            return Err(Error::new(
                ErrorCode::Limited,
                "too many people are logging in right now: try again",
            )
            .retry_after(3));
        }
        Ok(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The turn goes with the work: it is not given back early when whoever asked goes away.
async fn on_blocking_thread<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let outcome = work();
        drop(turn);
        outcome
    })
    .await;
    done.map_err(|error| Error::internal("hashing a password was cut short").because(error))?
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use wharf_types::ErrorCode;

    use super::{Passwords, WAITING_MAX};
    use crate::random::Random;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(2, Random::seeded(1)).unwrap();
        let hash = passwords.hash("open sesame".into()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(
            passwords
                .verify("open sesame".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("open barley".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("open sesame".into(), None).await.unwrap());
        assert_ne!(
            passwords.hash("open sesame".into()).await.unwrap(),
            hash,
            "salted"
        );
        assert_eq!(passwords.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_damaged_hash_is_a_fault_and_no_wrong_password() {
        let passwords = Passwords::new(1, Random::seeded(1)).unwrap();
        let error = passwords
            .verify("x".into(), Some("$argon2id$oops".into()))
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal);
    }

    #[tokio::test]
    async fn a_queue_that_is_full_turns_the_next_one_away() {
        let passwords = Passwords::new(1, Random::seeded(1)).unwrap();
        passwords.waiting.store(WAITING_MAX, Ordering::SeqCst);
        let error = passwords.hash("open sesame".into()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.retry_after_seconds()),
            (ErrorCode::Limited, Some(3))
        );
        assert_eq!(
            passwords.waiting.load(Ordering::SeqCst),
            WAITING_MAX,
            "the place was given back"
        );
    }
}
