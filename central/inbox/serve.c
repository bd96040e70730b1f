/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/inbox.h"
#include "central/inbox/post.h"
#include "central/inbox/server.h"
#include "chasqui/file.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8470"
enum { PEM_LIMIT = 256 << 10 };

const cq_cli_option cq_serve_options[] = {
    {"listen", 0, N_("ADDR:PORT"), N_("where to listen (else 127.0.0.1:8470); port 0: a free one")},
    {"port-file", 0, N_("FILE"), N_("write the port into this file once it is open")},
    {"cert", 0, N_("FILE"), N_("certificate chain (PEM) for TLS")},
    {"key", 0, N_("FILE"), N_("private key (PEM) for TLS")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

static cq_status read_pem(const char *file, cq_buf *out, cq_error *error) {
  return file ? cq_file_read(file, PEM_LIMIT, out, error) : CQ_OK;
}

static cq_status write_port(const char *file, uint16_t port, cq_error *error) {
  char text[16];
  int size = snprintf(text, sizeof text, "%u\n", (unsigned)port);
  return file ? cq_file_replace(file, text, (size_t)size, 0644, false, error) : CQ_OK;
}

static void say_where(cq_cli *cli, const server *s, const char *listen_at, bool tls) {
  const char *colon = strrchr(listen_at, ':');
  int host = colon ? (int)(colon - listen_at) : (int)strlen(listen_at);
  if (cq_cli_flag(cli, "json")) {
    printf("{\"port\":%u}\n", (unsigned)server_port(s));
  } else {
    cq_cli_say(cli, _("The post listens at %s://%.*s:%u. Ctrl-C ends it."), tls ? "https" : "http", host, listen_at,
               (unsigned)server_port(s));
  }
  fflush(stdout);
}

int cq_serve(cq_cli *cli) {
  const char *cert_file = cq_cli_value(cli, "cert"), *key_file = cq_cli_value(cli, "key");
  if (!cert_file != !key_file) return cq_cli_usage(cli, _("--cert and --key go together"));
  cq_log *log = cq_log_new(STDERR_FILENO, CQ_LOG_INFO, &cq_clock_system);
  post_settings settings = {
      .home = cq_cli_home(cli), .clock = &cq_clock_system, .random = &cq_random_system, .log = log};
  server_settings listening = {.listen = cq_cli_value(cli, "listen")};
  if (!listening.listen) listening.listen = DEFAULT_LISTEN;
  cq_buf cert = {0}, key = {0};
  server *s = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = read_pem(cert_file, &cert, &error);
  if (!status) status = read_pem(key_file, &key, &error);
  if (!status) status = post_open(&listening.post, &settings, &error);
  listening.cert = cert.at;
  listening.key = key.at;
  if (!status) status = server_start(&s, &listening, &error);
  if (!status) status = write_port(cq_cli_value(cli, "port-file"), server_port(s), &error);
  if (!status) {
    say_where(cli, s, listening.listen, cert_file != NULL);
    /* The signal that ends this wakes the wait, or is seen a second later where another thread got it. */
    while (!cq_cli_signal()) poll(NULL, 0, 1000);
  }
  server_stop(s);
  post_close(listening.post);
  cq_buf_fini(&cert);
  cq_buf_fini_secret(&key);
  cq_log_free(log);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}
