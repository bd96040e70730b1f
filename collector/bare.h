/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture without what the camera wrote beside it. A photo of a house tells
 * by GPS where the house stands, and by a serial number whose camera it was;
 * neither is an answer to the question. Of JPEG and PNG only what draws the
 * picture stays: of JPEG frames, tables, scans, JFIF, Adobe and the colour
 * profile, and of EXIF the orientation alone; of PNG the critical chunks and
 * those of colour, transparency and animation. What stands behind the
 * picture's end goes too. Nothing is decoded, so the picture stays the same.
 * Sources: ITU T.81 annex B; Exif 2.3, 4.5 and 4.6; PNG third edition, 5.
 *
 * Bytes that are no such picture go through as they are from where they cease
 * to be one: whether a file is whole is not asked here.
 */
#ifndef CHASQUI_COLLECTOR_BARE_H
#define CHASQUI_COLLECTOR_BARE_H

#include "chasqui/store.h"

typedef struct cq_bare cq_bare;

/* Before another reader, whose context is borrowed. Other types than image/jpeg and image/png are passed through. NULL:
 * out of memory. */
cq_bare *cq_bare_new(const char *media_type, cq_store_reader *read, void *context);
void cq_bare_free(cq_bare *bare);
/* A cq_store_reader, of which the cq_bare is the context. */
int64_t cq_bare_read(void *bare, void *out, size_t size);

#endif
