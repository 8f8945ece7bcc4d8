//! Until when a file can be taken back.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::chat::store::Store;
use crate::database::Durability;

const NOW_MS: i64 = 1_790_000_000_000;
const ROOM: RoomId = RoomId::from_bytes([2; 16]);
const FILE: DeviceId = DeviceId::from_bytes([4; 16]);
const BY_FILE: Number = Number {
    device: FILE,
    number: 1,
};
const AGAIN: DeviceId = DeviceId::from_bytes([5; 16]);

struct Here {
    store: Store,
    _folder: TempDir,
}

impl Here {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        let device = DeviceId::from_bytes([3; 16]);
        Self {
            store: Store::open(&path, Durability::Never, device).unwrap(),
            _folder: folder,
        }
    }

    fn change<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, ChatError>) -> T {
        self.store.change(work).unwrap()
    }

    /// Writes a file to be handed over.
    fn file(&mut self) -> i64 {
        self.file_by(FILE)
    }

    fn file_by(&mut self, device: DeviceId) -> i64 {
        let handover = Handover {
            source: PathBuf::from("/notes.txt"),
            target: "notes.txt".to_owned(),
            text: String::new(),
            reply_to: None,
            bytes: 1,
            sent_bytes: 0,
        };
        self.change(|tx| enqueue_handover(tx, ROOM, &handover, device, NOW_MS))
    }

    fn is_taken_back(&mut self, id: i64) -> bool {
        match self.store.change(|tx| withdraw(tx, id, NOW_MS)) {
            Ok(_) => true,
            Err(ChatError::TooLate) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn is_refused(&mut self) {
        let touched = &mut Touched::default();
        self.change(|tx| refused(tx, BY_FILE, ErrorCode::Denied, "no", NOW_MS, touched));
    }
}

#[test]
fn a_file_that_was_taken_back_is_not_appended() {
    let mut here = Here::new();
    let id = here.file();
    assert!(here.is_taken_back(id));
    assert!(!here.change(|tx| try_append(tx, id)));
    assert_eq!(here.change(|tx| one(tx, id)), None);
}

#[test]
fn a_file_whose_entry_may_be_in_the_log_is_not_taken_back_until_it_is_refused() {
    let mut here = Here::new();
    let id = here.file();
    for _ in 0..2 {
        assert!(here.change(|tx| try_append(tx, id)), "it is tried again");
        assert!(!here.is_taken_back(id));
    }
    here.is_refused();
    assert!(!here.change(|tx| try_append(tx, id)));
    assert!(here.is_taken_back(id));
}

#[test]
fn a_refused_file_that_is_written_again_can_be_taken_back() {
    let mut here = Here::new();
    let id = here.file();
    assert!(here.change(|tx| try_append(tx, id)));
    here.is_refused();
    here.change(|tx| reclaim(tx, id));
    let again = here.file_by(AGAIN);
    assert!(here.is_taken_back(again));
}

#[test]
fn a_file_stays_what_it_is_when_the_texts_move_to_another_device() {
    let mut here = Here::new();
    let id = here.file();
    assert!(here.change(|tx| try_append(tx, id)));
    let device = here.change(|tx| Ok(Meta::read(tx)?.device));
    here.change(|tx| enqueue(tx, ROOM, &nothing(), NOW_MS));
    here.change(|tx| move_device(tx, device, Lost::Shared(1), NOW_MS));
    assert_ne!(here.change(|tx| Ok(Meta::read(tx)?.device)), device);
    let found = here.change(|tx| find(tx, BY_FILE));
    assert_eq!(found, Some((id, ROOM)));
    assert!(!here.is_taken_back(id));
}
