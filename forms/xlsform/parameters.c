/* SPDX-License-Identifier: Apache-2.0 */
/* The column parameters: "key=value key=value", checked and applied type by type. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/survey.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 32 };

typedef struct pairs {
  cq_str key[MAX_PAIRS], value[MAX_PAIRS];
  size_t count;
  bool bad;
} pairs;

/* Cut at semicolons, else at commas, else at white space. */
static char separator_of(cq_str text) {
  if (memchr(text.at, ';', text.size)) return ';';
  return memchr(text.at, ',', text.size) ? ',' : ' ';
}

static bool same_key(cq_str a, cq_str b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; i++) {
    if (tolower((unsigned char)a.at[i]) != tolower((unsigned char)b.at[i])) return false;
  }
  return true;
}

static void take_pair(pairs *p, cq_str part) {
  const char *equals = memchr(part.at, '=', part.size);
  if (!equals || p->count == MAX_PAIRS) {
    p->bad = true;
    return;
  }
  cq_str key = cq_str_trim((cq_str){part.at, (size_t)(equals - part.at)});
  cq_str value = {equals + 1, part.size - (size_t)(equals + 1 - part.at)};
  const char *more = memchr(value.at, '=', value.size);
  if (more) value.size = (size_t)(more - value.at);
  size_t at = 0;
  while (at < p->count && !same_key(p->key[at], key)) at++;
  p->key[at] = key;
  p->value[at] = cq_str_trim(value);
  if (at == p->count) p->count++;
}

static pairs parse(cq_str text) {
  pairs p = {.count = 0};
  text = cq_str_trim(text);
  if (text.size == 0) return p;
  char separator = separator_of(text);
  for (size_t from = 0; from <= text.size;) {
    size_t end = from;
    while (end < text.size && !(separator == ' ' ? isspace((unsigned char)text.at[end]) : text.at[end] == separator))
      end++;
    cq_str part = {text.at + from, end - from};
    if (separator != ' ' || part.size > 0) take_pair(&p, part);
    from = end + 1;
  }
  return p;
}

bool cq_parameter(const cq_element *question, const char *key, cq_str *value) {
  pairs p = parse(question->parameters_text);
  for (size_t i = 0; i < p.count; i++) {
    if (!same_key(p.key[i], cq_str_from(key))) continue;
    *value = p.value[i];
    return true;
  }
  return false;
}

static void fault(cq_form_draft *form, const cq_element *q, const char *code, cq_str found, const char *expected) {
  cq_fault(form, CQ_XLSFORM_ERROR, code, cq_survey_place(form, q->row, q->parameters_column), found, expected,
           (cq_str){"", 0});
}

static bool known_key(const char *const *keys, cq_str key) {
  for (; *keys; keys++) {
    if (same_key(key, cq_str_from(*keys))) return true;
  }
  return false;
}

static void check_keys(cq_form_draft *form, const cq_element *q, const pairs *p) {
  const char *const *keys = cq_parameters_of(q->type->kind, q->from_file);
  cq_str names[16];
  size_t count = 0;
  cq_buf all = {0};
  for (; count < 16 && keys[count]; count++) {
    names[count] = cq_str_from(keys[count]);
    cq_buf_addf(&all, "%s%s", count ? ", " : "", keys[count]);
  }
  const char *expected = all.at ? cq_draft_copy(form, cq_buf_str(&all)).at : "";
  cq_buf_fini(&all);
  for (size_t i = 0; i < p->count; i++) {
    if (known_key(keys, p->key[i])) continue;
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.parameter.unknown", cq_survey_place(form, q->row, q->parameters_column),
             p->key[i], expected, cq_nearest(p->key[i], names, count));
  }
}

/* Plain decimal notation, as a form author writes a number. */
static bool number_of(cq_str text, double *value) {
  char copy[64];
  if (text.size == 0 || text.size >= sizeof copy) return false;
  for (size_t i = 0; i < text.size; i++) {
    if (!strchr("+-.0123456789eE", text.at[i]) || !text.at[i]) return false;
  }
  memcpy(copy, text.at, text.size);
  copy[text.size] = 0;
  char *end = NULL;
  *value = strtod(copy, &end);
  return *end == 0 && isfinite(*value);
}

static bool whole_of(cq_str text, int64_t *value) {
  return cq_str_int64(text, value);
}

static bool one_of(cq_str value, const char *const *words) {
  for (; *words; words++) {
    if (cq_str_is(value, *words)) return true;
  }
  return false;
}

static void bind_word(cq_form_draft *form, cq_element *q, const char *key, const char *attribute,
                      const char *const *words, const char *expected) {
  cq_str value;
  if (!cq_parameter(q, key, &value)) return;
  if (one_of(value, words))
    cq_draft_attr(form, &q->bind, cq_str_from(attribute), value, q->parameters_column);
  else
    fault(form, q, "xlsform.parameter.value", value, expected);
}

static const char *const true_false[] = {"true", "false", NULL};

/* --- selects --- */
static void apply_select(cq_form_draft *form, cq_element *q) {
  cq_str value;
  bool random = cq_parameter(q, "randomize", &value);
  if (random) {
    char low[8] = {0};
    for (size_t i = 0; i < value.size && i < 7; i++) low[i] = (char)tolower((unsigned char)value.at[i]);
    q->randomize = strcmp(low, "true") == 0;
    if (!q->randomize && strcmp(low, "false") != 0) fault(form, q, "xlsform.parameter.value", value, "true, false");
  }
  if (cq_parameter(q, "seed", &q->seed)) {
    cq_reference whole;
    double number;
    if (!random)
      fault(form, q, "xlsform.parameter.seed", q->seed, "randomize=true");
    else if (!cq_reference_whole(q->seed, &whole) && !number_of(q->seed, &number)) {
      fault(form, q, "xlsform.parameter.value", q->seed, "42, ${name}");
    }
  }
  cq_str *names[] = {&q->file_value, &q->file_label};
  const char *const keys[] = {"value", "label"};
  for (int i = 0; i < 2; i++) {
    if (cq_parameter(q, keys[i], names[i]) && !cq_name_valid(*names[i]))
      fault(form, q, "xlsform.name.characters", *names[i], NULL);
  }
}

/* --- range --- */
typedef struct range {
  double start, end, step, tick, placeholder;
  bool has_tick, has_placeholder, fine;
} range;

/* Whether `value` lies a whole number of steps from zero. */
static bool multiple(double value, double step) {
  double ratio = value / step;
  return fabs(ratio - nearbyint(ratio)) < 1e-9 * fmax(1.0, fabs(ratio));
}

static double range_number(cq_form_draft *form, const cq_element *q, range *r, const char *key, double fallback,
                           bool *given) {
  cq_str text;
  double value = fallback;
  bool there = cq_parameter(q, key, &text);
  if (given) *given = there;
  if (there && !number_of(text, &value)) {
    fault(form, q, "xlsform.parameter.number", text, key);
    r->fine = false;
  }
  return value;
}

static void range_step(cq_form_draft *form, const cq_element *q, range *r, double step, const char *key) {
  cq_str name = cq_str_from(key);
  if (step == 0)
    fault(form, q, "xlsform.range.zero", name, NULL);
  else if (step > fabs(r->end - r->start))
    fault(form, q, "xlsform.range.wide", name, NULL);
  else
    return;
  r->fine = false;
}

static bool within(const range *r, double value) {
  return value >= fmin(r->start, r->end) && value <= fmax(r->start, r->end);
}

static void range_labels(cq_form_draft *form, cq_element *q, const range *r, cq_str list_name, bool no_ticks) {
  q->list = cq_list_named(form, list_name);
  if (!q->list) {
    fault(form, q, "xlsform.list.unknown", list_name, NULL);
    return;
  }
  q->list->used = true;
  q->list_name = list_name;
  q->list_in_itemset = true;
  bool start = false, end = false, other = false;
  for (const cq_list_item *choice = q->list->first; choice; choice = choice->next) {
    double value;
    if (!number_of(choice->name, &value)) {
      fault(form, q, "xlsform.range.label.number", choice->name, NULL);
    } else if (!within(r, value)) {
      fault(form, q, "xlsform.range.outside", choice->name, NULL);
    } else if (!multiple(value - r->start, r->has_tick ? r->tick : r->step)) {
      fault(form, q, "xlsform.range.label.step", choice->name, NULL);
    } else {
      start = start || value == r->start;
      end = end || value == r->end;
      other = other || (value != r->start && value != r->end);
    }
  }
  if (no_ticks && (other || !start || !end)) fault(form, q, "xlsform.range.label.noticks", list_name, NULL);
}

static bool fraction(double value) {
  return value != floor(value);
}

static void set_control(cq_form_draft *form, cq_element *q, const char *attribute, const char *key,
                        const char *fallback) {
  cq_str value = cq_str_from(fallback);
  bool given = cq_parameter(q, key, &value);
  if (given || fallback) cq_draft_attr(form, &q->control, cq_str_from(attribute), value, q->parameters_column);
}

static void apply_range(cq_form_draft *form, cq_element *q) {
  range r = {.fine = true};
  const cq_attr *appearance = cq_attr_of(&q->control, "appearance");
  bool no_ticks = appearance && strstr(appearance->value.at, "no-ticks");
  bool plain = !appearance || no_ticks || strstr(appearance->value.at, "vertical");
  cq_str labels = {"", 0}, unused;
  bool has_labels = cq_parameter(q, "tick_labelset", &labels);
  if (!plain && (has_labels || cq_parameter(q, "tick_interval", &unused) || cq_parameter(q, "placeholder", &unused))) {
    fault(form, q, "xlsform.range.appearance", appearance->value, "vertical, no-ticks");
  }
  r.start = range_number(form, q, &r, "start", 1, NULL);
  r.end = range_number(form, q, &r, "end", 10, NULL);
  r.step = range_number(form, q, &r, "step", 1, NULL);
  r.tick = range_number(form, q, &r, "tick_interval", 1, &r.has_tick);
  r.placeholder = range_number(form, q, &r, "placeholder", 1, &r.has_placeholder);
  if (!r.fine) return;
  range_step(form, q, &r, r.step, "step");
  if (r.has_tick) range_step(form, q, &r, r.tick, "tick_interval");
  if (!r.fine) return;
  if (r.has_tick && !multiple(r.tick, r.step)) fault(form, q, "xlsform.range.multiple", CQ_STR("tick_interval"), NULL);
  if (r.has_placeholder && !multiple(r.placeholder - r.start, r.step)) {
    fault(form, q, "xlsform.range.multiple", CQ_STR("placeholder"), NULL);
  } else if (r.has_placeholder && !within(&r, r.placeholder)) {
    fault(form, q, "xlsform.range.outside", CQ_STR("placeholder"), NULL);
  }
  if (has_labels) range_labels(form, q, &r, labels, no_ticks);
  if (fraction(r.start) || fraction(r.end) || fraction(r.step) || (r.has_tick && fraction(r.tick)) ||
      (r.has_placeholder && fraction(r.placeholder))) {
    cq_draft_attr(form, &q->bind, CQ_STR("type"), CQ_STR("decimal"), 0);
  }
  set_control(form, q, "start", "start", "1");
  set_control(form, q, "end", "end", "10");
  set_control(form, q, "step", "step", "1");
  set_control(form, q, "odk:tick-interval", "tick_interval", NULL);
  set_control(form, q, "odk:placeholder", "placeholder", NULL);
}

/* --- media --- */

/* "org.ejemplo.app": at least two parts, each a letter and then letters, digits, underscores. */
static bool package_name(cq_str name) {
  size_t part = 0, parts = 1;
  for (size_t i = 0; i < name.size; i++) {
    unsigned char c = (unsigned char)name.at[i];
    if (c == '.') {
      if (part == 0) return false;
      part = 0;
      parts++;
    } else if (part == 0 ? !isalpha(c) : !(isalnum(c) || c == '_')) {
      return false;
    } else {
      part++;
    }
  }
  return part > 0 && parts > 1;
}

static void apply_photo(cq_form_draft *form, cq_element *q) {
  cq_str value;
  int64_t pixels;
  if (q->default_value.size && !q->dynamic_default && !strstr(q->default_value.at, "jr://images/")) {
    q->default_value = cq_draft_format(form, "jr://images/%.*s", (int)q->default_value.size, q->default_value.at);
  }
  if (!cq_parameter(q, "max-pixels", &value)) {
    cq_place place = cq_survey_place(form, q->row, q->parameters_column ? q->parameters_column : q->type_column);
    cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.photo.pixels", place, q->name, "max-pixels=1024", (cq_str){"", 0});
  } else if (whole_of(value, &pixels)) {
    cq_draft_attr(form, &q->bind, CQ_STR("orx:max-pixels"), value, q->parameters_column);
  } else {
    fault(form, q, "xlsform.parameter.number", value, "max-pixels");
  }
  const cq_attr *appearance = cq_attr_of(&q->control, "appearance");
  if (!cq_parameter(q, "app", &value) || (appearance && !cq_str_is(appearance->value, "annotate"))) return;
  if (package_name(value))
    cq_draft_attr(form, &q->control, CQ_STR("intent"), value, q->parameters_column);
  else
    fault(form, q, "xlsform.parameter.value", value, "org.example.app");
}

static void apply_audio(cq_form_draft *form, cq_element *q) {
  static const char *const words[] = {"voice-only", "low", "normal", "external", NULL};
  static const char *const background[] = {"voice-only", "low", "normal", NULL};
  if (q->type->kind == CQ_KIND_AUDIO) {
    bind_word(form, q, "quality", "odk:quality", words, "voice-only, low, normal, external");
    return;
  }
  cq_str quality = {"", 0};
  if (cq_parameter(q, "quality", &quality) && !one_of(quality, background)) {
    fault(form, q, "xlsform.parameter.value", quality, "voice-only, low, normal");
  }
  cq_add_action(form, q, "odk:recordaudio", "odk-instance-load", (cq_str){"", 0}, quality);
}

/* --- places --- */
static void threshold(cq_form_draft *form, cq_element *q, const char *key, const char *attribute) {
  cq_str value;
  double number;
  if (!cq_parameter(q, key, &value)) return;
  if (number_of(value, &number))
    cq_draft_attr(form, &q->control, cq_str_from(attribute), value, q->parameters_column);
  else
    fault(form, q, "xlsform.parameter.number", value, key);
}

static void apply_place(cq_form_draft *form, cq_element *q) {
  cq_str value;
  bind_word(form, q, "allow-mock-accuracy", "odk:allow-mock-accuracy", true_false, "true, false");
  if (q->type->kind == CQ_KIND_GEOPOINT) {
    threshold(form, q, "capture-accuracy", "accuracyThreshold");
    threshold(form, q, "warning-accuracy", "unacceptableAccuracyThreshold");
  } else if (cq_parameter(q, "incremental", &value)) {
    if (cq_yes_no(value) == 1)
      cq_draft_attr(form, &q->control, CQ_STR("incremental"), CQ_STR("true"), q->parameters_column);
    else
      fault(form, q, "xlsform.parameter.value", value, "true");
  }
  if (!cq_parameter(q, "reference-geometry", &value)) return;
  q->list_name = value;
  q->list_in_itemset = true;
  q->list = cq_list_named(form, value);
  if (q->list) q->list->used = true;
}

/* --- the audit --- */
static void apply_audit_location(cq_form_draft *form, cq_element *q) {
  static const char *const words[] = {"no-power", "low-power", "balanced", "high-accuracy", NULL};
  cq_str priority, interval, age;
  bool p = cq_parameter(q, "location-priority", &priority), i = cq_parameter(q, "location-min-interval", &interval),
       a = cq_parameter(q, "location-max-age", &age);
  if (!p && !i && !a) return;
  if (!p || !i || !a) {
    fault(form, q, "xlsform.audit.location", q->parameters_text,
          "location-priority, location-min-interval, location-max-age");
    return;
  }
  bind_word(form, q, "location-priority", "odk:location-priority", words,
            "no-power, low-power, balanced, high-accuracy");
  int64_t seconds = 0, oldest = 0;
  if (!whole_of(interval, &seconds) || seconds < 0)
    fault(form, q, "xlsform.parameter.number", interval, "location-min-interval");
  else if (!whole_of(age, &oldest) || oldest < 0)
    fault(form, q, "xlsform.parameter.number", age, "location-max-age");
  else if (oldest < seconds)
    fault(form, q, "xlsform.audit.age", age, NULL);
  cq_draft_attr(form, &q->bind, CQ_STR("odk:location-min-interval"), interval, q->parameters_column);
  cq_draft_attr(form, &q->bind, CQ_STR("odk:location-max-age"), age, q->parameters_column);
}

static void apply_audit(cq_form_draft *form, cq_element *q) {
  static const char *const reasons[] = {"on-form-edit", NULL};
  bind_word(form, q, "track-changes", "odk:track-changes", true_false, "true, false");
  bind_word(form, q, "track-changes-reasons", "odk:track-changes-reasons", reasons, "on-form-edit");
  bind_word(form, q, "identify-user", "odk:identify-user", true_false, "true, false");
  apply_audit_location(form, q);
}

void cq_apply_parameters(cq_form_draft *form, cq_element *q) {
  pairs p = parse(q->parameters_text);
  if (p.bad) {
    fault(form, q, "xlsform.parameter.form", q->parameters_text, "key=value key=value");
    q->parameters_text = (cq_str){"", 0};
  } else if (*cq_parameters_of(q->type->kind, q->from_file)) {
    check_keys(form, q, &p);
  }
  switch (q->type->kind) {
  case CQ_KIND_SELECT:
  case CQ_KIND_SELECT_EXTERNAL:
  case CQ_KIND_RANK: apply_select(form, q); break;
  case CQ_KIND_RANGE: apply_range(form, q); break;
  case CQ_KIND_PHOTO: apply_photo(form, q); break;
  case CQ_KIND_AUDIO:
  case CQ_KIND_BACKGROUND_AUDIO: apply_audio(form, q); break;
  case CQ_KIND_GEOPOINT:
  case CQ_KIND_GEOSHAPE: apply_place(form, q); break;
  case CQ_KIND_AUDIT: apply_audit(form, q); break;
  case CQ_KIND_START_GEOPOINT:
    cq_add_action(form, q, "odk:setgeopoint", "odk-instance-first-load", (cq_str){"", 0}, (cq_str){"", 0});
    break;
  case CQ_KIND_TEXT: {
    cq_str rows;
    int64_t count;
    if (!cq_parameter(q, "rows", &rows)) break;
    if (whole_of(rows, &count))
      cq_draft_attr(form, &q->control, CQ_STR("rows"), rows, q->parameters_column);
    else
      fault(form, q, "xlsform.parameter.number", rows, "rows");
    break;
  }
  default: break;
  }
}
