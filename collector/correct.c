/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/correct.h"

#include <stdlib.h>

/* --- what has changed --- */

typedef struct answer {
  size_t field;
  cq_str reference, text;
  bool later; /* of the record after */
} answer;

typedef struct gathering {
  cq_arena *arena;
  answer *at;
  size_t count, room;
  bool later;
} gathering;

/* "/data/miembro[2]/edad" */
static bool add_reference(cq_buf *out, const cq_form *form, const cq_saved_value *value) {
  const cq_field *chain[CQ_FORM_MAX_DEPTH];
  size_t depth = 0, position = 0;
  for (const cq_field *f = value->field; f && depth < CQ_FORM_MAX_DEPTH;
       f = f->parent == CQ_FIELD_NONE ? NULL : cq_form_field(form, f->parent))
    chain[depth++] = f;
  while (depth > 0) {
    const cq_field *f = chain[--depth];
    cq_buf_add_char(out, '/');
    cq_buf_add_str(out, f->name);
    if (f->is_repeat && position < value->depth) cq_buf_addf(out, "[%u]", (unsigned)value->positions[position++]);
  }
  return !out->failed;
}

typedef struct reading {
  gathering *into;
  const cq_form *form;
} reading;

static cq_status gather(void *context, const cq_saved_value *value, cq_error *error) {
  const reading *of = context;
  gathering *it = of->into;
  const cq_field *f = value->field;
  cq_buf reference = {0};
  bool asked = f->control != CQ_CONTROL_NONE || f->is_missing;
  if (!asked || f->is_meta || (f->children > 0 && !f->is_repeat) || (!f->is_repeat && value->text.size == 0))
    return CQ_OK;
  if (it->count == it->room) {
    size_t room = it->room ? it->room * 2 : 256;
    answer *more = realloc(it->at, room * sizeof *more);
    if (!more) return cq_error_nomem(error);
    it->at = more;
    it->room = room;
  }
  bool made = add_reference(&reference, of->form, value);
  answer *one = &it->at[it->count];
  *one = (answer){.field = f->index,
                  .reference = cq_arena_copy(it->arena, cq_buf_str(&reference)),
                  .text = cq_arena_copy(it->arena, value->text),
                  .later = it->later};
  cq_buf_fini(&reference);
  it->count++;
  return made && one->reference.at && one->text.at ? CQ_OK : cq_error_nomem(error);
}

static int by_field(const void *a, const void *b) {
  const answer *x = a, *y = b;
  if (x->field != y->field) return x->field < y->field ? -1 : 1;
  int order = cq_str_compare(x->reference, y->reference);
  return order != 0 ? order : (int)x->later - (int)y->later;
}

/* What stands in both comes side by side. */
static void compare(const gathering *it, cq_changes *changes) {
  for (size_t i = 0; i < it->count; i++) {
    const answer *one = &it->at[i], *two = i + 1 < it->count ? &it->at[i + 1] : NULL;
    bool both = two && one->field == two->field && cq_str_equal(one->reference, two->reference);
    i += both;
    if (both && cq_str_equal(one->text, two->text)) continue;
    changes->items[changes->count++] = (cq_change){.reference = one->reference,
                                                   .before = one->later ? CQ_STR("") : one->text,
                                                   .after = both         ? two->text
                                                            : one->later ? one->text
                                                                         : CQ_STR("")};
  }
}

cq_status cq_correct_changes(const cq_form *form, cq_str before, cq_str after, cq_arena *arena, cq_changes *changes,
                             cq_error *error) {
  gathering all = {.arena = arena};
  reading of = {&all, form};
  *changes = (cq_changes){0};
  cq_status status = cq_form_read(form, before, gather, &of, NULL, error);
  all.later = true;
  if (status == CQ_OK) status = cq_form_read(form, after, gather, &of, NULL, error);
  if (status == CQ_OK) {
    changes->items = cq_arena_array(arena, all.count + 1, sizeof *changes->items);
    if (!changes->items) status = cq_error_nomem(error);
  }
  if (status == CQ_OK && all.count > 0) {
    qsort(all.at, all.count, sizeof *all.at, by_field);
    compare(&all, changes);
  }
  free(all.at);
  return status;
}
