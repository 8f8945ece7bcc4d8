//! What later entries of a log make of what was before them.
//!
//! One pure function each for the server's answers and a client's own copy, so that both always agree: an old state and
//! the entries past it are the new state. [`effect`] says what a body is about, exhaustively, so a new kind of entry
//! does not compile until it has an effect.

use std::collections::BTreeMap;

use crate::AccountId;
use crate::api::log::{
    Body, Edit, Edited, Entry, EntryState, Member, MemberChange, Mentions, Pin, Reaction, Recall,
    SetReaction, Settings,
};
use crate::api::room::{History, Role, Room, RoomKind};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'a> {
    /// It stands for itself: something said or handed over.
    Said,
    /// An entry before it changes, and, when that is recalled, the edits of it.
    Entry(u64),
    /// Somebody came, went or changed role.
    Member(&'a Member),
    /// The room itself changes.
    Settings(&'a Settings),
}

/// What a body is about.
pub const fn effect(body: &Body) -> Effect<'_> {
    match body {
        Body::Text(_) | Body::File(_) => Effect::Said,
        Body::Edit(Edit { target, .. })
        | Body::Recall(Recall { target })
        | Body::Reaction(Reaction { target, .. })
        | Body::Pin(Pin { target, .. }) => Effect::Entry(*target),
        Body::Member(member) => Effect::Member(member),
        Body::Settings(settings) => Effect::Settings(settings),
    }
}

/// Lets `later` change `earlier`, an entry of the same log, and says whether it did.
///
/// Entries are applied in the order of their positions, those past the `head` that `earlier` was read with. Replaying
/// some of them up to the last one, in order, as after a connection was cut, ends in the same state. A recall also erases the edits of its target, so whoever keeps
/// those applies it to them too. An erased body (of an edit whose target was recalled) changes nothing.
pub fn apply(earlier: &mut Entry, later: &Entry) -> bool {
    if later.position <= earlier.position {
        return false;
    }
    let Some(body) = &later.body else {
        return false;
    };
    let Effect::Entry(target) = effect(body) else {
        return false;
    };
    if target != earlier.position {
        let is_edit_of_target =
            matches!(&earlier.body, Some(Body::Edit(edit)) if edit.target == target);
        if matches!(body, Body::Recall(_)) && is_edit_of_target {
            earlier.body = None;
            return true;
        }
        return false;
    }
    if earlier.state.recalled.is_some() {
        return false;
    }
    match body {
        Body::Edit(edit) => set_edit(earlier, later, edit),
        Body::Recall(_) => {
            earlier.body = None;
            earlier.state = EntryState::default();
            earlier.state.recalled = Some(later.position);
            true
        }
        Body::Reaction(reaction) => set_reaction(earlier, later, reaction),
        Body::Pin(pin) => set_pin(earlier, later.position, pin),
        Body::Text(_) | Body::File(_) | Body::Member(_) | Body::Settings(_) => false,
    }
}

/// What `entry` says now: the text of its last edit, or its own. `None` where it says nothing in words: it was recalled,
/// or is of another kind.
pub fn text_of(entry: &Entry) -> Option<&str> {
    let own = match entry.body.as_ref()? {
        Body::Text(text) => &text.text,
        Body::File(file) => &file.text,
        Body::Edit(edit) => &edit.text,
        Body::Recall(_)
        | Body::Reaction(_)
        | Body::Pin(_)
        | Body::Member(_)
        | Body::Settings(_) => return None,
    };
    let edited = entry.state.edited.as_ref().map(|edited| &edited.text);
    Some(edited.unwrap_or(own))
}

/// Whom `entry` mentions now. `None` where it mentions nobody, or cannot.
pub fn mentions_of(entry: &Entry) -> Option<&Mentions> {
    let own = match entry.body.as_ref()? {
        Body::Text(text) => &text.mentions,
        Body::File(file) => &file.mentions,
        Body::Edit(_)
        | Body::Recall(_)
        | Body::Reaction(_)
        | Body::Pin(_)
        | Body::Member(_)
        | Body::Settings(_) => return None,
    };
    let edited = entry.state.edited.as_ref().map(|edited| &edited.mentions);
    Some(edited.unwrap_or(own)).filter(|mentions| !mentions.is_empty())
}

/// What the entries of a log make of its room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomState {
    /// The name.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// What who joins later sees.
    pub history: History,
    /// Days that entries are kept; 0 keeps them all.
    pub keep_days: u32,
    /// Whether it can only be read.
    pub archived: bool,
    /// The members.
    pub members: BTreeMap<AccountId, Role>,
}

impl RoomState {
    /// Applies one entry, and says whether it changed anything. Entries are applied in the order of their positions.
    pub fn apply(&mut self, entry: &Entry) -> bool {
        let Some(body) = &entry.body else {
            return false;
        };
        match effect(body) {
            Effect::Said | Effect::Entry(_) => false,
            Effect::Member(member) => {
                let before = match member.role {
                    Some(role) => self.members.insert(member.account, role),
                    None => self.members.remove(&member.account),
                };
                before != member.role
            }
            Effect::Settings(settings) => {
                let before = self.clone();
                self.set(settings);
                *self != before
            }
        }
    }

    fn set(&mut self, settings: &Settings) {
        let Settings {
            name,
            topic,
            history,
            keep_days,
            archived,
        } = settings;
        if let Some(name) = name {
            self.name.clone_from(name);
        }
        if let Some(topic) = topic {
            self.topic.clone_from(topic);
        }
        self.history = history.unwrap_or(self.history);
        self.keep_days = keep_days.unwrap_or(self.keep_days);
        self.archived = archived.unwrap_or(self.archived);
    }
}

/// Lets an entry past a room's `head` change the room as `me`, a member, sees it: where its log ends, who is in it and as
/// what, what it is called and whether it can be written to. Says whether it was the next entry.
///
/// What is unread and what was said last follows from the entries themselves, which whoever keeps them has.
pub fn apply_to_room(room: &mut Room, me: AccountId, entry: &Entry) -> bool {
    if entry.position != room.head + 1 {
        return false;
    }
    room.head = entry.position;
    room.head_hash = entry.hash;
    match entry.body.as_ref().map(effect) {
        Some(Effect::Member(member)) => set_member(room, me, member),
        Some(Effect::Settings(settings)) => {
            let mut state = RoomState {
                name: std::mem::take(&mut room.name),
                topic: std::mem::take(&mut room.topic),
                history: room.history,
                keep_days: room.keep_days,
                archived: room.archived,
                members: BTreeMap::new(),
            };
            state.set(settings);
            room.name = state.name;
            room.topic = state.topic;
            room.history = state.history;
            room.keep_days = state.keep_days;
            room.archived = state.archived;
        }
        Some(Effect::Said | Effect::Entry(_)) | None => return true,
    }
    if room.kind == RoomKind::Group {
        room.can_write = room.role >= Role::Editor && !room.archived;
    }
    true
}

fn set_member(room: &mut Room, me: AccountId, member: &Member) {
    match member.change {
        MemberChange::Joined => room.member_count += 1,
        MemberChange::Left | MemberChange::Removed => {
            room.member_count = room.member_count.saturating_sub(1);
        }
        MemberChange::Role => {}
    }
    if member.role == Some(Role::Owner) {
        room.owner = member.account;
    }
    if member.account == me {
        room.role = member.role.unwrap_or(room.role);
    }
}

fn set_edit(earlier: &mut Entry, later: &Entry, edit: &Edit) -> bool {
    let edited_before = earlier.state.edited.as_ref();
    if edited_before.is_some_and(|edited| edited.position >= later.position) {
        return false;
    }
    earlier.state.edited = Some(Edited {
        position: later.position,
        at_ms: later.at_ms,
        text: edit.text.clone(),
        mentions: edit.mentions.clone(),
    });
    true
}

/// The first of several equal reactions of one account holds, until one taken back past it.
fn set_reaction(earlier: &mut Entry, later: &Entry, reaction: &Reaction) -> bool {
    let Some(account) = later.account else {
        return false;
    };
    let reactions = &mut earlier.state.reactions;
    let held = reactions
        .iter()
        .position(|held| held.account == account && held.emoji == reaction.emoji);
    match (held, reaction.is_set) {
        (None, true) => {
            reactions.push(SetReaction {
                account,
                emoji: reaction.emoji.clone(),
                position: later.position,
            });
            true
        }
        (Some(index), false) => {
            let is_past = reactions
                .get(index)
                .is_some_and(|held| held.position < later.position);
            if is_past {
                reactions.remove(index);
            }
            is_past
        }
        (None, false) | (Some(_), true) => false,
    }
}

/// The first of several pins holds, until one taken away past it.
fn set_pin(earlier: &mut Entry, position: u64, pin: &Pin) -> bool {
    let pinned = &mut earlier.state.pinned;
    let pinned_after = match (*pinned, pin.is_set) {
        (None, true) => Some(position),
        (Some(held), false) if held < position => None,
        (held, _) => held,
    };
    let is_changed = *pinned != pinned_after;
    *pinned = pinned_after;
    is_changed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::{RoomState, apply, mentions_of, text_of};
    use crate::api::log::{
        Body, Edit, Entry, EntryState, Member, MemberChange, Mentions, Origin, Pin, Reaction,
        Recall, Settings, Text,
    };
    use crate::api::room::Role;
    use crate::{AccountId, EntryHash};

    fn entry(position: u64, account: u8, body: Body) -> Entry {
        Entry {
            position,
            at_ms: 0,
            account: Some(AccountId::from_bytes([account; 16])),
            hook: None,
            name: None,
            origin: Origin {
                session: None,
                door: "http".to_owned(),
                address: None,
            },
            client_ms: None,
            countable: 1,
            hash: EntryHash::from_bytes([0; 32]),
            body: Some(body),
            state: EntryState::default(),
        }
    }

    fn said(position: u64) -> Entry {
        let body = Body::Text(Text {
            text: "said".to_owned(),
            ..Text::default()
        });
        entry(position, 1, body)
    }

    fn edit(position: u64, target: u64, text: &str) -> Entry {
        let body = Body::Edit(Edit {
            target,
            text: text.to_owned(),
            mentions: Mentions {
                accounts: Vec::new(),
                everybody: true,
            },
        });
        entry(position, 1, body)
    }

    /// Something about entry 1, by one of two people.
    fn changes() -> impl Strategy<Value = (u8, Body)> {
        let body = prop_oneof![
            6 => (any::<bool>(), any::<bool>()).prop_map(|(is_thumb, is_set)| {
                let emoji = if is_thumb { "👍" } else { "🎉" }.to_owned();
                Body::Reaction(Reaction { target: 1, emoji, is_set })
            }),
            3 => any::<bool>().prop_map(|is_set| Body::Pin(Pin { target: 1, is_set })),
            3 => "[a-z]".prop_map(|text| Body::Edit(Edit {
                target: 1,
                text,
                mentions: Mentions::default(),
            })),
            1 => any::<bool>().prop_map(|_| Body::Recall(Recall { target: 1 })),
        ];
        (1..=2_u8, body)
    }

    proptest! {
        #[test]
        fn replaying_up_to_the_last_one_ends_in_the_same_state(
            changes in proptest::collection::vec(changes(), 1..20),
            from in any::<proptest::sample::Index>(),
        ) {
            let later: Vec<Entry> = changes
                .into_iter()
                .zip(2..)
                .map(|((account, body), position)| entry(position, account, body))
                .collect();
            let mut folded = said(1);
            for later in &later {
                apply(&mut folded, later);
            }
            let mut replayed = folded.clone();
            for later in later.get(from.index(later.len())..).unwrap_or_default() {
                apply(&mut replayed, later);
            }
            prop_assert_eq!(replayed, folded);
        }
    }

    #[test]
    fn a_recall_erases_its_target_and_the_edits_of_it_and_nothing_else() {
        let recall = entry(5, 1, Body::Recall(Recall { target: 1 }));
        let mut target = said(1);
        assert!(apply(&mut target, &edit(2, 1, "better")));
        assert_eq!(text_of(&target), Some("better"));
        assert!(mentions_of(&target).is_some_and(|mentions| mentions.everybody));
        assert!(apply(&mut target, &recall));
        assert_eq!((text_of(&target), &target.body), (None, &None));
        assert_eq!(target.state.recalled, Some(5));
        let mut its_edit = edit(2, 1, "better");
        assert!(apply(&mut its_edit, &recall));
        assert_eq!(its_edit.body, None);
        for mut other in [edit(3, 2, "of another"), said(4), said(6)] {
            let before = other.clone();
            assert!(!apply(&mut other, &recall));
            assert_eq!(other, before);
        }
        // What comes late, or was erased, changes nothing any more.
        assert!(!apply(&mut target, &edit(7, 1, "late")));
        let mut erased = edit(3, 4, "erased");
        erased.body = None;
        assert!(!apply(&mut said(1), &erased));
    }

    #[test]
    fn a_room_is_what_its_entries_say() {
        let mut room = RoomState::default();
        let member = |change, role| {
            let account = AccountId::from_bytes([2; 16]);
            Body::Member(Member {
                account,
                change,
                role,
            })
        };
        let name = Body::Settings(Settings {
            name: Some("Team".to_owned()),
            ..Settings::default()
        });
        assert!(room.apply(&entry(
            1,
            1,
            member(MemberChange::Joined, Some(Role::Reader))
        )));
        assert!(room.apply(&entry(2, 1, member(MemberChange::Role, Some(Role::Editor)))));
        assert!(room.apply(&entry(3, 1, name.clone())));
        assert!(!room.apply(&entry(4, 1, name)));
        assert!(!room.apply(&said(5)));
        assert_eq!(room.name, "Team");
        assert!(room.members.values().eq(&[Role::Editor]));
        assert!(room.apply(&entry(6, 1, member(MemberChange::Left, None))));
        assert_eq!(room.members.len(), 0);
    }

    /// An entry, what came after it, and what became of it: for every implementation of the fold.
    #[derive(serde::Deserialize)]
    struct Example {
        name: String,
        entry: Entry,
        later: Vec<Entry>,
        state: EntryState,
        #[serde(default)]
        erased: bool,
        text: Option<String>,
        mentions: Option<Mentions>,
    }

    #[derive(serde::Deserialize)]
    struct Examples {
        entries: Vec<Example>,
    }

    #[test]
    fn the_examples_that_the_page_is_tested_with_hold() {
        let text = include_str!("../../../docs/protocol/fold.json");
        let examples: Examples = serde_json::from_str(text).unwrap();
        for example in examples.entries {
            let mut entry = example.entry;
            for later in &example.later {
                apply(&mut entry, later);
            }
            assert_eq!(entry.state, example.state, "{}", example.name);
            assert_eq!(entry.body.is_none(), example.erased, "{}", example.name);
            assert_eq!(text_of(&entry), example.text.as_deref(), "{}", example.name);
            assert_eq!(
                mentions_of(&entry),
                example.mentions.as_ref(),
                "{}",
                example.name
            );
        }
    }
}
