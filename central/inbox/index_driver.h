/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine below index.c does: it runs the statements of one list. */
#ifndef CENTRAL_INBOX_INDEX_DRIVER_H
#define CENTRAL_INBOX_INDEX_DRIVER_H

#include "central/inbox/index.h"

typedef enum {
  INDEX_LAST,
  INDEX_SET_LAST,
  INDEX_FIND,
  INDEX_NEWEST_BUNDLE,
  INDEX_ADD,
  INDEX_ADD_NEWS,
  INDEX_DROP_BUNDLES,
  INDEX_CHANGE,
  INDEX_READ, /* only where the engine has the bytes */
  INDEX_HELD_SUMS,
  INDEX_BATCHES_AFTER,
  INDEX_HELD_BATCHES,
  INDEX_ORDERS,
  INDEX_NEWS_AFTER,
  INDEX_IS_NEWS,
  INDEX_NEWEST_SHEET,
  INDEX_OLDER_SHEETS,
  INDEX_BATCHES_OF,
  INDEX_STATEMENTS
} index_statement;

/* The statements in words that both engines know, with parameters $1, $2, …; NULL: the engine has its own. */
extern const char *const index_sql[INDEX_STATEMENTS];
enum { INDEX_MOST_CELLS = 11 }; /* parameters of a statement, or columns of a row */

typedef struct index_cell {
  enum { INDEX_NUMBER, INDEX_BLOB, INDEX_TEXT } type;
  int64_t number;
  cq_str bytes; /* of a row: borrowed for the call */
} index_cell;

typedef bool (*index_row)(void *context, const index_cell *cells);

typedef struct index_driver {
  void (*close)(post_index *index);
  /* One transaction at a time; statements of its thread belong to it until commit or rollback. */
  cq_status (*begin)(post_index *index, cq_error *error);
  cq_status (*commit)(post_index *index, cq_error *error);
  void (*rollback)(post_index *index);
  /* Calls `row` (may be NULL) for each row until it answers false. *changed (may be NULL): rows written. */
  cq_status (*run)(post_index *index, index_statement which, const index_cell *params, size_t count, index_row row,
                   void *context, uint64_t *changed, cq_error *error);
} index_driver;

/* The beginning of each engine's own structure. */
struct post_index {
  const index_driver *driver;
  char *home;   /* where the bytes are files; NULL: the engine has them */
  int64_t last; /* sequence given last; of the transaction's thread */
};

cq_status index_sqlite_open(post_index **index, const char *home, cq_error *error);
cq_status index_postgres_open(post_index **index, const char *address, cq_error *error);

#endif
