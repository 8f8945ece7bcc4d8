//! Requests from a stream of bytes.

use bytes::{Buf, BytesMut};

use super::{InvalidRequest, REQUEST_BYTES, Request};

/// Takes the next record off the front of `buffer`; nothing while it is not whole. Less than one record is ever held back.
///
/// What is wrong with one record says nothing of the next: each has the same length.
pub fn next_request(buffer: &mut BytesMut) -> Option<Result<Request, InvalidRequest>> {
    let record = *buffer.first_chunk::<REQUEST_BYTES>()?;
    buffer.advance(REQUEST_BYTES);
    Some(Request::decode(&record))
}
