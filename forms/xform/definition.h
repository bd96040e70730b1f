/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form as loaded: the frozen tree of its XML with tables on top. Nothing here
 * changes after cq_form_load; what changes stands in forms/engine.
 *
 * Fields are the nodes of the primary instance, each once, however many
 * instances a repeat will have ("generic"). A dependency is between fields,
 * with a pivot: the field whose instance both ends share.
 */
#ifndef FORMS_XFORM_DEFINITION_H
#define FORMS_XFORM_DEFINITION_H

#include "chasqui/forms.h"
#include "forms/xpath/tree.h"
#include "forms/xpath/xpath.h"

#define CQ_NONE UINT32_MAX /* no field, no control */

#define CQ_SPACE_XFORMS "http://www.w3.org/2002/xforms"
#define CQ_SPACE_XHTML "http://www.w3.org/1999/xhtml"
#define CQ_SPACE_JAVAROSA "http://openrosa.org/javarosa"
#define CQ_SPACE_OPENROSA "http://openrosa.org/xforms"
#define CQ_SPACE_ODK "http://www.opendatakit.org/xforms"
#define CQ_SPACE_ENTITIES "http://www.opendatakit.org/xforms/entities"

/* Words that the loader compares with, interned once. */
typedef struct cq_words {
  cq_atom xforms, xhtml, javarosa, openrosa, odk, entities, chasqui; /* namespaces */
  cq_atom head, body, title, model, instance, itext, translation, text, value, output, bind, submission, label, hint;
  cq_atom item, itemset, copy, input, select, select1, rank, range, upload, trigger, secret, group, repeat;
  cq_atom setvalue, setgeopoint;
  cq_atom id, lang, def, form, nodeset, ref, type, calculate, relevant, readonly, required, constraint, src, event;
  cq_atom constraint_msg, required_msg, preload, preload_params, count, no_add_remove, template_, saveto, version;
  cq_atom appearance, mediatype, method, meta, instance_id, instance_name, deprecated_id, entity, root;
  cq_atom missing, privacy, start, end, step, xmlns, entities_version;
} cq_words;

/* A text that people read: a label, a hint, a message. All members empty: none. */
typedef struct cq_text {
  const cq_node *element;     /* holds text and outputs */
  cq_atom itext;              /* the id of a translation */
  const cq_xpath *itext_id;   /* whose answer is such an id */
  const cq_xpath *expression; /* whose answer is the text */
  cq_str literal;
} cq_text;

typedef struct cq_item_definition {
  cq_str value;
  cq_text label;
} cq_item_definition;

typedef struct cq_itemset {
  const cq_xpath *nodeset;
  bool randomize;        /* nodeset is what randomize() is given, without a seed */
  const cq_xpath *value; /* at an item */
  cq_text label;         /* at an item */
  bool dynamic;          /* made from answers or filtered by them */
} cq_itemset;

typedef struct cq_control_definition {
  cq_control kind;
  uint32_t field;  /* CQ_NONE: a group without a ref */
  uint32_t parent; /* control; CQ_NONE at the top of the body */
  uint32_t first, next;
  const cq_node *element;
  cq_text label, hint;
  cq_str appearance;
  bool field_list;
  const cq_xpath *count; /* of a repeat */
  bool no_add_remove;
  cq_itemset *itemset; /* NULL: none */
  cq_item_definition *items;
  size_t item_count;
} cq_control_definition;

enum { /* events, as bits */
       CQ_EVENT_FIRST_LOAD = 1,
       CQ_EVENT_LOAD = 2,
       CQ_EVENT_NEW_REPEAT = 4,
       CQ_EVENT_VALUE_CHANGED = 8,
       CQ_EVENT_REVALIDATE = 16
};

typedef struct cq_action {
  unsigned events;
  bool geopoint;
  uint32_t source;       /* field of the control or repeat it stands in; CQ_NONE: in the model */
  uint32_t target;       /* field; CQ_NONE: found by `ref` when it runs */
  const cq_xpath *ref;   /* NULL where the target is plain */
  const cq_xpath *value; /* NULL: the literal */
  cq_str literal;
  uint32_t next_of_source; /* the next action of the same source, CQ_NONE */
} cq_action;

typedef enum { CQ_FOR_RELEVANT, CQ_FOR_CALCULATE, CQ_FOR_CHOICES, CQ_FOR_COUNT } cq_purpose;

/* Somebody who reads a field: when it changes, `what` of `field` is settled anew. */
typedef struct cq_dependent {
  uint32_t field;
  uint32_t pivot; /* the field whose instance reader and read share */
  uint8_t what;   /* cq_purpose */
  bool structure; /* only which nodes are there matters */
  bool position;  /* only the place among its siblings matters */
  bool inside;    /* a group's relevance that reads what stands in the group: told of answers, not of relevance */
} cq_dependent;

typedef enum {
  CQ_CONSTANT_NO,
  CQ_CONSTANT_FALSE,
  CQ_CONSTANT_TRUE
} cq_constant; /* of a condition that nothing changes */

typedef struct cq_condition_definition {
  const cq_xpath *expression; /* NULL: none */
  cq_constant constant;
} cq_condition_definition;

/* What a field has beside its public part; same index. */
typedef struct cq_field_definition {
  cq_atom local, prefix, space;
  bool is_attribute;
  bool multiple; /* a repeat, or several nodes of the same name */
  bool has_template;
  uint32_t parent, first, next, ordinal; /* ordinal: place among the parent's children */
  uint32_t child_count;
  uint32_t depth;
  uint32_t descendants; /* fields below it: index + 1 … index + descendants */
  const cq_node *model; /* in the form's tree: what a new node looks like */
  const cq_node *bind;
  const cq_xpath *calculate, *constraint;
  cq_condition_definition relevant, readonly, required;
  cq_text required_message, constraint_message;
  cq_str preload, preload_params;
  uint32_t control;      /* CQ_NONE */
  uint32_t first_action; /* whose source it is, CQ_NONE */
  uint32_t rank_relevant, rank_value;
  const cq_dependent *dependents;
  uint32_t dependent_count;
} cq_field_definition;

typedef struct cq_itext_entry {
  cq_atom id;
  const cq_node **texts; /* by language; NULL where it lacks one */
} cq_itext_entry;

typedef struct cq_secondary {
  cq_str id;
  cq_str uri;    /* "" inline */
  cq_node *node; /* instance element or document */
  cq_tree *tree; /* of an external one; owned */
} cq_secondary;

struct cq_form {
  cq_arena *arena;
  cq_names *names;
  cq_tree *document; /* frozen */
  cq_words words;
  const cq_xpath_space *spaces;
  size_t space_count;
  cq_str id, version, title;
  cq_str primary_id; /* of the primary <instance>, "" none */
  const cq_node *primary;
  cq_field *fields;
  cq_field_definition *definitions;
  uint32_t field_count, field_capacity;
  cq_control_definition *controls;
  uint32_t control_count, control_capacity, first_control;
  cq_action *actions;
  uint32_t action_count, action_capacity;
  cq_str *languages;
  size_t language_count, default_language;
  cq_itext_entry *itexts; /* open addressing by atom */
  size_t itext_capacity, itext_count;
  cq_secondary *secondaries;
  size_t secondary_count;
  cq_str *list_uris;
  size_t list_count;
  uint32_t *by_path; /* fields by path, open addressing */
  size_t by_path_capacity;
  uint32_t meta, instance_id, instance_name, deprecated_id; /* fields, CQ_NONE */
  struct cq_shared *shared;                                 /* expressions by text */
  size_t shared_capacity, shared_count;
  /* Fields whose calculation or relevance reads the clock, or the language. */
  uint32_t *clock_readers, *language_readers;
  uint32_t clock_count, language_reader_count;
  unsigned entities_version; /* year of entities-version, 0 none */
};

/* --- forms/xform/fields.c --- */
cq_status cq_fields_load(cq_form *form, cq_error *error);
/* The child of a field by name; CQ_NONE. `prefix` and `space` as in cq_node. */
uint32_t cq_fields_child(const cq_form *form, uint32_t field, cq_atom local, cq_atom space, bool attribute);
/* A plain path ("/data/a/b", "../b", "b") from a field (CQ_NONE: the top); CQ_NONE: no such field, or not plain. */
uint32_t cq_fields_resolve(const cq_form *form, cq_str path, uint32_t from);
/* The field of a node of the form's primary instance. */
uint32_t cq_fields_of_model(const cq_form *form, const cq_node *node);
bool cq_fields_is_below(const cq_form *form, uint32_t field, uint32_t ancestor); /* or is it */

/* --- forms/xform/binds.c --- */
cq_status cq_binds_load(cq_form *form, const cq_node *model, cq_error *error);
uint32_t cq_fields_of_bind(const cq_form *form, cq_str id); /* CQ_NONE */

/* --- forms/xform/body.c --- */
cq_status cq_body_load(cq_form *form, const cq_node *body, cq_error *error);

/* --- forms/xform/actions.c --- */
bool cq_actions_is(const cq_form *form, const cq_node *element);
cq_status cq_actions_load(cq_form *form, const cq_node *element, uint32_t source, cq_error *error);

/* --- forms/xform/itext.c --- */
cq_status cq_itext_load(cq_form *form, const cq_node *itext, cq_error *error);
const cq_node *cq_itext_find(const cq_form *form, cq_atom id, size_t language); /* <text>, or NULL */
/* A text from an element (label, hint) or from an attribute's value (a message). */
cq_status cq_text_of_element(cq_form *form, const cq_node *element, cq_text *text, cq_error *error);
cq_status cq_text_of_value(cq_form *form, cq_str value, cq_text *text, cq_error *error);
bool cq_text_is_empty(const cq_text *text);
/* Compiles the outputs inside an element; their expressions stand in the output's `user`. */
cq_status cq_text_outputs(cq_form *form, const cq_node *element, cq_error *error);

/* --- forms/xform/lists.c --- */
cq_status cq_lists_load(cq_form *form, const cq_node *model, const cq_form_lists *lists, cq_error *error);
cq_node *cq_lists_find(const cq_form *form, cq_str id); /* instance element or document; NULL */

/* --- forms/xform/csv_list.c, forms/xform/geojson_list.c --- */
cq_status cq_lists_from_csv(cq_tree **tree, cq_names *names, cq_str text, cq_error *error);
cq_status cq_lists_from_geojson(cq_tree **tree, cq_names *names, cq_str text, cq_error *error);

/* --- forms/xform/expressions.c --- */
/* Compiles, or finds the same text compiled before. `owner` tells where it stands in an error. */
cq_status cq_expression_compile(cq_form *form, cq_str text, const cq_xpath **expression, cq_error *error);
/* Where a condition can be settled at load, it is. */
void cq_expression_fold(cq_form *form, cq_condition_definition *condition);

/* --- forms/xform/graph.c --- */
cq_status cq_graph_load(cq_form *form, cq_error *error);
/* Lines "reader <- read" for people, or DOT. */
void cq_graph_write(const cq_form *form, bool dot, cq_buf *out);

/* --- forms/xform/load.c --- */
cq_str cq_attribute(const cq_node *node, cq_atom local, cq_atom space); /* "" none */
bool cq_is_xforms(const cq_form *form, const cq_node *node, cq_atom local);

#endif
