//! A house for a test: its own database, objects in memory that can be made to fail, a clock that the test moves, seeded randomness.

use std::net::IpAddr;
use std::sync::Arc;

use wharf_core::{Caller, Clock, Error, HouseConfig, Origin, Random, Wharf};
use wharf_store::blob::MemoryBlob;
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::{LoggedIn, Login, Signup, SignupPolicy};

/// When every test begins: 2026-01-01.
pub(crate) const START_MS: i64 = 1_767_225_600_000;
pub(crate) const PASSWORD: &str = "correct horse";

/// A house, and what a test moves it with.
pub(crate) struct House {
    pub(crate) wharf: Wharf,
    pub(crate) clock: Clock,
    pub(crate) db: TestDb,
    pub(crate) blob: Arc<FaultyBlob>,
    config: HouseConfig,
}

/// A person who is logged in.
pub(crate) struct Visitor {
    pub(crate) logged_in: LoggedIn,
    pub(crate) caller: Caller,
}

impl House {
    /// Opens a house whose sign-up is open.
    pub(crate) async fn open(db: TestDb) -> Self {
        let config = HouseConfig {
            signup: SignupPolicy::Open,
            ..HouseConfig::default()
        };
        Self::open_with(db, config).await
    }

    pub(crate) async fn open_with(db: TestDb, config: HouseConfig) -> Self {
        let clock = Clock::manual(START_MS);
        let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
        let wharf = open(&db, &blob, &clock, &config, 1).await;
        Self {
            wharf,
            clock,
            db,
            blob,
            config,
        }
    }

    /// Another server process on the same ground.
    pub(crate) async fn second_process(&self) -> Wharf {
        open(&self.db, &self.blob, &self.clock, &self.config, 2).await
    }

    /// Makes the first account.
    pub(crate) async fn operator(&self) -> Visitor {
        let code = self.wharf.accounts().setup_code();
        self.sign_up(Signup {
            code,
            ..signup("root")
        })
        .await
        .unwrap()
    }

    /// Makes an account where sign-up is open.
    pub(crate) async fn member(&self, username: &str) -> Visitor {
        self.sign_up(signup(username)).await.unwrap()
    }

    pub(crate) async fn sign_up(&self, request: Signup) -> Result<Visitor, Error> {
        let logged_in = self
            .wharf
            .accounts()
            .signup(request, from("192.0.2.1"))
            .await?;
        let caller = self.caller(&logged_in).await?;
        Ok(Visitor { logged_in, caller })
    }

    /// Logs in from an address.
    pub(crate) async fn log_in(
        &self,
        login: &str,
        password: &str,
        address: &str,
    ) -> Result<Visitor, Error> {
        let logged_in = self
            .wharf
            .accounts()
            .login(credentials(login, password), from(address))
            .await?;
        let caller = self.caller(&logged_in).await?;
        Ok(Visitor { logged_in, caller })
    }

    pub(crate) async fn caller(&self, logged_in: &LoggedIn) -> Result<Caller, Error> {
        self.wharf
            .accounts()
            .authenticate(&logged_in.token, from("192.0.2.1"))
            .await
    }
}

async fn open(
    db: &TestDb,
    blob: &Arc<FaultyBlob>,
    clock: &Clock,
    config: &HouseConfig,
    seed: u64,
) -> Wharf {
    let blob = Arc::clone(blob);
    Wharf::open(
        config.clone(),
        (**db).clone(),
        blob,
        clock.clone(),
        Random::seeded(seed),
    )
    .await
    .unwrap()
}

pub(crate) fn signup(username: &str) -> Signup {
    Signup {
        username: username.into(),
        password: PASSWORD.into(),
        email: None,
        nickname: None,
        code: None,
        device: None,
    }
}

pub(crate) fn credentials(login: &str, password: &str) -> Login {
    Login {
        login: login.into(),
        password: password.into(),
        device: Some("phone".into()),
    }
}

pub(crate) fn from(address: &str) -> Origin {
    Origin::http(address.parse::<IpAddr>().unwrap())
}

/// The kind of a refusal; `None` where there was none.
pub(crate) fn code<T>(outcome: Result<T, Error>) -> Option<ErrorCode> {
    outcome.err().map(|error| error.code())
}
