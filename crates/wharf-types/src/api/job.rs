//! Background jobs, as operators see and steer them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// A unit is under way.
    Working,
    /// Resting between units, as its pace asks.
    Pacing,
    /// Nothing to do for now.
    Waiting,
    /// Pausing after an error.
    Retrying,
    /// Its pace is 0.
    Paused,
    /// Ended, as it asked or because the server closes.
    Done,
    /// Ended by a panic, which is a fault of the program.
    Failed,
}

/// A background job of the server that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: JobState,
    /// Share of the time that it may work, 1 to 100; 0 when it is paused.
    pub pace_percent: u32,
    /// Units done since the start.
    pub units_count: u64,
    /// Errors since the start.
    pub errors_count: u64,
    /// Errors since the last unit that succeeded.
    pub errors_in_row: u32,
    /// The last error, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_ms: Option<i64>,
    /// When the last unit ended well, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_unit_ms: Option<i64>,
    /// How far it is, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
}

/// Steers a job, until the server is started again; what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditJob {
    /// Share of the time that it may work, 1 to 100; 0 pauses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100)]
    pub pace_percent: Option<u32>,
    /// Ends its wait, so that it looks for work now.
    #[serde(default)]
    pub run_now: bool,
}

impl JobState {
    /// The state in one word, as the HTTP API sends it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Pacing => "pacing",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}
