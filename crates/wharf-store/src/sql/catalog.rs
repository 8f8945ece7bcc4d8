//! The tables and columns that a database has.

use super::db::{Db, Engine};
use super::error::{Error, Result};
use super::tx::Tx;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be NULL.
    pub is_nullable: bool,
}

/// The three types there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{int}`.
    Int,
    /// `{text}`.
    Text,
    /// `{bytes}`.
    Bytes,
}

/// In the order in which the tables were made: one that refers to another comes after it.
const SQLITE_COLUMNS: &str = "SELECT t.name, c.name, c.type, NOT c.\"notnull\" \
     FROM sqlite_schema t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.rowid, c.cid";
const POSTGRES_COLUMNS: &str = "SELECT t.relname, c.attname, k.typname, NOT c.attnotnull \
     FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid JOIN pg_type k ON k.oid = c.atttypid \
     WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' \
     AND c.attnum > 0 AND NOT c.attisdropped ORDER BY t.oid, c.attnum";

impl Db {
    /// The tables, each after those that it refers to. Blocks.
    pub fn tables(&self) -> Result<Vec<Table>> {
        let engine = self.engine();
        self.read_blocking(move |tx| tables(tx, engine))
    }
}

fn tables(tx: &mut Tx<'_>, engine: Engine) -> Result<Vec<Table>> {
    let sql = match engine {
        Engine::Sqlite => SQLITE_COLUMNS,
        Engine::Postgres => POSTGRES_COLUMNS,
    };
    let mut tables: Vec<Table> = Vec::new();
    tx.each(sql, &[], |row| {
        let name = row.text(0)?;
        let column = Column {
            name: row.text(1)?.to_owned(),
            kind: kind_of(row.text(2)?)?,
            is_nullable: row.flag(3)?,
        };
        match tables.last_mut() {
            Some(table) if table.name == name => table.columns.push(column),
            _ => tables.push(Table {
                name: name.to_owned(),
                columns: vec![column],
            }),
        }
        Ok(())
    })?;
    Ok(tables)
}

fn kind_of(name: &str) -> Result<Kind> {
    match name {
        "INTEGER" | "int8" => Ok(Kind::Int),
        "TEXT" | "text" => Ok(Kind::Text),
        "BLOB" | "bytea" => Ok(Kind::Bytes),
        other => Err(Error::other(format_args!("a column of type {other}"))),
    }
}
