//! The journal over UDP with the real program on both ends, and with other people's programs.

mod loss;
mod netcat;

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use serde_json::Value;
use wharf_client::udp::Way;
use wharf_testkit::program::{PASSWORD, Program, ServerProcess};

/// A server with the gateway open that is killed and started again on the same data and ports.
struct Server {
    program: Program,
    data: PathBuf,
    listen: String,
    udp: SocketAddr,
    process: ServerProcess,
}

impl Server {
    /// Starts one, with its operator logged in, whose keys write as fast as they can.
    fn start(folder: &Path) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let config = folder.join("config.toml");
        let settings = format!(
            "[gateway.diary]\nlisten = \"{udp}\"\nkey_burst = 1000000\nkey_per_second = 1000000\n\
             [server.messages]\naccount_burst = 1000000\naddress_burst = 1000000\n"
        );
        std::fs::write(&config, settings).unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_wharf"), folder.join("home"))
            .with("WHARF_CONFIG", &config)
            .with("WHARF_PASSWORD", PASSWORD);
        let data = folder.join("data");
        let process = program.serve(&data, "127.0.0.1:0", [""; 0]).unwrap();
        program.make_operator(&process).unwrap();
        Self {
            listen: process.address().to_owned(),
            program,
            data,
            udp,
            process,
        }
    }

    /// Kills it, wherever it is, and starts it again.
    fn kill_and_start(self) -> Self {
        let Self {
            program,
            data,
            listen,
            udp,
            process,
        } = self;
        process.kill().unwrap();
        let process = program.serve(&data, &listen, [""; 0]).unwrap();
        Self {
            program,
            data,
            listen,
            udp,
            process,
        }
    }

    /// Makes a key: what `wharf diary udp add` says.
    fn key(&self, program: &str) -> Value {
        let said = self
            .program
            .run(["--json", "diary", "udp", "add", "--for", program])
            .unwrap();
        serde_json::from_str(&said).unwrap()
    }

    /// The way of a key for `wharf`.
    fn way(&self) -> Way {
        let made = self.key("wharf");
        let command = made["commands"][1].as_str().unwrap();
        let way = command.rsplit(' ').next().unwrap().trim_matches('\'');
        way.parse().unwrap()
    }

    /// The texts of the journal, in order.
    fn texts(&self) -> Vec<String> {
        let lines = self.program.run(["diary", "--export", "jsonl"]).unwrap();
        let text = |line: &str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["body"]["text"].as_str().unwrap().to_owned()
        };
        lines.lines().map(text).collect()
    }

    /// Stops it, and reads everything that it has stored, each link of the logs' chains among it.
    fn verify(self) {
        self.process.stop().unwrap();
        let data = self.data.to_str().unwrap();
        self.program.run(["verify", "--data", data]).unwrap();
    }
}
