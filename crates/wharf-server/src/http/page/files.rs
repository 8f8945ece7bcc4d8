//! The page's files as they are sent: named, tagged, and compressed once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::Mutex;

use super::graph;

/// What the program carries: empty in development builds.
const CARRIED: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/page.rs"));
/// Where development builds find the files.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
/// The module that starts the page.
const MAIN: &str = "main.js";
/// The folder of the view that is shown where the address says nothing.
const FIRST_VIEW: &str = "conversations";
/// What the page asks for first where somebody has a session.
const FIRST_ANSWERS: [&str; 2] = ["/api/v1/account", "/api/v1/server"];
/// The sheet that is made of all style sheets.
const SHEET: &str = "all.css";
/// Style sheets come in this order, each folder's by name: what is later may build on what is before.
const SHEET_FOLDERS: [&str; 4] = ["style/", "parts/", "shell/", "views/"];
/// What is for people and tools, and not served.
const KEPT_BACK: [&str; 3] = [".md", ".d.ts", "SUMS"];
/// What compressing such a small file saves is less than what saying so costs.
const COMPRESSED_BYTES_MIN: usize = 200;

/// The page's files, made when somebody first asks for them.
#[derive(Default)]
pub(in crate::http) struct Page {
    made: Mutex<Option<(Option<SystemTime>, Arc<Files>)>>,
}

/// The files at one time.
pub(super) struct Files {
    hash: String,
    by_path: BTreeMap<String, File>,
    shell: File,
    /// The shells that name the modules of a view as well, by the first part of its addresses.
    shells: BTreeMap<String, File>,
    worker: File,
    manifest: File,
}

/// One file.
pub(super) struct File {
    pub(super) bytes: Bytes,
    /// The same, compressed, where that is shorter.
    pub(super) gzip: Option<Bytes>,
    pub(super) media: &'static str,
    /// Its strong `ETag`.
    pub(super) tag: String,
}

impl Page {
    /// The files; in development builds those that are in the folder now.
    pub(super) async fn files(&self) -> io::Result<Arc<Files>> {
        let changed = if CARRIED.is_empty() {
            Some(last_change(Path::new(FOLDER))?)
        } else {
            None
        };
        if let Some((at, files)) = &*self.made.lock()
            && *at == changed
        {
            return Ok(Arc::clone(files));
        }
        let made = tokio::task::spawn_blocking(|| Files::make(sources()?))
            .await
            .map_err(io::Error::other)??;
        let made = Arc::new(made);
        *self.made.lock() = Some((changed, Arc::clone(&made)));
        Ok(made)
    }
}

impl Files {
    fn make(mut sources: BTreeMap<String, Bytes>) -> io::Result<Self> {
        let shell = take(&mut sources, "index.html")?;
        let worker = take(&mut sources, "sw.js")?;
        let manifest = take(&mut sources, "manifest.webmanifest")?;
        sources.insert(SHEET.to_owned(), Bytes::from(sheet(&sources)));
        let mut context = Context::new(&SHA256);
        for (path, bytes) in &sources {
            context.update(path.as_bytes());
            context.update(&[0]);
            context.update(&bytes.len().to_le_bytes());
            context.update(bytes);
        }
        context.update(shell.as_bytes());
        context.update(worker.as_bytes());
        let hash = HEXLOWER
            .encode(context.finish().as_ref())
            .split_at(16)
            .0
            .to_owned();
        let base = format!("/a/{hash}");
        let text = |path: &str| {
            sources
                .get(path)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
        };
        let start = graph::needed(MAIN, text);
        let link = |path: &String| format!("<link rel=\"modulepreload\" href=\"{base}/{path}\">");
        let shell_with = |modules: &BTreeSet<String>, answers: &[&str]| {
            // As `fetch` asks for them, so that it takes the answer that is there.
            let answer = |route: &&str| {
                format!("<link rel=\"preload\" as=\"fetch\" crossorigin href=\"{route}\">")
            };
            let links = answers.iter().map(answer).chain(modules.iter().map(link));
            let preload = links.collect::<Vec<_>>().join("\n");
            let text = shell
                .replace("{{base}}", &base)
                .replace("{{preload}}", &preload);
            File::new("index.html", text.into())
        };
        let shells = views(&sources)
            .into_iter()
            .map(|(route, module)| {
                let modules = &start | &graph::needed(&module, text);
                (route, shell_with(&modules, &FIRST_ANSWERS))
            })
            .collect();
        let shell = shell_with(&start, &[]);
        let manifest = manifest.replace("{{base}}", &base);
        let paths: Vec<String> = sources
            .keys()
            .map(|path| format!("{base}/{path}"))
            .collect();
        let listing = serde_json::json!({ "hash": hash, "files": paths });
        let worker = format!("self.PAGE = {listing};\n{worker}");
        Ok(Self {
            by_path: sources
                .into_iter()
                .map(|(path, bytes)| {
                    let file = File::new(&path, bytes);
                    (path, file)
                })
                .collect(),
            shell,
            shells,
            worker: File::new("sw.js", worker.into()),
            manifest: File::new("manifest.webmanifest", manifest.into()),
            hash,
        })
    }

    /// What their addresses begin with changes whenever any of them does.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.by_path.get(path)
    }

    /// The shell for addresses that begin with `route`, or for somebody who has to log in first.
    pub(super) fn shell(&self, route: Option<&str>) -> &File {
        route
            .and_then(|route| self.shells.get(route))
            .unwrap_or(&self.shell)
    }

    pub(super) fn worker(&self) -> &File {
        &self.worker
    }

    pub(super) fn manifest(&self) -> &File {
        &self.manifest
    }
}

impl File {
    fn new(path: &str, bytes: Bytes) -> Self {
        let media = media(path);
        let is_text = !media.starts_with("image/png") && !media.starts_with("font/");
        let gzip = (is_text && bytes.len() >= COMPRESSED_BYTES_MIN)
            .then(|| compress(&bytes).ok())
            .flatten()
            .filter(|gzip| gzip.len() < bytes.len());
        let digest = aws_lc_rs::digest::digest(&SHA256, &bytes);
        let tag = format!("\"{}\"", HEXLOWER.encode(digest.as_ref()).split_at(32).0);
        Self {
            bytes,
            gzip,
            media,
            tag,
        }
    }
}

/// The files that make the page, by path; texts for people and tools are left out.
fn sources() -> io::Result<BTreeMap<String, Bytes>> {
    let mut sources = BTreeMap::new();
    for (path, bytes) in CARRIED {
        sources.insert((*path).to_owned(), Bytes::from_static(bytes));
    }
    if sources.is_empty() {
        let folder = Path::new(FOLDER);
        walk(folder, &mut |path, _| {
            let name = path.strip_prefix(folder).map_err(io::Error::other)?;
            sources.insert(
                name.to_string_lossy().into_owned(),
                Bytes::from(std::fs::read(path)?),
            );
            Ok(())
        })?;
    }
    sources.retain(|path, _| !KEPT_BACK.iter().any(|ending| path.ends_with(ending)));
    Ok(sources)
}

/// The module of each view by the first part of its addresses, as the view's folder says it; the view at the address without any is [`FIRST_VIEW`].
fn views(sources: &BTreeMap<String, Bytes>) -> BTreeMap<String, String> {
    let mut views = BTreeMap::new();
    for (path, bytes) in sources {
        let Some(folder) = path
            .strip_prefix("views/")
            .and_then(|path| path.strip_suffix("/index.js"))
        else {
            continue;
        };
        let route = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.split_once("route: '")?.1.split_once('\''));
        let module = format!("views/{folder}/view.js");
        if let Some((route, _)) = route
            && sources.contains_key(&module)
        {
            if folder == FIRST_VIEW {
                views.insert(String::new(), module.clone());
            }
            views.insert(route.to_owned(), module);
        }
    }
    views
}

/// The last time that something in the folder changed.
fn last_change(folder: &Path) -> io::Result<SystemTime> {
    let mut last = SystemTime::UNIX_EPOCH;
    walk(folder, &mut |_, changed| {
        last = last.max(changed);
        Ok(())
    })?;
    Ok(last)
}

/// Calls `visit` with each file and the time of its last change.
fn walk(
    folder: &Path,
    visit: &mut impl FnMut(&Path, SystemTime) -> io::Result<()>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            walk(&entry.path(), visit)?;
        } else {
            visit(&entry.path(), metadata.modified()?)?;
        }
    }
    Ok(())
}

/// All style sheets in one.
fn sheet(sources: &BTreeMap<String, Bytes>) -> Vec<u8> {
    let is_sheet = |path: &str| {
        path.rsplit_once('.')
            .is_some_and(|(_, ending)| ending == "css")
    };
    let mut sheet = Vec::new();
    for folder in SHEET_FOLDERS {
        for (path, bytes) in sources {
            if path.starts_with(folder) && is_sheet(path) {
                sheet.extend_from_slice(bytes);
                sheet.push(b'\n');
            }
        }
    }
    sheet
}

fn take(sources: &mut BTreeMap<String, Bytes>, path: &str) -> io::Result<String> {
    let bytes = sources
        .remove(path)
        .ok_or_else(|| io::Error::other(format!("{path} is missing")))?;
    String::from_utf8(bytes.into()).map_err(io::Error::other)
}

fn compress(bytes: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "text/plain; charset=utf-8",
    }
}
