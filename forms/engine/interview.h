/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an interview is made of: the tree of its record, and beside each node a
 * slot with what the engine knows about it. Slots reach their children in O(1)
 * by the ordinal of the field, so that dependents are found without a search.
 */
#ifndef FORMS_ENGINE_INTERVIEW_H
#define FORMS_ENGINE_INTERVIEW_H

#include "forms/xform/definition.h"

typedef struct cq_slot cq_slot;
typedef struct cq_row cq_row;

typedef union cq_kid {
  cq_slot *slot; /* of a single field; NULL: not there */
  cq_row *row;   /* of a multiple one */
} cq_kid;

struct cq_slot {
  cq_node *node; /* its `user` is this slot */
  cq_slot *parent;
  cq_row *row; /* that it is an instance of; NULL */
  cq_kid *kids;
  uint32_t field;
  uint32_t index; /* in its row, from 0 */
  cq_entry handle;
  bool own;                                         /* its own relevance */
  bool relevant;                                    /* with its ancestors' */
  bool waits_relevance, waits_value, waits_choices; /* queued */
  bool stale_relevance, stale_value, stale_choices; /* to be settled when it becomes relevant */
  bool saved;                                       /* it stood in the record that is restored */
  bool gone;
};

/* A repeat in one parent: the row of its instances. */
struct cq_row {
  cq_slot *parent;
  uint32_t field;
  cq_entry handle;
  cq_slot **at;
  uint32_t count, capacity;
  cq_slot **kept; /* instances that a smaller count took away, to be given back by a larger one; last first */
  uint32_t kept_count, kept_capacity;
  bool waits_count;
};

typedef struct cq_waiting {
  uint32_t rank;
  bool value; /* else relevance */
  cq_slot *slot;
} cq_waiting;

typedef struct cq_slot_list {
  cq_slot **at;
  size_t count, capacity;
} cq_slot_list;

typedef struct cq_row_list {
  cq_row **at;
  size_t count, capacity;
} cq_row_list;

typedef struct cq_entry_place {
  cq_slot *slot;
  cq_row *row;
} cq_entry_place;

typedef struct cq_cursor {
  cq_page_kind kind;
  cq_entry entry; /* of the question, the repeat, or of the first question of a field list */
} cq_cursor;

struct cq_interview {
  const cq_form *form;
  cq_tree *tree;
  cq_slot *root;
  cq_node *no_list;  /* an empty instance */
  cq_arena *arena;   /* slots and rows */
  cq_arena *scratch; /* of one evaluation */
  cq_clock clock;    /* shifted to the working date */
  const cq_clock *device_clock;
  cq_random random;
  cq_xpath_host host;
  cq_date working_date;
  cq_str device_id, user_name, phone_number, email;
  cq_status (*geopoint)(void *context, cq_buf *out);
  void *geopoint_context;
  size_t language;
  cq_str instance_id, deprecated_id; /* where the form has no node for them */
  cq_entry_place *entries;
  size_t entry_count, entry_capacity;
  size_t node_count;
  cq_waiting *heap;
  size_t heap_count, heap_capacity;
  cq_row_list counts;    /* repeats whose count waits */
  cq_slot_list choices;  /* selects whose filter changed */
  cq_slot_list changed;  /* values that changed and have actions */
  bool loading;          /* events of value changes don't fire, faults refuse */
  bool keep_instance_id; /* it stands in the record that is restored */
  bool keep_calculated;  /* an edit: what was calculated stands until something in the record that it reads changes */
  bool nomem;
  unsigned text_depth; /* texts within texts */
  size_t spent;        /* work of the evaluations since the call began, CQ_FORM_MAX_STEPS at most */
  int64_t shuffle;     /* what unseeded lists are shuffled by: the same order throughout an interview */
  cq_cursor cursor;
};

/* --- record.c: a saved record of this form; its own names go with it --- */
typedef struct cq_saved {
  cq_names *names;
  cq_tree *tree;
  const cq_node *top;
} cq_saved;

/* Close it after a failure too. */
cq_status cq_saved_open(cq_saved *saved, const cq_form *form, cq_str record_xml, cq_error *error);
void cq_saved_close(cq_saved *saved);

/* --- slots.c: the tree and its slots --- */
cq_status cq_slots_build(cq_interview *interview, const cq_node *saved, cq_error *error);
/* A new instance at `index`, from the template; its calculations wait. */
cq_status cq_slots_insert(cq_interview *interview, cq_row *row, uint32_t index, cq_slot **instance, cq_error *error);
void cq_slots_remove(cq_interview *interview, cq_slot *instance, bool keep);
cq_slot *cq_slots_child(const cq_interview *interview, const cq_slot *slot, uint32_t field); /* of a single field */
cq_row *cq_slots_row(const cq_interview *interview, const cq_slot *slot, uint32_t field);
/* The instance of `field` that shares the instances around `from`; the first where there are several; NULL. */
cq_slot *cq_slots_near(const cq_interview *interview, const cq_slot *from, uint32_t field);
cq_slot *cq_slots_up(cq_slot *slot, uint32_t field); /* its ancestor (or itself) of that field; NULL */
cq_str cq_slot_text(const cq_slot *slot);            /* "" where not relevant */
/* Calls for every slot at and below, parents first. */
void cq_slots_each(const cq_interview *interview, cq_slot *slot, void (*call)(cq_interview *, cq_slot *));

/* --- settle.c: the queue --- */
void cq_settle_relevance(cq_interview *interview, cq_slot *slot);
void cq_settle_value(cq_interview *interview, cq_slot *slot);
/* Somebody reads this node: they wait from now on. `nodes`: those too who only read which nodes are there. */
void cq_settle_readers(cq_interview *interview, cq_slot *slot, bool nodes);
void cq_settle_places(cq_interview *interview, cq_row *row, uint32_t from); /* places after `from` changed */
void cq_settle_count(cq_interview *interview, cq_row *row);
/* Sets a stored text; readers and actions wait. */
cq_status cq_settle_text(cq_interview *interview, cq_slot *slot, cq_str text, cq_error *error);
/* Until nothing waits. */
cq_status cq_settle(cq_interview *interview, cq_error *error);

/* --- evaluate.c --- */
void cq_evaluate_prepare(cq_interview *interview);
/* Into scratch; the caller rewinds. */
cq_status cq_evaluate(cq_interview *interview, const cq_xpath *expression, const cq_node *node, cq_xpath_value *value,
                      cq_error *error);
cq_status cq_evaluate_condition(cq_interview *interview, const cq_condition_definition *condition, const cq_slot *slot,
                                bool none, bool *out, cq_error *error);
/* As the field's type stores it. */
cq_status cq_evaluate_text(cq_interview *interview, const cq_xpath *expression, const cq_slot *slot, cq_arena *arena,
                           cq_str *text, cq_error *error);
/* CQ_LIMIT where the work of this call has come to its end, though nobody was told. */
cq_status cq_evaluate_spent(const cq_interview *interview, cq_error *error);
bool cq_evaluate_goes_on(const cq_interview *interview, cq_status status);
bool cq_slot_readonly(cq_interview *interview, const cq_slot *slot);
bool cq_slot_required(cq_interview *interview, const cq_slot *slot);

/* --- check.c --- */
/* Whether a stored value breaks its constraint. An empty one never does. */
bool cq_slot_breaks_constraint(cq_interview *interview, const cq_slot *slot);

/* --- value.c --- */
/* The form a type stores it in; false: not of that type. `whole` cuts a decimal down to an int. */
bool cq_value_normalize(cq_type type, cq_str text, bool whole, cq_arena *arena, cq_str *out);
void cq_value_timestamp(const cq_clock *clock, cq_buf *out);
void cq_value_uuid(const cq_random *random, cq_buf *out);

/* --- actions.c --- */
cq_status cq_actions_run(cq_interview *interview, unsigned event, cq_error *error); /* in all the form */
cq_status cq_actions_run_at(cq_interview *interview, unsigned event, cq_slot *at, cq_error *error); /* one source */
void cq_preload(cq_interview *interview, bool end);
cq_str cq_preload_property(const cq_interview *interview, cq_str name); /* "deviceid", …; "" unknown */
void cq_preload_name(cq_interview *interview);                          /* a new instance ID where one is preloaded */

/* --- text.c --- */
/* `kind` "" plain, or "guidance", "image", "big-image", "audio", "video". */
cq_status cq_text_resolve(cq_interview *interview, const cq_text *text, const char *kind, const cq_node *at,
                          cq_arena *arena, cq_str *out, cq_error *error);

/* --- choices.c --- */
cq_status cq_choices_of(cq_interview *interview, cq_slot *slot, bool labels, cq_arena *arena, cq_choices *choices,
                        cq_error *error);
bool cq_choices_label(cq_interview *interview, cq_slot *slot, cq_str value, cq_arena *arena, cq_str *label);
/* Takes away what is no longer offered. */
cq_status cq_choices_prune(cq_interview *interview, cq_slot *slot, cq_error *error);
bool cq_choices_has(cq_interview *interview, cq_slot *slot, cq_str value);
/* The next value of "a b c"; false at the end. */
bool cq_choices_next(cq_str list, size_t *at, cq_str *value);

/* --- forms/entities/entities.c --- */
/* cq_form_entities; `lenient`: what breaks the rules is left out. */
cq_status cq_entities_read(const cq_form *form, cq_str record_xml, bool lenient, cq_arena *arena, cq_entities *entities,
                           cq_error *error);

/* --- pages.c --- */
void cq_cursor_leave(cq_interview *interview, const cq_slot *instance); /* it is about to be removed */

/* --- entries.c --- */
/* CQ_LIMIT where it is not the memory of the machine that is out, but what an interview may take of it. */
cq_status cq_entries_nomem(const cq_interview *interview, cq_error *error);
cq_entry cq_entries_add(cq_interview *interview, cq_slot *slot, cq_row *row);
cq_slot *cq_entries_slot(const cq_interview *interview, cq_entry entry); /* NULL: gone, or a repeat */
cq_status cq_entries_state(cq_interview *interview, cq_entry entry, cq_entry_state *state, cq_error *error);
cq_row *cq_entries_row(const cq_interview *interview, cq_entry entry);
bool cq_slot_list_add(cq_interview *interview, cq_slot_list *list, cq_slot *slot);

#endif
