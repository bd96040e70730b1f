/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk has opened need not stay on a laptop: records, their trail and attachments, and the batches' files. */
#include "collector/collector.h"

#include "chasqui/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DAYS = 36500 };

cq_status cq_laptop_remove_files(cq_laptop *laptop, cq_error *error) {
  cq_kept kept;
  cq_buf folder = {0}, path = {0};
  cq_status status = cq_kept_read(&kept, laptop->store, error);
  if (status != CQ_OK) return status;
  status = cq_home_folder(&folder, laptop->home, CQ_FOLDER_OUTBOX, error);
  for (size_t i = 0; status == CQ_OK && i < kept.batch_count; i++) {
    if (kept.batches[i].size > 0) continue;
    status = cq_file_path(&path, folder.at, kept.batches[i].file, error);
    if (status == CQ_OK && access(path.at, F_OK) == 0) status = cq_file_remove(path.at, error);
  }
  cq_kept_free(&kept);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  return status;
}

static int64_t days_ago(const cq_laptop *laptop, int64_t days) {
  return laptop->clock->now_utc_ms(laptop->clock->context) - days * 86400000;
}

cq_status cq_laptop_let_go(cq_laptop *laptop, cq_store_purged *purged, cq_error *error) {
  bool doubtful = true;
  cq_date least;
  *purged = (cq_store_purged){0};
  if (laptop->programme->keep_days == 0) return CQ_OK;
  /* A clock that cannot be right says nothing of how old a record is. */
  cq_status status = cq_laptop_clock_doubtful(laptop, &doubtful, &least, error);
  int64_t before = days_ago(laptop, laptop->programme->keep_days);
  if (status == CQ_OK && !doubtful) status = cq_store_purgeable(laptop->store, before, purged, error);
  if (status != CQ_OK || (purged->records == 0 && purged->batches == 0)) return status;
  status = cq_store_purge(laptop->store, before, purged, error);
  return status == CQ_OK ? cq_laptop_remove_files(laptop, error) : status;
}

cq_status cq_collector_keep_days(cq_cli *cli, cq_laptop *laptop, cq_error *error) {
  cq_store_purged purged;
  cq_status status = cq_laptop_let_go(laptop, &purged, error);
  if (status == CQ_OK && purged.records > 0)
    cq_cli_say(cli,
               cq_cli_plural("%lld interview that the desk has was removed here, as the programme says.",
                             "%lld interviews that the desk has were removed here, as the programme says.",
                             (uint64_t)purged.records),
               (long long)purged.records);
  return status;
}

/* What stays because nobody but the post has it, or nobody at all. */
static cq_status count_staying(cq_laptop *laptop, size_t *kept_only, size_t *here_only, cq_error *error) {
  cq_kept kept;
  *kept_only = *here_only = 0;
  cq_status status = cq_kept_read(&kept, laptop->store, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < kept.record_count; i++) {
    *kept_only += kept.records[i].state == CQ_STORE_KEPT;
    *here_only += kept.records[i].state == CQ_STORE_NOT_BATCHED || kept.records[i].state == CQ_STORE_BATCHED;
  }
  cq_kept_free(&kept);
  return CQ_OK;
}

static void say_plan(cq_cli *cli, const cq_store_purged *plan, size_t kept_only, size_t here_only) {
  if (plan->records + plan->batches > 0)
    cq_cli_say(cli, _("Opened by the desk: interviews %lld, batches %lld; in all %lld bytes."),
               (long long)plan->records, (long long)plan->batches, (long long)plan->bytes);
  else
    cq_cli_say(cli, "%s", _("There is nothing here that the desk has opened and that may go."));
  if (kept_only > 0)
    cq_cli_say(cli, _("%zu stay: the post keeps them sealed, and the desk has not opened them yet."), kept_only);
  if (here_only > 0) cq_cli_say(cli, _("%zu stay: they are on this laptop alone."), here_only);
}

int cq_collector_purge(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_store_purged plan = {0}, done = {0};
  size_t kept_only = 0, here_only = 0;
  int64_t days = 0;
  const char *text = cq_cli_value(cli, "days");
  cq_error_clear(&error);
  if (text && (!cq_str_int64(cq_str_from(text), &days) || days < 0 || days > MAX_DAYS))
    return cq_cli_usage(cli, _("--days goes from 0 to %d"), MAX_DAYS);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  int64_t before = status != CQ_OK || !text ? INT64_MAX : days_ago(&laptop, days);
  if (status == CQ_OK) status = cq_store_purgeable(laptop.store, before, &plan, &error);
  if (status == CQ_OK) status = count_staying(&laptop, &kept_only, &here_only, &error);
  if (status == CQ_OK) say_plan(cli, &plan, kept_only, here_only);
  bool some = status == CQ_OK && plan.records + plan.batches > 0;
  cq_status agreed = some ? cq_cli_confirm(cli, _("Remove them from this laptop?"), "--yes", &error) : CQ_OK;
  if (agreed == CQ_CANCELLED) {
    cq_cli_say(cli, "%s", _("Nothing was removed."));
  } else if (agreed != CQ_OK) {
    status = agreed;
  } else if (some) {
    status = cq_store_purge(laptop.store, before, &done, &error);
    if (status == CQ_OK) status = cq_laptop_remove_files(&laptop, &error);
    if (status == CQ_OK) cq_cli_say(cli, "%s", _("Removed. What the next visits are preloaded from is still here."));
  }
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"purgeable\":{\"records\":%lld,\"batches\":%lld,\"bytes\":%lld},\"purged\":{\"records\":%lld,"
           "\"batches\":%lld,\"bytes\":%lld},\"kept\":%zu,\"here\":%zu}\n",
           (long long)plan.records, (long long)plan.batches, (long long)plan.bytes, (long long)done.records,
           (long long)done.batches, (long long)done.bytes, kept_only, here_only);
  return cq_collector_end(cli, &laptop, status, &error);
}
