use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{CloseCode, DecodeError, Decoder, Message, Packer};

const BYTES_MAX: usize = 200_000;

/// A client's frame: masked, with the length in its shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x11, 0x22, 0x33, 0x44];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..=0xFFFF => {
            bytes.push(0xFE);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0xFF);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

fn all(decoder: &mut Decoder) -> Result<Vec<Message>, DecodeError> {
    std::iter::from_fn(|| decoder.next_message().transpose()).collect()
}

fn decode(bytes: &[u8]) -> Result<Vec<Message>, DecodeError> {
    let mut decoder = Decoder::new(BYTES_MAX);
    decoder.push(bytes);
    all(&mut decoder)
}

fn message() -> impl Strategy<Value = (Message, Vec<u8>)> {
    let text = (any::<String>(), 0..4_usize).prop_map(|(text, pieces)| {
        let bytes = text.as_bytes();
        let size = bytes.len() / (pieces + 1) + 1;
        let mut wire = Vec::new();
        let mut chunks = bytes.chunks(size).collect::<Vec<_>>();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let last = chunks.len() - 1;
        for (index, chunk) in chunks.iter().enumerate() {
            let kind = u8::from(index == 0);
            let end = if index == last { 0x80 } else { 0 };
            wire.extend(frame(kind | end, chunk));
            if index != last {
                // Control frames may come between the pieces of a message.
                wire.extend(frame(0x8A, b"between"));
            }
        }
        (Message::Text(text), wire)
    });
    let long = (126..70_000_usize).prop_map(|length| {
        let text = "w".repeat(length);
        let wire = frame(0x81, text.as_bytes());
        (Message::Text(text), wire)
    });
    let ping = proptest::collection::vec(any::<u8>(), 0..=125).prop_map(|payload| {
        let wire = frame(0x89, &payload);
        (Message::Ping(payload), wire)
    });
    prop_oneof![
        text,
        long,
        ping,
        Just((Message::Close, frame(0x88, &[3, 232])))
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn messages_come_out_whole_however_they_arrive(
        messages in proptest::collection::vec(message(), 0..6),
        step in 1..5000_usize,
    ) {
        let wire = messages.iter().flat_map(|(_, wire)| wire.clone()).collect::<Vec<_>>();
        let mut decoder = Decoder::new(BYTES_MAX);
        let mut found = Vec::new();
        for piece in wire.chunks(step) {
            decoder.push(piece);
            found.extend(all(&mut decoder).unwrap());
        }
        found.retain(|message| *message != Message::Pong);
        let wanted = messages.into_iter().map(|(message, _)| message).collect::<Vec<_>>();
        prop_assert_eq!(found, wanted);
        assert!(!decoder.is_amid());
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(decode(&bytes));
    }
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    let refused = |bytes: &[u8]| decode(bytes).unwrap_err();
    assert_eq!(refused(&frame(0xC1, b"")), DecodeError::Malformed);
    assert_eq!(refused(&frame(0x83, b"")), DecodeError::Malformed);
    assert_eq!(refused(&frame(0x82, b"")), DecodeError::Binary);
    assert_eq!(refused(&[0x81, 0x00]), DecodeError::NotMasked);
    assert_eq!(refused(&frame(0x09, b"")), DecodeError::Control);
    assert_eq!(refused(&frame(0x89, &[0; 126])), DecodeError::Control);
    assert_eq!(refused(&frame(0x80, b"a")), DecodeError::OutOfTurn);
    let twice = [frame(0x01, b"a"), frame(0x01, b"b")].concat();
    assert_eq!(refused(&twice), DecodeError::OutOfTurn);
    assert_eq!(refused(&frame(0x81, &[0xFF])), DecodeError::NotText);
    assert_eq!(
        refused(&[0x81, 0xFE, 0, 5, 0, 0, 0, 0]),
        DecodeError::Malformed,
        "a length that is not in its shortest form"
    );
}

#[test]
fn a_message_over_the_bound_is_refused_by_its_header() {
    let mut decoder = Decoder::new(1000);
    decoder.push(&frame(0x01, &[b'a'; 900]));
    assert_eq!(decoder.next_message(), Ok(None));
    let rest = frame(0x80, &[b'a'; 101]);
    decoder.push(&rest[..4]);
    assert_eq!(decoder.next_message(), Err(DecodeError::TooLarge));
    let mut decoder = Decoder::new(1000);
    decoder.push(&[0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(decoder.next_message(), Err(DecodeError::TooLarge));
}

#[test]
fn control_frames_pass_in_a_message_that_fills_the_bound() {
    let mut decoder = Decoder::new(10);
    decoder.push(&frame(0x01, &[b'a'; 10]));
    decoder.push(&frame(0x89, b"there?"));
    assert_eq!(
        decoder.next_message(),
        Ok(Some(Message::Ping(b"there?".to_vec())))
    );
    decoder.push(&frame(0x80, b""));
    assert_eq!(
        decoder.next_message(),
        Ok(Some(Message::Text("a".repeat(10))))
    );
}

#[test]
fn frames_are_packed_as_the_standard_writes_them() {
    for length in [0, 125, 126, 0xFFFF, 0x1_0000] {
        let mut packer = Packer::default();
        let text = "x".repeat(length);
        packer.ping();
        packer
            .text(|buffer| {
                buffer.extend_from_slice(text.as_bytes());
                Ok::<_, ()>(())
            })
            .unwrap();
        packer.close(CloseCode::GoingAway);
        let bytes = packer.finish();
        let header: &[u8] = match length {
            0..=125 => &[0x81, u8::try_from(length).unwrap()],
            126 => &[0x81, 126, 0, 126],
            0xFFFF => &[0x81, 126, 0xFF, 0xFF],
            _ => &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0],
        };
        let wanted = [&[0x89, 0], header, text.as_bytes(), &[0x88, 2, 0x03, 0xE9]].concat();
        assert_eq!(bytes, wanted, "{length}");
    }
}

#[test]
fn a_payload_that_cannot_be_written_leaves_nothing() {
    let mut packer = Packer::default();
    let failed = packer.text(|buffer| {
        buffer.push(b'{');
        Err("no")
    });
    assert_eq!(failed, Err("no"));
    assert!(packer.is_empty());
}
