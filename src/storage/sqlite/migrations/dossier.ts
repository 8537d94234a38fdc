/**
 * The tables of `dossier.db`, a step a version. A step that was published is never changed: a change is a further step.
 *
 * Times are milliseconds since the epoch. What is searched for is a column; the rest of a record is one JSON `document`.
 */
export const dossierSteps: readonly string[] = [
  `
  CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username_key TEXT NOT NULL UNIQUE,
    email_key TEXT,
    state TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    metadata_keys INTEGER NOT NULL,
    metadata_bytes INTEGER NOT NULL,
    document TEXT NOT NULL,
    -- All metadata as tokens carry it, when it is not long; it follows from the table below.
    metadata_text TEXT
  ) STRICT;
  CREATE INDEX users_by_verified_email ON users (email_key, id) WHERE email_key IS NOT NULL;

  -- With a rowid: a long value then fills overflow pages of its own, and the keys beside it stay close together. The value is last,
  -- so that reading the other columns does not walk through it.
  CREATE TABLE metadata (
    number INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (user_id, key)
  ) STRICT;

  CREATE TABLE personal_access_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT;
  CREATE INDEX personal_access_tokens_by_user ON personal_access_tokens (user_id);

  -- "number" is the order of commits, which neither clocks nor ids of several processes can tell.
  CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    sequence INTEGER,
    type TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_without_gap ON events (subject_id, sequence) WHERE sequence IS NOT NULL;
  CREATE INDEX events_by_subject ON events (subject_kind, subject_id);

  CREATE TABLE catalogue (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL,
    organization TEXT,
    settings TEXT,
    own_project_id TEXT
  ) STRICT;
  INSERT INTO catalogue (only, revision) VALUES (1, 0);

  CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;

  CREATE TABLE applications (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX applications_by_project ON applications (project_id, created_at, id);

  CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    published_until INTEGER
  ) STRICT;
  `,
  // What users are looked for by (domain/users/search.ts), and whom actions call.
  `
  ALTER TABLE users ADD COLUMN email_search TEXT;
  UPDATE users SET email_search = lower(document ->> '$.profile.email');
  CREATE INDEX users_by_email ON users (email_search, id) WHERE email_search IS NOT NULL;
  CREATE INDEX users_by_creation ON users (created_at, id);
  CREATE INDEX users_by_state ON users (state, created_at, id);
  CREATE INDEX metadata_by_key ON metadata (key, substr(value, 1, 201), user_id);

  CREATE TABLE targets (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE executions (
    condition TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    targets TEXT NOT NULL
  ) STRICT;

  CREATE TABLE grants (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (project_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_by_user ON grants (user_id);
  INSERT INTO grants (project_id, user_id) SELECT roles.key, users.id FROM users, json_each(users.document, '$.roles') AS roles;
  `,
  // App Services: apps, and who logs in by what.
  `
  CREATE TABLE apps (
    id TEXT NOT NULL PRIMARY KEY,
    client_app_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE identities (
    identity TEXT NOT NULL PRIMARY KEY,
    app TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX identities_by_app ON identities (app, user_id);
  CREATE INDEX identities_by_user ON identities (user_id);
  `,
  // What users are browsed by (domain/users/browse.ts). "words_of" is ours (userWords.ts). Words are written in the order of their index, which only
  // grows at its end then: half a minute for a million users. An index by user would double the table; its rows are taken away by
  // the user that they were made of.
  `
  CREATE TABLE user_words (
    word TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (word, user_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO user_words (word, user_id)
    SELECT words.value AS word, users.id AS user_id FROM users, json_each(words_of(users.document)) AS words ORDER BY 1, 2;
  CREATE INDEX users_by_kind ON users (document ->> '$.kind', created_at, id);

  CREATE TABLE user_counts (state TEXT NOT NULL PRIMARY KEY, users INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO user_counts (state, users) SELECT state, count(*) FROM users GROUP BY state;
  CREATE TRIGGER user_counts_up AFTER INSERT ON users BEGIN
    INSERT INTO user_counts (state, users) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET users = users + 1;
  END;
  CREATE TRIGGER user_counts_down AFTER DELETE ON users BEGIN
    UPDATE user_counts SET users = users - 1 WHERE state = OLD.state;
  END;
  CREATE TRIGGER user_counts_over AFTER UPDATE OF state ON users WHEN NEW.state <> OLD.state BEGIN
    UPDATE user_counts SET users = users - 1 WHERE state = OLD.state;
    INSERT INTO user_counts (state, users) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET users = users + 1;
  END;
  `,
  // The audit trail as a whole (domain/audit/trail.ts). An index ends in the row's "number", which orders events of one millisecond.
  `
  CREATE INDEX events_by_time ON events (at);
  CREATE INDEX events_by_type ON events (type, at);
  CREATE INDEX events_by_actor ON events ((actor ->> '$.kind') || ' ' || coalesce(actor ->> '$.id', ''), at);
  CREATE INDEX events_by_subject_and_time ON events (subject_kind, subject_id, at);
  DROP INDEX events_by_subject;
  `,
]
