//! The house: every rule of Wharf, once, and no protocol.
//!
//! [`Wharf`] is the whole of it; its parts are reached from there. Every operation takes a [`Caller`], which only
//! [`accounts::Accounts::authenticate`] makes for a person, checks access inside its transaction on what it finds there,
//! and answers with its outcome or one [`Error`].

mod access;
pub mod accounts;
mod caller;
mod clock;
mod config;
pub mod drive;
mod error;
pub mod job;
mod random;
mod setting;
pub mod transfer;

use std::sync::Arc;

use wharf_store::blob::Blob;
use wharf_store::chunk::{self, ChunkStore};
use wharf_store::sql::Db;

pub use caller::{Caller, Door, InternalRole, Origin, Person, Scope};
pub use clock::Clock;
pub use config::{AttemptLimits, HouseConfig};
pub use error::{Error, Result};
pub use random::Random;

use accounts::Accounts;
use drive::Drives;
use job::Jobs;
use transfer::Transfers;

/// A house on its ground. Clones are the same house.
#[derive(Clone)]
pub struct Wharf {
    ground: Ground,
    accounts: Accounts,
    drive: Drives,
    transfers: Transfers,
    jobs: Jobs,
}

/// What every part of the house stands on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) db: Db,
    pub(crate) chunks: ChunkStore,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) config: Arc<HouseConfig>,
}

impl Wharf {
    /// Opens the house on a database and an object store, making what a first start needs: the server's epoch and the
    /// operator's one-time code. No job runs until [`Wharf::start_jobs`].
    ///
    /// # Errors
    /// `Unavailable` or `Internal` when the database cannot be read or written.
    pub async fn open(
        config: HouseConfig,
        db: Db,
        blob: Arc<dyn Blob>,
        clock: Clock,
        random: Random,
    ) -> Result<Self> {
        let segment_random = random.clone();
        let options = chunk::Options {
            grace_ms: i64::from(config.chunk_grace_hours) * 3_600_000,
            random: Arc::new(move || segment_random.bytes()),
        };
        let ground = Ground {
            chunks: ChunkStore::new(db.clone(), blob, options),
            db,
            clock: clock.clone(),
            random,
            config: Arc::new(config),
        };
        let drive = Drives::new(ground.clone());
        Ok(Self {
            accounts: Accounts::open(ground.clone()).await?,
            transfers: Transfers::new(ground.clone(), drive.clone()),
            jobs: Jobs::new(clock),
            drive,
            ground,
        })
    }

    /// Accounts, sessions and invitations.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The drives of all rooms.
    pub fn drive(&self) -> &Drives {
        &self.drive
    }

    /// Moving content up and down.
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// Background work.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Starts the jobs that keep the house in order; call it once. End them with [`Jobs::stop`].
    pub fn start_jobs(&self) {
        job::start_all(&self.jobs, &self.ground, &self.accounts, &self.drive);
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.ground.db
    }

    /// The chunks.
    pub fn chunks(&self) -> &ChunkStore {
        &self.ground.chunks
    }

    /// The house's clock.
    pub fn clock(&self) -> &Clock {
        &self.ground.clock
    }
}
