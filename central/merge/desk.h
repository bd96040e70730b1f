/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk: its vault (<home>/desk.vault), its keys, and what it believes.
 * Verbs open one, do their work, and close it.
 */
#ifndef CENTRAL_MERGE_DESK_H
#define CENTRAL_MERGE_DESK_H

#include "chasqui/certificate.h"
#include "chasqui/cli.h"
#include "chasqui/keys.h"
#include "chasqui/record.h"
#include "chasqui/vault.h"

#include <sqlite3.h>

#define CQ_DESK_VAULT "desk.vault"

typedef struct cq_desk {
  char *home;
  cq_vault *vault;
  sqlite3 *db; /* of the vault */
  cq_mode mode;
  cq_programme_id programme;
  cq_sign_key programme_key, sign;
  cq_seal_key seal, batch_recovery, vault_recovery;
  cq_secret *programme_secret, *sign_secret, *seal_secret;
  cq_chain chain; /* the desk's certificate */
  cq_trust trust; /* borrows the two below */
  cq_revocation *revocations;
  cq_record_press *press;
} cq_desk;

/*
 * Opens the desk of a home. Errors: desk.missing (no desk there), desk.future,
 * desk.damaged (a key or setting is not there), and those of cq_vault_open. The
 * caller ends it with cq_desk_close, after an error too.
 */
cq_status cq_desk_open(cq_desk *desk, const char *home, cq_str passphrase, cq_error *error);
void cq_desk_close(cq_desk *desk);
/* Reads what is believed anew, after a device was revoked. */
cq_status cq_desk_read_trust(cq_desk *desk, cq_error *error);

/* For verbs: asks for the passphrase, opens, renews the courier's pass, and says aloud where the programme is practice.
 * CQ_EXIT_DONE, or the status to leave with (it was said why; the desk is closed). */
int cq_desk_begin(cq_cli *cli, cq_desk *desk);
/* cq_cli_confirm, instead of which the command line says --yes; a no is desk.device.unconfirmed. */
cq_status cq_desk_confirm(cq_cli *cli, const char *question, cq_error *error);
/* Closes and answers: the error's exit status where there is one, else `done`. */
int cq_desk_end(cq_cli *cli, cq_desk *desk, cq_status status, const cq_error *error, int done);

/* --- the desk's SQL: every failure through cq_vault_error --- */
cq_status cq_desk_exec(cq_desk *desk, const char *sql, cq_error *error);
cq_status cq_desk_prepare(cq_desk *desk, sqlite3_stmt **statement, const char *sql, cq_error *error);
/* One row (*row true) or the end. With `row` NULL the statement runs to its end and is reset. */
cq_status cq_desk_step(cq_desk *desk, sqlite3_stmt *statement, bool *row, cq_error *error);
/* A single integer; `fallback` where there is no row. */
cq_status cq_desk_number(cq_desk *desk, const char *sql, int64_t fallback, int64_t *value, cq_error *error);

cq_status cq_desk_set(cq_desk *desk, const char *name, const void *value, size_t size, cq_error *error);
/* Emptied first; desk.damaged where it is not there and `needed`. */
cq_status cq_desk_get(cq_desk *desk, const char *name, bool needed, cq_buf *value, cq_error *error);

/* Exactly `size` bytes of a column, else desk.damaged. */
cq_status cq_desk_column(sqlite3_stmt *statement, int column, void *out, size_t size, cq_error *error);
cq_str cq_desk_text(sqlite3_stmt *statement, int column); /* borrowed until the next step */
/* A record's bytes from record.bytes, which holds them pressed. Borrowed until the next step or the next record. */
cq_status cq_desk_record(cq_desk *desk, sqlite3_stmt *statement, int column, cq_str *bytes, cq_error *error);

/* --- what it holds, for people: each figure by its name for machines and in words; `quiet`: nothing to look at --- */
typedef void (*cq_desk_figure)(void *context, const char *name, const char *text, int64_t value, bool quiet);
cq_status cq_desk_figures(cq_desk *desk, cq_desk_figure take, void *context, cq_error *error);
/* Batches in the inbox that no merge has seen. */
cq_status cq_desk_waiting(cq_desk *desk, int64_t *waiting, cq_error *error);

int64_t cq_desk_now(void);

/* The fixed and the rebuildable tables, as SQL. */
extern const char cq_desk_schema[], cq_desk_derived[];

#endif
