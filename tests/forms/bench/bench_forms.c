/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_forms: how long the form engine takes, on forms made here, at two or
 * three sizes each, so that growth shows, with the memory of form and interview
 * together. Not a test: run it from a release build. With --json it writes one
 * object a line; the name of a form runs that one.
 *
 *   bench_forms --xml FORM SIZE           the form itself
 *   bench_forms --process TIMES COMMAND…  the best of so many runs: wall clock and processor, from start to end
 */
#include "chasqui/forms.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool json;
static const char *only; /* the form to run, NULL: all */

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* what others do on the machine is not counted */
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 7, size);
}

/* --- forms --- */

static void begin_model(cq_buf *out, const cq_buf *itext) {
  cq_buf_add_text(out, "<?xml version=\"1.0\"?><h:html xmlns=\"http://www.w3.org/2002/xforms\" "
                       "xmlns:h=\"http://www.w3.org/1999/xhtml\" xmlns:jr=\"http://openrosa.org/javarosa\">"
                       "<h:head><h:title>bench</h:title><model>");
  if (itext != NULL) cq_buf_add_str(out, cq_buf_str(itext));
  cq_buf_add_text(out, "<instance><d id=\"bench\"><a0/>");
}

static void end_with_input(cq_buf *out) {
  cq_buf_add_text(out, "</model></h:head><h:body><input ref=\"/d/a0\"><label>a</label></input></h:body></h:html>");
}

static void chain(cq_buf *out, size_t n) {
  begin_model(out, NULL);
  for (size_t i = 1; i <= n; i++) cq_buf_addf(out, "<a%zu/>", i);
  cq_buf_add_text(out, "</d></instance><bind nodeset=\"/d/a0\" type=\"int\"/>");
  for (size_t i = 1; i <= n; i++)
    cq_buf_addf(out, "<bind nodeset=\"/d/a%zu\" type=\"int\" calculate=\" /d/a%zu + 1\"/>", i, i - 1);
  end_with_input(out);
}

static void fan(cq_buf *out, size_t n) {
  begin_model(out, NULL);
  for (size_t i = 1; i <= n; i++) cq_buf_addf(out, "<a%zu/>", i);
  cq_buf_add_text(out, "</d></instance><bind nodeset=\"/d/a0\" type=\"int\"/>");
  for (size_t i = 1; i <= n; i++)
    cq_buf_addf(out, "<bind nodeset=\"/d/a%zu\" type=\"int\" calculate=\" /d/a0 * %zu\"/>", i, i);
  end_with_input(out);
}

/* Pairs of a question and its calculation: an answer has one dependent, however many pairs there are. */
static void wide(cq_buf *out, size_t n) {
  begin_model(out, NULL);
  for (size_t i = 1; i <= n; i++) cq_buf_addf(out, "<a%zu/><c%zu/>", i, i);
  cq_buf_add_text(out, "<c0/></d></instance>");
  for (size_t i = 0; i <= n; i++) cq_buf_addf(out, "<bind nodeset=\"/d/c%zu\" calculate=\" /d/a%zu * 2\"/>", i, i);
  end_with_input(out);
}

/* n instances of 20 calculations each, and a sum of one of them outside. */
static void repeats(cq_buf *out, size_t n) {
  begin_model(out, NULL);
  cq_buf_add_text(out, "<total/>");
  for (size_t j = 0; j < n; j++) {
    cq_buf_addf(out, "<r><q>%zu</q>", j % 50);
    for (int i = 1; i <= 20; i++) cq_buf_addf(out, "<c%d/>", i);
    cq_buf_add_text(out, "</r>");
  }
  cq_buf_add_text(out, "</d></instance><bind nodeset=\"/d/r/q\" type=\"int\"/>"
                       "<bind nodeset=\"/d/total\" calculate=\"sum(/d/r/c20)\"/>"
                       "<bind nodeset=\"/d/r/c1\" calculate=\" ../q + position(..)\"/>");
  for (int i = 2; i <= 20; i++)
    cq_buf_addf(out, "<bind nodeset=\"/d/r/c%d\" calculate=\" ../c%d + /d/r/q\"/>", i, i - 1);
  cq_buf_add_text(out,
                  "</model></h:head><h:body><repeat nodeset=\"/d/r\"><input ref=\"/d/r/q\"><label>q</label></input>"
                  "</repeat></h:body></h:html>");
}

/* A list of n rows, a question filtered by another, and 200 calculations that look a row up. */
static void cascade(cq_buf *out, size_t n) {
  begin_model(out, NULL);
  cq_buf_add_text(out, "<place/>");
  for (int i = 0; i < 200; i++) cq_buf_addf(out, "<c%d/>", i);
  cq_buf_add_text(out, "</d></instance><instance id=\"p\"><root>");
  for (size_t i = 0; i < n; i++)
    cq_buf_addf(out, "<item><name>p%zu</name><label>Lugar %zu</label><dist>d%zu</dist><h>%zu</h></item>", i, i, i % 200,
                i % 977);
  cq_buf_add_text(out, "</root></instance>");
  for (int i = 0; i < 200; i++)
    cq_buf_addf(out, "<bind nodeset=\"/d/c%d\" calculate=\"instance('p')/root/item[name = /d/place]/h + %d\"/>", i, i);
  cq_buf_add_text(out,
                  "</model></h:head><h:body><input ref=\"/d/a0\"><label>d</label></input><select1 ref=\"/d/place\">"
                  "<label>p</label><itemset nodeset=\"instance('p')/root/item[dist = /d/a0 and h &gt; 5]\">"
                  "<value ref=\"name\"/><label ref=\"label\"/></itemset></select1></h:body></h:html>");
}

enum { PER_GROUP = 25 };

static void survey_itext(cq_buf *out, size_t n) {
  cq_buf_add_text(out, "<itext>");
  for (int l = 0; l < 3; l++) {
    cq_buf_addf(out, "<translation lang=\"%s\"%s>",
                l == 0   ? "es"
                : l == 1 ? "en"
                         : "quz",
                l == 0 ? " default=\"true()\"" : "");
    for (size_t i = 0; i < n; i++)
      cq_buf_addf(
          out,
          "<text id=\"/d/g%zu/q%zu:label\"><value>(Id%zu) Pregunta sobre la persona <output value=\" /d/a0 \"/>, "
          "con una explicación de largo medio para quien la lee en voz alta en el campo</value></text>"
          "<text id=\"/d/g%zu/q%zu:hint\"><value>Indicación para la técnica: marque una sola respuesta"
          "</value></text>",
          i / PER_GROUP, i, i, i / PER_GROUP, i);
    cq_buf_add_text(out, "</translation>");
  }
  cq_buf_add_text(out, "</itext>");
}

/* As the WHO verbal autopsy: groups of questions with translations, each asked where an earlier one said yes. */
static void survey(cq_buf *out, size_t n) {
  cq_buf head = {0};
  survey_itext(&head, n);
  begin_model(out, &head);
  cq_buf_fini(&head);
  for (size_t i = 0; i < n; i++) {
    if (i % PER_GROUP == 0) cq_buf_addf(out, "<g%zu>", i / PER_GROUP);
    cq_buf_addf(out, "<q%zu/>", i);
    if (i % PER_GROUP == PER_GROUP - 1 || i + 1 == n) cq_buf_addf(out, "</g%zu>", i / PER_GROUP);
  }
  cq_buf_add_text(out, "</d></instance>");
  for (size_t i = 0; i < n; i++) {
    cq_buf_addf(out, "<bind nodeset=\"/d/g%zu/q%zu\" type=\"string\" required=\"true()\"", i / PER_GROUP, i);
    if (i > 0 && i % 5 == 4)
      cq_buf_addf(out, " calculate=\"if( /d/g%zu/q%zu = 'yes', 1, 0)\"", (i - 1) / PER_GROUP, i - 1);
    else if (i > 10)
      cq_buf_addf(out, " relevant=\" /d/g%zu/q%zu = 'yes' or selected( /d/g%zu/q%zu , 'dk')\"", (i - 3) / PER_GROUP,
                  i - 3, (i - 10) / PER_GROUP, i - 10);
    cq_buf_add_text(out, "/>");
  }
  cq_buf_add_text(out, "</model></h:head><h:body><input ref=\"/d/a0\"><label>a</label></input>");
  for (size_t i = 0; i < n; i++) {
    if (i % PER_GROUP == 0) cq_buf_addf(out, "<group ref=\"/d/g%zu\"><label>g</label>", i / PER_GROUP);
    if (i % 5 != 4)
      cq_buf_addf(out,
                  "<select1 ref=\"/d/g%zu/q%zu\"><label ref=\"jr:itext('/d/g%zu/q%zu:label')\"/><hint "
                  "ref=\"jr:itext('/d/g%zu/q%zu:hint')\"/><item><label>Sí</label><value>yes</value></item><item>"
                  "<label>No</label><value>no</value></item><item><label>No sabe</label><value>dk</value></item>"
                  "</select1>",
                  i / PER_GROUP, i, i / PER_GROUP, i, i / PER_GROUP, i);
    if (i % PER_GROUP == PER_GROUP - 1 || i + 1 == n) cq_buf_add_text(out, "</group>");
  }
  cq_buf_add_text(out, "</h:body></h:html>");
}

/* --- measuring --- */

typedef struct bench {
  cq_clock_fixed at;
  cq_clock clock;
  cq_random random;
  cq_form *form;
  cq_interview *interview;
  cq_arena *arena;
  cq_error error;
  double load_ms, begin_ms;
} bench;

static void need(const bench *b, cq_status status) {
  if (status == CQ_OK) return;
  fprintf(stderr, "bench_forms: %s %s %s\n", b->error.code == NULL ? "?" : b->error.code, b->error.arg[0],
          b->error.file);
  exit(1);
}

static void start(bench *b, void (*make)(cq_buf *, size_t), size_t n) {
  cq_buf xml = {0};
  make(&xml, n);
  b->load_ms = b->begin_ms = 1e9;
  for (int i = 0; i < 3; i++) { /* the best of three */
    cq_interview_free(b->interview);
    cq_form_free(b->form);
    b->interview = NULL;
    double from = now_ms();
    need(b, cq_form_load(&b->form, cq_buf_str(&xml), NULL, &b->error));
    double loaded = now_ms();
    const cq_interview_setup setup = {.clock = &b->clock, .random = &b->random, .language = CQ_FIELD_NONE};
    need(b, cq_interview_begin(&b->interview, b->form, &setup, &b->error));
    double begun = now_ms();
    b->load_ms = loaded - from < b->load_ms ? loaded - from : b->load_ms;
    b->begin_ms = begun - loaded < b->begin_ms ? begun - loaded : b->begin_ms;
  }
  cq_buf_fini(&xml);
}

static double answer(bench *b, const char *ref, const char *one, const char *other, int times) {
  cq_entry entry;
  cq_set_outcome outcome;
  need(b, cq_interview_entry(b->interview, cq_str_from(ref), &entry, &b->error));
  double from = now_ms();
  for (int i = 0; i < times; i++) {
    cq_arena_reset(b->arena);
    need(b, cq_interview_set(b->interview, entry, cq_str_from(i % 2 == 0 ? one : other), CQ_SET_CHECKED, b->arena,
                             &outcome, &b->error));
  }
  return (now_ms() - from) / times;
}

static double choose(bench *b, const char *ref, int times, size_t *count) {
  cq_entry entry;
  cq_choices choices;
  need(b, cq_interview_entry(b->interview, cq_str_from(ref), &entry, &b->error));
  double from = now_ms();
  for (int i = 0; i < times; i++) {
    cq_arena_reset(b->arena);
    need(b, cq_interview_choices(b->interview, entry, b->arena, &choices, &b->error));
  }
  *count = choices.count;
  return (now_ms() - from) / times;
}

static cq_status pass_over(void *context, const cq_saved_value *value, cq_error *error) {
  (void)error;
  *(size_t *)context += value->text.size;
  return CQ_OK;
}

/* As the desk reads a record into its tables. */
static double read_record(bench *b, int times) {
  cq_buf xml = {0};
  size_t seen = 0;
  need(b, cq_interview_write(b->interview, CQ_WRITE_DRAFT, &xml, &b->error));
  double from = now_ms();
  for (int i = 0; i < times; i++) need(b, cq_form_read(b->form, cq_buf_str(&xml), pass_over, &seen, NULL, &b->error));
  double ms = (now_ms() - from) / times;
  cq_buf_fini(&xml);
  return ms;
}

static void report(const bench *b, const char *what, size_t size, const char *work, double ms) {
  double mib = (double)(cq_form_memory(b->form) + cq_interview_memory(b->interview)) / 1048576;
  if (json)
    printf("{\"form\":\"%s\",\"size\":%zu,\"load_ms\":%.3f,\"begin_ms\":%.3f,\"work\":\"%s\",\"work_ms\":%.5f,"
           "\"memory_mib\":%.2f}\n",
           what, size, b->load_ms, b->begin_ms, work, ms, mib);
  else
    printf("%-12s %7zu %9.2f %9.2f   %-28s %10.4f %9.2f\n", what, size, b->load_ms, b->begin_ms, work, ms, mib);
}

static void run(const char *what, void (*make)(cq_buf *, size_t), size_t n, const char *ref, const char *one,
                const char *other, const char *work, int times) {
  if (only != NULL && strcmp(only, what) != 0) return;
  bench b = {.arena = cq_arena_new(0), .at = {1345500000000, -300}, .random = {fill, NULL}};
  cq_error_clear(&b.error);
  b.clock = cq_clock_fix(&b.at);
  start(&b, make, n);
  report(&b, what, n, work, answer(&b, ref, one, other, times));
  if (make == cascade) {
    size_t count = 0;
    double ms = choose(&b, "/d/place", 20, &count);
    report(&b, what, n, "filter the list", ms);
  }
  if (make == repeats) {
    cq_entry repeat, made;
    need(&b, cq_interview_entry(b.interview, CQ_STR("/d/r[]"), &repeat, &b.error));
    double from = now_ms();
    for (int i = 0; i < 20; i++) {
      need(&b, cq_interview_add(b.interview, repeat, &made, &b.error));
      need(&b, cq_interview_remove(b.interview, made, &b.error));
    }
    report(&b, what, n, "add and remove an instance", (now_ms() - from) / 20);
  }
  if (make == survey) {
    cq_page page;
    double from = now_ms();
    for (int i = 0; i < 50; i++) {
      cq_arena_reset(b.arena);
      need(&b, cq_interview_forward(b.interview, &b.error));
      need(&b, cq_interview_page(b.interview, b.arena, &page, &b.error));
    }
    report(&b, what, n, "next page", (now_ms() - from) / 50);
    report(&b, what, n, "read a record", read_record(&b, 200));
  }
  cq_interview_free(b.interview);
  cq_form_free(b.form);
  cq_arena_free(b.arena);
}

/* --- by themselves --- */

static int write_form(const char *name, size_t size) {
  static const struct {
    const char *name;
    void (*make)(cq_buf *out, size_t n);
  } forms[] = {{"chain", chain},     {"fan", fan},         {"wide", wide},
               {"repeats", repeats}, {"cascade", cascade}, {"survey", survey}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (strcmp(forms[i].name, name) != 0) continue;
    cq_buf xml = {0};
    forms[i].make(&xml, size);
    bool written = !xml.failed && fwrite(xml.at, 1, xml.size, stdout) == xml.size && fflush(stdout) == 0;
    cq_buf_fini(&xml);
    return written ? 0 : 1;
  }
  fprintf(stderr, "bench_forms: there is no form %s\n", name);
  return 2;
}

static double wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of all children that have ended. */
static double children_ms(void) {
  struct rusage used;
  if (getrusage(RUSAGE_CHILDREN, &used) != 0) return 0;
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static int measure_process(int times, char **command) {
  double wall = 1e12, processor = 1e12;
  for (int i = 0; i < times; i++) {
    double from = wall_ms(), before = children_ms();
    pid_t child = fork();
    if (child == 0) {
      int nowhere = open("/dev/null", O_WRONLY);
      if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
      }
      execv(command[0], command);
      _exit(127);
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) != child || !WIFEXITED(how) || WEXITSTATUS(how) > 1) {
      fprintf(stderr, "bench_forms: %s did not run\n", command[0]);
      return 1;
    }
    double took = wall_ms() - from, spent = children_ms() - before;
    wall = took < wall ? took : wall;
    processor = spent < processor ? spent : processor;
  }
  printf("%.1f ms by the clock, %.1f ms of the processor (best of %d)\n", wall, processor, times);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--xml") == 0) return write_form(argv[2], (size_t)strtoul(argv[3], NULL, 10));
  if (argc > 3 && strcmp(argv[1], "--process") == 0) return measure_process(atoi(argv[2]), argv + 3);
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--json") == 0)
      json = true;
    else
      only = argv[i];
  }
  if (!json) printf("%-12s %7s %9s %9s   %-28s %10s %9s\n", "form", "size", "load ms", "begin ms", "then", "ms", "MiB");
  const size_t sizes[] = {1000, 10000};
  for (size_t i = 0; i < 2; i++) run("chain", chain, sizes[i], "/d/a0", "1", "2", "an answer at the head", 20);
  for (size_t i = 0; i < 2; i++) run("fan", fan, sizes[i], "/d/a0", "1", "2", "an answer that all read", 10);
  for (size_t i = 0; i < 2; i++) run("wide", wide, sizes[i], "/d/a0", "1", "2", "an answer with one reader", 2000);
  run("repeats", repeats, 50, "/d/r[25]/q", "1", "2", "an answer in the middle", 200);
  run("repeats", repeats, 500, "/d/r[250]/q", "1", "2", "an answer in the middle", 200);
  run("repeats", repeats, 2000, "/d/r[1000]/q", "1", "2", "an answer in the middle", 200);
  run("cascade", cascade, 2000, "/d/a0", "d1", "d2", "an answer the filter reads", 200);
  run("cascade", cascade, 20000, "/d/a0", "d1", "d2", "an answer the filter reads", 200);
  run("survey", survey, 150, "/d/g0/q0", "yes", "no", "an answer", 200);
  run("survey", survey, 1500, "/d/g0/q0", "yes", "no", "an answer", 200);
  run("survey", survey, 10000, "/d/g0/q0", "yes", "no", "an answer", 200);
  return 0;
}
