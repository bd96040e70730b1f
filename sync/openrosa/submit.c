/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/openrosa/submit.h"

#include "sync/pace.h"

#include <stdio.h>
#include <string.h>

enum { PART_OVERHEAD = 700, BUSY_LONGEST_SECONDS = 60 };

typedef enum { JUDGED_TAKEN, JUDGED_AGAIN, JUDGED_SPLIT, JUDGED_OUTCOME, JUDGED_END } judged;

typedef struct sending {
  rosa_run *run;
  const cq_handover_submit *record;
  bool taken[CQ_HANDOVER_MAX_FILES], skipped[CQ_HANDOVER_MAX_FILES];
  uint16_t group[CQ_HANDOVER_MAX_FILES];
  size_t group_count;
  bool last; /* nothing is left after this request */
  char boundary[40];
  unsigned outcome;
  cq_buf message;
} sending;

void rosa_run_fini(rosa_run *run) {
  cq_buf_fini_secret(&run->frame);
  cq_buf_fini_secret(&run->body);
}

static uint64_t form_key(const cq_handover_submit *record) {
  cq_buf text = {0};
  cq_buf_add_str(&text, record->form_id);
  cq_buf_add_char(&text, '\0');
  cq_buf_add_str(&text, record->form_version);
  cq_hash hash = cq_hash_of(text.at, text.size);
  cq_buf_fini(&text);
  uint64_t key;
  memcpy(&key, hash.at, sizeof key);
  return key;
}

/* --- which files go along --- */
static uint64_t most_of(const sending *s) {
  uint64_t most = s->run->o->accept_length;
  return most < ROSA_BODY ? most : ROSA_BODY;
}

/* The next request: the XML, and files up to a piece, or one that is larger. What fits into no request is skipped. */
static void choose_group(sending *s) {
  uint64_t most = most_of(s), base = s->record->xml.size + 2 * (uint64_t)PART_OVERHEAD, size = base;
  uint64_t piece = base + ROSA_PIECE < most ? base + ROSA_PIECE : most;
  s->group_count = 0;
  s->last = true;
  for (size_t i = 0; i < s->record->file_count; i++) {
    const cq_handover_file *file = &s->record->files[i];
    uint64_t part = file->size + PART_OVERHEAD + 3 * file->name.size;
    if (s->taken[i] || s->skipped[i]) continue;
    s->skipped[i] = file->size > most || base + part > most;
    if (s->skipped[i]) continue;
    if (s->group_count && (s->run->singly || size + part > piece)) {
      s->last = false;
      continue;
    }
    s->group[s->group_count++] = (uint16_t)i;
    size += part;
  }
}

/* --- the body --- */
/* As browsers do: a quote would end the name. */
static void add_quoted(cq_buf *out, cq_str text) {
  for (size_t i = 0; i < text.size; i++) {
    if (text.at[i] == '"')
      cq_buf_add_text(out, "%22");
    else
      cq_buf_add_char(out, text.at[i]);
  }
}

/* `filename` and `type` empty: a plain field. */
static void part_head(cq_buf *out, const char *boundary, cq_str name, cq_str filename, cq_str type) {
  cq_buf_addf(out, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
  add_quoted(out, name);
  if (filename.size) cq_buf_add_text(out, "\"; filename=\"");
  add_quoted(out, filename);
  cq_buf_add_char(out, '"');
  if (type.size) {
    cq_buf_add_text(out, "\r\nContent-Type: ");
    cq_buf_add_str(out, type);
  }
  cq_buf_add_text(out, "\r\n\r\n");
}

static cq_str media_type_of(const cq_handover_file *file) {
  for (size_t i = 0; i < file->media_type.size; i++)
    if ((unsigned char)file->media_type.at[i] <= ' ' || file->media_type.at[i] == 0x7f)
      return CQ_STR("application/octet-stream");
  return file->media_type.size ? file->media_type : CQ_STR("application/octet-stream");
}

/* Asks the collector for a file and appends it. `*readable` false: the collector can't read it. */
static cq_status add_file(sending *s, size_t i, bool *readable, cq_error *error) {
  rosa_run *run = s->run;
  cq_handover_type type;
  uint64_t left = s->record->files[i].size;
  cq_handover_put_want(&run->frame, i);
  cq_status status = run->frame.failed ? cq_error_nomem(error)
                                       : cq_handover_send(run->fd, CQ_HANDOVER_WANT, cq_buf_str(&run->frame), error);
  while (!status && left) {
    status = cq_handover_receive(run->fd, &type, &run->frame, error);
    if (status) break;
    if (type != CQ_HANDOVER_BYTES || run->frame.size > left || run->frame.size > CQ_HANDOVER_MAX_PIECE)
      return cq_error_set(error, CQ_INVALID, "handover.malformed", NULL);
    if (run->frame.size == 0) {
      *readable = false;
      return CQ_OK;
    }
    cq_buf_add_str(&run->body, cq_buf_str(&run->frame));
    left -= run->frame.size;
  }
  return status;
}

static cq_status make_body(sending *s, bool *readable, cq_error *error) {
  cq_buf *body = &s->run->body;
  uint8_t random[16];
  uint64_t size = s->record->xml.size + 4096;
  cq_status status = CQ_OK;
  s->run->o->random->fill(s->run->o->random->context, random, sizeof random);
  for (size_t i = 0; i < sizeof random; i++) snprintf(s->boundary + 2 * i, 3, "%02x", random[i]);
  for (size_t i = 0; i < s->group_count; i++) size += s->record->files[s->group[i]].size + PART_OVERHEAD;
  *readable = true;
  cq_buf_reset(body);
  if (!cq_buf_reserve(body, (size_t)size)) return cq_error_nomem(error);
  part_head(body, s->boundary, CQ_STR("xml_submission_file"), CQ_STR("submission.xml"), CQ_STR("text/xml"));
  cq_buf_add_str(body, s->record->xml);
  cq_buf_add_text(body, "\r\n");
  for (size_t i = 0; !status && *readable && i < s->group_count; i++) {
    const cq_handover_file *file = &s->record->files[s->group[i]];
    part_head(body, s->boundary, file->name, file->name, media_type_of(file));
    status = add_file(s, s->group[i], readable, error);
    cq_buf_add_text(body, "\r\n");
  }
  if (!s->last) {
    part_head(body, s->boundary, CQ_STR("*isIncomplete*"), CQ_STR(""), CQ_STR(""));
    cq_buf_add_text(body, "yes\r\n");
  }
  cq_buf_addf(body, "--%s--\r\n", s->boundary);
  return !status && body->failed ? cq_error_nomem(error) : status;
}

/* --- what an answer means --- */
static bool says(const sending *s, const char *words) {
  return s->message.size && strstr(s->message.at, words) != NULL;
}

/* The words are those of ODK Central; where they change, it is a conflict, and kept all the same. */
static judged judge_conflict(sending *s, int tries) {
  if (says(s, "not currently accepting") || says(s, "not accepting")) {
    s->outcome = CQ_DELIVERY_CLOSED;
    return JUDGED_OUTCOME;
  }
  bool deleted = says(s, "deleted");
  if (deleted && tries < 3 && tries < s->run->o->tries) return JUDGED_AGAIN;
  s->outcome = deleted ? CQ_DELIVERY_DELETED : CQ_DELIVERY_CONFLICT;
  return JUDGED_OUTCOME;
}

/* Refused for this form, or for the account altogether? */
static judged judge_account(sending *s, cq_error *error) {
  if (rosa_greet(s->run->o, error) != CQ_OK) {
    s->outcome = CQ_DELIVERY_UNTRIED;
    return JUDGED_END;
  }
  s->outcome = CQ_DELIVERY_UNASSIGNED;
  return JUDGED_OUTCOME;
}

static judged judge_fault(sending *s, int tries, cq_error *error) {
  rosa_run *run = s->run;
  bool busy = run->o->http.status == 503 || run->o->http.status == 429;
  /* One interview that the server stumbles over must not keep the others back. */
  if (tries < run->o->tries && (busy || run->faults == 0)) return JUDGED_AGAIN;
  s->outcome = busy ? CQ_DELIVERY_BUSY : CQ_DELIVERY_FAULT;
  if (!busy && ++run->faults < ROSA_FAULTS) return JUDGED_OUTCOME;
  rosa_fault(run->o, error);
  return JUDGED_END;
}

static judged judge(sending *s, int tries, cq_error *error) {
  const rosa *o = s->run->o;
  int http = o->http.status;
  bool envelope = rosa_envelope(o, &s->message);
  if (http < 500) s->run->faults = 0;
  if ((http == 201 || http == 202) && (envelope || o->http.openrosa)) return JUDGED_TAKEN;
  s->outcome = CQ_DELIVERY_UNCLEAR;
  if (http < 300 && envelope) return JUDGED_OUTCOME;
  if (http < 400) { /* a login page, a proxy, another address */
    rosa_fault(o, error);
    return JUDGED_END;
  }
  switch (http) {
  case 401:
  case 403: return judge_account(s, error);
  case 402:
    s->outcome = CQ_DELIVERY_QUOTA;
    rosa_fault(o, error);
    return JUDGED_END;
  case 404: s->outcome = s->record->is_edit ? CQ_DELIVERY_ORIGINAL : CQ_DELIVERY_FORM; return JUDGED_OUTCOME;
  case 405: s->outcome = CQ_DELIVERY_CLOSED; return JUDGED_OUTCOME;
  case 408: return tries < o->tries ? JUDGED_AGAIN : JUDGED_OUTCOME;
  case 409: return judge_conflict(s, tries);
  case 413:
    s->outcome = CQ_DELIVERY_LARGE;
    if (s->group_count < 2) return JUDGED_OUTCOME;
    s->run->singly = true;
    return JUDGED_SPLIT;
  case 429: return judge_fault(s, tries, error);
  default: break;
  }
  if (http >= 500) return judge_fault(s, tries, error);
  s->outcome = CQ_DELIVERY_MALFORMED;
  return tries < 2 ? JUDGED_AGAIN : JUDGED_OUTCOME;
}

static double wait_seconds(const rosa *o, int tries) {
  int64_t asked = o->http.retry_seconds;
  if (asked > 0) return asked < BUSY_LONGEST_SECONDS ? (double)asked : BUSY_LONGEST_SECONDS;
  return pace_seconds(tries, o->random);
}

/* --- one request, until something is known --- */
static judged post(sending *s, cq_error *error) {
  rosa *o = s->run->o;
  char type[80];
  snprintf(type, sizeof type, "multipart/form-data; boundary=%s", s->boundary);
  rosa_request request = {.method = "POST",
                          .path = o->submission,
                          .content_type = type,
                          .body = cq_buf_str(&s->run->body),
                          .limit = 64 << 10};
  for (int tries = 1;; tries++) {
    cq_error_clear(error);
    cq_status status = rosa_ask(o, &request, error);
    judged what = JUDGED_AGAIN;
    s->outcome = CQ_DELIVERY_UNCLEAR;
    if (status && (tries >= o->tries || !pace_may_help(error))) return JUDGED_END;
    if (!status) what = judge(s, tries, error);
    if (what != JUDGED_AGAIN) return what;
    if (pace_wait(status ? pace_seconds(tries, o->random) : wait_seconds(o, tries), error)) return JUDGED_END;
  }
}

/* --- telling the collector --- */
static cq_status tell_taken(sending *s, cq_error *error) {
  rosa_run *run = s->run;
  for (size_t i = 0; i < s->group_count; i++) s->taken[s->group[i]] = true;
  if (s->last && s->record->file_count == 0) return CQ_OK; /* the answer says it all */
  cq_handover_put_taken(&run->frame, s->record->number, s->group, s->group_count);
  if (run->frame.failed) return cq_error_nomem(error);
  return cq_handover_send(run->fd, CQ_HANDOVER_TAKEN, cq_buf_str(&run->frame), error);
}

static cq_status tell_answer(sending *s, cq_error *error) {
  rosa_run *run = s->run;
  cq_handover_answer answer = {.number = s->record->number,
                               .outcome = s->outcome,
                               .http = run->o->http.status > 0 ? (unsigned)run->o->http.status : 0,
                               .message = cq_buf_str(&s->message)};
  cq_handover_put_answer(&run->frame, &answer);
  if (run->frame.failed) return cq_error_nomem(error);
  return cq_handover_send(run->fd, CQ_HANDOVER_ANSWER, cq_buf_str(&run->frame), error);
}

/* Closed, unknown or not assigned holds for all interviews of the form. */
static void remember_form(sending *s) {
  rosa_run *run = s->run;
  bool stops =
      s->outcome == CQ_DELIVERY_CLOSED || s->outcome == CQ_DELIVERY_FORM || s->outcome == CQ_DELIVERY_UNASSIGNED;
  if (!stops || run->stopped_count == ROSA_STOPPED_FORMS) return;
  run->stopped[run->stopped_count].form = form_key(s->record);
  run->stopped[run->stopped_count++].outcome = s->outcome;
}

static bool form_is_stopped(const rosa_run *run, const cq_handover_submit *record) {
  uint64_t key = form_key(record);
  for (size_t i = 0; i < run->stopped_count; i++)
    if (run->stopped[i].form == key) return true;
  return false;
}

static bool any_skipped(const sending *s) {
  for (size_t i = 0; i < s->record->file_count; i++)
    if (s->skipped[i]) return true;
  return false;
}

static judged send_all(sending *s, cq_error *error) {
  do {
    bool readable = true;
    choose_group(s);
    s->outcome = CQ_DELIVERY_UNTRIED;
    if (s->record->xml.size + 2 * (uint64_t)PART_OVERHEAD > most_of(s)) {
      s->outcome = CQ_DELIVERY_LARGE;
      return JUDGED_OUTCOME;
    }
    if (make_body(s, &readable, error)) return JUDGED_END;
    if (!readable) return JUDGED_OUTCOME;
    judged what = post(s, error);
    if (what == JUDGED_SPLIT) {
      s->last = false;
      continue;
    }
    if (what != JUDGED_TAKEN) return what;
    if (tell_taken(s, error)) return JUDGED_END;
  } while (!s->last);
  s->outcome = any_skipped(s) ? CQ_DELIVERY_LARGE : CQ_DELIVERY_ACCEPTED;
  return JUDGED_OUTCOME;
}

cq_status rosa_submit(rosa_run *run, const cq_handover_submit *record, cq_error *error) {
  sending s = {.run = run, .record = record, .outcome = CQ_DELIVERY_UNTRIED};
  cq_error why;
  judged what = JUDGED_OUTCOME;
  cq_error_clear(&why);
  run->o->http.status = 0;
  for (size_t i = 0; i < record->file_count; i++) s.taken[i] = record->files[i].taken;
  if (!form_is_stopped(run, record)) what = send_all(&s, &why);
  remember_form(&s);
  cq_status status = tell_answer(&s, error);
  cq_buf_fini(&s.message);
  if (status || what != JUDGED_END) return status;
  if (error) *error = why;
  return why.status ? why.status : cq_error_nomem(error);
}
