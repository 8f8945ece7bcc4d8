//! Uploads: whole files and pieces, which become a file when all has come.

use bytes::Bytes;
use wharf_core::transfer::{Assembly, OpenAssembly, PieceWriter};
use wharf_core::{Caller, Error};
use wharf_types::api::drive::{At, Expect, NodeKind, Op};
use wharf_wire::gateway::netdisk::{Generation, Map, Request, Value};

use super::map::{
    self, Answer, CHUNK_BYTES, NEED_UPLOAD, REFUSED, Refusal, done, mtime_ns, node_number, number,
    text,
};
use super::session::{Body, NetdiskSession, ROOM, is_missing, reply};
use crate::gateway::protocol::Step;

/// A piece that is coming.
pub(super) struct Piece {
    request: Request,
    caller: Caller,
    number: u64,
    writer: Box<PieceWriter>,
}

impl Piece {
    /// Keeps what came of a piece that broke off.
    pub(super) async fn keep(self) -> Result<(), Error> {
        self.writer.finish().await
    }
}

impl NetdiskSession {
    /// Announces a file. Its content is taken from the person's own drive where that has it: "lightning".
    pub(super) async fn upload_file(&self, request: &Request) -> Answer {
        let (path, name) = (text(request, "path")?, text(request, "filename")?);
        let (bytes, mtime) = (number(request, "size")?, number(request, "mtime")?);
        number(request, "queueid")?;
        let md5 = map::md5(request)?;
        let caller = self.caller(request).await?;
        let folder = self.folder(&caller).await?;
        if name.is_empty() || name.contains('/') {
            return Err(Refusal::new(REFUSED, "this is no name of a file"));
        }
        let open = OpenAssembly {
            path: format!("{folder}/{path}/{name}"),
            bytes,
            mtime_ns: i64::try_from(mtime).ok().map(mtime_ns),
            md5: Some(md5),
        };
        let found = self.lightning(&caller, &open, md5).await;
        if let Some(node) = found.map_err(|error| Refusal::transfer(&error))? {
            return Ok(with_number(done("lightning transfer success"), node));
        }
        let transfers = self.wharf.transfers();
        let assembly = transfers.open_assembly(&caller, ROOM, open).await;
        let assembly = assembly.map_err(|error| Refusal::transfer(&error))?;
        if assembly.is_whole() {
            let node = transfers.finish_assembly(&caller, assembly.number).await;
            let node = node.map_err(|error| Refusal::transfer(&error))?;
            let fields = done("lightning transfer success");
            return Ok(with_number(fields, node_number(node.id)));
        }
        let mut fields = with_number(done("need to upload"), assembly.number);
        fields.insert("error".to_owned(), NEED_UPLOAD.into());
        Ok(fields)
    }

    /// Puts a file whose content another file of the person has, and returns its number.
    async fn lightning(
        &self,
        caller: &Caller,
        open: &OpenAssembly,
        md5: [u8; 16],
    ) -> Result<Option<u64>, Error> {
        let found = self
            .wharf
            .transfers()
            .find_by_md5(caller, ROOM, md5)
            .await?;
        let Some(node) = found else {
            return Ok(None);
        };
        let drive = self.wharf.drive();
        let manifest = match drive.manifest(caller, ROOM, At::Id(node), None).await {
            Ok(manifest) if manifest.bytes == open.bytes => manifest.manifest,
            Ok(_) => return Ok(None),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let put = Op::Put {
            path: open.path.clone(),
            manifest,
            mtime_ns: open.mtime_ns,
            executable: false,
            link: false,
            expect: Expect::Any,
        };
        let put = drive.apply_once(caller, ROOM, put).await?;
        Ok(Some(node_number(put.id)))
    }

    /// A request after which a piece comes. Whatever is wrong with it, its body is read.
    pub(super) async fn begin_piece(&mut self, request: Request) -> Step {
        self.body = match self.open_piece(&request).await {
            Ok(Opening::Piece(caller, number, writer)) => Body::Piece(Box::new(Piece {
                request,
                caller,
                number,
                writer,
            })),
            Ok(Opening::There(fields)) => Body::Drop(reply(&request, Ok(fields))),
            Err(refusal) => Body::Drop(reply(&request, Err(refusal))),
        };
        Step::none()
    }

    async fn open_piece(&self, request: &Request) -> Result<Opening, Refusal> {
        let (offset, bytes) = match request.generation {
            Generation::Line => {
                number(request, "queueid")?;
                number(request, "chunkid")?;
                (number(request, "offset")?, number(request, "chunksize")?)
            }
            Generation::Json if request.fields.contains_key("offset") => {
                (number(request, "offset")?, number(request, "chunksize")?)
            }
            Generation::Json => (0, number(request, "size")?),
        };
        let caller = self.caller(request).await?;
        let assembly = match request.generation {
            Generation::Line => {
                let vfile = number(request, "vfile_id")?;
                self.folder(&caller).await?;
                let found = self.wharf.transfers().assembly(&caller, vfile).await;
                found.map_err(|error| Refusal::transfer(&error))?
            }
            Generation::Json => self.named(request, &caller).await?,
        };
        let range = offset..offset.saturating_add(bytes);
        let is_there = bytes > 0 && range.end <= assembly.bytes;
        if is_there && assembly.gaps(range.clone()).is_empty() {
            let node = self.finished(&caller, &assembly).await?;
            let mut fields = done("this chunk has been uploaded");
            if request.generation == Generation::Json {
                fields = progress(fields, &assembly, node);
            }
            return Ok(Opening::There(fields));
        }
        let transfers = self.wharf.transfers();
        let writer = transfers.write_piece(&caller, &assembly, range);
        let writer = writer.map_err(|error| Refusal::transfer(&error))?;
        Ok(Opening::Piece(caller, assembly.number, Box::new(writer)))
    }

    /// The upload of a request that names its file.
    async fn named(&self, request: &Request, caller: &Caller) -> Result<Assembly, Refusal> {
        let name = text(request, "filename")?;
        let total = ["total", "size"]
            .into_iter()
            .find(|key| request.fields.contains_key(*key));
        let bytes = number(request, total.unwrap_or("size"))?;
        let folder = self.any_folder(caller).await?;
        let place = self.place(request, caller, &folder).await?;
        let mtime = request.fields.get("mtime").and_then(Value::as_i64);
        let has_md5 = request.fields.contains_key("md5");
        let md5 = has_md5.then(|| map::md5(request)).transpose()?;
        let open = OpenAssembly {
            path: format!("{place}/{name}"),
            bytes,
            mtime_ns: mtime.map(mtime_ns),
            md5,
        };
        let opened = self.wharf.transfers().open_assembly(caller, ROOM, open);
        opened.await.map_err(|error| Refusal::transfer(&error))
    }

    /// The folder of a request that may name one by its path or number.
    async fn place(
        &self,
        request: &Request,
        caller: &Caller,
        folder: &str,
    ) -> Result<String, Refusal> {
        if let Some(path) = request.fields.get("path").and_then(Value::as_str) {
            return Ok(format!("{folder}/{path}"));
        }
        if !request.fields.contains_key("dir_id") {
            return Ok(folder.to_owned());
        }
        let wanted = number(request, "dir_id")?;
        let found = self
            .by_number(caller, folder, wanted, NodeKind::Folder)
            .await?;
        found.ok_or_else(|| Refusal::new(REFUSED, "there is no such directory"))
    }

    /// Takes the next bytes of a piece, and answers at its end.
    pub(super) async fn piece(
        &mut self,
        mut piece: Box<Piece>,
        bytes: Bytes,
        is_last: bool,
    ) -> Step {
        if let Err(error) = piece.writer.push(bytes).await {
            let refused = reply(&piece.request, Err(Refusal::transfer(&error)));
            if is_last {
                return refused;
            }
            self.body = Body::Drop(refused);
            return Step::none();
        }
        if !is_last {
            self.body = Body::Piece(piece);
            return Step::none();
        }
        let Piece {
            request,
            caller,
            number,
            writer,
        } = *piece;
        let answer = match writer.finish().await {
            Ok(()) => self.uploaded(&request, &caller, number).await,
            Err(error) => Err(Refusal::transfer(&error)),
        };
        reply(&request, answer)
    }

    async fn uploaded(&self, request: &Request, caller: &Caller, number: u64) -> Answer {
        let assembly = self.wharf.transfers().assembly(caller, number).await;
        let assembly = assembly.map_err(|error| Refusal::transfer(&error))?;
        let node = self.finished(caller, &assembly).await?;
        let fields = done("upload success");
        Ok(match request.generation {
            Generation::Line => fields,
            Generation::Json => progress(fields, &assembly, node),
        })
    }

    /// Puts the file, once all of it has come, and returns its number.
    async fn finished(&self, caller: &Caller, assembly: &Assembly) -> Result<Option<u64>, Refusal> {
        if !assembly.is_whole() {
            return Ok(None);
        }
        let finished = self.wharf.transfers();
        let finished = finished.finish_assembly(caller, assembly.number).await;
        match finished {
            Ok(node) => Ok(Some(node_number(node.id))),
            // It was put, and removed or moved since.
            Err(error) if assembly.has_ended && is_missing(&error) => Ok(None),
            Err(error) => Err(Refusal::transfer(&error)),
        }
    }
}

enum Opening {
    Piece(Caller, u64, Box<PieceWriter>),
    There(Map<String, Value>),
}

fn with_number(mut fields: Map<String, Value>, number: u64) -> Map<String, Value> {
    fields.insert("vfile_id".to_owned(), number.into());
    fields
}

/// What has come of a file: stretches, none across the edges of the chunks that clients cut it into.
fn progress(
    fields: Map<String, Value>,
    assembly: &Assembly,
    node: Option<u64>,
) -> Map<String, Value> {
    let mut chunks = Vec::new();
    let mut add = |from: u64, until: u64, is_done: bool| {
        if from < until {
            let size = until - from;
            chunks.push(serde_json::json!({ "offset": from, "size": size, "done": is_done }));
        }
    };
    let mut offset = 0;
    while offset < assembly.bytes {
        let end = (offset + CHUNK_BYTES).min(assembly.bytes);
        for gap in assembly.gaps(offset..end) {
            add(offset, gap.start, true);
            add(gap.start, gap.end, false);
            offset = gap.end;
        }
        add(offset, end, true);
        offset = end;
    }
    let mut fields = with_number(fields, node.unwrap_or(assembly.number));
    fields.insert("chunks".to_owned(), chunks.into());
    fields
}
