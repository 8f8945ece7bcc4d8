//! What the fuzz targets do. Plain functions, so that the stable tests run the corpus through the same code.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wharf_types::api::live::{ClientFrame, ServerFrame};
use wharf_types::api::{account, drive, log, problem, transfer};
use wharf_types::limit::CHUNK_BYTES_MAX;
use wharf_types::{ChunkHash, DrivePath, Name, NodeId};
use wharf_wire::entry;
use wharf_wire::frame::{
    Answer, Codec, Frame, FrameDecoder, FrameError, FrameHeader, FrameWriter, open,
};
use wharf_wire::gateway::diary as old_diary;
use wharf_wire::gateway::filestored;
use wharf_wire::gateway::journal::{
    self, Answer as LineAnswer, Datagram, SealedKey, TOKEN_BYTES, answer_bytes_max, check_text,
    verify_signed,
};
use wharf_wire::gateway::netdisk;
use wharf_wire::gateway::pychat::{
    PUSH_BYTES, Push, REQUEST_BYTES, Request, clip, item, next_request, said, shown_name,
};
use wharf_wire::manifest::{Manifest, content_of_packed, from_base64, to_base64};
use wharf_wire::range::{self, Wanted};
use wharf_wire::segment::{IndexEntry, Scanned, read_index, read_trailer, scan};
use wharf_wire::websocket::{DecodeError, Decoder, Message};

/// A target: its name, and what takes the input.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("api", api),
    ("chunk", chunk),
    ("diary", diary),
    ("entry", entry),
    ("filestored", filestored),
    ("frames", frames),
    ("journal", journal),
    ("live", live),
    ("manifest", manifest),
    ("name", name),
    ("netdisk", netdisk),
    ("pychat", pychat),
    ("range", range),
    ("segment", segment),
];

/// What comes at the storage daemon's gateway: pieces of any length give what the whole gives, nothing is kept beyond a frame's
/// bound, and a message that is understood is written and read again.
fn filestored(bytes: &[u8]) {
    const PAYLOAD_BYTES_MAX: u32 = 4096;
    let decode = |piece_bytes: usize| {
        let mut decoder = filestored::Decoder::new(PAYLOAD_BYTES_MAX);
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for piece in bytes.chunks(piece_bytes) {
            buffer.extend_from_slice(piece);
            loop {
                match decoder.decode(&mut buffer) {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(fault) => return (frames, Some(fault)),
                }
            }
            assert!(buffer.len() <= PAYLOAD_BYTES_MAX as usize + 6);
        }
        (frames, None)
    };
    let whole = decode(bytes.len().max(1).min(PAYLOAD_BYTES_MAX as usize));
    assert_eq!(decode(1), whole);
    for frame in whole.0 {
        if let Ok(asked) = filestored::message::Asked::decode(frame.user_type, &frame.payload) {
            let user_type = asked.user_type();
            let text = asked.clone().encode().expect("JSON");
            let again = filestored::message::Asked::decode(user_type, &text);
            assert_eq!(again, Ok(asked));
        }
        if let Ok(asked) = filestored::batch::BatchAsked::decode(frame.user_type, &frame.payload) {
            let user_type = asked.user_type();
            let text = asked.clone().encode().expect("JSON");
            let again = filestored::batch::BatchAsked::decode(user_type, &text);
            assert_eq!(again, Ok(asked));
        }
        if let Ok(text) = std::str::from_utf8(&frame.payload)
            && let Some(data) = filestored::decode_data(text)
        {
            let again = filestored::decode_data(&filestored::encode_data(&data));
            assert_eq!(again, Some(data));
        }
    }
}

/// Names, paths, ids and hashes: what is read is shown so that it is read again.
fn name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(name) = Name::new(text) {
        assert_eq!(name.as_str(), text);
        if let Ok(key) = Name::new(name.key()) {
            assert_eq!(key.key(), name.key());
            assert_eq!(key.fold(), name.fold());
        }
    }
    if let Ok(path) = DrivePath::parse(text) {
        assert_eq!(DrivePath::parse(&path.to_string()), Ok(path.clone()));
        if let Some((parents, last)) = path.split_last() {
            let joined = parents
                .iter()
                .chain([last])
                .try_fold(DrivePath::root(), |path, name| path.join(name.clone()));
            assert_eq!(joined, Ok(path));
        }
    }
    if let Ok(id) = text.parse::<NodeId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(hash) = text.parse::<ChunkHash>() {
        assert_eq!(hash.to_string(), text.to_ascii_lowercase());
    }
}

/// netdisk's messages: the first byte says where to cut the rest; what comes of it is the same however it is cut, and
/// answers are read as they were written.
fn netdisk(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else {
        return;
    };
    let (before, after) = stream.split_at(usize::from(*first).min(stream.len()));
    let (mut frames, whole) = netdisk_frames(&[stream]);
    assert_eq!((frames.clone(), whole), netdisk_frames(&[before, after]));
    for (fields, _) in frames.drain(..) {
        let Some(fields) = fields else { continue };
        for generation in [netdisk::Generation::Json, netdisk::Generation::Line] {
            let answer = netdisk::encode_answer(generation, "x", fields.clone());
            assert!(answer.is_ascii());
            let read = netdisk::decode_answer(&mut BytesMut::from(&answer[..]));
            assert!(matches!(read, Ok(Some(_))), "{read:?}");
        }
    }
}

/// Objects with the bodies after them, and how it ended.
type NetdiskFrames = (
    Vec<(Option<netdisk::Map<String, netdisk::Value>>, Vec<u8>)>,
    Option<netdisk::InvalidMessage>,
);

/// The objects of requests, and the bodies after them, of a stream that comes in pieces; and how it ended.
fn netdisk_frames(pieces: &[&[u8]]) -> NetdiskFrames {
    let mut decoder = netdisk::Decoder::default();
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(netdisk::Frame::Request(request))) => {
                    frames.push((Some(request.fields), Vec::new()));
                }
                Ok(Some(netdisk::Frame::Body { bytes, .. })) => {
                    let (_, body) = frames.last_mut().expect("a request before its body");
                    body.extend_from_slice(&bytes);
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Packed manifests: there is one form of each, and spans stay within the file.
fn manifest(bytes: &[u8]) {
    assert_eq!(from_base64(&to_base64(bytes)).as_deref(), Ok(bytes));
    if let Ok(packed) = std::str::from_utf8(bytes)
        .map_err(drop)
        .and_then(|text| from_base64(text).map_err(drop))
    {
        assert_eq!(to_base64(&packed).as_bytes(), bytes);
    }
    let Ok(manifest) = Manifest::unpack(bytes) else {
        return;
    };
    assert_eq!(manifest.pack(), bytes);
    assert_eq!(manifest.content(), content_of_packed(bytes));
    let file_bytes = manifest.bytes();
    for range in [
        0..u64::MAX,
        file_bytes / 3..file_bytes / 2,
        file_bytes.saturating_sub(1)..file_bytes + 1,
    ] {
        let spans = manifest.spans(range.clone());
        let covered: u64 = spans.iter().map(|span| u64::from(span.bytes)).sum();
        assert_eq!(
            covered,
            range.end.min(file_bytes).saturating_sub(range.start)
        );
        for span in spans {
            assert!(span.offset_bytes + span.bytes <= manifest.chunks[span.index].bytes);
        }
    }
}

/// Packed bodies of entries: there is one form of each.
fn entry(bytes: &[u8]) {
    let Ok(body) = entry::unpack(bytes) else {
        return;
    };
    assert_eq!(entry::pack(&body), bytes);
    assert_eq!(bytes.get(1), Some(&entry::kind_of(&body)));
    assert_eq!(
        body.is_countable(),
        body.target().is_none() && entry::kind_of(&body) < 2
    );
}

/// A stream of frames: pieces of any length give what the whole gives, and it is written as it was read.
fn frames(bytes: &[u8]) {
    let Some((&piece_bytes, stream)) = bytes.split_first() else {
        return;
    };
    let (whole, error) = answers(stream, stream.len().max(1));
    let (pieces, piece_error) = answers(stream, usize::from(piece_bytes) + 1);
    assert_eq!((&pieces, piece_error), (&whole, error));
    let mut writer = FrameWriter::default();
    for answer in &whole {
        match answer {
            Answer::Chunk(frame) => writer.push(frame),
            Answer::Absent { hash, absence } => writer.push_absent(*hash, *absence),
        }
    }
    let written = writer.finish().concat();
    assert!(stream.starts_with(&written));
    assert!(error.is_some() || written.len() == stream.len());
    for answer in whole {
        if let Answer::Chunk(frame) = answer {
            check_opened(&frame);
        }
    }
}

/// What a stream holds up to its end or its first error.
fn answers(stream: &[u8], piece_bytes: usize) -> (Vec<Answer>, Option<FrameError>) {
    let mut decoder = FrameDecoder::default();
    let mut answers = Vec::new();
    for piece in stream.chunks(piece_bytes) {
        decoder.push(Bytes::copy_from_slice(piece));
        loop {
            match decoder.next_answer() {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(error) => return (answers, Some(error)),
            }
        }
    }
    (answers, decoder.end().err())
}

fn check_opened(frame: &Frame) {
    if let Ok(bytes) = frame.open() {
        assert_eq!(bytes.len(), frame.header.bytes as usize);
        assert_eq!(ChunkHash::of(&bytes), frame.header.hash);
    }
}

/// What comes over a live connection: pieces of any length give what the whole gives, and a frame that is understood is
/// written so that it is understood again.
fn live(bytes: &[u8]) {
    let Some((&piece_bytes, stream)) = bytes.split_first() else {
        return;
    };
    let whole = messages(stream, stream.len().max(1));
    assert_eq!(messages(stream, usize::from(piece_bytes) + 1), whole);
    for message in whole.0 {
        let Message::Text(text) = message else {
            continue;
        };
        if let Ok(frame) = serde_json::from_str::<ClientFrame>(&text) {
            let again = serde_json::to_string(&frame).unwrap();
            assert_eq!(serde_json::from_str::<ClientFrame>(&again).unwrap(), frame);
        }
        if let Ok(frame) = serde_json::from_str::<ServerFrame>(&text) {
            let again = serde_json::to_string(&frame).unwrap();
            assert_eq!(serde_json::from_str::<ServerFrame>(&again).unwrap(), frame);
        }
    }
}

/// What a client sent up to the end or the first error.
fn messages(stream: &[u8], piece_bytes: usize) -> (Vec<Message>, Option<DecodeError>) {
    let mut decoder = Decoder::new(4096);
    let mut messages = Vec::new();
    for piece in stream.chunks(piece_bytes) {
        decoder.push(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

/// The old diary's datagrams: each is something, and no text passes for two lines.
fn diary(bytes: &[u8]) {
    if let old_diary::Request::Entry(text) = old_diary::parse(bytes) {
        assert_eq!(text, journal::strip_newline(bytes));
        let line = old_diary::line(0, "x", &String::from_utf8_lossy(text));
        assert!(line.ends_with('\n'));
        assert!(line.lines().skip(1).all(|rest| rest.starts_with("    ")));
        let many = vec![line; 100];
        assert!(old_diary::newest(&many).len() <= old_diary::REPLY_BYTES_MAX);
        let pages: Vec<(u64, String)> = (1..).zip(many).collect();
        for is_from_the_beginning in [false, true] {
            let page = old_diary::page(&pages, 100, is_from_the_beginning);
            assert!(page.len() <= old_diary::REPLY_BYTES_MAX);
        }
    }
}

/// The journal's datagrams: nothing that is not proved is taken, and no answer is longer than what it answers.
fn journal(bytes: &[u8]) {
    let key = SealedKey::new(
        wharf_types::api::journal::JournalKeyId::from_bytes([1; 8]),
        &[2; 32],
    );
    assert_eq!(key.read_ack(bytes), None);
    let text = match journal::parse(bytes) {
        Some(Datagram::Text(line)) => {
            assert_eq!(line.token.len(), TOKEN_BYTES);
            line.text
        }
        Some(Datagram::Signed(line)) => {
            assert!(!verify_signed("a secret that no input knows", &line));
            line.text
        }
        Some(Datagram::Sealed(header)) => {
            assert!(header.index < header.count);
            assert_eq!(key.open(&header, &mut bytes.to_vec()), None);
            return;
        }
        None => return,
    };
    let bytes_max = answer_bytes_max(bytes.len());
    assert!(bytes_max <= bytes.len());
    let answer = match check_text(text) {
        Ok(text) => LineAnswer::Saved {
            at_ms: 1_763_746_093_000,
            position: i64::MAX as u64,
            text,
            is_repeated: true,
        },
        Err(fault) => LineAnswer::Fault(fault),
    };
    for answer in [
        answer,
        LineAnswer::Auth,
        LineAnswer::Closed,
        LineAnswer::Slow,
        LineAnswer::Later,
    ] {
        let line = answer.render(bytes_max);
        assert!(line.is_none_or(|line| line.len() <= bytes.len()));
    }
}

/// Stored forms: any bytes survive sealing, and as a zstd frame they unpack to what the header says or not at all.
fn chunk(bytes: &[u8]) {
    let Some((&length, stored)) = bytes.split_first() else {
        return;
    };
    if !stored.is_empty() {
        let frame = Frame::seal(ChunkHash::of(stored), Bytes::copy_from_slice(stored));
        assert_eq!(frame.open().as_deref(), Ok(stored));
    }
    let Ok(stored_bytes) = u32::try_from(stored.len()) else {
        return;
    };
    let bytes = (stored_bytes + 1).saturating_mul(u32::from(length) + 1);
    let header = FrameHeader {
        hash: ChunkHash::of(stored),
        codec: Codec::Zstd,
        stored_bytes,
        bytes,
    };
    match open(&header, stored) {
        Err(FrameError::Mismatch { want }) => assert_eq!(want, header.hash),
        Err(FrameError::Unpack { bytes }) => assert_eq!(bytes, header.bytes),
        Err(FrameError::Lengths { .. }) => {
            assert!(stored.is_empty() || bytes as usize > CHUNK_BYTES_MAX);
        }
        unexpected => panic!("a hash of other bytes was taken: {unexpected:?}"),
    }
}

/// Segments: an index describes frames in a row, and what a scan finds is whole and does not overlap.
fn segment(bytes: &[u8]) {
    if let Some(entries) = index_of(bytes) {
        check_order(&entries, bytes.len());
        for entry in &entries {
            let range = entry.offset as usize..entry.end() as usize;
            let frame = Frame {
                header: entry.header(),
                stored: Bytes::copy_from_slice(&bytes[range]),
            };
            check_opened(&frame);
        }
    }
    let Scanned { entries, damaged } = scan(bytes);
    check_order(&entries, bytes.len());
    for entry in &entries {
        let stored = &bytes[entry.offset as usize..entry.end() as usize];
        assert!(open(&entry.header(), stored).is_ok());
        assert!(
            damaged
                .iter()
                .all(|Range { start, end }| *end <= entry.offset || entry.end() <= *start)
        );
    }
}

fn index_of(segment: &[u8]) -> Option<Vec<IndexEntry>> {
    let trailer = read_trailer(segment.len() as u64, segment).ok()?;
    let Range { start, end } = trailer.index_range();
    read_index(&trailer, &segment[start as usize..end as usize]).ok()
}

fn check_order(entries: &[IndexEntry], segment_bytes: usize) {
    let mut end = 0;
    for entry in entries {
        assert!(end < entry.offset);
        end = entry.end();
    }
    assert!(end <= segment_bytes as u64);
}

/// The Range header: never a byte outside of the content.
fn range(bytes: &[u8]) {
    let Some((total, value)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let total = u64::from_le_bytes(*total);
    if let Ok(value) = std::str::from_utf8(value)
        && let Wanted::Part(range) = range::parse(value, total)
    {
        assert!(range.start < range.end && range.end <= total);
        let first_and_last = format!("bytes={}-{}", range.start, range.end - 1);
        assert_eq!(range::parse(&first_and_last, total), Wanted::Part(range));
    }
}

/// Bodies of the API: what is read is written so that it is read again.
fn api(bytes: &[u8]) {
    const BODIES: &[fn(&[u8])] = &[
        body::<drive::Commit>,
        body::<drive::Committed>,
        body::<drive::Tree>,
        body::<drive::NodePage>,
        body::<drive::Changes>,
        body::<drive::Revisions>,
        body::<drive::Manifest>,
        body::<drive::Drive>,
        body::<drive::Retention>,
        body::<account::ServerInfo>,
        body::<account::Account>,
        body::<account::Accounts>,
        body::<account::Signup>,
        body::<account::Login>,
        body::<account::LoggedIn>,
        body::<account::Session>,
        body::<account::RenameSession>,
        body::<account::ChangePassword>,
        body::<account::CreateInvitation>,
        body::<account::Invitation>,
        body::<account::AddAccount>,
        body::<account::EditAccount>,
        body::<log::Append>,
        body::<log::Appended>,
        body::<log::AppendOutcome>,
        body::<log::LogPage>,
        body::<log::EntryHistory>,
        body::<log::Cursors>,
        body::<log::Reach>,
        body::<transfer::Uploaded>,
        body::<problem::Problem>,
    ];
    // Every body is tried: a document of one kind is also a likely mistake where another is expected.
    for body in BODIES {
        body(bytes);
    }
}

fn body<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else {
        return;
    };
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again = serde_json::from_str::<T>(&written).expect("what was written can be read");
    assert_eq!(
        serde_json::to_string(&again).expect("and written again"),
        written
    );
}

/// PyChat: records from a stream that comes in two parts, pushes as a client reads them, and texts within bounds.
fn pychat(bytes: &[u8]) {
    let whole = requests(&[bytes]);
    let (first, second) = bytes.split_at(bytes.len() / 3);
    assert_eq!(requests(&[first, second]), whole);
    for request in whole.iter().flatten() {
        // What was read is written and read again; what is written need not be what came: fields have forms.
        assert_eq!(Request::decode(&request.encode()).as_ref(), Ok(request));
    }
    if let Some(record) = bytes.first_chunk::<PUSH_BYTES>()
        && let Some(push) = Push::decode(record)
    {
        assert_eq!(Push::decode(&push.encode()), Some(push));
    }
    let text = said(bytes);
    let (head, rest) = clip(&text, 50);
    assert!(head.len() <= 50 && head.len() + rest.len() == text.len());
    assert!(!item(&text).contains('|'));
    assert!(shown_name(&text, 50).len() <= 50);
}

fn requests(parts: &[&[u8]]) -> Vec<Option<Request>> {
    let mut buffer = BytesMut::new();
    let mut requests = Vec::new();
    for part in parts {
        buffer.extend_from_slice(part);
        while let Some(request) = next_request(&mut buffer) {
            requests.push(request.ok());
        }
        assert!(buffer.len() < REQUEST_BYTES);
    }
    requests
}
