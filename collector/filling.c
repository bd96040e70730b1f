/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/filling.h"

#include "collector/answer.h"
#include "collector/roster.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of the store's answers. */
enum { KIND_VALUE = 1, KIND_MISSING, KIND_ADD, KIND_REMOVE, KIND_MOVE, KIND_LANGUAGE };

/* First line of a draft's base; then its seed and draws; then the instance. That of a correction says after the draws
 * how many bytes the record has, and these stand before the instance: it may be purged before the draft is finished. */
#define BASE_MAGIC "chasqui draft 1"
#define BASE_CORRECTION "chasqui draft 2"

static void copy_text(char out[CQ_RECORD_MAX_TEXT + 1], cq_str text) {
  size_t size = text.size < CQ_RECORD_MAX_TEXT ? text.size : CQ_RECORD_MAX_TEXT;
  while (size < text.size && size > 0 && ((unsigned char)text.at[size] & 0xC0) == 0x80) size--;
  memcpy(out, text.at ? text.at : "", size);
  out[size] = '\0';
}

/* --- clock and randomness that can be repeated --- */

static int64_t filling_now(void *context) {
  const cq_filling *it = context;
  if (it->replayed_utc_ms != 0) return it->replayed_utc_ms;
  return it->laptop->clock->now_utc_ms(it->laptop->clock->context);
}

static int64_t filling_monotonic(void *context) {
  const cq_filling *it = context;
  return it->laptop->clock->monotonic_ms(it->laptop->clock->context);
}

static int filling_offset(void *context, int64_t utc_ms) {
  const cq_filling *it = context;
  return it->laptop->clock->offset_minutes(it->laptop->clock->context, utc_ms);
}

static void filling_random(void *context, void *out, size_t size) {
  cq_filling *it = context;
  for (size_t done = 0; done < size;) {
    uint8_t block[sizeof it->seed + 8];
    memcpy(block, it->seed, sizeof it->seed);
    for (int i = 0; i < 8; i++) block[sizeof it->seed + (size_t)i] = (uint8_t)(it->drawn >> (8 * i));
    it->drawn++;
    cq_hash drawn = cq_hash_of(block, sizeof block);
    size_t part = size - done < sizeof drawn.at ? size - done : sizeof drawn.at;
    memcpy((char *)out + done, drawn.at, part);
    done += part;
  }
}

/* --- the form --- */

/* Lists by the last part of the uri. */
static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  cq_filling *it = context;
  char name[256];
  size_t start = uri.size;
  while (start > 0 && uri.at[start - 1] != '/') start--;
  if (uri.size - start >= sizeof name) return cq_error_set(error, CQ_NOTFOUND, "store.list.missing", NULL);
  memcpy(name, uri.at + start, uri.size - start);
  name[uri.size - start] = '\0';
  if (it->server.size > 0) return cq_store_server_list(it->laptop->store, cq_buf_str(&it->server), name, out, error);
  return cq_roster_list(it->laptop->store, name, out, error);
}

static cq_status load_form(cq_filling *it, const cq_hash *hash, cq_error *error) {
  cq_buf xml = {0};
  cq_form_lists lists = {open_list, it};
  it->form_hash = *hash;
  cq_status status = cq_store_form_bytes(it->laptop->store, hash->at, &xml, error);
  if (status == CQ_OK) status = cq_store_form_origin(it->laptop->store, hash->at, &it->server, error);
  if (status == CQ_OK) status = cq_form_load(&it->form, cq_buf_str(&xml), &lists, error);
  if (status == CQ_OK) {
    cq_str title = cq_form_title(it->form);
    cq_buf_add_str(&it->title, title.size > 0 ? title : cq_form_id(it->form));
    if (it->title.failed) status = cq_error_nomem(error);
  }
  cq_buf_fini(&xml);
  return status;
}

/* The form's language that is the messages' own, where it has one: "Español (es)". */
static size_t preferred_language(const cq_form *form) {
  char wanted[8];
  snprintf(wanted, sizeof wanted, "(%s)", _("en"));
  for (size_t i = 0; i < cq_form_language_count(form); i++) {
    cq_str name = cq_form_language(form, i);
    size_t size = strlen(wanted);
    if (name.size >= size && memcmp(name.at + name.size - size, wanted, size) == 0) return i;
  }
  return CQ_FIELD_NONE;
}

static void start(cq_filling *it, cq_laptop *laptop) {
  *it = (cq_filling){.laptop = laptop};
  it->clock = (cq_clock){filling_now, filling_monotonic, filling_offset, it};
  it->random = (cq_random){filling_random, it};
}

static cq_interview_setup setup_of(cq_filling *it, char device[33]) {
  cq_device_id id = cq_device_id_of(&it->laptop->sign_key);
  cq_device_id_hex(&id, device);
  return (cq_interview_setup){.clock = &it->clock,
                              .random = &it->random,
                              .working_date = it->parent ? it->parent->envelope.working_date : it->laptop->working_date,
                              .device_id = cq_str_from(device),
                              .user_name = cq_str_from(it->laptop->technician),
                              .language = preferred_language(it->form)};
}

static cq_status make_arena(cq_filling *it, cq_error *error) {
  it->arena = cq_arena_new(0);
  return it->arena ? CQ_OK : cq_error_nomem(error);
}

void cq_filling_end(cq_filling *it) {
  cq_interview_free(it->interview);
  cq_form_free(it->form);
  cq_arena_free(it->arena);
  cq_arena_free(it->parent_arena);
  cq_buf_fini_secret(&it->parent_bytes);
  cq_buf_fini(&it->title);
  cq_buf_fini(&it->label);
  cq_buf_fini(&it->server);
  free(it->files);
  cq_wipe(it->seed, sizeof it->seed);
  *it = (cq_filling){0};
}

/* --- what a draft is called --- */

/* Whether there is more in it than what a form writes between what was not answered yet: "· ". */
static bool says_something(cq_str text) {
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    if (c >= 0x80 ? c != 0xB7 : isalnum((int)c) != 0) return true;
  }
  return false;
}

/* Drafts of one form are told apart by what the form calls the interview, first of all: "T050108-… 2012-T1 · Visit". */
static void make_label(const cq_filling *it, cq_buf *label) {
  cq_str name = cq_str_trim(cq_interview_instance_name(it->interview));
  if (says_something(name) && !cq_str_equal(name, cq_buf_str(&it->title))) {
    cq_buf_add_str(label, name);
    cq_buf_add_text(label, " · ");
  }
  cq_buf_add_str(label, cq_buf_str(&it->title));
}

static cq_status keep_label(cq_filling *it, cq_error *error) {
  cq_buf label = {0};
  cq_status status = CQ_OK;
  make_label(it, &label);
  if (label.failed) status = cq_error_nomem(error);
  if (status == CQ_OK && !cq_str_equal(cq_buf_str(&label), cq_buf_str(&it->label))) {
    status = cq_store_draft_label(it->laptop->store, it->draft, cq_buf_str(&label), error);
    cq_buf last = it->label;
    it->label = label;
    label = last;
  }
  cq_buf_fini(&label);
  return status;
}

/* --- beginning --- */

static cq_status keep_base(cq_filling *it, cq_error *error) {
  cq_buf base = {0};
  cq_str technician = cq_str_from(it->laptop->technician);
  cq_buf_addf(&base, "%s\n", it->parent ? BASE_CORRECTION : BASE_MAGIC);
  cq_buf_add_hex(&base, it->seed, sizeof it->seed);
  cq_buf_addf(&base, " %llu", (unsigned long long)it->drawn);
  if (it->parent) cq_buf_addf(&base, " %zu", it->parent_bytes.size);
  cq_buf_add_char(&base, '\n');
  if (it->parent) cq_buf_add_str(&base, cq_buf_str(&it->parent_bytes));
  cq_status status = cq_interview_write(it->interview, CQ_WRITE_DRAFT, &base, error);
  make_label(it, &it->label);
  if (status == CQ_OK && (base.failed || it->label.failed)) status = cq_error_nomem(error);
  if (status == CQ_OK && it->parent)
    status = cq_store_draft_correct(it->laptop->store, &it->draft, it->parent_name.at, technician,
                                    cq_buf_str(&it->label), cq_buf_str(&base), error);
  else if (status == CQ_OK)
    status = cq_store_draft_begin(it->laptop->store, &it->draft, it->form_hash.at, technician, cq_buf_str(&it->label),
                                  cq_buf_str(&base), error);
  cq_buf_fini_secret(&base);
  return status;
}

cq_status cq_filling_begin(cq_filling *it, cq_laptop *laptop, const cq_hash *form, bool keep, cq_error *error) {
  char device[33];
  start(it, laptop);
  laptop->random->fill(laptop->random->context, it->seed, sizeof it->seed);
  it->begun_utc_ms = filling_now(it);
  cq_status status = make_arena(it, error);
  if (status == CQ_OK) status = load_form(it, form, error);
  if (status == CQ_OK) {
    cq_interview_setup setup = setup_of(it, device);
    status = cq_interview_begin(&it->interview, it->form, &setup, error);
  }
  if (status == CQ_OK && keep) status = keep_base(it, error);
  if (status != CQ_OK) cq_filling_end(it);
  return status;
}

/* --- files --- */

static cq_status add_file(cq_filling *it, const cq_attached *file, cq_error *error) {
  cq_attached *more = realloc(it->files, (it->file_count + 1) * sizeof *more);
  if (!more) return cq_error_nomem(error);
  it->files = more;
  more[it->file_count++] = *file;
  return CQ_OK;
}

const cq_attached *cq_filling_file(const cq_filling *it, cq_str name) {
  for (size_t i = 0; name.size > 0 && i < it->file_count; i++)
    if (cq_str_is(name, it->files[i].name)) return &it->files[i];
  return NULL;
}

static void forget_file(cq_filling *it, const cq_attached *file) {
  size_t at = (size_t)(file - it->files);
  it->file_count--;
  memmove(&it->files[at], &it->files[at + 1], (it->file_count - at) * sizeof *it->files);
}

static cq_status see_file(void *context, const cq_store_attachment *attachment) {
  cq_attached file = {.size = attachment->size};
  if (attachment->name.size >= sizeof file.name) return CQ_OK; /* none that this program named */
  memcpy(file.name, attachment->name.at, attachment->name.size);
  memcpy(file.hash, attachment->hash, sizeof file.hash);
  return add_file(context, &file, NULL);
}

/* --- correcting --- */

/* it->parent from it->parent_bytes. */
static cq_status read_parent(cq_filling *it, cq_error *error) {
  cq_record *record = NULL;
  it->parent_arena = cq_arena_new(0);
  if (it->parent_arena) record = cq_arena_alloc(it->parent_arena, sizeof *record);
  if (!record) return cq_error_nomem(error);
  cq_str bytes = cq_buf_str(&it->parent_bytes);
  cq_status status = cq_record_parse(record, bytes, it->parent_arena, error);
  it->parent = status == CQ_OK ? record : NULL;
  it->parent_name = cq_hash_of(bytes.at, bytes.size);
  return status;
}

/* What kept it from being opened, as the technician meets it. */
static cq_status correction_refused(const cq_filling *it, cq_status status, cq_error *error) {
  const cq_envelope *envelope = it->parent ? &it->parent->envelope : NULL;
  if (status != CQ_NOTFOUND || !error || !error->code) return status;
  if (strcmp(error->code, "store.record.purged") == 0)
    return cq_error_set(error, CQ_REFUSED, "collector.edit.purged", NULL);
  if (!envelope || strcmp(error->code, "store.form.missing") != 0) return status;
  char id[CQ_RECORD_MAX_TEXT + 1], version[CQ_RECORD_MAX_TEXT + 1];
  copy_text(id, envelope->form_id);
  copy_text(version, envelope->form_version);
  return cq_error_set(error, CQ_REFUSED, "collector.edit.form", id, version, NULL);
}

cq_status cq_filling_correct(cq_filling *it, cq_laptop *laptop, const uint8_t name[CQ_STORE_HASH], bool keep,
                             cq_error *error) {
  char device[33];
  start(it, laptop);
  laptop->random->fill(laptop->random->context, it->seed, sizeof it->seed);
  it->begun_utc_ms = filling_now(it);
  cq_status status = make_arena(it, error);
  if (status == CQ_OK) status = cq_store_record_bytes(laptop->store, name, &it->parent_bytes, error);
  if (status == CQ_OK) status = read_parent(it, error);
  if (status == CQ_OK) status = load_form(it, &it->parent->envelope.form_hash, error);
  if (status == CQ_OK) {
    cq_interview_setup setup = setup_of(it, device);
    status = cq_interview_restore(&it->interview, it->form, &setup, it->parent->instance_xml, CQ_RESTORE_EDIT,
                                  CQ_STR(""), error);
  }
  if (status == CQ_OK) status = cq_store_record_attachments(laptop->store, name, see_file, it, error);
  if (status == CQ_OK && keep) status = keep_base(it, error);
  status = correction_refused(it, status, error);
  if (status != CQ_OK) cq_filling_end(it);
  return status;
}

cq_result cq_filling_asked(const cq_filling *it, cq_str *reason) {
  *reason = CQ_STR("");
  if (!it->parent || cq_filling_result(it, CQ_RESULT_COMPLETE, NULL) == it->parent->envelope.result)
    return CQ_RESULT_COMPLETE;
  *reason = it->parent->envelope.reason;
  return it->parent->envelope.result;
}

/* --- resuming --- */

typedef struct draft_head {
  cq_hash form;
  int64_t begun_utc_ms;
  cq_buf bookmark, label;
} draft_head;

static cq_status read_head(void *context, const cq_store_draft *draft) {
  draft_head *head = context;
  memcpy(head->form.at, draft->form, sizeof head->form.at);
  head->begun_utc_ms = draft->begun_utc_ms;
  cq_buf_add_str(&head->bookmark, draft->bookmark);
  cq_buf_add_str(&head->label, draft->label);
  return CQ_OK;
}

static cq_status damaged(cq_error *error) {
  return cq_error_set(error, CQ_DAMAGED, "collector.draft.damaged", NULL);
}

/* Takes the head off a base, and of a correction the record; what is left is the instance. */
static cq_status read_base(cq_filling *it, const cq_buf *base, cq_str *xml, cq_error *error) {
  static const size_t magic = sizeof BASE_MAGIC; /* with its line end */
  cq_str all = cq_buf_str(base);
  bool corrects = cq_str_starts(all, CQ_STR(BASE_CORRECTION "\n"));
  if (all.size < magic + 66 || !(corrects || cq_str_starts(all, CQ_STR(BASE_MAGIC "\n")))) return damaged(error);
  if (!cq_hex_decode((cq_str){all.at + magic, 64}, it->seed, sizeof it->seed)) return damaged(error);
  size_t at = magic + 65, end = at, next;
  int64_t drawn, size = 0;
  while (end < all.size && all.at[end] != '\n' && all.at[end] != ' ') end++;
  if (end == all.size || !cq_str_int64((cq_str){all.at + at, end - at}, &drawn)) return damaged(error);
  it->drawn = (uint64_t)drawn;
  for (next = end; next < all.size && all.at[next] != '\n';) next++;
  if (next == all.size || (next > end) != corrects) return damaged(error);
  *xml = (cq_str){all.at + next + 1, all.size - next - 1};
  if (!corrects) return CQ_OK;
  if (!cq_str_int64((cq_str){all.at + end + 1, next - end - 1}, &size) || size < 0 || (uint64_t)size > xml->size)
    return damaged(error);
  cq_buf_add_str(&it->parent_bytes, (cq_str){xml->at, (size_t)size});
  *xml = (cq_str){xml->at + size, xml->size - (size_t)size};
  return it->parent_bytes.failed ? cq_error_nomem(error) : read_parent(it, error);
}

/* The store gives answers only after the base: they are gathered, and applied when the interview stands. */
typedef struct kept_answer {
  int kind;
  int64_t utc_ms;
  cq_str reference, after;
} kept_answer;

typedef struct replay {
  cq_arena *arena;
  kept_answer *answers;
  size_t count, room;
} replay;

static cq_status gather(void *context, const cq_store_answer *answer) {
  replay *it = context;
  if (it->count == it->room) {
    size_t room = it->room ? it->room * 2 : 256;
    kept_answer *more = realloc(it->answers, room * sizeof *more);
    if (!more) return CQ_NOMEM;
    it->answers = more;
    it->room = room;
  }
  kept_answer *kept = &it->answers[it->count];
  *kept = (kept_answer){answer->kind, answer->device_utc_ms, cq_arena_copy(it->arena, answer->reference),
                        cq_arena_copy(it->arena, answer->after)};
  if (!kept->reference.at || !kept->after.at) return CQ_NOMEM;
  it->count++;
  return CQ_OK;
}

static cq_status apply_answer(cq_filling *it, const kept_answer *answer, cq_error *error) {
  cq_set_outcome outcome;
  cq_entry node, made;
  int64_t language;
  if (answer->kind == KIND_MOVE) return CQ_OK;
  if (answer->kind == KIND_LANGUAGE)
    return cq_str_int64(answer->after, &language) ? cq_interview_set_language(it->interview, (size_t)language, error)
                                                  : damaged(error);
  cq_status status = cq_interview_entry(it->interview, answer->reference, &node, error);
  if (status != CQ_OK) return status;
  cq_arena_reset(it->arena);
  switch (answer->kind) {
  case KIND_VALUE:
    return cq_interview_set(it->interview, node, answer->after, CQ_SET_ANYWAY, it->arena, &outcome, error);
  case KIND_MISSING: return cq_interview_set_missing(it->interview, node, answer->after, it->arena, &outcome, error);
  case KIND_ADD: return cq_interview_add(it->interview, node, &made, error);
  case KIND_REMOVE: return cq_interview_remove(it->interview, node, error);
  default: return damaged(error);
  }
}

static cq_status apply_answers(cq_filling *it, const replay *kept, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < kept->count; i++) {
    it->replayed_utc_ms = kept->answers[i].utc_ms;
    status = apply_answer(it, &kept->answers[i], error);
  }
  it->replayed_utc_ms = 0;
  return status;
}

/* Back to the page where one was: the bookmark of the last answer, tried on the interview as it is now. */
static cq_status go_to_bookmark(cq_filling *it, const cq_buf *bookmark, cq_error *error) {
  if (bookmark->size == 0) return CQ_OK;
  char device[33];
  cq_buf xml = {0};
  cq_interview *there = NULL;
  cq_interview_setup setup = setup_of(it, device);
  setup.language = cq_interview_language(it->interview);
  cq_status status = cq_interview_write(it->interview, CQ_WRITE_DRAFT, &xml, error);
  if (status == CQ_OK)
    status =
        cq_interview_restore(&there, it->form, &setup, cq_buf_str(&xml), CQ_RESTORE_DRAFT, cq_buf_str(bookmark), error);
  if (status == CQ_OK) {
    cq_interview_free(it->interview);
    it->interview = there;
  }
  cq_buf_fini_secret(&xml);
  return status;
}

cq_status cq_filling_resume(cq_filling *it, cq_laptop *laptop, int64_t draft, cq_error *error) {
  draft_head head = {0};
  cq_buf base = {0};
  replay kept = {0};
  cq_str xml;
  char device[33];
  start(it, laptop);
  it->draft = draft;
  cq_status status = make_arena(it, error);
  if (status == CQ_OK) {
    kept.arena = cq_arena_new(0);
    if (!kept.arena) status = cq_error_nomem(error);
  }
  if (status == CQ_OK) status = cq_store_draft_get(laptop->store, draft, read_head, &head, error);
  it->begun_utc_ms = head.begun_utc_ms;
  it->label = head.label;
  if (status == CQ_OK) status = cq_store_draft_load(laptop->store, draft, &base, gather, &kept, error);
  if (status == CQ_OK) status = load_form(it, &head.form, error);
  if (status == CQ_OK) status = read_base(it, &base, &xml, error);
  if (status == CQ_OK) {
    cq_interview_setup setup = setup_of(it, device);
    status = cq_interview_restore(&it->interview, it->form, &setup, xml, CQ_RESTORE_DRAFT, CQ_STR(""), error);
  }
  if (status == CQ_OK) status = apply_answers(it, &kept, error);
  if (status == CQ_OK) status = cq_store_draft_attachments(laptop->store, draft, see_file, it, error);
  if (status == CQ_OK) status = go_to_bookmark(it, &head.bookmark, error);
  free(kept.answers);
  cq_arena_free(kept.arena);
  cq_buf_fini_secret(&base);
  cq_buf_fini(&head.bookmark);
  if (status != CQ_OK) cq_filling_end(it);
  return status;
}

/* --- answering --- */

static cq_status keep_with(cq_filling *it, int kind, cq_str reference, cq_str before, cq_str after,
                           const cq_attached *attached, cq_str detached, cq_error *error) {
  cq_buf bookmark = {0};
  if (it->draft == 0) return CQ_OK;
  cq_status status = cq_interview_bookmark(it->interview, &bookmark, error);
  if (status == CQ_OK) {
    cq_store_attachment attachment = {.name = cq_str_from(attached ? attached->name : "")};
    cq_store_answer answer = {.kind = kind,
                              .reference = reference,
                              .before = before,
                              .after = after,
                              .bookmark = cq_buf_str(&bookmark),
                              .technician = cq_str_from(it->laptop->technician),
                              .device_utc_ms = filling_now(it),
                              .detached = detached};
    if (attached) {
      attachment.media_type = cq_str_from(cq_media_named(attachment.name).type);
      memcpy(attachment.hash, attached->hash, sizeof attachment.hash);
      answer.attached = &attachment;
    }
    status = cq_store_draft_answer(it->laptop->store, it->draft, &answer, NULL, error);
    if (status == CQ_OK && kind != KIND_MOVE) status = keep_label(it, error);
  }
  cq_buf_fini(&bookmark);
  return status;
}

static cq_status keep(cq_filling *it, int kind, cq_str reference, cq_str before, cq_str after, cq_error *error) {
  return keep_with(it, kind, reference, before, after, NULL, CQ_STR(""), error);
}

/* The answer with the file that it brings and without the one that it replaces, in one step. */
static cq_status keep_answer(cq_filling *it, int kind, cq_str reference, cq_str before, cq_str after,
                             const cq_attached *attached, cq_error *error) {
  bool gone = cq_filling_file(it, before) != NULL;
  cq_status status = attached ? add_file(it, attached, error) : CQ_OK;
  if (status != CQ_OK) return status;
  status = keep_with(it, kind, reference, before, after, attached, gone ? before : CQ_STR(""), error);
  if (status == CQ_OK && gone) forget_file(it, cq_filling_file(it, before));
  if (status != CQ_OK && attached) forget_file(it, &it->files[it->file_count - 1]);
  return status;
}

/* Past the question that only asks for the missing code just given. */
static cq_status pass_missing(cq_filling *it, cq_entry node, cq_error *error) {
  cq_page page;
  cq_entry_state given, next;
  cq_status status = cq_interview_page(it->interview, it->arena, &page, error);
  if (status != CQ_OK || page.kind != CQ_PAGE_QUESTION) return status;
  if (cq_interview_state(it->interview, node, &given, NULL) != CQ_OK) return CQ_OK;
  if (cq_interview_state(it->interview, page.node, &next, NULL) != CQ_OK) return CQ_OK;
  return given.field->missing_at == next.field->index ? cq_interview_forward(it->interview, error) : CQ_OK;
}

static cq_status answer(cq_filling *it, int kind, cq_entry node, cq_str text, const cq_attached *attached, bool forward,
                        cq_set_outcome *outcome, cq_error *error) {
  cq_buf before = {0}, reference = {0};
  cq_arena_reset(it->arena);
  cq_buf_add_str(&before, cq_interview_value(it->interview, node));
  cq_status status = cq_interview_ref(it->interview, node, &reference, error);
  if (status == CQ_OK)
    status = kind == KIND_MISSING
                 ? cq_interview_set_missing(it->interview, node, text, it->arena, outcome, error)
                 : cq_interview_set(it->interview, node, text, CQ_SET_CHECKED, it->arena, outcome, error);
  if (status == CQ_OK && outcome->result == CQ_SET_ACCEPTED) {
    if (forward) status = cq_interview_forward(it->interview, error);
    if (status == CQ_OK && forward && kind == KIND_MISSING) status = pass_missing(it, node, error);
    if (status == CQ_OK && outcome->changed)
      status = keep_answer(it, kind, cq_buf_str(&reference), cq_buf_str(&before), text, attached, error);
    else if (status == CQ_OK && forward)
      status = cq_filling_moved(it, error);
  }
  cq_buf_fini(&reference);
  cq_buf_fini_secret(&before);
  return status;
}

cq_status cq_filling_set(cq_filling *it, cq_entry node, cq_str text, bool forward, cq_set_outcome *outcome,
                         cq_error *error) {
  return answer(it, KIND_VALUE, node, text, NULL, forward, outcome, error);
}

cq_status cq_filling_set_missing(cq_filling *it, cq_entry node, cq_str code, bool forward, cq_set_outcome *outcome,
                                 cq_error *error) {
  return answer(it, KIND_MISSING, node, code, NULL, forward, outcome, error);
}

cq_status cq_filling_attach(cq_filling *it, cq_entry node, cq_str typed, const char *folder, bool forward,
                            cq_set_outcome *outcome, cq_error *error) {
  cq_buf path = {0};
  cq_attached attached;
  cq_entry_state state;
  char most[24];
  snprintf(most, sizeof most, "%d", CQ_RECORD_MAX_ATTACHMENTS);
  cq_status status = cq_interview_state(it->interview, node, &state, error);
  if (status == CQ_OK && it->file_count >= CQ_RECORD_MAX_ATTACHMENTS)
    status = cq_error_set(error, CQ_INVALID, "collector.attach.many", most, NULL);
  if (status == CQ_OK) status = cq_attach_path(&path, typed, folder, error);
  /* a name is drawn again where this interview has it already */
  do {
    if (status == CQ_OK)
      status = cq_attach_read(&attached, it->laptop->store, path.at, state.field->media_type, it->laptop->random,
                              &it->watch, error);
  } while (status == CQ_OK && cq_filling_file(it, cq_str_from(attached.name)));
  if (status == CQ_OK)
    status = answer(it, KIND_VALUE, node, cq_str_from(attached.name), &attached, forward, outcome, error);
  cq_buf_fini_secret(&path);
  return status;
}

cq_status cq_filling_shown(const cq_filling *it, const cq_prompt *prompt, cq_arena *arena, cq_buf *out,
                           cq_error *error) {
  const cq_attached *file = prompt->state.kind == CQ_ENTRY_VALUE && prompt->state.field->control == CQ_CONTROL_UPLOAD
                                ? cq_filling_file(it, prompt->value)
                                : NULL;
  if (!file) return cq_answer_shown(it->interview, prompt, arena, out, error);
  cq_attach_words(file, out);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

bool cq_filling_is_file_fault(const cq_error *error) {
  return error->code && strncmp(error->code, "collector.attach.", 17) == 0;
}

cq_status cq_filling_add(cq_filling *it, cq_entry repeat, cq_entry *instance, cq_error *error) {
  cq_buf reference = {0};
  cq_status status = cq_interview_ref(it->interview, repeat, &reference, error);
  if (status == CQ_OK) status = cq_interview_add(it->interview, repeat, instance, error);
  if (status == CQ_OK) status = cq_interview_jump(it->interview, *instance, error);
  if (status == CQ_OK) status = keep(it, KIND_ADD, cq_buf_str(&reference), CQ_STR(""), CQ_STR(""), error);
  cq_buf_fini(&reference);
  return status;
}

cq_status cq_filling_remove(cq_filling *it, cq_entry instance, cq_error *error) {
  cq_buf reference = {0};
  cq_status status = cq_interview_ref(it->interview, instance, &reference, error);
  if (status == CQ_OK) status = cq_interview_remove(it->interview, instance, error);
  if (status == CQ_OK) status = keep(it, KIND_REMOVE, cq_buf_str(&reference), CQ_STR(""), CQ_STR(""), error);
  cq_buf_fini(&reference);
  return status;
}

cq_status cq_filling_moved(cq_filling *it, cq_error *error) {
  return keep(it, KIND_MOVE, CQ_STR(""), CQ_STR(""), CQ_STR(""), error);
}

cq_status cq_filling_language(cq_filling *it, size_t language, cq_error *error) {
  char number[24];
  snprintf(number, sizeof number, "%zu", language);
  cq_status status = cq_interview_set_language(it->interview, language, error);
  return status == CQ_OK ? keep(it, KIND_LANGUAGE, CQ_STR(""), CQ_STR(""), cq_str_from(number), error) : status;
}

cq_status cq_filling_discard(cq_filling *it, cq_error *error) {
  cq_status status = cq_store_draft_discard(it->laptop->store, it->draft, error);
  if (status == CQ_OK) cq_filling_end(it);
  return status;
}

/* --- what may be begun --- */

/* The title stands in the XForm's head; loading a whole form for it would make the list slow. */
static cq_str title_of(cq_str xml, cq_str fallback) {
  static const char mark[] = "title>";
  for (size_t at = 0; at + sizeof mark < xml.size && at < 4096; at++) {
    if (memcmp(xml.at + at, mark, sizeof mark - 1) != 0) continue;
    size_t from = at + sizeof mark - 1, to = from;
    while (to < xml.size && xml.at[to] != '<' && xml.at[to] != '&') to++;
    return to > from && xml.at[to] == '<' ? (cq_str){xml.at + from, to - from} : fallback;
  }
  return fallback;
}

typedef struct offering {
  cq_offered *forms;
  size_t count;
} offering;

/* One more, zeroed; NULL: out of memory. */
static cq_offered *offer(offering *it) {
  cq_offered *more = realloc(it->forms, (it->count + 1) * sizeof *more);
  if (!more) return NULL;
  it->forms = more;
  more[it->count] = (cq_offered){0};
  return &more[it->count++];
}

static cq_status see_server_form(void *context, const cq_store_form *form) {
  if (form->origin.size == 0 || form->status != CQ_STORE_FORM_CURRENT) return CQ_OK;
  cq_offered *offered = offer(context);
  if (!offered) return CQ_NOMEM;
  memcpy(offered->hash.at, form->hash, sizeof offered->hash.at);
  copy_text(offered->id, form->id);
  copy_text(offered->version, form->version);
  copy_text(offered->title, form->title);
  copy_text(offered->server, form->origin);
  return CQ_OK;
}

cq_status cq_filling_offered(cq_laptop *laptop, cq_offered **forms, size_t *count, cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(laptop->bundle);
  offering all = {0};
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < content->form_count; i++) {
    const cq_bundle_form *form = &content->forms[i];
    if (form->status != CQ_FORM_CURRENT) continue;
    cq_offered *offered = offer(&all);
    if (!offered) {
      status = cq_error_nomem(error);
      break;
    }
    offered->hash = form->hash;
    copy_text(offered->id, form->id);
    copy_text(offered->version, form->version);
    copy_text(offered->title, title_of(form->xml, form->id));
  }
  if (status == CQ_OK) status = cq_store_forms(laptop->store, see_server_form, &all, error);
  if (status == CQ_NOMEM) cq_error_nomem(error);
  *forms = all.forms;
  *count = all.count;
  return status;
}
