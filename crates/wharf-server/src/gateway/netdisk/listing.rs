//! What is in a directory, and its folders made and removed.

use std::collections::HashMap;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::time::timeout;
use wharf_core::drive::{Manifests, Page};
use wharf_core::{Caller, Error};
use wharf_types::NodeId;
use wharf_types::api::drive::{At, Expect, NodeKind, Op, TreeEntry};
use wharf_wire::gateway::netdisk::{Map, Request, Value};

use super::map::{
    Answer, FAILED, REFUSED, Refusal, directory_text, done, mtime_seconds, node_number, text,
};
use super::session::{NetdiskSession, ROOM, is_missing};

/// How long a list waits for the MD5s of files that came through other doors: clients wait for ten seconds.
const MD5_WAIT: Duration = Duration::from_secs(6);

impl NetdiskSession {
    /// Nothing is answered while the MD5s of some files are being made: a list without them would tell the client that
    /// these files are gone. It asks again after a while.
    pub(super) async fn getdir(&self, request: &Request) -> Option<Answer> {
        let caller = match self.caller(request).await {
            Ok(caller) => caller,
            Err(refusal) => return Some(Err(refusal)),
        };
        let folder = match self.folder(&caller).await {
            Ok(folder) => folder,
            Err(refusal) => return Some(Err(refusal)),
        };
        match self.listed(&caller, folder).await {
            Ok(Some((tree, md5s))) => Some(Ok(directory(&tree, &md5s))),
            Ok(None) => None,
            Err(error) => Some(Err(Refusal::failed(&error))),
        }
    }

    pub(super) async fn dirinfo(&self, request: &Request) -> Answer {
        let caller = self.caller(request).await?;
        let folder = self.any_folder(&caller).await?;
        let listed = self.listed(&caller, folder.clone()).await;
        let listed = listed.map_err(|error| Refusal::failed(&error))?;
        let Some((tree, md5s)) = listed else {
            return Err(Refusal::new(FAILED, "files are being read: ask again"));
        };
        let drive = self.wharf.drive();
        let root = match drive.node(&caller, ROOM, At::Path(folder)).await {
            Ok(node) => node_number(node.id),
            Err(error) if is_missing(&error) => 0,
            Err(error) => return Err(Refusal::failed(&error)),
        };
        Ok(dirinfo(root, &tree, &md5s))
    }

    /// Everything in a folder, and the MD5s of its files. Nothing while some of these are being made.
    async fn listed(
        &self,
        caller: &Caller,
        folder: String,
    ) -> Result<Option<(Vec<TreeEntry>, HashMap<NodeId, [u8; 16]>)>, Error> {
        let tree = self.tree(caller, folder).await?;
        let transfers = self.wharf.transfers();
        let known = transfers.md5s(caller, ROOM).await?;
        let unknown: Vec<NodeId> = tree
            .iter()
            .filter(|entry| entry.kind == NodeKind::File && !known.contains_key(&entry.id))
            .map(|entry| entry.id)
            .collect();
        if unknown.is_empty() {
            return Ok(Some((tree, known)));
        }
        // It goes on when nobody waits any more: a large file takes its time once.
        let (transfers, by) = (transfers.clone(), *caller);
        let making = tokio::spawn(async move { transfers.make_md5s(&by, ROOM, unknown).await });
        match timeout(MD5_WAIT, making).await {
            Err(_) => return Ok(None),
            Ok(Err(error)) => tracing::warn!(%error, "the making of MD5s broke off"),
            Ok(Ok(made)) => made?,
        }
        let known = self.wharf.transfers().md5s(caller, ROOM).await?;
        Ok(Some((tree, known)))
    }

    pub(super) async fn tree(
        &self,
        caller: &Caller,
        folder: String,
    ) -> Result<Vec<TreeEntry>, Error> {
        let mut entries = Vec::new();
        let mut page = Page::default();
        loop {
            let at = At::Path(folder.clone());
            let drive = self.wharf.drive();
            let tree = drive.tree(caller, ROOM, at, page, Manifests::Omit).await;
            let tree = match tree {
                Err(error) if is_missing(&error) => return Ok(entries),
                tree => tree?,
            };
            entries.extend(tree.items);
            if tree.next.is_none() {
                return Ok(entries);
            }
            page = Page {
                after: tree.next,
                limit: None,
            };
        }
    }

    pub(super) async fn create_directory(&self, request: &Request) -> Answer {
        let (caller, path) = self.directory(request).await?;
        let at = At::Path(path.clone());
        match self.wharf.drive().node(&caller, ROOM, at).await {
            Ok(node) if node.kind == NodeKind::Folder => {
                return Ok(done("dir has been created"));
            }
            Ok(_) => return Err(Refusal::new(REFUSED, "a file has this name")),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(Refusal::failed(&error)),
        }
        let make = Op::MakeFolder {
            path,
            expect: Expect::Any,
        };
        self.apply(&caller, make).await?;
        Ok(done("create dir success"))
    }

    pub(super) async fn delete_directory(&self, request: &Request) -> Answer {
        let (caller, path) = self.directory(request).await?;
        let at = At::Path(path);
        match self.wharf.drive().node(&caller, ROOM, at.clone()).await {
            Ok(node) if node.kind == NodeKind::Folder => {}
            Ok(_) => return Ok(done("dir has been deleted")),
            Err(error) if is_missing(&error) => return Ok(done("dir has been deleted")),
            Err(error) => return Err(Refusal::failed(&error)),
        }
        let expect = Expect::Any;
        self.apply(&caller, Op::Remove { at, expect }).await?;
        Ok(done("delete dir success"))
    }

    pub(super) async fn delete_file(&self, request: &Request) -> Answer {
        let (path, name) = (text(request, "path")?, text(request, "filename")?);
        let caller = self.caller(request).await?;
        let folder = format!("{}/{path}", self.folder(&caller).await?);
        let drive = self.wharf.drive();
        if drive
            .node(&caller, ROOM, At::Path(folder.clone()))
            .await
            .is_err()
        {
            return Err(Refusal::new(FAILED, "parent dir not exist"));
        }
        let at = At::Path(format!("{folder}/{name}"));
        match drive.node(&caller, ROOM, at.clone()).await {
            Ok(node) if node.kind == NodeKind::File => {}
            _ => {
                let text = "file already has been deleted, delete failed";
                return Err(Refusal::new(FAILED, text));
            }
        }
        let expect = Expect::Any;
        self.apply(&caller, Op::Remove { at, expect }).await?;
        Ok(done("delete file success"))
    }

    /// Who asks, and the folder that a request is about.
    async fn directory(&self, request: &Request) -> Result<(Caller, String), Refusal> {
        let (prefix, name) = (text(request, "prefix")?, text(request, "dirname")?);
        let caller = self.caller(request).await?;
        let folder = self.folder(&caller).await?;
        Ok((caller, format!("{folder}/{prefix}/{name}")))
    }

    pub(super) async fn apply(&self, caller: &Caller, op: Op) -> Result<(), Refusal> {
        let applied = self.wharf.drive().apply_once(caller, ROOM, op).await;
        applied.map_err(|error| Refusal::failed(&error))?;
        Ok(())
    }
}

/// Files with their MD5s. Those that cannot be read have none.
fn listable<'a>(
    tree: &'a [TreeEntry],
    md5s: &'a HashMap<NodeId, [u8; 16]>,
) -> impl Iterator<Item = (&'a TreeEntry, String)> {
    let files = tree.iter().filter(|entry| entry.kind == NodeKind::File);
    files.filter_map(|entry| Some((entry, HEXLOWER.encode(md5s.get(&entry.id)?))))
}

fn directory(tree: &[TreeEntry], md5s: &HashMap<NodeId, [u8; 16]>) -> Map<String, Value> {
    // The finished program falls over files without bytes.
    let files: Vec<Value> = listable(tree, md5s)
        .filter(|(entry, _)| entry.bytes > 0)
        .map(|(entry, md5)| {
            let (folder, name) = split(&entry.path);
            serde_json::json!({
                "filename": name,
                "md5": md5,
                "mtime": mtime_seconds(entry.mtime_ns),
                "path": directory_text(folder),
                "size": entry.bytes,
            })
        })
        .collect();
    let list = if files.is_empty() {
        Value::Null
    } else {
        Value::Array(files)
    };
    let mut fields = done("get server file_dir success");
    fields.insert("dir_list".to_owned(), list);
    fields
}

fn dirinfo(root: u64, tree: &[TreeEntry], md5s: &HashMap<NodeId, [u8; 16]>) -> Map<String, Value> {
    let mut numbers = HashMap::from([("", root)]);
    let mut dirs = vec![serde_json::json!({ "dir_id": root, "dir_path": "//" })];
    for entry in tree.iter().filter(|entry| entry.kind == NodeKind::Folder) {
        let number = node_number(entry.id);
        numbers.insert(&entry.path, number);
        let path = directory_text(&entry.path);
        dirs.push(serde_json::json!({ "dir_id": number, "dir_path": path }));
    }
    let files: Vec<Value> = listable(tree, md5s)
        .map(|(entry, md5)| {
            let (folder, name) = split(&entry.path);
            serde_json::json!({
                "vfile_id": node_number(entry.id),
                "vfile_dir_id": numbers.get(folder).copied().unwrap_or(root),
                "vfile_name": name,
                "vfile_size": entry.bytes,
                "vfile_md5": md5,
                "vfile_server_mtime": mtime_seconds(entry.mtime_ns),
            })
        })
        .collect();
    let mut fields = done("get dirinfo success");
    fields.insert("dirs".to_owned(), dirs.into());
    fields.insert("files".to_owned(), files.into());
    fields
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
