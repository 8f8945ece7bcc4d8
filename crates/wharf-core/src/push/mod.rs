//! Notices by Web Push: devices are told what was said while nobody looked.
//!
//! A session subscribes with an address at its browser's push service. What transactions say of themselves ([`Spoken`]) is
//! looked at a moment later ([`Pushes::gather`]): members who have a subscription, want to hear of it and have not read it by
//! then get a notice, one for each session and room, in the database. When it is due it is looked at again, since it may
//! have been read, taken back or muted meanwhile, and then sent ([`Pushes::claim`]); the posting itself is the door's.
//!
//! Nothing of this is on the way of a message. What a process that dies had not gathered is lost, that is the notices of the
//! last moment; what was gathered is sent by whichever process is there. A notice whose outcome was not told is sent once
//! more, and not a third time.

mod gather;
mod limit;
mod rows;
mod send;
mod spoken;

use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use tokio::sync::OnceCell;
use url::{Host, Url};
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::ErrorCode;
use wharf_types::api::push::{Push, PushSubscription, SubscribePush};
use wharf_types::limit::PUSH_ENDPOINT_BYTES_MAX;
use wharf_wire::push::{Subscriber, Vapid};

use crate::access::require_writer;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::hook::is_public;
use crate::{Ground, Outgoing, setting};
use limit::Limits;

pub use send::{NoticeId, Outcome, Posting};
pub(crate) use spoken::Spoken;

/// The operations on notices. Clones are the same.
#[derive(Clone)]
pub struct Pushes {
    ground: Ground,
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    key: OnceCell<Vapid>,
}

impl Pushes {
    pub(crate) fn new(ground: Ground) -> Self {
        let limits = Limits::new(ground.clock.clone());
        let key = OnceCell::new();
        Self {
            ground,
            shared: Arc::new(Shared { limits, key }),
        }
    }

    /// Where notices may be posted to.
    pub fn allowed(&self) -> Outgoing {
        self.ground.config.push
    }

    /// The server's key, and the subscription of the caller's session.
    pub async fn state(&self, by: &Caller) -> Result<Push> {
        let session = by.person()?.session;
        let key = match self.allowed() {
            Outgoing::Off => None,
            Outgoing::Public | Outgoing::Anywhere => Some(self.key().await?.public()),
        };
        let read = move |tx: &mut Tx<'_>| -> Result<_> { Ok(rows::subscription(tx, session)?) };
        let subscription = self.ground.db.read(read).await?;
        Ok(Push { key, subscription })
    }

    /// Subscribes the caller's session, in place of what it had. A browser that another session had subscribed is this one's
    /// from now on.
    ///
    /// # Errors
    /// - `Invalid`: the address is no `https` one, or the keys are none.
    /// - `Unsupported`: this server sends no notices, or none to such an address.
    pub async fn subscribe(&self, by: &Caller, request: SubscribePush) -> Result<PushSubscription> {
        let subscription = PushSubscription {
            endpoint: self.check_endpoint(&request.endpoint)?,
            hides_content: request.hides_content,
            created_ms: self.ground.clock.now_ms(),
        };
        let subscriber = decode(&request.p256dh)
            .zip(decode(&request.auth))
            .and_then(|(public, auth)| Subscriber::new(&public, &auth))
            .ok_or_else(|| {
                Error::invalid(
                    "p256dh is a public key of P-256, and auth 16 bytes, both as base64url",
                )
            })?;
        let by = *by;
        let subscribe = move |tx: &mut Tx<'_>| {
            let person = require_writer(tx, &by)?;
            rows::subscribe(
                tx,
                person.session,
                person.account,
                &subscription,
                &subscriber,
            )?;
            let kept = rows::subscription(tx, person.session)?;
            kept.ok_or_else(|| Error::internal("a subscription was not kept"))
        };
        self.ground.db.write(Lock::Global, subscribe).await
    }

    /// Ends the subscription of the caller's session, if it has one.
    pub async fn unsubscribe(&self, by: &Caller) -> Result<()> {
        let by = *by;
        let end = move |tx: &mut Tx<'_>| {
            let person = require_writer(tx, &by)?;
            Ok(rows::unsubscribe(tx, person.session)?)
        };
        self.ground.db.write(Lock::None, end).await
    }

    /// Checks an address and gives it in its normal form.
    fn check_endpoint(&self, text: &str) -> Result<String> {
        let allowed = self.allowed();
        if allowed == Outgoing::Off {
            return Err(unsupported("this server sends no notices"));
        }
        if text.len() > PUSH_ENDPOINT_BYTES_MAX {
            return Err(Error::invalid("the address of a push service is too long"));
        }
        let url = Url::parse(text).map_err(|error| {
            Error::invalid(format!(
                "the address of a push service is malformed: {error}"
            ))
        })?;
        let has_more =
            !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if url.scheme() != "https" || has_more {
            return Err(Error::invalid(
                "the address of a push service begins with https:// and names nobody",
            ));
        }
        let is_private = match url.host() {
            Some(Host::Ipv4(address)) => !is_public(address.into()),
            Some(Host::Ipv6(address)) => !is_public(address.into()),
            Some(Host::Domain(_)) | None => false,
        };
        if allowed == Outgoing::Public && is_private {
            return Err(unsupported(
                "notices of this server go to public addresses only",
            ));
        }
        Ok(url.into())
    }

    /// The server's key pair, made when it is needed first.
    async fn key(&self) -> Result<&Vapid> {
        let load = || async {
            let kept = self.ground.db.read(kept_key).await?;
            if let Some(key) = kept {
                return Ok(key);
            }
            let random = self.ground.random.clone();
            let make = move |tx: &mut Tx<'_>| {
                if let Some(key) = kept_key(tx)? {
                    return Ok(key);
                }
                let secret = random.bytes::<32>();
                let made = Vapid::new(&secret);
                let key = made.ok_or_else(|| Error::internal("the random bytes are no key"))?;
                setting::put(tx, setting::VAPID_KEY, &HEXLOWER.encode(&secret))?;
                Ok(key)
            };
            self.ground.db.write(Lock::Global, make).await
        };
        self.shared.key.get_or_try_init(load).await
    }
}

fn kept_key(tx: &mut Tx<'_>) -> Result<Option<Vapid>> {
    let Some(text) = setting::get(tx, setting::VAPID_KEY)? else {
        return Ok(None);
    };
    let secret = HEXLOWER.decode(text.as_bytes()).ok();
    let key = secret.and_then(|secret| Vapid::new(&secret.try_into().ok()?));
    let corrupt = || Error::from(sql::Error::corrupt("the key for push services"));
    key.ok_or_else(corrupt).map(Some)
}

/// Browsers write base64url without padding; some libraries write it with.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

fn unsupported(text: &'static str) -> Error {
    Error::new(ErrorCode::Unsupported, text)
}
