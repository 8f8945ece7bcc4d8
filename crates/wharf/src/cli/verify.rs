//! `wharf verify`: is everything that was stored still there?

use std::path::PathBuf;

use wharf_store::sql::{Db, SqliteOptions};

use crate::backup::Manifest;
use crate::config::server::DataArgs;
use crate::context::Context;
use crate::data;
use crate::exit::Exit;
use crate::format;
use crate::output::{Output, Paint};
use crate::verify::{Verdict, verify};

/// Read everything that a server has stored, and report damage
///
/// For the operator, on the server's machine, while the server runs or not. It never writes. The exit code is 10 when
/// something is damaged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Verify this backup instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data", "database"])]
    backup: Option<PathBuf>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let output = &context.output;
        let verdict = if let Some(folder) = &self.backup {
            let manifest = Manifest::require(folder)?;
            let options = SqliteOptions::new(folder.join(&manifest.database.path));
            let db =
                tokio::task::spawn_blocking(move || Db::open_sqlite_to_read(&options)).await??;
            verify(db, &folder.join("blob"), output).await?
        } else {
            let settings = context.data_settings(&self.data)?;
            data::must_be_there(&settings)?;
            let blob = data::blob_path(&settings.data);
            let db = tokio::task::spawn_blocking(move || data::open_database_to_read(&settings))
                .await??;
            verify(db, &blob, output).await?
        };
        conclude(&verdict, output)
    }
}

fn conclude(verdict: &Verdict, output: &Output) -> anyhow::Result<Exit> {
    output.result(&serde_json::json!({ "verdict": verdict }), |_| {
        let read = format!(
            "Read {} in {} ({}), and {} in the logs.",
            format::count(verdict.chunks_good, "good chunk", "good chunks"),
            format::count(verdict.segments, "segment", "segments"),
            format::bytes(verdict.bytes),
            format::count(verdict.entries, "entry", "entries")
        );
        if verdict.damage == 0 {
            format!(
                "{read} {}",
                output.paint(Paint::Green, "Everything is whole.")
            )
        } else {
            let count = format::count(verdict.damage, "thing is", "things are");
            let words = output.paint(Paint::Red, format_args!("{count} damaged."));
            format!("{read} {words} docs/operate/recovery.md says what to do.")
        }
    })?;
    Ok(if verdict.damage == 0 {
        Exit::Done
    } else {
        Exit::Damaged
    })
}
