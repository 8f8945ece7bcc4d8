//! Puts a Wharf server under load over its public API and prints what it did as one JSON object, for bench/run.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its result"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "measuring needs the machine's clock"
)]

mod changes;
mod commits;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use wharf_client::Api;
use wharf_client::net::Options;
use wharf_types::api::account::Login;
use wharf_types::api::drive::Op;
use wharf_types::{ChunkHash, CommitId};
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Where the server listens.
    #[arg(long)]
    server: url::Url,
    /// Whose drive is worked on.
    #[arg(long)]
    username: String,
    /// The account's password.
    #[arg(long)]
    password: String,
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Commits of one new small file each, from many clients at once.
    Commits {
        /// Clients, each with one connection and one commit on the way.
        #[arg(long, default_value_t = 64)]
        clients: usize,
        /// How long.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// The change stream of a drive with many nodes.
    Changes {
        /// How many nodes the drive gets first.
        #[arg(long, default_value_t = 1_000_000)]
        nodes: usize,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    // The first provider wins; a second one is no harm.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let arguments = Arguments::parse();
    let result = match arguments.work {
        Work::Commits { clients, seconds } => commits::run(&arguments, clients, seconds).await?,
        Work::Changes { nodes } => changes::run(&arguments, nodes).await?,
    };
    println!("{result}");
    Ok(())
}

impl Arguments {
    /// Opens a session and returns its token.
    async fn log_in(&self) -> Result<String> {
        let login = Login {
            login: self.username.clone(),
            password: self.password.clone(),
            device: Some("load".to_owned()),
        };
        let logged_in = self.connect().await?.login(&login).await;
        Ok(logged_in.context("logging in")?.token)
    }

    /// A client with one connection of its own.
    async fn client(&self, token: &str) -> Result<Api> {
        Ok(self.connect().await?.with_token(token)?)
    }

    async fn connect(&self) -> Result<Api> {
        let mut options = Options::new(self.server.clone());
        options.connections = 1;
        Api::connect(options).await.context("connecting")
    }
}

/// A random commit id, under the time zero.
fn commit_id() -> CommitId {
    CommitId::new(0, &rand::random())
}

/// A file of one chunk: its frame, and its packed manifest in base64.
fn one_chunk(bytes: bytes::Bytes) -> Result<(Frame, String)> {
    let hash = ChunkHash::of(&bytes);
    let manifest = Manifest {
        chunks: vec![ManifestChunk {
            hash,
            bytes: u32::try_from(bytes.len())?,
        }],
    };
    let packed = wharf_wire::manifest::to_base64(&manifest.pack());
    Ok((Frame::seal(hash, bytes), packed))
}

/// The operation that puts a manifest at a path where nothing may be.
fn put(path: String, manifest: String) -> Op {
    Op::Put {
        path,
        manifest,
        mtime_ns: None,
        executable: false,
        link: false,
        expect: wharf_types::api::drive::Expect::Absent,
    }
}

/// The value below which `share` of the sorted `values` lie.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few thousand measurements"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * share) as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
