//! Calls of the server, and what came of them.

use wharf_client::api::Range;
use wharf_client::{Api, Room as Named};
use wharf_types::api::contact::{AskContact, ContactState, EditContact, EditContactGroup};
use wharf_types::api::room::{InviteToRoom, SaveToDrive};
use wharf_types::api::search::SearchQuery;

use crate::format;
use crate::tui::effect::{Effect, Feed};
use crate::tui::model::Finds;

/// Makes one call and says what came of it.
pub(super) async fn called(
    api: &Api,
    effect: Effect,
    zone: Option<String>,
) -> Result<Feed, wharf_client::ApiError> {
    match effect {
        Effect::Search { query } => Ok(found(api, query, zone).await),
        Effect::FindTime { room, at_ms } => {
            let range = Range::AtTime(at_ms);
            let page = api.log(Named::Id(room), range, Some(1)).await?;
            let position = page.items.first().map(|entry| entry.position);
            Ok(Feed::AtTime(room, position))
        }
        Effect::History { room, position } => {
            let history = api.entry(Named::Id(room), position).await?;
            Ok(Feed::History(room, Box::new(history)))
        }
        Effect::Save {
            room,
            node,
            revision,
            name,
        } => {
            let save = SaveToDrive {
                node,
                revision: Some(revision),
                folder: String::new(),
                name: Some(name),
            };
            let saved = api.save_to_drive(Named::Id(room), &save).await?;
            let size = format::bytes(saved.bytes);
            Ok(Feed::Done(format!(
                "/{} is on your drive ({size}).",
                saved.path
            )))
        }
        Effect::MakeRoom(_)
        | Effect::AnswerRoom(..)
        | Effect::Invite { .. }
        | Effect::Leave(_)
        | Effect::Prefer(..) => of_room(api, effect).await,
        effect => of_contact(api, effect).await,
    }
}

async fn of_room(api: &Api, effect: Effect) -> Result<Feed, wharf_client::ApiError> {
    Ok(match effect {
        Effect::MakeRoom(create) => {
            let room = api.create_room(&create).await?;
            Feed::Joined(room.id)
        }
        Effect::AnswerRoom(room, true) => Feed::Joined(api.accept_room_invitation(room).await?.id),
        Effect::AnswerRoom(room, false) => {
            api.decline_room_invitation(room).await?;
            done("Declined.")
        }
        Effect::Invite { room, account } => {
            let invite = InviteToRoom {
                account,
                role: None,
            };
            api.invite_to_room(Named::Id(room), &invite).await?;
            done("Invited.")
        }
        Effect::Leave(room) => {
            api.leave_room(Named::Id(room)).await?;
            done("You left the room.")
        }
        Effect::Prefer(room, edit) => {
            api.edit_preferences(Named::Id(room), &edit).await?;
            if edit.draft.is_none() {
                done("Set.")
            } else {
                Feed::Nothing
            }
        }
        _ => Feed::Nothing,
    })
}

async fn of_contact(api: &Api, effect: Effect) -> Result<Feed, wharf_client::ApiError> {
    Ok(match effect {
        Effect::Ask { who, word } => {
            let contact = api.ask_contact(&AskContact { who, word }).await?;
            let name = contact.person.nickname;
            match contact.state {
                ContactState::Contact => Feed::Done(format!("{name} is your contact now.")),
                _ => Feed::Done(format!("{name} was asked.")),
            }
        }
        Effect::Answer(account, true) => {
            let contact = api.accept_contact(account).await?;
            Feed::Done(format!("{} is your contact now.", contact.person.nickname))
        }
        Effect::Answer(account, false) => {
            api.decline_contact(account).await?;
            done("Declined.")
        }
        Effect::EditContact(account, edit) => {
            api.edit_contact(account, &edit).await?;
            done("Changed.")
        }
        Effect::RemoveContact(account) => {
            api.remove_contact(account).await?;
            done("Removed.")
        }
        Effect::MakeGroup { name, with } => {
            let group = EditContactGroup {
                name: Some(name),
                order: None,
            };
            let group = api.create_contact_group(&group).await?;
            let edit = EditContact {
                group: Some(group.id),
                ..EditContact::default()
            };
            api.edit_contact(with, &edit).await?;
            Feed::Done(format!("Moved into {}.", group.name))
        }
        _ => Feed::Nothing,
    })
}

fn done(text: &str) -> Feed {
    Feed::Done(text.to_owned())
}

async fn found(api: &Api, query: String, zone: Option<String>) -> Feed {
    let asked = SearchQuery {
        q: query.clone(),
        zone,
        limit: Some(50),
        ..SearchQuery::default()
    };
    Feed::Found(match api.search(&asked).await {
        Ok(found) => Finds {
            query,
            hits: found.items,
            problem: None,
        },
        Err(error) => Finds {
            query,
            hits: Vec::new(),
            problem: Some(error.to_string()),
        },
    })
}
