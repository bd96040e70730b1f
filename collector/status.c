/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: how far each interview has come. */
#include "collector/collector.h"

#include <stdio.h>

const char *cq_word_words(uint8_t word) {
  switch (word >> 4) {
  case CQ_REASON_UNKNOWN: return _("held: this laptop is not approved yet");
  case CQ_REASON_REVOKED: return _("held: this laptop was revoked");
  case CQ_REASON_HOLD: return _("held: the office keeps what this laptop sends apart");
  case CQ_REASON_AHEAD: return _("held: dated after today");
  case CQ_REASON_SEAL: return _("refused: not sealed for this office");
  case CQ_REASON_CONTENT: return _("refused: its content is not as it should be");
  case CQ_REASON_FORM: return _("refused: the office does not know its form");
  case CQ_REASON_FOREIGN: return _("refused: of another programme, or practice");
  default: return (word & 15) == CQ_RECEIPT_HELD ? _("held by the office") : _("refused by the office");
  }
}

const char *cq_word_advice(uint8_t word) {
  switch (word >> 4) {
  case CQ_REASON_UNKNOWN: return _("Ask the office to approve this laptop, and read its fingerprint to them.");
  case CQ_REASON_REVOKED: return _("Talk to the coordinator. Everything stays on this laptop.");
  case CQ_REASON_HOLD: return _("Nothing is lost: the office releases it.");
  case CQ_REASON_AHEAD: return _("Set the laptop's clock; the office releases it when its day has come.");
  case CQ_REASON_FORM: return _("Tell the office which bundle this laptop has.");
  default: return _("Tell the office. Everything stays on this laptop.");
  }
}

const char *cq_kept_batch_words(const cq_kept_batch *batch) {
  return batch->word ? cq_word_words(batch->word) : cq_batch_state_words(batch->state);
}

static const char *state_name(const cq_kept_record *it) {
  static const char *const names[] = {"finished", "packed", "kept", "opened", "erased"};
  if (it->word) return (it->word & 15) == CQ_RECEIPT_HELD ? "held" : "refused";
  return names[it->state];
}

static void say_json(const cq_laptop *laptop, const cq_kept *kept) {
  cq_buf out = {0};
  char hex[65], fingerprint[CQ_FINGERPRINT_SIZE];
  cq_buf_addf(&out, "{\"fingerprint\":\"%s\",\"certified\":%s,\"drafts\":%zu,\"names\":%zu,\"sheet\":%llu,",
              cq_fingerprint(&laptop->sign_key, fingerprint), laptop->chain.count > 0 ? "true" : "false",
              kept->draft_count, laptop->names.count, (unsigned long long)laptop->names.number);
  cq_buf_add_text(&out, "\"records\":[");
  for (size_t i = 0; i < kept->record_count; i++) {
    const cq_kept_record *it = &kept->records[i];
    cq_hash name;
    for (size_t b = 0; b < sizeof name.at; b++) name.at[b] = it->name[b];
    cq_buf_addf(&out, "%s{\"name\":\"%s\",\"form\":", i ? "," : "", cq_hash_hex(&name, hex));
    cq_cli_add_json(&out, cq_str_from(it->form));
    cq_buf_addf(&out, ",\"state\":\"%s\",\"reason\":\"%s\"", state_name(it),
                it->word ? cq_receipt_reason_name(it->word >> 4) : "");
    for (size_t b = 0; b < sizeof name.at; b++) name.at[b] = it->parent[b];
    if (it->corrects) cq_buf_addf(&out, ",\"corrects\":\"%s\"", cq_hash_hex(&name, hex));
    cq_buf_addf(&out, ",\"corrected\":%s}", it->corrected ? "true" : "false");
  }
  cq_buf_add_text(&out, "]}\n");
  if (!out.failed) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
}

static void say_words(const cq_cli *cli, const cq_laptop *laptop, const cq_kept *kept) {
  char when[24], name[9], fingerprint[CQ_FINGERPRINT_SIZE];
  uint8_t told = 0;
  for (size_t i = 0; i < kept->record_count; i++) {
    const cq_kept_record *it = &kept->records[i];
    cq_buf words = {0};
    if (it->corrects) cq_buf_addf(&words, "%s · ", _("correction"));
    cq_kept_record_words(it, &words);
    cq_time_words(laptop->clock, it->finalised_utc_ms, when);
    cq_cli_say(cli, "  %s  %s  %s  %s", when, cq_kept_short_name(it, name), it->form, words.at ? words.at : "");
    if (it->word && it->word != told) cq_cli_say(cli, "      %s", cq_word_advice(told = it->word));
    cq_buf_fini(&words);
  }
  cq_cli_say(cli, _("Finished: %zu. Drafts: %zu."), kept->record_count, kept->draft_count);
  if (laptop->names.number > 0)
    cq_cli_say(cli, _("Contact sheet %llu; persons: %zu."), (unsigned long long)laptop->names.number,
               laptop->names.count);
  if (laptop->chain.count == 0)
    cq_cli_say(cli, _("This laptop is not approved yet. Its fingerprint: %s"),
               cq_fingerprint(&laptop->sign_key, fingerprint));
}

int cq_collector_status(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_kept kept;
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  bool read = status == CQ_OK && (status = cq_kept_read(&kept, laptop.store, &error)) == CQ_OK;
  if (read && cq_cli_flag(cli, "json"))
    say_json(&laptop, &kept);
  else if (read)
    say_words(cli, &laptop, &kept);
  if (read) cq_kept_free(&kept);
  return cq_collector_end(cli, &laptop, status, &error);
}
