-- What is under way of an import, and what has no other place of what was imported.

-- An account's imports. secret: what the ids of imported things are made from. archive_account: the account in the archive that
-- is the importer. room_from: the room whose records are coming.
CREATE TABLE import (
  account_id {bytes} NOT NULL,
  id {bytes} NOT NULL,
  number {int} NOT NULL,
  secret {bytes} NOT NULL,
  archive_account {bytes},
  room_from {bytes},
  is_done {int} NOT NULL CHECK (is_done IN (0, 1)),
  PRIMARY KEY (account_id, id)
) {clustered};

-- Rooms of an import. source_hash: the end of the archive's chain so far. record: what the room is to be, in JSON, until it is whole.
CREATE TABLE import_room (
  account_id {bytes} NOT NULL,
  import_id {bytes} NOT NULL,
  from_id {bytes} NOT NULL,
  to_id {bytes} NOT NULL,
  source_hash {bytes} NOT NULL,
  record {text},
  PRIMARY KEY (account_id, import_id, from_id)
) {clustered};

-- Groups of contacts of an import: one that the importer had already keeps its id.
CREATE TABLE import_group (
  account_id {bytes} NOT NULL,
  import_id {bytes} NOT NULL,
  from_id {bytes} NOT NULL,
  to_id {bytes} NOT NULL,
  PRIMARY KEY (account_id, import_id, from_id)
) {clustered};

-- People of imported rooms, who have no account here: what they wrote has these ids. record: who they are and were, in JSON.
CREATE TABLE stand_in (
  room_id {bytes} NOT NULL,
  account_id {bytes} NOT NULL,
  username_key {text} NOT NULL,
  record {text} NOT NULL,
  PRIMARY KEY (room_id, account_id)
) {clustered};

-- Imported contacts, who cannot be made contacts by an import, in JSON.
CREATE TABLE kept_contact (
  account_id {bytes} NOT NULL,
  other_id {bytes} NOT NULL,
  record {text} NOT NULL,
  PRIMARY KEY (account_id, other_id)
) {clustered};

-- What an imported room was, where it could not stay that: direct and further personal rooms are groups here.
CREATE TABLE imported_room (
  room_id {bytes} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  name {text} NOT NULL,
  given_name {text} NOT NULL
) {clustered};
