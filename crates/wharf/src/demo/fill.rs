//! Plays the story on a new house.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wharf_core::accounts::Accounts;
use wharf_core::drive::RoomRef;
use wharf_core::{Caller, Clock, Origin, Random, Wharf};
use wharf_types::api::account::{CreateInvitation, Signup};
use wharf_types::api::contact::EditProfile;
use wharf_types::api::contact::{AskContact, EditContact, EditContactGroup};
use wharf_types::api::drive::{At, Commit, Expect, OnExists, Op};
use wharf_types::api::log::{Append, Draft, Edit, FileDraft, Mentions, Pin, Reaction, Text};
use wharf_types::api::room::{CreateRoom, EditPreferences, EditRoom, History, InviteToRoom};
use wharf_types::{AccountId, ChunkHash, CommitId, DeviceId, RoomId};
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use super::draw;
use super::story::{self, Content, Deed, Event, Person, Place, When};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// When the accounts were made.
const BEGAN_DAYS_AGO: i64 = 400;

/// What there is to see.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    /// Usernames and nicknames; the first one is the operator.
    pub(crate) people: Vec<(&'static str, &'static str)>,
    /// A code with which somebody else can make an account.
    pub(crate) invitation: String,
}

/// Fills a house that nobody has used and where anybody may sign up, up to `now_ms`. Everybody gets the same password.
///
/// `clock` is the house's own, and is left at `now_ms`.
///
/// # Errors
/// The house refuses something, or cannot write.
pub(crate) async fn fill(
    wharf: &Wharf,
    clock: &Clock,
    now_ms: i64,
    password: &str,
) -> anyhow::Result<Filled> {
    let days = Days::new(now_ms);
    let mut teller = Teller::begin(wharf, clock, days, password).await?;
    teller.meet().await?;
    teller.found().await?;
    teller.play().await?;
    teller.end().await?;
    clock.set_wall_ms(now_ms);
    let by = teller.known(0)?.caller;
    let invitation = wharf
        .accounts()
        .admin(&by)?
        .create_invitation(CreateInvitation {
            uses: 5,
            expires_seconds: None,
        })
        .await?;
    Ok(Filled {
        people: story::PEOPLE
            .iter()
            .map(|person| (person.username, person.nickname))
            .collect(),
        invitation: invitation.code.unwrap_or_default(),
    })
}

/// Turns days and hours into times.
#[derive(Debug, Clone, Copy)]
struct Days {
    now_ms: i64,
    midnight_ms: i64,
}

impl Days {
    fn new(now_ms: i64) -> Self {
        let offset_ms = Timestamp::from_millisecond(now_ms).map_or(0, |now| {
            i64::from(TimeZone::system().to_offset(now).seconds()) * 1000
        });
        let local_ms = now_ms + offset_ms;
        Self {
            now_ms,
            midnight_ms: local_ms - local_ms.rem_euclid(DAY_MS) - offset_ms,
        }
    }

    fn at(self, when: When) -> i64 {
        match when {
            When::Day(days, hours, minutes) => {
                self.midnight_ms - days * DAY_MS + (hours * 60 + minutes) * MINUTE_MS
            }
            When::Ago(minutes) => self.now_ms - minutes * MINUTE_MS,
        }
    }
}

/// Somebody of the story who has an account.
struct Known {
    caller: Caller,
    account: AccountId,
    home: RoomId,
    device: DeviceId,
    /// The last number that the device used.
    number: u64,
}

struct Teller<'a> {
    wharf: &'a Wharf,
    clock: &'a Clock,
    random: Random,
    days: Days,
    people: Vec<Known>,
    groups: Vec<RoomId>,
    /// Direct rooms, by the two who are in them, the lesser number first.
    direct: HashMap<(usize, usize), RoomId>,
    /// The texts and files of each room, in their order.
    said: HashMap<RoomId, Vec<u64>>,
}

impl<'a> Teller<'a> {
    async fn begin(
        wharf: &'a Wharf,
        clock: &'a Clock,
        days: Days,
        password: &str,
    ) -> anyhow::Result<Self> {
        clock.set_wall_ms(days.at(When::Day(BEGAN_DAYS_AGO, 9, 0)));
        let mut teller = Self {
            wharf,
            clock,
            random: Random::system(),
            days,
            people: Vec::new(),
            groups: Vec::new(),
            direct: HashMap::new(),
            said: HashMap::new(),
        };
        let accounts = wharf.accounts();
        for (index, person) in story::PEOPLE.iter().enumerate() {
            let signup = Signup {
                username: person.username.to_owned(),
                password: password.to_owned(),
                email: None,
                nickname: Some(person.nickname.to_owned()),
                code: accounts.setup_code(),
                device: Some(if index == 0 { "Laptop" } else { "Phone" }.to_owned()),
            };
            let made = accounts.signup(signup, Origin::internal()).await?;
            teller.know(accounts, person, &made.token).await?;
        }
        Ok(teller)
    }

    async fn know(
        &mut self,
        accounts: &Accounts,
        person: &Person,
        token: &str,
    ) -> anyhow::Result<()> {
        let caller = accounts.authenticate(token, Origin::internal()).await?;
        let account = accounts.account(&caller).await?;
        if !person.says.is_empty() {
            let profile = EditProfile {
                nickname: None,
                status_text: Some(person.says.to_owned()),
            };
            self.wharf.contacts().edit_profile(&caller, profile).await?;
        }
        self.people.push(Known {
            caller,
            account: account.id,
            home: account.home,
            device: DeviceId::from_bytes(self.random.bytes()),
            number: 0,
        });
        Ok(())
    }

    fn known(&self, who: usize) -> anyhow::Result<&Known> {
        self.people
            .get(who)
            .context("the story has nobody of this number")
    }

    /// Makes those contacts who share a group with the first person, and puts them into that person's groups.
    async fn meet(&mut self) -> anyhow::Result<()> {
        self.clock
            .set_wall_ms(self.days.at(When::Day(BEGAN_DAYS_AGO, 9, 30)));
        let contacts = self.wharf.contacts();
        let (stranger, word) = story::ASKING;
        for one in 0..story::PEOPLE.len() {
            for other in one + 1..story::PEOPLE.len() {
                if other != stranger {
                    self.befriend(one, other).await?;
                }
            }
        }
        let first = self.known(0)?.caller;
        let mut groups = BTreeMap::new();
        for (who, person) in story::PEOPLE.iter().enumerate() {
            let Some(name) = person.group else {
                continue;
            };
            let group = if let Some(group) = groups.get(name) {
                *group
            } else {
                let order = u32::try_from(groups.len())?;
                let request = EditContactGroup {
                    name: Some(name.to_owned()),
                    order: Some(order),
                };
                let made = contacts.create_group(&first, request).await?;
                groups.insert(name, made.id);
                made.id
            };
            let edit = EditContact {
                remark: (!person.remark.is_empty()).then(|| person.remark.to_owned()),
                group: Some(group),
                ..EditContact::default()
            };
            contacts
                .edit(&first, self.known(who)?.account, edit)
                .await?;
        }
        self.clock.set_wall_ms(self.days.at(When::Ago(130)));
        let ask = AskContact {
            who: story::PEOPLE[0].username.to_owned(),
            word: word.to_owned(),
        };
        contacts.ask(&self.known(stranger)?.caller, ask).await?;
        Ok(())
    }

    async fn befriend(&mut self, one: usize, other: usize) -> anyhow::Result<()> {
        let contacts = self.wharf.contacts();
        let (by, to) = (self.known(one)?, self.known(other)?);
        let ask = AskContact {
            who: story::PEOPLE
                .get(other)
                .map_or_else(String::new, |person| person.username.to_owned()),
            word: String::new(),
        };
        contacts.ask(&by.caller, ask).await?;
        let contact = contacts.accept(&to.caller, by.account).await?;
        let room = contact.room.context("two contacts have no room")?;
        self.direct.insert((one, other), room);
        Ok(())
    }

    /// Makes the groups.
    async fn found(&mut self) -> anyhow::Result<()> {
        for group in &story::GROUPS {
            self.clock
                .set_wall_ms(self.days.at(When::Day(group.days_ago, 17, 0)));
            let [owner, others @ ..] = group.members else {
                continue;
            };
            let owner = self.known(*owner)?.caller;
            let mut invite = Vec::new();
            for who in others {
                invite.push(self.known(*who)?.account);
            }
            let room = self
                .wharf
                .rooms()
                .create(
                    &owner,
                    CreateRoom {
                        id: None,
                        name: group.name.to_owned(),
                        topic: group.topic.to_owned(),
                        history: History::All,
                        invite,
                    },
                )
                .await?
                .id;
            for who in others {
                let by = self.known(*who)?.caller;
                self.wharf.rooms().accept(&by, room).await?;
            }
            self.groups.push(room);
        }
        Ok(())
    }

    /// Plays what happened, in the order of its times.
    async fn play(&mut self) -> anyhow::Result<()> {
        let mut events = story::events();
        let days = self.days;
        // What has the same time happens in the order of the story.
        events.sort_by_key(|Event(when, ..)| days.at(*when));
        let contents = self.upload(&events).await?;
        for (index, Event(when, who, place, deed)) in events.iter().enumerate() {
            let at_ms = self.days.at(*when);
            self.clock.set_wall_ms(at_ms);
            let room = self.room(*who, *place)?;
            match deed {
                Deed::Put(path, _) => {
                    let manifest = contents.get(&index).context("a file has no content")?;
                    let put = Op::Put {
                        path: (*path).to_owned(),
                        manifest: manifest.clone(),
                        mtime_ns: Some((at_ms - 7 * MINUTE_MS) * 1_000_000),
                        executable: false,
                        link: false,
                        expect: Expect::Any,
                    };
                    self.commit(*who, room, put).await?;
                }
                deed => {
                    self.act(*who, room, *deed)
                        .await
                        .with_context(|| format!("{deed:?}"))?;
                }
            }
        }
        Ok(())
    }

    /// Brings all contents to the server, at once for each person, and returns their manifests by event.
    async fn upload(&self, events: &[Event]) -> anyhow::Result<HashMap<usize, String>> {
        let mut contents = HashMap::new();
        // The same picture is drawn once.
        let mut drawn: Vec<(Content, Bytes)> = Vec::new();
        let mut frames: BTreeMap<usize, Vec<Frame>> = BTreeMap::new();
        for (index, Event(_, who, _, deed)) in events.iter().enumerate() {
            let Deed::Put(_, content) = deed else {
                continue;
            };
            let bytes = if let Some((_, bytes)) = drawn.iter().find(|(known, _)| known == content) {
                bytes.clone()
            } else {
                let bytes = Bytes::from(made(content)?);
                drawn.push((*content, bytes.clone()));
                bytes
            };
            let hash = ChunkHash::of(&bytes);
            let manifest = Manifest {
                chunks: vec![ManifestChunk {
                    hash,
                    bytes: u32::try_from(bytes.len())?,
                }],
            };
            contents.insert(index, to_base64(&manifest.pack()));
            frames
                .entry(*who)
                .or_default()
                .push(Frame::seal(hash, bytes));
        }
        for (who, frames) in frames {
            let by = self.known(who)?.caller;
            self.wharf.transfers().upload(&by, frames).await?;
        }
        Ok(contents)
    }

    fn room(&self, who: usize, place: Place) -> anyhow::Result<RoomId> {
        match place {
            Place::Home => Ok(self.known(who)?.home),
            Place::In(group) => self.groups.get(group).copied().context("no such group"),
            Place::With(other) => self
                .direct
                .get(&(who.min(other), who.max(other)))
                .copied()
                .context("these two have no room"),
        }
    }

    async fn act(&mut self, who: usize, room: RoomId, deed: Deed) -> anyhow::Result<()> {
        match deed {
            Deed::Say(text) => self.say(who, room, text, None).await,
            Deed::Reply(back, text) => {
                let target = self.target(room, back)?;
                self.say(who, room, text, Some(target)).await
            }
            Deed::React(back, emoji) => {
                let reaction = Reaction {
                    target: self.target(room, back)?,
                    emoji: emoji.to_owned(),
                    is_set: true,
                };
                self.append(who, room, Draft::Reaction(reaction)).await?;
                Ok(())
            }
            Deed::Edit(back, text) => {
                let edit = Edit {
                    target: self.target(room, back)?,
                    text: text.to_owned(),
                    mentions: self.mentions(text),
                };
                self.append(who, room, Draft::Edit(edit)).await?;
                Ok(())
            }
            Deed::Pin(back) => {
                let pin = Pin {
                    target: self.target(room, back)?,
                    is_set: true,
                };
                self.append(who, room, Draft::Pin(pin)).await?;
                Ok(())
            }
            Deed::Share(path, text) => self.share(who, room, path, text).await,
            Deed::Read => {
                let by = self.known(who)?.caller;
                let last = self.target(room, 0)?;
                let logs = self.wharf.logs();
                Ok(logs.mark_read(&by, RoomRef::Id(room), last).await?)
            }
            deed => match op_of(deed) {
                Some(op) => self.commit(who, room, op).await,
                None => Ok(()),
            },
        }
    }

    async fn say(
        &mut self,
        who: usize,
        room: RoomId,
        text: &str,
        reply_to: Option<u64>,
    ) -> anyhow::Result<()> {
        let draft = Draft::Text(Text {
            text: text.to_owned(),
            reply_to,
            mentions: self.mentions(text),
        });
        let position = self.append(who, room, draft).await?;
        self.said.entry(room).or_default().push(position);
        Ok(())
    }

    async fn share(
        &mut self,
        who: usize,
        room: RoomId,
        path: &str,
        text: &str,
    ) -> anyhow::Result<()> {
        let by = self.known(who)?.caller;
        let at = At::Path(path.to_owned());
        let node = self.wharf.drive().node(&by, RoomRef::Id(room), at).await?;
        let dimensions = story::events().iter().find_map(|event| match event {
            Event(_, _, _, Deed::Put(put, Content::Jpeg(scene) | Content::Png(scene)))
                if *put == path =>
            {
                Some((scene.width, scene.height))
            }
            _ => None,
        });
        let draft = Draft::File(FileDraft {
            node: node.id,
            revision: None,
            dimensions,
            text: text.to_owned(),
            reply_to: None,
            mentions: self.mentions(text),
        });
        let position = self.append(who, room, draft).await?;
        self.said.entry(room).or_default().push(position);
        Ok(())
    }

    async fn append(&mut self, who: usize, room: RoomId, draft: Draft) -> anyhow::Result<u64> {
        let now_ms = self.clock.now_ms();
        let known = self
            .people
            .get_mut(who)
            .context("the story has nobody of this number")?;
        known.number += 1;
        let append = Append {
            device: known.device,
            number: known.number,
            draft,
            client_ms: Some(now_ms),
        };
        let logs = self.wharf.logs();
        let appended = logs
            .append(&known.caller, RoomRef::Id(room), append)
            .await?;
        // Whoever writes has read what is there.
        logs.mark_read(&known.caller, RoomRef::Id(room), appended.position)
            .await?;
        Ok(appended.position)
    }

    async fn commit(&self, who: usize, room: RoomId, op: Op) -> anyhow::Result<()> {
        let commit = Commit {
            id: CommitId::from_bytes(self.random.bytes()),
            ops: vec![op],
        };
        let by = self.known(who)?.caller;
        self.wharf
            .drive()
            .commit(&by, RoomRef::Id(room), commit)
            .await?;
        Ok(())
    }

    fn target(&self, room: RoomId, back: usize) -> anyhow::Result<u64> {
        let said = self.said.get(&room).context("nothing was said there")?;
        let target = said.iter().rev().nth(back);
        target.copied().context("so much was not said there")
    }

    /// Those whose nicknames follow an `@`.
    fn mentions(&self, text: &str) -> Mentions {
        let mut accounts: Vec<_> = story::PEOPLE
            .iter()
            .zip(&self.people)
            .filter(|(person, _)| text.contains(&format!("@{}", person.nickname)))
            .map(|(_, known)| known.account)
            .collect();
        accounts.sort_unstable();
        Mentions {
            accounts,
            everybody: false,
        }
    }

    /// Archives what is over, invites, and leaves the first person's list as it is after a week.
    async fn end(&self) -> anyhow::Result<()> {
        let rooms = self.wharf.rooms();
        let group = |which: usize| {
            let found = self.groups.get(which).copied();
            found.map(RoomRef::Id).context("no such group")
        };
        let owner_of = |which: usize| -> anyhow::Result<Caller> {
            let owner = story::GROUPS
                .get(which)
                .and_then(|group| group.members.first())
                .context("no such group")?;
            Ok(self.known(*owner)?.caller)
        };
        self.clock.set_wall_ms(self.days.at(When::Day(70, 12, 0)));
        let archive = EditRoom {
            archived: Some(true),
            ..EditRoom::default()
        };
        rooms
            .edit(
                &owner_of(story::ARCHIVED)?,
                group(story::ARCHIVED)?,
                archive,
            )
            .await?;
        self.clock.set_wall_ms(self.days.at(When::Day(3, 8, 20)));
        let invite = InviteToRoom {
            account: self.known(0)?.account,
            role: None,
        };
        rooms
            .invite(&owner_of(story::INVITING)?, group(story::INVITING)?, invite)
            .await?;
        self.clock.set_wall_ms(self.days.at(When::Ago(20)));
        let first = self.known(0)?.caller;
        let pin = EditPreferences {
            is_pinned: Some(true),
            ..EditPreferences::default()
        };
        rooms.edit_preferences(&first, group(0)?, pin).await?;
        let draft = EditPreferences {
            draft: Some("Next year we start at nine, then".to_owned()),
            ..EditPreferences::default()
        };
        rooms.edit_preferences(&first, group(1)?, draft).await?;
        Ok(())
    }
}

/// What a deed does to a drive that needs no content.
fn op_of(deed: Deed) -> Option<Op> {
    let at = |path: &str| At::Path(path.to_owned());
    let expect = Expect::Any;
    Some(match deed {
        Deed::Folder(path) => Op::MakeFolder {
            path: path.to_owned(),
            expect,
        },
        Deed::Rename(from, to) => Op::Move {
            from: at(from),
            to: to.to_owned(),
            on_exists: OnExists::Refuse,
            expect,
        },
        Deed::Remove(path) => Op::Remove {
            at: at(path),
            expect,
        },
        Deed::Tag(path, tags) => Op::Tag {
            at: at(path),
            add: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            remove: Vec::new(),
        },
        _ => return None,
    })
}

fn made(content: &Content) -> anyhow::Result<Vec<u8>> {
    match content {
        Content::Text(text) => Ok(text.as_bytes().to_vec()),
        Content::Jpeg(scene) => draw::jpeg(scene),
        Content::Png(scene) => draw::png(scene),
        Content::Pdf(pages) => Ok(draw::pdf(pages)),
        Content::Bell => Ok(draw::wav()),
    }
}
