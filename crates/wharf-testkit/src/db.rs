//! Databases for tests: SQLite in a temporary folder, and PostgreSQL on a server that the tests start themselves.

#![allow(
    warnings,
    clippy::all,
    clippy::pedantic,
    reason = "signatures first, bodies follow within the hour"
)]

use std::future::Future;
use std::ops::Deref;

use wharf_store::sql::Db;
pub use wharf_store::sql::Engine;

/// A fresh, migrated database of its own for one test; gone when this is dropped.
pub struct TestDb {
    db: Db,
}

impl TestDb {
    /// Makes one. PostgreSQL that is not installed is a failure, never a skipped test. Blocks.
    pub fn open(engine: Engine) -> Self {
        todo!("{engine:?}")
    }

    /// Closes the database and opens it again, as a restart of the program would.
    pub fn reopen(&mut self) {
        todo!()
    }
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Runs one scenario on a fresh database: what [`both_engines!`](crate::both_engines) expands to.
pub fn run<F: Future<Output = ()>>(engine: Engine, scenario: impl FnOnce(TestDb) -> F) {
    todo!()
}

/// Makes two tests, `NAME::sqlite` and `NAME::postgres`, of each `async fn NAME(db: TestDb)` beside it.
#[macro_export]
macro_rules! both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                $crate::db::run($crate::db::Engine::Sqlite, super::$name);
            }

            #[test]
            fn postgres() {
                $crate::db::run($crate::db::Engine::Postgres, super::$name);
            }
        }
    )+};
}
