//! The drive: commits, the trash, names, what reads answer, quota and retention.

mod commit;
mod history;
mod model;
mod names;
mod random;
mod read;
mod trash;
mod usage;
