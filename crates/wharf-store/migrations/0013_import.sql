-- Imports that nobody goes on with.

-- touched_ms: when a batch was last taken in. NULL before the first one after an import was given up, and in rows that are
-- older than the column until they are seen.
ALTER TABLE import ADD COLUMN touched_ms {int};
-- given_up_count: how often it was given up. What it makes of rooms and nodes after that has other ids.
ALTER TABLE import ADD COLUMN given_up_count {int} NOT NULL DEFAULT 0;
CREATE INDEX import_touched ON import (touched_ms) WHERE is_done = 0;

-- is_kept: the room was whole when its import was given up, and its records are passed over when they come again.
ALTER TABLE import_room ADD COLUMN is_kept {int} NOT NULL DEFAULT 0;

-- Rooms that were never whole, of imports that were given up: nobody ever saw them, and what is left of them goes.
CREATE TABLE abandoned_room (
  room_id {bytes} NOT NULL PRIMARY KEY
) {clustered};
