/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/pulled.h"

#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/keys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST "forms.csv"
enum { LIST_MAX = 64 << 20, NAME_DIGITS = 32 };

void cq_pulled_folder_name(char out[26], cq_str url) {
  char hex[65];
  cq_hash hash = cq_hash_of(url.at, url.size);
  snprintf(out, 26, "openrosa-%.16s", cq_hash_hex(&hash, hex));
}

void cq_pulled_file_name(char out[40], cq_str hash, bool form) {
  uint8_t md5[16];
  cq_str digits = hash;
  char hex[65];
  if (cq_str_starts(digits, CQ_STR("md5:"))) digits = (cq_str){hash.at + 4, hash.size - 4};
  if (digits.size == NAME_DIGITS && cq_hex_decode(digits, md5, sizeof md5)) {
    for (size_t i = 0; i < sizeof md5; i++) snprintf(hex + 2 * i, 3, "%02x", md5[i]);
  } else {
    cq_hash own = cq_hash_of(hash.at, hash.size);
    cq_hash_hex(&own, hex);
  }
  snprintf(out, 40, "%.*s%s", NAME_DIGITS, hex, form ? ".xml" : ".media");
}

/* --- reading --- */

/* The folder may be anyone's work: a name in it must be one of ours. */
static bool is_file_name(cq_str name, const char *ending) {
  size_t size = strlen(ending);
  if (name.size != NAME_DIGITS + size || memcmp(name.at + NAME_DIGITS, ending, size) != 0) return false;
  for (size_t i = 0; i < NAME_DIGITS; i++)
    if (!strchr("0123456789abcdef", name.at[i])) return false;
  return true;
}

typedef struct reading {
  cq_pulled *pulled;
  cq_arena *arena;
  size_t form_room, media_room;
} reading;

static bool copy(reading *r, cq_str *out, cq_str text) {
  *out = cq_arena_copy(r->arena, text);
  return out->at != NULL;
}

/* Room for one more of an array in the arena: twice as large where it is full. */
static bool grow(cq_arena *arena, void *rows, size_t count, size_t *room, size_t size) {
  void **at = rows, *old = *at;
  if (count < *room) return true;
  size_t more = *room ? *room * 2 : 16;
  void *larger = cq_arena_array(arena, more, size);
  if (!larger) return false;
  if (count) memcpy(larger, old, count * size);
  *at = larger;
  *room = more;
  return true;
}

static bool read_form(reading *r, const cq_str *f) {
  cq_pulled *p = r->pulled;
  if (p->form_count == CQ_PULLED_MAX_FORMS || !is_file_name(f[5], ".xml") ||
      !grow(r->arena, &p->forms, p->form_count, &r->form_room, sizeof *p->forms))
    return false;
  cq_pulled_form *form = &p->forms[p->form_count++];
  *form = (cq_pulled_form){0};
  r->media_room = 0;
  return copy(r, &form->id, f[1]) && copy(r, &form->version, f[2]) && copy(r, &form->name, f[3]) &&
         copy(r, &form->hash, f[4]) && copy(r, &form->file, f[5]) && copy(r, &form->manifest, f[6]) &&
         copy(r, &form->manifest_etag, f[7]);
}

static bool is_media_name(cq_str name) {
  for (size_t i = 0; i < name.size; i++)
    if ((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7f || name.at[i] == '/' || name.at[i] == '\\') return false;
  return name.size > 0 && name.size <= 255 && !cq_str_is(name, ".") && !cq_str_is(name, "..") && cq_utf8_valid(name);
}

static bool read_media(reading *r, const cq_str *f) {
  cq_pulled *p = r->pulled;
  if (!p->form_count || !is_media_name(f[1]) || !is_file_name(f[3], ".media")) return false;
  cq_pulled_form *form = &p->forms[p->form_count - 1];
  if (form->media_count == CQ_PULLED_MAX_MEDIA ||
      !grow(r->arena, &form->media, form->media_count, &r->media_room, sizeof *form->media))
    return false;
  cq_pulled_media *media = &form->media[form->media_count++];
  media->is_list = cq_str_is(f[4], "list");
  return copy(r, &media->name, f[1]) && copy(r, &media->hash, f[2]) && copy(r, &media->file, f[3]);
}

static bool read_row(reading *r, const cq_str *fields, size_t count, bool first) {
  if (first)
    return count == 5 && cq_str_is(fields[0], "openrosa") && cq_str_is(fields[1], "1") &&
           copy(r, &r->pulled->url, fields[2]) && cq_str_int64(fields[3], &r->pulled->pulled_utc_ms) &&
           copy(r, &r->pulled->etag, fields[4]);
  if (count == 8 && cq_str_is(fields[0], "form")) return read_form(r, fields);
  return count == 5 && cq_str_is(fields[0], "media") && read_media(r, fields);
}

cq_status cq_pulled_read(cq_pulled *pulled, const char *folder, cq_arena *arena, cq_error *error) {
  cq_buf path = {0}, text = {0};
  cq_csv *csv = NULL;
  reading r = {.pulled = pulled, .arena = arena};
  *pulled = (cq_pulled){0};
  cq_status status = cq_file_path(&path, folder, LIST, error);
  if (!status && access(path.at, F_OK) != 0)
    status = cq_error_set(error, CQ_NOTFOUND, "openrosa.pulled.none", folder, NULL);
  if (!status) status = cq_file_read(path.at, LIST_MAX, &text, error);
  if (!status && !(csv = cq_csv_new(cq_buf_str(&text), ','))) status = cq_error_nomem(error);
  for (bool first = true; !status; first = false) {
    const cq_str *fields;
    size_t count = 0;
    cq_status read = cq_csv_next(csv, &fields, &count, NULL);
    if (!read && !count && !first) break;
    if (read || !read_row(&r, fields, count, first))
      status = cq_error_set(error, CQ_DAMAGED, "openrosa.pulled.damaged", path.at, NULL);
  }
  cq_csv_free(csv);
  cq_buf_fini(&path);
  cq_buf_fini(&text);
  return status;
}

/* --- writing --- */
static void add_row(cq_buf *out, size_t count, const cq_str *fields) {
  for (size_t i = 0; i < count; i++) cq_csv_add_field(out, i == 0, fields[i], false);
  cq_csv_end_row(out);
}

cq_status cq_pulled_write(const cq_pulled *pulled, const char *folder, cq_error *error) {
  cq_buf path = {0}, text = {0};
  char when[24];
  snprintf(when, sizeof when, "%lld", (long long)pulled->pulled_utc_ms);
  add_row(&text, 5, (cq_str[]){CQ_STR("openrosa"), CQ_STR("1"), pulled->url, cq_str_from(when), pulled->etag});
  for (size_t i = 0; i < pulled->form_count; i++) {
    const cq_pulled_form *f = &pulled->forms[i];
    add_row(&text, 8,
            (cq_str[]){CQ_STR("form"), f->id, f->version, f->name, f->hash, f->file, f->manifest, f->manifest_etag});
    for (size_t m = 0; m < f->media_count; m++) {
      const cq_pulled_media *media = &f->media[m];
      add_row(&text, 5,
              (cq_str[]){CQ_STR("media"), media->name, media->hash, media->file,
                         media->is_list ? CQ_STR("list") : CQ_STR("")});
    }
  }
  cq_status status = text.failed ? cq_error_nomem(error) : cq_file_path(&path, folder, LIST, error);
  if (!status) status = cq_file_replace(path.at, text.at, text.size, 0600, false, error);
  cq_buf_fini(&path);
  cq_buf_fini(&text);
  return status;
}
