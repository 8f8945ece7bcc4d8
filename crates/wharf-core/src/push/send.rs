//! Notices on their way: what is due, by whom it is sent, and what becomes of it.

use data_encoding::BASE64URL_NOPAD;
use url::Url;
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::log::{Body, Entry};
use wharf_types::api::push::{PushContent, PushNotice};
use wharf_types::api::room::RoomKind;
use wharf_types::limit::PUSH_TEXT_BYTES_MAX;
use wharf_types::{AccountId, RoomId, SessionId};
use wharf_wire::push::Subscriber;

use super::gather::{EVERYBODY, GRACE_MS, worth_telling};
use super::{Pushes, rows};
use crate::error::{Error, Result};
use crate::hook::{PAUSE_MS_MAX, pause_ms};
use crate::{Outgoing, log, room};

/// How long a claim holds: longer than any attempt takes.
const CLAIM_MS: i64 = 60_000;
/// How long after it was said something is still worth telling. Push services keep a notice for what is left of it.
const WORTH_MS: i64 = 24 * 3_600_000;
/// How long a push service may take nothing before the subscription ends.
const FAILING_MS_MAX: i64 = 3 * 24 * 3_600_000;
/// How long the server's word to a push service holds. A day at most (RFC 8292, 2).
const WORD_SECONDS: i64 = 12 * 3_600;
/// Attempts whose end was not told, after which a notice is let go.
const BEGUN_MAX: u64 = 2;

/// A notice: the session that is told, and of which room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeId {
    /// Whose device.
    pub session: SessionId,
    /// Where something was said.
    pub room: RoomId,
}

/// A notice to post to a push service, claimed by whoever holds this.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Which one.
    pub id: NoticeId,
    /// Where to: `https`.
    pub endpoint: String,
    /// The value of `Authorization`.
    pub authorization: String,
    /// For how many seconds the service is to keep it.
    pub ttl_seconds: i64,
    /// Whether it is for the device at once, also where that costs it some of its battery.
    pub is_urgent: bool,
    /// The value of `Topic`: of several notices with one, the service keeps the last. It says nothing of the room.
    pub topic: String,
    /// The notice, sealed for the browser with `aes128gcm`.
    pub body: Vec<u8>,
    last: u64,
}

/// What became of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The service took it.
    Taken,
    /// There is no such subscription any more.
    Gone,
    /// It will never be taken.
    Refused,
    /// It was not taken now, and the service wants to be left alone for so many seconds.
    Later {
        /// Seconds, if the service said so.
        retry_after_seconds: Option<u64>,
    },
}

/// A notice that is due, as its row has it.
struct Planned {
    account: AccountId,
    endpoint: String,
    subscriber: Subscriber,
    hides_content: bool,
    first: u64,
    last: u64,
    due_ms: i64,
    begun: u64,
}

/// What a notice is about.
struct Told {
    notice: PushNotice,
    is_urgent: bool,
}

enum Plan {
    /// It is not due, or not there.
    Nothing,
    /// There is nothing to tell any more.
    Drop(Planned),
    Send(Planned, Told),
}

impl Pushes {
    /// Up to `count_max` notices that are due, the one that waited longest first.
    pub async fn due(&self, count_max: u32) -> Result<Vec<NoticeId>> {
        if self.allowed() == Outgoing::Off {
            return Ok(Vec::new());
        }
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .read(move |tx| {
                // What waits for longer than anything may was written before the clock went back.
                Ok(tx.all(
                    "SELECT session_id, room_id FROM push_notice WHERE due_ms <= ?1 OR due_ms > ?2 \
                     ORDER BY due_ms, session_id, room_id LIMIT ?3",
                    &[
                        now_ms.into(),
                        (now_ms + 2 * PAUSE_MS_MAX).into(),
                        count_max.into(),
                    ],
                    |row| {
                        Ok(NoticeId {
                            session: row.id(0)?,
                            room: row.id(1)?,
                        })
                    },
                )?)
            })
            .await
    }

    /// Takes a notice to be posted, if it is due, nobody else has it, and there is still something to tell. Tell its outcome
    /// with [`Pushes::told`]; a claim whose outcome is never told ends after a minute.
    pub async fn claim(&self, id: NoticeId) -> Result<Option<Posting>> {
        let now_ms = self.ground.clock.now_ms();
        let plan = self.ground.db.read(move |tx| plan(tx, id, now_ms)).await?;
        let (due, told) = match plan {
            Plan::Nothing => return Ok(None),
            Plan::Drop(due) => {
                self.drop_notice(id, due.last).await?;
                return Ok(None);
            }
            Plan::Send(due, told) => (due, told),
        };
        if let Err(wait_ms) = self.shared.limits.take(due.account) {
            self.move_on(id, &due, now_ms + wait_ms, 0).await?;
            return Ok(None);
        }
        let posting = self.seal(id, &due, &told, now_ms).await?;
        let is_claimed = self.move_on(id, &due, now_ms + CLAIM_MS, 1).await?;
        Ok(is_claimed.then_some(posting))
    }

    /// Keeps the books of a posting.
    pub async fn told(&self, posting: &Posting, outcome: Outcome) -> Result<()> {
        let (id, last, endpoint) = (posting.id, posting.last, posting.endpoint.clone());
        let now_ms = self.ground.clock.now_ms();
        let jitter_ms = i64::from(self.ground.random.below(1_000));
        let note = move |tx: &mut Tx<'_>| -> Result<()> {
            match outcome {
                Outcome::Taken => rows::is_well(tx, id.session)?,
                Outcome::Gone => return Ok(rows::unsubscribe_from(tx, id.session, &endpoint)?),
                Outcome::Refused | Outcome::Later { .. } => {
                    let since_ms = now_ms - FAILING_MS_MAX;
                    rows::is_failing(tx, id.session, &endpoint, now_ms, since_ms)?;
                }
            }
            match outcome {
                Outcome::Later {
                    retry_after_seconds,
                } => {
                    retry(tx, id, retry_after_seconds, now_ms + jitter_ms)?;
                }
                _ => end(tx, id, last, now_ms)?,
            }
            Ok(())
        };
        self.ground.db.write(Lock::None, note).await
    }

    /// Lets a notice go that was planned up to `last`.
    async fn drop_notice(&self, id: NoticeId, last: u64) -> Result<()> {
        let now_ms = self.ground.clock.now_ms();
        let work = move |tx: &mut Tx<'_>| -> Result<()> { Ok(end(tx, id, last, now_ms)?) };
        self.ground.db.write(Lock::None, work).await
    }

    /// Has a notice due at another time, unless somebody else has done something with it, and counts `begun` attempts.
    async fn move_on(&self, id: NoticeId, due: &Planned, due_ms: i64, begun: u32) -> Result<bool> {
        let (was_due_ms, last, was_begun) = (due.due_ms, due.last, due.begun);
        let work = move |tx: &mut Tx<'_>| -> Result<bool> {
            let moved = tx.exec(
                "UPDATE push_notice SET due_ms = ?3, begun_count = begun_count + ?4 WHERE session_id = ?1 AND room_id = ?2 \
                 AND due_ms = ?5 AND last_position = ?6 AND begun_count = ?7",
                &[
                    id.session.into(),
                    id.room.into(),
                    due_ms.into(),
                    begun.into(),
                    was_due_ms.into(),
                    last.into(),
                    was_begun.into(),
                ],
            )?;
            Ok(moved > 0)
        };
        self.ground.db.write(Lock::None, work).await
    }

    async fn seal(&self, id: NoticeId, due: &Planned, told: &Told, now_ms: i64) -> Result<Posting> {
        let origin = Url::parse(&due.endpoint).map(|url| url.origin().ascii_serialization());
        let origin = origin
            .map_err(|error| Error::internal("a subscription has no address").because(error))?;
        let contact = self.ground.config.push_contact.as_deref();
        let authorization = self
            .key()
            .await?
            .authorization(&origin, now_ms / 1_000 + WORD_SECONDS, contact)
            .ok_or_else(|| Error::internal("the word to a push service cannot be signed"))?;
        let notice = serde_json::to_vec(&told.notice)
            .map_err(|error| Error::internal("a notice has no text").because(error))?;
        let random = &self.ground.random;
        let body = due
            .subscriber
            .seal(&notice, &random.bytes(), &random.bytes())
            .map_err(|error| Error::internal("a notice cannot be sealed").because(error))?;
        let mut topic = blake3::Hasher::new_derive_key("wharf 2026 topic of a room's notices");
        topic
            .update(due.subscriber.auth())
            .update(id.room.as_bytes());
        let mut short = [0; 16];
        topic.finalize_xof().fill(&mut short);
        Ok(Posting {
            id,
            endpoint: due.endpoint.clone(),
            authorization,
            ttl_seconds: (told.notice.at_ms + WORTH_MS - now_ms).clamp(0, WORTH_MS) / 1_000,
            is_urgent: told.is_urgent,
            topic: BASE64URL_NOPAD.encode(&short),
            body,
            last: due.last,
        })
    }
}

/// Ends a notice that was told, or is not worth it. What was said past `last` meanwhile is another one.
fn end(tx: &mut Tx<'_>, id: NoticeId, last: u64, now_ms: i64) -> sql::Result<()> {
    tx.exec(
        "DELETE FROM push_notice WHERE session_id = ?1 AND room_id = ?2 AND last_position <= ?3",
        &[id.session.into(), id.room.into(), last.into()],
    )?;
    tx.exec(
        "UPDATE push_notice SET first_position = ?3, due_ms = ?4, begun_count = 0, failed_count = 0 \
         WHERE session_id = ?1 AND room_id = ?2",
        &[
            id.session.into(),
            id.room.into(),
            (last + 1).into(),
            (now_ms + GRACE_MS).into(),
        ],
    )?;
    Ok(())
}

/// Has a notice sent again after a pause that grows with each failure.
fn retry(
    tx: &mut Tx<'_>,
    id: NoticeId,
    retry_after_seconds: Option<u64>,
    now_ms: i64,
) -> sql::Result<()> {
    let failed = tx.opt(
        "SELECT failed_count FROM push_notice WHERE session_id = ?1 AND room_id = ?2",
        &[id.session.into(), id.room.into()],
        |row| row.uint(0),
    )?;
    let due_ms = now_ms + pause_ms(failed.unwrap_or(0), retry_after_seconds);
    tx.exec(
        "UPDATE push_notice SET due_ms = ?3, begun_count = 0, failed_count = failed_count + 1 \
         WHERE session_id = ?1 AND room_id = ?2",
        &[id.session.into(), id.room.into(), due_ms.into()],
    )?;
    Ok(())
}

/// What is to be done with a notice now.
fn plan(tx: &mut Tx<'_>, id: NoticeId, now_ms: i64) -> Result<Plan> {
    let due = tx.opt(
        "SELECT s.account_id, s.endpoint, s.public_key, s.auth, s.hides_content, n.first_position, n.last_position, \
         n.due_ms, n.begun_count FROM push_notice n JOIN push_subscription s ON s.session_id = n.session_id \
         WHERE n.session_id = ?1 AND n.room_id = ?2 AND (n.due_ms <= ?3 OR n.due_ms > ?4)",
        &[
            id.session.into(),
            id.room.into(),
            now_ms.into(),
            (now_ms + 2 * PAUSE_MS_MAX).into(),
        ],
        |row| {
            let subscriber = Subscriber::new(row.bytes(2)?, row.bytes(3)?);
            Ok(Planned {
                account: row.id(0)?,
                endpoint: row.text(1)?.to_owned(),
                subscriber: subscriber.ok_or_else(|| sql::Error::corrupt("the keys of a subscription"))?,
                hides_content: row.flag(4)?,
                first: row.uint(5)?,
                last: row.uint(6)?,
                due_ms: row.int(7)?,
                begun: row.uint(8)?,
            })
        },
    )?;
    let Some(due) = due else {
        return Ok(Plan::Nothing);
    };
    if due.begun >= BEGUN_MAX {
        return Ok(Plan::Drop(due));
    }
    Ok(match tell(tx, id.room, &due, now_ms)? {
        Some(told) => Plan::Send(due, told),
        None => Plan::Drop(due),
    })
}

/// The last thing that was said and is still worth telling.
fn tell(tx: &mut Tx<'_>, room: RoomId, due: &Planned, now_ms: i64) -> Result<Option<Told>> {
    let account = due.account;
    let found = tx.opt(
        concat!(
            "SELECT e.position, r.kind, r.name, (SELECT count(*) FROM mention x WHERE x.room_id = e.room_id \
             AND x.account_id IN (m.account_id, ?1) AND x.position = e.position) FROM member m \
             JOIN room r ON r.id = m.room_id JOIN account a ON a.id = m.account_id AND a.locked = 0 \
             JOIN entry e ON e.room_id = m.room_id WHERE m.room_id = ?2 AND m.account_id = ?5 AND ",
            worth_telling!(),
            " ORDER BY e.position DESC LIMIT 1"
        ),
        &[
            EVERYBODY.into(),
            room.into(),
            due.first.into(),
            due.last.into(),
            account.into(),
        ],
        |row| {
            let kind = room::kind_from(row.text(1)?)?;
            Ok((row.uint(0)?, kind, row.text(2)?.to_owned(), row.uint(3)? > 0))
        },
    )?;
    let Some((position, kind, name, is_mentioned)) = found else {
        return Ok(None);
    };
    let Some(entry) = log::entry_at(tx, None, room, position)? else {
        return Ok(None);
    };
    if now_ms - entry.at_ms >= WORTH_MS {
        return Ok(None);
    }
    let content = if due.hides_content {
        None
    } else {
        let from = author(tx, account, &entry)?;
        let room = (kind == RoomKind::Group).then_some(name);
        content(&entry, from, room)
    };
    Ok(Some(Told {
        notice: PushNotice {
            room,
            position,
            at_ms: entry.at_ms,
            content,
        },
        is_urgent: kind == RoomKind::Direct || is_mentioned,
    }))
}

/// What the reader calls who wrote an entry.
fn author(tx: &mut Tx<'_>, reader: AccountId, entry: &Entry) -> sql::Result<String> {
    let account = match entry.account {
        Some(account) => tx.opt(
            "SELECT a.nickname, c.remark FROM account a \
             LEFT JOIN contact c ON c.account_id = ?1 AND c.other_id = a.id WHERE a.id = ?2",
            &[reader.into(), account.into()],
            |row| {
                let remark = row.opt_text(1)?.filter(|remark| !remark.is_empty());
                Ok(remark.unwrap_or(row.text(0)?).to_owned())
            },
        )?,
        None => None,
    };
    Ok(account.or_else(|| entry.name.clone()).unwrap_or_default())
}

fn content(entry: &Entry, from: String, room: Option<String>) -> Option<PushContent> {
    let (text, is_file) = match (&entry.body, &entry.state.edited) {
        (Some(Body::File(file)), _) => (file.name.as_str(), true),
        (Some(Body::Text(_)), Some(edited)) => (edited.text.as_str(), false),
        (Some(Body::Text(text)), None) => (text.text.as_str(), false),
        _ => return None,
    };
    Some(PushContent {
        from,
        room,
        text: beginning(text),
        is_file,
    })
}

/// The beginning of a text, on one line.
fn beginning(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > PUSH_TEXT_BYTES_MAX {
            line.truncate(line.floor_char_boundary(PUSH_TEXT_BYTES_MAX));
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_text_is_told_on_one_line_and_not_to_its_end() {
        assert_eq!(
            beginning(" # Hello,\n\n\tharbour \u{7}! "),
            "# Hello, harbour !"
        );
        assert_eq!(beginning("\n"), "");
        let long = beginning(&"é".repeat(1_000));
        assert_eq!(long, format!("{}…", "é".repeat(120)));
        let exact = "a".repeat(240);
        assert_eq!(beginning(&exact), exact);
    }
}
