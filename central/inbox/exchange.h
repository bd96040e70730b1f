/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange (docs/formats/protocol.md): the bytes of an ask in, the bytes of a signed answer out. No HTTP here. */
#ifndef CENTRAL_INBOX_EXCHANGE_H
#define CENTRAL_INBOX_EXCHANGE_H

#include "central/inbox/post.h"

/*
 * Appends the answer. Errors: those of cq_ask_parse; post.programme.other (another programme or mode);
 * post.bundle.post (the post's certificate is gone).
 */
cq_status exchange_answer(post *p, cq_str ask, cq_buf *answer, cq_error *error);

#endif
