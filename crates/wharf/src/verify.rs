//! Looking for damage in stored data, and saying what was found. Nothing here writes.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use wharf_core::drive::mentions;
use wharf_core::log;
use wharf_store::blob::{Blob, FolderBlob};
use wharf_store::chunk::{ChunkStore, Finding, RecountPlan};
use wharf_store::sql::Db;
use wharf_types::ChunkHash;

use crate::data;
use crate::format;
use crate::output::{Output, Paint, printable};
use crate::progress::bytes_bar;

/// Damaged files named at most.
const FILES_MAX: usize = 10_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Something that was stored cannot be read.
    Damage,
    /// Nothing is lost; maintenance puts it in order.
    Note,
}

/// What was looked at, and how it was.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    pub(crate) segments: u64,
    pub(crate) chunks_good: u64,
    pub(crate) bytes: u64,
    pub(crate) damage: u64,
    /// Revisions of files that cannot be read whole.
    pub(crate) files: u64,
    /// Entries of logs that are in their place in the chain.
    pub(crate) entries: u64,
    pub(crate) notes: u64,
}

/// A finding as programs see it.
#[derive(Serialize)]
struct Shown<'a> {
    severity: Severity,
    finding: &'a str,
}

/// Reads everything and tells what is wrong as it is found.
pub(crate) async fn verify(db: Db, blob_path: &Path, output: &Output) -> anyhow::Result<Verdict> {
    let mut teller = Teller {
        output,
        verdict: Verdict::default(),
        bad_chunks: Vec::new(),
    };
    let checked = db.clone();
    let lines = tokio::task::spawn_blocking(move || checked.check()).await??;
    for line in lines {
        teller.tell(Severity::Damage, &format!("database: {line}"))?;
    }
    let blob: Arc<dyn Blob> = Arc::new(FolderBlob::open_to_read(blob_path));
    let chunks = data::chunks(db.clone(), blob);
    teller.segments(&chunks).await?;
    teller.counts(&chunks.plan_recount().await?)?;
    teller.files(&db).await?;
    teller.logs(&db).await?;
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(teller.verdict)
}

struct Teller<'a> {
    output: &'a Output,
    verdict: Verdict,
    /// Chunks that cannot be read, to find the files that they belong to.
    bad_chunks: Vec<ChunkHash>,
}

impl Teller<'_> {
    async fn segments(&mut self, chunks: &ChunkStore) -> anyhow::Result<()> {
        let plan = chunks.plan_verify().await?;
        self.findings(&plan.findings)?;
        let bar = bytes_bar(
            self.output,
            plan.segments.iter().map(|segment| segment.bytes).sum(),
        );
        for segment in &plan.segments {
            let verified = chunks.verify(segment).await?;
            self.verdict.segments += 1;
            self.verdict.chunks_good += verified.chunks_good;
            self.verdict.bytes += verified.bytes;
            bar.suspend(|| self.findings(&verified.findings))?;
            bar.inc(segment.bytes);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn counts(&mut self, plan: &RecountPlan) -> anyhow::Result<()> {
        for hash in &plan.lost {
            self.bad_chunks.push(*hash);
            self.tell(
                Severity::Damage,
                &format!("chunk {hash} is mentioned by a file and is not there"),
            )?;
        }
        if !plan.drifts.is_empty() {
            let count = format::count(plan.drifts.len() as u64, "chunk has", "chunks have");
            let text =
                format!("{count} a wrong count of mentions; `wharf admin recount` puts it right");
            self.tell(Severity::Note, &text)?;
        }
        Ok(())
    }

    /// Names the files that cannot be read whole.
    async fn files(&mut self, db: &Db) -> anyhow::Result<()> {
        if self.bad_chunks.is_empty() {
            return Ok(());
        }
        let chunks = std::mem::take(&mut self.bad_chunks);
        let mentions = mentions(db, &chunks, FILES_MAX).await?;
        self.verdict.files = mentions.len() as u64;
        for mention in mentions {
            let which = match (mention.is_current, mention.is_trashed) {
                (_, true) => "in the trash",
                (true, false) => "current",
                (false, false) => "an old revision",
            };
            self.tell(
                Severity::Damage,
                &format!(
                    "file /{} of {}, revision {} ({which})",
                    printable(&mention.path),
                    mention.owner,
                    mention.revision
                ),
            )?;
        }
        Ok(())
    }

    /// Walks the chains of the logs.
    async fn logs(&mut self, db: &Db) -> anyhow::Result<()> {
        let verified = log::verify(db).await?;
        self.verdict.entries = verified.entries;
        for fault in verified.faults {
            self.tell(
                Severity::Damage,
                &format!(
                    "log of room {}, entry {}: {}",
                    fault.room, fault.position, fault.detail
                ),
            )?;
        }
        Ok(())
    }

    fn findings(&mut self, findings: &[Finding]) -> anyhow::Result<()> {
        for finding in findings {
            if let Finding::ChunkDamaged { hash, .. } = finding {
                self.bad_chunks.push(*hash);
            }
            let (severity, text) = described(finding);
            self.tell(severity, &text)?;
        }
        Ok(())
    }

    fn tell(&mut self, severity: Severity, text: &str) -> anyhow::Result<()> {
        match severity {
            Severity::Damage => self.verdict.damage += 1,
            Severity::Note => self.verdict.notes += 1,
        }
        if self.output.is_json() {
            return self.output.object(&Shown {
                severity,
                finding: text,
            });
        }
        let word = match severity {
            Severity::Damage => self.output.paint(Paint::Red, "damage:"),
            Severity::Note => self.output.paint(Paint::Dim, "note:"),
        };
        self.output.line(format_args!("{word} {text}"))?;
        self.output.flush()
    }
}

/// The findings of one severity, in words.
pub(crate) fn told(findings: &[Finding], severity: Severity) -> Vec<String> {
    let described = findings.iter().map(described);
    described
        .filter(|(is, _)| *is == severity)
        .map(|(_, text)| text)
        .collect()
}

fn described(finding: &Finding) -> (Severity, String) {
    let chunks = |count: &u64| format::count(*count, "chunk", "chunks");
    match finding {
        // Without chunks in it nothing is missed.
        Finding::SegmentLost {
            segment,
            chunk_count: 0,
        } => (
            Severity::Note,
            format!("segment {segment} is not there, and nothing is missed"),
        ),
        Finding::SegmentLost {
            segment,
            chunk_count,
        } => (
            Severity::Damage,
            format!(
                "segment {segment} is not there, and {} with it",
                chunks(chunk_count)
            ),
        ),
        Finding::Orphan { segment, bytes } => (
            Severity::Note,
            format!(
                "segment {segment} ({}) is not in the database: it was just being written, or was left by a crash",
                format::bytes(*bytes)
            ),
        ),
        Finding::Foreign { key } => (
            Severity::Note,
            format!("{key} is among the segments and is none"),
        ),
        Finding::IndexDamaged { segment } => (
            Severity::Damage,
            format!(
                "the index of segment {segment} is damaged; its chunks are looked at one by one"
            ),
        ),
        Finding::ChunkDamaged {
            hash,
            segment,
            error,
        } => (
            Severity::Damage,
            format!("chunk {hash} in segment {segment}: {error}"),
        ),
        Finding::Misplaced {
            segment,
            chunk_count,
        } => (
            Severity::Damage,
            format!(
                "{} of segment {segment} are not where the database has them",
                chunks(chunk_count)
            ),
        ),
    }
}
