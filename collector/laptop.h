/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A laptop at work: its open vault, the bundle in force, the device's keys and
 * the technician who opened it. Screen, line mode and verbs stand on it.
 * A home holds one vault, so one programme in one mode.
 */
#ifndef CHASQUI_COLLECTOR_LAPTOP_H
#define CHASQUI_COLLECTOR_LAPTOP_H

#include "chasqui/bundle.h"
#include "chasqui/cli.h"
#include "chasqui/outbox.h"
#include "chasqui/receipt.h"
#include "chasqui/record.h"
#include "chasqui/sheet.h"
#include "chasqui/store.h"

/* What tests fix and programs leave NULL. */
typedef struct cq_laptop_setup {
  const cq_clock *clock;   /* NULL: the system's */
  const cq_random *random; /* NULL: the system's */
  cq_vault_options vault;
  size_t attachment_bytes; /* of attachments in one batch, at most; 0: 16 MiB */
} cq_laptop_setup;

/* People whom this laptop may know by name: names.h. */
typedef struct cq_names {
  cq_arena *arena;
  cq_sheet_person *persons; /* by id */
  size_t count;
  uint64_t number; /* of the sheet; 0: none came yet */
  int64_t made_utc_ms;
} cq_names;

/* An order to erase that was obeyed here: the desk is told so, and the batches that held what it erases may go. */
typedef struct cq_obeyed {
  cq_hash order;
  uint32_t held; /* of its targets, in this vault */
  cq_hash *batches;
  size_t batch_count;
} cq_obeyed;

typedef struct cq_laptop {
  char *home, *vault_path;
  cq_store *store;
  cq_bundle *bundle;
  cq_programme *programme;
  cq_secret *sign, *seal;
  cq_sign_key sign_key;
  cq_seal_key seal_key;
  cq_chain chain; /* count 0 until the certificate has come */
  cq_store_device device;
  char technician[CQ_VAULT_LABEL_MAX + 1];
  uint32_t slot; /* the technician's */
  const cq_clock *clock;
  const cq_random *random;
  cq_vault_options vault_options;
  cq_names names;
  size_t attachment_bytes; /* of attachments in one batch, at most */
  cq_date working_date;    /* confirmed by the technician; year 0: the clock is believed */
  cq_obeyed *obeyed;       /* as they were found in the bundle in force and the inbox */
  size_t obeyed_count;
} cq_laptop;

/* The path of the home's vault. CQ_NOTFOUND "collector.home.empty" (argument the home); "collector.home.many". */
cq_status cq_laptop_vault(cq_buf *path, const char *home, cq_error *error);

/* Opens the vault of a home; what lies in the inbox is for cq_laptop_receive. Errors: those above, of vault.h, store.h
 * and bundle.h. `*laptop` is zeroed first; the caller ends it with _close. */
cq_status cq_laptop_open(cq_laptop *laptop, const char *home, cq_str passphrase, const cq_laptop_setup *setup,
                         cq_error *error);
void cq_laptop_close(cq_laptop *laptop);

/*
 * A new vault in a home from a bundle that a person has agreed to: the first technician, the device's keys, the bundle
 * in force and the first batch with the certificate request. Either all is there or nothing. `phrase` opens the sealed
 * lists (empty: they are left out). Errors: collector.home.taken, those of vault.h and store.h, keys.phrase.wrong.
 */
cq_status cq_laptop_join(const cq_bundle *bundle, cq_str bundle_bytes, const char *home, const char *technician,
                         cq_str passphrase, cq_str phrase, const cq_laptop_setup *setup, cq_error *error);

/*
 * The copy that `copy` means, a file or a folder with one vault in it, for a home without a vault. Errors:
 * collector.restore.taken, collector.restore.none and collector.restore.many (vaults in that folder), io.open.
 */
cq_status cq_laptop_find_copy(cq_buf *path, const char *copy, const char *home, cq_error *error);
/*
 * The vault of a home that has none, from a copy made by cq_vault_backup, which stays as it is. All of it is read and
 * checked before it stands in the home. It goes on as a new device that names the one before, with the programme's
 * bundle and its certificate request in the outbox. Either all is there or nothing. `watcher` as for cq_vault_watch.
 * Errors: those of _find_copy, vault.h and store.h.
 */
cq_status cq_laptop_restore(const char *copy, const char *home, cq_str passphrase, const cq_laptop_setup *setup,
                            cq_vault_watcher *watcher, void *context, cq_error *error);

/*
 * Whether the clock can't be right: it runs before the last record, the bundle in force, or the last time this vault
 * was open. *least: the earliest day it can be. The technician then confirms a working date, which feeds today().
 */
cq_status cq_laptop_clock_doubtful(cq_laptop *laptop, bool *doubtful, cq_date *least, cq_error *error);
/* The technician's word, put on record. Error: collector.date (before the earliest day it can be). */
cq_status cq_laptop_confirm_date(cq_laptop *laptop, cq_date date, cq_error *error);
/* The working date where there is one, else the clock's day. */
cq_date cq_laptop_today(const cq_laptop *laptop);

bool cq_laptop_practice(const cq_laptop *laptop);
/* The programme's name in the language of the messages. */
cq_str cq_laptop_title(const cq_laptop *laptop);

/* The bundle becomes the one in force: in the store and, as programme.chp, in the outbox. Without a phrase the one that
 * the laptop joined with is used; a sealed list that it does not open stays as it was. */
cq_status cq_laptop_adopt(cq_store *store, const char *home, const cq_bundle *bundle, cq_str bytes, cq_str phrase,
                          cq_error *error);

/* --- inbox.c --- */

enum { CQ_INBOX_TOLD = 16 };
typedef struct cq_inbox_report {
  size_t bundles, certificates, receipts, erased, sheets; /* that told something new */
  size_t others;                                          /* contact sheets that are sealed to other laptops */
  size_t refused;                                         /* files that are not right */
  cq_error why[CQ_INBOX_TOLD];                            /* of the first of those, each with its file */
} cq_inbox_report;
/* Applies what the courier has brought: bundles, the certificate, receipts, orders. A file that is not right is counted
 * and left; the rest goes on. */
cq_status cq_laptop_receive(cq_laptop *laptop, cq_inbox_report *report, cq_error *error);

/* --- salvage.c --- */
/* What is readable of a damaged vault, into a new one under the same passphrase that is whole in its one file. On
 * failure nothing is left of it. Errors: those of vault.h and cq_store_salvage. */
cq_status cq_laptop_salvage(const char *damaged, const char *into, cq_str passphrase, const cq_vault_options *options,
                            cq_store_salvaged *found, cq_error *error);

/* --- pack.c --- */
typedef struct cq_pack_report {
  size_t records, drafts;    /* packed */
  size_t words;              /* of orders to erase that were obeyed */
  size_t attachments;        /* of which the last part was packed */
  size_t damaged;            /* attachments that cannot be read in the vault */
  size_t batches, rewritten; /* made; files written again */
  uint64_t bytes;            /* of the batches made */
  uint64_t left;             /* bytes of attachments that `watch` left for later */
} cq_pack_report;
/* Asked before each part of an attachment, with the bytes of attachments packed and of all that waited; false: what is
 * left is packed another time. */
typedef struct cq_pack_watch {
  bool (*go_on)(void *context, uint64_t done, uint64_t total);
  void *context;
  /* While somebody waits to go on with the next interview, of the files that stand in the outbox the size is looked at
   * and not every byte: on leaving, and with the verb pack, that is done. */
  bool in_between;
} cq_pack_watch;
/* Packs what waits into batches and writes their files; also those that are missing. Attachments come after all
 * records, in batches of their own, the smallest first; a large one spans several. Drafts that changed since they were
 * last packed go as snapshots, so that a stolen laptop takes no answers with it. What was obeyed of orders to erase is
 * told once, and then the batches that they name go from here. `watch` may be NULL. */
cq_status cq_laptop_pack(cq_laptop *laptop, const cq_pack_watch *watch, cq_pack_report *report, cq_error *error);

/* --- purge.c --- */
/* Takes files of batches out of the outbox whose bytes the vault has let go of. */
cq_status cq_laptop_remove_files(cq_laptop *laptop, cq_error *error);

#endif
