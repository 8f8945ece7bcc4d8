//! One large file, up and down, through netdisk and by plain HTTP: the same file, the same program, the same checks.
//!
//! The file is in memory before the clock starts. What comes down is compared with it as it comes, and not written.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use load::sum::round;
use serde_json::{Value, json};

use crate::account::Server;
use crate::{http, netdisk};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// By which way.
    #[arg(long, value_enum)]
    way: Way,
    /// Which direction.
    #[arg(value_enum)]
    direction: Direction,
    /// The file.
    #[arg(long)]
    file: PathBuf,
    /// Connections, for netdisk's chunks.
    #[arg(long, default_value_t = 1)]
    connections: usize,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Way {
    /// `PUT` and `GET` of the content, one connection.
    Http,
    /// netdisk's finished protocol: chunks of 4 MiB, the next ones sent before the answers to those before.
    Chunks,
    /// netdisk's planned types: the whole file after one JSON object.
    Whole,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Direction {
    Up,
    Down,
}

pub(crate) async fn run(server: &Server, gateway: &str, options: Options) -> Result<Value> {
    let file = tokio::fs::read(&options.file).await?;
    let file = Bytes::from(file);
    let operator = server.operator().await?;
    let start;
    match (options.way, options.direction) {
        (Way::Http, direction) => {
            let door = http::Door::new(&server.url, &operator.token)?;
            start = Instant::now();
            match direction {
                Direction::Up => door.put("large.bin", &file).await?,
                Direction::Down => door.get("large.bin", &file).await?,
            }
        }
        (way, direction) => {
            let client = netdisk::Client::log_in(&operator, gateway, file).await?;
            start = Instant::now();
            match (way, direction) {
                (Way::Whole, Direction::Up) => client.whole_up().await?,
                (Way::Whole, Direction::Down) => client.whole_down().await?,
                (_, Direction::Up) => client.chunks_up(options.connections).await?,
                (_, Direction::Down) => client.chunks_down(options.connections).await?,
            }
        }
    }
    Ok(json!({ "seconds": round(start.elapsed().as_secs_f64()) }))
}

/// What of a file has come, compared with it.
pub(crate) struct Compared<'a> {
    file: &'a [u8],
}

impl<'a> Compared<'a> {
    pub(crate) const fn new(file: &'a [u8]) -> Self {
        Self { file }
    }

    pub(crate) const fn left(&self) -> usize {
        self.file.len()
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let (expected, rest) = self
            .file
            .split_at_checked(bytes.len())
            .context("more than the file")?;
        ensure!(expected == bytes, "other bytes than were sent");
        self.file = rest;
        Ok(())
    }

    pub(crate) fn end(&self) -> Result<()> {
        if !self.file.is_empty() {
            bail!("{} bytes are missing", self.file.len());
        }
        Ok(())
    }
}
