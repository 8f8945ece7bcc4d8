//! Work on its way to a thread that owns a connection, and the answer on its way back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::db::Lock;
use super::error::{Error, Result};
use super::tx::Tx;

/// Most jobs that wait in one queue; who comes later waits to be let in.
const QUEUED_JOBS_MAX: usize = 4096;

/// Whether a transaction's statements are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Undo,
}

/// A closure that waits for its transaction, without its types.
pub(super) trait Job: Send {
    /// What it excludes.
    fn lock(&self) -> &Lock;

    /// Runs the closure, which may have run before, and remembers its result. A panic is a result too.
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict;

    /// Answers the remembered result, or `Err` in its stead.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

/// A job and its place in the queue's count.
pub(super) struct Task {
    pub(super) job: Box<dyn Job>,
    place: OwnedSemaphorePermit,
}

pub(super) enum Message {
    Task(Task),
    /// One thread ends; nothing comes after it.
    Stop,
}

/// A bounded queue that threads serve.
pub(super) struct Queue {
    sender: Sender<Message>,
    places: Arc<Semaphore>,
}

struct Pending<F, T, E> {
    lock: Lock,
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl Task {
    pub(super) fn answer(self, outcome: Result<()>) {
        self.job.answer(outcome);
        drop(self.place);
    }
}

impl Queue {
    pub(super) fn new() -> (Self, Receiver<Message>) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        (
            Self {
                sender,
                places: Arc::new(Semaphore::new(QUEUED_JOBS_MAX)),
            },
            receiver,
        )
    }

    /// How many jobs no thread has taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.sender.len()
    }

    /// Queues `work` and waits for its answer. Once queued it runs, though the future be dropped.
    pub(super) async fn run<T, E>(
        &self,
        lock: Lock,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return Err(Error::Closed.into());
        };
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending {
            lock,
            work,
            result: None,
            reply,
        });
        if self
            .sender
            .send(Message::Task(Task { job, place }))
            .is_err()
        {
            return Err(Error::Closed.into());
        }
        answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Lets nothing more in, and ends `thread_count` threads after what is queued.
    pub(super) fn close(&self, thread_count: usize) {
        if self.places.is_closed() {
            return;
        }
        self.places.close();
        for _ in 0..thread_count {
            // The threads may have ended already, which is what is wanted.
            drop(self.sender.send(Message::Stop));
        }
    }
}

impl<F, T, E> Job for Pending<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn lock(&self) -> &Lock {
        &self.lock
    }

    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict {
        // Unwind safety: what the closure owns may be half changed, but it is not run again unless its transaction
        // is, and then from the state that any other failed attempt could have left.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let result = match result {
            Ok(Ok(_)) if tx.failure().is_some() => Err(Error::Poisoned.into()),
            Ok(result) => result,
            Err(panic) => Err(Error::Panicked(text_of(panic.as_ref()).into()).into()),
        };
        let verdict = if result.is_ok() {
            Verdict::Keep
        } else {
            Verdict::Undo
        };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let result = match outcome {
            Ok(()) => self.result.unwrap_or_else(|| Err(Error::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // Who asked may have gone away.
        drop(self.reply.send(result));
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "without a message"
    }
}
