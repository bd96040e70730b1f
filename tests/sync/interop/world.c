/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a world with one large batch for the interoperability runs, and says where: the root, then the batch's file. */
#include "tests/sync/world.h"

#include <stdio.h>

int main(void) {
  static world w;
  char name[96];
  world_open(&w, "interop", CQ_MODE_REAL, 51);
  cq_hash hash = world_batch(&w, 0, 700000, NULL);
  cq_batch_file_name(name, &w.laptop[0].id, 1, &hash);
  printf("%s\n%s/outbox/%s\n", w.root, w.laptop[0].home, name);
  world_close(&w);
  return 0;
}
