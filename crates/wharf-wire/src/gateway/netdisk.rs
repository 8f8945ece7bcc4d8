//! netdisk: two generations of messages on one port, told apart by their first byte.
//!
//! The older is one JSON object without an end mark, after which a file's bytes may follow; its answers end with NUL. The
//! finished one is `TYPE`, a line feed, a JSON object and NUL, both ways, after which a chunk's bytes and another NUL may
//! follow. Answers are ASCII, as clients decode them as GBK, and their keys are in order, as those of the original.

use std::fmt::Write;

use bytes::{Buf, Bytes, BytesMut};
pub use serde_json::{Map, Value};

/// Longest header, in bytes: its JSON and what is before it.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The line feed after a type is within so many bytes.
const TYPE_BYTES_MAX: usize = 20;

/// Which generation a message is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// A JSON object with its type in it.
    Json,
    /// A type, a line feed, a JSON object, NUL.
    Line,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How it came, and how it is answered.
    pub generation: Generation,
    /// Its type; empty where an object has none.
    pub kind: String,
    /// The object.
    pub fields: Map<String, Value>,
    /// How many bytes follow; [`Frame::Body`] brings them.
    pub body_bytes: Option<u64>,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A request.
    Request(Request),
    /// The next bytes of the body of the request before, and whether they are the last: an empty one may be.
    Body {
        /// The bytes.
        bytes: Bytes,
        /// Whether the body ends with them.
        is_last: bool,
    },
}

/// Why bytes are no message. Nobody knows where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// The first byte begins neither generation.
    #[error("no message begins with byte {0}")]
    Unknown(u8),
    /// No line feed where a type ends.
    #[error("no type within {TYPE_BYTES_MAX} bytes")]
    Type,
    /// Longer than [`HEADER_BYTES_MAX`].
    #[error("a header of more than {HEADER_BYTES_MAX} bytes")]
    TooLong,
    /// Not a JSON object.
    #[error("not a JSON object")]
    Json,
    /// The length of what follows is missing, or no number of bytes.
    #[error("the length of what follows is missing or no length")]
    Length,
    /// A chunk does not end with NUL.
    #[error("a chunk does not end with NUL")]
    End,
}

/// Takes messages off a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    scan: Scan,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    Body {
        left_bytes: u64,
        generation: Generation,
    },
}

/// How far the header that is coming was looked at.
#[derive(Debug, Default)]
struct Scan {
    bytes: usize,
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl Decoder {
    /// Takes the next frame off the front of `buffer`; nothing while more bytes are needed. Of a body it holds nothing
    /// back, of a header at most [`HEADER_BYTES_MAX`].
    ///
    /// # Errors
    /// [`InvalidMessage`].
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, InvalidMessage> {
        loop {
            if let State::Body {
                left_bytes,
                generation,
            } = self.state
            {
                return self.body(buffer, left_bytes, generation);
            }
            if self.scan.bytes == 0 {
                let spaces = buffer.iter().take_while(|byte| byte.is_ascii_whitespace());
                buffer.advance(spaces.count());
            }
            let found = match buffer.first() {
                None => return Ok(None),
                Some(b'{') => self.object(buffer)?,
                Some(byte) if byte.is_ascii_alphabetic() => self.line(buffer)?,
                Some(byte) => return Err(InvalidMessage::Unknown(*byte)),
            };
            match found {
                Header::Incomplete => return Ok(None),
                // The original takes no notice of JSON that is none.
                Header::Ignored => {}
                Header::Request(request) => {
                    if let Some(left_bytes) = request.body_bytes {
                        let generation = request.generation;
                        self.state = State::Body {
                            left_bytes,
                            generation,
                        };
                    }
                    return Ok(Some(Frame::Request(request)));
                }
            }
        }
    }

    fn body(
        &mut self,
        buffer: &mut BytesMut,
        left_bytes: u64,
        generation: Generation,
    ) -> Result<Option<Frame>, InvalidMessage> {
        let here = usize::try_from(left_bytes).map_or(buffer.len(), |left| left.min(buffer.len()));
        let bytes = buffer.split_to(here).freeze();
        let left_bytes = left_bytes - here as u64;
        let is_last = match (left_bytes, generation) {
            (0, Generation::Json) => true,
            (0, Generation::Line) => match buffer.first() {
                Some(0) => {
                    buffer.advance(1);
                    true
                }
                Some(_) => return Err(InvalidMessage::End),
                None => false,
            },
            _ => false,
        };
        self.state = if is_last {
            State::Header
        } else {
            State::Body {
                left_bytes,
                generation,
            }
        };
        let is_something = is_last || !bytes.is_empty();
        Ok(is_something.then_some(Frame::Body { bytes, is_last }))
    }

    fn line(&mut self, buffer: &mut BytesMut) -> Result<Header, InvalidMessage> {
        let line_end = buffer
            .iter()
            .take(TYPE_BYTES_MAX)
            .position(|byte| *byte == b'\n');
        if line_end.is_none() && buffer.len() >= TYPE_BYTES_MAX {
            return Err(InvalidMessage::Type);
        }
        let new = buffer.get(self.scan.bytes..).unwrap_or_default();
        let Some(end) = new.iter().position(|byte| *byte == 0) else {
            self.scan.bytes = buffer.len();
            return self.incomplete();
        };
        let end = self.scan.bytes + end;
        self.scan = Scan::default();
        let header = buffer.split_to(end);
        buffer.advance(1);
        let line_end = line_end
            .filter(|at| *at < end)
            .ok_or(InvalidMessage::Type)?;
        let (kind, json) = header.split_at(line_end);
        let kind = String::from_utf8_lossy(kind)
            .trim_end_matches('\r')
            .to_owned();
        let Ok(fields) = serde_json::from_slice(json) else {
            return Ok(Header::Ignored);
        };
        let body_bytes = match kind.as_str() {
            "uploadChunk" => Some(length(&fields, "chunksize")?),
            _ => None,
        };
        Ok(Header::Request(Request {
            generation: Generation::Line,
            kind,
            fields,
            body_bytes,
        }))
    }

    fn object(&mut self, buffer: &mut BytesMut) -> Result<Header, InvalidMessage> {
        let Some(end) = self.scan.end_of_object(buffer) else {
            return self.incomplete();
        };
        self.scan = Scan::default();
        let json = buffer.split_to(end);
        let fields: Map<String, Value> =
            serde_json::from_slice(&json).map_err(|_| InvalidMessage::Json)?;
        let kind = fields.get("type").and_then(Value::as_str);
        let kind = kind.unwrap_or_default().to_owned();
        let body_bytes = match kind.as_str() {
            "upload" if fields.contains_key("offset") => Some(length(&fields, "chunksize")?),
            "upload" => Some(length(&fields, "size")?),
            _ => None,
        };
        Ok(Header::Request(Request {
            generation: Generation::Json,
            kind,
            fields,
            body_bytes,
        }))
    }

    fn incomplete(&self) -> Result<Header, InvalidMessage> {
        if self.scan.bytes > HEADER_BYTES_MAX {
            return Err(InvalidMessage::TooLong);
        }
        Ok(Header::Incomplete)
    }
}

enum Header {
    Incomplete,
    Ignored,
    Request(Request),
}

impl Scan {
    /// Where the object that `bytes` begins with ends. Goes on where it was.
    fn end_of_object(&mut self, bytes: &[u8]) -> Option<usize> {
        for byte in bytes.get(self.bytes..).unwrap_or_default() {
            self.bytes += 1;
            if std::mem::take(&mut self.is_escaped) {
                continue;
            }
            match byte {
                b'\\' if self.is_in_text => self.is_escaped = true,
                b'"' => self.is_in_text = !self.is_in_text,
                b'{' | b'[' if !self.is_in_text => self.depth += 1,
                b'}' | b']' if !self.is_in_text => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.bytes);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn length(fields: &Map<String, Value>, key: &str) -> Result<u64, InvalidMessage> {
    fields
        .get(key)
        .and_then(Value::as_u64)
        .ok_or(InvalidMessage::Length)
}

impl Request {
    /// A request as the published clients write it: as Python does, with the fields in the order given.
    pub fn encode(generation: Generation, kind: &str, fields: &[(&str, Value)]) -> Bytes {
        let mut text = String::new();
        if generation == Generation::Line {
            text.push_str(kind);
            text.push('\n');
        }
        text.push('{');
        let of_type = (generation == Generation::Json).then(|| ("type", Value::from(kind)));
        let mut fields = of_type.iter().chain(fields).peekable();
        while let Some((key, value)) = fields.next() {
            write_text(key, &mut text);
            text.push_str(": ");
            write_value(value, &mut text);
            if fields.peek().is_some() {
                text.push_str(", ");
            }
        }
        text.push('}');
        if generation == Generation::Line {
            text.push('\0');
        }
        text.into()
    }
}

/// An answer, with the NUL at its end.
pub fn encode_answer(generation: Generation, kind: &str, fields: Map<String, Value>) -> Bytes {
    let mut text = String::new();
    if generation == Generation::Line {
        text.push_str(kind);
        text.push_str("Res\n");
    }
    write_value(&Value::Object(fields), &mut text);
    text.push('\0');
    text.into()
}

/// An answer as a client reads it: its type line, empty where it has none, and its object.
pub type Answer = (String, Map<String, Value>);

/// Takes an answer off the front of `buffer`, as a client does; nothing while it is not whole.
///
/// # Errors
/// [`InvalidMessage`].
pub fn decode_answer(buffer: &mut BytesMut) -> Result<Option<Answer>, InvalidMessage> {
    let Some(end) = buffer.iter().position(|byte| *byte == 0) else {
        return Ok(None);
    };
    let answer = buffer.split_to(end);
    buffer.advance(1);
    let line_end = if answer.first() == Some(&b'{') {
        0
    } else {
        let line_end = answer.iter().position(|byte| *byte == b'\n');
        line_end.ok_or(InvalidMessage::Type)?
    };
    let (kind, json) = answer.split_at(line_end);
    let fields = serde_json::from_slice(json).map_err(|_| InvalidMessage::Json)?;
    Ok(Some((String::from_utf8_lossy(kind).into_owned(), fields)))
}

/// Compact JSON in ASCII, keys in order.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::String(text) => write_text(text, out),
        Value::Null => out.push_str("null"),
        Value::Bool(is_true) => out.push_str(if *is_true { "true" } else { "false" }),
        Value::Number(number) => {
            // Writing to a string cannot fail.
            write!(out, "{number}").unwrap_or_default();
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap_or_default();
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        Decoder, Frame, Generation, HEADER_BYTES_MAX, InvalidMessage, Map, Request, Value,
        decode_answer, encode_answer,
    };

    /// What comes of bytes that arrive in pieces: frames, with the pieces of bodies joined, and how it ended.
    fn decoded(pieces: &[&[u8]]) -> (Vec<Frame>, Option<InvalidMessage>) {
        let mut decoder = Decoder::default();
        let mut buffer = BytesMut::new();
        let mut frames: Vec<Frame> = Vec::new();
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                match decoder.decode(&mut buffer) {
                    Ok(Some(frame)) => push(&mut frames, frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
            assert!(buffer.len() <= HEADER_BYTES_MAX);
        }
        (frames, None)
    }

    fn push(frames: &mut Vec<Frame>, frame: Frame) {
        let Frame::Body { bytes, is_last } = &frame else {
            return frames.push(frame);
        };
        if let Some(Frame::Body {
            bytes: before,
            is_last: false,
        }) = frames.last()
        {
            let joined = Bytes::from([&before[..], &bytes[..]].concat());
            let is_last = *is_last;
            frames.pop();
            return frames.push(Frame::Body {
                bytes: joined,
                is_last,
            });
        }
        frames.push(frame);
    }

    fn body(bytes: &'static [u8]) -> Frame {
        Frame::Body {
            bytes: Bytes::from_static(bytes),
            is_last: true,
        }
    }

    fn request(frame: &Frame) -> &Request {
        match frame {
            Frame::Request(request) => request,
            Frame::Body { .. } => panic!("a body: {frame:?}"),
        }
    }

    #[test]
    fn requests_are_pipelined_with_their_bodies() {
        let sent = b"uploadFile\n{\"queueid\": 1, \"filename\": \"\\u6587\"}\0uploadChunk\n{\"chunksize\": 3}\0a\0c\0getdir\n{}\0";
        let (frames, error) = decoded(&[sent]);
        assert_eq!(error, None);
        assert_eq!(request(&frames[0]).fields["filename"], "文");
        assert_eq!(request(&frames[1]).body_bytes, Some(3));
        assert_eq!(frames[2], body(b"a\0c"));
        assert_eq!(request(&frames[3]).kind, "getdir");
        assert_eq!(frames.len(), 4);
    }

    #[test]
    fn an_object_ends_with_its_last_brace_and_a_file_follows() {
        let sent = b"{\"type\": \"upload\", \"filename\": \"a}\\\"{\", \"size\": 2}{}\n {\"type\": \"download\"}";
        let (frames, error) = decoded(&[sent]);
        assert_eq!(error, None);
        assert_eq!(request(&frames[0]).fields["filename"], "a}\"{");
        assert_eq!(frames[1], body(b"{}"));
        assert_eq!(request(&frames[2]).kind, "download");
        let (frames, _) = decoded(&[b"{\"type\":\"upload\",\"size\":0}"]);
        assert_eq!(frames[1], body(b""));
    }

    #[test]
    fn what_no_client_sends_ends_the_connection() {
        let long = format!("getdir\n{{\"a\": \"{}", "x".repeat(HEADER_BYTES_MAX));
        let nested = "{".repeat(HEADER_BYTES_MAX + 2);
        let cases: [(&[u8], InvalidMessage); 9] = [
            (b"\x01", InvalidMessage::Unknown(1)),
            (b"abcdefghijklmnopqrstuvwxyz", InvalidMessage::Type),
            (b"abc\0", InvalidMessage::Type),
            (long.as_bytes(), InvalidMessage::TooLong),
            (nested.as_bytes(), InvalidMessage::TooLong),
            (b"{]", InvalidMessage::Json),
            (
                b"uploadChunk\n{\"chunksize\": -1}\0",
                InvalidMessage::Length,
            ),
            (b"{\"type\": \"upload\"}", InvalidMessage::Length),
            (b"uploadChunk\n{\"chunksize\": 1}\0ab", InvalidMessage::End),
        ];
        for (sent, want) in cases {
            let (_, error) = decoded(&[sent]);
            assert_eq!(
                error,
                Some(want),
                "{:?}",
                String::from_utf8_lossy(&sent[..sent.len().min(40)])
            );
        }
    }

    #[test]
    fn json_that_is_none_is_passed_over() {
        let (frames, error) = decoded(&[b"getdir\n{oops\0getdir\n{}\0"]);
        assert_eq!((frames.len(), error), (1, None));
    }

    #[test]
    fn answers_are_ascii_with_their_keys_in_order() {
        let Value::Object(fields) =
            json!({"msg": "hi", "error": 0, "a": ["文", {"z": 1, "b": null}, "𝄞\n"]})
        else {
            panic!("an object");
        };
        let answer = encode_answer(Generation::Line, "getdir", fields.clone());
        let text = "getdirRes\n{\"a\":[\"\\u6587\",{\"b\":null,\"z\":1},\"\\ud834\\udd1e\\n\"],\"error\":0,\"msg\":\"hi\"}\0";
        assert_eq!(answer, text);
        let mut buffer = BytesMut::from(&answer[..]);
        let (kind, read) = decode_answer(&mut buffer).unwrap().unwrap();
        assert_eq!((kind.as_str(), read), ("getdirRes", fields));
        let answer = encode_answer(Generation::Json, "login", Map::new());
        assert_eq!(answer, "{}\0");
    }

    fn message() -> impl Strategy<Value = Vec<u8>> {
        let name = "[a-z\\\\\"{}\u{6587}]{0,8}";
        let lines =
            (name, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(name, bytes)| {
                let fields = [
                    ("filename", Value::from(name)),
                    ("chunksize", bytes.len().into()),
                ];
                let header = Request::encode(Generation::Line, "uploadChunk", &fields);
                [&header[..], &bytes[..], b"\0"].concat()
            });
        let objects =
            (name, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(name, bytes)| {
                let fields = [
                    ("filename", Value::from(name)),
                    ("size", bytes.len().into()),
                ];
                let header = Request::encode(Generation::Json, "upload", &fields);
                [&header[..], &bytes[..]].concat()
            });
        prop_oneof![
            lines,
            objects,
            proptest::collection::vec(any::<u8>(), 0..20)
        ]
    }

    proptest! {
        #[test]
        fn any_split_of_a_stream_decodes_the_same(
            messages in proptest::collection::vec(message(), 0..6),
            cuts in proptest::collection::vec(0..400_usize, 0..12),
        ) {
            let stream = messages.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            let whole = decoded(&[&stream]);
            prop_assert_eq!(decoded(&pieces), whole);
        }
    }
}
