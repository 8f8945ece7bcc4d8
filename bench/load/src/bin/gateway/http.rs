//! Wharf's own door, as `curl` uses it: a content in one request.

use anyhow::{Context, Result, ensure};
use load::wire::{Wire, find};

use crate::transfer::Compared;

/// Bytes that are written at a time.
const WRITE_BYTES: usize = 1024 * 1024;

pub(crate) struct Door {
    address: String,
    token: String,
}

impl Door {
    pub(crate) fn new(url: &str, token: &str) -> Result<Self> {
        let address = url.trim_end_matches('/').strip_prefix("http://");
        Ok(Self {
            address: address.context("not a URL of plain HTTP")?.to_owned(),
            token: token.to_owned(),
        })
    }

    fn head(&self, method: &str, name: &str, more: &str) -> String {
        format!(
            "{method} /api/v1/rooms/home/content/{name} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{more}\r\n",
            self.address, self.token
        )
    }

    pub(crate) async fn put(&self, name: &str, file: &[u8]) -> Result<()> {
        let mut wire = Wire::connect(&self.address).await?;
        let length = format!("Content-Length: {}\r\n", file.len());
        wire.write(self.head("PUT", name, &length).as_bytes())
            .await?;
        for piece in file.chunks(WRITE_BYTES) {
            wire.write(piece).await?;
        }
        answered(&mut wire, &["200", "201"]).await?;
        Ok(())
    }

    pub(crate) async fn get(&self, name: &str, file: &[u8]) -> Result<()> {
        let mut wire = Wire::connect(&self.address).await?;
        wire.write(self.head("GET", name, "").as_bytes()).await?;
        let head = answered(&mut wire, &["200"]).await?;
        let length = format!("content-length: {}\r\n", file.len());
        ensure!(head.to_ascii_lowercase().contains(&length), "{head}");
        let mut compared = Compared::new(file);
        while compared.left() > 0 {
            if wire.buffer.is_empty() {
                wire.fill_large().await?;
            }
            let piece = wire.buffer.split();
            compared.take(&piece)?;
        }
        compared.end()
    }
}

/// The head of an answer with one of these statuses.
async fn answered(wire: &mut Wire, statuses: &[&str]) -> Result<String> {
    let head = wire.until(b"\r\n\r\n").await?;
    let is_good = statuses.iter().any(|status| {
        let status = format!("HTTP/1.1 {status}");
        find(&head, status.as_bytes()) == Some(0)
    });
    let head = String::from_utf8_lossy(&head).into_owned();
    ensure!(is_good, "{head}");
    Ok(head)
}
