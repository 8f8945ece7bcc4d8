//! Reading a journal: by day, by tag, by origin, and as a document.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;
use wharf_client::Room;
use wharf_types::RoomId;
use wharf_types::api::diary::{DaysQuery, DiaryFormat, DiaryOrigin, DiaryPage, DiaryQuery};
use wharf_types::api::log::Entry;
use wharf_types::api::room::RoomKind;

use super::{JOURNAL, Reading, no_day};
use crate::context::Context;
use crate::entry::{Names, Printer};
use crate::exit::Failure;
use crate::format;
use crate::output::{Align, Table};
use crate::session::Session;

/// Entries that are asked for at once.
const PAGE_ENTRIES: u32 = 1_000;
/// Entries that are shown where no number and no day is given.
const LAST_DEFAULT: u32 = 20;

impl Reading {
    fn query(&self) -> anyhow::Result<DiaryQuery> {
        let day_of_year = match self.on_this_day.as_deref() {
            None => None,
            Some("today") => Some(format::today().strftime("%m-%d").to_string()),
            Some(text) => Some(day_of_year(text)?),
        };
        let text = |day: Option<Date>| day.map(|day| day.to_string());
        Ok(DiaryQuery {
            from: text(self.day.or(self.since)),
            to: text(self.day.or(self.until)),
            day_of_year,
            zone: Some(format::zone()),
            tag: self.tag.as_deref().map(plain_tag),
            origin: self.from.clone(),
            key: self.key.clone(),
            after: None,
            limit: None,
            newest_first: false,
        })
    }

    /// How many entries to show: all of a span of days, the last ones of what has no beginning.
    fn limit(&self) -> u32 {
        let is_bounded = self.day.is_some() || self.since.is_some() || self.on_this_day.is_some();
        match self.last {
            Some(last) => last,
            None if is_bounded => u32::MAX,
            None => LAST_DEFAULT,
        }
    }
}

/// A tag without its `#`, in lower case.
pub(super) fn plain_tag(tag: &str) -> String {
    tag.strip_prefix('#').unwrap_or(tag).to_lowercase()
}

fn day_of_year(text: &str) -> Result<String, Failure> {
    // The year of the check has a 29 February.
    format!("2024-{text}")
        .parse::<Date>()
        .map(|day| day.strftime("%m-%d").to_string())
        .map_err(|_| no_day(text))
}

/// Shows the entries that are meant.
pub(super) async fn read(context: &Context, reading: &Reading) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let entries = last(&session, reading.query()?, reading.limit()).await?;
    if entries.is_empty() {
        context.output.note("There is no such entry.");
    }
    let account = session.api.account().await?;
    let mut names = Names::default();
    names.add(account.id, &account.nickname);
    show(context, account.home, names, &entries)
}

fn show(context: &Context, room: RoomId, names: Names, entries: &[Entry]) -> anyhow::Result<()> {
    let mut printer = Printer::new(&context.output, RoomKind::Personal, names);
    entries
        .iter()
        .try_for_each(|entry| printer.write(room, entry))
}

/// The last entries of a query, in order.
pub(super) async fn last(
    session: &Session,
    mut query: DiaryQuery,
    limit: u32,
) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    query.newest_first = true;
    let mut left = limit;
    while left > 0 {
        query.limit = Some(left.min(PAGE_ENTRIES));
        let DiaryPage { items, next, .. } = session.api.diary(JOURNAL, &query).await?;
        left = left.saturating_sub(u32::try_from(items.len()).unwrap_or(left));
        entries.extend(items);
        query.after = next;
        if query.after.is_none() {
            break;
        }
    }
    entries.reverse();
    Ok(entries)
}

/// Everything of a query past a position, in order.
pub(super) async fn past(
    session: &Session,
    room: Room,
    mut query: DiaryQuery,
    position: u64,
) -> anyhow::Result<(Vec<Entry>, u64)> {
    let mut entries = Vec::new();
    query.newest_first = false;
    query.after = Some(position);
    query.limit = Some(PAGE_ENTRIES);
    loop {
        let page = session.api.diary(room, &query).await?;
        entries.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return Ok((entries, page.head));
        }
    }
}

/// Lists the days that have entries.
pub(super) async fn days(context: &Context, reading: &Reading) -> anyhow::Result<()> {
    let today = format::today();
    let first = reading.since.unwrap_or_else(|| today.first_of_year());
    let last = reading.until.unwrap_or(today);
    if last < first {
        return Err(Failure::usage(format!("{last} is before {first}")).into());
    }
    let session = Session::open(context).await?;
    let query = DaysQuery {
        from: first.to_string(),
        to: last.to_string(),
        zone: Some(format::zone()),
    };
    let days = session.api.diary_days(JOURNAL, &query).await?.items;
    let output = &context.output;
    if output.is_json() {
        return days.iter().try_for_each(|day| output.object(day));
    }
    if days.is_empty() {
        output.note(format_args!("There is no entry from {first} to {last}."));
        return Ok(());
    }
    let mut table = Table::new(&[("DAY", Align::Left), ("ENTRIES", Align::Right)]);
    for day in days {
        table.row([day.day, day.count.to_string()]);
    }
    table.write(output)
}

/// Lists the tags.
pub(super) async fn tags(context: &Context) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let tags = session.api.diary_tags(JOURNAL).await?.items;
    let output = &context.output;
    if output.is_json() {
        return tags.iter().try_for_each(|tag| output.object(tag));
    }
    if tags.is_empty() {
        output.note("There are no tags. A word after a # in an entry is one.");
        return Ok(());
    }
    let mut table = Table::new(&[("ENTRIES", Align::Right), ("TAG", Align::Left)]);
    for tag in tags {
        table.row([
            tag.count.to_string(),
            output.name(&format!("#{}", tag.tag)).into_owned(),
        ]);
    }
    table.write(output)
}

/// Lists where entries came from.
pub(super) async fn origins(context: &Context) -> anyhow::Result<()> {
    let session = Session::open(context).await?;
    let origins = session.api.diary_origins(JOURNAL).await?.items;
    let output = &context.output;
    if output.is_json() {
        return origins.iter().try_for_each(|origin| output.object(origin));
    }
    if origins.is_empty() {
        output.note("There are no entries.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ENTRIES", Align::Right),
        ("DOOR", Align::Left),
        ("ADDRESS", Align::Left),
        ("DEVICE", Align::Left),
    ]);
    for origin in &origins {
        let text = |text: Option<&String>| text.map_or("-", String::as_str).to_owned();
        table.row([
            origin.count.to_string(),
            output.name(&origin.door).into_owned(),
            output.name(&text(origin.address.as_ref())).into_owned(),
            output.name(&text(origin.device.as_ref())).into_owned(),
        ]);
    }
    table.write(output)
}

/// Whether entries can be asked for by this name.
pub(super) fn is_origin(origins: &[DiaryOrigin], name: &str) -> bool {
    origins.iter().any(|origin| {
        origin.door == name
            || origin.device.as_deref() == Some(name)
            || origin.address.as_deref() == Some(name)
    })
}

/// Writes a journal out.
pub(super) async fn export(
    context: &Context,
    reading: &Reading,
    format: DiaryFormat,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    if reading.last.is_some() {
        return Err(Failure::usage("--last is for reading")
            .hint("Say which days with --since and --until.")
            .into());
    }
    let session = Session::open(context).await?;
    let mut query = reading.query()?;
    let mut file = out
        .map(|path| {
            std::fs::File::create(path)
                .with_context(|| format!("Could not write {}", path.display()))
        })
        .transpose()?;
    loop {
        let part = session.api.diary_text(JOURNAL, &query, format).await?;
        match &mut file {
            Some(file) => file.write_all(part.text.as_bytes())?,
            None => context.output.bytes(part.text.as_bytes())?,
        }
        query.after = part.next;
        if query.after.is_none() {
            break;
        }
    }
    if let (Some(file), Some(path)) = (file, out) {
        file.sync_all()?;
        context
            .output
            .note(format_args!("Wrote the journal to {}.", path.display()));
    }
    Ok(())
}
