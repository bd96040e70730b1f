/* SPDX-License-Identifier: Apache-2.0 */
/* `remote add URL`: where to carry. */
#include "sync/post.h"
#include "sync/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option sync_remote_options[] = {
    {"ca", 0, N_("FILE"), N_("trust this certificate (PEM) instead of the system's")}, CQ_CLI_OPTION_HOME, {0}};

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

static cq_status add(courier *c, const char *url, const char *ca, cq_error *error) {
  for (int i = cJSON_GetArraySize(c->remotes); i-- > 0;) {
    const char *there =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(c->remotes, i), "url"));
    if (there && strcmp(there, url) == 0) cJSON_DeleteItemFromArray(c->remotes, i);
  }
  if (cJSON_GetArraySize(c->remotes) >= REMOTES_MOST) return cq_error_set(error, CQ_LIMIT, "sync.remote.many", NULL);
  cJSON *one = cJSON_CreateObject();
  if (!one || !cJSON_AddStringToObject(one, "url", url) || !cJSON_AddStringToObject(one, "kind", "post") ||
      (ca && !cJSON_AddStringToObject(one, "ca", ca)) || !cJSON_AddItemToArray(c->remotes, one)) {
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
static cq_status greet(courier *c, const char *url, const char *ca, cq_error *error) {
  post_talk t;
  http_settings settings = {.stopped = cq_cli_signal};
  const remote r = {.url = url, .ca = ca, .kind = "post"};
  const post_words words = {0};
  cq_status status = post_talk_open(&t, c, &r, &settings, error);
  if (!status) status = post_exchange(&t, &words, error);
  post_talk_close(&t);
  return status;
}

int sync_remote_add(cq_cli *cli) {
  courier c;
  cq_error error;
  cq_error_clear(&error);
  char *url = strdup(cq_cli_arg(cli, 0));
  char *ca = NULL;
  size_t size = url ? strlen(url) : 0;
  while (size && url[size - 1] == '/') url[--size] = '\0';
  cq_status status = courier_open(&c, cq_cli_home(cli), true, &error);
  if (!url)
    status = cq_error_nomem(&error);
  else if (!status && !is_url(url))
    status = cq_error_set(&error, CQ_INVALID, "sync.net.url", url, NULL);
  if (!status) status = absolute(cq_cli_value(cli, "ca"), &ca, &error);
  if (!status) status = add(&c, url, ca, &error);
  if (!status && c.bundle) {
    status = greet(&c, url, ca, &error);
    if (!status)
      cq_cli_say(cli, _("%s is a post of this programme. Next: chasqui-sync push"), url);
    else
      cq_cli_warn(cli, _("The address was stored, but it could not be verified now."));
  } else if (!status) {
    cq_cli_say(cli, _("%s was stored. It is verified once the programme's bundle is here."), url);
  }
  courier_close(&c);
  free(url);
  free(ca);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}
