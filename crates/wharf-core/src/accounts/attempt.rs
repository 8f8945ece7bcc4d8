//! Bounds on guessing, counted in the database so that they hold across restarts and server processes.
//!
//! An attempt is counted before its outcome is known, in the transaction that lets it begin; a success takes it back. So a
//! thousand guesses sent at once are no way around the bound. (Nor is a household that logs in at once taken for an attack:
//! only a few attempts are under way at any moment, see [`Place`](super::password::Place).) An attempt that is turned away is not counted, so windows
//! end on time however hard somebody knocks.
//!
//! What is counted is the login as it was typed, whether or not there is such an account: the bound tells nobody which
//! logins exist. See [`AttemptLimits`] for what the bounds protect, and from whom.

use std::net::IpAddr;

use wharf_store::sql::{self, Tx};
use wharf_types::{AccountId, ErrorCode, SessionId};

use super::credential::LoginName;
use crate::config::AttemptLimits;
use crate::error::{Error, Result};

/// Something that failures are counted by, and how many a window lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    subject: String,
    count_max: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A success forgets all failures.
    Resets,
    /// A success takes back its own count only: other people's guesses from there stay counted.
    TakesBack,
    /// As [`Kind::Resets`], and does not bind whom the owner's sessions vouch for.
    Strangers,
    /// Successes count, too.
    Stays,
}

/// The bounds that an attempt at logging in meets.
pub(super) fn at_login(
    limits: &AttemptLimits,
    login: Option<&LoginName>,
    typed: &str,
    address: IpAddr,
) -> Vec<Bound> {
    let login = match login {
        Some(LoginName::Number(number)) => number.to_string(),
        Some(LoginName::Username(key) | LoginName::Email(key)) => key.clone(),
        None => typed.to_owned(),
    };
    // Hashed: people type their password in the wrong field.
    let login = &blake3::hash(login.as_bytes()).to_hex()[..32];
    let network = network(address);
    vec![
        Bound::new(
            format!("address/{network}"),
            limits.per_address,
            Kind::TakesBack,
        ),
        Bound::new(format!("login/{login}"), limits.per_login, Kind::Strangers),
        Bound::new(
            format!("login/{login}/{network}"),
            limits.per_login_and_address,
            Kind::Resets,
        ),
    ]
}

/// The bounds that a sign-up meets.
pub(super) fn at_signup(limits: &AttemptLimits, address: IpAddr) -> Vec<Bound> {
    let subject = format!("signup/{}", network(address));
    vec![Bound::new(subject, limits.signups_per_address, Kind::Stays)]
}

/// The bounds that a change of password meets. Counted by session, so that a stolen one cannot be used to keep its owner
/// from changing the password elsewhere.
pub(super) fn at_password(limits: &AttemptLimits, session: SessionId) -> Vec<Bound> {
    vec![Bound::new(
        format!("password/{session}"),
        limits.per_login_and_address,
        Kind::Resets,
    )]
}

/// The bounds that looking for people meets. Counted by account, found or not, so that nobody goes through all numbers.
pub(super) fn at_find(limits: &AttemptLimits, account: AccountId) -> Vec<Bound> {
    vec![Bound::new(
        format!("find/{account}"),
        limits.finds_per_account,
        Kind::Stays,
    )]
}

/// Counts an attempt that is about to be made. `is_familiar` is asked whether the owner's sessions vouch for the address,
/// and only when it matters.
///
/// # Errors
/// `Limited`, with the seconds until the window ends: nothing was counted.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    bounds: &[Bound],
    limits: &AttemptLimits,
    now_ms: i64,
    mut is_familiar: impl FnMut(&mut Tx<'_>) -> sql::Result<bool>,
) -> Result<()> {
    let window_ms = i64::from(limits.window_seconds) * 1_000;
    for bound in bounds {
        // A window that begins in the future was written before the clock went back: it is over, too.
        let (began_ms, count) = tx.one(
            "INSERT INTO attempt (subject, window_ms, failed_count) VALUES (?1, ?2, 1) \
             ON CONFLICT (subject) DO UPDATE SET \
             failed_count = CASE WHEN attempt.window_ms > ?3 AND attempt.window_ms <= ?2 \
               THEN attempt.failed_count + 1 ELSE 1 END, \
             window_ms = CASE WHEN attempt.window_ms > ?3 AND attempt.window_ms <= ?2 \
               THEN attempt.window_ms ELSE ?2 END \
             RETURNING window_ms, failed_count",
            &[
                bound.subject.as_str().into(),
                now_ms.into(),
                (now_ms - window_ms).into(),
            ],
            |row| Ok((row.int(0)?, row.uint(1)?)),
        )?;
        if count <= u64::from(bound.count_max)
            || (bound.kind == Kind::Strangers && is_familiar(tx)?)
        {
            continue;
        }
        let left_ms = u64::try_from(began_ms + window_ms - now_ms).unwrap_or(0);
        return Err(Error::new(
            ErrorCode::Limited,
            "too many attempts: wait before the next one",
        )
        .retry_after(left_ms.div_ceil(1_000).max(1)));
    }
    Ok(())
}

/// Takes an attempt back that turned out well.
pub(super) fn succeed(tx: &mut Tx<'_>, bounds: &[Bound]) -> sql::Result<()> {
    for bound in bounds {
        let subject = [bound.subject.as_str().into()];
        match bound.kind {
            Kind::Resets | Kind::Strangers => tx.exec("DELETE FROM attempt WHERE subject = ?1", &subject)?,
            Kind::TakesBack => tx.exec(
                "UPDATE attempt SET failed_count = failed_count - 1 WHERE subject = ?1 AND failed_count > 0",
                &subject,
            )?,
            Kind::Stays => 0,
        };
    }
    Ok(())
}

/// Deletes counts whose window is over, `rows_max` at most, and says how many those were.
pub(crate) fn expire(
    tx: &mut Tx<'_>,
    limits: &AttemptLimits,
    now_ms: i64,
    rows_max: u32,
) -> sql::Result<u64> {
    let over_ms = now_ms - i64::from(limits.window_seconds) * 1_000;
    tx.exec(
        "DELETE FROM attempt WHERE subject IN \
         (SELECT subject FROM attempt WHERE window_ms <= ?1 OR window_ms > ?2 LIMIT ?3)",
        &[over_ms.into(), now_ms.into(), rows_max.into()],
    )
}

/// What one person can be told apart by: an IPv4 address, or the /64 that an IPv6 line is given as a whole.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl Bound {
    fn new(subject: String, count_max: u32, kind: Kind) -> Self {
        Self {
            subject,
            count_max,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{at_login, network};
    use crate::accounts::credential::LoginName;
    use crate::config::AttemptLimits;

    #[test]
    fn addresses_of_one_line_are_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
    }

    #[test]
    fn the_spellings_of_a_login_share_a_bound_and_its_text_is_not_kept() {
        let limits = AttemptLimits::default();
        let bounds = |typed: &str| {
            at_login(
                &limits,
                LoginName::parse(typed).as_ref(),
                typed,
                "192.0.2.7".parse().unwrap(),
            )
        };
        assert_eq!(bounds("Ada"), bounds(" ada "));
        assert_ne!(bounds("Ada"), bounds("Bob"));
        assert!(!format!("{:?}", bounds("my secret password")).contains("secret"));
    }
}
