//! Messages that were left while somebody was away.

use wharf_core::drive::RoomRef;
use wharf_core::log::{Range, Waiting};
use wharf_core::{Result, local_time};
use wharf_types::RoomId;
use wharf_types::api::log::Entry;
use wharf_wire::gateway::pychat::{LIST_BYTES_MAX, Number, offline};

use super::map::said;
use super::seat::Seat;
use super::track::WHOLE;

/// Entries that are read for one answer.
const PAGE_ENTRIES: u32 = 200;

/// Messages of one sender, as far as one answer holds them.
pub(super) struct Offer {
    /// The answer.
    pub(super) text: String,
    room: RoomId,
    /// Everything up to here is in the answer, or has nothing to be shown.
    upto: u64,
    /// So many bytes of this entry, the next one, are in it.
    part: Option<(u64, usize)>,
}

/// What waits longest for somebody: the messages of one sender.
pub(super) async fn offer(seat: &Seat) -> Result<Option<Offer>> {
    seat.save().await;
    let mut waiting = seat.wharf.logs().waiting(&seat.by, seat.device).await?;
    waiting.retain(|room| room.first_ms.is_some());
    waiting.sort_by_key(|room| room.first_ms);
    for room in waiting {
        let offer = of_room(seat, &room).await?;
        if !offer.text.is_empty() {
            return Ok(Some(offer));
        }
        // There is nothing in it that was not shown.
        offer.received(seat).await;
    }
    Ok(None)
}

impl Offer {
    /// Notes that it has come.
    pub(super) async fn received(&self, seat: &Seat) {
        seat.received(self.room, self.upto, self.part).await;
    }
}

async fn of_room(seat: &Seat, waiting: &Waiting) -> Result<Offer> {
    let after = waiting.after.max(seat.reached(waiting.room));
    let logs = seat.wharf.logs();
    let range = Range::After(after);
    let at = RoomRef::Id(waiting.room);
    let page = logs.page(&seat.by, at, range, Some(PAGE_ENTRIES)).await?;
    let mut gathering = Gathering {
        sender: Number(waiting.peer.number),
        items: Vec::new(),
        bytes: waiting.peer.number.to_string().len(),
        upto: after,
        part: None,
    };
    for entry in &page.items {
        let shown = seat.shown_of(waiting.room, entry.position);
        let is_own = entry.account == Some(seat.account);
        let is_news = !is_own && shown != WHOLE;
        if is_news && !gathering.take(entry, shown, after) {
            break;
        }
        gathering.upto = entry.position;
    }
    let text = if gathering.items.is_empty() {
        String::new()
    } else {
        offline(gathering.sender, gathering.items)
    };
    Ok(Offer {
        text,
        room: waiting.room,
        upto: gathering.upto,
        part: gathering.part,
    })
}

struct Gathering {
    sender: Number,
    items: Vec<(String, String)>,
    bytes: usize,
    upto: u64,
    part: Option<(u64, usize)>,
}

impl Gathering {
    /// Takes an entry in, or what there is room for of it. Returns whether it was all.
    fn take(&mut self, entry: &Entry, shown: usize, after: u64) -> bool {
        let Some(said) = said(entry, after) else {
            return true;
        };
        let time = local_time(entry.at_ms);
        for (text, reached) in said.left(self.sender, shown) {
            let bytes = time.len() + text.len() + 2;
            if self.bytes + bytes > LIST_BYTES_MAX {
                return false;
            }
            self.bytes += bytes;
            self.items.push((time.clone(), text));
            self.part = Some((entry.position, reached));
        }
        self.part = None;
        true
    }
}
