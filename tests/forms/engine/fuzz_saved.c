/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a saved record, and as a file of answers, of a form of ours. */
#include "chasqui/forms.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:jr=\"http://openrosa.org/javarosa\" "
    "xmlns:e=\"http://www.opendatakit.org/xforms/entities\"><h:head><h:title>f"
    "</h:title><model e:entities-version=\"2024.1.0\"><instance><d id=\"d\"><n/><k><x/></k><r jr:template=\"\"><q/><s "
    "jr:template=\"\"><v/></s></r><t/><meta><entity dataset=\"l\" id=\"\" create=\"1\"><label/></entity><instanceID/>"
    "</meta></d></instance><bind nodeset=\"/d/n\" type=\"int\" constraint=\". &lt; 9\"/><bind nodeset=\"/d/r/q\" "
    "type=\"date\" e:saveto=\"q\"/><bind nodeset=\"/d/r/s\" relevant=\"../q != ''\"/><bind nodeset=\"/d/t\" "
    "calculate=\"count(/d/r) + sum(/d/r/s/v)\"/></model></h:head><h:body><input ref=\"/d/n\"/><repeat nodeset=\"/d/k\" "
    "jr:count=\"/d/n\"><input ref=\"/d/k/x\"/></repeat><repeat nodeset=\"/d/r\"><input ref=\"/d/r/q\"/><repeat "
    "nodeset=\"/d/r/s\"><input ref=\"/d/r/s/v\"/></repeat></repeat></h:body></h:html>";

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 5, size);
}

static cq_status pass_over(void *context, const cq_saved_value *value, cq_error *error) {
  (void)error;
  *(size_t *)context += value->text.size + value->depth;
  return CQ_OK;
}

static void restore(cq_form *form, const cq_interview_setup *setup, cq_str record, cq_restore mode) {
  cq_interview *interview = NULL;
  cq_error error;
  cq_buf xml = {0};
  cq_error_clear(&error);
  if (cq_interview_restore(&interview, form, setup, record, mode, CQ_STR("/d/r[1]/q"), &error) != CQ_OK) return;
  (void)cq_interview_write(interview, CQ_WRITE_DRAFT, &xml, NULL);
  cq_buf_fini(&xml);
  cq_interview_free(interview);
}

static void answer(cq_form *form, const cq_interview_setup *setup, cq_str json, cq_arena *arena) {
  cq_interview *interview = NULL;
  cq_answers_report report;
  cq_error error;
  cq_error_clear(&error);
  if (cq_interview_begin(&interview, form, setup, &error) != CQ_OK) return;
  (void)cq_answers_apply(interview, json, arena, &report, &error);
  cq_interview_free(interview);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_clock_fixed at = {1345500000000, -300};
  const cq_clock clock = cq_clock_fix(&at);
  const cq_random random = {fill, NULL};
  const cq_interview_setup setup = {.clock = &clock, .random = &random, .language = CQ_FIELD_NONE};
  const cq_str record = {(const char *)data, size};
  cq_form *form = NULL;
  cq_arena *arena = cq_arena_new(1 << 24);
  cq_entities entities;
  size_t seen = 0;
  if (arena != NULL && cq_form_load(&form, cq_str_from(form_xml), NULL, NULL) == CQ_OK) {
    (void)cq_form_read(form, record, pass_over, &seen, NULL, NULL);
    (void)cq_form_entities(form, record, arena, &entities, NULL);
    restore(form, &setup, record, CQ_RESTORE_DRAFT);
    restore(form, &setup, record, CQ_RESTORE_EDIT);
    answer(form, &setup, record, arena);
  }
  cq_form_free(form);
  cq_arena_free(arena);
  return 0;
}
