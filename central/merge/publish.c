/* SPDX-License-Identifier: Apache-2.0 */
/* `publish`: the programme's folder becomes the next signed bundle. */
#include "central/merge/compose.h"
#include "central/merge/desk.h"
#include "central/merge/invitation.h"
#include "central/tables/programme/programme.h"
#include "central/verbs.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "chasqui/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_publish_options[] = {
    {"post", 0, N_("FILE"), N_("certify a post: the post.request that `post init` made; may be given several times")},
    {"out", 'o', N_("FILE"), N_("write the bundle here too")},
    {"invitation-file", 0, N_("FILE"), N_("read the invitation phrase, for files marked sealed, from a file")},
    {"invite", 0, NULL, N_("make a new invitation phrase, which opens sealed lists on a laptop's first day")},
    {"contacts", 0, N_("CODE"),
     N_("carry names of this community, sealed under the phrase; may be given several times")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

enum { POST_REQUEST_MAX_BYTES = 4096 };

/* What the vault brings into the bundle. */
typedef struct kept {
  cq_arena *arena;
  cq_bundle_form forms[CQ_BUNDLE_MAX_FORMS];
  size_t form_count;
  cq_chain *devices, *posts;
  cq_revocation *revocations;
  cq_bundle_order *orders;
  size_t device_count, post_count, revocation_count, order_count;
} kept;

static cq_str keep(kept *k, cq_str bytes) {
  return bytes.size ? cq_arena_copy(k->arena, bytes) : CQ_STR("");
}

/* --- posts --- */

static cq_status certify_post(cq_desk *desk, const char *path, cq_error *error) {
  cq_buf text = {0}, chain = {0};
  sqlite3_stmt *statement = NULL;
  uint8_t link[CQ_CERTIFICATE_SIZE];
  cq_certificate certificate = {
      .mode = desk->mode, .role = CQ_ROLE_POST, .programme = desk->programme, .issued_utc_ms = cq_desk_now()};
  cq_status status = cq_file_read(path, POST_REQUEST_MAX_BYTES, &text, error);
  if (status == CQ_OK && (status = cq_post_request_read(&certificate.sign, cq_buf_str(&text), error)) != CQ_OK)
    cq_error_at_file(error, path);
  if (status == CQ_OK) status = cq_certificate_issue(link, &certificate, desk->programme_secret, error);
  if (status == CQ_OK) {
    cq_chain of = cq_chain_of(NULL, link);
    cq_chain_write(&chain, &of);
    /* a post that asks twice keeps its first certificate */
    status = cq_desk_prepare(desk, &statement, "INSERT OR IGNORE INTO post VALUES (?1, ?2)", error);
  }
  if (status == CQ_OK) {
    sqlite3_bind_blob(statement, 1, certificate.sign.at, 32, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, chain.at, chain.size, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, NULL, error);
  }
  sqlite3_finalize(statement);
  cq_buf_fini(&text);
  cq_buf_fini(&chain);
  return status;
}

/* --- forms --- */

/* A form that changed must say so: records name it by id and version, and people do too. */
static cq_status check_version(cq_desk *desk, const cq_composed_form *form, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  bool row = false;
  cq_status status =
      cq_desk_prepare(desk, &statement, "SELECT 1 FROM form WHERE id = ?1 AND version = ?2 AND hash <> ?3", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(statement, 1, form->id.at, (int)form->id.size, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, form->version.at, (int)form->version.size, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, form->hash.at, 32, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, &row, error);
  }
  sqlite3_finalize(statement);
  if (status != CQ_OK || !row) return status;
  char id[128], version[64];
  snprintf(id, sizeof id, "%.*s", (int)(form->id.size < 100 ? form->id.size : 100), form->id.at);
  snprintf(version, sizeof version, "%.*s", (int)(form->version.size < 60 ? form->version.size : 60), form->version.at);
  return cq_error_set(error, CQ_REFUSED, "desk.publish.version", id, version, NULL);
}

/* Forms of the folder take their place; the version before becomes closing, and older ones withdrawn. */
static cq_status keep_forms(cq_desk *desk, const cq_composed *c, uint64_t number, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  cq_status status = cq_desk_exec(desk, "UPDATE form SET status = min(status + 1, 3)", error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &statement,
                             "INSERT INTO form VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
                             "ON CONFLICT (hash) DO UPDATE SET status = excluded.status",
                             error);
  for (size_t i = 0; status == CQ_OK && i < c->form_count; i++) {
    const cq_composed_form *form = &c->forms[i];
    if ((status = check_version(desk, form, error)) != CQ_OK) break;
    sqlite3_bind_blob(statement, 1, form->hash.at, 32, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, form->id.at, (int)form->id.size, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, form->version.size ? form->version.at : "", (int)form->version.size, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, form->title.size ? form->title.at : "", (int)form->title.size, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, (int64_t)number);
    sqlite3_bind_int(statement, 6, (int)form->status);
    sqlite3_bind_blob64(statement, 7, form->xml.at, form->xml.size, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, NULL, error);
  }
  sqlite3_finalize(statement);
  return status;
}

static cq_status keep_lists(cq_desk *desk, const cq_composed *c, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  cq_status status = cq_desk_exec(desk, "DELETE FROM list", error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &statement, "INSERT INTO list VALUES (?1, ?2)", error);
  for (size_t i = 0; status == CQ_OK && i <= c->file_count; i++) {
    bool calendar = i == c->file_count;
    if (!calendar && c->files[i].sealed) continue;
    cq_str name = calendar ? CQ_STR("") : c->files[i].name, bytes = calendar ? c->calendar : c->files[i].bytes;
    sqlite3_bind_text(statement, 1, name.at, (int)name.size, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, bytes.size ? bytes.at : "", bytes.size, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, NULL, error);
  }
  sqlite3_finalize(statement);
  return status;
}

/* A definition that was published stays as it is: what changes gets a new version. */
static cq_status keep_indicators(cq_desk *desk, const cq_composed *c, uint64_t number, cq_error *error) {
  sqlite3_stmt *put = NULL, *other = NULL;
  cq_status status = cq_desk_prepare(desk, &put, "INSERT OR IGNORE INTO indicator VALUES (?1, ?2, ?3, ?4)", error);
  if (status == CQ_OK)
    status = cq_desk_prepare(
        desk, &other, "SELECT 1 FROM indicator WHERE id = ?1 AND version = ?2 AND definition <> ?4 AND ?3", error);
  for (size_t i = 0; status == CQ_OK && i < c->indicators.count; i++) {
    const cq_indicator *one = &c->indicators.items[i];
    bool changed = false;
    for (size_t s = 0; s < 2; s++) {
      sqlite3_stmt *to = s ? other : put;
      sqlite3_bind_text(to, 1, one->id.at, (int)one->id.size, SQLITE_STATIC);
      sqlite3_bind_int(to, 2, one->version);
      sqlite3_bind_int64(to, 3, (int64_t)number);
      sqlite3_bind_text(to, 4, one->text.at, (int)one->text.size, SQLITE_STATIC);
    }
    if ((status = cq_desk_step(desk, put, NULL, error)) == CQ_OK) status = cq_desk_step(desk, other, &changed, error);
    sqlite3_reset(other);
    if (status == CQ_OK && changed) {
      char id[64], version[16];
      snprintf(id, sizeof id, "%.*s", (int)(one->id.size < 60 ? one->id.size : 60), one->id.at);
      snprintf(version, sizeof version, "%d", (int)one->version);
      status = cq_error_set(error, CQ_REFUSED, "desk.publish.indicator", id, version, NULL);
    }
  }
  sqlite3_finalize(put);
  sqlite3_finalize(other);
  return status;
}

static cq_status read_forms(cq_desk *desk, kept *k, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  cq_status status = cq_desk_prepare(
      desk, &statement, "SELECT id, version, status, xml, hash FROM form ORDER BY status, bundle DESC, id", error);
  for (bool row = true; status == CQ_OK && k->form_count < CQ_BUNDLE_MAX_FORMS;) {
    if ((status = cq_desk_step(desk, statement, &row, error)) != CQ_OK || !row) break;
    cq_bundle_form *form = &k->forms[k->form_count++];
    form->id = keep(k, cq_desk_text(statement, 0));
    form->version = keep(k, cq_desk_text(statement, 1));
    form->status = (cq_form_status)sqlite3_column_int(statement, 2);
    form->xml = keep(k, cq_desk_text(statement, 3));
    status = cq_desk_column(statement, 4, form->hash.at, 32, error);
    if (!form->id.at || !form->xml.at) status = cq_error_nomem(error);
  }
  sqlite3_finalize(statement);
  return status;
}

/* --- devices and posts --- */

static cq_status read_chains(cq_desk *desk, kept *k, const char *sql, size_t most, cq_chain **chains, size_t *count,
                             cq_error *error) {
  sqlite3_stmt *statement = NULL;
  size_t capacity = 0;
  cq_status status = cq_desk_prepare(desk, &statement, sql, error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, statement, &row, error)) != CQ_OK || !row) break;
    if (*count == most) {
      status = cq_error_set(error, CQ_LIMIT, "desk.publish.many", NULL);
      break;
    }
    if (*count == capacity) {
      size_t more = capacity ? capacity * 2 : 64;
      cq_chain *bigger = cq_arena_array(k->arena, more, sizeof *bigger);
      if (!bigger) {
        status = cq_error_nomem(error);
        break;
      }
      if (*count) memcpy(bigger, *chains, *count * sizeof *bigger);
      *chains = bigger;
      capacity = more;
    }
    cq_str bytes = cq_desk_text(statement, 0);
    status = cq_chain_read(&(*chains)[(*count)++], bytes.at, bytes.size, error);
  }
  sqlite3_finalize(statement);
  return status;
}

static cq_status read_orders(cq_desk *desk, kept *k, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  if (!(k->orders = cq_arena_array(k->arena, CQ_BUNDLE_MAX_ORDERS, sizeof *k->orders))) return cq_error_nomem(error);
  /* 4: erase, which devices and posts obey too */
  cq_status status =
      cq_desk_prepare(desk, &statement, "SELECT bytes FROM decision WHERE kind = 4 ORDER BY made_utc_ms DESC", error);
  for (bool row = true; status == CQ_OK && k->order_count < CQ_BUNDLE_MAX_ORDERS;) {
    if ((status = cq_desk_step(desk, statement, &row, error)) != CQ_OK || !row) break;
    k->orders[k->order_count++].bytes = keep(k, cq_desk_text(statement, 0));
  }
  sqlite3_finalize(statement);
  return status;
}

static cq_status read_kept(cq_desk *desk, kept *k, cq_error *error) {
  cq_status status = read_forms(desk, k, error);
  if (status == CQ_OK)
    status = read_chains(desk, k, "SELECT chain FROM device WHERE chain IS NOT NULL ORDER BY id", CQ_BUNDLE_MAX_DEVICES,
                         &k->devices, &k->device_count, error);
  if (status == CQ_OK)
    status = read_chains(desk, k, "SELECT chain FROM post ORDER BY sign", 16, &k->posts, &k->post_count, error);
  if (status == CQ_OK) status = read_orders(desk, k, error);
  return status;
}

/* --- the bundle --- */

static cq_status build(cq_desk *desk, const cq_composed *c, const kept *k, uint64_t number, cq_buf *bytes,
                       cq_error *error) {
  cq_bundle *bundle = NULL;
  cq_bundle_content content = {.mode = desk->mode,
                               .programme = desk->programme,
                               .first_key = desk->programme_key,
                               .number = number,
                               .issued_utc_ms = cq_desk_now(),
                               .desk = desk->seal,
                               .batch_recovery = desk->batch_recovery,
                               .vault_recovery = desk->vault_recovery,
                               .desk_chain = desk->chain,
                               .posts = k->posts,
                               .post_count = k->post_count,
                               .programme_json = c->json,
                               .calendar = c->calendar,
                               .forms = k->forms,
                               .form_count = k->form_count,
                               .files = c->files,
                               .file_count = c->file_count,
                               .devices = k->devices,
                               .device_count = k->device_count,
                               .revocations = desk->revocations,
                               .revocation_count = desk->trust.revocation_count,
                               .orders = k->orders,
                               .order_count = k->order_count};
  cq_status status = cq_bundle_build(bytes, &content, desk->programme_secret, error);
  /* read it back as a laptop will, before anybody gets it */
  if (status == CQ_OK) status = cq_bundle_read(&bundle, bytes->at, bytes->size, &desk->programme, error);
  cq_bundle_free(bundle);
  return status;
}

static cq_status keep_bundle(cq_desk *desk, uint64_t number, const cq_buf *bytes, const cq_hash *hash,
                             cq_error *error) {
  sqlite3_stmt *statement = NULL;
  cq_status status = cq_desk_prepare(desk, &statement, "INSERT INTO bundle VALUES (?1, ?2, ?3, ?4)", error);
  if (status == CQ_OK) {
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    sqlite3_bind_int64(statement, 2, cq_desk_now());
    sqlite3_bind_blob(statement, 3, hash->at, 32, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 4, bytes->at, bytes->size, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, NULL, error);
  }
  sqlite3_finalize(statement);
  return status;
}

/* The newest bundle alone stands in the outbox; the vault keeps them all. */
static cq_status put_out(cq_desk *desk, const char *name, const cq_buf *bytes, cq_buf *path, cq_error *error) {
  cq_buf folder = {0}, old = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, name, bytes->at, bytes->size, NULL, path, error);
  if (status == CQ_OK) status = cq_parcel_list(&parcels, &count, folder.at, error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    if (parcels[i].kind != CQ_PARCEL_BUNDLE || strcmp(parcels[i].name, name) == 0) continue;
    status = cq_file_path(&old, folder.at, parcels[i].name, error);
    if (status == CQ_OK) status = cq_file_remove(old.at, error);
  }
  free(parcels);
  cq_buf_fini(&folder);
  cq_buf_fini(&old);
  return status;
}

/* Tables and checks are published with the forms that they ask of: all their faults are said, and nothing is published.
 */
static cq_status check_tables(cq_cli *cli, cq_desk *desk, cq_error *error) {
  cq_definitions definitions;
  bool found = false;
  cq_status status = cq_programme_definitions(cli, desk, true, &definitions, &found, error);
  cq_definitions_fini(&definitions);
  return status;
}

/* --- what the programme's dates allow --- */

enum { MAX_CAMPAIGNS = 40 };

/* Why a season cannot be closed within the programme; NULL: it can. A season is closed by visits after its end. */
static const char *outside(const cq_season *season, int32_t starts, int32_t ends) {
  if (season->start < starts) return "starts";
  return season->end > ends ? "ends" : NULL;
}

static void add_seasons_json(cq_buf *out, const cq_season *seasons, size_t count, int32_t starts, int32_t ends) {
  char id[CQ_SEASON_REF_SIZE];
  for (size_t i = 0; i < count; i++) {
    const char *why = outside(&seasons[i], starts, ends);
    bool first = out->at[out->size - 1] == '[';
    cq_buf_addf(out, "%s\n{\"season\":\"%s\",\"closable\":%s", first ? "" : ",", cq_season_format(&seasons[i].ref, id),
                why ? "false" : "true");
    if (why) cq_buf_addf(out, ",\"why\":\"%s\"", why);
    cq_buf_add_char(out, '}');
  }
}

static bool say_campaign(cq_cli *cli, const cq_season *seasons, size_t count, int32_t starts, int32_t ends) {
  cq_buf can = {0}, cannot = {0};
  char day[11];
  bool whole = true;
  for (size_t i = 0; i < count; i++) {
    const char *why = outside(&seasons[i], starts, ends);
    if (!why) {
      cq_buf_addf(&can, "%s%s", can.size ? " " : "", seasons[i].ref.code);
      if (ends - seasons[i].end < seasons[i].closes)
        cq_buf_addf(&can, _(" (visits in %d days only)"), (int)(ends - seasons[i].end + 1));
      continue;
    }
    whole = false;
    bool early = *why == 's';
    cq_date_format(cq_date_from_day(early ? seasons[i].start : seasons[i].end - 1), day);
    cq_buf_addf(&cannot, early ? _("; not %s, which began on %s") : _("; not %s, which ends on %s"),
                seasons[i].ref.code, day);
  }
  if (!can.failed && !cannot.failed)
    cq_cli_say(cli, "  %d: %s%s", (int)seasons[0].ref.campaign, can.size ? can.at : "—", cannot.size ? cannot.at : "");
  cq_buf_fini(&can);
  cq_buf_fini(&cannot);
  return whole;
}

/* Which seasons visits can close between the programme's first and last day, at a place without a zone of its own. With
 * `json`, appended to it. */
static cq_status tell_seasons(cq_cli *cli, const cq_composed *c, cq_buf *json, cq_error *error) {
  const cq_programme *p = c->programme;
  cq_calendar *calendar = NULL;
  char first[11], last[11];
  size_t whole = 0;
  if (!p->starts.year || !p->ends.year) return CQ_OK;
  int32_t starts = cq_date_to_day(p->starts), ends = cq_date_to_day(p->ends);
  cq_status status =
      c->calendar.size ? cq_calendar_load(&calendar, c->calendar, error) : cq_calendar_standard(&calendar, error);
  if (status != CQ_OK) return status;
  if (!json)
    cq_cli_say(cli, _("Seasons that can be closed from %s to %s, by campaign:"), cq_date_format(p->starts, first),
               cq_date_format(p->ends, last));
  for (int32_t campaign = p->starts.year - 1; campaign <= p->ends.year && campaign < p->starts.year + MAX_CAMPAIGNS;
       campaign++) {
    cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
    size_t count = cq_calendar_campaign(calendar, CQ_STR(""), campaign, seasons);
    if (!count || seasons[count - 1].end <= starts || seasons[0].start > ends) continue;
    if (json)
      add_seasons_json(json, seasons, count, starts, ends);
    else
      whole += say_campaign(cli, seasons, count, starts, ends);
  }
  if (!json) cq_cli_say(cli, _("Campaigns that can be covered whole: %zu"), whole);
  cq_calendar_free(calendar);
  return CQ_OK;
}

typedef struct published {
  uint64_t number;
  cq_hash hash;
  cq_buf path;
  size_t size, forms, devices, posts;
} published;

static cq_status publish(cq_cli *cli, cq_desk *desk, const cq_composed *c, published *p, cq_error *error) {
  kept *k = calloc(1, sizeof *k);
  cq_buf bytes = {0};
  char name[96];
  int64_t last = 0;
  cq_status status = k && (k->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = cq_desk_number(desk, "SELECT max(number) FROM bundle", 0, &last, error);
  p->number = (uint64_t)last + 1;
  const char *post;
  for (size_t i = 0; status == CQ_OK && (post = cq_cli_value_at(cli, "post", i)); i++)
    status = certify_post(desk, post, error);
  if (status == CQ_OK) status = keep_forms(desk, c, p->number, error);
  if (status == CQ_OK) status = keep_lists(desk, c, error);
  if (status == CQ_OK) status = keep_indicators(desk, c, p->number, error);
  if (status == CQ_OK) status = check_tables(cli, desk, error);
  if (status == CQ_OK) status = read_kept(desk, k, error);
  if (status == CQ_OK) status = build(desk, c, k, p->number, &bytes, error);
  if (status == CQ_OK) {
    p->hash = cq_hash_of(bytes.at, bytes.size);
    p->size = bytes.size;
    p->forms = c->form_count;
    p->devices = k->device_count;
    p->posts = k->post_count;
    status = keep_bundle(desk, p->number, &bytes, &p->hash, error);
  }
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK) {
    cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, p->number, &p->hash);
    status = put_out(desk, name, &bytes, &p->path, error);
  }
  if (status == CQ_OK && cq_cli_value(cli, "out"))
    status = cq_file_replace(cq_cli_value(cli, "out"), bytes.at, bytes.size, 0644, false, error);
  if (k) cq_arena_free(k->arena);
  free(k);
  cq_buf_fini(&bytes);
  return status;
}

static const char *status_words(cq_form_status status) {
  switch (status) {
  case CQ_FORM_CURRENT: return _("in use");
  case CQ_FORM_CLOSING: return _("may be finished, not begun");
  default: return _("withdrawn");
  }
}

static cq_status say(cq_cli *cli, const cq_desk *desk, const cq_composed *c, const published *p, cq_error *error) {
  char fingerprint[CQ_FINGERPRINT_SIZE], hex[65];
  cq_fingerprint(&desk->programme_key, fingerprint);
  for (size_t i = 0; i < c->lacking_count; i++)
    cq_cli_warn(cli, _("A form asks for the list %.*s, which the programme does not bring."), (int)c->lacking[i].size,
                c->lacking[i].at);
  if (cq_cli_flag(cli, "json")) {
    cq_buf out = {0};
    cq_buf_addf(&out, "{\"number\":%llu,\"hash\":\"%s\",\"fingerprint\":\"%s\",\"size\":%zu,\"path\":",
                (unsigned long long)p->number, cq_hash_hex(&p->hash, hex), fingerprint, p->size);
    cq_cli_add_json(&out, cq_buf_str(&p->path));
    cq_buf_add_text(&out, ",\"seasons\":[");
    cq_status status = out.failed ? cq_error_nomem(error) : tell_seasons(cli, c, &out, error);
    cq_buf_add_text(&out, "]}\n");
    if (status == CQ_OK && !out.failed) fwrite(out.at, 1, out.size, stdout);
    cq_buf_fini(&out);
    return status;
  }
  for (size_t i = 0; i < c->form_count; i++)
    cq_cli_say(cli, "  %.*s  %.*s  %s", (int)c->forms[i].id.size, c->forms[i].id.at, (int)c->forms[i].version.size,
               c->forms[i].version.at ? c->forms[i].version.at : "", status_words(c->forms[i].status));
  cq_cli_say(cli, _("Bundle %llu. Forms: %zu. Lists: %zu. Laptops: %zu. Posts: %zu. Bytes: %zu."),
             (unsigned long long)p->number, p->forms, c->file_count, p->devices, p->posts, p->size);
  cq_cli_say(cli, _("Fingerprint of the programme: %s"), fingerprint);
  cq_cli_say(cli, _("It stands in %s"), p->path.at);
  return tell_seasons(cli, c, NULL, error);
}

static cq_status run(cq_cli *cli, cq_desk *desk, cq_error *error) {
  cq_buf folder = {0};
  cq_composed c = {0};
  cq_cli_secret invitation = {0};
  published p = {0};
  cq_status status = cq_desk_get(desk, "programme.folder", true, &folder, error);
  const char *from = cq_cli_arg(cli, 0) ? cq_cli_arg(cli, 0) : folder.at;
  if (status == CQ_OK) status = cq_invitation_get(cli, desk, &invitation, error);
  cq_str phrase = {invitation.at, invitation.size};
  if (status == CQ_OK) status = cq_compose(&c, from, phrase, CQ_COST_INTERACTIVE, false, error);
  if (status == CQ_OK && cq_cli_value(cli, "contacts")) status = cq_invitation_contacts(cli, desk, &c, phrase, error);
  if (status == CQ_OK) status = publish(cli, desk, &c, &p, error);
  if (status == CQ_OK) status = say(cli, desk, &c, &p, error);
  if (status == CQ_OK && cq_cli_flag(cli, "invite")) cq_invitation_say(cli, phrase);
  cq_buf_fini(&p.path);
  cq_buf_fini(&folder);
  cq_compose_fini(&c);
  if (invitation.at) cq_cli_secret_fini(&invitation);
  return status;
}

int cq_central_publish(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  return cq_desk_end(cli, &desk, run(cli, &desk, &error), &error, CQ_EXIT_DONE);
}
