/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a desk merges: batches of invented interviews of some 150 questions stand in its inbox, and all are merged
 * into an empty vault, receipts and last checkpoint with them. Processor time is told apart, as the machine may have
 * other work. By hand: build/release/tests/merge_bench [RECORDS [IN A BATCH [audit]]]
 */
#include "central/merge/merging.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "tests/batch/interviews.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { DISTINCT = 500 };

typedef struct bench {
  fixture *f;
  cq_buf form, inbox, interviews[DISTINCT];
  cq_hash form_hash, previous;
  uint64_t made;
} bench;

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_batch(bench *b, cq_batch_codec *codec, uint64_t number, size_t records, bool audit) {
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  cq_buf file = {0};
  cq_error error;
  char name[96];
  for (size_t i = 0; i < records; i++) {
    interview made;
    cq_buf record = {0};
    interview_make(&made, b->made++, audit);
    interview_record(&record, &made, b->f, &b->f->device, &b->form_hash, b->made, &b->f->random);
    test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&record), &error), &error);
    interview_fini(&made);
    cq_buf_fini(&record);
  }
  cq_batch_sender sender = fixture_sender(b->f, &b->f->device, number, number > 1 ? &b->previous : NULL);
  b->previous = fixture_end(b->f, writer, &sender, &file, NULL);
  cq_batch_file_name(name, &b->f->device.id, number, &b->previous);
  cq_buf path = {0};
  test_must(cq_file_path(&path, b->inbox.at, name, &error), &error);
  FILE *out = fopen(path.at, "wb");
  if (!out || fwrite(file.at, 1, file.size, out) != file.size || fclose(out) != 0) abort();
  cq_buf_fini(&path);
  cq_buf_fini(&file);
  cq_batch_writer_free(writer);
}

int main(int argc, char **argv) {
  size_t records = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000, each = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
  bool audit = argc > 3;
  bench b = {.f = fixture_new(7, CQ_MODE_REAL)};
  cq_desk desk;
  cq_error error;
  cq_merged merged;
  cq_merge_watch watch = {0};
  if (!records || !each) return 2;
  if (!getenv("CHASQUI_TEST_TMP")) setenv("CHASQUI_TEST_TMP", ".", 1);
  interview_form(&b.form);
  b.form_hash = cq_hash_of(b.form.at, b.form.size);
  cq_batch_forms forms = {.find = interview_form_find, .context = &b.form};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  test_desk_new(&desk, b.f, "bench");
  test_desk_form(&desk, "linea_base", cq_buf_str(&b.form));
  test_must(cq_home_folder(&b.inbox, desk.home, CQ_FOLDER_INBOX, &error), &error);
  for (size_t i = 0; i < records / each; i++) put_batch(&b, codec, i + 1, each, audit);
  sync();
  double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID),
         own = seconds(CLOCK_THREAD_CPUTIME_ID);
  test_must(cq_merge_inbox(&merged, &desk, &watch, &error), &error);
  cq_desk_close(&desk);
  wall = seconds(CLOCK_MONOTONIC) - wall;
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
  double n = (double)merged.records_new;
  printf("%.0f records in batches of %zu%s: %.2f s, %.0f records/s; of processors %.2f s, the writing thread %.2f s: "
         "%.0f records/s by that alone\n",
         n, each, audit ? " with audit trails" : "", wall, n / wall, cpu, own, n / own);
  cq_batch_codec_free(codec);
  cq_buf_fini(&b.form);
  cq_buf_fini(&b.inbox);
  fixture_free(b.f);
  return merged.records_new == records / each * each ? 0 : 1;
}
