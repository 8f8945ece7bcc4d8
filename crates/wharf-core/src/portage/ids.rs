//! What the things of an archive are called here.

use wharf_types::api::log::{Body, Mentions};
use wharf_types::{AccountId, ContactGroupId, NodeId, RoomId};

/// Makes ids from those of an archive: the same from the same, and none that somebody could have chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) secret: [u8; 32],
    /// How often the import was given up before: rooms and nodes that it makes now are others than those that it made then,
    /// which may still be there.
    pub(super) given_up_count: u64,
    /// The account of the archive that is the importer,
    pub(super) archive_account: AccountId,
    /// and the importer.
    pub(super) importer: AccountId,
}

impl Ids {
    pub(super) fn account(&self, id: AccountId) -> AccountId {
        if id == self.archive_account {
            return self.importer;
        }
        self.make(AccountId::new, b'a', id.as_bytes(), &[])
    }

    pub(super) fn group(&self, id: ContactGroupId) -> ContactGroupId {
        self.make(ContactGroupId::new, b'g', id.as_bytes(), &[])
    }

    pub(super) fn room(&self, id: RoomId) -> RoomId {
        self.make(RoomId::new, b'r', id.as_bytes(), &self.again(&[]))
    }

    /// A node of a room.
    pub(super) fn node(&self, room: RoomId, id: NodeId) -> NodeId {
        self.make(
            NodeId::new,
            b'n',
            id.as_bytes(),
            &self.again(room.as_bytes()),
        )
    }

    /// What an id is of, and, where the import was given up before, how often.
    fn again(&self, of: &[u8]) -> Vec<u8> {
        let mut of = of.to_vec();
        if self.given_up_count > 0 {
            of.extend(self.given_up_count.to_be_bytes());
        }
        of
    }

    /// What an entry of a room says, in the ids that its people and nodes have here.
    pub(super) fn body(&self, room: RoomId, body: &Body) -> Body {
        let mut body = body.clone();
        match &mut body {
            Body::Text(text) => self.mentions(&mut text.mentions),
            Body::File(file) => {
                file.node = self.node(room, file.node);
                self.mentions(&mut file.mentions);
            }
            Body::Edit(edit) => self.mentions(&mut edit.mentions),
            Body::Member(member) => member.account = self.account(member.account),
            Body::Recall(_) | Body::Reaction(_) | Body::Pin(_) | Body::Settings(_) => {}
        }
        body
    }

    fn mentions(&self, mentions: &mut Mentions) {
        for account in &mut mentions.accounts {
            *account = self.account(*account);
        }
        mentions.accounts.sort_unstable();
        mentions.accounts.dedup();
    }

    /// Keeps the time of making, so that what was in order stays so; the rest comes from the secret.
    fn make<Id>(&self, make: fn(u64, &[u8; 10]) -> Id, kind: u8, id: &[u8; 16], of: &[u8]) -> Id {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&[kind]).update(id).update(of);
        let mut rest = [0; 10];
        hasher.finalize_xof().fill(&mut rest);
        let made_ms = id
            .iter()
            .take(6)
            .fold(0, |ms, byte| (ms << 8) | u64::from(*byte));
        make(made_ms, &rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(secret: u8) -> Ids {
        Ids {
            secret: [secret; 32],
            given_up_count: 0,
            archive_account: AccountId::from_bytes([1; 16]),
            importer: AccountId::from_bytes([2; 16]),
        }
    }

    #[test]
    fn ids_are_made_alike_by_one_import_and_otherwise_by_another() {
        let (node, room) = (NodeId::from_bytes([7; 16]), RoomId::from_bytes([8; 16]));
        let made = ids(1).node(room, node);
        assert_eq!(made, ids(1).node(room, node));
        assert_ne!(made, node);
        assert_ne!(made, ids(2).node(room, node));
        assert_ne!(made, ids(1).node(RoomId::from_bytes([9; 16]), node));
        let again = Ids {
            given_up_count: 1,
            ..ids(1)
        };
        assert_ne!(made, again.node(room, node));
        assert_ne!(ids(1).room(room), again.room(room));
        let person = AccountId::from_bytes([3; 16]);
        assert_eq!(ids(1).account(person), again.account(person));
        assert_eq!(made.as_bytes()[..6], node.as_bytes()[..6], "the time stays");
    }

    #[test]
    fn the_archives_account_is_the_importer_and_nobody_else_is() {
        let ids = ids(1);
        assert_eq!(ids.account(AccountId::from_bytes([1; 16])), ids.importer);
        assert_ne!(ids.account(AccountId::from_bytes([2; 16])), ids.importer);
        assert_ne!(
            ids.account(AccountId::from_bytes([3; 16])),
            AccountId::from_bytes([3; 16])
        );
    }
}
