-- Notices by Web Push.

-- Where a session's browser is told. public_key and auth: what its notices are sealed for. failing_ms: since when its push
-- service takes none.
CREATE TABLE push_subscription (
  session_id {bytes} NOT NULL PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
  account_id {bytes} NOT NULL,
  endpoint {text} NOT NULL UNIQUE,
  public_key {bytes} NOT NULL,
  auth {bytes} NOT NULL,
  hides_content {int} NOT NULL CHECK (hides_content IN (0, 1)),
  created_ms {int} NOT NULL,
  failing_ms {int}
) {clustered};
CREATE INDEX push_subscription_account ON push_subscription (account_id);

-- Notices that wait, one for each session and room: of what was said from first_position to last_position. due_ms: not before
-- this; whoever sends moves it on first, so that no other process does too. begun_count: attempts that were begun and whose
-- end was not told; failed_count: those that failed.
CREATE TABLE push_notice (
  session_id {bytes} NOT NULL REFERENCES push_subscription (session_id) ON DELETE CASCADE,
  room_id {bytes} NOT NULL,
  first_position {int} NOT NULL,
  last_position {int} NOT NULL,
  due_ms {int} NOT NULL,
  begun_count {int} NOT NULL,
  failed_count {int} NOT NULL,
  PRIMARY KEY (session_id, room_id)
) {clustered};
CREATE INDEX push_notice_due ON push_notice (due_ms);
