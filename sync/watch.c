/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `watch`: pushes whenever a way may have opened: a route or an address
 * appears (netlink), the outbox changes, or it has been a while. Between, it
 * asks nobody. The outbox's lock is held only while it works.
 */
#include "sync/watch.h"
#include "sync/carry.h"
#include "sync/pace.h"
#include "sync/tell.h"
#include "sync/verbs.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  EVERY_MINUTES = 30, /* where nothing happens */
  SETTLE_SECONDS = 3, /* after a route appears, until names resolve */
  AGAIN_SECONDS = 60, /* after a failure; doubled up to EVERY_MINUTES */
  LOOK_MS = 1000      /* how often the outbox and the signal are looked at */
};

const cq_cli_option sync_watch_options[] = {
    {"every", 0, N_("MINUTES"), N_("push so often where nothing else happens (else 30)")},
    {"limit-rate", 0, N_("BYTES"), N_("use at most so many bytes a second (32k, 1M)")},
    {"limit-day", 0, N_("BYTES"), N_("use at most so many bytes a day, both ways (5M)")},
    CQ_CLI_OPTION_HOME,
    {0}};

typedef struct watch {
  cq_cli *cli;
  carry_settings settings;
  int64_t every_seconds;
  int netlink;               /* -1: the system does not tell; the clock and the outbox remain */
  struct timespec outbox_at; /* when it last changed */
  const char *last_fault;    /* told once, not at every try */
} watch;

/* --- what may open a way --- */
static int open_netlink(void) {
  struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                               .nl_groups =
                                   RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&groups, sizeof groups) != 0) {
    close(fd);
    fd = -1;
  }
  return fd;
}

bool watch_opens_way(const void *bytes, size_t size) {
  struct nlmsghdr head;
  for (size_t at = 0; size - at >= sizeof head;) {
    memcpy(&head, (const char *)bytes + at, sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > size - at) return false;
    if (head.nlmsg_type == RTM_NEWROUTE || head.nlmsg_type == RTM_NEWADDR) return true;
    size_t step = NLMSG_ALIGN(head.nlmsg_len);
    if (step > size - at) return false;
    at += step;
  }
  return false;
}

/* Whether among what waits in the socket is a new route or address. */
static bool read_netlink(int fd) {
  char bytes[8192];
  bool opens = false;
  for (ssize_t n; (n = recv(fd, bytes, sizeof bytes, 0)) > 0;) opens |= watch_opens_way(bytes, (size_t)n);
  return opens;
}

static bool outbox_changed(watch *w) {
  cq_buf path = {0};
  struct stat about;
  bool changed = false;
  if (cq_home_folder(&path, cq_cli_home(w->cli), CQ_FOLDER_OUTBOX, NULL) == CQ_OK && stat(path.at, &about) == 0) {
    changed = about.st_mtim.tv_sec != w->outbox_at.tv_sec || about.st_mtim.tv_nsec != w->outbox_at.tv_nsec;
    w->outbox_at = about.st_mtim;
  }
  cq_buf_fini(&path);
  return changed;
}

/* Waits so long, or until something may have opened a way. False: a signal came. */
static bool wait_for_way(watch *w, int64_t seconds) {
  const cq_clock *clock = &cq_clock_system;
  int64_t until = clock->monotonic_ms(clock->context) + seconds * 1000;
  while (clock->monotonic_ms(clock->context) < until) {
    struct pollfd ready = {.fd = w->netlink, .events = POLLIN};
    int n = poll(&ready, 1, LOOK_MS);
    if (cq_cli_signal()) return false;
    if (n > 0 && read_netlink(w->netlink)) return pace_wait(SETTLE_SECONDS, NULL) == CQ_OK;
    if (outbox_changed(w)) return true;
  }
  return !cq_cli_signal();
}

/* --- one push --- */
static cq_status push_once(watch *w, courier *home, carry *c, cq_error *error) {
  remote remotes[REMOTES_MOST];
  size_t count = 0;
  cq_status status = courier_open(home, cq_cli_home(w->cli), true, error);
  if (!status) status = courier_remotes(home, remotes, &count, error);
  for (size_t i = 0; !status && i < count; i++) {
    status = carry_to(c, &remotes[i], error);
    if (!status) break;
    if (i + 1 < count && status != CQ_CANCELLED) status = CQ_OK;
  }
  return status;
}

static void tell(watch *w, const carry *c, cq_status status, const cq_error *error) {
  size_t sent = carry_count(c, LOAD_KEPT);
  if (sent) cq_cli_say(w->cli, cq_cli_plural("Brought %zu batch.", "Brought %zu batches.", sent), sent);
  size_t erased = carry_count(c, LOAD_ERASED);
  if (erased) tell_erased(w->cli, erased);
  for (size_t i = 0; i < c->load.count; i++) {
    const load_item *item = &c->load.items[i];
    if (item->state == LOAD_REFUSED && item->code) tell_code(w->cli, item->parcel.name, item->code);
  }
  if (!status) {
    if (w->last_fault) cq_cli_say(w->cli, _("The way is open again."));
    w->last_fault = NULL;
  } else if (error->code != w->last_fault) {
    tell_fault(w->cli, _("waiting"), error);
    w->last_fault = error->code;
  }
  fflush(stdout);
}

static bool run_once(watch *w) {
  courier home;
  cq_error error;
  cq_error_clear(&error);
  carry *c = carry_new(&home, &w->settings);
  if (!c) return false;
  cq_status status = push_once(w, &home, c, &error);
  if (status != CQ_CANCELLED) tell(w, c, status, &error);
  carry_free(c);
  courier_close(&home);
  outbox_changed(w); /* what happened meanwhile was seen */
  return status == CQ_OK;
}

int sync_watch(cq_cli *cli) {
  watch w = {.cli = cli, .settings = {.tries = PACE_TRIES}, .every_seconds = EVERY_MINUTES * 60};
  const char *rate = cq_cli_value(cli, "limit-rate"), *day = cq_cli_value(cli, "limit-day");
  const char *every = cq_cli_value(cli, "every");
  int64_t minutes = EVERY_MINUTES;
  if ((rate && !pace_bytes(rate, &w.settings.bytes_per_second)) ||
      (day && !pace_bytes(day, &w.settings.bytes_per_day))) {
    return cq_cli_usage(cli, _("a number of bytes is like 400, 32k or 1.5M"));
  }
  if (every && (!cq_str_int64(cq_str_from(every), &minutes) || minutes < 1 || minutes > 10080)) {
    return cq_cli_usage(cli, _("--every goes from 1 to 10080 minutes"));
  }
  w.every_seconds = minutes * 60;
  w.netlink = open_netlink();
  int64_t again = AGAIN_SECONDS;
  bool on = true;
  while (on) {
    bool good = run_once(&w);
    if (good) again = AGAIN_SECONDS;
    int64_t pause = good || again > w.every_seconds ? w.every_seconds : again;
    if (!good) again *= 2;
    on = !cq_cli_signal() && wait_for_way(&w, pause);
  }
  if (w.netlink >= 0) close(w.netlink);
  return CQ_EXIT_DONE;
}
