/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The courier's side of a home, open: its folders, the pinned programme, its
 * remotes and what it remembers (sync/status.json). All it remembers can be
 * lost without loss: posts are asked again.
 *
 *   outbox/            what the collector (or the desk) gives to carry
 *   inbox/             what the courier brings home
 *   sync/remotes.json  where to
 *   sync/status.json   what was brought where, and why not
 *   sync/carried/      batches of other laptops, come by stick
 *   sync/programme.chp the pinned bundle of a courier without a collector
 */
#ifndef SYNC_HOME_H
#define SYNC_HOME_H

#include "chasqui/bundle.h"
#include "chasqui/cli.h"
#include "chasqui/outbox.h"
#include "chasqui/protocol.h"

#include <cjson/cJSON.h>

typedef struct courier {
  char *home;
  cq_buf outbox, inbox, sync, carried; /* folders */
  cq_bundle *bundle;                   /* the newest that is believed; NULL: none pinned yet */
  cJSON *remotes;                      /* array of {"url", "kind", "ca", "user"} */
  cJSON *status;
  int lock;
  bool is_desk; /* a desk's home: everything in its outbox goes up, and fetch works */
} courier;

/* Where to go. Strings are borrowed from the courier. */
typedef struct remote {
  const char *url;
  const char *ca;   /* NULL: the system's */
  const char *kind; /* "post", or a cq_server_kind's name */
  const char *user; /* of a server's account; NULL: none */
} remote;
enum { REMOTES_MOST = 16 };

/*
 * Opens; with `alone` to work, as the only courier of this outbox (sync.busy where another is at work); without to
 * look, which makes and changes nothing. Errors: bundle.*, io.*, sync.file.damaged (argument the file).
 */
cq_status courier_open(courier *c, const char *home, bool alone, cq_error *error);
void courier_close(courier *c);

/* sync.programme.none where no bundle is pinned. */
cq_status courier_trust(const courier *c, const cq_trust **trust, cq_error *error);
/* The posts of remotes.json, else those that the programme names. sync.remote.none. */
cq_status courier_remotes(courier *c, remote out[REMOTES_MOST], size_t *count, cq_error *error);

/* Those of remotes.json that are no posts, but OpenRosa servers of others. */
size_t courier_servers(const courier *c, remote out[REMOTES_MOST]);

cq_status courier_save_status(courier *c, cq_error *error);
cq_status courier_save_remotes(courier *c, cq_error *error);

/* --- what is remembered of files, by name --- */
/* ERASED: the post was told by a signed order to hold it no more. It needs not go, and is no fault. */
typedef enum { FILE_NEW, FILE_KEPT, FILE_HELD, FILE_REFUSED, FILE_ERASED } file_state;
file_state courier_file_state(const courier *c, const char *name);
const char *courier_file_code(const courier *c, const char *name); /* of a refused one: the post's code; else NULL */
bool courier_remember(courier *c, const char *name, file_state state, const char *code /* NULL */);
/* Forgets files that are in neither folder any more. */
void courier_forget_gone(courier *c, const cq_parcel *parcels, size_t count);

/* --- what is remembered of a remote --- */
uint64_t courier_cursor(const courier *c, const char *url, const char *what); /* 0: none */
bool courier_set_cursor(courier *c, const char *url, const char *what, uint64_t value);
bool courier_note(courier *c, const char *url, const char *key, double value);
bool courier_note_text(courier *c, const char *url, const char *key, const char *value);

#endif
