/* SPDX-License-Identifier: Apache-2.0 */
/* OpenRosa: each answer of a server, files over several requests, lost answers, and pulling only what changed. */
#include "chasqui/file.h"
#include "chasqui/pulled.h"
#include "tests/sync/rosa_client.h"
#include "tests/sync/rosa_server.h"
#include "tests/sync/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct scene {
  rosa_server *s;
  rosa_client c;
  char home[256], url[80];
} scene;

static void scene_open(scene *it) {
  const char *folder = getenv("CHASQUI_TEST_TMP");
  *it = (scene){.s = rosa_server_start()};
  assert_non_null(it->s);
  snprintf(it->home, sizeof it->home, "%s/rosa.XXXXXX", folder ? folder : "/tmp");
  assert_non_null(mkdtemp(it->home));
  rosa_server_url(it->s, it->url);
  rosa_server_form(it->s, "visita", "1", CQ_STR("<h:html><model>1</model></h:html>"));
  it->c = (rosa_client){.home = it->home, .url = it->url, .secret = ROSA_TOKEN, .tries = 2};
}

static void scene_close(scene *it) {
  char command[300];
  rosa_server_end(it->s);
  snprintf(command, sizeof command, "rm -rf '%s'", it->home);
  assert_int_equal(system(command), 0);
}

static rosa_give visit(const char *instance) {
  return (rosa_give){.instance = instance, .form = "visita", .version = "1"};
}

/* --- addresses --- */
static void addresses_are_made_plain(void **state) {
  static const struct {
    const char *typed, *address, *secret, *code;
  } rows[] = {
      {"https://c.example.org/v1/projects/3/", "https://c.example.org/v1/projects/3", "", NULL},
      {"https://c.example.org/#/projects/12", "https://c.example.org/v1/projects/12", "", NULL},
      {"https://c.example.org/#/projects/12/forms/a", "https://c.example.org/v1/projects/12", "", NULL},
      {"https://c.example.org/v1/key/AbC$d/projects/3", "https://c.example.org/v1/projects/3", "AbC$d", NULL},
      {" https://kc.example.org/ana/formList ", "https://kc.example.org/ana", "", NULL},
      {"https://formList", "https://formList", "", NULL},
      {"https://submission/formList/", "https://submission", "", NULL},
      {"https://kc.example.org/submission", "https://kc.example.org", "", NULL},
      {"http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x", "", NULL},
      {"http://localhost/x", "http://localhost/x", "", NULL},
      {"http://c.example.org/v1/projects/3", NULL, "", "openrosa.clear"},
      {"http://127.0.0.1.example.org/x", NULL, "", "openrosa.clear"},
      {"http://localhost@example.org/x", NULL, "", "openrosa.url"},
      {"https://ana:clave@c.example.org/", NULL, "", "openrosa.url"},
      {"https://c.example.org/a?b=1", NULL, "", "openrosa.url"},
      {"https://c.example.org/v1/key//projects/3", NULL, "", "openrosa.url"},
      {"https:///x", NULL, "", "openrosa.url"},
      {"ftp://c.example.org/", NULL, "", "openrosa.url"},
      {"", NULL, "", "openrosa.url"},
  };
  cq_buf address = {0}, secret = {0};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    cq_error error;
    cq_error_clear(&error);
    cq_status status = cq_server_address(&address, &secret, cq_str_from(rows[i].typed), &error);
    if (rows[i].code) {
      assert_true(status != CQ_OK);
      assert_string_equal(error.code, rows[i].code);
      continue;
    }
    assert_int_equal(status, CQ_OK);
    assert_string_equal(address.at, rows[i].address);
    assert_true(cq_str_is(cq_buf_str(&secret), rows[i].secret));
  }
  cq_buf_fini(&address);
  cq_buf_fini(&secret);
}

/* --- frames --- */
static void frames_that_are_cut_or_longer_are_refused(void **state) {
  cq_buf out = {0};
  cq_handover_file files[] = {{CQ_STR("foto ñ.jpg"), CQ_STR("image/jpeg"), 7, true}}, got[CQ_HANDOVER_MAX_FILES];
  cq_handover_submit submit = {7, CQ_STR("visita"), CQ_STR("1"), CQ_STR("<data/>"), true, files, 1}, read;
  cq_handover_server server = {CQ_SERVER_KOBO, CQ_STR("https://x"), CQ_STR("ana"), CQ_STR("s"), CQ_STR(""), 9, 8},
                     there;
  cq_error fault, error;
  (void)state;
  cq_handover_put_submit(&out, &submit);
  for (size_t cut = 0; cut < out.size; cut++)
    assert_int_equal(cq_handover_get_submit(&read, got, (cq_str){out.at, cut}, NULL), CQ_INVALID);
  assert_int_equal(cq_handover_get_submit(&read, got, cq_buf_str(&out), NULL), CQ_OK);
  assert_true(read.number == 7 && read.is_edit && read.file_count == 1 && got[0].taken && got[0].size == 7);
  assert_true(cq_str_is(got[0].name, "foto ñ.jpg") && cq_str_is(read.xml, "<data/>"));
  cq_buf_add_char(&out, 'x');
  assert_int_equal(cq_handover_get_submit(&read, got, cq_buf_str(&out), NULL), CQ_INVALID);
  files[0].name = CQ_STR("a\r\nb");
  cq_handover_put_submit(&out, &submit);
  assert_int_equal(cq_handover_get_submit(&read, got, cq_buf_str(&out), NULL), CQ_INVALID);
  cq_handover_put_server(&out, &server);
  for (size_t cut = 0; cut < out.size; cut++)
    assert_int_equal(cq_handover_get_server(&there, (cq_str){out.at, cut}, NULL), CQ_INVALID);
  assert_int_equal(cq_handover_get_server(&there, cq_buf_str(&out), NULL), CQ_OK);
  assert_true(there.kind == CQ_SERVER_KOBO && cq_str_is(there.secret, "s") && there.silence_seconds == 8);
  assert_int_equal(cq_handover_get_hello(CQ_STR("CHQO\x02"), NULL), CQ_FUTURE);
  assert_int_equal(cq_handover_get_hello(CQ_STR("CHQX\x01"), NULL), CQ_INVALID);
  cq_error_clear(&error);
  cq_error_set(&error, CQ_IO, "sync.net.tls", "c.example.org", "por qué", NULL);
  cq_handover_put_end(&out, &error);
  assert_int_equal(cq_handover_get_end(&fault, cq_buf_str(&out), NULL), CQ_OK);
  assert_string_equal(fault.code, "sync.net.tls");
  assert_string_equal(fault.arg[1], "por qué");
  cq_error_set(&error, CQ_IO, "what.nobody.knows", NULL);
  cq_handover_put_end(&out, &error);
  assert_int_equal(cq_handover_get_end(&fault, cq_buf_str(&out), NULL), CQ_OK);
  assert_string_equal(fault.code, "openrosa.fault");
  assert_string_equal(fault.arg[0], "what.nobody.knows");
  cq_buf_fini(&out);
}

/* --- greeting --- */
static void a_server_is_known_before_anything_is_given(void **state) {
  static const struct {
    rosa_play head;
    const char *secret, *path, *code;
  } rows[] = {
      {.code = NULL},
      {.secret = "otro", .code = "openrosa.secret"},
      {.path = "/v1/projects/8", .code = "openrosa.project"},
      {.head = {.status = 200, .body = "<html>entre aquí</html>", .times = 1}, .code = "openrosa.strange"},
      {.head = {.status = 302, .location = "http://entrar.example.org/", .times = 1}, .code = "openrosa.moved"},
      {.head = {.status = 503, .times = 1}, .code = "openrosa.busy"},
      {.head = {.status = 402, .times = 1}, .code = "openrosa.quota"},
      {.head = {.status = 204, .times = 1}, .code = "openrosa.strange"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    scene it;
    char url[120];
    rosa_give one = visit("uuid:1");
    scene_open(&it);
    if (rows[i].secret) it.c.secret = rows[i].secret;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", (unsigned)rosa_server_port(it.s),
             rows[i].path ? rows[i].path : ROSA_PROJECT);
    it.c.url = url;
    rosa_server_play_head(it.s, &rows[i].head);
    rosa_client_run(&it.c, &one, 1);
    assert_true(it.c.ended);
    rosa_counts n = rosa_server_counts(it.s);
    if (rows[i].code) {
      assert_non_null(it.c.fault.code);
      assert_string_equal(it.c.fault.code, rows[i].code);
      assert_int_equal(n.posts, 0);
      assert_int_equal(one.outcome, 0);
    } else {
      assert_null(it.c.fault.code);
      assert_int_equal(one.outcome, CQ_DELIVERY_ACCEPTED);
      assert_true(rosa_server_holds(it.s, "uuid:1", cq_buf_str(&one.xml)));
    }
    cq_buf_fini(&one.xml);
    scene_close(&it);
  }
}

static void no_line_is_told(void **state) {
  scene it;
  rosa_give one = visit("uuid:1");
  (void)state;
  scene_open(&it);
  it.c.url = "http://127.0.0.1:1/v1/projects/7";
  it.c.tries = 1;
  rosa_client_run(&it.c, &one, 1);
  assert_string_equal(it.c.fault.code, "sync.net.connect");
  assert_int_equal(one.outcome, 0);
  cq_buf_fini(&one.xml);
  scene_close(&it);
}

/* --- each answer to a POST --- */
#define ENVELOPE(text)                                                                                                 \
  "<OpenRosaResponse xmlns=\"http://openrosa.org/http/response\"><message>" text "</message></OpenRosaResponse>"

static void each_answer_has_its_meaning(void **state) {
  static const struct {
    rosa_play play;
    unsigned outcome, second; /* of this interview, and of another of the same form after it; 0: no answer */
    const char *code;         /* of the run */
    size_t held;              /* of the first */
  } rows[] = {
      {{.kind = ROSA_PLAY_KEEP, .status = 202, .body = ENVELOPE("Duplicate submission"), .times = 1}, 1, 1, NULL, 1},
      {{.kind = ROSA_PLAY_KEEP, .status = 201, .body = "", .openrosa = true, .times = 1}, 1, 1, NULL, 1},
      {{.status = 200, .body = ENVELOPE("OK"), .times = 1}, CQ_DELIVERY_UNCLEAR, 1, NULL, 0},
      {{.status = 201, .body = "<html>entre</html>", .times = 1}, CQ_DELIVERY_UNCLEAR, 0, "openrosa.strange", 0},
      {{.status = 200, .body = "<html>entre</html>", .times = 1}, CQ_DELIVERY_UNCLEAR, 0, "openrosa.strange", 0},
      {{.status = 301, .location = "https://x.example.org/", .times = 1}, CQ_DELIVERY_UNCLEAR, 0, "openrosa.moved", 0},
      {{.status = 401, .times = 1}, CQ_DELIVERY_UNASSIGNED, CQ_DELIVERY_UNTRIED, NULL, 0},
      {{.status = 403, .times = 1}, CQ_DELIVERY_UNASSIGNED, CQ_DELIVERY_UNTRIED, NULL, 0},
      {{.status = 402, .times = 1}, CQ_DELIVERY_QUOTA, 0, "openrosa.quota", 0},
      {{.status = 404, .times = 1}, CQ_DELIVERY_FORM, CQ_DELIVERY_UNTRIED, NULL, 0},
      {{.status = 405, .times = 1}, CQ_DELIVERY_CLOSED, CQ_DELIVERY_UNTRIED, NULL, 0},
      {{.status = 409, .body = ENVELOPE("This form is not currently accepting submissions."), .times = 1},
       CQ_DELIVERY_CLOSED,
       CQ_DELIVERY_UNTRIED,
       NULL,
       0},
      {{.status = 409, .body = ENVELOPE("different XML"), .times = 1}, CQ_DELIVERY_CONFLICT, 1, NULL, 0},
      {{.status = 409, .body = "{\"message\":\"This submission has been deleted.\"}", .times = 9},
       CQ_DELIVERY_DELETED,
       CQ_DELIVERY_DELETED,
       NULL,
       0},
      {{.status = 409, .body = ENVELOPE("deleted"), .times = 1}, CQ_DELIVERY_ACCEPTED, 1, NULL, 1},
      {{.status = 400, .body = "{\"message\":\"unexpected end\"}", .times = 1}, CQ_DELIVERY_ACCEPTED, 1, NULL, 1},
      {{.status = 400, .body = "{\"message\":\"unexpected end\"}", .times = 2}, CQ_DELIVERY_MALFORMED, 1, NULL, 0},
      {{.status = 413, .times = 1}, CQ_DELIVERY_LARGE, 1, NULL, 0},
      {{.status = 500, .times = 1}, CQ_DELIVERY_ACCEPTED, 1, NULL, 1},
      {{.status = 500, .times = 2}, CQ_DELIVERY_FAULT, 1, NULL, 0},
      {{.status = 503, .retry_after = "1", .times = 1}, CQ_DELIVERY_ACCEPTED, 1, NULL, 1},
      {{.status = 429, .retry_after = "1", .times = 9}, CQ_DELIVERY_BUSY, 0, "openrosa.busy", 0},
      {{.kind = ROSA_PLAY_LOSE, .times = 1}, CQ_DELIVERY_ACCEPTED, 1, NULL, 1},
      {{.kind = ROSA_PLAY_LOSE, .times = 9}, CQ_DELIVERY_UNCLEAR, 0, "sync.net.broken", 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    scene it;
    rosa_give two[2] = {visit("uuid:1"), visit("uuid:2")};
    scene_open(&it);
    rosa_server_play(it.s, &rows[i].play);
    rosa_client_run(&it.c, two, 2);
    if (two[0].outcome != rows[i].outcome || two[1].outcome != rows[i].second)
      fail_msg("row %zu: %u %u (%s)", i, two[0].outcome, two[1].outcome, it.c.fault.code ? it.c.fault.code : "");
    assert_true(it.c.ended);
    if (rows[i].code)
      assert_string_equal(it.c.fault.code, rows[i].code);
    else
      assert_null(it.c.fault.code);
    assert_int_equal(rosa_server_holds(it.s, "uuid:1", cq_buf_str(&two[0].xml)), rows[i].held);
    /* Whatever it was, nothing is doubled or given up: once the server is itself again, the rest arrives. */
    rosa_server_play(it.s, &(rosa_play){0});
    rosa_client_run(&it.c, two, 2);
    rosa_counts n = rosa_server_counts(it.s);
    assert_int_equal(n.submissions, 2);
    assert_int_equal(two[0].outcome, CQ_DELIVERY_ACCEPTED);
    assert_int_equal(two[1].outcome, CQ_DELIVERY_ACCEPTED);
    assert_true(n.identical <= n.lost);
    cq_buf_fini(&two[0].xml);
    cq_buf_fini(&two[1].xml);
    scene_close(&it);
  }
}

static void other_bytes_under_the_same_name_are_a_conflict_and_the_servers_words_are_kept(void **state) {
  scene it;
  rosa_give one = visit("uuid:1"), other = visit("uuid:1");
  (void)state;
  scene_open(&it);
  rosa_interview(&other, 300);
  rosa_client_run(&it.c, &one, 1);
  rosa_client_run(&it.c, &other, 1);
  assert_int_equal(other.outcome, CQ_DELIVERY_CONFLICT);
  assert_int_equal(other.http, 409);
  assert_string_equal(other.message, "A submission already exists with this ID, but with different XML.");
  assert_true(rosa_server_holds(it.s, "uuid:1", cq_buf_str(&one.xml)));
  cq_buf_fini(&one.xml);
  cq_buf_fini(&other.xml);
  scene_close(&it);
}

static void an_edit_waits_for_its_original(void **state) {
  scene it;
  rosa_give original = visit("uuid:1"), edit = visit("uuid:2");
  (void)state;
  edit.before = "uuid:1";
  scene_open(&it);
  rosa_client_run(&it.c, &edit, 1);
  assert_int_equal(edit.outcome, CQ_DELIVERY_ORIGINAL);
  rosa_client_run(&it.c, &original, 1);
  rosa_client_run(&it.c, &edit, 1);
  assert_int_equal(edit.outcome, CQ_DELIVERY_ACCEPTED);
  edit.outcome = 0; /* as if the answer had been lost */
  rosa_client_run(&it.c, &edit, 1);
  assert_int_equal(edit.outcome, CQ_DELIVERY_ACCEPTED);
  assert_int_equal(rosa_server_counts(it.s).submissions, 2);
  cq_buf_fini(&original.xml);
  cq_buf_fini(&edit.xml);
  scene_close(&it);
}

static void each_kind_of_account_opens_the_server(void **state) {
  static const struct {
    rosa_guard guard;
    cq_server_kind kind;
    const char *user;
  } rows[] = {{ROSA_BEARER, CQ_SERVER_CENTRAL, NULL}, {ROSA_KOBO, CQ_SERVER_KOBO, NULL},
              {ROSA_BASIC, CQ_SERVER_CENTRAL, "ana"}, {ROSA_DIGEST, CQ_SERVER_OPENROSA, "ana"},
              {ROSA_DIGEST, CQ_SERVER_KOBO, "ana"},   {ROSA_OPEN, CQ_SERVER_OPENROSA, NULL}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    scene it;
    rosa_give one[] = {visit("uuid:1"), visit("uuid:2")};
    scene_open(&it);
    rosa_server_guard(it.s, rows[i].guard);
    it.c.kind = rows[i].kind;
    it.c.user = rows[i].user;
    rosa_client_run(&it.c, one, 2);
    if (it.c.fault.code) fail_msg("%zu: %s", i, it.c.fault.code);
    assert_int_equal(rosa_server_counts(it.s).submissions, 2);
    it.c.secret = "otra";
    one[0].outcome = 0;
    rosa_client_run(&it.c, one, 1);
    if (rows[i].guard == ROSA_OPEN)
      assert_int_equal(one[0].outcome, CQ_DELIVERY_ACCEPTED);
    else
      assert_string_equal(it.c.fault.code, "openrosa.secret");
    cq_buf_fini(&one[0].xml);
    cq_buf_fini(&one[1].xml);
    scene_close(&it);
  }
}

/* --- files --- */
static void files_go_over_as_many_requests_as_the_server_takes(void **state) {
  scene it;
  rosa_give one = visit("uuid:1");
  enum { SIZE = 300000 };
  char *bytes = malloc(4 * SIZE);
  cq_buf last = {0};
  (void)state;
  assert_non_null(bytes);
  for (size_t i = 0; i < 4 * SIZE; i++) bytes[i] = (char)(i * 7 + i / 251);
  static const char *const names[] = {"foto 1.jpg", "ñandú \"2\".jpg", "c.jpg", "enorme.jpg"};
  scene_open(&it);
  rosa_server_accept_length(it.s, 700000);
  for (size_t i = 0; i < 3; i++) {
    one.names[i] = names[i];
    one.files[i] = (cq_str){bytes + i * SIZE, SIZE};
  }
  one.names[3] = names[3];
  one.files[3] = (cq_str){bytes, 3 * SIZE};
  one.file_count = 4;
  rosa_client_run(&it.c, &one, 1);
  /* Two requests: two files and one. The fourth fits into none. */
  assert_int_equal(one.outcome, CQ_DELIVERY_LARGE);
  assert_int_equal(rosa_server_counts(it.s).posts, 2);
  assert_int_equal(one.taken_frames, 2);
  assert_true(one.taken[0] && one.taken[1] && one.taken[2] && !one.taken[3]);
  rosa_server_last(it.s, &last);
  assert_non_null(strstr(last.at, "c.jpg image/jpeg 300000;"));
  assert_null(strstr(last.at, "isIncomplete"));
  assert_true(rosa_server_holds_file(it.s, "uuid:1", "foto 1.jpg", one.files[0]));
  assert_true(rosa_server_holds_file(it.s, "uuid:1", "ñandú %222%22.jpg", one.files[1]));
  /* Later the server takes more: only what is left goes, with the same XML. */
  rosa_server_accept_length(it.s, 100000000);
  rosa_client_run(&it.c, &one, 1);
  assert_int_equal(one.outcome, CQ_DELIVERY_ACCEPTED);
  assert_int_equal(rosa_server_counts(it.s).posts, 3);
  assert_int_equal(rosa_server_counts(it.s).attachments, 4);
  assert_int_equal(rosa_server_counts(it.s).identical, 0);
  assert_true(rosa_server_holds_file(it.s, "uuid:1", "enorme.jpg", one.files[3]));
  free(bytes);
  cq_buf_fini(&last);
  cq_buf_fini(&one.xml);
  scene_close(&it);
}

static void a_413_makes_requests_smaller_and_a_cut_keeps_what_arrived(void **state) {
  scene it;
  rosa_give one = visit("uuid:1");
  cq_buf last = {0};
  (void)state;
  one.names[0] = "a";
  one.names[1] = "b";
  one.files[0] = CQ_STR("primera");
  one.files[1] = CQ_STR("segunda");
  one.file_count = 2;
  scene_open(&it);
  rosa_server_play(it.s, &(rosa_play){.status = 413, .times = 1});
  rosa_client_run(&it.c, &one, 1);
  assert_int_equal(one.outcome, CQ_DELIVERY_ACCEPTED);
  assert_int_equal(rosa_server_counts(it.s).posts, 3);
  assert_int_equal(one.taken_frames, 2);
  rosa_server_last(it.s, &last);
  assert_string_equal(last.at, "xml_submission_file text/xml 364;b image/jpeg 7;");
  cq_buf_fini(&last);
  cq_buf_fini(&one.xml);
  scene_close(&it);
}

/* --- pulling --- */
static void read_pulled(const scene *it, cq_pulled *pulled, cq_arena *arena, cq_status expected) {
  char name[26], folder[400];
  cq_pulled_folder_name(name, cq_str_from(it->url));
  snprintf(folder, sizeof folder, "%s/inbox/%s", it->home, name);
  assert_int_equal(cq_pulled_read(pulled, folder, arena, NULL), expected);
}

static void pulled_bytes(const scene *it, cq_str file, cq_buf *out) {
  char name[26], path[500];
  cq_pulled_folder_name(name, cq_str_from(it->url));
  snprintf(path, sizeof path, "%s/inbox/%s/%s", it->home, name, file.at);
  assert_int_equal(cq_file_read(path, 1 << 20, out, NULL), CQ_OK);
}

static void pull(scene *it, uint32_t forms, uint32_t files, uint32_t failed) {
  it->c.pull = true;
  rosa_client_run(&it->c, NULL, 0);
  if (it->c.fault.code && !failed) fail_msg("%s %s", it->c.fault.code, it->c.fault.arg[0]);
  assert_int_equal(it->c.pulled.forms, forms);
  assert_int_equal(it->c.pulled.files, files);
  assert_int_equal(it->c.pulled.failed, failed);
}

static void only_what_changed_is_fetched(void **state) {
  scene it;
  cq_pulled p;
  cq_buf bytes = {0};
  cq_arena *arena = cq_arena_new(0);
  (void)state;
  scene_open(&it);
  rosa_server_form(it.s, "censo", "3", CQ_STR("<form>censo</form>"));
  rosa_server_media(it.s, "censo", "ccpp.csv", CQ_STR("name,label\n1,Juli\n"), false);
  rosa_server_media(it.s, "censo", "personas.csv", CQ_STR("name,label,__version\n"), true);
  pull(&it, 2, 2, 0);
  read_pulled(&it, &p, arena, CQ_OK);
  assert_int_equal(p.form_count, 2);
  assert_true(cq_str_is(p.forms[0].name, "visita & más"));
  assert_int_equal(p.forms[1].media_count, 2);
  assert_false(p.forms[1].media[0].is_list);
  assert_true(p.forms[1].media[1].is_list);
  pulled_bytes(&it, p.forms[1].media[0].file, &bytes);
  assert_string_equal(bytes.at, "name,label\n1,Juli\n");
  /* Nothing new: a list and a manifest, both 304. */
  rosa_counts before = rosa_server_counts(it.s);
  pull(&it, 0, 0, 0);
  rosa_counts after = rosa_server_counts(it.s);
  assert_int_equal(after.gets - before.gets, 2);
  assert_int_equal(after.not_modified - before.not_modified, 2);
  /* A list changes; the form list does not. */
  rosa_server_media(it.s, "censo", "personas.csv", CQ_STR("name,label,__version\nu1,Ana,1\n"), true);
  pull(&it, 0, 1, 0);
  read_pulled(&it, &p, arena, CQ_OK);
  pulled_bytes(&it, p.forms[1].media[1].file, &bytes);
  assert_string_equal(bytes.at, "name,label,__version\nu1,Ana,1\n");
  /* A new version of one form. */
  rosa_server_form(it.s, "visita", "2", CQ_STR("<form>visita 2</form>"));
  pull(&it, 1, 0, 0);
  read_pulled(&it, &p, arena, CQ_OK);
  pulled_bytes(&it, p.forms[0].file, &bytes);
  assert_string_equal(bytes.at, "<form>visita 2</form>");
  cq_buf_fini(&bytes);
  cq_arena_free(arena);
  scene_close(&it);
}

static void what_does_not_fit_its_hash_is_passed_over_and_the_old_one_stays(void **state) {
  scene it;
  cq_pulled p;
  cq_arena *arena = cq_arena_new(0);
  (void)state;
  scene_open(&it);
  rosa_server_form(it.s, "censo", "3", CQ_STR("<form>censo</form>"));
  pull(&it, 2, 0, 0);
  rosa_server_form_hash(it.s, "visita", "md5:00000000000000000000000000000000");
  rosa_server_form(it.s, "censo", "4", CQ_STR("<form>censo 4</form>"));
  pull(&it, 1, 0, 1);
  assert_string_equal(it.c.fault.code, "openrosa.form.hash");
  read_pulled(&it, &p, arena, CQ_OK);
  assert_int_equal(p.form_count, 2);
  assert_true(cq_str_is(p.forms[0].version, "1") && cq_str_is(p.forms[1].version, "4"));
  rosa_server_form_hash(it.s, "visita", NULL);
  pull(&it, 0, 0, 0);
  cq_arena_free(arena);
  scene_close(&it);
}

/* Every file that the list names is there, whole; a list that is not there names none. */
static void check_pulled(const scene *it) {
  cq_pulled p;
  cq_buf bytes = {0};
  cq_arena *arena = cq_arena_new(0);
  char name[26], folder[400];
  cq_pulled_folder_name(name, cq_str_from(it->url));
  snprintf(folder, sizeof folder, "%s/inbox/%s", it->home, name);
  cq_status status = cq_pulled_read(&p, folder, arena, NULL);
  assert_true(status == CQ_OK || status == CQ_NOTFOUND);
  for (size_t i = 0; i < p.form_count; i++) {
    pulled_bytes(it, p.forms[i].file, &bytes);
    assert_non_null(strstr(bytes.at, "</form>"));
    for (size_t m = 0; m < p.forms[i].media_count; m++) {
      pulled_bytes(it, p.forms[i].media[m].file, &bytes);
      assert_int_equal(bytes.at[bytes.size - 1], '\n');
    }
  }
  cq_buf_fini(&bytes);
  cq_arena_free(arena);
}

static void a_pull_that_is_killed_leaves_whole_forms(void **state) {
  enum { KILLS = 12 };
  size_t killed = 0;
  scene it;
  char xml[64], list[64];
  (void)state;
  scene_open(&it);
  for (int round = 0; round < KILLS; round++) {
    for (int f = 0; f < 4; f++) {
      char id[8];
      snprintf(id, sizeof id, "f%d", f);
      snprintf(xml, sizeof xml, "<form>%d %d</form>", f, round);
      snprintf(list, sizeof list, "name\n%d-%d\n", f, round);
      rosa_server_form(it.s, id, "1", cq_str_from(xml));
      rosa_server_media(it.s, id, "l.csv", cq_str_from(list), f % 2 == 0);
    }
    rosa_server_form(it.s, "visita", "1", CQ_STR("<form></form>"));
    it.c.pull = true;
    it.c.kill_after = 4 + round * 5;
    rosa_client_run(&it.c, NULL, 0);
    killed += it.c.status == 128 + 9;
    check_pulled(&it);
  }
  assert_true(killed > 0);
  it.c.kill_after = 0;
  rosa_client_run(&it.c, NULL, 0);
  assert_null(it.c.fault.code);
  assert_int_equal(it.c.pulled.offered, 5);
  check_pulled(&it);
  pull(&it, 0, 0, 0);
  scene_close(&it);
}

static void hostile_lists_are_refused_and_change_nothing(void **state) {
  static const struct {
    const char *list, *code;
  } rows[] = {
      {"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><xforms>&a;</xforms>", "openrosa.list"},
      {"<html><body>entre</body></html>", "openrosa.list"},
      {"<xforms><xform><formID>x</formID>", "openrosa.list"},
      {"<xforms><xform><formID></formID><downloadUrl>https://x/</downloadUrl></xform></xforms>", "openrosa.list"},
      {"", "openrosa.list"},
  };
  scene it;
  cq_pulled p;
  cq_arena *arena = cq_arena_new(0);
  (void)state;
  scene_open(&it);
  pull(&it, 1, 0, 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rosa_server_form_list(it.s, rows[i].list);
    rosa_client_run(&it.c, NULL, 0);
    assert_non_null(it.c.fault.code);
    assert_string_equal(it.c.fault.code, rows[i].code);
    read_pulled(&it, &p, arena, CQ_OK);
    assert_int_equal(p.form_count, 1);
  }
  cq_buf deep = {0};
  cq_buf_add_text(&deep, "<xforms>");
  for (int i = 0; i < 5000; i++) cq_buf_add_text(&deep, "<a>");
  rosa_server_form_list(it.s, deep.at);
  rosa_client_run(&it.c, NULL, 0);
  assert_string_equal(it.c.fault.code, "openrosa.list");
  /* A secret goes to the server's own address only; in clear nothing is fetched from elsewhere. */
  rosa_server_form_list(it.s, "<xforms><xform><formID>x</formID><hash>md5:1</hash>"
                              "<downloadUrl>http://127.0.0.1:1/x.xml</downloadUrl></xform></xforms>");
  rosa_client_run(&it.c, NULL, 0);
  assert_int_equal(it.c.pulled.failed, 1);
  assert_string_equal(it.c.fault.code, "openrosa.clear");
  cq_buf_fini(&deep);
  cq_arena_free(arena);
  scene_close(&it);
}

static void media_names_stay_in_their_folder(void **state) {
  static const char *const names[] = {"../../fuera.csv", "a/b.csv", ".."};
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    scene it;
    scene_open(&it);
    rosa_server_media(it.s, "visita", names[i], CQ_STR("x"), false);
    pull(&it, 1, 0, 1);
    assert_string_equal(it.c.fault.code, "openrosa.list");
    scene_close(&it);
  }
}

/* --- the verbs --- */
static void the_courier_keeps_no_token(void **state) {
  scene it;
  cq_buf out = {0}, file = {0};
  char path[400], typed[160], secret[400];
  (void)state;
  scene_open(&it);
  snprintf(typed, sizeof typed, "http://127.0.0.1:%u/v1/key/" ROSA_TOKEN "/projects/7",
           (unsigned)rosa_server_port(it.s));
  assert_int_equal(run_program("chasqui-sync", &out,
                               (const char *[]){"remote", "add", typed, "--kind", "central", "--home", it.home, NULL}),
                   0);
  assert_null(strstr(out.at, ROSA_TOKEN));
  snprintf(path, sizeof path, "%s/sync/remotes.json", it.home);
  assert_int_equal(cq_file_read(path, 1 << 20, &file, NULL), CQ_OK);
  assert_null(strstr(file.at, ROSA_TOKEN));
  assert_non_null(strstr(file.at, it.url));
  run_program("chasqui-sync", &out, (const char *[]){"remote", "list", "--json", "--home", it.home, NULL});
  assert_non_null(strstr(out.at, "\"kind\":\"central\""));
  snprintf(secret, sizeof secret, "%s/secreto", it.home);
  assert_int_equal(cq_file_replace(secret, ROSA_TOKEN "\n", sizeof ROSA_TOKEN, 0600, false, NULL), CQ_OK);
  const char *pull_args[] = {"pull", "--secret-file", secret, "--json", "--home", it.home, NULL};
  assert_int_equal(run_program("chasqui-sync", &out, pull_args), 0);
  assert_non_null(strstr(out.at, "\"forms\":1"));
  run_program("chasqui-sync", &out, (const char *[]){"status", "--home", it.home, NULL});
  assert_non_null(strstr(out.at, it.url));
  assert_int_equal(cq_file_replace(secret, "otro\n", 5, 0600, false, NULL), CQ_OK);
  assert_int_equal(run_program("chasqui-sync", &out, pull_args), 1);
  assert_non_null(strstr(out.at, "openrosa.secret"));
  /* It is no post: a push goes past it. */
  assert_int_equal(run_program("chasqui-sync", &out, (const char *[]){"push", "--json", "--home", it.home, NULL}), 1);
  assert_non_null(strstr(out.at, "sync.remote.none"));
  assert_int_equal(
      run_program("chasqui-sync", &out, (const char *[]){"remote", "remove", it.url, "--home", it.home, NULL}), 0);
  assert_int_equal(
      run_program("chasqui-sync", &out, (const char *[]){"remote", "remove", it.url, "--home", it.home, NULL}), 1);
  assert_int_equal(run_program("chasqui-sync", &out, (const char *[]){"handover", "--home", it.home, NULL}), 2);
  cq_buf_fini(&out);
  cq_buf_fini(&file);
  scene_close(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(addresses_are_made_plain),
      cmocka_unit_test(frames_that_are_cut_or_longer_are_refused),
      cmocka_unit_test(a_server_is_known_before_anything_is_given),
      cmocka_unit_test(no_line_is_told),
      cmocka_unit_test(each_answer_has_its_meaning),
      cmocka_unit_test(other_bytes_under_the_same_name_are_a_conflict_and_the_servers_words_are_kept),
      cmocka_unit_test(an_edit_waits_for_its_original),
      cmocka_unit_test(each_kind_of_account_opens_the_server),
      cmocka_unit_test(files_go_over_as_many_requests_as_the_server_takes),
      cmocka_unit_test(a_413_makes_requests_smaller_and_a_cut_keeps_what_arrived),
      cmocka_unit_test(only_what_changed_is_fetched),
      cmocka_unit_test(what_does_not_fit_its_hash_is_passed_over_and_the_old_one_stays),
      cmocka_unit_test(a_pull_that_is_killed_leaves_whole_forms),
      cmocka_unit_test(hostile_lists_are_refused_and_change_nothing),
      cmocka_unit_test(media_names_stay_in_their_folder),
      cmocka_unit_test(the_courier_keeps_no_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
