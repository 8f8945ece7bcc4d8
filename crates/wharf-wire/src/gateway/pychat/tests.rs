//! The codec, both ways.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn record(fields: [&[u8]; 4]) -> [u8; REQUEST_BYTES] {
    let mut record = [0; REQUEST_BYTES];
    for (at, field) in [0, 50, 100, 150].into_iter().zip(fields) {
        record[at..at + field.len()].copy_from_slice(field);
    }
    record
}

#[test]
fn a_published_client_s_requests_are_read() {
    let login = record([
        b"LOGIN",
        b"134762",
        b"2bda2998d9b0ee197da142a0a4d3ad8e",
        b"",
    ]);
    assert_eq!(
        Request::decode(&login),
        Ok(Request::Login {
            who: Number(134_762),
            password_md5: b"2bda2998d9b0ee197da142a0a4d3ad8e".to_vec(),
        })
    );
    let online = record([b"GET_ONLINE", b"", b"", b""]);
    assert_eq!(Request::decode(&online), Ok(Request::Online { who: None }));
}

#[test]
fn two_numbers_begin_an_upload_and_anything_else_is_a_piece() {
    let begin = record([b"UPLOAD", b"134762", b"202109", b"a.txt"]);
    let begin = Request::decode(&begin);
    assert!(
        matches!(begin, Ok(Request::UploadBegin { .. })),
        "{begin:?}"
    );
    let piece = record([b"UPLOAD", b"3", b"a.txt", b"\0b\0\xff"]);
    assert_eq!(
        Request::decode(&piece),
        Ok(Request::UploadPiece {
            name: b"a.txt".to_vec(),
            data: b"\0b\0".to_vec(),
        })
    );
}

#[test]
fn small_numbers_begin_an_upload_too() {
    let begin = record([b"UPLOAD", b"000001", b"000002", b"a"]);
    let begin = Request::decode(&begin);
    let wanted = Request::UploadBegin {
        who: Number(1),
        friend: Number(2),
        name: b"a".to_vec(),
    };
    assert_eq!(begin.as_ref(), Ok(&wanted));
    assert_eq!(Request::decode(&wanted.encode()), begin);
}

#[test]
fn half_a_character_and_a_wrong_number_are_no_fault() {
    let text = "好".as_bytes();
    let cut = record([b"MESG", b"134762", b"202109", &text[..2]]);
    assert!(matches!(Request::decode(&cut), Ok(Request::Message { text, .. }) if text.len() == 2));
    let wrong = record([b"MESG", b"nobody", b"202109", b"x"]);
    assert_eq!(
        Request::decode(&wrong),
        Err(InvalidRequest::NotANumber {
            name: "MESG",
            field: 2,
        })
    );
    let none = record([b"HELP", b"", b"", b""]);
    assert!(matches!(
        Request::decode(&none),
        Err(InvalidRequest::Unknown { .. })
    ));
}

#[test]
fn a_list_ends_with_the_last_whole_item_that_a_client_reads() {
    let (bytes, count) = list("OK", ["|134762|Ann", "|202109|Bo"], 15);
    assert_eq!((bytes.as_slice(), count), (b"OK|134762|Ann".as_slice(), 1));
}

#[test]
fn a_wrong_record_leaves_the_next_one_alone() {
    let mut buffer = BytesMut::new();
    buffer.extend_from_slice(&record([b"HELP", b"", b"", b""]));
    buffer.extend_from_slice(&record([b"DOWN", b"134762", b"", b""]));
    assert!(matches!(next_request(&mut buffer), Some(Err(_))));
    let down = Request::Down {
        who: Number(134_762),
    };
    assert_eq!(next_request(&mut buffer), Some(Ok(down)));
    assert_eq!(next_request(&mut buffer), None);
}

#[test]
fn half_a_character_at_the_end_is_left_out_and_other_bytes_are_shown_as_unknown() {
    assert_eq!(said("好".as_bytes()), "好");
    assert_eq!(said(&"好好".as_bytes()[..5]), "好");
    assert_eq!(said(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(said(b"a\xff\xe5\xa5"), "a\u{fffd}");
    assert_eq!(said(b"a\0b"), "ab");
    assert_eq!(said(b"\x80"), "\u{fffd}");
}

#[test]
fn what_a_client_would_take_apart_is_shown_otherwise() {
    assert_eq!(item("a|b\nc"), "a｜b c");
    assert_eq!(line("FILE\r\n1|x"), " FILE\r\n1|x");
    assert_eq!(line("FILE a"), " FILE a");
    assert_eq!(line("a file"), "a file");
    assert_eq!(shown_name("../../etc/pass|wd", 200), "pass｜wd");
    assert_eq!(shown_name("C:\\a\\b.txt", 200), "b.txt");
    assert_eq!(shown_name("好好", 5), "好");
    assert_eq!(shown_name("..", 200), "..");
    let offline = offline(
        Number(134_762),
        [
            ("t".to_owned(), "x".to_owned()),
            ("u".to_owned(), "y".to_owned()),
        ],
    );
    assert_eq!(offline, "134762|t|x|u|y");
}

#[test]
fn the_texts_of_the_capture_are_these_bytes() {
    assert_eq!(
        NO_SUCH_NUMBER.as_bytes(),
        b"\xe5\x8f\xb7\xe7\xa0\x81\xe4\xb8\xba\xe7\xa9\xba"
    );
    assert_eq!(
        UPLOADING.as_bytes(),
        b"\xe6\xad\xa3\xe5\x9c\xa8\xe4\xb8\x8a\xe4\xbc\xa0..."
    );
    assert_eq!(
        IS_AWAY.as_bytes(),
        b"\xe5\xa4\x84\xe4\xba\x8e\xe7\xa6\xbb\xe7\xba\xbf\xe7\x8a\xb6\xe6\x80\x81!"
    );
    assert_eq!(
        SENDS_FILE.as_bytes(),
        b"\xe6\xad\xa3\xe5\x9c\xa8\xe5\x90\x91\xe4\xbd\xa0\xe4\xbc\xa0\xe9\x80\x81\xe6\x96\x87\xe4\xbb\xb6:"
    );
    assert_eq!(
        ALREADY_FRIENDS.as_bytes(),
        b"\xe4\xbd\xa0\xe4\xbb\xac\xe5\xb7\xb2\xe7\xbb\x8f\xe6\x98\xaf\xe5\xa5\xbd\xe5\x8f\x8b\xe5\x95\xa6"
    );
}

fn number() -> impl Strategy<Value = Number> {
    (Number::MIN..=Number::MAX).prop_map(Number)
}

fn field(bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1_u8.., 0..=bytes_max)
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (field(50), field(50), field(32)).prop_map(|(email, nickname, password_md5)| {
            Request::SignIn {
                email,
                nickname,
                password_md5,
            }
        }),
        (number(), field(32)).prop_map(|(who, password_md5)| Request::Login { who, password_md5 }),
        number().prop_map(|who| Request::Down { who }),
        number().prop_map(|who| Request::CommandSocket { who }),
        number().prop_map(|who| Request::Friends { who }),
        proptest::option::of(number()).prop_map(|who| Request::Online { who }),
        number().prop_map(|who| Request::Find { who }),
        (number(), number()).prop_map(|(who, friend)| Request::AddFriend { who, friend }),
        number().prop_map(|who| Request::OfflineMessages { who }),
        (number(), number()).prop_map(|(who, friend)| Request::NewSession { who, friend }),
        (number(), number(), field(200)).prop_map(|(who, friend, text)| Request::Message {
            who,
            friend,
            text
        }),
        (number(), number(), field(200)).prop_map(|(who, friend, name)| Request::UploadBegin {
            who,
            friend,
            name
        }),
        (
            field(50).prop_filter("a name of six bytes reads as a number", |name| name.len()
                != 6),
            proptest::collection::vec(any::<u8>(), 1..=200)
        )
            .prop_map(|(name, data)| Request::UploadPiece { name, data }),
        (number(), number(), field(200)).prop_map(|(who, friend, name)| Request::UploadEnd {
            who,
            friend,
            name
        }),
        (number(), number()).prop_map(|(who, friend)| Request::FileNames { who, friend }),
        (field(50), any::<u64>())
            .prop_map(|(name, offset_bytes)| Request::Download { name, offset_bytes }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(request in request()) {
        prop_assert_eq!(Request::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn a_stream_is_the_same_however_it_is_cut(
        requests in proptest::collection::vec(request(), 0..6),
        cuts in proptest::collection::vec(1_usize..900, 1..40),
        rest in 0_usize..REQUEST_BYTES,
    ) {
        let mut stream: Vec<u8> = requests.iter().flat_map(Request::encode).collect();
        stream.extend(std::iter::repeat_n(b'x', rest));
        let mut buffer = BytesMut::new();
        let mut read = Vec::new();
        let mut cuts = cuts.into_iter().cycle();
        let mut at = 0;
        while at < stream.len() {
            let to = stream.len().min(at + cuts.next().unwrap_or(1));
            buffer.extend_from_slice(&stream[at..to]);
            at = to;
            while let Some(request) = next_request(&mut buffer) {
                read.push(request);
            }
            prop_assert!(buffer.len() < REQUEST_BYTES);
        }
        prop_assert_eq!(read, requests.into_iter().map(Ok).collect::<Vec<_>>());
        prop_assert_eq!(buffer.len(), rest);
    }

    #[test]
    fn what_was_said_is_a_text_and_clips_lose_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..210), bytes_max in 0_usize..210) {
        let text = said(&bytes);
        prop_assert!(!text.contains('\0'));
        let (head, rest) = clip(&text, bytes_max);
        prop_assert!(head.len() <= bytes_max);
        prop_assert_eq!(format!("{head}{rest}"), text);
    }

    #[test]
    fn a_cut_text_is_its_whole_characters(text in "[a-z好é🙂]{0,80}", cut in 0_usize..200) {
        let bytes = &text.as_bytes()[..cut.min(text.len())];
        prop_assert_eq!(said(bytes), clip(&text, bytes.len()).0);
    }

    #[test]
    fn any_record_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), REQUEST_BYTES)) {
        let record: [u8; REQUEST_BYTES] = bytes.try_into().unwrap();
        drop(Request::decode(&record));
    }

    #[test]
    fn pushes_are_read_again(who in number(), text in field(50)) {
        for push in [Push::Up(who), Push::Down(who), Push::NewSession { sender: who, text: text.clone() }] {
            prop_assert_eq!(Push::decode(&push.encode()), Some(push));
        }
    }
}
