//! JSON Web Tokens (RFC 7519, HS256), for gateways whose protocol knows nothing else.
//!
//! A token of this server stands for a session of its own, which is known by a hash of the whole token: it ends with that
//! session, whatever its text says, and is nothing at any other door. A token of a service that the operator shares a key
//! with is believed for its `login` alone, for which one session stands.

use aws_lc_rs::hmac;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::SessionId;
use wharf_types::api::account::{CreateJwt, IssuedJwt};

use super::credential::LoginName;
use super::session::Opening;
use super::{Accounts, rows};
use crate::access::{require_session, session_ended};
use crate::caller::{Caller, Origin, Person};
use crate::error::{Error, Result};
use crate::setting;

/// What a token that came with no name of a device is listed as.
const DEVICE: &str = "token";
/// What the session of a shared key's tokens is listed as.
const SHARED_DEVICE: &str = "tokens of another service";
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 4_096;
/// Least length of a shared key, in bytes: what RFC 7518, 3.2, asks of HS256.
const KEY_BYTES_MIN: usize = 32;

#[derive(Serialize, Deserialize)]
struct Header {
    typ: Option<String>,
    alg: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    login: String,
    uid: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// A key that this server shares with another service, whose tokens it believes.
#[derive(Clone)]
pub struct SharedKey(hmac::Key);

impl SharedKey {
    /// Takes the key's bytes as they are.
    ///
    /// # Errors
    /// `Invalid`: shorter than 32 bytes, which can be guessed from a single token.
    pub fn new(key: &[u8]) -> Result<Self> {
        if key.len() < KEY_BYTES_MIN {
            return Err(Error::invalid("a shared key has 32 bytes at least"));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// Signs a token as the other service does.
    ///
    /// # Errors
    /// `Internal`: never, for texts.
    pub fn sign(&self, login: &str, uid: u64) -> Result<String> {
        let login = login.to_owned();
        sign(
            &self.0,
            &Claims {
                login,
                uid,
                jti: None,
                exp: None,
            },
        )
    }
}

impl Accounts {
    /// Makes a token for the caller's account, and the session that it stands for.
    ///
    /// # Errors
    /// - `Invalid`: the device's name is empty or too long.
    /// - `Unauthenticated`: the caller's session has ended.
    pub async fn create_jwt(&self, caller: &Caller, request: CreateJwt) -> Result<IssuedJwt> {
        caller.may_write()?;
        let person = *caller.person()?;
        let device = request.device.as_deref().unwrap_or(DEVICE);
        let opening = Opening::new(Some(device), caller.origin())?;
        let ground = self.ground.clone();
        let now_ms = ground.clock.now_ms();
        let fresh_key = ground.random.bytes::<32>();
        let create = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            let account = rows::account(tx, person.account)?.ok_or_else(session_ended)?;
            let key = server_key(tx, &fresh_key)?;
            let claims = Claims {
                login: account.username.clone(),
                uid: account.number.into(),
                jti: None,
                exp: None,
            };
            let (opened, notices) = opening.open(tx, &ground, account, now_ms)?;
            let session = opened.session;
            let jti = Some(session.id);
            let token = sign(&key, &Claims { jti, ..claims })?;
            tx.exec(
                "UPDATE session SET token_hash = ?2 WHERE id = ?1",
                &[session.id.into(), (&jwt_hash(&token)).into()],
            )?;
            Ok((IssuedJwt { token, session }, notices))
        };
        self.ground.act(Lock::None, create).await
    }

    /// Tells whose token it is: one of this server, or one that is signed with `shared`.
    ///
    /// # Errors
    /// `Unauthenticated`: it is none, its session has ended, or its account is locked or unknown.
    pub async fn authenticate_jwt(
        &self,
        token: &str,
        shared: Option<&SharedKey>,
        origin: Origin,
    ) -> Result<Caller> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(session_ended());
        }
        match self.authenticate_hash(jwt_hash(token), origin).await {
            Err(refusal) if !refusal.is_fault() => {}
            known => return known,
        }
        let claims = shared.and_then(|key| verify(&key.0, token));
        let claims = claims.ok_or_else(session_ended)?;
        let now_ms = self.ground.clock.now_ms();
        if claims
            .exp
            .is_some_and(|exp| exp.saturating_mul(1_000) <= now_ms)
        {
            return Err(session_ended());
        }
        let caller = self.take_up_shared(&claims.login, origin).await?;
        let steady_ms = self.ground.clock.steady_ms();
        let person = *caller.person()?;
        self.shared.cache.keep(jwt_hash(token), person, steady_ms);
        Ok(caller)
    }

    /// The session of a shared key's tokens for `login`, opened if it does not stand.
    async fn take_up_shared(&self, login: &str, origin: Origin) -> Result<Caller> {
        let login = LoginName::parse(login).ok_or_else(session_ended)?;
        let opening = Opening::new(Some(SHARED_DEVICE), origin)?;
        let ground = self.ground.clone();
        let now_ms = ground.clock.now_ms();
        let find = move |tx: &mut Tx<'_>| -> Result<(Person, Option<SessionId>)> {
            let found = rows::account_by_login(tx, &login)?.ok_or_else(session_ended)?;
            let account = found.account;
            if account.locked {
                return Err(session_ended());
            }
            let sessions = rows::sessions(tx, account.id, None)?;
            let standing = sessions
                .iter()
                .find(|session| session.device == SHARED_DEVICE);
            let person = Person {
                account: account.id,
                role: account.role,
                session: standing.map_or(SessionId::from_bytes([0; 16]), |session| session.id),
                home: account.home,
            };
            Ok((person, standing.map(|session| session.id)))
        };
        let (person, standing) = self.ground.db.read(find).await?;
        if standing.is_some() {
            return Ok(Caller::person_at(person, origin));
        }
        let open = move |tx: &mut Tx<'_>| {
            let account = rows::account(tx, person.account)?.ok_or_else(session_ended)?;
            let (opened, notices) = opening.open(tx, &ground, account, now_ms)?;
            Ok((opened.session.id, notices))
        };
        let session = self.ground.act(Lock::Global, open).await?;
        Ok(Caller::person_at(Person { session, ..person }, origin))
    }
}

/// The key of this server's own tokens, which is `fresh` from now on if there was none.
fn server_key(tx: &mut Tx<'_>, fresh: &[u8; 32]) -> sql::Result<hmac::Key> {
    let kept = setting::get(tx, setting::JWT_KEY)?;
    let text = if let Some(kept) = kept {
        kept
    } else {
        let text = HEXLOWER.encode(fresh);
        setting::put(tx, setting::JWT_KEY, &text)?;
        text
    };
    let key = HEXLOWER.decode(text.as_bytes());
    let key = key.map_err(|_| sql::Error::corrupt("the key of tokens"))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// What the database knows a token by. Never what one of the API, or a ticket, hashes to.
fn jwt_hash(token: &str) -> [u8; 32] {
    blake3::derive_key("wharf 2026 JSON Web Token of a session", token.as_bytes())
}

fn sign(key: &hmac::Key, claims: &Claims) -> Result<String> {
    let header = Header {
        typ: Some("JWT".to_owned()),
        alg: "HS256".to_owned(),
    };
    let json = |error: serde_json::Error| Error::internal("a token has no text").because(error);
    let header = serde_json::to_vec(&header).map_err(json)?;
    let claims = serde_json::to_vec(claims).map_err(json)?;
    let mut token = BASE64URL_NOPAD.encode(&header);
    token.push('.');
    BASE64URL_NOPAD.encode_append(&claims, &mut token);
    let tag = hmac::sign(key, token.as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(tag.as_ref(), &mut token);
    Ok(token)
}

/// The claims of a token whose signature is right. No other algorithm counts, least of all `none`.
fn verify(key: &hmac::Key, token: &str) -> Option<Claims> {
    let (signed, tag) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    hmac::verify(key, signed.as_bytes(), &decode(tag)?).ok()?;
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    let is_jwt = header.alg == "HS256" && header.typ.is_none_or(|typ| typ == "JWT");
    is_jwt.then_some(())?;
    serde_json::from_slice(&decode(claims)?).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use data_encoding::BASE64URL_NOPAD;

    use super::{SharedKey, sign, verify};

    /// As authd signs with the key that it is published with.
    const PUBLISHED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJsb2dpbiI6InRlc3QiLCJ1aWQiOjEwMDB9.\
                             0y7bf0ULnC_VkH4YsrmqO0_4JB5cHFZrp3QVWFwqVQ4";

    #[test]
    fn a_published_token_is_read_and_made_again() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"nico-nico-nii");
        let claims = verify(&key, PUBLISHED).unwrap();
        assert_eq!((claims.login.as_str(), claims.uid), ("test", 1000));
        assert_eq!(sign(&key, &claims).unwrap(), PUBLISHED);
    }

    #[test]
    fn nothing_else_is_a_token() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"nico-nico-nii");
        let (signed, tag) = PUBLISHED.rsplit_once('.').unwrap();
        let (_, claims) = signed.split_once('.').unwrap();
        let none = BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"none"}"#);
        let forged = format!("{none}.{claims}");
        let right = BASE64URL_NOPAD.encode(hmac::sign(&key, forged.as_bytes()).as_ref());
        for bad in [
            String::new(),
            "..".to_owned(),
            signed.to_owned(),
            format!("{signed}."),
            format!("{signed}.{}", tag.to_uppercase()),
            format!("{none}.{claims}."),
            format!("{none}.{claims}.{tag}"),
            format!("{forged}.{right}"),
        ] {
            assert!(verify(&key, &bad).is_none(), "{bad}");
        }
        let other = hmac::Key::new(hmac::HMAC_SHA256, b"another key");
        assert!(verify(&other, PUBLISHED).is_none());
        assert!(SharedKey::new(b"nico-nico-nii").is_err());
    }
}
