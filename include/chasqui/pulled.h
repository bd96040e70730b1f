/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the courier has pulled from an OpenRosa server: a folder in the inbox
 * (docs/formats/openrosa.md). Nothing in it is signed.
 */
#ifndef CHASQUI_PULLED_H
#define CHASQUI_PULLED_H

#include "chasqui/arena.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
  CQ_PULLED_MAX_FORMS = 2000,
  CQ_PULLED_MAX_MEDIA = 1000,    /* of one form */
  CQ_PULLED_MAX_FORM = 32 << 20, /* bytes */
  CQ_PULLED_MAX_FILE = 64 << 20,
  CQ_PULLED_MAX_FORM_FILES = 256 << 20 /* of all files of a form */
};

typedef struct cq_pulled_media {
  cq_str name, hash, file; /* `file`: in the folder */
  bool is_list;
} cq_pulled_media;

typedef struct cq_pulled_form {
  cq_str id, version, name, hash, file, manifest, manifest_etag; /* `manifest`: its address, "" where there is none */
  cq_pulled_media *media;
  size_t media_count;
} cq_pulled_form;

/* Texts and lists lie in the arena. */
typedef struct cq_pulled {
  cq_str url, etag;
  int64_t pulled_utc_ms;
  cq_pulled_form *forms;
  size_t form_count;
} cq_pulled;

/* "openrosa-0123456789abcdef" for a server's address. */
void cq_pulled_folder_name(char out[26], cq_str url);
/* The name of the file that holds what has this hash: "….xml", "….media". */
void cq_pulled_file_name(char out[40], cq_str hash, bool form);

/* Errors: openrosa.pulled.none (CQ_NOTFOUND), openrosa.pulled.damaged (CQ_DAMAGED), those of cq_file_read. */
cq_status cq_pulled_read(cq_pulled *pulled, const char *folder, cq_arena *arena, cq_error *error);
cq_status cq_pulled_write(const cq_pulled *pulled, const char *folder, cq_error *error);

#endif
