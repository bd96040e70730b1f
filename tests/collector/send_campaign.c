/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded runs of `send` over a bad line to an OpenRosa server: the line is cut, reset, left half open or slowed, a
 * login page answers, the server loses answers, fails or begins anew, collector and courier are killed or interrupted.
 * After each run the server holds exactly what the vault holds, each interview once with all its files, byte for byte.
 *
 * Bytes are not changed on the way: addresses are https, which tells that by itself.
 *
 * usage: campaign [RUNS [FIRST_SEED]]    (as a test: 1 run)
 */
#include "chasqui/file.h"
#include "tests/collector/ways.h"
#include "tests/sync/link.h"
#include "tests/sync/rosa_server.h"
#include "tests/sync/run.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MOST = 40, INTERVIEWS = 6, PHOTOS = 3 };
#define SCRATCH "r.json"

typedef struct campaign {
  office *office;
  rosa_server *s;
  link_proxy *link;
  cq_buf xml, out;
  cq_bundle_form form;
  char passphrase[300], secret[300], url[80];
  uint64_t chance;
  size_t faults[LINK_KINDS], kills[3], restarts, plays, sends, interviews, lost, identical;
} campaign;

static uint64_t any(campaign *c, uint64_t below) {
  uint64_t z = (c->chance += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % below;
}

static void fail(const campaign *c, uint64_t seed, const char *what) {
  fprintf(stderr, "campaign: seed %llu: %s (%s)\n", (unsigned long long)seed, what, c->office->home);
  exit(1);
}

static void write_bytes(const char *path, const void *bytes, size_t size) {
  if (cq_file_replace(path, bytes, size, 0600, false, NULL) != CQ_OK) abort();
}

/* --- interviews, each with photos of some size --- */
static void photo_path(const campaign *c, size_t i, char out[300]) {
  snprintf(out, 300, "%s/%zu.jpg", c->office->home, i);
}

static void make_photo(campaign *c, size_t i) {
  char path[300];
  size_t size = 200 + any(c, any(c, 3) ? 20000 : 300000);
  char *bytes = malloc(size);
  if (!bytes) abort();
  memcpy(bytes, "\xFF\xD8\xFF\xDA\0\2", 6); /* a scan without markers: it stays as it is */
  for (size_t at = 6; at < size; at++) bytes[at] = (char)any(c, 255);
  photo_path(c, i, path);
  write_bytes(path, bytes, size);
  free(bytes);
}

static int run_collector(campaign *c, const char *const *args) {
  return run_program("chasqui-collector", &c->out, args);
}

static void fill(campaign *c, uint64_t seed) {
  char path[300], text[2000], photos[PHOTOS][300];
  for (size_t i = 0; i < INTERVIEWS; i++) {
    for (size_t p = 0; p < PHOTOS; p++) {
      make_photo(c, p);
      photo_path(c, p, photos[p]);
    }
    snprintf(text, sizeof text,
             "{\"nombre\":\"Casa %zu\",\"casa\":\"%s\",\"voz\":{\"missing\":\"na\"},\"parcela\":[{\"foto\":\"%s\"},"
             "{\"foto\":\"%s\"}]}",
             i, photos[0], photos[1], photos[2]);
    snprintf(path, sizeof path, "%s/" SCRATCH, c->office->home);
    write_bytes(path, text, strlen(text));
    if (run_collector(c, (const char *[]){"fill", "fotos", "--answers", path, "--home", c->office->home,
                                          "--passphrase-file", c->passphrase, NULL}) != 0)
      fail(c, seed, "fill");
  }
}

/* --- faults --- */
static link_plan any_plan(campaign *c) {
  static const link_kind kinds[] = {LINK_CLEAN,  LINK_CUT_UP,    LINK_CUT_DOWN, LINK_RESET,
                                    LINK_PORTAL, LINK_HALF_OPEN, LINK_SLOW,     LINK_LOSS};
  link_plan plan = {.kind = kinds[any(c, sizeof kinds / sizeof *kinds)], .delay_ms = (int)any(c, 10)};
  plan.at = any(c, any(c, 2) ? 2000 : 700000);
  if (plan.kind == LINK_LOSS) plan.loss_percent = 1 + (int)any(c, 10);
  if (plan.kind == LINK_SLOW) plan.at = 2000 + any(c, 20000);
  return plan;
}

static void any_play(campaign *c) {
  static const rosa_play plays[] = {{0},
                                    {.kind = ROSA_PLAY_LOSE},
                                    {.status = 503, .retry_after = "1"},
                                    {.status = 500},
                                    {.status = 409, .body = "{\"message\":\"This submission has been deleted.\"}"},
                                    {.status = 413},
                                    {.status = 400, .body = "{\"message\":\"unexpected end\"}"},
                                    {.kind = ROSA_PLAY_KEEP, .status = 502, .body = "<html>proxy</html>"}};
  rosa_play play = plays[any(c, sizeof plays / sizeof *plays)];
  if (play.kind || play.status) {
    play.times = 1 + any(c, 3);
    c->plays++;
  }
  rosa_server_play(c->s, &play);
}

/* The courier, child of the collector. */
static pid_t child_of(pid_t pid) {
  char path[64];
  int child = 0;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
  FILE *file = fopen(path, "r");
  if (file && fscanf(file, "%d", &child) != 1) child = 0;
  if (file) fclose(file);
  return child;
}

static int try_once(campaign *c) {
  link_set(c->link, any_plan(c));
  any_play(c);
  pid_t pid = start_program("chasqui-collector",
                            (const char *[]){"send", "ayllu", "--yes", "--again", "--tries", "2", "--timeout", "1",
                                             "--home", c->office->home, "--passphrase-file", c->passphrase, NULL});
  uint64_t what = any(c, 8);
  c->sends++;
  if (what < 4) {
    poll(NULL, 0, 60 + (int)any(c, 400));
    pid_t courier = child_of(pid);
    if (what == 0 && kill(pid, SIGKILL) == 0) c->kills[0]++;
    if (what == 1 && courier > 0 && kill(courier, SIGKILL) == 0) c->kills[1]++;
    if (what == 2 && kill(pid, SIGINT) == 0) {
      if (courier > 0) kill(courier, SIGINT);
      c->kills[2]++;
    }
    if (what == 3) {
      rosa_server_restart(c->s);
      link_post(c->link, rosa_server_port(c->s));
      c->restarts++;
    }
  }
  return wait_program(pid);
}

/* --- the sets --- */
typedef struct checking {
  campaign *c;
  cq_laptop *laptop;
  uint64_t seed;
  size_t records, files;
  char instance[128];
  cq_buf bytes;
} checking;

static cq_status gather(void *context, const void *bytes, size_t size) {
  cq_buf_add(context, bytes, size);
  return CQ_OK;
}

static cq_status see_file(void *context, const cq_store_attachment *file) {
  checking *it = context;
  char name[256];
  snprintf(name, sizeof name, "%.*s", (int)file->name.size, file->name.at);
  cq_buf_reset(&it->bytes);
  if (cq_store_attachment_get(it->laptop->store, file->hash, gather, &it->bytes, NULL) != CQ_OK ||
      !rosa_server_holds_file(it->c->s, it->instance, name, cq_buf_str(&it->bytes)))
    fail(it->c, it->seed, "a file is not there");
  it->files++;
  return CQ_OK;
}

static cq_status see_record(void *context, const cq_store_record *row) {
  checking *it = context;
  cq_buf bytes = {0};
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  snprintf(it->instance, sizeof it->instance, "%.*s", (int)row->instance_id.size, row->instance_id.at);
  if (cq_store_record_bytes(it->laptop->store, row->name, &bytes, NULL) != CQ_OK ||
      cq_record_parse(&record, cq_buf_str(&bytes), arena, NULL) != CQ_OK ||
      !rosa_server_holds(it->c->s, it->instance, record.instance_xml))
    fail(it->c, it->seed, "an interview is not there");
  if (cq_store_record_attachments(it->laptop->store, row->name, see_file, it, NULL) != CQ_OK)
    fail(it->c, it->seed, "files");
  it->records++;
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
  return CQ_OK;
}

static void check_sets(campaign *c, uint64_t seed) {
  cq_laptop laptop;
  checking it = {.c = c, .laptop = &laptop, .seed = seed};
  way_open(c->office, &laptop);
  if (cq_store_records(laptop.store, -1, see_record, &it, NULL) != CQ_OK) fail(c, seed, "records");
  cq_laptop_close(&laptop);
  rosa_counts n = rosa_server_counts(c->s);
  if (it.records != INTERVIEWS || n.submissions != INTERVIEWS) fail(c, seed, "the server holds another number");
  if (it.files != (size_t)INTERVIEWS * PHOTOS || n.attachments != it.files) fail(c, seed, "another number of files");
  c->interviews += n.submissions;
  c->identical += n.identical;
  c->lost += n.lost;
  cq_buf_fini(&it.bytes);
}

static void run(campaign *c, uint64_t seed) {
  c->chance = seed;
  c->form = way_form("tests/collector/fotos", "fotos", &c->xml);
  c->office = office_new(CQ_MODE_REAL, &c->form, 1);
  office_join(c->office);
  c->s = rosa_server_start();
  c->link = c->s ? link_open(rosa_server_port(c->s)) : NULL;
  if (!c->link) fail(c, seed, "no sockets");
  rosa_server_form(c->s, "fotos", "1", cq_buf_str(&c->xml));
  rosa_server_accept_length(c->s, 330000 + any(c, 300000));
  snprintf(c->passphrase, sizeof c->passphrase, "%s/frase", c->office->home);
  snprintf(c->secret, sizeof c->secret, "%s/ficha", c->office->home);
  write_bytes(c->passphrase, OFFICE_PASSPHRASE "\n", sizeof OFFICE_PASSPHRASE);
  write_bytes(c->secret, ROSA_TOKEN "\n", sizeof ROSA_TOKEN);
  snprintf(c->url, sizeof c->url, "http://127.0.0.1:%u" ROSA_PROJECT, (unsigned)link_port(c->link));
  if (run_collector(c, (const char *[]){"server", "add", "ayllu", c->url, "--secret-file", c->secret, "--form", "fotos",
                                        "--home", c->office->home, "--passphrase-file", c->passphrase, NULL}) != 0)
    fail(c, seed, "server add");
  fill(c, seed);
  int status = -1;
  for (int tries = 0; tries < TRIES_MOST && status != 0; tries++) status = try_once(c);
  /* Whatever happened, over a good line the rest goes through at once. */
  link_set(c->link, (link_plan){.kind = LINK_CLEAN});
  rosa_server_play(c->s, &(rosa_play){0});
  if (run_collector(c, (const char *[]){"send", "ayllu", "--yes", "--again", "--home", c->office->home,
                                        "--passphrase-file", c->passphrase, NULL}) != 0)
    fail(c, seed, "a good line is not enough");
  check_sets(c, seed);
  /* What the vault takes for accepted is never given again. */
  size_t posts = rosa_server_counts(c->s).posts;
  if (run_collector(c, (const char *[]){"send", "ayllu", "--yes", "--again", "--home", c->office->home,
                                        "--passphrase-file", c->passphrase, NULL}) != 0 ||
      rosa_server_counts(c->s).posts != posts)
    fail(c, seed, "something was given again");
  for (int i = 0; i < LINK_KINDS; i++) c->faults[i] += link_count(c->link, (link_kind)i);
  link_close(c->link);
  rosa_server_end(c->s);
  office_free(c->office);
}

int main(int argc, char **argv) {
  uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  campaign *c = calloc(1, sizeof *c);
  if (!c) return 1;
  for (uint64_t seed = first; seed < first + runs; seed++) run(c, seed);
  printf("%llu runs, %zu interviews, %zu sends; killed: collectors %zu, couriers %zu; interrupted %zu; servers begun "
         "anew %zu; plays of the server %zu\n",
         (unsigned long long)runs, c->interviews, c->sends, c->kills[0], c->kills[1], c->kills[2], c->restarts,
         c->plays);
  size_t all = c->kills[0] + c->kills[1] + c->kills[2] + c->restarts + c->plays;
  for (int i = LINK_CUT_UP; i < LINK_KINDS; i++) {
    if (c->faults[i]) printf("%s %zu\n", link_names[i], c->faults[i]);
    all += c->faults[i];
  }
  printf("answers lost by the server %zu, requests that brought what it had already %zu\n", c->lost, c->identical);
  /* The same again only where an answer was lost: by server, line or kill. */
  bool wrong = all == 0 || c->identical > all + c->lost;
  if (wrong) fprintf(stderr, "campaign: no fault, or more repeated than was lost\n");
  cq_buf_fini(&c->xml);
  cq_buf_fini(&c->out);
  free(c);
  return wrong;
}
