//! What a server runs by, and where each value came from.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::parser::ValueSource;
use wharf_core::HouseConfig;
use wharf_server::{Config as HttpConfig, TlsFiles};
use wharf_types::api::account::SignupPolicy;

use super::database::DatabaseUrl;
use super::file::{self, LogFormat};
use super::gateway::{GatewayArgs, journal_limits};
use super::live::LiveArgs;
use super::rooms::RoomArgs;
use crate::environment::Environment;
use crate::exit::Failure;
use crate::format::ByteSize;

/// The port that a server listens on and a client tries when nothing else is said.
pub(crate) const PORT_DEFAULT: u16 = 7140;

const DATABASE_CONNECTIONS_DEFAULT: u16 = 8;

/// Flags that name the data of a server: for `serve` and for the commands that work on its data.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct DataArgs {
    /// The data folder
    #[arg(long, env = "WHARF_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// `sqlite` (in the data folder), or `postgres://USER@HOST/DATABASE`
    #[arg(
        long,
        env = "WHARF_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database: Option<DatabaseUrl>,
}

/// Flags of `serve`, beside those that name the data.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "WHARF_LISTEN", value_name = "ADDRESS", value_parser = file::address)]
    pub(crate) listen: Option<SocketAddr>,
    /// A reverse proxy whose `X-Forwarded-For` is believed; may be given several times
    #[arg(
        long = "trusted-proxy",
        env = "WHARF_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "ADDRESS"
    )]
    pub(crate) trusted_proxies: Option<Vec<IpAddr>>,
    /// Connections to PostgreSQL
    #[arg(long, env = "WHARF_DATABASE_CONNECTIONS", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(2..=200))]
    pub(crate) database_connections: Option<u16>,
    /// Who may make an account: closed, invitation or open
    #[arg(long, env = "WHARF_SIGNUP", value_name = "POLICY", value_parser = signup_policy)]
    pub(crate) signup: Option<SignupPolicy>,
    /// What a new account may use, such as `50 GiB`
    #[arg(long, env = "WHARF_QUOTA", value_name = "SIZE")]
    pub(crate) quota: Option<ByteSize>,
    /// Days that a new drive keeps replaced revisions; 0 for ever
    #[arg(long, env = "WHARF_REVISION_DAYS", value_name = "DAYS")]
    pub(crate) revision_days: Option<u32>,
    /// Days that a new drive keeps removed files; 0 for ever
    #[arg(long, env = "WHARF_TRASH_DAYS", value_name = "DAYS")]
    pub(crate) trash_days: Option<u32>,
    /// Days after which a login that was not used ends; 0 never
    #[arg(long, env = "WHARF_SESSION_IDLE_DAYS", value_name = "DAYS")]
    pub(crate) session_idle_days: Option<u32>,
    /// Days in which the scrub reads all stored data once; 0 turns it off
    #[arg(long, env = "WHARF_SCRUB_DAYS", value_name = "DAYS")]
    pub(crate) scrub_days: Option<u32>,
    /// Most connections at once
    #[arg(long, env = "WHARF_CONNECTIONS", value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: Option<u32>,
    /// The certificate and its chain, as PEM
    #[arg(long, env = "WHARF_TLS_CERTIFICATE", value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, env = "WHARF_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rooms: RoomArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) gateways: GatewayArgs,
    /// Which log lines: error, warn, info, debug, or a filter such as `info,wharf_store=debug`
    #[arg(long, env = "WHARF_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// The form of log lines
    #[arg(long, env = "WHARF_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

/// Reads the word for a policy, as the file and the API write it.
fn signup_policy(text: &str) -> Result<SignupPolicy, String> {
    match text {
        "closed" => Ok(SignupPolicy::Closed),
        "invitation" => Ok(SignupPolicy::Invitation),
        "open" => Ok(SignupPolicy::Open),
        _ => Err("expected closed, invitation or open".to_owned()),
    }
}

/// The word for a policy.
pub(crate) const fn signup_word(policy: SignupPolicy) -> &'static str {
    match policy {
        SignupPolicy::Closed => "closed",
        SignupPolicy::Invitation => "invitation",
        SignupPolicy::Open => "open",
    }
}

/// Where a server's data is.
#[derive(Debug, Clone)]
pub(crate) struct DataSettings {
    pub(crate) data: PathBuf,
    pub(crate) database: DatabaseUrl,
    pub(crate) database_connections: u16,
}

/// What a server runs by.
#[derive(Debug, Clone)]
pub(crate) struct ServerSettings {
    pub(crate) data: DataSettings,
    pub(crate) house: HouseConfig,
    pub(crate) http: HttpConfig,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

/// Which layer a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layer {
    Flag,
    Environment,
    File,
    Default,
}

impl Layer {
    /// The layer in a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// A value as `wharf config show` prints it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Shown {
    /// Its key in the file.
    pub(crate) key: &'static str,
    /// Its value; a secret is hidden.
    pub(crate) value: String,
    /// Where it came from.
    pub(crate) from: Layer,
}

/// A setting's key in the file, and clap's id for its flag and variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    key: &'static str,
    argument: &'static str,
}

impl Name {
    pub(super) const fn of(key: &'static str, argument: &'static str) -> Self {
        Self { key, argument }
    }
}

mod name {
    use super::Name;

    pub(super) const DATA: Name = Name::of("server.data", "data");
    pub(super) const DATABASE: Name = Name::of("server.database", "database");
    pub(super) const DATABASE_CONNECTIONS: Name =
        Name::of("server.database_connections", "database_connections");
    pub(super) const LISTEN: Name = Name::of("server.listen", "listen");
    pub(super) const SIGNUP: Name = Name::of("server.signup", "signup");
    pub(super) const QUOTA: Name = Name::of("server.quota", "quota");
    pub(super) const REVISION_DAYS: Name =
        Name::of("server.retention.revision_days", "revision_days");
    pub(super) const TRASH_DAYS: Name = Name::of("server.retention.trash_days", "trash_days");
    pub(super) const TRUSTED_PROXIES: Name = Name::of("server.trusted_proxies", "trusted_proxies");
    pub(super) const SESSION_IDLE_DAYS: Name =
        Name::of("server.session_idle_days", "session_idle_days");
    pub(super) const SCRUB_DAYS: Name = Name::of("server.scrub_days", "scrub_days");
    pub(super) const CONNECTIONS: Name = Name::of("server.connections", "connections");
    pub(super) const TLS_CERTIFICATE: Name = Name::of("server.tls.certificate", "tls_certificate");
    pub(super) const TLS_KEY: Name = Name::of("server.tls.key", "tls_key");
    pub(super) const LOG: Name = Name::of("server.log.level", "log");
    pub(super) const LOG_FORMAT: Name = Name::of("server.log.format", "log_format");
}

/// Lays the layers over each other and remembers which one each value came from.
pub(crate) struct Resolver<'a> {
    /// Whether clap took an argument, by its id, from the command line or from a variable.
    sources: &'a dyn Fn(&str) -> Option<ValueSource>,
    shown: Vec<Shown>,
}

impl<'a> Resolver<'a> {
    /// A resolver that asks `sources` where clap found an argument.
    pub(crate) fn new(sources: &'a dyn Fn(&str) -> Option<ValueSource>) -> Self {
        Self {
            sources,
            shown: Vec::new(),
        }
    }

    /// The values so far, in order.
    pub(crate) fn into_shown(self) -> Vec<Shown> {
        self.shown
    }

    /// Where clap took an argument from that was given.
    pub(super) fn given_by(&self, argument: &str) -> Layer {
        match (self.sources)(argument) {
            Some(ValueSource::EnvVariable) => Layer::Environment,
            _ => Layer::Flag,
        }
    }

    pub(super) fn pick<T>(
        &self,
        name: Name,
        given: Option<T>,
        file: Option<T>,
    ) -> (Option<T>, Layer) {
        match (given, file) {
            (Some(value), _) => (Some(value), self.given_by(name.argument)),
            (None, Some(value)) => (Some(value), Layer::File),
            (None, None) => (None, Layer::Default),
        }
    }

    pub(super) fn show(&mut self, name: Name, value: &dyn Display, from: Layer) {
        self.shown.push(Shown {
            key: name.key,
            value: value.to_string(),
            from,
        });
    }

    pub(super) fn value<T: Display>(
        &mut self,
        name: Name,
        (given, file): (Option<T>, Option<T>),
        default: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (picked, from) = self.pick(name, given, file);
        let value = picked.map_or_else(default, Ok)?;
        self.show(name, &value, from);
        Ok(value)
    }

    /// Where the data is.
    pub(crate) fn data(
        &mut self,
        args: &DataArgs,
        connections: Option<u16>,
        file: &file::Server,
        environment: &Environment,
    ) -> Result<DataSettings, Failure> {
        let as_shown = |path: &PathBuf| ShownPath(path.clone());
        let given = (
            args.data.as_ref().map(as_shown),
            file.data.as_ref().map(as_shown),
        );
        let data = self
            .value(name::DATA, given, || {
                environment.data_folder().map(ShownPath)
            })?
            .0;
        let given = (args.database.clone(), file.database.clone());
        let database = self.value(name::DATABASE, given, || Ok(DatabaseUrl::Sqlite))?;
        let given = (connections, file.database_connections);
        let database_connections = self.value(name::DATABASE_CONNECTIONS, given, || {
            Ok(DATABASE_CONNECTIONS_DEFAULT)
        })?;
        Ok(DataSettings {
            data,
            database,
            database_connections,
        })
    }

    /// All that a server runs by.
    pub(crate) fn server(
        &mut self,
        args: &ServerArgs,
        file: &file::File,
        environment: &Environment,
    ) -> Result<ServerSettings, Failure> {
        let file::File {
            server: file,
            gateway,
            ..
        } = file;
        let data = self.data(&args.data, args.database_connections, file, environment)?;
        let mut house = self.house(args, file)?;
        house.journal = journal_limits(gateway);
        let mut http = self.http(args, file)?;
        http.gateways = self.gateways(&args.gateways, gateway);
        let given = (args.log.clone(), file.log.level.clone());
        let log = self.value(name::LOG, given, || Ok("info".to_owned()))?;
        let given = (args.log_format, file.log.format);
        let log_format = self.value(name::LOG_FORMAT, given, || Ok(LogFormat::Human))?;
        Ok(ServerSettings {
            data,
            house,
            http,
            log,
            log_format,
        })
    }

    fn house(&mut self, args: &ServerArgs, file: &file::Server) -> Result<HouseConfig, Failure> {
        let mut house = HouseConfig::default();
        let given = (args.signup.map(ShownPolicy), file.signup.map(ShownPolicy));
        house.signup = self
            .value(name::SIGNUP, given, || {
                Ok(ShownPolicy(SignupPolicy::Invitation))
            })?
            .0;
        let default = ByteSize(house.quota_bytes_default);
        house.quota_bytes_default = self
            .value(name::QUOTA, (args.quota, file.quota), || Ok(default))?
            .0;
        let kept = &mut house.retention_default;
        let given = (args.revision_days, file.retention.revision_days);
        kept.revision_days = self.value(name::REVISION_DAYS, given, || Ok(kept.revision_days))?;
        let given = (args.trash_days, file.retention.trash_days);
        kept.trash_days = self.value(name::TRASH_DAYS, given, || Ok(kept.trash_days))?;
        let given = (args.session_idle_days, file.session_idle_days);
        house.session_idle_days = self.value(name::SESSION_IDLE_DAYS, given, || {
            Ok(house.session_idle_days)
        })?;
        let given = (args.scrub_days, file.scrub_days);
        house.scrub_days = self.value(name::SCRUB_DAYS, given, || Ok(house.scrub_days))?;
        self.rooms(&mut house, &args.rooms, file)?;
        self.live(&mut house, &args.live, &file.live)?;
        Ok(house)
    }

    fn http(&mut self, args: &ServerArgs, file: &file::Server) -> Result<HttpConfig, Failure> {
        let mut http = HttpConfig::default();
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT));
        http.address = self.value(name::LISTEN, (args.listen, file.listen), || Ok(default))?;
        let given = (args.trusted_proxies.clone(), file.trusted_proxies.clone());
        let (proxies, from) = self.pick(name::TRUSTED_PROXIES, given.0, given.1);
        http.trusted_proxies = proxies.unwrap_or_default();
        let shown: Vec<String> = http
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        self.show(name::TRUSTED_PROXIES, &shown.join(", "), from);
        let given = (
            args.connections.map(u64::from),
            file.connections.map(u64::from),
        );
        let default = http.connections_max as u64;
        let connections = self.value(name::CONNECTIONS, given, || Ok(default))?;
        http.connections_max = usize::try_from(connections).unwrap_or(usize::MAX);
        http.tls = self.tls(args, &file.tls)?;
        http.webhook_ca = self.webhook_ca(&args.rooms, &file.webhooks);
        Ok(http)
    }

    fn tls(&mut self, args: &ServerArgs, file: &file::Tls) -> Result<Option<TlsFiles>, Failure> {
        let given = (args.tls_certificate.clone(), file.certificate.clone());
        let (certificate, from) = self.pick(name::TLS_CERTIFICATE, given.0, given.1);
        if let Some(path) = &certificate {
            self.show(name::TLS_CERTIFICATE, &path.display(), from);
        }
        let (key, from) = self.pick(name::TLS_KEY, args.tls_key.clone(), file.key.clone());
        if let Some(path) = &key {
            self.show(name::TLS_KEY, &path.display(), from);
        }
        match (certificate, key) {
            (Some(certificates), Some(key)) => Ok(Some(TlsFiles { certificates, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Failure::usage("TLS has a certificate but no key")
                .hint("Set server.tls.key or --tls-key as well.")),
            (None, Some(_)) => Err(Failure::usage("TLS has a key but no certificate")
                .hint("Set server.tls.certificate or --tls-certificate as well.")),
        }
    }
}

struct ShownPath(PathBuf);

impl Display for ShownPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

struct ShownPolicy(SignupPolicy);

impl Display for ShownPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(signup_word(self.0))
    }
}
