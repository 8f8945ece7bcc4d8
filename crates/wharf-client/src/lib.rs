//! The client of a Wharf server: its API, and transfers that survive cuts, crashes and restarts on either side.
//!
//! It knows the server through the public HTTP API alone, so that anyone could have written it.
//!
//! - [`api`]: a typed call for each route, over a fixed number of connections ([`net`]).
//! - [`chat`]: conversations, from a local copy that is kept up to date, with an outbox.
//! - [`task`]: the client's own list of transfers, shared by all its processes.
//! - [`portage`]: the archive of an account, out and in.
//! - [`udp`]: a journal by datagrams, from a spool.
//! - [`transfer`]: puts and gets of files and folders, streams, and the runner that ties them to their tasks.

pub mod api;
pub mod chat;
pub mod clock;
mod database;
mod disk;
pub mod error;
pub mod net;
mod plan;
pub mod portage;
pub mod progress;
mod scan;
pub mod task;
pub mod transfer;
pub mod udp;

pub use api::{Api, ApiError, Room};
pub use chat::{Chat, ChatOptions};
pub use clock::Clock;
pub use error::Error;
pub use progress::{Progress, Snapshot};
pub use task::{NewTask, Task, TaskKind, TaskState, TaskStore};
