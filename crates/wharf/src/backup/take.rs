//! Taking a backup.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use wharf_client::Clock;
use wharf_store::blob::{Blob, FolderBlob};
use wharf_store::chunk::segment_key;
use wharf_store::sql::{Db, SqliteOptions};

use super::{Entry, FORMAT, MANIFEST, Manifest, Summary, files};
use crate::config::database::DatabaseUrl;
use crate::config::server::DataSettings;
use crate::data;
use crate::exit::Failure;
use crate::output::Output;
use crate::progress::bytes_bar;
use crate::verify::{self, Severity};

/// Copies the data of a server, running or not, into `folder`.
pub(crate) async fn take(
    settings: &DataSettings,
    folder: &Path,
    output: &Output,
) -> anyhow::Result<Summary> {
    let before = prepare(folder, settings)?;
    let created_ms = Clock::system().now_ms();
    let name = format!("database-{created_ms}.db");
    let snapshot = folder.join(&name);
    let (bytes, blake3) = copy_database(settings, &snapshot).await?;
    let database = Entry {
        path: name,
        bytes,
        blake3,
    };
    let mut summary = Summary {
        bytes_copied: bytes,
        ..Summary::default()
    };
    let segments = copy_segments(
        settings,
        (folder, &snapshot),
        before.as_ref(),
        &mut summary,
        output,
    )
    .await?;
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_ms,
        database,
        segments,
    };
    files::replace(
        &folder.join(MANIFEST),
        &serde_json::to_vec_pretty(&manifest)?,
    )?;
    clear(folder, &manifest)?;
    summary.segments = manifest.segments.len() as u64;
    summary.bytes = manifest.bytes();
    Ok(summary)
}

/// Makes the folder, or finds an earlier backup in it. Anything else in it is somebody's, and is left alone.
fn prepare(folder: &Path, settings: &DataSettings) -> anyhow::Result<Option<Manifest>> {
    std::fs::create_dir_all(folder)
        .with_context(|| Failure::usage(format!("Could not make {}", folder.display())))?;
    let inside = folder
        .canonicalize()?
        .starts_with(settings.data.canonicalize()?);
    if inside {
        let failure = Failure::usage("A backup inside the data folder is lost together with it")
            .hint("Name a folder on another disk.");
        return Err(failure.into());
    }
    if let Some(before) = Manifest::read(folder)? {
        return Ok(Some(before));
    }
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_ours = name == "blob" || name.to_str().is_some_and(is_database_name);
        if !is_ours {
            let failure = Failure::usage(format!(
                "{} is not empty and is not a backup",
                folder.display()
            ))
            .hint("Name an empty folder, a new one, or that of an earlier backup.");
            return Err(failure.into());
        }
    }
    Ok(None)
}

fn is_database_name(name: &str) -> bool {
    // With what SQLite keeps beside it.
    name.starts_with("database-") && name.contains(".db")
}

/// Copies the database in one snapshot and returns the copy's size and hash.
async fn copy_database(settings: &DataSettings, snapshot: &Path) -> anyhow::Result<(u64, String)> {
    let (settings, snapshot) = (settings.clone(), snapshot.to_owned());
    let copy = move || -> anyhow::Result<(u64, String)> {
        let source = data::open_database_to_read(&settings)?;
        match settings.database {
            DatabaseUrl::Sqlite => source
                .backup_to(&snapshot)
                .context("Could not copy the database")?,
            DatabaseUrl::Postgres(_) => {
                let target = Db::open_sqlite(&SqliteOptions::new(&snapshot))?;
                source
                    .copy_to(&target)
                    .context("Could not copy the database")?;
                target.close();
            }
        }
        source.close();
        files::sync_parent(&snapshot)?;
        files::hashed(&snapshot)
    };
    tokio::task::spawn_blocking(copy).await?
}

/// Copies the segments that the snapshot names and the backup does not have yet.
async fn copy_segments(
    settings: &DataSettings,
    (folder, snapshot): (&Path, &PathBuf),
    before: Option<&Manifest>,
    summary: &mut Summary,
    output: &Output,
) -> anyhow::Result<BTreeMap<String, Entry>> {
    let source: Arc<dyn Blob> =
        Arc::new(FolderBlob::open_to_read(&data::blob_path(&settings.data)));
    let target = FolderBlob::open(&folder.join("blob")).with_context(|| {
        Failure::usage(format!("Could not open {}", folder.join("blob").display()))
    })?;
    let options = SqliteOptions::new(snapshot);
    let db = tokio::task::spawn_blocking(move || Db::open_sqlite_to_read(&options)).await??;
    let chunks = data::chunks(db.clone(), Arc::clone(&source));
    let plan = chunks.plan_verify().await?;
    summary
        .damaged
        .extend(verify::told(&plan.findings, Severity::Damage));
    let named: Vec<_> = plan
        .segments
        .into_iter()
        .filter(|segment| segment.chunk_count > 0)
        .collect();
    let bar = bytes_bar(output, named.iter().map(|segment| segment.bytes).sum());
    let mut entries = BTreeMap::new();
    for segment in named {
        let key = segment_key(segment.id);
        let kept = before.and_then(|before| before.segments.get(&key));
        let is_there = target
            .size(&key)
            .await
            .is_ok_and(|bytes| bytes == segment.bytes);
        let entry = match kept {
            Some(kept) if is_there => kept.clone(),
            _ => {
                let verified = chunks.verify(&segment).await?;
                summary
                    .damaged
                    .extend(verify::told(&verified.findings, Severity::Damage));
                let bytes = source.get_range(&key, 0, segment.bytes).await?;
                let blake3 = blake3::hash(&bytes).to_hex().to_string();
                // What an interrupted backup left is not trusted.
                target.delete(&key).await?;
                target
                    .put(&key, vec![bytes])
                    .await
                    .context("Could not write a segment")?;
                summary.segments_copied += 1;
                summary.bytes_copied += segment.bytes;
                Entry {
                    path: format!("blob/{key}"),
                    bytes: segment.bytes,
                    blake3,
                }
            }
        };
        entries.insert(key, entry);
        bar.inc(segment.bytes);
    }
    bar.finish_and_clear();
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(entries)
}

/// Removes what belonged to earlier backups only. A crash before this leaves files that the next backup removes.
fn clear(folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_old = name
            .to_str()
            .is_some_and(|name| is_database_name(name) && name != manifest.database.path);
        if is_old {
            std::fs::remove_file(entry.path())?;
        }
    }
    let segments = folder.join("blob/segment");
    if !segments.try_exists()? {
        return Ok(());
    }
    for group in std::fs::read_dir(&segments)? {
        let group = group?;
        for segment in std::fs::read_dir(group.path())? {
            let segment = segment?;
            let names = (group.file_name(), segment.file_name());
            let key = format!(
                "segment/{}/{}",
                names.0.to_string_lossy(),
                names.1.to_string_lossy()
            );
            if !manifest.segments.contains_key(&key) {
                std::fs::remove_file(segment.path())?;
            }
        }
    }
    Ok(())
}
