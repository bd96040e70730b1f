/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of chasqui-collector, one file each, and what they share. */
#ifndef CHASQUI_COLLECTOR_COLLECTOR_H
#define CHASQUI_COLLECTOR_COLLECTOR_H

#include "collector/filling.h"

int cq_collector_join(cq_cli *cli);
int cq_collector_fill(cq_cli *cli);
int cq_collector_edit(cq_cli *cli);
int cq_collector_pack(cq_cli *cli);
int cq_collector_status(cq_cli *cli);
int cq_collector_purge(cq_cli *cli);
int cq_collector_start(cq_cli *cli); /* no verb: the screen, or --line */

int cq_collector_users(cq_cli *cli);
int cq_collector_users_add(cq_cli *cli);
int cq_collector_users_remove(cq_cli *cli);
int cq_collector_users_passphrase(cq_cli *cli);
int cq_collector_backup(cq_cli *cli);
int cq_collector_restore(cq_cli *cli);
int cq_collector_scrub(cq_cli *cli);
int cq_collector_space(cq_cli *cli);
int cq_collector_salvage(cq_cli *cli);
int cq_collector_server_add(cq_cli *cli);
int cq_collector_server_list(cq_cli *cli);
int cq_collector_server_remove(cq_cli *cli);
int cq_collector_server_pull(cq_cli *cli);
int cq_collector_server_forms(cq_cli *cli);
int cq_collector_server_accept(cq_cli *cli);
int cq_collector_send(cq_cli *cli);
int cq_collector_recover_request(cq_cli *cli);
int cq_collector_recover_complete(cq_cli *cli);

/* Asks for the passphrase, opens the home's vault, applies the inbox and says what it brought. */
cq_status cq_collector_open(cq_cli *cli, cq_laptop *laptop, cq_error *error);

/* The same; what there is to say is appended to `notices`, since a screen would cover it. */
cq_status cq_collector_open_for_screen(cq_cli *cli, cq_laptop *laptop, cq_buf *notices, cq_error *error);
/* As the first; the passphrase stays, for the caller to end with cq_cli_secret_fini, whatever the status. */
cq_status cq_collector_open_with(cq_cli *cli, cq_laptop *laptop, cq_cli_secret *passphrase, cq_error *error);
/* Frees what the desk has opened and what is older than the programme's keep_days; nothing where it says none, or where
 * the clock cannot be right. The second says so too. purge.c */
cq_status cq_laptop_let_go(cq_laptop *laptop, cq_store_purged *purged, cq_error *error);
cq_status cq_collector_keep_days(cq_cli *cli, cq_laptop *laptop, cq_error *error);
/* Closes the laptop and answers the exit status, with the error's sentence where there is one. */
int cq_collector_end(cq_cli *cli, cq_laptop *laptop, cq_status status, const cq_error *error);
/* cq_laptop_pack under a bar on the terminal; Ctrl-C leaves what is left of attached files for later, and that is said.
 * pack_verb.c */
cq_status cq_collector_pack_out(cq_cli *cli, cq_laptop *laptop, cq_pack_report *report, cq_error *error);
/* "12.4 MB of attached files wait to be packed: …" appended. */
void cq_pack_left_words(uint64_t bytes, cq_buf *out);
/* A technician's code is letters, digits, point, dash, low dash. Error: collector.technician. */
cq_status cq_collector_technician(const char *code, cq_error *error);

/* Lists, each entry copied; the caller frees the whole with cq_kept_free. */
typedef struct cq_kept_draft {
  int64_t id;
  char label[CQ_RECORD_MAX_TEXT + 1], form[CQ_RECORD_MAX_TEXT + 1];
  int64_t changed_utc_ms;
  uint8_t parent[CQ_STORE_HASH]; /* the record that it corrects */
  bool corrects;                 /* it corrects one */
} cq_kept_draft;
typedef struct cq_kept_record {
  uint8_t name[CQ_STORE_HASH];
  uint8_t parent[CQ_STORE_HASH]; /* the record that it corrects */
  bool corrects, corrected;      /* it corrects one; another corrects it */
  char label[CQ_RECORD_MAX_TEXT + 1], form[CQ_RECORD_MAX_TEXT + 1], instance_id[CQ_RECORD_MAX_TEXT + 1];
  int64_t finalised_utc_ms;
  int result;
  cq_store_record_state state;
  bool of_server;                      /* its form came from a server of others: it goes into no batch */
  char server[CQ_RECORD_MAX_TEXT + 1]; /* that it goes to, or was last spoken of with; "": none */
  unsigned outcome;                    /* cq_delivery of that; 0: not sent yet */
  bool files_behind;                   /* attached files have not come as far as the record */
  int64_t said_utc_ms;                 /* when it said so */
  char words[160];                     /* its own */
  uint8_t word;                        /* of its batch, where it does not go on; 0: none */
} cq_kept_record;
typedef struct cq_kept_batch {
  int64_t number, made_utc_ms, entries, size;
  char file[96];
  cq_store_batch_state state;
  uint8_t word; /* held or refused, as receipts say it; 0: none */
} cq_kept_batch;
typedef struct cq_kept {
  cq_kept_draft *drafts;
  size_t draft_count;
  cq_kept_record *records;
  size_t record_count;
  cq_kept_batch *batches;
  size_t batch_count;
  /* while it is read */
  cq_store *store;
  size_t last;
} cq_kept;
cq_status cq_kept_read(cq_kept *kept, cq_store *store, cq_error *error);
void cq_kept_free(cq_kept *kept);

/* --- corrections: of what is kept, records by their place in it --- */
/* Whether a person who writes the first digits of a name, eight or more, means this one. */
bool cq_record_is_called(const uint8_t name[CQ_STORE_HASH], const char *asked);
/* By instance ID or the first eight digits or more of its name. Errors: collector.record.none, .several. */
cq_status cq_kept_find(const cq_kept *kept, const char *asked, size_t *record, cq_error *error);
/* Its newest correction, or one of that, and so on; the record itself where there is none. */
size_t cq_kept_newest(const cq_kept *kept, size_t record);
/* The record that it corrects; SIZE_MAX: none, or not here. */
size_t cq_kept_parent(const cq_kept *kept, size_t record);
/* The draft that corrects it; 0: none. */
int64_t cq_kept_correction(const cq_kept *kept, size_t record);
/* The first eight digits of its name, as `edit` and `send` take it. */
const char *cq_kept_short_name(const cq_kept_record *record, char out[9]);
/* By which record it is corrected, and which it corrects, appended; nothing where neither. */
void cq_kept_correction_words(const cq_kept *kept, size_t record, const cq_clock *clock, cq_buf *out);

/* Words for people. */
const char *cq_result_words(int result);
const char *cq_record_state_words(cq_store_record_state state);
/* The same and what a server of others said, appended. */
void cq_kept_record_words(const cq_kept_record *record, cq_buf *out);
/* When and what the server said, and what to do, appended; nothing where it said nothing yet. */
void cq_kept_delivery_words(const cq_kept_record *record, const cq_clock *clock, cq_buf *out);
bool cq_server_has_form(cq_str forms, cq_str id); /* of cq_store_server.forms */
const char *cq_delivery_words(unsigned outcome);  /* a few words; 0: it waits */
const char *cq_batch_state_words(cq_store_batch_state state);
/* A batch's way so far: its state, or why it is held or refused. */
const char *cq_kept_batch_words(const cq_kept_batch *batch);
/* Why it is held or refused, and what to do about it. */
const char *cq_word_words(uint8_t word);
const char *cq_word_advice(uint8_t word);
/* "2012-08-20 14:03" in the clock's zone. */
void cq_time_words(const cq_clock *clock, int64_t utc_ms, char out[24]);
/* What to say where the disk has little room left, else "" (also where that is not known). Lives in `memory`. */
const char *cq_room_words(const cq_laptop *laptop, cq_buf *memory);
/* Why an answer was not taken. */
const char *cq_outcome_words(const cq_set_outcome *outcome, cq_type type, cq_buf *memory);

#endif
