//! Between the house's words and the journal's.

use wharf_core::journal::SaveOutcome;
use wharf_wire::gateway::journal::{Ack, AckStatus, Answer, Fault};

/// What a line's sender is told of its entry.
pub(super) const fn answer_of<'a>(outcome: &SaveOutcome, text: &'a str) -> Answer<'a> {
    match outcome {
        SaveOutcome::Saved {
            position,
            at_ms,
            is_repeated,
        } => Answer::Saved {
            at_ms: *at_ms,
            position: *position,
            text,
            is_repeated: *is_repeated,
        },
        // The door has passed the text, so another one was signed under the same id: it is nothing that can be saved.
        SaveOutcome::Invalid => Answer::Fault(Fault::Empty),
        SaveOutcome::Closed => Answer::Closed,
        SaveOutcome::Slow { .. } => Answer::Slow,
    }
}

/// What a sealed entry's sender is told of it.
pub(super) fn ack_of(entry: [u8; 16], outcome: &SaveOutcome) -> Ack {
    let ack = |status, position, at_ms| Ack {
        entry,
        status,
        position,
        at_ms,
        missing: 0,
    };
    match outcome {
        SaveOutcome::Saved {
            position,
            at_ms,
            is_repeated: false,
        } => ack(AckStatus::Saved, *position, *at_ms),
        SaveOutcome::Saved {
            position, at_ms, ..
        } => ack(AckStatus::Repeated, *position, *at_ms),
        SaveOutcome::Invalid => ack(AckStatus::Invalid, 0, 0),
        SaveOutcome::Closed => ack(AckStatus::Closed, 0, 0),
        SaveOutcome::Slow { retry_after_ms } => {
            let wait_ms = i64::try_from(*retry_after_ms).unwrap_or(i64::MAX);
            ack(AckStatus::Slow, 0, wait_ms)
        }
    }
}

/// What is told of an entry that could not be written now.
pub(super) const fn later(entry: [u8; 16]) -> Ack {
    Ack {
        entry,
        status: AckStatus::Later,
        position: 0,
        at_ms: 0,
        missing: 0,
    }
}
