//! Who is there.
//!
//! An account is there while it has connections that were greeted, here or, as their processes say every so often, at
//! others. What changed is gathered over a second and told to the connections that show it. Who may see whom was checked
//! when the connection said whom it shows, and is checked again when their standing changes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use wharf_types::AccountId;
use wharf_types::api::contact::{Presence, Status};

use super::conn::{Conn, together};
use super::hub::Hub;
use super::{HEARTBEAT, shown};

/// How long what another process said of an account is believed.
const LEASE_MS: i64 = 3_000 * HEARTBEAT.as_secs().cast_signed();

/// What is known of presence.
#[derive(Debug, Default)]
pub(super) struct Presences {
    watchers: Mutex<HashMap<AccountId, Vec<Arc<Conn>>>>,
    /// Accounts whose connections changed since the last look.
    changed: Mutex<HashSet<AccountId>>,
    /// How accounts were at the last look, where they were not offline.
    known: Mutex<HashMap<AccountId, Status>>,
    /// Likewise, by the connections here alone.
    here: Mutex<HashMap<AccountId, Status>>,
    /// What other processes say.
    elsewhere: Mutex<HashMap<AccountId, BTreeMap<u64, Elsewhere>>>,
}

/// How an account is at another process.
#[derive(Debug, Clone, Copy)]
struct Elsewhere {
    status: Status,
    until_ms: i64,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Accounts that were visible and are not any more.
    pub(super) left: Vec<AccountId>,
    /// Accounts whose connections here changed, and how they are here.
    pub(super) here: Vec<(AccountId, Status)>,
}

impl Presences {
    pub(super) fn changed(&self, account: AccountId) {
        self.changed.lock().insert(account);
    }

    /// Takes what another process says of an account.
    pub(super) fn elsewhere(&self, process: u64, account: AccountId, status: Status, now_ms: i64) {
        let mut elsewhere = self.elsewhere.lock();
        let of_account = elsewhere.entry(account).or_default();
        if status == Status::Offline {
            of_account.remove(&process);
        } else {
            let until_ms = now_ms + LEASE_MS;
            of_account.insert(process, Elsewhere { status, until_ms });
        }
        if of_account.is_empty() {
            elsewhere.remove(&account);
        }
        drop(elsewhere);
        self.changed(account);
    }

    /// Lets go of what other processes have not repeated.
    pub(super) fn expire(&self, now_ms: i64) {
        let mut over = Vec::new();
        self.elsewhere.lock().retain(|account, of_account| {
            let before = of_account.len();
            of_account.retain(|_, elsewhere| now_ms < elsewhere.until_ms);
            if of_account.len() < before {
                over.push(*account);
            }
            !of_account.is_empty()
        });
        self.changed.lock().extend(over);
    }

    fn status_elsewhere(&self, account: AccountId) -> Status {
        let elsewhere = self.elsewhere.lock();
        let of_account = elsewhere
            .get(&account)
            .into_iter()
            .flat_map(BTreeMap::values);
        together(of_account.map(|elsewhere| elsewhere.status))
    }

    /// Has a connection told of accounts from now on, in place of those before. It may see them.
    pub(super) fn watch(&self, conn: &Arc<Conn>, accounts: &[AccountId]) {
        let mut watchers = self.watchers.lock();
        let mut watched = conn.watched.lock();
        unwatch(&mut watchers, &watched, conn);
        for account in accounts {
            watchers.entry(*account).or_default().push(Arc::clone(conn));
        }
        *watched = accounts.into();
    }

    pub(super) fn unwatch(&self, conn: &Arc<Conn>) {
        self.watch(conn, &[]);
    }

    pub(super) fn watchers_of(&self, account: AccountId) -> Vec<Arc<Conn>> {
        self.watchers
            .lock()
            .get(&account)
            .cloned()
            .unwrap_or_default()
    }

    /// How an account is, of which `reader` asks.
    pub(super) fn status(&self, hub: &Hub, account: AccountId, reader: AccountId) -> Status {
        let status = together([hub.status_here(account), self.status_elsewhere(account)]);
        if account == reader {
            status
        } else {
            shown(status)
        }
    }

    /// Tells what has changed since the last look.
    pub(super) fn look(&self, hub: &Hub, now_ms: i64) -> Looked {
        let mut looked = Looked::default();
        for account in std::mem::take(&mut *self.changed.lock()) {
            let here = hub.status_here(account);
            if replace(&self.here, account, here) != here {
                looked.here.push((account, here));
            }
            let status = together([here, self.status_elsewhere(account)]);
            let before = replace(&self.known, account, status);
            if before == status {
                continue;
            }
            let has_left = shown(before) != Status::Offline && shown(status) == Status::Offline;
            if has_left {
                looked.left.push(account);
            }
            for conn in self.watchers_of(account) {
                let status = if conn.account == account {
                    status
                } else {
                    shown(status)
                };
                let before = if conn.account == account {
                    before
                } else {
                    shown(before)
                };
                if status != before {
                    let seen_ms = (status == Status::Offline).then_some(now_ms);
                    conn.outbox.push_presence(Presence {
                        account,
                        status,
                        seen_ms,
                    });
                    conn.outbox.wake();
                }
            }
        }
        looked
    }

    /// Accounts that are here and seen by others.
    pub(super) fn visible(&self) -> Vec<AccountId> {
        let known = self.known.lock();
        let visible = known
            .iter()
            .filter(|(_, status)| shown(**status) != Status::Offline);
        visible.map(|(account, _)| *account).collect()
    }
}

/// Notes how an account is, and returns how it was.
fn replace(
    known: &Mutex<HashMap<AccountId, Status>>,
    account: AccountId,
    status: Status,
) -> Status {
    let mut known = known.lock();
    let before = if status == Status::Offline {
        known.remove(&account)
    } else {
        known.insert(account, status)
    };
    before.unwrap_or_default()
}

fn unwatch(
    watchers: &mut HashMap<AccountId, Vec<Arc<Conn>>>,
    watched: &[AccountId],
    conn: &Arc<Conn>,
) {
    for account in watched {
        if let Some(of_account) = watchers.get_mut(account) {
            of_account.retain(|other| !Arc::ptr_eq(other, conn));
            if of_account.is_empty() {
                watchers.remove(account);
            }
        }
    }
}
