/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"

static const cq_cli_verb verbs[] = {{0}};

static const cq_cli_program program = {
    .name = "chasqui-forms",
    .summary = N_("make, check and run forms"),
    .text = N_("Turns XLSForms into standard XForms, finds their faults, and runs them without a screen."),
    .verbs = verbs,
};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
