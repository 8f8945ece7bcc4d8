-- Search: an inverted index in tables that both engines understand alike.

-- How far the index of a room has followed its log and its drive, and the last document numbers that were given out.
-- There is no row before the first time. floor_position: what the log keeps no longer is gone from the index up to here.
CREATE TABLE search_room (
  room_id {bytes} NOT NULL PRIMARY KEY,
  log_position {int} NOT NULL,
  drive_position {int} NOT NULL,
  floor_position {int} NOT NULL,
  entry_doc {int} NOT NULL,
  node_doc {int} NOT NULL
) {clustered};

-- What is indexed: a text or file of the log, by position, or a node. Its number sorts by time. terms are the terms it is
-- listed under, each followed by a line feed, so that it can be taken out when what it said is gone.
CREATE TABLE search_doc (
  room_id {bytes} NOT NULL,
  doc {int} NOT NULL,
  position {int},
  node_id {bytes},
  terms {text} NOT NULL,
  PRIMARY KEY (room_id, doc)
) {clustered};
CREATE UNIQUE INDEX search_doc_entry ON search_doc (room_id, position) WHERE position IS NOT NULL;
CREATE UNIQUE INDEX search_doc_node ON search_doc (room_id, node_id) WHERE node_id IS NOT NULL;

-- The documents of a term, ascending, in blocks. No document of a block is greater than its number, and
-- all are greater than the number of the one before; the last block is open, with the greatest number that there is,
-- 9223372036854775807, and is there as long as the term has any.
CREATE TABLE search_block (
  room_id {bytes} NOT NULL,
  term {text} NOT NULL,
  block {int} NOT NULL,
  doc_count {int} NOT NULL,
  docs {bytes} NOT NULL,
  PRIMARY KEY (room_id, term, block)
) {clustered};
