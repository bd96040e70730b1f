/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/laptop.h"

#include "chasqui/file.h"
#include "collector/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough that a line which breaks loses little, and that packing takes little memory. */
enum { ATTACHMENT_BYTES = 16 << 20 };

/* A vault that is being made; what a power cut leaves of it is thrown away by the next join or restore. */
#define JOINING "joining.new"

/* --- the home --- */

static bool is_vault_name(const char *name) {
  size_t size = strlen(name);
  return size > 6 && strcmp(name + size - 6, ".vault") == 0;
}

cq_status cq_laptop_vault(cq_buf *path, const char *home, cq_error *error) {
  cq_status status = CQ_OK;
  size_t found = 0;
  DIR *folder = opendir(home);
  if (!folder && errno != ENOENT) return cq_error_io(error, "io.open", home, errno);
  for (struct dirent *entry; folder && status == CQ_OK && (entry = readdir(folder)) != NULL;) {
    if (!is_vault_name(entry->d_name)) continue;
    found++;
    status = cq_file_path(path, home, entry->d_name, error);
  }
  if (folder) closedir(folder);
  if (status != CQ_OK) return status;
  if (found == 0) return cq_error_set(error, CQ_NOTFOUND, "collector.home.empty", home, NULL);
  if (found > 1) return cq_error_set(error, CQ_REFUSED, "collector.home.many", home, NULL);
  return CQ_OK;
}

bool cq_laptop_practice(const cq_laptop *laptop) {
  return laptop->device.practice;
}

cq_str cq_laptop_title(const cq_laptop *laptop) {
  /* TRANSLATORS: the two letters of this catalogue's language. */
  return cq_programme_title_in(laptop->programme, cq_str_from(_("en")));
}

/* --- the bundle in force --- */

static cq_store_form_status form_status(cq_form_status status) {
  switch (status) {
  case CQ_FORM_CURRENT: return CQ_STORE_FORM_CURRENT;
  case CQ_FORM_CLOSING: return CQ_STORE_FORM_CLOSING;
  default: return CQ_STORE_FORM_WITHDRAWN;
  }
}

/* The phrase that the laptop joined with, kept in the vault: later bundles bring sealed lists anew. */
#define SETTING_INVITATION "invitation"

/* A list that the phrase at hand does not open stays as it was, or is left out where there was none. */
static cq_status open_list(cq_store *store, const cq_bundle_file *file, cq_str phrase, cq_buf *opened, bool *there,
                           cq_error *error) {
  char name[256];
  cq_status status = CQ_REFUSED;
  if (phrase.size > 0) status = cq_bundle_file_open(opened, file, phrase, error);
  *there = true;
  if (status != CQ_REFUSED || file->name.size >= sizeof name) return status;
  memcpy(name, file->name.at, file->name.size);
  name[file->name.size] = '\0';
  status = cq_store_list_bytes(store, name, opened, error);
  *there = status != CQ_NOTFOUND;
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

static cq_status gather_lists(cq_store *store, const cq_bundle_content *content, cq_str phrase, cq_store_list *lists,
                              cq_buf *opened, size_t *count, cq_error *error) {
  for (size_t i = 0; i < content->file_count; i++) {
    const cq_bundle_file *file = &content->files[i];
    cq_str bytes = file->bytes;
    bool there = true;
    if (file->sealed) {
      cq_status status = open_list(store, file, phrase, &opened[*count], &there, error);
      if (status != CQ_OK) return status;
      bytes = cq_buf_str(&opened[*count]);
    }
    if (there) lists[(*count)++] = (cq_store_list){file->name, bytes};
  }
  return CQ_OK;
}

/* The courier pushes under the programme's bundle. */
static cq_status put_bundle(const char *home, cq_str bytes, cq_error *error) {
  cq_buf folder = {0};
  cq_status status = cq_home_folder(&folder, home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, CQ_BUNDLE_FILE, bytes.at, bytes.size, NULL, NULL, error);
  cq_buf_fini(&folder);
  return status;
}

cq_status cq_laptop_adopt(cq_store *store, const char *home, const cq_bundle *bundle, cq_str bytes, cq_str phrase,
                          cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  cq_store_form *forms = calloc(content->form_count + 1, sizeof *forms);
  cq_store_list *lists = calloc(content->file_count + 1, sizeof *lists);
  cq_buf *opened = calloc(content->file_count + 1, sizeof *opened), kept = {0};
  size_t list_count = 0;
  cq_status status = forms && lists && opened ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < content->form_count; i++) {
    const cq_bundle_form *form = &content->forms[i];
    forms[i] = (cq_store_form){.id = form->id,
                               .version = form->version,
                               .title = form->id,
                               .status = form_status(form->status),
                               .bytes = form->xml};
    memcpy(forms[i].hash, form->hash.at, sizeof forms[i].hash);
  }
  if (status == CQ_OK && phrase.size == 0 && cq_store_get(store, SETTING_INVITATION, &kept, NULL) == CQ_OK)
    phrase = cq_buf_str(&kept);
  if (status == CQ_OK) status = gather_lists(store, content, phrase, lists, opened, &list_count, error);
  if (status == CQ_OK)
    status = cq_store_bundle_adopt(store, (int64_t)content->number, bytes, forms, content->form_count, lists,
                                   list_count, error);
  if (status == CQ_OK) status = put_bundle(home, bytes, error);
  for (size_t i = 0; opened && i < content->file_count; i++) cq_buf_fini_secret(&opened[i]);
  cq_buf_fini_secret(&kept);
  free(opened);
  free(lists);
  free(forms);
  return status;
}

/* --- opening --- */

static void find_technician(cq_laptop *laptop) {
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  size_t count = cq_vault_slots(cq_store_vault(laptop->store), slots);
  for (size_t i = 0; i < count; i++) {
    if (!slots[i].opened_this) continue;
    memcpy(laptop->technician, slots[i].label, sizeof laptop->technician);
    laptop->slot = slots[i].id;
  }
}

static cq_status read_secret(cq_store *store, const char *name, size_t size, cq_secret **secret, cq_error *error) {
  *secret = cq_secret_new(size);
  if (!*secret) return cq_error_nomem(error);
  return cq_store_secret_get(store, name, cq_secret_bytes(*secret), size, error);
}

static cq_status read_keys(cq_laptop *laptop, cq_error *error) {
  int64_t sign_size = 0, seal_size = 0;
  cq_status status = cq_store_get_int(laptop->store, "signing size", &sign_size, error);
  if (status == CQ_OK) status = cq_store_get_int(laptop->store, "sealing size", &seal_size, error);
  if (status == CQ_OK) status = read_secret(laptop->store, "signing", (size_t)sign_size, &laptop->sign, error);
  if (status == CQ_OK) status = read_secret(laptop->store, "sealing", (size_t)seal_size, &laptop->seal, error);
  if (status == CQ_OK) status = cq_sign_public(&laptop->sign_key, laptop->sign, error);
  if (status == CQ_OK) status = cq_seal_public(&laptop->seal_key, laptop->seal, error);
  return status;
}

static cq_status read_bundle(cq_laptop *laptop, cq_error *error) {
  cq_buf bytes = {0};
  int64_t number;
  cq_sign_key first;
  memcpy(first.at, laptop->device.programme, sizeof first.at);
  cq_programme_id pinned = cq_programme_id_of(&first);
  cq_status status = cq_store_bundle_current(laptop->store, &number, &bytes, error);
  if (status == CQ_OK) status = cq_bundle_read(&laptop->bundle, bytes.at, bytes.size, &pinned, error);
  if (status == CQ_OK)
    status = cq_programme_parse(&laptop->programme, cq_bundle_content_of(laptop->bundle)->programme_json, false, error);
  cq_buf_fini(&bytes);
  return status;
}

static cq_status read_chain(cq_laptop *laptop, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = cq_store_get(laptop->store, "certificate", &bytes, error);
  if (status == CQ_OK && bytes.size > 0) status = cq_chain_read(&laptop->chain, bytes.at, bytes.size, error);
  if (status == CQ_NOTFOUND) status = CQ_OK;
  cq_buf_fini(&bytes);
  return status;
}

static void set_up(cq_laptop *laptop, const cq_laptop_setup *setup) {
  *laptop = (cq_laptop){0};
  laptop->clock = setup && setup->clock ? setup->clock : &cq_clock_system;
  laptop->random = setup && setup->random ? setup->random : &cq_random_system;
  if (setup) laptop->vault_options = setup->vault;
  laptop->attachment_bytes = setup && setup->attachment_bytes ? setup->attachment_bytes : ATTACHMENT_BYTES;
}

/* New keys in this vault: on joining, and where the file is a copy of the one its device began in. */
static cq_status begin_device(cq_store *store, cq_store_device *device, const cq_laptop *about, cq_error *error) {
  cq_sign_key sign_key;
  cq_seal_key seal_key;
  cq_secret *sign = NULL, *seal = NULL;
  cq_status status = cq_sign_pair(&sign_key, &sign, about->random, error);
  if (status == CQ_OK) status = cq_seal_pair(&seal_key, &seal, about->random, error);
  if (status == CQ_OK) status = cq_store_set_int(store, "signing size", (int64_t)cq_secret_size(sign), error);
  if (status == CQ_OK) status = cq_store_set_int(store, "sealing size", (int64_t)cq_secret_size(seal), error);
  /* The certificate of a device before is not this one's. */
  if (status == CQ_OK) status = cq_store_set(store, "certificate", CQ_STR(""), error);
  if (status == CQ_OK) {
    device->begun_utc_ms = about->clock->now_utc_ms(about->clock->context);
    device->number = device->last_batch = 0;
    device->copied = false;
    memset(device->last_hash, 0, sizeof device->last_hash);
    memcpy(device->id, sign_key.at, sizeof device->id);
    cq_store_secret secrets[] = {{"signing", cq_secret_view(sign), cq_secret_size(sign)},
                                 {"sealing", cq_secret_view(seal), cq_secret_size(seal)}};
    status = cq_store_device_begin(store, device, secrets, sizeof secrets / sizeof *secrets, error);
  }
  cq_secret_free(sign);
  cq_secret_free(seal);
  return status;
}

static cq_status begin_first_device(cq_store *store, const cq_bundle_content *content, const cq_laptop *about,
                                    cq_error *error) {
  cq_store_device device = {.practice = content->mode == CQ_MODE_PRACTICE};
  memcpy(device.programme, content->first_key.at, sizeof device.programme);
  return begin_device(store, &device, about, error);
}

/* A restored or copied vault goes on as a new device that names the one before, so that no two share a chain. */
static cq_status begin_after_copy(cq_laptop *laptop, cq_error *error) {
  if (!laptop->device.copied) return CQ_OK;
  memcpy(laptop->device.predecessor, laptop->device.id, sizeof laptop->device.predecessor);
  return begin_device(laptop->store, &laptop->device, laptop, error);
}

/* Opens the vault at `path` without looking at the home's folders. */
static cq_status open_vault(cq_laptop *laptop, const char *path, cq_str passphrase, cq_error *error) {
  cq_vault *vault = NULL;
  cq_status status = cq_vault_open(&vault, path, passphrase, &laptop->vault_options, error);
  if (status != CQ_OK) return status;
  status = cq_store_open(&laptop->store, vault, laptop->clock, error);
  if (status != CQ_OK) {
    cq_vault_close(vault);
    return status;
  }
  find_technician(laptop);
  status = cq_store_device_get(laptop->store, &laptop->device, error);
  if (status == CQ_OK) status = begin_after_copy(laptop, error);
  if (status == CQ_OK) status = read_keys(laptop, error);
  if (status == CQ_OK) status = read_bundle(laptop, error);
  if (status == CQ_OK) status = read_chain(laptop, error);
  if (status == CQ_OK) status = cq_names_load(laptop, error);
  return status;
}

cq_status cq_laptop_open(cq_laptop *laptop, const char *home, cq_str passphrase, const cq_laptop_setup *setup,
                         cq_error *error) {
  cq_buf path = {0};
  set_up(laptop, setup);
  cq_status status = cq_laptop_vault(&path, home, error);
  if (status == CQ_OK) {
    laptop->home = strdup(home);
    laptop->vault_path = cq_buf_take(&path, NULL);
    if (!laptop->home || !laptop->vault_path) status = cq_error_nomem(error);
  }
  if (status == CQ_OK) status = open_vault(laptop, laptop->vault_path, passphrase, error);
  cq_buf_fini(&path);
  if (status != CQ_OK) cq_laptop_close(laptop);
  return status;
}

void cq_laptop_close(cq_laptop *laptop) {
  if (!laptop) return;
  cq_names_fini(laptop);
  for (size_t i = 0; i < laptop->obeyed_count; i++) free(laptop->obeyed[i].batches);
  free(laptop->obeyed);
  cq_programme_free(laptop->programme);
  cq_bundle_free(laptop->bundle);
  cq_secret_free(laptop->sign);
  cq_secret_free(laptop->seal);
  cq_store_close(laptop->store);
  free(laptop->home);
  free(laptop->vault_path);
  *laptop = (cq_laptop){0};
}

/* --- the day --- */

static cq_status see_latest(void *context, const cq_store_record *record) {
  int64_t *latest = context;
  if (record->finalised_utc_ms > *latest) *latest = record->finalised_utc_ms;
  return CQ_OK;
}

/* The latest instant that is known to have passed. */
static cq_status latest_known(cq_laptop *laptop, int64_t *latest, cq_error *error) {
  int64_t seen = 0;
  *latest = cq_bundle_content_of(laptop->bundle)->issued_utc_ms;
  cq_status status = cq_store_get_int(laptop->store, "last seen", &seen, error);
  if (status != CQ_OK && status != CQ_NOTFOUND) return status;
  if (seen > *latest) *latest = seen;
  return cq_store_records(laptop->store, -1, see_latest, latest, error);
}

cq_status cq_laptop_clock_doubtful(cq_laptop *laptop, bool *doubtful, cq_date *least, cq_error *error) {
  enum { SLACK_MS = 10 * 60 * 1000 }; /* clocks of office and laptop are never quite alike */
  int64_t latest, now = laptop->clock->now_utc_ms(laptop->clock->context);
  cq_status status = latest_known(laptop, &latest, error);
  if (status != CQ_OK) return status;
  *doubtful = now + SLACK_MS < latest && laptop->working_date.year == 0;
  *least = cq_date_at(laptop->clock, latest);
  return now > latest ? cq_store_set_int(laptop->store, "last seen", now, error) : CQ_OK;
}

cq_status cq_laptop_confirm_date(cq_laptop *laptop, cq_date date, cq_error *error) {
  char text[11];
  int64_t latest;
  cq_status status = latest_known(laptop, &latest, error);
  if (status != CQ_OK) return status;
  cq_date least = cq_date_at(laptop->clock, latest);
  if (cq_date_to_day(date) < cq_date_to_day(least))
    return cq_error_set(error, CQ_INVALID, "collector.date", cq_date_format(least, text), NULL);
  cq_store_event event = {.device_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context),
                          .who = cq_str_from(laptop->technician),
                          .what = CQ_STR("working-date"),
                          .after = cq_str_from(cq_date_format(date, text))};
  status = cq_store_audit_add(laptop->store, &event, error);
  if (status == CQ_OK) laptop->working_date = date;
  return status;
}

cq_date cq_laptop_today(const cq_laptop *laptop) {
  if (laptop->working_date.year != 0) return laptop->working_date;
  return cq_date_at(laptop->clock, laptop->clock->now_utc_ms(laptop->clock->context));
}

/* --- joining --- */

/* A phrase typed wrongly is told when joining, and not passed over. */
static cq_status try_phrase(const cq_bundle_content *content, cq_str phrase, cq_error *error) {
  cq_buf opened = {0};
  cq_status status = CQ_OK;
  for (size_t i = 0; phrase.size > 0 && i < content->file_count; i++) {
    if (!content->files[i].sealed) continue;
    status = cq_bundle_file_open(&opened, &content->files[i], phrase, error);
    break;
  }
  cq_buf_fini_secret(&opened);
  return status;
}

static cq_status make_vault(const cq_laptop *about, const cq_bundle *bundle, cq_str bytes, const char *path,
                            const char *home, const char *technician, cq_str passphrase, cq_str phrase,
                            cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  cq_status status = cq_vault_create(&vault, path, passphrase, technician,
                                     (const uint8_t(*)[CQ_VAULT_KEY_SIZE]) & content->vault_recovery.at, 1,
                                     &about->vault_options, error);
  if (status != CQ_OK) return status;
  status = cq_store_open(&store, vault, about->clock, error);
  if (status != CQ_OK) {
    cq_vault_close(vault);
    return status;
  }
  status = begin_first_device(store, content, about, error);
  if (status == CQ_OK) status = try_phrase(content, phrase, error);
  if (status == CQ_OK) status = cq_laptop_adopt(store, home, bundle, bytes, phrase, error);
  if (status == CQ_OK && phrase.size > 0) status = cq_store_set(store, SETTING_INVITATION, phrase, error);
  if (status == CQ_OK) status = cq_vault_settle(vault, error); /* it is renamed */
  cq_store_close(store);
  return status;
}

static void remove_vault(const char *path) {
  char log[4200];
  snprintf(log, sizeof log, "%s-log", path);
  unlink(path);
  unlink(log);
}

/* The vault is made under another name, and appears when it is whole. */
static cq_status put_in_place(const char *from, const char *home, cq_str code, bool practice, cq_buf *path,
                              cq_error *error) {
  cq_buf name = {0};
  cq_buf_add_str(&name, code);
  cq_buf_add_text(&name, practice ? "-practice.vault" : ".vault");
  cq_status status = name.failed ? cq_error_nomem(error) : cq_file_path(path, home, name.at, error);
  cq_buf_fini(&name);
  if (status != CQ_OK) return status;
  if (rename(from, path->at) != 0) return cq_error_io(error, "io.rename", path->at, errno);
  return cq_file_sync_folder(home, error);
}

/* The certificate request of a device that has just begun; nobody knows of it yet, so without it nothing is left. */
static cq_status first_batch(const char *path, const char *home, cq_str passphrase, const cq_laptop_setup *setup,
                             cq_error *error) {
  cq_laptop laptop;
  cq_pack_report packed;
  cq_status status = cq_laptop_open(&laptop, home, passphrase, setup, error);
  if (status == CQ_OK) {
    status = cq_laptop_pack(&laptop, NULL, &packed, error);
    cq_laptop_close(&laptop);
  }
  if (status != CQ_OK) remove_vault(path);
  return status;
}

cq_status cq_laptop_join(const cq_bundle *bundle, cq_str bundle_bytes, const char *home, const char *technician,
                         cq_str passphrase, cq_str phrase, const cq_laptop_setup *setup, cq_error *error) {
  cq_laptop about;
  cq_programme *programme = NULL;
  cq_buf making = {0}, path = {0};
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  set_up(&about, setup);
  if (cq_laptop_vault(&path, home, NULL) != CQ_NOTFOUND) {
    cq_buf_fini(&path);
    return cq_error_set(error, CQ_REFUSED, "collector.home.taken", home, NULL);
  }
  cq_status status = cq_file_make_folder(home, error);
  if (status == CQ_OK) status = cq_programme_parse(&programme, content->programme_json, false, error);
  if (status == CQ_OK) status = cq_file_path(&making, home, JOINING, error);
  if (status == CQ_OK) {
    remove_vault(making.at);
    status = make_vault(&about, bundle, bundle_bytes, making.at, home, technician, passphrase, phrase, error);
    if (status == CQ_OK)
      status = put_in_place(making.at, home, programme->code, content->mode == CQ_MODE_PRACTICE, &path, error);
    if (status != CQ_OK) remove_vault(making.at);
  }
  if (status == CQ_OK) status = first_batch(path.at, home, passphrase, setup, error);
  cq_programme_free(programme);
  cq_buf_fini(&making);
  cq_buf_fini(&path);
  return status;
}

/* --- restoring --- */

/* Another device begins in it, and the courier gets what it needs. */
static cq_status go_on(cq_laptop *laptop, const char *path, const char *home, cq_str passphrase, cq_error *error) {
  int64_t entries = 0, number = 0;
  cq_buf bytes = {0};
  cq_status status = open_vault(laptop, path, passphrase, error);
  if (status == CQ_OK) status = cq_store_audit_verify(laptop->store, &entries, error);
  if (status == CQ_OK) status = cq_store_bundle_current(laptop->store, &number, &bytes, error);
  if (status == CQ_OK) status = put_bundle(home, cq_buf_str(&bytes), error);
  if (status == CQ_OK) status = cq_vault_settle(cq_store_vault(laptop->store), error); /* it is renamed */
  cq_buf_fini(&bytes);
  return status;
}

cq_status cq_laptop_find_copy(cq_buf *path, const char *copy, const char *home, cq_error *error) {
  struct stat found;
  if (cq_laptop_vault(path, home, NULL) != CQ_NOTFOUND)
    return cq_error_set(error, CQ_REFUSED, "collector.restore.taken", home, NULL);
  if (stat(copy, &found) == 0 && S_ISDIR(found.st_mode)) {
    cq_status status = cq_laptop_vault(path, copy, error);
    if (status == CQ_NOTFOUND) return cq_error_set(error, CQ_NOTFOUND, "collector.restore.none", copy, NULL);
    if (status == CQ_REFUSED) return cq_error_set(error, CQ_REFUSED, "collector.restore.many", copy, NULL);
    return status;
  }
  if (access(copy, R_OK) != 0) return cq_error_io(error, "io.open", copy, errno);
  cq_buf_reset(path);
  cq_buf_add_text(path, copy);
  return path->failed ? cq_error_nomem(error) : CQ_OK;
}

cq_status cq_laptop_restore(const char *copy, const char *home, cq_str passphrase, const cq_laptop_setup *setup,
                            cq_vault_watcher *watcher, void *context, cq_error *error) {
  cq_laptop about;
  cq_buf from = {0}, making = {0}, path = {0};
  set_up(&about, setup);
  cq_status status = cq_laptop_find_copy(&from, copy, home, error);
  if (status == CQ_OK) status = cq_file_make_folder(home, error);
  if (status == CQ_OK) status = cq_file_path(&making, home, JOINING, error);
  if (status == CQ_OK) {
    remove_vault(making.at);
    status = cq_vault_restore(from.at, making.at, passphrase, &about.vault_options, watcher, context, error);
    if (status == CQ_OK && (status = go_on(&about, making.at, home, passphrase, error)) != CQ_OK)
      cq_error_at_file(error, copy); /* a desk's, or of a newer program */
    cq_programme *programme = about.programme;
    bool practice = cq_laptop_practice(&about);
    about.programme = NULL;
    cq_laptop_close(&about);
    if (status == CQ_OK) status = put_in_place(making.at, home, programme->code, practice, &path, error);
    cq_programme_free(programme);
    if (status != CQ_OK) remove_vault(making.at);
  }
  if (status == CQ_OK) status = first_batch(path.at, home, passphrase, setup, error);
  cq_buf_fini(&from);
  cq_buf_fini(&making);
  cq_buf_fini(&path);
  return status;
}
