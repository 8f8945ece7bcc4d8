//! The diary: one datagram for each message, without a header, as its user typed it.
//!
//! Any text is an entry, so what the original protocol does not have begins with a NUL, which nobody types.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::civil::Civil;
use super::journal::strip_newline;

/// What the published client reads of an answer; the rest is lost.
pub const REPLY_BYTES_MAX: usize = 4096;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// `r` or `sync`: the log, in one datagram.
    Sync,
    /// `h`, `help`, `?`, `q` or `quit`: nothing happens. The published client never sends them.
    Nothing,
    /// Anything else: an entry. An empty one too.
    Entry(&'a [u8]),
    /// NUL `list`: the clients that have written.
    List,
    /// NUL `sync`, with conditions: entries that fit them.
    Where(Condition),
    /// NUL `whoami`: how the server sees the sender.
    WhoAmI,
    /// NUL and something else: nothing happens.
    Unknown,
}

/// Which entries a `sync` wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Those of this client.
    pub client: Option<Client>,
    /// The first ones past this position, instead of the last ones there are.
    pub since: Option<u64>,
}

/// A client, or all clients of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    /// The port; any without.
    pub port: Option<u16>,
}

/// Takes a datagram for what it is: there is none that is not something. One newline at its end is not of the text: `nc` sends
/// it, and the published client never does.
pub fn parse(datagram: &[u8]) -> Request<'_> {
    match strip_newline(datagram) {
        b"r" | b"sync" => Request::Sync,
        b"h" | b"help" | b"?" | b"q" | b"quit" => Request::Nothing,
        [0, command @ ..] => extension(command).unwrap_or(Request::Unknown),
        entry => Request::Entry(entry),
    }
}

fn extension<'a>(command: &[u8]) -> Option<Request<'a>> {
    let command = std::str::from_utf8(command).ok()?.trim_ascii_end();
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    match (name, rest) {
        ("list", "") => Some(Request::List),
        ("whoami", "") => Some(Request::WhoAmI),
        ("sync", conditions) => {
            let mut condition = Condition::default();
            for part in conditions.split_ascii_whitespace() {
                match part.split_once('=')? {
                    ("client", client) => condition.client = Some(client_of(client)?),
                    ("since", position) => condition.since = Some(position.parse().ok()?),
                    _ => return None,
                }
            }
            Some(Request::Where(condition))
        }
        _ => None,
    }
}

fn client_of(text: &str) -> Option<Client> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Client {
            address: address.to_canonical(),
            port: None,
        });
    }
    let client: SocketAddr = text.parse().ok()?;
    Some(Client {
        address: client.ip().to_canonical(),
        port: Some(client.port()),
    })
}

/// An address and port as the original log has them: a pair of Python 2.
pub fn origin(client: SocketAddr) -> String {
    format!("('{}', {})", client.ip().to_canonical(), client.port())
}

/// One entry of an answer, as the second version of the original wrote it, with a line feed at its end. `from` is what
/// [`origin`] makes, or a name. The original printed `%S` where the seconds belong; nothing reads that line by its parts, so
/// the seconds are printed here. A line feed within the text is followed by blanks, so that no text can pass for an entry
/// of another client.
pub fn line(at_ms: i64, from: &str, text: &str) -> String {
    let time = Civil::of_ms(at_ms);
    let mut line = String::with_capacity(text.len() + 80);
    // Writing to a text cannot fail.
    let _ = write!(
        line,
        "{}, {} {} {:02} {:02}:{:02}:{:02} From {from}:  ",
        time.weekday_name(),
        time.year,
        time.month_name(),
        time.day,
        time.hour,
        time.minute,
        time.second
    );
    for (index, part) in text.split(['\n', '\r']).enumerate() {
        if index > 0 {
            line.push_str("\n    ");
        }
        line.push_str(part);
    }
    line.push('\n');
    line
}

/// The last of `lines` that fit into an answer, in their order. A single line that does not is cut at a character.
pub fn newest(lines: &[String]) -> Vec<u8> {
    let mut chosen: Vec<&str> = Vec::new();
    let mut bytes = 0;
    for line in lines.iter().rev() {
        if bytes + line.len() > REPLY_BYTES_MAX {
            if chosen.is_empty() {
                return cut(line, REPLY_BYTES_MAX).as_bytes().to_vec();
            }
            break;
        }
        bytes += line.len();
        chosen.push(line);
    }
    chosen.reverse();
    chosen.concat().into_bytes()
}

/// An answer to NUL `sync`: a line `sync FIRST LAST HEAD` with the positions of the first and last entry that follow (0 and 0
/// for none) and the last one that there is, then the entries. Whoever wants what follows asks again with `since=LAST`
/// until that is `HEAD`. `lines` are positions with their lines, ascending; of those that do not fit the later ones are left
/// out where the caller asks from the beginning, the earlier ones where not.
pub fn page(lines: &[(u64, String)], head: u64, is_from_the_beginning: bool) -> Vec<u8> {
    const HEADER_BYTES_MAX: usize = 5 + 3 * 21;
    let mut room = REPLY_BYTES_MAX - HEADER_BYTES_MAX;
    let mut chosen: Vec<&(u64, String)> = Vec::new();
    let mut take = |line| -> bool {
        let (_, text): &(u64, String) = line;
        let fits = text.len() <= room;
        if fits {
            room -= text.len();
            chosen.push(line);
        }
        fits
    };
    let mut is_all = true;
    if is_from_the_beginning {
        for line in lines {
            is_all = is_all && take(line);
        }
    } else {
        for line in lines.iter().rev() {
            is_all = is_all && take(line);
        }
        chosen.reverse();
    }
    let mut cut_line = None;
    if chosen.is_empty() {
        // An entry longer than an answer is shown as far as it fits, or nobody would get past it.
        let line = if is_from_the_beginning {
            lines.first()
        } else {
            lines.last()
        };
        cut_line = line.map(|(position, text)| (*position, cut(text, room)));
    }
    let first = chosen.first().map(|(position, _)| *position);
    let last = chosen.last().map(|(position, _)| *position);
    let of_cut = cut_line.map(|(position, _)| position);
    let [first, last] = [first, last].map(|position| position.or(of_cut).unwrap_or(0));
    let mut page = format!("sync {first} {last} {head}\n");
    for (_, text) in chosen {
        page.push_str(text);
    }
    if let Some((_, text)) = cut_line {
        page.push_str(text);
    }
    page.into_bytes()
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max.min(text.len())))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_exact_and_all_else_is_an_entry() {
        for sync in ["r", "sync", "r\n", "sync\r\n"] {
            assert_eq!(parse(sync.as_bytes()), Request::Sync);
        }
        for nothing in ["h", "help", "?", "q", "quit", "?\n"] {
            assert_eq!(parse(nothing.as_bytes()), Request::Nothing);
        }
        for entry in [
            "",
            "R",
            "sync ",
            " r",
            "Quit",
            "hello diary",
            "你好",
            "a\nb",
        ] {
            assert_eq!(parse(entry.as_bytes()), Request::Entry(entry.as_bytes()));
            let line = format!("{entry}\n");
            assert_eq!(parse(line.as_bytes()), Request::Entry(entry.as_bytes()));
        }
        assert_eq!(parse(b"a\n\n"), Request::Entry(b"a\n"));
    }

    #[test]
    fn extensions_begin_with_what_nobody_types() {
        let client = |address: &str, port| {
            Some(Client {
                address: address.parse().unwrap(),
                port,
            })
        };
        assert_eq!(parse(b"\0list"), Request::List);
        assert_eq!(parse(b"\0whoami\n"), Request::WhoAmI);
        assert_eq!(parse(b"\0sync"), Request::Where(Condition::default()));
        assert_eq!(
            parse(b"\0sync since=12 client=10.0.0.7:555"),
            Request::Where(Condition {
                client: client("10.0.0.7", Some(555)),
                since: Some(12),
            })
        );
        assert_eq!(
            parse(b"\0sync client=::ffff:10.0.0.7"),
            Request::Where(Condition {
                client: client("10.0.0.7", None),
                since: None,
            })
        );
        for unknown in [
            "",
            "List",
            "list x",
            "sync since=-1",
            "sync client=me",
            "sync x=1",
            "sync 5",
        ] {
            let datagram = [b"\0", unknown.as_bytes()].concat();
            assert_eq!(parse(&datagram), Request::Unknown, "{unknown}");
        }
    }

    #[test]
    fn a_line_is_the_original_s_with_the_seconds_that_it_meant() {
        let from = origin("127.0.0.1:57478".parse().unwrap());
        assert_eq!(
            line(1_795_195_681_000, &from, "hello diary"),
            "Fri, 2026 Nov 20 17:28:01 From ('127.0.0.1', 57478):  hello diary\n"
        );
        assert_eq!(
            line(0, "ada", "a\nFri, forged"),
            "Thu, 1970 Jan 01 00:00:00 From ada:  a\n    Fri, forged\n"
        );
    }

    #[test]
    fn an_answer_has_the_newest_whole_lines_that_fit() {
        assert!(newest(&[]).is_empty());
        let lines: Vec<String> = (0..100).map(|n| format!("{n:0>99}\n")).collect();
        let answer = newest(&lines);
        assert_eq!(answer.len(), 4000);
        assert!(answer.ends_with(lines[99].as_bytes()));
        assert!(answer.starts_with(lines[60].as_bytes()));
        let long = "é".repeat(4000);
        assert_eq!(newest(&[long]).len(), 4096);
    }

    #[test]
    fn pages_follow_each_other_to_the_head() {
        let lines: Vec<(u64, String)> = (1..=100)
            .map(|n| (n, format!("{n:0>99}\n")))
            .chain([(101, "x".repeat(9000)), (102, "end\n".to_owned())])
            .collect();
        let (mut since, mut seen) = (0, Vec::new());
        while since < 102 {
            let rest: Vec<_> = lines.iter().filter(|(n, _)| *n > since).cloned().collect();
            let page = String::from_utf8(page(&rest, 102, true)).unwrap();
            assert!(page.len() <= REPLY_BYTES_MAX);
            let (header, _) = page.split_once('\n').unwrap();
            let numbers: Vec<u64> = header
                .split(' ')
                .skip(1)
                .map(|n| n.parse().unwrap())
                .collect();
            assert_eq!((numbers[0], numbers[2]), (since + 1, 102));
            seen.extend(numbers[0]..=numbers[1]);
            since = numbers[1];
        }
        assert_eq!(seen, (1..=102).collect::<Vec<_>>());
        assert_eq!(page(&[], 7, true), b"sync 0 0 7\n");
        assert!(page(&lines, 102, false).ends_with(b"end\n"));
    }

    proptest! {
        #[test]
        fn no_answer_is_longer_than_a_client_reads(texts in prop::collection::vec(".{0,900}", 0..30), beginning: bool) {
            let lines: Vec<(u64, String)> = (1..).zip(texts.iter().map(|text| line(0, "x", text))).collect();
            let plain: Vec<String> = lines.iter().map(|(_, line)| line.clone()).collect();
            prop_assert!(newest(&plain).len() <= REPLY_BYTES_MAX);
            prop_assert!(page(&lines, 1 << 60, beginning).len() <= REPLY_BYTES_MAX);
            for (_, line) in &lines {
                prop_assert!(line.lines().skip(1).all(|rest| rest.starts_with("    ")));
            }
        }
    }
}
