/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/collector/office.h"

#include "chasqui/file.h"
#include "tests/batch/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(cq_status status, const cq_error *error) {
  if (status == CQ_OK) return;
  fprintf(stderr, "%s %s\n", error && error->code ? error->code : "?", error && error->argc ? error->arg[0] : "");
  abort();
}

office *office_new(cq_mode mode, cq_bundle_form *forms, size_t form_count) {
  const char *folder = getenv("CHASQUI_TEST_TMP");
  office *it = calloc(1, sizeof *it);
  if (!it) abort();
  it->keys = fixture_new(7, mode);
  it->forms = forms;
  it->form_count = form_count;
  snprintf(it->home, sizeof it->home, "%s/laptop.XXXXXX", folder ? folder : "/tmp");
  if (!mkdtemp(it->home)) abort();
  it->at = (cq_clock_fixed){fixture_now, -300};
  it->clock = cq_clock_fix(&it->at);
  it->random = it->keys->random;
  it->setup = (cq_laptop_setup){.clock = &it->clock, .random = &it->random, .vault = {.effort = CQ_VAULT_EFFORT_LEAST}};
  return it;
}

void office_free(office *it) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", it->home);
  if (system(command) != 0) abort();
  fixture_free(it->keys);
  free(it);
}

void office_bundle(office *it, uint64_t number, const cq_chain *devices, size_t device_count, cq_buf *out) {
  cq_error error;
  cq_buf sealed = {0};
  char list[32];
  cq_error_clear(&error);
  snprintf(list, sizeof list, "name\nlist %llu\n", (unsigned long long)number);
  if (it->phrase.size > 0)
    must(cq_bundle_file_seal(&sealed, cq_str_from(list), it->phrase, CQ_COST_LEAST, &it->random, &error), &error);
  cq_bundle_file file = {.name = CQ_STR("contactos.csv"), .bytes = cq_buf_str(&sealed), .sealed = true};
  cq_bundle_content content = {
      .mode = it->keys->mode,
      .first_key = it->keys->root.key,
      .number = number,
      .issued_utc_ms = fixture_now,
      .desk = it->keys->desk.seal_key,
      .batch_recovery = it->keys->recovery.seal_key,
      .vault_recovery = it->keys->recovery.seal_key,
      .desk_chain = it->keys->desk.chain,
      .posts = &it->keys->post.chain,
      .post_count = 1,
      .programme_json =
          CQ_STR("{\"code\":\"prueba\",\"title\":{\"es\":\"Programa de prueba\",\"en\":\"Test programme\"},"
                 "\"languages\":[\"es\"]}"),
      .forms = it->forms,
      .form_count = it->form_count,
      .files = it->phrase.size > 0 ? &file : it->files,
      .file_count = it->phrase.size > 0 ? 1 : it->file_count,
      .devices = devices,
      .device_count = device_count};
  cq_buf_reset(out);
  must(cq_bundle_build(out, &content, it->keys->root.secret, &error), &error);
  cq_buf_fini(&sealed);
}

void office_join(office *it) {
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  office_bundle(it, 1, NULL, 0, &bytes);
  must(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, &error), &error);
  must(cq_laptop_join(bundle, cq_buf_str(&bytes), it->home, "T-01", CQ_STR(OFFICE_PASSPHRASE), it->phrase, &it->setup,
                      &error),
       &error);
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
}

void office_bring(office *it, cq_parcel_kind kind, const void *bytes, size_t size) {
  char name[96];
  cq_buf folder = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_hash hash = cq_hash_of(bytes, size);
  cq_device_id device = it->keys->device.id;
  cq_parcel_file_name(name, kind, &device, 2, &hash);
  must(cq_home_folder(&folder, it->home, CQ_FOLDER_INBOX, &error), &error);
  must(cq_parcel_write(folder.at, name, bytes, size, NULL, NULL, &error), &error);
  cq_buf_fini(&folder);
}

bool office_batch(office *it, size_t n, cq_buf *bytes) {
  cq_buf folder = {0}, path = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  bool found = false;
  must(cq_home_folder(&folder, it->home, CQ_FOLDER_OUTBOX, NULL), NULL);
  must(cq_parcel_list(&parcels, &count, folder.at, NULL), NULL);
  for (size_t i = 0; i < count && !found; i++) {
    if (parcels[i].kind != CQ_PARCEL_BATCH || n-- > 0) continue;
    must(cq_file_path(&path, folder.at, parcels[i].name, NULL), NULL);
    must(cq_file_read(path.at, CQ_BATCH_MAX_SIZE, bytes, NULL), NULL);
    found = true;
  }
  free(parcels);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  return found;
}
