-- Files on their way in by large pieces, at any offsets. number is what the client's protocol names the upload by. md5 is what
-- the whole must hash to, where the client said it. commit_id is the commit's, so that one repeated after a crash is applied
-- once. ended_ms is when the file was put; the row stays for a while, so that what is sent again is known.
CREATE TABLE assembly (
  account_id {bytes} NOT NULL,
  number {int} NOT NULL,
  room_id {bytes} NOT NULL,
  path {text} NOT NULL,
  bytes {int} NOT NULL,
  mtime_ns {int},
  md5 {bytes},
  commit_id {bytes} NOT NULL,
  touched_ms {int} NOT NULL,
  ended_ms {int},
  PRIMARY KEY (account_id, number)
) {clustered};
CREATE INDEX assembly_touched ON assembly (touched_ms);

-- What has come of them: stretches that do not overlap, as packed lists of chunks.
CREATE TABLE assembly_piece (
  account_id {bytes} NOT NULL,
  number {int} NOT NULL,
  offset_bytes {int} NOT NULL,
  bytes {int} NOT NULL,
  manifest {bytes} NOT NULL,
  PRIMARY KEY (account_id, number, offset_bytes)
) {clustered};

-- The MD5 of contents, where somebody wanted to know it.
CREATE TABLE content_md5 (
  content {bytes} NOT NULL PRIMARY KEY,
  md5 {bytes} NOT NULL
) {clustered};
CREATE INDEX content_md5_md5 ON content_md5 (md5);

-- What an account's clients of a gateway asked it to keep, in the gateway's own words.
CREATE TABLE door_note (
  account_id {bytes} NOT NULL,
  door {text} NOT NULL,
  note {text} NOT NULL,
  PRIMARY KEY (account_id, door)
) {clustered};
