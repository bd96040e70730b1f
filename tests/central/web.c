/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's page: what it shows and hides, what it changes, and what it refuses. */
#include "central/web/server.h"
#include "chasqui/cli.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "tests/central/desk.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:cq=\"urn:chasqui:xforms\"><h:head><h:title>Línea de base</h:title><model><instance>"
    "<data id=\"a_linea_base_tdd\" version=\"1\"><nombres/><ape_pat/><ape_mat/><sexo/><fnac/><alpacas/><meta>"
    "<instanceID/></meta></data></instance>"
    "<bind nodeset=\"/data/nombres\" type=\"string\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/ape_pat\" type=\"string\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/ape_mat\" type=\"string\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/sexo\" type=\"string\"/><bind nodeset=\"/data/fnac\" type=\"date\"/>"
    "<bind nodeset=\"/data/alpacas\" type=\"int\"/></model></h:head><h:body>"
    "<input ref=\"/data/nombres\"><label>n</label></input><input ref=\"/data/ape_pat\"><label>p</label></input>"
    "<input ref=\"/data/ape_mat\"><label>m</label></input><input ref=\"/data/sexo\"><label>s</label></input>"
    "<input ref=\"/data/fnac\"><label>f</label></input><input ref=\"/data/alpacas\"><label>a</label></input>"
    "</h:body></h:html>";

static const char *const persons[][2] = {
    {"aaaaaaaa-0000-4000-8000-000000000001",
     "<nombres>Illari</nombres><ape_pat>Manayay</ape_pat><ape_mat>Purihuamán</ape_mat><sexo>m</sexo>"
     "<fnac>1971-03-04</fnac><alpacas>4711</alpacas>"},
    {"bbbbbbbb-0000-4000-8000-000000000002",
     "<nombres>Illari</nombres><ape_pat>Manayay</ape_pat><ape_mat>Purihuaman</ape_mat><sexo>m</sexo>"
     "<fnac>1971-03-04</fnac><alpacas>4712</alpacas>"},
    {"cccccccc-0000-4000-8000-000000000003",
     "<nombres>Sabina</nombres><ape_pat>Ccama</ape_pat><ape_mat>Ticona</ape_mat><sexo>m</sexo>"
     "<fnac>1990-01-01</fnac><alpacas>4713</alpacas>"}};

typedef struct page {
  pid_t server;
  uint16_t port;
  char token[64], host[64]; /* "127.0.0.1:PORT" */
  char *home;
} page;

static void put_batch(fixture *f, const char *folder, const signer *who, const cq_hash *form) {
  cq_buf xml = {0}, file = {0};
  cq_error error;
  char name[96];
  cq_batch_codec *codec = cq_batch_codec_new(NULL);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  for (size_t i = 0; i < sizeof persons / sizeof *persons; i++) {
    cq_buf bytes = {0};
    cq_hash record_name;
    char id[48];
    snprintf(id, sizeof id, "uuid:%s", persons[i][0]);
    cq_subject subject = {CQ_STR("tdd"), cq_str_from(id)};
    cq_buf_reset(&xml);
    cq_buf_addf(&xml, "<data id=\"a_linea_base_tdd\" version=\"1\">%s<meta><instanceID>%s</instanceID></meta></data>",
                persons[i][1], id);
    cq_record record = {.instance_xml = cq_buf_str(&xml),
                        .envelope = {.programme = f->programme,
                                     .mode = f->mode,
                                     .form_id = CQ_STR("a_linea_base_tdd"),
                                     .form_version = CQ_STR("1"),
                                     .form_hash = *form,
                                     .instance_id = cq_str_from(id),
                                     .subjects = &subject,
                                     .subject_count = 1,
                                     .result = CQ_RESULT_COMPLETE,
                                     .season = CQ_STR("2012-T1"),
                                     .technician = CQ_STR("T1"),
                                     .device = who->id,
                                     .begun_utc_ms = fixture_now,
                                     .finished_utc_ms = fixture_now + 1000,
                                     .working_date = {2012, 9, 5},
                                     .sequence = i + 1}};
    test_must(cq_record_build(&bytes, &record_name, &record, &f->random, &error), &error);
    test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&bytes), &error), &error);
    cq_buf_fini(&bytes);
  }
  cq_batch_sender sender = fixture_sender(f, who, 1, NULL);
  cq_request request = fixture_request(f, who);
  if (!who->chain.count) sender.request = &request;
  cq_hash hash = fixture_end(f, writer, &sender, &file, NULL);
  cq_batch_file_name(name, &who->id, 1, &hash);
  test_must(cq_parcel_write(folder, name, file.at, file.size, NULL, NULL, &error), &error);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  cq_buf_fini(&xml);
  cq_buf_fini(&file);
}

static void serve(const char *home, int to) {
  cq_desk desk;
  cq_web *web = NULL;
  cq_cli_locale();
  if (cq_desk_open(&desk, home, test_desk_passphrase(), NULL) != CQ_OK || cq_web_start(&web, &desk, 0, NULL) != CQ_OK)
    _exit(3);
  const char *address = cq_web_address(web);
  if (write(to, address, strlen(address)) < 0) _exit(3);
  close(to);
  while (!cq_cli_signal() && getppid() != 1) cq_web_run(web, 200);
  cq_web_stop(web);
  cq_desk_close(&desk);
  _exit(0);
}

static int page_begin(void **state) {
  page *p = calloc(1, sizeof *p);
  fixture *f = fixture_new(7, CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  cq_buf inbox = {0};
  int ends[2];
  char address[128] = "";
  assert_non_null(p);
  test_desk_new(&desk, f, "web");
  cq_hash form = test_desk_form(&desk, "a_linea_base_tdd", cq_str_from(form_xml));
  test_must(cq_home_folder(&inbox, desk.home, CQ_FOLDER_INBOX, &error), &error);
  put_batch(f, inbox.at, &f->device, &form);
  put_batch(f, inbox.at, &f->stranger, &form);
  test_must(
      cq_desk_exec(&desk,
                   "INSERT INTO frame VALUES ('tdd', 'aaaaaaaa-0000-4000-8000-000000000001', 'puno', 10, 5, NULL, "
                   "NULL, '2107080028'), ('tdd', 'cccccccc-0000-4000-8000-000000000003', 'cusco', 10, 5, NULL, "
                   "NULL, '0804050013')",
                   &error),
      &error);
  p->home = strdup(desk.home);
  cq_desk_close(&desk);
  fixture_free(f);
  cq_buf_fini(&inbox);
  assert_int_equal(pipe(ends), 0);
  p->server = fork();
  assert_true(p->server >= 0);
  if (p->server == 0) {
    close(ends[0]);
    serve(p->home, ends[1]);
  }
  close(ends[1]);
  for (size_t used = 0;;) {
    ssize_t size = read(ends[0], address + used, sizeof address - 1 - used);
    if (size <= 0) break;
    used += (size_t)size;
  }
  close(ends[0]);
  unsigned port = 0;
  assert_int_equal(sscanf(address, "http://127.0.0.1:%u/%32[0-9a-f]/", &port, p->token), 2);
  assert_int_equal(strlen(p->token), 32);
  p->port = (uint16_t)port;
  snprintf(p->host, sizeof p->host, "127.0.0.1:%u", port);
  *state = p;
  return 0;
}

static int page_end(void **state) {
  page *p = *state;
  int how;
  kill(p->server, SIGTERM);
  waitpid(p->server, &how, 0);
  free(p->home);
  free(p);
  return 0;
}

/* Sends bytes and reads to the end of the answer. The status, or 0 where it only closed. */
static int ask_raw(const page *p, const char *bytes, size_t size, cq_buf *answer) {
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval limit = {.tv_sec = 60};
  int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
  char part[4096];
  cq_buf_reset(answer);
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
  for (size_t sent = 0; sent < size;) {
    ssize_t some = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (some <= 0) break; /* it need not listen to the end */
    sent += (size_t)some;
  }
  for (ssize_t got; (got = recv(fd, part, sizeof part, 0)) > 0;) cq_buf_add(answer, part, (size_t)got);
  close(fd);
  if (answer->size) sscanf(answer->at, "HTTP/1.1 %d", &status);
  return status;
}

static int ask(const page *p, const char *method, const char *path, const char *host, const char *more,
               const char *body, cq_buf *answer) {
  cq_buf request = {0};
  cq_buf_addf(&request, "%s %s HTTP/1.1\r\nConnection: close\r\n", method, path);
  if (host) cq_buf_addf(&request, "Host: %s\r\n", host);
  if (body)
    cq_buf_addf(&request, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n", strlen(body));
  cq_buf_addf(&request, "%s\r\n%s", more ? more : "", body ? body : "");
  int status = ask_raw(p, request.at, request.size, answer);
  cq_buf_fini(&request);
  return status;
}

/* A GET of ours, below the token. */
static int get(const page *p, const char *path, cq_buf *answer) {
  char full[512];
  snprintf(full, sizeof full, "/%s%s", p->token, path);
  return ask(p, "GET", full, p->host, "Accept-Language: en\r\n", NULL, answer);
}

static int post(const page *p, const char *path, const char *body, cq_buf *answer) {
  char full[512], origin[128];
  snprintf(full, sizeof full, "/%s%s", p->token, path);
  snprintf(origin, sizeof origin, "Accept-Language: en\r\nOrigin: http://%s\r\n", p->host);
  return ask(p, "POST", full, p->host, origin, body, answer);
}

static bool says(const cq_buf *answer, const char *words) {
  return answer->at && strstr(answer->at, words) != NULL;
}

static void what_a_stranger_asks_is_refused(void **state) {
  const page *p = *state;
  cq_buf answer = {0};
  char path[128], wrong[128], host[64], origin[128];
  snprintf(path, sizeof path, "/%s/", p->token);
  snprintf(wrong, sizeof wrong, "/%s/", p->token);
  wrong[1] = wrong[1] == '0' ? '1' : '0';
  assert_int_equal(ask(p, "GET", path, p->host, NULL, NULL, &answer), 200);
  assert_int_equal(ask(p, "HEAD", path, p->host, NULL, NULL, &answer), 200);
  snprintf(host, sizeof host, "localhost:%u", (unsigned)p->port);
  assert_int_equal(ask(p, "GET", path, host, NULL, NULL, &answer), 200);
  /* without the token, or with another, there is nothing; and nothing is said of it */
  static const char *const paths[] = {"/", "/style.css", "/merge", "/coverage", "//", "/../", "*"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    int status = ask(p, "GET", paths[i], p->host, NULL, NULL, &answer);
    assert_true(status == 404 || status == 400);
    assert_false(says(&answer, "CHASQUI"));
  }
  assert_int_equal(ask(p, "GET", wrong, p->host, NULL, NULL, &answer), 404);
  assert_int_equal(ask(p, "POST", "/merge", p->host, NULL, "", &answer), 404);
  assert_int_equal(ask(p, "POST", wrong, p->host, NULL, "a=1", &answer), 404);
  path[20] = '\0'; /* the start of the token */
  assert_int_equal(ask(p, "GET", path, p->host, NULL, NULL, &answer), 404);
  snprintf(path, sizeof path, "/%s0/", p->token);
  assert_int_equal(ask(p, "GET", path, p->host, NULL, NULL, &answer), 404);
  /* a name of somebody else's that points here */
  snprintf(path, sizeof path, "/%s/", p->token);
  static const char *const hosts[] = {"evil.example", "127.0.0.1", "127.0.0.1.evil.example", "localhost", ""};
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
    assert_int_equal(ask(p, "GET", path, hosts[i], NULL, NULL, &answer), 421);
  int status = ask(p, "GET", path, NULL, NULL, NULL, &answer);
  assert_true(status == 421 || status == 400);
  /* a page of somebody else's that sends to here */
  snprintf(path, sizeof path, "/%s/merge", p->token);
  assert_int_equal(ask(p, "POST", path, p->host, "Origin: http://evil.example\r\n", "", &answer), 403);
  assert_int_equal(ask(p, "POST", path, p->host, "Origin: null\r\n", "", &answer), 403);
  snprintf(origin, sizeof origin, "Origin: https://%s\r\n", p->host);
  assert_int_equal(ask(p, "POST", path, p->host, origin, "", &answer), 403);
  static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    status = ask(p, methods[i], path, p->host, NULL, NULL, &answer);
    assert_true(status == 405 || status == 400);
  }
  /* nothing of all that merged anything */
  assert_int_equal(get(p, "/", &answer), 200);
  assert_true(says(&answer, "2 batches wait in the inbox."));
  cq_buf_fini(&answer);
}

static void what_is_malformed_is_refused(void **state) {
  const page *p = *state;
  cq_buf answer = {0}, large = {0};
  static const char *const paths[] = {"/../../etc/passwd",
                                      "/%2e%2e/%2e%2e/etc/passwd",
                                      "/records/../desk.vault",
                                      "/records/..%2f..%2fdesk.vault",
                                      "/records/%00",
                                      "/records/",
                                      "/records/a/b",
                                      "/style.css/",
                                      "/desk.vault",
                                      "/nothing"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    int status = get(p, paths[i], &answer);
    assert_true(status == 404 || status == 400);
    assert_false(says(&answer, "root:"));
  }
  assert_int_equal(get(p, "/records/%3Cscript%3Ealert(1)%3C", &answer), 404);
  assert_false(says(&answer, "<script"));
  assert_true(says(&answer, "&lt;script&gt;"));
  assert_int_equal(get(p, "/coverage?campaign=%3Cb%3E&by=%22%3E%3Cb%3E'--&place=%00", &answer), 200);
  assert_false(says(&answer, "<b>'"));
  assert_int_equal(get(p, "/coverage?campaign=99999999999999999999&by=", &answer), 200);
  for (size_t i = 0; i < 200 << 10; i++) cq_buf_add_char(&large, 'x');
  cq_buf header = {0};
  cq_buf_addf(&header, "X-Large: %s\r\n", large.at);
  int status = ask(p, "GET", "/", p->host, header.at, NULL, &answer);
  assert_true(status == 0 || status == 431 || status == 413);
  cq_buf_reset(&header);
  cq_buf_addf(&header, "/%s/%s", p->token, large.at);
  status = ask(p, "GET", header.at, p->host, NULL, NULL, &answer);
  assert_true(status == 0 || status == 414 || status == 431 || status == 404);
  cq_buf_reset(&header);
  cq_buf_addf(&header, "a=%.5000s", large.at);
  assert_int_equal(post(p, "/review", header.at, &answer), 413);
  static const char *const bodies[] = {"",
                                       "a=1&b=2",
                                       "a=1&b=2&as=both",
                                       "a=%&b=2&as=same",
                                       "a=%zz&b=2&as=same",
                                       "a=%00&b=2&as=same",
                                       "a=%ff&b=2&as=same",
                                       "as=same&b=%4"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
    assert_int_equal(post(p, "/review", bodies[i], &answer), 400);
  assert_int_equal(post(p, "/nothing", "", &answer), 404);
  static const char noise[] = "\x16\x03\x01\x00\x00 not HTTP at all\r\n\r\n\0\0\0";
  status = ask_raw(p, noise, sizeof noise, &answer);
  assert_true(status == 0 || status >= 400);
  assert_int_equal(get(p, "/", &answer), 200); /* still there */
  cq_buf_fini(&header);
  cq_buf_fini(&large);
  cq_buf_fini(&answer);
}

static void what_a_consultant_does(void **state) {
  const page *p = *state;
  cq_buf answer = {0};
  assert_int_equal(get(p, "/", &answer), 200);
  assert_true(says(&answer, "Content-Security-Policy: default-src 'none'; style-src 'self'"));
  assert_true(says(&answer, "X-Content-Type-Options: nosniff"));
  assert_true(says(&answer, "Cache-Control: no-store"));
  assert_true(says(&answer, "frame-ancestors 'none'"));
  assert_false(says(&answer, "<script"));
  assert_true(says(&answer, "2 batches wait in the inbox."));
  assert_int_equal(post(p, "/merge", "", &answer), 303);
  assert_int_equal(get(p, "/?done=", &answer), 200);
  assert_true(says(&answer, "Batches merged: 1. Records: 3, of them new: 3"));
  assert_true(says(&answer, "0 batches wait in the inbox."));
  assert_true(says(&answer, "The device is not approved."));
  assert_true(says(&answer, "asks to be approved"));
  /* records, without what identifies people */
  assert_int_equal(get(p, "/records", &answer), 200);
  assert_true(says(&answer, "/records/a_linea_base_tdd\">"));
  assert_int_equal(get(p, "/records/a_linea_base_tdd", &answer), 200);
  assert_true(says(&answer, "4711") && says(&answer, "4713"));
  assert_false(says(&answer, "Illari") || says(&answer, "Manayay") || says(&answer, "Sabina"));
  assert_true(says(&answer, "3 columns identify people"));
  assert_int_equal(get(p, "/records/a_linea_base_tdd?page=7", &answer), 200);
  assert_false(says(&answer, "4711"));
  /* the grid, and one community of it */
  assert_int_equal(get(p, "/coverage?campaign=2012&by=stratum", &answer), 200);
  assert_true(says(&answer, "<svg") && says(&answer, ">cusco<") && says(&answer, ">puno<"));
  assert_int_equal(get(p, "/coverage?campaign=2012&by=stratum&place=2107080028", &answer), 200);
  assert_true(says(&answer, ">puno<"));
  assert_false(says(&answer, ">cusco<"));
  /* two who may be one; only a decision makes them go away */
  assert_int_equal(get(p, "/review", &answer), 200);
  assert_true(says(&answer, "Illari") && says(&answer, "Purihuaman"));
  assert_false(says(&answer, "Sabina"));
  assert_int_equal(get(p, "/review?a=x&b=y&as=same", &answer), 200); /* GET changes nothing */
  assert_true(says(&answer, "Illari"));
  assert_int_equal(post(p, "/review",
                        "a=aaaaaaaa-0000-4000-8000-000000000001&b=bbbbbbbb-0000-4000-8000-000000000002&as=different",
                        &answer),
                   303);
  assert_int_equal(get(p, "/review?done=", &answer), 200);
  assert_true(says(&answer, "Kept as a signed decision: two persons."));
  assert_false(says(&answer, "Illari"));
  /* the language of the browser */
  char path[128];
  snprintf(path, sizeof path, "/%s/", p->token);
  assert_int_equal(ask(p, "GET", path, p->host, "Accept-Language: es-PE,es;q=0.9,en;q=0.8\r\n", NULL, &answer), 200);
  assert_true(says(&answer, "Lo que espera") && says(&answer, "lang=\"es\""));
  assert_int_equal(ask(p, "GET", path, p->host, "Accept-Language: es;q=0.3, en;q=0.8\r\n", NULL, &answer), 200);
  assert_true(says(&answer, "What waits") && says(&answer, "lang=\"en\""));
  cq_buf_fini(&answer);
}

static void a_port_in_use_is_said(void **state) {
  const page *p = *state;
  cq_web *web = NULL;
  cq_desk none = {0};
  cq_error error;
  assert_int_equal(cq_web_start(&web, &none, p->port, &error), CQ_IO);
  assert_string_equal(error.code, "desk.listen.used");
  assert_null(web);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_stranger_asks_is_refused),
                                     cmocka_unit_test(what_is_malformed_is_refused),
                                     cmocka_unit_test(what_a_consultant_does), cmocka_unit_test(a_port_in_use_is_said)};
  return cmocka_run_group_tests(tests, page_begin, page_end);
}
