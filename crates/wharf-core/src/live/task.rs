//! What the live side does by itself: moving feeds on, looking at presence, pinging, and asking the database what no
//! announcement said. The tasks start with the house's jobs or the first connection, and end with the house.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use wharf_types::RoomId;
use wharf_types::api::contact::Status;

use super::feed::{HELD_ENTRIES_MAX, Reached, Want};
use super::hint::Hint;
use super::hub::Hub;
use super::presence::Looked;
use super::{HEARTBEAT, rows};
use crate::error::Result;

/// How long hints are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(3);
/// How often the heads of followed rooms and lists are looked at where other processes write too.
const LOOK: Duration = Duration::from_secs(2);
/// How often sessions are looked at.
const SESSIONS_SECONDS: u64 = 30;
/// How often it is recorded that visible accounts are here, against a crash.
const SEEN_SECONDS: u64 = 600;
/// Rooms whose logs are read in one transaction.
const ROOMS_AT_ONCE: usize = 32;
/// How soon a feed is looked at again that misses an entry.
const LATER: Duration = Duration::from_millis(20);
/// A pause after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);

/// The tasks that run.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<Option<JoinSet<()>>>);

/// Starts the tasks, if they do not run.
pub(super) fn ensure(hub: &Arc<Hub>) {
    let mut tasks = hub.tasks.0.lock();
    if tasks.is_some() {
        return;
    }
    let mut set = JoinSet::new();
    set.spawn(move_feeds(Arc::downgrade(hub), Arc::clone(&hub.move_on)));
    set.spawn(tick(Arc::downgrade(hub)));
    if hub.hints.has_others() {
        let heard = Arc::downgrade(hub);
        hub.hints.listen(&hub.db, move |from, hint| {
            if let Some(hub) = heard.upgrade() {
                hear(&hub, from, hint);
            }
        });
        set.spawn(send_hints(
            Arc::downgrade(hub),
            Arc::clone(&hub.hints.some_wait),
        ));
        set.spawn(look_at_heads(Arc::downgrade(hub)));
    }
    *tasks = Some(set);
}

/// Looks at presence a last time and ends the tasks.
pub(super) async fn close(hub: &Arc<Hub>) {
    let tasks = hub.tasks.0.lock().take();
    if let Some(mut tasks) = tasks {
        look_at_presence(hub).await;
        hub.hints.flush();
        tasks.shutdown().await;
    }
}

/// Moves feeds on as they have something to tell.
async fn move_feeds(hub: Weak<Hub>, wanted: Arc<Notify>) {
    let mut later: Vec<RoomId> = Vec::new();
    loop {
        if later.is_empty() {
            wanted.notified().await;
        } else {
            // Woken or not, whoever waits is looked at again.
            drop(timeout(LATER, wanted.notified()).await);
        }
        let Some(hub) = hub.upgrade() else { return };
        later = move_on(&hub, later).await;
    }
}

/// Moves the feeds on that have something to tell. Returns those to look at again.
async fn move_on(hub: &Hub, later: Vec<RoomId>) -> Vec<RoomId> {
    let mut rooms = hub.take_moving();
    rooms.extend(later);
    let mut later = Vec::new();
    let mut reads = Vec::new();
    let steady_ms = hub.clock.steady_ms();
    for room in rooms {
        let Some(feed) = hub.feed(room) else { continue };
        let mut feed = feed.lock();
        let moved = feed.advance(steady_ms);
        if moved.told_count > 0 || !moved.gone.is_empty() {
            feed.wake();
        }
        drop(feed);
        hub.count_frames(moved.told_count);
        for account in moved.gone {
            hub.gone(room, account);
        }
        match moved.want {
            Want::Nothing => {}
            Want::Look => later.push(room),
            Want::Read { after } => reads.push((room, after)),
        }
    }
    for reads in reads.chunks(ROOMS_AT_ONCE) {
        if let Err(error) = read(hub, reads.to_vec()).await {
            tracing::warn!(%error, "cannot read what others appended; trying again");
            later.extend(reads.iter().map(|(room, _)| *room));
            sleep(PAUSE).await;
        }
    }
    later
}

/// Reads from the log what was not announced here.
async fn read(hub: &Hub, rooms: Vec<(RoomId, u64)>) -> Result<()> {
    let read = hub
        .db
        .read(move |tx| {
            let reads = rooms.iter().map(|(room, after)| {
                let limit = HELD_ENTRIES_MAX;
                Ok((*room, rows::entries(tx, *room, *after, limit)?))
            });
            reads.collect::<Result<Vec<_>>>()
        })
        .await?;
    for (room, tail) in read {
        hub.count_read();
        if let (Some(feed), Some(tail)) = (hub.feed(room), tail) {
            feed.lock().fill(tail.entries, tail.head, tail.hash);
            hub.move_on(room);
        }
    }
    Ok(())
}

/// What is done every second.
async fn tick(hub: Weak<Hub>) {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut second = 0_u64;
    loop {
        seconds.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        hub.beat(second);
        hub.wake_sleepers();
        hub.flush_cursors();
        hub.presence.expire(hub.clock.steady_ms());
        look_at_presence(&hub).await;
        second += 1;
        if hub.hints.has_others() && second.is_multiple_of(HEARTBEAT.as_secs()) {
            repeat_presence(&hub);
        }
        if second.is_multiple_of(SESSIONS_SECONDS)
            && let Err(error) = look_at_sessions(&hub).await
        {
            tracing::warn!(%error, "cannot look at sessions");
        }
        if second.is_multiple_of(SEEN_SECONDS) {
            record_seen(&hub, hub.presence.visible()).await;
        }
    }
}

async fn look_at_presence(hub: &Hub) {
    let Looked { left, here } = hub.presence.look(hub, hub.clock.now_ms());
    for (account, status) in here {
        hub.tell_others(Hint::Presence(account, status));
    }
    record_seen(hub, left).await;
}

/// Tells the other processes anew who is here, before they cease to believe it.
fn repeat_presence(hub: &Hub) {
    for account in hub.accounts() {
        let status = hub.status_here(account);
        if status != Status::Offline {
            hub.tell_others(Hint::Presence(account, status));
        }
    }
}

async fn record_seen(hub: &Hub, accounts: Vec<wharf_types::AccountId>) {
    if accounts.is_empty() {
        return;
    }
    let now_ms = hub.clock.now_ms();
    if let Err(error) = rows::record_seen(&hub.db, accounts, now_ms).await {
        tracing::warn!(%error, "cannot record when accounts were seen");
    }
}

/// Ends the connections of sessions that have ended, wherever that was, and records that the others are in use.
async fn look_at_sessions(hub: &Hub) -> Result<()> {
    let now_ms = hub.clock.now_ms();
    for session in rows::ended_sessions(&hub.db, hub.sessions(), now_ms).await? {
        hub.end_session(session);
    }
    Ok(())
}

async fn send_hints(hub: Weak<Hub>, some_wait: Arc<Notify>) {
    loop {
        some_wait.notified().await;
        sleep(GATHER).await;
        let Some(hub) = hub.upgrade() else { return };
        hub.hints.flush();
    }
}

/// Finds what no hint said.
async fn look_at_heads(hub: Weak<Hub>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        match rows::heads(&hub.db, hub.rooms(), hub.accounts()).await {
            Ok(heads) => {
                for (room, head, drive_head) in heads.rooms {
                    hub.hint(room, head);
                    hub.drive(room, drive_head);
                }
                for (account, version) in heads.accounts {
                    hub.account(account, version);
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look at the heads of logs"),
        }
    }
}

/// Takes a hint of another process.
fn hear(hub: &Hub, from: u64, hint: Hint) {
    match hint {
        Hint::Entries(room, head) => hub.hint(room, head),
        Hint::Account(account, version) => hub.account(account, version),
        Hint::Drive(room, head) => hub.drive(room, head),
        Hint::Read(room, account, position) => hub.reached(
            room,
            account,
            Reached {
                read: Some(position),
                delivered: None,
            },
        ),
        Hint::Delivered(room, account, position) => hub.reached(
            room,
            account,
            Reached {
                read: None,
                delivered: Some(position),
            },
        ),
        Hint::Gone(room, account) => hub.gone(room, account),
        Hint::Standing(account) => hub.standing(account),
        Hint::Session(session) => hub.end_session(session),
        Hint::Typing(room, account, stopped) => hub.typing(room, account, stopped),
        Hint::Presence(account, status) => {
            let now_ms = hub.clock.steady_ms();
            hub.presence.elsewhere(from, account, status, now_ms);
        }
    }
}
