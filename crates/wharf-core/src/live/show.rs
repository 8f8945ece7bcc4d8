//! What connections show each other and nobody records: who is there, and who types.

use std::collections::HashSet;

use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::live::Typing;
use wharf_types::limit::LIVE_WATCHED_MAX;
use wharf_types::{AccountId, ErrorCode};

use super::conn::Connection;
use crate::access::{Right, enter};
use crate::caller::Caller;
use crate::contact::visible_to;
use crate::error::{Error, Result};

/// How soon typing in the same room is told again: a little less than clients say it.
const TYPING_MS: i64 = 2_500;

impl Connection {
    /// Has the connection told of the presence of accounts from now on, in place of those before, and says how they are
    /// now. Whom the caller may not see is left out.
    ///
    /// # Errors
    /// `TooLarge`: more than 1,000 accounts.
    pub async fn watch(&self, by: &Caller, mut accounts: Vec<AccountId>) -> Result<Vec<Presence>> {
        if accounts.len() > LIVE_WATCHED_MAX {
            return Err(Error::new(
                ErrorCode::TooLarge,
                "a connection watches 1,000 accounts at most",
            ));
        }
        accounts.sort_unstable();
        accounts.dedup();
        let reader = by.account()?;
        let hub = self.live().hub();
        // First it is told, then it is read: no change falls between the two.
        hub.presence.watch(self.conn(), &accounts);
        let visible = hub
            .db
            .read(move |tx| visible_to(tx, reader, &accounts))
            .await
            .map_err(Error::from)?;
        let seen: Vec<_> = visible.iter().map(|(account, _)| *account).collect();
        hub.presence.watch(self.conn(), &seen);
        let presences = visible.into_iter().map(|(account, seen_ms)| {
            let status = hub.presence.status(hub, account, reader);
            Presence {
                account,
                status,
                seen_ms: seen_ms.filter(|_| status == Status::Offline),
            }
        });
        Ok(presences.collect())
    }

    /// Looks again who of those that are watched may be seen. Who may not any more is said to be offline.
    pub async fn watch_again(&self, by: &Caller) -> Result<Vec<Presence>> {
        let before = self.conn().watched.lock().to_vec();
        if before.is_empty() {
            return Ok(Vec::new());
        }
        let mut presences = self.watch(by, before.clone()).await?;
        let seen: HashSet<_> = presences.iter().map(|presence| presence.account).collect();
        let hidden = before.into_iter().filter(|account| !seen.contains(account));
        presences.extend(hidden.map(|account| Presence {
            account,
            status: Status::Offline,
            seen_ms: None,
        }));
        Ok(presences)
    }

    /// Tells those who follow a room that the caller types there, or has stopped. What comes too often, or where the
    /// caller may not write, is not told.
    pub async fn typing(&self, by: &Caller, typing: Typing) -> Result<()> {
        let room = typing.room;
        let steady_ms = self.live().hub().clock.steady_ms();
        {
            let mut typed = self.conn().typed.lock();
            let is_typing = typed.is_some_and(|(last, _)| last == room);
            let is_soon = typed.is_some_and(|(_, at_ms)| steady_ms - at_ms < TYPING_MS);
            match (is_typing, typing.stopped) {
                (false, true) => return Ok(()),
                (true, false) if is_soon => return Ok(()),
                (_, stopped) => *typed = (!stopped).then_some((room, steady_ms)),
            }
        }
        let by = *by;
        let entered = self
            .live()
            .hub()
            .db
            .read(move |tx| enter(tx, &by, room, Right::Edit).map(drop))
            .await;
        match entered {
            Ok(()) => {
                self.live().typing(room, by.account()?, typing.stopped);
                Ok(())
            }
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Denied) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
