//! The journal line by line.
//!
//! `?`, `h` and `help` show the menu, `q` and `quit` leave, `r` and `sync` show what is new, `from ORIGIN` filters; anything
//! else is an entry. A blank before it makes any line an entry, and a backslash at its end goes on with the next line.

use std::io::IsTerminal;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use wharf_types::api::diary::DiaryQuery;
use wharf_types::api::log::{Draft, Entry, Text};
use wharf_types::api::room::Room;

use super::query::{is_origin, last, past};
use crate::context::Context;
use crate::conversation::{Conversations, Delivery};
use crate::directory::Where;
use crate::entry::{Names, Printer};
use crate::exit::{Exit, Report};
use crate::format;
use crate::output::Paint;

/// Entries that are shown at first.
const ENTRIES_AT_FIRST: u32 = 10;

const MENU: &str = "\
?, h, help    this menu
q, quit       leave
r, sync       show what is new
from ORIGIN   only what came from there: a device's name, a door or an address
from          everything again
anything else is an entry; a blank before it makes any line one, and \\ at its end goes on with the next line";

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Menu,
    Quit,
    Sync,
    /// The filter; none takes it away.
    From(Option<&'a str>),
    Entry(&'a str),
    Nothing,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        if line.starts_with([' ', '\t']) {
            let text = line.trim();
            return if text.is_empty() {
                Self::Nothing
            } else {
                Self::Entry(text)
            };
        }
        match line.trim_end() {
            "" => Self::Nothing,
            "?" | "h" | "help" => Self::Menu,
            "q" | "quit" => Self::Quit,
            "r" | "sync" => Self::Sync,
            "from" => Self::From(None),
            text => match text.strip_prefix("from ") {
                Some(origin) => Self::From(Some(origin.trim())),
                None => Self::Entry(text),
            },
        }
    }
}

/// A journal that is open.
struct Journal<'a> {
    context: &'a Context,
    conversations: Conversations,
    room: Room,
    printer: Printer<'a>,
    /// What is shown: an origin, or everything.
    from: Option<String>,
    /// Everything up to here was shown.
    shown: u64,
}

/// Reads lines until the end.
pub(super) async fn run(context: &Context) -> anyhow::Result<Exit> {
    let mut conversations = Conversations::open(context).await?;
    let room = conversations.find(&Where::Me).await?;
    let names = own_name(&conversations).await?;
    let mut journal = Journal {
        context,
        printer: Printer::new(&context.output, room.kind, names),
        room,
        conversations,
        from: None,
        shown: 0,
    };
    context
        .output
        .note("Your journal: each line is an entry. ? shows what else there is, q leaves.");
    let begun = journal.last_ones().await;
    if !matches!(&begun, Ok((entries, _)) if entries.is_empty()) {
        journal.tell_of(begun);
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let is_terminal = std::io::stdin().is_terminal();
    loop {
        context.output.flush()?;
        if is_terminal {
            journal.prompt()?;
        }
        let Some(line) = whole_line(&mut lines).await? else {
            break;
        };
        match Line::read(&line) {
            Line::Quit => break,
            Line::Menu => context.output.line(MENU)?,
            Line::Nothing => {}
            Line::Sync => journal.tell_of(journal.news().await),
            Line::From(origin) => {
                let result = journal.filter(origin).await;
                journal.complain(result);
            }
            Line::Entry(text) => {
                let result = journal.write(text).await;
                journal.complain(result);
            }
        }
    }
    context.output.flush()?;
    Ok(Exit::Done)
}

/// A line, and those after it while it ends in a backslash.
async fn whole_line(lines: &mut Lines<BufReader<Stdin>>) -> anyhow::Result<Option<String>> {
    let Some(mut whole) = lines.next_line().await? else {
        return Ok(None);
    };
    while let Some(begun) = whole.strip_suffix('\\') {
        let begun = begun.to_owned();
        match lines.next_line().await? {
            Some(next) => whole = format!("{begun}\n{next}"),
            None => return Ok(Some(begun)),
        }
    }
    Ok(Some(whole))
}

async fn own_name(conversations: &Conversations) -> anyhow::Result<Names> {
    let mut names = Names::default();
    if let Some(me) = conversations.chat.me()? {
        names.add(me.account, &conversations.session.username().await?);
    }
    Ok(names)
}

impl Journal<'_> {
    /// What a journal's own faults are: said, and no reason to leave.
    fn complain(&self, result: anyhow::Result<()>) {
        if let Err(error) = result {
            Report::of(&error).write(&self.context.output);
        }
    }

    fn prompt(&self) -> anyhow::Result<()> {
        let words = match &self.from {
            Some(origin) => format!("{} > ", self.context.output.name(origin)),
            None => "> ".to_owned(),
        };
        let words = self.context.output.paint_err(Paint::Cyan, words);
        std::io::Write::write_all(&mut std::io::stderr().lock(), words.as_bytes())?;
        Ok(())
    }

    fn query(&self) -> DiaryQuery {
        DiaryQuery {
            zone: Some(format::zone()),
            origin: self.from.clone(),
            ..DiaryQuery::default()
        }
    }

    async fn last_ones(&self) -> anyhow::Result<(Vec<Entry>, u64)> {
        let session = &self.conversations.session;
        let entries = last(session, self.query(), ENTRIES_AT_FIRST).await?;
        let head = entries.last().map_or(0, |entry| entry.position);
        Ok((entries, head))
    }

    async fn news(&self) -> anyhow::Result<(Vec<Entry>, u64)> {
        past(
            &self.conversations.session,
            super::JOURNAL,
            self.query(),
            self.shown,
        )
        .await
    }

    /// Shows entries, or says why there are none.
    fn tell_of(&mut self, found: anyhow::Result<(Vec<Entry>, u64)>) {
        let result = found.and_then(|(entries, head)| {
            if entries.is_empty() {
                self.context.output.note("Nothing new.");
            }
            self.shown = self.shown.max(head);
            entries
                .iter()
                .try_for_each(|entry| self.printer.write(self.room.id, entry))
        });
        self.complain(result);
    }

    async fn filter(&mut self, origin: Option<&str>) -> anyhow::Result<()> {
        let output = &self.context.output;
        if let Some(name) = origin {
            let api = &self.conversations.session.api;
            let origins = api.diary_origins(super::JOURNAL).await?.items;
            if !is_origin(&origins, name) {
                let known: Vec<_> = origins
                    .iter()
                    .map(|origin| origin.device.as_ref().unwrap_or(&origin.door).as_str())
                    .collect();
                output.note(format_args!(
                    "No entry came from {}. There are entries from: {}. To write the line as an entry, put a blank before it.",
                    output.name(name),
                    output.name(&known.join(", ")),
                ));
                return Ok(());
            }
        }
        self.from = origin.map(str::to_owned);
        let found = self.last_ones().await;
        self.tell_of(found);
        Ok(())
    }

    async fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let draft = Draft::Text(Text {
            text: text.to_owned(),
            ..Text::default()
        });
        match self.conversations.send(self.room.id, &draft).await? {
            Delivery::Sent(position) => {
                // Only what follows the last one that was shown: what another device wrote before it is still new.
                if position == self.shown + 1 {
                    self.shown = position;
                }
                self.context
                    .output
                    .note(format_args!("Written as {position}."));
            }
            Delivery::Waits => self
                .context
                .output
                .note("The server cannot be reached; it is kept here and sent when it can be."),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn words_of_the_menu_are_commands_and_anything_else_is_an_entry() {
        for (line, meant) in [
            ("?", Line::Menu),
            ("h", Line::Menu),
            ("help", Line::Menu),
            ("q", Line::Quit),
            ("quit", Line::Quit),
            ("r", Line::Sync),
            ("sync ", Line::Sync),
            ("from", Line::From(None)),
            ("from my desk", Line::From(Some("my desk"))),
            ("", Line::Nothing),
            ("  ", Line::Nothing),
            ("fromage", Line::Entry("fromage")),
            ("help me", Line::Entry("help me")),
            ("Rain.", Line::Entry("Rain.")),
            (" q", Line::Entry("q")),
            (" from the garden", Line::Entry("from the garden")),
        ] {
            assert_eq!(Line::read(line), meant, "{line:?}");
        }
    }
}
