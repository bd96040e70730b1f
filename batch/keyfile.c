/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/keys.h"

#include <string.h>

enum { SECRET = 64, PLAIN = 2 + 32 + SECRET, WRAPPED = PLAIN + CQ_WRAP_OVERHEAD, LINE = 32 };
static const char purpose[] = "chasqui key file 1";
static const char *const kinds[] = {[CQ_KEY_PROGRAMME] = "programme",
                                    [CQ_KEY_COORDINATOR] = "coordinator",
                                    [CQ_KEY_BATCH_RECOVERY] = "batch-recovery",
                                    [CQ_KEY_VAULT_RECOVERY] = "vault-recovery",
                                    [CQ_KEY_POST] = "post",
                                    [CQ_KEY_DESK] = "desk"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void plain_head(uint8_t out[34], const cq_key_file *about) {
  out[0] = (uint8_t)about->kind;
  out[1] = (uint8_t)about->mode;
  memcpy(out + 2, about->key, sizeof about->key);
}

cq_status cq_key_file_write(cq_buf *out, const cq_key_file *about, const cq_secret *secret, cq_str passphrase,
                            cq_cost cost, const cq_random *random, cq_error *error) {
  if (!secret || cq_secret_size(secret) != SECRET) return cq_error_set(error, CQ_INVALID, "keys.secret.size", NULL);
  cq_buf wrapped = {0};
  cq_secret *plain = cq_secret_new(PLAIN);
  if (!plain) return cq_error_nomem(error);
  plain_head(cq_secret_bytes(plain), about);
  memcpy(cq_secret_bytes(plain) + 34, cq_secret_view(secret), SECRET);
  cq_status status = cq_wrap(&wrapped, purpose, cq_secret_view(plain), PLAIN, passphrase, cost, random, error);
  cq_secret_free(plain);
  if (status == CQ_OK) {
    cq_buf_addf(out, "chasqui key 1\nkind %s\nmode %s\npublic ", kinds[about->kind], cq_mode_name(about->mode));
    cq_buf_add_hex(out, about->key, sizeof about->key);
    cq_buf_add_text(out, "\nwrapped\n");
    for (size_t at = 0; at < wrapped.size; at += LINE) {
      cq_buf_add_hex(out, wrapped.at + at, wrapped.size - at < LINE ? wrapped.size - at : LINE);
      cq_buf_add_char(out, '\n');
    }
    cq_buf_add_text(out, "end\n");
    if (out->failed) status = cq_error_nomem(error);
  }
  cq_buf_fini(&wrapped);
  return status;
}

/* The next line that is not empty, without white space at its ends. */
static cq_str next_line(cq_str *text) {
  cq_str line = {0};
  while (line.size == 0 && text->size > 0) {
    const char *end = memchr(text->at, '\n', text->size);
    size_t size = end ? (size_t)(end - text->at) : text->size;
    line = cq_str_trim((cq_str){text->at, size});
    size_t step = end ? size + 1 : size;
    text->at += step;
    text->size -= step;
  }
  return line;
}

static cq_str value_of(cq_str line, const char *name) {
  size_t size = strlen(name);
  if (!cq_str_starts(line, cq_str_from(name)) || line.size <= size || line.at[size] != ' ') return (cq_str){"", 0};
  return cq_str_trim((cq_str){line.at + size, line.size - size});
}

/* Typed from paper: spaces between the digits and other line lengths do no harm. */
static bool wrapped_digits(cq_str *text, uint8_t out[WRAPPED]) {
  char digits[2 * WRAPPED];
  size_t count = 0;
  for (cq_str line; (line = next_line(text)).size > 0 && !cq_str_is(line, "end");)
    for (size_t i = 0; i < line.size; i++) {
      if (line.at[i] == ' ') continue;
      if (count == sizeof digits) return false;
      digits[count++] = line.at[i];
    }
  return cq_hex_decode((cq_str){digits, count}, out, WRAPPED);
}

static bool read_head(cq_key_file *about, cq_str *text) {
  cq_str kind = value_of(next_line(text), "kind"), mode = value_of(next_line(text), "mode");
  cq_str key = value_of(next_line(text), "public");
  about->kind = 0;
  for (size_t i = 1; i < KINDS; i++)
    if (cq_str_is(kind, kinds[i])) about->kind = (cq_key_kind)i;
  about->mode = cq_str_is(mode, "real") ? CQ_MODE_REAL : CQ_MODE_PRACTICE;
  return about->kind && cq_str_is(mode, cq_mode_name(about->mode)) && cq_hex_decode(key, about->key, 32) &&
         cq_str_is(next_line(text), "wrapped");
}

cq_status cq_key_file_read(cq_key_file *about, cq_secret **secret, cq_str bytes, cq_str passphrase, cq_error *error) {
  if (secret) *secret = NULL;
  uint8_t wrapped[WRAPPED], head[34];
  cq_str text = bytes, version = value_of(next_line(&text), "chasqui key");
  int64_t number = 0;
  if (bytes.size <= CQ_KEY_FILE_LIMIT && cq_str_int64(version, &number) && number > 1)
    return cq_error_set(error, CQ_FUTURE, "keys.file.future", NULL);
  if (bytes.size > CQ_KEY_FILE_LIMIT || number != 1 || !read_head(about, &text) || !wrapped_digits(&text, wrapped))
    return cq_error_set(error, CQ_DAMAGED, "keys.file.damaged", NULL);
  if (!secret) return CQ_OK;

  cq_buf plain = {0};
  cq_status status = cq_unwrap(&plain, purpose, wrapped, sizeof wrapped, passphrase, error);
  if (status == CQ_OK) {
    plain_head(head, about);
    if (plain.size != PLAIN || !cq_same_bytes(head, plain.at, sizeof head))
      status = cq_error_set(error, CQ_DAMAGED, "keys.file.damaged", NULL);
    else if (!(*secret = cq_secret_copy(plain.at + sizeof head, SECRET)))
      status = cq_error_nomem(error);
  }
  cq_buf_fini_secret(&plain);
  return status;
}
