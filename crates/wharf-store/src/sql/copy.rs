//! Copies a whole database row by row, between engines too: the way from SQLite to PostgreSQL, and PostgreSQL's backup.
//!
//! The source is read in one snapshot and the target written in one transaction, by two threads with a short channel
//! between them; so the copy is of one moment, and is there whole or not at all.

use std::fmt::Write;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::catalog::{Column, Kind, Table};
use super::db::{Db, Lock};
use super::error::{Error, Result};
use super::migrate;
use super::tx::{Row, Sql, Tx};
use super::value::Value;

/// Markers of one statement, about, and bytes of one batch, about.
const BATCH_VALUES: usize = 2000;
const BATCH_BYTES: usize = 1024 * 1024;
/// Batches between the two threads.
const BATCHES_AHEAD: usize = 4;

enum Message {
    Rows(Batch),
    /// Nothing is missing. Without it the target undoes everything.
    End,
}

#[derive(Default)]
struct Batch {
    table_index: usize,
    values: Vec<Owned>,
    bytes: usize,
}

enum Owned {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Db {
    /// Copies every row into `target`, whichever engine each is on, and returns how many there were. Blocks.
    ///
    /// `target` must have been migrated by the same program, must be empty, and must not be in use.
    ///
    /// # Errors
    /// `Migration` if the two differ in their schema, `Other` if `target` has rows already; nothing was written then.
    pub fn copy_to(&self, target: &Self) -> Result<u64> {
        let (tables, target_tables) = (self.tables()?, target.tables()?);
        let steps = self.read_blocking(migrate::applied)?;
        if tables != target_tables || steps != target.read_blocking(migrate::applied)? {
            return Err(Error::Migration(
                "the two databases are not of the same version".into(),
            ));
        }
        let tables: Arc<[Table]> = tables
            .into_iter()
            .filter(|table| table.name != migrate::TABLE)
            .collect();
        let (sender, receiver) = crossbeam_channel::bounded(BATCHES_AHEAD);
        std::thread::scope(|threads| {
            let source_tables = Arc::clone(&tables);
            let read = threads.spawn(move || {
                let mut sender = Some(sender);
                self.read_blocking(move |tx| {
                    let sender = sender.take().ok_or(Error::Retry)?;
                    send_all(tx, &source_tables, &sender)
                })
            });
            let written =
                target.write_blocking(Lock::Global, move |tx| insert_all(tx, &tables, &receiver));
            let read = read
                .join()
                .unwrap_or_else(|_| Err(Error::other("the copy panicked")));
            // If the source failed, the target failed for want of the rest: the first is what to tell.
            read.and(written)
        })
    }
}

fn send_all(tx: &mut Tx<'_>, tables: &[Table], sender: &Sender<Message>) -> Result<()> {
    let send = |message| {
        sender
            .send(message)
            .map_err(|_| Error::other("the target of the copy gave up"))
    };
    for (table_index, table) in tables.iter().enumerate() {
        let sql = format!(
            "SELECT {} FROM {}",
            names_of(&table.columns),
            quoted(&table.name)
        );
        let new_batch = || Batch {
            table_index,
            ..Batch::default()
        };
        let mut batch = new_batch();
        tx.each_sql(Sql::Once(&sql), &[], |row| {
            for (index, column) in table.columns.iter().enumerate() {
                batch.push(row, index, column.kind)?;
            }
            if batch.is_full(table.columns.len()) {
                send(Message::Rows(std::mem::replace(&mut batch, new_batch())))?;
            }
            Ok(())
        })?;
        if !batch.values.is_empty() {
            send(Message::Rows(batch))?;
        }
    }
    send(Message::End)
}

fn insert_all(tx: &mut Tx<'_>, tables: &[Table], receiver: &Receiver<Message>) -> Result<u64> {
    for table in tables {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", quoted(&table.name));
        tx.each_sql(Sql::Once(&sql), &[], |_| {
            Err(Error::other(format_args!(
                "the target of the copy has rows in {}",
                table.name
            )))
        })?;
    }
    let mut row_count = 0;
    loop {
        match receiver.recv() {
            Ok(Message::Rows(batch)) => {
                let table = tables
                    .get(batch.table_index)
                    .ok_or_else(|| Error::other("a batch of no table"))?;
                let values: Vec<Value<'_>> = batch.values.iter().map(Owned::value).collect();
                let sql = insert_of(table, values.len() / table.columns.len());
                row_count += tx.exec_sql(Sql::Once(&sql), &values)?;
            }
            Ok(Message::End) => return Ok(row_count),
            Err(_) => return Err(Error::other("the source of the copy gave up")),
        }
    }
}

fn insert_of(table: &Table, row_count: usize) -> String {
    let mut sql = format!(
        "INSERT INTO {} ({}) VALUES ",
        quoted(&table.name),
        names_of(&table.columns)
    );
    let mut marker = 0;
    for row in 0..row_count {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..table.columns.len() {
            marker += 1;
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a text cannot fail.
            let _ = write!(sql, "{comma}?{marker}");
        }
        sql.push(')');
    }
    sql
}

fn names_of(columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    names.join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

impl Batch {
    fn push(&mut self, row: &Row<'_>, index: usize, kind: Kind) -> Result<()> {
        let (value, bytes) = match kind {
            Kind::Int => (Owned::Int(row.opt_int(index)?), 8),
            Kind::Text => {
                let text = row.opt_text(index)?;
                (
                    Owned::Text(text.map(str::to_owned)),
                    text.map_or(0, str::len),
                )
            }
            Kind::Bytes => {
                let bytes = row.opt_bytes(index)?;
                (
                    Owned::Bytes(bytes.map(<[u8]>::to_vec)),
                    bytes.map_or(0, <[u8]>::len),
                )
            }
        };
        self.values.push(value);
        self.bytes += bytes;
        Ok(())
    }

    fn is_full(&self, column_count: usize) -> bool {
        self.values.len() + column_count > BATCH_VALUES || self.bytes >= BATCH_BYTES
    }
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Int(value) => (*value).into(),
            Self::Text(text) => text.as_deref().into(),
            Self::Bytes(bytes) => bytes.as_deref().into(),
        }
    }
}
