/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/header.h"
#include "batch/pack.h"
#include "batch/sections.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
  cq_batch_entry_kind kind;
  cq_hash form; /* of records and drafts */
  cq_programme_id programme;
  cq_mode mode;
  size_t at, size;
} entry;

struct cq_batch_writer {
  cq_batch_codec *codec;
  cq_buf records; /* bytes of records and drafts, one after another */
  entry *entries; /* their places */
  size_t count, capacity, others;
  cq_buf sections; /* of all other entries, ready */
  size_t unpacked; /* bytes of all entries */
  size_t attachments;
};

/* Room left for the header, the tags of the chunks and the signature. */
enum { ROOM = CQ_BATCH_MAX_HEADER + 32 * 1024 };

cq_batch_writer *cq_batch_writer_new(cq_batch_codec *codec) {
  cq_batch_writer *writer = calloc(1, sizeof *writer);
  if (writer) writer->codec = codec;
  return writer;
}

static void writer_empty(cq_batch_writer *writer) {
  cq_buf_reset(&writer->records);
  cq_buf_reset(&writer->sections);
  writer->count = writer->others = writer->unpacked = writer->attachments = 0;
}

void cq_batch_writer_free(cq_batch_writer *writer) {
  if (!writer) return;
  cq_wipe_buf(&writer->records);
  cq_wipe_buf(&writer->sections);
  free(writer->entries);
  free(writer);
}

size_t cq_batch_count(const cq_batch_writer *writer) {
  return writer->count + writer->others;
}

size_t cq_batch_bytes(const cq_batch_writer *writer) {
  return writer->unpacked;
}

/*
 * Whether `size` more bytes surely fit, were none of it to compress: padding adds at most an eighth, which for a batch
 * near its limit is a thirty-second.
 */
static cq_status make_room(cq_batch_writer *writer, size_t size, cq_error *error) {
  size_t most = CQ_BATCH_MAX_SIZE - CQ_BATCH_MAX_SIZE / 32 - ROOM;
  if (size > most) return cq_error_set(error, CQ_LIMIT, "batch.large", NULL);
  if (writer->unpacked + size > most || cq_batch_count(writer) == CQ_BATCH_MAX_ENTRIES)
    return cq_error_set(error, CQ_LIMIT, "batch.full", NULL);
  return CQ_OK;
}

static cq_status add_record(cq_batch_writer *writer, cq_batch_entry_kind kind, cq_str bytes, cq_error *error) {
  cq_record_parts parts;
  entry made = {.kind = kind, .at = writer->records.size, .size = bytes.size};
  cq_arena *scratch = cq_codec_scratch(writer->codec);
  cq_arena_reset(scratch);
  cq_record record;
  cq_status status = cq_record_parse(&record, bytes, scratch, error);
  if (status != CQ_OK) return status;
  bool draft = record.envelope.result == CQ_RESULT_DRAFT;
  if (draft != (kind == CQ_ENTRY_DRAFT) || !cq_record_parts_of(&parts, bytes, &made.form))
    return cq_error_set(error, CQ_INVALID, "batch.entry.damaged", NULL);
  made.programme = record.envelope.programme;
  made.mode = record.envelope.mode;
  if (writer->count == writer->capacity) {
    size_t capacity = writer->capacity ? writer->capacity * 2 : 128;
    entry *entries = realloc(writer->entries, capacity * sizeof *entries);
    if (!entries) return cq_error_nomem(error);
    writer->entries = entries;
    writer->capacity = capacity;
  }
  cq_buf_add_str(&writer->records, bytes);
  if (writer->records.failed) return cq_error_nomem(error);
  writer->entries[writer->count++] = made;
  return CQ_OK;
}

/* type ‖ varint size ‖ head ‖ bytes, and with `packed` the size of the bytes and a zstd frame of them instead */
static cq_status add_section(cq_batch_writer *writer, uint8_t type, cq_str head, cq_str bytes, bool packed,
                             cq_error *error) {
  cq_buf frame = {0};
  cq_status status = CQ_OK;
  if (packed) {
    cq_put_varint(&frame, bytes.size);
    status = cq_codec_compress(writer->codec, NULL, CQ_DICTIONARY_NONE, bytes, &frame, error);
    bytes = cq_buf_str(&frame);
  }
  if (status == CQ_OK && !cq_buf_reserve(&writer->sections, head.size + bytes.size + 16))
    status = cq_error_nomem(error);
  if (status == CQ_OK) {
    cq_buf_add_char(&writer->sections, (char)type);
    cq_put_varint(&writer->sections, head.size + bytes.size);
    cq_buf_add_str(&writer->sections, head);
    cq_buf_add_str(&writer->sections, bytes);
    writer->others++;
  }
  cq_wipe_buf(&frame);
  return status;
}

cq_status cq_batch_add(cq_batch_writer *writer, cq_batch_entry_kind kind, cq_str bytes, cq_error *error) {
  cq_status status = make_room(writer, bytes.size, error);
  if (status != CQ_OK) return status;
  if (kind == CQ_ENTRY_RECORD || kind == CQ_ENTRY_DRAFT) {
    status = add_record(writer, kind, bytes, error);
  } else if (cq_section_carries(kind) && bytes.size > 0) {
    char head = (char)kind;
    status = add_section(writer, CQ_SECTION_OTHER, (cq_str){&head, 1}, bytes, true, error);
  } else {
    status = cq_error_set(error, CQ_INVALID, "batch.entry.damaged", NULL);
  }
  if (status == CQ_OK) writer->unpacked += bytes.size;
  return status;
}

cq_status cq_batch_add_part(cq_batch_writer *writer, const cq_hash *attachment, uint64_t offset, uint64_t total,
                            cq_str bytes, cq_error *error) {
  cq_status status = make_room(writer, bytes.size + 64, error);
  if (status != CQ_OK) return status;
  if (!cq_section_part_right(offset, total, bytes.size))
    return cq_error_set(error, CQ_INVALID, "batch.entry.damaged", NULL);
  cq_buf head = {0};
  cq_buf_add(&head, attachment->at, sizeof attachment->at);
  cq_put_u64(&head, offset);
  cq_put_u64(&head, total);
  status = head.failed ? cq_error_nomem(error)
                       : add_section(writer, CQ_SECTION_PART, cq_buf_str(&head), bytes, false, error);
  cq_buf_fini(&head);
  if (status != CQ_OK) return status;
  writer->unpacked += bytes.size + 64;
  writer->attachments += bytes.size;
  return CQ_OK;
}

cq_status cq_batch_add_list(cq_batch_writer *writer, cq_str name, cq_str csv, cq_error *error) {
  cq_status status = make_room(writer, csv.size + 512, error);
  if (status != CQ_OK) return status;
  if (!cq_file_name_plain(name, CQ_SECTION_NAME) || !cq_utf8_valid(csv))
    return cq_error_set(error, CQ_INVALID, "batch.entry.damaged", NULL);
  cq_buf head = {0};
  cq_put_text(&head, name);
  status =
      head.failed ? cq_error_nomem(error) : add_section(writer, CQ_SECTION_LIST, cq_buf_str(&head), csv, true, error);
  cq_buf_fini(&head);
  if (status == CQ_OK) writer->unpacked += csv.size + 512;
  return status;
}

/* --- ending --- */

static int by_kind_and_form(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  int form = memcmp(x->form.at, y->form.at, sizeof x->form.at);
  if (form != 0) return form;
  return x->at < y->at ? -1 : x->at > y->at; /* as they were added */
}

static cq_status put_group(cq_batch_writer *writer, const cq_batch_sender *sender, const cq_device_id *device,
                           size_t first, size_t count, cq_buf *content, size_t *audit, cq_error *error) {
  cq_columns_context context = {
      .mode = sender->mode, .programme = sender->programme, .device = *device, .form = writer->entries[first].form};
  cq_record_parts *parts = calloc(count, sizeof *parts);
  cq_buf group = {0};
  cq_status status = parts ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    cq_hash form;
    const entry *at = &writer->entries[first + i];
    cq_record_parts_of(&parts[i], (cq_str){writer->records.at + at->at, at->size}, &form);
  }
  if (status == CQ_OK)
    status = cq_pack_records(writer->codec, &context, writer->entries[first].kind, parts, count, &group, audit, error);
  if (status == CQ_OK) {
    cq_buf_add_char(content, CQ_SECTION_RECORDS);
    cq_put_varint(content, group.size);
    cq_buf_add(content, group.at, group.size);
    if (content->failed) status = cq_error_nomem(error);
  }
  cq_wipe_buf(&group);
  free(parts);
  return status;
}

static cq_status put_content(cq_batch_writer *writer, const cq_batch_sender *sender, const cq_device_id *device,
                             cq_buf *content, size_t *audit, cq_error *error) {
  cq_put_u32(content, 0);
  if (writer->count > 0) qsort(writer->entries, writer->count, sizeof *writer->entries, by_kind_and_form);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < writer->count; i++)
    if (writer->entries[i].mode != sender->mode ||
        !cq_programme_id_equal(&writer->entries[i].programme, &sender->programme))
      return cq_error_set(error, CQ_REFUSED, "batch.entry.foreign", NULL);
  for (size_t first = 0, count; status == CQ_OK && first < writer->count; first += count) {
    const entry *at = &writer->entries[first];
    for (count = 1; first + count < writer->count; count++)
      if (at[count].kind != at->kind || !cq_hash_equal(&at[count].form, &at->form)) break;
    status = put_group(writer, sender, device, first, count, content, audit, error);
  }
  cq_buf_add(content, writer->sections.at, writer->sections.size);
  if (status != CQ_OK) return status;
  if (content->failed) return cq_error_nomem(error);
  size_t used = content->size - 4;
  for (int i = 0; i < 4; i++) content->at[i] = (char)(uint8_t)(used >> (8 * i));
  return CQ_OK;
}

static cq_status check_sender(const cq_batch_sender *sender, const cq_seal_key *recipients, size_t recipient_count,
                              cq_device_id *device, cq_error *error) {
  cq_sign_key own;
  cq_status status = cq_sign_public(&own, sender->sign, error);
  if (status != CQ_OK) return status;
  *device = cq_device_id_of(&own);
  cq_certificate last = {0};
  bool chained =
      sender->chain && sender->chain->count >= 1 && sender->chain->count <= CQ_CHAIN_LINKS &&
      cq_certificate_read(&last, sender->chain->link[sender->chain->count - 1], CQ_CERTIFICATE_SIZE, NULL) == CQ_OK;
  const cq_sign_key *named = chained ? &last.sign : sender->request ? &sender->request->sign : NULL;
  if (!named || (sender->chain != NULL) == (sender->request != NULL) || (sender->chain && !chained) ||
      memcmp(named->at, own.at, sizeof own.at) != 0 || !cq_mode_name(sender->mode) || sender->number == 0 ||
      cq_hash_is_zero(&sender->previous) != (sender->number == 1) || !cq_date_valid(sender->working_date) ||
      (sender->request && sender->request->note_size > CQ_REQUEST_NOTE_LIMIT))
    return cq_error_set(error, CQ_INVALID, "batch.sender", NULL);
  bool right = recipient_count >= 1 && recipient_count <= CQ_BATCH_MAX_RECIPIENTS;
  /* one ephemeral key serves all, so nobody may be named twice */
  for (size_t i = 0; right && i < recipient_count; i++)
    for (size_t k = 0; k < i; k++)
      if (memcmp(recipients[i].at, recipients[k].at, sizeof recipients[i].at) == 0) right = false;
  return right ? CQ_OK : cq_error_set(error, CQ_INVALID, "batch.recipients", NULL);
}

/* header ‖ chunks ‖ signature */
static cq_status put_file(cq_buf *out, cq_hash *hash, cq_buf *content, const cq_batch_sender *sender,
                          const cq_seal_key *recipients, size_t recipient_count, const cq_random *random,
                          cq_error *error) {
  size_t used = content->size, padded = cq_padded_size(used);
  if (!cq_buf_reserve(content, padded - used)) return cq_error_nomem(error);
  memset(content->at + used, 0, padded - used);
  content->size = padded;
  cq_secret *key = NULL;
  cq_buf_reset(out);
  if (!cq_buf_reserve(out, CQ_BATCH_MAX_HEADER + cq_sealed_size(padded) + CQ_BATCH_SIGNATURE))
    return cq_error_nomem(error);
  cq_status status = cq_header_write(out, &key, sender, recipients, recipient_count, padded, random, error);
  if (status == CQ_OK && out->size + cq_sealed_size(padded) + CQ_BATCH_SIGNATURE > CQ_BATCH_MAX_SIZE)
    status = cq_error_set(error, CQ_LIMIT, "batch.large", NULL);
  cq_signature signature;
  if (status == CQ_OK) {
    cq_hash header = cq_hash_of(out->at, out->size);
    cq_chunks_seal((uint8_t *)out->at + out->size, (const uint8_t *)content->at, padded, &header, key);
    out->size += cq_sealed_size(padded);
    cq_hasher hasher, whole;
    cq_hasher_init(&hasher);
    cq_hasher_add(&hasher, out->at, out->size);
    whole = hasher;
    cq_hash unsigned_hash = cq_hasher_end(&hasher);
    status = cq_sign_hash(&signature, CQ_BATCH_PURPOSE, &unsigned_hash, sender->sign, error);
    cq_hasher_add(&whole, signature.at, sizeof signature.at);
    *hash = cq_hasher_end(&whole);
    cq_buf_add(out, signature.at, sizeof signature.at);
  }
  cq_secret_free(key);
  return status;
}

cq_status cq_batch_end(cq_batch_writer *writer, const cq_batch_sender *sender, const cq_seal_key *recipients,
                       size_t recipient_count, const cq_random *random, cq_buf *out, cq_hash *hash,
                       cq_batch_sizes *sizes, cq_error *error) {
  cq_device_id device;
  cq_batch_sizes found = {0};
  cq_buf content = {0};
  cq_status status = check_sender(sender, recipients, recipient_count, &device, error);
  if (status == CQ_OK) status = put_content(writer, sender, &device, &content, &found.audit, error);
  size_t used = content.size;
  if (status == CQ_OK) status = put_file(out, hash, &content, sender, recipients, recipient_count, random, error);
  if (status == CQ_OK) {
    found.file = out->size;
    found.header = (uint8_t)out->at[6] | (size_t)(uint8_t)out->at[7] << 8;
    found.padding = content.size - used;
    found.attachments = writer->attachments;
    found.entries = cq_batch_count(writer);
    if (sizes) *sizes = found;
    writer_empty(writer);
  } else {
    cq_buf_reset(out);
  }
  cq_wipe_buf(&content);
  return status;
}
