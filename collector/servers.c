/* SPDX-License-Identifier: Apache-2.0 */
/* `server …`: OpenRosa servers of others, known to this vault alone, and the forms that are taken from them. */
#include "chasqui/file.h"
#include "chasqui/pulled.h"
#include "collector/collector.h"
#include "collector/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- adding --- */
static cq_status check_name(const char *name, cq_error *error) {
  static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t size = strlen(name);
  if (size > 0 && size <= 64 && strspn(name, signs) == size) return CQ_OK;
  return cq_error_set(error, CQ_INVALID, "collector.server.name", name, NULL);
}

static cq_status gather_forms(const cq_cli *cli, cq_buf *forms, cq_error *error) {
  const char *id;
  for (size_t n = 0; (id = cq_cli_value_at(cli, "form", n)) != NULL; n++) cq_buf_addf(forms, "%s\n", id);
  return forms->failed ? cq_error_nomem(error) : CQ_OK;
}

/* The token of the address where there is one, else asked for; a server without accounts needs none. */
static cq_status read_secret(cq_cli *cli, cq_server_kind kind, cq_str in_address, cq_cli_secret *secret,
                             cq_error *error) {
  if (in_address.size == 0 && (kind != CQ_SERVER_OPENROSA || cq_cli_value(cli, "user")))
    return cq_cli_passphrase(cli, "secret-file", _("Token or password of the server"), false, secret, error);
  cq_status status = cq_cli_secret_init(secret, error);
  if (status == CQ_OK && in_address.size > CQ_CLI_SECRET_MAX)
    status = cq_error_set(error, CQ_INVALID, "openrosa.url", NULL);
  if (status != CQ_OK) return status;
  memcpy(secret->at, in_address.at ? in_address.at : "", in_address.size);
  secret->size = in_address.size;
  return CQ_OK;
}

static cq_status put_on_record(cq_laptop *laptop, const char *what, const char *whom, cq_error *error) {
  cq_store_event event = {.device_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context),
                          .who = cq_str_from(laptop->technician),
                          .what = cq_str_from(what),
                          .reference = cq_str_from(whom)};
  return cq_store_audit_add(laptop->store, &event, error);
}

int cq_collector_server_add(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop = {0};
  cq_buf url = {0}, token = {0}, ca = {0}, forms = {0};
  cq_cli_secret secret = {0};
  const char *name = cq_cli_arg(cli, 0), *kind = cq_cli_value(cli, "kind"), *pem = cq_cli_value(cli, "ca");
  cq_server_kind known = CQ_SERVER_CENTRAL;
  cq_error_clear(&error);
  if (kind && !cq_server_kind_parse(cq_str_from(kind), &known))
    return cq_cli_usage(cli, _("--kind is central, kobo or openrosa"));
  cq_status status = check_name(name, &error);
  if (status == CQ_OK) status = cq_server_address(&url, &token, cq_str_from(cq_cli_arg(cli, 1)), &error);
  if (status == CQ_OK && pem) status = cq_file_read(pem, CQ_HANDOVER_MAX_CA, &ca, &error);
  if (status == CQ_OK) status = gather_forms(cli, &forms, &error);
  if (status == CQ_OK) status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = read_secret(cli, known, cq_buf_str(&token), &secret, &error);
  if (status == CQ_OK) {
    cq_store_server server = {.name = cq_str_from(name),
                              .kind = known,
                              .url = cq_buf_str(&url),
                              .user = cq_str_from(cq_cli_value(cli, "user")),
                              .secret = {secret.at, secret.size},
                              .ca = cq_buf_str(&ca),
                              .forms = cq_buf_str(&forms)};
    status = cq_store_server_put(laptop.store, &server, &error);
  }
  if (status == CQ_OK) status = put_on_record(&laptop, "server-add", url.at, &error);
  if (status == CQ_OK) {
    cq_cli_say(cli, _("%s is known to this laptop now. What is sent there leaves it readable."), name);
    cq_cli_say(cli, _("Next: chasqui-collector server pull %s (its forms), or chasqui-collector send %s"), name, name);
  }
  cq_cli_secret_fini(&secret);
  cq_buf_fini(&url);
  cq_buf_fini_secret(&token);
  cq_buf_fini(&ca);
  cq_buf_fini(&forms);
  return cq_collector_end(cli, &laptop, status, &error);
}

int cq_collector_server_remove(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  const char *name = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_store_server_remove(laptop.store, cq_str_from(name), &error);
  if (status == CQ_OK) status = put_on_record(&laptop, "server-remove", name, &error);
  if (status == CQ_OK) cq_cli_say(cli, _("%s is forgotten, and its forms are begun no more. Interviews stay."), name);
  return cq_collector_end(cli, &laptop, status, &error);
}

/* --- listing --- */
typedef struct listing {
  cq_cli *cli;
  const cq_kept *kept;
  cq_buf json;
  size_t count;
} listing;

static cq_status see_server(void *context, const cq_store_server *server) {
  listing *it = context;
  size_t done = 0, waiting = 0, refused = 0;
  for (size_t i = 0; i < it->kept->record_count; i++) {
    const cq_kept_record *record = &it->kept->records[i];
    if (!cq_str_is(server->name, record->server)) continue;
    if (cq_delivery_is_done(record->outcome))
      done++;
    else if (cq_delivery_is_refused(record->outcome))
      refused++;
    else
      waiting++;
  }
  cq_cli_say(it->cli, _("%.*s  %s  %.*s  accepted %zu, waiting %zu, refused %zu"), (int)server->name.size,
             server->name.at, cq_server_kind_name((cq_server_kind)server->kind), (int)server->url.size, server->url.at,
             done, waiting, refused);
  cq_buf_add_text(&it->json, it->count++ ? ",{\"name\":" : "{\"name\":");
  cq_cli_add_json(&it->json, server->name);
  cq_buf_add_text(&it->json, ",\"url\":");
  cq_cli_add_json(&it->json, server->url);
  cq_buf_addf(&it->json, ",\"kind\":\"%s\",\"accepted\":%zu,\"waiting\":%zu,\"refused\":%zu}",
              cq_server_kind_name((cq_server_kind)server->kind), done, waiting, refused);
  return CQ_OK;
}

int cq_collector_server_list(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_kept kept = {0};
  listing it = {.cli = cli, .kept = &kept};
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_kept_read(&kept, laptop.store, &error);
  if (status == CQ_OK) status = cq_store_servers(laptop.store, see_server, &it, &error);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"servers\":[%s]}\n", it.json.at ? it.json.at : "");
  if (status == CQ_OK && it.count == 0) cq_cli_say(cli, "%s", _("No OpenRosa server is known."));
  cq_buf_fini(&it.json);
  cq_kept_free(&kept);
  return cq_collector_end(cli, &laptop, status, &error);
}

/* --- forms --- */
static cq_status pulled_of(const cq_laptop *laptop, const cq_server *server, cq_pulled *pulled, cq_arena *arena,
                           cq_buf *folder, cq_error *error) {
  cq_buf inbox = {0};
  char name[26];
  cq_pulled_folder_name(name, cq_buf_str(&server->url));
  cq_status status = cq_home_folder(&inbox, laptop->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK) status = cq_file_path(folder, inbox.at, name, error);
  if (status == CQ_OK) status = cq_pulled_read(pulled, folder->at, arena, error);
  cq_buf_fini(&inbox);
  return status;
}

static cq_status read_pulled(const cq_buf *folder, cq_str file, size_t limit, cq_buf *out, cq_error *error) {
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, folder->at, file.at, error);
  if (status == CQ_OK) status = cq_file_read(path.at, limit, out, error);
  cq_buf_fini(&path);
  return status;
}

typedef struct known_forms {
  cq_hash hash;
  cq_store_form_status status; /* 0: not in the vault */
  cq_str server;               /* whose it must be to be `of_server` */
  bool of_server;
} known_forms;

static cq_status see_form(void *context, const cq_store_form *form) {
  known_forms *it = context;
  if (memcmp(form->hash, it->hash.at, sizeof it->hash.at) != 0) return CQ_OK;
  it->status = form->status;
  it->of_server = cq_str_equal(form->origin, it->server);
  return CQ_OK;
}

int cq_collector_server_forms(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_server server = {0};
  cq_pulled pulled = {0};
  cq_buf folder = {0}, xml = {0}, json = {0};
  cq_arena *arena = cq_arena_new(0);
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK && !arena) status = cq_error_nomem(&error);
  if (status == CQ_OK) status = cq_server_find(&server, laptop.store, cq_cli_arg(cli, 0), &error);
  if (status == CQ_OK) status = pulled_of(&laptop, &server, &pulled, arena, &folder, &error);
  if (status == CQ_OK) cq_cli_say(cli, _("From %s, not signed by the programme:"), server.name.at);
  for (size_t i = 0; status == CQ_OK && i < pulled.form_count; i++) {
    const cq_pulled_form *form = &pulled.forms[i];
    known_forms known = {0};
    status = read_pulled(&folder, form->file, CQ_PULLED_MAX_FORM, &xml, &error);
    if (status != CQ_OK) break;
    known.hash = cq_hash_of(xml.at, xml.size);
    status = cq_store_forms(laptop.store, see_form, &known, &error);
    cq_cli_say(cli, "  %s  %s  %s  %s", form->id.at, form->version.at, form->name.at,
               known.status == CQ_STORE_FORM_CURRENT ? _("in use") : _("not accepted"));
    cq_buf_add_text(&json, i ? ",{\"id\":" : "{\"id\":");
    cq_cli_add_json(&json, form->id);
    cq_buf_add_text(&json, ",\"version\":");
    cq_cli_add_json(&json, form->version);
    cq_buf_addf(&json, ",\"in_use\":%s}", known.status == CQ_STORE_FORM_CURRENT ? "true" : "false");
  }
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"forms\":[%s]}\n", json.at ? json.at : "");
  cq_buf_fini(&json);
  cq_buf_fini(&xml);
  cq_buf_fini(&folder);
  cq_server_fini(&server);
  cq_arena_free(arena);
  return cq_collector_end(cli, &laptop, status, &error);
}

/* --- accepting --- */
typedef struct accepting {
  const cq_pulled_form *form;
  cq_store_list *lists;
  cq_buf *bytes; /* of each */
} accepting;

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  const accepting *it = context;
  size_t start = uri.size;
  while (start > 0 && uri.at[start - 1] != '/') start--;
  cq_str name = {uri.at + start, uri.size - start};
  for (size_t i = 0; i < it->form->media_count; i++) {
    if (!cq_str_equal(it->form->media[i].name, name)) continue;
    cq_buf_reset(out);
    cq_buf_add_str(out, it->lists[i].bytes);
    return out->failed ? cq_error_nomem(error) : CQ_OK;
  }
  return cq_error_set(error, CQ_NOTFOUND, "store.list.missing", NULL);
}

/* The form must work here: one that does not compile is told now, and not before the first interview. `known`: it was
 * accepted before, and only its lists are new. */
static cq_status take_form(cq_cli *cli, cq_laptop *laptop, const cq_server *server, const cq_pulled_form *form,
                           const cq_buf *folder, bool known, cq_arena *arena, cq_error *error) {
  accepting it = {.form = form, .lists = cq_arena_array(arena, form->media_count + 1, sizeof *it.lists)};
  cq_buf *bytes = calloc(form->media_count + 1, sizeof *bytes), xml = {0};
  cq_form *compiled = NULL;
  cq_form_lists lists = {open_list, &it};
  cq_status status = it.lists && bytes ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = read_pulled(folder, form->file, CQ_PULLED_MAX_FORM, &xml, error);
  for (size_t i = 0; status == CQ_OK && i < form->media_count; i++) {
    status = read_pulled(folder, form->media[i].file, CQ_PULLED_MAX_FILE, &bytes[i], error);
    it.lists[i] = (cq_store_list){form->media[i].name, cq_buf_str(&bytes[i])};
  }
  if (status == CQ_OK) status = cq_form_load(&compiled, cq_buf_str(&xml), &lists, error);
  if (status == CQ_OK && !known) {
    cq_cli_say(cli, _("%s, version %s, from %s (%s), not signed by the programme."), form->name.at, form->version.at,
               server->name.at, server->url.at);
    status = cq_cli_confirm(cli, _("Use this form? Its interviews go to that server only, readable."), "--yes", error);
  }
  if (status == CQ_OK) {
    cq_hash hash = cq_hash_of(xml.at, xml.size);
    cq_str title = cq_form_title(compiled);
    cq_store_form row = {.id = cq_form_id(compiled),
                         .version = cq_form_version(compiled),
                         .title = title.size ? title : form->name,
                         .bytes = cq_buf_str(&xml)};
    memcpy(row.hash, hash.at, sizeof row.hash);
    status = cq_store_server_accept(laptop->store, cq_buf_str(&server->name), &row, it.lists, form->media_count, error);
  }
  cq_form_free(compiled);
  for (size_t i = 0; bytes && i < form->media_count; i++) cq_buf_fini(&bytes[i]);
  free(bytes);
  cq_buf_fini(&xml);
  return status;
}

cq_status cq_server_refresh(cq_cli *cli, cq_laptop *laptop, const cq_server *server, size_t *count, cq_error *error) {
  cq_pulled pulled = {0};
  cq_buf folder = {0}, xml = {0};
  cq_arena *arena = cq_arena_new(0);
  *count = 0;
  cq_status status = arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = pulled_of(laptop, server, &pulled, arena, &folder, error);
  for (size_t i = 0; status == CQ_OK && i < pulled.form_count; i++) {
    known_forms known = {.server = cq_buf_str(&server->name)};
    if (pulled.forms[i].media_count == 0) continue;
    status = read_pulled(&folder, pulled.forms[i].file, CQ_PULLED_MAX_FORM, &xml, error);
    if (status != CQ_OK) break;
    known.hash = cq_hash_of(xml.at, xml.size);
    status = cq_store_forms(laptop->store, see_form, &known, error);
    if (status != CQ_OK || known.status != CQ_STORE_FORM_CURRENT || !known.of_server) continue;
    status = take_form(cli, laptop, server, &pulled.forms[i], &folder, true, arena, error);
    *count += status == CQ_OK;
  }
  cq_buf_fini(&folder);
  cq_buf_fini(&xml);
  cq_arena_free(arena);
  return status;
}

int cq_collector_server_accept(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_server server = {0};
  cq_pulled pulled = {0};
  cq_buf folder = {0};
  cq_arena *arena = cq_arena_new(0);
  const cq_pulled_form *form = NULL;
  const char *id = cq_cli_arg(cli, 1);
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK && !arena) status = cq_error_nomem(&error);
  if (status == CQ_OK) status = cq_server_find(&server, laptop.store, cq_cli_arg(cli, 0), &error);
  if (status == CQ_OK) status = pulled_of(&laptop, &server, &pulled, arena, &folder, &error);
  for (size_t i = 0; status == CQ_OK && i < pulled.form_count; i++)
    if (cq_str_is(pulled.forms[i].id, id)) form = &pulled.forms[i];
  if (status == CQ_OK && !form) status = cq_error_set(&error, CQ_NOTFOUND, "collector.form.none", id, NULL);
  if (status == CQ_OK) status = take_form(cli, &laptop, &server, form, &folder, false, arena, &error);
  if (status == CQ_OK) status = put_on_record(&laptop, "form-accept", id, &error);
  if (status == CQ_OK) cq_cli_say(cli, _("%s can be filled in now."), id);
  cq_buf_fini(&folder);
  cq_server_fini(&server);
  cq_arena_free(arena);
  return cq_collector_end(cli, &laptop, status, &error);
}
