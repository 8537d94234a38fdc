/**
 * The tables of `sessions.db`, a step a version. A step that was published is never changed: a change is a further step.
 *
 * Everything in this file expires. Times are milliseconds since the epoch.
 */
export const sessionsSteps: readonly string[] = [
  `
  CREATE TABLE artifacts (
    number INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    expires_at INTEGER,
    consumed_at INTEGER,
    grant_id TEXT,
    uid TEXT,
    user_code TEXT,
    account_id TEXT,
    payload TEXT NOT NULL,
    UNIQUE (model, id)
  ) STRICT;
  CREATE INDEX artifacts_by_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX artifacts_by_grant ON artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX artifacts_by_uid ON artifacts (uid) WHERE model = 'Session';
  CREATE INDEX artifacts_by_user_code ON artifacts (user_code) WHERE user_code IS NOT NULL;
  -- What was issued under a grant is found through it: most rows are tokens, and an index less is a page less to write for each.
  CREATE INDEX artifacts_by_account ON artifacts (account_id) WHERE account_id IS NOT NULL AND grant_id IS NULL;

  CREATE TABLE attempts (
    key TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attempts_by_expiry ON attempts (expires_at);
  `,
]
