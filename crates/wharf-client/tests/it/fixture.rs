//! A server, a client and two folders.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wharf_client::net::Options;
use wharf_client::transfer::{Get, GetOptions, Put, PutOptions, Report};
use wharf_client::{Api, Error, Progress, Room};
use wharf_testkit::db::Engine;
use wharf_testkit::server::TestServer;
use wharf_types::api::drive::At;

pub(crate) struct Fixture {
    pub(crate) server: TestServer,
    pub(crate) api: Api,
    pub(crate) temp: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::over(TestServer::on(Engine::Sqlite).await).await
    }

    pub(crate) async fn over(server: TestServer) -> Self {
        let api = login(server.address(), &server.operator().token).await;
        Self {
            server,
            api,
            temp: TempDir::new().unwrap(),
        }
    }

    /// A path in the fixture's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Writes a file, with the folders on the way.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn put(&self, source: &str, target: &str) -> Put {
        Put {
            api: self.api.clone(),
            room: Room::Home,
            source: self.path(source),
            target: target.into(),
            options: PutOptions::default(),
        }
    }

    pub(crate) fn get(&self, source: &str, target: &str) -> Get {
        Get {
            api: self.api.clone(),
            room: Room::Home,
            source: At::Path(source.into()),
            target: self.path(target),
            options: GetOptions::default(),
            tag: "tag".into(),
        }
    }
}

/// A client that is patient for as long as a server takes to restart.
pub(crate) async fn login(server: SocketAddr, token: &str) -> Api {
    let mut options = Options::new(format!("http://{server}").parse().unwrap());
    options.patience = Duration::from_secs(20);
    Api::connect(options)
        .await
        .unwrap()
        .with_token(token)
        .unwrap()
}

pub(crate) async fn run_put(put: &Put) -> Result<Report, Error> {
    put.run(&Arc::new(Progress::default()), &CancellationToken::new())
        .await
}

pub(crate) async fn run_get(get: &Get) -> Result<Report, Error> {
    get.run(&Arc::new(Progress::default()), &CancellationToken::new())
        .await
}

/// Bytes that do not compress, different for each seed.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise
}

/// Everything below a folder: path, and content or kind; with times and executable bits.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let mut listing = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let relative = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let stat = fs::symlink_metadata(&path).unwrap();
            let time = (stat.mtime(), stat.mtime_nsec());
            if stat.is_dir() {
                listing.push(format!("{relative}/"));
                folders.push(path);
            } else if stat.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                listing.push(format!("{relative} -> {} {time:?}", target.display()));
            } else {
                let hash = blake3::hash(&fs::read(&path).unwrap());
                listing.push(format!(
                    "{relative} {} {} {time:?}",
                    stat.mode() & 0o100,
                    hash.to_hex()
                ));
            }
        }
    }
    listing.sort();
    listing
}
