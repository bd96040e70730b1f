/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms and interviews: all that a front end needs, and it knows neither XPath
 * nor XML.
 *
 * A cq_form is the definition: loaded once from the bytes of an ODK XForm,
 * immutable afterwards, and shared by any number of interviews. A
 * cq_interview is one filling of it: what is answered, what follows from it,
 * and where the person stands. Dependencies are found when the form is loaded,
 * so that an answer costs what depends on it and not the size of the form.
 *
 * A front end, in short:
 *
 *   cq_form_load(&form, xml, &lists, &error);
 *   cq_interview_begin(&interview, form, &setup, &error);
 *   for (cq_page page = …; cq_interview_page(interview, arena, &page, &error) == CQ_OK && page.kind != CQ_PAGE_END;) {
 *     show each of page.nodes with cq_interview_prompt() and cq_interview_choices();
 *     cq_interview_set(interview, node, text, CQ_SET_CHECKED, arena, &outcome, &error);
 *     cq_interview_forward(interview, &error) or cq_interview_back(…);
 *   }
 *   cq_interview_violations(…); cq_interview_finalise(…); cq_interview_write(interview, CQ_WRITE_SUBMISSION, &xml, …);
 *
 * Memory. Whatever an interview reads out goes into an arena of the caller, and
 * lives as long as that arena. What belongs to a form (cq_field, languages)
 * lives as long as the form. Text is UTF-8.
 *
 * Threads: a form and its interviews are used by one thread at a time.
 *
 * Source: ODK XForms specification (getodk.github.io/xforms-spec); where it is
 * silent, what JavaRosa stores (docs/dialect.md).
 */
#ifndef CHASQUI_FORMS_H
#define CHASQUI_FORMS_H

#include "chasqui/arena.h"
#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cq_form cq_form;
typedef struct cq_interview cq_interview;

/* What a hostile form meets: CQ_LIMIT "forms.limit.<what>", never the end of memory or time. */
enum {
  CQ_FORM_MAX_XML = 32 << 20,         /* bytes of a form, of a saved record, and of one external instance */
  CQ_FORM_MAX_DEPTH = 128,            /* elements within elements */
  CQ_FORM_MAX_FIELDS = 100000,        /* nodes of the primary instance as the form defines it */
  CQ_FORM_MAX_ITEMS = 1000000,        /* elements of secondary instances together */
  CQ_FORM_MAX_LISTS = 5000,           /* secondary instances */
  CQ_FORM_MAX_NODES = 1000000,        /* nodes of one interview, all repeat instances counted */
  CQ_FORM_MAX_REPEATS = 10000,        /* instances of one repeat in one parent, asked for by jr:count or by a person */
  CQ_FORM_MAX_EXPRESSION = 65536,     /* bytes of one expression */
  CQ_FORM_MAX_DEPENDENCIES = 1000000, /* pairs of a field and one that is read for it */
  CQ_FORM_MAX_LANGUAGES = 100,        /* translations of a form */
  CQ_FORM_MAX_TEXTS = 4000000,        /* translated texts, times languages */
  CQ_FORM_MAX_MEMORY = 512 << 20,     /* bytes of a form's tables, of each of its trees, and as much for an interview */
  CQ_FORM_MAX_STEPS = 60 * 1000000,   /* evaluation steps that one call may cost: about a second */
  CQ_FORM_MAX_VALUE = 1 << 20         /* bytes of one value, and of one label with what it shows */
};

/* ------------------------------------------------------------------------------------------ definition */

/*
 * Where external instances come from: `uri` as the form says it, "jr://file-csv/tdd.csv". CQ_OK with the file's bytes
 * in `out`, or CQ_NOTFOUND: the list is then empty and the form loads. Any other status refuses the form.
 */
typedef struct cq_form_lists {
  cq_status (*open)(void *context, cq_str uri, cq_buf *out, cq_error *error);
  void *context;
} cq_form_lists;

/* Lists from files "<folder>/<last part of the uri>"; a name with a slash or ".." in it is not found. `folder` is
 * borrowed while `lists` is used. */
void cq_form_lists_folder(cq_form_lists *lists, const char *folder);

/*
 * Compiles a form. `lists` may be NULL (all external instances empty) and is used only during the call. `xml` may be
 * freed afterwards. Errors, each with line or expression where it has one: forms.xml.* (not XML, no model, no primary
 * instance…), forms.bind.*, forms.body.*, forms.itext.*, forms.instance.* (a secondary instance), xpath.* (an
 * expression, with its column), forms.cycle (the path of the cycle is the argument), forms.limit.*.
 */
cq_status cq_form_load(cq_form **form, cq_str xml, const cq_form_lists *lists, cq_error *error);
void cq_form_free(cq_form *form); /* NULL is fine; after all its interviews */

cq_str cq_form_id(const cq_form *form);      /* "" where the form has none */
cq_str cq_form_version(const cq_form *form); /* "" where the form has none */
cq_str cq_form_title(const cq_form *form);
size_t cq_form_memory(const cq_form *form); /* bytes of the definition with its lists */

/* Languages in the order of the form, each as the form names it ("Español (es)"); 0 where it has no translations. */
size_t cq_form_language_count(const cq_form *form);
cq_str cq_form_language(const cq_form *form, size_t i);
size_t cq_form_default_language(const cq_form *form); /* its index */

/* External instances that the form asks for, by uri: what a bundle must bring with it. */
size_t cq_form_list_count(const cq_form *form);
cq_str cq_form_list_uri(const cq_form *form, size_t i);

typedef enum {
  CQ_TYPE_STRING,
  CQ_TYPE_INT,
  CQ_TYPE_DECIMAL,
  CQ_TYPE_BOOLEAN,
  CQ_TYPE_DATE,
  CQ_TYPE_TIME,
  CQ_TYPE_DATETIME,
  CQ_TYPE_GEOPOINT,
  CQ_TYPE_GEOTRACE,
  CQ_TYPE_GEOSHAPE,
  CQ_TYPE_BINARY, /* the name of an attached file */
  CQ_TYPE_BARCODE,
  CQ_TYPE_INTENT
} cq_type;

typedef enum {
  CQ_CONTROL_NONE, /* not in the body: calculated, preloaded, meta */
  CQ_CONTROL_INPUT,
  CQ_CONTROL_SELECT,  /* several, the value their names with a space between */
  CQ_CONTROL_SELECT1, /* one */
  CQ_CONTROL_RANK,    /* all, in an order */
  CQ_CONTROL_RANGE,
  CQ_CONTROL_UPLOAD,
  CQ_CONTROL_TRIGGER, /* "OK" once acknowledged */
  CQ_CONTROL_SECRET,
  CQ_CONTROL_GROUP,
  CQ_CONTROL_REPEAT
} cq_control;

typedef enum { CQ_PRIVACY_NONE, CQ_PRIVACY_DIRECT, CQ_PRIVACY_QUASI, CQ_PRIVACY_SENSITIVE, CQ_PRIVACY_FREE } cq_privacy;

#define CQ_FIELD_NONE SIZE_MAX

/* The namespace of Chasqui's own bind attributes, missing="ns nr na" and privacy="direct|quasi|sensitive|free". */
#define CQ_FORM_NAMESPACE "urn:chasqui:xforms"

/*
 * A node of the record as the form defines it: the columns of a table, and which table. Fields stand in document order,
 * a parent before its children; field 0 is the root.
 */
typedef struct cq_field {
  size_t index;
  size_t parent;   /* CQ_FIELD_NONE for the root */
  size_t repeat;   /* the nearest repeat around it (its own for what stands inside, not for the repeat); or NONE */
  size_t children; /* fields directly below; 0: it holds a value */
  cq_str path;     /* "/data/hogar/edad", without positions */
  cq_str name;     /* "edad" */
  cq_type type;
  cq_control control;
  bool is_repeat;
  bool is_attribute;  /* of the element above it; its name begins with "@" */
  bool is_meta;       /* stands in the meta block */
  bool is_calculated; /* has a calculation */
  bool has_required;  /* has a required expression other than false() */
  bool is_missing;    /* keeps the missing code of the field named in missing_of */
  size_t missing_of;  /* else CQ_FIELD_NONE */
  size_t missing_at;  /* the sibling (this field's name + "_missing") that keeps its missing code, or CQ_FIELD_NONE */
  cq_str missing;     /* codes that may stand for an answer, with spaces between: "ns nr na"; "" none */
  cq_privacy privacy;
  cq_str appearance; /* "" none */
  cq_str media_type; /* of an upload: "image/" + "*" and the like */
  cq_str save_to;    /* the entity property that it is saved to; "" none */
} cq_field;

size_t cq_form_field_count(const cq_form *form);
const cq_field *cq_form_field(const cq_form *form, size_t index);
/* By path ("/data/hogar/edad", positions are passed over) or by a name that only one field has; NULL: none. */
const cq_field *cq_form_find(const cq_form *form, cq_str path_or_name);

/*
 * The label of a field in a language (index), for column heads and codebooks: outputs stand as "${name}". "" none.
 * `text` is emptied first.
 */
cq_status cq_form_label(const cq_form *form, size_t field, size_t language, cq_buf *text, cq_error *error);
/* An attribute of the field's control or bind by local name ("rows", "max-pixels", "start"); "" none. */
cq_str cq_form_attribute(const cq_form *form, size_t field, const char *name);

typedef struct cq_choice {
  cq_str value;
  cq_str label;
  cq_str image, audio, video; /* uri, "" none */
  bool chosen;                /* part of the current answer; never set by cq_form_choices */
} cq_choice;

typedef struct cq_choices {
  size_t count;
  cq_choice *items; /* in the order offered */
} cq_choices;

/*
 * All choices that a select, select1 or rank can ever offer, unfiltered, with their labels in a language: value labels
 * of exports. Lists that are made from answers (a repeat as a list) give none.
 */
cq_status cq_form_choices(const cq_form *form, size_t field, size_t language, cq_arena *arena, cq_choices *choices,
                          cq_error *error);

/* ------------------------------------------------------------------------------------------ records without an
 * interview */

/*
 * A value of a saved record (submission or draft XML), read without evaluating anything: what the desk makes tables of.
 * All members are borrowed during the callback.
 */
typedef struct cq_saved_value {
  const cq_field *field;     /* a repeat instance itself is told too, with an empty text, before what stands in it */
  cq_str text;               /* as stored */
  const uint32_t *positions; /* of the repeats around it, outermost first, each from 1; its own last where it is one */
  size_t depth;              /* how many */
} cq_saved_value;

typedef cq_status (*cq_saved_each)(void *context, const cq_saved_value *value, cq_error *error);

/*
 * Tells every value of a record in document order; nodes that the form doesn't define are counted in *unknown
 * (nullable) and passed over. Stops with the status of `each` where that isn't CQ_OK. Errors: forms.record.xml (not
 * XML), forms.record.other (another form's), forms.limit.*.
 */
cq_status cq_form_read(const cq_form *form, cq_str record_xml, cq_saved_each each, void *context, size_t *unknown,
                       cq_error *error);

/* What a record says about an entity (ODK Entities 2024.1 and 2025.1). */
typedef enum { CQ_ENTITY_CREATE = 1, CQ_ENTITY_UPDATE = 2, CQ_ENTITY_UPSERT = 3 } cq_entity_action;

typedef struct cq_entity_property {
  cq_str name, value;
} cq_entity_property;

typedef struct cq_entity {
  cq_str list; /* dataset */
  cq_str id;   /* as written: "uuid:" is taken off */
  cq_entity_action action;
  cq_str label;
  int64_t base_version; /* 0: none said */
  int64_t trunk_version;
  cq_str branch_id;
  size_t property_count;
  cq_entity_property *properties; /* those with a saveto whose node is in the record */
} cq_entity;

typedef struct cq_entities {
  size_t count;
  cq_entity *items;
} cq_entities;

/* The entities that a finished record creates or updates (none where its block says neither). Errors as cq_form_read,
 * and forms.entity.id, forms.entity.label, forms.entity.list for a block that breaks the rules. */
cq_status cq_form_entities(const cq_form *form, cq_str record_xml, cq_arena *arena, cq_entities *entities,
                           cq_error *error);

/*
 * A list (CSV with the columns name and label, as ODK Central gives it) with what records of this device say of its
 * entities, in the order of the records, so that a follow-up finds a person registered minutes ago. Of `entities` those
 * of the list `dataset` count. Created: a row of version 1 is added; an id that is there already is changed instead.
 * Updated: its label and properties are changed and __version rises; the first change that no server has seen notes
 * __trunkVersion and begins a branch (__branchId); an id that is not there is passed over, as it may belong to another
 * device. Properties that the list lacks become columns. Appends to `out`. Errors as cq_csv_next.
 */
cq_status cq_entities_apply(cq_str csv, cq_str dataset, const cq_entities *entities, const cq_random *random,
                            cq_buf *out, cq_error *error);

/* ------------------------------------------------------------------------------------------ interview */

/* All text is copied. */
typedef struct cq_interview_setup {
  const cq_clock *clock;   /* borrowed by the interview; its offset is the time zone */
  const cq_random *random; /* borrowed by the interview */
  cq_date working_date;    /* what today() answers; year 0: the clock's civil day */
  cq_str device_id;
  cq_str user_name;
  cq_str phone_number, email; /* "" unknown */
  size_t language;            /* index; CQ_FIELD_NONE: the form's default */
  /* Where the person stands, for odk:setgeopoint: "lat lon alt acc" into out, or any status but CQ_OK. NULL: unknown.
   */
  cq_status (*geopoint)(void *context, cq_buf *out);
  void *geopoint_context;
} cq_interview_setup;

/* A new record: preloads, first-load events and every calculation are done, and the first page stands ready. */
cq_status cq_interview_begin(cq_interview **interview, const cq_form *form, const cq_interview_setup *setup,
                             cq_error *error);

/*
 * An edit, and the draft of one, begins as the record stood: a calculation is made anew when something in the record
 * that it reads changes, so that lists and clocks of today do not change what nobody touched.
 */
typedef enum {
  CQ_RESTORE_DRAFT, /* go on with it: the same instance ID, no first-load events */
  CQ_RESTORE_EDIT   /* a finalised record anew: a new instance ID, the old one in deprecatedID */
} cq_restore;

/*
 * From saved XML exactly (non-relevant values too, where it was written as a draft). `bookmark` as
 * cq_interview_bookmark gave it; empty or no longer true: the first page. Errors as cq_form_read.
 */
cq_status cq_interview_restore(cq_interview **interview, const cq_form *form, const cq_interview_setup *setup,
                               cq_str record_xml, cq_restore mode, cq_str bookmark, cq_error *error);
void cq_interview_free(cq_interview *interview); /* NULL is fine */

const cq_form *cq_interview_form(const cq_interview *interview);
size_t cq_interview_language(const cq_interview *interview);
cq_status cq_interview_set_language(cq_interview *interview, size_t language, cq_error *error);
/* Called when the technician confirms a date; what depends on today() follows. Year 0: the clock's. */
cq_status cq_interview_set_working_date(cq_interview *interview, cq_date date, cq_error *error);

/* ------------------------------------------------------------------------------------------ nodes */

/*
 * A node of an interview: a question, a group, a repeat (the whole row of its instances) or one of its instances. A
 * handle stays the same while its node exists and is never given to another; a handle of what was removed is answered
 * with CQ_NOTFOUND "forms.entry.gone".
 */
typedef uint32_t cq_entry;
#define CQ_ENTRY_NONE ((cq_entry)0)

typedef enum { CQ_ENTRY_VALUE, CQ_ENTRY_GROUP, CQ_ENTRY_REPEAT, CQ_ENTRY_INSTANCE } cq_entry_kind;

/*
 * By ref: an absolute path with positions from 1 ("/data/miembro[2]/edad"; one left out means 1). A path that ends at a
 * repeat without a position means its first instance; "/data/miembro[]" the repeat itself. Or by the plain name of a
 * field, then its first instance. CQ_NOTFOUND "forms.entry.none".
 */
cq_status cq_interview_entry(const cq_interview *interview, cq_str ref, cq_entry *node, cq_error *error);

typedef struct cq_entry_state {
  cq_entry node;
  cq_entry parent; /* the group, instance or repeat around it; CQ_ENTRY_NONE for the root */
  const cq_field *field;
  cq_entry_kind kind;
  bool relevant, readonly, required; /* with what is inherited */
  bool answered;                     /* holds a value, or its missing code does */
  uint32_t position;                 /* of an instance, from 1 */
  uint32_t count;                    /* of a repeat: its instances */
} cq_entry_state;

cq_status cq_interview_state(const cq_interview *interview, cq_entry node, cq_entry_state *state, cq_error *error);
/* Its ref with a position at every repeat. `ref` is emptied first. */
cq_status cq_interview_ref(const cq_interview *interview, cq_entry node, cq_buf *ref, cq_error *error);

/* The stored text; "" where empty. A non-relevant node's value is kept, and reads as "" here. Borrowed until the
 * interview changes. */
cq_str cq_interview_value(const cq_interview *interview, cq_entry node);
/* As a person reads it: labels of choices in the current language with ", " between, else the stored text. */
cq_status cq_interview_shown(cq_interview *interview, cq_entry node, cq_arena *arena, cq_str *shown, cq_error *error);

/* Relevant nodes of the body in order: groups, repeats, instances and questions, for a table of contents or a review.
 */
typedef struct cq_outline_row {
  cq_entry node;
  unsigned depth; /* 0: directly below the root */
} cq_outline_row;
cq_status cq_interview_outline(cq_interview *interview, cq_arena *arena, cq_outline_row **rows, size_t *count,
                               cq_error *error);
/* Those of the outline whose name, label or shown answer contains `text`, letter case and accents aside. */
cq_status cq_interview_search(cq_interview *interview, cq_str text, cq_arena *arena, cq_outline_row **rows,
                              size_t *count, cq_error *error);

/* ------------------------------------------------------------------------------------------ pages */

typedef enum {
  CQ_PAGE_QUESTION,   /* nodes: one question */
  CQ_PAGE_FIELD_LIST, /* nodes: what stands on one screen, in order: questions, and groups as headings */
  CQ_PAGE_REPEAT,     /* node: a repeat after its last instance: another one? */
  CQ_PAGE_END         /* all pages passed: review and finalise */
} cq_page_kind;

typedef struct cq_page {
  cq_page_kind kind;
  cq_entry node;         /* the question, the field-list group, the repeat; NONE at the end */
  const cq_entry *nodes; /* relevant ones only */
  size_t count;
  bool first;            /* nothing before it */
  const cq_entry *trail; /* groups and instances around it that have a label, outermost first */
  size_t trail_count;
} cq_page;

/* Where the person stands now. */
cq_status cq_interview_page(cq_interview *interview, cq_arena *arena, cq_page *page, cq_error *error);
/* To the next or previous page that is relevant; at the end (the beginning) nothing happens. Forward checks nothing: a
 * front end asks cq_interview_check() first. */
cq_status cq_interview_forward(cq_interview *interview, cq_error *error);
cq_status cq_interview_back(cq_interview *interview, cq_error *error);
/* To the page where a node stands; NONE: to the end. CQ_REFUSED "forms.page.none" where it is on none now. */
cq_status cq_interview_jump(cq_interview *interview, cq_entry node, cq_error *error);
cq_status cq_interview_jump_start(cq_interview *interview, cq_error *error);
/* Text that brings cq_interview_restore back to this page. */
cq_status cq_interview_bookmark(const cq_interview *interview, cq_buf *bookmark, cq_error *error);

/* ------------------------------------------------------------------------------------------ prompts */

typedef struct cq_prompt {
  cq_entry_state state;
  cq_str label; /* outputs resolved, in the current language; the name where a question has no label */
  cq_str hint, guidance;
  cq_str image, big_image, audio, video;       /* uri of the label's media; "" none */
  cq_str required_message, constraint_message; /* "" none said */
  cq_str value;                                /* stored text */
  cq_str missing;                              /* the missing code that stands now; "" none */
  bool can_add, can_remove;                    /* of a repeat: by a person */
  cq_str range_start, range_end, range_step;   /* of a range; "" else */
} cq_prompt;

cq_status cq_interview_prompt(cq_interview *interview, cq_entry node, cq_arena *arena, cq_prompt *prompt,
                              cq_error *error);
/* What is offered now: filtered, randomised where the form says so, in order. A node without choices has none. */
cq_status cq_interview_choices(cq_interview *interview, cq_entry node, cq_arena *arena, cq_choices *choices,
                               cq_error *error);

/* ------------------------------------------------------------------------------------------ answers */

typedef enum {
  CQ_SET_CHECKED, /* stored only where type and constraint allow it */
  CQ_SET_ANYWAY   /* stored where the constraint is broken too; what the type cannot hold is stored as empty */
} cq_set_mode;

typedef enum {
  CQ_SET_ACCEPTED,
  CQ_SET_CONSTRAINT,  /* breaks the constraint */
  CQ_SET_TYPE,        /* not a value of its type: an int has 32 bits, a date exists */
  CQ_SET_NOT_OFFERED, /* not among the choices now */
  CQ_SET_READONLY,
  CQ_SET_NOT_RELEVANT,
  CQ_SET_NO_VALUE /* a group or repeat */
} cq_set_result;

typedef struct cq_set_outcome {
  cq_set_result result;
  bool changed;   /* the stored value is another than before */
  cq_str message; /* of a broken constraint, in the current language; "" none said */
} cq_set_outcome;

/*
 * Sets a value from its stored form: numbers with a point; dates YYYY-MM-DD, times HH:MM:SS, dateTimes ISO 8601;
 * choices by value with spaces between; "" clears. All that depends on it follows before this returns. A missing code
 * that stood is cleared by a value. The status tells of faults of the form or the machine only; what was wrong with the
 * answer is in the outcome.
 */
cq_status cq_interview_set(cq_interview *interview, cq_entry node, cq_str text, cq_set_mode mode, cq_arena *arena,
                           cq_set_outcome *outcome, cq_error *error);
/* A missing code ("ns") in place of an answer, which is cleared; "" takes it away. CQ_SET_NOT_OFFERED where it isn't
 * one of field->missing. It satisfies `required`. */
cq_status cq_interview_set_missing(cq_interview *interview, cq_entry node, cq_str code, cq_arena *arena,
                                   cq_set_outcome *outcome, cq_error *error);

/* `repeat`: its handle, or one of its instances: the new one then comes after it. CQ_REFUSED "forms.repeat.fixed"
 * (jr:count, jr:noAddRemove), CQ_LIMIT "forms.limit.repeats". */
cq_status cq_interview_add(cq_interview *interview, cq_entry repeat, cq_entry *instance, cq_error *error);
cq_status cq_interview_remove(cq_interview *interview, cq_entry instance, cq_error *error);

/* ------------------------------------------------------------------------------------------ end */

typedef enum { CQ_VIOLATION_REQUIRED, CQ_VIOLATION_CONSTRAINT } cq_condition;

typedef struct cq_violation {
  cq_entry node;
  cq_condition condition;
  cq_str ref;
  cq_str message; /* in the current language; "" none said */
} cq_violation;

typedef struct cq_violations {
  size_t count;
  cq_violation *items; /* in document order */
} cq_violations;

/* Everything that stands in the way of a complete record. */
cq_status cq_interview_violations(cq_interview *interview, cq_arena *arena, cq_violations *violations, cq_error *error);
/* The same for one node, or for a page's nodes one after the other. */
cq_status cq_interview_check(cq_interview *interview, cq_entry node, cq_arena *arena, cq_violations *violations,
                             cq_error *error);

/* End timestamps, xforms-revalidate events, the entities block and instanceName. Violations are the caller's matter: a
 * partial or refused interview is finalised too. Answers may still be changed, and it called again. */
cq_status cq_interview_finalise(cq_interview *interview, cq_error *error);

typedef enum {
  CQ_WRITE_SUBMISSION, /* relevant nodes only, as a server receives it */
  CQ_WRITE_DRAFT       /* all nodes: cq_interview_restore gives back the same interview */
} cq_write;

/* Appends to `xml`. */
cq_status cq_interview_write(const cq_interview *interview, cq_write what, cq_buf *xml, cq_error *error);

cq_str cq_interview_instance_id(const cq_interview *interview);   /* "uuid:…"; borrowed until the interview changes */
cq_str cq_interview_instance_name(const cq_interview *interview); /* "" none */
cq_str cq_interview_deprecated_id(const cq_interview *interview); /* of an edit; "" none */
/* As the record stands now. What breaks the rules of entities (no label, no id) is left out, so that a partial or
 * refused interview can be finalised. */
cq_status cq_interview_entities(const cq_interview *interview, cq_arena *arena, cq_entities *entities, cq_error *error);
size_t cq_interview_memory(const cq_interview *interview); /* bytes */

/* ------------------------------------------------------------------------------------------ answers files */

typedef struct cq_answers_refusal {
  cq_str ref; /* as the file says it, with positions */
  cq_set_outcome outcome;
} cq_answers_refusal;

typedef struct cq_answers_report {
  size_t set;                   /* answers accepted */
  size_t count;                 /* of refusals */
  cq_answers_refusal *refusals; /* in the order of the file */
} cq_answers_report;

/*
 * Fills an interview from a script: a JSON object of names or refs and values, in order (docs/formats/answers.md). An
 * answer that is refused is reported and the rest goes on. Errors: forms.answers.json (with its offset),
 * forms.answers.unknown (a name the form doesn't have), forms.answers.kind.
 */
cq_status cq_answers_apply(cq_interview *interview, cq_str json, cq_arena *arena, cq_answers_report *report,
                           cq_error *error);

#endif
