/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests alone, put before a program with LD_PRELOAD: the civil clock begins at CHASQUI_TEST_NOW (seconds since
 * 1970) when the program begins, so that seasons of years gone can be filled by the programs themselves. Other clocks
 * stay.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t begun;

int clock_gettime(clockid_t which, struct timespec *now) {
  int status = (int)syscall(SYS_clock_gettime, which, now);
  const char *said = getenv("CHASQUI_TEST_NOW");
  if (status != 0 || which != CLOCK_REALTIME || !said) return status;
  if (!begun) begun = now->tv_sec;
  now->tv_sec += (time_t)strtoll(said, NULL, 10) - begun;
  return 0;
}
