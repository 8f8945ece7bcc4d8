//! Random histories of a log, held against the model: five devices of each of four people, numbers that come again,
//! backups that are restored, profiles that are copied, gaps, clocks that step, and a second server process.
//!
//! `WHARF_LOG_SEEDS` sets how many histories (few in CI), `WHARF_LOG_STEPS` how long each is, `WHARF_LOG_SEED` the first.

use std::collections::{BTreeSet, HashMap};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use wharf_core::log::{Range, verify};
use wharf_core::{Caller, HouseConfig, Wharf};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::live::Sending;
use wharf_types::api::log::{
    AppendOutcome, Body, Draft, Edit, Entry, Mentions, Pin, Reaction, Recall, Text,
};
use wharf_types::{AccountId, DeviceId, ErrorCode, fold};

use super::model::{Answer, Ask, Item, Model, PEOPLE, Whom};
use super::room::{Talk, device, unlimited};
use crate::support::{START_MS, from};

both_engines!(a_log_does_what_the_model_does);

const DEVICES: usize = 5;
const WINDOW_MINUTES: u32 = 60 * 24;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is set from outside"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

async fn a_log_does_what_the_model_does(db: TestDb) {
    let config = HouseConfig {
        edit_minutes: WINDOW_MINUTES,
        recall_minutes: WINDOW_MINUTES,
        ..unlimited()
    };
    let talk = Talk::open_with(db, config).await;
    let first_seed = setting("WHARF_LOG_SEED", 1);
    let mut folded = BTreeSet::new();
    for seed in first_seed..first_seed + setting("WHARF_LOG_SEEDS", 4) {
        talk.empty().await;
        let mut trial = Trial::begin(&talk, seed).await;
        for step in 0..setting("WHARF_LOG_STEPS", 150) {
            trial.step(&format!("seed {seed}, step {step}")).await;
        }
        trial.end(&format!("seed {seed}"), &mut folded).await;
    }
    let every = ["edit", "pin", "reaction", "recall", "recall of an edit"];
    assert!(
        folded.iter().eq(&every),
        "not every kind was folded: {folded:?}"
    );
}

/// What a client keeps and believes: the next number, and what it has sent, some of which it may have lost again.
#[derive(Debug, Clone, Default)]
struct Profile {
    sent: Vec<(Ask, i64)>,
}

struct Trial<'t> {
    talk: &'t Talk,
    random: StdRng,
    model: Model,
    /// The two server processes, and everybody's callers there.
    houses: Vec<(Wharf, Vec<Caller>)>,
    accounts: Vec<AccountId>,
    profiles: HashMap<(usize, usize), Profile>,
    /// What a client held at some head, to be carried forward by the fold.
    snapshots: Vec<Vec<Entry>>,
}

impl<'t> Trial<'t> {
    async fn begin(talk: &'t Talk, seed: u64) -> Self {
        let people = [&talk.owner, &talk.editor, &talk.reader, &talk.stranger];
        let mut houses = Vec::new();
        for wharf in [talk.house.wharf.clone(), talk.house.second_process().await] {
            let mut callers = Vec::new();
            for person in people {
                let token = &person.logged_in.token;
                let caller = wharf
                    .accounts()
                    .authenticate(token, from("192.0.2.1"))
                    .await;
                callers.push(caller.unwrap());
            }
            houses.push((wharf, callers));
        }
        let window_ms = i64::from(WINDOW_MINUTES) * 60_000;
        Self {
            talk,
            random: StdRng::seed_from_u64(seed),
            model: Model {
                edit_ms: window_ms,
                recall_ms: window_ms,
                ..Model::default()
            },
            houses,
            accounts: people.iter().map(|person| person.id()).collect(),
            profiles: HashMap::new(),
            snapshots: Vec::new(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound)
    }

    /// A position, mostly of something near the end, sometimes of nothing.
    fn position(&mut self) -> u64 {
        let head = self.model.head();
        match self.below(10) {
            0 => self.random.random_range(0..=head + 2),
            1..5 => head.saturating_sub(self.below(8) as u64),
            // Some of the texts near the end again and again.
            _ => {
                let skipped = self.below(4) * 2;
                let mut said = (1..=head).rev().filter(|position| {
                    let index = usize::try_from(position - 1).unwrap();
                    matches!(self.model.items[index].ask, Ask::Say(..))
                });
                said.nth(skipped).unwrap_or(0)
            }
        }
    }

    /// Two processes on one database; SQLite has only one.
    fn house(&mut self) -> usize {
        self.below(self.houses.len())
    }

    async fn step(&mut self, at: &str) {
        match self.below(20) {
            0 => self.turn_clock(),
            1 => self.restore_or_copy(),
            2..4 => self.read(at).await,
            4 | 5 => {
                let page = self.talk.log(&self.talk.reader).await;
                self.snapshots.push(page);
            }
            6 => self.compare(at).await,
            _ => self.send(at).await,
        }
    }

    /// Steps of at most a day in all, forward and back, so that the windows are crossed both ways.
    fn turn_clock(&mut self) {
        let offset_ms = self.random.random_range(-DAY_MS..=2 * DAY_MS);
        self.talk.house.clock.set_wall_ms(START_MS + offset_ms);
    }

    /// A device's profile goes back in time, as by a restored backup, or becomes another device's as well.
    fn restore_or_copy(&mut self) {
        let who = self.below(PEOPLE);
        let (from, to) = (self.below(DEVICES), self.below(DEVICES));
        let mut profile = self.profiles.get(&(who, from)).cloned().unwrap_or_default();
        let kept = self.below(profile.sent.len() + 1);
        profile.sent.truncate(kept);
        // A copy under the other's id: from now on it has numbers that are not its own.
        let key = if self.below(3) == 0 {
            (who, to)
        } else {
            (who, from)
        };
        self.profiles.insert(key, profile);
    }

    fn whom(&mut self) -> Whom {
        match self.below(4) {
            0 => Whom::Everybody,
            1 => Whom::One(self.below(PEOPLE)),
            _ => Whom::Nobody,
        }
    }

    fn ask(&mut self) -> Ask {
        let target = self.position();
        let words = self.random.next_u32().to_string();
        match self.below(12) {
            0..5 => {
                let reply_to = (self.below(4) == 0).then_some(target);
                let text = if self.below(12) == 0 {
                    String::new()
                } else {
                    words
                };
                Ask::Say(text, reply_to, self.whom())
            }
            5 | 6 => {
                let text = if self.below(8) == 0 {
                    String::new()
                } else {
                    words
                };
                Ask::Edit(target, text, self.whom())
            }
            7 => Ask::Recall(target),
            8 | 9 => {
                let emoji = ["👍", "🎉"][self.below(2)].to_owned();
                Ask::React(target, emoji, self.below(3) > 0)
            }
            _ => Ask::Pin(target, self.below(3) > 0),
        }
    }

    /// One device sends a batch: new things, old ones again, and sometimes past a gap.
    async fn send(&mut self, at: &str) {
        // The owner and the editor do most of it.
        let who = [0, 0, 0, 1, 1, 1, 1, 2, 3][self.below(9)];
        let which = self.below(DEVICES);
        let from = (who, which);
        let mut profile = self.profiles.get(&from).cloned().unwrap_or_default();
        let numbers = self.numbers(&mut profile);
        let now_ms = self.talk.house.clock.now_ms();
        let wanted: Vec<Answer> = numbers
            .iter()
            .map(|(number, ask, client_ms)| self.model.send(from, *number, ask, *client_ms, now_ms))
            .collect();
        let house = self.house();
        let (wharf, callers) = &self.houses[house];
        let items = numbers
            .iter()
            .map(|(number, ask, client_ms)| Sending {
                number: *number,
                room: self.talk.room,
                draft: self.draft_of(ask),
                client_ms: Some(*client_ms),
            })
            .collect();
        let outcomes = wharf
            .logs()
            .append_batch(&callers[who], device_of(which), items)
            .await;
        let got: Vec<Answer> = outcomes.iter().map(answer_of).collect();
        assert_eq!(
            got, wanted,
            "{at}: {numbers:?} from {who}/{which}: {outcomes:?}"
        );
        // A device that learns of a gap, or that its numbers are taken, goes on from what the server knows.
        let used = self.model.sent.get(&from).cloned().unwrap_or_default();
        let is_answered = |answer: &Answer| matches!(answer, Answer::At { .. });
        if !wanted.iter().all(is_answered) {
            let known = used.into_iter().map(|sent| (sent.ask, sent.client_ms));
            profile.sent = known.collect();
        }
        self.profiles.insert(from, profile);
    }

    /// What a device sends in one batch, with its numbers and times.
    fn numbers(&mut self, profile: &mut Profile) -> Vec<(u64, Ask, i64)> {
        let mut numbers = Vec::new();
        for _ in 0..=self.below(4) {
            let client_ms = self.random.random_range(0..1_000_000);
            let next = profile.sent.len() as u64 + 1;
            match self.below(8) {
                0 if next > 1 => {
                    let number = self.random.random_range(1..next);
                    let index = usize::try_from(number - 1).unwrap();
                    let (ask, client_ms) = profile.sent[index].clone();
                    numbers.push((number, ask, client_ms));
                }
                1 => numbers.push((next + 1 + self.below(3) as u64, self.ask(), client_ms)),
                _ => {
                    let ask = self.ask();
                    profile.sent.push((ask.clone(), client_ms));
                    numbers.push((next, ask, client_ms));
                }
            }
        }
        numbers
    }

    async fn read(&mut self, at: &str) {
        let (who, which, position) = (self.below(PEOPLE), self.below(DEVICES), self.position());
        let house = self.house();
        let (wharf, callers) = &self.houses[house];
        let (logs, room) = (wharf.logs(), self.talk.at());
        let (read, delivered) = (
            logs.mark_read(&callers[who], room, position).await,
            logs.mark_delivered(&callers[who], device_of(which), room, position)
                .await,
        );
        let is_stranger = who == PEOPLE - 1;
        assert_eq!(
            (read.is_err(), delivered.is_err()),
            (is_stranger, is_stranger),
            "{at}"
        );
        if !is_stranger {
            self.model.mark_read(who, position);
            self.model.mark_delivered(who, which, position);
        }
    }

    /// The whole log, the cursors and what is unread, as the model has them.
    async fn compare(&mut self, at: &str) {
        let log = self.talk.log(&self.talk.reader).await;
        assert_eq!(log.len(), self.model.items.len(), "{at}");
        let mut countable = 0;
        for (position, (entry, item)) in (1..).zip(log.iter().zip(&self.model.items)) {
            countable += u64::from(matches!(item.ask, Ask::Say(..)));
            assert_eq!(
                (entry.position, entry.countable),
                (position, countable),
                "{at}"
            );
            assert_eq!(self.shown(entry), *item, "{at}: entry {position}");
        }
        let (wharf, callers) = &self.houses[0];
        let cursors = wharf
            .logs()
            .cursors(&callers[0], self.talk.at())
            .await
            .unwrap();
        assert_eq!(cursors.items.len(), PEOPLE - 1, "{at}");
        for cursor in cursors.items {
            let who = self.who(cursor.account);
            let wanted = (self.model.read[who], self.model.delivered(who));
            assert_eq!((cursor.read, cursor.delivered), wanted, "{at}: {who}");
            // What is unread is a subtraction of two positions in the same order.
            let countable_at = |position: u64| {
                let index = usize::try_from(position).unwrap();
                index.checked_sub(1).map_or(0, |index| log[index].countable)
            };
            let unread = countable - countable_at(cursor.read);
            assert_eq!(unread, self.model.unread(who), "{at}: {who}");
            let room = wharf
                .rooms()
                .get(&callers[who], self.talk.at())
                .await
                .unwrap();
            let wanted = (self.model.unread(who), self.model.mentions(who));
            assert_eq!((room.unread, room.mentions), wanted, "{at}: {who}");
        }
    }

    /// An entry in the model's words.
    fn shown(&self, entry: &Entry) -> Item {
        let author = self.who(entry.account.unwrap());
        let index = usize::try_from(entry.position).unwrap() - 1;
        let ask = match &entry.body {
            Some(Body::Text(said)) => {
                let whom = self.whom_of(&said.mentions);
                Ask::Say(said.text.clone(), said.reply_to, whom)
            }
            Some(Body::Edit(edit)) => {
                let whom = self.whom_of(&edit.mentions);
                Ask::Edit(edit.target, edit.text.clone(), whom)
            }
            Some(Body::Recall(recall)) => Ask::Recall(recall.target),
            Some(Body::Reaction(it)) => Ask::React(it.target, it.emoji.clone(), it.is_set),
            Some(Body::Pin(pin)) => Ask::Pin(pin.target, pin.is_set),
            // What was erased is known to the model alone.
            None => self.model.items[index].ask.clone(),
            Some(Body::File(_) | Body::Member(_) | Body::Settings(_)) => {
                panic!("nobody asked for {entry:?}")
            }
        };
        let state = &entry.state;
        Item {
            author,
            ask,
            at_ms: entry.at_ms,
            is_erased: entry.body.is_none(),
            edited: state.edited.as_ref().map(|edited| {
                let whom = self.whom_of(&edited.mentions);
                (edited.position, edited.text.clone(), whom)
            }),
            recalled: state.recalled,
            pinned: state.pinned,
            reactions: state
                .reactions
                .iter()
                .map(|held| (self.who(held.account), held.emoji.clone(), held.position))
                .collect(),
        }
    }

    fn whom_of(&self, mentions: &Mentions) -> Whom {
        match mentions.accounts.as_slice() {
            [] if mentions.everybody => Whom::Everybody,
            [] => Whom::Nobody,
            [account] => Whom::One(self.who(*account)),
            more => panic!("nobody mentioned {more:?}"),
        }
    }

    fn draft_of(&self, ask: &Ask) -> Draft {
        match ask.clone() {
            Ask::Say(text, reply_to, whom) => Draft::Text(Text {
                text,
                reply_to,
                mentions: self.mentions_of(whom),
            }),
            Ask::Edit(target, text, whom) => Draft::Edit(Edit {
                target,
                text,
                mentions: self.mentions_of(whom),
            }),
            Ask::Recall(target) => Draft::Recall(Recall { target }),
            Ask::React(target, emoji, is_set) => Draft::Reaction(Reaction {
                target,
                emoji,
                is_set,
            }),
            Ask::Pin(target, is_set) => Draft::Pin(Pin { target, is_set }),
        }
    }

    /// Whom a draft mentions.
    fn mentions_of(&self, whom: Whom) -> Mentions {
        Mentions {
            accounts: match whom {
                Whom::One(who) => vec![self.accounts[who]],
                Whom::Nobody | Whom::Everybody => Vec::new(),
            },
            everybody: whom == Whom::Everybody,
        }
    }

    fn who(&self, account: AccountId) -> usize {
        let found = self.accounts.iter().position(|known| *known == account);
        found.unwrap()
    }

    async fn end(&mut self, at: &str, folded: &mut BTreeSet<&'static str>) {
        self.compare(at).await;
        let now = self.talk.log(&self.talk.reader).await;
        for mut old in std::mem::take(&mut self.snapshots) {
            carry_forward(&mut old, &now, folded);
            assert_eq!(old, now, "{at}");
        }
        let verified = verify(self.houses[0].0.db()).await.unwrap();
        assert_eq!(verified.faults, [], "{at}");
        let (wharf, callers) = &self.houses[0];
        let last = wharf
            .logs()
            .page(&callers[0], self.talk.at(), Range::Last, Some(1))
            .await
            .unwrap();
        assert_eq!(last.head, self.model.head(), "{at}");
    }
}

/// Lets a client's old copy become the new one by the entries that it had not: each as it was told when it was new, or,
/// where it was erased meanwhile, as it is now.
fn carry_forward(old: &mut Vec<Entry>, now: &[Entry], folded: &mut BTreeSet<&'static str>) {
    for entry in now.iter().skip(old.len()) {
        let mut entry = entry.clone();
        entry.state = wharf_types::api::log::EntryState::default();
        for earlier in old.iter_mut() {
            let is_edit = matches!(earlier.body, Some(Body::Edit(_)));
            if fold::apply(earlier, &entry) {
                folded.insert(match &entry.body {
                    Some(Body::Edit(_)) => "edit",
                    Some(Body::Pin(_)) => "pin",
                    Some(Body::Reaction(_)) => "reaction",
                    Some(Body::Recall(_)) if is_edit => "recall of an edit",
                    Some(Body::Recall(_)) => "recall",
                    other => panic!("{other:?} changed an entry"),
                });
            }
        }
        // Told again, as after a cut connection, it changes nothing.
        let before = old.clone();
        for earlier in old.iter_mut() {
            assert!(!fold::apply(earlier, &entry));
        }
        assert_eq!(*old, before);
        old.push(entry);
    }
}

fn device_of(which: usize) -> DeviceId {
    device(u8::try_from(which).unwrap() + 100)
}

fn answer_of(outcome: &AppendOutcome) -> Answer {
    match outcome {
        AppendOutcome::Appended(appended) => Answer::At {
            position: appended.position,
            repeated: appended.repeated,
        },
        AppendOutcome::Refused(refused) => match (refused.code, refused.expected) {
            (ErrorCode::Stale, Some(expected)) => Answer::Expected(expected),
            (code, _) => Answer::Refused(code),
        },
    }
}
