/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file as a list: root/item, one element for each column. */
#include "chasqui/csv.h"
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

/* Comma, semicolon and tab are guessed by the reader; a pipe only where the first line has none of them. */
static char separator_of(cq_str text) {
  bool pipe = false;
  for (size_t i = 0; i < text.size && text.at[i] != '\n' && text.at[i] != '\r'; i++) {
    if (text.at[i] == ',' || text.at[i] == ';' || text.at[i] == '\t') return 0;
    pipe = pipe || text.at[i] == '|';
  }
  return pipe ? '|' : (char)0;
}

static cq_status header(cq_names *names, cq_csv *csv, cq_atom **columns, size_t *column_count, cq_error *error) {
  const cq_str *fields;
  cq_status status = cq_csv_next(csv, &fields, column_count, error);
  if (status != CQ_OK) return status;
  *columns = calloc(*column_count + 1, sizeof **columns);
  if (*columns == NULL) return cq_error_nomem(error);
  for (size_t i = 0; i < *column_count; i++) {
    (*columns)[i] = cq_names_intern(names, cq_str_trim(fields[i]));
    if ((*columns)[i] == CQ_ATOM_FAILED) return cq_error_nomem(error);
  }
  return CQ_OK;
}

static cq_status row(cq_tree *tree, cq_node *root, cq_atom item, const cq_atom *columns, size_t column_count,
                     const cq_str *fields, size_t count, cq_error *error) {
  cq_node *node = cq_tree_element(tree, root, NULL, item, 0, 0);
  if (node == NULL) return cq_error_nomem(error);
  for (size_t i = 0; i < column_count; i++) {
    if (columns[i] == CQ_ATOM_NONE) continue;
    cq_node *cell = cq_tree_element(tree, node, NULL, columns[i], 0, 0);
    if (cell == NULL || (i < count && cq_tree_set_text(tree, cell, fields[i]) != CQ_OK)) return cq_error_nomem(error);
  }
  return CQ_OK;
}

cq_status cq_lists_from_csv(cq_tree **tree, cq_names *names, cq_str text, cq_error *error) {
  *tree = cq_tree_new(names, CQ_FORM_MAX_MEMORY);
  cq_csv *csv = cq_csv_new(text, separator_of(text));
  cq_atom *columns = NULL;
  size_t column_count = 0, count = 0, items = 0;
  const cq_str *fields;
  cq_status status = CQ_OK;
  cq_atom item = cq_names_intern(names, CQ_STR("item")), top = cq_names_intern(names, CQ_STR("root"));
  cq_node *root = NULL;
  if (*tree != NULL && item != CQ_ATOM_FAILED && top != CQ_ATOM_FAILED)
    root = cq_tree_element(*tree, cq_tree_document(*tree), NULL, top, 0, 0);
  if (root == NULL || csv == NULL) status = cq_error_nomem(error);
  if (status == CQ_OK) status = header(names, csv, &columns, &column_count, error);
  while (status == CQ_OK) {
    status = cq_csv_next(csv, &fields, &count, error);
    if (status != CQ_OK || count == 0) break;
    items += column_count + 1;
    if (items > CQ_FORM_MAX_ITEMS)
      status = cq_error_set(error, CQ_LIMIT, "forms.limit.items", NULL);
    else
      status = row(*tree, root, item, columns, column_count, fields, count, error);
  }
  free(columns);
  cq_csv_free(csv);
  if (status != CQ_OK) {
    cq_tree_free(*tree);
    *tree = NULL;
  }
  return status;
}
