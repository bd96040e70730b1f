/* SPDX-License-Identifier: Apache-2.0 */
/* `remote add`, `remote list`, `remote remove`: where to carry to, and pull from. No secret is kept. */
#include "chasqui/handover.h"
#include "sync/post.h"
#include "sync/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option sync_remote_options[] = {
    {"kind", 0, N_("KIND"), N_("post (else), or a server of others: openrosa, central (ODK Central), kobo")},
    {"user", 0, N_("NAME"), N_("account at an OpenRosa server")},
    {"ca", 0, N_("FILE"), N_("trust this certificate (PEM) instead of the system's")},
    CQ_CLI_OPTION_HOME,
    {0}};
const cq_cli_option sync_remote_list_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option sync_remote_remove_options[] = {CQ_CLI_OPTION_HOME, {0}};

enum { URL_LONGEST = 1024 };

/* http:// in clear is for loopback and closed networks; what travels is sealed and signed either way. */
static bool is_url(const char *url) {
  const char *rest = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
  if (!rest || !*rest || *rest == '/' || strlen(url) > URL_LONGEST) return false;
  for (const char *c = url; *c; c++) {
    if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
  }
  return true;
}

/* Takes the remote of that address away; whether there was one. */
static bool take_away(courier *c, const char *url) {
  bool found = false;
  for (int i = cJSON_GetArraySize(c->remotes); i-- > 0;) {
    const char *there =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(c->remotes, i), "url"));
    if (!there || strcmp(there, url) != 0) continue;
    cJSON_DeleteItemFromArray(c->remotes, i);
    found = true;
  }
  return found;
}

static cq_status add(courier *c, const remote *r, cq_error *error) {
  take_away(c, r->url);
  if (cJSON_GetArraySize(c->remotes) >= REMOTES_MOST) return cq_error_set(error, CQ_LIMIT, "sync.remote.many", NULL);
  cJSON *one = cJSON_CreateObject();
  if (!one || !cJSON_AddStringToObject(one, "url", r->url) || !cJSON_AddStringToObject(one, "kind", r->kind) ||
      (r->ca && !cJSON_AddStringToObject(one, "ca", r->ca)) ||
      (r->user && !cJSON_AddStringToObject(one, "user", r->user)) || !cJSON_AddItemToArray(c->remotes, one)) {
    cJSON_Delete(one);
    return cq_error_nomem(error);
  }
  return courier_save_remotes(c, error);
}

/* The file is wanted later, from whatever folder. NULL stays NULL. */
static cq_status absolute(const char *file, char **out, cq_error *error) {
  *out = file ? realpath(file, NULL) : NULL;
  return file && !*out ? cq_error_io(error, "io.open", file, errno) : CQ_OK;
}

/* Says hello at once, so that a wrong address is found out here and not in the field. */
static cq_status greet(courier *c, const remote *r, cq_error *error) {
  post_talk t;
  http_settings settings = {.stopped = cq_cli_signal};
  const post_words words = {0};
  cq_status status = post_talk_open(&t, c, r, &settings, error);
  if (!status) status = post_exchange(&t, &words, error);
  post_talk_close(&t);
  return status;
}

static cq_status add_post(cq_cli *cli, courier *c, const char *typed, const char *ca, cq_error *error) {
  char *url = strdup(typed);
  size_t size = url ? strlen(url) : 0;
  while (size && url[size - 1] == '/') url[--size] = '\0';
  const remote r = {.url = url, .ca = ca, .kind = "post"};
  cq_status status = url ? CQ_OK : cq_error_nomem(error);
  if (!status && !is_url(url)) status = cq_error_set(error, CQ_INVALID, "sync.net.url", url, NULL);
  if (!status) status = add(c, &r, error);
  if (!status && c->bundle) {
    status = greet(c, &r, error);
    if (!status)
      cq_cli_say(cli, _("%s is a post of this programme. Next: chasqui-sync push"), url);
    else
      cq_cli_warn(cli, _("The address was stored, but it could not be verified now."));
  } else if (!status) {
    cq_cli_say(cli, _("%s was stored. It is verified once the programme's bundle is here."), url);
  }
  free(url);
  return status;
}

/* A token in the address is taken out: the file that keeps addresses is no secret. */
static cq_status add_server(cq_cli *cli, courier *c, const char *typed, const char *kind, const char *ca,
                            cq_error *error) {
  cq_buf url = {0}, secret = {0};
  cq_status status = cq_server_address(&url, &secret, cq_str_from(typed), error);
  const remote r = {.url = url.at, .ca = ca, .kind = kind, .user = cq_cli_value(cli, "user")};
  if (!status) status = add(c, &r, error);
  if (!status && secret.size)
    cq_cli_say(cli, "%s", _("The address holds a token, which was not kept: it is asked for when it is needed."));
  if (!status)
    cq_cli_say(cli, _("%s was stored. Next: chasqui-sync pull, or on a laptop: chasqui-collector server add"), url.at);
  cq_buf_fini(&url);
  cq_buf_fini_secret(&secret);
  return status;
}

int sync_remote_add(cq_cli *cli) {
  courier c;
  cq_error error;
  cq_error_clear(&error);
  char *ca = NULL;
  const char *kind = cq_cli_value(cli, "kind");
  cq_server_kind known;
  bool post = !kind || strcmp(kind, "post") == 0;
  if (!post && !cq_server_kind_parse(cq_str_from(kind), &known))
    return cq_cli_usage(cli, _("--kind is post, openrosa, central or kobo"));
  if (post && cq_cli_value(cli, "user")) return cq_cli_usage(cli, _("a post has no accounts: --user is for servers"));
  cq_status status = courier_open(&c, cq_cli_home(cli), true, &error);
  if (!status) status = absolute(cq_cli_value(cli, "ca"), &ca, &error);
  if (!status && post)
    status = add_post(cli, &c, cq_cli_arg(cli, 0), ca, &error);
  else if (!status)
    status = add_server(cli, &c, cq_cli_arg(cli, 0), kind, ca, &error);
  courier_close(&c);
  free(ca);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}

int sync_remote_list(cq_cli *cli) {
  courier c;
  remote all[2][REMOTES_MOST];
  size_t count[2] = {0, 0};
  cq_error error;
  cq_buf out = {0};
  cq_error_clear(&error);
  cq_status status = courier_open(&c, cq_cli_home(cli), false, &error);
  if (!status && courier_remotes(&c, all[0], &count[0], &error) == CQ_NOTFOUND) cq_error_clear(&error);
  if (!status) count[1] = courier_servers(&c, all[1]);
  for (int part = 0; part < 2; part++) {
    for (size_t i = 0; i < count[part]; i++) {
      const remote *r = &all[part][i];
      cq_cli_say(cli, "%s  %s%s%s", r->kind, r->url, r->user ? "  " : "", r->user ? r->user : "");
      cq_buf_addf(&out, "%s{\"kind\":\"%s\",\"url\":", out.size ? "," : "", r->kind);
      cq_cli_add_json(&out, cq_str_from(r->url));
      cq_buf_add_char(&out, '}');
    }
  }
  if (!status && cq_cli_flag(cli, "json"))
    printf("{\"remotes\":[%s]}\n", out.at ? out.at : "");
  else if (!status && count[0] + count[1] == 0)
    cq_cli_say(cli, "%s", _("No post is known. Next: chasqui-sync remote add URL"));
  cq_buf_fini(&out);
  courier_close(&c);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}

int sync_remote_remove(cq_cli *cli) {
  courier c;
  cq_error error;
  const char *url = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = courier_open(&c, cq_cli_home(cli), true, &error);
  if (!status && !take_away(&c, url)) status = cq_error_set(&error, CQ_NOTFOUND, "sync.remote.unknown", url, NULL);
  if (!status) status = courier_save_remotes(&c, &error);
  if (!status) cq_cli_say(cli, _("Nothing is carried to %s any more."), url);
  courier_close(&c);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}
