//! The drive's stream: dense positions, given out and written here and nowhere else.

use std::borrow::Cow;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::drive::{Change, ChangeKind, Changes, NodeKind};
use wharf_types::{AccountId, ContentHash, NodeId, SessionId};

use super::batch::Batch;
use super::rows::{self, change_kind_value, kind_value};
use crate::access::Entered;
use crate::error::Result;

/// Whose change it is. Neither account nor session: the server's own, as retention's.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Author {
    pub(super) account: Option<AccountId>,
    pub(super) session: Option<SessionId>,
}

/// A change to be written.
#[derive(Debug)]
pub(super) struct NewChange<'c> {
    pub(super) kind: ChangeKind,
    pub(super) node: NodeId,
    /// The folder that holds the node afterwards; `None` outside the tree.
    pub(super) parent: Option<NodeId>,
    pub(super) name: Cow<'c, str>,
    pub(super) node_kind: NodeKind,
    pub(super) content: Option<NewContent<'c>>,
}

/// The content that a change brings: a revision.
#[derive(Debug)]
pub(super) struct NewContent<'c> {
    pub(super) bytes: u64,
    pub(super) hash: ContentHash,
    pub(super) mtime_ns: Option<i64>,
    pub(super) packed: Cow<'c, [u8]>,
}

/// The end of a drive's stream while a transaction writes to it.
///
/// Changes are gathered and written in batches: [`Stream::flush`] before anything reads them.
#[derive(Debug)]
pub(super) struct Stream<'c> {
    head: u64,
    now_ms: i64,
    author: Author,
    pending: Vec<(u64, NewChange<'c>)>,
}

static INSERT: Batch<15> = Batch::new(
    "INSERT INTO change (room_id, position, node_id, kind, at_ms, account_id, session_id, parent_id, name, node_kind, \
     bytes, content, mtime_ns, superseded_ms, manifest) VALUES ",
);

impl<'c> Stream<'c> {
    /// Begins at the end of a room's stream.
    pub(super) const fn new(head: u64, author: Author, now_ms: i64) -> Self {
        Self {
            head,
            now_ms,
            author,
            pending: Vec::new(),
        }
    }

    /// Adds a change and returns its position.
    pub(super) fn append(&mut self, change: NewChange<'c>) -> u64 {
        self.head += 1;
        self.pending.push((self.head, change));
        self.head
    }

    /// Whether a batch is full, so that it is time to [`flush`](Self::flush).
    pub(super) const fn is_full(&self) -> bool {
        self.pending.len() >= Batch::<15>::ROWS
    }

    /// Writes what is pending and the stream's new end.
    pub(super) fn finish(mut self, tx: &mut Tx<'_>, room: &Entered) -> sql::Result<u64> {
        self.flush(tx, room)?;
        if self.head > room.drive_head {
            tx.exec(
                "UPDATE room SET drive_head = ?1 WHERE id = ?2",
                &[self.head.into(), room.id.into()],
            )?;
        }
        Ok(self.head)
    }

    /// Writes what is pending.
    pub(super) fn flush(&mut self, tx: &mut Tx<'_>, room: &Entered) -> sql::Result<()> {
        let (now_ms, author) = (self.now_ms, self.author);
        INSERT.insert(tx, &self.pending, |(position, change)| {
            let content = change.content.as_ref();
            [
                room.id.into(),
                (*position).into(),
                change.node.into(),
                change_kind_value(change.kind),
                now_ms.into(),
                author.account.into(),
                author.session.into(),
                change.parent.into(),
                (&*change.name).into(),
                kind_value(change.node_kind),
                content.map(|content| content.bytes).into(),
                content.map(|content| &content.hash).into(),
                content.and_then(|content| content.mtime_ns).into(),
                sql::Value::NullInt,
                content.map(|content| &*content.packed).into(),
            ]
        })?;
        self.pending.clear();
        Ok(())
    }
}

/// The stream past position `after`, `limit` changes at most.
pub(super) fn read(tx: &mut Tx<'_>, room: &Entered, after: u64, limit: u32) -> Result<Changes> {
    let items = tx.all(
        "SELECT position, at_ms, kind, node_id, account_id, session_id, parent_id, name, node_kind, bytes, content \
         FROM change WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        &[
            room.id.into(),
            after.min(room.drive_head).into(),
            limit.into(),
        ],
        read_change,
    )?;
    Ok(Changes {
        head: room.drive_head,
        items,
    })
}

fn read_change(row: &Row<'_>) -> sql::Result<Change> {
    Ok(Change {
        position: row.uint(0)?,
        at_ms: row.int(1)?,
        kind: rows::change_kind_from_row(row, 2)?,
        node: row.id(3)?,
        account: row.opt_id(4)?,
        session: row.opt_id(5)?,
        parent: row.opt_id(6)?,
        name: row.text(7)?.to_owned(),
        node_kind: rows::kind_from_row(row, 8)?,
        bytes: row.opt_uint(9)?,
        content: row.opt_id(10)?,
    })
}
