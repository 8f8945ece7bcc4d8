-- Passwords of gateways, one for each account and gateway. verifier: argon2id of what the protocol sends. session_id: the
-- session that logins through the gateway share, while it stands.
CREATE TABLE app_password (
  account_id {bytes} NOT NULL,
  door {text} NOT NULL,
  verifier {text} NOT NULL,
  session_id {bytes},
  created_ms {int} NOT NULL,
  used_ms {int},
  PRIMARY KEY (account_id, door)
) {clustered};
