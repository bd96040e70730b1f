/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share: a folder of their own, a vault in it, and files as bytes. */
#ifndef TESTS_VAULT_SUPPORT_H
#define TESTS_VAULT_SUPPORT_H

#include "chasqui/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#define PASSPHRASE CQ_STR("quinua y lluvia 2012")
#define OTHER_PASSPHRASE CQ_STR("otro cerro, otra voz")
#define LABEL "encuestadora"

/* The programme's recovery pair; made once. */
extern uint8_t recovery_public[1][CQ_VAULT_KEY_SIZE];
extern uint8_t recovery_secret[CQ_VAULT_KEY_SIZE];

/* Least effort over the VFS named (NULL: the system's). */
cq_vault_options test_options(const char *below);

/* A path in a fresh folder that is emptied first; borrowed until the next call of the same name. */
const char *test_path(const char *name);
void remove_vault(const char *path);

cq_vault *make_vault(const char *path, const char *below);
cq_vault *open_vault(const char *path, const char *below);
/* Runs SQL and fails the test where it does not succeed. */
void run_sql(cq_vault *vault, const char *sql);
int64_t ask_number(cq_vault *vault, const char *sql);

void read_file(cq_buf *out, const char *path);
void write_file(const char *path, const void *bytes, size_t size);
bool file_exists(const char *path);
void copy_vault(const char *from, const char *to); /* the file and its -log */

/* One number from a seed to the next: splitmix64. */
uint64_t next_number(uint64_t *seed);

#endif
