/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collector and courier say to each other over a pair of sockets when
 * interviews go in clear to an OpenRosa server (docs/formats/openrosa.md).
 * Frames hold secrets and answers: buffers given here are wiped by their owner.
 */
#ifndef CHASQUI_HANDOVER_H
#define CHASQUI_HANDOVER_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
  CQ_HANDOVER_FD = 3, /* the courier's end */
  CQ_HANDOVER_VERSION = 1,
  CQ_HANDOVER_MAX_FRAME = 17 << 20,
  CQ_HANDOVER_MAX_PIECE = 64 << 10,
  CQ_HANDOVER_MAX_FILES = 256,
  CQ_HANDOVER_MAX_SECRET = 4096,
  CQ_HANDOVER_MAX_URL = 1024,
  CQ_HANDOVER_MAX_MESSAGE = 400,
  CQ_HANDOVER_MAX_CA = 1 << 20
};

typedef enum {
  CQ_HANDOVER_HELLO = 1,
  CQ_HANDOVER_SERVER = 2,
  CQ_HANDOVER_PULL = 3,
  CQ_HANDOVER_SUBMIT = 4,
  CQ_HANDOVER_BYTES = 5,
  CQ_HANDOVER_DONE = 6,
  CQ_HANDOVER_WANT = 17,
  CQ_HANDOVER_TAKEN = 18,
  CQ_HANDOVER_ANSWER = 19,
  CQ_HANDOVER_PULLED = 20,
  CQ_HANDOVER_END = 21
} cq_handover_type;

typedef enum { CQ_SERVER_OPENROSA = 1, CQ_SERVER_CENTRAL = 2, CQ_SERVER_KOBO = 3 } cq_server_kind;
const char *cq_server_kind_name(cq_server_kind kind); /* "openrosa", …; NULL for another value */
bool cq_server_kind_parse(cq_str name, cq_server_kind *kind);

/*
 * A server's address as people copy it, made plain: no slash, "/formList" or "/submission" at its end; "…/#/projects/3"
 * of Central's pages becomes "…/v1/projects/3"; the token of "…/v1/key/TOKEN/projects/3" goes to `secret`, emptied
 * first. Errors: openrosa.url; openrosa.clear (http to another machine: interviews would be readable on the way).
 */
cq_status cq_server_address(cq_buf *address, cq_buf *secret, cq_str typed, cq_error *error);

/* What became of one interview. */
typedef enum {
  CQ_DELIVERY_ACCEPTED = 1,
  CQ_DELIVERY_UNCLEAR = 16,
  CQ_DELIVERY_BUSY = 17,
  CQ_DELIVERY_FAULT = 18,
  CQ_DELIVERY_QUOTA = 19,
  CQ_DELIVERY_CLOSED = 20,
  CQ_DELIVERY_UNASSIGNED = 21,
  CQ_DELIVERY_FORM = 22,
  CQ_DELIVERY_DELETED = 23,
  CQ_DELIVERY_ORIGINAL = 24,
  CQ_DELIVERY_UNTRIED = 25,
  CQ_DELIVERY_CONFLICT = 32,
  CQ_DELIVERY_MALFORMED = 33,
  CQ_DELIVERY_LARGE = 34
} cq_delivery;
const char *cq_delivery_code(unsigned outcome); /* "openrosa.answer.…"; "openrosa.answer.unknown" */
bool cq_delivery_is_done(unsigned outcome);     /* 1 to 15 */
bool cq_delivery_is_refused(unsigned outcome);  /* from 32 */

typedef struct cq_handover_server {
  cq_server_kind kind;
  cq_str url, user, secret, ca;
  uint64_t bytes_per_second;
  uint32_t silence_seconds;
} cq_handover_server;

typedef struct cq_handover_file {
  cq_str name, media_type;
  uint64_t size;
  bool taken;
} cq_handover_file;

typedef struct cq_handover_submit {
  uint32_t number;
  cq_str form_id, form_version, xml;
  bool is_edit;
  const cq_handover_file *files;
  size_t file_count;
} cq_handover_submit;

typedef struct cq_handover_answer {
  uint32_t number;
  unsigned outcome; /* cq_delivery, or one that a later version knows */
  unsigned http;
  cq_str message;
} cq_handover_answer;

typedef struct cq_handover_pulled {
  uint32_t offered, forms, files, unchanged, failed;
} cq_handover_pulled;

/* --- writing the content of a frame into `out` (emptied first); the caller checks out->failed --- */
void cq_handover_put_hello(cq_buf *out);
void cq_handover_put_server(cq_buf *out, const cq_handover_server *server);
void cq_handover_put_text(cq_buf *out, cq_str folder); /* of a pull */
void cq_handover_put_submit(cq_buf *out, const cq_handover_submit *submit);
void cq_handover_put_want(cq_buf *out, size_t file);
void cq_handover_put_taken(cq_buf *out, uint32_t number, const uint16_t *files, size_t count);
void cq_handover_put_answer(cq_buf *out, const cq_handover_answer *answer);
void cq_handover_put_pulled(cq_buf *out, const cq_handover_pulled *pulled);
/* A fault of no number travels as openrosa.fault with its code as the argument. */
void cq_handover_put_end(cq_buf *out, const cq_error *fault /* NULL: none */);

/* --- reading it; what is read borrows the frame. Error of all: handover.malformed --- */
cq_status cq_handover_get_hello(cq_str frame, cq_error *error); /* handover.future too */
cq_status cq_handover_get_server(cq_handover_server *server, cq_str frame, cq_error *error);
cq_status cq_handover_get_text(cq_str *folder, cq_str frame, cq_error *error);
/* `files` has room for CQ_HANDOVER_MAX_FILES. */
cq_status cq_handover_get_submit(cq_handover_submit *submit, cq_handover_file *files, cq_str frame, cq_error *error);
cq_status cq_handover_get_want(size_t *file, cq_str frame, cq_error *error);
cq_status cq_handover_get_taken(uint32_t *number, uint16_t files[CQ_HANDOVER_MAX_FILES], size_t *count, cq_str frame,
                                cq_error *error);
cq_status cq_handover_get_answer(cq_handover_answer *answer, cq_str frame, cq_error *error);
cq_status cq_handover_get_pulled(cq_handover_pulled *pulled, cq_str frame, cq_error *error);
/* The fault as an error of this process, whose code is a literal again; code NULL: none. */
cq_status cq_handover_get_end(cq_error *fault, cq_str frame, cq_error *error);

/* --- the sockets --- */
/* Both wait, and go on after a signal. Errors: handover.broken (CQ_IO: the other end is gone), handover.malformed. */
cq_status cq_handover_send(int fd, cq_handover_type type, cq_str content, cq_error *error);
cq_status cq_handover_receive(int fd, cq_handover_type *type, cq_buf *content, cq_error *error);

#endif
