/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 100 baseline interviews cost on the line: by multipart OpenRosa, with this very courier and a server beside it,
 * and as one sealed batch brought to a post. The interviews are those of tests/batch/measure.c. Prints JSON: bytes with
 * all headers of HTTP, without TLS.
 */
#include "tests/batch/interviews.h"
#include "tests/sync/link.h"
#include "tests/sync/rosa_client.h"
#include "tests/sync/rosa_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVIEWS = 100 };

static void attribute(const cq_buf *xml, const char *mark, char out[64]) {
  const char *at = strstr(xml->at, mark);
  if (!at || sscanf(at + strlen(mark), "%63[^\"]", out) != 1) abort();
}

int main(void) {
  static rosa_give gives[INTERVIEWS];
  static char instances[INTERVIEWS][48];
  char home[] = "/tmp/rosa-measure.XXXXXX", url[80], id[64], version[64];
  size_t xml_bytes = 0, taken = 0;
  cq_batch_sizes sizes;
  cq_buf blank = {0}, batch = {0}, record = {0};
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  rosa_server *s = rosa_server_start();
  link_proxy *link = s ? link_open(rosa_server_port(s)) : NULL;
  if (!link || !mkdtemp(home)) return 3;
  interview_form(&blank);
  cq_hash form = cq_hash_of(blank.at, blank.size);
  cq_batch_forms forms = {.find = interview_form_find, .context = &blank};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  for (size_t i = 0; i < INTERVIEWS; i++) {
    interview made;
    interview_make(&made, i, false);
    cq_buf_reset(&record);
    interview_record(&record, &made, f, &f->device, &form, i + 1, &f->random);
    if (cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL) != CQ_OK) abort();
    if (i == 0) {
      attribute(&made.xml, " id=\"", id);
      attribute(&made.xml, " version=\"", version);
    }
    snprintf(instances[i], sizeof instances[i], "%s", made.instance_id);
    gives[i] = (rosa_give){.instance = instances[i], .form = id, .version = version};
    cq_buf_add_str(&gives[i].xml, cq_buf_str(&made.xml));
    xml_bytes += made.xml.size;
    interview_fini(&made);
  }
  cq_batch_sender sender = fixture_sender(f, &f->device, 1, NULL);
  fixture_end(f, writer, &sender, &batch, &sizes);
  rosa_server_form(s, id, version, cq_buf_str(&blank));
  snprintf(url, sizeof url, "http://127.0.0.1:%u" ROSA_PROJECT, (unsigned)link_port(link));
  rosa_client c = {.home = home, .url = url, .secret = ROSA_TOKEN};
  rosa_client_run(&c, gives, INTERVIEWS);
  for (size_t i = 0; i < INTERVIEWS; i++) taken += gives[i].outcome == CQ_DELIVERY_ACCEPTED;
  rosa_counts n = rosa_server_counts(s);
  printf("{\"interviews\": %d, \"accepted\": %zu, \"requests\": %zu, \"xml_bytes\": %zu, \"openrosa_up\": %llu, "
         "\"openrosa_down\": %llu, \"batch_file\": %zu}\n",
         INTERVIEWS, taken, n.requests, xml_bytes, (unsigned long long)link_bytes(link, true),
         (unsigned long long)link_bytes(link, false), batch.size);
  for (size_t i = 0; i < INTERVIEWS; i++) cq_buf_fini(&gives[i].xml);
  link_close(link);
  rosa_server_end(s);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  cq_buf_fini(&blank);
  cq_buf_fini(&batch);
  cq_buf_fini(&record);
  fixture_free(f);
  return taken == INTERVIEWS ? 0 : 1;
}
