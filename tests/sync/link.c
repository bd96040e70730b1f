/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const link_names[LINK_KINDS] = {"clean",      "cut-up",       "cut-down", "reset", "half-open",
                                            "corrupt-up", "corrupt-down", "portal",   "slow",  "loss"};

enum { PACKET = 1400 };

struct link {
  int listening;
  uint16_t port;
  atomic_uint post_port;
  atomic_bool ending;
  atomic_int connections;
  atomic_size_t counts[LINK_KINDS];
  atomic_uint_least64_t bytes[2]; /* down, up */
  atomic_uint_least64_t chance;
  pthread_mutex_t lock;
  link_plan plan;
  pthread_t acceptor;
};

typedef struct connection {
  link_proxy *link;
  link_plan plan;
  int courier, post;
  uint64_t up, down; /* bytes so far */
  bool went_up;      /* the last piece */
  bool done;         /* the fault has happened */
} connection;

static void happened(connection *c) {
  if (!c->done) atomic_fetch_add(&c->link->counts[c->plan.kind], 1);
  c->done = true;
}

static bool send_all(int fd, const char *bytes, size_t size) {
  while (size) {
    ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= (size_t)n;
  }
  return true;
}

static void reset(int fd) {
  struct linger at_once = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* A piece of `size` bytes takes its time. */
static void travel(connection *c, bool up, size_t size) {
  uint64_t ms = c->plan.bytes_per_second ? size * 1000 / c->plan.bytes_per_second : 0;
  if (up != c->went_up) ms += (uint64_t)c->plan.round_trip_ms / 2;
  c->went_up = up;
  if (ms) poll(NULL, 0, (int)ms);
}

static bool is_lost(connection *c) {
  uint64_t z = atomic_fetch_add(&c->link->chance, 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (int)((z ^ (z >> 31)) % 100) < c->plan.loss_percent;
}

/* What the plan does to a piece that begins at byte `at` of its direction. */
static void pass(connection *c, bool up, uint64_t at, char *bytes, size_t *size, bool *ends) {
  link_kind kind = c->plan.kind;
  bool here = c->plan.at >= at && c->plan.at < at + *size;
  bool cut = (kind == LINK_CUT_UP && up) || (kind == LINK_CUT_DOWN && !up) || (kind == LINK_RESET && up);
  if (cut && here) {
    *size = (size_t)(c->plan.at - at);
    *ends = true;
    happened(c);
  } else if (here && ((kind == LINK_CORRUPT_UP && up) || (kind == LINK_CORRUPT_DOWN && !up))) {
    bytes[c->plan.at - at] = (char)(bytes[c->plan.at - at] ^ 0x20);
    happened(c);
  } else if (kind == LINK_HALF_OPEN && up && at + *size > c->plan.at) {
    *size = c->plan.at > at ? (size_t)(c->plan.at - at) : 0;
    happened(c);
  } else if (kind == LINK_HALF_OPEN && !up && c->done) {
    *size = 0;
  } else if (kind == LINK_SLOW) {
    poll(NULL, 0, c->plan.delay_ms);
    happened(c);
  } else if (kind == LINK_LOSS && is_lost(c)) {
    *size = 0;
    *ends = true;
    happened(c);
  }
}

/* false: the connection is over. */
static bool forward(connection *c, bool up) {
  char bytes[16384];
  size_t most = c->plan.kind == LINK_SLOW && c->plan.at < sizeof bytes ? (size_t)c->plan.at : sizeof bytes;
  if (c->plan.kind == LINK_LOSS || c->plan.bytes_per_second) most = PACKET;
  ssize_t n = recv(up ? c->courier : c->post, bytes, most, 0);
  if (n < 0) return errno == EINTR;
  if (n == 0) return false;
  uint64_t *count = up ? &c->up : &c->down;
  size_t size = (size_t)n;
  bool ends = false;
  travel(c, up, size);
  pass(c, up, *count, bytes, &size, &ends);
  *count += (uint64_t)n;
  atomic_fetch_add(&c->link->bytes[up], size);
  if (!send_all(up ? c->post : c->courier, bytes, size) || ends) {
    if (c->plan.kind == LINK_RESET) {
      reset(c->courier);
      reset(c->post);
    }
    return false;
  }
  return true;
}

static int dial(uint16_t port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static void act_as_portal(connection *c) {
  static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 32\r\n\r\n"
                             "<html>Please log in here.</html>";
  char bytes[4096];
  struct pollfd ready = {.fd = c->courier, .events = POLLIN};
  if (poll(&ready, 1, 1000) > 0 && recv(c->courier, bytes, sizeof bytes, 0) > 0) {
    send_all(c->courier, page, sizeof page - 1);
    happened(c);
    while (poll(&ready, 1, 200) > 0 && recv(c->courier, bytes, sizeof bytes, 0) > 0) {
    }
  }
}

static void *serve(void *argument) {
  connection *c = argument;
  if (c->plan.kind == LINK_PORTAL) {
    act_as_portal(c);
  } else if ((c->post = dial((uint16_t)atomic_load(&c->link->post_port))) >= 0) {
    bool open = true;
    while (open && !atomic_load(&c->link->ending)) {
      struct pollfd ready[2] = {{.fd = c->courier, .events = POLLIN}, {.fd = c->post, .events = POLLIN}};
      if (poll(ready, 2, 100) <= 0) continue;
      if (ready[0].revents) open = forward(c, true);
      if (open && ready[1].revents) open = forward(c, false);
    }
  }
  close(c->courier);
  if (c->post >= 0) close(c->post);
  atomic_fetch_sub(&c->link->connections, 1);
  free(c);
  return NULL;
}

static void *accept_all(void *argument) {
  link_proxy *l = argument;
  while (!atomic_load(&l->ending)) {
    struct pollfd ready = {.fd = l->listening, .events = POLLIN};
    if (poll(&ready, 1, 50) <= 0) continue;
    connection *c = calloc(1, sizeof *c);
    pthread_t thread;
    if (!c) continue;
    c->link = l;
    c->post = -1;
    c->courier = accept(l->listening, NULL, NULL);
    pthread_mutex_lock(&l->lock);
    c->plan = l->plan;
    pthread_mutex_unlock(&l->lock);
    atomic_fetch_add(&l->connections, 1);
    if (c->courier < 0 || pthread_create(&thread, NULL, serve, c) != 0) {
      if (c->courier >= 0) close(c->courier);
      free(c);
      atomic_fetch_sub(&l->connections, 1);
    } else {
      pthread_detach(thread);
    }
  }
  return NULL;
}

link_proxy *link_open(uint16_t post_port) {
  link_proxy *l = calloc(1, sizeof *l);
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t size = sizeof at;
  if (!l) return NULL;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  atomic_store(&l->post_port, post_port);
  pthread_mutex_init(&l->lock, NULL);
  l->listening = socket(AF_INET, SOCK_STREAM, 0);
  if (l->listening < 0 || bind(l->listening, (struct sockaddr *)&at, sizeof at) != 0 || listen(l->listening, 64) != 0 ||
      getsockname(l->listening, (struct sockaddr *)&at, &size) != 0 ||
      pthread_create(&l->acceptor, NULL, accept_all, l) != 0) {
    free(l);
    return NULL;
  }
  l->port = ntohs(at.sin_port);
  return l;
}

uint16_t link_port(const link_proxy *l) {
  return l->port;
}

void link_post(link_proxy *l, uint16_t port) {
  atomic_store(&l->post_port, port);
}

void link_set(link_proxy *l, link_plan plan) {
  pthread_mutex_lock(&l->lock);
  l->plan = plan;
  pthread_mutex_unlock(&l->lock);
}

void link_seed(link_proxy *l, uint64_t seed) {
  atomic_store(&l->chance, seed);
}

uint64_t link_bytes(link_proxy *l, bool up) {
  return atomic_load(&l->bytes[up]);
}

size_t link_count(link_proxy *l, link_kind kind) {
  return atomic_load(&l->counts[kind]);
}

void link_close(link_proxy *l) {
  atomic_store(&l->ending, true);
  pthread_join(l->acceptor, NULL);
  while (atomic_load(&l->connections) > 0) poll(NULL, 0, 5);
  close(l->listening);
  pthread_mutex_destroy(&l->lock);
  free(l);
}
