//! `wharf doctor`: looks for what is wrong, and says what to do.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use wharf_client::{Api, Clock};
use wharf_server::gateway::Gateways;
use wharf_types::api::account::AccountRole;
use wharf_types::api::job::JobState;

use crate::config::server::{DataArgs, DataSettings, ServerArgs, ServerSettings};
use crate::context::Context;
use crate::data;
use crate::exit::{Exit, Report};
use crate::format;
use crate::output::{Output, Paint};
use crate::session::Session;

/// Less free room than this is worth a warning, and less than a tenth of it is a fault.
const FREE_BYTES_WANTED: u64 = 10 << 30;
/// A disk whose fsync takes longer than this makes everything durable slow.
const FSYNC_WANTED: Duration = Duration::from_millis(50);
const FSYNC_COUNT: usize = 20;
/// Clocks that differ by more than this make times in lists confusing.
const CLOCK_DIFFERENCE_WANTED_MS: i64 = 10_000;

/// Check this device, the server's data if it is here, and the connection to the server
///
/// It changes nothing; to measure the disk it writes a small file and removes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    Skipped,
    Warning,
    Fault,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    health: Health,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Check {
    fn new(name: &'static str, health: Health, detail: impl Into<String>) -> Self {
        Self {
            name,
            health,
            detail: detail.into(),
            hint: None,
        }
    }

    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Health::Good, detail)
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A check that could not be made, with the error's own advice.
    fn failed(name: &'static str, error: &anyhow::Error) -> Self {
        let report = Report::of(error);
        Self {
            name,
            health: Health::Fault,
            detail: report.message,
            hint: report.hint,
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut worst = Health::Good;
        let mut tell = |check: Check| -> anyhow::Result<()> {
            worst = worst.max(check.health);
            show(&check, &context.output)
        };
        match self.settings(context) {
            Ok(settings) => {
                tell(Check::good("configuration", "in order"))?;
                if let Some(check) = datagrams(&settings.http.gateways) {
                    tell(check)?;
                }
                for check in data_checks(&settings.data).await {
                    tell(check)?;
                }
            }
            Err(error) => tell(Check::failed("configuration", &error))?,
        }
        for check in server_checks(context).await {
            tell(check)?;
        }
        Ok(if worst == Health::Fault {
            Exit::Failed
        } else {
            Exit::Done
        })
    }

    fn settings(&self, context: &Context) -> anyhow::Result<ServerSettings> {
        let args = ServerArgs {
            data: self.data.clone(),
            ..ServerArgs::default()
        };
        context.server_settings(&args)
    }
}

fn show(check: &Check, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.object(check);
    }
    let (paint, word) = match check.health {
        Health::Good => (Paint::Green, "good"),
        Health::Skipped => (Paint::Dim, "skipped"),
        Health::Warning => (Paint::Yellow, "warning"),
        Health::Fault => (Paint::Red, "fault"),
    };
    let word = output.paint(paint, format_args!("{word:<7}"));
    output.line(format_args!(
        "{word}  {}: {}",
        check.name,
        output.name(&check.detail)
    ))?;
    match &check.hint {
        Some(hint) => output.line(format_args!("         {hint}")),
        None => Ok(()),
    }
}

/// What the kernel does with the datagrams of a gateway that listens on this machine; nothing where there is none.
fn datagrams(gateways: &Gateways) -> Option<Check> {
    const NAME: &str = "datagrams";
    const BUFFER_BYTES_WANTED: u64 = 8 << 20;
    let diary = gateways.diary.as_ref()?;
    let ports = [Some(diary.address), gateways.diary_options.journal];
    let ports: Vec<u16> = ports.into_iter().flatten().map(|at| at.port()).collect();
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    let dropped: Vec<u64> = tables
        .iter()
        .flatten()
        .flat_map(|table| table.lines().filter_map(|line| dropped_at(line, &ports)))
        .collect();
    if dropped.is_empty() {
        return Some(Check::new(
            NAME,
            Health::Skipped,
            "no server listens to them here",
        ));
    }
    let dropped: u64 = dropped.iter().sum();
    let most = fs::read_to_string("/proc/sys/net/core/rmem_max").ok();
    let most = most.and_then(|text| text.trim().parse::<u64>().ok());
    let is_small = most.is_some_and(|bytes| bytes < BUFFER_BYTES_WANTED);
    let detail = format!("the kernel has dropped {dropped}");
    Some(if dropped > 0 && is_small {
        Check::new(NAME, Health::Warning, detail).hint(format!(
            "Let it hold more: sysctl -w net.core.rmem_max={BUFFER_BYTES_WANTED}, and start the server again."
        ))
    } else if dropped > 0 {
        Check::new(NAME, Health::Warning, detail)
            .hint("The server was too slow for them: see what it waits for in its metrics.")
    } else {
        Check::good(NAME, detail)
    })
}

/// How many datagrams a socket of one of these ports has lost, by its line in the kernel's table.
fn dropped_at(line: &str, ports: &[u16]) -> Option<u64> {
    let mut columns = line.split_ascii_whitespace();
    let (_, port) = columns.nth(1)?.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    ports
        .contains(&port)
        .then(|| columns.last()?.parse().ok())?
}

async fn data_checks(settings: &DataSettings) -> Vec<Check> {
    let folder = &settings.data;
    if !folder.is_dir() {
        let detail = format!("no server has its data in {}", folder.display());
        return vec![Check::new("data folder", Health::Skipped, detail)];
    }
    let mut checks = vec![permissions(folder), room(folder), disk(folder)];
    let settings = settings.clone();
    let checked = tokio::task::spawn_blocking(move || database(&settings)).await;
    checks.push(checked.unwrap_or_else(|error| Check::failed("database", &error.into())));
    checks
}

fn permissions(folder: &Path) -> Check {
    const NAME: &str = "data folder";
    match fs::metadata(folder) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Check::new(
            NAME,
            Health::Warning,
            format!("other users may look into {}", folder.display()),
        )
        .hint(format!("Run: chmod 700 '{}'", folder.display())),
        Ok(_) => Check::good(NAME, folder.display().to_string()),
        Err(error) => Check::failed(NAME, &error.into()),
    }
}

fn room(folder: &Path) -> Check {
    const NAME: &str = "free room";
    let found = match rustix::fs::statvfs(folder) {
        Ok(found) => found,
        Err(error) => return Check::failed(NAME, &std::io::Error::from(error).into()),
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let share = found.f_bavail.saturating_mul(100) / found.f_blocks.max(1);
    let detail = format!("{} ({share} %) are free", format::bytes(free));
    let hint = "Make room, or move the data folder: docs/operate/disk.md";
    if free < FREE_BYTES_WANTED / 10 {
        Check::new(NAME, Health::Fault, detail).hint(hint)
    } else if free < FREE_BYTES_WANTED {
        Check::new(NAME, Health::Warning, detail).hint(hint)
    } else if found.f_files > 0 && found.f_favail < found.f_files / 50 {
        Check::new(
            NAME,
            Health::Warning,
            format!("{detail}, but few inodes are"),
        )
        .hint(hint)
    } else {
        Check::good(NAME, detail)
    }
}

fn disk(folder: &Path) -> Check {
    const NAME: &str = "disk";
    match fsync_times(folder) {
        Ok(mut times) => {
            times.sort_unstable();
            let at = |percent: usize| {
                times
                    .get((times.len() - 1) * percent / 100)
                    .copied()
                    .unwrap_or_default()
            };
            let detail = format!("an fsync takes {:.1?}, at most {:.1?}", at(50), at(100));
            if at(50) > FSYNC_WANTED {
                Check::new(NAME, Health::Warning, detail)
                    .hint("Everything that is durable waits for it: put the data on a faster disk.")
            } else {
                Check::good(NAME, detail)
            }
        }
        Err(error) => Check::failed(
            NAME,
            &anyhow::Error::from(error).context(format!("Could not write in {}", folder.display())),
        )
        .hint("Check the owner and the mode of the folder, and the log of the kernel."),
    }
}

fn fsync_times(folder: &Path) -> std::io::Result<Vec<Duration>> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    let mut measure = || -> std::io::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(FSYNC_COUNT);
        for _ in 0..FSYNC_COUNT {
            file.write_all(&[0; 4096])?;
            let began = tokio::time::Instant::now();
            file.sync_all()?;
            times.push(began.elapsed());
        }
        Ok(times)
    };
    let times = measure();
    fs::remove_file(&path)?;
    times
}

fn database(settings: &DataSettings) -> Check {
    const NAME: &str = "database";
    let check = || -> anyhow::Result<Vec<String>> {
        data::must_be_there(settings)?;
        let db = data::open_database_to_read(settings)?;
        let found = db.check()?;
        db.close();
        Ok(found)
    };
    match check() {
        Ok(found) if found.is_empty() => Check::good(NAME, format!("{}, whole", settings.database)),
        Ok(found) => Check::new(NAME, Health::Fault, found.join("; "))
            .hint("Stop the server and restore a backup: docs/operate/recovery.md"),
        Err(error) => Check::failed(NAME, &error),
    }
}

async fn server_checks(context: &Context) -> Vec<Check> {
    const NAME: &str = "server";
    let session = match Session::open(context).await {
        Ok(session) => session,
        Err(error) if Report::of(&error).exit() == Exit::NotLoggedIn => {
            let report = Report::of(&error);
            let mut check = Check::new(NAME, Health::Skipped, report.message);
            check.hint = report.hint;
            return vec![check];
        }
        Err(error) => return vec![Check::failed(NAME, &error)],
    };
    let began = tokio::time::Instant::now();
    let info = match session.api.server().await {
        Ok(info) => info,
        Err(error) => return vec![Check::failed(NAME, &error.into())],
    };
    let took = began.elapsed();
    let mut checks = vec![Check::good(
        NAME,
        format!("{} answers in {took:.1?}", session.server),
    )];
    if info.version != env!("CARGO_PKG_VERSION") {
        let detail = format!(
            "the server is {}, this program {}",
            info.version,
            env!("CARGO_PKG_VERSION")
        );
        checks.push(
            Check::new("version", Health::Warning, detail).hint("Bring both to the same version."),
        );
    }
    let apart_ms = (info.time_ms - Clock::system().now_ms()).abs();
    if apart_ms > CLOCK_DIFFERENCE_WANTED_MS {
        let apart = format::duration(Duration::from_millis(apart_ms.unsigned_abs()));
        checks.push(
            Check::new(
                "clock",
                Health::Warning,
                format!("the server's clock and this one are {apart} apart"),
            )
            .hint("Set both by a time server."),
        );
    } else {
        checks.push(Check::good("clock", "agrees with the server's"));
    }
    match session.api.account().await {
        Ok(account) => {
            let detail = format!("logged in as {}", account.username);
            checks.push(Check::good("login", detail));
            if account.role == AccountRole::Operator {
                checks.push(jobs(&session.api).await);
            }
        }
        Err(error) => checks.push(Check::failed("login", &error.into())),
    }
    checks
}

async fn jobs(api: &Api) -> Check {
    const NAME: &str = "jobs";
    let jobs = match api.admin_jobs().await {
        Ok(jobs) => jobs,
        Err(error) => return Check::failed(NAME, &error.into()),
    };
    let troubled: Vec<String> = jobs
        .iter()
        .filter(|job| matches!(job.state, JobState::Retrying | JobState::Failed))
        .map(|job| {
            format!(
                "{}: {}",
                job.name,
                job.last_error.as_deref().unwrap_or(job.state.as_str())
            )
        })
        .collect();
    if troubled.is_empty() {
        Check::good(
            NAME,
            format::count(jobs.len() as u64, "job does its work", "jobs do their work"),
        )
    } else {
        Check::new(NAME, Health::Fault, troubled.join("; "))
            .hint("See `wharf admin job list` and the server's log.")
    }
}
