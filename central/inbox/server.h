/* SPDX-License-Identifier: Apache-2.0 */
/* The post's HTTP server: one thread a connection, at most SERVER_CONNECTIONS of them. */
#ifndef CENTRAL_INBOX_SERVER_H
#define CENTRAL_INBOX_SERVER_H

#include "central/inbox/post.h"

enum {
  SERVER_CONNECTIONS = 256,
  SERVER_SILENCE_SECONDS = 30,
  SERVER_HEADER_BYTES = 16 << 10,
  SERVER_PIECE_BYTES = 256 << 10,   /* of an item that goes out, in memory */
  SERVER_BUFFERED_BYTES = 256 << 20 /* of all bodies at once; above it: post.busy */
};

typedef struct server server;

typedef struct server_settings {
  post *post;             /* borrowed until server_stop */
  const char *listen;     /* "127.0.0.1:8470", "[::1]:0"; port 0: a free one */
  const char *cert, *key; /* PEM texts for TLS; both or neither */
} server_settings;

/* Errors: post.listen.address, post.listen.used, post.listen.denied (argument: the address), post.listen.tls. */
cq_status server_start(server **out, const server_settings *settings, cq_error *error);
uint16_t server_port(const server *s);
/* Takes no more connections, lets requests that are being answered end, and closes. NULL is fine. */
void server_stop(server *s);

#endif
