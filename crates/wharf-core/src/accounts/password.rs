//! Hashing passwords: argon2id, a few at a time, away from the threads that answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
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

/// For each password that is being hashed, how many people may be between the beginning and the end of what they hash it
/// for, so that hashing goes on while the others' transactions become durable.
const PLACES_PER_TURN: usize = 2;

/// Hashes and verifies passwords, for those who have a [`Place`].
pub(super) struct Passwords {
    places: Semaphore,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    done: Arc<AtomicU64>,
    hasher: Arc<Argon2<'static>>,
    random: Random,
}

/// Permission to begin something that hashes a password, held until that is over.
///
/// It is taken before the attempt is counted. As there are only a few, the attempts of one person that are under way are
/// fewer than failures are let through, and many devices that log in at once wait instead of being taken for an attack.
pub(super) struct Place<'a> {
    passwords: &'a Passwords,
    _permit: SemaphorePermit<'a>,
}

impl Passwords {
    /// Prepares to hash `at_once` passwords at the same time.
    pub(super) fn new(at_once: usize, random: Random) -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|error| Error::internal(format!("argon2 parameters: {error}")))?;
        let at_once = at_once.max(1);
        Ok(Self {
            places: Semaphore::new(PLACES_PER_TURN * at_once),
            turns: Arc::new(Semaphore::new(at_once)),
            waiting: AtomicUsize::new(0),
            done: Arc::default(),
            hasher: Arc::new(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)),
            random,
        })
    }

    /// How many passwords were hashed, to be stored or to be compared.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `Limited`: too many wait already.
    pub(super) async fn place(&self) -> Result<Place<'_>> {
        let _waiting = Waiting::enter(&self.waiting)?;
        match self.places.acquire().await {
            Ok(permit) => Ok(Place {
                passwords: self,
                _permit: permit,
            }),
            Err(_) => Err(Error::internal("the places of password hashing are closed")),
        }
    }
}

impl Place<'_> {
    /// Hashes a new password into the text that is stored.
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        let salt: [u8; SALT_BYTES] = self.passwords.random.bytes();
        self.work(move |hasher| {
            hasher
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|error| Error::internal(format!("cannot hash a password: {error}")))
        })
        .await
    }

    /// Says whether `password` is the one that `stored` was made from. Where there is none to compare with it does the
    /// same work and says no, so that the time tells nobody which logins exist; an empty `stored` is none, that of an
    /// account without a password of its own.
    pub(super) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        self.work(move |hasher| {
            let Some(stored) = stored.filter(|stored| !stored.is_empty()) else {
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

    /// Works on a thread that may block. The turn goes there too: it is not given back early when whoever asked goes away.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.passwords.turns).acquire_owned().await;
        let turn: OwnedSemaphorePermit =
            turn.map_err(|_| Error::internal("the turns of password hashing are closed"))?;
        let hasher = Arc::clone(&self.passwords.hasher);
        let done = Arc::clone(&self.passwords.done);
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = work(&hasher);
            done.fetch_add(1, Ordering::SeqCst);
            drop(turn);
            outcome
        })
        .await;
        outcome
            .map_err(|error| Error::internal("hashing a password was cut short").because(error))?
    }
}

/// One of those who wait, until it does not any more.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use wharf_types::ErrorCode;

    use super::{Passwords, WAITING_MAX};
    use crate::random::Random;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(2, Random::seeded(1)).unwrap();
        let place = passwords.place().await.unwrap();
        let right = || "open sesame".to_owned();
        let hash = place.hash(right()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(place.verify(right(), Some(hash.clone())).await.unwrap());
        assert!(
            !place
                .verify("open barley".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!place.verify(right(), None).await.unwrap());
        assert!(
            !place
                .verify(String::new(), Some(String::new()))
                .await
                .unwrap()
        );
        assert_ne!(place.hash(right()).await.unwrap(), hash, "salted");
        assert_eq!(passwords.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_damaged_hash_is_a_fault_and_no_wrong_password() {
        let passwords = Passwords::new(1, Random::seeded(1)).unwrap();
        let place = passwords.place().await.unwrap();
        let error = place
            .verify("x".into(), Some("$argon2id$oops".into()))
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal);
    }

    #[tokio::test]
    async fn a_queue_that_is_full_turns_the_next_one_away() {
        let passwords = Passwords::new(1, Random::seeded(1)).unwrap();
        passwords.waiting.store(WAITING_MAX, Ordering::SeqCst);
        let error = passwords.place().await.err().unwrap();
        assert_eq!(
            (error.code(), error.retry_after_seconds()),
            (ErrorCode::Limited, Some(3))
        );
        assert_eq!(
            passwords.waiting.load(Ordering::SeqCst),
            WAITING_MAX,
            "it waits no more"
        );
    }
}
