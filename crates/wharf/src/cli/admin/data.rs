//! `wharf admin rebuild-index|recount|compact`: maintenance of a data folder on which no server runs.
//!
//! Each makes a plan, shows it, and does it unless `--dry-run` is given.

use serde::Serialize;
use wharf_client::Clock;
use wharf_core::{HouseConfig, Wharf};
use wharf_store::chunk::{ChunkStore, CompactionPlan, RebuildPlan, RecountPlan};

use crate::config::server::DataArgs;
use crate::context::Context;
use crate::data::{self, DataFolder, Unfinished};
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use crate::progress::bytes_bar;

/// Add to the database what the stored segments hold and it lacks
///
/// For a database that was lost or is older than the segments beside it. Segments do not know which files their chunks
/// belonged to: files come back by being put again, which takes up no further room.
#[derive(Debug, clap::Args)]
pub(super) struct RebuildArgs {
    #[command(flatten)]
    how: How,
}

/// Count again how often each chunk is mentioned and what every account uses, and correct the figures
#[derive(Debug, clap::Args)]
pub(super) struct RecountArgs {
    #[command(flatten)]
    how: How,
}

/// Give back the room of what nobody mentions any more
///
/// The server does this by itself, at its own pace.
#[derive(Debug, clap::Args)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct How {
    #[command(flatten)]
    data: DataArgs,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// A data folder opened for maintenance.
struct Maintenance {
    house: Wharf,
    chunks: ChunkStore,
    clock: Clock,
    _folder: DataFolder,
}

/// What was planned and done, for programs.
#[derive(Serialize)]
struct Outcome {
    planned: u64,
    done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_freed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
}

impl How {
    async fn open(&self, context: &Context) -> anyhow::Result<Maintenance> {
        let settings = context.data_settings(&self.data)?;
        data::must_be_there(&settings)?;
        let folder = DataFolder::take(&settings.data, Unfinished::Refuse)?;
        let house = data::open_house(&settings, HouseConfig::default()).await?;
        Ok(Maintenance {
            chunks: house.chunks().clone(),
            house,
            clock: Clock::system(),
            _folder: folder,
        })
    }
}

impl Maintenance {
    async fn close(self) -> anyhow::Result<()> {
        let db = self.house.db().clone();
        drop((self.chunks, self.house));
        Ok(tokio::task::spawn_blocking(move || db.close()).await?)
    }
}

impl RebuildArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let work = self.how.open(context).await?;
        let plan: RebuildPlan = work.chunks.plan_rebuild().await?;
        let planned = plan
            .segments
            .iter()
            .map(|segment| segment.chunk_count)
            .sum();
        context.output.note(format_args!(
            "{} of {} hold {} that the database lacks.",
            format::grouped(plan.segments.len() as u64),
            format::count(plan.segment_count, "segment", "segments"),
            format::count(planned, "chunk", "chunks"),
        ));
        let mut done = 0;
        if !self.how.dry_run {
            let bar = bytes_bar(
                &context.output,
                plan.segments.iter().map(|segment| segment.bytes).sum(),
            );
            for segment in &plan.segments {
                done += work.chunks.rebuild(segment, work.clock.now_ms()).await?;
                bar.inc(segment.bytes);
            }
            bar.finish_and_clear();
        }
        work.close().await?;
        let said = format!("Added {}.", format::count(done, "chunk", "chunks"));
        conclude(
            &context.output,
            &Outcome {
                planned,
                done,
                bytes_freed: None,
                lost: None,
            },
            said,
        )
    }
}

impl RecountArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let work = self.how.open(context).await?;
        let plan: RecountPlan = work.chunks.plan_recount().await?;
        let planned = plan.drifts.len() as u64;
        let lost = plan.lost.len() as u64;
        context.output.note(format_args!(
            "{} of {} are counted wrongly.",
            format::grouped(planned),
            format::count(plan.chunk_count, "chunk", "chunks"),
        ));
        let done = if self.how.dry_run {
            0
        } else {
            let counts = work.chunks.recount(&plan, work.clock.now_ms()).await?;
            // What accounts use has no plan: it is compared and corrected account by account.
            counts + work.house.drive().recount_usage().await?
        };
        work.close().await?;
        let said = format!("Corrected {}.", format::count(done, "figure", "figures"));
        conclude(
            &context.output,
            &Outcome {
                planned,
                done,
                bytes_freed: None,
                lost: Some(lost),
            },
            said,
        )?;
        if lost > 0 {
            let chunks = format::count(lost, "chunk", "chunks");
            context.output.warn(format_args!(
                "{chunks} that files mention are lost; see `wharf verify`"
            ));
            return Ok(Exit::Damaged);
        }
        Ok(Exit::Done)
    }
}

impl CompactArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let work = self.how.open(context).await?;
        let plan: CompactionPlan = work.chunks.plan_compaction(work.clock.now_ms()).await?;
        let segments = plan.units.iter().flat_map(|unit| &unit.segments);
        let planned = segments.clone().count() as u64;
        let freed = segments
            .map(|segment| segment.bytes.saturating_sub(segment.live_bytes))
            .sum();
        context.output.note(format_args!(
            "{} of {} are in use; rewriting {} gives back {}, a grace period later.",
            format::bytes(plan.live_bytes),
            format::bytes(plan.bytes),
            format::count(planned, "segment", "segments"),
            format::bytes(freed),
        ));
        let (mut done, mut damaged) = (0, 0);
        if !self.how.dry_run {
            let bar = bytes_bar(
                &context.output,
                plan.units
                    .iter()
                    .map(wharf_store::chunk::CompactionUnit::live_bytes)
                    .sum(),
            );
            for unit in &plan.units {
                let compacted = work.chunks.compact(unit, work.clock.now_ms()).await?;
                done += compacted.segments_retired;
                damaged += compacted.chunks_damaged + compacted.segments_damaged;
                bar.inc(unit.live_bytes());
            }
            bar.finish_and_clear();
        }
        work.close().await?;
        let said = format!("Retired {}.", format::count(done, "segment", "segments"));
        conclude(
            &context.output,
            &Outcome {
                planned,
                done,
                bytes_freed: Some(freed),
                lost: None,
            },
            said,
        )?;
        if damaged > 0 {
            context
                .output
                .warn("something is damaged and stays where it is; see `wharf verify`");
            return Ok(Exit::Damaged);
        }
        Ok(Exit::Done)
    }
}

fn conclude(output: &Output, done: &Outcome, people: String) -> anyhow::Result<Exit> {
    output.result(done, |_| people)?;
    Ok(Exit::Done)
}
