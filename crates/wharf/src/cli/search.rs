//! `wharf search`: finds what was said, and files by name.

use jiff::civil::Date;
use wharf_types::api::search::{Found, Hit, HitKind, SearchQuery};

use crate::context::Context;
use crate::directory::{Directory, Where};
use crate::entry::Names;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Output, Paint};
use crate::session::Session;

/// Most hits that one answer brings.
const PAGE_HITS_MAX: u32 = 100;

/// Search what was said and the names of files, in all rooms that you are in
///
/// All words are wanted, in any order; "words in quotes" in this order; `begin*` is the beginning of a word; -word is not
/// wanted. Letter case and accents do not matter, and in scripts without spaces every part of a text is found. The newest
/// come first. The words from:, in:, has:, before:, after:, on: and #tag can also be written in the query itself, as in chat.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  wharf search ferry tickets\n  \
                        wharf search 'from:grace has:image after:2026-01-01 harbour'\n  \
                        wharf search --in Team --from me --has file plan")]
pub(crate) struct Args {
    /// What to look for
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Only in this room
    #[arg(long = "in", value_name = "WHERE")]
    room: Option<Where>,
    /// Only by this person, or `me`
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Only what has this; may be given several times
    #[arg(long, value_name = "WHAT")]
    has: Vec<Has>,
    /// Only what has this tag, without its #; may be given several times
    #[arg(long, short, value_name = "TAG")]
    tag: Vec<String>,
    /// Only before this day
    #[arg(long, value_name = "DAY", conflicts_with = "on")]
    before: Option<Date>,
    /// Only after this day
    #[arg(long, value_name = "DAY", conflicts_with = "on")]
    after: Option<Date>,
    /// Only on this day, such as 2026-11-21
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// Most hits
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// What a message can have.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Has {
    /// A file of any kind
    File,
    /// A picture
    Image,
    /// A film
    Film,
    /// A sound
    Sound,
    /// A link
    Link,
    /// A tag
    Tag,
}

impl Has {
    const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Image => "image",
            Self::Film => "film",
            Self::Sound => "sound",
            Self::Link => "link",
            Self::Tag => "tag",
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let text = self.query();
        if text.is_empty() {
            return Err(Failure::usage("Nothing to search for")
                .hint("For example: wharf search ferry tickets")
                .into());
        }
        let session = Session::open(context).await?;
        let directory = session.directory().await?;
        let room = self
            .room
            .as_ref()
            .map(|meant| directory.find(meant).map(|room| room.id))
            .transpose()?;
        let mut query = SearchQuery {
            q: text,
            room,
            zone: Some(format::zone()),
            after: None,
            limit: None,
        };
        let mut names = Names::new(directory.names());
        let me = session.api.account().await?;
        names.add(me.id, &me.nickname);
        let mut left = self.limit;
        let mut count = 0_u32;
        while left > 0 {
            query.limit = Some(left.min(PAGE_HITS_MAX));
            let Found { items, next } = session.api.search(&query).await?;
            for hit in &items {
                names = with_author(&session, hit, names).await?;
                show(hit, directory, &names, &context.output)?;
            }
            let shown = u32::try_from(items.len()).unwrap_or(left);
            left = left.saturating_sub(shown);
            count = count.saturating_add(shown);
            query.after = next;
            if query.after.is_none() {
                break;
            }
        }
        if count == 0 {
            context.output.note("Nothing was found.");
        } else if query.after.is_some() {
            context.output.note(format_args!(
                "There is more: add -n {}.",
                count.saturating_mul(2)
            ));
        }
        Ok(Exit::Done)
    }

    /// The words and the flags in the language of the server's queries.
    fn query(&self) -> String {
        let mut parts: Vec<String> = self
            .words
            .iter()
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        if let Some(from) = &self.from {
            let who = from.strip_prefix('@').unwrap_or(from);
            parts.push(format!("from:{}", quoted(who)));
        }
        parts.extend(self.has.iter().map(|has| format!("has:{}", has.word())));
        parts.extend(self.tag.iter().map(|tag| {
            let tag = tag.strip_prefix('#').unwrap_or(tag);
            format!("#{tag}")
        }));
        let days = [
            ("before", self.before),
            ("after", self.after),
            ("on", self.on),
        ];
        let days = days
            .into_iter()
            .filter_map(|(word, day)| Some((word, day?)));
        parts.extend(days.map(|(word, day)| format!("{word}:{day}")));
        parts.join(" ")
    }
}

/// The names, and those of the room that a hit is in if nobody knows who wrote it.
async fn with_author(session: &Session, hit: &Hit, names: Names) -> anyhow::Result<Names> {
    match &hit.what {
        HitKind::Entry(entry) if entry.account.is_some_and(|author| !names.knows(author)) => {
            session.names_of_members(hit.room, names).await
        }
        _ => Ok(names),
    }
}

/// A value with spaces stands in quotes; there is no way to write a quote in one.
fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) {
        format!("\"{}\"", value.replace('"', " "))
    } else {
        value.to_owned()
    }
}

fn show(hit: &Hit, directory: &Directory, names: &Names, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.object(hit);
    }
    let room = directory.room_of(hit.room);
    let written = room.map_or_else(|| hit.room.to_string(), |room| directory.written(room));
    let snippet = marked(hit, output);
    match &hit.what {
        HitKind::Entry(entry) => {
            let place = output
                .name(&format!("{written} {}", entry.position))
                .into_owned();
            let author = names.author(entry);
            output.line(format_args!(
                "{}  {}  {}: {snippet}",
                format::time_ms(entry.at_ms),
                output.paint(Paint::Dim, place),
                output.paint(Paint::Bold, output.name(&author)),
            ))
        }
        HitKind::Node(node) => {
            let prefix = written
                .parse::<Where>()
                .map_or(written, |room| room.as_prefix());
            let path = format!("{prefix}/{}", node.path);
            output.line(format_args!(
                "{}  {}  {snippet}",
                format::time_ms(node.changed_ms),
                output.paint(Paint::Cyan, output.name(&path)),
            ))
        }
    }
}

/// The snippet on one line, with what matched in bold.
fn marked(hit: &Hit, output: &Output) -> String {
    let mut text = String::new();
    let mut at = 0;
    let piece = |from: usize, to: usize| {
        let piece = hit.snippet.get(from..to).unwrap_or_default();
        let line = piece.replace(['\n', '\r', '\t'], " ");
        output.name(&line).into_owned()
    };
    for (begin, end) in &hit.matches {
        let begin = usize::try_from(*begin).unwrap_or(usize::MAX);
        let end = usize::try_from(*end).unwrap_or(usize::MAX);
        if begin < at || end < begin || end > hit.snippet.len() {
            continue;
        }
        text.push_str(&piece(at, begin));
        text.push_str(&output.paint(Paint::Yellow, piece(begin, end)));
        at = end;
    }
    text.push_str(&piece(at, hit.snippet.len()));
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Args;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn flags_become_words_of_the_query() {
        let line = Line::parse_from([
            "search",
            "ferry",
            "--from",
            "@grace",
            "--has",
            "image",
            "--tag",
            "#sea",
            "--before",
            "2026-11-21",
            "tickets",
        ]);
        assert_eq!(
            line.args.query(),
            "ferry tickets from:grace has:image #sea before:2026-11-21"
        );
        let line = Line::parse_from(["search", "--from", "Amazing Grace"]);
        assert_eq!(line.args.query(), "from:\"Amazing Grace\"");
        assert!(Line::try_parse_from(["search", "--on", "yesterday"]).is_err());
    }
}
