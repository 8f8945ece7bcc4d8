-- {int}, {text}, {bytes} and {clustered} are replaced for each engine: see src/sql/migrate.rs.
-- Times are milliseconds since the epoch unless a name says otherwise; booleans are 0 and 1; ids are 16 bytes, hashes 32.

CREATE TABLE setting (
  name {text} NOT NULL PRIMARY KEY,
  value {text} NOT NULL
) {clustered};

CREATE TABLE account (
  id {bytes} NOT NULL PRIMARY KEY,
  number {int} NOT NULL UNIQUE,
  username {text} NOT NULL,
  username_key {text} NOT NULL UNIQUE,
  email {text},
  email_key {text} UNIQUE,
  nickname {text} NOT NULL,
  password_hash {text} NOT NULL,
  role {text} NOT NULL CHECK (role IN ('operator', 'member')),
  locked {int} NOT NULL CHECK (locked IN (0, 1)),
  home_id {bytes} NOT NULL,
  quota_bytes {int} NOT NULL,
  used_bytes {int} NOT NULL,
  created_ms {int} NOT NULL
) {clustered};

CREATE TABLE session (
  id {bytes} NOT NULL PRIMARY KEY,
  account_id {bytes} NOT NULL REFERENCES account (id),
  token_hash {bytes} NOT NULL UNIQUE,
  device {text} NOT NULL,
  address {text} NOT NULL,
  created_ms {int} NOT NULL,
  seen_ms {int} NOT NULL
) {clustered};
CREATE INDEX session_account ON session (account_id);

-- The code itself is never stored. A public id names the invitation in lists.
CREATE TABLE invitation (
  id {text} NOT NULL PRIMARY KEY,
  code_hash {bytes} NOT NULL UNIQUE,
  uses_left {int} NOT NULL,
  expires_ms {int} NOT NULL,
  created_by {bytes} NOT NULL REFERENCES account (id),
  created_ms {int} NOT NULL
) {clustered};

-- Failed attempts by account and by address, in windows of time.
CREATE TABLE attempt (
  subject {text} NOT NULL PRIMARY KEY,
  window_ms {int} NOT NULL,
  failed_count {int} NOT NULL
) {clustered};

CREATE TABLE room (
  id {bytes} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL CHECK (kind IN ('personal', 'direct', 'group')),
  owner_id {bytes} NOT NULL REFERENCES account (id),
  root_id {bytes} NOT NULL,
  trash_id {bytes} NOT NULL,
  drive_head {int} NOT NULL,
  used_bytes {int} NOT NULL,
  revision_days {int} NOT NULL,
  trash_days {int} NOT NULL,
  created_ms {int} NOT NULL
) {clustered};
CREATE INDEX room_owner ON room (owner_id);

CREATE TABLE member (
  room_id {bytes} NOT NULL REFERENCES room (id),
  account_id {bytes} NOT NULL REFERENCES account (id),
  role {text} NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
  joined_ms {int} NOT NULL,
  PRIMARY KEY (room_id, account_id)
) {clustered};
CREATE INDEX member_account ON member (account_id);

-- The root has a parent of 16 zero bytes. A removed node's parent is the room's trash, its name_key there its id in
-- hexadecimal, and trash_path where it was. kind: 0 folder, 1 file, 2 link.
-- One index serves both the exact look-up (fold, key) and lists ordered without regard to letter case. A room's nodes
-- stand together in the order they were made, which is the order they are searched in.
-- A purged node whose subtree is still to be freed has a parent of 16 bytes 255, and its id as name_key.
CREATE TABLE node (
  room_id {bytes} NOT NULL,
  id {bytes} NOT NULL,
  parent_id {bytes} NOT NULL,
  name {text} NOT NULL,
  name_key {text} NOT NULL,
  name_fold {text} NOT NULL,
  kind {int} NOT NULL CHECK (kind IN (0, 1, 2)),
  revision {int} NOT NULL,
  bytes {int} NOT NULL,
  content {bytes},
  mtime_ns {int},
  executable {int} NOT NULL CHECK (executable IN (0, 1)),
  changed_ms {int} NOT NULL,
  trashed_ms {int},
  trash_path {text},
  PRIMARY KEY (room_id, id)
) {clustered};
CREATE UNIQUE INDEX node_place ON node (parent_id, name_fold, name_key);
CREATE INDEX node_trashed ON node (room_id, trashed_ms) WHERE trashed_ms IS NOT NULL;

-- The drive's stream, and with it the revisions: a change that brought content carries it. manifest is the packed
-- list of chunks and becomes NULL when retention or a purge lets the content go; the change stays, so positions stay dense.
-- kind: 0 created, 1 updated, 2 moved, 3 removed, 4 restored, 5 purged, 6 tagged.
CREATE TABLE change (
  room_id {bytes} NOT NULL,
  position {int} NOT NULL,
  node_id {bytes} NOT NULL,
  kind {int} NOT NULL,
  at_ms {int} NOT NULL,
  account_id {bytes},
  session_id {bytes},
  parent_id {bytes},
  name {text} NOT NULL,
  node_kind {int} NOT NULL,
  bytes {int},
  content {bytes},
  mtime_ns {int},
  superseded_ms {int},
  manifest {bytes},
  PRIMARY KEY (room_id, position)
) {clustered};
CREATE INDEX change_node ON change (node_id, position);
CREATE INDEX change_superseded ON change (room_id, superseded_ms) WHERE superseded_ms IS NOT NULL;

CREATE TABLE tag (
  node_id {bytes} NOT NULL,
  tag {text} NOT NULL,
  room_id {bytes} NOT NULL,
  PRIMARY KEY (node_id, tag)
) {clustered};
CREATE INDEX tag_room ON tag (room_id, tag, node_id);

-- Applied commits, so that one sent again is applied once. digest is the BLAKE3 of its operations.
CREATE TABLE applied_commit (
  room_id {bytes} NOT NULL,
  id {bytes} NOT NULL,
  account_id {bytes} NOT NULL,
  digest {bytes} NOT NULL,
  position {int} NOT NULL,
  at_ms {int} NOT NULL,
  PRIMARY KEY (room_id, id)
) {clustered};

-- retired_ms is when the segment was found to hold no chunk that the index points to: emptied by compaction, or an object
-- that no row named. Its object is deleted a grace period later.
CREATE TABLE segment (
  id {bytes} NOT NULL PRIMARY KEY,
  bytes {int} NOT NULL,
  chunk_count {int} NOT NULL,
  created_ms {int} NOT NULL,
  retired_ms {int}
) {clustered};

-- Where each chunk rests. scope_id is the account that uploaded it first (16 zero bytes: nobody known); further scopes
-- are in reach. ref_count counts its mentions in the manifests of revisions. touched_ms is the last upload or release, from
-- which the grace period of an unreferenced chunk runs. codec: 0 raw, 1 zstd.
CREATE TABLE chunk (
  hash {bytes} NOT NULL PRIMARY KEY,
  segment_id {bytes} NOT NULL,
  offset_bytes {int} NOT NULL,
  stored_bytes {int} NOT NULL,
  bytes {int} NOT NULL,
  codec {int} NOT NULL,
  scope_id {bytes} NOT NULL,
  ref_count {int} NOT NULL,
  touched_ms {int} NOT NULL
) {clustered};

-- Accounts and rooms, beside a chunk's first uploader, that may learn of it and read it.
CREATE TABLE reach (
  hash {bytes} NOT NULL,
  scope_id {bytes} NOT NULL,
  PRIMARY KEY (hash, scope_id)
) {clustered};
