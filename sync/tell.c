/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/tell.h"

void tell_fault(const cq_cli *cli, const char *name, const cq_error *error) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  cq_cli_warn(cli, "%s: %s %s", name, what.at ? what.at : error->code, next.at ? next.at : "");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

void tell_erased(const cq_cli *cli, size_t count) {
  cq_cli_say(cli,
             cq_cli_plural("%zu batch was erased at the post by a signed order: it is settled, and goes nowhere.",
                           "%zu batches were erased at the post by a signed order: they are settled, and go nowhere.",
                           count),
             count);
}

void tell_code(const cq_cli *cli, const char *name, const char *code) {
  cq_error error;
  cq_error_clear(&error);
  cq_error_set(&error, CQ_REFUSED, code, name, NULL);
  tell_fault(cli, name, &error);
}
