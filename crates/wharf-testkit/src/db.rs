//! Databases for tests: SQLite in a temporary folder, and PostgreSQL on a server that the tests start themselves.

use std::future::Future;
use std::ops::Deref;
use std::path::PathBuf;

use tempfile::TempDir;
use uuid::Uuid;
use wharf_store::sql::{Db, MIGRATIONS, Migration, PostgresOptions, Result, SqliteOptions};

use crate::postgres::PostgresServer;

pub use wharf_store::sql::Engine;

/// A fresh, migrated database of its own for one test; gone when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Sqlite(TempDir),
    Postgres {
        server: PostgresServer,
        database: String,
        url: String,
    },
}

impl TestDb {
    /// Makes one. PostgreSQL that is not installed is a failure, never a skipped test. Blocks.
    ///
    /// # Panics
    /// If it cannot.
    pub fn open(engine: Engine) -> Self {
        Self::open_with(engine, MIGRATIONS)
    }

    /// Makes one with another schema. Blocks.
    ///
    /// # Panics
    /// If it cannot.
    pub fn open_with(engine: Engine, migrations: &'static [Migration]) -> Self {
        let place = match engine {
            Engine::Sqlite => Place::Sqlite(tempfile::tempdir().expect("a temporary folder")),
            Engine::Postgres => {
                let server = PostgresServer::shared().expect("a PostgreSQL server");
                let database = format!("test_{}", Uuid::now_v7().simple());
                let url = server
                    .create_database(&database)
                    .expect("create a database");
                Place::Postgres {
                    server,
                    database,
                    url,
                }
            }
        };
        let db = place.open(migrations).expect("open the database");
        Self { db, place }
    }

    /// Opens the same database once more, as another process would. Blocks.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn open_again(&self, migrations: &'static [Migration]) -> Result<Db> {
        self.place.open(migrations)
    }

    /// Closes the database and opens it again, as a restart of the program would. Blocks.
    ///
    /// # Panics
    /// If it cannot.
    pub fn reopen(&mut self) {
        self.db.close();
        self.db = self
            .place
            .open(MIGRATIONS)
            .expect("open the database again");
    }

    /// SQLite's file.
    ///
    /// # Panics
    /// If this is PostgreSQL.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Sqlite(folder) => folder.path().join("wharf.db"),
            Place::Postgres { url, .. } => panic!("{url} is not a file"),
        }
    }

    /// Opens it a second time, for reading alone. Blocks.
    ///
    /// # Errors
    /// What opening gives.
    pub fn open_to_read(&self) -> Result<Db> {
        match &self.place {
            Place::Sqlite(folder) => {
                Db::open_sqlite_to_read(&SqliteOptions::new(folder.path().join("wharf.db")))
            }
            Place::Postgres { url, .. } => Db::open_postgres_to_read(&PostgresOptions::new(url)),
        }
    }
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        self.db.close();
        if let Place::Postgres {
            server, database, ..
        } = &self.place
        {
            // The server's keeper removes what this cannot.
            drop(server.drop_database(database));
        }
    }
}

impl Place {
    fn open(&self, migrations: &'static [Migration]) -> Result<Db> {
        match self {
            Self::Sqlite(folder) => {
                let path = folder.path().join("wharf.db");
                Db::open_sqlite(&SqliteOptions {
                    migrations,
                    ..SqliteOptions::new(path)
                })
            }
            Self::Postgres { url, .. } => Db::open_postgres(&PostgresOptions {
                writers: 4,
                readers: 2,
                migrations,
                ..PostgresOptions::new(url)
            }),
        }
    }
}

/// Runs one scenario on a fresh database: what [`both_engines!`](crate::both_engines) expands to.
///
/// # Panics
/// If the scenario does.
pub fn run<F: Future<Output = ()>>(engine: Engine, scenario: impl FnOnce(TestDb) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let db = TestDb::open(engine);
    runtime.block_on(scenario(db));
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
