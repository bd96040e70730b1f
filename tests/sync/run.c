/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGS = 30 };

/* No resolver takes a part of 64 signs, so none asks the network. */
#define NO_NAME "http://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid:3128"

static bool no_name;

void run_without_names(bool without) {
  no_name = without;
}

/* In the child. Does not return. */
static void become(const char *name, const char *const *args, int out) {
  char path[512];
  char *argv[MOST_ARGS + 2];
  const char *bin = getenv("CHASQUI_BIN");
  int count = 0;
  snprintf(path, sizeof path, "%s/%s", bin ? bin : "build/dev/bin", name);
  argv[count++] = path;
  for (; *args && count <= MOST_ARGS; args++) argv[count++] = (char *)(uintptr_t)*args;
  argv[count] = NULL;
  int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, STDIN_FILENO);
  dup2(out >= 0 ? out : nothing, STDOUT_FILENO);
  if (!getenv("CHASQUI_TEST_LOUD")) dup2(nothing, STDERR_FILENO);
  setenv("LC_ALL", "C.UTF-8", 1);
  unsetenv("http_proxy");
  if (no_name) setenv("http_proxy", NO_NAME, 1);
  execv(path, argv);
  _exit(127);
}

pid_t start_program(const char *name, const char *const *args) {
  pid_t pid = fork();
  if (pid == 0) become(name, args, -1);
  return pid > 0 ? pid : 0;
}

int wait_program(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int wait_program_for(pid_t pid, int seconds) {
  int status = 0;
  for (int left = seconds * 20; left > 0; left--) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR) return -1;
    poll(NULL, 0, 50);
  }
  kill(pid, SIGKILL);
  wait_program(pid);
  return -1;
}

int run_program(const char *name, cq_buf *out, const char *const *args) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    become(name, args, ends[1]);
  }
  close(ends[1]);
  cq_buf_reset(out);
  char piece[4096];
  for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) != 0;) {
    if (n > 0)
      cq_buf_add(out, piece, (size_t)n);
    else if (errno != EINTR)
      break;
  }
  close(ends[0]);
  return pid > 0 ? wait_program(pid) : -1;
}
