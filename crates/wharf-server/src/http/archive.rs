//! Several nodes of a drive as one archive, made while it is sent.
//!
//! What is in it and how long it is are settled before the first byte: one state of the drive, each file at its revision.
//! So a browser shows how far it is, and an archive that cannot be ended as announced breaks off, never ends early.
//! Memory is bounded by a batch of content and by what is known of each entry.

#![expect(
    unused_qualifications,
    reason = "utoipa names the types in `params` by more than they need"
)]

use std::collections::VecDeque;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::drive::{Gathered, GatheredNode, RoomRef};
use wharf_core::transfer::ContentReader;
use wharf_core::{Caller, Error};
use wharf_types::NodeId;
use wharf_types::api::drive::{At, NodeKind};
use wharf_wire::zip::{self, Entry, Kind, Names, Writer};

use super::Http;
use super::body;
use super::content::media;
use super::error::{Answer, Refusal};
use super::extract::{By, Query, Room};
use super::openapi::Binary;
use super::problems::{Any, CanBeInvalid, CanBeMissing, CanBeTooLarge, NeedsLogin};
use super::stream::{self, Feed};

/// Small parts are gathered to this before they are sent.
const BATCH_BYTES: usize = 256 * 1024;
/// Memory of one download: a batch being sent, one being made, and the chunks it is made from.
const DOWNLOAD_MEMORY_BYTES: u64 = 4 * wharf_types::limit::CHUNK_BYTES_AVERAGE as u64;
/// About what one entry takes, in the plan and in the archive's directory.
const ENTRY_MEMORY_BYTES: u64 = 400;
/// Longest target of a link that is looked at; longer ones are not links anywhere.
const TARGET_BYTES_MAX: u64 = 4096;
const TITLE: &str = "files";

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new().routes(routes!(archive))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ArchiveQuery {
    /// Ids of files and folders, with commas between them; up to 200.
    ids: Option<String>,
    /// One file or folder, from the root of the drive. All of the drive where neither this nor `ids` is given.
    path: Option<String>,
}

impl ArchiveQuery {
    fn nodes(self) -> Answer<Vec<At>> {
        match (self.ids, self.path) {
            (Some(_), Some(_)) => Err(Refusal::invalid("give path or ids, not both")),
            (None, path) => Ok(vec![At::Path(path.unwrap_or_default())]),
            (Some(ids), None) => ids
                .split(',')
                .map(|id| id.trim().parse::<NodeId>().map(At::Id))
                .collect::<Result<_, _>>()
                .map_err(|_| Refusal::invalid("ids must be ids with commas between them")),
        }
    }
}

/// Files and folders as one archive
///
/// In the ZIP format, with everything below the folders, not compressed, for a browser to save. The length is announced;
/// a file that cannot be read breaks the connection, so what ends well is whole.
#[utoipa::path(get, path = "/rooms/{room}/drive/archive", tag = "content", params(Room, ArchiveQuery),
    responses((status = 200, description = "The archive.", body = inline(Binary), content_type = "application/zip"),
    NeedsLogin, CanBeInvalid, CanBeMissing, CanBeTooLarge, Any))]
async fn archive(
    State(http): State<Http>,
    By(caller): By,
    Room(room): Room,
    Query(query): Query<ArchiveQuery>,
    request: Request,
) -> Answer<Response> {
    let Gathered { title, items } = http
        .wharf()
        .drive()
        .gather(&caller, room, query.nodes()?)
        .await?;
    let plan_bytes = items.len() as u64 * ENTRY_MEMORY_BYTES;
    let memory = http
        .downloads()
        .admit(DOWNLOAD_MEMORY_BYTES + plan_bytes)
        .await?;
    let archive = Archive::plan(http.clone(), caller, room, items).await?;
    let described = described(title.as_deref().unwrap_or(TITLE), archive.bytes)?;
    if request.method() == Method::HEAD {
        return Ok((StatusCode::OK, described).into_response());
    }
    let bytes = archive.bytes;
    let mut reader = archive.read();
    // What fails at once is refused in words.
    let first = reader.next().await?.unwrap_or_default();
    let is_all = first.len() as u64 == bytes;
    let (feed, body) = stream::fed(Some(bytes), vec![first], memory);
    if !is_all {
        http.work().spawn(send(reader, feed));
    }
    Ok((StatusCode::OK, described, body).into_response())
}

fn described(title: &str, bytes: u64) -> Answer<HeaderMap> {
    let title: String = title
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    let disposition = media::disposition(&format!("{title}.zip"), media::UNKNOWN);
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::try_from(disposition).map_err(body::fault)?,
    );
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(CONTENT_LENGTH, bytes.into());
    Ok(headers)
}

/// Feeds an answer with an archive.
async fn send(mut reader: Reader, feed: Feed) {
    loop {
        match reader.next().await {
            Ok(None) => return,
            Ok(Some(bytes)) => {
                if !feed.send(vec![bytes]).await {
                    return;
                }
            }
            Err(error) => return feed.fail(error).await,
        }
    }
}

/// An archive that is settled and not begun.
struct Archive {
    source: Source,
    planned: VecDeque<Planned>,
    bytes: u64,
}

/// Where its content comes from.
struct Source {
    http: Http,
    caller: Caller,
    room: RoomRef,
}

/// An entry, and the node whose content it gets.
struct Planned {
    entry: Entry,
    node: NodeId,
    revision: u64,
}

/// An archive that is being made.
struct Reader {
    source: Source,
    planned: VecDeque<Planned>,
    /// The content of the entry that is open.
    content: Option<ContentReader>,
    /// `None` once the directory is written.
    writer: Option<Writer>,
}

impl Archive {
    async fn plan(
        http: Http,
        caller: Caller,
        room: RoomRef,
        items: Vec<GatheredNode>,
    ) -> Answer<Self> {
        let source = Source { http, caller, room };
        let now_s = source.http.wharf().clock().now_ms().div_euclid(1000);
        let mut names = Names::default();
        let mut planned = VecDeque::with_capacity(items.len());
        let mut bytes = zip::Length::default();
        for item in items {
            let is_folder = item.kind == NodeKind::Folder;
            let path = names.place(item.depth, &item.name, is_folder);
            if path.len() > zip::PATH_BYTES_MAX {
                return Err(Refusal::invalid("a path is too long for an archive"));
            }
            let entry = Entry {
                kind: source.kind_of(&item, &path).await?,
                path,
                bytes: item.bytes,
                mtime_s: item
                    .mtime_ns
                    .map_or(now_s, |nanos| nanos.div_euclid(1_000_000_000)),
            };
            bytes.add(&entry);
            planned.push_back(Planned {
                entry,
                node: item.id,
                revision: item.revision,
            });
        }
        Ok(Self {
            source,
            planned,
            bytes: bytes.total(),
        })
    }

    fn read(self) -> Reader {
        Reader {
            source: self.source,
            planned: self.planned,
            content: None,
            writer: Some(Writer::default()),
        }
    }
}

impl Source {
    /// What the node becomes. A link that leads out of the archive becomes a file with its target.
    async fn kind_of(&self, item: &GatheredNode, path: &str) -> Answer<Kind> {
        Ok(match item.kind {
            NodeKind::Folder => Kind::Folder,
            NodeKind::File if item.executable => Kind::Program,
            NodeKind::File => Kind::File,
            NodeKind::Link if item.bytes > TARGET_BYTES_MAX => Kind::File,
            NodeKind::Link => {
                let mut reader = self.open(item.id, item.revision).await?;
                let mut target = Vec::new();
                while let Some(bytes) = reader.next().await? {
                    target.extend_from_slice(&bytes);
                }
                match std::str::from_utf8(&target) {
                    Ok(target) if zip::stays_within(path, target) => Kind::Link,
                    Ok(_) | Err(_) => Kind::File,
                }
            }
        })
    }

    async fn open(&self, node: NodeId, revision: u64) -> Result<ContentReader, Error> {
        let content = self
            .http
            .wharf()
            .transfers()
            .content(&self.caller, self.room, At::Id(node), Some(revision))
            .await?;
        Ok(content.read(0..content.bytes))
    }
}

impl Reader {
    /// The next bytes, or `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let mut out = Vec::new();
        while out.len() < BATCH_BYTES {
            let Some(writer) = &mut self.writer else {
                break;
            };
            if let Some(content) = &mut self.content {
                if let Some(bytes) = content.next().await? {
                    writer.push(&bytes, &mut out).map_err(wrong_length)?;
                } else {
                    writer.end(&mut out).map_err(wrong_length)?;
                    self.content = None;
                }
            } else if let Some(Planned {
                entry,
                node,
                revision,
            }) = self.planned.pop_front()
            {
                let is_empty = entry.bytes == 0;
                out.extend(writer.begin(entry));
                if is_empty {
                    writer.end(&mut out).map_err(wrong_length)?;
                } else {
                    self.content = Some(self.source.open(node, revision).await?);
                }
            } else if let Some(writer) = self.writer.take() {
                out.extend(writer.finish());
            }
        }
        Ok((!out.is_empty()).then(|| Bytes::from(out)))
    }
}

fn wrong_length(error: zip::WrongLength) -> Error {
    Error::internal("a file has another length than its node says").because(error)
}
