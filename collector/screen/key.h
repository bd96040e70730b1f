/* SPDX-License-Identifier: Apache-2.0 */
/* A key as pages see it: a code point, or one of the keys below, which stand above all code points. */
#ifndef CHASQUI_COLLECTOR_KEY_H
#define CHASQUI_COLLECTOR_KEY_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t cq_key;

enum {
  CQ_KEY_NONE = 0x110000, /* the wait is over and no key came */
  CQ_KEY_GONE,            /* the terminal has vanished */
  CQ_KEY_SIGNAL,          /* cq_cli_signal() says which */
  CQ_KEY_RESIZE,
  CQ_KEY_ENTER,
  CQ_KEY_ESCAPE,
  CQ_KEY_TAB,
  CQ_KEY_BACK_TAB,
  CQ_KEY_BACKSPACE,
  CQ_KEY_DELETE,
  CQ_KEY_UP,
  CQ_KEY_DOWN,
  CQ_KEY_LEFT,
  CQ_KEY_RIGHT,
  CQ_KEY_HOME,
  CQ_KEY_END,
  CQ_KEY_PAGE_UP,
  CQ_KEY_PAGE_DOWN,
  CQ_KEY_F1, /* to F12, in a row */
  CQ_KEY_F12 = CQ_KEY_F1 + 11
};

/* Ctrl and a letter. */
#define CQ_KEY_CONTROL(letter) ((cq_key)((letter)&0x1F))

/* Whether it is text to be written down. */
static inline bool cq_key_is_text(cq_key key) {
  return key >= 0x20 && key != 0x7F && key < CQ_KEY_NONE;
}

/* As people read it: "Enter", "PgUp", "F2", "Ctrl-G", "ñ"; translated. Borrowed until the next call. */
const char *cq_key_name(cq_key key);
/* The key that a script names: "Enter", "PgUp" (English, never translated); false: none. */
bool cq_key_of(const char *name, cq_key *key);

#endif
