//! What people did, one thing after another.

use anyhow::Context as _;
use wharf_core::Caller;
use wharf_core::drive::RoomRef;
use wharf_types::api::drive::{At, Commit, Expect, OnExists, Op};
use wharf_types::api::log::{Append, Draft, Edit, FileDraft, Mentions, Pin, Reaction, Text};
use wharf_types::{CommitId, RoomId};

use super::{MINUTE_MS, Teller};
use crate::demo::story::{self, Content, Deed, Desk, Event};

impl Teller<'_> {
    /// Plays what happened, in the order of its times.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
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
            Deed::Note(desk, text) => self.note(who, room, desk, text).await,
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
        // What goes into the own journal was looked for at a desk.
        let by = if self.known(who)?.home == room {
            self.at_desk(who, Desk::Laptop).await?
        } else {
            self.known(who)?.caller
        };
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
        let position = self.append_by(&by, who, room, draft).await?;
        self.said.entry(room).or_default().push(position);
        Ok(())
    }

    async fn append(&mut self, who: usize, room: RoomId, draft: Draft) -> anyhow::Result<u64> {
        let by = self.known(who)?.caller;
        self.append_by(&by, who, room, draft).await
    }

    /// Appends as somebody who came another way than they usually do.
    pub(super) async fn append_by(
        &mut self,
        by: &Caller,
        who: usize,
        room: RoomId,
        draft: Draft,
    ) -> anyhow::Result<u64> {
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
        let appended = logs.append(by, RoomRef::Id(room), append).await?;
        // Whoever writes has read what is there.
        logs.mark_read(by, RoomRef::Id(room), appended.position)
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
