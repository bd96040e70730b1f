/* SPDX-License-Identifier: Apache-2.0 */
/* chasqui-central: the post office and the consultant's desk. */
#include "central/inbox/inbox.h"
#include "central/verbs.h"

static const cq_cli_verb verbs[] = {
    {.name = "post init",
     .args = "[BUNDLE]",
     .summary = N_("make a post, or give it its programme"),
     .text = N_("Without BUNDLE: makes the home, the receipt key and post.request, which the desk certifies with "
                "`chasqui-central publish --post`. With the bundle that came of it: shows the programme's fingerprint, "
                "and from then on the post serves that programme and no other."),
     .options = cq_post_init_options,
     .max_args = 1,
     .run = cq_post_init},
    {.name = "serve",
     .summary = N_("receive sealed batches, and hand on what is signed"),
     .text =
         N_("Keeps what arrives sealed, and answers with signed receipts; it holds nothing that opens a batch. Runs "
            "until it is ended with Ctrl-C or SIGTERM."),
     .options = cq_serve_options,
     .run = cq_serve},
    {.name = "coverage",
     .summary = N_("what is covered, due and lost, by person and season"),
     .text = N_("Shows the state of each person in each season of a campaign, and how much of the campaign is covered "
                "by season and by month. A season nobody had to be visited in is shown with a dash, never as 0 %."),
     .options = cq_central_coverage_options,
     .run = cq_central_coverage},
    {.name = "estimate",
     .args = "DATA.csv",
     .summary = N_("estimate from a stratified sample in a CSV file"),
     .text =
         N_("Estimates a mean, total, proportion or ratio with its standard error and 95 % interval. The weight of a "
            "row is its stratum's population divided by the stratum's rows. A blank is missing: it is counted, left "
            "out of the estimate and kept in the design. --where is a domain: the rows outside it stay in the "
            "variance. Formulas and sources are in docs/method.md."),
     .options = cq_central_estimate_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_central_estimate},
    {0}};

static const cq_cli_program program = {
    .name = "chasqui-central", .summary = N_("the post office and the consultant's desk"), .verbs = verbs};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
