//! Contacts and their groups, and the people of rooms.

use std::collections::BTreeMap;

use wharf_store::sql::{self, Tx};
use wharf_types::api::contact::Contact;
use wharf_types::api::portage::{ContactRecord, GroupRecord, MemberRecord};
use wharf_types::limit::{CONTACT_GROUPS_MAX, CONTACTS_PER_ACCOUNT_MAX, LABEL_BYTES_MAX};
use wharf_types::{AccountId, ContactGroupId, ErrorCode, ImportId, RoomId, name};

use super::ids::Ids;
use crate::contact;
use crate::error::{Error, Result};
use crate::room::{Thing, Told, role_from};

/// Reads a record that was kept in JSON.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sql::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| sql::Error::corrupt(format!("a kept record: {error}")))
}

/// Writes a record to be kept in JSON.
pub(super) fn to_json<T: serde::Serialize>(record: &T) -> Result<String> {
    serde_json::to_string(record)
        .map_err(|error| Error::internal("a record could not be written as JSON").because(error))
}

/// The people of imported rooms who have no account here, as they were.
pub(crate) fn stand_ins(
    tx: &mut Tx<'_>,
    room: RoomId,
) -> sql::Result<BTreeMap<AccountId, MemberRecord>> {
    let mut people = BTreeMap::new();
    tx.each(
        "SELECT account_id, record FROM stand_in WHERE room_id = ?1",
        &[room.into()],
        |row| {
            people.insert(row.id(0)?, from_json(row.text(1)?)?);
            Ok(())
        },
    )?;
    Ok(people)
}

/// The stand-ins of a username, in the rooms of an account.
pub(crate) fn stand_ins_called(
    tx: &mut Tx<'_>,
    account: AccountId,
    username: &str,
) -> sql::Result<Vec<AccountId>> {
    tx.all(
        "SELECT s.account_id FROM member m JOIN stand_in s ON s.room_id = m.room_id \
         WHERE m.account_id = ?1 AND s.username_key = ?2",
        &[account.into(), username.into()],
        |row| row.id(0),
    )
}

/// The groups of an account.
pub(super) fn groups(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<GroupRecord>> {
    let groups = contact::groups(tx, account)?;
    let record = |group: wharf_types::api::contact::ContactGroup| GroupRecord {
        id: group.id,
        name: group.name,
        order: group.order,
    };
    Ok(groups.into_iter().map(record).collect())
}

/// The contacts of an account and those that it only keeps, by number.
pub(super) fn contacts(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<ContactRecord>> {
    let there = contact::contacts(tx, account)?;
    let mut contacts: Vec<ContactRecord> = there.into_iter().map(record_of).collect();
    tx.each(
        "SELECT record FROM kept_contact WHERE account_id = ?1",
        &[account.into()],
        |row| {
            contacts.push(from_json(row.text(0)?)?);
            Ok(())
        },
    )?;
    contacts.sort_by_key(|contact| (contact.person.number, contact.person.id));
    Ok(contacts)
}

fn record_of(contact: Contact) -> ContactRecord {
    ContactRecord {
        person: contact.person,
        state: contact.state,
        is_blocked: contact.is_blocked,
        remark: contact.remark,
        group: contact.group,
        word: contact.word,
        since_ms: contact.since_ms,
    }
}

/// The people of a room beside the account itself, by number: members, former ones, and stand-ins.
pub(super) fn members(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
) -> sql::Result<Vec<MemberRecord>> {
    let mut members = tx.all(
        "SELECT a.id, a.number, a.username, a.nickname, a.status_text, m.role, m.joined_ms, m.read_position \
         FROM member m JOIN account a ON a.id = m.account_id WHERE m.room_id = ?1 AND m.account_id <> ?2",
        &[room.into(), account.into()],
        |row| {
            Ok(MemberRecord {
                person: contact::person_from(row, 0)?,
                role: Some(role_from(row.text(5)?)?),
                joined_ms: row.int(6)?,
                left_ms: None,
                is_removed: false,
                read: row.uint(7)?,
            })
        },
    )?;
    tx.each(
        "SELECT a.id, a.number, a.username, a.nickname, a.status_text, p.joined_ms, p.left_ms, p.is_removed \
         FROM past_member p JOIN account a ON a.id = p.account_id WHERE p.room_id = ?1 AND p.account_id <> ?2 \
         AND NOT EXISTS (SELECT 1 FROM member m WHERE m.room_id = p.room_id AND m.account_id = p.account_id)",
        &[room.into(), account.into()],
        |row| {
            members.push(MemberRecord {
                person: contact::person_from(row, 0)?,
                role: None,
                joined_ms: row.int(5)?,
                left_ms: Some(row.int(6)?),
                is_removed: row.flag(7)?,
                read: 0,
            });
            Ok(())
        },
    )?;
    members.extend(stand_ins(tx, room)?.into_values());
    members.sort_by_key(|member| (member.person.number, member.person.id));
    Ok(members)
}

/// Takes in a group of contacts: one that has the name of a group that is there is that group.
pub(super) fn take_group(
    tx: &mut Tx<'_>,
    ids: &Ids,
    import: ImportId,
    record: &GroupRecord,
    told: &mut Told,
) -> Result<()> {
    let name = checked_label("a group's name", &record.name)?;
    let there = contact::groups(tx, ids.importer)?;
    let key = name::fold(name);
    let same = there.iter().find(|group| name::fold(&group.name) == key);
    let id = match same {
        Some(group) => group.id,
        None if there.len() >= CONTACT_GROUPS_MAX as usize => {
            return Err(Error::new(
                ErrorCode::TooLarge,
                "there are too many groups of contacts",
            ));
        }
        None => {
            let id = ids.group(record.id);
            tx.exec(
                "INSERT INTO contact_group (account_id, id, name, name_key, sort) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[ids.importer.into(), id.into(), name.into(), (&key).into(), record.order.into()],
            )?;
            told.touch(ids.importer, Thing::Group(id));
            id
        }
    };
    tx.exec(
        "INSERT INTO import_group (account_id, import_id, from_id, to_id) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (account_id, import_id, from_id) DO NOTHING",
        &[
            ids.importer.into(),
            import.into(),
            record.id.into(),
            id.into(),
        ],
    )?;
    Ok(())
}

/// Takes in a contact: what the importer notes of somebody goes to the contact that they are here, or is kept.
pub(super) fn take_contact(
    tx: &mut Tx<'_>,
    ids: &Ids,
    import: ImportId,
    record: &ContactRecord,
    told: &mut Told,
) -> Result<()> {
    if record.remark.len() > LABEL_BYTES_MAX || has_nul(&record.remark) {
        return Err(Error::invalid(
            "a contact's remark is too long, or is no text",
        ));
    }
    let group = match record.group {
        Some(group) => tx.opt(
            "SELECT to_id FROM import_group WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
            &[ids.importer.into(), import.into(), group.into()],
            |row| row.id::<ContactGroupId>(0),
        )?,
        None => None,
    };
    let person = &record.person;
    let here = tx.opt(
        "SELECT c.other_id FROM contact c JOIN account a ON a.id = c.other_id \
         WHERE c.account_id = ?1 AND a.number = ?2 AND a.username = ?3",
        &[
            ids.importer.into(),
            person.number.into(),
            person.username.replace('\0', "").as_str().into(),
        ],
        |row| row.id::<AccountId>(0),
    )?;
    if let Some(here) = here {
        tx.exec(
            "UPDATE contact SET remark = CASE WHEN remark = '' THEN ?3 ELSE remark END, \
             group_id = COALESCE(group_id, ?4) WHERE account_id = ?1 AND other_id = ?2",
            &[
                ids.importer.into(),
                here.into(),
                (&record.remark).into(),
                group.into(),
            ],
        )?;
        told.touch(ids.importer, Thing::Contact(here));
        return Ok(());
    }
    let kept_count = tx.one(
        "SELECT count(*) FROM kept_contact WHERE account_id = ?1",
        &[ids.importer.into()],
        |row| row.uint(0),
    )?;
    if kept_count >= u64::from(CONTACTS_PER_ACCOUNT_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            "there are too many contacts",
        ));
    }
    let mut kept = record.clone();
    kept.person.id = ids.account(person.id);
    kept.group = group;
    tx.exec(
        "INSERT INTO kept_contact (account_id, other_id, record) VALUES (?1, ?2, ?3) \
         ON CONFLICT (account_id, other_id) DO UPDATE SET record = excluded.record",
        &[
            ids.importer.into(),
            kept.person.id.into(),
            to_json(&kept)?.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Takes in somebody of a room, who gets a stand-in.
pub(super) fn take_member(
    tx: &mut Tx<'_>,
    ids: &Ids,
    room: RoomId,
    record: &MemberRecord,
) -> Result<()> {
    if record.person.id == ids.archive_account {
        return Err(Error::invalid(
            "the account itself is none of a room's other people",
        ));
    }
    let mut kept = record.clone();
    kept.person.id = ids.account(record.person.id);
    let key = record.person.username.to_lowercase().replace('\0', "");
    tx.exec(
        "INSERT INTO stand_in (room_id, account_id, username_key, record) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (room_id, account_id) DO UPDATE SET record = excluded.record",
        &[
            room.into(),
            kept.person.id.into(),
            key.as_str().into(),
            to_json(&kept)?.as_str().into(),
        ],
    )?;
    Ok(())
}

/// A name within its bounds.
pub(super) fn checked_label<'t>(what: &str, text: &'t str) -> Result<&'t str> {
    if text.is_empty() || text.len() > LABEL_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "{what} has 1 to {LABEL_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(text)
}

/// Whether a text has a character that no database keeps in a text.
pub(super) fn has_nul(text: &str) -> bool {
    text.contains('\0')
}
