/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t caught;

static void remember(int number) {
  caught = number;
}

void cq_cli_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = remember;
  action.sa_flags = (int)SA_RESETHAND; /* a second one ends the program */
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction now;
    /* nohup and shells without job control ask that some be ignored. */
    if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
  }
  signal(SIGPIPE, SIG_IGN);
}

int cq_cli_signal(void) {
  return (int)caught;
}

cq_status cq_cli_cancelled(cq_error *error) {
  return caught ? cq_error_set(error, CQ_CANCELLED, "cli.cancelled", NULL) : CQ_OK;
}
