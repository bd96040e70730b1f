/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/bundle.h"
#include "batch/layout.h"
#include "chasqui/arena.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { VERSION = 1, SIGNATURE = 64, LEVEL = 19, NAME = 255 };
enum {
  SECTION_KEYS = 1,
  SECTION_DESK = 2,
  SECTION_POST = 3,
  SECTION_PROGRAMME = 4,
  SECTION_CALENDAR = 5,
  SECTION_FORM = 6,
  SECTION_FILE = 7,
  SECTION_DEVICE = 8,
  SECTION_REVOCATION = 9,
  SECTION_ORDER = 10,
  SECTIONS
};
static const char magic[4] = {'C', 'H', 'Q', 'P'};
static const char purpose[] = "chasqui bundle 1";
static const char list_purpose[] = "chasqui list 1";

struct cq_bundle {
  cq_buf plain; /* what was unpacked; texts point into it */
  cq_arena *arena;
  cq_bundle_content content;
  cq_sign_key keys[CQ_BUNDLE_MAX_KEYS + 1];
  cq_sign_key signer;
  cq_trust trust;
  cq_hash hash;
};

const char *cq_form_status_name(cq_form_status status) {
  static const char *const names[] = {NULL, "current", "closing", "withdrawn"};
  return status >= CQ_FORM_CURRENT && status <= CQ_FORM_WITHDRAWN ? names[status] : NULL;
}

bool cq_form_status_parse(cq_str name, cq_form_status *status) {
  for (cq_form_status i = CQ_FORM_CURRENT; i <= CQ_FORM_WITHDRAWN; i++)
    if (cq_str_is(name, cq_form_status_name(i))) {
      *status = i;
      return true;
    }
  return false;
}

/* --- programme keys --- */

/* The first key and those that were announced, each by one before it. Error: bundle.key. */
static cq_status keys_of(cq_sign_key *keys, size_t *count, const cq_sign_key *first,
                         const uint8_t (*certificates)[CQ_CERTIFICATE_SIZE], size_t certificate_count, cq_mode mode,
                         cq_error *error) {
  keys[0] = *first;
  *count = 1;
  for (size_t i = 0; i < certificate_count; i++) {
    cq_trust trust = {.mode = mode, .programme = cq_programme_id_of(first), .keys = keys, .key_count = *count};
    cq_chain chain = cq_chain_of(NULL, certificates[i]);
    cq_certificate announced;
    if (cq_chain_check(&announced, &chain, CQ_ROLE_PROGRAMME, &trust, NULL) != CQ_OK)
      return cq_error_set(error, CQ_REFUSED, "bundle.key", NULL);
    keys[(*count)++] = announced.sign;
  }
  return CQ_OK;
}

static bool among(const cq_sign_key *keys, size_t count, const cq_sign_key *key) {
  for (size_t i = 0; i < count; i++)
    if (memcmp(keys[i].at, key->at, sizeof key->at) == 0) return true;
  return false;
}

/* --- building --- */

static const char *wrong_field(const cq_bundle_content *c) {
  if (!cq_mode_name(c->mode)) return "mode";
  if (c->number == 0) return "number";
  if (c->key_certificate_count > CQ_BUNDLE_MAX_KEYS) return "keys";
  if (c->post_count > 16) return "posts";
  if (c->desk_chain.count > CQ_CHAIN_LINKS) return "desk";
  if (!cq_utf8_valid(c->programme_json) || c->programme_json.size > 1 << 20) return "programme";
  if (!cq_utf8_valid(c->calendar)) return "calendar";
  if (c->form_count > CQ_BUNDLE_MAX_FORMS) return "forms";
  if (c->file_count > CQ_BUNDLE_MAX_FILES) return "files";
  if (c->device_count > CQ_BUNDLE_MAX_DEVICES) return "devices";
  if (c->revocation_count > CQ_BUNDLE_MAX_REVOCATIONS) return "revocations";
  if (c->order_count > CQ_BUNDLE_MAX_ORDERS) return "orders";
  for (size_t i = 0; i < c->form_count; i++) {
    const cq_bundle_form *f = &c->forms[i];
    if (!cq_text_plain(f->id, NAME) || f->id.size == 0 || !cq_text_plain(f->version, NAME) || f->xml.size == 0 ||
        !cq_form_status_name(f->status))
      return "forms";
  }
  for (size_t i = 0; i < c->file_count; i++)
    if (!cq_file_name_plain(c->files[i].name, NAME)) return "files";
  return NULL;
}

static void section(cq_buf *out, uint8_t type, cq_str head, cq_str bytes) {
  cq_buf_add_char(out, (char)type);
  cq_put_varint(out, head.size + bytes.size);
  cq_buf_add_str(out, head);
  cq_buf_add_str(out, bytes);
}

static void put_chain(cq_buf *out, uint8_t type, const cq_chain *chain) {
  section(out, type, (cq_str){"", 0}, (cq_str){(const char *)chain->link, chain->count * (size_t)CQ_CERTIFICATE_SIZE});
}

static void put_keys(cq_buf *out, const cq_bundle_content *c) {
  uint8_t keys[96];
  memcpy(keys, c->desk.at, 32);
  memcpy(keys + 32, c->batch_recovery.at, 32);
  memcpy(keys + 64, c->vault_recovery.at, 32);
  section(out, SECTION_KEYS, (cq_str){"", 0}, (cq_str){(const char *)keys, sizeof keys});
}

static void put_content(cq_buf *out, const cq_bundle_content *c) {
  const cq_str none = {"", 0};
  cq_buf head = {0};
  put_keys(out, c);
  if (c->desk_chain.count > 0) put_chain(out, SECTION_DESK, &c->desk_chain);
  for (size_t i = 0; i < c->post_count; i++) put_chain(out, SECTION_POST, &c->posts[i]);
  if (c->programme_json.size > 0) section(out, SECTION_PROGRAMME, none, c->programme_json);
  if (c->calendar.size > 0) section(out, SECTION_CALENDAR, none, c->calendar);
  for (size_t i = 0; i < c->form_count; i++) {
    cq_buf_reset(&head);
    cq_buf_add_char(&head, (char)c->forms[i].status);
    cq_put_text(&head, c->forms[i].id);
    cq_put_text(&head, c->forms[i].version);
    section(out, SECTION_FORM, cq_buf_str(&head), c->forms[i].xml);
  }
  for (size_t i = 0; i < c->file_count; i++) {
    cq_buf_reset(&head);
    cq_buf_add_char(&head, c->files[i].sealed ? 1 : 0);
    cq_put_text(&head, c->files[i].name);
    section(out, SECTION_FILE, cq_buf_str(&head), c->files[i].bytes);
  }
  for (size_t i = 0; i < c->device_count; i++) put_chain(out, SECTION_DEVICE, &c->devices[i]);
  for (size_t i = 0; i < c->revocation_count; i++) {
    cq_buf_reset(&head);
    cq_buf_add(&head, c->revocations[i].key.at, sizeof c->revocations[i].key.at);
    cq_put_u64(&head, c->revocations[i].last_trusted);
    cq_put_i64(&head, c->revocations[i].revoked_utc_ms);
    section(out, SECTION_REVOCATION, cq_buf_str(&head), none);
  }
  for (size_t i = 0; i < c->order_count; i++) section(out, SECTION_ORDER, none, c->orders[i].bytes);
  if (head.failed) out->failed = true;
  cq_buf_fini(&head);
}

static cq_status put_frame(cq_buf *out, const cq_buf *plain, cq_error *error) {
  size_t bound = ZSTD_compressBound(plain->size);
  if (!cq_buf_reserve(out, bound + SIGNATURE)) return cq_error_nomem(error);
  size_t size = ZSTD_compress(out->at + out->size, bound, plain->at, plain->size, LEVEL);
  if (ZSTD_isError(size)) return cq_error_nomem(error);
  out->size += size;
  return CQ_OK;
}

cq_status cq_bundle_build(cq_buf *out, const cq_bundle_content *content, const cq_secret *programme_secret,
                          cq_error *error) {
  const char *wrong = wrong_field(content);
  if (wrong) return cq_error_set(error, CQ_INVALID, "bundle.field", wrong, NULL);
  cq_sign_key signer, keys[CQ_BUNDLE_MAX_KEYS + 1];
  size_t key_count = 0, start = out->size;
  cq_status status = cq_sign_public(&signer, programme_secret, error);
  if (status == CQ_OK)
    status = keys_of(keys, &key_count, &content->first_key, content->key_certificates, content->key_certificate_count,
                     content->mode, error);
  if (status != CQ_OK) return status;
  if (!among(keys, key_count, &signer)) return cq_error_set(error, CQ_INVALID, "bundle.key", NULL);

  cq_buf plain = {0};
  put_content(&plain, content);
  if (plain.failed)
    status = cq_error_nomem(error);
  else if (plain.size > CQ_BUNDLE_MAX_CONTENT)
    status = cq_error_set(error, CQ_LIMIT, "bundle.large", NULL);
  cq_programme_id programme = cq_programme_id_of(&content->first_key);
  cq_buf_add(out, magic, sizeof magic);
  cq_buf_add(out, (uint8_t[]){VERSION, (uint8_t)content->mode, (uint8_t)content->key_certificate_count, 0}, 4);
  cq_put_u32(out, 0); /* the file's size, below */
  cq_put_u32(out, (uint32_t)plain.size);
  cq_buf_add(out, programme.at, sizeof programme.at);
  cq_put_u64(out, content->number);
  cq_put_i64(out, content->issued_utc_ms);
  cq_buf_add(out, content->first_key.at, sizeof content->first_key.at);
  cq_buf_add(out, signer.at, sizeof signer.at);
  for (size_t i = 0; i < content->key_certificate_count; i++)
    cq_buf_add(out, content->key_certificates[i], CQ_CERTIFICATE_SIZE);
  if (out->failed && status == CQ_OK) status = cq_error_nomem(error);
  if (status == CQ_OK) status = put_frame(out, &plain, error);
  cq_buf_fini(&plain);
  size_t size = out->size - start + SIGNATURE;
  if (status == CQ_OK && size > CQ_BUNDLE_MAX_SIZE) status = cq_error_set(error, CQ_LIMIT, "bundle.large", NULL);
  cq_signature signature;
  if (status == CQ_OK) {
    for (int i = 0; i < 4; i++) out->at[start + 8 + (size_t)i] = (char)(uint8_t)(size >> (8 * i));
    status = cq_sign(&signature, purpose, out->at + start, out->size - start, programme_secret, error);
  }
  if (status == CQ_OK)
    cq_buf_add(out, signature.at, sizeof signature.at);
  else if (out->at)
    out->size = start;
  return status == CQ_OK && out->failed ? cq_error_nomem(error) : status;
}

/* --- reading --- */

typedef struct sections {
  cq_str *at; /* of one type, in order; NULL while counting */
  size_t count;
} sections;

static cq_status damaged(size_t offset, cq_error *error) {
  cq_error_set(error, CQ_DAMAGED, "bundle.damaged", NULL);
  cq_error_at_offset(error, (int64_t)offset);
  return CQ_DAMAGED;
}

/* All sections by type; they stand in ascending order of types. */
static cq_status sort_sections(cq_bundle *bundle, sections by_type[SECTIONS], cq_error *error) {
  static const size_t most[SECTIONS] = {[SECTION_KEYS] = 1,
                                        [SECTION_DESK] = 1,
                                        [SECTION_POST] = 16,
                                        [SECTION_PROGRAMME] = 1,
                                        [SECTION_CALENDAR] = 1,
                                        [SECTION_FORM] = CQ_BUNDLE_MAX_FORMS,
                                        [SECTION_FILE] = CQ_BUNDLE_MAX_FILES,
                                        [SECTION_DEVICE] = CQ_BUNDLE_MAX_DEVICES,
                                        [SECTION_REVOCATION] = CQ_BUNDLE_MAX_REVOCATIONS,
                                        [SECTION_ORDER] = CQ_BUNDLE_MAX_ORDERS};
  for (int pass = 0; pass < 2; pass++) {
    cq_layout layout = cq_layout_of(bundle->plain.at, bundle->plain.size);
    uint8_t before = 0;
    while (cq_layout_left(&layout) > 0) {
      uint8_t type = cq_layout_u8(&layout);
      cq_str bytes = cq_layout_text(&layout, CQ_BUNDLE_MAX_CONTENT);
      if (layout.failed || type < before || type < SECTION_KEYS || type >= SECTIONS)
        return damaged(cq_layout_offset(&layout), error);
      before = type;
      if (pass == 0 && ++by_type[type].count > most[type]) return damaged(cq_layout_offset(&layout), error);
      if (pass == 1) by_type[type].at[by_type[type].count++] = bytes;
    }
    for (int type = 1; pass == 0 && type < SECTIONS; type++) {
      by_type[type].at = cq_arena_array(bundle->arena, by_type[type].count + 1, sizeof(cq_str));
      if (!by_type[type].at) return cq_error_nomem(error);
      by_type[type].count = 0;
    }
  }
  return CQ_OK;
}

static bool take_chain(cq_chain *chain, cq_str bytes) {
  chain->count = bytes.size / CQ_CERTIFICATE_SIZE;
  if (bytes.size % CQ_CERTIFICATE_SIZE != 0 || chain->count < 1 || chain->count > CQ_CHAIN_LINKS) return false;
  memcpy(chain->link, bytes.at, bytes.size);
  return true;
}

static const cq_chain *take_chains(cq_bundle *bundle, const sections *from, size_t *count, bool *right) {
  cq_chain *chains = cq_arena_array(bundle->arena, from->count + 1, sizeof *chains);
  *count = chains ? from->count : 0;
  for (size_t i = 0; chains && i < from->count; i++)
    if (!take_chain(&chains[i], from->at[i])) *right = false;
  return chains;
}

static const cq_bundle_form *take_forms(cq_bundle *bundle, const sections *from, size_t *count, bool *right) {
  cq_bundle_form *forms = cq_arena_array(bundle->arena, from->count + 1, sizeof *forms);
  *count = forms ? from->count : 0;
  for (size_t i = 0; forms && i < from->count; i++) {
    cq_layout layout = cq_layout_of(from->at[i].at, from->at[i].size);
    cq_bundle_form *form = &forms[i];
    form->status = (cq_form_status)cq_layout_u8(&layout);
    form->id = cq_layout_text(&layout, NAME);
    form->version = cq_layout_text(&layout, NAME);
    form->xml = cq_layout_rest(&layout);
    form->hash = cq_hash_of(form->xml.at, form->xml.size);
    if (layout.failed) *right = false;
  }
  return forms;
}

static const cq_bundle_file *take_files(cq_bundle *bundle, const sections *from, size_t *count, bool *right) {
  cq_bundle_file *files = cq_arena_array(bundle->arena, from->count + 1, sizeof *files);
  *count = files ? from->count : 0;
  for (size_t i = 0; files && i < from->count; i++) {
    cq_layout layout = cq_layout_of(from->at[i].at, from->at[i].size);
    uint8_t sealed = cq_layout_u8(&layout);
    files[i].sealed = sealed == 1;
    files[i].name = cq_layout_text(&layout, NAME);
    files[i].bytes = cq_layout_rest(&layout);
    files[i].hash = cq_hash_of(files[i].bytes.at, files[i].bytes.size);
    if (layout.failed || sealed > 1) *right = false;
  }
  return files;
}

static const cq_revocation *take_revocations(cq_bundle *bundle, const sections *from, size_t *count, bool *right) {
  cq_revocation *revocations = cq_arena_array(bundle->arena, from->count + 1, sizeof *revocations);
  *count = revocations ? from->count : 0;
  for (size_t i = 0; revocations && i < from->count; i++) {
    cq_layout layout = cq_layout_of(from->at[i].at, from->at[i].size);
    cq_layout_copy(&layout, revocations[i].key.at, sizeof revocations[i].key.at);
    revocations[i].last_trusted = cq_layout_u64(&layout);
    revocations[i].revoked_utc_ms = cq_layout_i64(&layout);
    if (layout.failed || cq_layout_left(&layout) > 0) *right = false;
  }
  return revocations;
}

static const cq_bundle_order *take_orders(cq_bundle *bundle, const sections *from, size_t *count) {
  cq_bundle_order *orders = cq_arena_array(bundle->arena, from->count + 1, sizeof *orders);
  *count = orders ? from->count : 0;
  for (size_t i = 0; orders && i < from->count; i++) orders[i].bytes = from->at[i];
  return orders;
}

static cq_status read_content(cq_bundle *bundle, cq_error *error) {
  sections by_type[SECTIONS] = {0};
  cq_bundle_content *c = &bundle->content;
  cq_status status = sort_sections(bundle, by_type, error);
  if (status != CQ_OK) return status;
  bool right = by_type[SECTION_KEYS].count == 1 && by_type[SECTION_KEYS].at[0].size == 96;
  if (!right) return damaged(0, error);
  const char *keys = by_type[SECTION_KEYS].at[0].at;
  memcpy(c->desk.at, keys, 32);
  memcpy(c->batch_recovery.at, keys + 32, 32);
  memcpy(c->vault_recovery.at, keys + 64, 32);
  if (by_type[SECTION_DESK].count > 0) right = take_chain(&c->desk_chain, by_type[SECTION_DESK].at[0]);
  c->posts = take_chains(bundle, &by_type[SECTION_POST], &c->post_count, &right);
  if (by_type[SECTION_PROGRAMME].count > 0) c->programme_json = by_type[SECTION_PROGRAMME].at[0];
  if (by_type[SECTION_CALENDAR].count > 0) c->calendar = by_type[SECTION_CALENDAR].at[0];
  c->forms = take_forms(bundle, &by_type[SECTION_FORM], &c->form_count, &right);
  c->files = take_files(bundle, &by_type[SECTION_FILE], &c->file_count, &right);
  c->devices = take_chains(bundle, &by_type[SECTION_DEVICE], &c->device_count, &right);
  c->revocations = take_revocations(bundle, &by_type[SECTION_REVOCATION], &c->revocation_count, &right);
  c->orders = take_orders(bundle, &by_type[SECTION_ORDER], &c->order_count);
  if (!c->posts || !c->forms || !c->files || !c->devices || !c->revocations || !c->orders) return cq_error_nomem(error);
  return !right || wrong_field(c) ? damaged(0, error) : CQ_OK;
}

/* Everything before the compressed part, believed only when the signature has been found right. */
static cq_status read_head(cq_bundle *bundle, cq_layout *layout, size_t size, uint32_t *plain_size, cq_error *error) {
  cq_bundle_content *c = &bundle->content;
  const uint8_t *start = cq_layout_take(layout, sizeof magic);
  uint8_t version = cq_layout_u8(layout);
  if (layout->failed) return cq_error_set(error, CQ_DAMAGED, "bundle.truncated", NULL);
  if (memcmp(start, magic, sizeof magic) != 0 || version == 0)
    return cq_error_set(error, CQ_INVALID, "bundle.magic", NULL);
  if (version > VERSION) return cq_error_set(error, CQ_FUTURE, "bundle.future", NULL);
  c->mode = (cq_mode)cq_layout_u8(layout);
  c->key_certificate_count = cq_layout_u8(layout);
  uint8_t zero = cq_layout_u8(layout);
  uint32_t file_size = cq_layout_u32(layout);
  *plain_size = cq_layout_u32(layout);
  cq_layout_copy(layout, c->programme.at, sizeof c->programme.at);
  c->number = cq_layout_u64(layout);
  c->issued_utc_ms = cq_layout_i64(layout);
  cq_layout_copy(layout, c->first_key.at, sizeof c->first_key.at);
  cq_layout_copy(layout, bundle->signer.at, sizeof bundle->signer.at);
  if (layout->failed) return cq_error_set(error, CQ_DAMAGED, "bundle.truncated", NULL);
  if (!cq_mode_name(c->mode) || zero != 0 || c->number == 0 || c->key_certificate_count > CQ_BUNDLE_MAX_KEYS)
    return damaged(cq_layout_offset(layout), error);
  if (file_size > CQ_BUNDLE_MAX_SIZE || *plain_size > CQ_BUNDLE_MAX_CONTENT)
    return cq_error_set(error, CQ_LIMIT, "bundle.large", NULL);
  if (size < file_size) return cq_error_set(error, CQ_DAMAGED, "bundle.truncated", NULL);
  size_t certificates = c->key_certificate_count * (size_t)CQ_CERTIFICATE_SIZE;
  if (size > file_size || file_size < cq_layout_offset(layout) + certificates + SIGNATURE) return damaged(8, error);
  uint8_t(*links)[CQ_CERTIFICATE_SIZE] = cq_arena_alloc(bundle->arena, certificates + 1);
  if (!links) return cq_error_nomem(error);
  cq_layout_copy(layout, links, certificates);
  c->key_certificates = (const uint8_t(*)[CQ_CERTIFICATE_SIZE])links;
  return CQ_OK;
}

static cq_status check_signer(cq_bundle *bundle, const void *bytes, size_t size, const cq_programme_id *programme,
                              cq_error *error) {
  cq_bundle_content *c = &bundle->content;
  cq_signature signature;
  memcpy(signature.at, (const uint8_t *)bytes + size - SIGNATURE, SIGNATURE);
  if (!cq_signature_right(&signature, purpose, bytes, size - SIGNATURE, &bundle->signer))
    return cq_error_set(error, CQ_REFUSED, "bundle.signature", NULL);
  cq_programme_id own = cq_programme_id_of(&c->first_key);
  if (!cq_programme_id_equal(&own, &c->programme)) return damaged(16, error);
  if (programme && !cq_programme_id_equal(&own, programme))
    return cq_error_set(error, CQ_REFUSED, "bundle.programme", NULL);
  size_t key_count = 0;
  cq_status status =
      keys_of(bundle->keys, &key_count, &c->first_key, c->key_certificates, c->key_certificate_count, c->mode, error);
  if (status != CQ_OK) return status;
  if (!among(bundle->keys, key_count, &bundle->signer)) return cq_error_set(error, CQ_REFUSED, "bundle.key", NULL);
  bundle->trust = (cq_trust){.mode = c->mode, .programme = c->programme, .keys = bundle->keys, .key_count = key_count};
  return CQ_OK;
}

static cq_status unpack(cq_bundle *bundle, cq_str frame, uint32_t plain_size, cq_error *error) {
  if (!cq_buf_reserve(&bundle->plain, plain_size)) return cq_error_nomem(error);
  size_t made = ZSTD_decompress(bundle->plain.at, plain_size, frame.at, frame.size);
  if (ZSTD_isError(made) || made != plain_size) return damaged(0, error);
  bundle->plain.size = made;
  return CQ_OK;
}

/* A key that a newer one revoked counts no more. */
static void drop_revoked_keys(cq_bundle *bundle) {
  bundle->trust.revocations = bundle->content.revocations;
  bundle->trust.revocation_count = bundle->content.revocation_count;
  size_t kept = 0;
  for (size_t i = 0; i < bundle->trust.key_count; i++) {
    cq_device_id id = cq_device_id_of(&bundle->keys[i]);
    if (!cq_trust_revocation(&bundle->trust, &id)) bundle->keys[kept++] = bundle->keys[i];
  }
  bundle->trust.key_count = kept;
}

cq_status cq_bundle_read(cq_bundle **out, const void *bytes, size_t size, const cq_programme_id *programme,
                         cq_error *error) {
  *out = NULL;
  cq_bundle *bundle = calloc(1, sizeof *bundle);
  if (!bundle || !(bundle->arena = cq_arena_new(0))) {
    free(bundle);
    return cq_error_nomem(error);
  }
  cq_layout layout = cq_layout_of(bytes, size);
  uint32_t plain_size = 0;
  cq_status status = read_head(bundle, &layout, size, &plain_size, error);
  if (status == CQ_OK) status = check_signer(bundle, bytes, size, programme, error);
  if (status == CQ_OK) {
    layout.end -= SIGNATURE;
    status = unpack(bundle, cq_layout_rest(&layout), plain_size, error);
  }
  if (status == CQ_OK) status = read_content(bundle, error);
  if (status == CQ_OK) {
    drop_revoked_keys(bundle);
    if (!among(bundle->keys, bundle->trust.key_count, &bundle->signer))
      status = cq_error_set(error, CQ_REFUSED, "bundle.key", NULL);
  }
  if (status != CQ_OK) {
    cq_bundle_free(bundle);
    return status;
  }
  bundle->hash = cq_hash_of(bytes, size);
  *out = bundle;
  return CQ_OK;
}

void cq_bundle_free(cq_bundle *bundle) {
  if (!bundle) return;
  cq_buf_fini(&bundle->plain);
  cq_arena_free(bundle->arena);
  free(bundle);
}

static void decimal(uint64_t value, char out[21]) {
  char digits[21];
  size_t count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
  out[count] = '\0';
}

/*
 * Whether the signer of `next` is a key that `current` trusts, or one announced from there on. What a key announces
 * that `current` has revoked counts for nothing.
 */
static bool followed(const cq_bundle *next, const cq_bundle *current) {
  cq_sign_key keys[2 * CQ_BUNDLE_MAX_KEYS + 2];
  cq_trust trust = current->trust;
  const cq_bundle_content *n = &next->content;
  memcpy(keys, current->keys, trust.key_count * sizeof *keys);
  trust.keys = keys;
  for (size_t i = 0; i < n->key_certificate_count; i++) {
    cq_chain chain = cq_chain_of(NULL, n->key_certificates[i]);
    cq_certificate announced;
    if (cq_chain_check(&announced, &chain, CQ_ROLE_PROGRAMME, &trust, NULL) == CQ_OK)
      keys[trust.key_count++] = announced.sign;
  }
  return among(keys, trust.key_count, &next->signer);
}

cq_status cq_bundle_succeeds(const cq_bundle *next, const cq_bundle *current, bool *newer, cq_error *error) {
  *newer = false;
  const cq_bundle_content *n = &next->content, *c = &current->content;
  if (!cq_programme_id_equal(&n->programme, &c->programme))
    return cq_error_set(error, CQ_REFUSED, "bundle.programme", NULL);
  if (n->mode != c->mode) return cq_error_set(error, CQ_REFUSED, "bundle.mode", cq_mode_name(n->mode), NULL);
  if (!followed(next, current)) return cq_error_set(error, CQ_REFUSED, "bundle.key", NULL);
  if (n->number == c->number)
    return cq_hash_equal(&next->hash, &current->hash) ? CQ_OK : cq_error_set(error, CQ_REFUSED, "bundle.forked", NULL);
  if (n->number < c->number) {
    char older[21], held[21];
    decimal(n->number, older);
    decimal(c->number, held);
    return cq_error_set(error, CQ_REFUSED, "bundle.older", older, held, NULL);
  }
  *newer = true;
  return CQ_OK;
}

const cq_bundle_content *cq_bundle_content_of(const cq_bundle *bundle) {
  return &bundle->content;
}

const cq_trust *cq_bundle_trust(const cq_bundle *bundle) {
  return &bundle->trust;
}

cq_hash cq_bundle_hash(const cq_bundle *bundle) {
  return bundle->hash;
}

char *cq_bundle_fingerprint(const cq_bundle *bundle, char out[CQ_FINGERPRINT_SIZE]) {
  return cq_fingerprint(&bundle->content.first_key, out);
}

const cq_bundle_form *cq_bundle_form_by_hash(const cq_bundle *bundle, const cq_hash *hash) {
  for (size_t i = 0; i < bundle->content.form_count; i++)
    if (cq_hash_equal(&bundle->content.forms[i].hash, hash)) return &bundle->content.forms[i];
  return NULL;
}

const cq_bundle_form *cq_bundle_form_current(const cq_bundle *bundle, cq_str id) {
  for (size_t i = 0; i < bundle->content.form_count; i++) {
    const cq_bundle_form *form = &bundle->content.forms[i];
    if (form->status == CQ_FORM_CURRENT && cq_str_equal(form->id, id)) return form;
  }
  return NULL;
}

const cq_bundle_file *cq_bundle_file_named(const cq_bundle *bundle, cq_str name) {
  for (size_t i = 0; i < bundle->content.file_count; i++)
    if (cq_str_equal(bundle->content.files[i].name, name)) return &bundle->content.files[i];
  return NULL;
}

const cq_chain *cq_bundle_device(const cq_bundle *bundle, const cq_device_id *device) {
  for (size_t i = 0; i < bundle->content.device_count; i++) {
    const cq_chain *chain = &bundle->content.devices[i];
    cq_certificate last;
    if (cq_certificate_read(&last, chain->link[chain->count - 1], CQ_CERTIFICATE_SIZE, NULL) != CQ_OK) continue;
    cq_device_id id = cq_device_id_of(&last.sign);
    if (cq_device_id_equal(&id, device)) return chain;
  }
  return NULL;
}

cq_status cq_bundle_file_seal(cq_buf *out, cq_str plain, cq_str phrase, cq_cost cost, const cq_random *random,
                              cq_error *error) {
  return cq_wrap(out, list_purpose, plain.at, plain.size, phrase, cost, random, error);
}

cq_status cq_bundle_file_open(cq_buf *out, const cq_bundle_file *file, cq_str phrase, cq_error *error) {
  if (!file->sealed) {
    cq_buf_add_str(out, file->bytes);
    return out->failed ? cq_error_nomem(error) : CQ_OK;
  }
  return cq_unwrap(out, list_purpose, file->bytes.at, file->bytes.size, phrase, error);
}
