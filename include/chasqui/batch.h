/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: one signed, sealed file of typed entries, from a device to the desk
 * or from the desk to a device (docs/formats/batch.md).
 *
 * Without a key the header may be read and the signature verified; nothing in
 * it betrays how many entries there are or how long each is. The signature is
 * verified before anything sealed is looked at. The content is packed against
 * the blank forms of the bundle (by hash), padded, and sealed in chunks bound to
 * the header.
 */
#ifndef CHASQUI_BATCH_H
#define CHASQUI_BATCH_H

#include "chasqui/certificate.h"
#include "chasqui/record.h"

enum {
  CQ_BATCH_VERSION = 1,
  CQ_BATCH_MAX_SIZE = 64 << 20,     /* of the file */
  CQ_BATCH_MAX_CONTENT = 128 << 20, /* of all entries, unpacked */
  CQ_BATCH_MAX_ENTRIES = 100000,
  CQ_BATCH_MAX_RECIPIENTS = 8,
  CQ_BATCH_MAX_HEADER = 4096,
  CQ_BATCH_PART_SIZE = 16 << 20 /* an attachment larger than this goes in several parts */
};

typedef struct cq_batch_header {
  cq_mode mode;
  cq_programme_id programme;
  cq_device_id device; /* of the signing key */
  cq_sign_key sign;
  uint64_t number;        /* of this device, from 1, without gaps */
  cq_hash previous;       /* hash of the device's batch before; zero for number 1 */
  int64_t created_utc_ms; /* the device's clock */
  cq_date working_date;
  bool offset_known; /* device clock minus true time */
  int64_t offset_ms;
  size_t recipient_count;
  uint8_t recipient[CQ_BATCH_MAX_RECIPIENTS][8]; /* the first bytes of BLAKE2b-256 of each sealing key */
  cq_chain chain;                                /* count 0 until the certificate has come */
  bool has_request;
  cq_request request;
  uint32_t header_size; /* bytes */
  uint32_t file_size;
} cq_batch_header;

/* Whether the signer may be believed; the signature is right in each case. */
typedef enum {
  CQ_STANDING_CERTIFIED = 1,
  CQ_STANDING_UNKNOWN = 2, /* no certificate of ours: kept apart until a person approves the device */
  CQ_STANDING_REVOKED = 3  /* numbered after the last trusted one: kept apart */
} cq_standing;

/*
 * Reads the header from the first bytes of a file (CQ_BATCH_MAX_HEADER are
 * always enough); nothing is believed yet. Errors: batch.magic, batch.future,
 * batch.truncated, batch.damaged (with the offset).
 */
cq_status cq_batch_read_header(cq_batch_header *header, const void *bytes, size_t size, cq_error *error);

/*
 * Verifies a whole file: size, signature, programme, mode, certificate.
 * CQ_OK answers with the header, the file's hash and the standing. Errors, each
 * told apart: those of cq_batch_read_header, batch.size, batch.signature,
 * batch.programme, batch.mode. A certificate that is not right leaves the standing UNKNOWN and its code in *why
 * (a literal; NULL where all is well).
 */
cq_status cq_batch_verify(cq_batch_header *header, cq_hash *hash, cq_standing *standing, const char **why,
                          const void *bytes, size_t size, const cq_trust *trust, cq_error *error);

/* The same in pieces, for a post that receives 64 MiB with little memory. The header is verified when it is whole. */
typedef struct cq_batch_verifier cq_batch_verifier;
cq_batch_verifier *cq_batch_verifier_new(const cq_trust *trust); /* borrows; NULL where memory is out */
void cq_batch_verifier_free(cq_batch_verifier *verifier);
cq_status cq_batch_verifier_add(cq_batch_verifier *verifier, const void *bytes, size_t size, cq_error *error);
cq_status cq_batch_verifier_end(cq_batch_verifier *verifier, cq_batch_header *header, cq_hash *hash,
                                cq_standing *standing, const char **why, cq_error *error);

/* --- the blank forms, by hash --- */
/* Gives the XForm's bytes, borrowed until the next call (they are copied); CQ_NOTFOUND where it is unknown. */
typedef struct cq_batch_forms {
  cq_status (*find)(void *context, const cq_hash *form_hash, cq_str *xml);
  void *context;
} cq_batch_forms;

/*
 * What packing and opening reuse: compression contexts, dictionaries and the outlines of forms. One for many
 * batches; not for two threads at once.
 */
typedef struct cq_batch_codec cq_batch_codec;
/* `forms` may be NULL: then records travel without a dictionary, and those packed with one do not open. */
cq_batch_codec *cq_batch_codec_new(const cq_batch_forms *forms); /* NULL where memory is out */
void cq_batch_codec_free(cq_batch_codec *codec);

/* --- entries --- */
typedef enum {
  CQ_ENTRY_RECORD = 1,   /* bytes of cq_record_build */
  CQ_ENTRY_DRAFT = 2,    /* the same, result CQ_RESULT_DRAFT */
  CQ_ENTRY_PART = 3,     /* a part of an attachment, see cq_batch_add_part */
  CQ_ENTRY_REQUEST = 4,  /* a vault's recovery request, or another request to the desk; opaque bytes */
  CQ_ENTRY_DECISION = 5, /* an order (order.h) */
  CQ_ENTRY_LIST = 6,     /* a list for the recipient: cq_batch_add_list */
  CQ_ENTRY_BUNDLE = 7,
  CQ_ENTRY_RECEIPT = 8
} cq_batch_entry_kind;

typedef struct cq_batch_entry {
  cq_batch_entry_kind kind;
  cq_str bytes;     /* the entry; of a part: its bytes alone; of a list: the CSV */
  cq_hash name;     /* BLAKE2b-256 of `bytes`: a record's name; of a part: the hash of the whole attachment */
  cq_str list_name; /* of a list */
  uint64_t part_offset, part_total; /* of a part */
} cq_batch_entry;

/* --- writing --- */
typedef struct cq_batch_writer cq_batch_writer;
/* Borrows the codec until freed. */
cq_batch_writer *cq_batch_writer_new(cq_batch_codec *codec);
void cq_batch_writer_free(cq_batch_writer *writer);

/*
 * Entries are copied. batch.full (CQ_LIMIT): this one no longer fits, end the batch and begin another; nothing was
 * added. batch.entry.damaged: not what its kind should be. batch.large: larger than any batch.
 */
cq_status cq_batch_add(cq_batch_writer *writer, cq_batch_entry_kind kind, cq_str bytes, cq_error *error);
cq_status cq_batch_add_part(cq_batch_writer *writer, const cq_hash *attachment, uint64_t offset, uint64_t total,
                            cq_str bytes, cq_error *error);
cq_status cq_batch_add_list(cq_batch_writer *writer, cq_str name, cq_str csv, cq_error *error);
size_t cq_batch_count(const cq_batch_writer *writer);
size_t cq_batch_bytes(const cq_batch_writer *writer); /* unpacked, so far */

typedef struct cq_batch_sender {
  cq_mode mode;
  cq_programme_id programme;
  const cq_secret *sign;     /* the device's (or desk's) signing secret */
  const cq_chain *chain;     /* NULL until the certificate has come; then `request` is */
  const cq_request *request; /* NULL once certified; its signing key must be that of `sign` */
  uint64_t number;
  cq_hash previous;
  int64_t created_utc_ms;
  cq_date working_date;
  bool offset_known;
  int64_t offset_ms;
} cq_batch_sender;

/* What became of the bytes; for reports, and not for the header. */
typedef struct cq_batch_sizes {
  size_t file, header, padding; /* bytes */
  size_t audit;                 /* packed audit trails */
  size_t attachments;
  size_t entries;
} cq_batch_sizes;

/*
 * Packs, seals to each recipient, signs, and leaves the writer empty for the next batch. `out` is emptied first.
 * `sizes` may be NULL. A batch without entries is allowed (it carries a request, or shows that the device lives).
 * Errors: batch.sender (chain and request both or neither; a key that is not theirs), batch.recipients, batch.large,
 * batch.entry.foreign (a record of another programme or mode).
 */
cq_status cq_batch_end(cq_batch_writer *writer, const cq_batch_sender *sender, const cq_seal_key *recipients,
                       size_t recipient_count, const cq_random *random, cq_buf *out, cq_hash *hash,
                       cq_batch_sizes *sizes, cq_error *error);

/* --- opening --- */
typedef struct cq_batch_content cq_batch_content;
/*
 * Opens a file that cq_batch_verify found right (its header is given back to it: it is read again and must be the
 * same). `secret` is a sealing secret of one recipient. Errors: batch.recipient (not sealed to this key),
 * batch.unbound (sealed content that was not made for this header: re-sealed or re-signed), batch.content (authentic,
 * but not as it should be: with the offset), batch.form (packed against a form that is not known here; argument its
 * hash).
 */
cq_status cq_batch_open(cq_batch_content **content, cq_batch_codec *codec, const void *bytes, size_t size,
                        const cq_secret *secret, cq_error *error);
void cq_batch_content_free(cq_batch_content *content);
/* The next entry, borrowed until the content is freed; *entry.kind 0 at the end. Entries come in the order records,
 * drafts, then all others as added. Never fails: what a batch itself is was checked at opening; what an entry is, is
 * for its own reader (cq_record_parse, cq_order_read, …) to check. */
bool cq_batch_next(cq_batch_content *content, cq_batch_entry *entry);
const cq_batch_sizes *cq_batch_content_sizes(const cq_batch_content *content);

#endif
