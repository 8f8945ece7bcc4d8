//! A server's word for itself to push services: a JSON Web Token, signed with ES256.

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use super::PUBLIC_KEY_BYTES;

/// A server's key pair for push services. Browsers bind their subscriptions to its public half.
pub struct Vapid {
    pair: EcdsaKeyPair,
    public: [u8; PUBLIC_KEY_BYTES],
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

impl Vapid {
    /// The pair of a secret; `None` for the few values that are no secret of P-256.
    pub fn new(secret: &[u8; 32]) -> Option<Self> {
        let key = PrivateKey::from_private_key(&ECDH_P256, secret).ok()?;
        let public = key.compute_public_key().ok()?;
        let public: [u8; PUBLIC_KEY_BYTES] = public.as_ref().try_into().ok()?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, secret, &public).ok()?;
        Some(Self { pair, public })
    }

    /// The public key as browsers take it: base64url without padding.
    pub fn public(&self) -> String {
        BASE64URL_NOPAD.encode(&self.public)
    }

    /// The value of `Authorization` for the push service at `audience`, an origin such as `https://push.example.net`.
    /// `expires_s` is in seconds since the epoch, a day ahead at most; `subject` is a `mailto:` or `https:` address where
    /// the service reaches who runs this server. `None` only if the library fails to sign.
    pub fn authorization(
        &self,
        audience: &str,
        expires_s: i64,
        subject: Option<&str>,
    ) -> Option<String> {
        let header = Header {
            typ: "JWT",
            alg: "ES256",
        };
        let claims = Claims {
            aud: audience,
            exp: expires_s,
            sub: subject,
        };
        let mut token = BASE64URL_NOPAD.encode(&serde_json::to_vec(&header).ok()?);
        token.push('.');
        BASE64URL_NOPAD.encode_append(&serde_json::to_vec(&claims).ok()?, &mut token);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .ok()?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(signature.as_ref(), &mut token);
        Some(format!("vapid t={token}, k={}", self.public()))
    }
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid")
            .field("public", &self.public())
            .finish_non_exhaustive()
    }
}
