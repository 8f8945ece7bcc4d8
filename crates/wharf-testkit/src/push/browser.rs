//! A browser's side of a subscription: its keys, and opening what was sealed for it (RFC 8291, 3; RFC 8188, 2).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// A browser that subscribed.
pub struct Browser {
    number: usize,
    endpoint: String,
    key: PrivateKey,
    public: Vec<u8>,
    auth: Vec<u8>,
}

impl Browser {
    pub(super) fn new(number: usize, endpoint: String) -> Self {
        let key = PrivateKey::generate(&ECDH_P256).expect("a key");
        Self::with_keys(number, endpoint, key, rand::random::<[u8; 16]>().to_vec())
    }

    fn with_keys(number: usize, endpoint: String, key: PrivateKey, auth: Vec<u8>) -> Self {
        let public = key.compute_public_key().expect("its public half");
        Self {
            number,
            endpoint,
            public: public.as_ref().to_vec(),
            key,
            auth,
        }
    }

    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// Its address at the push service.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What its page tells the server.
    pub fn subscription(&self, hides_content: bool) -> Value {
        json!({
            "endpoint": self.endpoint,
            "p256dh": BASE64URL_NOPAD.encode(&self.public),
            "auth": BASE64URL_NOPAD.encode(&self.auth),
            "hides_content": hides_content,
        })
    }

    /// Opens what was sealed for it; `None` where it was not.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = sealed.split_at_checked(16)?;
        let (record_bytes, rest) = rest.split_first_chunk::<4>()?;
        let (key_bytes, rest) = rest.split_first()?;
        let (sender, record) = rest.split_at_checked(usize::from(*key_bytes))?;
        if record.len() > u32::from_be_bytes(*record_bytes) as usize {
            return None;
        }
        let peer = UnparsedPublicKey::new(&ECDH_P256, sender);
        let shared = agree(&self.key, peer, (), |shared| Ok(shared.to_vec())).ok()?;
        let info = [b"WebPush: info\0", self.public.as_slice(), sender].concat();
        let ikm = expand(&mac(&self.auth, &shared), &info);
        let prk = mac(salt, &ikm);
        let key = expand(&prk, b"Content-Encoding: aes128gcm\0");
        let nonce = expand(&prk, b"Content-Encoding: nonce\0");
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).ok()?;
        let mut record = record.to_vec();
        let opened = cipher
            .open_in_place(nonce, Aad::empty(), &mut record)
            .ok()?;
        // The last record ends with a 2, and after it there are but zeros.
        let end = opened.iter().rposition(|byte| *byte != 0)?;
        (opened[end] == 2).then(|| opened[..end].to_vec())
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text).as_ref().to_vec()
}

/// The first 32 bytes of HKDF's second step.
fn expand(prk: &[u8], info: &[u8]) -> Vec<u8> {
    mac(prk, &[info, &[1]].concat())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
    use data_encoding::BASE64URL_NOPAD;

    use super::Browser;

    #[test]
    fn the_example_of_the_standard_is_opened_and_nothing_else_is() {
        // RFC 8291, 5.
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
        let secret = decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
        let key = PrivateKey::from_private_key(&ECDH_P256, &secret).expect("a key");
        let auth = decode("BTBZMqHH6r4Tts7J_aSIgg");
        let browser = Browser::with_keys(0, String::new(), key, auth);
        let mut sealed = decode(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P\
             Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        let opened = browser.open(&sealed).expect("what it can open");
        assert_eq!(opened, b"When I grow up, I want to be a watermelon");
        for short in 0..sealed.len() {
            assert_eq!(browser.open(&sealed[..short]), None);
        }
        *sealed.last_mut().expect("a byte") ^= 1;
        assert_eq!(browser.open(&sealed), None);
    }
}
