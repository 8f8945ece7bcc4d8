//! Handing files over: uploading each into its room's drive, and then appending it to the log, once.
//!
//! Each goes by a device id of its own, under the number 1. Whatever happens on the way, it begins anew: what is uploaded is
//! found in place, and what is in the log is answered as it was the first time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wharf_types::api::drive::At;
use wharf_types::api::log::Append;
use wharf_types::{ErrorCode, NodeId, RoomId};

use super::error::ChatError;
use super::event::Event;
use super::shared::Shared;
use super::store::{Number, Store, Touched, Upload, lease, outbox};
use crate::api::{Api, ApiError, Room};
use crate::clock::Clock;
use crate::error::Error;
use crate::progress::Progress;
use crate::transfer::{Compare, NoticeKind, OnDifferent, Put, PutOptions};

/// How often the outbox is looked at without being told to, and the lease renewed.
const LOOK: Duration = Duration::from_secs(2);
/// How often an upload notes how far it is.
const NOTE: Duration = Duration::from_millis(500);
/// Pauses after a failure that may pass.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_mins(1);
/// Most names that are tried for a file.
const NAMES_MAX: u32 = 1000;

/// What the worker works with.
pub(super) struct Uploads {
    pub(super) api: Api,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    pub(super) holder: String,
    pub(super) rests: Rests,
}

/// The files that failed, and rest before they are tried again.
#[derive(Debug, Default)]
pub(super) struct Rests(BTreeMap<i64, Rest>);

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Instant,
    failed_count: u32,
    cause: Cause,
}

/// What is in no state for a file to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The file itself. The others go on.
    File,
    /// The server, or the way to it. What was written after it for the same room waits, so that it comes in its order.
    Server,
}

/// Why a file is not handed over.
enum Failed {
    /// It may be, later.
    Later(Cause, String),
    /// It will not be.
    Never(ErrorCode, String),
    /// It was taken back, or the chat ended.
    Stopped,
    Store(ChatError),
}

impl From<ChatError> for Failed {
    fn from(error: ChatError) -> Self {
        Self::Store(error)
    }
}

impl Rests {
    /// A file failed: it rests, longer each time.
    fn add(&mut self, id: i64, cause: Cause, now: Instant) {
        let failed_count = self.0.get(&id).map_or(0, |rest| rest.failed_count);
        let pause = RETRY_MAX.min(RETRY_FIRST * 2_u32.saturating_pow(failed_count));
        let rest = Rest {
            until: now + pause,
            failed_count: failed_count.saturating_add(1),
            cause,
        };
        self.0.insert(id, rest);
    }

    /// There may be a way to the server now.
    fn wake(&mut self, now: Instant) {
        for rest in self.0.values_mut() {
            if rest.cause == Cause::Server {
                rest.until = now;
            }
        }
    }

    /// The first of the files that wait which neither rests nor has to wait for one that does.
    fn first_free(&mut self, waiting: &[(i64, RoomId)], now: Instant) -> Option<i64> {
        self.0
            .retain(|id, _| waiting.iter().any(|(waiting, _)| waiting == id));
        let mut held_up = BTreeSet::new();
        for (id, room) in waiting {
            match self.0.get(id).filter(|rest| rest.until > now) {
                Some(rest) if rest.cause == Cause::Server => {
                    held_up.insert(*room);
                }
                Some(_) => {}
                None if held_up.contains(room) => {}
                None => return Some(*id),
            }
        }
        None
    }

    /// How long to wait where no file is free.
    fn pause(&self, now: Instant) -> Duration {
        // Those whose rest is over are left to another process.
        let rests = self.0.values().map(|rest| rest.until);
        let until = rests.filter(|until| *until > now).min();
        until.map_or(LOOK, |until| until.saturating_duration_since(now).min(LOOK))
    }
}

impl Uploads {
    /// Works until the stop.
    pub(super) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let pause = match self.work().await {
                Ok(true) => continue,
                Ok(false) => self.rests.pause(Instant::now()),
                Err(error) => {
                    tracing::warn!(%error, "the local copy of the conversations failed");
                    LOOK
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.uploads_poked() => self.rests.wake(Instant::now()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tries to hand one file over; says whether there was one.
    async fn work(&mut self) -> Result<bool, ChatError> {
        let Some(item) = self.next()? else {
            return Ok(false);
        };
        let id = item.id;
        match self.hand_over(item).await {
            Ok(()) | Err(Failed::Never(..) | Failed::Stopped) => Ok(true),
            Err(Failed::Later(cause, detail)) => {
                tracing::debug!(detail, "a file is handed over later");
                self.rests.add(id, cause, Instant::now());
                Ok(true)
            }
            Err(Failed::Store(error)) => Err(error),
        }
    }

    /// The first file that is free, if this process is the one to upload.
    fn next(&mut self) -> Result<Option<Upload>, ChatError> {
        let waiting = self.store.read(|tx| outbox::uploads(tx))?;
        let Some(id) = self.rests.first_free(&waiting, Instant::now()) else {
            return Ok(None);
        };
        let now_ms = self.clock.now_ms();
        let holder = self.holder.clone();
        self.store.change(|tx| {
            let has_lease = lease::take(tx, "upload", &holder, now_ms)?;
            Ok(if has_lease {
                outbox::upload(tx, id)?
            } else {
                None
            })
        })
    }

    async fn hand_over(&mut self, mut item: Upload) -> Result<(), Failed> {
        let handed = self.try_hand_over(&mut item).await;
        let by = Number {
            device: item.device,
            number: 1,
        };
        let now_ms = self.clock.now_ms();
        let mut touched = Touched::default();
        let done = match handed {
            Ok(position) => self
                .store
                .change(|tx| outbox::sent(tx, by, position, now_ms, &mut touched))
                .map_err(Failed::Store),
            Err(Failed::Never(code, detail)) => {
                self.store
                    .change(|tx| outbox::refused(tx, by, code, &detail, now_ms, &mut touched))?;
                Err(Failed::Never(code, detail))
            }
            Err(failed) => Err(failed),
        };
        for event in touched.into_events() {
            self.shared.tell(event);
        }
        done
    }

    async fn try_hand_over(&mut self, item: &mut Upload) -> Result<u64, Failed> {
        let (node, revision) = self.upload(item).await?;
        // From here on it may be in the log, whatever is answered, and whether this process lives to hear it or not.
        if !self.store.change(|tx| outbox::try_append(tx, item.id))? {
            return Err(Failed::Stopped);
        }
        let append = Append {
            device: item.device,
            number: 1,
            draft: outbox::file_draft(node, revision, &item.handover),
            client_ms: Some(item.client_ms),
        };
        match self.api.append(Room::Id(item.room), &append).await {
            Ok(appended) => Ok(appended.position),
            // The number is this item's alone: it was handed over before, if perhaps under another name of the file.
            Err(error) if error.is(ErrorCode::Stale) => Ok(0),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Uploads the file under a name that is free or has the same content already.
    async fn upload(&mut self, item: &mut Upload) -> Result<(NodeId, u64), Failed> {
        for _ in 0..NAMES_MAX {
            if let Some(found) = self.upload_as(item).await? {
                return Ok(found);
            }
            item.handover.target = next_name(&item.handover.target);
            self.note(item)?;
        }
        let why = "all names for the file are taken in the room's drive";
        Err(Failed::Never(ErrorCode::Exists, why.to_owned()))
    }

    /// One attempt at one name; `None` when something else has it.
    async fn upload_as(&mut self, item: &mut Upload) -> Result<Option<(NodeId, u64)>, Failed> {
        let put = Put {
            api: self.api.clone(),
            room: Room::Id(item.room),
            source: item.handover.source.clone(),
            target: item.handover.target.clone(),
            options: PutOptions {
                on_different: OnDifferent::Keep,
                compare: Compare::Content,
                ..PutOptions::default()
            },
        };
        let progress = Arc::new(Progress::default());
        let stop = self.stop.child_token();
        let running = put.run(&progress, &stop);
        tokio::pin!(running);
        let report = loop {
            match tokio::time::timeout(NOTE, &mut running).await {
                Ok(Ok(report)) => break report,
                Ok(Err(Error::Api(error))) => return Err(failed(&error)),
                Ok(Err(Error::Stopped)) => return Err(Failed::Stopped),
                Ok(Err(error @ (Error::Local { .. } | Error::Invalid(_)))) => {
                    return Err(Failed::Never(ErrorCode::Invalid, error.to_string()));
                }
                Ok(Err(error)) => return Err(Failed::Later(Cause::Server, error.to_string())),
                Err(_) => {
                    item.handover.sent_bytes = progress.snapshot().bytes_done;
                    self.note(item)?;
                }
            }
        };
        if let Some(notice) = report.notices.first().filter(|_| !report.is_complete()) {
            return match notice.kind {
                NoticeKind::Conflict => Ok(None),
                NoticeKind::Changing => Err(Failed::Later(Cause::File, notice.detail.clone())),
                _ => Err(Failed::Never(ErrorCode::Invalid, notice.detail.clone())),
            };
        }
        let at = At::Path(item.handover.target.clone());
        match self.api.node(Room::Id(item.room), &at).await {
            Ok(node) => Ok(Some((node.id, node.revision))),
            // It was moved away just now.
            Err(error) if error.is(ErrorCode::NotFound) => {
                Err(Failed::Later(Cause::File, error.to_string()))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// Notes how far it is, and finds out whether it is still wanted.
    fn note(&mut self, item: &Upload) -> Result<(), Failed> {
        let now_ms = self.clock.now_ms();
        let holder = self.holder.clone();
        let is_wanted = self.store.change(|tx| {
            lease::take(tx, "upload", &holder, now_ms)?;
            outbox::put_handover(tx, item.id, &item.handover, now_ms)
        })?;
        if !is_wanted {
            return Err(Failed::Stopped);
        }
        self.shared.tell(Event::Outbox { id: item.id });
        Ok(())
    }
}

fn failed(error: &ApiError) -> Failed {
    let detail = error.to_string();
    match error.code() {
        None
        | Some(
            ErrorCode::Unavailable
            | ErrorCode::Limited
            | ErrorCode::Internal
            | ErrorCode::Unauthenticated
            | ErrorCode::Cancelled,
        ) => Failed::Later(Cause::Server, detail),
        Some(code) => Failed::Never(code, detail),
    }
}

/// The name to try when one is taken: `photo.jpg`, `photo (2).jpg`, `photo (3).jpg` …
fn next_name(name: &str) -> String {
    let (folder, file) = name
        .rsplit_once('/')
        .map_or(("", name), |(folder, file)| (folder, file));
    let (stem, ending) = match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (file, String::new()),
    };
    let numbered = stem.strip_suffix(')').and_then(|stem| {
        let (stem, number) = stem.rsplit_once(" (")?;
        Some((stem, number.parse::<u32>().ok()?.checked_add(1)?))
    });
    let (stem, number) = numbered.unwrap_or((stem, 2));
    let file = format!("{stem} ({number}){ending}");
    if folder.is_empty() {
        file
    } else {
        format!("{folder}/{file}")
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use wharf_types::RoomId;

    use super::{Cause, RETRY_FIRST, Rests, next_name};

    const ONE: RoomId = RoomId::from_bytes([1; 16]);
    const TWO: RoomId = RoomId::from_bytes([2; 16]);

    #[test]
    fn a_file_that_is_in_no_state_lets_all_others_pass() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        let waiting = [(1, ONE), (2, ONE), (3, TWO)];
        assert_eq!(rests.first_free(&waiting, now), Some(1));
        rests.add(1, Cause::File, now);
        assert_eq!(rests.first_free(&waiting, now), Some(2));
        rests.wake(now);
        assert_eq!(rests.first_free(&waiting, now), Some(2));
        assert_eq!(rests.pause(now), RETRY_FIRST);
        let then = now + RETRY_FIRST;
        assert_eq!(rests.first_free(&waiting, then), Some(1));
        rests.add(1, Cause::File, then);
        assert_eq!(rests.pause(then), RETRY_FIRST * 2, "longer each time");
    }

    #[test]
    fn a_server_that_is_in_no_state_holds_up_one_room_in_its_order() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        let waiting = [(1, ONE), (2, ONE), (3, TWO)];
        rests.add(1, Cause::Server, now);
        assert_eq!(rests.first_free(&waiting, now), Some(3));
        assert_eq!(rests.first_free(&waiting[..2], now), None);
        rests.wake(now);
        assert_eq!(rests.first_free(&waiting, now), Some(1));
    }

    #[test]
    fn a_taken_name_gets_a_number_before_its_ending() {
        assert_eq!(next_name("photo.jpg"), "photo (2).jpg");
        assert_eq!(next_name("photo (2).jpg"), "photo (3).jpg");
        assert_eq!(next_name("a.tar.gz"), "a.tar (2).gz");
        assert_eq!(next_name(".profile"), ".profile (2)");
        assert_eq!(next_name("in/notes"), "in/notes (2)");
        assert_eq!(next_name("odd (x).txt"), "odd (x) (2).txt");
    }
}
