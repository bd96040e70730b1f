/* SPDX-License-Identifier: Apache-2.0 */
/* From finished records to files in the outbox. A batch's bytes are committed in the vault before its file appears. */
#include "collector/filling.h"

#include "chasqui/batch.h"
#include "chasqui/order.h"

#include <stdlib.h>
#include <string.h>

/* --- the blank forms, from the vault --- */

typedef struct known_form {
  cq_hash hash;
  cq_buf xml;
} known_form;

typedef struct packing {
  cq_laptop *laptop;
  cq_pack_report *report;
  const cq_pack_watch *watch;
  cq_batch_codec *codec;
  cq_batch_writer *writer;
  known_form *forms;
  size_t form_count;
  uint8_t (*names)[CQ_STORE_HASH]; /* records that wait; behind them the orders of which a word waits */
  size_t record_count, name_count, name_room;
  size_t *words;              /* which of the laptop's obeyed orders those are */
  cq_store_attachment *files; /* attachments that wait; without names */
  size_t file_count;
  uint64_t file_bytes, file_done; /* of these */
  cq_store_part *parts;           /* in the batch that is being made */
  size_t part_count;
  cq_error *error;
} packing;

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  packing *it = context;
  for (size_t i = 0; i < it->form_count; i++) {
    if (!cq_hash_equal(&it->forms[i].hash, hash)) continue;
    *xml = cq_buf_str(&it->forms[i].xml);
    return CQ_OK;
  }
  known_form *more = realloc(it->forms, (it->form_count + 1) * sizeof *more);
  if (!more) return CQ_NOMEM;
  it->forms = more;
  known_form *form = &more[it->form_count];
  *form = (known_form){.hash = *hash};
  cq_status status = cq_store_form_bytes(it->laptop->store, hash->at, &form->xml, NULL);
  if (status != CQ_OK) {
    cq_buf_fini(&form->xml);
    return status;
  }
  it->form_count++;
  *xml = cq_buf_str(&form->xml);
  return CQ_OK;
}

/* Interviews of a form that a server of others gave go there alone: the desk has not asked for them. */
static bool is_of_server(cq_store *store, const uint8_t form[CQ_STORE_HASH]) {
  cq_buf server = {0};
  bool is = cq_store_form_origin(store, form, &server, NULL) == CQ_OK && server.size > 0;
  cq_buf_fini(&server);
  return is;
}

static cq_status add_name(packing *it, const uint8_t name[CQ_STORE_HASH]) {
  if (it->name_count == it->name_room) {
    size_t room = it->name_room ? it->name_room * 2 : 64;
    void *more = realloc(it->names, room * sizeof *it->names);
    if (!more) return cq_error_nomem(it->error);
    it->names = more;
    it->name_room = room;
  }
  memcpy(it->names[it->name_count++], name, CQ_STORE_HASH);
  return CQ_OK;
}

static cq_status note_record(void *context, const cq_store_record *record) {
  packing *it = context;
  if (is_of_server(it->laptop->store, record->form)) return CQ_OK;
  it->record_count++;
  return add_name(it, record->name);
}

/* After all records: orders that were obeyed, and of which this device has not told the desk yet. */
static cq_status note_words(packing *it) {
  const cq_laptop *laptop = it->laptop;
  cq_status status = CQ_OK;
  if (laptop->obeyed_count == 0) return CQ_OK;
  if (!(it->words = calloc(laptop->obeyed_count, sizeof *it->words))) return cq_error_nomem(it->error);
  for (size_t i = 0; status == CQ_OK && i < laptop->obeyed_count; i++) {
    bool told = false;
    status = cq_store_batched(laptop->store, laptop->obeyed[i].order.at, &told, it->error);
    if (status != CQ_OK || told) continue;
    it->words[it->name_count - it->record_count] = i;
    status = add_name(it, laptop->obeyed[i].order.at);
  }
  return status;
}

/* --- one batch --- */

/* The request goes with each batch until the certificate has come. Who approves reads the technician's code in it. */
static cq_status make_request(const cq_laptop *laptop, cq_request *request, cq_error *error) {
  cq_buf note = {0};
  size_t size = strlen(laptop->technician);
  *request = (cq_request){.sign = laptop->sign_key, .seal = laptop->seal_key};
  cq_sign_key before;
  memcpy(before.at, laptop->device.predecessor, sizeof before.at);
  for (size_t i = 0; i < sizeof before.at; i++) request->has_predecessor |= before.at[i] != 0;
  if (request->has_predecessor) request->predecessor = cq_device_id_of(&before);
  if (size == 0 || size + CQ_SEAL_OVERHEAD > sizeof request->note) return CQ_OK;
  cq_status status = cq_seal(&note, CQ_REQUEST_PURPOSE, laptop->technician, size,
                             &cq_bundle_content_of(laptop->bundle)->desk, laptop->random, error);
  if (status == CQ_OK) {
    memcpy(request->note, note.at, note.size);
    request->note_size = (uint16_t)note.size;
  }
  cq_buf_fini(&note);
  return status;
}

static cq_status write_file(const cq_laptop *laptop, const char *name, cq_str bytes, cq_error *error) {
  cq_buf folder = {0};
  cq_status status = cq_home_folder(&folder, laptop->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, name, bytes.at, bytes.size, NULL, NULL, error);
  cq_buf_fini(&folder);
  return status;
}

static cq_status end_batch(packing *it, size_t first, size_t end) {
  cq_laptop *laptop = it->laptop;
  cq_error *error = it->error;
  const cq_bundle_content *content = cq_bundle_content_of(laptop->bundle);
  cq_buf bytes = {0};
  cq_request request;
  cq_hash hash;
  int64_t number;
  cq_batch_sender sender = {.mode = content->mode, .programme = content->programme, .sign = laptop->sign};
  const cq_clock *clock = laptop->clock;
  sender.created_utc_ms = clock->now_utc_ms(clock->context);
  sender.working_date = cq_laptop_today(laptop);
  sender.offset_known = cq_home_clock_offset(laptop->home, sender.created_utc_ms, &sender.offset_ms);
  cq_status status = make_request(laptop, &request, error);
  if (laptop->chain.count > 0)
    sender.chain = &laptop->chain;
  else
    sender.request = &request;
  const cq_seal_key recipients[] = {content->desk, content->batch_recovery};
  if (status == CQ_OK) status = cq_store_batch_next(laptop->store, &number, sender.previous.at, error);
  if (status == CQ_OK) {
    sender.number = (uint64_t)number;
    status = cq_batch_end(it->writer, &sender, recipients, 2, laptop->random, &bytes, &hash, NULL, error);
  }
  if (status == CQ_OK) {
    char name[96];
    cq_device_id device = cq_device_id_of(&laptop->sign_key);
    cq_batch_file_name(name, &device, sender.number, &hash);
    cq_store_batch batch = {.number = number,
                            .file = cq_str_from(name),
                            .made_utc_ms = sender.created_utc_ms,
                            .parts = it->parts,
                            .part_count = it->part_count};
    memcpy(batch.hash, hash.at, sizeof batch.hash);
    status = cq_store_batch_commit(laptop->store, &batch, cq_buf_str(&bytes),
                                   (const uint8_t(*)[CQ_STORE_HASH])(it->names + first), end - first, error);
    if (status == CQ_OK) status = write_file(laptop, name, cq_buf_str(&bytes), error);
    it->report->batches++;
    size_t records_end = end < it->record_count ? end : it->record_count;
    size_t records = first < records_end ? records_end - first : 0;
    it->report->records += records;
    it->report->words += end - first - records;
    it->report->bytes += bytes.size;
  }
  cq_buf_fini(&bytes);
  return status;
}

/* --- drafts --- */

/* What was packed of a draft, by when it had changed; all of them stand in one setting. */
typedef struct sent_draft {
  int64_t draft, changed_utc_ms;
} sent_draft;

#define SETTING_SENT "drafts.packed"

typedef struct drafts {
  sent_draft *now;
  size_t count;
  cq_store *store;
} drafts;

static cq_status note_draft(void *context, const cq_store_draft *draft) {
  drafts *them = context;
  if (draft->answers == 0 || is_of_server(them->store, draft->form)) return CQ_OK;
  sent_draft *more = realloc(them->now, (them->count + 1) * sizeof *more);
  if (!more) return CQ_NOMEM;
  them->now = more;
  more[them->count++] = (sent_draft){draft->id, draft->changed_utc_ms};
  return CQ_OK;
}

static bool sent_before(const cq_buf *sent, const sent_draft *draft) {
  for (size_t at = 0; at + sizeof *draft <= sent->size; at += sizeof *draft)
    if (memcmp(sent->at + at, draft, sizeof *draft) == 0) return true;
  return false;
}

/* A draft that cannot be taken up again is the screen's to complain about; it must not keep records back. */
static cq_status pack_draft(packing *it, int64_t draft) {
  cq_filling filling;
  cq_buf bytes = {0};
  cq_error why;
  cq_error_clear(&why);
  cq_status status = cq_filling_resume(&filling, it->laptop, draft, &why);
  if (status == CQ_OK) {
    status = cq_filling_snapshot(&filling, &bytes, &why);
    cq_filling_end(&filling);
  }
  if (status == CQ_OK) status = cq_batch_add(it->writer, CQ_ENTRY_DRAFT, cq_buf_str(&bytes), &why);
  if (status == CQ_OK) it->report->drafts++;
  cq_buf_fini_secret(&bytes);
  if (status != CQ_NOMEM && status != CQ_IO) return CQ_OK;
  if (it->error) *it->error = why;
  return status;
}

/* Into the batch that is being made. `*them` is what to remember when it has been made. */
static cq_status pack_drafts(packing *it, drafts *them) {
  cq_buf sent = {0};
  them->store = it->laptop->store;
  cq_status status = cq_store_drafts(it->laptop->store, note_draft, them, it->error);
  if (status == CQ_NOMEM) cq_error_nomem(it->error);
  if (status == CQ_OK && cq_store_get(it->laptop->store, SETTING_SENT, &sent, NULL) != CQ_OK) cq_buf_reset(&sent);
  for (size_t i = 0; status == CQ_OK && i < them->count; i++)
    if (!sent_before(&sent, &them->now[i])) status = pack_draft(it, them->now[i].draft);
  cq_buf_fini(&sent);
  return status;
}

/* --- all that waits --- */

/* The i-th of what waits into the batch that is being made. */
static cq_status pack_one(packing *it, size_t i, cq_buf *bytes) {
  const cq_laptop *laptop = it->laptop;
  bool record = i < it->record_count;
  if (record) {
    cq_status status = cq_store_record_bytes(laptop->store, it->names[i], bytes, it->error);
    if (status != CQ_OK) return status;
  } else {
    const cq_obeyed *obeyed = &laptop->obeyed[it->words[i - it->record_count]];
    cq_erasure_word word = {
        .order = obeyed->order, .made_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context), .held = obeyed->held};
    cq_buf_reset(bytes);
    cq_erasure_word_write(bytes, &word);
    if (bytes->failed) return cq_error_nomem(it->error);
  }
  return cq_batch_add(it->writer, record ? CQ_ENTRY_RECORD : CQ_ENTRY_RECEIPT, cq_buf_str(bytes), it->error);
}

static cq_status pack_waiting(packing *it) {
  cq_buf bytes = {0};
  drafts them = {0};
  cq_status status = CQ_OK;
  size_t first = 0;
  for (size_t i = 0; status == CQ_OK && i < it->name_count; i++) {
    status = pack_one(it, i, &bytes);
    if (status != CQ_LIMIT || first == i) continue; /* larger than any batch, where it is alone */
    status = end_batch(it, first, i);
    first = i;
    if (status == CQ_OK) status = pack_one(it, i, &bytes);
  }
  cq_buf_fini_secret(&bytes);
  if (status == CQ_OK) status = pack_drafts(it, &them);
  /* The first batch of a device carries its request, even with nothing else. */
  if (status == CQ_OK && (cq_batch_count(it->writer) > 0 || it->laptop->device.last_batch == 0))
    status = end_batch(it, first, it->name_count);
  if (status == CQ_OK && it->report->drafts > 0)
    status = cq_store_set(it->laptop->store, SETTING_SENT,
                          (cq_str){(const char *)them.now, them.count * sizeof *them.now}, it->error);
  free(them.now);
  return status;
}

/* --- attachments --- */

static cq_status note_file(void *context, const cq_store_attachment *file) {
  packing *it = context;
  if ((it->file_count & (it->file_count - 1)) == 0) {
    cq_store_attachment *more = realloc(it->files, (it->file_count ? it->file_count * 2 : 1) * sizeof *more);
    if (!more) return cq_error_nomem(it->error);
    it->files = more;
  }
  cq_store_attachment *copy = &it->files[it->file_count++];
  *copy = *file;
  copy->name = copy->media_type = CQ_STR(""); /* borrowed */
  return CQ_OK;
}

static cq_status add_part(packing *it, const cq_store_attachment *file, int64_t offset, cq_str bytes) {
  cq_hash hash;
  cq_store_part *more = realloc(it->parts, (it->part_count + 1) * sizeof *more);
  if (!more) return cq_error_nomem(it->error);
  it->parts = more;
  memcpy(hash.at, file->hash, sizeof hash.at);
  cq_status status = cq_batch_add_part(it->writer, &hash, (uint64_t)offset, (uint64_t)file->size, bytes, it->error);
  if (status != CQ_OK) return status;
  cq_store_part *part = &more[it->part_count++];
  *part = (cq_store_part){.offset = offset, .size = (int64_t)bytes.size};
  memcpy(part->attachment, file->hash, sizeof part->attachment);
  return CQ_OK;
}

static cq_status end_parts(packing *it, size_t *used) {
  cq_status status = it->part_count > 0 ? end_batch(it, 0, 0) : CQ_OK;
  it->part_count = 0;
  *used = 0;
  return status;
}

static bool goes_on(packing *it) {
  if (it->watch && it->report->left == 0 && !it->watch->go_on(it->watch->context, it->file_done, it->file_bytes))
    it->report->left = it->file_bytes - it->file_done;
  return it->report->left == 0;
}

/* One after the other into batches that hold so much; what is packed stays so if the next cannot be. */
static cq_status pack_file(packing *it, const cq_store_attachment *file, cq_buf *bytes, size_t *used) {
  cq_status status = CQ_OK;
  for (int64_t at = file->packed; status == CQ_OK && at < file->size && goes_on(it);) {
    if (*used >= it->laptop->attachment_bytes) status = end_parts(it, used);
    if (status != CQ_OK) break;
    size_t room = it->laptop->attachment_bytes - *used;
    if (room > CQ_BATCH_PART_SIZE) room = CQ_BATCH_PART_SIZE;
    status = cq_store_attachment_read(it->laptop->store, file->hash, at, room, bytes, it->error);
    if (status == CQ_OK && bytes->size == 0) /* shorter than it says */
      status = cq_error_set(it->error, CQ_DAMAGED, "store.attachment.damaged", NULL);
    if (status == CQ_OK) status = add_part(it, file, at, cq_buf_str(bytes));
    *used += bytes->size;
    at += (int64_t)bytes->size;
    it->file_done += bytes->size;
  }
  return status;
}

static cq_status pack_files(packing *it) {
  cq_buf bytes = {0};
  size_t used = 0;
  cq_status status = cq_store_attachments_waiting(it->laptop->store, note_file, it, it->error);
  for (size_t i = 0; i < it->file_count; i++) it->file_bytes += (uint64_t)(it->files[i].size - it->files[i].packed);
  for (size_t i = 0; status == CQ_OK && i < it->file_count && it->report->left == 0; i++) {
    status = pack_file(it, &it->files[i], &bytes, &used);
    if (status == CQ_OK && it->report->left == 0) it->report->attachments++;
    if (status != CQ_DAMAGED) continue;
    /* it must not keep the others back; scrub names it */
    it->report->damaged++;
    cq_error_clear(it->error);
    status = CQ_OK;
  }
  if (status == CQ_OK) status = end_parts(it, &used);
  cq_buf_fini_secret(&bytes);
  return status;
}

/* --- files that are missing --- */

static cq_status write_again(void *context, const cq_store_batch *batch) {
  packing *it = context;
  char name[96];
  cq_hash hash;
  bool right = false;
  cq_buf folder = {0}, bytes = {0};
  if (batch->file.size >= sizeof name || batch->size == 0) return CQ_OK;
  memcpy(name, batch->file.at, batch->file.size);
  name[batch->file.size] = '\0';
  memcpy(hash.at, batch->hash, sizeof hash.at);
  cq_status status = cq_home_folder(&folder, it->laptop->home, CQ_FOLDER_OUTBOX, it->error);
  bool whole = !it->watch || !it->watch->in_between;
  if (status == CQ_OK)
    status = cq_parcel_check(folder.at, name, (uint64_t)batch->size, whole ? &hash : NULL, &right, it->error);
  if (status == CQ_OK && !right) {
    status = cq_store_batch_bytes(it->laptop->store, batch->hash, &bytes, it->error);
    if (status == CQ_OK) status = write_file(it->laptop, name, cq_buf_str(&bytes), it->error);
    it->report->rewritten++;
  }
  cq_buf_fini(&folder);
  cq_buf_fini(&bytes);
  return status;
}

/* What an order to erase names of this device's batches: the post and the desk have let go of them. */
static cq_status let_go(cq_laptop *laptop, cq_error *error) {
  bool any = false;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < laptop->obeyed_count; i++) {
    for (size_t b = 0; status == CQ_OK && b < laptop->obeyed[i].batch_count; b++) {
      bool gone = false;
      status = cq_store_batch_erase(laptop->store, laptop->obeyed[i].batches[b].at, &gone, error);
      if (status == CQ_NOTFOUND) status = CQ_OK; /* another laptop's */
      any |= gone;
    }
  }
  return status == CQ_OK && any ? cq_laptop_remove_files(laptop, error) : status;
}

cq_status cq_laptop_pack(cq_laptop *laptop, const cq_pack_watch *watch, cq_pack_report *report, cq_error *error) {
  packing it = {.laptop = laptop, .watch = watch, .report = report, .error = error};
  cq_batch_forms forms = {find_form, &it};
  *report = (cq_pack_report){0};
  cq_status status = CQ_OK;
  it.codec = cq_batch_codec_new(&forms);
  it.writer = it.codec ? cq_batch_writer_new(it.codec) : NULL;
  if (!it.writer) status = cq_error_nomem(error);
  if (status == CQ_OK) status = cq_store_device_get(laptop->store, &laptop->device, error);
  if (status == CQ_OK) status = cq_store_records(laptop->store, CQ_STORE_NOT_BATCHED, note_record, &it, error);
  if (status == CQ_OK) status = note_words(&it);
  if (status == CQ_OK) status = pack_waiting(&it);
  if (status == CQ_OK) status = pack_files(&it);
  if (status == CQ_OK) status = cq_store_batches(laptop->store, CQ_STORE_BATCH_PENDING, write_again, &it, error);
  if (status == CQ_OK) status = let_go(laptop, error);
  cq_batch_writer_free(it.writer);
  cq_batch_codec_free(it.codec);
  for (size_t i = 0; i < it.form_count; i++) cq_buf_fini(&it.forms[i].xml);
  free(it.forms);
  free(it.names);
  free(it.words);
  free(it.files);
  free(it.parts);
  return status;
}
