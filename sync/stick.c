/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `export FOLDER` and `import FOLDER`: the same files by stick. A file on a
 * stick is whole or not there (temporary name, fsync, rename), its name says
 * what it is, and all of it is verified again where it is taken in: a stick
 * that was pulled out, or that somebody has written to, does no harm.
 */
#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "sync/admit.h"
#include "sync/load.h"
#include "sync/tell.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cq_cli_option sync_export_options[] = {
    {"all", 0, NULL, N_("also what a post has confirmed already")}, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option sync_import_options[] = {CQ_CLI_OPTION_YES, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

typedef struct stick {
  cq_cli *cli;
  courier courier;
  const char *folder;
  size_t moved, there, refused;
  size_t done, all; /* for progress */
} stick;

static void show(stick *s, const char *label) {
  cq_cli_progress(s->cli, label, s->done++, s->all);
}

/* --- export --- */
static cq_status copy_out(stick *s, const char *from, const char *name, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  bool written = false;
  cq_status status = cq_cli_cancelled(error);
  if (!status) status = cq_file_path(&path, from, name, error);
  if (!status) status = cq_file_read(path.at, CQ_PROTOCOL_MAX_ITEM, &bytes, error);
  if (!status) status = cq_parcel_write(s->folder, name, bytes.at, bytes.size, &written, NULL, error);
  if (!status && written) s->moved++;
  if (!status && !written) s->there++;
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  show(s, _("copying to the stick"));
  return status;
}

/* What came home goes on to other laptops: receipts, certificates, orders, sealed lists. At the desk the inbox holds
 * what the laptops sent, which has arrived. */
static cq_status export_inbox(stick *s, cq_error *error) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  if (s->courier.is_desk) return CQ_OK;
  cq_status status = cq_parcel_list(&parcels, &count, s->courier.inbox.at, error);
  s->all += count;
  for (size_t i = 0; i < count && !status; i++) {
    if (parcels[i].kind != CQ_PARCEL_BUNDLE) status = copy_out(s, s->courier.inbox.at, parcels[i].name, error);
  }
  free(parcels);
  return status;
}

static cq_status find_bundle(courier *c, const char *folder, cq_buf *bytes, cq_error *error) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  const cq_hash wanted = cq_bundle_hash(c->bundle);
  cq_status status = cq_parcel_list(&parcels, &count, folder, error);
  cq_buf path = {0};
  bool found = false;
  for (size_t i = 0; i < count && !status && !found; i++) {
    if (parcels[i].kind != CQ_PARCEL_BUNDLE) continue;
    status = cq_file_path(&path, folder, parcels[i].name, error);
    if (!status) status = cq_file_read(path.at, CQ_BUNDLE_MAX_SIZE, bytes, error);
    cq_hash hash = cq_hash_of(bytes->at, bytes->size);
    found = !status && cq_hash_equal(&hash, &wanted);
  }
  free(parcels);
  cq_buf_fini(&path);
  return status ? status : found ? CQ_OK : CQ_NOTFOUND;
}

/* The newest bundle, wherever it stands here, under the name it has between homes. */
static cq_status export_bundle(stick *s, cq_error *error) {
  courier *c = &s->courier;
  cq_buf bytes = {0};
  bool written = false;
  if (!c->bundle) return CQ_OK;
  cq_status status = find_bundle(c, c->inbox.at, &bytes, error);
  if (status == CQ_NOTFOUND) status = find_bundle(c, c->outbox.at, &bytes, error);
  if (status == CQ_NOTFOUND) status = find_bundle(c, c->sync.at, &bytes, error);
  if (status == CQ_OK) {
    char name[96];
    cq_hash hash = cq_bundle_hash(c->bundle);
    cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, cq_bundle_content_of(c->bundle)->number, &hash);
    status = cq_parcel_write(s->folder, name, bytes.at, bytes.size, &written, NULL, error);
    if (!status && written) s->moved++;
  }
  cq_buf_fini(&bytes);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

static cq_status export_load(stick *s, cq_error *error) {
  load l;
  cq_status status = load_open(&l, &s->courier, cq_cli_flag(s->cli, "all") ? LOAD_ALL : LOAD_AGAIN, error);
  s->all += l.count;
  for (size_t i = 0; i < l.count && !status; i++) {
    const load_item *item = &l.items[i];
    if (item->parcel.kind == CQ_PARCEL_BUNDLE) continue;
    if (courier_file_state(&s->courier, item->parcel.name) == FILE_ERASED) continue;
    status = copy_out(s, item->is_carried ? s->courier.carried.at : s->courier.outbox.at, item->parcel.name, error);
  }
  load_close(&l);
  return status;
}

int sync_export(cq_cli *cli) {
  stick s = {.cli = cli, .folder = cq_cli_arg(cli, 0)};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = courier_open(&s.courier, cq_cli_home(cli), true, &error);
  if (!status) status = cq_file_make_folder(s.folder, &error);
  if (!status) status = export_bundle(&s, &error);
  if (!status) status = export_load(&s, &error);
  if (!status) status = export_inbox(&s, &error);
  cq_cli_progress(cli, NULL, 0, 0);
  courier_close(&s.courier);
  if (status) return cq_cli_fail(cli, &error);
  if (cq_cli_flag(cli, "json")) {
    printf("{\"exported\":%zu,\"already\":%zu}\n", s.moved, s.there);
  } else {
    cq_cli_say(cli, _("Copied to the stick: %zu. Already there: %zu. The stick may be taken out now."), s.moved,
               s.there);
  }
  return CQ_EXIT_DONE;
}

/* --- import --- */
/* A laptop's batch that is to go on to a post. */
static cq_status take_cargo(stick *s, cq_str bytes, const cq_batch_header *header, const cq_hash *hash,
                            cq_error *error) {
  cq_buf own = {0};
  char name[96];
  bool written = false;
  cq_batch_file_name(name, &header->device, header->number, hash);
  cq_status status = cq_file_path(&own, s->courier.outbox.at, name, error);
  if (!status && access(own.at, F_OK) != 0) { /* else it is our own, come back on the stick */
    status = cq_parcel_write(s->courier.carried.at, name, bytes.at, bytes.size, &written, NULL, error);
  }
  if (!status && written) s->moved++;
  if (!status && !written) s->there++;
  cq_buf_fini(&own);
  return status;
}

static bool is_by_desk(const cq_batch_header *header) {
  cq_certificate signer;
  return header->chain.count > 0 &&
         cq_certificate_read(&signer, header->chain.link[header->chain.count - 1], CQ_CERTIFICATE_SIZE, NULL) ==
             CQ_OK &&
         signer.role == CQ_ROLE_DESK;
}

static cq_status take_admitted(stick *s, cq_str bytes, cq_error *error) {
  admitted stored;
  cq_status status = admit(&s->courier, bytes, NULL, &stored, error);
  if (!status && stored.fresh) s->moved++;
  if (!status && !stored.fresh) s->there++;
  return status;
}

static cq_status take_batch(stick *s, cq_str bytes, cq_error *error) {
  const cq_trust *trust;
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why;
  cq_status status = courier_trust(&s->courier, &trust, error);
  if (!status) status = cq_batch_verify(&header, &hash, &standing, &why, bytes.at, bytes.size, trust, error);
  if (status) return status;
  if (s->courier.is_desk != is_by_desk(&header)) return take_admitted(s, bytes, error);
  if (s->courier.is_desk) return CQ_OK; /* its own, come back on the stick */
  return take_cargo(s, bytes, &header, &hash, error);
}

static cq_status take_file(stick *s, const cq_parcel *parcel, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_status status = cq_file_path(&path, s->folder, parcel->name, error);
  if (!status) status = cq_file_read(path.at, CQ_PROTOCOL_MAX_ITEM, &bytes, error);
  if (!status) {
    cq_parcel_kind kind = cq_parcel_kind_of(bytes.at, bytes.size);
    if (kind == CQ_PARCEL_BATCH)
      status = take_batch(s, cq_buf_str(&bytes), error);
    else if (!s->courier.is_desk)
      status = take_admitted(s, cq_buf_str(&bytes), error);
  }
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* A courier without a programme takes it from the stick, on a person's word. */
static cq_status pin_from_stick(stick *s, const cq_parcel *parcels, size_t count, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_bundle *bundle = NULL;
  char fingerprint[CQ_FINGERPRINT_SIZE];
  const cq_parcel *newest = NULL;
  for (size_t i = 0; i < count; i++) {
    if (parcels[i].kind == CQ_PARCEL_BUNDLE && (!newest || parcels[i].number > newest->number)) newest = &parcels[i];
  }
  if (!newest) return cq_error_set(error, CQ_NOTFOUND, "sync.programme.none", s->courier.home, NULL);
  cq_status status = cq_file_path(&path, s->folder, newest->name, error);
  if (!status) status = cq_file_read(path.at, CQ_BUNDLE_MAX_SIZE, &bytes, error);
  if (!status) status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, error);
  if (!status) {
    cq_cli_say(s->cli,
               cq_bundle_content_of(bundle)->mode == CQ_MODE_PRACTICE
                   ? _("The programme's fingerprint is %s. It is for PRACTICE.")
                   : _("The programme's fingerprint is %s. It is for real data."),
               cq_bundle_fingerprint(bundle, fingerprint));
    status = cq_cli_confirm(s->cli, _("Is this the fingerprint that the programme has given you?"), "--yes", error);
    if (status == CQ_CANCELLED) status = cq_error_set(error, CQ_REFUSED, "sync.pin.no", NULL);
  }
  if (!status) status = cq_parcel_write(s->courier.sync.at, CQ_BUNDLE_FILE, bytes.at, bytes.size, NULL, NULL, error);
  if (!status) {
    s->courier.bundle = bundle;
    bundle = NULL;
  }
  cq_bundle_free(bundle);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* Bundles first: what else is on the stick may be of a laptop that only the new one knows. */
static cq_status take_all(stick *s, const cq_parcel *parcels, size_t count, cq_error *error) {
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < count; i++) {
      if ((parcels[i].kind == CQ_PARCEL_BUNDLE) != (round == 0)) continue;
      cq_error wrong;
      cq_error_clear(&wrong);
      show(s, _("reading the stick"));
      cq_status status = cq_cli_cancelled(error);
      if (status) return status;
      status = take_file(s, &parcels[i], &wrong);
      if (status == CQ_OK || (wrong.code && strcmp(wrong.code, "bundle.older") == 0)) continue;
      if (status == CQ_IO || status == CQ_NOMEM) {
        *error = wrong;
        return status;
      }
      s->refused++;
      tell_fault(s->cli, parcels[i].name, &wrong);
    }
  }
  return CQ_OK;
}

int sync_import(cq_cli *cli) {
  stick s = {.cli = cli, .folder = cq_cli_arg(cli, 0)};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = courier_open(&s.courier, cq_cli_home(cli), true, &error);
  if (!status) status = cq_parcel_list(&parcels, &count, s.folder, &error);
  if (!status && !count) status = cq_error_set(&error, CQ_NOTFOUND, "sync.stick.empty", s.folder, NULL);
  if (!status && !s.courier.bundle) status = pin_from_stick(&s, parcels, count, &error);
  s.all = count;
  if (!status) status = cq_file_make_folder(s.courier.carried.at, &error);
  if (!status) status = take_all(&s, parcels, count, &error);
  cq_status saved = s.courier.status ? courier_save_status(&s.courier, status ? NULL : &error) : CQ_OK;
  if (!status) status = saved;
  cq_cli_progress(cli, NULL, 0, 0);
  free(parcels);
  bool is_desk = s.courier.is_desk;
  courier_close(&s.courier);
  if (status) return cq_cli_fail(cli, &error);
  if (cq_cli_flag(cli, "json")) {
    printf("{\"imported\":%zu,\"already\":%zu,\"refused\":%zu}\n", s.moved, s.there, s.refused);
  } else {
    cq_cli_say(cli, _("Taken from the stick: %zu. Already here: %zu. Refused: %zu."), s.moved, s.there, s.refused);
    if (s.moved) cq_cli_say(cli, is_desk ? _("Next: chasqui-central merge") : _("Next: chasqui-sync push"));
  }
  return s.refused ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
