/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log that could not be read to its end has lost. SQLite stops at the
 * first frame that does not hold and says nothing; a person must hear of it.
 */
#include "vault/file/shim.h"

#include <stdlib.h>
#include <string.h>

typedef struct frame {
  uint32_t page;
  bool commit;
  uint8_t salts[8];
  uint8_t content[BLOCK_SIZE];
} frame;

static uint32_t big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_frame(shim *vfs, int64_t number, frame *out) {
  sqlite3_file *log = shim_log_file(vfs);
  if (log->pMethods->xRead(log, out->content, BLOCK_SIZE, number * BLOCK_SIZE) != SQLITE_OK) return false;
  if (!cipher_open(vfs->cipher, BLOCK_FRAME, (uint64_t)number, out->content)) return false;
  const uint8_t *header = out->content + BLOCK_CONTENT;
  out->page = big_endian(header);
  out->commit = big_endian(header + 4) != 0;
  memcpy(out->salts, header + 8, sizeof out->salts);
  return true;
}

/*
 * Each commit is synced before the next begins, so a power cut leaves at most one commit unsynced. Two commits after
 * the break were therefore both synced, or one was, and so was what broke.
 */
static cq_vault_log judge_frames(shim *vfs, int64_t blocks, frame *scratch) {
  uint8_t header[BLOCK_SIZE];
  sqlite3_file *log = shim_log_file(vfs);
  int commits = 0;
  if (log->pMethods->xRead(log, header, BLOCK_SIZE, 0) != SQLITE_OK ||
      !cipher_open(vfs->cipher, BLOCK_LOG_HEADER, 0, header))
    return CQ_VAULT_LOG_DAMAGED;
  for (int64_t i = vfs->broken_frame + 1; i < blocks; i++)
    if (read_frame(vfs, i, scratch) && scratch->commit && memcmp(scratch->salts, header + 16, 8) == 0) commits++;
  return commits >= 2 ? CQ_VAULT_LOG_DAMAGED : CQ_VAULT_LOG_TORN;
}

static bool same_in_database(shim *vfs, const frame *newest) {
  uint8_t page[BLOCK_SIZE];
  sqlite3_file *database = shim_database_file(vfs);
  int64_t at = HEADER_PREFIX + ((int64_t)newest->page - 1) * BLOCK_SIZE;
  return newest->page > 0 && database->pMethods->xRead(database, page, BLOCK_SIZE, at) == SQLITE_OK &&
         cipher_open(vfs->cipher, BLOCK_PAGE, newest->page, page) && memcmp(page, newest->content, BLOCK_CONTENT) == 0;
}

/*
 * The log's own header is unreadable. SQLite writes it anew only when every frame is in the database already: then
 * nothing is lost. So the newest frame of each page, up to the last commit, is compared with the database.
 */
static bool judge_header(shim *vfs, int64_t blocks, frame *scratch, cq_vault_log *found) {
  uint8_t salts[8];
  int64_t last = 0, pages = 0;
  int commits = 0;
  for (int64_t i = blocks - 1; i > 0; i--) {
    if (!read_frame(vfs, i, scratch)) continue;
    if (last == 0 && scratch->commit) {
      last = i;
      memcpy(salts, scratch->salts, sizeof salts);
    }
    if (last != 0 && scratch->commit && memcmp(salts, scratch->salts, sizeof salts) == 0) commits++;
    if (scratch->page > pages) pages = scratch->page;
  }
  *found = CQ_VAULT_LOG_TORN;
  if (commits < 2) return true;
  *found = CQ_VAULT_LOG_DAMAGED;
  if (pages > (int64_t)1 << 28) return true;
  bool *seen = calloc((size_t)pages + 1, sizeof *seen);
  bool same = seen != NULL;
  for (int64_t i = last; same && i > 0; i--) {
    if (!read_frame(vfs, i, scratch) || memcmp(salts, scratch->salts, sizeof salts) != 0 || seen[scratch->page])
      continue;
    seen[scratch->page] = true;
    same = same_in_database(vfs, scratch);
  }
  if (same) *found = CQ_VAULT_LOG_TORN;
  bool good = seen != NULL;
  free(seen);
  return good;
}

bool shim_log_judge(shim *vfs, cq_vault_log *found) {
  sqlite3_int64 size = 0;
  sqlite3_file *log = shim_log_file(vfs);
  *found = vfs->cut ? CQ_VAULT_LOG_TORN : CQ_VAULT_LOG_CLEAN;
  if (vfs->broken_frame < 0 || !log) return true;
  *found = CQ_VAULT_LOG_DAMAGED;
  if (log->pMethods->xFileSize(log, &size) != SQLITE_OK) return true;
  frame *scratch = calloc(1, sizeof *scratch);
  bool good = scratch != NULL;
  if (good && vfs->broken_frame == 0)
    good = judge_header(vfs, size / BLOCK_SIZE, scratch, found);
  else if (good)
    *found = judge_frames(vfs, size / BLOCK_SIZE, scratch);
  if (scratch) memset(scratch, 0, sizeof *scratch);
  free(scratch);
  return good;
}
