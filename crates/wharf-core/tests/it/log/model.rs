//! A log in memory: what it should do, in as few words as possible, and without the fold that it is compared with.

use std::collections::{BTreeMap, HashMap};

use wharf_types::ErrorCode;

/// People: the room's owner, an editor, a reader, and somebody who is no member.
pub(crate) const PEOPLE: usize = 4;
const OWNER: usize = 0;
const READER: usize = 2;
const STRANGER: usize = 3;

/// What somebody asks to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Say(String, Option<u64>, Whom),
    Edit(u64, String, Whom),
    Recall(u64),
    React(u64, String, bool),
    Pin(u64, bool),
}

/// Whom a text mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    Nobody,
    Everybody,
    One(usize),
}

/// What a number was used for, and the answer.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) ask: Ask,
    pub(crate) client_ms: i64,
    pub(crate) answer: Result<u64, ErrorCode>,
}

/// The answer to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    At { position: u64, repeated: bool },
    Refused(ErrorCode),
    Expected(u64),
}

/// An entry and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) author: usize,
    pub(crate) ask: Ask,
    pub(crate) at_ms: i64,
    pub(crate) is_erased: bool,
    pub(crate) edited: Option<(u64, String, Whom)>,
    pub(crate) recalled: Option<u64>,
    pub(crate) pinned: Option<u64>,
    pub(crate) reactions: Vec<(usize, String, u64)>,
}

/// The log of one room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) items: Vec<Item>,
    pub(crate) sent: HashMap<(usize, usize), Vec<Sent>>,
    pub(crate) read: [u64; PEOPLE],
    pub(crate) delivered: BTreeMap<(usize, usize), u64>,
    pub(crate) edit_ms: i64,
    pub(crate) recall_ms: i64,
}

impl Model {
    pub(crate) fn head(&self) -> u64 {
        self.items.len() as u64
    }

    /// A device sends something under a number.
    pub(crate) fn send(
        &mut self,
        (who, device): (usize, usize),
        number: u64,
        ask: &Ask,
        client_ms: i64,
        now_ms: i64,
    ) -> Answer {
        let sent = self.sent.entry((who, device)).or_default();
        let used = sent.len() as u64;
        if number > used + 1 {
            return Answer::Expected(used + 1);
        }
        if let Some(before) = sent.get(usize::try_from(number - 1).unwrap()) {
            if (&before.ask, before.client_ms) != (ask, client_ms) {
                return Answer::Refused(ErrorCode::Stale);
            }
            return match before.answer {
                Ok(position) => Answer::At {
                    position,
                    repeated: true,
                },
                Err(code) => Answer::Refused(code),
            };
        }
        let answer = self.append(who, ask, now_ms);
        self.sent.entry((who, device)).or_default().push(Sent {
            ask: ask.clone(),
            client_ms,
            answer,
        });
        match answer {
            Ok(position) => Answer::At {
                position,
                repeated: false,
            },
            Err(code) => Answer::Refused(code),
        }
    }

    fn append(&mut self, who: usize, ask: &Ask, now_ms: i64) -> Result<u64, ErrorCode> {
        match who {
            STRANGER => return Err(ErrorCode::NotFound),
            READER => return Err(ErrorCode::Denied),
            _ => {}
        }
        let position = self.head() + 1;
        match ask {
            Ask::Say(text, reply_to, _) => {
                if text.is_empty() {
                    return Err(ErrorCode::Invalid);
                }
                if reply_to.is_some_and(|reply_to| reply_to == 0 || reply_to > self.head()) {
                    return Err(ErrorCode::NotFound);
                }
                self.read[who] = position;
            }
            Ask::Edit(target, text, whom) => {
                let edit_ms = self.edit_ms;
                let said = self.said(*target)?;
                if said.author != who || now_ms - said.at_ms > edit_ms {
                    return Err(ErrorCode::Denied);
                }
                if text.is_empty() {
                    return Err(ErrorCode::Invalid);
                }
                said.edited = Some((position, text.clone(), *whom));
            }
            Ask::Recall(target) => self.recall(who, *target, position, now_ms)?,
            Ask::React(target, emoji, is_set) => {
                let said = self.said(*target)?;
                let held =
                    |(account, held, _): &(usize, String, u64)| *account == who && held == emoji;
                match (said.reactions.iter().position(held), is_set) {
                    (None, true) => said.reactions.push((who, emoji.clone(), position)),
                    (Some(index), false) => drop(said.reactions.remove(index)),
                    _ => {}
                }
            }
            Ask::Pin(target, is_set) => {
                let said = self.said(*target)?;
                said.pinned = is_set.then(|| said.pinned.unwrap_or(position));
            }
        }
        self.items.push(Item {
            author: who,
            ask: ask.clone(),
            at_ms: now_ms,
            is_erased: false,
            edited: None,
            recalled: None,
            pinned: None,
            reactions: Vec::new(),
        });
        Ok(position)
    }

    fn recall(
        &mut self,
        who: usize,
        target: u64,
        position: u64,
        now_ms: i64,
    ) -> Result<(), ErrorCode> {
        let recall_ms = self.recall_ms;
        let said = self.said(target)?;
        let is_own = said.author == who && now_ms - said.at_ms <= recall_ms;
        if !is_own && who != OWNER {
            return Err(ErrorCode::Denied);
        }
        said.is_erased = true;
        said.edited = None;
        said.pinned = None;
        said.reactions.clear();
        said.recalled = Some(position);
        for item in &mut self.items {
            if matches!(&item.ask, Ask::Edit(of, ..) if *of == target) {
                item.is_erased = true;
            }
        }
        Ok(())
    }

    /// A text that was not taken back.
    fn said(&mut self, position: u64) -> Result<&mut Item, ErrorCode> {
        let index = position.checked_sub(1).ok_or(ErrorCode::NotFound)?;
        let item = self.items.get_mut(usize::try_from(index).unwrap());
        let item = item.ok_or(ErrorCode::NotFound)?;
        if !matches!(item.ask, Ask::Say(..)) {
            return Err(ErrorCode::Invalid);
        }
        if item.recalled.is_some() {
            return Err(ErrorCode::Denied);
        }
        Ok(item)
    }

    pub(crate) fn mark_read(&mut self, who: usize, position: u64) {
        self.read[who] = self.read[who].max(position.min(self.head()));
    }

    pub(crate) fn mark_delivered(&mut self, who: usize, device: usize, position: u64) {
        let position = position.min(self.head());
        let delivered = self.delivered.entry((who, device)).or_default();
        *delivered = position.max(*delivered);
    }

    pub(crate) fn delivered(&self, who: usize) -> u64 {
        let devices = self.delivered.range((who, 0)..(who + 1, 0));
        devices
            .map(|(_, position)| *position)
            .fold(self.read[who], u64::max)
    }

    /// Texts past what somebody has read.
    pub(crate) fn unread(&self, who: usize) -> u64 {
        let read = usize::try_from(self.read[who]).unwrap();
        let said = |item: &&Item| matches!(item.ask, Ask::Say(..));
        self.items[read..].iter().filter(said).count() as u64
    }

    /// Texts past what somebody has read that mention them as they are now.
    pub(crate) fn mentions(&self, who: usize) -> u64 {
        let read = usize::try_from(self.read[who]).unwrap();
        let unread = self.items[read..].iter();
        let mentioning = unread.filter(|item| {
            let whom = match (&item.ask, &item.edited) {
                _ if item.is_erased => Whom::Nobody,
                (Ask::Say(..), Some((_, _, whom))) | (Ask::Say(_, _, whom), None) => *whom,
                _ => Whom::Nobody,
            };
            whom == Whom::Everybody || whom == Whom::One(who)
        });
        mentioning.count() as u64
    }
}
