//! The packed form of what an entry says.

use wharf_types::api::log::{
    Body, Draft, Edit, File, FileDraft, Member, MemberChange, Mentions, Pin, Reaction, Recall,
    Settings, Text,
};
use wharf_types::api::room::{History, Role};
use wharf_types::limit::{
    ENTRY_TEXT_BYTES_MAX, LABEL_BYTES_MAX, MENTIONS_PER_ENTRY_MAX, NAME_BYTES_MAX,
    REACTION_BYTES_MAX, TOPIC_BYTES_MAX,
};
use wharf_types::{AccountId, ContentHash, NodeId, RoomId};

use super::chain::kind_of;

const VERSION: u8 = 1;

const REPLY: u8 = 1;
const EVERYBODY: u8 = 2;
const ACCOUNTS: u8 = 4;
const DIMENSIONS: u8 = 8;

const NAME: u8 = 1;
const TOPIC: u8 = 2;
const HISTORY: u8 = 4;
const KEEP_DAYS: u8 = 8;
const ARCHIVED: u8 = 16;

/// Why bytes are not a packed body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// Shorter than it says.
    #[error("body ends early, at byte {at}")]
    Truncated {
        /// Where something more was expected.
        at: usize,
    },
    /// Longer than it says.
    #[error("body goes on after its end at byte {at}")]
    TrailingBytes {
        /// Where it should have ended.
        at: usize,
    },
    /// Made by a version of the program that this one does not know.
    #[error("body has version {version}, expected {VERSION}")]
    Version {
        /// The version it claims.
        version: u8,
    },
    /// A kind, flag or choice that this version does not know.
    #[error("body has an unknown value {value} before byte {at}")]
    Unknown {
        /// The value.
        value: u8,
        /// The byte after it.
        at: usize,
    },
    /// A text over its bound.
    #[error("body has a text of {bytes} bytes before byte {at}, over {max}")]
    TooLong {
        /// The length it claims.
        bytes: u32,
        /// The bound.
        max: usize,
        /// The byte after the length.
        at: usize,
    },
    /// A text that is not UTF-8.
    #[error("body has a text that is not UTF-8 before byte {at}")]
    Utf8 {
        /// The byte after the text.
        at: usize,
    },
    /// Mentions that are none, too many, not ascending, or twice the same.
    #[error(
        "body has mentions that are not 1 to {MENTIONS_PER_ENTRY_MAX} ascending ids before byte {at}"
    )]
    Mentions {
        /// The byte after them.
        at: usize,
    },
}

/// The packed form: what is stored and chained. Mentions must be ascending, each once.
pub fn pack(body: &Body) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    out.extend_from_slice(&[VERSION, kind_of(body)]);
    match body {
        Body::Text(text) => pack_text(&mut out, text),
        Body::File(file) => {
            let dimensions = flag(file.dimensions.is_some(), DIMENSIONS);
            pack_head(&mut out, file.reply_to, &file.mentions, dimensions);
            out.extend_from_slice(file.node.as_bytes());
            out.extend_from_slice(&file.revision.to_le_bytes());
            out.extend_from_slice(&file.bytes.to_le_bytes());
            out.extend_from_slice(file.content.as_bytes());
            pack_dimensions(&mut out, file.dimensions);
            pack_str(&mut out, &file.name);
            pack_str(&mut out, &file.text);
        }
        Body::Edit(edit) => pack_edit(&mut out, edit),
        Body::Recall(Recall { target }) => out.extend_from_slice(&target.to_le_bytes()),
        Body::Reaction(reaction) => pack_reaction(&mut out, reaction),
        Body::Pin(pin) => pack_pin(&mut out, pin),
        Body::Member(member) => {
            out.push(match member.change {
                MemberChange::Joined => 0,
                MemberChange::Left => 1,
                MemberChange::Removed => 2,
                MemberChange::Role => 3,
            });
            out.push(match member.role {
                None => 0,
                Some(Role::Reader) => 1,
                Some(Role::Editor) => 2,
                Some(Role::Owner) => 3,
            });
            out.extend_from_slice(member.account.as_bytes());
        }
        Body::Settings(settings) => pack_settings(&mut out, settings),
    }
    out
}

/// What a device's number stands for: the BLAKE3-256 of the room, the sender's time and the packed draft. The time tells
/// two copies of a device apart that say the same.
pub fn draft_digest(room: RoomId, draft: &Draft, client_ms: Option<i64>) -> [u8; 32] {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(room.as_bytes());
    out.push(u8::from(client_ms.is_some()));
    out.extend_from_slice(&client_ms.unwrap_or_default().to_le_bytes());
    out.push(VERSION);
    match draft {
        Draft::Text(text) => {
            out.push(0);
            pack_text(&mut out, text);
        }
        Draft::File(file) => {
            out.push(1);
            pack_file_draft(&mut out, file);
        }
        Draft::Edit(edit) => {
            out.push(2);
            pack_edit(&mut out, edit);
        }
        Draft::Recall(Recall { target }) => {
            out.push(3);
            out.extend_from_slice(&target.to_le_bytes());
        }
        Draft::Reaction(reaction) => {
            out.push(4);
            pack_reaction(&mut out, reaction);
        }
        Draft::Pin(pin) => {
            out.push(5);
            pack_pin(&mut out, pin);
        }
    }
    *blake3::hash(&out).as_bytes()
}

/// Reads the packed form.
///
/// # Errors
/// [`InvalidBody`] says which bound or rule is broken. Nothing is allocated before its length is checked.
pub fn unpack(packed: &[u8]) -> Result<Body, InvalidBody> {
    let mut reader = Reader { packed, at: 0 };
    let [version] = reader.array()?;
    if version != VERSION {
        return Err(InvalidBody::Version { version });
    }
    let [kind] = reader.array()?;
    let body = match kind {
        0 => {
            let (_, reply_to, mentions) = reader.head(REPLY | EVERYBODY | ACCOUNTS)?;
            Body::Text(Text {
                reply_to,
                mentions,
                text: reader.text(ENTRY_TEXT_BYTES_MAX)?,
            })
        }
        1 => Body::File(unpack_file(&mut reader)?),
        2 => {
            let (_, _, mentions) = reader.head(EVERYBODY | ACCOUNTS)?;
            Body::Edit(Edit {
                mentions,
                target: reader.u64()?,
                text: reader.text(ENTRY_TEXT_BYTES_MAX)?,
            })
        }
        3 => Body::Recall(Recall {
            target: reader.u64()?,
        }),
        4 => Body::Reaction(Reaction {
            is_set: reader.choice([false, true])?,
            target: reader.u64()?,
            emoji: reader.text(REACTION_BYTES_MAX)?,
        }),
        5 => Body::Pin(Pin {
            is_set: reader.choice([false, true])?,
            target: reader.u64()?,
        }),
        6 => Body::Member(Member {
            change: reader.choice([
                MemberChange::Joined,
                MemberChange::Left,
                MemberChange::Removed,
                MemberChange::Role,
            ])?,
            role: reader.choice([
                None,
                Some(Role::Reader),
                Some(Role::Editor),
                Some(Role::Owner),
            ])?,
            account: AccountId::from_bytes(reader.array()?),
        }),
        7 => Body::Settings(unpack_settings(&mut reader)?),
        value => return Err(reader.unknown(value)),
    };
    if reader.at < packed.len() {
        return Err(InvalidBody::TrailingBytes { at: reader.at });
    }
    Ok(body)
}

const fn flag(is_set: bool, bit: u8) -> u8 {
    if is_set { bit } else { 0 }
}

fn pack_str(out: &mut Vec<u8>, text: &str) {
    // A text that does not fit is over every bound, and fails to unpack for its length.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn pack_head(out: &mut Vec<u8>, reply_to: Option<u64>, mentions: &Mentions, more: u8) {
    debug_assert!(mentions.accounts.is_sorted());
    out.push(
        flag(reply_to.is_some(), REPLY)
            | flag(mentions.everybody, EVERYBODY)
            | flag(!mentions.accounts.is_empty(), ACCOUNTS)
            | more,
    );
    if let Some(reply_to) = reply_to {
        out.extend_from_slice(&reply_to.to_le_bytes());
    }
    if !mentions.accounts.is_empty() {
        out.push(u8::try_from(mentions.accounts.len()).unwrap_or(u8::MAX));
        for account in &mentions.accounts {
            out.extend_from_slice(account.as_bytes());
        }
    }
}

fn pack_text(out: &mut Vec<u8>, text: &Text) {
    pack_head(out, text.reply_to, &text.mentions, 0);
    pack_str(out, &text.text);
}

fn pack_dimensions(out: &mut Vec<u8>, dimensions: Option<(u32, u32)>) {
    if let Some((width, height)) = dimensions {
        out.extend_from_slice(&width.to_le_bytes());
        out.extend_from_slice(&height.to_le_bytes());
    }
}

/// The revision is 0, which no revision is, where the draft leaves it open.
fn pack_file_draft(out: &mut Vec<u8>, file: &FileDraft) {
    let dimensions = flag(file.dimensions.is_some(), DIMENSIONS);
    pack_head(out, file.reply_to, &file.mentions, dimensions);
    out.extend_from_slice(file.node.as_bytes());
    out.extend_from_slice(&file.revision.unwrap_or(0).to_le_bytes());
    pack_dimensions(out, file.dimensions);
    pack_str(out, &file.text);
}

fn pack_edit(out: &mut Vec<u8>, edit: &Edit) {
    pack_head(out, None, &edit.mentions, 0);
    out.extend_from_slice(&edit.target.to_le_bytes());
    pack_str(out, &edit.text);
}

fn pack_reaction(out: &mut Vec<u8>, reaction: &Reaction) {
    out.push(u8::from(reaction.is_set));
    out.extend_from_slice(&reaction.target.to_le_bytes());
    pack_str(out, &reaction.emoji);
}

fn pack_pin(out: &mut Vec<u8>, pin: &Pin) {
    out.push(u8::from(pin.is_set));
    out.extend_from_slice(&pin.target.to_le_bytes());
}

fn pack_settings(out: &mut Vec<u8>, settings: &Settings) {
    out.push(
        flag(settings.name.is_some(), NAME)
            | flag(settings.topic.is_some(), TOPIC)
            | flag(settings.history.is_some(), HISTORY)
            | flag(settings.keep_days.is_some(), KEEP_DAYS)
            | flag(settings.archived.is_some(), ARCHIVED),
    );
    if let Some(name) = &settings.name {
        pack_str(out, name);
    }
    if let Some(topic) = &settings.topic {
        pack_str(out, topic);
    }
    if let Some(history) = settings.history {
        out.push(match history {
            History::Joined => 0,
            History::All => 1,
        });
    }
    if let Some(keep_days) = settings.keep_days {
        out.extend_from_slice(&keep_days.to_le_bytes());
    }
    if let Some(archived) = settings.archived {
        out.push(u8::from(archived));
    }
}

fn unpack_file(reader: &mut Reader<'_>) -> Result<File, InvalidBody> {
    let (flags, reply_to, mentions) = reader.head(REPLY | EVERYBODY | ACCOUNTS | DIMENSIONS)?;
    Ok(File {
        reply_to,
        mentions,
        node: NodeId::from_bytes(reader.array()?),
        revision: reader.u64()?,
        bytes: reader.u64()?,
        content: ContentHash::from_bytes(reader.array()?),
        dimensions: if flags & DIMENSIONS == 0 {
            None
        } else {
            Some((reader.u32()?, reader.u32()?))
        },
        name: reader.text(NAME_BYTES_MAX)?,
        text: reader.text(ENTRY_TEXT_BYTES_MAX)?,
    })
}

fn unpack_settings(reader: &mut Reader<'_>) -> Result<Settings, InvalidBody> {
    let flags = reader.flags(NAME | TOPIC | HISTORY | KEEP_DAYS | ARCHIVED)?;
    let has = |bit| flags & bit != 0;
    Ok(Settings {
        name: has(NAME)
            .then(|| reader.text(LABEL_BYTES_MAX))
            .transpose()?,
        topic: has(TOPIC)
            .then(|| reader.text(TOPIC_BYTES_MAX))
            .transpose()?,
        history: has(HISTORY)
            .then(|| reader.choice([History::Joined, History::All]))
            .transpose()?,
        keep_days: has(KEEP_DAYS).then(|| reader.u32()).transpose()?,
        archived: has(ARCHIVED)
            .then(|| reader.choice([false, true]))
            .transpose()?,
    })
}

/// Takes a packed body apart from its beginning.
struct Reader<'a> {
    packed: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], InvalidBody> {
        let truncated = InvalidBody::Truncated {
            at: self.packed.len(),
        };
        let rest = self.packed.get(self.at..).ok_or(truncated)?;
        let taken = rest.get(..count).ok_or(truncated)?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidBody> {
        let truncated = InvalidBody::Truncated {
            at: self.packed.len(),
        };
        self.bytes(N)?.try_into().map_err(|_| truncated)
    }

    fn u32(&mut self) -> Result<u32, InvalidBody> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, InvalidBody> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn unknown(&self, value: u8) -> InvalidBody {
        InvalidBody::Unknown { value, at: self.at }
    }

    fn choice<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> Result<T, InvalidBody> {
        let [value] = self.array()?;
        choices
            .get(usize::from(value))
            .copied()
            .ok_or_else(|| self.unknown(value))
    }

    fn flags(&mut self, known: u8) -> Result<u8, InvalidBody> {
        let [flags] = self.array()?;
        if flags & !known != 0 {
            return Err(self.unknown(flags));
        }
        Ok(flags)
    }

    fn text(&mut self, max: usize) -> Result<String, InvalidBody> {
        let bytes = self.u32()?;
        if bytes as usize > max {
            return Err(InvalidBody::TooLong {
                bytes,
                max,
                at: self.at,
            });
        }
        let taken = self.bytes(bytes as usize)?;
        std::str::from_utf8(taken)
            .map(str::to_owned)
            .map_err(|_| InvalidBody::Utf8 { at: self.at })
    }

    /// Flags, reply and mentions, which stand before the rest of what is said.
    fn head(&mut self, known: u8) -> Result<(u8, Option<u64>, Mentions), InvalidBody> {
        let flags = self.flags(known)?;
        let reply_to = (flags & REPLY != 0).then(|| self.u64()).transpose()?;
        let mut mentions = Mentions {
            accounts: Vec::new(),
            everybody: flags & EVERYBODY != 0,
        };
        if flags & ACCOUNTS != 0 {
            let [count] = self.array()?;
            let ids = self.bytes(usize::from(count) * 16)?;
            let (ids, _) = ids.as_chunks::<16>();
            mentions.accounts = ids.iter().copied().map(AccountId::from_bytes).collect();
            let is_ascending = mentions
                .accounts
                .is_sorted_by(|before, after| before < after);
            if count == 0 || usize::from(count) > MENTIONS_PER_ENTRY_MAX || !is_ascending {
                return Err(InvalidBody::Mentions { at: self.at });
            }
        }
        Ok((flags, reply_to, mentions))
    }
}
