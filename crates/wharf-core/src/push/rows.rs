//! How subscriptions stand in their rows.

use wharf_store::sql::{self, Tx};
use wharf_types::api::push::PushSubscription;
use wharf_types::{AccountId, SessionId};
use wharf_wire::push::Subscriber;

pub(super) fn subscription(
    tx: &mut Tx<'_>,
    session: SessionId,
) -> sql::Result<Option<PushSubscription>> {
    tx.opt(
        "SELECT endpoint, hides_content, created_ms FROM push_subscription WHERE session_id = ?1",
        &[session.into()],
        |row| {
            Ok(PushSubscription {
                endpoint: row.text(0)?.to_owned(),
                hides_content: row.flag(1)?,
                created_ms: row.int(2)?,
            })
        },
    )
}

/// Notes a subscription. The same one again keeps the time when it was made.
pub(super) fn subscribe(
    tx: &mut Tx<'_>,
    session: SessionId,
    account: AccountId,
    subscription: &PushSubscription,
    subscriber: &Subscriber,
) -> sql::Result<()> {
    tx.exec(
        "DELETE FROM push_subscription WHERE endpoint = ?1 AND session_id <> ?2",
        &[(&subscription.endpoint).into(), session.into()],
    )?;
    tx.exec(
        "INSERT INTO push_subscription (session_id, account_id, endpoint, public_key, auth, hides_content, created_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (session_id) DO UPDATE SET endpoint = excluded.endpoint, \
         public_key = excluded.public_key, auth = excluded.auth, hides_content = excluded.hides_content, \
         created_ms = CASE WHEN push_subscription.endpoint = excluded.endpoint THEN push_subscription.created_ms \
         ELSE excluded.created_ms END, failing_ms = NULL",
        &[
            session.into(),
            account.into(),
            (&subscription.endpoint).into(),
            subscriber.public().into(),
            subscriber.auth().into(),
            subscription.hides_content.into(),
            subscription.created_ms.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn unsubscribe(tx: &mut Tx<'_>, session: SessionId) -> sql::Result<()> {
    tx.exec(
        "DELETE FROM push_subscription WHERE session_id = ?1",
        &[session.into()],
    )?;
    Ok(())
}

/// Ends the subscription of a session at a push service, unless it has another one by now.
pub(super) fn unsubscribe_from(
    tx: &mut Tx<'_>,
    session: SessionId,
    endpoint: &str,
) -> sql::Result<()> {
    tx.exec(
        "DELETE FROM push_subscription WHERE session_id = ?1 AND endpoint = ?2",
        &[session.into(), endpoint.into()],
    )?;
    Ok(())
}

/// Notes that a push service takes something.
pub(super) fn is_well(tx: &mut Tx<'_>, session: SessionId) -> sql::Result<()> {
    tx.exec(
        "UPDATE push_subscription SET failing_ms = NULL WHERE session_id = ?1 AND failing_ms IS NOT NULL",
        &[session.into()],
    )?;
    Ok(())
}

/// Notes that a push service takes nothing, and ends a subscription where that was so since `since_ms`.
pub(super) fn is_failing(
    tx: &mut Tx<'_>,
    session: SessionId,
    endpoint: &str,
    now_ms: i64,
    since_ms: i64,
) -> sql::Result<()> {
    // A time that is to come was written before the clock went back.
    tx.exec(
        "UPDATE push_subscription SET failing_ms = ?3 WHERE session_id = ?1 AND endpoint = ?2 \
         AND (failing_ms IS NULL OR failing_ms > ?3)",
        &[session.into(), endpoint.into(), now_ms.into()],
    )?;
    tx.exec(
        "DELETE FROM push_subscription WHERE session_id = ?1 AND endpoint = ?2 AND failing_ms <= ?3",
        &[session.into(), endpoint.into(), since_ms.into()],
    )?;
    Ok(())
}
