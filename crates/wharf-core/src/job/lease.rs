//! One process at a time: of several servers on one database, one does a job.
//!
//! A lease is a row that says who works until when; whoever holds it goes on holding it while it waits, until it dies. It
//! saves work and is no lock: a process that is stopped for longer than the lease, or whose clock is far off, may work
//! beside another one. Every unit of every job is a transaction, or a series of them that can be repeated, so two at work
//! cost time and nothing else. SQLite has one process, which needs no lease.

use std::pin::pin;
use std::time::Duration;

use tokio::time::sleep;
use wharf_store::sql::{Engine, Lock, Tx};

use super::{Job, Next};
use crate::error::Result;
use crate::{Ground, setting};

/// How long a lease holds that is not renewed.
const LEASE_MS: i64 = 180_000;
/// How often it is renewed, or asked for.
const RENEWAL_PERIOD: Duration = Duration::from_mins(1);
/// A lease with less than this left is renewed before more work.
const LEASE_LEFT_MS_MIN: i64 = 120_000;

/// A job that only the holder of its lease works at.
pub(super) struct Exclusive<J> {
    job: J,
    lease: Lease,
}

struct Lease {
    ground: Ground,
    setting: String,
    /// Names this process in leases.
    holder: String,
    /// 0 while it is somebody else's.
    held_until_ms: i64,
}

impl<J: Job> Exclusive<J> {
    pub(super) fn new(job: J, ground: Ground) -> Self {
        let lease = Lease {
            setting: format!("lease/{}", job.name()),
            holder: data_encoding::HEXLOWER.encode(&ground.random.bytes::<8>()),
            held_until_ms: 0,
            ground,
        };
        Self { job, lease }
    }
}

impl Lease {
    /// Says whether this process may work now, taking the lease if nobody has it.
    async fn claim(&mut self) -> Result<bool> {
        if self.ground.db.engine() == Engine::Sqlite {
            return Ok(true);
        }
        let now_ms = self.ground.clock.now_ms();
        let until_ms = now_ms + LEASE_MS;
        if (now_ms + LEASE_LEFT_MS_MIN..=until_ms).contains(&self.held_until_ms) {
            return Ok(true);
        }
        let (name, holder) = (self.setting.clone(), self.holder.clone());
        let claim = move |tx: &mut Tx<'_>| -> Result<bool> {
            if let Some(lease) = setting::get(tx, &name)? {
                let (held_until_ms, other) = lease.split_once(' ').unwrap_or(("0", ""));
                let held_until_ms = held_until_ms.parse().unwrap_or(0);
                // One that reaches further than a lease does was written before the clock went back.
                if other != holder && (now_ms + 1..=until_ms).contains(&held_until_ms) {
                    return Ok(false);
                }
            }
            setting::put(tx, &name, &format!("{until_ms} {holder}"))?;
            Ok(true)
        };
        let is_ours = self.ground.db.write(Lock::Global, claim).await?;
        self.held_until_ms = if is_ours { until_ms } else { 0 };
        Ok(is_ours)
    }

    fn is_elsewhere(&self) -> bool {
        self.held_until_ms == 0 && self.ground.db.engine() != Engine::Sqlite
    }

    /// Returns when the lease has come from somebody else to this process; renews it meanwhile where it is ours.
    async fn until_taken_over(&mut self) {
        loop {
            sleep(RENEWAL_PERIOD).await;
            let was_elsewhere = self.is_elsewhere();
            match self.claim().await {
                Ok(is_ours) if is_ours && was_elsewhere => return,
                Ok(_) => {}
                Err(error) => tracing::warn!(lease = self.setting, ?error, "cannot renew a lease"),
            }
        }
    }
}

impl<J: Job> Job for Exclusive<J> {
    fn name(&self) -> &'static str {
        self.job.name()
    }

    async fn work(&mut self) -> Result<Next> {
        if self.lease.claim().await? {
            self.job.work().await
        } else {
            Ok(Next::Wait)
        }
    }

    async fn wait(&mut self) {
        let Self { job, lease } = self;
        let taken_over = pin!(lease.until_taken_over());
        tokio::select! {
            () = job.wait() => {}
            () = taken_over => {}
        }
    }

    fn start_delay(&self) -> Duration {
        self.job.start_delay()
    }

    fn pace_percent(&self) -> u32 {
        self.job.pace_percent()
    }

    fn progress(&self) -> Option<String> {
        if self.lease.is_elsewhere() {
            return Some("another server process does this".to_owned());
        }
        self.job.progress()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wharf_store::blob::MemoryBlob;
    use wharf_store::sql::Engine;
    use wharf_testkit::both_engines;
    use wharf_testkit::db::TestDb;

    use super::{Exclusive, LEASE_MS};
    use crate::error::Result;
    use crate::job::{Job, Next};
    use crate::{Clock, HouseConfig, Random, Wharf};

    both_engines!(one_process_works_until_it_dies);

    struct Work;

    impl Job for Work {
        fn name(&self) -> &'static str {
            "work"
        }

        async fn work(&mut self) -> Result<Next> {
            Ok(Next::Again)
        }

        async fn wait(&mut self) {}
    }

    async fn one_process_works_until_it_dies(db: TestDb) {
        let clock = Clock::manual(1_000_000);
        let blob = Arc::new(MemoryBlob::default());
        let open = Wharf::open(
            HouseConfig::default(),
            (*db).clone(),
            blob,
            clock.clone(),
            Random::seeded(1),
        );
        let ground = open.await.unwrap().ground;
        let mut first = Exclusive::new(Work, ground.clone());
        let mut second = Exclusive::new(Work, ground);
        // On SQLite there is no second process, and nobody waits for one.
        let elsewhere = if db.engine() == Engine::Sqlite {
            Next::Again
        } else {
            Next::Wait
        };

        assert_eq!(first.work().await.unwrap(), Next::Again);
        assert_eq!(second.work().await.unwrap(), elsewhere);
        assert_eq!(second.progress().is_some(), elsewhere == Next::Wait);
        for _ in 0..4 {
            clock.advance_ms(60_000);
            assert_eq!(
                first.work().await.unwrap(),
                Next::Again,
                "it renews its lease"
            );
            assert_eq!(second.work().await.unwrap(), elsewhere);
        }
        clock.advance_ms(u32::try_from(LEASE_MS).unwrap());
        assert_eq!(
            second.work().await.unwrap(),
            Next::Again,
            "the first one died"
        );
        assert_eq!(first.work().await.unwrap(), elsewhere);
        clock.set_wall_ms(0);
        assert_eq!(
            first.work().await.unwrap(),
            Next::Again,
            "a clock that went back holds nobody up"
        );
    }
}
