/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/screen/key.h"

#include "chasqui/cli.h"

#include <stdio.h>
#include <string.h>

static const struct {
  cq_key key;
  const char *name;
} names[] = {
    {CQ_KEY_ENTER, N_("Enter")},
    {CQ_KEY_ESCAPE, N_("Esc")},
    {CQ_KEY_TAB, N_("Tab")},
    {CQ_KEY_BACK_TAB, N_("Shift-Tab")},
    {CQ_KEY_BACKSPACE, N_("Backspace")},
    {CQ_KEY_DELETE, N_("Del")},
    {CQ_KEY_UP, "↑"},
    {CQ_KEY_DOWN, "↓"},
    {CQ_KEY_LEFT, "←"},
    {CQ_KEY_RIGHT, "→"},
    {CQ_KEY_HOME, N_("Home")},
    {CQ_KEY_END, N_("End")},
    {CQ_KEY_PAGE_UP, N_("PgUp")},
    {CQ_KEY_PAGE_DOWN, N_("PgDn")},
    {' ', N_("Space")},
};

const char *cq_key_name(cq_key key) {
  static char name[16];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (names[i].key == key) return _(names[i].name);
  }
  if (key >= CQ_KEY_F1 && key <= CQ_KEY_F12) {
    snprintf(name, sizeof name, "F%u", (unsigned)(key - CQ_KEY_F1 + 1));
  } else if (key < 0x20) {
    snprintf(name, sizeof name, "Ctrl-%c", (char)(key + 0x40));
  } else {
    memset(name, 0, 5);
    cq_utf8_put(key, name);
  }
  return name;
}

bool cq_key_of(const char *name, cq_key *key) {
  unsigned number;
  char rest, letter;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i].name, name) != 0) continue;
    *key = names[i].key;
    return true;
  }
  static const struct {
    const char *name;
    cq_key key;
  } arrows[] = {{"Up", CQ_KEY_UP}, {"Down", CQ_KEY_DOWN}, {"Left", CQ_KEY_LEFT}, {"Right", CQ_KEY_RIGHT}};
  for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++) {
    if (strcmp(arrows[i].name, name) != 0) continue;
    *key = arrows[i].key;
    return true;
  }
  if (sscanf(name, "F%u%c", &number, &rest) == 1 && number >= 1 && number <= 12) {
    *key = CQ_KEY_F1 + number - 1;
    return true;
  }
  if (sscanf(name, "Ctrl-%c%c", &letter, &rest) == 1 && letter >= 'A' && letter <= 'Z') {
    *key = CQ_KEY_CONTROL(letter);
    return true;
  }
  return false;
}
