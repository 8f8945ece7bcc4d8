//! The drive in memory: what it should do, in as few words as possible.
//!
//! Nodes have numbers in the order they are made. A commit works on a copy, which becomes the drive if nothing failed.

use std::collections::{BTreeMap, BTreeSet};

use wharf_types::ErrorCode;
use wharf_types::api::drive::{ChangeKind, NodeKind, OnExists};
use wharf_types::name::fold;

pub(crate) const ROOT: usize = 0;

/// One operation, with what it names still to be looked up: paths as names, nodes as numbers.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Put {
        path: Vec<String>,
        content: usize,
        mtime_ns: i64,
        expect: Guess,
    },
    MakeFolder {
        path: Vec<String>,
        expect: Guess,
    },
    Move {
        from: Which,
        to: Vec<String>,
        on_exists: OnExists,
        expect: Guess,
    },
    Remove {
        at: Which,
        expect: Guess,
    },
    Restore {
        node: usize,
        to: Option<Vec<String>>,
    },
    Purge {
        node: usize,
    },
    Revert {
        at: Which,
        revision: u64,
        expect: Guess,
    },
    Tag {
        at: Which,
        add: Vec<String>,
        remove: Vec<String>,
    },
}

/// What an author believes of a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guess {
    Any,
    Absent,
    Revision(u64),
}

#[derive(Debug, Clone)]
pub(crate) enum Which {
    Path(Vec<String>),
    Node(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) revision: Option<u64>,
}

/// Why a commit does not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Operations were refused.
    Refused(Vec<(usize, Refusal)>),
    /// It does not fit the quota.
    OverQuota,
}

/// What an operation answers: the node, its revision, the names that differ in letter case.
pub(crate) type Outcome = (usize, u64, Vec<String>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Root,
    In(usize),
    Trash { path: String, since_ms: i64 },
    Gone,
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    place: Place,
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) revision: u64,
    /// Which of the contents; for a folder nothing.
    pub(crate) content: Option<usize>,
    pub(crate) mtime_ns: Option<i64>,
    tags: BTreeSet<String>,
}

/// A revision whose content is kept.
#[derive(Debug, Clone)]
struct Kept {
    node: usize,
    content: usize,
    mtime_ns: Option<i64>,
    superseded_ms: Option<i64>,
}

/// A change: what, of which node, where it is then, under which name, with which new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: ChangeKind,
    pub(crate) node: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) name: String,
    pub(crate) content: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) items: Vec<Item>,
    pub(crate) told: Vec<Told>,
    kept: BTreeMap<u64, Kept>,
    now_ms: i64,
    /// Bytes of each content that a put can name, and whether its chunks are on the server.
    contents: Vec<(u64, bool)>,
    quota_bytes: u64,
}

type Taken = Result<Outcome, Refusal>;

fn refuse<T>(code: ErrorCode, revision: Option<u64>) -> Result<T, Refusal> {
    Err(Refusal { code, revision })
}

fn not_root(node: usize) -> Result<(), Refusal> {
    if node == ROOT {
        return refuse(ErrorCode::Invalid, None);
    }
    Ok(())
}

impl Model {
    pub(crate) fn new(contents: Vec<(u64, bool)>, quota_bytes: u64) -> Self {
        let root = Item {
            place: Place::Root,
            name: String::new(),
            kind: NodeKind::Folder,
            revision: 0,
            content: None,
            mtime_ns: None,
            tags: BTreeSet::new(),
        };
        Self {
            items: vec![root],
            told: Vec::new(),
            kept: BTreeMap::new(),
            now_ms: 0,
            contents,
            quota_bytes,
        }
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.kept
            .values()
            .map(|kept| self.contents[kept.content].0)
            .sum()
    }

    /// The revisions of a node that are kept, newest first.
    pub(crate) fn revisions(&self, node: usize) -> Vec<u64> {
        let kept = self.kept.iter().filter(|(_, kept)| kept.node == node);
        kept.map(|(revision, _)| *revision).rev().collect()
    }

    /// Everything in the tree, parents first, by name without regard to letter case, then by name.
    pub(crate) fn tree(&self) -> Vec<(String, usize)> {
        let mut tree = Vec::new();
        self.walk(ROOT, "", &mut tree);
        tree
    }

    /// Where the nodes in the trash were, by number.
    pub(crate) fn trash(&self) -> BTreeMap<usize, String> {
        let trash = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(node, item)| match &item.place {
                Place::Trash { path, .. } => Some((node, path.clone())),
                Place::Root | Place::In(_) | Place::Gone => None,
            });
        trash.collect()
    }

    pub(crate) fn tags(&self, node: usize) -> Vec<String> {
        self.items[node].tags.iter().cloned().collect()
    }

    /// Applies a commit to the end, or says what failed: the operations, or the quota.
    pub(crate) fn commit(&mut self, acts: &[Act], now_ms: i64) -> Result<Vec<Outcome>, Failure> {
        let mut next = self.clone();
        next.now_ms = now_ms;
        let head = self.told.len() as u64;
        let mut outcomes = Vec::new();
        let mut failed = Vec::new();
        for (index, act) in acts.iter().enumerate() {
            let mut is_missing = false;
            match next.act(act, head, &mut is_missing) {
                Ok(_) if is_missing => failed.push((
                    index,
                    Refusal {
                        code: ErrorCode::NotFound,
                        revision: None,
                    },
                )),
                Ok(outcome) => outcomes.push(outcome),
                Err(refusal) => failed.push((index, refusal)),
            }
        }
        if !failed.is_empty() {
            return Err(Failure::Refused(failed));
        }
        if next.used_bytes() > self.used_bytes() && next.used_bytes() > self.quota_bytes {
            return Err(Failure::OverQuota);
        }
        *self = next;
        Ok(outcomes)
    }

    /// What retention does: trash and replaced revisions past their days go.
    pub(crate) fn retain(&mut self, trash_before_ms: i64, revisions_before_ms: i64) {
        let mut expired: Vec<_> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(node, item)| match item.place {
                Place::Trash { since_ms, .. } if since_ms < trash_before_ms => {
                    Some((since_ms, node))
                }
                Place::Trash { .. } | Place::Root | Place::In(_) | Place::Gone => None,
            })
            .collect();
        expired.sort_unstable();
        for (_, node) in expired {
            self.bury(node);
        }
        self.kept.retain(|_, kept| {
            kept.superseded_ms
                .is_none_or(|ms| ms >= revisions_before_ms)
        });
    }

    fn act(&mut self, act: &Act, head: u64, is_missing: &mut bool) -> Taken {
        match act {
            Act::Put {
                path,
                content,
                mtime_ns,
                expect,
            } => self.put(path, (*content, Some(*mtime_ns)), *expect, is_missing),
            Act::MakeFolder { path, expect } => self.make_folder(path, *expect),
            Act::Move {
                from,
                to,
                on_exists,
                expect,
            } => self.move_node(from, to, *on_exists, *expect),
            Act::Remove { at, expect } => {
                let node = self.live(at)?;
                not_root(node)?;
                self.compare(*expect, Some(node))?;
                self.send_to_trash(node);
                Ok((node, self.items[node].revision, Vec::new()))
            }
            Act::Restore { node, to } => self.restore(*node, to.as_deref()),
            Act::Purge { node } => {
                if self.was_at(*node).is_none() {
                    return refuse(ErrorCode::NotFound, None);
                }
                self.bury(*node);
                Ok((*node, self.told.len() as u64, Vec::new()))
            }
            Act::Revert {
                at,
                revision,
                expect,
            } => self.revert(at, *revision, *expect, head),
            Act::Tag { at, add, remove } => self.tag(at, add, remove),
        }
    }

    fn put(
        &mut self,
        path: &[String],
        (content, mtime_ns): (usize, Option<i64>),
        expect: Guess,
        is_missing: &mut bool,
    ) -> Taken {
        let (name, folder) = path.split_last().unwrap();
        let folder = self.make_path(folder)?;
        let found = self.child(folder, name);
        if let Some(node) = found
            && self.items[node].kind == NodeKind::Folder
        {
            return refuse(ErrorCode::Exists, Some(self.items[node].revision));
        }
        self.compare(expect, found)?;
        let conflicts = self.conflicts(folder, name);
        let is_new = found.is_none_or(|node| self.items[node].content != Some(content));
        *is_missing = is_new && !self.contents[content].1;
        let node = found
            .unwrap_or_else(|| self.add(folder, name, NodeKind::File, Some((content, mtime_ns))));
        if found.is_some() {
            self.replace(node, content, mtime_ns);
        }
        Ok((node, self.items[node].revision, conflicts))
    }

    fn make_folder(&mut self, path: &[String], expect: Guess) -> Taken {
        let Some((name, folder)) = path.split_last() else {
            self.compare(expect, Some(ROOT))?;
            return Ok((ROOT, 0, Vec::new()));
        };
        let folder = self.make_path(folder)?;
        let found = self.child(folder, name);
        if let Some(node) = found
            && self.items[node].kind != NodeKind::Folder
        {
            return refuse(ErrorCode::Exists, Some(self.items[node].revision));
        }
        self.compare(expect, found)?;
        let conflicts = self.conflicts(folder, name);
        let node = found.unwrap_or_else(|| self.add(folder, name, NodeKind::Folder, None));
        Ok((node, self.items[node].revision, conflicts))
    }

    fn move_node(
        &mut self,
        from: &Which,
        to: &[String],
        on_exists: OnExists,
        expect: Guess,
    ) -> Taken {
        let node = self.live(from)?;
        not_root(node)?;
        self.compare(expect, Some(node))?;
        let (name, folder) = to.split_last().unwrap();
        let Some(folder) = self
            .find(folder)
            .filter(|node| self.items[*node].kind == NodeKind::Folder)
        else {
            return refuse(ErrorCode::NotFound, None);
        };
        if self.line(folder).contains(&node) {
            return refuse(ErrorCode::Invalid, None);
        }
        let mut conflicts = self.conflicts(folder, name);
        if let Some(taken) = self.child(folder, name).filter(|taken| *taken != node) {
            if on_exists == OnExists::Refuse {
                return refuse(ErrorCode::Exists, Some(self.items[taken].revision));
            }
            if self.line(node).contains(&taken) {
                return refuse(ErrorCode::Invalid, None);
            }
            self.send_to_trash(taken);
        }
        if self.items[node].place == Place::In(folder) {
            conflicts.retain(|conflict| *conflict != self.items[node].name);
        }
        if self.items[node].place != Place::In(folder) || self.items[node].name != *name {
            self.items[node].place = Place::In(folder);
            self.items[node].name.clone_from(name);
            self.tell(ChangeKind::Moved, node, None);
        }
        Ok((node, self.items[node].revision, conflicts))
    }

    fn restore(&mut self, node: usize, to: Option<&[String]>) -> Taken {
        let Some(was_at) = self.was_at(node) else {
            return refuse(ErrorCode::NotFound, None);
        };
        let path = to.map_or_else(
            || was_at.split('/').map(str::to_owned).collect(),
            <[String]>::to_vec,
        );
        let (name, folder) = path.split_last().unwrap();
        let folder = self.make_path(folder)?;
        if let Some(taken) = self.child(folder, name) {
            return refuse(ErrorCode::Exists, Some(self.items[taken].revision));
        }
        let conflicts = self.conflicts(folder, name);
        self.items[node].place = Place::In(folder);
        self.items[node].name.clone_from(name);
        self.tell(ChangeKind::Restored, node, None);
        Ok((node, self.items[node].revision, conflicts))
    }

    fn revert(&mut self, at: &Which, revision: u64, expect: Guess, head: u64) -> Taken {
        let node = self.live(at)?;
        not_root(node)?;
        self.compare(expect, Some(node))?;
        let kept = self
            .kept
            .get(&revision)
            .filter(|kept| kept.node == node && revision <= head)
            .cloned();
        let Some(kept) = kept else {
            return refuse(ErrorCode::NotFound, None);
        };
        self.replace(node, kept.content, kept.mtime_ns);
        Ok((node, self.items[node].revision, Vec::new()))
    }

    fn tag(&mut self, at: &Which, add: &[String], remove: &[String]) -> Taken {
        let node = self.live(at)?;
        let before = self.items[node].tags.clone();
        self.items[node].tags.extend(add.iter().cloned());
        self.items[node].tags.retain(|tag| !remove.contains(tag));
        if self.items[node].tags != before {
            self.tell(ChangeKind::Tagged, node, None);
        }
        Ok((node, self.items[node].revision, Vec::new()))
    }

    fn add(
        &mut self,
        folder: usize,
        name: &str,
        kind: NodeKind,
        content: Option<(usize, Option<i64>)>,
    ) -> usize {
        let node = self.items.len();
        self.items.push(Item {
            place: Place::In(folder),
            name: name.to_owned(),
            kind,
            revision: 0,
            content: content.map(|(content, _)| content),
            mtime_ns: content.and_then(|(_, mtime_ns)| mtime_ns),
            tags: BTreeSet::new(),
        });
        self.items[node].revision = self.tell(
            ChangeKind::Created,
            node,
            content.map(|(content, _)| content),
        );
        if let Some((content, mtime_ns)) = content {
            self.keep(node, content, mtime_ns);
        }
        node
    }

    fn replace(&mut self, node: usize, content: usize, mtime_ns: Option<i64>) {
        let old = self.items[node].clone();
        if old.content == Some(content) && old.mtime_ns == mtime_ns {
            return;
        }
        if old.content == Some(content) {
            self.kept.remove(&old.revision);
        } else if let Some(kept) = self.kept.get_mut(&old.revision) {
            kept.superseded_ms = Some(self.now_ms);
        }
        self.items[node].content = Some(content);
        self.items[node].mtime_ns = mtime_ns;
        self.items[node].revision = self.tell(ChangeKind::Updated, node, Some(content));
        self.keep(node, content, mtime_ns);
    }

    fn keep(&mut self, node: usize, content: usize, mtime_ns: Option<i64>) {
        let kept = Kept {
            node,
            content,
            mtime_ns,
            superseded_ms: None,
        };
        self.kept.insert(self.items[node].revision, kept);
    }

    fn send_to_trash(&mut self, node: usize) {
        let path = self.path(node);
        self.items[node].place = Place::Trash {
            path,
            since_ms: self.now_ms,
        };
        self.tell(ChangeKind::Removed, node, None);
    }

    fn bury(&mut self, node: usize) {
        let below: Vec<_> = (0..self.items.len())
            .filter(|item| self.line(*item).contains(&node))
            .collect();
        self.items[node].place = Place::Gone;
        self.tell(ChangeKind::Purged, node, None);
        for item in below {
            self.items[item].place = Place::Gone;
            self.kept.retain(|_, kept| kept.node != item);
        }
    }

    fn tell(&mut self, kind: ChangeKind, node: usize, content: Option<usize>) -> u64 {
        let parent = match self.items[node].place {
            Place::In(folder) => Some(folder),
            Place::Root | Place::Trash { .. } | Place::Gone => None,
        };
        let name = self.items[node].name.clone();
        self.told.push(Told {
            kind,
            node,
            parent,
            name,
            content,
        });
        self.told.len() as u64
    }

    fn make_path(&mut self, path: &[String]) -> Result<usize, Refusal> {
        path.iter()
            .try_fold(ROOT, |at, name| match self.child(at, name) {
                None => Ok(self.add(at, name, NodeKind::Folder, None)),
                Some(node) if self.items[node].kind == NodeKind::Folder => Ok(node),
                Some(node) => refuse(ErrorCode::Exists, Some(self.items[node].revision)),
            })
    }

    fn find(&self, path: &[String]) -> Option<usize> {
        path.iter().try_fold(ROOT, |at, name| self.child(at, name))
    }

    fn child(&self, folder: usize, name: &str) -> Option<usize> {
        self.items
            .iter()
            .position(|item| item.place == Place::In(folder) && item.name == name)
    }

    fn conflicts(&self, folder: usize, name: &str) -> Vec<String> {
        let same_fold = |item: &&Item| {
            item.place == Place::In(folder) && item.name != name && fold(&item.name) == fold(name)
        };
        let mut conflicts: Vec<_> = self
            .items
            .iter()
            .filter(same_fold)
            .map(|item| item.name.clone())
            .collect();
        conflicts.sort_unstable();
        conflicts
    }

    /// The node in the tree that is named.
    pub(crate) fn find_live(&self, at: &Which) -> Option<usize> {
        self.live(at).ok()
    }

    fn live(&self, at: &Which) -> Result<usize, Refusal> {
        let node = match at {
            Which::Path(path) => self.find(path),
            Which::Node(node) => Some(*node).filter(|node| self.line(*node).last() == Some(&ROOT)),
        };
        node.map_or_else(|| refuse(ErrorCode::NotFound, None), Ok)
    }

    fn compare(&self, expect: Guess, found: Option<usize>) -> Result<(), Refusal> {
        let revision = found.map(|node| self.items[node].revision);
        match expect {
            Guess::Absent if found.is_some() => refuse(ErrorCode::Exists, revision),
            Guess::Revision(expected) if revision != Some(expected) => {
                refuse(ErrorCode::Stale, revision)
            }
            Guess::Any | Guess::Absent | Guess::Revision(_) => Ok(()),
        }
    }

    /// The node and what holds it, up to the top.
    fn line(&self, node: usize) -> Vec<usize> {
        let mut line = vec![node];
        while let Place::In(folder) = self.items[line[line.len() - 1]].place {
            line.push(folder);
        }
        line
    }

    /// Where a node in the trash was.
    fn was_at(&self, node: usize) -> Option<String> {
        let line = self.line(node);
        match &self.items[*line.last()?].place {
            Place::Trash { .. } => Some(self.path(node)),
            Place::Root | Place::In(_) | Place::Gone => None,
        }
    }

    fn path(&self, node: usize) -> String {
        let item = &self.items[node];
        match &item.place {
            Place::In(ROOT) => item.name.clone(),
            Place::In(folder) => format!("{}/{}", self.path(*folder), item.name),
            Place::Trash { path, .. } => path.clone(),
            Place::Root | Place::Gone => String::new(),
        }
    }

    fn walk(&self, folder: usize, path: &str, tree: &mut Vec<(String, usize)>) {
        let mut below: Vec<_> = (0..self.items.len())
            .filter(|node| self.items[*node].place == Place::In(folder))
            .collect();
        below.sort_by_key(|node| {
            (
                fold(&self.items[*node].name),
                self.items[*node].name.clone(),
            )
        });
        for node in below {
            let name = &self.items[node].name;
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            tree.push((path.clone(), node));
            self.walk(node, &path, tree);
        }
    }
}
