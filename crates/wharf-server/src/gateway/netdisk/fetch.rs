//! Downloads, of whole files or stretches of them.

use bytes::Bytes;
use wharf_core::Caller;
use wharf_core::transfer::Content;
use wharf_types::api::drive::{At, NodeKind};
use wharf_wire::gateway::netdisk::{Generation, Map, Request, Value};

use super::map::{self, REFUSED, Refusal, done, node_number, number, optional_number, text};
use super::session::{NetdiskSession, Opened, ROOM, is_missing, reply};
use crate::gateway::protocol::{Out, Step};

impl NetdiskSession {
    pub(super) async fn download(&mut self, request: &Request) -> Step {
        let found = match request.generation {
            Generation::Line => self.by_md5(request).await,
            Generation::Json => self.by_name(request).await,
        };
        let (content, offset, bytes) = match found {
            Ok(found) => found,
            Err(refusal) => return reply(request, Err(refusal)),
        };
        let end = offset.saturating_add(bytes);
        if end > content.bytes {
            let refusal = Refusal::new(REFUSED, "the file ends before that");
            return reply(request, Err(refusal));
        }
        let fields = match request.generation {
            Generation::Line => done("download success"),
            Generation::Json => Map::from_iter([("size".to_owned(), Value::from(bytes))]),
        };
        let mut step = reply(request, Ok(fields));
        step.out.push(Out::Content(content.read(offset..end)));
        if request.generation == Generation::Line {
            step.out.push(Out::Bytes(Bytes::from_static(b"\0")));
        }
        step
    }

    /// Finds a file as the finished protocol names it: by its MD5, among the person's own.
    async fn by_md5(&mut self, request: &Request) -> Result<(Content, u64, u64), Refusal> {
        number(request, "queueid")?;
        let (offset, bytes) = (number(request, "offset")?, number(request, "chunksize")?);
        let md5 = map::md5(request)?;
        let caller = self.caller(request).await?;
        self.folder(&caller).await?;
        if let Some(opened) = &self.opened
            && opened.md5 == md5
            && opened.caller.account().ok() == caller.account().ok()
        {
            return Ok((opened.content.clone(), offset, bytes));
        }
        let transfers = self.wharf.transfers();
        let node = transfers.find_by_md5(&caller, ROOM, md5).await;
        let node = node.map_err(|error| Refusal::transfer(&error))?;
        let node = node.ok_or_else(|| Refusal::new(REFUSED, "no such content"))?;
        let content = transfers.content(&caller, ROOM, At::Id(node), None).await;
        let content = content.map_err(|error| Refusal::transfer(&error))?;
        self.opened = Some(Opened {
            md5,
            caller,
            content: content.clone(),
        });
        Ok((content, offset, bytes))
    }

    /// Finds a file as the planned types name it.
    async fn by_name(&self, request: &Request) -> Result<(Content, u64, u64), Refusal> {
        let caller = self.caller(request).await?;
        let folder = self.any_folder(&caller).await?;
        let path = if request.fields.contains_key("vfile_id") {
            let wanted = number(request, "vfile_id")?;
            let found = self
                .by_number(&caller, &folder, wanted, NodeKind::File)
                .await?;
            found.ok_or_else(|| Refusal::new(REFUSED, "file not found"))?
        } else {
            let directory = request.fields.get("path").and_then(Value::as_str);
            let name = text(request, "filename")?;
            format!("{folder}/{}/{name}", directory.unwrap_or_default())
        };
        let transfers = self.wharf.transfers();
        let content = transfers.content(&caller, ROOM, At::Path(path), None).await;
        let content = content.map_err(|error| {
            if is_missing(&error) {
                Refusal::new(REFUSED, "file not found")
            } else {
                Refusal::transfer(&error)
            }
        })?;
        let offset = optional_number(request, "offset")?.unwrap_or(0);
        let rest = content.bytes.saturating_sub(offset);
        let bytes = optional_number(request, "chunksize")?.unwrap_or(rest);
        Ok((content, offset, bytes))
    }

    /// The path of what has this number in a directory's folder.
    pub(super) async fn by_number(
        &self,
        caller: &Caller,
        folder: &str,
        wanted: u64,
        kind: NodeKind,
    ) -> Result<Option<String>, Refusal> {
        let tree = self.tree(caller, folder.to_owned()).await;
        let tree = tree.map_err(|error| Refusal::transfer(&error))?;
        if kind == NodeKind::Folder {
            let at = At::Path(folder.to_owned());
            let root = self.wharf.drive().node(caller, ROOM, at).await;
            if root.is_ok_and(|root| node_number(root.id) == wanted) || wanted == 0 {
                return Ok(Some(folder.to_owned()));
            }
        }
        let found = tree
            .into_iter()
            .find(|entry| entry.kind == kind && node_number(entry.id) == wanted);
        Ok(found.map(|entry| format!("{folder}/{}", entry.path)))
    }
}
