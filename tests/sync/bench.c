/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a post takes batches in, durably: clients that each keep one
 * connection and send one batch in each exchange, as laptops do. By hand:
 * build/release/tests/sync_bench [CLIENTS BATCHES BYTES]
 */
#include "central/inbox/server.h"
#include "chasqui/protocol.h"
#include "tests/sync/world.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CLIENTS = 64 };

typedef struct client {
  const world *w;
  char url[80];
  cq_buf *asks;
  size_t count, kept;
  pthread_t thread;
} client;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t gather(char *bytes, size_t one, size_t size, void *context) {
  cq_buf_add(context, bytes, one * size);
  return one * size;
}

static void *send_all(void *context) {
  client *c = context;
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
  cq_buf answer = {0};
  for (size_t i = 0; i < c->count; i++) {
    cq_answer parsed;
    cq_buf_reset(&answer);
    curl_easy_setopt(curl, CURLOPT_URL, c->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->asks[i].at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)c->asks[i].size);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (curl_easy_perform(curl) == CURLE_OK && cq_answer_parse(&parsed, cq_buf_str(&answer), NULL) == CQ_OK) {
      c->kept += parsed.carried[0] == CQ_OUTCOME_KEPT;
    }
  }
  cq_buf_fini(&answer);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  return NULL;
}

static void make_ask(world *w, size_t bytes, cq_buf *ask) {
  cq_buf batch = {0};
  cq_ask head = {.mode = w->mode, .programme = w->id, .carried_count = 1};
  world_batch(w, 0, bytes, &batch);
  w->random.fill(w->random.context, head.nonce, sizeof head.nonce);
  cq_ask_put_head(ask, &head);
  cq_ask_put_item(ask, cq_buf_str(&batch));
  cq_buf_fini(&batch);
}

int main(int argc, char **argv) {
  size_t clients = argc > 1 ? strtoul(argv[1], NULL, 10) : 16, batches = argc > 2 ? strtoul(argv[2], NULL, 10) : 3200,
         bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 800;
  static world w;
  static client all[MOST_CLIENTS];
  post *p = NULL;
  server *s = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (!clients || clients > MOST_CLIENTS || batches < clients) return 2;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  world_open(&w, "bench", CQ_MODE_REAL, 1);
  cq_buf *asks = calloc(batches, sizeof *asks);
  for (size_t i = 0; i < batches; i++) make_ask(&w, bytes, &asks[i]);
  server_settings settings = {.listen = "127.0.0.1:0"};
  if (post_open(&p, &w.post, &error) != CQ_OK) return 1;
  settings.post = p;
  if (server_start(&s, &settings, &error) != CQ_OK) return 1;
  double begun = seconds();
  for (size_t i = 0; i < clients; i++) {
    all[i] = (client){.w = &w, .asks = asks + i * (batches / clients), .count = batches / clients};
    snprintf(all[i].url, sizeof all[i].url, "http://127.0.0.1:%u/v1/exchange", (unsigned)server_port(s));
    pthread_create(&all[i].thread, NULL, send_all, &all[i]);
  }
  size_t kept = 0, sent = 0;
  for (size_t i = 0; i < clients; i++) {
    pthread_join(all[i].thread, NULL);
    kept += all[i].kept;
    sent += all[i].count;
  }
  double took = seconds() - begun;
  printf("%zu clients, %zu batches of %zu bytes and header, kept durably %zu in %.2f s: %.0f batches/s\n", clients,
         sent, bytes, kept, took, (double)kept / took);
  server_stop(s);
  post_close(p);
  for (size_t i = 0; i < batches; i++) cq_buf_fini(&asks[i]);
  free(asks);
  world_remove(w.root);
  world_close(&w);
  return kept == sent ? 0 : 1;
}
