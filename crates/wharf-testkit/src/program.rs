//! The real program in processes of its own: servers that can be killed, and clients.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The operator's account that [`Program::make_operator`] makes.
pub const OPERATOR: &str = "operator";
/// Its password.
pub const PASSWORD: &str = "correct horse battery";

/// The `wharf` program with a home of its own, so that nothing of the person who runs the tests is read or written.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    home: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

/// A server in a process; killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    url: String,
    setup_code: Option<String>,
    gateways: Value,
}

impl Program {
    /// The program at `path`, with its configuration and state below `home`.
    pub fn new(path: impl Into<PathBuf>, home: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            home: home.into(),
            environment: Vec::new(),
        }
    }

    /// The same with one more variable in the environment.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.push(pair);
        self
    }

    /// A command of the program, not yet started.
    pub fn command<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(&self.path);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WHARF_") {
                command.env_remove(name);
            }
        }
        for (name, folder) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(name, self.home.join(folder));
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub fn output<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Result<Output> {
        self.command(arguments)
            .output()
            .with_context(|| format!("running {}", self.path.display()))
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Result<String> {
        let mut command = self.command(arguments);
        let output = command.output()?;
        ensure!(
            output.status.success(),
            "{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts a server and waits until it listens. `listen` is an address; with port 0 the server chooses.
    pub fn serve<I: AsRef<OsStr>>(
        &self,
        data: &Path,
        listen: &str,
        arguments: impl IntoIterator<Item = I>,
    ) -> Result<ServerProcess> {
        let mut command = self.command(["--json", "serve", "--listen", listen, "--data"]);
        command.arg(data).args(arguments);
        wait_for_port(listen);
        Ok(Self::listening(command)?.0)
    }

    /// Starts a demonstration on a free port and waits until it listens; also returns what it said then.
    pub fn demo<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Result<(ServerProcess, Value)> {
        let mut command = self.command(["--json", "demo", "--listen", "127.0.0.1:0"]);
        command.args(arguments);
        Self::listening(command)
    }

    /// Starts a command that says as JSON where it listens.
    fn listening(mut command: Command) -> Result<(ServerProcess, Value)> {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().context("starting a server")?;
        let output = child.stdout.take().context("the server's output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            bail!("the server ended before it listened: {}", child.wait()?);
        }
        let event: Value = serde_json::from_str(&line).context(line)?;
        let url = event["url"]
            .as_str()
            .context("the server did not say where it listens")?;
        let server = ServerProcess {
            url: url.to_owned(),
            setup_code: event["setup_code"].as_str().map(str::to_owned),
            gateways: event["gateways"].clone(),
            child,
        };
        Ok((server, event))
    }

    /// Makes the operator's account on a new server and logs this program in with it, without a quota in the way.
    pub fn make_operator(&self, server: &ServerProcess) -> Result<()> {
        let code = server
            .setup_code
            .as_deref()
            .context("the server has an operator already")?;
        let client = self.clone().with("WHARF_PASSWORD", PASSWORD);
        client.run([
            "signup",
            &server.url,
            "--code",
            code,
            "--username",
            OPERATOR,
        ])?;
        client.run(["admin", "user", "quota", OPERATOR, "100GiB"])?;
        Ok(())
    }
}

/// Waits until nobody has the port. Between a server and the next one on the same port a program beside this test can be
/// given it, as one of those that the system gives for a while.
fn wait_for_port(listen: &str) {
    for _ in 0..300 {
        match TcpListener::bind(listen) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                std::thread::park_timeout(Duration::from_millis(100));
            }
            _ => return,
        }
    }
}

impl ServerProcess {
    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Where a gateway listens, if it does.
    pub fn gateway(&self, name: &str) -> Option<&str> {
        self.gateways[name].as_str()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills it with SIGKILL: nothing of it runs any more when this returns.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end with SIGTERM, waits, and fails if it ends with an error.
    pub fn stop(mut self) -> Result<()> {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        ensure!(status.success(), "kill: {status}");
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
