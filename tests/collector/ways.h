/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of filling in a form, for tests: by a file of answers, by lines, by keys on a recorded screen. */
#ifndef TESTS_COLLECTOR_WAYS_H
#define TESTS_COLLECTOR_WAYS_H

#include "collector/filling.h"
#include "collector/pages/app.h"
#include "tests/collector/office.h"

/* Compiles an XLSForm of the project into a form of a bundle; the caller frees the bytes. */
cq_bundle_form way_form(const char *path, const char *id, cq_buf *xml);
void way_open(office *office, cq_laptop *laptop);

/* Each fills in the bundle's first form and finishes it as complete. */
void way_answers(office *office, const char *answers_path);
void way_lines(office *office, const char *lines);
/* Keys on a screen of that size, `watch` as of the recorder (may be NULL). */
void way_keys(office *office, const char *keys, int rows, int columns, void (*watch)(void *context, cq_key key),
              void *context);

/* Keys of a script, of which a name in <> is one; and what is left of it after n of them. */
long way_key_count(const char *script);
const char *way_after_keys(const char *script, long n);

/* The newest record's instance XML; answers its result, -1 where there is none. */
int way_record(office *office, cq_buf *xml);

#endif
