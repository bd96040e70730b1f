/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a passphrase is worth the half second that guessing it costs. A
 * stolen vault can be tried at leisure, so what a stranger would try first is
 * refused: short ones, digits (DNI, telephone, dates), runs, and known words.
 */
#include "chasqui/vault.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DIFFERENT_MIN = 5 };

/* What people in this trade and place write when asked for a passphrase; compared without case, spaces and digits. */
static const char *const common[] = {
    "contrasena",  "contraseña", "password", "passphrase",   "clave",   "secreto",       "qwerty",
    "qwertyuiop",  "asdfghjkl",  "chasqui",  "tecnico",      "admin",   "administrador", "encuesta",
    "encuestador", "programa",   "proyecto", "peru",         "puno",    "lima",          "cusco",
    "bienvenido",  "bienvenida", "teamo",    "micontraseña", "miclave",
};

static size_t lower_letters(char *out, cq_str text) {
  size_t size = 0;
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.at[i];
    if (c >= 0x80 || isalpha(c)) out[size++] = (char)(c < 0x80 ? tolower(c) : c);
  }
  out[size] = '\0';
  return size;
}

static bool is_common(const char *letters) {
  for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
    if (strcmp(letters, common[i]) == 0) return true;
  return false;
}

/* Few different characters, digits and signs only, or each character next to the one before ("abcdefghij"). */
static bool is_simple(cq_str text) {
  bool seen[256] = {false}, letters = false;
  size_t different = 0, steps = 0;
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.at[i];
    if (!seen[c]) different++;
    seen[c] = true;
    letters |= c >= 0x80 || isalpha(c);
    if (i > 0 && abs((int)c - (int)(unsigned char)text.at[i - 1]) <= 1) steps++;
  }
  return different < DIFFERENT_MIN || !letters || steps + 2 >= text.size;
}

cq_status cq_vault_passphrase_check(cq_str passphrase, const char *label, cq_error *error) {
  char letters[CQ_VAULT_PASSPHRASE_MAX + 1], name[CQ_VAULT_LABEL_MAX + 1];
  cq_status status = CQ_OK;
  if (passphrase.size > CQ_VAULT_PASSPHRASE_MAX)
    return cq_error_set(error, CQ_REFUSED, "vault.passphrase.long", "1024", NULL);
  size_t length = cq_utf8_valid(passphrase) ? cq_utf8_length(passphrase) : passphrase.size;
  if (length < CQ_VAULT_PASSPHRASE_MIN) return cq_error_set(error, CQ_REFUSED, "vault.passphrase.short", "10", NULL);
  if (is_simple(passphrase)) return cq_error_set(error, CQ_REFUSED, "vault.passphrase.simple", NULL);

  lower_letters(letters, passphrase);
  cq_str given = cq_str_from(label);
  if (given.size > CQ_VAULT_LABEL_MAX) given.size = CQ_VAULT_LABEL_MAX;
  size_t name_size = lower_letters(name, given);
  size_t letters_size = strlen(letters);
  /* the own name in it is fine where much else is */
  if (name_size >= 3 && strstr(letters, name) && letters_size < name_size + 6)
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.label", NULL);
  else if (is_common(letters))
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.common", NULL);
  memset(letters, 0, sizeof letters);
  return status;
}
