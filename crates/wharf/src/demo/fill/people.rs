//! The people of the story: their accounts, who knows whom, their groups, and how their lists are in the end.

use std::collections::BTreeMap;

use anyhow::Context as _;
use wharf_core::accounts::Accounts;
use wharf_core::drive::RoomRef;
use wharf_core::{Caller, Origin};
use wharf_types::DeviceId;
use wharf_types::api::contact::{AskContact, EditContact, EditContactGroup, EditProfile};
use wharf_types::api::room::{CreateRoom, EditPreferences, EditRoom, History, InviteToRoom};

use super::{BEGAN_DAYS_AGO, Known, Teller};
use crate::demo::story::{self, Person, When};

impl Teller<'_> {
    pub(super) async fn know(
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

    /// Makes those contacts who share a group with the first person, and puts them into that person's groups.
    pub(super) async fn meet(&mut self) -> anyhow::Result<()> {
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
    pub(super) async fn found(&mut self) -> anyhow::Result<()> {
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

    /// Archives what is over, invites, and leaves the first person's list as it is after a week.
    pub(super) async fn end(&self) -> anyhow::Result<()> {
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
