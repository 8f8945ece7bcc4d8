//! A whole server in this process, on a free port, with an operator who is logged in.

mod http;
mod live;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wharf_core::{Clock, HouseConfig, Origin, Random, Wharf};
use wharf_server::gateway::GatewayName;
use wharf_server::{Config, Server};
use wharf_store::blob::{Blob, MemoryBlob};
use wharf_store::sql::{Db, Engine};
use wharf_types::api::account::{AccountRole, AddAccount, LoggedIn, Login, Signup, SignupPolicy};

use crate::db::TestDb;

pub use http::{Http, Reply};
pub use live::Live;

/// The operator's password, and everybody else's.
pub const PASSWORD: &str = "correct horse battery";
/// A moment in 2026 at which manual clocks begin.
pub const START_MS: i64 = 1_790_000_000_000;

/// What a server stands on and how it is told to behave.
pub struct Setup {
    /// The house's decisions.
    pub house: HouseConfig,
    /// The listener's; its port is 0 unless a test says otherwise.
    pub server: Config,
    /// The house's time.
    pub clock: Clock,
    /// Where segments rest.
    pub blob: Arc<dyn Blob>,
}

impl Default for Setup {
    /// Open sign-up, the machine's clock, and segments in memory.
    fn default() -> Self {
        let house = HouseConfig {
            signup: SignupPolicy::Open,
            ..HouseConfig::default()
        };
        let server = Config {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Config::default()
        };
        Self {
            house,
            server,
            clock: Clock::system(),
            blob: Arc::new(MemoryBlob::default()),
        }
    }
}

/// A server that answers until it is stopped or dropped.
pub struct TestServer {
    running: Running,
    operator: LoggedIn,
    house: HouseConfig,
    config: Config,
    clock: Clock,
    blob: Arc<dyn Blob>,
    db: TestDb,
}

/// The part that ends and begins again in a restart.
struct Running {
    wharf: Wharf,
    address: SocketAddr,
    gateways: Vec<(GatewayName, String)>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server over `db`, as [`Setup::default`] says.
    pub async fn start(db: TestDb) -> Self {
        Self::start_with(db, Setup::default()).await
    }

    /// Starts a server on a fresh database.
    ///
    /// # Panics
    /// If the database cannot be made.
    pub async fn on(engine: Engine) -> Self {
        let db = tokio::task::spawn_blocking(move || TestDb::open(engine))
            .await
            .expect("a database");
        Self::start(db).await
    }

    /// Starts a server over `db`, and makes its operator `operator` with [`PASSWORD`].
    ///
    /// # Panics
    /// If it cannot.
    pub async fn start_with(db: TestDb, setup: Setup) -> Self {
        let Setup {
            house,
            mut server,
            clock,
            blob,
        } = setup;
        let running = Running::start(&house, server.clone(), &db, &clock, &blob).await;
        // A restart takes the same port, as clients expect of a server that comes back.
        server.address = running.address;
        for (name, address) in &running.gateways {
            if let (Some(gateway), Ok(address)) = (server.gateways.get_mut(*name), address.parse())
            {
                gateway.address = address;
            }
        }
        let signup = Signup {
            username: "operator".to_owned(),
            password: PASSWORD.to_owned(),
            email: None,
            nickname: None,
            code: running.wharf.accounts().setup_code(),
            device: Some("testkit".to_owned()),
        };
        let operator = running
            .wharf
            .accounts()
            .signup(signup, Origin::internal())
            .await
            .expect("an operator");
        Self {
            running,
            operator,
            house,
            config: server,
            clock,
            blob,
            db,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Where a gateway listens: an address, or a path.
    ///
    /// # Panics
    /// If it is not open.
    pub fn gateway(&self, name: GatewayName) -> &str {
        let mut gateways = self.running.gateways.iter();
        let found = gateways.find(|(open, _)| *open == name);
        &found.expect("an open gateway").1
    }

    /// What a client is given to reach it: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The operator's account and session.
    pub fn operator(&self) -> &LoggedIn {
        &self.operator
    }

    /// The house behind it.
    pub fn wharf(&self) -> &Wharf {
        &self.running.wharf
    }

    /// Its clock, for tests that move it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where its segments rest.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    /// A raw client that is logged in as the operator.
    pub fn http(&self) -> Http {
        Http::new(self.address()).with_token(&self.operator.token)
    }

    /// Makes a member, and a raw client that is logged in as that member.
    ///
    /// # Panics
    /// If the name is taken or no name.
    pub async fn member(&self, username: &str) -> (LoggedIn, Http) {
        self.account(username, AccountRole::Member).await
    }

    /// Makes an account, and a raw client that is logged in as it.
    ///
    /// # Panics
    /// If the name is taken or no name.
    pub async fn account(&self, username: &str, role: AccountRole) -> (LoggedIn, Http) {
        let accounts = self.wharf().accounts();
        let origin = Origin::internal();
        let by = accounts
            .authenticate(&self.operator.token, origin)
            .await
            .expect("the operator's session");
        let add = AddAccount {
            username: username.to_owned(),
            password: Some(PASSWORD.to_owned()),
            email: None,
            nickname: None,
            quota_bytes: None,
            role: Some(role),
        };
        accounts
            .admin(&by)
            .expect("an operator")
            .add(add)
            .await
            .expect("an account");
        let login = Login {
            login: username.to_owned(),
            password: PASSWORD.to_owned(),
            device: None,
        };
        let session = accounts.login(login, origin).await.expect("a session");
        let http = Http::new(self.address()).with_token(&session.token);
        (session, http)
    }

    /// A live connection with a session's token.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn live(&self, token: &str) -> Live {
        Live::connect(self.address(), token)
            .await
            .expect("a live connection")
    }

    /// Stops it as SIGTERM would, and starts it again on the same data and port.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn restart(&mut self) {
        self.running.stop().await;
        tokio::task::block_in_place(|| self.db.reopen());
        self.running = Running::start(
            &self.house,
            self.config.clone(),
            &self.db,
            &self.clock,
            &self.blob,
        )
        .await;
    }

    /// Stops it as SIGTERM would, and waits for its end.
    pub async fn stop(mut self) {
        self.running.stop().await;
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.running.cancel.cancel();
    }
}

impl Running {
    async fn start(
        house: &HouseConfig,
        config: Config,
        db: &TestDb,
        clock: &Clock,
        blob: &Arc<dyn Blob>,
    ) -> Self {
        let random = Random::system();
        let wharf = Wharf::open(
            house.clone(),
            Db::clone(db),
            Arc::clone(blob),
            clock.clone(),
            random,
        )
        .await
        .expect("a house");
        let server = Server::bind(config, wharf.clone())
            .await
            .expect("a free port");
        let address = server.address();
        let gateways = server
            .gateways()
            .map(|(name, address)| (name, address.to_owned()))
            .collect();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(server.serve(cancel.clone()));
        Self {
            wharf,
            address,
            gateways,
            cancel,
            task,
        }
    }

    async fn stop(&mut self) {
        self.cancel.cancel();
        (&mut self.task).await.expect("the server ends in order");
    }
}
