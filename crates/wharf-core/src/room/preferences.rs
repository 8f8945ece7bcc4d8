//! What a member sets for a room, which nobody else sees.

use wharf_store::sql::Tx;
use wharf_types::api::room::{EditPreferences, Room};
use wharf_types::limit::DRAFT_BYTES_MAX;

use super::{Rooms, Thing, Told, rows, view};
use crate::access::{Right, enter, lock, no_such_room};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::Result;
use crate::text::lines;

impl Rooms {
    /// Changes what the caller set for a room.
    ///
    /// # Errors
    /// - `NotFound`: there is no such room for the caller.
    /// - `Invalid`: the draft is too long.
    pub async fn edit_preferences(
        &self,
        by: &Caller,
        room: RoomRef,
        request: EditPreferences,
    ) -> Result<Room> {
        let draft = request
            .draft
            .as_deref()
            .map(|draft| lines("a draft", draft, DRAFT_BYTES_MAX))
            .transpose()?;
        let id = room.id(by)?;
        let locked = lock(&[], &[by.account()?]);
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let me = by.account()?;
            enter(tx, &by, id, Right::Mark)?;
            tx.exec(
                "UPDATE member SET notify = COALESCE(?3, notify), is_pinned = COALESCE(?4, is_pinned), \
                 is_marked = COALESCE(?5, is_marked), is_hidden = COALESCE(?6, is_hidden), draft = COALESCE(?7, draft) \
                 WHERE room_id = ?1 AND account_id = ?2",
                &[
                    id.into(),
                    me.into(),
                    request.notify.map(rows::notify_text).into(),
                    request.is_pinned.into(),
                    request.is_marked.into(),
                    request.is_hidden.into(),
                    draft.as_deref().into(),
                ],
            )?;
            let mut told = Told::default();
            told.touch(me, Thing::Room(id));
            let there = view::one(tx, me, id)?.ok_or_else(no_such_room)?;
            Ok((there, told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }
}
