-- SPDX-License-Identifier: Apache-2.0
-- The desk's vault. Two kinds of tables, and they are never mixed:
--
--   fixed       what arrived and what was decided: a set that only grows. Order, repetition and gaps of delivery do
--               not matter to it. Losing one of these rows is losing data.
--   rebuildable everything that follows from the fixed ones and the form definitions. `rebuild` empties and fills
--               them anew, and the result is the same.
--
-- Hashes, names and ids are blobs; times are milliseconds UTC; days are day numbers since 1970-01-01.

-- ------------------------------------------------------------------------------------------------------ fixed

-- Single values: mode, keys (secret ones too: the file is encrypted), the desk's certificate, the programme's folder.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- Every bundle that was published, with its bytes.
CREATE TABLE IF NOT EXISTS bundle (
  number INTEGER PRIMARY KEY,
  issued_utc_ms INTEGER NOT NULL,
  hash BLOB NOT NULL,
  bytes BLOB NOT NULL
);

-- Every form that was ever published, by the hash of its XForm: records name theirs, and batches are packed with it.
CREATE TABLE IF NOT EXISTS form (
  hash BLOB PRIMARY KEY,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  title TEXT NOT NULL,
  bundle INTEGER NOT NULL, -- the first bundle that brought it
  status INTEGER NOT NULL, -- in the newest bundle: 1 current, 2 closing, 3 withdrawn
  xml BLOB NOT NULL
) WITHOUT ROWID;

-- Lists and calendar as published last, by name; the calendar is "" .
CREATE TABLE IF NOT EXISTS list (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;

-- Every version of every indicator's definition that was ever published, as CSV: so that an old table can be made again.
CREATE TABLE IF NOT EXISTS indicator (
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  bundle INTEGER NOT NULL, -- the first that brought it
  definition TEXT NOT NULL,
  PRIMARY KEY (id, version)
) WITHOUT ROWID;

-- Devices that asked, were approved, or merely sent something.
CREATE TABLE IF NOT EXISTS device (
  id BLOB PRIMARY KEY,
  sign BLOB NOT NULL,
  seal BLOB,                            -- NULL until its request was seen
  note TEXT NOT NULL DEFAULT '',        -- a line from whoever set it up
  predecessor BLOB,
  first_seen_utc_ms INTEGER NOT NULL,
  chain BLOB,                           -- its certificate; NULL: not approved
  revoked_utc_ms INTEGER,               -- NULL: not revoked
  last_trusted INTEGER,                 -- of a revoked device: number of the last batch that is merged
  held INTEGER NOT NULL DEFAULT 0,      -- 1: kept apart until released, though certified
  released INTEGER NOT NULL DEFAULT 0   -- batches up to this number are merged, whatever the standing
) WITHOUT ROWID;

-- Posts and their certificates.
CREATE TABLE IF NOT EXISTS post (sign BLOB PRIMARY KEY, chain BLOB NOT NULL) WITHOUT ROWID;

-- What became of each batch. A held or refused one is looked at again at each merge.
CREATE TABLE IF NOT EXISTS batch (
  hash BLOB PRIMARY KEY,
  device BLOB NOT NULL,
  number INTEGER NOT NULL,
  previous BLOB NOT NULL,
  file TEXT NOT NULL,          -- its name in the inbox
  created_utc_ms INTEGER NOT NULL,
  arrived_utc_ms INTEGER NOT NULL,
  state INTEGER NOT NULL,      -- 2 held, 3 opened, 4 refused, as in receipts
  why TEXT NOT NULL,           -- code of why it is held or refused
  records INTEGER NOT NULL,    -- in it
  receipted INTEGER NOT NULL   -- the state that the device was last told; 0: none
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_device ON batch (device, number);
CREATE INDEX IF NOT EXISTS batch_file ON batch (file);
CREATE INDEX IF NOT EXISTS batch_untold ON batch (device) WHERE receipted <> state;

-- Records as opaque bytes under their name, compressed (cq_desk_record reads them). An erased one leaves its name with
-- no bytes.
CREATE TABLE IF NOT EXISTS record (
  id INTEGER PRIMARY KEY,
  name BLOB NOT NULL UNIQUE,
  batch BLOB NOT NULL,
  bytes BLOB
);

-- Snapshots of drafts, against theft of a laptop: the newest of each instance is of use.
CREATE TABLE IF NOT EXISTS draft (name BLOB PRIMARY KEY, device BLOB NOT NULL, batch BLOB NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;

-- Attachments in parts.
CREATE TABLE IF NOT EXISTS part (
  attachment BLOB NOT NULL,
  offset INTEGER NOT NULL,
  total INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (attachment, offset)
) WITHOUT ROWID;

-- Which batches brought parts of it: an order to erase names them.
CREATE TABLE IF NOT EXISTS part_batch (attachment BLOB NOT NULL, batch BLOB NOT NULL, PRIMARY KEY (attachment, batch)) WITHOUT ROWID;

-- Attachments of erased records: parts that come once more are not kept, unless a record that stays names them.
CREATE TABLE IF NOT EXISTS attachment_erased (hash BLOB PRIMARY KEY) WITHOUT ROWID;

-- Instances of erased records, as hashes: snapshots of their drafts that come later are not kept.
CREATE TABLE IF NOT EXISTS instance_erased (hash BLOB PRIMARY KEY) WITHOUT ROWID;

-- Batches that brought a record once more (a restored laptop packs it again): an order to erase names them too.
CREATE TABLE IF NOT EXISTS record_again (name BLOB NOT NULL, batch BLOB NOT NULL, PRIMARY KEY (name, batch)) WITHOUT ROWID;

-- Batches that brought what was erased once more, until an order of the desk names them.
CREATE TABLE IF NOT EXISTS erased_again (batch BLOB PRIMARY KEY) WITHOUT ROWID;

-- What devices say of orders to erase that they have obeyed.
CREATE TABLE IF NOT EXISTS erasure_word (
  erasure BLOB NOT NULL,           -- name of the order
  device BLOB NOT NULL,
  made_utc_ms INTEGER NOT NULL,    -- by the device's clock
  arrived_utc_ms INTEGER NOT NULL,
  held INTEGER NOT NULL,           -- how many of the order's records the device had
  PRIMARY KEY (erasure, device)
) WITHOUT ROWID;

-- Requests of devices to the desk (a forgotten passphrase).
CREATE TABLE IF NOT EXISTS request (name BLOB PRIMARY KEY, device BLOB NOT NULL, arrived_utc_ms INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;

-- People's decisions, signed, as they were made.
CREATE TABLE IF NOT EXISTS decision (
  name BLOB PRIMARY KEY,
  kind INTEGER NOT NULL,
  made_utc_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL
) WITHOUT ROWID;

-- Who is to be visited: the sample, or the whole roster, frozen when it is imported. Coverage counts these persons
-- whether or not there is a record of them yet.
CREATE TABLE IF NOT EXISTS frame (
  dataset TEXT NOT NULL,
  id TEXT NOT NULL,       -- of the entity
  stratum TEXT NOT NULL,
  population REAL,        -- units in the stratum; NULL: not said
  weight REAL,            -- NULL: 1
  entry INTEGER,          -- day; NULL: from the beginning
  leave INTEGER,          -- day, exclusive; NULL: still in
  place TEXT NOT NULL,
  PRIMARY KEY (dataset, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frame_property (
  dataset TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (dataset, id, name)
) WITHOUT ROWID;

-- Names and places by which people are found, as the office knows them; what a baseline says of the person goes before.
CREATE TABLE IF NOT EXISTS contact (
  dataset TEXT NOT NULL,
  id TEXT NOT NULL,        -- of the entity
  community TEXT NOT NULL, -- code of the place, '' not known
  name TEXT NOT NULL, place TEXT NOT NULL, phone TEXT NOT NULL, directions TEXT NOT NULL,
  PRIMARY KEY (dataset, id)
) WITHOUT ROWID;

-- Whom a laptop's contact sheet names: a community (its code, or the beginning of it: a district covers its
-- communities) or a person (code or entity id).
CREATE TABLE IF NOT EXISTS assigned (device BLOB NOT NULL, code TEXT NOT NULL, PRIMARY KEY (device, code)) WITHOUT ROWID;

-- The newest sheet of each laptop.
CREATE TABLE IF NOT EXISTS sheet (
  device BLOB PRIMARY KEY,
  number INTEGER NOT NULL,
  made_utc_ms INTEGER NOT NULL,
  persons INTEGER NOT NULL,
  content BLOB NOT NULL,   -- hash of its list: one that did not change is not made again
  file TEXT NOT NULL       -- in the outbox
) WITHOUT ROWID;
