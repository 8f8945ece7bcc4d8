//! The batches of filestoraged's README: one message names the files, and the others bring their bytes in order.

use aws_lc_rs::digest::{SHA256, digest};
use wharf_core::drive::RoomRef;
use wharf_core::transfer::{OpenPartial, Place};
use wharf_core::{Caller, Error};
use wharf_types::{ErrorCode, PartialId};
use wharf_wire::gateway::filestored::Frame;
use wharf_wire::gateway::filestored::batch::{
    BatchAnswer, BatchAsked, BatchFile, BatchRequest, RESPONSE, Received, is_unsigned,
};

use super::map;
use super::session::Talk;

/// Most files of a batch.
const FILES_MAX: usize = 1_000;
/// Longest name of a batch, in bytes.
const FID_BYTES_MAX: usize = 100;

/// The batch that a connection has named.
pub(super) struct Batch {
    files: Vec<File>,
}

struct File {
    id: PartialId,
    name: String,
    bytes: u64,
    received_bytes: u64,
}

impl Batch {
    /// Answers a message; every one is.
    pub(super) async fn answer(
        talk: &mut Talk,
        batch: &mut Option<Self>,
        frame: &Frame,
    ) -> (u8, Vec<u8>) {
        let (id, answer) = match BatchAsked::decode(frame.user_type, &frame.payload) {
            Err(fault) => {
                let reason = if is_unsigned(&frame.payload) {
                    "a token that is not signed is not believed".to_owned()
                } else {
                    fault.reason
                };
                (fault.id, BatchAnswer::Error { reason })
            }
            Ok(asked) => {
                let outcome = match asked.request {
                    BatchRequest::Authentication {
                        token,
                        files,
                        fid,
                        tags,
                    } => begin(talk, batch, token, files, &fid, &tags).await,
                    BatchRequest::Transfer { chunk, data } => {
                        let mark = chunk.unwrap_or_else(|| asked.id.id.clone());
                        transfer(talk, batch, &mark, data).await
                    }
                };
                let answer = outcome.unwrap_or_else(|error| BatchAnswer::Error {
                    reason: reason(&error),
                });
                (asked.id, answer)
            }
        };
        (RESPONSE, answer.encode(id).unwrap_or_default())
    }

    /// How much there is of each file.
    fn received(&self) -> Vec<Received> {
        let received = |file: &File| Received {
            name: file.name.clone(),
            size: file.bytes,
            received: file.received_bytes,
        };
        self.files.iter().map(received).collect()
    }
}

/// Takes the token and the files of a batch, or goes on with one of an earlier connection.
async fn begin(
    talk: &mut Talk,
    batch: &mut Option<Batch>,
    token: String,
    files: Vec<BatchFile>,
    fid: &str,
    tags: &[String],
) -> Result<BatchAnswer, Error> {
    *batch = None;
    let by = talk.enter(token).await?;
    if fid.is_empty() || fid.len() > FID_BYTES_MAX || files.len() > FILES_MAX {
        return Err(Error::invalid(format!(
            "a batch has a fid of 1 to {FID_BYTES_MAX} bytes, and {FILES_MAX} files at most"
        )));
    }
    let mut begun = Batch { files: Vec::new() };
    for (index, file) in files.into_iter().enumerate() {
        let key = format!("batch {index} {fid}");
        begun.files.push(open(talk, &by, key, file, tags).await?);
    }
    let received = Some(begun.received());
    *batch = Some(begun);
    Ok(BatchAnswer::Ok { received })
}

async fn open(
    talk: &Talk,
    by: &Caller,
    key: String,
    file: BatchFile,
    tags: &[String],
) -> Result<File, Error> {
    if file.size > talk.shared.file_bytes_max {
        let text = format!("a file has at most {} bytes", talk.shared.file_bytes_max);
        return Err(Error::new(ErrorCode::TooLarge, text));
    }
    let open = OpenPartial {
        key,
        path: map::path_of(&file.name),
        tags: tags.iter().chain(&file.tags).cloned().collect(),
        bytes: file.size,
        sha256: None,
    };
    let path = open.path.clone();
    let transfers = talk.shared.wharf.transfers();
    let partial = transfers.open_partial(by, RoomRef::Home, open).await?;
    if partial.path != path || partial.bytes != file.size {
        return Err(Error::invalid("this batch was begun with other files"));
    }
    if partial.received_bytes == partial.bytes && !partial.has_ended {
        transfers.finish_partial(by, partial.id).await?;
    }
    Ok(File {
        id: partial.id,
        name: file.name,
        bytes: partial.bytes,
        received_bytes: partial.received_bytes,
    })
}

/// Takes some bytes for the first file that is not whole.
async fn transfer(
    talk: &Talk,
    batch: &mut Option<Batch>,
    mark: &str,
    data: Vec<u8>,
) -> Result<BatchAnswer, Error> {
    let by = talk.caller().await?.ok_or_else(not_authenticated)?;
    let batch = batch.as_mut().ok_or_else(not_authenticated)?;
    let of = batch.files.first().map(|file| file.id);
    let is_open = |file: &File| file.received_bytes < file.bytes;
    let index = batch
        .files
        .iter()
        .position(is_open)
        .unwrap_or_else(|| batch.files.len().saturating_sub(1));
    let (Some(file), Some(of)) = (batch.files.get_mut(index), of) else {
        return Err(Error::invalid("the batch has no files"));
    };
    let mut short = [0; 16];
    let hash = digest(&SHA256, mark.as_bytes());
    for (to, from) in short.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    let place = Place::Next { mark: short, of };
    let transfers = talk.shared.wharf.transfers();
    let written = transfers
        .write_part(&by, file.id, place, data.into())
        .await?;
    file.received_bytes = written.received_bytes;
    if written.is_whole() && !written.has_ended {
        transfers.finish_partial(&by, file.id).await?;
    }
    Ok(BatchAnswer::Ok { received: None })
}

fn not_authenticated() -> Error {
    Error::new(ErrorCode::Unauthenticated, "not authenticated")
}

/// The house's refusal in the protocol's words.
fn reason(error: &Error) -> String {
    match error.code() {
        ErrorCode::OverQuota => "quota exceeded".to_owned(),
        ErrorCode::Unauthenticated => "not authenticated".to_owned(),
        ErrorCode::Invalid
        | ErrorCode::Denied
        | ErrorCode::NotFound
        | ErrorCode::Exists
        | ErrorCode::NotEmpty
        | ErrorCode::Locked
        | ErrorCode::Stale
        | ErrorCode::TooLarge
        | ErrorCode::Limited
        | ErrorCode::Unsupported
        | ErrorCode::Unavailable
        | ErrorCode::Corrupt
        | ErrorCode::Cancelled
        | ErrorCode::Internal => error.text().to_owned(),
    }
}
