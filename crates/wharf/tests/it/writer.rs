//! A client of the API that puts small files one by one and knows what was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio_util::bytes::{Bytes, BytesMut};
use wharf_client::net::Options;
use wharf_client::{Api, ApiError, Room};
use wharf_testkit::program::{OPERATOR, PASSWORD};
use wharf_types::api::account::Login;
use wharf_types::api::drive::{At, Commit, Expect, Op};
use wharf_types::{ChunkHash, CommitId};
use wharf_wire::frame::{Frame, FrameWriter};
use wharf_wire::manifest::{Manifest, ManifestChunk};

/// Opens one connection as a session. `patience` is how long a call goes on trying.
pub(crate) async fn connect(url: &str, token: &str, patience: Duration) -> Api {
    let mut options = Options::new(url.parse().unwrap());
    options.connections = 1;
    options.patience = patience;
    Api::connect(options)
        .await
        .unwrap()
        .with_token(token)
        .unwrap()
}

/// Opens a session of the operator's and returns its token.
pub(crate) async fn log_in(url: &str) -> String {
    let api = Api::connect(Options::new(url.parse().unwrap()))
        .await
        .unwrap();
    let login = Login {
        login: OPERATOR.to_owned(),
        password: PASSWORD.to_owned(),
        device: None,
    };
    api.login(&login).await.unwrap().token
}

/// A file that is about to be put: the same one can be put again, under the same commit id.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
    commit: CommitId,
}

impl NewFile {
    /// A file of one chunk of random bytes.
    pub(crate) fn random(path: String, random: &mut StdRng, bytes_max: usize) -> Self {
        let mut bytes = vec![0; random.random_range(1..bytes_max)];
        random.fill_bytes(&mut bytes);
        Self {
            path,
            bytes: bytes.into(),
            commit: CommitId::new(1, &random.random()),
        }
    }

    /// Its one chunk.
    pub(crate) fn manifest(&self) -> Manifest {
        let chunk = ManifestChunk {
            hash: ChunkHash::of(&self.bytes),
            bytes: u32::try_from(self.bytes.len()).unwrap(),
        };
        Manifest {
            chunks: vec![chunk],
        }
    }

    /// Uploads its chunk and commits it where nothing may be yet.
    pub(crate) async fn put(&self, api: &Api) -> Result<(), ApiError> {
        let mut frames = FrameWriter::default();
        frames.push(&Frame::seal(ChunkHash::of(&self.bytes), self.bytes.clone()));
        api.upload(frames).await?;
        let op = Op::Put {
            path: self.path.clone(),
            manifest: wharf_wire::manifest::to_base64(&self.manifest().pack()),
            mtime_ns: None,
            executable: false,
            link: false,
            expect: Expect::Absent,
        };
        let commit = Commit {
            id: self.commit,
            ops: vec![op],
        };
        api.commit(Room::Home, &commit).await?;
        Ok(())
    }
}

/// Puts a file as a client does that outlives its server: an upload that breaks is sent again; everything else the
/// calls repeat by themselves.
pub(crate) async fn put_through(api: &Api, file: &NewFile) -> Result<(), ApiError> {
    loop {
        match file.put(api).await {
            Err(ApiError::Unreachable { .. }) => {
                // Waits until the server is back, or for the end of the patience.
                api.server().await?;
            }
            ended => return ended,
        }
    }
}

/// What was acknowledged so far.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    random: StdRng,
    files: BTreeMap<String, Bytes>,
    made_count: u64,
}

impl Acknowledged {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            files: BTreeMap::new(),
            made_count: 0,
        }
    }

    /// The next file, with a path of its own.
    pub(crate) fn next_file(&mut self) -> NewFile {
        self.made_count += 1;
        NewFile::random(
            format!("file-{}", self.made_count),
            &mut self.random,
            30_000,
        )
    }

    /// Notes that the server acknowledged the file.
    pub(crate) fn note(&mut self, file: NewFile) {
        self.files.insert(file.path, file.bytes);
    }

    /// Reads every acknowledged file and compares it.
    pub(crate) async fn check(&self, api: &Api) {
        for (path, bytes) in &self.files {
            let read = read(api, path).await;
            assert_eq!(read.unwrap(), *bytes, "{path} was acknowledged");
        }
    }
}

/// Reads a file by plain HTTP.
pub(crate) async fn read(api: &Api, path: &str) -> Result<Bytes, ApiError> {
    let mut content = api
        .content(Room::Home, &At::Path(path.to_owned()), None, None)
        .await?;
    let mut bytes = BytesMut::new();
    while let Some(piece) = content.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
