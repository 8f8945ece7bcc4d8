//! The `wharf` program: a server, and the commands that talk to one.
//!
//! `main` reads the command line, runs one command on a runtime of its own, and turns whatever came of it into an exit
//! code. The commands are in [`cli`], one module for each.

mod backup;
mod cli;
mod config;
mod context;
mod conversation;
mod data;
mod demo;
mod directory;
mod entry;
mod environment;
mod exit;
mod format;
mod interrupt;
mod logging;
mod mention;
mod output;
mod profile;
mod progress;
mod prompt;
mod reference;
mod remote;
mod report;
mod session;
mod transfer;
mod tui;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};

use cli::Cli;
use context::Context;
use environment::Environment;
use exit::{Exit, Report};
use output::{Closed, Output, Style};

// Many small, short-lived allocations from many threads: mimalloc gives them back to the system, which keeps an idle
// server small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long threads may go on that were not asked to end.
const ENDING: Duration = Duration::from_secs(2);
/// Threads that run tasks; what blocks or computes has threads of its own.
const WORKERS_MIN: usize = 2;

fn main() -> ExitCode {
    use_small_pages();
    give_memory_back_at_once();
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let environment = Environment::of_process();
    let style = Style {
        json: cli.global.json,
        quiet: cli.global.quiet,
        color: cli.global.color,
        no_color: environment.get("NO_COLOR").is_some(),
    };
    let context = Context::new(Output::new(style), environment, cli.global, matches);
    let result = run(cli.command, &context).and_then(|exit| context.output.flush().map(|()| exit));
    match result {
        Ok(exit) => exit.into(),
        // Whoever read the output has seen enough.
        Err(error) if error.is::<Closed>() => Exit::Done.into(),
        Err(error) => {
            // What was written before the error comes first, where somebody still reads it.
            context.output.flush().unwrap_or_default();
            let report = Report::of(&error);
            report.write(&context.output);
            report.exit().into()
        }
    }
}

/// Keeps the process as large as what it holds. With pages of 2 MiB, the allocator's threads between them keep about twice
/// as much: 160 instead of 90 MiB in a client at work, 550 instead of 260 in a server, at no gain in speed.
fn use_small_pages() {
    // A system that does not know the call has nothing to switch off.
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).unwrap_or_default();
}

/// Makes the allocator return freed memory to the system at once instead of after a while, which under load is never: a
/// server at work keeps 115 instead of 310 MiB, an idle one 22 instead of 45, at no measured cost.
#[expect(
    unsafe_code,
    reason = "the allocator's options have no safe door; this one sets a number before any thread runs"
)]
fn give_memory_back_at_once() {
    /// `mi_option_purge_delay`, which the binding does not name.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: the call takes two numbers, and an option that is not known is ignored.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 0) };
}

fn run(command: cli::Command, context: &Context) -> anyhow::Result<Exit> {
    let workers = std::thread::available_parallelism()
        .map_or(WORKERS_MIN, usize::from)
        .max(WORKERS_MIN);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("wharf")
        .enable_all()
        .build()?;
    let exit = runtime.block_on(command.run(context));
    // What is still on a thread of its own, such as a read of a terminal that nobody types at, does not keep the program from
    // ending; what it may leave half done is what a crash may leave.
    runtime.shutdown_timeout(ENDING);
    exit
}

/// Help and version are no faults; everything else is the usage code.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed output leaves nobody to tell.
    error.print().unwrap_or_default();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}
