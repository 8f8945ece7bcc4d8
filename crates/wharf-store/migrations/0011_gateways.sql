-- What one key of the journal has written, by position: what its owner looks for when others have read it.
CREATE INDEX journal_entry_position ON journal_entry (key_id, room_id, position);

-- Nodes by their content: what an MD5 finds among those of a drive. Without the room in it, or SQLite walks the drive instead.
CREATE INDEX node_content ON node (content) WHERE content IS NOT NULL;
