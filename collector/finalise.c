/* SPDX-License-Identifier: Apache-2.0 */
/* From a filled interview to a record for ever: envelope, audit trail, name. */
#include "chasqui/calendar.h"
#include "chasqui/csv.h"
#include "collector/answer.h"
#include "collector/correct.h"
#include "collector/filling.h"
#include "collector/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names by which forms of the programme say what the envelope needs (docs/programme-forms in forms/programmes). */
#define FIELD_SEASON "temporada"
#define FIELD_MONTH "mc_%02d" /* the last closed months, from 01, the newest: a baseline's */
#define FIELD_CONSENT "consiente"
#define FIELD_CONSENT_HOW "modo_cons"
#define FIELD_CONSENT_TEXT "cons_texto"
#define FIELD_CONSENT_LANGUAGE "cons_lengua"
#define FIELD_CONSENT_FOLIO "cons_folio"
#define FIELD_RESULT "resultado" /* of the visit */
#define RESULT_COMPLETE "completa"
#define FIELD_WITHDRAWS "retira"
#define FIELD_PLACE "distrito"
#define FIELD_PERSON "tdd" /* also the list it is chosen from */

static cq_str value_of(const cq_filling *it, const char *name) {
  const cq_field *field = cq_form_find(it->form, cq_str_from(name));
  cq_entry node;
  if (!field || cq_interview_entry(it->interview, field->path, &node, NULL) != CQ_OK) return CQ_STR("");
  return cq_interview_value(it->interview, node);
}

/* --- season --- */

typedef struct season_part {
  char code[CQ_SEASON_REF_SIZE];
  char zone[256]; /* as much as an envelope holds */
  uint32_t version;
  int32_t months[CQ_RECORD_MAX_MONTHS];
  size_t month_count;
} season_part;

static cq_status load_calendar(const cq_laptop *laptop, cq_calendar **calendar, cq_error *error) {
  cq_str csv = cq_bundle_content_of(laptop->bundle)->calendar;
  return csv.size > 0 ? cq_calendar_load(calendar, csv, error) : cq_calendar_standard(calendar, error);
}

/* "2012-08" as the envelope has it; false where it is none. */
static bool parse_month(cq_str text, int32_t *month) {
  int64_t year, number;
  if (text.size != 7 || text.at[4] != '-' || !cq_str_int64((cq_str){text.at, 4}, &year) ||
      !cq_str_int64((cq_str){text.at + 5, 2}, &number) || number < 1 || number > 12)
    return false;
  *month = (int32_t)(year * 12 + number - 1);
  return true;
}

/* The months that a form asks about one by one, oldest first. */
static void find_months(const cq_filling *it, season_part *part) {
  for (int i = 12; i > 0; i--) {
    char name[16];
    snprintf(name, sizeof name, FIELD_MONTH, i);
    part->month_count += parse_month(value_of(it, name), &part->months[part->month_count]);
  }
}

typedef struct sought {
  const char *name;
  cq_buf value;
} sought;

static cq_status find_value(void *context, const cq_saved_value *value, cq_error *error) {
  sought *it = context;
  (void)error;
  if (cq_str_is(value->field->name, it->name)) {
    cq_buf_reset(&it->value);
    cq_buf_add_str(&it->value, value->text);
  }
  return CQ_OK;
}

/* A correction that leaves season and place alone keeps what the record says of them: the calendar may be another now.
 */
static cq_status keep_season(const cq_filling *it, season_part *part, bool *kept, cq_error *error) {
  const cq_envelope *before = it->parent ? &it->parent->envelope : NULL;
  sought place = {.name = FIELD_PLACE};
  if (!before || before->season.size == 0 || !cq_str_equal(before->season, value_of(it, FIELD_SEASON)) ||
      before->zone.size >= sizeof part->zone || before->season.size >= sizeof part->code)
    return CQ_OK;
  cq_status status = cq_form_read(it->form, it->parent->instance_xml, find_value, &place, NULL, error);
  *kept = status == CQ_OK && cq_str_equal(cq_buf_str(&place.value), value_of(it, FIELD_PLACE));
  cq_buf_fini_secret(&place.value);
  if (!*kept) return status;
  *part = (season_part){.version = before->calendar_version, .month_count = before->month_count};
  memcpy(part->code, before->season.at, before->season.size);
  if (before->zone.size > 0) memcpy(part->zone, before->zone.at, before->zone.size);
  if (before->month_count > 0) memcpy(part->months, before->months, before->month_count * sizeof *part->months);
  return CQ_OK;
}

/* A form that asks about a season names it; a baseline names its months; others belong to none. */
static cq_status find_season(const cq_filling *it, season_part *part, cq_error *error) {
  cq_season_ref ref;
  cq_season season;
  cq_calendar *calendar = NULL;
  bool kept = false;
  *part = (season_part){0};
  cq_status status = keep_season(it, part, &kept, error);
  if (status != CQ_OK || kept) return status;
  find_months(it, part);
  if (!cq_season_parse(value_of(it, FIELD_SEASON), &ref)) return CQ_OK;
  status = load_calendar(it->laptop, &calendar, error);
  if (status != CQ_OK) return status;
  cq_season_format(&ref, part->code);
  if (cq_calendar_season(calendar, value_of(it, FIELD_PLACE), &ref, 0, &season)) { /* its months are the season's */
    cq_str zone = cq_calendar_zone(calendar, value_of(it, FIELD_PLACE), ref.campaign, season.version);
    part->version = (uint32_t)season.version;
    if (zone.size < sizeof part->zone) memcpy(part->zone, zone.at, zone.size);
    part->month_count = cq_season_months(&season, part->months, CQ_RECORD_MAX_MONTHS);
    if (part->month_count > CQ_RECORD_MAX_MONTHS) part->month_count = CQ_RECORD_MAX_MONTHS;
  }
  cq_calendar_free(calendar);
  return CQ_OK;
}

/* --- subjects and consent --- */

static cq_status copy_subject(cq_arena *arena, cq_str list, cq_str entity, cq_subject *subject, cq_error *error) {
  cq_buf id = {0};
  cq_buf_add_text(&id, "uuid:");
  cq_buf_add_str(&id, entity);
  *subject = (cq_subject){cq_arena_copy(arena, list), cq_arena_copy(arena, cq_buf_str(&id))};
  bool copied = !id.failed && subject->dataset.at && subject->id.at;
  cq_buf_fini(&id);
  return copied ? CQ_OK : cq_error_nomem(error);
}

/* Whom the record is about: the entities that it changes; where it changes none, as when a visit was refused, the
 * person chosen from the list. */
static cq_status find_subjects(const cq_filling *it, cq_arena *arena, cq_entities *found, cq_subject **subjects,
                               size_t *count, cq_error *error) {
  cq_str person = value_of(it, FIELD_PERSON);
  cq_status status = cq_interview_entities(it->interview, arena, found, error);
  if (status != CQ_OK) return status;
  *count = found->count < CQ_RECORD_MAX_SUBJECTS ? found->count : CQ_RECORD_MAX_SUBJECTS;
  *subjects = cq_arena_array(arena, *count + 1, sizeof **subjects);
  if (!*subjects) return cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < *count; i++)
    status = copy_subject(arena, found->items[i].list, found->items[i].id, &(*subjects)[i], error);
  if (status == CQ_OK && *count == 0 && person.size > 0)
    status = copy_subject(arena, CQ_STR(FIELD_PERSON), person, &(*subjects)[(*count)++], error);
  return status;
}

static cq_consent find_consent(const cq_filling *it) {
  cq_consent consent = {0};
  cq_str said = value_of(it, FIELD_CONSENT);
  if (said.size == 0) return consent;
  consent.state =
      cq_str_is(said, "si") || cq_str_is(said, "yes") || cq_str_is(said, "1") ? CQ_CONSENT_GIVEN : CQ_CONSENT_REFUSED;
  if (cq_str_is(value_of(it, FIELD_WITHDRAWS), "si")) consent.state = CQ_CONSENT_WITHDRAWN;
  consent.how = value_of(it, FIELD_CONSENT_HOW);
  consent.language = value_of(it, FIELD_CONSENT_LANGUAGE);
  consent.folio = value_of(it, FIELD_CONSENT_FOLIO);
  cq_str text = value_of(it, FIELD_CONSENT_TEXT);
  if (text.size > 0) consent.text_hash = cq_hash_of(text.at, text.size);
  return consent;
}

/* --- result --- */

/* A form in which everything is answered may still tell of a visit without an interview: nobody was at home, or the
 * person declined. Such a record covers no season. */
cq_result cq_filling_result(const cq_filling *it, cq_result asked, cq_str *reason) {
  cq_str visit = value_of(it, FIELD_RESULT);
  if (asked != CQ_RESULT_COMPLETE) return asked;
  if (cq_str_is(value_of(it, FIELD_WITHDRAWS), "si")) return CQ_RESULT_WITHDRAWN;
  if (find_consent(it).state == CQ_CONSENT_REFUSED) return CQ_RESULT_REFUSED;
  if (visit.size == 0 || cq_str_is(visit, RESULT_COMPLETE)) return asked;
  if (reason && reason->size == 0) *reason = visit;
  return cq_str_is(visit, "rechazo") ? CQ_RESULT_REFUSED : CQ_RESULT_PARTIAL;
}

/* "ausente" and those like it are what panel.h takes for an absence. */
static cq_status built_in_reasons(cq_arena *arena, cq_choices *reasons, cq_error *error) {
  static const struct {
    const char *code, *words;
  } known[] = {{"ausente", N_("the person was away")},
               {"no_ubicado", N_("the person could not be found")},
               {"migro", N_("the person moved away")},
               {"fallecio", N_("the person died")},
               {"interrumpida", N_("the interview was interrupted")}};
  enum { KNOWN = sizeof known / sizeof *known };
  reasons->items = cq_arena_array(arena, KNOWN, sizeof *reasons->items);
  if (!reasons->items) return cq_error_nomem(error);
  for (; reasons->count < KNOWN; reasons->count++)
    reasons->items[reasons->count] = (cq_choice){.value = cq_str_from(known[reasons->count].code),
                                                 .label = cq_str_from(_(known[reasons->count].words))};
  return CQ_OK;
}

cq_status cq_filling_reasons(const cq_filling *it, cq_arena *arena, cq_choices *reasons, cq_error *error) {
  const cq_field *field = cq_form_find(it->form, CQ_STR(FIELD_RESULT));
  cq_choices all = {0};
  cq_entry node;
  *reasons = (cq_choices){0};
  if (field && field->control == CQ_CONTROL_SELECT1 &&
      cq_interview_entry(it->interview, field->path, &node, NULL) == CQ_OK) {
    cq_status status = cq_interview_choices(it->interview, node, arena, &all, error);
    if (status != CQ_OK) return status;
  }
  reasons->items = all.items;
  for (size_t i = 0; i < all.count; i++) {
    if (cq_str_is(all.items[i].value, RESULT_COMPLETE) || !cq_answer_is_code(all.items[i].value)) continue;
    reasons->items[reasons->count] = all.items[i];
    reasons->items[reasons->count++].chosen = false;
  }
  return reasons->count > 0 ? CQ_OK : built_in_reasons(arena, reasons, error);
}

/* --- audit trail --- */

typedef struct trail {
  cq_buf csv;
} trail;

static cq_status add_event(void *context, const cq_store_event *event) {
  cq_buf *csv = &((trail *)context)->csv;
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)event->device_utc_ms);
  cq_csv_add_field(csv, true, event->what, false);
  cq_csv_add_field(csv, false, event->reference, false);
  cq_csv_add_field(csv, false, cq_str_from(number), false);
  cq_csv_add_field(csv, false, event->before, false);
  cq_csv_add_field(csv, false, event->after, false);
  cq_csv_add_field(csv, false, event->who, false);
  cq_csv_end_row(csv);
  return CQ_OK;
}

/* A draft's begin names the record that it corrects; where there was none, this does. */
static cq_status write_begin(const cq_filling *it, trail *out) {
  char hex[65];
  cq_store_event event = {.device_utc_ms = it->begun_utc_ms,
                          .who = cq_str_from(it->laptop->technician),
                          .what = CQ_STR("begin"),
                          .before = cq_str_from(cq_hash_hex(&it->parent_name, hex))};
  return add_event(out, &event);
}

/* What a correction has changed in the end, however often on the way. */
static cq_status write_changes(const cq_filling *it, const cq_changes *changes, trail *out) {
  const cq_clock *clock = it->laptop->clock;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < changes->count; i++) {
    cq_store_event event = {.device_utc_ms = clock->now_utc_ms(clock->context),
                            .who = cq_str_from(it->laptop->technician),
                            .what = CQ_STR("change"),
                            .reference = changes->items[i].reference,
                            .before = changes->items[i].before,
                            .after = changes->items[i].after};
    status = add_event(out, &event);
  }
  return status;
}

/* A trail larger than a record may hold is left in the vault: the answers are what must travel. */
static cq_status write_trail(const cq_filling *it, const cq_changes *changes, trail *out, cq_error *error) {
  if (it->draft == 0 && !it->parent) return CQ_OK;
  cq_buf_add_text(&out->csv, "event,node,start,old-value,new-value,user\r\n");
  cq_status status =
      it->draft == 0 ? write_begin(it, out) : cq_store_audit(it->laptop->store, it->draft, add_event, out, error);
  if (status == CQ_OK) status = write_changes(it, changes, out);
  if (status == CQ_OK && out->csv.failed) return cq_error_nomem(error);
  if (out->csv.size > CQ_RECORD_MAX_AUDIT) cq_buf_reset(&out->csv);
  return status;
}

/* --- files --- */

typedef struct naming {
  const cq_filling *filling;
  cq_attachment *items;
  size_t count;
} naming;

static cq_status name_file(void *context, const cq_saved_value *value, cq_error *error) {
  naming *it = context;
  (void)error;
  const cq_attached *file =
      value->field->control == CQ_CONTROL_UPLOAD ? cq_filling_file(it->filling, value->text) : NULL;
  if (!file || it->count == it->filling->file_count) return CQ_OK;
  cq_attachment *item = &it->items[it->count++];
  *item = (cq_attachment){.name = cq_str_from(file->name), .size = (uint64_t)file->size};
  memcpy(item->hash.at, file->hash, sizeof item->hash.at);
  return CQ_OK;
}

static int by_name(const void *a, const void *b) {
  return cq_str_compare(((const cq_attachment *)a)->name, ((const cq_attachment *)b)->name);
}

/* Those that the record's answers name: what stood in a removed part or does not apply stays behind. */
static cq_status find_files(const cq_filling *it, cq_arena *arena, cq_str xml, cq_attachment **files, size_t *count,
                            cq_error *error) {
  naming found = {.filling = it, .items = cq_arena_array(arena, it->file_count + 1, sizeof *found.items)};
  if (!found.items) return cq_error_nomem(error);
  *files = found.items;
  if (it->file_count == 0) return CQ_OK;
  cq_status status = cq_form_read(it->form, xml, name_file, &found, NULL, error);
  qsort(found.items, found.count, sizeof *found.items, by_name);
  *count = found.count;
  return status;
}

/* --- the record --- */

typedef struct parts {
  cq_arena *arena;
  cq_buf xml, bytes;
  cq_attachment *files;
  size_t file_count;
  trail trail;
  cq_changes changes; /* of a correction */
  season_part season;
  cq_entities entities;
  cq_store_entity *rows; /* what the roster makes of them */
  size_t row_count;
  cq_subject *subjects;
  size_t subject_count;
} parts;

static cq_status fill_envelope(const cq_filling *it, const parts *from, cq_result result, cq_str reason,
                               cq_envelope *envelope, cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(it->laptop->bundle);
  const cq_clock *clock = it->laptop->clock;
  int64_t sequence = 0, now = clock->now_utc_ms(clock->context);
  *envelope =
      (cq_envelope){.programme = content->programme,
                    .mode = content->mode,
                    .form_id = cq_form_id(it->form),
                    .form_version = cq_form_version(it->form),
                    .form_hash = it->form_hash,
                    .instance_id = cq_interview_instance_id(it->interview),
                    .parents = it->parent ? &it->parent_name : NULL,
                    .parent_count = it->parent ? 1 : 0,
                    .subjects = from->subjects,
                    .subject_count = from->subject_count,
                    .zone = cq_str_from(from->season.zone),
                    .season = cq_str_from(from->season.code),
                    .calendar_version = from->season.version,
                    .months = from->season.months,
                    .month_count = from->season.month_count,
                    .result = result,
                    .reason = reason,
                    .technician = cq_str_from(it->laptop->technician),
                    .device = cq_device_id_of(&it->laptop->sign_key),
                    .begun_utc_ms = it->begun_utc_ms,
                    .finished_utc_ms = now,
                    /* the day of the visit, not of its correction */
                    .working_date = it->parent ? it->parent->envelope.working_date : cq_laptop_today(it->laptop),
                    .zone_minutes = clock->offset_minutes(clock->context, now),
                    .consent = find_consent(it)};
  envelope->offset_known = cq_home_clock_offset(it->laptop->home, now, &envelope->offset_ms);
  cq_status status = cq_store_sequence(it->laptop->store, &sequence, error);
  envelope->sequence = (uint64_t)sequence;
  return status;
}

static cq_status store_record(cq_filling *it, const parts *from, const cq_envelope *envelope, const cq_hash *name,
                              cq_error *error) {
  cq_str *subjects = cq_arena_array(from->arena, from->subject_count + 1, sizeof *subjects);
  cq_store_attachment *files = cq_arena_array(from->arena, from->file_count + 1, sizeof *files);
  if (!subjects || !files) return cq_error_nomem(error);
  for (size_t i = 0; i < from->file_count; i++) {
    files[i].name = from->files[i].name;
    files[i].media_type = cq_str_from(cq_media_named(files[i].name).type);
    memcpy(files[i].hash, from->files[i].hash.at, sizeof files[i].hash);
  }
  size_t count = from->subject_count < CQ_STORE_SUBJECTS_MAX ? from->subject_count : CQ_STORE_SUBJECTS_MAX;
  for (size_t i = 0; i < count; i++) subjects[i] = from->subjects[i].id;
  cq_str label = cq_interview_instance_name(it->interview);
  cq_store_record record = {.form_id = envelope->form_id,
                            .instance_id = envelope->instance_id,
                            .season = envelope->season,
                            .label = label.size > 0 ? label : cq_buf_str(&it->title),
                            .technician = envelope->technician,
                            .result = (int)envelope->result,
                            .subjects = subjects,
                            .subject_count = count,
                            .attachments = files,
                            .attachment_count = from->file_count,
                            .finalised_utc_ms = envelope->finished_utc_ms,
                            .entities = from->rows,
                            .entity_count = from->row_count};
  memcpy(record.name, name->at, sizeof record.name);
  memcpy(record.form, it->form_hash.at, sizeof record.form);
  memcpy(record.parent, it->parent_name.at, sizeof record.parent);
  return cq_store_finalise(it->laptop->store, it->draft, &record, cq_buf_str(&from->bytes), error);
}

/* A correction must correct something. */
static cq_status find_changes(const cq_filling *it, parts *from, cq_result result, cq_str reason, cq_error *error) {
  if (!it->parent) return CQ_OK;
  const cq_envelope *before = &it->parent->envelope;
  cq_status status = cq_correct_changes(it->form, it->parent->instance_xml, cq_buf_str(&from->xml), from->arena,
                                        &from->changes, error);
  if (status == CQ_OK && from->changes.count == 0 && before->result == result && cq_str_equal(before->reason, reason))
    status = cq_error_set(error, CQ_REFUSED, "collector.edit.same", NULL);
  return status;
}

/* What a form of another server changes is for that server's lists. */
static cq_status find_rows(const cq_filling *it, parts *from, cq_error *error) {
  cq_entities before = {0};
  cq_error wrong;
  cq_store *store = it->laptop->store;
  if (it->server.size > 0) return CQ_OK;
  if (!it->parent) return cq_roster_changes(store, &from->entities, from->arena, &from->rows, &from->row_count, error);
  cq_error_clear(&wrong); /* what breaks the rules of entities changed none */
  cq_status status = cq_form_entities(it->form, it->parent->instance_xml, from->arena, &before, &wrong);
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  return cq_roster_corrections(store, status == CQ_OK ? &before : &(cq_entities){0}, &from->entities, from->arena,
                               &from->rows, &from->row_count, error);
}

cq_status cq_filling_finalise(cq_filling *it, cq_result result, cq_str reason, cq_hash *name, cq_error *error) {
  parts from = {.arena = cq_arena_new(0)};
  cq_envelope envelope;
  cq_status status = from.arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_interview_finalise(it->interview, error);
  if (status == CQ_OK) status = find_season(it, &from.season, error);
  if (status == CQ_OK)
    status = find_subjects(it, from.arena, &from.entities, &from.subjects, &from.subject_count, error);
  if (status == CQ_OK) status = cq_interview_write(it->interview, CQ_WRITE_SUBMISSION, &from.xml, error);
  if (status == CQ_OK) status = find_files(it, from.arena, cq_buf_str(&from.xml), &from.files, &from.file_count, error);
  result = cq_filling_result(it, result, &reason);
  if (status == CQ_OK) status = find_changes(it, &from, result, reason, error);
  if (status == CQ_OK) status = write_trail(it, &from.changes, &from.trail, error);
  if (status == CQ_OK) status = fill_envelope(it, &from, result, reason, &envelope, error);
  if (status == CQ_OK) {
    cq_record record = {.envelope = envelope,
                        .instance_xml = cq_buf_str(&from.xml),
                        .audit = cq_buf_str(&from.trail.csv),
                        .attachments = from.files,
                        .attachment_count = from.file_count};
    status = cq_record_build(&from.bytes, name, &record, it->laptop->random, error);
  }
  if (status == CQ_OK) status = find_rows(it, &from, error);
  if (status == CQ_OK) status = store_record(it, &from, &envelope, name, error);
  cq_buf_fini_secret(&from.xml);
  cq_buf_fini_secret(&from.bytes);
  cq_buf_fini_secret(&from.trail.csv);
  cq_arena_free(from.arena);
  return status;
}

cq_status cq_filling_snapshot(const cq_filling *it, cq_buf *bytes, cq_error *error) {
  parts from = {.arena = cq_arena_new(0)};
  cq_record record = {0};
  cq_hash name;
  cq_status status = from.arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = find_season(it, &from.season, error);
  if (status == CQ_OK) status = cq_interview_write(it->interview, CQ_WRITE_DRAFT, &from.xml, error);
  if (status == CQ_OK) status = fill_envelope(it, &from, CQ_RESULT_DRAFT, CQ_STR(""), &record.envelope, error);
  if (status == CQ_OK) {
    record.instance_xml = cq_buf_str(&from.xml);
    status = cq_record_build(bytes, &name, &record, it->laptop->random, error);
  }
  cq_buf_fini_secret(&from.xml);
  cq_arena_free(from.arena);
  return status;
}
