//! `wharf admin job`: the server's background jobs.

use clap::Subcommand;
use wharf_types::ErrorCode;
use wharf_types::api::job::{EditJob, Job, JobState};

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::Session;

/// See and steer a server's background jobs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the jobs, what they do, and their last errors
    List,
    /// Set the share of its time that a job may work, until the server is started again
    Pace {
        /// Its name, as `wharf admin job list` shows it
        name: String,
        /// 1 to 100; 0 pauses it
        #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
        percent: u32,
    },
    /// Have a job look for work now
    Run {
        /// Its name, as `wharf admin job list` shows it
        name: String,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let api = Session::open(context).await?.api;
        let output = &context.output;
        let (name, edit) = match self.action {
            Action::List => {
                list(&api.admin_jobs().await?, output)?;
                return Ok(Exit::Done);
            }
            Action::Pace { name, percent } => (
                name,
                EditJob {
                    pace_percent: Some(percent),
                    run_now: false,
                },
            ),
            Action::Run { name } => (
                name,
                EditJob {
                    pace_percent: None,
                    run_now: true,
                },
            ),
        };
        let edited = api.admin_edit_job(&name, &edit).await;
        let job = edited.map_err(|error| {
            if !error.is(ErrorCode::NotFound) {
                return anyhow::Error::from(error);
            }
            let failure = Failure::new(Exit::NotFound, format!("There is no job {name}"));
            failure.hint("See `wharf admin job list`.").into()
        })?;
        if output.is_json() {
            output.object(&job)?;
        } else if edit.run_now {
            output.note(format_args!("The job {name} looks for work now."));
        } else {
            output.note(format_args!(
                "The job {name} works {} % of the time at most.",
                job.pace_percent
            ));
        }
        Ok(Exit::Done)
    }
}

fn list(jobs: &[Job], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return jobs.iter().try_for_each(|job| output.object(job));
    }
    let mut table = Table::new(&[
        ("JOB", Align::Left),
        ("STATE", Align::Left),
        ("PACE", Align::Right),
        ("UNITS", Align::Right),
        ("ERRORS", Align::Right),
        ("LAST DONE", Align::Left),
        ("PROGRESS", Align::Left),
    ]);
    for job in jobs {
        table.painted_row([
            (Paint::Plain, job.name.clone()),
            (paint(job.state), job.state.as_str().to_owned()),
            (Paint::Plain, format!("{} %", job.pace_percent)),
            (Paint::Plain, job.units_count.to_string()),
            (Paint::Plain, job.errors_count.to_string()),
            (
                Paint::Plain,
                job.last_unit_ms.map_or_else(String::new, format::time_ms),
            ),
            (Paint::Plain, job.progress.clone().unwrap_or_default()),
        ]);
    }
    table.write(output)?;
    for job in jobs {
        if let (Some(error), Some(at_ms)) = (&job.last_error, job.last_error_ms) {
            output.note(format_args!(
                "The last error of {}, {}: {error}",
                job.name,
                format::time_ms(at_ms)
            ));
        }
    }
    Ok(())
}

const fn paint(state: JobState) -> Paint {
    match state {
        JobState::Failed | JobState::Retrying => Paint::Red,
        JobState::Working => Paint::Bold,
        JobState::Pacing | JobState::Waiting | JobState::Paused | JobState::Done => Paint::Plain,
    }
}
