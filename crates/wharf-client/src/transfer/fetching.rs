//! Brings chunks from the server, through broken connections.

use std::io;

use wharf_types::ChunkHash;
use wharf_wire::frame::Answer;

use crate::api::{Api, ApiError};
use crate::progress::Progress;

/// How many answers in a row may bring nothing.
const EMPTY_ANSWERS_MAX: u32 = 5;

/// Fetches chunks; the answers are in the order of `hashes`, one for each, not yet verified.
///
/// After a connection breaks only what has not come is asked for again.
pub(crate) async fn fetch(
    api: &Api,
    hashes: &[ChunkHash],
    progress: &Progress,
) -> Result<Vec<Answer>, ApiError> {
    let mut answers: Vec<Answer> = Vec::with_capacity(hashes.len());
    let mut empty_count = 0;
    while let Some(rest) = hashes.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let before = answers.len();
        let ended = take_all(api, rest, &mut answers, progress).await;
        if answers.len() > before {
            empty_count = 0;
            continue;
        }
        empty_count += 1;
        if empty_count >= EMPTY_ANSWERS_MAX {
            return Err(ended
                .err()
                .unwrap_or_else(|| broken(api, "the answer has no chunks")));
        }
    }
    Ok(answers)
}

/// Takes what one answer brings.
async fn take_all(
    api: &Api,
    hashes: &[ChunkHash],
    answers: &mut Vec<Answer>,
    progress: &Progress,
) -> Result<(), ApiError> {
    let mut arriving = api.fetch(hashes).await?;
    for wanted in hashes {
        let Some(answer) = arriving.next().await? else {
            return Ok(());
        };
        let hash = match &answer {
            Answer::Chunk(frame) => {
                progress.wire(u64::from(frame.header.stored_bytes));
                frame.header.hash
            }
            Answer::Absent { hash, .. } => *hash,
        };
        if hash != *wanted {
            return Err(broken(
                api,
                "the answer has other chunks than were asked for",
            ));
        }
        answers.push(answer);
    }
    // Reading the end leaves the connection fit for the next call.
    arriving.next().await.map(|_| ())
}

fn broken(api: &Api, why: &'static str) -> ApiError {
    ApiError::Unreachable {
        server: api.connections().server().to_string(),
        source: io::Error::other(why),
    }
}
