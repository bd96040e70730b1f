/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vault/disk.h"

#include "tests/vault/support.h"

#include <stdlib.h>
#include <string.h>

enum { FILES = 4, NAME = 256 };

typedef struct content {
  uint8_t *bytes;
  size_t size;
  bool exists;
} content;

typedef enum { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE } op_kind;
typedef struct operation {
  op_kind kind;
  int file;
  int64_t offset; /* or the size of a truncation */
  size_t size;
  uint8_t *bytes;
} operation;

static struct {
  char name[FILES][NAME];
  content now[FILES], start[FILES];
  operation *journal;
  size_t count, capacity;
  bool recording;
  disk_fault fault;
  size_t calls, at, injected;
  bool forever;
  void (*seen)(const char *, const uint8_t *, size_t, int64_t);
} disk;

bool disk_at_work;

static void content_size(content *file, size_t size) {
  disk_at_work = true;
  uint8_t *bytes = realloc(file->bytes, size + 1);
  disk_at_work = false;
  assert_non_null(bytes);
  if (size > file->size) memset(bytes + file->size, 0, size - file->size);
  file->bytes = bytes;
  file->size = size;
  file->exists = true;
}

static void content_write(content *file, const void *bytes, size_t size, int64_t offset) {
  if ((size_t)offset + size > file->size) content_size(file, (size_t)offset + size);
  memcpy(file->bytes + offset, bytes, size);
}

static void content_drop(content *file) {
  free(file->bytes);
  *file = (content){0};
}

static void content_copy(content *to, const content *from) {
  content_drop(to);
  if (!from->exists) return;
  content_size(to, from->size);
  memcpy(to->bytes, from->bytes, from->size);
}

static int find(const char *name, bool make) {
  int room = -1;
  for (int i = 0; i < FILES; i++) {
    if (strcmp(disk.name[i], name) == 0) return i;
    if (room < 0 && disk.name[i][0] == '\0') room = i;
  }
  if (!make) return -1;
  assert_true(room >= 0 && strlen(name) < NAME);
  strcpy(disk.name[room], name);
  return room;
}

static void journal_drop(void) {
  for (size_t i = 0; i < disk.count; i++) free(disk.journal[i].bytes);
  disk.count = 0;
}

void disk_clear(void) {
  journal_drop();
  for (int i = 0; i < FILES; i++) {
    content_drop(&disk.now[i]);
    content_drop(&disk.start[i]);
    disk.name[i][0] = '\0';
  }
  free(disk.journal);
  memset(&disk, 0, sizeof disk);
}

void disk_load(const char *name, const void *bytes, size_t size) {
  content *file = &disk.now[find(name, true)];
  content_drop(file);
  content_size(file, size);
  memcpy(file->bytes, bytes, size);
}

uint8_t *disk_bytes(const char *name, size_t *size) {
  int file = find(name, false);
  if (file < 0 || !disk.now[file].exists) return NULL;
  *size = disk.now[file].size;
  return disk.now[file].bytes;
}

void disk_record(void) {
  journal_drop();
  for (int i = 0; i < FILES; i++) content_copy(&disk.start[i], &disk.now[i]);
  disk.recording = true;
}

size_t disk_operations(void) {
  return disk.count;
}

static void note(op_kind kind, int file, int64_t offset, const void *bytes, size_t size) {
  if (!disk.recording) return;
  if (disk.count == disk.capacity) {
    disk.capacity = disk.capacity ? 2 * disk.capacity : 256;
    disk.journal = realloc(disk.journal, disk.capacity * sizeof *disk.journal);
    assert_non_null(disk.journal);
  }
  operation *op = &disk.journal[disk.count++];
  *op = (operation){.kind = kind, .file = file, .offset = offset, .size = size};
  if (bytes) {
    op->bytes = malloc(size);
    assert_non_null(op->bytes);
    memcpy(op->bytes, bytes, size);
  }
}

static void apply(content *file, const operation *op) {
  if (op->kind == OP_WRITE)
    content_write(file, op->bytes, op->size, op->offset);
  else if (op->kind == OP_TRUNCATE && file->exists)
    content_size(file, (size_t)op->offset);
  else if (op->kind == OP_DELETE)
    content_drop(file);
}

static void noise(content *file, const operation *op, size_t sector, uint64_t *seed) {
  size_t from = (size_t)op->offset / sector * sector;
  size_t to = ((size_t)op->offset + op->size + sector - 1) / sector * sector;
  if (to > file->size) content_size(file, to);
  for (size_t at = from; at < to; at += sector)
    if (next_number(seed) % 2)
      for (size_t i = at; i < at + sector; i++) file->bytes[i] = (uint8_t)next_number(seed);
}

static void apply_unsynced(content *file, const operation *op, disk_model model, uint64_t *seed) {
  uint64_t fate = next_number(seed) % 3;
  if (fate == 0) return;
  if (fate == 1 || op->kind != OP_WRITE) {
    apply(file, op);
  } else if (model == DISK_POWER_SAFE) {
    operation part = *op;
    part.size = (size_t)(next_number(seed) % (op->size + 1));
    apply(file, &part);
  } else {
    noise(file, op, model == DISK_SECTORS_512 ? 512 : 4096, seed);
  }
}

void disk_cut(size_t cut, disk_model model, uint64_t seed) {
  bool *done = calloc(disk.count + 1, sizeof *done);
  assert_non_null(done);
  for (int i = 0; i < FILES; i++) content_copy(&disk.now[i], &disk.start[i]);
  for (size_t i = 0; i < cut && i < disk.count; i++) {
    const operation *op = &disk.journal[i];
    if (op->kind == OP_SYNC || op->kind == OP_DELETE) /* everything before it on this file is on the disk */
      for (size_t j = 0; j <= i; j++)
        if (!done[j] && disk.journal[j].file == op->file) {
          apply(&disk.now[op->file], &disk.journal[j]);
          done[j] = true;
        }
  }
  for (size_t i = 0; i <= cut && i < disk.count; i++)
    if (!done[i] && disk.journal[i].kind != OP_SYNC)
      apply_unsynced(&disk.now[disk.journal[i].file], &disk.journal[i], model, &seed);
  free(done);
  disk.recording = false;
}

void disk_fail(disk_fault fault, size_t at, bool forever) {
  disk.fault = fault;
  disk.at = at;
  disk.forever = forever;
  disk.calls = disk.injected = 0;
}

size_t disk_faults(void) {
  return disk.injected;
}

void disk_watch(void (*seen)(const char *, const uint8_t *, size_t, int64_t)) {
  disk.seen = seen;
}

static bool fails(disk_fault kind) {
  if (disk.fault != kind) return false;
  size_t call = disk.calls++;
  bool now = call == disk.at || (disk.forever && call > disk.at);
  if (now) disk.injected++;
  return now;
}

/* --- SQLite's side --- */

typedef struct disk_file {
  sqlite3_file base;
  int file;
} disk_file;

static int file_close(sqlite3_file *file) {
  (void)file;
  return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset) {
  const content *from = &disk.now[((disk_file *)file)->file];
  if (fails(FAULT_READ)) return SQLITE_IOERR_READ;
  size_t have = (size_t)offset >= from->size ? 0 : from->size - (size_t)offset;
  size_t want = (size_t)amount, part = have < want ? have : want;
  if (part) memcpy(out, from->bytes + offset, part);
  memset((uint8_t *)out + part, 0, want - part);
  return part == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset) {
  int index = ((disk_file *)file)->file;
  if (disk.seen) disk.seen(disk.name[index], bytes, (size_t)amount, offset);
  if (fails(FAULT_FULL)) return SQLITE_FULL;
  if (fails(FAULT_WRITE)) { /* half of it got there */
    content_write(&disk.now[index], bytes, (size_t)amount / 2, offset);
    return SQLITE_IOERR_WRITE;
  }
  note(OP_WRITE, index, offset, bytes, (size_t)amount);
  content_write(&disk.now[index], bytes, (size_t)amount, offset);
  return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
  int index = ((disk_file *)file)->file;
  if (fails(FAULT_TRUNCATE)) return SQLITE_IOERR_TRUNCATE;
  note(OP_TRUNCATE, index, size, NULL, 0);
  content_size(&disk.now[index], (size_t)size);
  return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags) {
  (void)flags;
  if (fails(FAULT_SYNC)) return SQLITE_IOERR_FSYNC;
  note(OP_SYNC, ((disk_file *)file)->file, 0, NULL, 0);
  return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
  *size = (sqlite3_int64)disk.now[((disk_file *)file)->file].size;
  return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level) {
  (void)file, (void)level;
  return SQLITE_OK;
}
static int file_check(sqlite3_file *file, int *held) {
  (void)file;
  *held = 0;
  return SQLITE_OK;
}
static int file_control(sqlite3_file *file, int what, void *argument) {
  (void)file, (void)what, (void)argument;
  return SQLITE_NOTFOUND;
}
static int file_sector(sqlite3_file *file) {
  (void)file;
  return 4096;
}
static int file_characteristics(sqlite3_file *file) {
  (void)file;
  return 0;
}

static const sqlite3_io_methods file_methods = {
    1,         file_close, file_read,    file_write,  file_truncate,        file_sync, file_size, file_lock,
    file_lock, file_check, file_control, file_sector, file_characteristics, NULL,      NULL,      NULL,
    NULL,      NULL,       NULL};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
  (void)vfs;
  disk_file *self = (disk_file *)file;
  file->pMethods = NULL;
  int index = find(name, true);
  if (!disk.now[index].exists) {
    if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    content_size(&disk.now[index], 0);
  }
  self->file = index;
  file->pMethods = &file_methods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  (void)vfs, (void)sync_folder;
  int index = find(name, false);
  if (index < 0 || !disk.now[index].exists) return SQLITE_IOERR_DELETE_NOENT;
  note(OP_DELETE, index, 0, NULL, 0);
  content_drop(&disk.now[index]);
  return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
  (void)vfs, (void)flags;
  int index = find(name, false);
  *answer = index >= 0 && disk.now[index].exists;
  return SQLITE_OK;
}

static int disk_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

static int disk_randomness(sqlite3_vfs *vfs, int size, char *out) {
  static uint64_t seed = 1;
  (void)vfs;
  for (int i = 0; i < size; i++) out[i] = (char)next_number(&seed);
  return size;
}
static int disk_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  return microseconds;
}
static int disk_time(sqlite3_vfs *vfs, double *out) {
  (void)vfs;
  *out = 2456160.0;
  return SQLITE_OK;
}

void disk_register(void) {
  static sqlite3_vfs vfs = {.iVersion = 1,
                            .szOsFile = sizeof(disk_file),
                            .mxPathname = NAME - 1,
                            .zName = "disk",
                            .xOpen = disk_open,
                            .xDelete = disk_delete,
                            .xAccess = disk_access,
                            .xFullPathname = disk_full_path,
                            .xRandomness = disk_randomness,
                            .xSleep = disk_sleep,
                            .xCurrentTime = disk_time};
  assert_int_equal(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
}
