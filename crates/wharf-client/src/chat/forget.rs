//! Removing a local copy whose login has ended, though other processes may have it open.

use std::io;
use std::path::Path;

use super::error::ChatError;
use super::new_device;
use super::store::{self, Store};
use crate::clock::Clock;
use crate::database::Durability;

/// What happens to what was written and not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// It is kept, and the copy with it.
    Keep,
    /// It is lost with the copy.
    Lose,
}

/// What became of a copy that was to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// It is gone.
    Removed,
    /// It is as it was: so many items of its outbox have no answer.
    Kept {
        /// How many.
        waiting_count: u32,
    },
}

/// How many items of the outbox of a copy have no answer. Needs no server; where there is no copy, nothing waits.
///
/// # Errors
/// When the copy cannot be read.
pub fn unsent_count(path: &Path) -> Result<u32, ChatError> {
    if !is_there(path)? {
        return Ok(0);
    }
    open(path)?.read(|tx| store::outbox::unanswered_count(tx))
}

/// Removes a copy, of a login that has ended. A process that still has it open goes on reading it, and is refused what it
/// would write into the outbox: nobody would ever send that.
///
/// # Errors
/// When the copy cannot be read, unless what is in it is to be lost anyway, or cannot be removed.
pub fn forget(path: &Path, unsent: Unsent) -> Result<Forgotten, ChatError> {
    if !is_there(path)? {
        return Ok(Forgotten::Removed);
    }
    match end(path, unsent) {
        Ok(0) => {}
        Ok(waiting_count) => return Ok(Forgotten::Kept { waiting_count }),
        Err(error) if unsent == Unsent::Lose => {
            tracing::debug!(%error, "a copy that cannot be read is removed");
        }
        Err(error) => return Err(error),
    }
    remove(path)?;
    Ok(Forgotten::Removed)
}

/// Ends the outbox, unless something that is to be kept waits in it; returns how much. Counting and ending are one
/// transaction, so that nothing is written between them.
fn end(path: &Path, unsent: Unsent) -> Result<u32, ChatError> {
    open(path)?.change(|tx| {
        let waiting_count = store::outbox::unanswered_count(tx)?;
        if waiting_count > 0 && unsent == Unsent::Keep {
            return Ok(waiting_count);
        }
        store::end(tx)?;
        Ok(0)
    })
}

fn open(path: &Path) -> Result<Store, ChatError> {
    Store::open(path, Durability::Now, new_device(&Clock::system()))
}

fn is_there(path: &Path) -> Result<bool, ChatError> {
    path.try_exists().map_err(|source| unusable(path, source))
}

/// Removes the file and what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), ChatError> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unusable(path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn unusable(path: &Path, source: io::Error) -> ChatError {
    ChatError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;
    use wharf_types::RoomId;

    use super::{Forgotten, Unsent, forget, unsent_count};
    use crate::api::Api;
    use crate::chat::{Chat, ChatOptions};
    use crate::clock::Clock;
    use crate::net::Options;

    const ROOM: RoomId = RoomId::from_bytes([2; 16]);

    struct Here {
        folder: TempDir,
        path: PathBuf,
    }

    impl Here {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("copy.db");
            Self { folder, path }
        }

        /// Another process, which has the copy open. There is no server.
        fn chat(&self) -> Chat {
            let options = Options::new("http://127.0.0.1:1".parse().unwrap());
            Chat::open(ChatOptions {
                api: Api::lazily(options).unwrap(),
                store: self.path.clone(),
                clock: Clock::system(),
            })
            .unwrap()
        }

        fn file_count(&self) -> usize {
            std::fs::read_dir(self.folder.path()).unwrap().count()
        }
    }

    #[tokio::test]
    async fn nothing_is_written_any_more_into_a_copy_that_was_forgotten() {
        let here = Here::new();
        let chat = here.chat();
        assert_eq!(
            forget(&here.path, Unsent::Keep).unwrap(),
            Forgotten::Removed
        );
        assert_eq!(here.file_count(), 0);
        let refused = chat.say(ROOM, "lost").unwrap_err().to_string();
        assert!(refused.contains("logged out"), "{refused}");
        let notes = here.folder.path().join("notes.txt");
        std::fs::write(&notes, "what was decided").unwrap();
        assert!(chat.hand_over(ROOM, &notes, "", None).is_err());
        assert_eq!(chat.waiting_count().unwrap(), 0, "it can still be read");
    }

    #[tokio::test]
    async fn what_waits_is_kept_unless_it_is_to_be_lost() {
        let here = Here::new();
        assert_eq!(
            forget(&here.path, Unsent::Keep).unwrap(),
            Forgotten::Removed
        );
        assert_eq!(unsent_count(&here.path).unwrap(), 0);
        assert_eq!(here.file_count(), 0, "looking makes none");
        let chat = here.chat();
        chat.say(ROOM, "kept").unwrap();
        assert_eq!(unsent_count(&here.path).unwrap(), 1);
        let kept = Forgotten::Kept { waiting_count: 1 };
        assert_eq!(forget(&here.path, Unsent::Keep).unwrap(), kept);
        chat.say(ROOM, "kept, too").unwrap();
        assert_eq!(unsent_count(&here.path).unwrap(), 2);
        assert_eq!(
            forget(&here.path, Unsent::Lose).unwrap(),
            Forgotten::Removed
        );
        assert_eq!(here.file_count(), 0);
        assert!(chat.say(ROOM, "lost").is_err());
    }

    #[tokio::test]
    async fn a_copy_that_was_ended_and_not_removed_is_good_for_the_next_login() {
        let here = Here::new();
        let chat = here.chat();
        assert_eq!(super::end(&here.path, Unsent::Keep).unwrap(), 0);
        assert!(chat.say(ROOM, "lost").is_err());
        let next = here.chat();
        next.say(ROOM, "kept").unwrap();
        assert_eq!(next.waiting_count().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_file_that_is_no_copy_is_removed_where_what_is_in_it_is_to_be_lost() {
        let here = Here::new();
        std::fs::write(
            &here.path,
            "no database at all, but long enough to look like one",
        )
        .unwrap();
        assert!(forget(&here.path, Unsent::Keep).is_err());
        assert_eq!(here.file_count(), 1);
        assert_eq!(
            forget(&here.path, Unsent::Lose).unwrap(),
            Forgotten::Removed
        );
        assert_eq!(here.file_count(), 0);
    }
}
