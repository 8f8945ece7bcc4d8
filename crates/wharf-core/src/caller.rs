//! Who asks: the value without which no operation can be called.

use std::fmt;
use std::net::IpAddr;

use wharf_types::api::account::AccountRole;
use wharf_types::api::app_password::AppDoor;
use wharf_types::{AccountId, RoomId, SessionId};

use crate::error::{Error, Result};

/// A protocol through which requests reach the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The HTTP API.
    Http,
    /// The gateway for clients of the network sync drive.
    Netdisk,
    /// The gateway for clients of PyChat.
    PyChat,
    /// The gateway for clients of the diary, without proof of who they are.
    Diary,
    /// The journal over UDP.
    Journal,
    /// The gateway for clients of filestoraged.
    Filestored,
    /// The program itself: its console and its jobs.
    Internal,
}

impl Door {
    /// Its name, as entries and passwords of gateways keep it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Netdisk => "netdisk",
            Self::PyChat => "pychat",
            Self::Diary => "diary",
            Self::Journal => "journal",
            Self::Filestored => "filestored",
            Self::Internal => "internal",
        }
    }
}

impl From<AppDoor> for Door {
    fn from(door: AppDoor) -> Self {
        match door {
            AppDoor::Netdisk => Self::Netdisk,
            AppDoor::PyChat => Self::PyChat,
        }
    }
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The protocol.
    pub door: Door,
    /// The address of the other end, past proxies that the operator trusts.
    pub address: IpAddr,
}

/// What a caller may do at most, whatever its account may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look.
    Read,
    /// Everything that the account may.
    Full,
}

/// Work that no person asked for by logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InternalRole {
    /// Whoever runs the program on the server's own data: stands in for an operator, is a member of no room.
    Console,
    /// A background job.
    Job,
}

/// A person's login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// What it may do.
    pub role: AccountRole,
    /// The device's login.
    pub session: SessionId,
    /// The account's personal room.
    pub home: RoomId,
}

/// Who asks, how they came and how far they may go. Only the house makes one.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    who: Who,
    origin: Origin,
    scope: Scope,
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Person(Person),
    Internal(InternalRole),
}

impl Origin {
    /// A request over HTTP.
    pub fn http(address: IpAddr) -> Self {
        Self {
            door: Door::Http,
            address,
        }
    }

    /// The program itself.
    pub fn internal() -> Self {
        Self {
            door: Door::Internal,
            address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }
    }
}

impl Caller {
    /// A person who has proved to be one: only `accounts` may say so.
    pub(crate) fn person_at(person: Person, origin: Origin) -> Self {
        Self {
            who: Who::Person(person),
            origin,
            scope: Scope::Full,
        }
    }

    /// Work that the program does by itself.
    pub fn internal(role: InternalRole) -> Self {
        Self {
            who: Who::Internal(role),
            origin: Origin::internal(),
            scope: Scope::Full,
        }
    }

    /// Narrows what the caller may do; it can never be widened again.
    #[must_use]
    pub fn narrowed(mut self, scope: Scope) -> Self {
        self.scope = self.scope.min(scope);
        self
    }

    /// The person who asks.
    ///
    /// # Errors
    /// `Denied` when it is the program itself.
    pub fn person(&self) -> Result<&Person> {
        match &self.who {
            Who::Person(person) => Ok(person),
            Who::Internal(_) => Err(Error::denied("this needs an account")),
        }
    }

    /// The account that asks.
    ///
    /// # Errors
    /// `Denied` when it is the program itself.
    pub fn account(&self) -> Result<AccountId> {
        self.person().map(|person| person.account)
    }

    /// The role of the program itself, where it is not a person who asks.
    pub fn internal_role(&self) -> Option<InternalRole> {
        match self.who {
            Who::Person(_) => None,
            Who::Internal(role) => Some(role),
        }
    }

    /// How the request came.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What it may do at most.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Passes when the caller may change things.
    ///
    /// # Errors
    /// `Denied` when it may only look.
    pub fn may_write(&self) -> Result<()> {
        if self.scope < Scope::Full {
            return Err(Error::denied("this login may only read"));
        }
        Ok(())
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::Person(person) => write!(f, "{}", person.account),
            Who::Internal(InternalRole::Console) => f.write_str("console"),
            Who::Internal(InternalRole::Job) => f.write_str("job"),
        }
    }
}
