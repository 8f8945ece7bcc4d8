//! An object store that does not keep its word.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::watch;
use wharf_store::blob::{Blob, BlobInfo, Error};

/// A method of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `put`
    Put,
    /// `get_range`
    GetRange,
    /// `size`
    Size,
    /// `delete`
    Delete,
    /// `list`
    List,
}

/// What becomes of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutFault {
    /// It fails and leaves nothing.
    Error,
    /// It is done, and fails all the same: a crash, or an answer that was lost.
    LostAnswer,
    /// Half of the object is there, and the put says that it succeeded: a store that tears writes.
    Torn,
    /// The store is full.
    Full,
    /// The store has failed to make it durable, and puts nothing more.
    Failed,
}

/// An object store over another one, with faults.
pub struct FaultyBlob {
    inner: Arc<dyn Blob>,
    state: Mutex<State>,
    /// Puts wait for it before they begin.
    is_open: watch::Sender<bool>,
    /// Puts wait for it when the object is there, before they return.
    is_answering: watch::Sender<bool>,
    /// The read that was chosen waits for it.
    is_reading: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<Call, u64>,
    put_faults: BTreeMap<u64, PutFault>,
    call_errors: HashSet<(Call, u64)>,
    held_read: Option<u64>,
    unreadable: HashSet<String>,
    lost: HashSet<String>,
    rot: HashMap<String, Vec<(u64, u8)>>,
    room: Option<u64>,
    is_failed: bool,
}

impl FaultyBlob {
    /// Makes a store over `inner`, without faults at first.
    pub fn new(inner: Arc<dyn Blob>) -> Self {
        Self {
            inner,
            state: Mutex::default(),
            is_open: watch::Sender::new(true),
            is_answering: watch::Sender::new(true),
            is_reading: watch::Sender::new(true),
        }
    }

    /// How often a method was called.
    pub fn calls(&self, call: Call) -> u64 {
        self.state.lock().calls.get(&call).copied().unwrap_or(0)
    }

    /// Sets what becomes of the put with that number, counted from 0 over the store's life.
    pub fn fail_put(&self, number: u64, fault: PutFault) {
        self.state.lock().put_faults.insert(number, fault);
    }

    /// Lets a call fail with an I/O error, counted from 0 over the store's life.
    pub fn fail_call(&self, call: Call, number: u64) {
        self.state.lock().call_errors.insert((call, number));
    }

    /// Lets only so many bytes more be put.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state.lock().room = bytes;
    }

    /// Flips one bit of an object, for whoever reads it.
    pub fn flip(&self, key: &str, offset: u64, bit: u8) {
        self.state
            .lock()
            .rot
            .entry(key.to_owned())
            .or_default()
            .push((offset, 1 << bit));
    }

    /// Lets every read of an object fail.
    pub fn make_unreadable(&self, key: &str) {
        self.state.lock().unreadable.insert(key.to_owned());
    }

    /// Loses an object.
    pub fn lose(&self, key: &str) {
        self.state.lock().lost.insert(key.to_owned());
    }

    /// Lets puts wait until [`FaultyBlob::open_gate`].
    pub fn close_gate(&self) {
        self.is_open.send_replace(false);
    }

    /// Lets the puts that wait, and all later ones, go on.
    pub fn open_gate(&self) {
        self.is_open.send_replace(true);
    }

    /// Lets puts wait when their object is there, until [`FaultyBlob::give_answers`].
    pub fn hold_answers(&self) {
        self.is_answering.send_replace(false);
    }

    /// Lets the puts that wait to return, and all later ones, go on.
    pub fn give_answers(&self) {
        self.is_answering.send_replace(true);
    }

    /// Lets the `get_range` with that number wait, counted from 0 over the store's life, until [`FaultyBlob::go_on_reading`].
    pub fn hold_read(&self, number: u64) {
        self.state.lock().held_read = Some(number);
        self.is_reading.send_replace(false);
    }

    /// Lets the read that waits go on.
    pub fn go_on_reading(&self) {
        self.is_reading.send_replace(true);
    }

    fn count(&self, call: Call) -> Result<u64, Error> {
        let mut state = self.state.lock();
        let number = *state
            .calls
            .entry(call)
            .and_modify(|count| *count += 1)
            .or_insert(1)
            - 1;
        if state.call_errors.contains(&(call, number)) {
            return Err(io("call", "the store"));
        }
        Ok(number)
    }

    fn check_there(&self, key: &str) -> Result<(), Error> {
        let state = self.state.lock();
        if state.lost.contains(key) {
            return Err(Error::Missing {
                key: key.to_owned(),
            });
        }
        if state.unreadable.contains(key) {
            Err(io("read", key))
        } else {
            Ok(())
        }
    }

    /// Takes room for a put.
    fn admit(&self, bytes: u64) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.is_failed {
            return Err(Error::Failed);
        }
        match &mut state.room {
            Some(room) if *room < bytes => Err(Error::Full),
            Some(room) => {
                *room -= bytes;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Blob for FaultyBlob {
    async fn put(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        let number = self.count(Call::Put)?;
        let mut gate = self.is_open.subscribe();
        gate.wait_for(|is_open| *is_open)
            .await
            .expect("the gate lives as long as the store");
        self.admit(parts.iter().map(|part| part.len() as u64).sum())?;
        let fault = self.state.lock().put_faults.get(&number).copied();
        let done = match fault {
            None => self.inner.put(key, parts).await,
            Some(PutFault::Error) => Err(io("put", key)),
            Some(PutFault::Full) => Err(Error::Full),
            Some(PutFault::Failed) => {
                self.state.lock().is_failed = true;
                Err(Error::Failed)
            }
            Some(PutFault::LostAnswer) => {
                self.inner.put(key, parts).await?;
                Err(io("put", key))
            }
            Some(PutFault::Torn) => {
                let whole = Bytes::from(parts.concat());
                self.inner
                    .put(key, vec![whole.slice(..whole.len() / 2)])
                    .await
            }
        };
        wait_for(&self.is_answering).await;
        done
    }

    async fn get_range(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, Error> {
        let number = self.count(Call::GetRange)?;
        let is_held = self.state.lock().held_read == Some(number);
        if is_held {
            wait_for(&self.is_reading).await;
        }
        self.check_there(key)?;
        let mut read = BytesMut::from(self.inner.get_range(key, offset, bytes).await?);
        for (at, mask) in self.state.lock().rot.get(key).into_iter().flatten() {
            if let Some(index) = at
                .checked_sub(offset)
                .and_then(|at| usize::try_from(at).ok())
                && let Some(byte) = read.get_mut(index)
            {
                *byte ^= mask;
            }
        }
        Ok(read.freeze())
    }

    async fn size(&self, key: &str) -> Result<u64, Error> {
        self.count(Call::Size)?;
        self.check_there(key)?;
        self.inner.size(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.count(Call::Delete)?;
        self.inner.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, Error> {
        self.count(Call::List)?;
        let lost = self.state.lock().lost.clone();
        let mut page = Vec::new();
        let mut after = after.map(str::to_owned);
        // A page with something lost on it is filled up, as a store that never had it would.
        while page.len() < limit {
            let more = self
                .inner
                .list(prefix, after.as_deref(), limit - page.len())
                .await?;
            let Some(last) = more.last() else { break };
            after = Some(last.key.clone());
            page.extend(more.into_iter().filter(|info| !lost.contains(&info.key)));
        }
        Ok(page)
    }
}

fn io(action: &'static str, key: &str) -> Error {
    let source = std::io::Error::other("a fault of the test");
    Error::Io {
        action,
        key: key.to_owned(),
        source,
    }
}

async fn wait_for(gate: &watch::Sender<bool>) {
    let mut gate = gate.subscribe();
    gate.wait_for(|is_open| *is_open)
        .await
        .expect("a gate lives as long as its store");
}
