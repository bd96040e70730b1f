-- SPDX-License-Identifier: Apache-2.0
-- Rebuildable tables (see schema.sql): dropped and filled anew by `rebuild`.
DROP TABLE IF EXISTS visit;
DROP TABLE IF EXISTS visit_subject;
DROP TABLE IF EXISTS visit_parent;

-- The envelope of each record. `id` is record.id.
CREATE TABLE visit (
  id INTEGER PRIMARY KEY,
  form_id TEXT NOT NULL,
  form_hash BLOB NOT NULL,
  instance TEXT NOT NULL,
  device BLOB NOT NULL,
  technician TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  begun_utc_ms INTEGER NOT NULL,
  finished_utc_ms INTEGER NOT NULL,
  day INTEGER NOT NULL,              -- the working date
  result INTEGER NOT NULL,
  reason TEXT NOT NULL,
  season TEXT NOT NULL,              -- "2012-T1"; '' none
  zone TEXT NOT NULL,
  calendar_version INTEGER NOT NULL,
  months TEXT NOT NULL,              -- "2012-08 2012-09"
  consent INTEGER NOT NULL,
  edited INTEGER NOT NULL DEFAULT 0, -- how many records name this one as their parent; 2 or more: a fork
  voided INTEGER NOT NULL DEFAULT 0  -- by a decision: stays readable, counts no more
);
CREATE INDEX visit_form ON visit (form_id, day, finished_utc_ms);

CREATE TABLE visit_subject (dataset TEXT NOT NULL, entity TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (dataset, entity, id)) WITHOUT ROWID;

-- Which record edits which; the parent may arrive later, or never.
CREATE TABLE visit_parent (parent BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (parent, id)) WITHOUT ROWID;
