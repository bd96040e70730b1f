/* SPDX-License-Identifier: Apache-2.0 */
/* `inspect FILE`: what may be seen of a file without a key. */
#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "chasqui/protocol.h"
#include "sync/home.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <string.h>

const cq_cli_option sync_inspect_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

/* Rows "name: value" for people, or members of an object for machines. */
typedef struct sheet {
  cq_cli *cli;
  bool json;
  cq_buf out;
} sheet;

static void row(sheet *s, const char *key, const char *label, const char *value) {
  if (s->json) {
    cq_buf_addf(&s->out, "%s\"%s\":", s->out.size ? "," : "{", key);
    cq_cli_add_json(&s->out, cq_str_from(value));
  } else {
    cq_cli_say(s->cli, "%s: %s", label, value);
  }
}

static void row_number(sheet *s, const char *key, const char *label, uint64_t value) {
  if (s->json)
    cq_buf_addf(&s->out, "%s\"%s\":%llu", s->out.size ? "," : "{", key, (unsigned long long)value);
  else
    cq_cli_say(s->cli, "%s: %llu", label, (unsigned long long)value);
}

static void row_time(sheet *s, const char *key, const char *label, int64_t utc_ms) {
  char text[25];
  row(s, key, label, cq_time_format_utc(utc_ms, text));
}

static const char *mode_text(const sheet *s, cq_mode mode) {
  if (s->json) return cq_mode_name(mode) ? cq_mode_name(mode) : "";
  return mode == CQ_MODE_PRACTICE ? _("practice") : _("real");
}

/* Whether the signature and certificate are right, as far as this home can tell. */
static cq_status check_batch(sheet *s, const courier *c, cq_str bytes, cq_error *error) {
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why = NULL;
  const cq_trust *trust;
  if (courier_trust(c, &trust, NULL) != CQ_OK) {
    row(s, "standing", _("Signature"), s->json ? "unchecked" : _("not checked: this home has no programme"));
    return CQ_OK;
  }
  cq_status status = cq_batch_verify(&header, &hash, &standing, &why, bytes.at, bytes.size, trust, error);
  if (status) return status;
  const char *text = standing == CQ_STANDING_CERTIFIED ? N_("right, of an approved laptop")
                     : standing == CQ_STANDING_REVOKED ? N_("right, of a laptop that is no longer trusted")
                                                       : N_("right, of a laptop that is not approved yet");
  const char *word = standing == CQ_STANDING_CERTIFIED ? "certified"
                     : standing == CQ_STANDING_REVOKED ? "revoked"
                                                       : "unknown";
  row(s, "standing", _("Signature"), s->json ? word : _(text));
  return CQ_OK;
}

static cq_status show_batch(sheet *s, const courier *c, cq_str bytes, cq_error *error) {
  cq_batch_header header;
  char device[33], programme[33], hash[65], date[11];
  cq_hash whole = cq_hash_of(bytes.at, bytes.size);
  cq_status status = cq_batch_read_header(&header, bytes.at, bytes.size, error);
  if (status) return status;
  row(s, "kind", _("File"), s->json ? "batch" : _("sealed batch"));
  row(s, "mode", _("Mode"), mode_text(s, header.mode));
  row(s, "programme", _("Programme"), cq_programme_id_hex(&header.programme, programme));
  row(s, "device", _("Laptop"), cq_device_id_hex(&header.device, device));
  row_number(s, "number", _("Number"), header.number);
  row(s, "hash", _("Hash"), cq_hash_hex(&whole, hash));
  if (!cq_hash_is_zero(&header.previous)) row(s, "previous", _("Previous"), cq_hash_hex(&header.previous, hash));
  row_time(s, "created", _("Made (clock of the laptop)"), header.created_utc_ms);
  row(s, "working_date", _("Working date"), cq_date_format(header.working_date, date));
  row_number(s, "recipients", _("Sealed to"), header.recipient_count);
  row_number(s, "size", _("Bytes"), bytes.size);
  row(s, "certificate", _("Certificate"),
      header.chain.count ? (s->json ? "yes" : _("yes")) : (s->json ? "requested" : _("requested")));
  return check_batch(s, c, bytes, error);
}

static cq_status show_bundle(sheet *s, cq_str bytes, cq_error *error) {
  cq_bundle *bundle = NULL;
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_status status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, error);
  if (status) return status;
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  row(s, "kind", _("File"), s->json ? "bundle" : _("bundle of a programme"));
  row(s, "mode", _("Mode"), mode_text(s, content->mode));
  row(s, "fingerprint", _("Fingerprint"), cq_bundle_fingerprint(bundle, fingerprint));
  row_number(s, "number", _("Number"), content->number);
  row_time(s, "issued", _("Issued"), content->issued_utc_ms);
  row_number(s, "forms", _("Forms"), content->form_count);
  row_number(s, "files", _("Lists and files"), content->file_count);
  row_number(s, "devices", _("Approved laptops"), content->device_count);
  row_number(s, "posts", _("Posts"), content->post_count);
  row_number(s, "revocations", _("Revoked"), content->revocation_count);
  cq_bundle_free(bundle);
  return CQ_OK;
}

static cq_status show(sheet *s, const courier *c, const char *file, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = cq_file_read(file, CQ_PROTOCOL_MAX_ITEM, &bytes, error);
  if (!status) {
    cq_str text = cq_buf_str(&bytes);
    switch (cq_parcel_kind_of(bytes.at, bytes.size)) {
    case CQ_PARCEL_BATCH: status = show_batch(s, c, text, error); break;
    case CQ_PARCEL_BUNDLE: status = show_bundle(s, text, error); break;
    case CQ_PARCEL_RECEIPT: row(s, "kind", _("File"), s->json ? "receipt" : _("receipt")); break;
    case CQ_PARCEL_CHAIN: row(s, "kind", _("File"), s->json ? "certificate" : _("certificate")); break;
    case CQ_PARCEL_ORDER: row(s, "kind", _("File"), s->json ? "order" : _("order")); break;
    case CQ_PARCEL_KEY:
      row(s, "kind", _("File"), s->json ? "key" : _("key file: SECRET, it must not travel with the others"));
      break;
    case CQ_PARCEL_NONE: status = cq_error_set(error, CQ_INVALID, "sync.item.unknown", file, NULL);
    }
  }
  if (status) cq_error_at_file(error, file);
  cq_buf_fini(&bytes);
  return status;
}

int sync_inspect(cq_cli *cli) {
  courier c;
  cq_error error;
  cq_error_clear(&error);
  sheet s = {.cli = cli, .json = cq_cli_flag(cli, "json")};
  cq_status status = courier_open(&c, cq_cli_home(cli), false, &error);
  if (!status) status = show(&s, &c, cq_cli_arg(cli, 0), &error);
  if (s.json && s.out.size && !s.out.failed) printf("%s}\n", s.out.at);
  cq_buf_fini(&s.out);
  courier_close(&c);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}
