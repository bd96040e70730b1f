/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vault/interview.h"

#include "tests/vault/disk.h"
#include "tests/vault/support.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cq_clock_fixed at = {1345471200000, -300};
static const char form_xml[] = "<h:html/>";

void interview_prepare(void) {
  static cq_buf bytes;
  if (bytes.size == 0) {
    cq_store *store = NULL;
    uint8_t form_hash[32];
    cq_clock clock = cq_clock_fix(&at);
    const char *path = test_path("interview.vault");
    crypto_generichash(form_hash, 32, (const uint8_t *)form_xml, sizeof form_xml - 1, NULL, 0);
    cq_store_form form = {.id = CQ_STR("f"),
                          .version = CQ_STR("1"),
                          .title = CQ_STR("Ficha"),
                          .status = CQ_STORE_FORM_CURRENT,
                          .bytes = CQ_STR(form_xml)};
    memcpy(form.hash, form_hash, 32);
    cq_store_device device = {.practice = true, .id = {1}};
    assert_int_equal(cq_store_open(&store, make_vault(path, NULL), &clock, NULL), CQ_OK);
    assert_int_equal(cq_store_device_begin(store, &device, NULL, 0, NULL), CQ_OK);
    assert_int_equal(cq_store_bundle_adopt(store, 1, CQ_STR("paquete"), &form, 1, NULL, 0, NULL), CQ_OK);
    cq_store_close(store);
    read_file(&bytes, path);
    remove_vault(path);
  }
  disk_clear();
  disk_load(INTERVIEW_VAULT, bytes.at, bytes.size);
}

cq_status interview_open(cq_store **store, cq_vault_log *log, cq_error *error) {
  cq_vault_options options = test_options("disk");
  static cq_clock clock; /* borrowed by the store */
  cq_vault *vault = NULL;
  *store = NULL;
  clock = cq_clock_fix(&at);
  cq_status status = cq_vault_open(&vault, INTERVIEW_VAULT, PASSPHRASE, &options, error);
  if (status != CQ_OK) return status;
  if (log) *log = cq_vault_log_found(vault);
  /* small, so that checkpoints fall among the answers */
  sqlite3_wal_autocheckpoint(cq_vault_db(vault), 12);
  /* smaller than a transaction, so that frames are written twice */
  int rc = sqlite3_exec(cq_vault_db(vault), "PRAGMA cache_size=6", NULL, NULL, NULL);
  if (rc != SQLITE_OK) {
    status = cq_vault_error(vault, rc, error);
    cq_vault_close(vault);
    return status;
  }
  status = cq_store_open(store, vault, &clock, error);
  if (status != CQ_OK) cq_vault_close(vault);
  return status;
}

/* Steps in order; the letter says what. b begin, a answer, l a long answer, u undo, t an answer with a photo that
 * replaces the one before, f finalise, p pack, d discard. */
static const char script[INTERVIEW_STEPS + 1] = "baalaauaatlaafpbaataauulaaafpbaadbal";

int interview_answers(int step) {
  int count = 0;
  for (int i = 0; i < step; i++) count += strchr("alt", script[i]) != NULL;
  return count;
}

static int64_t draft_of(int step) {
  int64_t draft = 0;
  for (int i = 0; i <= step; i++) draft += script[i] == 'b';
  return draft;
}

static cq_status give_answer(cq_store *store, int step, cq_error *error) {
  char reference[32], value[9000];
  size_t size = script[step] == 'l' ? sizeof value : 12;
  snprintf(reference, sizeof reference, "/f/q%d", step);
  for (size_t i = 0; i < size; i++) value[i] = (char)('a' + (i * 7 + (size_t)step) % 26);
  cq_store_answer answer = {.reference = cq_str_from(reference),
                            .after = {value, size},
                            .bookmark = cq_str_from(reference),
                            .technician = CQ_STR("t1"),
                            .device_utc_ms = at.utc_ms + step};
  return cq_store_draft_answer(store, draft_of(step), &answer, NULL, error);
}

static void record_name(uint8_t name[32], char *bytes, size_t size, int step) {
  snprintf(bytes, size, "registro del paso %d", step);
  crypto_generichash(name, 32, (const uint8_t *)bytes, strlen(bytes), NULL, 0);
}

/* Bytes of a photo, from its number on. */
static int64_t read_photo(void *context, void *out, size_t size) {
  uint64_t *state = context;
  size_t left = (size_t)(*state >> 8), n = left < size ? left : size;
  for (size_t i = 0; i < n; i++) ((uint8_t *)out)[i] = (uint8_t)((left - i) * 31 ^ (*state & 0xff));
  *state = (uint64_t)(left - n) << 8 | (*state & 0xff);
  return (int64_t)n;
}

/* How many photos the draft of a step was given before it. */
static int photos_before(int step) {
  int count = 0, from = step;
  while (from > 0 && script[from - 1] != 'b') from--;
  for (int i = from; i < step; i++) count += script[i] == 't';
  return count;
}

static void photo_name(char name[16], int number) {
  snprintf(name, 16, "%d.jpg", number);
}

/* Accepted when the answer is: a photo of which only the bytes were put may go. */
static cq_status attach(cq_store *store, int step, cq_error *error) {
  uint64_t photo = (uint64_t)70000 << 8 | (uint64_t)step;
  char name[16], before[16];
  int number = photos_before(step);
  cq_store_attachment attachment = {.media_type = CQ_STR("image/jpeg")};
  cq_status status = cq_store_attachment_put(store, read_photo, &photo, attachment.hash, NULL, error);
  if (status != CQ_OK) return status;
  photo_name(name, number);
  photo_name(before, number - 1);
  attachment.name = cq_str_from(name);
  cq_store_answer answer = {.reference = CQ_STR("/f/foto"),
                            .after = cq_str_from(name),
                            .device_utc_ms = at.utc_ms + step,
                            .attached = &attachment,
                            .detached = cq_str_from(number > 0 ? before : "")};
  return cq_store_draft_answer(store, draft_of(step), &answer, NULL, error);
}

typedef struct held {
  cq_store_attachment items[8];
  char names[8][16];
  size_t count;
} held;

static cq_status hold(void *context, const cq_store_attachment *attachment) {
  held *them = context;
  assert_true(them->count < 8 && attachment->name.size < 16);
  char *name = them->names[them->count];
  memcpy(name, attachment->name.at ? attachment->name.at : "", attachment->name.size);
  name[attachment->name.size] = '\0';
  them->items[them->count] = *attachment;
  them->items[them->count].media_type = CQ_STR("image/jpeg");
  them->items[them->count++].name = cq_str_from(name);
  return CQ_OK;
}

static cq_status pack(cq_store *store, int step, cq_error *error) {
  char bytes[64];
  uint8_t name[1][32];
  int64_t number = 0;
  cq_store_batch batch = {.file = CQ_STR("x.chq"), .made_utc_ms = at.utc_ms + step};
  uint8_t previous[32];
  held photos = {.count = 0};
  cq_store_part parts[8];
  cq_status status = cq_store_batch_next(store, &number, previous, error);
  if (status == CQ_OK) status = cq_store_attachments_waiting(store, hold, &photos, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < photos.count; i++) {
    parts[i] = (cq_store_part){.size = photos.items[i].size};
    memcpy(parts[i].attachment, photos.items[i].hash, sizeof parts[i].attachment);
  }
  batch.parts = parts;
  batch.part_count = photos.count;
  record_name(name[0], bytes, sizeof bytes, step - 1);
  batch.number = number;
  snprintf(bytes, sizeof bytes, "lote %lld", (long long)number);
  crypto_generichash(batch.hash, 32, (const uint8_t *)bytes, strlen(bytes), NULL, 0);
  return cq_store_batch_commit(store, &batch, cq_str_from(bytes), (const uint8_t(*)[32])name, 1, error);
}

static cq_status finalise(cq_store *store, int step, cq_error *error) {
  char bytes[64];
  held photos = {.count = 0};
  cq_store_record record = {
      .form_id = CQ_STR("f"), .instance_id = CQ_STR("uuid:1"), .finalised_utc_ms = at.utc_ms + step};
  cq_store_entity entity = {.list = CQ_STR("tdd"),
                            .id = CQ_STR("1"),
                            .label = CQ_STR("TDD"),
                            .version = draft_of(step),
                            .bytes = CQ_STR("x")};
  cq_status status = cq_store_draft_attachments(store, draft_of(step), hold, &photos, error);
  if (status != CQ_OK) return status;
  record.attachments = photos.items;
  record.attachment_count = photos.count;
  record.entities = &entity; /* the person it is about: both or neither */
  record.entity_count = 1;
  record_name(record.name, bytes, sizeof bytes, step);
  return cq_store_finalise(store, draft_of(step), &record, cq_str_from(bytes), error);
}

cq_status interview_step(cq_store *store, int step, cq_error *error) {
  uint8_t form[32];
  int64_t draft = 0;
  switch (script[step]) {
  case 'b':
    crypto_generichash(form, 32, (const uint8_t *)form_xml, sizeof form_xml - 1, NULL, 0);
    return cq_store_draft_begin(store, &draft, form, CQ_STR("t1"), CQ_STR("TDD"), CQ_STR("<f/>"), error);
  case 'u': return cq_store_draft_undo(store, draft_of(step), NULL, NULL, error);
  case 'd': return cq_store_draft_discard(store, draft_of(step), error);
  case 'f': return finalise(store, step, error);
  case 'p': return pack(store, step, error);
  case 't': return attach(store, step, error);
  default: return give_answer(store, step, error);
  }
}

static cq_status dump_answer(void *context, const cq_store_answer *answer) {
  cq_buf_addf(context, " %.*s:%zu%c", (int)answer->reference.size, answer->reference.at, answer->after.size,
              answer->after.size ? answer->after.at[answer->after.size - 1] : '-');
  return CQ_OK;
}

typedef struct dumping {
  cq_store *store;
  cq_buf *out;
  int64_t drafts[8];
  int count;
} dumping;

static cq_status count_bytes(void *context, const void *bytes, size_t size) {
  (void)bytes;
  *(size_t *)context += size;
  return CQ_OK;
}

/* Each is read to its end, and its hash is right. */
static cq_status dump_photo(void *context, const cq_store_attachment *attachment) {
  dumping *work = context;
  size_t size = 0;
  assert_int_equal(cq_store_attachment_get(work->store, attachment->hash, count_bytes, &size, NULL), CQ_OK);
  cq_buf_addf(work->out, "photo %.*s %zu of %lld, %lld packed\n", (int)attachment->name.size, attachment->name.at, size,
              (long long)attachment->size, (long long)attachment->packed);
  return CQ_OK;
}

static cq_status dump_draft(void *context, const cq_store_draft *draft) {
  dumping *work = context;
  work->drafts[work->count++ % 8] = draft->id;
  return CQ_OK;
}
static cq_status dump_record(void *context, const cq_store_record *record) {
  dumping *work = context;
  cq_buf bytes = {0};
  assert_int_equal(cq_store_record_bytes(work->store, record->name, &bytes, NULL), CQ_OK);
  cq_buf_addf(work->out, "record %d %s\n", (int)record->state, bytes.at);
  assert_int_equal(cq_store_record_attachments(work->store, record->name, dump_photo, work, NULL), CQ_OK);
  cq_buf_fini(&bytes);
  return CQ_OK;
}
static cq_status dump_batch(void *context, const cq_store_batch *batch) {
  dumping *work = context;
  cq_buf bytes = {0};
  assert_int_equal(cq_store_batch_bytes(work->store, batch->hash, &bytes, NULL), CQ_OK);
  cq_buf_addf(work->out, "batch %lld %s\n", (long long)batch->number, bytes.at);
  cq_buf_fini(&bytes);
  return CQ_OK;
}

static cq_status dump_entity(void *context, const cq_store_entity *entity) {
  cq_buf_addf(context, "entity %.*s/%lld\n", (int)entity->id.size, entity->id.at, (long long)entity->version);
  return CQ_OK;
}

void interview_dump(cq_store *store, cq_buf *out) {
  dumping work = {.store = store, .out = out};
  cq_buf base = {0};
  cq_buf_reset(out);
  cq_buf_add_text(out, "holds\n");
  assert_int_equal(cq_store_drafts(store, dump_draft, &work, NULL), CQ_OK);
  for (int i = 0; i < work.count; i++) {
    cq_buf_addf(out, "draft %lld", (long long)work.drafts[i]);
    assert_int_equal(cq_store_draft_load(store, work.drafts[i], &base, dump_answer, out, NULL), CQ_OK);
    cq_buf_add_char(out, '\n');
    assert_int_equal(cq_store_draft_attachments(store, work.drafts[i], dump_photo, &work, NULL), CQ_OK);
  }
  assert_int_equal(cq_store_records(store, -1, dump_record, &work, NULL), CQ_OK);
  assert_int_equal(cq_store_batches(store, 0, dump_batch, &work, NULL), CQ_OK);
  assert_int_equal(cq_store_entities(store, CQ_STR("tdd"), dump_entity, out, NULL), CQ_OK);
  cq_buf_fini(&base);
}

static cq_buf after[INTERVIEW_STEPS + 1];

static void free_after(void) {
  for (int i = 0; i <= INTERVIEW_STEPS; i++) cq_buf_fini(&after[i]);
}

const char *interview_after(int step) {
  if (!after[INTERVIEW_STEPS].at) {
    cq_store *store = NULL;
    interview_prepare();
    assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
    atexit(free_after);
    for (int i = 0; i <= INTERVIEW_STEPS; i++) {
      interview_dump(store, &after[i]);
      if (i < INTERVIEW_STEPS) assert_int_equal(interview_step(store, i, NULL), CQ_OK);
    }
    cq_store_close(store);
  }
  return after[step].at;
}

void interview_check_whole(cq_store *store) {
  cq_vault_scrubbed found;
  cq_error error;
  int64_t entries = 0;
  cq_error_clear(&error);
  if (cq_store_audit_verify(store, &entries, &error) != CQ_OK) fail_msg("trail: %s", error.code);
  if (cq_vault_scrub(cq_store_vault(store), &found, &error) != CQ_OK)
    fail_msg("scrub: %s, page %lld, %lld frames", error.code, (long long)found.first_damaged,
             (long long)found.frames_damaged);
}
