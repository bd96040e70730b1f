/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encrypted SQLite file: key slots and the VFS shim. Bytes and limits:
 * docs/formats/vault.md; what it protects against: docs/security.md.
 *
 * A vault is `path` and, while it is open or after a crash, `path`-log. Both
 * hold nothing readable. SQLite runs over the shim in WAL mode with exclusive
 * locking and synchronous=FULL, secure_delete on and temporary data in memory,
 * so one process holds a vault at a time and no other file appears.
 *
 * Not thread-safe: one vault belongs to one thread at a time. Passphrases are
 * bytes; they are not kept. Keys stand in locked memory and are wiped.
 */
#ifndef CHASQUI_VAULT_H
#define CHASQUI_VAULT_H

#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

typedef struct cq_vault cq_vault;

enum {
  CQ_VAULT_KEY_SIZE = 32, /* an X25519 public or secret key */
  CQ_VAULT_ID_SIZE = 32,
  CQ_VAULT_MAX_SLOTS = 16,
  CQ_VAULT_LABEL_MAX = 47,           /* bytes of a slot's label, UTF-8 */
  CQ_VAULT_PASSPHRASE_MIN = 10,      /* code points */
  CQ_VAULT_PASSPHRASE_MAX = 1024,    /* bytes */
  CQ_VAULT_REQUEST_MAX = 4096,       /* bytes of a recovery request or answer */
  CQ_VAULT_MAX_PASSES = 32,          /* Argon2id, before use: a larger number in a file is refused */
  CQ_VAULT_MAX_MEMORY_KIB = 1 << 20, /* 1 GiB, likewise */
};

/* What one try at a passphrase costs (Argon2id). Zeroes: measured on this machine, about half a second. */
typedef struct cq_vault_effort {
  uint32_t passes;
  uint32_t memory_kib;
} cq_vault_effort;
/* The least there is, for tests. */
#define CQ_VAULT_EFFORT_LEAST ((cq_vault_effort){1, 8})

/* What programs leave NULL and tests fix. */
typedef struct cq_vault_options {
  const cq_random *random; /* NULL: the system's */
  cq_vault_effort effort;  /* of passphrases set */
  const char *below;       /* name of the SQLite VFS under the shim; NULL: the system's default */
} cq_vault_options;

/* Process-wide, called first by every program that opens vaults: no core dumps, no tracing by other processes of the
 * same user, and SQLite wipes what it frees. Errors: vault.harden. */
cq_status cq_vault_harden(cq_error *error);

/* --- open and close --- */

/*
 * Makes a vault that is not there yet, with one technician's slot and one slot for
 * each recovery key (X25519 public keys, pinned by the programme), and opens
 * it. The file appears whole or not at all.
 * Errors: those of cq_vault_passphrase_check, io.exists (also of a log that is not of this vault), io.*, vault.label,
 * vault.recovery.key.
 */
cq_status cq_vault_create(cq_vault **vault, const char *path, cq_str passphrase, const char *label,
                          const uint8_t (*recovery)[CQ_VAULT_KEY_SIZE], size_t recoveries,
                          const cq_vault_options *options, cq_error *error);

/*
 * Errors: vault.missing, vault.notvault, vault.version (CQ_FUTURE), vault.passphrase.wrong (CQ_REFUSED), vault.busy
 * (another process holds it), vault.damaged.header, vault.damaged.page, io.*.
 */
cq_status cq_vault_open(cq_vault **vault, const char *path, cq_str passphrase, const cq_vault_options *options,
                        cq_error *error);
void cq_vault_close(cq_vault *vault); /* NULL is fine; wipes the keys */
/*
 * Brings the log into the file, so that the file alone is whole: for one that is to be moved, renamed or carried away
 * after closing. Closing does the same but cannot say that there was no room; the log then stays beside the file, and
 * nothing is lost as long as they stay together. No statement may be open. Errors: vault.full, vault.busy, vault.io.
 */
cq_status cq_vault_settle(cq_vault *vault, cq_error *error);

/* Idle lock: wipes the keys now. All that remains is cq_vault_close; then open again with a passphrase. Nothing that
 * was committed is lost. */
void cq_vault_lock(cq_vault *vault);

/* The connection, borrowed until close, lock or rotation. NULL after cq_vault_lock. The caller must not change the
 * pragmas named above. */
struct sqlite3 *cq_vault_db(cq_vault *vault);
const char *cq_vault_path(const cq_vault *vault);
/* Names this file; a backup copy has another, a rotated one the same. */
const uint8_t *cq_vault_id(const cq_vault *vault);
/* Turns a result code of SQLite on this vault into a status and code: vault.full, vault.busy, vault.damaged.page,
 * vault.stopped (a sync failed: nothing is written until reopened), vault.locked, vault.sqlite. */
cq_status cq_vault_error(cq_vault *vault, int sqlite_code, cq_error *error);

/* How the log was found at open. Tell the person where it is not CLEAN. */
typedef enum cq_vault_log {
  CQ_VAULT_LOG_CLEAN,
  CQ_VAULT_LOG_TORN,   /* ends in an unfinished write, as a power cut leaves it, with all that was accepted; damage to
                          the very last step looks the same: ask the person to look at the last answer */
  CQ_VAULT_LOG_DAMAGED /* whole steps after the break cannot be read: accepted answers may be lost */
} cq_vault_log;
cq_vault_log cq_vault_log_found(const cq_vault *vault);

/* --- passphrases and slots --- */

/* Errors (CQ_REFUSED): vault.passphrase.short, .long, .simple (few different characters, a run, or digits only),
 * .common, .label (holds the person's own label). */
cq_status cq_vault_passphrase_check(cq_str passphrase, const char *label, cq_error *error);

typedef enum cq_vault_slot_type { CQ_VAULT_TECHNICIAN = 1, CQ_VAULT_RECOVERY = 2 } cq_vault_slot_type;
typedef struct cq_vault_slot {
  uint32_t id;
  cq_vault_slot_type type;
  char label[CQ_VAULT_LABEL_MAX + 1];
  bool opened_this; /* the slot this handle was opened with */
  uint8_t public_key[CQ_VAULT_KEY_SIZE];
} cq_vault_slot;
/* Writes at most CQ_VAULT_MAX_SLOTS; returns how many. */
size_t cq_vault_slots(const cq_vault *vault, cq_vault_slot slots[CQ_VAULT_MAX_SLOTS]);

/* A technician more. Errors: as create; vault.slots.full, vault.label.taken, vault.passphrase.taken. */
cq_status cq_vault_add_technician(cq_vault *vault, cq_str passphrase, const char *label, uint32_t *slot,
                                  cq_error *error);
/* A recovery key more. */
cq_status cq_vault_add_recovery(cq_vault *vault, const uint8_t key[CQ_VAULT_KEY_SIZE], const char *label,
                                cq_error *error);
/* Rewrites one technician's slot. `old` must open it. */
cq_status cq_vault_change_passphrase(cq_vault *vault, uint32_t slot, cq_str old, cq_str passphrase, cq_error *error);
/*
 * Removes a slot and gives the vault a new data key, through a verified copy renamed over it: what the removed person
 * knew opens no later copy. The other slots keep their passphrases. No statement may be open; cq_vault_db changes.
 * Errors: vault.slot.missing, vault.slot.last (no technician would remain), vault.statements, io.*, vault.full. After
 * an error the old vault stands and is open; after a power cut the old or the new one stands, whole.
 */
cq_status cq_vault_remove_slot(cq_vault *vault, uint32_t slot, cq_error *error);

/* --- a forgotten passphrase --- */

/*
 * On the laptop, without opening: the technician chooses the new passphrase now. The request carries a public key made
 * from it and what the recovery slots hold; it is no secret. Errors: as open; vault.recovery.none.
 */
cq_status cq_vault_recovery_request(cq_buf *request, const char *path, cq_str passphrase,
                                    const cq_vault_options *options, cq_error *error);
enum { CQ_VAULT_FINGERPRINT = 40 };
/* Six groups of five digits, which both ends read aloud, so that nobody has the vault opened for another. Of a request
 * or of its answer, which give the same. Errors: vault.request.format. */
cq_status cq_vault_recovery_fingerprint(char out[CQ_VAULT_FINGERPRINT], cq_str request, cq_error *error);
/* At the office, by whoever holds the offline key pair. The answer opens nothing without the new passphrase. Errors:
 * vault.request.format, vault.request.key (not sealed to this key). */
cq_status cq_vault_recovery_answer(cq_buf *answer, cq_str request, const uint8_t public_key[CQ_VAULT_KEY_SIZE],
                                   const uint8_t secret_key[CQ_VAULT_KEY_SIZE], cq_error *error);
/* On the laptop: adds the slot, so that cq_vault_open works with the new passphrase. A technician's slot of the same
 * label is replaced. Errors: vault.request.format, vault.answer.vault (of another vault), vault.passphrase.wrong,
 * vault.busy. */
cq_status cq_vault_recovery_complete(const char *path, cq_str answer, cq_str passphrase, const char *label,
                                     const cq_vault_options *options, cq_error *error);

/* --- upkeep --- */

/*
 * Called now and then by _backup, _remove_slot and _scrub, with pages done of all; what is written is counted once more
 * when it is read back. Anything but CQ_OK stops the work, which then answers so and leaves all as it was.
 */
typedef cq_status cq_vault_watcher(void *context, int64_t done, int64_t pages, cq_error *error);
/* NULL: nobody looks, as after opening. */
void cq_vault_watch(cq_vault *vault, cq_vault_watcher *watcher, void *context);

/* A whole copy with a new id and data key and the same slots, verified by reading it back. `path` must not exist, nor
 * `path`-log: io.exists. On failure nothing is left. */
cq_status cq_vault_backup(cq_vault *vault, const char *path, cq_error *error);

/*
 * Where a backup to `wanted` goes: `wanted`, or where that is a folder a name in it of the vault's own and the day,
 * "ici-2026-11-23.vault", the day's second "ici-2026-11-23-2.vault" (at most 99: the last is answered again). `path` is
 * emptied first.
 */
cq_status cq_vault_backup_path(cq_buf *path, const cq_vault *vault, const char *wanted, cq_date day, cq_error *error);

/*
 * A vault at `path`, where none may be, from a copy of one, which stays as it is. The copy is brought beside `path`, as
 * a stick may refuse to be written; all of it is read, and written anew with another id, so that whoever opens it knows
 * of a copy, by whatever means that was made. Errors: as open and _backup, with the copy as file. On failure nothing is
 * left.
 */
cq_status cq_vault_restore(const char *copy, const char *path, cq_str passphrase, const cq_vault_options *options,
                           cq_vault_watcher *watcher, void *context, cq_error *error);

typedef struct cq_vault_scrubbed {
  int64_t pages, pages_damaged;
  int64_t frames, frames_damaged;
  int headers_damaged;    /* of two */
  bool structure_damaged; /* SQLite's integrity_check found something */
  int64_t first_damaged;  /* page number, 0: none */
} cq_vault_scrubbed;
/* Authenticates both header copies, every page (free ones too) and the log, and runs SQLite's integrity_check. CQ_OK
 * where all is whole; CQ_DAMAGED "vault.damaged.page" with *found filled in where not. */
cq_status cq_vault_scrub(cq_vault *vault, cq_vault_scrubbed *found, cq_error *error);

typedef struct cq_vault_space {
  int64_t file_bytes, log_bytes, free_bytes; /* of the vault; `free_bytes` of it are reusable */
  int64_t disk_free_bytes;                   /* -1: not known */
  bool nearly_full;                          /* less than 64 MiB or a tenth of the vault is left on the disk */
} cq_vault_space;
cq_status cq_vault_space_used(cq_vault *vault, cq_vault_space *space, cq_error *error);

#endif
