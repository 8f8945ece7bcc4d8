//! The job that makes thumbnails of what comes into the drives, and deletes those of what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;
use wharf_store::sql::Lock;
use wharf_types::RoomId;

use super::rows::{self, NewContent};
use super::{Thumbnails, is_candidate};
use crate::error::{Error, Result};
use crate::job::{Job, Next};

/// Changes that are looked at in one unit, unless an image is among them.
const CHANGES_MAX: u32 = 500;
/// Rooms that a look at the heads brings.
const BEHIND_MAX: u32 = 1_000;
/// How long marks are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// How often all heads are looked at, and dead thumbnails looked for.
const LOOK_PERIOD: Duration = Duration::from_mins(10);
/// Dead thumbnails that are deleted in one unit.
const DEAD_MAX: u32 = 100;
/// Changes without an image after which the position is written down all the same.
const UNWRITTEN_MAX: u64 = 1_000;

/// Positions that are kept in memory.
const POSITIONS_MAX: usize = 10_000;

/// Follows the drives; see the module.
pub(crate) struct Follow {
    thumbnails: Thumbnails,
    /// Rooms that there is something to do in, as far as is known.
    pending: BTreeSet<RoomId>,
    /// How far rooms were followed: what is in the database, and what is true.
    positions: BTreeMap<RoomId, Position>,
    is_look_due: bool,
    is_sweep_due: bool,
    looked_at_count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    written: u64,
    at: u64,
}

impl Follow {
    pub(crate) fn new(thumbnails: Thumbnails) -> Self {
        Self {
            thumbnails,
            pending: BTreeSet::new(),
            positions: BTreeMap::new(),
            is_look_due: true,
            is_sweep_due: true,
            looked_at_count: 0,
        }
    }

    async fn look(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let rooms = self
                .thumbnails
                .ground
                .db
                .read(move |tx| Ok::<_, Error>(rows::behind(tx, after, BEHIND_MAX)?))
                .await?;
            after = rooms.last().copied();
            let is_all = rooms.len() < BEHIND_MAX as usize;
            self.pending.extend(rooms);
            if is_all {
                self.is_look_due = false;
                return Ok(());
            }
        }
    }

    /// Follows a room up to its next image, or for some changes, and says whether there is more.
    async fn follow(&mut self, room: RoomId) -> Result<bool> {
        let db = self.thumbnails.ground.db.clone();
        let position = if let Some(position) = self.positions.get(&room) {
            *position
        } else {
            let read =
                move |tx: &mut wharf_store::sql::Tx<'_>| Ok::<_, Error>(rows::followed(tx, room)?);
            let at = db.read(read).await?;
            Position { written: at, at }
        };
        let read = move |tx: &mut wharf_store::sql::Tx<'_>| {
            Ok::<_, Error>(rows::new_contents(tx, room, position.at, CHANGES_MAX)?)
        };
        let (contents, last, is_more) = db.read(read).await?;
        let is_image = |new: &&NewContent| is_candidate(&new.name, new.bytes);
        let image = contents.iter().find(is_image);
        let at = image.map_or(last, |image| image.position);
        if let Some(image) = image {
            match self.thumbnails.look(room, image).await {
                // A damaged file must not hold up the others; whoever asks for it is told.
                Err(error) if error.code() == wharf_types::ErrorCode::Corrupt => {
                    tracing::warn!(%room, position = image.position, ?error, "no thumbnail of a damaged file");
                }
                looked => looked?,
            }
            self.looked_at_count += 1;
        }
        let mut position = Position { at, ..position };
        if image.is_some() || position.at - position.written > UNWRITTEN_MAX {
            let write = move |tx: &mut wharf_store::sql::Tx<'_>| {
                Ok::<_, Error>(rows::set_followed(tx, room, at)?)
            };
            db.write(Lock::None, write).await?;
            position.written = at;
        }
        if self.positions.len() >= POSITIONS_MAX {
            self.positions.clear();
        }
        self.positions.insert(room, position);
        Ok(is_more || at < last)
    }
}

impl Job for Follow {
    fn name(&self) -> &'static str {
        "thumbnails"
    }

    async fn work(&mut self) -> Result<Next> {
        self.pending.extend(self.thumbnails.ground.drawn.take());
        if self.is_look_due {
            self.look().await?;
        }
        if let Some(room) = self.pending.first().copied() {
            if !self.follow(room).await? {
                self.pending.remove(&room);
            }
            return Ok(Next::Again);
        }
        if self.is_sweep_due {
            self.is_sweep_due = self.thumbnails.sweep(DEAD_MAX).await? == DEAD_MAX as usize;
            return Ok(Next::Again);
        }
        Ok(Next::Wait)
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.thumbnails.ground.drawn.rung() => sleep(GATHER).await,
            () = sleep(LOOK_PERIOD) => {
                self.is_look_due = true;
                self.is_sweep_due = true;
            }
        }
    }

    fn start_delay(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn progress(&self) -> Option<String> {
        Some(format!(
            "{} rooms to look at; {} images since the start",
            self.pending.len(),
            self.looked_at_count
        ))
    }
}
