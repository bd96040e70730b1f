/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/line/line.h"

#include "chasqui/handover.h"
#include "collector/agenda.h"
#include "collector/answer.h"
#include "collector/follow.h"

#include <stdlib.h>
#include <string.h>

/* What a terminal would obey is shown as U+FFFD. */
void cq_line_print(cq_line *line, cq_str text) {
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    char bytes[4] = {0};
    bool control = c != '\n' && (c < 0x20 || (c >= 0x7F && c < 0xA0));
    fwrite(bytes, 1, cq_utf8_put(control ? 0xFFFD : c, bytes), line->out);
  }
}

bool cq_line_read(cq_line *line, const char *prompt) {
  cq_buf_reset(&line->typed);
  fputs(prompt, line->out);
  fflush(line->out);
  int c = EOF;
  while (cq_cli_signal() == 0 && (c = getc(line->in)) != EOF && c != '\n') {
    if (line->typed.size < CQ_FORM_MAX_VALUE) cq_buf_add_char(&line->typed, (char)c);
  }
  if (c == EOF && (line->typed.size == 0 || ferror(line->in))) line->ended = true;
  if (line->typed.size > 0 && line->typed.at[line->typed.size - 1] == '\r') line->typed.at[--line->typed.size] = '\0';
  /* Other encodings than UTF-8 would be refused by the form; here it is said at once. */
  if (!line->ended && !cq_utf8_valid(cq_buf_str(&line->typed))) {
    fprintf(line->out, "! %s\n", _("These signs are not UTF-8. Please write them again."));
    return cq_line_read(line, prompt);
  }
  return !line->ended;
}

void cq_line_error(cq_line *line, const cq_error *error) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  fprintf(line->out, "! %s\n", what.at ? what.at : "");
  if (next.size > 0) fprintf(line->out, "  %s\n", next.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

/* A number from 1 to `count`; 0: none of them. */
static size_t typed_number(const cq_line *line, size_t count) {
  int64_t number;
  if (!cq_str_int64(cq_str_trim(cq_buf_str(&line->typed)), &number)) return 0;
  return number >= 1 && (uint64_t)number <= count ? (size_t)number : 0;
}

/* --- interviews --- */

/* Told once, where it takes long enough to be noticed. */
static bool tell_packing(void *context, uint64_t done, uint64_t total) {
  enum { NOTICED = 8000000 };
  const cq_line *line = context;
  if (done == 0 && total > NOTICED) {
    fprintf(line->out, _("Packing %.1f MB of attached files…"), (double)total / 1e6);
    fputc('\n', line->out);
    fflush(line->out);
  }
  return cq_cli_signal() == 0;
}

static cq_status pack(cq_line *line) {
  cq_pack_watch watch = {tell_packing, line, true};
  cq_pack_report report;
  cq_error why;
  cq_error_clear(&why);
  cq_status status = cq_laptop_pack(line->laptop, &watch, &report, &why);
  /* The record is safe in the vault; its file can be written later. */
  if (status != CQ_OK) cq_line_error(line, &why);
  return status == CQ_NOMEM ? status : CQ_OK;
}

static cq_status run_interview(cq_line *line, cq_filling *filling) {
  cq_status status = cq_line_interview(line, filling);
  cq_filling_end(filling);
  return status == CQ_OK ? pack(line) : status;
}

static cq_status new_interview(cq_line *line) {
  cq_offered *forms = NULL;
  size_t count = 0;
  cq_filling filling;
  cq_status status = cq_filling_offered(line->laptop, &forms, &count, line->error);
  if (status == CQ_OK) {
    fprintf(line->out, "\n%s\n", _("Forms"));
    for (size_t i = 0; i < count; i++) {
      fprintf(line->out, "  %zu) ", i + 1);
      cq_line_print(line, cq_str_from(forms[i].title));
      if (*forms[i].server) {
        fprintf(line->out, " — ");
        fprintf(line->out, _("from %s, not signed by the programme"), forms[i].server);
      }
      fprintf(line->out, "\n");
    }
  }
  if (status == CQ_OK && cq_line_read(line, _("Number of the form (Enter: none) > "))) {
    size_t chosen = typed_number(line, count);
    if (chosen > 0) {
      status = cq_filling_begin(&filling, line->laptop, &forms[chosen - 1].hash, true, line->error);
      if (status == CQ_OK) status = run_interview(line, &filling);
    }
  }
  free(forms);
  return status;
}

static cq_status resume_draft(cq_line *line, const cq_kept *kept) {
  char when[24];
  cq_filling filling;
  fprintf(line->out, "\n%s\n", _("Drafts"));
  for (size_t i = 0; i < kept->draft_count; i++) {
    const cq_kept_draft *it = &kept->drafts[i];
    cq_time_words(line->laptop->clock, it->changed_utc_ms, when);
    fprintf(line->out, "  %zu) ", i + 1);
    cq_line_print(line, cq_str_from(it->label));
    if (it->corrects) fprintf(line->out, " · %s", _("correction"));
    fprintf(line->out, " · %s\n", when);
  }
  if (kept->draft_count == 0) {
    fprintf(line->out, "  %s\n", _("There are none."));
    return CQ_OK;
  }
  if (!cq_line_read(line, _("Number of the draft (Enter: none) > "))) return CQ_OK;
  size_t chosen = typed_number(line, kept->draft_count);
  if (chosen == 0) return CQ_OK;
  cq_status status = cq_filling_resume(&filling, line->laptop, kept->drafts[chosen - 1].id, line->error);
  return status == CQ_OK ? run_interview(line, &filling) : status;
}

/* --- lists --- */

static cq_status correct(cq_line *line, const cq_kept *kept, size_t record) {
  cq_filling filling;
  int64_t draft = cq_kept_correction(kept, record);
  cq_status status = draft ? cq_filling_resume(&filling, line->laptop, draft, line->error)
                           : cq_filling_correct(&filling, line->laptop, kept->records[record].name, true, line->error);
  if (status != CQ_OK) return status;
  if (draft) fprintf(line->out, "%s\n", _("A correction of this interview was begun before: you go on with it."));
  return run_interview(line, &filling);
}

/* Of a record that was corrected already, its newest correction or, where that is wanted, itself once more. */
static cq_status which_correction(cq_line *line, const cq_kept *kept, size_t record) {
  size_t newest = cq_kept_newest(kept, record);
  cq_buf words = {0};
  if (newest == record || cq_kept_correction(kept, record) != 0) return correct(line, kept, record);
  cq_kept_correction_words(kept, record, line->laptop->clock, &words);
  fprintf(line->out, "%s %s\n  1) %s\n  2) %s\n", words.at ? words.at : "", _("Which one do you want to correct?"),
          _("Correct the newest correction"),
          _("Correct this one all the same: two corrections, and the office decides"));
  cq_buf_fini(&words);
  if (!cq_line_read(line, _("Number (Enter: none) > "))) return CQ_OK;
  size_t chosen = typed_number(line, 2);
  return chosen == 0 ? CQ_OK : correct(line, kept, chosen == 1 ? newest : record);
}

static cq_status show_finished(cq_line *line, const cq_kept *kept) {
  char when[24], name[9];
  fprintf(line->out, "\n%s\n", _("Finished"));
  for (size_t i = 0; i < kept->record_count; i++) {
    const cq_kept_record *it = &kept->records[i];
    cq_time_words(line->laptop->clock, it->finalised_utc_ms, when);
    fprintf(line->out, "  %zu) %s · ", i + 1, when);
    cq_line_print(line, cq_str_from(it->label));
    cq_buf words = {0};
    if (it->corrects) cq_buf_addf(&words, "%s · ", _("correction"));
    cq_kept_record_words(it, &words);
    fprintf(line->out, " · %s · %s · %s\n", cq_result_words(it->result), words.at ? words.at : "",
            cq_kept_short_name(it, name));
    cq_buf_fini(&words);
  }
  if (kept->record_count == 0) {
    fprintf(line->out, "  %s\n", _("There are none."));
    return CQ_OK;
  }
  if (!cq_line_read(line, _("Number of the interview to correct (Enter: none) > "))) return CQ_OK;
  size_t chosen = typed_number(line, kept->record_count);
  return chosen == 0 ? CQ_OK : which_correction(line, kept, chosen - 1);
}

static void show_outbox(cq_line *line, const cq_kept *kept) {
  char when[24];
  fprintf(line->out, "\n%s\n", _("Outbox"));
  for (size_t i = 0; i < kept->batch_count; i++) {
    const cq_kept_batch *it = &kept->batches[i];
    cq_time_words(line->laptop->clock, it->made_utc_ms, when);
    fprintf(line->out, "  %lld · %s · ", (long long)it->number, when);
    fprintf(line->out, cq_cli_plural("%lld entry", "%lld entries", (uint64_t)it->entries), (long long)it->entries);
    fprintf(line->out, " · %s\n", cq_kept_batch_words(it));
  }
  size_t shown = kept->batch_count;
  for (size_t i = 0; i < kept->record_count; i++) { /* what servers of others do not have */
    const cq_kept_record *it = &kept->records[i];
    if (!*it->server || cq_delivery_is_done(it->outcome)) continue;
    shown++;
    fprintf(line->out, "  ");
    cq_line_print(line, cq_str_from(it->label));
    fprintf(line->out, " · %s · %s\n", it->server, cq_delivery_words(it->outcome));
  }
  if (shown == 0) fprintf(line->out, "  %s\n", _("There are none."));
}

/* The form of seasons; several: asked which. SIZE_MAX: none. */
static size_t which_form(cq_line *line, const cq_offered *forms, size_t count) {
  if (count < 2) return count == 1 ? 0 : SIZE_MAX;
  for (size_t i = 0; i < count; i++) {
    fprintf(line->out, "  %zu) ", i + 1);
    cq_line_print(line, cq_str_from(forms[i].title));
    fprintf(line->out, "\n");
  }
  if (!cq_line_read(line, _("Number of the form (Enter: none) > "))) return SIZE_MAX;
  size_t chosen = typed_number(line, count);
  return chosen > 0 ? chosen - 1 : SIZE_MAX;
}

static cq_status visit(cq_line *line, const cq_agenda_visit *about) {
  cq_offered *forms = NULL;
  size_t count = 0;
  bool resumed = false;
  cq_filling filling;
  cq_status status = cq_follow_forms(line->laptop, &forms, &count, line->error);
  size_t chosen = status == CQ_OK ? which_form(line, forms, count) : SIZE_MAX;
  if (status == CQ_OK && count == 0) fprintf(line->out, "! %s\n", _("The programme has no form for a season's visit."));
  if (status == CQ_OK && chosen != SIZE_MAX) {
    status = cq_follow_begin(&filling, line->laptop, &forms[chosen], about->person, cq_str_from(about->season),
                             &resumed, line->error);
    if (resumed) fprintf(line->out, "%s\n", _("A draft of this visit was begun before: you go on with it."));
    if (status == CQ_OK) status = run_interview(line, &filling);
  }
  free(forms);
  return status;
}

static cq_status show_visits(cq_line *line, const cq_agenda_visit *visits, size_t count) {
  char day[11];
  fprintf(line->out, "\n%s\n", _("Visits to be made"));
  for (size_t i = 0; i < count; i++) {
    fprintf(line->out, "  %zu) ", i + 1);
    cq_line_print(line, visits[i].label);
    fprintf(line->out, " · ");
    fprintf(line->out, visits[i].late ? _("%s · late, until %s") : _("%s · until %s"), visits[i].season,
            cq_date_format(cq_date_from_day(visits[i].last_day), day));
    fprintf(line->out, "\n");
  }
  if (count == 0) {
    fprintf(line->out, "  %s\n", _("There are none."));
    return CQ_OK;
  }
  if (!cq_line_read(line, _("Number of the visit (Enter: none) > "))) return CQ_OK;
  size_t chosen = typed_number(line, count);
  return chosen > 0 ? visit(line, &visits[chosen - 1]) : CQ_OK;
}

/* --- start --- */

static cq_status one_choice(cq_line *line, bool *leave) {
  cq_kept kept;
  cq_agenda_visit *visits;
  size_t visit_count;
  cq_arena_reset(line->arena);
  cq_status status = cq_agenda(line->laptop, line->arena, &visits, &visit_count, line->error);
  if (status == CQ_OK) status = cq_kept_read(&kept, line->laptop->store, line->error);
  if (status != CQ_OK) return status;
  fprintf(line->out, "\n%s\n", _("Start"));
  fprintf(line->out, "  1) %s\n  2) %s (%zu)\n  3) %s (%zu)\n  4) %s (%zu)\n  5) %s (%zu)\n  0) %s\n",
          _("New interview"), _("Drafts"), kept.draft_count, _("Finished"), kept.record_count, _("Outbox"),
          kept.batch_count, _("Visits to be made"), visit_count, _("Leave"));
  if (!cq_line_read(line, "> ")) {
    *leave = true;
  } else if (cq_str_is(cq_str_trim(cq_buf_str(&line->typed)), "0")) {
    *leave = true;
  } else {
    switch (typed_number(line, 5)) {
    case 1: status = new_interview(line); break;
    case 2: status = resume_draft(line, &kept); break;
    case 3: status = show_finished(line, &kept); break;
    case 4: show_outbox(line, &kept); break;
    case 5: status = show_visits(line, visits, visit_count); break;
    default: fprintf(line->out, "! %s\n", _("Write one of the numbers shown.")); break;
    }
  }
  cq_kept_free(&kept);
  return status;
}

/* --- the day, where the clock can't be right --- */

static cq_status ask_date(cq_line *line) {
  bool doubtful;
  cq_date least, date;
  char text[11];
  cq_buf stored = {0};
  cq_status status = cq_laptop_clock_doubtful(line->laptop, &doubtful, &least, line->error);
  while (status == CQ_OK && doubtful) {
    fprintf(line->out, _("The laptop's clock runs before %s, so it is wrong. What day is it today?"),
            cq_date_format(least, text));
    if (!cq_line_read(line, _(" (day/month/year) > "))) break;
    cq_answer_from_typed(CQ_TYPE_DATE, cq_buf_str(&line->typed), &stored);
    if (!cq_date_parse(cq_buf_str(&stored), &date)) {
      fprintf(line->out, "! %s\n", _("Write a date that exists, day/month/year."));
      continue;
    }
    status = cq_laptop_confirm_date(line->laptop, date, line->error);
    doubtful = status != CQ_OK;
    if (status != CQ_INVALID) continue;
    cq_line_error(line, line->error);
    status = CQ_OK;
  }
  cq_buf_fini(&stored);
  return status;
}

cq_status cq_line_correct(cq_laptop *laptop, const cq_kept *kept, size_t record, FILE *in, FILE *out, cq_error *error) {
  cq_line line = {.laptop = laptop, .in = in, .out = out, .error = error, .arena = cq_arena_new(0)};
  cq_status status = line.arena ? correct(&line, kept, record) : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_cli_cancelled(error);
  cq_buf_fini_secret(&line.typed);
  cq_arena_free(line.arena);
  return status;
}

cq_status cq_line_run(cq_laptop *laptop, FILE *in, FILE *out, cq_error *error) {
  cq_line line = {.laptop = laptop, .in = in, .out = out, .error = error, .arena = cq_arena_new(0)};
  if (!line.arena) return cq_error_nomem(error);
  bool leave = false;
  cq_line_print(&line, cq_laptop_title(laptop));
  fprintf(out, "\n");
  cq_status status = ask_date(&line);
  while (status == CQ_OK && !leave) {
    status = one_choice(&line, &leave);
    /* A form or draft that cannot be opened ends nothing but itself. */
    if (status != CQ_OK && status != CQ_NOMEM && status != CQ_IO && status != CQ_CANCELLED) {
      cq_line_error(&line, error);
      status = CQ_OK;
    }
  }
  if (status == CQ_OK) status = cq_cli_cancelled(error);
  cq_buf_fini_secret(&line.typed);
  cq_arena_free(line.arena);
  return status;
}
