//! What one connection may ask for in a time. One that asks for more is read no faster: nothing is refused, and what it
//! sends waits in its own network buffers.

use wharf_types::api::live::ClientFrame;

/// What may be asked for at once.
const BURST: i64 = 10_000;
/// What is added every second.
const PER_SECOND: i64 = 2_000;

/// A bucket of points that requests cost. It may be overdrawn by one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    points: i64,
    at_ms: i64,
}

impl Budget {
    pub(super) const fn new(now_ms: i64) -> Self {
        Self {
            points: BURST,
            at_ms: now_ms,
        }
    }

    /// Takes what a request costs.
    pub(super) fn take(&mut self, frame: &ClientFrame) {
        self.points -= cost(frame);
    }

    /// Whether another request may come.
    pub(super) fn has_room(&mut self, now_ms: i64) -> bool {
        let elapsed_ms = (now_ms - self.at_ms).clamp(0, 60_000);
        let gained = elapsed_ms * PER_SECOND / 1_000;
        if gained > 0 {
            self.points = (self.points + gained).min(BURST);
            self.at_ms = now_ms;
        }
        self.points > 0
    }
}

/// About what a request costs the server, beside the smallest one. Appends have bounds of their own.
fn cost(frame: &ClientFrame) -> i64 {
    match frame {
        ClientFrame::Ping { .. } | ClientFrame::Send(_) => 1,
        ClientFrame::Status { .. }
        | ClientFrame::Typing(_)
        | ClientFrame::Read(_)
        | ClientFrame::Delivered(_) => 5,
        ClientFrame::Fetch(_) => 20,
        ClientFrame::Hello(_) => 100,
        ClientFrame::Watch { accounts } => {
            20 + i64::try_from(accounts.len()).unwrap_or(i64::MAX / 2)
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::api::live::ClientFrame;

    use super::{BURST, Budget, PER_SECOND};

    #[test]
    fn a_burst_passes_and_then_as_much_as_is_added() {
        let ping = ClientFrame::Ping { number: 1 };
        let mut budget = Budget::new(0);
        for _ in 0..BURST {
            assert!(budget.has_room(0));
            budget.take(&ping);
        }
        assert!(!budget.has_room(0));
        assert!(budget.has_room(1_000));
        let passed = (0..BURST).take_while(|_| {
            let has_room = budget.has_room(1_000);
            budget.take(&ping);
            has_room
        });
        assert_eq!(i64::try_from(passed.count()).unwrap(), PER_SECOND);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_adds_nothing() {
        let mut budget = Budget::new(1_000);
        for _ in 0..BURST {
            budget.take(&ClientFrame::Ping { number: 1 });
        }
        assert!(!budget.has_room(1_000));
        assert!(!budget.has_room(0));
    }
}
