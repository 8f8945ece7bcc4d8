//! What is known at a seat of friends, and of what their rooms showed.

use wharf_types::RoomId;
use wharf_types::api::contact::ContactState;
use wharf_wire::gateway::pychat::{Number, item};

use super::super::state::Friend;
use super::super::track::Track;
use super::Seat;

impl Seat {
    /// A friend by their number; oneself is one.
    pub(in super::super) fn friend(&self, number: Number) -> Option<Friend> {
        if number == self.me {
            return Some(Friend {
                account: self.account,
                number,
                name: item(&self.nickname),
                state: ContactState::Contact,
                is_blocked: false,
                group: None,
                room: Some(self.home),
            });
        }
        self.state.lock().friends.get(&number).cloned()
    }

    /// Whether a friend is there.
    pub(in super::super) fn is_online(&self, friend: &Friend) -> bool {
        friend.account == self.account
            || (friend.is_shown() && self.state.lock().online.contains(&friend.account))
    }

    /// The numbers and names of those who are shown as friends, by groups and names; oneself first.
    pub(in super::super) fn friends(&self) -> Vec<(Number, String)> {
        let state = self.state.lock();
        let mut friends: Vec<_> = state.friends.values().filter(|f| f.is_listed()).collect();
        friends.sort_by_cached_key(|friend| {
            let group = friend.group.and_then(|group| state.groups.get(&group));
            let order = group.copied().unwrap_or(u32::MAX);
            (order, friend.name.to_lowercase(), friend.number)
        });
        let own = (self.me, item(&self.nickname));
        let friends = friends.into_iter().map(|f| (f.number, f.name.clone()));
        std::iter::once(own).chain(friends).collect()
    }

    /// The numbers of friends who are there, oneself first. The client knows it from here on.
    pub(in super::super) fn online(&self) -> Vec<Number> {
        let mut state = self.state.lock();
        let mut online: Vec<_> = state.online_friends().collect();
        online.sort_unstable();
        state.told_online = Some(online.iter().copied().collect());
        online.insert(0, self.me);
        online
    }

    /// How far a client was shown a room: where its log is read on.
    pub(in super::super) fn reached(&self, room: RoomId) -> u64 {
        let state = self.state.lock();
        state.tracks.get(&room).map_or(0, Track::reached)
    }

    /// How much of an entry past that was shown.
    pub(in super::super) fn shown_of(&self, room: RoomId, position: u64) -> usize {
        let state = self.state.lock();
        let track = state.tracks.get(&room);
        track.map_or(0, |track| track.shown_of(position))
    }
}
