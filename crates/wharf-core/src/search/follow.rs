//! The job that keeps the index up to date, and how it is told where to look.
//!
//! A transaction that is durable marks its rooms; the job gathers the marks of a moment and follows those rooms. What
//! another process wrote, or this one before it was started, is found by a look at all rooms' heads, which costs little and
//! is done seldom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;
use wharf_store::search::clear;
use wharf_store::sql::{Lock, Tx};
use wharf_types::RoomId;

use super::step::{Step, behind};
use crate::error::Result;
use crate::job::{Job, Next};
use crate::{Ground, setting};

/// The form of the index. Another one than the database has, and it is made anew.
const VERSION: &str = "1";
/// Rooms that are followed in one step.
const ROOMS_MAX: usize = 32;
/// Rooms that a look at the heads brings.
const BEHIND_MAX: u32 = 1_000;
/// How long marks are gathered.
const GATHER: Duration = Duration::from_millis(100);
/// How often all heads are looked at.
const LOOK_PERIOD: Duration = Duration::from_secs(10);

/// Rooms that were written to. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(Arc<Marked>);

#[derive(Debug, Default)]
struct Marked {
    rooms: Mutex<BTreeSet<RoomId>>,
    bell: Notify,
}

impl Marks {
    /// Says that rooms were written to.
    pub(crate) fn add(&self, rooms: impl Iterator<Item = RoomId>) {
        let mut marked = self.0.rooms.lock();
        let before = marked.len();
        marked.extend(rooms);
        if marked.len() > before {
            drop(marked);
            self.0.bell.notify_one();
        }
    }

    /// The rooms that were marked since the last time.
    pub(crate) fn take(&self) -> BTreeSet<RoomId> {
        std::mem::take(&mut *self.0.rooms.lock())
    }

    /// Returns once there are marks. May be dropped and called anew.
    pub(crate) async fn rung(&self) {
        self.0.bell.notified().await;
    }
}

/// Follows the rooms; see the module.
pub(crate) struct Follow {
    ground: Ground,
    /// Rooms that there is something to do in, as far as is known.
    pending: BTreeSet<RoomId>,
    is_look_due: bool,
    is_checked: bool,
    followed_count: u64,
    /// Writes of the database when it was looked last.
    written: u64,
}

impl Follow {
    pub(crate) fn new(ground: Ground) -> Self {
        Self {
            ground,
            pending: BTreeSet::new(),
            is_look_due: true,
            is_checked: false,
            followed_count: 0,
            written: 0,
        }
    }

    /// Whether anybody else wrote to the database since this was asked last: a step of the job is one write.
    fn has_company(&mut self) -> bool {
        let stats = self.ground.db.stats();
        let written = stats.writes + stats.writes_failed;
        let before = std::mem::replace(&mut self.written, written);
        written > before + 1 || stats.writes_queued > 0
    }

    /// Makes the index anew if it has another form.
    async fn check_version(&mut self) -> Result<()> {
        let version = self
            .ground
            .db
            .read(|tx| setting::get(tx, setting::SEARCH_VERSION))
            .await?;
        if version.as_deref() != Some(VERSION) {
            remake(&self.ground).await?;
        }
        self.is_checked = true;
        Ok(())
    }

    async fn look(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let find = move |tx: &mut Tx<'_>| behind(tx, after, BEHIND_MAX);
            let rooms = self.ground.db.read(find).await?;
            after = rooms.last().copied();
            let is_all = rooms.len() < BEHIND_MAX as usize;
            self.pending.extend(rooms);
            if is_all {
                self.is_look_due = false;
                return Ok(());
            }
        }
    }
}

impl Job for Follow {
    fn name(&self) -> &'static str {
        "search"
    }

    async fn work(&mut self) -> Result<Next> {
        if !self.is_checked {
            self.check_version().await?;
        }
        self.pending.extend(self.ground.marks.take());
        if self.is_look_due {
            self.look().await?;
        }
        let rooms: Vec<RoomId> = self.pending.iter().copied().take(ROOMS_MAX).collect();
        if !rooms.is_empty() {
            let more = follow(&self.ground, rooms.clone()).await?;
            for room in &rooms {
                self.pending.remove(room);
            }
            self.followed_count += (rooms.len() - more.len()) as u64;
            self.pending.extend(more);
        }
        let has_company = self.has_company();
        Ok(match (self.pending.is_empty(), has_company) {
            (true, _) => Next::Wait,
            (false, true) => Next::Again,
            (false, false) => Next::Freely,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.ground.marks.rung() => sleep(GATHER).await,
            () = sleep(LOOK_PERIOD) => self.is_look_due = true,
        }
    }

    fn start_delay(&self) -> Duration {
        Duration::ZERO
    }

    /// A step keeps nobody waiting for long, and who writes wants to find it.
    fn pace_percent(&self) -> u32 {
        50
    }

    fn progress(&self) -> Option<String> {
        Some(format!(
            "{} rooms are behind; {} followed since the start",
            self.pending.len(),
            self.followed_count
        ))
    }
}

/// Follows some rooms, in the order of their ids, for one step, and returns those that there is more to do in.
async fn follow(ground: &Ground, rooms: Vec<RoomId>) -> Result<Vec<RoomId>> {
    let plan = move |tx: &mut Tx<'_>| -> Result<Step> { Ok(Step::plan(tx, &rooms)?) };
    let step = ground.db.read(plan).await?;
    if step.is_empty() {
        return Ok(step.more);
    }
    let write = move |tx: &mut Tx<'_>| -> Result<Vec<RoomId>> {
        if step.write(tx)? {
            return Ok(step.more.clone());
        }
        let rooms: BTreeSet<RoomId> = step.rooms().chain(step.more.iter().copied()).collect();
        Ok(rooms.into_iter().collect())
    };
    ground.db.write(Lock::None, write).await
}

/// Follows a room to its end, or for `steps_max` steps.
pub(crate) async fn follow_room(ground: &Ground, room: RoomId, steps_max: u32) -> Result<()> {
    for _ in 0..steps_max {
        if follow(ground, vec![room]).await?.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Follows every room to its end and returns how many were behind.
pub(super) async fn follow_all(ground: &Ground) -> Result<u64> {
    let mut job = Follow::new(ground.clone());
    job.is_checked = true;
    job.look().await?;
    while job.work().await? != Next::Wait {}
    Ok(job.followed_count)
}

/// Forgets the index, room by room; it is made again from the logs and drives.
pub(super) async fn remake(ground: &Ground) -> Result<()> {
    loop {
        let clear_one = |tx: &mut Tx<'_>| -> Result<bool> {
            let room = tx.opt("SELECT room_id FROM search_room LIMIT 1", &[], |row| {
                row.id::<RoomId>(0)
            })?;
            if let Some(room) = room {
                clear(tx, Some(room))?;
                return Ok(true);
            }
            setting::put(tx, setting::SEARCH_VERSION, VERSION)?;
            Ok(false)
        };
        if !ground.db.write(Lock::Global, clear_one).await? {
            return Ok(());
        }
    }
}
