use proptest::prelude::*;
use wharf_core::journal::KeySecret;
use wharf_types::{AccountId, RoomId};
use wharf_wire::gateway::journal::sign;

use super::*;

const NEAR: &str = "192.168.1.7:5000";
const FAR: &str = "198.51.100.7:5000";
const TOKEN: &str = "wj_00112233445566778899aabbccddeeff00112233";

fn key_id(byte: u8) -> JournalKeyId {
    JournalKeyId::from_bytes([byte; 8])
}

fn sealed_key() -> SealedKey {
    SealedKey::new(key_id(2), &[9; 32])
}

/// A desk that knows a key of each kind.
fn desk(serves: Serves, profile: Profile) -> Desk {
    let options = DiaryOptions {
        profile,
        ..DiaryOptions::default()
    };
    let mut desk = Desk::new(serves, &options);
    let hash = token_hash(TOKEN);
    let record = |id, secret| KeyRecord {
        id,
        secret,
        room: RoomId::from_bytes([1; 16]),
        account: AccountId::from_bytes([1; 16]),
    };
    let found = vec![
        record(key_of_token(&hash), KeySecret::TokenHash(hash)),
        record(key_id(1), KeySecret::Hmac("whs_secret".into())),
        record(key_id(2), KeySecret::Sealed([9; 32])),
    ];
    desk.learn(&[], Some(found), 0);
    desk
}

fn take(desk: &mut Desk, from: &str, datagram: &[u8]) -> Wanted {
    let mut datagram = datagram.to_vec();
    desk.take(
        from.parse().unwrap(),
        &mut datagram,
        0,
        &Counters::default(),
    )
}

fn saved(wanted: Wanted) -> Option<Save> {
    match wanted {
        Wanted::Save(pending) => Some(pending.save),
        _ => None,
    }
}

fn reply(wanted: Wanted) -> Option<String> {
    match wanted {
        Wanted::Reply(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    }
}

#[test]
fn each_way_of_writing_needs_its_own_key() {
    let mut desk = desk(Serves::Both, Profile::Lan);
    let line = format!("{TOKEN} Rain.\n");
    let save = saved(take(&mut desk, NEAR, line.as_bytes())).unwrap();
    assert_eq!((save.text.as_str(), save.id), ("Rain.", SaveId::Text));
    let line = sign(key_id(1), "whs_secret", 7, "Rain.");
    let save = saved(take(&mut desk, FAR, line.as_bytes())).unwrap();
    assert_eq!((save.text.as_str(), save.client_ms), ("Rain.", Some(7000)));
    let part = sealed_key().seal([5; 16], 8, 0, b"Rain.").unwrap();
    let save = saved(take(&mut desk, FAR, &part)).unwrap();
    assert_eq!(
        (save.text.as_str(), save.id),
        ("Rain.", SaveId::Entry([5; 16]))
    );
    // The secret of one kind does not open another, though it were known.
    let as_signed = sign(key_id(2), "whs_secret", 7, "Rain.");
    assert!(saved(take(&mut desk, NEAR, as_signed.as_bytes())).is_none());
    let forged = sign(key_id(1), "whs_guess", 7, "Rain.");
    let answer = reply(take(&mut desk, NEAR, forged.as_bytes()));
    assert_eq!(answer.as_deref(), Some("ERR auth\n"));
}

#[test]
fn a_key_that_is_not_known_is_asked_for_once() {
    let mut desk = desk(Serves::Both, Profile::Lan);
    let line = sign(key_id(7), "whs_other", 7, "Rain.");
    let Wanted::Key(id) = take(&mut desk, FAR, line.as_bytes()) else {
        panic!("the house may know it");
    };
    desk.learn(&[id], Some(Vec::new()), 0);
    assert!(matches!(
        take(&mut desk, FAR, line.as_bytes()),
        Wanted::Nothing
    ));
    // A second door may have made it meanwhile.
    let mut datagram = line.into_bytes();
    let wanted = desk.take(
        FAR.parse().unwrap(),
        &mut datagram,
        60_000,
        &Counters::default(),
    );
    assert!(matches!(wanted, Wanted::Key(_)));
}

#[test]
fn strangers_are_told_so_on_the_own_network_alone() {
    for (profile, from, is_told) in [
        (Profile::Lan, NEAR, true),
        (Profile::Lan, FAR, false),
        (Profile::Internet, NEAR, false),
        (Profile::Internet, FAR, false),
    ] {
        let mut desk = desk(Serves::Journal, profile);
        let answer = reply(take(&mut desk, from, b"hello diary"));
        assert_eq!(answer.is_some(), is_told, "{profile:?} {from}");
    }
}

#[test]
fn tokens_come_from_the_internet_where_the_operator_says_so() {
    let line = format!("{TOKEN} Rain.");
    let far = |profile| {
        let mut desk = desk(Serves::Both, profile);
        saved(take(&mut desk, FAR, line.as_bytes())).is_some()
    };
    assert!(!far(Profile::Lan));
    assert!(far(Profile::Internet));
}

#[test]
fn the_old_diary_is_served_to_the_own_network_alone() {
    for (profile, from, is_served) in [
        (Profile::Lan, NEAR, true),
        (Profile::Lan, "[::ffff:127.0.0.1]:9", true),
        (Profile::Lan, FAR, false),
        (Profile::Internet, NEAR, false),
    ] {
        let mut desk = desk(Serves::Both, profile);
        for datagram in [b"r".as_slice(), b"", b"hello", b"\0list", b"\xff\xfe"] {
            let wanted = take(&mut desk, from, datagram);
            assert_eq!(
                matches!(wanted, Wanted::Diary(_)),
                is_served,
                "{profile:?} {from}"
            );
        }
    }
}

#[test]
fn faults_of_a_text_are_told_in_a_word() {
    let mut desk = desk(Serves::Both, Profile::Lan);
    for (text, word) in [
        (b"\xff".to_vec(), "ERR utf8"),
        (vec![b'x'; 1201], "ERR long"),
        (b"\n".to_vec(), "ERR empty"),
        (b"a\0b".to_vec(), "ERR nul"),
    ] {
        let line = [TOKEN.as_bytes(), b" ", &text].concat();
        let answer = reply(take(&mut desk, NEAR, &line)).unwrap();
        assert!(answer.starts_with(word), "{answer}");
        assert!(answer.len() <= line.len());
    }
}

#[test]
fn who_sends_the_last_part_or_one_again_is_told_what_is_missing() {
    let mut desk = desk(Serves::Both, Profile::Internet);
    let key = sealed_key();
    let text = "Rain. ".repeat(500);
    let mut part = |index: u8, from: &str| {
        let datagram = key.seal([5; 16], 8, index, text.as_bytes()).unwrap();
        take(&mut desk, from, &datagram)
    };
    let missing = |wanted| match wanted {
        Wanted::Reply(bytes) => key.read_ack(&bytes).map(|ack| ack.missing),
        _ => None,
    };
    assert!(matches!(part(1, FAR), Wanted::Nothing));
    assert_eq!(missing(part(2, FAR)), Some(0b001));
    assert_eq!(missing(part(1, FAR)), Some(0b001));
    // The sender's address has changed meanwhile: the entry is the key's, not the address's.
    let Wanted::Save(pending) = part(0, "203.0.113.9:777") else {
        panic!("it is whole");
    };
    assert_eq!(pending.save.text, text);
    assert_eq!(pending.from, "203.0.113.9:777".parse().unwrap());
}

/// Datagrams that resemble real ones.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = prop::collection::vec(any::<u8>(), 0..1300);
    let line = (
        "(wj_[0-9a-f]{40}|wh_[0-9a-f]{16} [0-9]{1,10} [0-9a-f]{64})",
        any_bytes.clone(),
    )
        .prop_map(|(head, rest)| [head.as_bytes(), b" ", &rest].concat());
    let own_token = any_bytes
        .clone()
        .prop_map(|rest| [TOKEN.as_bytes(), b" ", &rest].concat());
    let sealed = (
        any::<[u8; 16]>(),
        any::<i64>(),
        ".{1,900}",
        0_usize..3000,
        any::<u8>(),
    )
        .prop_map(|(entry, client_ms, text, at, with)| {
            let mut part = sealed_key()
                .seal(entry, client_ms, 0, text.as_bytes())
                .unwrap();
            if let Some(byte) = part.get_mut(at) {
                *byte ^= with;
            }
            part
        });
    prop_oneof![any_bytes, line, own_token, sealed]
}

proptest! {
    /// Whoever forges a victim's address gets nothing out of it.
    #[test]
    fn no_answer_is_longer_than_what_it_answers(
        datagrams in prop::collection::vec(datagram(), 1..20), near: bool, lan: bool, journal: bool
    ) {
        let profile = if lan { Profile::Lan } else { Profile::Internet };
        let serves = if journal { Serves::Journal } else { Serves::Both };
        let mut desk = desk(serves, profile);
        for datagram in datagrams {
            match take(&mut desk, if near { NEAR } else { FAR }, &datagram) {
                Wanted::Reply(reply) => prop_assert!(reply.len() <= datagram.len()),
                Wanted::Save(pending) => {
                    let longest = match pending.tell {
                        Tell::Line { bytes_max } => bytes_max,
                        Tell::Ack { .. } => wharf_wire::gateway::journal::ACK_BYTES,
                    };
                    prop_assert!(longest <= datagram.len());
                }
                Wanted::Diary(_) => prop_assert!(near && lan && !journal),
                Wanted::Key(_) | Wanted::Nothing => {}
            }
        }
    }
}
