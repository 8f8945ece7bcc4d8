//! The tables, and how an older file becomes one of this version.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use wharf_types::DeviceId;

use super::ChatError;

const VERSION: i64 = 1;

// A room's entries are stored without gaps from `first` to `tail`; `tail` is the cursor of the room. `counted` is the last
// entry that `unread` and `mentions` take into account, `last_head` the one that `last` does. Where the log went on further than was told, what was stored is
// kept as an island, `island_first` to `island_tail`, until the fetched entries reach it.
const SCHEMA: &str = "
CREATE TABLE meta (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  account BLOB,
  epoch TEXT,
  account_version INTEGER NOT NULL DEFAULT 0,
  device BLOB NOT NULL,
  number INTEGER NOT NULL DEFAULT 0,
  recall_minutes INTEGER NOT NULL DEFAULT 0,
  edit_minutes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE room (
  id BLOB PRIMARY KEY,
  data TEXT NOT NULL,
  is_current INTEGER NOT NULL,
  floor INTEGER NOT NULL,
  read INTEGER NOT NULL,
  read_wanted INTEGER NOT NULL DEFAULT 0,
  counted INTEGER NOT NULL,
  unread INTEGER NOT NULL,
  mentions INTEGER NOT NULL,
  last TEXT,
  last_head INTEGER NOT NULL,
  first INTEGER NOT NULL,
  tail INTEGER NOT NULL,
  tail_hash BLOB NOT NULL,
  island_first INTEGER NOT NULL DEFAULT 0,
  island_tail INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
  room BLOB NOT NULL,
  position INTEGER NOT NULL,
  state_head INTEGER NOT NULL,
  is_shown INTEGER NOT NULL,
  is_countable INTEGER NOT NULL,
  is_mention INTEGER NOT NULL,
  target INTEGER,
  data TEXT NOT NULL,
  PRIMARY KEY (room, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_target ON entry (room, target, position) WHERE target IS NOT NULL;
CREATE TABLE contact (account BLOB PRIMARY KEY, data TEXT NOT NULL, is_current INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE contact_group (id BLOB PRIMARY KEY, data TEXT NOT NULL, is_current INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE invitation (room BLOB PRIMARY KEY, data TEXT NOT NULL, is_current INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE person (account BLOB PRIMARY KEY, data TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE member (
  room BLOB NOT NULL,
  account BLOB NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
  room BLOB NOT NULL,
  account BLOB NOT NULL,
  read INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  room BLOB NOT NULL,
  target INTEGER,
  draft TEXT,
  handover TEXT,
  client_ms INTEGER NOT NULL,
  device BLOB NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('uploading', 'waiting', 'sent', 'refused', 'withdrawn')),
  is_tried INTEGER NOT NULL DEFAULT 0,
  is_taken INTEGER NOT NULL DEFAULT 0,
  position INTEGER,
  code TEXT,
  detail TEXT,
  changed_ms INTEGER NOT NULL,
  UNIQUE (device, number)
) STRICT;
CREATE INDEX outbox_state ON outbox (state, device, number);
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_mark TEXT,
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Refuses what would be written into the outbox from now on, by whoever has the store open. It can still be read, and the
/// next one to open it ends that.
pub(in crate::chat) fn end(tx: &Transaction<'_>) -> Result<(), ChatError> {
    tx.execute_batch(
        "CREATE TRIGGER outbox_ended BEFORE INSERT ON outbox \
         BEGIN SELECT RAISE(ABORT, 'this device was logged out'); END",
    )?;
    Ok(())
}

/// Makes the tables where there are none.
pub(super) fn bring_up(db: &mut Connection, device: DeviceId) -> Result<(), ChatError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match tx.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
        0 => {
            tx.execute_batch(SCHEMA)?;
            tx.execute(
                "INSERT INTO meta (only, device) VALUES (1, ?1)",
                params![device.as_bytes()],
            )?;
            tx.pragma_update(None, "user_version", VERSION)?;
        }
        // Left by a logout that did not come to remove the file. Whoever opens it has logged in since.
        VERSION => tx.execute_batch("DROP TRIGGER IF EXISTS outbox_ended")?,
        newer => return Err(ChatError::Unknown(format!("version {newer}"))),
    }
    tx.commit()?;
    Ok(())
}
