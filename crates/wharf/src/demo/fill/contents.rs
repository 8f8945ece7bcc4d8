//! What files hold, on its way to the server.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use super::Teller;
use crate::demo::draw;
use crate::demo::story::{Content, Deed, Event};

impl Teller<'_> {
    /// Brings all contents to the server, at once for each person, and returns their manifests by event.
    pub(super) async fn upload(&self, events: &[Event]) -> anyhow::Result<HashMap<usize, String>> {
        let mut contents = HashMap::new();
        // The same picture is drawn once.
        let mut drawn: Vec<(Content, Bytes)> = Vec::new();
        let mut frames: BTreeMap<usize, Vec<Frame>> = BTreeMap::new();
        for (index, Event(_, who, _, deed)) in events.iter().enumerate() {
            let Deed::Put(_, content) = deed else {
                continue;
            };
            let bytes = if let Some((_, bytes)) = drawn.iter().find(|(known, _)| known == content) {
                bytes.clone()
            } else {
                let bytes = Bytes::from(made(content)?);
                drawn.push((*content, bytes.clone()));
                bytes
            };
            let hash = ChunkHash::of(&bytes);
            let manifest = Manifest {
                chunks: vec![ManifestChunk {
                    hash,
                    bytes: u32::try_from(bytes.len())?,
                }],
            };
            contents.insert(index, to_base64(&manifest.pack()));
            frames
                .entry(*who)
                .or_default()
                .push(Frame::seal(hash, bytes));
        }
        for (who, frames) in frames {
            let by = self.known(who)?.caller;
            self.wharf.transfers().upload(&by, frames).await?;
        }
        Ok(contents)
    }
}

fn made(content: &Content) -> anyhow::Result<Vec<u8>> {
    match content {
        Content::Text(text) => Ok(text.as_bytes().to_vec()),
        Content::Jpeg(scene) => draw::jpeg(scene),
        Content::Png(scene) => draw::png(scene),
        Content::Pdf(pages) => Ok(draw::pdf(pages)),
        Content::Bell => Ok(draw::wav()),
    }
}
