//! What the operator decides about the house. Plain values: nothing here reads a file or the environment.

use wharf_types::api::account::SignupPolicy;
use wharf_types::api::drive::Retention;

use crate::live::LiveLimits;

/// The operator's decisions.
#[derive(Debug, Clone)]
pub struct HouseConfig {
    /// Who may make an account.
    pub signup: SignupPolicy,
    /// The quota of a new account, in bytes.
    pub quota_bytes_default: u64,
    /// The retention of a new room's drive.
    pub retention_default: Retention,
    /// Days after which a session that was not used ends; 0 keeps it until it is ended.
    pub session_idle_days: u32,
    /// Bounds on failed logins.
    pub attempts: AttemptLimits,
    /// Passwords hashed at the same time; each takes 19 MiB and a core while it lasts.
    pub password_hashes_at_once: usize,
    /// Hours for which an unreferenced chunk is kept, so that an upload may still be committed.
    pub chunk_grace_hours: u32,
    /// Days in which the scrub reads every segment once; 0 turns it off.
    pub scrub_days: u32,
    /// Bounds on sending.
    pub messages: MessageLimits,
    /// Bounds on each key of the journal over UDP.
    pub journal: JournalLimits,
    /// Bounds on live connections.
    pub live: LiveLimits,
    /// Minutes for which authors can take back what they said; 0 for ever. Owners of rooms can always.
    pub recall_minutes: u32,
    /// Minutes for which authors can change what they said; 0 for ever.
    pub edit_minutes: u32,
    /// Where outgoing webhooks may post to.
    pub outgoing_hooks: Outgoing,
    /// Where notices may be posted to.
    pub push: Outgoing,
    /// A `mailto:` or `https:` address where push services reach who runs this server.
    pub push_contact: Option<String>,
}

/// How fast entries may be appended. Each bound is a bucket that holds `burst` and fills at `per_minute`.
#[derive(Debug, Clone, Copy)]
pub struct MessageLimits {
    /// One account may append this many at once,
    pub account_burst: u32,
    /// and this many a minute after that.
    pub account_per_minute: u32,
    /// All accounts from one address may append this many at once,
    pub address_burst: u32,
    /// and this many a minute after that.
    pub address_per_minute: u32,
}

/// How fast one key of the journal over UDP may append entries: a bucket beside those of its account and address.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// This many at once,
    pub key_burst: u32,
    /// and this many a second after that.
    pub key_per_second: u32,
}

/// Where this server may post to on somebody's behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// Nowhere.
    Off,
    /// Addresses of the public Internet alone, so that nobody reaches into the server's own network.
    Public,
    /// Anywhere.
    Anywhere,
}

/// How many failures are let through in one window of time, by what they have in common.
///
/// A guess from one address at one account meets the first bound, a guess from one address at many accounts the second,
/// and a guess from many addresses at one account the third. The third does not bind an address from which the account
/// has a session, so strangers cannot keep an owner out of the devices' usual places; nothing binds open sessions.
#[derive(Debug, Clone, Copy)]
pub struct AttemptLimits {
    /// Length of a window, in seconds.
    pub window_seconds: u32,
    /// Failures from one address at one login.
    pub per_login_and_address: u32,
    /// Failures from one address.
    pub per_address: u32,
    /// Failures at one login from addresses that are strange to it.
    pub per_login: u32,
    /// Sign-ups from one address, failed or not.
    pub signups_per_address: u32,
    /// People that one account looks for by number, name or address, found or not.
    pub finds_per_account: u32,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            window_seconds: 15 * 60,
            per_login_and_address: 10,
            per_address: 100,
            per_login: 100,
            signups_per_address: 100,
            finds_per_account: 200,
        }
    }
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            account_burst: 200,
            account_per_minute: 600,
            address_burst: 2_000,
            address_per_minute: 12_000,
        }
    }
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            key_burst: 20,
            key_per_second: 1,
        }
    }
}

impl Default for HouseConfig {
    fn default() -> Self {
        Self {
            signup: SignupPolicy::Closed,
            quota_bytes_default: 100 * 1024 * 1024 * 1024,
            retention_default: Retention {
                revision_days: 365,
                trash_days: 30,
            },
            session_idle_days: 180,
            attempts: AttemptLimits::default(),
            password_hashes_at_once: 2,
            chunk_grace_hours: 48,
            scrub_days: 30,
            messages: MessageLimits::default(),
            journal: JournalLimits::default(),
            live: LiveLimits::default(),
            recall_minutes: 0,
            edit_minutes: 0,
            outgoing_hooks: Outgoing::Public,
            push: Outgoing::Public,
            push_contact: None,
        }
    }
}
