/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/tool/random.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void fill(void *context, void *out, size_t size) {
  (void)context;
  unsigned char *at = out;
  int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  while (file >= 0 && size) {
    ssize_t got = read(file, at, size);
    if (got <= 0) break;
    at += got;
    size -= (size_t)got;
  }
  if (file >= 0) close(file);
  if (size) abort(); /* no chance to be had: going on would repeat identifiers */
}

const cq_random cq_tool_random = {fill, NULL};
