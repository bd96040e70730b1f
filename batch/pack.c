/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/pack.h"
#include "batch/trails.h"

#include <string.h>

enum { AS_THEY_ARE = 0, OUTLINED = 1 };
enum { ENVELOPE = 320 }; /* bytes, about */

static bool holds_zero(const cq_record_parts *records, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (memchr(records[i].instance.at, '\0', records[i].instance.size)) return true;
  return false;
}

static bool put_instances(const cq_codec_form *form, const cq_record_parts *records, size_t count, cq_arena *scratch,
                          cq_buf *text) {
  const cq_outline *outline = form ? cq_codec_form_outline(form) : NULL;
  if (!outline || holds_zero(records, count)) {
    cq_buf_add_char(text, AS_THEY_ARE);
    for (size_t i = 0; i < count; i++) cq_put_text(text, records[i].instance);
    return !text->failed;
  }
  cq_buf_add_char(text, OUTLINED);
  cq_str *instances = cq_arena_array(scratch, count, sizeof *instances);
  for (size_t i = 0; instances && i < count; i++) instances[i] = records[i].instance;
  return instances && cq_outline_write(outline, instances, count, scratch, text);
}

/* unpacked size ‖ frame size ‖ frame */
static cq_status put_frame(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_str plain,
                           cq_buf *out, size_t *packed, cq_error *error) {
  cq_buf frame = {0};
  cq_status status = cq_codec_compress(codec, form, dictionary, plain, &frame, error);
  if (status == CQ_OK) {
    cq_put_varint(out, plain.size);
    cq_put_varint(out, frame.size);
    cq_buf_add(out, frame.at, frame.size);
    if (packed) *packed += frame.size;
    if (out->failed) status = cq_error_nomem(error);
  }
  cq_buf_fini(&frame);
  return status;
}

cq_status cq_pack_records(cq_batch_codec *codec, const cq_columns_context *context, cq_batch_entry_kind kind,
                          const cq_record_parts *records, size_t count, cq_buf *out, size_t *audit, cq_error *error) {
  cq_codec_form *form = cq_codec_form_get(codec, &context->form);
  cq_arena *scratch = cq_codec_scratch(codec);
  cq_buf *text = cq_codec_buffer(codec, 0), *raw = cq_codec_buffer(codec, 1), *trails = cq_codec_buffer(codec, 2);
  bool trailed = false;
  for (size_t i = 0; i < count; i++) trailed |= records[i].audit.size > 0;
  if (trailed) cq_trails_write(records, count, trails);
  if (!cq_columns_write(records, count, context, scratch, text, raw) ||
      !put_instances(form, records, count, scratch, text) || trails->failed) {
    cq_arena_reset(scratch);
    return cq_error_nomem(error);
  }
  cq_arena_reset(scratch);
  cq_buf_add_char(out, (char)kind);
  cq_put_varint(out, count);
  cq_buf_add_char(out, form ? 1 : 0);
  cq_buf_add(out, context->form.at, sizeof context->form.at);
  cq_status status = put_frame(codec, form, CQ_DICTIONARY_ANSWERS, cq_buf_str(text), out, NULL, error);
  if (status == CQ_OK && trailed)
    status = put_frame(codec, form, CQ_DICTIONARY_FORM, cq_buf_str(trails), out, audit, error);
  else if (status == CQ_OK)
    cq_buf_add(out, "\0", 2);
  cq_buf_add(out, raw->at, raw->size);
  return status == CQ_OK && out->failed ? cq_error_nomem(error) : status;
}

/* --- unpacking --- */

static cq_status damaged(const cq_layout *layout, cq_error *error) {
  cq_error_set(error, CQ_DAMAGED, "batch.content", NULL);
  cq_error_at_offset(error, (int64_t)cq_layout_offset(layout));
  return CQ_DAMAGED;
}

static bool take_frame(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_layout *layout,
                       size_t limit, cq_buf *out, size_t *packed) {
  uint64_t size = cq_layout_varint(layout);
  cq_str frame = cq_layout_text(layout, CQ_BATCH_MAX_SIZE);
  if (packed) *packed += frame.size;
  if (layout->failed || size > limit) return false;
  if (size == 0 && frame.size == 0) return true; /* no trails; `out` is empty */
  return cq_codec_decompress(codec, form, dictionary, frame, (size_t)size, out);
}

/* The instances, one after another in `bytes` with their `sizes`. */
static bool take_instances(const cq_codec_form *form, cq_layout *text, size_t count, size_t limit, cq_arena *scratch,
                           cq_buf *bytes, size_t *sizes) {
  uint8_t how = cq_layout_u8(text);
  if (how == OUTLINED) {
    const cq_outline *outline = form ? cq_codec_form_outline(form) : NULL;
    return outline && cq_outline_read(outline, cq_layout_rest(text), count, limit, scratch, bytes, sizes);
  }
  for (size_t i = 0; how == AS_THEY_ARE && i < count; i++) {
    cq_str instance = cq_layout_text(text, CQ_RECORD_MAX_INSTANCE);
    cq_buf_add_str(bytes, instance);
    sizes[i] = instance.size;
  }
  return how == AS_THEY_ARE && !text->failed && !bytes->failed && cq_layout_left(text) == 0;
}

/* What is put together again: the pieces of all records, one after another, with the size of each. */
typedef struct pieces {
  cq_columns *columns;
  const uint8_t *salts;
  cq_str instances, trails;
  size_t *instance_sizes, *trail_sizes;
} pieces;

static cq_str piece(cq_str *all, size_t size) {
  cq_str one = {all->at, size};
  *all = (cq_str){all->at + size, all->size - size};
  return one;
}

static cq_status put_together(cq_unpacked *unpacked, pieces *from, size_t limit, cq_buf *out, const cq_layout *at,
                              cq_error *error) {
  size_t start = out->size, usual = from->instances.size + from->trails.size + unpacked->count * ENVELOPE;
  cq_buf_reserve(out, usual < limit ? usual : limit); /* at once: what grows is copied, and its old place not wiped */
  for (size_t i = 0; i < unpacked->count; i++) {
    size_t before = out->size;
    cq_str instance = piece(&from->instances, from->instance_sizes[i]);
    cq_str trail = piece(&from->trails, from->trail_sizes[i]);
    cq_columns_next(from->columns, from->salts + 32 * i, instance, trail, out);
    if (out->failed) return cq_error_nomem(error);
    unpacked->sizes[i] = out->size - before;
    if (out->size - start > limit || unpacked->sizes[i] > CQ_RECORD_MAX_SIZE) return damaged(at, error);
  }
  return CQ_OK;
}

cq_status cq_unpack_records(cq_unpacked *unpacked, cq_batch_codec *codec, cq_columns_context *context, cq_str section,
                            size_t limit, cq_buf *out, size_t *audit, cq_error *error) {
  cq_layout layout = cq_layout_of(section.at, section.size);
  cq_arena *scratch = cq_codec_scratch(codec);
  cq_arena_reset(scratch);
  unpacked->kind = (cq_batch_entry_kind)cq_layout_u8(&layout);
  uint64_t count = cq_layout_varint(&layout);
  uint8_t dictionary = cq_layout_u8(&layout);
  cq_layout_copy(&layout, context->form.at, sizeof context->form.at);
  if (layout.failed || (unpacked->kind != CQ_ENTRY_RECORD && unpacked->kind != CQ_ENTRY_DRAFT) || count < 1 ||
      count > CQ_BATCH_MAX_ENTRIES || dictionary > 1)
    return damaged(&layout, error);
  unpacked->count = (size_t)count;
  context->draft = unpacked->kind == CQ_ENTRY_DRAFT;
  cq_codec_form *form = dictionary ? cq_codec_form_get(codec, &context->form) : NULL;
  if (dictionary && !form) {
    char hex[65];
    return cq_error_set(error, CQ_NOTFOUND, "batch.form", cq_hash_hex(&context->form, hex), NULL);
  }
  cq_buf *text = cq_codec_buffer(codec, 0), *packed = cq_codec_buffer(codec, 1), *bodies = cq_codec_buffer(codec, 2);
  if (!take_frame(codec, form, CQ_DICTIONARY_ANSWERS, &layout, limit, text, NULL) ||
      !take_frame(codec, form, CQ_DICTIONARY_FORM, &layout, limit, packed, audit))
    return damaged(&layout, error);
  if (count * 32 > cq_layout_left(&layout)) return damaged(&layout, error);
  pieces from = {.salts = cq_layout_take(&layout, (size_t)count * 32),
                 .instance_sizes = cq_arena_array(scratch, unpacked->count, sizeof(size_t)),
                 .trail_sizes = cq_arena_array(scratch, unpacked->count, sizeof(size_t))};
  unpacked->sizes = cq_arena_array(scratch, unpacked->count, sizeof *unpacked->sizes);
  if (!from.instance_sizes || !from.trail_sizes || !unpacked->sizes) return damaged(&layout, error);
  cq_layout columns_text = cq_layout_of(text->at, text->size);
  from.columns = cq_columns_read(&columns_text, &layout, unpacked->count, context, scratch);
  if (!from.columns || cq_layout_left(&layout) > 0 ||
      !take_instances(form, &columns_text, unpacked->count, limit, scratch, bodies, from.instance_sizes))
    return damaged(&layout, error);
  size_t instances = bodies->size;
  if (packed->size > 0 && !cq_trails_read(cq_buf_str(packed), unpacked->count, limit, bodies, from.trail_sizes))
    return damaged(&layout, error);
  from.instances = (cq_str){bodies->at, instances};
  from.trails = (cq_str){bodies->at + instances, bodies->size - instances};
  return put_together(unpacked, &from, limit, out, &layout, error);
}
