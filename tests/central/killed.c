/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A merge that is killed again and again, at any point of its work, ends with the tables of one that was left alone.
 * The points are drawn in processor time, so that a busy machine does not move them.
 */
#include "central/merge/derive.h"
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
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCHES = 40, RECORDS = 5, AT_ONCE = 3, LEAST_KILLS = 12, MOST_TRIES = 400, MOST_DESKS = 40 };

typedef struct world {
  fixture *f;
  cq_buf form;
  cq_hash form_hash;
  cq_batch_forms forms;
} world;

static void put_file(const cq_buf *folder, const signer *who, uint64_t number, const cq_hash *hash, const cq_buf *file,
                     size_t size) {
  char name[96];
  cq_error error;
  cq_batch_file_name(name, &who->id, number, hash);
  test_must(cq_parcel_write(folder->at, name, file->at, size, NULL, NULL, &error), &error);
}

static cq_hash put_batch(world *w, const cq_buf *folder, const signer *who, uint64_t number, const cq_hash *previous,
                         bool torn) {
  cq_batch_codec *codec = cq_batch_codec_new(&w->forms);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  cq_buf file = {0};
  cq_error error;
  for (uint64_t i = 0; i < RECORDS; i++) {
    interview made;
    cq_buf record = {0};
    interview_make(&made, number * RECORDS + i, true);
    interview_record(&record, &made, w->f, who, &w->form_hash, number * RECORDS + i, &w->f->random);
    test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&record), &error), &error);
    interview_fini(&made);
    cq_buf_fini(&record);
  }
  cq_batch_sender sender = fixture_sender(w->f, who, number, previous);
  cq_request request = fixture_request(w->f, who);
  if (!who->chain.count) sender.request = &request;
  cq_hash hash = fixture_end(w->f, writer, &sender, &file, NULL);
  put_file(folder, who, number, &hash, &file, file.size - torn);
  cq_buf_fini(&file);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  return hash;
}

/* A desk with a full inbox: merged ones, a stranger's, a torn one. The same each time, as the randomness repeats. */
static char *desk_new(const char *name) {
  world w = {.f = fixture_new(7, CQ_MODE_REAL)};
  cq_desk desk;
  cq_buf folder = {0};
  cq_error error;
  cq_hash last = {{0}};
  interview_form(&w.form);
  w.form_hash = cq_hash_of(w.form.at, w.form.size);
  w.forms = (cq_batch_forms){.find = interview_form_find, .context = &w.form};
  test_desk_new(&desk, w.f, name);
  test_desk_form(&desk, "linea_base", cq_buf_str(&w.form));
  test_must(cq_home_folder(&folder, desk.home, CQ_FOLDER_INBOX, &error), &error);
  for (uint64_t i = 1; i <= BATCHES; i++) last = put_batch(&w, &folder, &w.f->device, i, i > 1 ? &last : NULL, false);
  put_batch(&w, &folder, &w.f->device, BATCHES + 1, &last, true);
  put_batch(&w, &folder, &w.f->stranger, 1, NULL, false);
  char *home = strdup(desk.home);
  assert_non_null(home);
  cq_desk_close(&desk);
  cq_buf_fini(&folder);
  cq_buf_fini(&w.form);
  fixture_free(w.f);
  return home;
}

/* Merges in a child, which the timer kills after so many microseconds of its work (0: never). Whether it lived. */
static bool merge(const char *home, long after_us) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    cq_desk desk;
    cq_merged merged;
    cq_merge_watch watch = {.at_once = AT_ONCE};
    struct itimerval timer = {.it_value = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000}};
    setitimer(ITIMER_PROF, &timer, NULL); /* SIGPROF ends the process as SIGKILL would: nobody handles it */
    bool done = cq_desk_open(&desk, home, test_desk_passphrase(), NULL) == CQ_OK &&
                cq_merge_inbox(&merged, &desk, &watch, NULL) == CQ_OK;
    if (done) cq_desk_close(&desk);
    _exit(done ? 0 : 3);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  if (WIFSIGNALED(how)) {
    assert_int_equal(WTERMSIG(how), SIGPROF);
    return false;
  }
  assert_int_equal(WEXITSTATUS(how), 0);
  return true;
}

/* All tables, but for row numbers and the times of this machine. */
static cq_hash picture(cq_desk *desk) {
  static const char *const queries[] = {
      "SELECT name, batch, bytes FROM record ORDER BY name",
      "SELECT hash, device, number, previous, file, created_utc_ms, state, why, records, receipted FROM batch ORDER BY "
      "hash",
      "SELECT id, sign, seal, note, chain, held, released FROM device ORDER BY id",
      "SELECT r.name, form_id, form_hash, instance, v.device, technician, sequence, begun_utc_ms, finished_utc_ms, "
      "day, "
      "result, reason, season, zone, calendar_version, months, consent, edited, voided FROM visit v JOIN record r ON "
      "r.id = v.id ORDER BY r.name",
      "SELECT dataset, entity, r.name FROM visit_subject s JOIN record r ON r.id = s.id ORDER BY 1, 2, 3"};
  cq_hasher hasher;
  cq_error error;
  cq_hasher_init(&hasher);
  for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
    sqlite3_stmt *s = NULL;
    test_must(cq_desk_prepare(desk, &s, queries[q], &error), &error);
    for (bool row = true;;) {
      test_must(cq_desk_step(desk, s, &row, &error), &error);
      if (!row) break;
      for (int c = 0; c < sqlite3_column_count(s); c++) {
        cq_str text = cq_desk_text(s, c);
        cq_hasher_add(&hasher, &text.size, sizeof text.size);
        cq_hasher_add(&hasher, text.at, text.size);
      }
    }
    sqlite3_finalize(s);
  }
  return cq_hasher_end(&hasher);
}

static cq_hash picture_of(const char *home, bool rebuilt) {
  cq_desk desk;
  cq_error error;
  size_t records = 0;
  int64_t visits;
  test_must(cq_desk_open(&desk, home, test_desk_passphrase(), &error), &error);
  if (rebuilt) test_must(cq_derive_rebuild(&desk, &records, &error), &error);
  test_must(cq_desk_number(&desk, "SELECT count(*) FROM visit", -1, &visits, &error), &error);
  assert_int_equal(visits, BATCHES * RECORDS);
  cq_hash found = picture(&desk);
  cq_desk_close(&desk);
  return found;
}

/* One desk merged under kills until a merge comes to its end; how many there were. */
static size_t kill_and_merge(size_t which, const cq_hash *right, uint64_t *random) {
  char name[32];
  snprintf(name, sizeof name, "killed%zu", which);
  char *home = desk_new(name);
  size_t kills = 0;
  /* ever later, so that each point of the work has its turn, and the last one comes to the end */
  for (long most = 4000; kills < MOST_TRIES; most += 2000, kills++) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    if (merge(home, 1000 + (long)(*random >> 33) % most)) break;
  }
  assert_true(kills < MOST_TRIES);
  assert_true(merge(home, 0)); /* once more changes nothing */
  cq_hash found = picture_of(home, false);
  assert_true(cq_hash_equal(&found, right));
  found = picture_of(home, true);
  assert_true(cq_hash_equal(&found, right));
  free(home);
  return kills;
}

static void killed_at_any_point(void **state) {
  (void)state;
  char *alone = desk_new("alone");
  uint64_t random = 20121106;
  assert_true(merge(alone, 0));
  cq_hash right = picture_of(alone, false);
  free(alone);
  /* A quick machine may come to the end after few kills: then another desk. */
  size_t kills = 0, desks = 0;
  for (; kills < LEAST_KILLS && desks < MOST_DESKS; desks++) kills += kill_and_merge(desks, &right, &random);
  assert_true(kills >= LEAST_KILLS);
  print_message("%zu kills on the way of %zu desks; each ended with the tables of one that was left alone\n", kills,
                desks);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_any_point)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
