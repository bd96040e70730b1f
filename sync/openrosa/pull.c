/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/openrosa/pull.h"

#include "chasqui/file.h"
#include "sync/openrosa/xml.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MAX = 8 << 20, MANIFEST_MAX = 4 << 20, URL_MAX = 2048, HASH_MAX = 200 };

typedef struct pull {
  rosa *o;
  const char *folder;
  cq_arena *arena;
  cq_pulled old, now;
  cq_str *downloads; /* of now.forms; "" where the list has not changed */
  size_t room;
  cq_handover_pulled *counts;
  /* of the manifest being read */
  cq_pulled_form *form;
  cq_str *media_downloads;
  size_t media_room;
} pull;

/* --- small things --- */
static bool keep(pull *p, cq_str *out, cq_str text) {
  *out = cq_arena_copy(p->arena, text);
  return out->at != NULL;
}

static bool is_there(const pull *p, cq_str file) {
  cq_buf path = {0};
  bool there = cq_file_path(&path, p->folder, file.at, NULL) == CQ_OK && access(path.at, F_OK) == 0;
  cq_buf_fini(&path);
  return there;
}

/* Whether bytes have the MD5 that the server named; a hash of another kind says nothing of them. */
static bool fits(cq_str hash, cq_str bytes) {
  uint8_t wanted[16], own[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (cq_str_starts(hash, CQ_STR("md5:"))) hash = (cq_str){hash.at + 4, hash.size - 4};
  if (!cq_hex_decode(hash, wanted, sizeof wanted)) return true;
  return EVP_Digest(bytes.at ? bytes.at : "", bytes.size, own, &size, EVP_md5(), NULL) == 1 && size == sizeof wanted &&
         memcmp(own, wanted, sizeof wanted) == 0;
}

/* Faults that another form would meet as well. */
static bool ends_all(cq_status status, const cq_error *error) {
  static const char *const codes[] = {"openrosa.secret", "openrosa.busy", "openrosa.quota"};
  if (status == CQ_NOMEM || status == CQ_CANCELLED) return true;
  for (size_t i = 0; error->code && i < sizeof codes / sizeof *codes; i++)
    if (strcmp(error->code, codes[i]) == 0) return true;
  return error->code && (strncmp(error->code, "sync.net.", 9) == 0 ? strcmp(error->code, "sync.net.large") != 0
                                                                   : strncmp(error->code, "io.", 3) == 0);
}

/* --- fetching one file --- */
static cq_status get(pull *p, cq_str url, cq_str etag, size_t limit, cq_error *error) {
  rosa_request ask = {.method = "GET", .path = url.at, .etag = etag.at, .limit = limit};
  return rosa_ask_again(p->o, &ask, error);
}

/* `hash` empty: it says nothing of the bytes. */
static cq_status fetch(pull *p, cq_str url, cq_str file, cq_str hash, size_t limit, uint64_t *size, cq_error *error) {
  cq_buf path = {0};
  cq_status status = get(p, url, CQ_STR(""), limit, error);
  if (!status && p->o->http.status != 200) status = rosa_fault(p->o, error);
  if (!status && !fits(hash, cq_buf_str(&p->o->http.body))) {
    /* Changed between list and file, or on a bad line: once more. */
    status = get(p, url, CQ_STR(""), limit, error);
    if (!status && !fits(hash, cq_buf_str(&p->o->http.body)))
      status = cq_error_set(error, CQ_IO, "openrosa.form.hash", url.at, NULL);
  }
  if (!status) status = cq_file_path(&path, p->folder, file.at, error);
  if (!status) {
    status = cq_file_replace(path.at, p->o->http.body.at ? p->o->http.body.at : "", p->o->http.body.size, 0600, false,
                             error);
    *size = p->o->http.body.size;
  }
  cq_buf_fini(&path);
  return status;
}

/* --- the list of forms --- */
static bool grow(pull *p) {
  if (p->now.form_count < p->room) return true;
  size_t room = p->room ? p->room * 2 : 32;
  cq_pulled_form *forms = cq_arena_array(p->arena, room, sizeof *forms);
  cq_str *downloads = cq_arena_array(p->arena, room, sizeof *downloads);
  if (!forms || !downloads) return false;
  if (p->room) {
    memcpy(forms, p->now.forms, p->room * sizeof *forms);
    memcpy(downloads, p->downloads, p->room * sizeof *downloads);
  }
  p->now.forms = forms;
  p->downloads = downloads;
  p->room = room;
  return true;
}

/* A hash for what has none: then it is fetched each time. */
static bool keep_hash(pull *p, cq_str *out, cq_str hash, cq_str url, bool *always) {
  cq_buf text = {0};
  *always = hash.size == 0 || hash.size > HASH_MAX;
  if (!*always) return keep(p, out, hash);
  cq_buf_add_text(&text, "address:");
  cq_buf_add_str(&text, url);
  bool kept = !text.failed && keep(p, out, cq_buf_str(&text));
  cq_buf_fini(&text);
  return kept;
}

static bool keep_file(pull *p, cq_str *out, cq_str hash, bool form) {
  char name[40];
  cq_pulled_file_name(name, hash, form);
  return keep(p, out, cq_str_from(name));
}

static cq_status see_form(void *context, const cq_str *v, cq_str type, cq_error *error) {
  pull *p = context;
  bool always;
  (void)type;
  if (v[0].size == 0 || v[0].size > 255 || v[1].size > 255 || v[2].size > 1024 || v[4].size == 0 ||
      v[4].size > URL_MAX || v[5].size > URL_MAX)
    return cq_error_set(error, CQ_INVALID, "openrosa.list", "xform", NULL);
  if (p->now.form_count == CQ_PULLED_MAX_FORMS) return cq_error_set(error, CQ_LIMIT, "openrosa.list", "2000", NULL);
  if (!grow(p)) return cq_error_nomem(error);
  cq_pulled_form *form = &p->now.forms[p->now.form_count];
  *form = (cq_pulled_form){0};
  bool kept = keep(p, &form->id, v[0]) && keep(p, &form->version, v[1]) && keep(p, &form->name, v[2]) &&
              keep_hash(p, &form->hash, v[3], v[4], &always) && keep_file(p, &form->file, form->hash, true) &&
              keep(p, &p->downloads[p->now.form_count], v[4]) && keep(p, &form->manifest, v[5]) &&
              keep(p, &form->manifest_etag, CQ_STR(""));
  p->now.form_count += kept;
  return kept ? CQ_OK : cq_error_nomem(error);
}

static const cq_pulled_form *old_form(const pull *p, const cq_pulled_form *form) {
  for (size_t i = 0; i < p->old.form_count; i++)
    if (cq_str_equal(p->old.forms[i].id, form->id)) return &p->old.forms[i];
  return NULL;
}

static bool old_is_whole(const pull *p) {
  bool whole = true;
  for (size_t i = 0; i < p->old.form_count && whole; i++) whole = is_there(p, p->old.forms[i].file);
  return whole;
}

/* The same list as before: its rows again, for their manifests may have changed. */
static cq_status same_list(pull *p, cq_error *error) {
  for (size_t i = 0; i < p->old.form_count; i++) {
    if (!grow(p)) return cq_error_nomem(error);
    p->downloads[p->now.form_count] = CQ_STR("");
    p->now.forms[p->now.form_count++] = p->old.forms[i];
  }
  p->now.etag = p->old.etag;
  return CQ_OK;
}

static cq_status read_list(pull *p, cq_error *error) {
  rosa_xml list = {.root = "xforms",
                   .item = "xform",
                   .fields = {"formID", "version", "name", "hash", "downloadUrl", "manifestUrl"},
                   .seen = see_form,
                   .context = p};
  cq_status status = get(p, CQ_STR("/formList"), old_is_whole(p) ? p->old.etag : CQ_STR(""), LIST_MAX, error);
  if (status) return status;
  if (p->o->http.status == 304) return same_list(p, error);
  if (p->o->http.status != 200) return rosa_fault(p->o, error);
  status = rosa_xml_read(&list, cq_buf_str(&p->o->http.body), error);
  if (!status && !keep(p, &p->now.etag, cq_str_from(p->o->http.etag))) status = cq_error_nomem(error);
  return status;
}

/* --- a form's media --- */
static cq_status see_media(void *context, const cq_str *v, cq_str type, cq_error *error) {
  pull *p = context;
  cq_pulled_form *form = p->form;
  bool always, good = v[0].size > 0 && v[0].size <= 255 && v[2].size > 0 && v[2].size <= URL_MAX;
  for (size_t i = 0; good && i < v[0].size; i++)
    good = (unsigned char)v[0].at[i] >= ' ' && v[0].at[i] != 0x7f && v[0].at[i] != '/' && v[0].at[i] != '\\';
  if (!good || cq_str_is(v[0], ".") || cq_str_is(v[0], ".."))
    return cq_error_set(error, CQ_INVALID, "openrosa.list", "mediaFile", NULL);
  if (form->media_count == CQ_PULLED_MAX_MEDIA) return cq_error_set(error, CQ_LIMIT, "openrosa.list", "1000", NULL);
  if (form->media_count == p->media_room) {
    size_t room = p->media_room ? p->media_room * 2 : 16;
    cq_pulled_media *media = cq_arena_array(p->arena, room, sizeof *media);
    cq_str *downloads = cq_arena_array(p->arena, room, sizeof *downloads);
    if (!media || !downloads) return cq_error_nomem(error);
    if (p->media_room) {
      memcpy(media, form->media, p->media_room * sizeof *media);
      memcpy(downloads, p->media_downloads, p->media_room * sizeof *downloads);
    }
    form->media = media;
    p->media_downloads = downloads;
    p->media_room = room;
  }
  cq_pulled_media *one = &form->media[form->media_count];
  one->is_list = cq_str_is(type, "entityList");
  if (!keep(p, &one->name, v[0]) || !keep_hash(p, &one->hash, v[1], v[2], &always) ||
      !keep_file(p, &one->file, one->hash, false) || !keep(p, &p->media_downloads[form->media_count], v[2]))
    return cq_error_nomem(error);
  form->media_count++;
  return CQ_OK;
}

static bool is_by_address(cq_str hash) {
  return cq_str_starts(hash, CQ_STR("address:"));
}

static cq_status fetch_media(pull *p, cq_pulled_form *form, cq_error *error) {
  uint64_t all = 0;
  cq_status status = CQ_OK;
  for (size_t i = 0; !status && i < form->media_count; i++) {
    const cq_pulled_media *media = &form->media[i];
    uint64_t size = 0;
    if (!is_by_address(media->hash) && is_there(p, media->file)) {
      p->counts->unchanged++;
      continue;
    }
    /* A list's hash is of its state in the server, not of the bytes. */
    status = fetch(p, p->media_downloads[i], media->file, media->is_list ? CQ_STR("") : media->hash, CQ_PULLED_MAX_FILE,
                   &size, error);
    all += size;
    if (!status) p->counts->files++;
    if (!status && all > CQ_PULLED_MAX_FORM_FILES)
      status = cq_error_set(error, CQ_LIMIT, "openrosa.form.large", form->id.at, NULL);
  }
  return status;
}

static bool media_there(const pull *p, const cq_pulled_form *form) {
  bool there = true;
  for (size_t i = 0; there && i < form->media_count; i++)
    there = is_there(p, form->media[i].file) && !is_by_address(form->media[i].hash);
  return there;
}

static cq_status pull_media(pull *p, cq_pulled_form *form, const cq_pulled_form *before, cq_error *error) {
  rosa_xml manifest = {.root = "manifest",
                       .item = "mediaFile",
                       .fields = {"filename", "hash", "downloadUrl"},
                       .seen = see_media,
                       .context = p};
  if (form->manifest.size == 0) return CQ_OK;
  bool known = before && cq_str_equal(before->manifest, form->manifest) && media_there(p, before);
  cq_status status = get(p, form->manifest, known ? before->manifest_etag : CQ_STR(""), MANIFEST_MAX, error);
  if (status) return status;
  if (p->o->http.status == 304 && known) {
    form->media = before->media;
    form->media_count = before->media_count;
    form->manifest_etag = before->manifest_etag;
    p->counts->unchanged += (uint32_t)form->media_count;
    return CQ_OK;
  }
  if (p->o->http.status != 200) return rosa_fault(p->o, error);
  p->form = form;
  p->media_room = 0;
  form->media = NULL;
  form->media_count = 0;
  if (!keep(p, &form->manifest_etag, cq_str_from(p->o->http.etag))) return cq_error_nomem(error);
  status = rosa_xml_read(&manifest, cq_buf_str(&p->o->http.body), error);
  return status ? status : fetch_media(p, form, error);
}

static cq_status pull_form(pull *p, size_t i, cq_error *error) {
  cq_pulled_form *form = &p->now.forms[i];
  const cq_pulled_form *before = old_form(p, form);
  cq_status status = CQ_OK;
  uint64_t size;
  if (!is_by_address(form->hash) && is_there(p, form->file)) {
    p->counts->unchanged++;
  } else if (p->downloads[i].size) {
    status = fetch(p, p->downloads[i], form->file, form->hash, CQ_PULLED_MAX_FORM, &size, error);
    p->counts->forms += status == CQ_OK;
  }
  return status ? status : pull_media(p, form, before, error);
}

static cq_status pull_forms(pull *p, cq_error *passed, cq_error *error) {
  cq_status status = CQ_OK;
  size_t kept = 0;
  for (size_t i = 0; !status && i < p->now.form_count; i++) {
    cq_error why;
    cq_error_clear(&why);
    cq_pulled_form form = p->now.forms[i];
    const cq_pulled_form *before = old_form(p, &form);
    cq_status one = pull_form(p, i, &why);
    form = p->now.forms[i];
    if (one && ends_all(one, &why)) {
      if (error) *error = why;
      return one;
    }
    if (one) {
      p->counts->failed++;
      if (!passed->code) *passed = why;
      p->now.etag = CQ_STR(""); /* so that the next pull asks for it again */
      if (!before || !is_there(p, before->file) || !media_there(p, before)) continue;
      form = *before;
    }
    p->now.forms[kept++] = form;
  }
  p->now.form_count = kept;
  return status;
}

/* --- what no form names any more --- */
static bool is_named(const pull *p, const char *name) {
  for (size_t i = 0; i < p->now.form_count; i++) {
    const cq_pulled_form *form = &p->now.forms[i];
    if (cq_str_is(form->file, name)) return true;
    for (size_t m = 0; m < form->media_count; m++)
      if (cq_str_is(form->media[m].file, name)) return true;
  }
  return false;
}

static void remove_unnamed(const pull *p) {
  DIR *folder = opendir(p->folder);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    size_t size = strlen(entry->d_name);
    bool ours = (size == 36 && strcmp(entry->d_name + 32, ".xml") == 0) ||
                (size == 38 && strcmp(entry->d_name + 32, ".media") == 0);
    if (ours && !is_named(p, entry->d_name)) unlinkat(dirfd(folder), entry->d_name, 0);
  }
  closedir(folder);
}

cq_status rosa_pull(rosa *o, const char *folder, cq_handover_pulled *counts, cq_error *passed, cq_error *error) {
  pull p = {.o = o, .folder = folder, .arena = cq_arena_new(64 << 20), .counts = counts};
  *counts = (cq_handover_pulled){0};
  cq_error_clear(passed);
  cq_status status = p.arena ? cq_file_make_folder(folder, error) : cq_error_nomem(error);
  if (!status && cq_pulled_read(&p.old, folder, p.arena, NULL) != CQ_OK) p.old = (cq_pulled){0};
  p.now.url = cq_buf_str(&o->address);
  if (!status && !cq_str_equal(p.old.url, p.now.url)) p.old = (cq_pulled){0};
  if (!status) status = read_list(&p, error);
  counts->offered = (uint32_t)p.now.form_count;
  if (!status) status = pull_forms(&p, passed, error);
  p.now.pulled_utc_ms = o->clock->now_utc_ms(o->clock->context);
  if (!status) status = cq_pulled_write(&p.now, folder, error);
  if (!status) remove_unnamed(&p);
  cq_arena_free(p.arena);
  return status;
}
