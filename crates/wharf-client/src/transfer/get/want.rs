//! What is to be fetched, and where it goes.

use std::sync::Arc;

use wharf_types::NodeId;
use wharf_wire::manifest::Manifest;

use crate::disk::{Identity, PART_PREFIX};
use crate::plan::RemoteNode;
use crate::scan::join;

/// Up to this size a file is fetched and written in one go; a larger one keeps what it has got through crashes.
pub(super) const SMALL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file or link that is to be fetched.
#[derive(Debug, Clone)]
pub(super) struct Want {
    /// The local folder, from the root.
    pub(super) folder: Arc<str>,
    pub(super) name: String,
    /// What it is written as until it is whole: the same for the same node of the same task.
    pub(super) part: String,
    pub(super) node: RemoteNode,
    pub(super) manifest: Manifest,
    /// What was there when the transfer looked, to be replaced.
    pub(super) planned: Option<Identity>,
    /// The permission bits of what is replaced.
    pub(super) mode: Option<u32>,
}

impl Want {
    pub(super) fn path(&self) -> String {
        join(&self.folder, &self.name)
    }

    pub(super) fn is_small(&self) -> bool {
        self.node.bytes <= SMALL_BYTES_MAX
    }
}

/// The name under which a node's content is written aside.
pub(super) fn part_name(tag: &str, node: NodeId) -> String {
    let node = data_encoding::HEXLOWER.encode(node.as_bytes());
    format!("{PART_PREFIX}{tag}-{node}")
}
