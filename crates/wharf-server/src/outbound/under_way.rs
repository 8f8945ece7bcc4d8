//! What is being posted: one task for each thing that something is due for, a bounded number at once.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::{Future, pending};
use std::hash::Hash;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

/// Tasks at once. A receiver that does not answer holds one of them for a quarter of a minute at most.
const AT_ONCE: usize = 16;
/// How long tasks may take to end after the server was told to stop.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

/// The tasks of a worker, by what they are for.
pub(crate) struct UnderWay<I> {
    tasks: JoinSet<I>,
    taken: HashSet<I>,
}

impl<I: Copy + Debug + Eq + Hash + Send + 'static> UnderWay<I> {
    pub(crate) fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            taken: HashSet::new(),
        }
    }

    /// How much to ask for of what is due: nothing while every place is taken, else so much that what is under way and due
    /// does not hide the rest.
    pub(crate) fn wanted(&mut self) -> Option<u32> {
        while let Some(ended) = self.tasks.try_join_next() {
            self.forget(ended);
        }
        (self.taken.len() < AT_ONCE).then(|| u32::try_from(AT_ONCE).unwrap_or(u32::MAX))
    }

    /// Begins what is due and not under way, as far as there is room for it.
    pub(crate) fn begin<W>(&mut self, due: Vec<I>, work: impl Fn(I) -> W)
    where
        W: Future<Output = wharf_core::Result<()>> + Send + 'static,
    {
        for id in due {
            if self.taken.len() < AT_ONCE && self.taken.insert(id) {
                self.tasks.spawn(noted(id, work(id)));
            }
        }
    }

    /// Waits until a task ends; for ever where there is none.
    pub(crate) async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(ended) => self.forget(ended),
            None => pending().await,
        }
    }

    /// Lets what is under way end. Returns whether it did in time.
    pub(crate) async fn drain(mut self) -> bool {
        let drain = async { while self.tasks.join_next().await.is_some() {} };
        timeout(DRAIN_DEADLINE, drain).await.is_ok()
    }

    fn forget(&mut self, ended: Result<I, JoinError>) {
        match ended {
            Ok(id) => {
                self.taken.remove(&id);
            }
            Err(error) => {
                // Which one it was is not known any more: the claims in the house still keep them apart.
                tracing::error!(%error, "a posting fell over");
                self.taken.clear();
            }
        }
    }
}

/// The work on a thing, with a word in the log where it fails.
async fn noted<I: Debug>(id: I, work: impl Future<Output = wharf_core::Result<()>>) -> I {
    if let Err(error) = work.await {
        tracing::warn!(?id, ?error, "cannot keep the books of what was posted");
    }
    id
}
