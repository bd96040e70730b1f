/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of XLSForm: question types, column headers, parameters, and their
 * other spellings. docs/xlsform.md lists the same; a test holds the two together.
 */
#ifndef CHASQUI_FORMS_XLSFORM_WORDS_H
#define CHASQUI_FORMS_XLSFORM_WORDS_H

#include "chasqui/str.h"

/* What a question is, apart from the spelling of its type. */
typedef enum {
  CQ_KIND_PLAIN, /* nothing special beyond control and bind */
  CQ_KIND_TEXT,
  CQ_KIND_NOTE,
  CQ_KIND_CALCULATE,
  CQ_KIND_SELECT,
  CQ_KIND_SELECT_EXTERNAL, /* input with a query over itemsets.csv */
  CQ_KIND_RANK,
  CQ_KIND_RANGE,
  CQ_KIND_PHOTO,
  CQ_KIND_AUDIO,
  CQ_KIND_OSM,
  CQ_KIND_GEOPOINT,
  CQ_KIND_GEOSHAPE, /* and trace */
  CQ_KIND_AUDIT,
  CQ_KIND_EXTERNAL, /* csv-external, xml-external: an instance, no node */
  CQ_KIND_START_GEOPOINT,
  CQ_KIND_BACKGROUND_GEOPOINT,
  CQ_KIND_BACKGROUND_AUDIO
} cq_kind;

typedef struct cq_word_type {
  const char *name;  /* as written in the sheet */
  const char *canon; /* its usual spelling */
  cq_kind kind;
  const char *tag;  /* of the control; NULL: no control */
  const char *bind; /* data type; NULL: no bind of its own */
  const char *mediatype;
  const char *preload, *preload_params;
  const char *constraint, *hint;
  bool readonly;
} cq_word_type;

const cq_word_type *cq_type_of(cq_str name);  /* NULL: unknown */
const cq_word_type *cq_type_at(size_t index); /* NULL beyond the end */

/* "select_one", "select all that apply from", …: the type it makes. */
typedef struct cq_select_word {
  const char *name;
  const char *canon; /* name in the table of types */
  bool from_file;
} cq_select_word;
const cq_select_word *cq_select_word_at(size_t index);

/* begin/end of: group, repeat, lgroup, looped group, loop. */
typedef enum { CQ_BLOCK_NONE, CQ_BLOCK_GROUP, CQ_BLOCK_REPEAT, CQ_BLOCK_LOOP } cq_block;
cq_block cq_block_of(cq_str word);

/* --- columns --- */
typedef enum {
  CQ_COLUMN_UNKNOWN,
  CQ_COLUMN_TYPE,
  CQ_COLUMN_NAME,
  CQ_COLUMN_LABEL,
  CQ_COLUMN_HINT,
  CQ_COLUMN_GUIDANCE,
  CQ_COLUMN_MEDIA,    /* with what: image, big-image, audio, video */
  CQ_COLUMN_BIND,     /* with the attribute: relevant, jr:constraintMsg, … */
  CQ_COLUMN_CONTROL,  /* with the attribute: appearance, jr:count, … */
  CQ_COLUMN_INSTANCE, /* with the attribute of the instance's node */
  CQ_COLUMN_DEFAULT,
  CQ_COLUMN_TRIGGER,
  CQ_COLUMN_CHOICE_FILTER,
  CQ_COLUMN_PARAMETERS,
  CQ_COLUMN_INTENT,
  CQ_COLUMN_DISABLED,
  CQ_COLUMN_LIST,
  CQ_COLUMN_MISSING, /* ours */
  CQ_COLUMN_PRIVACY, /* ours */
  CQ_COLUMN_IGNORED  /* known elsewhere, without effect here */
} cq_column_id;

typedef struct cq_column_word {
  const char *name; /* snake case */
  cq_column_id id;
  const char *attribute; /* of media, bind, control, instance; NULL: the second part of the header says */
  const char *canon;     /* the usual header */
} cq_column_word;

const cq_column_word *cq_survey_column_of(cq_str name); /* NULL: unknown */
const cq_column_word *cq_choice_column_of(cq_str name);
const cq_column_word *cq_survey_column_at(size_t index);

/* settings and entities: header → the usual one; NULL: unknown. */
const char *cq_settings_column_of(cq_str name);
const char *cq_settings_column_at(size_t index);
const char *cq_entities_column_of(cq_str name);
const char *cq_entities_column_at(size_t index);

/* --- parameters: which keys a kind of question takes --- */
const char *const *cq_parameters_of(cq_kind kind, bool from_file); /* ended by NULL */

/* yes, Yes, TRUE, true() → 1; no… → 0; anything else → -1 */
int cq_yes_no(cq_str text);

#endif
