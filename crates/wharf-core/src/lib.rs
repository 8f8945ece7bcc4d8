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
pub mod contact;
pub mod diary;
pub mod drive;
mod error;
pub mod hook;
pub mod job;
pub mod journal;
pub mod live;
pub mod log;
mod many;
pub mod portage;
pub mod push;
mod random;
pub mod room;
pub mod search;
mod setting;
mod storage;
mod text;
pub mod thumbnail;
pub mod transfer;
mod zone;

use std::sync::Arc;

use tokio::sync::Notify;
use wharf_store::blob::Blob;
use wharf_store::chunk::{self, ChunkStore};
use wharf_store::sql::{Db, Lock, Tx};

pub use caller::{Caller, Door, InternalRole, Origin, Person, Scope};
pub use clock::Clock;
pub use config::{AttemptLimits, HouseConfig, JournalLimits, MessageLimits, Outgoing};
pub use error::{Error, Result};
pub use random::Random;
pub use zone::local_time;

use accounts::Accounts;
use contact::Contacts;
use diary::Diaries;
use drive::Drives;
use hook::Hooks;
use job::Jobs;
use journal::Journal;
use live::{Live, Notices};
use log::Logs;
use portage::Portage;
use push::{Pushes, Spoken};
use room::Rooms;
use search::{Marks, Search};
use thumbnail::Thumbnails;
use transfer::Transfers;

/// A house on its ground. Clones are the same house.
#[derive(Clone)]
pub struct Wharf {
    ground: Ground,
    accounts: Accounts,
    contacts: Contacts,
    rooms: Rooms,
    logs: Logs,
    diaries: Diaries,
    drive: Drives,
    transfers: Transfers,
    thumbnails: Thumbnails,
    search: Search,
    hooks: Hooks,
    journal: Journal,
    portage: Portage,
    pushes: Pushes,
    jobs: Jobs,
}

/// What every part of the house stands on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) db: Db,
    pub(crate) chunks: ChunkStore,
    /// For objects that are no chunks and may be lost.
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) config: Arc<HouseConfig>,
    pub(crate) live: Live,
    /// Rooms that the search has to look at.
    pub(crate) marks: Marks,
    /// Rooms whose drives the thumbnails have to look at.
    pub(crate) drawn: Marks,
    /// Rings when a log was written to, for the webhooks.
    pub(crate) said: Arc<Notify>,
    /// What the notices have to look at.
    pub(crate) spoken: Arc<Spoken>,
}

impl Ground {
    /// Runs `work` in a transaction and, once it is durable, announces what it changed, though the caller's future be
    /// dropped meanwhile.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        lock: Lock,
        work: impl FnMut(&mut Tx<'_>) -> Result<(T, Notices)> + Send + 'static,
    ) -> Result<T> {
        let (db, live, marks) = (self.db.clone(), self.live.clone(), self.marks.clone());
        let (said, drawn) = (Arc::clone(&self.said), self.drawn.clone());
        let spoken = Arc::clone(&self.spoken);
        let acting = tokio::spawn(async move {
            let (outcome, notices) = db.write(lock, work).await?;
            marks.add(notices.written());
            drawn.add(notices.drawn());
            let has_said = !notices.entries.is_empty();
            if has_said {
                said.notify_one();
                spoken.add(&notices.entries);
            }
            live.announce(notices);
            if has_said {
                // Lets the feeds tell it first, so that who said it is told of it in the same write as the answer.
                tokio::task::yield_now().await;
            }
            Ok(outcome)
        });
        acting
            .await
            .map_err(|error| Error::internal("an operation was cut off").because(error))?
    }
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
        let config = Arc::new(config);
        let live = Live::new(db.clone(), clock.clone(), &random, Arc::clone(&config));
        let ground = Ground {
            live,
            marks: Marks::default(),
            drawn: Marks::default(),
            said: Arc::default(),
            spoken: Arc::new(Spoken::new(config.push != Outgoing::Off)),
            chunks: ChunkStore::new(db.clone(), Arc::clone(&blob), options),
            blob,
            db,
            clock: clock.clone(),
            random,
            config,
        };
        let drive = Drives::new(ground.clone());
        let logs = Logs::new(ground.clone());
        Ok(Self {
            accounts: Accounts::open(ground.clone()).await?,
            contacts: Contacts::new(ground.clone()),
            rooms: Rooms::new(ground.clone()),
            diaries: Diaries::new(ground.clone()),
            search: Search::new(ground.clone()),
            hooks: Hooks::new(ground.clone(), logs.clone()),
            journal: Journal::new(ground.clone(), logs.clone()),
            logs,
            portage: Portage::new(ground.clone()),
            pushes: Pushes::new(ground.clone()),
            transfers: Transfers::new(ground.clone(), drive.clone()),
            thumbnails: Thumbnails::new(ground.clone(), drive.clone()),
            jobs: Jobs::new(clock),
            drive,
            ground,
        })
    }

    /// Accounts, sessions and invitations.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Contacts and their groups.
    pub fn contacts(&self) -> &Contacts {
        &self.contacts
    }

    /// Rooms, memberships and the account's own list.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// The logs of all rooms.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Logs as journals.
    pub fn diaries(&self) -> &Diaries {
        &self.diaries
    }

    /// Search.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// Webhooks.
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Writing without a session: keys of the journal over UDP, and the addresses of old diaries.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Export and import.
    pub fn portage(&self) -> &Portage {
        &self.portage
    }

    /// Notices by Web Push.
    pub fn pushes(&self) -> &Pushes {
        &self.pushes
    }

    /// Connections, presence, and what is told as it happens.
    pub fn live(&self) -> &Live {
        &self.ground.live
    }

    /// The drives of all rooms.
    pub fn drive(&self) -> &Drives {
        &self.drive
    }

    /// Moving content up and down.
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// Thumbnails of images.
    pub fn thumbnails(&self) -> &Thumbnails {
        &self.thumbnails
    }

    /// Background work.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Starts the jobs that keep the house in order; call it once. End them with [`Jobs::stop`].
    pub fn start_jobs(&self) {
        self.ground.live.start();
        job::start_all(self);
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
