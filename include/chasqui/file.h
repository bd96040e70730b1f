/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, durably. In base because vault, batch, sync and central all
 * replace files that must survive a power cut, and each written apart would be
 * one more chance to forget an fsync.
 */
#ifndef CHASQUI_FILE_H
#define CHASQUI_FILE_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads a regular file of at most `limit` bytes into `out` (emptied first). Errors: io.open, io.read, io.notfile,
 * io.toolarge. */
cq_status cq_file_read(const char *path, size_t limit, cq_buf *out, cq_error *error);

/*
 * Writes a temporary file in the same folder, fsyncs it, renames it over `path`
 * and fsyncs the folder. After any failure or power cut `path` holds the old
 * bytes or the new ones, whole. `mode` as for open(2). With `keep`, an existing
 * `path` is left as it is and CQ_REFUSED "io.exists" is answered.
 */
cq_status cq_file_replace(const char *path, const void *bytes, size_t size, unsigned mode, bool keep, cq_error *error);

/* fsync of a folder, so that names made or removed in it last. */
cq_status cq_file_sync_folder(const char *folder, cq_error *error);

/* Makes a folder and its parents (mode 0700); one that exists is fine. */
cq_status cq_file_make_folder(const char *folder, cq_error *error);

/* Unlinks and fsyncs the folder; a file that is not there is fine. */
cq_status cq_file_remove(const char *path, cq_error *error);

/* "folder/name" into `out` (emptied first). */
cq_status cq_file_path(cq_buf *out, const char *folder, const char *name, cq_error *error);

/* Bytes free for this user on the file system that holds `path`; -1 where it cannot be known. */
int64_t cq_file_free_bytes(const char *path);

#endif
