/* SPDX-License-Identifier: Apache-2.0 */
/* Interviews to an OpenRosa server by the programs themselves: collector, courier, and a server that answers anything.
 */
#include "chasqui/file.h"
#include "chasqui/handover.h"
#include "tests/collector/ways.h"
#include "tests/sync/rosa_server.h"
#include "tests/sync/run.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

typedef struct scene {
  office *office;
  rosa_server *s;
  cq_buf xml[2], out;
  cq_bundle_form forms[2];
  char passphrase[300], secret[300], url[80];
} scene;

static void write_file(const char *path, const char *text) {
  assert_int_equal(cq_file_replace(path, text, strlen(text), 0600, false, NULL), CQ_OK);
}

static void scene_open(scene *it) {
  *it = (scene){.s = rosa_server_start()};
  assert_non_null(it->s);
  it->forms[0] = way_form("tests/collector/visita", "visita", &it->xml[0]);
  it->forms[1] = way_form("tests/collector/fotos", "fotos", &it->xml[1]);
  it->office = office_new(CQ_MODE_REAL, it->forms, 2);
  office_join(it->office);
  rosa_server_url(it->s, it->url);
  rosa_server_form(it->s, "visita", "1", cq_buf_str(&it->xml[0]));
  rosa_server_form(it->s, "fotos", "1", cq_buf_str(&it->xml[1]));
  snprintf(it->passphrase, sizeof it->passphrase, "%s/frase", it->office->home);
  snprintf(it->secret, sizeof it->secret, "%s/ficha", it->office->home);
  write_file(it->passphrase, OFFICE_PASSPHRASE "\n");
  write_file(it->secret, ROSA_TOKEN "\n");
}

static void scene_close(scene *it) {
  rosa_server_end(it->s);
  office_free(it->office);
  cq_buf_fini(&it->xml[0]);
  cq_buf_fini(&it->xml[1]);
  cq_buf_fini(&it->out);
}

/* chasqui-collector with these arguments, the home and the passphrase; its exit status. */
static int collector(scene *it, const char *const *args) {
  const char *all[24];
  size_t n = 0;
  while (*args) all[n++] = *args++;
  all[n++] = "--home";
  all[n++] = it->office->home;
  all[n++] = "--passphrase-file";
  all[n++] = it->passphrase;
  all[n] = NULL;
  return run_program("chasqui-collector", &it->out, all);
}
#define COLLECTOR(it, ...) collector((it), (const char *[]){__VA_ARGS__, NULL})

static void expect(const scene *it, const char *text) {
  if (!it->out.at || !strstr(it->out.at, text)) fail_msg("%s is not in: %s", text, it->out.at ? it->out.at : "");
}

static void add_server(scene *it) {
  assert_int_equal(COLLECTOR(it, "server", "add", "ayllu", it->url, "--secret-file", it->secret, "--form", "visita",
                             "--form", "fotos"),
                   0);
}

static void fill(scene *it, int times) {
  for (int i = 0; i < times; i++)
    assert_int_equal(COLLECTOR(it, "fill", "visita", "--answers", "tests/collector/visita.json", "--json"), 0);
}

static int send_all(scene *it) {
  return COLLECTOR(it, "send", "ayllu", "--yes", "--json", "--tries", "2");
}

/* Whether any file of the home but the two of this test holds these bytes. */
static bool on_disk(const char *folder, const char *text) {
  bool found = false;
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
    char path[600];
    struct stat about;
    cq_buf bytes = {0};
    if (e->d_name[0] == '.' || strcmp(e->d_name, "ficha") == 0 || strcmp(e->d_name, "frase") == 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (stat(path, &about) != 0) continue;
    if (S_ISDIR(about.st_mode)) {
      found |= on_disk(path, text);
    } else if (cq_file_read(path, 1 << 26, &bytes, NULL) == CQ_OK) {
      size_t size = strlen(text);
      for (size_t at = 0; at + size <= bytes.size && !found; at++) found = memcmp(bytes.at + at, text, size) == 0;
    }
    cq_buf_fini(&bytes);
  }
  if (dir) closedir(dir);
  return found;
}

static void interviews_go_once_and_nothing_readable_stays(void **state) {
  scene it;
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 3);
  /* Nobody agreed, and without a terminal nobody can: the word that says so is missing. */
  assert_int_equal(COLLECTOR(&it, "send", "ayllu", "--json"), 2);
  expect(&it, "cli.nobody");
  assert_int_equal(rosa_server_counts(it.s).requests, 0);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":3,\"refused\":0,\"later\":0");
  assert_int_equal(rosa_server_counts(it.s).submissions, 3);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":0,\"refused\":0,\"later\":0,\"before\":3");
  assert_int_equal(rosa_server_counts(it.s).posts, 3);
  assert_int_equal(COLLECTOR(&it, "server", "list", "--json"), 0);
  expect(&it, "\"accepted\":3,\"waiting\":0,\"refused\":0");
  /* Neither the token nor what was answered lies in any file. */
  assert_false(on_disk(it.office->home, ROSA_TOKEN));
  assert_false(on_disk(it.office->home, "azangaro"));
  assert_true(on_disk(it.office->home, "programa") || on_disk(it.office->home, "CHQ")); /* it does look */
  scene_close(&it);
}

static void the_record_that_is_named_goes_and_no_other(void **state) {
  scene it;
  cq_buf xml = {0};
  char instance[64] = "";
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 2);
  assert_int_equal(way_record(it.office, &xml), CQ_RESULT_COMPLETE);
  const char *at = strstr(xml.at, "instanceID>");
  assert_non_null(at);
  sscanf(at + 11, "%63[^<]", instance);
  assert_int_equal(COLLECTOR(&it, "send", "ayllu", instance, "--yes", "--json"), 0);
  assert_int_equal(rosa_server_counts(it.s).submissions, 1);
  assert_true(rosa_server_holds(it.s, instance, cq_buf_str(&xml)));
  cq_buf_fini(&xml);
  scene_close(&it);
}

static void what_does_not_go_is_kept_told_and_goes_later(void **state) {
  scene it;
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 3);
  /* A closed form: one request, the others wait. */
  rosa_server_close_form(it.s, "visita", true);
  assert_int_equal(send_all(&it), 1);
  expect(&it, "\"accepted\":0,\"refused\":0,\"later\":3");
  assert_int_equal(rosa_server_counts(it.s).posts, 1);
  rosa_server_close_form(it.s, "visita", false);
  /* A conflict is not tried again by itself. */
  rosa_server_play(it.s, &(rosa_play){.status = 409, .body = "{\"message\":\"different XML\"}", .times = 1});
  assert_int_equal(send_all(&it), 1);
  expect(&it, "\"accepted\":2,\"refused\":1,\"later\":0");
  assert_int_equal(send_all(&it), 1);
  expect(&it, "\"accepted\":0,\"refused\":1");
  assert_int_equal(rosa_server_counts(it.s).posts, 4);
  assert_int_equal(COLLECTOR(&it, "send", "ayllu", "--again", "--yes", "--json"), 0);
  expect(&it, "\"accepted\":1,\"refused\":0,\"later\":0,\"before\":2");
  assert_int_equal(rosa_server_counts(it.s).submissions, 3);
  scene_close(&it);
}

typedef struct watched {
  cq_backend *recorder; /* first */
  bool server, words;
} watched;

static void see_screen(void *context, cq_key key) {
  watched *it = context;
  cq_buf text = {0};
  (void)key;
  cq_grid_text(cq_recorder_grid(it->recorder), &text);
  it->server |= text.at && strstr(text.at, "conflict");
  it->words |= text.at && strstr(text.at, "different XML");
  cq_buf_fini(&text);
}

static void the_outbox_shows_what_a_server_said(void **state) {
  scene it;
  watched context = {0};
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 1);
  rosa_server_play(it.s, &(rosa_play){.status = 409, .body = "{\"message\":\"different XML\"}", .times = 1});
  assert_int_equal(send_all(&it), 1);
  it.office->at.utc_ms = cq_clock_system.now_utc_ms(NULL) + 60000; /* the programs go by the system's clock */
  /* New interview, Drafts, Finished, Outbox: its first row is what a server does not have. */
  way_keys(it.office, "<Down><Down><Down><Enter><Enter><Esc><Esc>", 24, 120, see_screen, &context);
  assert_true(context.server && context.words);
  scene_close(&it);
}

static void a_wrong_token_a_login_page_and_no_line_are_told(void **state) {
  scene it;
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 1);
  rosa_server_play_head(it.s, &(rosa_play){.status = 200, .body = "<html>entre</html>", .times = 1});
  assert_int_equal(send_all(&it), 3);
  expect(&it, "openrosa.strange");
  write_file(it.secret, "otra\n");
  add_server(&it);
  assert_int_equal(send_all(&it), 1);
  expect(&it, "openrosa.secret");
  assert_int_equal(rosa_server_counts(it.s).posts, 0);
  snprintf(it.url, sizeof it.url, "http://127.0.0.1:1/v1/projects/7");
  add_server(&it);
  assert_int_equal(send_all(&it), 3);
  expect(&it, "sync.net.connect");
  assert_int_equal(COLLECTOR(&it, "server", "list", "--json"), 0);
  expect(&it, "\"accepted\":0,\"waiting\":1,\"refused\":0");
  assert_int_equal(COLLECTOR(&it, "server", "add", "x", "http://example.org/v1/projects/1", "--secret-file", it.secret),
                   1);
  assert_int_equal(COLLECTOR(&it, "send", "nadie", "--yes", "--json"), 1);
  expect(&it, "store.server.missing");
  scene_close(&it);
}

static void a_lost_answer_makes_no_second_interview(void **state) {
  scene it;
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill(&it, 2);
  rosa_server_play(it.s, &(rosa_play){.kind = ROSA_PLAY_LOSE, .times = 9});
  assert_int_equal(send_all(&it), 3);
  expect(&it, "sync.net.broken");
  rosa_server_play(it.s, &(rosa_play){0});
  assert_int_equal(send_all(&it), 0);
  rosa_counts n = rosa_server_counts(it.s);
  assert_int_equal(n.submissions, 2);
  assert_true(n.lost > 0 && n.identical <= n.lost);
  scene_close(&it);
}

static void files_of_an_interview_go_with_it(void **state) {
  scene it;
  char answers[400], text[1200], here[500];
  cq_buf photo = {0}, last = {0};
  (void)state;
  scene_open(&it);
  add_server(&it);
  assert_non_null(realpath("tests/collector/files", here));
  snprintf(answers, sizeof answers, "%s/r.json", it.office->home);
  snprintf(text, sizeof text,
           "{\"nombre\":\"La casa\",\"casa\":\"%s/casa.png\",\"voz\":{\"missing\":\"na\"},"
           "\"parcela\":[{\"foto\":\"%s/casa-patio.png\"}]}",
           here, here);
  write_file(answers, text);
  assert_int_equal(COLLECTOR(&it, "fill", "fotos", "--answers", answers, "--json"), 0);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":1");
  assert_int_equal(rosa_server_counts(it.s).attachments, 2);
  assert_int_equal(cq_file_read("tests/collector/files/casa.png", 1 << 20, &photo, NULL), CQ_OK);
  rosa_server_last(it.s, &last);
  assert_non_null(strstr(last.at, "image/png 1049;"));
  cq_buf_fini(&photo);
  cq_buf_fini(&last);
  scene_close(&it);
}

/* --- corrections --- */

/* What `fill` and `edit` say of the record they made. */
static void made(const scene *it, const char *key, char out[80]) {
  char quoted[40];
  snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
  const char *at = it->out.at ? strstr(it->out.at, quoted) : NULL;
  if (!at) fail_msg("no %s in: %s", key, it->out.at ? it->out.at : "");
  snprintf(out, 80, "%.*s", (int)strcspn(at + strlen(quoted), "\""), at + strlen(quoted));
}

static void fill_one(scene *it, char record[80]) {
  fill(it, 1);
  made(it, "record", record);
}

static void edit(scene *it, const char *record, const char *changes, char correction[80]) {
  char path[400];
  snprintf(path, sizeof path, "%s/cambio.json", it->office->home);
  write_file(path, changes);
  int status = COLLECTOR(it, "edit", record, "--answers", path, "--json");
  if (status != 0) fail_msg("edit: %d %s", status, it->out.at ? it->out.at : "");
  made(it, "record", correction);
}

typedef struct comparing {
  scene *scene;
  cq_laptop *laptop;
  cq_arena *arena;
  char instance[80], before[80]; /* of the record, and the one that its XML deprecates */
  cq_buf bytes;
  size_t files;
  bool missing;
} comparing;

static cq_status gather_piece(void *context, const void *bytes, size_t size) {
  cq_buf_add(context, bytes, size);
  return CQ_OK;
}

static cq_status compare_file(void *context, const cq_store_attachment *file) {
  comparing *it = context;
  char name[256];
  snprintf(name, sizeof name, "%.*s", (int)file->name.size, file->name.at);
  cq_buf_reset(&it->bytes);
  assert_int_equal(cq_store_attachment_get(it->laptop->store, file->hash, gather_piece, &it->bytes, NULL), CQ_OK);
  if (!rosa_server_holds_file(it->scene->s, it->instance, name, cq_buf_str(&it->bytes))) it->missing = true;
  it->files++;
  return CQ_OK;
}

static void element(cq_str xml, const char *name, char out[80]) {
  char open[40];
  snprintf(open, sizeof open, "%s>", name);
  out[0] = '\0';
  for (size_t at = 0, size = strlen(open); at + size < xml.size; at++) {
    if (memcmp(xml.at + at, open, size) != 0) continue;
    size_t end = at + size;
    while (end < xml.size && xml.at[end] != '<') end++;
    snprintf(out, 80, "%.*s", (int)(end - at - size), xml.at + at + size);
    return;
  }
}

/* Reads a record of the vault; whether the server has it under its identifier, byte for byte, with each of its files.
 */
static bool is_there(scene *at, const char *record, comparing *it) {
  cq_laptop laptop;
  cq_hash name;
  cq_record parsed;
  *it = (comparing){.scene = at, .laptop = &laptop, .arena = cq_arena_new(0)};
  way_open(at->office, &laptop);
  for (size_t i = 0; i < sizeof name.at; i++) sscanf(record + 2 * i, "%2hhx", &name.at[i]);
  cq_buf bytes = {0};
  assert_int_equal(cq_store_record_bytes(laptop.store, name.at, &bytes, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&parsed, cq_buf_str(&bytes), it->arena, NULL), CQ_OK);
  element(parsed.instance_xml, "instanceID", it->instance);
  element(parsed.instance_xml, "deprecatedID", it->before);
  bool there = rosa_server_holds(at->s, it->instance, parsed.instance_xml);
  assert_int_equal(cq_store_record_attachments(laptop.store, name.at, compare_file, it, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  cq_buf_fini(&bytes);
  cq_buf_fini(&it->bytes);
  cq_arena_free(it->arena);
  return there && !it->missing;
}

typedef struct said {
  char record[80];
  int outcome;
} said;

static cq_status see_said(void *context, const cq_store_delivery *delivery) {
  said *it = context;
  char name[80];
  for (size_t i = 0; i < sizeof delivery->record; i++) snprintf(name + 2 * i, 3, "%02x", delivery->record[i]);
  if (strcmp(name, it->record) == 0) it->outcome = delivery->outcome;
  return CQ_OK;
}

/* What the laptop keeps of the server's last word of a record. */
static int last_word(const scene *at, const char *record) {
  cq_laptop laptop;
  said it = {0};
  snprintf(it.record, sizeof it.record, "%s", record);
  way_open(at->office, &laptop);
  assert_int_equal(cq_store_deliveries(laptop.store, CQ_STR("ayllu"), see_said, &it, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  return it.outcome;
}

static void a_correction_goes_as_an_edit_of_what_was_sent(void **state) {
  scene it;
  comparing first, second, third;
  char record[80], one[80], two[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill_one(&it, record);
  assert_int_equal(send_all(&it), 0);
  edit(&it, record, "{\"nombre\":\"Ana Corregida\"}", one);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":1,\"refused\":0,\"later\":0,\"before\":1");
  assert_true(is_there(&it, record, &first));
  assert_true(is_there(&it, one, &second));
  assert_string_equal(first.before, "");
  assert_string_equal(second.before, first.instance);
  assert_string_not_equal(second.instance, first.instance);
  assert_int_equal(rosa_server_counts(it.s).submissions, 2); /* the server keeps both versions of the one */
  /* A correction of the correction; its answer is lost, and it goes once more without harm. */
  edit(&it, one, "{\"edad\":35}", two);
  rosa_server_play(it.s, &(rosa_play){.kind = ROSA_PLAY_LOSE, .times = 9});
  assert_int_equal(send_all(&it), 3);
  rosa_server_play(it.s, &(rosa_play){0});
  assert_int_equal(send_all(&it), 0);
  assert_true(is_there(&it, two, &third));
  assert_string_equal(third.before, second.instance);
  assert_int_equal(rosa_server_counts(it.s).submissions, 3);
  /* Nothing of it is given again. */
  size_t posts = rosa_server_counts(it.s).posts;
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"before\":3");
  assert_int_equal(rosa_server_counts(it.s).posts, posts);
  scene_close(&it);
}

static void a_correction_brings_all_files_those_that_stayed_too(void **state) {
  scene it;
  comparing first, second;
  char answers[400], text[1200], here[500], record[80], correction[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  assert_non_null(realpath("tests/collector/files", here));
  snprintf(answers, sizeof answers, "%s/r.json", it.office->home);
  snprintf(text, sizeof text,
           "{\"nombre\":\"La casa\",\"casa\":\"%s/casa.png\",\"voz\":{\"missing\":\"na\"},"
           "\"parcela\":[{\"foto\":\"%s/casa-patio.png\"}]}",
           here, here);
  write_file(answers, text);
  assert_int_equal(COLLECTOR(&it, "fill", "fotos", "--answers", answers, "--json"), 0);
  made(&it, "record", record);
  assert_int_equal(send_all(&it), 0);
  snprintf(text, sizeof text, "{\"nombre\":\"La casa nueva\",\"voz\":\"%s/saludo.amr\"}", here);
  edit(&it, record, text, correction);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":1");
  assert_true(is_there(&it, record, &first));
  assert_true(is_there(&it, correction, &second));
  assert_int_equal(first.files, 2);
  assert_int_equal(second.files, 3);
  assert_int_equal(rosa_server_counts(it.s).attachments, 5);
  scene_close(&it);
}

static void a_correction_made_before_anything_was_sent_goes_after_what_it_corrects(void **state) {
  scene it;
  comparing first, second;
  char record[80], correction[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill_one(&it, record);
  edit(&it, record, "{\"nombre\":\"Ana Corregida\"}", correction);
  /* Alone it is known for what it is, and waits. */
  assert_int_equal(COLLECTOR(&it, "send", "ayllu", correction, "--yes", "--json"), 1);
  expect(&it, "\"accepted\":0,\"refused\":0,\"later\":1");
  assert_int_equal(last_word(&it, correction), CQ_DELIVERY_ORIGINAL);
  assert_int_equal(rosa_server_counts(it.s).submissions, 0);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":2,\"refused\":0,\"later\":0");
  assert_true(is_there(&it, record, &first));
  assert_true(is_there(&it, correction, &second));
  assert_string_equal(second.before, first.instance);
  scene_close(&it);
}

/* The laptop's clock ran ahead at the interview, by less than is asked about, and was set right before the correction.
 */
static void a_clock_set_back_changes_nothing_of_that(void **state) {
  scene it;
  comparing first, second;
  char record[80], correction[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  it.office->at.utc_ms = cq_clock_system.now_utc_ms(NULL) + INT64_C(9) * 60000;
  way_answers(it.office, "tests/collector/visita.json");
  assert_int_equal(COLLECTOR(&it, "status", "--json"), 0);
  made(&it, "name", record);
  edit(&it, record, "{\"nombre\":\"Ana Corregida\"}", correction);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":2,\"refused\":0,\"later\":0");
  assert_true(is_there(&it, record, &first));
  assert_true(is_there(&it, correction, &second));
  assert_string_equal(second.before, first.instance);
  scene_close(&it);
}

static void a_second_correction_of_one_is_a_conflict_there_too(void **state) {
  scene it;
  comparing seen;
  char path[400], record[80], one[80], two[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill_one(&it, record);
  edit(&it, record, "{\"nombre\":\"Ana Corregida\"}", one);
  assert_int_equal(send_all(&it), 0);
  snprintf(path, sizeof path, "%s/cambio.json", it.office->home);
  write_file(path, "{\"nombre\":\"Ana de Otro Modo\"}");
  assert_int_equal(COLLECTOR(&it, "edit", record, "--answers", path, "--fork", "--json"), 0);
  made(&it, "record", two);
  assert_int_equal(send_all(&it), 1);
  expect(&it, "\"accepted\":0,\"refused\":1,\"later\":0,\"before\":2");
  assert_int_equal(last_word(&it, two), CQ_DELIVERY_CONFLICT);
  assert_true(is_there(&it, one, &seen));
  assert_false(is_there(&it, two, &seen));
  scene_close(&it);
}

static void a_correction_that_withdraws_keeps_both_here(void **state) {
  scene it;
  char path[400];
  char record[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill_one(&it, record);
  snprintf(path, sizeof path, "%s/cambio.json", it.office->home);
  write_file(path, "{}");
  assert_int_equal(COLLECTOR(&it, "edit", record, "--answers", path, "--result", "withdrawn", "--json"), 0);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":0,\"refused\":0,\"later\":0,\"before\":0,\"withdrawn\":2");
  assert_int_equal(rosa_server_counts(it.s).posts, 0);
  scene_close(&it);
}

static void a_server_that_has_lost_what_is_corrected_is_told_of(void **state) {
  scene it;
  char record[80], correction[80];
  (void)state;
  scene_open(&it);
  add_server(&it);
  fill_one(&it, record);
  assert_int_equal(send_all(&it), 0);
  edit(&it, record, "{\"nombre\":\"Ana Corregida\"}", correction);
  /* Another server under the same name: it has nothing. */
  rosa_server *empty = rosa_server_start();
  assert_non_null(empty);
  rosa_server_form(empty, "visita", "1", cq_buf_str(&it.xml[0]));
  rosa_server_url(empty, it.url);
  add_server(&it);
  assert_int_equal(send_all(&it), 1);
  expect(&it, "\"accepted\":0,\"refused\":0,\"later\":1,\"before\":1");
  assert_int_equal(last_word(&it, correction), CQ_DELIVERY_ORIGINAL);
  assert_int_equal(rosa_server_counts(empty).submissions, 0);
  assert_int_equal(COLLECTOR(&it, "server", "list", "--json"), 0);
  expect(&it, "\"accepted\":1,\"waiting\":1,\"refused\":0");
  /* The first one again: it goes. */
  rosa_server_end(empty);
  rosa_server_url(it.s, it.url);
  add_server(&it);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":1");
  scene_close(&it);
}

/* A form that only the server has, with a list. */
static const char theirs[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:orx=\"http://openrosa.org/xforms\"><h:head><h:title>Censo ajeno</h:title><model><instance>"
    "<data id=\"censo\" version=\"5\"><pueblo/><orx:meta><orx:instanceID/></orx:meta></data></instance>"
    "<instance id=\"ccpp\" src=\"jr://file-csv/ccpp.csv\"/>"
    "<bind nodeset=\"/data/pueblo\" type=\"string\" required=\"true()\"/>"
    "<bind nodeset=\"/data/orx:meta/orx:instanceID\" type=\"string\" readonly=\"true()\"/></model></h:head>"
    "<h:body><select1 ref=\"/data/pueblo\"><label>Pueblo</label><itemset nodeset=\"instance('ccpp')/root/item\">"
    "<value ref=\"name\"/><label ref=\"label\"/></itemset></select1></h:body></h:html>";

static size_t batches(const scene *it) {
  cq_buf bytes = {0};
  size_t n = 0;
  while (office_batch(it->office, n, &bytes)) n++;
  cq_buf_fini(&bytes);
  return n;
}

static void a_form_of_the_server_is_used_at_the_technicians_word_and_goes_there_alone(void **state) {
  scene it;
  char answers[400];
  (void)state;
  scene_open(&it);
  add_server(&it);
  rosa_server_form(it.s, "censo", "5", CQ_STR(theirs));
  rosa_server_media(it.s, "censo", "ccpp.csv", CQ_STR("name,label\njuli,Juli\nilave,Ilave\n"), true);
  assert_int_equal(COLLECTOR(&it, "server", "pull", "ayllu", "--json"), 0);
  expect(&it, "\"offered\":3,\"forms\":3,\"files\":1,\"unchanged\":0,\"failed\":0");
  assert_int_equal(COLLECTOR(&it, "server", "forms", "ayllu", "--json"), 0);
  expect(&it, "{\"id\":\"censo\",\"version\":\"5\",\"in_use\":false}");
  expect(&it, "{\"id\":\"visita\",\"version\":\"1\",\"in_use\":true}"); /* the programme's own, byte for byte */
  snprintf(answers, sizeof answers, "%s/r.json", it.office->home);
  write_file(answers, "{\"pueblo\":\"ilave\"}");
  assert_int_equal(COLLECTOR(&it, "fill", "censo", "--answers", answers), 1);
  assert_int_equal(COLLECTOR(&it, "server", "accept", "ayllu", "censo"), 2); /* nobody said yes */
  assert_int_equal(COLLECTOR(&it, "server", "accept", "ayllu", "censo", "--yes"), 0);
  assert_int_equal(COLLECTOR(&it, "server", "forms", "ayllu", "--json"), 0);
  expect(&it, "{\"id\":\"censo\",\"version\":\"5\",\"in_use\":true}");
  size_t before = batches(&it);
  assert_int_equal(COLLECTOR(&it, "fill", "censo", "--answers", answers, "--json"), 0);
  assert_int_equal(COLLECTOR(&it, "pack", "--json"), 0);
  expect(&it, "\"records\":0");
  assert_int_equal(batches(&it), before);
  assert_int_equal(send_all(&it), 0);
  expect(&it, "\"accepted\":1");
  /* Another pull brings its lists, without another word. */
  write_file(answers, "{\"pueblo\":\"ccapachica\"}");
  assert_int_equal(COLLECTOR(&it, "fill", "censo", "--answers", answers), 1);
  rosa_server_media(it.s, "censo", "ccpp.csv", CQ_STR("name,label\nilave,Ilave\nccapachica,Capachica\n"), true);
  assert_int_equal(COLLECTOR(&it, "server", "pull", "ayllu", "--json"), 0);
  assert_int_equal(COLLECTOR(&it, "fill", "censo", "--answers", answers, "--json"), 0);
  /* It is shown apart, with where it comes from. */
  cq_laptop laptop;
  cq_offered *forms = NULL;
  size_t count = 0;
  way_open(it.office, &laptop);
  assert_int_equal(cq_filling_offered(&laptop, &forms, &count, NULL), CQ_OK);
  assert_int_equal(count, 3);
  assert_string_equal(forms[0].server, "");
  assert_string_equal(forms[2].server, "ayllu");
  assert_string_equal(forms[2].title, "Censo ajeno");
  free(forms);
  cq_laptop_close(&laptop);
  /* Forgotten: it is offered no more. */
  assert_int_equal(COLLECTOR(&it, "server", "remove", "ayllu"), 0);
  assert_int_equal(COLLECTOR(&it, "fill", "censo", "--answers", answers), 1);
  scene_close(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(interviews_go_once_and_nothing_readable_stays),
      cmocka_unit_test(the_record_that_is_named_goes_and_no_other),
      cmocka_unit_test(what_does_not_go_is_kept_told_and_goes_later),
      cmocka_unit_test(the_outbox_shows_what_a_server_said),
      cmocka_unit_test(a_wrong_token_a_login_page_and_no_line_are_told),
      cmocka_unit_test(a_lost_answer_makes_no_second_interview),
      cmocka_unit_test(files_of_an_interview_go_with_it),
      cmocka_unit_test(a_correction_goes_as_an_edit_of_what_was_sent),
      cmocka_unit_test(a_correction_brings_all_files_those_that_stayed_too),
      cmocka_unit_test(a_correction_made_before_anything_was_sent_goes_after_what_it_corrects),
      cmocka_unit_test(a_clock_set_back_changes_nothing_of_that),
      cmocka_unit_test(a_second_correction_of_one_is_a_conflict_there_too),
      cmocka_unit_test(a_correction_that_withdraws_keeps_both_here),
      cmocka_unit_test(a_server_that_has_lost_what_is_corrected_is_told_of),
      cmocka_unit_test(a_form_of_the_server_is_used_at_the_technicians_word_and_goes_there_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
