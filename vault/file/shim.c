/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/file/shim.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_KNOWN = 1 << 24 }; /* so many pages, and no number of one begins with another byte than 0 */

typedef enum { ROLE_DATABASE, ROLE_LOG } file_role;

struct shim_file {
  sqlite3_file base;
  shim *owner;
  file_role role;
  sqlite3_file *below; /* in the same allocation */
  /* of a log: */
  bool recovering;       /* SQLite has read the header and now walks the frames */
  uint8_t salts[8];      /* of the log in use */
  sqlite3_int64 pending; /* frame whose header was given and whose page was not yet; 0: none */
  uint8_t pending_header[BLOCK_EXTRA];
};

static shim_file *of(sqlite3_file *file) {
  return (shim_file *)file;
}

sqlite3_file *shim_database_file(const shim *vfs) {
  return vfs->database ? vfs->database->below : NULL;
}
sqlite3_file *shim_log_file(const shim *vfs) {
  return vfs->log ? vfs->log->below : NULL;
}

/* --- the database --- */

static bool all_zero(const uint8_t *at, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (at[i]) return false;
  return true;
}

static sqlite3_int64 page_at(sqlite3_int64 page) {
  return HEADER_PREFIX + (page - 1) * BLOCK_SIZE;
}

static int read_page(shim_file *file, sqlite3_int64 page, uint8_t out[BLOCK_SIZE]) {
  int rc = file->below->pMethods->xRead(file->below, out, BLOCK_SIZE, page_at(page));
  if (rc != SQLITE_OK) {
    memset(out, 0, BLOCK_SIZE);
    return rc;
  }
  return cipher_open(file->owner->cipher, BLOCK_PAGE, (uint64_t)page, out) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* The first bytes of every page 1 of ours: pages of 4096 bytes of which 64 are reserved, and WAL mode. */
static void first_bytes(uint8_t page[BLOCK_SIZE]) {
  memset(page, 0, BLOCK_SIZE);
  memcpy(page, "SQLite format 3", 16);
  page[16] = BLOCK_SIZE >> 8;
  page[18] = page[19] = 2;
  page[20] = BLOCK_RESERVED;
  page[21] = 64;
  page[22] = page[23] = 32;
}

void shim_first_page(uint8_t page[BLOCK_SIZE]) {
  first_bytes(page);
  page[27] = page[31] = page[95] = 1; /* changes, size in pages, and the version that the change counter stands for */
  page[47] = 4;                       /* schema format */
  page[59] = 1;                       /* UTF-8 */
  page[100] = 13;                     /* an empty leaf of a table: its content begins at the reserve */
  page[105] = BLOCK_CONTENT >> 8;
  page[106] = BLOCK_CONTENT & 0xff;
}

static int read_database(shim_file *file, uint8_t *out, int amount, sqlite3_int64 offset) {
  uint8_t *scratch = file->owner->block;
  if (amount == BLOCK_SIZE && offset % BLOCK_SIZE == 0) return read_page(file, offset / BLOCK_SIZE + 1, out);
  for (int done = 0; done < amount;) {
    sqlite3_int64 page = (offset + done) / BLOCK_SIZE + 1;
    int within = (int)((offset + done) % BLOCK_SIZE);
    int part = BLOCK_SIZE - within < amount - done ? BLOCK_SIZE - within : amount - done;
    int rc = read_page(file, page, scratch);
    if (rc == SQLITE_IOERR_DATA && page == 1) {
      /* SQLite reads the first bytes of page 1 before it looks into the log. Where a power cut tore page 1 in a
       * checkpoint, the log still has it, but SQLite would never get there: it is told page size and reserve. */
      first_bytes(scratch);
    } else if (rc != SQLITE_OK) {
      memset(out + done, 0, (size_t)(amount - done));
      return rc;
    }
    memcpy(out + done, scratch + within, (size_t)part);
    done += part;
  }
  memset(scratch, 0, BLOCK_SIZE);
  return SQLITE_OK;
}

static int write_page(shim_file *file, sqlite3_int64 page, const uint8_t content[BLOCK_SIZE]) {
  uint8_t *scratch = file->owner->block;
  if (!cipher_seal(file->owner->cipher, BLOCK_PAGE, (uint64_t)page, content, NULL, scratch)) return SQLITE_IOERR_WRITE;
  return file->below->pMethods->xWrite(file->below, scratch, BLOCK_SIZE, page_at(page));
}

static int database_size(shim_file *file, sqlite3_int64 *size) {
  int rc = file->below->pMethods->xFileSize(file->below, size);
  if (rc != SQLITE_OK) return rc;
  *size = *size < HEADER_PREFIX ? 0 : (*size - HEADER_PREFIX) / BLOCK_SIZE * BLOCK_SIZE;
  return SQLITE_OK;
}

/* A file without holes: every page up to `page` exists, as zeros where SQLite passed over it. *pages: how many the file
 * had. */
static int fill_before(shim_file *file, sqlite3_int64 page, sqlite3_int64 *pages) {
  static const uint8_t zeros[BLOCK_SIZE];
  sqlite3_int64 size = 0;
  int rc = database_size(file, &size);
  *pages = size / BLOCK_SIZE;
  for (sqlite3_int64 next = *pages + 1; rc == SQLITE_OK && next < page; next++) rc = write_page(file, next, zeros);
  return rc;
}

/*
 * A page of a b-tree that SQLite has filled anew still holds, between the pointers to its cells and the cells, what
 * stood there before: rows that were moved and later deleted, which secure_delete does not reach. SQLite reads nothing
 * there. Pages of other kinds begin with the number of a page, so with 0 as long as a file has less than 2^24 of them;
 * larger files are left as they are. Which byte is what: SQLite's file format, section 1.6.
 */
static void clear_gap(uint8_t *page, bool first) {
  uint8_t *head = page + (first ? 100 : 0);
  bool inner = *head == 2 || *head == 5;
  if (!inner && *head != 10 && *head != 13) return;
  size_t cells = (size_t)head[3] << 8 | head[4], to = (size_t)head[5] << 8 | head[6];
  size_t from = (first ? 100u : 0u) + (inner ? 12u : 8u) + 2 * cells;
  if (from < to && to <= BLOCK_CONTENT) memset(page + from, 0, to - from);
}

static int write_database(shim_file *file, const uint8_t *bytes, int amount, sqlite3_int64 offset) {
  uint8_t whole[BLOCK_SIZE];
  sqlite3_int64 pages = 0;
  if (amount != BLOCK_SIZE || offset % BLOCK_SIZE != 0) return SQLITE_IOERR_WRITE;
  if (!all_zero(bytes + BLOCK_CONTENT, BLOCK_RESERVED)) return SQLITE_IOERR_WRITE;
  /* a plain database copied over this one would have another reserve: it may not become the vault's page 1 */
  if (offset == 0 && bytes[20] != BLOCK_RESERVED) return SQLITE_IOERR_WRITE;
  sqlite3_int64 page = offset / BLOCK_SIZE + 1;
  int rc = fill_before(file, page, &pages);
  if (rc != SQLITE_OK) return rc;
  memcpy(whole, bytes, sizeof whole);
  if (pages < PAGES_KNOWN) clear_gap(whole, page == 1);
  rc = write_page(file, page, whole);
  sodium_memzero(whole, sizeof whole);
  return rc;
}

static int truncate_database(shim_file *file, sqlite3_int64 size) {
  sqlite3_int64 pages = 0;
  if (size % BLOCK_SIZE != 0) return SQLITE_IOERR_TRUNCATE;
  int rc = fill_before(file, size / BLOCK_SIZE + 1, &pages);
  return rc == SQLITE_OK ? file->below->pMethods->xTruncate(file->below, HEADER_PREFIX + size) : rc;
}

/* --- the log --- */

static int read_block(shim_file *file, sqlite3_int64 number, uint8_t block[BLOCK_SIZE]) {
  int rc = file->below->pMethods->xRead(file->below, block, BLOCK_SIZE, number * BLOCK_SIZE);
  if (rc != SQLITE_OK) {
    memset(block, 0, BLOCK_SIZE);
    return rc;
  }
  block_kind kind = number == 0 ? BLOCK_LOG_HEADER : BLOCK_FRAME;
  return cipher_open(file->owner->cipher, kind, (uint64_t)number, block) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

static int write_block(shim_file *file, sqlite3_int64 number, const uint8_t *content, const uint8_t *extra) {
  uint8_t out[BLOCK_SIZE];
  block_kind kind = number == 0 ? BLOCK_LOG_HEADER : BLOCK_FRAME;
  if (!cipher_seal(file->owner->cipher, kind, (uint64_t)number, content, extra, out)) return SQLITE_IOERR_WRITE;
  return file->below->pMethods->xWrite(file->below, out, BLOCK_SIZE, number * BLOCK_SIZE);
}

/*
 * A header given alone, for a frame already there: SQLite computes the checksums of a transaction anew. Where no frame
 * is there, the page that should have followed failed before it came here: SQLite gives both again.
 */
static int settle_pending(shim_file *file) {
  if (file->pending == 0) return SQLITE_OK;
  sqlite3_int64 frame = file->pending;
  file->pending = 0;
  int rc = read_block(file, frame, file->owner->block);
  if (rc == SQLITE_IOERR_SHORT_READ) return SQLITE_OK;
  if (rc == SQLITE_OK) rc = write_block(file, frame, file->owner->block, file->pending_header);
  memset(file->owner->block, 0, BLOCK_SIZE);
  return rc;
}

/* The frame that holds an offset of SQLite's, and the place within it. */
static sqlite3_int64 frame_at(sqlite3_int64 offset, int *within) {
  *within = (int)((offset - LOG_HEADER) % LOG_FRAME);
  return (offset - LOG_HEADER) / LOG_FRAME + 1;
}

static int read_log_header(shim_file *file, uint8_t *out, int amount, sqlite3_int64 offset) {
  uint8_t *scratch = file->owner->block;
  int rc = read_block(file, 0, scratch);
  if (amount == LOG_HEADER) {
    file->recovering = true;
    if (rc == SQLITE_IOERR_DATA) { /* zeros: SQLite takes it for an empty log */
      file->owner->broken_frame = 0;
      rc = SQLITE_OK;
    }
    memcpy(file->salts, scratch + 16, sizeof file->salts);
  }
  memcpy(out, scratch + offset, (size_t)amount);
  return rc;
}

/* Recovery takes what does not open for the end of the log, as SQLite takes a frame with a wrong checksum. */
static int read_frame_in_recovery(shim_file *file, sqlite3_int64 frame, uint8_t *scratch) {
  int rc = read_block(file, frame, scratch);
  if (rc != SQLITE_IOERR_DATA) return rc;
  if (file->owner->broken_frame < 0) file->owner->broken_frame = frame;
  return SQLITE_OK;
}

/* Within a transaction that wrote a frame twice, later headers have no salts and checksums yet, and 16 zeros there. */
static bool of_this_log(const shim_file *file, const uint8_t header[LOG_FRAME_HEADER]) {
  return memcmp(header + 8, file->salts, sizeof file->salts) == 0 || all_zero(header + 8, 16);
}

static int read_log(shim_file *file, uint8_t *out, int amount, sqlite3_int64 offset) {
  uint8_t *scratch = file->owner->block;
  int rc = settle_pending(file), within = 0;
  if (rc != SQLITE_OK) return rc;
  if (offset < LOG_HEADER) {
    if (offset + amount > LOG_HEADER) return SQLITE_IOERR_READ;
    return read_log_header(file, out, amount, offset);
  }
  sqlite3_int64 frame = frame_at(offset, &within);
  if (within + amount > LOG_FRAME) return SQLITE_IOERR_READ;
  if (amount != LOG_FRAME) file->recovering = false;

  rc = file->recovering ? read_frame_in_recovery(file, frame, scratch) : read_block(file, frame, scratch);
  /* a frame's salts are checked by SQLite in recovery, and by us whenever a page is read */
  if (rc == SQLITE_OK && !file->recovering && !of_this_log(file, scratch + BLOCK_CONTENT)) rc = SQLITE_IOERR_DATA;
  if (rc != SQLITE_OK) {
    memset(out, 0, (size_t)amount);
    return rc;
  }
  uint8_t logical[LOG_FRAME];
  memcpy(logical, scratch + BLOCK_CONTENT, LOG_FRAME_HEADER);
  memset(scratch + BLOCK_CONTENT, 0, BLOCK_EXTRA);
  memcpy(logical + LOG_FRAME_HEADER, scratch, BLOCK_SIZE);
  memcpy(out, logical + within, (size_t)amount);
  return SQLITE_OK;
}

static int write_frame(shim_file *file, sqlite3_int64 frame, const uint8_t *page) {
  uint8_t header[BLOCK_EXTRA];
  if (!all_zero(page + BLOCK_CONTENT, BLOCK_RESERVED)) return SQLITE_IOERR_WRITE;
  if (file->pending == frame) {
    file->pending = 0;
    return write_block(file, frame, page, file->pending_header);
  }
  /* the page of a frame of this transaction, once more: its header is corrected later */
  int rc = settle_pending(file);
  if (rc == SQLITE_OK) rc = read_block(file, frame, file->owner->block);
  if (rc != SQLITE_OK) return SQLITE_IOERR_WRITE;
  memcpy(header, file->owner->block + BLOCK_CONTENT, sizeof header);
  memset(file->owner->block, 0, BLOCK_SIZE);
  return write_block(file, frame, page, header);
}

static int write_log(shim_file *file, const uint8_t *bytes, int amount, sqlite3_int64 offset) {
  int within = 0;
  file->recovering = false;
  if (offset == 0 && amount == LOG_HEADER) {
    uint8_t content[BLOCK_CONTENT] = {0};
    int rc = settle_pending(file);
    if (rc != SQLITE_OK) return rc;
    memcpy(content, bytes, LOG_HEADER);
    memcpy(file->salts, bytes + 16, sizeof file->salts);
    return write_block(file, 0, content, NULL);
  }
  if (offset < LOG_HEADER) return SQLITE_IOERR_WRITE;
  sqlite3_int64 frame = frame_at(offset, &within);
  if (within == 0 && amount == LOG_FRAME_HEADER) {
    int rc = settle_pending(file);
    file->pending = frame;
    memcpy(file->pending_header, bytes, sizeof file->pending_header);
    return rc;
  }
  if (within == LOG_FRAME_HEADER && amount == BLOCK_SIZE) return write_frame(file, frame, bytes);
  return SQLITE_IOERR_WRITE;
}

static int log_size(shim_file *file, sqlite3_int64 *size) {
  int rc = file->below->pMethods->xFileSize(file->below, size);
  if (rc != SQLITE_OK) return rc;
  if (*size % BLOCK_SIZE != 0) file->owner->cut = true;
  sqlite3_int64 blocks = *size / BLOCK_SIZE;
  *size = blocks == 0 ? 0 : LOG_HEADER + (blocks - 1) * LOG_FRAME;
  return SQLITE_OK;
}

static int truncate_log(shim_file *file, sqlite3_int64 size) {
  file->recovering = false;
  file->pending = 0;
  sqlite3_int64 frames = size <= LOG_HEADER ? 0 : (size - LOG_HEADER + LOG_FRAME - 1) / LOG_FRAME;
  sqlite3_file *below = file->below;
  int rc = below->pMethods->xTruncate(below, size == 0 ? 0 : (1 + frames) * BLOCK_SIZE);
  /* synced, so that a header torn later stands before no frames of old */
  return rc == SQLITE_OK ? below->pMethods->xSync(below, SQLITE_SYNC_NORMAL) : rc;
}

/* --- methods SQLite calls --- */

static int shim_close(sqlite3_file *file) {
  shim_file *self = of(file);
  if (self->role == ROLE_DATABASE)
    self->owner->database = NULL;
  else
    self->owner->log = NULL;
  memset(self->pending_header, 0, sizeof self->pending_header);
  return self->below->pMethods->xClose(self->below);
}

static int shim_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset) {
  shim_file *self = of(file);
  if (!self->owner->cipher || amount < 0 || offset < 0) return SQLITE_IOERR_READ;
  return self->role == ROLE_DATABASE ? read_database(self, out, amount, offset) : read_log(self, out, amount, offset);
}

static int shim_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset) {
  shim_file *self = of(file);
  if (!self->owner->cipher || self->owner->stopped || amount < 0 || offset < 0) return SQLITE_IOERR_WRITE;
  return self->role == ROLE_DATABASE ? write_database(self, bytes, amount, offset)
                                     : write_log(self, bytes, amount, offset);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size) {
  shim_file *self = of(file);
  if (!self->owner->cipher || self->owner->stopped) return SQLITE_IOERR_TRUNCATE;
  int rc = self->role == ROLE_DATABASE ? truncate_database(self, size) : truncate_log(self, size);
  if (rc == SQLITE_IOERR_FSYNC) self->owner->stopped = true;
  return rc;
}

static int shim_sync(sqlite3_file *file, int flags) {
  shim_file *self = of(file);
  if (!self->owner->cipher || self->owner->stopped) return SQLITE_IOERR_FSYNC;
  int rc = self->role == ROLE_LOG ? settle_pending(self) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  rc = self->below->pMethods->xSync(self->below, flags);
  if (rc != SQLITE_OK) self->owner->stopped = true;
  return rc;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size) {
  shim_file *self = of(file);
  return self->role == ROLE_DATABASE ? database_size(self, size) : log_size(self, size);
}

static int shim_take_lock(sqlite3_file *file, int level) {
  return of(file)->below->pMethods->xLock(of(file)->below, level);
}
static int shim_leave_lock(sqlite3_file *file, int level) {
  return of(file)->below->pMethods->xUnlock(of(file)->below, level);
}
static int shim_check_lock(sqlite3_file *file, int *held) {
  return of(file)->below->pMethods->xCheckReservedLock(of(file)->below, held);
}

/* The pragmas on which the file's form and its safety stand. */
static int refuse_pragma(shim *owner, char **argument) {
  static const char *const fixed[] = {"page_size",       "journal_mode",         "locking_mode",      "synchronous",
                                      "mmap_size",       "temp_store",           "secure_delete",     "auto_vacuum",
                                      "writable_schema", "temp_store_directory", "journal_size_limit"};
  if (!owner->sealed_pragmas || !argument[2]) return SQLITE_NOTFOUND;
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
    if (sqlite3_stricmp(argument[1], fixed[i]) == 0) {
      argument[0] = sqlite3_mprintf("%s is fixed in a vault", fixed[i]);
      return SQLITE_ERROR;
    }
  return SQLITE_NOTFOUND;
}

static int shim_control(sqlite3_file *file, int what, void *argument) {
  shim_file *self = of(file);
  switch (what) {
  case SQLITE_FCNTL_SIZE_HINT: /* would leave holes */
  case SQLITE_FCNTL_CHUNK_SIZE: return SQLITE_OK;
  case SQLITE_FCNTL_MMAP_SIZE: /* would show SQLite ciphertext */ *(sqlite3_int64 *)argument = 0; return SQLITE_OK;
  case SQLITE_FCNTL_PRAGMA: return refuse_pragma(self->owner, argument);
  default: return self->below->pMethods->xFileControl(self->below, what, argument);
  }
}

static int shim_sector(sqlite3_file *file) {
  (void)file;
  return BLOCK_SIZE;
}

/* Without this SQLite would split and pad frames; a block is a sector of its own, so the claim holds. */
static int shim_characteristics(sqlite3_file *file) {
  (void)file;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory (it would show page numbers and checksums) and no xFetch. */
static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = shim_close,
                                           .xRead = shim_read,
                                           .xWrite = shim_write,
                                           .xTruncate = shim_truncate,
                                           .xSync = shim_sync,
                                           .xFileSize = shim_size,
                                           .xLock = shim_take_lock,
                                           .xUnlock = shim_leave_lock,
                                           .xCheckReservedLock = shim_check_lock,
                                           .xFileControl = shim_control,
                                           .xSectorSize = shim_sector,
                                           .xDeviceCharacteristics = shim_characteristics};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
  shim *owner = vfs->pAppData;
  shim_file *self = of(file);
  memset(self, 0, sizeof *self);
  file->pMethods = NULL;
  bool database = (flags & SQLITE_OPEN_MAIN_DB) && name && strcmp(name, owner->path) == 0 && !owner->database;
  bool log = (flags & SQLITE_OPEN_WAL) && name && strcmp(name, owner->wal_name) == 0 && !owner->log;
  if ((!database && !log) || !owner->cipher) return SQLITE_CANTOPEN;

  self->owner = owner;
  self->role = database ? ROLE_DATABASE : ROLE_LOG;
  self->below = (sqlite3_file *)(void *)(self + 1);
  int rc = owner->below->xOpen(owner->below, log ? owner->log_path : name, self->below, flags, out_flags);
  if (rc != SQLITE_OK) {
    if (self->below->pMethods) self->below->pMethods->xClose(self->below);
    return rc;
  }
  if (database)
    owner->database = self;
  else
    owner->log = self;
  file->pMethods = &methods;
  return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  shim *owner = vfs->pAppData;
  if (strcmp(name, owner->wal_name) != 0) return SQLITE_IOERR_DELETE_NOENT;
  return owner->below->xDelete(owner->below, owner->log_path, sync_folder);
}

/* A journal that somebody laid beside the vault is not seen, and never played back. */
static int shim_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
  shim *owner = vfs->pAppData;
  *answer = 0;
  bool log = strcmp(name, owner->wal_name) == 0;
  if (!log && strcmp(name, owner->path) != 0) return SQLITE_OK;
  return owner->below->xAccess(owner->below, log ? owner->log_path : name, flags, answer);
}

static int shim_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  shim *owner = vfs->pAppData;
  return owner->below->xFullPathname(owner->below, name, size, out);
}
static int shim_randomness(sqlite3_vfs *vfs, int size, char *out) {
  shim *owner = vfs->pAppData;
  return owner->below->xRandomness(owner->below, size, out);
}
static int shim_sleep(sqlite3_vfs *vfs, int microseconds) {
  shim *owner = vfs->pAppData;
  return owner->below->xSleep(owner->below, microseconds);
}
static int shim_time(sqlite3_vfs *vfs, double *out) {
  shim *owner = vfs->pAppData;
  return owner->below->xCurrentTime(owner->below, out);
}
static int shim_last_error(sqlite3_vfs *vfs, int size, char *out) {
  shim *owner = vfs->pAppData;
  return owner->below->xGetLastError ? owner->below->xGetLastError(owner->below, size, out) : 0;
}

shim *shim_new(const char *path, const char *below, const vault_keys *keys, const cq_random *random) {
  static const char *const none[1];
  shim *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->path = path;
  self->broken_frame = -1;
  self->below = sqlite3_vfs_find(below);
  self->wal_name = sqlite3_mprintf("%s-wal", path);
  char *log = sqlite3_mprintf("%s-log", path);
  if (log) self->log_path = (char *)sqlite3_create_filename(log, "", "", 0, (const char **)none);
  sqlite3_free(log);
  self->cipher = cipher_new(keys, random);
  if (!self->below || !self->wal_name || !self->log_path || !self->cipher) goto fail;
  snprintf(self->name, sizeof self->name, "chasqui-%p", (void *)self);
  self->vfs = (sqlite3_vfs){.iVersion = 1,
                            .szOsFile = (int)sizeof(shim_file) + self->below->szOsFile,
                            .mxPathname = self->below->mxPathname,
                            .zName = self->name,
                            .pAppData = self,
                            .xOpen = shim_open,
                            .xDelete = shim_delete,
                            .xAccess = shim_access,
                            .xFullPathname = shim_full_path,
                            .xRandomness = shim_randomness,
                            .xSleep = shim_sleep,
                            .xCurrentTime = shim_time,
                            .xGetLastError = shim_last_error};
  if (sqlite3_vfs_register(&self->vfs, 0) != SQLITE_OK) goto fail;
  return self;
fail:
  cipher_free(self->cipher);
  sqlite3_free(self->wal_name);
  sqlite3_free_filename(self->log_path);
  free(self);
  return NULL;
}

void shim_lock(shim *self) {
  cipher_free(self->cipher);
  self->cipher = NULL;
}

void shim_free(shim *self) {
  if (!self) return;
  sqlite3_vfs_unregister(&self->vfs);
  shim_lock(self);
  sqlite3_free(self->wal_name);
  sqlite3_free_filename(self->log_path);
  free(self);
}
