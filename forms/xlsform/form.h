/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form while it is compiled: a tree of elements in one arena, the choice
 * lists, the settings, and the faults found so far.
 *
 * The parts, in the order they run: sheets (headers), settings, choices,
 * survey (rows → tree), entities, references, then write (the XML) and lint.
 */
#ifndef CHASQUI_FORMS_XLSFORM_FORM_H
#define CHASQUI_FORMS_XLSFORM_FORM_H

#include "chasqui/arena.h"
#include "chasqui/xlsform.h"
#include "forms/xlsform/words.h"
#include "forms/xlsx/workbook.h"

/* Where something stands; row and column from 1, 0: none. */
typedef struct cq_place {
  const char *sheet;
  int64_t row, column;
  cq_str header;
} cq_place;

typedef struct cq_phrase {
  cq_str language; /* "": none named */
  cq_str text;
  int64_t column; /* from 1 */
} cq_phrase;

/* One text in its languages. Where any is named, the text is translated and goes through itext. */
typedef struct cq_phrases {
  cq_phrase *at;
  size_t count;
  bool translated;
} cq_phrases;

enum { CQ_MEDIA_IMAGE, CQ_MEDIA_BIG_IMAGE, CQ_MEDIA_AUDIO, CQ_MEDIA_VIDEO, CQ_MEDIA_COUNT };
extern const char *const cq_media_names[CQ_MEDIA_COUNT];

/* An attribute to be, of bind, control or instance; its value may hold ${references}. */
typedef struct cq_attr {
  struct cq_attr *next;
  cq_str name, value;
  int64_t column;
} cq_attr;

typedef struct cq_attrs {
  cq_attr *first, *last;
} cq_attrs;

typedef struct cq_list_item {
  struct cq_list_item *next;
  int64_t row;
  cq_str name;
  cq_phrases label, media[CQ_MEDIA_COUNT];
  cq_attrs extra; /* other columns */
} cq_list_item;

typedef struct cq_list {
  struct cq_list *next, *next_in_slot;
  cq_str name;
  int64_t row;
  cq_list_item *first, *last;
  size_t count;
  bool itext;     /* labels go through itext */
  bool by_search; /* a question of it uses search(): items stand in the body */
  bool used;
} cq_list;

typedef enum {
  CQ_ELEMENT_SURVEY,
  CQ_ELEMENT_GROUP,
  CQ_ELEMENT_REPEAT,
  CQ_ELEMENT_QUESTION,
  CQ_ELEMENT_EXTERNAL, /* csv-external: an instance alone */
  CQ_ELEMENT_META,     /* meta of the form, or of an entity */
  CQ_ELEMENT_ENTITY,
  CQ_ELEMENT_ATTRIBUTE /* of the entity's node */
} cq_element_kind;

typedef struct cq_action {
  struct cq_action *next;
  const char *name, *event;
  cq_str value; /* may hold references; "" none */
  cq_str quality;
} cq_action;

typedef struct cq_trigger {
  struct cq_trigger *next;
  struct cq_element *target; /* the element whose value changes */
  bool geopoint;
} cq_trigger;

typedef struct cq_element cq_element;
struct cq_element {
  cq_element *parent, *first, *last, *next;
  cq_element *next_in_slot, *next_of_name;
  cq_element_kind kind;
  int64_t row; /* 0: made by the compiler */
  const cq_word_type *type;
  cq_str type_text, name, path;
  int depth; /* of the survey: 0 */

  cq_phrases label, hint, guidance, media[CQ_MEDIA_COUNT];
  bool any_media;
  cq_phrases constraint_message, required_message, no_app_message;
  cq_attrs bind, control, instance;
  cq_str fixed; /* text or attribute value that stands in the instance */
  cq_str default_value, choice_filter, list_name, save_to, entity_list, parameters_text;
  int64_t type_column, name_column, default_column, filter_column, parameters_column, save_to_column, trigger_column,
      missing_column, privacy_column;
  cq_str missing, privacy;
  bool dynamic_default, from_file, control_hidden;
  cq_str file_value, file_label, seed; /* parameters of selects */
  bool randomize;
  cq_list *list;
  bool list_in_itemset; /* range with labels, geometry with references */
  cq_str trigger_text;
  cq_action *actions;
  cq_trigger *triggers; /* on this question's change */
  cq_element *meta;     /* a group's or repeat's own meta, of an entity */
};

typedef struct cq_settings {
  int64_t row;
  cq_str title, id, version, name, instance_name, instance_id, default_language, public_key, submission_url, auto_send,
      auto_delete, namespaces, style, instance_xmlns, prefix, delimiter;
  int64_t instance_name_column;
  cq_attrs attributes;
  bool allow_duplicates, omit_instance_id, flat, client_editable, clean_text;
} cq_settings;

typedef struct cq_instance {
  struct cq_instance *next;
  cq_str id, source;
  const char *kind;
} cq_instance;

typedef struct cq_fault_list {
  cq_xlsform_fault *at; /* heap */
  size_t count, room, errors, warnings;
} cq_fault_list;

enum { CQ_SLOTS = 1 << 16 };

typedef struct cq_form_draft {
  cq_arena *arena, *scratch;
  struct cq_names *names; /* of the expressions */
  const cq_workbook *book;
  const cq_xlsform_options *options;
  const char *fallback_id;
  cq_settings settings;
  cq_list *lists, *last_list, *external_lists, *osm_lists;
  cq_list **list_slots;
  cq_element *root, *meta;
  cq_element **name_slots;
  cq_instance *instances, *last_instance;
  cq_str languages[64]; /* in the order they are met */
  size_t language_count;
  const char *entity_version; /* NULL: no entity */
  size_t entity_count;
  bool last_saved, missing_used, privacy_used;
  cq_fault_list faults;
  bool no_memory;
} cq_form_draft;

/* --- memory: NULL or an empty string where it is out, and no_memory set --- */
void *cq_draft_alloc(cq_form_draft *form, size_t size);
cq_str cq_draft_copy(cq_form_draft *form, cq_str text);
cq_str cq_draft_format(cq_form_draft *form, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cq_draft_attr(cq_form_draft *form, cq_attrs *attrs, cq_str name, cq_str value, int64_t column);
cq_attr *cq_attr_of(const cq_attrs *attrs, const char *name); /* NULL: none */

/* --- faults --- */
void cq_fault(cq_form_draft *form, cq_xlsform_severity severity, const char *code, cq_place place, cq_str found,
              const char *expected, cq_str nearest);
/* The same of a fault between two: `other` is the other's name. */
void cq_fault_between(cq_form_draft *form, cq_xlsform_severity severity, const char *code, cq_place place, cq_str found,
                      const char *expected, cq_str other);
void cq_fault_error(cq_form_draft *form, const char *code, cq_place place, cq_str found);
void cq_fault_warning(cq_form_draft *form, const char *code, cq_place place, cq_str found);
/* The nearest of `count` names to `found` within a third of its length; empty: none is near. */
cq_str cq_nearest(cq_str found, const cq_str *names, size_t count);
void cq_faults_sort(cq_form_draft *form);

/* --- the tree --- */
cq_element *cq_element_add(cq_form_draft *form, cq_element *parent, cq_element_kind kind, cq_str name, int64_t row);
cq_element *cq_element_next(const cq_element *root, const cq_element *at); /* preorder; NULL at the end */
cq_element *cq_element_named(const cq_form_draft *form, cq_str name);      /* the first of that name */
void cq_paths_set(cq_form_draft *form);
cq_list *cq_list_named(const cq_form_draft *form, cq_str name);
bool cq_name_valid(cq_str name);               /* an XML name, with one prefix at most */
size_t cq_name_size(cq_str text, size_t from); /* bytes of the name that begins there; 0: none */
uint32_t cq_name_hash(cq_str name);
cq_place cq_survey_place(const cq_form_draft *form, int64_t row, int64_t column);

/* --- the passes --- */
void cq_read_settings(cq_form_draft *form);
void cq_read_choices(cq_form_draft *form);
void cq_read_survey(cq_form_draft *form);
void cq_read_entities(cq_form_draft *form);
void cq_check_search(cq_form_draft *form); /* lists that search() fills are no instances */
void cq_check_references(cq_form_draft *form);
void cq_find_instances(cq_form_draft *form);
void cq_lint(cq_form_draft *form);
void cq_write_form(cq_form_draft *form, cq_buf *out);

#endif
