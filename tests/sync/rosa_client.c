/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/rosa_client.h"

#include "tests/sync/run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void rosa_interview(rosa_give *give, size_t size) {
  cq_buf *xml = &give->xml;
  if (xml->size) return;
  cq_buf_addf(xml, "<?xml version=\"1.0\"?><data xmlns:orx=\"http://openrosa.org/xforms\" id=\"%s\" version=\"%s\"><a>",
              give->form, give->version);
  for (size_t i = 0; i < size; i++) cq_buf_add_char(xml, (char)('a' + i % 26));
  cq_buf_addf(xml, "</a><orx:meta><orx:instanceID>%s</orx:instanceID>", give->instance);
  if (give->before) cq_buf_addf(xml, "<orx:deprecatedID>%s</orx:deprecatedID>", give->before);
  cq_buf_add_text(xml, "</orx:meta></data>");
}

static void become(const rosa_client *c, int end) {
  char path[512], tries[16];
  const char *bin = getenv("CHASQUI_BIN");
  int nothing = open("/dev/null", O_RDWR);
  snprintf(path, sizeof path, "%s/chasqui-sync", bin ? bin : "build/dev/bin");
  snprintf(tries, sizeof tries, "%d", c->tries ? c->tries : 4);
  dup2(nothing, STDIN_FILENO);
  dup2(nothing, STDOUT_FILENO);
  if (!getenv("CHASQUI_TEST_LOUD")) dup2(nothing, STDERR_FILENO);
  if (end != CQ_HANDOVER_FD) dup2(end, CQ_HANDOVER_FD);
  for (int fd = CQ_HANDOVER_FD + 1; fd < 64; fd++) close(fd);
  setenv("LC_ALL", "C.UTF-8", 1);
  unsetenv("http_proxy");
  execl(path, path, "handover", "--home", c->home, "--tries", tries, (char *)NULL);
  _exit(127);
}

static bool send_file(int fd, cq_str bytes) {
  for (size_t at = 0; at < bytes.size;) {
    size_t piece = bytes.size - at < CQ_HANDOVER_MAX_PIECE ? bytes.size - at : CQ_HANDOVER_MAX_PIECE;
    if (cq_handover_send(fd, CQ_HANDOVER_BYTES, (cq_str){bytes.at + at, piece}, NULL)) return false;
    at += piece;
  }
  return true;
}

/* Frames until the answer; false: the run is over. */
static bool answer_of(rosa_client *c, int fd, rosa_give *give, cq_buf *frame) {
  cq_handover_type type;
  uint16_t files[CQ_HANDOVER_MAX_FILES];
  size_t count = 0;
  uint32_t number;
  cq_handover_answer answer;
  while (cq_handover_receive(fd, &type, frame, NULL) == CQ_OK) {
    cq_str content = cq_buf_str(frame);
    if (type == CQ_HANDOVER_END) {
      c->ended = cq_handover_get_end(&c->fault, content, NULL) == CQ_OK;
      return false;
    }
    if (type == CQ_HANDOVER_PULLED) return cq_handover_get_pulled(&c->pulled, content, NULL) == CQ_OK;
    if (type == CQ_HANDOVER_HELLO) continue;
    if (!give) return false;
    if (type == CQ_HANDOVER_WANT) {
      if (cq_handover_get_want(&count, content, NULL) || count >= give->file_count ||
          !send_file(fd, give->files[count]))
        return false;
    } else if (type == CQ_HANDOVER_TAKEN) {
      if (cq_handover_get_taken(&number, files, &count, content, NULL)) return false;
      give->taken_frames++;
      for (size_t i = 0; i < count; i++) give->taken[files[i]] = true;
    } else if (type == CQ_HANDOVER_ANSWER) {
      if (cq_handover_get_answer(&answer, content, NULL)) return false;
      give->outcome = answer.outcome;
      give->http = answer.http;
      snprintf(give->message, sizeof give->message, "%.*s", (int)answer.message.size, answer.message.at);
      return true;
    } else {
      return false;
    }
  }
  return false;
}

static bool give_one(rosa_client *c, int fd, rosa_give *give, uint32_t number, cq_buf *frame) {
  cq_handover_file files[ROSA_CLIENT_FILES];
  rosa_interview(give, 200);
  for (size_t i = 0; i < give->file_count; i++)
    files[i] = (cq_handover_file){.name = cq_str_from(give->names[i]),
                                  .media_type = CQ_STR("image/jpeg"),
                                  .size = give->files[i].size,
                                  .taken = give->taken[i]};
  cq_handover_submit submit = {.number = number,
                               .form_id = cq_str_from(give->form),
                               .form_version = cq_str_from(give->version),
                               .xml = cq_buf_str(&give->xml),
                               .is_edit = give->before != NULL,
                               .files = files,
                               .file_count = give->file_count};
  cq_handover_put_submit(frame, &submit);
  if (cq_handover_send(fd, CQ_HANDOVER_SUBMIT, cq_buf_str(frame), NULL)) {
    (void)answer_of(c, fd, give, frame); /* the end, where one came */
    return false;
  }
  return answer_of(c, fd, give, frame);
}

void rosa_client_run(rosa_client *c, rosa_give *gives, size_t count) {
  int ends[2];
  cq_buf frame = {0};
  cq_handover_server server = {.kind = c->kind ? c->kind : CQ_SERVER_CENTRAL,
                               .url = cq_str_from(c->url),
                               .user = cq_str_from(c->user),
                               .secret = cq_str_from(c->secret),
                               .silence_seconds = 2};
  cq_error_clear(&c->fault);
  c->ended = false;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) abort();
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    become(c, ends[1]);
  }
  close(ends[1]);
  pid_t killer = c->kill_after ? fork() : -1;
  if (killer == 0) {
    usleep((useconds_t)c->kill_after * 1000);
    kill(pid, SIGKILL);
    _exit(0);
  }
  cq_handover_put_hello(&frame);
  bool on = cq_handover_send(ends[0], CQ_HANDOVER_HELLO, cq_buf_str(&frame), NULL) == CQ_OK;
  cq_handover_put_server(&frame, &server);
  on = on && cq_handover_send(ends[0], CQ_HANDOVER_SERVER, cq_buf_str(&frame), NULL) == CQ_OK;
  if (c->pull) {
    cq_handover_put_text(&frame, CQ_STR(""));
    on = on && cq_handover_send(ends[0], CQ_HANDOVER_PULL, cq_buf_str(&frame), NULL) == CQ_OK;
    on = on && answer_of(c, ends[0], NULL, &frame);
  }
  for (size_t i = 0; on && i < count; i++)
    if (!cq_delivery_is_done(gives[i].outcome)) on = give_one(c, ends[0], &gives[i], (uint32_t)i, &frame);
  if (on && cq_handover_send(ends[0], CQ_HANDOVER_DONE, CQ_STR(""), NULL) == CQ_OK)
    (void)answer_of(c, ends[0], NULL, &frame);
  close(ends[0]);
  if (killer > 0) {
    kill(killer, SIGKILL);
    wait_program(killer);
  }
  c->status = wait_program(pid);
  cq_buf_fini(&frame);
}
