//! Somebody who is there through this gateway, at one address: what they know, and where their connections are.

mod known;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use wharf_core::accounts::AppLogin;
use wharf_core::drive::RoomRef;
use wharf_core::live::{Connection, Taken};
use wharf_core::log::Range;
use wharf_core::{Caller, Result, Wharf};
use wharf_types::api::contact::Contact;
use wharf_types::api::live::{Hello, VERSION};
use wharf_types::limit::LIVE_WATCHED_MAX;
use wharf_types::{AccountId, DeviceId, RoomId};
use wharf_wire::gateway::pychat::{Number, Push};

use super::file::Uploads;
use super::line::{Item, Mark};
use super::state::{Friend, Own, State};
use super::track::{Offered, Track};

/// How long a number is believed, and its person is there, without a word and without a connection that stays.
const LEASE_MS: i64 = 120_000;
/// How soon it is written down how far the client was shown logs.
const SAVE: Duration = Duration::from_millis(500);
/// Entries that are read at once.
const PAGE_ENTRIES: u32 = 50;
/// Most people that are said, at once, to ask for friendship.
const REQUESTS_MAX: usize = 10;

/// Somebody at an address.
pub(super) struct Seat {
    pub(super) wharf: Wharf,
    pub(super) by: Caller,
    pub(super) me: Number,
    pub(super) account: AccountId,
    pub(super) nickname: String,
    pub(super) email: String,
    pub(super) peer: IpAddr,
    /// The clients of one person are one device, which the account's id names.
    pub(super) device: DeviceId,
    home: RoomId,
    state: Mutex<State>,
    wake: Notify,
    over: CancellationToken,
    heard_ms: AtomicI64,
    /// Held from an answer with messages that were left until it is known to have come.
    pub(super) offering: Arc<tokio::sync::Mutex<()>>,
    pub(super) uploads: Uploads,
}

/// What the house had to tell.
struct Heard {
    taken: Taken,
    is_beat: bool,
    is_over: bool,
}

impl Seat {
    /// Takes a seat: from here on the person is there, and nothing that happens is missed.
    pub(super) async fn take(
        wharf: Wharf,
        login: AppLogin,
        peer: IpAddr,
    ) -> Result<(Arc<Self>, Connection)> {
        let AppLogin {
            caller, account, ..
        } = login;
        let live = wharf.live().connect(&caller)?;
        let seat = Self {
            by: caller,
            me: Number(account.number),
            account: account.id,
            nickname: account.nickname,
            email: account.email.unwrap_or_default(),
            peer,
            device: DeviceId::from_bytes(*account.id.as_bytes()),
            home: account.home,
            state: Mutex::default(),
            wake: Notify::new(),
            over: CancellationToken::new(),
            heard_ms: AtomicI64::new(wharf.clock().steady_ms()),
            offering: Arc::default(),
            uploads: Uploads::default(),
            wharf,
        };
        let hello = Hello {
            version: VERSION,
            entries: true,
            ..Hello::default()
        };
        let greeting = live.greet(&caller, &hello).await?;
        let waiting = seat.wharf.logs().waiting(&caller, seat.device).await?;
        {
            let mut state = seat.state.lock();
            state.list_version = greeting.account_version;
            for frame in greeting.frames {
                state.list(frame);
            }
            for waiting in waiting {
                let friend = Number(waiting.peer.number);
                if let Some(track) = state.tracks.get_mut(&waiting.room) {
                    *track = Track::new(waiting.room, friend, waiting.after, track.told);
                }
            }
        }
        seat.watch(&live).await?;
        Ok((Arc::new(seat), live))
    }

    /// Follows what happens until the person goes, or nobody has been heard for too long.
    pub(super) async fn run(&self, live: Connection) {
        let mut save_at = None;
        loop {
            let is_dirty = self.state.lock().tracks.values().any(Track::is_dirty);
            if is_dirty {
                save_at.get_or_insert_with(|| tokio::time::Instant::now() + SAVE);
            } else {
                save_at = None;
            }
            let saving = async {
                match save_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.over.cancelled() => break,
                heard = hear(&live) => {
                    if heard.is_over || (heard.is_beat && self.is_forgotten()) {
                        break;
                    }
                    self.tell(&live, heard).await;
                }
                () = self.wake.notified() => {}
                () = saving => {
                    save_at = None;
                    self.save().await;
                }
            }
            let must_watch = std::mem::take(&mut self.state.lock().must_watch);
            if must_watch && let Err(error) = self.watch(&live).await {
                tracing::debug!(%error, "presence");
            }
            self.catch_up().await;
        }
        drop(live);
        self.save().await;
        let mut state = self.state.lock();
        state.command = None;
        state.sessions.clear();
    }

    /// Whether nobody has spoken for long who has no connection that stays.
    fn is_forgotten(&self) -> bool {
        let now_ms = self.wharf.clock().steady_ms();
        self.uploads.forget_old(now_ms);
        let state = self.state.lock();
        let has_line = state.command.is_some() || !state.sessions.is_empty();
        !has_line && now_ms - self.heard_ms.load(Ordering::Relaxed) > LEASE_MS
    }

    /// Notes that the person was heard.
    pub(super) fn heard(&self) {
        let now_ms = self.wharf.clock().steady_ms();
        self.heard_ms.store(now_ms, Ordering::Relaxed);
    }

    /// The client has logged in again: what it believes of others begins anew.
    pub(super) fn begins_again(&self) {
        self.state.lock().told_online = None;
    }

    /// Takes in what became of asking somebody.
    pub(super) fn knows(&self, contact: Contact) -> Friend {
        let friend = Friend::from(contact);
        let mut state = self.state.lock();
        state.friends.insert(friend.number, friend.clone());
        state.must_watch = true;
        self.wake.notify_one();
        friend
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Ends the seat, and says so to its command connection where the person said so.
    pub(super) fn leave(&self, says_so: bool) {
        if says_so && let Some(command) = &self.state.lock().command {
            command.push(&Push::Down(self.me), None);
        }
        self.over.cancel();
    }

    /// Tells the client what happened.
    async fn tell(&self, live: &Connection, heard: Heard) {
        let taken = heard.taken;
        {
            let mut state = self.state.lock();
            for frame in taken.told.iter().flat_map(|told| told.frames()) {
                state.frame(self.own(), frame);
            }
            for frame in &taken.own {
                state.frame(self.own(), frame);
            }
            state.present(taken.presence);
        }
        let version = self.state.lock().list_version;
        if taken.account_version > version
            && let Err(error) = self.list(live, version).await
        {
            tracing::debug!(%error, "an account's list");
        }
        if taken.must_watch_again {
            self.state.lock().must_watch = true;
        }
    }

    /// Brings what is known of the account's list to its present state.
    async fn list(&self, live: &Connection, version: u64) -> Result<()> {
        let change = live.list_changes(&self.by, version).await?;
        let mut state = self.state.lock();
        let asking: HashSet<Number> = state.asking().collect();
        state.list_version = state.list_version.max(change.version);
        for frame in change.frames {
            state.list(frame);
        }
        let new: Vec<_> = state
            .asking()
            .filter(|number| !asking.contains(number))
            .collect();
        state.tell_requests(self.me, new);
        state.must_watch = true;
        Ok(())
    }

    /// Asks for the presence of friends, and tells the client what is new.
    async fn watch(&self, live: &Connection) -> Result<()> {
        let mut accounts: Vec<_> = {
            let state = self.state.lock();
            let friends = state.friends.values().filter(|friend| friend.is_shown());
            friends.map(|friend| friend.account).collect()
        };
        accounts.truncate(LIVE_WATCHED_MAX);
        let presences = live.watch(&self.by, accounts).await?;
        let mut state = self.state.lock();
        state.online.clear();
        state.present(presences);
        Ok(())
    }

    /// Gives sessions that are behind what their rooms have.
    async fn catch_up(&self) {
        let behind = std::mem::take(&mut self.state.lock().behind);
        for room in behind {
            if let Err(error) = self.pull(room).await {
                tracing::debug!(%error, %room, "reading a log");
            }
        }
    }

    async fn pull(&self, room: RoomId) -> Result<()> {
        let began = self.state.lock().tracks.get(&room).map(Track::reached);
        loop {
            let Some(after) = self.state.lock().position_of(room) else {
                return Ok(());
            };
            let range = Range::After(after);
            let logs = self.wharf.logs();
            let page = logs
                .page(&self.by, RoomRef::Id(room), range, Some(PAGE_ENTRIES))
                .await?;
            if page.items.is_empty() {
                return Ok(());
            }
            let mut state = self.state.lock();
            for entry in &page.items {
                if state.offer(self.account, room, entry, began.unwrap_or(0)) == Offered::Full {
                    return Ok(());
                }
            }
        }
    }

    /// Writes down how far the client was shown the logs.
    pub(super) async fn save(&self) {
        let dirty: Vec<_> = {
            let state = self.state.lock();
            let dirty = state.tracks.values().filter(|track| track.is_dirty());
            dirty
                .map(|track| (track.room, track.cursor, track.read))
                .collect()
        };
        for (room, cursor, read) in dirty {
            let logs = self.wharf.logs();
            let at = RoomRef::Id(room);
            let saved = match logs.mark_delivered(&self.by, self.device, at, cursor).await {
                Ok(()) if read > 0 => logs.mark_read(&self.by, at, read).await,
                delivered => delivered,
            };
            if let Err(error) = saved {
                tracing::debug!(%error, %room, "noting what was shown");
            }
            if let Some(track) = self.state.lock().tracks.get_mut(&room) {
                track.saved = cursor;
                track.read_saved = read;
            }
        }
    }

    // --- what its connections do

    /// A connection becomes where pushes go, in place of the one before.
    pub(super) fn open_command(&self) -> (u64, Receiver<Item>) {
        let mut state = self.state.lock();
        let (line, queue) = state.new_line();
        let id = line.id;
        state.command = Some(line);
        state.stop_ringing();
        let online: HashSet<_> = state.online_friends().collect();
        if state.told_online.is_none() {
            state.told_online = Some(online);
        }
        state.tell_presence();
        let asking: Vec<_> = state.asking().take(REQUESTS_MAX).collect();
        state.tell_requests(self.me, asking);
        (id, queue)
    }

    /// A connection becomes a session with a friend, in place of the one before. What waits from the friend goes there.
    pub(super) fn open_session(&self, friend: Number) -> (u64, Receiver<Item>) {
        let mut state = self.state.lock();
        let (line, queue) = state.new_line();
        let id = line.id;
        state.sessions.insert(friend, line);
        if let Some(track) = state.track_with(friend) {
            track.leave(false);
            let room = track.room;
            state.behind.insert(room);
            self.wake.notify_one();
        }
        (id, queue)
    }

    /// A connection that was a line is none any more.
    pub(super) fn close_line(&self, id: u64, with: Option<Number>, is_broken: bool) {
        self.heard();
        let mut state = self.state.lock();
        let Some(friend) = with else {
            if state.command.as_ref().is_some_and(|line| line.id == id) {
                state.command = None;
                state.stop_ringing();
            }
            return;
        };
        if state
            .sessions
            .get(&friend)
            .is_some_and(|line| line.id == id)
        {
            state.sessions.remove(&friend);
            if let Some(track) = state.track_with(friend) {
                track.leave(is_broken);
            }
        }
    }

    /// A text was written to a connection.
    pub(super) fn written(&self, mark: Mark) {
        let mut state = self.state.lock();
        if state.written(mark) {
            self.wake.notify_one();
        }
    }

    /// Messages that were left have come: up to `upto`, and of the entry after it so many bytes.
    pub(super) async fn received(&self, room: RoomId, upto: u64, part: Option<(u64, usize)>) {
        if let Some(track) = self.state.lock().tracks.get_mut(&room) {
            track.go_to(upto);
            if let Some((position, bytes)) = part {
                track.show(position, bytes);
            }
        }
        self.save().await;
    }

    /// Says something in the chat with a friend, if there is a session for it.
    pub(super) fn remark(&self, friend: Number, text: impl Into<String>) {
        let state = self.state.lock();
        if let Some(session) = state.sessions.get(&friend) {
            session.say(text.into().into_bytes(), None);
        }
    }

    /// The person has said something to a friend, and so has read what was shown.
    pub(super) fn has_answered(&self, room: RoomId) {
        let mut state = self.state.lock();
        if let Some(track) = state.tracks.get_mut(&room) {
            track.read = track.cursor;
        }
    }

    const fn own(&self) -> Own {
        Own {
            me: self.me,
            account: self.account,
            home: self.home,
        }
    }
}

/// Waits for what the house has to tell.
async fn hear(live: &Connection) -> Heard {
    poll_fn(|cx| {
        live.register(cx.waker());
        let (is_beat, end) = live.take_urgent();
        let taken = live.take();
        let is_news = !taken.told.is_empty()
            || !taken.own.is_empty()
            || !taken.presence.is_empty()
            || taken.account_version > 0
            || taken.must_watch_again;
        if is_news || is_beat || end.is_some() {
            let is_over = end.is_some();
            Poll::Ready(Heard {
                taken,
                is_beat,
                is_over,
            })
        } else {
            Poll::Pending
        }
    })
    .await
}
