//! What the house remembers about itself, by name.

use wharf_store::sql::{Result, Tx};

/// Changes when the server's data went back in time. 32 hexadecimal digits.
pub(crate) const EPOCH: &str = "epoch";
/// The hash of the one-time code that makes the operator's account, while there is none. Hexadecimal.
pub(crate) const SETUP_CODE_HASH: &str = "setup_code_hash";

/// What the tickets of gateways are derived with. Hexadecimal.
pub(crate) const TICKET_KEY: &str = "ticket_key";

/// What JSON Web Tokens are signed with. Hexadecimal.
pub(crate) const JWT_KEY: &str = "jwt_key";

/// The secret of the server's key pair for push services. Hexadecimal.
pub(crate) const VAPID_KEY: &str = "vapid_key";

/// Where the scrub's round is.
pub(crate) const SCRUB: &str = "scrub";

/// The form that the search's index has.
pub(crate) const SEARCH_VERSION: &str = "search/version";

pub(crate) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.opt(
        "SELECT value FROM setting WHERE name = ?1",
        &[name.into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

pub(crate) fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    tx.exec(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[name.into(), value.into()],
    )?;
    Ok(())
}

/// Removes a setting if it holds `value`, and says whether it did: of several takers, one gets it.
pub(crate) fn take(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<bool> {
    let taken = tx.exec(
        "DELETE FROM setting WHERE name = ?1 AND value = ?2",
        &[name.into(), value.into()],
    )?;
    Ok(taken > 0)
}
