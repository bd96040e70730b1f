/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/courier.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 1024 };

/* --- the server --- */
typedef struct finding {
  cq_server *server;
  const char *name;
  bool found;
} finding;

static cq_status see_server(void *context, const cq_store_server *server) {
  finding *it = context;
  cq_server *out = it->server;
  if (!cq_str_is(server->name, it->name)) return CQ_OK;
  it->found = true;
  out->kind = (cq_server_kind)server->kind;
  cq_buf_add_str(&out->name, server->name);
  cq_buf_add_str(&out->url, server->url);
  cq_buf_add_str(&out->user, server->user);
  cq_buf_reserve(&out->secret, server->secret.size + 1);
  cq_buf_add_str(&out->secret, server->secret);
  cq_buf_add_str(&out->ca, server->ca);
  cq_buf_add_str(&out->forms, server->forms);
  return out->name.failed || out->url.failed || out->user.failed || out->secret.failed || out->ca.failed ||
                 out->forms.failed
             ? CQ_NOMEM
             : CQ_OK;
}

cq_status cq_server_find(cq_server *server, cq_store *store, const char *name, cq_error *error) {
  finding it = {.server = server, .name = name};
  *server = (cq_server){0};
  cq_status status = cq_store_servers(store, see_server, &it, error);
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  if (status != CQ_OK || it.found) return status;
  return cq_error_set(error, CQ_NOTFOUND, "store.server.missing", name, NULL);
}

void cq_server_fini(cq_server *server) {
  cq_buf_fini(&server->name);
  cq_buf_fini(&server->url);
  cq_buf_fini(&server->user);
  cq_buf_fini_secret(&server->secret);
  cq_buf_fini(&server->ca);
  cq_buf_fini(&server->forms);
}

/* --- the child --- */

/* The courier beside this program: one of another folder would be of another version, or another's. */
static bool courier_path(char out[PATH_MAX]) {
  ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
  if (size <= 0) return false;
  out[size] = '\0';
  char *slash = strrchr(out, '/');
  size_t folder = slash ? (size_t)(slash + 1 - out) : 0;
  return folder && (size_t)snprintf(out + folder, PATH_MAX - folder, "chasqui-sync") < PATH_MAX - folder;
}

/* In the child: descriptor 3 is its end of the pair, and it has no other of this process. Does not return. */
static void become(const char *path, const char *home, int end, const cq_courier_limits *limits) {
  char tries[24];
  snprintf(tries, sizeof tries, "%lld", (long long)limits->tries);
  if (end != CQ_HANDOVER_FD && dup2(end, CQ_HANDOVER_FD) < 0) _exit(127);
  for (int fd = CQ_HANDOVER_FD + 1; fd < MOST_DESCRIPTORS; fd++) close(fd);
  if (limits->tries > 0)
    execl(path, path, "handover", "--home", home, "--tries", tries, (char *)NULL);
  else
    execl(path, path, "handover", "--home", home, (char *)NULL);
  _exit(127);
}

static cq_status greet(cq_courier *courier, const cq_server *server, const cq_courier_limits *limits, cq_error *error) {
  cq_handover_type type;
  cq_handover_server words = {.kind = server->kind,
                              .url = cq_buf_str(&server->url),
                              .user = cq_buf_str(&server->user),
                              .secret = cq_buf_str(&server->secret),
                              .ca = cq_buf_str(&server->ca),
                              .bytes_per_second = (uint64_t)limits->bytes_per_second,
                              .silence_seconds = (uint32_t)limits->silence_seconds};
  cq_handover_put_hello(&courier->frame);
  cq_status status = cq_courier_tell(courier, CQ_HANDOVER_HELLO, error);
  if (status == CQ_OK) status = cq_courier_hear(courier, &type, error);
  if (status == CQ_OK && type != CQ_HANDOVER_HELLO)
    status = cq_error_set(error, CQ_INVALID, "handover.malformed", NULL);
  if (status == CQ_OK) status = cq_handover_get_hello(cq_buf_str(&courier->frame), error);
  if (status == CQ_OK) cq_handover_put_server(&courier->frame, &words);
  if (status == CQ_OK) status = cq_courier_tell(courier, CQ_HANDOVER_SERVER, error);
  if (courier->frame.at) cq_wipe(courier->frame.at, courier->frame.capacity);
  return status;
}

cq_status cq_courier_start(cq_courier *courier, const cq_laptop *laptop, const cq_server *server,
                           const cq_courier_limits *limits, cq_error *error) {
  char path[PATH_MAX];
  int ends[2];
  *courier = (cq_courier){.fd = -1};
  cq_error_clear(&courier->fault);
  if (!courier_path(path) || access(path, X_OK) != 0)
    return cq_error_set(error, CQ_NOTFOUND, "collector.courier.start", strerror(errno), NULL);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return cq_error_set(error, CQ_IO, "collector.courier.start", strerror(errno), NULL);
  fflush(NULL);
  courier->pid = fork();
  if (courier->pid == 0) {
    /* Descriptor 3 itself keeps its close-on-exec mark unless it is made by dup2. */
    int end = ends[1] == CQ_HANDOVER_FD ? dup(ends[1]) : ends[1];
    become(path, laptop->home, end, limits);
  }
  close(ends[1]);
  courier->fd = ends[0];
  if (courier->pid < 0) return cq_error_set(error, CQ_IO, "collector.courier.start", strerror(errno), NULL);
  return greet(courier, server, limits, error);
}

cq_status cq_courier_tell(cq_courier *courier, cq_handover_type type, cq_error *error) {
  if (courier->frame.failed) return cq_error_nomem(error);
  return cq_handover_send(courier->fd, type, cq_buf_str(&courier->frame), error);
}

cq_status cq_courier_hear(cq_courier *courier, cq_handover_type *type, cq_error *error) {
  cq_status status = cq_handover_receive(courier->fd, type, &courier->frame, error);
  if (status != CQ_OK || *type != CQ_HANDOVER_END) return status;
  status = cq_handover_get_end(&courier->fault, cq_buf_str(&courier->frame), error);
  courier->ended = status == CQ_OK;
  return courier->ended ? CQ_NOTFOUND : status;
}

cq_status cq_courier_finish(cq_courier *courier, cq_status status, cq_error *error) {
  cq_handover_type type;
  int how;
  if (courier->fd >= 0 && !courier->ended) {
    cq_buf_reset(&courier->frame);
    (void)cq_courier_tell(courier, CQ_HANDOVER_DONE, NULL);
    while (cq_courier_hear(courier, &type, NULL) == CQ_OK) continue;
  }
  if (courier->fd >= 0) close(courier->fd);
  if (courier->pid > 0) {
    while (waitpid(courier->pid, &how, 0) < 0 && errno == EINTR) continue;
  }
  cq_buf_fini_secret(&courier->frame);
  /* Its own word says more than that it is gone. */
  bool broken = status != CQ_OK && error && error->code && strcmp(error->code, "handover.broken") == 0;
  if (courier->ended && courier->fault.code && (status == CQ_OK || broken)) {
    if (error) *error = courier->fault;
    status = courier->fault.status;
  }
  if (status == CQ_OK && courier->fd >= 0 && !courier->ended)
    status = cq_error_set(error, CQ_IO, "handover.broken", NULL);
  courier->fd = -1;
  return status;
}
