//! Commits files whose chunks are on the server, and deals with refusals one by one.

use wharf_types::api::drive::{At, Commit, Expect, FailedOp, Node, Op};
use wharf_types::{CommitId, ErrorCode};
use wharf_wire::manifest;

use super::job::{ATTEMPTS_MAX, Item};
use crate::api::{Api, ApiError, Room};
use crate::clock::Clock;
use crate::disk::Kind;
use crate::error::Error;
use crate::plan::{self, Refusal, RemoteNode};
use crate::transfer::{NoticeKind, OnDifferent};

/// Something that can be committed.
#[derive(Debug)]
pub(super) enum Ready {
    Folder(String),
    File { item: Box<Item>, packed: Vec<u8> },
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is in the drive; names there that differ from it only in letter case.
    Committed(Vec<String>),
    /// It had been in the drive already.
    Same,
    /// Its chunks must be uploaded again.
    Upload,
    /// It is not in the drive.
    Left(NoticeKind, String),
}

/// Commits on behalf of one put.
#[derive(Debug, Clone)]
pub(super) struct Committer {
    pub(super) api: Api,
    pub(super) room: Room,
    pub(super) on_different: OnDifferent,
}

impl Ready {
    fn op(&self) -> Op {
        match self {
            Self::Folder(path) => Op::MakeFolder {
                path: path.clone(),
                expect: Expect::Any,
            },
            Self::File { item, packed } => Op::Put {
                path: item.remote.clone(),
                manifest: manifest::to_base64(packed),
                mtime_ns: Some(item.stat.mtime_ns),
                executable: item.stat.executable,
                link: item.stat.kind == Kind::Link,
                expect: item.expect.unwrap_or(Expect::Absent),
            },
        }
    }

    /// About how many bytes of a commit it takes.
    pub(super) fn commit_bytes(&self) -> usize {
        match self {
            Self::Folder(path) => path.len() + 100,
            Self::File { item, packed } => item.remote.len() + packed.len() * 4 / 3 + 200,
        }
    }
}

impl Committer {
    /// Commits all that can be, together: what is refused is taken out, decided about, and perhaps tried again.
    pub(super) async fn commit(
        &self,
        mut pending: Vec<Ready>,
    ) -> Result<Vec<(Ready, Outcome)>, Error> {
        let mut done = Vec::with_capacity(pending.len());
        while !pending.is_empty() {
            let commit = Commit {
                id: new_commit_id(),
                ops: pending.iter().map(Ready::op).collect(),
            };
            let failed = match self.api.commit(self.room, &commit).await {
                Ok(committed) => {
                    let mut results = committed.results.into_iter();
                    done.extend(pending.drain(..).map(|ready| {
                        let cases = results
                            .next()
                            .map(|result| result.case_conflicts)
                            .unwrap_or_default();
                        (ready, Outcome::Committed(cases))
                    }));
                    break;
                }
                Err(ApiError::Refused(problem))
                    if is_about_single_ops(&problem.failed, problem.code) =>
                {
                    problem.failed
                }
                Err(error) => return Err(error.into()),
            };
            let mut kept = Vec::with_capacity(pending.len());
            let mut failed = failed.into_iter().peekable();
            for (index, ready) in pending.into_iter().enumerate() {
                let is_failed = |failed: &FailedOp| failed.index as usize == index;
                let Some(failed) = failed.next_if(is_failed) else {
                    kept.push(ready);
                    continue;
                };
                match self.decide(ready, failed).await? {
                    (ready, None) => kept.push(ready),
                    (ready, Some(outcome)) => done.push((ready, outcome)),
                }
            }
            pending = kept;
        }
        Ok(done)
    }

    /// Decides about one refused operation; no outcome means to commit it again.
    async fn decide(
        &self,
        ready: Ready,
        failed: FailedOp,
    ) -> Result<(Ready, Option<Outcome>), Error> {
        let Ready::File { mut item, packed } = ready else {
            return Ok((
                ready,
                Some(Outcome::Left(NoticeKind::Refused, failed.detail)),
            ));
        };
        item.attempt_count += 1;
        let is_over = item.attempt_count > ATTEMPTS_MAX;
        let now = self.node(&item.remote).await?;
        let now = now.as_ref().map(|node| RemoteNode {
            kind: node.kind,
            revision: node.revision,
            bytes: node.bytes,
            mtime_ns: node.mtime_ns,
            executable: node.executable,
            content: node.content,
        });
        let ours = manifest::content_of_packed(&packed);
        let outcome = match plan::after_refusal(
            failed.code,
            ours,
            &item.stat,
            now.as_ref(),
            self.on_different,
        ) {
            Refusal::Settled => Some(Outcome::Same),
            Refusal::Conflict(detail) => Some(Outcome::Left(NoticeKind::Conflict, detail.into())),
            Refusal::Refused => Some(Outcome::Left(NoticeKind::Refused, failed.detail)),
            Refusal::Again(_) | Refusal::Upload if is_over => {
                Some(Outcome::Left(NoticeKind::Refused, failed.detail))
            }
            Refusal::Upload => Some(Outcome::Upload),
            Refusal::Again(expect) => {
                item.expect = Some(expect);
                None
            }
        };
        Ok((Ready::File { item, packed }, outcome))
    }

    async fn node(&self, path: &str) -> Result<Option<Node>, Error> {
        match self.api.node(self.room, &At::Path(path.to_owned())).await {
            Ok(node) => Ok(Some(node)),
            Err(error) if error.is(ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the commit works without the operations that failed. A quota that is used up, for one, ends the transfer.
fn is_about_single_ops(failed: &[FailedOp], code: ErrorCode) -> bool {
    !failed.is_empty()
        && failed.is_sorted_by_key(|failed| failed.index)
        && code != ErrorCode::OverQuota
}

/// An id that no other commit has.
pub(crate) fn new_commit_id() -> CommitId {
    let now_ms = u64::try_from(Clock::system().now_ms()).unwrap_or(0);
    CommitId::new(now_ms, &rand::random())
}

#[cfg(test)]
mod tests {
    use wharf_testkit::db::Engine;
    use wharf_testkit::server::TestServer;
    use wharf_types::ChunkHash;
    use wharf_wire::manifest::{Manifest, ManifestChunk};

    use super::{Api, Committer, Expect, Item, OnDifferent, Outcome, Ready, Room};
    use crate::disk::Folder;
    use crate::net::Options;

    fn file(remote: &str, chunks: Vec<ManifestChunk>) -> Ready {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("file"), "").unwrap();
        let item = Item {
            folder: "".into(),
            name: "file".into(),
            remote: remote.into(),
            stat: Folder::open(temp.path()).unwrap().stat("file").unwrap(),
            expect: Some(Expect::Absent),
            same: None,
            attempt_count: 0,
        };
        Ready::File {
            item: Box::new(item),
            packed: Manifest { chunks }.pack(),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_whose_chunks_are_gone_are_uploaded_again_and_the_others_committed() {
        let server = TestServer::on(Engine::Sqlite).await;
        let options = Options::new(server.url().parse().unwrap());
        let api = Api::connect(options).await.unwrap();
        let committer = Committer {
            api: api.with_token(&server.operator().token).unwrap(),
            room: Room::Home,
            on_different: OnDifferent::Replace,
        };
        let gone = ManifestChunk {
            hash: ChunkHash::of(b"gone"),
            bytes: 4,
        };
        let ready = vec![
            Ready::Folder("folder".into()),
            file("folder/gone", vec![gone]),
            file("folder/empty", Vec::new()),
            file("folder", Vec::new()),
        ];
        let mut done = committer.commit(ready).await.unwrap();
        done.sort_by_key(|(ready, _)| match ready {
            Ready::Folder(_) => String::new(),
            Ready::File { item, .. } => item.remote.clone(),
        });
        let outcomes: Vec<_> = done.iter().map(|(_, outcome)| outcome).collect();
        assert!(
            matches!(
                outcomes.as_slice(),
                [
                    Outcome::Committed(_),
                    Outcome::Left(..),
                    Outcome::Committed(_),
                    Outcome::Upload
                ]
            ),
            "{outcomes:?}"
        );
    }
}
