/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* --- memory for secrets --- */

static const size_t secret_room = 4096; /* one page: more than CQ_CLI_SECRET_MAX and a terminator */

cq_status cq_cli_secret_init(cq_cli_secret *secret, cq_error *error) {
  *secret = (cq_cli_secret){0};
  void *at = mmap(NULL, secret_room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return cq_error_nomem(error);
  /* A user without a right to lock memory can still work: swap is then the system's matter. */
  (void)mlock(at, secret_room);
  (void)madvise(at, secret_room, MADV_DONTDUMP);
  secret->at = at;
  secret->capacity = secret_room;
  return CQ_OK;
}

static void wipe(void *at, size_t size) {
  volatile unsigned char *bytes = at;
  for (size_t i = 0; i < size; i++) bytes[i] = 0;
}

void cq_cli_secret_fini(cq_cli_secret *secret) {
  if (!secret || !secret->at) return;
  wipe(secret->at, secret->capacity);
  munmap(secret->at, secret->capacity);
  *secret = (cq_cli_secret){0};
}

/* --- the terminal --- */

/* One line of `fd`, without its end; -1: nothing came or it is too long. Byte by byte, so that nothing lies in a
 * buffer.
 */
static ssize_t read_line(int fd, char *out, size_t room) {
  size_t size = 0;
  for (;;) {
    char c;
    ssize_t got = read(fd, &c, 1);
    if (got < 0 && errno == EINTR && cq_cli_signal() == 0) continue;
    if (got < 0 || (got == 0 && size == 0)) return -1;
    if (got == 0 || c == '\n') break;
    if (size + 1 >= room) return -1;
    out[size++] = c;
  }
  if (size > 0 && out[size - 1] == '\r') size--;
  out[size] = '\0';
  return (ssize_t)size;
}

bool cq_cli_confirm(cq_cli *cli, const char *question) {
  if (cq_cli_flag(cli, "yes")) return true;
  if (!isatty(STDIN_FILENO)) return false;
  cq_cli_progress(cli, NULL, 0, 0);
  char answer[64];
  fprintf(stderr, "%s [%s/%s] ", question, _("y"), _("n"));
  fflush(stderr);
  if (read_line(STDIN_FILENO, answer, sizeof answer) < 0) return false;
  const char *yes = _("yes");
  size_t size = strlen(answer);
  return strcmp(answer, _("y")) == 0 || strcmp(answer, yes) == 0 || (size > 0 && strncmp(answer, yes, size) == 0);
}

static cq_status prompt_once(int tty, const char *prompt, cq_cli_secret *secret, cq_error *error) {
  struct termios before, quiet;
  if (tcgetattr(tty, &before) != 0) return cq_error_set(error, CQ_IO, "cli.passphrase.terminal", NULL);
  quiet = before;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
  dprintf(tty, "%s: ", prompt);
  tcsetattr(tty, TCSAFLUSH, &quiet);
  ssize_t size = read_line(tty, secret->at, CQ_CLI_SECRET_MAX + 1);
  tcsetattr(tty, TCSAFLUSH, &before);
  dprintf(tty, "\n");
  if (cq_cli_cancelled(error) != CQ_OK) return CQ_CANCELLED;
  if (size < 0) return cq_error_set(error, CQ_INVALID, "cli.passphrase.long", NULL);
  if (size == 0) return cq_error_set(error, CQ_INVALID, "cli.passphrase.empty", NULL);
  secret->size = (size_t)size;
  return CQ_OK;
}

static cq_status ask_passphrase(const char *prompt, bool fresh, cq_cli_secret *secret, cq_error *error) {
  cq_cli_secret again = {0};
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) return cq_error_set(error, CQ_IO, "cli.passphrase.terminal", NULL);
  cq_status status = prompt_once(tty, prompt, secret, error);
  if (status == CQ_OK && fresh) {
    status = cq_cli_secret_init(&again, error);
    if (status == CQ_OK) status = prompt_once(tty, _("The same again"), &again, error);
    if (status == CQ_OK && (again.size != secret->size || memcmp(again.at, secret->at, again.size) != 0))
      status = cq_error_set(error, CQ_INVALID, "cli.passphrase.unlike", NULL);
  }
  cq_cli_secret_fini(&again);
  close(tty);
  return status;
}

/* --- the file --- */

static cq_status read_passphrase(const char *path, cq_cli_secret *secret, cq_error *error) {
  cq_status status = CQ_OK;
  struct stat about;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return cq_error_io(error, "io.open", path, errno);
  if (fstat(fd, &about) != 0) {
    status = cq_error_io(error, "io.read", path, errno);
  } else if (!S_ISREG(about.st_mode)) {
    status = cq_error_set(error, CQ_INVALID, "io.notfile", path, NULL);
  } else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    status = cq_error_set(error, CQ_REFUSED, "cli.passphrase.mode", path, NULL);
  } else {
    ssize_t size = read_line(fd, secret->at, CQ_CLI_SECRET_MAX + 1);
    if (size < 0 && about.st_size > CQ_CLI_SECRET_MAX)
      status = cq_error_set(error, CQ_LIMIT, "cli.passphrase.long", NULL);
    else if (size <= 0)
      status = cq_error_set(error, CQ_INVALID, "cli.passphrase.empty", NULL);
    else
      secret->size = (size_t)size;
  }
  close(fd);
  return status;
}

cq_status cq_cli_passphrase(cq_cli *cli, const char *option, const char *prompt, bool fresh, cq_cli_secret *secret,
                            cq_error *error) {
  cq_status status = cq_cli_secret_init(secret, error);
  if (status != CQ_OK) return status;
  const char *path = cq_cli_value(cli, option);
  cq_cli_progress(cli, NULL, 0, 0);
  status = path ? read_passphrase(path, secret, error) : ask_passphrase(prompt, fresh, secret, error);
  if (status != CQ_OK) cq_cli_secret_fini(secret);
  return status;
}
