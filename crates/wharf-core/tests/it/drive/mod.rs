//! The drive: commits, the trash, names, what reads answer, quota and retention.

mod commit;
mod names;
mod read;
mod trash;
mod usage;
