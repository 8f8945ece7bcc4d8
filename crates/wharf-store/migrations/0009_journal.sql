-- Writing without a session: keys of the journal over UDP, and the addresses of old diaries.

-- kind: 'token', 'signed', 'sealed'. secret: of a token its hash, of the others the secret itself; empty once the key is
-- removed. A removed key stays, for the sake of the entries that came with it.
CREATE TABLE journal_key (
  id {bytes} NOT NULL PRIMARY KEY,
  account_id {bytes} NOT NULL,
  room_id {bytes} NOT NULL,
  kind {text} NOT NULL CHECK (kind IN ('token', 'signed', 'sealed')),
  name {text} NOT NULL,
  secret {bytes} NOT NULL,
  entries_count {int} NOT NULL,
  used_ms {int},
  created_ms {int} NOT NULL,
  removed_ms {int}
) {clustered};
CREATE INDEX journal_key_account ON journal_key (account_id, created_ms);

-- Every entry that a key has written, for ever, with its first answer: what makes a datagram that comes again one entry.
-- digest is the BLAKE3 of the text.
CREATE TABLE journal_entry (
  key_id {bytes} NOT NULL,
  entry_id {bytes} NOT NULL,
  room_id {bytes} NOT NULL,
  position {int} NOT NULL,
  at_ms {int} NOT NULL,
  digest {bytes} NOT NULL,
  PRIMARY KEY (key_id, entry_id)
) {clustered};

-- What was said with a token lately, since such a line has no id: the same text again is the same entry for a while.
CREATE TABLE journal_text (
  key_id {bytes} NOT NULL,
  digest {bytes} NOT NULL,
  position {int} NOT NULL,
  at_ms {int} NOT NULL,
  PRIMARY KEY (key_id, digest)
) {clustered};

-- Which room the diary of an address goes to. show: 'diary', 'all'.
CREATE TABLE diary_address (
  address {text} NOT NULL PRIMARY KEY,
  account_id {bytes} NOT NULL,
  room_id {bytes} NOT NULL,
  show {text} NOT NULL CHECK (show IN ('diary', 'all')),
  claimed_ms {int} NOT NULL,
  expires_ms {int} NOT NULL
) {clustered};
CREATE INDEX diary_address_account ON diary_address (account_id);

-- Entries that diary clients have written: from where.
CREATE TABLE diary_line (
  room_id {bytes} NOT NULL,
  position {int} NOT NULL,
  address {text} NOT NULL,
  port {int} NOT NULL,
  PRIMARY KEY (room_id, position)
) {clustered};
CREATE INDEX diary_line_client ON diary_line (room_id, address, port, position);

-- The clients that have written to a room. last_position: of their last entry.
CREATE TABLE diary_client (
  room_id {bytes} NOT NULL,
  address {text} NOT NULL,
  port {int} NOT NULL,
  entries_count {int} NOT NULL,
  last_position {int} NOT NULL,
  last_ms {int} NOT NULL,
  PRIMARY KEY (room_id, address, port)
) {clustered};
CREATE INDEX diary_client_last ON diary_client (room_id, last_position);
