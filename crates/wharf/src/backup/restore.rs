//! Bringing a backup back, into a data folder that holds nothing.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context as _;
use wharf_core::HouseConfig;
use wharf_store::sql::{Db, SqliteOptions};

use super::{Entry, Manifest, Summary, files};
use crate::config::database::DatabaseUrl;
use crate::config::server::DataSettings;
use crate::data::{self, DataFolder, Unfinished};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::bytes_bar;

/// Files that may be in a data folder into which nothing was restored yet.
const ALLOWED: [&str; 2] = ["wharf.lock", "restoring"];

/// Copies a backup into the data folder that the settings name, verifying every byte, and gives the server a new epoch.
pub(crate) async fn restore(
    folder: &Path,
    settings: &DataSettings,
    output: &Output,
) -> anyhow::Result<Summary> {
    let manifest = Manifest::require(folder)?;
    let taken = DataFolder::take(&settings.data, Unfinished::Accept)?;
    let mark = data::restoring_path(taken.path());
    if mark.try_exists()? {
        remove_half(taken.path())?;
    }
    must_be_empty(taken.path())?;
    files::replace(&mark, b"")?;
    let summary = copy(folder, &manifest, settings, output).await?;
    // A restored house went back in time: clients must not take what is missing now for deleted.
    let house = data::open_house(settings, HouseConfig::default()).await?;
    house.accounts().renew_epoch().await?;
    let db = house.db().clone();
    drop(house);
    tokio::task::spawn_blocking(move || db.close()).await?;
    fs::remove_file(&mark)?;
    files::sync_parent(&mark)?;
    Ok(summary)
}

/// What an interrupted restore left is nobody's: it was made in a folder that was empty.
fn remove_half(data: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if ALLOWED.iter().any(|allowed| entry.file_name() == *allowed) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn must_be_empty(data: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name();
        if !ALLOWED.iter().any(|allowed| name == *allowed) {
            let failure = Failure::new(
                Exit::Conflict,
                format!("The data folder {} is not empty", data.display()),
            )
            .hint("Name a new one with --data, or move what is there aside.");
            return Err(failure.into());
        }
    }
    Ok(())
}

async fn copy(
    folder: &Path,
    manifest: &Manifest,
    settings: &DataSettings,
    output: &Output,
) -> anyhow::Result<Summary> {
    let bar = bytes_bar(output, manifest.bytes());
    let (folder, settings, manifest) = (folder.to_owned(), settings.clone(), manifest.clone());
    let copy = move || -> anyhow::Result<Summary> {
        for entry in manifest.segments.values() {
            copy_one(&folder, entry, &settings.data.join(&entry.path))?;
            bar.inc(entry.bytes);
        }
        // The database last: what it names is there by then.
        let database = data::database_path(&settings.data);
        copy_one(&folder, &manifest.database, &database)?;
        if let DatabaseUrl::Postgres(_) = settings.database {
            let source = Db::open_sqlite_to_read(&SqliteOptions::new(&database))?;
            let target = data::open_database_blocking(&settings)?;
            source
                .copy_to(&target)
                .context("Could not copy the rows into PostgreSQL, which must be empty")?;
            source.close();
            target.close();
            fs::remove_file(&database)?;
        }
        bar.finish_and_clear();
        let segments = manifest.segments.len() as u64;
        let bytes = manifest.bytes();
        Ok(Summary {
            segments,
            segments_copied: segments,
            bytes_copied: bytes,
            bytes,
            damaged: Vec::new(),
        })
    };
    tokio::task::spawn_blocking(copy).await?
}

fn copy_one(folder: &Path, entry: &Entry, to: &Path) -> anyhow::Result<()> {
    if let Some(parent) = to.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let copied = files::copy(&folder.join(&entry.path), to)?;
    if !files::is_entry(entry, &copied) {
        let failure = Failure::new(Exit::Damaged, format!("{} in the backup is damaged", entry.path)).hint(
            "Restore an earlier backup. Where there is none: `wharf verify --backup` says what is damaged, and \
             docs/operate/backup.md how to bring back the rest.",
        );
        return Err(failure.into());
    }
    files::sync_parent(to)?;
    Ok(())
}
