/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of a home, and the files that travel between them.
 *
 *   laptop: <home>/<programme>.vault, outbox/ (the collector alone writes:
 *           *.chq and programme.chp), inbox/ (the courier alone writes),
 *           sync/ (the courier's remotes and status.json)
 *   post:   post.db, batches/, bundles/
 *   desk:   desk.vault, inbox/, outbox/, offline/
 *
 * Every file is written whole (temporary file, fsync, rename, fsync of the
 * folder) and named after its content, so that the same thing twice is one file
 * and FAT sticks do no harm: lower case, no colon, at most 64 signs.
 */
#ifndef CHASQUI_OUTBOX_H
#define CHASQUI_OUTBOX_H

#include "chasqui/keys.h"

/* What a file is, by its first bytes. */
typedef enum {
  CQ_PARCEL_NONE = 0,    /* not one of ours */
  CQ_PARCEL_BATCH = 1,   /* DEVICE-NUMBER-HASH8.chq */
  CQ_PARCEL_BUNDLE = 2,  /* NAME.chp; in folders of others programme-NUMBER-HASH8.chp */
  CQ_PARCEL_RECEIPT = 3, /* DEVICE-HASH8.chr */
  CQ_PARCEL_CHAIN = 4,   /* a certificate: DEVICE-HASH8.chc */
  CQ_PARCEL_ORDER = 5,   /* HASH16.cho */
  CQ_PARCEL_KEY = 6      /* a key file: never carried */
} cq_parcel_kind;
cq_parcel_kind cq_parcel_kind_of(const void *bytes, size_t size); /* 8 bytes are enough */
const char *cq_parcel_extension(cq_parcel_kind kind);             /* ".chq"; NULL for none */

typedef struct cq_parcel {
  cq_parcel_kind kind;   /* by the file's name */
  char name[96];         /* of the file */
  cq_device_id device;   /* batch, receipt, chain; else zero */
  uint64_t number;       /* batch, bundle */
  uint8_t hash_start[4]; /* the first bytes of the file's hash (orders: its name), as in the file's name */
  uint64_t size;         /* bytes */
} cq_parcel;

/* The name a batch's file must have: 32 hexadecimal digits, the number in 8 decimal digits or more, 8 hexadecimal. */
void cq_batch_file_name(char out[96], const cq_device_id *device, uint64_t number, const cq_hash *hash);
void cq_parcel_file_name(char out[96], cq_parcel_kind kind, const cq_device_id *device /* NULL */, uint64_t number,
                         const cq_hash *hash);
bool cq_parcel_name_parse(cq_parcel *parcel, cq_str name); /* size stays 0; false: not a name of ours */

/*
 * All files of a folder with names of ours (temporary and foreign ones are passed over), batches by device and number
 * first, the rest by name. A folder that is not there is an empty list. The caller frees *parcels with free(). At most
 * 1,000,000: outbox.many.
 */
cq_status cq_parcel_list(cq_parcel **parcels, size_t *count, const char *folder, cq_error *error);

/*
 * Writes durably; a file of that name with the same bytes is left, with others (it was torn or changed) replaced.
 * `path` (NULL or emptied first) gets where it stands. Errors: those of cq_file_replace.
 */
cq_status cq_parcel_write(const char *folder, const char *name, const void *bytes, size_t size, bool *written,
                          cq_buf *path, cq_error *error);
/* Whether the file is there whole: size and hash (NULL: the size alone, which reads nothing). One that is not is told
 * by *right false (not an error). */
cq_status cq_parcel_check(const char *folder, const char *name, uint64_t size, const cq_hash *hash, bool *right,
                          cq_error *error);

/* "<home>/outbox" and the like into `out` (emptied first). */
typedef enum {
  CQ_FOLDER_OUTBOX,
  CQ_FOLDER_INBOX,
  CQ_FOLDER_SYNC,
  CQ_FOLDER_BATCHES,
  CQ_FOLDER_BUNDLES,
  CQ_FOLDER_OFFLINE
} cq_folder;
cq_status cq_home_path(cq_buf *out, const char *home, cq_folder folder, cq_error *error);
/* As _path, and the folder is made. */
cq_status cq_home_folder(cq_buf *out, const char *home, cq_folder folder, cq_error *error);
/*
 * How far this machine's clock is from the true time (device minus true), as the courier of this home measured it in a
 * signed answer of a post and noted it in sync/status.json. False where none was measured in the 30 days before
 * `now_utc_ms`, the device's clock now: an older one says nothing, as the clock may have been set since.
 */
bool cq_home_clock_offset(const char *home, int64_t now_utc_ms, int64_t *offset_ms);

#define CQ_BUNDLE_FILE "programme.chp" /* the current bundle in a laptop's outbox, for its courier */

#endif
