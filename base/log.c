/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/log.h"

#include "chasqui/str.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct cq_log {
  int fd;
  cq_log_level most;
  cq_clock clock;
};

cq_log *cq_log_new(int fd, cq_log_level most, const cq_clock *clock) {
  cq_log *log = malloc(sizeof *log);
  if (log) *log = (cq_log){fd, most, *clock};
  return log;
}

void cq_log_free(cq_log *log) {
  free(log);
}

static void begin(cq_log *log, cq_buf *line, cq_log_level level, const char *code) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  char time[25];
  cq_buf_addf(line, "%s %s %s", cq_time_format_utc(log->clock.now_utc_ms(log->clock.context), time), names[level],
              code);
}

static void add_arg(cq_buf *line, const char *arg) {
  cq_buf_add_char(line, ' ');
  for (; *arg; arg++) {
    if ((unsigned char)*arg < 0x20 || *arg == 0x7F)
      cq_buf_addf(line, "\\x%02X", (unsigned char)*arg);
    else
      cq_buf_add_char(line, *arg);
  }
}

static void finish(cq_log *log, cq_buf *line) {
  cq_buf_add_char(line, '\n');
  /* a log that cannot be written is no reason to stop the work */
  if (!line->failed && write(log->fd, line->at, line->size) < 0) log->most = CQ_LOG_ERROR;
  cq_buf_fini(line);
}

void cq_log_event(cq_log *log, cq_log_level level, const char *code, ...) {
  if (!log || level > log->most) return;
  cq_buf line = {0};
  begin(log, &line, level, code);
  va_list args;
  va_start(args, code);
  for (const char *arg; (arg = va_arg(args, const char *)) != NULL;) add_arg(&line, arg);
  va_end(args);
  finish(log, &line);
}

void cq_log_error(cq_log *log, const cq_error *error) {
  if (!log || !error || !error->code) return;
  cq_buf line = {0};
  begin(log, &line, CQ_LOG_ERROR, error->code);
  for (int i = 0; i < error->argc; i++) add_arg(&line, error->arg[i]);
  finish(log, &line);
}
