//! Who sits where: which numbers are believed from which addresses.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::task::TaskTracker;
use wharf_core::{Door, Origin, Result, Wharf};
use wharf_types::api::app_password::AppDoor;
use wharf_wire::gateway::pychat::Number;

use super::seat::Seat;

/// Chats that an address is known to have looked at: where the files are looked for that it asks by name alone.
const LOOKED_AT_MAX: usize = 32;

/// The seats.
pub(super) struct Desk {
    pub(super) wharf: Wharf,
    seats: Mutex<HashMap<(Number, IpAddr), Arc<Seat>>>,
    addresses: Mutex<HashMap<IpAddr, Address>>,
    tasks: TaskTracker,
}

/// What is known of an address: some requests say nothing of who asks.
#[derive(Debug, Default)]
struct Address {
    seat_count: usize,
    /// Whose word came last.
    last: Option<Number>,
    /// The chats that were looked at, the last one first: who, and with whom.
    looked_at: VecDeque<(Number, Number)>,
}

impl Desk {
    pub(super) fn new(wharf: Wharf) -> Self {
        Self {
            wharf,
            seats: Mutex::default(),
            addresses: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// How somebody at an address comes.
    pub(super) const fn origin(peer: IpAddr) -> Origin {
        Origin {
            door: Door::PyChat,
            address: peer,
        }
    }

    /// Lets somebody in by the MD5 of their password for this gateway. Again at the same address changes nothing.
    pub(super) async fn login(
        self: &Arc<Self>,
        who: Number,
        password_md5: &str,
        peer: IpAddr,
    ) -> Result<Arc<Seat>> {
        let login = who.to_string();
        let accounts = self.wharf.accounts();
        let login = accounts
            .login_by_app_password(AppDoor::PyChat, &login, password_md5, Self::origin(peer))
            .await?;
        if let Some(seat) = self.seat(who, peer) {
            return Ok(seat);
        }
        let (seat, live) = Seat::take(self.wharf.clone(), login, peer).await?;
        match self.seats.lock().entry((who, peer)) {
            Entry::Occupied(there) if !there.get().is_over() => return Ok(Arc::clone(there.get())),
            Entry::Occupied(mut over) => {
                over.insert(Arc::clone(&seat));
            }
            Entry::Vacant(free) => {
                free.insert(Arc::clone(&seat));
                let mut addresses = self.addresses.lock();
                addresses.entry(peer).or_default().seat_count += 1;
            }
        }
        let (desk, sitting) = (Arc::clone(self), Arc::clone(&seat));
        self.tasks.spawn(async move {
            sitting.run(live).await;
            sitting.leave(false);
            desk.forget(&sitting);
        });
        Ok(self.seat(who, peer).unwrap_or(seat))
    }

    /// Who speaks as `who` from an address, if that is believed.
    pub(super) fn seat(&self, who: Number, peer: IpAddr) -> Option<Arc<Seat>> {
        let seat = self.seats.lock().get(&(who, peer)).cloned();
        let seat = seat.filter(|seat| !seat.is_over())?;
        seat.heard();
        if let Some(address) = self.addresses.lock().get_mut(&peer) {
            address.last = Some(who);
        }
        Some(seat)
    }

    /// Who spoke last from an address: for requests that do not say who asks.
    pub(super) fn last(&self, peer: IpAddr) -> Option<Arc<Seat>> {
        let last = self.addresses.lock().get(&peer)?.last?;
        self.seat(last, peer)
    }

    /// Whether anybody is believed from an address.
    pub(super) fn knows(&self, peer: IpAddr) -> bool {
        self.addresses.lock().contains_key(&peer)
    }

    /// Notes that somebody looks at the chat with a friend.
    pub(super) fn looks_at(&self, seat: &Seat, friend: Number) {
        if let Some(address) = self.addresses.lock().get_mut(&seat.peer) {
            let chat = (seat.me, friend);
            address.looked_at.retain(|other| *other != chat);
            address.looked_at.push_front(chat);
            address.looked_at.truncate(LOOKED_AT_MAX);
        }
    }

    /// The chats that were looked at from an address, the last one first.
    pub(super) fn looked_at(&self, peer: IpAddr) -> Vec<(Arc<Seat>, Number)> {
        let chats = match self.addresses.lock().get(&peer) {
            Some(address) => address.looked_at.clone(),
            None => return Vec::new(),
        };
        let seats = self.seats.lock();
        let chats = chats.into_iter().filter_map(|(who, friend)| {
            let seat = seats.get(&(who, peer)).filter(|seat| !seat.is_over())?;
            Some((Arc::clone(seat), friend))
        });
        chats.collect()
    }

    fn forget(&self, seat: &Arc<Seat>) {
        let mut seats = self.seats.lock();
        if let Entry::Occupied(there) = seats.entry((seat.me, seat.peer))
            && Arc::ptr_eq(there.get(), seat)
        {
            there.remove();
            let mut addresses = self.addresses.lock();
            if let Entry::Occupied(mut address) = addresses.entry(seat.peer) {
                address.get_mut().seat_count -= 1;
                if address.get().seat_count == 0 {
                    address.remove();
                }
            }
        }
    }

    /// Waits until everybody has gone: the house ends their connections when the server stops.
    pub(super) async fn close(&self) {
        for seat in self.seats.lock().values() {
            seat.leave(false);
        }
        self.tasks.close();
        self.tasks.wait().await;
    }
}
