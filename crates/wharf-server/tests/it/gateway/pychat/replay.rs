//! What the original's client and server said to each other, said to this server.
//!
//! `capture.txt` has the requests of the capture and the answers that are wanted here, a line each: the connection, `>` or `<`,
//! and the fields; `A`, `B` are numbers, `{200}` the next bytes of the file, `*` anything. Where the original
//! answered otherwise, its answer stands behind `#`.

use std::collections::HashMap;
use std::time::Duration;

use wharf_core::{Door, Origin};
use wharf_server::gateway::GatewayName;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::pychat::{PyChat, Stays, md5_hex};
use wharf_testkit::server::TestServer;
use wharf_types::api::app_password::AppDoor;
use wharf_types::api::contact::AskContact;
use wharf_wire::gateway::pychat::REQUEST_BYTES;

use super::serve;
use crate::noise;

both_engines!(the_capture_is_answered);

const CAPTURE: &str = include_str!("capture.txt");

struct Replay {
    names: HashMap<&'static str, String>,
    file: Vec<u8>,
    sent: usize,
    read: usize,
}

async fn the_capture_is_answered(db: TestDb) {
    let server = serve(db).await;
    let address = server.gateway(GatewayName::PyChat).parse().unwrap();
    let program = PyChat::new(address, 0, "");
    let mut replay = Replay {
        names: HashMap::from([
            ("MD5A", md5_hex("one")),
            ("MD5B", md5_hex("two")),
            ("WRONG", md5_hex("guess")),
        ]),
        file: noise(9, 3_200),
        sent: 0,
        read: 0,
    };
    let mut open: HashMap<&str, Stays> = HashMap::new();
    for line in CAPTURE.lines() {
        let line = line.split("  # ").next().unwrap();
        let Some((connection, rest)) = line.split_once(' ') else {
            befriend(&server, &replay).await;
            continue;
        };
        if !open.contains_key(connection) {
            open.insert(connection, program.silent().await);
        }
        let stays = open.get_mut(connection).unwrap();
        match rest.split_once(' ').unwrap_or((rest, "")) {
            (">", fields) => {
                stays.send(&replay.request(fields)).await;
                tokio::time::sleep(Duration::from_millis(80)).await;
            }
            ("<", wanted) => {
                let got = stays.read(2048).await;
                replay.check(line, wanted, &got);
            }
            _ => drop(open.remove(connection)),
        }
    }
}

/// Where the original made friends of two people, Wharf asks the other one.
async fn befriend(server: &TestServer, replay: &Replay) {
    let origin = Origin {
        door: Door::PyChat,
        address: [127, 0, 0, 1].into(),
    };
    let wharf = server.wharf();
    let login = wharf.accounts().login_by_app_password(
        AppDoor::PyChat,
        &replay.names["B"],
        &replay.names["MD5B"],
        origin,
    );
    let ask = AskContact {
        who: replay.names["A"].clone(),
        word: String::new(),
    };
    let by = login.await.unwrap().caller;
    wharf.contacts().ask(&by, ask).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
}

impl Replay {
    fn request(&mut self, fields: &str) -> [u8; REQUEST_BYTES] {
        let mut record = [0; REQUEST_BYTES];
        for (at, field) in [0, 50, 100, 150].into_iter().zip(fields.split('|')) {
            let bytes = match count_of(field) {
                Some(count) => {
                    self.sent += count;
                    self.file[self.sent - count..self.sent].to_vec()
                }
                None => self
                    .names
                    .get(field)
                    .map_or(field, |name| name)
                    .as_bytes()
                    .to_vec(),
            };
            record[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        record
    }

    fn check(&mut self, line: &str, wanted: &str, got: &[u8]) {
        if let Some(count) = count_of(wanted) {
            assert_eq!(got, &self.file[self.read..self.read + count], "{line}");
            self.read += count;
            return;
        }
        let got = String::from_utf8(got.to_vec()).unwrap();
        // A push is three fields padded with NULs.
        let got = if got.len() == 150 && got.contains('\0') {
            let field = |at: usize| got[at..at + 50].trim_matches('\0').to_owned();
            [0, 50, 100].map(field).join("|")
        } else {
            got.replace("\r\n", "\\r\\n").replace('\n', "\\n")
        };
        if let Some(name) = wanted.strip_prefix("new ") {
            let name = if name == "A" { "A" } else { "B" };
            self.names.insert(name, got);
            return;
        }
        let mut left = got.as_str();
        for (index, part) in self.named(wanted).split('*').enumerate() {
            let at = left.find(part);
            assert!(
                at == Some(0) || (index > 0 && at.is_some()),
                "{line}: {got}"
            );
            left = &left[at.unwrap() + part.len()..];
        }
        assert!(left.is_empty() || wanted.ends_with('*'), "{line}: {got}");
    }

    /// With the numbers in their places.
    fn named(&self, wanted: &str) -> String {
        let mut out = wanted.to_owned();
        for name in ["A", "B"] {
            if let Some(number) = self.names.get(name) {
                out = out.replace(&format!("<{name}>"), number);
            }
        }
        out
    }
}

fn count_of(field: &str) -> Option<usize> {
    field.strip_prefix('{')?.strip_suffix('}')?.parse().ok()
}
