/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: what waits, what moved and why not, in words. Asks nobody. */
#include "chasqui/file.h"
#include "chasqui/pulled.h"
#include "sync/load.h"
#include "sync/tell.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option sync_status_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

typedef struct counts {
  size_t waiting, held, refused, erased, kept;
  uint64_t waiting_bytes;
} counts;

static counts count(const courier *c, const load *l) {
  counts n = {.kept = l->settled};
  for (size_t i = 0; i < l->count; i++) {
    switch (courier_file_state(c, l->items[i].parcel.name)) {
    case FILE_HELD: n.held++; break;
    case FILE_REFUSED: n.refused++; break;
    case FILE_ERASED: n.erased++; break;
    case FILE_KEPT: n.kept++; break;
    case FILE_NEW: n.waiting++; n.waiting_bytes += l->items[i].parcel.size;
    }
  }
  return n;
}

static void say_code(cq_cli *cli, const char *subject, const char *code) {
  cq_error what;
  cq_error_clear(&what);
  cq_buf text = {0}, next = {0};
  cq_error_set(&what, CQ_IO, code, subject, NULL);
  cq_cli_explain(&what, &text, &next);
  cq_cli_say(cli, "  %s: %s %s", subject, text.at ? text.at : code, next.at ? next.at : "");
  cq_buf_fini(&text);
  cq_buf_fini(&next);
}

static void say_remote(cq_cli *cli, const courier *c, const char *url) {
  const cJSON *one = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(c->status, "remotes"), url);
  const cJSON *contact = cJSON_GetObjectItemCaseSensitive(one, "contact_utc_ms");
  const char *fault = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "fault"));
  char at[25];
  if (cJSON_IsNumber(contact)) {
    cq_cli_say(cli, _("%s: last reached %s."), url, cq_time_format_utc((int64_t)contact->valuedouble, at));
  } else {
    cq_cli_say(cli, _("%s: not reached yet."), url);
  }
  if (fault && *fault) say_code(cli, url, fault);
}

/* A server of others: what was fetched from it. */
static void say_server(cq_cli *cli, const courier *c, const char *url) {
  char name[26], at[25];
  cq_buf folder = {0};
  cq_pulled pulled = {0};
  cq_arena *arena = cq_arena_new(0);
  cq_pulled_folder_name(name, cq_str_from(url));
  if (arena && cq_file_path(&folder, c->inbox.at, name, NULL) == CQ_OK &&
      cq_pulled_read(&pulled, folder.at, arena, NULL) == CQ_OK)
    cq_cli_say(cli, _("%s: %zu forms, last fetched %s."), url, pulled.form_count,
               cq_time_format_utc(pulled.pulled_utc_ms, at));
  else
    cq_cli_say(cli, _("%s: nothing fetched yet."), url);
  cq_buf_fini(&folder);
  cq_arena_free(arena);
}

static void say_all(cq_cli *cli, courier *c, const load *l, const remote *remotes, size_t remote_count) {
  counts n = count(c, l);
  cq_cli_say(cli, _("Waiting: %zu (%llu bytes). Held apart by the post: %zu. Refused: %zu. Delivered: %zu."), n.waiting,
             (unsigned long long)n.waiting_bytes, n.held, n.refused, n.kept);
  if (n.erased) tell_erased(cli, n.erased);
  for (size_t i = 0; i < l->count; i++) {
    const char *code = courier_file_code(c, l->items[i].parcel.name);
    if (code) say_code(cli, l->items[i].parcel.name, code);
  }
  for (size_t i = 0; i < remote_count; i++) say_remote(cli, c, remotes[i].url);
  remote servers[REMOTES_MOST];
  size_t server_count = courier_servers(c, servers);
  for (size_t i = 0; i < server_count; i++) say_server(cli, c, servers[i].url);
  if (!remote_count) cq_cli_say(cli, _("No post is known. Next: chasqui-sync remote add URL"));
}

static void say_json(const courier *c, const load *l) {
  counts n = count(c, l);
  const cJSON *remotes = cJSON_GetObjectItemCaseSensitive(c->status, "remotes");
  char *text = remotes ? cJSON_PrintUnformatted(remotes) : NULL;
  printf("{\"waiting\":%zu,\"waiting_bytes\":%llu,\"held\":%zu,\"refused\":%zu,\"erased\":%zu,\"delivered\":%zu,"
         "\"remotes\":%s}\n",
         n.waiting, (unsigned long long)n.waiting_bytes, n.held, n.refused, n.erased, n.kept, text ? text : "{}");
  cJSON_free(text);
}

int sync_status(cq_cli *cli) {
  courier c;
  load l = {0};
  remote remotes[REMOTES_MOST];
  size_t remote_count = 0;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = courier_open(&c, cq_cli_home(cli), false, &error);
  if (!status) status = load_open(&l, &c, LOAD_AGAIN, &error);
  if (!status && courier_remotes(&c, remotes, &remote_count, &error) == CQ_NOTFOUND) cq_error_clear(&error);
  if (!status && cq_cli_flag(cli, "json"))
    say_json(&c, &l);
  else if (!status)
    say_all(cli, &c, &l, remotes, remote_count);
  load_close(&l);
  courier_close(&c);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}
