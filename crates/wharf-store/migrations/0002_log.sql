-- People, rooms with several members, and logs.

ALTER TABLE account ADD COLUMN status_text {text} NOT NULL DEFAULT '';
-- When the account was last connected and visible to others.
ALTER TABLE account ADD COLUMN seen_ms {int};

-- history: what who joins later sees, 'joined' or 'all'. direct_key: of a direct room, the ids of its two accounts, the
-- smaller one first, so that there is one room for two people.
ALTER TABLE room ADD COLUMN name {text} NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN topic {text} NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN history {text} NOT NULL DEFAULT 'all';
ALTER TABLE room ADD COLUMN archived {int} NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN direct_key {bytes};
CREATE UNIQUE INDEX room_direct ON room (direct_key) WHERE direct_key IS NOT NULL;

-- How many entries of the log hand this revision over; while there is one, retention lets it be.
ALTER TABLE change ADD COLUMN handed_count {int} NOT NULL DEFAULT 0;
DROP INDEX change_superseded;
CREATE INDEX change_superseded ON change (room_id, superseded_ms) WHERE superseded_ms IS NOT NULL AND handed_count = 0;

-- floor_position: the member cannot read up to here. read_countable: of the entry at read_position. notify: 'all', 'mentions', 'nothing'.
ALTER TABLE member ADD COLUMN floor_position {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN read_position {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN read_countable {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN notify {text} NOT NULL DEFAULT 'all';
ALTER TABLE member ADD COLUMN is_pinned {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN is_marked {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN is_hidden {int} NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN draft {text} NOT NULL DEFAULT '';

-- Who was a member once, so that what they wrote keeps its author's name. Who was removed comes back by an invitation
-- only, not by a link.
CREATE TABLE past_member (
  room_id {bytes} NOT NULL,
  account_id {bytes} NOT NULL,
  joined_ms {int} NOT NULL,
  left_ms {int} NOT NULL,
  is_removed {int} NOT NULL CHECK (is_removed IN (0, 1)),
  PRIMARY KEY (room_id, account_id)
) {clustered};

-- Each side has its row; they are written together. state: 'asked', 'asking', 'contact', 'stranger'. A declined request
-- leaves the asker's row as it is and deletes the other's.
CREATE TABLE contact (
  account_id {bytes} NOT NULL,
  other_id {bytes} NOT NULL,
  state {text} NOT NULL CHECK (state IN ('asked', 'asking', 'contact', 'stranger')),
  is_blocked {int} NOT NULL CHECK (is_blocked IN (0, 1)),
  remark {text} NOT NULL,
  group_id {bytes},
  word {text} NOT NULL,
  since_ms {int} NOT NULL,
  PRIMARY KEY (account_id, other_id)
) {clustered};
CREATE INDEX contact_other ON contact (other_id, account_id);

CREATE TABLE contact_group (
  account_id {bytes} NOT NULL,
  id {bytes} NOT NULL,
  name {text} NOT NULL,
  name_key {text} NOT NULL,
  sort {int} NOT NULL,
  PRIMARY KEY (account_id, id)
) {clustered};
CREATE UNIQUE INDEX contact_group_name ON contact_group (account_id, name_key);

-- The account's own list as a stream: whenever a thing of it changes, it takes the next version. What is past a version is
-- what changed since; the thing itself is read from its own table, and is gone if it is not there.
-- kind: 'contact', 'group', 'room', 'invitation', 'read'; thing_id is the account, group or room.
CREATE TABLE account_list (
  account_id {bytes} NOT NULL PRIMARY KEY,
  version {int} NOT NULL
) {clustered};
CREATE TABLE account_change (
  account_id {bytes} NOT NULL,
  kind {text} NOT NULL,
  thing_id {bytes} NOT NULL,
  version {int} NOT NULL,
  PRIMARY KEY (account_id, kind, thing_id)
) {clustered};
CREATE UNIQUE INDEX account_change_version ON account_change (account_id, version);

CREATE TABLE room_invitation (
  account_id {bytes} NOT NULL,
  room_id {bytes} NOT NULL,
  by_id {bytes} NOT NULL,
  role {text} NOT NULL CHECK (role IN ('editor', 'reader')),
  at_ms {int} NOT NULL,
  PRIMARY KEY (account_id, room_id)
) {clustered};
CREATE INDEX room_invitation_room ON room_invitation (room_id);
CREATE INDEX room_invitation_by ON room_invitation (by_id);

-- The code itself is never stored. uses_left is NULL for any number.
CREATE TABLE room_link (
  id {text} NOT NULL PRIMARY KEY,
  room_id {bytes} NOT NULL,
  code_hash {bytes} NOT NULL UNIQUE,
  role {text} NOT NULL CHECK (role IN ('editor', 'reader')),
  uses_left {int},
  expires_ms {int} NOT NULL,
  created_by {bytes} NOT NULL,
  created_ms {int} NOT NULL
) {clustered};
CREATE INDEX room_link_room ON room_link (room_id);

-- The end of each room's log, and its beginning: entries up to floor_position are no longer kept.
-- countable counts texts and files. hour is the last hour that has a row in log_hour.
CREATE TABLE log (
  room_id {bytes} NOT NULL PRIMARY KEY,
  head {int} NOT NULL,
  hash {bytes} NOT NULL,
  countable {int} NOT NULL,
  hour {int} NOT NULL,
  floor_position {int} NOT NULL,
  floor_hash {bytes} NOT NULL,
  floor_countable {int} NOT NULL,
  keep_days {int} NOT NULL
) {clustered};

-- kind: 0 text, 1 file, 2 edit, 3 recall, 4 reaction, 5 pin, 6 member, 7 settings. body is the canonical form of
-- wharf-wire, NULL once erased, and then body_digest is what it hashed to. target is the position that the entry is about;
-- edit_position, recall_position and pin_position are those of the last entries about this one. author_name stands for an author
-- who has no account here.
CREATE TABLE entry (
  room_id {bytes} NOT NULL,
  position {int} NOT NULL,
  kind {int} NOT NULL,
  at_ms {int} NOT NULL,
  account_id {bytes},
  session_id {bytes},
  hook_id {bytes},
  author_name {text},
  door {text} NOT NULL,
  address {text},
  client_ms {int},
  countable {int} NOT NULL,
  hash {bytes} NOT NULL,
  body {bytes},
  body_digest {bytes},
  target {int},
  edit_position {int},
  recall_position {int},
  pin_position {int},
  PRIMARY KEY (room_id, position)
) {clustered};
CREATE INDEX entry_file ON entry (room_id, position) WHERE kind = 1;
CREATE INDEX entry_edit ON entry (room_id, target, position) WHERE kind = 2;
CREATE INDEX entry_pin ON entry (room_id, pin_position) WHERE pin_position IS NOT NULL;

-- The first entry of each hour (of UTC, hours since the epoch) that has one: how a date is found.
CREATE TABLE log_hour (
  room_id {bytes} NOT NULL,
  hour {int} NOT NULL,
  position {int} NOT NULL,
  PRIMARY KEY (room_id, hour)
) {clustered};

-- Reactions that hold.
CREATE TABLE reaction (
  room_id {bytes} NOT NULL,
  target {int} NOT NULL,
  account_id {bytes} NOT NULL,
  emoji {text} NOT NULL,
  position {int} NOT NULL,
  PRIMARY KEY (room_id, target, account_id, emoji)
) {clustered};

-- Who is mentioned where; everybody is 16 zero bytes.
CREATE TABLE mention (
  room_id {bytes} NOT NULL,
  account_id {bytes} NOT NULL,
  position {int} NOT NULL,
  PRIMARY KEY (room_id, account_id, position)
) {clustered};

-- Every number that a device has used, for ever: what makes a repeated append one entry. position, at_ms and hash are the
-- entry's, so that the first answer can be given again when the entry is no longer kept; they are NULL for a refusal, and
-- then refusal is its code. digest is the BLAKE3 of room, sender's time and draft.
CREATE TABLE sent (
  account_id {bytes} NOT NULL,
  device_id {bytes} NOT NULL,
  number {int} NOT NULL,
  room_id {bytes} NOT NULL,
  position {int},
  at_ms {int},
  hash {bytes},
  digest {bytes} NOT NULL,
  refusal {text},
  PRIMARY KEY (account_id, device_id, number)
) {clustered};

-- How far each device has stored a room's log.
CREATE TABLE delivered (
  room_id {bytes} NOT NULL,
  account_id {bytes} NOT NULL,
  device_id {bytes} NOT NULL,
  position {int} NOT NULL,
  PRIMARY KEY (room_id, account_id, device_id)
) {clustered};

-- direction: 'incoming', 'outgoing'. secret: of an incoming one its hash, of an outgoing one the key itself. position: an
-- outgoing one has delivered up to here; sending: the delivery under way goes up to here, at each attempt; equal to
-- position while there is none. next_ms: not before this; whoever delivers moves it on first, so that no other process
-- does too. first_failed_ms: since when it fails.
CREATE TABLE hook (
  id {bytes} NOT NULL PRIMARY KEY,
  room_id {bytes} NOT NULL,
  direction {text} NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
  name {text} NOT NULL,
  url {text},
  secret {bytes} NOT NULL,
  position {int} NOT NULL,
  sending {int} NOT NULL,
  next_ms {int} NOT NULL,
  failed_count {int} NOT NULL,
  first_failed_ms {int},
  last_error {text},
  is_stopped {int} NOT NULL CHECK (is_stopped IN (0, 1)),
  created_by {bytes} NOT NULL,
  created_ms {int} NOT NULL
) {clustered};
CREATE INDEX hook_room ON hook (room_id);
CREATE INDEX hook_due ON hook (next_ms) WHERE direction = 'outgoing' AND is_stopped = 0;

-- Messages that incoming webhooks have posted under a name of their own, with their first answers: what makes a repeated
-- message one entry. digest is the BLAKE3 of the text.
CREATE TABLE hook_message (
  hook_id {bytes} NOT NULL,
  name {text} NOT NULL,
  digest {bytes} NOT NULL,
  position {int} NOT NULL,
  at_ms {int} NOT NULL,
  hash {bytes} NOT NULL,
  PRIMARY KEY (hook_id, name)
) {clustered};

-- Rooms that were there before have empty logs, whose chain begins with 32 zero bytes.
INSERT INTO log (room_id, head, hash, countable, hour, floor_position, floor_hash, floor_countable, keep_days)
  SELECT id, 0, {zero32}, 0, -1, 0, {zero32}, 0, 0 FROM room;
