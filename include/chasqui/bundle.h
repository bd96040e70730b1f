/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle: all that a programme tells its laptops, posts and desks, numbered
 * and signed by the programme key (docs/formats/bundle.md). File "NAME.chp".
 *
 * It is pinned by the programme's id (the hash of its first key, shown to
 * people as the fingerprint); a lower number never replaces a higher one; a new
 * programme key is announced by an older one inside the bundle.
 */
#ifndef CHASQUI_BUNDLE_H
#define CHASQUI_BUNDLE_H

#include "chasqui/certificate.h"
#include "chasqui/clock.h"

typedef enum {
  CQ_FORM_CURRENT = 1,  /* new interviews are begun with it */
  CQ_FORM_CLOSING = 2,  /* drafts may be finished, none begun */
  CQ_FORM_WITHDRAWN = 3 /* kept so that old records can be read */
} cq_form_status;
const char *cq_form_status_name(cq_form_status status);
bool cq_form_status_parse(cq_str name, cq_form_status *status);

enum {
  CQ_BUNDLE_MAX_SIZE = 32 << 20,
  CQ_BUNDLE_MAX_CONTENT = 128 << 20, /* unpacked */
  CQ_BUNDLE_MAX_FORMS = 256,
  CQ_BUNDLE_MAX_FILES = 1024,
  CQ_BUNDLE_MAX_DEVICES = 20000,
  CQ_BUNDLE_MAX_REVOCATIONS = 20000,
  CQ_BUNDLE_MAX_KEYS = 16,
  CQ_BUNDLE_MAX_ORDERS = 4096
};

typedef struct cq_bundle_form {
  cq_str id, version;
  cq_form_status status;
  cq_str xml;   /* the XForm */
  cq_hash hash; /* of `xml`; computed when built, checked when read */
} cq_bundle_form;

typedef struct cq_bundle_file {
  cq_str name;  /* "ccpp.csv", as forms name it; no slash */
  cq_str bytes; /* where sealed: wrapped under the invitation phrase, see cq_bundle_file_open */
  cq_hash hash; /* of `bytes`; computed */
  bool sealed;
} cq_bundle_file;

typedef struct cq_bundle_order {
  cq_str bytes;
} cq_bundle_order;

typedef struct cq_bundle_content {
  cq_mode mode;
  cq_programme_id programme; /* computed when built */
  cq_sign_key first_key;     /* its hash is the programme's id */
  uint64_t number;           /* from 1 */
  int64_t issued_utc_ms;
  const uint8_t (*key_certificates)[CQ_CERTIFICATE_SIZE]; /* CQ_ROLE_PROGRAMME, each signed by one before it */
  size_t key_certificate_count;
  cq_seal_key desk; /* batches are sealed to these two */
  cq_seal_key batch_recovery;
  cq_seal_key vault_recovery; /* vaults' recovery slots */
  cq_chain desk_chain;        /* the desk's certificate */
  const cq_chain *posts;      /* posts' certificates */
  size_t post_count;          /* at most 16 */
  cq_str programme_json;
  cq_str calendar; /* CSV; may be empty */
  const cq_bundle_form *forms;
  size_t form_count;
  const cq_bundle_file *files; /* lists and media */
  size_t file_count;
  const cq_chain *devices; /* every certified device */
  size_t device_count;
  const cq_revocation *revocations;
  size_t revocation_count;
  const cq_bundle_order *orders; /* that devices and posts must obey */
  size_t order_count;
} cq_bundle_content;

/*
 * Appends the signed bundle. `programme_secret` is any programme key that counts. Errors: bundle.field (argument
 * which), bundle.key (not a key of this programme), bundle.large.
 */
cq_status cq_bundle_build(cq_buf *out, const cq_bundle_content *content, const cq_secret *programme_secret,
                          cq_error *error);

typedef struct cq_bundle cq_bundle;
/*
 * Verifies and reads; copies what it needs of `bytes`. With `programme` NULL the bundle is believed on its own word:
 * the caller shows cq_bundle_fingerprint to a person before using it (join). Errors: bundle.magic, bundle.future,
 * bundle.truncated, bundle.damaged, bundle.signature, bundle.key (signed by no key of the programme), bundle.programme
 * (another programme than the pinned one), bundle.large.
 */
cq_status cq_bundle_read(cq_bundle **bundle, const void *bytes, size_t size, const cq_programme_id *programme,
                         cq_error *error);
void cq_bundle_free(cq_bundle *bundle); /* NULL is fine */

/*
 * Whether `next` may replace `current`: same programme and mode, a higher number, signed by a key that `current`
 * trusts or that one of those announced. Errors: bundle.programme, bundle.mode, bundle.older (arguments: both
 * numbers), bundle.key. The same number with the same bytes is CQ_OK with *newer false; with other bytes bundle.forked.
 */
cq_status cq_bundle_succeeds(const cq_bundle *next, const cq_bundle *current, bool *newer, cq_error *error);

const cq_bundle_content *cq_bundle_content_of(const cq_bundle *bundle);
const cq_trust *cq_bundle_trust(const cq_bundle *bundle);
cq_hash cq_bundle_hash(const cq_bundle *bundle); /* of the file */
char *cq_bundle_fingerprint(const cq_bundle *bundle, char out[CQ_FINGERPRINT_SIZE]);
/* NULL where it is not there. */
const cq_bundle_form *cq_bundle_form_by_hash(const cq_bundle *bundle, const cq_hash *hash);
const cq_bundle_form *cq_bundle_form_current(const cq_bundle *bundle, cq_str id); /* the current version */
const cq_bundle_file *cq_bundle_file_named(const cq_bundle *bundle, cq_str name);
const cq_chain *cq_bundle_device(const cq_bundle *bundle, const cq_device_id *device);

/* A file sealed under the invitation phrase: into and out of its bytes. Opening fails with keys.phrase.wrong. */
cq_status cq_bundle_file_seal(cq_buf *out, cq_str plain, cq_str phrase, cq_cost cost, const cq_random *random,
                              cq_error *error);
cq_status cq_bundle_file_open(cq_buf *out, const cq_bundle_file *file, cq_str phrase, cq_error *error);

/*
 * --- programme.json: what an author writes and `chasqui-central publish` reads (docs/formats/bundle.md) ---
 * Borrowed texts live as long as the programme. At most 1 MiB, 16 levels.
 */
typedef struct cq_programme_form {
  cq_str file; /* .xml, .xlsx or .xls, relative to the programme's folder, no ".." */
  cq_form_status status;
} cq_programme_form;
typedef struct cq_programme_file {
  cq_str name, file;
  bool sealed; /* under the invitation phrase */
} cq_programme_file;
typedef struct cq_programme_title {
  cq_str language, text;
} cq_programme_title;
typedef struct cq_programme {
  cq_str code; /* [a-z][a-z0-9_-]{0,31}; names files */
  const cq_programme_title *titles;
  size_t title_count;
  const cq_str *languages; /* of the forms, in the order of preference */
  size_t language_count;
  cq_str time_zone;     /* "America/Lima" */
  cq_str calendar;      /* file; may be empty */
  cq_date starts, ends; /* first and last day; year 0: not said */
  cq_str indicators;    /* file; may be empty */
  cq_str prices;        /* file; may be empty */
  int keep_days;        /* how long a laptop keeps what the desk has opened; 0: until a technician purges it */
  const cq_str *posts;  /* https:// (or http:// on loopback) URLs, at most 16 */
  size_t post_count;
  const cq_programme_form *forms;
  size_t form_count;
  const cq_programme_file *files; /* lists and media */
  size_t file_count;
} cq_programme;

/*
 * `strict` (publish): an unknown key is refused, programme.key (argument the key and where). Otherwise (a bundle made
 * by a newer desk) it is passed over. Errors: programme.json (with line and column), programme.field, programme.large.
 * The caller frees with cq_programme_free.
 */
cq_status cq_programme_parse(cq_programme **programme, cq_str json, bool strict, cq_error *error);
void cq_programme_free(cq_programme *programme);

/* Whether JSON of a bundle (programme.json, tables.json) nests more than 16 levels; asked before it is parsed, so that
 * a hostile text cannot exhaust the stack. */
bool cq_bundle_json_deep(cq_str json);
cq_str cq_programme_title_in(const cq_programme *programme, cq_str language); /* that language's, else the first */

#endif
