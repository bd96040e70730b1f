/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed bytes as files of a post's home; paths are within it. */
#ifndef CENTRAL_INBOX_FILES_H
#define CENTRAL_INBOX_FILES_H

#include "chasqui/str.h"

/*
 * Writes the file, its bytes durable; its name is with files_settle. A file of that name that is there already is never
 * replaced by another: CQ_REFUSED post.item.name.
 */
cq_status files_put(const char *home, const char *path, cq_str bytes, cq_error *error);
/* Makes names in the folder of `path` durable, once while `last` says that folder. */
cq_status files_settle(const char *home, const char *path, cq_buf *last, cq_error *error);
/* A second, durable name. */
cq_status files_link(const char *home, const char *from, const char *to, cq_error *error);
/* Appends at most `size` bytes from an offset. CQ_NOTFOUND: there is no such file. */
cq_status files_read(const char *home, const char *path, uint64_t offset, size_t size, cq_buf *bytes, cq_error *error);
cq_status files_remove(const char *home, const char *path, cq_error *error); /* one that is not there is fine */

#endif
