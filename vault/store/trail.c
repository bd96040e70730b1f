/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail: an append-only chain of who did what, when, in which order. */
#include "vault/store/store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SALT = 16 };

static void add_number(crypto_generichash_state *state, int64_t value) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
  crypto_generichash_update(state, bytes, sizeof bytes);
}

static void add_text(crypto_generichash_state *state, cq_str text) {
  add_number(state, (int64_t)text.size);
  if (text.size) crypto_generichash_update(state, (const uint8_t *)text.at, text.size);
}

/* Every column but the two hashes, each text with its length before it. */
static void content_hash(uint8_t out[CQ_STORE_HASH], const cq_store_event *event, cq_str bookmark, int64_t undoes,
                         cq_str salt) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, CQ_STORE_HASH);
  add_number(&state, event->sequence);
  add_number(&state, event->draft);
  add_text(&state, event->what);
  add_number(&state, event->device_utc_ms);
  add_number(&state, undoes);
  add_number(&state, event->kind);
  add_text(&state, event->who);
  add_text(&state, event->reference);
  add_text(&state, event->before);
  add_text(&state, event->after);
  add_text(&state, bookmark);
  add_text(&state, salt);
  crypto_generichash_final(&state, out, CQ_STORE_HASH);
}

static void chain_hash(uint8_t out[CQ_STORE_HASH], const uint8_t before[CQ_STORE_HASH],
                       const uint8_t content[CQ_STORE_HASH]) {
  uint8_t both[2 * CQ_STORE_HASH];
  memcpy(both, before, CQ_STORE_HASH);
  memcpy(both + CQ_STORE_HASH, content, CQ_STORE_HASH);
  crypto_generichash(out, CQ_STORE_HASH, both, sizeof both, NULL, 0);
}

/* One number for the trail and for cq_store_sequence, so that neither repeats what the other gave. */
static cq_status last_sequence(cq_store *store, int64_t *sequence, uint8_t hash[CQ_STORE_HASH], cq_error *error) {
  int64_t given = 0;
  query ask = query_start(store, "SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1", "");
  memset(hash, 0, CQ_STORE_HASH);
  *sequence = 0;
  if (query_row(&ask)) {
    *sequence = query_int(&ask, 0);
    query_hash(&ask, 1, hash);
  }
  cq_status status = query_end(&ask, CQ_OK, error);
  if (status == CQ_OK)
    status = store_number(store, &given, 0, error, "SELECT value FROM setting WHERE key = 'sequence'", "");
  if (given > *sequence) *sequence = given;
  return status;
}

cq_status cq_store_sequence(cq_store *store, int64_t *sequence, cq_error *error) {
  uint8_t hash[CQ_STORE_HASH];
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  status = last_sequence(store, sequence, hash, error);
  if (status == CQ_OK)
    status =
        store_run(store, error, "INSERT OR REPLACE INTO setting(key, value) VALUES ('sequence', ?1)", "i", ++*sequence);
  return store_end(store, status, error);
}

cq_status trail_append(cq_store *store, const cq_store_event *event, cq_str bookmark, int64_t undoes, int64_t *sequence,
                       cq_error *error) {
  static const char insert[] =
      "INSERT INTO trail(sequence, draft, what, device_utc_ms, undoes, content_hash, hash, kind, who, reference, "
      "before, after, bookmark, salt) VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
  uint8_t before[CQ_STORE_HASH], content[CQ_STORE_HASH], hash[CQ_STORE_HASH], salt[SALT];
  const cq_str texts[] = {event->what, event->who, event->reference, event->before, event->after, bookmark};
  cq_store_event full = *event;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < sizeof texts / sizeof texts[0]; i++)
    status = store_too_long(texts[i], CQ_STORE_TEXT_MAX, "trail", error);
  if (status == CQ_OK) status = last_sequence(store, &full.sequence, before, error);
  if (status != CQ_OK) return status;
  full.sequence++;
  randombytes_buf(salt, sizeof salt);
  cq_str salted = {(const char *)salt, sizeof salt};
  content_hash(content, &full, bookmark, undoes, salted);
  chain_hash(hash, before, content);
  status = store_run(store, error, insert, "iisiihhisssssb", full.sequence, full.draft, full.what, full.device_utc_ms,
                     undoes, content, hash, (int64_t)full.kind, full.who, full.reference, full.before, full.after,
                     bookmark, salted);
  if (status == CQ_OK && sequence) *sequence = full.sequence;
  return status;
}

cq_status trail_empty(cq_store *store, int64_t draft, cq_error *error) {
  return store_run(store, error,
                   "UPDATE trail SET kind = NULL, who = NULL, reference = NULL, before = NULL, after = NULL, "
                   "bookmark = NULL, salt = NULL WHERE draft = ?1 AND draft <> 0",
                   "i", draft);
}

cq_status cq_store_audit_add(cq_store *store, const cq_store_event *event, cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  return store_end(store, trail_append(store, event, CQ_STR(""), 0, NULL, error), error);
}

#define COLUMNS                                                                                                        \
  "SELECT sequence, draft, what, device_utc_ms, undoes, kind, who, reference, before, after, bookmark, salt, "         \
  "content_hash, hash FROM trail "

static cq_store_event event_of(const query *ask) {
  return (cq_store_event){.sequence = query_int(ask, 0),
                          .draft = query_int(ask, 1),
                          .what = query_text(ask, 2),
                          .device_utc_ms = query_int(ask, 3),
                          .kind = (int)query_int(ask, 5),
                          .who = query_text(ask, 6),
                          .reference = query_text(ask, 7),
                          .before = query_text(ask, 8),
                          .after = query_text(ask, 9)};
}

cq_status cq_store_audit(cq_store *store, int64_t draft, cq_store_event_seen *seen, void *context, cq_error *error) {
  query ask = draft ? query_start(store, COLUMNS "WHERE draft = ?1 AND draft <> 0 ORDER BY sequence", "i", draft)
                    : query_start(store, COLUMNS "ORDER BY sequence", "");
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_event event = event_of(&ask);
    status = seen(context, &event);
  }
  return query_end(&ask, status, error);
}

static bool entry_holds(const query *ask, const uint8_t before[CQ_STORE_HASH], uint8_t hash[CQ_STORE_HASH]) {
  uint8_t content[CQ_STORE_HASH], expected[CQ_STORE_HASH], stored[CQ_STORE_HASH];
  query_hash(ask, 12, stored);
  query_hash(ask, 13, hash);
  cq_str salt = query_bytes(ask, 11);
  if (salt.size > 0) { /* without: erased, and only its content's hash is left */
    cq_store_event event = event_of(ask);
    content_hash(content, &event, query_text(ask, 10), query_int(ask, 4), salt);
    if (memcmp(content, stored, sizeof stored) != 0) return false;
  }
  chain_hash(expected, before, stored);
  return memcmp(expected, hash, CQ_STORE_HASH) == 0;
}

cq_status cq_store_audit_verify(cq_store *store, int64_t *entries, cq_error *error) {
  uint8_t before[CQ_STORE_HASH] = {0}, hash[CQ_STORE_HASH];
  query ask = query_start(store, COLUMNS "ORDER BY sequence", "");
  cq_status status = CQ_OK;
  *entries = 0;
  while (status == CQ_OK && query_row(&ask)) {
    if (!entry_holds(&ask, before, hash)) {
      char number[24];
      snprintf(number, sizeof number, "%lld", (long long)query_int(&ask, 0));
      status = cq_error_set(error, CQ_DAMAGED, "store.audit.broken", number, NULL);
    }
    memcpy(before, hash, sizeof before);
    ++*entries;
  }
  return query_end(&ask, status, error);
}
