/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/functions.h"

#include <string.h>

static const cq_function_table *const tables[] = {
    &cq_text_functions,   &cq_number_functions, &cq_node_functions, &cq_date_functions,
    &cq_select_functions, &cq_geo_functions,    &cq_code_functions, NULL};

const cq_function *cq_function_find(cq_str name) {
  for (size_t i = 0; tables[i]; i++)
    for (size_t row = 0; row < tables[i]->count; row++)
      if (name.size && name.at[0] == tables[i]->rows[row].name[0] && cq_str_is(name, tables[i]->rows[row].name))
        return &tables[i]->rows[row];
  return NULL;
}
