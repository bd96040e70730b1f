/* SPDX-License-Identifier: Apache-2.0 */
/* `push`: what waits in the outbox goes to the post, and what is new comes home. */
#include "sync/carry.h"
#include "sync/pace.h"
#include "sync/tell.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <string.h>

const cq_cli_option sync_push_options[] = {
    {"again", 0, NULL, N_("bring once more what the post has refused")},
    {"limit-rate", 0, N_("BYTES"), N_("use at most so many bytes a second (32k, 1M)")},
    {"limit-day", 0, N_("BYTES"), N_("use at most so many bytes a day, both ways (5M)")},
    {"tries", 0, N_("NUMBER"), N_("how often a broken line is tried again in a row (else 6)")},
    {"timeout", 0, N_("SECONDS"), N_("a line that is silent for so long is broken (else by the speed of the line)")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

static size_t failed_count(const carry *c) {
  return carry_count(c, LOAD_FAILED) + carry_count(c, LOAD_LACKING) + carry_count(c, LOAD_UNKNOWN);
}

static void tell_json(const carry *c, const char *url) {
  cq_buf out = {0};
  cq_buf_add_text(&out, "{\"remote\":");
  cq_cli_add_json(&out, cq_str_from(url));
  cq_buf_addf(
      &out, ",\"sent\":%zu,\"already\":%zu,\"held\":%zu,\"refused\":%zu,\"failed\":%zu,\"erased\":%zu,\"settled\":%zu",
      carry_count(c, LOAD_KEPT), carry_count(c, LOAD_ALREADY), carry_count(c, LOAD_HELD), carry_count(c, LOAD_REFUSED),
      failed_count(c), carry_count(c, LOAD_ERASED), c->load.settled);
  cq_buf_addf(&out, ",\"receipts\":%zu,\"news\":%zu,\"bytes\":%llu}\n", c->receipt_count, c->news_count,
              (unsigned long long)c->bytes);
  if (!out.failed) fputs(out.at, stdout);
  cq_buf_fini(&out);
}

static int tell(const cq_cli *cli, const carry *c, const char *url) {
  for (size_t i = 0; i < c->load.count; i++) {
    const load_item *item = &c->load.items[i];
    if (item->code && (item->state == LOAD_REFUSED || item->state == LOAD_FAILED))
      tell_code(cli, item->parcel.name, item->code);
  }
  size_t held = carry_count(c, LOAD_HELD), refused = carry_count(c, LOAD_REFUSED);
  size_t erased = carry_count(c, LOAD_ERASED);
  if (cq_cli_flag(cli, "json")) {
    tell_json(c, url);
  } else {
    cq_cli_say(cli, _("Sent: %zu. Already there: %zu. Held apart by the post: %zu. Refused: %zu. Failed: %zu."),
               carry_count(c, LOAD_KEPT), carry_count(c, LOAD_ALREADY) + c->load.settled, held, refused,
               failed_count(c));
    if (held) cq_cli_say(cli, _("What is held apart waits there until the desk approves the laptop."));
    if (erased) tell_erased(cli, erased);
    if (c->news_count) {
      cq_cli_say(cli, cq_cli_plural("%zu thing came home.", "%zu things came home.", c->news_count), c->news_count);
    }
  }
  return refused || failed_count(c) ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}

static void on_progress(void *context, uint64_t moved, uint64_t all, double seconds_left) {
  char label[80];
  if (seconds_left >= 90) {
    snprintf(label, sizeof label, _("sending, about %d min left"), (int)(seconds_left / 60 + 0.5));
  } else {
    snprintf(label, sizeof label, "%s", _("sending"));
  }
  cq_cli_progress(context, label, moved, all);
}

/* The first post that answers is enough: the posts of a programme stand before one desk. */
static int push_to_first(cq_cli *cli, courier *home, carry *c, cq_error *error) {
  remote remotes[REMOTES_MOST];
  size_t count = 0;
  cq_status status = courier_remotes(home, remotes, &count, error);
  for (size_t i = 0; !status && i < count; i++) {
    status = carry_to(c, &remotes[i], error);
    cq_cli_progress(cli, NULL, 0, 0);
    if (!status) return tell(cli, c, remotes[i].url);
    if (c->reached) tell(cli, c, remotes[i].url);
    if (i + 1 < count && status != CQ_CANCELLED) {
      tell_fault(cli, remotes[i].url, error);
      cq_error_clear(error);
      status = CQ_OK;
    }
  }
  return cq_cli_fail(cli, error);
}

static bool read_number(const cq_cli *cli, const char *option, int64_t most, int64_t *out) {
  const char *text = cq_cli_value(cli, option);
  return !text || (cq_str_int64(cq_str_from(text), out) && *out >= 0 && *out <= most);
}

/* CQ_EXIT_DONE, or what a wrong command line ends with. */
static int read_limits(const cq_cli *cli, carry_settings *settings) {
  const char *rate = cq_cli_value(cli, "limit-rate"), *day = cq_cli_value(cli, "limit-day");
  int64_t tries = PACE_TRIES, seconds = 0;
  if ((rate && !pace_bytes(rate, &settings->bytes_per_second)) || (day && !pace_bytes(day, &settings->bytes_per_day))) {
    return cq_cli_usage(cli, _("a number of bytes is like 400, 32k or 1.5M"));
  }
  if (!read_number(cli, "tries", 1000, &tries) || !read_number(cli, "timeout", 3600, &seconds)) {
    return cq_cli_usage(cli, _("--tries goes to 1000, --timeout to 3600 seconds"));
  }
  settings->tries = (int)tries;
  settings->silence_seconds = (long)seconds;
  return CQ_EXIT_DONE;
}

int sync_push(cq_cli *cli) {
  carry_settings settings = {.again = cq_cli_flag(cli, "again"), .progress = on_progress, .context = cli};
  int wrong = read_limits(cli, &settings);
  if (wrong) return wrong;
  courier home;
  cq_error error;
  cq_error_clear(&error);
  int result;
  carry *c = carry_new(&home, &settings);
  cq_status status = courier_open(&home, cq_cli_home(cli), true, &error);
  if (!status && !c) status = cq_error_nomem(&error);
  result = status ? cq_cli_fail(cli, &error) : push_to_first(cli, &home, c, &error);
  carry_free(c);
  courier_close(&home);
  return result;
}
