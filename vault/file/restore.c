/* SPDX-License-Identifier: Apache-2.0 */
/* A vault from a copy of one, which stays as it is. */
#include "vault/file/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BROUGHT ".copy"

static cq_status copy_all(int from, int to, const char *from_path, const char *to_path, cq_error *error) {
  enum { PART = 1 << 16 };
  cq_status status = CQ_OK;
  char *part = malloc(PART);
  ssize_t got = part ? 1 : 0;
  if (!part) status = cq_error_nomem(error);
  while (status == CQ_OK && got > 0) {
    got = read(from, part, PART);
    if (got < 0) status = cq_error_io(error, "io.read", from_path, errno);
    for (ssize_t at = 0, put = 0; status == CQ_OK && at < got; at += put)
      if ((put = write(to, part + at, (size_t)(got - at))) < 0) {
        status = cq_error_io(error, "io.write", to_path, errno);
        put = 0;
      }
  }
  free(part);
  return status;
}

/* A stick may refuse to be written, and a vault is opened to be written: it is opened where the home is. */
static cq_status bring(const char *copy, const char *ending, const char *to, cq_error *error) {
  cq_buf from = {0}, into = {0};
  cq_buf_addf(&from, "%s%s", copy, ending);
  cq_buf_addf(&into, "%s%s", to, ending);
  cq_status status = from.failed || into.failed ? cq_error_nomem(error) : CQ_OK;
  int in = status == CQ_OK ? open(from.at, O_RDONLY | O_CLOEXEC) : -1, out = -1;
  if (status == CQ_OK && in < 0 && (*ending == '\0' || errno != ENOENT))
    status = cq_error_io(error, "io.open", from.at, errno);
  if (in >= 0 && (out = open(into.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
    status = cq_error_io(error, "io.open", into.at, errno);
  if (out >= 0) {
    status = copy_all(in, out, from.at, into.at, error);
    if (close(out) != 0 && status == CQ_OK) status = cq_error_io(error, "io.write", into.at, errno);
  }
  if (in >= 0) close(in);
  cq_buf_fini(&from);
  cq_buf_fini(&into);
  return status;
}

static void remove_brought(const char *path) {
  cq_buf log = {0};
  cq_buf_addf(&log, "%s-log", path);
  unlink(path);
  if (!log.failed) unlink(log.at);
  cq_buf_fini(&log);
}

/* The file is told by the name that the person gave. */
static void name_copy(cq_error *error, const char *copy) {
  if (error && error->argc > 0 && strstr(error->arg[0], BROUGHT))
    snprintf(error->arg[0], sizeof error->arg[0], "%s", copy);
  cq_error_at_file(error, copy);
}

cq_status cq_vault_restore(const char *copy, const char *path, cq_str passphrase, const cq_vault_options *options,
                           cq_vault_watcher *watcher, void *context, cq_error *error) {
  cq_buf brought = {0};
  cq_vault *vault = NULL;
  cq_buf_addf(&brought, "%s" BROUGHT, path);
  if (brought.failed) return cq_error_nomem(error);
  remove_brought(brought.at); /* of a restore that was cut off */
  cq_status status = bring(copy, "", brought.at, error);
  if (status == CQ_OK) status = bring(copy, "-log", brought.at, error);
  if (status == CQ_OK) status = cq_vault_open(&vault, brought.at, passphrase, options, error);
  if (status == CQ_OK) {
    cq_vault_watch(vault, watcher, context);
    status = cq_vault_backup(vault, path, error);
  }
  cq_vault_close(vault);
  if (status != CQ_OK) name_copy(error, copy);
  remove_brought(brought.at);
  cq_buf_fini(&brought);
  return status;
}
