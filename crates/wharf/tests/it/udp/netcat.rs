//! Every way to send a datagram that Debian has, run as the guide says.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Server;

/// Runs a line in a shell to its end, with something on standard input.
fn shell(line: &str, input: &[u8]) -> String {
    let mut child = Command::new("bash")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// As [`shell`], again until there is an answer: these programs wait for a second at most, and a busy machine may need longer.
/// What was saved the first time is answered the same, as saved already.
fn answered(line: &str, input: &[u8]) -> String {
    std::iter::repeat_with(|| shell(line, input))
        .take(30)
        .find(|answer| !answer.is_empty())
        .unwrap_or_default()
}

/// The printed commands of a key.
fn commands(made: &Value) -> Vec<String> {
    let commands = made["commands"].as_array().unwrap().iter();
    commands
        .map(|command| command.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_printed_command_writes_an_entry_and_most_show_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let token = server.key("nc");
    let mut expected = Vec::new();
    for (number, command) in commands(&token).into_iter().enumerate() {
        let text = format!("Rain, said {number}.");
        let command = command.replace("TEXT", &text);
        // Of the several that a system may have, `nc` is the first that is installed: the test names it.
        let command = command.replace("| nc ", "| nc.openbsd ");
        expected.push(text);
        if command.contains("/dev/udp") {
            assert_eq!(shell(&command, b""), "", "bash reads no answer");
        } else {
            let answer = answered(&command, b"");
            let begin = format!("#{} ", expected.len());
            assert!(
                answer.starts_with("OK ") && answer.contains(&begin),
                "{command}: {answer:?}"
            );
        }
    }
    let signed = commands(&server.key("openssl")).remove(0);
    let signed = signed
        .replace("TEXT", "Signed rain.")
        .replace("| nc ", "| nc.openbsd ");
    let answer = answered(&signed, b"");
    assert!(answer.starts_with("OK "), "{answer:?}");
    expected.push("Signed rain.".to_owned());
    wait_for_texts(&server, &expected);
}

#[test]
fn flavours_send_what_udp_says_they_send() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let made = server.key("nc");
    let token = made["key"]["secret"].as_str().unwrap();
    let (host, port) = (server.udp.ip(), server.udp.port());
    let mut expected = Vec::new();
    for (name, program) in [
        ("openbsd", format!("nc.openbsd -u -w1 {host} {port}")),
        (
            "traditional",
            format!("timeout 2 nc.traditional -u -w1 {host} {port}"),
        ),
        (
            "ncat",
            format!("{{ cat; sleep 1; }} | ncat -u {host} {port}"),
        ),
        ("socat", format!("socat -t1 - UDP:{host}:{port}")),
    ] {
        // Lines that are there at once go in one datagram: one entry, with its lines.
        let lines = format!("{token} {name} a\nb\nc\n");
        let answer = answered(&program, lines.as_bytes());
        assert!(answer.starts_with("OK "), "{name}: {answer:?}");
        expected.push(format!("{name} a\nb\nc"));
        // The same again is answered as before.
        let answer = answered(&program, lines.as_bytes());
        assert!(answer.ends_with("(already saved)\n"), "{name}: {answer:?}");
        // A file goes in datagrams of which only the first begins with the token: all are refused.
        let file = format!("{token} {}\n", "x".repeat(40_000));
        let answer = shell(&program, file.as_bytes());
        assert!(!answer.contains("OK "), "{name}: {answer:?}");
        let answer = answered(&program, format!("{token} \u{fc}").as_bytes());
        assert!(answer.starts_with("OK "), "{name}: {answer:?}");
        if name == "openbsd" {
            expected.push("\u{fc}".to_owned());
        }
        let latin = [token.as_bytes(), b" caf\xe9"].concat();
        assert!(answered(&program, &latin).starts_with("ERR utf8"), "{name}");
        let stranger = format!("wj_{} text\n", "0".repeat(40));
        assert_eq!(
            answered(&program, stranger.as_bytes()),
            "ERR auth\n",
            "{name}"
        );
    }
    wait_for_texts(&server, &expected);
    server.verify();
}

/// Waits until the journal has these texts: what sends and does not listen is gone before they are there.
fn wait_for_texts(server: &Server, expected: &[String]) {
    for _ in 0..300 {
        if server.texts() == expected {
            return;
        }
        crate::send_crash::nap(std::time::Duration::from_millis(100));
    }
    assert_eq!(server.texts(), expected);
}
