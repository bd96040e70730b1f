/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `send` and `server pull`: interviews of the vault to an OpenRosa server, and its forms home, through a courier. What
 * the server said of each interview is durable before the next one is given, so nothing accepted is given again.
 */
#include "collector/collector.h"
#include "collector/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS = 24 };

/* --- what is to be sent --- */
typedef struct waiting {
  uint8_t name[CQ_STORE_HASH], parent[CQ_STORE_HASH]; /* parent: the record that it corrects; zeroes: none */
  unsigned outcome;                                   /* of before; 0: none */
  cq_buf taken;                                       /* names of files, one a line */
} waiting;

typedef struct reason {
  unsigned outcome;
  char words[CQ_HANDOVER_MAX_MESSAGE + 1];
  size_t count;
} reason;

typedef struct sending {
  cq_cli *cli;
  cq_laptop *laptop;
  cq_server server;
  cq_courier courier;
  waiting *rows;
  size_t count, room, last; /* last: the row that was found last */
  size_t accepted_before, refused_before, withdrawn;
  reason reasons[REASONS];
  size_t reason_count;
  size_t accepted, refused, later;
  cq_error *error;
} sending;

/* "uuid:…" or the first digits of the record's name. */
static bool is_asked_for(const sending *it, const cq_store_record *record) {
  if (cq_cli_args(it->cli) < 2) return true;
  for (int n = 1; n < cq_cli_args(it->cli); n++) {
    const char *asked = cq_cli_arg(it->cli, n);
    if (cq_str_is(record->instance_id, asked) || cq_record_is_called(record->name, asked)) return true;
  }
  return false;
}

static bool is_for_server(const sending *it, const cq_store_record *record) {
  cq_buf origin = {0};
  bool is = cq_store_form_origin(it->laptop->store, record->form, &origin, NULL) == CQ_OK && origin.size > 0
                ? cq_str_equal(cq_buf_str(&origin), cq_buf_str(&it->server.name))
                : cq_server_has_form(cq_buf_str(&it->server.forms), record->form_id);
  cq_buf_fini(&origin);
  return is;
}

static cq_status see_record(void *context, const cq_store_record *record) {
  sending *it = context;
  if (record->state == CQ_STORE_ERASED || record->size == 0 || !is_for_server(it, record) || !is_asked_for(it, record))
    return CQ_OK;
  if (record->result == CQ_RESULT_WITHDRAWN) { /* who took the consent back is not sent to others */
    it->withdrawn++;
    return CQ_OK;
  }
  if (it->count == it->room) {
    size_t room = it->room ? it->room * 2 : 64;
    waiting *more = realloc(it->rows, room * sizeof *more);
    if (!more) return CQ_NOMEM;
    it->rows = more;
    it->room = room;
  }
  it->rows[it->count] = (waiting){0};
  memcpy(it->rows[it->count].parent, record->parent, CQ_STORE_HASH);
  memcpy(it->rows[it->count++].name, record->name, CQ_STORE_HASH);
  return CQ_OK;
}

static cq_status see_delivery(void *context, const cq_store_delivery *delivery) {
  sending *it = context;
  for (size_t i = 0; i < it->count; i++) { /* both are by time of finalising: what is looked for is never far */
    waiting *row = &it->rows[(it->last + i) % it->count];
    if (memcmp(row->name, delivery->record, CQ_STORE_HASH) != 0) continue;
    it->last = (it->last + i) % it->count;
    row->outcome = (unsigned)delivery->outcome;
    cq_buf_add_str(&row->taken, delivery->taken);
    return row->taken.failed ? CQ_NOMEM : CQ_OK;
  }
  return CQ_OK;
}

/* Takes away what the server has, and what it refused unless that is asked for again. */
static void leave_out(sending *it) {
  bool again = cq_cli_flag(it->cli, "again");
  size_t kept = 0;
  for (size_t i = 0; i < it->count; i++) {
    waiting row = it->rows[i];
    bool done = cq_delivery_is_done(row.outcome), refused = cq_delivery_is_refused(row.outcome) && !again;
    it->accepted_before += done;
    it->refused_before += refused;
    if (done || refused)
      cq_buf_fini(&row.taken);
    else
      it->rows[kept++] = row;
  }
  it->count = kept;
}

/* Nor is what was corrected sent, where its correction says that the consent was taken back. */
static bool is_withdrawn_since(const cq_kept *kept, const waiting *row) {
  for (size_t i = 0; i < kept->record_count; i++)
    if (memcmp(kept->records[i].name, row->name, CQ_STORE_HASH) == 0)
      return kept->records[cq_kept_newest(kept, i)].result == CQ_RESULT_WITHDRAWN;
  return false;
}

static cq_status leave_withdrawn(sending *it) {
  cq_kept kept;
  size_t stay = 0;
  cq_status status = cq_kept_read(&kept, it->laptop->store, it->error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < it->count; i++) {
    waiting row = it->rows[i];
    if (is_withdrawn_since(&kept, &row)) {
      it->withdrawn++;
      cq_buf_fini(&row.taken);
    } else {
      it->rows[stay++] = row;
    }
  }
  it->count = stay;
  cq_kept_free(&kept);
  return CQ_OK;
}

/* By time of finalising a correction stands before what it corrects where the clock was set back between the two. */
static void put_corrected_first(sending *it) {
  static const uint8_t none[CQ_STORE_HASH];
  for (size_t at = 0; at < it->count;) {
    size_t other = memcmp(it->rows[at].parent, none, sizeof none) == 0 ? it->count : at + 1;
    while (other < it->count && memcmp(it->rows[other].name, it->rows[at].parent, sizeof none) != 0) other++;
    if (other >= it->count) {
      at++;
      continue;
    }
    waiting corrected = it->rows[other];
    memmove(&it->rows[at + 1], &it->rows[at], (other - at) * sizeof *it->rows);
    it->rows[at] = corrected; /* which may correct another */
  }
}

static cq_status gather(sending *it) {
  cq_status status = cq_store_records(it->laptop->store, -1, see_record, it, it->error);
  if (status == CQ_OK)
    status = cq_store_deliveries(it->laptop->store, cq_buf_str(&it->server.name), see_delivery, it, it->error);
  if (status == CQ_NOMEM) return cq_error_nomem(it->error);
  if (status == CQ_OK) leave_out(it);
  if (status == CQ_OK) status = leave_withdrawn(it);
  if (status == CQ_OK) put_corrected_first(it);
  return status;
}

/* --- one interview --- */
typedef struct files {
  cq_handover_file items[CQ_HANDOVER_MAX_FILES];
  uint8_t hashes[CQ_HANDOVER_MAX_FILES][CQ_STORE_HASH];
  size_t count;
  cq_arena *arena;
  const cq_buf *taken;
} files;

static cq_status see_file(void *context, const cq_store_attachment *attachment) {
  files *them = context;
  if (them->count == CQ_HANDOVER_MAX_FILES) return CQ_OK;
  cq_handover_file *file = &them->items[them->count];
  *file = (cq_handover_file){.name = cq_arena_copy(them->arena, attachment->name),
                             .media_type = cq_arena_copy(them->arena, attachment->media_type),
                             .size = (uint64_t)attachment->size,
                             .taken = cq_server_has_form(cq_buf_str(them->taken), attachment->name)};
  memcpy(them->hashes[them->count++], attachment->hash, CQ_STORE_HASH);
  return file->name.at && file->media_type.at ? CQ_OK : CQ_NOMEM;
}

static cq_status keep_answer(sending *it, const waiting *row, unsigned outcome, unsigned http, cq_str words) {
  cq_store_delivery said = {.server = cq_buf_str(&it->server.name),
                            .outcome = (int)outcome,
                            .http = (int)http,
                            .message = words,
                            .taken = cq_buf_str(&row->taken)};
  memcpy(said.record, row->name, sizeof said.record);
  return cq_store_delivery_put(it->laptop->store, &said, it->error);
}

/* What it has of the files is remembered at once: a line that breaks now loses none of them. */
static cq_status on_taken(sending *it, waiting *row, const files *them) {
  uint32_t number;
  uint16_t which[CQ_HANDOVER_MAX_FILES];
  size_t count = 0;
  cq_status status = cq_handover_get_taken(&number, which, &count, cq_buf_str(&it->courier.frame), it->error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    if (which[i] >= them->count) return cq_error_set(it->error, CQ_INVALID, "handover.malformed", NULL);
    cq_buf_add_str(&row->taken, them->items[which[i]].name);
    cq_buf_add_char(&row->taken, '\n');
  }
  if (status == CQ_OK && row->taken.failed) status = cq_error_nomem(it->error);
  return status == CQ_OK ? keep_answer(it, row, CQ_DELIVERY_UNCLEAR, 0, CQ_STR("")) : status;
}

static void tell_why(const cq_cli *cli, const cq_error *why) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(why, &what, &next);
  cq_cli_warn(cli, "%s", what.at ? what.at : "");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

/* In pieces, each checked before it goes. A file that is damaged in the vault ends its interview, not the others. */
static cq_status on_want(sending *it, const files *them) {
  size_t file = 0;
  cq_error why;
  cq_buf piece = {0};
  cq_error_clear(&why);
  cq_status status = cq_handover_get_want(&file, cq_buf_str(&it->courier.frame), it->error);
  if (status == CQ_OK && file >= them->count) status = cq_error_set(it->error, CQ_INVALID, "handover.malformed", NULL);
  if (status != CQ_OK) return status;
  for (uint64_t at = 0; status == CQ_OK && at < them->items[file].size; at += piece.size) {
    cq_status read = cq_store_attachment_read(it->laptop->store, them->hashes[file], (int64_t)at, CQ_HANDOVER_MAX_PIECE,
                                              &piece, &why);
    if (read != CQ_OK || piece.size == 0) {
      tell_why(it->cli, &why);
      status = cq_handover_send(it->courier.fd, CQ_HANDOVER_BYTES, CQ_STR(""), it->error);
      break;
    }
    status = cq_handover_send(it->courier.fd, CQ_HANDOVER_BYTES, cq_buf_str(&piece), it->error);
  }
  cq_buf_fini_secret(&piece);
  return status;
}

static void count_reason(sending *it, unsigned outcome, unsigned http, cq_str words) {
  char number[24];
  snprintf(number, sizeof number, "HTTP %u", http);
  if (words.size == 0) words = cq_str_from(number);
  if (cq_delivery_is_done(outcome)) {
    it->accepted++;
    return;
  }
  *(cq_delivery_is_refused(outcome) ? &it->refused : &it->later) += 1;
  for (size_t i = 0; i < it->reason_count; i++) {
    if (it->reasons[i].outcome != outcome || !cq_str_is(words, it->reasons[i].words)) continue;
    it->reasons[i].count++;
    return;
  }
  if (it->reason_count == REASONS) return;
  reason *fresh = &it->reasons[it->reason_count++];
  *fresh = (reason){.outcome = outcome, .count = 1};
  snprintf(fresh->words, sizeof fresh->words, "%.*s", (int)words.size, words.at ? words.at : "");
}

static cq_status on_answer(sending *it, const waiting *row) {
  cq_handover_answer answer;
  cq_status status = cq_handover_get_answer(&answer, cq_buf_str(&it->courier.frame), it->error);
  if (status != CQ_OK) return status;
  /* One that was not tried keeps what was said of it before. */
  bool untried = answer.outcome == CQ_DELIVERY_UNTRIED && row->outcome != 0;
  if (!untried) status = keep_answer(it, row, answer.outcome, answer.http, answer.message);
  if (status == CQ_OK) count_reason(it, answer.outcome, answer.http, answer.message);
  return status;
}

/* Frames until the answer. CQ_NOTFOUND: the courier has ended. */
static cq_status hear_of(sending *it, waiting *row, const files *them) {
  for (;;) {
    cq_handover_type type;
    cq_status status = cq_courier_hear(&it->courier, &type, it->error);
    if (status != CQ_OK) return status;
    if (type == CQ_HANDOVER_ANSWER) return on_answer(it, row);
    if (type == CQ_HANDOVER_WANT)
      status = on_want(it, them);
    else if (type == CQ_HANDOVER_TAKEN)
      status = on_taken(it, row, them);
    else
      status = cq_error_set(it->error, CQ_INVALID, "handover.malformed", NULL);
    if (status != CQ_OK) return status;
  }
}

static bool names_original(cq_str xml) {
  static const char mark[] = "deprecatedID>";
  for (size_t at = 0; at + sizeof mark < xml.size; at++)
    if (memcmp(xml.at + at, mark, sizeof mark - 1) == 0 && xml.at[at + sizeof mark - 1] != '<') return true;
  return false;
}

static cq_status give(sending *it, size_t n) {
  waiting *row = &it->rows[n];
  files *them = calloc(1, sizeof *them);
  cq_buf bytes = {0};
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  cq_status status = them && arena ? CQ_OK : cq_error_nomem(it->error);
  if (status == CQ_OK) status = cq_store_record_bytes(it->laptop->store, row->name, &bytes, it->error);
  if (status == CQ_OK) status = cq_record_parse(&record, cq_buf_str(&bytes), arena, it->error);
  if (status == CQ_OK) {
    them->arena = arena;
    them->taken = &row->taken;
    status = cq_store_record_attachments(it->laptop->store, row->name, see_file, them, it->error);
    if (status == CQ_NOMEM) cq_error_nomem(it->error);
  }
  if (status == CQ_OK) {
    cq_handover_submit submit = {.number = (uint32_t)n,
                                 .form_id = record.envelope.form_id,
                                 .form_version = record.envelope.form_version,
                                 .xml = record.instance_xml,
                                 .is_edit = names_original(record.instance_xml),
                                 .files = them->items,
                                 .file_count = them->count};
    cq_handover_put_submit(&it->courier.frame, &submit);
    status = cq_courier_tell(&it->courier, CQ_HANDOVER_SUBMIT, it->error);
  }
  if (status == CQ_OK) status = hear_of(it, row, them);
  cq_buf_fini_secret(&bytes);
  cq_arena_free(arena);
  free(them);
  return status;
}

/* --- telling --- */
static void tell_reasons(const sending *it) {
  for (size_t i = 0; i < it->reason_count; i++) {
    const reason *r = &it->reasons[i];
    cq_buf what = {0}, next = {0};
    cq_error error;
    cq_error_clear(&error);
    cq_error_set(&error, CQ_REFUSED, cq_delivery_code(r->outcome), it->server.name.at, r->words, NULL);
    cq_cli_explain(&error, &what, &next);
    cq_cli_warn(it->cli, cq_cli_plural("%zu interview: %s %s", "%zu interviews: %s %s", r->count), r->count,
                what.at ? what.at : "", next.at ? next.at : "");
    cq_buf_fini(&what);
    cq_buf_fini(&next);
  }
}

static void tell(const sending *it) {
  size_t untried = it->count - it->accepted - it->refused - it->later;
  cq_cli_progress(it->cli, NULL, 0, 0);
  if (cq_cli_flag(it->cli, "json")) {
    printf("{\"accepted\":%zu,\"refused\":%zu,\"later\":%zu,\"before\":%zu,\"withdrawn\":%zu}\n", it->accepted,
           it->refused + it->refused_before, it->later + untried, it->accepted_before, it->withdrawn);
  } else if (it->count == 0 && it->refused_before == 0) {
    cq_cli_say(it->cli, _("Nothing waits for %s."), it->server.name.at);
  } else {
    cq_cli_say(it->cli, _("Accepted: %zu. Refused: %zu. To be sent again: %zu. Accepted before: %zu."), it->accepted,
               it->refused + it->refused_before, it->later + untried, it->accepted_before);
    if (it->refused_before) cq_cli_say(it->cli, _("What was refused before was left out: --again sends it once more."));
  }
  if (it->withdrawn)
    cq_cli_say(it->cli,
               cq_cli_plural("%zu interview whose consent was withdrawn stays here.",
                             "%zu interviews whose consent was withdrawn stay here.", it->withdrawn),
               it->withdrawn);
  tell_reasons(it);
}

/* --- the verbs --- */
static bool read_limit(const cq_cli *cli, const char *option, int64_t most, int64_t *out) {
  const char *text = cq_cli_value(cli, option);
  return !text || (cq_str_int64(cq_str_from(text), out) && *out >= 1 && *out <= most);
}

static bool read_limits(const cq_cli *cli, cq_courier_limits *limits) {
  return read_limit(cli, "tries", 1000, &limits->tries) && read_limit(cli, "timeout", 3600, &limits->silence_seconds) &&
         read_limit(cli, "limit-rate", (int64_t)1 << 40, &limits->bytes_per_second);
}

static cq_status agree(const sending *it) {
  char question[400];
  if (it->count == 0) return CQ_OK;
  snprintf(question, sizeof question,
           cq_cli_plural("%zu interview leaves this laptop readable, for %s. Send it?",
                         "%zu interviews leave this laptop readable, for %s. Send them?", it->count),
           it->count, it->server.url.at);
  return cq_cli_confirm(it->cli, question, "--yes", it->error);
}

static cq_status send_all(sending *it, const cq_courier_limits *limits) {
  cq_status status = cq_courier_start(&it->courier, it->laptop, &it->server, limits, it->error);
  for (size_t i = 0; status == CQ_OK && i < it->count; i++) {
    cq_cli_progress(it->cli, _("sending"), i, it->count);
    status = cq_cli_cancelled(it->error);
    if (status == CQ_OK) status = give(it, i);
  }
  /* The courier's last frame says why it ended. */
  if (status == CQ_NOTFOUND && it->courier.ended) status = CQ_OK;
  return cq_courier_finish(&it->courier, status, it->error);
}

int cq_collector_send(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_courier_limits limits = {0};
  sending it = {.cli = cli, .laptop = &laptop, .courier = {.fd = -1}, .error = &error};
  cq_error_clear(&error);
  if (!read_limits(cli, &limits))
    return cq_cli_usage(cli, _("--tries goes from 1 to 1000, --timeout to 3600; --limit-rate is a number of bytes"));
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_server_find(&it.server, laptop.store, cq_cli_arg(cli, 0), &error);
  if (status == CQ_OK) status = gather(&it);
  if (status == CQ_OK) status = agree(&it);
  bool begun = status == CQ_OK;
  if (status == CQ_OK && it.count > 0) status = send_all(&it, &limits);
  if (begun && !(status != CQ_OK && cq_cli_flag(cli, "json"))) tell(&it);
  bool all = it.accepted == it.count && it.refused_before == 0;
  for (size_t i = 0; i < it.count; i++) cq_buf_fini(&it.rows[i].taken);
  free(it.rows);
  cq_server_fini(&it.server);
  int result = cq_collector_end(cli, &laptop, status, &error);
  return result == CQ_EXIT_DONE && !all ? CQ_EXIT_REFUSED : result;
}

int cq_collector_server_pull(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_server server = {0};
  cq_courier courier = {.fd = -1};
  cq_courier_limits limits = {0};
  cq_handover_pulled counts = {0};
  cq_handover_type type = CQ_HANDOVER_END;
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_server_find(&server, laptop.store, cq_cli_arg(cli, 0), &error);
  if (status == CQ_OK) status = cq_courier_start(&courier, &laptop, &server, &limits, &error);
  if (status == CQ_OK) {
    cq_handover_put_text(&courier.frame, cq_buf_str(&server.name));
    status = cq_courier_tell(&courier, CQ_HANDOVER_PULL, &error);
  }
  if (status == CQ_OK) status = cq_courier_hear(&courier, &type, &error);
  bool pulled = status == CQ_OK && type == CQ_HANDOVER_PULLED;
  if (pulled) status = cq_handover_get_pulled(&counts, cq_buf_str(&courier.frame), &error);
  if (status == CQ_NOTFOUND && courier.ended) status = CQ_OK;
  status = cq_courier_finish(&courier, status, &error);
  size_t refreshed = 0;
  if (pulled && status == CQ_OK) status = cq_server_refresh(cli, &laptop, &server, &refreshed, &error);
  if (pulled && cq_cli_flag(cli, "json")) {
    if (status == CQ_OK)
      printf("{\"offered\":%u,\"forms\":%u,\"files\":%u,\"unchanged\":%u,\"failed\":%u}\n", counts.offered,
             counts.forms, counts.files, counts.unchanged, counts.failed);
  } else if (pulled) {
    cq_cli_say(cli, _("%s offers %u forms. Fetched: %u forms, %u files. Unchanged: %u. Not to be had: %u."),
               server.name.at, counts.offered, counts.forms, counts.files, counts.unchanged, counts.failed);
    if (refreshed)
      cq_cli_say(cli,
                 cq_cli_plural("The lists of %zu form in use are as fetched.",
                               "The lists of %zu forms in use are as fetched.", refreshed),
                 refreshed);
    if (counts.offered)
      cq_cli_say(cli, _("Next: chasqui-collector server forms %s, and server accept %s FORM"), server.name.at,
                 server.name.at);
  }
  cq_server_fini(&server);
  return cq_collector_end(cli, &laptop, status, &error);
}
