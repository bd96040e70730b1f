/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/header.h"
#include "batch/pack.h"
#include "batch/sections.h"

#include <stdlib.h>
#include <string.h>

/* --- verifying --- */

struct cq_batch_verifier {
  const cq_trust *trust;
  cq_hasher hasher;
  uint8_t head[CQ_BATCH_MAX_HEADER];
  size_t head_size; /* collected */
  uint8_t tail[CQ_BATCH_SIGNATURE];
  size_t size; /* bytes seen */
  bool header_read;
  cq_batch_header header;
};

static void verifier_init(cq_batch_verifier *verifier, const cq_trust *trust) {
  verifier->trust = trust;
  verifier->head_size = verifier->size = 0;
  verifier->header_read = false;
  cq_hasher_init(&verifier->hasher);
}

cq_batch_verifier *cq_batch_verifier_new(const cq_trust *trust) {
  void *memory = NULL;
  /* libsodium's state asks for 64 bytes of alignment */
  if (posix_memalign(&memory, 64, sizeof(cq_batch_verifier)) != 0) return NULL;
  cq_batch_verifier *verifier = memory;
  memset(verifier, 0, sizeof *verifier);
  verifier_init(verifier, trust);
  return verifier;
}

void cq_batch_verifier_free(cq_batch_verifier *verifier) {
  free(verifier);
}

/* The header, as soon as it is whole. */
static cq_status collect_head(cq_batch_verifier *verifier, const uint8_t *bytes, size_t size, cq_error *error) {
  size_t room = sizeof verifier->head - verifier->head_size;
  size_t part = size < room ? size : room;
  memcpy(verifier->head + verifier->head_size, bytes, part);
  verifier->head_size += part;
  if (verifier->head_size < CQ_HEADER_LEAST) return CQ_OK;
  cq_error seen;
  cq_error_clear(&seen);
  cq_status status = cq_batch_read_header(&verifier->header, verifier->head, verifier->head_size, &seen);
  if (status == CQ_OK)
    verifier->header_read = true;
  else if (strcmp(seen.code, "batch.truncated") == 0 && verifier->head_size < sizeof verifier->head)
    return CQ_OK;
  else if (error)
    *error = seen;
  return status;
}

cq_status cq_batch_verifier_add(cq_batch_verifier *verifier, const void *bytes, size_t size, cq_error *error) {
  const uint8_t *at = bytes;
  if (!verifier->header_read) {
    cq_status status = collect_head(verifier, at, size, error);
    if (status != CQ_OK) return status;
  }
  size_t most = verifier->header_read ? verifier->header.file_size : CQ_BATCH_MAX_SIZE;
  if (size > most - verifier->size) return cq_error_set(error, CQ_DAMAGED, "batch.size", NULL);
  /* the last bytes seen are held back from the hash: they may be the signature */
  size_t held = verifier->size < CQ_BATCH_SIGNATURE ? verifier->size : CQ_BATCH_SIGNATURE;
  size_t ready = held + size > CQ_BATCH_SIGNATURE ? held + size - CQ_BATCH_SIGNATURE : 0;
  size_t from_tail = ready < held ? ready : held;
  cq_hasher_add(&verifier->hasher, verifier->tail, from_tail);
  memmove(verifier->tail, verifier->tail + from_tail, held - from_tail);
  held -= from_tail;
  cq_hasher_add(&verifier->hasher, at, ready - from_tail);
  memcpy(verifier->tail + held, at + (ready - from_tail), size - (ready - from_tail));
  verifier->size += size;
  return CQ_OK;
}

/* Whether the signer may be believed; a device's, or a desk's that writes to devices. */
static void judge(const cq_batch_header *header, const cq_trust *trust, cq_standing *standing, const char **why) {
  *standing = CQ_STANDING_UNKNOWN;
  *why = "batch.uncertified";
  if (header->has_request) return;
  cq_certificate last;
  cq_error error;
  cq_error_clear(&error);
  cq_certificate_read(&last, header->chain.link[header->chain.count - 1], CQ_CERTIFICATE_SIZE, NULL);
  cq_role role = last.role == CQ_ROLE_DESK ? CQ_ROLE_DESK : CQ_ROLE_DEVICE;
  *why = NULL;
  if (cq_chain_check(&last, &header->chain, role, trust, &error) != CQ_OK) {
    *why = error.code;
    return;
  }
  const cq_revocation *revoked = cq_trust_revocation(trust, &header->device);
  *standing = CQ_STANDING_CERTIFIED;
  if (!revoked || header->number <= revoked->last_trusted) return;
  *standing = CQ_STANDING_REVOKED;
  *why = "batch.revoked";
}

static cq_status verifier_end(cq_batch_verifier *verifier, cq_batch_header *header, cq_hash *hash,
                              cq_standing *standing, const char **why, cq_error *error) {
  if (!verifier->header_read || verifier->size < verifier->header.file_size)
    return cq_error_set(error, CQ_DAMAGED, "batch.truncated", NULL);
  *header = verifier->header;
  cq_hasher whole = verifier->hasher;
  cq_hasher_add(&whole, verifier->tail, sizeof verifier->tail);
  *hash = cq_hasher_end(&whole);
  cq_hash unsigned_hash = cq_hasher_end(&verifier->hasher);
  cq_signature signature;
  memcpy(signature.at, verifier->tail, sizeof signature.at);
  if (!cq_signature_right_hash(&signature, CQ_BATCH_PURPOSE, &unsigned_hash, &header->sign))
    return cq_error_set(error, CQ_REFUSED, "batch.signature", NULL);
  if (header->mode != verifier->trust->mode)
    return cq_error_set(error, CQ_REFUSED, "batch.mode", cq_mode_name(header->mode), NULL);
  if (!cq_programme_id_equal(&header->programme, &verifier->trust->programme))
    return cq_error_set(error, CQ_REFUSED, "batch.programme", NULL);
  judge(header, verifier->trust, standing, why);
  return CQ_OK;
}

cq_status cq_batch_verifier_end(cq_batch_verifier *verifier, cq_batch_header *header, cq_hash *hash,
                                cq_standing *standing, const char **why, cq_error *error) {
  cq_status status = verifier_end(verifier, header, hash, standing, why, error);
  verifier_init(verifier, verifier->trust);
  return status;
}

cq_status cq_batch_verify(cq_batch_header *header, cq_hash *hash, cq_standing *standing, const char **why,
                          const void *bytes, size_t size, const cq_trust *trust, cq_error *error) {
  cq_batch_verifier verifier;
  verifier_init(&verifier, trust);
  cq_status status = size < CQ_HEADER_LEAST ? cq_batch_read_header(header, bytes, size, error) : CQ_OK;
  if (status == CQ_OK) status = cq_batch_verifier_add(&verifier, bytes, size, error);
  if (status == CQ_OK) status = verifier_end(&verifier, header, hash, standing, why, error);
  return status;
}

/* --- opening --- */

typedef struct place {
  cq_batch_entry_kind kind;
  size_t at, size; /* in `bytes` */
  size_t name_at, name_size;
  cq_hash name;
  uint64_t part_offset, part_total;
} place;

struct cq_batch_content {
  cq_buf bytes;
  place *places;
  size_t count, capacity, next;
  cq_batch_sizes sizes;
};

void cq_batch_content_free(cq_batch_content *content) {
  if (!content) return;
  if (content->bytes.at) cq_wipe(content->bytes.at, content->bytes.size); /* behind them nothing was ever written */
  cq_buf_fini(&content->bytes);
  free(content->places);
  free(content);
}

const cq_batch_sizes *cq_batch_content_sizes(const cq_batch_content *content) {
  return &content->sizes;
}

bool cq_batch_next(cq_batch_content *content, cq_batch_entry *entry) {
  *entry = (cq_batch_entry){0};
  if (content->next == content->count) return false;
  const place *at = &content->places[content->next++];
  *entry = (cq_batch_entry){.kind = at->kind,
                            .bytes = {content->bytes.at + at->at, at->size},
                            .name = at->name,
                            .list_name = {content->bytes.at + at->name_at, at->name_size},
                            .part_offset = at->part_offset,
                            .part_total = at->part_total};
  return true;
}

static cq_status damaged(size_t offset, cq_error *error) {
  cq_error_set(error, CQ_DAMAGED, "batch.content", NULL);
  cq_error_at_offset(error, (int64_t)offset);
  return CQ_DAMAGED;
}

static cq_status place_add(cq_batch_content *content, const place *made, cq_error *error) {
  if (content->count == CQ_BATCH_MAX_ENTRIES) return damaged(0, error);
  if (content->count == content->capacity) {
    size_t capacity = content->capacity ? content->capacity * 2 : 128;
    place *places = realloc(content->places, capacity * sizeof *places);
    if (!places) return cq_error_nomem(error);
    content->places = places;
    content->capacity = capacity;
  }
  content->places[content->count++] = *made;
  return CQ_OK;
}

static size_t room_left(const cq_batch_content *content) {
  return CQ_BATCH_MAX_CONTENT - content->bytes.size;
}

static cq_status open_records(cq_batch_content *content, cq_batch_codec *codec, cq_columns_context *context,
                              cq_str section, cq_error *error) {
  cq_unpacked unpacked = {0};
  size_t at = content->bytes.size;
  cq_status status = cq_unpack_records(&unpacked, codec, context, section, room_left(content), &content->bytes,
                                       &content->sizes.audit, error);
  for (size_t i = 0; status == CQ_OK && i < unpacked.count; at += unpacked.sizes[i++]) {
    place made = {.kind = unpacked.kind, .at = at, .size = unpacked.sizes[i]};
    made.name = cq_hash_of(content->bytes.at + at, made.size);
    status = place_add(content, &made, error);
  }
  return status;
}

static cq_status open_part(cq_batch_content *content, cq_layout *layout, cq_error *error) {
  place made = {.kind = CQ_ENTRY_PART, .at = content->bytes.size};
  cq_layout_copy(layout, made.name.at, sizeof made.name.at);
  made.part_offset = cq_layout_u64(layout);
  made.part_total = cq_layout_u64(layout);
  cq_str bytes = cq_layout_rest(layout);
  made.size = bytes.size;
  if (layout->failed || bytes.size > room_left(content) ||
      !cq_section_part_right(made.part_offset, made.part_total, bytes.size))
    return damaged(cq_layout_offset(layout), error);
  cq_buf_add_str(&content->bytes, bytes);
  content->sizes.attachments += bytes.size;
  return content->bytes.failed ? cq_error_nomem(error) : place_add(content, &made, error);
}

static cq_status open_packed(cq_batch_content *content, cq_batch_codec *codec, uint8_t type, cq_layout *layout,
                             cq_error *error) {
  place made = {.name_at = content->bytes.size};
  cq_str name = {"", 0};
  if (type == CQ_SECTION_LIST) {
    made.kind = CQ_ENTRY_LIST;
    name = cq_layout_text(layout, CQ_SECTION_NAME);
    if (!cq_file_name_plain(name, CQ_SECTION_NAME)) return damaged(cq_layout_offset(layout), error);
  } else {
    made.kind = (cq_batch_entry_kind)cq_layout_u8(layout);
    if (!cq_section_carries(made.kind)) return damaged(cq_layout_offset(layout), error);
  }
  uint64_t size = cq_layout_varint(layout);
  cq_str frame = cq_layout_rest(layout);
  cq_buf *plain = cq_codec_buffer(codec, 0);
  if (layout->failed || size > room_left(content) ||
      !cq_codec_decompress(codec, NULL, CQ_DICTIONARY_NONE, frame, (size_t)size, plain))
    return damaged(cq_layout_offset(layout), error);
  cq_buf_add_str(&content->bytes, name);
  made.name_size = name.size;
  made.at = content->bytes.size;
  made.size = plain->size;
  made.name = cq_hash_of(plain->at, plain->size);
  cq_buf_add(&content->bytes, plain->at, plain->size);
  return content->bytes.failed ? cq_error_nomem(error) : place_add(content, &made, error);
}

static cq_status open_sections(cq_batch_content *content, cq_batch_codec *codec, const cq_batch_header *header,
                               const cq_buf *plain, cq_error *error) {
  cq_layout layout = cq_layout_of(plain->at, plain->size);
  uint32_t used = cq_layout_u32(&layout);
  if (layout.failed || used > cq_layout_left(&layout)) return damaged(0, error);
  layout.end = layout.at + used;
  cq_columns_context context = {.mode = header->mode, .programme = header->programme, .device = header->device};
  cq_status status = CQ_OK;
  while (status == CQ_OK && cq_layout_left(&layout) > 0) {
    uint8_t type = cq_layout_u8(&layout);
    cq_str section = cq_layout_text(&layout, CQ_BATCH_MAX_SIZE);
    cq_layout inside = cq_layout_of(section.at, section.size);
    if (layout.failed)
      status = damaged(cq_layout_offset(&layout), error);
    else if (type == CQ_SECTION_RECORDS)
      status = open_records(content, codec, &context, section, error);
    else if (type == CQ_SECTION_PART)
      status = open_part(content, &inside, error);
    else if (type == CQ_SECTION_OTHER || type == CQ_SECTION_LIST)
      status = open_packed(content, codec, type, &inside, error);
    else
      status = damaged(cq_layout_offset(&layout), error);
  }
  content->sizes.entries = content->count;
  content->sizes.padding = plain->size - used - 4;
  return status;
}

cq_status cq_batch_open(cq_batch_content **out, cq_batch_codec *codec, const void *bytes, size_t size,
                        const cq_secret *secret, cq_error *error) {
  *out = NULL;
  cq_batch_header header;
  cq_secret *key = NULL;
  cq_buf plain = {0};
  cq_batch_content *content = NULL;
  cq_status status = cq_batch_read_header(&header, bytes, size, error);
  if (status == CQ_OK && size != header.file_size) status = cq_error_set(error, CQ_DAMAGED, "batch.size", NULL);
  if (status == CQ_OK) status = cq_header_key(&key, &header, bytes, secret, error);
  if (status != CQ_OK) goto out;
  size_t sealed = size - header.header_size - CQ_BATCH_SIGNATURE;
  content = calloc(1, sizeof *content);
  if (!content || !cq_buf_reserve(&plain, sealed)) {
    status = cq_error_nomem(error);
    goto out;
  }
  cq_hash header_hash = cq_hash_of(bytes, header.header_size);
  if (!cq_chunks_open((uint8_t *)plain.at, (const uint8_t *)bytes + header.header_size, sealed, &header_hash, key)) {
    status = cq_error_set(error, CQ_REFUSED, "batch.unbound", NULL);
    goto out;
  }
  plain.size = sealed - (sealed + CQ_CHUNK + CQ_CHUNK_TAG - 1) / (CQ_CHUNK + CQ_CHUNK_TAG) * CQ_CHUNK_TAG;
  content->sizes.file = size;
  content->sizes.header = header.header_size;
  status = open_sections(content, codec, &header, &plain, error);
out:
  cq_secret_free(key);
  cq_wipe_buf(&plain);
  if (status == CQ_OK)
    *out = content;
  else
    cq_batch_content_free(content);
  return status;
}
