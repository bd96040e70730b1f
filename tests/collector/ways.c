/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/collector/ways.h"

#include "chasqui/file.h"
#include "chasqui/xlsform.h"
#include "collector/line/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(cq_status status, const cq_error *error) {
  if (status == CQ_OK) return;
  fprintf(stderr, "%s %s %s\n", error->code ? error->code : "?", error->arg[0], error->arg[1]);
  abort();
}

cq_bundle_form way_form(const char *path, const char *id, cq_buf *xml) {
  cq_error error;
  cq_xlsform *form = NULL;
  cq_error_clear(&error);
  must(cq_xlsform_compile(&form, path, NULL, &error), &error);
  if (!cq_xlsform_ok(form)) abort();
  cq_buf_reset(xml);
  cq_buf_add_str(xml, cq_xlsform_xml(form));
  cq_xlsform_free(form);
  return (cq_bundle_form){
      .id = cq_str_from(id), .version = CQ_STR("1"), .status = CQ_FORM_CURRENT, .xml = cq_buf_str(xml)};
}

void way_open(office *it, cq_laptop *laptop) {
  cq_error error;
  cq_error_clear(&error);
  must(cq_laptop_open(laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, &error), &error);
}

void way_answers(office *it, const char *answers_path) {
  cq_laptop laptop;
  cq_filling filling;
  cq_answers_report report;
  cq_violations faults;
  cq_buf json = {0};
  cq_error error;
  cq_hash name, form = cq_hash_of(it->forms[0].xml.at, it->forms[0].xml.size);
  cq_error_clear(&error);
  cq_arena *arena = cq_arena_new(0);
  way_open(it, &laptop);
  must(cq_file_read(answers_path, 1 << 20, &json, &error), &error);
  must(cq_filling_begin(&filling, &laptop, &form, false, &error), &error);
  must(cq_answers_apply(filling.interview, cq_buf_str(&json), arena, &report, &error), &error);
  must(cq_interview_violations(filling.interview, arena, &faults, &error), &error);
  for (size_t i = 0; i < report.count; i++)
    fprintf(stderr, "refused: %.*s\n", (int)report.refusals[i].ref.size, report.refusals[i].ref.at);
  for (size_t i = 0; i < faults.count; i++)
    fprintf(stderr, "fault: %.*s\n", (int)faults.items[i].ref.size, faults.items[i].ref.at);
  if (report.count + faults.count > 0) abort();
  must(cq_filling_finalise(&filling, CQ_RESULT_COMPLETE, CQ_STR(""), &name, &error), &error);
  cq_filling_end(&filling);
  cq_laptop_close(&laptop);
  cq_arena_free(arena);
  cq_buf_fini(&json);
}

void way_lines(office *it, const char *lines) {
  cq_laptop laptop;
  cq_error error;
  cq_error_clear(&error);
  FILE *in = fmemopen((void *)(uintptr_t)lines, strlen(lines), "r"), *out = tmpfile();
  if (!in || !out) abort();
  way_open(it, &laptop);
  must(cq_line_run(&laptop, in, out, &error), &error);
  cq_laptop_close(&laptop);
  fclose(in);
  fclose(out);
}

void way_keys(office *it, const char *keys, int rows, int columns, void (*watch)(void *, cq_key), void *context) {
  cq_laptop laptop;
  cq_error error;
  cq_error_clear(&error);
  cq_backend *recorder = cq_recorder_open(rows, columns);
  if (!recorder) abort();
  cq_recorder_keys(recorder, keys);
  cq_recorder_watch(recorder, watch, context);
  way_open(it, &laptop);
  if (context) *(cq_backend **)context = recorder; /* the first member of every watcher's context */
  must(cq_app_run(&laptop, recorder, &it->setup, cq_str_from(it->notices), &error), &error);
  cq_laptop_close(&laptop);
}

const char *way_after_keys(const char *script, long n) {
  while (n-- > 0 && *script) {
    if (*script == '<' && script[1] != '<') {
      script = strchr(script, '>') + 1;
    } else {
      script++;
      while (((unsigned char)*script & 0xC0) == 0x80) script++;
    }
  }
  return script;
}

long way_key_count(const char *script) {
  long count = 0;
  for (; *script; script = way_after_keys(script, 1)) count++;
  return count;
}

typedef struct newest {
  uint8_t name[CQ_STORE_HASH];
  bool found;
} newest;

static cq_status see(void *context, const cq_store_record *record) {
  newest *it = context;
  memcpy(it->name, record->name, sizeof it->name);
  it->found = true;
  return CQ_OK;
}

int way_record(office *it, cq_buf *xml) {
  cq_laptop laptop;
  cq_error error;
  cq_buf bytes = {0};
  cq_record record;
  newest last = {.found = false};
  int result = -1;
  cq_error_clear(&error);
  cq_buf_reset(xml);
  cq_arena *arena = cq_arena_new(0);
  way_open(it, &laptop);
  must(cq_store_records(laptop.store, -1, see, &last, &error), &error);
  if (last.found) {
    must(cq_store_record_bytes(laptop.store, last.name, &bytes, &error), &error);
    must(cq_record_parse(&record, cq_buf_str(&bytes), arena, &error), &error);
    cq_buf_add_str(xml, record.instance_xml);
    result = (int)record.envelope.result;
  }
  cq_laptop_close(&laptop);
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
  return result;
}
