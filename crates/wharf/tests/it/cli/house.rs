//! A server, and the operator who is logged in to it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wharf_testkit::program::{OPERATOR, Program, ServerProcess};

/// The program that was built.
pub(super) const WHARF: &str = env!("CARGO_BIN_EXE_wharf");

/// For a server that is started with what the tests give to all of them.
pub(super) const NO_ARGUMENTS: [&str; 0] = [];

/// A server on a free port with an operator, and a folder for the test.
pub(super) struct House {
    pub(super) folder: TempDir,
    pub(super) program: Program,
    pub(super) server: ServerProcess,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl House {
    /// Starts it.
    pub(super) fn new() -> Self {
        Self::with(&NO_ARGUMENTS)
    }

    /// Starts it with further arguments of `wharf serve`.
    pub(super) fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::new(WHARF, folder.path().join("home"));
        let data = folder.path().join("data");
        let server = program.serve(&data, "127.0.0.1:0", arguments).unwrap();
        program.make_operator(&server).unwrap();
        Self {
            folder,
            program,
            server,
        }
    }

    /// Where the server has its data.
    pub(super) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A path in the test's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Another person's device.
    pub(super) fn device(&self, home: &str) -> Program {
        Program::new(WHARF, self.path(home))
    }

    /// Another person with an account, logged in on a device of their own.
    pub(super) fn member(&self, name: &str) -> Program {
        let added = self.json(&["admin", "user", "add", name]);
        let password = added[0]["password"].as_str().unwrap();
        let member = self.device(name).with("WHARF_PASSWORD", password);
        member
            .run(["login", self.server.url(), "--username", name])
            .unwrap();
        member
    }

    /// Another person who is a contact of the operator.
    pub(super) fn contact(&self, name: &str) -> Program {
        let member = self.member(name);
        self.run(&["contacts", "ask", name]);
        member.run(["contacts", "accept", OPERATOR]).unwrap();
        member
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub(super) fn run(&self, arguments: &[&str]) -> String {
        self.program.run(arguments).unwrap()
    }

    /// Runs a command to its end.
    pub(super) fn end(&self, arguments: &[&str]) -> Ended {
        self.program.output(arguments).unwrap().into()
    }

    /// Runs a command with `--json` that must succeed, and returns the objects that it printed.
    pub(super) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        objects(&self.run(&[arguments, &["--json"]].concat()))
    }

    /// Runs a command with this on its standard input.
    pub(super) fn feed(&self, arguments: &[&str], input: &[u8]) -> Ended {
        feed(&self.program, arguments, input)
    }

    /// Writes a local file and returns its path as text.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        text(&path)
    }
}

/// Starts a server on a free port.
pub(super) fn start(program: &Program, data: &Path) -> ServerProcess {
    program.serve(data, "127.0.0.1:0", NO_ARGUMENTS).unwrap()
}

/// Runs a command with this on its standard input.
pub(super) fn feed(program: &Program, arguments: &[&str], input: &[u8]) -> Ended {
    let mut command = program.command(arguments);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs a command to its end.
pub(super) fn end(program: &Program, arguments: &[&str]) -> Ended {
    program.output(arguments).unwrap().into()
}

/// Runs a command with `--json` that must succeed, and returns the objects that it printed.
pub(super) fn json(program: &Program, arguments: &[&str]) -> Vec<Value> {
    objects(&program.run([arguments, &["--json"]].concat()).unwrap())
}

/// The objects of JSON lines.
pub(super) fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A path as text.
pub(super) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The same with the kinds of values instead of the values: what scripts rely on.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
    }
}
