//! What was written and is not known to be saved, in one SQLite file that all processes of a device share.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wharf_types::api::journal::JournalKeyId;
use wharf_wire::gateway::journal::part_count;

use super::{UdpError, Way};
use crate::database::{self, Durability, OpenError};

const VERSION: i64 = 1;
const SCHEMA: &str = "
CREATE TABLE way (
  key BLOB PRIMARY KEY,
  text TEXT NOT NULL,
  is_default INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE item (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key BLOB NOT NULL,
  entry BLOB NOT NULL UNIQUE,
  client_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  rounds INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  refusal TEXT
) STRICT;
CREATE INDEX item_waiting ON item (key, id) WHERE refusal IS NULL;
";

/// How long an entry rests after a round of sending that was not answered: an hour, then twice as long each time, up to a
/// day.
const REST_MS: i64 = 3_600_000;
const REST_MS_MAX: i64 = 24 * REST_MS;

/// The spool. Its calls block, and what they wrote is on the disk when they return.
#[derive(Debug)]
pub struct Spool {
    db: Connection,
}

/// An entry that waits, or that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the spool.
    pub id: i64,
    /// Its id on the wire.
    pub entry: [u8; 16],
    /// When it was written, in milliseconds since the epoch.
    pub client_ms: i64,
    /// What it says.
    pub text: String,
    /// Why the server will never take it.
    pub refusal: Option<Refusal>,
}

/// Why a server never takes an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no text that could be an entry.
    Invalid,
    /// The key writes nothing any more.
    Closed,
}

impl Refusal {
    const fn text(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Closed => "closed",
        }
    }
}

impl Spool {
    /// Opens the spool, making it where there is none. The folder must be there.
    pub fn open(path: &Path) -> Result<Self, UdpError> {
        let io = |source| UdpError::Io {
            path: path.to_owned(),
            source,
        };
        let mut db = database::open(path, Durability::Now).map_err(|error| match error {
            OpenError::Io(source) => io(source),
            OpenError::Sqlite(error) => error.into(),
        })?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => {
                tx.execute_batch(SCHEMA)?;
                tx.pragma_update(None, "user_version", VERSION)?;
            }
            VERSION => {}
            newer => {
                let source = std::io::Error::other(format!("it is of a newer program: {newer}"));
                return Err(io(source));
            }
        }
        tx.commit()?;
        Ok(Self { db })
    }

    /// Keeps a way, and makes it the one that is used.
    pub fn put_way(&mut self, way: &Way) -> Result<(), UdpError> {
        let tx = self.change()?;
        tx.execute("UPDATE way SET is_default = 0", [])?;
        tx.execute(
            "INSERT INTO way (key, text, is_default) VALUES (?1, ?2, 1) \
             ON CONFLICT (key) DO UPDATE SET text = excluded.text, is_default = 1",
            params![way.key.as_bytes(), way.to_string()],
        )?;
        tx.commit()?;
        Ok(())
    }

    /// The way that is used, if there is one.
    pub fn way(&self) -> Result<Option<Way>, UdpError> {
        let text: Option<String> = self
            .db
            .query_row("SELECT text FROM way WHERE is_default = 1", [], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// All ways.
    pub fn ways(&self) -> Result<Vec<Way>, UdpError> {
        let mut statement = self.db.prepare("SELECT text FROM way ORDER BY key")?;
        let texts = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut ways = Vec::new();
        for text in texts {
            ways.extend(text?.parse());
        }
        Ok(ways)
    }

    /// Forgets a way. What waits for it stays.
    pub fn remove_way(&mut self, key: JournalKeyId) -> Result<(), UdpError> {
        self.db
            .execute("DELETE FROM way WHERE key = ?1", [key.as_bytes()])?;
        Ok(())
    }

    /// Writes entries down, each under an id of its own, in one transaction.
    ///
    /// # Errors
    /// `Text`: one of them is empty or too long. Then none is written.
    pub fn add(
        &mut self,
        key: JournalKeyId,
        texts: &[impl AsRef<str>],
        now_ms: i64,
    ) -> Result<(), UdpError> {
        let tx = self.change()?;
        {
            let mut insert = tx.prepare_cached(
                "INSERT INTO item (key, entry, client_ms, text, rounds, next_ms) VALUES (?1, ?2, ?3, ?4, 0, 0)",
            )?;
            for text in texts {
                let text = text.as_ref();
                if part_count(text.len()).is_none() || text.len() > 64 * 1024 {
                    return Err(UdpError::Text);
                }
                let entry: [u8; 16] = rand::random();
                insert.execute(params![key.as_bytes(), entry, now_ms, text])?;
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// Entries of a key that wait, past the place `after`, oldest first; only those whose rest is over at `due_ms`.
    pub(super) fn waiting(
        &self,
        key: JournalKeyId,
        after: i64,
        due_ms: i64,
        limit: usize,
    ) -> Result<Vec<Item>, UdpError> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, entry, client_ms, text, refusal FROM item \
             WHERE key = ?1 AND id > ?2 AND refusal IS NULL AND next_ms <= ?3 ORDER BY id LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let items = statement.query_map(params![key.as_bytes(), after, due_ms, limit], item)?;
        Ok(items.collect::<Result<_, _>>()?)
    }

    /// How many entries wait for all keys.
    pub fn waiting_count(&self) -> Result<u64, UdpError> {
        let count: i64 = self.db.query_row(
            "SELECT count(*) FROM item WHERE refusal IS NULL",
            [],
            |row| row.get(0),
        )?;
        Ok(count.unsigned_abs())
    }

    /// The entries that were refused, oldest first.
    pub fn refused(&self) -> Result<Vec<Item>, UdpError> {
        let mut statement = self.db.prepare(
            "SELECT id, entry, client_ms, text, refusal FROM item WHERE refusal IS NOT NULL ORDER BY id",
        )?;
        let items = statement.query_map([], item)?;
        Ok(items.collect::<Result<_, _>>()?)
    }

    /// Settles what came of items, in one transaction: saved ones go, refused ones are kept as such, and those that were not
    /// answered rest.
    pub(super) fn settle(
        &mut self,
        saved: &[i64],
        refused: &[(i64, Refusal)],
        unanswered: &[i64],
        now_ms: i64,
    ) -> Result<(), UdpError> {
        if saved.is_empty() && refused.is_empty() && unanswered.is_empty() {
            return Ok(());
        }
        let tx = self.change()?;
        for id in saved {
            tx.prepare_cached("DELETE FROM item WHERE id = ?1")?
                .execute([id])?;
        }
        for (id, refusal) in refused {
            tx.prepare_cached("UPDATE item SET refusal = ?2 WHERE id = ?1")?
                .execute(params![id, refusal.text()])?;
        }
        for id in unanswered {
            tx.prepare_cached(
                "UPDATE item SET rounds = rounds + 1, next_ms = ?2 + min(?3 << min(rounds, 5), ?4) WHERE id = ?1",
            )?
            .execute(params![id, now_ms, REST_MS, REST_MS_MAX])?;
        }
        tx.commit()?;
        Ok(())
    }

    fn change(&mut self) -> Result<rusqlite::Transaction<'_>, rusqlite::Error> {
        self.db
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

fn item(row: &rusqlite::Row<'_>) -> rusqlite::Result<Item> {
    let refusal: Option<String> = row.get(4)?;
    Ok(Item {
        id: row.get(0)?,
        entry: row.get(1)?,
        client_ms: row.get(2)?,
        text: row.get(3)?,
        refusal: refusal.map(|refusal| match refusal.as_str() {
            "closed" => Refusal::Closed,
            _ => Refusal::Invalid,
        }),
    })
}

#[cfg(test)]
mod tests {
    use wharf_types::api::journal::JournalKeyId;

    use super::{REST_MS, Refusal, Spool};

    #[test]
    fn what_waits_survives_and_what_was_saved_or_refused_is_not_sent_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("udp.sqlite");
        let key = JournalKeyId::from_bytes([1; 8]);
        let mut spool = Spool::open(&path).unwrap();
        spool.add(key, &["a", "b", "c", "d"], 5).unwrap();
        assert!(spool.add(key, &["e", ""], 5).is_err());
        drop(spool);
        let mut spool = Spool::open(&path).unwrap();
        let items = spool.waiting(key, 0, 0, 10).unwrap();
        let ids: Vec<i64> = items.iter().map(|item| item.id).collect();
        assert_eq!(items.len(), 4);
        spool
            .settle(&ids[..1], &[(ids[1], Refusal::Closed)], &ids[2..3], 10)
            .unwrap();
        let texts = |due_ms| {
            let items = spool.waiting(key, 0, due_ms, 10).unwrap();
            items.into_iter().map(|item| item.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(10), ["d"]);
        assert_eq!(texts(10 + REST_MS), ["c", "d"]);
        assert_eq!(spool.waiting_count().unwrap(), 2);
        assert_eq!(spool.refused().unwrap()[0].refusal, Some(Refusal::Closed));
    }
}
