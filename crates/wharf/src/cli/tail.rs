//! `wharf tail`: the end of a room's log.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;
use wharf_client::ApiError;
use wharf_client::api::Range;
use wharf_client::chat::{Connection, Event, Waiting, WaitingState, Window};
use wharf_types::api::log::{Body, Entry, LogPage};
use wharf_types::api::room::Room;

use super::outbox;
use crate::context::Context;
use crate::conversation::{Conversations, named};
use crate::directory::Where;
use crate::entry::{Printer, is_told_already};
use crate::exit::{Exit, Failure};
use crate::session::About;

/// Entries that are asked for at once.
const PAGE_ENTRIES: u32 = 1_000;
/// How often a log that is followed is looked at even if nothing was told.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Show the end of a room's log
///
/// Each entry stands with its position, which replies, edits and reactions refer to. Edits, reactions and pins are shown with
/// the entry that they are about; with --events, and with --follow from then on, as what they are: entries of the log.
/// When the server cannot be reached, what this device has is shown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf tail Team\n  wharf tail Team --follow\n  wharf tail Team --unread --read\n  \
                        wharf tail --json -n 0 --follow Team | jq -r .body.text"
)]
pub(crate) struct Args {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    /// Most entries
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    count: usize,
    /// Go on with what is said, until it is stopped
    #[arg(long, short)]
    follow: bool,
    /// Only what is unread, all of it
    #[arg(long, conflicts_with_all = ["count", "before", "after"])]
    unread: bool,
    /// Only before this position
    #[arg(long, value_name = "POSITION", conflicts_with_all = ["after", "follow"])]
    before: Option<u64>,
    /// Only past this position, the first ones
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Edits, reactions and pins as entries of their own
    #[arg(long)]
    events: bool,
    /// Mark what is shown as read
    #[arg(long)]
    read: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut conversations = Conversations::open(context).await?;
        let room = conversations.find(&self.room).await?;
        let names = conversations.names(room.id).await?;
        let mut printer = Printer::new(&context.output, room.kind, names);
        let (entries, head) = match self.collect(&conversations, &room).await {
            Ok(found) => found,
            Err(error) if is_unreachable(&error) && !self.follow => {
                self.stored(context, &conversations, &room)?
            }
            Err(error) => return Err(error),
        };
        for entry in &entries {
            let is_for_people = !self.events && !context.output.is_json();
            if !is_for_people || !is_told_already(room.kind, entry) {
                printer.write(room.id, entry)?;
            }
        }
        let shown = entries.last().map(|entry| entry.position);
        if self.before.is_none() && self.after.is_none() {
            for item in written_here(&conversations, &room, shown.unwrap_or(0))? {
                printer.write_own(&outbox::what(&item), sent_at(&item))?;
            }
        }
        context.output.flush()?;
        if let Some(position) = shown.filter(|_| self.read) {
            mark_read(&conversations, &room, position).await?;
        }
        if self.follow {
            self.follow(&mut conversations, &room, &mut printer, head, context)
                .await?;
        }
        Ok(Exit::Done)
    }

    /// The entries that were asked for, and the position up to which the log was read.
    async fn collect(
        &self,
        conversations: &Conversations,
        room: &Room,
    ) -> anyhow::Result<(Vec<Entry>, u64)> {
        let api = &conversations.session.api;
        let after = if self.unread {
            // The server knows best how far other devices have read.
            Some(api.room(named(room)).await.about(&self.room)?.read)
        } else {
            self.after
        };
        let limit = if self.unread { usize::MAX } else { self.count };
        if let Some(mut position) = after {
            let mut entries = Vec::new();
            loop {
                let page = self
                    .page(conversations, room, Range::After(position))
                    .await?;
                let Some(last) = page.items.last().map(|entry| entry.position) else {
                    return Ok((entries, page.head.max(position)));
                };
                position = last;
                entries.extend(page.items.into_iter().filter(|entry| self.is_shown(entry)));
                if entries.len() >= limit {
                    entries.truncate(limit);
                    return Ok((entries, position));
                }
            }
        }
        let mut entries = VecDeque::new();
        let mut range = self.before.map_or(Range::Last, Range::Before);
        let mut head = None;
        loop {
            let page = self.page(conversations, room, range).await?;
            let head = *head.get_or_insert(page.head);
            let first = page.items.first().map(|entry| entry.position);
            for entry in page
                .items
                .into_iter()
                .rev()
                .filter(|entry| self.is_shown(entry))
            {
                if entries.len() < limit {
                    entries.push_front(entry);
                }
            }
            match first {
                Some(first) if entries.len() < limit && first > page.floor + 1 => {
                    range = Range::Before(first);
                }
                _ => return Ok((entries.into(), head)),
            }
        }
    }

    async fn page(
        &self,
        conversations: &Conversations,
        room: &Room,
        range: Range,
    ) -> anyhow::Result<LogPage> {
        // Some of a page may not be shown, so more is asked for than is wanted.
        let wanted = u32::try_from(self.count.saturating_mul(2)).unwrap_or(u32::MAX);
        let limit = if self.unread {
            PAGE_ENTRIES
        } else {
            wanted.clamp(1, PAGE_ENTRIES)
        };
        let api = &conversations.session.api;
        Ok(api.log(named(room), range, Some(limit)).await?)
    }

    /// What this device has, when the server cannot be reached.
    fn stored(
        &self,
        context: &Context,
        conversations: &Conversations,
        room: &Room,
    ) -> anyhow::Result<(Vec<Entry>, u64)> {
        let (window, limit) = match (self.unread, self.after, self.before) {
            (true, ..) => (Window::After(room.read), usize::MAX >> 1),
            (false, Some(after), _) => (Window::After(after), self.count),
            (false, None, Some(before)) => (Window::Before(before), self.count),
            (false, None, None) => (Window::Last, self.count),
        };
        context
            .output
            .warn("the server cannot be reached; this is what this device has");
        let timeline = conversations.chat.timeline(room.id, window, limit)?;
        let entries: Vec<Entry> = timeline.items.into_iter().map(|item| item.entry).collect();
        let head = entries.last().map_or(room.head, |entry| entry.position);
        Ok((entries, head))
    }

    fn is_shown(&self, entry: &Entry) -> bool {
        self.events || is_part_of_timeline(entry)
    }

    /// Writes what comes, each entry once and in order: being told is a hint to look, and what is looked for is what
    /// follows the last entry that was written.
    async fn follow(
        &self,
        conversations: &mut Conversations,
        room: &Room,
        printer: &mut Printer<'_>,
        mut head: u64,
        context: &Context,
    ) -> anyhow::Result<()> {
        let mut was_away = false;
        loop {
            match self.page(conversations, room, Range::After(head)).await {
                Ok(page) => {
                    if was_away {
                        context.output.note("The server is there again.");
                        was_away = false;
                    }
                    if let Some(last) = page.items.last() {
                        head = last.position;
                        self.show(conversations, room, printer, &page.items).await?;
                        context.output.flush()?;
                        continue;
                    }
                }
                Err(error) if is_unreachable(&error) => {
                    if !was_away {
                        context
                            .output
                            .note("The server cannot be reached; waiting for it.");
                        was_away = true;
                    }
                }
                Err(error) => return Err(error),
            }
            wait(conversations, room).await?;
        }
    }

    /// Writes entries that came while the log was followed.
    async fn show(
        &self,
        conversations: &Conversations,
        room: &Room,
        printer: &mut Printer<'_>,
        entries: &[Entry],
    ) -> anyhow::Result<()> {
        for entry in entries {
            learn(conversations, room, printer, entry).await?;
            printer.write(room.id, entry)?;
        }
        let last = entries.last().map(|entry| entry.position);
        match last.filter(|_| self.read) {
            Some(position) => mark_read(conversations, room, position).await,
            None => Ok(()),
        }
    }
}

/// What was written here and is not among the entries up to position `shown`: it is not in the log yet, or it is and its
/// entry did not reach this device before the connection ended.
fn written_here(
    conversations: &Conversations,
    room: &Room,
    shown: u64,
) -> anyhow::Result<Vec<Waiting>> {
    let timeline = conversations.chat.timeline(room.id, Window::Last, 1)?;
    let mut written = timeline.waiting;
    written.retain(|item| sent_at(item).is_none_or(|position| position > shown));
    Ok(written)
}

/// The position of an own item that the server has taken.
fn sent_at(item: &Waiting) -> Option<u64> {
    match item.state {
        WaitingState::Sent { position } => Some(position),
        WaitingState::Waiting | WaitingState::Refused { .. } => None,
    }
}

/// Texts and files, and who came and went; erased ones among them are shown as such.
pub(super) fn is_part_of_timeline(entry: &Entry) -> bool {
    match &entry.body {
        Some(body) => body.target().is_none(),
        // Only texts and files are taken back; an edit of one has no body either, and no state.
        None => entry.state.recalled.is_some(),
    }
}

/// Waits until there may be something new in a room.
async fn wait(conversations: &mut Conversations, room: &Room) -> anyhow::Result<()> {
    let next = async {
        loop {
            match conversations.next().await? {
                Event::Timeline(changed) if changed == room.id => return Ok(()),
                Event::Room(changed) if changed == room.id => return Ok(()),
                Event::RoomGone(gone) if gone == room.id => {
                    return Err(anyhow::Error::from(
                        Failure::new(Exit::NotFound, "You are not in this room any more")
                            .hint("See your rooms with `wharf room`."),
                    ));
                }
                Event::Reload | Event::Connection(Connection::Live) => return Ok(()),
                Event::Connection(Connection::LoggedOut { detail }) => {
                    return Err(Failure::new(Exit::NotLoggedIn, detail)
                        .hint("Log in again with `wharf login`.")
                        .into());
                }
                _ => {}
            }
        }
    };
    match timeout(LOOK_AGAIN, next).await {
        Ok(result) => result,
        Err(_) => Ok(()),
    }
}

/// Asks for the names of a room again when somebody comes in whom nobody has heard of.
async fn learn(
    conversations: &Conversations,
    room: &Room,
    printer: &mut Printer<'_>,
    entry: &Entry,
) -> anyhow::Result<()> {
    let of_body = match &entry.body {
        Some(Body::Member(member)) => Some(member.account),
        _ => None,
    };
    let unknown = [entry.account, of_body]
        .into_iter()
        .flatten()
        .any(|account| !printer.names().knows(account));
    if unknown {
        *printer.names() = conversations.names(room.id).await?;
    }
    Ok(())
}

async fn mark_read(
    conversations: &Conversations,
    room: &Room,
    position: u64,
) -> anyhow::Result<()> {
    let api = &conversations.session.api;
    match api.mark_read(named(room), position).await {
        Ok(()) => {}
        // It is told when the server can be reached.
        Err(ApiError::Unreachable { .. }) => conversations.chat.mark_read(room.id, position)?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

pub(super) fn is_unreachable(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| matches!(cause.downcast_ref(), Some(ApiError::Unreachable { .. })))
}
