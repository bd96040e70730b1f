/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a form: loaded, begun, walked, answered, written and restored. */
#include "chasqui/forms.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 5, size);
}

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  (void)context, (void)error;
  cq_buf_add_text(out, uri.size % 2 == 0 ? "name,label\na,A\nb,B\n"
                                         : "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
                                           "\"id\":1,\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}}]}");
  return CQ_OK;
}

static void answer(cq_interview *interview, const cq_page *page, cq_arena *arena) {
  static const char *const values[] = {"1", "a", "2013-05-20", ""};
  for (size_t i = 0; i < page->count && i < 20; i++) {
    cq_prompt prompt;
    cq_choices choices;
    cq_set_outcome outcome;
    (void)cq_interview_prompt(interview, page->nodes[i], arena, &prompt, NULL);
    (void)cq_interview_choices(interview, page->nodes[i], arena, &choices, NULL);
    (void)cq_interview_set(interview, page->nodes[i], cq_str_from(values[i % 4]), CQ_SET_ANYWAY, arena, &outcome, NULL);
  }
  if (page->kind == CQ_PAGE_REPEAT) {
    cq_entry made;
    (void)cq_interview_add(interview, page->node, &made, NULL);
  }
}

static void fill_in(cq_form *form, const cq_interview_setup *setup, cq_arena *arena) {
  cq_interview *interview = NULL, *again = NULL;
  cq_buf xml = {0}, mark = {0};
  cq_violations violations;
  cq_page page;
  if (cq_interview_begin(&interview, form, setup, NULL) != CQ_OK) return;
  for (int i = 0; i < 20 && cq_interview_page(interview, arena, &page, NULL) == CQ_OK && page.kind != CQ_PAGE_END;
       i++) {
    answer(interview, &page, arena);
    (void)cq_interview_forward(interview, NULL);
  }
  (void)cq_interview_violations(interview, arena, &violations, NULL);
  (void)cq_interview_finalise(interview, NULL);
  (void)cq_interview_bookmark(interview, &mark, NULL);
  if (cq_interview_write(interview, CQ_WRITE_DRAFT, &xml, NULL) == CQ_OK &&
      cq_interview_restore(&again, form, setup, cq_buf_str(&xml), CQ_RESTORE_EDIT, cq_buf_str(&mark), NULL) == CQ_OK)
    cq_interview_free(again);
  cq_entities entities;
  (void)cq_interview_entities(interview, arena, &entities, NULL);
  cq_buf_fini(&xml);
  cq_buf_fini(&mark);
  cq_interview_free(interview);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_clock_fixed at = {1345500000000, -300};
  const cq_clock clock = cq_clock_fix(&at);
  const cq_random random = {fill, NULL};
  const cq_interview_setup setup = {.clock = &clock, .random = &random, .language = CQ_FIELD_NONE};
  const cq_form_lists lists = {open_list, NULL};
  cq_form *form = NULL;
  cq_arena *arena = cq_arena_new(1 << 26);
  cq_error error;
  cq_error_clear(&error);
  if (arena != NULL && cq_form_load(&form, (cq_str){(const char *)data, size}, &lists, &error) == CQ_OK)
    fill_in(form, &setup, arena);
  cq_form_free(form);
  cq_arena_free(arena);
  return 0;
}
