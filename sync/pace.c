/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/pace.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

bool pace_may_help(const cq_error *error) {
  static const char *const codes[] = {"sync.net.connect", "sync.net.time", "sync.net.broken", "sync.net.name",
                                      "sync.net.proxy",   "sync.net.tls",  "sync.post.busy"};
  for (size_t i = 0; error->code && i < sizeof codes / sizeof *codes; i++) {
    if (strcmp(error->code, codes[i]) == 0) return true;
  }
  /* On a line that changes bytes what a post says looks like anything. */
  return error->code && (strcmp(error->code, "sync.post.strange") == 0 || strncmp(error->code, "protocol.", 9) == 0 ||
                         strcmp(error->code, "sync.item.hash") == 0);
}

double pace_seconds(int tries, const cq_random *random) {
  double most = tries > 6 ? PACE_LONGEST_SECONDS : (double)(1 << (tries - 1));
  uint16_t chance;
  random->fill(random->context, &chance, sizeof chance);
  if (most > PACE_LONGEST_SECONDS) most = PACE_LONGEST_SECONDS;
  return most / 2 + most / 2 * chance / UINT16_MAX;
}

cq_status pace_wait(double seconds, cq_error *error) {
  for (int left = (int)(seconds * 1000); left > 0; left -= 250) {
    cq_status status = cq_cli_cancelled(error);
    if (status) return status;
    poll(NULL, 0, left < 250 ? left : 250);
  }
  return cq_cli_cancelled(error);
}

bool pace_bytes(const char *text, int64_t *bytes) {
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || !(value > 0) || value > 1e12) return false;
  if (*end == 'k' || *end == 'K')
    value *= 1024;
  else if (*end == 'm' || *end == 'M')
    value *= 1024 * 1024;
  else if (*end)
    return false;
  if (*end && end[1]) return false;
  *bytes = (int64_t)value;
  return *bytes > 0;
}

static void today(const cq_clock *clock, char out[11]) {
  char time[25];
  cq_time_format_utc(clock->now_utc_ms(clock->context), time);
  memcpy(out, time, 10);
  out[10] = '\0';
}

uint64_t pace_today(const courier *c, const cq_clock *clock) {
  char day[11];
  today(clock, day);
  const char *last = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(c->status, "day"));
  const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(c->status, "day_bytes");
  return last && strcmp(last, day) == 0 && cJSON_IsNumber(bytes) && bytes->valuedouble > 0
             ? (uint64_t)bytes->valuedouble
             : 0;
}

bool pace_add_today(courier *c, const cq_clock *clock, uint64_t bytes) {
  char day[11];
  uint64_t all = pace_today(c, clock) + bytes;
  today(clock, day);
  cJSON_DeleteItemFromObjectCaseSensitive(c->status, "day");
  cJSON_DeleteItemFromObjectCaseSensitive(c->status, "day_bytes");
  return cJSON_AddStringToObject(c->status, "day", day) && cJSON_AddNumberToObject(c->status, "day_bytes", (double)all);
}
