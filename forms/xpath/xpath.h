/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XPath 1.0 in the dialect of ODK forms: compiled once, evaluated often.
 *
 * A compiled expression is immutable and knows what it reads (`paths`, `uses`),
 * so that the engine can order calculations without evaluating anything. An
 * evaluation allocates in a scratch arena only, which the caller resets.
 *
 * Limits: text CQ_XPATH_MAX_TEXT bytes, nesting CQ_XPATH_MAX_DEPTH, work as
 * given in cq_xpath_context.steps.
 * Source: XPath 1.0; ODK XForms specification, section "XPath Functions"; where
 * engines differ, docs/dialect.md.
 */
#ifndef FORMS_XPATH_XPATH_H
#define FORMS_XPATH_XPATH_H

#include "chasqui/arena.h"
#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"
#include "forms/xpath/tree.h"

enum {
  CQ_XPATH_MAX_TEXT = 1 << 17,   /* bytes of an expression */
  CQ_XPATH_MAX_RESULT = 1 << 24, /* bytes that concat() and join() may make */
  CQ_XPATH_MAX_DEPTH = 200,      /* operators, calls and predicates within one another */
  CQ_XPATH_MAX_STEPS = 60000000  /* a good default for cq_xpath_context.steps: nodes and calls of one evaluation */
};

/* --- compiling --- */

typedef struct cq_xpath_space {
  cq_str prefix, uri;
} cq_xpath_space;

/* An unprefixed name in an expression matches every element written without a prefix, in whatever default namespace. */
typedef struct cq_xpath_settings {
  cq_names *names;
  const cq_xpath_space *spaces; /* prefixes of the form; "jr", "orx", "odk", "entities" are known without */
  size_t space_count;
  cq_arena *arena; /* holds the expression and a copy of its text */
} cq_xpath_settings;

typedef enum {
  CQ_XPATH_FROM_ROOT,    /* /data/a */
  CQ_XPATH_FROM_CONTEXT, /* ../a, a, . — relative to the node the expression is evaluated at */
  CQ_XPATH_FROM_CURRENT, /* current()/../a */
  CQ_XPATH_FROM_INSTANCE /* instance('x')/root/item; `instance` is CQ_ATOM_NONE where the id is not a literal */
} cq_xpath_from;

typedef enum {
  CQ_AXIS_CHILD,
  CQ_AXIS_SELF,
  CQ_AXIS_PARENT,
  CQ_AXIS_ATTRIBUTE,
  CQ_AXIS_DESCENDANT,
  CQ_AXIS_DESCENDANT_OR_SELF,
  CQ_AXIS_ANCESTOR,
  CQ_AXIS_ANCESTOR_OR_SELF,
  CQ_AXIS_FOLLOWING_SIBLING,
  CQ_AXIS_PRECEDING_SIBLING,
  CQ_AXIS_FOLLOWING,
  CQ_AXIS_PRECEDING,
  CQ_AXIS_NAMESPACE
} cq_xpath_axis;

/* One step of a path that the expression reads, without its predicates. */
typedef struct cq_xpath_step {
  uint8_t axis;          /* cq_xpath_axis */
  bool any;              /* * or node() or text(): no name to go by */
  bool filtered;         /* has a predicate */
  cq_atom local, prefix; /* where !any */
  cq_atom space;         /* CQ_ATOM_NONE where unprefixed */
} cq_xpath_step;

/*
 * A path that the expression reads. Paths inside predicates stand here as
 * paths of their own, joined to the step they filter: /data/r[x=1]/y gives
 * /data/r/y and /data/r/x. `step_count` 0: the start itself (. or current()).
 */
typedef struct cq_xpath_path {
  cq_xpath_from from;
  cq_atom instance;
  const cq_xpath_step *steps;
  size_t step_count;
  bool structure;  /* only which nodes are there matters (count, position), not what they hold */
  bool all;        /* stands within indexed-repeat(): own_repeats does not hold for it */
  bool self;       /* stands within once(): the node's own value, no dependency to order by */
  uint32_t column; /* of the path in the text, code points from 1 */
} cq_xpath_path;

enum {                           /* cq_xpath_uses: what makes the answer change though no path did */
       CQ_XPATH_CLOCK = 1,       /* today() now() */
       CQ_XPATH_RANDOM = 2,      /* random() uuid() randomize() without a seed */
       CQ_XPATH_POSITION = 4,    /* position(..): the place among the repeat's instances */
       CQ_XPATH_ONCE = 8,        /* once() */
       CQ_XPATH_LANGUAGE = 16,   /* jr:itext() jr:choice-name() */
       CQ_XPATH_LISTS = 32,      /* instance() or pulldata() with an id that is no literal */
       CQ_XPATH_SELF = 64,       /* the context's own value: . */
       CQ_XPATH_CALLS_HOST = 128 /* a function that only the host knows */
};

typedef struct cq_xpath cq_xpath;

/*
 * Errors (arguments: the expression, cut to fit; what was found or meant), all
 * with line_column: xpath.syntax, xpath.end, xpath.token, xpath.string.open,
 * xpath.prefix.unknown, xpath.axis.unknown, xpath.regex, xpath.deep,
 * xpath.long, xpath.variable.
 */
cq_status cq_xpath_compile(const cq_xpath **expression, const cq_xpath_settings *settings, cq_str text,
                           cq_error *error);

/* As engines do, a call that cannot work (a function that only the host could know, or a wrong number of arguments)
 * fails where it is reached. This says the first such call: xpath.function.unknown, xpath.function.arguments. */
cq_status cq_xpath_check(const cq_xpath *expression, cq_error *error);

cq_str cq_xpath_text(const cq_xpath *expression);
unsigned cq_xpath_uses(const cq_xpath *expression);
const cq_xpath_path *cq_xpath_paths(const cq_xpath *expression, size_t *count);
/* Ids of instances named by literals in instance() and pulldata(). */
const cq_atom *cq_xpath_instances(const cq_xpath *expression, size_t *count);
/* The expression is nothing but a location path: its one entry of `paths`, else NULL. */
const cq_xpath_path *cq_xpath_is_path(const cq_xpath *expression);
/* The expression is a literal or a call without paths that cannot change (true(), 'x', 1+1). */
bool cq_xpath_is_constant(const cq_xpath *expression);

/* "EXPRESSION\n    ^" with the caret below line_column, for people. */
void cq_xpath_caret(cq_buf *out, cq_str text, int64_t column);

/* --- values --- */

typedef enum { CQ_XPATH_NUMBER, CQ_XPATH_STRING, CQ_XPATH_BOOLEAN, CQ_XPATH_NODES, CQ_XPATH_DATE } cq_xpath_type;

typedef struct cq_xpath_value {
  cq_xpath_type type;
  bool boolean;
  bool has_time;          /* of a date: now(), date-time(); false for today(), date() of a day */
  bool sorted;            /* of nodes: in document order, without doubles */
  int16_t offset_minutes; /* of a date: east of UTC */
  double number;          /* of a date: days since 1970-01-01T00:00Z, with the zone's fraction */
  cq_str string;          /* UTF-8, in scratch or borrowed from a node */
  cq_node **nodes;        /* in scratch */
  size_t count;
} cq_xpath_value;

/* --- evaluating --- */

/*
 * What the expression cannot know. Every hook may be NULL (instance: there is
 * none; text hooks: empty). Answers are written to `out`; text that is borrowed
 * must live until the scratch arena is reset.
 */
typedef struct cq_xpath_host {
  /* The `instance` element (or document) whose child is the instance's root; NULL: no such instance. */
  cq_node *(*instance)(void *context, cq_str id);
  /* jr:itext(id): the text in the current language, plain form, as a string or as the node that holds it.
   * CQ_NOTFOUND, CQ_LIMIT, CQ_NOMEM. */
  cq_status (*itext)(void *context, cq_str id, cq_arena *scratch, cq_xpath_value *out);
  /* jr:choice-name(value, path): the label of that choice of the question at `path` (as written in the literal), empty
   * where the value is none of its choices; false where `path` names nothing (an error). */
  bool (*choice_name)(void *context, cq_str value, cq_str path, cq_node *at, cq_arena *scratch, cq_str *out);
  /* position(node) of a repeat instance, from 1; 0: not known, then siblings of the same name are counted. */
  size_t (*position)(void *context, const cq_node *node);
  /* A function that is not built in; false: unknown there too (an error). */
  bool (*call)(void *context, cq_str name, const cq_xpath_value *arguments, size_t count, cq_arena *scratch,
               cq_xpath_value *out);
  const cq_clock *clock;   /* NULL: today() and now() are errors */
  const cq_random *random; /* NULL: random() and uuid() are errors */
  cq_str language;         /* for lang() and month names; "" is the default */
  void *context;
} cq_xpath_host;

typedef struct cq_xpath_context {
  const cq_xpath_host *host;
  cq_node *root;         /* what "/" means; NULL: the document of `node` */
  cq_node *node;         /* context node; may be NULL where no path is relative */
  cq_node *current;      /* current(); NULL: as `node` */
  size_t position, size; /* 0: 1 of 1 */
  cq_arena *scratch;
  size_t steps;  /* work allowed; 0: CQ_XPATH_MAX_STEPS */
  size_t *spent; /* the work done is added to it; may be NULL */
  /*
   * As in a form, where what is stored follows JavaRosa; else as ODK Web Forms evaluates an expression by itself.
   * - An absolute path stays within the repeat instances that hold `node`, as far as its steps go the same way; the
   *   last step and steps with a predicate are free. From /data/r[2]/y, /data/r/x is /data/r[2]/x.
   * - A path that gives no node (what is not relevant is left out) compares as an empty text.
   * - sum(), min() and max() pass over what is no number: a question that is not answered.
   * - date() answers a calendar day: of a number that many days after 1970-01-01, wherever one is (else midnight in
   *   UTC, which in Lima is the evening before), of a time its day.
   * - A number's text within 1e-12 of a whole number is that one.
   * - What is no place is an error of area() and distance(); else they answer 0.
   */
  bool in_form;
} cq_xpath_context;

/*
 * Errors: xpath.function.unknown, xpath.function.arguments, xpath.instance.unknown, xpath.argument, xpath.limit,
 * xpath.regex. Arguments never hold an answer.
 */
cq_status cq_xpath_evaluate(const cq_xpath *expression, const cq_xpath_context *context, cq_xpath_value *out,
                            cq_error *error);

/*
 * Conversions. Text of a number is as XPath 1.0 writes it (no exponent,
 * "NaN", "Infinity"); of a date YYYY-MM-DD, with a time also
 * THH:MM:SS.mmm±HH:MM. A string that is a date counts as its number of days.
 * A node-set is its first node, as in Web Forms (JavaRosa refuses several); empty it is "", NaN, false.
 */
double cq_xpath_to_number(const cq_xpath_value *value, const cq_xpath_context *context);
bool cq_xpath_to_boolean(const cq_xpath_value *value);
cq_status cq_xpath_to_string(const cq_xpath_value *value, const cq_xpath_context *context, cq_str *out);

/* Shortest text that reads back as the same number, without an exponent; writes at most 400 bytes. Returns the size. */
size_t cq_xpath_number_text(double number, char *out);

#endif
