/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as a PostgreSQL database, rows and sealed bytes, for any number of
 * posts at once (docs/decisions/0021-store.md). A few connections, opened as
 * they are needed; one that broke is opened anew by whoever needs it next.
 *
 * Whoever writes locks the row of `arrival` first: so writers take turns, also
 * those of other machines, and sequences become visible in their order.
 */
#include "central/inbox/index_driver.h"

#include <errno.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  CONNECTIONS = 8,
  AWAY_MS = 1000,          /* after a connection that failed nobody tries again for so long */
  LARGE_BYTES = 8 << 20,   /* a connection that sent more is closed: libpq keeps its buffer else */
  CREATE_LOCK = 0x63686173 /* of posts that create the tables at once */
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS item("
    "  seq BIGINT PRIMARY KEY," /* order of arrival; a released batch arrives anew */
    "  hash BYTEA NOT NULL UNIQUE,"
    "  kind BIGINT NOT NULL," /* cq_parcel_kind */
    "  outcome BIGINT NOT NULL,"
    "  device BYTEA NOT NULL,"
    "  number BIGINT NOT NULL,"
    "  size BIGINT NOT NULL,"
    "  path TEXT NOT NULL," /* empty once erased */
    "  received_utc_ms BIGINT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS item_held ON item(device) WHERE outcome IN (3, 4);"
    "CREATE INDEX IF NOT EXISTS item_bundle ON item(number) WHERE kind = 2;"
    "CREATE TABLE IF NOT EXISTS content(hash BYTEA PRIMARY KEY, bytes BYTEA NOT NULL);"
    "ALTER TABLE content ALTER COLUMN bytes SET STORAGE EXTERNAL;" /* sealed: nothing to compress */
    "CREATE TABLE IF NOT EXISTS news("
    "  seq BIGINT PRIMARY KEY,"
    "  device BYTEA NOT NULL," /* zeros: for all */
    "  hash BYTEA NOT NULL REFERENCES item(hash),"
    "  UNIQUE(device, hash));"
    "CREATE INDEX IF NOT EXISTS news_device ON news(device, seq);"
    "CREATE INDEX IF NOT EXISTS news_hash ON news(hash);"
    /* The sequence given last, of both. */
    "CREATE TABLE IF NOT EXISTS arrival(one BIGINT PRIMARY KEY CHECK(one = 1), last BIGINT NOT NULL);"
    "INSERT INTO arrival VALUES(1, 0) ON CONFLICT DO NOTHING;";

/* What one connection is like, whatever the server's settings are: durable, and never in the others' way for ever. */
static const char session[] =
    "SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off;"
    "SET idle_in_transaction_session_timeout = '60s';"
    "SET lock_timeout = '30s';"
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/* A database that was set back from a backup gives no sequence that a reader has passed already. */
static const char catch_up[] =
    "UPDATE arrival SET last = greatest(last, CAST(extract(epoch FROM now()) * 1000 AS BIGINT))";

static const char *const own[INDEX_STATEMENTS] = {
    [INDEX_LAST] = "SELECT last FROM arrival FOR UPDATE",
    [INDEX_ADD] = "WITH added AS (INSERT INTO item(seq, hash, kind, outcome, device, number, size, path,"
                  " received_utc_ms) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING hash)"
                  " INSERT INTO content SELECT hash, CAST($10 AS BYTEA) FROM added WHERE $8 <> ''",
    [INDEX_CHANGE] = "WITH gone AS (DELETE FROM content USING item WHERE content.hash = $1 AND item.hash = $1"
                     " AND item.outcome = $2 AND $4 = '')"
                     " UPDATE item SET outcome = $3, path = $4, seq = $5 WHERE hash = $1 AND outcome = $2",
    [INDEX_READ] = "SELECT substring(bytes FROM CAST(CAST($2 AS BIGINT) AS INT) FOR CAST(CAST($3 AS BIGINT) AS INT))"
                   " FROM content WHERE hash = $1",
};

typedef struct connection {
  PGconn *pg; /* NULL: not open */
  bool prepared[INDEX_STATEMENTS];
  bool large; /* has sent much */
} connection;

typedef struct postgres_index {
  post_index base;
  char *address;
  pthread_mutex_t lock; /* of what follows; a connection in use is its thread's alone */
  pthread_cond_t given_back;
  bool in_use[CONNECTIONS];
  connection connections[CONNECTIONS];
  int64_t away_until_ms; /* monotonic */
  char why[CQ_ERROR_ARG_SIZE];
  pthread_mutex_t writing; /* one transaction at a time in this process */
} postgres_index;

/* The transaction of this thread. */
static _Thread_local struct {
  postgres_index *index;
  connection *connection;
} transaction;

static postgres_index *of(post_index *index) {
  return (postgres_index *)index;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what went wrong --- */

/* The first line of what libpq says: it names host and user, and never a password. */
static void first_line(const char *message, char out[CQ_ERROR_ARG_SIZE]) {
  snprintf(out, CQ_ERROR_ARG_SIZE, "%.*s", (int)strcspn(message, "\n"), message);
}

static void close_connection(connection *c) {
  PQfinish(c->pg);
  *c = (connection){0};
}

static bool is_lost(const connection *c) {
  return !c->pg || PQstatus(c->pg) == CONNECTION_BAD;
}

/*
 * CQ_BUSY where trying again may help: no connection, a server that ends or became a standby, a serialisation failure
 * or deadlock, a lock that did not come in time. The statement's own text only: details may hold values.
 */
static cq_status failed(const postgres_index *index, connection *c, const PGresult *result, cq_error *error) {
  const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
  const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  char why[CQ_ERROR_ARG_SIZE];
  first_line(primary ? primary : PQerrorMessage(c->pg), why);
  /* Without a state it is libpq that speaks, of the connection. */
  bool leaves = !state || strncmp(state, "57P", 3) == 0 || strcmp(state, "25006") == 0;
  if (is_lost(c) || leaves) {
    close_connection(c);
    return cq_error_set(error, CQ_BUSY, "post.store.away", index->address, why, NULL);
  }
  bool again = strncmp(state, "40", 2) == 0 || strcmp(state, "55P03") == 0;
  return cq_error_set(error, again ? CQ_BUSY : CQ_IO, "post.store.fault", index->address, why, NULL);
}

/* --- connections --- */
static void say_nothing(void *context, const char *message) {
  (void)context;
  (void)message;
}

/* A connection without parameters, and without rows that are wanted. */
static cq_status command(const postgres_index *index, connection *c, const char *sql, cq_error *error) {
  PGresult *result = PQexec(c->pg, sql);
  ExecStatusType code = PQresultStatus(result);
  cq_status status = code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK ? CQ_OK : failed(index, c, result, error);
  PQclear(result);
  return status;
}

/* The tables, where they are not there. Two posts may begin at once. */
static cq_status create(const postgres_index *index, connection *c, cq_error *error) {
  PGresult *result = PQexec(c->pg, "SELECT to_regclass('arrival') IS NULL");
  bool lacking = PQresultStatus(result) == PGRES_TUPLES_OK && PQgetvalue(result, 0, 0)[0] == 't';
  cq_status status = PQresultStatus(result) == PGRES_TUPLES_OK ? CQ_OK : failed(index, c, result, error);
  PQclear(result);
  if (status || !lacking) return status;
  char lock[64];
  snprintf(lock, sizeof lock, "BEGIN; SELECT pg_advisory_xact_lock(%d)", (int)CREATE_LOCK);
  status = command(index, c, lock, error);
  if (!status) status = command(index, c, schema, error);
  if (!status) return command(index, c, "COMMIT", error);
  if (c->pg) PQclear(PQexec(c->pg, "ROLLBACK"));
  return status;
}

static cq_status open_connection(const postgres_index *index, connection *c, cq_error *error) {
  /* The address stands last: what it says of these goes before. */
  static const char *const names[] = {"connect_timeout",           "tcp_user_timeout", "keepalives_idle",
                                      "keepalives_interval",       "keepalives_count", "target_session_attrs",
                                      "fallback_application_name", "dbname",           NULL};
  const char *const values[] = {"5", "20000", "10", "5", "3", "read-write", "chasqui-central", index->address, NULL};
  close_connection(c);
  c->pg = PQconnectdbParams(names, values, 1);
  if (!c->pg) return cq_error_nomem(error);
  PQsetNoticeProcessor(c->pg, say_nothing, NULL);
  cq_status status = is_lost(c) ? failed(index, c, NULL, error) : command(index, c, session, error);
  if (!status) status = create(index, c, error);
  if (!status) status = command(index, c, catch_up, error);
  if (status) close_connection(c);
  return status;
}

static connection *free_connection(postgres_index *index) {
  connection *any = NULL;
  for (size_t i = 0; i < CONNECTIONS; i++) {
    connection *c = &index->connections[i];
    if (index->in_use[i]) continue;
    if (c->pg) return c;
    any = c;
  }
  return any;
}

/* Where one was lost the others will be too: whoever comes next opens a new one. */
static void give_back(postgres_index *index, connection *c) {
  bool lost = is_lost(c);
  if (c->large || lost) close_connection(c);
  pthread_mutex_lock(&index->lock);
  index->in_use[c - index->connections] = false;
  for (size_t i = 0; lost && i < CONNECTIONS; i++) {
    if (!index->in_use[i]) close_connection(&index->connections[i]);
  }
  pthread_cond_signal(&index->given_back);
  pthread_mutex_unlock(&index->lock);
}

/* One that is open, for this thread alone until it is given back. */
static cq_status take(postgres_index *index, connection **out, cq_error *error) {
  char why[CQ_ERROR_ARG_SIZE];
  connection *c;
  pthread_mutex_lock(&index->lock);
  while (!(c = free_connection(index))) pthread_cond_wait(&index->given_back, &index->lock);
  bool away = !c->pg && now_ms() < index->away_until_ms;
  if (away)
    memcpy(why, index->why, sizeof why);
  else
    index->in_use[c - index->connections] = true;
  pthread_mutex_unlock(&index->lock);
  if (away) {
    pthread_cond_signal(&index->given_back); /* that this one leaves is the next one's to see */
    return cq_error_set(error, CQ_BUSY, "post.store.away", index->address, why, NULL);
  }
  cq_error failure;
  cq_error_clear(&failure);
  cq_status status = c->pg ? CQ_OK : open_connection(index, c, &failure);
  if (status) {
    pthread_mutex_lock(&index->lock);
    index->away_until_ms = now_ms() + AWAY_MS;
    memcpy(index->why, failure.arg[1], sizeof index->why);
    pthread_mutex_unlock(&index->lock);
    give_back(index, c);
    if (error) *error = failure;
    return status;
  }
  *out = c;
  return CQ_OK;
}

/* --- statements --- */
static void put_number(int64_t number, char out[8]) {
  uint64_t bits = (uint64_t)number;
  for (int i = 8; i-- > 0; bits >>= 8) out[i] = (char)(bits & 0xff);
}

static int64_t get_number(const char *at, int size) {
  uint64_t bits = 0;
  for (int i = 0; i < size; i++) bits = bits << 8 | (uint8_t)at[i];
  return (int64_t)bits;
}

static cq_status execute(const postgres_index *index, connection *c, index_statement which, const index_cell *params,
                         size_t count, PGresult **result, cq_error *error) {
  char name[16], numbers[INDEX_MOST_CELLS][8];
  const char *values[INDEX_MOST_CELLS];
  int sizes[INDEX_MOST_CELLS], binary[INDEX_MOST_CELLS];
  snprintf(name, sizeof name, "s%d", (int)which);
  if (!c->prepared[which]) {
    PGresult *prepared = PQprepare(c->pg, name, own[which] ? own[which] : index_sql[which], 0, NULL);
    cq_status status = PQresultStatus(prepared) == PGRES_COMMAND_OK ? CQ_OK : failed(index, c, prepared, error);
    PQclear(prepared);
    if (status) return status;
    c->prepared[which] = true;
  }
  for (size_t i = 0; i < count; i++) {
    bool is_number = params[i].type == INDEX_NUMBER;
    if (is_number) put_number(params[i].number, numbers[i]);
    values[i] = is_number ? numbers[i] : params[i].bytes.size ? params[i].bytes.at : "";
    sizes[i] = is_number ? 8 : (int)params[i].bytes.size;
    binary[i] = 1;
    c->large |= params[i].bytes.size > LARGE_BYTES;
  }
  *result = PQexecPrepared(c->pg, name, (int)count, values, sizes, binary, 1);
  ExecStatusType code = PQresultStatus(*result);
  if (code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK) return CQ_OK;
  return failed(index, c, *result, error);
}

static void pass_rows(const PGresult *result, index_row row, void *context) {
  enum { OF_INT8 = 20 };
  index_cell cells[INDEX_MOST_CELLS];
  for (int r = 0; r < PQntuples(result); r++) {
    for (int i = 0; i < PQnfields(result) && i < INDEX_MOST_CELLS; i++) {
      const char *at = PQgetvalue(result, r, i);
      int size = PQgetlength(result, r, i);
      if (PQftype(result, i) == OF_INT8)
        cells[i] = (index_cell){.type = INDEX_NUMBER, .number = get_number(at, size)};
      else
        cells[i] = (index_cell){.type = INDEX_BLOB, .bytes = {at, (size_t)size}};
    }
    if (!row(context, cells)) break;
  }
}

static cq_status run(post_index *base, index_statement which, const index_cell *params, size_t count, index_row row,
                     void *context, uint64_t *changed, cq_error *error) {
  postgres_index *index = of(base);
  bool within = transaction.index == index;
  connection *c = transaction.connection;
  PGresult *result = NULL;
  cq_status status = CQ_OK;
  /* A question is asked again where the connection had broken meanwhile; in a transaction all of it was lost. */
  for (int tries = 0; tries < 2; tries++) {
    PQclear(result);
    result = NULL;
    if (!within) status = take(index, &c, error);
    if (status) return status;
    if (within && is_lost(c))
      return cq_error_set(error, CQ_BUSY, "post.store.away", index->address, strerror(ENOTCONN), NULL);
    status = execute(index, c, which, params, count, &result, error);
    bool lost = is_lost(c);
    if (!within) give_back(index, c);
    if (within || !status || !lost) break;
  }
  if (!status && changed) *changed = strtoull(PQcmdTuples(result), NULL, 10);
  if (!status && row) pass_rows(result, row, context);
  PQclear(result);
  return status;
}

/* --- transactions --- */
static void leave(postgres_index *index) {
  give_back(index, transaction.connection);
  transaction.index = NULL;
  transaction.connection = NULL;
  pthread_mutex_unlock(&index->writing);
}

static cq_status begin(post_index *base, cq_error *error) {
  postgres_index *index = of(base);
  connection *c = NULL;
  cq_status status = CQ_OK;
  pthread_mutex_lock(&index->writing);
  for (int tries = 0; tries < 2; tries++) {
    status = take(index, &c, error);
    if (!status) status = command(index, c, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", error);
    if (!status) break;
    bool lost = c && is_lost(c);
    if (c) give_back(index, c);
    c = NULL;
    if (!lost) break;
  }
  if (status) {
    pthread_mutex_unlock(&index->writing);
    return status;
  }
  transaction.index = index;
  transaction.connection = c;
  return CQ_OK;
}

static cq_status commit(post_index *base, cq_error *error) {
  postgres_index *index = of(base);
  connection *c = transaction.connection;
  PGresult *result = is_lost(c) ? NULL : PQexec(c->pg, "COMMIT");
  cq_status status = CQ_OK;
  if (!result)
    status = cq_error_set(error, CQ_BUSY, "post.store.away", index->address, strerror(ENOTCONN), NULL);
  else if (PQresultStatus(result) != PGRES_COMMAND_OK)
    status = failed(index, c, result, error);
  else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) /* a statement of it had failed */
    status = cq_error_set(error, CQ_IO, "post.store.fault", index->address, PQcmdStatus(result), NULL);
  PQclear(result);
  leave(index);
  return status;
}

static void rollback(post_index *base) {
  connection *c = transaction.connection;
  if (!is_lost(c)) command(of(base), c, "ROLLBACK", NULL);
  leave(of(base));
}

/* --- the index --- */
static void close_index(post_index *base) {
  postgres_index *index = of(base);
  for (size_t i = 0; i < CONNECTIONS; i++) close_connection(&index->connections[i]);
  pthread_mutex_destroy(&index->lock);
  pthread_mutex_destroy(&index->writing);
  pthread_cond_destroy(&index->given_back);
  free(index->address);
  free(index);
}

static const index_driver driver = {
    .close = close_index, .begin = begin, .commit = commit, .rollback = rollback, .run = run};

cq_status index_postgres_open(post_index **out, const char *address, cq_error *error) {
  postgres_index *index = calloc(1, sizeof *index);
  if (!index) return cq_error_nomem(error);
  index->base.driver = &driver;
  pthread_mutex_init(&index->lock, NULL);
  pthread_mutex_init(&index->writing, NULL);
  pthread_cond_init(&index->given_back, NULL);
  index->address = strdup(address);
  connection *c = NULL;
  cq_status status = index->address ? index_check_address(address, error) : cq_error_nomem(error);
  if (!status) status = take(index, &c, error);
  if (c) give_back(index, c);
  if (status) {
    close_index(&index->base);
    return status;
  }
  *out = &index->base;
  return CQ_OK;
}

cq_status index_check_address(const char *address, cq_error *error) {
  PQconninfoOption *options = PQconninfoParse(address, NULL);
  bool is_address = options && strncmp(address, "postgres", 8) == 0 && strstr(address, "://");
  bool password = false;
  for (const PQconninfoOption *o = options; o && o->keyword; o++)
    password |= o->val && *o->val && strstr(o->keyword, "password") != NULL;
  PQconninfoFree(options);
  if (password) return cq_error_set(error, CQ_REFUSED, "post.store.password", NULL);
  /* What cannot be read may have a password in it, and is not repeated. */
  return is_address ? CQ_OK : cq_error_set(error, CQ_INVALID, "post.store.address", NULL);
}
