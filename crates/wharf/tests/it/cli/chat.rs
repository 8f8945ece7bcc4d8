//! `wharf chat` as two people have it: real terminals in tmux, a real server, and what they see.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::house::{House, NO_ARGUMENTS, WHARF, text};

/// How long something may take to be seen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Terminals of a tmux server of their own; it ends with this.
struct Terminals {
    /// Holds the socket, and lives until the server was told to end.
    folder: TempDir,
}

/// One of them.
struct Terminal<'a> {
    all: &'a Terminals,
    name: &'static str,
    /// Holds the program's exit status once it has ended.
    ended: PathBuf,
}

impl Terminals {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("tmux")
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.socket())
            .args(["-f", "/dev/null"])
            .args(arguments)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `wharf chat` with a home in a terminal of 80 by 24.
    fn chat(&self, name: &'static str, home: &Path, downloads: &Path) -> Terminal<'_> {
        let quoted = |path: &Path| format!("'{}'", text(path));
        let ended = home.join("ended");
        // That of a client before, if there was one.
        drop(std::fs::remove_file(&ended));
        let command = format!(
            "cd {folder} && env -u WHARF_TOKEN -u WHARF_SERVER HOME={home} XDG_CONFIG_HOME={home}/config \
             XDG_STATE_HOME={home}/state LC_ALL=C.UTF-8 TZ=UTC {WHARF} chat --downloads {downloads} 2>{home}/chat.err; \
             echo $? >{home}/ended",
            folder = quoted(home),
            home = quoted(home),
            downloads = quoted(downloads),
        );
        self.tmux(&[
            "new-session",
            "-d",
            "-s",
            name,
            "-x",
            "80",
            "-y",
            "24",
            &command,
        ]);
        self.tmux(&["set-option", "-t", name, "remain-on-exit", "on"]);
        Terminal {
            all: self,
            name,
            ended,
        }
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        // A server that has ended already is no trouble.
        let killed = Command::new("tmux")
            .arg("-S")
            .arg(self.socket())
            .arg("kill-server")
            .output();
        drop(killed);
    }
}

impl Terminal<'_> {
    fn keys(&self, keys: &[&str]) {
        self.all
            .tmux(&[&["send-keys", "-t", self.name], keys].concat());
    }

    fn types(&self, words: &str) {
        self.all
            .tmux(&["send-keys", "-t", self.name, "-l", "--", words]);
    }

    fn screen(&self) -> String {
        self.all.tmux(&["capture-pane", "-p", "-t", self.name])
    }

    /// Waits until the screen is as wanted, and returns it.
    #[track_caller]
    fn sees(&self, what: &str, is_seen: impl Fn(&str) -> bool) -> String {
        let began = now();
        loop {
            let screen = self.screen();
            if is_seen(&screen) {
                return screen;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} never saw {what}:\n{screen}",
                self.name
            );
            pause();
        }
    }

    #[track_caller]
    fn shows(&self, words: &str) -> String {
        self.sees(words, |screen| screen.contains(words))
    }

    /// Waits until the program has ended without an error, and has given the terminal back.
    #[track_caller]
    fn ends(&self) {
        let began = now();
        loop {
            // Not tmux's own word for it: it knows no status where its parent ignored the ends of children.
            let status = std::fs::read_to_string(&self.ended).unwrap_or_default();
            let format = ["display-message", "-p", "-t", self.name, "#{alternate_on}"];
            let alternate = self.all.tmux(&format);
            if status.trim() == "0" && alternate.trim() == "0" {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} did not end: status {status:?}, alternate screen {alternate:?}",
                self.name
            );
            pause();
        }
    }

    /// Types the name of a chat where one is asked for, and takes it. A device that has just begun hears of its chats a moment later.
    #[track_caller]
    fn chooses(&self, name: &str) {
        self.types(name);
        self.sees("a chat of that name", |screen| {
            screen.contains(&format!("> {name}"))
                && !screen.contains("No chat or contact of that name.")
        });
        self.keys(&["Enter"]);
    }

    /// Opens the chat of this name.
    #[track_caller]
    fn jumps(&self, name: &str) {
        self.keys(&["C-k"]);
        self.shows("Jump to");
        self.chooses(name);
        self.sees("an open chat", |screen| {
            !screen.contains("Jump to") && screen.contains("│>")
        });
    }

    /// Writes and sends.
    #[track_caller]
    fn says(&self, words: &str) {
        self.types(words);
        self.shows(&format!("> {words}"));
        self.keys(&["Enter"]);
        self.sees("an empty line", |screen| {
            !screen.contains(&format!("> {words}"))
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn now() -> Instant {
    Instant::now()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
fn two_people_meet_talk_and_hand_over_a_file_in_their_terminals() {
    let house = House::new();
    house.member("ada");
    house.member("grace");
    let terminals = Terminals::new();
    let downloads = house.path("downloads");
    std::fs::create_dir(&downloads).unwrap();
    let ada = terminals.chat("ada", &house.path("ada"), &downloads);
    let grace = terminals.chat("grace", &house.path("grace"), &downloads);

    // They meet; each sees the other there as it happens.
    ada.shows("Personal");
    ada.keys(&["C-n"]);
    ada.shows("Add a contact");
    ada.keys(&["Enter"]);
    ada.shows("six-digit");
    ada.types("grace Hello, it is me");
    ada.keys(&["Enter"]);
    grace.shows("+1");
    grace.keys(&["F2"]);
    grace.shows("Hello, it is me");
    grace.keys(&["Down", "Enter"]);
    grace.shows("Accept");
    grace.keys(&["Enter"]);
    ada.shows("Contacts 1/1");
    grace.shows("Contacts 1/1");

    // They talk: typing, sent, read, unread, wide characters.
    ada.jumps("grace");
    ada.types("你好 Grace");
    ada.keys(&["Enter"]);
    ada.shows("你好 Grace  ✓");
    grace.sees("one unread", |screen| {
        screen
            .lines()
            .any(|line| line.contains("● ada") && line.contains(" 1 "))
    });
    grace.jumps("ada");
    grace.shows("你好 Grace");
    ada.shows("你好 Grace  ✓✓");
    grace.types("so");
    ada.shows("grace is typing…");
    grace.keys(&["BSpace", "BSpace"]);

    // An answer, a change, a reaction, a recall.
    grace.keys(&["Escape"]);
    grace.shows("r reply");
    grace.keys(&["r"]);
    grace.shows("Reply to ada");
    grace.says("hi back");
    ada.shows("▏ You: 你好 Grace");
    ada.keys(&["Up"]);
    ada.shows("Editing");
    ada.types("!");
    ada.shows("> 你好 Grace!");
    ada.keys(&["Enter"]);
    grace.shows("你好 Grace!  (edited)");
    grace.keys(&["Up"]);
    grace.shows("> hi back");
    grace.keys(&["Escape"]);
    grace.sees("no change", |screen| !screen.contains("Editing"));
    grace.keys(&["Escape"]);
    grace.shows("r reply");
    grace.keys(&["d"]);
    ada.sees("a recall", |screen| {
        screen.contains("recalled") && !screen.contains("hi back")
    });
    grace.keys(&["Escape"]);

    // A file goes over and comes down the same.
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let source = house.write("a plan.bin", &bytes);
    ada.keys(&["C-o"]);
    ada.shows("Hand over files");
    ada.types(&format!("'{source}'"));
    ada.keys(&["Enter"]);
    grace.shows("▤ a plan.bin");
    grace.keys(&["C-t"]);
    grace.shows("1 file, 1.1 MiB");
    grace.keys(&["Enter"]);
    grace.shows("Fetch the file to");
    grace.keys(&["Enter"]);
    grace.shows("Fetched: ");
    assert_eq!(std::fs::read(downloads.join("a plan.bin")).unwrap(), bytes);
    grace.keys(&["Escape"]);
    grace.shows("^J new line");

    // What others write commands no terminal.
    house
        .device("ada")
        .run(["say", "@grace", "--", "evil\u{1b}]2;owned\u{7}\u{1b}[2Jend"])
        .unwrap();
    let screen = grace.shows("evil␛]2;owned␇␛[2Jend");
    assert!(screen.contains("你好 Grace!"), "{screen}");
    let title = terminals.tmux(&["display-message", "-p", "-t", "grace", "#{pane_title}"]);
    assert!(title.contains("Wharf"), "{title}");

    // Any size, and help in each.
    for (columns, rows) in [("40", "12"), ("130", "40"), ("80", "24")] {
        terminals.tmux(&["resize-window", "-t", "grace", "-x", columns, "-y", rows]);
        grace.keys(&["F1"]);
        grace.shows("Everywhere");
        grace.keys(&["Escape"]);
        grace.sees("no help", |screen| !screen.contains("Everywhere"));
    }

    // Who leaves is seen to leave, and the terminal is whole again.
    grace.keys(&["C-q"]);
    ada.shows("Contacts 0/1");
    grace.ends();
    // Both at once: the second counts for a moment only.
    ada.keys(&["C-c", "C-c"]);
    ada.ends();
}

#[test]
fn what_is_written_while_the_server_is_away_is_sent_once_when_it_is_back() {
    let house = House::new();
    let ada = house.member("ada");
    let grace = house.member("grace");
    ada.run(["contacts", "ask", "grace"]).unwrap();
    grace.run(["contacts", "accept", "ada"]).unwrap();
    let terminals = Terminals::new();
    let ada = terminals.chat("ada", &house.path("ada"), house.folder.path());
    ada.jumps("grace");
    ada.says("before");
    ada.shows("before  ✓");

    let (data, address) = (house.data(), house.server.address().to_owned());
    let (program, _folder) = (house.program.clone(), house.folder);
    house.server.kill().unwrap();
    ada.shows("Offline");
    ada.says("in the dark");
    ada.shows("in the dark  …");
    ada.shows("1 message waiting");
    // The program ends, and begins again without a server.
    ada.keys(&["C-q"]);
    ada.ends();
    terminals.tmux(&["respawn-pane", "-k", "-t", "ada"]);
    ada.shows("message waiting");
    ada.jumps("grace");
    ada.shows("in the dark  …");

    let _server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    ada.shows("in the dark  ✓");
    let heard = grace.run(["tail", "@ada"]).unwrap();
    assert_eq!(heard.matches("in the dark").count(), 1, "{heard}");
}

#[test]
fn a_person_goes_to_a_day_forwards_a_message_and_has_keys_of_their_own() {
    let house = House::new();
    let ada = house.member("ada");
    let grace = house.member("grace");
    ada.run(["contacts", "ask", "grace"]).unwrap();
    grace.run(["contacts", "accept", "ada"]).unwrap();
    let long: Vec<String> = (1..40).map(|row| format!("row {row}")).collect();
    for words in ["how it began", &long.join("\n\n"), "how it ended"] {
        grace.run(["say", "@ada", "--", words]).unwrap();
    }
    house.write(
        "ada/config/wharf/config.toml",
        "[client.keys]\njump = \"Ctrl-P\"\nforward = \"w\"\n",
    );
    let terminals = Terminals::new();
    let ada = terminals.chat("ada", &house.path("ada"), house.folder.path());

    // The help says the keys that there are.
    ada.shows("^P jump");
    ada.keys(&["F1"]);
    ada.shows("Ctrl-P");
    ada.keys(&["Escape"]);
    // A key that comes with the escape is another one.
    ada.sees("no help", |screen| !screen.contains("Everywhere"));
    ada.keys(&["C-p"]);
    ada.shows("Jump to");
    ada.chooses("grace");
    let screen = ada.shows("how it ended");
    assert!(!screen.contains("how it began"), "{screen}");

    ada.keys(&["C-g"]);
    ada.shows("Go to a day");
    ada.types("today");
    ada.keys(&["Enter"]);
    ada.shows("how it began");
    ada.keys(&["C-End"]);
    ada.shows("how it ended");

    // Somebody else's words go on as a quotation, to which something is said in another line.
    ada.keys(&["Escape"]);
    ada.shows("r reply");
    ada.keys(&["w"]);
    ada.shows("Forward to");
    ada.types("personal");
    ada.keys(&["Enter"]);
    ada.shows("> grace, ");
    ada.types("one");
    // What a terminal sends for Shift-Enter that tells it from Enter.
    ada.keys(&["-H", "1b", "5b", "31", "33", "3b", "32", "75"]);
    ada.types("two");
    ada.sees("two lines", |screen| {
        screen.lines().any(|line| line.trim_end().ends_with("two"))
    });
    ada.keys(&["Enter"]);
    ada.sees("an empty line", |screen| {
        screen.lines().any(|line| line.trim_end().ends_with("│>"))
    });
    let noted = house.device("ada").run(["tail", "me"]).unwrap();
    for words in ["> how it ended", "one", "two"] {
        assert!(noted.contains(words), "{noted}");
    }
    assert_eq!(noted.matches("grace, ").count(), 1, "{noted}");
    ada.keys(&["C-q"]);
    ada.ends();
}
