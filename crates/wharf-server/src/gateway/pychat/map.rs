//! Between the house's words and the protocol's.

use wharf_core::Error;
use wharf_types::ErrorCode;
use wharf_types::api::contact::Status;
use wharf_types::api::log::{Body, Entry};
use wharf_types::fold::text_of;
use wharf_wire::gateway::pychat::{
    DATA_BYTES, FIELD_BYTES, FILE_NOTICE, Number, SENDS_FILE, clip, item, line, shown_name,
};

/// Bytes of one text on a session's connection, and of one message that was left: clients read 1,024 at once.
const PIECE_BYTES: usize = 1_000;
/// `[更正] `, correction: stands before the new text of an entry that was edited.
const EDITED: &str = "[更正] ";
/// `[对方撤回了一条消息]`: the other one took a message back.
const RECALLED: &str = "[对方撤回了一条消息]";
/// `请求加你为好友`: asks to be your friend. Stands behind a number.
const ASKS: &str = "请求加你为好友";
/// Goes before the rest of a text of which the beginning was shown.
const GOES_ON: &str = "…";
/// `对方还没有同意加你为好友,消息没有送出`: the other one has not agreed to be a friend yet; nothing was sent.
pub(super) const NOT_FRIENDS: &str = "对方还没有同意加你为好友,消息没有送出";
/// The answer to what nobody may know.
pub(super) const SIGN_IN_CLOSED: &str = "注册未开放";

/// What an entry says to this protocol's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// A text.
    Text(String),
    /// A file, and what was said with it.
    File { name: String, text: String },
}

/// What an entry says to somebody who has the log up to `after`: nothing where it is about what they have not seen, since
/// that is shown as it is now.
pub(super) fn said(entry: &Entry, after: u64) -> Option<Said> {
    match entry.body.as_ref()? {
        Body::Text(_) => text_of(entry).map(|text| Said::Text(text.to_owned())),
        Body::File(file) => Some(Said::File {
            name: file.name.clone(),
            text: text_of(entry).unwrap_or_default().to_owned(),
        }),
        Body::Edit(edit) => {
            (edit.target <= after).then(|| Said::Text(format!("{EDITED}{}", edit.text)))
        }
        Body::Recall(recall) => (recall.target <= after).then(|| Said::Text(RECALLED.to_owned())),
        Body::Reaction(_) | Body::Pin(_) | Body::Member(_) | Body::Settings(_) => None,
    }
}

impl Said {
    /// As texts on a session's connection, without the first `shown` bytes, which were shown before.
    pub(super) fn on_session(&self, sender: Number, shown: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let text = match self {
            Self::Text(text) => text,
            Self::File { name, text } => {
                let name = shown_name(name, DATA_BYTES);
                lines.push(format!("{FILE_NOTICE}{sender}|{name}"));
                text
            }
        };
        lines.extend(pieces(&rest(text, shown)).map(|piece| line(&piece)));
        lines
    }

    /// As the text of a push, cut to its field, and how many bytes of the text that shows; `None` for all.
    pub(super) fn on_push(&self, sender: Number) -> (String, Option<usize>) {
        match self {
            Self::Text(text) => {
                let (head, rest) = clip(text, FIELD_BYTES);
                (head.to_owned(), (!rest.is_empty()).then_some(head.len()))
            }
            Self::File { .. } => (clip(&self.in_words(sender), FIELD_BYTES).0.to_owned(), None),
        }
    }

    /// As messages that were left, without the first `shown` bytes: each with the bytes of the text that are shown with
    /// it.
    pub(super) fn left(&self, sender: Number, shown: usize) -> Vec<(String, usize)> {
        let words = self.in_words(sender);
        let mut reached = shown.min(words.len());
        let mut left = Vec::new();
        let mut text = words.get(reached..).unwrap_or_default();
        while !text.is_empty() {
            let (piece, more) = clip(text, PIECE_BYTES);
            let mark = if reached == 0 { "" } else { GOES_ON };
            reached += piece.len();
            left.push((item(&format!("{mark}{piece}")), reached));
            text = more;
        }
        left
    }

    fn in_words(&self, sender: Number) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::File { name, text } => {
                let name = shown_name(name, DATA_BYTES);
                let words = format!("{sender}{SENDS_FILE}{name} {text}");
                words.trim_end().to_owned()
            }
        }
    }
}

fn rest(text: &str, shown: usize) -> String {
    match text.get(shown..) {
        Some(rest) if shown > 0 => format!("{GOES_ON}{rest}"),
        _ => text.to_owned(),
    }
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let mut text = text;
    std::iter::from_fn(move || {
        let (piece, rest) = clip(text, PIECE_BYTES);
        text = rest;
        (!piece.is_empty()).then(|| piece.to_owned())
    })
}

/// What somebody is told whom `who` asks.
pub(super) fn asks(who: Number) -> String {
    format!("{who}{ASKS}")
}

/// Whether somebody is there, for clients that know nothing else.
pub(super) const fn is_online(status: Status) -> bool {
    match status {
        Status::Online | Status::Away | Status::Busy => true,
        Status::Offline | Status::Invisible => false,
    }
}

/// Why something was not sent, as a line in a chat.
pub(super) fn not_sent(error: &Error) -> String {
    format!("消息没有送出: {}", reason(error.code()))
}

/// Why a file was not taken, as a line in a chat.
pub(super) fn not_taken(error: &Error) -> String {
    format!("文件没有上传: {}", reason(error.code()))
}

/// Why there is no new account: the whole answer.
pub(super) fn not_signed_in(error: &Error) -> String {
    match error.code() {
        ErrorCode::Denied => SIGN_IN_CLOSED.to_owned(),
        ErrorCode::Exists => "邮箱已被注册".to_owned(),
        ErrorCode::Invalid => "邮箱、昵称或密码无效".to_owned(),
        code => format!("注册失败: {}", reason(code)),
    }
}

/// A kind of error in the language of this protocol's clients.
const fn reason(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Invalid => "内容无效",
        ErrorCode::Unauthenticated => "请重新登录",
        ErrorCode::Denied => "没有权限",
        ErrorCode::NotFound => "不存在",
        ErrorCode::Exists => "已经存在",
        ErrorCode::NotEmpty => "文件夹不为空",
        ErrorCode::Locked => "已被锁定",
        ErrorCode::Stale => "已被别人修改",
        ErrorCode::TooLarge => "太大",
        ErrorCode::OverQuota => "空间不足",
        ErrorCode::Limited => "太频繁,请稍后再试",
        ErrorCode::Unavailable => "服务器暂时不可用",
        ErrorCode::Unsupported => "不支持",
        ErrorCode::Corrupt => "文件已损坏",
        ErrorCode::Internal => "服务器出错",
        ErrorCode::Cancelled => "已取消",
    }
}
