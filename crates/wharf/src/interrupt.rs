//! Ending in order when Ctrl-C or SIGTERM asks for it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::exit::Exit;

/// A token that the first Ctrl-C or SIGTERM cancels, so that work ends in order. A second one ends the program at once.
///
/// Signals are listened to from when this returns, and not only when the task is first run: whoever is told after it that
/// the program is there may stop it at once. Where they cannot be listened to, their default is in force.
pub(crate) fn stop_on_interrupt() -> (CancellationToken, AbortOnDropHandle<()>) {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let listening = Interrupts::listen();
    let task = tokio::spawn(async move {
        let Ok(mut interrupts) = listening else {
            return;
        };
        interrupts.next().await;
        cancelled.cancel();
        interrupts.next().await;
        end_at_once();
    });
    (token, AbortOnDropHandle::new(task))
}

#[expect(
    clippy::exit,
    reason = "asked for twice: nothing may hold it up, and all that is written is crash-safe"
)]
fn end_at_once() -> ! {
    std::process::exit(i32::from(Exit::Interrupted as u8))
}

/// Ctrl-C and SIGTERM.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::stop_on_interrupt;

    // Of one thread, so that nothing else has run when the signal comes.
    #[tokio::test(flavor = "current_thread")]
    async fn a_signal_that_comes_at_once_is_heard() {
        let (stop, _signals) = stop_on_interrupt();
        kill_process(getpid(), Signal::TERM).unwrap();
        stop.cancelled().await;
    }
}
