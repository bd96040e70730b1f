/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/words.h"

#include "chasqui/cli.h"

#include <string.h>

typedef struct word {
  const char *code, *said;
} word;

static const char *said(const word *words, size_t count, cq_str code) {
  for (size_t i = 0; i < count; i++)
    if (cq_str_is(code, words[i].code)) return _(words[i].said);
  return NULL;
}

const char *cq_words_language(const char *asked) {
  /* translators: the code of the language that you translate into */
  return asked ? asked : _("en");
}

cq_str cq_words_result(cq_str code) {
  static const word words[] = {{"complete", N_("complete")},
                               {"partial", N_("partial")},
                               {"refused", N_("refusal")},
                               {"withdrawn", N_("withdrawn")}};
  const char *found = said(words, sizeof words / sizeof *words, code);
  return found ? cq_str_from(found) : code;
}

cq_str cq_words_column(cq_str name) {
  static const word words[] = {{"KEY", N_("key")},
                               {"PARENT_KEY", N_("key of the row it belongs to")},
                               {"position", N_("place in the list")},
                               {"season", N_("season")},
                               {"stratum", N_("stratum")},
                               {"result", N_("result")},
                               {"reason", N_("reason")},
                               {"working_date", N_("date")},
                               {"technician", N_("technician")},
                               {"device", N_("device")},
                               {"begun", N_("begun (UTC)")},
                               {"finished", N_("finished (UTC)")},
                               {"version", N_("version of the form")},
                               {"record", N_("record")}};
  const char *found = said(words, sizeof words / sizeof *words, name);
  return found ? cq_str_from(found) : name;
}

const char *cq_words_state(cq_cell_state state) {
  static const char *const words[CQ_CELL_STATES] = {[CQ_CELL_NOT_ELIGIBLE] = N_("not eligible"),
                                                    [CQ_CELL_LEFT] = N_("has left"),
                                                    [CQ_CELL_FUTURE] = N_("to come"),
                                                    [CQ_CELL_COVERED] = N_("covered in time"),
                                                    [CQ_CELL_COVERED_LATE] = N_("covered late"),
                                                    [CQ_CELL_RECOVERED] = N_("recovered"),
                                                    [CQ_CELL_PENDING] = N_("pending"),
                                                    [CQ_CELL_PARTIAL] = N_("partial"),
                                                    [CQ_CELL_OVERDUE] = N_("overdue"),
                                                    [CQ_CELL_OVERDUE_PARTIAL] = N_("overdue partial"),
                                                    [CQ_CELL_LOST] = N_("lost"),
                                                    [CQ_CELL_REFUSED] = N_("refusal")};
  return (unsigned)state < CQ_CELL_STATES ? _(words[state]) : "";
}

cq_str cq_words_state_named(cq_str name) {
  for (int state = 0; state < CQ_CELL_STATES; state++)
    if (cq_str_is(name, cq_cell_name((cq_cell_state)state))) return cq_str_from(cq_words_state((cq_cell_state)state));
  return name;
}

const char *cq_words_source(cq_source source) {
  static const char *const words[CQ_SOURCES + 1] = {N_("as registered"), N_("as recalled"), N_("reconstructed"),
                                                    N_("as registered and as recalled")};
  return _(words[source <= CQ_SOURCES ? source : CQ_SOURCES]);
}

const char *cq_words_kind(cq_estimate_kind kind) {
  static const char *const words[] = {N_("mean"), N_("total"), N_("proportion"), N_("ratio")};
  return _(words[kind]);
}

const char *cq_words_figure(cq_figure_kind kind) {
  static const char *const words[CQ_FIGURE_KINDS] = {N_("level"), N_("reconstructed"), N_("change"),
                                                     N_("relative change"), N_("difference between groups")};
  return _(words[kind]);
}

const char *cq_words_band(const char *band) {
  static const word words[] = {
      {"good", N_("good")}, {"caution", N_("with caution")}, {"reference", N_("for reference only")}};
  const char *found = said(words, sizeof words / sizeof *words, cq_str_from(band));
  return found ? found : band;
}
