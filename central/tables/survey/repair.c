/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/repair.h"

#include <math.h>
#include <stdlib.h>

cq_status cq_recall_factor(const double *registered, const double *recalled, const double *weight, size_t count,
                           cq_recall *recall, cq_error *error) {
  long double above = 0, below = 0;
  for (size_t i = 0; i < count; i++) {
    long double w = weight ? weight[i] : 1;
    above += w * registered[i];
    below += w * recalled[i];
  }
  if (above == 0 || below == 0) return cq_error_set(error, CQ_INVALID, "central.calibrate.zero", NULL);
  *recall = (cq_recall){.factor = (double)(above / below), .bias = (double)(below / above - 1), .pairs = count};
  return CQ_OK;
}

cq_size cq_sample_size(const cq_size_wish *wish) {
  const double z = 1.959963984540054; /* of 95 % */
  double p = wish->share, effect = 1 + (wish->cluster - 1) * wish->within;
  cq_size size = {.infinite = z * z * p * (1 - p) / (wish->margin * wish->margin)};
  size.finite = size.infinite / (1 + (size.infinite - 1) / wish->population) * effect;
  size.needed = (int64_t)ceil(size.finite);
  size.drawn = (int64_t)ceil((double)size.needed / (1 - wish->attrition));
  return size;
}

cq_status cq_sample_allocate(const double *population, size_t strata, int64_t n, int64_t *rows, cq_error *error) {
  double all = 0;
  int64_t given = 0;
  for (size_t h = 0; h < strata; h++) {
    if (population[h] < 2) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
    all += population[h];
  }
  if (n < 2 * (int64_t)strata || (double)n > all) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
  for (size_t h = 0; h < strata; h++) {
    double share = (double)n * population[h] / all;
    rows[h] = (int64_t)floor(share);
    if (rows[h] < 2) rows[h] = 2;
    if ((double)rows[h] > population[h]) rows[h] = (int64_t)population[h];
    given += rows[h];
  }
  /* one at a time to, or from, the stratum that is farthest from its share */
  while (given != n) {
    size_t best = strata;
    double farthest = -1e300;
    for (size_t h = 0; h < strata; h++) {
      double gap = (double)n * population[h] / all - (double)rows[h];
      bool free = given < n ? (double)rows[h] < population[h] : rows[h] > 2;
      if (given > n) gap = -gap;
      if (!free || gap <= farthest) continue;
      farthest = gap;
      best = h;
    }
    if (best == strata) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
    rows[best] += given < n ? 1 : -1;
    given += given < n ? 1 : -1;
  }
  return CQ_OK;
}

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t limit) {
  uint64_t least = (0 - limit) % limit; /* 2^64 mod limit: numbers below it would favour some answers */
  for (;;) {
    uint64_t value = splitmix(state);
    if (value >= least) return value % limit;
  }
}

void cq_sample_shuffle(uint32_t *order, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  for (size_t i = count; i > 1; i--) {
    size_t j = (size_t)below(&seed, i);
    uint32_t kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}

/* --- what may be printed --- */

/*
 * A table with its totals is a network: a node for each row and column and one for each total line, an arc for each
 * cell. What a reader cannot rule out is another table with the same printed cells, and two such tables differ by a
 * round trip over hidden cells, one up, the next down. So a cell is safe if such a round trip goes through it: exactly
 * then it has more than one possible value.
 */
typedef struct grid {
  size_t rows, columns; /* without the totals */
  int64_t *value;       /* (rows + 1) × (columns + 1); the last ones are totals */
  uint8_t *hidden;      /* cq_hidden, or UNPRINTED */
  int64_t *cost;        /* of each node, while a way is sought */
  size_t *from;         /* the cell by which it was reached */
  bool *done;
  int64_t dear; /* what hiding a total costs above a cell */
} grid;

enum { UNPRINTED = 3 };

static size_t cells_of(const grid *g) {
  return (g->rows + 1) * (g->columns + 1);
}

/* What a step over a cell costs: nothing where it is hidden already; SIZE_MAX-like where it cannot be taken. */
static int64_t step_cost(const grid *g, size_t row, size_t column, bool up) {
  size_t at = row * (g->columns + 1) + column;
  int64_t v = g->value[at];
  if (g->hidden[at]) return up || v > 0 ? 0 : INT64_MAX;
  if (v == 0) return INT64_MAX; /* a reader may know that a nought has no other value */
  return row == g->rows || column == g->columns ? v + g->dear : v;
}

/* The cheapest way from the node `start` to `end` without the cell `not`; false: none. Nodes: rows, then columns. */
static bool cheapest(grid *g, size_t start, size_t end, size_t not_by) {
  size_t nodes = g->rows + g->columns + 2;
  for (size_t n = 0; n < nodes; n++) {
    g->cost[n] = INT64_MAX;
    g->done[n] = false;
  }
  g->cost[start] = 0;
  for (;;) {
    size_t near = nodes;
    for (size_t n = 0; n < nodes; n++)
      if (!g->done[n] && g->cost[n] < INT64_MAX && (near == nodes || g->cost[n] < g->cost[near])) near = n;
    if (near == nodes) return false;
    if (near == end) return true;
    g->done[near] = true;
    bool is_row = near <= g->rows;
    size_t others = is_row ? g->columns + 1 : g->rows + 1;
    for (size_t o = 0; o < others; o++) {
      size_t row = is_row ? near : o, column = is_row ? o : near - g->rows - 1, at = row * (g->columns + 1) + column;
      size_t to = is_row ? g->rows + 1 + o : o;
      bool inner = (row < g->rows) == (column < g->columns); /* totals point the other way, but for the total of all */
      int64_t cost = at == not_by || g->done[to] ? INT64_MAX : step_cost(g, row, column, inner == is_row);
      if (cost == INT64_MAX || g->cost[near] + cost >= g->cost[to]) continue;
      g->cost[to] = g->cost[near] + cost;
      g->from[to] = at;
    }
  }
}

/* Hides what stands on the way that was found. */
static void hide_way(grid *g, size_t start, size_t end) {
  for (size_t node = end; node != start;) {
    size_t at = g->from[node], row = at / (g->columns + 1), column = at % (g->columns + 1);
    if (!g->hidden[at]) g->hidden[at] = CQ_HIDDEN_COMPLEMENT;
    node = node <= g->rows ? g->rows + 1 + column : row;
  }
}

/* Makes a round trip through a cell, up or down, whichever hides less. */
static void protect(grid *g, size_t at) {
  size_t row = at / (g->columns + 1), column = g->rows + 1 + at % (g->columns + 1);
  bool inner = (row < g->rows) == (at % (g->columns + 1) < g->columns);
  size_t tail = inner ? row : column, head = inner ? column : row;
  int64_t up = cheapest(g, head, tail, at) ? g->cost[tail] : INT64_MAX;
  if (up == 0) return;
  int64_t down = cheapest(g, tail, head, at) ? g->cost[head] : INT64_MAX;
  if (down <= up && down < INT64_MAX) {
    hide_way(g, tail, head);
  } else if (up < INT64_MAX && cheapest(g, head, tail, at)) {
    hide_way(g, head, tail);
  }
}

static int by_value(const void *a, const void *b) {
  const int64_t *x = a, *y = b; /* value, place */
  if (x[0] != y[0]) return x[0] < y[0] ? 1 : -1;
  return (x[1] > y[1]) - (x[1] < y[1]);
}

/* Room for a table whose last row and column are totals. */
static bool grid_init(grid *g, size_t rows, size_t columns) {
  *g = (grid){.rows = rows, .columns = columns};
  g->cost = calloc(rows + columns + 2, sizeof *g->cost);
  g->from = calloc(rows + columns + 2, sizeof *g->from);
  g->done = calloc(rows + columns + 2, sizeof *g->done);
  g->value = calloc(cells_of(g), sizeof *g->value);
  g->hidden = calloc(cells_of(g), sizeof *g->hidden);
  return g->cost && g->from && g->done && g->value && g->hidden;
}

static void grid_fini(grid *g) {
  free(g->cost);
  free(g->from);
  free(g->done);
  free(g->value);
  free(g->hidden);
}

/* Every small cell, the largest first, gets its round trip. */
static cq_status protect_all(grid *g, int64_t least, cq_error *error) {
  size_t cells = cells_of(g), small = 0;
  int64_t(*order)[2] = calloc(cells, sizeof *order);
  if (!order) return cq_error_nomem(error);
  g->dear = 1;
  for (size_t at = 0; at < cells; at++) {
    g->dear += g->value[at];
    if (g->hidden[at] == UNPRINTED || g->value[at] <= 0 || g->value[at] >= least) continue;
    g->hidden[at] = CQ_HIDDEN_SMALL;
    order[small][0] = g->value[at];
    order[small++][1] = (int64_t)at;
  }
  qsort(order, small, sizeof *order, by_value);
  for (size_t i = 0; i < small; i++) protect(g, (size_t)order[i][1]);
  free(order);
  return CQ_OK;
}

cq_status cq_suppress_more(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden,
                           cq_error *error) {
  grid g;
  if (!rows || !columns) return CQ_OK;
  cq_status status = grid_init(&g, rows - 1, columns - 1) ? CQ_OK : cq_error_nomem(error);
  for (size_t at = 0; status == CQ_OK && at < rows * columns; at++) {
    g.value[at] = counts[at];
    g.hidden[at] = (uint8_t)hidden[at];
  }
  if (status == CQ_OK) status = protect_all(&g, least, error);
  for (size_t at = 0; status == CQ_OK && at < rows * columns; at++) hidden[at] = (cq_hidden)g.hidden[at];
  grid_fini(&g);
  return status;
}

/* Values and totals; margins that are not printed tell nothing. */
static void fill(grid *g, const int64_t *counts, bool row_totals, bool column_totals, bool total) {
  size_t width = g->columns + 1;
  for (size_t r = 0; r < g->rows; r++)
    for (size_t c = 0; c < g->columns; c++) {
      int64_t v = counts[r * g->columns + c];
      g->value[r * width + c] = v;
      g->value[r * width + g->columns] += v;
      g->value[g->rows * width + c] += v;
      g->value[g->rows * width + g->columns] += v;
    }
  for (size_t at = 0; at < cells_of(g); at++) {
    bool last_row = at / width == g->rows, last_column = at % width == g->columns;
    bool printed = last_row && last_column ? total : last_row ? column_totals : last_column ? row_totals : true;
    g->hidden[at] = printed ? CQ_SHOWN : UNPRINTED;
  }
}

cq_status cq_suppress(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden,
                      cq_hidden *row_total, cq_hidden *column_total, cq_hidden *total, cq_error *error) {
  grid g;
  cq_status status = grid_init(&g, rows, columns) ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) {
    fill(&g, counts, row_total, column_total, total);
    status = protect_all(&g, least, error);
  }
  for (size_t at = 0; status == CQ_OK && at < cells_of(&g); at++) {
    size_t r = at / (columns + 1), c = at % (columns + 1);
    cq_hidden h = g.hidden[at] == UNPRINTED ? CQ_SHOWN : (cq_hidden)g.hidden[at];
    if (r < rows && c < columns)
      hidden[r * columns + c] = h;
    else if (r < rows && row_total)
      row_total[r] = h;
    else if (c < columns && r == rows && column_total)
      column_total[c] = h;
    else if (r == rows && c == columns && total)
      *total = h;
  }
  grid_fini(&g);
  return status;
}
