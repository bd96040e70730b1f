/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chasqui-forms replay: scripted interviews in, what they answered out, one
 * JSON object on each line. A form author tests a form with it.
 *
 * In:  {id, tz, now_ms, files{uri: text}, steps[…]}
 * Out: {id, results[…]}, one for each step, {error} where it could not be done.
 */
#include "forms/tool/replay.h"
#include "chasqui/forms.h"
#include "forms/tool/random.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_LIMIT = 64 << 20 };

typedef struct session {
  const cJSON *asked;
  cq_clock clock;
  cq_form *form;
  cq_interview *interview;
  cq_arena *arena;
  cq_error error;
} session;

static int64_t now_asked(void *context) {
  const session *s = context;
  const cJSON *now = cJSON_GetObjectItemCaseSensitive(s->asked, "now_ms");
  return cJSON_IsNumber(now) && fabs(now->valuedouble) < 1e15 ? (int64_t)now->valuedouble
                                                              : cq_clock_system.now_utc_ms(NULL);
}

static int offset_asked(void *context, int64_t utc_ms) {
  (void)context;
  return cq_clock_system.offset_minutes(NULL, utc_ms); /* of the zone that `tz` set */
}

static cq_str text_of(const cJSON *object, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  return cJSON_IsString(item) ? cq_str_from(item->valuestring) : (cq_str){NULL, 0};
}

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  const session *s = context;
  (void)error;
  const cJSON *file;
  cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(s->asked, "files")) {
    if (!cq_str_is(uri, file->string) || !cJSON_IsString(file)) continue;
    cq_buf_add_text(out, file->valuestring);
    return CQ_OK;
  }
  return CQ_NOTFOUND;
}

static void add_string(cJSON *to, const char *key, cq_str text) {
  cq_buf copy = {0};
  cq_buf_add_str(&copy, text);
  cJSON_AddStringToObject(to, key, copy.at == NULL ? "" : copy.at);
  cq_buf_fini(&copy);
}

/* --- the steps: each adds its result to `out` --- */

typedef cq_status step_function(session *s, const cJSON *step, cJSON *out);

static void leave(session *s) {
  cq_interview_free(s->interview);
  cq_form_free(s->form);
  s->interview = NULL;
  s->form = NULL;
}

static cq_status step_init(session *s, const cJSON *step, cJSON *out) {
  (void)out;
  leave(s);
  const cq_form_lists lists = {open_list, s};
  cq_status status = cq_form_load(&s->form, text_of(step, "form"), &lists, &s->error);
  if (status != CQ_OK) return status;
  const cq_interview_setup setup = {.clock = &s->clock, .random = &cq_tool_random, .language = CQ_FIELD_NONE};
  return cq_interview_begin(&s->interview, s->form, &setup, &s->error);
}

static cq_status entry_of(session *s, const cJSON *step, cq_entry *entry) {
  return cq_interview_entry(s->interview, text_of(step, "ref"), entry, &s->error);
}

static void add_answer(cq_buf *text, const cJSON *value) {
  const cJSON *item;
  if (cJSON_IsString(value))
    cq_buf_add_text(text, value->valuestring);
  else if (cJSON_IsBool(value))
    cq_buf_add_text(text, cJSON_IsTrue(value) ? "1" : "0");
  else if (cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble) && fabs(value->valuedouble) < 1e15)
    cq_buf_addf(text, "%.0f", value->valuedouble);
  else if (cJSON_IsNumber(value))
    cq_buf_addf(text, "%.15g", value->valuedouble);
  if (cJSON_IsArray(value)) cJSON_ArrayForEach(item, value) {
      if (text->size > 0) cq_buf_add_char(text, ' ');
      add_answer(text, item);
    }
}

static cq_status step_answer(session *s, const cJSON *step, cJSON *out) {
  (void)out;
  cq_entry entry;
  cq_set_outcome outcome;
  cq_buf text = {0};
  cq_status status = entry_of(s, step, &entry);
  add_answer(&text, cJSON_GetObjectItemCaseSensitive(step, "value"));
  if (status == CQ_OK)
    status = cq_interview_set(s->interview, entry, cq_buf_str(&text), CQ_SET_ANYWAY, s->arena, &outcome, &s->error);
  cq_buf_fini(&text);
  return status;
}

/* "/data/r[2]/x[3]" names the repeat /data/r[2]/x[] and the place 3. */
static cq_status repeat_of(session *s, cq_str ref, cq_entry *repeat, int64_t *place) {
  size_t size = ref.size;
  *place = 0;
  if (size > 0 && ref.at[size - 1] == ']') {
    while (size > 0 && ref.at[size - 1] != '[') size--;
    if (size > 0 && !cq_str_int64((cq_str){ref.at + size, ref.size - size - 1}, place)) *place = 0;
    size = size > 0 ? size - 1 : 0;
  }
  cq_buf all = {0};
  cq_buf_add(&all, ref.at, size);
  cq_buf_add_text(&all, "[]");
  cq_status status = cq_interview_entry(s->interview, cq_buf_str(&all), repeat, &s->error);
  cq_buf_fini(&all);
  return status;
}

static cq_status step_add_repeat(session *s, const cJSON *step, cJSON *out) {
  cq_entry repeat, after, made;
  int64_t place;
  cq_entry_state state;
  cq_str ref = text_of(step, "ref");
  cq_status status = repeat_of(s, ref, &repeat, &place);
  if (status == CQ_OK) status = cq_interview_state(s->interview, repeat, &state, &s->error);
  if (status != CQ_OK) return status;
  if (place > 1 && place <= state.count) { /* between others: after the one before it */
    cq_buf before = {0};
    size_t size = ref.size;
    while (size > 0 && ref.at[size - 1] != '[') size--;
    cq_buf_add(&before, ref.at, size);
    cq_buf_addf(&before, "%d]", (int)place - 1);
    if (cq_interview_entry(s->interview, cq_buf_str(&before), &after, NULL) == CQ_OK) repeat = after;
    cq_buf_fini(&before);
  }
  status = cq_interview_add(s->interview, repeat, &made, &s->error);
  cq_buf name = {0};
  if (status == CQ_OK) status = cq_interview_ref(s->interview, made, &name, &s->error);
  if (status == CQ_OK) add_string(out, "ref", cq_buf_str(&name));
  cq_buf_fini(&name);
  return status;
}

static cq_status step_remove_repeat(session *s, const cJSON *step, cJSON *out) {
  (void)out;
  cq_entry entry;
  cq_status status = entry_of(s, step, &entry);
  return status == CQ_OK ? cq_interview_remove(s->interview, entry, &s->error) : status;
}

static cq_status step_value(session *s, const cJSON *step, cJSON *out) {
  cq_entry entry;
  cq_str value = {NULL, 0};
  if (cq_interview_entry(s->interview, text_of(step, "ref"), &entry, NULL) == CQ_OK)
    value = cq_interview_value(s->interview, entry);
  add_string(out, "value", value);
  return CQ_OK;
}

static cq_status step_node(session *s, const cJSON *step, cJSON *out) {
  cq_entry entry;
  cq_entry_state state;
  cq_status status = entry_of(s, step, &entry);
  if (status == CQ_OK) status = cq_interview_state(s->interview, entry, &state, &s->error);
  if (status != CQ_OK) return status;
  cJSON_AddBoolToObject(out, "relevant", state.relevant);
  cJSON_AddBoolToObject(out, "readonly", state.readonly);
  cJSON_AddBoolToObject(out, "required", state.required);
  add_string(out, "value", cq_interview_value(s->interview, entry));
  return CQ_OK;
}

static cq_status step_choices(session *s, const cJSON *step, cJSON *out) {
  cq_entry entry;
  cq_choices choices = {0};
  cq_status status = entry_of(s, step, &entry);
  if (status == CQ_OK) status = cq_interview_choices(s->interview, entry, s->arena, &choices, &s->error);
  if (status != CQ_OK) return status;
  cJSON *values = cJSON_AddArrayToObject(out, "values"), *labels = cJSON_AddArrayToObject(out, "labels");
  for (size_t i = 0; i < choices.count; i++) {
    cq_str value = cq_arena_copy(s->arena, choices.items[i].value),
           label = cq_arena_copy(s->arena, choices.items[i].label);
    if (value.at == NULL || label.at == NULL) return cq_error_nomem(&s->error);
    cJSON_AddItemToArray(values, cJSON_CreateString(value.at));
    cJSON_AddItemToArray(labels, cJSON_CreateString(label.at));
  }
  return CQ_OK;
}

static cq_status step_count(session *s, const cJSON *step, cJSON *out) {
  cq_entry repeat;
  cq_entry_state state;
  int64_t place;
  cq_status status = repeat_of(s, text_of(step, "ref"), &repeat, &place);
  if (status == CQ_OK) status = cq_interview_state(s->interview, repeat, &state, &s->error);
  if (status == CQ_OK) cJSON_AddNumberToObject(out, "n", state.count);
  return status;
}

static cq_status step_validate(session *s, const cJSON *step, cJSON *out) {
  (void)step;
  cq_violations found;
  cq_status status = cq_interview_violations(s->interview, s->arena, &found, &s->error);
  if (status != CQ_OK) return status;
  cJSON *list = cJSON_AddArrayToObject(out, "violations");
  for (size_t i = 0; i < found.count; i++) {
    cJSON *one = cJSON_CreateObject();
    add_string(one, "ref", found.items[i].ref);
    cJSON_AddStringToObject(one, "condition",
                            found.items[i].condition == CQ_VIOLATION_REQUIRED ? "required" : "constraint");
    add_string(one, "message", found.items[i].message);
    cJSON_AddItemToArray(list, one);
  }
  return CQ_OK;
}

static cq_status step_serialize(session *s, const cJSON *step, cJSON *out) {
  (void)step;
  cq_buf xml = {0};
  cq_status status = cq_interview_write(s->interview, CQ_WRITE_SUBMISSION, &xml, &s->error);
  if (status == CQ_OK) add_string(out, "instance", cq_buf_str(&xml));
  cq_buf_fini(&xml);
  return status;
}

static cq_status step_language(session *s, const cJSON *step, cJSON *out) {
  (void)out;
  cq_str lang = text_of(step, "lang");
  for (size_t i = 0; i < cq_form_language_count(s->form); i++)
    if (cq_str_equal(cq_form_language(s->form, i), lang)) return cq_interview_set_language(s->interview, i, &s->error);
  return cq_error_set(&s->error, CQ_NOTFOUND, "forms.language.none", NULL);
}

static cq_status prompt_of(session *s, const cJSON *step, cq_prompt *prompt) {
  cq_entry entry;
  cq_status status = entry_of(s, step, &entry);
  return status == CQ_OK ? cq_interview_prompt(s->interview, entry, s->arena, prompt, &s->error) : status;
}

static cq_status step_label(session *s, const cJSON *step, cJSON *out) {
  cq_prompt prompt;
  cq_status status = prompt_of(s, step, &prompt);
  if (status == CQ_OK) add_string(out, "text", prompt.label);
  return status;
}

static cq_status step_hint(session *s, const cJSON *step, cJSON *out) {
  cq_prompt prompt;
  cq_status status = prompt_of(s, step, &prompt);
  if (status == CQ_OK) add_string(out, "text", prompt.hint);
  return status;
}

static const struct {
  const char *name;
  step_function *run;
} steps[] = {{"init", step_init},
             {"answer", step_answer},
             {"add_repeat", step_add_repeat},
             {"remove_repeat", step_remove_repeat},
             {"value", step_value},
             {"node", step_node},
             {"choices", step_choices},
             {"count_repeats", step_count},
             {"validate", step_validate},
             {"serialize", step_serialize},
             {"set_language", step_language},
             {"label", step_label},
             {"hint", step_hint}};

/* --- one line --- */

static cJSON *fault(const cq_error *error) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  if (error->file[0] != '\0') cq_buf_addf(&what, " [%s]", error->file);
  cJSON *out = cJSON_CreateObject();
  cJSON_AddStringToObject(out, "error", what.at == NULL ? error->code : what.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
  return out;
}

static cJSON *run_step(session *s, const cJSON *step) {
  const char *op = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(step, "op"));
  cJSON *out = cJSON_CreateObject();
  cq_error_clear(&s->error);
  cq_arena_reset(s->arena);
  cq_status status = CQ_INVALID;
  size_t i = 0;
  while (i < sizeof steps / sizeof *steps && (op == NULL || strcmp(op, steps[i].name) != 0)) i++;
  if (i == sizeof steps / sizeof *steps)
    status = cq_error_set(&s->error, CQ_INVALID, "forms.replay.step", op == NULL ? "" : op, NULL);
  else if (i > 0 && s->interview == NULL)
    status = cq_error_set(&s->error, CQ_REFUSED, "forms.replay.init", NULL);
  else
    status = steps[i].run(s, step, out);
  if (status == CQ_OK) return out;
  cJSON_Delete(out);
  return fault(&s->error);
}

static void run_line(session *s, const cJSON *asked, cq_buf *out) {
  s->asked = asked;
  const char *zone = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asked, "tz"));
  if (zone != NULL && zone[0] != '\0') {
    setenv("TZ", zone, 1);
    tzset();
  }
  cJSON *answer = cJSON_CreateObject();
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(asked, "id"), *step;
  if (id != NULL) cJSON_AddItemToObject(answer, "id", cJSON_Duplicate(id, true));
  cJSON *results = cJSON_AddArrayToObject(answer, "results");
  step = cJSON_GetObjectItemCaseSensitive(asked, "steps");
  for (step = step == NULL ? NULL : step->child; step != NULL; step = step->next)
    cJSON_AddItemToArray(results, run_step(s, step));
  char *text = cJSON_PrintUnformatted(answer);
  cq_buf_add_text(out, text == NULL ? "{}" : text);
  cq_buf_add_char(out, '\n');
  cJSON_free(text);
  cJSON_Delete(answer);
  leave(s);
}

int cq_tool_replay(cq_cli *cli) {
  session s = {.arena = cq_arena_new(0)};
  s.clock = (cq_clock){now_asked, cq_clock_system.monotonic_ms, offset_asked, &s};
  char *line = NULL;
  size_t capacity = 0;
  int exit_status = CQ_EXIT_DONE;
  cq_buf out = {0};
  if (s.arena == NULL) return CQ_EXIT_ENVIRONMENT;
  for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0 && cq_cli_signal() == 0;) {
    if (cq_str_trim((cq_str){line, (size_t)size}).size == 0) continue;
    cJSON *asked = size > LINE_LIMIT ? NULL : cJSON_ParseWithLength(line, (size_t)size);
    if (!cJSON_IsObject(asked)) {
      cq_error error;
      cq_error_clear(&error);
      (void)cq_error_set(&error, CQ_INVALID, "forms.replay.json", NULL);
      exit_status = cq_cli_fail(cli, &error);
    } else {
      run_line(&s, asked, &out);
      fwrite(out.at, 1, out.size, stdout);
      fflush(stdout);
      cq_buf_reset(&out);
    }
    cJSON_Delete(asked);
  }
  free(line);
  cq_buf_fini(&out);
  cq_arena_free(s.arena);
  return exit_status;
}
