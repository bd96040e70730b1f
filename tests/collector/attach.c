/* SPDX-License-Identifier: Apache-2.0 */
/* Files as answers: by lines, by keys and by a script; refused ones; killed in between; packed, and joined again. */
#include "chasqui/file.h"
#include "tests/batch/fixture.h"
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[200];
static cq_buf blank; /* the form's XML, for opening batches */
static cq_bundle_form form;

static void write_bytes(const char *name, const char *head, size_t head_size, size_t size) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(head, 1, head_size, out), head_size);
  for (size_t i = head_size; i < size; i++) assert_int_not_equal(fputc((int)((i * 131 + i / 977) & 0xFF), out), EOF);
  assert_int_equal(fclose(out), 0);
}

/* A scan at once: nothing in it is what a camera wrote beside the picture. */
#define JPEG "\xFF\xD8\xFF\xDA\0\2"

/* A photo with a place in it, from the project's folder. */
static void copy_photo(void) {
  char path[256];
  cq_buf photo = {0};
  assert_int_equal(cq_file_read("tests/collector/seeds/bare/base6.jpg", 1 << 20, &photo, NULL), CQ_OK);
  snprintf(path, sizeof path, "%s/campo.jpg", folder);
  assert_int_equal(cq_file_replace(path, photo.at, photo.size, 0600, false, NULL), CQ_OK);
  cq_buf_fini(&photo);
}

static int make_files(void **state) {
  (void)state;
  const char *top = getenv("CHASQUI_TEST_TMP");
  snprintf(folder, sizeof folder, "%s/files.XXXXXX", top ? top : "/tmp");
  if (!mkdtemp(folder)) return -1;
  write_bytes("casa.jpg", JPEG, 6, 1234567);
  write_bytes("casa grande.jpg", JPEG, 6, 70000);
  write_bytes("plano.png", "\x89PNG\r\n", 6, 40);
  write_bytes("saludo.amr", "#!AMR\n", 6, 2000);
  write_bytes("acta.pdf", "%PDF-1.5", 8, 3000);
  write_bytes("nota.txt", "hola", 4, 4);
  write_bytes("vacio.jpg", "", 0, 0);
  copy_photo();
  form = way_form("tests/collector/fotos", "fotos", &blank);
  return chdir(folder); /* relative paths are from where the program stands */
}

static int remove_files(void **state) {
  (void)state;
  char command[500];
  cq_buf_fini(&blank);
  snprintf(command, sizeof command, "chmod -R u+rwX '%s' && rm -rf '%s'", folder, folder);
  return chdir("/") != 0 || system(command) != 0;
}

/* --- what is in the vault --- */

typedef struct seen {
  cq_laptop *laptop;
  cq_hash record;
  size_t files;
  int64_t bytes;
  cq_buf names;
} seen;

static cq_status see_record(void *context, const cq_store_record *record) {
  memcpy(((seen *)context)->record.at, record->name, 32);
  return CQ_OK;
}

static cq_status count_bytes(void *context, const void *bytes, size_t size) {
  (void)bytes;
  *(int64_t *)context += (int64_t)size;
  return CQ_OK;
}

static cq_status see_file(void *context, const cq_store_attachment *file) {
  seen *it = context;
  int64_t bytes = 0;
  assert_int_equal(cq_store_attachment_get(it->laptop->store, file->hash, count_bytes, &bytes, NULL), CQ_OK);
  assert_int_equal(bytes, file->size);
  it->files++;
  it->bytes += bytes;
  cq_buf_addf(&it->names, "%.*s=%lld ", (int)file->media_type.size, file->media_type.at, (long long)file->size);
  return CQ_OK;
}

static size_t attachments_in(cq_laptop *laptop) {
  int64_t count = -1;
  sqlite3_stmt *s = NULL;
  sqlite3 *db = cq_vault_db(cq_store_vault(laptop->store));
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM attachment", -1, &s, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(s), SQLITE_ROW);
  count = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return (size_t)count;
}

/* The newest record: its files are those that its bytes name, in the same order, and all are there. */
static void look_at_record(office *it, const char *expected) {
  cq_laptop laptop;
  cq_buf bytes = {0};
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  seen found = {.laptop = &laptop};
  way_open(it, &laptop);
  assert_int_equal(cq_store_records(laptop.store, -1, see_record, &found, NULL), CQ_OK);
  assert_int_equal(cq_store_record_bytes(laptop.store, found.record.at, &bytes, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&record, cq_buf_str(&bytes), arena, NULL), CQ_OK);
  assert_int_equal(cq_store_record_attachments(laptop.store, found.record.at, see_file, &found, NULL), CQ_OK);
  assert_int_equal(record.attachment_count, found.files);
  for (size_t i = 0; i < record.attachment_count; i++) {
    char mark[64]; /* an answer of the record names it */
    snprintf(mark, sizeof mark, ">%.*s<", (int)record.attachments[i].name.size, record.attachments[i].name.at);
    char *xml = strndup(record.instance_xml.at, record.instance_xml.size);
    assert_non_null(strstr(xml, mark));
    assert_null(strstr(xml, "casa.jpg"));
    free(xml);
  }
  /* names are drawn: their order says nothing */
  size_t wanted = 0;
  for (const char *at = expected; *at; at = strchr(at, ' ') + 1) {
    char one[64];
    snprintf(one, sizeof one, "%.*s", (int)(strchr(at, ' ') + 1 - at), at);
    if (!strstr(found.names.at ? found.names.at : "", one)) fail_msg("no %s in %s", one, found.names.at);
    wanted++;
  }
  assert_int_equal(found.files, wanted);
  cq_laptop_close(&laptop);
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
  cq_buf_fini(&found.names);
}

static office *joined(void) {
  office *it = office_new(CQ_MODE_REAL, &form, 1);
  office_join(it);
  return it;
}

/* --- lines and keys --- */

#define ALL "image/jpeg=1234567 audio/amr=2000 application/pdf=3000 image/png=40 "

static void lines_and_keys_take_files(void **state) {
  (void)state;
  char lines[1200];
  office *it = joined();
  /* a folder, nothing there, an empty one, no image: each refused, and the question asked again */
  snprintf(lines, sizeof lines,
           "1\n1\nLa casa\n%s\nno-hay.jpg\nvacio.jpg\nnota.txt\nplano.png\n<\ncasa.jpg\nsaludo.amr\n"
           "'acta.pdf'\nfile://%s/plano%%2Epng\nn\nc\n0\n",
           folder, folder);
  way_lines(it, lines);
  look_at_record(it, ALL);
  office_free(it);

  it = joined();
  snprintf(lines, sizeof lines,
           "<Enter><Enter>La casa<Enter>%s<Enter><Ctrl-U>vacio.jpg<Enter><Ctrl-U>nota.txt<Enter><Ctrl-U>cas<Tab>.<Tab>"
           "<Enter>salu<Tab><Enter>ac<Tab><Enter>%s/pla<Tab><Enter><Enter><Enter>",
           folder, folder);
  way_keys(it, lines, 24, 80, NULL, NULL);
  look_at_record(it, ALL);
  office_free(it);
}

static void what_is_replaced_cleared_or_removed_goes(void **state) {
  (void)state;
  cq_laptop laptop;
  office *it = joined();
  /* casa replaced, voz cleared, a plot with a photo removed */
  way_keys(it,
           "<Enter><Enter>La casa<Enter>plano.png<Enter><PgUp>casa grande.jpg<Enter>saludo.amr<Enter><PgUp><Ctrl-U>"
           "<Enter><Enter>acta.pdf<Enter>casa.jpg<Enter><PgUp><F7><Down><Enter><F4><Enter>",
           24, 80, NULL, NULL);
  look_at_record(it, "image/jpeg=70000 application/pdf=3000 ");
  way_open(it, &laptop);
  assert_int_equal(attachments_in(&laptop), 2);
  cq_laptop_close(&laptop);
  office_free(it);
}

/* --- paths --- */

static void paths_are_understood(void **state) {
  (void)state;
  static const struct {
    const char *typed, *folder, *path;
  } cases[] = {
      {"a.jpg", NULL, "a.jpg"},
      {"  a b.jpg ", NULL, "a b.jpg"},
      {"'/x/a b.jpg'", NULL, "/x/a b.jpg"},
      {"\"/x/a.jpg\"", NULL, "/x/a.jpg"},
      {"~", NULL, "/casa/t"},
      {"~/a.jpg", "/lejos", "/casa/t/a.jpg"},
      {"~otra/a.jpg", NULL, "~otra/a.jpg"},
      {"file:///x/a%20b%C3%B1.jpg", NULL, "/x/a bñ.jpg"},
      {"file:///x/100%.jpg", NULL, "/x/100%.jpg"},
      {"a.jpg", "/lejos", "/lejos/a.jpg"},
      {"/a.jpg", "/lejos", "/a.jpg"},
      {"casa\\ grande.jpg", NULL, "casa grande.jpg"},
  };
  char *home = strdup(getenv("HOME") ? getenv("HOME") : "/");
  setenv("HOME", "/casa/t", 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_buf path = {0};
    assert_int_equal(cq_attach_path(&path, cq_str_from(cases[i].typed), cases[i].folder, NULL), CQ_OK);
    assert_string_equal(path.at, cases[i].path);
    cq_buf_fini(&path);
  }
  setenv("HOME", home, 1);
  free(home);
}

static void paths_are_completed(void **state) {
  (void)state;
  static const struct {
    const char *typed, *becomes;
    size_t offered; /* names */
    bool found;
  } cases[] = {{"cas", "casa", 2, true},
               {"casa.", "casa.jpg", 0, true},
               {"pl", "plano.png", 0, true},
               {"no-hay", "no-hay", 0, false},
               {"", "", 3, true},
               {"../", "../", 1, true},
               {"no-hay/x", "no-hay/x", 0, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_buf typed = {0}, offered = {0};
    cq_buf_add_text(&typed, cases[i].typed);
    assert_int_equal(cq_attach_complete(&typed, &offered), cases[i].found);
    if (strcmp(cases[i].typed, "../") != 0) assert_string_equal(typed.at ? typed.at : "", cases[i].becomes);
    size_t names = offered.size > 0;
    for (size_t at = 0; at + 1 < offered.size; at++) names += offered.at[at] == ' ' && offered.at[at + 1] == ' ';
    assert_true(names >= cases[i].offered);
    cq_buf_fini(&typed);
    cq_buf_fini(&offered);
  }
}

static void files_are_told_by_their_bytes(void **state) {
  (void)state;
  static const struct {
    const char *head, *name, *wanted, *type, *ending;
  } cases[] = {
      {"\xFF\xD8\xFF\xE0", "IMG.PNG", "image/*", "image/jpeg", "jpg"},
      {"....ftypmp42", "x", "video/*", "video/mp4", "mp4"},
      {"....ftypmp42", "x", "audio/*", "audio/mp4", "m4a"},
      {"....ftyp3gp4", "x", "audio/*", "audio/3gpp", "3ga"},
      {"OggS", "x.ogg", "audio/*", "audio/ogg", "ogg"},
      {"RIFF....WAVEfmt", "x", "audio/*", "audio/wav", "wav"},
      {"PK\x03\x04", "x.XLSX", "application/*", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
       "xlsx"},
      {"PK\x03\x04", "x.csv", "application/*", "application/zip", "zip"},
      {"a,b\n", "x.csv", "application/*", "text/csv", "csv"},
      {"MZ", "x.jpg", "image/*", "application/octet-stream", "bin"},
      {"hola", "foto.juana", "", "application/octet-stream", "bin"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_media media = cq_media_of(cq_str_from(cases[i].head), cq_str_from(cases[i].name), cq_str_from(cases[i].wanted));
    assert_string_equal(media.type, cases[i].type);
    assert_string_equal(media.ending, cases[i].ending);
    char name[32];
    snprintf(name, sizeof name, "1.%s", media.ending);
    assert_string_equal(cq_media_named(cq_str_from(name)).type, cases[i].type);
  }
  assert_true(cq_media_fits(CQ_STR("image/*, application/pdf"), "application/pdf"));
  assert_false(cq_media_fits(CQ_STR("image/*, application/pdf"), "text/csv"));
  assert_true(cq_media_fits(CQ_STR(""), "text/csv"));
}

/* --- refusals --- */

static void attach_fails(cq_laptop *laptop, const char *path, const char *code) {
  cq_attached attached;
  cq_error error;
  cq_error_clear(&error);
  cq_status status =
      cq_attach_read(&attached, laptop->store, path, CQ_STR("image/*"), laptop->random, &(cq_attach_watch){0}, &error);
  assert_int_not_equal(status, CQ_OK);
  assert_string_equal(error.code, code);
  assert_true(status != CQ_IO && status != CQ_NOMEM); /* which would end the screen */
}

static void what_cannot_be_attached_is_refused(void **state) {
  (void)state;
  cq_laptop laptop;
  cq_attached attached;
  office *it = joined();
  way_open(it, &laptop);
  attach_fails(&laptop, "no-hay.jpg", "collector.attach.none");
  attach_fails(&laptop, "nota.txt/x", "collector.attach.none");
  attach_fails(&laptop, ".", "collector.attach.folder");
  attach_fails(&laptop, "vacio.jpg", "collector.attach.empty");
  attach_fails(&laptop, "nota.txt", "collector.attach.kind");
  attach_fails(&laptop, "/dev/null", "collector.attach.special");
  assert_int_equal(mkfifo("cola", 0600), 0);
  attach_fails(&laptop, "cola", "collector.attach.special"); /* and nothing waits for its other end */
  write_bytes("grande.jpg", JPEG, 4, 4);
  assert_int_equal(truncate("grande.jpg", (off_t)CQ_ATTACH_MAX + 1), 0);
  attach_fails(&laptop, "grande.jpg", "collector.attach.large");
  if (geteuid() != 0) {
    write_bytes("ajeno.jpg", JPEG, 4, 40);
    assert_int_equal(chmod("ajeno.jpg", 0), 0);
    attach_fails(&laptop, "ajeno.jpg", "collector.attach.open");
  }
  assert_int_equal(attachments_in(&laptop), 0);
  assert_int_equal(cq_attach_read(&attached, laptop.store, "casa.jpg", CQ_STR("image/*"), laptop.random,
                                  &(cq_attach_watch){0}, NULL),
                   CQ_OK);
  assert_int_equal(strlen(attached.name), 17);
  cq_buf words = {0};
  cq_attach_words(&attached, &words);
  assert_string_equal(words.at, "JPEG image, 1.2 MB");
  cq_buf_fini(&words);
  cq_laptop_close(&laptop);
  office_free(it);
}

/* --- kill -9 --- */

typedef struct killer {
  cq_backend *recorder; /* first */
  long keys_left;
} killer;

static void kill_self(void *context, cq_key key) {
  (void)key;
  killer *it = context;
  if (it->keys_left-- == 0) raise(SIGKILL);
}

#define KEYS "<Enter><Enter>La casa<Enter>casa.jpg<Enter>saludo.amr<Enter>acta.pdf<Enter><Enter><Enter>"

static void an_accepted_file_survives_being_killed(void **state) {
  (void)state;
  long killed = 0, keys = way_key_count(KEYS), accepted = 0, at = 0;
  for (long n = 11; n < keys; n += 3, killed++) {
    char rest[200];
    office *it = joined();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      killer context = {.keys_left = n};
      way_keys(it, KEYS, 24, 80, kill_self, &context);
      _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    /* keys since the last Enter were not accepted yet: they are pressed again */
    accepted = at = 0;
    for (const char *key = KEYS; at < n; key = way_after_keys(key, 1)) {
      at++;
      if (strncmp(key, "<Enter>", 7) == 0) accepted = at;
    }
    snprintf(rest, sizeof rest, "<Down><Enter><Enter>%s<Enter>", way_after_keys(KEYS, accepted));
    way_keys(it, rest, 24, 80, NULL, NULL);
    look_at_record(it, "image/jpeg=1234567 audio/amr=2000 application/pdf=3000 ");
    office_free(it);
  }
  print_message("killed %ld times\n", killed);
  assert_true(killed > 8);
}

/* --- packing --- */

static cq_status find_blank(void *context, const cq_hash *hash, cq_str *xml) {
  (void)context;
  (void)hash;
  *xml = cq_buf_str(&blank);
  return CQ_OK;
}

typedef struct joining {
  cq_hash hash;
  size_t parts, batches, records;
  uint64_t total, next;
  cq_hasher hasher;
  bool records_first;
} joining;

static void open_batch(office *it, const cq_buf *file, joining *join) {
  cq_batch_forms forms = {find_blank, NULL};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  size_t parts = 0, records = 0;
  assert_int_equal(cq_batch_open(&content, codec, file->at, file->size, it->keys->desk.seal_secret, NULL), CQ_OK);
  while (cq_batch_next(content, &entry)) {
    records += entry.kind == CQ_ENTRY_RECORD;
    if (entry.kind != CQ_ENTRY_PART) continue;
    assert_int_equal(entry.part_offset, join->next);
    cq_hasher_add(&join->hasher, entry.bytes.at, entry.bytes.size);
    join->next += entry.bytes.size;
    join->total = entry.part_total;
    join->hash = entry.name;
    parts++;
  }
  assert_true(parts == 0 || records == 0);
  join->records_first &= records == 0 || join->parts == 0;
  join->parts += parts;
  join->records += records;
  join->batches++;
  cq_batch_content_free(content);
  cq_batch_codec_free(codec);
}

static void a_large_file_spans_batches_after_the_records(void **state) {
  (void)state;
  cq_laptop laptop;
  cq_pack_report report;
  cq_buf file = {0};
  joining join = {.records_first = true};
  office *it = joined();
  it->setup.attachment_bytes = 300000;
  way_keys(it, "<Enter><Enter>La casa<Enter>casa.jpg<Enter><Enter><Enter><Enter><Enter><Enter><Enter>", 24, 80, NULL,
           NULL);
  look_at_record(it, "image/jpeg=1234567 ");
  cq_hasher_init(&join.hasher);
  for (size_t n = 1; office_batch(it, n, &file); n++) { /* number 1 came with joining */
    assert_true(file.size < 360000);                    /* with the padding */
    open_batch(it, &file, &join);
  }
  assert_int_equal(join.records, 1);
  assert_int_equal(join.parts, 5);
  assert_int_equal(join.batches, 6);
  assert_true(join.records_first);
  assert_int_equal(join.total, 1234567);
  assert_int_equal(join.next, 1234567);
  cq_hash whole = cq_hasher_end(&join.hasher);
  assert_true(cq_hash_equal(&whole, &join.hash));
  /* all is packed; the same photo in another record is not packed again */
  way_open(it, &laptop);
  assert_int_equal(cq_laptop_pack(&laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.batches, 0);
  cq_laptop_close(&laptop);
  way_keys(it, "<Enter><Enter>Otra casa<Enter>casa.jpg<Enter><Enter><Enter><Enter><Enter><Enter><Enter>", 24, 80, NULL,
           NULL);
  size_t batches = 0;
  while (office_batch(it, batches, &file)) batches++;
  assert_int_equal(batches, 1 + 6 + 1);
  way_open(it, &laptop);
  assert_int_equal(attachments_in(&laptop), 1);
  cq_laptop_close(&laptop);
  cq_buf_fini(&file);
  office_free(it);
}

/* Of 993 bytes those stay that draw the picture: bare.c says which. */
static void a_photo_does_not_tell_where_it_was_taken(void **state) {
  (void)state;
  office *it = joined();
  way_keys(it, "<Enter><Enter>La casa<Enter>campo.jpg<Enter><Enter><Enter><Enter><Enter><Enter><Enter>", 24, 80, NULL,
           NULL);
  look_at_record(it, "image/jpeg=786 ");
  office_free(it);
}

/* --- left for later --- */

typedef struct stopping {
  int calls, last; /* the call that is answered with no */
  uint64_t done, total;
} stopping;

static bool stop_at(void *context, uint64_t done, uint64_t total) {
  stopping *it = context;
  it->done = done;
  it->total = total;
  return ++it->calls < it->last;
}

typedef struct page_at_work {
  cq_backend *recorder; /* first */
  cq_buf seen;          /* when Esc was pressed */
} page_at_work;

static void see_work(void *context, cq_key key) {
  page_at_work *it = context;
  if (key == CQ_KEY_ESCAPE) cq_grid_text(cq_recorder_grid(it->recorder), &it->seen);
}

static void packing_a_large_file_is_shown_and_can_be_left_for_later(void **state) {
  (void)state;
  cq_laptop laptop;
  cq_pack_report report;
  cq_buf file = {0}, record = {0};
  page_at_work page = {0};
  joining join = {.records_first = true};
  office *it = joined();
  it->setup.attachment_bytes = 300000;
  way_keys(it, "<Enter><Enter>La casa<Enter>casa.jpg<Enter><Enter><Enter><Enter><Enter><Enter><Enter><!Up><!Esc>", 24,
           80, see_work, &page);
  assert_non_null(page.seen.at);
  assert_non_null(strstr(page.seen.at, "0.0 of 1.2 MB"));
  assert_int_equal(way_record(it, &record), CQ_RESULT_COMPLETE);
  /* at the third part no more, and then the rest: each part once */
  for (int round = 0; round < 2; round++) {
    stopping stop = {.last = round == 0 ? 3 : 99};
    cq_pack_watch watch = {stop_at, &stop, false};
    way_open(it, &laptop);
    assert_int_equal(cq_laptop_pack(&laptop, &watch, &report, NULL), CQ_OK);
    cq_laptop_close(&laptop);
    assert_int_equal(stop.total, round == 0 ? 1234567 : 634567);
    assert_int_equal(stop.calls, 3);
    assert_int_equal(stop.done, 600000);
    assert_int_equal(report.left, round == 0 ? 634567 : 0);
    assert_int_equal(report.attachments, round);
  }
  cq_hasher_init(&join.hasher);
  for (size_t n = 1; office_batch(it, n, &file); n++) open_batch(it, &file, &join);
  assert_int_equal(join.records, 1);
  assert_int_equal(join.parts, 5);
  assert_int_equal(join.next, 1234567);
  cq_hash whole = cq_hasher_end(&join.hasher);
  assert_true(cq_hash_equal(&whole, &join.hash));
  cq_buf_fini(&page.seen);
  cq_buf_fini(&file);
  cq_buf_fini(&record);
  office_free(it);
}

static void reading_a_large_file_can_be_stopped(void **state) {
  (void)state;
  cq_laptop laptop;
  page_at_work page = {0};
  office *it = joined();
  write_bytes("enorme.jpg", JPEG, 6, 9000000);
  way_keys(it, "<Enter><Enter>La casa<Enter>enorme.jpg<Enter><!Esc>", 24, 80, see_work, &page);
  assert_non_null(page.seen.at);
  assert_non_null(strstr(page.seen.at, "0.0 of 9.0 MB"));
  way_open(it, &laptop);
  assert_int_equal(attachments_in(&laptop), 0);
  cq_laptop_close(&laptop);
  way_keys(it, "<Down><Enter><Enter>enorme.jpg<Enter>", 24, 80, NULL, NULL);
  way_open(it, &laptop);
  /* asked at the beginning and after each 4 MiB */
  stopping stop = {.last = 99};
  cq_attached attached;
  assert_int_equal(cq_attach_read(&attached, laptop.store, "enorme.jpg", CQ_STR("image/*"), laptop.random,
                                  &(cq_attach_watch){stop_at, &stop}, NULL),
                   CQ_OK);
  assert_int_equal(stop.calls, 3);
  assert_int_equal(attachments_in(&laptop), 1);
  cq_laptop_close(&laptop);
  cq_buf_fini(&page.seen);
  office_free(it);
}

int main(void) {
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  setenv("LANGUAGE", "en", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_and_keys_take_files),
      cmocka_unit_test(what_is_replaced_cleared_or_removed_goes),
      cmocka_unit_test(paths_are_understood),
      cmocka_unit_test(paths_are_completed),
      cmocka_unit_test(files_are_told_by_their_bytes),
      cmocka_unit_test(what_cannot_be_attached_is_refused),
      cmocka_unit_test(an_accepted_file_survives_being_killed),
      cmocka_unit_test(a_large_file_spans_batches_after_the_records),
      cmocka_unit_test(a_photo_does_not_tell_where_it_was_taken),
      cmocka_unit_test(reading_a_large_file_can_be_stopped),
      cmocka_unit_test(packing_a_large_file_is_shown_and_can_be_left_for_later),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
