use data_encoding::HEXLOWER;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use wharf_types::api::log::{
    Body, Draft, Edit, File, FileDraft, Member, MemberChange, Mentions, Pin, Reaction, Recall,
    Settings, Text,
};
use wharf_types::api::room::{History, Role};
use wharf_types::limit::{ENTRY_TEXT_BYTES_MAX, MENTIONS_PER_ENTRY_MAX};
use wharf_types::{AccountId, ContentHash, EntryHash, HookId, NodeId, RoomId, SessionId};

use super::{Header, InvalidBody, START, digest, draft_digest, kind_of, link, pack, unpack};

const GOLDEN_CHAIN: [&str; 8] = [
    "04007645cbf568878bd5f496342aa9278b8ab02f3f5bfad4c2b5f109fbc80209",
    "ce074445dc4f7e6ab833a668c97363d64f0ef51f620026cff36a274e8bbad987",
    "0ac7fc18472d80b07096720f9bd42abdb82538f8a01476802bc24406c9ffdecd",
    "3b17e286aa0e59d6564feb1c87b538b91cfd2d4a5fd4b6b016ffa9091319d96a",
    "89808a70603023ca2c6d53cdf46db7abae7edf548d6f4c0946b54ad356bcf7fe",
    "707e30b9accc5bc492e6356dd5ebf094612fa771b2cf65d792f9349fc7714eea",
    "de0a417ec17824b70967c0c6ae9f6cb0a707a9f98521a4197097bf6130c6d66a",
    "63abff346e64cf5fcdf2038f4e0a33426132306f9aa405ff27ca049b55022f53",
];

fn account(byte: u8) -> AccountId {
    AccountId::from_bytes([byte; 16])
}

fn mentions() -> Mentions {
    Mentions {
        accounts: vec![account(1), account(2)],
        everybody: true,
    }
}

/// One body of each kind, with everything that it can have.
fn bodies() -> Vec<Body> {
    vec![
        Body::Text(Text {
            text: "Grüße".to_owned(),
            reply_to: Some(7),
            mentions: mentions(),
        }),
        Body::File(File {
            node: NodeId::from_bytes([3; 16]),
            revision: 9,
            name: "a.png".to_owned(),
            bytes: 1_000,
            content: ContentHash::of(b"content"),
            dimensions: Some((640, 480)),
            text: "look".to_owned(),
            reply_to: Some(1),
            mentions: mentions(),
        }),
        Body::Edit(Edit {
            target: 2,
            text: "better".to_owned(),
            mentions: mentions(),
        }),
        Body::Recall(Recall { target: 3 }),
        Body::Reaction(Reaction {
            target: 4,
            emoji: "👍".to_owned(),
            is_set: true,
        }),
        Body::Pin(Pin {
            target: 5,
            is_set: false,
        }),
        Body::Member(Member {
            account: account(6),
            change: MemberChange::Role,
            role: Some(Role::Owner),
        }),
        Body::Settings(Settings {
            name: Some("Team".to_owned()),
            topic: Some(String::new()),
            history: Some(History::All),
            keep_days: Some(30),
            archived: Some(true),
        }),
    ]
}

#[test]
fn the_packed_forms_are_as_they_always_were() {
    let packed: Vec<_> = bodies()
        .iter()
        .map(|body| HEXLOWER.encode(&pack(body)))
        .collect();
    let ones = "01".repeat(16);
    let twos = "02".repeat(16);
    let content = ContentHash::of(b"content");
    assert_eq!(
        packed,
        [
            format!("0100070700000000000000 02{ones}{twos} 07000000 4772c3bcc39f65"),
            format!(
                "01010f0100000000000000 02{ones}{twos} {} 0900000000000000 e803000000000000 {content} 80020000e0010000 \
                 05000000612e706e67 040000006c6f6f6b",
                "03".repeat(16)
            ),
            format!("010206 02{ones}{twos} 0200000000000000 06000000626574746572"),
            "0103 0300000000000000".to_owned(),
            "0104 01 0400000000000000 04000000f09f918d".to_owned(),
            "0105 00 0500000000000000".to_owned(),
            format!("0106 03 03 {}", "06".repeat(16)),
            "0107 1f 040000005465616d 00000000 01 1e000000 01".to_owned(),
        ]
        .map(|text| text.replace(' ', ""))
    );
}

#[test]
fn the_chain_is_as_it_always_was() {
    let room = RoomId::from_bytes([9; 16]);
    let mut end = START;
    let mut ends = Vec::new();
    for (index, body) in bodies().iter().enumerate() {
        let is_person = index % 2 == 0;
        let header = Header {
            room,
            position: index as u64 + 1,
            kind: kind_of(body),
            at_ms: 1_767_225_600_000,
            countable: 2.min(index as u64 + 1),
            account: is_person.then(|| account(1)),
            session: is_person.then(|| SessionId::from_bytes([2; 16])),
            hook: (!is_person).then(|| HookId::from_bytes([3; 16])),
            name: (!is_person).then_some("bot"),
            client_ms: is_person.then_some(-1),
            target: body.target(),
            door: "http",
        };
        end = link(&end, &header, &digest(&pack(body)));
        ends.push(end.to_string());
    }
    assert_eq!(ends, GOLDEN_CHAIN);
}

#[test]
fn the_end_of_the_chain_is_the_hash_of_what_the_table_says() {
    let header = Header {
        room: RoomId::from_bytes([9; 16]),
        position: 3,
        kind: 2,
        at_ms: -2,
        countable: 1,
        account: Some(account(1)),
        session: None,
        hook: None,
        name: Some("é"),
        client_ms: None,
        target: Some(1),
        door: "http",
    };
    let mut bytes = vec![7; 32];
    bytes.push(1);
    bytes.extend([9; 16]);
    bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    bytes.push(2);
    bytes.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.push(1 | 8 | 32);
    bytes.extend([1; 16]);
    bytes.extend([2, 0, 0xc3, 0xa9]);
    bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"\x04http");
    bytes.extend([5; 32]);
    assert_eq!(
        link(&EntryHash::from_bytes([7; 32]), &header, &[5; 32]),
        EntryHash::of(&bytes)
    );
}

#[test]
fn every_part_of_an_entry_is_chained() {
    let header = Header {
        room: RoomId::from_bytes([9; 16]),
        position: 1,
        kind: 0,
        at_ms: 5,
        countable: 1,
        account: Some(account(1)),
        session: None,
        hook: None,
        name: None,
        client_ms: None,
        target: None,
        door: "http",
    };
    let digest = digest(b"body");
    let end = |header: Header<'_>| link(&START, &header, &digest);
    let others = [
        Header {
            room: RoomId::from_bytes([8; 16]),
            ..header
        },
        Header {
            position: 2,
            ..header
        },
        Header { kind: 1, ..header },
        Header { at_ms: 6, ..header },
        Header {
            countable: 0,
            ..header
        },
        Header {
            account: None,
            ..header
        },
        // The same bytes under another flag.
        Header {
            account: None,
            session: Some(SessionId::from_bytes([1; 16])),
            ..header
        },
        Header {
            account: None,
            hook: Some(HookId::from_bytes([1; 16])),
            ..header
        },
        Header {
            name: Some(""),
            ..header
        },
        Header {
            client_ms: Some(0),
            ..header
        },
        Header {
            target: Some(0),
            ..header
        },
        Header {
            door: "htt",
            ..header
        },
    ];
    let mut ends: Vec<_> = others.into_iter().map(end).collect();
    ends.push(end(header));
    ends.push(link(&EntryHash::of(b"before"), &header, &digest));
    ends.push(link(&START, &header, &super::digest(b"other")));
    let count = ends.len();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), count);
}

#[test]
fn what_is_not_a_packed_body_is_refused_with_its_place() {
    let text = pack(&bodies()[0]);
    assert_eq!(unpack(&[]), Err(InvalidBody::Truncated { at: 0 }));
    assert_eq!(unpack(&[2, 0]), Err(InvalidBody::Version { version: 2 }));
    assert_eq!(
        unpack(&[1, 8]),
        Err(InvalidBody::Unknown { value: 8, at: 2 })
    );
    assert_eq!(
        unpack(&[1, 0, 8]),
        Err(InvalidBody::Unknown { value: 8, at: 3 })
    );
    assert_eq!(
        unpack(&[&text[..], &[0]].concat()),
        Err(InvalidBody::TrailingBytes { at: text.len() })
    );
    assert_eq!(
        unpack(&[1, 0, 0, 1, 0, 0, 0, 0xff]),
        Err(InvalidBody::Utf8 { at: 8 })
    );
    assert_eq!(
        unpack(&[1, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0]),
        Err(InvalidBody::Unknown { value: 2, at: 3 })
    );
    assert_eq!(
        unpack(&[1, 0, 0, 1, 0, 1, 0]),
        Err(InvalidBody::TooLong {
            bytes: 0x0001_0001,
            max: ENTRY_TEXT_BYTES_MAX,
            at: 7
        })
    );
    // None, and twice the same.
    for ids in [&[0][..], &[[2].as_slice(), &[7; 32]].concat()] {
        let packed = [&[1, 0, 4], ids].concat();
        let at = packed.len();
        assert_eq!(unpack(&packed), Err(InvalidBody::Mentions { at }));
    }
    for length in 0..text.len() {
        assert_eq!(
            unpack(&text[..length]),
            Err(InvalidBody::Truncated { at: length })
        );
    }
}

fn any_mentions() -> impl Strategy<Value = Mentions> {
    let ids = proptest::collection::btree_set(any::<[u8; 16]>(), 0..=MENTIONS_PER_ENTRY_MAX);
    (ids, any::<bool>()).prop_map(|(ids, everybody)| Mentions {
        accounts: ids.into_iter().map(AccountId::from_bytes).collect(),
        everybody,
    })
}

fn any_body() -> impl Strategy<Value = Body> {
    let text = ("\\PC{0,40}", any::<Option<u64>>(), any_mentions()).prop_map(
        |(text, reply_to, mentions)| {
            Body::Text(Text {
                text,
                reply_to,
                mentions,
            })
        },
    );
    let file = (
        any::<([u8; 16], u64, u64, [u8; 32])>(),
        any::<(Option<(u32, u32)>, Option<u64>)>(),
        ("\\PC{1,20}", "\\PC{0,20}"),
        any_mentions(),
    )
        .prop_map(
            |((node, revision, bytes, content), (dimensions, reply_to), (name, text), mentions)| {
                Body::File(File {
                    node: NodeId::from_bytes(node),
                    revision,
                    name,
                    bytes,
                    content: ContentHash::from_bytes(content),
                    dimensions,
                    text,
                    reply_to,
                    mentions,
                })
            },
        );
    let edit = (any::<u64>(), "\\PC{0,40}", any_mentions()).prop_map(|(target, text, mentions)| {
        Body::Edit(Edit {
            target,
            text,
            mentions,
        })
    });
    let changes = prop_oneof![
        any::<u64>().prop_map(|target| Body::Recall(Recall { target })),
        (any::<u64>(), "\\PC{1,10}", any::<bool>()).prop_map(|(target, emoji, is_set)| {
            Body::Reaction(Reaction {
                target,
                emoji,
                is_set,
            })
        }),
        any::<(u64, bool)>().prop_map(|(target, is_set)| Body::Pin(Pin { target, is_set })),
    ];
    prop_oneof![text, file, edit, changes, any_member(), any_settings()]
}

fn any_member() -> impl Strategy<Value = Body> {
    let change = prop_oneof![
        Just(MemberChange::Joined),
        Just(MemberChange::Left),
        Just(MemberChange::Removed),
        Just(MemberChange::Role)
    ];
    let role = prop_oneof![
        Just(None),
        Just(Some(Role::Reader)),
        Just(Some(Role::Editor)),
        Just(Some(Role::Owner))
    ];
    (any::<[u8; 16]>(), change, role).prop_map(|(account, change, role)| {
        Body::Member(Member {
            account: AccountId::from_bytes(account),
            change,
            role,
        })
    })
}

fn any_settings() -> impl Strategy<Value = Body> {
    let history = prop_oneof![
        Just(None),
        Just(Some(History::Joined)),
        Just(Some(History::All))
    ];
    (
        proptest::option::of("\\PC{0,20}"),
        proptest::option::of("\\PC{0,20}"),
        history,
        any::<(Option<u32>, Option<bool>)>(),
    )
        .prop_map(|(name, topic, history, (keep_days, archived))| {
            Body::Settings(Settings {
                name,
                topic,
                history,
                keep_days,
                archived,
            })
        })
}

/// The draft that asks for a body, where there is one.
fn draft_of(body: &Body) -> Option<Draft> {
    match body.clone() {
        Body::Text(text) => Some(Draft::Text(text)),
        Body::File(file) => Some(Draft::File(FileDraft {
            node: file.node,
            revision: Some(file.revision).filter(|revision| *revision > 0),
            dimensions: file.dimensions,
            text: file.text,
            reply_to: file.reply_to,
            mentions: file.mentions,
        })),
        Body::Edit(edit) => Some(Draft::Edit(edit)),
        Body::Recall(recall) => Some(Draft::Recall(recall)),
        Body::Reaction(reaction) => Some(Draft::Reaction(reaction)),
        Body::Pin(pin) => Some(Draft::Pin(pin)),
        Body::Member(_) | Body::Settings(_) => None,
    }
}

proptest! {
    #[test]
    fn a_body_unpacks_as_it_was_packed(body in any_body()) {
        let packed = pack(&body);
        prop_assert_eq!(unpack(&packed), Ok(body));
    }

    #[test]
    fn what_unpacks_packs_to_the_same_bytes(
        body in any_body(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut packed = pack(&body);
        let at = at.index(packed.len());
        packed[at] = byte;
        if let Ok(read) = unpack(&packed) {
            prop_assert_eq!(pack(&read), packed);
        }
    }

    #[test]
    fn two_drafts_stand_for_the_same_only_if_they_are_the_same(one in any_body(), other in any_body()) {
        let room = RoomId::from_bytes([1; 16]);
        if let (Some(one), Some(other)) = (draft_of(&one), draft_of(&other)) {
            let digest = draft_digest(room, &one, None);
            prop_assert_eq!(digest, draft_digest(room, &one.clone(), None));
            prop_assert_eq!(digest == draft_digest(room, &other, None), one == other);
            prop_assert!(digest != draft_digest(RoomId::from_bytes([2; 16]), &one, None));
            prop_assert!(digest != draft_digest(room, &one, Some(0)));
        }
    }
}
