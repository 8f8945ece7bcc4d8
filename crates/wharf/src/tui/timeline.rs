//! The conversation as rows: days, who spoke, what was said, and how it stands.

mod parts;

use wharf_client::chat::{TimelineItem, Waiting, WaitingKind, WaitingState};
use wharf_types::AccountId;
use wharf_types::api::log::{Body, Draft, Entry};
use wharf_types::api::room::RoomKind;

pub(crate) use self::parts::bar;
use self::parts::indented;
use super::model::{Conversation, Model, Scroll, Spot, mentions, text_of};
use super::text::{Piece, Row, wrap};

/// What one person says within this time stands under one name.
const TOGETHER_MS: i64 = 5 * 60_000;
/// Columns before what is said.
const INDENT: u16 = 2;
/// Most rows that one entry takes; the rest is read on a page of its own.
const ROWS_MAX: usize = 200;

/// A conversation, ready to be laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    model: &'a Model,
    open: &'a Conversation,
    columns: u16,
    /// The first entry that was new when the room was opened.
    divider: Option<u64>,
}

/// The part of a conversation that is on the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) rows: Vec<(Spot, Row)>,
    /// Which row of its item the first one is.
    pub(crate) skipped: usize,
    /// Whether the last row of the last item is among them.
    pub(crate) is_end: bool,
    /// Items below the screen.
    pub(crate) below: usize,
}

#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Entry(&'a TimelineItem),
    Waiting(&'a Waiting),
}

impl<'a> Scene<'a> {
    /// The open room over this many columns.
    pub(crate) fn new(model: &'a Model, open: &'a Conversation, columns: u16) -> Self {
        Self {
            model,
            open,
            columns: columns.max(20),
            divider: open.first_new(model.me),
        }
    }

    /// How many items there are.
    pub(crate) fn count(&self) -> usize {
        self.open.items.len() + self.open.waiting.len()
    }

    /// What an item is called.
    pub(crate) fn spot(&self, index: usize) -> Option<Spot> {
        Some(match self.item(index)? {
            Item::Entry(item) => Spot::Entry(item.entry.position),
            Item::Waiting(waiting) => Spot::Waiting(waiting.id),
        })
    }

    /// Where an item is. An entry that is not there is looked for where it would be.
    pub(crate) fn index_of(&self, spot: Spot) -> Option<usize> {
        match spot {
            Spot::Entry(position) => {
                let index = self
                    .open
                    .items
                    .partition_point(|item| item.entry.position < position);
                (index < self.count()).then_some(index)
            }
            Spot::Waiting(id) => self
                .open
                .waiting
                .iter()
                .position(|waiting| waiting.id == id)
                .map(|index| index + self.open.items.len()),
        }
    }

    /// The first new entry's item.
    pub(crate) fn first_new(&self) -> Option<Spot> {
        self.divider.map(Spot::Entry)
    }

    /// What is seen over `height` rows.
    pub(crate) fn seen(&self, height: usize) -> Seen {
        match self.open.scroll {
            Scroll::End => self.seen_at_end(height),
            Scroll::Top(spot, skip) => match self.index_of(spot) {
                None => self.seen_at_end(height),
                Some(index) => {
                    let seen = self.seen_from(index, skip, height);
                    if seen.rows.len() < height {
                        self.seen_at_end(height)
                    } else {
                        seen
                    }
                }
            },
        }
    }

    /// Where the screen begins after scrolling by `rows`, up where that is negative.
    pub(crate) fn scrolled(&self, height: usize, rows: isize) -> Scroll {
        let seen = self.seen(height);
        let Some((spot, _)) = seen.rows.first() else {
            return Scroll::End;
        };
        let Some(mut index) = self.index_of(*spot) else {
            return Scroll::End;
        };
        let mut skip = seen.skipped;
        if rows < 0 {
            (index, skip) = self.back(index, skip, rows.unsigned_abs());
        } else {
            if seen.is_end {
                return Scroll::End;
            }
            skip += rows.unsigned_abs();
            loop {
                let rows = self.block(index).len();
                if skip < rows || index + 1 >= self.count() {
                    break;
                }
                skip -= rows;
                index += 1;
            }
        }
        let Some(spot) = self.spot(index) else {
            return Scroll::End;
        };
        if self.seen_from(index, skip, height + 1).rows.len() <= height && rows > 0 {
            return Scroll::End;
        }
        Scroll::Top(spot, skip)
    }

    /// The place that is so many rows before a row of an item, or the beginning.
    fn back(&self, mut index: usize, mut skip: usize, rows: usize) -> (usize, usize) {
        let mut left = rows;
        while left > skip {
            let Some(before) = index.checked_sub(1) else {
                return (0, 0);
            };
            left -= skip;
            index = before;
            skip = self.block(index).len();
        }
        (index, skip - left)
    }

    /// The last item on the screen, and the screen's row on which it begins: what stays where it is when something comes
    /// before it. None where one item fills the screen.
    pub(crate) fn anchor(&self, height: usize) -> Option<(Spot, usize)> {
        let seen = self.seen(height);
        let (last, _) = seen.rows.last()?;
        let row = seen.rows.iter().position(|(spot, _)| spot == last)?;
        (row > 0).then_some((*last, row))
    }

    /// The scroll that puts the beginning of an item on this row of the screen.
    pub(crate) fn anchored(&self, (spot, row): (Spot, usize)) -> Scroll {
        let Some(index) = self.index_of(spot) else {
            return Scroll::End;
        };
        let (top, skip) = self.back(index, 0, row);
        self.spot(top)
            .map_or(Scroll::End, |spot| Scroll::Top(spot, skip))
    }

    /// The scroll that brings an item onto the screen; the present one where it is there.
    pub(crate) fn showing(&self, height: usize, spot: Spot) -> Scroll {
        let seen = self.seen(height);
        let rows = seen.rows.iter().filter(|(at, _)| *at == spot).count();
        let index = self.index_of(spot).unwrap_or(0);
        let needed = self.block(index).len().min(height);
        if rows >= needed {
            return self.open.scroll;
        }
        let is_above = seen
            .rows
            .first()
            .and_then(|(first, _)| self.index_of(*first))
            .is_some_and(|first| index <= first);
        if is_above {
            return Scroll::Top(spot, 0);
        }
        // Below: it becomes the last one on the screen.
        let mut rows = self.block(index).len();
        let mut top = index;
        while rows < height && top > 0 {
            top -= 1;
            rows += self.block(top).len();
        }
        match self.spot(top) {
            Some(first) if index + 1 < self.count() => {
                Scroll::Top(first, rows.saturating_sub(height))
            }
            _ => Scroll::End,
        }
    }

    fn seen_at_end(&self, height: usize) -> Seen {
        let mut blocks = Vec::new();
        let mut total = 0;
        for index in (0..self.count()).rev() {
            if total >= height {
                break;
            }
            let block = self.block(index);
            total += block.len();
            if let Some(spot) = self.spot(index) {
                blocks.push((spot, block));
            }
        }
        let skipped = total.saturating_sub(height);
        Seen {
            rows: blocks
                .into_iter()
                .rev()
                .flat_map(|(spot, block)| block.into_iter().map(move |row| (spot, row)))
                .skip(skipped)
                .collect(),
            skipped,
            is_end: true,
            below: 0,
        }
    }

    fn seen_from(&self, first: usize, skipped: usize, height: usize) -> Seen {
        let mut rows = Vec::new();
        let mut left = skipped;
        let mut index = first;
        while rows.len() < height && index < self.count() {
            if let Some(spot) = self.spot(index) {
                let block = self.block(index);
                let begin = left.min(block.len());
                left -= begin;
                rows.extend(block.into_iter().skip(begin).map(|row| (spot, row)));
            }
            index += 1;
        }
        let is_end = rows.len() <= height && index >= self.count();
        rows.truncate(height);
        let below = match rows.last().and_then(|(spot, _)| self.index_of(*spot)) {
            Some(last) if !is_end => self.count() - 1 - last,
            _ => 0,
        };
        Seen {
            rows,
            skipped,
            is_end,
            below,
        }
    }

    fn item(&self, index: usize) -> Option<Item<'a>> {
        match index.checked_sub(self.open.items.len()) {
            None => self.open.items.get(index).map(Item::Entry),
            Some(index) => self.open.waiting.get(index).map(Item::Waiting),
        }
    }

    /// The rows of one item, with the day and the name before it where they begin there.
    fn block(&self, index: usize) -> Vec<Row> {
        let Some(item) = self.item(index) else {
            return Vec::new();
        };
        let before = index.checked_sub(1).and_then(|before| self.item(before));
        let (at_ms, now) = (time_of(item), &self.model.now);
        let mut rows = Vec::new();
        let is_new_day = before.is_none_or(|before| !now.is_same_day(time_of(before), at_ms));
        if is_new_day {
            rows.push(self.rule(&now.day(at_ms), self.model.theme.dim()));
        }
        let begins_new =
            matches!(item, Item::Entry(item) if Some(item.entry.position) == self.divider);
        if begins_new {
            rows.push(self.rule("new", self.model.theme.danger()));
        }
        let goes_on = !is_new_day
            && !begins_new
            && before.is_some_and(|before| {
                self.speaker(before).is_some()
                    && self.speaker(before) == self.speaker(item)
                    && at_ms.saturating_sub(time_of(before)) < TOGETHER_MS
            });
        let mut said = match item {
            Item::Entry(item) => self.entry(item, goes_on),
            Item::Waiting(waiting) => self.waiting(waiting, goes_on),
        };
        if said.len() > ROWS_MAX {
            let left_out = said.len() - ROWS_MAX;
            said.truncate(ROWS_MAX);
            said.push(indented(vec![Piece::new(
                format!("{left_out} more rows: select it and press i"),
                self.model.theme.dim(),
            )]));
        }
        rows.extend(said);
        rows
    }

    /// Under whose name something stands; nobody's for what happened to the room.
    fn speaker(&self, item: Item<'a>) -> Option<(Option<AccountId>, Option<&'a str>)> {
        match item {
            Item::Waiting(_) => Some((Some(self.model.me), None)),
            Item::Entry(item) => match item.entry.body {
                Some(Body::Member(_) | Body::Settings(_)) => None,
                _ => Some((item.entry.account, item.entry.name.as_deref())),
            },
        }
    }

    fn entry(&self, item: &TimelineItem, goes_on: bool) -> Vec<Row> {
        let entry = &item.entry;
        let theme = self.model.theme;
        match &entry.body {
            Some(Body::Member(member)) => return self.event(&self.member_words(entry, member)),
            Some(Body::Settings(settings)) => {
                return self.event(&self.settings_words(entry, settings));
            }
            _ => {}
        }
        let mut rows = Vec::new();
        if !goes_on {
            let name = self.model.author(entry);
            let sign = if entry.hook.is_some() {
                " (webhook)"
            } else {
                ""
            };
            rows.push(self.heading(&name, theme.name(entry.account), sign, entry.at_ms));
        }
        if entry.state.recalled.is_some() || entry.body.is_none() {
            rows.push(indented(vec![Piece::new("recalled", theme.dim())]));
            return rows;
        }
        let reply_to = match &entry.body {
            Some(Body::Text(text)) => text.reply_to,
            Some(Body::File(file)) => file.reply_to,
            _ => None,
        };
        rows.extend(reply_to.map(|position| self.quote(position)));
        if let Some(Body::File(file)) = &entry.body {
            rows.extend(self.file(file));
        }
        let waiting_edit = edit_under_way(item);
        let text = waiting_edit.or_else(|| text_of(entry)).unwrap_or_default();
        if !text.is_empty() || !matches!(entry.body, Some(Body::File(_))) {
            rows.extend(self.text(text));
        }
        let mut tail = Vec::new();
        if entry.state.edited.is_some() || waiting_edit.is_some() {
            tail.push(Piece::new("(edited)", theme.dim()));
        }
        if entry.state.pinned.is_some() {
            tail.push(Piece::new(
                format!("{} pinned", theme.signs.pinned),
                theme.dim(),
            ));
        }
        if entry.account == Some(self.model.me) {
            tail.extend(self.delivery(entry, item));
        }
        self.close(&mut rows, tail);
        rows.extend(self.reactions(&entry.state));
        rows.extend(
            item.waiting
                .iter()
                .flat_map(|waiting| self.trouble(waiting)),
        );
        if mentions(entry, self.model.me) {
            self.mark(rows.get_mut(usize::from(!goes_on)..).unwrap_or_default());
        }
        rows
    }

    /// Marks rows that mention the reader.
    fn mark(&self, rows: &mut [Row]) {
        let theme = self.model.theme;
        for first in rows.iter_mut().filter_map(|row| row.first_mut()) {
            *first = Piece::new(format!("{} ", theme.signs.mark), theme.mention());
        }
    }

    /// How an own entry stands: what waits about it, that it is sent, who has read it.
    fn delivery(&self, entry: &Entry, item: &TimelineItem) -> Option<Piece> {
        let theme = self.model.theme;
        let kind = self.model.open_room()?.room.kind;
        if item
            .waiting
            .iter()
            .any(|waiting| waiting.state == WaitingState::Waiting)
        {
            return Some(Piece::new(theme.signs.waiting, theme.warning()));
        }
        if kind == RoomKind::Personal {
            return None;
        }
        let (read, all) = self.open.readers(self.model.me, entry.position);
        Some(match (read, kind) {
            (0, _) => Piece::new(theme.signs.sent, theme.dim()),
            (_, RoomKind::Direct) => Piece::new(theme.signs.read, theme.accent()),
            _ => Piece::new(format!("{} {read}/{all}", theme.signs.read), theme.accent()),
        })
    }

    fn waiting(&self, waiting: &Waiting, goes_on: bool) -> Vec<Row> {
        let theme = self.model.theme;
        let mut rows = Vec::new();
        if !goes_on {
            rows.push(self.heading("You", theme.name(Some(self.model.me)), "", waiting.at_ms));
        }
        match &waiting.what {
            WaitingKind::Draft(Draft::Text(text)) => {
                rows.extend(text.reply_to.map(|position| self.quote(position)));
                rows.extend(self.text(&text.text));
            }
            WaitingKind::Draft(draft) => {
                rows.push(indented(vec![Piece::plain(draft_words(draft))]));
            }
            WaitingKind::Handover(file) => rows.extend(self.handover(file)),
        }
        if waiting.state == WaitingState::Waiting {
            self.close(
                &mut rows,
                vec![Piece::new(theme.signs.waiting, theme.warning())],
            );
        }
        rows.extend(self.trouble(waiting));
        rows
    }

    /// Why something of this device will not be in the log.
    fn trouble(&self, waiting: &Waiting) -> Vec<Row> {
        let WaitingState::Refused { detail, .. } = &waiting.state else {
            return Vec::new();
        };
        let theme = self.model.theme;
        let what = match &waiting.what {
            WaitingKind::Draft(
                draft @ (Draft::Edit(_) | Draft::Recall(_) | Draft::Reaction(_) | Draft::Pin(_)),
            ) => draft_words(draft),
            WaitingKind::Draft(_) | WaitingKind::Handover(_) => "not sent",
        };
        let text = format!(
            "{} {what}: {detail} (Esc, then t tries again, x drops it)",
            theme.signs.failed
        );
        wrap(&[Piece::new(text, theme.danger())], self.columns - INDENT)
            .into_iter()
            .map(indented)
            .collect()
    }
}

fn time_of(item: Item<'_>) -> i64 {
    match item {
        Item::Entry(item) => item.entry.at_ms,
        Item::Waiting(waiting) => waiting.at_ms,
    }
}

/// The text of an own change that is on its way.
fn edit_under_way(item: &TimelineItem) -> Option<&str> {
    item.waiting
        .iter()
        .rev()
        .find_map(|waiting| match &waiting.what {
            WaitingKind::Draft(Draft::Edit(edit)) if waiting.state == WaitingState::Waiting => {
                Some(edit.text.as_str())
            }
            _ => None,
        })
}

fn draft_words(draft: &Draft) -> &'static str {
    match draft {
        Draft::Text(_) => "message",
        Draft::File(_) => "file",
        Draft::Edit(_) => "edit",
        Draft::Recall(_) => "recall",
        Draft::Reaction(_) => "reaction",
        Draft::Pin(_) => "pin",
    }
}
