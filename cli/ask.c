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

/* Which secret is asked for, and the option that names a file with it. */
typedef struct asked {
  const char *what, *option;
} asked;

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

/* Capital letters of Latin-1 become small ones, in place. */
static void lower(char *text) {
  for (char *c = text; *c; c++) {
    bool accented = c > text && c[-1] == '\xC3' && (unsigned char)*c < 0x9F;
    if ((*c >= 'A' && *c <= 'Z') || accented) *c |= 0x20;
  }
}

bool cq_cli_is_yes(cq_str typed) {
  char answer[16];
  typed = cq_str_trim(typed);
  if (typed.size == 0 || typed.size >= sizeof answer) return false;
  memcpy(answer, typed.at, typed.size);
  answer[typed.size] = '\0';
  lower(answer);
  for (const char *yes = _("y yes"); *yes; yes += strspn(yes, " ")) {
    size_t size = strcspn(yes, " ");
    if (size == strlen(answer) && memcmp(yes, answer, size) == 0) return true;
    yes += size;
  }
  return false;
}

cq_status cq_cli_confirm(cq_cli *cli, const char *question, const char *instead, cq_error *error) {
  if (cq_cli_flag(cli, "yes")) return CQ_OK;
  if (!isatty(STDIN_FILENO)) return cq_error_set(error, CQ_INVALID, "cli.nobody", question, instead, NULL);
  cq_cli_progress(cli, NULL, 0, 0);
  char answer[64];
  fprintf(stderr, "%s [%s/%s] ", question, _("y"), _("n"));
  fflush(stderr);
  ssize_t size = read_line(STDIN_FILENO, answer, sizeof answer);
  if (size > 0 && cq_cli_is_yes((cq_str){answer, (size_t)size})) return CQ_OK;
  return cq_error_set(error, CQ_CANCELLED, "cli.cancelled", NULL);
}

static cq_status prompt_once(int tty, const char *prompt, const asked *of, cq_cli_secret *secret, cq_error *error) {
  struct termios before, quiet;
  if (tcgetattr(tty, &before) != 0)
    return cq_error_set(error, CQ_INVALID, "cli.secret.terminal", of->what, of->option, NULL);
  quiet = before;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
  dprintf(tty, "%s: ", prompt);
  tcsetattr(tty, TCSAFLUSH, &quiet);
  ssize_t size = read_line(tty, secret->at, CQ_CLI_SECRET_MAX + 1);
  tcsetattr(tty, TCSAFLUSH, &before);
  dprintf(tty, "\n");
  if (cq_cli_cancelled(error) != CQ_OK) return CQ_CANCELLED;
  if (size < 0) return cq_error_set(error, CQ_INVALID, "cli.secret.long", of->what, NULL);
  if (size == 0) return cq_error_set(error, CQ_INVALID, "cli.secret.empty", of->what, NULL);
  secret->size = (size_t)size;
  return CQ_OK;
}

static cq_status ask_passphrase(const asked *of, bool fresh, cq_cli_secret *secret, cq_error *error) {
  cq_cli_secret again = {0};
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) return cq_error_set(error, CQ_INVALID, "cli.secret.terminal", of->what, of->option, NULL);
  cq_status status = prompt_once(tty, of->what, of, secret, error);
  if (status == CQ_OK && fresh) {
    status = cq_cli_secret_init(&again, error);
    if (status == CQ_OK) status = prompt_once(tty, _("The same again"), of, &again, error);
    if (status == CQ_OK && (again.size != secret->size || memcmp(again.at, secret->at, again.size) != 0))
      status = cq_error_set(error, CQ_INVALID, "cli.secret.unlike", of->what, NULL);
  }
  cq_cli_secret_fini(&again);
  close(tty);
  return status;
}

/* --- the file --- */

static cq_status read_passphrase(const char *path, const asked *of, cq_cli_secret *secret, cq_error *error) {
  cq_status status = CQ_OK;
  struct stat about;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return cq_error_io(error, "io.open", path, errno);
  if (fstat(fd, &about) != 0) {
    status = cq_error_io(error, "io.read", path, errno);
  } else if (!S_ISREG(about.st_mode)) {
    status = cq_error_set(error, CQ_INVALID, "io.notfile", path, NULL);
  } else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    status = cq_error_set(error, CQ_REFUSED, "cli.secret.mode", of->what, path, NULL);
  } else {
    ssize_t size = read_line(fd, secret->at, CQ_CLI_SECRET_MAX + 1);
    if (size < 0 && about.st_size > CQ_CLI_SECRET_MAX)
      status = cq_error_set(error, CQ_LIMIT, "cli.secret.long", of->what, NULL);
    else if (size <= 0)
      status = cq_error_set(error, CQ_INVALID, "cli.secret.empty", of->what, NULL);
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
  const asked of = {prompt, option};
  const char *path = cq_cli_value(cli, option);
  cq_cli_progress(cli, NULL, 0, 0);
  status = path ? read_passphrase(path, &of, secret, error) : ask_passphrase(&of, fresh, secret, error);
  if (status != CQ_OK) cq_cli_secret_fini(secret);
  return status;
}
