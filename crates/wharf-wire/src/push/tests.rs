use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{NOTICE_BYTES_MAX, SealError, Subscriber, Vapid};

fn decode(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    decode(text).try_into().unwrap()
}

/// The browser of RFC 8291, 5.
fn subscriber() -> Subscriber {
    let public = decode(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    );
    Subscriber::new(&public, &decode("BTBZMqHH6r4Tts7J_aSIgg")).unwrap()
}

#[test]
fn the_example_of_the_standard_is_sealed_as_there() {
    let key = array("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
    let salt = array("DGv6ra1nlYgDCS1FRnbzlw");
    let notice = b"When I grow up, I want to be a watermelon";
    let sealed = subscriber().seal_padded(notice, &key, &salt, 0).unwrap();
    assert_eq!(
        BASE64URL_NOPAD.encode(&sealed),
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3\
         jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    );
}

#[test]
fn notices_of_different_lengths_look_alike_and_fit_a_record() {
    let (key, salt) = ([7; 32], [9; 16]);
    let sealed = |bytes: usize| {
        subscriber()
            .seal(&vec![b'a'; bytes], &key, &salt)
            .unwrap()
            .len()
    };
    assert_eq!((sealed(0), sealed(1), sealed(300)), (512, 512, 512));
    assert_eq!((sealed(409), sealed(410)), (512, 1024));
    assert_eq!(sealed(NOTICE_BYTES_MAX), 4096);
    let long = vec![b'a'; NOTICE_BYTES_MAX + 1];
    assert_eq!(
        subscriber().seal(&long, &key, &salt),
        Err(SealError::TooLong)
    );
    assert_eq!(
        subscriber().seal(b"a", &[0; 32], &salt),
        Err(SealError::Key)
    );
}

#[test]
fn what_is_no_browser_s_key_is_refused() {
    let good = subscriber();
    let auth = [0; 16];
    let mut off_curve = *good.public();
    off_curve[64] ^= 1;
    let mut compressed = good.public()[..33].to_vec();
    compressed[0] = 2;
    for bad in [
        &off_curve[..],
        &compressed,
        &[4; 65],
        &[0; 65],
        &[],
        &good.public()[1..],
    ] {
        assert!(Subscriber::new(bad, &auth).is_none());
    }
    assert!(Subscriber::new(good.public(), &auth[..15]).is_none());
}

/// The claims of an `Authorization` whose signature is right.
fn verified(authorization: &str) -> Value {
    let (token, key) = authorization
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header, json!({ "typ": "JWT", "alg": "ES256" }));
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[test]
fn the_server_s_word_is_verified_like_the_one_of_the_standard() {
    // RFC 8292, 2.4.
    let published = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHA\
                     iOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGS\
                     K2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6Y\
                     K5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
    let claims = json!({
        "aud": "https://push.example.net", "exp": 1_453_523_768, "sub": "mailto:push@example.com",
    });
    assert_eq!(verified(published), claims);
    let vapid = Vapid::new(&[7; 32]).unwrap();
    let subject = Some("mailto:push@example.com");
    let own = vapid.authorization("https://push.example.net", 1_453_523_768, subject);
    let own = own.unwrap();
    assert_eq!(verified(&own), claims);
    assert!(own.ends_with(&vapid.public()));
    let silent = vapid
        .authorization("https://push.example.net", 1, None)
        .unwrap();
    assert_eq!(
        verified(&silent),
        json!({ "aud": "https://push.example.net", "exp": 1 })
    );
}

#[test]
fn a_secret_has_one_public_key_and_zero_has_none() {
    let public = Vapid::new(&[7; 32]).unwrap().public();
    assert_eq!(public, Vapid::new(&[7; 32]).unwrap().public());
    assert_ne!(public, Vapid::new(&[8; 32]).unwrap().public());
    assert!(Vapid::new(&[0; 32]).is_none());
}
