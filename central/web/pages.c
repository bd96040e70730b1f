/* SPDX-License-Identifier: Apache-2.0 */
#include "central/web/pages.h"

#include "central/link/review.h"
#include "central/merge/merging.h"
#include "central/merge/programme.h"
#include "central/tables/coverage/deskgrid.h"
#include "central/tables/records/rows.h"
#include "central/tables/words.h"
#include "chasqui/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 200, PAIRS_SHOWN = 100, ROWS_SHOWN = 100, STYLE_SIZE = 8192 };

static const char page_style[] =
    "body{max-width:76em;margin:0 auto;padding:0 1em 2em;line-height:1.4}"
    "nav{border-bottom:2px solid #234;padding:.6em 0;margin-bottom:1em}nav a,nav b{margin-right:1.2em;color:#123}"
    "nav "
    ".n{font-weight:bold;letter-spacing:.05em}a{color:#14365c}h1{font-size:1.4em}h2{font-size:1.15em;margin-top:1.6em}"
    "th{text-align:left;background:#eef1f4}td{vertical-align:top}"
    "td.r,th.r{text-align:right;font-variant-numeric:tabular-nums}code{background:#eee;padding:0 .3em}"
    "button{font:inherit;padding:.35em .9em;margin:.15em .3em .15em 0;border:1px solid "
    "#234;background:#fff;cursor:pointer}"
    "button:hover,button:focus{background:#e4eaf0}.said{border-left:6px solid #234;background:#eef1f4;padding:.5em "
    ".8em}"
    "form.f label{display:inline-block;margin:0 1em .5em 0}input,select{font:inherit;max-width:14em}"
    "form.i{display:inline}.pair{border:1px solid #999;padding:.4em .8em;margin:.8em 0;break-inside:avoid}"
    ".pair table{width:100%}footer{margin-top:2.5em;color:#444;font-size:85%}"
    "@media(max-width:40em){svg{max-width:none}body{padding:0 .6em 2em}td,th{padding:2px 5px}nav a,nav "
    "b{display:inline-block;padding:.25em 0}}"
    ".rows table{width:max-content}.rows td{max-width:24em}"
    "p.programme{color:#444;margin:.3em 0}p.chosen{display:none}"
    "@page{size:A4 landscape;margin:12mm}"
    "@media "
    "print{nav,button,form,footer{display:none}p.chosen{display:block}body{max-width:none;padding:0}.w{overflow:"
    "visible}"
    ".rows table,.rows tbody,.rows tr,.rows td{display:block;width:auto;max-width:none}.rows thead,.rows "
    "td:empty{display:none}"
    ".rows tr{columns:4;border:1px solid #999;margin:0 0 .6em;padding:.3em .6em}.rows "
    "td{border:0;padding:0;text-align:left}"
    ".rows td::before{content:attr(data-h) \": \";color:#555}}";

cq_str cq_web_style(void) {
  static char text[STYLE_SIZE];
  int size = snprintf(text, sizeof text, "%s%s", cq_grid_html_style, page_style);
  return (cq_str){text, size > 0 && (size_t)size < sizeof text ? (size_t)size : 0};
}

/* --- language --- */

/* Weighs a language of an Accept-Language header, "es-PE,es;q=0.9,en;q=0.5"; 0 where it is not there. */
static int wanted(const char *accept, const char *language) {
  int best = 0;
  for (const char *at = accept; *at;) {
    size_t size = strcspn(at, ",");
    while (size && *at == ' ') {
      at++;
      size--;
    }
    if (size >= 2 && strncmp(at, language, 2) == 0 && strchr(",-; ", at[2]) /* the terminator too */) {
      const char *q = memchr(at, '=', size);
      int weight = !q || q[1] == '1' ? 1000 : 1;
      for (int i = 0, place = 100; q && q[1] == '0' && q[2] == '.' && i < 3 && q[3 + i] >= '0' && q[3 + i] <= '9';
           i++) {
        weight += place * (q[3 + i] - '0');
        place /= 10;
      }
      if (weight > best) best = weight;
    }
    at += size;
    if (*at == ',') at++;
  }
  return best;
}

void cq_web_language(const char *accept) {
  static char own[64];
  if (!own[0]) snprintf(own, sizeof own, "%s", getenv("LANGUAGE") ? getenv("LANGUAGE") : "");
  int es = wanted(accept, "es"), en = wanted(accept, "en");
  cq_cli_language(es || en ? (en > es ? "en" : "es") : own);
}

/* --- parts of a page --- */

static void text(cq_buf *out, cq_str plain) {
  cq_buf_add_xml(out, plain, true);
}

static void cell(cq_buf *out, cq_str plain) {
  cq_buf_add_text(out, "<td>");
  text(out, plain);
  cq_buf_add_text(out, "</td>");
}

static void number_cell(cq_buf *out, int64_t value) {
  cq_buf_addf(out, "<td class=\"r\">%lld</td>", (long long)value);
}

static void heads(cq_buf *out, const char *const *names, size_t count) {
  cq_buf_add_text(out, "<div class=\"w\"><table><thead><tr>");
  for (size_t i = 0; i < count; i++) {
    cq_buf_add_text(out, "<th>");
    text(out, cq_str_from(names[i]));
    cq_buf_add_text(out, "</th>");
  }
  cq_buf_add_text(out, "</tr></thead><tbody>\n");
}

static void paragraph(cq_buf *out, const char *class, const char *plain) {
  cq_buf_addf(out, *class ? "<p class=\"%s\">" : "<p>", class);
  text(out, cq_str_from(plain));
  cq_buf_add_text(out, "</p>\n");
}

static void title(cq_buf *out, int level, const char *plain) {
  cq_buf_addf(out, "<h%d>", level);
  text(out, cq_str_from(plain));
  cq_buf_addf(out, "</h%d>\n", level);
}

/* What went wrong, and what to do. */
static void explain(cq_buf *out, const cq_error *error) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  paragraph(out, "said", what.at ? what.at : "");
  if (next.size) paragraph(out, "", next.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

static void day_cell(cq_buf *out, int64_t utc_ms) {
  char date[25] = "";
  if (utc_ms) cq_time_format_utc(utc_ms, date);
  cq_buf_addf(out, "<td class=\"d\">%.10s</td>", date);
}

static const struct {
  const char *path, *name;
} sections[] = {
    {"/", N_("Overview")}, {"/coverage", N_("Coverage")}, {"/review", N_("Review")}, {"/records", N_("Records")}};

/* Which programme, and on which day it was looked at: a printed page is to say so. */
static void programme(cq_buf *out, cq_desk *desk) {
  cq_buf said = {0};
  char day[11];
  if (cq_desk_title(&said, desk, cq_words_language(NULL), NULL) == CQ_OK) {
    if (said.size) cq_buf_add_text(&said, " · ");
    cq_buf_add_text(&said, cq_date_format(cq_date_at(&cq_clock_system, cq_desk_now()), day));
    if (!said.failed) paragraph(out, "programme", said.at);
  }
  cq_buf_fini(&said);
}

static void begin(cq_buf *out, const cq_web_ask *ask, const char *path, const char *named) {
  cq_buf_addf(out,
              "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
              "content=\"width=device-width,initial-scale=1\"><title>",
              cq_words_language(NULL));
  text(out, cq_str_from(named));
  cq_buf_addf(
      out,
      " · Chasqui</title><link rel=\"stylesheet\" href=\"%s/style.css\"></head><body>\n<nav><b class=\"n\">CHASQUI</b>",
      ask->base);
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    if (strcmp(sections[i].path, path) == 0)
      cq_buf_add_text(out, "<b>");
    else
      cq_buf_addf(out, "<a href=\"%s%s\">", ask->base, sections[i].path);
    text(out, cq_str_from(_(sections[i].name)));
    cq_buf_add_text(out, strcmp(sections[i].path, path) == 0 ? "</b>" : "</a>");
  }
  cq_buf_add_text(out, "</nav>\n");
  programme(out, ask->desk);
  if (ask->desk->mode == CQ_MODE_PRACTICE) paragraph(out, "practice", _("*** PRACTICE: nothing here is real data ***"));
  title(out, 1, named);
}

static void end(cq_buf *out) {
  cq_buf_add_text(out, "<footer>");
  text(out, cq_str_from(_("While this page is open the desk is in use, and other commands refuse; Ctrl-C ends it.")));
  cq_buf_add_text(out, "</footer></body></html>\n");
}

/* --- overview --- */

static void take_figure(void *context, const char *name, const char *words, int64_t value, bool quiet) {
  cq_buf *out = context;
  (void)name;
  if (quiet) return;
  cq_buf_add_text(out, "<tr>");
  cell(out, cq_str_from(words));
  number_cell(out, value);
  cq_buf_add_text(out, "</tr>\n");
}

static const char devices_sql[] =
    "SELECT d.id, d.note, d.chain IS NOT NULL, d.revoked_utc_ms IS NOT NULL, d.held, max(b.arrived_utc_ms), "
    "max(b.created_utc_ms), count(b.hash), coalesce(sum(b.state = 3), 0), coalesce(sum(b.state = 2), 0), "
    "coalesce(sum(b.state = 4), 0), max(0, coalesce(max(b.number), 0) - count(DISTINCT b.number)), "
    "coalesce(sum(CASE WHEN b.state = 3 THEN b.records END), 0) "
    "FROM device d LEFT JOIN batch b ON b.device = d.id GROUP BY d.id ORDER BY max(b.arrived_utc_ms) DESC, d.id";

static cq_status device_row(cq_buf *out, sqlite3_stmt *s, cq_error *error) {
  cq_device_id id;
  char hex[33];
  cq_status status = cq_desk_column(s, 0, id.at, sizeof id.at, error);
  if (status != CQ_OK) return status;
  cq_device_id_hex(&id, hex);
  bool certified = sqlite3_column_int(s, 2), revoked = sqlite3_column_int(s, 3), held = sqlite3_column_int(s, 4);
  cq_buf_addf(out, "<tr><td><code>%.8s</code></td>", hex);
  cell(out, cq_desk_text(s, 1));
  cell(out, cq_str_from(revoked      ? _("revoked")
                        : !certified ? _("asks to be approved")
                        : held       ? _("on hold")
                                     : _("certified")));
  day_cell(out, sqlite3_column_int64(s, 5));
  day_cell(out, sqlite3_column_int64(s, 6));
  for (int c = 7; c <= 12; c++) number_cell(out, sqlite3_column_int64(s, c));
  cq_buf_add_text(out, "</tr>\n");
  return CQ_OK;
}

/* Rows of a statement, each by `row`; *count: how many. */
static cq_status each_row(cq_buf *out, cq_desk *desk, const char *sql,
                          cq_status (*row)(cq_buf *out, sqlite3_stmt *s, cq_error *error), size_t *count,
                          cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool there = false;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  for (*count = 0; status == CQ_OK; ++*count) {
    if ((status = cq_desk_step(desk, s, &there, error)) != CQ_OK || !there) break;
    status = row(out, s, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* The same as a table, which is not there where it has no rows. */
static cq_status table(cq_buf *out, cq_desk *desk, const char *const *names, size_t columns, const char *sql,
                       cq_status (*row)(cq_buf *out, sqlite3_stmt *s, cq_error *error), size_t *count,
                       cq_error *error) {
  cq_buf rows = {0};
  cq_status status = each_row(&rows, desk, sql, row, count, error);
  if (*count) {
    heads(out, names, columns);
    cq_buf_add_str(out, cq_buf_str(&rows));
    cq_buf_add_text(out, "</tbody></table></div>\n");
  }
  out->failed = out->failed || rows.failed;
  cq_buf_fini(&rows);
  return status;
}

static cq_status devices(cq_buf *out, cq_desk *desk, cq_error *error) {
  const char *const names[] = {_("device"), _("note"), _("standing"), _("arrived"), _("packed"), _("batches kept"),
                               _("opened"), _("held"), _("refused"),  _("missing"), _("records")};
  size_t count;
  title(out, 2, _("Laptops"));
  cq_status status = table(out, desk, names, sizeof names / sizeof *names, devices_sql, device_row, &count, error);
  if (status == CQ_OK && !count) paragraph(out, "", _("No device has asked to join yet."));
  return status;
}

static cq_status apart_row(cq_buf *out, sqlite3_stmt *s, cq_error *error) {
  cq_buf what = {0}, next = {0};
  char why[64];
  cq_error of;
  (void)error;
  snprintf(why, sizeof why, "%s", (const char *)sqlite3_column_text(s, 2));
  cq_error_set(&of, CQ_REFUSED, why, NULL);
  cq_cli_explain(&of, &what, &next);
  cq_buf_add_text(out, "<tr>");
  cell(out, cq_desk_text(s, 0));
  cell(out, cq_str_from(sqlite3_column_int(s, 1) == 2 ? _("held") : _("refused")));
  cq_buf_add_text(out, "<td>");
  text(out, cq_str_from(what.at ? what.at : why));
  if (next.size) cq_buf_add_text(out, "<br>");
  text(out, cq_str_from(next.at));
  cq_buf_add_text(out, "</td></tr>\n");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
  return CQ_OK;
}

static cq_status apart(cq_buf *out, cq_desk *desk, cq_error *error) {
  const char *const names[] = {_("batch"), _("state"), _("why")};
  int64_t all = 0;
  size_t count;
  cq_status status = cq_desk_number(desk, "SELECT count(*) FROM batch WHERE state IN (2, 4)", 0, &all, error);
  if (status != CQ_OK || !all) return status;
  title(out, 2, _("Batches kept apart"));
  status =
      table(out, desk, names, sizeof names / sizeof *names,
            "SELECT file, state, why FROM batch WHERE state IN (2, 4) ORDER BY arrived_utc_ms DESC, file LIMIT 200",
            apart_row, &count, error);
  if (all > LISTED) cq_buf_addf(out, _("<p>The newest %d of %lld are shown.</p>\n"), (int)LISTED, (long long)all);
  return status;
}

static cq_status overview(cq_buf *out, const cq_web_ask *ask, cq_error *error) {
  int64_t waiting = 0;
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_fingerprint(&ask->desk->programme_key, fingerprint);
  cq_status status = cq_desk_waiting(ask->desk, &waiting, error);
  if (status != CQ_OK) return status;
  title(out, 2, _("What waits"));
  cq_buf_add_text(out, "<p>");
  cq_buf_addf(out,
              cq_cli_plural("%lld batch waits in the inbox.", "%lld batches wait in the inbox.", (uint64_t)waiting),
              (long long)waiting);
  cq_buf_add_text(out, "</p>\n");
  if (waiting) {
    cq_buf_addf(out, "<form method=\"post\" action=\"%s/merge\"><button>", ask->base);
    text(out, cq_str_from(_("Open and merge them")));
    cq_buf_add_text(out, "</button></form>\n");
  }
  title(out, 2, _("What the desk holds"));
  cq_buf_add_text(out, "<div class=\"w\"><table><tbody>\n");
  status = cq_desk_figures(ask->desk, take_figure, out, error);
  cq_buf_add_text(out, "</tbody></table></div>\n");
  if (status == CQ_OK) status = devices(out, ask->desk, error);
  if (status == CQ_OK) status = apart(out, ask->desk, error);
  cq_buf_add_text(out, "<p>");
  cq_buf_addf(out, _("Fingerprint of the programme: %s"), fingerprint);
  cq_buf_add_text(out, "</p>\n");
  return status;
}

/* --- coverage --- */

static cq_status place_row(cq_buf *out, sqlite3_stmt *s, cq_error *error) {
  (void)error;
  cq_buf_add_text(out, "<option value=\"");
  text(out, cq_desk_text(s, 0));
  cq_buf_addf(out, "\"%s>", sqlite3_column_int(s, 1) ? " selected" : "");
  text(out, cq_words_column(cq_desk_text(s, 0)));
  cq_buf_add_text(out, "</option>\n");
  return CQ_OK;
}

/* The choices of places (their codes), or of what the persons can be grouped by. */
static cq_status choices(cq_buf *out, cq_desk *desk, const char *name, const char *label, const char *chosen,
                         const char *sql, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool there = false;
  cq_buf_add_text(out, "<label>");
  text(out, cq_str_from(label));
  cq_buf_addf(out, " <select name=\"%s\"><option value=\"\"></option>\n", name);
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, chosen ? chosen : "", -1, SQLITE_STATIC);
  while (status == CQ_OK && (status = cq_desk_step(desk, s, &there, error)) == CQ_OK && there) place_row(out, s, error);
  sqlite3_finalize(s);
  cq_buf_add_text(out, "</select></label>\n");
  return status;
}

static const char places_sql[] =
    "SELECT place, place = ?1 FROM (SELECT DISTINCT place FROM frame WHERE place <> '' UNION SELECT DISTINCT value "
    "FROM "
    "entity_property WHERE name IN ('ccpp', 'distrito') AND value <> '') ORDER BY 1 LIMIT 2000";
static const char groups_sql[] =
    "SELECT name, name = ?1 FROM (SELECT 'stratum' AS name UNION SELECT DISTINCT name FROM frame_property) "
    "WHERE name <> 'codigo' ORDER BY 1 LIMIT 200";

static void chosen(cq_buf *out, const char *label, const char *value) {
  if (!value || !*value) return;
  cq_buf_add_text(out, "<p class=\"chosen\">");
  text(out, cq_str_from(label));
  cq_buf_add_text(out, ": <b>");
  text(out, cq_words_column(cq_str_from(value)));
  cq_buf_add_text(out, "</b></p>\n");
}

static cq_status coverage(cq_buf *out, const cq_web_ask *ask, cq_error *error) {
  cq_date today = cq_date_at(&cq_clock_system, cq_desk_now());
  const char *year = ask->argument(ask->context, "campaign"), *by = ask->argument(ask->context, "by"),
             *place = ask->argument(ask->context, "place");
  int64_t campaign = today.month >= 8 ? today.year : today.year - 1;
  int64_t newest = 0;
  cq_status status =
      cq_desk_number(ask->desk, "SELECT max(CAST(substr(season, 1, 4) AS INTEGER)) FROM visit", 0, &newest, error);
  if (newest > 0 && newest < campaign) campaign = newest; /* the last one about which there is anything */
  if (year) cq_str_int64(cq_str_from(year), &campaign);
  if (campaign < 1 || campaign > 9998) campaign = today.year;
  cq_desk_grid g = {0};
  cq_desk_grid_plan plan = {.campaign = (int32_t)campaign,
                            .today = cq_date_to_day(today),
                            .dataset = "tdd",
                            .by = by && *by ? by : NULL,
                            .place = place};
  if (status == CQ_OK) status = cq_desk_grid_read(&g, ask->desk, &plan, error);
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_buf_addf(out, "<form class=\"f\" method=\"get\"><label>");
  text(out, cq_str_from(_("Campaign that begins in")));
  cq_buf_addf(out, " <input name=\"campaign\" type=\"number\" min=\"1990\" max=\"2100\" value=\"%lld\"></label>\n",
              (long long)campaign);
  if (status == CQ_OK) status = choices(out, ask->desk, "place", _("Community"), place, places_sql, error);
  if (status == CQ_OK) status = choices(out, ask->desk, "by", _("For each value of"), by, groups_sql, error);
  cq_buf_add_text(out, "<button>");
  text(out, cq_str_from(_("Show")));
  cq_buf_add_text(out, "</button></form>\n");
  chosen(out, _("Community"), place); /* the form is not printed */
  chosen(out, _("For each value of"), by);
  if (status == CQ_OK && !g.grid.people_count)
    paragraph(out, "said", _("Nobody is to be visited here: neither a frame nor a record names anyone."));
  else if (status == CQ_OK)
    cq_grid_html_body(&g.grid, out);
  if (status == CQ_OK && g.grid.conflicts)
    cq_buf_addf(out, _("<p>%zu cells have more than one complete visit; look at them, they are not averaged.</p>\n"),
                g.grid.conflicts);
  cq_desk_grid_fini(&g);
  return status;
}

/* --- review --- */

typedef struct reviewing {
  cq_buf *out;
  const cq_web_ask *ask;
  size_t shown;
} reviewing;

static void decision_button(const reviewing *r, const cq_link_person *a, const cq_link_person *b, const char *as,
                            const char *words) {
  cq_buf_addf(r->out,
              "<form class=\"i\" method=\"post\" action=\"%s/review\"><input type=\"hidden\" name=\"a\" value=\"",
              r->ask->base);
  text(r->out, a->id);
  cq_buf_add_text(r->out, "\"><input type=\"hidden\" name=\"b\" value=\"");
  text(r->out, b->id);
  cq_buf_addf(r->out, "\"><button name=\"as\" value=\"%s\">", as);
  text(r->out, cq_str_from(words));
  cq_buf_add_text(r->out, "</button></form>\n");
}

static cq_status show_pair(void *context, const cq_link_person *a, const cq_link_person *b, double probability,
                           double weight, cq_error *error) {
  reviewing *r = context;
  cq_buf *out = r->out;
  const cq_link_person *both[2] = {a, b};
  (void)weight;
  (void)error;
  if (r->shown++ >= PAIRS_SHOWN) return CQ_OK;
  const char *const names[] = {_("surnames"), _("given names"), _("sex"), _("birth"), _("place"), _("entity")};
  cq_buf_add_text(out, "<div class=\"pair\"><p><b>");
  cq_buf_addf(out, _("Probably one person: %.0f %%"), 100 * probability);
  cq_buf_add_text(out, "</b></p>\n");
  heads(out, names, sizeof names / sizeof *names);
  for (size_t i = 0; i < 2; i++) {
    const cq_link_person *p = both[i];
    cq_buf_add_text(out, "<tr><td>");
    text(out, p->surname1);
    cq_buf_add_char(out, ' ');
    text(out, p->surname2);
    cq_buf_add_text(out, "</td>");
    cell(out, p->given);
    cell(out, p->sex);
    cell(out, p->birth);
    cell(out, p->place);
    cell(out, (cq_str){p->id.at, p->id.size < 8 ? p->id.size : 8});
    cq_buf_add_text(out, "</tr>\n");
  }
  cq_buf_add_text(out, "</tbody></table></div><p>\n");
  decision_button(r, a, b, "same", _("One person"));
  decision_button(r, a, b, "different", _("Two persons"));
  cq_buf_add_text(out, "</p></div>\n");
  return CQ_OK;
}

static cq_status fork_row(cq_buf *out, sqlite3_stmt *s, cq_error *error) {
  cq_hash name;
  char hex[65], date[11];
  cq_status status = cq_desk_column(s, 0, name.at, sizeof name.at, error);
  if (status != CQ_OK) return status;
  cq_hash_hex(&name, hex);
  cq_buf_add_text(out, "<tr>");
  cell(out, cq_desk_text(s, 1));
  cell(out, cq_str_from(cq_date_format(cq_date_from_day(sqlite3_column_int(s, 2)), date)));
  cell(out, cq_desk_text(s, 3));
  cq_buf_addf(out, "<td><code>%.16s</code></td><td>", hex);
  cq_buf_addf(out, "<code>chasqui-central void %.16s</code></td></tr>\n", hex);
  return CQ_OK;
}

/* Corrections of one record, in conflict: all but one are to be voided. */
static const char forks_sql[] =
    "SELECT r.name, v.form_id, v.day, v.technician FROM visit v JOIN record r ON r.id = v.id WHERE v.fork IS NOT NULL "
    "ORDER BY v.fork, v.finished_utc_ms, r.name LIMIT 200";

static cq_status review(cq_buf *out, const cq_web_ask *ask, cq_error *error) {
  cq_buf pairs = {0};
  reviewing r = {&pairs, ask, 0};
  cq_error wrong;
  size_t persons = 0, count = 0;
  cq_error_clear(&wrong);
  title(out, 2, _("Persons who may be registered twice"));
  cq_status status = cq_review_propose(ask->desk, 0.5, show_pair, &r, &persons, &wrong);
  if (status == CQ_NOTFOUND) { /* no baseline was published: there is nobody to compare */
    explain(out, &wrong);
  } else if (status == CQ_OK) {
    cq_buf_add_text(out, "<p>");
    cq_buf_addf(out, _("%zu pairs of %zu persons may be one person each. Nothing was changed."), r.shown, persons);
    cq_buf_add_text(out, "</p>\n");
    if (r.shown > PAIRS_SHOWN)
      cq_buf_addf(out, _("<p>The likeliest %d of %zu are shown.</p>\n"), (int)PAIRS_SHOWN, r.shown);
    cq_buf_add_str(out, cq_buf_str(&pairs));
  }
  out->failed = out->failed || pairs.failed;
  cq_buf_fini(&pairs);
  if (status != CQ_OK && status != CQ_NOTFOUND) {
    *error = wrong;
    return status;
  }
  title(out, 2, _("Records edited twice, in conflict"));
  const char *const names[] = {_("form"), _("date"), _("technician"), _("record"), _("to let it count no more")};
  status = table(out, ask->desk, names, sizeof names / sizeof *names, forks_sql, fork_row, &count, error);
  paragraph(out, "",
            count
                ? _("The last of each counts meanwhile. Keep one; type the command for the others, after Ctrl-C here.")
                : _("There are none."));
  return status;
}

/* --- records --- */

typedef struct listing {
  cq_buf *out;
  const cq_web_ask *ask;
} listing;

static cq_status form_row(void *context, cq_str id, cq_str named, int64_t records, cq_error *error) {
  listing *l = context;
  (void)error;
  cq_buf_addf(l->out, "<tr><td><a href=\"%s/records/", l->ask->base);
  text(l->out, id);
  cq_buf_add_text(l->out, "\">");
  text(l->out, id);
  cq_buf_add_text(l->out, "</a></td>");
  cell(l->out, named);
  number_cell(l->out, records);
  cq_buf_add_text(l->out, "</tr>\n");
  return CQ_OK;
}

static cq_status form_list(cq_buf *out, const cq_web_ask *ask, cq_error *error) {
  const char *const names[] = {_("form"), _("title"), _("records")};
  listing l = {out, ask};
  heads(out, names, sizeof names / sizeof *names);
  cq_status status = cq_rows_forms(ask->desk, form_row, &l, error);
  cq_buf_add_text(out, "</tbody></table></div>\n");
  return status;
}

/* The rows of one page. */
typedef struct window {
  cq_arena *arena;
  size_t table, columns, from, count, total;
  cq_str *rows[ROWS_SHOWN];
} window;

static cq_status keep_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  window *w = context;
  if (table != w->table || w->total++ < w->from || w->count == ROWS_SHOWN) return CQ_OK;
  cq_str *row = cq_arena_array(w->arena, w->columns, sizeof *row);
  if (!row) return cq_error_nomem(error);
  for (size_t i = 0; i < w->columns; i++) {
    row[i] = cells[i].size ? cq_arena_copy(w->arena, cells[i]) : CQ_STR("");
    if (!row[i].at) return cq_error_nomem(error);
  }
  w->rows[w->count++] = row;
  return CQ_OK;
}

/* Columns with nothing to read: empty ones, what only programs need, and codes whose words stand beside them. */
static bool passed_over(const window *w, const cq_rows_table *t, size_t column) {
  if (cq_rows_for_programs(&t->columns[column])) return true;
  if (column + 1 < t->count && t->columns[column + 1].is_label) return true;
  for (size_t i = 0; i < w->count; i++)
    if (w->rows[i][column].size) return false;
  return true;
}

static cq_str short_head(const cq_rows_column *c) {
  return !c->field ? cq_words_column(c->name) : c->is_label ? c[-1].name : c->name;
}

/* A question's own name is short enough to stand above a column; its words are told where one points at it. */
static cq_status head(cq_buf *out, const cq_rows *rows, const cq_rows_table *t, size_t column, cq_error *error) {
  const cq_rows_column *c = &t->columns[column];
  cq_buf label = {0};
  cq_status status = cq_rows_label(rows, c, &label, error);
  cq_buf_add_text(out, "<th title=\"");
  text(out, cq_buf_str(&label));
  cq_buf_add_text(out, "\">");
  text(out, short_head(c));
  cq_buf_add_text(out, "</th>");
  cq_buf_fini(&label);
  return status;
}

static cq_status show_rows(cq_buf *out, const cq_rows *rows, const window *w, cq_error *error) {
  const cq_rows_table *t = cq_rows_table_at(rows, w->table);
  cq_status status = CQ_OK;
  cq_buf_add_text(out, "<div class=\"w rows\"><table><thead><tr><th>#</th>");
  for (size_t c = 0; status == CQ_OK && c < w->columns; c++)
    if (!passed_over(w, t, c)) status = head(out, rows, t, c, error);
  cq_buf_add_text(out, "</tr></thead><tbody>\n");
  for (size_t i = 0; i < w->count; i++) {
    cq_buf_addf(out, "<tr><td class=\"r\" data-h=\"#\">%zu</td>", w->from + i + 1);
    for (size_t c = 0; c < w->columns; c++) {
      if (passed_over(w, t, c)) continue;
      cq_buf_add_text(out, "<td data-h=\""); /* on paper each record is a block, with its heads */
      text(out, short_head(&t->columns[c]));
      cq_buf_add_text(out, "\">");
      text(out, cq_rows_word(&t->columns[c], w->rows[i][c]));
      cq_buf_add_text(out, "</td>");
    }
    cq_buf_add_text(out, "</tr>\n");
  }
  cq_buf_add_text(out, "</tbody></table></div>\n");
  return status;
}

static void turn(cq_buf *out, const cq_web_ask *ask, const char *form, const window *w, size_t page,
                 const char *words) {
  cq_buf_addf(out, "<a href=\"%s/records/", ask->base);
  text(out, cq_str_from(form));
  cq_buf_addf(out, "?table=%zu&amp;page=%zu\">", w->table, page);
  text(out, cq_str_from(words));
  cq_buf_add_text(out, "</a> ");
}

static size_t small_number(const cq_web_ask *ask, const char *name, size_t most) {
  int64_t value = 0;
  const char *said = ask->argument(ask->context, name);
  return said && cq_str_int64(cq_str_from(said), &value) && value > 0 && (size_t)value <= most ? (size_t)value : 0;
}

static cq_status show_form(cq_buf *out, const cq_web_ask *ask, const char *form, const cq_rows *rows, const window *w,
                           size_t page, cq_error *error) {
  cq_status status = CQ_OK;
  cq_buf_add_text(out, "<p>");
  text(out, cq_rows_title(rows));
  cq_buf_add_text(out, "</p>\n<p>");
  for (size_t i = 0; cq_rows_tables(rows) > 1 && i < cq_rows_tables(rows); i++) {
    window other = {.table = i};
    char name[CQ_WEB_VALUE];
    cq_str own = cq_rows_table_at(rows, i)->name;
    snprintf(name, sizeof name, "%.*s", (int)own.size, own.at);
    if (i == w->table) {
      cq_buf_add_text(out, "<b>");
      text(out, own);
      cq_buf_add_text(out, "</b> ");
    } else {
      turn(out, ask, form, &other, 0, name);
    }
  }
  cq_buf_add_text(out, "</p>\n");
  if (w->count) status = show_rows(out, rows, w, error);
  cq_buf_add_text(out, "<p>");
  if (w->count)
    cq_buf_addf(out, _("Rows %zu to %zu of %zu."), w->from + 1, w->from + w->count, w->total);
  else
    text(out, cq_str_from(_("There are no rows yet.")));
  cq_buf_add_char(out, ' ');
  if (page) turn(out, ask, form, w, page - 1, _("earlier"));
  if (w->from + w->count < w->total) turn(out, ask, form, w, page + 1, _("later"));
  cq_buf_add_text(out, "</p>\n");
  if (cq_rows_left_out(rows)) {
    cq_buf_add_text(out, "<p>");
    cq_buf_addf(out,
                cq_cli_plural("%zu column identifies people and is not shown here.",
                              "%zu columns identify people and are not shown here.", cq_rows_left_out(rows)),
                cq_rows_left_out(rows));
    cq_buf_add_text(out, "</p>\n");
  }
  return status;
}

static cq_status records_of(cq_buf *out, const cq_web_ask *ask, const char *form, cq_error *error) {
  cq_rows *rows = NULL;
  cq_rows_options options = {.labels = true, .language = cq_words_language(NULL)};
  size_t records, unreadable, page = small_number(ask, "page", 1000000);
  window w = {.arena = cq_arena_new(0), .from = page * ROWS_SHOWN};
  cq_status status = w.arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_rows_open(&rows, ask->desk, cq_str_from(form), &options, error);
  if (status == CQ_OK) {
    w.table = small_number(ask, "table", cq_rows_tables(rows) - 1);
    w.columns = cq_rows_table_at(rows, w.table)->count;
    status = cq_rows_read(rows, keep_row, &w, &records, &unreadable, error);
  }
  if (status == CQ_OK) status = show_form(out, ask, form, rows, &w, page, error);
  cq_rows_free(rows);
  cq_arena_free(w.arena);
  return status;
}

/* --- all of them --- */

unsigned cq_web_page(cq_buf *out, const cq_web_ask *ask, const char *path) {
  static const char forms[] = "/records/";
  cq_status status;
  cq_error error;
  size_t known = 0, count = sizeof sections / sizeof *sections;
  cq_error_clear(&error);
  const char *form = strncmp(path, forms, sizeof forms - 1) == 0 ? path + sizeof forms - 1 : NULL;
  while (known < count && strcmp(sections[known].path, path) != 0) known++;
  if (form ? !*form || strchr(form, '/') || strlen(form) >= CQ_WEB_VALUE || !cq_utf8_valid(cq_str_from(form))
           : known == count) {
    begin(out, ask, "", _("There is no such page"));
    end(out);
    return 404;
  }
  begin(out, ask, path, form ? form : _(sections[known].name));
  if (ask->said.size && ask->argument(ask->context, "done")) paragraph(out, "said", ask->said.at);
  if (form)
    status = records_of(out, ask, form, &error);
  else if (known == 0)
    status = overview(out, ask, &error);
  else if (known == 1)
    status = coverage(out, ask, &error);
  else if (known == 2)
    status = review(out, ask, &error);
  else
    status = form_list(out, ask, &error);
  if (status != CQ_OK) explain(out, &error);
  end(out);
  return status == CQ_OK ? 200 : status == CQ_NOTFOUND ? 404 : 500;
}

/* --- changes --- */

static void say_wrong(cq_buf *said, const cq_error *error) {
  cq_buf next = {0};
  cq_cli_explain(error, said, &next);
  if (next.size) cq_buf_addf(said, " %s", next.at);
  cq_buf_fini(&next);
}

static bool not_ended(void *context, size_t done, size_t total) {
  (void)context;
  (void)done;
  (void)total;
  return !cq_cli_signal();
}

void cq_web_merge(cq_buf *said, cq_desk *desk) {
  cq_merged did;
  cq_error error;
  cq_merge_watch watch = {.more = not_ended};
  cq_error_clear(&error);
  if (cq_merge_inbox(&did, desk, &watch, &error) != CQ_OK) {
    say_wrong(said, &error);
    return;
  }
  cq_buf_addf(said, _("Batches merged: %zu. Records: %zu, of them new: %zu. Batches merged before: %zu."), did.batches,
              did.records, did.records_new, did.already);
  cq_buf_add_char(said, ' ');
  if (did.held)
    cq_buf_addf(said, cq_cli_plural("%zu batch is held apart.", "%zu batches are held apart.", did.held), did.held);
  if (did.refused)
    cq_buf_addf(said, cq_cli_plural("%zu file was refused.", "%zu files were refused.", did.refused), did.refused);
}

void cq_web_decide(cq_buf *said, cq_desk *desk, const char *a, const char *b, bool same) {
  cq_error error;
  cq_review_decision decision = {.a = cq_str_from(a), .b = cq_str_from(b)};
  cq_error_clear(&error);
  if (cq_review_decide(desk, same, &decision, &error) != CQ_OK)
    say_wrong(said, &error);
  else
    cq_buf_add_text(said, cq_review_said(same));
}
