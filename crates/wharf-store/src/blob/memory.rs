//! Objects in memory, for tests.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use super::{Blob, BlobInfo, Error, check_key};

/// An object store in memory. It is as durable as the value itself.
#[derive(Debug, Default)]
pub struct MemoryBlob {
    objects: Mutex<BTreeMap<String, Bytes>>,
}

#[async_trait]
impl Blob for MemoryBlob {
    async fn put(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        check_key(key)?;
        let mut objects = self.objects.lock();
        if objects.contains_key(key) {
            return Err(Error::Exists {
                key: key.to_owned(),
            });
        }
        objects.insert(key.to_owned(), parts.concat().into());
        Ok(())
    }

    async fn get_range(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, Error> {
        check_key(key)?;
        let objects = self.objects.lock();
        let object = objects.get(key).ok_or_else(|| Error::Missing {
            key: key.to_owned(),
        })?;
        let end = offset.saturating_add(bytes);
        if end > object.len() as u64 {
            return Err(Error::Range {
                key: key.to_owned(),
                end,
            });
        }
        let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(object.slice(index(offset)..index(end)))
    }

    async fn size(&self, key: &str) -> Result<u64, Error> {
        check_key(key)?;
        match self.objects.lock().get(key) {
            Some(object) => Ok(object.len() as u64),
            None => Err(Error::Missing {
                key: key.to_owned(),
            }),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        check_key(key)?;
        self.objects.lock().remove(key);
        Ok(())
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, Error> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            Some(_) | None => Bound::Included(prefix),
        };
        let objects = self.objects.lock();
        let page = objects
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, object)| BlobInfo {
                key: key.clone(),
                bytes: object.len() as u64,
            });
        Ok(page.collect())
    }
}
