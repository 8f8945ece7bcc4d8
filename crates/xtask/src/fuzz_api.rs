//! Runs schemathesis, a fuzzer of OpenAPI, against a server of its own: no answer may be a 5xx or undocumented.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// Operations that would end the fuzzer's own session, or lock its own account, and then test nothing more.
const LEFT_OUT: &[&str] = &[
    "/api/v1/logout",
    "/api/v1/password",
    "/api/v1/sessions/{id}",
    "/api/v1/admin/accounts/{id}",
];

/// Starts `target/debug/wharf serve` on an empty folder, makes an operator, and lets the fuzzer at it.
pub(crate) fn run(root: &Path, schemathesis: &Path) -> Result<()> {
    let folder = root.join("target").join("fuzz-api");
    if folder.try_exists()? {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let server = Server::start(root, &folder)?;
    let token = server.make_operator()?;
    let mut command = Command::new(schemathesis);
    command
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", server.address))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1", "--workers", "2"])
        .args(["--suppress-health-check", "all", "--request-timeout", "10"])
        .current_dir(&folder);
    for path in LEFT_OUT {
        command.args(["--exclude-path", path]);
    }
    let status = command.status().context("running schemathesis")?;
    server.must_be_alive()?;
    ensure!(
        status.success(),
        "the fuzzer found answers that the description does not promise"
    );
    Ok(())
}

/// A server in a child process, ended when this is dropped.
struct Server {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Server {
    fn start(root: &Path, folder: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = folder.join("serve.log");
        let output = File::create(&log)?;
        let child = Command::new(root.join("target").join("debug").join("wharf"))
            .arg("serve")
            .arg("--data")
            .arg(folder.join("data"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("starting target/debug/wharf: build it first")?;
        Ok(Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
            log,
        })
    }

    /// Signs up with the one-time code that the server prints, and returns the session's token.
    fn make_operator(&self) -> Result<String> {
        let code = self.setup_code()?;
        let signup =
            json!({ "username": "operator", "password": "correct horse battery", "code": code });
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail-with-body",
                "--retry",
                "20",
                "--retry-connrefused",
                "--retry-delay",
                "1",
            ])
            .args([
                "--header",
                "Content-Type: application/json",
                "--data",
                &signup.to_string(),
            ])
            .arg(format!("{}/api/v1/signup", self.address))
            .output()
            .context("curl")?;
        ensure!(
            output.status.success(),
            "signup: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        Ok(answer["token"]
            .as_str()
            .context("signup answered without a token")?
            .to_owned())
    }

    fn setup_code(&self) -> Result<String> {
        for _ in 0..200 {
            let log = fs::read_to_string(&self.log)?;
            let code = log
                .split("--code ")
                .nth(1)
                .and_then(|rest| rest.split_whitespace().next());
            if let Some(code) = code {
                return Ok(code.to_owned());
            }
            wait();
        }
        bail!("the server printed no code; see {}", self.log.display())
    }

    fn must_be_alive(mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(
            ended.is_none(),
            "the server ended; see {}",
            self.log.display()
        );
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The child may have ended by itself; there is nobody left to tell.
        let _already_ended = self.child.kill();
        let _already_reaped = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits for another process; nothing else runs here"
)]
fn wait() {
    thread::sleep(Duration::from_millis(50));
}
