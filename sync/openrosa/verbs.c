/* SPDX-License-Identifier: Apache-2.0 */
/* `pull`: forms of OpenRosa servers, at somebody's word. `handover`: the same, and interviews, for a collector. */
#include "sync/verbs.h"

#include "chasqui/file.h"
#include "sync/home.h"
#include "sync/openrosa/pull.h"
#include "sync/openrosa/submit.h"
#include "sync/tell.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const cq_cli_option sync_pull_options[] = {
    {"secret-file", 0, N_("FILE"), N_("read the token or password from a file that only you can read")},
    {"timeout", 0, N_("SECONDS"), N_("a line that is silent for so long is broken (else by the speed of the line)")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};
const cq_cli_option sync_handover_options[] = {
    {"tries", 0, N_("NUMBER"), N_("how often a request over a broken line is tried in all (else 4)")},
    CQ_CLI_OPTION_HOME,
    {0}};

/* --- pulling into the inbox, as the only courier of this home --- */
static cq_status pull_into(const char *home, rosa *o, cq_handover_pulled *counts, cq_error *passed, cq_error *error) {
  courier c;
  char name[26];
  cq_buf folder = {0};
  cq_pulled_folder_name(name, cq_buf_str(&o->address));
  cq_status status = courier_open(&c, home, true, error);
  if (!status) status = cq_file_path(&folder, c.inbox.at, name, error);
  if (!status) status = rosa_pull(o, folder.at, counts, passed, error);
  cq_buf_fini(&folder);
  courier_close(&c);
  return status;
}

/* --- pull --- */
static cq_status read_ca(const char *file, cq_buf *pem, cq_error *error) {
  return file ? cq_file_read(file, CQ_HANDOVER_MAX_CA, pem, error) : CQ_OK;
}

static bool needs_secret(const remote *r) {
  return r->user || strcmp(r->kind, "openrosa") != 0;
}

static cq_status pull_one(cq_cli *cli, const remote *r, uint32_t silence, cq_handover_pulled *counts, cq_error *passed,
                          cq_error *error) {
  cq_cli_secret secret = {0};
  cq_buf ca = {0};
  rosa o = {0};
  cq_handover_server server = {.url = cq_str_from(r->url), .user = cq_str_from(r->user), .silence_seconds = silence};
  cq_status status = CQ_OK;
  if (!cq_server_kind_parse(cq_str_from(r->kind), &server.kind))
    status = cq_error_set(error, CQ_NOTFOUND, "sync.remote.unknown", r->url, NULL);
  if (!status) status = read_ca(r->ca, &ca, error);
  if (!status && needs_secret(r)) {
    cq_cli_say(cli, "%s", r->url);
    status = cq_cli_passphrase(cli, "secret-file", _("Token or password"), false, &secret, error);
  }
  server.secret = (cq_str){secret.at, secret.size};
  server.ca = cq_buf_str(&ca);
  if (!status) status = rosa_open(&o, &server, cq_cli_signal, error);
  if (!status) status = pull_into(cq_cli_home(cli), &o, counts, passed, error);
  rosa_close(&o);
  cq_cli_secret_fini(&secret);
  cq_buf_fini(&ca);
  return status;
}

static void tell_pulled(cq_cli *cli, const remote *r, const cq_handover_pulled *n, const cq_error *passed) {
  if (cq_cli_flag(cli, "json")) {
    cq_buf out = {0};
    cq_buf_add_text(&out, "{\"remote\":");
    cq_cli_add_json(&out, cq_str_from(r->url));
    cq_buf_addf(&out, ",\"offered\":%u,\"forms\":%u,\"files\":%u,\"unchanged\":%u,\"failed\":%u}\n", n->offered,
                n->forms, n->files, n->unchanged, n->failed);
    if (!out.failed) fputs(out.at, stdout);
    cq_buf_fini(&out);
  } else {
    cq_cli_say(cli, _("%s offers %u forms. Fetched: %u forms, %u files. Unchanged: %u. Not to be had: %u."), r->url,
               n->offered, n->forms, n->files, n->unchanged, n->failed);
  }
  if (passed->code) tell_fault(cli, r->url, passed);
}

int sync_pull(cq_cli *cli) {
  courier c;
  remote servers[REMOTES_MOST];
  size_t count = 0, done = 0;
  cq_error error, passed;
  const char *only = cq_cli_arg(cli, 0), *timeout = cq_cli_value(cli, "timeout");
  int64_t silence = 0;
  uint32_t failed = 0;
  cq_error_clear(&error);
  if (timeout && (!cq_str_int64(cq_str_from(timeout), &silence) || silence < 1 || silence > 3600))
    return cq_cli_usage(cli, _("--timeout goes from 1 to 3600 seconds"));
  cq_status status = courier_open(&c, cq_cli_home(cli), false, &error);
  if (!status) count = courier_servers(&c, servers);
  for (size_t i = 0; !status && i < count; i++) {
    cq_handover_pulled counts = {0};
    if (only && strcmp(only, servers[i].url) != 0) continue;
    done++;
    status = pull_one(cli, &servers[i], (uint32_t)silence, &counts, &passed, &error);
    if (!status) tell_pulled(cli, &servers[i], &counts, &passed);
    failed += counts.failed;
  }
  if (!status && !done)
    status = cq_error_set(&error, CQ_NOTFOUND, only ? "sync.remote.unknown" : "openrosa.server.none", only ? only : "",
                          NULL);
  courier_close(&c);
  if (status) return cq_cli_fail(cli, &error);
  return failed ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}

/* --- handover --- */
typedef struct handover {
  cq_cli *cli;
  rosa o;
  rosa_run run;
  bool open, greeted;
  int tries;
  cq_error passed; /* of a pull: the first form that was passed over */
} handover;

static cq_status on_server(handover *h, cq_str frame, cq_error *error) {
  cq_handover_server server;
  cq_status status = h->open ? cq_error_set(error, CQ_INVALID, "handover.malformed", NULL)
                             : cq_handover_get_server(&server, frame, error);
  if (status) return status;
  h->open = true;
  status = rosa_open(&h->o, &server, cq_cli_signal, error);
  h->o.tries = h->tries;
  h->run.o = &h->o;
  return status;
}

static cq_status on_pull(handover *h, cq_error *error) {
  cq_handover_pulled counts;
  cq_buf out = {0};
  cq_status status = pull_into(cq_cli_home(h->cli), &h->o, &counts, &h->passed, error);
  cq_handover_put_pulled(&out, &counts);
  if (!status && out.failed) status = cq_error_nomem(error);
  if (!status) status = cq_handover_send(h->run.fd, CQ_HANDOVER_PULLED, cq_buf_str(&out), error);
  cq_buf_fini(&out);
  return status;
}

static cq_status on_submit(handover *h, cq_str frame, cq_error *error) {
  cq_handover_submit record;
  cq_handover_file files[CQ_HANDOVER_MAX_FILES];
  cq_status status = cq_handover_get_submit(&record, files, frame, error);
  if (!status && !h->greeted) status = rosa_greet(&h->o, error);
  h->greeted = true;
  if (!status) status = cq_cli_cancelled(error);
  return status ? status : rosa_submit(&h->run, &record, error);
}

static cq_status talk(handover *h, cq_error *error) {
  cq_handover_type type;
  cq_buf frame = {0};
  cq_handover_put_hello(&frame);
  cq_status status = cq_handover_send(h->run.fd, CQ_HANDOVER_HELLO, cq_buf_str(&frame), error);
  if (!status) status = cq_handover_receive(h->run.fd, &type, &frame, error);
  if (!status && type != CQ_HANDOVER_HELLO) status = cq_error_set(error, CQ_INVALID, "handover.malformed", NULL);
  if (!status) status = cq_handover_get_hello(cq_buf_str(&frame), error);
  for (bool more = true; !status && more;) {
    status = cq_handover_receive(h->run.fd, &type, &frame, error);
    if (status) break;
    if (type == CQ_HANDOVER_SERVER)
      status = on_server(h, cq_buf_str(&frame), error);
    else if (type == CQ_HANDOVER_PULL && h->open)
      status = on_pull(h, error);
    else if (type == CQ_HANDOVER_SUBMIT && h->open)
      status = on_submit(h, cq_buf_str(&frame), error);
    else if (type == CQ_HANDOVER_DONE)
      more = false;
    else
      status = cq_error_set(error, CQ_INVALID, "handover.malformed", NULL);
  }
  cq_buf_fini_secret(&frame);
  return status;
}

static bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int sync_handover(cq_cli *cli) {
  handover h = {.cli = cli, .run = {.fd = CQ_HANDOVER_FD}};
  cq_error error;
  cq_buf end = {0};
  int64_t tries = ROSA_TRIES;
  const char *text = cq_cli_value(cli, "tries");
  cq_error_clear(&error);
  cq_error_clear(&h.passed);
  if (text && (!cq_str_int64(cq_str_from(text), &tries) || tries < 1 || tries > 1000))
    return cq_cli_usage(cli, _("--tries goes from 1 to 1000"));
  if (!is_socket(CQ_HANDOVER_FD))
    return cq_cli_usage(cli, _("this is for chasqui-collector, which starts it by itself"));
  h.tries = (int)tries;
  cq_status status = talk(&h, &error);
  /* Whatever happened is told to the collector, and only there. */
  cq_handover_put_end(&end, status ? &error : &h.passed);
  if (!end.failed) (void)cq_handover_send(CQ_HANDOVER_FD, CQ_HANDOVER_END, cq_buf_str(&end), NULL);
  cq_buf_fini(&end);
  rosa_run_fini(&h.run);
  rosa_close(&h.o);
  return status ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
