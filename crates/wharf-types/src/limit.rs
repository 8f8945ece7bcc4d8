//! Bounds on everything that arrives. What is over a bound gets a clear error.

/// Longest name of a node, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 255;
/// Deepest path, in names.
pub const PATH_DEPTH_MAX: usize = 256;
/// Longest path, in bytes of UTF-8 with its separators.
pub const PATH_BYTES_MAX: usize = 16 * 1024;

/// Least size of a cut chunk, except the last one of a file.
pub const CHUNK_BYTES_MIN: usize = 256 * 1024;
/// The size around which cut chunks gather.
pub const CHUNK_BYTES_AVERAGE: usize = 1024 * 1024;
/// Greatest size of a chunk.
pub const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most chunks of one file: 1 TiB of the average size.
pub const MANIFEST_CHUNKS_MAX: usize = 1024 * 1024;
/// Largest file: what fits the manifest at the average size.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024 * 1024;

/// Most bytes in the body of one upload of chunks.
pub const UPLOAD_BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most chunks in one upload, one question about missing chunks, or one batch of downloads.
pub const CHUNKS_PER_REQUEST_MAX: usize = 16 * 1024;
/// Most operations in one commit.
pub const COMMIT_OPS_MAX: usize = 10_000;
/// Most bytes in the body of one commit.
pub const COMMIT_BODY_BYTES_MAX: u64 = 96 * 1024 * 1024;
/// Most bytes in any other body.
pub const JSON_BODY_BYTES_MAX: u64 = 64 * 1024;
/// Largest segment.
pub const SEGMENT_BYTES_MAX: u64 = 80 * 1024 * 1024;

/// Most items on a page of a list, and how many there are when the request does not say.
pub const PAGE_ITEMS_MAX: u32 = 10_000;
/// Items on a page when the request does not say.
pub const PAGE_ITEMS_DEFAULT: u32 = 1_000;

/// Shortest and longest password, in characters and bytes.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password, in bytes; argon2 would take more, the attacker's bill is ours.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Longest username, in characters.
pub const USERNAME_CHARS_MAX: usize = 32;
/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest nickname or device name, in bytes.
pub const LABEL_BYTES_MAX: usize = 100;
/// Most sessions of one account; a further login ends the one that was idle longest.
pub const SESSIONS_PER_ACCOUNT_MAX: u32 = 100;

/// Most tags on one node.
pub const TAGS_PER_NODE_MAX: usize = 64;
/// Longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 100;
