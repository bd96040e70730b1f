/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a laptop keeps, inside its vault: settings, bundles and forms, drafts,
 * records, audit trail, outbox, entities, attachments. Forms, answers, records
 * and batches are opaque bytes here; the caller gives the columns to look for.
 *
 * Each function that changes something is one transaction, durable when it
 * returns CQ_OK; after any error nothing of it is there. Rows given to a
 * `seen` function are borrowed during the call; a status other than CQ_OK
 * from it stops the walk and is returned. Names and hashes are BLAKE2b-256.
 *
 * Errors of all: vault.full, vault.damaged.page, vault.stopped, vault.locked, vault.sqlite, memory; others are named.
 */
#ifndef CHASQUI_STORE_H
#define CHASQUI_STORE_H

#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"
#include "chasqui/vault.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cq_store cq_store;

enum {
  CQ_STORE_HASH = 32,
  CQ_STORE_VALUE_MAX = 64 << 20, /* bytes of one value, record, bundle or batch */
  CQ_STORE_TEXT_MAX = 1 << 20,   /* bytes of one answer, reference or label */
  CQ_STORE_NAME_MAX = 255,       /* bytes of an attachment's name or media type */
  CQ_STORE_SUBJECTS_MAX = 64,
};

/* Makes the schema, or migrates an older one. Takes ownership of `vault` where it answers CQ_OK. Borrows the clock
 * (NULL: the system's). Errors: store.version (CQ_FUTURE). */
cq_status cq_store_open(cq_store **store, cq_vault *vault, const cq_clock *clock, cq_error *error);
void cq_store_close(cq_store *store); /* closes the vault too; NULL is fine; cq_vault_settle before moving its file */
cq_vault *cq_store_vault(cq_store *store);
/* cq_vault_remove_slot with the store's statements put away. */
cq_status cq_store_remove_slot(cq_store *store, uint32_t slot, cq_error *error);

typedef struct cq_store_salvaged {
  int64_t rows; /* copied */
  int64_t gaps; /* places in tables that could not be read */
} cq_store_salvaged;
/*
 * What is readable of a damaged vault's store, row by row, into an empty one in a new vault; `damaged` is only read and
 * stays the caller's. Nothing that does not authenticate is copied. The new vault knows that it is a copy
 * (cq_store_device.copied). Errors: store.salvage.notempty, vault.damaged.page where not even the list of tables can be
 * read.
 */
cq_status cq_store_salvage(cq_store *into, cq_vault *damaged, cq_store_salvaged *found, cq_error *error);

/* --- settings and device --- */

/* Any key of 1 to 64 bytes. CQ_NOTFOUND "store.setting.missing" where it was never set. */
cq_status cq_store_set(cq_store *store, const char *key, cq_str value, cq_error *error);
cq_status cq_store_get(cq_store *store, const char *key, cq_buf *value, cq_error *error);
cq_status cq_store_set_int(cq_store *store, const char *key, int64_t value, cq_error *error);
cq_status cq_store_get_int(cq_store *store, const char *key, int64_t *value, cq_error *error);

enum { CQ_STORE_DEVICE_ID = 32, CQ_STORE_SECRET_MAX = 256 };
typedef struct cq_store_device {
  uint8_t programme[32]; /* fingerprint of the programme */
  bool practice;
  uint8_t id[CQ_STORE_DEVICE_ID];          /* as certified, e.g. the signing public key */
  uint8_t predecessor[CQ_STORE_DEVICE_ID]; /* zeroes: none */
  int64_t number;                          /* as the desk numbers it; 0: not yet */
  int64_t begun_utc_ms;
  int64_t last_batch;               /* number of the last batch committed, 0: none */
  uint8_t last_hash[CQ_STORE_HASH]; /* its hash, zeroes: none */
  bool copied; /* this file is a backup of the one the device began in: begin a new device before writing */
} cq_store_device;
/*
 * A new device in this vault: on join, or after a restore (the predecessor is then the device before). Its chain
 * begins at batch 1. `secrets` are kept as opaque bytes by name. Errors: store.device.exists (same id),
 * store.device.mode (a vault is real or practice for ever), store.device.programme.
 */
typedef struct cq_store_secret {
  const char *name; /* e.g. "signing" */
  const uint8_t *bytes;
  size_t size;
} cq_store_secret;
cq_status cq_store_device_begin(cq_store *store, const cq_store_device *device, const cq_store_secret *secrets,
                                size_t count, cq_error *error);
/* CQ_NOTFOUND "store.device.missing" before the first. */
cq_status cq_store_device_get(cq_store *store, cq_store_device *device, cq_error *error);
cq_status cq_store_device_number(cq_store *store, int64_t number, cq_error *error);
/* The current device's secret, copied into the caller's locked memory; `size` must be exact. Errors: store.secret. */
cq_status cq_store_secret_get(cq_store *store, const char *name, uint8_t *out, size_t size, cq_error *error);
/* The next of a number that never repeats or falls in this vault (audit entries use it too). */
cq_status cq_store_sequence(cq_store *store, int64_t *sequence, cq_error *error);

/* --- bundles, forms, lists --- */

typedef enum cq_store_form_status {
  CQ_STORE_FORM_CURRENT = 1,
  CQ_STORE_FORM_CLOSING = 2,
  CQ_STORE_FORM_WITHDRAWN = 3
} cq_store_form_status;
typedef struct cq_store_form {
  uint8_t hash[CQ_STORE_HASH];
  cq_str id, version, title;
  cq_store_form_status status;
  cq_str bytes;  /* empty in listings */
  cq_str origin; /* name of the server that gave it (cq_store_server_accept); "": of a bundle. Given by listings */
} cq_store_form;
typedef struct cq_store_list {
  cq_str name;
  cq_str bytes;
} cq_store_list;
/*
 * The bundle in force from now on, its forms and lists. Forms of earlier bundles stay (drafts need them) and are
 * withdrawn where this one does not name them; lists are replaced as a whole. The same number with the same bytes
 * changes nothing. Errors: store.bundle.older (CQ_REFUSED), store.bundle.other (same number, other bytes),
 * store.form.hash (bytes do not have that hash).
 */
cq_status cq_store_bundle_adopt(cq_store *store, int64_t number, cq_str bytes, const cq_store_form *forms,
                                size_t form_count, const cq_store_list *lists, size_t list_count, cq_error *error);
/* CQ_NOTFOUND "store.bundle.missing" before the first. `bytes` may be NULL. */
cq_status cq_store_bundle_current(cq_store *store, int64_t *number, cq_buf *bytes, cq_error *error);
typedef cq_status cq_store_form_seen(void *context, const cq_store_form *form);
cq_status cq_store_forms(cq_store *store, cq_store_form_seen *seen, void *context,
                         cq_error *error); /* by id, version */
/* CQ_NOTFOUND "store.form.missing". */
cq_status cq_store_form_bytes(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *bytes, cq_error *error);
/* CQ_NOTFOUND "store.list.missing". */
cq_status cq_store_list_bytes(cq_store *store, const char *name, cq_buf *bytes, cq_error *error);

/* --- drafts --- */

typedef struct cq_store_draft {
  int64_t id;
  uint8_t form[CQ_STORE_HASH]; /* the version it was begun with, and is finished under */
  cq_str form_id, form_version, technician, label;
  int64_t begun_utc_ms, changed_utc_ms;
  int64_t answers;               /* accepted and not undone */
  cq_str bookmark;               /* the last given */
  uint8_t parent[CQ_STORE_HASH]; /* the record that it corrects; zeroes: none */
} cq_store_draft;
/* `base`: the instance as it began (with preloads), opaque. Errors: store.form.missing. */
cq_status cq_store_draft_begin(cq_store *store, int64_t *draft, const uint8_t form[CQ_STORE_HASH], cq_str technician,
                               cq_str label, cq_str base, cq_error *error);
/* One that corrects a finished record: of its form, and with the files that it names. Errors: store.record.missing
 * (also where its bytes are gone), store.form.missing. */
cq_status cq_store_draft_correct(cq_store *store, int64_t *draft, const uint8_t parent[CQ_STORE_HASH],
                                 cq_str technician, cq_str label, cq_str base, cq_error *error);

typedef struct cq_store_attachment cq_store_attachment;
typedef struct cq_store_answer {
  int kind; /* the caller's: a value, a repeat added, a repeat removed… */
  cq_str reference;
  cq_str before, after;
  cq_str bookmark;   /* where to resume */
  cq_str technician; /* who answered */
  int64_t device_utc_ms;
  int64_t sequence;                    /* filled in by the store */
  const cq_store_attachment *attached; /* put before, and named by the draft from now on; NULL: none */
  cq_str detached;                     /* the name of an attachment that the draft lets go of; "": none */
} cq_store_answer;
/* Durable when it returns. Costs the same in a form of any size. `sequence` (may be NULL) is the entry's number in the
 * audit trail. Errors: store.draft.missing, store.attachment.missing. */
cq_status cq_store_draft_answer(cq_store *store, int64_t draft, const cq_store_answer *answer, int64_t *sequence,
                                cq_error *error);
typedef cq_status cq_store_answer_seen(void *context, const cq_store_answer *answer);
/* The base, then each answer not undone, in order: applied one after the other they give the draft as it was left. */
cq_status cq_store_draft_load(cq_store *store, int64_t draft, cq_buf *base, cq_store_answer_seen *seen, void *context,
                              cq_error *error);
/* Takes back the last answer not undone, which `seen` is shown; the trail keeps it and says so. A file that it had let
 * go of does not come back. CQ_NOTFOUND "store.draft.nothing" where there is none. */
cq_status cq_store_draft_undo(cq_store *store, int64_t draft, cq_store_answer_seen *seen, void *context,
                              cq_error *error);
typedef cq_status cq_store_draft_seen(void *context, const cq_store_draft *draft);
cq_status cq_store_drafts(cq_store *store, cq_store_draft_seen *seen, void *context,
                          cq_error *error); /* oldest first */
cq_status cq_store_draft_get(cq_store *store, int64_t draft, cq_store_draft_seen *seen, void *context, cq_error *error);
cq_status cq_store_draft_label(cq_store *store, int64_t draft, cq_str label, cq_error *error);
/* The trail keeps that it was begun and discarded, and no answer. */
cq_status cq_store_draft_discard(cq_store *store, int64_t draft, cq_error *error);

/* --- records --- */

typedef enum cq_store_record_state {
  CQ_STORE_NOT_BATCHED = 0,
  CQ_STORE_BATCHED = 1,
  CQ_STORE_KEPT = 2,   /* the post holds it */
  CQ_STORE_OPENED = 3, /* the desk holds it: may be purged */
  CQ_STORE_ERASED = 4  /* by order; only the name remains */
} cq_store_record_state;
/* One version of a person or thing; see "entities" below. */
typedef struct cq_store_entity {
  cq_str list, id, label;
  int64_t version;        /* from 1 */
  cq_str branch;          /* "" on the trunk */
  int64_t base_version;   /* the version this one was made from, 0: none */
  int64_t trunk_version;  /* of the office's list when the branch began; 0: made on this device */
  cq_str bytes;           /* properties, opaque */
  int64_t written_utc_ms; /* filled in by the store */
} cq_store_entity;
typedef struct cq_store_record {
  uint8_t name[CQ_STORE_HASH]; /* BLAKE2b-256 of the bytes */
  uint8_t form[CQ_STORE_HASH];
  uint8_t parent[CQ_STORE_HASH]; /* the record this one corrects; zeroes: none */
  cq_str form_id, instance_id, season, label, technician;
  int result;             /* the caller's: complete, partial, refused, withdrawn */
  const cq_str *subjects; /* entity ids */
  size_t subject_count;
  int64_t finalised_utc_ms;
  const cq_store_attachment *attachments; /* put before; NULL in listings */
  size_t attachment_count;
  const cq_store_entity *entities; /* that it makes or changes: kept with it, or neither is; NULL in listings */
  size_t entity_count;
  cq_store_record_state state;             /* given by listings */
  cq_store_record_state attachments_state; /* the least of theirs, OPENED where there are none; given by listings */
  int64_t size;                            /* bytes; 0 where purged or erased; given by listings */
  bool corrected;                          /* another record names it as its parent; given by listings */
} cq_store_record;
/*
 * In one transaction: the record is stored, read again and its name computed anew, the draft is gone (0: there was
 * none), its entities are put (as cq_store_entities_put), the trail says so. The same name again is fine. Errors:
 * store.record.name (name is not of these bytes), store.record.erased, store.draft.missing, store.attachment.missing,
 * store.entity.fork.
 */
cq_status cq_store_finalise(cq_store *store, int64_t draft, const cq_store_record *record, cq_str bytes,
                            cq_error *error);
typedef cq_status cq_store_record_seen(void *context, const cq_store_record *record);
/* By time of finalising. `state` -1: all. */
cq_status cq_store_records(cq_store *store, int state, cq_store_record_seen *seen, void *context, cq_error *error);
/* Those that name the subject. */
cq_status cq_store_records_of(cq_store *store, cq_str subject, cq_store_record_seen *seen, void *context,
                              cq_error *error);
/* CQ_NOTFOUND "store.record.missing"; CQ_REFUSED "store.record.erased"; "store.record.purged" (CQ_NOTFOUND). Checks the
 * name again: CQ_DAMAGED "store.record.damaged". */
cq_status cq_store_record_bytes(cq_store *store, const uint8_t name[CQ_STORE_HASH], cq_buf *bytes, cq_error *error);

/* --- audit trail --- */

/* An append-only chain: hash(n) = BLAKE2b-256(hash(n-1) ‖ content hash(n)); erasing a record's entries leaves their
 * content hashes, so the chain still holds. */
typedef struct cq_store_event {
  int64_t sequence;
  int64_t device_utc_ms;
  cq_str who;
  cq_str what;   /* "answer", "undo", "begin", "discard", "finalise", "erase", or the caller's */
  int64_t draft; /* 0: none */
  int kind;
  cq_str reference, before, after;
} cq_store_event;
/* For what the caller must put on record itself: a passphrase changed, a working date confirmed. */
cq_status cq_store_audit_add(cq_store *store, const cq_store_event *event, cq_error *error);
typedef cq_status cq_store_event_seen(void *context, const cq_store_event *event);
/* `draft` 0: all. Entries of a draft can be read until its record is purged or erased. */
cq_status cq_store_audit(cq_store *store, int64_t draft, cq_store_event_seen *seen, void *context, cq_error *error);
/* CQ_DAMAGED "store.audit.broken" with the sequence of the first entry that does not hold. */
cq_status cq_store_audit_verify(cq_store *store, int64_t *entries, cq_error *error);

/* --- outbox --- */

typedef struct cq_store_part {
  uint8_t attachment[CQ_STORE_HASH];
  int64_t offset, size;
} cq_store_part;
typedef enum cq_store_batch_state {
  CQ_STORE_BATCH_PENDING = 1,
  CQ_STORE_BATCH_KEPT = 2,
  CQ_STORE_BATCH_OPENED = 3
} cq_store_batch_state;
typedef struct cq_store_batch {
  uint8_t device[CQ_STORE_DEVICE_ID];
  int64_t number;
  uint8_t hash[CQ_STORE_HASH]; /* of the bytes */
  cq_str file;                 /* its name in the outbox folder */
  int64_t made_utc_ms;
  int64_t entries, size;      /* given by listings; size 0 where purged */
  cq_store_batch_state state; /* given by listings */
  const cq_store_part *parts; /* of attachments that it carries; NULL in listings, where they are entries */
  size_t part_count;
} cq_store_batch;
/* What the next batch must carry: its number and the hash before it (zeroes for the first). */
cq_status cq_store_batch_next(cq_store *store, int64_t *number, uint8_t previous[CQ_STORE_HASH], cq_error *error);
/*
 * The bytes, before their file appears; the records named are then batched; entries that are no record of this store
 * (snapshots, requests) are kept as names only. `device` and listings' fields are filled in by the store. Errors:
 * store.batch.number (not the next), store.batch.hash, store.attachment.missing.
 */
cq_status cq_store_batch_commit(cq_store *store, const cq_store_batch *batch, cq_str bytes,
                                const uint8_t (*entries)[CQ_STORE_HASH], size_t count, cq_error *error);
typedef cq_status cq_store_batch_seen(void *context, const cq_store_batch *batch);
/* `state` 0: all; by device, number. */
cq_status cq_store_batches(cq_store *store, int state, cq_store_batch_seen *seen, void *context, cq_error *error);
/* To write a missing file again. CQ_NOTFOUND "store.batch.missing", "store.batch.purged". */
cq_status cq_store_batch_bytes(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *bytes, cq_error *error);
/* A verified receipt: the batch and its records become kept or opened, never less than they were. CQ_NOTFOUND
 * "store.batch.missing" for a batch that is not of this store. */
cq_status cq_store_receipt(cq_store *store, const uint8_t batch[CQ_STORE_HASH], cq_store_batch_state state,
                           cq_str receipt, cq_error *error);
/*
 * What was last said of a batch that does not go on: held or refused, opaque but for 0: nothing. `final` speaks for the
 * desk and counts until the batch is opened; else it counts until the batch is kept. Of several the one said last
 * counts, by the signer's clock. CQ_NOTFOUND "store.batch.missing".
 */
cq_status cq_store_word(cq_store *store, const uint8_t batch[CQ_STORE_HASH], uint8_t word, bool final,
                        int64_t said_utc_ms, cq_str receipt, cq_error *error);
/* Those that count, for each entry of such a batch: `entry` a record's name. */
typedef cq_status cq_store_word_seen(void *context, int64_t batch_number, const uint8_t entry[CQ_STORE_HASH],
                                     uint8_t word);
cq_status cq_store_words(cq_store *store, cq_store_word_seen *seen, void *context, cq_error *error);

/* Whether a batch of the device in force holds an entry of this name. */
cq_status cq_store_batched(cq_store *store, const uint8_t name[CQ_STORE_HASH], bool *batched, cq_error *error);
/* Frees the bytes of a batch that an order to erase names; those of the newest of the device in force stay until there
 * is a newer one (see cq_store_purge). *gone: there are none here any more. CQ_NOTFOUND "store.batch.missing". */
cq_status cq_store_batch_erase(cq_store *store, const uint8_t hash[CQ_STORE_HASH], bool *gone, cq_error *error);

typedef struct cq_store_purged {
  int64_t records, batches, bytes;
} cq_store_purged;
/* Frees the bytes of records and batches opened, and of their trail, finalised before `before_utc_ms`. Names stay. A
 * record stays whole until the desk holds all of its attachments too. The bytes of each device's newest batch stay: by
 * its file the courier knows whom to ask news for. */
cq_status cq_store_purge(cq_store *store, int64_t before_utc_ms, cq_store_purged *purged, cq_error *error);
/* What cq_store_purge would free; nothing is changed. */
cq_status cq_store_purgeable(cq_store *store, int64_t before_utc_ms, cq_store_purged *purged, cq_error *error);

/* Erases by order: the record's bytes, its trail, what this store holds of its subjects as entities, and attachments
 * that no other record uses go, and drafts that correct it; name and order remain,
 * and the name cannot come back. A name not yet known is remembered all the same. */
cq_status cq_store_erase(cq_store *store, const uint8_t name[CQ_STORE_HASH], cq_str order, cq_error *error);
bool cq_store_erased(cq_store *store, const uint8_t name[CQ_STORE_HASH]);

/* --- OpenRosa servers of others --- */

typedef struct cq_store_server {
  cq_str name; /* as the technician calls it, 1 to 64 bytes */
  int kind;    /* cq_server_kind */
  cq_str url, user, secret, ca;
  cq_str forms; /* ids of the programme's forms whose records go there, one a line */
} cq_store_server;
/* A new one, or others words for one of that name. Errors: store.long. */
cq_status cq_store_server_put(cq_store *store, const cq_store_server *server, cq_error *error);
/* Its forms are withdrawn and its lists gone; what it said of records stays. CQ_NOTFOUND "store.server.missing". */
cq_status cq_store_server_remove(cq_store *store, cq_str name, cq_error *error);
typedef cq_status cq_store_server_seen(void *context, const cq_store_server *server);
cq_status cq_store_servers(cq_store *store, cq_store_server_seen *seen, void *context, cq_error *error); /* by name */

/*
 * A form that the technician takes from a server: current from now on, and earlier ones of the same server and id are
 * withdrawn; bundles leave it alone. One that a bundle has brought, byte for byte, stays the bundle's. `lists` replace
 * those of the same names of this server. Errors: store.form.hash, store.server.missing.
 */
cq_status cq_store_server_accept(cq_store *store, cq_str server, const cq_store_form *form, const cq_store_list *lists,
                                 size_t list_count, cq_error *error);
/* The name of the server that a form came from; emptied for one of a bundle. CQ_NOTFOUND "store.form.missing". */
cq_status cq_store_form_origin(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *server, cq_error *error);
/* CQ_NOTFOUND "store.list.missing". */
cq_status cq_store_server_list(cq_store *store, cq_str server, const char *name, cq_buf *bytes, cq_error *error);

typedef struct cq_store_delivery {
  uint8_t record[CQ_STORE_HASH];
  cq_str server;
  int outcome, http;      /* cq_delivery; 0: only files were taken so far */
  cq_str message, taken;  /* the server's words; names of the files that it has, one a line */
  int64_t changed_utc_ms; /* filled in by the store */
} cq_store_delivery;
/* In place of what it said before; what was accepted (outcome 1 to 15) stays so. CQ_NOTFOUND "store.record.missing". */
cq_status cq_store_delivery_put(cq_store *store, const cq_store_delivery *delivery, cq_error *error);
typedef cq_status cq_store_delivery_seen(void *context, const cq_store_delivery *delivery);
/* By time of finalising. `server` empty: of all. */
cq_status cq_store_deliveries(cq_store *store, cq_str server, cq_store_delivery_seen *seen, void *context,
                              cq_error *error);

/* --- entities and attachments --- */

/* Versions, all in one transaction; the same again is fine. Errors: store.entity.fork (same list, id, version and
 * branch, other bytes). */
cq_status cq_store_entities_put(cq_store *store, const cq_store_entity *entities, size_t count, cq_error *error);
typedef cq_status cq_store_entity_seen(void *context, const cq_store_entity *entity);
/* The newest version of each entity of the list (of several branches the one written last), by label. */
cq_status cq_store_entities(cq_store *store, cq_str list, cq_store_entity_seen *seen, void *context, cq_error *error);
/* Every version of one, oldest first. CQ_NOTFOUND "store.entity.missing". */
cq_status cq_store_entity_versions(cq_store *store, cq_str list, cq_str id, cq_store_entity_seen *seen, void *context,
                                   cq_error *error);

/*
 * An attachment as a draft or a record names it. It is kept in chunks of 64 KiB, each once: the same photo in two
 * records takes its room once. What is put is kept until the next answer, record or discard where nothing names it.
 */
struct cq_store_attachment {
  cq_str name;       /* as in the instance XML, unique in its draft or record; 1 to 255 bytes */
  cq_str media_type; /* "image/jpeg" */
  uint8_t hash[CQ_STORE_HASH];
  int64_t size;   /* bytes; filled in by the store */
  int64_t packed; /* how many of them are in batches; filled in */
  cq_store_record_state
      state; /* NOT_BATCHED until all of them are; then as far as the last of its batches; filled in */
};
/* `read` answers bytes read, 0 at the end, -1 on failure. Errors: store.attachment.read. */
typedef int64_t cq_store_reader(void *context, void *out, size_t size);
cq_status cq_store_attachment_put(cq_store *store, cq_store_reader *read, void *context, uint8_t hash[CQ_STORE_HASH],
                                  int64_t *size, cq_error *error);

typedef cq_status cq_store_attachment_seen(void *context, const cq_store_attachment *attachment);
/* By name. None for a draft or record that is not there, or that has none. */
cq_status cq_store_draft_attachments(cq_store *store, int64_t draft, cq_store_attachment_seen *seen, void *context,
                                     cq_error *error);
cq_status cq_store_record_attachments(cq_store *store, const uint8_t record[CQ_STORE_HASH],
                                      cq_store_attachment_seen *seen, void *context, cq_error *error);
/* Of records, but those of a server's forms, and not wholly in batches yet: each once, without a name, the smallest
 * first. */
cq_status cq_store_attachments_waiting(cq_store *store, cq_store_attachment_seen *seen, void *context, cq_error *error);

/* The whole in chunks, its hash checked at the end: what was written before an error is not to be used. CQ_NOTFOUND
 * "store.attachment.missing"; CQ_DAMAGED "store.attachment.damaged". */
typedef cq_status cq_store_writer(void *context, const void *bytes, size_t size);
cq_status cq_store_attachment_get(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_store_writer *write,
                                  void *context, cq_error *error);
/* Bytes from `offset` on, at most `most`, fewer at its end; `out` is emptied first. Each chunk is checked. Errors as
 * above. */
cq_status cq_store_attachment_read(cq_store *store, const uint8_t hash[CQ_STORE_HASH], int64_t offset, size_t most,
                                   cq_buf *out, cq_error *error);

#endif
