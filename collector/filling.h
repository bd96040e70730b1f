/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One interview being filled in on a laptop. Each accepted answer is durable in
 * the vault before the next question is shown: a draft is the instance as it
 * began, and every answer since. Clock and randomness of the interview are kept
 * with it, so that a draft taken up again calculates what it calculated before.
 */
#ifndef CHASQUI_COLLECTOR_FILLING_H
#define CHASQUI_COLLECTOR_FILLING_H

#include "chasqui/forms.h"
#include "collector/attach.h"
#include "collector/laptop.h"

typedef struct cq_filling {
  cq_laptop *laptop;
  cq_form *form;
  cq_interview *interview;
  int64_t draft; /* 0: not kept as a draft (fill) */
  cq_hash form_hash;
  int64_t begun_utc_ms;
  cq_buf title;            /* terminated */
  cq_buf label;            /* by which the list of drafts calls it */
  cq_buf server;           /* of others, that gave the form; empty: it is the programme's */
  const cq_record *parent; /* of a correction: the record that it takes the place of; NULL: it corrects none */
  cq_hash parent_name;
  cq_buf parent_bytes;
  cq_arena *parent_arena;
  cq_arena *arena;    /* for outcomes; reset at each answer */
  cq_attached *files; /* that its answers name */
  size_t file_count;
  cq_attach_watch watch; /* while a large file is read; zeroed: nobody */
  /* What the interview borrows. */
  cq_clock clock;
  cq_random random;
  int64_t replayed_utc_ms; /* while answers are applied again: when they were given; else 0 */
  uint8_t seed[32];
  uint64_t drawn; /* how many times the seed was drawn from */
} cq_filling;

/* A new interview under a form version. `keep`: as a draft. */
cq_status cq_filling_begin(cq_filling *filling, cq_laptop *laptop, const cq_hash *form, bool keep, cq_error *error);
/*
 * A correction of a finished record: the interview begins exactly as the record stands, under the same version of its
 * form, on the day that the record was made, and with its files. The record stays as it is, whatever becomes of this.
 * Errors: those of cq_store_record_bytes, collector.edit.purged (its bytes have left the laptop), collector.edit.form
 * (nor is that version of the form here).
 */
cq_status cq_filling_correct(cq_filling *filling, cq_laptop *laptop, const uint8_t name[CQ_STORE_HASH], bool keep,
                             cq_error *error);
/* A draft exactly as it was left. */
cq_status cq_filling_resume(cq_filling *filling, cq_laptop *laptop, int64_t draft, cq_error *error);
void cq_filling_end(cq_filling *filling); /* the draft stays */

/*
 * Each of these is durable when it answers CQ_OK. `*outcome` tells whether the answer was accepted; its message lives
 * until the next call. `forward`: an accepted answer also moves to the next page, and where one stands is kept with it.
 */
cq_status cq_filling_set(cq_filling *filling, cq_entry node, cq_str text, bool forward, cq_set_outcome *outcome,
                         cq_error *error);
cq_status cq_filling_set_missing(cq_filling *filling, cq_entry node, cq_str code, bool forward, cq_set_outcome *outcome,
                                 cq_error *error);
/*
 * A file as the answer: its path as cq_attach_path takes it. It is in the vault before the answer is; what stood before
 * goes, as it does where the answer is cleared by one of the two above. A file that is refused (the errors of
 * cq_attach_read, collector.attach.many) changes nothing.
 */
cq_status cq_filling_attach(cq_filling *filling, cq_entry node, cq_str typed, const char *folder, bool forward,
                            cq_set_outcome *outcome, cq_error *error);
/* Whether a failed cq_filling_attach is the file's fault: to be told, and another asked for. */
bool cq_filling_is_file_fault(const cq_error *error);
/* An answer as people read it: cq_answer_shown, and of a file its kind and size. Appends. */
cq_status cq_filling_shown(const cq_filling *filling, const cq_prompt *prompt, cq_arena *arena, cq_buf *out,
                           cq_error *error);
/* The file that an answer names; NULL: none. Borrowed until the next answer. */
const cq_attached *cq_filling_file(const cq_filling *filling, cq_str name);
cq_status cq_filling_add(cq_filling *filling, cq_entry repeat, cq_entry *instance, cq_error *error);
cq_status cq_filling_remove(cq_filling *filling, cq_entry instance, cq_error *error);
/* Where one stands, after moving without an answer. */
cq_status cq_filling_moved(cq_filling *filling, cq_error *error);
cq_status cq_filling_language(cq_filling *filling, size_t language, cq_error *error);

/* The result under which it is kept where `asked` is given: answers of a complete interview may say that there was no
 * interview, or no consent. An empty `*reason` becomes the form's own,
 * borrowed from the interview until it changes; NULL: not wanted. */
cq_result cq_filling_result(const cq_filling *filling, cq_result asked, cq_str *reason);
/* Codes for why an interview is not complete, with their words: those of the form's question of how the visit went, in
 * the form's language, else the built-in ones. Others may be given. In `arena`. */
cq_status cq_filling_reasons(const cq_filling *filling, cq_arena *arena, cq_choices *reasons, cq_error *error);
/* The result to ask for where nobody says another, before anything was answered: of a correction the one that the
 * record has, unless that follows from its answers; else complete. `*reason`: as the record has it. */
cq_result cq_filling_asked(const cq_filling *filling, cq_str *reason);
/* The record for ever, under cq_filling_result; the draft is gone. `reason` may be empty. Error: collector.edit.same (a
 * correction that changes neither an answer nor the result). */
cq_status cq_filling_finalise(cq_filling *filling, cq_result result, cq_str reason, cq_hash *name, cq_error *error);
/* The answers as they stand, as a record of result draft appended to `bytes`; the draft stays. */
cq_status cq_filling_snapshot(const cq_filling *filling, cq_buf *bytes, cq_error *error);
/* The draft is thrown away. */
cq_status cq_filling_discard(cq_filling *filling, cq_error *error);

/* --- forms that may be begun now --- */
typedef struct cq_offered {
  cq_hash hash;
  char id[CQ_RECORD_MAX_TEXT + 1], version[CQ_RECORD_MAX_TEXT + 1], title[CQ_RECORD_MAX_TEXT + 1];
  char server[CQ_RECORD_MAX_TEXT + 1]; /* of others, that gave it, unsigned; "": it is the programme's */
} cq_offered;
/* The current ones of the bundle, in its order, then those taken from servers of others. The caller frees *forms with
 * free(). */
cq_status cq_filling_offered(cq_laptop *laptop, cq_offered **forms, size_t *count, cq_error *error);

#endif
