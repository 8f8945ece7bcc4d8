//! What connections ask about people.

use wharf_core::Result;
use wharf_core::accounts::DoorSignup;
use wharf_types::api::app_password::AppDoor;
use wharf_types::api::contact::{AskContact, ContactState};
use wharf_wire::gateway::pychat::{ALREADY_FRIENDS, NO_SUCH_NUMBER, Number, item, said};

use super::super::desk::Desk;
use super::super::map;
use super::{Talk, log, reply};
use crate::gateway::protocol::Step;

impl Talk {
    /// Makes an account.
    pub(super) async fn sign_in(&self, email: &[u8], nickname: &[u8], password_md5: &[u8]) -> Step {
        let nickname = item(&said(nickname));
        let request = DoorSignup {
            username: None,
            email: Some(said(email)),
            nickname: (!nickname.is_empty()).then_some(nickname),
            proof: said(password_md5),
        };
        let origin = Desk::origin(self.peer);
        let accounts = self.desk.wharf.accounts();
        match accounts
            .signup_by_door(AppDoor::PyChat, request, origin)
            .await
        {
            Ok(account) => reply(account.number.to_string()),
            Err(error) => {
                log(&error);
                reply(map::not_signed_in(&error))
            }
        }
    }

    /// Who has a number. An e-mail address is shown to its owner only; others have a username.
    pub(super) async fn find(&self, who: Number) -> Step {
        or_nobody(self.found(who).await)
    }

    async fn found(&self, who: Number) -> Result<String> {
        let Some(seat) = self.desk.last(self.peer) else {
            return Ok(NO_SUCH_NUMBER.to_owned());
        };
        if who == seat.me {
            return Ok(format!("[{}]{}", item(&seat.nickname), seat.email));
        }
        let contacts = self.desk.wharf.contacts();
        let found = contacts.find(&seat.by, &who.to_string()).await?;
        Ok(format!("[{}]{}", item(&found.nickname), found.username))
    }

    /// Asks somebody to be a friend, or agrees to who asked before.
    pub(super) async fn add(&self, who: Number, friend: Number) -> Step {
        or_nobody(self.added(who, friend).await)
    }

    async fn added(&self, who: Number, friend: Number) -> Result<String> {
        let Some(seat) = self.seat(who) else {
            return Ok(NO_SUCH_NUMBER.to_owned());
        };
        let known = seat.friend(friend).map(|friend| friend.state);
        if matches!(known, Some(ContactState::Contact | ContactState::Asked)) {
            return Ok(ALREADY_FRIENDS.to_owned());
        }
        let ask = AskContact {
            who: friend.to_string(),
            word: String::new(),
        };
        let contact = self.desk.wharf.contacts().ask(&seat.by, ask).await?;
        let friend = seat.knows(contact);
        let state = if seat.is_online(&friend) {
            "ONLINE"
        } else {
            "OFFLINE"
        };
        Ok(format!("{}|{}|{state}", friend.number, friend.name))
    }
}

/// What was found out, or that nobody has the number.
fn or_nobody(answer: Result<String>) -> Step {
    match answer {
        Ok(answer) => reply(answer),
        Err(error) => {
            log(&error);
            reply(NO_SUCH_NUMBER)
        }
    }
}
