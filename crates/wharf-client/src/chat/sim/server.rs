//! A server of the live protocol in memory: what docs/protocol/live.md promises, in the plainest way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wharf_types::api::live::{ClientFrame, Fetch, Hello, Sending, ServerFrame, Welcome};
use wharf_types::api::log::{Body, Draft, Entry, EntryState, LogPage, Origin, Refused};
use wharf_types::api::room::{AccountItem, History, Preferences, Role, Room, RoomKind};
use wharf_types::{AccountId, DeviceId, EntryHash, ErrorCode, RoomId, SessionId, fold};
use wharf_wire::entry::{Header, START, digest, draft_digest, kind_of, link, pack};

use super::{Random, Server, Truth};

/// The server.
#[derive(Default)]
pub(super) struct FakeServer {
    now_ms: i64,
    rooms: BTreeMap<RoomId, Log>,
    accounts: BTreeSet<AccountId>,
    sent: BTreeMap<(AccountId, DeviceId, u64), Answered>,
    lists: BTreeMap<AccountId, List>,
    conns: BTreeMap<u64, Conn>,
    next_conn: u64,
    /// Chance in a thousand that an append is answered with `limited`, and that a queue overflows.
    pub(super) limited_permille: u64,
    pub(super) lag_permille: u64,
}

struct Answered {
    digest: [u8; 32],
    answer: Result<(u64, i64, EntryHash), Refused>,
}

#[derive(Default)]
struct Log {
    entries: Vec<Entry>,
    read: BTreeMap<AccountId, u64>,
}

#[derive(Default)]
struct List {
    version: u64,
    /// Which room changed at which version, and whether as a whole or its cursor only.
    changed: BTreeMap<RoomId, (u64, bool)>,
}

struct Conn {
    account: AccountId,
    device: Option<DeviceId>,
    is_greeted: bool,
    told: BTreeMap<RoomId, u64>,
    out: VecDeque<ServerFrame>,
}

impl Log {
    /// Appends an entry and returns its position.
    fn append(
        &mut self,
        account: AccountId,
        room: RoomId,
        body: Body,
        at_ms: i64,
        client_ms: Option<i64>,
    ) -> u64 {
        let last = self.entries.last();
        let countable = last.map_or(0, |last| last.countable) + u64::from(body.is_countable());
        let position = self.head() + 1;
        let header = Header {
            room,
            position,
            kind: kind_of(&body),
            at_ms,
            countable,
            account: Some(account),
            session: None,
            hook: None,
            name: None,
            client_ms,
            target: body.target(),
            door: "live",
        };
        let before = self.hash_at(self.head()).unwrap();
        let hash = link(&before, &header, &digest(&pack(&body)));
        let is_countable = body.is_countable();
        let entry = Entry {
            position,
            at_ms,
            account: Some(account),
            hook: None,
            name: None,
            origin: Origin {
                session: None,
                door: "live".to_owned(),
                address: None,
            },
            client_ms,
            countable,
            hash,
            body: Some(body),
            state: EntryState::default(),
        };
        self.entries.push(entry);
        if is_countable {
            self.read.insert(account, position);
        }
        position
    }

    fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    fn hash_at(&self, position: u64) -> Option<EntryHash> {
        match position.checked_sub(1) {
            None => Some(START),
            Some(index) => self
                .entries
                .get(usize::try_from(index).unwrap())
                .map(|entry| entry.hash),
        }
    }

    /// The entries as they are at the head.
    fn folded(&self) -> Vec<Entry> {
        let mut folded: Vec<Entry> = Vec::new();
        for entry in &self.entries {
            if entry.body.as_ref().and_then(Body::target).is_some() {
                for earlier in &mut folded {
                    fold::apply(earlier, entry);
                }
            }
            folded.push(entry.clone());
        }
        folded
    }

    fn counts(&self, account: AccountId) -> (u64, u64, u64) {
        let read = self.read.get(&account).copied().unwrap_or_default();
        let (mut unread, mut mentions) = (0, 0);
        for entry in self.folded().iter().filter(|entry| entry.position > read) {
            let is_countable = entry.state.recalled.is_some()
                || entry.body.as_ref().is_some_and(Body::is_countable);
            unread += u64::from(is_countable);
            let is_mention = fold::mentions_of(entry).is_some_and(|who| who.includes(account));
            mentions += u64::from(is_mention);
        }
        (read, unread, mentions)
    }
}

impl FakeServer {
    fn view(&self, room: RoomId, account: AccountId) -> Room {
        let log = &self.rooms[&room];
        let (read, unread, mentions) = log.counts(account);
        Room {
            id: room,
            kind: RoomKind::Group,
            name: "room".to_owned(),
            topic: String::new(),
            peer: None,
            owner: *self.accounts.iter().next().unwrap(),
            role: Role::Editor,
            can_write: true,
            member_count: u32::try_from(self.accounts.len()).unwrap(),
            history: History::All,
            keep_days: 0,
            archived: false,
            created_ms: 0,
            joined_ms: 0,
            head: log.head(),
            head_hash: log.hash_at(log.head()).unwrap(),
            floor: 0,
            drive_head: 0,
            read,
            unread,
            mentions,
            last: log.folded().into_iter().rev().find(|entry| {
                entry.state.recalled.is_some()
                    || entry.body.as_ref().is_some_and(Body::is_countable)
            }),
            preferences: Preferences::default(),
        }
    }

    fn item(&self, room: RoomId, account: AccountId, is_whole: bool) -> AccountItem {
        if is_whole {
            return AccountItem::Room(Box::new(self.view(room, account)));
        }
        let log = &self.rooms[&room];
        let (position, unread, mentions) = log.counts(account);
        AccountItem::Read {
            room,
            position,
            unread,
            mentions,
            head: log.head(),
        }
    }

    fn touch(&mut self, account: AccountId, room: RoomId, is_whole: bool) {
        let list = self.lists.entry(account).or_default();
        list.version += 1;
        let version = list.version;
        let changed = list.changed.entry(room).or_insert((version, is_whole));
        *changed = (version, changed.1 || is_whole);
        let frame = ServerFrame::Account {
            version,
            items: vec![self.item(room, account, is_whole)],
        };
        for conn in self.conns.values_mut() {
            if conn.account == account && conn.is_greeted {
                conn.out.push_back(frame.clone());
            }
        }
    }

    fn hello(&mut self, id: u64, hello: &Hello) {
        let account = self.conns[&id].account;
        let list = self.lists.entry(account).or_default();
        let version = list.version;
        let since: Vec<(RoomId, bool)> = list
            .changed
            .iter()
            .filter(|(_, (at, _))| *at > hello.account_version)
            .map(|(room, (_, is_whole))| (*room, *is_whole || hello.account_version == 0))
            .collect();
        let number = hello
            .device
            .map_or(0, |device| self.last_number(account, device));
        let mut frames = vec![ServerFrame::Welcome(Welcome {
            epoch: "one".to_owned(),
            account,
            session: SessionId::from_bytes([1; 16]),
            number,
            time_ms: self.now_ms,
            heartbeat_seconds: 30,
            recall_minutes: 0,
            edit_minutes: 0,
        })];
        let items: Vec<AccountItem> = since
            .into_iter()
            .map(|(room, is_whole)| self.item(room, account, is_whole))
            .collect();
        // Of several parts only the last one has the new version.
        let told: Vec<RoomId> = items
            .iter()
            .filter_map(|item| match item {
                AccountItem::Room(room) => Some(room.id),
                _ => None,
            })
            .collect();
        let parts = items.len();
        for (index, item) in items.into_iter().enumerate() {
            let is_last = index + 1 == parts;
            frames.push(ServerFrame::Account {
                version: if is_last {
                    version
                } else {
                    hello.account_version
                },
                items: vec![item],
            });
        }
        let (mut items, mut diverged) = (Vec::new(), Vec::new());
        let mut heads = BTreeMap::new();
        for (room, log) in &self.rooms {
            heads.insert(*room, log.head());
            let known = hello.rooms.get(room);
            if known.is_some_and(|known| log.hash_at(known.position) != Some(known.hash)) {
                diverged.push(*room);
            }
            let is_told = told.contains(room);
            if !is_told && known.is_none_or(|known| known.position != log.head()) {
                items.push(self.view(*room, account));
            }
        }
        frames.push(ServerFrame::Rooms { items, diverged });
        frames.push(ServerFrame::Ready);
        let conn = self.conns.get_mut(&id).unwrap();
        conn.device = hello.device;
        conn.is_greeted = true;
        conn.told = heads;
        conn.out.extend(frames);
    }

    fn last_number(&self, account: AccountId, device: DeviceId) -> u64 {
        self.sent
            .range((account, device, 0)..=(account, device, u64::MAX))
            .next_back()
            .map_or(0, |((_, _, number), _)| *number)
    }

    fn send(&mut self, id: u64, sending: &Sending, random: &mut Random) {
        let conn = &self.conns[&id];
        let (account, device) = (conn.account, conn.device.unwrap());
        let number = sending.number;
        let digest = draft_digest(sending.room, &sending.draft, sending.client_ms);
        let key = (account, device, number);
        let nack = |code, expected, retry_after_ms| ServerFrame::Nack {
            number,
            refused: Refused {
                code,
                detail: "no".to_owned(),
                expected,
                retry_after_ms,
            },
        };
        let expected = self.last_number(account, device) + 1;
        let frame = if let Some(before) = self.sent.get(&key) {
            if before.digest == digest {
                answer(number, sending.room, &before.answer)
            } else {
                nack(ErrorCode::Stale, None, None)
            }
        } else if number != expected {
            nack(ErrorCode::Stale, Some(expected), None)
        } else if random.chance(self.limited_permille) {
            nack(ErrorCode::Limited, None, Some(50))
        } else {
            let answered = self.append(account, sending.room, &sending.draft, sending.client_ms);
            let frame = answer(number, sending.room, &answered);
            self.sent.insert(
                key,
                Answered {
                    digest,
                    answer: answered,
                },
            );
            frame
        };
        self.conns.get_mut(&id).unwrap().out.push_back(frame);
    }

    fn append(
        &mut self,
        account: AccountId,
        room: RoomId,
        draft: &Draft,
        client_ms: Option<i64>,
    ) -> Result<(u64, i64, EntryHash), Refused> {
        let refuse = |code| Refused {
            code,
            detail: "refused".to_owned(),
            expected: None,
            retry_after_ms: None,
        };
        let now_ms = self.now_ms;
        let log = self
            .rooms
            .get_mut(&room)
            .ok_or_else(|| refuse(ErrorCode::NotFound))?;
        let body = match draft.clone() {
            Draft::Text(text) => Body::Text(text),
            Draft::Edit(edit) => Body::Edit(edit),
            Draft::Recall(recall) => Body::Recall(recall),
            Draft::Reaction(reaction) => Body::Reaction(reaction),
            Draft::Pin(pin) => Body::Pin(pin),
            Draft::File(_) => return Err(refuse(ErrorCode::NotFound)),
        };
        if let Some(target) = body.target() {
            let index = usize::try_from(target).unwrap().wrapping_sub(1);
            let aim = log
                .entries
                .get(index)
                .ok_or_else(|| refuse(ErrorCode::NotFound))?;
            if !aim.body.as_ref().is_some_and(Body::is_countable) {
                return Err(refuse(ErrorCode::Invalid));
            }
            let is_own = aim.account == Some(account);
            if matches!(body, Body::Edit(_) | Body::Recall(_)) && !is_own {
                return Err(refuse(ErrorCode::Denied));
            }
            let is_recalled = log.entries.iter().any(
                |entry| matches!(&entry.body, Some(Body::Recall(recall)) if recall.target == target),
            );
            if is_recalled {
                return Err(refuse(ErrorCode::NotFound));
            }
        }
        let position = log.append(account, room, body, now_ms, client_ms);
        let hash = log.hash_at(position).unwrap();
        Ok((position, now_ms, hash))
    }

    /// Puts what the connections were not told of yet into their queues.
    fn publish(&mut self, random: &mut Random) {
        for conn in self.conns.values_mut().filter(|conn| conn.is_greeted) {
            for (room, log) in &self.rooms {
                let told = conn.told.entry(*room).or_insert(0);
                if *told < log.head() && random.chance(self.lag_permille) {
                    // The queue overflowed: everything in it but answers is dropped. Answers are asked for again.
                    *told = log.head();
                    conn.out.push_back(ServerFrame::Lag {
                        room: *room,
                        head: log.head(),
                        hash: log.hash_at(log.head()).unwrap(),
                    });
                }
                while *told < log.head() {
                    let entry = log.entries[usize::try_from(*told).unwrap()].clone();
                    *told += 1;
                    conn.out.push_back(ServerFrame::Entry {
                        room: *room,
                        entry: Box::new(entry),
                    });
                }
            }
        }
    }

    fn fetch(&mut self, id: u64, fetch: Fetch) {
        let log = &self.rooms[&fetch.room];
        let before = fetch.before.unwrap_or(log.head() + 1);
        let limit = u64::from(fetch.limit.unwrap_or(100)).min(7);
        let items: Vec<Entry> = log
            .folded()
            .into_iter()
            .filter(|entry| entry.position < before && entry.position + limit >= before)
            .collect();
        let page = LogPage {
            head: log.head(),
            head_hash: log.hash_at(log.head()).unwrap(),
            floor: 0,
            items,
        };
        let conn = self.conns.get_mut(&id).unwrap();
        conn.out.push_back(ServerFrame::Page {
            id: fetch.id,
            room: fetch.room,
            page,
        });
    }
}

fn answer(
    number: u64,
    room: RoomId,
    answered: &Result<(u64, i64, EntryHash), Refused>,
) -> ServerFrame {
    match answered {
        Ok((position, at_ms, hash)) => ServerFrame::Ack {
            number,
            room,
            position: *position,
            at_ms: *at_ms,
            hash: *hash,
        },
        Err(refused) => ServerFrame::Nack {
            number,
            refused: refused.clone(),
        },
    }
}

impl Server for FakeServer {
    fn add(&mut self, accounts: u8, rooms: u8) -> (Vec<AccountId>, Vec<RoomId>) {
        let accounts: Vec<_> = (1..=accounts)
            .map(|n| AccountId::from_bytes([n; 16]))
            .collect();
        let rooms: Vec<_> = (1..=rooms)
            .map(|n| RoomId::from_bytes([100 + n; 16]))
            .collect();
        self.accounts.extend(&accounts);
        for room in &rooms {
            self.rooms.insert(*room, Log::default());
            for account in &accounts {
                self.touch(*account, *room, true);
            }
        }
        (accounts, rooms)
    }

    fn connect(&mut self, account: AccountId) -> u64 {
        self.next_conn += 1;
        self.conns.insert(
            self.next_conn,
            Conn {
                account,
                device: None,
                is_greeted: false,
                told: BTreeMap::new(),
                out: VecDeque::new(),
            },
        );
        self.next_conn
    }

    fn disconnect(&mut self, conn: u64) {
        self.conns.remove(&conn);
    }

    fn receive(&mut self, id: u64, frame: ClientFrame, now_ms: i64, random: &mut Random) {
        self.now_ms = now_ms;
        match frame {
            ClientFrame::Hello(hello) => self.hello(id, &hello),
            ClientFrame::Send(sending) => {
                // Some are told of their entry before the answer, some after.
                if random.chance(500) {
                    self.send(id, &sending, random);
                    self.publish(random);
                } else {
                    self.send(id, &sending, random);
                    let answer = self.conns.get_mut(&id).unwrap().out.pop_back().unwrap();
                    self.publish(random);
                    self.conns.get_mut(&id).unwrap().out.push_back(answer);
                }
            }
            ClientFrame::Fetch(fetch) => self.fetch(id, fetch),
            ClientFrame::Read(reached) => {
                let account = self.conns[&id].account;
                let log = self.rooms.get_mut(&reached.room).unwrap();
                let position = reached.position.min(log.head());
                let read = log.read.entry(account).or_default();
                if *read < position {
                    *read = position;
                    self.touch(account, reached.room, false);
                }
            }
            ClientFrame::Ping { number } => {
                let conn = self.conns.get_mut(&id).unwrap();
                conn.out.push_back(ServerFrame::Pong {
                    number,
                    time_ms: now_ms,
                });
            }
            ClientFrame::Delivered(_)
            | ClientFrame::Typing(_)
            | ClientFrame::Status { .. }
            | ClientFrame::Watch { .. } => {}
        }
    }

    fn take(&mut self, conn: u64) -> Vec<ServerFrame> {
        self.conns
            .get_mut(&conn)
            .map(|conn| conn.out.drain(..).collect())
            .unwrap_or_default()
    }

    fn truth(&mut self, account: AccountId) -> BTreeMap<RoomId, Truth> {
        self.rooms
            .iter()
            .map(|(room, log)| {
                let (read, unread, mentions) = log.counts(account);
                let truth = Truth {
                    entries: log.folded(),
                    read,
                    unread,
                    mentions,
                };
                (*room, truth)
            })
            .collect()
    }
}
