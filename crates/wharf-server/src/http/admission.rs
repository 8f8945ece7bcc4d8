//! Lets requests in by the memory they will take, before a byte of them is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_core::Error;
use wharf_types::ErrorCode;

use super::error::{Answer, Refusal};

/// What one permit stands for.
const PERMIT_BYTES: u64 = 1024;
/// What a refused client is told to wait.
const RETRY_AFTER_SECONDS: u64 = 5;

/// A stock of memory that is lent out.
#[derive(Debug)]
pub(crate) struct Admission {
    permits: Arc<Semaphore>,
    permits_max: u32,
    wait: Duration,
}

/// Memory lent to one request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Admission {
    /// A stock of `bytes`; a request waits for its part no longer than `wait`.
    pub(crate) fn new(bytes: u64, wait: Duration) -> Self {
        let permits_max = u32::try_from(bytes / PERMIT_BYTES)
            .unwrap_or(u32::MAX)
            .max(1);
        let permits = usize::try_from(permits_max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            permits_max,
            wait,
        }
    }

    /// Waits, in the order of asking, until `bytes` can be lent. What asks for more than the whole stock gets the whole.
    ///
    /// # Errors
    /// `Unavailable` when others did not give back enough in time.
    pub(crate) async fn admit(&self, bytes: u64) -> Answer<Admitted> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES))
            .unwrap_or(u32::MAX)
            .min(self.permits_max);
        let acquired = Arc::clone(&self.permits).acquire_many_owned(permits);
        match tokio::time::timeout(self.wait, acquired).await {
            Ok(Ok(permit)) => Ok(Admitted(permit)),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// Bytes that are lent out now.
    pub(crate) fn lent_bytes(&self) -> u64 {
        let free = u64::try_from(self.permits.available_permits()).unwrap_or(u64::MAX);
        u64::from(self.permits_max).saturating_sub(free) * PERMIT_BYTES
    }
}

fn busy() -> Refusal {
    Error::new(
        ErrorCode::Unavailable,
        "the server is busy with other transfers; try again shortly",
    )
    .retry_after(RETRY_AFTER_SECONDS)
    .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wharf_types::ErrorCode;

    use super::Admission;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_waits_and_is_then_refused() {
        let admission = Admission::new(10 * 1024, Duration::from_secs(3));
        let held = admission.admit(8 * 1024).await.unwrap();
        assert_eq!(admission.lent_bytes(), 8 * 1024);
        let refused = admission.admit(4 * 1024).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unavailable);
        assert!(refused.error().retry_after_seconds().is_some());
        drop(held);
        admission.admit(4 * 1024).await.unwrap();
    }

    #[tokio::test]
    async fn more_than_the_whole_stock_gets_the_whole() {
        let admission = Admission::new(10 * 1024, Duration::from_secs(3));
        let held = admission.admit(u64::MAX).await.unwrap();
        assert_eq!(admission.lent_bytes(), 10 * 1024);
        drop(held);
        assert_eq!(admission.lent_bytes(), 0);
    }
}
