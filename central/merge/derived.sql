-- SPDX-License-Identifier: Apache-2.0
-- Rebuildable tables (see schema.sql): dropped and filled anew by `rebuild`.
DROP TABLE IF EXISTS visit;
DROP TABLE IF EXISTS visit_subject;
DROP TABLE IF EXISTS visit_parent;
DROP TABLE IF EXISTS visit_attachment;
DROP TABLE IF EXISTS attachment_whole;

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
  edited INTEGER NOT NULL DEFAULT 0, -- 0: it counts; 1: a correction stands in its place; 2: a newer one, in conflict with it, does
  fork BLOB,                         -- corrections in conflict have the same here, until one is left that is not voided
  voided INTEGER NOT NULL DEFAULT 0  -- by a decision: stays readable, counts no more
);
CREATE INDEX visit_fork ON visit (fork) WHERE fork IS NOT NULL;
CREATE INDEX visit_form ON visit (form_id, day, finished_utc_ms);

CREATE TABLE visit_subject (dataset TEXT NOT NULL, entity TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (dataset, entity, id)) WITHOUT ROWID;

-- What records call their attachments, and which of those are there with every byte.
CREATE TABLE visit_attachment (id INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, hash BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (id, name)) WITHOUT ROWID;
CREATE INDEX visit_attachment_hash ON visit_attachment (hash);
CREATE INDEX visit_attachment_name ON visit_attachment (name, hash);
CREATE TABLE attachment_whole (hash BLOB PRIMARY KEY) WITHOUT ROWID;

-- Names that a decision voids; the record may arrive later, or never.
DROP TABLE IF EXISTS voided;
CREATE TABLE voided (name BLOB PRIMARY KEY) WITHOUT ROWID;

-- Batches that orders to erase name: their sealed files go, whenever they come.
DROP TABLE IF EXISTS batch_erased;
CREATE TABLE batch_erased (hash BLOB PRIMARY KEY) WITHOUT ROWID;

-- Which record edits which; the parent may arrive later, or never.
CREATE TABLE visit_parent (parent BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (parent, id)) WITHOUT ROWID;
CREATE INDEX visit_parent_id ON visit_parent (id);

-- What records say about entities (ODK Entities), filled when it is first asked for: it needs the forms. Of each
-- property the newest value counts, by the device's clock and then by name, whatever the order of arrival.
DROP TABLE IF EXISTS entity;
DROP TABLE IF EXISTS entity_property;
DROP TABLE IF EXISTS entity_done;
CREATE TABLE entity (
  dataset TEXT NOT NULL,
  id TEXT NOT NULL,
  first_day INTEGER NOT NULL, -- working date of the first record about it
  last_day INTEGER,           -- of the record that withdrew consent; NULL: none
  PRIMARY KEY (dataset, id)
) WITHOUT ROWID;
CREATE TABLE entity_property (
  dataset TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL, -- '' is the label
  value TEXT NOT NULL,
  at_utc_ms INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (dataset, id, name)
) WITHOUT ROWID;
DROP TABLE IF EXISTS entity_left;
CREATE TABLE entity_left (dataset TEXT NOT NULL, id TEXT NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (dataset, id)) WITHOUT ROWID; -- entity.last_day, also of whom nothing else is known yet
CREATE TABLE entity_done (last INTEGER NOT NULL); -- record.id up to which those above are filled
INSERT INTO entity_done VALUES (0);

-- Entities that somebody decided to be one: `id` is counted as `stays`. From decisions alone, in the order they were made.
DROP TABLE IF EXISTS entity_same;
CREATE TABLE entity_same (dataset TEXT NOT NULL, id TEXT NOT NULL, stays TEXT NOT NULL, PRIMARY KEY (dataset, id)) WITHOUT ROWID;
