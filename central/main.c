/* SPDX-License-Identifier: Apache-2.0 */
/* chasqui-central: the post office and the consultant's desk. */
#include "central/inbox/inbox.h"
#include "central/verbs.h"

static const cq_cli_verb verbs[] = {
    {.name = "post init",
     .args = N_("[BUNDLE]"),
     .summary = N_("make a post, or give it its programme"),
     .text =
         N_("Without BUNDLE: makes the home, the receipt key and post.request, which the desk certifies with "
            "`chasqui-central publish --post`. With the bundle that came of it: shows the programme's fingerprint, "
            "and from then on the post serves that programme and no other.\n\n"
            "With --store everything that arrives is kept in a PostgreSQL database of its own, and several posts may "
            "stand before it. The address is kept in the home and must not hold a password: that stands in the file "
            "that PGPASSFILE names, or ~/.pgpass, or in a service file."),
     .options = cq_post_init_options,
     .run = cq_post_init},
    {.name = "serve",
     .summary = N_("receive sealed batches, and hand on what is signed"),
     .text =
         N_("Keeps what arrives sealed, and answers with signed receipts; it holds nothing that opens a batch. Runs "
            "until it is ended with Ctrl-C or SIGTERM."),
     .options = cq_serve_options,
     .run = cq_serve},
    {.name = "init",
     .args = N_("PROGRAMME"),
     .summary = N_("make the desk of a programme"),
     .text =
         N_("PROGRAMME is a folder with programme.json, forms and lists. Makes the programme's keys, the desk's vault, "
            "and in the folder offline the keys that must be kept elsewhere, under a passphrase of their own."),
     .options = cq_central_init_options,
     .run = cq_central_init},
    {.name = "publish",
     .args = N_("[PROGRAMME]"),
     .summary = N_("compile the programme's forms and sign the next bundle"),
     .text =
         N_("Compiles and checks every form, and makes the next numbered bundle with forms, lists, calendar, "
            "certificates and revocations. It stands in the outbox for the courier; --out writes it for a stick too. "
            "A form that changed needs a new version. The version before it may still be finished, not begun."),
     .options = cq_central_publish_options,
     .run = cq_central_publish},
    {.name = "recover",
     .args = N_("REQUEST"),
     .summary = N_("answer a laptop whose passphrase was forgotten"),
     .text =
         N_("On a computer without a network, with the vaults' recovery key, which is kept offline. Telephone first: "
            "the digits of the request must be those that the technician reads."),
     .options = cq_central_recover_options,
     .run = cq_central_recover},
    {.name = "devices",
     .summary = N_("laptops that ask, that are certified, held or revoked"),
     .options = cq_central_devices_options,
     .run = cq_central_devices},
    {.name = "devices approve",
     .args = N_("DEVICE…"),
     .summary = N_("certify laptops"),
     .text =
         N_("DEVICE is the start of its id, its fingerprint, or a batch of it. Compare the fingerprint with the one on "
            "the laptop's screen first. What was held of it is opened by the next merge."),
     .options = cq_central_devices_change_options,
     .run = cq_central_devices_approve},
    {.name = "devices revoke",
     .args = N_("DEVICE…"),
     .summary = N_("no longer believe a laptop"),
     .text =
         N_("Batches up to --last stay trusted (without it: those merged so far); later ones are held apart. Publish "
            "afterwards, so that posts and laptops know."),
     .options = cq_central_devices_change_options,
     .run = cq_central_devices_revoke},
    {.name = "devices hold",
     .args = N_("DEVICE…"),
     .summary = N_("keep apart what a certified laptop sends, for now"),
     .options = cq_central_devices_change_options,
     .run = cq_central_devices_hold},
    {.name = "devices release",
     .args = N_("DEVICE…"),
     .summary = N_("merge what was held of a laptop"),
     .text = N_("Ends a hold. With --last, batches up to that number are merged whatever the laptop's standing."),
     .options = cq_central_devices_change_options,
     .run = cq_central_devices_release},
    {.name = "contacts",
     .summary = N_("which laptop is told whose name and place"),
     .text = N_("Names, places and telephones of people leave the desk in contact sheets alone: each is sealed to one "
                "laptop and names the people of its communities."),
     .options = cq_central_contacts_options,
     .run = cq_central_contacts},
    {.name = "contacts import",
     .args = N_("FILE.csv"),
     .summary = N_("take names and places of people from the office's list"),
     .text = N_("Columns: id (of the entity), and as far as there are community (its code), name, place, phone, "
                "directions. What a person's own record says later goes before."),
     .options = cq_central_contacts_change_options,
     .run = cq_central_contacts_import},
    {.name = "contacts assign",
     .args = N_("DEVICE CODE…"),
     .summary = N_("let a laptop know the people of a community, or a person"),
     .text = N_("DEVICE is the start of its id, or the code of its technician. CODE is a community, the beginning of "
                "its code (a district covers its communities), or a person's code."),
     .options = cq_central_contacts_change_options,
     .run = cq_central_contacts_assign},
    {.name = "contacts withdraw",
     .args = N_("DEVICE [CODE…]"),
     .summary = N_("take an assignment back; without CODE all of them"),
     .options = cq_central_contacts_change_options,
     .run = cq_central_contacts_withdraw},
    {.name = "contacts send",
     .summary = N_("seal a sheet for every laptop whose people have changed"),
     .text =
         N_("The sheets stand in the outbox for the courier. A sheet replaces the one before as a whole; one without "
            "persons takes all names from the laptop."),
     .options = cq_central_contacts_change_options,
     .run = cq_central_contacts_send},
    {.name = "frame import",
     .args = N_("FRAME.csv"),
     .summary = N_("say who is to be visited: a sample or a roster, frozen"),
     .text = N_(
         "Columns: id, and as far as there are stratum, N, weight, entry, exit, place; what `sample draw` writes will "
         "do, and only its drawn units are taken. Other columns are kept for `coverage --by`. A frame is imported "
         "once: coverage counts these persons from then on, with or without records."),
     .options = cq_central_frame_import_options,
     .run = cq_central_frame_import},
    {.name = "import",
     .args = N_("FOLDER"),
     .summary = N_("bring batches from a stick into the inbox"),
     .options = cq_central_import_options,
     .run = cq_central_import},
    {.name = "merge",
     .summary = N_("open and merge what arrived"),
     .text =
         N_("Verifies, opens and merges the batches of the inbox, and writes receipts into the outbox. What is there "
            "already is left; order, repetition and gaps do no harm. Batches of unknown or revoked laptops are held "
            "apart, and each refused one is named with its reason. The exit status is 1 where something was refused."),
     .options = cq_central_merge_options,
     .run = cq_central_merge},
    {.name = "backup",
     .args = N_("FILE"),
     .summary = N_("make a checked copy of the desk, on a stick for example"),
     .text =
         N_("Where FILE is a folder the copy gets a name with the day. It opens with the same passphrase. The offline "
            "keys are not in it."),
     .options = cq_central_backup_options,
     .run = cq_central_backup},
    {.name = "restore",
     .args = N_("COPY"),
     .summary = N_("go on from a copy of a desk, in a home that has none"),
     .text =
         N_("All of it is read and checked first; COPY stays as it is. It is the same desk: never work on with both."),
     .options = cq_central_backup_options,
     .run = cq_central_restore},
    {.name = "rebuild",
     .summary = N_("make all derived tables anew from the records"),
     .options = cq_central_rebuild_options,
     .run = cq_central_rebuild},
    {.name = "status",
     .summary = N_("what the desk holds, what waits, what to look at"),
     .options = cq_central_status_options,
     .run = cq_central_status},
    {.name = "review",
     .summary = N_("corrections in conflict, and persons who may be registered twice"),
     .text =
         N_("Lists interviews with more than one correction: the newest counts until the others are voided. Proposes "
            "pairs of persons, the likeliest first, by names, birth, sex, place and DNI; it changes nothing. Decide "
            "with `review same` or `review different`: both are signed, and can be taken back by another decision."),
     .options = cq_central_review_options,
     .run = cq_central_review},
    {.name = "review same",
     .args = N_("ID ID"),
     .summary = N_("decide that two entities are one person"),
     .options = cq_central_review_decide_options,
     .run = cq_central_review_same},
    {.name = "review different",
     .args = N_("ID ID"),
     .summary = N_("decide that two entities are two persons"),
     .options = cq_central_review_decide_options,
     .run = cq_central_review_different},
    {.name = "void",
     .args = N_("RECORD…"),
     .summary = N_("records that count no more, and stay readable"),
     .text =
         N_("RECORD is the start of its name, as `table` and `person` show it. A signed decision: a rebuild keeps it. "
            "Where it is a correction, what it corrected counts again: to let neither count, void both."),
     .options = cq_central_records_options,
     .run = cq_central_void},
    {.name = "erase",
     .args = N_("[RECORD…]"),
     .summary = N_("erase records for ever, as a person may ask (Ley 29733)"),
     .text = N_(
         "RECORD is the start of its name; all versions of a corrected record go with it. --person takes all records "
         "of "
         "a person.\n\nRemoves the records here, with their files, snapshots of their drafts and the sealed batches "
         "that "
         "brought them, and orders posts and laptops to do the same. Of a person about whom no record is left the name "
         "and place go too. The names of the records stay, so that one that comes once more is not merged again. A "
         "withdrawn consent is something else: who withdraws is not visited any more, and what was said is kept.\n\n"
         "Backups made before, exported tables and the frame (a code and a stratum, no name) hold it still: destroy or "
         "renew them. The drill is in docs/security.md."),
     .options = cq_central_erase_options,
     .run = cq_central_erase},
    {.name = "erase status",
     .args = N_("[ORDER]"),
     .summary = N_("which laptops have obeyed each order to erase"),
     .text =
         N_("Of each order, the newest first, and each laptop: whether it has erased what it held, held none of it, or "
            "has not been heard from. A laptop says so with the next batch that it packs after the order has come. "
            "ORDER is the start of its name."),
     .options = cq_central_erasures_options,
     .run = cq_central_erasures},
    {.name = "table",
     .args = N_("[TABLE | INDICATOR… | FORM]"),
     .summary = N_("make a table of the programme, estimate indicators, or show a form's records"),
     .text = N_(
         "Without arguments, or with --list: the tables and forms there are.\n\nA TABLE of the programme's tables.json "
         "stands for a day: what happened later does not count. Its totals are added and never typed; 0, not known "
         "(blank), does not apply (—) and hidden (·) are four different marks.\n\nAn INDICATOR is estimated from the "
         "sample with its standard error, interval of 95 per cent and coefficient of variation, season by season, and "
         "each figure says the months it rests on and whether they were registered, recalled or reconstructed. A "
         "campaign with a season missing is rebuilt by the ratio of the campaign before, where that one is whole. "
         "Seasons are compared with the same season only. Formulas and sources are in docs/method.md."),
     .options = cq_central_table_options,
     .run = cq_central_table},
    {.name = "snapshots",
     .args = N_("[QUARTER]"),
     .summary = N_("figures as they were published, and what they would be now"),
     .text =
         N_("Without QUARTER: everything that was frozen by `table --freeze`, with its revisions. With one, such as "
            "2013-Q1: each frozen figure beside what the same question answers now, by the same version of the "
            "definition."),
     .options = cq_central_snapshots_options,
     .run = cq_central_snapshots},
    {.name = "indicators",
     .summary = N_("the indicators' definitions, with every version that was published"),
     .options = cq_central_indicators_options,
     .run = cq_central_indicators},
    {.name = "indicators check",
     .args = N_("PROGRAMME"),
     .summary = N_("find all faults of a programme's indicator definitions"),
     .text = N_(
         "PROGRAMME is the folder with programme.json. Each fault is named by its cell, with the nearest name that is "
         "known. `publish` refuses a file that has one."),
     .options = cq_central_indicators_check_options,
     .run = cq_central_indicators_check},
    {.name = "check",
     .args = N_("[NAME]"),
     .summary = N_("find what would be wrong in the tables, before they are printed"),
     .text =
         N_("Runs the checks of the programme's tables.json on the merged records (all of them, or the check or table "
            "NAME), and looks whether each table's margins hold all that its cells show. Each finding says what, "
            "where, and what to do next. With --table FILE.csv it adds a typed table anew instead: totals, shares "
            "above 100 %, columns that repeat the total, several marks for nothing. The exit status is 1 where "
            "something was found."),
     .options = cq_central_check_options,
     .run = cq_central_check},
    {.name = "export",
     .args = N_("[FORM…]"),
     .summary = N_("write merged records as files for other programs"),
     .text =
         N_("One CSV file for each form, and one for each of its repeats, joined by KEY and PARENT_KEY. Fields that a "
            "spreadsheet would run as a formula get an apostrophe before them."),
     .options = cq_central_export_options,
     .run = cq_central_export},
    {.name = "person",
     .args = N_("CODE"),
     .summary = N_("all visits to one person"),
     .text = N_("CODE is the person's code, or the start of the entity's id."),
     .options = cq_central_person_options,
     .run = cq_central_person},
    {.name = "desk",
     .summary = N_("the desk as a page in the browser of this machine"),
     .text = N_(
         "Devices, batches and what waits, coverage, persons who may be registered twice, records without the columns "
         "that identify people. The address holds a token, is good until Ctrl-C, and answers to this machine alone. "
         "While it runs the desk is in use: other commands say so."),
     .options = cq_central_desk_options,
     .run = cq_central_desk},
    {.name = "coverage",
     .summary = N_("what is covered, due and lost, by person and season"),
     .text = N_("Shows the state of each person in each season of a campaign, and how much of the campaign is covered "
                "by season and by month. A season nobody had to be visited in is shown with a dash, never as 0 %."),
     .options = cq_central_coverage_options,
     .run = cq_central_coverage},
    {.name = "estimate",
     .args = N_("DATA.csv"),
     .summary = N_("estimate from a stratified sample in a CSV file"),
     .text =
         N_("Estimates a mean, total, proportion or ratio with its standard error and 95 % interval. The weight of a "
            "row is its stratum's population divided by the stratum's rows. A blank is missing: it is counted, left "
            "out of the estimate and kept in the design. --where is a domain: the rows outside it stay in the "
            "variance. Formulas and sources are in docs/method.md."),
     .options = cq_central_estimate_options,
     .run = cq_central_estimate},
    {.name = "calibrate",
     .args = N_("DATA.csv"),
     .summary = N_("how far recalled values are off from registered ones"),
     .text =
         N_("From units that have both for the same season: the factor k by which a recalled value is multiplied, and "
            "the bias of recall. Rows with only one of the two are left out and counted."),
     .options = cq_central_calibrate_options,
     .run = cq_central_calibrate},
    {.name = "sample size",
     .summary = N_("how many interviews a share needs"),
     .options = cq_central_size_options,
     .run = cq_central_size},
    {.name = "sample draw",
     .args = N_("FRAME.csv"),
     .summary = N_("draw a stratified sample that anybody can draw again"),
     .text =
         N_("Shares -n among the strata in proportion to their sizes, two at least, and draws by the seed. The file "
            "has every unit: those drawn with their weight, the others in the order in which they replace. An "
            "existing file is never written over: a sample is drawn once."),
     .options = cq_central_draw_options,
     .run = cq_central_draw},
    {.name = "sample report",
     .args = N_("[DATA.csv]"),
     .summary = N_("who of a sample answered, who was lost and why, and how unlike the two are"),
     .text =
         N_("Response by weighting class, unweighted and weighted, with the factor that makes up for those lost; "
            "losses and "
            "replacements by reason; and the means of baseline columns of those who stayed and those who were lost. "
            "`estimate --answered` estimates with the adjusted weights.\n\nWithout DATA.csv the sample is the desk's "
            "frame: who answered about --season is read from the merged records, and the baseline's questions from "
            "those of --baseline."),
     .options = cq_central_sample_report_options,
     .run = cq_central_sample_report},
    {.name = "tabulate",
     .args = N_("DATA.csv"),
     .summary = N_("count rows by two columns, and hide small cells for outside"),
     .options = cq_central_tabulate_options,
     .run = cq_central_tabulate},
    {0}};

static const cq_cli_program program = {
    .name = "chasqui-central", .summary = N_("the post office and the consultant's desk"), .verbs = verbs};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
