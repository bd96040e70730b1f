/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures packing, verifying and opening of invented interviews, and prints
 * JSON: sizes in bytes, speeds in records a second
 * of processor time.
 */
#include "tests/batch/interviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INTERVIEWS = 1000, ROUNDS = 8 };

/* Processor time: other work on the machine does not count. */
static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

typedef struct measuring {
  fixture *f;
  cq_buf form;
  cq_hash form_hash;
  cq_buf records[INTERVIEWS];
  cq_batch_codec *codec;
  cq_batch_writer *writer;
} measuring;

static void pack(measuring *m, size_t first, size_t count, cq_buf *out, cq_batch_sizes *sizes) {
  for (size_t i = first; i < first + count; i++)
    if (cq_batch_add(m->writer, CQ_ENTRY_RECORD, cq_buf_str(&m->records[i]), NULL) != CQ_OK) abort();
  cq_batch_sender sender = fixture_sender(m->f, &m->f->device, 1, NULL);
  fixture_end(m->f, m->writer, &sender, out, sizes);
}

static void verify(const measuring *m, const cq_buf *file) {
  cq_standing standing;
  if (fixture_verify(m->f, file, &standing, NULL) != CQ_OK || standing != CQ_STANDING_CERTIFIED) abort();
}

static size_t open_all(measuring *m, const cq_buf *file) {
  cq_batch_content *content = NULL;
  if (cq_batch_open(&content, m->codec, file->at, file->size, m->f->desk.seal_secret, NULL) != CQ_OK) abort();
  size_t count = 0;
  for (cq_batch_entry entry; cq_batch_next(content, &entry);) count++;
  cq_batch_content_free(content);
  return count;
}

static double per_second(size_t count, int64_t ms) {
  return (double)count * 1000.0 / (double)(ms > 0 ? ms : 1);
}

static void measure(measuring *m, size_t batch_size, const char *name) {
  size_t batches = INTERVIEWS / batch_size, bytes = 0, audit = 0, opened = 0;
  cq_buf *files = calloc(batches, sizeof *files);
  if (!files) abort();
  int64_t start = now_ms();
  for (size_t i = 0; i < batches; i++) {
    cq_batch_sizes sizes;
    pack(m, i * batch_size, batch_size, &files[i], &sizes);
    bytes += sizes.file;
    audit += sizes.audit;
  }
  int64_t packed = now_ms();
  for (size_t r = 0; r < ROUNDS; r++)
    for (size_t i = 0; i < batches; i++) verify(m, &files[i]);
  int64_t verified = now_ms();
  for (size_t r = 0; r < ROUNDS; r++)
    for (size_t i = 0; i < batches; i++) opened += open_all(m, &files[i]);
  int64_t done = now_ms();
  printf("\"%s\": {\"bytes_a_record\": %.1f, \"audit_bytes_a_record\": %.1f, \"packed_a_second\": %.0f, "
         "\"verified_a_second\": %.0f, \"opened_a_second\": %.0f, \"both_a_second\": %.0f}",
         name, (double)(bytes - audit) / (double)(batches * batch_size), (double)audit / (double)(batches * batch_size),
         per_second(batches * batch_size, packed - start), per_second(opened, verified - packed),
         per_second(opened, done - verified), per_second(opened, done - packed));
  for (size_t i = 0; i < batches; i++) cq_buf_fini(&files[i]);
  free(files);
}

int main(void) {
  measuring *m = calloc(1, sizeof *m);
  if (!m) return 3;
  m->f = fixture_new(1, CQ_MODE_REAL);
  interview_form(&m->form);
  m->form_hash = cq_hash_of(m->form.at, m->form.size);
  cq_batch_forms forms = {.find = interview_form_find, .context = &m->form};
  m->codec = cq_batch_codec_new(&forms);
  m->writer = cq_batch_writer_new(m->codec);
  size_t xml = 0, questions = 0;
  for (size_t i = 0; i < INTERVIEWS; i++) {
    interview made;
    interview_make(&made, i, true);
    interview_record(&m->records[i], &made, m->f, &m->f->device, &m->form_hash, i + 1, &m->f->random);
    xml += made.xml.size;
    questions += made.questions;
    interview_fini(&made);
  }
  printf("{\"interviews\": %d, \"questions\": %.1f, \"xml_bytes\": %.1f, ", INTERVIEWS, (double)questions / INTERVIEWS,
         (double)xml / INTERVIEWS);
  measure(m, 100, "batches_of_100");
  printf(", ");
  measure(m, 1, "batches_of_1");
  printf("}\n");
  for (size_t i = 0; i < INTERVIEWS; i++) cq_buf_fini(&m->records[i]);
  cq_batch_writer_free(m->writer);
  cq_batch_codec_free(m->codec);
  cq_buf_fini(&m->form);
  fixture_free(m->f);
  free(m);
  return 0;
}
