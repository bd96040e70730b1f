/* SPDX-License-Identifier: Apache-2.0 */
/* An invented programme's office: it makes bundles for laptops in temporary homes. */
#ifndef TESTS_COLLECTOR_OFFICE_H
#define TESTS_COLLECTOR_OFFICE_H

#include "collector/laptop.h"

struct fixture; /* tests/batch/fixture.h */

typedef struct office {
  struct fixture *keys;
  cq_random random;
  cq_bundle_form *forms;
  size_t form_count;
  cq_bundle_file *files; /* lists; set before joining */
  size_t file_count;
  char home[256]; /* of a laptop: an empty folder of its own */
  cq_clock_fixed at;
  cq_clock clock;
  cq_laptop_setup setup;
  const char *notices; /* what the screen begins with; NULL: none */
  cq_str phrase;       /* where there is one, bundles bring contactos.csv sealed under it, and laptops join with it */
} office;

#define OFFICE_PASSPHRASE "quinua oca mashua 77"

/* `forms` are borrowed. */
office *office_new(cq_mode mode, cq_bundle_form *forms, size_t form_count);
void office_free(office *office); /* removes the home */
/* A signed bundle with that number; `devices` may be NULL. */
void office_bundle(office *office, uint64_t number, const cq_chain *devices, size_t device_count, cq_buf *out);
/* The laptop joins with bundle 1; aborts where it can't. */
void office_join(office *office);
/* Puts a file into the laptop's inbox, as its courier does. */
void office_bring(office *office, cq_parcel_kind kind, const void *bytes, size_t size);
/* Reads the n-th batch file of the outbox; false: there are fewer. */
bool office_batch(office *office, size_t n, cq_buf *bytes);

#endif
