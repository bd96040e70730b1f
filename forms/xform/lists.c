/* SPDX-License-Identifier: Apache-2.0 */
/* Secondary instances: in the form, or brought from outside as XML, CSV or GeoJSON. */
#include "forms/xform/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cq_node *cq_lists_find(const cq_form *form, cq_str id) {
  for (size_t i = 0; i < form->secondary_count; i++)
    if (cq_str_equal(form->secondaries[i].id, id)) return form->secondaries[i].node;
  return NULL;
}

static bool ends_with(cq_str text, const char *end) {
  size_t size = strlen(end);
  return text.size >= size && memcmp(text.at + text.size - size, end, size) == 0;
}

/* By the address, else by the first character: an XML file is at times called .csv by nobody, but lists have no rule.
 */
static cq_status parse(cq_form *form, cq_str uri, cq_str bytes, cq_tree **tree, cq_error *error) {
  cq_str start = cq_str_trim(bytes);
  if (cq_str_starts(start, CQ_STR("\xEF\xBB\xBF"))) start = cq_str_trim((cq_str){start.at + 3, start.size - 3});
  char first = start.size == 0 ? (char)0 : start.at[0];
  if (ends_with(uri, ".geojson") || (first == '{' && !ends_with(uri, ".csv")))
    return cq_lists_from_geojson(tree, form->names, start, error);
  if (ends_with(uri, ".csv") || first != '<') return cq_lists_from_csv(tree, form->names, bytes, error);
  return cq_tree_parse(tree, form->names, start, CQ_TREE_DATA, CQ_FORM_MAX_MEMORY, error);
}

/* A list that nobody brought is empty: <root/>. */
static cq_status empty(cq_form *form, cq_tree **tree, cq_error *error) {
  *tree = cq_tree_new(form->names, 0);
  if (*tree == NULL || cq_tree_element(*tree, cq_tree_document(*tree), NULL, form->words.root, 0, 0) == NULL)
    return cq_error_nomem(error);
  return CQ_OK;
}

static cq_status load_external(cq_form *form, cq_secondary *list, const cq_form_lists *lists, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = CQ_NOTFOUND;
  if (lists != NULL && lists->open != NULL) status = lists->open(lists->context, list->uri, &bytes, error);
  if (status == CQ_OK && bytes.size > CQ_FORM_MAX_XML) status = cq_error_set(error, CQ_LIMIT, "forms.limit.list", NULL);
  if (status == CQ_OK && !cq_utf8_valid(cq_buf_str(&bytes)))
    status = cq_error_set(error, CQ_INVALID, "forms.instance.utf8", NULL);
  if (status == CQ_OK && cq_str_trim(cq_buf_str(&bytes)).size > 0)
    status = parse(form, list->uri, cq_buf_str(&bytes), &list->tree, error);
  else if (status == CQ_OK || status == CQ_NOTFOUND)
    status = empty(form, &list->tree, error);
  cq_buf_fini(&bytes);
  if (status != CQ_OK) {
    if (error != NULL && error->file[0] == '\0') {
      char file[CQ_ERROR_ARG_SIZE];
      snprintf(file, sizeof file, "%.*s", (int)list->uri.size, list->uri.at);
      cq_error_at_file(error, file);
    }
    return status;
  }
  cq_tree_freeze(list->tree);
  list->node = cq_tree_document(list->tree);
  return CQ_OK;
}

/* All lists count together, so that one file named by a thousand of them does no harm. */
static cq_status count_items(const cq_node *list, size_t *items, cq_error *error) {
  for (const cq_node *n = list->first; n != NULL; n = cq_node_after(n, list)) *items += n->kind == CQ_NODE_ELEMENT;
  return *items > CQ_FORM_MAX_ITEMS ? cq_error_set(error, CQ_LIMIT, "forms.limit.items", NULL) : CQ_OK;
}

cq_status cq_lists_load(cq_form *form, const cq_node *model, const cq_form_lists *lists, cq_error *error) {
  const cq_words *w = &form->words;
  size_t count = 0, items = 0;
  for (const cq_node *n = model->first; n != NULL; n = n->next) count += cq_is_xforms(form, n, w->instance);
  if (count > CQ_FORM_MAX_LISTS) return cq_error_set(error, CQ_LIMIT, "forms.limit.lists", NULL);
  form->secondaries = cq_arena_array(form->arena, count, sizeof *form->secondaries);
  form->list_uris = cq_arena_array(form->arena, count, sizeof *form->list_uris);
  if (form->secondaries == NULL || form->list_uris == NULL) return cq_error_nomem(error);
  for (cq_node *n = model->first; n != NULL; n = n->next) {
    if (!cq_is_xforms(form, n, w->instance) || n->first == form->primary) continue;
    cq_str id = cq_attribute(n, w->id, CQ_ATOM_NONE);
    if (id.size == 0) continue;
    if (cq_lists_find(form, id) != NULL) return cq_error_set(error, CQ_INVALID, "forms.instance.twice", NULL);
    cq_secondary *list = &form->secondaries[form->secondary_count++];
    *list = (cq_secondary){.id = id, .uri = cq_attribute(n, w->src, CQ_ATOM_NONE), .node = n};
    cq_status status = CQ_OK;
    if (list->uri.size > 0) {
      form->list_uris[form->list_count++] = list->uri;
      status = load_external(form, list, lists, error);
    }
    if (status == CQ_OK) status = count_items(list->node, &items, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

size_t cq_form_list_count(const cq_form *form) {
  return form->list_count;
}

cq_str cq_form_list_uri(const cq_form *form, size_t i) {
  return form->list_uris[i];
}
