//! Progress bars: bytes, rate and time left, on a terminal only.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::task::AbortOnDropHandle;
use wharf_client::Progress;
use wharf_client::progress::Phase;

use crate::format;
use crate::output::Output;

const REFRESH: Duration = Duration::from_millis(100);

/// A bar that follows a transfer until it is dropped.
#[derive(Debug)]
pub(crate) struct TransferBar {
    bar: ProgressBar,
    // Ends the task that moves the bar.
    follow: Option<AbortOnDropHandle<()>>,
}

impl TransferBar {
    /// Shows how far `progress` is; nothing where nobody would see it.
    pub(crate) fn follow(output: &Output, progress: &Arc<Progress>) -> Self {
        if !output.shows_progress() {
            return Self {
                bar: ProgressBar::hidden(),
                follow: None,
            };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        bar.set_style(looking_style());
        let (shown, watched) = (bar.clone(), Arc::clone(progress));
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(REFRESH);
            let mut phase_before = Phase::Looking;
            loop {
                ticks.tick().await;
                show(&shown, &watched, &mut phase_before);
            }
        });
        Self {
            bar,
            follow: Some(AbortOnDropHandle::new(task)),
        }
    }
}

impl Drop for TransferBar {
    fn drop(&mut self) {
        // The task must not draw the bar again after it was cleared.
        self.follow.take();
        self.bar.finish_and_clear();
    }
}

fn show(bar: &ProgressBar, progress: &Progress, phase_before: &mut Phase) {
    if bar.is_finished() {
        return;
    }
    let now = progress.snapshot();
    if now.phase != *phase_before {
        if *phase_before == Phase::Looking {
            bar.set_style(moving_style());
        }
        *phase_before = now.phase;
    }
    let files = format!(
        "{}/{} files",
        format::grouped(now.files_done),
        format::grouped(now.files_total)
    );
    match now.phase {
        Phase::Looking => bar.set_message(format!(
            "Looking: {}, {}",
            format::count(now.files_total, "file", "files"),
            format::bytes(now.bytes_total)
        )),
        Phase::Moving => bar.set_message(files),
        Phase::Syncing => bar.set_message(format!("{files}, making sure that all is on the disk")),
        Phase::Done => {}
    }
    bar.set_length(now.bytes_total);
    bar.set_position(now.bytes_done);
}

/// A bar over bytes that a loop of this program moves itself.
pub(crate) fn bytes_bar(output: &Output, total_bytes: u64) -> ProgressBar {
    if !output.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::stderr());
    bar.set_style(moving_style());
    bar
}

fn looking_style() -> ProgressStyle {
    template("{spinner} {msg}")
}

fn moving_style() -> ProgressStyle {
    template("{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} {msg}")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
