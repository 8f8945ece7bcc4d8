use proptest::prelude::*;
use wharf_types::api::journal::JournalKeyId;

use super::*;

fn id() -> JournalKeyId {
    JournalKeyId::from_bytes(*b"\x01\x23\x45\x67\x89\xab\xcd\xef")
}

fn key() -> SealedKey {
    SealedKey::new(id(), &[7; 32])
}

fn token() -> String {
    format!("{TOKEN_PREFIX}{}", "0a".repeat(20))
}

#[test]
fn a_line_with_a_token_is_one_entry_with_its_inner_newlines() {
    let line = format!("{} a\nb\n", token());
    let Some(Datagram::Text(text)) = parse(line.as_bytes()) else {
        panic!("{line}");
    };
    assert_eq!(text.token, token());
    assert_eq!(check_text(text.text), Ok("a\nb"));
    assert_eq!(check_text(b"a\r\n"), Ok("a"));
    assert_eq!(check_text(b"a\n\n"), Ok("a\n"));
    assert_eq!(check_text(b" \n"), Err(Fault::Empty));
    assert_eq!(check_text(b"\xff"), Err(Fault::Utf8));
    assert_eq!(check_text(b"a\0"), Err(Fault::Nul));
    assert_eq!(check_text(&[b'x'; 1200]), Ok("x".repeat(1200).as_str()));
    assert_eq!(check_text(&[b'x'; 1201]), Err(Fault::Long));
}

#[test]
fn what_does_not_begin_with_a_whole_token_or_key_is_not_the_journal_s() {
    let token = token();
    for other in [
        "hello diary",
        "",
        "wj_ is what a token begins with",
        &token[..token.len() - 1],
        &format!("{token}x text"),
        &token.replace('0', "g"),
        "wh_0123456789abcdef 1 text",
        "wh_0123456789abcdef x 00 text",
    ] {
        assert_eq!(parse(other.as_bytes()), None, "{other}");
    }
    for empty in [token.clone(), format!("{token}\n"), format!("{token} ")] {
        let Some(Datagram::Text(line)) = parse(empty.as_bytes()) else {
            panic!("{empty:?}");
        };
        assert_eq!(check_text(line.text), Err(Fault::Empty));
    }
}

#[test]
fn the_hmac_is_the_one_that_openssl_makes() {
    // printf '%s' '1763746093 Rain all day.' | openssl dgst -sha256 -hmac whs_secret
    let line = sign(id(), "whs_secret", 1_763_746_093, "Rain all day.");
    assert_eq!(
        line,
        "wh_0123456789abcdef 1763746093 HMAC Rain all day.\n".replace("HMAC", OPENSSL)
    );
    let Some(Datagram::Signed(signed)) = parse(line.as_bytes()) else {
        panic!("{line}");
    };
    assert!(verify_signed("whs_secret", &signed));
    assert!(!verify_signed("whs_other", &signed));
    let forged = line.replace("Rain", "Rein");
    let Some(Datagram::Signed(signed)) = parse(forged.as_bytes()) else {
        panic!("{forged}");
    };
    assert!(!verify_signed("whs_secret", &signed));
}

const OPENSSL: &str = "393fe3ddde7a68cf03036055c16417ca64b84fd8ad21fbab2f4eecb5be82e464";

#[test]
fn answers_leave_out_what_does_not_fit() {
    let saved = Answer::Saved {
        at_ms: 1_763_746_093_000,
        position: 153,
        text: "hello",
        is_repeated: true,
    };
    // printf hello | sha256sum | cut -c1-8
    let line = "OK 2025-11-21 #153 2cf24dba (already saved)\n";
    assert_eq!(saved.render(100).as_deref(), Some(line));
    assert_eq!(
        saved.render(43).as_deref(),
        Some("OK 2025-11-21 #153 2cf24dba\n")
    );
    assert_eq!(saved.render(20), None);
    assert_eq!(Answer::Auth.render(9).as_deref(), Some("ERR auth\n"));
    assert_eq!(Answer::Auth.render(8), None);
}

#[test]
fn the_longest_answer_fits_the_shortest_line() {
    let saved = Answer::Saved {
        at_ms: 1_763_746_093_000,
        position: i64::MAX as u64,
        text: "",
        is_repeated: false,
    };
    let line = format!("{} x", token());
    assert!(saved.render(answer_bytes_max(line.len())).is_some());
}

#[test]
fn a_sealed_entry_goes_in_parts_that_fit_every_network() {
    let text = "Rain all day. ".repeat(5_000);
    let key = key();
    let count = part_count(text.len()).unwrap();
    assert_eq!(count, 62);
    let mut whole = Vec::new();
    for index in 0..count {
        let mut datagram = key.seal([9; 16], 5, index, text.as_bytes()).unwrap();
        assert!(datagram.len() <= DATAGRAM_BYTES_MAX);
        let header = header(&datagram).unwrap();
        assert_eq!((header.index, header.count), (index, count));
        whole.extend_from_slice(key.open(&header, &mut datagram).unwrap());
    }
    assert_eq!(whole, text.as_bytes());
    assert_eq!(key.seal([9; 16], 5, count, text.as_bytes()), None);
    assert_eq!(part_count(0), None);
    assert_eq!(part_count(64 * PART_BYTES_MAX), Some(64));
    assert_eq!(part_count(64 * PART_BYTES_MAX + 1), None);
    const { assert!(wharf_types::limit::ENTRY_TEXT_BYTES_MAX <= 64 * PART_BYTES_MAX) };
}

/// The layout is a format of the wire: what was released is read for ever.
#[test]
fn a_sealed_datagram_has_these_bytes() {
    let datagram = key().seal([9; 16], 5, 0, b"hi").unwrap();
    let hex = data_encoding::HEXLOWER.encode(&datagram);
    assert_eq!(datagram.len(), REQUEST_BYTES_MIN);
    assert_eq!(
        hex,
        "ff574a31010600010123456789abcdef09090909090909090909090909090909000000000000000558ad65aa75d83b77870646ea635d36139f8f614b04396ec7"
    );
    let ack = key().acknowledge(&Ack {
        entry: [9; 16],
        status: AckStatus::Partial,
        position: 0,
        at_ms: 0,
        missing: 0b101,
    });
    assert_eq!(
        data_encoding::HEXLOWER.encode(&ack),
        "ff574a3102020909090909090909090909090909090900000000000000000000000000000000000000000000000578cb4410a7c6a5a38bbaf836e24279e7"
    );
}

// An acknowledgement is not longer than the shortest part.
const _: () = assert!(ACK_BYTES <= REQUEST_BYTES_MIN);

fn status() -> impl Strategy<Value = AckStatus> {
    prop::sample::select(vec![
        AckStatus::Saved,
        AckStatus::Repeated,
        AckStatus::Partial,
        AckStatus::Invalid,
        AckStatus::Closed,
        AckStatus::Slow,
        AckStatus::Later,
    ])
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_and_a_changed_bit_is_noticed(
        text in "[^\0]{1,280}", entry: [u8; 16], client_ms: i64, bit in 0_usize..8 * 64
    ) {
        let key = key();
        let sealed = key.seal(entry, client_ms, 0, text.as_bytes()).unwrap();
        let head = header(&sealed).unwrap();
        prop_assert_eq!((head.entry, head.client_ms), (entry, client_ms));
        let mut datagram = sealed.clone();
        prop_assert_eq!(key.open(&head, &mut datagram).unwrap(), text.as_bytes());
        let mut changed = sealed;
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Some(head) = header(&changed) {
            prop_assert_eq!(key.open(&head, &mut changed), None);
        }
    }

    #[test]
    fn acknowledgements_are_read_as_they_were_made(
        entry: [u8; 16], status in status(), position: u64, at_ms: i64, missing: u64, bit in 0_usize..8 * ACK_BYTES
    ) {
        let ack = Ack { entry, status, position, at_ms, missing };
        let mut datagram = key().acknowledge(&ack);
        prop_assert_eq!(datagram.len(), ACK_BYTES);
        prop_assert_eq!(key().read_ack(&datagram), Some(ack));
        prop_assert_eq!(header(&datagram), None);
        datagram[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(key().read_ack(&datagram), None);
    }

    #[test]
    fn any_bytes_are_something_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..1400)) {
        if let Some(Datagram::Sealed(header)) = parse(&bytes) {
            let mut datagram = bytes.clone();
            prop_assert_eq!(key().open(&header, &mut datagram), None);
        }
        prop_assert_eq!(key().read_ack(&bytes), None);
    }

    #[test]
    fn signed_lines_are_read_as_they_were_made(time_s: i64, text in "[^\0\r\n]{1,300}") {
        let line = sign(id(), "whs_secret", time_s, &text);
        let Some(Datagram::Signed(signed)) = parse(line.as_bytes()) else {
            panic!("{line}");
        };
        prop_assert!(verify_signed("whs_secret", &signed));
        prop_assert_eq!((signed.time_s, signed.text), (time_s, text.as_bytes()));
    }
}
