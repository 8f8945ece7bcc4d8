-- What the page needs beside the drives themselves. All of it can be made again.

-- Revisions that were looked at, and how large their images are; 0 where a revision is no image of which thumbnails are made.
CREATE TABLE image (
  room_id {bytes} NOT NULL,
  position {int} NOT NULL,
  width {int} NOT NULL,
  height {int} NOT NULL,
  PRIMARY KEY (room_id, position)
) {clustered};

-- How far a drive was looked at for images.
CREATE TABLE image_room (
  room_id {bytes} NOT NULL PRIMARY KEY,
  position {int} NOT NULL
) {clustered};
