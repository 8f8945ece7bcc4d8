//! The memory that files are read into: a fixed number of buffers, used again and again.
//!
//! They bound what a transfer holds, whatever the files' sizes: who reads waits until what was read before is sent. Using
//! them again also spares the kernel the clearing of a fresh page for every page read.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};

/// A fixed number of buffers.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    free: Receiver<Vec<u8>>,
    back: Sender<Vec<u8>>,
    capacity_bytes: usize,
}

/// One of the buffers, which goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    back: Sender<Vec<u8>>,
}

/// The beginning of a buffer, as shared bytes.
struct Filled {
    buffer: Buffer,
    filled_bytes: usize,
}

impl Buffers {
    /// Makes `count` buffers; their memory is taken when they are first used.
    pub(crate) fn new(count: usize, capacity_bytes: usize) -> Self {
        let (back, free) = bounded(count);
        for _ in 0..count {
            // There is room for all of them.
            if back.try_send(Vec::new()).is_err() {
                break;
            }
        }
        Self {
            free,
            back,
            capacity_bytes,
        }
    }

    /// Takes a buffer; waits on this thread while all are in use.
    pub(crate) fn take(&self) -> Buffer {
        // The channel cannot close while `self` holds its other end.
        let mut memory = self.free.recv().unwrap_or_default();
        if memory.is_empty() {
            // Pages that nobody writes to are never taken from the system.
            memory = vec![0; self.capacity_bytes];
        }
        Buffer {
            memory,
            back: self.back.clone(),
        }
    }
}

impl Buffer {
    /// Shares the first `filled_bytes`; the buffer goes back when the last of its slices is dropped.
    pub(crate) fn freeze(self, filled_bytes: usize) -> Bytes {
        let filled_bytes = filled_bytes.min(self.memory.len());
        Bytes::from_owner(Filled {
            buffer: self,
            filled_bytes,
        })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The channel has room for each of the buffers, and is closed only when nobody will ask for one again.
        drop(self.back.try_send(std::mem::take(&mut self.memory)));
    }
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.filled_bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Buffers;

    #[test]
    fn a_buffer_goes_back_with_the_last_slice_of_it() {
        let buffers = Buffers::new(1, 8);
        let mut buffer = buffers.take();
        buffer[..3].copy_from_slice(b"abc");
        let bytes = buffer.freeze(3);
        let slice = bytes.slice(1..);
        drop(bytes);
        assert!(buffers.free.is_empty());
        assert_eq!(slice, b"bc".as_slice());
        drop(slice);
        assert_eq!(buffers.take().len(), 8);
    }
}
