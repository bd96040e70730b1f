/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GeoJSON FeatureCollection as a list: root/item with geometry (as a geopoint,
 * geotrace or geoshape is written), id and each property.
 * Source: ODK documentation, "Selects from GeoJSON"; RFC 7946.
 */
#include "forms/xform/definition.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_number(cq_buf *out, double number) {
  char text[400];
  cq_buf_add(out, text, cq_xpath_number_text(number, text));
}

/* [longitude, latitude, altitude?] as "latitude longitude altitude 0". */
static bool add_position(cq_buf *out, const cJSON *position) {
  const cJSON *longitude = cJSON_GetArrayItem(position, 0), *latitude = cJSON_GetArrayItem(position, 1);
  const cJSON *altitude = cJSON_GetArrayItem(position, 2);
  if (!cJSON_IsArray(position) || !cJSON_IsNumber(longitude) || !cJSON_IsNumber(latitude)) return false;
  add_number(out, latitude->valuedouble);
  cq_buf_add_char(out, ' ');
  add_number(out, longitude->valuedouble);
  cq_buf_add_char(out, ' ');
  add_number(out, cJSON_IsNumber(altitude) ? altitude->valuedouble : 0);
  cq_buf_add_text(out, " 0");
  return true;
}

static bool add_geometry(cq_buf *out, const cJSON *geometry) {
  const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(geometry, "type"));
  const cJSON *positions = cJSON_GetObjectItemCaseSensitive(geometry, "coordinates");
  if (type == NULL || !cJSON_IsArray(positions)) return cJSON_IsNull(geometry);
  if (strcmp(type, "Point") == 0) return add_position(out, positions);
  if (strcmp(type, "Polygon") == 0)
    positions = positions->child;
  else if (strcmp(type, "LineString") != 0)
    return false;
  bool first = true;
  const cJSON *position;
  cJSON_ArrayForEach(position, positions) {
    if (!first) cq_buf_add_text(out, "; ");
    first = false;
    if (!add_position(out, position)) return false;
  }
  return true;
}

/* Text of a plain JSON value; false for objects and arrays. */
static bool add_plain(cq_buf *out, const cJSON *value) {
  if (cJSON_IsString(value))
    cq_buf_add_text(out, value->valuestring);
  else if (cJSON_IsNumber(value))
    add_number(out, value->valuedouble);
  else if (cJSON_IsBool(value))
    cq_buf_add_text(out, cJSON_IsTrue(value) ? "true" : "false");
  else
    return cJSON_IsNull(value);
  return true;
}

static cq_status cell(cq_tree *tree, cq_node *item, const char *name, cq_str text, cq_error *error) {
  cq_atom local = cq_names_intern(cq_tree_names(tree), cq_str_from(name));
  cq_node *node = local == CQ_ATOM_FAILED ? NULL : cq_tree_element(tree, item, NULL, local, 0, 0);
  if (node == NULL || cq_tree_set_text(tree, node, text) != CQ_OK) return cq_error_nomem(error);
  return CQ_OK;
}

static cq_status plain_cell(cq_tree *tree, cq_node *item, const char *name, const cJSON *value, cq_error *error) {
  cq_buf text = {0};
  cq_status status = CQ_OK;
  if (name[0] != '\0' && add_plain(&text, value))
    status = text.failed ? cq_error_nomem(error) : cell(tree, item, name, cq_buf_str(&text), error);
  cq_buf_fini(&text);
  return status;
}

static cq_status feature(cq_tree *tree, cq_node *root, cq_atom item_name, const cJSON *source, cq_error *error) {
  const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(source, "type"));
  const cJSON *geometry = cJSON_GetObjectItemCaseSensitive(source, "geometry");
  const cJSON *properties = cJSON_GetObjectItemCaseSensitive(source, "properties");
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(source, "id");
  if (type == NULL || strcmp(type, "Feature") != 0 || geometry == NULL)
    return cq_error_set(error, CQ_INVALID, "forms.geojson.feature", NULL);
  cq_node *item = cq_tree_element(tree, root, NULL, item_name, 0, 0);
  if (item == NULL) return cq_error_nomem(error);
  cq_buf shape = {0};
  cq_status status = CQ_OK;
  if (!add_geometry(&shape, geometry))
    status = cq_error_set(error, CQ_INVALID, "forms.geojson.geometry", NULL);
  else if (shape.failed)
    status = cq_error_nomem(error);
  else
    status = cell(tree, item, "geometry", cq_buf_str(&shape), error);
  cq_buf_fini(&shape);
  if (status == CQ_OK && id != NULL) status = plain_cell(tree, item, "id", id, error);
  const cJSON *property;
  cJSON_ArrayForEach(property, properties) {
    bool again = strcmp(property->string, "geometry") == 0 || (id != NULL && strcmp(property->string, "id") == 0);
    if (status == CQ_OK && !again) status = plain_cell(tree, item, property->string, property, error);
  }
  return status;
}

static cq_status collection(cq_tree *tree, const cJSON *json, cq_error *error) {
  const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "type"));
  const cJSON *features = cJSON_GetObjectItemCaseSensitive(json, "features"), *source;
  if (type == NULL || strcmp(type, "FeatureCollection") != 0 || !cJSON_IsArray(features))
    return cq_error_set(error, CQ_INVALID, "forms.geojson.collection", NULL);
  cq_names *names = cq_tree_names(tree);
  cq_atom item = cq_names_intern(names, CQ_STR("item")), top = cq_names_intern(names, CQ_STR("root"));
  if (item == CQ_ATOM_FAILED || top == CQ_ATOM_FAILED) return cq_error_nomem(error);
  cq_node *root = cq_tree_element(tree, cq_tree_document(tree), NULL, top, 0, 0);
  if (root == NULL) return cq_error_nomem(error);
  size_t count = 0;
  cJSON_ArrayForEach(source, features) {
    if (++count > CQ_FORM_MAX_ITEMS) return cq_error_set(error, CQ_LIMIT, "forms.limit.items", NULL);
    cq_status status = feature(tree, root, item, source, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

cq_status cq_lists_from_geojson(cq_tree **tree, cq_names *names, cq_str text, cq_error *error) {
  cJSON *json = cJSON_ParseWithLength(text.at, text.size);
  *tree = cq_tree_new(names, CQ_FORM_MAX_MEMORY);
  cq_status status;
  if (*tree == NULL)
    status = cq_error_nomem(error);
  else if (json == NULL)
    status = cq_error_set(error, CQ_INVALID, "forms.geojson.json", NULL);
  else
    status = collection(*tree, json, error);
  cJSON_Delete(json);
  if (status != CQ_OK) {
    cq_tree_free(*tree);
    *tree = NULL;
  }
  return status;
}
