-- SPDX-License-Identifier: Apache-2.0
-- The tables of a laptop's vault, version 6 (PRAGMA user_version). Interface: chasqui/store.h.
-- All times are milliseconds since 1970 in UTC, by the device's clock. Names and hashes are BLAKE2b-256 (32 bytes).
-- A change here is a new version, with its step in vault/store/migrate.c.

-- === Fixed tables: what is here is nowhere else ===

-- Settings of the collector; keys are its own. "sequence" holds the highest number given out beside the trail.
CREATE TABLE setting(
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- The devices this vault has been: one on joining, one more after each restore. The last begun is the one in force.
CREATE TABLE device(
  begun         INTEGER PRIMARY KEY,         -- 1, 2, 3… in order
  id            BLOB NOT NULL UNIQUE,
  vault_id      BLOB NOT NULL,               -- of the file it began in: another one means this is a copy
  programme     BLOB NOT NULL,
  practice      INTEGER NOT NULL CHECK (practice IN (0, 1)),
  predecessor   BLOB,
  number        INTEGER NOT NULL,            -- as the desk numbers it; 0: not yet
  begun_utc_ms  INTEGER NOT NULL,
  last_batch    INTEGER NOT NULL DEFAULT 0,
  last_hash     BLOB
) STRICT;

CREATE TABLE secret(
  device  INTEGER NOT NULL REFERENCES device,
  name    TEXT NOT NULL,
  bytes   BLOB NOT NULL,
  PRIMARY KEY (device, name)
) STRICT, WITHOUT ROWID;

-- The bundle in force: one row, replaced by a higher number only.
CREATE TABLE bundle(
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  number  INTEGER NOT NULL,
  bytes   BLOB NOT NULL
) STRICT;

-- Forms of this bundle and of earlier ones: a draft ends under the version it was begun with.
CREATE TABLE form(
  hash     BLOB PRIMARY KEY,
  id       TEXT NOT NULL,
  version  TEXT NOT NULL,
  title    TEXT NOT NULL,
  status   INTEGER NOT NULL CHECK (status IN (1, 2, 3)),  -- current, closing, withdrawn
  bytes    BLOB NOT NULL,
  origin   TEXT NOT NULL DEFAULT ''     -- name of the server of others that it came from; '': of a bundle
) STRICT;

CREATE TABLE list(
  name   TEXT PRIMARY KEY,
  bytes  BLOB NOT NULL
) STRICT;

-- OpenRosa servers of others, to which interviews go readable at the technician's word. Here, and in no file, so that
-- nobody changes where they go.
CREATE TABLE server(
  name          TEXT PRIMARY KEY,
  kind          INTEGER NOT NULL,
  url           TEXT NOT NULL,
  user          TEXT NOT NULL,
  secret        BLOB NOT NULL,
  ca            BLOB NOT NULL,           -- certificates to trust, PEM; empty: the system's
  forms         TEXT NOT NULL,           -- ids of the programme's forms whose records go there, one a line
  added_utc_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Lists and media that forms of a server read.
CREATE TABLE server_list(
  server  TEXT NOT NULL,
  name    TEXT NOT NULL,
  bytes   BLOB NOT NULL,
  PRIMARY KEY (server, name)
) STRICT, WITHOUT ROWID;

-- The audit trail, append-only: hash = BLAKE2b(hash before, content_hash). A draft's answers are its entries, so an
-- answer is written once. Erasing empties the columns from who to salt; content_hash stays, and the chain holds.
CREATE TABLE trail(
  sequence       INTEGER PRIMARY KEY,
  draft          INTEGER NOT NULL,   -- 0: none
  what           TEXT NOT NULL,      -- answer, undo, begin, discard, finalise, erase…
  device_utc_ms  INTEGER NOT NULL,
  undoes         INTEGER,            -- of an undo: the sequence taken back
  content_hash   BLOB NOT NULL,
  hash           BLOB NOT NULL,
  kind           INTEGER,
  who            TEXT,
  reference      TEXT,
  before         TEXT,
  after          TEXT,
  bookmark       TEXT,
  salt           BLOB                -- random, so that content_hash betrays no answer
) STRICT;
CREATE INDEX trail_draft ON trail(draft) WHERE draft <> 0;
CREATE UNIQUE INDEX trail_undoes ON trail(undoes) WHERE undoes IS NOT NULL;

CREATE TRIGGER trail_stays BEFORE DELETE ON trail
BEGIN SELECT raise(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER trail_fixed BEFORE UPDATE ON trail
WHEN NEW.sequence <> OLD.sequence OR NEW.draft <> OLD.draft OR NEW.what <> OLD.what
  OR NEW.device_utc_ms <> OLD.device_utc_ms OR NEW.undoes IS NOT OLD.undoes
  OR NEW.content_hash <> OLD.content_hash OR NEW.hash <> OLD.hash
  OR coalesce(NEW.kind, NEW.who, NEW.reference, NEW.before, NEW.after, NEW.bookmark, NEW.salt) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the trail is append-only'); END;

CREATE TABLE draft(
  id            INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the trail speaks of it
  form          BLOB NOT NULL REFERENCES form,
  technician    TEXT NOT NULL,
  label         TEXT NOT NULL,
  begun_utc_ms  INTEGER NOT NULL,
  parent        BLOB                                  -- name of the record that it corrects; NULL: none
) STRICT;
-- Apart, so that lists of drafts do not read it.
CREATE TABLE draft_base(
  draft  INTEGER PRIMARY KEY REFERENCES draft ON DELETE CASCADE,
  base   BLOB NOT NULL
) STRICT;

-- Finished interviews, immutable. States: 0 not batched, 1 batched, 2 kept, 3 opened, 4 erased.
CREATE TABLE record(
  number            INTEGER PRIMARY KEY,
  name              BLOB NOT NULL UNIQUE,
  draft             INTEGER NOT NULL,     -- whose entries in the trail are this record's; 0: none
  form              BLOB NOT NULL,
  parent            BLOB,
  form_id           TEXT NOT NULL,
  instance_id       TEXT NOT NULL,
  season            TEXT NOT NULL,
  label             TEXT NOT NULL,
  technician        TEXT NOT NULL,
  result            INTEGER NOT NULL,
  finalised_utc_ms  INTEGER NOT NULL,
  state             INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  size              INTEGER NOT NULL
) STRICT;
CREATE INDEX record_state ON record(state);
CREATE INDEX record_parent ON record(parent) WHERE parent IS NOT NULL;
CREATE TABLE record_bytes(
  record  INTEGER PRIMARY KEY REFERENCES record,
  bytes   BLOB NOT NULL
) STRICT;
CREATE TABLE record_subject(
  subject  TEXT NOT NULL,
  record   INTEGER NOT NULL REFERENCES record,
  PRIMARY KEY (subject, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_subject_record ON record_subject(record);

-- What a server of others said of a record, last. A row stays when the record is erased: it tells who else has it.
CREATE TABLE delivery(
  record          INTEGER NOT NULL REFERENCES record,
  server          TEXT NOT NULL,
  outcome         INTEGER NOT NULL,      -- cq_delivery
  http            INTEGER NOT NULL,
  message         TEXT NOT NULL,         -- the server's words
  taken           TEXT NOT NULL,         -- names of the files that it has, one a line
  changed_utc_ms  INTEGER NOT NULL,
  PRIMARY KEY (record, server)
) STRICT, WITHOUT ROWID;

-- Signed orders to erase, each once: one names up to thousands of records.
CREATE TABLE erasure(
  hash   BLOB PRIMARY KEY,
  bytes  BLOB NOT NULL
) STRICT;
-- Names that were erased by order, and never come back.
CREATE TABLE tombstone(
  name           BLOB PRIMARY KEY,
  erasure        BLOB NOT NULL,       -- hash of the order
  erased_utc_ms  INTEGER NOT NULL
) STRICT;

-- Attachments: chunks of 64 KiB, each kept once.
CREATE TABLE attachment(
  id    INTEGER PRIMARY KEY,
  hash  BLOB NOT NULL UNIQUE,
  size  INTEGER NOT NULL
) STRICT;
CREATE TABLE chunk(
  id     INTEGER PRIMARY KEY,
  hash   BLOB NOT NULL UNIQUE,
  bytes  BLOB NOT NULL
) STRICT;
CREATE TABLE attachment_chunk(
  attachment  INTEGER NOT NULL REFERENCES attachment ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  chunk       INTEGER NOT NULL REFERENCES chunk,
  PRIMARY KEY (attachment, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_chunk_chunk ON attachment_chunk(chunk);
-- What a draft and a record call them: the names that stand in their answers. What neither names is swept away.
CREATE TABLE draft_attachment(
  draft       INTEGER NOT NULL REFERENCES draft ON DELETE CASCADE,
  name        TEXT NOT NULL,
  attachment  INTEGER NOT NULL REFERENCES attachment,
  media_type  TEXT NOT NULL,
  PRIMARY KEY (draft, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_attachment_attachment ON draft_attachment(attachment);
CREATE TABLE record_attachment(
  record      INTEGER NOT NULL REFERENCES record,
  name        TEXT NOT NULL,
  attachment  INTEGER NOT NULL REFERENCES attachment,
  media_type  TEXT NOT NULL,
  PRIMARY KEY (record, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_attachment_attachment ON record_attachment(attachment);

-- The outbox: a batch's bytes are here before its file appears. States: 1 pending, 2 kept, 3 opened.
CREATE TABLE batch(
  id           INTEGER PRIMARY KEY,
  hash         BLOB NOT NULL UNIQUE,
  device       INTEGER NOT NULL REFERENCES device,
  number       INTEGER NOT NULL,
  file         TEXT NOT NULL,
  made_utc_ms  INTEGER NOT NULL,
  state        INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
  UNIQUE (device, number)
) STRICT;
CREATE TABLE batch_bytes(
  batch  INTEGER PRIMARY KEY REFERENCES batch,
  bytes  BLOB NOT NULL
) STRICT;
CREATE TABLE batch_entry(
  batch  INTEGER NOT NULL REFERENCES batch,
  name   BLOB NOT NULL,
  PRIMARY KEY (batch, name)
) STRICT, WITHOUT ROWID;
-- Which part of which attachment is in which batch; parts follow one another without gaps.
CREATE TABLE attachment_part(
  attachment  INTEGER NOT NULL REFERENCES attachment ON DELETE CASCADE,
  offset      INTEGER NOT NULL,
  size        INTEGER NOT NULL,
  batch       INTEGER NOT NULL REFERENCES batch,
  PRIMARY KEY (attachment, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_part_batch ON attachment_part(batch);
-- State 0 until every byte is in a batch, then the least of those batches' states.
CREATE VIEW attachment_way(attachment, packed, state) AS
  SELECT a.id, coalesce(sum(p.size), 0),
         CASE WHEN count(p.offset) = 0 OR sum(p.size) < a.size THEN 0 ELSE min(b.state) END
  FROM attachment AS a LEFT JOIN attachment_part AS p ON p.attachment = a.id LEFT JOIN batch AS b ON b.id = p.batch
  GROUP BY a.id;
-- Receipts that came, by what they say: 2 kept, 3 opened. Held and refused stand as 256 (said by the desk) or 512 (by a
-- post) + the word, the newest of each, and received_utc_ms is then when it was said.
CREATE TABLE receipt(
  batch            INTEGER NOT NULL REFERENCES batch,
  state            INTEGER NOT NULL,
  bytes            BLOB NOT NULL,
  received_utc_ms  INTEGER NOT NULL,
  PRIMARY KEY (batch, state)
) STRICT, WITHOUT ROWID;

-- Every version of every entity, as opaque bytes. trunk_version, since version 3: the version that the office's list had
-- when the branch began; 0 where the entity was made here.
CREATE TABLE entity(
  list            TEXT NOT NULL,
  id              TEXT NOT NULL,
  version         INTEGER NOT NULL CHECK (version >= 1),
  branch          TEXT NOT NULL,
  base_version    INTEGER NOT NULL,
  label           TEXT NOT NULL,
  bytes           BLOB NOT NULL,
  written_utc_ms  INTEGER NOT NULL,
  written         INTEGER NOT NULL,     -- order of arrival in this vault
  trunk_version   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (list, id, version, branch)
) STRICT, WITHOUT ROWID;

-- === Rebuildable tables: made from the fixed ones, dropped and made again by every migration ===

-- The newest version of each entity, in the order of choice lists.
CREATE TABLE entity_newest(
  list     TEXT NOT NULL,
  id       TEXT NOT NULL,
  label    TEXT NOT NULL,
  version  INTEGER NOT NULL,
  branch   TEXT NOT NULL,
  PRIMARY KEY (list, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_newest_label ON entity_newest(list, label, id);
