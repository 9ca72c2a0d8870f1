"""The embedded archive's tables, their versions and the way from one to the next."""

from __future__ import annotations

APPLICATION_ID = 0x53505257
"""``SPRW`` in the file's header: how we know our own files from other programs' databases."""

TABLES = """
CREATE TABLE session(
  sid INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  title TEXT,                       -- the agent's own title
  prompt TEXT,                      -- first line of the first prompt
  name TEXT,                        -- the user's name for it
  status TEXT NOT NULL DEFAULT 'active',
  project TEXT, branch TEXT, model TEXT,
  created_at INTEGER, updated_at INTEGER,
  turns INTEGER NOT NULL DEFAULT 0,
  parent TEXT, parent_tool_use TEXT,
  input INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0,
  cache_read INTEGER NOT NULL DEFAULT 0, cache_write INTEGER NOT NULL DEFAULT 0,
  reasoning INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0, request_errors INTEGER NOT NULL DEFAULT 0,
  tool_calls INTEGER NOT NULL DEFAULT 0, tool_errors INTEGER NOT NULL DEFAULT 0,
  cost_micro INTEGER, unpriced INTEGER NOT NULL DEFAULT 0,
  chars INTEGER NOT NULL DEFAULT 0, lines INTEGER NOT NULL DEFAULT 0,
  coverage TEXT,                    -- JSON of model.Coverage; NULL: its source was only glanced at
  source TEXT, source_gone INTEGER NOT NULL DEFAULT 0, expires_at INTEGER,
  pinned INTEGER NOT NULL DEFAULT 0, hidden INTEGER NOT NULL DEFAULT 0,
  ghost INTEGER NOT NULL DEFAULT 0,
  tags TEXT, extra TEXT             -- JSON
);
CREATE INDEX session_updated ON session(hidden, updated_at DESC, sid DESC);
CREATE INDEX session_listed ON session(
  hidden, pinned DESC, updated_at DESC, sid DESC, parent
);
CREATE INDEX session_parent ON session(parent) WHERE parent IS NOT NULL;
CREATE INDEX session_source ON session(source);
CREATE INDEX session_named ON session(agent, project, branch, model);
CREATE INDEX session_live ON session(status, updated_at) WHERE status IN ('working', 'waiting');

CREATE TABLE turn(
  docid INTEGER PRIMARY KEY,        -- sorts by time: see store/docid.py
  sid INTEGER NOT NULL,
  idx INTEGER NOT NULL,             -- turn_index, without gaps from 0
  role TEXT NOT NULL,
  flags INTEGER NOT NULL,           -- flags.Flag
  chars INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  time INTEGER,
  digest INTEGER NOT NULL,
  body BLOB NOT NULL                -- codec.pack(MessagePack of model.Turn)
);
CREATE INDEX turn_place ON turn(sid, idx, role, flags, chars, lines, time);

CREATE INDEX turn_prompt ON turn(time) WHERE flags & 4096;  -- flags.Flag.PROMPT

CREATE TABLE chunk(                 -- whose the row ids are, 64 by 64
  no INTEGER PRIMARY KEY,
  sid INTEGER NOT NULL,
  second INTEGER NOT NULL           -- of its first turn, since docid.EPOCH
);
CREATE INDEX chunk_session ON chunk(sid);

CREATE TABLE call(                  -- tool calls, paired with their results
  sid INTEGER NOT NULL, id TEXT NOT NULL,
  name TEXT, use_idx INTEGER, result_idx INTEGER,
  is_error INTEGER, started INTEGER, ended INTEGER, duration_ms INTEGER, child TEXT,
  PRIMARY KEY (sid, id)
) WITHOUT ROWID;

CREATE TABLE attachment(ref TEXT PRIMARY KEY, media_type TEXT, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE attachment_use(
  sid INTEGER NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (sid, ref)
) WITHOUT ROWID;

CREATE TABLE source(
  agent TEXT NOT NULL, path TEXT NOT NULL,
  stamp TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, kind TEXT NOT NULL,
  checkpoint BLOB,                  -- MessagePack of agents.base.Checkpoint, as `codec.pack` does
  coverage TEXT, problem TEXT, gone INTEGER NOT NULL DEFAULT 0, read_at INTEGER,
  PRIMARY KEY (agent, path)
) WITHOUT ROWID;

-- What every sync begins with, without the checkpoints in between.
CREATE INDEX source_known ON source(agent, path, stamp, gone) WHERE NOT gone;

CREATE TABLE deleted(               -- by the user; its source, should it be asked for again
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, agent TEXT, path TEXT
) WITHOUT ROWID;
CREATE TABLE unknown_record(        -- kinds of record nobody has told us about
  agent TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, example TEXT,
  PRIMARY KEY (agent, kind)
) WITHOUT ROWID;
CREATE TABLE note(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""

MIGRATIONS: dict[int, str] = {}
"""Statements that bring an archive from version *n* to *n + 1*."""

VERSION = 1
