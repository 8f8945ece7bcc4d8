//! Saving a file of one drive in another: the same content under a new node. No bytes move; the chunks are referenced
//! once more, within the reach that the saver has as a member of the file's room.

use wharf_store::sql::Tx;
use wharf_types::api::drive::{At, Node, NodeKind};
use wharf_types::api::room::SaveToDrive;
use wharf_types::limit::NAME_BYTES_MAX;
use wharf_types::name::Name;
use wharf_types::{CommitId, ContentHash, ErrorCode, NodeId};

use super::super::place::{self, Part, invalid_path, join};
use super::super::{read, rows};
use super::{apply, prepare};
use crate::Ground;
use crate::access::Entered;
use crate::caller::Person;
use crate::error::{Error, Result};

/// How many numbers are tried for a name that is taken.
const NUMBERS_MAX: u32 = 1_000;

/// What a name in a folder is good for.
enum Choice {
    /// Nothing has it.
    Free(String),
    /// A file of the same content has it.
    There(NodeId),
}

/// Puts a file of `from` into `to`, whose lock the transaction holds, and returns the node there. What is there already
/// under the name or one of its numbers is not put there again, so asking twice saves once.
///
/// # Errors
/// - `NotFound`: there is no such file or revision in `from`.
/// - `Invalid`: it is a folder, or the folder or the name cannot be one.
/// - `OverQuota`: the owner's quota has no room for it.
/// - `Exists`: too many files are called so.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    ground: &Ground,
    person: &Person,
    (from, to): (&Entered, &Entered),
    request: &SaveToDrive,
) -> Result<Node> {
    let content = read::content(tx, from, &At::Id(request.node), request.revision)?;
    let name = request.name.as_deref().unwrap_or(&content.node.name);
    let name = Name::new(name).map_err(invalid_path)?;
    let folder = request.folder.trim_matches('/');
    let path = match choose(tx, to, folder, &name, content.hash)? {
        Choice::There(id) => return read::node(tx, to, &At::Id(id)),
        Choice::Free(name) => join(folder, &name),
    };
    let now_ms = ground.clock.now_ms();
    let id = ground.random.id(CommitId::new, now_ms);
    let prepared = prepare::prepare_saved(id, &path, &content)?;
    let committed = apply(tx, ground, person, to, &prepared)?;
    let saved = committed
        .results
        .first()
        .ok_or_else(|| Error::internal("a put has no result"))?;
    read::node(tx, to, &At::Id(saved.id))
}

/// Finds a name for content in a folder that may still be missing.
fn choose(
    tx: &mut Tx<'_>,
    room: &Entered,
    folder: &str,
    name: &Name,
    hash: ContentHash,
) -> Result<Choice> {
    let at = At::Path(folder.to_owned());
    let folder = match place::find_folder(tx, room, &at) {
        Ok((folder, _)) => folder.id,
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Ok(Choice::Free(name.as_str().to_owned()));
        }
        Err(error) => return Err(error),
    };
    for number in 1..=NUMBERS_MAX {
        let tried = numbered(name.as_str(), number);
        let part = Part::of(&tried);
        match rows::by_key(tx, folder, &part.fold, &part.key)? {
            None => return Ok(Choice::Free(tried)),
            Some(there)
                if there.content.hash == Some(hash) && there.content.kind == NodeKind::File =>
            {
                return Ok(Choice::There(there.id));
            }
            Some(_) => {}
        }
    }
    Err(Error::new(
        ErrorCode::Exists,
        "too many files in the folder are called so: choose another name",
    ))
}

/// The name with a number before its last ending, and as it is for 1. Long names are cut to make room.
fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= NAME_BYTES_MAX / 2 => name.split_at(dot),
        Some(_) | None => (name, ""),
    };
    let suffix = format!(" ({number}){ending}");
    let mut end = stem.len().min(NAME_BYTES_MAX.saturating_sub(suffix.len()));
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    let (stem, _) = stem.split_at(end);
    format!("{stem}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_number_stands_before_the_ending_and_the_name_stays_a_name() {
        assert_eq!(numbered("a.txt", 1), "a.txt");
        assert_eq!(numbered("a.txt", 2), "a (2).txt");
        assert_eq!(numbered("a.tar.gz", 3), "a.tar (3).gz");
        assert_eq!(numbered(".profile", 2), ".profile (2)");
        assert_eq!(numbered("plain", 10), "plain (10)");
        let long = format!("{}.txt", "é".repeat(125));
        let cut = numbered(&long, 1000);
        assert!(cut.len() <= 255 && cut.ends_with(" (1000).txt"), "{cut}");
        let ending = format!("a.{}", "x".repeat(253));
        assert_eq!(numbered(&ending, 2).len(), 255);
    }
}
