/* SPDX-License-Identifier: Apache-2.0 */
/* The open store and short ways to run SQL, for the files of this room. */
#ifndef VAULT_STORE_STORE_H
#define VAULT_STORE_STORE_H

#include "chasqui/store.h"

#include <sqlite3.h>

enum { STORE_VERSION = 6, STORE_APPLICATION = 0x43515354 /* "CQST" */ };

struct cq_store {
  cq_vault *vault;
  const cq_clock *clock;
};

int64_t store_now(const cq_store *store);

/*
 * A statement being run. Values are given by letters: i int64_t; s cq_str as text; b cq_str as bytes; h const uint8_t *
 * of 32 bytes, NULL for none; z const char *.
 */
typedef struct query {
  cq_store *store;
  sqlite3_stmt *statement;
  int rc;
} query;
query query_start(cq_store *store, const char *sql, const char *types, ...);
bool query_row(query *ask); /* steps; true where there is a row */
/* Puts the statement away. CQ_OK unless a step failed. A status that is already a failure is kept. */
cq_status query_end(query *ask, cq_status status, cq_error *error);
int64_t query_int(const query *ask, int column);
cq_str query_text(const query *ask, int column);                           /* borrowed until the next step */
cq_str query_bytes(const query *ask, int column);                          /* likewise */
void query_hash(const query *ask, int column, uint8_t out[CQ_STORE_HASH]); /* zeroes where it is null or no hash */

/* Runs a statement that answers no rows. */
cq_status store_run(cq_store *store, cq_error *error, const char *sql, const char *types, ...);
/* The first column of the first row, or `otherwise`. */
cq_status store_number(cq_store *store, int64_t *value, int64_t otherwise, cq_error *error, const char *sql,
                       const char *types, ...);
cq_status store_begin(cq_store *store, cq_error *error);
/* Commits where `status` is CQ_OK, else rolls back; returns what came of it. */
cq_status store_end(cq_store *store, cq_status status, cq_error *error);
cq_status store_copy(cq_buf *out, cq_str bytes, cq_error *error); /* replaces what `out` held */
cq_status store_too_long(cq_str value, size_t most, const char *what, cq_error *error);

void hash_bytes(uint8_t out[CQ_STORE_HASH], cq_str bytes);
bool hash_is(const uint8_t hash[CQ_STORE_HASH], cq_str bytes);
bool hash_is_zero(const uint8_t hash[CQ_STORE_HASH]);

/* Within a transaction: an entry at the end of the chain. */
cq_status trail_append(cq_store *store, const cq_store_event *event, cq_str bookmark, int64_t undoes, int64_t *sequence,
                       cq_error *error);
/* Within a transaction: empties the entries of a draft. */
cq_status trail_empty(cq_store *store, int64_t draft, cq_error *error);
/* Within a transaction: a draft that is there goes; the trail keeps that it was begun and discarded. */
cq_status draft_drop(cq_store *store, int64_t draft, cq_error *error);
/* Within a transaction: attachments that no draft and no record names, and chunks that no attachment names. */
cq_status attachments_sweep(cq_store *store, cq_error *error);
/* Within a transaction: names what was put. */
cq_status attachment_name(cq_store *store, const char *sql, int64_t owner, const cq_store_attachment *attachment,
                          cq_error *error);

/* Within a transaction: one version of an entity. */
cq_status entity_put(cq_store *store, const cq_store_entity *entity, cq_error *error);

/* Schema made or brought up to STORE_VERSION. */
cq_status store_migrate(cq_store *store, cq_error *error);
/* Within a transaction: rows that came from a store of version `from` into tables of this one, as its own migration
 * would have left them. */
cq_status store_migrate_rows(cq_store *store, int64_t from, cq_error *error);
/* What reads a table of a store of version `version` with the columns of today: NULL where it has them, "" where it
 * has no such table. */
const char *store_rows_of(int64_t version, const char *table);

#endif
