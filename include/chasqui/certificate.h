/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates: who may sign what in a programme (docs/formats/receipt.md,
 * section Certificates). A chain has one or two links: programme → device, or
 * programme → coordinator → device; the same for a post and a desk. A header of
 * its own because batches, bundles, receipts and orders all rest on it.
 */
#ifndef CHASQUI_CERTIFICATE_H
#define CHASQUI_CERTIFICATE_H

#include "chasqui/keys.h"

typedef enum {
  CQ_ROLE_PROGRAMME = 1,   /* a new programme key, announced by an older one */
  CQ_ROLE_COORDINATOR = 2, /* may certify devices, and sign orders */
  CQ_ROLE_DEVICE = 3,      /* may sign batches */
  CQ_ROLE_POST = 4,        /* may sign hellos and receipts "kept" */
  CQ_ROLE_DESK = 5         /* may sign receipts "opened", orders, and batches to devices */
} cq_role;
const char *cq_role_name(cq_role role); /* "programme", "coordinator", …; NULL for another value */

typedef struct cq_certificate {
  cq_mode mode;
  cq_role role;
  cq_programme_id programme;
  cq_sign_key sign;
  cq_seal_key seal; /* devices and desks; else zero */
  int64_t issued_utc_ms;
  uint8_t issuer[8]; /* the first bytes of the id of the issuer's key */
} cq_certificate;

enum { CQ_CERTIFICATE_SIZE = 164, CQ_CHAIN_LINKS = 2 };

/* Bytes as they travel: coordinator first where there is one. */
typedef struct cq_chain {
  size_t count; /* 0 to CQ_CHAIN_LINKS */
  uint8_t link[CQ_CHAIN_LINKS][CQ_CERTIFICATE_SIZE];
} cq_chain;

typedef struct cq_revocation {
  cq_device_id key;      /* id of the device's (or coordinator's, post's, desk's) signing key */
  uint64_t last_trusted; /* number of the last batch that may be merged; 0: none */
  int64_t revoked_utc_ms;
} cq_revocation;

/* What a verifier believes; borrowed from a bundle (cq_bundle_trust) or made by hand. */
typedef struct cq_trust {
  cq_mode mode;
  cq_programme_id programme;
  const cq_sign_key *keys; /* programme keys that count, the newest last */
  size_t key_count;
  const cq_revocation *revocations;
  size_t revocation_count;
} cq_trust;

/* `issuer` is filled in from the secret. Errors: keys.secret.size. */
cq_status cq_certificate_issue(uint8_t out[CQ_CERTIFICATE_SIZE], const cq_certificate *certificate,
                               const cq_secret *issuer_secret, cq_error *error);
/* The fields alone, nothing believed. Errors: certificate.damaged, certificate.future. */
cq_status cq_certificate_read(cq_certificate *certificate, const void *bytes, size_t size, cq_error *error);

/* A chain of one link, or of two with the coordinator's. */
cq_chain cq_chain_of(const uint8_t *coordinator /* NULL */, const uint8_t *last);
/*
 * Checks the chain up to a trusted programme key and fills in its last link.
 * `role` is what that link must be. Errors: certificate.damaged, certificate.future,
 * certificate.mode, certificate.programme, certificate.role, certificate.issuer (nobody
 * we trust), certificate.signature, certificate.revoked (a coordinator, post or desk; a
 * device's revocation counts by batch number and is told by cq_batch_verify).
 */
cq_status cq_chain_check(cq_certificate *last, const cq_chain *chain, cq_role role, const cq_trust *trust,
                         cq_error *error);
/* NULL where that key is not revoked. */
const cq_revocation *cq_trust_revocation(const cq_trust *trust, const cq_device_id *key);

/*
 * A chain as a file that brings a device its certificate home (".chc"): the
 * chain alone, count first. Size 1 + count × CQ_CERTIFICATE_SIZE.
 */
void cq_chain_write(cq_buf *out, const cq_chain *chain);
cq_status cq_chain_read(cq_chain *chain, const void *bytes, size_t size, cq_error *error);

/*
 * A device's request for a certificate: in the header of its batches until the
 * certificate has come, and signed with them. The first batch of a laptop, which
 * may hold nothing else, serves as a file that asks before it leaves the office.
 */
enum { CQ_REQUEST_NOTE_LIMIT = 240 };
typedef struct cq_request {
  cq_sign_key sign;
  cq_seal_key seal;
  bool has_predecessor; /* restored, copied or reinstalled: a new device that names the one before */
  cq_device_id predecessor;
  uint64_t predecessor_number; /* the last batch of it that this vault knows */
  /* A line for whoever approves ("laptop 3, Puno"), sealed to the desk; purpose CQ_REQUEST_PURPOSE. May be empty. */
  uint16_t note_size;
  uint8_t note[CQ_REQUEST_NOTE_LIMIT];
} cq_request;
#define CQ_REQUEST_PURPOSE "chasqui request note 1"

#endif
