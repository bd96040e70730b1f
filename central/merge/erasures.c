/* SPDX-License-Identifier: Apache-2.0 */
/* `erase status`: of each order to erase, which laptops have obeyed, which have not yet, and which never held any of
 * it.
 */
#include "central/merge/desk.h"
#include "central/verbs.h"
#include "chasqui/order.h"

#include <stdio.h>
#include <string.h>

const cq_cli_option cq_central_erasures_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

/* What the desk knows of a device and an order. Replaced: its vault goes on as another device, which has a row too. */
typedef enum { ERASED, NOTHING, AWAITED, REPLACED, REVOKED } standing;
static const char *const standing_names[] = {"erased", "nothing", "awaited", "replaced", "revoked"};

static const char devices_sql[] =
    "SELECT d.id, d.note, w.arrived_utc_ms, w.held, d.revoked_utc_ms IS NOT NULL, EXISTS (SELECT 1 FROM device n WHERE "
    "n.predecessor = d.id AND n.chain IS NOT NULL) FROM device d LEFT JOIN erasure_word w ON w.device = d.id AND "
    "w.erasure = ?1 ORDER BY d.first_seen_utc_ms, d.id";

typedef struct listing {
  cq_cli *cli;
  cq_desk *desk;
  cq_arena *arena;
  cq_buf json;
  size_t orders, counts[REVOKED + 1];
} listing;

/* Whether a device brought a batch that the order names. */
static cq_status has_brought(cq_desk *desk, const cq_order *order, const cq_device_id *device, bool *brought,
                             cq_error *error) {
  sqlite3_stmt *s = NULL;
  *brought = false;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT 1 FROM batch WHERE hash = ?1 AND device = ?2", error);
  for (size_t i = 0; status == CQ_OK && !*brought && i < order->batch_count; i++) {
    sqlite3_bind_blob(s, 1, order->batches[i].at, sizeof(cq_hash), SQLITE_STATIC);
    sqlite3_bind_blob(s, 2, device->at, sizeof device->at, SQLITE_STATIC);
    status = cq_desk_step(desk, s, brought, error);
    sqlite3_reset(s);
  }
  sqlite3_finalize(s);
  return status;
}

static standing standing_of(sqlite3_stmt *s) {
  if (sqlite3_column_type(s, 2) != SQLITE_NULL) return sqlite3_column_int64(s, 3) > 0 ? ERASED : NOTHING;
  return sqlite3_column_int(s, 4) ? REVOKED : sqlite3_column_int(s, 5) ? REPLACED : AWAITED;
}

static void add_words(cq_buf *out, standing is, bool brought, int64_t held, const char *when) {
  switch (is) {
  case ERASED: cq_buf_addf(out, _("erased, told on %.10s (had %lld)"), when, (long long)held); return;
  case NOTHING: cq_buf_addf(out, _("obeyed, told on %.10s: it held none of it"), when); return;
  case REPLACED: cq_buf_add_text(out, _("its vault goes on as another laptop, below")); return;
  case REVOKED:
    cq_buf_add_text(out, brought ? _("REVOKED, and had some of it: count it as still there")
                                 : _("revoked; it never brought any of it"));
    return;
  case AWAITED:
    cq_buf_add_text(out, brought ? _("NOT YET: it brought some of it, and has not said so")
                                 : _("not heard from yet; it never brought any of it"));
    return;
  }
}

static cq_status say_device(listing *l, const cq_order *order, sqlite3_stmt *s, bool first, cq_error *error) {
  cq_device_id id;
  char hex[33], when[25] = "";
  bool brought = false;
  cq_buf words = {0};
  cq_status status = cq_desk_column(s, 0, id.at, sizeof id.at, error);
  if (status == CQ_OK) status = has_brought(l->desk, order, &id, &brought, error);
  if (status != CQ_OK) return status;
  standing is = standing_of(s);
  int64_t held = sqlite3_column_int64(s, 3);
  cq_str note = cq_desk_text(s, 1);
  cq_device_id_hex(&id, hex);
  if (is == ERASED || is == NOTHING) cq_time_format_utc(sqlite3_column_int64(s, 2), when);
  l->counts[is]++;
  add_words(&words, is, brought, held, when);
  cq_cli_say(l->cli, "  %.8s  %.*s  %s", hex, (int)note.size, note.at, words.at ? words.at : "");
  cq_buf_addf(&l->json, "%s\n {\"device\":\"%s\",\"note\":", first ? "" : ",", hex);
  cq_cli_add_json(&l->json, note);
  cq_buf_addf(&l->json, ",\"state\":\"%s\",\"brought\":%s,\"held\":%lld,\"told\":\"%s\"}", standing_names[is],
              brought ? "true" : "false", (long long)held, when);
  cq_buf_fini(&words);
  return CQ_OK;
}

static cq_status say_order(listing *l, cq_str bytes, cq_error *error) {
  cq_order order;
  cq_hash name;
  char hex[65], when[25];
  sqlite3_stmt *s = NULL;
  cq_arena_reset(l->arena);
  cq_status status = cq_order_read(&order, &name, bytes, l->arena, &l->desk->trust, error);
  if (status != CQ_OK) return status;
  memset(l->counts, 0, sizeof l->counts);
  cq_hash_hex(&name, hex);
  cq_time_format_utc(order.made_utc_ms, when);
  if (order.target_count)
    cq_cli_say(l->cli, _("%.16s  %.10s  %zu records, %zu sealed batches  %.*s %.*s"), hex, when, order.target_count,
               order.batch_count, (int)order.by.size, order.by.at, (int)order.reason.size, order.reason.at);
  else
    cq_cli_say(l->cli, _("%.16s  %.10s  %zu sealed batches in which what was erased came once more"), hex, when,
               order.batch_count);
  cq_buf_addf(&l->json,
              "%s\n{\"order\":\"%s\",\"made\":\"%s\",\"records\":%zu,\"batches\":%zu,\"by\":", l->orders++ ? "," : "",
              hex, when, order.target_count, order.batch_count);
  cq_cli_add_json(&l->json, order.by);
  cq_buf_add_text(&l->json, ",\"reason\":");
  cq_cli_add_json(&l->json, order.reason);
  cq_buf_add_text(&l->json, ",\"devices\":[");
  status = cq_desk_prepare(l->desk, &s, devices_sql, error);
  if (status == CQ_OK) sqlite3_bind_blob(s, 1, name.at, sizeof name.at, SQLITE_STATIC);
  for (bool row = true, first = true; status == CQ_OK; first = false) {
    if ((status = cq_desk_step(l->desk, s, &row, error)) != CQ_OK || !row) break;
    status = say_device(l, &order, s, first, error);
  }
  sqlite3_finalize(s);
  cq_buf_addf(&l->json, "],\"erased\":%zu,\"nothing\":%zu,\"awaited\":%zu}", l->counts[ERASED], l->counts[NOTHING],
              l->counts[AWAITED]);
  cq_cli_say(l->cli, _("  obeyed %zu, of them with some of it %zu; awaited %zu"),
             l->counts[ERASED] + l->counts[NOTHING], l->counts[ERASED], l->counts[AWAITED]);
  return status;
}

int cq_central_erasures(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  sqlite3_stmt *s = NULL;
  const char *wanted = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  listing l = {.cli = cli, .desk = &desk, .arena = cq_arena_new(0)};
  cq_status status = l.arena ? CQ_OK : cq_error_nomem(&error);
  /* 4: erase */
  if (status == CQ_OK)
    status = cq_desk_prepare(&desk, &s,
                             "SELECT bytes FROM decision WHERE kind = 4 AND substr(lower(hex(name)), 1, length(?1)) = "
                             "lower(?1) ORDER BY made_utc_ms DESC, name",
                             &error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, wanted ? wanted : "", -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(&desk, s, &row, &error)) != CQ_OK || !row) break;
    status = say_order(&l, cq_desk_text(s, 0), &error);
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && wanted && !l.orders)
    status = cq_error_set(&error, CQ_NOTFOUND, "desk.order.none", wanted, NULL);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"orders\":[%s]}\n", l.json.at ? l.json.at : "");
  else if (status == CQ_OK && !l.orders)
    cq_cli_say(cli, "%s", _("Nothing was ever erased."));
  cq_buf_fini(&l.json);
  cq_arena_free(l.arena);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
