/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The post: receives, verifies and keeps sealed batches, and hands signed
 * things on. Its verbs, for the table in central/main.c.
 */
#ifndef CENTRAL_INBOX_INBOX_H
#define CENTRAL_INBOX_INBOX_H

#include "chasqui/cli.h"

/* `post init [BUNDLE]`: without a bundle makes home, receipt key and post.request; with one pins the programme. */
int cq_post_init(cq_cli *cli);
extern const cq_cli_option cq_post_init_options[];

/* `serve`: runs until SIGTERM or SIGINT. */
int cq_serve(cq_cli *cli);
extern const cq_cli_option cq_serve_options[];

#endif
