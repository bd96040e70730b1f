/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/calendar.h"

#include <stdio.h>
#include <string.h>

static bool code_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool cq_season_parse(cq_str text, cq_season_ref *ref) {
  if (text.size && text.at[0] == 'C') text = (cq_str){text.at + 1, text.size - 1};
  if (text.size < 6 || text.size > 5 + CQ_SEASON_CODE_SIZE - 1 || text.at[4] != '-') return false;
  memset(ref, 0, sizeof *ref);
  for (size_t i = 0; i < 4; i++) {
    if (text.at[i] < '0' || text.at[i] > '9') return false;
    ref->campaign = ref->campaign * 10 + (text.at[i] - '0');
  }
  for (size_t i = 5; i < text.size; i++)
    if (!code_char(text.at[i])) return false;
  memcpy(ref->code, text.at + 5, text.size - 5);
  return ref->campaign > 0;
}

char *cq_season_format(const cq_season_ref *ref, char out[CQ_SEASON_REF_SIZE]) {
  int year = ref->campaign < 0 || ref->campaign > 9999 ? 0 : ref->campaign;
  snprintf(out, CQ_SEASON_REF_SIZE, "%04d-%.*s", year, CQ_SEASON_CODE_SIZE - 1, ref->code);
  return out;
}

bool cq_season_same(const cq_season_ref *a, const cq_season_ref *b) {
  return a->campaign == b->campaign && memcmp(a->code, b->code, sizeof a->code) == 0;
}

static int32_t month_of(int32_t day) {
  cq_date date = cq_date_from_day(day);
  return date.year * 12 + date.month - 1;
}

size_t cq_season_months(const cq_season *season, int32_t months[], size_t size) {
  if (season->end <= season->start) return 0;
  int32_t first = month_of(season->start), last = month_of(season->end - 1);
  size_t count = (size_t)(last - first) + 1;
  for (size_t i = 0; i < count && i < size; i++) months[i] = first + (int32_t)i;
  return count;
}
