//! The house: every rule of Wharf, once, and no protocol.
//!
//! Every operation takes a
//! [`Caller`], which only [`accounts::Accounts::authenticate`] makes for a person, checks access inside its transaction
//! on what it finds there, and answers with its outcome or one [`Error`].

#![expect(
    clippy::todo,
    clippy::unused_async,
    dead_code,
    unused_variables,
    reason = "signatures first"
)]

mod access;
pub mod accounts;
mod caller;
mod clock;
mod config;
pub mod drive;
mod error;
pub mod job;
mod random;
mod setting;
pub mod transfer;

use std::sync::Arc;

use wharf_store::sql::Db;

pub use caller::{Caller, Door, InternalRole, Origin, Person, Scope};
pub use clock::Clock;
pub use config::{AttemptLimits, HouseConfig};
pub use error::{Error, Result};
pub use random::Random;

/// What every part of the house stands on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) config: Arc<HouseConfig>,
}
