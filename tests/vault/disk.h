/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory, as a SQLite VFS named "disk" for below the shim. It keeps
 * a journal of everything done to it, from which the disk can be made again
 * as a power cut at any point may have left it; and it can fail at the Nth
 * call, or be full.
 */
#ifndef TESTS_VAULT_DISK_H
#define TESTS_VAULT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may have become of a write that was not synced when the power went. */
typedef enum disk_model {
  DISK_POWER_SAFE,   /* all, nothing, or its first bytes; other bytes stay */
  DISK_SECTORS_512,  /* all, nothing, or noise in whole sectors of 512 bytes that it touched */
  DISK_SECTORS_4096, /* the same with sectors of 4096 bytes */
} disk_model;

typedef enum disk_fault { FAULT_NONE, FAULT_WRITE, FAULT_SYNC, FAULT_READ, FAULT_TRUNCATE, FAULT_FULL } disk_fault;

/* The disk is allocating memory of its own, which a test that takes memory away must leave. */
extern bool disk_at_work;

void disk_register(void);
void disk_clear(void);                                            /* no files, no journal, no fault */
void disk_load(const char *name, const void *bytes, size_t size); /* a file, durable */
/* The file's bytes as they are now, borrowed; NULL where there is none. For tests that damage them. */
uint8_t *disk_bytes(const char *name, size_t *size);

void disk_record(void);       /* the journal begins here, from what is there now */
size_t disk_operations(void); /* writes, truncations, syncs, deletions so far */
/* The disk as a cut during operation `cut` (from 0; those before are done) may have left it. Journal stays. */
void disk_cut(size_t cut, disk_model model, uint64_t seed);

/* The call `at` (from 0) of that kind from now on fails; with `forever` all after it too. */
void disk_fail(disk_fault fault, size_t at, bool forever);
size_t disk_faults(void); /* injected since disk_fail */
/* Sees each block written, before anything else: NULL for none. */
void disk_watch(void (*seen)(const char *name, const uint8_t *bytes, size_t size, int64_t offset));

#endif
