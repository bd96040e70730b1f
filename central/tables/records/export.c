/* SPDX-License-Identifier: Apache-2.0 */
/* `export`: merged records as files for other programs. */
#include "central/tables/records/files.h"
#include "central/tables/words.h"
#include "central/verbs.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cq_cli_option cq_central_export_options[] = {
    {"csv", 0, N_("FOLDER"), N_("one CSV file for each form and repeat, in this folder")},
    {"xlsx", 0, N_("FOLDER"), N_("one workbook for each form, with a sheet for each repeat")},
    {"dta", 0, N_("FOLDER"), N_("files for Stata, with labels")},
    {"sav", 0, N_("FOLDER"), N_("files for SPSS, with labels")},
    {"media", 0, N_("FOLDER"), N_("the files attached to records, and manifest.csv, which says what each is")},
    {"labels", 0, NULL, N_("labels beside the codes of choices")},
    {"language", 0, N_("CODE"), N_("language of the labels")},
    {"identified", 0, NULL, N_("with the columns and attached files that identify people")},
    {"all", 0, NULL, N_("voided records and those replaced by an edit too")},
    {"bom", 0, NULL, N_("begin files with a UTF-8 mark, for old versions of Excel")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

enum { FLUSH_AT = 1 << 20 };

/* A CSV file under way, in its place only once it is whole. */
typedef struct csv_file {
  FILE *file;
  cq_buf path, part, out;
  size_t rows;
} csv_file;

typedef struct exporting {
  cq_cli *cli;
  cq_desk *desk;
  const char *folder;
  cq_rows *rows;
  csv_file *files; /* of each table of the form at work */
  cq_str forms[256];
  size_t form_count;
  cq_arena *arena;
  cq_buf json, manifest;
  cq_media_written media;
  size_t files_written, records, unreadable, cut;
} exporting;

static cq_status flush(csv_file *f, cq_error *error) {
  bool right = f->out.failed || fwrite(f->out.at, 1, f->out.size, f->file) == f->out.size;
  if (f->out.failed) return cq_error_nomem(error);
  cq_buf_reset(&f->out);
  return right ? CQ_OK : cq_error_io(error, "io.write", f->part.at, errno);
}

static cq_status put_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  exporting *e = context;
  csv_file *f = &e->files[table];
  const cq_rows_table *t = cq_rows_table_at(e->rows, table);
  for (size_t c = 0; c < t->count; c++) cq_csv_add_field(&f->out, c == 0, cells[c], true);
  cq_csv_end_row(&f->out);
  f->rows++;
  return f->out.size >= FLUSH_AT || f->out.failed ? flush(f, error) : CQ_OK;
}

static cq_status begin_file(exporting *e, size_t table, cq_error *error) {
  csv_file *f = &e->files[table];
  const cq_rows_table *t = cq_rows_table_at(e->rows, table);
  cq_status status = cq_table_file(&f->path, e->desk, t, e->folder, ".csv", error);
  if (status != CQ_OK) return status;
  cq_buf_add_str(&f->part, cq_buf_str(&f->path));
  cq_buf_add_text(&f->part, ".part");
  if (f->part.failed) return cq_error_nomem(error);
  if (!(f->file = fopen(f->part.at, "wb"))) return cq_error_io(error, "io.create", f->part.at, errno);
  if (cq_cli_flag(e->cli, "bom")) cq_buf_add_text(&f->out, "\xEF\xBB\xBF");
  for (size_t c = 0; c < t->count; c++) cq_csv_add_field(&f->out, c == 0, t->columns[c].name, true);
  cq_csv_end_row(&f->out);
  return CQ_OK;
}

static cq_status end_file(exporting *e, size_t table, cq_error *error) {
  csv_file *f = &e->files[table];
  cq_status status = flush(f, error);
  if (status == CQ_OK && (fflush(f->file) != 0 || fsync(fileno(f->file)) != 0))
    status = cq_error_io(error, "io.fsync", f->part.at, errno);
  if (fclose(f->file) != 0 && status == CQ_OK) status = cq_error_io(error, "io.write", f->part.at, errno);
  f->file = NULL;
  if (status == CQ_OK && rename(f->part.at, f->path.at) != 0)
    status = cq_error_io(error, "io.rename", f->path.at, errno);
  if (status != CQ_OK) return status;
  cq_cli_say(e->cli, _("  %s  rows: %zu"), f->path.at, f->rows);
  cq_buf_addf(&e->json, "%s{\"file\":", e->files_written ? "," : "");
  cq_cli_add_json(&e->json, cq_buf_str(&f->path));
  cq_buf_addf(&e->json, ",\"rows\":%zu}", f->rows);
  e->files_written++;
  return CQ_OK;
}

static void drop_files(exporting *e, size_t count) {
  for (size_t t = 0; t < count; t++) {
    csv_file *f = &e->files[t];
    if (f->file) {
      fclose(f->file);
      unlink(f->part.at);
    }
    cq_buf_fini(&f->path);
    cq_buf_fini(&f->part);
    cq_buf_fini(&f->out);
  }
  free(e->files);
  e->files = NULL;
}

static cq_status export_csv(exporting *e, cq_error *error) {
  size_t records = 0, unreadable = 0, tables = cq_rows_tables(e->rows);
  cq_status status = CQ_OK;
  if (!(e->files = calloc(tables, sizeof *e->files))) return cq_error_nomem(error);
  for (size_t t = 0; status == CQ_OK && t < tables; t++) status = begin_file(e, t, error);
  if (status == CQ_OK) status = cq_rows_read(e->rows, put_row, e, &records, &unreadable, error);
  for (size_t t = 0; status == CQ_OK && t < tables; t++) status = end_file(e, t, error);
  e->records += records;
  e->unreadable += unreadable;
  drop_files(e, tables);
  return status;
}

static cq_status export_form(exporting *e, cq_str form, cq_error *error) {
  cq_rows_options options = {.labels = cq_cli_flag(e->cli, "labels"),
                             .language = cq_words_language(cq_cli_value(e->cli, "language")),
                             .identified = cq_cli_flag(e->cli, "identified"),
                             .all = cq_cli_flag(e->cli, "all")};
  const char *xlsx = cq_cli_value(e->cli, "xlsx"), *dta = cq_cli_value(e->cli, "dta"),
             *sav = cq_cli_value(e->cli, "sav"), *media = cq_cli_value(e->cli, "media");
  cq_status status = cq_rows_open(&e->rows, e->desk, form, &options, error);
  if (status == CQ_OK && e->folder) status = export_csv(e, error);
  if (status == CQ_OK && xlsx) status = cq_workbook_write(e->rows, e->desk, xlsx, options.language, &e->cut, error);
  if (status == CQ_OK && dta) status = cq_stat_write(e->rows, e->desk, dta, CQ_FILE_DTA, &e->cut, error);
  if (status == CQ_OK && sav) status = cq_stat_write(e->rows, e->desk, sav, CQ_FILE_SAV, &e->cut, error);
  if (status == CQ_OK && media) status = cq_media_write(e->rows, e->desk, form, media, &e->manifest, &e->media, error);
  if (status == CQ_OK && cq_rows_left_out(e->rows) && (e->folder || xlsx || dta || sav))
    cq_cli_say(e->cli,
               cq_cli_plural("  %zu column identifies people and is left out (--identified brings it).",
                             "  %zu columns identify people and are left out (--identified brings them).",
                             cq_rows_left_out(e->rows)),
               cq_rows_left_out(e->rows));
  cq_rows_free(e->rows);
  e->rows = NULL;
  return status;
}

static cq_status note_form(void *context, cq_str id, cq_str title, int64_t records, cq_error *error) {
  exporting *e = context;
  (void)title;
  (void)records;
  if (e->form_count == sizeof e->forms / sizeof *e->forms) return CQ_OK;
  cq_str copy = cq_arena_copy(e->arena, id);
  if (!copy.at) return cq_error_nomem(error);
  e->forms[e->form_count++] = copy;
  return CQ_OK;
}

static const char *const folders[] = {"csv", "xlsx", "dta", "sav", "media"};
enum { FOLDERS = sizeof folders / sizeof *folders };

/* The manifest comes last: what it names is there. */
static cq_status end_media(exporting *e, cq_error *error) {
  cq_buf path = {0};
  const char *folder = cq_cli_value(e->cli, "media");
  if (!folder) return CQ_OK;
  cq_status status =
      cq_file_path(&path, folder, e->desk->mode == CQ_MODE_PRACTICE ? "practice-manifest.csv" : "manifest.csv", error);
  if (status == CQ_OK) status = cq_file_replace(path.at, e->manifest.at, e->manifest.size, 0600, false, error);
  cq_buf_fini(&path);
  if (status != CQ_OK) return status;
  cq_cli_say(e->cli, _("%zu attached files written, %zu were there already."), e->media.written, e->media.there);
  if (e->media.awaited)
    cq_cli_say(e->cli, _("%zu attached files are awaited: parts of them have not arrived yet."), e->media.awaited);
  if (e->media.left_out)
    cq_cli_say(e->cli, _("%zu attached files identify people and are left out (--identified brings them)."),
               e->media.left_out);
  return CQ_OK;
}

static cq_status run(exporting *e, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < FOLDERS; i++)
    if (cq_cli_value(e->cli, folders[i])) status = cq_file_make_folder(cq_cli_value(e->cli, folders[i]), error);
  if (status == CQ_OK && !cq_cli_args(e->cli)) status = cq_rows_forms(e->desk, note_form, e, error);
  for (int i = 0; i < cq_cli_args(e->cli) && i < 256; i++)
    e->forms[e->form_count++] = cq_str_from(cq_cli_arg(e->cli, i));
  for (size_t i = 0; status == CQ_OK && i < e->form_count; i++) status = export_form(e, e->forms[i], error);
  for (size_t i = 0; status == CQ_OK && i < FOLDERS; i++)
    if (cq_cli_value(e->cli, folders[i])) status = cq_file_sync_folder(cq_cli_value(e->cli, folders[i]), error);
  return status == CQ_OK && e->form_count > 0 ? end_media(e, error) : status;
}

int cq_central_export(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  bool any = false;
  for (size_t i = 0; i < FOLDERS; i++) any = any || cq_cli_value(cli, folders[i]);
  if (!any) return cq_cli_usage(cli, "%s", _("export needs --csv, --xlsx, --dta, --sav or --media with a folder"));
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  exporting e = {.cli = cli, .desk = &desk, .folder = cq_cli_value(cli, "csv"), .arena = cq_arena_new(0)};
  cq_status status = e.arena ? run(&e, &error) : cq_error_nomem(&error);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"files\":[%s],\"records\":%zu,\"unreadable\":%zu,\"cut\":%zu,\"media\":{\"written\":%zu,\"there\":%zu,"
           "\"awaited\":%zu,\"left_out\":%zu}}\n",
           e.json.at ? e.json.at : "", e.records, e.unreadable, e.cut, e.media.written, e.media.there, e.media.awaited,
           e.media.left_out);
  if (status == CQ_OK)
    cq_cli_say(cli, cq_cli_plural("%zu form exported.", "%zu forms exported.", e.form_count), e.form_count);
  if (status == CQ_OK && e.cut)
    cq_cli_warn(cli,
                cq_cli_plural("%zu text was too long for a format and was cut.",
                              "%zu texts were too long for a format and were cut.", e.cut),
                e.cut);
  if (status == CQ_OK && e.unreadable)
    cq_cli_warn(cli,
                cq_cli_plural("%zu record is of a form that is not known here.",
                              "%zu records are of a form that is not known here.", e.unreadable),
                e.unreadable);
  cq_buf_fini(&e.json);
  cq_buf_fini(&e.manifest);
  cq_arena_free(e.arena);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
