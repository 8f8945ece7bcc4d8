//! Going through the index: the newest first, over all rooms at once.
//!
//! What is asked becomes groups of terms: a document must have a term of each. The lists of a room are walked together, each
//! jumping to where the slowest of them is; the rooms are merged by their newest document. Each document that comes up
//! is read as it is now and compared with what was asked, so an index that is behind never shows too much.

use std::collections::{BTreeMap, BinaryHeap, btree_map};

use wharf_store::search::{List, OPEN, Reads, list};
use wharf_store::sql::{self, Tx};
use wharf_types::api::search::{Found, Hit, HitKind};
use wharf_types::{NodeId, RoomId};

use super::index::{doc_at, is_entry};
use super::query::{Piece, Query};
use super::rooms::{self, Floors};
use super::words::{self, Token};
use super::{snippet, terms};
use crate::access::{self, Entered};
use crate::caller::Person;
use crate::error::{Error, Result};
use crate::{drive, log};

/// Blocks that one search reads.
const READS_MAX: u32 = 2_000;
/// Documents that one search looks at.
const DOCS_MAX: u32 = 500;
/// Words that the beginning of a word may stand for, over all rooms.
const OPEN_TERMS_MAX: u32 = 2_000;
/// Fewer rooms than this are asked one by one.
const ROOMS_ONE_BY_ONE: usize = 4;

/// A place between documents: past all that are newer than the number, and past those of that number in rooms up to this.
pub(super) type Cursor = (u64, RoomId);

/// Terms of which a document has one.
enum Wanted {
    Any(Vec<String>),
    /// All terms that begin so.
    Open(String),
}

/// The lists of one group in one room.
type Group = Vec<List>;

/// A room on the way.
struct Scan {
    room: RoomId,
    groups: Vec<Group>,
    /// Entries up to this document are not for this member.
    floor_doc: u64,
}

/// Where a scan is: at a document that all lists have, or, when the reads were used up, somewhere before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    doc: u64,
    /// Of rooms with the same document number, the one with the smaller id comes first.
    order: std::cmp::Reverse<RoomId>,
    scan_index: usize,
    is_met: bool,
}

/// A search under way.
pub(super) struct Finder<'q> {
    person: Person,
    query: &'q Query,
    floors: Floors,
    wanted: Vec<Wanted>,
    scans: Vec<Scan>,
    heads: BinaryHeap<Head>,
    /// Documents before this one are too old.
    first_doc: u64,
    reads: Reads,
    entered: BTreeMap<RoomId, Entered>,
}

/// Reads where a page ended.
///
/// # Errors
/// `Invalid`: it is not that.
pub(super) fn parse_cursor(text: &str) -> Result<Cursor> {
    let cursor = text
        .split_once('.')
        .and_then(|(doc, room)| Some((doc.parse().ok()?, room.parse().ok()?)));
    cursor.ok_or_else(|| Error::invalid("this is not where a page of a search ended"))
}

fn show_cursor((doc, room): Cursor) -> String {
    format!("{doc}.{room}")
}

impl<'q> Finder<'q> {
    /// Opens the lists of what is asked, in the rooms that the person is a member of now.
    pub(super) fn open(
        tx: &mut Tx<'_>,
        person: &Person,
        query: &'q Query,
        room: Option<RoomId>,
        after: Option<Cursor>,
    ) -> Result<Self> {
        let floors = rooms::searched(tx, person, room, query.in_room.as_deref())?;
        let wanted = wanted(tx, person, query)?;
        let mut finder = Self {
            person: *person,
            query,
            scans: Vec::new(),
            heads: BinaryHeap::new(),
            first_doc: query.from_ms.map_or(0, doc_at),
            reads: Reads { left: READS_MAX },
            entered: BTreeMap::new(),
            floors,
            wanted,
        };
        finder.scans = finder.open_scans(tx)?;
        let last_doc = query
            .until_ms
            .map_or(OPEN, |until_ms| doc_at(until_ms).saturating_sub(1));
        for scan_index in 0..finder.scans.len() {
            let begin = finder.scans.get(scan_index).map_or(0, |scan| match after {
                Some((doc, room)) if scan.room > room => doc,
                Some((doc, _)) => doc.saturating_sub(1),
                None => OPEN,
            });
            finder.advance(tx, scan_index, begin.min(last_doc))?;
        }
        Ok(finder)
    }

    /// Gathers `limit` hits, or as many as there are, or as a bounded amount of work brings.
    pub(super) fn run(mut self, tx: &mut Tx<'_>, limit: usize) -> Result<Found> {
        let mut items = Vec::new();
        let mut docs_left = DOCS_MAX;
        let mut passed: Option<Cursor> = None;
        while let Some(head) = self.heads.peek().copied() {
            if items.len() >= limit || docs_left == 0 {
                return Ok(found(items, passed));
            }
            let room = head.order.0;
            if !head.is_met {
                return Ok(found(items, Some(before(head.doc, room))));
            }
            self.heads.pop();
            docs_left -= 1;
            items.extend(self.hit(tx, room, head.doc)?);
            passed = Some((head.doc, room));
            if let Some(next) = head.doc.checked_sub(1) {
                self.advance(tx, head.scan_index, next)?;
            }
        }
        Ok(found(items, None))
    }

    /// Opens the lists of every group in the rooms that have all of them.
    fn open_scans(&self, tx: &mut Tx<'_>) -> Result<Vec<Scan>> {
        let mut groups: BTreeMap<RoomId, Vec<Group>> =
            self.floors.keys().map(|room| (*room, Vec::new())).collect();
        for (index, wanted) in self.wanted.iter().enumerate() {
            let mut lists: BTreeMap<RoomId, Group> = BTreeMap::new();
            match wanted {
                Wanted::Any(terms) if groups.len() <= ROOMS_ONE_BY_ONE => {
                    for room in groups.keys() {
                        open_terms_in(tx, *room, terms, &mut lists)?;
                    }
                }
                Wanted::Any(terms) => {
                    for term in terms {
                        self.open_term(tx, term, &mut lists)?;
                    }
                }
                Wanted::Open(begin) => {
                    let rooms: Vec<RoomId> = groups.keys().copied().collect();
                    self.open_beginning(tx, begin, &rooms, &mut lists)?;
                }
            }
            groups.retain(|room, groups| match lists.remove(room) {
                Some(group) => {
                    groups.push(group);
                    groups.len() == index + 1
                }
                None => false,
            });
        }
        let mut scans = Vec::with_capacity(groups.len());
        for (room, groups) in groups {
            scans.push(Scan {
                room,
                groups,
                floor_doc: self.floor_doc(tx, room)?,
            });
        }
        Ok(scans)
    }

    /// The lists of a term in all rooms of the person.
    fn open_term(
        &self,
        tx: &mut Tx<'_>,
        term: &str,
        lists: &mut BTreeMap<RoomId, Group>,
    ) -> sql::Result<()> {
        tx.each(
            "SELECT b.room_id, b.docs FROM member m JOIN search_block b ON b.room_id = m.room_id \
             WHERE m.account_id = ?1 AND b.term = ?2 AND b.block = ?3",
            &[self.person.account.into(), term.into(), OPEN.into()],
            |row| {
                let room = row.id(0)?;
                let list = List::of_open_block(room, term, row.bytes(1)?)?;
                lists.entry(room).or_default().push(list);
                Ok(())
            },
        )
    }

    /// The lists of all terms that begin so in the rooms that are left.
    fn open_beginning(
        &self,
        tx: &mut Tx<'_>,
        begin: &str,
        rooms: &[RoomId],
        lists: &mut BTreeMap<RoomId, Group>,
    ) -> Result<()> {
        // No term has the greatest character there is.
        let end = format!("{begin}\u{10ffff}");
        let mut count = 0;
        let mut take = |row: &sql::Row<'_>| {
            let room = row.id(0)?;
            let list = List::of_open_block(room, row.text(1)?, row.bytes(2)?)?;
            lists.entry(room).or_default().push(list);
            count += 1;
            Ok(())
        };
        let limit = OPEN_TERMS_MAX + 1;
        if rooms.len() <= ROOMS_ONE_BY_ONE {
            for room in rooms {
                tx.each(
                    "SELECT room_id, term, docs FROM search_block \
                     WHERE room_id = ?1 AND term >= ?2 AND term < ?3 AND block = ?4 LIMIT ?5",
                    &[
                        room.into(),
                        begin.into(),
                        end.as_str().into(),
                        OPEN.into(),
                        limit.into(),
                    ],
                    &mut take,
                )?;
            }
        } else {
            let account = self.person.account;
            tx.each(
                "SELECT b.room_id, b.term, b.docs FROM member m JOIN search_block b ON b.room_id = m.room_id \
                 WHERE m.account_id = ?1 AND b.term >= ?2 AND b.term < ?3 AND b.block = ?4 LIMIT ?5",
                &[account.into(), begin.into(), end.as_str().into(), OPEN.into(), limit.into()],
                &mut take,
            )?;
        }
        if count > OPEN_TERMS_MAX {
            return Err(Error::invalid(format!(
                "too many words begin with '{begin}': write more of it, or say in: which room"
            )));
        }
        Ok(())
    }

    /// The last document that the member's floor hides.
    fn floor_doc(&self, tx: &mut Tx<'_>, room: RoomId) -> sql::Result<u64> {
        let floor = self.floors.get(&room).copied().unwrap_or(0);
        if floor == 0 {
            return Ok(0);
        }
        let doc = tx.opt(
            "SELECT doc FROM search_doc WHERE room_id = ?1 AND position <= ?2 ORDER BY position DESC LIMIT 1",
            &[room.into(), floor.into()],
            |row| row.uint(0),
        )?;
        Ok(doc.unwrap_or(0))
    }

    /// Moves a scan to its next document that is not newer than `at_most`.
    fn advance(&mut self, tx: &mut Tx<'_>, scan_index: usize, at_most: u64) -> sql::Result<()> {
        let Some(scan) = self.scans.get_mut(scan_index) else {
            return Ok(());
        };
        let order = std::cmp::Reverse(scan.room);
        let head = |doc, is_met| Head {
            doc,
            order,
            scan_index,
            is_met,
        };
        // However many rooms there are, each comes a step further, so that whoever goes on from the cursor gets on.
        let mut reads = Reads {
            left: self.reads.left.max(scan.step_reads()),
        };
        let before = reads.left;
        let next = scan.next(tx, at_most, self.first_doc, &mut reads)?;
        self.reads.left = self.reads.left.saturating_sub(before - reads.left);
        match next {
            Next::Met(doc) => self.heads.push(head(doc, true)),
            Next::GaveUp(doc) => self.heads.push(head(doc, false)),
            Next::End => {}
        }
        Ok(())
    }

    /// What a document is now, if that is what was asked and the person may see it.
    fn hit(&mut self, tx: &mut Tx<'_>, room: RoomId, doc: u64) -> Result<Option<Hit>> {
        let key = tx.opt(
            "SELECT position, node_id FROM search_doc WHERE room_id = ?1 AND doc = ?2",
            &[room.into(), doc.into()],
            |row| Ok((row.opt_uint(0)?, row.opt_id::<NodeId>(1)?)),
        )?;
        match key {
            Some((Some(position), _)) => self.entry_hit(tx, room, position),
            Some((None, Some(node))) => self.node_hit(tx, room, node),
            Some((None, None)) | None => Ok(None),
        }
    }

    fn entry_hit(&self, tx: &mut Tx<'_>, room: RoomId, position: u64) -> Result<Option<Hit>> {
        if self
            .floors
            .get(&room)
            .is_none_or(|floor| position <= *floor)
        {
            return Ok(None);
        }
        let entry = log::entry_at(tx, Some(self.person.account), room, position)?;
        let Some(entry) = entry.filter(|entry| self.is_in_time(entry.at_ms)) else {
            return Ok(None);
        };
        let (Some(text), Some(listed)) =
            (terms::text_of_entry(&entry), terms::terms_of_entry(&entry))
        else {
            return Ok(None);
        };
        let what = HitKind::Entry(Box::new(entry));
        Ok(self
            .compare(&text, &listed)
            .map(|matches| hit(room, what, &text, matches)))
    }

    fn node_hit(&mut self, tx: &mut Tx<'_>, room: RoomId, node: NodeId) -> Result<Option<Hit>> {
        let entered = match self.entered.entry(room) {
            btree_map::Entry::Occupied(entered) => entered.into_mut(),
            btree_map::Entry::Vacant(vacant) => vacant.insert(access::enter_as_server(tx, room)?),
        };
        let node = drive::node_in_tree(tx, entered, node)?;
        let Some(node) = node.filter(|node| self.is_in_time(node.changed_ms)) else {
            return Ok(None);
        };
        let text = node.name.clone();
        let listed = terms::terms_of_name(&node.name, node.kind, &node.tags);
        let what = HitKind::Node(Box::new(node));
        Ok(self
            .compare(&text, &listed)
            .map(|matches| hit(room, what, &text, matches)))
    }

    fn is_in_time(&self, at_ms: i64) -> bool {
        self.query.from_ms.is_none_or(|from_ms| at_ms >= from_ms)
            && self.query.until_ms.is_none_or(|until_ms| at_ms < until_ms)
    }

    /// Where a text has what was asked; `None` if it has not, or has what was not wanted.
    fn compare(
        &self,
        text: &str,
        listed: &std::collections::BTreeSet<String>,
    ) -> Option<Vec<(usize, usize)>> {
        let has_all = self.wanted.iter().all(|wanted| match wanted {
            Wanted::Any(terms) => terms.iter().any(|term| listed.contains(term)),
            Wanted::Open(begin) => listed
                .range(begin.clone()..)
                .next()
                .is_some_and(|term| term.starts_with(begin.as_str())),
        });
        if !has_all {
            return None;
        }
        let tokens = words::tokens(text);
        let place = |(first, last): (&Token, &Token)| (first.begin, last.end);
        if self
            .query
            .unwanted
            .iter()
            .any(|piece| piece.find_in(&tokens).next().is_some())
        {
            return None;
        }
        let mut matches = Vec::new();
        for piece in &self.query.wanted {
            let before = matches.len();
            matches.extend(piece.find_in(&tokens).map(place));
            if matches.len() == before {
                return None;
            }
        }
        Some(matches)
    }
}

/// What a scan came to.
enum Next {
    Met(u64),
    /// The reads were used up: what is newer than this has none.
    GaveUp(u64),
    End,
}

impl Scan {
    /// The reads with which [`Scan::next`] surely gets past where it begins.
    fn step_reads(&self) -> u32 {
        let lists = self.groups.iter().map(Vec::len).sum::<usize>();
        u32::try_from(lists * 2 + 1).unwrap_or(u32::MAX)
    }

    fn next(
        &mut self,
        tx: &mut Tx<'_>,
        at_most: u64,
        first_doc: u64,
        reads: &mut Reads,
    ) -> sql::Result<Next> {
        let mut target = at_most;
        'target: loop {
            if target < first_doc {
                return Ok(Next::End);
            }
            for group in &mut self.groups {
                let mut newest = None;
                for list in group {
                    newest = newest.max(list.seek(tx, target, reads)?);
                }
                match newest {
                    _ if reads.left == 0 => return Ok(Next::GaveUp(target)),
                    None => return Ok(Next::End),
                    Some(doc) if doc < target => {
                        target = doc;
                        continue 'target;
                    }
                    Some(_) => {}
                }
            }
            if !is_entry(target) || target > self.floor_doc {
                return Ok(Next::Met(target));
            }
            match target.checked_sub(1) {
                Some(next) => target = next,
                None => return Ok(Next::End),
            }
        }
    }
}

/// The lists of terms in one room.
fn open_terms_in(
    tx: &mut Tx<'_>,
    room: RoomId,
    terms: &[String],
    lists: &mut BTreeMap<RoomId, Group>,
) -> sql::Result<()> {
    for term in terms {
        let list = list(tx, room, term)?;
        if !list.is_empty() {
            lists.entry(room).or_default().push(list);
        }
    }
    Ok(())
}

/// The groups of terms that a query asks for.
fn wanted(tx: &mut Tx<'_>, person: &Person, query: &Query) -> sql::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for piece in &query.wanted {
        add_piece(&mut wanted, piece);
    }
    for tag in &query.tags {
        wanted.push(Wanted::Any(vec![
            terms::entry_tag(tag),
            terms::node_tag(tag),
        ]));
    }
    if !query.from.is_empty() {
        let mut authors = Vec::new();
        for name in &query.from {
            authors.push(terms::author_name(name));
            let accounts = rooms::authors(tx, person, name)?;
            authors.extend(accounts.into_iter().map(terms::author));
        }
        wanted.push(Wanted::Any(authors));
    }
    for has in &query.has {
        wanted.push(Wanted::Any(vec![terms::property(*has)]));
    }
    if wanted.is_empty() {
        wanted.push(Wanted::Any(vec![terms::ALL.to_owned()]));
    }
    Ok(wanted)
}

fn add_piece(wanted: &mut Vec<Wanted>, piece: &Piece) {
    let closed = match piece.tokens.split_last() {
        Some((last, before)) if piece.is_open => {
            wanted.push(Wanted::Open(last.term.clone()));
            before
        }
        _ => &piece.tokens,
    };
    for term in words::terms_of_sequence(closed) {
        wanted.push(Wanted::Any(vec![term]));
    }
}

fn hit(room: RoomId, what: HitKind, text: &str, matches: Vec<(usize, usize)>) -> Hit {
    let snippet = snippet::cut(text, matches);
    Hit {
        room,
        what,
        snippet: snippet.text,
        matches: snippet.matches,
    }
}

fn found(items: Vec<Hit>, next: Option<Cursor>) -> Found {
    Found {
        items,
        next: next.map(show_cursor),
    }
}

/// The place just before a document of a room.
fn before(doc: u64, room: RoomId) -> Cursor {
    match u128::from_be_bytes(*room.as_bytes()).checked_sub(1) {
        Some(number) => (doc, RoomId::from_bytes(number.to_be_bytes())),
        None => (doc.saturating_add(1), RoomId::from_bytes([0xff; 16])),
    }
}
