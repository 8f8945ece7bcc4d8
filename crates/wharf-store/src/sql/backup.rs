//! Copies of the database in one file, and the search for damage.

use std::fs::File;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};

use super::db::{Db, Source, SqliteOptions};
use super::error::{Error, Result};
use super::sqlite::{Access, error_of, open};
use super::tx::Sql;

/// Pages copied at a time.
const STEP_PAGES: i32 = 1024;

impl Db {
    /// Writes a consistent copy to a new SQLite file, durable when this returns. Others go on meanwhile. Blocks.
    ///
    /// From PostgreSQL it is a copy row by row; [`Db::copy_to`] brings it back.
    ///
    /// # Errors
    /// `Other` if there is a file at `path` already. If the copy fails, what there is of it is removed.
    pub fn backup_to(&self, path: &Path) -> Result<()> {
        // Made here, so that no file is ever overwritten; SQLite takes an empty file for an empty database.
        File::create_new(path)
            .map_err(|error| Error::other(format_args!("{}: {error}", path.display())))?;
        let copied = match self.source() {
            Source::Sqlite(options) => copy_pages(&options.path, path),
            Source::Postgres(_) => self.copy_rows(path),
        };
        let done = copied.and_then(|()| sync(path));
        if done.is_err() {
            // It was made above and holds nothing of use.
            drop(std::fs::remove_file(path));
        }
        done
    }

    /// Looks for damage and returns what it finds, one line each. Never writes. Blocks.
    ///
    /// SQLite's own check covers every page and index; on PostgreSQL every row is read.
    pub fn check(&self) -> Result<Vec<String>> {
        match self.source() {
            Source::Sqlite(options) => check_pages(&options.path),
            Source::Postgres(_) => self.check_rows(),
        }
    }

    fn copy_rows(&self, path: &Path) -> Result<()> {
        let copy = Self::open_sqlite(&SqliteOptions {
            readers: 1,
            ..SqliteOptions::new(path)
        })?;
        let copied = self.copy_to(&copy);
        // The last connection to close moves the log into the file.
        copy.close();
        copied.map(drop)
    }

    fn check_rows(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for table in self.tables()? {
            let sql = format!("SELECT * FROM \"{}\"", table.name);
            if let Err(error) =
                self.read_blocking(move |tx| tx.each_sql(Sql::Once(&sql), &[], |_| Ok(())))
            {
                found.push(format!("table {}: {error}", table.name));
            }
        }
        Ok(found)
    }
}

/// Copies page by page from one snapshot, which a connection of its own holds, so that no write starts it again.
fn copy_pages(from: &Path, to: &Path) -> Result<()> {
    let source = open(from, Access::Read)?;
    source
        .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
        .map_err(error_of)?;
    let copy = || -> rusqlite::Result<()> {
        let mut target = rusqlite::Connection::open(to)?;
        // The file is synced once, when it is whole.
        target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        let backup = Backup::new(&source, &mut target)?;
        while backup.step(STEP_PAGES)? != StepResult::Done {}
        Ok(())
    };
    copy().map_err(error_of)
}

fn check_pages(path: &Path) -> Result<Vec<String>> {
    let connection = open(path, Access::Read)?;
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
        found.retain(|line| line != "ok");
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            found.push(format!(
                "a row of {table} refers to a missing row of {parent}"
            ));
        }
        Ok(found)
    };
    match check().map_err(error_of) {
        Err(Error::Corrupt(text)) => Ok(vec![text.into()]),
        outcome => outcome,
    }
}

/// Syncs a new file and its folder.
fn sync(path: &Path) -> Result<()> {
    let sync = || {
        File::open(path)?.sync_all()?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    sync().map_err(|error| Error::other(format_args!("{}: {error}", path.display())))
}
