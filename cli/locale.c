/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"

#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The two letters of the language that the environment asks for; false where it asks for none. */
static bool language_asked(char out[3]) {
  static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (!value || !*value) continue;
    size_t size = strcspn(value, "_.@");
    if (size < 2 || size > 3) return false; /* C, POSIX */
    out[0] = value[0];
    out[1] = value[1];
    out[2] = '\0';
    return true;
  }
  return false;
}

/*
 * A locale is usable where the system has it and it writes UTF-8. Without one,
 * C.UTF-8 gives the characters and LANGUAGE the language, since glibc ignores
 * LANGUAGE under plain C. LC_NUMERIC is never set: a decimal comma breaks
 * expressions.
 */
static void choose_locale(void) {
  char asked[3];
  bool named = language_asked(asked);
  const char *character_set = setlocale(LC_CTYPE, "");
  bool usable = named && character_set && setlocale(LC_MESSAGES, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  if (usable) return;
  setlocale(LC_CTYPE, "C.UTF-8");
  setlocale(LC_MESSAGES, "C.UTF-8");
  const char *languages = getenv("LANGUAGE");
  setenv("LANGUAGE", named ? asked : "es", languages && *languages ? 0 : 1);
}

/* Translations stand beside the programs: ../share/locale from the folder of the executable, installed or just built.
 */
static bool find_translations(char *out, size_t size) {
  ssize_t length = readlink("/proc/self/exe", out, size - 1);
  if (length <= 0) return false;
  out[length] = '\0';
  static const char place[] = "/share/locale";
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(out, '/');
    if (!slash) return false;
    *slash = '\0';
  }
  size_t end = strlen(out);
  if (end + sizeof place > size) return false;
  memcpy(out + end, place, sizeof place);
  return true;
}

void cq_cli_locale(void) {
  char folder[4096];
  choose_locale();
  if (find_translations(folder, sizeof folder)) bindtextdomain("chasqui", folder);
  bind_textdomain_codeset("chasqui", "UTF-8");
  textdomain("chasqui");
}

void cq_cli_language(const char *language) {
  setenv("LANGUAGE", language, 1);
  textdomain("chasqui"); /* with this glibc forgets what it looked up before */
}

const char *cq_cli_text(const char *msgid) {
  return msgid && *msgid ? gettext(msgid) : "";
}

const char *cq_cli_plural(const char *one, const char *many, uint64_t count) {
  return ngettext(one, many, (unsigned long)count);
}
