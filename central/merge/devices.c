/* SPDX-License-Identifier: Apache-2.0 */
/* `devices`: who may send, decided by people and kept as signed orders. */
#include "central/merge/derive.h"
#include "central/merge/take.h"
#include "central/verbs.h"
#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "chasqui/order.h"
#include "chasqui/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_devices_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option cq_central_devices_change_options[] = {
    {"last", 0, N_("NUMBER"), N_("revoke, release: the last batch that is merged")},
    {"reason", 0, N_("TEXT"), N_("why, in a line without personal data")},
    {"by", 0, N_("CODE"), N_("code of the person who decides")},
    CQ_CLI_OPTION_YES,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

typedef struct device_row {
  cq_device_id id;
  cq_sign_key sign;
  cq_seal_key seal;
  bool has_seal, certified, revoked, held;
  int64_t last_trusted, released;
} device_row;

/* --- the list --- */

static const char *standing(bool certified, bool revoked, bool held) {
  return revoked ? "revoked" : held ? "held" : certified ? "certified" : "unknown";
}

static const char *standing_text(const char *name) {
  if (strcmp(name, "revoked") == 0) return _("revoked");
  if (strcmp(name, "held") == 0) return _("held");
  return strcmp(name, "certified") == 0 ? _("certified") : _("unknown");
}

static const char list_sql[] =
    "SELECT d.id, d.sign, d.note, d.chain IS NOT NULL, d.revoked_utc_ms IS NOT NULL, d.held, "
    "coalesce(sum(b.state = 3), 0), coalesce(sum(b.state = 2), 0), coalesce(sum(b.state = 4), 0), "
    "coalesce(max(b.number), 0), coalesce(max(b.number), 0) - count(DISTINCT b.number), "
    "count(b.number) - count(DISTINCT b.number), d.predecessor "
    "FROM device d LEFT JOIN batch b ON b.device = d.id GROUP BY d.id ORDER BY d.first_seen_utc_ms, d.id";

static cq_status say_device(cq_cli *cli, sqlite3_stmt *s, bool first, cq_buf *json, cq_error *error) {
  cq_device_id id;
  cq_sign_key sign;
  char hex[33], fingerprint[CQ_FINGERPRINT_SIZE];
  cq_status status = cq_desk_column(s, 0, id.at, sizeof id.at, error);
  if (status == CQ_OK) status = cq_desk_column(s, 1, sign.at, sizeof sign.at, error);
  if (status != CQ_OK) return status;
  const char *state = standing(sqlite3_column_int(s, 3), sqlite3_column_int(s, 4), sqlite3_column_int(s, 5));
  cq_str note = cq_desk_text(s, 2);
  cq_device_id_hex(&id, hex);
  cq_fingerprint(&sign, fingerprint);
  long long merged = sqlite3_column_int64(s, 6), held = sqlite3_column_int64(s, 7),
            refused = sqlite3_column_int64(s, 8);
  long long last = sqlite3_column_int64(s, 9), gaps = sqlite3_column_int64(s, 10), twice = sqlite3_column_int64(s, 11);
  cq_cli_say(cli, "%.8s  %s  %s  %.*s", hex, fingerprint, standing_text(state), (int)note.size, note.at);
  cq_cli_say(cli, _("          merged %lld, held %lld, refused %lld; last number %lld, missing %lld"), merged, held,
             refused, last, gaps);
  /* a restored vault: whom the coordinator approves anew */
  cq_device_id before;
  char before_hex[33] = "";
  if (cq_desk_text(s, 12).size == sizeof before.at) {
    memcpy(before.at, cq_desk_text(s, 12).at, sizeof before.at);
    cq_device_id_hex(&before, before_hex);
    cq_cli_say(cli, _("          goes on from %.8s"), before_hex);
  }
  if (twice)
    cq_cli_say(cli, _("          %lld numbers came twice with other content: a copied vault? Look at it."), twice);
  cq_buf_addf(json, "%s{\"device\":\"%s\",\"fingerprint\":\"%s\",\"state\":\"%s\",\"note\":", first ? "" : ",", hex,
              fingerprint, state);
  cq_cli_add_json(json, note);
  cq_buf_addf(
      json,
      ",\"merged\":%lld,\"held\":%lld,\"refused\":%lld,\"last\":%lld,\"missing\":%lld,\"twice\":%lld,\"after\":\"%s\"}",
      merged, held, refused, last, gaps, twice, before_hex);
  return CQ_OK;
}

int cq_central_devices(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_buf json = {0};
  sqlite3_stmt *s = NULL;
  size_t count = 0;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_desk_prepare(&desk, &s, list_sql, &error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(&desk, s, &row, &error)) != CQ_OK || !row) break;
    status = say_device(cli, s, count++ == 0, &json, &error);
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"devices\":[%s]}\n", json.at ? json.at : "");
  else if (status == CQ_OK && !count)
    cq_cli_say(cli, "%s", _("No device has asked to join yet."));
  cq_buf_fini(&json);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

/* --- finding one --- */

/* A request file (.chd) makes the device known; else its id, from the start, or its fingerprint. */
static cq_status from_request(cq_desk *desk, const char *path, cq_device_id *id, cq_error *error) {
  cq_buf bytes = {0};
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing_of;
  const char *why;
  cq_status status = cq_file_read(path, CQ_BATCH_MAX_SIZE, &bytes, error);
  /* the signature shows that whoever asks holds the key */
  if (status == CQ_OK)
    status = cq_batch_verify(&header, &hash, &standing_of, &why, bytes.at, bytes.size, &desk->trust, error);
  if (status == CQ_OK && !header.has_request)
    status = cq_error_set(error, CQ_INVALID, "desk.device.request", path, NULL);
  if (status == CQ_OK) status = cq_device_seen(desk, &header.sign, &header.request, error);
  if (status == CQ_OK) *id = header.device;
  cq_buf_fini(&bytes);
  return status;
}

static bool matches(const char *text, const device_row *d) {
  char hex[33];
  size_t size = strlen(text);
  cq_device_id_hex(&d->id, hex);
  if (size >= 4 && size <= 32 && strncmp(hex, text, size) == 0) return true;
  return cq_fingerprint_matches(&d->sign, cq_str_from(text));
}

static cq_status find_device(cq_desk *desk, const char *text, device_row *found, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t count = 0;
  cq_device_id asked;
  size_t size = strlen(text);
  bool file = size > 4 && (strcmp(text + size - 4, ".chq") == 0 || strchr(text, '/'));
  cq_status status = file ? from_request(desk, text, &asked, error) : CQ_OK;
  if (status == CQ_OK)
    status =
        cq_desk_prepare(desk, &s,
                        "SELECT id, sign, seal, chain IS NOT NULL, revoked_utc_ms IS NOT NULL, held, last_trusted, "
                        "released FROM device",
                        error);
  for (bool row = true; status == CQ_OK;) {
    device_row d = {0};
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, d.id.at, sizeof d.id.at, error);
    if (status == CQ_OK) status = cq_desk_column(s, 1, d.sign.at, sizeof d.sign.at, error);
    d.has_seal = sqlite3_column_bytes(s, 2) == 32;
    if (d.has_seal) memcpy(d.seal.at, sqlite3_column_blob(s, 2), 32);
    d.certified = sqlite3_column_int(s, 3);
    d.revoked = sqlite3_column_int(s, 4);
    d.held = sqlite3_column_int(s, 5);
    d.last_trusted = sqlite3_column_int64(s, 6);
    d.released = sqlite3_column_int64(s, 7);
    if (status != CQ_OK || !(file ? cq_device_id_equal(&d.id, &asked) : matches(text, &d))) continue;
    *found = d;
    count++;
  }
  sqlite3_finalize(s);
  if (status != CQ_OK) return status;
  if (count == 1) return CQ_OK;
  return cq_error_set(error, CQ_NOTFOUND, count ? "desk.device.several" : "desk.device.none", text, NULL);
}

/* --- changing one --- */

static cq_status put_order(cq_cli *cli, cq_desk *desk, cq_order_kind kind, const device_row *d, uint64_t number,
                           cq_error *error) {
  cq_order order = {.kind = kind,
                    .by = cq_str_from(cq_cli_value(cli, "by")),
                    .reason = cq_str_from(cq_cli_value(cli, "reason")),
                    .device = d->id,
                    .number = number};
  return cq_derive_sign(desk, &order, NULL, NULL, error);
}

static cq_status update(cq_desk *desk, const char *sql, const device_row *d, int64_t number, const cq_buf *chain,
                        cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_blob(s, 1, d->id.at, sizeof d->id.at, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, number);
    if (chain) sqlite3_bind_blob64(s, 3, chain->at, chain->size, SQLITE_STATIC);
    status = cq_desk_step(desk, s, NULL, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* The certificate goes home through the outbox. */
static cq_status certify(cq_desk *desk, const device_row *d, cq_buf *chain, cq_error *error) {
  uint8_t link[CQ_CERTIFICATE_SIZE];
  cq_certificate certificate = {.mode = desk->mode,
                                .role = CQ_ROLE_DEVICE,
                                .programme = desk->programme,
                                .sign = d->sign,
                                .seal = d->seal,
                                .issued_utc_ms = cq_desk_now()};
  cq_status status = cq_certificate_issue(link, &certificate, desk->programme_secret, error);
  if (status != CQ_OK) return status;
  cq_chain of = cq_chain_of(NULL, link);
  cq_chain_write(chain, &of);
  return chain->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status send_chain(cq_desk *desk, const device_row *d, const cq_buf *chain, cq_error *error) {
  cq_buf folder = {0};
  char name[96];
  cq_hash hash = cq_hash_of(chain->at, chain->size);
  cq_parcel_file_name(name, CQ_PARCEL_CHAIN, &d->id, 0, &hash);
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, name, chain->at, chain->size, NULL, NULL, error);
  cq_buf_fini(&folder);
  return status;
}

static cq_status approve(cq_cli *cli, cq_desk *desk, const device_row *d, cq_error *error) {
  char fingerprint[CQ_FINGERPRINT_SIZE], question[256];
  cq_buf chain = {0};
  if (d->certified) return cq_error_set(error, CQ_REFUSED, "desk.device.certified", NULL);
  if (!d->has_seal) return cq_error_set(error, CQ_REFUSED, "desk.device.asked", NULL);
  cq_fingerprint(&d->sign, fingerprint);
  snprintf(question, sizeof question, _("Does the laptop's screen show the fingerprint %s?"), fingerprint);
  cq_status status = cq_desk_confirm(cli, question, error);
  if (status != CQ_OK) return status;
  status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = certify(desk, d, &chain, error);
  if (status == CQ_OK) status = update(desk, "UPDATE device SET chain = ?3 WHERE id = ?1", d, 0, &chain, error);
  if (status == CQ_OK) status = put_order(cli, desk, CQ_ORDER_APPROVE, d, 0, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK) status = send_chain(desk, d, &chain, error);
  if (status == CQ_OK)
    cq_cli_say(
        cli, _("Approved. Its certificate stands in the outbox. Next: %s opens what was held, and %s tells the posts."),
        "chasqui-central merge", "chasqui-central publish");
  cq_buf_fini(&chain);
  return status;
}

static cq_status revoke(cq_cli *cli, cq_desk *desk, const device_row *d, int64_t last, cq_error *error) {
  if (last < 0) { /* what was merged so far stays trusted */
    sqlite3_stmt *s = NULL;
    bool row = false;
    cq_status status =
        cq_desk_prepare(desk, &s, "SELECT coalesce(max(number), 0) FROM batch WHERE device = ?1 AND state = 3", error);
    if (status == CQ_OK) {
      sqlite3_bind_blob(s, 1, d->id.at, sizeof d->id.at, SQLITE_STATIC);
      status = cq_desk_step(desk, s, &row, error);
    }
    if (status == CQ_OK) last = row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    if (status != CQ_OK) return status;
  }
  cq_status status = cq_desk_confirm(cli, _("Revoke this device? This cannot be taken back."), error);
  if (status != CQ_OK) return status;
  status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK)
    status =
        update(desk,
               "UPDATE device SET last_trusted = ?2, revoked_utc_ms = CAST((julianday('now') - 2440587.5) * 86400000 "
               "AS INTEGER) WHERE id = ?1",
               d, last, NULL, error);
  if (status == CQ_OK) status = put_order(cli, desk, CQ_ORDER_REVOKE, d, (uint64_t)last, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK)
    cq_cli_say(cli, _("Revoked after batch %lld. Tell posts and laptops with: %s"), (long long)last,
               "chasqui-central publish");
  return status;
}

static cq_status hold(cq_cli *cli, cq_desk *desk, const device_row *d, cq_error *error) {
  cq_status status = update(desk, "UPDATE device SET held = 1 WHERE id = ?1", d, 0, NULL, error);
  if (status == CQ_OK)
    cq_cli_say(cli, "%s", _("What this device sends from now on is kept apart until it is released."));
  return status;
}

static cq_status release(cq_cli *cli, cq_desk *desk, const device_row *d, int64_t last, cq_error *error) {
  /* without a number: an end to holding; what lacks a certificate needs approval or a number */
  if (last < 0 && !d->held) return cq_error_set(error, CQ_REFUSED, "desk.device.release", NULL);
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK)
    status = update(desk,
                    last < 0 ? "UPDATE device SET held = 0 WHERE id = ?1"
                             : "UPDATE device SET released = max(released, ?2) WHERE id = ?1",
                    d, last, NULL, error);
  if (status == CQ_OK) status = put_order(cli, desk, CQ_ORDER_RELEASE, d, last < 0 ? 0 : (uint64_t)last, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK) cq_cli_say(cli, _("Released. Next: %s"), "chasqui-central merge");
  return status;
}

typedef enum change { APPROVE, REVOKE, HOLD, RELEASE } change;

static int change_device(cq_cli *cli, change what) {
  cq_desk desk;
  cq_error error;
  device_row d;
  int64_t last = -1;
  const char *number = cq_cli_value(cli, "last");
  cq_error_clear(&error);
  if (number && (!cq_str_int64(cq_str_from(number), &last) || last < 0))
    return cq_cli_usage(cli, "%s", _("--last takes the number of a batch"));
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = CQ_OK;
  for (int i = 0; status == CQ_OK && i < cq_cli_args(cli); i++) {
    status = find_device(&desk, cq_cli_arg(cli, i), &d, &error);
    if (status != CQ_OK) break;
    status = what == APPROVE  ? approve(cli, &desk, &d, &error)
             : what == REVOKE ? revoke(cli, &desk, &d, last, &error)
             : what == HOLD   ? hold(cli, &desk, &d, &error)
                              : release(cli, &desk, &d, last, &error);
  }
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

int cq_central_devices_approve(cq_cli *cli) {
  return change_device(cli, APPROVE);
}

int cq_central_devices_revoke(cq_cli *cli) {
  return change_device(cli, REVOKE);
}

int cq_central_devices_hold(cq_cli *cli) {
  return change_device(cli, HOLD);
}

int cq_central_devices_release(cq_cli *cli) {
  return change_device(cli, RELEASE);
}
