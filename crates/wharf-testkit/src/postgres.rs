//! A PostgreSQL server for tests, made of Debian's binaries: own data folder, trust on a UNIX socket, no network.
//!
//! One server serves a whole run of tests, though each test may be a process of its own: who comes first starts it. Each
//! process holds a shared lock on a file in the server's folder for as long as it uses it, and a small shell script, the
//! keeper, waits until nobody does, then stops the server and removes the folder. The system lets go of a dead process's
//! locks, so nothing is left behind however a test ends.
//!
//! It does not sync to the disk, and it sorts texts by the rules of a language, so that a column or a query that forgets
//! its collation is found out.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use postgres::{Client, NoTls};

/// Longest folder name with which a socket's path stays below the 107 bytes that the system takes.
const FOLDER_BYTES_MAX: usize = 80;

const SETTINGS: &str = "-c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=400 -c shared_buffers=64MB -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0 \
    -c log_min_messages=warning";

/// Stops the server once nobody has held the lock for ten checks, a second apart. The folder goes at once, by its name: who came
/// while its files were removed one by one would begin in what is left of it.
const KEEPER: &str = r#"
exec 9<"$1/users"
idle=0
while [ "$idle" -lt 10 ]; do
  sleep 1
  if flock --exclusive --nonblock 9; then
    idle=$((idle + 1))
    [ "$idle" -lt 10 ] && flock --unlock 9
  else
    idle=0
  fi
done
"$2/pg_ctl" --pgdata="$1/data" --mode=immediate --silent stop
cd / && mv "$1" "$1.gone" && rm -rf "$1.gone"
"#;

/// A running server. It goes on until the last of its users is gone.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    binaries: PathBuf,
    owner: Option<(u32, u32)>,
    _use: File,
}

impl PostgresServer {
    /// The server of this run of tests, started if it is not running.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start: the message has its log.
    pub fn shared() -> Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the runner of the tests says which run this is"
        )]
        let run =
            std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
        Self::attach(&format!("wharf-postgres-{run}"))
    }

    /// A server that nobody else uses, to be killed for instance.
    ///
    /// # Errors
    /// As for [`PostgresServer::shared`].
    pub fn private() -> Result<Self> {
        Self::attach(&format!("wharf-postgres-{}", uuid::Uuid::now_v7()))
    }

    /// Makes an empty database and returns the URL by which it is reached.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.administer(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url(name))
    }

    /// Removes a database, whoever is still connected to it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        self.administer(&format!("DROP DATABASE {name} WITH (FORCE)"))
    }

    /// Kills the server at once, as a crash of its machine would.
    ///
    /// # Errors
    /// When it was not running.
    pub fn kill(&self) -> Result<()> {
        let text = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let process = text.lines().next().context("postmaster.pid is empty")?;
        run(Command::new("kill").args(["-KILL", process]))
    }

    /// Ends the server and all that it runs at once, without a word to whoever is connected and without writing anything
    /// down, and waits until it is gone.
    ///
    /// # Errors
    /// When it was not running.
    pub fn crash(&self) -> Result<()> {
        run(self
            .command("pg_ctl")
            .arg("--pgdata")
            .arg(self.data())
            .args(["--mode=immediate", "--wait", "--silent", "stop"]))
    }

    /// Starts the server again after [`PostgresServer::kill`] or [`PostgresServer::crash`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self) -> Result<()> {
        let options = format!("-k {} {SETTINGS}", self.folder.display());
        run(self
            .command("pg_ctl")
            .arg("--pgdata")
            .arg(self.data())
            .arg("--log")
            .arg(self.folder.join("log"))
            .args(["--options", &options])
            .args(["--wait", "--timeout=60", "--silent", "start"]))
        .with_context(|| fs::read_to_string(self.folder.join("log")).unwrap_or_default())
    }

    fn attach(name: &str) -> Result<Self> {
        let binaries = binaries()?;
        let owner = owner()?;
        let folder = parent_folder().join(name);
        loop {
            fs::create_dir_all(&folder)?;
            let path = folder.join("users");
            let users = match File::options().create(true).append(true).open(&path) {
                Ok(users) => users,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            users.lock_shared()?;
            // While this waited, or just before, the keeper may have removed the folder.
            let is_current = fs::metadata(&path).is_ok_and(|now| {
                users
                    .metadata()
                    .is_ok_and(|held| (held.dev(), held.ino()) == (now.dev(), now.ino()))
            });
            if is_current {
                let server = Self {
                    folder,
                    binaries,
                    owner,
                    _use: users,
                };
                server
                    .start_first()
                    .context("start a PostgreSQL server for the tests")?;
                return Ok(server);
            }
        }
    }

    /// Makes and starts the server unless somebody has.
    fn start_first(&self) -> Result<()> {
        let starting = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("starting"))?;
        starting.lock()?;
        let ready = self.folder.join("ready");
        if ready.try_exists()? {
            return Ok(());
        }
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o755))?;
        if let Some((user, group)) = self.owner {
            chown(&self.folder, Some(user), Some(group))?;
        }
        run(self
            .command("initdb")
            .arg("--pgdata")
            .arg(self.data())
            .args([
                "--username=wharf",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            .args(["--locale-provider=icu", "--icu-locale=en-US"])
            .args(["--no-sync", "--no-instructions"]))?;
        // The keeper comes before the server, so that none is left if this process dies here.
        self.command_of(Path::new("sh"))
            .args(["-c", KEEPER, "keeper"])
            .args([&self.folder, &self.binaries])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.start()?;
        File::create(ready)?;
        Ok(())
    }

    fn administer(&self, sql: &str) -> Result<()> {
        let run = || {
            let mut client = Client::connect(&self.url("postgres"), NoTls)?;
            client.batch_execute(sql)
        };
        // On a thread of its own: the client blocks, which a test's runtime does not allow.
        let done = std::thread::scope(|threads| threads.spawn(run).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .with_context(|| sql.to_owned())
    }

    fn url(&self, database: &str) -> String {
        // A socket's folder stands in a URL as a host whose slashes are escaped.
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://wharf@{folder}/{database}")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: &str) -> Command {
        self.command_of(&self.binaries.join(program))
    }

    fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Where Debian puts what the `postgresql` package brings; the newest version.
fn binaries() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file())
        .max_by_key(|folder| {
            let version = folder
                .parent()
                .and_then(Path::file_name)
                .and_then(|name| name.to_str());
            version.and_then(|version| version.parse::<u32>().ok())
        })
        .context("these tests need PostgreSQL: apt-get install postgresql")
}

/// Whom the server runs as, if not as this user: it refuses to run as root.
fn owner() -> Result<Option<(u32, u32)>> {
    let is_root = fs::metadata("/proc/self")?.uid() == 0;
    if !is_root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    for name in ["postgres", "nobody"] {
        let line = users
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let mut fields = line.unwrap_or_default().split(':').skip(1);
        if let (Some(user), Some(group)) = (fields.next(), fields.next()) {
            return Ok(Some((user.parse()?, group.parse()?)));
        }
    }
    bail!("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

/// A folder with a name short enough for sockets.
fn parent_folder() -> PathBuf {
    let folder = std::env::temp_dir();
    if folder.as_os_str().len() < FOLDER_BYTES_MAX - 60 {
        folder
    } else {
        PathBuf::from("/tmp")
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
