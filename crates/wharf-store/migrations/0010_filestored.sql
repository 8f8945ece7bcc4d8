-- Files on their way in by pieces that are smaller than chunks. upload_key is what the client's protocol names the upload by,
-- unique among an account's. sha256 is what the whole must hash to, where the client said it. tags is a list in JSON.
-- ended_ms is when the file was put; the row stays for a while, so that what is sent again is known.
CREATE TABLE partial (
  id {bytes} NOT NULL PRIMARY KEY,
  account_id {bytes} NOT NULL REFERENCES account (id),
  upload_key {text} NOT NULL,
  room_id {bytes} NOT NULL,
  path {text} NOT NULL,
  tags {text} NOT NULL,
  bytes {int} NOT NULL,
  sha256 {bytes},
  received_bytes {int} NOT NULL,
  whole_bytes {int} NOT NULL,
  touched_ms {int} NOT NULL,
  ended_ms {int},
  UNIQUE (account_id, upload_key)
) {clustered};
CREATE INDEX partial_touched ON partial (touched_ms);

-- The pieces. Not clustered: a piece of a thousand bytes would not fit a page of the index.
CREATE TABLE part (
  partial_id {bytes} NOT NULL,
  offset_bytes {int} NOT NULL,
  data {bytes} NOT NULL,
  PRIMARY KEY (partial_id, offset_bytes)
);

-- What a client calls its pieces, where they are told apart by that and not by their place.
CREATE TABLE part_mark (
  partial_id {bytes} NOT NULL,
  mark {bytes} NOT NULL,
  PRIMARY KEY (partial_id, mark)
) {clustered};

-- The SHA-256 of revisions, where somebody wanted to know it.
CREATE TABLE file_digest (
  sha256 {bytes} NOT NULL,
  room_id {bytes} NOT NULL,
  node_id {bytes} NOT NULL,
  revision {int} NOT NULL,
  PRIMARY KEY (sha256, room_id, node_id, revision)
) {clustered};
CREATE INDEX file_digest_node ON file_digest (node_id, revision);
