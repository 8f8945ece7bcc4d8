//! Files that go from one room to another one.

use anyhow::{Context, bail};
use wharf_client::Room as Named;
use wharf_client::chat::Chat;
use wharf_types::api::drive::{At, Commit, Expect, Op};
use wharf_types::api::log::{Draft, File, FileDraft, Mentions};
use wharf_types::{CommitId, ErrorCode, RoomId};

/// Names that are tried where one is taken.
const NAMES_TRIED_MAX: u32 = 100;

/// Puts a file into another room's drive and hands it over there. No bytes move: its chunks are on the server, and the person
/// reaches them.
pub(super) async fn file(
    chat: &Chat,
    from: RoomId,
    file: &File,
    (to, text): (RoomId, String),
) -> anyhow::Result<()> {
    let api = chat.api();
    let at = At::Id(file.node);
    let manifest = api
        .manifest(Named::Id(from), &at, Some(file.revision))
        .await
        .context("What it held is not kept any more, or cannot be reached")?;
    for number in 1..=NAMES_TRIED_MAX {
        let path = with_number(&file.name, number);
        let put = Op::Put {
            path: path.clone(),
            manifest: manifest.manifest.clone(),
            mtime_ns: None,
            executable: false,
            link: false,
            expect: Expect::Absent,
        };
        let commit = Commit {
            id: CommitId::from_bytes(rand::random()),
            ops: vec![put],
        };
        match api.commit(Named::Id(to), &commit).await {
            Ok(_) => {}
            Err(error) if error.is(ErrorCode::Exists) => continue,
            Err(error) => return Err(error.into()),
        }
        let node = api.node(Named::Id(to), &At::Path(path)).await?;
        let draft = Draft::File(FileDraft {
            node: node.id,
            revision: Some(node.revision),
            dimensions: file.dimensions,
            text,
            reply_to: None,
            mentions: Mentions::default(),
        });
        chat.send(to, &draft)?;
        return Ok(());
    }
    bail!("that name and a hundred beside it are taken in the room's drive")
}

/// A name with a number before its ending, from the second one on.
fn with_number(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem} ({number}).{ending}"),
        _ => format!("{name} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::with_number;

    #[test]
    fn a_name_that_is_taken_gets_a_number_before_its_ending() {
        assert_eq!(with_number("plan.pdf", 1), "plan.pdf");
        assert_eq!(with_number("plan.pdf", 2), "plan (2).pdf");
        assert_eq!(with_number(".profile", 3), ".profile (3)");
        assert_eq!(with_number("README", 2), "README (2)");
    }
}
