/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of file some bytes are: by their first ones, and by the name's ending where those don't tell. */
#ifndef CHASQUI_COLLECTOR_MEDIA_H
#define CHASQUI_COLLECTOR_MEDIA_H

#include "chasqui/str.h"

enum { CQ_MEDIA_HEAD = 64 /* bytes of a file that are looked at */ };

typedef struct cq_media {
  const char *type;   /* "image/jpeg"; "application/octet-stream" where it is not known */
  const char *ending; /* of a file's name: "jpg"; never one that a person made up */
  const char *words;  /* for people: "JPEG image"; not translated yet */
} cq_media;

/*
 * `wanted`: what the question asks for ("image/" + "*" and the like, several with commas or blanks between); a
 * container that may hold sound or pictures is taken for what is wanted. `name` is the file's, of which the ending is
 * used.
 */
cq_media cq_media_of(cq_str head, cq_str name, cq_str wanted);
/* By the ending of a name that cq_media_of gave. */
cq_media cq_media_named(cq_str name);
/* Whether a question that asks for `wanted` takes that type. "application/" + "*", as type file has it, takes all. */
bool cq_media_fits(cq_str wanted, const char *type);

#endif
