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

/// Most nodes that one archive can be asked for; what is below them does not count. Their ids fit into an address.
pub const ARCHIVE_NODES_MAX: usize = 200;
/// Most files, folders and links in one archive.
pub const ARCHIVE_ENTRIES_MAX: usize = 200_000;

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

/// Longest text of an entry, in bytes.
pub const ENTRY_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most bytes in a body that carries one entry: its text may be escaped.
pub const ENTRY_BODY_BYTES_MAX: u64 = 512 * 1024;
/// Most people that one entry mentions by account.
pub const MENTIONS_PER_ENTRY_MAX: usize = 100;
/// Longest reaction, in bytes: one emoji with its joiners.
pub const REACTION_BYTES_MAX: usize = 64;
/// Most different reactions of one account to one entry.
pub const REACTIONS_PER_ACCOUNT_MAX: u32 = 20;
/// Most pinned entries of a room.
pub const PINS_PER_ROOM_MAX: u32 = 100;
/// Longest draft, in bytes.
pub const DRAFT_BYTES_MAX: usize = ENTRY_TEXT_BYTES_MAX;
/// Most entries that are appended in one batch.
pub const APPENDS_PER_BATCH_MAX: usize = 256;

/// Longest topic of a room, in bytes.
pub const TOPIC_BYTES_MAX: usize = 1000;
/// Most members of a room.
pub const MEMBERS_PER_ROOM_MAX: u32 = 10_000;
/// Most rooms that an account is a member of.
pub const ROOMS_PER_ACCOUNT_MAX: u32 = 10_000;
/// Most links, and most webhooks, of a room.
pub const LINKS_PER_ROOM_MAX: u32 = 50;
/// Most invitations of a room that have no answer.
pub const INVITATIONS_PER_ROOM_MAX: u32 = 1_000;
/// Most webhooks of a room.
pub const HOOKS_PER_ROOM_MAX: u32 = 20;
/// Longest address of a subscription to notices, in bytes.
pub const PUSH_ENDPOINT_BYTES_MAX: usize = 2000;
/// Most bytes of a text that a notice shows.
pub const PUSH_TEXT_BYTES_MAX: usize = 240;
/// Longest address that an outgoing webhook posts to, in bytes.
pub const HOOK_URL_BYTES_MAX: usize = 2000;
/// Most entries in one delivery of an outgoing webhook.
pub const HOOK_DELIVERY_ENTRIES_MAX: u32 = 100;
/// Longest name that an incoming message gives itself, in bytes.
pub const HOOK_MESSAGE_NAME_BYTES_MAX: usize = 100;
/// Most contacts of an account, requests included.
pub const CONTACTS_PER_ACCOUNT_MAX: u32 = 10_000;
/// Most requests of one account that have no answer.
pub const CONTACT_REQUESTS_MAX: u32 = 100;
/// Most groups of contacts of an account.
pub const CONTACT_GROUPS_MAX: u32 = 100;
/// Longest word that goes with a contact request, in bytes.
pub const REQUEST_WORD_BYTES_MAX: usize = 500;
/// Longest line that a person says of themselves, in bytes.
pub const STATUS_TEXT_BYTES_MAX: usize = 200;

/// Most frames that wait for one live connection; past it the queue is dropped and the client told to fetch.
pub const LIVE_QUEUE_FRAMES_MAX: usize = 256;
/// Most bytes that wait for one live connection.
pub const LIVE_QUEUE_BYTES_MAX: usize = 1024 * 1024;
/// Largest frame that a client may send.
pub const LIVE_FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Most accounts whose presence one connection watches.
pub const LIVE_WATCHED_MAX: usize = 1000;

/// Longest search, in bytes.
pub const SEARCH_BYTES_MAX: usize = 500;
/// Most hits on a page of a search, and how many there are when the request does not say.
pub const SEARCH_HITS_MAX: u32 = 100;
/// Hits on a page when the request does not say.
pub const SEARCH_HITS_DEFAULT: u32 = 20;

/// Most entries on a page of a journal.
pub const DIARY_ENTRIES_MAX: u32 = 1_000;
/// Entries on a page of a journal when the request does not say.
pub const DIARY_ENTRIES_DEFAULT: u32 = 100;

/// Most bytes in the body of one batch of an import: the manifest of the largest file fits.
pub const IMPORT_BODY_BYTES_MAX: u64 = COMMIT_BODY_BYTES_MAX;
/// Most records in one batch of an import.
pub const IMPORT_RECORDS_MAX: usize = 10_000;

/// Most keys of the journal over UDP that an account has.
pub const JOURNAL_KEYS_MAX: u32 = 100;
/// Longest text of a line with a token or an HMAC, in bytes: what fits every network in one datagram.
pub const JOURNAL_LINE_BYTES_MAX: usize = 1200;
/// Most addresses that one account has claimed for its diary.
pub const DIARY_ADDRESSES_MAX: u32 = 20;
