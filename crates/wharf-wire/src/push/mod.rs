//! Web Push, as a server speaks it: a notice sealed for one browser (RFC 8291, over the `aes128gcm` coding of RFC 8188),
//! and the server's word for itself to the push service ([`Vapid`], RFC 8292).
//!
//! What is sealed: a salt 16, the record's size 4, the length of the key 1, a public key made for this notice alone 65, then
//! the notice, a 2 and zeros under AES-128-GCM. The zeros make notices of different lengths look alike.

mod vapid;

#[cfg(test)]
mod tests;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

pub use vapid::Vapid;

/// Length of a public key: a point of P-256, not compressed.
pub const PUBLIC_KEY_BYTES: usize = 65;
/// Length of what only the browser and this server know of a subscription.
pub const AUTH_BYTES: usize = 16;
/// What precedes the sealed record.
const HEADER_BYTES: usize = 16 + 4 + 1 + PUBLIC_KEY_BYTES;
const TAG_BYTES: usize = 16;
/// The record's size as it is announced: what every push service takes as a whole.
const RECORD_BYTES: u32 = 4096;
/// Longest notice, without its padding.
pub const NOTICE_BYTES_MAX: usize = RECORD_BYTES as usize - HEADER_BYTES - TAG_BYTES - 1;
/// Sealed notices are as long as the next multiple of this.
const PADDED_BYTES: usize = 512;

/// Why a notice cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is longer than [`NOTICE_BYTES_MAX`].
    #[error("a notice has {NOTICE_BYTES_MAX} bytes at most")]
    TooLong,
    /// The key for this notice is none: another random one is.
    #[error("no key of P-256")]
    Key,
}

/// A browser's side of a subscription.
#[derive(Debug, Clone)]
pub struct Subscriber {
    public: [u8; PUBLIC_KEY_BYTES],
    auth: [u8; AUTH_BYTES],
}

impl Subscriber {
    /// Takes what the browser gave: `p256dh` and `auth`. `None` where that is no point of the curve, or of another length.
    pub fn new(public: &[u8], auth: &[u8]) -> Option<Self> {
        let subscriber = Self {
            public: public.try_into().ok()?,
            auth: auth.try_into().ok()?,
        };
        let is_plain = subscriber.public.first() == Some(&4);
        let is_point = ParsedPublicKey::try_from(subscriber.point()).is_ok();
        (is_plain && is_point).then_some(subscriber)
    }

    /// The browser's public key.
    pub fn public(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public
    }

    /// What only the browser and this server know.
    pub fn auth(&self) -> &[u8; AUTH_BYTES] {
        &self.auth
    }

    fn point(&self) -> UnparsedPublicKey<&[u8]> {
        UnparsedPublicKey::new(&ECDH_P256, &self.public)
    }

    /// Seals a notice: what a push service is posted. `key` and `salt` are random, and for this notice alone.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(
        &self,
        notice: &[u8],
        key: &[u8; 32],
        salt: &[u8; 16],
    ) -> Result<Vec<u8>, SealError> {
        let sealed_bytes =
            (HEADER_BYTES + notice.len() + 1 + TAG_BYTES).next_multiple_of(PADDED_BYTES);
        let padding = sealed_bytes.min(RECORD_BYTES as usize) - HEADER_BYTES - TAG_BYTES;
        let padding = padding.saturating_sub(notice.len() + 1);
        self.seal_padded(notice, key, salt, padding)
    }

    fn seal_padded(
        &self,
        notice: &[u8],
        key: &[u8; 32],
        salt: &[u8; 16],
        padding: usize,
    ) -> Result<Vec<u8>, SealError> {
        if notice.len() > NOTICE_BYTES_MAX {
            return Err(SealError::TooLong);
        }
        let key = PrivateKey::from_private_key(&ECDH_P256, key).map_err(|_| SealError::Key)?;
        let public = key.compute_public_key().map_err(|_| SealError::Key)?;
        let (cipher, nonce) = self
            .derive(&key, public.as_ref(), salt)
            .map_err(|_| SealError::Key)?;
        let mut record = Vec::with_capacity(notice.len() + 1 + padding + TAG_BYTES);
        record.extend_from_slice(notice);
        record.push(2);
        record.resize(record.len() + padding, 0);
        cipher
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut record)
            .map_err(|_| SealError::Key)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + record.len());
        sealed.extend_from_slice(salt);
        sealed.extend_from_slice(&RECORD_BYTES.to_be_bytes());
        sealed.push(u8::try_from(PUBLIC_KEY_BYTES).map_err(|_| SealError::Key)?);
        sealed.extend_from_slice(public.as_ref());
        sealed.append(&mut record);
        Ok(sealed)
    }

    /// The key and the nonce of a notice (RFC 8291, 3.4).
    fn derive(
        &self,
        key: &PrivateKey,
        public: &[u8],
        salt: &[u8],
    ) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let ikm: [u8; 32] = agree(key, self.point(), Unspecified, |shared| {
            let prk = Salt::new(HKDF_SHA256, &self.auth).extract(shared);
            expand(&prk, &[b"WebPush: info\0", &self.public, public])
        })?;
        let prk = Salt::new(HKDF_SHA256, salt).extract(&ikm);
        let cipher: [u8; 16] = expand(&prk, &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce: [u8; NONCE_LEN] = expand(&prk, &[b"Content-Encoding: nonce\0"])?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &cipher)?);
        Ok((cipher, Nonce::assume_unique_for_key(nonce)))
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    prk.expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}
