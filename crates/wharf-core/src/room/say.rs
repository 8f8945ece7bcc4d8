//! What happens to a room, told in its log.

use wharf_store::sql::Tx;
use wharf_types::RoomId;
use wharf_types::api::log::Body;

use crate::Ground;
use crate::caller::Caller;
use crate::error::Result;
use crate::live::Notices;
use crate::log::{Author, append_in};

/// Appends what `by` did to a room's log, under the room's lock.
pub(super) fn say(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    room: RoomId,
    body: &Body,
    notices: &mut Notices,
) -> Result<()> {
    let author = Author::of(by)?;
    append_in(tx, notices, room, &author, body, ground.clock.now_ms())?;
    Ok(())
}
