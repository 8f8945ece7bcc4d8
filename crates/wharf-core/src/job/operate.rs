//! What operators may do with jobs: look, pace, hurry. It concerns the process that answers, until it ends.

use wharf_types::api::job::{EditJob, Job};

use super::JobStatus;
use crate::Wharf;
use crate::caller::Caller;
use crate::error::Result;

impl Wharf {
    /// The jobs of this process, for an operator.
    ///
    /// # Errors
    /// `Denied`: the caller is no operator.
    pub async fn operators_jobs(&self, caller: &Caller) -> Result<Vec<Job>> {
        self.accounts().admin(caller)?.require().await?;
        Ok(self.jobs().status().into_iter().map(Job::from).collect())
    }

    /// Sets a job's pace, or has it look for work now, as an operator.
    ///
    /// # Errors
    /// - `Denied`: the caller is no operator.
    /// - `NotFound`: there is no such job.
    /// - `Invalid`: the pace is over 100 percent.
    pub async fn edit_job(&self, caller: &Caller, name: &str, request: EditJob) -> Result<Job> {
        self.accounts().admin(caller)?.require().await?;
        if let Some(percent) = request.pace_percent {
            self.jobs().set_pace(name, percent)?;
        }
        if request.run_now {
            self.jobs().nudge(name)?;
        }
        self.jobs().find_status(name).map(Job::from)
    }
}

impl From<JobStatus> for Job {
    fn from(status: JobStatus) -> Self {
        Self {
            name: status.name.to_owned(),
            state: status.state,
            pace_percent: status.pace_percent,
            units_count: status.units_count,
            errors_count: status.errors_count,
            errors_in_row: status.errors_in_row,
            last_error: status.last_error,
            last_error_ms: status.last_error_ms,
            last_unit_ms: status.last_unit_ms,
            progress: status.progress,
        }
    }
}
